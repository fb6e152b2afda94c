//! Scores of candidate pairs, streamed: only pairs that reach the threshold are ever kept.

mod candidates;
mod output;
mod patterns;
mod run;
mod scorer;
mod spill;

use arrow::array::RecordBatch;

use crate::blocking::{Blocking, Judge, Unit, Walk, WalkBuffers};
use crate::error::LinkError;
use crate::linker::Linker;
use crate::plan::RulePlan;
use crate::score::match_weight_of;
use run::{Buffers, in_order};
use scorer::ComparerJudge;
pub(crate) use scorer::{ScoreBuffers, Scorer};

#[cfg(feature = "sql")]
pub(crate) use candidates::ScoreBatch;
pub use output::{EvidenceStep, PairEvidence};
pub use spill::{PairChunks, Predictions};

/// What a pair must reach to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Threshold {
    /// Every candidate pair is kept.
    #[default]
    All,
    /// A match weight in bits.
    MatchWeight(f64),
    /// A match probability between 0 and 1; 0 keeps every pair.
    MatchProbability(f64),
}

impl Threshold {
    /// Gives the match weight that a pair must have at least; `None` keeps every pair.
    ///
    /// # Errors
    ///
    /// When a probability is not between 0 and 1.
    pub fn match_weight(self) -> Result<Option<f64>, LinkError> {
        match self {
            Self::All => Ok(None),
            Self::MatchWeight(weight) => Ok((weight > f64::NEG_INFINITY).then_some(weight)),
            Self::MatchProbability(probability) if (0.0..=1.0).contains(&probability) => {
                Ok((probability > 0.0).then(|| match_weight_of(probability)))
            }
            Self::MatchProbability(value) => {
                Err(LinkError::NotAProbability { what: "The threshold".to_owned(), value })
            }
        }
    }
}

/// How prediction runs.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictOptions {
    /// Which pairs are kept.
    pub threshold: Threshold,
    /// Pairs compared at a time, 8,192 by default. The result does not depend on it.
    pub batch_size: usize,
    /// Pairs in a unit of parallel work, 65,536 by default. The result does not depend on it.
    pub unit_size: u64,
    /// Where pairs beyond the memory limit go; without it a run that would exceed the limit is refused.
    pub spill_directory: Option<std::path::PathBuf>,
}

impl Default for PredictOptions {
    fn default() -> Self {
        Self { threshold: Threshold::All, batch_size: 8_192, unit_size: 1 << 16, spill_directory: None }
    }
}

impl PredictOptions {
    /// Keeps pairs whose match probability is at least this.
    pub fn probability(threshold: f64) -> Self {
        Self { threshold: Threshold::MatchProbability(threshold), ..Self::default() }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Candidate pairs done.
    pub pairs: u64,
    /// Pairs of blocks done, among them those that an earlier rule found or a condition left out.
    pub walked: u64,
    /// Pairs of blocks of all rules, known from the start; what `walked` arrives at.
    pub expected: u64,
    /// Pairs kept.
    pub kept: u64,
}

/// Pairs with their scores, in the order of rule, block, left and right record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoredPairs {
    /// Rows of the left records.
    pub left: Vec<u32>,
    /// Rows of the right records.
    pub right: Vec<u32>,
    /// Match weights in bits.
    pub match_weight: Vec<f64>,
    /// The first rule that found each pair.
    pub rule: Vec<u16>,
}

impl ScoredPairs {
    /// Gives the number of pairs.
    pub fn len(&self) -> usize {
        self.left.len()
    }

    /// Tells whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    fn append(&mut self, other: &Self) {
        self.left.extend_from_slice(&other.left);
        self.right.extend_from_slice(&other.right);
        self.match_weight.extend_from_slice(&other.match_weight);
        self.rule.extend_from_slice(&other.rule);
    }

    fn heap_bytes(&self) -> u64 {
        self.left.capacity() as u64 * 4
            + self.right.capacity() as u64 * 4
            + self.match_weight.capacity() as u64 * 8
            + self.rule.capacity() as u64 * 2
    }
}

impl Progress {
    fn add(&mut self, result: &UnitResult) {
        self.pairs += result.n_candidates;
        self.walked += result.walked;
        self.expected = result.expected;
        self.kept += result.pairs.len() as u64;
    }
}

/// Bytes of a kept pair.
const PAIR_BYTES: u64 = 18;

#[derive(Default)]
struct State {
    walk: WalkBuffers,
    score: ScoreBuffers,
}

/// What a unit gave.
struct UnitResult {
    pairs: ScoredPairs,
    n_candidates: u64,
    walked: u64,
    expected: u64,
}

impl Linker {
    /// Scores the candidate pairs of the model's blocking rules and keeps those that reach the threshold.
    ///
    /// # Errors
    ///
    /// When a rule is a full product that was not allowed, a parameter is not a probability, a condition cannot be evaluated, or the memory
    /// limit does not suffice and pairs cannot be spilled.
    pub fn predict(&self, options: &PredictOptions) -> Result<Predictions, LinkError> {
        self.predict_with_progress(options, |_| {})
    }

    /// Scores as [`Linker::predict`] does and tells how far it is.
    ///
    /// # Errors
    ///
    /// As [`Linker::predict`].
    pub fn predict_with_progress(
        &self,
        options: &PredictOptions,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<Predictions, LinkError> {
        let mut predictions = Predictions::new(self.pair_budget()?, options.spill_directory.clone());
        let mut so_far = Progress { pairs: 0, walked: 0, expected: 0, kept: 0 };
        let n_candidates = self.predict_units(self.model_rules(), options, |result| {
            so_far.add(&result);
            predictions.push(result.pairs)?;
            progress(so_far);
            Ok(())
        })?;
        predictions.candidates_by_rule = n_candidates;
        predictions.finish()
    }

    /// Scores as [`Linker::predict`] does, but hands kept pairs on as they come instead of collecting them.
    ///
    /// The order of pairs is the same for any number of threads.
    ///
    /// # Errors
    ///
    /// As [`Linker::predict`], and whatever `sink` returns.
    pub fn predict_each(
        &self,
        options: &PredictOptions,
        mut sink: impl FnMut(ScoredPairs, Progress) -> Result<(), LinkError> + Send,
    ) -> Result<Vec<u64>, LinkError> {
        let mut so_far = Progress { pairs: 0, walked: 0, expected: 0, kept: 0 };
        self.predict_units(self.model_rules(), options, |result| {
            so_far.add(&result);
            sink(result.pairs, so_far)
        })
    }

    /// Gives for each rule the number of candidate pairs it was the first to find.
    fn predict_units(
        &self,
        rules: &[RulePlan],
        options: &PredictOptions,
        mut consume: impl FnMut(UnitResult) -> Result<(), LinkError> + Send,
    ) -> Result<Vec<u64>, LinkError> {
        let threshold = options.threshold.match_weight()?;
        let weights = self.weights()?;
        let comparer = self.comparer()?;
        let columns = self.records().columns();
        let caller = tracing::Span::current();
        self.install(|| {
            let blocking = Blocking::new(self.scope(), columns, rules, self.blocking_options())?;
            let buffers: Buffers<State> = Buffers::new();
            let expected = blocking.pairs_of_blocks();
            let mut n_candidates = Vec::new();
            for number in 0..rules.len() {
                let span = rule_span(&caller, number);
                let _in_rule = span.enter();
                let walk = Walk::new(&blocking, number);
                let units = walk.units(options.unit_size);
                let mut scorer = Scorer::new(&comparer, columns, &weights, self.frequencies(), threshold);
                if let Some(unit) = units.get(units.len() / 2).filter(|_| units.len() > 1) {
                    let (lefts, rights) = sample(&walk, *unit);
                    scorer.tune(&lefts, &rights)?;
                }
                let (mut of_rule, mut kept) = (0, 0);
                let rule = number as u16;
                let work = |state: &mut State, unit: &Unit| {
                    let scored = score_unit(&walk, *unit, &scorer, options.batch_size, rule, state);
                    scored.map(|(pairs, n_candidates)| (pairs, n_candidates, unit.pairs))
                };
                in_order(&units, &buffers, work, |(pairs, n, walked)| {
                    of_rule += n;
                    kept += pairs.len() as u64;
                    consume(UnitResult { pairs, n_candidates: n, walked, expected })
                })?;
                rule_done(&span, number, of_rule, kept);
                n_candidates.push(of_rule);
            }
            Ok(n_candidates)
        })
    }

    /// Gives the pairs that rules find, each under the first rule that finds it, without scoring them; every weight is the prior's.
    ///
    /// # Errors
    ///
    /// As [`Linker::predict`].
    pub fn deterministic_link(&self, rules: &[RulePlan], options: &PredictOptions) -> Result<Predictions, LinkError> {
        let mut predictions = Predictions::new(self.pair_budget()?, options.spill_directory.clone());
        let comparer = self.comparer()?;
        let prior = self.weights()?.prior;
        let caller = tracing::Span::current();
        self.install(|| {
            let blocking = Blocking::new(self.scope(), self.records().columns(), rules, self.blocking_options())?;
            let buffers: Buffers<State> = Buffers::new();
            for number in 0..rules.len() {
                let span = rule_span(&caller, number);
                let _in_rule = span.enter();
                let walk = Walk::new(&blocking, number);
                let mut of_rule = 0;
                let work = |state: &mut State, unit: &Unit| {
                    let mut pairs = ScoredPairs::default();
                    let mut judge = ComparerJudge::new(&comparer);
                    walk.run(
                        *unit,
                        options.batch_size,
                        Some(&mut judge as &mut dyn Judge),
                        &mut state.walk,
                        |lefts, rights| {
                            pairs.left.extend_from_slice(lefts);
                            pairs.right.extend_from_slice(rights);
                        },
                    );
                    pairs.match_weight.resize(pairs.left.len(), prior);
                    pairs.rule.resize(pairs.left.len(), number as u16);
                    judge.failure.map_or(Ok(pairs), |failure| Err(failure.into()))
                };
                in_order(&walk.units(options.unit_size), &buffers, work, |pairs| {
                    of_rule += pairs.len() as u64;
                    predictions.push(pairs)
                })?;
                rule_done(&span, number, of_rule, of_rule);
                predictions.candidates_by_rule.push(of_rule);
            }
            predictions.finish()
        })
    }

    /// Scores given pairs of rows, in the order given; the lower row becomes the left one. No threshold applies.
    ///
    /// # Errors
    ///
    /// When a row does not exist, a parameter is not a probability, or a condition cannot be evaluated.
    pub fn score_pairs(&self, pairs: &[(u32, u32)]) -> Result<ScoredPairs, LinkError> {
        use rayon::iter::ParallelIterator as _;
        use rayon::slice::ParallelSlice as _;
        let weights = self.weights()?;
        let comparer = self.comparer()?;
        let scorer = Scorer::new(&comparer, self.records().columns(), &weights, self.frequencies(), None);
        let score = |pairs: &[(u32, u32)]| {
            let lefts: Vec<u32> = pairs.iter().map(|&(one, other)| one.min(other)).collect();
            let rights: Vec<u32> = pairs.iter().map(|&(one, other)| one.max(other)).collect();
            let mut buffers = ScoreBuffers::default();
            scorer.score(&lefts, &rights, &mut buffers)?;
            Ok(ScoredPairs {
                left: lefts,
                right: rights,
                match_weight: buffers.weights,
                rule: vec![u16::MAX; pairs.len()],
            })
        };
        let parts: Vec<Result<ScoredPairs, LinkError>> = self.install(|| pairs.par_chunks(8_192).map(score).collect());
        let mut all = ScoredPairs::default();
        for part in parts {
            all.append(&part?);
        }
        Ok(all)
    }

    /// Gives the bytes that kept pairs may take.
    fn pair_budget(&self) -> Result<Option<u64>, LinkError> {
        let Some(limit) = self.memory_limit() else { return Ok(None) };
        let encoded = self.records().heap_bytes();
        let least = encoded + self.records().len() as u64 * 8 * (self.model_rules().len() as u64 + 1);
        if least > limit {
            return Err(LinkError::MemoryLimit {
                limit,
                needed: least,
                what: "the encoded records and their block keys",
            });
        }
        Ok(Some(limit - least))
    }
}

/// Begins the span of a blocking rule below the one of the caller, whose thread may be another.
///
/// Numbers of spans are signed here and below: the way from `tracing` to OpenTelemetry makes a text of an unsigned one.
fn rule_span(caller: &tracing::Span, number: usize) -> tracing::Span {
    tracing::info_span!(
        parent: caller,
        "resolve.blocking_rule",
        "hotpass.blocking_rule" = number as i64,
        "hotpass.pairs.candidate" = tracing::field::Empty,
        "hotpass.pairs.kept" = tracing::field::Empty,
    )
}

/// Tells what a blocking rule found.
fn rule_done(span: &tracing::Span, number: usize, candidates: u64, kept: u64) {
    span.record("hotpass.pairs.candidate", candidates as i64).record("hotpass.pairs.kept", kept as i64);
    for (name, value) in [("hotpass.pairs.candidate", candidates), ("hotpass.pairs.kept", kept)] {
        tracing::info!(target: "hotpass::metric", name, value, "hotpass.blocking_rule" = number);
    }
}

/// Gives some pairs of a unit, without conditions.
fn sample(walk: &Walk<'_>, unit: Unit) -> (Vec<u32>, Vec<u32>) {
    let (mut lefts, mut rights) = (Vec::new(), Vec::new());
    walk.run(unit, 1_024, None, &mut WalkBuffers::default(), |some, others| {
        if lefts.len() < 4_096 {
            lefts.extend_from_slice(some);
            rights.extend_from_slice(others);
        }
    });
    (lefts, rights)
}

fn score_unit(
    walk: &Walk<'_>,
    unit: Unit,
    scorer: &Scorer<'_>,
    batch_size: usize,
    rule: u16,
    state: &mut State,
) -> Result<(ScoredPairs, u64), LinkError> {
    let State { walk: walk_buffers, score } = state;
    let mut pairs = ScoredPairs::default();
    let mut n_candidates = 0;
    let mut failure = None;
    let mut judge = ComparerJudge::new(scorer.comparer);
    walk.run(unit, batch_size, Some(&mut judge as &mut dyn Judge), walk_buffers, |lefts, rights| {
        if failure.is_some() {
            return;
        }
        n_candidates += lefts.len() as u64;
        match scorer.score(lefts, rights, score) {
            Ok(()) => {
                pairs.left.extend_from_slice(&score.lefts);
                pairs.right.extend_from_slice(&score.rights);
                pairs.match_weight.extend_from_slice(&score.weights);
            }
            Err(error) => failure = Some(error),
        }
    });
    if let Some(failure) = failure.or(judge.failure) {
        return Err(failure.into());
    }
    pairs.rule.resize(pairs.left.len(), rule);
    Ok((pairs, n_candidates))
}

impl Predictions {
    /// Gives the pairs as tables of at most `rows` rows, in the columns of [`Linker::pair_schema`].
    pub fn batches<'p>(
        &'p self,
        linker: &'p Linker,
        rows: usize,
    ) -> impl Iterator<Item = Result<RecordBatch, LinkError>> + 'p {
        let rows = rows.max(1);
        self.chunks().flat_map(move |chunk| {
            let tables: Vec<Result<RecordBatch, LinkError>> = match chunk {
                Ok(chunk) => (0..chunk.len())
                    .step_by(rows)
                    .map(|begin| linker.pair_batch(&chunk.slice(begin, rows.min(chunk.len() - begin))))
                    .collect(),
                Err(error) => vec![Err(error)],
            };
            tables
        })
    }
}

#[cfg(test)]
mod tests;
