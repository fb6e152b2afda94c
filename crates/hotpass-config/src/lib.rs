//! Layered, strict configuration with the origin of every value.

pub mod model;

pub use model::HotpassConfig;
