//! Rules against published data.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail where it stands, and says when it skips")]

mod name_cases;
mod properties;
