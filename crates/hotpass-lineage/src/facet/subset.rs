//! Which part of a dataset was read or written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{bodies, record};

record! {
    /// The part of a dataset that was read.
    InputSubset {
        /// The condition that its rows meet.
        input_condition: SubsetCondition,
    }
}

record! {
    /// The part of a dataset that was written.
    OutputSubset {
        /// The condition that its rows meet.
        output_condition: SubsetCondition,
    }
}

/// A condition that selects a part of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum SubsetCondition {
    /// Both or one of two conditions.
    Binary {
        /// The first.
        left: Box<SubsetCondition>,
        /// The second.
        right: Box<SubsetCondition>,
        /// `AND` or `OR`.
        operator: String,
    },
    /// A comparison of a field with a value.
    Compare {
        /// Left side.
        left: CompareExpression,
        /// Right side.
        right: CompareExpression,
        /// The comparison.
        comparison: String,
    },
    /// Partitions of the dataset.
    Partition {
        /// The partitions.
        partitions: Vec<Partition>,
    },
    /// Places in storage.
    Location {
        /// The places.
        locations: Vec<String>,
    },
}

impl Default for SubsetCondition {
    fn default() -> Self {
        Self::Location { locations: Vec::new() }
    }
}

/// A side of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum CompareExpression {
    /// A field of the dataset.
    Field {
        /// Its name.
        field: String,
    },
    /// A value.
    Literal {
        /// The value as text.
        value: String,
    },
}

record! {
    /// A partition.
    Partition {
        /// Name to value of each dimension.
        dimensions: BTreeMap<String, Value>,
        /// Members that the model does not know.
        #[serde(flatten)]
        additional: Map<String, Value>,
    }
    optional {
        /// Name of the partition.
        identifier: String,
    }
}

bodies! {
    InputSubset: "subset", "1-0-0", "BaseSubsetDatasetFacet", "InputSubsetInputDatasetFacet";
    OutputSubset: "subset", "1-0-0", "BaseSubsetDatasetFacet", "OutputSubsetOutputDatasetFacet";
}
