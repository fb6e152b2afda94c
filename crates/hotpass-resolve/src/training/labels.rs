//! m from pairs whose truth is known.

use serde::{Deserialize, Serialize};

use super::report::{ComparisonEstimate, LevelEstimate, LevelStatus};
use super::{LabelledPattern, TrainingError};
use crate::model::LinkageModel;
use crate::patterns::PatternCounts;

/// m estimated from labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelReport {
    /// Sum of the clerical match scores: the number of matches that the labels are worth.
    pub n_matches: f64,
    /// Strength of the Dirichlet prior, in pairs per comparison.
    pub smoothing: f64,
    /// The estimates.
    pub comparisons: Vec<ComparisonEstimate>,
}

/// Estimates m from labelled pairs and writes it into the model.
///
/// A pair counts with its clerical match score: m of a level is the share of its score among the scores of all pairs
/// without a null. Pairs scored 0 say nothing about m. `smoothing` is the strength of the Dirichlet prior in pairs per
/// comparison, 0 for none. Levels that no labelled match has are left alone.
///
/// # Errors
///
/// If a score is not from 0 to 1, a level does not exist, or there are no matches.
pub fn estimate_m_from_labelled_pairs(
    model: &mut LinkageModel,
    pairs: &[LabelledPattern],
    smoothing: f64,
) -> Result<LabelReport, TrainingError> {
    for pair in pairs {
        let score = pair.clerical_match_score;
        if !(0.0..=1.0).contains(&score) {
            return Err(TrainingError::OutOfRange {
                what: "A clerical match score",
                range: "from 0 to 1",
                value: score,
            });
        }
    }
    let pairs = pairs.iter().map(|pair| (&*pair.levels, pair.clerical_match_score * pair.count));
    estimate(model, pairs, smoothing)
}

/// Estimates m from the pattern counts of pairs that match, such as all pairs that share a label, and writes it into the
/// model.
///
/// # Errors
///
/// If a level does not exist or there are no pairs.
pub fn estimate_m_from_matches(
    model: &mut LinkageModel,
    matches: &PatternCounts,
    smoothing: f64,
) -> Result<LabelReport, TrainingError> {
    estimate(model, matches.groups.iter().map(|group| (&*group.levels, group.count)), smoothing)
}

fn estimate<'a>(
    model: &mut LinkageModel,
    pairs: impl Iterator<Item = (&'a [u8], f64)>,
    smoothing: f64,
) -> Result<LabelReport, TrainingError> {
    if !(smoothing >= 0.0 && smoothing.is_finite()) {
        return Err(TrainingError::OutOfRange { what: "The smoothing", range: "0 or more", value: smoothing });
    }
    let mut counts: Vec<Vec<f64>> =
        model.comparisons.iter().map(|comparison| vec![0.0; comparison.levels.len()]).collect();
    let mut n_matches = 0.0;
    for (levels, weight) in pairs {
        n_matches += weight;
        for (index, counts) in counts.iter_mut().enumerate() {
            let level = levels.get(index).copied().map_or(usize::MAX, usize::from);
            let n_levels = counts.len();
            let Some(count) = counts.get_mut(level) else {
                let comparison = model.comparisons[index].output_column_name.clone();
                return Err(TrainingError::NoSuchLevel { comparison, level, n_levels });
            };
            *count += weight;
        }
    }
    if n_matches <= 0.0 {
        return Err(TrainingError::NoLabels);
    }
    let comparisons: Vec<ComparisonEstimate> =
        (0..counts.len()).map(|index| comparison_estimate(model, index, &counts[index], smoothing)).collect();
    for estimate in &comparisons {
        for (level, estimate) in model.comparisons[estimate.index].levels.iter_mut().zip(&estimate.levels) {
            if estimate.m_status == LevelStatus::Trained {
                level.m_probability = estimate.m;
            }
        }
    }
    Ok(LabelReport { n_matches, smoothing, comparisons })
}

fn comparison_estimate(model: &LinkageModel, index: usize, counts: &[f64], smoothing: f64) -> ComparisonEstimate {
    let comparison = &model.comparisons[index];
    let status = |level: usize| match &comparison.levels[level] {
        of_model if of_model.is_null_level => LevelStatus::NullLevel,
        of_model if of_model.fix_m_probability => LevelStatus::Fixed,
        _ if counts[level] <= 0.0 => LevelStatus::NotObserved,
        _ => LevelStatus::Trained,
    };
    let statuses: Vec<LevelStatus> = (0..counts.len()).map(status).collect();
    let is_trained = |level: &usize| statuses[*level] == LevelStatus::Trained;
    let n_trained = (0..counts.len()).filter(is_trained).count().max(1) as f64;
    let smoothed = |level: usize| counts[level] + smoothing / n_trained;
    let total: f64 = (0..counts.len()).filter(is_trained).map(smoothed).sum();
    let fixed = (0..counts.len()).filter(|level| statuses[*level] == LevelStatus::Fixed);
    let mass = (1.0 - fixed.filter_map(|level| comparison.m_probability(level)).sum::<f64>()).max(0.0);
    let levels = (0..counts.len())
        .map(|level| {
            let of_model = &comparison.levels[level];
            let is_trained = is_trained(&level);
            let m = if is_trained { Some(mass * smoothed(level) / total) } else { comparison.m_probability(level) };
            LevelEstimate {
                label: of_model.label.clone().unwrap_or_else(|| of_model.sql_condition.clone()),
                is_null_level: of_model.is_null_level,
                observed: counts[level],
                expected_matches: counts[level],
                m,
                m_standard_error: m.filter(|_| is_trained).map(|m| (m * (1.0 - m) / total).sqrt()),
                m_status: statuses[level],
                u: comparison.u_probability(level),
                u_status: if of_model.is_null_level { LevelStatus::NullLevel } else { LevelStatus::Fixed },
            }
        })
        .collect();
    ComparisonEstimate { index, comparison: comparison.output_column_name.clone(), levels }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Comparison, ComparisonLevel, LinkType};
    use crate::training::{Pooling, pool_estimates};

    fn model() -> LinkageModel {
        let levels = vec![
            ComparisonLevel { is_null_level: true, ..ComparisonLevel::new("a_l IS NULL") },
            ComparisonLevel::new("a_l = a_r"),
            ComparisonLevel::new("levenshtein(a_l, a_r) <= 1"),
            ComparisonLevel::new("ELSE"),
        ];
        LinkageModel::new(LinkType::DedupeOnly).compare(Comparison {
            output_column_name: "a".to_owned(),
            description: None,
            levels,
        })
    }

    fn pair(level: u8, score: f64) -> LabelledPattern {
        LabelledPattern { levels: vec![level].into(), clerical_match_score: score, count: 1.0 }
    }

    #[test]
    fn scores_weigh_pairs_and_nulls_stay_out() {
        let mut model = model();
        let pairs = [pair(1, 1.0), pair(1, 0.5), pair(3, 0.5), pair(3, 0.0), pair(0, 1.0)];
        let report = estimate_m_from_labelled_pairs(&mut model, &pairs, 0.0).unwrap();
        let m: Vec<Option<f64>> = model.comparisons[0].levels.iter().map(|level| level.m_probability).collect();
        assert_eq!(m, [None, Some(0.75), None, Some(0.25)]);
        assert_eq!(report.comparisons[0].levels[2].m_status, LevelStatus::NotObserved);
        assert!((report.n_matches - 3.0).abs() < 1e-12);
    }

    #[test]
    fn labels_pool_with_other_estimates() {
        let mut model = model();
        let first = estimate_m_from_labelled_pairs(&mut model, &[pair(1, 1.0), pair(1, 1.0)], 0.0).unwrap();
        let second = estimate_m_from_labelled_pairs(&mut model, &[pair(1, 1.0), pair(3, 1.0)], 0.0).unwrap();
        pool_estimates(&mut model, &[&first.comparisons, &second.comparisons], 0.0, Pooling::Evidence);
        assert_eq!(model.comparisons[0].levels[1].m_probability, Some(0.75));
        assert_eq!(model.comparisons[0].levels[3].m_probability, Some(0.25));
    }

    #[test]
    fn labels_without_matches_are_an_error() {
        let error = estimate_m_from_labelled_pairs(&mut model(), &[pair(1, 0.0)], 1.0).unwrap_err();
        assert!(matches!(error, TrainingError::NoLabels));
        let error = estimate_m_from_labelled_pairs(&mut model(), &[pair(1, 1.5)], 1.0).unwrap_err();
        assert_eq!(error.to_string(), "A clerical match score must be from 0 to 1: 1.5");
    }
}
