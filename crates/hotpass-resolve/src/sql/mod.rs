//! Conditions and rules: SQL in, expressions out.
//!
//! [`parse_condition`], [`parse_rule`] and [`parse_record_expression`] read DuckDB's spelling, [`format`] writes it, and
//! [`record`] evaluates what reads one record over Arrow record batches.

mod dialect;
mod error;
pub mod expression;
mod format;
pub(crate) mod names;
mod parse;
pub mod record;

pub use error::SqlError;
pub(crate) use format::operands;
pub use format::{format, quote_identifier};
pub(crate) use parse::{binary, call, text};
pub use parse::{parse_condition, parse_record_expression, parse_rule};
