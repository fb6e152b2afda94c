//! The ledger of a workspace: that it is whole, and that every run it records is there as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hotpass_core::sha256_bytes;
use serde_json::Value;

use super::evidence::{Signed, push_reading};
use super::{Check, Outcome, Trust, Verification, VerifyError, verify_run};
use crate::Manifest;
use crate::ledger::{EntryKind, LEDGER_FILE, Ledger, LedgerHead, LedgerReading, workspace_of};
use crate::manifest::{MANIFEST_FILE, RunStatus};
use crate::suppression::check_suppression;

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

/// Verifies a workspace: its ledger, that every run it records is there, that it knows every run that is there, and each run as
/// [`verify_run`] does. A run that was interrupted is noted: it published nothing.
///
/// # Errors
///
/// Returns [`VerifyError`] when there is neither a ledger nor a run, or a file cannot be read; everything else is a check that fails.
pub fn verify_workspace(dist_dir: &Path, trust: Trust<'_>) -> Result<Verification, VerifyError> {
    let path = dist_dir.join(LEDGER_FILE);
    let there = run_folders(dist_dir)?;
    let mut verification = Verification::default();
    let name = format!("workspace {LEDGER_FILE}");
    let reading = match std::fs::metadata(&path) {
        Ok(_) => Ledger::open(&path).read()?,
        Err(source) if there.is_empty() => return Err(VerifyError::Io { path, source }),
        Err(_) => {
            verification.push(name.clone(), Outcome::Failed, format!("`{}` is missing", path.display()));
            LedgerReading::default()
        }
    };
    push_reading(&mut verification, &name, &reading);
    if let Some(fault) = check_suppression(dist_dir)? {
        verification.push("erased people", Outcome::Failed, fault.to_string());
    }
    let recorded = recorded_runs(&reading);
    for (id, run) in &recorded {
        if run.removed {
            verification.push(format!("run {id}"), Outcome::Noted, "It was removed, and that is recorded");
        } else if !there.contains(*id) {
            verification.push(format!("run {id}"), Outcome::Failed, "It is recorded, and its folder is missing");
        }
    }
    for id in &there {
        let folder = dist_dir.join("runs").join(id);
        let found = match verify_run(&folder, trust) {
            Ok(found) => found,
            Err(error) => {
                let detail = format!("It cannot be checked: {}", reasons(&error));
                verification.push(format!("run {id}"), Outcome::Failed, detail);
                continue;
            }
        };
        // What was not finished published nothing; its ledger tells as much as it came to.
        let unfinished = Manifest::read(&folder)
            .is_ok_and(|manifest| matches!(manifest.status, RunStatus::Running | RunStatus::Interrupted));
        let total = found.checks.len();
        let failures = found.checks.into_iter().filter(|check| check.outcome == Outcome::Failed);
        let failures: Vec<Check> = failures.filter(|check| !unfinished || check.name.contains(LEDGER_FILE)).collect();
        match (failures.is_empty(), unfinished) {
            (true, false) => verification.push(format!("run {id}"), Outcome::Passed, format!("{total} checks")),
            (true, true) => verification.push(format!("run {id}"), Outcome::Noted, "It was interrupted, or goes on"),
            (false, _) => {}
        }
        for check in failures {
            // What is wrong with the workspace's own ledger is said once.
            if !verification.checks.iter().any(|said| said.name == check.name && said.detail == check.detail) {
                verification.push(format!("run {id}, {}", check.name), Outcome::Failed, check.detail);
            }
        }
    }
    Ok(verification)
}

/// Returns the names of the folders of runs.
fn run_folders(dist_dir: &Path) -> Result<BTreeSet<String>, VerifyError> {
    let path = dist_dir.join("runs");
    let entries = match std::fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(source) => return Err(VerifyError::Io { path, source }),
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        let entry = entry.map_err(|source| VerifyError::Io { path: path.clone(), source })?;
        // `latest` may be a link to a folder; it is no run of its own.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            names.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// Returns an error with all that led to it.
fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        text.push_str(": ");
        text.push_str(&reason.to_string());
        source = reason.source();
    }
    text
}
