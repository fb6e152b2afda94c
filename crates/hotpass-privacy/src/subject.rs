//! A person who is looked for: identifiers in a normal form, found in texts however they are written there.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::key::{hmac_sha256, push_hex};

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
            IdentifierKind::Email => text.contains('@').then(|| text.to_lowercase())?,
            IdentifierKind::Phone => {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                (digits.len() >= 7).then(|| digits[digits.len().saturating_sub(PHONE_DIGITS)..].to_owned())?
            }
            IdentifierKind::Name | IdentifierKind::Organisation => name_key(text)?,
        };
        Some(Self { kind, key, text: text.to_owned() })
    }

    /// Makes the identifier that a text most likely is: an address where there is an `@`, a number where digits prevail, else a name.
    pub fn guess(text: &str) -> Option<Self> {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let kind = if text.contains('@') {
            IdentifierKind::Email
        } else if digits >= 7 && !text.chars().any(char::is_alphabetic) {
            IdentifierKind::Phone
        } else {
            IdentifierKind::Name
        };
        Self::new(kind, text)
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
    let mut words: Vec<String> = text
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '’' | '-')))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.sort_unstable();
    (!words.is_empty()).then(|| words.join(" "))
}

/// A person who is looked for in texts.
#[derive(Debug)]
pub struct Subject {
    identifiers: Vec<Identifier>,
    patterns: Vec<(IdentifierKind, Regex)>,
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
            .flat_map(|identifier| patterns_of(identifier).into_iter().map(|pattern| (identifier.kind, pattern)))
            .map(|(kind, pattern)| {
                let pattern = RegexBuilder::new(&pattern).case_insensitive(true).size_limit(1 << 24).build();
                (kind, pattern.expect("identifiers are escaped"))
            })
            .collect();
        Self { identifiers, patterns }
    }

    /// Returns the identifiers.
    pub fn identifiers(&self) -> &[Identifier] {
        &self.identifiers
    }

    /// Finds the subject in a text, in order.
    pub fn find(&self, text: &str) -> Vec<SubjectMatch> {
        let mut found: Vec<SubjectMatch> = Vec::new();
        for (kind, pattern) in &self.patterns {
            found.extend(
                pattern
                    .find_iter(text)
                    .filter_map(|place| whole(*kind, text, place.range()))
                    .map(|range| SubjectMatch { range, kind: *kind }),
            );
        }
        found.sort_by_key(|place| (place.range.start, std::cmp::Reverse(place.range.end)));
        let mut end = 0;
        found.retain(|place| {
            let keep = place.range.start >= end;
            end = end.max(place.range.end);
            keep
        });
        found
    }

    /// Returns whether the subject is in a text.
    pub fn is_in(&self, text: &str) -> bool {
        self.patterns
            .iter()
            .any(|(kind, pattern)| pattern.find_iter(text).any(|place| whole(*kind, text, place.range()).is_some()))
    }

    /// Takes the subject out of a text: `[erased]` stands where it was. Nothing when it is not in it.
    pub fn erase(&self, text: &str) -> Option<String> {
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
            let digits: Vec<String> = identifier.key.chars().map(String::from).collect();
            // The digits with what people put between them; prefixes are looked at by `start_of_phone`.
            vec![digits.join(r"[ ().\-/]{0,3}")]
        }
        IdentifierKind::Name | IdentifierKind::Organisation => {
            let words: Vec<String> = identifier
                .text
                .split(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '’' | '-')))
                .filter(|word| !word.is_empty())
                // Markup writes the apostrophe in other ways.
                .map(|word| regex::escape(word).replace(['\'', '’'], "(?:'|’|&#39;|&apos;|&#x27;)"))
                .collect();
            let between = r"[\s,.]{1,3}";
            let mut orders = vec![words.join(between)];
            if words.len() > 1 {
                // Family name first.
                let mut turned = words.clone();
                turned.rotate_right(1);
                orders.push(turned.join(between));
            }
            orders.dedup();
            orders
        }
    }
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
        IdentifierKind::Name | IdentifierKind::Organisation => !alphanumeric(before) && !alphanumeric(next),
    };
    is_whole.then_some(range)
}

/// Returns where a telephone number starts whose last digits start at a place: with the country's and the trunk prefix.
fn start_of_phone(text: &str, place: usize) -> Option<usize> {
    static PREFIXES: LazyLock<[Regex; 3]> = LazyLock::new(|| {
        [
            r"(?:\+|00) ?[0-9]{1,3}[ ().\-/]{0,3}(?:\(?0\)?[ ().\-/]{0,2})?\(?$",
            r"\(?0\)?[ ().\-/]{0,2}$",
            r"[0-9]{2,3}[ \-]?$",
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
        for text in ["A.B@Example.org", "<a.b@example.org>.", "Fictum, Xolile van", "xolile  van fictum;"] {
            assert!(subject.is_in(text), "{text}");
        }
        for text in ["aa.b@example.org", "a.b@example.org.za", "Xolile van Fictumsson", "Xolile", ""] {
            assert!(!subject.is_in(text), "{text}");
        }
        assert_eq!(subject.erase("from a.b@example.org."), Some("from [erased].".to_owned()));
        assert_eq!(subject.erase("nobody"), None);
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
