//! Recognisers for single values: hand-written, one pass over the bytes, without a regular-expression engine.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use crate::table::DateOrder;

/// Words that stand for "no value", lower case, in the order of their length.
const PLACEHOLDERS: &[&str] = &[
    "-",
    ".",
    "?",
    "x",
    "--",
    "..",
    "??",
    "xx",
    "na",
    "---",
    "...",
    "xxx",
    "???",
    "n/a",
    "n.a",
    "nil",
    "tbd",
    "tba",
    "tbc",
    "nan",
    "#n/a",
    "n.a.",
    "null",
    "none",
    "#na",
    "n / a",
    "#ref!",
    "empty",
    "blank",
    "#name?",
    "#null!",
    "#value!",
    "#div/0!",
    "unknown",
    "not known",
    "not listed",
    "not provided",
    "not available",
    "not applicable",
    "no data",
    "no value",
    "to be confirmed",
    "to be determined",
    "to be advised",
];

/// Says whether a value stands for "no value": `-`, `N/A`, `(TBD)`, `Not Listed`, `#N/A`, ….
///
/// `Na` in mixed case is a name and stays.
pub(crate) fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    if value.is_empty() {
        return true;
    }
    if value.len() > 24 {
        return false;
    }
    let bare = value.trim_matches(['(', ')', '[', ']', '<', '>', '{', '}', '*', '"', '\'']).trim();
    if bare.is_empty() || value == "Na" {
        return bare.is_empty();
    }
    if bare.chars().all(|c| matches!(c, '-' | '_' | '.' | '–' | '—' | '?' | '*' | '/' | '\\')) {
        return true;
    }
    PLACEHOLDERS.iter().any(|known| known.len() == bare.len() && known.eq_ignore_ascii_case(bare))
}

/// Says whether a text is one e-mail address: a local part, `@`, a domain of labels that ends in letters.
pub(crate) fn is_email_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let local_is_right = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
    local_is_right && is_domain(domain) && !is_bare_number(domain)
}

fn is_bare_number(domain: &str) -> bool {
    domain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Says whether a text is a domain name of at least two labels, the last of at least two letters.
fn is_domain(domain: &str) -> bool {
    if domain.len() > 253 {
        return false;
    }
    let mut labels = 0;
    let mut last = "";
    for label in domain.split('.') {
        let right = !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
        if !right {
            return false;
        }
        labels += 1;
        last = label;
    }
    labels >= 2 && (last.starts_with("xn--") || (last.chars().count() >= 2 && last.chars().all(char::is_alphabetic)))
}

/// Says whether a cell holds e-mail addresses: at least one, and at most four words besides.
pub(crate) fn is_email_cell(text: &str) -> bool {
    if !text.as_bytes().contains(&b'@') {
        return false;
    }
    let mut emails = 0;
    let mut words = 0;
    for part in text.split(|c: char| c.is_whitespace() || matches!(c, ';' | ',' | '|' | '<' | '>' | '(' | ')')) {
        let part = part.trim_matches(['"', '\'', '.', ':']);
        let part = part.strip_prefix("mailto:").unwrap_or(part);
        if part.is_empty() {
            continue;
        }
        if is_email_address(part) || part.split('/').all(is_email_address) {
            emails += 1;
        } else {
            words += 1;
        }
    }
    emails > 0 && words <= 4
}

/// Generic top-level domains that make a bare `name.tld` a web address; any two letters do as well.
const TOP_LEVEL_DOMAINS: &[&str] = &[
    "com", "org", "net", "gov", "edu", "info", "biz", "africa", "online", "aero", "site", "shop", "store", "tech",
    "xyz", "app", "dev", "club", "travel", "joburg", "capetown", "durban", "mil", "int", "coop", "museum", "pro",
    "name",
];

/// Says whether a text is a web address: a scheme, a leading `www.`, or a bare domain with a known ending.
pub(crate) fn is_url(text: &str) -> bool {
    let text = text.trim();
    if text.len() < 4 || text.len() > 2_083 || text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return false;
    }
    let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    if let Some(scheme) = ["http://", "https://", "ftp://"].iter().find(|scheme| lower.starts_with(**scheme)) {
        return text.len() > scheme.len() && text[scheme.len()..].starts_with(|c: char| c.is_alphanumeric());
    }
    let host = text.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    if host.contains('@') || !is_domain(host) {
        return false;
    }
    if lower.starts_with("www.") {
        return true;
    }
    let (rest, last) = host.rsplit_once('.').unwrap_or(("", host));
    let registered = rest.rsplit('.').next().unwrap_or_default();
    registered.len() >= 2
        && (TOP_LEVEL_DOMAINS.iter().any(|known| known.eq_ignore_ascii_case(last))
            || (last.len() == 2 && last.bytes().all(|byte| byte.is_ascii_lowercase())))
}

/// How much a text looks like a telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PhoneShape {
    /// Not at all.
    No,
    /// Digits only: a telephone number when the header says so.
    Plain,
    /// Written as one: a plus, a leading zero, brackets or groups.
    Written,
}

/// Says how much a text looks like one or more telephone numbers.
///
/// Letters are allowed only as `ext`, `x`, `tel`, `cell`, `fax`, `or`, `and` and single-letter labels. Registration numbers (`2010/123456/07`),
/// ZIP+4 codes, social-security numbers and IP addresses are not telephone numbers.
pub(crate) fn phone_shape(text: &str) -> PhoneShape {
    let text = text.trim();
    if text.len() < 7 || text.len() > 120 {
        return PhoneShape::No;
    }
    let mut digits = 0_usize;
    let mut groups: [u8; 8] = [0; 8];
    let mut n_groups = 0;
    let mut in_group = false;
    let mut plus = false;
    let mut brackets = false;
    let mut letters = 0_usize;
    let mut dots = 0;
    for c in text.chars() {
        match c {
            '0'..='9' => {
                digits += 1;
                if !in_group {
                    in_group = true;
                    n_groups += 1;
                }
                if let Some(group) = groups.get_mut(n_groups - 1) {
                    *group = group.saturating_add(1);
                }
                continue;
            }
            '+' => plus = true,
            '(' | ')' | '[' | ']' => brackets = true,
            '.' => dots += 1,
            '-' | '/' | ',' | ';' | '|' | ':' | '&' | '\u{2010}'..='\u{2015}' | '*' | '_' | '\u{202d}' | '\u{202c}' => {
            }
            c if c.is_whitespace() => {}
            c if c.is_ascii_alphabetic() => letters += 1,
            _ => return PhoneShape::No,
        }
        in_group = false;
    }
    if digits < 7 || digits > 15 * n_groups.max(1) || digits > 60 {
        return PhoneShape::No;
    }
    if letters > 0 && !has_only_phone_words(text) {
        return PhoneShape::No;
    }
    let shape = &groups[..n_groups.min(groups.len())];
    // Without a country's code, a telephone number has at most twelve digits; several of them stand apart.
    let is_list = letters > 0 || text.contains(['/', ',', ';', '|', '&', '\n']);
    if digits > 12 && n_groups > 1 && !plus && !is_list && !text.starts_with("00") && !text.starts_with("(00") {
        return PhoneShape::No;
    }
    let is_other_number = shape == [4, 6, 2]
        || shape == [5, 4]
        || shape == [3, 2, 4]
        || (shape.len() == 4 && dots == 3 && shape.iter().all(|&group| group <= 3))
        || (text.starts_with('-') && !plus)
        || (shape.len() == 2 && dots == 1 && !plus && !brackets)
        || (shape.len() == 2 && text.contains(',') && shape[1] <= 2);
    if is_other_number {
        return PhoneShape::No;
    }
    if n_groups == 1 && !plus && !brackets && letters == 0 {
        return match digits {
            9..=11 if text.starts_with('0') => PhoneShape::Written,
            8..=15 => PhoneShape::Plain,
            _ => PhoneShape::No,
        };
    }
    PhoneShape::Written
}

fn has_only_phone_words(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "ext",
        "extension",
        "x",
        "tel",
        "telephone",
        "phone",
        "cell",
        "mobile",
        "mob",
        "fax",
        "or",
        "and",
        "t",
        "c",
        "f",
        "m",
        "h",
        "w",
        "o",
        "p",
        "wa",
        "whatsapp",
        "office",
        "home",
        "work",
    ];
    text.split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .all(|word| WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)))
}

/// Reads a truth value: `true`, `false`, `yes`, `no`, `y`, `n`, `t`, `f`, without regard to case; `1` and `0` too.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    let text = text.trim();
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&["true", "yes", "y", "t", "1"]) {
        Some(true)
    } else if is(&["false", "no", "n", "f", "0"]) {
        Some(false)
    } else {
        None
    }
}

/// Which sign a number's text uses for the fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecimalSign {
    /// `1,234.5`: certainly a point.
    Point,
    /// `1.234,5`: certainly a comma.
    Comma,
    /// `1,234`: a group of thousands, or a comma with three digits after it.
    Unclear,
    /// No sign at all.
    Absent,
}

/// A number as written, before the column's decimal sign is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NumberShape {
    pub(crate) decimal: DecimalSign,
    /// Zeros lead, as in `007`: a code, not a quantity.
    pub(crate) leading_zero: bool,
    pub(crate) exponent: bool,
    pub(crate) grouped: bool,
    pub(crate) currency: bool,
}

/// Strips a sign, a currency sign and white space around a number; returns whether it is negative, whether there was a currency, and the rest.
fn number_body(text: &str) -> Option<(bool, bool, &str)> {
    let mut rest = text.trim();
    let mut negative = false;
    let mut currency = false;
    if let Some(inner) = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        negative = true;
        rest = inner.trim();
    }
    for _ in 0..2 {
        if let Some(after) = rest.strip_prefix(['-', '\u{2212}']) {
            if negative {
                return None;
            }
            negative = true;
            rest = after.trim_start();
        } else if let Some(after) = rest.strip_prefix(['$', '€', '£', '¥']) {
            currency = true;
            rest = after.trim_start();
        } else if let Some(after) = rest.strip_prefix('R')
            && after.trim_start().starts_with(|c: char| c.is_ascii_digit())
        {
            currency = true;
            rest = after.trim_start();
        }
    }
    if let Some(before) = rest.strip_suffix(['€', '$']) {
        currency = true;
        rest = before.trim_end();
    }
    rest.starts_with(|c: char| c.is_ascii_digit() || c == '.').then_some((negative, currency, rest))
}

/// Says how a number is written, or nothing when the text is not one.
///
/// Groups of thousands must have three digits and one kind of separator: comma, point, space, no-break space or apostrophe.
pub(crate) fn number_shape(text: &str) -> Option<NumberShape> {
    if text.len() > 40 {
        return None;
    }
    let (_, currency, body) = number_body(text)?;
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => {
            let power = body[at + 1..].strip_prefix(['+', '-']).unwrap_or(&body[at + 1..]);
            if power.is_empty() || power.len() > 3 || !power.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            (&body[..at], true)
        }
        None => (body, false),
    };
    let mut separators: [(char, usize); 2] = [('\0', 0); 2];
    let mut n_kinds = 0;
    let mut run = 0_usize;
    let mut first_run = None;
    let mut inner_runs_are_three = true;
    for c in mantissa.chars() {
        if c.is_ascii_digit() {
            run += 1;
            continue;
        }
        if !matches!(c, '.' | ',' | ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}') {
            return None;
        }
        if n_kinds == 2 || (n_kinds == 1 && separators[0].0 != c && matches!(separators[0].1, 0)) {
            return None;
        }
        if n_kinds == 0 || separators[n_kinds - 1].0 != c {
            separators[n_kinds] = (c, 1);
            n_kinds += 1;
        } else {
            separators[n_kinds - 1].1 += 1;
        }
        match first_run {
            None => first_run = Some(run),
            Some(_) => inner_runs_are_three &= run == 3,
        }
        run = 0;
    }
    let first = first_run.unwrap_or(run);
    let leading_zero = mantissa.starts_with('0') && first > 1;
    let shape = |decimal, grouped| Some(NumberShape { decimal, leading_zero, exponent, grouped, currency });
    match (n_kinds, separators[0], separators[1]) {
        (0, ..) if run > 0 => shape(DecimalSign::Absent, false),
        (1, ('.', 1), _) if run + first > 0 => {
            // `1.234` reads as a fraction unless other values of the column prove the point to be a group sign.
            let unclear = run == 3 && (1..=3).contains(&first) && !leading_zero && first > 0;
            if unclear { shape(DecimalSign::Unclear, false) } else { shape(DecimalSign::Point, false) }
        }
        (1, (',', 1), _) if first > 0 && run > 0 => {
            let unclear = run == 3 && first <= 3 && !mantissa.starts_with('0');
            if unclear { shape(DecimalSign::Unclear, true) } else { shape(DecimalSign::Comma, false) }
        }
        (1, (separator, count), _) if (1..=3).contains(&first) && inner_runs_are_three && run == 3 && !leading_zero => {
            let decimal = match separator {
                ',' if count > 1 => DecimalSign::Point,
                '.' if count > 1 => DecimalSign::Comma,
                _ => DecimalSign::Absent,
            };
            shape(decimal, true)
        }
        (2, (group, _), (sign @ ('.' | ','), 1))
            if group != sign && (1..=3).contains(&first) && inner_runs_are_three && run > 0 && !leading_zero =>
        {
            shape(if sign == '.' { DecimalSign::Point } else { DecimalSign::Comma }, true)
        }
        _ => None,
    }
}

/// Reads a number; `decimal_comma` says what the column's comma means.
pub(crate) fn number(text: &str, decimal_comma: bool) -> Option<f64> {
    let shape = number_shape(text)?;
    let (negative, _, body) = number_body(text)?;
    let decimal = match shape.decimal {
        DecimalSign::Comma => Some(','),
        DecimalSign::Unclear if decimal_comma => Some(','),
        DecimalSign::Point | DecimalSign::Unclear => Some('.'),
        DecimalSign::Absent => None,
    };
    let mut plain = [0_u8; 48];
    let mut length = 0;
    for c in body.chars() {
        let byte = match c {
            '0'..='9' | 'e' | 'E' | '+' | '-' => c as u8,
            c if Some(c) == decimal => b'.',
            _ => continue,
        };
        *plain.get_mut(length)? = byte;
        length += 1;
    }
    let value: f64 = std::str::from_utf8(&plain[..length]).ok()?.parse().ok()?;
    value.is_finite().then_some(if negative { -value } else { value })
}

/// Reads a whole number, with or without groups of thousands; `decimal_comma` says what the column's comma means.
pub(crate) fn integer(text: &str, decimal_comma: bool) -> Option<i64> {
    let text = text.trim();
    let bytes = text.as_bytes();
    if bytes.len() <= 19 && bytes.iter().all(u8::is_ascii_digit) {
        return text.parse().ok();
    }
    let shape = number_shape(text)?;
    let whole = match shape.decimal {
        DecimalSign::Absent => true,
        DecimalSign::Unclear => text.contains(',') != decimal_comma,
        DecimalSign::Point => shape.grouped && !text.contains('.'),
        DecimalSign::Comma => shape.grouped && !text.contains(','),
    };
    if !whole || shape.exponent {
        return None;
    }
    let (negative, _, body) = number_body(text)?;
    let mut value: i64 = 0;
    for digit in body.bytes().filter(u8::is_ascii_digit) {
        value = value.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
    }
    Some(if negative { -value } else { value })
}

/// A date as written; the order of day and month may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateText {
    pub(crate) parts: DateParts,
    /// Time of day in seconds, when written.
    pub(crate) seconds: Option<u32>,
    /// Offset from UTC in seconds, when written.
    pub(crate) offset: Option<i32>,
}

/// The parts of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateParts {
    /// Year, month and day, in any writing that leaves no doubt.
    Known {
        year: i32,
        month: u32,
        day: u32,
        /// The year stood first, in digits.
        year_first: bool,
    },
    /// Two numbers and a year: day and month in the order of the column.
    Open { first: u32, second: u32, year: i32 },
}

impl DateText {
    /// Returns the moment, with the column's order of day and month; nothing when there is no such day.
    pub(crate) fn resolve(self, order: Option<DateOrder>) -> Option<NaiveDateTime> {
        let date = match self.parts {
            DateParts::Known { year, month, day, .. } => NaiveDate::from_ymd_opt(year, month, day)?,
            DateParts::Open { first, second, year } => match order {
                Some(DateOrder::MonthDayYear) => NaiveDate::from_ymd_opt(year, first, second)?,
                _ => NaiveDate::from_ymd_opt(year, second, first)?,
            },
        };
        let time = NaiveTime::from_num_seconds_from_midnight_opt(self.seconds.unwrap_or(0), 0)?;
        let moment = date.and_time(time);
        match self.offset {
            Some(offset) => moment.checked_sub_signed(chrono::TimeDelta::seconds(i64::from(offset))),
            None => Some(moment),
        }
    }

    /// Says whether the parts are a day in one order at least.
    fn is_plausible(self) -> bool {
        match self.parts {
            DateParts::Known { year, month, day, .. } => {
                (1000..=2999).contains(&year) && NaiveDate::from_ymd_opt(year, month, day).is_some()
            }
            DateParts::Open { first, second, year } => {
                (1000..=2999).contains(&year)
                    && (NaiveDate::from_ymd_opt(year, second, first).is_some()
                        || NaiveDate::from_ymd_opt(year, first, second).is_some())
            }
        }
    }
}

/// Reads a date: `2025-10-14`, `14/10/2025`, `14.10.25`, `14 Oct 2025`, `October 14th, 2025`, each with an optional time.
pub(crate) fn date(text: &str) -> Option<DateText> {
    let text = text.trim();
    if text.len() < 6 || text.len() > 40 || !text.is_ascii() || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let date = numeric_date(text).or_else(|| named_date(text))?;
    date.is_plausible().then_some(date)
}

/// Reads `YYYYMMDD`.
pub(crate) fn compact_date(text: &str) -> Option<DateText> {
    let text = text.trim();
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u32 = text.parse().ok()?;
    let (year, month, day) = ((number / 10_000) as i32, number / 100 % 100, number % 100);
    let known = (1800..=2199).contains(&year) && NaiveDate::from_ymd_opt(year, month, day).is_some();
    known.then_some(DateText {
        parts: DateParts::Known { year, month, day, year_first: true },
        seconds: None,
        offset: None,
    })
}

fn numeric_date(text: &str) -> Option<DateText> {
    let mut rest = text.as_bytes();
    let (first, first_length) = take_number(&mut rest)?;
    let separator = *rest.first()?;
    if !matches!(separator, b'-' | b'/' | b'.') {
        return None;
    }
    rest = &rest[1..];
    let (second, second_length) = take_number(&mut rest)?;
    if rest.first() != Some(&separator) || second_length > 2 {
        return None;
    }
    rest = &rest[1..];
    let (third, third_length) = take_number(&mut rest)?;
    let parts = match (first_length, third_length) {
        (4, 1 | 2) => DateParts::Known { year: first as i32, month: second, day: third, year_first: true },
        (1 | 2, 4) => DateParts::Open { first, second, year: third as i32 },
        (1 | 2, 2) => DateParts::Open { first, second, year: full_year(third) },
        _ => return None,
    };
    let (seconds, offset) = time_after_date(rest)?;
    Some(DateText { parts, seconds, offset })
}

fn take_number(rest: &mut &[u8]) -> Option<(u32, usize)> {
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 || length > 4 {
        return None;
    }
    let value = rest[..length].iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    *rest = &rest[length..];
    Some((value, length))
}

/// Returns the year of two digits: 00 to 68 are 2000 to 2068, 69 to 99 are 1969 to 1999 (the rule of POSIX `strptime`).
fn full_year(two_digits: u32) -> i32 {
    two_digits as i32 + if two_digits < 69 { 2000 } else { 1900 }
}

/// Reads what follows a date: nothing, or a time with seconds, AM/PM and offset from UTC.
fn time_after_date(rest: &[u8]) -> Option<(Option<u32>, Option<i32>)> {
    let text = std::str::from_utf8(rest).ok()?;
    let text = text.strip_prefix(['T', ',']).unwrap_or(text).trim();
    if text.is_empty() {
        return Some((None, None));
    }
    let mut rest = text.as_bytes();
    let (mut hour, _) = take_number(&mut rest)?;
    rest = rest.strip_prefix(b":")?;
    let (minute, _) = take_number(&mut rest)?;
    let mut second = 0;
    if let Some(after) = rest.strip_prefix(b":") {
        rest = after;
        second = take_number(&mut rest)?.0;
        if let Some(after) = rest.strip_prefix(b".") {
            let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
            rest = &after[digits..];
        }
    }
    let mut rest = std::str::from_utf8(rest).ok()?.trim();
    for (word, afternoon) in [("am", false), ("pm", true)] {
        if rest.len() >= 2 && rest.is_char_boundary(2) && rest[..2].eq_ignore_ascii_case(word) {
            if hour == 0 || hour > 12 {
                return None;
            }
            hour = hour % 12 + if afternoon { 12 } else { 0 };
            rest = rest[2..].trim();
            break;
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some((Some(hour * 3600 + minute * 60 + second), offset_from_utc(rest)?))
}

#[expect(clippy::option_option, reason = "a text without an offset differs from one that is no offset")]
fn offset_from_utc(text: &str) -> Option<Option<i32>> {
    if text.is_empty() {
        return Some(None);
    }
    if matches!(text, "Z" | "z" | "UTC" | "GMT") {
        return Some(Some(0));
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits: String = digits.chars().filter(|&c| c != ':').collect();
    if digits.len() != 4 && digits.len() != 2 {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..4).map_or(Some(0), |minutes| minutes.parse().ok())?;
    (hours <= 14 && minutes <= 59).then_some(Some(sign * (hours * 3600 + minutes * 60)))
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
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn begins(word: &str, full: &str) -> bool {
    word.len() >= 3 && word.len() <= full.len() && full[..word.len()].eq_ignore_ascii_case(word)
}

fn month_number(word: &str) -> Option<u32> {
    let word = if word.eq_ignore_ascii_case("sept") { "sep" } else { word };
    MONTHS.iter().position(|month| begins(word, month)).map(|position| position as u32 + 1)
}

fn named_date(text: &str) -> Option<DateText> {
    let is_gap = |byte: u8| matches!(byte, b' ' | b'-' | b'/' | b',' | b'.' | b'\t');
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut month = None;
    let mut numbers = [(0_u32, 0_usize); 2];
    let mut n_numbers = 0;
    let mut month_position = 0;
    while n_numbers < 2 || month.is_none() {
        while at < bytes.len() && is_gap(bytes[at]) {
            at += 1;
        }
        let start = at;
        let digits = bytes.get(at)?.is_ascii_digit();
        while at < bytes.len() && bytes[at].is_ascii_digit() == digits && bytes[at].is_ascii_alphanumeric() {
            at += 1;
        }
        let word = &text[start..at];
        if word.is_empty() {
            return None;
        }
        if digits {
            *numbers.get_mut(n_numbers)? = (word.parse().ok()?, word.len());
            n_numbers += 1;
        } else if let (None, Some(number)) = (month, month_number(word)) {
            month = Some(number);
            month_position = n_numbers;
        } else {
            let is_weekday = n_numbers == 0 && month.is_none() && WEEKDAYS.iter().any(|day| begins(word, day));
            let is_ordinal = n_numbers > 0 && ["st", "nd", "rd", "th"].iter().any(|end| end.eq_ignore_ascii_case(word));
            if !is_weekday && !is_ordinal {
                return None;
            }
        }
    }
    let [(first, first_length), (second, second_length)] = numbers;
    let (day, year) = match (first_length, second_length) {
        (1 | 2, 4) if month_position <= 1 => (first, second as i32),
        (1 | 2, 2) if month_position <= 1 => (first, full_year(second)),
        (4, 1 | 2) if month_position == 1 => (second, first as i32),
        _ => return None,
    };
    let (seconds, offset) = time_after_date(&bytes[at..])?;
    let parts = DateParts::Known { year, month: month?, day, year_first: false };
    Some(DateText { parts, seconds, offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders() {
        for value in
            ["-", "N/A", "(TBD)", "Not Listed", "None", "#N/A", "null", "unknown", ".", "x", " ", "--", "—", "NA"]
        {
            assert!(is_placeholder(value), "{value}");
        }
        for value in ["Na", "Noname", "X1", "0", "no", "Nil Smith", "a.b"] {
            assert!(!is_placeholder(value), "{value}");
        }
    }

    #[test]
    fn emails() {
        for value in ["a@b.co", "x.y+z@sub.example.africa", "o'neil@x-y.org", "ü@münchen.de", "a@xn--p1ai.xn--p1ai"] {
            assert!(is_email_address(value), "{value}");
        }
        for value in ["a@b", "@b.co", "a@", "a b@c.co", "a@@b.co", "a@b..co", "a@1.2.3.4", ".a@b.co", "a@-b.co"] {
            assert!(!is_email_address(value), "{value}");
        }
        for value in ["a@b.co; c@d.co", "Jo Bloggs <a@b.co>", "a@b.co or c@d.co", "mailto:a@b.co", "a@b.co/c@d.co"] {
            assert!(is_email_cell(value), "{value}");
        }
        assert!(!is_email_cell("please write to us at a@b.co if you want to"));
    }

    #[test]
    fn urls() {
        for value in
            ["http://a.co", "https://www.a.co.za/x?y", "www.a.africa/", "example.com", "a-b.co.za/x", "FTP://a.b"]
        {
            assert!(is_url(value), "{value}");
        }
        for value in
            ["e.g.", "1.5", "a@b.co", "J.Smith", "www", "file.txt", "two words.com", "http://", "12:30", "www..com"]
        {
            assert!(!is_url(value), "{value}");
        }
    }

    #[test]
    fn phones() {
        let check = |value: &str, expected| assert_eq!(phone_shape(value), expected, "{value}");
        for value in [
            "+27419960195\u{a0} ",
            "011 123 4567",
            "(011) 123-4567",
            "310/246-1501",
            "702-919-1300",
            "0821234567",
            "011 123 4567 / 082 123 4567",
            "+27 11 123 4567 ext 5",
            "Tel: 011 123 4567",
            "011-123-4567 or 082-123-4567",
        ] {
            check(value, PhoneShape::Written);
        }
        check("27143573177", PhoneShape::Plain);
        check("12345678", PhoneShape::Plain);
        for value in [
            "2010/123456/07",
            "72764-5335",
            "123-45-6789",
            "192.168.100.200",
            "-33.924912",
            "1234567.89",
            "12345",
            "call 0111234567 now",
            "1234567,89",
            "",
            "12 Main Road 1234567",
            "1 84 12 76 451 089 46",
            "800101 5009 087",
        ] {
            check(value, PhoneShape::No);
        }
    }

    #[test]
    fn numbers() {
        let check = |value: &str, comma, expected: Option<f64>| assert_eq!(number(value, comma), expected, "{value}");
        check("1234", false, Some(1234.0));
        check("-1 234,50", false, Some(-1234.5));
        check("1,234.5", false, Some(1234.5));
        check("1.234,5", false, Some(1234.5));
        check("1.234.567", false, Some(1_234_567.0));
        check("1'234'567.25", false, Some(1_234_567.25));
        check("$399.00", false, Some(399.0));
        check("R 1 250,00", false, Some(1250.0));
        check("(12.5)", false, Some(-12.5));
        check("1e-3", false, Some(0.001));
        check(".5", false, Some(0.5));
        check("0,5", false, Some(0.5));
        check("1,234", true, Some(1.234));
        check("1.234", false, Some(1.234));
        for value in ["1,23,4", "12a", "1.2.3", "--1", "", "1 2 3", "011 123 4567", "1e9999", "R", "1-2", "e5", "."] {
            check(value, false, None);
        }
    }

    #[test]
    fn integers() {
        let check = |value: &str, comma, expected: Option<i64>| assert_eq!(integer(value, comma), expected, "{value}");
        check("0", false, Some(0));
        check("-12", false, Some(-12));
        check("1,234", false, Some(1234));
        check("1,234", true, None);
        check("1.234", true, Some(1234));
        check("1.234", false, None);
        check("1 234 567", false, Some(1_234_567));
        check("9223372036854775808", false, None);
        check("1.0", false, None);
        check("1e3", false, None);
        assert!(number_shape("007").is_some_and(|shape| shape.leading_zero));
        assert!(number_shape("0.7").is_some_and(|shape| !shape.leading_zero));
    }

    #[test]
    fn booleans() {
        assert_eq!(boolean(" YES "), Some(true));
        assert_eq!(boolean("f"), Some(false));
        assert_eq!(boolean("maybe"), None);
    }

    #[test]
    fn dates() {
        let check = |value: &str, order, expected: Option<&str>| {
            let moment = date(value).and_then(|date| date.resolve(order)).map(|moment| moment.to_string());
            assert_eq!(moment.as_deref(), expected, "{value}");
        };
        let month_first = Some(DateOrder::MonthDayYear);
        check("2025-10-14", None, Some("2025-10-14 00:00:00"));
        check("2025-10-14T08:30:05", None, Some("2025-10-14 08:30:05"));
        check("2025-10-14T08:30:05.123+02:00", None, Some("2025-10-14 06:30:05"));
        check("14/10/2025", None, Some("2025-10-14 00:00:00"));
        check("10/14/2025 1:05 PM", month_first, Some("2025-10-14 13:05:00"));
        check("10/14/2025", None, None);
        check("3.4.99", None, Some("1999-04-03 00:00:00"));
        check("14 Oct 2025", None, Some("2025-10-14 00:00:00"));
        check("Tue, 14-Oct-25", None, Some("2025-10-14 00:00:00"));
        check("October 14th, 2025", None, Some("2025-10-14 00:00:00"));
        check("2025 Sept 3", None, Some("2025-09-03 00:00:00"));
        for value in
            ["2025-13-40", "31/02/2025", "99/99/9999", "14-10", "1.2.3.4", "012-345-6789", "Mayor 1 2020", "2025"]
        {
            check(value, None, None);
        }
        assert!(compact_date("19081209").is_some());
        assert!(compact_date("19081309").is_none());
    }
}
