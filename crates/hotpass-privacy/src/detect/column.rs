//! Findings about columns: counts and shares, never a value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Detector, Evidence, header, names};
use crate::class::DataClass;

/// Confidence that a column's header gives its values when no pattern speaks.
const BY_HEADER: f64 = 0.6;
/// Confidence that a header adds to what the value itself says.
const HEADER_BONUS: f64 = 0.05;

/// What was found in a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TableFindings {
    /// Name of the table.
    pub table: String,
    /// Rows of the table.
    pub rows: u64,
    /// Columns in which something was found, in their order.
    pub columns: Vec<ColumnFindings>,
}

/// What was found in a column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnFindings {
    /// Name of the column.
    pub column: String,
    /// Cells with a value.
    pub cells: u64,
    /// Cells that were looked at.
    pub scanned: u64,
    /// Class that the header names.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub header_class: Option<DataClass>,
    /// What was found, the most frequent class first.
    pub classes: Vec<ClassFinding>,
}

/// What was found of a class in a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassFinding {
    /// The class.
    pub class: DataClass,
    /// Cells that hold it.
    pub cells: u64,
    /// Share of the cells that were looked at, 0 to 1.
    pub share: f64,
    /// Mean confidence over those cells, 0 to 1.
    pub confidence: f64,
    /// What the findings rest on, with the number of cells.
    pub evidence: BTreeMap<String, u64>,
}

/// Looks at the cells of a column.
#[derive(Debug)]
pub struct ColumnDetector<'d> {
    detector: &'d Detector,
    column: String,
    header_class: Option<DataClass>,
    /// Whether the header says that the values are numbers of versions, which have the form of addresses of computers.
    of_versions: bool,
    cells: u64,
    scanned: u64,
    found: BTreeMap<DataClass, (u64, f64, BTreeMap<Evidence, u64>)>,
}

impl<'d> ColumnDetector<'d> {
    pub(super) fn new(detector: &'d Detector, header: &str) -> Self {
        Self {
            detector,
            column: header.to_owned(),
            header_class: header::class_of_header(header),
            of_versions: header::is_of_versions(header),
            cells: 0,
            scanned: 0,
            found: BTreeMap::new(),
        }
    }

    /// Counts a cell without looking at it, where a column is sampled.
    pub fn skip(&mut self) {
        self.cells += 1;
    }

    /// Looks at a cell.
    pub fn add(&mut self, value: &str) {
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        self.cells += 1;
        self.scanned += 1;
        let mut seen: Vec<(DataClass, f64, Evidence)> = Vec::new();
        for span in self.detector.spans(value) {
            // The header knows better than a list of names what a cell of two capitalised words is.
            if span.class == DataClass::PersonName && self.header_class.is_some_and(|class| class != span.class) {
                continue;
            }
            if span.class == DataClass::IpAddress && self.of_versions {
                continue;
            }
            let confidence = if Some(span.class) == self.header_class {
                (span.confidence + HEADER_BONUS).min(1.0)
            } else {
                span.confidence
            };
            match seen.iter_mut().find(|(class, ..)| *class == span.class) {
                Some(best) if best.1 >= confidence => {}
                Some(best) => (best.1, best.2) = (confidence, span.evidence),
                None => seen.push((span.class, confidence, span.evidence)),
            }
        }
        if let Some(class) = self.header_class
            && !seen.iter().any(|(found, ..)| *found == class)
            && fits(class, value)
        {
            let confidence = if class == DataClass::PersonName { 0.8 } else { BY_HEADER };
            seen.push((class, confidence, Evidence::Header));
        }
        for (class, confidence, evidence) in seen {
            let entry = self.found.entry(class).or_default();
            entry.0 += 1;
            entry.1 += confidence;
            *entry.2.entry(evidence).or_default() += 1;
        }
    }

    /// Joins what another detector of the same column found.
    pub fn merge(&mut self, other: Self) {
        self.cells += other.cells;
        self.scanned += other.scanned;
        for (class, (cells, confidence, evidence)) in other.found {
            let entry = self.found.entry(class).or_default();
            entry.0 += cells;
            entry.1 += confidence;
            for (kind, count) in evidence {
                *entry.2.entry(kind).or_default() += count;
            }
        }
    }

    /// Returns the findings.
    pub fn finish(self) -> ColumnFindings {
        let scanned = self.scanned;
        let mut classes: Vec<ClassFinding> = self
            .found
            .into_iter()
            .map(|(class, (cells, confidence, evidence))| ClassFinding {
                class,
                cells,
                share: cells as f64 / scanned.max(1) as f64,
                confidence: (confidence / cells.max(1) as f64 * 1000.0).round() / 1000.0,
                evidence: evidence.into_iter().map(|(kind, count)| (kind.name().to_owned(), count)).collect(),
            })
            .collect();
        classes.sort_by(|a, b| b.cells.cmp(&a.cells).then(a.class.cmp(&b.class)));
        ColumnFindings {
            column: self.column,
            cells: self.cells,
            scanned: self.scanned,
            header_class: self.header_class,
            classes,
        }
    }
}

/// Returns whether a value can be of the class that the header names.
fn fits(class: DataClass, value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    match class {
        // A role may stand in brackets behind the name.
        DataClass::PersonName => names::can_be_name(value.split(['(', '[']).next().unwrap_or(value)),
        DataClass::Email => value.contains('@'),
        DataClass::Phone => (7..=15).contains(&digits) && digits * 2 >= value.len(),
        DataClass::ZaId => digits == 13,
        DataClass::NationalId
        | DataClass::Passport
        | DataClass::DrivingLicence
        | DataClass::PersonNumber
        | DataClass::BankAccount
        | DataClass::TaxNumber => digits >= 3,
        // Numbers whose check digits are wrong are not what the header says.
        DataClass::PaymentCard | DataClass::Iban | DataClass::IpAddress => false,
        DataClass::DateOfBirth => digits >= 4,
        DataClass::Coordinates => digits >= 2,
        // `10 km` is another race; an age has up to three digits and nothing else.
        DataClass::Ethnicity | DataClass::Belief | DataClass::TradeUnion => digits == 0,
        DataClass::Demographic => digits == 0 || (digits == value.len() && digits <= 3),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_values_speak_together() {
        let detector = Detector::new();
        let mut column = detector.column("Contact person");
        for value in ["Quorvin Fictum", "Unseen Invented (Manager)", "Acacia Works", "12", "", "x@example.org"] {
            column.add(value);
        }
        let findings = column.finish();
        assert_eq!((findings.cells, findings.scanned), (5, 5));
        let names = &findings.classes[0];
        assert_eq!((names.class, names.cells, names.evidence["header"]), (DataClass::PersonName, 2, 2));
        assert!((names.share - 0.4).abs() < 1e-9 && names.confidence > 0.7);
        assert_eq!(findings.classes[1].class, DataClass::Email);
    }

    #[test]
    fn headers_that_speak_of_other_things_find_nothing() {
        let detector = Detector::new();
        let check = |header: &str, values: &[&str], expected: Option<DataClass>| {
            let mut column = detector.column(header);
            for value in values {
                column.add(value);
            }
            assert_eq!(column.finish().classes.first().map(|found| found.class), expected, "{header}");
        };
        check("Race", &["10 km", "21 km"], None);
        check("Race", &["Coloured", "White"], Some(DataClass::Ethnicity));
        check("Sex toys sold", &["12", "40"], None);
        check("Sex", &["F", "M"], Some(DataClass::Demographic));
        check("Version", &["1.2.3.4", "10.20.30.40"], None);
        check("Server", &["10.20.30.40"], Some(DataClass::IpAddress));
        check("Vorname", &["Quorvin"], Some(DataClass::PersonName));
    }

    #[test]
    fn findings_hold_no_value() {
        let detector = Detector::new();
        let mut column = detector.column("notes");
        column.add("canary.value@example.org 082 555 0142");
        let text = serde_json::to_string(&column.finish()).unwrap();
        assert!(!text.contains("canary") && !text.contains("0142"), "{text}");
        assert!(text.contains("email") && text.contains("phone"), "{text}");
    }
}
