//! The ledger of a workspace: that it is whole, and that every run it records is there as it was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hotpass_core::sha256_bytes;
use serde_json::Value;

use super::evidence::{Signed, push_reading};
use super::{Outcome, Verification, VerifyError};
use crate::ledger::{EntryKind, LEDGER_FILE, Ledger, LedgerHead, LedgerReading, workspace_of};
use crate::manifest::MANIFEST_FILE;

/// What a workspace's ledger says of a run.
#[derive(Default)]
struct RecordedRun {
    /// Entries of the run's own ledger.
    heads: Vec<LedgerHead>,
    /// SHA-256 of its manifest when it was last sealed.
    manifest: Option<String>,
    /// Whether the run was removed by a decision that is recorded.
    removed: bool,
}

/// Gathers what a workspace's ledger says of each run.
fn recorded_runs(reading: &LedgerReading) -> BTreeMap<&str, RecordedRun> {
    let mut runs: BTreeMap<&str, RecordedRun> = BTreeMap::new();
    for entry in &reading.entries {
        let Some(id) = entry.run_id.as_deref() else { continue };
        let run = runs.entry(id).or_default();
        if entry.kind == EntryKind::RunReplaced.as_str() {
            *run = RecordedRun::default();
        }
        let head = entry.details.get("run_ledger").cloned().map(serde_json::from_value::<LedgerHead>);
        run.heads.extend(head.and_then(Result::ok));
        if let Some(digest) = entry.details.get("manifest_sha256").and_then(Value::as_str) {
            run.manifest = Some(digest.to_owned());
        }
        run.removed |= entry.kind == EntryKind::PrivacySwept.as_str();
        run.removed |= entry.details.get("removed") == Some(&Value::Bool(true));
    }
    runs
}

/// Checks a run against the ledger of its workspace.
pub(super) fn check_run(
    verification: &mut Verification,
    run_dir: &Path,
    signed: Signed<'_>,
) -> Result<(), VerifyError> {
    // A run that kept no ledger is of an earlier version, which kept none for the workspace either.
    let (Some(path), Some(sealed)) = (workspace_of(run_dir), &signed.manifest.ledger) else { return Ok(()) };
    let name = format!("workspace {LEDGER_FILE}");
    if !path.exists() {
        verification.push(name, Outcome::Failed, format!("`{}` is missing", path.display()));
        return Ok(());
    }
    let reading = Ledger::open(&path).read()?;
    push_reading(verification, &name, &reading);
    let runs = recorded_runs(&reading);
    let Some(run) = runs.get(signed.manifest.run_id.as_str()) else {
        verification.push(name, Outcome::Failed, "It does not know the run, so that its end was cut off");
        return Ok(());
    };
    check_recorded(verification, &name, run, signed);
    let unrecorded: Vec<String> = signed
        .ledger
        .entries
        .iter()
        .filter(|entry| entry.sequence > sealed.sequence && entry.kind != EntryKind::LedgerRepaired.as_str())
        .filter(|entry| !run.heads.contains(&entry.head()))
        .map(|entry| entry.sequence.to_string())
        .collect();
    if !unrecorded.is_empty() {
        let detail = format!("It lacks entries {} of the run's ledger, so that it was changed", unrecorded.join(", "));
        verification.push(name.clone(), Outcome::Failed, detail);
    }
    let gone = gone(&path, &runs);
    if !gone.is_empty() {
        verification.push(name, Outcome::Noted, format!("Runs that are not there any more: {}", gone.join(", ")));
    }
    Ok(())
}

/// Checks a run's ledger and manifest against what the workspace's ledger says of them.
fn check_recorded(verification: &mut Verification, name: &str, run: &RecordedRun, signed: Signed<'_>) {
    let missing: Vec<String> =
        run.heads.iter().filter(|head| !signed.ledger.holds(head)).map(|head| head.sequence.to_string()).collect();
    verification.expect(
        name,
        missing.is_empty(),
        format!("The run's ledger holds the {} entries that the workspace's names", run.heads.len()),
        format!("Entries of the run's {LEDGER_FILE} are missing or others: {}", missing.join(", ")),
    );
    if let Some(digest) = &run.manifest {
        verification.expect(
            name,
            *digest == sha256_bytes(signed.manifest_text).as_str(),
            format!("The run's {MANIFEST_FILE} is the one that was sealed"),
            format!("The run's {MANIFEST_FILE} is not the one that was sealed"),
        );
    }
}

/// Returns the recorded runs whose folder is gone without a decision.
fn gone<'a>(workspace: &Path, runs: &BTreeMap<&'a str, RecordedRun>) -> Vec<&'a str> {
    let folder = workspace.with_file_name("runs");
    runs.iter().filter(|(id, run)| !run.removed && !folder.join(id).is_dir()).map(|(id, _)| *id).collect()
}

/// Verifies a workspace: its ledger, and that every run it records is there, with the manifest and the ledger entries it names.
///
/// The files of the runs are not read; [`verify_run`](super::verify_run) does that for one.
///
/// # Errors
///
/// Returns [`VerifyError`] when there is no ledger or it cannot be read; everything else is a check that fails.
pub fn verify_workspace(dist_dir: &Path) -> Result<Verification, VerifyError> {
    let path = dist_dir.join(LEDGER_FILE);
    let io_error = |path: &PathBuf| {
        let path = path.clone();
        move |source| VerifyError::Io { path, source }
    };
    std::fs::metadata(&path).map_err(io_error(&path))?;
    let reading = Ledger::open(&path).read()?;
    let mut verification = Verification::default();
    push_reading(&mut verification, &format!("workspace {LEDGER_FILE}"), &reading);
    let runs = recorded_runs(&reading);
    let gone = gone(&path, &runs);
    for (id, run) in &runs {
        let name = format!("run {id}");
        if run.removed {
            verification.push(name, Outcome::Noted, "It was removed, and that is recorded");
            continue;
        }
        if gone.contains(id) {
            verification.push(name, Outcome::Failed, "It is recorded, and its folder is missing");
            continue;
        }
        let folder = dist_dir.join("runs").join(id);
        let manifest = crate::Manifest::read(&folder);
        let text = std::fs::read_to_string(folder.join(MANIFEST_FILE));
        let (Ok(manifest), Ok(manifest_text)) = (manifest, text) else {
            verification.push(name, Outcome::Failed, format!("Its {MANIFEST_FILE} cannot be read"));
            continue;
        };
        let ledger = Ledger::open(folder.join(LEDGER_FILE)).read()?;
        for fault in &ledger.faults {
            verification.push(name.clone(), Outcome::Failed, format!("{LEDGER_FILE}: {fault}"));
        }
        let signed = Signed { manifest: &manifest, manifest_text: &manifest_text, ledger: &ledger };
        check_recorded(&mut verification, &name, run, signed);
    }
    Ok(verification)
}
