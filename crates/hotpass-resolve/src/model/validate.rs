//! Checks of a model against the columns it will meet, before anything runs: every problem at once.

use std::collections::BTreeSet;
use std::fmt;

use arrow::datatypes::{DataType, Schema};
use thiserror::Error;

use super::conditions::{self, TypeProblem};
use super::error::{count, list, nearest, number, suggestion};
use super::reader::SMALLEST_PROBABILITY;
use super::{BlockingKind, BlockingRule, Comparison, ComparisonLevel, LinkType, LinkageModel};
use crate::sql::expression::Expression;
use crate::sql::{self, SqlError};

/// m or u of a comparison may miss 1 by this much in sum before it is worth a word. Splink pools several trainings by their
/// median, level by level, which leaves sums between 1 and 1.3 in the models that the tests read.
const FAR_FROM_ONE: f64 = 0.1;
/// Probabilities may pass 1 by rounding.
const ROUNDING: f64 = 1e-9;

/// The columns of one source of records.
#[derive(Debug, Clone, Copy)]
pub struct SourceSchema<'a> {
    /// The source's name, for messages.
    pub name: &'a str,
    /// Its columns.
    pub schema: &'a Schema,
}

/// Whether a problem stops a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The model runs, though probably not as its author meant.
    Warning,
    /// The model cannot run.
    Error,
}

/// Where in a model a problem lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelPlace {
    /// The model as a whole.
    Model,
    /// A comparison.
    Comparison {
        /// Its name.
        comparison: String,
    },
    /// A level of a comparison.
    Level {
        /// The comparison's name.
        comparison: String,
        /// Index of the level, from 0.
        level: usize,
        /// The level's label, by default its condition.
        label: String,
    },
    /// A blocking rule.
    BlockingRule {
        /// Index of the rule, from 0.
        rule: usize,
        /// The rule as a line.
        description: String,
    },
}

/// A problem of a model.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{place}{kind}")]
pub struct ModelProblem {
    /// Whether it stops a run.
    pub severity: Severity,
    /// Where it lies.
    pub place: ModelPlace,
    /// What it is.
    pub kind: ModelProblemKind,
}

/// What is wrong with a model.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ModelProblemKind {
    /// Nothing is compared.
    #[error("The model has no comparisons; add at least one")]
    NoComparisons,
    /// λ is no probability that two records may have.
    #[error("The prior must be above 0 and below 1, found: {0}")]
    Prior(f64),
    /// A column that no source, or not every source, has.
    #[error("Column `{column}` is missing from source `{source_name}`{}", suggestion(.nearest.as_deref()))]
    MissingColumn {
        /// The column.
        column: String,
        /// The source.
        source_name: String,
        /// The source's column with the nearest name.
        nearest: Option<String>,
    },
    /// A column in a condition or rule that says neither left nor right.
    #[error("Column `{column}` belongs to neither record; write {hint}")]
    NoSide {
        /// The column as written.
        column: String,
        /// How to write it.
        hint: String,
    },
    /// A column with different types in two sources.
    #[error(
        "Column `{column}` is {first_type} in source `{first_source}` and {other_type} in source `{other_source}`; \
         cast it in one of them"
    )]
    TypesDiffer {
        /// The column.
        column: String,
        /// A source.
        first_source: String,
        /// The column's type there.
        first_type: String,
        /// Another source.
        other_source: String,
        /// The column's type there.
        other_type: String,
    },
    /// An operation on a type that it does not take.
    #[error("{0}")]
    Type(TypeProblem),
    /// An array to explode is no list.
    #[error("Column `{column}` is to be exploded and must be a list, found: {found}")]
    NotAList {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// SQL that does not parse.
    #[error("{0}")]
    Sql(SqlError),
    /// Two comparisons write the same columns.
    #[error("The name `{name}` belongs to comparison {first} too (names differ by more than case and spaces)")]
    DuplicateName {
        /// The name.
        name: String,
        /// Position of the earlier comparison, from 1.
        first: usize,
    },
    /// A comparison without levels.
    #[error("The comparison has no levels; add a null level, levels of agreement and `ELSE`")]
    NoLevels,
    /// No level for missing data.
    #[error(
        "The comparison has no null level: missing values count as disagreement; start with `{hint}` as null level"
    )]
    MissingNullLevel {
        /// A condition for the null level.
        hint: String,
    },
    /// No level for all other pairs.
    #[error("The comparison has no `ELSE` level: pairs that meet no condition would have no weight; end with `ELSE`")]
    MissingElseLevel,
    /// A level below the catch-all.
    #[error("The level is never reached, since `ELSE` stands above it; move `ELSE` to the end")]
    BelowElse,
    /// A level whose condition stands above it already.
    #[error("The level is never reached, since level {earlier} has the same condition")]
    Repeated {
        /// Index of the earlier level, from 0.
        earlier: usize,
    },
    /// A level whose condition implies one above it.
    #[error(
        "The level is never reached, since level {earlier} (`{label}`) holds whenever it does; \
         order levels from strict to lenient"
    )]
    Unreachable {
        /// Index of the earlier level, from 0.
        earlier: usize,
        /// Its label, by default its condition.
        label: String,
    },
    /// m or u outside its range.
    #[error("{parameter} must be from 1e-300 to 1, found: {}", number(*.value))]
    ProbabilityRange {
        /// `m` or `u`.
        parameter: &'static str,
        /// The value.
        value: f64,
    },
    /// m or u of all levels do not sum to about 1.
    #[error("{parameter} of all levels should sum to 1, found: {sum:.4}")]
    ProbabilitySum {
        /// `m` or `u`.
        parameter: &'static str,
        /// The sum.
        sum: f64,
    },
    /// A term-frequency adjustment without a level to take its u from.
    #[error(
        "The term-frequency adjustment on `{column}` needs a level that is an exact match on `{column}` alone; \
         add one, or set `disable_tf_exact_match_detection`"
    )]
    NoExactLevel {
        /// The column.
        column: String,
    },
    /// A term-frequency setting outside its range.
    #[error("{setting} must be from 0 to 1, found: {value}")]
    TermFrequencyRange {
        /// The setting.
        setting: &'static str,
        /// The value.
        value: f64,
    },
    /// A rule that pairs every record with every other; a caller may allow it.
    #[error(
        "{}; every record pairs with every other unless a full product is allowed",
        if *.no_rules { "There are no blocking rules" } else { "The rule has no equality between a left and a right column" }
    )]
    FullProduct {
        /// The model has no rules at all.
        no_rules: bool,
    },
    /// A number of a blocking rule out of range.
    #[error("{setting} must be {expected}, found: {found}")]
    RuleRange {
        /// The setting.
        setting: &'static str,
        /// The range.
        expected: &'static str,
        /// The number.
        found: u64,
    },
}

/// The problems that stop a model from running, and the warnings that came with them; at least one error.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("The model has {}: {}", count(.0.len()), list(.0))]
pub struct ModelProblems(pub Vec<ModelProblem>);

/// Checks a model against the columns of every source: all problems at once, warnings included on success.
///
/// # Errors
///
/// [`ModelProblems`] when at least one problem is an error; it holds the warnings too.
pub fn validate(model: &LinkageModel, sources: &[SourceSchema<'_>]) -> Result<Vec<ModelProblem>, ModelProblems> {
    settle(problems(model, sources))
}

/// As [`validate`], but lets blocking rules without an equality pass: the caller has leave to build the full product.
///
/// # Errors
///
/// As [`validate`].
pub fn validate_allowing_full_product(
    model: &LinkageModel,
    sources: &[SourceSchema<'_>],
) -> Result<Vec<ModelProblem>, ModelProblems> {
    let mut found = problems(model, sources);
    found.retain(|problem| !matches!(problem.kind, ModelProblemKind::FullProduct { .. }));
    settle(found)
}

fn settle(problems: Vec<ModelProblem>) -> Result<Vec<ModelProblem>, ModelProblems> {
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        Err(ModelProblems(problems))
    } else {
        Ok(problems)
    }
}

/// Lists every problem of a model, in the model's order; without sources, columns and types stay unchecked.
pub fn problems(model: &LinkageModel, sources: &[SourceSchema<'_>]) -> Vec<ModelProblem> {
    let mut check = Check { sources, used: BTreeSet::new(), problems: Vec::new() };
    check.settings(model);
    check.names(model);
    for comparison in &model.comparisons {
        check.comparison(comparison);
    }
    check.rules(model);
    check.source_types();
    check.problems
}

struct Check<'a> {
    sources: &'a [SourceSchema<'a>],
    /// Columns that the model reads.
    used: BTreeSet<String>,
    problems: Vec<ModelProblem>,
}

impl Check<'_> {
    fn error(&mut self, place: &ModelPlace, kind: ModelProblemKind) {
        self.add(Severity::Error, place, kind);
    }

    fn warn(&mut self, place: &ModelPlace, kind: ModelProblemKind) {
        self.add(Severity::Warning, place, kind);
    }

    fn add(&mut self, severity: Severity, place: &ModelPlace, kind: ModelProblemKind) {
        let problem = ModelProblem { severity, place: place.clone(), kind };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn settings(&mut self, model: &LinkageModel) {
        let place = ModelPlace::Model;
        let prior = model.probability_two_random_records_match;
        if !(prior > 0.0 && prior < 1.0) {
            self.error(&place, ModelProblemKind::Prior(prior));
        }
        self.column(&model.keys.unique_id, &place);
        if self.sources.len() == 1 && model.link_type != LinkType::DedupeOnly {
            self.column(&model.keys.source_dataset, &place);
        }
        for column in &model.output.additional_columns_to_retain {
            self.column(column, &place);
        }
        if model.comparisons.is_empty() {
            self.error(&place, ModelProblemKind::NoComparisons);
        }
    }

    /// Output columns of two comparisons must differ; a space becomes `_` there, and engines ignore case.
    fn names(&mut self, model: &LinkageModel) {
        let folded: Vec<String> = model
            .comparisons
            .iter()
            .map(|comparison| comparison.output_column_name.replace(' ', "_").to_lowercase())
            .collect();
        for (index, comparison) in model.comparisons.iter().enumerate() {
            if let Some(earlier) = folded[..index].iter().position(|name| *name == folded[index]) {
                let name = comparison.output_column_name.clone();
                let place = ModelPlace::Comparison { comparison: name.clone() };
                self.error(&place, ModelProblemKind::DuplicateName { name, first: earlier + 1 });
            }
        }
    }

    fn comparison(&mut self, comparison: &Comparison) {
        let place = ModelPlace::Comparison { comparison: comparison.output_column_name.clone() };
        let mut conditions: Vec<Option<Expression>> = Vec::new();
        for (index, level) in comparison.levels.iter().enumerate() {
            let condition = self.level(comparison, index, level);
            conditions.push(condition);
        }
        self.shape(comparison, &conditions, &place);
        self.reachability(comparison, &conditions);
        self.sums(comparison, &place);
    }

    fn level(&mut self, comparison: &Comparison, index: usize, level: &ComparisonLevel) -> Option<Expression> {
        let place = level_place(comparison, index, level);
        for (parameter, value) in [("m", level.m_probability), ("u", level.u_probability)] {
            if let Some(value) = value
                && !(SMALLEST_PROBABILITY..=1.0 + ROUNDING).contains(&value)
            {
                self.error(&place, ModelProblemKind::ProbabilityRange { parameter, value });
            }
        }
        self.term_frequency(comparison, index, level, &place);
        if level.is_else_level() {
            return None;
        }
        match sql::parse_condition(&level.sql_condition) {
            Ok(condition) => {
                self.expression(&condition, &place, |column| format!("`{column}_l` and `{column}_r`"));
                Some(condition)
            }
            Err(error) => {
                self.error(&place, ModelProblemKind::Sql(error));
                None
            }
        }
    }

    fn term_frequency(&mut self, comparison: &Comparison, index: usize, level: &ComparisonLevel, place: &ModelPlace) {
        let Some(adjustment) = &level.term_frequency else { return };
        for (setting, value) in
            [("tf_adjustment_weight", adjustment.weight), ("tf_minimum_u_value", adjustment.minimum_u)]
        {
            if !(0.0..=1.0).contains(&value) {
                self.error(place, ModelProblemKind::TermFrequencyRange { setting, value });
            }
        }
        self.record_expression(&adjustment.column, place);
        let has_effect = !level.is_null_level && !level.is_else_level() && adjustment.weight != 0.0;
        if has_effect && comparison.term_frequency_base_level(index).is_none() {
            self.error(place, ModelProblemKind::NoExactLevel { column: adjustment.column.clone() });
        }
    }

    /// A null level and a last level that takes what is left.
    fn shape(&mut self, comparison: &Comparison, conditions: &[Option<Expression>], place: &ModelPlace) {
        if comparison.levels.is_empty() {
            self.error(place, ModelProblemKind::NoLevels);
            return;
        }
        if comparison.levels.iter().all(|level| !level.is_null_level) {
            let mut columns: Vec<String> = Vec::new();
            for condition in conditions.iter().flatten() {
                for (_, column) in conditions::columns(condition) {
                    if !columns.contains(&column) {
                        columns.push(column);
                    }
                }
            }
            let hint: Vec<String> =
                columns.iter().map(|column| format!("{column}_l IS NULL OR {column}_r IS NULL")).collect();
            self.warn(place, ModelProblemKind::MissingNullLevel { hint: hint.join(" OR ") });
        }
        let Some(else_level) = comparison.levels.iter().position(ComparisonLevel::is_else_level) else {
            self.error(place, ModelProblemKind::MissingElseLevel);
            return;
        };
        for (index, level) in comparison.levels.iter().enumerate().skip(else_level + 1) {
            self.error(&level_place(comparison, index, level), ModelProblemKind::BelowElse);
        }
    }

    fn reachability(&mut self, comparison: &Comparison, conditions: &[Option<Expression>]) {
        let above_else = comparison.levels.iter().position(ComparisonLevel::is_else_level).unwrap_or(conditions.len());
        for (index, condition) in conditions.iter().enumerate().take(above_else) {
            let Some(condition) = condition else { continue };
            let earlier =
                || conditions[..index].iter().enumerate().filter_map(|(at, other)| Some((at, other.as_ref()?)));
            let place = level_place(comparison, index, &comparison.levels[index]);
            if let Some((earlier, _)) = earlier().find(|(_, other)| conditions::same(condition, other)) {
                self.warn(&place, ModelProblemKind::Repeated { earlier });
            } else if let Some((earlier, _)) = earlier().find(|(_, other)| conditions::implies(condition, other)) {
                let label = label_of(&comparison.levels[earlier]);
                self.warn(&place, ModelProblemKind::Unreachable { earlier, label });
            }
        }
    }

    fn sums(&mut self, comparison: &Comparison, place: &ModelPlace) {
        for parameter in ["m", "u"] {
            let all: Option<Vec<f64>> = comparison
                .levels
                .iter()
                .filter(|level| !level.is_null_level)
                .map(|level| if parameter == "m" { level.m_probability } else { level.u_probability })
                .collect();
            let Some(all) = all.filter(|all| !all.is_empty()) else { continue };
            let sum: f64 = all.iter().sum();
            if (sum - 1.0).abs() > FAR_FROM_ONE {
                self.warn(place, ModelProblemKind::ProbabilitySum { parameter, sum });
            }
        }
    }

    fn rules(&mut self, model: &LinkageModel) {
        if model.blocking_rules.is_empty() {
            self.error(&ModelPlace::Model, ModelProblemKind::FullProduct { no_rules: true });
        }
        for (index, rule) in model.blocking_rules.iter().enumerate() {
            let place = ModelPlace::BlockingRule { rule: index, description: rule.to_string() };
            self.rule(rule, &place);
        }
    }

    fn rule(&mut self, rule: &BlockingRule, place: &ModelPlace) {
        for column in &rule.arrays_to_explode {
            self.column(column, place);
            for found in
                self.types_of(column).filter(|found| !is_list(found)).map(ToString::to_string).collect::<Vec<_>>()
            {
                self.error(place, ModelProblemKind::NotAList { column: column.clone(), found });
            }
        }
        if let Some(refine) = &rule.refine_large_blocks {
            self.rule_sql(&refine.sql, place);
        }
        match &rule.kind {
            BlockingKind::Sql(sql) => {
                let Some(condition) = self.rule_sql(sql, place) else { return };
                if !conditions::has_equality(&condition) {
                    self.error(place, ModelProblemKind::FullProduct { no_rules: false });
                }
            }
            BlockingKind::SortedNeighbourhood { key, window } => {
                self.record_expression(key, place);
                self.at_least("window", *window, 2, "at least 2", place);
            }
            BlockingKind::QGramLsh { text, q, bands, rows_per_band } => {
                self.record_expression(text, place);
                self.at_least("q", *q, 1, "from 1 to 8", place);
                if *q > 8 {
                    let found = u64::from(*q);
                    self.error(place, ModelProblemKind::RuleRange { setting: "q", expected: "from 1 to 8", found });
                }
                self.at_least("bands", *bands, 1, "at least 1", place);
                self.at_least("rows_per_band", *rows_per_band, 1, "at least 1", place);
            }
            BlockingKind::Tokens { text, minimum_shared, maximum_records } => {
                self.record_expression(text, place);
                self.at_least("minimum_shared", *minimum_shared, 1, "at least 1", place);
                if *maximum_records < 2 {
                    let (setting, expected) = ("maximum_records", "at least 2");
                    self.error(place, ModelProblemKind::RuleRange { setting, expected, found: *maximum_records });
                }
            }
        }
    }

    fn at_least(&mut self, setting: &'static str, value: u32, low: u32, expected: &'static str, place: &ModelPlace) {
        if value < low {
            let found = u64::from(value);
            self.error(place, ModelProblemKind::RuleRange { setting, expected, found });
        }
    }

    fn rule_sql(&mut self, sql: &str, place: &ModelPlace) -> Option<Expression> {
        match sql::parse_rule(sql) {
            Ok(condition) => {
                self.expression(&condition, place, |column| format!("`l.{column}` and `r.{column}`"));
                Some(condition)
            }
            Err(error) => {
                self.error(place, ModelProblemKind::Sql(error));
                None
            }
        }
    }

    fn record_expression(&mut self, sql: &str, place: &ModelPlace) {
        match sql::parse_record_expression(sql) {
            Ok(expression) => {
                for (_, column) in conditions::columns(&expression) {
                    self.column(&column, place);
                }
                self.types(&expression, place);
            }
            Err(error) => self.error(place, ModelProblemKind::Sql(error)),
        }
    }

    /// Checks columns, sides and types of a condition over two records.
    fn expression(&mut self, condition: &Expression, place: &ModelPlace, hint: fn(&str) -> String) {
        for (side, column) in conditions::columns(condition) {
            if side.is_none() {
                let hint = hint(&column);
                self.error(place, ModelProblemKind::NoSide { column, hint });
            } else {
                self.column(&column, place);
            }
        }
        self.types(condition, place);
    }

    fn types(&mut self, expression: &Expression, place: &ModelPlace) {
        let sources = self.sources;
        let type_of = |name: &str| sources.iter().find_map(|source| field_type(source.schema, name));
        for problem in conditions::type_problems(expression, &type_of) {
            self.error(place, ModelProblemKind::Type(problem));
        }
    }

    /// Checks that every source has a column.
    fn column(&mut self, column: &str, place: &ModelPlace) {
        self.used.insert(column.to_owned());
        for source in self.sources {
            if field_type(source.schema, column).is_none() {
                let names = source.schema.fields().iter().map(|field| field.name().as_str());
                let kind = ModelProblemKind::MissingColumn {
                    column: column.to_owned(),
                    source_name: source.name.to_owned(),
                    nearest: nearest(column, names).map(str::to_owned),
                };
                self.error(place, kind);
            }
        }
    }

    fn types_of<'b>(&'b self, column: &'b str) -> impl Iterator<Item = &'b DataType> {
        self.sources.iter().filter_map(move |source| field_type(source.schema, column))
    }

    /// Checks that the columns that the model reads have one type in all sources.
    fn source_types(&mut self) {
        let Some((first, others)) = self.sources.split_first() else { return };
        for column in std::mem::take(&mut self.used) {
            let Some(first_type) = field_type(first.schema, &column) else { continue };
            for other in others {
                let Some(other_type) = field_type(other.schema, &column) else { continue };
                if conditions::kind_of(first_type) != conditions::kind_of(other_type) {
                    let kind = ModelProblemKind::TypesDiffer {
                        column: column.clone(),
                        first_source: first.name.to_owned(),
                        first_type: first_type.to_string(),
                        other_source: other.name.to_owned(),
                        other_type: other_type.to_string(),
                    };
                    self.error(&ModelPlace::Model, kind);
                }
            }
        }
    }
}

/// The type of a column by its name, exactly written or else in another case, as DuckDB finds it.
fn field_type<'a>(schema: &'a Schema, name: &str) -> Option<&'a DataType> {
    let exact = schema.fields().iter().find(|field| field.name() == name);
    exact
        .or_else(|| schema.fields().iter().find(|field| field.name().eq_ignore_ascii_case(name)))
        .map(|field| field.data_type())
}

fn is_list(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::List(_)
            | DataType::LargeList(_)
            | DataType::FixedSizeList(..)
            | DataType::ListView(_)
            | DataType::LargeListView(_)
    )
}

fn label_of(level: &ComparisonLevel) -> String {
    level.label.clone().unwrap_or_else(|| level.sql_condition.clone())
}

fn level_place(comparison: &Comparison, index: usize, level: &ComparisonLevel) -> ModelPlace {
    ModelPlace::Level { comparison: comparison.output_column_name.clone(), level: index, label: label_of(level) }
}

impl Comparison {
    /// Returns the level whose u is the base of a level's term-frequency adjustment: the first that is an exact match on the
    /// adjustment's column alone, or the level itself when that search is disabled; nothing without either.
    pub fn term_frequency_base_level(&self, level: usize) -> Option<usize> {
        let adjustment = self.levels.get(level)?.term_frequency.as_ref()?;
        if adjustment.disable_exact_match_detection {
            return Some(level);
        }
        let column = sql::parse_record_expression(&adjustment.column).ok()?;
        self.levels.iter().position(|level| {
            !level.is_else_level()
                && sql::parse_condition(&level.sql_condition)
                    .is_ok_and(|condition| conditions::is_exact_match(&condition, &column))
        })
    }
}

impl fmt::Display for ModelPlace {
    /// Writes the place as the start of a sentence; nothing for the model as a whole.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model => Ok(()),
            Self::Comparison { comparison } => write!(formatter, "Comparison `{comparison}`: "),
            Self::Level { comparison, level, label } => {
                write!(formatter, "Comparison `{comparison}`, level {level} (`{label}`): ")
            }
            Self::BlockingRule { rule, description } => {
                write!(formatter, "Blocking rule {} (`{description}`): ", rule + 1)
            }
        }
    }
}

#[cfg(test)]
mod tests;
