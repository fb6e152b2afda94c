//! An expectation as it is written down: name, arguments, severity.

pub(crate) mod condition;

use hotpass_core::expectations::{ExpectationDomain, ExpectationSpec, expectation_spec};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What the failure of an expectation does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectationSeverity {
    /// It is reported.
    Info,
    /// It is reported as a warning.
    Warn,
    /// The data did not pass.
    #[default]
    Fail,
    /// The rows that fail go to quarantine; an expectation without rows fails the data.
    Quarantine,
}

impl ExpectationSeverity {
    /// The names, Hotpass's and those of Great Expectations.
    pub(crate) const NAMES: [&'static str; 6] = ["info", "warn", "fail", "quarantine", "warning", "critical"];

    /// Returns the name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Quarantine => "quarantine",
        }
    }

    /// Returns the name that Great Expectations has for it: `info`, `warning` or `critical`.
    pub const fn gx_name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warning",
            Self::Fail | Self::Quarantine => "critical",
        }
    }

    /// Returns the severity of a name, Hotpass's or that of Great Expectations.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "info" => Some(Self::Info),
            "warn" | "warning" => Some(Self::Warn),
            "fail" | "critical" => Some(Self::Fail),
            "quarantine" => Some(Self::Quarantine),
            _ => None,
        }
    }
}

/// An expectation: its name, its arguments by the names of Great Expectations, and what its failure does.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// Name, long or short, as in [`hotpass_core::expectations::EXPECTATIONS`].
    pub name: String,
    /// Arguments: `column`, `mostly`, `row_condition` and those of the expectation.
    pub kwargs: Map<String, Value>,
    /// What its failure does.
    pub severity: ExpectationSeverity,
    /// Notes for people.
    pub notes: Option<String>,
    /// What else a suite file says of it.
    pub meta: Map<String, Value>,
}

impl Expectation {
    /// Makes an expectation without arguments.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kwargs: Map::new(),
            severity: ExpectationSeverity::default(),
            notes: None,
            meta: Map::new(),
        }
    }

    /// Makes an expectation about a column.
    pub fn column(name: impl Into<String>, column: impl Into<String>) -> Self {
        Self::new(name).with("column", column.into())
    }

    /// Adds an argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.kwargs.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the severity.
    #[must_use]
    pub fn severity(mut self, severity: ExpectationSeverity) -> Self {
        self.severity = severity;
        self
    }

    /// Returns what is known of the expectation, unless its name is unknown.
    pub fn spec(&self) -> Option<&'static ExpectationSpec> {
        expectation_spec(&self.name)
    }

    /// Returns its name in Great Expectations.
    pub fn gx_name(&self) -> &str {
        self.spec().map_or(&self.name, |spec| spec.name)
    }

    /// Returns whether single rows fail it, so that severity `quarantine` can take them out.
    pub fn judges_rows(&self) -> bool {
        // The type of a column is one for all of its rows.
        let of_column = ["expect_column_values_to_be_of_type", "expect_column_values_to_be_in_type_list"];
        self.spec().is_some_and(|spec| spec.domain.is_row_level() && !of_column.contains(&spec.name))
    }

    /// Returns whether it compares with an earlier run.
    pub fn is_about_drift(&self) -> bool {
        self.spec().is_some_and(|spec| {
            spec.domain == ExpectationDomain::Drift || spec.name == "expect_table_row_count_change_to_be_within"
        })
    }

    /// Returns the share that must pass, 0 to 1; 1 when nothing is said.
    pub fn mostly(&self) -> f64 {
        self.kwargs.get("mostly").and_then(Value::as_f64).unwrap_or(1.0)
    }

    /// Returns the columns it speaks of, for messages.
    pub fn columns(&self) -> Vec<&str> {
        let list = |name: &str| self.kwargs.get(name).and_then(Value::as_array).into_iter().flatten();
        let one = |name: &str| self.kwargs.get(name).and_then(Value::as_str);
        [one("column"), one("column_A"), one("column_B")]
            .into_iter()
            .flatten()
            .chain(list("column_list").filter_map(Value::as_str))
            .collect()
    }

    /// Returns the expectation in a few words: its columns, its short name, and what tells it from others of the name: bounds,
    /// the share that must pass, the rows that are looked at.
    pub fn title(&self) -> String {
        use std::fmt::Write as _;
        let name = self.spec().and_then(|spec| spec.alias).unwrap_or_else(|| self.gx_name());
        let columns = self.columns().join(", ");
        let mut title = if columns.is_empty() { name.to_owned() } else { format!("{columns} {name}") };
        match self.gx_name() {
            "expect_column_values_to_be_in_set" => {
                let values = self.kwargs.get("value_set").and_then(Value::as_array).map_or(0, Vec::len);
                let _ = write!(title, " of {values}");
            }
            _ if self.kwargs.contains_key("min_value") || self.kwargs.contains_key("max_value") => {
                let bound = |name: &str| self.kwargs.get(name).filter(|value| !value.is_null());
                let strict = |name: &str| self.kwargs.get(name).and_then(Value::as_bool).unwrap_or_default();
                let low = if strict("strict_min") { "above" } else { "at least" };
                let high = if strict("strict_max") { "below" } else { "at most" };
                let bounds = match (bound("min_value"), bound("max_value")) {
                    (Some(min), Some(max)) if (low, high) == ("at least", "at most") => format!(" {min} and {max}"),
                    (Some(min), Some(max)) => format!(" {low} {min} and {high} {max}"),
                    (Some(min), None) => format!(" {low} {min}"),
                    (None, Some(max)) => format!(" {high} {max}"),
                    (None, None) => String::new(),
                };
                title.push_str(&bounds);
            }
            _ => {}
        }
        if self.spec().is_some_and(|spec| spec.domain.is_row_level()) && self.mostly() < 1.0 {
            let _ = write!(title, ", mostly {}", self.mostly());
        }
        match self.kwargs.get("row_condition") {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => {
                let _ = write!(title, ", where {text}");
            }
            Some(condition) => {
                let words = condition::Condition::read(condition).map(|condition| condition.to_string());
                let _ = write!(title, ", where {}", words.unwrap_or_else(|_| condition.to_string()));
            }
        }
        title
    }
}
