//! Events that wait on disk until they can be sent.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::Utc;
use hotpass_core::write_atomic;
use serde::{Deserialize, Serialize};

use crate::delivery::{Retry, deliver};
use crate::error::SendError;
use crate::event::Timestamp;
use crate::transport::{Headers, Transport};

/// Bytes that waiting events may take, unless said otherwise.
const DEFAULT_LIMIT: u64 = 64 << 20;

/// A folder of events that wait: `spool/` holds one file an event in the order they were made, `rejected/` those that the
/// server refused for good, each with its reason.
///
/// Files appear whole or not at all. When the events would take more than the limit, the oldest are deleted; they are still
/// in the folder of their run.
#[derive(Debug, Clone)]
pub struct Spool {
    root: PathBuf,
    limit: u64,
}

/// What waits in a spool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SpoolStatus {
    /// Events that wait.
    pub pending: u64,
    /// Bytes they take.
    pub bytes: u64,
    /// When the oldest of them was put there.
    pub oldest: Option<Timestamp>,
    /// Events that the server refused for good.
    pub rejected: u64,
    /// The last failure.
    pub last_error: Option<LastError>,
}

/// The last failure of sending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub message: String,
}

/// What became of the waiting events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// Events that were sent.
    pub sent: u64,
    /// Events that were refused for good and moved aside.
    pub rejected: u64,
    /// Events that still wait.
    pub pending: u64,
    /// Why it stopped before the end.
    pub stopped: Option<SendError>,
}

impl Spool {
    /// Names the folder; it is made when the first event is put there.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), limit: DEFAULT_LIMIT }
    }

    /// Sets how many bytes the waiting events may take.
    #[must_use]
    pub fn with_limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Returns the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Puts an event behind those that wait.
    ///
    /// # Errors
    ///
    /// Returns the error of writing the file.
    pub fn push(&self, event: &str) -> io::Result<()> {
        self.push_numbered(next_number(), event).map(drop)
    }

    /// Puts an event at its place in the order of all events; returns how many older ones made way.
    pub(crate) fn push_numbered(&self, number: u64, event: &str) -> io::Result<u64> {
        let waiting = self.pending()?;
        let mut bytes: u64 = waiting.iter().map(|(_, bytes)| bytes).sum::<u64>() + event.len() as u64 + 1;
        let mut displaced = 0;
        for (oldest, size) in waiting {
            if bytes <= self.limit {
                break;
            }
            // Where it is gone already, another process has sent it.
            displaced += u64::from(remove(&oldest)?);
            bytes -= size;
        }
        let name = format!("{number:020}-{}.json", std::process::id());
        write_atomic(self.folder("spool").join(name), format!("{event}\n"))?;
        Ok(displaced)
    }

    /// Keeps the last failure for people.
    pub fn note_error(&self, error: &str) {
        let last = LastError { at: Timestamp::from(Utc::now()), message: error.to_owned() };
        // What cannot be noted is only missing from `status`.
        if let Ok(text) = serde_json::to_string(&last) {
            let _ = write_atomic(self.root.join("last_error.json"), text + "\n");
        }
    }

    /// Returns what waits.
    ///
    /// # Errors
    ///
    /// Returns the error of reading the folder.
    pub fn status(&self) -> io::Result<SpoolStatus> {
        let pending = self.pending()?;
        let oldest = pending.first().and_then(|(path, _)| {
            let nanoseconds: i64 = path.file_name()?.to_str()?.split('-').next()?.parse().ok()?;
            Some(Timestamp::from_milliseconds(nanoseconds / 1_000_000))
        });
        let last_error = fs::read_to_string(self.root.join("last_error.json")).ok();
        Ok(SpoolStatus {
            pending: pending.len() as u64,
            bytes: pending.iter().map(|(_, bytes)| bytes).sum(),
            oldest,
            rejected: files(&self.folder("rejected"))?.len() as u64,
            last_error: last_error.and_then(|text| serde_json::from_str(&text).ok()),
        })
    }

    /// Returns the events that wait, in order.
    ///
    /// # Errors
    ///
    /// Returns the error of reading the folder or a file.
    pub fn events(&self) -> io::Result<Vec<String>> {
        self.pending()?.into_iter().map(|(path, _)| Ok(fs::read_to_string(path)?.trim_end().to_owned())).collect()
    }

    /// Sends the events that wait, in order.
    ///
    /// An event that is refused for good goes to `rejected/` with the reason, and the next is sent. It stops when the server
    /// cannot be reached or refuses the sender, since the others would fare no better.
    ///
    /// # Errors
    ///
    /// Returns the error of reading or moving a file, or [`io::ErrorKind::WouldBlock`] when another process replays.
    pub fn replay(&self, transport: &dyn Transport, retry: &Retry) -> io::Result<Replay> {
        self.replay_with_headers(transport, retry, &Vec::new)
    }

    /// Sends what waits as [`Spool::replay`] does, with headers of the caller's, such as the context of a trace.
    ///
    /// # Errors
    ///
    /// As [`Spool::replay`].
    pub fn replay_with_headers(
        &self,
        transport: &dyn Transport,
        retry: &Retry,
        headers: &dyn Fn() -> Headers,
    ) -> io::Result<Replay> {
        let mut outcome = Replay::default();
        if self.pending()?.is_empty() {
            return Ok(outcome);
        }
        let _lock = self.lock()?;
        let pending = self.pending()?;
        outcome.pending = pending.len() as u64;
        for (path, _) in pending {
            let event = match fs::read_to_string(&path) {
                Ok(event) => event,
                // It made way for newer ones in the meantime.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    outcome.pending -= 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            match deliver(transport, event.trim_end(), headers, retry, &mut |pause| {
                std::thread::sleep(pause);
                true
            }) {
                Ok(()) => {
                    remove(&path)?;
                    outcome.sent += 1;
                }
                Err(error) if error.concerns_the_event() => {
                    self.reject(&path, &error)?;
                    outcome.rejected += 1;
                }
                Err(error) => {
                    self.note_error(&error.to_string());
                    outcome.stopped = Some(error);
                    break;
                }
            }
            outcome.pending -= 1;
        }
        if outcome.stopped.is_none() && outcome.rejected == 0 {
            // What failed before is over.
            remove(&self.root.join("last_error.json"))?;
        }
        Ok(outcome)
    }

    fn reject(&self, path: &Path, error: &SendError) -> io::Result<()> {
        let folder = self.folder("rejected");
        fs::create_dir_all(&folder)?;
        let target = folder.join(path.file_name().unwrap_or_default());
        write_atomic(target.with_extension("reason.txt"), format!("{error}\n"))?;
        self.note_error(&error.to_string());
        fs::rename(path, target)
    }

    fn lock(&self) -> io::Result<File> {
        fs::create_dir_all(&self.root)?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(self.root.join("replay.lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => {
                Err(io::Error::new(io::ErrorKind::WouldBlock, "Another process sends the waiting events"))
            }
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn pending(&self) -> io::Result<Vec<(PathBuf, u64)>> {
        files(&self.folder("spool"))
    }
}

/// Deletes a file; returns whether it was there.
fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns the files of events in a folder, sorted by name, with their sizes.
fn files(folder: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // A file that is being written begins with a dot.
        if name.ends_with(".json") && !name.starts_with('.') {
            match entry.metadata() {
                Ok(metadata) => found.push((entry.path(), metadata.len())),
                // Another process has sent it in the meantime.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Returns the nanoseconds since 1970, later than any number before.
pub(crate) fn next_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = u64::try_from(Utc::now().timestamp_nanos_opt().unwrap_or_default()).unwrap_or_default();
    let mut last = LAST.load(Ordering::Relaxed);
    loop {
        let number = now.max(last + 1);
        match LAST.compare_exchange_weak(last, number, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return number,
            Err(other) => last = other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_keep_their_order_and_the_oldest_give_way() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let spool = Spool::new(folder.path().join("lineage")).with_limit(50);
        for number in 0..20 {
            spool.push(&format!("{{\"event\":{number:04}}}"))?;
        }
        let events = spool.events()?;
        assert_eq!(events, ["{\"event\":0017}", "{\"event\":0018}", "{\"event\":0019}"]);
        let status = spool.status()?;
        assert_eq!((status.pending, status.bytes, status.rejected), (3, 45, 0));
        assert!(status.oldest.is_some_and(|oldest| oldest.milliseconds() > 1_600_000_000_000));
        Ok(())
    }

    #[test]
    fn an_empty_spool_makes_no_folder() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let spool = Spool::new(folder.path().join("lineage"));
        assert_eq!(spool.status()?, SpoolStatus::default());
        assert!(!folder.path().join("lineage").exists());
        Ok(())
    }
}
