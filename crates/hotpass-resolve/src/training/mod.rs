//! Estimating λ, m and u.
//!
//! The recommended order is that of the Fellegi–Sunter literature: u from value frequencies and random pairs, then m by
//! expectation–maximisation inside several training blocks, pooled by evidence, then λ from what the blocks hold and how
//! many matches they reach.

mod em;
mod error;
mod exact;
mod frequencies;
mod labels;
mod linker;
mod options;
mod pooling;
mod prior;
mod problem;
mod report;
mod rule_effect;
mod sequence;
mod summary;
mod u;

pub use em::{estimate_by_expectation_maximisation, expectation_maximisation};
pub use error::TrainingError;
pub use frequencies::{Agreement, agreement, possible_pairs};
pub use labels::{LabelReport, estimate_m_from_labelled_pairs, estimate_m_from_matches};
pub use options::{EmOptions, LabelledPattern, OrderConstraint};
pub use pooling::{Pooling, pool, pool_estimates};
pub use prior::{
    Block, BlockOverlap, BlockPrior, CrossCheck, PriorEstimate, PriorMethod, ReachMethod,
    prior_from_deterministic_rules, prior_from_training_blocks,
};
pub use report::{
    ComparisonEstimate, DegenerateReason, EmIteration, EmReport, EmStart, EmStatus, LevelEstimate, LevelStatus,
};
pub use rule_effect::RuleEffect;
pub use sequence::{PriorSource, SourceError, TrainOptions, TrainingSource, run_block, train};
pub use summary::{ComparisonSummary, LevelSummary, TrainingReport};
pub use u::{PairSampler, UEstimate, ULevel, UOptions, UStop, correct_u_for_matches, estimate_u, without_matches};
