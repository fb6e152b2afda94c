//! Everything training did, to write down and to plot.

use serde::{Deserialize, Serialize};

use super::{EmReport, LabelReport, Pooling, PriorEstimate, UEstimate};
use crate::model::LinkageModel;

/// What training did: the content of `training.json`.
///
/// It holds what Splink plots: λ, m, u and weights by iteration of each session, the sessions' estimates side by side,
/// and the final parameters; besides log-likelihoods, standard errors, counts and how each step ended.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TrainingReport {
    /// λ and where it comes from.
    pub prior: Option<PriorEstimate>,
    /// u from value frequencies and random pairs.
    pub u: Vec<UEstimate>,
    /// Whether the matches among all pairs were taken out of u.
    pub u_corrected_for_matches: bool,
    /// m from labels.
    pub labels: Option<LabelReport>,
    /// One run of expectation–maximisation for each training block.
    pub sessions: Vec<EmReport>,
    /// How the sessions' estimates became one.
    pub pooling: Pooling,
    /// The parameters at the end, beside the sessions' estimates.
    pub parameters: Vec<ComparisonSummary>,
    /// What a person should know, one sentence each.
    pub warnings: Vec<String>,
}

/// The final parameters of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparisonSummary {
    /// The comparison's name.
    pub comparison: String,
    /// Its levels, null level left out.
    pub levels: Vec<LevelSummary>,
}

/// The final parameters of a level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelSummary {
    /// Label of the level, or its condition.
    pub label: String,
    /// Value in the comparison vector.
    pub comparison_vector_value: i32,
    /// m, its default if not trained.
    pub m: f64,
    /// u, its default if not trained.
    pub u: f64,
    /// log2(m / u) in bits.
    pub match_weight: f64,
    /// m was estimated or given.
    pub m_is_trained: bool,
    /// u was estimated or given.
    pub u_is_trained: bool,
    /// m by each session, in their order; absent where the session did not estimate it.
    pub m_by_session: Vec<Option<f64>>,
    /// u by each session that estimated u.
    pub u_by_session: Vec<Option<f64>>,
}

impl TrainingReport {
    /// Takes down the parameters of a trained model beside the sessions' estimates, and warns of what was not trained.
    pub fn summarise(&mut self, model: &LinkageModel) {
        self.parameters =
            (0..model.comparisons.len()).map(|index| comparison_summary(model, index, &self.sessions)).collect();
        self.warnings = self.session_warnings();
        for comparison in &self.parameters {
            for level in &comparison.levels {
                let (name, label) = (&comparison.comparison, &level.label);
                for (is_trained, which) in [(level.m_is_trained, "m"), (level.u_is_trained, "u")] {
                    if !is_trained {
                        self.warnings.push(format!("{which} of level `{label}` of comparison `{name}` is not trained"));
                    }
                }
            }
        }
    }

    fn session_warnings(&self) -> Vec<String> {
        use super::EmStatus;
        let describe = |session: &EmReport| {
            let rule = session.rule.as_deref().unwrap_or("(not named)");
            match &session.status {
                EmStatus::Converged => None,
                EmStatus::StoppedAtCap => {
                    let last = session.iterations.last().map_or(0.0, |iteration| iteration.largest_change);
                    Some(format!("Training on `{rule}` stopped at its cap while parameters still moved by {last:.2e}"))
                }
                EmStatus::Degenerate { comparison, level, reason } => {
                    let place = match (comparison, level) {
                        (Some(comparison), Some(level)) => format!("level `{level}` of comparison `{comparison}`"),
                        _ => "the prior".to_owned(),
                    };
                    Some(format!("Training on `{rule}` degenerated at {place}: {reason}"))
                }
            }
        };
        self.sessions.iter().filter_map(describe).collect()
    }
}

fn comparison_summary(model: &LinkageModel, index: usize, sessions: &[EmReport]) -> ComparisonSummary {
    let comparison = &model.comparisons[index];
    let scored = (0..comparison.levels.len()).filter(|level| !comparison.levels[*level].is_null_level);
    let levels = scored.map(|level| {
        let of_model = &comparison.levels[level];
        let by_session = |value: fn(&super::LevelEstimate) -> (Option<f64>, super::LevelStatus)| {
            let of_session = |session: &EmReport| {
                let estimate = session.comparisons.iter().find(|estimate| estimate.index == index)?;
                let (value, status) = value(estimate.levels.get(level)?);
                value.filter(|_| status == super::LevelStatus::Trained)
            };
            sessions.iter().map(of_session).collect()
        };
        LevelSummary {
            label: of_model.label.clone().unwrap_or_else(|| of_model.sql_condition.clone()),
            comparison_vector_value: comparison.vector_value(level),
            m: comparison.m_probability(level).unwrap_or(1.0),
            u: comparison.u_probability(level).unwrap_or(1.0),
            match_weight: comparison.match_weight(level),
            m_is_trained: of_model.m_probability.is_some(),
            u_is_trained: of_model.u_probability.is_some(),
            m_by_session: by_session(|estimate| (estimate.m, estimate.m_status)),
            u_by_session: by_session(|estimate| (estimate.u, estimate.u_status)),
        }
    });
    ComparisonSummary { comparison: comparison.output_column_name.clone(), levels: levels.collect() }
}
