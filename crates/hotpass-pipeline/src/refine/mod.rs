//! The run: files in, one governed table out, with the evidence in the run folder.

mod error;
mod publishing;
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use arrow::record_batch::RecordBatch;
use hotpass_config::HotpassConfig;
use hotpass_core::{Clock, Diagnostic, RunDirectory, RunId};
use hotpass_ingest::{SourceFile, discover, source::DiscoverOptions};
use hotpass_normalise::{country_by_alpha2, organization_key_similarity, slug};
use hotpass_provenance::manifest::{FileRecord, RunStatus, config_digest};
use hotpass_provenance::{Manifest, manifest::RunLock, run_of_file};
use hotpass_resolve::model::LinkageModel;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

pub use error::RefineError;
use publishing::run_file;
use reading::Reading;

use crate::assemble::{self, Assembly};
use crate::compliance::{Compliance, EntityConsent, PrivacyFacts, Redaction, privacy_report, privacy_table};
use crate::contracts::SourceContracts;
use crate::decisions::{QuarantineDecisions, TableDecisions, decisions_file};
use crate::entities::Entities;
use crate::evidence::{Evidence, record_interrupted};
use crate::golden::{GoldenChunk, RunFacts, Survival, rule_of};
use crate::grouping::{DeterministicGrouping, EntityGrouping, Groups, NoGrouping};
use crate::lineage::columns::canonical_field;
use crate::lineage::{LineageServices, RunLineage};
use crate::linkage::{GroupingError, ProbabilisticGrouping, linkage_model};
use crate::progress::{CancelToken, Progress, Stage};
use crate::publish::{WrittenFile, output_files, overwritten_input};
use crate::quality::Expectations;
use crate::reading::mapping_files;
use crate::records::Records;
use crate::services::Services;
use crate::statistics::RunStatistics;
use crate::tables::RunTables;
use crate::telemetry;

/// Entities of one unit of work.
const CHUNK: usize = 8192;
/// Most decisions that a message names.
const SHOWN_DECISIONS: usize = 5;

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
    /// Whether a contract or suite that the profile names applied to nothing where it ought to.
    checks_unmatched: bool,
    timings: Vec<(String, f64)>,
}

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
        let (expectations, warnings) = Expectations::from_config(config, &request.services)?;
        let decisions = QuarantineDecisions::read(&decisions_file(config))?;
        let model = linkage_model(config)?;
        crate::publish::OutputFormat::from_path(&pipeline.output_path)?;

        let started = Instant::now();
        let span = tracing::info_span!("refine.discover").entered();
        request.progress.started(Stage::Discover, None);
        let inputs = if request.inputs.is_empty() { vec![pipeline.input_dir.clone()] } else { request.inputs.clone() };
        let discovery = discover(&inputs, &DiscoverOptions { dist_dir: Some(pipeline.dist_dir.clone()) })?;
        let files = without_outputs(discovery.files, &inputs, config)?;
        let mut diagnostics: Vec<Diagnostic> = discovery.unreadable;
        diagnostics.extend(warnings);
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
            checks_unmatched: false,
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
        let (unmatched, fails) = reading.sources.unmatched(&config.profile.sources);
        self.diagnostics.extend(unmatched);
        self.checks_unmatched = fails;
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

        self.tell_idle_decisions(&reading);
        let stays = crate::decisions::places(&reading.quarantined, &records);
        reading.released.retain(|row| !stays.contains(&row.place()));
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
        self.diagnostics.extend(crate::quality::unknown_shown(config, &statistics.tables));
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
        if statistics.entities == 0 && statistics.rows_in > 0 {
            self.diagnostics.push(
                Diagnostic::warning(
                    "refine.output.empty",
                    "The published table is empty: no source row reached it, every one is in quarantine",
                )
                .hint("See why with `hotpass quarantine list`"),
            );
        }
        statistics.released = reading.released;
        statistics.expectations = self.expectations.report(&reading.results);
        let has_consent_column = records.has(crate::records::TextField::ConsentStatus);
        drop((groups, entities, records));
        self.check_cancelled()?;
        self.comply(&mut statistics, &tables, &consent, reading.findings, has_consent_column);
        self.publish(&tables, &mut statistics, &reading.results)
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

    /// Tells the decisions on files of this run that fit none of its rows.
    fn tell_idle_decisions(&mut self, reading: &Reading) {
        let read: BTreeSet<&str> = self.inputs.iter().map(|file| &*file.name).collect();
        let idle: Vec<String> = self
            .decisions
            .iter()
            .enumerate()
            .filter(|(number, decision)| {
                !reading.decisions_used.contains(number) && read.contains(decision.source_file.as_str())
            })
            .map(|(_, decision)| format!("`{}`", decision.place()))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        if idle.is_empty() {
            return;
        }
        let shown = idle.iter().take(SHOWN_DECISIONS).cloned().collect::<Vec<_>>().join(", ");
        let more = if idle.len() > SHOWN_DECISIONS { " and others" } else { "" };
        let fit = if idle.len() == 1 { "decision fits" } else { "decisions fit" };
        let file = decisions_file(self.request.config);
        self.diagnostics.push(
            Diagnostic::warning(
                "quarantine.decision.idle",
                format!("{} {fit} no row as it is now: {shown}{more}", idle.len()),
            )
            .hint(format!(
                "A decision holds for the cells as they were: decide anew with `hotpass quarantine release`, or delete its line in `{}`",
                file.display()
            )),
        );
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
        let judged: Vec<&RecordBatch> =
            chunks.iter().map(|chunk| chunk.judged.as_ref().unwrap_or(&chunk.golden)).collect();
        let result = self.expectations.check_published(&judged, &golden)?;
        for chunk in &mut chunks {
            chunk.judged = None;
        }
        let redaction = &self.redaction;
        let show = |value: &str| redaction.is_active().then(|| redaction.apply(value));
        let decisions: Vec<TableDecisions> = records.tables.iter().map(|table| self.decisions_on(&table.id)).collect();
        let tables = &reading.statistics;
        let letters = |table: u32, published: &str| -> Option<String> {
            let field = canonical_field(published)?;
            let columns = &tables.get(table as usize)?.columns;
            columns.iter().find(|column| column.field.as_deref() == Some(field)).map(|column| column.column.clone())
        };
        let withheld = crate::quality::withheld(&result.result, records, &entities, &decisions, &show, &letters);
        reading.results.push(result);
        reading.released.extend(withheld.released);
        reading.decisions_used.extend(withheld.used);
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
}

/// Leaves out of the inputs what an earlier run wrote where this one writes.
///
/// # Errors
///
/// Returns an error when a file that no run wrote would be overwritten, or one that was named as an input.
fn without_outputs(
    mut files: Vec<SourceFile>,
    inputs: &[PathBuf],
    config: &HotpassConfig,
) -> Result<Vec<SourceFile>, RefineError> {
    let pipeline = &config.pipeline;
    let mut outputs = output_files(&pipeline.output_path);
    outputs.extend(pipeline.party_store_path.clone());
    outputs.extend(pipeline.report_path.clone());
    let named = |path: &Path| overwritten_input([path], inputs.iter().map(PathBuf::as_path)).is_some();
    for output in &outputs {
        let Some(place) = files.iter().position(|file| overwritten_input([output.as_path()], [&*file.path]).is_some())
        else {
            continue;
        };
        if named(output) || !is_of_a_run(&files[place], &pipeline.dist_dir) {
            return Err(RefineError::OverwritesInput { path: output.clone() });
        }
        files.remove(place);
    }
    Ok(files)
}

/// Returns whether a run wrote the file: it says so itself, or a manifest names its digest.
fn is_of_a_run(file: &SourceFile, dist_dir: &Path) -> bool {
    if run_of_file(&file.path).is_ok_and(|run| run.is_some()) {
        return true;
    }
    let runs = std::fs::read_dir(dist_dir.join("runs")).into_iter().flatten().flatten();
    runs.filter_map(|entry| Manifest::read(&entry.path()).ok())
        .any(|manifest| manifest.outputs.iter().any(|output| output.sha256 == file.sha256))
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
