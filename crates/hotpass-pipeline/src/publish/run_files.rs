//! The files of the run folder.

use hotpass_core::{Diagnostic, RunDirectory};

use super::{FileMetadata, PublishError, WrittenFile, write_bytes, write_parquet};
use crate::report::{self, ReportExtras};
use crate::statistics::RunStatistics;
use crate::tables::RunTables;

/// Writes the parquet tables of [`hotpass_core::fields::RUN_ARTEFACTS`] into the run folder, golden table first.
///
/// # Errors
///
/// Returns [`PublishError`] when a file cannot be written, or a table has no batch.
pub fn write_run_tables(
    run: &RunDirectory,
    tables: &RunTables,
    metadata: &FileMetadata<'_>,
) -> Result<Vec<WrittenFile>, PublishError> {
    let keys: Vec<_> = tables.linkage_keys.iter().cloned().collect();
    let privacy: Vec<_> = tables.privacy.iter().cloned().collect();
    [
        ("golden.parquet", &tables.golden),
        ("crosswalk.parquet", &tables.crosswalk),
        ("provenance.parquet", &tables.provenance),
        ("quarantine.parquet", &tables.quarantine),
        ("links.parquet", &tables.links),
        ("review_queue.parquet", &tables.review),
        ("linkage_keys.parquet", &keys),
        ("contacts.parquet", &tables.contacts),
        ("conflicts.parquet", &tables.conflicts),
        ("privacy.parquet", &privacy),
    ]
    .into_iter()
    .filter(|(name, batches)| !matches!(*name, "linkage_keys.parquet" | "privacy.parquet") || !batches.is_empty())
    .map(|(name, batches)| write_parquet(&run.path(name), batches, metadata))
    .collect()
}

/// Writes `diagnostics.json`: the list of what was found in the input.
///
/// # Errors
///
/// Returns [`PublishError`] when the file cannot be written.
pub fn write_diagnostics(run: &RunDirectory, diagnostics: &[Diagnostic]) -> Result<WrittenFile, PublishError> {
    let path = run.path("diagnostics.json");
    let mut text = serde_json::to_vec_pretty(diagnostics).map_err(|error| PublishError::encode(&path, error))?;
    text.push(b'\n');
    write_bytes(&path, text, Some(diagnostics.len() as u64))
}

/// Writes `privacy.json`: what was found, redacted and withheld of personal data.
///
/// # Errors
///
/// Returns [`PublishError`] when the file cannot be written.
pub fn write_privacy_report(
    run: &RunDirectory,
    report: &crate::compliance::PrivacyReport,
) -> Result<WrittenFile, PublishError> {
    let path = run.path("privacy.json");
    let mut text = serde_json::to_vec_pretty(report).map_err(|error| PublishError::encode(&path, error))?;
    text.push(b'\n');
    write_bytes(&path, text, None)
}

/// Writes `report.json` and `report.html`.
///
/// # Errors
///
/// Returns [`PublishError`] when a file cannot be written.
pub fn write_report_files(
    run: &RunDirectory,
    statistics: &RunStatistics,
    extras: &ReportExtras<'_>,
) -> Result<Vec<WrittenFile>, PublishError> {
    Ok(vec![
        write_bytes(&run.path("report.json"), report::json(statistics), None)?,
        write_bytes(&run.path("report.html"), report::html(statistics, extras), None)?,
    ])
}
