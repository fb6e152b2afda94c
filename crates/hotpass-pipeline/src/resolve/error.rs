//! Why files could not be resolved.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use hotpass_ingest::IngestError;
use hotpass_provenance::manifest::ManifestError;

use crate::evidence::EvidenceError;
use crate::publish::{PublishError, overwritten_input};

/// Why files could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// An input, or a file of pairs, clusters, labels or decisions, cannot be opened or read.
    #[error("Failed to read `{}`", path.display())]
    ReadInput {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What is to be written is one of the inputs.
    #[error("`{}` is an input and would be overwritten", path.display())]
    OverwritesInput {
        /// The file.
        path: PathBuf,
    },
    /// An input is a folder.
    #[error("Input `{}` is a folder", path.display())]
    InputIsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A file is not what its format asks for.
    #[error("File `{}` is broken or cut off", path.display())]
    BrokenInput {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A file is refused by its reader.
    #[error("Failed to read `{}`", path.display())]
    Ingest {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: IngestError,
    },
    /// A file holds no table.
    #[error("File `{}` holds no table", path.display())]
    NoTable {
        /// The file.
        path: PathBuf,
    },
    /// A file was changed between two readings.
    #[error("File `{}` was changed while it was read", path.display())]
    ChangedInput {
        /// The file.
        path: PathBuf,
    },
    /// A column does not exist.
    #[error("Table `{table}` has no column `{column}`, needed for {needed_for}")]
    MissingColumn {
        /// The name asked for.
        column: String,
        /// The table.
        table: String,
        /// What needs it, as the end of a sentence.
        needed_for: String,
        /// The nearest name that exists.
        nearest: Option<String>,
        /// Every name that exists.
        columns: Vec<String>,
    },
    /// A column has a type that cannot serve.
    #[error("Column `{column}` of `{table}` has type {found}, but {needed_for} needs {expected}")]
    ColumnType {
        /// The column.
        column: String,
        /// The table.
        table: String,
        /// What needs it.
        needed_for: String,
        /// The type it has.
        found: String,
        /// The types that serve.
        expected: &'static str,
    },
    /// A column that the caller excludes is used by the model.
    #[error("Model uses the excluded column `{column}`: {used_by}")]
    ExcludedColumn {
        /// The column.
        column: String,
        /// The comparison or rule that uses it.
        used_by: String,
    },
    /// The model file cannot be read, or is no model.
    #[error("Cannot use model `{}`", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// Every problem, a line each.
        problems: Vec<String>,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The model does not fit the inputs.
    #[error("Model does not fit the inputs")]
    Unfit {
        /// Every problem, a line each.
        problems: Vec<String>,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A blocking rule would compare every record with every other.
    #[error("{message}")]
    FullProduct {
        /// Which rule, and how many pairs.
        message: String,
    },
    /// More memory is needed than allowed.
    #[error("{message}")]
    Memory {
        /// What needs how much.
        message: String,
    },
    /// What was asked for cannot be.
    #[error("{message}")]
    Request {
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The engine failed.
    #[error("{step} failed")]
    Engine {
        /// What it was doing.
        step: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The run folder could not be made or locked, or a file of the run not be read again.
    #[error("Cannot use the run folder in `{}`", dist_dir.display())]
    RunFolder {
        /// Folder of runs.
        dist_dir: PathBuf,
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
    /// A file could not be written.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The caller asked to stop.
    #[error("Interrupted")]
    Cancelled,
}

impl ResolveError {
    /// Makes the error of a request that cannot be.
    pub(crate) fn request(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Request { message: message.into(), hint: Some(hint.into()) }
    }

    /// Makes sure that no output is an input.
    pub(super) fn unless_apart<'a>(
        outputs: impl IntoIterator<Item = &'a PathBuf>,
        inputs: impl IntoIterator<Item = &'a PathBuf>,
    ) -> Result<(), Self> {
        let (outputs, inputs) = (outputs.into_iter().map(PathBuf::as_path), inputs.into_iter().map(PathBuf::as_path));
        match overwritten_input(outputs, inputs) {
            Some(path) => Err(Self::OverwritesInput { path: path.to_path_buf() }),
            None => Ok(()),
        }
    }

    /// Makes the error of a step of the engine.
    pub(crate) fn engine(step: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Engine { step, source: source.into() }
    }

    /// Tells whether the caller can put it right by asking for something else, as opposed to a failing disk or a bug.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::ReadInput { source, .. } => {
                matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
            }
            Self::Ingest { source, .. } => matches!(source, IngestError::Refused(_)),
            Self::Publish(error) => matches!(error, PublishError::UnknownFormat { .. }),
            Self::ChangedInput { .. }
            | Self::Memory { .. }
            | Self::RunFolder { .. }
            | Self::Manifest(_)
            | Self::Evidence(_)
            | Self::Engine { .. }
            | Self::Cancelled => false,
            _ => true,
        }
    }

    /// Returns what to do next, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::ReadInput { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("Check the path".to_owned())
            }
            Self::OverwritesInput { .. } => Some("Write to another file".to_owned()),
            Self::InputIsFolder { .. } => {
                Some("Name files, each with an `--input-file` of its own; `hotpass refine` reads folders".to_owned())
            }
            Self::BrokenInput { .. } => Some("Copy or export the file again".to_owned()),
            Self::Ingest { source: IngestError::Refused(diagnostic), .. } => diagnostic.hint.clone(),
            Self::NoTable { .. } => Some("See what is found in it with `hotpass inspect FILE`".to_owned()),
            Self::ChangedInput { .. } => Some("Run again when nobody writes to it".to_owned()),
            Self::MissingColumn { nearest: Some(nearest), .. } => Some(format!("Did you mean `{nearest}`?")),
            Self::MissingColumn { columns, .. } => Some(format!("Its columns are {}", listed(columns))),
            Self::ExcludedColumn { .. } => {
                Some("Leave it out of the model, or out of `--exclude-columns`".to_owned())
            }
            Self::Model { hint, .. } | Self::Unfit { hint, .. } | Self::Request { hint, .. } => hint.clone(),
            Self::FullProduct { .. } => {
                Some("Give the rule an equality, such as `l.postcode = r.postcode`, or allow it with `--allow-full-product`".to_owned())
            }
            Self::Memory { .. } => {
                Some("Raise `--memory-limit`, or make the blocking rules stricter: `hotpass resolve block count` shows what each costs".to_owned())
            }
            Self::Publish(error) => error.hint(),
            _ => None,
        }
    }

    /// Returns the problems of a model, each a line; empty for other errors.
    pub fn problems(&self) -> &[String] {
        match self {
            Self::Model { problems, .. } | Self::Unfit { problems, .. } => problems,
            _ => &[],
        }
    }
}

/// Returns names as a list for people, the first twenty.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    text
}
