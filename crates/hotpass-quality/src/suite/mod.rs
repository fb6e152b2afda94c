//! Suites: expectations under a name, read from and written to suite files of Great Expectations.

mod compile;
mod figures;
mod interner;
mod rows;
mod run;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::Schema;
use hotpass_core::nearest;
use serde_json::{Map, Value, json};

pub use run::SuiteRun;

pub(crate) use interner::Interner;

use crate::drift::TableProfile;
use crate::error::{SuiteError, SuiteProblem};
use crate::expectation::{Expectation, ExpectationSeverity};
use crate::result::expectation_json;
use crate::sql::SqlChecks;
use crate::values::Reading;

/// Expectations under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    /// Name.
    pub name: String,
    /// The expectations, in order.
    pub expectations: Vec<Expectation>,
    /// What else a suite file says.
    pub meta: Map<String, Value>,
    /// Notes for people.
    pub notes: Option<String>,
}

/// What a column that the table does not have means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MissingColumns {
    /// The suite is wrong: it does not compile.
    #[default]
    Refuse,
    /// The data is wrong: expectations on the column fail.
    Fail,
}

/// How a suite is evaluated.
#[derive(Debug, Clone, Default)]
pub struct SuiteOptions {
    /// Text of nothing but white space is no value.
    pub blank_as_null: bool,
    /// Text that spells a number is compared and summed as the number, wherever it meets one, and text that spells a truth
    /// value is one where a set holds truth values. Great Expectations refuses to, or finds them unequal.
    ///
    /// Uniqueness and counts of distinct values take text as it is written: `007` and `7` are two values.
    pub numbers_in_text: bool,
    /// What a missing column means.
    pub missing_columns: MissingColumns,
    /// Columns whose values may stand in results; those of all others never do.
    pub shown_columns: BTreeSet<String>,
    /// Keep the positions of all failed rows, also where the severity is not `quarantine`.
    pub all_positions: bool,
    /// Profile of the previous run, for expectations about drift; without one they hold.
    pub baseline: Option<Arc<TableProfile>>,
    /// Engine of expectations in SQL.
    pub sql: Option<Arc<dyn SqlChecks>>,
}

impl SuiteOptions {
    pub(crate) fn reading(&self) -> Reading {
        Reading { blank_as_null: self.blank_as_null, numbers_in_text: self.numbers_in_text }
    }
}

impl Suite {
    /// Makes a suite.
    pub fn new(name: impl Into<String>, expectations: impl IntoIterator<Item = Expectation>) -> Self {
        Self { name: name.into(), expectations: expectations.into_iter().collect(), meta: Map::new(), notes: None }
    }

    /// Reads a suite file of Great Expectations, of version 1 or of the 0.x versions.
    ///
    /// The severity is `meta.hotpass.severity` where that is given, else that of Great Expectations.
    ///
    /// # Errors
    ///
    /// Returns an error when the text is no JSON or holds no expectations; expectations without a type or of an unknown severity
    /// are told all at once. Names and arguments are checked by [`Suite::compile`].
    pub fn from_gx_json(text: &str) -> Result<Self, SuiteError> {
        let document: Value = serde_json::from_str(text)?;
        let not = |reason: &str| SuiteError::NotASuite { reason: reason.to_owned() };
        let name = document.get("name").or_else(|| document.get("expectation_suite_name"));
        let name = name.and_then(Value::as_str).ok_or_else(|| not("it has no `name`"))?;
        let list = document
            .get("expectations")
            .and_then(Value::as_array)
            .ok_or_else(|| not("it has no list of `expectations`"))?;
        let map = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
        let mut expectations = Vec::with_capacity(list.len());
        let mut problems = Vec::new();
        for (position, entry) in list.iter().enumerate() {
            let kind = entry.get("type").or_else(|| entry.get("expectation_type")).and_then(Value::as_str);
            let mut problem = |message: String, suggestion: Option<&str>| {
                problems.push(SuiteProblem {
                    position,
                    expectation: kind.unwrap_or_default().to_owned(),
                    message,
                    suggestion: suggestion.map(str::to_owned),
                });
            };
            let Some(kind) = kind else {
                problem("it has no `type`".to_owned(), None);
                continue;
            };
            let mut meta = map(entry.get("meta"));
            let own = meta.shift_remove("hotpass");
            let named = own.as_ref().and_then(|own| own.get("severity")).or_else(|| entry.get("severity"));
            let severity = named.and_then(Value::as_str).map(|name| {
                ExpectationSeverity::from_name(name).unwrap_or_else(|| {
                    problem(format!("unknown severity `{name}`"), nearest(name, ExpectationSeverity::NAMES));
                    ExpectationSeverity::default()
                })
            });
            let mut kwargs = map(entry.get("kwargs"));
            kwargs.retain(|name, value| !value.is_null() && !matches!(name.as_str(), "batch_id" | "result_format"));
            let notes = entry.get("notes").and_then(Value::as_str).map(str::to_owned);
            expectations.push(Expectation {
                name: kind.to_owned(),
                kwargs,
                severity: severity.unwrap_or_default(),
                notes,
                meta,
            });
        }
        if !problems.is_empty() {
            return Err(SuiteError::Problems { suite: name.to_owned(), problems });
        }
        let notes = document.get("notes").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { name: name.to_owned(), expectations, meta: map(document.get("meta")), notes })
    }

    /// Returns the suite as Great Expectations writes it.
    pub fn to_gx_json(&self) -> Value {
        json!({
            "name": self.name,
            "expectations": self.expectations.iter().map(expectation_json).collect::<Vec<_>>(),
            "meta": self.meta,
            "notes": self.notes,
        })
    }

    /// Makes the suite ready to check batches of a schema.
    ///
    /// # Errors
    ///
    /// Returns every problem of the suite at once: unknown names, columns and arguments with the nearest that exist, broken
    /// expressions, bounds that contradict each other.
    pub fn compile(&self, schema: &Schema, options: &SuiteOptions) -> Result<SuiteRun, SuiteError> {
        compile::compile(self, schema, options)
    }
}

#[cfg(test)]
mod tests;
