//! The scores of a batch of candidate pairs, dropping early what cannot reach the threshold.

use std::time::Instant;

use crate::blocking::Judge;
use crate::columns::Columns;
use crate::compare::{CompareError, Comparer, Scratch};
use crate::plan::Condition;
use crate::score::{Frequencies, Weights};

/// Bits by which a bound may be off: sums of weights in different orders differ by much less.
const SLACK: f64 = 1e-6;

/// Scores batches of pairs.
pub(crate) struct Scorer<'a> {
    pub(crate) comparer: &'a Comparer<'a>,
    pub(crate) columns: &'a Columns,
    pub(crate) weights: &'a Weights,
    pub(crate) frequencies: &'a Frequencies,
    /// Weight that a pair must have to be kept.
    pub(crate) threshold: Option<f64>,
    /// The order in which comparisons run, and what the ones after each can add at most.
    order: Vec<(usize, f64)>,
}

/// Buffers of a scorer, one per thread. After a batch they hold the pairs that were kept.
#[derive(Default)]
pub(crate) struct ScoreBuffers {
    pub(crate) lefts: Vec<u32>,
    pub(crate) rights: Vec<u32>,
    pub(crate) weights: Vec<f64>,
    pub(crate) levels: Vec<Vec<u8>>,
    pub(crate) scratch: Scratch,
}

impl<'a> Scorer<'a> {
    pub(crate) fn new(
        comparer: &'a Comparer<'a>,
        columns: &'a Columns,
        weights: &'a Weights,
        frequencies: &'a Frequencies,
        threshold: Option<f64>,
    ) -> Self {
        let mut scorer = Self { comparer, columns, weights, frequencies, threshold, order: Vec::new() };
        scorer.set_order(&(0..weights.levels.len()).collect::<Vec<_>>());
        scorer
    }

    fn set_order(&mut self, order: &[usize]) {
        let mut remaining = 0.0;
        let mut with_rest: Vec<(usize, f64)> = Vec::with_capacity(order.len());
        for &comparison in order.iter().rev() {
            with_rest.push((comparison, remaining));
            remaining += self.weights.highest(comparison, self.frequencies);
        }
        with_rest.reverse();
        self.order = with_rest;
    }

    /// Adds what a comparison says of each pair to the sums.
    fn add(&self, comparison: usize, lefts: &[u32], rights: &[u32], levels: &[u8], sums: &mut [f64]) {
        let weights = &self.weights.levels[comparison];
        for (sum, &level) in sums.iter_mut().zip(levels) {
            *sum += weights[usize::from(level)];
        }
        let adjustments = &self.weights.adjustments[comparison];
        if adjustments.iter().any(Option::is_some) {
            for (at, sum) in sums.iter_mut().enumerate() {
                if let Some(adjustment) = &adjustments[usize::from(levels[at])] {
                    *sum += adjustment.bits(self.frequencies, self.columns, lefts[at], rights[at]);
                }
            }
        }
    }

    /// Chooses the order by a sample of pairs: what drops most pairs per nanosecond comes first. The order never changes a result.
    ///
    /// # Errors
    ///
    /// If a condition cannot be evaluated.
    pub(crate) fn tune(&mut self, lefts: &[u32], rights: &[u32]) -> Result<(), CompareError> {
        let Some(threshold) = self.threshold else { return Ok(()) };
        let n_comparisons = self.weights.levels.len();
        let mut scratch = Scratch::default();
        let mut costs = Vec::new();
        let mut gains = Vec::new();
        for comparison in 0..n_comparisons {
            let mut levels = vec![0; lefts.len()];
            let start = Instant::now();
            self.comparer.levels(comparison, lefts, rights, &mut levels, &mut scratch)?;
            let mut gain = vec![0.0; lefts.len()];
            self.add(comparison, lefts, rights, &levels, &mut gain);
            costs.push(start.elapsed().as_secs_f64().max(1e-9));
            gains.push(gain);
        }
        let highest: Vec<f64> =
            (0..n_comparisons).map(|comparison| self.weights.highest(comparison, self.frequencies)).collect();
        let mut left: Vec<usize> = (0..n_comparisons).collect();
        let mut order = Vec::new();
        let mut sums = vec![self.weights.prior; lefts.len()];
        let mut alive: Vec<usize> = (0..lefts.len()).collect();
        while !left.is_empty() {
            let rest: f64 = left.iter().map(|&comparison| highest[comparison]).sum();
            let worth = |&comparison: &usize| {
                let rest = rest - highest[comparison];
                let dropped =
                    alive.iter().filter(|&&pair| sums[pair] + gains[comparison][pair] + rest < threshold).count();
                let closer: f64 = alive.iter().map(|&pair| highest[comparison] - gains[comparison][pair]).sum();
                // Without a drop yet, what brings the bound down most is worth most.
                (dropped as f64 + closer * 0.02) / costs[comparison]
            };
            let best = left
                .iter()
                .enumerate()
                .max_by(|(_, one), (_, other)| worth(one).total_cmp(&worth(other)))
                .map_or(0, |(at, _)| at);
            let comparison = left.remove(best);
            order.push(comparison);
            let rest = rest - highest[comparison];
            for &pair in &alive {
                sums[pair] += gains[comparison][pair];
            }
            alive.retain(|&pair| sums[pair] + rest >= threshold);
        }
        self.set_order(&order);
        Ok(())
    }

    /// Scores pairs; the buffers then hold those that reach the threshold, in the order they came, with levels in the model's order.
    ///
    /// # Errors
    ///
    /// If a condition cannot be evaluated.
    pub(crate) fn score(&self, lefts: &[u32], rights: &[u32], buffers: &mut ScoreBuffers) -> Result<(), CompareError> {
        let ScoreBuffers { lefts: kept_lefts, rights: kept_rights, weights: sums, levels, scratch } = buffers;
        kept_lefts.clear();
        kept_lefts.extend_from_slice(lefts);
        kept_rights.clear();
        kept_rights.extend_from_slice(rights);
        sums.clear();
        sums.resize(lefts.len(), self.weights.prior);
        levels.resize_with(self.weights.levels.len(), Vec::new);
        for (step, &(comparison, rest)) in self.order.iter().enumerate() {
            let n = kept_lefts.len();
            let of_comparison = &mut levels[comparison];
            of_comparison.clear();
            of_comparison.resize(n, 0);
            if n == 0 {
                continue;
            }
            self.comparer.levels(comparison, kept_lefts, kept_rights, of_comparison, scratch)?;
            self.add(comparison, kept_lefts, kept_rights, of_comparison, sums);
            let Some(threshold) = self.threshold else { continue };
            let least = threshold - rest - SLACK;
            let alive = sums.iter().filter(|&&sum| sum >= least).count();
            let last = step + 1 == self.order.len();
            if alive == n || (!last && alive * 8 > n * 7) {
                continue;
            }
            let mut kept = 0;
            for at in 0..n {
                kept_lefts[kept] = kept_lefts[at];
                kept_rights[kept] = kept_rights[at];
                for &(comparison, _) in &self.order[..=step] {
                    levels[comparison][kept] = levels[comparison][at];
                }
                let sum = sums[at];
                sums[kept] = sum;
                kept += usize::from(sum >= least);
            }
            truncate(kept, kept_lefts, kept_rights, sums, &mut *levels);
        }
        let mut kept = 0;
        for at in 0..kept_lefts.len() {
            let (left, right) = (kept_lefts[at], kept_rights[at]);
            let of_pair = levels.iter().map(|levels| levels[at]);
            let weight = self.weights.total(self.frequencies, self.columns, of_pair, left, right);
            if self.threshold.is_none_or(|threshold| weight >= threshold) {
                (kept_lefts[kept], kept_rights[kept], sums[kept]) = (left, right, weight);
                for levels in &mut *levels {
                    levels[kept] = levels[at];
                }
                kept += 1;
            }
        }
        truncate(kept, kept_lefts, kept_rights, sums, levels);
        Ok(())
    }
}

fn truncate(n: usize, lefts: &mut Vec<u32>, rights: &mut Vec<u32>, sums: &mut Vec<f64>, levels: &mut [Vec<u8>]) {
    lefts.truncate(n);
    rights.truncate(n);
    sums.truncate(n);
    for levels in levels {
        levels.truncate(n);
    }
}

/// Judges conditions by a comparer, and keeps the first failure for whoever asks afterwards.
pub(crate) struct ComparerJudge<'a> {
    comparer: &'a Comparer<'a>,
    scratch: Scratch,
    pub(crate) failure: Option<CompareError>,
}

impl<'a> ComparerJudge<'a> {
    pub(crate) fn new(comparer: &'a Comparer<'a>) -> Self {
        Self { comparer, scratch: Scratch::default(), failure: None }
    }
}

impl Judge for ComparerJudge<'_> {
    fn holds(&mut self, condition: &Condition, lefts: &[u32], rights: &[u32], out: &mut [u8]) {
        if let Err(failure) = self.comparer.holds(condition, lefts, rights, out, &mut self.scratch) {
            out.fill(0);
            self.failure.get_or_insert(failure);
        }
    }
}
