//! Telephone numbers, by the numbering plans of libphonenumber.
//!
//! What happens to a value follows from what its region's numbering plan says:
//!
//! | number | value | confidence and status |
//! | --- | --- | --- |
//! | *valid*: in a range that is given out | E.164 | 0.85, `unknown` |
//! | *possible*: right length, range not given out | E.164, counted as `phone.not_assigned` | 0.45, `risky` |
//! | *impossible*: no country, too short, too long | none; the raw form stays in the input with a reason | |
//!
//! Possible numbers are kept because ranges are given out faster than tables are updated, and because two rows with the same
//! number still speak of the same line.

use std::borrow::Cow;

use arrow::array::{Array, StringArray};
use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region,
    ValidationError,
};

use crate::{
    blank::{compatibility_form, is_blank, trim_blank},
    country::parse_country,
    kernel::{FieldRule, Outcome, RuleCounts},
    numbering_plan::read_plain,
    placeholder::{is_placeholder, no_value},
};

/// Longest value that is looked at, in bytes; no cell of telephone numbers is longer.
const LONGEST_VALUE: usize = 1_000;

/// Fewest digits of a number that stands alone in a cell with several.
const FEWEST_DIGITS: usize = 6;

/// The kind of line a number belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineType {
    /// Fixed line.
    Fixed,
    /// Mobile telephone.
    Mobile,
    /// Fixed line or mobile telephone, where the plan does not tell them apart.
    FixedOrMobile,
    /// Free for the caller.
    TollFree,
    /// Charged to the caller above the ordinary rate.
    PremiumRate,
    /// Charged to caller and callee.
    SharedCost,
    /// Telephony over the internet.
    Voip,
    /// A person's number wherever the person is.
    PersonalNumber,
    /// Pager.
    Pager,
    /// One number for all sites of a company.
    UniversalAccess,
    /// Voice mail.
    Voicemail,
    /// Not in a range that is given out.
    Unknown,
}

impl LineType {
    /// Returns the name in reports, such as `fixed_or_mobile`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Mobile => "mobile",
            Self::FixedOrMobile => "fixed_or_mobile",
            Self::TollFree => "toll_free",
            Self::PremiumRate => "premium_rate",
            Self::SharedCost => "shared_cost",
            Self::Voip => "voip",
            Self::PersonalNumber => "personal_number",
            Self::Pager => "pager",
            Self::UniversalAccess => "universal_access",
            Self::Voicemail => "voicemail",
            Self::Unknown => "unknown",
        }
    }
}

impl From<PhoneNumberType> for LineType {
    fn from(kind: PhoneNumberType) -> Self {
        match kind {
            PhoneNumberType::FixedLine => Self::Fixed,
            PhoneNumberType::Mobile => Self::Mobile,
            PhoneNumberType::FixedLineOrMobile => Self::FixedOrMobile,
            PhoneNumberType::TollFree => Self::TollFree,
            PhoneNumberType::PremiumRate => Self::PremiumRate,
            PhoneNumberType::SharedCost => Self::SharedCost,
            PhoneNumberType::VoIP => Self::Voip,
            PhoneNumberType::PersonalNumber => Self::PersonalNumber,
            PhoneNumberType::Pager => Self::Pager,
            PhoneNumberType::UAN => Self::UniversalAccess,
            PhoneNumberType::VoiceMail => Self::Voicemail,
            PhoneNumberType::Unknown => Self::Unknown,
        }
    }
}

/// A telephone number in its canonical form, and what its numbering plan says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// The number in E.164: `+`, calling code, national number.
    pub e164: String,
    /// The extension, which E.164 has no place for.
    pub extension: Option<String>,
    /// ISO 3166-1 code of the region whose range the number is in; absent for numbers in no range and for global ones.
    pub region: Option<String>,
    /// The kind of line.
    pub line_type: LineType,
    /// Whether the number is in a range that is given out.
    pub is_valid: bool,
}

/// Reads a telephone number; `region` is the ISO 3166-1 two-letter code that national numbers are dialled in.
///
/// Of several numbers in the value the first is read; see [`split_phones`].
///
/// # Errors
/// The code of the reason, such as `phone.too_short`; `phone.empty` when the value means "no value".
pub fn parse_phone(value: &str, region: Option<&str>) -> Result<Phone, &'static str> {
    let region = region.and_then(|region| region.parse().ok());
    match read(value, region, &mut RuleCounts::default()) {
        Ok(found) => Ok(found.into_phone()),
        Err(Outcome::Failed(reason)) => Err(reason),
        Err(_) => Err("phone.empty"),
    }
}

/// Judges offline how far a number can be trusted: confidence from 0 to 1, and `risky` or `unknown`.
///
/// The figures are the predecessor's: 0.85 for a valid number, 0.45 for a possible one. It called valid numbers
/// `deliverable`; but only a call shows that, so they are `unknown` here. A value that is no number is
/// `undeliverable` at 0.1.
pub fn phone_verdict(phone: &Phone) -> (f64, &'static str) {
    if phone.is_valid { (0.85, "unknown") } else { (0.45, "risky") }
}

/// Splits a cell into its numbers, in order, without empty parts.
///
/// Numbers stand apart by line breaks, `;`, `,`, `|`, `&`, `/`, ` or `, ` and ` and their like, where both sides have at least six
/// digits: `011 123 4567/8` stays one value.
pub fn split_phones(value: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (position, length) in separators(value) {
        if position < start {
            continue;
        }
        let (part, rest) = (&value[start..position], &value[position + length..]);
        let next = separators(rest).next().map_or(rest, |(end, _)| &rest[..end]);
        let strong = value[position..].starts_with(['\n', '\r', ';', '|']);
        if count_digits(part) >= FEWEST_DIGITS
            && (count_digits(next) >= FEWEST_DIGITS || (strong && count_digits(rest) >= FEWEST_DIGITS))
        {
            parts.push(trim_blank(part));
            start = position + length;
        }
    }
    let last = trim_blank(&value[start..]);
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

/// Yields the places where a list of numbers could be cut: position and length.
fn separators(value: &str) -> impl Iterator<Item = (usize, usize)> {
    const WORDS: [&str; 6] = [" or ", " and ", " en ", " of ", " alt ", "  "];
    value.char_indices().filter_map(move |(position, character)| match character {
        '\n' | '\r' | ',' | '|' | '&' | '/' | '\\' => Some((position, 1)),
        // `;ext=` introduces an extension.
        ';' if !value[position..].starts_with(";ext=") => Some((position, 1)),
        ' ' => WORDS
            .iter()
            .find(|word| {
                value.as_bytes()[position..]
                    .get(..word.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
            })
            .map(|word| (position, word.len())),
        _ => None,
    })
}

fn count_digits(text: &str) -> usize {
    text.chars().filter(|character| character.is_numeric()).count()
}

/// The rule for telephone numbers: E.164.
///
/// Extensions, other numbers of the cell and words around the number are left out of the value and counted. Codes:
/// `phone.trim`, `phone.decimal_tail`, `phone.scientific_notation`, `phone.several`, `phone.label`, `phone.surrounding_text`,
/// `phone.extension`, `phone.letters`, `phone.separators`, `phone.country_code_added`, `phone.international_prefix`,
/// `phone.plus_restored`, `phone.plus_dropped`, and `phone.not_assigned` for numbers that are possible but not valid.
#[derive(Debug, Clone, Default)]
pub struct PhoneRule {
    region: Option<Region>,
    regions: Vec<Option<Region>>,
}

impl PhoneRule {
    /// Returns the rule for national numbers of a region, given as ISO 3166-1 two-letter code.
    ///
    /// Without a region, or with one the numbering plans do not know, only international numbers can be read.
    pub fn new(region: Option<&str>) -> Self {
        Self { region: region.and_then(|region| region.parse().ok()), regions: Vec::new() }
    }

    /// Takes the region of each row from a column of country names or codes; rows without one keep the rule's own.
    #[must_use]
    pub fn with_countries(mut self, countries: &StringArray) -> Self {
        let mut last: Option<(&str, Option<Region>)> = None;
        self.regions = (0..countries.len())
            .map(|row| {
                let value = if countries.is_null(row) { return self.region } else { countries.value(row) };
                if let Some((known, region)) = last
                    && known == value
                {
                    return region;
                }
                let region = parse_country(value).ok().and_then(|country| country.alpha2.parse().ok()).or(self.region);
                last = Some((value, region));
                region
            })
            .collect();
        self
    }
}

impl FieldRule for PhoneRule {
    fn apply(&self, row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        let region = self.regions.get(row).copied().unwrap_or(self.region);
        let found = match read(value, region, counts) {
            Ok(found) => found,
            Err(outcome) => return outcome,
        };
        if !found.valid {
            counts.add("phone.not_assigned");
        }
        if found.number.extension.is_some() {
            counts.add("phone.extension");
        }
        if found.place.is_some() {
            append_e164(&found.number, scratch);
        } else {
            scratch.push_str(&e164(&found.number));
        }
        if scratch == value { Outcome::Same } else { Outcome::Changed }
    }
}

/// A number that is at least possible.
struct Found {
    number: PhoneNumber,
    valid: bool,
    /// Region and kind of line, where the plan has told them already.
    place: Option<(Option<Region>, LineType)>,
}

impl Found {
    fn into_phone(self) -> Phone {
        let (region, line_type) = self.place.unwrap_or_else(|| {
            let region = PHONE_NUMBER_UTIL.get_region_for_number(&self.number);
            (region, PHONE_NUMBER_UTIL.get_number_type(&self.number).into())
        });
        Phone {
            e164: e164(&self.number).into_owned(),
            region: region.filter(|region| *region != Region::World).map(|region| region.to_string()),
            line_type,
            is_valid: self.valid,
            extension: self.number.extension,
        }
    }
}

fn e164(number: &PhoneNumber) -> Cow<'_, str> {
    PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::E164)
}

/// Appends a number without leading zeros in E.164.
fn append_e164(number: &PhoneNumber, into: &mut String) {
    let mut buffer = [0_u8; MOST_DIGITS];
    into.push('+');
    into.push_str(digits(u64::from(number.country_code.unsigned_abs()), &mut buffer));
    into.push_str(digits(number.national_number, &mut buffer));
}

/// Most digits of a number.
const MOST_DIGITS: usize = 20;

/// Writes a number in decimal digits.
fn digits(mut number: u64, buffer: &mut [u8; MOST_DIGITS]) -> &str {
    let mut start = buffer.len();
    loop {
        start -= 1;
        buffer[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return std::str::from_utf8(&buffer[start..]).unwrap_or_default();
        }
    }
}

/// Finds the number in a value.
fn read(value: &str, region: Option<Region>, counts: &mut RuleCounts) -> Result<Found, Outcome> {
    let text = clean(value, counts)?;
    let digits = count_digits(&text);
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'+');
    let first = judge(&text, region);
    // Another reading is tried only where the first one is not valid, and taken only when it is.
    let (found, code) = match first {
        Ok(found) if found.valid => (found, None),
        first => match other_readings(&text, digits, region) {
            Some((found, code)) => (found, Some(code)),
            None => (first.map_err(Outcome::Failed)?, None),
        },
    };
    if !found.valid {
        // Zeros that could be a prefix or part of the number would be read differently next time.
        let number = e164(&found.number);
        let again = judge(&number, region).map_err(Outcome::Failed)?;
        if e164(&again.number) != number {
            return Err(Outcome::Failed("phone.unclear"));
        }
    }
    if let Some(code) = code {
        counts.add(code);
    } else if !text.starts_with(['+', '\u{ff0b}']) {
        counts.add(prefix_code(&text, &found.number));
    }
    if text.bytes().any(|byte| byte.is_ascii_alphabetic()) && found.number.extension.is_none() {
        counts.add("phone.letters");
    } else if !plain {
        counts.add("phone.separators");
    }
    Ok(found)
}

/// Says how a number without `+` became international.
fn prefix_code(text: &str, number: &PhoneNumber) -> &'static str {
    let digits =
        || text.chars().filter_map(|character| character.to_digit(10)).filter_map(|digit| char::from_digit(digit, 10));
    let code = number.country_code.to_string();
    if digits().take(2).eq("00".chars()) || digits().take(3).eq("011".chars()) {
        "phone.international_prefix"
    } else if digits().take(code.len()).eq(code.chars()) && digits().count() > number.national_number.to_string().len()
    {
        "phone.plus_restored"
    } else {
        "phone.country_code_added"
    }
}

/// Reads a text as libphonenumber does, and says whether the number is possible and valid.
fn judge(text: &str, region: Option<Region>) -> Result<Found, &'static str> {
    let Some(plain) = read_plain(text, region) else { return judge_by_library(text, region) };
    let number = PhoneNumber {
        country_code: i32::from(plain.country_code),
        national_number: plain.national_number,
        ..PhoneNumber::default()
    };
    Ok(Found { number, valid: plain.line_type != LineType::Unknown, place: Some((plain.region, plain.line_type)) })
}

fn judge_by_library(text: &str, region: Option<Region>) -> Result<Found, &'static str> {
    let number = PHONE_NUMBER_UTIL.parse(text, region).map_err(|error| match error {
        ParseError::InvalidCountryCode if region.is_none() => "phone.no_region",
        ParseError::InvalidCountryCode => "phone.invalid_country_code",
        ParseError::NotANumber(_) => "phone.not_a_number",
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => "phone.too_short",
        ParseError::TooLongNsn => "phone.too_long",
    })?;
    match PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number) {
        Ok(NumberLengthType::IsPossible) => {
            let valid = PHONE_NUMBER_UTIL.is_valid_number(&number);
            Ok(Found { number, valid, place: None })
        }
        Ok(NumberLengthType::IsPossibleLocalOnly) => Err("phone.no_area_code"),
        Err(ValidationError::InvalidCountryCode) => Err("phone.invalid_country_code"),
        Err(ValidationError::TooShort) => Err("phone.too_short"),
        Err(ValidationError::TooLong) => Err("phone.too_long"),
        Err(_) => Err("phone.invalid_length"),
    }
}

/// Tries the usual slips: `00` where it is not the prefix, a lost `+`, a `+` before a national number.
fn other_readings(text: &str, digits: usize, region: Option<Region>) -> Option<(Found, &'static str)> {
    let valid = |text: &str, code| judge(text, region).ok().filter(|found| found.valid).map(|found| (found, code));
    if let Some(rest) = text.strip_prefix("00") {
        return valid(&format!("+{rest}"), "phone.international_prefix");
    }
    if let Some(rest) = text.strip_prefix('+') {
        let rest = rest.trim_start_matches(['+', ' ']);
        let doubled = rest.strip_prefix("00").and_then(|rest| valid(&format!("+{rest}"), "phone.international_prefix"));
        return doubled.or_else(|| if rest.starts_with('0') { valid(rest, "phone.plus_dropped") } else { None });
    }
    if digits >= 10 && !text.starts_with('0') { valid(&format!("+{text}"), "phone.plus_restored") } else { None }
}

/// Takes off what surrounds the number: blanks, labels, spreadsheet number forms, further numbers, words.
fn clean<'a>(value: &'a str, counts: &mut RuleCounts) -> Result<Cow<'a, str>, Outcome> {
    let trimmed = trim_blank(value);
    if is_placeholder(trimmed) || (!trimmed.is_empty() && trimmed.bytes().all(|byte| byte == b'0')) {
        return Err(no_value(trimmed, counts));
    }
    if trimmed.len() > LONGEST_VALUE {
        return Err(Outcome::Failed("phone.too_long"));
    }
    if trimmed.len() != value.len() {
        counts.add("phone.trim");
    }
    let is_plain = trimmed.len() <= 20
        && trimmed.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b' ' | b'(' | b')' | b'-'))
        && trimmed.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '('))
        && !trimmed.contains("  ");
    if is_plain {
        return Ok(Cow::Borrowed(trimmed));
    }
    let mut text = Cow::Borrowed(trimmed);
    if let Some(folded) = compatibility_form(&text) {
        text = Cow::Owned(folded);
    }
    if let Some(expanded) = spreadsheet_number(&text) {
        let (expanded, code) = expanded.map_err(Outcome::Failed)?;
        counts.add(code);
        return Ok(Cow::Owned(expanded));
    }
    if let [first, _, ..] = split_phones(&text)[..] {
        counts.add("phone.several");
        text = Cow::Owned(first.to_owned());
    }
    if let Some((number, _)) = text.rsplit_once('/').filter(|(number, tail)| {
        // `011 234 5678/9`: the next line of the same office.
        count_digits(number) >= 9 && (1..=4).contains(&tail.len()) && tail.bytes().all(|byte| byte.is_ascii_digit())
    }) {
        counts.add("phone.several");
        text = Cow::Owned(trim_blank(number).to_owned());
    }
    let unlabelled = strip_label(&text);
    if unlabelled.len() != text.len() {
        counts.add("phone.label");
        text = Cow::Owned(unlabelled.to_owned());
    }
    if text.contains('@') {
        return Err(Outcome::Failed("phone.is_email"));
    }
    let bare = strip_words(&text);
    if bare.len() != text.len() {
        counts.add("phone.surrounding_text");
        text = Cow::Owned(bare.to_owned());
    }
    Ok(text)
}

/// Undoes what a spreadsheet does to numbers: `27821234567.0`, `2.7821234567E10`.
fn spreadsheet_number(text: &str) -> Option<Result<(String, &'static str), &'static str>> {
    if let Some((whole, zeros)) = text.split_once(['.', ',']) {
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if all_digits(zeros)
            && zeros.len() <= 2
            && zeros.bytes().all(|byte| byte == b'0')
            && all_digits(whole.trim_start_matches('+'))
        {
            return Some(Ok((whole.to_owned(), "phone.decimal_tail")));
        }
    }
    let (mantissa, exponent) = text.split_once(['E', 'e'])?;
    let exponent: usize = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    if whole.len() != 1 || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) || exponent > 15 {
        return None;
    }
    // A mantissa shorter than the exponent has lost its last digits to rounding, or ended in zeros: nobody can tell.
    if fraction.len() < exponent.saturating_sub(1) || fraction.len() > exponent {
        return Some(Err("phone.rounded_number"));
    }
    Some(Ok((format!("{whole}{fraction:0<exponent$}"), "phone.scientific_notation")))
}

/// Takes off labels such as `Tel:` at the start and `(w)` at the end.
fn strip_label(text: &str) -> &str {
    const LABELS: &[&str] = &[
        "tel",
        "telephone",
        "telefoon",
        "telefon",
        "telefone",
        "phone",
        "ph",
        "cell",
        "cellphone",
        "cellular",
        "sel",
        "selfoon",
        "mobile",
        "mob",
        "fax",
        "faks",
        "office",
        "kantoor",
        "work",
        "werk",
        "home",
        "huis",
        "landline",
        "direct",
        "switchboard",
        "reception",
        "whatsapp",
        "number",
        "no",
        "nr",
        "t",
        "c",
        "m",
        "f",
        "w",
        "h",
        "o",
        "p",
        "d",
        "b",
        "bus",
        "business",
        "emergency",
        "main",
        "after hours",
        "int",
        "tel no",
        "cell no",
        "phone no",
        "telno",
        "cellno",
        "contact",
        "contact no",
        "call",
    ];
    let is_label = |word: &str| LABELS.iter().any(|label| label.eq_ignore_ascii_case(word));
    let mut text = text;
    loop {
        let before = text.len();
        if let Some(end) = text.find(|character: char| character.is_numeric() || matches!(character, '+' | '(')) {
            let word = text[..end].trim_matches(|character: char| {
                is_blank(character) || matches!(character, ':' | '.' | '-' | '#' | '=' | '/')
            });
            if end > 0 && (word.is_empty() || is_label(word)) {
                text = &text[end..];
            }
        }
        if let Some(rest) = text.strip_prefix('(')
            && let Some((word, rest)) = rest.split_once(')')
            && is_label(trim_blank(word))
        {
            text = rest.trim_start_matches(|character: char| is_blank(character) || matches!(character, ':' | '-'));
        }
        let end = text.trim_end_matches(|character: char| {
            is_blank(character) || matches!(character, ')' | ']' | '.' | ',' | ';' | ':' | '-' | '/')
        });
        if let Some(start) = end.rfind([' ', '(', '[', '-'])
            && is_label(&end[start + 1..])
        {
            text = text[..start].trim_end_matches(|character: char| is_blank(character) || character == '(');
        }
        if text.len() == before {
            return trim_blank(text);
        }
    }
}

/// Cuts words off that follow or precede a whole number, so that they are not read as letters on a keypad.
fn strip_words(text: &str) -> &str {
    let mut text = text;
    if let Some(start) = text.find(|character: char| character.is_numeric() || matches!(character, '+' | '('))
        && start > 0
        && count_digits(&text[start..]) >= FEWEST_DIGITS
        && text[..start].chars().any(char::is_alphabetic)
    {
        text = &text[start..];
    }
    let Some(letters) = text.find(char::is_alphabetic) else { return text };
    let (number, words) = text.split_at(letters);
    let word = words.split(|character: char| !character.is_alphabetic()).next().unwrap_or_default();
    let extension = ["x", "ext", "extn", "extension", "xtn", "int", "anexo", "uitbr", "uitb"]
        .iter()
        .any(|mark| mark.eq_ignore_ascii_case(word));
    if extension || count_digits(number) < 7 || number.ends_with(';') {
        return text;
    }
    number.trim_end_matches(|character: char| {
        is_blank(character) || matches!(character, '(' | '-' | '[' | ',' | '.' | ':' | '#')
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn apply(value: &str, region: &str) -> (Outcome, String, Vec<String>) {
        let (mut scratch, mut counts) = (String::new(), RuleCounts::default());
        let outcome = PhoneRule::new(Some(region)).apply(0, value, &mut scratch, &mut counts);
        (outcome, scratch, counts.iter().map(|(code, _)| code.to_owned()).collect())
    }

    #[test]
    fn numbers_are_read_in_every_dress() {
        let check = |input: &str, expected: &str| {
            assert_eq!(parse_phone(input, Some("ZA")).map(|phone| phone.e164).as_deref(), Ok(expected), "{input}");
        };
        for input in [
            "+27821234567",
            "0821234567",
            "082 123 4567",
            "082-123-4567",
            "(082) 123 4567",
            "082.123.4567",
            "+27 82 123 4567",
            "+27 (0)82 123 4567",
            "+27 (82) 123-4567",
            "0027821234567",
            "00 27 82 123 4567",
            "27821234567",
            "27 82 123 4567",
            "821234567",
            "821234567.0",
            "27821234567.0",
            "2.7821234567E10",
            "2.7821234567e+10",
            " 0821234567 ",
            "\u{a0}0821234567",
            "tel:+27821234567",
            "Tel: 082 123 4567",
            "Cell 082 123 4567",
            "cell:0821234567",
            "082 123 4567 (w)",
            "(c) 082 123 4567",
            "082 123 4567 (Ann)",
            "0821234567 Ann",
            "Ann 0821234567",
            "082 123 4567 / 011 234 5678",
            "0821234567, 0112345678",
            "0821234567;0112345678",
            "0821234567 or 0112345678",
            "+0821234567",
            "+270821234567",
            "27 082 123 4567",
            "+27-82-1234567",
            "\u{ff10}\u{ff18}\u{ff12}1234567",
            "\u{660}\u{668}\u{662}1234567",
            "082\u{2013}123\u{2013}4567",
            "+0027821234567",
            "082 123 4567 ext 5",
        ] {
            check(input, "+27821234567");
        }
        check("0800 123 456", "+27800123456");
        check("0860 123 456", "+27860123456");
        check("+44 20 7946 0958", "+442079460958");
        check("00442079460958", "+442079460958");
        check("442079460958", "+442079460958");
        check("+1 (212) 555-2368", "+12125552368");
        check("+264 61 123 456", "+26461123456");
        check("0800 FLOWER", "+27800356937");
        check("011 234 5678/9", "+27112345678");
        // In no range that is given out, yet of the right length.
        check("+27998765432", "+27998765432");
    }

    #[test]
    fn what_is_no_number_says_why() {
        let check = |input: &str, region: Option<&str>, expected: &str| {
            assert_eq!(parse_phone(input, region), Err(expected), "{input}");
        };
        check("123", Some("ZA"), "phone.too_short");
        check("0821", Some("ZA"), "phone.too_short");
        check("08212345678901", Some("ZA"), "phone.too_long");
        check("call me", Some("ZA"), "phone.not_a_number");
        check("ann@acme.co.za", Some("ZA"), "phone.is_email");
        check("+999123456789", Some("ZA"), "phone.invalid_country_code");
        check("0821234567", None, "phone.no_region");
        check("2.78E+10", Some("ZA"), "phone.rounded_number");
        check("253 0000", Some("US"), "phone.no_area_code");
        for blank in ["", " ", "-", "n/a", "none", "0", "0000000000"] {
            check(blank, Some("ZA"), "phone.empty");
        }
    }

    #[test]
    fn changes_are_counted_by_step() {
        let check = |input: &str, expected: &[&str]| assert_eq!(apply(input, "ZA").2, expected, "{input}");
        check("+27821234567", &[]);
        check("+27 82 123 4567", &["phone.separators"]);
        check("0821234567", &["phone.country_code_added"]);
        check("27821234567", &["phone.plus_restored"]);
        check("0027821234567", &["phone.international_prefix"]);
        check("821234567.0", &["phone.country_code_added", "phone.decimal_tail"]);
        check("+27821234567 x12", &["phone.extension", "phone.separators"]);
        check("+27821234567;+27112345678", &["phone.several"]);
        check("Tel: +27821234567", &["phone.label"]);
        check("+27998765432", &["phone.not_assigned"]);
        assert_eq!(apply("+27821234567", "ZA").0, Outcome::Same);
        assert_eq!(apply("12", "ZA").0, Outcome::Failed("phone.too_short"));
    }

    #[test]
    fn the_plan_tells_kind_region_and_verdict() -> Result<(), &'static str> {
        let check = |input: &str, line_type: LineType, region: Option<&str>| -> Result<(), &'static str> {
            let phone = parse_phone(input, Some("ZA"))?;
            assert_eq!((phone.line_type, phone.region.as_deref()), (line_type, region), "{input}");
            Ok(())
        };
        check("0821234567", LineType::Mobile, Some("ZA"))?;
        check("0112345678", LineType::Fixed, Some("ZA"))?;
        check("0800123456", LineType::TollFree, Some("ZA"))?;
        check("0860123456", LineType::SharedCost, Some("ZA"))?;
        check("+12125552368", LineType::FixedOrMobile, Some("US"))?;
        check("+14165552368", LineType::FixedOrMobile, Some("CA"))?;
        check("+447400123456", LineType::Mobile, Some("GB"))?;
        check("+80012345678", LineType::TollFree, None)?;
        let valid = parse_phone("0821234567", Some("ZA"))?;
        let possible = parse_phone("+27998765432", None)?;
        assert!(valid.is_valid && !possible.is_valid);
        assert_eq!(phone_verdict(&valid), (0.85, "unknown"));
        assert_eq!(phone_verdict(&possible), (0.45, "risky"));
        Ok(())
    }

    #[test]
    fn extensions_are_kept_apart() -> Result<(), &'static str> {
        for input in [
            "011 234 5678 x12",
            "011 234 5678 ext. 12",
            "0112345678 ext12",
            "tel:+27112345678;ext=12",
            "+27 11 234 5678 extension 12",
        ] {
            let phone = parse_phone(input, Some("ZA"))?;
            assert_eq!((phone.e164.as_str(), phone.extension.as_deref()), ("+27112345678", Some("12")), "{input}");
        }
        Ok(())
    }

    #[test]
    fn cells_are_split_into_numbers() {
        let check = |input: &str, expected: &[&str]| assert_eq!(split_phones(input), expected, "{input}");
        check("0821234567", &["0821234567"]);
        check("082 123 4567 / 011 234 5678", &["082 123 4567", "011 234 5678"]);
        check("0821234567;0112345678\n0831234567", &["0821234567", "0112345678", "0831234567"]);
        check("0821234567, 0112345678", &["0821234567", "0112345678"]);
        check("0821234567 or 0112345678", &["0821234567", "0112345678"]);
        check("0821234567 & 0112345678", &["0821234567", "0112345678"]);
        check("011 234 5678/9", &["011 234 5678/9"]);
        check("tel:+27112345678;ext=12", &["tel:+27112345678;ext=12"]);
        check("", &[]);
        check(" \n ", &[]);
        check("Ann 0821234567\nBob 0831234567", &["Ann 0821234567", "Bob 0831234567"]);
    }

    #[test]
    fn regions_come_from_the_row_where_it_has_one() {
        let countries = StringArray::from(vec![Some("United Kingdom"), None, Some("US"), Some("nowhere")]);
        let rule = PhoneRule::new(Some("ZA")).with_countries(&countries);
        for (row, input, expected) in [
            (0, "020 7946 0958", "+442079460958"),
            (1, "0821234567", "+27821234567"),
            (2, "2125552368", "+12125552368"),
            (3, "0821234567", "+27821234567"),
            (9, "0821234567", "+27821234567"),
        ] {
            let mut scratch = String::new();
            rule.apply(row, input, &mut scratch, &mut RuleCounts::default());
            assert_eq!(scratch, expected, "{row}");
        }
    }

    /// Asserts that the plan, where it decides, says what the library says.
    fn agree(text: &str, region: Option<Region>) -> Result<(), TestCaseError> {
        let Some(plain) = read_plain(text, region) else { return Ok(()) };
        let library = judge_by_library(text, region);
        prop_assert!(library.is_ok(), "{text} {region:?}");
        let Ok(library) = library else { return Ok(()) };
        prop_assert_eq!(
            e164(&library.number),
            format!("+{}{}", plain.country_code, plain.national_number),
            "{} {:?}",
            text,
            region
        );
        prop_assert_eq!(library.valid, plain.line_type != LineType::Unknown, "{} {:?}", text, region);
        prop_assert_eq!(
            PHONE_NUMBER_UTIL.get_region_for_number(&library.number),
            plain.region,
            "{} {:?}",
            text,
            region
        );
        prop_assert_eq!(
            LineType::from(PHONE_NUMBER_UTIL.get_number_type(&library.number)),
            plain.line_type,
            "{} {:?}",
            text,
            region
        );
        Ok(())
    }

    #[test]
    fn the_plan_agrees_with_the_library_on_every_region() -> Result<(), TestCaseError> {
        for region in PHONE_NUMBER_UTIL.get_supported_regions() {
            for kind in [
                PhoneNumberType::FixedLine,
                PhoneNumberType::Mobile,
                PhoneNumberType::TollFree,
                PhoneNumberType::UAN,
                PhoneNumberType::VoIP,
            ] {
                let Ok(number) = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind) else {
                    continue;
                };
                for format in [PhoneNumberFormat::E164, PhoneNumberFormat::International, PhoneNumberFormat::National] {
                    let text = PHONE_NUMBER_UTIL.format(&number, format).into_owned();
                    agree(&text, Some(region))?;
                    agree(&text, None)?;
                    let plain = text.trim_start_matches('+');
                    agree(plain, Some(region))?;
                    agree(&format!("00{plain}"), Some(region))?;
                    // The neighbours of a range are where an edge would show.
                    for digit in '0'..='9' {
                        for place in 1..text.len().min(8) {
                            if text.is_char_boundary(place) && text.as_bytes()[place].is_ascii_digit() {
                                let mut other = text.clone();
                                other.replace_range(place..=place, digit.encode_utf8(&mut [0; 4]));
                                agree(&other, Some(region))?;
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn the_plan_agrees_with_the_library(text in "(\\+|00|0|27|\\+27|\\+2[0-9]{2}|\\+1|\\+44)?[0-9]{6,11}|[+0-9 ().-]{5,20}", region in "ZA|ZA|ZA|US|GB|NA|BW|MZ|DE|IT|AR|BR|KE|CA|GG") {
            agree(&text, region.parse().ok())?;
            agree(&text, None)?;
        }
    }

    proptest! {
        #[test]
        fn canonical_forms_stay_and_nothing_panics(text in "\\PC{0,30}|[+0-9 ()xXeE.,;/-]{0,24}|[a-z]{0,6}[ :.]?0[0-9]{9}( ?[a-z;,/]{1,4} ?[0-9]{0,10})?", region in "ZA|US|GB") {
            if let Ok(phone) = parse_phone(&text, Some(&region)) {
                let (outcome, scratch, _) = apply(&phone.e164, &region);
                prop_assert_eq!(outcome, Outcome::Same, "{} -> {}", phone.e164, scratch);
            }
            for part in split_phones(&text) {
                prop_assert!(!part.is_empty());
            }
        }
    }
}
