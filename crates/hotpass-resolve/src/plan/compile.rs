//! A model and a schema into a plan.

use arrow::datatypes::{DataType, Schema};
use hashbrown::HashMap;

use super::condition::{
    Hoisted, Reads, Stop, equality, map_columns, opaque_text, reads, shares_an_element, stored_type,
};
use super::functions::{NATIVE, SQL_TIER};
use super::problem::{PlanProblem, PlanProblems, ProblemKind, ProblemPlace, nearest};
use super::{
    ComparisonPlan, Condition, EqualityKey, Feature, FeatureId, Measure, Plan, RulePlan, RuleSearch, SqlCondition,
    ValueType, simplify,
};
use crate::library::{self, FUNCTIONS};
use crate::model::{BlockingKind, BlockingRule, Comparison, ComparisonLevel, LinkageModel};
use crate::sql::expression::{BinaryOperator, Expression, Side};
use crate::sql::record;
use crate::sql::{SqlError, call, format, operands, parse_condition, parse_record_expression, parse_rule};

/// Whether this build can evaluate any SQL.
const HAS_SQL_TIER: bool = cfg!(feature = "sql");

/// How a model is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileOptions {
    /// Conditions without a native form go to the SQL tier; otherwise they are problems. On where the crate has the tier.
    pub sql_tier: bool,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self { sql_tier: HAS_SQL_TIER }
    }
}

impl Plan {
    /// Compiles a model for records of a schema.
    ///
    /// Every maximal expression over one record becomes a feature, each once; features that are compared share a domain.
    /// A conjunction of equalities between the records of a pair becomes the search of a blocking rule, all else its
    /// residual.
    ///
    /// # Errors
    ///
    /// Every problem at once: SQL that cannot be read, unknown columns and functions with the nearest name, columns without
    /// a side, operands of the wrong type, and conditions that need the SQL tier if there is none.
    pub fn compile(model: &LinkageModel, schema: &Schema, options: &CompileOptions) -> Result<Self, PlanProblems> {
        let mut compiler = Compiler::new(schema, *options);
        let mut comparisons = Vec::with_capacity(model.comparisons.len());
        let mut term_frequencies = Vec::with_capacity(model.comparisons.len());
        for comparison in &model.comparisons {
            let (plan, frequencies) = compiler.comparison_plan(comparison);
            comparisons.push(plan);
            term_frequencies.push(frequencies);
        }
        let mut rules = Vec::with_capacity(model.blocking_rules.len());
        for (index, rule) in model.blocking_rules.iter().enumerate() {
            compiler.place = ProblemPlace::Rule { rule: index, description: describe(rule) };
            rules.extend(compiler.rule(rule));
        }
        if !compiler.problems.is_empty() {
            return Err(PlanProblems(compiler.problems));
        }
        let (features, n_domains) = compiler.finished_features();
        Ok(Self {
            features,
            n_domains,
            measures: compiler.measures,
            comparisons,
            rules,
            sql_conditions: compiler.sql_conditions,
            term_frequencies,
        })
    }
}

/// The state of a compilation.
pub(super) struct Compiler<'a> {
    pub(super) schema: &'a Schema,
    pub(super) options: CompileOptions,
    features: Vec<(Expression, ValueType)>,
    feature_of: HashMap<String, FeatureId>,
    /// Pairs of features that share a domain.
    joined: Vec<(FeatureId, FeatureId)>,
    pub(super) measures: Vec<Measure>,
    pub(super) sql_conditions: Vec<SqlCondition>,
    /// The condition counts only where it holds: unknown is as good as false.
    pub(super) positive: bool,
    problems: Vec<PlanProblem>,
    place: ProblemPlace,
}

/// A point to go back to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    features: usize,
    joined: usize,
    measures: usize,
    sql_conditions: usize,
}

/// How an expression names its columns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    Suffix,
    Qualifier,
    Record,
}

impl<'a> Compiler<'a> {
    fn new(schema: &'a Schema, options: CompileOptions) -> Self {
        Self {
            schema,
            options,
            features: Vec::new(),
            feature_of: HashMap::new(),
            joined: Vec::new(),
            measures: Vec::new(),
            sql_conditions: Vec::new(),
            positive: true,
            problems: Vec::new(),
            place: ProblemPlace::Rule { rule: 0, description: String::new() },
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            features: self.features.len(),
            joined: self.joined.len(),
            measures: self.measures.len(),
            sql_conditions: self.sql_conditions.len(),
        }
    }

    /// Drops what was added since a mark.
    pub(super) fn forget(&mut self, mark: Mark) {
        self.features.truncate(mark.features);
        self.feature_of.retain(|_, feature| *feature < mark.features);
        self.joined.truncate(mark.joined);
        self.measures.truncate(mark.measures);
        self.sql_conditions.truncate(mark.sql_conditions);
    }

    /// Notes a problem at the present place, once.
    pub(super) fn note(&mut self, kind: ProblemKind) -> Stop {
        let problem = PlanProblem { place: self.place.clone(), kind };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        Stop::Noted
    }

    /// A column's name as the schema spells it.
    pub(super) fn schema_name(&self, name: &str) -> String {
        record::find_column(self.schema, name)
            .map_or_else(|| name.to_owned(), |index| self.schema.field(index).name().clone())
    }

    pub(super) fn feature(&mut self, hoisted: &Hoisted) -> FeatureId {
        self.feature_for(&hoisted.expression, stored_type(&hoisted.data_type))
    }

    fn feature_for(&mut self, expression: &Expression, value_type: ValueType) -> FeatureId {
        let key = format(expression);
        if let Some(feature) = self.feature_of.get(&key) {
            return *feature;
        }
        self.features.push((expression.clone(), value_type));
        self.feature_of.insert(key, self.features.len() - 1);
        self.features.len() - 1
    }

    pub(super) fn join_domains(&mut self, left: FeatureId, right: FeatureId) {
        if left != right {
            self.joined.push((left, right));
        }
    }

    /// Features with their domains, numbered in the order of the features.
    fn finished_features(&self) -> (Vec<Feature>, usize) {
        let mut parents: Vec<usize> = (0..self.features.len()).collect();
        for (left, right) in &self.joined {
            let (left, right) = (root(&mut parents, *left), root(&mut parents, *right));
            let (low, high) = (left.min(right), left.max(right));
            parents[high] = low;
        }
        let mut domain_of_root = HashMap::new();
        let mut features = Vec::with_capacity(self.features.len());
        for (index, (expression, value_type)) in self.features.iter().enumerate() {
            let next = domain_of_root.len();
            let domain = *domain_of_root.entry(root(&mut parents, index)).or_insert(next);
            features.push(Feature { expression: expression.clone(), value_type: *value_type, domain });
        }
        (features, domain_of_root.len())
    }

    fn comparison_plan(&mut self, comparison: &Comparison) -> (ComparisonPlan, Vec<Option<FeatureId>>) {
        let mut levels = Vec::with_capacity(comparison.levels.len());
        let mut frequencies = Vec::with_capacity(comparison.levels.len());
        for (index, level) in comparison.levels.iter().enumerate() {
            let label = level.label.clone().unwrap_or_else(|| shortened(&level.sql_condition));
            self.place = ProblemPlace::Level { comparison: comparison.output_column_name.clone(), level: index, label };
            levels.push(self.level(level).unwrap_or(Condition::Constant(Some(false))));
            let frequency = level.term_frequency.as_ref().map(|adjustment| self.record_feature(&adjustment.column));
            frequencies.push(frequency.and_then(Result::ok));
        }
        (ComparisonPlan { name: comparison.output_column_name.clone(), levels }, frequencies)
    }

    fn level(&mut self, level: &ComparisonLevel) -> Result<Condition, Stop> {
        let parsed = parse_condition(&level.sql_condition);
        let expression = self.checked(parsed, Naming::Suffix)?;
        self.condition(&expression)
    }

    /// A parsed expression whose columns and functions exist, its columns spelt as in the schema.
    fn checked(&mut self, parsed: Result<Expression, SqlError>, naming: Naming) -> Result<Expression, Stop> {
        let mut expression = parsed.map_err(|error| self.note(error.into()))?;
        let mut problems = Vec::new();
        record::walk(&expression, &mut |part| match part {
            Expression::Column { side, name } => self.check_column(*side, name, naming, &mut problems),
            // The names in text that is kept as it is are a guess over one record, exact over a pair.
            Expression::Opaque { columns, .. } if naming != Naming::Record => {
                for (side, name) in columns {
                    self.check_column(*side, name, naming, &mut problems);
                }
            }
            Expression::Call { function, .. } if !is_known_function(function) => {
                let candidates =
                    NATIVE.iter().chain(SQL_TIER).copied().chain(FUNCTIONS.iter().map(|function| function.name));
                problems.push(ProblemKind::UnknownFunction {
                    function: function.clone(),
                    nearest: nearest(function, candidates),
                });
            }
            _ => {}
        });
        if !problems.is_empty() {
            for problem in problems {
                self.note(problem);
            }
            return Err(Stop::Noted);
        }
        let schema = self.schema;
        map_columns(&mut expression, &mut |_, name| {
            if let Some(index) = record::find_column(schema, name) {
                name.clone_from(schema.field(index).name());
            }
        });
        Ok(expression)
    }

    fn check_column(&self, side: Option<Side>, name: &str, naming: Naming, problems: &mut Vec<ProblemKind>) {
        if side.is_none() && naming != Naming::Record {
            let columns = || self.schema.fields().iter().map(|field| field.name().as_str());
            let like = nearest(name, columns()).unwrap_or_else(|| name.to_owned());
            let hint = if naming == Naming::Suffix {
                format!("write `{like}_l` or `{like}_r`")
            } else {
                format!("write `l.{like}` or `r.{like}`")
            };
            problems.push(ProblemKind::MissingSide { name: name.to_owned(), hint });
        } else if record::find_column(self.schema, name).is_none() {
            let columns = self.schema.fields().iter().map(|field| field.name().as_str());
            problems.push(ProblemKind::UnknownColumn { name: name.to_owned(), nearest: nearest(name, columns) });
        }
    }

    /// The feature of a column name or of SQL over one record.
    fn record_feature(&mut self, sql: &str) -> Result<FeatureId, Stop> {
        let (hoisted, value_type) = self.record_expression(sql)?;
        Ok(self.feature_for(&hoisted, value_type))
    }

    fn record_expression(&mut self, sql: &str) -> Result<(Expression, ValueType), Stop> {
        let plain = sql.trim().trim_matches('"');
        let expression = if let Some(index) = record::find_column(self.schema, plain) {
            Expression::Column { side: None, name: self.schema.field(index).name().clone() }
        } else {
            let parsed = parse_record_expression(sql);
            self.checked(parsed, Naming::Record)?
        };
        match record::data_type(&expression, self.schema) {
            // Lists are counted by their whole value, which their sets of elements do not keep.
            Ok(DataType::List(_)) => Ok((call("list_identity", vec![expression]), ValueType::Text)),
            Ok(DataType::Null) => Ok((expression, ValueType::Text)),
            Ok(data_type) => Ok((expression, stored_type(&data_type))),
            Err(error) => match self.evaluation(&expression, &error) {
                Stop::NoForm if self.options.sql_tier => Ok((opaque_text(&expression), ValueType::Text)),
                Stop::NoForm => Err(self.note(ProblemKind::NeedsSqlTier { sql: format(&expression) })),
                Stop::Noted => Err(Stop::Noted),
            },
        }
    }

    /// The feature of a text over one record.
    fn text_feature(&mut self, sql: &str, function: &str) -> Result<FeatureId, Stop> {
        let (expression, value_type) = self.record_expression(sql)?;
        if value_type != ValueType::Text {
            let found = record::data_type(&expression, self.schema)
                .map_or_else(|_| "something else".to_owned(), |found| record::type_name(&found));
            let kind = ProblemKind::OperandType {
                function: function.to_owned(),
                operand: format(&expression),
                expected: "text".to_owned(),
                found,
                hint: Some(format!("cast it: CAST({} AS TEXT)", format(&expression))),
            };
            return Err(self.note(kind));
        }
        Ok(self.feature_for(&expression, value_type))
    }

    fn setting(&mut self, setting: &'static str, range: &'static str, found: u64, allowed: bool) {
        if !allowed {
            self.note(ProblemKind::Setting { setting, range, found: found.to_string() });
        }
    }

    fn rule(&mut self, rule: &BlockingRule) -> Option<RulePlan> {
        let (search, residual) = match &rule.kind {
            BlockingKind::Sql(sql) => self.sql_rule(sql, &rule.arrays_to_explode).ok()?,
            BlockingKind::SortedNeighbourhood { key, window } => {
                self.setting("Window of a sorted neighbourhood", "at least 2", u64::from(*window), *window >= 2);
                (RuleSearch::SortedNeighbourhood { key: self.record_feature(key).ok()?, window: *window }, None)
            }
            BlockingKind::QGramLsh { text, q, bands, rows_per_band } => {
                self.setting("Characters of a q-gram", "from 1 to 8", u64::from(*q), (1..=8).contains(q));
                self.setting("Number of bands", "at least 1", u64::from(*bands), *bands >= 1);
                self.setting("Hashes in a band", "at least 1", u64::from(*rows_per_band), *rows_per_band >= 1);
                let text = self.text_feature(text, "q-gram search").ok()?;
                (RuleSearch::QGramLsh { text, q: *q, bands: *bands, rows_per_band: *rows_per_band }, None)
            }
            BlockingKind::Tokens { text, minimum_shared, maximum_records } => {
                self.setting("Shared tokens", "at least 1", u64::from(*minimum_shared), *minimum_shared >= 1);
                let text = self.text_feature(text, "token search").ok()?;
                (RuleSearch::Tokens { text, minimum_shared: *minimum_shared, maximum_records: *maximum_records }, None)
            }
        };
        let refine = match &rule.refine_large_blocks {
            Some(refinement) => {
                let parsed = parse_rule(&refinement.sql);
                let expression = self.checked(parsed, Naming::Qualifier).ok()?;
                Some((refinement.more_records_than, self.condition(&expression).ok()?))
            }
            None => None,
        };
        Some(RulePlan { description: describe(rule), search, residual, refine })
    }

    fn sql_rule(&mut self, sql: &str, exploded: &[String]) -> Result<(RuleSearch, Option<Condition>), Stop> {
        let parsed = parse_rule(sql);
        let expression = self.checked(parsed, Naming::Qualifier)?;
        let exploded: Vec<String> = exploded.iter().map(|column| self.schema_name(column.trim_matches('"'))).collect();
        for column in &exploded {
            if record::find_column(self.schema, column).is_none() {
                let columns = self.schema.fields().iter().map(|field| field.name().as_str());
                let kind = ProblemKind::UnknownColumn { name: column.clone(), nearest: nearest(column, columns) };
                self.note(kind);
            }
        }
        let mut keys = Vec::new();
        let mut residual = Vec::new();
        let mut failed = false;
        for part in operands(BinaryOperator::And, &expression) {
            match self.rule_part(part, &exploded) {
                Ok(RulePart::Key(key)) if keys.contains(&key) => {}
                Ok(RulePart::Key(key)) => keys.push(key),
                Ok(RulePart::Filter(filter)) => residual.push(filter),
                Err(_) => failed = true,
            }
        }
        if failed {
            return Err(Stop::Noted);
        }
        let search = if keys.is_empty() { RuleSearch::FullProduct } else { RuleSearch::Equality(keys) };
        let residual = simplify::and(residual);
        Ok((search, (residual != Condition::Constant(Some(true))).then_some(residual)))
    }

    fn rule_part(&mut self, part: &Expression, exploded: &[String]) -> Result<RulePart, Stop> {
        if let Some((left, right)) = equality(part)
            && let (Some(one), Some(two)) = (exploded_column(left, exploded), exploded_column(right, exploded))
            && let (Reads::One(left_side), Reads::One(right_side)) = (reads(left), reads(right))
            && left_side != right_side
        {
            let (left, right) = if left_side == Side::Left { (one, two) } else { (two, one) };
            return self.exploded_key(left, right).map(RulePart::Key);
        }
        let mut read = None;
        record::walk(part, &mut |part| {
            if let Expression::Column { name, .. } = part
                && exploded.contains(name)
            {
                read = Some(name.clone());
            }
        });
        if let Some(column) = read {
            return Err(self.note(ProblemKind::ExplodedArray { column }));
        }
        let condition = self.condition(part)?;
        if let Condition::Equal { left, right } = condition {
            return Ok(RulePart::Key(EqualityKey { left, right, exploded: false }));
        }
        Ok(match shares_an_element(&condition, &self.measures) {
            Some((left, right)) => RulePart::Key(EqualityKey { left, right, exploded: true }),
            None => RulePart::Filter(condition),
        })
    }

    /// Lists that share an element; elements of other types are compared by their text.
    fn exploded_key(&mut self, left: &str, right: &str) -> Result<EqualityKey, Stop> {
        let mut features = [0; 2];
        let mut types = Vec::with_capacity(2);
        for (feature, name) in features.iter_mut().zip([left, right]) {
            let column = Expression::Column { side: None, name: name.to_owned() };
            let data_type =
                record::data_type(&column, self.schema).map_err(|error| self.evaluation(&column, &error))?;
            let DataType::List(item) = &data_type else {
                let kind = ProblemKind::OperandType {
                    function: "arrays_to_explode".to_owned(),
                    operand: name.to_owned(),
                    expected: "lists".to_owned(),
                    found: record::type_name(&data_type),
                    hint: None,
                };
                return Err(self.note(kind));
            };
            let expression = if *item.data_type() == DataType::Utf8 { column } else { call("list_text", vec![column]) };
            *feature = self.feature_for(&expression, ValueType::TextList);
            types.push(item.data_type().clone());
        }
        if types[0] != types[1] {
            let kind = ProblemKind::DifferentTypes {
                left: left.to_owned(),
                left_type: record::type_name(&types[0]),
                right: right.to_owned(),
                right_type: record::type_name(&types[1]),
            };
            return Err(self.note(kind));
        }
        self.join_domains(features[0], features[1]);
        Ok(EqualityKey { left: features[0], right: features[1], exploded: true })
    }
}

/// What a part of a rule gives.
enum RulePart {
    Key(EqualityKey),
    Filter(Condition),
}

fn exploded_column<'e>(expression: &'e Expression, exploded: &[String]) -> Option<&'e str> {
    match expression {
        Expression::Column { name, .. } if exploded.contains(name) => Some(name),
        _ => None,
    }
}

fn root(parents: &mut [usize], mut node: usize) -> usize {
    while parents[node] != node {
        parents[node] = parents[parents[node]];
        node = parents[node];
    }
    node
}

fn is_known_function(function: &str) -> bool {
    NATIVE.contains(&function) || SQL_TIER.contains(&function) || library::function(function).is_some()
}

/// One line of a longer SQL text.
fn shortened(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 80 {
        return line;
    }
    line.chars().take(79).chain(['…']).collect()
}

fn describe(rule: &BlockingRule) -> String {
    match &rule.kind {
        BlockingKind::Sql(sql) => sql.clone(),
        BlockingKind::SortedNeighbourhood { key, window } => format!("sorted neighbourhood of {window} by {key}"),
        BlockingKind::QGramLsh { text, q, bands, rows_per_band } => {
            format!("MinHash of {q}-grams of {text}, {bands} bands of {rows_per_band}")
        }
        BlockingKind::Tokens { text, minimum_shared, .. } => {
            format!("at least {minimum_shared} shared tokens of {text}")
        }
    }
}
