//! The same rows come out of every format.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use hotpass_ingest::source::FileFormat;
use parquet::arrow::ArrowWriter;

use super::{open, read_only};

const ROWS: [[&str; 3]; 3] =
    [["Acacia", "12.5", "2024-02-29"], ["Baobab", "7", ""], ["", "1000000000000000000000", "1999-12-31"]];

fn batch() -> RecordBatch {
    let names: ArrayRef = Arc::new(StringArray::from(vec![Some("Acacia"), Some("Baobab"), Some("  ")]));
    let size: ArrayRef = Arc::new(Float64Array::from(vec![12.5, 7.0, 1e21]));
    let seen: ArrayRef = Arc::new(Date32Array::from(vec![Some(19_782), None, Some(10_956)]));
    RecordBatch::try_from_iter([("Name", names), ("Size", size), ("Seen", seen)]).unwrap()
}

fn check(path: &Path) {
    let cells = read_only(path);
    assert_eq!(cells.names(), ["name", "size", "seen"], "{}", path.display());
    assert_eq!(cells.texts(), ROWS.map(|row| row.to_vec()), "{}", path.display());
}

fn write(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn all_formats_give_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let lines: Vec<String> = ROWS.iter().map(|row| row.join(",")).collect();
    let csv = format!("Name,Size,Seen\n{}\n", lines.join("\n"));
    write(&at("a.csv"), csv.as_bytes());
    check(&at("a.csv"));
    write(&at("a.tsv"), csv.replace(',', "\t").as_bytes());
    check(&at("a.tsv"));
    let utf16: Vec<u8> = [0xfe, 0xff].into_iter().chain(csv.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    write(&at("utf16.csv"), &utf16);
    check(&at("utf16.csv"));

    let mut gzip = flate2::write::GzEncoder::new(File::create(at("a.csv.gz")).unwrap(), flate2::Compression::fast());
    gzip.write_all(csv.as_bytes()).unwrap();
    gzip.finish().unwrap();
    check(&at("a.csv.gz"));
    write(&at("a.csv.zst"), &zstd::encode_all(csv.as_bytes(), 1).unwrap());
    check(&at("a.csv.zst"));

    let objects = [
        r#"{"Name": "Acacia", "Size": 12.5, "Seen": "2024-02-29"}"#,
        r#"{"Name": "Baobab", "Size": 7.0, "Seen": null}"#,
        r#"{"Size": 1e21, "Seen": "1999-12-31"}"#,
    ];
    write(&at("a.json"), format!("[{}]", objects.join(",")).as_bytes());
    check(&at("a.json"));
    write(&at("a.ndjson"), objects.join("\n").as_bytes());
    check(&at("a.ndjson"));

    let batch = batch();
    let mut parquet = ArrowWriter::try_new(File::create(at("a.parquet")).unwrap(), batch.schema(), None).unwrap();
    parquet.write(&batch).unwrap();
    parquet.close().unwrap();
    check(&at("a.parquet"));
    let mut file = FileWriter::try_new(File::create(at("a.arrow")).unwrap(), &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    file.finish().unwrap();
    check(&at("a.arrow"));
    let mut stream = StreamWriter::try_new(File::create(at("b.arrow")).unwrap(), &batch.schema()).unwrap();
    stream.write(&batch).unwrap();
    stream.finish().unwrap();
    check(&at("b.arrow"));

    let mut workbook = rust_xlsxwriter::Workbook::new();
    let date = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
    let sheet = workbook.add_worksheet();
    for (column, header) in (0..).zip(["Name", "Size", "Seen"]) {
        sheet.write(0, column, header).unwrap();
    }
    sheet.write(1, 0, "Acacia").unwrap();
    sheet.write(1, 1, 12.5).unwrap();
    sheet.write_with_format(1, 2, 45_351.0, &date).unwrap();
    sheet.write(2, 0, "Baobab").unwrap();
    sheet.write(2, 1, 7).unwrap();
    sheet.write(3, 0, " \u{a0}").unwrap();
    sheet.write(3, 1, 1e21).unwrap();
    sheet.write_with_format(3, 2, 36_525.0, &date).unwrap();
    workbook.save(at("a.xlsx")).unwrap();
    check(&at("a.xlsx"));
}

#[test]
fn lists_and_nested_objects_are_flattened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    write(&path, br#"{"meta": 1, "people": [{"name": {"first": "Ann"}, "tags": ["x", 2]}, {"other": [{"deep": 1}]}], "towns": [{"t": "Durban"}]}"#);
    let opened = open(&path).unwrap();
    assert_eq!(opened.skipped.len(), 1);
    assert_eq!(
        opened.tables.iter().map(|table| table.schema.id.sheet.as_deref().unwrap()).collect::<Vec<_>>(),
        ["people", "towns"]
    );
    let cells = super::read(opened.tables.into_iter().next().unwrap()).unwrap();
    let headers: Vec<&str> = cells.schema.columns.iter().map(|column| column.raw_header.as_str()).collect();
    assert_eq!(headers, ["name.first", "tags", "other"]);
    assert_eq!(cells.texts(), [["Ann", "x; 2", ""], ["", "", r#"[{"deep":1}]"#]]);

    let path = folder.path().join("lists.parquet");
    let lists: ArrayRef =
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), Some(2)]), None]));
    let batch = RecordBatch::try_from_iter([("ids", lists)]).unwrap();
    let mut parquet = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    parquet.write(&batch).unwrap();
    parquet.close().unwrap();
    let cells = read_only(&path);
    assert_eq!(cells.texts(), [["1; 2"]], "a row without values is left out");
}

#[test]
fn ragged_lines_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    write(&path, b"name,town\nAnn,Durban\nBob\nCid,Cape Town,12 Main Road\n\nname,town\nDan,Paarl\n");
    let cells = read_only(&path);
    assert_eq!(cells.names(), ["name", "town", "__extra1"]);
    let rows: Vec<u32> = cells.rows.iter().map(|(row, _)| *row).collect();
    assert_eq!(rows, [2, 3, 4, 7]);
    assert_eq!(cells.texts()[2], ["Cid", "Cape Town", "12 Main Road"]);
    assert!(
        cells.has("ingest.rows.short") && cells.has("ingest.rows.long") && cells.has("ingest.rows.repeated_header")
    );
}

#[test]
fn large_text_is_streamed_and_late_surplus_is_joined() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let mut text = String::from("id,name\n");
    for row in 0..60_000 {
        let _ = writeln!(text, "{row},name {row}");
    }
    text.push_str("60000,last,one\n");
    write(&path, text.as_bytes());
    let mut opened = open(&path).unwrap();
    let table = opened.tables.remove(0);
    assert_eq!(table.schema.rows, None);
    let cells = super::read(table).unwrap();
    assert_eq!(cells.rows.len(), 60_001);
    assert_eq!(cells.rows[59_999].0, 60_001);
    assert_eq!(cells.texts()[60_000], ["60000", "last,one"]);
    assert!(cells.has("ingest.rows.joined"));
}

#[test]
fn wrong_endings_are_told_and_read_as_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xls");
    write(&path, b"name\ttown\nAnn\tDurban\n");
    let opened = open(&path).unwrap();
    assert!(opened.diagnostics.iter().any(|finding| finding.code == "ingest.file.wrong_ending"));
    assert_eq!(opened.tables[0].schema.columns.len(), 2);
    let file = hotpass_ingest::SourceFile::inspect(&path, "a.xls").unwrap();
    assert_eq!(file.format, FileFormat::Delimited);
}
