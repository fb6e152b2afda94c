//! Any spreadsheet or data file to typed Arrow tables, with the position of every cell.

mod content;
mod error;
mod header;
mod mapping;
mod recognise;
mod table;
mod typed;
mod unpack;

pub use content::infer_content;
pub use error::IngestError;
pub use header::{HeaderRepair, RepairedHeader, repair_headers, repair_headers_from};
pub use mapping::{
    ColumnMapping, MappingMethod, MappingRules, TableMapping, canonical_batch, canonical_batch_with_contacts,
    map_columns,
};
pub use table::{
    Batches, CellKinds, ColumnContent, ContentType, DateOrder, ExcelEpoch, OpenTable, ROW_COLUMN, SourceColumn,
    TableId, TableSchema,
};
pub use typed::{arrow_type, typed_batch};
pub use unpack::{ContactField, Contacts, Person, contacts_of_batch, unpack_emails, unpack_people, unpack_phones};
