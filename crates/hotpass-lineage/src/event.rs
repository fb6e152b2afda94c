//! Events: what happened to a run, a job or a dataset, and what belongs to it.

use std::fmt;

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
pub use uuid::Uuid;

use crate::error::EventError;
use crate::facet::{DatasetFacets, InputFacets, JobFacets, OutputFacets, RunFacets, record};

/// URL of the specification's schema; its definition follows.
const SPECIFICATION: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/";

/// A moment, RFC 3339; the text is kept as it was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(String);

impl Timestamp {
    /// Makes the moment from milliseconds since 1970-01-01T00:00:00Z.
    pub fn from_milliseconds(milliseconds: i64) -> Self {
        Self::from(Utc.timestamp_millis_opt(milliseconds).single().unwrap_or_default())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z.
    pub fn milliseconds(&self) -> i64 {
        DateTime::parse_from_rfc3339(&self.0).map(|time| time.timestamp_millis()).unwrap_or_default()
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self::from_milliseconds(0)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = chrono::ParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        DateTime::parse_from_rfc3339(&text)?;
        Ok(Self(text))
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The state that a run has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RunState {
    /// It begins.
    Start,
    /// It goes on.
    Running,
    /// It did what it was to do.
    Complete,
    /// It was stopped from outside.
    Abort,
    /// It stopped on an error.
    Fail,
    /// Something else is said about it.
    Other,
}

impl RunState {
    /// Returns the state as the specification writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Running => "RUNNING",
            Self::Complete => "COMPLETE",
            Self::Abort => "ABORT",
            Self::Fail => "FAIL",
            Self::Other => "OTHER",
        }
    }

    /// Returns whether no further state follows.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Complete | Self::Abort | Self::Fail)
    }
}

/// An event of any kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "most events are those of runs")]
pub enum Event {
    /// A run changed its state.
    Run(RunEvent),
    /// Something is said about a job apart from a run.
    Job(JobEvent),
    /// Something is said about a dataset apart from a run.
    Dataset(DatasetEvent),
}

impl Event {
    /// Reads an event from JSON.
    ///
    /// # Errors
    ///
    /// Returns [`EventError`] when the text is no JSON, or no event of the specification.
    pub fn from_json(text: &str) -> Result<Self, EventError> {
        serde_json::from_str(text).map_err(EventError::Malformed)
    }

    /// Writes the event as JSON without white space.
    ///
    /// # Errors
    ///
    /// Returns [`EventError`] when a value cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, EventError> {
        serde_json::to_string(self).map_err(EventError::Malformed)
    }

    /// Returns the event of a run, where it is one.
    pub fn as_run(&self) -> Option<&RunEvent> {
        match self {
            Self::Run(event) => Some(event),
            Self::Job(_) | Self::Dataset(_) => None,
        }
    }

    /// Returns when it happened.
    pub fn time(&self) -> &Timestamp {
        match self {
            Self::Run(event) => &event.event_time,
            Self::Job(event) => &event.event_time,
            Self::Dataset(event) => &event.event_time,
        }
    }
}

impl<'de> Deserialize<'de> for Event {
    /// Takes an object with a run for an event of a run, one with a job for one of a job, any other for one of a dataset.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let has = |key: &str| value.get(key).is_some();
        let event = if has("run") {
            RunEvent::deserialize(&value).map(Self::Run)
        } else if has("job") {
            JobEvent::deserialize(&value).map(Self::Job)
        } else {
            DatasetEvent::deserialize(&value).map(Self::Dataset)
        };
        event.map_err(serde::de::Error::custom)
    }
}

/// A run changed its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunEvent {
    /// When.
    pub event_time: Timestamp,
    /// URI of the program that says it.
    pub producer: String,
    /// URL of the schema.
    #[serde(rename = "schemaURL")]
    pub schema_url: String,
    /// The state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<RunState>,
    /// The run.
    pub run: Run,
    /// The job it is a run of.
    pub job: Job,
    /// What it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<InputDataset>>,
    /// What it writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Vec<OutputDataset>>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub additional: Map<String, Value>,
}

impl RunEvent {
    /// Makes an event without datasets.
    pub fn new(state: RunState, time: Timestamp, producer: &str, run: Run, job: Job) -> Self {
        Self {
            event_time: time,
            producer: producer.to_owned(),
            schema_url: format!("{SPECIFICATION}RunEvent"),
            event_type: Some(state),
            run,
            job,
            inputs: Some(Vec::new()),
            outputs: Some(Vec::new()),
            additional: Map::new(),
        }
    }

    /// Returns what it reads.
    pub fn inputs(&self) -> &[InputDataset] {
        self.inputs.as_deref().unwrap_or_default()
    }

    /// Returns what it writes.
    pub fn outputs(&self) -> &[OutputDataset] {
        self.outputs.as_deref().unwrap_or_default()
    }
}

/// Something is said about a job apart from a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobEvent {
    /// When.
    pub event_time: Timestamp,
    /// URI of the program that says it.
    pub producer: String,
    /// URL of the schema.
    #[serde(rename = "schemaURL")]
    pub schema_url: String,
    /// The job.
    pub job: Job,
    /// What it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<InputDataset>>,
    /// What it writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Vec<OutputDataset>>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub additional: Map<String, Value>,
}

impl JobEvent {
    /// Makes an event without datasets.
    pub fn new(time: Timestamp, producer: &str, job: Job) -> Self {
        Self {
            event_time: time,
            producer: producer.to_owned(),
            schema_url: format!("{SPECIFICATION}JobEvent"),
            job,
            inputs: None,
            outputs: None,
            additional: Map::new(),
        }
    }
}

/// Something is said about a dataset apart from a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetEvent {
    /// When.
    pub event_time: Timestamp,
    /// URI of the program that says it.
    pub producer: String,
    /// URL of the schema.
    #[serde(rename = "schemaURL")]
    pub schema_url: String,
    /// The dataset.
    pub dataset: Dataset,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub additional: Map<String, Value>,
}

impl DatasetEvent {
    /// Makes an event.
    pub fn new(time: Timestamp, producer: &str, dataset: Dataset) -> Self {
        Self {
            event_time: time,
            producer: producer.to_owned(),
            schema_url: format!("{SPECIFICATION}DatasetEvent"),
            dataset,
            additional: Map::new(),
        }
    }
}

record! {
    /// A run: one time that a job was done.
    Run {
        /// Its id.
        run_id: Uuid,
    }
    optional {
        /// What is said about it.
        facets: RunFacets,
    }
}

record! {
    /// A job: what is done again and again.
    Job {
        /// Namespace.
        namespace: String,
        /// Name, unique in the namespace.
        name: String,
    }
    optional {
        /// What is said about it.
        facets: JobFacets,
    }
}

record! {
    /// A dataset.
    Dataset {
        /// Namespace: where it is held.
        namespace: String,
        /// Name, unique in the namespace.
        name: String,
    }
    optional {
        /// What is said about it.
        facets: DatasetFacets,
    }
}

record! {
    /// A dataset that a run reads.
    InputDataset {
        /// Namespace: where it is held.
        namespace: String,
        /// Name, unique in the namespace.
        name: String,
    }
    optional {
        /// What is said about it.
        facets: DatasetFacets,
        /// What is said about it as it was read.
        input_facets: InputFacets,
    }
}

record! {
    /// A dataset that a run writes.
    OutputDataset {
        /// Namespace: where it is held.
        namespace: String,
        /// Name, unique in the namespace.
        name: String,
    }
    optional {
        /// What is said about it.
        facets: DatasetFacets,
        /// What is said about it as it was written.
        output_facets: OutputFacets,
    }
}
