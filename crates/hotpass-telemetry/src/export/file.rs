//! A file of JSON lines: one request of the OpenTelemetry protocol a line, in the protocol's own JSON form.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Instant;

use super::{Exporter, Payload, Receipt, Refusal};
use crate::error::StartError;

/// Appends to a file.
pub(crate) struct JsonLines(File);

impl JsonLines {
    pub(crate) fn open(path: &Path) -> Result<Self, StartError> {
        let open = || {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder)?;
            }
            if !is_ours(path)? {
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    "it is there and holds something else than telemetry",
                ));
            }
            File::options().append(true).create(true).open(path)
        };
        open().map(Self).map_err(|source| StartError::OpenFile { path: path.to_path_buf(), source })
    }
}

/// Returns whether a file is not there, empty, or begins as one that was written here.
fn is_ours(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    match File::open(path) {
        // A pipe or a device cannot be looked into.
        Ok(file) if file.metadata()?.is_file() => file.take(12).read_to_end(&mut beginning)?,
        Ok(_) => return Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    Ok(beginning.is_empty() || beginning.starts_with(b"{\"resource"))
}

impl Exporter for JsonLines {
    fn export(&mut self, payload: &Payload, _: Instant) -> Result<Receipt, Refusal> {
        let line = match payload {
            Payload::Traces(request) => serde_json::to_vec(request),
            Payload::Metrics(request) => serde_json::to_vec(request),
            Payload::Logs(request) => serde_json::to_vec(request),
        };
        let written = line.map_err(|error| error.to_string()).and_then(|mut line| {
            line.push(b'\n');
            // One write a line, so that lines of several programs do not mix.
            self.0.write_all(&line).map_err(|error| error.to_string())
        });
        match written {
            Ok(()) => Ok(Receipt { status: "written".to_owned(), ..Receipt::default() }),
            Err(reason) => Err(Refusal { unreachable: false, retryable: false, wait: None, reason }),
        }
    }
}
