//! From expectations as written to checks: every problem of a suite at once.

use std::collections::{BTreeSet, HashSet};

use arrow::datatypes::Schema;
use hotpass_core::expectations::{ExpectationDomain, ExpectationSpec, expectation_names};
use hotpass_core::nearest;
use serde_json::{Map, Value, json};

use super::figures::{
    DivergenceCheck, DriftCheck, DriftQuestion, Figure, FigureCheck, Interpolation, Moments, Partition, QuantileCheck,
    SetCheck, SetQuestion, TableCheck, TableQuestion,
};
use super::interner::Counter;
use super::rows::{Book, Bounds, Ignore, RowCheck, Test, UniqueCheck, ZScoreCheck, push_part, str_bound};
use super::run::{Check, Outcome, RunningCheck};
use super::{MissingColumns, Suite, SuiteOptions, SuiteRun};
use crate::drift::ProfileBuilder;
use crate::error::{SuiteError, SuiteProblem};
use crate::expectation::condition::Condition;
use crate::expectation::{Expectation, ExpectationSeverity};
use crate::patterns::{TimeFormat, like_regex, python_regex};
use crate::values::{CellKind, KeyForm, key_of_json, parse_time};

/// Arguments that any expectation may have and that do not decide anything here.
const COMMON: [&str; 5] = ["row_condition", "condition_parser", "catch_exceptions", "windows", "include_config"];

/// Makes a suite ready to run.
pub(crate) fn compile(suite: &Suite, schema: &Schema, options: &SuiteOptions) -> Result<SuiteRun, SuiteError> {
    let mut problems = Vec::new();
    let mut used = BTreeSet::new();
    let mut conditions: Vec<Condition<usize>> = Vec::new();
    let mut checks = Vec::new();
    let mut drifting = BTreeSet::new();
    let mut asks_sql = None;
    for (position, expectation) in suite.expectations.iter().enumerate() {
        let Some(spec) = expectation.spec() else {
            problems.push(SuiteProblem {
                position,
                expectation: expectation.name.clone(),
                message: "unknown expectation".into(),
                suggestion: nearest(&expectation.name, expectation_names()).map(str::to_owned),
            });
            continue;
        };
        let mut reader = Reader {
            position,
            expectation,
            spec,
            schema,
            options,
            problems: Vec::new(),
            absent: Vec::new(),
            used: Vec::new(),
        };
        reader.check_names();
        let condition = reader.condition();
        let check = reader.check();
        let Reader { problems: found, absent, used: seen, .. } = reader;
        if !found.is_empty() {
            problems.extend(found);
            continue;
        }
        used.extend(seen);
        let exception = absent.first().map(|column| format!("The column `{column}` does not exist in the table"));
        if spec.domain == ExpectationDomain::Drift {
            drifting.extend(expectation.columns().into_iter().map(str::to_owned));
        }
        if spec.name == "unexpected_rows_expectation" {
            asks_sql.get_or_insert(position);
        }
        let condition = condition.map(|condition| {
            conditions.iter().position(|known| *known == condition).unwrap_or_else(|| {
                conditions.push(condition);
                conditions.len() - 1
            })
        });
        // Without a check the column is absent, and the exception says so.
        let check = check.unwrap_or_else(|| known(Outcome::default()));
        checks.push(RunningCheck { expectation: expectation.clone(), condition, check, exception });
    }
    if !problems.is_empty() {
        return Err(SuiteError::Problems { suite: suite.name.clone(), problems });
    }
    if let (Some(position), None) = (asks_sql, &options.sql) {
        return Err(SuiteError::NoSql { position });
    }
    Ok(SuiteRun {
        suite: suite.name.clone(),
        schema: schema.clone().into(),
        reading: options.reading(),
        used: used.into_iter().collect(),
        conditions,
        checks,
        rows: 0,
        profile: (!drifting.is_empty()).then(|| ProfileBuilder::of(schema, &drifting)),
        baseline: options.baseline.clone(),
        sql: options.sql.clone(),
        keeps_batches: asks_sql.is_some(),
        batches: Vec::new(),
    })
}

fn known(outcome: Outcome) -> Box<dyn Check> {
    Box::new(TableCheck { question: TableQuestion::Known(Box::new(outcome)), rows: 0 })
}

/// Reads the arguments of one expectation.
struct Reader<'a> {
    position: usize,
    expectation: &'a Expectation,
    spec: &'static ExpectationSpec,
    schema: &'a Schema,
    options: &'a SuiteOptions,
    problems: Vec<SuiteProblem>,
    /// Columns that the table does not have, where that fails the data.
    absent: Vec<String>,
    used: Vec<usize>,
}

impl Reader<'_> {
    fn problem(&mut self, message: impl Into<String>) {
        self.near(message, None);
    }

    fn near(&mut self, message: impl Into<String>, suggestion: Option<&str>) {
        self.problems.push(SuiteProblem {
            position: self.position,
            expectation: self.expectation.name.clone(),
            message: message.into(),
            suggestion: suggestion.map(str::to_owned),
        });
    }

    fn domain_arguments(&self) -> &'static [&'static str] {
        match self.spec.domain {
            ExpectationDomain::Values | ExpectationDomain::Aggregate | ExpectationDomain::Drift => &["column"],
            ExpectationDomain::Pair => &["column_A", "column_B"],
            ExpectationDomain::Columns => &["column_list"],
            ExpectationDomain::Table => &[],
        }
    }

    /// Finds arguments that are unknown or missing.
    fn check_names(&mut self) {
        let domain = self.domain_arguments();
        let mut all: Vec<&str> = domain.iter().chain(self.spec.required).chain(self.spec.optional).copied().collect();
        all.extend(COMMON);
        if self.spec.domain.is_row_level() {
            all.push("mostly");
        }
        for name in self.expectation.kwargs.keys() {
            if !all.contains(&name.as_str()) {
                self.near(format!("unknown argument `{name}`"), nearest(name, all.iter().copied()));
            }
        }
        for name in domain.iter().chain(self.spec.required) {
            if self.get(name).is_none() {
                self.problem(format!("argument `{name}` is missing"));
            }
        }
        if self.spec.domain.is_row_level()
            && let Some(mostly) = self.get("mostly")
            && !mostly.as_f64().is_some_and(|mostly| (0.0..=1.0).contains(&mostly))
        {
            self.problem("`mostly` is no number from 0 to 1");
        }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.expectation.kwargs.get(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let text = self.get(name)?.as_str().map(str::to_owned);
        if text.is_none() {
            self.problem(format!("`{name}` is no text"));
        }
        text
    }

    fn number(&mut self, name: &str) -> Option<f64> {
        let value = self.get(name)?;
        let number = value.as_f64();
        if number.is_none() {
            self.problem(format!("`{name}` is no number"));
        }
        number
    }

    fn truth(&mut self, name: &str) -> bool {
        match self.get(name) {
            None => false,
            Some(Value::Bool(truth)) => *truth,
            Some(_) => {
                self.problem(format!("`{name}` is neither true nor false"));
                false
            }
        }
    }

    /// Returns a list that may be empty.
    fn set(&mut self, name: &str) -> Option<Vec<Value>> {
        if let Value::Array(values) = self.get(name)? {
            return Some(values.clone());
        }
        self.problem(format!("`{name}` is no list"));
        None
    }

    fn list(&mut self, name: &str) -> Option<Vec<Value>> {
        let values = self.set(name)?;
        if values.is_empty() {
            self.problem(format!("`{name}` is empty"));
            return None;
        }
        Some(values)
    }

    fn holds_numbers(&self, kind: CellKind) -> bool {
        kind.holds_numbers(self.options.reading())
    }

    fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let values = self.list(name)?;
        let texts: Option<Vec<String>> = values.iter().map(|value| value.as_str().map(str::to_owned)).collect();
        if texts.is_none() {
            self.problem(format!("`{name}` is no list of texts"));
        }
        texts
    }

    /// Returns the position of a column; an unknown one is a problem, or fails the data.
    fn position_of(&mut self, name: &str) -> Option<usize> {
        let found = self.schema.fields().iter().position(|field| field.name() == name);
        match found {
            Some(position) => self.used.push(position),
            None if self.options.missing_columns == MissingColumns::Fail => self.absent.push(name.to_owned()),
            None => {
                let names = self.schema.fields().iter().map(|field| field.name().as_str());
                let suggestion = nearest(name, names).map(str::to_owned);
                self.near(format!("unknown column `{name}`"), suggestion.as_deref());
            }
        }
        found
    }

    fn column(&mut self, argument: &str) -> Option<(usize, CellKind)> {
        let name = self.text(argument)?;
        let position = self.position_of(&name)?;
        Some((position, CellKind::of(self.schema.field(position).data_type())))
    }

    fn columns(&mut self) -> Option<Vec<usize>> {
        let names = self.texts("column_list")?;
        if names.len() < 2 {
            self.problem("`column_list` names fewer than two columns");
            return None;
        }
        let positions: Vec<Option<usize>> = names.iter().map(|name| self.position_of(name)).collect();
        positions.into_iter().collect()
    }

    fn kind_of(&self, position: usize) -> CellKind {
        CellKind::of(self.schema.field(position).data_type())
    }

    fn shows(&self, positions: &[usize]) -> bool {
        positions.iter().all(|&position| self.options.shown_columns.contains(self.schema.field(position).name()))
    }

    fn condition(&mut self) -> Option<Condition<usize>> {
        let value = self.get("row_condition")?.clone();
        let parsed = Condition::read(&value);
        let condition = match parsed {
            Ok(condition) => condition,
            Err(reason) => {
                self.problem(reason);
                return None;
            }
        };
        condition.map(&mut |name| self.position_of(&name).ok_or_else(String::new)).ok()
    }

    fn bounds(&mut self, needed: bool) -> Option<Bounds<Value>> {
        let bounds = Bounds {
            min: self.get("min_value").cloned(),
            max: self.get("max_value").cloned(),
            strict_min: self.truth("strict_min"),
            strict_max: self.truth("strict_max"),
        };
        if needed && bounds.min.is_none() && bounds.max.is_none() {
            self.problem("`min_value` or `max_value` is missing");
            return None;
        }
        for (name, bound) in [("min_value", &bounds.min), ("max_value", &bounds.max)] {
            if bound.as_ref().is_some_and(|bound| !(bound.is_number() || bound.is_string())) {
                self.problem(format!("`{name}` is neither number nor text"));
                return None;
            }
        }
        let crossed = match (&bounds.min, &bounds.max) {
            (Some(Value::Number(min)), Some(Value::Number(max))) => min.as_f64() > max.as_f64(),
            (Some(Value::String(min)), Some(Value::String(max))) => min > max,
            (Some(_), Some(_)) => {
                self.problem("`min_value` and `max_value` are of different types");
                return None;
            }
            _ => false,
        };
        if crossed {
            self.problem("`max_value` lies below `min_value`");
            return None;
        }
        Some(bounds)
    }

    fn number_bounds(&mut self, needed: bool) -> Option<Bounds<f64>> {
        let bounds = self.bounds(needed)?.try_map(|bound| bound.as_f64());
        if bounds.is_none() {
            self.problem("`min_value` or `max_value` is no number");
        }
        bounds
    }

    fn ignore(&mut self, names: [&str; 3]) -> Option<Ignore> {
        let [all, any, never] = names;
        match self.text("ignore_row_if") {
            None if self.get("ignore_row_if").is_some() => None,
            None => Some(Ignore::AllMissing),
            Some(name) if name == all => Some(Ignore::AllMissing),
            Some(name) if name == any => Some(Ignore::AnyMissing),
            Some(name) if name == never => Some(Ignore::Never),
            Some(name) => {
                self.near(format!("unknown `ignore_row_if`: `{name}`"), nearest(&name, names));
                None
            }
        }
    }

    fn compiled<T>(&mut self, compiled: Result<T, String>) -> Option<T> {
        compiled.map_err(|reason| self.problem(reason)).ok()
    }

    fn regexes(&mut self, argument: &str, negated: bool) -> Option<Test> {
        let patterns = if argument.ends_with("_list") {
            self.texts(argument)?
        } else {
            vec![self.text(argument).unwrap_or_else(|| "(?s).*".into())]
        };
        let all = match self.text("match_on").as_deref() {
            None | Some("any") => false,
            Some("all") => true,
            Some(_) => {
                self.problem("`match_on` is neither `any` nor `all`");
                return None;
            }
        };
        let like = argument.starts_with("like");
        let escape = self.text("escape").and_then(|text| text.chars().next());
        let mut any_of = Vec::with_capacity(patterns.len());
        for pattern in &patterns {
            let compiled = if like { like_regex(pattern, escape) } else { python_regex(pattern) };
            any_of.push(self.compiled(compiled)?);
        }
        Some(Test::Regex { any_of, all, negated })
    }

    fn in_set(&mut self, kind: CellKind, negated: bool) -> Option<Test> {
        let values = self.set("value_set")?;
        let form = KeyForm::to_meet(&values, kind, self.options.reading());
        let keys = values.iter().filter_map(|value| key_of_json(value, kind, form)).collect();
        Some(Test::InSet { form, keys, negated })
    }

    /// Returns the test of a value between bounds, or why the two cannot be compared.
    fn between(&mut self, kind: CellKind) -> Option<Result<Test, &'static str>> {
        let bounds = self.bounds(true)?;
        let is_text = bounds.min.iter().chain(&bounds.max).any(Value::is_string);
        const MISMATCH: &str = "Column values, min_value, and max_value must either be None or of the same type.";
        Some(match (kind, is_text) {
            (CellKind::Text, true) => {
                let bounds = bounds.try_map(|bound| bound.as_str().map(|text| str_bound::Text(text.to_owned())))?;
                Ok(Test::Texts(bounds))
            }
            (CellKind::Text, false) if !self.holds_numbers(kind) => Err(MISMATCH),
            (kind, true) if kind.is_time() => {
                let Some(bounds) = bounds.try_map(|bound| parse_time(bound.as_str()?)) else {
                    self.problem("`min_value` or `max_value` is no date or time");
                    return None;
                };
                Ok(Test::Integers(bounds))
            }
            (kind, false) if kind.is_time() => Err(MISMATCH),
            (_, true) => Err(MISMATCH),
            (CellKind::Int, false) => match bounds.clone().try_map(|bound| bound.as_i64()) {
                Some(whole) => Ok(Test::Integers(whole)),
                None => Ok(Test::Numbers(bounds.try_map(|bound| bound.as_f64())?)),
            },
            (_, false) => Ok(Test::Numbers(bounds.try_map(|bound| bound.as_f64())?)),
        })
    }

    fn book(&self, positions: &[usize]) -> Book {
        let all = self.options.all_positions || self.expectation.severity == ExpectationSeverity::Quarantine;
        Book::new(self.expectation.mostly(), all, self.shows(positions))
    }

    /// Makes the check; nothing where a problem was found or a column is absent.
    fn check(&mut self) -> Option<Box<dyn Check>> {
        match self.spec.domain {
            ExpectationDomain::Values => self.values_check(),
            ExpectationDomain::Pair => self.pair_check(),
            ExpectationDomain::Columns => self.columns_check(),
            ExpectationDomain::Aggregate => self.aggregate_check(),
            ExpectationDomain::Table => self.table_check(),
            ExpectationDomain::Drift => self.drift_check(),
        }
    }

    fn values_check(&mut self) -> Option<Box<dyn Check>> {
        let name = self.spec.name;
        let column = self.column("column");
        // Arguments are read even where the column is absent, so that all problems are found at once.
        let kind = column.map_or(CellKind::Text, |(_, kind)| kind);
        let strictly = self.truth("strictly");
        let threshold = self.number("threshold");
        let test = match name {
            "expect_column_values_to_not_be_null" => Test::Present,
            "expect_column_values_to_be_null" => Test::Absent,
            "expect_column_values_to_match_regex" => self.regexes("regex", false)?,
            "expect_column_values_to_not_match_regex" => self.regexes("regex", true)?,
            "expect_column_values_to_match_regex_list" => self.regexes("regex_list", false)?,
            "expect_column_values_to_not_match_regex_list" => self.regexes("regex_list", true)?,
            "expect_column_values_to_match_like_pattern" => self.regexes("like_pattern", false)?,
            "expect_column_values_to_not_match_like_pattern" => self.regexes("like_pattern", true)?,
            "expect_column_values_to_match_like_pattern_list" => self.regexes("like_pattern_list", false)?,
            "expect_column_values_to_not_match_like_pattern_list" => self.regexes("like_pattern_list", true)?,
            "expect_column_values_to_be_in_set" => self.in_set(kind, false)?,
            "expect_column_values_to_not_be_in_set" => self.in_set(kind, true)?,
            "expect_column_values_to_be_between" => match self.between(kind)? {
                Ok(test) => test,
                Err(reason) => Test::Refuse(reason),
            },
            "expect_column_value_lengths_to_be_between" => Test::Length(self.number_bounds(true)?),
            "expect_column_value_lengths_to_equal" => {
                let length = self.number("value")?;
                Test::Length(Bounds { min: Some(length), max: Some(length), strict_min: false, strict_max: false })
            }
            "expect_column_values_to_match_strftime_format" => {
                let format = self.text("strftime_format")?;
                let format = TimeFormat::new(&format);
                Test::TimeFormat(self.compiled(format)?)
            }
            "expect_column_values_to_be_dateutil_parseable" => Test::Date,
            "expect_column_values_to_be_json_parseable" => Test::Json,
            "expect_column_values_to_be_increasing" | "expect_column_values_to_be_decreasing" => {
                Test::Order { strictly, falling: name.ends_with("decreasing"), last: None }
            }
            "expect_column_values_to_be_of_type" | "expect_column_values_to_be_in_type_list" => {
                return self.type_check(column);
            }
            "expect_column_values_to_be_unique" => {
                let (position, kind) = column?;
                return Some(Box::new(UniqueCheck {
                    columns: vec![position],
                    ignore: Ignore::AnyMissing,
                    book: self.book(&[position]),
                    kinds: vec![kind],
                    distinct: Counter::default(),
                    codes: Vec::new(),
                }));
            }
            "expect_column_value_z_scores_to_be_less_than" => {
                let (position, _) = column?;
                let double_sided = self.get("double_sided").is_none() || self.truth("double_sided");
                return Some(Box::new(ZScoreCheck {
                    column: position,
                    threshold: threshold?.abs(),
                    double_sided,
                    book: self.book(&[position]),
                    values: Vec::new(),
                }));
            }
            _ => unreachable_name(self, name)?,
        };
        let (position, kind) = column?;
        let test = match test {
            Test::TimeFormat(_) | Test::Date if kind != CellKind::Text => Test::Refuse("Values must be of type string"),
            Test::Json if kind != CellKind::Text => Test::Refuse("The column holds no text"),
            Test::Order { .. } if kind == CellKind::Text && !self.holds_numbers(kind) => {
                Test::Refuse("The column holds text, which has no order of numbers")
            }
            test => test,
        };
        let null_test = matches!(test, Test::Present | Test::Absent);
        Some(Box::new(RowCheck {
            columns: vec![position],
            test,
            ignore: if null_test { Ignore::Never } else { Ignore::AnyMissing },
            counts_missing: !null_test,
            book: self.book(&[position]),
        }))
    }

    fn type_check(&mut self, column: Option<(usize, CellKind)>) -> Option<Box<dyn Check>> {
        let wanted = if self.get("type_list").is_some() { self.texts("type_list")? } else { vec![self.text("type_")?] };
        let (position, kind) = column?;
        let arrow = self.schema.field(position).data_type().to_string();
        let success = wanted.iter().any(|name| names_of_type(kind).contains(&name.as_str()) || *name == arrow);
        Some(known(Outcome::observed(success, names_of_type(kind)[0])))
    }

    fn pair_check(&mut self) -> Option<Box<dyn Check>> {
        let ignore = self.ignore(["both_values_are_missing", "either_value_is_missing", "neither"]);
        let or_equal = self.truth("or_equal");
        let (left, right) = (self.column("column_A"), self.column("column_B"));
        let kinds = [left, right].map(|column| column.map_or(CellKind::Text, |(_, kind)| kind));
        let test = match self.spec.name {
            "expect_column_pair_values_to_be_equal" => Test::PairEqual,
            "expect_column_pair_values_a_to_be_greater_than_b" => Test::PairGreater { or_equal },
            _ => {
                let values = self.set("value_pairs_set")?;
                let pairs: Option<Vec<[&Value; 2]>> = values
                    .iter()
                    .map(|pair| match pair.as_array().map(Vec::as_slice) {
                        Some([a, b]) => Some([a, b]),
                        _ => None,
                    })
                    .collect();
                let Some(pairs) = pairs else {
                    self.problem("`value_pairs_set` holds something that is no pair");
                    return None;
                };
                let reading = self.options.reading();
                let forms =
                    [0, 1].map(|side| KeyForm::to_meet(pairs.iter().map(|pair| pair[side]), kinds[side], reading));
                let keys = pairs
                    .iter()
                    .map(|pair| {
                        let mut key = Vec::new();
                        for side in [0, 1] {
                            let part = key_of_json(pair[side], kinds[side], forms[side]);
                            push_part(&part.unwrap_or_default(), &mut key);
                        }
                        key
                    })
                    .collect();
                Test::PairInSet { forms, keys }
            }
        };
        let columns = vec![left?.0, right?.0];
        let book = self.book(&columns);
        Some(Box::new(RowCheck { columns, test, ignore: ignore?, counts_missing: true, book }))
    }

    fn columns_check(&mut self) -> Option<Box<dyn Check>> {
        let ignore = self.ignore(["all_values_are_missing", "any_value_is_missing", "never"]);
        let total = self.number("sum_total");
        let columns = self.columns()?;
        let (ignore, book) = (ignore?, self.book(&columns));
        let test = match self.spec.name {
            "expect_compound_columns_to_be_unique" => {
                let kinds = columns.iter().map(|&position| self.kind_of(position)).collect();
                return Some(Box::new(UniqueCheck {
                    columns,
                    ignore,
                    book,
                    kinds,
                    distinct: Counter::default(),
                    codes: Vec::new(),
                }));
            }
            "expect_multicolumn_sum_to_equal" => Test::Sum { total: total? },
            "expect_multicolumn_values_to_be_equal" => Test::AllEqual,
            _ => Test::NoneEqual,
        };
        Some(Box::new(RowCheck { columns, test, ignore, counts_missing: true, book }))
    }

    fn aggregate_check(&mut self) -> Option<Box<dyn Check>> {
        let column = self.column("column");
        let name = self.spec.name;
        let figure = match name {
            "expect_column_min_to_be_between" => Figure::Min,
            "expect_column_max_to_be_between" => Figure::Max,
            "expect_column_sum_to_be_between" => Figure::Sum,
            "expect_column_mean_to_be_between" => Figure::Mean,
            "expect_column_median_to_be_between" => Figure::Median,
            "expect_column_stdev_to_be_between" => Figure::Deviation,
            "expect_column_unique_value_count_to_be_between" => Figure::Distinct,
            "expect_column_proportion_of_unique_values_to_be_between" => Figure::ShareDistinct,
            "expect_column_proportion_of_non_null_values_to_be_between" => Figure::SharePresent,
            "expect_column_type_to_be" => return self.type_check(column),
            "expect_column_quantile_values_to_be_between" => return self.quantile_check(column),
            "expect_column_kl_divergence_to_be_less_than" => return self.divergence_check(column),
            _ => return self.set_check(column),
        };
        let bounds = self.bounds(false)?;
        let (position, kind) = column?;
        // Text is compared with text; with a number it is what it spells, where it may.
        let text_bound = bounds.min.iter().chain(&bounds.max).any(Value::is_string);
        let as_text = figure.is_value() && kind == CellKind::Text && (text_bound || !self.holds_numbers(kind));
        Some(Box::new(FigureCheck {
            column: position,
            kind,
            figure,
            bounds,
            as_text,
            shows: self.shows(&[position]),
            rows: 0,
            present: 0,
            moments: Moments::default(),
            integers: 0,
            values: Vec::new(),
            distinct: Counter::default(),
            extreme: None,
            extreme_text: None,
        }))
    }

    fn set_check(&mut self, column: Option<(usize, CellKind)>) -> Option<Box<dyn Check>> {
        let question = match self.spec.name {
            "expect_column_distinct_values_to_be_in_set" => SetQuestion::InSet,
            "expect_column_distinct_values_to_contain_set" => SetQuestion::Contain,
            "expect_column_distinct_values_to_equal_set" => SetQuestion::Equal,
            _ => SetQuestion::MostCommon { ties_okay: self.truth("ties_okay") },
        };
        // Great Expectations takes an empty set here too, but for this question.
        let values = if question == SetQuestion::InSet { self.list("value_set")? } else { self.set("value_set")? };
        let (position, kind) = column?;
        let form = KeyForm::to_meet(&values, kind, self.options.reading());
        let mut seen = HashSet::new();
        let set = values
            .into_iter()
            .map(|value| (key_of_json(&value, kind, form), value))
            .filter(|(key, _)| key.as_ref().is_none_or(|key| seen.insert(key.clone())))
            .collect();
        let shows = self.shows(&[position]);
        Some(Box::new(SetCheck { column: position, kind, question, form, set, shows, distinct: Counter::default() }))
    }

    fn quantile_check(&mut self, column: Option<(usize, CellKind)>) -> Option<Box<dyn Check>> {
        let interpolation = match self.get("allow_relative_error") {
            None | Some(Value::Bool(false)) => Interpolation::Nearest,
            Some(value) => {
                let Some(interpolation) = value.as_str().and_then(Interpolation::of) else {
                    self.problem(
                        "`allow_relative_error` is none of `linear`, `lower`, `higher`, `midpoint`, `nearest`",
                    );
                    return None;
                };
                interpolation
            }
        };
        let ranges = self.get("quantile_ranges").cloned().unwrap_or_default();
        let quantiles: Option<Vec<f64>> = ranges
            .get("quantiles")
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(Value::as_f64).collect());
        let pairs = ranges.get("value_ranges").and_then(Value::as_array);
        let pairs: Option<Vec<(Option<f64>, Option<f64>)>> = pairs.and_then(|pairs| {
            pairs
                .iter()
                .map(|pair| match pair.as_array().map(Vec::as_slice) {
                    Some([low, high]) => Some((low.as_f64(), high.as_f64())),
                    _ => None,
                })
                .collect()
        });
        let (Some(quantiles), Some(ranges)) = (quantiles, pairs) else {
            self.problem("`quantile_ranges` needs lists `quantiles` and `value_ranges`");
            return None;
        };
        if quantiles.len() != ranges.len() || quantiles.iter().any(|share| !(0.0..=1.0).contains(share)) {
            self.problem("`quantile_ranges` needs a range for each quantile, and quantiles from 0 to 1");
            return None;
        }
        let (position, kind) = column?;
        if !self.holds_numbers(kind) {
            return Some(known(Outcome::exception("The column holds no numbers")));
        }
        Some(Box::new(QuantileCheck { column: position, quantiles, ranges, interpolation, values: Vec::new() }))
    }

    fn divergence_check(&mut self, column: Option<(usize, CellKind)>) -> Option<Box<dyn Check>> {
        let threshold = self.number("threshold");
        if threshold.is_some_and(|threshold| threshold < 0.0) {
            self.problem("`threshold` is below zero");
        }
        let tail_holdout = self.number("tail_weight_holdout").unwrap_or(0.0);
        let internal_holdout = self.number("internal_weight_holdout").unwrap_or(0.0);
        if [tail_holdout, internal_holdout].iter().any(|share| !(0.0..=1.0).contains(share)) {
            self.problem("`tail_weight_holdout` or `internal_weight_holdout` lies outside 0 to 1");
        }
        let kind = column.map_or(CellKind::Text, |(_, kind)| kind);
        let object = self.get("partition_object").cloned().unwrap_or_default();
        let numbers =
            |name: &str| -> Option<Vec<f64>> { object.get(name)?.as_array()?.iter().map(Value::as_f64).collect() };
        let partition = match (object.get("values").and_then(Value::as_array), numbers("bins"), numbers("weights")) {
            (Some(values), None, Some(weights)) if values.len() == weights.len() => {
                let form = KeyForm::to_meet(values, kind, self.options.reading());
                let values = values
                    .iter()
                    .map(|value| (key_of_json(value, kind, form).unwrap_or_default(), value.clone()))
                    .collect();
                Some(Partition::Values { values, weights, form })
            }
            (None, Some(bins), Some(weights))
                if bins.len() == weights.len() + 1
                    && bins.len() > 1
                    && bins.windows(2).all(|pair| pair[0] < pair[1]) =>
            {
                let tails = numbers("tail_weights").and_then(|tails| <[f64; 2]>::try_from(tails).ok());
                Some(Partition::Bins { bins, weights, tails })
            }
            _ => None,
        };
        let total = |partition: &Partition| match partition {
            Partition::Values { weights, .. } => weights.iter().sum::<f64>(),
            Partition::Bins { weights, tails, .. } => {
                weights.iter().sum::<f64>() + tails.map_or(0.0, |tails| tails[0] + tails[1])
            }
        };
        let Some(partition) = partition.filter(|partition| (total(partition) - 1.0).abs() < 1e-6) else {
            self.problem("`partition_object` needs `values` or rising `bins`, with `weights` that add up to 1");
            return None;
        };
        match &partition {
            Partition::Values { .. } if internal_holdout > 0.0 => {
                self.problem("`internal_weight_holdout` is for bins only");
            }
            Partition::Bins { tails: Some(_), .. } if tail_holdout > 0.0 => {
                self.problem("`tail_weight_holdout` must be 0 where `partition_object` has `tail_weights`");
            }
            _ => {}
        }
        let (position, kind) = column?;
        let bins = match &partition {
            Partition::Bins { weights, .. } => vec![0; weights.len()],
            Partition::Values { .. } => Vec::new(),
        };
        Some(Box::new(DivergenceCheck {
            column: position,
            partition,
            threshold,
            tail_holdout,
            internal_holdout,
            shows: self.shows(&[position]),
            kind,
            distinct: Counter::default(),
            present: 0,
            bins,
            below: 0,
            above: 0,
        }))
    }

    fn table_check(&mut self) -> Option<Box<dyn Check>> {
        let actual: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        let count = actual.len();
        let question = match self.spec.name {
            "expect_column_to_exist" => {
                let name = self.text("column")?;
                let at = self.number("column_index").filter(|index| *index != 0.0);
                let success = match at {
                    Some(index) => {
                        let index = if index < 0.0 { count as f64 + index } else { index };
                        index >= 0.0 && actual.get(index as usize) == Some(&name.as_str())
                    }
                    None => actual.contains(&name.as_str()),
                };
                TableQuestion::Known(Box::new(Outcome { success, ..Outcome::default() }))
            }
            "expect_table_row_count_to_be_between" => TableQuestion::Rows(self.number_bounds(false)?),
            "expect_table_row_count_to_equal" => TableQuestion::RowsEqual(self.number("value")?),
            "expect_table_column_count_to_be_between" => {
                let bounds = self.number_bounds(false)?;
                TableQuestion::Known(Box::new(Outcome::observed(bounds.holds(&(count as f64)), count)))
            }
            "expect_table_column_count_to_equal" => {
                let value = self.number("value")?;
                TableQuestion::Known(Box::new(Outcome::observed(value.total_cmp(&(count as f64)).is_eq(), count)))
            }
            "expect_table_columns_to_match_set" => {
                let exact = self.get("exact_match").is_none() || self.truth("exact_match");
                let mut outcome = Outcome { success: true, ..Outcome::default() };
                let mut sorted = actual.clone();
                sorted.sort_unstable();
                outcome.observed = Some(json!(sorted));
                if self.get("column_set").is_some() {
                    let expected: BTreeSet<String> = self.texts("column_set")?.into_iter().collect();
                    let unexpected: Vec<&str> =
                        sorted.iter().copied().filter(|name| !expected.contains(*name)).collect();
                    let missing: Vec<&String> =
                        expected.iter().filter(|name| !actual.contains(&name.as_str())).collect();
                    let mut mismatched = Map::new();
                    outcome.success = missing.is_empty() && (unexpected.is_empty() || !exact);
                    if !unexpected.is_empty() {
                        mismatched.insert("unexpected".into(), json!(unexpected));
                    }
                    if !missing.is_empty() {
                        mismatched.insert("missing".into(), json!(missing));
                    }
                    if !mismatched.is_empty() {
                        outcome.facts.insert("details".into(), json!({"mismatched": mismatched}));
                    }
                }
                TableQuestion::Known(Box::new(outcome))
            }
            "expect_table_columns_to_match_ordered_list" => {
                let mut outcome = Outcome::observed(true, json!(actual));
                if self.get("column_list").is_some() {
                    let expected = self.texts("column_list")?;
                    let mismatched: Vec<Value> = (0..count.max(expected.len()))
                        .filter(|&at| expected.get(at).map(String::as_str) != actual.get(at).copied())
                        .map(|at| {
                            json!({"Expected Column Position": at, "Expected": expected.get(at), "Found": actual.get(at)})
                        })
                        .collect();
                    outcome.success = mismatched.is_empty();
                    if !mismatched.is_empty() {
                        outcome.facts.insert("details".into(), json!({"mismatched": mismatched}));
                    }
                }
                TableQuestion::Known(Box::new(outcome))
            }
            "expect_table_row_count_change_to_be_within" => {
                TableQuestion::RowChange { tolerance: self.tolerance("tolerance")? }
            }
            _ => TableQuestion::Sql { query: self.text("unexpected_rows_query")? },
        };
        Some(Box::new(TableCheck { question, rows: 0 }))
    }

    fn tolerance(&mut self, name: &str) -> Option<f64> {
        let tolerance = self.number(name)?;
        if tolerance < 0.0 {
            self.problem(format!("`{name}` is below zero"));
            return None;
        }
        Some(tolerance)
    }

    fn drift_check(&mut self) -> Option<Box<dyn Check>> {
        let column = self.column("column");
        let (question, argument) = match self.spec.name {
            "expect_column_psi_to_be_less_than" => (DriftQuestion::StabilityIndex, "threshold"),
            "expect_column_ks_statistic_to_be_less_than" => (DriftQuestion::KolmogorovSmirnov, "threshold"),
            "expect_column_fill_to_be_within" => (DriftQuestion::Fill, "tolerance"),
            _ => (DriftQuestion::Distinct, "tolerance"),
        };
        let limit = self.tolerance(argument)?;
        let (position, kind) = column?;
        if question == DriftQuestion::KolmogorovSmirnov && !matches!(kind, CellKind::Int | CellKind::Float) {
            self.problem("the column holds no numbers");
            return None;
        }
        Some(Box::new(DriftCheck { column: self.schema.field(position).name().clone(), question, limit }))
    }
}

/// Says that an expectation of the table has no check, which a test excludes.
fn unreachable_name(reader: &mut Reader<'_>, name: &str) -> Option<Test> {
    reader.problem(format!("`{name}` has no check; this is a bug in hotpass"));
    None
}

/// Returns the names of a kind of values: that of pandas first, then those of Python, numpy and Arrow.
fn names_of_type(kind: CellKind) -> &'static [&'static str] {
    match kind {
        CellKind::Text => &["str", "string", "string_types", "str_", "StringDtype", "object", "object_", "O", "Utf8"],
        CellKind::Int => &["int64", "int", "long", "int_", "integer", "Int64", "Int64Dtype"],
        CellKind::Float => &["float64", "float", "double", "float_", "Float64", "Float64Dtype"],
        CellKind::Bool => &["bool", "bool_", "boolean", "Boolean", "BooleanDtype"],
        CellKind::Time => &["datetime64", "datetime64[ns]", "datetime64[us]", "datetime", "Timestamp", "timestamp"],
        CellKind::Date => &["datetime64", "date", "Date32", "datetime64[ns]", "Timestamp"],
    }
}
