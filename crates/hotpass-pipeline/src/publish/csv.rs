//! Csv files with CSV on the Web metadata beside them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use ::csv::WriterBuilder;
use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;
use hotpass_core::AtomicFile;
use hotpass_core::fields::GOLDEN_COLUMNS;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::columns::{Column, date_text, slices, timestamp_text};
use super::{PublishError, PublishInput, WrittenFile, count_rows, create, finish, write_bytes};

/// Rows that are encoded at a time by a thread.
const SLICE_ROWS: usize = 16_384;

/// Returns text in a form that a spreadsheet program does not evaluate when it opens a csv.
///
/// Text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return gets an apostrophe in front, the mark spreadsheet
/// programs use for text. A sign followed by digits and spaces only (a telephone number in E.164, a number) is no formula and stays as it is.
/// Text that already begins with apostrophes before such a character gets one more, so that [`unguard_formula`] always
/// gives the value back.
///
/// Source of the list: OWASP, *CSV Injection*.
pub fn guard_formula(value: &str) -> Cow<'_, str> {
    if is_live(value.trim_start_matches('\'')) { Cow::Owned(format!("'{value}")) } else { Cow::Borrowed(value) }
}

/// Returns the value that [`guard_formula`] was given.
pub fn unguard_formula(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(value) if is_live(value.trim_start_matches('\'')) => value,
        _ => text,
    }
}

fn is_live(value: &str) -> bool {
    match value.as_bytes() {
        [b'+' | b'-', rest @ ..] => !rest.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'.')),
        [b'=' | b'@' | b'\t' | b'\r', ..] => true,
        _ => false,
    }
}

/// Writes the csv and its metadata.
pub(super) fn write_csv(path: &Path, input: &PublishInput<'_>) -> Result<Vec<WrittenFile>, PublishError> {
    let Some(first) = input.golden.first() else {
        return Err(PublishError::encode(path, "the table has no batch"));
    };
    let schema = first.schema();
    let mut file = create(path)?;
    let mut guarded = vec![0; schema.fields().len()];
    let header = header(&schema).map_err(|error| PublishError::encode(path, error))?;
    file.write_all(&header).map_err(|source| PublishError::write(path, source))?;
    for (total, count) in guarded.iter_mut().zip(append(&mut file, path, input.golden)?) {
        *total += count;
    }
    let metadata = metadata(path, &schema, &guarded, input);
    let mut text = serde_json::to_vec_pretty(&metadata).map_err(|error| PublishError::encode(path, error))?;
    text.push(b'\n');
    let metadata_file = write_bytes(&metadata_path(path), text, None)?;
    Ok(vec![finish(file, path, Some(count_rows(input.golden)))?, metadata_file])
}

/// Adds the rows of batches of one schema; returns for each column the number of guarded cells.
pub(super) fn append(file: &mut AtomicFile, path: &Path, batches: &[RecordBatch]) -> Result<Vec<u64>, PublishError> {
    let mut guarded = vec![0; batches.first().map_or(0, RecordBatch::num_columns)];
    for window in slices(batches, SLICE_ROWS).chunks(2 * rayon::current_num_threads().max(1)) {
        let encoded: Vec<(Vec<u8>, Vec<u64>)> = window
            .par_iter()
            .map(encode)
            .collect::<Result<_, _>>()
            .map_err(|error| PublishError::encode(path, error))?;
        for (bytes, counts) in encoded {
            file.write_all(&bytes).map_err(|source| PublishError::write(path, source))?;
            for (total, count) in guarded.iter_mut().zip(counts) {
                *total += count;
            }
        }
    }
    Ok(guarded)
}

pub(super) fn metadata_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-metadata.json");
    PathBuf::from(name)
}

pub(super) type EncodeError = Box<dyn std::error::Error + Send + Sync>;

pub(super) fn header(schema: &Schema) -> Result<Vec<u8>, EncodeError> {
    let mut writer = WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(schema.fields().iter().map(|field| field.name()))?;
    Ok(writer.into_inner()?)
}

fn encode(batch: &RecordBatch) -> Result<(Vec<u8>, Vec<u64>), EncodeError> {
    let columns = Column::all(batch)?;
    let mut guarded = vec![0; columns.len()];
    let mut writer = WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    let mut scratch = Vec::new();
    for row in 0..batch.num_rows() {
        for (column, guarded) in columns.iter().zip(&mut guarded) {
            if column.is_null(row) {
                writer.write_field(b"")?;
                continue;
            }
            scratch.clear();
            match column {
                Column::Text(array) => {
                    let text = guard_formula(array.value(row));
                    *guarded += u64::from(matches!(text, Cow::Owned(_)));
                    writer.write_field(text.as_bytes())?;
                    continue;
                }
                Column::UInt32(array) => write!(scratch, "{}", array.value(row))?,
                Column::Int64(array) => write!(scratch, "{}", array.value(row))?,
                Column::Float64(array) => write!(scratch, "{}", array.value(row))?,
                Column::Boolean(array) => write!(scratch, "{}", array.value(row))?,
                Column::Date(array) => write!(scratch, "{}", date_text(array.value(row)))?,
                Column::Timestamp(array) => write!(scratch, "{}", timestamp_text(array.value(row)))?,
            }
            writer.write_field(&scratch)?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok((writer.into_inner()?, guarded))
}

/// Returns the metadata: W3C Recommendation *Metadata Vocabulary for Tabular Data*, 17 December 2015.
fn metadata(path: &Path, schema: &Schema, guarded: &[u64], input: &PublishInput<'_>) -> Value {
    let columns: Vec<Value> = schema
        .fields()
        .iter()
        .map(|field| {
            let mut column = json!({
                "name": field.name(),
                "titles": field.name(),
                "datatype": datatype(field.data_type()),
                "required": !field.is_nullable(),
            });
            if let Some(spec) = GOLDEN_COLUMNS.iter().find(|spec| spec.name == field.name()) {
                column["dc:description"] = Value::from(spec.description);
            }
            column
        })
        .collect();
    let by_column: BTreeMap<&str, u64> = schema
        .fields()
        .iter()
        .zip(guarded)
        .filter(|(_, count)| **count > 0)
        .map(|(field, count)| (field.name().as_str(), *count))
        .collect();
    json!({
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": percent_encode(&path.file_name().unwrap_or_default().to_string_lossy()),
        "dc:title": input.title,
        "dc:identifier": input.run_id,
        "dc:created": input.statistics.started_at,
        "dialect": {"encoding": "utf-8", "delimiter": ",", "quoteChar": "\"", "doubleQuote": true, "header": true, "lineTerminators": ["\n"]},
        "tableSchema": {"columns": columns, "primaryKey": "entity_id"},
        "notes": [{
            "type": "formula-guard",
            "comment": "Text that a spreadsheet program would evaluate begins with an apostrophe that is not part of the value; parquet and json hold the exact values",
            "guarded_cells": guarded.iter().sum::<u64>(),
            "guarded_cells_by_column": by_column,
        }],
    })
}

fn datatype(data_type: &DataType) -> Value {
    match data_type {
        DataType::UInt32 => Value::from("unsignedInt"),
        DataType::Int64 => Value::from("long"),
        DataType::Float64 => Value::from("double"),
        DataType::Boolean => Value::from("boolean"),
        DataType::Date32 => json!({"base": "date", "format": "yyyy-MM-dd"}),
        DataType::Timestamp(..) => json!({"base": "dateTime", "format": "yyyy-MM-ddTHH:mm:ss.SSSX"}),
        _ => Value::from("string"),
    }
}

/// Returns a file name as a relative URL: RFC 3986, section 2.1.
fn percent_encode(name: &str) -> String {
    use std::fmt::Write as _;
    name.bytes().fold(String::new(), |mut url, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
        url
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_what_would_be_evaluated_and_gives_it_back() {
        let check = |value: &str, guarded: &str| {
            assert_eq!(guard_formula(value), guarded);
            assert_eq!(unguard_formula(guarded), value);
        };
        check("=1+1", "'=1+1");
        check("@SUM(A1)", "'@SUM(A1)");
        check("+27821234567", "+27821234567");
        check("+27 82 123 4567", "+27 82 123 4567");
        check("-5.5", "-5.5");
        check("+A1", "'+A1");
        check("-1+cmd|' /C calc'!A0", "'-1+cmd|' /C calc'!A0");
        check("\tx", "'\tx");
        check("'=1", "''=1");
        check("'quoted'", "'quoted'");
        check("Acme = Co", "Acme = Co");
        check("", "");
    }

    proptest::proptest! {
        #[test]
        fn guarding_is_reversible(value in "['=+@a-]{0,6}") {
            let guarded = guard_formula(&value);
            proptest::prop_assert!(!is_live(&guarded));
            proptest::prop_assert_eq!(unguard_formula(&guarded), value.as_str());
        }
    }

    #[test]
    fn file_names_become_urls() {
        assert_eq!(percent_encode("my file é.csv"), "my%20file%20%C3%A9.csv");
    }
}
