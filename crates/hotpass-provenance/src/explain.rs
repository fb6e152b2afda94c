//! From which source cells a published value came.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;
use hotpass_core::fields::GOLDEN_COLUMNS;
use hotpass_core::nearest;
use parquet::errors::ParquetError;
use serde::Serialize;

use crate::table::{Table, number, optional, text};

/// Which published row is explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The row of an entity.
    Entity(String),
    /// A row by its position in the published order, from 1.
    Row(u64),
}

/// Where the values of a published row came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Run that published the row.
    pub run_id: String,
    /// Entity.
    pub entity_id: String,
    /// Position of the row in the published order, from 1.
    pub row: u64,
    /// Name of the organisation.
    pub organization_name: String,
    /// The fields, in the order of the published columns.
    pub fields: Vec<FieldExplanation>,
}

/// Where the value of a field came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldExplanation {
    /// Published column.
    pub field: String,
    /// Published value.
    pub value: String,
    /// Survivorship rule that chose it.
    pub rule: String,
    /// The cell that gave the value.
    pub winner: CellTrace,
    /// Number of source cells that held a value for the field.
    pub contributors: u32,
    /// Cells with another value, in the order of the rule.
    pub losers: Vec<CellTrace>,
}

/// A source cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellTrace {
    /// Source of the cell; known for winners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_dataset: Option<String>,
    /// File, relative to the input folder.
    pub file: String,
    /// Sheet, for workbooks.
    pub sheet: Option<String>,
    /// Row, from 1.
    pub row: u32,
    /// Column letters.
    pub column: Option<String>,
    /// Header of the column as the source writes it; known for winners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Value after normalisation.
    pub value: Option<String>,
    /// Value as the source has it.
    pub raw_value: Option<String>,
    /// What normalisation did to it, as codes of its rule; filled in by a caller who knows the rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
}

impl fmt::Display for CellTrace {
    /// Writes the place of the cell as `file#sheet!B7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(sheet) = &self.sheet {
            write!(f, "#{sheet}")?;
        }
        write!(f, "!{}{}", self.column.as_deref().unwrap_or_default(), self.row)
    }
}

/// Why a row could not be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// A table of the run is missing or cannot be opened.
    #[error("Failed to open `{}`", path.display())]
    Open {
        /// The table.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A table of the run cannot be read.
    #[error("Failed to read `{}`", path.display())]
    Read {
        /// The table.
        path: PathBuf,
        /// Why.
        #[source]
        source: ParquetError,
    },
    /// No published row has the entity's id.
    #[error("No entity `{entity}` in the run")]
    NoSuchEntity {
        /// What was asked for.
        entity: String,
        /// The entity id that begins most alike, where one does.
        nearest: Option<String>,
    },
    /// The published table has no such row.
    #[error("No row {row} in a published table of {rows} rows")]
    NoSuchRow {
        /// What was asked for.
        row: u64,
        /// Rows of the table.
        rows: u64,
    },
    /// The published table has no such column.
    #[error("No published column `{field}`")]
    NoSuchField {
        /// What was asked for.
        field: String,
        /// The nearest column, where one is near.
        nearest: Option<&'static str>,
    },
    /// The column's value was not taken from a source cell: it is computed, or missing.
    #[error("Column `{field}` of this row comes from no source cell")]
    NoSourceCell {
        /// What was asked for.
        field: String,
        /// The columns of the row that do.
        traced: Vec<String>,
    },
}

impl ExplainError {
    /// Returns what to do next, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchEntity { nearest: Some(nearest), .. } => Some(format!("Did you mean `{nearest}`?")),
            Self::NoSuchEntity { nearest: None, .. } => Some(
                "Entity ids are the column `entity_id` of the published table; `--row N` takes a row number".to_owned(),
            ),
            Self::NoSuchRow { rows: 0, .. } => Some("The run published no rows".to_owned()),
            Self::NoSuchRow { rows, .. } => Some(format!("Rows count from 1 to {rows}, the header left out")),
            Self::NoSuchField { nearest: Some(nearest), .. } => Some(format!("Did you mean `{nearest}`?")),
            Self::NoSuchField { nearest: None, .. } => {
                Some("Leave the field out to see all columns with a source".to_owned())
            }
            Self::NoSourceCell { traced, .. } => {
                Some(format!("It is computed or empty; traced columns of this row: {}", traced.join(", ")))
            }
            Self::Open { .. } => Some("Check that the run completed, with `hotpass verify`".to_owned()),
            Self::Read { .. } => Some("Check the run's files with `hotpass verify`".to_owned()),
        }
    }

    /// Returns whether what was asked for does not exist, as opposed to a run that cannot be read.
    pub fn is_not_found(&self) -> bool {
        !matches!(self, Self::Open { .. } | Self::Read { .. })
    }
}

/// Explains a published row, or one field of it, from the tables in a run folder.
///
/// Bloom filters and page indexes keep the cost to a few row groups, however large the run.
///
/// # Errors
///
/// Returns [`ExplainError`] when the run's tables cannot be read, or the row or field does not exist.
pub fn explain(run_dir: &Path, selector: &Selector, field: Option<&str>) -> Result<Explanation, ExplainError> {
    if let Some(field) = field
        && !GOLDEN_COLUMNS.iter().any(|column| column.name == field)
    {
        return Err(ExplainError::NoSuchField { field: field.to_owned(), nearest: nearest_column(field) });
    }
    let golden_path = run_dir.join("golden.parquet");
    let golden = open(&golden_path)?;
    let read = |source| ExplainError::Read { path: golden_path.clone(), source };
    let row = match selector {
        Selector::Row(row) if *row == 0 || *row > golden.rows() => {
            return Err(ExplainError::NoSuchRow { row: *row, rows: golden.rows() });
        }
        Selector::Row(row) => *row,
        Selector::Entity(entity) => {
            let Some(position) = golden.position_of("entity_id", entity).map_err(read)? else {
                let nearest = nearest_entity(&golden, entity).map_err(read)?;
                return Err(ExplainError::NoSuchEntity { entity: entity.clone(), nearest });
            };
            position + 1
        }
    };
    let columns = ["entity_id", "organization_name", "run_id"];
    let Some(batch) = golden.row(row as usize - 1, &columns).map_err(read)? else {
        return Err(ExplainError::NoSuchRow { row, rows: golden.rows() });
    };
    let value = |column| text(&batch, column).map(|array| optional(&array, 0).unwrap_or_default()).map_err(read);
    let (entity_id, organization_name, run_id) = (value("entity_id")?, value("organization_name")?, value("run_id")?);

    let provenance_path = run_dir.join("provenance.parquet");
    let provenance = open(&provenance_path)?;
    let read = |source| ExplainError::Read { path: provenance_path.clone(), source };
    let mut fields = Vec::new();
    for batch in provenance.rows_with("entity_id", &entity_id).map_err(read)? {
        fields.extend(explanations(&batch).map_err(read)?);
    }
    fields.sort_by_key(|explanation| GOLDEN_COLUMNS.iter().position(|column| column.name == explanation.field));
    if let Some(field) = field {
        let traced = fields.iter().map(|explanation| explanation.field.clone()).collect();
        fields.retain(|explanation| explanation.field == field);
        if fields.is_empty() {
            return Err(ExplainError::NoSourceCell { field: field.to_owned(), traced });
        }
    }
    Ok(Explanation { run_id, entity_id, row, organization_name, fields })
}

fn open(path: &Path) -> Result<Table, ExplainError> {
    let file = File::open(path).map_err(|source| ExplainError::Open { path: path.to_path_buf(), source })?;
    Table::open(file).map_err(|source| ExplainError::Read { path: path.to_path_buf(), source })
}

/// Returns the published column with the nearest name, or else the first that has the name as a part, as `email` is of
/// `contact_primary_email`.
fn nearest_column(field: &str) -> Option<&'static str> {
    let columns = || GOLDEN_COLUMNS.iter().map(|column| column.name);
    let folded = field.trim().to_lowercase().replace([' ', '-'], "_");
    // Plural and singular mean the same column.
    let part = folded.strip_suffix('s').unwrap_or(&folded);
    let near = nearest(field, columns());
    columns().find(|column| Some(*column) == near).or_else(|| {
        let parts: Vec<&str> = part.split('_').filter(|word| word.len() > 2).collect();
        columns().find(|column| !parts.is_empty() && parts.iter().all(|word| column.contains(word)))
    })
}

/// Returns the entity id with the longest common beginning, when that is at least half of what was asked for.
fn nearest_entity(golden: &Table, entity: &str) -> Result<Option<String>, ParquetError> {
    let mut best = (entity.len().div_ceil(2).max(1) - 1, None);
    for batch in golden.scan(&["entity_id"])? {
        for id in text(&batch?, "entity_id")?.iter().flatten() {
            let common = id.bytes().zip(entity.bytes()).take_while(|(a, b)| a == b).count();
            if common > best.0 {
                best = (common, Some(id.to_owned()));
            }
        }
    }
    Ok(best.1)
}

fn explanations(batch: &RecordBatch) -> Result<Vec<FieldExplanation>, ParquetError> {
    let column = |name| text(batch, name);
    let (field, value, rule) = (column("field")?, column("value")?, column("rule")?);
    let (dataset, file, sheet) = (column("source_dataset")?, column("source_file")?, column("sheet")?);
    let (letters, header, raw_value) = (column("column")?, column("header")?, column("raw_value")?);
    let (rows, contributors) = (number(batch, "row")?, number(batch, "contributors")?);
    let losing = batch.column_by_name("losing_cells").and_then(|array| array.as_list_opt::<i32>());
    (0..batch.num_rows())
        .map(|row| {
            let published = optional(&value, row).unwrap_or_default();
            let losers = match losing {
                Some(list) if list.is_valid(row) => losing_cells(&list.value(row))?,
                _ => Vec::new(),
            };
            Ok(FieldExplanation {
                field: optional(&field, row).unwrap_or_default(),
                rule: optional(&rule, row).unwrap_or_default(),
                winner: CellTrace {
                    source_dataset: optional(&dataset, row),
                    file: optional(&file, row).unwrap_or_default(),
                    sheet: optional(&sheet, row),
                    row: rows.value(row),
                    column: optional(&letters, row),
                    header: optional(&header, row),
                    raw_value: optional(&raw_value, row).or_else(|| Some(published.clone())),
                    value: Some(published.clone()),
                    steps: Vec::new(),
                },
                value: published,
                contributors: contributors.value(row),
                losers,
            })
        })
        .collect()
}

fn losing_cells(cells: &arrow::array::ArrayRef) -> Result<Vec<CellTrace>, ParquetError> {
    let batch = RecordBatch::from(cells.as_struct().clone());
    let column = |name| text(&batch, name);
    let (file, sheet, letters) = (column("source_file")?, column("sheet")?, column("column")?);
    let (value, raw_value, rows) = (column("value")?, column("raw_value")?, number(&batch, "row")?);
    Ok((0..batch.num_rows())
        .map(|row| CellTrace {
            source_dataset: None,
            file: optional(&file, row).unwrap_or_default(),
            sheet: optional(&sheet, row),
            row: rows.value(row),
            column: optional(&letters, row),
            header: None,
            value: optional(&value, row),
            raw_value: optional(&raw_value, row).or_else(|| optional(&value, row)),
            steps: Vec::new(),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_name_leads_to_the_column() {
        for (field, expected) in [
            ("websit", Some("website")),
            ("email", Some("contact_primary_email")),
            ("contact_phones", Some("contact_primary_phone")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(nearest_column(field), expected, "{field}");
        }
    }
}
