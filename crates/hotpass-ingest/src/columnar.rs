//! Parquet and Arrow files, streamed: columns of any type become text.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, StringBuilder, UInt32Array};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use hotpass_core::{Diagnostic, Location};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::IngestError;
use crate::arrow_lengths;
use crate::format::FileFormat;
use crate::grid_table::{batch_rows, batch_schema, make_batch, source_columns};
use crate::open::Opened;
use crate::options::ReadOptions;
use crate::render;
use crate::source::SourceFile;
use crate::table::{CellKinds, LateDiagnostics, OpenTable, TableId, TableSchema};

type Source = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// Opens a Parquet or Arrow file; rows are numbered from 1.
pub(crate) fn open_columnar(file: &SourceFile, options: &ReadOptions) -> Result<Opened, IngestError> {
    let id = TableId { file: Arc::clone(&file.name), sheet: None, table: 0 };
    let location = id.location();
    let (schema, rows, source) = open_source(file, &location, options)?;
    let fields = flat_fields(&schema);
    // The sample is the first batch, read apart: the rows are read again from the start.
    let (_, _, mut sampled) = open_source(file, &location, options)?;
    let sample = match sampled.next() {
        Some(batch) => {
            let batch = batch.map_err(|error| broken(&location, &error))?;
            let rows = batch.num_rows().min(options.sample_rows);
            text_columns(&batch.slice(0, rows), options).map_err(|error| broken(&location, &error))?
        }
        None => fields.iter().map(|_| StringArray::from(Vec::<Option<&str>>::new())).collect(),
    };
    drop(sampled);
    let kinds: Vec<CellKinds> = fields
        .iter()
        .zip(&sample)
        .map(|((_, data_type), values)| {
            let present = (values.len() - values.null_count()) as u64;
            kinds_of(data_type, present)
        })
        .collect();
    let headers: Vec<(u32, Option<String>)> = (0..).zip(fields.into_iter().map(|(name, _)| Some(name))).collect();
    let (columns, diagnostics) = source_columns(&id, None, &headers, &kinds, &sample);
    let batches = ColumnarBatches {
        source,
        schema: batch_schema(columns.iter().map(|column| column.name.as_str())),
        location,
        options: options.clone(),
        next_row: 1,
    };
    let table = OpenTable {
        schema: TableSchema { id, header_row: None, columns, rows },
        diagnostics,
        late_diagnostics: LateDiagnostics::default(),
        batches: Box::new(batches),
    };
    Ok(Opened { tables: vec![table], ..Opened::default() })
}

fn open_source(
    file: &SourceFile,
    location: &Location,
    options: &ReadOptions,
) -> Result<(SchemaRef, Option<u64>, Source), IngestError> {
    let open = || File::open(&file.path).map_err(|source| IngestError::Read { file: file.name.to_string(), source });
    if file.format == FileFormat::Parquet {
        let builder = ParquetRecordBatchReaderBuilder::try_new(open()?).map_err(|error| broken(location, &error))?;
        let metadata = builder.metadata();
        let rows = u64::try_from(metadata.file_metadata().num_rows()).ok();
        let largest_page_hint = metadata
            .row_groups()
            .iter()
            .map(parquet::file::metadata::RowGroupMetaData::compressed_size)
            .max()
            .unwrap_or(0);
        if largest_page_hint as u64 > options.memory_limit_bytes {
            return Err(IngestError::Refused(Box::new(
                Diagnostic::error("ingest.file.memory", "A row group of the file is larger than the memory limit")
                    .at(location.clone())
                    .hint("Raise the memory limit, or write the file with smaller row groups"),
            )));
        }
        let schema = Arc::clone(builder.schema());
        let size = batch_rows(options, schema.fields().len());
        let reader = builder.with_batch_size(size).build().map_err(|error| broken(location, &error))?;
        return Ok((schema, rows, Box::new(reader)));
    }
    let mut source = BufReader::new(open()?);
    let mut magic = [0; 6];
    let is_file = source.read_exact(&mut magic).is_ok() && &magic == b"ARROW1";
    source.rewind().map_err(|source| IngestError::Read { file: file.name.to_string(), source })?;
    let checked = if is_file { arrow_lengths::check_file } else { arrow_lengths::check_stream };
    checked(&mut source, options.memory_limit_bytes).map_err(|error| broken(location, &error))?;
    if is_file {
        let reader = FileReader::try_new(source, None).map_err(|error| broken(location, &error))?;
        Ok((reader.schema(), None, Box::new(reader)))
    } else {
        let reader = StreamReader::try_new(source, None).map_err(|error| broken(location, &error))?;
        Ok((reader.schema(), None, Box::new(reader)))
    }
}

fn broken(location: &Location, error: &dyn std::fmt::Display) -> IngestError {
    IngestError::Refused(Box::new(
        Diagnostic::error("ingest.file.broken", format!("The file is broken or cut off: {error}"))
            .at(location.clone())
            .hint("Copy or export the file again"),
    ))
}

/// Names and types of the columns, nested ones with `.` in their names.
fn flat_fields(schema: &Schema) -> Vec<(String, DataType)> {
    fn add(out: &mut Vec<(String, DataType)>, name: String, data_type: &DataType) {
        match data_type {
            DataType::Struct(fields) => {
                for field in fields {
                    add(out, format!("{name}.{}", field.name()), field.data_type());
                }
            }
            other => out.push((name, other.clone())),
        }
    }
    let mut out = Vec::new();
    for field in schema.fields() {
        add(&mut out, field.name().clone(), field.data_type());
    }
    out
}

fn kinds_of(data_type: &DataType, present: u64) -> CellKinds {
    let mut kinds = CellKinds::default();
    match data_type {
        DataType::Boolean => kinds.boolean = present,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) | DataType::Time32(_) | DataType::Time64(_) => {
            kinds.date = present;
        }
        other if other.is_numeric() => kinds.number = present,
        _ => kinds.text = present,
    }
    kinds
}

/// Turns the columns of a batch into text.
fn text_columns(batch: &RecordBatch, options: &ReadOptions) -> Result<Vec<StringArray>, ArrowError> {
    fn add(out: &mut Vec<StringArray>, array: &ArrayRef, options: &ReadOptions) -> Result<(), ArrowError> {
        if let Some(nested) = array.as_struct_opt() {
            for column in nested.columns() {
                // A null object has no fields, whatever stands in them.
                let masked = match nested.nulls() {
                    Some(nulls) => arrow::compute::nullif(column, &BooleanArray::new(!nulls.inner(), None))?,
                    None => Arc::clone(column),
                };
                add(out, &masked, options)?;
            }
            return Ok(());
        }
        out.push(text_of(array, options)?);
        Ok(())
    }
    let mut out = Vec::new();
    for array in batch.columns() {
        add(&mut out, array, options)?;
    }
    Ok(out)
}

fn text_of(array: &ArrayRef, options: &ReadOptions) -> Result<StringArray, ArrowError> {
    let mut text = StringBuilder::with_capacity(array.len(), array.len() * 8);
    let mut buffer = String::new();
    let append = |text: &mut StringBuilder, value: Option<&str>| match value {
        Some(value) if !options.is_null(value) => text.append_value(value),
        _ => text.append_null(),
    };
    let mut append_number = |text: &mut StringBuilder, value: Option<f64>| {
        buffer.clear();
        let written = value.is_some_and(|value| render::write_number(&mut buffer, value));
        text.append_option(written.then_some(&buffer));
    };
    match array.data_type() {
        DataType::Float64 => {
            array.as_primitive::<Float64Type>().iter().for_each(|value| append_number(&mut text, value));
        }
        // The shortest text of a single-precision number is its own, not that of the double nearest to it.
        DataType::Float32 => array
            .as_primitive::<Float32Type>()
            .iter()
            .for_each(|value| append_number(&mut text, value.and_then(|value| value.to_string().parse().ok()))),
        DataType::Dictionary(_, values) => return text_of(&cast(array, values)?, options),
        DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) | DataType::BinaryView => {
            let hexadecimal = ArrayFormatter::try_new(array, &FormatOptions::new())?;
            for row in 0..array.len() {
                let value = array.is_valid(row).then(|| hexadecimal.value(row).to_string());
                append(&mut text, value.as_deref());
            }
        }
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => {
            for row in 0..array.len() {
                let items = match array.data_type() {
                    _ if array.is_null(row) => None,
                    DataType::List(_) => Some(array.as_list::<i32>().value(row)),
                    DataType::LargeList(_) => Some(array.as_list::<i64>().value(row)),
                    _ => Some(array.as_fixed_size_list().value(row)),
                };
                let joined = match items {
                    Some(items) => {
                        let items = text_of(&items, options)?;
                        Some(items.iter().flatten().collect::<Vec<_>>().join("; "))
                    }
                    None => None,
                };
                append(&mut text, joined.as_deref());
            }
        }
        DataType::Utf8 => array.as_string::<i32>().iter().for_each(|value| append(&mut text, value)),
        // Zones by name, as `UTC`, need the time zone database; the instant in UTC is the same one.
        DataType::Timestamp(unit, Some(zone)) if !zone.starts_with(['+', '-']) => {
            return text_of(&cast(array, &DataType::Timestamp(*unit, Some("+00:00".into())))?, options);
        }
        DataType::Timestamp(..) | DataType::Date64 => {
            let written = cast(array, &DataType::Utf8)?;
            for value in written.as_string::<i32>() {
                buffer.clear();
                if let Some(value) = value {
                    render::write_iso_date_time(&mut buffer, value);
                }
                append(&mut text, value.map(|_| buffer.as_str()));
            }
        }
        DataType::Struct(_) | DataType::Map(..) | DataType::Union(..) => {
            let display = ArrayFormatter::try_new(array, &FormatOptions::new())?;
            for row in 0..array.len() {
                let value = array.is_valid(row).then(|| display.value(row).to_string());
                append(&mut text, value.as_deref());
            }
        }
        _ => {
            let written = cast(array, &DataType::Utf8)?;
            written.as_string::<i32>().iter().for_each(|value| append(&mut text, value));
        }
    }
    Ok(text.finish())
}

struct ColumnarBatches {
    source: Source,
    schema: SchemaRef,
    location: Location,
    options: ReadOptions,
    next_row: u32,
}

impl ColumnarBatches {
    fn convert(&mut self, batch: &RecordBatch) -> Result<RecordBatch, IngestError> {
        let rows = batch.num_rows() as u32;
        let end = self.next_row.saturating_add(rows);
        let numbers = UInt32Array::from_iter_values((self.next_row..end).take(batch.num_rows()));
        self.next_row = end;
        let columns = text_columns(batch, &self.options).map_err(|error| broken(&self.location, &error))?;
        let has_value: BooleanArray =
            (0..batch.num_rows()).map(|row| Some(columns.iter().any(|column| column.is_valid(row)))).collect();
        let arrays = std::iter::once(Arc::new(numbers) as ArrayRef)
            .chain(columns.into_iter().map(|column| Arc::new(column) as ArrayRef))
            .collect();
        let batch = make_batch(&self.schema, arrays)?;
        if has_value.true_count() == batch.num_rows() {
            return Ok(batch);
        }
        filter_record_batch(&batch, &has_value).map_err(|error| broken(&self.location, &error))
    }
}

impl Iterator for ColumnarBatches {
    type Item = Result<RecordBatch, IngestError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.source.next()?;
        Some(batch.map_err(|error| broken(&self.location, &error)).and_then(|batch| self.convert(&batch)))
    }
}
