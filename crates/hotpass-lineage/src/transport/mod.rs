//! Where events go.

mod composite;
mod console;
mod file;
mod http;

use crate::error::{SendError, TransportError};

pub use composite::CompositeTransport;
pub use console::ConsoleTransport;
pub use file::FileTransport;
pub use http::{HttpSettings, HttpTransport};

use std::io::Write;
use std::path::PathBuf;

/// Headers that belong to an event, such as the trace context it was made in.
pub type Headers = Vec<(String, String)>;

/// Takes events.
pub trait Transport: Send {
    /// Sends an event, given as JSON without line breaks, once; retries are the sender's affair.
    ///
    /// `headers` gives the headers of a request; it is asked inside of the request's span, so that what the server does
    /// hangs below it.
    ///
    /// # Errors
    ///
    /// Returns [`SendError`] when it was not taken.
    fn send(&self, event: &str, headers: &dyn Fn() -> Headers) -> Result<(), SendError>;

    /// Returns what it is and where it leads, without secrets, for people.
    fn describe(&self) -> String;
}

/// How a transport is set up.
#[derive(Debug, Clone, PartialEq)]
pub enum TransportSettings {
    /// To a server, by HTTP.
    Http(HttpSettings),
    /// Into a file.
    File {
        /// The file.
        path: PathBuf,
        /// Whether events are put behind what is there; otherwise each gets a file of its own.
        append: bool,
    },
    /// To the terminal.
    Console,
    /// Nowhere.
    Noop,
    /// To several.
    Composite {
        /// The transports, in order.
        transports: Vec<Self>,
        /// Whether the others are tried after one that failed.
        continue_on_failure: bool,
        /// Whether the others are tried after one that took the event.
        continue_on_success: bool,
    },
}

impl TransportSettings {
    /// Sets the transport up; `console` makes what a console transport writes to.
    ///
    /// # Errors
    ///
    /// Returns [`TransportError`] when an address or a certificate cannot be used.
    pub fn build(&self, console: &dyn Fn() -> Box<dyn Write + Send>) -> Result<Box<dyn Transport>, TransportError> {
        Ok(match self {
            Self::Http(settings) => Box::new(HttpTransport::new(settings)?),
            Self::File { path, append } => Box::new(FileTransport::new(path.clone(), *append)),
            Self::Console => Box::new(ConsoleTransport::new(console())),
            Self::Noop => Box::new(NoopTransport),
            Self::Composite { transports, continue_on_failure, continue_on_success } => {
                let transports: Vec<_> =
                    transports.iter().map(|settings| settings.build(console)).collect::<Result<_, _>>()?;
                Box::new(CompositeTransport::new(transports, *continue_on_failure, *continue_on_success)?)
            }
        })
    }

    /// Returns whether events would go to a server.
    pub fn uses_network(&self) -> bool {
        match self {
            Self::Http(_) => true,
            Self::Composite { transports, .. } => transports.iter().any(Self::uses_network),
            Self::File { .. } | Self::Console | Self::Noop => false,
        }
    }
}

/// Takes events and does nothing with them.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoopTransport;

impl Transport for NoopTransport {
    fn send(&self, _event: &str, _headers: &dyn Fn() -> Headers) -> Result<(), SendError> {
        Ok(())
    }

    fn describe(&self) -> String {
        "nowhere".to_owned()
    }
}
