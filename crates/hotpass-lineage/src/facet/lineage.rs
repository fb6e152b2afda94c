//! The facet that states lineage outright, on a job or on a dataset.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Transformation, bodies, record};

record! {
    /// What a dataset comes from.
    DatasetLineage {}
    optional {
        /// Sources of the whole dataset.
        inputs: Vec<LineageInput>,
        /// Field to its sources.
        fields: BTreeMap<String, LineageFieldEntry>,
    }
}

record! {
    /// What a job makes from what.
    JobLineage {
        /// The datasets and jobs it speaks of.
        entries: Vec<LineageEntry>,
    }
}

/// A dataset or job with its sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "UPPERCASE")]
pub enum LineageEntry {
    /// A dataset.
    Dataset(LineageDatasetEntry),
    /// A job.
    Job(LineageJobEntry),
}

record! {
    /// A dataset with its sources.
    LineageDatasetEntry {
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
    }
    optional {
        /// Sources of the whole dataset.
        inputs: Vec<LineageInput>,
        /// Field to its sources.
        fields: BTreeMap<String, LineageFieldEntry>,
    }
}

record! {
    /// A job with its sources.
    LineageJobEntry {}
    optional {
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
        /// Id of the run.
        run_id: Uuid,
        /// Sources.
        inputs: Vec<LineageInput>,
    }
}

/// A source: a dataset or a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "UPPERCASE")]
pub enum LineageInput {
    /// A dataset.
    Dataset(LineageDatasetInput),
    /// A job.
    Job(LineageJobInput),
}

record! {
    /// A dataset, or a field of one, as source.
    LineageDatasetInput {
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
    }
    optional {
        /// Field.
        field: String,
        /// What became of it.
        transformations: Vec<Transformation>,
    }
}

record! {
    /// A job as source.
    LineageJobInput {}
    optional {
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
        /// Id of the run.
        run_id: Uuid,
        /// What became of what it gave.
        transformations: Vec<Transformation>,
    }
}

record! {
    /// The sources of a field.
    LineageFieldEntry {
        /// The sources.
        inputs: Vec<LineageInput>,
    }
}

bodies! {
    DatasetLineage: "lineage", "1-0-0", "LineageFacet", "LineageDatasetFacet";
    JobLineage: "lineage", "1-0-0", "LineageFacet", "LineageJobFacet";
}
