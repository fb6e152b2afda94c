//! What a suite found, and its form in Great Expectations.

use serde_json::{Map, Value, json};

use crate::expectation::{Expectation, ExpectationSeverity};
use crate::values::number_json;

/// How many rows an expectation looked at and how many failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowTally {
    /// Rows that meet the row condition.
    pub rows: u64,
    /// Of those, rows that were judged: the others have no value.
    pub judged: u64,
    /// Of those, rows that failed.
    pub unexpected: u64,
}

impl RowTally {
    /// Returns the share of the judged rows that passed, 0 to 1; 1 when none was judged.
    pub fn share(&self) -> f64 {
        if self.judged == 0 { 1.0 } else { (self.judged as f64 - self.unexpected as f64) / self.judged as f64 }
    }
}

/// The result of an expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectationResult {
    /// The expectation.
    pub expectation: Expectation,
    /// Whether it holds.
    pub success: bool,
    /// Why it could not be checked; it then does not hold.
    pub exception: Option<String>,
    /// Rows, for an expectation about rows.
    pub tally: Option<RowTally>,
    /// Whether rows without a value are counted apart.
    pub counts_missing: bool,
    /// What was found, for an expectation about a figure; never a text or date of the data unless its column may be shown.
    pub observed: Option<Value>,
    /// Further facts, as Great Expectations names them.
    pub facts: Map<String, Value>,
    /// Rows that failed, from 0 in the order they were added: all of them, or the first ones where nobody needs more.
    pub failed_rows: Vec<u64>,
    /// Rows of the source that failed, the first ones, by the numbers of a file or sheet; empty where nobody gave them.
    pub source_rows: Vec<u32>,
    /// Values that failed, the first ones; empty unless the column may be shown.
    pub unexpected_values: Vec<Value>,
}

/// Number of failed values or positions that a result lists.
pub(crate) const PARTIAL: usize = 20;

impl SuiteResult {
    /// Gives the first failed rows of each result their numbers in the source.
    pub fn number_rows(&mut self, number: impl Fn(u64) -> Option<u32>) {
        for result in &mut self.results {
            result.source_rows = result.failed_rows.iter().take(PARTIAL).filter_map(|&row| number(row)).collect();
        }
    }
}

impl ExpectationResult {
    /// Returns the result in the form of Great Expectations' result format `SUMMARY`.
    ///
    /// `partial_unexpected_list` is empty unless the column may be shown; `partial_unexpected_index_list` says which rows failed.
    pub fn to_gx_json(&self) -> Value {
        let mut result = Map::new();
        if let Some(tally) = self.tally {
            let percent = |part: u64, whole: u64| {
                if whole == 0 { Value::Null } else { number_json(part as f64 / whole as f64 * 100.0) }
            };
            result.insert("element_count".into(), tally.rows.into());
            result.insert("unexpected_count".into(), tally.unexpected.into());
            let of_judged = if tally.rows == 0 { Value::Null } else { percent(tally.unexpected, tally.judged) };
            result.insert("unexpected_percent".into(), of_judged.clone());
            result.insert("partial_unexpected_list".into(), self.unexpected_values.clone().into());
            if self.counts_missing {
                let missing = tally.rows - tally.judged;
                result.insert("missing_count".into(), missing.into());
                result.insert("missing_percent".into(), percent(missing, tally.rows));
                result.insert("unexpected_percent_total".into(), percent(tally.unexpected, tally.rows));
                result.insert("unexpected_percent_nonmissing".into(), of_judged);
            }
            result.insert("partial_unexpected_counts".into(), json!([]));
            let positions: Vec<u64> = self.failed_rows.iter().take(PARTIAL).copied().collect();
            result.insert("partial_unexpected_index_list".into(), positions.into());
        }
        if let Some(observed) = &self.observed {
            result.insert("observed_value".into(), observed.clone());
        }
        result.extend(self.facts.clone());
        json!({
            "success": self.success,
            "expectation_config": expectation_json(&self.expectation),
            "result": result,
            "meta": {},
            "exception_info": {
                "raised_exception": self.exception.is_some(),
                "exception_traceback": null,
                "exception_message": self.exception,
            },
        })
    }
}

/// The result of a suite.
#[derive(Debug, Clone, PartialEq)]
pub struct SuiteResult {
    /// Name of the suite.
    pub suite: String,
    /// Number of rows that were added.
    pub rows: u64,
    /// The results, in the order of the suite.
    pub results: Vec<ExpectationResult>,
}

impl SuiteResult {
    /// Returns whether every expectation holds.
    pub fn success(&self) -> bool {
        self.results.iter().all(|result| result.success)
    }

    /// Returns the results that do not hold.
    pub fn failures(&self) -> impl Iterator<Item = &ExpectationResult> {
        self.results.iter().filter(|result| !result.success)
    }

    /// Returns whether no expectation that decides over the data fails.
    ///
    /// Severity `quarantine` decides only where no rows can be taken out.
    pub fn passed(&self) -> bool {
        self.failures().all(|result| match result.expectation.severity {
            ExpectationSeverity::Info | ExpectationSeverity::Warn => true,
            ExpectationSeverity::Fail => false,
            ExpectationSeverity::Quarantine => result.tally.is_some() && result.exception.is_none(),
        })
    }

    /// Returns the result in the form of Great Expectations' `ExpectationSuiteValidationResult`.
    pub fn to_gx_json(&self) -> Value {
        let successful = self.results.iter().filter(|result| result.success).count();
        let evaluated = self.results.len();
        let percent =
            if evaluated == 0 { Value::Null } else { number_json(successful as f64 / evaluated as f64 * 100.0) };
        json!({
            "success": self.success(),
            "results": self.results.iter().map(ExpectationResult::to_gx_json).collect::<Vec<_>>(),
            "suite_name": self.suite,
            "suite_parameters": {},
            "statistics": {
                "evaluated_expectations": evaluated,
                "successful_expectations": successful,
                "unsuccessful_expectations": evaluated - successful,
                "success_percent": percent,
            },
            "meta": {"hotpass_version": env!("CARGO_PKG_VERSION"), "rows": self.rows},
            "id": null,
        })
    }
}

/// Returns an expectation in the form of Great Expectations.
pub(crate) fn expectation_json(expectation: &Expectation) -> Value {
    let mut meta = expectation.meta.clone();
    if expectation.severity == ExpectationSeverity::Quarantine {
        meta.insert("hotpass".into(), json!({"severity": "quarantine"}));
    }
    let mut config = json!({
        "type": expectation.gx_name(),
        "kwargs": expectation.kwargs,
        "meta": meta,
        "severity": expectation.severity.gx_name(),
    });
    if let Some(notes) = &expectation.notes {
        config["notes"] = notes.clone().into();
    }
    config
}
