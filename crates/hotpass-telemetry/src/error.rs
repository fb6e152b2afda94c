//! Why telemetry cannot start.

use std::io;
use std::path::PathBuf;

use crate::settings::Signal;

/// Why telemetry cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An endpoint is no address.
    #[error("The endpoint of {} is no address of the form `http://host:port`: `{endpoint}`", signal.name())]
    Endpoint {
        /// The signal.
        signal: Signal,
        /// What was given.
        endpoint: String,
    },
    /// A header cannot be sent; its value is not repeated.
    #[error("Header `{name}` cannot be sent")]
    Header {
        /// Its name.
        name: String,
    },
    /// A certificate or key cannot be read.
    #[error("Failed to read `{}`", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file holds no certificate or key.
    #[error("No {what} in PEM form in `{}`", path.display())]
    NotPem {
        /// `certificate` or `key`.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A client certificate stands without its key, or a key without its certificate.
    #[error("A client certificate and its key belong together; one of them is missing")]
    HalfAnIdentity,
    /// The way to the collector cannot be set up.
    #[error("Cannot set up the connection for {}: {reason}", signal.name())]
    Connection {
        /// The signal.
        signal: Signal,
        /// Why.
        reason: String,
    },
    /// The file of the file exporter cannot be opened.
    #[error("Failed to open `{}`", path.display())]
    OpenFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The thread of a signal could not be started.
    #[error("Cannot start the thread that exports {}", signal.name())]
    Thread {
        /// The signal.
        signal: Signal,
        /// Why.
        #[source]
        source: io::Error,
    },
}
