//! The list of erased people, as far as the workspace's ledger knows it: how long it is, and what stands in it.

use std::fmt;
use std::path::{Path, PathBuf};

use hotpass_core::sha256_bytes;
use serde::{Deserialize, Serialize};

use crate::ledger::{EntryKind, LEDGER_FILE, Ledger, LedgerError};

/// Path of the list in the folder of a workspace's runs.
pub const SUPPRESSION_FILE: &str = "privacy/suppression.ndjson";
/// Name of the ledger's detail.
const DETAIL: &str = "suppression";

/// What a ledger keeps of the list after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressionHead {
    /// People on it.
    pub entries: u64,
    /// SHA-256 of its first line, which holds the salt, and of the lines of those people.
    pub sha256: String,
}

/// How a list differs from what the ledger records of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SuppressionFault {
    /// It is not there.
    Missing {
        /// The list.
        path: PathBuf,
        /// People that the ledger records.
        recorded: u64,
    },
    /// It holds fewer people.
    Shortened {
        /// The list.
        path: PathBuf,
        /// People on it.
        held: u64,
        /// People that the ledger records.
        recorded: u64,
    },
    /// What is recorded stands there in another form.
    Changed {
        /// The list.
        path: PathBuf,
    },
}

impl fmt::Display for SuppressionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path, recorded } => {
                write!(f, "The list `{}` is missing; the ledger records people on it: {recorded}", path.display())
            }
            Self::Shortened { path, held, recorded } => {
                write!(
                    f,
                    "The list `{}` holds {held} of the people that the ledger records: {recorded}",
                    path.display()
                )
            }
            Self::Changed { path } => {
                write!(f, "The list `{}` is not the one that the ledger records", path.display())
            }
        }
    }
}

impl std::error::Error for SuppressionFault {}

impl SuppressionHead {
    /// Returns what a ledger is to keep of the list of a workspace; nothing where there is none.
    ///
    /// # Errors
    ///
    /// Returns an error when the list cannot be read.
    pub fn of(dist_dir: &Path) -> std::io::Result<Option<Self>> {
        match std::fs::read_to_string(dist_dir.join(SUPPRESSION_FILE)) {
            Ok(text) => Ok(Some(Self::of_first(&text, u64::MAX))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the name and value of the ledger's detail.
    pub fn detail(&self) -> (&'static str, serde_json::Value) {
        (DETAIL, serde_json::json!(self))
    }

    fn of_first(text: &str, entries: u64) -> Self {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let mut held = lines.next().unwrap_or_default().to_owned();
        let mut count = 0;
        for line in lines.take(usize::try_from(entries).unwrap_or(usize::MAX)) {
            held.push('\n');
            held.push_str(line);
            count += 1;
        }
        Self { entries: count, sha256: sha256_bytes(&held).as_str().to_owned() }
    }

    /// Returns what the ledger of a workspace records of the list; nothing where nobody was erased.
    fn recorded(dist_dir: &Path) -> Result<Option<Self>, LedgerError> {
        let mut erased = false;
        let reading = Ledger::open(dist_dir.join(LEDGER_FILE)).read()?;
        for entry in reading.entries.iter().rev() {
            let head = entry.details.get(DETAIL).cloned().map(serde_json::from_value);
            if let Some(Ok(head)) = head {
                return Ok(Some(head));
            }
            erased |= entry.kind == EntryKind::PrivacyErased.as_str();
        }
        // An earlier version kept no more than the erasure itself.
        Ok(erased.then(|| Self { entries: 1, sha256: String::new() }))
    }
}

/// Compares the list of erased people of a workspace with what the ledger records; people that were added since are no fault.
///
/// # Errors
///
/// Returns [`LedgerError`] when the ledger or the list cannot be read.
pub fn check_suppression(dist_dir: &Path) -> Result<Option<SuppressionFault>, LedgerError> {
    let Some(recorded) = SuppressionHead::recorded(dist_dir)?.filter(|recorded| recorded.entries > 0) else {
        return Ok(None);
    };
    let path = dist_dir.join(SUPPRESSION_FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Some(SuppressionFault::Missing { path, recorded: recorded.entries }));
        }
        Err(source) => return Err(LedgerError::Io { path, source }),
    };
    let held = SuppressionHead::of_first(&text, recorded.entries);
    Ok(if held.entries < recorded.entries {
        Some(SuppressionFault::Shortened { path, held: held.entries, recorded: recorded.entries })
    } else if !recorded.sha256.is_empty() && held.sha256 != recorded.sha256 {
        Some(SuppressionFault::Changed { path })
    } else {
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entry;
    use hotpass_core::Clock;

    #[test]
    fn a_list_may_grow_and_not_shrink() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let dist = folder.path();
        let path = dist.join(SUPPRESSION_FILE);
        assert_eq!(check_suppression(dist)?, None, "nobody was erased");
        hotpass_core::write_atomic(&path, "head\na\nb\n")?;
        let (name, head) = SuppressionHead::of(dist)?.ok_or("a list")?.detail();
        let ledger = Ledger::open(dist.join(LEDGER_FILE));
        ledger.append(Entry::new(EntryKind::PrivacyErased).detail(name, head), Clock::System)?;
        ledger.append(Entry::new(EntryKind::PrivacyErased), Clock::System)?;
        let check = |text: Option<&str>| -> Result<Option<SuppressionFault>, Box<dyn std::error::Error>> {
            match text {
                Some(text) => hotpass_core::write_atomic(&path, text)?,
                None => std::fs::remove_file(&path)?,
            }
            Ok(check_suppression(dist)?)
        };
        assert_eq!(check(Some("head\na\nb\n"))?, None);
        assert_eq!(check(Some("head\na\nb\nc\n"))?, None);
        let shortened = SuppressionFault::Shortened { path: path.clone(), held: 1, recorded: 2 };
        assert_eq!(check(Some("head\na\n"))?, Some(shortened));
        let changed = SuppressionFault::Changed { path: path.clone() };
        assert_eq!(check(Some("head\na\nc\n"))?, Some(changed.clone()));
        assert_eq!(check(Some("salt\na\nb\n"))?, Some(changed));
        assert_eq!(check(None)?, Some(SuppressionFault::Missing { path: path.clone(), recorded: 2 }));
        Ok(())
    }
}
