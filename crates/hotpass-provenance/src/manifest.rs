//! The manifest of a run: what it read, wrote and counted, under which configuration, and how it ended.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use hotpass_core::{Clock, Sha256Digest, sha256_bytes, sha256_file, write_atomic};
use serde::{Deserialize, Serialize};

use crate::ledger::LedgerHead;

/// Name of the manifest in the run folder.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Name of the lock file in the run folder.
pub const LOCK_FILE: &str = "run.lock";
/// Version of the manifest's form.
const MANIFEST_VERSION: u32 = 2;
/// The manifest's last member, up to its value.
const SEAL: &str = "\"manifest_sha256\": \"";

/// How a run ended, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// It goes on.
    Running,
    /// It did all it was asked to do.
    Completed,
    /// It stopped on an error, or the data did not pass.
    Failed,
    /// It was stopped from outside, or its process is gone.
    Interrupted,
}

/// The record of a run; `manifest.json` in the run folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this form.
    pub manifest_version: u32,
    /// Id of the run.
    pub run_id: String,
    /// Verb that made it: `refine`, or one such as `resolve` whose runs hold no table of golden records.
    #[serde(default = "refine")]
    pub command: String,
    /// How it ended.
    pub status: RunStatus,
    /// Why it did not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it started, RFC 3339 in UTC.
    pub started_at: String,
    /// When it ended, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// Program and library versions that can change the result.
    pub versions: BTreeMap<String, String>,
    /// Name of the profile.
    pub profile: String,
    /// SHA-256 of [`Manifest::config`] as JSON without white space.
    pub config_digest: String,
    /// The effective configuration.
    pub config: serde_json::Value,
    /// Key path to the layer that gave the value.
    pub config_origins: BTreeMap<String, String>,
    /// Who owns the data, why it is held and on which basis.
    pub governance: serde_json::Value,
    /// Last day the outputs may be kept, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_until: Option<String>,
    /// Files that were read; paths relative to [`Manifest::input_dir`].
    pub inputs: Vec<FileRecord>,
    /// Folder of the inputs, as it was asked for.
    pub input_dir: String,
    /// Files that were published; paths as they were asked for.
    pub outputs: Vec<FileRecord>,
    /// Files of the run folder; paths relative to it.
    pub artefacts: Vec<FileRecord>,
    /// The stages, in order.
    pub stages: Vec<StageRecord>,
    /// What became of the source rows.
    pub rows: RowCounts,
    /// The last entry of the run's ledger when the manifest was sealed; since version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerHead>,
    /// SHA-256 of this file with this value empty; the last member.
    pub manifest_sha256: String,
}

/// A file with its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// Path, with `/`.
    pub path: String,
    /// SHA-256 of the bytes.
    pub sha256: Sha256Digest,
    /// Size in bytes.
    pub bytes: u64,
    /// Number of table rows; absent for files that are no table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

impl FileRecord {
    /// Takes the digest and size of a file.
    ///
    /// # Errors
    ///
    /// Returns the error of reading the file.
    pub fn of(name: impl Into<String>, path: &Path, rows: Option<u64>) -> io::Result<Self> {
        Ok(Self { path: name.into(), sha256: sha256_file(path)?, bytes: std::fs::metadata(path)?.len(), rows })
    }
}

/// A stage of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageRecord {
    /// Name, such as `ingest`.
    pub name: String,
    /// Rows it was given.
    pub rows_in: u64,
    /// Rows it handed on.
    pub rows_out: u64,
    /// How long it took; absent when the clock is fixed, so that runs repeat to the byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// What became of the source rows: `rows_in` is `rows_in_entities` and `rows_quarantined` together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowCounts {
    /// Source rows that hold data.
    pub rows_in: u64,
    /// Source rows in entities.
    pub rows_in_entities: u64,
    /// Source rows in quarantine.
    pub rows_quarantined: u64,
    /// Published rows.
    pub entities: u64,
}

/// Why a manifest could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The folder has no manifest.
    #[error("No manifest in `{}`", path.display())]
    Missing {
        /// The run folder.
        path: PathBuf,
    },
    /// The file could not be read or written.
    #[error("Failed to access manifest `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is no manifest of a known version.
    #[error("Manifest `{}` is malformed", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The file was written by a newer version of the program.
    #[error("Manifest `{}` has version {version}, newer than this program knows", path.display())]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
}

impl Manifest {
    /// Starts the record of a run that is going on.
    pub fn start(run_id: &str, clock: Clock) -> Self {
        Self {
            manifest_version: MANIFEST_VERSION,
            run_id: run_id.to_owned(),
            command: refine(),
            status: RunStatus::Running,
            error: None,
            started_at: clock.now_rfc3339(),
            finished_at: None,
            versions: BTreeMap::from([("hotpass".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]),
            profile: String::new(),
            config_digest: config_digest(&serde_json::Value::Null),
            config: serde_json::Value::Null,
            config_origins: BTreeMap::new(),
            governance: serde_json::Value::Null,
            retention_until: None,
            inputs: Vec::new(),
            input_dir: String::new(),
            outputs: Vec::new(),
            artefacts: Vec::new(),
            stages: Vec::new(),
            rows: RowCounts::default(),
            ledger: None,
            manifest_sha256: String::new(),
        }
    }

    /// Sets the effective configuration, its digest, and the layer each value came from.
    pub fn set_config(&mut self, config: serde_json::Value, origins: BTreeMap<String, String>) {
        self.config_digest = config_digest(&config);
        self.config = config;
        self.config_origins = origins;
    }

    /// Sets how the run ended and when.
    pub fn finish(&mut self, status: RunStatus, clock: Clock) {
        self.status = status;
        self.finished_at = Some(clock.now_rfc3339());
    }

    /// Writes `manifest.json` into the run folder, sealed with its own digest; it appears whole or not at all.
    ///
    /// # Errors
    ///
    /// Returns [`ManifestError::Io`] when the file cannot be written.
    pub fn write(&self, run_dir: &Path) -> Result<(), ManifestError> {
        let path = run_dir.join(MANIFEST_FILE);
        let unsealed = Self { manifest_sha256: String::new(), ..self.clone() };
        let mut text = serde_json::to_string_pretty(&unsealed)
            .map_err(|source| ManifestError::Malformed { path: path.clone(), source })?;
        text.push('\n');
        let digest = sha256_bytes(&text);
        if let Some(position) = text.rfind(SEAL) {
            text.insert_str(position + SEAL.len(), digest.as_str());
        }
        write_atomic(&path, text).map_err(|source| ManifestError::Io { path, source })
    }

    /// Reads the manifest of a run folder as it stands.
    ///
    /// # Errors
    ///
    /// Returns [`ManifestError`] when there is none, or it cannot be read or understood.
    pub fn read(run_dir: &Path) -> Result<Self, ManifestError> {
        let path = run_dir.join(MANIFEST_FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(ManifestError::Missing { path: run_dir.to_path_buf() })
            }
            Err(source) => Err(ManifestError::Io { path, source }),
        }
    }

    /// Reads the manifest of a run folder and recognises an interrupted run: one that says `running` although no process holds its lock.
    ///
    /// # Errors
    ///
    /// Returns what [`Manifest::read`] returns.
    pub fn open_run(run_dir: &Path) -> Result<Self, ManifestError> {
        let mut manifest = Self::read(run_dir)?;
        if manifest.status == RunStatus::Running && !RunLock::is_held(run_dir) {
            manifest.status = RunStatus::Interrupted;
        }
        Ok(manifest)
    }

    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct Version {
            manifest_version: u32,
        }
        let malformed = |source| ManifestError::Malformed { path: path.to_path_buf(), source };
        let Version { manifest_version } = serde_json::from_str(text).map_err(malformed)?;
        if manifest_version > MANIFEST_VERSION {
            return Err(ManifestError::NewerVersion { path: path.to_path_buf(), version: manifest_version });
        }
        serde_json::from_str(text).map_err(malformed)
    }
}

fn refine() -> String {
    "refine".to_owned()
}

/// Returns the digest of a configuration: SHA-256 of its JSON without white space.
pub fn config_digest(config: &serde_json::Value) -> String {
    sha256_bytes(config.to_string()).to_string()
}

/// Returns whether a manifest's text is the one that was sealed.
pub(crate) fn is_sealed(text: &str) -> bool {
    let Some(start) = text.rfind(SEAL).map(|position| position + SEAL.len()) else { return false };
    let Some(end) = text[start..].find('"').map(|length| start + length) else { return false };
    let unsealed = format!("{}{}", &text[..start], &text[end..]);
    sha256_bytes(unsealed).as_str() == &text[start..end]
}

/// The lock a process holds on a run folder while it works on it.
///
/// The operating system gives the lock back when the process ends, however it ends.
#[derive(Debug)]
pub struct RunLock {
    path: PathBuf,
    file: File,
}

impl RunLock {
    /// Takes the lock.
    ///
    /// # Errors
    ///
    /// Returns [`io::ErrorKind::WouldBlock`] when another process works on the run, else the error of making the file.
    pub fn acquire(run_dir: &Path) -> io::Result<Self> {
        let path = run_dir.join(LOCK_FILE);
        let file = OpenOptions::new().create(true).write(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, file }),
            Err(TryLockError::WouldBlock) => Err(io::Error::new(
                io::ErrorKind::WouldBlock,
                format!("another process works on the run in `{}`", run_dir.display()),
            )),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn is_held(run_dir: &Path) -> bool {
        File::open(run_dir.join(LOCK_FILE))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_its_process_is_interrupted() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let lock = RunLock::acquire(folder.path())?;
        Manifest::start("r", Clock::fixed_seconds(0)).write(folder.path())?;
        assert_eq!(Manifest::open_run(folder.path())?.status, RunStatus::Running);
        assert!(RunLock::acquire(folder.path()).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock));
        // A process that is killed leaves the file but not the lock.
        lock.file.unlock()?;
        assert!(folder.path().join(LOCK_FILE).exists());
        assert_eq!(Manifest::open_run(folder.path())?.status, RunStatus::Interrupted);
        drop(lock);
        assert!(!folder.path().join(LOCK_FILE).exists());
        assert_eq!(Manifest::open_run(folder.path())?.status, RunStatus::Interrupted);
        Ok(())
    }

    #[test]
    fn the_seal_breaks_with_any_byte() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let mut manifest = Manifest::start("r", Clock::fixed_seconds(0));
        manifest.set_config(serde_json::json!({"a": 0.85}), BTreeMap::from([("a".to_owned(), "default".to_owned())]));
        manifest.write(folder.path())?;
        let text = std::fs::read_to_string(folder.path().join(MANIFEST_FILE))?;
        assert!(is_sealed(&text));
        for position in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[position] = if bytes[position] == b' ' { b'x' } else { b' ' };
            assert!(!is_sealed(&String::from_utf8(bytes)?), "{position}");
        }
        let read = Manifest::read(folder.path())?;
        assert_eq!(Manifest { manifest_sha256: String::new(), ..read }, manifest);
        Ok(())
    }

    #[test]
    fn a_newer_manifest_is_refused() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        assert!(matches!(Manifest::read(folder.path()), Err(ManifestError::Missing { .. })));
        write_atomic(folder.path().join(MANIFEST_FILE), r#"{"manifest_version": 99, "future": true}"#)?;
        assert!(matches!(Manifest::read(folder.path()), Err(ManifestError::NewerVersion { version: 99, .. })));
        Ok(())
    }
}
