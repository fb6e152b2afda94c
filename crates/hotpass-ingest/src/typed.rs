//! Text columns to typed ones, by the decided content.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringArray,
    TimestampMillisecondBuilder, UInt32Array, cast::AsArray,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit, UInt32Type};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use hotpass_core::Diagnostic;

use crate::recognise::{boolean, compact_date, date, integer, is_placeholder, number};
use crate::table::{ColumnContent, ContentType, ExcelEpoch, SourceColumn, TableSchema};

/// Most diagnostics for single cells of one column of one batch; one more counts the rest.
const CELLS_NAMED: usize = 20;

/// Returns the Arrow type that [`typed_batch`] gives a column.
pub fn arrow_type(content_type: ContentType) -> DataType {
    match content_type {
        ContentType::Integer => DataType::Int64,
        ContentType::Number => DataType::Float64,
        ContentType::Boolean => DataType::Boolean,
        ContentType::Date => DataType::Date32,
        ContentType::DateTime => DataType::Timestamp(TimeUnit::Millisecond, None),
        ContentType::Empty
        | ContentType::Text
        | ContentType::Category
        | ContentType::Email
        | ContentType::Phone
        | ContentType::Url => DataType::Utf8,
    }
}

/// Turns a batch of text into typed columns: `Int64`, `Float64`, `Boolean`, `Date32`, `Timestamp(Millisecond)` and `Utf8`.
///
/// Text columns are shared, not copied. A value that does not fit its column's type is null and named by row and column in a diagnostic, the first
/// 20 of a column one by one and the rest as a count; the text batch keeps it. Placeholders for "no value" are null without a diagnostic.
///
/// # Errors
/// When the batch has not [`crate::table::ROW_COLUMN`] and the columns of the schema.
pub fn typed_batch(schema: &TableSchema, batch: &RecordBatch) -> Result<(RecordBatch, Vec<Diagnostic>), ArrowError> {
    let rows = batch.columns().first().and_then(|rows| rows.as_primitive_opt::<UInt32Type>());
    let (Some(rows), true) = (rows, batch.num_columns() == schema.columns.len() + 1) else {
        return Err(ArrowError::SchemaError(format!(
            "The batch has {} columns, the table has {} and a row number",
            batch.num_columns(),
            schema.columns.len()
        )));
    };
    let mut diagnostics = Vec::new();
    let mut fields = vec![Arc::clone(&batch.schema_ref().fields()[0])];
    let mut arrays = vec![Arc::clone(batch.column(0))];
    for (column, array) in schema.columns.iter().zip(&batch.columns()[1..]) {
        let typed = match array.as_string_opt::<i32>() {
            Some(values) => {
                let mut misfits = Misfits { schema, column, rows, found: Vec::new(), count: 0 };
                let typed = typed_column(values, &column.content, array, &mut misfits);
                misfits.report(&mut diagnostics);
                typed
            }
            None => Arc::clone(array),
        };
        fields.push(Arc::new(Field::new(&column.name, typed.data_type().clone(), true)));
        arrays.push(typed);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok((RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?, diagnostics))
}

/// The cells of a column that do not fit.
struct Misfits<'a> {
    schema: &'a TableSchema,
    column: &'a SourceColumn,
    rows: &'a UInt32Array,
    found: Vec<usize>,
    count: usize,
}

impl Misfits<'_> {
    fn add(&mut self, row: usize) {
        self.count += 1;
        if self.found.len() < CELLS_NAMED {
            self.found.push(row);
        }
    }

    fn report(&self, diagnostics: &mut Vec<Diagnostic>) {
        let what = match self.column.content.content_type {
            ContentType::Integer => "whole number",
            ContentType::Number => "number",
            ContentType::Boolean => "truth value",
            ContentType::DateTime => "date with time",
            _ => "date",
        };
        let place = self.schema.id.location().column(self.column.index);
        let name = if self.column.raw_header.is_empty() { &self.column.name } else { &self.column.raw_header };
        for &row in &self.found {
            diagnostics.push(
                Diagnostic::warning(
                    "ingest.value.type",
                    format!("The value is no {what} as the rest of column `{name}`"),
                )
                .at(place.clone().row(self.rows.value(row)))
                .hint("It stays as text and is empty in the typed column"),
            );
        }
        if self.count > self.found.len() {
            let rest = self.count - self.found.len();
            diagnostics.push(
                Diagnostic::warning(
                    "ingest.value.type",
                    format!("{rest} more values are no {what} as the rest of column `{name}`"),
                )
                .at(place),
            );
        }
    }
}

fn typed_column(
    values: &StringArray,
    content: &ColumnContent,
    array: &ArrayRef,
    misfits: &mut Misfits<'_>,
) -> ArrayRef {
    let mut each = |parse: &mut dyn FnMut(Option<&str>) -> bool| {
        for row in 0..values.len() {
            let value = if values.is_null(row) { None } else { Some(values.value(row).trim()) };
            let fits = parse(value);
            if !fits && value.is_some_and(|value| !is_placeholder(value)) {
                misfits.add(row);
            }
        }
    };
    macro_rules! build {
        ($builder:expr, $parse:expr) => {{
            let mut builder = $builder;
            each(&mut |value| {
                let parsed = value.and_then($parse);
                builder.append_option(parsed);
                parsed.is_some()
            });
            Arc::new(builder.finish())
        }};
    }
    let rows = values.len();
    match content.content_type {
        ContentType::Integer => build!(Int64Builder::with_capacity(rows), |text| integer(text, content.decimal_comma)),
        ContentType::Number => build!(Float64Builder::with_capacity(rows), |text| number(text, content.decimal_comma)),
        ContentType::Boolean => build!(BooleanBuilder::with_capacity(rows), boolean),
        ContentType::Date => {
            build!(Date32Builder::with_capacity(rows), |text| moment(text, content)
                .map(|moment| moment.date().to_epoch_days()))
        }
        ContentType::DateTime => build!(TimestampMillisecondBuilder::with_capacity(rows), |text| moment(text, content)
            .map(|moment| moment.and_utc().timestamp_millis())),
        _ => Arc::clone(array),
    }
}

/// Reads a date in any of the writings that its column was found to have.
fn moment(text: &str, content: &ColumnContent) -> Option<NaiveDateTime> {
    if let Some(found) = date(text) {
        return found.resolve(content.date_order);
    }
    if let Some(found) = compact_date(text) {
        return found.resolve(None);
    }
    serial_moment(text.parse().ok()?, content.excel_epoch?)
}

fn serial_moment(serial: f64, epoch: ExcelEpoch) -> Option<NaiveDateTime> {
    if !(61.0..=2_958_465.0).contains(&serial) {
        return None;
    }
    let seconds = (serial.fract() * 86_400.0).round() as i64;
    let days = serial.trunc() as i64 + i64::from(epoch.days_from_unix());
    DateTime::UNIX_EPOCH.naive_utc().checked_add_signed(TimeDelta::seconds(days * 86_400 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_days_count_from_1900_or_1904() {
        let check =
            |serial, epoch, expected: &str| assert_eq!(serial_moment(serial, epoch).unwrap().to_string(), expected);
        check(45_944.0, ExcelEpoch::Year1900, "2025-10-14 00:00:00");
        check(44_482.5, ExcelEpoch::Year1904, "2025-10-14 12:00:00");
        assert!(serial_moment(1.0, ExcelEpoch::Year1900).is_none());
    }
}
