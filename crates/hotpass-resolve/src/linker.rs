//! The linker: sources and a model in, counts, pairs and scores out.

use std::sync::Arc;

use arrow::array::RecordBatch;
#[cfg(feature = "sql")]
use arrow::array::RecordBatchOptions;
#[cfg(feature = "sql")]
use arrow::datatypes::Field;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use rayon::ThreadPool;

use crate::blocking::{Blocking, BlockingOptions, CountOptions, Judge, PairCounts, Scope, count_pairs};
#[cfg(not(feature = "sql"))]
use crate::compare::CompareError;
use crate::compare::{Comparer, Program, SqlTier};
use crate::encode::{Batches, EncodeOptions, Records, Source, columns_of, encode};
use crate::error::LinkError;
use crate::model::{BlockingRule, LinkType, LinkageModel, TextSemantics};
use crate::plan::{CompileOptions, Condition, FeatureId, Measure, NumberExpression, Plan, RulePlan};
use crate::score::{Frequencies, RegisteredFrequencies, TermFrequencies, Weights};

/// Evaluates the conditions that have no native form.
#[cfg(feature = "sql")]
type Tier = crate::datafusion::DataFusionTier;

/// Stands for the SQL tier that this build does not have.
#[cfg(not(feature = "sql"))]
type Tier = std::convert::Infallible;

/// How a linker runs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LinkerOptions {
    pub(crate) seed: u64,
    pub(crate) memory_limit: Option<u64>,
    pub(crate) blocking: BlockingOptions,
}

/// Gathers what a [`Linker`] needs.
pub struct LinkerBuilder<'a> {
    model: LinkageModel,
    sources: Vec<Source<'a>>,
    rules: Vec<BlockingRule>,
    retain: Vec<String>,
    retain_output: bool,
    threads: usize,
    options: LinkerOptions,
    plan: Option<Plan>,
    frequencies: RegisteredFrequencies,
}

/// Records that were encoded once, with a model to link them by.
///
/// Records are in key order: of a pair the record with the lower key is the left one. Keys are the ids if there is one source, compared
/// as numbers or as text; with several sources they are the text of source and id.
#[derive(Debug)]
pub struct Linker {
    model: LinkageModel,
    plan: Plan,
    records: Records,
    program: Arc<Program>,
    tier: Option<Tier>,
    frequencies: Frequencies,
    pool: ThreadPool,
    options: LinkerOptions,
    /// Rules beyond those of the model start here in the plan.
    n_model_rules: usize,
}

impl<'a> LinkerBuilder<'a> {
    /// Adds a source from a stream of batches that all have one schema.
    #[must_use]
    pub fn source(
        mut self,
        name: impl Into<String>,
        batches: impl IntoIterator<Item = Result<RecordBatch, ArrowError>, IntoIter: Send + 'a>,
    ) -> Self {
        self.sources.push(Source { name: name.into(), batches: Box::new(batches.into_iter()) });
        self
    }

    /// Adds a source from batches in memory.
    #[must_use]
    pub fn table(
        self,
        name: impl Into<String>,
        batches: impl IntoIterator<Item = RecordBatch, IntoIter: Send + 'a>,
    ) -> Self {
        self.source(name, batches.into_iter().map(Ok::<_, ArrowError>).collect::<Vec<_>>())
    }

    /// Names rules beyond the model's own that will be asked for, in training or for deterministic linkage, so that what they read is encoded.
    #[must_use]
    pub fn prepare_rules(mut self, rules: impl IntoIterator<Item = impl Into<BlockingRule>>) -> Self {
        self.rules.extend(rules.into_iter().map(Into::into));
        self
    }

    /// Keeps columns of the records for output beside those that the model's output settings name.
    #[must_use]
    pub fn retain_columns(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.retain.extend(columns.into_iter().map(Into::into));
        self
    }

    /// Keeps the columns that the model's output settings name for tables of pairs, as is the default. Without them records take less memory.
    #[must_use]
    pub fn retain_output_columns(mut self, retain: bool) -> Self {
        self.retain_output = retain;
        self
    }

    /// Gives the relative frequency of each value of a column, from other or from all data, instead of counting among these records.
    ///
    /// With it a model scores a few new records as it would score them among all records. A value that the table lacks adjusts nothing.
    #[must_use]
    pub fn term_frequencies(mut self, column: impl Into<String>, table: TermFrequencies) -> Self {
        self.frequencies.insert(column.into(), table);
        self
    }

    /// Sets the number of worker threads; 0, the default, takes one per processor.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets the seed of everything random; 0 by default.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// Limits the bytes for encoded records and surviving pairs; what goes beyond is spilled, or refused before anything runs.
    #[must_use]
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.options.memory_limit = Some(bytes);
        self
    }

    /// Allows rules without an equality, which compare every pair of records.
    #[must_use]
    pub fn allow_full_product(mut self, allow: bool) -> Self {
        self.options.blocking.allow_full_product = allow;
        self
    }

    /// Leaves out blocks of more than this many records; counts and predictions list what was left out.
    #[must_use]
    pub fn maximum_block(mut self, records: u64) -> Self {
        self.options.blocking.maximum_block = Some(records);
        self
    }

    /// Takes a plan that was compiled elsewhere instead of compiling the model.
    #[must_use]
    pub fn plan(mut self, plan: Plan) -> Self {
        self.plan = Some(plan);
        self
    }

    /// Reads and encodes all sources.
    ///
    /// # Errors
    ///
    /// When there is no record batch, a source cannot be read, a column that the model reads is missing, an id is null or occurs twice in a
    /// source, the model does not fit the columns, a condition without a native form cannot be planned or needs the feature `sql`, or the records need more memory than the limit.
    pub fn build(self) -> Result<Linker, LinkError> {
        let mut sources = self.sources;
        for (at, source) in sources.iter().enumerate() {
            if sources[..at].iter().any(|other| other.name == source.name) {
                return Err(LinkError::RepeatedSource { name: source.name.clone() });
            }
        }
        let schema = first_schema(&mut sources)?;
        let plan = match self.plan {
            Some(plan) => plan,
            None => compile(&self.model, self.rules, &schema)?,
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .thread_name(|number| format!("linker-{number}"))
            .build()?;
        let source_column = self.model.link_type != LinkType::DedupeOnly && sources.len() == 1;
        let options = EncodeOptions {
            unique_id: self.model.keys.unique_id.clone(),
            source_column: source_column.then(|| self.model.keys.source_dataset.clone()),
            retain: retained_columns(&self.model, &plan, &schema, self.retain_output, self.retain),
            semantics: self.model.text_semantics,
        };
        let program = Arc::new(Program::compile(&plan, self.model.text_semantics)?);
        let records = pool.install(|| encode(&plan, &schema, sources, &options))?;
        let frequencies = frequencies(&self.model, &plan, &records, &self.frequencies);
        let tier = sql_tier(&plan, &records, self.model.text_semantics)?;
        let needed = records.heap_bytes() + frequencies.heap_bytes() + tier_bytes(tier.as_ref());
        if let Some(limit) = self.options.memory_limit.filter(|&limit| needed > limit) {
            return Err(LinkError::MemoryLimit { limit, needed, what: "the encoded records" });
        }
        let n_model_rules = self.model.blocking_rules.len();
        Ok(Linker {
            model: self.model,
            plan,
            records,
            program,
            tier,
            frequencies,
            pool,
            options: self.options,
            n_model_rules,
        })
    }
}

/// Looks at the first batch of each source without losing it.
fn first_schema(sources: &mut [Source<'_>]) -> Result<Schema, LinkError> {
    let mut schema = None;
    for source in sources {
        let mut batches: Batches<'_> = std::mem::replace(&mut source.batches, Box::new(std::iter::empty()));
        let first = batches.next();
        if let Some(Ok(batch)) = &first {
            schema.get_or_insert_with(|| batch.schema().as_ref().clone());
        }
        source.batches = Box::new(first.into_iter().chain(batches));
    }
    schema.ok_or(LinkError::NoRecords)
}

/// Plans the conditions that have no native form, over the columns that were kept for them.
#[cfg(feature = "sql")]
fn sql_tier(plan: &Plan, records: &Records, semantics: TextSemantics) -> Result<Option<Tier>, LinkError> {
    if plan.sql_conditions.is_empty() {
        return Ok(None);
    }
    let rows: Vec<u32> = (0..records.len() as u32).collect();
    let mut names: Vec<&str> = plan.sql_conditions.iter().flat_map(|of| &of.columns).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for name in names {
        // A column that is not there is named with its condition when that is planned.
        if let Some(column) = records.take(name, &rows).map_err(LinkError::Output)? {
            fields.push(Field::new(name, column.data_type().clone(), true));
            columns.push(column);
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let records = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
        .map_err(LinkError::Output)?;
    Tier::new(&plan.sql_conditions, records, semantics).map(Some).map_err(|error| LinkError::Plan(Box::new(error)))
}

/// Refuses conditions that need what this build does not have.
#[cfg(not(feature = "sql"))]
fn sql_tier(plan: &Plan, _: &Records, _: TextSemantics) -> Result<Option<Tier>, LinkError> {
    match plan.sql_conditions.first() {
        Some(condition) => Err(CompareError::NoSqlTier { sql: condition.sql.clone() }.into()),
        None => Ok(None),
    }
}

#[cfg(feature = "sql")]
fn tier_bytes(tier: Option<&Tier>) -> u64 {
    tier.map_or(0, Tier::heap_bytes)
}

#[cfg(not(feature = "sql"))]
fn tier_bytes(_: Option<&Tier>) -> u64 {
    0
}

#[cfg(feature = "sql")]
fn as_sql_tier(tier: &Tier) -> &dyn SqlTier {
    tier
}

#[cfg(not(feature = "sql"))]
fn as_sql_tier(tier: &Tier) -> &dyn SqlTier {
    match *tier {}
}

/// Compiles a model and further rules after its own.
fn compile(model: &LinkageModel, rules: Vec<BlockingRule>, schema: &Schema) -> Result<Plan, LinkError> {
    let mut model = model.clone();
    model.blocking_rules.extend(rules);
    Plan::compile(&model, schema, &CompileOptions::default()).map_err(|problems| LinkError::Plan(Box::new(problems)))
}

/// Lists the columns to keep: those asked for, and if wanted those of tables of pairs that the schema has.
fn retained_columns(
    model: &LinkageModel,
    plan: &Plan,
    schema: &Schema,
    output: bool,
    asked: Vec<String>,
) -> Vec<String> {
    let mut columns = asked;
    if output {
        if model.output.retain_matching_columns {
            columns.extend((0..plan.comparisons.len()).flat_map(|comparison| columns_of_comparison(plan, comparison)));
        }
        columns.extend(model.output.additional_columns_to_retain.iter().cloned());
    }
    columns.extend(plan.sql_conditions.iter().flat_map(|condition| condition.columns.iter().cloned()));
    let mut seen = std::collections::HashSet::new();
    columns.retain(|column| seen.insert(column.clone()) && schema.field_with_name(column).is_ok());
    columns
}

fn columns_of_comparison(plan: &Plan, comparison: usize) -> Vec<String> {
    let mut features = Vec::new();
    for condition in plan.comparisons.get(comparison).map_or(&[][..], |comparison| &comparison.levels) {
        features_of(plan, condition, &mut features);
    }
    let mut columns = Vec::new();
    for feature in features {
        columns_of(&plan.features[feature].expression, &mut columns);
    }
    let mut seen = std::collections::HashSet::new();
    columns.retain(|column| seen.insert(column.clone()));
    columns
}

/// Lists the features that a condition reads.
fn features_of(plan: &Plan, condition: &Condition, features: &mut Vec<FeatureId>) {
    match condition {
        Condition::Constant(_) => {}
        Condition::IsNull { feature, .. } | Condition::Flag { feature, .. } => features.push(*feature),
        Condition::Equal { left, right } => features.extend([*left, *right]),
        Condition::Measure { measure, .. } => features.extend(features_of_measure(plan, *measure)),
        Condition::Compare { left, right, .. } => {
            features_of_number(plan, left, features);
            features_of_number(plan, right, features);
        }
        Condition::Not(inner) | Condition::IsUnknown(inner) => features_of(plan, inner, features),
        Condition::And(parts) | Condition::Or(parts) => parts.iter().for_each(|part| features_of(plan, part, features)),
        Condition::Sql(number) => {
            let columns = plan.sql_conditions.get(*number).map_or(&[][..], |condition| &condition.columns);
            let of =
                |column: &String| plan.features.iter().position(|feature| columns_are(&feature.expression, column));
            features.extend(columns.iter().filter_map(of));
        }
    }
}

fn columns_are(expression: &crate::sql::expression::Expression, column: &str) -> bool {
    matches!(expression, crate::sql::expression::Expression::Column { name, .. } if name == column)
}

fn features_of_measure(plan: &Plan, measure: usize) -> Vec<FeatureId> {
    match plan.measures.get(measure) {
        Some(
            Measure::Text { left, right, .. }
            | Measure::PairwiseText { left, right, .. }
            | Measure::SharedElements { left, right }
            | Measure::MissingElements { left, right }
            | Measure::VectorCosine { left, right },
        ) => vec![*left, *right],
        None => Vec::new(),
    }
}

fn features_of_number(plan: &Plan, number: &NumberExpression, features: &mut Vec<FeatureId>) {
    match number {
        NumberExpression::Constant(_) => {}
        NumberExpression::Feature { feature, .. } => features.push(*feature),
        NumberExpression::Measure(measure) => features.extend(features_of_measure(plan, *measure)),
        NumberExpression::Function { arguments, .. } => {
            for argument in arguments {
                features_of_number(plan, argument, features);
            }
        }
        NumberExpression::Case { branches, otherwise } => {
            for (condition, result) in branches {
                features_of(plan, condition, features);
                features_of_number(plan, result, features);
            }
            features_of_number(plan, otherwise, features);
        }
    }
}

/// Lists the columns that adjust weights, with the features that hold them.
fn adjusted<'m>(model: &'m LinkageModel, plan: &'m Plan) -> impl Iterator<Item = (&'m str, FeatureId)> {
    let levels = model.comparisons.iter().flat_map(|comparison| &comparison.levels);
    let features = plan.term_frequencies.iter().flatten();
    levels
        .zip(features)
        .filter_map(|(level, feature)| Some((level.term_frequency.as_ref()?.column.as_str(), (*feature)?)))
}

fn frequencies(
    model: &LinkageModel,
    plan: &Plan,
    records: &Records,
    registered: &RegisteredFrequencies,
) -> Frequencies {
    let mut features: Vec<FeatureId> = plan.term_frequencies.iter().flatten().flatten().copied().collect();
    features.sort_unstable();
    features.dedup();
    let table_of = |feature| {
        let (column, _) = adjusted(model, plan).find(|(_, other)| *other == feature)?;
        registered.get(column)
    };
    Frequencies::new(records.columns(), &features, table_of)
}

/// Judges nothing: stands for the absence of a judge.
struct NoJudge;

impl Judge for NoJudge {
    fn holds(&mut self, _: &Condition, _: &[u32], _: &[u32], out: &mut [u8]) {
        out.fill(1);
    }
}

impl Linker {
    /// Starts to gather sources for a model.
    pub fn builder<'a>(model: LinkageModel) -> LinkerBuilder<'a> {
        LinkerBuilder {
            model,
            sources: Vec::new(),
            rules: Vec::new(),
            retain: Vec::new(),
            retain_output: true,
            threads: 0,
            options: LinkerOptions::default(),
            plan: None,
            frequencies: RegisteredFrequencies::new(),
        }
    }

    /// Gives the model.
    pub fn model(&self) -> &LinkageModel {
        &self.model
    }

    /// Gives the plan that the model was compiled to.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Gives the encoded records.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// Sets the probabilities of the model: m, u, the prior and how frequencies adjust. Comparisons, levels and rules stay as they are.
    ///
    /// # Errors
    ///
    /// When the other model does not have the same comparisons with the same levels.
    pub fn set_parameters(&mut self, model: &LinkageModel) -> Result<(), LinkError> {
        let conditions = |model: &LinkageModel| -> Vec<Vec<String>> {
            let of = |comparison: &crate::model::Comparison| {
                comparison.levels.iter().map(|level| level.sql_condition.clone()).collect()
            };
            model.comparisons.iter().map(of).collect()
        };
        if conditions(model) != conditions(&self.model) {
            return Err(LinkError::OtherComparisons);
        }
        for (mine, other) in self.model.comparisons.iter_mut().zip(&model.comparisons) {
            mine.levels.clone_from(&other.levels);
        }
        self.model.probability_two_random_records_match = model.probability_two_random_records_match;
        Ok(())
    }

    /// Gives the rules that were named beyond the model's own when the linker was built.
    pub fn prepared_rules(&self) -> &[RulePlan] {
        &self.plan.rules[self.n_model_rules.min(self.plan.rules.len())..]
    }

    /// Gives the model's own rules.
    pub fn model_rules(&self) -> &[RulePlan] {
        &self.plan.rules[..self.n_model_rules.min(self.plan.rules.len())]
    }

    /// Counts the records of each source.
    pub fn records_by_source(&self) -> Vec<u64> {
        let mut counts = vec![0; self.records.source_names().len().max(1)];
        match self.records.columns().source.as_slice() {
            [] => counts[0] = self.records.len() as u64,
            source => source.iter().for_each(|&number| counts[usize::from(number)] += 1),
        }
        counts
    }

    /// Gives the relative frequency of each value of a column that the model adjusts by, for a linker of other records.
    pub fn term_frequencies(&self, column: &str) -> Option<TermFrequencies> {
        let feature = adjusted(&self.model, &self.plan).find(|(name, _)| *name == column)?.1;
        Some(self.frequencies.table(self.records.columns(), feature))
    }

    pub(crate) fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        // The threads of the pool do not know a subscriber that holds for the caller's thread alone.
        let subscriber = tracing::dispatcher::get_default(Clone::clone);
        self.pool.install(|| tracing::dispatcher::with_default(&subscriber, work))
    }

    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope::new(self.model.link_type, self.records.columns())
    }

    pub(crate) fn blocking_options(&self) -> BlockingOptions {
        self.options.blocking
    }

    pub(crate) fn program(&self) -> Arc<Program> {
        Arc::clone(&self.program)
    }

    pub(crate) fn memory_limit(&self) -> Option<u64> {
        self.options.memory_limit
    }

    #[cfg(test)]
    pub(crate) fn limit_memory(&mut self, limit: u64) {
        self.options.memory_limit = Some(limit);
    }

    pub(crate) fn frequencies(&self) -> &Frequencies {
        &self.frequencies
    }

    pub(crate) fn weights(&self) -> Result<Weights, LinkError> {
        Weights::new(&self.model, &self.plan)
    }

    pub(crate) fn comparer(&self) -> Result<Comparer<'_>, LinkError> {
        let tier = self.tier.as_ref().map(as_sql_tier);
        Ok(Comparer::with_program(Arc::clone(&self.program), self.records.columns(), tier)?)
    }

    /// Lists the columns that a comparison reads, in order of appearance.
    pub(crate) fn columns_of_comparison(&self, comparison: usize) -> Vec<String> {
        columns_of_comparison(&self.plan, comparison)
    }

    /// Gives the seed of everything random.
    pub fn seed(&self) -> u64 {
        self.options.seed
    }

    /// Counts the pairs that the model's blocking rules propose, from the sizes of blocks, without building a pair where that is possible.
    ///
    /// Where a rule has conditions beyond equality the counts are upper bounds and say so.
    ///
    /// # Errors
    ///
    /// When a rule is a full product that was not allowed.
    pub fn count_pairs(&self, n_largest_blocks: usize) -> Result<PairCounts, LinkError> {
        self.pool.install(|| {
            let blocking =
                Blocking::new(self.scope(), self.records.columns(), self.model_rules(), self.options.blocking)?;
            Ok(count_pairs::<NoJudge>(&blocking, CountOptions { n_largest: n_largest_blocks }, None))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;
    use crate::plan::{EqualityKey, Feature, RulePlan, RuleSearch, ValueType};
    use crate::sql::expression::Expression;

    fn plan(columns: &[&str]) -> Plan {
        let feature = |(domain, name): (usize, &&str)| Feature {
            expression: Expression::Column { side: None, name: (*name).to_owned() },
            value_type: ValueType::Text,
            domain,
        };
        let rule = |feature| RulePlan {
            description: format!("rule {feature}"),
            search: RuleSearch::Equality(vec![EqualityKey { left: feature, right: feature, exploded: false }]),
            residual: None,
            refine: None,
        };
        Plan {
            features: columns.iter().enumerate().map(feature).collect(),
            n_domains: columns.len(),
            rules: (0..columns.len()).map(rule).collect(),
            ..Plan::default()
        }
    }

    fn people(ids: &[i64], names: &[Option<&str>], towns: &[Option<&str>]) -> RecordBatch {
        let columns: [(&str, ArrayRef); 3] = [
            ("unique_id", Arc::new(Int64Array::from(ids.to_vec()))),
            ("name", Arc::new(StringArray::from(names.to_vec()))),
            ("town", Arc::new(StringArray::from(towns.to_vec()))),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
    }

    fn linker(link_type: LinkType, two: bool) -> Result<Linker, LinkError> {
        let first = people(&[3, 1, 2], &[Some("ann"), Some("bo"), None], &[Some("x"), Some("x"), Some("x")]);
        let second = people(&[1, 7], &[Some("ann"), Some("ann")], &[Some("x"), None]);
        let mut model = LinkageModel::new(link_type);
        model.blocking_rules = vec!["l.name = r.name".into(), "l.town = r.town".into()];
        let builder =
            Linker::builder(model).plan(plan(&["name", "town"])).threads(1).retain_columns(["name", "unique_id"]);
        let builder = builder.table("b", [first.slice(0, 1), first.slice(1, 2)]);
        if two { builder.table("a", [second]).build() } else { builder.build() }
    }

    #[test]
    fn records_are_in_key_order_and_know_where_they_came_from() {
        let linker = linker(LinkType::LinkOnly, true).unwrap();
        let records = linker.records();
        let ids: Vec<String> =
            (0..5).map(|row| format!("{} {}", records.source_name(row), records.identifier(row))).collect();
        assert_eq!(ids, ["a 1", "a 7", "b 1", "b 2", "b 3"]);
        assert_eq!((0..5).map(|row| records.input_row(row)).collect::<Vec<_>>(), [3, 4, 1, 2, 0]);
        let names = records.take("name", &[4, 3, 0]).unwrap().unwrap();
        assert_eq!(*names, StringArray::from(vec![Some("ann"), None, Some("ann")]));
        assert_eq!(*records.take("unique_id", &[4, 1]).unwrap().unwrap(), Int64Array::from(vec![3, 7]));
    }

    #[test]
    fn counts_follow_the_link_type() {
        let counts = |link_type, two| linker(link_type, two).unwrap().count_pairs(1).unwrap();
        let of = |counts: &PairCounts| counts.rules.iter().map(|rule| (rule.pairs, rule.marginal)).collect::<Vec<_>>();
        assert_eq!(of(&counts(LinkType::DedupeOnly, false)), [(0, 0), (3, 3)]);
        assert_eq!(of(&counts(LinkType::LinkOnly, true)), [(2, 2), (3, 2)]);
        assert_eq!(of(&counts(LinkType::LinkAndDedupe, true)), [(3, 3), (6, 5)]);
        assert_eq!(counts(LinkType::LinkOnly, true).rules[0].null_records, 1);
    }

    #[test]
    fn sources_are_checked() {
        let model = || LinkageModel::new(LinkType::DedupeOnly);
        assert!(matches!(Linker::builder(model()).build(), Err(LinkError::NoRecords)));
        let batch = people(&[1], &[None], &[None]);
        let twice = Linker::builder(model()).table("a", [batch.clone()]).table("a", [batch.clone()]).build();
        assert!(matches!(twice, Err(LinkError::RepeatedSource { .. })));
        let missing = Linker::builder(model()).plan(plan(&["nmae"])).table("a", [batch.clone()]).build();
        assert!(matches!(missing, Err(LinkError::MissingColumn { nearest: Some(name), .. }) if name == "name"));
        let small = Linker::builder(model()).plan(plan(&["name"])).table("a", [batch]).memory_limit(1).build();
        assert!(matches!(small, Err(LinkError::MemoryLimit { limit: 1, .. })));
    }
}
