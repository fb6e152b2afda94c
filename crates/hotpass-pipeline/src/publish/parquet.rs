//! Parquet files whose column chunks are encoded at the same time.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;

use super::{FileMetadata, PublishError, WrittenFile, count_rows, create, finish};

/// Rows of a row group. Large enough for dictionaries to pay, small enough that two row groups in memory do not count.
pub(super) const ROW_GROUP_ROWS: usize = 131_072;

/// Text columns whose values seldom repeat: a dictionary would only be built to be thrown away.
const UNIQUE_COLUMNS: &[&str] = &[
    "selection_provenance",
    "source_record_ids",
    "value",
    "raw_value",
    "values",
    "alternatives",
    "record_id_l",
    "record_id_r",
    "record_id",
    "organization_slug",
    "organization_name",
    "address_primary",
    "contact_secondary_emails",
    "contact_primary_email",
];

/// Columns that queries filter on and whose order follows the file's, so that minimum and maximum skip row groups.
const STATISTICS_COLUMNS: &[&str] =
    &["organization_name", "organization_slug", "source_file", "row", "data_quality_score", "last_interaction_date"];

/// Writes a table as parquet: zstd, run id and configuration digest in the key-value metadata, bloom filters on `entity_id`.
///
/// Row groups are cut by rows, so the bytes do not depend on how the table is split into batches or on the number of threads.
///
/// # Errors
///
/// Returns [`PublishError::Write`] when the disk refuses, [`PublishError::Encode`] when `batches` is empty.
pub fn write_parquet(
    path: &Path,
    batches: &[RecordBatch],
    metadata: &FileMetadata<'_>,
) -> Result<WrittenFile, PublishError> {
    let Some(first) = batches.first() else {
        return Err(PublishError::encode(path, "the table has no batch"));
    };
    let schema = first.schema();
    let file = create(path)?;
    let file = encode(file, &schema, batches, properties(&schema, metadata))
        .map_err(|error| PublishError::parquet(path, error))?;
    finish(file, path, Some(count_rows(batches)))
}

fn properties(schema: &Schema, metadata: &FileMetadata<'_>) -> WriterProperties {
    let pair = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("hotpass version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_write_batch_size(8192)
        .set_key_value_metadata(Some(vec![
            pair("hotpass.run_id", metadata.run_id),
            pair("hotpass.config_digest", metadata.config_digest),
        ]));
    for field in schema.fields() {
        let name = field.name().as_str();
        let column = ColumnPath::from(name);
        if UNIQUE_COLUMNS.contains(&name) {
            builder = builder.set_column_dictionary_enabled(column.clone(), false);
        }
        if STATISTICS_COLUMNS.contains(&name) {
            builder = builder.set_column_statistics_enabled(column.clone(), EnabledStatistics::Chunk);
        }
        if name == "entity_id" {
            builder =
                builder.set_column_bloom_filter_enabled(column.clone(), true).set_column_bloom_filter_fpp(column, 0.01);
        }
    }
    for leaf in ["value", "raw_value"] {
        let path = ColumnPath::new(["losing_cells", "list", "item", leaf].map(str::to_owned).to_vec());
        builder = builder.set_column_dictionary_enabled(path, false);
    }
    builder.build()
}

fn encode<W: std::io::Write + Send>(
    file: W,
    schema: &Arc<Schema>,
    batches: &[RecordBatch],
    properties: WriterProperties,
) -> ParquetResult<W> {
    let (mut writer, factory) =
        ArrowWriter::try_new(file, Arc::clone(schema), Some(properties))?.into_serialized_writer()?;
    encode_groups(&mut writer, &factory, schema, &row_groups(batches), 0)?;
    writer.into_inner()
}

/// Encodes the columns of row groups at the same time and appends them; `first` is the number of the first row group.
pub(super) fn encode_groups<W: std::io::Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    factory: &ArrowRowGroupWriterFactory,
    schema: &Arc<Schema>,
    groups: &[Vec<RecordBatch>],
    first: usize,
) -> ParquetResult<()> {
    for (window_index, window) in groups.chunks(rayon::current_num_threads().max(1)).enumerate() {
        let mut tasks = Vec::new();
        for (index, group) in window.iter().enumerate() {
            let row_group = first + window_index * rayon::current_num_threads().max(1) + index;
            let mut writers = factory.create_column_writers(row_group)?.into_iter();
            for (column, field) in schema.fields().iter().enumerate() {
                let leaves: Vec<ArrowColumnWriter> = writers.by_ref().take(leaf_count(field.data_type())).collect();
                tasks.push((index, column, group, leaves));
            }
        }
        let encoded: Vec<(usize, Vec<ArrowColumnChunk>)> = tasks
            .into_par_iter()
            .map(|(index, column, group, leaves)| Ok((index, encode_column(schema, column, group, leaves)?)))
            .collect::<ParquetResult<_>>()?;
        let mut encoded = encoded.into_iter().peekable();
        for index in 0..window.len() {
            let mut row_group = writer.next_row_group()?;
            while let Some((_, chunks)) = encoded.next_if(|(of, _)| *of == index) {
                for chunk in chunks {
                    chunk.append_to_row_group(&mut row_group)?;
                }
            }
            row_group.close()?;
        }
    }
    Ok(())
}

fn encode_column(
    schema: &Schema,
    column: usize,
    group: &[RecordBatch],
    mut writers: Vec<ArrowColumnWriter>,
) -> ParquetResult<Vec<ArrowColumnChunk>> {
    let parts: Vec<&dyn Array> = group.iter().map(|batch| batch.column(column).as_ref()).collect();
    // One array gives the same pages however the table was cut; only text beyond what 32-bit offsets hold stays in parts.
    let whole: Vec<ArrayRef> = if parts.len() == 1 || text_bytes(&parts) > i32::MAX as usize / 2 {
        group.iter().map(|batch| Arc::clone(batch.column(column))).collect()
    } else {
        vec![arrow::compute::concat(&parts).map_err(|error| ParquetError::External(Box::new(error)))?]
    };
    for array in &whole {
        for (writer, leaf) in writers.iter_mut().zip(compute_leaves(schema.field(column), array)?) {
            writer.write(&leaf)?;
        }
    }
    writers.into_iter().map(ArrowColumnWriter::close).collect()
}

fn text_bytes(parts: &[&dyn Array]) -> usize {
    parts
        .iter()
        .filter_map(|part| part.as_string_opt::<i32>())
        .map(|text| (text.value_offsets()[text.len()] - text.value_offsets()[0]) as usize)
        .sum()
}

/// Cuts the table into row groups of [`ROW_GROUP_ROWS`] rows, whatever its batches.
pub(super) fn row_groups(batches: &[RecordBatch]) -> Vec<Vec<RecordBatch>> {
    let mut groups = Vec::new();
    let mut group = Vec::new();
    let mut room = ROW_GROUP_ROWS;
    for batch in batches {
        let mut start = 0;
        while start < batch.num_rows() {
            let length = room.min(batch.num_rows() - start);
            group.push(batch.slice(start, length));
            start += length;
            room -= length;
            if room == 0 {
                groups.push(std::mem::take(&mut group));
                room = ROW_GROUP_ROWS;
            }
        }
    }
    if !group.is_empty() {
        groups.push(group);
    }
    groups
}

fn leaf_count(data_type: &DataType) -> usize {
    match data_type {
        DataType::Struct(fields) => fields.iter().map(|field| leaf_count(field.data_type())).sum(),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => leaf_count(item.data_type()),
        _ => 1,
    }
}
