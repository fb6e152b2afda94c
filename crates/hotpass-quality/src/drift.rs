//! Profiles of tables, and how far one has moved from another.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::BatchError;
use crate::suite::Interner;
use crate::values::{CellKind, Column, Reading};

/// Number of steps of the stored distribution of numbers.
const STEPS: usize = 1000;
/// Number of frequent values that a profile holds for each column.
const FREQUENT: usize = 100;
/// Rows that must share a value before a profile holds its hash: a value of fewer could be guessed and tell of one person.
const SHARED: u64 = 5;
/// Share that stands for an empty class, so that no logarithm is of zero.
const FLOOR: f64 = 1e-4;

/// What a table looked like: counts, fill and distributions, without any value of text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TableProfile {
    /// Number of rows.
    pub rows: u64,
    /// The columns by name.
    pub columns: BTreeMap<String, ColumnProfile>,
}

/// What a column looked like.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// Number of rows.
    pub rows: u64,
    /// Rows without a value; blank text is none.
    pub missing: u64,
    /// Number of distinct values.
    pub distinct: u64,
    /// Number, least, greatest, mean of numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberProfile>,
    /// The most frequent values, at most 100, that 5 rows or more share: hash of the value to number of rows. The hash is the
    /// first 8 bytes of SHA-256 over column and value, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub frequent: BTreeMap<String, u64>,
}

impl TableProfile {
    /// Drops what is known of the values of columns, so that nobody can try guesses on it; counts stay.
    #[must_use]
    pub fn without_values(mut self, personal: impl Fn(&str) -> bool) -> Self {
        for (name, column) in &mut self.columns {
            if personal(name) {
                column.frequent.clear();
                column.numbers = None;
            }
        }
        self
    }
}

/// The distribution of the numbers of a column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NumberProfile {
    /// Number of numbers.
    pub count: u64,
    /// Mean.
    pub mean: f64,
    /// The quantiles at 0, 1/n, … 1 (each the nearest value): all values in order where they are no more than 1001.
    pub quantiles: Vec<f64>,
}

impl ColumnProfile {
    /// Returns the share of rows with a value, 0 to 1; 1 without rows.
    pub fn fill(&self) -> f64 {
        if self.rows == 0 { 1.0 } else { (self.rows - self.missing) as f64 / self.rows as f64 }
    }
}

/// Makes a profile, batch by batch.
#[derive(Debug)]
pub struct ProfileBuilder {
    schema: SchemaRef,
    columns: Vec<Growing>,
    rows: u64,
}

#[derive(Debug)]
struct Growing {
    position: usize,
    name: String,
    rows: u64,
    missing: u64,
    keys: Interner,
    counts: Vec<u64>,
    numbers: Vec<f64>,
}

impl ProfileBuilder {
    /// Starts the profile of all columns of a schema.
    pub fn new(schema: &Schema) -> Self {
        let all: BTreeSet<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        Self::of(schema, &all)
    }

    /// Starts the profile of some columns of a schema.
    pub fn of(schema: &Schema, columns: &BTreeSet<String>) -> Self {
        let growing = |(position, field): (usize, &arrow::datatypes::FieldRef)| Growing {
            position,
            name: field.name().clone(),
            rows: 0,
            missing: 0,
            keys: Interner::default(),
            counts: Vec::new(),
            numbers: Vec::new(),
        };
        let columns =
            schema.fields().iter().enumerate().filter(|(_, field)| columns.contains(field.name())).map(growing);
        Self { columns: columns.collect(), schema: schema.clone().into(), rows: 0 }
    }

    /// Adds a batch.
    ///
    /// # Errors
    ///
    /// Returns an error when the batch has other columns than the schema.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<(), BatchError> {
        if batch.num_columns() != self.schema.fields().len() {
            return Err(BatchError::Schema);
        }
        self.rows += batch.num_rows() as u64;
        self.columns.par_iter_mut().try_for_each(|growing| {
            let column =
                Column::read(batch.column(growing.position), Reading { blank_as_null: true, ..Reading::default() })
                    .map_err(|source| BatchError::Column { column: growing.name.clone(), source })?;
            growing.add(&column);
            Ok(())
        })
    }

    /// Returns the profile.
    pub fn finish(self) -> TableProfile {
        let columns = self.columns.into_par_iter().map(Growing::finish).collect();
        TableProfile { rows: self.rows, columns }
    }
}

impl Growing {
    fn add(&mut self, column: &Column) {
        self.rows += column.len() as u64;
        let numeric = matches!(column.kind(), CellKind::Int | CellKind::Float);
        let mut key = Vec::new();
        for row in 0..column.len() {
            if column.is_null(row) {
                self.missing += 1;
                continue;
            }
            key.clear();
            column.push_key(row, &mut key);
            let code = self.keys.intern(&key);
            if code as usize == self.counts.len() {
                self.counts.push(0);
            }
            self.counts[code as usize] += 1;
            if numeric && let Some(number) = column.number(row) {
                self.numbers.push(number);
            }
        }
    }

    fn finish(mut self) -> (String, ColumnProfile) {
        let mut codes: Vec<u32> = (0..self.keys.len() as u32).collect();
        // Ties go by key, so that the order of the rows does not matter.
        codes.sort_unstable_by(|&a, &b| {
            let counts = self.counts[b as usize].cmp(&self.counts[a as usize]);
            counts.then_with(|| self.keys.key(a).cmp(self.keys.key(b)))
        });
        let frequent = codes
            .iter()
            .take(FREQUENT)
            .filter(|&&code| self.counts[code as usize] >= SHARED)
            .map(|&code| (hash(&self.name, self.keys.key(code)), self.counts[code as usize]))
            .collect();
        let numbers = (!self.numbers.is_empty()).then(|| {
            self.numbers.sort_unstable_by(f64::total_cmp);
            let count = self.numbers.len();
            let quantiles = if count <= STEPS + 1 {
                std::mem::take(&mut self.numbers)
            } else {
                let at = |step: usize| (step as f64 / STEPS as f64 * (count - 1) as f64).round() as usize;
                (0..=STEPS).map(|step| self.numbers[at(step)]).collect()
            };
            let mean = quantiles.iter().sum::<f64>() / quantiles.len() as f64;
            NumberProfile { count: count as u64, mean, quantiles }
        });
        let distinct = self.keys.len() as u64;
        (self.name, ColumnProfile { rows: self.rows, missing: self.missing, distinct, numbers, frequent })
    }
}

fn hash(column: &str, key: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(column.as_bytes());
    hasher.update([0]);
    hasher.update(key);
    let digest = hasher.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    format!("{:016x}", u64::from_be_bytes(first))
}

/// Returns the population stability index of two distributions over the same classes.
///
/// The index is Σ (actualᵢ − expectedᵢ) · ln(actualᵢ / expectedᵢ), natural logarithm, 0 or more: below 0.1 little has changed,
/// above 0.25 much. Siddiqi, *Credit Risk Scorecards* (2006), chapter 10; it is the symmetric divergence of Kullback and
/// Leibler (1951). Counts become shares; a share of zero counts as 0.0001.
pub fn population_stability_index(expected: &[f64], actual: &[f64]) -> f64 {
    let shares = |counts: &[f64]| -> Vec<f64> {
        let sum: f64 = counts.iter().sum();
        counts.iter().map(|count| (count / sum).max(FLOOR)).collect()
    };
    shares(expected).iter().zip(shares(actual)).map(|(before, now)| (now - before) * (now / before).ln()).sum()
}

/// Returns the two-sample Kolmogorov–Smirnov statistic of sorted samples, 0 to 1.
///
/// The statistic is the greatest distance of the two empirical distribution functions: Smirnov, *On the estimation of the
/// discrepancy between empirical curves of distribution for two independent samples* (1939).
pub fn ks_statistic(left: &[f64], right: &[f64]) -> f64 {
    let (mut i, mut j, mut greatest) = (0, 0, 0.0f64);
    while i < left.len() && j < right.len() {
        let value = left[i].min(right[j]);
        while i < left.len() && left[i] <= value {
            i += 1;
        }
        while j < right.len() && right[j] <= value {
            j += 1;
        }
        greatest = greatest.max((i as f64 / left.len() as f64 - j as f64 / right.len() as f64).abs());
    }
    greatest
}

/// Returns the index of a column: over tenths of the earlier numbers, or over the frequent values and the rest.
///
/// A frequent value of then that is none now has an unknown small count, unless every value of now is listed; the one that changes
/// least is taken. Nothing is returned
/// where no value was shared by enough rows, or values are not kept.
pub(crate) fn stability_index_of(before: &ColumnProfile, now: &ColumnProfile) -> Option<f64> {
    if let (Some(before), Some(now)) = (&before.numbers, &now.numbers) {
        let tenth = |step: usize| {
            let last = before.quantiles.len() - 1;
            before.quantiles[(step as f64 / 10.0 * last as f64).round() as usize]
        };
        let mut edges: Vec<f64> = (1..10).map(tenth).collect();
        edges.dedup();
        let counts = |sample: &[f64]| {
            let mut counts = vec![0.0; edges.len() + 1];
            for &value in sample {
                counts[edges.partition_point(|&edge| edge < value)] += 1.0;
            }
            counts
        };
        return Some(population_stability_index(&counts(&before.quantiles), &counts(&now.quantiles)));
    }
    let (old, new) = (before.rows - before.missing, now.rows - now.missing);
    if old == 0 || new == 0 {
        return None;
    }
    if before.frequent.is_empty() {
        return None;
    }
    let least = now.frequent.values().min().copied().unwrap_or(0);
    let unlisted = match now.frequent.len() {
        listed if listed as u64 == now.distinct => 0,
        listed if listed < FREQUENT => SHARED - 1,
        _ => least,
    };
    let mut expected: Vec<f64> = before.frequent.values().map(|&count| count as f64).collect();
    let mut actual: Vec<f64> = before
        .frequent
        .iter()
        .map(|(name, &count)| match now.frequent.get(name) {
            Some(&count) => count as f64,
            None => (count as f64 / old as f64 * new as f64).min(unlisted as f64),
        })
        .collect();
    expected.push((old as f64 - expected.iter().sum::<f64>()).max(0.0));
    actual.push((new as f64 - actual.iter().sum::<f64>()).max(0.0));
    // A class that is empty then and now says nothing.
    if expected.last() == Some(&0.0) && actual.last() == Some(&0.0) {
        expected.pop();
        actual.pop();
    }
    Some(population_stability_index(&expected, &actual))
}

/// Returns the statistic of a column of numbers; exact up to 1001 numbers on either side, within 0.001 beyond.
pub(crate) fn ks_statistic_of(before: &ColumnProfile, now: &ColumnProfile) -> Option<f64> {
    Some(ks_statistic(&before.numbers.as_ref()?.quantiles, &now.numbers.as_ref()?.quantiles))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, StringArray};

    use super::*;

    #[test]
    fn the_index_is_that_of_the_worked_example() {
        // Shares .1 .2 .3 .4 against .2 .2 .3 .3, by hand: .1 ln 2 + .1 ln (4/3).
        let by_hand = 0.1 * 2.0f64.ln() + 0.1 * (4.0f64 / 3.0).ln();
        let index = population_stability_index(&[1.0, 2.0, 3.0, 4.0], &[2.0, 2.0, 3.0, 3.0]);
        assert!((index - by_hand).abs() < 1e-12, "{index}");
        assert!(population_stability_index(&[1.0, 1.0], &[5.0, 5.0]).abs() < f64::EPSILON);
        assert!(population_stability_index(&[1.0, 1.0], &[1.0, 0.0]).is_finite());
    }

    #[test]
    fn the_statistic_is_that_of_scipy() {
        // scipy.stats.ks_2samp([1, 2, 3, 4, 5], [3, 4, 5, 6, 7, 8]).statistic == 0.5
        assert!((ks_statistic(&[1., 2., 3., 4., 5.], &[3., 4., 5., 6., 7., 8.]) - 0.5).abs() < 1e-12);
        // scipy.stats.ks_2samp([1, 1, 2, 2], [1, 2, 2, 2]).statistic == 0.25
        assert!((ks_statistic(&[1., 1., 2., 2.], &[1., 2., 2., 2.]) - 0.25).abs() < 1e-12);
    }

    #[test]
    fn a_profile_holds_no_text_of_the_data() {
        let batch = RecordBatch::try_from_iter([
            ("name", Arc::new(StringArray::from(vec![Some("Thandi"), Some("Thandi"), Some(" ")])) as _),
            ("score", Arc::new(Float64Array::from(vec![1.0, 2.0, f64::NAN])) as _),
        ])
        .unwrap();
        let mut builder = ProfileBuilder::new(&batch.schema());
        builder.add(&batch).unwrap();
        let profile = builder.finish();
        assert!(!serde_json::to_string(&profile).unwrap().contains("Thandi"));
        assert!(profile.columns["name"].frequent.is_empty(), "two rows share the value, fewer than five");
        assert_eq!(profile.columns["name"].missing, 1);
        assert_eq!(profile.columns["name"].distinct, 1);
        assert_eq!(profile.columns["score"].numbers.as_ref().unwrap().quantiles, [1.0, 2.0]);
    }

    fn profile_of(values: &[(&str, usize)]) -> TableProfile {
        let values: Vec<&str> = values.iter().flat_map(|&(value, count)| std::iter::repeat_n(value, count)).collect();
        let batch = RecordBatch::try_from_iter([("town", Arc::new(StringArray::from(values)) as _)]).unwrap();
        let mut builder = ProfileBuilder::new(&batch.schema());
        builder.add(&batch).unwrap();
        builder.finish()
    }

    #[test]
    fn values_of_few_rows_are_not_kept_and_move_nothing_by_themselves() {
        let (before, now) = (profile_of(&[("Paarl", 94), ("Ceres", 6)]), profile_of(&[("Paarl", 96), ("Ceres", 4)]));
        assert_eq!((before.columns["town"].frequent.len(), now.columns["town"].frequent.len()), (2, 1));
        let index = stability_index_of(&before.columns["town"], &now.columns["town"]).unwrap();
        // By hand: Ceres goes from 6 % to 4 %, Paarl from 94 % to 96 %, and no row is elsewhere.
        let by_hand = (0.04 - 0.06) * (0.04f64 / 0.06).ln() + (0.96 - 0.94) * (0.96f64 / 0.94).ln();
        assert!((index - by_hand).abs() < 1e-12, "{index} instead of {by_hand}");
        // Every value of now is known, so that Ceres is known to be gone.
        let gone = stability_index_of(&before.columns["town"], &profile_of(&[("Paarl", 100)]).columns["town"]).unwrap();
        let by_hand = (1e-4 - 0.06) * (1e-4f64 / 0.06).ln() + (1.0 - 0.94) * (1.0f64 / 0.94).ln();
        assert!((gone - by_hand).abs() < 1e-12, "{gone} instead of {by_hand}");
        let moved = profile_of(&[("Paarl", 50), ("Worcester", 50)]);
        assert!(stability_index_of(&before.columns["town"], &moved.columns["town"]).unwrap() > 0.25);
    }

    #[test]
    fn columns_without_values_are_not_judged_by_them() {
        let before = profile_of(&[("Paarl", 94), ("Ceres", 6)]);
        let bare = before.clone().without_values(|name| name == "town");
        assert_eq!((bare.columns["town"].distinct, bare.columns["town"].frequent.len()), (2, 0));
        assert_eq!(stability_index_of(&bare.columns["town"], &before.columns["town"]), None);
    }
}
