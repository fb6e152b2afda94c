//! A reading of dates in the usual ways of writing them, after `dateutil.parser.parse`.
//!
//! That parser knows no grammar but guesses, token by token. This one takes the same tokens (numbers, months, days of the week, noon
//! marks, zones, filling words) and the same separators, and asks whether they make one date and one time.

use chrono::NaiveDate;

use super::strptime::MONTHS;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const FILL: [&str; 12] = ["at", "on", "and", "ad", "m", "t", "of", "st", "nd", "rd", "th", "z"];

/// Returns whether a text reads as a date or time.
pub(crate) fn is_date(text: &str) -> bool {
    let text = text.trim();
    if text.is_empty() {
        return false;
    }
    let lower = super::ascii_digits(&text.to_lowercase());
    let mut numbers: Vec<(u64, usize)> = Vec::new();
    let (mut month, mut clock, mut known) = (None, false, false);
    let mut rest = lower.as_str();
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            if let Some(taken) = clock_time(rest) {
                if clock {
                    return false;
                }
                (clock, known) = (true, true);
                rest = &rest[taken..];
                // An offset from UTC belongs to the time.
                if let Some(offset) = rest.trim_start().strip_prefix(['+', '-']) {
                    let end = offset.find(|c: char| !(c.is_ascii_digit() || c == ':')).unwrap_or(offset.len());
                    if end > 0 {
                        rest = &offset[end..];
                    }
                }
                continue;
            }
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let Ok(number) = rest[..end].parse() else { return false };
            let after = rest[end..].trim_start();
            if after.starts_with("am") || after.starts_with("pm") {
                if clock || !(1..=12).contains(&number) {
                    return false;
                }
                (clock, known) = (true, true);
                rest = &after[2..];
                continue;
            }
            known = true;
            numbers.push((number, end));
            rest = &rest[end..];
        } else if first.is_alphabetic() {
            let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
            let word = &rest[..end];
            let stem: String = word.chars().take(3).collect();
            let is_name = |full: &[&str]| word.len() >= 3 && full.contains(&stem.as_str()) && is_month_or_day(word);
            if is_name(&MONTHS) {
                if month.replace(stem.clone()).is_some() {
                    return false;
                }
                known = true;
            } else if is_name(&DAYS) {
                known = true;
            } else if !(FILL.contains(&word) || matches!(word, "utc" | "gmt" | "am" | "pm" | "h" | "s")) {
                return false;
            }
            rest = &rest[end..];
        } else if matches!(first, ' ' | '\t' | '\n' | ',' | '.' | ';' | '-' | '/' | '\'') {
            rest = &rest[first.len_utf8()..];
        } else {
            return false;
        }
    }
    known && makes_a_date(&numbers, month.as_deref())
}

fn is_month_or_day(word: &str) -> bool {
    const FULL: [&str; 20] = [
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
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "sept",
    ];
    word.len() == 3 || FULL.contains(&word)
}

/// Returns the length of `h:mm[:ss[.ffffff]]` at the start.
fn clock_time(text: &str) -> Option<usize> {
    let (hour, rest) = text.split_once(':')?;
    if hour.is_empty() || hour.len() > 2 || !hour.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let minutes = digits(rest);
    if minutes == 0 || minutes > 2 || hour.parse::<u8>().ok()? > 23 || rest[..minutes].parse::<u8>().ok()? > 59 {
        return None;
    }
    let mut taken = hour.len() + 1 + minutes;
    if let Some(seconds) = text[taken..].strip_prefix(':') {
        let count = digits(seconds);
        if count == 0 || seconds[..count].parse::<u8>().ok()? > 59 {
            return None;
        }
        taken += 1 + count;
        if let Some(fraction) = text[taken..].strip_prefix(['.', ',']) {
            taken += 1 + digits(fraction);
        }
    }
    Some(taken)
}

fn makes_a_date(numbers: &[(u64, usize)], month: Option<&str>) -> bool {
    let month = month.and_then(|name| MONTHS.iter().position(|month| *month == name)).map(|at| at as u32 + 1);
    let full_year = |(number, digits): (u64, usize)| {
        let number = number as i32;
        if digits > 2 {
            number
        } else if number < 70 {
            2000 + number
        } else {
            1900 + number
        }
    };
    let valid = |year: i32, month: u32, day: u64| {
        NaiveDate::from_ymd_opt(year, month, u32::try_from(day).unwrap_or(0)).is_some()
    };
    // The order of the parts is decided by their size, once, as there: no second reading is tried.
    match (numbers, month) {
        ([], _) => true,
        ([(number, 8)], None) => valid((number / 10_000) as i32, (number / 100 % 100) as u32, number % 100),
        ([(number, 14 | 12 | 6)], None) => *number > 0,
        (&[(number, digits)], None) => number > 0 && digits <= 4,
        (&[day], Some(month)) => (day.0 > 31 && day.1 <= 4) || valid(2000, month, day.0),
        (&[first, second], Some(month)) => {
            if first.0 > 31 || first.1 > 2 {
                valid(full_year(first), month, second.0)
            } else {
                valid(full_year(second), month, first.0)
            }
        }
        (&[first, second], None) => {
            let month_and = |month: u64, year: i32| (1..=12).contains(&month) && year > 0;
            if first.0 > 31 {
                month_and(second.0, full_year(first))
            } else if second.0 > 31 {
                month_and(first.0, full_year(second))
            } else {
                valid(2000, first.0 as u32, second.0)
            }
        }
        (&[first, second, third], None) => {
            if first.0 > 31 || first.1 > 2 {
                valid(full_year(first), second.0 as u32, third.0)
            } else if first.0 > 12 {
                valid(full_year(third), second.0 as u32, first.0)
            } else {
                valid(full_year(third), first.0 as u32, second.0)
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_ways_of_writing_dates_are_read() {
        for text in [
            "2024-02-29",
            "29/02/2024",
            "02/29/2024",
            "20240229",
            "5 March 2021",
            "March 5, 2021",
            "2021-03-05T10:00:00Z",
            "2021-03-05 10:00:00+02:00",
            "10:30 pm",
            "Monday",
            "Mar 2021",
            "3pm",
            "2021",
            "\u{662}\u{660}\u{662}\u{661}",
            "-4",
            "3.50",
        ] {
            assert!(is_date(text), "{text}");
        }
        for text in [
            "2023-02-29",
            "31/31/2021",
            "hello",
            "",
            "n/a",
            "2021-13-45",
            "25:61",
            "marching",
            "2024-13-01",
            "13/2021",
            "30 Feb",
            "12345",
            "31.12",
        ] {
            assert!(!is_date(text), "{text}");
        }
    }
}
