//! Decisions on rows in quarantine: who released which row, when and why; and whether the row is still the one that was judged.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use hotpass_config::HotpassConfig;
use hotpass_core::sha256_bytes;
use serde::{Deserialize, Serialize};

use crate::normalising::QuarantinedRow;

/// A decision that a row in quarantine shall be published in spite of a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineDecision {
    /// When it was taken, RFC 3339.
    pub decided_at: String,
    /// Who took it.
    pub operator: String,
    /// Why, in the operator's words.
    pub decision: String,
    /// Run whose quarantine was looked at.
    pub run_id: String,
    /// File of the row, relative.
    pub source_file: String,
    /// Sheet of the row.
    pub sheet: Option<String>,
    /// Which table of the sheet, from 0.
    pub table: u32,
    /// Row, from 1.
    pub row: u32,
    /// SHA-256 of the file.
    pub file_sha256: String,
    /// SHA-256 of the row's cells, as the quarantine holds them.
    pub row_sha256: String,
    /// Reason that it overrules.
    pub reason: String,
}

/// A row that a decision has released.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedRow {
    /// File of the row, relative.
    pub source_file: String,
    /// Sheet of the row.
    pub sheet: Option<String>,
    /// Row, from 1.
    pub row: u32,
    /// Reason that was overruled.
    pub reason: String,
    /// When it was decided, RFC 3339.
    pub decided_at: String,
}

/// Writes `FILE#SHEET!ROW (REASON)`.
impl fmt::Display for ReleasedRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.source_file)?;
        if let Some(sheet) = &self.sheet {
            write!(formatter, "#{sheet}")?;
        }
        write!(formatter, "!{} ({})", self.row, self.reason)
    }
}

/// Why decisions cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// The file cannot be read.
    #[error("Failed to read decisions `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line is no decision.
    #[error("Not a decision in `{}`: line {line}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The file cannot be written.
    #[error("Failed to write decisions `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The decisions of a workspace.
#[derive(Debug, Clone, Default)]
pub struct QuarantineDecisions {
    decisions: Vec<QuarantineDecision>,
}

/// Returns the file that holds the decisions.
pub fn decisions_file(config: &HotpassConfig) -> PathBuf {
    let default = || config.pipeline.dist_dir.join("decisions").join("quarantine.ndjson");
    config.quality.decisions.clone().unwrap_or_else(default)
}

/// Returns the digest of a row's cells, as a decision holds it.
pub fn row_digest(values: &str) -> String {
    sha256_bytes(values).to_string()
}

/// Returns whether a person can overrule a reason: expectations, contracts, and fields that the profile wants to be there.
pub fn can_be_overruled(reason: &str, message: &str) -> bool {
    let required = reason.starts_with("required_field_") && !message.contains("`organization_name`");
    required || reason.starts_with("expectation.") || reason.starts_with("contract.")
}

impl QuarantineDecisions {
    /// Reads the decisions; none where there is no file.
    ///
    /// # Errors
    ///
    /// Returns an error when the file cannot be read or holds something else.
    pub fn read(path: &Path) -> Result<Self, DecisionError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(DecisionError::Read { path: path.to_path_buf(), source }),
        };
        let mut decisions = Vec::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let line = serde_json::from_str(line).map_err(|source| DecisionError::Line {
                path: path.to_path_buf(),
                line: index + 1,
                source,
            })?;
            decisions.push(line);
        }
        Ok(Self { decisions })
    }

    /// Adds decisions after those that are there, and writes all.
    ///
    /// # Errors
    ///
    /// Returns an error when the file cannot be written.
    pub fn append(&mut self, path: &Path, more: Vec<QuarantineDecision>) -> Result<(), DecisionError> {
        self.decisions.extend(more);
        let failed = |source| DecisionError::Write { path: path.to_path_buf(), source };
        let mut text = String::new();
        for decision in &self.decisions {
            text.push_str(&serde_json::to_string(decision).map_err(|error| failed(error.into()))?);
            text.push('\n');
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        hotpass_core::write_atomic(path, text).map_err(failed)
    }

    /// Returns the decisions, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &QuarantineDecision> {
        self.decisions.iter()
    }

    /// Returns a digest of all decisions; nothing without any. They are an input of a run as its files are.
    pub fn digest(&self) -> Option<String> {
        let text: Vec<String> =
            self.decisions.iter().filter_map(|decision| serde_json::to_string(decision).ok()).collect();
        (!text.is_empty()).then(|| sha256_bytes(text.join("\n")).to_string())
    }

    /// Returns the decisions on rows of a table.
    pub(crate) fn of_table(
        &self,
        file: &str,
        sheet: Option<&str>,
        table: u32,
        file_sha256: &str,
        redacts: bool,
    ) -> TableDecisions {
        let decisions = self
            .decisions
            .iter()
            .filter(|decision| {
                decision.source_file == file && decision.sheet.as_deref() == sheet && decision.table == table
            })
            // Where cells are redacted in quarantine, only the file can tell whether the row has changed.
            .filter(|decision| !redacts || decision.file_sha256 == file_sha256)
            .cloned()
            .collect();
        TableDecisions { decisions }
    }
}

/// The decisions on rows of one table.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableDecisions {
    decisions: Vec<QuarantineDecision>,
}

impl TableDecisions {
    /// Returns the decision that overrules a row's reason, provided that the row is the one that was judged.
    pub(crate) fn overrule(&self, row: &QuarantinedRow) -> Option<ReleasedRow> {
        if self.decisions.is_empty() || !can_be_overruled(&row.reason, &row.message) {
            return None;
        }
        let digest = row_digest(&row.values);
        let found = self.decisions.iter().rev().find(|decision| {
            decision.row == row.row && decision.reason == row.reason && decision.row_sha256 == digest
        })?;
        Some(ReleasedRow {
            source_file: found.source_file.clone(),
            sheet: found.sheet.clone(),
            row: found.row,
            reason: found.reason.clone(),
            decided_at: found.decided_at.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(reason: &str, values: &str) -> QuarantinedRow {
        QuarantinedRow {
            table: 0,
            row: 7,
            column: None,
            reason: reason.into(),
            message: "Required field `contact_emails` has no value in column B".into(),
            values: values.into(),
        }
    }

    fn decisions() -> QuarantineDecisions {
        let decision = QuarantineDecision {
            decided_at: "2024-01-01T00:00:00Z".into(),
            operator: "thandi".into(),
            decision: "checked by telephone".into(),
            run_id: "r".into(),
            source_file: "a.csv".into(),
            sheet: None,
            table: 0,
            row: 7,
            file_sha256: "f".into(),
            row_sha256: row_digest("{}"),
            reason: "expectation.expect_column_values_to_be_unique".into(),
        };
        QuarantineDecisions { decisions: vec![decision] }
    }

    #[test]
    fn a_decision_counts_for_the_row_and_the_reason_alone() {
        let of_table = |redacts| decisions().of_table("a.csv", None, 0, "g", redacts);
        let reason = "expectation.expect_column_values_to_be_unique";
        assert!(of_table(false).overrule(&row(reason, "{}")).is_some());
        assert!(of_table(false).overrule(&row(reason, "{\"a\":1}")).is_none());
        assert!(of_table(false).overrule(&row("expectation.expect_column_values_to_be_null", "{}")).is_none());
        assert!(of_table(true).overrule(&row(reason, "{}")).is_none());
        assert!(decisions().of_table("b.csv", None, 0, "g", false).overrule(&row(reason, "{}")).is_none());
    }

    #[test]
    fn consent_and_the_name_are_not_overruled() {
        assert!(!can_be_overruled("consent.declined", ""));
        assert!(!can_be_overruled("required_field_missing", "Required field `organization_name` has no value"));
        assert!(can_be_overruled("required_field_missing", "Required field `contact_emails` has no value"));
    }

    #[test]
    fn decisions_are_written_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decisions/quarantine.ndjson");
        assert!(QuarantineDecisions::read(&path).unwrap().digest().is_none());
        let mut all = QuarantineDecisions::default();
        all.append(&path, decisions().decisions).unwrap();
        all.append(&path, decisions().decisions).unwrap();
        assert_eq!(QuarantineDecisions::read(&path).unwrap().iter().count(), 2);
    }
}
