//! Decisions on rows in quarantine: who released which row, when and why; and whether the row is still the one that was judged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use hotpass_config::HotpassConfig;
use hotpass_core::sha256_bytes;
use serde::{Deserialize, Serialize};

use crate::normalising::QuarantinedRow;
use crate::records::Records;

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
    /// Reasons that it overrules, separated by `, `.
    pub reason: String,
    /// Names of the rules that it overrules, each with its columns; absent in decisions of earlier versions, which overrule the one rule
    /// that a row breaks when it is of their reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
}

impl QuarantineDecision {
    /// Returns the row as `FILE#SHEET!ROW`.
    pub fn place(&self) -> String {
        place(&self.source_file, self.sheet.as_deref(), self.row)
    }

    /// Returns whether it overrules a rule; `only` says that the row breaks no other.
    pub(crate) fn overrules(&self, rule: &BrokenRule, only: bool) -> bool {
        if self.rules.is_empty() {
            return only && self.reason == rule.reason;
        }
        self.rules.contains(&rule.rule)
    }
}

/// A rule that a row in quarantine breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenRule {
    /// Code of the reason.
    pub reason: String,
    /// Letters of the column at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The reason for people, without values.
    pub message: String,
    /// Names the rule with its columns and a digest of what it asks for, so that no other rule has the name.
    pub rule: String,
}

impl BrokenRule {
    pub(crate) fn new(
        reason: impl Into<String>,
        column: Option<String>,
        message: impl Into<String>,
        rule: impl Into<String>,
    ) -> Self {
        Self { reason: reason.into(), column, message: message.into(), rule: rule.into() }
    }

    /// Returns whether a person can overrule it: expectations, contracts, and fields that the profile wants to be there.
    pub fn can_be_overruled(&self) -> bool {
        can_be_overruled(&self.reason, &self.message)
    }
}

fn place(file: &str, sheet: Option<&str>, row: u32) -> String {
    match sheet {
        Some(sheet) => format!("{file}#{sheet}!{row}"),
        None => format!("{file}!{row}"),
    }
}

/// Returns the reasons of rules, each once.
pub(crate) fn reasons<'a>(rules: impl IntoIterator<Item = &'a BrokenRule>) -> String {
    let mut all: Vec<&str> = Vec::new();
    for rule in rules {
        if !all.contains(&rule.reason.as_str()) {
            all.push(&rule.reason);
        }
    }
    all.join(", ")
}

/// Returns the places of rows in quarantine.
pub(crate) fn places(rows: &[QuarantinedRow], records: &Records) -> BTreeSet<String> {
    rows.iter()
        .map(|row| {
            let id = &records.tables[row.table as usize].id;
            place(&id.file, id.sheet.as_deref(), row.row)
        })
        .collect()
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
    /// Reasons that were overruled, separated by `, `.
    pub reason: String,
    /// When it was decided, RFC 3339.
    pub decided_at: String,
}

impl ReleasedRow {
    /// Returns the row as `FILE#SHEET!ROW`.
    pub fn place(&self) -> String {
        place(&self.source_file, self.sheet.as_deref(), self.row)
    }
}

/// Writes `FILE#SHEET!ROW (REASON)`.
impl fmt::Display for ReleasedRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.place(), self.reason)
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

impl DecisionError {
    /// Returns whether the content of the file is at fault, and not what is around it.
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Line { .. })
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Line { path, line, .. } => format!(
                "Correct line {line} of `{}` or delete it, each line is one decision as JSON; `hotpass quarantine release` writes it anew",
                path.display()
            ),
            Self::Read { path, .. } | Self::Write { path, .. } => {
                format!("Give access to `{}`, or name another file in `quality.decisions`", path.display())
            }
        }
    }
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
            .enumerate()
            .filter(|(_, decision)| {
                decision.source_file == file && decision.sheet.as_deref() == sheet && decision.table == table
            })
            // Where cells are redacted in quarantine, only the file can tell whether the row has changed.
            .filter(|(_, decision)| !redacts || decision.file_sha256 == file_sha256)
            .map(|(number, decision)| (number, decision.clone()))
            .collect();
        TableDecisions { decisions, rows_move: !redacts }
    }
}

/// The decisions on rows of one table.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableDecisions {
    /// With their number among all.
    decisions: Vec<(usize, QuarantineDecision)>,
    /// Whether a row is known by its cells when it stands elsewhere now.
    rows_move: bool,
}

/// What decisions say of the rows of a table that break a rule.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judged {
    /// The rows that they release, in the order of the rows that were asked for.
    pub(crate) released: Vec<Option<ReleasedRow>>,
    /// The decisions that speak of a row as it is now, by their number.
    pub(crate) used: BTreeSet<usize>,
}

impl TableDecisions {
    /// Returns whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.decisions.is_empty()
    }

    /// Returns the rows that were judged, where they stood then.
    pub(crate) fn rows(&self) -> impl Iterator<Item = u32> {
        self.decisions.iter().map(|(_, decision)| decision.row)
    }

    /// Returns the rows that are released: those of which decisions overrule every rule that they break.
    ///
    /// A decision is on the row whose cells it saw: the one at its place, else the only one elsewhere that breaks a rule. `unchanged`
    /// says whether a row has the cells of a digest, whatever it breaks.
    pub(crate) fn judge(&self, rows: &[&QuarantinedRow], unchanged: &dyn Fn(u32, &str) -> bool) -> Judged {
        let mut judged = Judged { released: vec![None; rows.len()], used: BTreeSet::new() };
        if self.decisions.is_empty() {
            return judged;
        }
        let mut by_digest: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            by_digest.entry(row_digest(&row.values)).or_default().push(index);
        }
        let digests: BTreeSet<&str> = self.decisions.iter().map(|(_, decision)| decision.row_sha256.as_str()).collect();
        for digest in digests {
            let alike = by_digest.get(digest).map_or(&[][..], Vec::as_slice);
            let mut judged_at: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
            for (index, (_, decision)) in self.decisions.iter().enumerate() {
                if decision.row_sha256 == digest {
                    judged_at.entry(decision.row).or_default().push(index);
                }
            }
            let here = |place: u32| alike.iter().copied().find(|&index| rows[index].row == place);
            let mut pairs: Vec<(u32, Option<usize>)> = Vec::new();
            let mut gone: Vec<u32> = Vec::new();
            for &place in judged_at.keys() {
                match here(place) {
                    Some(index) => pairs.push((place, Some(index))),
                    None if unchanged(place, digest) => pairs.push((place, None)),
                    None => gone.push(place),
                }
            }
            let elsewhere: Vec<usize> =
                alike.iter().copied().filter(|&index| !judged_at.contains_key(&rows[index].row)).collect();
            if let (true, [place], [index]) = (self.rows_move, gone.as_slice(), elsewhere.as_slice()) {
                pairs.push((*place, Some(*index)));
            }
            for (place, index) in pairs {
                let decisions = judged_at.get(&place).into_iter().flatten().map(|&decision| &self.decisions[decision]);
                judged.used.extend(decisions.clone().map(|(number, _)| *number));
                let Some(index) = index else { continue };
                let decisions: Vec<&QuarantineDecision> = decisions.map(|(_, decision)| decision).collect();
                judged.released[index] = release(rows[index], &decisions);
            }
        }
        judged
    }
}

/// Returns the row as released, when decisions overrule every rule that it breaks.
fn release(row: &QuarantinedRow, decisions: &[&QuarantineDecision]) -> Option<ReleasedRow> {
    let only = row.rules.len() == 1;
    let overruled =
        |rule: &BrokenRule| rule.can_be_overruled() && decisions.iter().any(|decision| decision.overrules(rule, only));
    let last = decisions.last()?;
    row.rules.iter().all(|rule| overruled(rule)).then(|| ReleasedRow {
        source_file: last.source_file.clone(),
        sheet: last.sheet.clone(),
        row: row.row,
        reason: reasons(row.rules.iter().map(AsRef::as_ref)),
        decided_at: last.decided_at.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str) -> BrokenRule {
        BrokenRule::new(
            "contract.enumeration",
            None,
            "The value is none of `A`",
            format!("contract.enumeration/c/{name}"),
        )
    }

    fn row(row: u32, rules: &[&str], values: &str) -> QuarantinedRow {
        QuarantinedRow {
            table: 0,
            row,
            rules: rules.iter().map(|name| rule(name).into()).collect(),
            values: values.into(),
        }
    }

    fn decision(row: u32, rules: &[&str]) -> QuarantineDecision {
        QuarantineDecision {
            decided_at: "2024-01-01T00:00:00Z".into(),
            operator: "thandi".into(),
            decision: "checked by telephone".into(),
            run_id: "r".into(),
            source_file: "a.csv".into(),
            sheet: None,
            table: 0,
            row,
            file_sha256: "f".into(),
            row_sha256: row_digest("{}"),
            reason: "contract.enumeration".into(),
            rules: rules.iter().map(|name| rule(name).rule).collect(),
        }
    }

    /// Returns the rows that decisions release, and the number of decisions that fit one.
    fn released(decisions: Vec<QuarantineDecision>, rows: &[QuarantinedRow], redacts: bool) -> (Vec<u32>, usize) {
        let of_table = QuarantineDecisions { decisions }.of_table("a.csv", None, 0, "g", redacts);
        let judged = of_table.judge(&rows.iter().collect::<Vec<_>>(), &|_, _| false);
        (judged.released.iter().flatten().map(|row| row.row).collect(), judged.used.len())
    }

    #[test]
    fn a_decision_counts_for_the_rules_that_were_shown_alone() {
        let check = |decisions: Vec<QuarantineDecision>, broken: &[&str], expected: &[u32]| {
            assert_eq!(released(decisions, &[row(7, broken, "{}")], false).0, expected, "{broken:?}");
        };
        check(vec![decision(7, &["Town"])], &["Town"], &[7]);
        check(vec![decision(7, &["Town"])], &["Grade"], &[]);
        check(vec![decision(7, &["Town"])], &["Town", "Grade"], &[]);
        check(vec![decision(7, &["Town", "Grade"])], &["Grade"], &[7]);
        check(vec![decision(7, &["Town"]), decision(7, &["Grade"])], &["Town", "Grade"], &[7]);
        // Decisions of earlier versions name a reason; which rule of it was shown is certain only where it is the only one.
        check(vec![decision(7, &[])], &["Town"], &[7]);
        check(vec![decision(7, &[])], &["Town", "Grade"], &[]);
    }

    #[test]
    fn a_decision_follows_its_cells_when_only_one_row_has_them() {
        let town = || vec![decision(7, &["Town"])];
        assert_eq!(released(town(), &[row(7, &["Town"], "{\"a\":1}")], false), (vec![], 0), "other cells");
        assert_eq!(released(town(), &[row(8, &["Town"], "{}")], false), (vec![8], 1), "a row was put in above");
        let two = [row(8, &["Town"], "{}"), row(9, &["Town"], "{}")];
        assert_eq!(released(town(), &two, false), (vec![], 0), "either may be the one");
        let copy = [row(7, &["Town"], "{}"), row(9, &["Town"], "{}")];
        assert_eq!(released(town(), &copy, false), (vec![7], 1), "a copy was not judged");
        assert_eq!(
            released(town(), &[row(7, &["Town"], "{}")], true),
            (vec![], 0),
            "redacted, and the file has changed"
        );
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
        all.append(&path, vec![decision(7, &["Town"])]).unwrap();
        all.append(&path, vec![decision(8, &[])]).unwrap();
        assert_eq!(QuarantineDecisions::read(&path).unwrap().iter().count(), 2);
    }
}
