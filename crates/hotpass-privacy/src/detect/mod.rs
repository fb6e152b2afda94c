//! Finding personal data in values: patterns, check digits, headers and small lists.

mod checksum;
mod column;
mod header;
mod names;

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

use regex::{Regex, RegexSet};
use serde::{Deserialize, Serialize};

pub(crate) use names::is_given_name;

pub use column::{ClassFinding, ColumnDetector, ColumnFindings, TableFindings};

use crate::class::DataClass;

/// What a finding rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Evidence {
    /// The value has the form.
    Pattern,
    /// The value has the form, and its check digits are right.
    Checksum,
    /// A word before the value says what it is.
    Keyword,
    /// The column's header says what it is.
    Header,
    /// A title such as `Dr` stands before a name.
    Title,
    /// The first word is a common given name.
    NameList,
}

impl Evidence {
    /// Returns the name, as reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pattern => "pattern",
            Self::Checksum => "checksum",
            Self::Keyword => "keyword",
            Self::Header => "header",
            Self::Title => "title",
            Self::NameList => "name_list",
        }
    }
}

/// Personal data at a place in a text. It holds no value.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Where it is, in bytes.
    pub range: Range<usize>,
    /// What it is.
    pub class: DataClass,
    /// How sure that is, 0 to 1. A judgement by rule, not a measured probability.
    pub confidence: f64,
    /// What that rests on.
    pub evidence: Evidence,
}

/// The recognisers, in the order of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recogniser {
    Email,
    Digits,
    Phone,
    Iban,
    Passport,
    PassportKeyword,
    TaxKeyword,
    BirthKeyword,
    Ipv4,
    Ipv6,
    Coordinates,
    TitledName,
    ListedName,
}

/// Pattern by recogniser. Digits are ASCII ones; what is found is judged by code.
const PATTERNS: &[(Recogniser, &str)] = &[
    (Recogniser::Email, r"(?i)[a-z0-9_%+'\-](?:[a-z0-9._%+'\-]{0,63})@(?:[a-z0-9](?:[a-z0-9\-]{0,62})\.)+[a-z]{2,24}"),
    (Recogniser::Digits, r"[0-9](?:[ \-]?[0-9]){12,18}"),
    // A stroke with spaces around it, or a full stop with one behind it, stands between two numbers.
    (Recogniser::Phone, r"(?:\+|00|\(\+?)?[0-9](?:(?: ?[()\-]{0,2} ?|\.|/)[0-9]){6,18}"),
    (Recogniser::Iban, r"(?i)\b[a-z]{2}[0-9]{2}(?: ?[a-z0-9]){11,30}"),
    (Recogniser::Passport, r"\b[ADMT][0-9]{8}\b"),
    (
        Recogniser::PassportKeyword,
        r"(?i)\b(?:passport|paspoort)(?:\s*(?:no|nr|number))?[.:#\s]{1,4}([a-z]{0,2}[0-9]{6,9})\b",
    ),
    (
        Recogniser::TaxKeyword,
        r"(?i)\b(?:vat|tax|tin|btw)(?:\s*(?:no|nr|reg|number|ref|reference))*[.:#\s]{1,4}((?:[a-z]{2})?[0-9]{8,12})\b",
    ),
    (
        Recogniser::BirthKeyword,
        r"(?i)\b(?:born|dob|d\.o\.b\.?|date of birth|birthday)\b(?:\s+on)?[:\s]{1,4}([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[/. \-](?:[0-9]{1,2}|[a-z]{3,9})[/. \-][0-9]{2,4})",
    ),
    (Recogniser::Ipv4, r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b"),
    (Recogniser::Ipv6, r"(?i)\b(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4}){0,6}"),
    (Recogniser::Coordinates, r"[-+]?[0-9]{1,2}\.[0-9]{3,}°?\s*[,;/ ]\s*[-+]?[0-9]{1,3}\.[0-9]{3,}"),
    (
        Recogniser::TitledName,
        r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Adv|Rev|Capt|Mnr|Mev|Herr|Frau|Mme|Sr|Sra)\.?\s+(\p{Lu}[\p{L}'’\-]+(?:\s+(?:(?:van|von|de|der|den|du|la|le)\s+){0,2}\p{Lu}[\p{L}'’\-]+){0,3})",
    ),
    (
        Recogniser::ListedName,
        r"\b(\p{Lu}[\p{L}'’\-]+)(?:\s+\p{Lu}\.?)?(?:\s+(?:(?:van|von|de|der|den|du|la|le)\s+){0,2}\p{Lu}[\p{L}'’\-]+){1,2}",
    ),
];

/// Finds personal data in texts. Made once, used for any number of values, on any number of threads.
#[derive(Debug)]
pub struct Detector {
    set: RegexSet,
    patterns: Vec<Regex>,
}

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

impl Detector {
    /// Compiles the recognisers.
    ///
    /// # Panics
    ///
    /// Never: the patterns are constants, and a test compiles them.
    pub fn new() -> Self {
        let patterns = PATTERNS
            .iter()
            .map(|(_, pattern)| Regex::new(pattern).expect("the patterns are constants that a test compiles"))
            .collect();
        let set = RegexSet::new(PATTERNS.iter().map(|(_, pattern)| pattern))
            .expect("the patterns are constants that a test compiles");
        Self { set, patterns }
    }

    /// Finds personal data in a text: spans in order, none over another. One pass over all recognisers, and one more for
    /// each that occurs.
    pub fn spans(&self, text: &str) -> Vec<Span> {
        // Everything below needs a digit, an `@` or a capital.
        if !text.bytes().any(|byte| byte.is_ascii_digit() || byte == b'@' || byte.is_ascii_uppercase() || byte >= 0x80)
        {
            return Vec::new();
        }
        let mut found = Vec::new();
        for index in self.set.matches(text) {
            let recogniser = PATTERNS[index].0;
            if recogniser == Recogniser::Iban {
                // Its pattern may take the words behind a number, and the next number with them.
                let mut place = 0;
                while let Some(matched) = self.patterns[index].find_at(text, place) {
                    let span = iban(text, &matched.range());
                    place = span.as_ref().map_or(matched.start() + 1, |span| span.range.end);
                    found.extend(span);
                }
                continue;
            }
            for captures in self.patterns[index].captures_iter(text) {
                let Some(place) = captures.get(1).or_else(|| captures.get(0)) else { continue };
                let whole = captures.get(0).map_or(place.range(), |whole| whole.range());
                found.extend(judge(recogniser, text, place.range(), whole));
            }
        }
        strongest(found)
    }

    /// Starts to look at a column.
    pub fn column<'d>(&'d self, header: &str) -> ColumnDetector<'d> {
        ColumnDetector::new(self, header)
    }
}

/// Returns what a match is, or nothing.
fn judge(recogniser: Recogniser, text: &str, range: Range<usize>, whole: Range<usize>) -> Option<Span> {
    let matched = &text[range.clone()];
    let span = |class, confidence, evidence| Some(Span { range: range.clone(), class, confidence, evidence });
    match recogniser {
        Recogniser::Email => span(DataClass::Email, 0.99, Evidence::Pattern),
        Recogniser::Digits => {
            if touches_digit(text, &range) {
                return None;
            }
            let digits = digits_of(matched);
            if checksum::za_id(&digits) {
                span(DataClass::ZaId, 0.95, Evidence::Checksum)
            } else if checksum::payment_card(&digits) && !text[..range.start].ends_with(char::is_alphanumeric) {
                span(DataClass::PaymentCard, 0.9, Evidence::Checksum)
            } else {
                None
            }
        }
        Recogniser::Phone => phone(text, range),
        Recogniser::Iban => iban(text, &range),
        Recogniser::Passport => span(DataClass::Passport, 0.4, Evidence::Pattern),
        Recogniser::PassportKeyword => span(DataClass::Passport, 0.9, Evidence::Keyword),
        Recogniser::TaxKeyword => span(DataClass::TaxNumber, 0.85, Evidence::Keyword),
        Recogniser::BirthKeyword => span(DataClass::DateOfBirth, 0.9, Evidence::Keyword),
        Recogniser::Ipv4 => {
            let address: IpAddr = matched.parse().ok()?;
            // A version number such as 1.2.3.4 has the same form; one that begins with 0 is no host.
            let dotted = {
                let mut after = text[range.end..].chars();
                let goes_on = after.next() == Some('.') && after.next().is_some_and(|c| c.is_ascii_digit());
                goes_on || text[..range.start].ends_with('.')
            };
            let version = keyword_before(text, range.start, &VERSION_WORDS);
            (!dotted && !version && !address.is_unspecified() && !matched.starts_with("0.")).then_some(())?;
            span(DataClass::IpAddress, 0.8, Evidence::Pattern)
        }
        Recogniser::Ipv6 => {
            let address: Ipv6Addr = matched.parse().ok()?;
            (!address.is_unspecified()).then_some(())?;
            span(DataClass::IpAddress, 0.9, Evidence::Pattern)
        }
        Recogniser::Coordinates => {
            let mut numbers = matched
                .split(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
                .filter(|part| !part.is_empty())
                .map(str::parse::<f64>);
            let (latitude, longitude) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
            (latitude.abs() <= 90.0 && longitude.abs() <= 180.0).then_some(())?;
            // Parts of two addresses of computers are no place.
            let goes_on =
                text[range.end..].starts_with('.') && text[range.end + 1..].starts_with(|c: char| c.is_ascii_digit());
            let begun = text[..range.start].ends_with(|c: char| c == '.' || c.is_alphanumeric());
            (!goes_on && !begun && !touches_digit(text, &range)).then_some(())?;
            span(DataClass::Coordinates, 0.85, Evidence::Pattern)
        }
        Recogniser::TitledName => {
            (!matched.split_whitespace().any(names::is_not_person)).then_some(())?;
            span(DataClass::PersonName, 0.85, Evidence::Title)
        }
        Recogniser::ListedName => {
            let name = &text[whole.clone()];
            (names::is_given_name(matched) && !name.split_whitespace().any(names::is_not_person)).then_some(())?;
            // `John Street 5` is an address; a name of an organisation often goes on.
            let next = text[whole.end..].split_whitespace().next().unwrap_or_default();
            (!names::is_not_person(next)).then_some(())?;
            Some(Span { range: whole, class: DataClass::PersonName, confidence: 0.6, evidence: Evidence::NameList })
        }
    }
}

/// Judges what may be a telephone number, by its beginning and the number of its digits (ITU-T E.164: at most 15).
fn phone(text: &str, range: Range<usize>) -> Option<Span> {
    let matched = &text[range.clone()];
    if touches_digit(text, &range) || is_date_or_decimal(matched) {
        return None;
    }
    let before = text[..range.start].chars().next_back();
    if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '@' | '#' | '.' | ',' | '_')) {
        return None;
    }
    let named = keyword_before(text, range.start, &PHONE_WORDS);
    if !named && keyword_before(text, range.start, &OTHER_NUMBERS) {
        return None;
    }
    let digits = digits_of(matched);
    let international = matched.starts_with('+') || matched.starts_with("(+") || matched.starts_with("00");
    let confidence = if international {
        let digits = if matched.starts_with("00") { &digits[2..] } else { &digits[..] };
        if !(8..=15).contains(&digits.len()) || digits[0] == b'0' {
            return None;
        }
        0.95
    } else if digits[0] == b'0' && (9..=11).contains(&digits.len()) && digits[1] != b'0' {
        // A national number with its trunk prefix.
        if named { 0.95 } else { 0.8 }
    } else if (7..=12).contains(&digits.len()) && named {
        0.85
    } else {
        return None;
    };
    // One repeated digit is a placeholder.
    if digits.iter().skip(2).all(|&digit| digit == digits[2]) {
        return None;
    }
    Some(Span { range, class: DataClass::Phone, confidence, evidence: Evidence::Pattern })
}

const PHONE_WORDS: [&str; 12] =
    ["tel", "telephone", "phone", "cell", "mobile", "mob", "fax", "whatsapp", "call", "contact", "ph", "sel"];

/// Words before numbers of versions, which have the form of addresses of computers.
const VERSION_WORDS: [&str; 8] = ["version", "ver", "v", "firmware", "release", "build", "software", "revision"];

/// Words before numbers that are no telephone numbers.
const OTHER_NUMBERS: [&str; 13] = [
    "invoice",
    "order",
    "part",
    "stock",
    "ref",
    "reference",
    "registration",
    "isbn",
    "serial",
    "account",
    "code",
    "version",
    "price",
];

/// Returns whether one of the words is among the two that stand before a place.
fn keyword_before(text: &str, place: usize, words: &[&str]) -> bool {
    text[..place]
        .rsplit(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(2)
        // A word before another number says what that one is.
        .take_while(|word| word.bytes().filter(u8::is_ascii_digit).count() < 4)
        .any(|word| words.iter().any(|candidate| word.eq_ignore_ascii_case(candidate)))
}

fn iban(text: &str, range: &Range<usize>) -> Option<Span> {
    let matched = &text.as_bytes()[range.clone()];
    // The pattern is greedy: words that follow may have been taken for the number's end.
    let mut compact = Vec::with_capacity(34);
    for (position, &byte) in matched.iter().enumerate() {
        if byte != b' ' {
            compact.push(byte);
        }
        let end = range.start + position + 1;
        let ends = text.as_bytes().get(end).is_none_or(|next| !next.is_ascii_alphanumeric());
        if ends && checksum::iban(&compact) {
            return Some(Span {
                range: range.start..end,
                class: DataClass::Iban,
                confidence: 0.97,
                evidence: Evidence::Checksum,
            });
        }
    }
    None
}

fn digits_of(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii_digit).collect()
}

fn touches_digit(text: &str, range: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    (range.start > 0 && digit(bytes.get(range.start - 1))) || digit(bytes.get(range.end))
}

/// Returns whether digits and separators are a date, a time range or a decimal number.
fn is_date_or_decimal(matched: &str) -> bool {
    let parts: Vec<&str> = matched.split(['-', '/', '.']).map(str::trim).collect();
    let short = |part: &&str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    match parts.as_slice() {
        [whole, fraction] => {
            let is_number = matched.contains('.') && !matched.contains(' ');
            is_number && (fraction.len() < 3 || !whole.starts_with(['+', '0', '(']))
        }
        [year, month, day] if year.len() == 4 && short(month) => {
            day.get(..2).unwrap_or(day).bytes().all(|byte| byte.is_ascii_digit())
        }
        [day, month, year] => short(day) && short(month) && matches!(year.len(), 2 | 4),
        _ => false,
    }
}

/// Keeps the strongest of overlapping spans: the higher confidence, then the longer, then the earlier.
fn strongest(mut found: Vec<Span>) -> Vec<Span> {
    if found.len() < 2 {
        return found;
    }
    found.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then(b.range.len().cmp(&a.range.len()))
            .then(a.range.start.cmp(&b.range.start))
    });
    let mut kept: Vec<Span> = Vec::with_capacity(found.len());
    for span in found {
        if kept.iter().all(|other| span.range.end <= other.range.start || other.range.end <= span.range.start) {
            kept.push(span);
        }
    }
    kept.sort_by_key(|span| span.range.start);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(DataClass, &str)]) {
        let detector = Detector::new();
        let spans = detector.spans(text);
        let found: Vec<(DataClass, &str)> = spans.iter().map(|span| (span.class, &text[span.range.clone()])).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn channels_in_free_text() {
        check("Write to thandi.x@example.co.za, please", &[(DataClass::Email, "thandi.x@example.co.za")]);
        check(
            "call 082 555 0142 or +44 20 7946 0018.",
            &[(DataClass::Phone, "082 555 0142"), (DataClass::Phone, "+44 20 7946 0018")],
        );
        check("(011) 555-0199", &[(DataClass::Phone, "(011) 555-0199")]);
        check(
            "+27 82 555 0142 / 0115550199. 3 of them",
            &[(DataClass::Phone, "+27 82 555 0142"), (DataClass::Phone, "0115550199")],
        );
        check("tel: 555 0199", &[(DataClass::Phone, "555 0199")]);
        check("555 0199", &[]);
        check("order 4412345 of 2024-01-15, room 12.5", &[]);
        check("15/01/2024 10:30", &[]);
        check("000000000", &[]);
        check("price 1234567.89 and 12345678", &[]);
    }

    #[test]
    fn numbers_with_check_digits() {
        check("ID 800101 5009 087", &[(DataClass::ZaId, "800101 5009 087")]);
        check("8001015009088", &[]);
        check("card 4111 1111 1111 1111 exp", &[(DataClass::PaymentCard, "4111 1111 1111 1111")]);
        check("pay GB82 WEST 1234 5698 7654 32 today", &[(DataClass::Iban, "GB82 WEST 1234 5698 7654 32")]);
        check(
            "GB82 WEST 1234 5698 7654 32 and DE89370400440532013000 too",
            &[(DataClass::Iban, "GB82 WEST 1234 5698 7654 32"), (DataClass::Iban, "DE89370400440532013000")],
        );
        check("passport no: A12345678", &[(DataClass::Passport, "A12345678")]);
        check("VAT no. 4123456789", &[(DataClass::TaxNumber, "4123456789")]);
    }

    #[test]
    fn places_on_the_net_and_on_the_map() {
        check("host 192.0.2.17 down", &[(DataClass::IpAddress, "192.0.2.17")]);
        check("host 2001:db8::17 down", &[(DataClass::IpAddress, "2001:db8::17")]);
        check("version 300.1.2.3", &[]);
        check("firmware 10.4.2.1", &[]);
        check(
            "15.84.31.236; 86.175.123.40",
            &[(DataClass::IpAddress, "15.84.31.236"), (DataClass::IpAddress, "86.175.123.40")],
        );
        check("at -26.2041, 28.0473", &[(DataClass::Coordinates, "-26.2041, 28.0473")]);
    }

    #[test]
    fn names_by_title_and_by_list() {
        check("Spoke to Dr Xolile Fictum today", &[(DataClass::PersonName, "Xolile Fictum")]);
        check("ask Thabo van der Probe about it", &[(DataClass::PersonName, "Thabo van der Probe")]);
        check("John Street 5, York", &[]);
        check("Acacia Works of York", &[]);
        check("born on 1980-01-01", &[(DataClass::DateOfBirth, "1980-01-01")]);
    }
}
