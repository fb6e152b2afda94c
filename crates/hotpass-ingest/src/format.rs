//! What a file is: by its content first, by its ending second.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Bytes looked at to tell the format of a file.
const HEAD_BYTES: usize = 64 * 1024;

/// Format of a source file, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Office Open XML workbook: xlsx, xlsm.
    Xlsx,
    /// Binary workbook in a zip package.
    Xlsb,
    /// Binary workbook of Excel 97 and before.
    Xls,
    /// `OpenDocument` spreadsheet.
    Ods,
    /// Text with separators: csv, tsv, psv.
    Delimited,
    /// A JSON document.
    Json,
    /// A JSON object on each line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC, file or stream.
    Arrow,
    /// A workbook encrypted with a password.
    Encrypted,
    /// A web page, often exported as `.xls`.
    Html,
    /// An archive that is no workbook.
    Archive,
    /// Nothing that is known.
    Unknown,
}

impl FileFormat {
    /// Returns the name for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Xlsx => "an Office Open XML workbook (xlsx)",
            Self::Xlsb => "a binary workbook (xlsb)",
            Self::Xls => "an Excel 97 workbook (xls)",
            Self::Ods => "an OpenDocument spreadsheet (ods)",
            Self::Delimited => "delimited text",
            Self::Json => "JSON",
            Self::Ndjson => "newline-delimited JSON",
            Self::Parquet => "Parquet",
            Self::Arrow => "Arrow IPC",
            Self::Encrypted => "an encrypted workbook",
            Self::Html => "a web page (HTML)",
            Self::Archive => "an archive",
            Self::Unknown => "an unknown format",
        }
    }

    /// Returns the endings that files of this format have, the first being usual.
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Xlsx => &["xlsx", "xlsm", "xltx", "xltm"],
            Self::Xlsb => &["xlsb"],
            Self::Xls => &["xls", "xlt", "xla"],
            Self::Ods => &["ods", "ots", "fods"],
            Self::Delimited => &["csv", "tsv", "psv", "ssv", "tab", "txt"],
            Self::Json => &["json", "geojson"],
            Self::Ndjson => &["ndjson", "jsonl"],
            Self::Parquet => &["parquet"],
            Self::Arrow => &["arrow", "arrows", "feather", "ipc"],
            Self::Html => &["html", "htm"],
            Self::Archive => &["zip", "7z", "rar", "tar"],
            Self::Encrypted | Self::Unknown => &[],
        }
    }

    /// Returns the format that an ending promises.
    pub fn of_ending(ending: &str) -> Option<Self> {
        let all = [
            Self::Xlsx,
            Self::Xlsb,
            Self::Xls,
            Self::Ods,
            Self::Delimited,
            Self::Json,
            Self::Ndjson,
            Self::Parquet,
            Self::Arrow,
            Self::Html,
            Self::Archive,
        ];
        all.into_iter().find(|format| format.endings().contains(&ending))
    }

    /// Tells whether files of this format can be read.
    pub fn is_readable(self) -> bool {
        !matches!(self, Self::Encrypted | Self::Html | Self::Archive | Self::Unknown)
    }
}

/// How the bytes of a text file are packed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Not packed.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// Returns the ending of a path in lower case, without the one of a compression.
pub(crate) fn ending(path: &Path) -> Option<String> {
    let ending = |path: &Path| path.extension().and_then(|text| text.to_str()).map(str::to_ascii_lowercase);
    match ending(path).as_deref() {
        Some("gz" | "zst") => ending(Path::new(path.file_stem()?)),
        _ => ending(path),
    }
}

/// Tells format and compression of a file.
pub(crate) fn sniff_file(path: &Path) -> io::Result<(FileFormat, Compression)> {
    let mut file = File::open(path)?;
    let head = read_head(&mut file, HEAD_BYTES)?;
    let compression = match head.as_slice() {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
        _ => Compression::None,
    };
    let ending = ending(path);
    if compression == Compression::None {
        file.rewind()?;
        return Ok((sniff(&head, ending.as_deref(), file), compression));
    }
    // A broken compressed file is told so when it is read.
    let head = open_text(path, compression).and_then(|mut text| read_head(&mut text, HEAD_BYTES)).unwrap_or_default();
    let format = sniff(&head, ending.as_deref(), io::empty());
    let text = matches!(format, FileFormat::Delimited | FileFormat::Json | FileFormat::Ndjson);
    Ok((if text { format } else { FileFormat::Archive }, compression))
}

/// Opens the text of a file, unpacked.
pub(crate) fn open_text(path: &Path, compression: Compression) -> io::Result<Box<dyn Read + Send>> {
    let file = File::open(path)?;
    Ok(match compression {
        Compression::None => Box::new(file),
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(file))),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(file)?),
    })
}

/// Reads up to `limit` bytes.
pub(crate) fn read_head(reader: &mut impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(limit as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn sniff(head: &[u8], ending: Option<&str>, file: impl Read + SeekOrNothing) -> FileFormat {
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return file.zip_format(ending);
    }
    if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) {
        return file.compound_format();
    }
    // A bare BIFF stream, as Excel 2 to 4 wrote it, begins with a BOF record; no reader for it exists here.
    if head.starts_with(b"PAR1") {
        return FileFormat::Parquet;
    }
    if head.starts_with(b"ARROW1") || (head.starts_with(&[0xff, 0xff, 0xff, 0xff]) && head.len() > 8) {
        return FileFormat::Arrow;
    }
    sniff_text(head, ending)
}

fn sniff_text(head: &[u8], ending: Option<&str>) -> FileFormat {
    let promised = ending.and_then(FileFormat::of_ending);
    if looks_binary(head) {
        return FileFormat::Unknown;
    }
    let text: String = head.iter().take(4096).filter(|&&byte| byte != 0).map(|&byte| char::from(byte)).collect();
    let start = text.trim_start_matches(['\u{ef}', '\u{bb}', '\u{bf}', '\u{ff}', '\u{fe}']).trim_start();
    let lower = start.get(..512.min(start.len())).unwrap_or(start).to_ascii_lowercase();
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") || lower.starts_with("<table") {
        return FileFormat::Html;
    }
    if lower.starts_with("<?xml") || lower.starts_with("<!doctype") {
        return if lower.contains("<html") { FileFormat::Html } else { FileFormat::Unknown };
    }
    if matches!(promised, Some(FileFormat::Json | FileFormat::Ndjson)) {
        return match promised {
            Some(FileFormat::Json) if start.starts_with('{') && is_json_lines(start) => FileFormat::Ndjson,
            Some(FileFormat::Ndjson) if start.starts_with('[') => FileFormat::Json,
            Some(format) => format,
            None => FileFormat::Unknown,
        };
    }
    let is_object = start.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(['"', '}']));
    let is_list = start.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with('{'));
    match (is_object, is_list) {
        (true, _) if is_json_lines(start) => FileFormat::Ndjson,
        (true, _) | (_, true) => FileFormat::Json,
        _ => FileFormat::Delimited,
    }
}

/// Tells whether the first line is a whole JSON object with another one after it.
fn is_json_lines(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_object = |line: &str| line.starts_with('{') && line.ends_with('}');
    match (lines.next(), lines.next()) {
        (Some(first), Some(second)) => is_object(first) && second.starts_with('{'),
        _ => false,
    }
}

/// Tells whether bytes are neither text of one byte a character nor UTF-16.
fn looks_binary(head: &[u8]) -> bool {
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return false;
    }
    let control = head
        .iter()
        .filter(|&&byte| {
            byte < 0x20 && !matches!(byte, 0 | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1a | 0x1b | 0x1c..=0x1f)
        })
        .count();
    let nul = memchr::memchr_iter(0, head).count();
    let nul_on_one_side = {
        let even = head.iter().step_by(2).filter(|&&byte| byte == 0).count();
        even * 10 < nul || (nul - even) * 10 < nul
    };
    control * 20 > head.len() || (nul * 4 > head.len() && !nul_on_one_side)
}

/// Looks into the containers that hold several formats; nothing to look into gives an archive.
trait SeekOrNothing {
    fn zip_format(self, ending: Option<&str>) -> FileFormat;
    fn compound_format(self) -> FileFormat;
}

impl SeekOrNothing for io::Empty {
    fn zip_format(self, _: Option<&str>) -> FileFormat {
        FileFormat::Archive
    }

    fn compound_format(self) -> FileFormat {
        FileFormat::Archive
    }
}

impl SeekOrNothing for File {
    fn zip_format(self, ending: Option<&str>) -> FileFormat {
        let Ok(archive) = zip::ZipArchive::new(BufReader::new(self)) else {
            // A cut-off package: what it was meant to be is all that is known.
            return ending
                .and_then(FileFormat::of_ending)
                .filter(|format| matches!(format, FileFormat::Xlsx | FileFormat::Xlsb | FileFormat::Ods))
                .unwrap_or(FileFormat::Archive);
        };
        let has = |test: fn(&str) -> bool| {
            archive.file_names().flatten().any(|name| test(&name.replace('\\', "/").to_ascii_lowercase()))
        };
        if has(|name| name.ends_with("workbook.bin")) {
            FileFormat::Xlsb
        } else if has(|name| name == "[content_types].xml") {
            if has(|name| name.starts_with("word/") || name.starts_with("ppt/")) {
                FileFormat::Archive
            } else {
                FileFormat::Xlsx
            }
        } else if has(|name| name == "content.xml") {
            FileFormat::Ods
        } else if has(|name| name.ends_with("xl/workbook.xml")) {
            FileFormat::Xlsx
        } else {
            FileFormat::Archive
        }
    }

    fn compound_format(mut self) -> FileFormat {
        // Stream names stand in the directory as UTF-16; the directory may be anywhere, so the file is searched.
        let mut content = Vec::new();
        if self.by_ref().take(64 << 20).read_to_end(&mut content).is_err() {
            return FileFormat::Unknown;
        }
        if contains_utf16(&content, "EncryptedPackage") {
            FileFormat::Encrypted
        } else if ["Workbook", "WORKBOOK", "Book", "BOOK"].iter().any(|name| contains_utf16(&content, name)) {
            FileFormat::Xls
        } else {
            FileFormat::Unknown
        }
    }
}

fn contains_utf16(content: &[u8], name: &str) -> bool {
    let needle: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    memchr::memmem::find(content, &needle).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_by_its_start() {
        let check =
            |head: &[u8], ending: Option<&str>, expected| assert_eq!(sniff_text(head, ending), expected, "{head:?}");
        check(b"a,b\n1,2\n", Some("csv"), FileFormat::Delimited);
        check(b"a\tb\n", Some("xls"), FileFormat::Delimited);
        check(b"\xef\xbb\xbf<html><body>", Some("xls"), FileFormat::Html);
        check(b"[ {\"a\": 1}]", Some("csv"), FileFormat::Json);
        check(b"{\"a\": 1}\n{\"a\": 2}\n", Some("json"), FileFormat::Ndjson);
        check(b"{\"a\": 1}\n", Some("json"), FileFormat::Json);
        check(b"\xff\xfea\0,\0b\0", Some("csv"), FileFormat::Delimited);
        check(b"a\0,\0b\0\n\0", Some("csv"), FileFormat::Delimited);
        check(b"\x01\x02\x03\x04\x05", Some("csv"), FileFormat::Unknown);
        check(b"<?xml version=\"1.0\"?><Workbook/>", Some("xls"), FileFormat::Unknown);
    }

    #[test]
    fn the_ending_looks_through_a_compression() {
        let check = |path: &str, expected: Option<&str>| assert_eq!(ending(Path::new(path)).as_deref(), expected);
        check("a/b.CSV", Some("csv"));
        check("b.csv.gz", Some("csv"));
        check("b.zst", None);
        check("b", None);
    }
}
