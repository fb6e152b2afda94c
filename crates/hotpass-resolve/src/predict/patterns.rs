//! Candidate pairs counted by pattern, and levels of random pairs.

use std::sync::Arc;

use hashbrown::HashMap;
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};

use super::run::{Buffers, in_order};
use super::scorer::ComparerJudge;
use crate::blocking::{Blocking, Judge, Walk, WalkBuffers};
use crate::columns::Columns;
use crate::compare::{Comparer, Scratch};
use crate::error::LinkError;
use crate::linker::Linker;
use crate::patterns::{PatternCounts, PatternGroup};
use crate::random::random_at;
use crate::score::{Adjustment, Frequencies, counts, exact_level};
use crate::training::{Agreement, PairSampler, agreement, possible_pairs};

/// Pairs counted together.
const BATCH: usize = 4096;

/// Counts pairs by pattern and term-frequency evidence.
#[derive(Debug, Default)]
pub(crate) struct PatternCounter {
    /// By levels, followed by the evidence.
    groups: HashMap<Box<[u8]>, u64>,
    levels: Vec<Vec<u8>>,
    scratch: Scratch,
    key: Vec<u8>,
}

impl PatternCounter {
    fn count(&mut self, counting: &Counting<'_>, lefts: &[u32], rights: &[u32]) -> Result<(), LinkError> {
        let n_comparisons = counting.adjustments.len();
        self.levels.resize_with(n_comparisons, Vec::new);
        for &comparison in counting.comparisons {
            let levels = &mut self.levels[comparison];
            levels.clear();
            levels.resize(lefts.len(), 0);
            counting.comparer.levels(comparison, lefts, rights, levels, &mut self.scratch)?;
        }
        for at in 0..lefts.len() {
            self.key.clear();
            self.key.resize(n_comparisons, 0);
            let mut bits = 0.0;
            for &comparison in counting.comparisons {
                let level = self.levels[comparison][at];
                self.key[comparison] = level;
                if let Some(adjustment) = &counting.adjustments[comparison][usize::from(level)] {
                    let log2 = adjustment.log2_frequency(counting.frequencies, counting.columns, lefts[at], rights[at]);
                    // Without a known frequency the level is not adjusted: this undoes what the reader adds for the level.
                    bits -= adjustment.weight * if log2.is_nan() { adjustment.log2_u_exact } else { log2 };
                }
            }
            // Adding 0 turns -0 into 0.
            self.key.extend_from_slice(&(bits + 0.0_f64).to_le_bytes());
            match self.groups.get_mut(self.key.as_slice()) {
                Some(count) => *count += 1,
                None => drop(self.groups.insert(self.key.as_slice().into(), 1)),
            }
        }
        Ok(())
    }
}

/// What counting needs of a linker.
struct Counting<'a> {
    comparer: &'a Comparer<'a>,
    columns: &'a Columns,
    frequencies: &'a Frequencies,
    adjustments: &'a [Vec<Option<Adjustment>>],
    comparisons: &'a [usize],
}

#[derive(Default)]
struct State {
    walk: WalkBuffers,
    counter: PatternCounter,
}

impl Linker {
    /// Runs `work` with what counting needs, in this linker's threads.
    fn counting<T: Send>(
        &self,
        comparisons: &[usize],
        work: impl FnOnce(&Counting<'_>) -> Result<T, LinkError> + Send,
    ) -> Result<T, LinkError> {
        let comparer = self.comparer()?;
        let weights = self.weights()?;
        let counting = Counting {
            comparer: &comparer,
            columns: self.records().columns(),
            frequencies: self.frequencies(),
            adjustments: &weights.adjustments,
            comparisons,
        };
        self.install(|| work(&counting))
    }

    fn all_comparisons(&self) -> Vec<usize> {
        (0..self.plan().comparisons.len()).collect()
    }

    fn pattern_counts(&self, counters: impl IntoIterator<Item = PatternCounter>) -> PatternCounts {
        let mut groups: HashMap<Box<[u8]>, u64> = HashMap::new();
        for counter in counters {
            for (key, count) in counter.groups {
                *groups.entry(key).or_insert(0) += count;
            }
        }
        let mut groups: Vec<PatternGroup> = groups
            .into_iter()
            .map(|(key, count)| {
                let (levels, bits) = key.split_at(key.len() - 8);
                let bits = bits.try_into().map_or(0.0, f64::from_le_bytes);
                PatternGroup { levels: levels.into(), term_frequency_bits: bits, count: count as f64 }
            })
            .collect();
        groups.sort_by(|one, other| {
            one.levels.cmp(&other.levels).then(one.term_frequency_bits.total_cmp(&other.term_frequency_bits))
        });
        let n_levels = self.plan().comparisons.iter().map(|comparison| comparison.levels.len()).collect();
        PatternCounts { n_levels, groups }
    }

    /// Counts by pattern the pairs of rules: each pair once, under the first rule that finds it.
    ///
    /// # Errors
    ///
    /// When a rule cannot be run against the records, is a full product that was not allowed, or a condition cannot be evaluated.
    pub fn patterns_of_rules(&self, rules: &[crate::plan::RulePlan]) -> Result<PatternCounts, LinkError> {
        self.patterns_of_rules_for(rules, &self.all_comparisons())
    }

    /// Does what [`Linker::patterns_of_rules`] does for some comparisons; the others have level 0 and no evidence throughout.
    ///
    /// # Errors
    ///
    /// See [`Linker::patterns_of_rules`].
    pub fn patterns_of_rules_for(
        &self,
        rules: &[crate::plan::RulePlan],
        comparisons: &[usize],
    ) -> Result<PatternCounts, LinkError> {
        self.counting(comparisons, |counting| {
            let blocking = Blocking::new(self.scope(), counting.columns, rules, self.blocking_options())?;
            let buffers: Buffers<State> = Buffers::new();
            for number in 0..rules.len() {
                let walk = Walk::new(&blocking, number);
                let work = |state: &mut State, unit: &crate::blocking::Unit| {
                    let State { walk: walk_buffers, counter } = state;
                    let mut judge = ComparerJudge::new(counting.comparer);
                    let mut failure = None;
                    walk.run(*unit, BATCH, Some(&mut judge as &mut dyn Judge), walk_buffers, |lefts, rights| {
                        if failure.is_none() {
                            failure = counter.count(counting, lefts, rights).err();
                        }
                    });
                    match (failure, judge.failure) {
                        (Some(failure), _) => Err(failure),
                        (None, Some(failure)) => Err(failure.into()),
                        (None, None) => Ok(()),
                    }
                };
                in_order(&walk.units(1 << 16), &buffers, work, |()| Ok(()))?;
            }
            Ok(self.pattern_counts(buffers.into_all().into_iter().map(|state| state.counter)))
        })
    }

    /// Counts by pattern the given pairs of rows, lower row first.
    ///
    /// # Errors
    ///
    /// When a row does not exist or a condition cannot be evaluated.
    pub fn patterns_of_pairs(&self, pairs: &[(u32, u32)]) -> Result<PatternCounts, LinkError> {
        let comparisons = self.all_comparisons();
        self.patterns_in_chunks(&comparisons, pairs.len() as u64, |range, lefts, rights| {
            for &(left, right) in &pairs[range.start as usize..range.end as usize] {
                lefts.push(left.min(right));
                rights.push(left.max(right));
            }
        })
    }

    /// Counts by pattern `n_pairs` random pairs, each drawn uniformly from all pairs that the link type allows.
    ///
    /// Levels of comparisons that are not asked for are 0 throughout.
    ///
    /// # Errors
    ///
    /// When a condition cannot be evaluated.
    pub fn patterns_of_random_pairs(
        &self,
        seed: u64,
        n_pairs: u64,
        comparisons: &[usize],
    ) -> Result<PatternCounts, LinkError> {
        let draw = RandomPairs::new(self, seed);
        self.patterns_in_chunks(comparisons, if draw.is_empty() { 0 } else { n_pairs }, |range, lefts, rights| {
            draw.draw(range, lefts, rights);
        })
    }

    fn patterns_in_chunks(
        &self,
        comparisons: &[usize],
        n_pairs: u64,
        fill: impl Fn(std::ops::Range<u64>, &mut Vec<u32>, &mut Vec<u32>) + Sync + Send,
    ) -> Result<PatternCounts, LinkError> {
        self.counting(comparisons, |counting| {
            let counters = (0..n_pairs.div_ceil(BATCH as u64) as usize)
                .into_par_iter()
                .with_min_len(4)
                .try_fold(
                    || (PatternCounter::default(), Vec::new(), Vec::new()),
                    |(mut counter, mut lefts, mut rights), chunk| {
                        let begin = chunk as u64 * BATCH as u64;
                        lefts.clear();
                        rights.clear();
                        fill(begin..n_pairs.min(begin + BATCH as u64), &mut lefts, &mut rights);
                        counter.count(counting, &lefts, &rights)?;
                        Ok::<_, LinkError>((counter, lefts, rights))
                    },
                )
                .map(|counter| counter.map(|(counter, ..)| counter))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(self.pattern_counts(counters))
        })
    }

    /// Counts levels of one comparison over batches of pairs.
    fn level_counts_in_chunks(
        &self,
        comparison: usize,
        n_chunks: usize,
        fill: impl Fn(usize, &mut dyn FnMut(&[u32], &[u32]) -> Result<(), LinkError>) -> Result<(), LinkError> + Sync + Send,
    ) -> Result<Vec<u64>, LinkError> {
        let n_levels = self.plan().comparisons.get(comparison).map_or(0, |comparison| comparison.levels.len());
        let comparer = self.comparer()?;
        self.install(|| {
            (0..n_chunks)
                .into_par_iter()
                .map_init(
                    || (Vec::new(), Scratch::default()),
                    |(levels, scratch), chunk| {
                        let mut counts = vec![0_u64; n_levels];
                        fill(chunk, &mut |lefts, rights| {
                            levels.clear();
                            levels.resize(lefts.len(), 0);
                            comparer.levels(comparison, lefts, rights, levels, scratch)?;
                            for &level in levels.iter() {
                                counts[usize::from(level)] += 1;
                            }
                            Ok(())
                        })?;
                        Ok(counts)
                    },
                )
                .try_reduce(
                    || vec![0; n_levels],
                    |mut one, other| {
                        one.iter_mut().zip(other).for_each(|(one, other)| *one += other);
                        Ok(one)
                    },
                )
        })
    }
}

/// Random pairs: the pair of each index depends on seed and index alone.
struct RandomPairs {
    seed: u64,
    n_rows: u64,
    /// Where pairs must cross sources: the rows source by source, where each source begins, and the cumulated numbers of ordered pairs.
    crossing: Option<(Vec<u32>, Vec<u64>, Vec<u128>)>,
    possible: bool,
}

impl RandomPairs {
    fn new(linker: &Linker, seed: u64) -> Self {
        let scope = linker.scope();
        let n_rows = scope.n_rows as u64;
        let crossing = scope.separating().map(|source| {
            let mut rows: Vec<u32> = (0..scope.n_rows as u32).collect();
            rows.sort_by_key(|&row| source[row as usize]);
            let starts: Vec<u64> = (0..=scope.n_sources)
                .map(|number| rows.partition_point(|&row| usize::from(source[row as usize]) < number) as u64)
                .collect();
            let mut sum = 0;
            let cumulated = starts.windows(2).map(|window| {
                let n = window[1] - window[0];
                sum += u128::from(n) * u128::from(n_rows - n);
                sum
            });
            let cumulated = cumulated.collect();
            (rows, starts, cumulated)
        });
        Self { seed, n_rows, crossing, possible: scope.possible_pairs() > 0 }
    }

    fn is_empty(&self) -> bool {
        !self.possible
    }

    fn draw(&self, range: std::ops::Range<u64>, lefts: &mut Vec<u32>, rights: &mut Vec<u32>) {
        let below = |random: u64, bound: u64| ((u128::from(random) * u128::from(bound)) >> 64) as u64;
        for index in range {
            let random = |draw: u64| random_at(self.seed, index.wrapping_mul(3).wrapping_add(draw));
            let (first, second) = (random(0), random(1));
            let (one, other) = if let Some((rows, starts, cumulated)) = &self.crossing {
                let total = cumulated.last().copied().unwrap_or(0);
                let third = random(2);
                let point =
                    (total >> 64) * u128::from(third) + (((total & u128::from(u64::MAX)) * u128::from(third)) >> 64);
                let source = cumulated.partition_point(|&sum| sum <= point).min(cumulated.len() - 1);
                let (begin, end) = (starts[source], starts[source + 1]);
                let one = begin + below(first, end - begin);
                let other = below(second, self.n_rows - (end - begin));
                (rows[one as usize], rows[(if other < begin { other } else { other + (end - begin) }) as usize])
            } else {
                let one = below(first, self.n_rows);
                let other = below(second, self.n_rows - 1);
                (one as u32, (other + u64::from(other >= one)) as u32)
            };
            lefts.push(one.min(other));
            rights.push(one.max(other));
        }
    }
}

type SampleError = Arc<dyn std::error::Error + Send + Sync>;

impl PairSampler for Linker {
    fn n_possible_pairs(&self) -> u128 {
        possible_pairs(self.model().link_type, &self.records_by_source())
    }

    fn level_counts(&self, comparison: usize, seed: u64, first: u64, n_pairs: u64) -> Result<Vec<u64>, SampleError> {
        let draw = RandomPairs::new(self, seed);
        let n_pairs = if draw.is_empty() { 0 } else { n_pairs };
        self.level_counts_in_chunks(comparison, n_pairs.div_ceil(BATCH as u64) as usize, |chunk, count| {
            let begin = chunk as u64 * BATCH as u64;
            let (mut lefts, mut rights) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
            draw.draw(first + begin..first + n_pairs.min(begin + BATCH as u64), &mut lefts, &mut rights);
            count(&lefts, &rights)
        })
        .map_err(|error| Arc::new(error) as SampleError)
    }

    fn all_level_counts(&self, comparison: usize) -> Result<Vec<u64>, SampleError> {
        let scope = self.scope();
        let n_rows = if scope.is_closed() { 0 } else { scope.n_rows };
        self.level_counts_in_chunks(comparison, n_rows, |left, count| {
            let (mut lefts, mut rights) = (Vec::new(), Vec::new());
            for right in left as u32 + 1..n_rows as u32 {
                if scope.separating().is_none_or(|source| source[left] != source[right as usize]) {
                    rights.push(right);
                }
                if rights.len() == BATCH || right + 1 == n_rows as u32 {
                    lefts.resize(rights.len(), left as u32);
                    count(&lefts, &rights)?;
                    rights.clear();
                }
            }
            Ok(())
        })
        .map_err(|error| Arc::new(error) as SampleError)
    }

    fn exact_agreement(&self, comparison: usize) -> Option<(usize, Agreement)> {
        use crate::plan::Condition;
        let plan = self.plan().comparisons.get(comparison)?;
        let of = self.model().comparisons.get(comparison)?;
        let level = of.levels.iter().position(|level| !level.is_null_level)?;
        let Condition::Equal { left, right } = plan.levels[level] else { return None };
        if left != right || exact_level(self.plan(), comparison, left) != Some(level) {
            return None;
        }
        // Above it there may only be the null level of the same value.
        let only_nulls = |condition: &Condition| match condition {
            Condition::Or(parts) => {
                parts.iter().all(|part| matches!(part, Condition::IsNull { feature, .. } if *feature == left))
            }
            Condition::IsNull { feature, .. } => *feature == left,
            _ => false,
        };
        if !plan.levels[..level].iter().all(only_nulls) {
            return None;
        }
        let columns = self.records().columns();
        let by_source: Vec<Vec<u64>> = if columns.source.is_empty() {
            vec![counts(columns, left).into_iter().map(u64::from).collect()]
        } else {
            let n_values = counts(columns, left).len();
            let mut by_source = vec![vec![0; n_values]; self.records().source_names().len()];
            for (&code, &source) in columns.codes[left].iter().zip(&columns.source) {
                if code != crate::columns::NULL {
                    by_source[usize::from(source)][code as usize] += 1;
                }
            }
            by_source
        };
        let slices: Vec<&[u64]> = by_source.iter().map(Vec::as_slice).collect();
        Some((level, agreement(self.model().link_type, &slices)))
    }
}
