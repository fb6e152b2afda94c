//! Whether a run, or an archive of one, is still what it was.

mod archive;
mod erasures;
mod evidence;
mod files;
mod rows;
mod workspace;

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use hotpass_core::sha256_file;
use parquet::errors::ParquetError;
use serde::Serialize;

pub use archive::verify_archive;
pub use files::verify_files;
pub use workspace::verify_workspace;

use self::erasures::Erasures;
use crate::attestation::{ATTESTATION_FILE, AttestationError};
use crate::key::PublicKey;
use crate::ledger::{LEDGER_FILE, LedgerError};
use crate::manifest::{
    FileRecord, LOCK_FILE, MANIFEST_FILE, Manifest, ManifestError, RowCounts, RunStatus, config_digest, is_sealed,
};
use rows::check_tables;

/// Whose signature is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trust<'a> {
    /// The key that must have signed what is signed; without one, signatures are not checked.
    pub key: Option<&'a PublicKey>,
    /// Whether it is a failure that nothing is signed.
    pub require_signature: bool,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is as it was.
    Passed,
    /// It is not as it was.
    Failed,
    /// It changed in a way that does not speak against the run, such as an input that was edited later.
    Noted,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked, such as `artefact golden.parquet`.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found, for people.
    pub detail: String,
}

/// All checks of a run or an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The checks, in order.
    pub checks: Vec<Check>,
}

impl Verification {
    /// Returns whether no check failed.
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// Returns the checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.outcome == Outcome::Failed)
    }

    fn push(&mut self, name: impl Into<String>, outcome: Outcome, detail: impl Into<String>) {
        self.checks.push(Check { name: name.into(), outcome, detail: detail.into() });
    }

    fn expect(&mut self, name: impl Into<String>, holds: bool, good: impl Into<String>, bad: impl Into<String>) {
        if holds {
            self.push(name, Outcome::Passed, good);
        } else {
            self.push(name, Outcome::Failed, bad);
        }
    }
}

/// Why nothing could be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The run has no readable manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A file cannot be read.
    #[error("Failed to read `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file is no attestation that can be read.
    #[error("Failed to read attestation `{}`", path.display())]
    NoAttestation {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: AttestationError,
    },
    /// The file is no archive.
    #[error("Failed to open archive `{}`", path.display())]
    NoArchive {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: zip::result::ZipError,
    },
}

impl VerifyError {
    /// Returns whether what was to be verified does not exist.
    pub fn is_not_found(&self) -> bool {
        match self {
            // Where a ledger is, there was a run.
            Self::Manifest(ManifestError::Missing { path }) => !path.join(LEDGER_FILE).exists(),
            Self::Io { source, .. } | Self::NoArchive { source: zip::result::ZipError::Io(source), .. } => {
                source.kind() == io::ErrorKind::NotFound
            }
            _ => false,
        }
    }
}

/// Verifies a run folder: the manifest's seal, the digest of every file, what is missing or unknown, the ledger of the run and of
/// its workspace, the attestation, and that no row was lost, counted again from the crosswalk, the quarantine, the published
/// table and the provenance.
///
/// # Errors
///
/// Returns [`VerifyError`] when there is no manifest that can be read; everything else is a check that fails.
pub fn verify_run(run_dir: &Path, trust: Trust<'_>) -> Result<Verification, VerifyError> {
    let manifest = Manifest::open_run(run_dir)?;
    let path = run_dir.join(MANIFEST_FILE);
    let manifest_text =
        std::fs::read_to_string(&path).map_err(|source| VerifyError::Io { path: path.clone(), source })?;
    let mut verification = Verification::default();
    check_manifest(&mut verification, &manifest, &manifest_text);
    if let Some(name) = run_dir.file_name().and_then(|name| name.to_str()) {
        verification.expect(
            "run id",
            name == manifest.run_id,
            "The folder has the run's name",
            format!("The manifest is of run {}", manifest.run_id),
        );
    }
    // A person may have been erased from the files since; the ledger says so.
    let erasures = Erasures::of(std::fs::read(run_dir.join(LEDGER_FILE)).ok().as_deref());
    for record in &manifest.artefacts {
        let path = run_dir.join(&record.path);
        let compared = compare(&path, record);
        let (outcome, detail) = erasures.excuse(&record.path, record.sha256.as_str(), &path, compared);
        verification.push(format!("artefact {}", record.path), outcome, detail);
    }
    for record in &manifest.outputs {
        let path = resolve(run_dir, Path::new(&record.path));
        let checked = check_output(run_dir, &manifest, record);
        let (outcome, detail) = erasures.excuse(&record.path, record.sha256.as_str(), &path, checked);
        verification.push(format!("output {}", record.path), outcome, detail);
    }
    for record in &manifest.inputs {
        let path = resolve(run_dir, &Path::new(&manifest.input_dir).join(&record.path));
        let (outcome, detail) = match compare(&path, record) {
            (Outcome::Failed, detail) => (Outcome::Noted, format!("Since the run: {detail}")),
            other => other,
        };
        verification.push(format!("input {}", record.path), outcome, detail);
    }
    check_folder(&mut verification, run_dir, &manifest)?;
    let read = |name: &str| match std::fs::read(run_dir.join(name)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(VerifyError::Io { path: run_dir.join(name), source }),
    };
    let ledger = evidence::check_ledger(&mut verification, &manifest, read(LEDGER_FILE)?.as_deref());
    let signed = evidence::Signed { manifest: &manifest, manifest_text: &manifest_text, ledger: &ledger };
    let attestation = read(ATTESTATION_FILE)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    evidence::check_attestation(&mut verification, signed, attestation.as_deref(), trust);
    workspace::check_run(&mut verification, run_dir, signed)?;
    if manifest.status != RunStatus::Running && manifest.command == "refine" {
        check_tables(&mut verification, &manifest, |name| {
            File::open(run_dir.join(name)).map_err(|error| ParquetError::External(Box::new(error)))
        });
    }
    Ok(verification)
}

fn check_manifest(verification: &mut Verification, manifest: &Manifest, text: &str) {
    verification.expect(
        "manifest seal",
        is_sealed(text),
        "The manifest is the one that was written",
        "The manifest was changed after it was written",
    );
    let (outcome, detail) = match manifest.status {
        RunStatus::Completed => (Outcome::Passed, "The run completed".to_owned()),
        RunStatus::Running => (Outcome::Failed, "The run goes on; verify it when it is done".to_owned()),
        RunStatus::Interrupted => (Outcome::Failed, "The run was interrupted".to_owned()),
        RunStatus::Failed => (
            Outcome::Noted,
            format!("The run failed: {}", manifest.error.as_deref().unwrap_or("no reason is recorded")),
        ),
    };
    verification.push("status", outcome, detail);
    verification.expect(
        "configuration",
        config_digest(&manifest.config) == manifest.config_digest,
        "The configuration has its digest",
        "The configuration does not have the digest that is recorded",
    );
    let RowCounts { rows_in, rows_in_entities, rows_quarantined, .. } = manifest.rows;
    verification.expect(
        "row counts",
        rows_in == rows_in_entities + rows_quarantined,
        format!("{rows_in} rows: {rows_in_entities} in entities, {rows_quarantined} in quarantine"),
        format!("{rows_in} rows were read, {rows_in_entities} are in entities, {rows_quarantined} in quarantine"),
    );
}

/// Compares a file with its record.
fn compare(path: &Path, record: &FileRecord) -> (Outcome, String) {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => (Outcome::Failed, "The file is missing".to_owned()),
        Err(error) => (Outcome::Failed, format!("The file cannot be read: {error}")),
        Ok(metadata) if metadata.len() != record.bytes => {
            (Outcome::Failed, format!("The file has {} bytes, not {}", metadata.len(), record.bytes))
        }
        Ok(_) => match sha256_file(path) {
            Ok(digest) if digest == record.sha256 => (Outcome::Passed, format!("SHA-256 {}", record.sha256)),
            Ok(digest) => (Outcome::Failed, format!("The file has SHA-256 {digest}, not {}", record.sha256)),
            Err(error) => (Outcome::Failed, format!("The file cannot be read: {error}")),
        },
    }
}

/// Compares an output; one that a later run wrote anew is only noted.
fn check_output(run_dir: &Path, manifest: &Manifest, record: &FileRecord) -> (Outcome, String) {
    let path = resolve(run_dir, Path::new(&record.path));
    let (outcome, detail) = compare(&path, record);
    if outcome != Outcome::Failed || !path.is_file() {
        return (outcome, detail);
    }
    let later = run_dir.parent().and_then(|runs| std::fs::read_dir(runs).ok()).and_then(|entries| {
        entries
            .filter_map(Result::ok)
            .filter_map(|entry| Some((entry.path(), Manifest::read(&entry.path()).ok()?)))
            .filter(|(_, other)| other.run_id != manifest.run_id && other.started_at >= manifest.started_at)
            .find(|(folder, other)| {
                other.outputs.iter().filter(|output| output.path == record.path).any(|output| {
                    let compared = compare(&path, output);
                    if compared.0 == Outcome::Passed {
                        return true;
                    }
                    // A person may have been erased from it since.
                    let erasures = Erasures::of(std::fs::read(folder.join(LEDGER_FILE)).ok().as_deref());
                    erasures.excuse(&output.path, output.sha256.as_str(), &path, compared).0 == Outcome::Noted
                })
            })
    });
    match later {
        Some((_, later)) => (Outcome::Noted, format!("Run {} has published this file anew", later.run_id)),
        None => (outcome, detail),
    }
}

/// Finds a file by its path as it was asked for: from here, else from a folder above the run's.
fn resolve(run_dir: &Path, path: &Path) -> PathBuf {
    if path.is_absolute() || path.exists() {
        return path.to_path_buf();
    }
    run_dir
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(path))
        .find(|candidate| candidate.exists())
        .unwrap_or_else(|| path.to_path_buf())
}

fn check_folder(verification: &mut Verification, run_dir: &Path, manifest: &Manifest) -> Result<(), VerifyError> {
    let known: HashSet<&str> = manifest
        .artefacts
        .iter()
        .map(|record| record.path.as_str())
        .chain([MANIFEST_FILE, LOCK_FILE, LEDGER_FILE, ATTESTATION_FILE])
        .collect();
    let mut unknown = Vec::new();
    let mut folders = vec![run_dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let io_error = |source| VerifyError::Io { path: folder.clone(), source };
        for entry in std::fs::read_dir(&folder).map_err(io_error)? {
            let path = entry.map_err(io_error)?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(run_dir).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            if !known.contains(name.as_str()) {
                unknown.push(name);
            }
        }
    }
    unknown.sort_unstable();
    verification.expect(
        "run folder",
        unknown.is_empty(),
        "The folder holds no unknown file",
        format!("Files the manifest does not know: {}", unknown.join(", ")),
    );
    Ok(())
}
