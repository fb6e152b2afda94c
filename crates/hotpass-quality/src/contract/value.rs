//! Text cells read as the type of their column and held against its constraints, as frictionless-py does it.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::LazyLock;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use regex::{Regex, RegexBuilder};

use super::check::Rule;
use super::model::{Field, Limit, LogicalType};
use super::number::Number;
use crate::patterns::rust_pattern;

/// Most bytes that a compiled pattern may take.
const PATTERN_BYTES: usize = 4 << 20;

/// Reads the cells of a column and checks them.
#[derive(Debug, Clone)]
pub(crate) struct FieldReader {
    kind: Kind,
    missing_values: Vec<String>,
    pattern: Option<Regex>,
    minimum: Option<(Ordinal, bool)>,
    maximum: Option<(Ordinal, bool)>,
    min_length: Option<u64>,
    max_length: Option<u64>,
    enumeration: Option<HashSet<Vec<u8>>>,
}

#[derive(Debug, Clone)]
enum Kind {
    Any,
    Text(TextForm),
    Integer { decorated: bool },
    Year,
    Number(NumberForm),
    Boolean { yes: Vec<String>, no: Vec<String> },
    Date(DateForm),
    Timestamp(DateForm),
    Time(DateForm),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextForm {
    Any,
    Email,
    Uri,
    Uuid,
    Binary,
    Phone,
}

#[derive(Debug, Clone)]
struct NumberForm {
    decorated: bool,
    decimal: char,
    group: Option<char>,
}

#[derive(Debug, Clone)]
enum DateForm {
    Iso,
    Lenient,
    Pattern(String),
    /// As ingest writes cells that are dates, else as the form says.
    Cells(Box<DateForm>),
}

/// A value with an order.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ordinal {
    Number(Number),
    /// Days, or microseconds.
    Moment(i64),
    /// Microseconds in UTC of a moment that names its zone; it has an order with one that does not, and never equals it.
    Zoned(i64),
}

impl Ordinal {
    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.compare(b),
            (Self::Number(_), _) | (_, Self::Number(_)) => None,
            (Self::Moment(a) | Self::Zoned(a), Self::Moment(b) | Self::Zoned(b)) => Some(a.cmp(b)),
        }
    }

    fn moment(micros: i64, text: &str) -> Self {
        if zone_of(text).is_some() { Self::Zoned(micros) } else { Self::Moment(micros) }
    }
}

/// What a cell was read as.
enum Cast<'a> {
    Text(&'a str),
    Boolean(bool),
    Ordinal(Ordinal),
}

impl FieldReader {
    /// Compiles the constraints of a column.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with them, as the rest of a sentence.
    pub(crate) fn new(field: &Field, missing_values: &[String]) -> Result<Self, String> {
        let kind = Kind::of(field)?;
        let mut reader = Self {
            kind,
            missing_values: missing_values.iter().filter(|value| !value.is_empty()).cloned().collect(),
            pattern: None,
            minimum: None,
            maximum: None,
            min_length: field.min_length,
            max_length: field.max_length,
            enumeration: None,
        };
        let name = field.logical_type.name();
        let is_text = field.logical_type == LogicalType::Text;
        if !is_text && (field.pattern.is_some() || field.min_length.is_some() || field.max_length.is_some()) {
            return Err(format!("a pattern or length holds for text, not for {name}"));
        }
        if !field.logical_type.is_ordered() && (field.minimum.is_some() || field.maximum.is_some()) {
            return Err(format!("a lowest or highest value holds for numbers and dates, not for {name}"));
        }
        if let (Some(min), Some(max)) = (field.min_length, field.max_length)
            && min > max
        {
            return Err(format!("at least {min} characters and at most {max}"));
        }
        reader.pattern = field.pattern.as_deref().map(whole_value).transpose()?;
        let form = match field.format.as_deref().filter(|format| !matches!(*format, "default" | "any")) {
            Some(form) => format!(" in the column's form `{form}`"),
            None => String::new(),
        };
        let limit = |which: &str, limit: &Option<Limit>| -> Result<Option<(Ordinal, bool)>, String> {
            let Some(limit) = limit else { return Ok(None) };
            match reader.kind.limit(&limit.value) {
                Some(value) => Ok(Some((value, limit.exclusive))),
                None => Err(format!("its {which} value `{}` is no {name}{form}", limit.value)),
            }
        };
        let (minimum, maximum) = (limit("lowest", &field.minimum)?, limit("highest", &field.maximum)?);
        if let (Some((min, _)), Some((max, _))) = (&minimum, &maximum)
            && min.compare(max) == Some(Ordering::Greater)
        {
            return Err("its lowest value is above its highest".to_owned());
        }
        if !field.enumeration.is_empty() {
            let mut allowed = HashSet::new();
            let mut scratch = Vec::new();
            for value in &field.enumeration {
                if !reader.key(value, &mut scratch) {
                    return Err(format!("its allowed value `{value}` is no {name}{form}"));
                }
                allowed.insert(scratch.clone());
            }
            reader.enumeration = Some(allowed);
        }
        (reader.minimum, reader.maximum) = (minimum, maximum);
        Ok(reader)
    }

    /// Returns whether a text means "no value".
    #[inline]
    pub(crate) fn is_missing(&self, value: &str) -> bool {
        value.is_empty()
            || !self.missing_values.is_empty() && self.missing_values.iter().any(|missing| missing == value)
    }

    /// Returns whether some texts mean "no value".
    pub(crate) fn has_missing_words(&self) -> bool {
        !self.missing_values.is_empty()
    }

    /// Returns whether every text is allowed, so that only missing values need a look.
    pub(crate) fn takes_anything(&self) -> bool {
        matches!(self.kind, Kind::Any | Kind::Text(TextForm::Any))
            && self.pattern.is_none()
            && self.min_length.is_none()
            && self.max_length.is_none()
            && self.enumeration.is_none()
    }

    /// Tells each rule that a value breaks; a value of the wrong type breaks no other rule.
    #[inline]
    pub(crate) fn check(&self, value: &str, scratch: &mut Vec<u8>, broken: &mut dyn FnMut(Rule)) {
        let Some(cast) = self.kind.read(value) else {
            broken(Rule::Type);
            return;
        };
        if self.min_length.is_some() || self.max_length.is_some() {
            let length = if value.is_ascii() { value.len() } else { value.chars().count() } as u64;
            if self.min_length.is_some_and(|min| length < min) {
                broken(Rule::MinLength);
            }
            if self.max_length.is_some_and(|max| length > max) {
                broken(Rule::MaxLength);
            }
        }
        if let Some(pattern) = &self.pattern
            && !pattern.is_match(value)
        {
            broken(Rule::Pattern);
        }
        if let Cast::Ordinal(number) = &cast {
            if let Some((limit, exclusive)) = &self.minimum {
                let holds = match number.compare(limit) {
                    Some(Ordering::Greater) => true,
                    Some(Ordering::Equal) => !exclusive,
                    _ => false,
                };
                if !holds {
                    broken(Rule::Minimum);
                }
            }
            if let Some((limit, exclusive)) = &self.maximum {
                let holds = match number.compare(limit) {
                    Some(Ordering::Less) => true,
                    Some(Ordering::Equal) => !exclusive,
                    _ => false,
                };
                if !holds {
                    broken(Rule::Maximum);
                }
            }
        }
        if let Some(allowed) = &self.enumeration {
            cast.key(scratch);
            if !allowed.contains(scratch.as_slice()) {
                broken(Rule::Enumeration);
            }
        }
    }

    /// Writes bytes that are equal for equal values; false when the value is not of the column's type.
    #[inline]
    pub(crate) fn key(&self, value: &str, bytes: &mut Vec<u8>) -> bool {
        match self.kind.read(value) {
            Some(cast) => {
                cast.key(bytes);
                true
            }
            None => false,
        }
    }

    /// Compares two limits, each written as its column's values are; nothing when they have no common order.
    pub(crate) fn compare(&self, value: &str, other: &Self, other_value: &str) -> Option<Ordering> {
        match (self.kind.read(value)?, other.kind.read(other_value)?) {
            (Cast::Ordinal(a), Cast::Ordinal(b)) => a.compare(&b),
            _ => None,
        }
    }

    /// Returns the days from 1970-01-01 of a date or timestamp.
    pub(crate) fn day(&self, value: &str) -> Option<i64> {
        match (&self.kind, self.kind.read(value)?) {
            (Kind::Date(_), Cast::Ordinal(Ordinal::Moment(day))) => Some(day),
            (Kind::Timestamp(_), Cast::Ordinal(Ordinal::Moment(micros) | Ordinal::Zoned(micros))) => {
                Some(micros.div_euclid(86_400_000_000))
            }
            _ => None,
        }
    }

    /// Returns whether a column of this Arrow type can hold the contract's type at all; text always can.
    pub(crate) fn accepts(&self, native: Native) -> bool {
        match native {
            Native::Text => true,
            Native::Boolean => matches!(self.kind, Kind::Any | Kind::Boolean { .. }),
            Native::Number => matches!(self.kind, Kind::Any | Kind::Integer { .. } | Kind::Year | Kind::Number(_)),
            Native::Moment => {
                matches!(self.kind, Kind::Any | Kind::Date(_) | Kind::Timestamp(_) | Kind::Time(_))
            }
            Native::Other => matches!(self.kind, Kind::Any),
        }
    }

    /// Makes the reader of a column whose text was written from cells that are dates.
    pub(crate) fn for_dates(mut self) -> Self {
        self.kind = match self.kind {
            Kind::Date(form) => Kind::Date(DateForm::Cells(Box::new(form))),
            Kind::Timestamp(form) => Kind::Timestamp(DateForm::Cells(Box::new(form))),
            kind => kind,
        };
        self
    }

    /// Makes the reader of a typed column: Arrow writes its values in one form, whatever form the contract gives text.
    pub(crate) fn for_native(mut self, native: Native) -> Self {
        if native != Native::Text {
            self.kind = match self.kind {
                Kind::Number(_) | Kind::Integer { .. } if native == Native::Number => match self.kind {
                    Kind::Integer { .. } => Kind::Integer { decorated: false },
                    _ => Kind::Number(NumberForm { decorated: false, decimal: '.', group: None }),
                },
                Kind::Boolean { .. } => Kind::Boolean { yes: vec!["true".to_owned()], no: vec!["false".to_owned()] },
                Kind::Date(_) => Kind::Date(DateForm::Iso),
                Kind::Timestamp(_) => Kind::Timestamp(DateForm::Iso),
                Kind::Time(_) => Kind::Time(DateForm::Iso),
                kind => kind,
            };
        }
        self
    }
}

impl Kind {
    fn of(field: &Field) -> Result<Self, String> {
        let format = field.format.as_deref().filter(|format| *format != "default");
        Ok(match field.logical_type {
            LogicalType::Any => Self::Any,
            LogicalType::Text => Self::Text(match format {
                None => TextForm::Any,
                Some("email") => TextForm::Email,
                Some("uri") => TextForm::Uri,
                Some("uuid") => TextForm::Uuid,
                Some("binary") => TextForm::Binary,
                Some("phone") => TextForm::Phone,
                Some(other) => {
                    let near = hotpass_core::nearest(other, ["email", "uri", "uuid", "binary", "phone"]);
                    let hint = near.map(|near| format!(", nearest is `{near}`")).unwrap_or_default();
                    return Err(format!("unknown form of text `{other}`{hint}"));
                }
            }),
            LogicalType::Integer if format == Some("year") => Self::Year,
            LogicalType::Integer => Self::Integer { decorated: field.decorated },
            LogicalType::Number => Self::Number(NumberForm {
                decorated: field.decorated,
                decimal: one_character(field.decimal_char.as_deref(), "decimal sign")?.unwrap_or('.'),
                group: one_character(field.group_char.as_deref(), "group sign")?,
            }),
            LogicalType::Boolean => {
                let words = |given: &[String], default: &[&str]| -> Vec<String> {
                    if given.is_empty() { default.iter().map(ToString::to_string).collect() } else { given.to_vec() }
                };
                Self::Boolean {
                    yes: words(&field.true_values, &["true", "True", "TRUE", "1"]),
                    no: words(&field.false_values, &["false", "False", "FALSE", "0"]),
                }
            }
            LogicalType::Date => Self::Date(DateForm::of(format)?),
            LogicalType::Timestamp => Self::Timestamp(DateForm::of(format)?),
            LogicalType::Time => Self::Time(DateForm::of(format)?),
        })
    }

    /// Reads a limit: a value of the column; for whole numbers any number.
    fn limit(&self, value: &str) -> Option<Ordinal> {
        match self.read(value) {
            Some(Cast::Ordinal(ordinal)) => Some(ordinal),
            None if matches!(self, Self::Integer { .. } | Self::Year) => {
                Number::decimal(value.trim()).map(Ordinal::Number)
            }
            _ => None,
        }
    }

    #[inline]
    fn read<'a>(&self, value: &'a str) -> Option<Cast<'a>> {
        match self {
            Self::Any | Self::Text(TextForm::Any) => Some(Cast::Text(value)),
            Self::Text(form) => form.matches(value).then_some(Cast::Text(value)),
            Self::Integer { decorated } => {
                let text = value.trim();
                let text = if *decorated { undecorated(text) } else { text };
                Number::integer(text).map(|number| Cast::Ordinal(Ordinal::Number(number)))
            }
            Self::Year => (value.len() == 4 && value.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| Number::integer(value))
                .flatten()
                .map(|number| Cast::Ordinal(Ordinal::Number(number))),
            Self::Number(form) => form.read(value.trim()).map(|number| Cast::Ordinal(Ordinal::Number(number))),
            Self::Boolean { yes, no } => {
                if yes.iter().any(|word| word == value) {
                    Some(Cast::Boolean(true))
                } else if no.iter().any(|word| word == value) {
                    Some(Cast::Boolean(false))
                } else {
                    None
                }
            }
            Self::Date(form) => form.date(value).map(|date| Cast::Ordinal(Ordinal::Moment(days(date)))),
            Self::Timestamp(form) => form.timestamp(value).map(|micros| Cast::Ordinal(Ordinal::moment(micros, value))),
            Self::Time(form) => form.time(value).map(|micros| Cast::Ordinal(Ordinal::moment(micros, value))),
        }
    }
}

impl Cast<'_> {
    fn key(&self, bytes: &mut Vec<u8>) {
        bytes.clear();
        match self {
            Self::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            Self::Boolean(value) => bytes.push(u8::from(*value)),
            Self::Ordinal(Ordinal::Number(number)) => bytes.extend_from_slice(&number.key()),
            Self::Ordinal(Ordinal::Moment(moment)) => bytes.extend_from_slice(&moment.to_le_bytes()),
            Self::Ordinal(Ordinal::Zoned(moment)) => {
                bytes.extend_from_slice(&moment.to_le_bytes());
                bytes.push(b'z');
            }
        }
    }
}

impl NumberForm {
    fn read(&self, text: &str) -> Option<Number> {
        if !self.decorated && self.decimal == '.' && self.group.is_none() {
            return Number::decimal(text);
        }
        let text = if self.decorated { undecorated(text) } else { text };
        let mut plain = String::with_capacity(text.len());
        for c in text.chars().filter(|c| Some(*c) != self.group) {
            match c {
                '.' if self.decimal != '.' => return None,
                c if c == self.decimal => plain.push('.'),
                c => plain.push(c),
            }
        }
        Number::decimal(&plain)
    }
}

/// Strips what stands before the first digit or minus sign and after the last digit.
fn undecorated(text: &str) -> &str {
    let text = text.trim_start_matches(|c: char| c != '-' && !c.is_ascii_digit());
    text.trim_end_matches(|c: char| !c.is_ascii_digit())
}

fn one_character(text: Option<&str>, what: &str) -> Result<Option<char>, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(only), None) => Ok(Some(only)),
        _ => Err(format!("its {what} is more than one character")),
    }
}

/// Compiles a pattern that the whole value must match.
pub(crate) fn whole_value(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(&format!("^(?:{})$", rust_pattern(pattern)))
        .size_limit(PATTERN_BYTES)
        .build()
        .map_err(|_| "its pattern is no regular expression without look-around and back-references".to_owned())
}

#[expect(clippy::unwrap_used, reason = "the expressions are constants that the tests compile")]
fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

/// Part of an e-mail address before the sign, after the rule of the `validators` package that frictionless-py uses.
static MAILBOX: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r#"(?i)^(?:[\x{100}-\x{17F}\x{180}-\x{24F}\x{A0}-\x{FF}]|[\x{100}-\x{17F}\x{180}-\x{24F}\x{A0}-\x{FF}0-9a-z!\#$%&'*+/=?^_`{}|~\-]+(?:\.[\x{100}-\x{17F}\x{180}-\x{24F}\x{A0}-\x{FF}0-9a-z!\#$%&'*+/=?^_`{}|~\-]+)*$|"(?:[\x{100}-\x{17F}\x{180}-\x{24F}\x{A0}-\x{FF}\x01-\x08\x0B\x0C\x0E-\x1F!\#-\[\]-\x7F]|\\[\x09.])*"$)"#,
    )
});

/// Host of an e-mail address, after the same rule.
static HOST: LazyLock<Regex> = LazyLock::new(|| {
    constant(r"(?i)^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+[\p{L}\p{N}][\p{L}\p{N}-]{0,61}\p{L}$")
});

static PHONE: LazyLock<Regex> = LazyLock::new(|| constant(r"^\+?[0-9](?:[0-9]|[ ().\-/][ ().\-/]?[0-9(])*$"));

impl TextForm {
    fn matches(self, value: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Email => is_email(value),
            Self::Uri => has_scheme(value),
            Self::Uuid => is_uuid(value),
            Self::Binary => is_base64(value),
            Self::Phone => is_phone(value),
        }
    }
}

/// Returns whether a text has the form of an e-mail address.
pub(crate) fn is_email(value: &str) -> bool {
    let Some((mailbox, host)) = value.rsplit_once('@') else { return false };
    !mailbox.contains('@')
        && mailbox.chars().count() <= 64
        && host.chars().count() <= 253
        && HOST.is_match(host)
        && MAILBOX.is_match(mailbox)
}

/// Returns whether a text has the form of a telephone number: 6 to 15 digits with the usual signs between them.
pub(crate) fn is_phone(value: &str) -> bool {
    let value = value.strip_prefix('(').unwrap_or(value);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    (6..=15).contains(&digits) && PHONE.is_match(value)
}

fn has_scheme(value: &str) -> bool {
    let Some((scheme, _)) = value.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
}

pub(crate) fn is_uuid(value: &str) -> bool {
    let bare = value.replace("urn:", "").replace("uuid:", "");
    let bare = bare.trim_matches(['{', '}']);
    bare.bytes().filter(|byte| *byte != b'-').count() == 32
        && bare.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn is_base64(value: &str) -> bool {
    if !value.is_ascii() {
        return false;
    }
    let digits = value.bytes().filter(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte)).count();
    let padding = value.bytes().filter(|byte| *byte == b'=').count();
    match digits % 4 {
        0 => true,
        1 => false,
        rest => padding >= 4 - rest,
    }
}

impl DateForm {
    fn of(format: Option<&str>) -> Result<Self, String> {
        match format {
            None => Ok(Self::Iso),
            Some("any") => Ok(Self::Lenient),
            Some(pattern) => {
                let known =
                    pattern.contains('%') && StrftimeItems::new(pattern).all(|item| !matches!(item, Item::Error));
                if known {
                    Ok(Self::Pattern(pattern.to_owned()))
                } else {
                    Err(format!("its form `{pattern}` is no pattern such as `%d/%m/%Y`"))
                }
            }
        }
    }

    fn date(&self, value: &str) -> Option<NaiveDate> {
        match self {
            Self::Iso => iso_date(value),
            Self::Lenient => {
                lenient_date(value.trim()).or_else(|| lenient_timestamp(value.trim()).map(|moment| moment.date()))
            }
            Self::Cells(form) => iso_date(value).or_else(|| form.date(value)),
            Self::Pattern(pattern) => NaiveDate::parse_from_str(value, pattern)
                .or_else(|_| NaiveDateTime::parse_from_str(value, pattern).map(|moment| moment.date()))
                .ok(),
        }
    }

    fn timestamp(&self, value: &str) -> Option<i64> {
        match self {
            Self::Iso => iso_timestamp(value),
            Self::Lenient => {
                let value = value.trim();
                let (local, offset) = zone_of(value).unwrap_or((value, 0));
                iso_timestamp(value)
                    .or_else(|| lenient_timestamp(local).map(|moment| micros(moment) - offset))
                    .or_else(|| lenient_date(value)?.and_hms_opt(0, 0, 0).map(micros))
            }
            Self::Cells(form) => iso_timestamp(value)
                .or_else(|| Some(days(iso_date(value)?) * 86_400_000_000))
                .or_else(|| form.timestamp(value)),
            Self::Pattern(pattern) => NaiveDateTime::parse_from_str(value, pattern)
                .ok()
                .filter(no_leap_second)
                .map(micros)
                .or_else(|| DateTime::parse_from_str(value, pattern).ok().map(|moment| moment.timestamp_micros()))
                .or_else(|| NaiveDate::parse_from_str(value, pattern).ok()?.and_hms_opt(0, 0, 0).map(micros)),
        }
    }

    fn time(&self, value: &str) -> Option<i64> {
        let of_day = |time: NaiveTime| {
            i64::from(time.num_seconds_from_midnight()) * 1_000_000 + i64::from(time.nanosecond()) / 1000
        };
        match self {
            Self::Iso => {
                (value.is_ascii() && value.len() >= 8 && value.as_bytes()[5] == b':').then(|| iso_time(value)).flatten()
            }
            Self::Lenient => {
                let value = value.trim();
                let (local, offset) = zone_of(value).unwrap_or((value, 0));
                ["%H:%M:%S%.f", "%H:%M", "%I:%M %p", "%I:%M:%S %p"]
                    .iter()
                    .find_map(|pattern| NaiveTime::parse_from_str(local, pattern).ok())
                    .filter(no_leap_second)
                    .map(|time| of_day(time) - offset)
            }
            Self::Cells(form) => form.time(value),
            Self::Pattern(pattern) => NaiveTime::parse_from_str(value, pattern).ok().filter(no_leap_second).map(of_day),
        }
    }
}

/// Four digits, one or two, one or two: what `%Y-%m-%d` takes.
fn iso_date(value: &str) -> Option<NaiveDate> {
    let mut parts = value.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let number = |text: &str, least: usize, most: usize| -> Option<u32> {
        let fits = (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if fits { text.parse().ok() } else { None }
    };
    if parts.next().is_some() {
        return None;
    }
    let year = number(year, 4, 4).filter(|year| *year > 0)?;
    NaiveDate::from_ymd_opt(year as i32, number(month, 1, 2)?, number(day, 1, 2)?)
}

/// A date, one sign, and a time with seconds, fractions and zone.
fn iso_timestamp(value: &str) -> Option<i64> {
    if !value.is_ascii() || value.len() < 19 || value.as_bytes()[16] != b':' {
        return None;
    }
    let date = value.get(..10).filter(|date| date.as_bytes()[4] == b'-' && date.as_bytes()[7] == b'-')?;
    let date = iso_date(date)?;
    Some(days(date) * 86_400_000_000 + iso_time(value.get(11..)?)?)
}

/// Returns the microseconds of a time of day, in UTC where it names a zone.
fn iso_time(text: &str) -> Option<i64> {
    let (time, zone) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (whole, fraction) = match time.find(['.', ',']) {
        Some(at) => (&time[..at], Some(&time[at + 1..])),
        None => (time, None),
    };
    let pair = |text: &str| -> Option<i64> {
        (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
    };
    let mut parts = whole.split(':');
    let (hours, minutes, seconds) = (pair(parts.next()?)?, pair(parts.next()?)?, pair(parts.next()?)?);
    if parts.next().is_some() {
        return None;
    }
    let micros = match fraction {
        None => 0,
        Some(digits) => {
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            format!("{digits:0<6}")[..6].parse().ok()?
        }
    };
    let last = hours == 24 && minutes == 0 && seconds == 0 && micros == 0;
    if !(last || hours < 24 && minutes < 60 && seconds < 60) {
        return None;
    }
    let offset = match zone {
        "" | "Z" | "z" => 0,
        zone => {
            let (negative, digits) = (zone.starts_with('-'), zone[1..].replace(':', ""));
            let minutes = match digits.len() {
                2 => pair(&digits)? * 60,
                4 => pair(&digits[..2])? * 60 + pair(&digits[2..])?,
                _ => return None,
            };
            if negative { -minutes } else { minutes }
        }
    };
    Some(((hours * 60 + minutes - offset) * 60 + seconds) * 1_000_000 + micros)
}

fn lenient_date(value: &str) -> Option<NaiveDate> {
    [
        "%Y-%m-%d",
        "%Y/%m/%d",
        "%Y%m%d",
        "%m/%d/%Y",
        "%d/%m/%Y",
        "%d-%m-%Y",
        "%d.%m.%Y",
        "%d %B %Y",
        "%d %b %Y",
        "%B %d, %Y",
        "%b %d, %Y",
        "%d-%b-%Y",
    ]
    .iter()
    .find_map(|pattern| NaiveDate::parse_from_str(value, pattern).ok())
}

fn lenient_timestamp(value: &str) -> Option<NaiveDateTime> {
    [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
        "%Y/%m/%d %H:%M:%S",
        "%Y/%m/%d %H:%M",
        "%m/%d/%Y %H:%M:%S",
        "%m/%d/%Y %H:%M",
        "%d/%m/%Y %H:%M:%S",
        "%d/%m/%Y %H:%M",
    ]
    .iter()
    .find_map(|pattern| NaiveDateTime::parse_from_str(value, pattern).ok())
    .filter(no_leap_second)
}

/// Python's times have none.
fn no_leap_second(time: &impl Timelike) -> bool {
    time.nanosecond() < 1_000_000_000
}

/// A time of day with a zone after it.
static ZONED: LazyLock<Regex> =
    LazyLock::new(|| constant(r"^(.*[0-9]:[0-9]{2}(?:[.,][0-9]+)?) ?(?:[Zz]|([+-])([0-9]{1,2})(?::?([0-9]{2}))?)$"));

/// Splits a text into the time that it writes and the offset from UTC that it names, in microseconds; nothing where it names none.
fn zone_of(text: &str) -> Option<(&str, i64)> {
    if !text.ends_with(['Z', 'z']) && !text.get(6..).is_some_and(|rest| rest.contains(['+', '-'])) {
        return None;
    }
    let found = ZONED.captures(text)?;
    let number = |at: usize| found.get(at).and_then(|digits| digits.as_str().parse::<i64>().ok()).unwrap_or(0);
    let minutes = number(3) * 60 + number(4);
    let sign = if found.get(2).is_some_and(|sign| sign.as_str() == "-") { -1 } else { 1 };
    Some((found.get(1)?.as_str(), sign * minutes * 60_000_000))
}

/// Returns the days from 1970-01-01.
pub(crate) fn days(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days()
}

fn micros(moment: NaiveDateTime) -> i64 {
    moment.and_utc().timestamp_micros()
}

/// What a column holds, by its Arrow type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Native {
    /// Text, as ingest gives it.
    Text,
    /// Booleans.
    Boolean,
    /// Whole or decimal numbers.
    Number,
    /// Dates, timestamps, times.
    Moment,
    /// Lists, structs, bytes.
    Other,
}

impl Native {
    pub(crate) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => Self::Text,
            DataType::Dictionary(_, values) => Self::of(values),
            DataType::Boolean => Self::Boolean,
            DataType::Date32
            | DataType::Date64
            | DataType::Timestamp(_, _)
            | DataType::Time32(_)
            | DataType::Time64(_) => Self::Moment,
            data_type if data_type.is_numeric() => Self::Number,
            _ => Self::Other,
        }
    }
}

/// A column as text.
#[derive(Debug)]
pub(crate) struct Texts {
    array: StringArray,
    whole: bool,
}

impl Texts {
    /// Reads a column as text, without copying one that is text.
    ///
    /// # Errors
    ///
    /// Returns an error when Arrow cannot write the type as text.
    pub(crate) fn new(array: &ArrayRef) -> Result<Self, ArrowError> {
        if let Some(text) = array.as_string_opt::<i32>() {
            return Ok(Self { array: text.clone(), whole: false });
        }
        let whole = matches!(
            array.data_type(),
            DataType::Float16
                | DataType::Float32
                | DataType::Float64
                | DataType::Decimal128(_, _)
                | DataType::Decimal256(_, _)
        );
        let text = cast(array, &DataType::Utf8)?;
        Ok(Self { array: text.as_string::<i32>().clone(), whole })
    }

    /// Returns the value of a row; of decimal columns without a fraction of zero.
    #[inline]
    pub(crate) fn value(&self, row: usize) -> Option<&str> {
        if self.array.is_null(row) {
            return None;
        }
        let value = self.array.value(row);
        if self.whole
            && let Some((whole, fraction)) = value.split_once('.')
            && fraction.bytes().all(|byte| byte == b'0')
        {
            return Some(whole);
        }
        Some(value)
    }

    pub(crate) fn null_count(&self) -> usize {
        self.array.null_count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(field: &Field, value: &str) -> Vec<Rule> {
        let reader = FieldReader::new(field, &[]).expect("a field that can be kept");
        let mut rules = Vec::new();
        reader.check(value, &mut Vec::new(), &mut |rule| rules.push(rule));
        rules
    }

    fn check(logical_type: LogicalType, format: Option<&str>, good: &[&str], bad: &[&str]) {
        let field = Field { format: format.map(str::to_owned), ..Field::new("x", logical_type) };
        for value in good {
            assert_eq!(broken(&field, value), [], "{value} as {format:?}");
        }
        for value in bad {
            assert_eq!(broken(&field, value), [Rule::Type], "{value} as {format:?}");
        }
    }

    #[test]
    fn types_take_what_frictionless_takes() {
        check(LogicalType::Integer, None, &["1", " -7 ", "+0", "1_000", "007"], &["1.0", "1,0", "x", "1e3", "--1"]);
        check(LogicalType::Integer, Some("year"), &["2024", "0024"], &["24", "02024", "-204", "20 4"]);
        check(
            LogicalType::Number,
            None,
            &["1", "1.50", ".5", "5.", "1e3", "-1E-3", "inf", " 2 "],
            &["1,5", "R 5", "1 000"],
        );
        check(LogicalType::Boolean, None, &["true", "True", "TRUE", "1", "false", "0"], &["yes", "tRUE", " true", "2"]);
        check(
            LogicalType::Date,
            None,
            &["2025-01-31", "2025-1-5"],
            &["2025-02-30", "31/01/2025", "25-01-31", "2025-01-31T00:00:00", "2025-001-1"],
        );
        check(
            LogicalType::Timestamp,
            None,
            &[
                "2025-01-31T10:00:00",
                "2025-01-31 10:00:00.5",
                "2025-01-31T10:00:00Z",
                "2025-01-31T10:00:00+02:00",
                "2025-01-31T24:00:00",
            ],
            &["2025-01-31", "2025-01-31T10:00", "2025-01-31T25:00:00", "2025-01-31T10:00:00+2"],
        );
        check(LogicalType::Time, None, &["10:00:00", "10:00:00.25", "10:00:00Z"], &["10:00", "24:00:01", "x"]);
        check(LogicalType::Date, Some("%d/%m/%Y"), &["31/01/2025", "1/2/2025"], &["2025-01-31", "31/13/2025"]);
        check(LogicalType::Date, Some("any"), &["31 January 2025", "2025-01-31", "01/31/2025"], &["soon"]);
        check(
            LogicalType::Text,
            Some("email"),
            &["a@b.co", "a.b+c@d-e.example"],
            &["a@b", "a b@c.de", "a@b@c.de", "@b.co", "a@-b.co"],
        );
        check(LogicalType::Text, Some("uri"), &["http://a", "mailto:x"], &["www.a.b", "a b:c", ":x"]);
        check(
            LogicalType::Text,
            Some("uuid"),
            &["2bc1c94f-0deb-43e9-92a1-4775189ec9f8"],
            &["2bc1c94f", "zbc1c94f-0deb-43e9-92a1-4775189ec9f8"],
        );
        check(
            LogicalType::Text,
            Some("phone"),
            &["+27 11 555 0100", "(011) 555-0100", "0115550100"],
            &["555", "phone", "+27 11 abc", "12345678901234567"],
        );
        check(
            LogicalType::Timestamp,
            Some("any"),
            &["2025-01-31T10:00:00+2", "31/01/2025 10:00"],
            &["2025-01-31T10:00:60"],
        );
        check(LogicalType::Time, Some("any"), &["10:00:00Z", "9:05", "10:00 pm"], &["24:00:01", "10:00:60"]);
        check(LogicalType::Text, Some("binary"), &["aGVsbG8=", "hell"], &["a", "\u{e9}"]);
        check(LogicalType::Any, None, &["x", "1"], &[]);
    }

    #[test]
    fn constraints_hold_against_the_read_value() {
        let number = Field {
            minimum: Some(Limit::inclusive("0")),
            maximum: Some(Limit::exclusive("10")),
            ..Field::new("x", LogicalType::Number)
        };
        assert_eq!(broken(&number, "0.0"), []);
        assert_eq!(broken(&number, "10.00"), [Rule::Maximum]);
        assert_eq!(broken(&number, "-0.01"), [Rule::Minimum]);
        assert_eq!(broken(&number, "nan"), [Rule::Minimum, Rule::Maximum]);
        let text = Field {
            pattern: Some("A|B.".to_owned()),
            min_length: Some(2),
            max_length: Some(3),
            ..Field::new("x", LogicalType::Text)
        };
        assert_eq!(broken(&text, "B1"), []);
        assert_eq!(broken(&text, "A"), [Rule::MinLength]);
        assert_eq!(broken(&text, "Bééé"), [Rule::MaxLength, Rule::Pattern]);
        let of = Field { enumeration: vec!["1".into(), "2.50".into()], ..Field::new("x", LogicalType::Number) };
        assert_eq!(broken(&of, "2.5"), []);
        assert_eq!(broken(&of, "3"), [Rule::Enumeration]);
    }

    #[test]
    fn a_moment_with_a_zone_equals_only_moments_with_one() {
        let reader = FieldReader::new(&Field::new("x", LogicalType::Timestamp), &[]).expect("a field that can be kept");
        let key = |value: &str| {
            let mut bytes = Vec::new();
            assert!(reader.key(value, &mut bytes), "{value}");
            bytes
        };
        assert_eq!(key("2025-01-31T10:00:00Z"), key("2025-01-31T12:00:00+02:00"));
        assert_ne!(key("2025-01-31T10:00:00Z"), key("2025-01-31T10:00:00"));
        assert_eq!(reader.compare("2025-01-31T10:00:00Z", &reader, "2025-01-31T10:00:00"), Some(Ordering::Equal));
    }

    #[test]
    fn number_forms_follow_the_field() {
        let field = Field {
            decorated: true,
            decimal_char: Some(",".into()),
            group_char: Some(" ".into()),
            maximum: Some(Limit::inclusive("1000,5")),
            ..Field::new("x", LogicalType::Number)
        };
        assert_eq!(broken(&field, "R1 000,50 each"), []);
        assert_eq!(broken(&field, "1 000,51"), [Rule::Maximum]);
        assert_eq!(broken(&field, "1.5"), [Rule::Type]);
    }

    #[test]
    fn contradictions_are_told() {
        let says = |field: Field, part: &str| {
            let message = FieldReader::new(&field, &[]).expect_err("a contradiction");
            assert!(message.contains(part), "{message}");
        };
        says(Field { pattern: Some("(?=x)".into()), ..Field::new("x", LogicalType::Text) }, "regular expression");
        says(Field { pattern: Some("x".into()), ..Field::new("x", LogicalType::Date) }, "not for date");
        says(
            Field { minimum: Some(Limit::inclusive("x")), ..Field::new("x", LogicalType::Integer) },
            "lowest value `x` is no integer",
        );
        let dated = Field { format: Some("%d/%m/%Y".into()), ..Field::new("x", LogicalType::Date) };
        says(
            Field { maximum: Some(Limit::inclusive("2024-01-01")), ..dated },
            "is no date in the column's form `%d/%m/%Y`",
        );
        let whole = Field { minimum: Some(Limit::inclusive("10.0")), ..Field::new("x", LogicalType::Integer) };
        assert_eq!((broken(&whole, "9"), broken(&whole, "10")), (vec![Rule::Minimum], vec![]));
        says(Field { minimum: Some(Limit::inclusive("1")), ..Field::new("x", LogicalType::Text) }, "not for text");
        says(Field { format: Some("emial".into()), ..Field::new("x", LogicalType::Text) }, "nearest is `email`");
        says(Field { enumeration: vec!["x".into()], ..Field::new("x", LogicalType::Integer) }, "no integer");
        says(Field { format: Some("yyyy".into()), ..Field::new("x", LogicalType::Date) }, "%d/%m/%Y");
    }
}
