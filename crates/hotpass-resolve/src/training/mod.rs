//! Estimating λ, m and u.
//!
//! The recommended order is that of the Fellegi–Sunter literature: u from value frequencies and random pairs, then m by
//! expectation–maximisation inside several training blocks, pooled by evidence, then λ from what the blocks hold and how
//! many matches they reach.

mod default_probabilities;
mod em;
mod error;
mod exact;
mod options;
mod pooling;
mod problem;
mod random;
mod report;

pub use default_probabilities::{default_m_probabilities, default_u_probabilities};
pub use em::{estimate_by_expectation_maximisation, expectation_maximisation};
pub use error::TrainingError;
pub use options::{EmOptions, LabelledPattern, OrderConstraint};
pub use pooling::{Pooling, pool};
pub use report::{
    ComparisonEstimate, DegenerateReason, EmIteration, EmReport, EmStart, EmStatus, LevelEstimate, LevelStatus,
};
