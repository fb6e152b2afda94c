//! The figures of a run: what the report shows and `report.json` holds. No personal values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::contracts::ContractStatistics;

/// Everything a report says about a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunStatistics {
    /// Id of the run.
    pub run_id: String,
    /// When it started, RFC 3339.
    pub started_at: String,
    /// Name of the profile.
    pub profile: String,
    /// Words of the profile for an organisation, its type and its category.
    pub terms: [String; 3],
    /// Source rows that hold data.
    pub rows_in: u64,
    /// Source rows that are in an entity.
    pub rows_in_entities: u64,
    /// Source rows in quarantine.
    pub rows_quarantined: u64,
    /// Published rows.
    pub entities: u64,
    /// The tables that were read, in reading order.
    pub tables: Vec<TableStatistics>,
    /// Sheets and files that were not read as data, with the reason.
    pub skipped: Vec<SkippedTable>,
    /// Canonical field to step of its rule to number of changed values.
    pub changes: BTreeMap<String, BTreeMap<String, u64>>,
    /// Canonical field to reason to number of values that broke their rule and were left out.
    #[serde(default)]
    pub failures: BTreeMap<String, BTreeMap<String, u64>>,
    /// Published column to completeness.
    pub completeness: BTreeMap<String, Completeness>,
    /// Published column to number of entities on which sources disagree.
    pub conflicts: BTreeMap<String, u64>,
    /// Grouping rule to number of pairs it joined first.
    pub links: BTreeMap<String, u64>,
    /// Pairs of source rows in the review queue.
    #[serde(default)]
    pub pairs_to_review: u64,
    /// Entities by number of source rows: 1, 2, 3, 4, 5, 6 to 10, 11 and more.
    pub entity_sizes: [u64; 7],
    /// Entities by quality score in ten equal steps from 0 to 1.
    pub quality_histogram: [u64; 10],
    /// Mean quality score; nothing where no entity is published.
    pub quality_mean: Option<f64>,
    /// Lowest quality score.
    pub quality_min: Option<f64>,
    /// Highest quality score.
    pub quality_max: Option<f64>,
    /// Source dataset to number of rows.
    pub source_breakdown: BTreeMap<String, u64>,
    /// Reason to number of quarantined rows.
    pub quarantine_reasons: BTreeMap<String, u64>,
    /// Rows that decisions released from quarantine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub released: Vec<crate::decisions::ReleasedRow>,
    /// Results of the expectations: those on source tables first, then those on the published table.
    pub expectations: Vec<ExpectationResult>,
    /// What was found, redacted and withheld of personal data; absent without the compliance feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<crate::compliance::PrivacyReport>,
    /// Whether the tables keep the contracts of their sources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contracts: Vec<ContractStatistics>,
    /// What to do next, for people.
    pub recommendations: Vec<String>,
    /// Stage to seconds; absent from reproducible reports.
    pub timings: Vec<(String, f64)>,
}

/// A table that was read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TableStatistics {
    /// File, relative.
    pub file: String,
    /// Sheet.
    pub sheet: Option<String>,
    /// Which table of the sheet.
    pub table: u32,
    /// Source dataset.
    pub source_dataset: String,
    /// Row of the header, from 1.
    pub header_row: Option<u32>,
    /// Rows that hold data.
    pub rows_in: u64,
    /// Rows in quarantine.
    pub rows_quarantined: u64,
    /// What each column was taken for.
    pub columns: Vec<ColumnMappingStatistics>,
}

/// What a source column was taken for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnMappingStatistics {
    /// Header as the source writes it.
    pub header: String,
    /// Column letters.
    pub column: String,
    /// Canonical field; absent when the column stays an extra one.
    pub field: Option<String>,
    /// Field that was only suggested.
    pub suggestion: Option<String>,
    /// Confidence, 0 to 1.
    pub confidence: f64,
    /// Why.
    pub reason: String,
    /// Share of rows with a value.
    pub fill: f64,
}

/// A sheet or file that was not read as data.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SkippedTable {
    /// File, relative.
    pub file: String,
    /// Sheet.
    pub sheet: Option<String>,
    /// Why.
    pub reason: String,
}

/// Completeness of a published column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Completeness {
    /// Share of source rows with a value, before.
    pub before: f64,
    /// Share of entities with a value, after.
    pub after: f64,
}

/// The result of an expectation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExpectationResult {
    /// The expectation in words, such as `organization_name not_null`.
    pub name: String,
    /// Published column.
    pub column: String,
    /// Values that were checked.
    pub checked: u64,
    /// Values that failed.
    pub unexpected: u64,
    /// Share that must pass.
    pub mostly: f64,
    /// Whether it holds.
    pub success: bool,
    /// Whether its failure fails the run.
    pub fails_run: bool,
    /// The table: a source file with its sheet, or the published dataset.
    #[serde(default)]
    pub dataset: String,
    /// The suite it stands in.
    #[serde(default)]
    pub suite: String,
    /// What its failure does: `info`, `warn`, `fail` or `quarantine`.
    #[serde(default)]
    pub severity: String,
    /// Why it could not be checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// The figure that was found, for an expectation about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<f64>,
}
