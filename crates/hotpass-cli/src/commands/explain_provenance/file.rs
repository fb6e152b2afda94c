//! A published file, wherever it is now: which run it is of, and which entity stands in its row.

use std::path::Path;

use arrow::array::{Array, AsArray};
use hotpass_ingest::{ReadOptions, SourceFile, open_file};
use hotpass_provenance::run_of_file;

use crate::error::CommandError;

/// What a published file says of itself.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// The run it is of.
    pub(super) run_id: Option<String>,
    /// The entity in the row that was asked for.
    pub(super) entity_id: Option<String>,
    /// SHA-256 of the file.
    pub(super) sha256: String,
}

/// Looks at a file, and at one of its rows, counted from 1 without the header.
///
/// Columns `run_id` and `entity_id` of the row come first, since a person may have sorted or filtered the rows; else the run
/// stands in the file's properties, and rows are as they were published.
///
/// # Errors
///
/// Returns a usage error when the file cannot be read or has no such row.
pub(super) fn look(path: &Path, row: Option<u64>) -> Result<Published, CommandError> {
    let refused = |error: &(dyn std::error::Error + 'static)| {
        CommandError::usage(format!("Cannot read `{}`", path.display())).caused_by(error)
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let source = SourceFile::inspect(path, name).map_err(|error| refused(&error))?;
    let mut published = Published {
        run_id: run_of_file(path).map_err(|error| refused(&error))?,
        entity_id: None,
        sha256: source.sha256.to_string(),
    };
    let opened = open_file(&source, &ReadOptions::default()).map_err(|error| refused(&error))?;
    for table in opened.tables {
        let position = |name: &str| table.schema.columns.iter().position(|column| column.name == name);
        let (Some(entity), Some(run)) = (position("entity_id"), position("run_id")) else { continue };
        let wanted = row.unwrap_or(1);
        let mut before = 0;
        for batch in table.batches {
            let batch = batch.map_err(|error| refused(&error))?;
            let rows = batch.num_rows() as u64;
            if let Some(at) = wanted.checked_sub(before + 1).filter(|at| *at < rows) {
                // The first column of a batch is the number of the row.
                let text = |column: usize| {
                    let array = batch.column(column + 1).as_string_opt::<i32>()?;
                    array.is_valid(at as usize).then(|| array.value(at as usize).to_owned())
                };
                published.run_id = text(run).or(published.run_id);
                published.entity_id = text(entity).filter(|_| row.is_some());
                return Ok(published);
            }
            before += rows;
        }
        if before > 0 && row.is_some() {
            return Err(CommandError::usage(format!("No row {wanted} in `{}`, which has {before}", path.display()))
                .hint("Rows count from 1, the header left out"));
        }
    }
    Ok(published)
}
