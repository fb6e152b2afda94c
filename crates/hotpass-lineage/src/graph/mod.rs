//! The graph of a run: what it read, the job, what it wrote.

mod svg;
mod text;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::error::EventError;
use crate::event::{Event, RunEvent, RunState, Timestamp};
use crate::facet::{ColumnLineage, DatasetFacets};

/// What a run read and wrote, taken from its events.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LineageGraph {
    /// Namespace of the job.
    pub namespace: String,
    /// Name of the job.
    pub job: String,
    /// Id of the run.
    pub run_id: String,
    /// Last state of the run.
    pub state: Option<RunState>,
    /// When it started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The run that started it: namespace, name and id.
    pub parent: Option<(String, String, String)>,
    /// Why it failed.
    pub error: Option<String>,
    /// What it read.
    pub inputs: Vec<DatasetNode>,
    /// What it wrote.
    pub outputs: Vec<DatasetNode>,
    /// Its stages, in the order they started.
    pub stages: Vec<StageNode>,
}

/// A dataset in a graph.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DatasetNode {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Version.
    pub version: Option<String>,
    /// Number of rows.
    pub rows: Option<i64>,
    /// Number of fields.
    pub fields: usize,
    /// Published field to its sources.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Vec<ColumnSource>>,
}

/// A source of a field.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ColumnSource {
    /// Name of the dataset.
    pub dataset: String,
    /// Field.
    pub field: String,
    /// What became of it, as `DIRECT/IDENTITY`.
    pub transformations: Vec<String>,
    /// Whether the value is hidden.
    pub masked: bool,
}

/// A stage of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StageNode {
    /// Name of the job.
    pub job: String,
    /// Last state.
    pub state: Option<RunState>,
    /// How long it took, in milliseconds.
    pub milliseconds: i64,
    /// Names of what it read.
    pub inputs: Vec<String>,
    /// Names of what it wrote.
    pub outputs: Vec<String>,
}

impl LineageGraph {
    /// Makes the graph of the first run that the events speak of.
    pub fn from_events(events: &[Event]) -> Self {
        let runs: Vec<&RunEvent> = events.iter().filter_map(Event::as_run).collect();
        let Some(first) = runs.first() else { return Self::default() };
        let id = first.run.run_id;
        let mut graph = Self {
            namespace: first.job.namespace.clone(),
            job: first.job.name.clone(),
            run_id: id.to_string(),
            ..Self::default()
        };
        let mut stages: Vec<(uuid::Uuid, StageNode, i64)> = Vec::new();
        for event in runs {
            if event.run.run_id == id {
                graph.add(event);
                continue;
            }
            let time = event.event_time.milliseconds();
            let position = stages.iter().position(|(stage, ..)| *stage == event.run.run_id).unwrap_or_else(|| {
                let node = StageNode { job: event.job.name.clone(), ..StageNode::default() };
                stages.push((event.run.run_id, node, time));
                stages.len() - 1
            });
            let (_, stage, started) = &mut stages[position];
            stage.state = event.event_type.or(stage.state);
            stage.milliseconds = time - *started;
            for (names, more) in [
                (&mut stage.inputs, event.inputs().iter().map(|dataset| &dataset.name).collect::<Vec<_>>()),
                (&mut stage.outputs, event.outputs().iter().map(|dataset| &dataset.name).collect()),
            ] {
                for name in more {
                    if !names.contains(name) {
                        names.push(name.clone());
                    }
                }
            }
        }
        graph.stages = stages.into_iter().map(|(_, stage, _)| stage).collect();
        graph
    }

    /// Makes the graph of the events in a file, a line each.
    ///
    /// # Errors
    ///
    /// Returns [`EventError`] when the file cannot be read or a line is no event.
    pub fn read(path: &Path) -> Result<Self, EventError> {
        Ok(Self::from_events(&read_events(path)?))
    }

    /// Draws the graph as text, no wider than `width` characters where names allow it.
    pub fn to_text(&self, width: usize) -> String {
        text::draw(self, width)
    }

    /// Lists the sources of each published field as text.
    pub fn columns_to_text(&self) -> String {
        text::columns(self)
    }

    /// Draws the graph as an SVG picture with title and description.
    pub fn to_svg(&self) -> String {
        svg::draw(self)
    }

    /// Returns the name of a stage without that of the job.
    fn stage_name<'a>(&self, stage: &'a StageNode) -> &'a str {
        let stem = stage.job.strip_prefix(&self.job);
        stem.and_then(|rest| rest.strip_prefix('.')).unwrap_or(&stage.job)
    }

    fn add(&mut self, event: &RunEvent) {
        self.state = event.event_type.or(self.state);
        match event.event_type {
            Some(RunState::Start) => self.started = Some(event.event_time.clone()),
            Some(state) if state.is_final() => self.ended = Some(event.event_time.clone()),
            _ => {}
        }
        if let Some(facets) = &event.run.facets {
            if let Some(parent) = &facets.parent {
                let parent = &parent.body;
                self.parent =
                    Some((parent.job.namespace.clone(), parent.job.name.clone(), parent.run.run_id.to_string()));
            }
            if let Some(error) = &facets.error_message {
                self.error = Some(error.body.message.clone());
            }
        }
        for dataset in event.inputs() {
            let rows =
                dataset.input_facets.as_ref().and_then(|facets| facets.input_statistics.as_ref()?.body.row_count);
            put(&mut self.inputs, node(&dataset.namespace, &dataset.name, dataset.facets.as_ref(), rows));
        }
        for dataset in event.outputs() {
            let rows =
                dataset.output_facets.as_ref().and_then(|facets| facets.output_statistics.as_ref()?.body.row_count);
            put(&mut self.outputs, node(&dataset.namespace, &dataset.name, dataset.facets.as_ref(), rows));
        }
    }
}

/// Reads the events of a file, a line each.
///
/// # Errors
///
/// Returns [`EventError`] when the file cannot be read or a line is no event.
pub fn read_events(path: &Path) -> Result<Vec<Event>, EventError> {
    let text = std::fs::read_to_string(path).map_err(|source| EventError::Read { path: path.to_path_buf(), source })?;
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|source| EventError::Line {
                path: path.to_path_buf(),
                line: index + 1,
                source,
            })
        })
        .collect()
}

/// Puts a dataset into a list; a later word on it replaces the earlier.
fn put(nodes: &mut Vec<DatasetNode>, node: DatasetNode) {
    match nodes.iter_mut().find(|other| other.namespace == node.namespace && other.name == node.name) {
        Some(other) => *other = node,
        None => nodes.push(node),
    }
}

fn node(namespace: &str, name: &str, facets: Option<&DatasetFacets>, rows: Option<i64>) -> DatasetNode {
    let schema = facets.and_then(|facets| facets.schema.as_ref()?.body.fields.as_ref());
    DatasetNode {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        version: facets.and_then(|facets| Some(facets.version.as_ref()?.body.dataset_version.clone())),
        rows,
        fields: schema.map_or(0, Vec::len),
        columns: facets
            .and_then(|facets| facets.column_lineage.as_ref())
            .map(|facet| columns(&facet.body))
            .unwrap_or_default(),
    }
}

fn columns(lineage: &ColumnLineage) -> BTreeMap<String, Vec<ColumnSource>> {
    lineage
        .fields
        .iter()
        .map(|(field, entry)| {
            let sources = entry
                .input_fields
                .iter()
                .map(|input| {
                    let transformations = input.transformations.as_deref().unwrap_or_default();
                    ColumnSource {
                        dataset: input.name.clone(),
                        field: input.field.clone(),
                        transformations: transformations
                            .iter()
                            .map(|one| match &one.subtype {
                                Some(subtype) => format!("{}/{subtype}", one.kind),
                                None => one.kind.clone(),
                            })
                            .collect(),
                        masked: transformations.iter().any(|one| one.masking == Some(true)),
                    }
                })
                .collect();
            (field.clone(), sources)
        })
        .collect()
}
