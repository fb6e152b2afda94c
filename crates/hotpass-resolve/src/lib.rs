//! Probabilistic record linkage over Arrow record batches.

pub mod clustering;
pub mod columns;
pub mod kernels;
pub mod library;
pub mod model;
pub mod patterns;
pub mod plan;
pub mod sql;
pub mod training;
