//! The linker: sources and a model in, counts, pairs and scores out.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use rayon::ThreadPool;

use crate::blocking::{Blocking, BlockingOptions, CountOptions, Judge, PairCounts, Scope, count_pairs};
use crate::encode::{Batches, EncodeOptions, Records, Source, encode};
use crate::error::LinkError;
use crate::model::{BlockingRule, LinkType, LinkageModel};
use crate::plan::{Condition, Plan};

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
    threads: usize,
    options: LinkerOptions,
    plan: Option<Plan>,
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
    /// source, the model does not fit the columns, or the records need more memory than the limit.
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
            None => compile(&self.model, &schema)?,
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .thread_name(|number| format!("linker-{number}"))
            .build()?;
        let source_column = self.model.link_type != LinkType::DedupeOnly && sources.len() == 1;
        let options = EncodeOptions {
            unique_id: self.model.keys.unique_id.clone(),
            source_column: source_column.then(|| self.model.keys.source_dataset.clone()),
            retain: self.retain,
        };
        let records = pool.install(|| encode(&plan, &schema, sources, &options))?;
        let needed = records.heap_bytes();
        if let Some(limit) = self.options.memory_limit.filter(|&limit| needed > limit) {
            return Err(LinkError::MemoryLimit { limit, needed, what: "the encoded records" });
        }
        let n_model_rules = self.model.blocking_rules.len();
        Ok(Linker { model: self.model, plan, records, pool, options: self.options, n_model_rules })
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

fn compile(_model: &LinkageModel, _schema: &Schema) -> Result<Plan, LinkError> {
    Err(LinkError::Plan("a model cannot be compiled yet; give a plan".into()))
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
            threads: 0,
            options: LinkerOptions::default(),
            plan: None,
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
        let columns = self.records.columns();
        let scope = Scope::new(self.model.link_type, columns);
        let rules = &self.plan.rules[..self.n_model_rules.min(self.plan.rules.len())];
        self.pool.install(|| {
            let blocking = Blocking::new(scope, columns, rules, self.options.blocking)?;
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
