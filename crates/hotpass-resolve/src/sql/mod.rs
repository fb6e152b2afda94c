//! Conditions and rules: SQL in, expressions out.

pub mod expression;
