//! The report of a run for people: one self-contained page, Markdown, or JSON.

mod html;
mod markdown;
mod samples;
mod svg;
mod words;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use arrow::record_batch::RecordBatch;
use hotpass_provenance::Manifest;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::statistics::RunStatistics;

pub use html::html;
pub use markdown::{markdown, text};
pub(crate) use words::counted;

/// Published columns that hold personal values, whatever the configuration says.
const PERSONAL_COLUMNS: &[&str] = &[
    "address_primary",
    "contact_primary_name",
    "contact_primary_role",
    "contact_primary_email",
    "contact_primary_phone",
    "contact_secondary_emails",
    "contact_secondary_phones",
    "description",
    "notes",
];

/// What a report shows besides the figures.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReportExtras<'a> {
    /// Fields on which sources disagree, [`hotpass_core::fields::CONFLICT_COLUMNS`]; the first ones are shown.
    pub conflicts: &'a [RecordBatch],
    /// Published columns whose values are personal and shown as their shape, such as `Xxxx 999`.
    pub sensitive_fields: &'a [String],
    /// Whether personal values are shown as they are.
    pub show_values: bool,
    /// What the run read and wrote; the report has no lineage when absent.
    pub lineage: Option<&'a hotpass_lineage::LineageGraph>,
}

/// Returns the figures as JSON text, ended by a line break.
pub fn json(statistics: &RunStatistics) -> String {
    // Figures are numbers, text and maps with text keys, which JSON always holds.
    let mut text = serde_json::to_string_pretty(statistics).unwrap_or_default();
    text.push('\n');
    text
}

/// Returns whether values of a published column are personal: of some columns always, of others by the configuration.
pub(crate) fn is_personal(column: &str, sensitive_fields: &[String]) -> bool {
    PERSONAL_COLUMNS.contains(&column) || sensitive_fields.iter().any(|sensitive| sensitive == column)
}

/// Conflicts that are read for a report; none shows more.
const CONFLICT_ROWS: usize = 100;

/// What a finished run needs for its report to be written again.
#[derive(Debug, Clone)]
pub struct LoadedReport {
    /// The figures.
    pub statistics: RunStatistics,
    /// The first fields on which sources disagree.
    pub conflicts: Vec<RecordBatch>,
    /// Published columns that the run's configuration calls personal.
    pub sensitive_fields: Vec<String>,
    /// What the run read and wrote, where it kept its lineage.
    pub lineage: Option<hotpass_lineage::LineageGraph>,
}

impl LoadedReport {
    /// Returns what the report shows besides the figures.
    pub fn extras(&self, show_values: bool) -> ReportExtras<'_> {
        ReportExtras {
            conflicts: &self.conflicts,
            sensitive_fields: &self.sensitive_fields,
            show_values,
            lineage: self.lineage.as_ref(),
        }
    }
}

/// Why a run's report could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadReportError {
    /// A file of the run cannot be read.
    #[error("Failed to read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of the run does not hold what it should.
    #[error("File `{}` is malformed", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Loads what the report of a run shows: `report.json`, the first rows of `conflicts.parquet`, and the personal columns of
/// the manifest's configuration.
///
/// # Errors
///
/// Returns [`LoadReportError`] when a file is missing or malformed.
pub fn load_report(run_dir: &Path) -> Result<LoadedReport, LoadReportError> {
    let path = run_dir.join("report.json");
    let text = std::fs::read_to_string(&path).map_err(|source| LoadReportError::Read { path: path.clone(), source })?;
    let statistics =
        serde_json::from_str(&text).map_err(|source| LoadReportError::Malformed { path, source: source.into() })?;
    let path = run_dir.join("conflicts.parquet");
    let file = File::open(&path).map_err(|source| LoadReportError::Read { path: path.clone(), source })?;
    let malformed =
        |source: Box<dyn std::error::Error + Send + Sync>| LoadReportError::Malformed { path: path.clone(), source };
    let conflicts = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(|builder| builder.with_limit(CONFLICT_ROWS).build())
        .map_err(|source| malformed(source.into()))?
        .collect::<Result<_, _>>()
        .map_err(|source| malformed(source.into()))?;
    let manifest = Manifest::read(run_dir).map_err(|source| LoadReportError::Malformed {
        path: run_dir.join(hotpass_provenance::manifest::MANIFEST_FILE),
        source: source.into(),
    })?;
    let sensitive_fields = ["/pipeline/sensitive_fields", "/compliance/pii_fields"]
        .iter()
        .filter_map(|pointer| manifest.config.pointer(pointer)?.as_array())
        .flatten()
        .filter_map(|field| field.as_str().map(str::to_owned))
        .collect();
    // A run without lineage, or of an earlier version, has a report all the same.
    let lineage = hotpass_lineage::LineageGraph::read(&run_dir.join(crate::lineage::LINEAGE_FILE)).ok();
    Ok(LoadedReport { statistics, conflicts, sensitive_fields, lineage })
}
