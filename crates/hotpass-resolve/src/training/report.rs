//! What a run of expectation–maximisation did, in a form to write down.

use serde::{Deserialize, Serialize};

/// The result of one run of expectation–maximisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmReport {
    /// The training rule.
    pub rule: Option<String>,
    /// Names of the comparisons that took no part.
    pub inactive_comparisons: Vec<String>,
    /// Number of pairs.
    pub n_pairs: f64,
    /// Number of different patterns (with term-frequency evidence) among them.
    pub n_groups: usize,
    /// How the run ended.
    pub status: EmStatus,
    /// λ among the pairs of the block.
    pub prior: f64,
    /// Standard error of λ, see [`LevelEstimate::m_standard_error`].
    pub prior_standard_error: Option<f64>,
    /// Expected number of matches among the pairs: Σ of their match probabilities.
    pub expected_matches: f64,
    /// Natural logarithm of the likelihood at the end.
    pub log_likelihood: f64,
    /// Strength of the Dirichlet prior, in pairs per comparison.
    pub smoothing: f64,
    /// The estimates of the comparisons that took part.
    pub comparisons: Vec<ComparisonEstimate>,
    /// Every starting point tried.
    pub starts: Vec<EmStart>,
    /// Index of the start that the result comes from: the highest objective of those that did not degenerate.
    pub chosen_start: usize,
    /// The iterations of that start; the first entry is the starting point.
    pub iterations: Vec<EmIteration>,
}

/// How a run of expectation–maximisation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum EmStatus {
    /// The largest change fell below the limit.
    Converged,
    /// The number of iterations was reached before.
    StoppedAtCap,
    /// The result is of no use as it stands.
    Degenerate {
        /// The comparison; none if it is about λ.
        comparison: Option<String>,
        /// The level's label.
        level: Option<String>,
        /// What is wrong.
        reason: DegenerateReason,
    },
}

/// What makes a result degenerate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DegenerateReason {
    /// λ fell to where the block holds less than one thousandth of a match.
    NoMatches,
    /// λ rose to where the block holds less than one thousandth of a non-match.
    OnlyMatches,
    /// Most comparisons have a top level that is rarer among matches than among non-matches: the two classes changed
    /// places.
    ClassesSwapped,
    /// m of a level that was observed fell below 10⁻⁹: the level would overrule everything else.
    ProbabilityVanished,
}

/// The estimates of one comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparisonEstimate {
    /// Index in the model.
    pub index: usize,
    /// The name.
    pub comparison: String,
    /// Its levels in the model's order, null level included.
    pub levels: Vec<LevelEstimate>,
}

/// The estimates of one level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelEstimate {
    /// Label of the level, or its condition.
    pub label: String,
    /// The level stands for missing data.
    pub is_null_level: bool,
    /// Number of pairs at the level.
    pub observed: f64,
    /// Expected number of matches at the level.
    pub expected_matches: f64,
    /// m: P(level | match, no null); absent for the null level.
    pub m: Option<f64>,
    /// Standard error of m from the outer product of scores (Louis 1982, section 3), each parameter for itself: the
    /// doubt about which pairs match is in it, the correlation with other parameters is not. Absent if not trained.
    pub m_standard_error: Option<f64>,
    /// What happened to m.
    pub m_status: LevelStatus,
    /// u: P(level | no match, no null); absent for the null level.
    pub u: Option<f64>,
    /// What happened to u.
    pub u_status: LevelStatus,
}

/// Whether a run estimated a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LevelStatus {
    /// Estimated.
    Trained,
    /// Held at its value on request.
    Fixed,
    /// No pair had the level, so its value is what it was before.
    NotObserved,
    /// A null level: there is nothing to estimate.
    NullLevel,
}

/// One starting point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmStart {
    /// λ at the start.
    pub starting_prior: f64,
    /// λ at the end.
    pub prior: f64,
    /// Log-likelihood plus the logarithm of the Dirichlet prior density (up to a constant) at the end.
    pub objective: f64,
    /// Number of iterations.
    pub n_iterations: usize,
    /// How it ended.
    pub status: EmStatus,
}

/// The parameters after one iteration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmIteration {
    /// 0 for the starting point.
    pub iteration: usize,
    /// λ among the pairs of the block.
    pub prior: f64,
    /// Natural logarithm of the likelihood with these parameters.
    pub log_likelihood: f64,
    /// Log-likelihood plus the logarithm of the Dirichlet prior density up to a constant; never falls.
    pub objective: f64,
    /// Largest change of any m, u or λ since the iteration before; 0 at the start.
    pub largest_change: f64,
    /// m of each comparison that took part, by level; 1 at null levels.
    pub m: Vec<Vec<f64>>,
    /// u of each comparison that took part, by level; 1 at null levels.
    pub u: Vec<Vec<f64>>,
}

impl std::fmt::Display for DegenerateReason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::NoMatches => "the block holds no matches",
            Self::OnlyMatches => "the block holds nothing but matches",
            Self::ClassesSwapped => "matches and non-matches changed places",
            Self::ProbabilityVanished => "m fell to zero, so that the level would overrule everything else",
        })
    }
}
