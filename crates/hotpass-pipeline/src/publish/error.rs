//! Why a file could not be published.

use std::io;
use std::path::{Path, PathBuf};

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The ending of the name says no known format.
    #[error("No output format for `{}`", path.display())]
    UnknownFormat {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// A file could not be read back or copied.
    #[error("Failed to read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file could not be written.
    #[error("Failed to write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A table has no batch, or a column that cannot be written in the format; a bug here.
    #[error("Table for `{}` cannot be encoded, which is a bug in Hotpass", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// What the encoder says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Two files of an archive have the same name.
    #[error("Archive would hold two files named `{name}`")]
    DuplicateEntry {
        /// The name.
        name: String,
    },
}

impl PublishError {
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_path_buf(), source }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_path_buf(), source }
    }

    pub(crate) fn encode(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Encode { path: path.to_path_buf(), source: source.into() }
    }

    /// Keeps an input/output error that the parquet writer wraps apart from its other errors.
    pub(crate) fn parquet(path: &Path, error: parquet::errors::ParquetError) -> Self {
        match error {
            parquet::errors::ParquetError::External(inner) => match inner.downcast::<io::Error>() {
                Ok(source) => Self::write(path, *source),
                Err(inner) => Self::encode(path, inner),
            },
            other => Self::encode(path, other),
        }
    }

    pub(super) fn zip(path: &Path, error: zip::result::ZipError) -> Self {
        match error {
            zip::result::ZipError::Io(source) => Self::write(path, source),
            other => Self::encode(path, other),
        }
    }

    pub(super) fn xlsx(path: &Path, error: rust_xlsxwriter::XlsxError) -> Self {
        use rust_xlsxwriter::XlsxError;
        match error {
            XlsxError::IoError(source) | XlsxError::TempFileError(_, source) => Self::write(path, source),
            XlsxError::ZipError(error) => Self::write(path, io::Error::other(error.to_string())),
            other => Self::encode(path, other),
        }
    }

    /// Returns what to do next, where that is known.
    pub fn hint(&self) -> Option<String> {
        let Self::Write { source, .. } = self else {
            return match self {
                Self::UnknownFormat { .. } => {
                    Some("End the name in .xlsx, .csv, .parquet, .json or .ndjson".to_owned())
                }
                _ => None,
            };
        };
        let hint = match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "Free space on the disk or write elsewhere; what was there before is unchanged"
            }
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                "The folder cannot be written to; choose another path"
            }
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                "A part of the path is a file; choose another path"
            }
            io::ErrorKind::IsADirectory => "The path is a folder; add a file name",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
