//! Personal data in source columns and in what is published.

use std::sync::LazyLock;

use arrow::array::{Array, AsArray, RecordBatch, UInt32Array};
use hotpass_config::HotpassConfig;
use hotpass_privacy::{DataClass, Detector, detect::ColumnDetector, detect::TableFindings};
use rayon::prelude::*;

use crate::golden::source_fields;
use crate::records::value_at;

/// Of the rows behind the limit, one in so many is looked at.
const STRIDE: u64 = 10;

/// Returns whether the headers of a table are the values of a row: an address, a telephone or an identity number is no name of a
/// column.
pub(crate) fn are_values<'h>(mut headers: impl Iterator<Item = &'h str>) -> bool {
    static DETECTOR: LazyLock<Detector> = LazyLock::new(Detector::new);
    headers.any(|header| {
        let spans = DETECTOR.spans(header);
        spans.iter().any(|span| span.class != DataClass::PersonName && span.confidence >= 0.8)
    })
}

/// Looks for personal data, where the configuration asks for it.
#[derive(Debug)]
pub(crate) struct Detection {
    detector: Detector,
    limit: u64,
}

/// What was found in a table so far.
pub(crate) struct TableDetection<'d> {
    columns: Vec<ColumnDetector<'d>>,
    rows: u64,
}

impl Detection {
    /// Returns the detection; nothing when the compliance feature or detection is off.
    pub(crate) fn from_config(config: &HotpassConfig) -> Option<Self> {
        let wanted = config.features.compliance && config.compliance.detect_pii;
        wanted.then(|| Self { detector: Detector::new(), limit: config.compliance.detection_rows })
    }

    /// Looks through a batch of a source table, whose first column holds row numbers.
    pub(crate) fn batch(&self, headers: &[(String, String)], batch: &RecordBatch) -> TableDetection<'_> {
        let numbers = batch.column(0).as_primitive_opt::<arrow::datatypes::UInt32Type>();
        let columns = headers
            .iter()
            .zip(&batch.columns()[1..])
            .map(|((_, header), cells)| {
                let mut column = self.detector.column(header);
                if let Some(cells) = cells.as_string_opt::<i32>() {
                    self.look(&mut column, cells.len(), |row| value_at(cells, row), numbers);
                }
                column
            })
            .collect();
        TableDetection { columns, rows: batch.num_rows() as u64 }
    }

    /// Looks through the published table.
    pub(crate) fn published(&self, golden: &[RecordBatch]) -> TableFindings {
        let columns: Vec<ColumnDetector<'_>> = source_fields()
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|name| {
                let mut column = self.detector.column(name);
                let mut first = 0u64;
                for batch in golden {
                    let Some(cells) = batch.column_by_name(name).and_then(|cells| cells.as_string_opt::<i32>()) else {
                        continue;
                    };
                    let numbers: UInt32Array = (0..cells.len() as u64).map(|row| (first + row) as u32).collect();
                    self.look(&mut column, cells.len(), |row| value_at(cells, row), Some(&numbers));
                    first += cells.len() as u64;
                }
                column
            })
            .collect();
        let rows = golden.iter().map(|batch| batch.num_rows() as u64).sum();
        TableDetection { columns, rows }.finish("golden".to_owned())
    }

    fn look<'c>(
        &self,
        column: &mut ColumnDetector<'_>,
        rows: usize,
        cell: impl Fn(usize) -> Option<&'c str>,
        numbers: Option<&UInt32Array>,
    ) {
        for row in 0..rows {
            let Some(value) = cell(row) else { continue };
            let number = numbers.map_or(row as u64, |numbers| u64::from(numbers.value(row)));
            // A redacted cell holds nothing; looking at its token would find digits by chance.
            if value == hotpass_privacy::operator::REDACTED || value.starts_with("hpt1.") || value.starts_with("hph1.")
            {
                continue;
            }
            if number <= self.limit || number.is_multiple_of(STRIDE) { column.add(value) } else { column.skip() }
        }
    }
}

impl TableDetection<'_> {
    /// Joins what was found in the next batch.
    pub(crate) fn merge(&mut self, next: Self) {
        self.rows += next.rows;
        for (column, next) in self.columns.iter_mut().zip(next.columns) {
            column.merge(next);
        }
    }

    /// Returns the findings: the columns in which something was found.
    pub(crate) fn finish(self, table: String) -> TableFindings {
        let columns =
            self.columns.into_iter().map(ColumnDetector::finish).filter(|column| !column.classes.is_empty()).collect();
        TableFindings { table, rows: self.rows, columns }
    }
}

#[cfg(test)]
mod tests {
    use super::are_values;

    #[test]
    fn a_row_with_an_address_is_no_row_of_headers() {
        assert!(are_values(["Acacia Works", "Xolile Fictum", "x.fictum@example.org"].into_iter()));
        assert!(are_values(["Acacia Works", "082 555 0142"].into_iter()));
        assert!(!are_values(["Name of Organisation", "E-mail", "Contact Person", "2023", "Tel. 1"].into_iter()));
    }
}
