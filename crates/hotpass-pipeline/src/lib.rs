//! Composes the stages into runs: what a program embeds to refine files.

pub mod statistics;
pub mod tables;
