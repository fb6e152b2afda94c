//! JSON documents and JSON lines: objects become rows, nested objects columns with `.` in their names.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use hotpass_core::{Diagnostic, Location};
use serde_json::Value;

use crate::IngestError;
use crate::detect::Region;
use crate::format::{self, FileFormat};
use crate::grid::{CellKind, Grid};
use crate::grid_table::open_region;
use crate::open::{Opened, Skipped};
use crate::options::{ReadOptions, is_blank};
use crate::render;
use crate::source::SourceFile;
use crate::table::TableId;

/// Memory that a parsed document takes, in multiples of its text: a value is 72 bytes, a short one has about 8 of text.
const MEMORY_FACTOR: u64 = 9;
/// Nested objects deeper than this stay JSON text.
const DEPTH_LIMIT: usize = 8;
/// Most columns of a table of objects.
const COLUMNS_LIMIT: usize = 16_384;

/// Opens a JSON document: a list of objects, or an object whose lists of objects are tables of their own, or a single object.
pub(crate) fn open_document(file: &SourceFile, options: &ReadOptions) -> Result<Opened, IngestError> {
    let location = Location::file(Arc::clone(&file.name));
    if file.format == FileFormat::Ndjson {
        return open_lines(file, &location, options);
    }
    let limit = options.memory_limit_bytes / MEMORY_FACTOR;
    let mut bytes = Vec::new();
    let source = format::open_text(&file.path, file.compression).map_err(|source| read_failed(file, source))?;
    source.take(limit + 1).read_to_end(&mut bytes).map_err(|source| read_failed(file, source))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(&location));
    }
    let (text, _, _) = crate::encoding::find_encoding(&bytes, true).encoding.decode(&bytes);
    let document: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| broken(&location, &error))?;
    drop(text);
    let mut opened = Opened::default();
    let whole = TableId { file: Arc::clone(&file.name), sheet: None, table: 0 };
    match document {
        Value::Array(items) => add_table(&mut opened, whole, (1..).zip(items), options)?,
        Value::Object(fields) => {
            let is_table = |value: &Value| matches!(value, Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object));
            if fields.values().any(is_table) {
                for (name, value) in fields {
                    let id = TableId { sheet: Some(Arc::from(name)), ..whole.clone() };
                    match value {
                        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object) => {
                            add_table(&mut opened, id, (1..).zip(items), options)?;
                        }
                        _ => opened.skipped.push(Skipped { id, reason: "it is not a list of objects".to_owned() }),
                    }
                }
            } else {
                add_table(&mut opened, whole, [(1, Value::Object(fields))].into_iter(), options)?;
            }
        }
        _ => opened.skipped.push(Skipped { id: whole, reason: "it is a single value".to_owned() }),
    }
    Ok(opened)
}

fn open_lines(file: &SourceFile, location: &Location, options: &ReadOptions) -> Result<Opened, IngestError> {
    let source = format::open_text(&file.path, file.compression).map_err(|source| read_failed(file, source))?;
    let mut reader = BufReader::with_capacity(1 << 17, source);
    let mut table = Rows::default();
    let (mut line, mut number) = (Vec::new(), 0);
    let limit = options.memory_limit_bytes / MEMORY_FACTOR;
    loop {
        line.clear();
        let read =
            reader.by_ref().take(limit + 1).read_until(b'\n', &mut line).map_err(|source| read_failed(file, source))?;
        if read == 0 {
            break;
        }
        number += 1;
        if read as u64 > limit || table.grid.bytes() > options.memory_limit_bytes {
            return Err(too_large(location));
        }
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line).trim_ascii();
        if !text.is_empty() {
            let value = serde_json::from_slice(text)
                .map_err(|error| broken_at(&location.clone().row(number), number as usize, error.column()))?;
            table.add(number, value, options)?;
        }
    }
    let mut opened = Opened::default();
    let id = TableId { file: Arc::clone(&file.name), sheet: None, table: 0 };
    table.open(&mut opened, id, options);
    Ok(opened)
}

fn add_table(
    opened: &mut Opened,
    id: TableId,
    items: impl Iterator<Item = (u32, Value)>,
    options: &ReadOptions,
) -> Result<(), IngestError> {
    let mut table = Rows::default();
    for (number, item) in items {
        table.add(number, item, options)?;
    }
    table.open(opened, id, options);
    Ok(())
}

/// Rows made of objects; columns in the order in which their keys first appear.
#[derive(Default)]
struct Rows {
    grid: Grid,
    names: Vec<String>,
    columns: HashMap<String, u32>,
}

impl Rows {
    fn add(&mut self, number: u32, value: Value, options: &ReadOptions) -> Result<(), IngestError> {
        match value {
            Value::Object(_) => self.add_value(number, "", value, 0, options),
            // A list of lists has no names: the position is the name.
            Value::Array(items) => items.into_iter().enumerate().try_for_each(|(position, item)| {
                self.add_value(number, &format!("column {}", position + 1), item, 1, options)
            }),
            value => self.add_value(number, "value", value, 1, options),
        }
    }

    fn add_value(
        &mut self,
        number: u32,
        name: &str,
        value: Value,
        depth: usize,
        options: &ReadOptions,
    ) -> Result<(), IngestError> {
        let (kind, text) = match value {
            Value::Null => return self.column(name).map(|_| ()),
            Value::Object(fields) if depth < DEPTH_LIMIT => {
                return fields.into_iter().try_for_each(|(key, value)| {
                    let name = if name.is_empty() { key } else { format!("{name}.{key}") };
                    self.add_value(number, &name, value, depth + 1, options)
                });
            }
            Value::String(text) => (CellKind::Text, text),
            Value::Bool(value) => (CellKind::Boolean, value.to_string()),
            Value::Number(value) => (CellKind::Number, number_text(&value)),
            Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
                let texts: Vec<String> = items.iter().filter(|item| !item.is_null()).map(scalar_text).collect();
                (CellKind::Text, texts.join("; "))
            }
            value => (CellKind::Text, value.to_string()),
        };
        let column = self.column(name)?;
        if !is_blank(&text) && !options.is_null(&text) {
            self.grid.push(number, column, kind, &text);
        }
        Ok(())
    }

    fn column(&mut self, name: &str) -> Result<u32, IngestError> {
        if let Some(&column) = self.columns.get(name) {
            return Ok(column);
        }
        if self.names.len() >= COLUMNS_LIMIT {
            return Err(IngestError::Refused(Box::new(
                Diagnostic::error(
                    "ingest.file.columns",
                    format!("The objects have more than {COLUMNS_LIMIT} different keys"),
                )
                .hint("Turn keys that are data, such as identifiers, into values"),
            )));
        }
        let column = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.columns.insert(name.to_owned(), column);
        Ok(column)
    }

    fn open(mut self, opened: &mut Opened, id: TableId, options: &ReadOptions) {
        self.grid.finish();
        if self.grid.row_count() == 0 {
            opened.skipped.push(Skipped { id, reason: "it has no values".to_owned() });
            return;
        }
        let region = Region { columns: (0..).zip(self.names.into_iter().map(Some)).collect(), ..Region::default() };
        opened.tables.push(open_region(id, &Arc::new(self.grid), region, options));
    }
}

fn scalar_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(value) => number_text(value),
        value => value.to_string(),
    }
}

fn number_text(number: &serde_json::Number) -> String {
    let mut text = String::new();
    match number.as_f64() {
        Some(value) if number.is_f64() && render::write_number(&mut text, value) => text,
        _ => number.to_string(),
    }
}

fn read_failed(file: &SourceFile, source: io::Error) -> IngestError {
    IngestError::Read { file: file.name.to_string(), source }
}

fn broken(location: &Location, error: &serde_json::Error) -> IngestError {
    broken_at(location, error.line(), error.column())
}

/// Tells the place and not what the parser says of it, which may show a value.
fn broken_at(location: &Location, line: usize, column: usize) -> IngestError {
    IngestError::Refused(Box::new(
        Diagnostic::error("ingest.file.broken", format!("The JSON is broken at line {line}, column {column}"))
            .at(location.clone())
            .hint("Check that the file is complete"),
    ))
}

fn too_large(location: &Location) -> IngestError {
    IngestError::Refused(Box::new(
        Diagnostic::error("ingest.file.memory", "The document is too large for the memory limit")
            .at(location.clone())
            .hint("Raise the memory limit, or convert it to csv or Parquet, which are read in a stream"),
    ))
}
