//! The run folder of `resolve`: which files were read and written, under which request, and how it ended.

use std::io;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use hotpass_core::{Clock, RunDirectory, RunId};
use hotpass_lineage::event::RunState;
use hotpass_provenance::manifest::{FileRecord, RowCounts, RunStatus, StageRecord, config_digest};
use hotpass_provenance::{Manifest, manifest::RunLock};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::checks::InputCheck;
use super::error::ResolveError;
use super::files::{Method, ResolveOutcome, ResolveRequest};
use super::session::RecordsRequest;
use crate::evidence::Evidence;
use crate::lineage::ResolveLineage;
use crate::services::Services;

/// Name of the verb in the manifest.
const COMMAND: &str = "resolve";

/// Where the evidence of a run goes.
#[derive(Debug, Clone)]
pub struct EvidenceRequest {
    /// Folder of runs and evidence.
    pub dist_dir: PathBuf,
    /// Who asked for the run.
    pub services: Services,
}

/// A run that has begun, and its manifest.
pub(super) struct Recorder {
    directory: RunDirectory,
    manifest: Manifest,
    evidence: Evidence,
    clock: Clock,
    inputs: JoinHandle<io::Result<Vec<FileRecord>>>,
    lineage: Option<ResolveLineage>,
    _lock: RunLock,
}

impl Recorder {
    /// Makes the run folder with a manifest that says `running`; the digests of the inputs are taken meanwhile.
    ///
    /// # Errors
    ///
    /// Returns an error when an input cannot be read or the folder not be made.
    pub(super) fn start(request: &ResolveRequest, evidence: &EvidenceRequest) -> Result<Self, ResolveError> {
        let clock = request.clock;
        let config = describe(request);
        let paths = inputs(request);
        // A file that is missing is told about as such, not as a failure of the evidence.
        for path in &paths {
            std::fs::metadata(path).map_err(|source| ResolveError::ReadInput { path: path.clone(), source })?;
        }
        let (run_id, inputs) = if clock.is_fixed() {
            let records = digests(&paths).map_err(|source| ResolveError::ReadInput {
                path: paths.first().cloned().unwrap_or_default(),
                source,
            })?;
            (derived_id(clock, &config, &records), std::thread::spawn(move || Ok(records)))
        } else {
            (RunId::random(), std::thread::spawn(move || digests(&paths)))
        };
        let folder = |source| ResolveError::RunFolder { dist_dir: evidence.dist_dir.clone(), source };
        let directory = RunDirectory::create(&evidence.dist_dir, run_id).map_err(folder)?;
        let lock = RunLock::acquire(directory.root()).map_err(folder)?;
        let mut manifest = Manifest::start(directory.id(), clock);
        COMMAND.clone_into(&mut manifest.command);
        manifest.set_config(config, std::collections::BTreeMap::new());
        manifest.write(directory.root())?;
        let services = &evidence.services;
        let lineage = ResolveLineage::start(&services.lineage, &services.command, &directory, request);
        let mut evidence = Evidence::start(&directory, &evidence.dist_dir, &evidence.services, clock)?;
        evidence.configured(&manifest)?;
        Ok(Self { directory, manifest, evidence, clock, inputs, lineage, _lock: lock })
    }

    /// Says in the manifest how the run ended and what it wrote.
    ///
    /// # Errors
    ///
    /// Returns the run's own error, else that of completing the manifest.
    pub(super) fn finish(
        mut self,
        result: Result<ResolveOutcome, ResolveError>,
    ) -> Result<ResolveOutcome, ResolveError> {
        // A thread that only reads files does not panic; were it to, the run has no digests to show.
        let inputs = self.inputs.join().unwrap_or_else(|_| Err(io::Error::other("the thread of the digests stopped")));
        match result {
            Ok(mut outcome) => {
                self.manifest.inputs = inputs.map_err(|source| ResolveError::RunFolder {
                    dist_dir: self.directory.root().to_path_buf(),
                    source,
                })?;
                take_down(&mut self.manifest, &outcome, self.clock)?;
                let passed = outcome.passed();
                if !passed {
                    self.manifest.error = Some("The inputs do not keep what they must".to_owned());
                }
                self.manifest.finish(if passed { RunStatus::Completed } else { RunStatus::Failed }, self.clock);
                self.evidence.inputs(&self.manifest.inputs)?;
                let checks = &outcome.checks;
                let contracts = checks.iter().filter_map(|check| Some((check.table.clone(), check.contract.as_ref()?)));
                self.evidence.contracts(contracts)?;
                if checks.iter().any(|check| check.suite.is_some()) {
                    self.evidence.expectations(checks.iter().flat_map(InputCheck::expectations))?;
                }
                self.evidence.exported(&self.manifest.outputs)?;
                if let Some(lineage) = &mut self.lineage {
                    let state = if passed { RunState::Complete } else { RunState::Fail };
                    lineage.finish(&self.directory, &mut self.manifest, state, Some(&outcome));
                }
                self.evidence.seal(&mut self.manifest)?;
                if let Some(lineage) = &self.lineage {
                    lineage.sealed();
                }
                outcome.run = Some(self.directory);
                Ok(outcome)
            }
            Err(error) => {
                let interrupted = matches!(error, ResolveError::Cancelled);
                self.manifest.inputs = inputs.unwrap_or_default();
                self.manifest.error = Some(error.to_string());
                let status = if interrupted { RunStatus::Interrupted } else { RunStatus::Failed };
                self.manifest.finish(status, self.clock);
                let state = if interrupted { RunState::Abort } else { RunState::Fail };
                if let Some(lineage) = &mut self.lineage {
                    lineage.finish(&self.directory, &mut self.manifest, state, None);
                }
                // The first error is the one to tell.
                let _ = self.evidence.seal(&mut self.manifest);
                if let Some(lineage) = &self.lineage {
                    lineage.sealed();
                }
                Err(error)
            }
        }
    }
}

/// Takes down the files, stages and rows of a run that is done.
fn take_down(manifest: &mut Manifest, outcome: &ResolveOutcome, clock: Clock) -> Result<(), ResolveError> {
    let summary = &outcome.summary;
    let files = [&outcome.output_path, &outcome.pairs_path, &outcome.summary_path];
    for path in files.into_iter().chain(&outcome.model_path).chain(&outcome.training_path).chain(&outcome.quality_path)
    {
        let rows = (path == &outcome.output_path).then_some(summary.input_records);
        let record = FileRecord::of(portable(path), path, rows)
            .map_err(|source| ResolveError::ReadInput { path: path.clone(), source })?;
        manifest.outputs.push(record);
    }
    manifest.rows = RowCounts {
        rows_in: summary.input_records,
        rows_in_entities: summary.input_records,
        rows_quarantined: 0,
        entities: summary.entities,
    };
    manifest.stages = summary
        .seconds
        .iter()
        .map(|(name, seconds)| StageRecord {
            name: (*name).to_owned(),
            rows_in: summary.input_records,
            rows_out: match *name {
                "cluster" => summary.entities,
                _ => summary.input_records,
            },
            seconds: (!clock.is_fixed()).then_some(*seconds),
        })
        .collect();
    Ok(())
}

/// Returns the request as data: what decides the result, and nothing that does not.
fn describe(request: &ResolveRequest) -> Value {
    let RecordsRequest { link_type, unique_id_column, exclude_columns, allow_full_product, seed, .. } =
        &request.records;
    let method = match &request.method {
        Method::Probabilistic { model, train, training } => json!({
            "name": "probabilistic",
            "model": portable(model),
            "train": train,
            "training_rules": training.training_rules,
            "deterministic_rules": training.deterministic_rules,
            "recall": training.recall,
            "u_relative_error": training.u_relative_error,
            "pooling": training.pooling,
        }),
        Method::Rules { model } => json!({ "name": "rules", "model": portable(model) }),
        Method::EqualNames => json!({ "name": "equal_names" }),
    };
    let mut described = json!({
        "method": method,
        "thresholds": request.thresholds,
        "link_type": link_type.map(|link_type| link_type.to_string()),
        "unique_id_column": unique_id_column,
        "exclude_columns": exclude_columns,
        "allow_full_product": allow_full_product,
        "seed": seed,
        "output_file": portable(&request.output_file),
        "entity_id_column": request.entity_id_column,
        "contract": request.checks.contract.as_ref().map(|contract| &contract.name),
        "suite": request.checks.suite.as_ref().map(|suite| &suite.name),
        "redact": request.operators.described(),
    });
    let erased = request.operators.erased_digest();
    if !erased.is_empty() {
        described["erased_people"] = erased.into();
    }
    described
}

/// Returns every file that decides the result: the records, then the model.
fn inputs(request: &ResolveRequest) -> Vec<PathBuf> {
    let model = match &request.method {
        Method::Probabilistic { model, .. } | Method::Rules { model } => Some(model),
        Method::EqualNames => None,
    };
    request.records.input_files.iter().chain(model).cloned().collect()
}

fn digests(paths: &[PathBuf]) -> io::Result<Vec<FileRecord>> {
    paths.iter().filter(|path| path.is_file()).map(|path| FileRecord::of(portable(path), path, None)).collect()
}

fn derived_id(clock: Clock, config: &Value, inputs: &[FileRecord]) -> RunId {
    let mut hasher = Sha256::new();
    hasher.update(COMMAND);
    for record in inputs {
        hasher.update(record.path.as_bytes());
        hasher.update([0]);
        hasher.update(record.sha256.as_str());
    }
    hasher.update(config_digest(config));
    RunId::derived(clock, &hasher.finalize().into())
}

fn portable(path: &Path) -> String {
    path.display().to_string().replace('\\', "/")
}
