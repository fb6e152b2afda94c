//! Candidate pairs without scores, in shares that add up to all.

use super::scorer::ComparerJudge;
#[cfg(feature = "sql")]
use super::scorer::{ScoreBuffers, Scorer};
use super::{PredictOptions, ScoredPairs};
use crate::blocking::{Blocking, Judge, Walk, WalkBuffers};
use crate::error::LinkError;
use crate::linker::Linker;

impl Linker {
    /// Gives the candidate pairs of the model's rules in share `share` of `n_shares`, in batches of at most `batch_size`.
    ///
    /// `sink` gets the number of the first rule that finds the pairs, their left rows and their right rows, and tells whether it wants more. All
    /// shares together hold each pair once. One share is walked by one thread, so that callers who run shares side by side use theirs.
    ///
    /// # Errors
    ///
    /// When a rule is a full product that was not allowed, or a condition cannot be evaluated.
    pub fn candidate_pairs(
        &self,
        share: usize,
        n_shares: usize,
        batch_size: usize,
        mut sink: impl FnMut(u16, &[u32], &[u32]) -> bool,
    ) -> Result<(), LinkError> {
        let comparer = self.comparer()?;
        let rules = self.model_rules();
        let blocking =
            self.install(|| Blocking::new(self.scope(), self.records().columns(), rules, self.blocking_options()))?;
        let mut buffers = WalkBuffers::default();
        let unit_size = PredictOptions::default().unit_size;
        let mut wanted = true;
        for number in 0..rules.len() {
            let walk = Walk::new(&blocking, number);
            for unit in walk.units(unit_size).into_iter().skip(share).step_by(n_shares.max(1)) {
                let mut judge = ComparerJudge::new(&comparer);
                walk.run(unit, batch_size, Some(&mut judge as &mut dyn Judge), &mut buffers, |lefts, rights| {
                    wanted = wanted && sink(number as u16, lefts, rights);
                });
                if let Some(failure) = judge.failure {
                    return Err(failure.into());
                }
                if !wanted {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// Scores left rows and right rows that one rule found.
#[cfg(feature = "sql")]
pub(crate) type ScoreBatch<'a> = dyn FnMut(u16, &[u32], &[u32]) -> Result<ScoredPairs, LinkError> + 'a;

#[cfg(feature = "sql")]
impl Linker {
    /// Gives a function that scores batch after batch with what is prepared once, on the caller's thread; it keeps pairs from `least` on.
    pub(crate) fn score_in_batches<T>(
        &self,
        least: Option<f64>,
        work: impl FnOnce(&mut ScoreBatch<'_>) -> T,
    ) -> Result<T, LinkError> {
        let weights = self.weights()?;
        let comparer = self.comparer()?;
        let scorer = Scorer::new(&comparer, self.records().columns(), &weights, self.frequencies(), least);
        let mut buffers = ScoreBuffers::default();
        Ok(work(&mut |rule, lefts, rights| {
            scorer.score(lefts, rights, &mut buffers)?;
            Ok(ScoredPairs {
                left: buffers.lefts.clone(),
                right: buffers.rights.clone(),
                match_weight: buffers.weights.clone(),
                rule: vec![rule; buffers.lefts.len()],
            })
        }))
    }
}

impl ScoredPairs {
    /// Keeps the pairs whose match weight is at least this.
    pub fn keep_from(&mut self, least: f64) {
        let keep: Vec<bool> = self.match_weight.iter().map(|&weight| weight >= least).collect();
        let retain = |at: &mut usize| {
            *at += 1;
            keep[*at - 1]
        };
        let mut at = 0;
        self.left.retain(|_| retain(&mut at));
        at = 0;
        self.right.retain(|_| retain(&mut at));
        at = 0;
        self.rule.retain(|_| retain(&mut at));
        self.match_weight.retain(|&weight| weight >= least);
    }
}
