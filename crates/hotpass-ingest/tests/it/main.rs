//! Reads real, expected and hostile files through the public interface.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail where it stands, and says when it skips")]

mod columns;
mod corpus;
mod csv_spectrum;
mod csvw;
mod formats;
mod hostile;
mod hotpass_like;

use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::datatypes::UInt32Type;
use hotpass_ingest::{IngestError, OpenTable, Opened, ReadOptions, SourceFile, open_file, table::TableSchema};

/// Returns a folder of the shared test data, or nothing, with a printed reason, when it is absent.
fn test_data(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("HOTPASS_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = root.join(folder);
    if !path.is_dir() {
        println!("skipped: test data `{folder}` is absent; set HOTPASS_TEST_DATA");
        return None;
    }
    Some(path)
}

/// Opens a file under its own name.
fn open(path: &Path) -> Result<Opened, IngestError> {
    open_with(path, &ReadOptions::default())
}

fn open_with(path: &Path, options: &ReadOptions) -> Result<Opened, IngestError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = SourceFile::inspect(path, name).map_err(|source| IngestError::Read { file: String::new(), source })?;
    open_file(&file, options)
}

/// A table with its cells: the row number and the values of each row.
#[derive(Debug)]
struct Cells {
    schema: TableSchema,
    rows: Vec<(u32, Vec<Option<String>>)>,
    findings: Vec<hotpass_core::Diagnostic>,
}

impl Cells {
    fn names(&self) -> Vec<&str> {
        self.schema.columns.iter().map(|column| column.name.as_str()).collect()
    }

    fn texts(&self) -> Vec<Vec<&str>> {
        self.rows.iter().map(|(_, row)| row.iter().map(|cell| cell.as_deref().unwrap_or("")).collect()).collect()
    }

    fn has(&self, code: &str) -> bool {
        self.findings.iter().any(|finding| finding.code == code)
    }
}

fn read(table: OpenTable) -> Result<Cells, IngestError> {
    let mut rows = Vec::new();
    for batch in table.batches {
        let batch = batch?;
        let numbers = batch.column(0).as_primitive::<UInt32Type>();
        for row in 0..batch.num_rows() {
            let values = (1..batch.num_columns()).map(|column| {
                let column = batch.column(column).as_string::<i32>();
                column.is_valid(row).then(|| column.value(row).to_owned())
            });
            rows.push((numbers.value(row), values.collect()));
        }
    }
    let mut findings = table.diagnostics;
    findings.extend(table.late_diagnostics.take());
    Ok(Cells { schema: table.schema, rows, findings })
}

/// Reads the only table of a file.
fn read_only(path: &Path) -> Cells {
    let mut opened = open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(opened.tables.len(), 1, "{}: {:?}", path.display(), opened.skipped);
    read(opened.tables.remove(0)).unwrap()
}

#[test]
fn no_test_file_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let module = name.strip_suffix(".rs").unwrap_or(&name);
        assert!(module == "main" || main.contains(&format!("mod {module};")), "{name} is not part of the tests");
    }
}
