//! JSON files: an array with one object per line, or one object per line.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType};
use arrow::error::ArrowError;
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use arrow::record_batch::RecordBatch;
use hotpass_core::AtomicFile;
use rayon::prelude::*;

use super::columns::{slices, timestamp_text};
use super::{PublishError, WrittenFile, count_rows, create, finish};

/// Rows that are encoded at a time by a thread.
const SLICE_ROWS: usize = 8192;

/// How the objects are held together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One array.
    Array,
    /// Lines.
    Lines,
}

/// Writes a table; missing values are `null`, dates and moments ISO 8601 text.
pub(super) fn write_json(path: &Path, batches: &[RecordBatch], shape: Shape) -> Result<WrittenFile, PublishError> {
    let mut file = create(path)?;
    let write =
        |file: &mut AtomicFile, bytes: &[u8]| file.write_all(bytes).map_err(|source| PublishError::write(path, source));
    if shape == Shape::Array {
        write(&mut file, b"[")?;
    }
    append(&mut file, path, batches, shape, &mut true)?;
    if shape == Shape::Array {
        write(&mut file, b"\n]\n")?;
    }
    finish(file, path, Some(count_rows(batches)))
}

/// Adds the objects of batches; `first` tells whether none stands before them.
pub(super) fn append(
    file: &mut AtomicFile,
    path: &Path,
    batches: &[RecordBatch],
    shape: Shape,
    first: &mut bool,
) -> Result<(), PublishError> {
    let mut write = |bytes: &[u8]| file.write_all(bytes).map_err(|source| PublishError::write(path, source));
    for window in slices(batches, SLICE_ROWS).chunks(2 * rayon::current_num_threads().max(1)) {
        let encoded: Vec<Vec<u8>> = window
            .par_iter()
            .map(lines)
            .collect::<Result<_, ArrowError>>()
            .map_err(|error| PublishError::encode(path, error))?;
        for lines in encoded {
            match shape {
                Shape::Lines => write(&lines)?,
                // Line breaks inside JSON text are escaped, so each line is one object.
                Shape::Array => {
                    for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
                        write(if *first { b"\n" } else { b",\n" })?;
                        write(line)?;
                        *first = false;
                    }
                }
            }
        }
    }
    Ok(())
}

fn lines(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
    writer.write(&with_moments_as_text(batch)?)?;
    writer.finish()?;
    Ok(writer.into_inner())
}

/// Writes moments as text first, since the encoder knows time zones by offset only and these are in `UTC`.
fn with_moments_as_text(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_from_iter_with_nullable(batch.schema().fields().iter().zip(batch.columns()).map(
        |(field, column)| {
            let column: ArrayRef = match column.data_type() {
                DataType::Timestamp(TimeUnit::Millisecond, _) => Arc::new(
                    column
                        .as_primitive::<TimestampMillisecondType>()
                        .iter()
                        .map(|moment| moment.map(timestamp_text))
                        .collect::<StringArray>(),
                ),
                _ => Arc::clone(column),
            };
            (field.name().clone(), column, true)
        },
    ))
}
