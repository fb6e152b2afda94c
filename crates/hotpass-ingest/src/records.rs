//! Records of delimited text from a stream, each with the line it starts on.

use std::io;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::dialect::Dialect;
use crate::encoding::Utf8Stream;

/// A quoted field may make a record this long, in bytes; a longer one is taken for a quote that is never closed.
const RECORD_LIMIT: usize = 8 << 20;
/// After this many quotes that are never closed, quotes are read as ordinary characters.
const UNCLOSED_LIMIT: u32 = 64;
/// Text may unpack to this many times the size of its file.
const RATIO_LIMIT: u64 = 250;
/// The ratio counts only past this size, in bytes.
const RATIO_FREE: u64 = 256 << 20;

/// A record: its fields, unquoted, and the line it starts on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    /// Line of the file, from 1.
    pub(crate) line: u32,
    /// Bytes were invalid and are replaced.
    pub(crate) replaced: bool,
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Record<'a> {
    /// How many fields there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns a field; empty past the last one.
    #[inline]
    pub(crate) fn field(&self, index: usize) -> &'a str {
        let Some(&end) = self.ends.get(index) else { return "" };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        self.text.get(start..end).unwrap_or_default()
    }

    /// Returns all fields.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &'a str> + '_ {
        (0..self.len()).map(|index| self.field(index))
    }
}

/// Reads records from a stream, holding one at a time.
pub(crate) struct Records {
    stream: Utf8Stream,
    is_decoded: bool,
    packed_bytes: Option<u64>,
    buffer: Vec<u8>,
    position: usize,
    ended: bool,
    reader: Reader,
    literal: Reader,
    previous: u8,
    quote: Option<u8>,
    line: u32,
    fields: Vec<u8>,
    ends: Vec<usize>,
    replaced_text: String,
    unclosed: u32,
    first_unclosed: Option<u32>,
}

impl Records {
    /// Starts reading; `packed_bytes` is the size of a compressed file, to tell a bomb.
    pub(crate) fn new(stream: Utf8Stream, is_decoded: bool, dialect: Dialect, packed_bytes: Option<u64>) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(dialect.delimiter);
        let literal = builder.quoting(false).build();
        let reader = match dialect.quote {
            Some(quote) => builder.quoting(true).quote(quote).build(),
            None => builder.build(),
        };
        Self {
            stream,
            is_decoded,
            packed_bytes,
            buffer: Vec::with_capacity(1 << 18),
            position: 0,
            ended: false,
            reader,
            literal,
            previous: 0,
            quote: dialect.quote,
            line: 1,
            fields: vec![0; 4096],
            ends: vec![0; 64],
            replaced_text: String::new(),
            unclosed: 0,
            first_unclosed: None,
        }
    }

    /// Quotes that were never closed: how many, and the line of the first.
    pub(crate) fn unclosed(&self) -> Option<(u32, u32)> {
        self.first_unclosed.map(|line| (self.unclosed, line))
    }

    /// Returns the next record that is not a blank line.
    pub(crate) fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        loop {
            if self.position == self.buffer.len() && !self.fill(self.position)? {
                return Ok(None);
            }
            match self.buffer[self.position] {
                b'\n' | b'\r' => {
                    self.position += 1;
                    self.count_lines(self.position - 1);
                }
                _ => break,
            }
        }
        let line = self.line;
        let literal = self.unclosed >= UNCLOSED_LIMIT;
        let (text_end, field_count) = if let Some(lengths) = self.read_one(literal)? {
            lengths
        } else {
            self.unclosed += 1;
            self.first_unclosed.get_or_insert(line);
            self.reader.reset();
            self.literal.reset();
            self.read_one(true)?.unwrap_or_default()
        };
        // Fields of valid text end between characters, since separators are ASCII.
        if let Ok(text) = std::str::from_utf8(&self.fields[..text_end]) {
            let replaced = self.is_decoded && text.contains('\u{fffd}');
            Ok(Some(Record { line, replaced, text, ends: &self.ends[..field_count] }))
        } else {
            self.replaced_text.clear();
            let mut start = 0;
            for end in &mut self.ends[..field_count] {
                self.replaced_text.push_str(&String::from_utf8_lossy(&self.fields[start..*end]));
                start = *end;
                *end = self.replaced_text.len();
            }
            Ok(Some(Record { line, replaced: true, text: &self.replaced_text, ends: &self.ends[..field_count] }))
        }
    }

    /// Reads a record at the position; returns the lengths of its text and its fields, or nothing, with the position where it was, when
    /// a quote is never closed.
    fn read_one(&mut self, literal: bool) -> io::Result<Option<(usize, usize)>> {
        let mut start = self.position;
        let (mut text_end, mut field_count) = (0, 0);
        loop {
            let reader = if literal { &mut self.literal } else { &mut self.reader };
            let (result, read, written, ended) = reader.read_record(
                &self.buffer[self.position..],
                &mut self.fields[text_end..],
                &mut self.ends[field_count..],
            );
            self.position += read;
            text_end += written;
            field_count += ended;
            match result {
                ReadRecordResult::OutputFull => self.fields.resize(self.fields.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => break,
                ReadRecordResult::InputEmpty => {
                    if !literal && self.position - start > RECORD_LIMIT {
                        self.position = start;
                        return Ok(None);
                    }
                    let more = self.fill(start)?;
                    start = 0;
                    if !more && !literal && self.is_open(start) {
                        self.position = start;
                        return Ok(None);
                    }
                }
            }
        }
        if !literal && self.is_open(start) {
            self.position = start;
            return Ok(None);
        }
        self.count_lines(start);
        Ok(Some((text_end, field_count)))
    }

    /// Counts the lines that end between `start` and the position: at `\n`, `\r` and `\r\n`.
    fn count_lines(&mut self, start: usize) {
        let read = &self.buffer[start..self.position];
        let returns = memchr::memchr_iter(b'\r', read).count();
        let newlines = memchr::memchr_iter(b'\n', read)
            .filter(|&position| position.checked_sub(1).map_or(self.previous, |before| read[before]) != b'\r')
            .count();
        self.line = self.line.saturating_add((returns + newlines) as u32);
        self.previous = read.last().copied().unwrap_or(self.previous);
    }

    /// Tells whether the record from `start` to the position spans lines and has a quote without its second one.
    fn is_open(&self, start: usize) -> bool {
        let read = &self.buffer[start..self.position];
        let end = read.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
        let spans_lines = memchr::memchr2(b'\n', b'\r', &read[..end]).is_some();
        self.quote.is_some_and(|quote| spans_lines && memchr::memchr_iter(quote, read).count() % 2 == 1)
    }

    /// Reads more text, keeping what stands from `keep` on, which moves to the start of the buffer.
    fn fill(&mut self, keep: usize) -> io::Result<bool> {
        self.buffer.drain(..keep);
        self.position -= keep;
        if self.ended {
            return Ok(false);
        }
        let more = self.stream.fill(&mut self.buffer)?;
        self.ended = !more;
        let read = self.stream.bytes_read();
        if let Some(packed) = self.packed_bytes
            && read > RATIO_FREE
            && read > packed.saturating_mul(RATIO_LIMIT)
        {
            return Err(io::Error::other(format!("the file unpacks to more than {RATIO_LIMIT} times its size")));
        }
        Ok(more)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use encoding_rs::UTF_8;

    use super::*;
    use crate::encoding::FoundEncoding;

    fn read(text: &[u8]) -> Vec<(u32, Vec<String>)> {
        let found = FoundEncoding { encoding: UTF_8, mark: 0, has_invalid: false };
        let stream = Utf8Stream::new(Box::new(Cursor::new(text.to_vec())), found);
        let dialect = Dialect { delimiter: b',', quote: Some(b'"'), named_delimiter: false };
        let mut records = Records::new(stream, false, dialect, None);
        let mut all = Vec::new();
        while let Some(record) = records.next().unwrap() {
            all.push((record.line, record.fields().map(str::to_owned).collect()));
        }
        all
    }

    #[test]
    fn records_know_their_lines() {
        let check = |text: &[u8], expected: &[(u32, &[&str])]| {
            let expected: Vec<(u32, Vec<String>)> = expected
                .iter()
                .map(|(line, fields)| (*line, fields.iter().map(|&field| field.to_owned()).collect()))
                .collect();
            assert_eq!(read(text), expected, "{:?}", String::from_utf8_lossy(text));
        };
        check(b"a,b\n1,2\n", &[(1, &["a", "b"]), (2, &["1", "2"])]);
        check(b"a,b\r\n\r\n1,2", &[(1, &["a", "b"]), (3, &["1", "2"])]);
        check(b"a\r1\r2", &[(1, &["a"]), (2, &["1"]), (3, &["2"])]);
        check(b"a,\"x\ny\"\nb,c\n", &[(1, &["a", "x\ny"]), (3, &["b", "c"])]);
        check(b"a,\"x\"\"y\"\n", &[(1, &["a", "x\"y"])]);
        check(b"a,\xff\n", &[(1, &["a", "\u{fffd}"])]);
        check(b"a\r1\n2\r\n3", &[(1, &["a"]), (2, &["1"]), (3, &["2"]), (4, &["3"])]);
        check(b"", &[]);
    }

    #[test]
    fn a_quote_that_is_never_closed_spoils_one_line_only() {
        assert_eq!(
            read(b"a,b\n1,\"two\n3,4\n5,\"6\"\n7,8"),
            [
                (1, vec!["a".to_owned(), "b".to_owned()]),
                (2, vec!["1".to_owned(), "\"two".to_owned()]),
                (3, vec!["3".to_owned(), "4".to_owned()]),
                (4, vec!["5".to_owned(), "6".to_owned()]),
                (5, vec!["7".to_owned(), "8".to_owned()]),
            ]
        );
    }
}
