//! What an Arrow file says of its own lengths, held against the file before anything is read: the reader reserves memory for as much
//! as it is told, and a process that cannot have it ends at once.

use std::io::{Read, Seek, SeekFrom};

use arrow::ipc::{Message, MessageHeader, root_as_footer, root_as_message};

/// Mark before the length of a message.
const CONTINUATION: u32 = u32::MAX;

/// First and last bytes of a file.
const MAGIC: &[u8; 6] = b"ARROW1";

/// Least memory that a row of a column takes once it is text.
const BYTES_OF_A_ROW: u64 = 4;

/// Checks the messages of a stream, one after the other, and rewinds.
///
/// Returns in words what is wrong.
pub(crate) fn check_stream(source: &mut (impl Read + Seek), memory: u64) -> Result<(), String> {
    let length = length_of(source)?;
    source.rewind().map_err(text)?;
    while let Some(body) = check_message(source, length, memory)? {
        source.seek(SeekFrom::Current(body as i64)).map_err(text)?;
    }
    source.rewind().map_err(text)
}

/// Checks the blocks that the footer of a file names, and rewinds.
///
/// Returns in words what is wrong.
pub(crate) fn check_file(source: &mut (impl Read + Seek), memory: u64) -> Result<(), String> {
    let length = length_of(source)?;
    let tail = length.checked_sub(10).ok_or("it is cut off")?;
    source.seek(SeekFrom::Start(tail)).map_err(text)?;
    let footer = u64::from(number(source)?);
    let mut magic = [0; 6];
    source.read_exact(&mut magic).map_err(text)?;
    if &magic != MAGIC {
        return Err("it is cut off".to_owned());
    }
    let start = tail.checked_sub(footer).ok_or("its footer is longer than itself")?;
    source.seek(SeekFrom::Start(start)).map_err(text)?;
    let mut bytes = vec![0; footer as usize];
    source.read_exact(&mut bytes).map_err(text)?;
    let footer = root_as_footer(&bytes).map_err(text)?;
    for block in footer.dictionaries().iter().flatten().chain(footer.recordBatches().iter().flatten()) {
        let [offset, metadata, body] = [block.offset(), i64::from(block.metaDataLength()), block.bodyLength()]
            .map(|number| u64::try_from(number).unwrap_or(u64::MAX));
        if offset.checked_add(metadata).and_then(|end| end.checked_add(body)).is_none_or(|end| end > length) {
            return Err("a block lies outside of it".to_owned());
        }
        source.seek(SeekFrom::Start(offset)).map_err(text)?;
        check_message(source, length, memory)?;
    }
    source.rewind().map_err(text)
}

/// Reads the head of a message, and returns the length of its body; nothing at the end.
fn check_message(source: &mut (impl Read + Seek), length: u64, memory: u64) -> Result<Option<u64>, String> {
    let Ok(mut metadata) = number(source) else { return Ok(None) };
    if metadata == CONTINUATION {
        let Ok(next) = number(source) else { return Ok(None) };
        metadata = next;
    }
    if metadata == 0 {
        return Ok(None);
    }
    let left = length.saturating_sub(source.stream_position().map_err(text)?);
    if u64::from(metadata) > left {
        return Err("a message is longer than the rest of it".to_owned());
    }
    let mut bytes = vec![0; metadata as usize];
    source.read_exact(&mut bytes).map_err(text)?;
    let message = root_as_message(&bytes).map_err(text)?;
    let rows = u64::try_from(rows_of(&message)).unwrap_or(u64::MAX);
    if rows > memory / BYTES_OF_A_ROW {
        return Err("a batch says it has more rows than the memory limit allows".to_owned());
    }
    let body = u64::try_from(message.bodyLength()).unwrap_or(u64::MAX);
    if body > left - u64::from(metadata) {
        return Err("a message is longer than the rest of it".to_owned());
    }
    Ok(Some(body))
}

fn rows_of(message: &Message<'_>) -> i64 {
    match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch().map_or(0, |batch| batch.length()),
        MessageHeader::DictionaryBatch => message
            .header_as_dictionary_batch()
            .and_then(|dictionary| dictionary.data())
            .map_or(0, |batch| batch.length()),
        _ => 0,
    }
}

fn number(source: &mut impl Read) -> Result<u32, String> {
    let mut bytes = [0; 4];
    source.read_exact(&mut bytes).map_err(text)?;
    Ok(u32::from_le_bytes(bytes))
}

fn length_of(source: &mut impl Seek) -> Result<u64, String> {
    source.seek(SeekFrom::End(0)).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, RecordBatch, StringArray};
    use arrow::ipc::writer::{FileWriter, StreamWriter};

    use super::*;

    fn batch() -> RecordBatch {
        let names: ArrayRef = Arc::new(StringArray::from(vec![Some("Acacia Works"), None]));
        RecordBatch::try_from_iter([("name", names)]).unwrap()
    }

    #[test]
    fn sound_files_pass_and_stand_at_their_beginning() {
        let batch = batch();
        let mut stream = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        stream.write(&batch).unwrap();
        let mut stream = Cursor::new(stream.into_inner().unwrap());
        check_stream(&mut stream, 1 << 20).unwrap();
        assert_eq!(stream.position(), 0);
        assert!(check_stream(&mut stream, 4).unwrap_err().contains("more rows"));
        let mut file = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        file.write(&batch).unwrap();
        file.finish().unwrap();
        let mut file = Cursor::new(file.into_inner().unwrap());
        check_file(&mut file, 1 << 20).unwrap();
        assert_eq!(file.position(), 0);
    }

    #[test]
    fn no_length_is_believed_that_the_file_does_not_have() {
        let batch = batch();
        let mut stream = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        stream.write(&batch).unwrap();
        let stream = stream.into_inner().unwrap();
        let mut file = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        file.write(&batch).unwrap();
        file.finish().unwrap();
        let file = file.into_inner().unwrap();
        // Any eight bytes may be a length: with the largest in each place, reading ends with a word and not with the process.
        for sound in [stream, file] {
            for at in 0..sound.len() - 8 {
                let mut changed = sound.clone();
                changed[at + 4..at + 8].copy_from_slice(&[0xff, 0xff, 0xff, 0x2f]);
                let mut source = Cursor::new(&changed);
                let checked = if changed.starts_with(MAGIC) {
                    check_file(&mut source, 1 << 20)
                } else {
                    check_stream(&mut source, 1 << 20)
                };
                if checked.is_ok() {
                    read(&changed);
                }
            }
        }
    }

    /// Reads everything; a panic of the reader is caught where files are opened.
    fn read(bytes: &[u8]) {
        use arrow::ipc::reader::{FileReader, StreamReader};
        let bytes = bytes.to_vec();
        let _ = std::panic::catch_unwind(move || {
            let source = Cursor::new(bytes);
            if source.get_ref().starts_with(MAGIC) {
                FileReader::try_new(source, None).map(|reader| reader.map_while(Result::ok).count())
            } else {
                StreamReader::try_new(source, None).map(|reader| reader.map_while(Result::ok).count())
            }
        });
    }
}
