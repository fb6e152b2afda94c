//! Any spreadsheet or data file to typed Arrow tables, with the position of every cell.

mod content;
mod error;
mod header;
mod recognise;
mod table;

pub use content::infer_content;
pub use error::IngestError;
pub use header::{HeaderRepair, RepairedHeader, repair_headers, repair_headers_from};
pub use table::{
    Batches, CellKinds, ColumnContent, ContentType, DateOrder, ExcelEpoch, OpenTable, ROW_COLUMN, SourceColumn,
    TableId, TableSchema,
};
