//! Why a run could not be done, and what to do about it.

use std::io;
use std::path::PathBuf;

use arrow::error::ArrowError;
use hotpass_core::Diagnostic;
use hotpass_ingest::source::DiscoverError;
use hotpass_normalise::parse_country;
use hotpass_provenance::manifest::ManifestError;

use crate::compliance::{ComplianceError, RedactionError};
use crate::contracts::ContractLoadError;
use crate::decisions::DecisionError;
use crate::evidence::EvidenceError;
use crate::linkage::{GroupingError, LinkageModelError};
use crate::publish::PublishError;
use crate::quality::ExpectationError;
use crate::reading::MappingFileError;
use crate::statistics::SkippedTable;

/// Why a run could not be done.
#[derive(Debug, thiserror::Error)]
pub enum RefineError {
    /// The inputs could not be found.
    #[error("Cannot find the inputs")]
    Discover(#[from] DiscoverError),
    /// What is to be written is one of the inputs.
    #[error("`{}` is an input and would be overwritten", path.display())]
    OverwritesInput {
        /// The file.
        path: PathBuf,
    },
    /// No file held a table with the required fields.
    #[error("No table to refine in: {}", names.join(", "))]
    NothingToRefine {
        /// The files that were read.
        names: Vec<String>,
        /// Why each of their tables was left out.
        skipped: Vec<SkippedTable>,
        /// What was found in them.
        diagnostics: Vec<Diagnostic>,
    },
    /// A mapping file could not be used.
    #[error(transparent)]
    MappingFile(#[from] MappingFileError),
    /// The run id of the configuration is no UUID.
    #[error("Not a run id: `{run_id}`")]
    RunId {
        /// What was given.
        run_id: String,
    },
    /// A contract cannot be used.
    #[error(transparent)]
    Contract(#[from] ContractLoadError),
    /// A country code of the configuration is none.
    #[error("Unknown country in `{key}`: `{code}`")]
    UnknownCountry {
        /// Key of the configuration.
        key: &'static str,
        /// What was given.
        code: String,
    },
    /// Redaction was asked for and cannot be done.
    #[error(transparent)]
    Redaction(#[from] RedactionError),
    /// Consent or erasure cannot be obeyed.
    #[error(transparent)]
    Compliance(#[from] ComplianceError),
    /// The linkage model cannot be used.
    #[error(transparent)]
    LinkageModel(#[from] LinkageModelError),
    /// Records could not be compared.
    #[error("Cannot compare the records")]
    Grouping(#[from] GroupingError),
    /// An expectation cannot be checked.
    #[error(transparent)]
    Expectation(#[from] ExpectationError),
    /// The decisions on rows in quarantine cannot be read.
    #[error(transparent)]
    Decisions(#[from] DecisionError),
    /// The tables need more memory than the run may use.
    #[error("The tables need more memory than the run may use: {needed} bytes over a limit of {limit}")]
    Memory {
        /// Bytes taken when the limit was passed.
        needed: u64,
        /// The limit.
        limit: u64,
    },
    /// The threads could not be started.
    #[error("Cannot start the threads of the run")]
    Threads(#[source] rayon::ThreadPoolBuildError),
    /// The run folder could not be made or locked.
    #[error("Cannot use the run folder in `{}`", dist_dir.display())]
    RunFolder {
        /// Folder of runs.
        dist_dir: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The columns could not be built.
    #[error("Cannot build the tables of the run")]
    Arrow(#[from] ArrowError),
    /// A file could not be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The copy of the report could not be written.
    #[error("Failed to write report `{}`", path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The manifest could not be written.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The ledger or the attestation could not be written.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The run was asked to stop.
    #[error("The run was interrupted")]
    Cancelled,
    /// Rows in are not rows in entities and quarantine together.
    #[error(
        "Rows were lost: {rows_in} in, {in_entities} in entities, {quarantined} in quarantine; this is a bug in hotpass"
    )]
    RowsLost {
        /// Rows in.
        rows_in: u64,
        /// Rows in entities.
        in_entities: u64,
        /// Rows in quarantine.
        quarantined: u64,
    },
}

impl RefineError {
    /// Returns whether the caller can put it right by other arguments or configuration.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Discover(error) => error.is_usage(),
            Self::NothingToRefine { .. }
            | Self::OverwritesInput { .. }
            | Self::MappingFile(_)
            | Self::RunId { .. }
            | Self::Contract(_)
            | Self::UnknownCountry { .. }
            | Self::Redaction(_)
            | Self::Compliance(_)
            | Self::LinkageModel(_) => true,
            Self::Decisions(error) => error.is_usage(),
            Self::Expectation(error) => error.is_usage(),
            Self::Publish(error) => matches!(error, PublishError::UnknownFormat { .. }),
            _ => false,
        }
    }

    /// Returns what to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Discover(error) => Some(error.hint()),
            Self::NothingToRefine { .. } => Some(
                "See what was found with `hotpass inspect`, and map a column to `organization_name` with `hotpass map`"
                    .into(),
            ),
            Self::OverwritesInput { .. } => Some(
                "Write to another file; what an earlier run wrote among the inputs is left out of them by itself"
                    .into(),
            ),
            Self::Memory { .. } => Some("Raise `ingest.memory_limit_bytes`, or split the input".into()),
            Self::RunId { .. } => Some("Leave `pipeline.run_id` out, or give a UUID".into()),
            Self::UnknownCountry { code, .. } => Some(country_hint(code)),
            Self::MappingFile(error) => Some(error.hint()),
            Self::Redaction(error) => error.hint(),
            Self::Compliance(error) => error.hint(),
            Self::Contract(error) => error.hint(),
            Self::LinkageModel(error) => Some(error.hint()),
            Self::Expectation(error) => error.hint(),
            Self::Decisions(error) => Some(error.hint()),
            Self::Publish(error) => error.hint(),
            _ => None,
        }
    }
}

/// Returns what to write instead of a code that no country has.
fn country_hint(code: &str) -> String {
    match parse_country(code) {
        Ok(country) => format!("The code of {} is `{}`", country.name, country.alpha2),
        Err(_) => "Use a code of two letters from ISO 3166-1, such as `ZA`".to_owned(),
    }
}
