//! Entities without a model: records with the same organisation name, or the same in every column.

use arrow::array::{Array, AsArray, RecordBatch, StringArray, new_null_array};
use arrow::compute::{can_cast_types, cast};
use arrow::datatypes::{DataType, Field, Schema};
use hashbrown::HashMap;
use hotpass_config::HotpassConfig;
use hotpass_ingest::mapping::map_columns;
use hotpass_ingest::table::{ROW_COLUMN, SourceColumn, TableId, TableSchema};
use hotpass_normalise::slug;

use std::sync::Arc;

use super::error::ResolveError;
use super::input::{InputTable, Reading};
use crate::progress::{CancelToken, Progress, Stage};
use crate::reading::FileRules;

/// Entities by equal keys.
pub(super) struct EqualKeys {
    /// For each input row the first row of its entity.
    pub(super) first_row: Vec<u32>,
    /// What makes two records one entity, as a sentence.
    pub(super) rule: String,
}

/// The columns of a table that decide.
enum KeyColumns {
    /// The organisation's name; without one, province and e-mail together.
    Name { name: usize, province: Option<usize>, email: Option<usize> },
    /// Every column that is not left out.
    All(Vec<usize>),
}

/// Groups records whose organisation names have the same slug.
///
/// A record without a name is grouped by province and e-mail together, if it has both. Where no column of a table is an organisation's
/// name, records are one entity when all columns but the id and those left out are equal and at least one is filled.
pub(super) fn group(
    tables: &[InputTable],
    unique_id: &str,
    excluded: &[String],
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<EqualKeys, ResolveError> {
    let started = std::time::Instant::now();
    progress.started(Stage::Read, tables.iter().map(|table| table.n_rows).sum());
    let mut rules: Vec<String> = Vec::new();
    let mut first_row: Vec<u32> = Vec::new();
    let mut seen: HashMap<String, u32> = HashMap::new();
    let mut key = String::new();
    for table in tables {
        let left_out: Vec<usize> =
            excluded.iter().map(String::as_str).chain([unique_id]).filter_map(|column| table.column(column)).collect();
        let columns = key_columns(table, &left_out)?;
        let rule = match &columns {
            KeyColumns::Name { name, .. } => {
                format!("equal names in column `{}` of `{}`", table.schema.field(*name).name(), table.title())
            }
            KeyColumns::All(_) => format!("all compared columns of `{}` equal", table.title()),
        };
        rules.push(rule);
        let places: Vec<usize> = match &columns {
            KeyColumns::Name { name, province, email } => {
                [Some(*name), *province, *email].into_iter().flatten().collect()
            }
            KeyColumns::All(places) => places.clone(),
        };
        for batch in table.scan(Some(&places), Reading::ForMatching)? {
            if cancel.is_cancelled() {
                return Err(ResolveError::Cancelled);
            }
            let batch = batch?;
            let texts: Vec<Option<StringArray>> = batch.columns().iter().map(text).collect();
            let value = |column: usize, row: usize| {
                texts[column].as_ref().filter(|texts| texts.is_valid(row)).map_or("", |texts| texts.value(row).trim())
            };
            for row in 0..batch.num_rows() {
                key.clear();
                match &columns {
                    KeyColumns::Name { province, email, .. } => match slug(value(0, row)) {
                        Some(name) => key.push_str(&name),
                        None if province.is_some() && email.is_some() => {
                            let (province, email) = (value(1, row), value(2, row));
                            if !province.is_empty() && !email.is_empty() {
                                key = format!("\u{0}{}\u{0}{}", province.to_lowercase(), email.to_lowercase());
                            }
                        }
                        None => {}
                    },
                    KeyColumns::All(places) => {
                        for column in 0..places.len() {
                            key.push('\u{0}');
                            key.push_str(value(column, row));
                        }
                        if key.chars().all(|c| c == '\u{0}') {
                            key.clear();
                        }
                    }
                }
                let this = first_row.len() as u32;
                first_row.push(if key.is_empty() { this } else { *seen.entry_ref(key.as_str()).or_insert(this) });
            }
            progress.advanced(Stage::Read, batch.num_rows() as u64);
        }
    }
    progress.finished(Stage::Read, started.elapsed().as_secs_f64());
    Ok(EqualKeys { first_row, rule: rules.join("; ") })
}

fn text(array: &Arc<dyn Array>) -> Option<StringArray> {
    cast(array, &DataType::Utf8).ok().map(|array| array.as_string::<i32>().clone())
}

/// Finds the columns that decide, by header and content as everywhere else.
fn key_columns(table: &InputTable, left_out: &[usize]) -> Result<KeyColumns, ResolveError> {
    let fields = table.schema.fields();
    let columns: Vec<SourceColumn> = fields
        .iter()
        .enumerate()
        .map(|(index, field)| SourceColumn {
            name: table.alias(index).to_owned(),
            raw_header: field.name().clone(),
            index: index as u32,
            cell_kinds: hotpass_ingest::table::CellKinds::default(),
            content: hotpass_ingest::table::ColumnContent::default(),
        })
        .collect();
    let id = TableId {
        file: table.path.file_name().unwrap_or_default().to_string_lossy().into(),
        sheet: table.sheet.as_deref().map(Into::into),
        table: 0,
    };
    let schema = TableSchema { id: id.clone(), header_row: None, columns, rows: table.n_rows };
    let sample = match table.scan(None, Reading::ForMatching)?.next() {
        Some(batch) => sample_of(&batch?).map_err(|error| ResolveError::engine("Looking at the columns", error))?,
        None => return Ok(KeyColumns::All(Vec::new())),
    };
    let config = HotpassConfig::default();
    let mapping = map_columns(&schema, &sample, &FileRules::of(&config, &id.file).mapping_rules(&[], &id));
    let of = |field: &str| {
        let mut columns = mapping.columns_of(field).map(|column| column as usize);
        columns.find(|column| !left_out.contains(column))
    };
    Ok(match of("organization_name") {
        Some(name) => KeyColumns::Name { name, province: of("province"), email: of("contact_primary_email") },
        None => KeyColumns::All((0..fields.len()).filter(|column| !left_out.contains(column)).collect()),
    })
}

/// Gives the first rows of a table as ingest would: row numbers and text.
fn sample_of(batch: &RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
    const ROWS: usize = 1000;
    let batch = batch.slice(0, batch.num_rows().min(ROWS));
    let rows = batch.num_rows();
    let mut fields = vec![Field::new(ROW_COLUMN, DataType::UInt32, false)];
    let mut arrays: Vec<Arc<dyn Array>> = vec![Arc::new(arrow::array::UInt32Array::from_iter_values(1..=rows as u32))];
    for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        fields.push(Field::new(field.name(), DataType::Utf8, true));
        arrays.push(if can_cast_types(array.data_type(), &DataType::Utf8) {
            cast(array, &DataType::Utf8)?
        } else {
            new_null_array(&DataType::Utf8, rows)
        });
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}
