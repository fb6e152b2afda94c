//! The events of a run that resolves files: START, and what it read and wrote at its end.

use std::path::Path;

use hotpass_core::{Clock, RunDirectory, RunId};
use hotpass_lineage::facet::{
    DataSource, DatasetFacets, DatasetVersion, ExecutionParameter, ExecutionParameters, Facet, FacetBody, InputFacets,
    InputStatistics, JobFacets, JobType, NominalTime, OutputFacets, OutputStatistics, ProcessingEngine, RunFacets,
    SourceCodeLocation, Storage,
};
use hotpass_lineage::{Event, InputDataset, Job, OutputDataset, Run, RunEvent, RunState, Timestamp};
use hotpass_provenance::Manifest;
use hotpass_provenance::manifest::FileRecord;

use super::{LINEAGE_FILE, LineageServices, default_producer, error, naming, outside, uuid_of};

const SOURCE: &str = "crates/hotpass-pipeline/src/resolve/files.rs";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The lineage of a run that resolves files.
pub(crate) struct ResolveLineage {
    services: LineageServices,
    producer: String,
    dataset_namespace: String,
    job: Job,
    run: Run,
    clock: Clock,
    events: Vec<Event>,
}

impl ResolveLineage {
    /// Begins the lineage and sends START; nothing where lineage is switched off.
    pub(crate) fn start(
        services: &LineageServices,
        command: &[String],
        run_id: &str,
        output: &Path,
        clock: Clock,
    ) -> Option<Self> {
        let config = services.config.clone().unwrap_or_default();
        let run_id: RunId = run_id.parse().ok().filter(|_| config.enabled)?;
        let producer = config.producer.clone().unwrap_or_else(default_producer);
        let stem = output.file_stem().unwrap_or_default().to_string_lossy();
        let repository = env!("CARGO_PKG_REPOSITORY");
        fn of<B: FacetBody>(producer: &str, body: B) -> Option<Facet<B>> {
            Some(Facet::new(producer, body))
        }
        let job_facets = JobFacets {
            job_type: of(
                &producer,
                JobType {
                    processing_type: "BATCH".to_owned(),
                    integration: "HOTPASS".to_owned(),
                    job_type: Some("JOB".to_owned()),
                    ..JobType::default()
                },
            ),
            source_code_location: of(
                &producer,
                SourceCodeLocation {
                    kind: "git".to_owned(),
                    url: format!("{repository}/blob/v{VERSION}/{SOURCE}"),
                    repo_url: Some(repository.to_owned()),
                    path: Some(SOURCE.to_owned()),
                    version: Some(format!("v{VERSION}")),
                    tag: Some(format!("v{VERSION}")),
                    ..SourceCodeLocation::default()
                },
            ),
            ..JobFacets::default()
        };
        let parameters = vec![ExecutionParameter {
            key: "command".to_owned(),
            value: Some(command.join(" ")),
            ..ExecutionParameter::default()
        }];
        let start = services.nominal_start.unwrap_or_else(|| clock.now_milliseconds());
        let run_facets = RunFacets {
            nominal_time: of(
                &producer,
                NominalTime { nominal_start_time: Timestamp::from_milliseconds(start), nominal_end_time: None },
            ),
            parent: services.parent.as_ref().and_then(|parent| of(&producer, outside(parent))),
            processing_engine: of(
                &producer,
                ProcessingEngine {
                    version: VERSION.to_owned(),
                    name: Some("hotpass".to_owned()),
                    openlineage_adapter_version: Some(VERSION.to_owned()),
                },
            ),
            execution_parameters: of(&producer, ExecutionParameters { parameters: Some(parameters) })
                .filter(|_| !command.is_empty()),
            ..RunFacets::default()
        };
        let mut lineage = Self {
            services: services.clone(),
            dataset_namespace: naming::dataset_namespace(&config),
            job: Job { namespace: config.namespace, name: format!("hotpass.resolve.{stem}"), facets: Some(job_facets) },
            run: Run { run_id: uuid_of(run_id), facets: Some(run_facets) },
            clock,
            events: Vec::new(),
            producer,
        };
        let event = Event::Run(lineage.event(RunState::Start));
        lineage.services.emitter.emit(&event);
        lineage.events.push(event);
        Some(lineage)
    }

    fn event(&self, state: RunState) -> RunEvent {
        let now = Timestamp::from_milliseconds(self.clock.now_milliseconds());
        RunEvent::new(state, now, &self.producer, self.run.clone(), self.job.clone())
    }

    /// Makes the last event from the manifest, writes `lineage.ndjson` into the run folder and puts it into the manifest.
    pub(crate) fn finish(&mut self, run: &RunDirectory, manifest: &mut Manifest, state: RunState) {
        let mut event = self.event(state);
        if let Some(message) = &manifest.error {
            event.run.facets.get_or_insert_default().error_message =
                Some(Facet::new(&self.producer, error(&naming::without_folders(message))));
        }
        event.inputs = Some(manifest.inputs.iter().map(|file| self.input(file)).collect());
        event.outputs = Some(manifest.outputs.iter().map(|file| self.output(file)).collect());
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

    fn name(&self, file: &FileRecord) -> String {
        let path = Path::new(&file.path);
        let own = path.file_name().unwrap_or_default().to_string_lossy();
        naming::file_name(path, self.services.workspace.as_deref(), &own)
    }

    fn about(&self, file: &FileRecord) -> DatasetFacets {
        let ending = Path::new(&file.path).extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let namespace = &self.dataset_namespace;
        DatasetFacets {
            data_source: Some(Facet::new(
                &self.producer,
                DataSource { name: Some(namespace.clone()), uri: Some(namespace.clone()) },
            )),
            version: Some(Facet::new(
                &self.producer,
                DatasetVersion { dataset_version: format!("sha256:{}", file.sha256) },
            )),
            storage: Some(Facet::new(
                &self.producer,
                Storage { storage_layer: "file".to_owned(), file_format: ending },
            )),
            ..DatasetFacets::default()
        }
    }

    fn input(&self, file: &FileRecord) -> InputDataset {
        let statistics = InputStatistics {
            row_count: file.rows.map(|rows| rows as i64),
            size: Some(file.bytes as i64),
            file_count: Some(1),
        };
        InputDataset {
            namespace: self.dataset_namespace.clone(),
            name: self.name(file),
            facets: Some(self.about(file)),
            input_facets: Some(InputFacets {
                input_statistics: Some(Facet::new(&self.producer, statistics)),
                ..InputFacets::default()
            }),
        }
    }

    fn output(&self, file: &FileRecord) -> OutputDataset {
        let statistics = OutputStatistics {
            row_count: file.rows.map(|rows| rows as i64),
            size: Some(file.bytes as i64),
            file_count: Some(1),
        };
        OutputDataset {
            namespace: self.dataset_namespace.clone(),
            name: self.name(file),
            facets: Some(self.about(file)),
            output_facets: Some(OutputFacets {
                output_statistics: Some(Facet::new(&self.producer, statistics)),
                ..OutputFacets::default()
            }),
        }
    }
}
