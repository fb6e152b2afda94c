//! Integration tests of the crate.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod great_expectations;
mod reference;
