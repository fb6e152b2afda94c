//! Expectations on the published table, and what to do next.

use std::collections::HashSet;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use hotpass_config::HotpassConfig;
use hotpass_config::model::{Expectation, ExpectationKind, ExpectationSeverity, QaMode};
use hotpass_core::fields::GOLDEN_COLUMNS;
use rayon::prelude::*;
use regex::Regex;

use crate::report::counted;
use crate::statistics::{ExpectationResult, RunStatistics};

/// Why an expectation cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum ExpectationError {
    /// No published column has the name.
    #[error("Cannot check expectation on column `{column}`: the published table has no such column{}", suggestion.as_ref().map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default())]
    UnknownColumn {
        /// The name.
        column: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
    },
    /// The regular expression is broken.
    #[error("Cannot check expectation on column `{column}`: its regular expression is broken")]
    Regex {
        /// Column.
        column: String,
        /// Why.
        #[source]
        source: Box<regex::Error>,
    },
    /// `match_regex` without an expression.
    #[error("Cannot check expectation on column `{column}`: `match_regex` needs `regex`")]
    MissingRegex {
        /// Column.
        column: String,
    },
}

/// The expectations of a run, ready to be checked.
#[derive(Debug)]
pub(crate) struct Expectations {
    checks: Vec<Check>,
}

#[derive(Debug)]
struct Check {
    expectation: Expectation,
    column: usize,
    regex: Option<Regex>,
    fails_run: bool,
    checked: u64,
    unexpected: u64,
    seen: HashSet<String>,
}

impl Expectations {
    /// Takes the profile's expectations and those that its thresholds make.
    ///
    /// # Errors
    ///
    /// Returns an error when an expectation names an unknown column or holds a broken regular expression.
    pub(crate) fn from_config(config: &HotpassConfig) -> Result<Self, ExpectationError> {
        let profile = &config.profile;
        let threshold = |column: &str, regex: &str, mostly: f64| Expectation {
            kind: ExpectationKind::MatchRegex,
            column: column.to_owned(),
            mostly,
            regex: Some(regex.to_owned()),
            values: Vec::new(),
            min: None,
            max: None,
            severity: ExpectationSeverity::Warn,
        };
        let mut all = profile.expectations.clone();
        all.push(threshold(
            "contact_primary_email",
            r"^[^@\s]+@[^@\s]+\.[^@\s.]{2,}$",
            profile.email_validation_threshold,
        ));
        all.push(threshold("contact_primary_phone", r"^\+[0-9]{6,15}$", profile.phone_validation_threshold));
        all.push(threshold("website", r"^https?://[^\s/]+\.[^\s/]+", profile.website_validation_threshold));
        let checks = all
            .into_iter()
            .map(|expectation| {
                let column =
                    GOLDEN_COLUMNS.iter().position(|column| column.name == expectation.column).ok_or_else(|| {
                        ExpectationError::UnknownColumn {
                            column: expectation.column.clone(),
                            suggestion: hotpass_core::nearest(
                                &expectation.column,
                                GOLDEN_COLUMNS.iter().map(|column| column.name),
                            )
                            .map(str::to_owned),
                        }
                    })?;
                let regex = match (expectation.kind, &expectation.regex) {
                    (ExpectationKind::MatchRegex, Some(regex)) => Some(Regex::new(regex).map_err(|source| {
                        ExpectationError::Regex { column: expectation.column.clone(), source: Box::new(source) }
                    })?),
                    (ExpectationKind::MatchRegex, None) => {
                        return Err(ExpectationError::MissingRegex { column: expectation.column.clone() });
                    }
                    _ => None,
                };
                let fails_run = match config.pipeline.qa_mode {
                    QaMode::Default => expectation.severity == ExpectationSeverity::Fail,
                    QaMode::Strict => true,
                    QaMode::Relaxed => false,
                };
                Ok(Check { expectation, column, regex, fails_run, checked: 0, unexpected: 0, seen: HashSet::new() })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { checks })
    }

    /// Checks the rows of the published table.
    pub(crate) fn check(&mut self, batches: &[RecordBatch]) {
        self.checks.par_iter_mut().for_each(|check| {
            for batch in batches {
                check.add(batch.column(check.column).as_ref());
            }
        });
    }

    /// Returns the results, in the order of the profile.
    pub(crate) fn finish(self) -> Vec<ExpectationResult> {
        self.checks.into_iter().map(Check::finish).collect()
    }
}

impl Check {
    fn add(&mut self, values: &dyn Array) {
        if self.expectation.kind == ExpectationKind::NotNull {
            self.checked += values.len() as u64;
            // A text of nothing but white space is no value.
            let blank = values
                .as_string_opt::<i32>()
                .map_or(0, |text| text.iter().flatten().filter(|value| value.trim().is_empty()).count());
            self.unexpected += (values.null_count() + blank) as u64;
            return;
        }
        if self.expectation.kind == ExpectationKind::Between {
            self.add_numbers(values);
            return;
        }
        if let Some(text) = values.as_string_opt::<i32>() {
            for value in text.iter().flatten() {
                self.add_text(value);
            }
        } else if let Ok(formatter) = ArrayFormatter::try_new(values, &FormatOptions::default()) {
            for row in (0..values.len()).filter(|&row| !values.is_null(row)) {
                let text = formatter.value(row).to_string();
                self.add_text(&text);
            }
        }
    }

    fn add_text(&mut self, value: &str) {
        self.checked += 1;
        let passes = match self.expectation.kind {
            ExpectationKind::MatchRegex => self.regex.as_ref().is_some_and(|regex| regex.is_match(value)),
            ExpectationKind::InSet => self.expectation.values.iter().any(|allowed| allowed == value),
            ExpectationKind::Unique => self.seen.insert(value.to_owned()),
            ExpectationKind::NotNull | ExpectationKind::Between => true,
        };
        self.unexpected += u64::from(!passes);
    }

    fn add_numbers(&mut self, values: &dyn Array) {
        let mut number = |value: Option<f64>| {
            self.checked += 1;
            let passes = value.is_some_and(|value| {
                self.expectation.min.is_none_or(|min| value >= min)
                    && self.expectation.max.is_none_or(|max| value <= max)
            });
            self.unexpected += u64::from(!passes);
        };
        match values.data_type() {
            DataType::Float64 => {
                values.as_primitive::<Float64Type>().iter().flatten().for_each(|value| number(Some(value)));
            }
            DataType::Int64 => {
                values.as_primitive::<Int64Type>().iter().flatten().for_each(|value| number(Some(value as f64)));
            }
            DataType::Utf8 => {
                values.as_string::<i32>().iter().flatten().for_each(|value| number(value.trim().parse().ok()));
            }
            _ => (0..values.len() - values.null_count()).for_each(|_| number(None)),
        }
    }

    fn finish(self) -> ExpectationResult {
        let share = if self.checked == 0 { 1.0 } else { 1.0 - self.unexpected as f64 / self.checked as f64 };
        let expectation = &self.expectation;
        let kind = match expectation.kind {
            ExpectationKind::NotNull => "not_null".to_owned(),
            ExpectationKind::Unique => "unique".to_owned(),
            ExpectationKind::MatchRegex => "match_regex".to_owned(),
            ExpectationKind::InSet => format!("in_set of {}", expectation.values.len()),
            ExpectationKind::Between => match (expectation.min, expectation.max) {
                (Some(min), Some(max)) => format!("between {min} and {max}"),
                (Some(min), None) => format!("at least {min}"),
                (None, Some(max)) => format!("at most {max}"),
                (None, None) => "between".to_owned(),
            },
        };
        ExpectationResult {
            name: format!("{} {kind}", expectation.column),
            column: expectation.column.clone(),
            checked: self.checked,
            unexpected: self.unexpected,
            mostly: expectation.mostly,
            // Shares are quotients of whole numbers, so that a hair below the bound is rounding.
            success: share + 1e-12 >= expectation.mostly,
            fails_run: self.fails_run,
        }
    }
}

/// Returns what to do next, from the figures of a run.
pub(crate) fn recommendations(statistics: &RunStatistics) -> Vec<String> {
    let mut all = Vec::new();
    if statistics.rows_in == 0 {
        all.push("Check the input: no table held a row".to_owned());
        return all;
    }
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    if statistics.quality_mean < 0.5 {
        all.push(format!(
            "Critical: the mean quality score is {:.2}; fill the wanted fields that are missing most",
            statistics.quality_mean
        ));
    } else if statistics.quality_mean < 0.75 {
        all.push(format!(
            "Warning: the mean quality score is {:.2}; fill the wanted fields that are missing most",
            statistics.quality_mean
        ));
    }
    let low: u64 = statistics.quality_histogram[..5].iter().sum();
    if low > 0 && statistics.entities > 0 {
        let share = low as f64 / statistics.entities as f64;
        all.push(format!(
            "{low} of {} ({}) {} below 0.5",
            counted(statistics.entities, "golden record"),
            percent(share),
            if low == 1 { "scores" } else { "score" }
        ));
    }
    for result in statistics.expectations.iter().filter(|result| !result.success) {
        all.push(format!(
            "Expectation `{}` failed: {} of {} values, {} may",
            result.name,
            result.unexpected,
            result.checked,
            percent(1.0 - result.mostly)
        ));
    }
    for (reason, rows) in &statistics.quarantine_reasons {
        all.push(format!(
            "{} in quarantine for `{reason}`; correct the source or map another column",
            if *rows == 1 { "1 row is".to_owned() } else { format!("{} are", counted(*rows, "row")) }
        ));
    }
    let suggested: usize = statistics
        .tables
        .iter()
        .flat_map(|table| &table.columns)
        .filter(|column| column.field.is_none() && column.suggestion.is_some())
        .count();
    if suggested > 0 {
        all.push(format!(
            "{} a suggested field that was not applied; write a mapping with `hotpass map` and pass it with `--mapping`",
            if suggested == 1 { "1 column has".to_owned() } else { format!("{suggested} columns have") }
        ));
    }
    if let Some((column, count)) =
        statistics.conflicts.iter().max_by_key(|(_, count)| **count).filter(|(_, count)| **count > 0)
    {
        all.push(format!(
            "Sources disagree most on `{column}`, in {}; see the conflicts",
            counted(*count, "golden record")
        ));
    }
    if all.is_empty() {
        all.push("Nothing to do: every expectation holds and quality is good".to_owned());
    }
    all
}
