//! λ: the probability that two random records match.

use serde::{Deserialize, Serialize};

use super::{EmReport, LevelStatus, TrainingError};
use crate::model::LinkageModel;

/// λ and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriorEstimate {
    /// λ, between 0 and 1.
    pub prior: f64,
    /// Expected number of matches among all possible pairs.
    pub expected_matches: f64,
    /// Number of all possible pairs.
    pub n_possible_pairs: f64,
    /// Standard error of log λ; absent if there is no basis for one.
    pub log_standard_error: Option<f64>,
    /// How it was found.
    pub method: PriorMethod,
}

/// How λ was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum PriorMethod {
    /// Given by the caller.
    Given,
    /// Pairs found by deterministic rules, divided by their recall.
    DeterministicRules {
        /// Distinct pairs that the rules find.
        n_found: u64,
        /// The recall that the caller assumes.
        recall: f64,
    },
    /// Matches in the training blocks, divided by the blocks' reach.
    TrainingBlocks {
        /// What each block says.
        blocks: Vec<BlockPrior>,
        /// Expected number of all matches by Chapman's estimator, for every two blocks whose overlap is known.
        cross_checks: Vec<CrossCheck>,
    },
}

/// What one training block says about λ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockPrior {
    /// The training rule.
    pub rule: Option<String>,
    /// Expected number of matches in the block.
    pub expected_matches: f64,
    /// Share of all matches that the block holds, 0 to 1; absent if nothing tells.
    pub reach: Option<f64>,
    /// How the reach was found.
    pub reach_method: ReachMethod,
    /// λ by this block alone.
    pub prior: Option<f64>,
    /// Standard error of log λ by this block alone.
    pub log_standard_error: Option<f64>,
}

/// How the reach of a block was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReachMethod {
    /// Product over the rule's columns of m of the exact level times the share of matches without a null there.
    AgreementOfColumns,
    /// Share of the matches found by other blocks that this one finds too.
    OverlapWithOtherBlocks,
    /// Nothing tells.
    Unknown,
}

/// Chapman's estimate from two blocks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossCheck {
    /// Indices of the two blocks.
    pub blocks: (usize, usize),
    /// Expected number of matches that both find.
    pub expected_matches_in_both: f64,
    /// Expected number of all matches: `(n₁ + 1)(n₂ + 1) / (n₁₂ + 1) − 1` (Chapman 1951).
    pub expected_matches: f64,
}

/// Matches that two training blocks share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockOverlap {
    /// Index of the block whose pairs were looked at.
    pub of: usize,
    /// Index of the block that holds them as well.
    pub also_in: usize,
    /// Expected number of matches in both, by the parameters of block `of`.
    pub expected_matches: f64,
}

/// One training block as evidence about λ.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// The block's run.
    pub report: &'a EmReport,
    /// The exact levels (comparison, level) that the rule implies; nothing if the rule says more or less than equality of
    /// columns that have an exact level.
    pub implied_levels: Option<&'a [(usize, usize)]>,
}

/// Computes λ from deterministic rules of which the caller knows the recall, as Splink does.
///
/// `λ = (n_found / recall) / n_possible`.
///
/// # Errors
///
/// If the recall is not above 0 and at most 1, the rules find nothing, or they find more than the recall allows.
pub fn prior_from_deterministic_rules(
    n_found: u64,
    n_possible: u128,
    recall: f64,
) -> Result<PriorEstimate, TrainingError> {
    if !(recall > 0.0 && recall <= 1.0) {
        return Err(TrainingError::OutOfRange { what: "The recall", range: "above 0 and at most 1", value: recall });
    }
    if n_possible == 0 {
        return Err(TrainingError::NoPossiblePairs);
    }
    if n_found == 0 {
        return Err(TrainingError::NoDeterministicPairs);
    }
    let expected_matches = n_found as f64 / recall;
    if expected_matches >= n_possible as f64 {
        return Err(TrainingError::RecallImpossible { n_found, n_possible, recall });
    }
    Ok(PriorEstimate {
        prior: expected_matches / n_possible as f64,
        expected_matches,
        n_possible_pairs: n_possible as f64,
        log_standard_error: None,
        method: PriorMethod::DeterministicRules { n_found, recall },
    })
}

/// Estimates λ from training blocks, without a guess.
///
/// Block `b` holds `E_b` expected matches, its λ times its pairs. It reaches the share `R_b` of all matches, so that
/// `λ_b = E_b / (R_b · possible pairs)`. Independence of the comparisons given a match, on which the whole model rests,
/// makes `R_b` the product over the rule's columns of P(both sides have a value and agree | match). For each column this
/// is m of the exact level times the share of non-null matches, both from blocks in which that comparison took part.
/// Where the rule is not an equality of columns with exact levels, `R_b` is the share of the other blocks' matches that
/// block `b` holds as well. That is the reasoning of capture and recapture (Lincoln, Petersen), long used to size
/// matching errors (Sekar and Deming 1949).
///
/// The blocks' `log λ_b` are averaged with the inverse of their variances (delta method: relative variances of `E_b`, of
/// each m and of each share add up); if they scatter more than their variances say, the standard error grows by the
/// square root of χ² per degree of freedom (Birge 1932). Matches that miss all rules for a common reason are
/// counted by neither method, so take the result as a low estimate where errors in different columns go together.
///
/// # Errors
///
/// If there are no possible pairs or no block has a known reach.
pub fn prior_from_training_blocks(
    model: &LinkageModel,
    blocks: &[Block<'_>],
    overlaps: &[BlockOverlap],
    n_possible: u128,
) -> Result<PriorEstimate, TrainingError> {
    if n_possible == 0 {
        return Err(TrainingError::NoPossiblePairs);
    }
    if blocks.is_empty() {
        return Err(TrainingError::ReachUnknown { reason: "there is no training block" });
    }
    let n_possible = n_possible as f64;
    let priors: Vec<BlockPrior> =
        (0..blocks.len()).map(|index| block_prior(model, blocks, overlaps, index, n_possible)).collect();
    let (mut weights, mut sum) = (0.0, 0.0);
    let usable =
        || priors.iter().filter_map(|block| Some((block.prior?.ln(), block.log_standard_error?.powi(2).max(1e-12))));
    for (log_prior, variance) in usable() {
        weights += 1.0 / variance;
        sum += log_prior / variance;
    }
    if weights <= 0.0 {
        let reason = "no rule is an equality of columns whose comparisons took part in another block";
        return Err(TrainingError::ReachUnknown { reason });
    }
    let mean = sum / weights;
    let scatter: f64 = usable().map(|(log_prior, variance)| (log_prior - mean).powi(2) / variance).sum();
    let degrees = usable().count().saturating_sub(1).max(1) as f64;
    // λ below one half keeps the result a probability even where a reach was far too small.
    let prior = mean.exp().min(0.5);
    Ok(PriorEstimate {
        prior,
        expected_matches: prior * n_possible,
        n_possible_pairs: n_possible,
        log_standard_error: Some((1.0 / weights).sqrt() * (scatter / degrees).max(1.0).sqrt()),
        method: PriorMethod::TrainingBlocks { blocks: priors, cross_checks: cross_checks(blocks, overlaps) },
    })
}

fn block_prior(
    model: &LinkageModel,
    blocks: &[Block<'_>],
    overlaps: &[BlockOverlap],
    index: usize,
    n_possible: f64,
) -> BlockPrior {
    let report = blocks[index].report;
    let by_columns = blocks[index].implied_levels.and_then(|levels| reach_by_columns(model, blocks, levels));
    let by_overlap = || reach_by_overlap(blocks, overlaps, index);
    let (reach, reach_method) = match by_columns {
        Some(reach) => (Some(reach), ReachMethod::AgreementOfColumns),
        None => match by_overlap() {
            Some(reach) => (Some(reach), ReachMethod::OverlapWithOtherBlocks),
            None => (None, ReachMethod::Unknown),
        },
    };
    let of_block = reach.filter(|_| report.expected_matches > 0.0).map(|(reach, relative_variance)| {
        let prior = report.expected_matches / (reach * n_possible);
        let of_prior = report.prior_standard_error.map_or(0.0, |error| (error / report.prior).powi(2));
        let variance = relative_variance + of_prior.max(1.0 / report.expected_matches);
        (prior, variance.sqrt())
    });
    BlockPrior {
        rule: report.rule.clone(),
        expected_matches: report.expected_matches,
        reach: reach.map(|(reach, _)| reach),
        reach_method,
        prior: of_block.map(|(prior, _)| prior),
        log_standard_error: of_block.map(|(_, error)| error),
    }
}

/// Gives the reach of a rule by the agreement of its columns, and its relative variance.
fn reach_by_columns(model: &LinkageModel, blocks: &[Block<'_>], levels: &[(usize, usize)]) -> Option<(f64, f64)> {
    let mut reach = 1.0;
    let mut relative_variance = 0.0;
    if levels.is_empty() {
        return None;
    }
    for (comparison, level) in levels {
        let (mut of_level, mut non_null, mut all) = (0.0, 0.0, 0.0);
        for estimate in blocks.iter().flat_map(|block| &block.report.comparisons) {
            if estimate.index != *comparison {
                continue;
            }
            of_level += estimate.levels.get(*level)?.expected_matches;
            let matches = |is_null: bool| -> f64 {
                let levels = estimate.levels.iter().filter(|level| level.is_null_level == is_null);
                levels.map(|level| level.expected_matches).sum()
            };
            non_null += matches(false);
            all += matches(false) + matches(true);
        }
        let of_model = model.comparisons.get(*comparison)?.levels.get(*level)?;
        if non_null <= 0.0 || of_level <= 0.0 {
            return None;
        }
        let m = if of_model.fix_m_probability { of_model.m_probability? } else { of_level / non_null };
        let share = non_null / all;
        reach *= m * share;
        relative_variance += (1.0 - m) / (m * non_null) + (1.0 - share) / (share * all);
    }
    Some((reach.clamp(1e-9, 1.0), relative_variance))
}

/// Gives the share of other blocks' matches that a block holds, and its relative variance.
fn reach_by_overlap(blocks: &[Block<'_>], overlaps: &[BlockOverlap], index: usize) -> Option<(f64, f64)> {
    let (mut both, mut others) = (0.0, 0.0);
    for overlap in overlaps.iter().filter(|overlap| overlap.also_in == index && overlap.of != index) {
        both += overlap.expected_matches;
        others += blocks.get(overlap.of)?.report.expected_matches;
    }
    if both <= 0.0 || others <= 0.0 {
        return None;
    }
    let reach = (both / others).min(1.0);
    Some((reach, (1.0 - reach) / both + 1.0 / others))
}

fn cross_checks(blocks: &[Block<'_>], overlaps: &[BlockOverlap]) -> Vec<CrossCheck> {
    let mut checks = Vec::new();
    for first in 0..blocks.len() {
        for second in first + 1..blocks.len() {
            let both: Vec<f64> = overlaps
                .iter()
                .filter(|overlap| {
                    (overlap.of, overlap.also_in) == (first, second) || (overlap.of, overlap.also_in) == (second, first)
                })
                .map(|overlap| overlap.expected_matches)
                .collect();
            if both.is_empty() {
                continue;
            }
            let both = both.iter().sum::<f64>() / both.len() as f64;
            let of = |index: usize| blocks[index].report.expected_matches;
            let expected_matches = (of(first) + 1.0) * (of(second) + 1.0) / (both + 1.0) - 1.0;
            checks.push(CrossCheck { blocks: (first, second), expected_matches_in_both: both, expected_matches });
        }
    }
    checks
}

impl EmReport {
    /// Gives the expected number of matches among other pairs by the parameters of this run.
    ///
    /// # Errors
    ///
    /// If the counts belong to another model or an adjustment for term frequencies has no exact level.
    pub fn expected_matches_among(
        &self,
        model: &LinkageModel,
        counts: &crate::patterns::PatternCounts,
        without_term_frequencies: bool,
    ) -> Result<f64, TrainingError> {
        let mut model = model.clone();
        let mut active = vec![false; model.comparisons.len()];
        for estimate in &self.comparisons {
            active[estimate.index] = true;
            for (level, estimate) in model.comparisons[estimate.index].levels.iter_mut().zip(&estimate.levels) {
                if estimate.m_status != LevelStatus::NotObserved {
                    level.m_probability = estimate.m;
                    level.u_probability = estimate.u;
                }
            }
        }
        let options = super::EmOptions {
            active,
            without_term_frequencies,
            starting_prior: Some(self.prior),
            ..super::EmOptions::default()
        };
        super::em::expected_matches(&model, counts, &options)
    }
}

#[cfg(test)]
mod tests;
