//! Dates and timestamps: reading, printing and taking apart.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, Timelike};

use super::{Arguments, Called, Datum, EvaluationError, operand_type};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Dates and timestamps as microseconds since 1970-01-01.
pub(super) fn timestamps(function: &str, array: &ArrayRef) -> Result<TimestampMicrosecondArray, EvaluationError> {
    Ok(match array.data_type() {
        DataType::Timestamp(..) => array.as_primitive::<TimestampMicrosecondType>().clone(),
        DataType::Date32 => array.as_primitive::<Date32Type>().unary(|days| i64::from(days) * MICROS_PER_DAY),
        DataType::Null => TimestampMicrosecondArray::new_null(array.len()),
        found => return Err(operand_type(function, "dates or timestamps", found)),
    })
}

pub(super) fn days_of(micros: i64) -> i32 {
    micros.div_euclid(MICROS_PER_DAY) as i32
}

fn date_of_days(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(days)
}

fn time_of_micros(micros: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(micros).map(|time| time.naive_utc())
}

fn micros_of(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp_micros()
}

pub(super) fn date_text(days: i32) -> Option<String> {
    date_of_days(days).map(|date| format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day()))
}

/// `2020-01-02 03:04:05.12`: a fraction only where there is one.
pub(super) fn timestamp_text(micros: i64) -> Option<String> {
    let time = time_of_micros(micros)?;
    let mut text =
        format!("{} {:02}:{:02}:{:02}", date_text(days_of(micros))?, time.hour(), time.minute(), time.second());
    let fraction = micros.rem_euclid(MICROS_PER_SECOND);
    if fraction != 0 {
        text.push('.');
        text.push_str(format!("{fraction:06}").trim_end_matches('0'));
    }
    Some(text)
}

/// Reads digits from the front of a text: between `least` and `most` of them.
fn digits(text: &str, least: usize, most: usize) -> Option<(i64, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count < least {
        return None;
    }
    text[..count].parse().ok().map(|value| (value, &text[count..]))
}

/// Year, month and day in this order with `-`, `/`, ` ` or `\` between, and what follows.
fn leading_date(text: &str) -> Option<(NaiveDate, &str)> {
    let (year, rest) = digits(text, 1, 6)?;
    let separator = rest.chars().next().filter(|separator| matches!(separator, '-' | '/' | ' ' | '\\'))?;
    let (month, rest) = digits(&rest[1..], 1, 2)?;
    let rest = rest.strip_prefix(separator)?;
    let (day, rest) = digits(rest, 1, 2)?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
        .map(|date| (date, rest))
}

/// `CAST(text AS DATE)`: a time of day after the date is looked past.
pub(super) fn date_of_text(text: &str) -> Option<i32> {
    let text = text.trim_matches(|character: char| character.is_ascii_whitespace());
    let (date, rest) = leading_date(text)?;
    if rest.bytes().next().is_some_and(|next| next.is_ascii_digit()) {
        return None;
    }
    if !rest.is_empty() && timestamp_of_text(text).is_none() {
        return None;
    }
    Some(date.to_epoch_days())
}

/// `CAST(text AS TIMESTAMP)`: a date, then perhaps `T` or a space, hours, minutes, seconds and a fraction.
pub(super) fn timestamp_of_text(text: &str) -> Option<i64> {
    let text = text.trim_matches(|character: char| character.is_ascii_whitespace());
    let (date, rest) = leading_date(text)?;
    let midnight = i64::from(date.to_epoch_days()) * MICROS_PER_DAY;
    let rest = rest.strip_suffix(['Z', 'z']).unwrap_or(rest);
    if rest.is_empty() {
        return Some(midnight);
    }
    let rest = rest.strip_prefix(['T', ' '])?.trim_start();
    let (hour, rest) = digits(rest, 1, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 1, 2)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => digits(rest, 1, 2)?,
        None => (0, rest),
    };
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix('.') {
        let (_, end) = digits(after, 1, 9)?;
        let written = &after[..after.len() - end.len()];
        fraction = format!("{written:0<6}").get(..6)?.parse().ok()?;
        if !end.is_empty() {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    (hour < 24 && minute < 60 && second < 60)
        .then(|| midnight + ((hour * 60 + minute) * 60 + second) * MICROS_PER_SECOND + fraction)
}

/// One part of a format of `strptime` and `strftime`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(char),
}

/// The parts of a format, or the specifier that is not known.
fn parts_of(format: &str) -> Result<Vec<Part>, char> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let mut specifier = characters.next().ok_or('%')?;
        if specifier == '-' {
            specifier = characters.next().ok_or('-')?;
        }
        match specifier {
            '%' => text.push('%'),
            'Y' | 'm' | 'd' | 'H' | 'I' | 'M' | 'S' | 'y' | 'b' | 'B' | 'a' | 'A' | 'p' | 'f' | 'j' => {
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                parts.push(Part::Field(specifier));
            }
            other => return Err(other),
        }
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Reads a name from a list off the front of a text, in full or its first three letters.
fn name_of<'a>(text: &'a str, names: &[&str], short: bool) -> Option<(usize, &'a str)> {
    names.iter().enumerate().find_map(|(index, name)| {
        let name = if short { &name[..3] } else { *name };
        let front = text.get(..name.len())?;
        front.eq_ignore_ascii_case(name).then(|| (index, &text[name.len()..]))
    })
}

/// Reads a timestamp by a format: microseconds since 1970-01-01.
fn read(parts: &[Part], text: &str) -> Option<i64> {
    let mut rest = text.trim_start_matches(|character: char| character.is_ascii_whitespace());
    let (mut year, mut month, mut day) = (1900i64, 1i64, 1i64);
    let (mut hour, mut minute, mut second, mut micros) = (0i64, 0i64, 0i64, 0i64);
    let mut afternoon = None;
    let mut day_of_year = None;
    for part in parts {
        let number = |least: usize, most: usize| digits(rest, least, most);
        match part {
            Part::Text(text) => rest = rest.strip_prefix(text.as_str())?,
            Part::Field('Y') => (year, rest) = number(1, 4)?,
            Part::Field('y') => {
                let (value, after) = number(1, 2)?;
                (year, rest) = (if value < 69 { 2000 + value } else { 1900 + value }, after);
            }
            Part::Field('m') => (month, rest) = number(1, 2)?,
            Part::Field('d') => (day, rest) = number(1, 2)?,
            Part::Field('H') => (hour, rest) = number(1, 2)?,
            Part::Field('I') => {
                (hour, rest) = number(1, 2)?;
                if !(1..=12).contains(&hour) {
                    return None;
                }
            }
            Part::Field('M') => (minute, rest) = number(1, 2)?,
            Part::Field('S') => (second, rest) = number(1, 2)?,
            Part::Field('f') => {
                let (_, after) = number(1, 6)?;
                let written = &rest[..rest.len() - after.len()];
                (micros, rest) = (format!("{written:0<6}").parse().ok()?, after);
            }
            Part::Field('j') => {
                let (value, after) = number(1, 3)?;
                (day_of_year, rest) = (Some(value), after);
            }
            Part::Field('b' | 'B') => {
                let (index, after) = name_of(rest, &MONTHS, *part == Part::Field('b'))?;
                (month, rest) = (index as i64 + 1, after);
            }
            Part::Field('a' | 'A') => (_, rest) = name_of(rest, &DAYS, *part == Part::Field('a'))?,
            Part::Field(_) => {
                let front = rest.get(..2)?;
                afternoon = Some(match front.to_ascii_lowercase().as_str() {
                    "am" => false,
                    "pm" => true,
                    _ => return None,
                });
                rest = &rest[2..];
            }
        }
    }
    if !rest.chars().all(|character| character.is_ascii_whitespace()) {
        return None;
    }
    if let Some(afternoon) = afternoon {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + if afternoon { 12 } else { 0 };
    }
    let year = i32::try_from(year).ok()?;
    let date = match day_of_year {
        Some(ordinal @ 1..=366) => {
            NaiveDate::from_yo_opt(year, 1)?.checked_add_days(Days::new(ordinal.unsigned_abs() - 1))?
        }
        Some(_) => return None,
        None => NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)?,
    };
    (hour < 24 && minute < 60 && second < 60).then(|| {
        i64::from(date.to_epoch_days()) * MICROS_PER_DAY
            + ((hour * 60 + minute) * 60 + second) * MICROS_PER_SECOND
            + micros
    })
}

fn capitalised(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_ascii_uppercase().to_string() + characters.as_str()).unwrap_or_default()
}

fn print(parts: &[Part], micros: i64) -> Option<String> {
    let time = time_of_micros(micros)?;
    let mut text = String::new();
    for part in parts {
        let field = match part {
            Part::Text(literal) => literal.clone(),
            Part::Field('Y') => format!("{:04}", time.year()),
            Part::Field('y') => format!("{:02}", time.year().rem_euclid(100)),
            Part::Field('m') => format!("{:02}", time.month()),
            Part::Field('d') => format!("{:02}", time.day()),
            Part::Field('H') => format!("{:02}", time.hour()),
            Part::Field('I') => format!("{:02}", time.hour12().1),
            Part::Field('M') => format!("{:02}", time.minute()),
            Part::Field('S') => format!("{:02}", time.second()),
            Part::Field('f') => format!("{:06}", micros.rem_euclid(MICROS_PER_SECOND)),
            Part::Field('j') => format!("{:03}", time.ordinal()),
            Part::Field('B') => capitalised(MONTHS[time.month0() as usize]),
            Part::Field('b') => capitalised(&MONTHS[time.month0() as usize][..3]),
            Part::Field('A') => capitalised(DAYS[time.weekday().num_days_from_monday() as usize]),
            Part::Field('a') => capitalised(&DAYS[time.weekday().num_days_from_monday() as usize][..3]),
            Part::Field(_) => if time.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        };
        text.push_str(&field);
    }
    Some(text)
}

/// Moves a date or timestamp by an interval; the result is a timestamp.
pub(super) fn shift(datum: &Datum, amount: i64, unit: &str) -> Result<Datum, EvaluationError> {
    let times = timestamps("INTERVAL", &datum.array)?;
    let moved: TimestampMicrosecondArray =
        times.iter().map(|micros| micros.and_then(|micros| shifted(micros, amount, unit))).collect();
    Ok(Datum::new(Arc::new(moved), datum.constant))
}

fn shifted(micros: i64, amount: i64, unit: &str) -> Option<i64> {
    let time = time_of_micros(micros)?;
    let months = |count: i64| {
        let months = Months::new(u32::try_from(count.unsigned_abs()).ok()?);
        if count < 0 { time.checked_sub_months(months) } else { time.checked_add_months(months) }
    };
    let days = |count: i64| {
        let days = Days::new(count.unsigned_abs());
        if count < 0 { time.checked_sub_days(days) } else { time.checked_add_days(days) }
    };
    let seconds = |count: i64| micros.checked_add(count.checked_mul(MICROS_PER_SECOND)?);
    match unit {
        "year" => months(amount.checked_mul(12)?).map(micros_of),
        "quarter" => months(amount.checked_mul(3)?).map(micros_of),
        "month" => months(amount).map(micros_of),
        "week" => days(amount.checked_mul(7)?).map(micros_of),
        "day" => days(amount).map(micros_of),
        "hour" => seconds(amount.checked_mul(3_600)?),
        "minute" => seconds(amount.checked_mul(60)?),
        _ => seconds(amount),
    }
}

/// A part of a timestamp as a number.
fn part(name: &str, micros: i64) -> Option<i64> {
    let time = time_of_micros(micros)?;
    Some(match name {
        "year" => i64::from(time.year()),
        "quarter" => i64::from(time.month0() / 3 + 1),
        "month" => i64::from(time.month()),
        "week" => i64::from(time.iso_week().week()),
        "day" => i64::from(time.day()),
        "hour" => i64::from(time.hour()),
        "minute" => i64::from(time.minute()),
        "second" => i64::from(time.second()),
        "dow" => i64::from(time.weekday().num_days_from_sunday()),
        "doy" => i64::from(time.ordinal()),
        _ => return None,
    })
}

/// Number of the period that a timestamp lies in; `date_diff` is the difference of two such numbers.
fn period(name: &str, micros: i64) -> Option<i64> {
    let time = time_of_micros(micros)?;
    let year = i64::from(time.year());
    Some(match name {
        "year" => year,
        "quarter" => year * 4 + i64::from(time.month0() / 3),
        "month" => year * 12 + i64::from(time.month0()),
        "day" => micros.div_euclid(MICROS_PER_DAY),
        "hour" => micros.div_euclid(3_600 * MICROS_PER_SECOND),
        "minute" => micros.div_euclid(60 * MICROS_PER_SECOND),
        "second" => micros.div_euclid(MICROS_PER_SECOND),
        _ => return None,
    })
}

fn truncated(name: &str, micros: i64) -> Option<i64> {
    let time = time_of_micros(micros)?;
    let day = |date: Option<NaiveDate>| date.map(|date| i64::from(date.to_epoch_days()) * MICROS_PER_DAY);
    match name {
        "year" => day(NaiveDate::from_ymd_opt(time.year(), 1, 1)),
        "quarter" => day(NaiveDate::from_ymd_opt(time.year(), time.month0() / 3 * 3 + 1, 1)),
        "month" => day(NaiveDate::from_ymd_opt(time.year(), time.month(), 1)),
        "week" => day(time.date().checked_sub_days(Days::new(u64::from(time.weekday().num_days_from_monday())))),
        "day" => Some(micros.div_euclid(MICROS_PER_DAY) * MICROS_PER_DAY),
        "hour" => Some(micros.div_euclid(3_600 * MICROS_PER_SECOND) * 3_600 * MICROS_PER_SECOND),
        "minute" => Some(micros.div_euclid(60 * MICROS_PER_SECOND) * 60 * MICROS_PER_SECOND),
        "second" => Some(micros.div_euclid(MICROS_PER_SECOND) * MICROS_PER_SECOND),
        _ => None,
    }
}

/// Functions of dates and timestamps.
pub(super) fn function(arguments: &Arguments<'_>) -> Called {
    Some(match (arguments.function, arguments.values.len()) {
        ("strptime", 2) => read_all(arguments, false),
        ("try_strptime", 2) => read_all(arguments, true),
        ("strftime", 2) => print_all(arguments),
        ("epoch", 1) => {
            micros(arguments, 0).map(|times| arguments.numbers(|row| times.get(row).map(|micros| micros as f64 / 1e6)))
        }
        ("epoch_ms", 1) => micros(arguments, 0)
            .map(|times| arguments.integers(|row| times.get(row).map(|micros| micros.div_euclid(1_000)))),
        ("date_part", 2) => parts(arguments),
        ("date_trunc", 2) => truncate_all(arguments),
        ("date_diff", 3) => differences(arguments),
        ("date_period", 2) => periods(arguments),
        ("make_date", 3) => make_date(arguments),
        _ => return None,
    })
}

fn micros(
    arguments: &Arguments<'_>,
    index: usize,
) -> Result<super::Values<TimestampMicrosecondArray>, EvaluationError> {
    let value = &arguments.values[index];
    Ok(super::Values { array: timestamps(arguments.function, &value.array)?, constant: value.constant })
}

fn format_parts(arguments: &Arguments<'_>) -> Result<Option<Vec<Part>>, EvaluationError> {
    let Some(format) = arguments.constant_text(1, "format")? else { return Ok(None) };
    parts_of(&format).map(Some).map_err(|specifier| EvaluationError::Argument {
        function: arguments.function.to_owned(),
        argument: "format",
        message: format!("`%{specifier}` is not read natively"),
    })
}

fn read_all(arguments: &Arguments<'_>, lenient: bool) -> Result<Datum, EvaluationError> {
    let texts = arguments.text(0)?;
    let Some(parts) = format_parts(arguments)? else { return Ok(arguments.timestamps(|_| None)) };
    let read = arguments.timestamps(|row| texts.get(row).and_then(|text| read(&parts, text)));
    if !lenient && read.array.null_count() > texts.array.null_count() {
        return Err(EvaluationError::Conversion { to: "a timestamp" });
    }
    Ok(read)
}

fn print_all(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let times = micros(arguments, 0)?;
    let Some(parts) = format_parts(arguments)? else { return Ok(arguments.texts(|_| None)) };
    Ok(arguments.texts(|row| times.get(row).and_then(|micros| print(&parts, micros))))
}

/// The name of the part in the first argument.
fn part_name(arguments: &Arguments<'_>, known: impl Fn(&str) -> bool) -> Result<String, EvaluationError> {
    let written = arguments.constant_text(0, "part")?.unwrap_or_default();
    match crate::sql::names::date_part(&written) {
        Some(part) if known(part) => Ok(part.to_owned()),
        _ => Err(EvaluationError::Argument {
            function: arguments.function.to_owned(),
            argument: "part",
            message: format!("`{written}` is not read natively"),
        }),
    }
}

fn parts(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let name = part_name(arguments, |_| true)?;
    let times = micros(arguments, 1)?;
    if name == "epoch" {
        return Ok(arguments.numbers(|row| times.get(row).map(|micros| micros as f64 / 1e6)));
    }
    Ok(arguments.integers(|row| times.get(row).and_then(|micros| part(&name, micros))))
}

fn truncate_all(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let name = part_name(arguments, |name| truncated(name, 0).is_some())?;
    let times = micros(arguments, 1)?;
    if *arguments.values[1].data_type() == DataType::Date32 && !matches!(name.as_str(), "hour" | "minute" | "second") {
        return Ok(arguments.dates(|row| times.get(row).and_then(|micros| truncated(&name, micros)).map(days_of)));
    }
    Ok(arguments.timestamps(|row| times.get(row).and_then(|micros| truncated(&name, micros))))
}

fn differences(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let name = part_name(arguments, |name| period(name, 0).is_some())?;
    let (from, to) = (micros(arguments, 1)?, micros(arguments, 2)?);
    Ok(arguments.integers(|row| Some(period(&name, to.get(row)?)? - period(&name, from.get(row)?)?)))
}

fn periods(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let name = part_name(arguments, |name| period(name, 0).is_some())?;
    let times = micros(arguments, 1)?;
    Ok(arguments.integers(|row| times.get(row).and_then(|micros| period(&name, micros))))
}

fn make_date(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let (years, months, days) = (arguments.integer(0)?, arguments.integer(1)?, arguments.integer(2)?);
    Ok(arguments.dates(|row| {
        let (year, month, day) = (years.get(row)?, months.get(row)?, days.get(row)?);
        let date =
            NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)?;
        Some(date.to_epoch_days())
    }))
}
