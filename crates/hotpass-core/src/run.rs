//! Run ids and the folder each run owns.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Clock, write_atomic};

/// The id of a run: a UUID of version 7 (RFC 9562, section 5.7), so that ids sort by start time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(Uuid);

impl RunId {
    /// Makes a new id: from the machine's clock and random bits.
    pub fn random() -> Self {
        Self(Uuid::now_v7())
    }

    /// Makes the id that belongs to a moment and a digest: the same arguments give the same id.
    ///
    /// The 74 bits that version 7 leaves free are the first bits of `digest`.
    pub fn derived(clock: Clock, digest: &[u8; 32]) -> Self {
        let milliseconds = u64::try_from(clock.now_milliseconds()).unwrap_or_default();
        let mut bits = [0; 10];
        bits.copy_from_slice(&digest[..10]);
        Self(uuid::Builder::from_unix_timestamp_millis(milliseconds, &bits).into_uuid())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RunId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// The folder of one run, `DIST/runs/RUN_ID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory {
    root: PathBuf,
    id: String,
}

impl RunDirectory {
    /// Makes the folder of a new run.
    ///
    /// # Errors
    ///
    /// Returns the error of making the folder.
    pub fn create(dist_dir: &Path, id: RunId) -> io::Result<Self> {
        let directory = Self { root: dist_dir.join("runs").join(id.to_string()), id: id.to_string() };
        fs::create_dir_all(&directory.root)?;
        Ok(directory)
    }

    /// Finds the folder of a run by id, unambiguous beginning of an id, or `latest`.
    ///
    /// # Errors
    ///
    /// Returns [`RunLookupError`] when there is no such run, or the beginning fits several.
    pub fn find(dist_dir: &Path, run: &str) -> Result<Self, RunLookupError> {
        let runs = dist_dir.join("runs");
        let mut ids: Vec<String> = fs::read_dir(&runs)
            .map(|entries| {
                entries
                    .filter_map(Result::ok)
                    .filter(|entry| entry.path().is_dir())
                    .filter_map(|entry| entry.file_name().into_string().ok())
                    .filter(|name| RunId::from_str(name).is_ok())
                    .collect()
            })
            .unwrap_or_default();
        ids.sort_unstable();
        if ids.is_empty() {
            return Err(RunLookupError::NoRuns { dist_dir: dist_dir.to_path_buf() });
        }
        let wanted = if run == "latest" {
            let named = fs::read_to_string(runs.join("latest")).unwrap_or_default();
            let named = named.trim().to_owned();
            if ids.contains(&named) { named } else { ids[ids.len() - 1].clone() }
        } else {
            run.to_ascii_lowercase()
        };
        let mut fitting = ids.iter().filter(|id| id.starts_with(&wanted));
        match (fitting.next(), fitting.next()) {
            (Some(id), None) => Ok(Self { root: runs.join(id), id: id.clone() }),
            (Some(_), Some(_)) => Err(RunLookupError::Ambiguous { run: run.to_owned() }),
            (None, _) => Err(RunLookupError::NoSuchRun {
                run: run.to_owned(),
                newest: ids[ids.len() - 1].clone(),
                dist_dir: dist_dir.to_path_buf(),
            }),
        }
    }

    /// Makes `runs/latest`, a text file, name this run.
    ///
    /// # Errors
    ///
    /// Returns the error of writing the file.
    pub fn mark_latest(&self) -> io::Result<()> {
        let Some(runs) = self.root.parent() else { return Ok(()) };
        write_atomic(runs.join("latest"), format!("{}\n", self.id))
    }

    /// Returns the run's id as text.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the path of one of the run's files.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

/// Why a run could not be found.
#[derive(Debug, thiserror::Error)]
pub enum RunLookupError {
    /// No run was ever made there.
    #[error("No runs in `{}`", dist_dir.display())]
    NoRuns {
        /// The folder that was looked in.
        dist_dir: PathBuf,
    },
    /// There are runs, but not this one.
    #[error("No run `{run}` in `{}`; the newest is `{newest}`", dist_dir.display())]
    NoSuchRun {
        /// What was asked for.
        run: String,
        /// The newest run there is.
        newest: String,
        /// The folder that was looked in.
        dist_dir: PathBuf,
    },
    /// The beginning of an id fits more than one run.
    #[error("More than one run starts with `{run}`")]
    Ambiguous {
        /// What was asked for.
        run: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_repeat_and_are_version_7() {
        let digest = [7; 32];
        let id = RunId::derived(Clock::fixed_seconds(1_700_000_000), &digest);
        assert_eq!(id, RunId::derived(Clock::fixed_seconds(1_700_000_000), &digest));
        assert_eq!(id.0.get_version_num(), 7);
        assert!(id.to_string().starts_with("018bcfe5-6800-7"), "{id}");
    }

    #[test]
    fn finds_latest_and_beginnings() -> Result<(), Box<dyn std::error::Error>> {
        let dist = tempfile::tempdir()?;
        assert!(matches!(RunDirectory::find(dist.path(), "latest"), Err(RunLookupError::NoRuns { .. })));
        let first = RunDirectory::create(dist.path(), RunId::derived(Clock::fixed_seconds(1), &[1; 32]))?;
        let second = RunDirectory::create(dist.path(), RunId::derived(Clock::fixed_seconds(2_000_000_000), &[2; 32]))?;
        assert_eq!(RunDirectory::find(dist.path(), "latest")?.id(), second.id());
        first.mark_latest()?;
        assert_eq!(RunDirectory::find(dist.path(), "latest")?.id(), first.id());
        assert_eq!(RunDirectory::find(dist.path(), &second.id()[..12])?.id(), second.id());
        assert!(matches!(RunDirectory::find(dist.path(), "0"), Err(RunLookupError::Ambiguous { .. })));
        assert!(matches!(RunDirectory::find(dist.path(), "ffff"), Err(RunLookupError::NoSuchRun { .. })));
        Ok(())
    }
}
