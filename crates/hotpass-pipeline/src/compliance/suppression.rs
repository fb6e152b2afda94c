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
use hotpass_privacy::suppression::{Scrubbed, SuppressionList};
use hotpass_provenance::suppression::check_suppression;

use super::ComplianceError;
use super::people::PeopleTable;

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
    /// Returns an error when the list is there and cannot be obeyed, or is not there as the ledger records it.
    pub(crate) fn of(dist_dir: &Path) -> Result<Self, ComplianceError> {
        let list = SuppressionList::read(&super::suppression_path(dist_dir)).map_err(ComplianceError::Suppression)?;
        if let Some(fault) = check_suppression(dist_dir)? {
            return Err(ComplianceError::SuppressionLost(fault));
        }
        Ok(Self { list })
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
    pub(crate) fn wrap(self: &Arc<Self>, batches: Batches, headers: Vec<String>, rows: &Arc<AtomicU64>) -> Batches {
        if self.list.is_empty() {
            return batches;
        }
        let (suppression, rows) = (Arc::clone(self), Arc::clone(rows));
        Box::new(batches.map(move |batch| {
            let (batch, scrubbed) = suppression.scrub(batch?, Some(&headers)).map_err(|error| {
                IngestError::Refused(Box::new(hotpass_core::Diagnostic::error(
                    "privacy.suppression.failed",
                    format!("Erased people cannot be taken out of the table: {error}"),
                )))
            })?;
            rows.fetch_add(scrubbed, Ordering::Relaxed);
            Ok(batch)
        }))
    }

    /// Takes what people alone have out of the row of an erased person: what it says of them without their name.
    fn scrub_own(
        table: Option<&PeopleTable>,
        scrubbed: Scrubbed,
        before: &[Option<String>],
        cells: &mut [Option<String>],
    ) {
        let Some(table) = table.filter(|_| scrubbed == Scrubbed::Channel) else { return };
        // A row that keeps a name or an address is somebody else's, and speaks of the erased person.
        let gone = |at: usize| before[at].is_some() && cells[at].is_none();
        if table.names().any(|at| cells[at].is_some()) || !(0..cells.len()).any(gone) {
            return;
        }
        for at in table.own_columns() {
            cells[at] = None;
        }
    }

    /// Takes erased people out of a batch, whose columns have other headers than their names where they are given; returns it with the number of rows that held one.
    ///
    /// # Errors
    ///
    /// Returns an error when the batch cannot be built again.
    pub(crate) fn scrub(
        &self,
        batch: RecordBatch,
        headers: Option<&[String]>,
    ) -> Result<(RecordBatch, u64), ArrowError> {
        if self.list.is_empty() {
            return Ok((batch, 0));
        }
        let texts: Vec<(usize, StringArray)> =
            batch.columns().iter().enumerate().filter_map(|(index, column)| Some((index, text_of(column)?))).collect();
        let schema = batch.schema();
        let named = |index: usize| {
            headers.map_or_else(
                || Some(schema.field(index).name().as_str()),
                |headers| headers.get(index).map(String::as_str),
            )
        };
        let table = PeopleTable::of(texts.iter().map(|(index, _)| named(*index).unwrap_or_default()));
        let mut changed: Vec<Vec<(usize, Option<String>)>> = vec![Vec::new(); texts.len()];
        let mut rows = 0;
        for row in 0..batch.num_rows() {
            let mut cells: Vec<Option<String>> =
                texts.iter().map(|(_, values)| crate::records::value_at(values, row).map(ToOwned::to_owned)).collect();
            let before = cells.clone();
            let scrubbed = self.list.scrub_row(&mut cells);
            if scrubbed != Scrubbed::Nothing {
                rows += 1;
                Self::scrub_own(table.as_ref(), scrubbed, &before, &mut cells);
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
