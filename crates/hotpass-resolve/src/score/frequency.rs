//! How frequent values are.

use std::collections::HashMap;

use crate::columns::{Columns, NULL, Values};
use crate::plan::FeatureId;

/// The relative frequency of each value of a column, by the value's text.
pub type TermFrequencies = HashMap<String, f64>;

/// Frequency tables from outside, by column.
pub(crate) type RegisteredFrequencies = HashMap<String, TermFrequencies>;

/// Frequencies by code, as logarithms to the base 2.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frequencies {
    /// For each feature that is used the logarithm for each code; not a number where unknown.
    tables: Vec<Option<Table>>,
}

#[derive(Debug, Clone)]
struct Table {
    log2: Vec<f64>,
    range: Option<(f64, f64)>,
}

impl Frequencies {
    /// Counts values over the non-null values of all records.
    ///
    /// `registered` gives, for a feature, a table that stands instead of counting; a value that it lacks is unknown.
    pub(crate) fn new<'r>(
        columns: &Columns,
        features: &[FeatureId],
        registered: impl Fn(FeatureId) -> Option<&'r TermFrequencies>,
    ) -> Self {
        let mut tables = vec![None; columns.codes.len()];
        for &feature in features {
            let log2 = match registered(feature) {
                Some(table) => (0..n_values(columns.values(feature)))
                    .map(|code| {
                        value_text(columns.values(feature), code)
                            .and_then(|text| table.get(&text))
                            .map_or(f64::NAN, |share| share.log2())
                    })
                    .collect(),
                None => counted(columns, feature),
            };
            tables[feature] = Some(Table { range: range(&log2), log2 });
        }
        Self { tables }
    }

    /// Gives the logarithm of a value's frequency; not a number if it is unknown or the value null.
    pub(crate) fn log2(&self, feature: FeatureId, code: u32) -> f64 {
        match &self.tables[feature] {
            Some(table) if code != NULL => table.log2[code as usize],
            _ => f64::NAN,
        }
    }

    /// Gives the lowest and the highest logarithm of a feature.
    pub(crate) fn range(&self, feature: FeatureId) -> Option<(f64, f64)> {
        self.tables[feature].as_ref().and_then(|table| table.range)
    }

    /// Gives the frequencies of a few values that are known by the code they have here; [`NULL`] is unknown.
    pub(crate) fn of_few<'o>(&self, origin_of: impl Fn(FeatureId) -> &'o [u32]) -> Self {
        let of = |(feature, table): (usize, &Option<Table>)| {
            let table = table.as_ref()?;
            let known = |&code: &u32| if code == NULL { f64::NAN } else { table.log2[code as usize] };
            Some(Table { log2: origin_of(feature).iter().map(known).collect(), range: table.range })
        };
        Self { tables: self.tables.iter().enumerate().map(of).collect() }
    }

    /// Gives a feature's frequencies by text.
    pub(crate) fn table(&self, columns: &Columns, feature: FeatureId) -> TermFrequencies {
        let values = columns.values(feature);
        let log2 = self.tables[feature].as_ref().map_or(&[][..], |table| &table.log2);
        let known = log2.iter().enumerate().filter(|(_, log2)| !log2.is_nan());
        known.filter_map(|(code, log2)| Some((value_text(values, code as u32)?, log2.exp2()))).collect()
    }

    pub(crate) fn heap_bytes(&self) -> u64 {
        self.tables.iter().flatten().map(|table| table.log2.capacity() as u64 * 8).sum()
    }
}

fn range(log2: &[f64]) -> Option<(f64, f64)> {
    log2.iter().filter(|value| !value.is_nan()).fold(None, |range, &value| {
        let (lowest, highest) = range.unwrap_or((value, value));
        Some((lowest.min(value), highest.max(value)))
    })
}

fn n_values(values: &Values) -> u32 {
    match values {
        Values::Text(table) => table.len() as u32,
        Values::Integer(values) => values.len() as u32,
        Values::Number(values) => values.len() as u32,
        Values::Boolean(values) => values.len() as u32,
        Values::TextList { offsets, .. } | Values::NumberList { offsets, .. } => offsets.len().saturating_sub(1) as u32,
    }
}

/// Gives a single value as text, as far as tables of frequencies go.
pub(crate) fn value_text(values: &Values, code: u32) -> Option<String> {
    match values {
        Values::Text(table) => Some(table.get(code).to_owned()),
        Values::Integer(values) => values.get(code as usize).map(ToString::to_string),
        Values::Number(values) => values.get(code as usize).map(ToString::to_string),
        Values::Boolean(values) => values.get(code as usize).map(ToString::to_string),
        Values::TextList { .. } | Values::NumberList { .. } => None,
    }
}

/// Counts how often each code of a feature occurs.
pub(crate) fn counts(columns: &Columns, feature: FeatureId) -> Vec<u32> {
    let mut counts = vec![0_u32; n_values(columns.values(feature)) as usize];
    for &code in &columns.codes[feature] {
        if code != NULL {
            counts[code as usize] += 1;
        }
    }
    counts
}

fn counted(columns: &Columns, feature: FeatureId) -> Vec<f64> {
    let counts = counts(columns, feature);
    let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    let share = |count: u32| if count == 0 { f64::NAN } else { (f64::from(count) / total as f64).log2() };
    counts.into_iter().map(share).collect()
}
