//! Kept pairs: in memory up to a limit, beyond it in a temporary file.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{AsArray, Float64Array, RecordBatch, UInt16Array, UInt32Array};
use arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef, UInt16Type, UInt32Type};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use super::{PAIR_BYTES, ScoredPairs};
use crate::error::LinkError;

/// Pairs of a chunk, in memory and in the file.
const CHUNK: usize = 1 << 16;

/// The pairs that a run kept.
#[derive(Debug)]
pub struct Predictions {
    /// For each rule the number of candidate pairs that it was the first to find, kept or not.
    pub candidates_by_rule: Vec<u64>,
    chunks: Vec<ScoredPairs>,
    n_pairs: u64,
    /// Bytes for pairs in memory.
    budget: Option<u64>,
    directory: Option<PathBuf>,
    spill: Option<Spill>,
}

enum Spill {
    Writing(Box<StreamWriter<BufWriter<File>>>),
    Done(File),
}

impl std::fmt::Debug for Spill {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Spill")
    }
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("left", DataType::UInt32, false),
        Field::new("right", DataType::UInt32, false),
        Field::new("match_weight", DataType::Float64, false),
        Field::new("rule", DataType::UInt16, false),
    ]))
}

fn io(error: ArrowError) -> LinkError {
    match error {
        ArrowError::IoError(_, error) => LinkError::Spill(error),
        other => LinkError::Spill(std::io::Error::other(other)),
    }
}

impl ScoredPairs {
    /// Gives some of the pairs.
    #[must_use]
    pub fn slice(&self, begin: usize, len: usize) -> Self {
        let range = begin..begin + len;
        Self {
            left: self.left[range.clone()].to_vec(),
            right: self.right[range.clone()].to_vec(),
            match_weight: self.match_weight[range.clone()].to_vec(),
            rule: self.rule[range].to_vec(),
        }
    }

    fn write(&self) -> Result<RecordBatch, ArrowError> {
        RecordBatch::try_new(
            schema(),
            vec![
                Arc::new(UInt32Array::from(self.left.clone())),
                Arc::new(UInt32Array::from(self.right.clone())),
                Arc::new(Float64Array::from(self.match_weight.clone())),
                Arc::new(UInt16Array::from(self.rule.clone())),
            ],
        )
    }

    fn read(batch: &RecordBatch) -> Self {
        Self {
            left: batch.column(0).as_primitive::<UInt32Type>().values().to_vec(),
            right: batch.column(1).as_primitive::<UInt32Type>().values().to_vec(),
            match_weight: batch.column(2).as_primitive::<Float64Type>().values().to_vec(),
            rule: batch.column(3).as_primitive::<UInt16Type>().values().to_vec(),
        }
    }
}

impl Predictions {
    pub(super) fn new(budget: Option<u64>, directory: Option<PathBuf>) -> Self {
        Self { candidates_by_rule: Vec::new(), chunks: Vec::new(), n_pairs: 0, budget, directory, spill: None }
    }

    pub(super) fn push(&mut self, pairs: ScoredPairs) -> Result<(), LinkError> {
        self.n_pairs += pairs.len() as u64;
        if let Some(Spill::Writing(writer)) = &mut self.spill {
            return if pairs.is_empty() { Ok(()) } else { writer.write(&pairs.write().map_err(io)?).map_err(io) };
        }
        match self.chunks.last_mut().filter(|last| last.len() + pairs.len() <= CHUNK) {
            Some(last) => last.append(&pairs),
            None if pairs.is_empty() => {}
            None => self.chunks.push(pairs),
        }
        if let Some(budget) = self.budget.filter(|budget| self.n_pairs * PAIR_BYTES > *budget) {
            let Some(directory) = &self.directory else {
                let (limit, needed) = (budget, self.n_pairs * PAIR_BYTES);
                return Err(LinkError::MemoryLimit {
                    limit,
                    needed,
                    what: "the pairs kept so far; raise it or the threshold, or give a place to spill to",
                });
            };
            let file = tempfile::tempfile_in(directory).map_err(LinkError::Spill)?;
            let mut writer = Box::new(StreamWriter::try_new(BufWriter::new(file), &schema()).map_err(io)?);
            for chunk in self.chunks.drain(..) {
                writer.write(&chunk.write().map_err(io)?).map_err(io)?;
            }
            self.spill = Some(Spill::Writing(writer));
        }
        Ok(())
    }

    /// Ends writing, so that pairs can be read.
    pub(super) fn finish(mut self) -> Result<Self, LinkError> {
        if let Some(Spill::Writing(mut writer)) = self.spill.take() {
            writer.finish().map_err(io)?;
            let file =
                writer.into_inner().map_err(io)?.into_inner().map_err(|error| LinkError::Spill(error.into_error()))?;
            self.spill = Some(Spill::Done(file));
        }
        Ok(self)
    }

    /// Gives the number of pairs.
    pub fn len(&self) -> u64 {
        self.n_pairs
    }

    /// Tells whether no pair was kept.
    pub fn is_empty(&self) -> bool {
        self.n_pairs == 0
    }

    /// Gives the number of candidate pairs, kept or not.
    pub fn n_candidates(&self) -> u64 {
        self.candidates_by_rule.iter().sum()
    }

    /// Tells whether pairs were spilled to a temporary file.
    pub fn is_spilled(&self) -> bool {
        self.spill.is_some()
    }

    /// Gives the bytes on the heap that kept pairs take.
    pub fn heap_bytes(&self) -> u64 {
        self.chunks.iter().map(ScoredPairs::heap_bytes).sum()
    }

    /// Gives the rows of all pairs, left record first, as clustering takes them.
    ///
    /// # Errors
    ///
    /// When spilled pairs cannot be read.
    pub fn rows(&self) -> Result<Vec<(u32, u32)>, LinkError> {
        let mut rows = Vec::new();
        for chunk in self.chunks() {
            let chunk = chunk?;
            rows.extend(chunk.left.into_iter().zip(chunk.right));
        }
        Ok(rows)
    }

    /// Gives the pairs chunk by chunk.
    pub fn chunks(&self) -> PairChunks<'_> {
        let spilled = match &self.spill {
            Some(Spill::Done(file)) => Some(open(file)),
            _ => None,
        };
        PairChunks { chunks: self.chunks.iter(), spilled }
    }
}

fn open(file: &File) -> Result<StreamReader<BufReader<File>>, LinkError> {
    let mut file = file.try_clone().map_err(LinkError::Spill)?;
    file.seek(SeekFrom::Start(0)).map_err(LinkError::Spill)?;
    StreamReader::try_new(BufReader::new(file), None).map_err(io)
}

/// Pairs chunk by chunk, from memory or from the temporary file. One walk at a time when pairs were spilled.
pub struct PairChunks<'p> {
    chunks: std::slice::Iter<'p, ScoredPairs>,
    spilled: Option<Result<StreamReader<BufReader<File>>, LinkError>>,
}

impl Iterator for PairChunks<'_> {
    type Item = Result<ScoredPairs, LinkError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.spilled.take() {
            None => self.chunks.next().cloned().map(Ok),
            Some(Err(error)) => Some(Err(error)),
            Some(Ok(mut reader)) => {
                let batch = reader.next();
                self.spilled = batch.is_some().then_some(Ok(reader));
                batch.map(|batch| batch.map(|batch| ScoredPairs::read(&batch)).map_err(io))
            }
        }
    }
}
