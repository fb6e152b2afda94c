//! The OpenLineage events of a run: what it read, did and wrote, as it happens.
//!
//! The run is a run of job `hotpass.pipeline.PROFILE`; its stages are runs of child jobs. All events are kept in
//! `lineage.ndjson` of the run folder, and sent where [`LineageServices::emitter`] leads. Each is put there as it is made, so
//! that those of a run that is killed are there too; the next run makes its ABORT. The last event of a run is made before the
//! manifest is sealed, so that the file is under the seal, and sent after it.

pub(crate) mod columns;
mod facets;
mod interrupted;
mod naming;
mod resolve;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use hotpass_config::HotpassConfig;
use hotpass_config::model::Lineage;
use hotpass_core::fields::{GOLDEN_COLUMNS, QUARANTINE_COLUMNS};
use hotpass_core::{Clock, RunDirectory, RunId, Sha256Digest, column_letters, sha256_bytes};
use hotpass_ingest::table::{CellKinds, ContentType, TableSchema};
use hotpass_lineage::facet::{
    DatasetFacets, ErrorMessage, InputFacets, LifecycleState, NominalTime, Parent, ParentJob, ParentRoot, ParentRun,
    RunFacets,
};
use hotpass_lineage::{
    Emitter, Event, LineageGraph, event::InputDataset, event::Job, event::OutputDataset, event::Run, event::RunEvent,
    event::RunState, event::Timestamp, event::Uuid, settings::ParentReference,
};
use hotpass_provenance::Manifest;
use sha2::{Digest, Sha256};

use crate::compliance::Redaction;
use crate::contracts::ContractStatistics;
use crate::golden::GoldenChunk;
use crate::progress::Stage;
use crate::publish::{PublishError, WrittenFile};
use crate::statistics::{RunStatistics, TableStatistics};
use crate::tables::RunTables;
use columns::ColumnFacts;
pub(crate) use columns::Wins;
use facets::Facets;
pub(crate) use interrupted::abort;
pub(crate) use resolve::ResolveLineage;

/// Name of the file of events in the run folder.
pub const LINEAGE_FILE: &str = "lineage.ndjson";
/// Name of the picture of the run's graph in the run folder.
pub const LINEAGE_PICTURE: &str = "lineage.svg";

/// Where a run's lineage goes, and what surrounds the run.
#[derive(Debug, Clone, Default)]
pub struct LineageServices {
    /// Takes the events; the default sends nothing.
    pub emitter: Emitter,
    /// The run that started this one, such as a task of a scheduler.
    pub parent: Option<ParentReference>,
    /// When the run was meant to happen, in milliseconds since 1970; when it started, where absent.
    pub nominal_start: Option<i64>,
    /// Variables of the environment that may be shown, with their values.
    pub environment: BTreeMap<String, String>,
    /// Tags of the job, besides those of the configuration.
    pub job_tags: BTreeMap<String, String>,
    /// Tags of the run.
    pub run_tags: BTreeMap<String, String>,
    /// Folder that datasets are named relative to.
    pub workspace: Option<PathBuf>,
    /// Settings of a run that has no configuration of its own, as one that resolves files.
    pub config: Option<Lineage>,
}

/// A source table, as events need it.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourceTable {
    /// Name as dataset.
    name: String,
    /// Name as positions show it.
    place: String,
    /// Name of the file as dataset.
    file: String,
    sheet: Option<String>,
    /// Source of the profile.
    dataset: String,
    rows: u64,
    bytes: Option<u64>,
    sha256: Option<Sha256Digest>,
    columns: Vec<SourceTableColumn>,
}

impl SourceTable {
    /// Returns whether a contract was checked on this table.
    fn is_of(&self, contract: &ContractStatistics) -> bool {
        let mut place = contract.place();
        if contract.table > 0 {
            place = format!("{place}#{}", contract.table + 1);
        }
        self.place == contract.place() || self.place == place
    }
}

/// A column of a source table.
#[derive(Debug, Clone, Default)]
struct SourceTableColumn {
    /// Position among the columns that were read.
    position: usize,
    /// Name, unique in the table.
    name: String,
    letters: String,
    kind: &'static str,
    /// Canonical field.
    field: Option<String>,
    /// Rows with a value.
    filled: u64,
}

/// What a run has published.
#[derive(Clone, Copy)]
pub(crate) struct Published<'a> {
    pub(crate) tables: &'a RunTables,
    pub(crate) statistics: &'a RunStatistics,
    pub(crate) outputs: &'a [WrittenFile],
    pub(crate) artefacts: &'a [WrittenFile],
    pub(crate) redaction: &'a Redaction,
    pub(crate) passed: bool,
}

/// The stages that are child jobs; what comes before the run has an id is none.
const STAGES: [(Stage, &str); 5] = [
    (Stage::Read, "Reads files, maps their columns and normalises their fields"),
    (Stage::Group, "Groups records into entities"),
    (Stage::Survive, "Chooses the values of the golden records"),
    (Stage::Expect, "Checks the published table against the expectations of the profile"),
    (Stage::Publish, "Writes the published files and the run folder"),
];
const SOURCE: &str = "crates/hotpass-pipeline/src/refine.rs";

/// The lineage of a run that goes on; does nothing where the configuration switches it off.
pub(crate) struct RunLineage(Option<Box<Recorder>>);

struct Recorder {
    services: LineageServices,
    config: HotpassConfig,
    clock: Clock,
    producer: String,
    dataset_namespace: String,
    run_id: RunId,
    /// When it started, in milliseconds since 1970.
    started: i64,
    config_digest: String,
    job: Job,
    /// Facets that every event of the run has.
    run_facets: RunFacets,
    /// Input file to size and digest.
    files: BTreeMap<String, (PathBuf, u64, Sha256Digest)>,
    /// Files that will be written and were there before.
    replaced: Vec<PathBuf>,
    tables: Vec<SourceTable>,
    wins: Wins,
    /// The stage that goes on.
    stage: Option<Stage>,
    events: Vec<Event>,
    /// The last event, until the manifest is sealed.
    last: Option<Event>,
    /// The file of events while the run goes on; nothing where it cannot be written.
    file: Option<File>,
}

impl RunLineage {
    /// Begins the lineage of a run and sends its START.
    pub(crate) fn start(
        config: &HotpassConfig,
        services: &LineageServices,
        command: &[String],
        (directory, manifest): (&RunDirectory, &Manifest),
        clock: Clock,
        files: &[hotpass_ingest::SourceFile],
    ) -> Self {
        let Ok(run_id) = manifest.run_id.parse::<RunId>() else { return Self(None) };
        if !config.lineage.enabled {
            return Self(None);
        }
        let producer = config.lineage.producer.clone().unwrap_or_else(default_producer);
        let pipeline = &config.pipeline;
        let output = &pipeline.output_path;
        let replaced =
            [Some(output.clone()), Some(output.with_extension("parquet")), pipeline.party_store_path.clone()]
                .into_iter()
                .flatten()
                .filter(|path| path.exists())
                .collect();
        let mut recorder = Recorder {
            services: services.clone(),
            config: config.clone(),
            clock,
            dataset_namespace: naming::dataset_namespace(&config.lineage),
            run_id,
            started: clock.now_milliseconds(),
            config_digest: manifest.config_digest.clone(),
            job: Job {
                namespace: config.lineage.namespace.clone(),
                name: format!("hotpass.pipeline.{}", config.profile.name),
                facets: None,
            },
            run_facets: RunFacets::default(),
            files: files
                .iter()
                .map(|file| (file.name.to_string(), (file.path.clone(), file.bytes, file.sha256.clone())))
                .collect(),
            replaced,
            tables: Vec::new(),
            wins: Wins::default(),
            stage: None,
            events: Vec::new(),
            last: None,
            file: File::create(directory.path(LINEAGE_FILE)).ok(),
            producer,
        };
        recorder.begin(command);
        Self(Some(Box::new(recorder)))
    }

    /// A stage begins.
    pub(crate) fn stage_started(&mut self, stage: Stage) {
        if let Some(recorder) = &mut self.0 {
            recorder.stage_started(stage);
        }
    }

    /// A stage has done its work; publishing ends with [`RunLineage::published`].
    pub(crate) fn stage_finished(&mut self, stage: Stage) {
        if let Some(recorder) = &mut self.0 {
            recorder.stage_finished(stage);
        }
    }

    /// A table was read.
    pub(crate) fn table(&mut self, schema: &TableSchema, statistics: &TableStatistics) {
        if let Some(recorder) = &mut self.0 {
            recorder.table(schema, statistics);
        }
    }

    /// The golden records were made.
    pub(crate) fn survived(&mut self, chunks: &[GoldenChunk]) {
        if let Some(recorder) = &mut self.0 {
            for chunk in chunks {
                recorder.wins.merge(&chunk.wins);
            }
        }
    }

    /// The expectations were checked.
    pub(crate) fn expected(&mut self, statistics: &RunStatistics) {
        if let Some(recorder) = &mut self.0 {
            recorder.expected(statistics);
        }
    }

    /// Returns what the run reads and writes, for its report.
    pub(crate) fn graph(&self, published: &Published<'_>) -> Option<LineageGraph> {
        let recorder = self.0.as_ref()?;
        let mut event = recorder.run_event(if published.passed { RunState::Complete } else { RunState::Fail });
        event.inputs = Some(recorder.inputs());
        event.outputs = Some(recorder.outputs(published));
        let mut events = recorder.events.clone();
        events.push(Event::Run(event));
        let mut graph = LineageGraph::from_events(&events);
        // The report is written while the run goes on: what it says of times comes from elsewhere.
        graph.stages.clear();
        graph.ended = None;
        Some(graph)
    }

    /// The files were published: makes the last events, and writes the files of the run folder.
    ///
    /// # Errors
    ///
    /// Returns [`PublishError`] when a file cannot be written.
    pub(crate) fn published(
        &mut self,
        run: &RunDirectory,
        published: &Published<'_>,
    ) -> Result<Vec<WrittenFile>, PublishError> {
        let Some(recorder) = &mut self.0 else { return Ok(Vec::new()) };
        recorder.published(published);
        recorder.write(run)
    }

    /// The run stopped: makes the last events, and writes the files of the run folder as far as that can be done.
    pub(crate) fn stopped(&mut self, run: &RunDirectory, message: &str, cancelled: bool) -> Vec<WrittenFile> {
        let Some(recorder) = &mut self.0 else { return Vec::new() };
        recorder.stopped(message, cancelled);
        // The error that stopped the run is the one to tell.
        recorder.write(run).unwrap_or_default()
    }

    /// The manifest is sealed: sends the last event.
    pub(crate) fn sealed(&mut self) {
        if let Some(recorder) = &mut self.0
            && let Some(event) = recorder.last.take()
        {
            recorder.services.emitter.emit(&event);
        }
    }
}

impl Recorder {
    fn facets(&self) -> Facets<'_> {
        Facets { producer: &self.producer, config: &self.config }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.clock.now_milliseconds())
    }

    fn begin(&mut self, command: &[String]) {
        let facets = self.facets();
        let profile = &self.config.profile;
        let what = if profile.summary.is_empty() {
            format!("Refines the sources of profile {} into one governed table", profile.name)
        } else {
            profile.summary.clone()
        };
        let job_facets = facets.job(None, &what, SOURCE, &self.services);
        let nominal = self.services.nominal_start.unwrap_or_else(|| self.clock.now_milliseconds());
        let run_facets = RunFacets {
            nominal_time: facets
                .of(NominalTime { nominal_start_time: Timestamp::from_milliseconds(nominal), nominal_end_time: None }),
            parent: self.services.parent.as_ref().and_then(|parent| facets.of(outside(parent))),
            processing_engine: facets.engine(),
            execution_parameters: facets.parameters(command),
            environment_variables: facets.environment(&self.services.environment),
            tags: facets.run_tags(&self.services.run_tags),
            ..RunFacets::default()
        };
        self.job.facets = Some(job_facets);
        self.run_facets = run_facets;
        let mut event = self.run_event(RunState::Start);
        self.own(&mut event, None, None);
        self.keep(event);
    }

    /// Makes an event of the run itself.
    fn run_event(&self, state: RunState) -> RunEvent {
        let run = Run { run_id: uuid_of(self.run_id), facets: Some(self.run_facets.clone()) };
        RunEvent::new(state, self.now(), &self.producer, run, self.job.clone())
    }

    /// Makes an event of a stage.
    fn stage_event(&self, stage: Stage, state: RunState) -> RunEvent {
        let facets = self.facets();
        let what = STAGES.iter().find(|(known, _)| *known == stage).map_or("", |(_, what)| what);
        let job = Job {
            namespace: self.job.namespace.clone(),
            name: format!("{}.{}", self.job.name, stage.name()),
            facets: Some(facets.job(Some(stage.name()), what, SOURCE, &self.services)),
        };
        let own = Parent {
            run: ParentRun { run_id: uuid_of(self.run_id), facets: None },
            job: ParentJob { namespace: self.job.namespace.clone(), name: self.job.name.clone(), facets: None },
            root: Some(self.root()),
        };
        let run = Run {
            run_id: uuid_of(self.stage_id(stage)),
            facets: Some(RunFacets {
                parent: facets.of(own),
                processing_engine: facets.engine(),
                nominal_time: self.run_facets.nominal_time.clone(),
                ..RunFacets::default()
            }),
        };
        let mut event = RunEvent::new(state, self.now(), &self.producer, run, job);
        self.own(&mut event, None, Some(stage));
        event
    }

    /// Returns the run at the top of the hierarchy.
    fn root(&self) -> ParentRoot {
        match &self.services.parent {
            Some(parent) => outside(parent).root.unwrap_or_default(),
            None => ParentRoot {
                run: ParentRun { run_id: uuid_of(self.run_id), facets: None },
                job: ParentJob { namespace: self.job.namespace.clone(), name: self.job.name.clone(), facets: None },
            },
        }
    }

    /// Returns the id of a stage's run: the same for the same run.
    fn stage_id(&self, stage: Stage) -> RunId {
        let mut hasher = Sha256::new();
        hasher.update(self.run_id.to_string());
        hasher.update(stage.name());
        RunId::derived(Clock::Fixed(self.started), &hasher.finalize().into())
    }

    /// Puts Hotpass's own facet on an event.
    fn own(&self, event: &mut RunEvent, end: Option<(&RunStatistics, bool)>, stage: Option<Stage>) {
        let mut own = self.facets().own_run(&self.config_digest, end);
        own.stage = stage.map(|stage| stage.name().to_owned());
        // Plain text and numbers are always JSON.
        let _ = event.run.facets.get_or_insert_default().set_custom(&self.producer, own);
    }

    /// Keeps an event and sends it.
    fn keep(&mut self, event: RunEvent) {
        let event = Event::Run(event);
        self.services.emitter.emit(&event);
        if let (Some(file), Ok(line)) = (&mut self.file, event.to_json()) {
            // At its end the run writes the file again, and tells where that fails.
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
        self.events.push(event);
    }

    /// Keeps the last event; it is sent when the manifest is sealed.
    fn keep_last(&mut self, event: RunEvent) {
        let event = Event::Run(event);
        self.last = Some(event.clone());
        self.events.push(event);
    }

    fn stage_started(&mut self, stage: Stage) {
        if STAGES.iter().any(|(known, _)| *known == stage) {
            self.stage = Some(stage);
            let event = self.stage_event(stage, RunState::Start);
            self.keep(event);
        }
    }

    fn stage_finished(&mut self, stage: Stage) {
        // Expecting ends when the results are known as figures.
        if self.stage != Some(stage) || stage == Stage::Expect {
            return;
        }
        self.stage = None;
        let mut event = self.stage_event(stage, RunState::Complete);
        if stage == Stage::Read {
            event.inputs = Some(self.inputs());
        }
        self.keep(event);
        if stage == Stage::Read {
            // From here on it is known what the run reads, which a server may show while the run goes on.
            let mut event = self.run_event(RunState::Running);
            self.own(&mut event, None, None);
            event.inputs = Some(self.inputs());
            self.keep(event);
        }
    }

    fn inputs(&self) -> Vec<InputDataset> {
        let facets = self.facets();
        self.tables.iter().map(|table| facets.input(&self.dataset_namespace, table)).collect()
    }

    /// Returns the source tables with the results of the checks on them.
    fn checked_inputs(&self, statistics: &RunStatistics) -> Vec<InputDataset> {
        let mut inputs = self.inputs();
        for (table, input) in self.tables.iter().zip(&mut inputs) {
            let results: Vec<_> =
                statistics.expectations.iter().filter(|result| result.dataset == table.place).collect();
            let contracts: Vec<_> = statistics.contracts.iter().filter(|contract| table.is_of(contract)).collect();
            input.input_facets.get_or_insert_default().data_quality_assertions =
                self.facets().assertions(&contracts, &results);
        }
        inputs
    }

    fn table(&mut self, schema: &TableSchema, statistics: &TableStatistics) {
        let known = self.files.get(&statistics.file);
        let workspace = self.services.workspace.as_deref();
        let file = match known {
            Some((path, ..)) => naming::file_name(path, workspace, &statistics.file),
            None => naming::file_name(Path::new(&statistics.file), workspace, &statistics.file),
        };
        // Where a table has no row of headers, that of its first row was taken for one: it stays here.
        let headerless = crate::compliance::are_values(schema.columns.iter().map(|column| column.raw_header.as_str()));
        let columns = schema
            .columns
            .iter()
            .enumerate()
            .map(|(position, column)| {
                // A header that two columns have names neither.
                let unique = !column.raw_header.is_empty()
                    && schema.columns.iter().filter(|other| other.raw_header == column.raw_header).count() == 1;
                let letters = column_letters(column.index);
                let mapped = statistics.columns.iter().find(|mapped| mapped.column == letters);
                let name = if unique { column.raw_header.clone() } else { column.name.clone() };
                SourceTableColumn {
                    position,
                    name: if headerless { format!("column_{letters}") } else { name },
                    letters,
                    kind: type_of(&column.cell_kinds, column.content.content_type),
                    field: mapped.and_then(|mapped| mapped.field.clone()),
                    filled: mapped.map_or(0, |mapped| (mapped.fill * statistics.rows_in as f64).round() as u64),
                }
            })
            .collect();
        self.tables.push(SourceTable {
            name: naming::table_name(&file, statistics.sheet.as_deref(), statistics.table),
            place: schema.id.location().to_string(),
            file,
            sheet: statistics.sheet.clone(),
            dataset: statistics.source_dataset.clone(),
            rows: statistics.rows_in,
            bytes: known.map(|(_, bytes, _)| *bytes),
            sha256: known.map(|(.., digest)| digest.clone()),
            columns,
        });
    }

    fn expected(&mut self, statistics: &RunStatistics) {
        if self.stage != Some(Stage::Expect) {
            return;
        }
        self.stage = None;
        let facets = self.facets();
        let mut inputs = self.checked_inputs(statistics);
        inputs
            .retain(|input| input.input_facets.as_ref().is_some_and(|facets| facets.data_quality_assertions.is_some()));
        let sources: Vec<&str> = self.tables.iter().map(|table| table.place.as_str()).collect();
        let on_published: Vec<_> =
            statistics.expectations.iter().filter(|result| !sources.contains(&result.dataset.as_str())).collect();
        inputs.push(InputDataset {
            namespace: self.dataset_namespace.clone(),
            name: self.output_name(&self.config.pipeline.output_path),
            facets: Some(DatasetFacets {
                data_source: facets.source(&self.dataset_namespace),
                schema: facets.schema(GOLDEN_COLUMNS),
                ..DatasetFacets::default()
            }),
            input_facets: Some(InputFacets {
                data_quality_assertions: facets.assertions(&[], &on_published),
                ..InputFacets::default()
            }),
        });
        let mut event = self.stage_event(Stage::Expect, RunState::Complete);
        if let Some(run_facets) = &mut event.run.facets {
            run_facets.test = self.facets().tests(statistics);
        }
        event.inputs = Some(inputs);
        self.keep(event);
    }

    /// Returns the name of an output as dataset.
    fn output_name(&self, path: &Path) -> String {
        let own = path.file_name().unwrap_or_default().to_string_lossy();
        naming::file_name(path, self.services.workspace.as_deref(), &own)
    }

    fn outputs(&self, published: &Published<'_>) -> Vec<OutputDataset> {
        let Published { tables, statistics, outputs, artefacts, redaction, .. } = *published;
        let facets = self.facets();
        let output = &self.config.pipeline.output_path;
        let twin = output.with_extension("parquet");
        let lineage = ColumnFacts {
            config: &self.config,
            tables: &self.tables,
            wins: &self.wins,
            changes: &statistics.changes,
            redaction,
            namespace: &self.dataset_namespace,
        }
        .lineage();
        let mut datasets: Vec<OutputDataset> = outputs
            .iter()
            .filter(|file| file.rows.is_some())
            .map(|file| {
                let there = !self.clock.is_fixed() && !self.replaced.iter().any(|old| file.path.starts_with(old));
                let change = if there { LifecycleState::Create } else { LifecycleState::Overwrite };
                let mut dataset = facets.output(&self.dataset_namespace, self.output_name(&file.path), file, change);
                let golden = file.path == *output || file.path == twin;
                if let (true, Some(about)) = (golden, &mut dataset.facets) {
                    about.schema = facets.schema(GOLDEN_COLUMNS);
                    about.data_quality_metrics = facets.golden_metrics(&tables.golden, file.bytes);
                    about.column_lineage = facets.of(lineage.clone());
                    facets.describe_golden(about);
                }
                dataset
            })
            .collect();
        if let Some(file) = artefacts.iter().find(|file| file.path.ends_with("quarantine.parquet")) {
            // The table has the same name in every run; the version tells them apart.
            let folder = self.config.pipeline.dist_dir.join("runs").join("quarantine.parquet");
            let change = if self.clock.is_fixed() { LifecycleState::Overwrite } else { LifecycleState::Create };
            let mut dataset = facets.output(&self.dataset_namespace, self.output_name(&folder), file, change);
            if let Some(about) = &mut dataset.facets {
                about.schema = facets.schema(QUARANTINE_COLUMNS);
            }
            datasets.push(dataset);
        }
        datasets
    }

    fn published(&mut self, published: &Published<'_>) {
        let Published { statistics, passed, .. } = *published;
        let datasets = self.outputs(published);
        self.stage = None;
        let mut stage = self.stage_event(Stage::Publish, RunState::Complete);
        stage.outputs = Some(datasets.clone());
        self.keep(stage);
        let mut event = self.run_event(if passed { RunState::Complete } else { RunState::Fail });
        self.own(&mut event, Some((statistics, passed)), None);
        if let Some(run_facets) = &mut event.run.facets {
            let facets = self.facets();
            run_facets.test = facets.tests(statistics);
            if !passed {
                let broken = statistics.contracts.iter().filter(|contract| !contract.result.passed);
                let broken = broken.map(|contract| format!("contract {}", contract.result.contract));
                let failed = statistics.expectations.iter().filter(|result| !result.success && result.fails_run);
                let mut failed: Vec<String> = broken.chain(failed.map(|result| result.name.clone())).collect();
                failed.dedup();
                run_facets.error_message = facets.of(error(&format!("The data did not pass: {}", failed.join(", "))));
            }
        }
        event.inputs = Some(self.checked_inputs(statistics));
        event.outputs = Some(datasets);
        self.keep_last(event);
    }

    fn stopped(&mut self, message: &str, cancelled: bool) {
        // What was written of the end is no longer true.
        if self.last.take().is_some() {
            self.events.pop();
        }
        let state = if cancelled { RunState::Abort } else { RunState::Fail };
        let message = naming::without_folders(message);
        if let Some(stage) = self.stage.take() {
            let mut event = self.stage_event(stage, state);
            self.tell(&mut event, &message);
            self.keep(event);
        }
        let mut event = self.run_event(state);
        self.own(&mut event, None, None);
        self.tell(&mut event, &message);
        event.inputs = Some(self.inputs());
        self.keep_last(event);
    }

    fn tell(&self, event: &mut RunEvent, message: &str) {
        event.run.facets.get_or_insert_default().error_message = self.facets().of(error(message));
    }

    fn write(&mut self, run: &RunDirectory) -> Result<Vec<WrittenFile>, PublishError> {
        self.file = None;
        let path = run.path(LINEAGE_FILE);
        let mut text = String::new();
        for event in &self.events {
            text.push_str(&event.to_json().map_err(|error| PublishError::encode(&path, error))?);
            text.push('\n');
        }
        let picture = LineageGraph::from_events(&self.events).to_svg();
        Ok(vec![
            write_text(path, &text, Some(self.events.len() as u64))?,
            write_text(run.path(LINEAGE_PICTURE), &picture, None)?,
        ])
    }
}

fn write_text(path: PathBuf, text: &str, rows: Option<u64>) -> Result<WrittenFile, PublishError> {
    hotpass_core::write_atomic(&path, text).map_err(|source| PublishError::write(&path, source))?;
    Ok(WrittenFile { path, sha256: sha256_bytes(text), bytes: text.len() as u64, rows })
}

fn error(message: &str) -> ErrorMessage {
    ErrorMessage { message: message.to_owned(), programming_language: "RUST".to_owned(), stack_trace: None }
}

/// Returns the URI of this version of the program.
fn default_producer() -> String {
    concat!(env!("CARGO_PKG_REPOSITORY"), "/tree/v", env!("CARGO_PKG_VERSION")).to_owned()
}

/// Returns the id in the form of events.
fn uuid_of(id: RunId) -> Uuid {
    // Both are UUIDs.
    id.to_string().parse().unwrap_or_default()
}

/// Returns the facet of a parent from outside; where it names no root, it is the root.
fn outside(parent: &ParentReference) -> Parent {
    let run = |id| ParentRun { run_id: id, facets: None };
    let job = |namespace: &str, name: &str| ParentJob {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        facets: None,
    };
    let root = match &parent.root {
        Some((namespace, name, id)) => ParentRoot { run: run(*id), job: job(namespace, name) },
        None => ParentRoot { run: run(parent.run_id), job: job(&parent.namespace, &parent.name) },
    };
    Parent { run: run(parent.run_id), job: job(&parent.namespace, &parent.name), root: Some(root) }
}

/// Returns the type of a column: that of its cells where the file says it, else that of its content.
fn type_of(cells: &CellKinds, content: ContentType) -> &'static str {
    let typed = cells.number + cells.date + cells.boolean;
    if typed > cells.text {
        return if cells.number >= cells.date.max(cells.boolean) {
            "NUMBER"
        } else if cells.date >= cells.boolean {
            "DATE"
        } else {
            "BOOLEAN"
        };
    }
    match content {
        ContentType::Integer => "INTEGER",
        ContentType::Number => "NUMBER",
        ContentType::Boolean => "BOOLEAN",
        ContentType::Date => "DATE",
        ContentType::DateTime => "TIMESTAMP",
        _ => "STRING",
    }
}
