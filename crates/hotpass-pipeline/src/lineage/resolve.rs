//! The events of a run that resolves files: START, its stages as child jobs, and what it read and wrote at its end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hotpass_core::{Clock, RunDirectory, RunId};
use hotpass_lineage::facet::{
    Assertion, ColumnLineage, ColumnLineageField, DataQualityAssertions, DataSource, DatasetDocumentation,
    DatasetFacets, DatasetType, DatasetVersion, EnvironmentVariable, EnvironmentVariables, ExecutionParameter,
    ExecutionParameters, Facet, FacetBody, Hierarchy, HierarchyLevel, InputFacets, InputField, InputStatistics,
    JobDocumentation, JobFacets, JobTags, JobType, LifecycleState, LifecycleStateChange, NominalTime, OutputFacets,
    OutputStatistics, Parent, ParentJob, ParentRoot, ParentRun, ProcessingEngine, RunFacets, RunTags, Schema,
    SchemaField, SourceCodeLocation, Storage, Tag, TestExecution, TestResults, Transformation,
};
use hotpass_lineage::{
    Event, event::InputDataset, event::Job, event::OutputDataset, event::Run, event::RunEvent, event::RunState,
    event::Timestamp,
};
use hotpass_provenance::Manifest;
use hotpass_provenance::manifest::FileRecord;
use hotpass_quality::ExpectationSeverity;
use sha2::{Digest, Sha256};

use super::facets::contract_assertions;
use super::{LINEAGE_FILE, LineageServices, default_producer, error, naming, outside, uuid_of};
use crate::resolve::{InputCheck, ResolveOutcome, ResolveRequest, ResolvedTable};

const SOURCE: &str = "crates/hotpass-pipeline/src/resolve/files.rs";
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The stages and what they do.
const STAGES: [(&str, &str); 6] = [
    ("expect", "Checks the inputs against their contract and expectations"),
    ("read", "Reads the records"),
    ("train", "Estimates the probabilities of the linkage model"),
    ("score", "Compares and scores pairs of records"),
    ("cluster", "Joins pairs to entities"),
    ("publish", "Writes the rows with their entities"),
];

/// The lineage of a run that resolves files.
pub(crate) struct ResolveLineage {
    services: LineageServices,
    producer: String,
    dataset_namespace: String,
    run_id: RunId,
    job: Job,
    run: Run,
    clock: Clock,
    started: i64,
    /// The file of rows with their entities, and its column of entities.
    output: (PathBuf, String),
    /// Whether it was there before.
    replaces: bool,
    /// Columns that are not written as they are, with what becomes of them.
    redacted: BTreeMap<String, String>,
    events: Vec<Event>,
}

impl ResolveLineage {
    /// Begins the lineage and sends START; nothing where lineage is switched off.
    pub(crate) fn start(
        services: &LineageServices,
        command: &[String],
        run: &RunDirectory,
        request: &ResolveRequest,
    ) -> Option<Self> {
        let config = services.config.clone().unwrap_or_default();
        let run_id: RunId = run.id().parse().ok().filter(|_| config.enabled)?;
        let producer = config.producer.clone().unwrap_or_else(default_producer);
        let clock = request.clock;
        let output = request.output_file.clone();
        let stem = output.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut lineage = Self {
            services: services.clone(),
            dataset_namespace: naming::dataset_namespace(&config),
            run_id,
            job: Job { namespace: config.namespace.clone(), name: format!("hotpass.resolve.{stem}"), facets: None },
            run: Run { run_id: uuid_of(run_id), facets: None },
            clock,
            started: clock.now_milliseconds(),
            replaces: output.exists(),
            output: (output, request.entity_id_column.clone()),
            redacted: request
                .operators
                .described()
                .into_iter()
                .map(|(column, operator)| (column.to_owned(), operator))
                .collect(),
            events: Vec::new(),
            producer,
        };
        let mut job = lineage.job_facets(None, "Finds the records that belong together");
        let tags: Vec<Tag> =
            services.job_tags.iter().chain(&config.tags).map(|(key, value)| user_tag(key, value)).collect();
        job.tags = (!tags.is_empty()).then(|| lineage.of(JobTags { tags: Some(tags) }));
        lineage.job.facets = Some(job);
        lineage.run.facets = Some(lineage.run_facets(command));
        let event = Event::Run(lineage.event(RunState::Start));
        // The last word is written at the end of the run; until then the file says that it began.
        if let Ok(line) = event.to_json() {
            let _ = hotpass_core::write_atomic(run.path(LINEAGE_FILE), line + "\n");
        }
        lineage.services.emitter.emit(&event);
        lineage.events.push(event);
        Some(lineage)
    }

    fn of<B: FacetBody>(&self, body: B) -> Facet<B> {
        Facet::new(&self.producer, body)
    }

    fn job_facets(&self, stage: Option<&str>, what: &str) -> JobFacets {
        let repository = env!("CARGO_PKG_REPOSITORY");
        JobFacets {
            job_type: Some(self.of(JobType {
                processing_type: "BATCH".to_owned(),
                integration: "HOTPASS".to_owned(),
                job_type: Some(if stage.is_some() { "TASK" } else { "JOB" }.to_owned()),
                ..JobType::default()
            })),
            documentation: Some(
                self.of(JobDocumentation { description: what.to_owned(), content_type: Some("text/plain".to_owned()) }),
            ),
            source_code_location: Some(self.of(SourceCodeLocation {
                kind: "git".to_owned(),
                url: format!("{repository}/blob/v{VERSION}/{SOURCE}"),
                repo_url: Some(repository.to_owned()),
                path: Some(SOURCE.to_owned()),
                version: Some(format!("v{VERSION}")),
                tag: Some(format!("v{VERSION}")),
                ..SourceCodeLocation::default()
            })),
            ..JobFacets::default()
        }
    }

    fn engine(&self) -> Facet<ProcessingEngine> {
        self.of(ProcessingEngine {
            version: VERSION.to_owned(),
            name: Some("hotpass".to_owned()),
            openlineage_adapter_version: Some(VERSION.to_owned()),
        })
    }

    fn run_facets(&self, command: &[String]) -> RunFacets {
        let services = &self.services;
        let parameters = vec![ExecutionParameter {
            key: "command".to_owned(),
            value: Some(command.join(" ")),
            ..ExecutionParameter::default()
        }];
        let variables: Vec<EnvironmentVariable> = services
            .environment
            .iter()
            .map(|(name, value)| EnvironmentVariable { name: name.clone(), value: value.clone() })
            .collect();
        let tags: Vec<Tag> = services.run_tags.iter().map(|(key, value)| user_tag(key, value)).collect();
        let start = services.nominal_start.unwrap_or(self.started);
        RunFacets {
            nominal_time: Some(
                self.of(NominalTime {
                    nominal_start_time: Timestamp::from_milliseconds(start),
                    nominal_end_time: None,
                }),
            ),
            parent: services.parent.as_ref().map(|parent| self.of(outside(parent))),
            processing_engine: Some(self.engine()),
            execution_parameters: (!command.is_empty())
                .then(|| self.of(ExecutionParameters { parameters: Some(parameters) })),
            environment_variables: (!variables.is_empty())
                .then(|| self.of(EnvironmentVariables { environment_variables: variables })),
            tags: (!tags.is_empty()).then(|| self.of(RunTags { tags: Some(tags) })),
            ..RunFacets::default()
        }
    }

    fn event(&self, state: RunState) -> RunEvent {
        let now = Timestamp::from_milliseconds(self.clock.now_milliseconds());
        RunEvent::new(state, now, &self.producer, self.run.clone(), self.job.clone())
    }

    /// Makes the last events from the manifest, writes `lineage.ndjson` into the run folder and puts it into the manifest.
    pub(crate) fn finish(
        &mut self,
        run: &RunDirectory,
        manifest: &mut Manifest,
        state: RunState,
        outcome: Option<&ResolveOutcome>,
    ) {
        let mut event = self.event(state);
        let tables = outcome.map_or(&[][..], |outcome| &outcome.tables);
        let checks = outcome.map_or(&[][..], |outcome| &outcome.checks);
        let facets = event.run.facets.get_or_insert_default();
        if let Some(message) = &manifest.error {
            facets.error_message = Some(self.of(error(&naming::without_folders(message))));
        }
        let tests = tests(checks);
        facets.test = (!tests.is_empty()).then(|| self.of(TestResults { tests }));
        event.inputs = Some(manifest.inputs.iter().flat_map(|file| self.inputs(file, tables, checks)).collect());
        event.outputs = Some(manifest.outputs.iter().map(|file| self.output(file, tables)).collect());
        for stage in self.stages(manifest, &event) {
            self.services.emitter.emit(&stage);
            self.events.push(stage);
        }
        self.events.push(Event::Run(event));
        let path = run.path(LINEAGE_FILE);
        let lines: Vec<String> = self.events.iter().filter_map(|event| event.to_json().ok()).collect();
        let written = hotpass_core::write_atomic(&path, lines.join("\n") + "\n")
            .and_then(|()| FileRecord::of(LINEAGE_FILE, &path, Some(self.events.len() as u64)));
        // A run does not fail for its lineage; without the file the manifest names none.
        manifest.artefacts.extend(written);
    }

    /// The manifest is sealed: sends the last event.
    pub(crate) fn sealed(&self) {
        if let Some(event) = self.events.last() {
            self.services.emitter.emit(event);
        }
    }

    /// Returns the stages that were done, as runs of child jobs, from the times they took.
    fn stages(&self, manifest: &Manifest, whole: &RunEvent) -> Vec<Event> {
        let mut events = Vec::new();
        let mut now = self.started as f64;
        for stage in &manifest.stages {
            let what = STAGES.iter().find(|(name, _)| *name == stage.name).map_or("", |(_, what)| what);
            let job = Job {
                namespace: self.job.namespace.clone(),
                name: format!("{}.{}", self.job.name, stage.name),
                facets: Some(self.job_facets(Some(&stage.name), what)),
            };
            let mut hasher = Sha256::new();
            hasher.update(self.run_id.to_string());
            hasher.update(&stage.name);
            let id = RunId::derived(Clock::Fixed(self.started), &hasher.finalize().into());
            let own_run = || ParentRun { run_id: self.run.run_id, facets: None };
            let own_job =
                || ParentJob { namespace: self.job.namespace.clone(), name: self.job.name.clone(), facets: None };
            let root = self.services.parent.as_ref().and_then(|parent| outside(parent).root);
            let parent = Parent {
                run: own_run(),
                job: own_job(),
                root: Some(root.unwrap_or_else(|| ParentRoot { run: own_run(), job: own_job() })),
            };
            let facets = RunFacets {
                parent: Some(self.of(parent)),
                processing_engine: Some(self.engine()),
                nominal_time: self.run.facets.as_ref().and_then(|facets| facets.nominal_time.clone()),
                ..RunFacets::default()
            };
            let begin = Timestamp::from_milliseconds(now as i64);
            now += stage.seconds.unwrap_or(0.0) * 1000.0;
            for (state, time) in
                [(RunState::Start, begin), (RunState::Complete, Timestamp::from_milliseconds(now as i64))]
            {
                let run = Run { run_id: uuid_of(id), facets: Some(facets.clone()) };
                let mut event = RunEvent::new(state, time, &self.producer, run, job.clone());
                if state == RunState::Complete && stage.name == "read" {
                    event.inputs.clone_from(&whole.inputs);
                }
                if state == RunState::Complete && stage.name == "publish" {
                    event.outputs.clone_from(&whole.outputs);
                }
                events.push(Event::Run(event));
            }
        }
        events
    }

    fn name(&self, path: &Path) -> String {
        let own = path.file_name().unwrap_or_default().to_string_lossy();
        naming::file_name(path, self.services.workspace.as_deref(), &own)
    }

    fn about(&self, file: &FileRecord) -> DatasetFacets {
        let ending = Path::new(&file.path).extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let namespace = &self.dataset_namespace;
        DatasetFacets {
            data_source: Some(self.of(DataSource { name: Some(namespace.clone()), uri: Some(namespace.clone()) })),
            version: Some(self.of(DatasetVersion { dataset_version: format!("sha256:{}", file.sha256) })),
            storage: Some(self.of(Storage { storage_layer: "file".to_owned(), file_format: ending })),
            ..DatasetFacets::default()
        }
    }

    /// Returns the tables of a file; the file itself where it is not known what is in it.
    fn inputs(&self, file: &FileRecord, tables: &[ResolvedTable], checks: &[InputCheck]) -> Vec<InputDataset> {
        let statistics = InputStatistics {
            row_count: file.rows.map(|rows| rows as i64),
            size: Some(file.bytes as i64),
            file_count: Some(1),
        };
        let whole = InputDataset {
            namespace: self.dataset_namespace.clone(),
            name: self.name(Path::new(&file.path)),
            facets: Some(self.about(file)),
            input_facets: Some(InputFacets { input_statistics: Some(self.of(statistics)), ..InputFacets::default() }),
        };
        let own: Vec<InputDataset> = tables
            .iter()
            .filter(|table| self.name(&table.path) == whole.name)
            .map(|table| {
                let mut dataset = whole.clone();
                dataset.name = self.table_name(table);
                let about = dataset.facets.get_or_insert_default();
                about.schema = Some(self.of(Schema { fields: Some(fields(&table.columns)) }));
                let kind = if table.sheet.is_some() { "SHEET" } else { "FILE" };
                about.dataset_type = Some(self.of(DatasetType { dataset_type: kind.to_owned(), sub_type: None }));
                let mut hierarchy = vec![HierarchyLevel { kind: "FILE".to_owned(), name: whole.name.clone() }];
                let sheet =
                    table.sheet.iter().map(|sheet| HierarchyLevel { kind: "SHEET".to_owned(), name: sheet.clone() });
                hierarchy.extend(sheet);
                about.hierarchy = Some(self.of(Hierarchy { hierarchy }));
                let title = match &table.sheet {
                    Some(sheet) => format!("{}#{sheet}", table.path.display()),
                    None => table.path.display().to_string(),
                };
                let assertions: Vec<Assertion> =
                    checks.iter().filter(|check| check.table == title).flat_map(assertions).collect();
                dataset.input_facets.get_or_insert_default().data_quality_assertions =
                    (!assertions.is_empty()).then(|| self.of(DataQualityAssertions { assertions }));
                dataset
            })
            .collect();
        if own.is_empty() { vec![whole] } else { own }
    }

    fn table_name(&self, table: &ResolvedTable) -> String {
        naming::table_name(&self.name(&table.path), table.sheet.as_deref(), 0)
    }

    fn output(&self, file: &FileRecord, tables: &[ResolvedTable]) -> OutputDataset {
        let statistics = OutputStatistics {
            row_count: file.rows.map(|rows| rows as i64),
            size: Some(file.bytes as i64),
            file_count: Some(1),
        };
        let mut about = self.about(file);
        about.dataset_type = Some(self.of(DatasetType { dataset_type: "FILE".to_owned(), sub_type: None }));
        let name = self.name(Path::new(&file.path));
        if name == self.name(&self.output.0) {
            let change = if self.replaces { LifecycleState::Overwrite } else { LifecycleState::Create };
            let change = LifecycleStateChange { lifecycle_state_change: change, previous_identifier: None };
            about.lifecycle_state_change = Some(self.of(change));
            about.documentation = Some(self.of(DatasetDocumentation {
                description: format!("The input rows; {} names the entity of each", self.output.1),
                content_type: Some("text/plain".to_owned()),
            }));
            let lineage = self.columns(tables);
            let mut seen = BTreeSet::new();
            let mut columns: Vec<(String, String)> =
                tables.iter().flat_map(|table| &table.columns).filter(|(name, _)| seen.insert(name)).cloned().collect();
            columns.push((self.output.1.clone(), String::new()));
            if !tables.is_empty() {
                about.schema = Some(self.of(Schema { fields: Some(fields(&columns)) }));
                about.column_lineage = Some(self.of(lineage));
            }
        }
        OutputDataset {
            namespace: self.dataset_namespace.clone(),
            name,
            facets: Some(about),
            output_facets: Some(OutputFacets {
                output_statistics: Some(self.of(statistics)),
                ..OutputFacets::default()
            }),
        }
    }

    /// Each column comes from the columns of its name, as they are unless they are redacted.
    fn columns(&self, tables: &[ResolvedTable]) -> ColumnLineage {
        let mut fields: BTreeMap<String, ColumnLineageField> = BTreeMap::new();
        for table in tables {
            for (column, _) in &table.columns {
                let operator = self.redacted.get(column);
                let transformation = Transformation {
                    kind: "DIRECT".to_owned(),
                    subtype: Some(if operator.is_some() { "TRANSFORMATION" } else { "IDENTITY" }.to_owned()),
                    description: operator.cloned(),
                    masking: Some(operator.is_some()),
                    ..Transformation::default()
                };
                let input = InputField {
                    namespace: self.dataset_namespace.clone(),
                    name: self.table_name(table),
                    field: column.clone(),
                    transformations: Some(vec![transformation]),
                    ..InputField::default()
                };
                let entry = fields.entry(column.clone()).or_default();
                entry.transformation_type = Some(if operator.is_some() { "MASKED" } else { "IDENTITY" }.to_owned());
                entry.input_fields.push(input);
            }
        }
        ColumnLineage { fields, dataset: None }
    }
}

fn fields(columns: &[(String, String)]) -> Vec<SchemaField> {
    let field = |(position, (name, kind)): (usize, &(String, String))| SchemaField {
        name: name.clone(),
        kind: (!kind.is_empty()).then(|| kind.clone()),
        description: None,
        ordinal_position: Some(position as i64 + 1),
        fields: None,
    };
    columns.iter().enumerate().map(field).collect()
}

/// Returns the results of the checks on a table.
fn assertions(check: &InputCheck) -> Vec<Assertion> {
    let mut assertions = check.contract.as_ref().map(contract_assertions).unwrap_or_default();
    for result in check.suite.iter().flat_map(|suite| &suite.results) {
        let expectation = &result.expectation;
        let tally = result.tally.unwrap_or_default();
        assertions.push(Assertion {
            assertion: expectation.gx_name().to_owned(),
            success: result.success,
            column: Some(expectation.columns().join(", ")).filter(|columns| !columns.is_empty()),
            severity: Some(severity(expectation.severity)),
            name: Some(expectation.title()),
            expected: Some(format!("at least {} of the values pass", expectation.mostly())),
            actual: Some(format!("{} of {} values failed", tally.unexpected, tally.judged)),
            ..Assertion::default()
        });
    }
    assertions
}

/// Returns what was checked, a line for each check.
fn tests(checks: &[InputCheck]) -> Vec<TestExecution> {
    let test = |assertion: Assertion| TestExecution {
        name: assertion.name.unwrap_or_default(),
        status: if assertion.success { "pass" } else { "fail" }.to_owned(),
        severity: assertion.severity,
        kind: Some(assertion.assertion),
        expected: assertion.expected,
        actual: assertion.actual,
        ..TestExecution::default()
    };
    checks.iter().flat_map(assertions).map(test).collect()
}

fn severity(severity: ExpectationSeverity) -> String {
    use ExpectationSeverity::{Fail, Quarantine};
    if matches!(severity, Fail | Quarantine) { "error" } else { "warn" }.to_owned()
}

fn user_tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned(), source: Some("USER".to_owned()) }
}
