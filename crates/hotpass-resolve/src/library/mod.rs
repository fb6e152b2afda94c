//! Ready-made comparisons, comparison levels, blocking rules and column transforms.
mod comparisons;
mod expression_text;
mod functions;
pub mod levels;
mod number;
pub mod rules;
mod transforms;

#[cfg(test)]
mod splink_tests;

pub use comparisons::*;
pub use functions::{
    FUNCTIONS, Function, FunctionKind, FunctionResult, RecordFunction, function, record_function, text_similarity,
};
pub use levels::{DateInput, LevelBuilder, LiteralSide, LiteralValue, StringDistance, TimeMetric};
pub use number::Threshold;
pub use rules::{RuleBuilder, block_on, custom_rule};
pub use transforms::{ArrayElement, ColumnExpression, DATE_FORMAT, TIMESTAMP_FORMAT};
