//! Files made to break readers are refused with a diagnostic and a hint.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hotpass_ingest::{IngestError, ReadOptions};
use zip::write::SimpleFileOptions;

use super::{open, open_with, read};

const TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#;
const RELATIONS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const WORKBOOK: &str = r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const WORKBOOK_RELATIONS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;

/// Writes an xlsx package whose sheet is written by `sheet`.
fn package(path: &Path, sheet: impl FnOnce(&mut zip::ZipWriter<File>)) {
    let mut writer = zip::ZipWriter::new(File::create(path).unwrap());
    let parts = [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", RELATIONS),
        ("xl/workbook.xml", WORKBOOK),
        ("xl/_rels/workbook.xml.rels", WORKBOOK_RELATIONS),
    ];
    for (name, text) in parts {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.start_file("xl/worksheets/sheet1.xml", SimpleFileOptions::default()).unwrap();
    sheet(&mut writer);
    writer.finish().unwrap();
}

fn temporary(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}

fn refusal(path: &Path, options: &ReadOptions) -> hotpass_core::Diagnostic {
    match open_with(path, options) {
        Err(IngestError::Refused(diagnostic)) => {
            assert!(diagnostic.hint.is_some() && diagnostic.location.file.is_some(), "{diagnostic:?}");
            *diagnostic
        }
        other => panic!("{}: {other:?}", path.display()),
    }
}

#[test]
fn a_zip_bomb_is_refused_before_it_is_unpacked() {
    let (_folder, path) = temporary("bomb.xlsx");
    package(&path, |writer| {
        writer.write_all(b"<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"str\"><v>").unwrap();
        let block = vec![b'a'; 1 << 20];
        for _ in 0..300 {
            writer.write_all(&block).unwrap();
        }
        writer.write_all(b"</v></c></row></sheetData></worksheet>").unwrap();
    });
    let start = Instant::now();
    assert_eq!(refusal(&path, &ReadOptions::default()).code, "ingest.file.too_large");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_declared_range_of_the_whole_sheet_costs_nothing() {
    let (_folder, path) = temporary("range.xlsx");
    package(&path, |writer| {
        let sheet = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1" t="str"><v>name</v></c><c r="B1" t="str"><v>size</v></c></row><row r="2"><c r="A2" t="str"><v>Ann</v></c><c r="B2"><v>3</v></c></row><row r="1048576"><c r="A1048576" t="str"><v>Bob</v></c><c r="XFD1048576"><v>4</v></c></row></sheetData></worksheet>"#;
        writer.write_all(sheet.as_bytes()).unwrap();
    });
    let mut opened = open(&path).unwrap();
    let cells = read(opened.tables.remove(0)).unwrap();
    assert_eq!(cells.rows.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [2, 1_048_576]);
    assert_eq!(cells.schema.columns.last().unwrap().index, 16_383);
}

#[test]
fn the_memory_limit_refuses_a_sheet_and_the_file_goes_on() {
    let (_folder, path) = temporary("many.xlsx");
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for row in 0..30_000 {
        sheet.write(row, 0, f64::from(row)).unwrap();
        sheet.write(row, 1, f64::from(row) + 0.5).unwrap();
    }
    workbook.add_worksheet().write(0, 0, "name").unwrap();
    workbook.save(&path).unwrap();
    let options = ReadOptions { memory_limit_bytes: 1 << 20, ..ReadOptions::default() };
    let opened = open_with(&path, &options).unwrap();
    assert!(opened.diagnostics.iter().any(|finding| finding.code == "ingest.file.memory"), "{:?}", opened.diagnostics);
    assert_eq!(opened.skipped.len(), 1);
    assert_eq!(opened.tables.len(), 1);
}

#[test]
fn a_cut_off_workbook_is_refused_at_any_length() {
    let (folder, path) = temporary("whole.xlsx");
    let mut workbook = rust_xlsxwriter::Workbook::new();
    workbook.add_worksheet().write(0, 0, "name").unwrap();
    workbook.save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for part in 1..20 {
        let path = folder.path().join("cut.xlsx");
        File::create(&path).unwrap().write_all(&bytes[..bytes.len() * part / 20]).unwrap();
        assert_eq!(refusal(&path, &ReadOptions::default()).code, "ingest.file.broken");
    }
}

#[test]
fn a_container_with_an_encrypted_package_asks_for_the_password_to_be_removed() {
    let (_folder, path) = temporary("secret.xlsx");
    let mut bytes = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    bytes.resize(2048, 0);
    bytes.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    bytes.resize(4096, 0);
    File::create(&path).unwrap().write_all(&bytes).unwrap();
    assert_eq!(refusal(&path, &ReadOptions::default()).code, "ingest.file.encrypted");
}

#[test]
fn mixed_encodings_are_repaired_and_told_with_the_row() {
    let (_folder, path) = temporary("mixed.csv");
    let mut bytes = "name,town\nZoë,Grünau\nRené,Orkney\nAndré,Paarl\n".as_bytes().to_vec();
    bytes.extend(b"Chlo\xe9,Durban\n");
    File::create(&path).unwrap().write_all(&bytes).unwrap();
    let cells = read(open(&path).unwrap().tables.remove(0)).unwrap();
    assert_eq!(cells.texts()[0], ["Zoë", "Grünau"]);
    assert_eq!(cells.texts()[3], ["Chlo\u{fffd}", "Durban"]);
    let finding = cells.findings.iter().find(|finding| finding.code == "ingest.text.invalid").unwrap();
    assert_eq!(finding.location.row, Some(5));
}

#[test]
fn other_content_is_refused_whatever_its_ending() {
    let check = |name: &str, bytes: &[u8], code: &str| {
        let (_folder, path) = temporary(name);
        File::create(&path).unwrap().write_all(bytes).unwrap();
        assert_eq!(refusal(&path, &ReadOptions::default()).code, code, "{name}");
    };
    check("empty.csv", b"", "ingest.file.empty");
    check("page.xls", b"<html><table><tr><td>1</td></tr></table></html>", "ingest.file.format");
    check("picture.csv", &[0x89, b'P', b'N', b'G', 1, 2, 3, 4, 5, 6, 7, 8], "ingest.file.format");
    check("cut.parquet", b"PAR1 and nothing more", "ingest.file.broken");
    check("cut.json", b"[{\"a\": 1}, {\"a\":", "ingest.file.broken");
    check("cut.ndjson", b"{\"a\": 1}\n{\"a\": \n", "ingest.file.broken");
}
