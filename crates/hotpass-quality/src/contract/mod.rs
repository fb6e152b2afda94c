//! Data contracts: what a dataset promises, in Hotpass's form and in those of other tools, and whether data keeps it.
//!
//! ```
//! use std::sync::Arc;
//! use arrow::array::{ArrayRef, RecordBatch, StringArray};
//! use hotpass_quality::contract::{CheckOptions, Contract, ContractCheck, Rule, documents};
//!
//! let text = br#"{"fields": [{"name": "id", "type": "integer", "constraints": {"required": true, "unique": true}}]}"#;
//! let contract: Contract = documents::read(text)?.contract;
//! let ids: ArrayRef = Arc::new(StringArray::from(vec![Some("1"), Some("x"), Some("1"), None]));
//! let batch = RecordBatch::try_from_iter([("id", ids)])?;
//!
//! let mut check = ContractCheck::of_schema(&contract, &batch.schema(), &CheckOptions::default())?;
//! let found: Vec<_> = check.add(&batch)?.iter().map(|violation| (violation.row, violation.rule)).collect();
//! assert_eq!(found, [(2, Rule::Type), (3, Rule::Unique), (4, Rule::Required)]);
//! assert!(!check.finish().passed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`documents`] reads and writes contracts, [`ContractCheck`] checks batches, [`diff()`] says what a new version breaks, [`Inference`]
//! proposes a contract for data that has none, and [`shipped`] holds the contracts that come with Hotpass.

mod check;
mod context;
mod diff;
mod error;
mod formats;
mod infer;
mod keys;
mod model;
mod number;
pub mod shipped;
mod value;

pub use check::{
    BrokenRule, CheckOptions, CheckedColumn, ContractCheck, ContractResult, Rule, RuleCount, TableViolation, Violation,
};
pub use context::{ContractContext, ContractDetails};
pub use diff::{Change, Diff, diff};
pub use error::{CheckError, ContractError};
pub use infer::Inference;
pub use keys::ReferenceKeys;
pub use model::{Contract, Field, ForeignKey, Freshness, Limit, LogicalType, Reference, RowCount};

/// Contracts as files: Hotpass's own form and those of other tools.
pub mod documents {
    pub use super::formats::{Document, Format, Notice, Written, read, read_as, read_for, write};
}
