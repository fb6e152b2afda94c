//! Any spreadsheet or data file to typed Arrow tables, with the position of every cell.

mod error;
mod table;

pub use error::IngestError;
pub use table::{
    Batches, CellKinds, ColumnContent, ContentType, DateOrder, OpenTable, ROW_COLUMN, SourceColumn, TableId,
    TableSchema,
};
