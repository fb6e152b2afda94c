//! Typed views of columns for the row-wise writers.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    TimestampMillisecondArray, UInt32Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType, UInt32Type};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

/// A column as one of the published types.
#[derive(Debug)]
pub(super) enum Column {
    /// UTF-8 text.
    Text(StringArray),
    /// Unsigned 32-bit whole number.
    UInt32(UInt32Array),
    /// Signed 64-bit whole number.
    Int64(Int64Array),
    /// 64-bit floating-point number.
    Float64(Float64Array),
    /// True or false.
    Boolean(BooleanArray),
    /// Days since 1970-01-01.
    Date(Date32Array),
    /// Milliseconds since 1970-01-01T00:00:00Z.
    Timestamp(TimestampMillisecondArray),
}

impl Column {
    /// Views an array as a column, casting encodings such as dictionaries to the plain type.
    pub(super) fn new(array: &ArrayRef) -> Result<Self, ArrowError> {
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string::<i32>().clone()),
            DataType::UInt32 => Self::UInt32(array.as_primitive::<UInt32Type>().clone()),
            DataType::Int64 => Self::Int64(array.as_primitive::<Int64Type>().clone()),
            DataType::Float64 => Self::Float64(array.as_primitive::<Float64Type>().clone()),
            DataType::Boolean => Self::Boolean(array.as_boolean().clone()),
            DataType::Date32 => Self::Date(array.as_primitive::<Date32Type>().clone()),
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                Self::Timestamp(array.as_primitive::<TimestampMillisecondType>().clone())
            }
            _ => Self::Text(cast(array, &DataType::Utf8)?.as_string::<i32>().clone()),
        })
    }

    /// Views all columns of a batch.
    pub(super) fn all(batch: &RecordBatch) -> Result<Vec<Self>, ArrowError> {
        batch.columns().iter().map(Self::new).collect()
    }

    /// Returns whether the value of a row is missing.
    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Text(array) => array.is_null(row),
            Self::UInt32(array) => array.is_null(row),
            Self::Int64(array) => array.is_null(row),
            Self::Float64(array) => array.is_null(row) || !array.value(row).is_finite(),
            Self::Boolean(array) => array.is_null(row),
            Self::Date(array) => array.is_null(row),
            Self::Timestamp(array) => array.is_null(row),
        }
    }
}

/// Returns a date as `YYYY-MM-DD`.
pub(super) fn date_text(days: i32) -> String {
    arrow::temporal_conversions::date32_to_datetime(days)
        .map_or_else(String::new, |moment| moment.format("%Y-%m-%d").to_string())
}

/// Returns a moment as `YYYY-MM-DDTHH:MM:SS.mmmZ`.
pub(super) fn timestamp_text(milliseconds: i64) -> String {
    chrono::DateTime::from_timestamp_millis(milliseconds)
        .map_or_else(String::new, |moment| moment.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// Cuts batches into slices of at most `rows` rows, for writers that encode slices at the same time.
pub(super) fn slices(batches: &[RecordBatch], rows: usize) -> Vec<RecordBatch> {
    batches
        .iter()
        .flat_map(|batch| {
            (0..batch.num_rows()).step_by(rows).map(move |start| batch.slice(start, rows.min(batch.num_rows() - start)))
        })
        .collect()
}
