//! What stops the finding and the reading of files.

use std::io;
use std::path::PathBuf;

/// Why a file, or the rest of it, could not be read.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The file could not be opened or read.
    #[error("Failed to read `{file}`")]
    Read {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not what it must be, or needs what is not given; the diagnostic says where and what to do.
    #[error("{0}")]
    Refused(Box<hotpass_core::Diagnostic>),
}

/// Why no list of source files could be made.
///
/// All variants but [`DiscoverError::Read`] are mistakes of the caller: usage errors for a command line.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// An input does not exist.
    #[error("Input does not exist: `{}`", input.display())]
    NotFound {
        /// The input.
        input: PathBuf,
    },
    /// A pattern is not a valid glob.
    #[error("Input is not a valid pattern: `{}`", input.display())]
    Pattern {
        /// The pattern.
        input: PathBuf,
        /// Why.
        #[source]
        source: glob::PatternError,
    },
    /// Nothing was given, no file matched, or no file that matched has a format that can be read.
    #[error("No readable files in: {}", join(inputs))]
    NothingFound {
        /// The inputs.
        inputs: Vec<PathBuf>,
        /// Files that were seen and left out.
        ignored: usize,
    },
    /// A folder or file could not be read.
    #[error("Failed to read `{}`", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl DiscoverError {
    /// Returns what to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NotFound { .. } => "Give a file, a folder or a pattern such as `data/*.xlsx`".to_owned(),
            Self::Pattern { .. } => "Patterns know `*`, `?`, `**` and `[a-z]`".to_owned(),
            Self::NothingFound { ignored, .. } => format!(
                "{}formats read are xlsx, xlsm, xls, xlsb, ods, csv, tsv, psv, json, ndjson, parquet \
                 and arrow",
                match ignored {
                    0 => String::new(),
                    1 => "1 file was left out; ".to_owned(),
                    _ => format!("{ignored} files were left out; "),
                }
            ),
            Self::Read { .. } => "Check that the file is there and that you may read it".to_owned(),
        }
    }

    /// Tells whether the caller can put it right by giving other inputs, as opposed to a failing disk.
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Read { .. })
    }
}

fn join(inputs: &[PathBuf]) -> String {
    let names: Vec<String> = inputs.iter().map(|input| format!("`{}`", input.display())).collect();
    if names.is_empty() { "no inputs".to_owned() } else { names.join(", ") }
}
