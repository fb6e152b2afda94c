//! An entry as a line of the file, and back.

use hotpass_core::{Sha256Digest, sha256_bytes};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What stands before the digest at the end of a line.
const HASH: &[u8] = b",\"hash\":\"";
/// What stands after it.
const END: &[u8] = b"\"}";
/// Digits of a digest.
const DIGITS: usize = 64;
/// What the first entry names as the hash of the one before it.
pub(super) const NONE_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry that is in a ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerEntry {
    /// Position in the ledger, from 0.
    pub sequence: u64,
    /// When it was written, RFC 3339 in UTC.
    pub time: String,
    /// What happened; the name of an [`EntryKind`](super::EntryKind), or one that a newer version knows.
    pub kind: String,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// The command with the names of its flags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The run it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Counts, digests, and names of files, columns and rules.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
    /// [`LedgerEntry::hash`] of the entry before, 64 zeros in the first.
    pub previous: String,
    /// SHA-256 of the line without this member.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
}

impl LedgerEntry {
    /// Returns where the entry stands and what it is.
    pub fn head(&self) -> LedgerHead {
        LedgerHead { sequence: self.sequence, hash: self.hash.clone() }
    }
}

/// An entry by its place and its hash: whoever keeps it can tell later whether the ledger still holds the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerHead {
    /// Its position, from 0.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
}

/// What a line without its line break is.
#[derive(Debug)]
pub(super) enum Line {
    /// An entry with its own hash.
    Entry(Box<LedgerEntry>),
    /// A whole line that is not as it was written.
    Changed {
        /// The sequence number it says it has, where that can be read.
        sequence: Option<u64>,
    },
    /// The beginning of a line, or bytes that never were one: what a crash leaves.
    Torn,
}

/// Writes an entry as a line, and sets its hash.
pub(super) fn write(entry: &mut LedgerEntry) -> Result<Vec<u8>, serde_json::Error> {
    entry.hash.clear();
    let mut line = serde_json::to_vec(entry)?;
    entry.hash = sha256_bytes(&line).to_string();
    line.pop();
    line.extend_from_slice(HASH);
    line.extend_from_slice(entry.hash.as_bytes());
    line.extend_from_slice(END);
    line.push(b'\n');
    Ok(line)
}

/// Reads a line without its line break.
pub(super) fn read(line: &[u8]) -> Line {
    let Some((content, hash)) = split(line) else { return Line::Torn };
    let entry = serde_json::from_slice::<LedgerEntry>(line).ok();
    let sequence = entry.as_ref().map(|entry| entry.sequence).or_else(|| sequence_of(line));
    let mut unhashed = content.to_vec();
    unhashed.push(b'}');
    match entry {
        Some(entry) if sha256_bytes(&unhashed).as_str().as_bytes() == hash => Line::Entry(Box::new(entry)),
        _ => Line::Changed { sequence },
    }
}

/// Returns a line up to its hash, and the hash.
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_suffix(END)?;
    let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
    let content = rest.strip_suffix(HASH)?;
    hash.iter().all(u8::is_ascii_hexdigit).then_some((content, hash))
}

/// Returns the sequence number at the beginning of a line that is no JSON any more.
fn sequence_of(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(b"{\"sequence\":")?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

/// Returns the digest of the bytes of a torn line.
pub(super) fn torn_digest(line: &[u8]) -> Sha256Digest {
    sha256_bytes(line)
}
