//! Text of typed cells: numbers without exponent, dates as ISO 8601.

use std::fmt::Write as _;

use calamine::ExcelDateTime;
use chrono::{Days, NaiveDate};

/// Serial number of the first day after the dates Excel knows (10000-01-01 in the 1900 system).
const END_OF_DATES: f64 = 2_958_466.0;

/// Writes a number without exponent and without trailing `.0`; writes nothing and returns false when it is not finite.
pub(crate) fn write_number(out: &mut String, value: f64) -> bool {
    if !value.is_finite() {
        return false;
    }
    // Whole numbers below 2^53 are exact, and are written much faster as integers.
    let _ = if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
        write!(out, "{}", value as i64)
    } else {
        write!(out, "{value}")
    };
    true
}

/// Writes a date or time cell: `YYYY-MM-DD`, `YYYY-MM-DDTHH:MM:SS`, `HH:MM:SS` for a time without date or a duration.
///
/// Returns false, with the serial number written instead, when the number is no date.
pub(crate) fn write_date_time(out: &mut String, value: &ExcelDateTime, is_1904: bool) -> bool {
    let serial = value.as_f64();
    if !serial.is_finite() {
        return false;
    }
    if value.is_duration() {
        write_duration(out, (serial * 86_400.0).round() as i64);
        return true;
    }
    if !(0.0..END_OF_DATES).contains(&serial) {
        write_number(out, serial);
        return false;
    }
    let seconds = (serial * 86_400.0).round() as u64;
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    if days == 0 && !is_1904 {
        write_duration(out, time as i64);
        return true;
    }
    if !is_1904 && days == 60 {
        // Excel counts a day that never was; a file that has it gets what Excel shows.
        out.push_str("1900-02-29");
    } else {
        let epoch = match (is_1904, days) {
            (true, _) => NaiveDate::from_ymd_opt(1904, 1, 1),
            (false, ..60) => NaiveDate::from_ymd_opt(1899, 12, 31),
            (false, _) => NaiveDate::from_ymd_opt(1899, 12, 30),
        };
        let Some(date) = epoch.and_then(|epoch| epoch.checked_add_days(Days::new(days))) else {
            write_number(out, serial);
            return false;
        };
        let _ = write!(out, "{}", date.format("%Y-%m-%d"));
    }
    if time > 0 {
        let _ = write!(out, "T{:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60);
    }
    true
}

fn write_duration(out: &mut String, seconds: i64) {
    let sign = if seconds < 0 { "-" } else { "" };
    let seconds = seconds.unsigned_abs();
    let _ = write!(out, "{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

/// Writes an ISO 8601 date or time as stored by `OpenDocument` and strict workbooks, without a midnight and without fractions of seconds.
pub(crate) fn write_iso_date_time(out: &mut String, text: &str) {
    let text = text.trim();
    let without_zone = text.strip_suffix('Z').unwrap_or(text);
    let without_fraction = match without_zone.split_once('.') {
        Some((head, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => head,
        _ => without_zone,
    };
    out.push_str(without_fraction.strip_suffix("T00:00:00").unwrap_or(without_fraction));
}

/// Writes an ISO 8601 duration such as `PT36H30M00S` as `36:30:00`; any other text as it is.
pub(crate) fn write_iso_duration(out: &mut String, text: &str) {
    match iso_duration_seconds(text.trim()) {
        Some(seconds) => write_duration(out, seconds),
        None => out.push_str(text.trim()),
    }
}

fn iso_duration_seconds(text: &str) -> Option<i64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let mut total = 0.0;
    let mut number = String::new();
    let mut seen = false;
    for character in text.strip_prefix('P')?.chars() {
        let factor = match character {
            'T' if number.is_empty() => continue,
            '0'..='9' | '.' => {
                number.push(character);
                continue;
            }
            'D' => 86_400.0,
            'H' => 3_600.0,
            'M' => 60.0,
            'S' => 1.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * factor;
        number.clear();
        seen = true;
    }
    (seen && number.is_empty() && total < 1e12).then(|| {
        let seconds = total.round() as i64;
        if negative { -seconds } else { seconds }
    })
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    #[test]
    fn numbers_have_no_exponent() {
        let check = |value: f64, expected: &str| {
            let mut out = String::new();
            assert_eq!(write_number(&mut out, value), value.is_finite());
            assert_eq!(out, expected);
        };
        check(1.0, "1");
        check(-0.0, "0");
        check(27_831_234_567.0, "27831234567");
        check(0.1, "0.1");
        check(1e21, "1000000000000000000000");
        check(1e-7, "0.0000001");
        check(f64::NAN, "");
    }

    #[test]
    fn serial_dates_of_both_systems() {
        let check = |serial: f64, is_1904: bool, expected: &str| {
            let mut out = String::new();
            write_date_time(&mut out, &ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, is_1904), is_1904);
            assert_eq!(out, expected, "{serial}");
        };
        // Published in Microsoft's notes on the two date systems: 5 July 1998 is 35981 and 34519.
        check(35_981.0, false, "1998-07-05");
        check(34_519.0, true, "1998-07-05");
        check(1.0, false, "1900-01-01");
        check(59.0, false, "1900-02-28");
        check(60.0, false, "1900-02-29");
        check(61.0, false, "1900-03-01");
        check(0.5, false, "12:00:00");
        check(45_943.541_666_666_664, false, "2025-10-13T13:00:00");
        check(3e6, false, "3000000");
        check(-1.0, false, "-1");
    }

    #[test]
    fn durations_count_hours_past_a_day() {
        let check = |text: &str, expected: &str| {
            let mut out = String::new();
            write_iso_duration(&mut out, text);
            assert_eq!(out, expected);
        };
        check("PT36H30M00S", "36:30:00");
        check("P1DT1H", "25:00:00");
        check("-PT1M", "-00:01:00");
        check("P1Y", "P1Y");
        let mut out = String::new();
        write_date_time(&mut out, &ExcelDateTime::new(1.5, ExcelDateTimeType::TimeDelta, false), false);
        assert_eq!(out, "36:00:00");
    }

    #[test]
    fn iso_dates_lose_midnight() {
        let check = |text: &str, expected: &str| {
            let mut out = String::new();
            write_iso_date_time(&mut out, text);
            assert_eq!(out, expected);
        };
        check("2021-01-01T00:00:00", "2021-01-01");
        check("2021-01-01T10:15:10.123", "2021-01-01T10:15:10");
        check("10:10:10Z", "10:10:10");
        check("2021-01-01", "2021-01-01");
    }
}
