//! Files that people and programs open: xlsx, csv, parquet and json, the tables of the run folder, and the archive.
//!
//! Every file appears whole or not at all, and the same tables, run and clock give the same bytes.
//! Spreadsheet outputs hold no live formula: text is written as text in xlsx, and csv guards text that a
//! spreadsheet program would evaluate (see [`guard_formula`]). Parquet and json hold every value exactly.

mod archive;
mod columns;
mod csv;
mod data_docs;
mod error;
mod json;
mod parquet;
mod run_files;
mod table_writer;
mod xlsx;

use std::path::{Path, PathBuf};

use arrow::record_batch::RecordBatch;
use hotpass_core::{AtomicFile, Clock, Sha256Digest, sha256_file};
use serde::{Deserialize, Serialize};

use crate::statistics::RunStatistics;

pub use archive::{ArchiveInput, InputFile, write_archive, write_inputs_archive};
pub use csv::{guard_formula, unguard_formula};
pub(crate) use data_docs::{write_data_docs, write_profile};
pub use error::PublishError;
pub use parquet::write_parquet;
pub use run_files::{write_diagnostics, write_privacy_report, write_report_files, write_run_tables};
pub use table_writer::{TableFormat, TableWriter};

/// The format of a published file, decided by the ending of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// Workbook with the sheets Data, Summary, Conflicts and Quarantine; written with a parquet twin.
    Xlsx,
    /// Comma-separated text with CSV on the Web metadata beside it.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// JSON array with one object per line.
    Json,
    /// One JSON object per line.
    Ndjson,
}

impl OutputFormat {
    /// The endings that are understood.
    pub const ENDINGS: &'static [&'static str] = &["xlsx", "csv", "parquet", "json", "ndjson"];

    /// Returns the format that the ending of a file's name asks for, without regard to case.
    ///
    /// # Errors
    ///
    /// Returns [`PublishError::UnknownFormat`] when the ending is missing or not one of [`OutputFormat::ENDINGS`].
    pub fn from_path(path: &Path) -> Result<Self, PublishError> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        match ending.as_str() {
            "xlsx" => Ok(Self::Xlsx),
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            "json" => Ok(Self::Json),
            "ndjson" | "jsonl" => Ok(Self::Ndjson),
            _ => Err(PublishError::UnknownFormat { path: path.to_path_buf() }),
        }
    }
}

/// What is published.
#[derive(Debug, Clone, Copy)]
pub struct PublishInput<'a> {
    /// The published table, [`hotpass_core::fields::GOLDEN_COLUMNS`]; at least one batch.
    pub golden: &'a [RecordBatch],
    /// Fields on which sources disagree, [`hotpass_core::fields::CONFLICT_COLUMNS`]; a sheet of the workbook.
    pub conflicts: &'a [RecordBatch],
    /// Rows that were not published, [`hotpass_core::fields::QUARANTINE_COLUMNS`]; a sheet of the workbook.
    pub quarantine: &'a [RecordBatch],
    /// Figures for the workbook's Summary sheet.
    pub statistics: &'a RunStatistics,
    /// Id of the run; in the properties or metadata of each file.
    pub run_id: &'a str,
    /// SHA-256 of the effective configuration; in the metadata of parquet files.
    pub config_digest: &'a str,
    /// The run's clock; gives the creation date of workbooks.
    pub clock: Clock,
    /// Title of the dataset; in the properties or metadata of each file.
    pub title: &'a str,
    /// A parquet file with the bytes of the published table that was already written with the same run and
    /// configuration, such as the run's `golden.parquet`; it is copied instead of encoding the table again.
    pub golden_file: Option<&'a Path>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenFile {
    /// Where it is, as it was asked for.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub sha256: Sha256Digest,
    /// Its size in bytes.
    pub bytes: u64,
    /// Number of table rows it holds; absent for files that are no table.
    pub rows: Option<u64>,
}

/// Where parquet files say they come from: their key-value metadata.
#[derive(Debug, Clone, Copy)]
pub struct FileMetadata<'a> {
    /// Id of the run, under `hotpass.run_id`.
    pub run_id: &'a str,
    /// SHA-256 of the effective configuration, under `hotpass.config_digest`.
    pub config_digest: &'a str,
}

/// Writes the published table to a path, in the format its ending asks for.
///
/// An xlsx comes with its parquet twin (same stem, same rows in the same order), a csv with `FILE-metadata.json`.
/// The first file of the answer is the one that was asked for.
///
/// # Errors
///
/// Returns [`PublishError`] when the ending is unknown or a file cannot be written; files that exist are then unchanged,
/// except that a companion may be new already.
pub fn write_output(path: &Path, input: &PublishInput<'_>) -> Result<Vec<WrittenFile>, PublishError> {
    match OutputFormat::from_path(path)? {
        OutputFormat::Xlsx => {
            let twin = parquet_output(&path.with_extension("parquet"), input)?;
            Ok(vec![xlsx::write_xlsx(path, input)?, twin])
        }
        OutputFormat::Csv => csv::write_csv(path, input),
        OutputFormat::Parquet => Ok(vec![parquet_output(path, input)?]),
        OutputFormat::Json => Ok(vec![json::write_json(path, input.golden, json::Shape::Array)?]),
        OutputFormat::Ndjson => Ok(vec![json::write_json(path, input.golden, json::Shape::Lines)?]),
    }
}

fn parquet_output(path: &Path, input: &PublishInput<'_>) -> Result<WrittenFile, PublishError> {
    let metadata = FileMetadata { run_id: input.run_id, config_digest: input.config_digest };
    let Some(existing) = input.golden_file else { return write_parquet(path, input.golden, &metadata) };
    let mut source = std::fs::File::open(existing).map_err(|source| PublishError::read(existing, source))?;
    let mut file = create(path)?;
    std::io::copy(&mut source, &mut file).map_err(|source| PublishError::write(path, source))?;
    finish(file, path, Some(count_rows(input.golden)))
}

/// Returns every file that [`write_output`] writes for a path.
pub(crate) fn output_files(path: &Path) -> Vec<PathBuf> {
    match OutputFormat::from_path(path) {
        Ok(OutputFormat::Xlsx) => vec![path.to_path_buf(), path.with_extension("parquet")],
        Ok(OutputFormat::Csv) => vec![path.to_path_buf(), csv::metadata_path(path)],
        _ => vec![path.to_path_buf()],
    }
}

/// Returns the first output that is there and is one of the inputs, by whatever path either is named.
pub(crate) fn overwritten_input<'a>(
    outputs: impl IntoIterator<Item = &'a Path>,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Option<&'a Path> {
    let inputs: Vec<PathBuf> = inputs.into_iter().filter_map(|path| std::fs::canonicalize(path).ok()).collect();
    outputs.into_iter().find(|path| std::fs::canonicalize(path).is_ok_and(|path| inputs.contains(&path)))
}

/// Opens the file that will appear at `path`.
fn create(path: &Path) -> Result<AtomicFile, PublishError> {
    AtomicFile::create(path).map_err(|source| PublishError::write(path, source))
}

/// Puts the file into its place and takes its digest.
fn finish(file: AtomicFile, path: &Path, rows: Option<u64>) -> Result<WrittenFile, PublishError> {
    file.commit().map_err(|source| PublishError::write(path, source))?;
    describe(path, rows)
}

/// Takes the digest and size of a file that is there.
fn describe(path: &Path, rows: Option<u64>) -> Result<WrittenFile, PublishError> {
    let bytes = std::fs::metadata(path).map_err(|source| PublishError::read(path, source))?.len();
    let sha256 = sha256_file(path).map_err(|source| PublishError::read(path, source))?;
    Ok(WrittenFile { path: path.to_path_buf(), sha256, bytes, rows })
}

fn count_rows(batches: &[RecordBatch]) -> u64 {
    batches.iter().map(|batch| batch.num_rows() as u64).sum()
}

/// Writes the bytes of a small file.
fn write_bytes(path: &Path, bytes: impl AsRef<[u8]>, rows: Option<u64>) -> Result<WrittenFile, PublishError> {
    use std::io::Write as _;
    let mut file = create(path)?;
    file.write_all(bytes.as_ref()).map_err(|source| PublishError::write(path, source))?;
    finish(file, path, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_decides_the_format() {
        let check = |path: &str, expected: Option<OutputFormat>| {
            assert_eq!(OutputFormat::from_path(Path::new(path)).ok(), expected, "{path}");
        };
        check("a.xlsx", Some(OutputFormat::Xlsx));
        check("dir.d/A.CSV", Some(OutputFormat::Csv));
        check("a.parquet", Some(OutputFormat::Parquet));
        check("a.json", Some(OutputFormat::Json));
        check("a.ndjson", Some(OutputFormat::Ndjson));
        check("a.xls", None);
        check("a", None);
    }
}
