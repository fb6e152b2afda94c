//! Probabilistic record linkage over Arrow record batches.

mod blocking;
pub mod clustering;
pub mod columns;
pub mod compare;
#[cfg(feature = "sql")]
pub mod datafusion;
mod encode;
mod error;
pub mod evaluation;
pub mod kernels;
pub mod library;
mod linker;
mod matcher;
pub mod model;
pub mod patterns;
pub mod plan;
mod predict;
mod random;
mod score;
pub mod sql;
pub mod training;

pub use blocking::{Block, CappedBlock, PairCounts, RuleCount};
pub use encode::Records;
pub use error::LinkError;
pub use linker::{Linker, LinkerBuilder};
pub use matcher::{Match, Matcher};
pub use predict::{
    EvidenceStep, PairChunks, PairEvidence, PredictOptions, Predictions, Progress, ScoredPairs, Threshold,
};
pub use score::{TermFrequencies, match_probability, match_weight_of};
