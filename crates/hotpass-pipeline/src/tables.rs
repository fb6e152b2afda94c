//! The tables a run makes, as Arrow batches with the columns of [`hotpass_core::fields`].

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use hotpass_core::fields::{ColumnSpec, ColumnType, LOSING_CELL_COLUMNS};

/// The tables of a run. Each has at least one batch, so that its schema is known.
#[derive(Debug, Clone)]
pub struct RunTables {
    /// [`hotpass_core::fields::GOLDEN_COLUMNS`], sorted by organisation name and then entity id.
    pub golden: Vec<RecordBatch>,
    /// [`hotpass_core::fields::CROSSWALK_COLUMNS`], in source order.
    pub crosswalk: Vec<RecordBatch>,
    /// [`hotpass_core::fields::PROVENANCE_COLUMNS`], in the order of the published table.
    pub provenance: Vec<RecordBatch>,
    /// [`hotpass_core::fields::QUARANTINE_COLUMNS`], in source order.
    pub quarantine: Vec<RecordBatch>,
    /// [`hotpass_core::fields::LINK_COLUMNS`].
    pub links: Vec<RecordBatch>,
    /// [`hotpass_core::fields::REVIEW_COLUMNS`], the likeliest pair first.
    pub review: Vec<RecordBatch>,
    /// [`hotpass_core::fields::LINKAGE_KEY_COLUMNS`], in source order; absent unless asked for.
    pub linkage_keys: Option<RecordBatch>,
    /// [`hotpass_core::fields::PRIVACY_COLUMNS`], in the order of the published table; absent without the compliance feature.
    pub privacy: Option<RecordBatch>,
    /// [`hotpass_core::fields::CONFLICT_COLUMNS`], in the order of the published table.
    pub conflicts: Vec<RecordBatch>,
    /// [`hotpass_core::fields::CONTACT_COLUMNS`], in the order of the published table.
    pub contacts: Vec<RecordBatch>,
}

/// Returns the Arrow schema of a table of columns.
pub fn schema_of(columns: &[ColumnSpec]) -> SchemaRef {
    Arc::new(Schema::new(fields_of(columns)))
}

fn fields_of(columns: &[ColumnSpec]) -> Fields {
    columns.iter().map(|column| Field::new(column.name, data_type_of(column.data_type), column.nullable)).collect()
}

fn data_type_of(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::Text => DataType::Utf8,
        ColumnType::UInt32 => DataType::UInt32,
        ColumnType::Int64 => DataType::Int64,
        ColumnType::Float64 => DataType::Float64,
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Date => DataType::Date32,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        ColumnType::CellList => {
            DataType::List(Arc::new(Field::new("item", DataType::Struct(fields_of(LOSING_CELL_COLUMNS)), true)))
        }
    }
}
