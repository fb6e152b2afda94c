//! Input files as tables that can be read more than once: the columns that matching needs, then every column.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::reader::{FileReader, StreamReader};
use hotpass_core::nearest;
use hotpass_ingest::source::FileFormat;
use hotpass_ingest::table::{OpenTable, TableId};
use hotpass_ingest::{IngestError, ReadOptions, SourceFile, open_file};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Encoding;
use rayon::prelude::*;

use super::error::ResolveError;

/// Rows of a batch of Parquet: enough to pay for waking the threads, few enough that a batch of every column stays small.
const BATCH_ROWS: usize = 65_536;

/// Batches of a table, in the order of its rows.
pub(super) type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ResolveError>> + Send>;

/// A table of an input file.
#[derive(Debug)]
pub(super) struct InputTable {
    /// Name of the source: the file's name without its ending, unique among the inputs.
    pub source: String,
    /// The file.
    pub path: PathBuf,
    /// The sheet, for a workbook.
    pub sheet: Option<String>,
    /// Its columns under the names that the file gives them. Text files have text columns only.
    pub schema: SchemaRef,
    /// Names that columns may be asked for by besides their own, such as `first_name` for `First name`; by column.
    aliases: Vec<String>,
    /// Number of rows, where the file says it without being read.
    pub n_rows: Option<u64>,
    reader: Reader,
}

#[derive(Debug)]
enum Reader {
    Parquet { metadata: Box<ArrowReaderMetadata> },
    ArrowFile,
    ArrowStream,
    Ingest(Box<IngestSource>),
}

/// A table that is read by `hotpass-ingest`.
#[derive(Debug)]
struct IngestSource {
    file: SourceFile,
    id: TableId,
    options: ReadOptions,
}

/// How the columns of a table are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Types as in the file.
    AsStored,
    /// Text as `Utf8`, or as `Dictionary(Int32, Utf8)` where the file holds it so.
    ForMatching,
}

/// Opens the tables of the input files, in the order given.
///
/// A workbook may hold several tables; each is a table of its own, stacked with the others of the file as one source.
///
/// # Errors
///
/// Returns [`ResolveError`] when a file does not exist, cannot be read, or holds no table.
pub(super) fn open_inputs(paths: &[PathBuf], options: &ReadOptions) -> Result<Vec<InputTable>, ResolveError> {
    let mut tables: Vec<InputTable> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for path in paths {
        let stem = path.file_stem().map_or_else(|| "input".to_owned(), |stem| stem.to_string_lossy().into_owned());
        let mut name = stem.clone();
        let mut number = 2;
        while names.contains(&name) {
            name = format!("{stem}_{number}");
            number += 1;
        }
        tables.extend(open_input(path, &name, options)?);
        names.push(name);
    }
    Ok(tables)
}

fn open_input(path: &Path, source: &str, options: &ReadOptions) -> Result<Vec<InputTable>, ResolveError> {
    let read_error = |source| ResolveError::ReadInput { path: path.to_path_buf(), source };
    let broken = |source: Box<dyn std::error::Error + Send + Sync>| ResolveError::BrokenInput {
        path: path.to_path_buf(),
        source,
    };
    let mut magic = [0_u8; 6];
    let file = File::open(path).map_err(read_error)?;
    if file.metadata().map_err(read_error)?.is_dir() {
        return Err(ResolveError::InputIsFolder { path: path.to_path_buf() });
    }
    let length = file.take(6).read(&mut magic).map_err(read_error)?;
    let table = |schema: SchemaRef, n_rows, reader| {
        let aliases = schema.fields().iter().map(|field| field.name().clone()).collect();
        vec![InputTable {
            source: source.to_owned(),
            path: path.to_path_buf(),
            sheet: None,
            schema,
            aliases,
            n_rows,
            reader,
        }]
    };
    if magic[..length].starts_with(b"PAR1") {
        let file = File::open(path).map_err(read_error)?;
        let metadata =
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|error| broken(Box::new(error)))?;
        let n_rows = u64::try_from(metadata.metadata().file_metadata().num_rows()).ok();
        let schema = Arc::clone(metadata.schema());
        return Ok(table(schema, n_rows, Reader::Parquet { metadata: Box::new(metadata) }));
    }
    if magic[..length].starts_with(b"ARROW1") {
        let reader = FileReader::try_new(BufReader::new(File::open(path).map_err(read_error)?), None)
            .map_err(|error| broken(Box::new(error)))?;
        return Ok(table(reader.schema(), None, Reader::ArrowFile));
    }
    let name = path.file_name().map_or_else(|| source.to_owned(), |name| name.to_string_lossy().into_owned());
    let file = SourceFile::inspect(path, name).map_err(read_error)?;
    if file.format == FileFormat::Arrow {
        let reader = StreamReader::try_new(BufReader::new(File::open(path).map_err(read_error)?), None)
            .map_err(|error| broken(Box::new(error)))?;
        return Ok(table(reader.schema(), None, Reader::ArrowStream));
    }
    let ingest_error = |source: IngestError| ResolveError::Ingest { path: path.to_path_buf(), source };
    let opened = open_file(&file, options).map_err(ingest_error)?;
    let several = opened.tables.len() > 1;
    let tables: Vec<InputTable> = opened
        .tables
        .into_iter()
        .filter(|table| !table.schema.columns.is_empty())
        .map(|table| ingest_table(source, &file, &table, options, several))
        .collect();
    if tables.is_empty() {
        return Err(ResolveError::NoTable { path: path.to_path_buf() });
    }
    Ok(tables)
}

fn ingest_table(
    source: &str,
    file: &SourceFile,
    table: &OpenTable,
    options: &ReadOptions,
    several: bool,
) -> InputTable {
    let columns = &table.schema.columns;
    let own_name = |index: usize| {
        let header = columns[index].raw_header.trim();
        let is_unique = columns.iter().filter(|column| column.raw_header.trim() == header).count() == 1;
        if header.is_empty() || !is_unique { columns[index].name.clone() } else { header.to_owned() }
    };
    let fields: Vec<Field> =
        (0..columns.len()).map(|index| Field::new(own_name(index), DataType::Utf8, true)).collect();
    let id = table.schema.id.clone();
    InputTable {
        source: source.to_owned(),
        path: file.path.clone(),
        sheet: id.sheet.as_deref().filter(|_| several).map(str::to_owned),
        schema: Arc::new(Schema::new(fields)),
        aliases: columns.iter().map(|column| column.name.clone()).collect(),
        n_rows: None,
        reader: Reader::Ingest(Box::new(IngestSource { file: file.clone(), id, options: options.clone() })),
    }
}

impl InputTable {
    /// Finds a column: by its name, then without regard to case, then by its name in `snake_case`.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        let fields = self.schema.fields();
        fields
            .iter()
            .position(|field| field.name() == name)
            .or_else(|| fields.iter().position(|field| field.name().eq_ignore_ascii_case(name)))
            .or_else(|| self.aliases.iter().position(|alias| alias == name))
    }

    /// Finds a column or says which name is nearest.
    ///
    /// # Errors
    ///
    /// Returns [`ResolveError::MissingColumn`] when there is none.
    pub(super) fn require_column(&self, name: &str, needed_for: &str) -> Result<usize, ResolveError> {
        self.column(name).ok_or_else(|| {
            let names = || self.schema.fields().iter().map(|field| field.name().as_str());
            ResolveError::MissingColumn {
                column: name.to_owned(),
                table: self.title(),
                needed_for: needed_for.to_owned(),
                nearest: nearest(name, names()).map(str::to_owned),
                columns: names().map(str::to_owned).collect(),
            }
        })
    }

    /// Returns the name in `snake_case` that a column may be asked for by.
    pub(super) fn alias(&self, column: usize) -> &str {
        self.aliases.get(column).map_or("", String::as_str)
    }

    /// Returns what a Parquet file says about itself; nothing for other formats.
    pub(super) fn parquet_metadata(&self) -> Option<&ArrowReaderMetadata> {
        match &self.reader {
            Reader::Parquet { metadata } => Some(metadata),
            _ => None,
        }
    }

    /// Returns what the table is called in messages: the file's name, and the sheet where there are several.
    pub(super) fn title(&self) -> String {
        match &self.sheet {
            Some(sheet) => format!("{}#{sheet}", self.path.display()),
            None => self.path.display().to_string(),
        }
    }

    /// Reads columns, in the order asked for, batch by batch; every column when `columns` is absent.
    ///
    /// # Errors
    ///
    /// Returns [`ResolveError`] when the file cannot be opened again; reading errors are items of the iterator.
    pub(super) fn scan(&self, columns: Option<&[usize]>, reading: Reading) -> Result<Batches, ResolveError> {
        let all: Vec<usize>;
        let columns = if let Some(columns) = columns {
            columns
        } else {
            all = (0..self.schema.fields().len()).collect();
            &all
        };
        match &self.reader {
            Reader::Parquet { metadata } => self.scan_parquet(metadata, columns, reading),
            Reader::ArrowFile => {
                let projection = sorted(columns);
                let reader = FileReader::try_new(BufReader::new(self.open()?), Some(projection.clone()))
                    .map_err(|error| self.broken(Box::new(error)))?;
                Ok(self.arrow_batches(Box::new(reader), columns, &projection, reading))
            }
            Reader::ArrowStream => {
                let projection = sorted(columns);
                let reader = StreamReader::try_new(BufReader::new(self.open()?), Some(projection.clone()))
                    .map_err(|error| self.broken(Box::new(error)))?;
                Ok(self.arrow_batches(Box::new(reader), columns, &projection, reading))
            }
            Reader::Ingest(source) => self.scan_ingest(&source.file, &source.id, &source.options, columns),
        }
    }

    fn open(&self) -> Result<File, ResolveError> {
        File::open(&self.path).map_err(|source| ResolveError::ReadInput { path: self.path.clone(), source })
    }

    fn broken(&self, source: Box<dyn std::error::Error + Send + Sync>) -> ResolveError {
        ResolveError::BrokenInput { path: self.path.clone(), source }
    }

    fn scan_parquet(
        &self,
        metadata: &ArrowReaderMetadata,
        columns: &[usize],
        reading: Reading,
    ) -> Result<Batches, ResolveError> {
        let fields: Vec<Arc<Field>> = self
            .schema
            .fields()
            .iter()
            .enumerate()
            .map(|(index, field)| match reading {
                Reading::ForMatching if is_text(field.data_type()) => {
                    let wanted = if is_dictionary_encoded(metadata, index) {
                        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
                    } else {
                        DataType::Utf8
                    };
                    Arc::new(field.as_ref().clone().with_data_type(wanted))
                }
                _ => Arc::clone(field),
            })
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let options = ArrowReaderOptions::new().with_schema(Arc::clone(&schema));
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)
            .map_err(|error| self.broken(Box::new(error)))?;
        let readers = columns
            .iter()
            .map(|&column| {
                let mask = ProjectionMask::roots(metadata.parquet_schema(), [column]);
                ParquetRecordBatchReaderBuilder::new_with_metadata(self.open()?, metadata.clone())
                    .with_batch_size(BATCH_ROWS)
                    .with_projection(mask)
                    .build()
                    .map_err(|error| self.broken(Box::new(error)))
            })
            .collect::<Result<Vec<_>, ResolveError>>()?;
        let schema = Arc::new(Schema::new(
            columns.iter().map(|&column| Arc::clone(&schema.fields()[column])).collect::<Vec<_>>(),
        ));
        Ok(Box::new(ParquetColumns {
            path: self.path.clone(),
            schema,
            readers,
            rows_left: self.n_rows.unwrap_or_default(),
        }))
    }

    fn arrow_batches(
        &self,
        reader: Box<dyn Iterator<Item = Result<RecordBatch, arrow::error::ArrowError>> + Send>,
        columns: &[usize],
        projection: &[usize],
        reading: Reading,
    ) -> Batches {
        let order: Vec<usize> =
            columns.iter().filter_map(|column| projection.iter().position(|projected| projected == column)).collect();
        let path = self.path.clone();
        Box::new(reader.map(move |batch| {
            let convert = || -> Result<RecordBatch, arrow::error::ArrowError> {
                let batch = batch?.project(&order)?;
                if reading == Reading::AsStored { Ok(batch) } else { with_plain_text(&batch) }
            };
            convert().map_err(|error| ResolveError::BrokenInput { path: path.clone(), source: Box::new(error) })
        }))
    }

    fn scan_ingest(
        &self,
        file: &SourceFile,
        id: &TableId,
        options: &ReadOptions,
        columns: &[usize],
    ) -> Result<Batches, ResolveError> {
        let path = self.path.clone();
        let ingest_error = move |source: IngestError| ResolveError::Ingest { path: path.clone(), source };
        let table = open_file(file, options)
            .map_err(&ingest_error)?
            .tables
            .into_iter()
            .find(|table| table.schema.id == *id)
            .ok_or_else(|| ResolveError::ChangedInput { path: self.path.clone() })?;
        let fields: Vec<Arc<Field>> = columns.iter().map(|&column| Arc::clone(&self.schema.fields()[column])).collect();
        let schema = Arc::new(Schema::new(fields));
        let columns = columns.to_vec();
        let path = self.path.clone();
        Ok(Box::new(table.batches.map(move |batch| {
            let batch = batch.map_err(&ingest_error)?;
            // The first column is the row's number in the file.
            let arrays: Vec<ArrayRef> = columns
                .iter()
                .map(|column| batch.columns().get(column + 1).cloned())
                .collect::<Option<_>>()
                .ok_or_else(|| ResolveError::ChangedInput { path: path.clone() })?;
            batch_of(&schema, arrays, batch.num_rows())
                .map_err(|error| ResolveError::BrokenInput { path: path.clone(), source: Box::new(error) })
        })))
    }
}

/// The columns of a Parquet file, a reader each: a step decodes the next rows of all of them at the same time, whatever the row groups.
struct ParquetColumns {
    path: PathBuf,
    schema: SchemaRef,
    readers: Vec<ParquetRecordBatchReader>,
    rows_left: u64,
}

impl Iterator for ParquetColumns {
    type Item = Result<RecordBatch, ResolveError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rows_left == 0 {
            return None;
        }
        let broken = |source| ResolveError::BrokenInput { path: self.path.clone(), source };
        let parts: Vec<Option<Result<RecordBatch, arrow::error::ArrowError>>> =
            self.readers.par_iter_mut().map(Iterator::next).collect();
        let mut arrays = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Some(Ok(part)) => arrays.push(Arc::clone(part.column(0))),
                Some(Err(error)) => {
                    self.rows_left = 0;
                    return Some(Err(broken(Box::new(error))));
                }
                None => {
                    self.rows_left = 0;
                    return Some(Err(broken("a column ends before the others".into())));
                }
            }
        }
        let rows = arrays.first().map_or(self.rows_left as usize, Array::len);
        self.rows_left = self.rows_left.saturating_sub(rows as u64);
        Some(batch_of(&self.schema, arrays, rows).map_err(|error| broken(Box::new(error))))
    }
}

fn batch_of(schema: &SchemaRef, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, arrow::error::ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)
}

fn sorted(columns: &[usize]) -> Vec<usize> {
    let mut projection = columns.to_vec();
    projection.sort_unstable();
    projection.dedup();
    projection
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

/// Tells whether every page of a column is dictionary-encoded, so that reading it as a dictionary costs nothing.
fn is_dictionary_encoded(metadata: &ArrowReaderMetadata, root: usize) -> bool {
    let schema = metadata.parquet_schema();
    let Some(leaf) = (0..schema.num_columns()).find(|&leaf| schema.get_column_root_idx(leaf) == root) else {
        return false;
    };
    metadata.metadata().row_groups().iter().all(|group| {
        let chunk = group.column(leaf);
        chunk.dictionary_page_offset().is_some()
            && chunk
                .page_encoding_stats_mask()
                .is_some_and(|mask| mask.is_only(Encoding::RLE_DICTIONARY) || mask.is_only(Encoding::PLAIN_DICTIONARY))
    })
}

/// Gives text columns of any layout as `Utf8`.
fn with_plain_text(batch: &RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
    let mut fields = Vec::with_capacity(batch.num_columns());
    let mut arrays = Vec::with_capacity(batch.num_columns());
    for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        let is_plain = match array.data_type() {
            DataType::Dictionary(key, value) => **key == DataType::Int32 && **value == DataType::Utf8,
            other => *other == DataType::Utf8,
        };
        let array =
            if is_text(array.data_type()) && !is_plain { cast(array, &DataType::Utf8)? } else { Arc::clone(array) };
        fields.push(field.as_ref().clone().with_data_type(array.data_type().clone()));
        arrays.push(array);
    }
    batch_of(&Arc::new(Schema::new(fields)), arrays, batch.num_rows())
}
