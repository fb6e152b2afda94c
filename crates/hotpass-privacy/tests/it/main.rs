//! The crate from outside.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail where it stands, and shows what it measured"
)]

mod accuracy;
mod held_out;
mod operators;
mod subject;
