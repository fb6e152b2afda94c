//! The quarantine of a run, read back from its folder, and decisions to release rows of it.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::UInt32Type;
use arrow::record_batch::RecordBatch;
use hotpass_core::Clock;
use hotpass_provenance::Manifest;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::decisions::{reasons, row_digest};

pub use crate::decisions::{
    BrokenRule, DecisionError, QuarantineDecision, QuarantineDecisions, ReleasedRow, decisions_file,
};

/// A row in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineRow {
    /// File, relative to the input folder.
    pub source_file: String,
    /// Sheet.
    pub sheet: Option<String>,
    /// Row, from 1.
    pub row: u32,
    /// Which table of the sheet, from 0.
    pub table: u32,
    /// Letters of the column at fault.
    pub column: Option<String>,
    /// Code of the reason; of several the first.
    pub reason: String,
    /// Every reason for people, without values.
    pub message: String,
    /// Every rule that the row breaks; empty in runs of earlier versions, which kept the first alone.
    pub rules: Vec<BrokenRule>,
    /// The cells as JSON object: header to cell. Personal data.
    pub values: String,
}

/// Writes `FILE#SHEET!ROW`.
impl fmt::Display for QuarantineRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.source_file)?;
        if let Some(sheet) = &self.sheet {
            write!(formatter, "#{sheet}")?;
        }
        write!(formatter, "!{}", self.row)
    }
}

/// Why the quarantine of a run cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("Failed to read `{}`", path.display())]
pub struct QuarantineError {
    path: PathBuf,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl QuarantineRow {
    /// Returns whether a person can release the row.
    pub fn can_be_released(&self) -> bool {
        !self.rules.is_empty() && self.rules.iter().all(BrokenRule::can_be_overruled)
    }

    /// Returns the codes of its reasons, each once.
    pub fn reasons(&self) -> Vec<&str> {
        let mut all = vec![self.reason.as_str()];
        for rule in &self.rules {
            if !all.contains(&rule.reason.as_str()) {
                all.push(&rule.reason);
            }
        }
        all
    }

    /// Returns the decisions that were taken on the row as it is, the oldest first.
    pub fn decisions<'a>(
        &self,
        decisions: &'a QuarantineDecisions,
    ) -> impl Iterator<Item = &'a QuarantineDecision> + use<'a> {
        let row = (self.source_file.clone(), self.sheet.clone(), self.table, self.row, row_digest(&self.values));
        decisions.iter().filter(move |decision| {
            decision.source_file == row.0
                && decision.sheet == row.1
                && decision.table == row.2
                && decision.row == row.3
                && decision.row_sha256 == row.4
        })
    }

    /// Returns the rules that no decision overrules yet, of those with a reason where one is given.
    pub fn undecided(&self, decisions: &QuarantineDecisions, reason: Option<&str>) -> Vec<&BrokenRule> {
        let only = self.rules.len() == 1;
        let taken: Vec<&QuarantineDecision> = self.decisions(decisions).collect();
        self.rules
            .iter()
            .filter(|rule| reason.is_none_or(|reason| rule.reason == reason))
            .filter(|rule| !taken.iter().any(|decision| decision.overrules(rule, only)))
            .collect()
    }

    /// Returns whether another row is in quarantine together with this one: both are of one entity that was withheld.
    pub fn goes_with(&self, other: &Self) -> bool {
        self.message.starts_with("Entity ") && self.reason == other.reason && self.message == other.message
    }

    /// Returns the decision that overrules rules which the row breaks.
    pub fn release(
        &self,
        rules: &[&BrokenRule],
        manifest: &Manifest,
        operator: &str,
        decision: &str,
        clock: Clock,
    ) -> QuarantineDecision {
        let file = manifest.inputs.iter().find(|file| file.path == self.source_file);
        QuarantineDecision {
            decided_at: clock.now_rfc3339(),
            operator: operator.to_owned(),
            decision: decision.to_owned(),
            run_id: manifest.run_id.clone(),
            source_file: self.source_file.clone(),
            sheet: self.sheet.clone(),
            table: self.table,
            row: self.row,
            file_sha256: file.map(|file| file.sha256.to_string()).unwrap_or_default(),
            row_sha256: row_digest(&self.values),
            reason: reasons(rules.iter().copied()),
            rules: rules.iter().map(|rule| rule.rule.clone()).collect(),
        }
    }
}

/// Reads the quarantine of a run, in source order.
///
/// # Errors
///
/// Returns an error when `quarantine.parquet` of the run folder cannot be read.
pub fn read_quarantine(run_dir: &Path) -> Result<Vec<QuarantineRow>, QuarantineError> {
    let path = run_dir.join("quarantine.parquet");
    read(&path).map_err(|source| QuarantineError { path, source })
}

fn read(path: &Path) -> Result<Vec<QuarantineRow>, Box<dyn std::error::Error + Send + Sync>> {
    let mut rows = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.build()? {
        let batch = batch?;
        let [files, sheets, columns, reasons, messages, values] =
            ["source_file", "sheet", "column", "reason", "message", "values"].map(|name| text(&batch, name));
        let (files, sheets, columns) = (files?, sheets?, columns?);
        let (reasons, messages, values) = (reasons?, messages?, values?);
        let rules = text(&batch, "rules").ok();
        let number = |name: &str, row: usize| {
            let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<UInt32Type>());
            column.map(|column| column.value(row)).ok_or_else(|| format!("No column `{name}`"))
        };
        let optional = |column: &StringArray, row: usize| (!column.is_null(row)).then(|| column.value(row).to_owned());
        for row in 0..batch.num_rows() {
            rows.push(QuarantineRow {
                source_file: files.value(row).to_owned(),
                sheet: optional(sheets, row),
                row: number("row", row)?,
                table: number("table", row)?,
                column: optional(columns, row),
                reason: reasons.value(row).to_owned(),
                message: messages.value(row).to_owned(),
                rules: rules.map(|rules| serde_json::from_str(rules.value(row))).transpose()?.unwrap_or_default(),
                values: values.value(row).to_owned(),
            });
        }
    }
    Ok(rows)
}

fn text<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, String> {
    let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    column.ok_or_else(|| format!("No column `{name}`"))
}
