//! Facets of datasets, as such and as input or output of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use super::{Owner, bodies, record};
use crate::event::Timestamp;

record! {
    /// Where a dataset is held.
    DataSource {}
    optional {
        /// Name of the source.
        name: String,
        /// URI of the source.
        uri: String,
    }
}

record! {
    /// What kind of dataset it is.
    DatasetType {
        /// Kind, such as `TABLE` or `FILE`.
        dataset_type: String,
    }
    optional {
        /// Kind within that.
        sub_type: String,
    }
}

record! {
    /// The version of a dataset.
    DatasetVersion {
        /// The version.
        dataset_version: String,
    }
}

record! {
    /// The fields of a dataset.
    Schema {}
    optional {
        /// The fields.
        fields: Vec<SchemaField>,
    }
}

record! {
    /// A field of a dataset.
    SchemaField {
        /// Name.
        name: String,
    }
    optional {
        /// Type.
        #[serde(rename = "type")]
        kind: String,
        /// What it means.
        description: String,
        /// Position, from 1.
        #[serde(rename = "ordinal_position")]
        ordinal_position: i64,
        /// Fields within it.
        fields: Vec<SchemaField>,
    }
}

record! {
    /// How a dataset is stored.
    Storage {
        /// Layer that stores it.
        storage_layer: String,
    }
    optional {
        /// Format of its files.
        file_format: String,
    }
}

record! {
    /// The catalogue a dataset is in.
    Catalog {
        /// Framework of the catalogue.
        framework: String,
        /// Kind of the catalogue.
        #[serde(rename = "type")]
        kind: String,
        /// Name of the catalogue.
        name: String,
    }
    optional {
        /// Where its metadata are.
        metadata_uri: String,
        /// Where its data are.
        warehouse_uri: String,
        /// Where the facet comes from.
        source: String,
        /// Properties of the catalogue.
        catalog_properties: BTreeMap<String, String>,
    }
}

record! {
    /// The levels above a dataset, the highest first.
    Hierarchy {
        /// The levels.
        hierarchy: Vec<HierarchyLevel>,
    }
}

record! {
    /// A level above a dataset.
    HierarchyLevel {
        /// Kind, such as `DATABASE`.
        #[serde(rename = "type")]
        kind: String,
        /// Name.
        name: String,
    }
}

record! {
    /// Other names of a dataset.
    Symlinks {}
    optional {
        /// The names.
        identifiers: Vec<SymlinkIdentifier>,
    }
}

record! {
    /// Another name of a dataset.
    SymlinkIdentifier {
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
        /// Kind.
        #[serde(rename = "type")]
        kind: String,
    }
}

record! {
    /// What the run did to the dataset as a whole.
    LifecycleStateChange {
        /// The change.
        lifecycle_state_change: LifecycleState,
    }
    optional {
        /// Name before it was renamed.
        previous_identifier: PreviousIdentifier,
    }
}

/// A change of a dataset as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LifecycleState {
    /// Its schema was changed.
    Alter,
    /// It was made.
    Create,
    /// It was deleted.
    Drop,
    /// Its content was replaced.
    #[default]
    Overwrite,
    /// It was renamed.
    Rename,
    /// Its content was deleted.
    Truncate,
}

record! {
    /// The name that a dataset had.
    PreviousIdentifier {
        /// Name.
        name: String,
        /// Namespace.
        namespace: String,
    }
}

record! {
    /// What a dataset holds, for people.
    DatasetDocumentation {
        /// The text.
        description: String,
    }
    optional {
        /// Media type of the text.
        content_type: String,
    }
}

record! {
    /// Who answers for a dataset.
    DatasetOwnership {}
    optional {
        /// The owners.
        owners: Vec<Owner>,
    }
}

record! {
    /// Tags of a dataset and its fields.
    DatasetTags {}
    optional {
        /// The tags.
        tags: Vec<FieldTag>,
    }
}

record! {
    /// A tag of a dataset, or of a field.
    FieldTag {
        /// Key.
        key: String,
        /// Value.
        value: String,
    }
    optional {
        /// Who set it.
        source: String,
        /// The field; the whole dataset when absent.
        field: String,
    }
}

record! {
    /// Figures on the values of a dataset.
    DataQualityMetrics {
        /// Field to its figures.
        column_metrics: BTreeMap<String, ColumnMetrics>,
    }
    optional {
        /// Number of rows.
        row_count: i64,
        /// Size in bytes.
        bytes: i64,
        /// Number of files.
        file_count: i64,
        /// When it was last changed.
        last_updated: Timestamp,
    }
}

record! {
    /// Figures on the values of a dataset as it was read.
    InputDataQualityMetrics {
        /// Field to its figures.
        column_metrics: BTreeMap<String, ColumnMetrics>,
    }
    optional {
        /// Number of rows.
        row_count: i64,
        /// Size in bytes.
        bytes: i64,
        /// Number of files.
        file_count: i64,
        /// When it was last changed.
        last_updated: Timestamp,
    }
}

record! {
    /// Figures on the values of a field.
    ColumnMetrics {}
    optional {
        /// Values that are missing.
        null_count: i64,
        /// Distinct values.
        distinct_count: i64,
        /// Sum of the values.
        sum: Number,
        /// Number of values.
        count: Number,
        /// Least value.
        min: Number,
        /// Greatest value.
        max: Number,
        /// Quantile to value.
        quantiles: BTreeMap<String, Number>,
    }
}

record! {
    /// Results of checks on a dataset as it was read.
    DataQualityAssertions {
        /// The checks.
        assertions: Vec<Assertion>,
    }
}

record! {
    /// A check and its result.
    Assertion {
        /// What was checked.
        assertion: String,
        /// Whether it holds.
        success: bool,
    }
    optional {
        /// Field that was checked.
        column: String,
        /// `error` when a failure stops the run, `warn` otherwise.
        severity: String,
        /// Name of the check.
        name: String,
        /// What it checks.
        description: String,
        /// What was expected.
        expected: String,
        /// What was found.
        actual: String,
        /// The text of the check.
        content: String,
        /// Form of that text.
        content_type: String,
        /// Parameters of the check.
        params: Map<String, Value>,
    }
}

record! {
    /// How much of a dataset was read.
    InputStatistics {}
    optional {
        /// Rows.
        row_count: i64,
        /// Bytes.
        size: i64,
        /// Files.
        file_count: i64,
    }
}

record! {
    /// How much of a dataset was written.
    OutputStatistics {}
    optional {
        /// Rows.
        row_count: i64,
        /// Bytes.
        size: i64,
        /// Files.
        file_count: i64,
    }
}

record! {
    /// What the fields of a dataset come from.
    ColumnLineage {
        /// Field to its sources.
        fields: BTreeMap<String, ColumnLineageField>,
    }
    optional {
        /// Sources that every row depends on, such as keys that rows are joined by.
        dataset: Vec<InputField>,
    }
}

record! {
    /// What a field comes from.
    ColumnLineageField {
        /// The sources.
        input_fields: Vec<InputField>,
        /// Members that the model does not know.
        #[serde(flatten)]
        additional: Map<String, Value>,
    }
    optional {
        /// What became of them, for people.
        transformation_description: String,
        /// `IDENTITY` or `MASKED`; older readers know only this.
        transformation_type: String,
    }
}

record! {
    /// A field of a dataset as source.
    InputField {
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
        /// Field.
        field: String,
        /// Members that the model does not know.
        #[serde(flatten)]
        additional: Map<String, Value>,
    }
    optional {
        /// What became of it.
        transformations: Vec<Transformation>,
    }
}

record! {
    /// What became of a source.
    Transformation {
        /// `DIRECT` when values come from it, `INDIRECT` when they only depend on it.
        #[serde(rename = "type")]
        kind: String,
        /// Members that the model does not know.
        #[serde(flatten)]
        additional: Map<String, Value>,
    }
    optional {
        /// `IDENTITY`, `TRANSFORMATION`, `AGGREGATION`; `JOIN`, `GROUP_BY`, `FILTER`, `SORT`, `WINDOW`, `CONDITIONAL`.
        subtype: String,
        /// What was done, for people.
        description: String,
        /// Whether the value is hidden.
        masking: bool,
    }
}

bodies! {
    DataSource: "dataSource", "1-0-1", "DatasourceDatasetFacet";
    DatasetType: "datasetType", "1-0-1", "DatasetTypeDatasetFacet";
    DatasetVersion: "version", "1-0-1", "DatasetVersionDatasetFacet";
    Schema: "schema", "1-2-0", "SchemaDatasetFacet";
    Storage: "storage", "1-0-1", "StorageDatasetFacet";
    Catalog: "catalog", "1-1-0", "CatalogDatasetFacet";
    Hierarchy: "hierarchy", "1-0-0", "HierarchyDatasetFacet";
    Symlinks: "symlinks", "1-0-1", "SymlinksDatasetFacet";
    LifecycleStateChange: "lifecycleStateChange", "1-0-1", "LifecycleStateChangeDatasetFacet";
    DatasetDocumentation: "documentation", "1-1-0", "DocumentationDatasetFacet";
    DatasetOwnership: "ownership", "1-0-1", "OwnershipDatasetFacet";
    DatasetTags: "tags", "1-0-0", "TagsDatasetFacet";
    DataQualityMetrics: "dataQualityMetrics", "1-0-0", "DataQualityMetricsDatasetFacet";
    InputDataQualityMetrics: "dataQualityMetrics", "1-0-3", "DataQualityMetricsInputDatasetFacet";
    DataQualityAssertions: "dataQualityAssertions", "1-1-0", "DataQualityAssertionsDatasetFacet";
    InputStatistics: "inputStatistics", "1-0-0", "InputStatisticsInputDatasetFacet";
    OutputStatistics: "outputStatistics", "1-0-2", "OutputStatisticsOutputDatasetFacet";
    ColumnLineage: "columnLineage", "1-2-0", "ColumnLineageDatasetFacet";
}
