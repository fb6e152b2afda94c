//! A person who is looked for: identifiers in a normal form, found in texts however they are written there.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::key::{PrivacyKey, hmac_sha256, is_sealed, push_hex};

/// What stands in a text where something was erased.
pub const ERASED: &str = "[erased]";

/// Digits at the end of a telephone number that tell it apart, whatever its prefix.
const PHONE_DIGITS: usize = 9;

/// What an identifier is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierKind {
    /// E-mail address, without regard to case.
    Email,
    /// Telephone number, by its last nine digits, so that national and international forms are one.
    Phone,
    /// Name or other text, by its words in any order, without regard to case.
    Name,
    /// Name of an organisation.
    Organisation,
    /// Identity number, passport, account, membership or record number: letters and digits, without what stands between them.
    Number,
    /// Token or keyed hash of one of the others, as it stands in redacted files.
    Token,
}

impl IdentifierKind {
    /// Returns what it is, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "e-mail address",
            Self::Phone => "telephone number",
            Self::Name => "name",
            Self::Organisation => "organisation",
            Self::Number => "number",
            Self::Token => "token",
        }
    }
}

/// An identifier of a person, in the form in which it is compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    kind: IdentifierKind,
    key: String,
    text: String,
}

impl Identifier {
    /// Makes an identifier; nothing where the text holds none of its kind.
    pub fn new(kind: IdentifierKind, text: &str) -> Option<Self> {
        let text = text.trim();
        let key = match kind {
            IdentifierKind::Email => {
                let (local, domain) = text.split_once('@')?;
                let is_part = |part: &str| {
                    part.contains(char::is_alphanumeric) && !part.contains(|c: char| c == '@' || c.is_whitespace())
                };
                (is_part(local) && is_part(domain)).then(|| text.to_lowercase())?
            }
            IdentifierKind::Phone => {
                let digits: String = text.chars().filter_map(digit).collect();
                (digits.len() >= 7).then(|| digits[digits.len().saturating_sub(PHONE_DIGITS)..].to_owned())?
            }
            IdentifierKind::Number => {
                let key = number_key(text);
                (key.len() >= 4 && key.bytes().any(|byte| byte.is_ascii_digit())).then_some(key)?
            }
            IdentifierKind::Name | IdentifierKind::Organisation => name_key(text)?,
            IdentifierKind::Token => is_sealed(text).then(|| text.to_owned())?,
        };
        Some(Self { kind, key, text: text.to_owned() })
    }

    /// Makes the identifier that a text most likely is: the first of [`Identifier::guesses`].
    pub fn guess(text: &str) -> Option<Self> {
        Self::guesses(text).into_iter().next()
    }

    /// Makes every identifier that a text may be: an address where there is an `@`; a telephone number, an identity number or
    /// both where there are digits and no words; a number of a document where one word has digits; else a name.
    pub fn guesses(text: &str) -> Vec<Self> {
        let digits = text.chars().filter_map(digit).count();
        let letters = text.chars().any(char::is_alphabetic);
        let kinds: &[IdentifierKind] = if text.contains('@') {
            &[IdentifierKind::Email]
        } else if letters {
            let one_word = !text.trim().contains(char::is_whitespace);
            if one_word && digits >= 2 { &[IdentifierKind::Number] } else { &[IdentifierKind::Name] }
        } else if digits > 12 && !text.trim().starts_with(['+', '(']) {
            // `0027…` is a telephone number; an identity number of somebody born in 2000 begins so too.
            if text.trim().starts_with("00") {
                &[IdentifierKind::Phone, IdentifierKind::Number]
            } else {
                &[IdentifierKind::Number]
            }
        } else if digits >= 7 {
            // Ten digits may be a telephone number without its zero, or an account.
            if text.trim().starts_with(['+', '(', '0']) {
                &[IdentifierKind::Phone]
            } else {
                &[IdentifierKind::Phone, IdentifierKind::Number]
            }
        } else {
            &[IdentifierKind::Number]
        };
        kinds.iter().filter_map(|kind| Self::new(*kind, text)).collect()
    }

    /// Returns the text it was made of.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns what it is.
    pub fn kind(&self) -> IdentifierKind {
        self.kind
    }

    /// Returns the SHA-256 of its normal form, in hexadecimal digits: what the column `hash` of a consent file holds.
    ///
    /// The normal form is the address in small letters, or the last nine digits of the number.
    pub fn digest(&self) -> String {
        hotpass_core::sha256_bytes(&self.key).as_str().to_owned()
    }

    /// Returns its tokens and keyed hashes under a key in a context, the class or column that stands in each of them; those of the
    /// parts of a name make a name again, since each part is that of many.
    ///
    /// `country` gives a telephone number its international form, which redaction works on.
    pub fn sealed(&self, key: &PrivacyKey, context: &str, country: impl Fn(&str) -> Option<String>) -> Vec<Self> {
        let mut writings = vec![self.text.clone()];
        match self.kind {
            IdentifierKind::Email | IdentifierKind::Number => writings.push(self.key.clone()),
            IdentifierKind::Phone => writings.extend(country(&self.text)),
            IdentifierKind::Name => writings.push(self.text.split_whitespace().collect::<Vec<_>>().join(" ")),
            IdentifierKind::Organisation | IdentifierKind::Token => return Vec::new(),
        }
        writings.sort();
        writings.dedup();
        let whole = writings
            .iter()
            .flat_map(|writing| [key.tokenise(context, writing), key.hash(context, writing)])
            .filter_map(|sealed| Self::new(IdentifierKind::Token, &sealed));
        let words: Vec<&str> = self.text.split_whitespace().collect();
        let joined = |seal: &dyn Fn(&str) -> String| words.iter().map(|word| seal(word)).collect::<Vec<_>>().join(" ");
        let parts = [joined(&|word| key.tokenise(context, word)), joined(&|word| key.hash(context, word))];
        let is_name = self.kind == IdentifierKind::Name && words.len() > 1;
        let parts = parts.iter().filter(|_| is_name).filter_map(|parts| Self::new(IdentifierKind::Name, parts));
        whole.chain(parts).collect()
    }

    /// Returns whether it is a token or hash, or a name of such.
    pub fn is_sealed(&self) -> bool {
        self.kind == IdentifierKind::Token || self.text.split(' ').any(is_sealed)
    }

    /// Returns why it may be found with many who are not meant; nothing where it tells a person apart.
    pub fn weakness(&self) -> Option<&'static str> {
        let digits = self.key.bytes().filter(u8::is_ascii_digit).count();
        match self.kind {
            IdentifierKind::Name | IdentifierKind::Organisation if self.key.split(' ').count() < 2 => {
                Some("a name of one word")
            }
            IdentifierKind::Name if self.text.contains('_') => Some("a name with `_`, as a column has"),
            IdentifierKind::Number if digits < 4 || self.key.chars().count() < 6 => {
                Some("a number of fewer than six letters and digits, four of them digits")
            }
            _ => None,
        }
    }

    /// Returns its hash under a salt, in hexadecimal digits.
    pub fn salted(&self, salt: &[u8]) -> String {
        salted(salt, self.kind, &self.key)
    }
}

/// Returns the hash of a normal form under a salt.
pub(crate) fn salted(salt: &[u8], kind: IdentifierKind, key: &str) -> String {
    let kind = [kind as u8];
    let mut text = String::with_capacity(64);
    push_hex(&mut text, &hmac_sha256(salt, &[&kind, key.as_bytes()]));
    text
}

/// Returns the words of a name, sorted, in small letters.
pub(crate) fn name_key(text: &str) -> Option<String> {
    // A hyphen is written or not; so is the form of an apostrophe.
    let mut words: Vec<String> = text
        .split(|c: char| !(c.is_alphanumeric() || is_mark(c) || matches!(c, '\'' | '’')))
        .map(|word| folded(word).replace('’', "'"))
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .collect();
    words.sort_unstable();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Returns the letters and digits of a number, in capitals.
pub(crate) fn number_key(text: &str) -> String {
    text.chars().filter_map(|c| digit(c).or_else(|| c.is_alphanumeric().then(|| c.to_ascii_uppercase()))).collect()
}

/// Returns the ASCII digit of a digit, be it one of full width.
pub(crate) fn digit(c: char) -> Option<char> {
    match c {
        '0'..='9' => Some(c),
        '０'..='９' => char::from_u32(c as u32 - '０' as u32 + '0' as u32),
        _ => None,
    }
}

/// Letters that are the same name's without their marks, by the letter without.
const MARKED: [(char, &str); 16] = [
    ('a', "àáâãäåāăą"),
    ('c', "çćčĉċ"),
    ('d', "ďđð"),
    ('e', "èéêëēĕėęě"),
    ('g', "ĝğġģ"),
    ('i', "ìíîïĩīĭįı"),
    ('l', "ĺļľł"),
    ('n', "ñńņňŋ"),
    ('o', "òóôõöøōŏő"),
    ('r', "ŕŗř"),
    ('s', "śŝşšș"),
    ('t', "ţťŧț"),
    ('u', "ùúûüũūŭůűų"),
    ('w', "ŵ"),
    ('y', "ýÿŷ"),
    ('z', "źżž"),
];

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

fn unmarked(c: char) -> char {
    MARKED.iter().find(|(_, marked)| marked.contains(c)).map_or(c, |(plain, _)| *plain)
}

/// Returns a word in small letters without marks: `José` and `JOSE` are one name.
pub(crate) fn folded(word: &str) -> String {
    word.to_lowercase().chars().filter(|c| !is_mark(*c)).map(unmarked).collect()
}

/// Returns a pattern that finds a word with and without marks, however markup writes its apostrophe.
fn word_pattern(word: &str) -> String {
    let mut pattern = String::new();
    for c in folded(word).chars() {
        match c {
            '\'' | '’' => pattern.push_str("(?:'|’|&#39;|&apos;|&#x27;)"),
            '-' => pattern.push_str(r"[\-‐‑\s]"),
            c => match MARKED.iter().find(|(plain, _)| *plain == c) {
                Some((plain, marked)) => {
                    let _ = write!(pattern, r"[{plain}{marked}]\p{{M}}*");
                }
                None => pattern.push_str(&regex::escape(&c.to_string())),
            },
        }
    }
    pattern
}

/// A person who is looked for in texts.
#[derive(Debug)]
pub struct Subject {
    identifiers: Vec<Identifier>,
    patterns: Vec<Pattern>,
    /// Names of several words, with what finds a cell that is a part of one.
    parts: Vec<(Regex, Vec<String>)>,
    /// The subject with the names that others bear too, for what is the subject's.
    with_shared: Option<Box<Self>>,
    /// Ids of what is the subject's.
    owned: BTreeSet<String>,
}

/// What finds an identifier in a text.
#[derive(Debug)]
struct Pattern {
    kind: IdentifierKind,
    regex: Regex,
    /// Whether it is a name in another order of its words than the one that is known.
    turned: bool,
}

impl Pattern {
    /// Returns the places of whole identifiers. What is none may overlap one, so that the search goes on within it.
    fn places<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
        let mut at = 0;
        std::iter::from_fn(move || {
            while let Some(found) = self.regex.find_at(text, at) {
                let whole = whole(self.kind, text, found.range());
                let next = text[found.start()..].chars().next().map_or(1, char::len_utf8);
                at = if whole.is_some() { found.end() } else { found.start() + next };
                if whole.is_some() {
                    return whole;
                }
            }
            None
        })
    }
}

/// A place of a subject in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectMatch {
    /// Where it is, in bytes.
    pub range: Range<usize>,
    /// What was found.
    pub kind: IdentifierKind,
}

impl Subject {
    /// Makes a subject of its identifiers.
    ///
    /// # Panics
    ///
    /// Never: identifiers are escaped before they become patterns.
    pub fn new(identifiers: impl IntoIterator<Item = Identifier>) -> Self {
        let mut identifiers: Vec<Identifier> = identifiers.into_iter().collect();
        identifiers.sort();
        identifiers.dedup_by(|a, b| a.kind == b.kind && a.key == b.key);
        let patterns = identifiers
            .iter()
            .flat_map(|identifier| {
                let kind = identifier.kind;
                patterns_of(identifier).into_iter().enumerate().map(move |(order, pattern)| {
                    let regex = RegexBuilder::new(&pattern).case_insensitive(true).size_limit(1 << 24).build();
                    Pattern { kind, regex: regex.expect("identifiers are escaped"), turned: order > 0 }
                })
            })
            .collect();
        let parts = identifiers
            .iter()
            .filter(|identifier| identifier.kind == IdentifierKind::Name)
            .filter_map(|identifier| {
                let words: Vec<String> = identifier.key.split(' ').map(str::to_owned).collect();
                if words.len() < 2 {
                    return None;
                }
                let any: Vec<String> = words.iter().map(|word| word_pattern(word)).collect();
                let any = any.join("|");
                let pattern =
                    format!(r"^[^\p{{L}}\p{{N}}]*(?:{any})(?:[^\p{{L}}\p{{N}}]+(?:{any}))*[^\p{{L}}\p{{N}}]*$");
                let pattern = RegexBuilder::new(&pattern).case_insensitive(true).size_limit(1 << 24).build();
                Some((pattern.expect("identifiers are escaped"), words))
            })
            .collect();
        Self { identifiers, patterns, parts, with_shared: None, owned: BTreeSet::new() }
    }

    /// Adds names that others bear too: they mean the subject only in rows and texts that hold another identifier or one of the
    /// ids, which [`Subject::in_row`] and [`Subject::in_text`] look for.
    #[must_use]
    pub fn with_shared_names(mut self, names: impl IntoIterator<Item = Identifier>, owned: BTreeSet<String>) -> Self {
        let names: Vec<Identifier> = names.into_iter().collect();
        if !names.is_empty() {
            self.with_shared = Some(Box::new(Self::new(self.identifiers.iter().cloned().chain(names))));
            self.owned = owned;
        }
        self
    }

    /// Returns the identifiers, those that others share among them.
    pub fn identifiers(&self) -> &[Identifier] {
        self.with_shared.as_ref().map_or(&self.identifiers, |all| &all.identifiers)
    }

    /// Returns whether some names mean the subject in its own rows and texts alone.
    pub fn has_shared_names(&self) -> bool {
        self.with_shared.is_some()
    }

    /// Returns whom to look for in a row: with the names that others share, where the row is the subject's.
    pub fn in_row<'c>(&self, cells: impl IntoIterator<Item = Option<&'c str>>) -> &Self {
        let Some(all) = &self.with_shared else { return self };
        let is_own = |cell: &str| self.owned.contains(cell) || self.is_in(cell);
        if cells.into_iter().flatten().any(is_own) { all } else { self }
    }

    /// Returns whom to look for in a text: with the names that others share, where the text is the subject's.
    pub fn in_text(&self, text: &str) -> &Self {
        let Some(all) = &self.with_shared else { return self };
        if self.is_in(text) || self.owned.iter().any(|id| text.contains(id.as_str())) { all } else { self }
    }

    /// Returns whether an address or a number of the subject is in a text.
    pub fn has_channel_in(&self, text: &str) -> bool {
        let is_name = |kind| matches!(kind, IdentifierKind::Name | IdentifierKind::Organisation);
        self.patterns.iter().any(|pattern| !is_name(pattern.kind) && pattern.places(text).next().is_some())
    }

    /// Finds the subject in a text, in order. Places that overlap are one.
    pub fn find(&self, text: &str) -> Vec<SubjectMatch> {
        let mut found: Vec<(SubjectMatch, bool)> = Vec::new();
        for pattern in &self.patterns {
            let kind = pattern.kind;
            found.extend(pattern.places(text).map(|range| (SubjectMatch { range, kind }, pattern.turned)));
        }
        // In `Xolile Fictum, Xolile Other` the family name is not that of the second person.
        let straight: Vec<Range<usize>> = found
            .iter()
            .filter(|(place, turned)| {
                !turned && matches!(place.kind, IdentifierKind::Name | IdentifierKind::Organisation)
            })
            .map(|(place, _)| place.range.clone())
            .collect();
        found.retain(|(place, turned)| {
            let start = place.range.start;
            !turned || !straight.iter().any(|name| name.start < start && start < name.end)
        });
        found.sort_by_key(|(place, _)| (place.range.start, std::cmp::Reverse(place.range.end)));
        let mut merged: Vec<SubjectMatch> = Vec::new();
        for (place, _) in found {
            match merged.last_mut() {
                Some(last) if place.range.start < last.range.end => {
                    last.range.end = last.range.end.max(place.range.end);
                }
                _ => merged.push(place),
            }
        }
        merged
    }

    /// Returns whether the subject is in a text.
    pub fn is_in(&self, text: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.places(text).next().is_some())
    }

    /// Returns whether a name of the subject may stand in several cells of a row.
    pub fn has_split_names(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Returns the cells of a row that hold nothing but parts of a name, where all of its parts stand in the row: as given name and
    /// family name in columns of their own.
    pub fn split_over(&self, cells: &[Option<&str>]) -> Vec<usize> {
        let mut found = Vec::new();
        for (pattern, words) in &self.parts {
            let parts: Vec<usize> = cells
                .iter()
                .enumerate()
                .filter(|(_, cell)| cell.is_some_and(|text| text.len() <= 200 && pattern.is_match(text)))
                .map(|(index, _)| index)
                .collect();
            if parts.len() < 2 {
                continue;
            }
            let held: Vec<String> = parts.iter().filter_map(|index| name_key(cells[*index]?)).collect();
            if words.iter().all(|word| held.iter().any(|key| key.split(' ').any(|held| held == word))) {
                found.extend(parts);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Takes the subject out of a text: `[erased]` stands where it was. Nothing when it is not in it.
    ///
    /// The subject is not found in what is left, other than in the word `erased` itself.
    pub fn erase(&self, text: &str) -> Option<String> {
        let mut erased = self.without(text)?;
        // What stood against an identifier, as the digits in `0825550142a@b.example`, may have hidden another one.
        for _ in 0..16 {
            match self.without(&erased) {
                Some(less) if less != erased => erased = less,
                _ => break,
            }
        }
        Some(erased)
    }

    fn without(&self, text: &str) -> Option<String> {
        let found = self.find(text);
        if found.is_empty() {
            return None;
        }
        let mut erased = String::with_capacity(text.len());
        let mut end = 0;
        for place in found {
            erased.push_str(&text[end..place.range.start]);
            erased.push_str(ERASED);
            end = place.range.end;
        }
        erased.push_str(&text[end..]);
        Some(erased)
    }
}

fn patterns_of(identifier: &Identifier) -> Vec<String> {
    match identifier.kind {
        IdentifierKind::Email => vec![regex::escape(&identifier.key)],
        IdentifierKind::Phone => {
            // The digits with what people put between them; prefixes are looked at by `start_of_phone`.
            vec![digits_pattern(&identifier.key, r"[\s().\-/‐‑–—]{0,4}")]
        }
        IdentifierKind::Token => vec![format!("(?-i:{})", regex::escape(&identifier.key))],
        IdentifierKind::Number => vec![digits_pattern(&identifier.key, r"[\s.\-/_‐‑–]?")],
        IdentifierKind::Name | IdentifierKind::Organisation => {
            let words: Vec<String> = identifier
                .text
                .split(|c: char| !(c.is_alphanumeric() || is_mark(c) || matches!(c, '\'' | '’' | '-')))
                .filter(|word| !word.is_empty())
                .map(word_pattern)
                .filter(|pattern| !pattern.is_empty())
                .collect();
            // What stands between words, also as JSON and XML write a line break or a space that does not break.
            let between =
                r"(?:[\s,.;_\u{200b}\u{feff}]|\\[nrt]|&nbsp;|&#(?:9|10|13|160|x[9aAdD]|x[aA]0);|_x000[dD]_){1,4}";
            // Family name first, and whatever else begins the name where it is cut in two.
            let mut orders: Vec<String> = (0..words.len().min(6))
                .map(|cut| {
                    let mut turned = words.clone();
                    turned.rotate_left(cut);
                    turned.join(between)
                })
                .collect();
            orders.dedup();
            orders
        }
    }
}

/// Returns a pattern of characters with something between them; digits may be of full width.
fn digits_pattern(key: &str, between: &str) -> String {
    let characters: Vec<String> = key
        .chars()
        .map(|c| match c.to_digit(10).and_then(|digit| char::from_u32('０' as u32 + digit)) {
            Some(wide) => format!("[{c}{wide}]"),
            None => regex::escape(&c.to_string()),
        })
        .collect();
    characters.join(between)
}

/// Returns the place of the whole identifier of a match; nothing where the match is part of another one.
fn whole(kind: IdentifierKind, text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let before = text[..range.start].chars().next_back();
    let mut after = text[range.end..].chars();
    let next = after.next();
    let alphanumeric = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let is_whole = match kind {
        IdentifierKind::Email => {
            let inside = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-'));
            let goes_on = match next {
                Some('.') => alphanumeric(after.next()),
                next => alphanumeric(next) || matches!(next, Some('-' | '_')),
            };
            !inside && !goes_on
        }
        IdentifierKind::Phone => {
            if next.is_some_and(|c| c.is_ascii_digit()) {
                return None;
            }
            return start_of_phone(text, range.start).map(|start| start..range.end);
        }
        IdentifierKind::Token => !alphanumeric(before) && !alphanumeric(next) && !matches!(next, Some('-' | '_')),
        IdentifierKind::Name | IdentifierKind::Organisation | IdentifierKind::Number => {
            !alphanumeric(before) && !alphanumeric(next)
        }
    };
    is_whole.then_some(range)
}

/// Returns where a telephone number starts whose last digits start at a place: with the country's and the trunk prefix.
fn start_of_phone(text: &str, place: usize) -> Option<usize> {
    static PREFIXES: LazyLock<[Regex; 3]> = LazyLock::new(|| {
        [
            r"\(?(?:\+|00) ?[0-9]{1,3}[\s().\-/‐‑–—]{0,4}(?:\(?0\)?[\s().\-/‐‑–—]{0,2})?\(?$",
            r"\(?0\)?[\s().\-/‐‑–—]{0,2}$",
            r"[0-9]{2,3}[\s\-]?$",
        ]
        .map(|pattern| Regex::new(pattern).expect("the pattern is a constant"))
    });
    let mut from = place.saturating_sub(16);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let digit_before = |at: usize| text[..at].ends_with(|c: char| c.is_ascii_digit());
    PREFIXES
        .iter()
        .filter_map(|prefix| prefix.find(&text[from..place]).map(|found| from + found.start()))
        .chain([place])
        .find(|start| !digit_before(*start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(texts: &[&str]) -> Subject {
        Subject::new(texts.iter().filter_map(|text| Identifier::guess(text)))
    }

    #[test]
    fn one_number_in_all_its_forms() {
        let subject = subject(&["+27825550142"]);
        for text in [
            "0825550142",
            "082 555 0142",
            "+27 82 555 0142",
            "+27 (0)82 555-0142",
            "0027825550142",
            "27825550142",
            "call (082) 555 0142 now",
            "011 555 0199 / 082 555 0142",
            "082\u{a0}555\u{2011}0142",
            "０８２ ５５５ ０１４２",
            "(+27) 82 555 0142",
            "825550142",
        ] {
            assert!(subject.is_in(text), "{text}");
        }
        for text in ["0825550143", "10825550142777", "082 555 014", ""] {
            assert!(!subject.is_in(text), "{text}");
        }
        let erased = subject.erase("011 555 0199 / 082 555 0142; x").unwrap();
        assert!(erased.contains("011 555 0199") && !erased.contains("0142"), "{erased}");
    }

    #[test]
    fn addresses_and_names_are_whole() {
        let subject = subject(&["a.b@example.org", "Xolile van Fictum"]);
        for text in
            ["A.B@Example.org", "<a.b@example.org>.", "Fictum, Xolile van", "van Fictum; Xolile", "xolile  van fictum;"]
        {
            assert!(subject.is_in(text), "{text}");
        }
        for text in ["aa.b@example.org", "a.b@example.org.za", "Xolile van Fictumsson", "Xolile", ""] {
            assert!(!subject.is_in(text), "{text}");
        }
        assert_eq!(subject.erase("from a.b@example.org."), Some("from [erased].".to_owned()));
        assert_eq!(subject.erase("nobody"), None);
    }

    #[test]
    fn what_stands_beside_a_name_is_erased_with_it() {
        let subject = subject(&["Zodwa Canaryperson", "zodwa.canary@kestrel.example"]);
        let check = |text: &str, erased: &str| assert_eq!(subject.erase(text).as_deref(), Some(erased));
        check("call Zodwa Canaryperson, zodwa.canary@kestrel.example", "call [erased], [erased]");
        check("Canaryperson, zodwa.canary@kestrel.example", "[erased]");
        check("Zodwa Canaryperson, Zodwa Other", "[erased], Zodwa Other");
        check("Canaryperson Zodwa Canaryperson", "[erased]");
    }

    /// Built once: patterns take their time.
    static MIXED: LazyLock<Subject> =
        LazyLock::new(|| subject(&["Zodwa Canary", "zodwa.canary@kestrel.example", "+27825550142", "8001015009087"]));

    proptest::proptest! {
        #[test]
        fn nothing_is_left_to_find_after_one_erasure(
            pieces in proptest::collection::vec(proptest::sample::select(vec![
                "Zodwa", "Canary", "zodwa canary", "Canary, Zodwa", "zodwa.canary@kestrel.example", "ZODWA.CANARY@KESTREL.EXAMPLE",
                "0825550142", "+27 82 555 0142", "(082) 555-0142", "825550142", "8001015009087", "800101 5009 087",
                ", ", ".", ";", " ", "-", "_", "/", "\n", "(", ")", "<", ">", "\"", "x", "7", "@", "é", "\u{301}", "[erased]",
            ]), 0..14),
        ) {
            let text: String = pieces.concat();
            match MIXED.erase(&text) {
                Some(erased) => proptest::prop_assert!(MIXED.find(&erased).is_empty() && !MIXED.is_in(&erased), "{text:?} {erased:?}"),
                None => proptest::prop_assert!(!MIXED.is_in(&text), "{text:?}"),
            }
        }
    }

    #[test]
    fn names_are_found_with_and_without_marks_and_as_markup_writes_them() {
        let subject = subject(&["José O'Sample-Nuñez"]);
        for text in [
            "Jose O'Sample-Nunez",
            "JOSÉ O’SAMPLE-NUÑEZ",
            "jose\u{301} o&#39;sample nun\u{303}ez",
            "O'Sample-Nunez, José",
            r#""José\nO'Sample-Nuñez""#,
            "Jose&#10;O&apos;Sample-Nunez",
            "Jose_O'Sample-Nunez.csv",
        ] {
            assert!(subject.is_in(text), "{text}");
        }
        assert!(!subject.is_in("Josef O'Sample-Nunez"));
        let key = |text| Identifier::new(IdentifierKind::Name, text).map(|identifier| identifier.salted(b"salt"));
        assert_eq!(key("José Nuñez"), key("NUNEZ, JOSE"));
    }

    #[test]
    fn names_over_several_cells_need_all_their_parts() {
        let subject = subject(&["Xolile van Fictum"]);
        let check = |cells: &[&str], expected: &[usize]| {
            let cells: Vec<Option<&str>> = cells.iter().map(|cell| Some(*cell)).collect();
            assert_eq!(subject.split_over(&cells), expected, "{cells:?}");
        };
        check(&["1", "Xolile", "x", "van Fictum"], &[1, 3]);
        check(&["FICTUM", "Xolile", "van"], &[0, 1, 2]);
        check(&["Xolile", "Fictum"], &[]);
        check(&["Xolile Other", "van Fictum"], &[]);
        check(&["Xolile van Fictum"], &[]);
    }

    #[test]
    fn numbers_of_documents_are_whole_and_in_any_grouping() {
        let subject = subject(&["8001015009087", "A12345678"]);
        for text in ["8001015009087", "ID 800101 5009 087;", "800101-5009-087", "passport a12345678"] {
            assert!(subject.is_in(text), "{text}");
        }
        for text in ["98001015009087", "80010150090871", "A123456789", "800101 5009 08"] {
            assert!(!subject.is_in(text), "{text}");
        }
        let kinds = |text| Identifier::guesses(text).iter().map(Identifier::kind).collect::<Vec<_>>();
        assert_eq!(kinds("1234567890"), [IdentifierKind::Phone, IdentifierKind::Number]);
        assert_eq!(kinds("082 555 0142"), [IdentifierKind::Phone]);
        assert_eq!(kinds("0027 82 555 0142"), [IdentifierKind::Phone, IdentifierKind::Number]);
        assert_eq!(kinds("EMP-00017"), [IdentifierKind::Number]);
        assert_eq!(kinds("Xolile Fictum"), [IdentifierKind::Name]);
    }

    #[test]
    fn a_shared_name_means_the_subject_beside_another_identifier() {
        let name = Identifier::guess("Zodwa Canaryperson");
        let owned = BTreeSet::from(["org_1".to_owned()]);
        let subject = subject(&["zodwa@kestrel.example"]).with_shared_names(name, owned);
        let check = |row: &[&str], found: bool| {
            let subject = subject.in_row(row.iter().map(|cell| Some(*cell)));
            assert_eq!(row.iter().any(|cell| subject.is_in(cell)), found, "{row:?}");
            assert_eq!(subject.in_text(&row.join(" ")).is_in(&row.join(" ")), found, "{row:?}");
        };
        check(&["Zodwa Canaryperson", "Zodwa@kestrel.example"], true);
        check(&["org_1", "Zodwa Canaryperson"], true);
        check(&["org_2", "Zodwa Canaryperson", "z@egret.example"], false);
        assert_eq!(subject.identifiers().len(), 2);
    }

    #[test]
    fn tokens_of_a_name_in_two_columns_need_all_of_them() {
        let key = PrivacyKey::new(&hotpass_core::Secret::new("k".repeat(32))).unwrap();
        let name = Identifier::guess("Zodwa Canaryperson").unwrap();
        let subject = Subject::new(name.sealed(&key, "person_name", |_| None));
        assert!(subject.identifiers().iter().all(Identifier::is_sealed));
        for seal in [&PrivacyKey::tokenise as &dyn Fn(&PrivacyKey, &str, &str) -> String, &PrivacyKey::hash] {
            let [given, family, other, whole] =
                ["Zodwa", "Canaryperson", "Other", "Zodwa Canaryperson"].map(|part| seal(&key, "person_name", part));
            assert_eq!(subject.split_over(&[Some(&given), None, Some(&family)]), [0, 2]);
            assert!(subject.split_over(&[Some(&given), Some(&other)]).is_empty() && !subject.is_in(&given));
            assert!(subject.is_in(&whole));
        }
    }

    #[test]
    fn what_many_share_is_told_apart() {
        let weak = |text: &str| Identifier::guess(text).map(|identifier| identifier.weakness().is_some());
        for (text, expected) in [
            ("@", None),
            ("a@", None),
            ("@b.example", None),
            ("a b@c.example", None),
            ("a@b.example", Some(false)),
            ("Ltd", Some(true)),
            ("contact_primary_email", Some(true)),
            ("Xolile Fictum", Some(false)),
            ("A380", Some(true)),
            ("EMP-00017", Some(false)),
            ("A12345678", Some(false)),
            ("082 555 0142", Some(false)),
        ] {
            assert_eq!(weak(text), expected, "{text}");
        }
    }

    #[test]
    fn normal_forms_are_equal_where_people_are() {
        let key = |kind, text| Identifier::new(kind, text).map(|identifier| identifier.salted(b"salt"));
        assert_eq!(key(IdentifierKind::Phone, "082 555 0142"), key(IdentifierKind::Phone, "+27 82 555 0142"));
        assert_eq!(key(IdentifierKind::Name, "Xolile FICTUM"), key(IdentifierKind::Name, "Fictum, Xolile"));
        assert_ne!(key(IdentifierKind::Name, "Xolile"), key(IdentifierKind::Organisation, "Xolile"));
        assert_eq!(key(IdentifierKind::Phone, "12"), None);
    }
}
