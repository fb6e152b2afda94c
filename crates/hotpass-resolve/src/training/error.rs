//! Why training cannot go on.

use std::sync::Arc;

use thiserror::Error;

/// An error of training.
#[derive(Debug, Error, Clone)]
#[non_exhaustive]
pub enum TrainingError {
    /// Every comparison uses a column of the training rule, so none is left to estimate.
    #[error("Training rule `{rule}` uses columns of every comparison, so it leaves nothing to estimate: {}", comparisons.join(", "))]
    NothingToEstimate {
        /// The rule, or a word for its absence.
        rule: String,
        /// The comparisons it switches off.
        comparisons: Vec<String>,
    },
    /// The training rule finds no pairs.
    #[error("Training rule finds no pairs: `{rule}`")]
    NoPairs {
        /// The rule, or a word for its absence.
        rule: String,
    },
    /// m and u are both held, so nothing can change.
    #[error("Both m and u are fixed, so there is nothing to estimate")]
    EverythingFixed,
    /// Pattern counts of another model.
    #[error("Pattern counts are for comparisons with {found:?} levels, the model has {expected:?}")]
    OtherModel {
        /// Number of levels of the model's comparisons.
        expected: Vec<usize>,
        /// Number of levels that the counts say.
        found: Vec<usize>,
    },
    /// A vector of switches of the wrong length.
    #[error("There are {found} switches for {expected} comparisons")]
    OtherLength {
        /// Number of comparisons.
        expected: usize,
        /// Number of switches.
        found: usize,
    },
    /// A pattern holds a level that its comparison does not have.
    #[error("A pattern has level {level} for comparison `{comparison}`, which has {n_levels} levels")]
    NoSuchLevel {
        /// The comparison.
        comparison: String,
        /// The level's index.
        level: usize,
        /// Number of levels of the comparison.
        n_levels: usize,
    },
    /// A number outside its range.
    #[error("{what} must be {range}: {value}")]
    OutOfRange {
        /// What the number is.
        what: &'static str,
        /// The range in words.
        range: &'static str,
        /// The number.
        value: f64,
    },
    /// The fixed probabilities of a comparison leave nothing for its other levels.
    #[error("The fixed {which} probabilities of comparison `{comparison}` leave nothing for its other levels: {sum}")]
    FixedProbabilitiesTooLarge {
        /// `m` or `u`.
        which: &'static str,
        /// The comparison.
        comparison: String,
        /// Their sum.
        sum: f64,
    },
    /// Weights can be ordered only against a u that does not move.
    #[error("Match weights can be held in order only while u is fixed")]
    OrderNeedsFixedU,
    /// A level adjusted for term frequencies has no exact level to take its base from.
    #[error(
        "Comparison `{comparison}` adjusts for the frequency of `{column}` but has no level that is an exact match on it"
    )]
    NoExactLevel {
        /// The comparison.
        comparison: String,
        /// The column.
        column: String,
    },
    /// Random pairs could not be compared.
    #[error("Failed to compare random pairs by comparison `{comparison}`")]
    Sampling {
        /// The comparison.
        comparison: String,
        /// Why.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// There are not two records to pair.
    #[error("The inputs and the link type leave no pairs of records")]
    NoPossiblePairs,
    /// Deterministic rules found nothing, which says nothing about λ.
    #[error("The deterministic rules find no pairs, so they say nothing about the prior")]
    NoDeterministicPairs,
    /// Deterministic rules found more pairs than there can be matches.
    #[error("The deterministic rules find {n_found} of {n_possible} possible pairs, more than a recall of {recall} allows: at least {}", *n_found as f64 / *n_possible as f64)]
    RecallImpossible {
        /// Pairs that the rules find.
        n_found: u64,
        /// All possible pairs.
        n_possible: u128,
        /// The recall that was given.
        recall: f64,
    },
    /// No training block gives λ.
    #[error("No training block says how many of all matches it reaches: {reason}")]
    ReachUnknown {
        /// Why, in words.
        reason: &'static str,
    },
    /// No labelled pair says anything about a match.
    #[error("The labels hold no matching pairs")]
    NoLabels,
    /// A rule or condition cannot be read.
    #[error("Failed to read SQL `{text}`")]
    Sql {
        /// The text.
        text: String,
        /// Why.
        #[source]
        source: crate::sql::SqlError,
    },
    /// The pairs of a rule could not be counted.
    #[error("Failed to count the pairs of rule `{rule}`")]
    Counting {
        /// The rule.
        rule: String,
        /// Why.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// No rule can train the model.
    #[error("There is no rule to train with: give training rules, or blocking rules that leave a comparison free")]
    NoTrainingRules,
    /// The estimates do not make a model that runs.
    #[error("Failed to take over the estimates")]
    Parameters(#[source] Arc<dyn std::error::Error + Send + Sync>),
}
