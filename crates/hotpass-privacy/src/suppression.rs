//! The list of erased people: salted hashes, so that the next run does not bring them back.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::error::{KeyError, PrivacyFileError};
use crate::key::{push_hex, random};
use crate::subject::{Identifier, IdentifierKind, digit, folded, name_key, number_key, salted};

/// Salted hashes of the identifiers of erased people.
///
/// Whoever has the list can ask whether a given person is on it, and nothing more: it names nobody.
#[derive(Debug, Clone, Default)]
pub struct SuppressionList {
    salt: Vec<u8>,
    entries: Vec<Entry>,
    emails: HashSet<String>,
    phones: HashSet<String>,
    names: HashSet<String>,
    numbers: HashSet<String>,
    /// Names that are found without an address or number beside them, in rows of these organisations; in all rows where there are none.
    alone: Vec<(String, Vec<String>)>,
    /// Names that nobody else bears, found in any text.
    everywhere: HashSet<String>,
    /// Number of words and mark of each of them.
    marks: HashSet<(u8, u32)>,
    /// The numbers of words.
    lengths: Vec<u8>,
}

/// First line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    version: u32,
    salt: String,
}

/// A person on the list.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    decision: String,
    erased_at: String,
    identifiers: Vec<(IdentifierKind, String)>,
    /// Names that nobody else bears.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    everywhere: Vec<OwnName>,
}

/// A name that nobody else bears.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct OwnName {
    /// Its salted hash.
    name: String,
    /// Its number of words.
    words: u8,
    /// A short hash, by which most texts are told apart at little cost.
    mark: u32,
}

/// What was taken out of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scrubbed {
    /// Nothing.
    Nothing,
    /// A name, in a text or cell of a row that may be somebody else's.
    Name,
    /// An address or number: the row is of an erased person, or speaks of one.
    Channel,
}

/// A word of a text: where it is, and its mark.
#[derive(Debug, Clone, Copy)]
struct Word {
    start: usize,
    end: usize,
    mark: u32,
}

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)[a-z0-9_%+'\-][a-z0-9._%+'\-]*@(?:[a-z0-9\-]+\.)+[a-z]{2,24}").expect("the pattern is a constant")
});
static DIGITS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[+(]{0,2}[0-9０-９][0-9０-９\s().\-/‐‑–—]{4,24}[0-9０-９]").expect("the pattern is a constant")
});
/// Words that may be part of a number of a document, with what may stand between them.
static NUMBERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[\p{L}0-9０-９]+(?:[\s.\-/_‐‑–][\p{L}0-9０-９]+)*").expect("the pattern is a constant")
});

impl SuppressionList {
    /// Reads the list; an empty one where there is no file.
    ///
    /// # Errors
    ///
    /// Returns [`PrivacyFileError`] when the file cannot be read or understood: a list that cannot be obeyed must not be ignored.
    pub fn read(path: &Path) -> Result<Self, PrivacyFileError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(PrivacyFileError::Read { path: path.to_path_buf(), source }),
        };
        let form = |line: usize, reason: &str| PrivacyFileError::Form {
            path: path.to_path_buf(),
            line,
            reason: reason.to_owned(),
        };
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let Some((_, head)) = lines.next() else { return Ok(Self::default()) };
        let head: Head = serde_json::from_str(head).map_err(|_| form(1, "it does not begin with version and salt"))?;
        if head.version != 1 {
            return Err(form(1, "the version is not 1"));
        }
        let mut list = Self {
            salt: from_hex(&head.salt).ok_or_else(|| form(1, "the salt is not hexadecimal"))?,
            ..Self::default()
        };
        for (index, line) in lines {
            let entry =
                serde_json::from_str(line).map_err(|_| form(index + 1, "it is no entry of a suppression list"))?;
            list.index(entry);
        }
        Ok(list)
    }

    /// Writes the list.
    ///
    /// # Errors
    ///
    /// Returns [`PrivacyFileError::Write`].
    pub fn write(&self, path: &Path) -> Result<(), PrivacyFileError> {
        let mut salt = String::new();
        push_hex(&mut salt, &self.salt);
        let mut text = serde_json::to_string(&Head { version: 1, salt }).unwrap_or_default();
        text.push('\n');
        for entry in &self.entries {
            text.push_str(&serde_json::to_string(entry).unwrap_or_default());
            text.push('\n');
        }
        hotpass_core::write_atomic(path, text)
            .map_err(|source| PrivacyFileError::Write { path: path.to_path_buf(), source })
    }

    /// Returns whether nobody is on it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the number of people on it.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the hash of the list: what a run obeyed.
    pub fn digest(&self) -> String {
        let text: String = self.entries.iter().filter_map(|entry| serde_json::to_string(entry).ok()).collect();
        hotpass_core::sha256_bytes(&text).as_str().to_owned()
    }

    /// Puts a person on the list: their identifiers, and the names of the organisations they were found at. Names that nobody else
    /// bears (`own_names`) are found in any text from then on; others beside an address or number only.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::Random`] when a new list needs a salt and the machine gives no random bits.
    pub fn add(
        &mut self,
        decision: &str,
        erased_at: &str,
        identifiers: &[Identifier],
        own_names: &[Identifier],
    ) -> Result<(), KeyError> {
        if self.salt.is_empty() {
            self.salt = random::<32>()?.to_vec();
        }
        let mut hashes: Vec<(IdentifierKind, String)> =
            identifiers.iter().map(|identifier| (identifier.kind(), identifier.salted(&self.salt))).collect();
        hashes.sort();
        hashes.dedup();
        let known = hashes.iter().all(|(kind, hash)| match kind {
            IdentifierKind::Email => self.emails.contains(hash),
            IdentifierKind::Phone => self.phones.contains(hash),
            IdentifierKind::Name => self.names.contains(hash),
            IdentifierKind::Number => self.numbers.contains(hash),
            IdentifierKind::Organisation | IdentifierKind::Token => true,
        });
        let mut everywhere: Vec<OwnName> = own_names.iter().filter_map(|name| self.own_name(name)).collect();
        everywhere.sort();
        everywhere.dedup();
        if !known || !everywhere.iter().all(|name| self.everywhere.contains(&name.name)) {
            let (decision, erased_at) = (decision.to_owned(), erased_at.to_owned());
            self.index(Entry { decision, erased_at, identifiers: hashes, everywhere });
        }
        Ok(())
    }

    /// Takes the people of a decision off the list; returns how many entries that is.
    pub fn remove(&mut self, decision: &str) -> usize {
        let before = self.entries.len();
        let entries = std::mem::take(&mut self.entries);
        *self = Self { salt: std::mem::take(&mut self.salt), ..Self::default() };
        entries.into_iter().filter(|entry| entry.decision != decision).for_each(|entry| self.index(entry));
        before - self.entries.len()
    }

    fn index(&mut self, entry: Entry) {
        let of = |kind: IdentifierKind| {
            entry.identifiers.iter().filter(move |(held, _)| *held == kind).map(|(_, hash)| hash.clone())
        };
        self.emails.extend(of(IdentifierKind::Email));
        self.phones.extend(of(IdentifierKind::Phone));
        self.names.extend(of(IdentifierKind::Name));
        self.numbers.extend(of(IdentifierKind::Number));
        // With an address or number, a name counts alone in rows of the person's organisations only.
        let channels = [IdentifierKind::Email, IdentifierKind::Phone, IdentifierKind::Number];
        let organisations: Vec<String> = of(IdentifierKind::Organisation).collect();
        if !organisations.is_empty() || channels.into_iter().all(|kind| of(kind).next().is_none()) {
            self.alone.extend(of(IdentifierKind::Name).map(|name| (name, organisations.clone())));
        }
        for name in &entry.everywhere {
            self.everywhere.insert(name.name.clone());
            self.marks.insert((name.words, name.mark));
            if !self.lengths.contains(&name.words) {
                self.lengths.push(name.words);
                self.lengths.sort_unstable();
            }
        }
        self.entries.push(entry);
    }

    /// Returns what the list keeps of a name; nothing of one word, which is half the name of too many.
    fn own_name(&self, name: &Identifier) -> Option<OwnName> {
        let words = self.words(name.text());
        if name.kind() != IdentifierKind::Name || !(2..=6).contains(&words.len()) {
            return None;
        }
        let words_and_mark = (words.len() as u8, mark_of(&words));
        Some(OwnName { name: name.salted(&self.salt), words: words_and_mark.0, mark: words_and_mark.1 })
    }

    /// Splits a text as names are split.
    fn words(&self, text: &str) -> Vec<Word> {
        let seed = self.salt.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| fnv(hash, *byte));
        let mut words = Vec::new();
        let mut start = None;
        for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
            let inside = c.is_alphanumeric() || matches!(c, '\'' | '’' | '\u{300}'..='\u{36f}');
            match (inside, start) {
                (true, None) => start = Some(at),
                (false, Some(from)) => {
                    let word = &text[from..at];
                    if word.chars().any(char::is_alphanumeric) {
                        words.push(Word { start: from, end: at, mark: word_mark(seed, word) });
                    }
                    start = None;
                }
                _ => {}
            }
        }
        words
    }

    /// Returns the hash of an identifier under the list's salt.
    pub fn hash(&self, identifier: &Identifier) -> String {
        identifier.salted(&self.salt)
    }

    /// Returns whether an identifier is on the list.
    pub fn contains(&self, identifier: &Identifier) -> bool {
        let hash = identifier.salted(&self.salt);
        match identifier.kind() {
            IdentifierKind::Email => self.emails.contains(&hash),
            IdentifierKind::Phone => self.phones.contains(&hash),
            IdentifierKind::Name => self.names.contains(&hash),
            IdentifierKind::Number => self.numbers.contains(&hash),
            IdentifierKind::Organisation | IdentifierKind::Token => false,
        }
    }

    /// Takes erased people out of a source row; returns whether it held one.
    ///
    /// Addresses, telephone numbers and numbers of documents are found anywhere in a cell. In a row that holds one, the person's name
    /// goes too, in one cell, in two
    /// neighbouring ones, or within a text. In a row of one of the person's organisations, a cell that is their name is enough.
    /// A name that nobody else bore goes from any text; a cell that is the name stays beside somebody's address or number that is
    /// not on the list, since a namesake may have come.
    pub fn scrub_row(&self, cells: &mut [Option<String>]) -> Scrubbed {
        if self.is_empty() {
            return Scrubbed::Nothing;
        }
        let mut hit = false;
        for cell in cells.iter_mut() {
            let Some(text) = cell else { continue };
            if let Some(rest) = self.without_channels(text) {
                *cell = (!rest.trim_matches(|c: char| !c.is_alphanumeric()).is_empty()).then_some(rest);
                hit = true;
            }
        }
        if hit {
            self.scrub_names(cells);
        }
        let named = self.scrub_alone(cells) | self.scrub_everywhere(cells);
        match (hit, named) {
            (true, _) => Scrubbed::Channel,
            (false, true) => Scrubbed::Name,
            (false, false) => Scrubbed::Nothing,
        }
    }

    /// Takes names that nobody else bore out of all texts.
    fn scrub_everywhere(&self, cells: &mut [Option<String>]) -> bool {
        if self.everywhere.is_empty() {
            return false;
        }
        let mut hit = false;
        let mut reached = None;
        let mut before: Vec<Word> = Vec::new();
        for at in 0..cells.len() {
            let words = match &cells[at] {
                // A cell of a book's length is not looked through.
                Some(text) if text.len() < (1 << 20) => self.words(text),
                _ => Vec::new(),
            };
            let text = cells[at].as_deref().unwrap_or_default();
            let is_whole = self.is_own(&words, || text.to_owned());
            let is_split = !is_whole && !before.is_empty() && !words.is_empty() && {
                let both: Vec<Word> = before.iter().chain(&words).copied().collect();
                self.is_own(&both, || format!("{} {text}", cells[at - 1].as_deref().unwrap_or_default()))
            };
            if is_whole || is_split {
                if !*reached.get_or_insert_with(|| cells.iter().flatten().any(|text| holds_channel(text))) {
                    if is_split {
                        cells[at - 1] = None;
                    }
                    cells[at] = None;
                    hit = true;
                }
            } else if let Some(rest) = self.without_own_names(text, &words) {
                cells[at] = (!rest.trim().is_empty()).then_some(rest);
                hit = true;
            }
            before = words;
        }
        hit
    }

    /// Returns whether words are a name that nobody else bore.
    fn is_own(&self, words: &[Word], text: impl Fn() -> String) -> bool {
        let Ok(length) = u8::try_from(words.len()) else { return false };
        self.marks.contains(&(length, mark_of(words)))
            && name_key(&text())
                .is_some_and(|key| self.everywhere.contains(&salted(&self.salt, IdentifierKind::Name, &key)))
    }

    fn without_own_names(&self, text: &str, words: &[Word]) -> Option<String> {
        let place = |at: usize| (words[at].start, words[at].end);
        without_runs(text, words.len(), place, |at| {
            self.lengths.iter().rev().map(|length| usize::from(*length)).find(|length| {
                let Some(run) = words.get(at..at + length) else { return false };
                let near = run.windows(2).all(|pair| is_between(&text[pair[0].end..pair[1].start]));
                near && self.is_own(run, || text[run[0].start..run[run.len() - 1].end].to_owned())
            })
        })
    }

    /// Returns a text without the addresses and numbers on the list; nothing when it holds none.
    fn without_channels(&self, text: &str) -> Option<String> {
        let mut ranges = Vec::new();
        if text.contains('@') {
            ranges.extend(
                EMAIL
                    .find_iter(text)
                    .filter(|found| {
                        self.emails.contains(&salted(&self.salt, IdentifierKind::Email, &found.as_str().to_lowercase()))
                    })
                    .map(|found| found.range()),
            );
        }
        for found in DIGITS.find_iter(text) {
            let digits: String = found.as_str().chars().filter_map(digit).collect();
            let is_on_list = |key: &str| self.phones.contains(&salted(&self.salt, IdentifierKind::Phone, key));
            // Any nine digits in a row may be the number: what stands before them is a prefix or another number.
            let listed = if digits.len() < 9 {
                digits.len() >= 7 && is_on_list(&digits)
            } else {
                (9..=digits.len()).any(|end| is_on_list(&digits[end - 9..end]))
            };
            if listed {
                ranges.push(found.range());
            }
        }
        if !self.numbers.is_empty() {
            self.find_numbers(text, &mut ranges);
        }
        if ranges.is_empty() {
            return None;
        }
        ranges.sort_by_key(|range| range.start);
        let mut rest = String::new();
        let mut end = 0;
        for range in ranges {
            rest.push_str(&text[end..range.start.max(end)]);
            end = range.end.max(end);
        }
        rest.push_str(&text[end..]);
        Some(rest)
    }

    /// Finds numbers of documents, which may be written in up to five groups.
    fn find_numbers(&self, text: &str, ranges: &mut Vec<std::ops::Range<usize>>) {
        for found in NUMBERS.find_iter(text) {
            let words: Vec<(usize, usize)> = found
                .as_str()
                .split(|c: char| !c.is_alphanumeric())
                .map(|word| {
                    let start = word.as_ptr() as usize - text.as_ptr() as usize;
                    (start, start + word.len())
                })
                .collect();
            for first in 0..words.len() {
                for last in first..words.len().min(first + 5) {
                    let range = words[first].0..words[last].1;
                    let key = number_key(&text[range.clone()]);
                    let can_be = (4..=40).contains(&key.len()) && key.bytes().any(|byte| byte.is_ascii_digit());
                    if can_be && self.numbers.contains(&salted(&self.salt, IdentifierKind::Number, &key)) {
                        ranges.push(range);
                    }
                }
            }
        }
    }

    fn is_listed_name(&self, text: &str) -> bool {
        name_key(text).is_some_and(|key| self.names.contains(&salted(&self.salt, IdentifierKind::Name, &key)))
    }

    fn scrub_names(&self, cells: &mut [Option<String>]) {
        for at in 0..cells.len() {
            let Some(text) = &cells[at] else { continue };
            if self.is_listed_name(text) {
                cells[at] = None;
                continue;
            }
            if let Some(Some(next)) = cells.get(at + 1)
                && self.is_listed_name(&format!("{text} {next}"))
            {
                (cells[at], cells[at + 1]) = (None, None);
                continue;
            }
            if let Some(rest) = self.without_names(text) {
                cells[at] = (!rest.trim().is_empty()).then_some(rest);
            }
        }
    }

    /// Returns a text without runs of two to five words that are a name on the list.
    fn without_names(&self, text: &str) -> Option<String> {
        let mut words: Vec<(usize, usize)> = Vec::new();
        let mut start = None;
        for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
            let inside = c.is_alphanumeric() || matches!(c, '\'' | '’' | '-' | '\u{300}'..='\u{36f}');
            match (inside, start) {
                (true, None) => start = Some(at),
                (false, Some(from)) => {
                    words.push((from, at));
                    start = None;
                }
                _ => {}
            }
        }
        // A cell of a book's length is not looked through word by word.
        if words.len() > 4096 {
            return None;
        }
        without_runs(
            text,
            words.len(),
            |at| words[at],
            |at| {
                (2..=5).rev().find(|length| {
                    at + length <= words.len() && self.is_listed_name(&text[words[at].0..words[at + length - 1].1])
                })
            },
        )
    }

    fn scrub_alone(&self, cells: &mut [Option<String>]) -> bool {
        if self.alone.is_empty() {
            return false;
        }
        let hashes: Vec<(Option<String>, Option<String>)> = cells
            .iter()
            .map(|cell| {
                let key = cell.as_deref().filter(|text| text.len() < 200).and_then(name_key);
                let hash = |kind| key.as_ref().map(|key| salted(&self.salt, kind, key));
                (hash(IdentifierKind::Name), hash(IdentifierKind::Organisation))
            })
            .collect();
        let mut hit = false;
        for (name, organisations) in &self.alone {
            let here = organisations.is_empty()
                || hashes.iter().any(|(_, hash)| hash.as_ref().is_some_and(|hash| organisations.contains(hash)));
            if !here {
                continue;
            }
            for (at, (hash, _)) in hashes.iter().enumerate() {
                if hash.as_ref() == Some(name) {
                    cells[at] = None;
                    hit = true;
                }
            }
            for at in 1..cells.len() {
                let (Some(left), Some(right)) = (&cells[at - 1], &cells[at]) else { continue };
                let joined = name_key(&format!("{left} {right}"));
                if joined.is_some_and(|key| salted(&self.salt, IdentifierKind::Name, &key) == *name) {
                    (cells[at - 1], cells[at]) = (None, None);
                    hit = true;
                }
            }
        }
        hit
    }
}

/// Returns a text without runs of its words; nothing when there is none. `place` says where a word begins and ends, `run` how many
/// words from one on are a run.
fn without_runs(
    text: &str,
    words: usize,
    place: impl Fn(usize) -> (usize, usize),
    run: impl Fn(usize) -> Option<usize>,
) -> Option<String> {
    let mut rest = String::new();
    let (mut end, mut at, mut found) = (0, 0, false);
    while at < words {
        if let Some(length) = run(at) {
            rest.push_str(&text[end..place(at).0]);
            end = place(at + length - 1).1;
            at += length;
            found = true;
        } else {
            at += 1;
        }
    }
    rest.push_str(&text[end..]);
    found.then_some(rest)
}

/// Returns whether a text may stand between the words of a name.
fn is_between(text: &str) -> bool {
    text.chars().count() <= 4
        && text.chars().all(|c| c.is_whitespace() || matches!(c, ',' | '.' | ';' | '_' | '-' | '‐' | '‑'))
}

/// Returns whether a text holds an address or a number long enough to be a telephone's.
fn holds_channel(text: &str) -> bool {
    let is_number = |found: regex::Match<'_>| found.as_str().chars().filter_map(digit).count() >= 9;
    (text.contains('@') && EMAIL.is_match(text)) || DIGITS.find_iter(text).any(is_number)
}

/// Adds a byte to a hash: FNV-1a.
fn fnv(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

/// Returns the mark of a word, the same with and without capitals and marks.
fn word_mark(seed: u64, word: &str) -> u32 {
    let hash = if word.is_ascii() {
        word.bytes().fold(seed, |hash, byte| fnv(hash, byte.to_ascii_lowercase()))
    } else {
        folded(word).replace('’', "'").bytes().fold(seed, fnv)
    };
    // The last steps of SplitMix64, so that sums of marks spread.
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 32) as u32
}

/// Returns the mark of words in any order.
fn mark_of(words: &[Word]) -> u32 {
    words.iter().fold(0, |sum, word| sum.wrapping_add(word.mark))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.is_empty() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> SuppressionList {
        let mut list = SuppressionList::default();
        let mut identifiers: Vec<Identifier> = texts.iter().filter_map(|text| Identifier::guess(text)).collect();
        identifiers.extend(Identifier::new(IdentifierKind::Organisation, "Acacia Works"));
        list.add("D-1", "2024-01-01T00:00:00Z", &identifiers, &[]).unwrap();
        list
    }

    fn check(list: &SuppressionList, row: &[&str], expected: &[&str]) {
        let mut cells: Vec<Option<String>> = row.iter().map(|cell| Some((*cell).to_owned())).collect();
        list.scrub_row(&mut cells);
        let cells: Vec<&str> = cells.iter().map(|cell| cell.as_deref().unwrap_or("")).collect();
        assert_eq!(cells, expected);
    }

    #[test]
    fn erased_people_stay_out_of_rows() {
        let list = list(&["x.fictum@example.org", "+27 82 555 0142", "Xolile Fictum"]);
        check(&list, &["Acacia Works", "Xolile Fictum", "X.Fictum@Example.org"], &["Acacia Works", "", ""]);
        check(&list, &["Acacia Works", "Xolile", "Fictum", "082 555 0142"], &["Acacia Works", "", "", ""]);
        check(
            &list,
            &["Acacia", "Xolile Fictum; x.fictum@example.org, Other Person; o@example.org"],
            &["Acacia", "; , Other Person; o@example.org"],
        );
        // A name alone is another person's as likely as not.
        check(
            &list,
            &["Baobab Hall", "Xolile Fictum", "o@example.org"],
            &["Baobab Hall", "Xolile Fictum", "o@example.org"],
        );
        check(&list, &["Baobab Hall", "27825550143"], &["Baobab Hall", "27825550143"]);
        check(&list, &["Acacia Works", "Xolile", "Fictum", "x"], &["Acacia Works", "", "", "x"]);
    }

    #[test]
    fn names_that_nobody_else_bears_stay_out_of_every_text() {
        let mut list = SuppressionList::default();
        let names: Vec<Identifier> = ["Zodwa Canaryperson", "José O'Sample-Nuñez"]
            .iter()
            .filter_map(|name| Identifier::new(IdentifierKind::Name, name))
            .collect();
        let who: Vec<Identifier> = names.iter().cloned().chain(Identifier::guess("z@kestrel.example")).collect();
        list.add("D-1", "2024-01-01T00:00:00Z", &who, &names).unwrap();
        check(&list, &["Egret", "asked Zodwa Canaryperson about rates"], &["Egret", "asked  about rates"]);
        check(&list, &["CANARYPERSON, Zodwa; o@egret.example"], &["; o@egret.example"]);
        check(&list, &["Jose O’Sample Nunez was here"], &[" was here"]);
        check(&list, &["Egret", "Zodwa", "Canaryperson", "x"], &["Egret", "", "", "x"]);
        check(&list, &["Zodwa. Then, much later: Canaryperson"], &["Zodwa. Then, much later: Canaryperson"]);
        // Somebody of that name with an address of their own may be another; a text that tells of the name is not theirs.
        check(&list, &["Zodwa Canaryperson", "new@egret.example"], &["Zodwa Canaryperson", "new@egret.example"]);
        check(&list, &["Other", "o@egret.example", "ask Zodwa Canaryperson"], &["Other", "o@egret.example", "ask "]);

        let mut shared = SuppressionList::default();
        let who: Vec<Identifier> =
            ["Zodwa Canaryperson", "z@kestrel.example"].iter().filter_map(|text| Identifier::guess(text)).collect();
        shared.add("D-1", "2024-01-01T00:00:00Z", &who, &[]).unwrap();
        check(&shared, &["asked Zodwa Canaryperson about rates"], &["asked Zodwa Canaryperson about rates"]);
        check(&shared, &["z@kestrel.example", "asked Zodwa Canaryperson"], &["", "asked "]);
        shared.add("D-2", "2024-01-02T00:00:00Z", &who, &who[..1]).unwrap();
        assert_eq!((shared.len(), shared.remove("D-2"), shared.len()), (2, 1, 1));
    }

    #[test]
    fn numbers_of_documents_stay_out_in_any_grouping() {
        let list = list(&["8001015009087", "A12345678"]);
        check(&list, &["ID 800101 5009 087, born there", "a-12345678"], &["ID , born there", ""]);
        check(&list, &["8001015009088", "A12345679 on 2024-01-02"], &["8001015009088", "A12345679 on 2024-01-02"]);
    }

    #[test]
    fn who_was_known_by_name_alone_is_known_at_their_organisation() {
        let list = list(&["Xolile Fictum"]);
        check(&list, &["Acacia Works", "Fictum, Xolile", "o@example.org"], &["Acacia Works", "", "o@example.org"]);
        check(&list, &["Baobab Hall", "Xolile Fictum"], &["Baobab Hall", "Xolile Fictum"]);
    }

    #[test]
    fn the_file_names_nobody_and_is_read_again() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("suppression.ndjson");
        assert!(SuppressionList::read(&path)?.is_empty());
        let list = list(&["x.fictum@example.org", "Xolile Fictum"]);
        list.write(&path)?;
        let text = std::fs::read_to_string(&path)?;
        assert!(!text.contains("fictum") && !text.contains("Acacia"), "{text}");
        let mut read = SuppressionList::read(&path)?;
        assert_eq!((read.len(), read.digest()), (1, list.digest()));
        check(&read, &["x.fictum@example.org"], &[""]);
        read.add(
            "D-2",
            "2024-01-02T00:00:00Z",
            &[Identifier::guess("x.fictum@example.org").ok_or("an address")?],
            &[],
        )?;
        assert_eq!(read.len(), 1, "who is on the list is not put there twice");
        hotpass_core::write_atomic(&path, "{}\n")?;
        assert!(SuppressionList::read(&path).is_err());
        Ok(())
    }
}
