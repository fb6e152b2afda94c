//! The ledger: what was done to a run or a workspace, one entry a line, each holding on to the one before.
//!
//! The file is NDJSON. The canonical form of an entry is the bytes of its line without the last member, `hash`, whose value is the
//! SHA-256 of exactly those bytes; `previous` is the hash of the entry before. Hashing the bytes as they stand, instead of a
//! canonical form of their meaning such as that of RFC 8785, leaves nothing to interpret: white space, number formats and the
//! order of members are part of what is held fast, and `head`, `sed` and `sha256sum` are enough to check it.

mod check;
mod line;

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hotpass_core::Clock;
use serde_json::{Map, Value, json};

pub(crate) use check::check;
pub use check::{LedgerFault, LedgerReading};
pub use line::{LedgerEntry, LedgerHead};

use line::{Line, NONE_BEFORE};

/// Name of the ledger in the run folder, and in the folder of the workspace's runs.
pub const LEDGER_FILE: &str = "ledger.ndjson";
/// Bytes of the end that are read at first to find the last entry.
const TAIL: u64 = 1 << 14;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EntryKind {
    /// A run began.
    RunStarted,
    /// The inputs of a run were found.
    RunInputs,
    /// The configuration of a run was settled.
    RunConfigured,
    /// A contract was checked.
    ContractChecked,
    /// Expectations were checked.
    ExpectationChecked,
    /// Rows left quarantine by a decision.
    QuarantineReleased,
    /// What is held on a person was erased.
    PrivacyErased,
    /// A person who was erased may come back.
    PrivacyReadmitted,
    /// What was past its retention date was removed.
    PrivacySwept,
    /// What is held on a person was given out.
    PrivacyDisclosed,
    /// A file was written from a run's data.
    ExportWritten,
    /// A run did what it was asked to do.
    RunCompleted,
    /// A run failed, or its data did not pass.
    RunFailed,
    /// A run was stopped.
    RunInterrupted,
    /// A run was done again under the same id, which a fixed clock allows; its earlier entries are gone.
    RunReplaced,
    /// A run was signed.
    AttestationSigned,
    /// The end of the ledger was torn by a crash; what was left of it stands before this entry.
    LedgerRepaired,
}

impl EntryKind {
    /// Returns the name in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunStarted => "run.started",
            Self::RunInputs => "run.inputs",
            Self::RunConfigured => "run.configured",
            Self::ContractChecked => "contract.checked",
            Self::ExpectationChecked => "expectation.checked",
            Self::QuarantineReleased => "quarantine.released",
            Self::PrivacyErased => "privacy.erased",
            Self::PrivacyReadmitted => "privacy.readmitted",
            Self::PrivacySwept => "privacy.swept",
            Self::PrivacyDisclosed => "privacy.disclosed",
            Self::ExportWritten => "export.written",
            Self::RunCompleted => "run.completed",
            Self::RunFailed => "run.failed",
            Self::RunInterrupted => "run.interrupted",
            Self::RunReplaced => "run.replaced",
            Self::AttestationSigned => "attestation.signed",
            Self::LedgerRepaired => "ledger.repaired",
        }
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is to be recorded.
///
/// Details hold counts, digests, and names of files, columns and rules; never a value of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What happened.
    pub kind: EntryKind,
    /// Who did it.
    pub operator: Option<String>,
    /// The command with the names of its flags, without their values.
    pub command: Vec<String>,
    /// The run it is about; [`Ledger::of_run`] fills it in.
    pub run_id: Option<String>,
    /// Counts, digests and names.
    pub details: Map<String, Value>,
}

impl Entry {
    /// Makes an entry without details.
    pub fn new(kind: EntryKind) -> Self {
        Self { kind, operator: None, command: Vec::new(), run_id: None, details: Map::new() }
    }

    /// Sets who did it, and with which command.
    #[must_use]
    pub fn by(mut self, operator: Option<&str>, command: &[String]) -> Self {
        self.operator = operator.map(str::to_owned);
        self.command = command.to_vec();
        self
    }

    /// Sets the run it is about.
    #[must_use]
    pub fn of_run(mut self, run_id: &str) -> Self {
        self.run_id = Some(run_id.to_owned());
        self
    }

    /// Adds a detail.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

/// Why a ledger could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file could not be read or written.
    #[error("Failed to access ledger `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The last entry is not as it was written, so that nothing can be put after it.
    #[error("The last entry of ledger `{}` was changed after it was written", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// An entry cannot be written as JSON.
    #[error("Failed to write an entry of ledger `{}`", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// An append-only, hash-chained list of what was done.
///
/// An entry is on the disk when [`Ledger::append`] returns. Any number of threads and processes may append; each waits for the
/// file's lock, which the operating system gives back when a process ends.
///
/// ```
/// use hotpass_core::Clock;
/// use hotpass_provenance::{Entry, EntryKind, Ledger};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let ledger = Ledger::open(folder.path().join("ledger.ndjson"));
/// let released = Entry::new(EntryKind::QuarantineReleased).by(Some("thandi"), &[]).detail("rows", 3);
/// let first = ledger.append(released, Clock::System)?;
/// assert_eq!(first.sequence, 0);
/// assert!(ledger.read()?.faults.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    path: PathBuf,
    run: Option<RunLedger>,
}

/// What the ledger of a run knows besides its file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RunLedger {
    id: String,
    workspace: PathBuf,
}

impl Ledger {
    /// Names a ledger by its file, which the first entry makes.
    pub fn open(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), run: None }
    }

    /// Names the ledger of a finished run by the run's folder, `DIST/runs/ID`.
    ///
    /// What is appended is recorded in the workspace's ledger too, `DIST/ledger.ndjson`, with the place and hash it has in the
    /// run's: so an entry that is cut off the end of either is missed.
    pub fn of_run(run_dir: &Path) -> Self {
        let id = run_dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let run = workspace_of(run_dir).map(|workspace| RunLedger { id, workspace });
        Self { path: run_dir.join(LEDGER_FILE), run }
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records what was done.
    ///
    /// Waits for other writers, reads and checks the last entry, writes the new one after it and syncs the file. Where a crash
    /// has torn the last line, an entry of kind [`EntryKind::LedgerRepaired`] comes first, with the length and SHA-256 of
    /// what is left of it; the bytes stay where they are.
    ///
    /// # Errors
    ///
    /// Returns [`LedgerError`] when the file cannot be written, or its last entry was changed.
    pub fn append(&self, mut entry: Entry, clock: Clock) -> Result<LedgerEntry, LedgerError> {
        if let Some(run) = &self.run {
            entry.run_id = Some(run.id.clone());
        }
        let mut mirrored = self.run.as_ref().map(|run| (run, entry.clone()));
        let written = self.write(entry, clock)?;
        if let Some((run, entry)) = &mut mirrored {
            let head = json!({"sequence": written.sequence, "hash": written.hash});
            let entry = entry.clone().detail("run_ledger", head);
            Self::open(&run.workspace).write(entry, clock)?;
        }
        Ok(written)
    }

    /// Records entries of a run's ledger in that of its workspace, where a crash came between the two; returns how many.
    ///
    /// # Errors
    ///
    /// Returns [`LedgerError`] when one of the ledgers cannot be read or written.
    pub fn mend(&self, kind: EntryKind, clock: Clock) -> Result<usize, LedgerError> {
        let Some(run) = &self.run else { return Ok(0) };
        let workspace = Self::open(&run.workspace);
        let recorded: Vec<Value> = workspace
            .read()?
            .entries
            .into_iter()
            .filter(|entry| entry.run_id.as_deref() == Some(&run.id))
            .filter_map(|mut entry| entry.details.remove("run_ledger"))
            .collect();
        let mut mended = 0;
        for entry in self.read()?.entries.into_iter().filter(|entry| entry.kind == kind.as_str()) {
            let head = json!({"sequence": entry.sequence, "hash": entry.hash});
            if recorded.contains(&head) {
                continue;
            }
            let missed = Entry {
                kind,
                operator: entry.operator,
                command: entry.command,
                run_id: Some(run.id.clone()),
                details: entry.details,
            };
            workspace.write(missed.detail("run_ledger", head), clock)?;
            mended += 1;
        }
        Ok(mended)
    }

    fn write(&self, entry: Entry, clock: Clock) -> Result<LedgerEntry, LedgerError> {
        let io_error = |source| LedgerError::Io { path: self.path.clone(), source };
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(io_error)?;
        }
        let is_new = !self.path.exists();
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&self.path).map_err(io_error)?;
        // The lock goes with the file when it is closed, however the process ends.
        file.lock().map_err(io_error)?;
        let tail = Tail::read(&mut file).map_err(io_error)?;
        let (mut sequence, mut previous) = match tail.last {
            Some(Line::Entry(last)) => (last.sequence + 1, last.hash),
            Some(_) => return Err(LedgerError::Changed { path: self.path.clone() }),
            None => (0, NONE_BEFORE.to_owned()),
        };
        let mut bytes = Vec::new();
        if tail.unended {
            bytes.push(b'\n');
        }
        let mut push = |entry: Entry| -> Result<LedgerEntry, LedgerError> {
            let mut entry = LedgerEntry {
                sequence,
                time: clock.now_rfc3339(),
                kind: entry.kind.as_str().to_owned(),
                operator: entry.operator,
                command: entry.command,
                run_id: entry.run_id,
                details: entry.details,
                previous: previous.clone(),
                hash: String::new(),
            };
            bytes.extend(
                line::write(&mut entry).map_err(|source| LedgerError::Encode { path: self.path.clone(), source })?,
            );
            sequence += 1;
            previous.clone_from(&entry.hash);
            Ok(entry)
        };
        if !tail.torn.is_empty() {
            let mut repair = Entry::new(EntryKind::LedgerRepaired).detail("torn_lines", tail.torn);
            repair.run_id.clone_from(&entry.run_id);
            push(repair)?;
        }
        let written = push(entry)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(io_error)?;
        if is_new {
            sync_folder(&self.path);
        }
        Ok(written)
    }

    /// Begins the ledger of a run anew, when a fixed clock gives a new run the id of an earlier one.
    ///
    /// Returns the last entry of the earlier ledger, if there was one, for the workspace's ledger to keep.
    ///
    /// # Errors
    ///
    /// Returns [`LedgerError::Io`] when the file cannot be read or emptied.
    pub fn restart(&self) -> Result<Option<LedgerHead>, LedgerError> {
        let io_error = |source| LedgerError::Io { path: self.path.clone(), source };
        let file = match OpenOptions::new().read(true).write(true).open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error(error)),
        };
        file.lock().map_err(io_error)?;
        let head = self.read_file(&file)?.entries.last().map(LedgerEntry::head);
        file.set_len(0).and_then(|()| file.sync_all()).map_err(io_error)?;
        Ok(head)
    }

    /// Reads all entries and finds what is changed, missing, inserted, reordered or torn. A ledger without a file is empty.
    ///
    /// # Errors
    ///
    /// Returns [`LedgerError::Io`] when the file cannot be read; everything else is a fault in the answer.
    pub fn read(&self) -> Result<LedgerReading, LedgerError> {
        let io_error = |source| LedgerError::Io { path: self.path.clone(), source };
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LedgerReading::default()),
            Err(error) => return Err(io_error(error)),
        };
        // A writer may be half-way through an entry; where locks are not to be had, the file is read as it stands.
        let _ = file.lock_shared();
        self.read_file(&file)
    }

    fn read_file(&self, mut file: &File) -> Result<LedgerReading, LedgerError> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|source| LedgerError::Io { path: self.path.clone(), source })?;
        Ok(check(&bytes))
    }
}

/// Returns the workspace's ledger for a folder `DIST/runs/ID`.
pub(crate) fn workspace_of(run_dir: &Path) -> Option<PathBuf> {
    let runs = run_dir.parent()?;
    (runs.file_name()? == "runs").then(|| runs.parent().unwrap_or(Path::new("")).join(LEDGER_FILE))
}

/// Makes a new file's name last; where a folder cannot be synced, as on Windows, the file system does it in its own time.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent() {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// The end of a ledger.
#[derive(Default)]
struct Tail {
    /// The last line that is whole.
    last: Option<Line>,
    /// Length and SHA-256 of the torn lines after it.
    torn: Vec<Value>,
    /// Whether the file does not end in a line break.
    unended: bool,
}

impl Tail {
    /// Reads backwards to the last whole line.
    fn read(file: &mut File) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        let mut wanted = TAIL;
        loop {
            let start = length.saturating_sub(wanted);
            file.seek(SeekFrom::Start(start))?;
            let mut bytes = Vec::new();
            file.take(length - start).read_to_end(&mut bytes)?;
            // What was read may begin within a line, which then says nothing.
            let whole = if start == 0 {
                0
            } else {
                bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1)
            };
            let tail = Self::of(&bytes[whole..]);
            if tail.last.is_some() || start == 0 {
                return Ok(tail);
            }
            wanted *= 4;
        }
    }

    fn of(bytes: &[u8]) -> Self {
        let mut tail = Self { unended: bytes.last().is_some_and(|byte| *byte != b'\n'), ..Self::default() };
        if bytes.is_empty() {
            return tail;
        }
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        for content in bytes.rsplit(|byte| *byte == b'\n') {
            match line::read(content) {
                Line::Torn => {
                    tail.torn.push(json!({"bytes": content.len(), "sha256": line::torn_digest(content).as_str()}));
                }
                line => {
                    tail.last = Some(line);
                    break;
                }
            }
        }
        tail.torn.reverse();
        tail
    }
}

#[cfg(test)]
mod tests;
