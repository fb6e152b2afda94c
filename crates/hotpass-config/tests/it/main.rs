//! The crate as a user sees it.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail where it stands, and says when it skips")]

mod cost;
mod errors;
mod hostile;
mod layers;
mod order;
mod upgrade;
