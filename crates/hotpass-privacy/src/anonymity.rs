//! How alone a person stands in a table: k-anonymity, uniqueness, l-diversity.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

/// Sizes of classes, as the histogram bins them.
const BINS: [(&str, u64, u64); 7] = [
    ("1", 1, 1),
    ("2", 2, 2),
    ("3-4", 3, 4),
    ("5-9", 5, 9),
    ("10-19", 10, 19),
    ("20-49", 20, 49),
    ("50+", 50, u64::MAX),
];

/// How alone the rows of a table stand by some columns.
///
/// Rows that agree in all quasi-identifiers form a class. k is the size of the smallest class (Sweeney, *k-anonymity: a model for
/// protecting privacy*, 2002); l is the least number of distinct sensitive values in a class (Machanavajjhala and others,
/// *l-diversity*, 2007, distinct l-diversity). A missing value is a value of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnonymityReport {
    /// The columns.
    pub quasi_identifiers: Vec<String>,
    /// Rows.
    pub rows: u64,
    /// Classes.
    pub classes: u64,
    /// Size of the smallest class; 0 for an empty table.
    pub k: u64,
    /// Rows that are alone in their class.
    pub unique_rows: u64,
    /// Share of rows that are alone, 0 to 1.
    pub unique_share: f64,
    /// Rows in classes of fewer than five.
    pub rows_below_five: u64,
    /// Size of a class to number of classes, in bins.
    pub histogram: BTreeMap<String, u64>,
    /// Sensitive column to l.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub l_diversity: BTreeMap<String, u64>,
}

/// Counts classes of rows.
#[derive(Debug)]
pub struct Anonymity {
    quasi_identifiers: Vec<String>,
    sensitive: Vec<String>,
    classes: HashMap<Vec<Option<String>>, Class>,
}

/// Size of a class, and its distinct values by sensitive column.
type Class = (u64, Vec<HashSet<Option<String>>>);

impl Anonymity {
    /// Starts to count, by the names of the columns.
    pub fn new(quasi_identifiers: Vec<String>, sensitive: Vec<String>) -> Self {
        Self { quasi_identifiers, sensitive, classes: HashMap::new() }
    }

    /// Adds a row: its values of the quasi-identifiers and of the sensitive columns, in the order of [`Anonymity::new`].
    pub fn add(&mut self, values: Vec<Option<String>>, sensitive: Vec<Option<String>>) {
        let entry = self.classes.entry(values).or_insert_with(|| (0, vec![HashSet::new(); self.sensitive.len()]));
        entry.0 += 1;
        for (held, value) in entry.1.iter_mut().zip(sensitive) {
            held.insert(value);
        }
    }

    /// Returns the report.
    pub fn finish(self) -> AnonymityReport {
        let sizes = || self.classes.values().map(|(size, _)| *size);
        let rows: u64 = sizes().sum();
        let unique_rows = sizes().filter(|size| *size == 1).count() as u64;
        let histogram = BINS
            .iter()
            .map(|(name, from, to)| {
                ((*name).to_owned(), sizes().filter(|size| (from..=to).contains(&size)).count() as u64)
            })
            .filter(|(_, count)| *count > 0)
            .collect();
        let l_diversity = self
            .sensitive
            .iter()
            .enumerate()
            .map(|(at, name)| {
                let least = self.classes.values().map(|(_, values)| values[at].len() as u64).min();
                (name.clone(), least.unwrap_or(0))
            })
            .collect();
        AnonymityReport {
            rows,
            classes: self.classes.len() as u64,
            k: sizes().min().unwrap_or(0),
            unique_rows,
            unique_share: unique_rows as f64 / rows.max(1) as f64,
            rows_below_five: sizes().filter(|size| *size < 5).sum(),
            histogram,
            l_diversity,
            quasi_identifiers: self.quasi_identifiers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_class_is_k() {
        let mut anonymity = Anonymity::new(vec!["town".into(), "year".into()], vec!["status".into()]);
        let text = |text: &str| Some(text.to_owned());
        for (town, year, status) in [
            ("York", "1980", "a"),
            ("York", "1980", "b"),
            ("York", "1981", "a"),
            ("Leeds", "1980", "a"),
            ("Leeds", "1980", "a"),
        ] {
            anonymity.add(vec![text(town), text(year)], vec![text(status)]);
        }
        let report = anonymity.finish();
        assert_eq!((report.rows, report.classes, report.k, report.unique_rows), (5, 3, 1, 1));
        assert!((report.unique_share - 0.2).abs() < 1e-12);
        assert_eq!(report.histogram, BTreeMap::from([("1".into(), 1), ("2".into(), 2)]));
        assert_eq!(report.l_diversity["status"], 1);
        assert_eq!(Anonymity::new(Vec::new(), Vec::new()).finish().k, 0);
    }
}
