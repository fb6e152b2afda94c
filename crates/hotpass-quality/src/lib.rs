//! Data contracts and expectations over record batches, with results people can read.
//!
//! ```
//! use std::sync::Arc;
//! use arrow::array::{RecordBatch, StringArray};
//! use hotpass_quality::{Expectation, Suite, SuiteOptions};
//!
//! let batch = RecordBatch::try_from_iter([(
//!     "email",
//!     Arc::new(StringArray::from(vec![Some("info@acacia.example"), Some("n/a"), None])) as _,
//! )])?;
//! let suite = Suite::new(
//!     "contacts",
//!     [Expectation::column("match_regex", "email").with("regex", "^[^@ ]+@[^@ ]+$").with("mostly", 0.9)],
//! );
//! let mut run = suite.compile(&batch.schema(), &SuiteOptions::default())?;
//! run.add(&batch)?;
//! let result = run.finish();
//! assert!(!result.success());
//! assert_eq!(result.results[0].failed_rows, [1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Suite`] holds [`Expectation`]s by the names of Great Expectations ([`hotpass_core::expectations::EXPECTATIONS`]) and reads and
//! writes its suite files. [`Suite::compile`] checks them against a schema and says everything that is wrong at once; the [`SuiteRun`]
//! takes batches in one pass and gives a [`SuiteResult`] that can be written in Great Expectations' own form. Results hold counts,
//! shares and positions, never values, unless a column is named as one that may be shown. [`drift`] compares a table with an
//! earlier one; [`contract`] holds what a dataset promises.

pub mod contract;
pub mod data_docs;
pub mod drift;
pub mod error;
mod expectation;
mod patterns;
mod result;
mod sql;
mod suite;
mod values;

pub use expectation::{Expectation, ExpectationSeverity};
pub use result::{ExpectationResult, RowTally, SuiteResult};
pub use sql::SqlChecks;
pub use suite::{MissingColumns, Suite, SuiteOptions, SuiteRun};
