//! Probabilistic record linkage over Arrow record batches.

#[expect(dead_code, reason = "prediction reads the rest")]
mod blocking;
pub mod clustering;
pub mod columns;
pub mod compare;
#[cfg(feature = "sql")]
pub mod datafusion;
#[expect(dead_code, reason = "lookups read the rest")]
mod encode;
mod error;
pub mod evaluation;
pub mod kernels;
pub mod library;
mod linker;
pub mod model;
pub mod patterns;
pub mod plan;
mod random;
pub mod sql;
pub mod training;

pub use blocking::{Block, CappedBlock, PairCounts, RuleCount};
pub use encode::Records;
pub use error::LinkError;
pub use linker::{Linker, LinkerBuilder};
