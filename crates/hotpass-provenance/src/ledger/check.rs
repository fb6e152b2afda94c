//! Whether every entry is there, as it was written, and in its place.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Value, json};

use super::EntryKind;
use super::line::{self, LedgerEntry, LedgerHead, Line, NONE_BEFORE};

/// All of a ledger.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LedgerReading {
    /// The entries that are as they were written, in the order of the file.
    pub entries: Vec<LedgerEntry>,
    /// What is wrong with the ledger, in the order of the file.
    pub faults: Vec<LedgerFault>,
    /// Lines, from 1, that a crash tore and a later entry records.
    pub repaired: Vec<u64>,
}

impl LedgerReading {
    /// Returns the last entry by place and hash.
    pub fn head(&self) -> Option<LedgerHead> {
        self.entries.last().map(LedgerEntry::head)
    }

    /// Returns whether the ledger holds an entry.
    pub fn holds(&self, head: &LedgerHead) -> bool {
        self.entries.iter().any(|entry| entry.sequence == head.sequence && entry.hash == head.hash)
    }
}

/// What is wrong at a place of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerFault {
    /// Line, from 1.
    pub line: u64,
    /// Position of the entry, from 0, where one is known.
    pub sequence: Option<u64>,
    /// What is wrong, such as `was changed after it was written`.
    pub what: String,
}

impl fmt::Display for LedgerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sequence {
            Some(sequence) => write!(f, "Entry {sequence} (line {}) {}", self.line, self.what),
            None => write!(f, "Line {} {}", self.line, self.what),
        }
    }
}

/// Follows the chain from the first line to the last.
pub(crate) fn check(bytes: &[u8]) -> LedgerReading {
    let mut chain = Chain::default();
    if bytes.is_empty() {
        return chain.reading;
    }
    let (content, ended) = match bytes.strip_suffix(b"\n") {
        Some(content) => (content, true),
        None => (bytes, false),
    };
    let lines: Vec<Line> = content.split(|byte| *byte == b'\n').map(line::read).collect();
    chain.known = lines
        .iter()
        .filter_map(|line| match line {
            Line::Entry(entry) => Some(entry.sequence),
            Line::Changed { sequence } => *sequence,
            Line::Torn => None,
        })
        .collect();
    let texts = content.split(|byte| *byte == b'\n');
    for (number, (line, text)) in (1..).zip(lines.into_iter().zip(texts)) {
        chain.follow(number, line, text);
    }
    chain.end(ended);
    chain.reading
}

#[derive(Default)]
struct Chain {
    reading: LedgerReading,
    /// Sequence numbers that stand somewhere in the file.
    known: BTreeSet<u64>,
    /// Torn lines that no entry has recorded yet, with what a repair says of them.
    torn: Vec<(u64, Value)>,
    /// Sequence number that the next entry must have.
    next: u64,
    /// Hash that the next entry must name, unless the entry before was changed.
    previous: Option<String>,
    /// Line of the entry before.
    before: u64,
}

impl Chain {
    fn fault(&mut self, line: u64, sequence: Option<u64>, what: impl Into<String>) {
        self.reading.faults.push(LedgerFault { line, sequence, what: what.into() });
    }

    fn follow(&mut self, number: u64, line: Line, text: &[u8]) {
        match line {
            Line::Torn => {
                let found = json!({"bytes": text.len(), "sha256": line::torn_digest(text).as_str()});
                self.torn.push((number, found));
            }
            Line::Changed { sequence } => {
                self.unrecorded();
                let sequence = sequence.or((self.next < u64::MAX).then_some(self.next));
                self.fault(number, sequence, "was changed after it was written");
                self.next = self.next.max(sequence.unwrap_or_default().saturating_add(1));
                self.previous = None;
                self.before = number;
            }
            Line::Entry(entry) => {
                self.repair(&entry);
                self.place(number, &entry);
                self.reading.entries.push(*entry);
            }
        }
    }

    /// Checks that an entry stands in its place.
    fn place(&mut self, number: u64, entry: &LedgerEntry) {
        let sequence = Some(entry.sequence);
        if entry.sequence < self.next {
            let after = self.next - 1;
            self.fault(number, sequence, format!("stands after entry {after}: it was moved or inserted"));
            return;
        }
        if entry.sequence > self.next {
            let gap: Vec<u64> =
                (self.next..entry.sequence).take(1000).filter(|missing| !self.known.contains(missing)).collect();
            match gap.as_slice() {
                [] => self.fault(number, sequence, format!("stands before entry {}: it was moved", self.next)),
                [one] => self.fault(number, Some(*one), "is missing before this line"),
                [first, .., last] => {
                    let last = *last;
                    self.fault(
                        number,
                        Some(*first),
                        format!("is missing before this line, and all up to entry {last}"),
                    );
                }
            }
        } else if entry.sequence == 0 {
            if entry.previous != NONE_BEFORE {
                self.fault(number, sequence, "names an entry before it, and is the first");
            }
        } else if self.previous.as_ref().is_some_and(|previous| *previous != entry.previous) {
            let (line, before) = (self.before, entry.sequence - 1);
            self.fault(line, Some(before), format!("is not the one that entry {} was written after", entry.sequence));
        }
        self.next = entry.sequence.saturating_add(1);
        self.previous = Some(entry.hash.clone());
        self.before = number;
    }

    /// Takes a repair as the record of the torn lines before it.
    fn repair(&mut self, entry: &LedgerEntry) {
        let told = entry.details.get("torn_lines").and_then(Value::as_array);
        if entry.kind == EntryKind::LedgerRepaired.as_str()
            && !self.torn.is_empty()
            && told.is_some_and(|told| told.iter().eq(self.torn.iter().map(|(_, found)| found)))
        {
            self.reading.repaired.extend(self.torn.drain(..).map(|(line, _)| line));
        } else {
            self.unrecorded();
        }
    }

    fn unrecorded(&mut self) {
        for (line, _) in std::mem::take(&mut self.torn) {
            self.fault(line, None, "is no entry: it was changed or torn, and no entry records that");
        }
    }

    fn end(&mut self, ended: bool) {
        for (line, _) in std::mem::take(&mut self.torn) {
            self.fault(line, None, "is no whole entry: a crash tore it, or it was changed");
        }
        if !ended && self.reading.faults.is_empty() {
            let line = self.before;
            self.fault(line, self.next.checked_sub(1), "has lost its line break");
        }
    }
}
