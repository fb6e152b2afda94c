//! Composes the stages into runs: what a program embeds to refine files.

mod acquisition;
mod assemble;
pub mod compliance;
pub mod contracts;
mod decisions;
mod entities;
mod entity_contacts;
mod evidence;
mod golden;
mod grouping;
pub mod lineage;
mod linkage;
mod named_checks;
mod normalising;
pub mod parties;
mod progress;
pub mod publish;
mod quality;
pub mod quarantine;
mod reading;
mod records;
mod refine;
pub mod report;
pub mod resolve;
#[cfg(test)]
mod sample_records;
mod services;
pub mod statistics;
mod survivorship;
pub mod tables;
pub mod telemetry;

pub use compliance::{ComplianceError, ConsentError, RedactionError};
pub use decisions::{
    BrokenRule, DecisionError, QuarantineDecision, QuarantineDecisions, ReleasedRow, can_be_overruled, decisions_file,
    row_digest,
};
pub use evidence::EvidenceError;
pub use lineage::LineageServices;
pub use linkage::{GroupingError, LinkageModelError};
pub use named_checks::{NamedCheckProblem, check_named};
pub use progress::{CancelToken, NoProgress, Progress, Stage};
pub use quality::{ExpectationError, suite_options};
pub use reading::{FileRules, MappingFileError, mapping_files};
pub use refine::{RefineError, RefineOutcome, RefineRequest, refine};
pub use services::Services;
