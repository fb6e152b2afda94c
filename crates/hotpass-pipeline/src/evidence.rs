//! The evidence around a run's manifest: its ledger, the workspace's ledger, and the attestation.

use std::io;
use std::path::{Path, PathBuf};

use hotpass_core::{Clock, RunDirectory, sha256_bytes, sha256_file, write_atomic};
use hotpass_provenance::attestation::{ATTESTATION_FILE, AttestationError, Envelope, Statement};
use hotpass_provenance::ledger::{LEDGER_FILE, LedgerHead};
use hotpass_provenance::manifest::{FileRecord, MANIFEST_FILE, ManifestError, RunStatus};
use hotpass_provenance::{Entry, EntryKind, Ledger, Manifest, ledger::LedgerError};
use hotpass_quality::contract::ContractResult;
use serde_json::{Value, json};

use crate::publish::WrittenFile;
use crate::services::Services;

/// Why the evidence of a run could not be written.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A ledger could not be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The manifest could not be written.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The run could not be signed.
    #[error("Cannot sign the run")]
    Attestation(#[from] AttestationError),
    /// A file of the evidence could not be read or written.
    #[error("Failed to access `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Records what a run does, and seals and signs it at its end.
#[derive(Debug)]
pub(crate) struct Evidence {
    run: Ledger,
    workspace: Ledger,
    run_dir: PathBuf,
    run_id: String,
    services: Services,
    clock: Clock,
    head: Option<LedgerHead>,
}

impl Evidence {
    /// Records that a run has begun, in its ledger and that of its workspace.
    ///
    /// A fixed clock gives a run that is done again the id it had: its ledger begins anew, so that it repeats to the byte, and
    /// the workspace's ledger keeps the last entry of the one before.
    pub(crate) fn start(
        directory: &RunDirectory,
        dist_dir: &Path,
        services: &Services,
        clock: Clock,
    ) -> Result<Self, EvidenceError> {
        let mut evidence = Self {
            run: Ledger::open(directory.path(LEDGER_FILE)),
            workspace: Ledger::open(dist_dir.join(LEDGER_FILE)),
            run_dir: directory.root().to_path_buf(),
            run_id: directory.id().to_owned(),
            services: services.clone(),
            clock,
            head: None,
        };
        let before = evidence.run.restart()?;
        let attestation = directory.path(ATTESTATION_FILE);
        match std::fs::remove_file(&attestation) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(EvidenceError::Io { path: attestation, source });
            }
            _ => {}
        }
        if let Some(head) = before {
            let entry = evidence.entry(EntryKind::RunReplaced).detail("replaced", json!(head));
            evidence.workspace.append(entry, clock)?;
        }
        let versions = json!({"hotpass": env!("CARGO_PKG_VERSION")});
        evidence.record(evidence.entry(EntryKind::RunStarted).detail("versions", versions))?;
        let entry = evidence.with_head(evidence.entry(EntryKind::RunStarted));
        evidence.workspace.append(entry, clock)?;
        Ok(evidence)
    }

    /// Makes an entry about the run, by its operator.
    pub(crate) fn entry(&self, kind: EntryKind) -> Entry {
        Entry::new(kind).by(self.services.operator.as_deref(), &self.services.command).of_run(&self.run_id)
    }

    /// Records something in the run's ledger. The command stands in its first entry alone.
    pub(crate) fn record(&mut self, mut entry: Entry) -> Result<(), EvidenceError> {
        if self.head.is_some() {
            entry.command.clear();
        }
        self.head = Some(self.run.append(entry, self.clock)?.head());
        Ok(())
    }

    fn with_head(&self, entry: Entry) -> Entry {
        match &self.head {
            Some(head) => entry.detail("run_ledger", json!(head)),
            None => entry,
        }
    }

    /// Records what the run reads.
    pub(crate) fn inputs(&mut self, inputs: &[FileRecord]) -> Result<(), EvidenceError> {
        let files: Vec<Value> = inputs.iter().map(|file| file_detail(&file.path, file)).collect();
        self.record(self.entry(EntryKind::RunInputs).detail("files", files))
    }

    /// Records under which configuration the run works.
    pub(crate) fn configured(&mut self, manifest: &Manifest) -> Result<(), EvidenceError> {
        let entry = self.entry(EntryKind::RunConfigured).detail("config_sha256", manifest.config_digest.as_str());
        self.record(if manifest.profile.is_empty() {
            entry
        } else {
            entry.detail("profile", manifest.profile.as_str())
        })
    }

    /// Records how tables kept their contracts, where there are any.
    pub(crate) fn contracts<'c>(
        &mut self,
        checked: impl IntoIterator<Item = (String, &'c ContractResult)>,
    ) -> Result<(), EvidenceError> {
        let tables = checked.into_iter().map(|(table, result)| {
            json!({
                "table": table,
                "contract": result.contract,
                "version": result.version,
                "passed": result.passed,
                "failed_rows": result.failed_rows,
            })
        });
        let tables: Vec<Value> = tables.collect();
        if tables.is_empty() {
            return Ok(());
        }
        self.record(self.entry(EntryKind::ContractChecked).detail("tables", tables))
    }

    /// Records how expectations ended: table, expectation, and whether it holds.
    pub(crate) fn expectations(
        &mut self,
        results: impl IntoIterator<Item = (String, String, bool)>,
    ) -> Result<(), EvidenceError> {
        let mut checked = 0_u64;
        let mut failed = Vec::new();
        for (table, expectation, success) in results {
            checked += 1;
            if !success {
                failed.push(format!("{table}: {expectation}"));
            }
        }
        let entry = self.entry(EntryKind::ExpectationChecked).detail("checked", checked);
        self.record(entry.detail("failed", failed))
    }

    /// Records which files were published.
    pub(crate) fn exported(&mut self, outputs: &[FileRecord]) -> Result<(), EvidenceError> {
        let files: Vec<Value> = outputs
            .iter()
            .map(|file| file_detail(file.path.rsplit(['/', '\\']).next().unwrap_or_default(), file))
            .collect();
        self.record(self.entry(EntryKind::ExportWritten).detail("files", files))
    }

    /// Records how the run ended, seals the manifest with the last entry of the ledger, signs the run where there is a key, and
    /// records the seal in the workspace's ledger.
    ///
    /// The manifest must say all it is to say but the entry.
    pub(crate) fn seal(&mut self, manifest: &mut Manifest) -> Result<(), EvidenceError> {
        let kind = match manifest.status {
            RunStatus::Completed => EntryKind::RunCompleted,
            RunStatus::Interrupted => EntryKind::RunInterrupted,
            RunStatus::Failed | RunStatus::Running => EntryKind::RunFailed,
        };
        let rows = json!(manifest.rows);
        self.record(self.entry(kind).detail("rows", rows.clone()).detail("artefacts", manifest.artefacts.len()))?;
        manifest.ledger.clone_from(&self.head);
        manifest.write(&self.run_dir)?;
        let path = self.run_dir.join(MANIFEST_FILE);
        let digest = sha256_file(&path).map_err(|source| EvidenceError::Io { path, source })?;
        let entry = self.with_head(self.entry(kind)).detail("rows", rows).detail("manifest_sha256", digest.as_str());
        self.workspace.append(entry, self.clock)?;
        let statement = Statement::of_run(manifest, &digest, &self.services.command);
        // A statement is about files; a run that stopped early has made none.
        if let Some(key) = self.services.signing_key.as_ref().filter(|_| !statement.subject.is_empty()) {
            let text = Envelope::sign(&statement, key)?.to_json()?;
            let path = self.run_dir.join(ATTESTATION_FILE);
            write_atomic(&path, &text).map_err(|source| EvidenceError::Io { path, source })?;
            let entry = self
                .entry(EntryKind::AttestationSigned)
                .detail("key", key.public().id())
                .detail("attestation_sha256", sha256_bytes(&text).as_str());
            Ledger::of_run(&self.run_dir).append(entry, self.clock)?;
        }
        Ok(())
    }

    /// Records that files were written after the seal.
    pub(crate) fn exported_later(&self, files: &[&WrittenFile]) -> Result<(), EvidenceError> {
        let files: Vec<Value> = files
            .iter()
            .map(|file| {
                let name = file.path.file_name().unwrap_or_default().to_string_lossy();
                json!({"name": name, "sha256": file.sha256, "bytes": file.bytes})
            })
            .collect();
        Ledger::of_run(&self.run_dir)
            .append(self.entry(EntryKind::ExportWritten).detail("files", files), self.clock)?;
        Ok(())
    }
}

fn file_detail(name: &str, file: &FileRecord) -> Value {
    let mut detail = json!({"name": name, "sha256": file.sha256, "bytes": file.bytes});
    if let Some(rows) = file.rows {
        detail["rows"] = rows.into();
    }
    detail
}

/// Records that an earlier run was interrupted, and says so in its manifest.
pub(crate) fn record_interrupted(run_dir: &Path, manifest: &mut Manifest, clock: Clock) -> Result<(), EvidenceError> {
    let entry = Entry::new(EntryKind::RunInterrupted).of_run(&manifest.run_id);
    let kept = run_dir.join(LEDGER_FILE).exists();
    if kept {
        manifest.ledger = Some(Ledger::of_run(run_dir).append(entry, clock)?.head());
    }
    manifest.write(run_dir)?;
    Ok(())
}
