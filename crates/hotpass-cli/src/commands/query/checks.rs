//! The SQL engine of expectations.

use arrow::record_batch::RecordBatch;
use hotpass_quality::SqlChecks;

use super::engine::{QueryError, QueryTable, TableSource, query};

/// Name of the table that `{batch}` of an expectation stands for.
const BATCH: &str = "batch";

/// Runs the queries of expectations on DataFusion.
#[derive(Debug)]
pub(super) struct SqlEngine;

impl SqlChecks for SqlEngine {
    fn count_rows(&self, sql: &str, batches: &[RecordBatch]) -> Result<u64, String> {
        let Some(first) = batches.first() else { return Ok(0) };
        let source = TableSource::Batches(first.schema(), batches.to_vec());
        let table = QueryTable { name: BATCH.to_owned(), source };
        let sql = sql.replace("{batch}", BATCH);
        match query(&[table], sql.trim_end_matches([';', ' ', '\n']), || false) {
            Ok(result) => Ok(result.batches.iter().map(|batch| batch.num_rows() as u64).sum()),
            Err(QueryError::Wrong { message, .. } | QueryError::Failed { message }) => Err(message),
            Err(QueryError::Interrupted) => Err("The query was interrupted".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;

    use super::*;

    #[test]
    fn rows_that_a_query_yields_are_counted() {
        let batch =
            RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(vec![1, 2, 3])) as _)]).expect("a batch");
        let count = |sql: &str| SqlEngine.count_rows(sql, &[batch.clone(), batch.clone()]);
        assert_eq!(count("SELECT * FROM {batch} WHERE n > 1;"), Ok(4));
        assert!(count("SELECT m FROM {batch}").is_err());
    }
}
