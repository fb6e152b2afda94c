//! Scored pairs against a truth, at every threshold.

use hashbrown::{HashMap, HashSet};
use rayon::slice::ParallelSliceMut;
use serde::{Deserialize, Serialize};

use super::bootstrap::{BootstrapOptions, Interval, intervals};
use super::measures::{f_measure, ratio};
use super::{Confusion, PairMeasures, Population, UNLABELLED};
use crate::clustering::connected_components;

/// What is known to be true.
#[derive(Debug, Clone, Copy)]
pub enum Truth<'a> {
    /// A label per record: records of one entity share it. [`UNLABELLED`] leaves a record, and every pair with it, out.
    Labels(&'a [u32]),
    /// All true pairs of `n_records` records, in any order; the pairs alone are true, not what would follow from chains.
    Pairs {
        /// Number of records.
        n_records: usize,
        /// The pairs.
        pairs: &'a [(u32, u32)],
    },
}

/// The thresholds to report.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ThresholdGrid {
    /// Every weight that occurs.
    All,
    /// Weights rounded down to multiples of a step in bits.
    Step(f64),
    /// These.
    Given(Vec<f64>),
    /// Weights rounded down to tenths of a bit.
    #[default]
    Tenths,
}

/// How pairs are evaluated.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PairEvaluationOptions {
    /// The thresholds to report.
    pub grid: ThresholdGrid,
    /// A threshold to give intervals for.
    pub threshold: Option<f64>,
    /// How the intervals are drawn; none without.
    pub bootstrap: Option<BootstrapOptions>,
    /// Number of true pairs among all candidate pairs, if the given pairs are only those above some weight.
    pub true_candidates: Option<u64>,
}

/// Measures at one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ThresholdMeasures {
    /// Pairs of at least this weight are predicted.
    pub threshold: f64,
    /// The measures.
    #[serde(flatten)]
    pub measures: PairMeasures,
}

/// What blocking cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockingMisses {
    /// Number of true pairs.
    pub true_pairs: u64,
    /// Number of them among the candidate pairs.
    pub proposed: u64,
    /// Number of true pairs that no rule proposes, so that no threshold finds them.
    pub missed: u64,
}

/// Intervals of the measures of pairs.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct PairIntervals {
    /// Precision.
    pub precision: Option<Interval>,
    /// Recall.
    pub recall: Option<Interval>,
    /// F1.
    pub f1: Option<Interval>,
}

/// How scored pairs compare with a truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairEvaluation {
    /// Number of pairs that the truth speaks of.
    pub n_pairs: u64,
    /// What blocking cost.
    pub blocking: BlockingMisses,
    /// The measures by falling threshold.
    pub thresholds: Vec<ThresholdMeasures>,
    /// The threshold of the highest F1.
    pub best_f1: Option<ThresholdMeasures>,
    /// The measures at the threshold asked for.
    pub at_threshold: Option<ThresholdMeasures>,
    /// Their intervals, entities resampled (for judged pairs: pairs).
    pub intervals: Option<PairIntervals>,
}

/// A pair that a person judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JudgedPair {
    /// Probability that they match, as judged: from 0 to 1; at least one half counts as true.
    pub clerical_match_score: f64,
    /// The match weight; absent if no blocking rule proposes the pair.
    pub weight: Option<f64>,
}

/// Measures scored pairs against a truth at every threshold, in one sorted sweep.
///
/// `pairs` are left row, right row and weight, each pair once; they are sorted in place by falling weight. Pairs that the
/// link type rules out or whose records have no label are left out. True pairs that are not among them count as missed
/// at every threshold.
pub fn evaluate_pairs(
    pairs: &mut [(u32, u32, f64)],
    truth: Truth<'_>,
    population: Population<'_>,
    options: &PairEvaluationOptions,
) -> PairEvaluation {
    sort(pairs);
    let index = TruthIndex::new(truth, population);
    let judged = || {
        pairs
            .iter()
            .filter(|pair| index.is_known(pair.0, pair.1) && population.is_possible(pair.0, pair.1))
            .map(|pair| (pair.2, index.is_true(pair.0, pair.1)))
    };
    let proposed = judged().filter(|(_, is_true)| *is_true).count() as u64;
    let proposed = options.true_candidates.unwrap_or(proposed).min(index.true_pairs);
    let sweep = Sweep { true_pairs: index.true_pairs, n_pairs: index.possible_pairs };
    let mut evaluation = sweep.evaluation(judged, options);
    evaluation.blocking =
        BlockingMisses { true_pairs: index.true_pairs, proposed, missed: index.true_pairs - proposed };
    if let (Some(threshold), Some(bootstrap)) = (options.threshold, &options.bootstrap) {
        let kept = pairs.iter().filter(|pair| pair.2 >= threshold).map(|pair| (pair.0, pair.1));
        evaluation.intervals = Some(index.intervals(kept, population, bootstrap));
    }
    evaluation
}

/// Measures the pairs that a person judged, and only those.
///
/// A pair that no blocking rule proposes is not predicted at any threshold.
pub fn evaluate_judged_pairs(pairs: &[JudgedPair], options: &PairEvaluationOptions) -> PairEvaluation {
    let is_true = |pair: &JudgedPair| pair.clerical_match_score >= 0.5;
    let mut scored: Vec<(f64, bool)> =
        pairs.iter().filter_map(|pair| Some((pair.weight.filter(|weight| !weight.is_nan())?, is_true(pair)))).collect();
    scored.sort_by(|left, right| right.0.total_cmp(&left.0));
    let true_pairs = pairs.iter().filter(|pair| is_true(pair)).count() as u64;
    let proposed = scored.iter().filter(|(_, is_true)| *is_true).count() as u64;
    let sweep = Sweep { true_pairs, n_pairs: pairs.len() as u64 };
    let mut evaluation = sweep.evaluation(|| scored.iter().copied(), options);
    evaluation.blocking = BlockingMisses { true_pairs, proposed, missed: true_pairs - proposed };
    if let (Some(threshold), Some(bootstrap)) = (options.threshold, &options.bootstrap) {
        let sums: Vec<[f64; 3]> = pairs
            .iter()
            .map(|pair| {
                let is_predicted = pair.weight.is_some_and(|weight| weight >= threshold);
                [
                    f64::from(is_predicted && is_true(pair)),
                    f64::from(is_predicted && !is_true(pair)),
                    f64::from(!is_predicted && is_true(pair)),
                ]
            })
            .collect();
        evaluation.intervals = Some(pair_intervals(&sums, bootstrap));
    }
    evaluation
}

/// Finds the weight of each judged pair among scored pairs; rows may come in either order.
pub fn match_judged_pairs(judged: &[(u32, u32, f64)], scored: &[(u32, u32, f64)]) -> Vec<JudgedPair> {
    let key = |left: u32, right: u32| (left.min(right), left.max(right));
    let mut weights: HashMap<(u32, u32), Option<f64>> =
        judged.iter().map(|(left, right, _)| (key(*left, *right), None)).collect();
    for (left, right, weight) in scored {
        if let Some(found) = weights.get_mut(&key(*left, *right)) {
            *found = Some(*weight);
        }
    }
    judged
        .iter()
        .map(|(left, right, score)| JudgedPair {
            clerical_match_score: *score,
            weight: weights.get(&key(*left, *right)).copied().flatten(),
        })
        .collect()
}

/// Totals that a sweep needs beside the pairs.
struct Sweep {
    true_pairs: u64,
    n_pairs: u64,
}

impl Sweep {
    /// Sweeps over weight and truth of pairs, by falling weight.
    fn evaluation<I: Iterator<Item = (f64, bool)>>(
        &self,
        judged: impl Fn() -> I,
        options: &PairEvaluationOptions,
    ) -> PairEvaluation {
        let step = match options.grid {
            ThresholdGrid::Step(step) if step > 0.0 => Some(step),
            ThresholdGrid::Tenths => Some(0.1),
            _ => None,
        };
        let rounded = |weight: f64| step.map_or(weight, |step| (weight / step).floor() * step);
        let thresholds = match &options.grid {
            ThresholdGrid::Given(thresholds) => self.at(judged(), thresholds),
            _ => self.at_every(judged().map(|(weight, is_true)| (rounded(weight), is_true))),
        };
        let best_f1 = thresholds
            .iter()
            .max_by(|left, right| left.measures.f1.unwrap_or(0.0).total_cmp(&right.measures.f1.unwrap_or(0.0)))
            .copied();
        PairEvaluation {
            n_pairs: self.n_pairs,
            blocking: BlockingMisses { true_pairs: 0, proposed: 0, missed: 0 },
            best_f1,
            at_threshold: options.threshold.and_then(|threshold| self.at(judged(), &[threshold]).first().copied()),
            thresholds,
            intervals: None,
        }
    }

    fn at_every(&self, judged: impl Iterator<Item = (f64, bool)>) -> Vec<ThresholdMeasures> {
        let mut measures: Vec<ThresholdMeasures> = Vec::new();
        let mut judged = judged.peekable();
        let (mut right, mut wrong) = (0, 0);
        while let Some((weight, is_true)) = judged.next() {
            if is_true {
                right += 1;
            } else {
                wrong += 1;
            }
            if judged.peek().is_none_or(|(next, _)| *next < weight) {
                measures.push(self.measures(weight, right, wrong));
            }
        }
        measures
    }

    fn at(&self, judged: impl Iterator<Item = (f64, bool)>, thresholds: &[f64]) -> Vec<ThresholdMeasures> {
        let mut thresholds = thresholds.to_vec();
        thresholds.sort_by(|left, right| right.total_cmp(left));
        thresholds.dedup();
        let mut judged = judged.peekable();
        let (mut right, mut wrong) = (0, 0);
        thresholds
            .into_iter()
            .map(|threshold| {
                while let Some((_, is_true)) = judged.next_if(|(weight, _)| *weight >= threshold) {
                    if is_true { right += 1 } else { wrong += 1 }
                }
                self.measures(threshold, right, wrong)
            })
            .collect()
    }

    fn measures(&self, threshold: f64, right: u64, wrong: u64) -> ThresholdMeasures {
        let missed = self.true_pairs.saturating_sub(right);
        let counts = Confusion {
            true_positives: right,
            false_positives: wrong,
            false_negatives: missed,
            true_negatives: self.n_pairs.saturating_sub(right + wrong + missed),
        };
        ThresholdMeasures { threshold, measures: counts.measures() }
    }
}

/// A truth, ready to be asked.
struct TruthIndex<'a> {
    truth: Truth<'a>,
    pairs: HashSet<(u32, u32)>,
    true_pairs: u64,
    possible_pairs: u64,
}

impl<'a> TruthIndex<'a> {
    fn new(truth: Truth<'a>, population: Population<'_>) -> Self {
        match truth {
            Truth::Labels(labels) => {
                let mut records: Vec<(u32, u16)> = labels
                    .iter()
                    .enumerate()
                    .filter(|(_, label)| **label != UNLABELLED)
                    .map(|(row, label)| (*label, population.source(row)))
                    .collect();
                records.par_sort_unstable();
                let mut sources: Vec<((), u16)> = records.iter().map(|(_, source)| ((), *source)).collect();
                sources.par_sort_unstable();
                Self {
                    truth,
                    pairs: HashSet::new(),
                    true_pairs: population.pairs_within(&records),
                    possible_pairs: population.pairs_within(&sources),
                }
            }
            Truth::Pairs { n_records, pairs } => {
                let pairs: HashSet<(u32, u32)> = pairs
                    .iter()
                    .filter(|pair| population.is_possible(pair.0, pair.1))
                    .map(|pair| (pair.0.min(pair.1), pair.0.max(pair.1)))
                    .collect();
                let mut sources: Vec<((), u16)> = (0..n_records).map(|row| ((), population.source(row))).collect();
                sources.par_sort_unstable();
                Self { truth, true_pairs: pairs.len() as u64, pairs, possible_pairs: population.pairs_within(&sources) }
            }
        }
    }

    fn is_known(&self, left: u32, right: u32) -> bool {
        match self.truth {
            Truth::Labels(labels) => {
                [left, right].iter().all(|row| labels.get(*row as usize).is_some_and(|label| *label != UNLABELLED))
            }
            Truth::Pairs { n_records, .. } => (left.max(right) as usize) < n_records,
        }
    }

    fn is_true(&self, left: u32, right: u32) -> bool {
        match self.truth {
            Truth::Labels(labels) => labels[left as usize] == labels[right as usize],
            Truth::Pairs { .. } => self.pairs.contains(&(left.min(right), left.max(right))),
        }
    }

    /// Resamples entities: labels, or what true pairs connect.
    fn intervals(
        &self,
        predicted: impl Iterator<Item = (u32, u32)>,
        population: Population<'_>,
        options: &BootstrapOptions,
    ) -> PairIntervals {
        let labels: Vec<u32> = match self.truth {
            Truth::Labels(labels) => labels.to_vec(),
            Truth::Pairs { n_records, .. } => {
                let mut pairs: Vec<(u32, u32)> = self.pairs.iter().copied().collect();
                pairs.sort_unstable();
                connected_components(n_records, pairs)
            }
        };
        let mut numbers: HashMap<u32, usize> = HashMap::new();
        let entities: Vec<usize> = labels
            .iter()
            .map(|label| {
                let next = numbers.len();
                *numbers.entry(*label).or_insert(next)
            })
            .collect();
        let mut sums = vec![[0.0; 3]; numbers.len()];
        for (left, right) in predicted {
            if !self.is_known(left, right) || !population.is_possible(left, right) {
                continue;
            }
            let place = usize::from(!self.is_true(left, right));
            for row in [left, right] {
                sums[entities[row as usize]][place] += 0.5;
            }
        }
        match self.truth {
            Truth::Labels(_) => {
                let mut records: Vec<(usize, u16)> = entities
                    .iter()
                    .enumerate()
                    .filter(|(row, _)| labels[*row] != UNLABELLED)
                    .map(|(row, entity)| (*entity, population.source(row)))
                    .collect();
                records.sort_unstable();
                for entity in records.chunk_by(|left, right| left.0 == right.0) {
                    sums[entity[0].0][2] = population.pairs_of_group(entity) as f64;
                }
            }
            Truth::Pairs { .. } => {
                for (left, _) in &self.pairs {
                    sums[entities[*left as usize]][2] += 1.0;
                }
            }
        }
        for entity in &mut sums {
            entity[2] -= entity[0];
        }
        pair_intervals(&sums, options)
    }
}

/// Gives intervals from right, wrong and missed pairs of each unit that is resampled.
fn pair_intervals(sums: &[[f64; 3]], options: &BootstrapOptions) -> PairIntervals {
    let [precision, recall, f1] = intervals(sums, options, |[right, wrong, missed]| {
        [ratio(*right, right + wrong), ratio(*right, right + missed), f_measure(*right, *wrong, *missed, 1.0)]
    });
    PairIntervals { precision, recall, f1 }
}

fn sort(pairs: &mut [(u32, u32, f64)]) {
    pairs
        .par_sort_unstable_by(|left, right| right.2.total_cmp(&left.2).then((left.0, left.1).cmp(&(right.0, right.1))));
}
