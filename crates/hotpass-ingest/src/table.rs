//! What ingest hands on: tables of text with the position of every cell, and what was decided about each column.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::record_batch::RecordBatch;
use hotpass_core::{Diagnostic, Location};
use serde::{Deserialize, Serialize};

use crate::IngestError;

/// Name of the first column of every batch: the 1-based row of the sheet or file, `UInt32`, not null.
pub const ROW_COLUMN: &str = "__row";

/// Which table: file, sheet and number within the sheet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableId {
    /// Path relative to the input folder, with `/`.
    pub file: Arc<str>,
    /// Sheet, for workbooks.
    pub sheet: Option<Arc<str>>,
    /// Which table of the sheet, from 0, in reading order.
    pub table: u32,
}

impl TableId {
    /// Returns the table's place, for diagnostics.
    pub fn location(&self) -> Location {
        let location = Location::file(Arc::clone(&self.file));
        match &self.sheet {
            Some(sheet) => location.sheet(Arc::clone(sheet)),
            None => location,
        }
    }
}

/// How many cells of a column had which type in the file (text files have text only).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellKinds {
    /// Text cells.
    pub text: u64,
    /// Number cells.
    pub number: u64,
    /// Date or time cells.
    pub date: u64,
    /// True or false cells.
    pub boolean: u64,
    /// Error cells such as `#N/A`; read as no value.
    pub error: u64,
    /// Formulas without a cached value; read as no value.
    pub formula_without_value: u64,
}

/// A column of a source table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceColumn {
    /// Repaired name, unique in the table.
    pub name: String,
    /// Header as the source writes it; empty when there is none.
    pub raw_header: String,
    /// Position in the sheet or file, from 0.
    pub index: u32,
    /// Types of the cells.
    pub cell_kinds: CellKinds,
    /// What the values are, decided by content, with reasons.
    pub content: ColumnContent,
}

/// What the values of a column are, decided by content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnContent {
    /// Type.
    pub content_type: ContentType,
    /// Share of the values present that have this type, 0 to 1.
    pub confidence: f64,
    /// Why, for people; without values.
    pub reasons: Vec<String>,
    /// Order of day and month, for dates written as text.
    pub date_order: Option<DateOrder>,
    /// Day that serial numbers count from, for dates that a spreadsheet holds as numbers without a date format.
    pub excel_epoch: Option<ExcelEpoch>,
    /// Whether the comma is the sign of the fraction, for numbers written as text.
    pub decimal_comma: bool,
}

/// Day that a spreadsheet's serial dates count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExcelEpoch {
    /// Day 1 is 1900-01-01, with the 29 February 1900 that never was.
    Year1900,
    /// Day 0 is 1904-01-01.
    Year1904,
}

impl ExcelEpoch {
    /// Returns the days from 1970-01-01 to serial day 0, for serials after February 1900.
    pub const fn days_from_unix(self) -> i32 {
        match self {
            Self::Year1900 => -25_569,
            Self::Year1904 => -24_107,
        }
    }
}

/// Type of a column's values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentType {
    /// No values.
    Empty,
    /// Free text.
    #[default]
    Text,
    /// Short labels from a small set.
    Category,
    /// Whole numbers.
    Integer,
    /// Numbers with a fraction.
    Number,
    /// True or false.
    Boolean,
    /// Dates.
    Date,
    /// Dates with time.
    DateTime,
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// Web addresses.
    Url,
}

/// Order of day, month and year in dates written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// 31/12/2025.
    DayMonthYear,
    /// 12/31/2025.
    MonthDayYear,
    /// 2025-12-31.
    YearMonthDay,
}

/// What is known of a table before its rows are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableSchema {
    /// Which table.
    pub id: TableId,
    /// Row of the header, from 1; absent when the table has none.
    pub header_row: Option<u32>,
    /// Columns, in the order of the batches (after [`ROW_COLUMN`]).
    pub columns: Vec<SourceColumn>,
    /// Rows, where known without reading all.
    pub rows: Option<u64>,
}

/// An iterator over the batches of a table.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch, IngestError>> + Send>;

/// A table that is ready to be read, batch by batch.
///
/// Each batch has [`ROW_COLUMN`] (`UInt32`) and then a nullable `Utf8` column for each of [`TableSchema::columns`].
/// Text is as in the file except that cells of white space only are null; numbers are written without exponent or trailing `.0`,
/// dates as `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM:SS`, booleans as `true` and `false`; error cells are null.
/// Rows without any value are left out.
pub struct OpenTable {
    /// What is known of it.
    pub schema: TableSchema,
    /// What was found while deciding that it is a table.
    pub diagnostics: Vec<Diagnostic>,
    /// What is found while the rows are read, such as ragged rows; complete when `batches` has ended.
    pub late_diagnostics: LateDiagnostics,
    /// Its rows.
    pub batches: Batches,
}

/// Diagnostics that arise while the rows of a table are read: shared by the reader and the caller.
#[derive(Debug, Clone, Default)]
pub struct LateDiagnostics(Arc<Mutex<Vec<Diagnostic>>>);

impl LateDiagnostics {
    /// Adds a diagnostic.
    pub fn push(&self, diagnostic: Diagnostic) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(diagnostic);
    }

    /// Takes the diagnostics found so far.
    pub fn take(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for OpenTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenTable")
            .field("schema", &self.schema)
            .field("diagnostics", &self.diagnostics)
            .finish_non_exhaustive()
    }
}
