//! Events on the terminal.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use super::{Headers, Transport};
use crate::error::SendError;

/// Writes each event as a line of JSON.
pub struct ConsoleTransport {
    writer: Mutex<Box<dyn Write + Send>>,
}

impl ConsoleTransport {
    /// Makes a transport that writes to `writer`.
    pub fn new(writer: Box<dyn Write + Send>) -> Self {
        Self { writer: Mutex::new(writer) }
    }
}

impl Transport for ConsoleTransport {
    fn send(&self, event: &str, _headers: &dyn Fn() -> Headers) -> Result<(), SendError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(writer, "{event}")
            .and_then(|()| writer.flush())
            .map_err(|error| SendError::unavailable(error.to_string()))
    }

    fn describe(&self) -> String {
        "terminal".to_owned()
    }
}
