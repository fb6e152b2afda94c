//! The SQL tier and the engine as a citizen of DataFusion.
//!
//! [`register_functions`] gives a session the similarity functions and record functions of the native tier under the same names, so
//! that a condition means the same wherever it runs.

mod functions;
mod plan_nodes;
mod shared;
mod table;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod tests;
mod tier;

pub use functions::{functions, register_functions};
pub use plan_nodes::{BlockedPairsExec, ScorePairsExec};
pub use table::{PredictTable, ReadModel, register_predict};
pub(crate) use tier::PlannedExpressions;
pub use tier::{DataFusionTier, SqlTierError, evaluate_record_expression, record_expression_type};
