//! Events in files.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::Utc;

use super::{Headers, Transport};
use crate::error::SendError;

/// Puts each event at the end of a file as a line of JSON, or into a file of its own.
#[derive(Debug)]
pub struct FileTransport {
    path: PathBuf,
    append: bool,
    written: AtomicU64,
}

impl FileTransport {
    /// Makes a transport to a file; without `append` the path is the beginning of the name of each event's file.
    pub fn new(path: PathBuf, append: bool) -> Self {
        Self { path, append, written: AtomicU64::new(0) }
    }

    fn write(&self, event: &str) -> io::Result<()> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let line = format!("{event}\n");
        if self.append {
            // One write call, so that lines of several processes do not mix.
            return OpenOptions::new().create(true).append(true).open(&self.path)?.write_all(line.as_bytes());
        }
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let mut name = self.path.clone().into_os_string();
        name.push(format!("-{}-{number:04}.json", Utc::now().format("%Y%m%d-%H%M%S%.6f")));
        hotpass_core::write_atomic(PathBuf::from(name), line)
    }
}

impl Transport for FileTransport {
    fn send(&self, event: &str, _headers: &dyn Fn() -> Headers) -> Result<(), SendError> {
        self.write(event)
            .map_err(|error| SendError::unavailable(format!("Failed to write `{}`: {error}", self.path.display())))
    }

    fn describe(&self) -> String {
        format!("file {}", self.path.display())
    }
}
