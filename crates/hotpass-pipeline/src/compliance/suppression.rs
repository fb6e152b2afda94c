//! Erased people are taken out of source rows before anything else sees them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use hotpass_ingest::IngestError;
use hotpass_ingest::table::Batches;
use hotpass_privacy::{SuppressionList, error::PrivacyFileError};

/// The list of erased people of a folder of runs.
#[derive(Debug, Default)]
pub(crate) struct Suppression {
    list: SuppressionList,
}

impl Suppression {
    /// Reads the list of a folder of runs.
    ///
    /// # Errors
    ///
    /// Returns an error when the list is there and cannot be obeyed.
    pub(crate) fn of(dist_dir: &Path) -> Result<Self, PrivacyFileError> {
        Ok(Self { list: SuppressionList::read(&super::suppression_path(dist_dir))? })
    }

    /// Returns whether nobody is on the list.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns the number of people on the list.
    pub(crate) fn people(&self) -> u64 {
        self.list.len() as u64
    }

    /// Returns the digest of the list.
    pub(crate) fn digest(&self) -> String {
        if self.list.is_empty() { String::new() } else { self.list.digest() }
    }

    /// Takes erased people out of the batches of a table as they are read, and counts the rows that held one.
    pub(crate) fn wrap(self: &Arc<Self>, batches: Batches, rows: &Arc<AtomicU64>) -> Batches {
        if self.list.is_empty() {
            return batches;
        }
        let (suppression, rows) = (Arc::clone(self), Arc::clone(rows));
        Box::new(batches.map(move |batch| {
            let (batch, scrubbed) = suppression.scrub(batch?).map_err(|error| {
                IngestError::Refused(Box::new(hotpass_core::Diagnostic::error(
                    "privacy.suppression.failed",
                    format!("Erased people cannot be taken out of the table: {error}"),
                )))
            })?;
            rows.fetch_add(scrubbed, Ordering::Relaxed);
            Ok(batch)
        }))
    }

    /// Takes erased people out of a batch; returns it with the number of rows that held one.
    ///
    /// # Errors
    ///
    /// Returns an error when the batch cannot be built again.
    pub(crate) fn scrub(&self, batch: RecordBatch) -> Result<(RecordBatch, u64), ArrowError> {
        if self.list.is_empty() {
            return Ok((batch, 0));
        }
        let texts: Vec<(usize, StringArray)> =
            batch.columns().iter().enumerate().filter_map(|(index, column)| Some((index, text_of(column)?))).collect();
        let mut changed: Vec<Vec<(usize, Option<String>)>> = vec![Vec::new(); texts.len()];
        let mut rows = 0;
        for row in 0..batch.num_rows() {
            let mut cells: Vec<Option<String>> =
                texts.iter().map(|(_, values)| crate::records::value_at(values, row).map(ToOwned::to_owned)).collect();
            let before = cells.clone();
            if self.list.scrub_row(&mut cells) {
                rows += 1;
                for (column, (old, new)) in before.into_iter().zip(cells).enumerate() {
                    if old != new {
                        changed[column].push((row, new));
                    }
                }
            }
        }
        if rows == 0 {
            return Ok((batch, 0));
        }
        let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
        for ((index, values), changes) in texts.iter().zip(changed) {
            if changes.is_empty() {
                continue;
            }
            let mut changes = changes.into_iter().peekable();
            let schema = batch.schema();
            let field = schema.field(*index);
            // What may not be missing is empty, or zero.
            let nothing = match field.data_type() {
                _ if field.is_nullable() => None,
                data_type if data_type.is_integer() => Some("0".to_owned()),
                _ => Some(String::new()),
            };
            let scrubbed: StringArray = (0..values.len())
                .map(|row| match changes.next_if(|(changed, _)| *changed == row) {
                    Some(_) if field.data_type().is_integer() => nothing.clone(),
                    Some((_, value)) => value.or_else(|| nothing.clone()),
                    None => crate::records::value_at(values, row).map(ToOwned::to_owned),
                })
                .collect();
            columns[*index] = cast(&scrubbed, field.data_type())?;
        }
        Ok((RecordBatch::try_new(batch.schema(), columns)?, rows))
    }
}

/// Returns a column of texts or whole numbers as text.
fn text_of(column: &ArrayRef) -> Option<StringArray> {
    if column.data_type().is_integer() {
        return Some(cast(column, &DataType::Utf8).ok()?.as_string::<i32>().clone());
    }
    super::erasing::as_text(column)
}
