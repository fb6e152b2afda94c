//! Probabilistic record linkage over Arrow record batches.
//!
//! A [`Linker`] reads the records of one or several sources, encodes them once, and then counts candidate pairs, trains a
//! Fellegi–Sunter model, scores pairs and gives what clusters are made of. It is exact, deterministic for a seed whatever the
//! number of threads, and holds encoded records and surviving pairs only.
//!
//! ```
//! use std::sync::Arc;
//!
//! use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
//! use hotpass_resolve::clustering::connected_components;
//! use hotpass_resolve::library::{block_on, exact_match, jaro_winkler_at_thresholds};
//! use hotpass_resolve::model::{LinkType, LinkageModel};
//! use hotpass_resolve::training::TrainOptions;
//! use hotpass_resolve::{Linker, PredictOptions};
//!
//! let text = |values: Vec<&'static str>| -> ArrayRef { Arc::new(StringArray::from(values)) };
//! let people = RecordBatch::try_from_iter([
//!     ("unique_id", Arc::new(Int64Array::from_iter_values(1..=8)) as ArrayRef),
//!     ("name", text(vec!["Thandi Nkosi", "Thandie Nkosi", "Piet Botha", "Pieter Botha", "Ann Lee", "Anne Lee", "Sam Roux", "Kim Ott"])),
//!     ("born", text(vec!["1980", "1980", "1975", "1975", "1991", "1991", "1975", "1980"])),
//!     ("town", text(vec!["Durban", "Durban", "Paarl", "Paarl", "Knysna", "Knysna", "Durban", "Paarl"])),
//! ])?;
//! let model = LinkageModel::new(LinkType::DedupeOnly)
//!     .compare(jaro_winkler_at_thresholds("name", [0.92, 0.8]))
//!     .compare(exact_match("born"))
//!     .compare(exact_match("town"))
//!     .block_on(block_on(["born"]))
//!     .block_on(block_on(["town"]));
//!
//! let mut linker = Linker::builder(model).table("people", [people]).build()?;
//! linker.train(&TrainOptions::default())?;
//! let pairs = linker.predict(&PredictOptions::probability(0.5))?.rows()?;
//! let clusters = connected_components(linker.records().len(), pairs);
//! assert_eq!(clusters.len(), 8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to look
//!
//! | task | items |
//! | --- | --- |
//! | describe a linkage | [`model`] for the model and its files, [`library`] for comparisons, levels and rules by name |
//! | run it | [`Linker`], [`PredictOptions`], [`prediction`]; [`Matcher`] for single records against many |
//! | train it | [`training`], over [`engine::patterns`] |
//! | group what was linked | [`clustering`], [`evaluation`] |
//! | look below | [`engine`]: `sql` and `plan` for what a condition becomes, `columns` and `compare` for how pairs are compared, `kernels` for similarities |
//!
//! # Features
//!
//! `sql`, on by default, runs conditions that have no native form through DataFusion, which it compiles. `schema` gives the
//! JSON Schema of the model file. `beider-morse` adds its phonetic codes, about 1 MB of tables.

mod blocking;
pub mod clustering;
mod columns;
mod compare;
#[cfg(feature = "sql")]
pub mod datafusion;
mod encode;
pub mod engine;
mod error;
pub mod evaluation;
mod kernels;
pub mod library;
mod linker;
mod matcher;
pub mod model;
mod patterns;
mod plan;
mod predict;
mod random;
mod score;
mod sql;
pub mod training;

/// What linkage gives: pairs and their scores, counts of pairs, evidence.
pub mod prediction {
    pub use crate::blocking::{Block, CappedBlock, PairCounts, RuleCount};
    pub use crate::matcher::Match;
    pub use crate::predict::{EvidenceStep, PairChunks, PairEvidence, Predictions, Progress, ScoredPairs};
    pub use crate::score::{TermFrequencies, match_probability, match_weight_of};
}

pub use error::LinkError;
pub use linker::{Linker, LinkerBuilder};
pub use matcher::Matcher;
pub use predict::{PredictOptions, Threshold};
