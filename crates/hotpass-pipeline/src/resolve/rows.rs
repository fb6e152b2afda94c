//! The input rows in their order, with the entity of each.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use hotpass_core::{AtomicFile, Clock};
use parquet::arrow::add_encoded_arrow_schema_to_metadata;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type as ParquetInt64};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::checks::ColumnOperators;
use super::error::ResolveError;
use super::input::{InputTable, Reading};
use crate::publish::{PublishError, TableFormat, TableWriter};

/// Rows of the entity column that are made at a time.
const SLICE_ROWS: usize = 65_536;

/// A column that is added to the input rows.
pub(super) struct AddedColumn<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Its type: `Int64` or `Utf8`, never null.
    pub(super) data_type: DataType,
    /// Gives its values for a range of input rows, all tables one after the other.
    pub(super) values: &'a dyn Fn(Range<usize>) -> ArrayRef,
}

/// Writes the rows of all tables, one table after the other, with an entity column; returns the number of rows.
///
/// Where several sources are stacked, `source_dataset` names the source of each row, unless the inputs have such a column. A column
/// whose type differs between the tables becomes text. From one Parquet file to another, columns are copied as they are stored.
pub(super) fn write_rows(
    path: &Path,
    tables: &[InputTable],
    source_column: &str,
    entity: &AddedColumn<'_>,
    operators: &ColumnOperators,
    clock: Clock,
) -> Result<u64, ResolveError> {
    if let Some(table) = tables.iter().find(|table| table.schema.field_with_name(entity.name).is_ok()) {
        return Err(ResolveError::request(
            format!("`{}` has a column `{}` already", table.title(), entity.name),
            "Name the new column with `--entity-id-column`",
        ));
    }
    if let [table] = tables
        && operators.is_empty()
        && let Some(metadata) = table.parquet_metadata()
        && TableFormat::from_path(path)? == TableFormat::Parquet
    {
        return copy_parquet(path, table, metadata, entity);
    }
    let several = tables.iter().any(|table| table.source != tables[0].source);
    let adds_source = several && tables.iter().all(|table| table.schema.field_with_name(source_column).is_err());
    let inputs = united(tables);
    let mut fields: Vec<Arc<Field>> = inputs.fields().iter().cloned().collect();
    if adds_source {
        fields.push(Arc::new(Field::new(source_column, DataType::Utf8, false)));
    }
    fields.push(Arc::new(Field::new(entity.name, entity.data_type.clone(), false)));
    let schema = Arc::new(Schema::new(fields));
    let mut writer = TableWriter::create(path, &Arc::new(operators.schema(&schema)), clock)?;
    let mut start = 0;
    for table in tables {
        for batch in table.scan(None, Reading::AsStored)? {
            let batch = batch?;
            let rows = batch.num_rows();
            let mut arrays = Vec::with_capacity(schema.fields().len());
            for field in inputs.fields() {
                arrays.push(match batch.column_by_name(field.name()) {
                    Some(array) if array.data_type() == field.data_type() => Arc::clone(array),
                    Some(array) => cast(array, field.data_type())
                        .map_err(|error| ResolveError::engine("Stacking the inputs", error))?,
                    None => new_null_array(field.data_type(), rows),
                });
            }
            if adds_source {
                arrays.push(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(&table.source, rows))));
            }
            arrays.push((entity.values)(start..start + rows));
            start += rows;
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)
                .map_err(|error| ResolveError::engine("Adding the entities", error))?;
            writer.write(&operators.apply(&batch)?)?;
        }
    }
    Ok(writer.finish()?)
}

/// Gives the columns of all tables, in order of first appearance.
fn united(tables: &[InputTable]) -> SchemaRef {
    if let [table] = tables {
        return Arc::clone(&table.schema);
    }
    let mut fields: Vec<Field> = Vec::new();
    for table in tables {
        for field in table.schema.fields() {
            match fields.iter_mut().find(|known| known.name() == field.name()) {
                None => fields.push(field.as_ref().clone().with_nullable(true)),
                Some(known) if known.data_type() != field.data_type() => {
                    *known = Field::new(known.name(), DataType::Utf8, true);
                }
                Some(_) => {}
            }
        }
    }
    Arc::new(Schema::new(fields))
}

/// Copies the column chunks of a Parquet file as they are and adds a column to each row group.
fn copy_parquet(
    path: &Path,
    table: &InputTable,
    metadata: &ArrowReaderMetadata,
    entity: &AddedColumn<'_>,
) -> Result<u64, ResolveError> {
    let file = AtomicFile::create(path).map_err(|source| PublishError::Write { path: path.to_path_buf(), source })?;
    let source =
        File::open(&table.path).map_err(|source| ResolveError::ReadInput { path: table.path.clone(), source })?;
    let file = copied(file, &source, table, metadata, entity).map_err(|error| PublishError::parquet(path, error))?;
    file.commit().map_err(|source| PublishError::Write { path: path.to_path_buf(), source })?;
    Ok(table.n_rows.unwrap_or_default())
}

fn copied(
    file: AtomicFile,
    source: &File,
    table: &InputTable,
    metadata: &ArrowReaderMetadata,
    entity: &AddedColumn<'_>,
) -> ParquetResult<AtomicFile> {
    let schema = metadata.metadata().file_metadata().schema_descr().root_schema();
    let mut fields = schema.get_fields().to_vec();
    let added = if entity.data_type == DataType::Int64 {
        Type::primitive_type_builder(entity.name, PhysicalType::INT64)
    } else {
        Type::primitive_type_builder(entity.name, PhysicalType::BYTE_ARRAY).with_logical_type(Some(LogicalType::String))
    };
    fields.push(Arc::new(added.with_repetition(Repetition::REQUIRED).build()?));
    let schema = Type::group_type_builder(schema.name()).with_fields(fields).build()?;
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("hotpass version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_dictionary_enabled(false)
        // The copied columns come without an offset index, and a row group has one for all columns or for none.
        .set_offset_index_disabled(true)
        .build();
    let mut arrow_fields: Vec<Arc<Field>> = table.schema.fields().iter().cloned().collect();
    arrow_fields.push(Arc::new(Field::new(entity.name, entity.data_type.clone(), false)));
    add_encoded_arrow_schema_to_metadata(&Schema::new(arrow_fields), &mut properties);
    let mut writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))?;
    let mut start = 0;
    for group in metadata.metadata().row_groups() {
        let rows = usize::try_from(group.num_rows()).unwrap_or_default();
        let mut row_group = writer.next_row_group()?;
        for chunk in group.columns() {
            let close = ColumnCloseResult {
                bytes_written: u64::try_from(chunk.compressed_size()).unwrap_or_default(),
                rows_written: rows as u64,
                metadata: chunk.clone(),
                bloom_filter: None,
                column_index: None,
                offset_index: None,
            };
            row_group.append_column(source, close)?;
        }
        append_entities(&mut row_group, start..start + rows, entity)?;
        row_group.close()?;
        start += rows;
    }
    writer.into_inner()
}

fn append_entities<W: Write + Send>(
    row_group: &mut SerializedRowGroupWriter<'_, W>,
    rows: Range<usize>,
    entity: &AddedColumn<'_>,
) -> ParquetResult<()> {
    let missing = || ParquetError::General("the added column has no writer".to_owned());
    let mut column = row_group.next_column()?.ok_or_else(missing)?;
    for start in rows.clone().step_by(SLICE_ROWS) {
        let values = (entity.values)(start..rows.end.min(start + SLICE_ROWS));
        if entity.data_type == DataType::Int64 {
            column.typed::<ParquetInt64>().write_batch(values.as_primitive::<Int64Type>().values(), None, None)?;
        } else {
            let texts: Vec<ByteArray> =
                values.as_string::<i32>().iter().map(|text| ByteArray::from(text.unwrap_or_default())).collect();
            column.typed::<ByteArrayType>().write_batch(&texts, None, None)?;
        }
    }
    column.close()
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;
    use hotpass_ingest::ReadOptions;
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::super::input::open_inputs;
    use super::*;

    fn people(folder: &Path, name: &str, first: i64) -> std::path::PathBuf {
        let path = folder.join(name);
        let batch = RecordBatch::try_from_iter([
            ("unique_id", Arc::new(Int64Array::from_iter_values(first..first + 5)) as ArrayRef),
            ("name", Arc::new(StringArray::from(vec![Some("ann"), None, Some("bob"), Some("ann"), Some("")]))),
        ])
        .unwrap();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        path
    }

    fn read(path: &Path) -> RecordBatch {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
        let schema = Arc::clone(reader.schema());
        let batches: Vec<RecordBatch> = reader.build().unwrap().collect::<Result<_, _>>().unwrap();
        arrow::compute::concat_batches(&schema, &batches).unwrap()
    }

    fn check(paths: &[std::path::PathBuf], data_type: DataType, columns: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out.parquet");
        let tables = open_inputs(paths, &ReadOptions::default()).unwrap();
        let number =
            |range: Range<usize>| Arc::new(Int64Array::from_iter_values(range.map(|row| row as i64 * 10))) as ArrayRef;
        let text = |range: Range<usize>| cast(&number(range), &DataType::Utf8).unwrap();
        let values: &dyn Fn(Range<usize>) -> ArrayRef = if data_type == DataType::Int64 { &number } else { &text };
        let entity = AddedColumn { name: "entity_id", data_type, values };
        let rows =
            write_rows(&out, &tables, "source_dataset", &entity, &ColumnOperators::default(), Clock::fixed_seconds(0))
                .unwrap();
        let written = read(&out);
        assert_eq!((written.num_rows(), rows), (5 * paths.len(), 5 * paths.len() as u64));
        let names: Vec<&str> = written.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, columns);
        for (at, path) in paths.iter().enumerate() {
            let input = read(path);
            for (column, array) in input.schema_ref().fields().iter().zip(input.columns()) {
                assert_eq!(&written.column_by_name(column.name()).unwrap().slice(at * 5, 5), array);
            }
        }
        assert_eq!(written.column_by_name("entity_id").unwrap(), &values(0..5 * paths.len()));
    }

    #[test]
    fn rows_keep_their_order_and_get_an_entity() {
        let folder = tempfile::tempdir().unwrap();
        let one = people(folder.path(), "one.parquet", 0);
        let two = people(folder.path(), "two.parquet", 100);
        check(std::slice::from_ref(&one), DataType::Int64, &["unique_id", "name", "entity_id"]);
        check(std::slice::from_ref(&one), DataType::Utf8, &["unique_id", "name", "entity_id"]);
        check(&[one, two], DataType::Utf8, &["unique_id", "name", "source_dataset", "entity_id"]);
    }
}
