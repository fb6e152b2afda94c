//! What a column looks like: fill, distinct values, most frequent values and shapes, lengths.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::array::{Array, StringArray, cast::AsArray};
use arrow::record_batch::RecordBatch;
use hotpass_core::mask;
use serde::{Deserialize, Serialize};

use crate::table::{ContentType, TableSchema};

/// Distinct values that are counted one by one; more are estimated.
const COUNTED_VALUES: usize = 10_000;

/// Distinct shapes that are counted; values of further shapes count as `other`.
const COUNTED_SHAPES: usize = 1_000;

/// Hashes kept to estimate the number of distinct values: standard error 1/√1022, about 3 %.
const KEPT_HASHES: usize = 1_024;

/// How a profile shows values, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfileOptions {
    /// Values themselves instead of their shapes.
    pub show_values: bool,
    /// Most frequent values and shapes, each.
    pub top: usize,
    /// First distinct values.
    pub samples: usize,
}

impl Default for ProfileOptions {
    fn default() -> Self {
        Self { show_values: false, top: 5, samples: 3 }
    }
}

/// A value, or its shape, and how often it occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueCount {
    /// Value or shape.
    pub value: String,
    /// Number of cells.
    pub count: u64,
}

/// The profile of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// Repaired name.
    pub name: String,
    /// Header as the source writes it.
    pub header: String,
    /// What the values are.
    pub content_type: ContentType,
    /// Rows looked at.
    pub rows: u64,
    /// Cells with a value.
    pub present: u64,
    /// Share of the cells with a value, 0 to 1; 0 without rows.
    pub fill: f64,
    /// Number of distinct values.
    pub distinct: u64,
    /// Whether `distinct` is counted; else it is an estimate with a standard error of 3 %.
    pub distinct_is_exact: bool,
    /// Most frequent values, most frequent first; of columns with over 10,000 distinct values, among the first 10,000.
    pub top: Vec<ValueCount>,
    /// First distinct values.
    pub samples: Vec<String>,
    /// Whether `top` and `samples` show shapes in place of values.
    pub masked: bool,
    /// Most frequent shapes: `X` a capital, `x` another letter, `9` a digit.
    pub patterns: Vec<ValueCount>,
    /// Length of the shortest value, in characters; absent without values.
    pub min_length: Option<u64>,
    /// Length of the longest value, in characters; absent without values.
    pub max_length: Option<u64>,
}

/// Collects the profile of a table, batch by batch.
#[derive(Debug, Default)]
pub struct TableProfiler {
    columns: Vec<ColumnCounts>,
}

impl TableProfiler {
    /// Starts without rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the rows of a batch with [`crate::table::ROW_COLUMN`] first and then the columns of the table's schema.
    pub fn add(&mut self, batch: &RecordBatch) {
        let columns = batch.num_columns().saturating_sub(1);
        if self.columns.len() < columns {
            self.columns.resize_with(columns, ColumnCounts::default);
        }
        for (counts, array) in self.columns.iter_mut().zip(batch.columns().iter().skip(1)) {
            if let Some(values) = array.as_string_opt::<i32>() {
                counts.add(values);
            }
        }
    }

    /// Returns the profile of each column of the schema.
    pub fn finish(self, schema: &TableSchema, options: ProfileOptions) -> Vec<ColumnProfile> {
        let mut counts = self.columns;
        counts.resize_with(schema.columns.len(), ColumnCounts::default);
        schema
            .columns
            .iter()
            .zip(counts)
            .map(|(column, counts)| {
                let mut profile = counts.finish(options);
                profile.name.clone_from(&column.name);
                profile.header.clone_from(&column.raw_header);
                profile.content_type = column.content.content_type;
                profile
            })
            .collect()
    }
}

#[derive(Debug, Default)]
struct ColumnCounts {
    rows: u64,
    present: u64,
    values: HashMap<String, u64>,
    first_values: Vec<String>,
    smallest_hashes: BTreeSet<u64>,
    shapes: HashMap<String, u64>,
    other_shapes: u64,
    min_length: Option<u64>,
    max_length: Option<u64>,
}

impl ColumnCounts {
    fn add(&mut self, values: &StringArray) {
        self.rows += values.len() as u64;
        for value in values.iter().flatten() {
            self.present += 1;
            let length = value.chars().count() as u64;
            self.min_length = Some(self.min_length.map_or(length, |shortest| shortest.min(length)));
            self.max_length = Some(self.max_length.map_or(length, |longest| longest.max(length)));
            self.count_value(value);
            let shape = mask(value);
            if let Some(count) = self.shapes.get_mut(&shape) {
                *count += 1;
            } else if self.shapes.len() < COUNTED_SHAPES {
                self.shapes.insert(shape, 1);
            } else {
                self.other_shapes += 1;
            }
        }
    }

    fn count_value(&mut self, value: &str) {
        self.keep_hash(value);
        if let Some(count) = self.values.get_mut(value) {
            *count += 1;
        } else if self.values.len() < COUNTED_VALUES {
            if self.first_values.len() < 16 {
                self.first_values.push(value.to_owned());
            }
            self.values.insert(value.to_owned(), 1);
        }
    }

    fn keep_hash(&mut self, value: &str) {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        let hash = hasher.finish();
        if self.smallest_hashes.len() < KEPT_HASHES {
            self.smallest_hashes.insert(hash);
        } else if self.smallest_hashes.last().is_some_and(|&largest| hash < largest)
            && self.smallest_hashes.insert(hash)
        {
            self.smallest_hashes.pop_last();
        }
    }

    /// Returns the number of distinct values and whether it is exact.
    ///
    /// The estimate is (k − 1) / h, with h the k-th smallest hash as a part of all hashes (Bar-Yossef et al., *Counting
    /// Distinct Elements in a Data Stream*, 2002).
    fn distinct(&self) -> (u64, bool) {
        if self.values.len() < COUNTED_VALUES {
            return (self.values.len() as u64, true);
        }
        let Some(&largest) = self.smallest_hashes.last() else { return (0, true) };
        let part = (largest as f64 + 1.0) / (u64::MAX as f64 + 1.0);
        let estimate = ((self.smallest_hashes.len() - 1) as f64 / part).round() as u64;
        (estimate.clamp(COUNTED_VALUES as u64, self.present), false)
    }

    fn finish(self, options: ProfileOptions) -> ColumnProfile {
        let (distinct, distinct_is_exact) = self.distinct();
        let shown = |value: &str| if options.show_values { value.to_owned() } else { mask(value) };
        let mut patterns = most_frequent(self.shapes.iter(), options.top);
        if self.other_shapes > 0 && patterns.len() < options.top {
            patterns.push(ValueCount { value: "other".into(), count: self.other_shapes });
        }
        ColumnProfile {
            name: String::new(),
            header: String::new(),
            content_type: ContentType::Empty,
            rows: self.rows,
            present: self.present,
            fill: if self.rows == 0 { 0.0 } else { self.present as f64 / self.rows as f64 },
            distinct,
            distinct_is_exact,
            top: most_frequent(self.values.iter(), options.top)
                .into_iter()
                .map(|entry| ValueCount { value: shown(&entry.value), count: entry.count })
                .collect(),
            samples: self.first_values.iter().take(options.samples).map(|value| shown(value)).collect(),
            masked: !options.show_values,
            patterns,
            min_length: self.min_length,
            max_length: self.max_length,
        }
    }
}

fn most_frequent<'a>(counts: impl Iterator<Item = (&'a String, &'a u64)>, top: usize) -> Vec<ValueCount> {
    let mut counts: Vec<(&String, u64)> = counts.map(|(value, count)| (value, *count)).collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    counts.into_iter().take(top).map(|(value, count)| ValueCount { value: value.clone(), count }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(values: impl Iterator<Item = Option<String>>, show_values: bool) -> ColumnProfile {
        let mut counts = ColumnCounts::default();
        counts.add(&values.collect::<StringArray>());
        counts.finish(ProfileOptions { show_values, ..ProfileOptions::default() })
    }

    #[test]
    fn values_are_counted_and_masked() {
        let values = ["Ann 1", "Ann 1", "Bo", "-"].map(|value| (value != "-").then(|| value.to_owned()));
        let masked = profile(values.clone().into_iter(), false);
        assert_eq!((masked.rows, masked.present, masked.distinct, masked.distinct_is_exact), (4, 3, 2, true));
        assert_eq!(masked.top[0], ValueCount { value: "Xxx 9".into(), count: 2 });
        assert_eq!(masked.samples, ["Xxx 9", "Xx"]);
        assert_eq!((masked.min_length, masked.max_length), (Some(2), Some(5)));
        assert!((masked.fill - 0.75).abs() < 1e-12);
        assert_eq!(profile(values.into_iter(), true).samples, ["Ann 1", "Bo"]);
    }

    #[test]
    fn many_distinct_values_are_estimated() {
        let profile = profile((0..50_000).map(|number| Some(format!("value {number}"))), false);
        assert!(!profile.distinct_is_exact);
        assert!((45_000..=55_000).contains(&profile.distinct), "{}", profile.distinct);
    }

    #[test]
    fn a_column_without_rows_has_a_profile() {
        let profile = profile(std::iter::empty(), false);
        assert_eq!((profile.rows, profile.distinct, profile.min_length), (0, 0, None));
    }
}
