//! Integration tests of the pipeline.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail where it stands, and says when it skips")]

mod publish;
mod refine;
