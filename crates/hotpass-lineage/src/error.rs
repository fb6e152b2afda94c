//! Why an event could not be read, sent or kept.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why an event could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The text is no event of the specification.
    #[error("Not an OpenLineage event")]
    Malformed(#[source] serde_json::Error),
    /// A file of events could not be read.
    #[error("Failed to read events from `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line of a file of events is no event.
    #[error("Line {line} of `{}` is no OpenLineage event", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// Why a transport did not take an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It cannot be reached, is too busy or broken; the same event may be taken later.
    #[error("{reason}")]
    Unavailable {
        /// What happened.
        reason: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// It refuses the sender or the address, so that no event will be taken until that is put right.
    #[error("The server refuses the sender or the address with status {status}{}", detail(reason))]
    Refused {
        /// Status of the response.
        status: u16,
        /// What the server says.
        reason: String,
    },
    /// It refuses this event for good.
    #[error("The server refuses the event with status {status}{}", detail(reason))]
    Rejected {
        /// Status of the response.
        status: u16,
        /// What the server says.
        reason: String,
    },
}

fn detail(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

impl SendError {
    /// Makes the error of something that may pass.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into(), retry_after: None }
    }

    /// Returns whether only this event is concerned, and others may be taken.
    pub const fn concerns_the_event(&self) -> bool {
        matches!(self, Self::Rejected { .. })
    }
}

/// Why a transport could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The address is no URL of a server.
    #[error("Not the address of a server: `{url}`")]
    Url {
        /// What was given.
        url: String,
    },
    /// The certificates could not be read.
    #[error("Failed to read the certificates in `{}`", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file holds no certificate.
    #[error("No certificate in `{}`", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// A header has a name or value that no request may carry.
    #[error("Not a header of a request: `{name}`")]
    Header {
        /// Its name.
        name: String,
    },
    /// A composite has no transport.
    #[error("A composite transport without transports")]
    Empty,
}
