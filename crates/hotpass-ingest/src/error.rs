//! What stops the reading of a file.

use std::io;

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
