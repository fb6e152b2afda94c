//! A person is taken out of the bytes of a file: tables cell by cell, workbooks and text files value by value.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Cursor, Read, Write as _};
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, ListArray, RecordBatch, StringArray, StructArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use hotpass_privacy::subject::{ERASED, Subject};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use regex::{Captures, Regex};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::people::{PeopleTable, is_header_row};

type Failure = Box<dyn Error + Send + Sync>;

/// What becomes of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It does not hold the person.
    Unchanged,
    /// Its bytes without the person.
    Rewritten(Vec<u8>),
    /// It holds the person, and nobody can take the person out of its form.
    Removed,
}

/// Returns whether a file holds the person, by its name and bytes.
///
/// # Errors
///
/// Returns an error when the file is not of the form that its name says.
pub(super) fn is_held(name: &str, bytes: &[u8], subject: &Subject) -> Result<bool, Failure> {
    match ending(name).as_str() {
        "parquet" => Ok(parquet_batches(bytes)?.1.iter().any(|batch| erased_batch(batch, subject).is_some())),
        "arrow" | "feather" | "ipc" => {
            Ok(arrow_batches(bytes)?.iter().any(|batch| erased_batch(batch, subject).is_some()))
        }
        "zip" | "ods" => {
            let mut archive = ZipArchive::new(Cursor::new(bytes))?;
            for index in 0..archive.len() {
                let (member, bytes) = entry_of(&mut archive, index)?;
                if is_held(&member, &bytes, subject)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        "xlsx" | "xlsm" => Ok(erased_workbook(bytes, subject)?.is_some()),
        "csv" | "tsv" => Ok(erased_csv(&String::from_utf8_lossy(bytes), subject).is_some()),
        _ => Ok(erased_text(&String::from_utf8_lossy(bytes), subject).is_some()),
    }
}

/// Takes the person out of a file, by its name and bytes.
///
/// # Errors
///
/// Returns an error when the file is not of the form that its name says, or cannot be written again.
pub(super) fn take_out(name: &str, bytes: &[u8], subject: &Subject) -> Result<Taken, Failure> {
    let rewritten = match ending(name).as_str() {
        "parquet" => {
            let (metadata, batches) = parquet_batches(bytes)?;
            match erased_batches(&batches, subject) {
                Some(batches) => Some(parquet_bytes(metadata, &batches)?),
                None => None,
            }
        }
        "arrow" | "feather" | "ipc" => match erased_batches(&arrow_batches(bytes)?, subject) {
            Some(batches) => Some(arrow_bytes(&batches)?),
            None => None,
        },
        "xlsx" | "xlsm" => erased_workbook(bytes, subject)?,
        // What others have packed cannot be cleaned with certainty.
        "zip" | "ods" => return Ok(if is_held(name, bytes, subject)? { Taken::Removed } else { Taken::Unchanged }),
        form => {
            let Ok(text) = std::str::from_utf8(bytes) else {
                return Ok(if is_held(name, bytes, subject)? { Taken::Removed } else { Taken::Unchanged });
            };
            let erased =
                if matches!(form, "csv" | "tsv") { erased_csv(text, subject) } else { erased_text(text, subject) };
            erased.map(String::into_bytes)
        }
    };
    Ok(rewritten.map_or(Taken::Unchanged, Taken::Rewritten))
}

fn ending(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default()
}

fn entry_of<R: Read + io::Seek>(archive: &mut ZipArchive<R>, index: usize) -> Result<(String, Vec<u8>), Failure> {
    let mut entry = archive.by_index(index)?;
    let name = entry.name().map(std::borrow::Cow::into_owned).unwrap_or_default();
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes)?;
    Ok((name, bytes))
}

/// Takes the person out of one value; nothing where it is not in it. A value that is a JSON object is looked at as a row of its
/// values, as the quarantine holds source rows.
pub(super) fn erased_value(value: &str, subject: &Subject) -> Option<String> {
    let found = subject.erase(value);
    let text = found.as_deref().unwrap_or(value);
    let split = text.starts_with('{').then(|| erased_objects(text, subject)).flatten();
    split.or(found)
}

/// Takes the person out of a text that is no table; JSON stays JSON.
fn erased_text(text: &str, subject: &Subject) -> Option<String> {
    let shared = erased_pieces(text, subject);
    let text = shared.as_deref().unwrap_or(text);
    let found = subject.erase(text).map(|erased| whole_json_values(&erased)).or_else(|| shared.clone());
    let text = found.as_deref().unwrap_or(text);
    let mut rest = String::new();
    let mut split = false;
    // Rows of JSON stand on lines.
    for line in text.split_inclusive('\n') {
        let erased =
            line.trim_start_matches([' ', '[', ',']).starts_with('{').then(|| erased_objects(line, subject)).flatten();
        split |= erased.is_some();
        rest.push_str(erased.as_deref().unwrap_or(line));
    }
    if split { Some(rest) } else { found }
}

/// Takes names that others share out of the lines, or the objects of a list of JSON, that are the person's.
fn erased_pieces(text: &str, subject: &Subject) -> Option<String> {
    if !subject.has_shared_names() {
        return None;
    }
    let mut written = String::with_capacity(text.len());
    let mut end = 0;
    for piece in pieces(text) {
        let own = subject.in_text(&text[piece.clone()]);
        if !own.has_shared_names()
            && let Some(erased) = own.erase(&text[piece.clone()])
        {
            written.push_str(&text[end..piece.start]);
            written.push_str(&whole_json_values(&erased));
            end = piece.end;
        }
    }
    if end == 0 {
        return None;
    }
    written.push_str(&text[end..]);
    Some(written)
}

/// Returns the parts of a text that are each about one thing: the outermost objects of a document of JSON that are members of a
/// list or of an object of objects; else the lines.
fn pieces(text: &str) -> Vec<std::ops::Range<usize>> {
    let is_document =
        text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let mut found = Vec::new();
    if !is_document {
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            found.push(start..start + line.len());
            start += line.len();
        }
        return found;
    }
    // In a document `{…: {…}}` or `{…: […]}` things stand two levels down, in `[…]` one.
    let depth = if text.trim_start().starts_with('[') { 1 } else { 2 };
    let (mut level, mut quoted, mut escaped, mut start) = (0, false, false, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => {
                if level == depth {
                    start = at;
                }
                level += 1;
            }
            b'}' | b']' => {
                level -= 1;
                if level == depth {
                    found.push(start..at + 1);
                }
            }
            _ => {}
        }
    }
    found
}

/// Writes `null` where `[erased]` stands for a number of JSON, outside of a text.
fn whole_json_values(text: &str) -> String {
    if !matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'[')) {
        return text.to_owned();
    }
    let mut written = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !quoted && rest.starts_with(ERASED) {
            written.push_str("null");
            rest = &rest[ERASED.len()..];
            continue;
        }
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        written.push(c);
        rest = &rest[c.len_utf8()..];
    }
    written
}

/// Takes names that are split over the values of a JSON object out of a line that holds one.
fn erased_objects(line: &str, subject: &Subject) -> Option<String> {
    let object = line.trim().trim_start_matches(['[', ',']).trim_end_matches([',', ']']);
    let serde_json::Value::Object(object) = serde_json::from_str(object).ok()? else { return None };
    let values: Vec<&serde_json::Value> = object.values().collect();
    let texts: Vec<Option<String>> = values
        .iter()
        .map(|value| match value {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
        .collect();
    let cells: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
    let own = subject.in_row(cells.iter().copied());
    let mut taken = own.split_over(&cells);
    if let Some(table) = PeopleTable::of(object.keys().map(String::as_str)) {
        taken.extend(table.cells_of(&cells, own));
    }
    taken.sort_unstable();
    taken.dedup();
    let mut written = line.to_owned();
    for index in taken {
        if cells[index].is_some_and(|text| text.trim() == ERASED) {
            continue;
        }
        let key = serde_json::to_string(object.keys().nth(index)?).ok()?;
        let held = serde_json::to_string(values[index]).ok()?;
        let nothing = if values[index].is_string() { format!("\"{ERASED}\"") } else { "null".to_owned() };
        written = with_member(&written, &key, &held, &nothing);
    }
    (written != line).then_some(written)
}

/// Returns an object of JSON with another value of a member; other members keep their bytes.
fn with_member(object: &str, key: &str, held: &str, new: &str) -> String {
    for (at, _) in object.match_indices(key) {
        let rest = &object[at + key.len()..];
        let Some(value) = rest.trim_start().strip_prefix(':').map(str::trim_start) else { continue };
        if value.starts_with(held) {
            let start = object.len() - value.len();
            return format!("{}{new}{}", &object[..start], &object[start + held.len()..]);
        }
    }
    object.replace(held, new)
}

/// Takes the person out of a file of separated values; cells that are not touched stay byte for byte.
fn erased_csv(text: &str, subject: &Subject) -> Option<String> {
    let head = text.lines().next().unwrap_or_default();
    let count = |separator: char| head.chars().filter(|c| *c == separator).count();
    let separator = [',', ';', '\t', '|'].into_iter().max_by_key(|separator| count(*separator)).unwrap_or(',');
    let mut written = String::with_capacity(text.len());
    let mut changed = false;
    let mut place = 0;
    let mut table = None;
    while place < text.len() {
        let (cells, end) = csv_record(text, place, separator);
        let values: Vec<String> = cells.iter().map(|cell| unquoted(&text[cell.clone()])).collect();
        let texts: Vec<Option<&str>> = values.iter().map(|value| Some(value.as_str())).collect();
        if place == 0 && is_header_row(values.iter().map(|value| value.trim_start_matches('\u{feff}')), subject) {
            table = PeopleTable::of(values.iter().map(|value| value.trim_start_matches('\u{feff}').trim()));
            written.push_str(&text[..end]);
            place = end;
            continue;
        }
        let subject = subject.in_row(texts.iter().copied());
        let mut split = subject.split_over(&texts);
        split.extend(table.iter().flat_map(|table: &PeopleTable| table.cells_of(&texts, subject)));
        let mut from = place;
        for (index, cell) in cells.iter().enumerate() {
            let erased = if split.contains(&index) && !values[index].is_empty() {
                Some(String::new())
            } else {
                erased_value(&values[index], subject)
            };
            let Some(erased) = erased else { continue };
            let erased = if erased.trim() == ERASED { String::new() } else { erased };
            changed = true;
            written.push_str(&text[from..cell.start]);
            if erased.contains([separator, '"', '\n', '\r']) {
                let _ = write!(written, "\"{}\"", erased.replace('"', "\"\""));
            } else {
                written.push_str(&erased);
            }
            from = cell.end;
        }
        written.push_str(&text[from..end]);
        place = end;
    }
    changed.then_some(written)
}

/// Returns the cells of the record that begins at a place, and where the next one begins.
fn csv_record(text: &str, start: usize, separator: char) -> (Vec<std::ops::Range<usize>>, usize) {
    let mut cells = Vec::new();
    let (mut from, mut quoted) = (start, false);
    for (at, c) in text[start..].char_indices() {
        let at = start + at;
        match c {
            '"' => quoted = !quoted,
            c if c == separator && !quoted => {
                cells.push(from..at);
                from = at + c.len_utf8();
            }
            '\n' if !quoted => {
                let end = if text[from..at].ends_with('\r') { at - 1 } else { at };
                cells.push(from..end);
                return (cells, at + 1);
            }
            _ => {}
        }
    }
    cells.push(from..text.len());
    (cells, text.len())
}

fn unquoted(cell: &str) -> String {
    match cell.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => cell.to_owned(),
    }
}

type Metadata = Vec<KeyValue>;

/// Reads a table with the key-value metadata of its file; at least one batch.
pub(super) fn parquet_batches(bytes: &[u8]) -> Result<(Metadata, Vec<RecordBatch>), Failure> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::copy_from_slice(bytes))?;
    let metadata = builder.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let schema = Arc::clone(builder.schema());
    let mut batches: Vec<RecordBatch> = builder.build()?.collect::<Result<_, _>>()?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok((metadata, batches))
}

fn parquet_bytes(metadata: Metadata, batches: &[RecordBatch]) -> Result<Vec<u8>, Failure> {
    // The schema is written anew with the file.
    let metadata: Metadata = metadata.into_iter().filter(|pair| pair.key != "ARROW:schema").collect();
    let properties = WriterProperties::builder()
        .set_created_by(concat!("hotpass version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_key_value_metadata(Some(metadata))
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batches[0].schema(), Some(properties))?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.close()?;
    Ok(bytes)
}

fn arrow_batches(bytes: &[u8]) -> Result<Vec<RecordBatch>, Failure> {
    let reader = arrow::ipc::reader::FileReader::try_new(Cursor::new(bytes), None)?;
    let schema = reader.schema();
    let mut batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>()?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok(batches)
}

fn arrow_bytes(batches: &[RecordBatch]) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut writer = arrow::ipc::writer::FileWriter::try_new(&mut bytes, &batches[0].schema())?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    drop(writer);
    Ok(bytes)
}

/// Returns the batches without the person; nothing where none holds one.
fn erased_batches(batches: &[RecordBatch], subject: &Subject) -> Option<Vec<RecordBatch>> {
    let erased: Vec<Option<RecordBatch>> = batches.iter().map(|batch| erased_batch(batch, subject)).collect();
    erased.iter().any(Option::is_some).then(|| {
        erased.into_iter().zip(batches).map(|(erased, batch)| erased.unwrap_or_else(|| batch.clone())).collect()
    })
}

/// Returns a batch without the person; nothing where it does not hold one.
pub(super) fn erased_batch(batch: &RecordBatch, subject: &Subject) -> Option<RecordBatch> {
    if subject.has_shared_names() {
        let rows = Rows::of(batch, true);
        let subjects: Vec<&Subject> = (0..batch.num_rows()).map(|row| subject.in_row(rows.row(row))).collect();
        let own: Vec<bool> = subjects.iter().map(|subject| !subject.has_shared_names()).collect();
        if let Some(all) = subjects.into_iter().find(|subject| !subject.has_shared_names()) {
            return erased_own_rows(batch, subject, &own, all);
        }
    }
    erased_rows(batch, subject)
}

fn erased_rows(batch: &RecordBatch, subject: &Subject) -> Option<RecordBatch> {
    let schema = batch.schema();
    let split = split_cells(batch, subject);
    let mut changed = false;
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .enumerate()
        .map(|(index, (field, column))| {
            let rows = split.get(&index).map(Vec::as_slice).unwrap_or_default();
            let erased = erased_array(column, field.is_nullable(), rows, subject);
            changed |= erased.is_some();
            erased.unwrap_or_else(|| Arc::clone(column))
        })
        .collect();
    changed.then(|| RecordBatch::try_new(batch.schema(), columns).ok()).flatten()
}

/// The rows of a batch as text.
struct Rows(Vec<Option<StringArray>>);

impl Rows {
    /// Reads a batch; lists and structures only where they are `nested` texts that are asked for.
    fn of(batch: &RecordBatch, nested: bool) -> Self {
        let is_nested = |column: &ArrayRef| matches!(column.data_type(), DataType::List(_) | DataType::Struct(_));
        let texts = |column| if nested || !is_nested(column) { shown(column) } else { None };
        Self(batch.columns().iter().map(texts).collect())
    }

    fn row(&self, row: usize) -> Vec<Option<&str>> {
        self.0.iter().map(|values| crate::records::value_at(values.as_ref()?, row)).collect()
    }
}

/// Returns a column as text, whatever its type; lists and structures as their texts one after another.
fn shown(column: &ArrayRef) -> Option<StringArray> {
    as_text(column).or_else(|| match column.data_type() {
        DataType::List(_) | DataType::Struct(_) => {
            let text = |row| arrow::util::display::array_value_to_string(column, row).ok();
            Some((0..column.len()).map(|row| column.is_valid(row).then(|| text(row)).flatten()).collect())
        }
        _ => Some(cast(column, &DataType::Utf8).ok()?.as_string::<i32>().clone()),
    })
}

/// Returns a batch without the person where some rows are the person's, so that names count there which others share.
fn erased_own_rows(batch: &RecordBatch, subject: &Subject, own: &[bool], all: &Subject) -> Option<RecordBatch> {
    let (in_own, in_others) = (erased_batch(batch, all), erased_rows(batch, subject));
    if in_own.is_none() && in_others.is_none() {
        return None;
    }
    let (in_own, in_others) = (in_own.as_ref().unwrap_or(batch), in_others.as_ref().unwrap_or(batch));
    let rows: Vec<(usize, usize)> = own.iter().enumerate().map(|(row, own)| (usize::from(!own), row)).collect();
    let columns: Vec<ArrayRef> = in_own
        .columns()
        .iter()
        .zip(in_others.columns())
        .map(|(own, others)| arrow::compute::interleave(&[own.as_ref(), others.as_ref()], &rows).ok())
        .collect::<Option<_>>()?;
    let erased = RecordBatch::try_new(batch.schema(), columns).ok()?;
    (erased != *batch).then_some(erased)
}

/// Returns the rows of each column that go although the person is not in the cell itself: where a part of a name stands whose other
/// parts stand in other columns, and what else is personal in a row of the person's.
fn split_cells(batch: &RecordBatch, subject: &Subject) -> BTreeMap<usize, Vec<usize>> {
    let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let schema = batch.schema();
    let table = PeopleTable::of(schema.fields().iter().map(|field| field.name().as_str()));
    if !subject.has_split_names() && table.is_none() {
        return found;
    }
    let rows = Rows::of(batch, false);
    let is_text: Vec<bool> = batch.columns().iter().map(|column| as_text(column).is_some()).collect();
    for row in 0..batch.num_rows() {
        let cells = rows.row(row);
        let texts: Vec<Option<&str>> =
            cells.iter().zip(&is_text).map(|(cell, is_text)| cell.filter(|_| *is_text)).collect();
        let mut taken = subject.split_over(&texts);
        taken.extend(table.iter().flat_map(|table| table.cells_of(&cells, subject)));
        taken.sort_unstable();
        taken.dedup();
        for cell in taken.into_iter().filter(|cell| cells[*cell].is_some_and(|text| text != ERASED)) {
            found.entry(cell).or_default().push(row);
        }
    }
    found
}

/// Returns a column of texts as such, however they are stored.
pub(super) fn as_text(column: &ArrayRef) -> Option<StringArray> {
    let is_text = |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let dictionary = matches!(column.data_type(), DataType::Dictionary(_, values) if is_text(values));
    if !is_text(column.data_type()) && !dictionary {
        return None;
    }
    Some(cast(column, &DataType::Utf8).ok()?.as_string::<i32>().clone())
}

fn erased_array(column: &ArrayRef, nullable: bool, split: &[usize], subject: &Subject) -> Option<ArrayRef> {
    if let Some(values) = as_text(column) {
        let held = values.iter().flatten().any(|value| erased_value(value, subject).is_some());
        if !held && split.is_empty() {
            return None;
        }
        let erased: StringArray = values
            .iter()
            .enumerate()
            .map(|(row, value)| {
                let value = value?;
                let erased = if split.contains(&row) { Some(ERASED.to_owned()) } else { erased_value(value, subject) };
                match erased {
                    Some(erased) if nullable && erased.trim() == ERASED => None,
                    Some(erased) => Some(erased),
                    None => Some(value.to_owned()),
                }
            })
            .collect();
        return cast(&erased, column.data_type()).ok();
    }
    if !split.is_empty() && nullable {
        let rest = erased_array(column, nullable, &[], subject);
        let column = rest.as_ref().unwrap_or(column);
        let mask: arrow::array::BooleanArray = (0..column.len()).map(|row| Some(split.contains(&row))).collect();
        return arrow::compute::kernels::zip::zip(&mask, &new_null_array(column.data_type(), column.len()), column)
            .ok();
    }
    match column.data_type() {
        // A telephone or identity number that a table holds as a number.
        data_type if data_type.is_integer() => {
            let texts = cast(column, &DataType::Utf8).ok()?;
            let held: Vec<bool> =
                texts.as_string::<i32>().iter().map(|text| text.is_some_and(|text| subject.is_in(text))).collect();
            if !held.contains(&true) {
                return None;
            }
            if !nullable {
                let kept: StringArray = texts
                    .as_string::<i32>()
                    .iter()
                    .zip(&held)
                    .map(|(text, held)| text.map(|text| if *held { "0" } else { text }))
                    .collect();
                return cast(&kept, data_type).ok();
            }
            let nothing = new_null_array(data_type, column.len());
            let mask = arrow::array::BooleanArray::from(held);
            arrow::compute::kernels::zip::zip(&mask, &nothing, column).ok()
        }
        DataType::Struct(fields) => {
            let cells = column.as_struct();
            let mut changed = false;
            let columns: Vec<ArrayRef> = fields
                .iter()
                .zip(cells.columns())
                .map(|(field, values)| {
                    let erased = erased_array(values, field.is_nullable(), &[], subject);
                    changed |= erased.is_some();
                    erased.unwrap_or_else(|| Arc::clone(values))
                })
                .collect();
            changed.then_some(())?;
            Some(Arc::new(StructArray::try_new(fields.clone(), columns, cells.nulls().cloned()).ok()?))
        }
        DataType::List(item) => {
            let list = column.as_list::<i32>();
            let values = erased_array(list.values(), item.is_nullable(), &[], subject)?;
            let rebuilt =
                ListArray::try_new(Arc::clone(item), list.offsets().clone(), values, list.nulls().cloned()).ok()?;
            Some(Arc::new(rebuilt))
        }
        _ => None,
    }
}

static STRING: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)<si>.*?</si>|<si/>"));
static TEXT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)<t(?: [^>]*)?>(.*?)</t>"));
static ROW: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)<row[ >].*?</row>"));
static CELL: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)<c((?: [^>]*?)?)(?:/>|>(.*?)</c>)"));
static VALUE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)<v>(.*?)</v>"));
static TYPE: LazyLock<Regex> = LazyLock::new(|| pattern(r#" t="([A-Za-z]+)""#));

static COLUMN: LazyLock<Regex> = LazyLock::new(|| pattern(r#" r="([A-Z]{1,3})[0-9]+""#));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant")
}

/// Returns a workbook without the person; nothing where it does not hold one.
///
/// Cells are looked at with the others of their row; a text that no cell refers to any more is blanked.
fn erased_workbook(bytes: &[u8], subject: &Subject) -> Result<Option<Vec<u8>>, Failure> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let mut members = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let time = archive.by_index(index)?.last_modified();
        let (name, bytes) = entry_of(&mut archive, index)?;
        members.push((name, time, bytes));
    }
    let mut changed = false;
    let strings: Vec<String> = members
        .iter()
        .find(|(name, ..)| name == "xl/sharedStrings.xml")
        .map(|(_, _, bytes)| shared_strings(&String::from_utf8_lossy(bytes)))
        .unwrap_or_default();
    // Texts of which some cell was erased as part of a row, and whether another cell still refers to them.
    let mut orphans: BTreeMap<usize, bool> = BTreeMap::new();
    // Texts that head columns: they stay.
    let mut headers = BTreeSet::new();
    for (_, _, bytes) in members.iter().filter(|(name, ..)| is_sheet(name)) {
        let text = String::from_utf8_lossy(bytes);
        let first = ROW.find(&text).map(|row| sheet_cells(row.as_str(), &strings)).unwrap_or_default();
        if is_header_row(first.iter().map(|cell| cell.text.as_str()), subject) {
            headers.extend(first.iter().filter_map(|cell| cell.shared));
        }
    }
    for (name, _, bytes) in &mut members {
        if is_sheet(name) {
            let text = String::from_utf8_lossy(bytes).into_owned();
            if let Some(erased) = erased_sheet(&text, &strings, subject, &headers, &mut orphans) {
                *bytes = erased.into_bytes();
                changed = true;
            }
        }
    }
    for (name, _, bytes) in &mut members {
        if is_sheet(name) {
            continue;
        }
        let Ok(text) = std::str::from_utf8(bytes) else { continue };
        let erased = if name == "xl/sharedStrings.xml" {
            erased_strings(text, subject, &headers, &orphans)
        } else {
            subject.erase(text)
        };
        if let Some(erased) = erased {
            *bytes = erased.into_bytes();
            changed = true;
        }
    }
    if !changed {
        return Ok(None);
    }
    let mut writer = ZipWriter::new(Cursor::new(Vec::with_capacity(bytes.len())));
    for (name, time, bytes) in members {
        let mut options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        if let Some(time) = time {
            options = options.last_modified_time(time);
        }
        writer.start_file(name, options)?;
        writer.write_all(&bytes)?;
    }
    Ok(Some(writer.finish()?.into_inner()))
}

fn is_sheet(name: &str) -> bool {
    name.starts_with("xl/worksheets/") && ending(name) == "xml"
}

fn shared_strings(xml: &str) -> Vec<String> {
    STRING.find_iter(xml).map(|item| text_of(item.as_str())).collect()
}

/// Returns the texts of an element one after another, as people read them.
fn text_of(xml: &str) -> String {
    let text: String = TEXT.captures_iter(xml).map(|found| found[1].to_owned()).collect();
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn erased_strings(
    xml: &str,
    subject: &Subject,
    headers: &BTreeSet<usize>,
    orphans: &BTreeMap<usize, bool>,
) -> Option<String> {
    let mut changed = false;
    let mut index = 0;
    let written = STRING.replace_all(xml, |found: &Captures<'_>| {
        let item = &found[0];
        let gone = orphans.get(&index).is_some_and(|referred| !referred);
        let heads = headers.contains(&index);
        index += 1;
        let erased = if heads {
            None
        } else if gone {
            Some(ERASED.to_owned())
        } else {
            erased_value(&text_of(item), subject)
        };
        match erased {
            Some(erased) => {
                changed = true;
                format!("<si><t xml:space=\"preserve\">{}</t></si>", escaped(&erased))
            }
            None => item.to_owned(),
        }
    });
    changed.then(|| written.into_owned())
}

/// A cell of a sheet.
struct SheetCell {
    /// Where it is in the row's XML.
    range: std::ops::Range<usize>,
    attributes: String,
    /// Its column, from 0.
    column: usize,
    /// Which of the shared strings it shows.
    shared: Option<usize>,
    /// Whether it is a truth value or an error.
    fixed: bool,
    text: String,
}

/// Reads the cells of a row of a sheet.
fn sheet_cells(row: &str, strings: &[String]) -> Vec<SheetCell> {
    let mut cells: Vec<SheetCell> = Vec::new();
    for cell in CELL.captures_iter(row) {
        let whole = cell.get(0).map_or(0..0, |whole| whole.range());
        let attributes = cell.get(1).map_or("", |attributes| attributes.as_str());
        let content = cell.get(2).map_or("", |content| content.as_str());
        let kind = TYPE.captures(attributes).map(|kind| kind[1].to_owned()).unwrap_or_default();
        let value = VALUE.captures(content).map(|value| value[1].to_owned()).unwrap_or_default();
        let shared = (kind == "s").then(|| value.parse::<usize>().ok()).flatten();
        let text = match (shared, kind.as_str()) {
            (Some(index), _) => strings.get(index).cloned().unwrap_or_default(),
            (None, "inlineStr") => text_of(content),
            _ => value,
        };
        let fixed = kind == "b" || kind == "e";
        let column = COLUMN.captures(attributes).map_or(cells.len(), |found| column_number(&found[1]));
        cells.push(SheetCell { range: whole, attributes: attributes.to_owned(), column, shared, fixed, text });
    }
    cells
}

/// Returns the number of a column, from 0 for `A`.
fn column_number(letters: &str) -> usize {
    let number = letters.bytes().fold(0, |number, letter| number * 26 + usize::from(letter - b'A') + 1);
    number.saturating_sub(1)
}

/// Returns the texts of a row by column.
fn by_column(cells: &[SheetCell]) -> Vec<Option<&str>> {
    // A sheet has no more columns than this.
    let width = cells.iter().map(|cell| cell.column + 1).max().unwrap_or(0).min(1 << 14);
    let mut texts = vec![None; width];
    for cell in cells.iter().filter(|cell| cell.column < width) {
        texts[cell.column] = Some(cell.text.as_str());
    }
    texts
}

fn erased_sheet(
    xml: &str,
    strings: &[String],
    subject: &Subject,
    headers: &BTreeSet<usize>,
    orphans: &mut BTreeMap<usize, bool>,
) -> Option<String> {
    let mut changed = false;
    let mut first = true;
    let mut table = None;
    let written = ROW.replace_all(xml, |found: &Captures<'_>| {
        let row = &found[0];
        let cells = sheet_cells(row, strings);
        if std::mem::take(&mut first) && is_header_row(cells.iter().map(|cell| cell.text.as_str()), subject) {
            table = PeopleTable::of(by_column(&cells).into_iter().map(Option::unwrap_or_default));
            return row.to_owned();
        }
        let texts: Vec<Option<&str>> = cells.iter().map(|cell| Some(cell.text.as_str())).collect();
        let own = subject.in_row(texts.iter().copied());
        let mut split = own.split_over(&texts);
        if let Some(table) = &table {
            let taken = table.cells_of(&by_column(&cells), own);
            split.extend((0..cells.len()).filter(|index| taken.contains(&cells[*index].column)));
        }
        let mut new = String::new();
        let mut from = 0;
        for (index, SheetCell { range, attributes, shared, fixed, text, .. }) in cells.iter().enumerate() {
            let erased = if split.contains(&index) && text != ERASED {
                Some(ERASED.to_owned())
            } else if *fixed {
                None
            } else if let Some(shared) = shared {
                // The text itself is erased where it stands, for all cells at once, unless it stays elsewhere.
                let erased = erased_value(text, own);
                erased.filter(|erased| headers.contains(shared) || erased_value(text, subject).as_ref() != Some(erased))
            } else {
                erased_value(text, own)
            };
            if let Some(shared) = shared {
                let referred = orphans.entry(*shared).or_insert(false);
                *referred |= erased.is_none();
            }
            let Some(erased) = erased else { continue };
            changed = true;
            new.push_str(&row[from..range.start]);
            let attributes = TYPE.replace(attributes, "");
            let _ = write!(
                new,
                "<c{attributes} t=\"inlineStr\"><is><t xml:space=\"preserve\">{}</t></is></c>",
                escaped(&erased)
            );
            from = range.end;
        }
        new.push_str(&row[from..]);
        new
    });
    changed.then(|| written.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;
    use arrow::datatypes::{Field, Schema};
    use hotpass_privacy::subject::{Identifier, IdentifierKind};

    fn person() -> Subject {
        Subject::new(
            [
                (IdentifierKind::Name, "Xolile van Fictum"),
                (IdentifierKind::Email, "x.fictum@example.org"),
                (IdentifierKind::Phone, "+27 82 555 0142"),
                (IdentifierKind::Number, "8001015009087"),
            ]
            .into_iter()
            .filter_map(|(kind, text)| Identifier::new(kind, text)),
        )
    }

    fn rewritten(name: &str, bytes: &[u8]) -> Vec<u8> {
        match take_out(name, bytes, &person()).unwrap() {
            Taken::Rewritten(bytes) => bytes,
            other => panic!("{other:?}"),
        }
    }

    fn check(name: &str, before: &str, after: &str) {
        let subject = person();
        let taken = take_out(name, before.as_bytes(), &subject).unwrap();
        let held = is_held(name, before.as_bytes(), &subject).unwrap();
        if before == after {
            assert_eq!((taken, held), (Taken::Unchanged, false), "{before}");
            return;
        }
        let Taken::Rewritten(bytes) = taken else { panic!("{before}: {taken:?}") };
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), after);
        assert!(held);
        assert_eq!(take_out(name, &bytes, &subject).unwrap(), Taken::Unchanged, "erased once is erased");
    }

    #[test]
    fn separated_values_keep_their_columns() {
        check(
            "a.csv",
            "given,family,mail,n\r\nXolile,van Fictum,X.Fictum@example.org,1\r\nXolile,Other,o@example.org,\"2,5\"\r\n",
            "given,family,mail,n\r\n,,,1\r\nXolile,Other,o@example.org,\"2,5\"\r\n",
        );
        check("a.tsv", "a\tb\n\"call 082 555 0142, now\"\tx\n", "a\tb\ncall [erased], now\tx\n");
        check("a.csv", "a,b\n\"Fictum, Xolile van\",\"say \"\"hi\"\"\"\n", "a,b\n,\"say \"\"hi\"\"\"\n");
        check("a.csv", "a,b\nXolile,Fictumsson\n", "a,b\nXolile,Fictumsson\n");
    }

    #[test]
    fn headers_stay_and_shared_names_go_where_they_are_the_persons() {
        let name = Identifier::new(IdentifierKind::Name, "contact primary email");
        let subject = Subject::new(name);
        let csv = "organization_name,contact_primary_email\nAcacia,contact primary email\n";
        let erased = Taken::Rewritten(b"organization_name,contact_primary_email\nAcacia,\n".to_vec());
        assert_eq!(take_out("a.csv", csv.as_bytes(), &subject).unwrap(), erased);
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let sheet = workbook.add_worksheet();
        for (row, cell) in ["contact_primary_email", "x", "contact_primary_email"].iter().enumerate() {
            sheet.write_string(row as u32, 0, *cell).unwrap();
        }
        let Taken::Rewritten(bytes) = take_out("a.xlsx", &workbook.save_to_buffer().unwrap(), &subject).unwrap() else {
            panic!("nothing was erased")
        };
        let mut read: calamine::Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
        let range = calamine::Reader::worksheet_range(&mut read, "Sheet1").unwrap();
        let cells: Vec<String> = range.rows().map(|row| row[0].to_string()).collect();
        assert_eq!(cells, ["contact_primary_email", "x", "[erased]"]);

        let shared = Subject::new(Identifier::guess("z@kestrel.example"))
            .with_shared_names(Identifier::guess("Zodwa Canaryperson"), BTreeSet::from(["org_1".to_owned()]));
        for (name, before, after) in [
            (
                "a.csv",
                "entity_id,who,mail\norg_1,Zodwa Canaryperson,\norg_2,Zodwa Canaryperson,z@egret.example\n",
                "entity_id,who,mail\norg_1,,\norg_2,Zodwa Canaryperson,z@egret.example\n",
            ),
            (
                "a.md",
                "| Zodwa Canaryperson | z@kestrel.example |\n| Zodwa Canaryperson |\n",
                "| [erased] | [erased] |\n| Zodwa Canaryperson |\n",
            ),
            (
                "a.json",
                "{\"parties\": [\n {\"id\": \"org_1\",\n  \"name\": \"Zodwa Canaryperson\"},\n {\"id\": \"org_2\",\n  \"name\": \"Zodwa Canaryperson\"}]}",
                "{\"parties\": [\n {\"id\": \"org_1\",\n  \"name\": \"[erased]\"},\n {\"id\": \"org_2\",\n  \"name\": \"Zodwa Canaryperson\"}]}",
            ),
        ] {
            let Taken::Rewritten(bytes) = take_out(name, before.as_bytes(), &shared).unwrap() else { panic!("{name}") };
            assert_eq!(String::from_utf8(bytes.clone()).unwrap(), after);
            assert_eq!(take_out(name, &bytes, &shared).unwrap(), Taken::Unchanged, "{name}");
        }
        let schema = Arc::new(Schema::new(vec![
            Field::new("name", DataType::Utf8, true),
            Field::new("email", DataType::Utf8, true),
        ]));
        let names = StringArray::from(vec!["Zodwa Canaryperson"; 2]);
        let emails = StringArray::from(vec!["z@egret.example", "z@kestrel.example"]);
        let batch = RecordBatch::try_new(schema, vec![Arc::new(names), Arc::new(emails)]).unwrap();
        let erased = erased_batch(&batch, &shared).unwrap();
        assert_eq!(erased.column(0).as_string::<i32>().iter().collect::<Vec<_>>(), [Some("Zodwa Canaryperson"), None]);
        assert!(erased_batch(&erased, &shared).is_none());
    }

    #[test]
    fn json_stays_json() {
        check(
            "a.json",
            "[{\"a\":\"Xolile\",\"b\":\"van Fictum\",\"phone\":27825550142},\n{\"a\":\"Xolile\",\"b\":\"else\"}\n]\n",
            "[{\"a\":\"[erased]\",\"b\":\"[erased]\",\"phone\":null},\n{\"a\":\"Xolile\",\"b\":\"else\"}\n]\n",
        );
        check("a.ndjson", "{\"id\":8001015009087}\n", "{\"id\":null}\n");
        check("a.html", "<td>Xolile van Fictum</td>", "<td>[erased]</td>");
        check("a.md", "| nobody |", "| nobody |");
    }

    #[test]
    fn tables_of_any_type_of_text_and_numbers() {
        let schema = Arc::new(Schema::new(vec![
            Field::new("given", DataType::LargeUtf8, true),
            Field::new("family", DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), true),
            Field::new("phone", DataType::Int64, true),
            Field::new("row", DataType::Utf8, false),
        ]));
        let text =
            |values: Vec<Option<&str>>, data_type: &DataType| cast(&StringArray::from(values), data_type).unwrap();
        let batch = RecordBatch::try_new(
            Arc::clone(&schema),
            vec![
                text(vec![Some("Xolile"), Some("Other")], schema.field(0).data_type()),
                text(vec![Some("van Fictum"), Some("van Fictum")], schema.field(1).data_type()),
                Arc::new(Int64Array::from(vec![Some(825_550_142), Some(5)])),
                text(vec![Some(r#"{"g":"Xolile","f":"van Fictum"}"#), Some("{}")], &DataType::Utf8),
            ],
        )
        .unwrap();
        let key = KeyValue::new("hotpass.run_id".to_owned(), "r".to_owned());
        let before = parquet_bytes(vec![key.clone()], std::slice::from_ref(&batch)).unwrap();
        let (metadata, batches) = parquet_batches(&rewritten("a.parquet", &before)).unwrap();
        assert!(metadata.contains(&key));
        for batch in [&batches[0], &arrow_batches(&rewritten("a.arrow", &arrow_bytes(&[batch]).unwrap())).unwrap()[0]] {
            assert_eq!(batch.schema().field(1).data_type(), schema.field(1).data_type());
            let shown: Vec<String> =
                batch.columns().iter().map(|column| format!("{:?}", cast(column, &DataType::Utf8).unwrap())).collect();
            let shown = shown.join("\n");
            for gone in ["Xolile", "825550142"] {
                assert!(!shown.contains(gone), "{shown}");
            }
            assert!(shown.contains("Other") && shown.contains("van Fictum"), "{shown}");
        }
    }

    #[test]
    fn workbooks_are_erased_by_row() {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let sheet = workbook.add_worksheet();
        for (row, cells) in [
            ["given", "family", "mail"],
            ["Xolile", "van Fictum", "x.fictum@example.org"],
            ["Other", "van Fictum", "ask Xolile van Fictum"],
        ]
        .iter()
        .enumerate()
        {
            for (column, cell) in cells.iter().enumerate() {
                sheet.write_string(row as u32, column as u16, *cell).unwrap();
            }
        }
        sheet.write_number(1, 3, 27_825_550_142.0).unwrap();
        sheet.write_number(2, 3, 27_825_550_143.0).unwrap();
        let bytes = rewritten("a.xlsx", &workbook.save_to_buffer().unwrap());
        let mut read: calamine::Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes.clone())).unwrap();
        let range = calamine::Reader::worksheet_range(&mut read, "Sheet1").unwrap();
        let cells: Vec<Vec<String>> = range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect();
        assert_eq!(cells[1], ["[erased]", "[erased]", "[erased]", "[erased]"]);
        assert_eq!(cells[2], ["Other", "van Fictum", "ask [erased]", "27825550143"]);
        let mut archive = ZipArchive::new(Cursor::new(bytes.as_slice())).unwrap();
        for index in 0..archive.len() {
            let (name, bytes) = entry_of(&mut archive, index).unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains("Xolile"), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_rewritten_is_removed() {
        let subject = person();
        assert_eq!(take_out("a.bin", b"\xff x.fictum@example.org", &subject).unwrap(), Taken::Removed);
        assert_eq!(take_out("a.bin", b"\xff", &subject).unwrap(), Taken::Unchanged);
        assert!(take_out("a.parquet", b"x", &subject).is_err());
    }
}
