//! The run: files in, one governed table out, with the evidence in the run folder.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use hotpass_config::HotpassConfig;
use hotpass_config::model::{ReportFormat, Source};
use hotpass_core::{Clock, Diagnostic, RunDirectory, RunId};
use hotpass_ingest::{
    IngestError, OpenTable, SourceFile, default_memory_limit, discover,
    mapping::{MappingRules, map_columns},
    open_file,
    source::{DiscoverError, DiscoverOptions},
    table::{ExcelEpoch, LateDiagnostics},
};
use hotpass_normalise::{
    DateOrder, DateRule, Placeholders, TextRule, country_by_alpha2, organization_key_similarity, parse_country, slug,
};
use hotpass_provenance::manifest::{FileRecord, RowCounts, RunStatus, StageRecord, config_digest};
use hotpass_provenance::{Manifest, RunLock, manifest::ManifestError};
use hotpass_resolve::model::LinkageModel;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::acquisition;
use crate::assemble::{self, Assembly};
use crate::compliance::{
    Compliance, ComplianceError, EntityConsent, PrivacyFacts, Redaction, RedactionError, TableDetection,
    privacy_report, privacy_table,
};
use crate::contracts::{self, ContractLoadError, ContractStatistics, SourceContracts, TableCheck};
use crate::decisions::{DecisionError, QuarantineDecisions, ReleasedRow, TableDecisions, decisions_file};
use crate::entities::{Entities, NO_ENTITY};
use crate::evidence::{Evidence, EvidenceError, record_interrupted};
use crate::golden::{GoldenChunk, RunFacts, Survival, rule_of};
use crate::grouping::{DeterministicGrouping, EntityGrouping, Groups, NoGrouping};
use crate::lineage::{LineageServices, Published, RunLineage};
use crate::linkage::{GroupingError, LinkageModelError, ProbabilisticGrouping, linkage_keys, linkage_model};
use crate::normalising::{NormalisedBatch, QuarantinedRow, TablePlan, normalise_batch, reject_rows};
use crate::parties::{build_party_store, write_party_store};
use crate::progress::{CancelToken, Progress, Stage};
use crate::publish::{
    ArchiveInput, FileMetadata, InputFile, PublishError, PublishInput, WrittenFile, write_archive, write_data_docs,
    write_diagnostics, write_inputs_archive, write_output, write_privacy_report, write_profile, write_report_files,
    write_run_tables,
};
use crate::quality::{DatasetResult, ExpectationError, Expectations};
use crate::reading::{FileRules, MappingFileError, lists_sheet, mapping_files, required_fields};
use crate::records::{Part, RecordTable, Records};
use crate::report::{self, ReportExtras};
use crate::services::Services;
use crate::statistics::{ColumnMappingStatistics, RunStatistics, SkippedTable, TableStatistics};
use crate::tables::RunTables;
use crate::telemetry;

/// Entities of one unit of work.
const CHUNK: usize = 8192;

/// What a run is asked to do.
pub struct RefineRequest<'a> {
    /// The effective configuration.
    pub config: &'a HotpassConfig,
    /// Key path to the layer that gave the value, for the manifest.
    pub config_origins: BTreeMap<String, String>,
    /// Files, folders and patterns to read; [`hotpass_config::model::Pipeline::input_dir`] when empty.
    pub inputs: Vec<PathBuf>,
    /// The clock; a fixed one makes the run reproducible to the byte.
    pub clock: Clock,
    /// Watches the run.
    pub progress: &'a dyn Progress,
    /// Stops the run.
    pub cancel: CancelToken,
    /// Who asked for it, and where its evidence goes.
    pub services: Services,
}

/// What a run has made.
#[derive(Debug)]
pub struct RefineOutcome {
    /// The run folder.
    pub run: RunDirectory,
    /// The figures.
    pub statistics: RunStatistics,
    /// What was found in the input.
    pub diagnostics: Vec<Diagnostic>,
    /// The published files, the one that was asked for first.
    pub outputs: Vec<WrittenFile>,
    /// Runs in the folder of runs that were interrupted and are incomplete. They are no finding about the data, so that
    /// they leave no trace in the files of this run.
    pub interrupted_runs: Vec<String>,
    /// Whether every expectation that can fail the run holds.
    pub passed: bool,
}

/// Why a run could not be done.
#[derive(Debug, thiserror::Error)]
pub enum RefineError {
    /// The inputs could not be found.
    #[error("Cannot find the inputs")]
    Discover(#[from] DiscoverError),
    /// No file held a table with the required fields.
    #[error("No table to refine in: {}", names.join(", "))]
    NothingToRefine {
        /// The files that were read.
        names: Vec<String>,
        /// Why each of their tables was left out.
        skipped: Vec<SkippedTable>,
        /// What was found in them.
        diagnostics: Vec<Diagnostic>,
    },
    /// A mapping file could not be used.
    #[error(transparent)]
    MappingFile(#[from] MappingFileError),
    /// The run id of the configuration is no UUID.
    #[error("Not a run id: `{run_id}`")]
    RunId {
        /// What was given.
        run_id: String,
    },
    /// A contract cannot be used.
    #[error(transparent)]
    Contract(#[from] ContractLoadError),
    /// A country code of the configuration is none.
    #[error("Unknown country in `{key}`: `{code}`")]
    UnknownCountry {
        /// Key of the configuration.
        key: &'static str,
        /// What was given.
        code: String,
    },
    /// Redaction was asked for and cannot be done.
    #[error(transparent)]
    Redaction(#[from] RedactionError),
    /// Consent or erasure cannot be obeyed.
    #[error(transparent)]
    Compliance(#[from] ComplianceError),
    /// The linkage model cannot be used.
    #[error(transparent)]
    LinkageModel(#[from] LinkageModelError),
    /// Records could not be compared.
    #[error("Cannot compare the records")]
    Grouping(#[from] GroupingError),
    /// An expectation cannot be checked.
    #[error(transparent)]
    Expectation(#[from] ExpectationError),
    /// The decisions on rows in quarantine cannot be read.
    #[error(transparent)]
    Decisions(#[from] DecisionError),
    /// The tables need more memory than the run may use.
    #[error("The tables need more memory than the run may use: {needed} bytes over a limit of {limit}")]
    Memory {
        /// Bytes taken when the limit was passed.
        needed: u64,
        /// The limit.
        limit: u64,
    },
    /// The threads could not be started.
    #[error("Cannot start the threads of the run")]
    Threads(#[source] rayon::ThreadPoolBuildError),
    /// The run folder could not be made or locked.
    #[error("Cannot use the run folder in `{}`", dist_dir.display())]
    RunFolder {
        /// Folder of runs.
        dist_dir: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The columns could not be built.
    #[error("Cannot build the tables of the run")]
    Arrow(#[from] ArrowError),
    /// A file could not be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The copy of the report could not be written.
    #[error("Failed to write report `{}`", path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The manifest could not be written.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The ledger or the attestation could not be written.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The run was asked to stop.
    #[error("The run was interrupted")]
    Cancelled,
    /// Rows in are not rows in entities and quarantine together.
    #[error(
        "Rows were lost: {rows_in} in, {in_entities} in entities, {quarantined} in quarantine; this is a bug in hotpass"
    )]
    RowsLost {
        /// Rows in.
        rows_in: u64,
        /// Rows in entities.
        in_entities: u64,
        /// Rows in quarantine.
        quarantined: u64,
    },
}

impl RefineError {
    /// Returns whether the caller can put it right by other arguments or configuration.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Discover(error) => error.is_usage(),
            Self::NothingToRefine { .. }
            | Self::MappingFile(_)
            | Self::RunId { .. }
            | Self::Contract(_)
            | Self::UnknownCountry { .. }
            | Self::Redaction(_)
            | Self::Compliance(_)
            | Self::LinkageModel(_)
            | Self::Decisions(_)
            | Self::Expectation(_) => true,
            Self::Publish(error) => matches!(error, PublishError::UnknownFormat { .. }),
            _ => false,
        }
    }

    /// Returns what to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Discover(error) => Some(error.hint()),
            Self::NothingToRefine { .. } => Some(
                "See what was found with `hotpass inspect`, and map a column to `organization_name` with `hotpass map`"
                    .into(),
            ),
            Self::Memory { .. } => Some("Raise `ingest.memory_limit_bytes`, or split the input".into()),
            Self::RunId { .. } => Some("Leave `pipeline.run_id` out, or give a UUID".into()),
            Self::UnknownCountry { code, .. } => Some(country_hint(code)),
            Self::MappingFile(error) => Some(error.hint()),
            Self::Redaction(error) => error.hint(),
            Self::Compliance(error) => error.hint(),
            Self::Contract(error) => error.hint(),
            Self::LinkageModel(error) => Some(error.hint()),
            Self::Expectation(error) => error.hint(),
            Self::Publish(error) => error.hint(),
            _ => None,
        }
    }
}

/// Refines files into one governed table.
///
/// Outputs and the run folder are written even when expectations fail; [`RefineOutcome::passed`] then says so.
///
/// # Errors
///
/// Returns [`RefineError`] when nothing can be read, the configuration asks for what cannot be done, memory or disk do not
/// suffice, or the run was cancelled. A run that has started leaves its manifest saying how it ended.
pub fn refine(request: &RefineRequest<'_>) -> Result<RefineOutcome, RefineError> {
    let threads = request.config.pipeline.threads.unwrap_or(0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(RefineError::Threads)?;
    let started = Instant::now();
    let span = tracing::info_span!(
        "hotpass.refine",
        "hotpass.command" = request.services.command.join(" "),
        "hotpass.profile" = request.config.profile.name,
        "hotpass.run_id" = tracing::field::Empty,
        "hotpass.outcome" = tracing::field::Empty,
        "error.type" = tracing::field::Empty,
        "otel.status_code" = tracing::field::Empty,
    );
    let result = span.in_scope(|| Run::start(request)?.execute(&pool));
    let interrupted = matches!(result, Err(RefineError::Cancelled));
    telemetry::run_ended("refine", &span, result.as_ref().map(|outcome| outcome.passed), interrupted, started);
    result
}

/// A run that has begun.
struct Run<'a> {
    request: &'a RefineRequest<'a>,
    lineage: RunLineage,
    redaction: Redaction,
    compliance: Compliance,
    contracts: SourceContracts,
    expectations: Expectations,
    decisions: QuarantineDecisions,
    model: Option<LinkageModel>,
    inputs: Vec<SourceFile>,
    directory: RunDirectory,
    manifest: Manifest,
    evidence: Evidence,
    _lock: RunLock,
    started_at: i64,
    diagnostics: Vec<Diagnostic>,
    interrupted: Vec<String>,
    /// Whether the inputs hold what was redacted, withheld or erased, and so stay out of archives.
    inputs_held_back: bool,
    timings: Vec<(String, f64)>,
}

/// Everything that was read.
#[derive(Default)]
struct Reading {
    tables: Vec<RecordTable>,
    statistics: Vec<TableStatistics>,
    skipped: Vec<SkippedTable>,
    contracts: Vec<ContractStatistics>,
    parts: Vec<Part>,
    quarantined: Vec<QuarantinedRow>,
    changes: BTreeMap<String, BTreeMap<String, u64>>,
    failures: BTreeMap<String, BTreeMap<String, u64>>,
    results: Vec<DatasetResult>,
    released: Vec<ReleasedRow>,
    findings: Vec<hotpass_privacy::detect::TableFindings>,
    bytes: u64,
}

/// The normalised batches of a table, the batches as they were read where they are kept, why reading ended early, what
/// personal data was found, and the rows that decisions released although they break the contract.
type Normalised = (
    Vec<NormalisedBatch>,
    Vec<RecordBatch>,
    Option<IngestError>,
    Option<hotpass_privacy::detect::TableFindings>,
    Vec<ReleasedRow>,
);

impl<'a> Run<'a> {
    fn start(request: &'a RefineRequest<'a>) -> Result<Self, RefineError> {
        let config = request.config;
        let pipeline = &config.pipeline;
        // What was asked for and cannot be done must fail before anything is written.
        check_countries(config)?;
        mapping_files(config)?;
        let redaction = Redaction::from_config(config, request.services.privacy_key.as_ref())?;
        let compliance = Compliance::from_config(config, &redaction)?;
        let contracts = SourceContracts::from_config(config, request.clock)?;
        let expectations = Expectations::from_config(config, &request.services)?;
        let decisions = QuarantineDecisions::read(&decisions_file(config))?;
        let model = linkage_model(config)?;
        crate::publish::OutputFormat::from_path(&pipeline.output_path)?;

        let started = Instant::now();
        let span = tracing::info_span!("refine.discover").entered();
        request.progress.started(Stage::Discover, None);
        let inputs = if request.inputs.is_empty() { vec![pipeline.input_dir.clone()] } else { request.inputs.clone() };
        let discovery = discover(&inputs, &DiscoverOptions { dist_dir: Some(pipeline.dist_dir.clone()) })?;
        let own = std::fs::canonicalize(&pipeline.output_path).ok();
        let files: Vec<SourceFile> = discovery
            .files
            .into_iter()
            .filter(|file| own.is_none() || std::fs::canonicalize(&file.path).ok() != own)
            .collect();
        let mut diagnostics: Vec<Diagnostic> = discovery.unreadable;
        diagnostics.extend(discovery.ignored.iter().map(|name| {
            Diagnostic::info("refine.file.ignored", "The file has no ending of a format that is read")
                .at(hotpass_core::Location::file(name.as_str()))
        }));
        let seconds = started.elapsed().as_secs_f64();
        request.progress.finished(Stage::Discover, seconds);
        telemetry::stage("refine", Stage::Discover, seconds);
        drop(span);

        let mut config_json = serde_json::to_value(config).unwrap_or_default();
        // The number of threads changes no result, so that it must not change an id or a digest either.
        if let Some(pipeline) = config_json.get_mut("pipeline").and_then(serde_json::Value::as_object_mut) {
            pipeline.remove("threads");
        }
        // Nor does the place that lineage is sent to.
        if let Some(lineage) = config_json.get_mut("lineage").and_then(serde_json::Value::as_object_mut) {
            lineage.remove("transport");
        }
        // Nor does what the run tells of itself, or to whom.
        if let Some(config) = config_json.as_object_mut() {
            config.remove("telemetry");
        }
        let mut digest = config_digest(&config_json);
        // What people have decided on rows is an input too, and who was erased.
        digest.push_str(&decisions.digest().unwrap_or_default());
        digest.push_str(&compliance.suppression.digest());
        let run_id = run_id(request, &files, &digest)?;
        let folder = |source| RefineError::RunFolder { dist_dir: pipeline.dist_dir.clone(), source };
        let interrupted = interrupted_runs(&pipeline.dist_dir, &request.services.lineage, request.clock);
        let directory = RunDirectory::create(&pipeline.dist_dir, run_id).map_err(folder)?;
        let lock = RunLock::acquire(directory.root()).map_err(folder)?;
        let started_at = request.clock.now_milliseconds();
        let mut manifest = Manifest::start(directory.id(), request.clock);
        manifest.profile.clone_from(&config.profile.name);
        let mut origins = request.config_origins.clone();
        origins.remove("pipeline.threads");
        origins.retain(|key, _| !key.starts_with("telemetry."));
        manifest.set_config(config_json, origins);
        manifest.governance = serde_json::to_value(&config.governance).unwrap_or_default();
        manifest.retention_until = retention(config, request.clock);
        manifest.input_dir = inputs.iter().map(|input| input.display().to_string()).collect::<Vec<_>>().join(", ");
        manifest.inputs = files
            .iter()
            .map(|file| FileRecord {
                path: file.name.to_string(),
                sha256: file.sha256.clone(),
                bytes: file.bytes,
                rows: None,
            })
            .collect();
        manifest.write(directory.root())?;
        let mut evidence = Evidence::start(&directory, &pipeline.dist_dir, &request.services, request.clock)?;
        evidence.inputs(&manifest.inputs)?;
        evidence.configured(&manifest)?;
        let services = &request.services;
        let run = (&directory, &manifest);
        let lineage = RunLineage::start(config, &services.lineage, &services.command, run, request.clock, &files);
        Ok(Self {
            request,
            lineage,
            redaction,
            compliance,
            contracts,
            expectations,
            decisions,
            model,
            inputs: files,
            directory,
            manifest,
            evidence,
            _lock: lock,
            started_at,
            diagnostics,
            interrupted,
            inputs_held_back: false,
            timings: vec![(Stage::Discover.name().to_owned(), seconds)],
        })
    }

    /// Does the work, and says in the manifest how it ended.
    fn execute(mut self, pool: &rayon::ThreadPool) -> Result<RefineOutcome, RefineError> {
        let span = tracing::Span::current();
        span.record("hotpass.run_id", self.directory.id());
        // The threads of the pool do not know a subscriber that holds for the caller's thread alone.
        let subscriber = tracing::dispatcher::get_default(Clone::clone);
        let result = pool.install(|| tracing::dispatcher::with_default(&subscriber, || span.in_scope(|| self.work())));
        match result {
            Ok((statistics, outputs, passed)) => {
                let run = self.directory.clone();
                self.lineage.sealed();
                run.mark_latest().map_err(|source| RefineError::RunFolder {
                    dist_dir: self.request.config.pipeline.dist_dir.clone(),
                    source,
                })?;
                Ok(RefineOutcome {
                    run,
                    statistics,
                    diagnostics: self.diagnostics,
                    outputs,
                    interrupted_runs: self.interrupted,
                    passed,
                })
            }
            Err(error) => {
                let status =
                    if matches!(error, RefineError::Cancelled) { RunStatus::Interrupted } else { RunStatus::Failed };
                self.manifest.error = Some(error.to_string());
                let message = error.to_string();
                let cancelled = matches!(error, RefineError::Cancelled);
                let files = self.lineage.stopped(&self.directory, &message, cancelled);
                self.manifest.artefacts.retain(|file| !file.path.starts_with("lineage."));
                self.manifest.artefacts.extend(files.iter().map(|file| run_file(&self.directory, file)));
                self.manifest.finish(status, self.request.clock);
                // The first error is the one to tell; that the manifest could not be sealed follows from it.
                let _ = self.evidence.seal(&mut self.manifest);
                self.lineage.sealed();
                Err(error)
            }
        }
    }

    fn check_cancelled(&self) -> Result<(), RefineError> {
        if self.request.cancel.is_cancelled() { Err(RefineError::Cancelled) } else { Ok(()) }
    }

    fn finished(&mut self, stage: Stage, started: Instant) {
        let seconds = started.elapsed().as_secs_f64();
        self.request.progress.finished(stage, seconds);
        self.lineage.stage_finished(stage);
        self.timings.push((stage.name().to_owned(), seconds));
        telemetry::stage("refine", stage, seconds);
    }

    fn work(&mut self) -> Result<(RunStatistics, Vec<WrittenFile>, bool), RefineError> {
        let config = self.request.config;
        let started = Instant::now();
        let span = tracing::info_span!("refine.read").entered();
        let mut reading = self.read()?;
        if config.features.acquisition {
            self.acquire(&mut reading)?;
        }
        if reading.tables.is_empty() {
            return Err(RefineError::NothingToRefine {
                names: self.inputs.iter().map(|file| format!("`{}`", file.name)).collect(),
                skipped: reading.skipped,
                diagnostics: std::mem::take(&mut self.diagnostics),
            });
        }
        let records = Records::build(std::mem::take(&mut reading.tables), std::mem::take(&mut reading.parts))?;
        self.finished(Stage::Read, started);
        drop(span);
        self.check_cancelled()?;

        let started = Instant::now();
        let span = tracing::info_span!("refine.group", "hotpass.rows" = records.len() as i64).entered();
        self.request.progress.started(Stage::Group, None);
        self.lineage.stage_started(Stage::Group);
        let groups = group(config, self.model.as_ref(), &records)?;
        let entities = Entities::build(&records, &groups, rule_of(config, "organization_name"));
        let (entities, mut consent) =
            self.compliance.decide(&records, entities, &self.redaction, &mut reading.quarantined);
        self.finished(Stage::Group, started);
        drop(span);
        self.check_cancelled()?;

        let started = Instant::now();
        let span = tracing::info_span!("refine.survive", "hotpass.entities" = entities.len() as i64).entered();
        self.lineage.stage_started(Stage::Survive);
        let chunks = self.survive(&records, &entities, &consent)?;
        self.lineage.survived(&chunks);
        self.finished(Stage::Survive, started);
        drop(span);

        let started = Instant::now();
        let span = tracing::info_span!("refine.expect", "hotpass.entities" = entities.len() as i64).entered();
        self.request.progress.started(Stage::Expect, None);
        self.lineage.stage_started(Stage::Expect);
        let before = entities.entity_of.clone();
        let (entities, chunks) = self.expect(&records, entities, chunks, &mut reading)?;
        consent.follow(&before, &entities);
        let withheld_rows = records.len() as u64 - entities.members_of(0..entities.len()).len() as u64;
        self.finished(Stage::Expect, started);
        drop(span);
        self.check_cancelled()?;

        let assembly = Assembly {
            config,
            run_id: self.directory.id(),
            started_at: self.manifest.started_at.clone(),
            records: &records,
            entities: &entities,
            groups: &groups,
            quarantined: reading.quarantined,
            tables: reading.statistics,
            skipped: reading.skipped,
            changes: reading.changes,
            failures: reading.failures,
        };
        let (mut tables, mut statistics) = assemble::assemble(&assembly, chunks)?;
        statistics.contracts = reading.contracts;
        if config.resolve.write_linkage_keys {
            tables.linkage_keys = self.keys_to_write(&records, &entities)?;
        }
        if config.features.compliance {
            let day = self.request.clock.now().date_naive();
            tables.privacy = Some(privacy_table(config, &records, &entities, &consent, day)?);
        }
        if statistics.rows_in != statistics.rows_in_entities + statistics.rows_quarantined
            || statistics.rows_in_entities + withheld_rows != records.len() as u64
        {
            return Err(RefineError::RowsLost {
                rows_in: statistics.rows_in,
                in_entities: statistics.rows_in_entities,
                quarantined: statistics.rows_quarantined,
            });
        }
        statistics.released = reading.released;
        statistics.expectations = self.expectations.report(&reading.results);
        let has_consent_column = records.has(crate::records::TextField::ConsentStatus);
        drop((groups, entities, records));
        self.check_cancelled()?;
        self.comply(&mut statistics, &tables, &consent, reading.findings, has_consent_column);
        self.publish(&tables, &mut statistics, &reading.results)
    }

    /// Reads every file, in order; batches are normalised on all threads while the next is read.
    fn read(&mut self) -> Result<Reading, RefineError> {
        let config = self.request.config;
        let files = mapping_files(config)?;
        let limit = config.ingest.memory_limit_bytes.unwrap_or_else(default_memory_limit);
        self.request.progress.started(Stage::Read, None);
        self.lineage.stage_started(Stage::Read);
        let mut reading = Reading::default();
        for (number, file) in self.inputs.clone().into_iter().enumerate() {
            self.check_cancelled()?;
            let loading = Instant::now();
            let extension = telemetry::extension(&file.name);
            let span = tracing::info_span!(
                "refine.read_file",
                "hotpass.file" = number as i64,
                "hotpass.source" = tracing::field::Empty,
                "file.extension" = extension,
                "file.size" = file.bytes as i64
            );
            let _in_file = span.enter();
            let base = file.name.rsplit('/').next().unwrap_or(&file.name).to_owned();
            let file_rules = FileRules::of(config, &file.name);
            let source = file_rules.source();
            match open_file(&file, &file_rules.read_options()) {
                Ok(opened) => {
                    self.diagnostics.extend(opened.diagnostics);
                    reading.skipped.extend(opened.skipped.into_iter().map(|skipped| SkippedTable {
                        file: skipped.id.file.to_string(),
                        sheet: skipped.id.sheet.map(|sheet| sheet.to_string()),
                        reason: skipped.reason,
                    }));
                    let dataset = source.map_or_else(|| stem(&base), |source| source.name.clone());
                    span.record("hotpass.source", &dataset);
                    for table in opened.tables {
                        let rules = file_rules.mapping_rules(&files, &table.schema.id);
                        self.read_table(table, &dataset, source, &rules, &mut reading)?;
                        if reading.bytes > limit {
                            return Err(RefineError::Memory { needed: reading.bytes, limit });
                        }
                    }
                    telemetry::file_read(&dataset, &extension, file.bytes, loading);
                }
                Err(error) => {
                    let reason = error.to_string();
                    self.diagnostics.push(refusal(error, &file));
                    reading.skipped.push(SkippedTable { file: file.name.to_string(), sheet: None, reason });
                }
            }
        }
        Ok(reading)
    }

    fn read_table(
        &mut self,
        mut table: OpenTable,
        dataset: &str,
        source: Option<&Source>,
        rules: &MappingRules,
        reading: &mut Reading,
    ) -> Result<(), RefineError> {
        let config = self.request.config;
        self.diagnostics.append(&mut table.diagnostics);
        let Compliance { suppression, suppressed_rows, .. } = &self.compliance;
        table.batches = suppression.wrap(table.batches, suppressed_rows);
        let schema = table.schema;
        let skipped = |reason: String| SkippedTable {
            file: schema.id.file.to_string(),
            sheet: schema.id.sheet.as_ref().map(ToString::to_string),
            reason,
        };
        let first = match table.batches.next() {
            Some(Ok(batch)) => batch,
            Some(Err(error)) => {
                reading.skipped.push(skipped(error.to_string()));
                self.diagnostics.push(refused(error, &schema.id.location()));
                return Ok(());
            }
            None => {
                if let Some(check) = self.contracts.check(source, &schema)?.filter(|check| check.resembles(&schema)) {
                    self.add_contract(check, true, reading);
                }
                reading.skipped.push(skipped("it has no rows below its header".into()));
                return Ok(());
            }
        };
        let mapping = map_columns(&schema, &first, rules);
        let listed = source.is_some_and(|source| lists_sheet(source, &schema.id));
        let mut check = self.contracts.check(source, &schema)?;
        if !mapping.is_data() && !listed {
            if let Some(check) = check.filter(|check| check.resembles(&schema)) {
                self.add_contract(check, false, reading);
            }
            reading.skipped.push(skipped(format!("no column is `{}`", mapping.missing_required.join("` or `"))));
            return Ok(());
        }
        let country =
            config.pipeline.country_code.clone().unwrap_or_else(|| config.profile.default_country_code.clone());
        let priority = source.map_or(0, |source| source.priority);
        let number = reading.tables.len() as u32;
        let record_table = RecordTable::new(&schema, dataset, priority);
        let plan = TablePlan {
            table: number,
            columns: record_table
                .columns
                .iter()
                .map(|column| (column.letters.clone(), column.header.clone()))
                .collect(),
            defaults: source.map(|source| source.defaults.clone()).unwrap_or_default(),
            country,
            place: record_table.place.clone(),
            required: required_fields(config),
            null_values: config.ingest.null_values.clone(),
            date_rule: date_rule(config, &schema, &mapping),
            decisions: self.decisions_on(&schema.id),
            mapping,
        };
        let mut statistics = TableStatistics {
            file: schema.id.file.to_string(),
            sheet: schema.id.sheet.as_ref().map(ToString::to_string),
            table: schema.id.table,
            source_dataset: dataset.to_owned(),
            header_row: schema.header_row,
            ..TableStatistics::default()
        };
        let checks = self.expectations.for_table(source, &schema);
        let (mut batches, kept, failure, findings, released) =
            self.normalise_all(&plan, first, table.batches, checks.is_some(), check.as_mut())?;
        reading.released.extend(released);
        if let Some(check) = check {
            self.add_contract(check, true, reading);
        }
        reading.findings.extend(findings);
        if let Some(checks) = checks {
            let (result, released) = checks.apply(&plan, &kept, &mut batches, &self.redaction)?;
            reading.results.push(result);
            reading.released.extend(released);
        }
        if let Some(error) = failure {
            self.diagnostics.push(refused(error, &schema.id.location()));
        }
        self.diagnostics.extend(table.late_diagnostics.take());
        let mut filled = vec![0u64; schema.columns.len()];
        for batch in batches {
            statistics.rows_in += batch.rows;
            statistics.rows_quarantined += batch.quarantined.len() as u64;
            for (total, count) in filled.iter_mut().zip(&batch.filled) {
                *total += count;
            }
            for (field, counts) in &batch.changes {
                for (code, count) in counts.iter() {
                    let kept = !batch.failure_codes.contains(&(*field, code));
                    let kind = if kept { &mut reading.changes } else { &mut reading.failures };
                    let counters = kind.entry((*field).to_owned()).or_default();
                    *counters.entry(code.to_owned()).or_default() += count;
                }
            }
            reading.bytes += batch.part.bytes();
            reading.released.extend(batch.released);
            reading.quarantined.extend(batch.quarantined);
            reading.parts.push(batch.part);
        }
        statistics.columns = plan
            .mapping
            .columns
            .iter()
            .map(|column| ColumnMappingStatistics {
                header: column.header.clone(),
                column: record_table
                    .columns
                    .get(column.column_index as usize)
                    .map(|column| column.letters.clone())
                    .unwrap_or_default(),
                field: column.field.clone(),
                suggestion: column.suggestion.clone(),
                confidence: column.confidence,
                reason: column.reason.clone(),
                fill: filled
                    .get(column.column_index as usize)
                    .map_or(0.0, |&count| count as f64 / statistics.rows_in.max(1) as f64),
            })
            .collect();
        self.lineage.table(&schema, &statistics);
        reading.statistics.push(statistics);
        reading.tables.push(record_table);
        Ok(())
    }

    /// Ends the check of a table, and keeps what it found.
    fn add_contract(&mut self, check: TableCheck, rows_read: bool, reading: &mut Reading) {
        let (statistics, diagnostics) = check.finish(rows_read);
        self.diagnostics.extend(diagnostics);
        reading.contracts.push(statistics);
    }

    /// Normalises the batches of a table on the threads of the pool while another thread reads.
    fn normalise_all(
        &self,
        plan: &TablePlan,
        first: RecordBatch,
        batches: hotpass_ingest::table::Batches,
        keep: bool,
        mut check: Option<&mut TableCheck>,
    ) -> Result<Normalised, RefineError> {
        let cancel = &self.request.cancel;
        let progress = self.request.progress;
        let redaction = &self.redaction;
        let detection = self.compliance.detection.as_ref();
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(2 * rayon::current_num_threads());
            let reader = scope.spawn(move || {
                let (mut failure, mut kept) = (None, Vec::new());
                for (index, batch) in std::iter::once(Ok(first)).chain(batches).enumerate() {
                    match batch {
                        Ok(batch) => {
                            if keep {
                                kept.push(batch.clone());
                            }
                            // Keys are checked in the order of the rows, which only this thread has.
                            let refused =
                                check.as_mut().map(|check| check.add(&batch)).transpose()?.unwrap_or_default();
                            if cancel.is_cancelled() || sender.send((index, batch, refused)).is_err() {
                                break;
                            }
                        }
                        Err(error) => {
                            failure = Some(error);
                            break;
                        }
                    }
                }
                Ok((kept, failure))
            });
            let normalised: Result<Vec<_>, ArrowError> = receiver
                .into_iter()
                .par_bridge()
                .map(|(index, batch, refused)| {
                    let found = detection.map(|detection| detection.batch(&plan.columns, &batch));
                    let mut done = normalise_batch(plan, &batch, redaction)?;
                    let released = reject_rows(plan, &batch, &mut done, refused, redaction)?;
                    progress.advanced(Stage::Read, done.rows);
                    Ok((index, done, found, released))
                })
                .collect();
            let (kept, failure) =
                reader.join().unwrap_or_else(|_| Ok(Default::default())).map_err(ContractLoadError::Check)?;
            if cancel.is_cancelled() {
                return Err(RefineError::Cancelled);
            }
            let mut normalised = normalised?;
            normalised.sort_unstable_by_key(|(index, ..)| *index);
            let mut findings: Option<TableDetection<'_>> = None;
            let mut batches = Vec::with_capacity(normalised.len());
            let mut released = Vec::new();
            for (_, batch, found, overruled) in normalised {
                batches.push(batch);
                released.extend(overruled);
                match (&mut findings, found) {
                    (Some(findings), Some(found)) => findings.merge(found),
                    (findings, found) => *findings = found,
                }
            }
            Ok((batches, kept, failure, findings.map(|found| found.finish(plan.place.clone())), released))
        })
    }

    /// Brings in the records of acquisition agents.
    fn acquire(&mut self, reading: &mut Reading) -> Result<(), RefineError> {
        let config = self.request.config;
        for agent in acquisition::agent_tables(config)? {
            let table = OpenTable {
                schema: agent.schema,
                diagnostics: Vec::new(),
                batches: Box::new(std::iter::once(Ok(agent.batch))),
                late_diagnostics: LateDiagnostics::default(),
            };
            let source = Source {
                name: agent.dataset.clone(),
                priority: agent.priority,
                columns: agent.columns,
                ..Source::default()
            };
            let rules = MappingRules { explicit: source.columns.clone(), ..MappingRules::default() };
            self.read_table(table, &agent.dataset, Some(&source), &rules, reading)?;
        }
        Ok(())
    }

    /// Reports on personal data, before anything is published.
    fn comply(
        &mut self,
        statistics: &mut RunStatistics,
        tables: &RunTables,
        consent: &EntityConsent,
        sources: Vec<hotpass_privacy::detect::TableFindings>,
        has_consent_column: bool,
    ) {
        let suppressed_rows = self.compliance.suppressed_rows();
        self.inputs_held_back = self.redaction.is_active() || suppressed_rows > 0 || consent.holds_back();
        if suppressed_rows > 0 {
            self.diagnostics.push(Diagnostic::info(
                "privacy.suppressed",
                format!("People who were erased were taken out of source rows: {suppressed_rows}"),
            ));
        }
        let Some(table) = &tables.privacy else { return };
        let config = self.request.config;
        let facts = PrivacyFacts {
            run_id: self.directory.id(),
            day: self.request.clock.now().date_naive(),
            retention_until: self.manifest.retention_until.clone(),
            sources,
            published: self.compliance.detection.as_ref().map(|detection| detection.published(&tables.golden)),
            redaction: &self.redaction,
            consent,
            has_consent_column,
            suppression: &self.compliance.suppression,
            suppressed_rows,
            table,
        };
        let report = privacy_report(config, facts);
        let issues = report.issues.iter().map(|issue| Diagnostic::warning("privacy.issue", issue.clone()));
        self.diagnostics.extend(issues);
        statistics.privacy = Some(report);
    }

    fn survive(
        &mut self,
        records: &Records,
        entities: &Entities,
        consent: &EntityConsent,
    ) -> Result<Vec<GoldenChunk>, RefineError> {
        let config = self.request.config;
        let code = config.pipeline.country_code.as_deref().unwrap_or(&config.profile.default_country_code);
        let country = country_by_alpha2(code).map(|country| country.name.to_owned());
        let make_slug = |name: &str| slug(name).unwrap_or_default();
        let facts = RunFacts { run_id: self.directory.id(), started_at: self.started_at };
        let survival = Survival::new(
            records,
            entities,
            config,
            &self.redaction,
            (&self.compliance.without_contacts, consent),
            facts,
            country,
            &make_slug,
        );
        self.request.progress.started(Stage::Survive, Some(entities.len() as u64));
        let starts: Vec<usize> = (0..entities.len().max(1)).step_by(CHUNK).collect();
        starts
            .into_par_iter()
            .map(|start| {
                if self.request.cancel.is_cancelled() {
                    return Err(RefineError::Cancelled);
                }
                let end = (start + CHUNK).min(entities.len());
                let chunk = survival.chunk(start..end)?;
                self.request.progress.advanced(Stage::Survive, (end - start) as u64);
                Ok(chunk)
            })
            .collect()
    }

    /// Returns the decisions on rows of a table.
    fn decisions_on(&self, id: &hotpass_ingest::table::TableId) -> TableDecisions {
        let file = self.inputs.iter().find(|file| file.name == id.file);
        let digest = file.map(|file| file.sha256.to_string()).unwrap_or_default();
        self.decisions.of_table(&id.file, id.sheet.as_deref(), id.table, &digest, self.redaction.is_active())
    }

    /// Checks the golden records, and withholds those that severity `quarantine` keeps from being published.
    fn expect(
        &mut self,
        records: &Records,
        entities: Entities,
        mut chunks: Vec<GoldenChunk>,
        reading: &mut Reading,
    ) -> Result<(Entities, Vec<GoldenChunk>), RefineError> {
        let golden: Vec<&RecordBatch> = chunks.iter().map(|chunk| &chunk.golden).collect();
        let result = self.expectations.check_published(&golden)?;
        let redaction = &self.redaction;
        let show = |value: &str| redaction.is_active().then(|| redaction.apply(value));
        let decisions: Vec<TableDecisions> = records.tables.iter().map(|table| self.decisions_on(&table.id)).collect();
        let on_table = |table: u32| decisions[table as usize].clone();
        let withheld = crate::quality::withheld(&result.result, records, &entities, &on_table, &show);
        reading.results.push(result);
        reading.released.extend(withheld.released);
        if withheld.rows.is_empty() {
            return Ok((entities, chunks));
        }
        crate::quality::withhold(&mut chunks, &withheld.entities)?;
        for row in &withheld.rows {
            reading.statistics[row.table as usize].rows_quarantined += 1;
        }
        reading.quarantined.extend(withheld.rows);
        reading.quarantined.sort_by_key(|row| (row.table, row.row));
        Ok((entities.without(&withheld.entities), chunks))
    }

    /// Returns what the linkage model compares, unless redaction forbids to write it.
    fn keys_to_write(&mut self, records: &Records, entities: &Entities) -> Result<Option<RecordBatch>, RefineError> {
        let config = self.request.config;
        let by_consent = config.features.compliance && config.compliance.consent_required;
        if !(self.redaction.is_active() || by_consent) {
            let published: Vec<bool> = entities.entity_of.iter().map(|&entity| entity != NO_ENTITY).collect();
            return Ok(Some(published_keys(linkage_keys(records)?, &published)?));
        }
        self.diagnostics.push(
            Diagnostic::warning(
                "refine.linkage_keys.left_out",
                "The linkage keys are not written, since personal data is redacted",
            )
            .hint("Switch `compliance.pii_redaction.enabled` off to write them"),
        );
        Ok(None)
    }

    fn publish(
        &mut self,
        tables: &RunTables,
        statistics: &mut RunStatistics,
        results: &[DatasetResult],
    ) -> Result<(RunStatistics, Vec<WrittenFile>, bool), RefineError> {
        let config = self.request.config;
        let clock = self.request.clock;
        let pipeline = &config.pipeline;
        statistics.recommendations = crate::quality::recommendations(statistics);
        let broken_contract = contracts::failure(statistics, config.pipeline.qa_mode);
        let passed = broken_contract.is_none()
            && statistics.expectations.iter().all(|result| result.success || !result.fails_run);
        self.evidence.contracts(statistics.contracts.iter().map(|checked| (checked.place(), &checked.result)))?;
        let expectations = statistics.expectations.iter();
        self.evidence
            .expectations(expectations.map(|result| (result.dataset.clone(), result.name.clone(), result.success)))?;
        self.lineage.expected(statistics);
        if !statistics.released.is_empty() {
            let rows: Vec<String> = statistics.released.iter().map(ToString::to_string).collect();
            let entry = self.evidence.entry(hotpass_provenance::EntryKind::QuarantineReleased);
            self.evidence.record(entry.detail("rows", rows))?;
        }

        let started = Instant::now();
        let _in_publish = tracing::info_span!("refine.publish").entered();
        self.request.progress.started(Stage::Publish, None);
        self.lineage.stage_started(Stage::Publish);
        let run = self.directory.clone();
        let digest = self.manifest.config_digest.clone();
        let metadata = FileMetadata { run_id: run.id(), config_digest: &digest };
        let mut artefacts = write_run_tables(&run, tables, &metadata)?;
        self.check_cancelled()?;
        if !clock.is_fixed() {
            statistics.timings.clone_from(&self.timings);
        }
        let title = format!("{}: {}", config.profile.display_name, config.data_contract.dataset);
        let golden_file = run.path("golden.parquet");
        let input = PublishInput {
            golden: &tables.golden,
            conflicts: &tables.conflicts,
            quarantine: &tables.quarantine,
            statistics,
            run_id: run.id(),
            config_digest: &digest,
            clock,
            title: &title,
            golden_file: Some(&golden_file),
        };
        let mut outputs = write_output(&pipeline.output_path, &input)?;
        if let Some(path) = &pipeline.party_store_path {
            outputs.extend(write_party_store(path, &build_party_store(tables, &self.manifest.started_at)?, &metadata)?);
        }
        self.timings.push((Stage::Publish.name().to_owned(), started.elapsed().as_secs_f64()));
        if !clock.is_fixed() {
            statistics.timings.clone_from(&self.timings);
        }
        let mut sensitive = config.compliance.pii_fields.clone();
        sensitive.extend(pipeline.sensitive_fields.iter().cloned());
        let redaction = &self.redaction;
        let graph = self.lineage.graph(&Published {
            tables,
            statistics,
            outputs: &outputs,
            artefacts: &artefacts,
            redaction,
            passed,
        });
        let extras = ReportExtras {
            conflicts: &tables.conflicts,
            sensitive_fields: &sensitive,
            show_values: false,
            lineage: graph.as_ref(),
        };
        artefacts.push(write_diagnostics(&run, &self.diagnostics)?);
        artefacts
            .push(write_profile(&run, &crate::quality::profile_of(&tables.golden).map_err(ExpectationError::from)?)?);
        if config.quality.data_docs {
            artefacts.extend(write_data_docs(&run, &self.manifest.started_at, results)?);
        }
        if let Some(report) = &statistics.privacy {
            artefacts.push(write_privacy_report(&run, report)?);
        }
        artefacts.extend(write_report_files(&run, statistics, &extras)?);
        if let Some(path) = &pipeline.report_path {
            outputs.push(write_report_copy(path, pipeline.report_format, statistics, &extras)?);
        }
        let inputs: Vec<InputFile> =
            self.inputs.iter().map(|file| InputFile { name: file.name.to_string(), path: file.path.clone() }).collect();
        // The inputs hold what redaction removes, so they stay out of what is published.
        let archived: &[InputFile] = if self.inputs_held_back { &[] } else { &inputs };
        if pipeline.archive {
            if self.inputs_held_back {
                self.diagnostics.push(
                    Diagnostic::warning(
                        "refine.archive.inputs_left_out",
                        "The inputs are not archived, since they hold personal data that is not published",
                    )
                    .hint("Switch `compliance.pii_redaction.enabled` off to archive them"),
                );
            } else {
                artefacts.push(write_inputs_archive(&run, clock, &inputs)?);
            }
        }
        self.check_cancelled()?;
        let redaction = &self.redaction;
        let published = Published { tables, statistics, outputs: &outputs, artefacts: &artefacts, redaction, passed };
        let lineage = self.lineage.published(&run, &published)?;
        artefacts.extend(lineage);
        self.manifest.outputs = outputs.iter().map(|file| record(&file.path.display().to_string(), file)).collect();
        self.manifest.artefacts = artefacts.iter().map(|file| run_file(&run, file)).collect();
        self.manifest.rows = RowCounts {
            rows_in: statistics.rows_in,
            rows_in_entities: statistics.rows_in_entities,
            rows_quarantined: statistics.rows_quarantined,
            entities: statistics.entities,
        };
        self.manifest.stages = self
            .timings
            .iter()
            .map(|(name, seconds)| {
                let (rows_in, rows_out) = match name.as_str() {
                    "discover" => (0, 0),
                    "read" => (statistics.rows_in, statistics.rows_in_entities),
                    "group" => (statistics.rows_in_entities, statistics.entities),
                    _ => (statistics.entities, statistics.entities),
                };
                StageRecord { name: name.clone(), rows_in, rows_out, seconds: (!clock.is_fixed()).then_some(*seconds) }
            })
            .collect();
        if !passed {
            self.manifest.error = Some(broken_contract.unwrap_or("Expectations failed").to_owned());
        }
        self.manifest.finish(if passed { RunStatus::Completed } else { RunStatus::Failed }, clock);
        self.evidence.exported(&self.manifest.outputs)?;
        self.evidence.seal(&mut self.manifest)?;
        if pipeline.archive {
            let published: Vec<PathBuf> = outputs.iter().map(|file| file.path.clone()).collect();
            let artefacts: Vec<String> = self.manifest.artefacts.iter().map(|file| file.path.clone()).collect();
            let archive = write_archive(&ArchiveInput {
                directory: &pipeline.dist_dir,
                clock,
                published: &published,
                run: &run,
                artefacts: &artefacts,
                inputs: archived,
            })?;
            self.evidence.exported_later(&[&archive])?;
            outputs.push(archive);
        }
        let seconds = started.elapsed().as_secs_f64();
        self.request.progress.finished(Stage::Publish, seconds);
        telemetry::stage("refine", Stage::Publish, seconds);
        telemetry::refined(statistics, &outputs, &self.diagnostics);
        Ok((std::mem::take(statistics), outputs, passed))
    }
}

/// Makes sure that the country codes of the configuration are those of countries.
fn check_countries(config: &HotpassConfig) -> Result<(), RefineError> {
    let codes = [
        ("pipeline.country_code", config.pipeline.country_code.as_ref()),
        ("profile.default_country_code", Some(&config.profile.default_country_code)),
    ];
    for (key, code) in codes {
        if let Some(code) = code.filter(|code| country_by_alpha2(code).is_none()) {
            return Err(RefineError::UnknownCountry { key, code: code.clone() });
        }
    }
    Ok(())
}

/// Returns what to write instead of a code that no country has.
fn country_hint(code: &str) -> String {
    match parse_country(code) {
        Ok(country) => format!("The code of {} is `{}`", country.name, country.alpha2),
        Err(_) => "Use a code of two letters from ISO 3166-1, such as `ZA`".to_owned(),
    }
}

/// Writes the copy of the report that was asked for, in the form asked for or that its ending names.
fn write_report_copy(
    path: &Path,
    format: Option<ReportFormat>,
    statistics: &RunStatistics,
    extras: &ReportExtras<'_>,
) -> Result<WrittenFile, RefineError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let text = match (format, ending.as_str()) {
        (Some(ReportFormat::Json), _) | (None, "json") => report::json(statistics),
        (Some(ReportFormat::Markdown), _) | (None, "md" | "markdown") => report::markdown(statistics, extras),
        _ => report::html(statistics, extras),
    };
    hotpass_core::write_atomic(path, &text)
        .map_err(|source| RefineError::Report { path: path.to_path_buf(), source })?;
    Ok(WrittenFile {
        path: path.to_path_buf(),
        sha256: hotpass_core::sha256_bytes(&text),
        bytes: text.len() as u64,
        rows: None,
    })
}

/// Keeps the keys of published rows, numbered anew.
fn published_keys(keys: RecordBatch, published: &[bool]) -> Result<RecordBatch, ArrowError> {
    if !published.contains(&false) {
        return Ok(keys);
    }
    let kept = arrow::compute::filter_record_batch(&keys, &published.to_vec().into())?;
    let mut columns = kept.columns().to_vec();
    let place = kept.schema().index_of("unique_id")?;
    columns[place] = std::sync::Arc::new(arrow::array::Int64Array::from_iter_values(0..kept.num_rows() as i64));
    RecordBatch::try_new(kept.schema(), columns)
}

/// Returns the record of a file of the run folder.
fn run_file(run: &RunDirectory, file: &WrittenFile) -> FileRecord {
    record(&file.path.strip_prefix(run.root()).unwrap_or(&file.path).to_string_lossy(), file)
}

fn record(path: &str, file: &WrittenFile) -> FileRecord {
    FileRecord { path: path.replace('\\', "/"), sha256: file.sha256.clone(), bytes: file.bytes, rows: file.rows }
}

/// Groups records as the configuration says; by the model, where there is one.
pub(crate) fn group(
    config: &HotpassConfig,
    model: Option<&LinkageModel>,
    records: &Records,
) -> Result<Groups, GroupingError> {
    if !config.features.resolve {
        return NoGrouping.group(records);
    }
    let by_keys = DeterministicGrouping { resolve: &config.resolve, similarity: &organization_key_similarity };
    match model {
        Some(model) => ProbabilisticGrouping { by_keys, resolve: &config.resolve, model }.group(records),
        None => by_keys.group(records),
    }
}

fn date_rule(
    config: &HotpassConfig,
    schema: &hotpass_ingest::table::TableSchema,
    mapping: &hotpass_ingest::mapping::TableMapping,
) -> DateRule {
    let content = mapping
        .columns_of("last_interaction_date")
        .next()
        .and_then(|column| schema.columns.get(column as usize))
        .map(|column| &column.content);
    let order = match content.and_then(|content| content.date_order) {
        Some(hotpass_ingest::table::DateOrder::MonthDayYear) => DateOrder::MonthFirst,
        Some(hotpass_ingest::table::DateOrder::YearMonthDay) => DateOrder::YearFirst,
        Some(hotpass_ingest::table::DateOrder::DayMonthYear) | None => DateOrder::DayFirst,
    };
    let rule = DateRule::new(order, TextRule::new(Placeholders::with(&config.ingest.null_values)));
    match content.and_then(|content| content.excel_epoch) {
        Some(ExcelEpoch::Year1904) => rule.from_1904(),
        _ => rule,
    }
}

fn run_id(request: &RefineRequest<'_>, files: &[SourceFile], config_digest: &str) -> Result<RunId, RefineError> {
    if let Some(run_id) = &request.config.pipeline.run_id {
        return run_id.parse().map_err(|_| RefineError::RunId { run_id: run_id.clone() });
    }
    if !request.clock.is_fixed() {
        return Ok(RunId::random());
    }
    let mut hasher = Sha256::new();
    for file in files {
        hasher.update(file.name.as_bytes());
        hasher.update([0]);
        hasher.update(file.sha256.as_str());
    }
    hasher.update(config_digest);
    Ok(RunId::derived(request.clock, &hasher.finalize().into()))
}

/// Returns the last day the outputs may be kept.
fn retention(config: &HotpassConfig, clock: Clock) -> Option<String> {
    if !config.features.compliance {
        return None;
    }
    let days = config.compliance.retention_days?;
    let until = clock.now().date_naive().checked_add_days(chrono::Days::new(u64::from(days)))?;
    Some(until.format("%Y-%m-%d").to_string())
}

/// Returns the ids of interrupted runs; where a manifest says `running` although no process works on the run, it is corrected.
fn interrupted_runs(dist_dir: &Path, lineage: &LineageServices, clock: Clock) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dist_dir.join("runs")) else { return Vec::new() };
    let mut ids: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let path = entry.path();
            match Manifest::read(&path).ok()?.status {
                RunStatus::Running => {}
                RunStatus::Interrupted => return entry.file_name().into_string().ok(),
                _ => return None,
            }
            let mut manifest = Manifest::open_run(&path).ok()?;
            if manifest.status != RunStatus::Interrupted {
                return None;
            }
            // A folder that cannot be written to is told about all the same.
            let _ = record_interrupted(&path, &mut manifest, clock);
            crate::lineage::abort(&path, lineage, clock);
            entry.file_name().into_string().ok()
        })
        .collect();
    ids.sort_unstable();
    ids
}

fn stem(name: &str) -> String {
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

fn refusal(error: IngestError, file: &SourceFile) -> Diagnostic {
    refused(error, &hotpass_core::Location::file(std::sync::Arc::clone(&file.name)))
}

fn refused(error: IngestError, location: &hotpass_core::Location) -> Diagnostic {
    match error {
        IngestError::Refused(diagnostic) => *diagnostic,
        error @ IngestError::Read { .. } => {
            Diagnostic::error("refine.file.unreadable", error.to_string()).at(location.clone())
        }
    }
}
