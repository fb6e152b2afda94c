//! The facets of the specification, typed: a wrapper that names producer and schema, and a body for each facet.
//!
//! Each body knows the key it stands under and the schema it follows. What the model does not know is kept: unknown
//! facets as JSON in the `other` map of their set, unknown members of a known facet in [`Facet::additional`].

mod dataset;
mod job;
mod lineage;
mod run;
mod subset;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

pub use dataset::{
    Assertion, Catalog, ColumnLineage, ColumnLineageField, ColumnMetrics, DataQualityAssertions, DataQualityMetrics,
    DataSource, DatasetDocumentation, DatasetOwnership, DatasetTags, DatasetType, DatasetVersion, FieldTag, Hierarchy,
    HierarchyLevel, InputDataQualityMetrics, InputField, InputStatistics, LifecycleState, LifecycleStateChange,
    OutputStatistics, PreviousIdentifier, Schema, SchemaField, Storage, SymlinkIdentifier, Symlinks, Transformation,
};
pub use job::{
    EmissionPattern, JobDocumentation, JobOwnership, JobTags, JobType, Owner, SourceCode, SourceCodeLocation, Sql, Tag,
};
pub use lineage::{
    DatasetLineage, JobLineage, LineageDatasetEntry, LineageDatasetInput, LineageEntry, LineageFieldEntry,
    LineageInput, LineageJobEntry, LineageJobInput,
};
pub use run::{
    EnvironmentVariable, EnvironmentVariables, ErrorMessage, ExecutionParameter, ExecutionParameters, ExternalQuery,
    ExtractionError, ExtractionErrorEntry, JobDependencies, JobDependency, JobIdentifier, NominalTime, Parent,
    ParentJob, ParentRoot, ParentRun, ProcessingEngine, RunIdentifier, RunTags, TestExecution, TestResults,
};
pub use subset::{CompareExpression, InputSubset, OutputSubset, Partition, SubsetCondition};

/// What a facet says: its key and its schema.
pub trait FacetBody {
    /// Key the facet stands under.
    const KEY: &'static str;
    /// URL of its schema: the `$id` of the specification's file, and the definition in it.
    const SCHEMA_URL: &'static str;
}

/// A facet: who says it, by which schema, and what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facet<B> {
    /// URI of the program that says it.
    #[serde(rename = "_producer")]
    pub producer: String,
    /// URL of the schema that the facet follows.
    #[serde(rename = "_schemaURL")]
    pub schema_url: String,
    /// Whether an earlier facet of this key is to be deleted.
    #[serde(rename = "_deleted", default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
    /// What it says.
    #[serde(flatten)]
    pub body: B,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub additional: Map<String, Value>,
}

impl<B: FacetBody> Facet<B> {
    /// Makes a facet of the specification's present version.
    pub fn new(producer: &str, body: B) -> Self {
        Self {
            producer: producer.to_owned(),
            schema_url: B::SCHEMA_URL.to_owned(),
            deleted: None,
            body,
            additional: Map::new(),
        }
    }
}

/// Makes a struct of required and optional members, written in camel case.
macro_rules! record {
    (
        $(#[$outer:meta])*
        $name:ident { $($(#[$inner:meta])* $field:ident: $type:ty,)* }
        $(optional { $($(#[$option_inner:meta])* $option:ident: $option_type:ty,)* })?
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $($(#[$inner])* pub $field: $type,)*
            $($(
                $(#[$option_inner])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $option: Option<$option_type>,
            )*)?
        }
    };
}
pub(crate) use record;

/// Says under which key and schema bodies stand.
macro_rules! bodies {
    ($($body:ident: $key:literal, $version:literal, $file:literal $(, $definition:literal)?;)+) => {
        $(impl $crate::facet::FacetBody for $body {
            const KEY: &'static str = $key;
            const SCHEMA_URL: &'static str = bodies!(@url $version, $file $(, $definition)?);
        })+
    };
    (@url $version:literal, $file:literal) => { bodies!(@url $version, $file, $file) };
    (@url $version:literal, $file:literal, $definition:literal) => {
        concat!("https://openlineage.io/spec/facets/", $version, "/", $file, ".json#/$defs/", $definition)
    };
}
pub(crate) use bodies;

/// Makes a set of facets: a field for each known one, JSON for the rest.
macro_rules! facet_set {
    ($(#[$outer:meta])* $name:ident { $($field:ident: $body:ty,)+ }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name {
            $(
                #[doc = concat!("The facet [`", stringify!($body), "`].")]
                pub $field: Option<Facet<$body>>,
            )+
            /// Facets that the model does not know, and known ones that do not follow their schema.
            pub other: Map<String, Value>,
        }

        impl $name {
            /// Returns the keys of the facets that are set.
            pub fn keys(&self) -> Vec<&str> {
                let mut keys = Vec::new();
                $(if self.$field.is_some() { keys.push(<$body>::KEY); })+
                keys.extend(self.other.keys().map(String::as_str));
                keys
            }

            /// Returns whether no facet is set.
            pub fn is_empty(&self) -> bool {
                self.keys().is_empty()
            }

            /// Sets a facet of one's own, with its key and schema.
            ///
            /// # Errors
            ///
            /// Returns the error of writing the body as JSON.
            pub fn set_custom<B: FacetBody + Serialize>(&mut self, producer: &str, body: B) -> serde_json::Result<()> {
                let facet = serde_json::to_value(Facet::new(producer, body))?;
                self.other.insert(B::KEY.to_owned(), facet);
                Ok(())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                let mut map = serializer.serialize_map(None)?;
                $(if let Some(facet) = &self.$field { map.serialize_entry(<$body>::KEY, facet)?; })+
                for (key, facet) in &self.other {
                    map.serialize_entry(key, facet)?;
                }
                map.end()
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut other = Map::deserialize(deserializer)?;
                $(let $field = take(&mut other);)+
                Ok(Self { $($field,)+ other })
            }
        }
    };
}

/// Takes a known facet out of the rest; one that does not follow its schema stays there.
fn take<B: FacetBody + DeserializeOwned>(other: &mut Map<String, Value>) -> Option<Facet<B>> {
    let facet = Facet::deserialize(other.get(B::KEY)?).ok()?;
    other.shift_remove(B::KEY);
    Some(facet)
}

facet_set! {
    /// The facets of a run.
    RunFacets {
        nominal_time: NominalTime,
        parent: Parent,
        processing_engine: ProcessingEngine,
        error_message: ErrorMessage,
        execution_parameters: ExecutionParameters,
        environment_variables: EnvironmentVariables,
        external_query: ExternalQuery,
        extraction_error: ExtractionError,
        job_dependencies: JobDependencies,
        tags: RunTags,
        test: TestResults,
    }
}

facet_set! {
    /// The facets of a job.
    JobFacets {
        job_type: JobType,
        documentation: JobDocumentation,
        ownership: JobOwnership,
        source_code: SourceCode,
        source_code_location: SourceCodeLocation,
        sql: Sql,
        tags: JobTags,
        lineage: JobLineage,
    }
}

facet_set! {
    /// The facets of a dataset.
    DatasetFacets {
        data_source: DataSource,
        dataset_type: DatasetType,
        version: DatasetVersion,
        schema: Schema,
        storage: Storage,
        catalog: Catalog,
        hierarchy: Hierarchy,
        symlinks: Symlinks,
        lifecycle_state_change: LifecycleStateChange,
        documentation: DatasetDocumentation,
        ownership: DatasetOwnership,
        tags: DatasetTags,
        data_quality_metrics: DataQualityMetrics,
        column_lineage: ColumnLineage,
        lineage: DatasetLineage,
    }
}

facet_set! {
    /// The facets of a dataset as input of a run.
    InputFacets {
        input_statistics: InputStatistics,
        data_quality_metrics: InputDataQualityMetrics,
        data_quality_assertions: DataQualityAssertions,
        subset: InputSubset,
    }
}

facet_set! {
    /// The facets of a dataset as output of a run.
    OutputFacets {
        output_statistics: OutputStatistics,
        subset: OutputSubset,
    }
}
