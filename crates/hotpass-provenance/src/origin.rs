//! Which run a published file is of, by what stands in the file or beside it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;
use zip::ZipArchive;

use crate::table::Table;

/// Most bytes that are read of a part that names the run.
const LIMIT: u64 = 1 << 20;

/// Returns the id of the run that published a file, wherever the file is now.
///
/// A workbook holds it as document property, a parquet file in its metadata, a csv in the `FILE-metadata.json` beside it.
/// Other files, and those of other programs, have none here; their rows may still hold it in the column `run_id`.
///
/// # Errors
///
/// Returns the error of opening the file.
pub fn run_of_file(path: &Path) -> io::Result<Option<String>> {
    let file = File::open(path)?;
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    Ok(match ending.as_str() {
        "xlsx" | "xlsm" => of_workbook(file),
        "parquet" => Table::open(file).ok().and_then(|table| table.key_value("hotpass.run_id").map(str::to_owned)),
        "csv" => of_csv(path),
        _ => None,
    })
}

fn of_workbook(file: File) -> Option<String> {
    let mut archive = ZipArchive::new(io::BufReader::new(file)).ok()?;
    let mut text = String::new();
    archive.by_name("docProps/custom.xml").ok()?.take(LIMIT).read_to_string(&mut text).ok()?;
    let (_, rest) = text.split_once("name=\"hotpass.run_id\"")?;
    let (_, rest) = rest.split_once("<vt:lpwstr>")?;
    let (id, _) = rest.split_once("</vt:lpwstr>")?;
    is_id(id).then(|| id.to_owned())
}

fn of_csv(path: &Path) -> Option<String> {
    let mut beside = path.as_os_str().to_owned();
    beside.push("-metadata.json");
    let mut text = String::new();
    File::open(PathBuf::from(beside)).ok()?.take(LIMIT).read_to_string(&mut text).ok()?;
    let metadata: Value = serde_json::from_str(&text).ok()?;
    metadata["dc:identifier"].as_str().filter(|id| is_id(id)).map(str::to_owned)
}

/// Returns whether text can be the id of a run, so that nothing else becomes part of a path.
fn is_id(text: &str) -> bool {
    text.parse::<hotpass_core::RunId>().is_ok()
}
