//! Reading few columns and rows of a run's parquet tables.

use std::fs::File;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Scalar, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, UInt32Type};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowFilter,
};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::PageIndexPolicy;

/// A parquet file whose metadata is read.
pub(crate) struct Table {
    file: File,
    metadata: ArrowReaderMetadata,
}

impl Table {
    pub(crate) fn open(file: File) -> Result<Self> {
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let metadata = ArrowReaderMetadata::load(&file, options)?;
        Ok(Self { file, metadata })
    }

    pub(crate) fn rows(&self) -> u64 {
        self.metadata.metadata().file_metadata().num_rows().unsigned_abs()
    }

    /// Returns a value of the file's key-value metadata.
    pub(crate) fn key_value(&self, key: &str) -> Option<&str> {
        let pairs = self.metadata.metadata().file_metadata().key_value_metadata()?;
        pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
    }

    fn builder(&self) -> Result<ParquetRecordBatchReaderBuilder<File>> {
        Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.try_clone()?, self.metadata.clone())
            .with_batch_size(65_536))
    }

    fn projection(&self, columns: &[&str]) -> ProjectionMask {
        ProjectionMask::columns(self.metadata.parquet_schema(), columns.iter().copied())
    }

    /// Reads columns of all rows, batch by batch.
    pub(crate) fn scan(
        &self,
        columns: &[&str],
    ) -> Result<impl Iterator<Item = std::result::Result<RecordBatch, ArrowError>>> {
        self.builder()?.with_projection(self.projection(columns)).build()
    }

    /// Reads columns of one row, counted from 0.
    pub(crate) fn row(&self, row: usize, columns: &[&str]) -> Result<Option<RecordBatch>> {
        let mut reader =
            self.builder()?.with_projection(self.projection(columns)).with_offset(row).with_limit(1).build()?;
        Ok(reader.next().transpose()?)
    }

    /// Returns the row groups whose bloom filter does not rule a value of a text column out.
    fn row_groups_with(&self, column: &str, value: &str) -> Result<Vec<usize>> {
        let builder = self.builder()?;
        let metadata = self.metadata.metadata();
        let Some(index) = (0..metadata.file_metadata().schema_descr().num_columns())
            .find(|index| metadata.file_metadata().schema_descr().column(*index).path().string() == column)
        else {
            return Ok(Vec::new());
        };
        let mut groups = Vec::new();
        for group in 0..metadata.num_row_groups() {
            if builder.get_row_group_column_bloom_filter(group, index)?.is_none_or(|filter| filter.check(&value)) {
                groups.push(group);
            }
        }
        Ok(groups)
    }

    /// Reads all columns of the rows whose text column holds a value.
    pub(crate) fn rows_with(&self, column: &'static str, value: &str) -> Result<Vec<RecordBatch>> {
        let groups = self.row_groups_with(column, value)?;
        let wanted = value.to_owned();
        let predicate = ArrowPredicateFn::new(self.projection(&[column]), move |batch| equals(&batch, &wanted));
        let reader = self
            .builder()?
            .with_row_groups(groups)
            .with_row_filter(RowFilter::new(vec![Box::new(predicate)]))
            .build()?;
        Ok(reader.collect::<std::result::Result<_, _>>()?)
    }

    /// Returns the position of the first row whose text column holds a value, counted from 0.
    pub(crate) fn position_of(&self, column: &str, value: &str) -> Result<Option<u64>> {
        let metadata = self.metadata.metadata();
        for group in self.row_groups_with(column, value)? {
            let mut position: u64 = (0..group).map(|before| metadata.row_group(before).num_rows().unsigned_abs()).sum();
            let reader =
                self.builder()?.with_projection(self.projection(&[column])).with_row_groups(vec![group]).build()?;
            for batch in reader {
                let batch = batch?;
                let found = equals(&batch, value)?;
                if let Some(row) = (0..found.len()).find(|row| found.is_valid(*row) && found.value(*row)) {
                    return Ok(Some(position + row as u64));
                }
                position += batch.num_rows() as u64;
            }
        }
        Ok(None)
    }
}

fn equals(batch: &RecordBatch, value: &str) -> std::result::Result<BooleanArray, ArrowError> {
    let wanted = Scalar::new(StringArray::from(vec![value]));
    arrow::compute::kernels::cmp::eq(&cast(batch.column(0), &DataType::Utf8)?, &wanted)
}

/// Returns a text column of a batch.
pub(crate) fn text(batch: &RecordBatch, column: &str) -> Result<StringArray> {
    Ok(cast(named(batch, column)?, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// Returns a whole-number column of a batch.
pub(crate) fn number(batch: &RecordBatch, column: &str) -> Result<arrow::array::UInt32Array> {
    Ok(cast(named(batch, column)?, &DataType::UInt32)?.as_primitive::<UInt32Type>().clone())
}

fn named<'a>(batch: &'a RecordBatch, column: &str) -> Result<&'a ArrayRef> {
    batch
        .column_by_name(column)
        .ok_or_else(|| ParquetError::ArrowError(format!("Column `{column}` is missing from the table")))
}

/// Returns a text of an array, or nothing when it is missing.
pub(crate) fn optional(array: &StringArray, row: usize) -> Option<String> {
    array.is_valid(row).then(|| array.value(row).to_owned())
}
