//! The crate as a user sees it.

mod cost;
mod errors;
mod hostile;
mod layers;
mod order;
mod upgrade;
