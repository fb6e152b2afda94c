//! The crate as a user sees it.

mod layers;
