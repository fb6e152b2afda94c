//! The files of `data-docs/` and the profile of the published table.

use std::path::Path;

use hotpass_core::RunDirectory;
use hotpass_quality::data_docs::{DocumentedSuite, EarlierResult, data_docs, document_name};
use hotpass_quality::drift::TableProfile;

use super::{PublishError, WrittenFile, write_bytes};
use crate::quality::DatasetResult;

/// Number of earlier runs that pages show.
const HISTORY: usize = 20;

/// Writes `data-docs/`: pages and JSON of what the suites found.
///
/// # Errors
///
/// Returns [`PublishError`] when a file cannot be written.
pub(crate) fn write_data_docs(
    run: &RunDirectory,
    run_time: &str,
    results: &[DatasetResult],
) -> Result<Vec<WrittenFile>, PublishError> {
    let suites: Vec<DocumentedSuite<'_>> = results
        .iter()
        .map(|found| DocumentedSuite {
            dataset: &found.dataset,
            result: &found.result,
            history: history(run, &document_name(&found.dataset, &found.result.suite)),
        })
        .collect();
    let folder = run.path("data-docs");
    std::fs::create_dir_all(folder.join("results")).map_err(|source| PublishError::write(&folder, source))?;
    data_docs(run.id(), run_time, &suites)
        .into_iter()
        .map(|file| write_bytes(&folder.join(&file.path), file.text, None))
        .collect()
}

/// Returns what earlier runs beside this one found, the oldest first.
fn history(run: &RunDirectory, name: &str) -> Vec<EarlierResult> {
    let Some(runs) = run.root().parent() else { return Vec::new() };
    let read = |folder: &Path| {
        let text = std::fs::read_to_string(folder.join(format!("data-docs/results/{name}.json"))).ok()?;
        EarlierResult::from_json(&text)
    };
    let mut found: Vec<EarlierResult> = std::fs::read_dir(runs)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name != run.id() && name != "latest"))
        .filter_map(|entry| read(&entry.path()))
        .collect();
    found.sort_by(|a, b| (&a.run_time, &a.run_id).cmp(&(&b.run_time, &b.run_id)));
    found.split_off(found.len().saturating_sub(HISTORY))
}

/// Writes `profile.json`: what the published table looks like, for the drift of later runs.
///
/// # Errors
///
/// Returns [`PublishError`] when the file cannot be written.
pub(crate) fn write_profile(run: &RunDirectory, profile: &TableProfile) -> Result<WrittenFile, PublishError> {
    let path = run.path("profile.json");
    let mut text = serde_json::to_vec(profile).map_err(|error| PublishError::encode(&path, error))?;
    text.push(b'\n');
    write_bytes(&path, text, None)
}
