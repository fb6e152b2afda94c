//! Any spreadsheet or data file to typed Arrow tables, with the position of every cell.
//!
//! ```
//! use std::sync::Arc;
//! use hotpass_ingest::{ReadOptions, SourceFile, open_file};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("clubs.csv");
//! hotpass_core::write_atomic(&path, b"Clubs of the town\n\nName;Phone\nAcacia;012 345\n")?;
//! let opened = open_file(&SourceFile::inspect(&path, "clubs.csv")?, &ReadOptions::default())?;
//! let table = opened.tables.into_iter().next().ok_or("one table")?;
//! assert_eq!(table.schema.header_row, Some(3));
//! assert_eq!(table.schema.columns[1].raw_header, "Phone");
//! for batch in table.batches {
//!     assert_eq!(batch?.num_rows(), 1);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`discover`] finds the files of folders and patterns, [`open_file`] finds the tables of one. What is decided on the way (encoding,
//! separator, header row, rows left out) is told as diagnostics.

mod arrow_lengths;
mod column_profile;
mod columnar;
mod compound;
mod content;
mod delimited;
mod detect;
mod dialect;
mod document;
mod encoding;
mod error;
mod format;
mod grid;
mod grid_table;
mod header;
pub mod mapping;
mod mapping_file;
mod open;
mod options;
mod package;
mod recognise;
mod records;
mod render;
pub mod source;
pub mod table;
mod typed;
mod unpack;
mod workbook;

pub use error::IngestError;
pub use open::{Opened, Skipped, open_file};
pub use options::{ReadOptions, default_memory_limit};
pub use source::{SourceFile, discover};
pub use table::OpenTable;

/// Columns of a table: names from headers, types from values, profiles.
pub mod columns {
    pub use crate::column_profile::{ColumnProfile, ProfileOptions, TableProfiler, ValueCount};
    pub use crate::content::infer_content;
    pub use crate::header::{HeaderRepair, RepairedHeader, repair_headers, repair_headers_from};
    pub use crate::typed::{arrow_type, typed_batch};
}

/// Persons, e-mail addresses and telephone numbers that share a cell or a row.
pub mod contacts {
    pub use crate::unpack::{
        ContactField, Contacts, Person, contacts_of_batch, unpack_emails, unpack_people, unpack_phones,
    };
}

/// Entry points of the fuzzers.
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::detect::detect_arbitrary;
    pub use crate::dialect::sniff_arbitrary;
}
