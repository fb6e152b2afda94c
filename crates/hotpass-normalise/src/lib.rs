//! Field rules as columnar kernels that count every change.

mod kernel;

pub use kernel::{Failure, FieldRule, NormalisedColumn, Outcome, RuleCounts, normalise_column};
