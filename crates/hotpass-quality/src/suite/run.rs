//! A suite at work: batches in, results out.

use std::fmt;
use std::sync::Arc;

use arrow::buffer::BooleanBuffer;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use rayon::prelude::*;
use serde_json::{Map, Value};

use crate::drift::ProfileBuilder;
use crate::error::BatchError;
use crate::expectation::Expectation;
use crate::expectation::condition::Condition;
use crate::result::{ExpectationResult, RowTally, SuiteResult};
use crate::sql::SqlChecks;
use crate::values::{Column, Reading};

/// The columns of a batch that a suite looks at.
pub(crate) struct Batch {
    pub(crate) rows: usize,
    pub(crate) first: u64,
    pub(crate) columns: Vec<Option<Column>>,
}

impl Batch {
    pub(crate) fn column(&self, position: usize) -> &Column {
        self.columns[position].as_ref().expect("every column that a check names is read")
    }
}

/// What a check has found.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) success: bool,
    pub(crate) exception: Option<String>,
    pub(crate) tally: Option<RowTally>,
    pub(crate) counts_missing: bool,
    pub(crate) observed: Option<Value>,
    pub(crate) facts: Map<String, Value>,
    pub(crate) failed_rows: Vec<u64>,
    pub(crate) unexpected_values: Vec<Value>,
}

impl Outcome {
    pub(crate) fn exception(message: impl Into<String>) -> Self {
        Self { exception: Some(message.into()), ..Self::default() }
    }

    pub(crate) fn observed(success: bool, observed: impl Into<Value>) -> Self {
        Self { success, observed: Some(observed.into()), ..Self::default() }
    }
}

/// What is known when all batches are in.
pub(crate) struct Ending<'a> {
    pub(crate) profile: Option<&'a crate::drift::TableProfile>,
    pub(crate) baseline: Option<&'a crate::drift::TableProfile>,
    pub(crate) batches: &'a [RecordBatch],
    pub(crate) sql: Option<&'a dyn SqlChecks>,
}

/// A check of one expectation.
pub(crate) trait Check: Send {
    /// Looks at the rows of a batch that meet the row condition.
    ///
    /// The error says why the expectation cannot be checked; then it is left alone.
    fn add(&mut self, batch: &Batch, rows: &BooleanBuffer) -> Result<(), String>;

    fn finish(self: Box<Self>, ending: &Ending<'_>) -> Outcome;

    /// Returns the bytes of its state, about.
    fn memory(&self) -> usize {
        0
    }
}

pub(crate) struct RunningCheck {
    pub(crate) expectation: Expectation,
    pub(crate) condition: Option<usize>,
    pub(crate) check: Box<dyn Check>,
    pub(crate) exception: Option<String>,
}

/// A suite at work.
///
/// Batches are added in the order of the table. What the checks keep between batches does not grow with the rows, but for
/// uniqueness (4 bytes a row and each distinct value once), distinct values (each once), and median, quantiles, z-scores and
/// divergence (8 bytes a row); [`SuiteRun::memory`] tells. The result is the same for any size of batch and any number of
/// threads.
pub struct SuiteRun {
    pub(crate) suite: String,
    pub(crate) schema: SchemaRef,
    pub(crate) reading: Reading,
    /// Columns that some check or condition looks at.
    pub(crate) used: Vec<usize>,
    pub(crate) conditions: Vec<Condition<usize>>,
    pub(crate) checks: Vec<RunningCheck>,
    pub(crate) rows: u64,
    pub(crate) profile: Option<ProfileBuilder>,
    pub(crate) baseline: Option<Arc<crate::drift::TableProfile>>,
    pub(crate) sql: Option<Arc<dyn SqlChecks>>,
    pub(crate) keeps_batches: bool,
    pub(crate) batches: Vec<RecordBatch>,
}

impl fmt::Debug for SuiteRun {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SuiteRun")
            .field("suite", &self.suite)
            .field("expectations", &self.checks.len())
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl SuiteRun {
    /// Checks a batch; all expectations at once, on the threads of the pool.
    ///
    /// # Errors
    ///
    /// Returns an error when the batch has other columns than the suite was compiled for.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<(), BatchError> {
        if batch.num_columns() != self.schema.fields().len() {
            return Err(BatchError::Schema);
        }
        let read: Vec<(usize, Column)> = self
            .used
            .par_iter()
            .map(|&position| {
                let column = Column::read(batch.column(position), self.reading).map_err(|source| {
                    BatchError::Column { column: self.schema.field(position).name().clone(), source }
                })?;
                Ok((position, column))
            })
            .collect::<Result<_, BatchError>>()?;
        let mut columns = vec![None; batch.num_columns()];
        for (position, column) in read {
            columns[position] = Some(column);
        }
        let prepared = Batch { rows: batch.num_rows(), first: self.rows, columns };
        let all = BooleanBuffer::new_set(prepared.rows);
        let chosen: Vec<Result<BooleanBuffer, String>> = self
            .conditions
            .par_iter()
            .map(|condition| condition.rows(prepared.rows, &|position| prepared.column(position)))
            .collect();
        self.checks.par_iter_mut().filter(|check| check.exception.is_none()).for_each(|running| {
            let added = match running.condition.map(|condition| &chosen[condition]) {
                None => running.check.add(&prepared, &all),
                Some(Ok(rows)) => running.check.add(&prepared, rows),
                Some(Err(reason)) => Err(reason.clone()),
            };
            running.exception = added.err();
        });
        if let Some(profile) = &mut self.profile {
            profile.add(batch)?;
        }
        if self.keeps_batches {
            self.batches.push(batch.clone());
        }
        self.rows += prepared.rows as u64;
        Ok(())
    }

    /// Returns the bytes that the checks keep between batches, about.
    pub fn memory(&self) -> usize {
        self.checks.iter().map(|running| running.check.memory()).sum()
    }

    /// Returns the results.
    pub fn finish(self) -> SuiteResult {
        let profile = self.profile.map(ProfileBuilder::finish);
        let ending = Ending {
            profile: profile.as_ref(),
            baseline: self.baseline.as_deref(),
            batches: &self.batches,
            sql: self.sql.as_deref(),
        };
        let results = self
            .checks
            .into_par_iter()
            .map(|running| {
                let outcome = match running.exception {
                    Some(reason) => Outcome::exception(reason),
                    None => running.check.finish(&ending),
                };
                ExpectationResult {
                    expectation: running.expectation,
                    success: outcome.success && outcome.exception.is_none(),
                    exception: outcome.exception,
                    tally: outcome.tally,
                    counts_missing: outcome.counts_missing,
                    observed: outcome.observed,
                    facts: outcome.facts,
                    failed_rows: outcome.failed_rows,
                    source_rows: Vec::new(),
                    unexpected_values: outcome.unexpected_values,
                }
            })
            .collect();
        SuiteResult { suite: self.suite, rows: self.rows, results }
    }
}
