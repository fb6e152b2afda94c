//! Why a suite cannot be used.

use std::fmt;

/// One thing that is wrong with an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuiteProblem {
    /// Position of the expectation in the suite, from 0.
    pub position: usize,
    /// Name of the expectation, as written.
    pub expectation: String,
    /// What is wrong.
    pub message: String,
    /// The nearest name that exists, where a name is unknown.
    pub suggestion: Option<String>,
}

impl SuiteProblem {
    /// Returns what is wrong, with the nearest name, without the place.
    pub fn told(&self) -> String {
        let expectation = if self.expectation.is_empty() { String::new() } else { format!("`{}`: ", self.expectation) };
        match &self.suggestion {
            Some(name) => format!("{expectation}{}; did you mean `{name}`?", self.message),
            None => format!("{expectation}{}", self.message),
        }
    }
}

impl fmt::Display for SuiteProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Expectation {} {}", self.position + 1, self.told())
    }
}

/// Why a suite cannot be read or used.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// Expectations that cannot be read or checked; every problem of the suite is listed.
    #[error("Cannot use suite `{suite}`: {}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Problems {
        /// Name of the suite.
        suite: String,
        /// The problems, in the order of the suite.
        problems: Vec<SuiteProblem>,
    },
    /// The text is no JSON.
    #[error("Not a suite: the text is no JSON")]
    Json(#[from] serde_json::Error),
    /// The JSON is no suite.
    #[error("Not a suite: {reason}")]
    NotASuite {
        /// What is missing.
        reason: String,
    },
    /// A query needs an evaluator, and none is at hand.
    #[error("Cannot check SQL expectation {}: no SQL engine is at hand", position + 1)]
    NoSql {
        /// Position of the expectation in the suite, from 0.
        position: usize,
    },
}

/// Why a batch cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The batch has other columns than the suite was compiled for.
    #[error("The batch has another schema than the suite was compiled for")]
    Schema,
    /// A column cannot be read.
    #[error("Cannot read column `{column}`")]
    Column {
        /// Name of the column.
        column: String,
        /// Why.
        #[source]
        source: arrow::error::ArrowError,
    },
}
