//! Calendar dates in the many ways people write them.

use chrono::{Datelike, Days, NaiveDate};

use crate::text::outcome;
use crate::{FieldRule, Outcome, RuleCounts, TextRule};

/// How a date of three bare numbers is read when the year does not lead with four digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DateOrder {
    /// 14/10/2025: most of the world.
    #[default]
    DayFirst,
    /// 10/14/2025: the United States.
    MonthFirst,
    /// 25/10/14: short years that lead.
    YearFirst,
}

/// The first day of a workbook's serial numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Epoch {
    /// Day 1 is 1 January 1900, with the spreadsheet's 29 February 1900.
    #[default]
    Year1900,
    /// Day 0 is 1 January 1904.
    Year1904,
}

/// Two-digit years from this one on are in the 1900s, below it in the 2000s (the rule of POSIX `strptime`).
const PIVOT: i32 = 69;

/// Writes dates as `YYYY-MM-DD`.
///
/// Reads ISO dates with or without time, day, month and year in the given order with any separator, month names in
/// English, Afrikaans, French, German, Spanish and Portuguese, two-digit years (69 to 99 are 1969 to 1999), and serial numbers of
/// spreadsheets. When the given order is impossible and the other is not (`10/25/2025`), the other is taken and counted.
///
/// Reasons of failure: `date.unreadable`, `date.incomplete` (a month or year only), `date.impossible` (31 February),
/// `date.out_of_range` (before 1800 or after 2200).
#[derive(Debug, Clone, Default)]
pub struct DateRule {
    text: TextRule,
    order: DateOrder,
    epoch: Epoch,
}

impl DateRule {
    /// Creates the rule with its order over a text rule; serial numbers count from 1900.
    pub fn new(order: DateOrder, text: TextRule) -> Self {
        Self { text, order, epoch: Epoch::Year1900 }
    }

    /// Returns the rule for a workbook whose serial numbers count from 1904.
    #[must_use]
    pub fn from_1904(mut self) -> Self {
        self.epoch = Epoch::Year1904;
        self
    }
}

impl FieldRule for DateRule {
    fn apply(&self, _row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        if is_iso(value) && iso_date(value).is_some() && !self.text.is_placeholder(value) {
            return Outcome::Same;
        }
        let Some(clean) = self.text.clean(value, counts) else { return Outcome::Empty };
        match read(&clean, self.order, self.epoch) {
            Err(reason) => Outcome::Failed(reason),
            Ok(reading) => {
                let form = reading.date.format("%Y-%m-%d").to_string();
                if form != *clean {
                    for (changed, code) in [
                        (reading.is_serial, "date.excel_serial"),
                        (reading.is_other_order, "date.other_order"),
                        (reading.has_short_year, "date.two_digit_year"),
                        (reading.has_month_name, "date.month_name"),
                        (reading.has_time, "date.time_dropped"),
                    ] {
                        if changed {
                            counts.add(code);
                        }
                    }
                    counts.add("date.format");
                }
                outcome(value, &form, scratch)
            }
        }
    }
}

/// Reads a date; the error is the code of the reason, as in [`DateRule`].
///
/// # Errors
///
/// Returns the reason when the text is no date, is not complete, or names a day that does not exist.
///
/// ```
/// use hotpass_normalise::{DateOrder, parse_date};
///
/// let date = parse_date("14 Okt. 2025", DateOrder::DayFirst)?;
/// assert_eq!(date.to_string(), "2025-10-14");
/// assert_eq!(parse_date("30/02/2025", DateOrder::DayFirst), Err("date.impossible"));
/// # Ok::<(), &str>(())
/// ```
pub fn parse_date(text: &str, order: DateOrder) -> Result<NaiveDate, &'static str> {
    read(text.trim(), order, Epoch::Year1900).map(|reading| reading.date)
}

#[derive(Debug, Default)]
struct Reading {
    date: NaiveDate,
    is_serial: bool,
    is_other_order: bool,
    has_short_year: bool,
    has_month_name: bool,
    has_time: bool,
}

fn is_iso(value: &str) -> bool {
    let bytes = value.as_bytes();
    bytes.len() == 10
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && bytes.iter().enumerate().all(|(at, byte)| at == 4 || at == 7 || byte.is_ascii_digit())
}

fn iso_date(value: &str) -> Option<NaiveDate> {
    in_range(value.get(..4)?.parse().ok()?, value.get(5..7)?.parse().ok()?, value.get(8..10)?.parse().ok()?).ok()
}

fn in_range(year: i32, month: u32, day: u32) -> Result<NaiveDate, &'static str> {
    if !(1800..=2200).contains(&year) {
        return Err("date.out_of_range");
    }
    NaiveDate::from_ymd_opt(year, month, day).ok_or("date.impossible")
}

/// A number of a date as written.
#[derive(Debug, Clone, Copy, Default)]
struct Number {
    value: u32,
    digits: usize,
}

/// The parts of a text that could be a date.
#[derive(Debug, Default)]
struct Parts {
    numbers: [Number; 3],
    count: usize,
    /// The month by name, and how many numbers stand before it.
    month: Option<(u32, usize)>,
    has_time: bool,
    has_fraction: bool,
}

fn read(text: &str, order: DateOrder, epoch: Epoch) -> Result<Reading, &'static str> {
    let parts = split(text)?;
    let mut reading = Reading { has_time: parts.has_time, ..Reading::default() };
    let [first, second, third] = parts.numbers;
    reading.date = match (parts.count, parts.month) {
        (1, None) => {
            reading.is_serial = first.digits < 8;
            single_number(first, parts.has_fraction, order, epoch)?
        }
        _ if parts.has_fraction => return Err("date.unreadable"),
        (2, Some((month, before))) => {
            reading.has_month_name = true;
            let year_leads = first.digits == 4 || (before == 1 && first.digits == 2 && order == DateOrder::YearFirst);
            let (year, day) = if year_leads { (first, second) } else { (second, first) };
            in_range(full_year(year, &mut reading)?, month, day.value)?
        }
        (3, None) => three_numbers([first, second, third], order, &mut reading)?,
        (0 | 1, Some(_)) | (2, None) => return Err("date.incomplete"),
        _ => return Err("date.unreadable"),
    };
    Ok(reading)
}

fn three_numbers(numbers: [Number; 3], order: DateOrder, reading: &mut Reading) -> Result<NaiveDate, &'static str> {
    let [first, second, third] = numbers;
    if first.digits >= 3 || (order == DateOrder::YearFirst && third.digits < 3) {
        return in_range(full_year(first, reading)?, second.value, third.value);
    }
    let year = full_year(third, reading)?;
    let (day, month) = if order == DateOrder::MonthFirst { (second, first) } else { (first, second) };
    if month.value > 12 && day.value <= 12 {
        reading.is_other_order = true;
        return in_range(year, day.value, month.value);
    }
    in_range(year, month.value, day.value)
}

fn full_year(number: Number, reading: &mut Reading) -> Result<i32, &'static str> {
    let year = number.value as i32;
    match number.digits {
        4 => Ok(year),
        2 => {
            reading.has_short_year = true;
            Ok(if year >= PIVOT { 1900 + year } else { 2000 + year })
        }
        _ => Err("date.unreadable"),
    }
}

fn single_number(
    number: Number,
    has_fraction: bool,
    order: DateOrder,
    epoch: Epoch,
) -> Result<NaiveDate, &'static str> {
    let value = number.value;
    match (number.digits, has_fraction) {
        (5, _) => serial(value, epoch),
        (8, false) => {
            let (head, middle, tail) = (value / 10_000, value / 100 % 100, value % 100);
            let leading = in_range(head as i32, middle, tail);
            if leading.is_ok() || order == DateOrder::YearFirst {
                return leading;
            }
            let (first, second, year) = (value / 1_000_000, value / 10_000 % 100, (value % 10_000) as i32);
            let (day, month) = if order == DateOrder::MonthFirst { (second, first) } else { (first, second) };
            in_range(year, month, day)
        }
        (4, false) => Err("date.incomplete"),
        _ => Err("date.unreadable"),
    }
}

fn serial(days: u32, epoch: Epoch) -> Result<NaiveDate, &'static str> {
    // Serial numbers after 1900's impossible 29 February count from 30 December 1899; five digits are always after it.
    let start = match epoch {
        Epoch::Year1900 => NaiveDate::from_ymd_opt(1899, 12, 30),
        Epoch::Year1904 => NaiveDate::from_ymd_opt(1904, 1, 1),
    };
    let date = start.and_then(|start| start.checked_add_days(Days::new(u64::from(days)))).ok_or("date.out_of_range")?;
    in_range(date.year(), date.month(), date.day())
}

fn split(text: &str) -> Result<Parts, &'static str> {
    let mut parts = Parts::default();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if character.is_ascii_digit() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at(digits);
            if tail.starts_with(':') || (parts.is_date() && (tail.starts_with('h') || tail.starts_with('H'))) {
                parts.has_time = true;
                // What stands before a time of day is the date; without one there is nothing to read.
                return if parts.is_date() { Ok(parts) } else { Err("date.unreadable") };
            }
            if parts.is_fraction(number, text, rest) {
                parts.has_fraction = true;
                rest = tail;
                continue;
            }
            if parts.count == 3 || digits > 8 {
                return Err("date.unreadable");
            }
            parts.numbers[parts.count] = Number { value: number.parse().map_err(|_| "date.unreadable")?, digits };
            parts.count += 1;
            rest = tail;
        } else if character.is_alphabetic() {
            let end = rest.find(|letter: char| !letter.is_alphabetic()).unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            if parts.is_date()
                && word.eq_ignore_ascii_case("t")
                && tail.starts_with(|digit: char| digit.is_ascii_digit())
            {
                parts.has_time = true;
                return Ok(parts);
            }
            parts.add_word(word)?;
            rest = tail;
        } else if matches!(character, ' ' | '/' | '-' | '.' | ',' | '–' | '\\' | '_') {
            if character == '-' && rest.len() == text.len() {
                return Err("date.unreadable");
            }
            rest = &rest[character.len_utf8()..];
        } else {
            return Err("date.unreadable");
        }
    }
    if parts.count == 0 && parts.month.is_none() {
        return Err("date.unreadable");
    }
    Ok(parts)
}

impl Parts {
    fn is_date(&self) -> bool {
        self.count == 3 || (self.count == 2 && self.month.is_some()) || (self.count == 1 && self.numbers[0].digits == 8)
    }

    /// Returns whether a number is the fraction of a serial number, as in `45944.5`.
    fn is_fraction(&self, number: &str, text: &str, rest: &str) -> bool {
        let offset = text.len() - rest.len();
        self.count == 1
            && self.month.is_none()
            && !self.has_fraction
            && self.numbers[0].digits == 5
            && offset == 6
            && text.as_bytes()[5] == b'.'
            && rest.len() == number.len()
    }

    fn add_word(&mut self, word: &str) -> Result<(), &'static str> {
        let folded = crate::fold::fold(word);
        if let Some(month) = month_by_name(&folded) {
            if self.month.is_some() {
                return Err("date.unreadable");
            }
            self.month = Some((month, self.count));
            return Ok(());
        }
        let is_filler = is_weekday(&folded)
            || matches!(folded.as_str(), "of" | "de" | "del" | "do" | "the" | "van" | "den" | "le" | "am" | "pm" | "z")
            || (self.count > 0 && matches!(folded.as_str(), "st" | "nd" | "rd" | "th" | "ste" | "er" | "o" | "a"));
        if is_filler { Ok(()) } else { Err("date.unreadable") }
    }
}

/// Month names in English, Afrikaans, French, German, Spanish and Portuguese without accents, by month.
const MONTHS: [&[&str]; 12] = [
    &["january", "januarie", "janvier", "januar", "janner", "enero", "janeiro", "ene"],
    &["february", "februarie", "fevrier", "februar", "feber", "febrero", "fevereiro", "fev"],
    &["march", "maart", "mars", "marz", "maerz", "marzo", "marco", "mrt", "mrz"],
    &["april", "avril", "abril", "avr", "abr"],
    &["may", "mei", "mai", "mayo", "maio"],
    &["june", "junie", "juin", "juni", "junio", "junho"],
    &["july", "julie", "juillet", "juli", "julio", "julho", "juil"],
    &["august", "augustus", "aout", "agosto", "ago"],
    &["september", "septembre", "septiembre", "setembro", "sept", "set"],
    &["october", "oktober", "octobre", "octubre", "outubro", "okt", "out"],
    &["november", "novembre", "noviembre", "novembro"],
    &["december", "desember", "decembre", "dezember", "diciembre", "dezembro", "des", "dez", "dic"],
];

fn month_by_name(folded: &str) -> Option<u32> {
    if folded.len() < 3 {
        return None;
    }
    let position = MONTHS.iter().position(|names| {
        names.iter().any(|name| *name == folded || (folded.len() == 3 && name.starts_with(folded)))
    })?;
    Some(position as u32 + 1)
}

fn is_weekday(folded: &str) -> bool {
    const WEEKDAYS: &[&str] = &[
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "maandag",
        "dinsdag",
        "woensdag",
        "donderdag",
        "vrydag",
        "saterdag",
        "sondag",
        "montag",
        "dienstag",
        "mittwoch",
        "donnerstag",
        "freitag",
        "samstag",
        "sonntag",
        "lundi",
        "mardi",
        "mercredi",
        "jeudi",
        "vendredi",
        "samedi",
        "dimanche",
        "lunes",
        "martes",
        "miercoles",
        "jueves",
        "viernes",
        "sabado",
        "domingo",
    ];
    folded.len() >= 3 && WEEKDAYS.iter().any(|day| *day == folded || (folded.len() <= 5 && day.starts_with(folded)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(order: DateOrder, input: &str, expected: Result<&str, &'static str>) {
        let got = parse_date(input, order).map(|date| date.to_string());
        assert_eq!(got.as_deref().map_err(|reason| *reason), expected, "{input}");
    }

    #[test]
    fn day_first() {
        for (input, expected) in [
            ("2025-10-14", Ok("2025-10-14")),
            ("2025/10/14", Ok("2025-10-14")),
            ("2025.10.14", Ok("2025-10-14")),
            ("2025-1-4", Ok("2025-01-04")),
            ("20251014", Ok("2025-10-14")),
            ("14102025", Ok("2025-10-14")),
            ("2025-10-14T08:30:00Z", Ok("2025-10-14")),
            ("2025-10-14T08:30:00+02:00", Ok("2025-10-14")),
            ("2025-10-14 00:00:00", Ok("2025-10-14")),
            ("14/10/2025", Ok("2025-10-14")),
            ("14-10-2025", Ok("2025-10-14")),
            ("14.10.2025", Ok("2025-10-14")),
            ("14 10 2025", Ok("2025-10-14")),
            ("4/5/2025", Ok("2025-05-04")),
            ("04/05/25", Ok("2025-05-04")),
            ("14/10/68", Ok("2068-10-14")),
            ("14/10/69", Ok("1969-10-14")),
            ("14/10/99", Ok("1999-10-14")),
            ("10/25/2025", Ok("2025-10-25")),
            ("14/10/2025 08:30", Ok("2025-10-14")),
            ("14/10/2025 8:30 PM", Ok("2025-10-14")),
            ("14 Oct 2025", Ok("2025-10-14")),
            ("14 October 2025", Ok("2025-10-14")),
            ("14th October, 2025", Ok("2025-10-14")),
            ("October 14, 2025", Ok("2025-10-14")),
            ("Oct 14 2025", Ok("2025-10-14")),
            ("14-Oct-25", Ok("2025-10-14")),
            ("2025 Oct 14", Ok("2025-10-14")),
            ("Tue, 14 Oct 2025", Ok("2025-10-14")),
            ("Tuesday 14 October 2025", Ok("2025-10-14")),
            ("the 1st of May 2025", Ok("2025-05-01")),
            ("14 Okt. 2025", Ok("2025-10-14")),
            ("14 Desember 2025", Ok("2025-12-14")),
            ("1 Maart 2025", Ok("2025-03-01")),
            ("14 août 2025", Ok("2025-08-14")),
            ("1er février 2025", Ok("2025-02-01")),
            ("14. März 2025", Ok("2025-03-14")),
            ("14 de octubre de 2025", Ok("2025-10-14")),
            ("14 de março de 2025", Ok("2025-03-14")),
            ("45944", Ok("2025-10-14")),
            ("45944.0", Ok("2025-10-14")),
            ("45944.35416", Ok("2025-10-14")),
            ("29/02/2024", Ok("2024-02-29")),
            ("29/02/2025", Err("date.impossible")),
            ("31/04/2025", Err("date.impossible")),
            ("31 Feb 2025", Err("date.impossible")),
            ("13/13/2025", Err("date.impossible")),
            ("00/10/2025", Err("date.impossible")),
            ("2025", Err("date.incomplete")),
            ("10/2025", Err("date.incomplete")),
            ("Oct 2025", Err("date.incomplete")),
            ("14/10/0025", Err("date.out_of_range")),
            ("soon", Err("date.unreadable")),
            ("14/10", Err("date.incomplete")),
            ("1/2/3/4", Err("date.unreadable")),
            ("123", Err("date.unreadable")),
            ("-45944", Err("date.unreadable")),
            ("08:30", Err("date.unreadable")),
            ("", Err("date.unreadable")),
        ] {
            check(DateOrder::DayFirst, input, expected);
        }
    }

    #[test]
    fn other_orders() {
        check(DateOrder::MonthFirst, "10/14/2025", Ok("2025-10-14"));
        check(DateOrder::MonthFirst, "4/5/2025", Ok("2025-04-05"));
        check(DateOrder::MonthFirst, "14/10/2025", Ok("2025-10-14"));
        check(DateOrder::MonthFirst, "2025-04-05", Ok("2025-04-05"));
        check(DateOrder::YearFirst, "25/10/14", Ok("2025-10-14"));
        check(DateOrder::YearFirst, "14/10/2025", Ok("2025-10-14"));
    }

    #[test]
    fn serial_numbers_of_1904_count_from_later() {
        let rule = DateRule::default().from_1904();
        let (mut scratch, mut counts) = (String::new(), RuleCounts::default());
        assert_eq!(rule.apply(0, "44482", &mut scratch, &mut counts), Outcome::Changed);
        assert_eq!(scratch, "2025-10-14");
    }

    #[test]
    fn changes_are_counted() {
        let (mut scratch, mut counts) = (String::new(), RuleCounts::default());
        let rule = DateRule::default();
        assert_eq!(rule.apply(0, "2025-10-14", &mut scratch, &mut counts), Outcome::Same);
        assert_eq!(counts.iter().count(), 0);
        assert_eq!(rule.apply(0, "10/25/25", &mut scratch, &mut counts), Outcome::Changed);
        let codes: Vec<_> = counts.iter().map(|(code, _)| code).collect();
        assert_eq!(codes, ["date.format", "date.other_order", "date.two_digit_year"]);
    }
}
