//! One estimate from several training blocks.

use serde::{Deserialize, Serialize};

use super::report::{ComparisonEstimate, EmReport, LevelEstimate, LevelStatus};
use crate::model::LinkageModel;

/// How the estimates of several training blocks become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Expected numbers of matches (and non-matches) are added up over the blocks before shares are taken, so each block
    /// counts by its evidence and m sums to 1.
    #[default]
    Evidence,
    /// The median of the blocks' estimates, level by level, as Splink does; m need not sum to 1.
    Median,
}

/// Writes the pooled m (and u, where blocks estimated it) of several training blocks into a model.
///
/// A level that no block observed, or that is fixed, keeps its value. Under [`Pooling::Evidence`] the Dirichlet
/// smoothing of the first report is applied once to the sums, and fixed levels keep their mass.
pub fn pool(model: &mut LinkageModel, reports: &[EmReport], pooling: Pooling) {
    let estimates: Vec<&[ComparisonEstimate]> = reports.iter().map(|report| report.comparisons.as_slice()).collect();
    let smoothing = reports.first().map_or(0.0, |report| report.smoothing);
    pool_estimates(model, &estimates, smoothing, pooling);
}

/// Does what [`pool`] does for estimates from anywhere, such as labels beside training blocks.
pub fn pool_estimates(model: &mut LinkageModel, estimates: &[&[ComparisonEstimate]], smoothing: f64, pooling: Pooling) {
    for index in 0..model.comparisons.len() {
        let of_comparison: Vec<&[LevelEstimate]> = estimates
            .iter()
            .flat_map(|estimates| estimates.iter())
            .filter(|estimate| estimate.index == index)
            .map(|estimate| estimate.levels.as_slice())
            .collect();
        if of_comparison.is_empty() {
            continue;
        }
        let m = pooled(&of_comparison, pooling, smoothing, &M);
        let u = pooled(&of_comparison, pooling, smoothing, &U);
        for (level, (m, u)) in model.comparisons[index].levels.iter_mut().zip(m.into_iter().zip(u)) {
            level.m_probability = m.or(level.m_probability);
            level.u_probability = u.or(level.u_probability);
        }
    }
}

/// Where a level's estimate, its status and its evidence are found.
struct Parameter {
    value: fn(&LevelEstimate) -> Option<f64>,
    status: fn(&LevelEstimate) -> LevelStatus,
    evidence: fn(&LevelEstimate) -> f64,
}

const M: Parameter =
    Parameter { value: |level| level.m, status: |level| level.m_status, evidence: |level| level.expected_matches };
const U: Parameter = Parameter {
    value: |level| level.u,
    status: |level| level.u_status,
    evidence: |level| (level.observed - level.expected_matches).max(0.0),
};

fn pooled(estimates: &[&[LevelEstimate]], pooling: Pooling, smoothing: f64, parameter: &Parameter) -> Vec<Option<f64>> {
    let n_levels = estimates.iter().map(|levels| levels.len()).max().unwrap_or(0);
    let trained = |level: usize| {
        let of_level = estimates.iter().filter_map(move |levels| levels.get(level));
        of_level.filter(|estimate| (parameter.status)(estimate) == LevelStatus::Trained)
    };
    if pooling == Pooling::Median {
        return (0..n_levels).map(|level| median(trained(level).filter_map(parameter.value).collect())).collect();
    }
    let is_trained: Vec<bool> = (0..n_levels).map(|level| trained(level).next().is_some()).collect();
    let n_trained = is_trained.iter().filter(|trained| **trained).count().max(1);
    let evidence = |level: usize| trained(level).map(parameter.evidence).sum::<f64>() + smoothing / n_trained as f64;
    let total: f64 = (0..n_levels).filter(|level| is_trained[*level]).map(evidence).sum();
    let fixed = |level: &LevelEstimate| match (parameter.status)(level) {
        LevelStatus::Fixed => (parameter.value)(level).unwrap_or(0.0),
        _ => 0.0,
    };
    let mass = 1.0 - estimates.first().map_or(0.0, |levels| levels.iter().map(fixed).sum::<f64>());
    (0..n_levels).map(|level| (is_trained[level] && total > 0.0).then(|| mass * evidence(level) / total)).collect()
}

/// Gives the median, the mean of the middle two of an even number.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n_values = values.len();
    match n_values {
        0 => None,
        odd if odd % 2 == 1 => Some(values[odd / 2]),
        even => Some(f64::midpoint(values[even / 2 - 1], values[even / 2])),
    }
}
