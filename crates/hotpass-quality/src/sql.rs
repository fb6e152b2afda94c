//! Expectations in SQL: what an engine must offer.

use std::fmt;

use arrow::record_batch::RecordBatch;

/// An SQL engine that runs the queries of `unexpected_rows_expectation`.
pub trait SqlChecks: Send + Sync + fmt::Debug {
    /// Returns the number of rows that a query yields; `{batch}` in it stands for the table of the batches.
    ///
    /// # Errors
    ///
    /// Returns the reason, without values, when the query cannot be planned or run.
    fn count_rows(&self, query: &str, batches: &[RecordBatch]) -> Result<u64, String>;
}
