//! Any table to a file, batch by batch, in the format that the ending of its name asks for.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, UInt64Type};
use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use hotpass_core::{AtomicFile, Clock};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowRowGroupWriterFactory;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use super::{PublishError, create, csv, json, parquet as parquet_file, xlsx};

/// The format of a table, decided by the ending of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated text.
    Csv,
    /// Workbook with one table, on further sheets where one is full.
    Xlsx,
    /// JSON array with one object per line.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// Arrow IPC file.
    Arrow,
}

impl TableFormat {
    /// Returns the format that the ending of a file's name asks for, without regard to case.
    ///
    /// # Errors
    ///
    /// Returns [`PublishError::UnknownFormat`] when the ending is missing or not known.
    pub fn from_path(path: &Path) -> Result<Self, PublishError> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        match ending.as_str() {
            "parquet" => Ok(Self::Parquet),
            "csv" => Ok(Self::Csv),
            "xlsx" => Ok(Self::Xlsx),
            "json" => Ok(Self::Json),
            "ndjson" | "jsonl" => Ok(Self::Ndjson),
            "arrow" | "ipc" | "feather" => Ok(Self::Arrow),
            _ => Err(PublishError::UnknownFormat { path: path.to_path_buf() }),
        }
    }
}

/// Writes a table batch by batch to a file that appears whole or not at all.
///
/// Parquet, Arrow and JSON hold every value exactly. In csv and xlsx, text that a spreadsheet program would evaluate is guarded
/// (see [`super::guard_formula`]), lists are JSON text, and whole numbers beyond 64 signed bits are text. An xlsx is built in memory.
pub struct TableWriter {
    path: PathBuf,
    schema: SchemaRef,
    rows: u64,
    sink: Sink,
}

enum Sink {
    Parquet(Box<ParquetSink>),
    Csv(AtomicFile),
    Json { file: AtomicFile, shape: json::Shape, first: bool },
    Arrow(Box<FileWriter<AtomicFile>>),
    Xlsx { batches: Vec<RecordBatch>, clock: Clock },
}

struct ParquetSink {
    writer: SerializedFileWriter<AtomicFile>,
    factory: ArrowRowGroupWriterFactory,
    pending: Vec<RecordBatch>,
    pending_rows: usize,
    row_groups: usize,
}

impl std::fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableWriter").field("path", &self.path).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl TableWriter {
    /// Opens the file that will appear at `path`.
    ///
    /// # Errors
    ///
    /// Returns [`PublishError`] when the ending is unknown or the file cannot be made.
    pub fn create(path: &Path, schema: &SchemaRef, clock: Clock) -> Result<Self, PublishError> {
        let format = TableFormat::from_path(path)?;
        let sink = match format {
            TableFormat::Parquet => {
                let writer = ArrowWriter::try_new(create(path)?, Arc::clone(schema), Some(properties(schema)))
                    .and_then(ArrowWriter::into_serialized_writer)
                    .map_err(|error| PublishError::parquet(path, error))?;
                Sink::Parquet(Box::new(ParquetSink {
                    writer: writer.0,
                    factory: writer.1,
                    pending: Vec::new(),
                    pending_rows: 0,
                    row_groups: 0,
                }))
            }
            TableFormat::Csv => {
                let mut file = create(path)?;
                let header = csv::header(schema).map_err(|error| PublishError::encode(path, error))?;
                file.write_all(&header).map_err(|source| PublishError::write(path, source))?;
                Sink::Csv(file)
            }
            TableFormat::Json => {
                let mut file = create(path)?;
                file.write_all(b"[").map_err(|source| PublishError::write(path, source))?;
                Sink::Json { file, shape: json::Shape::Array, first: true }
            }
            TableFormat::Ndjson => Sink::Json { file: create(path)?, shape: json::Shape::Lines, first: true },
            TableFormat::Arrow => Sink::Arrow(Box::new(
                FileWriter::try_new(create(path)?, schema).map_err(|error| PublishError::encode(path, error))?,
            )),
            TableFormat::Xlsx => {
                // The place must be writable before the work begins.
                drop(create(path)?);
                Sink::Xlsx { batches: Vec::new(), clock }
            }
        };
        Ok(Self { path: path.to_path_buf(), schema: Arc::clone(schema), rows: 0, sink })
    }

    /// Adds rows.
    ///
    /// # Errors
    ///
    /// Returns [`PublishError`] when the disk refuses, or the batch is not of the table's schema.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), PublishError> {
        let path = &self.path;
        self.rows += batch.num_rows() as u64;
        match &mut self.sink {
            Sink::Parquet(sink) => {
                sink.pending_rows += batch.num_rows();
                sink.pending.push(batch.clone());
                if sink.pending_rows >= parquet_file::ROW_GROUP_ROWS {
                    sink.flush(&self.schema, false).map_err(|error| PublishError::parquet(path, error))?;
                }
                Ok(())
            }
            Sink::Csv(file) => {
                let batch = plain(batch).map_err(|error| PublishError::encode(path, error))?;
                csv::append(file, path, &[batch]).map(|_| ())
            }
            Sink::Json { file, shape, first } => json::append(file, path, std::slice::from_ref(batch), *shape, first),
            Sink::Arrow(writer) => writer.write(batch).map_err(|error| arrow_error(path, error)),
            Sink::Xlsx { batches, .. } => {
                batches.push(plain(batch).map_err(|error| PublishError::encode(path, error))?);
                Ok(())
            }
        }
    }

    /// Writes what is left and puts the file into its place; returns the number of rows.
    ///
    /// # Errors
    ///
    /// Returns [`PublishError`] when the disk refuses; the target is then as it was.
    pub fn finish(self) -> Result<u64, PublishError> {
        let path = &self.path;
        let commit = |file: AtomicFile| file.commit().map_err(|source| PublishError::write(path, source));
        match self.sink {
            Sink::Parquet(mut sink) => {
                sink.flush(&self.schema, true).map_err(|error| PublishError::parquet(path, error))?;
                commit(sink.writer.into_inner().map_err(|error| PublishError::parquet(path, error))?)?;
            }
            Sink::Csv(file) => commit(file)?,
            Sink::Json { mut file, shape, .. } => {
                if shape == json::Shape::Array {
                    file.write_all(b"\n]\n").map_err(|source| PublishError::write(path, source))?;
                }
                commit(file)?;
            }
            Sink::Arrow(mut writer) => {
                writer.finish().map_err(|error| arrow_error(path, error))?;
                commit(writer.into_inner().map_err(|error| arrow_error(path, error))?)?;
            }
            Sink::Xlsx { batches, clock } => {
                let batches = if batches.is_empty() {
                    vec![
                        plain(&RecordBatch::new_empty(Arc::clone(&self.schema)))
                            .map_err(|error| PublishError::encode(path, error))?,
                    ]
                } else {
                    batches
                };
                xlsx::write_table(path, &batches, clock)?;
            }
        }
        Ok(self.rows)
    }
}

impl ParquetSink {
    /// Writes whole row groups, and at the end the rest.
    fn flush(&mut self, schema: &SchemaRef, all: bool) -> parquet::errors::Result<()> {
        let mut groups = parquet_file::row_groups(&self.pending);
        self.pending.clear();
        self.pending_rows = 0;
        if !all
            && let Some(last) = groups
                .pop_if(|group| group.iter().map(RecordBatch::num_rows).sum::<usize>() < parquet_file::ROW_GROUP_ROWS)
        {
            self.pending_rows = last.iter().map(RecordBatch::num_rows).sum();
            self.pending = last;
        }
        let first = self.row_groups;
        self.row_groups += groups.len();
        parquet_file::encode_groups(&mut self.writer, &self.factory, schema, &groups, first)
    }
}

fn properties(schema: &Schema) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("hotpass version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_write_batch_size(8192);
    for field in schema.fields() {
        // Ids, weights and probabilities seldom repeat: a dictionary would be built to be thrown away.
        let is_unique = field.data_type().is_floating()
            || matches!(field.name().as_str(), "entity_id" | "cluster_id")
            || field.name().ends_with("_l")
            || field.name().ends_with("_r");
        if is_unique {
            builder = builder.set_column_dictionary_enabled(ColumnPath::from(field.name().as_str()), false);
        }
    }
    builder.build()
}

fn arrow_error(path: &Path, error: ArrowError) -> PublishError {
    match error {
        ArrowError::IoError(_, source) => PublishError::write(path, source),
        other => PublishError::encode(path, other),
    }
}

/// Brings the columns of a batch to the types that the row-wise writers know.
fn plain(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let mut fields = Vec::with_capacity(batch.num_columns());
    let mut arrays = Vec::with_capacity(batch.num_columns());
    for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        let array = plain_column(array)?;
        fields.push(Field::new(field.name(), array.data_type().clone(), true));
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
}

fn plain_column(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    Ok(match array.data_type() {
        DataType::Int8 | DataType::Int16 | DataType::Int32 => cast(array, &DataType::Int64)?,
        DataType::UInt8 | DataType::UInt16 => cast(array, &DataType::UInt32)?,
        DataType::UInt64 => {
            let fits = array.as_primitive::<UInt64Type>().iter().flatten().all(|value| i64::try_from(value).is_ok());
            cast(array, if fits { &DataType::Int64 } else { &DataType::Utf8 })?
        }
        DataType::Dictionary(_, value) => plain_column(&cast(array, value)?)?,
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::Struct(_)
        | DataType::Map(..) => json_text(array)?,
        DataType::Utf8
        | DataType::UInt32
        | DataType::Int64
        | DataType::Float64
        | DataType::Boolean
        | DataType::Date32
        | DataType::Timestamp(TimeUnit::Millisecond, _) => Arc::clone(array),
        DataType::LargeUtf8 | DataType::Utf8View => cast(array, &DataType::Utf8)?,
        // Single precision is written with its own digits, and what else there is as Arrow shows it.
        _ => {
            let options = FormatOptions::default();
            let formatter = ArrayFormatter::try_new(array.as_ref(), &options)?;
            let texts: StringArray =
                (0..array.len()).map(|row| array.is_valid(row).then(|| formatter.value(row).to_string())).collect();
            Arc::new(texts)
        }
    })
}

/// Gives nested values as JSON text.
fn json_text(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let field = Field::new("v", array.data_type().clone(), true);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::clone(array)])?;
    let mut writer = arrow::json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow::json::writer::LineDelimited>(Vec::new());
    writer.write(&batch)?;
    writer.finish()?;
    let bytes = writer.into_inner();
    let text = std::str::from_utf8(&bytes).map_err(|error| ArrowError::JsonError(error.to_string()))?;
    let texts: StringArray = text
        .lines()
        .enumerate()
        .map(|(row, line)| {
            let value = line.strip_prefix("{\"v\":").and_then(|rest| rest.strip_suffix('}'));
            value.filter(|_| array.is_valid(row))
        })
        .collect();
    Ok(Arc::new(texts))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int32Array, Int64Array, ListArray, StringArray};
    use arrow::datatypes::Int32Type;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    fn table() -> RecordBatch {
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), Some(2)]), None]);
        RecordBatch::try_from_iter([
            ("id", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef),
            ("small", Arc::new(Int32Array::from(vec![Some(7), None]))),
            ("name", Arc::new(StringArray::from(vec!["=1+1", "b"]))),
            ("score", Arc::new(Float64Array::from(vec![0.5, 1.0]))),
            ("list", Arc::new(lists)),
        ])
        .unwrap()
    }

    fn written(name: &str, batches: &[RecordBatch]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let mut writer = TableWriter::create(&path, &batches[0].schema(), Clock::fixed_seconds(0)).unwrap();
        for batch in batches {
            writer.write(batch).unwrap();
        }
        assert!(!path.exists(), "nothing is there before the end");
        assert_eq!(writer.finish().unwrap(), batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>());
        std::fs::read(&path).unwrap()
    }

    #[test]
    fn text_formats_hold_every_batch() {
        let check = |name: &str, expected: &str| {
            assert_eq!(String::from_utf8(written(name, &[table(), table()])).unwrap(), expected);
        };
        let rows = "1,7,'=1+1,0.5,\"[1,2]\"\n2,,b,1,\n";
        check("t.csv", &format!("id,small,name,score,list\n{rows}{rows}"));
        let first = r#"{"id":1,"small":7,"name":"=1+1","score":0.5,"list":[1,2]}"#;
        let second = r#"{"id":2,"small":null,"name":"b","score":1.0,"list":null}"#;
        check("t.ndjson", &format!("{first}\n{second}\n{first}\n{second}\n"));
        check("t.json", &format!("[\n{first},\n{second},\n{first},\n{second}\n]\n"));
    }

    #[test]
    fn parquet_and_xlsx_can_be_read_again() {
        let bytes = written("t.parquet", &[table(), table()]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.parquet");
        hotpass_core::write_atomic(&path, bytes).unwrap();
        let read: Vec<RecordBatch> = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(path).unwrap())
            .unwrap()
            .build()
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(read, [arrow::compute::concat_batches(&table().schema(), &[table(), table()]).unwrap()]);
        assert!(written("t.xlsx", &[table()]).starts_with(b"PK"));
    }

    #[test]
    fn an_unknown_ending_is_refused() {
        let error = TableWriter::create(Path::new("t.doc"), &table().schema(), Clock::fixed_seconds(0)).unwrap_err();
        assert!(matches!(error, PublishError::UnknownFormat { .. }));
    }
}
