//! What the values of a column are, decided by looking at them.

use std::collections::HashSet;

use arrow::array::{Array, StringArray};

use crate::recognise::{
    DateParts, DecimalSign, PhoneShape, boolean, compact_date, date, is_email_cell, is_placeholder, is_url,
    number_shape, phone_shape,
};
use crate::table::{CellKinds, ColumnContent, ContentType, DateOrder, ExcelEpoch};

/// Most values that are looked at; of longer columns, values spread evenly.
const SAMPLE: usize = 4_096;

/// Share of the values that must be e-mail addresses, telephone numbers, web addresses or dates.
const SHARE_OF_KIND: f64 = 0.7;

/// Share of the values that must be numbers or truth values: one cell in ten may be a remark.
const SHARE_OF_NUMBERS: f64 = 0.9;

/// Serial days of a spreadsheet that are read as dates: 1950-01-01 to 2099-12-31 in the 1900 system.
const SERIAL_DAYS: std::ops::RangeInclusive<f64> = 18_264.0..=73_050.0;

/// What a pass over the values found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    /// Values that are there and do not stand for "no value".
    pub(crate) present: usize,
    pub(crate) placeholders: usize,
    pub(crate) email: usize,
    pub(crate) url: usize,
    pub(crate) phone_written: usize,
    pub(crate) phone_plain: usize,
    pub(crate) boolean_words: usize,
    pub(crate) zero_or_one: usize,
    pub(crate) numbers: usize,
    pub(crate) whole_numbers: usize,
    pub(crate) leading_zeros: usize,
    pub(crate) currency: usize,
    pub(crate) grouped: usize,
    decimal_points: usize,
    decimal_commas: usize,
    unclear_points: usize,
    unclear_commas: usize,
    pub(crate) dates: usize,
    year_first_dates: usize,
    open_dates: usize,
    day_first_dates: usize,
    month_first_dates: usize,
    with_time: usize,
    compact_dates: usize,
    serial_days: usize,
    serial_sum: f64,
    known_day_sum: f64,
    known_days: usize,
    pub(crate) with_letters: usize,
    longest: usize,
    pub(crate) distinct: usize,
}

impl Evidence {
    /// Looks at the values; at most [`SAMPLE`] of them.
    pub(crate) fn of(values: &StringArray) -> Self {
        let mut evidence = Self::default();
        let mut distinct: HashSet<&str> = HashSet::new();
        let step = values.len().div_ceil(SAMPLE).max(1);
        for row in (0..values.len()).step_by(step) {
            if values.is_valid(row) {
                let value = values.value(row).trim();
                if evidence.add(value) {
                    distinct.insert(value);
                }
            }
        }
        // A sparse column may hide its few values between the steps.
        if evidence.present < 32 && step > 1 && values.len() - values.null_count() > evidence.present {
            evidence = Self::default();
            distinct.clear();
            for value in values.iter().flatten().take(SAMPLE) {
                let value = value.trim();
                if evidence.add(value) {
                    distinct.insert(value);
                }
            }
        }
        evidence.distinct = distinct.len();
        evidence
    }

    fn add(&mut self, value: &str) -> bool {
        if is_placeholder(value) {
            self.placeholders += usize::from(!value.is_empty());
            return false;
        }
        self.present += 1;
        self.longest = self.longest.max(value.len());
        let mut digits = 0_usize;
        let mut letters = 0_usize;
        let mut at = false;
        let mut dot = false;
        for byte in value.bytes() {
            match byte {
                b'0'..=b'9' => digits += 1,
                b'@' => at = true,
                b'.' => dot = true,
                b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => letters += 1,
                _ => {}
            }
        }
        self.with_letters += usize::from(letters > 0);
        if at && is_email_cell(value) {
            self.email += 1;
            return true;
        }
        if (dot || value.len() > 7) && letters > 1 && is_url(value) {
            self.url += 1;
            return true;
        }
        if value.len() <= 5 && boolean(value).is_some() {
            if letters > 0 {
                self.boolean_words += 1;
                return true;
            }
            self.zero_or_one += 1;
        }
        if digits > 0 {
            self.add_digits(value, digits);
        }
        true
    }

    fn add_digits(&mut self, value: &str, digits: usize) {
        if let Some(shape) = number_shape(value) {
            self.numbers += 1;
            self.leading_zeros += usize::from(shape.leading_zero);
            self.currency += usize::from(shape.currency);
            self.grouped += usize::from(shape.grouped);
            match shape.decimal {
                DecimalSign::Point => self.decimal_points += 1,
                DecimalSign::Comma => self.decimal_commas += 1,
                DecimalSign::Unclear if shape.grouped => self.unclear_commas += 1,
                DecimalSign::Unclear => self.unclear_points += 1,
                DecimalSign::Absent => self.whole_numbers += usize::from(!shape.exponent),
            }
            if digits == 8 && compact_date(value).is_some() {
                self.compact_dates += 1;
            } else if (5..=12).contains(&value.len())
                && let Ok(serial) = value.parse::<f64>()
                && SERIAL_DAYS.contains(&serial)
            {
                self.serial_days += 1;
                self.serial_sum += serial;
            }
        } else if let Some(found) = date(value) {
            self.dates += 1;
            self.with_time += usize::from(found.seconds.is_some_and(|seconds| seconds > 0));
            match found.parts {
                DateParts::Known { year_first, .. } => {
                    self.year_first_dates += usize::from(year_first);
                    if let Some(moment) = found.resolve(None) {
                        self.known_days += 1;
                        self.known_day_sum += f64::from(days_since_epoch(moment.date()));
                    }
                }
                DateParts::Open { first, second, .. } => {
                    self.open_dates += 1;
                    self.day_first_dates += usize::from(first > 12);
                    self.month_first_dates += usize::from(second > 12);
                }
            }
            return;
        }
        match phone_shape(value) {
            PhoneShape::Written => self.phone_written += 1,
            PhoneShape::Plain => self.phone_plain += 1,
            PhoneShape::No => {}
        }
    }

    /// Returns the part of the present values that `count` is.
    pub(crate) fn share(&self, count: usize) -> f64 {
        if self.present == 0 { 0.0 } else { count as f64 / self.present as f64 }
    }

    /// Says whether the column's comma is the sign of the fraction.
    fn decimal_comma(&self) -> bool {
        self.decimal_commas > self.decimal_points
            || (self.decimal_commas == self.decimal_points && self.decimal_commas > 0 && self.unclear_points > 0)
    }
}

fn days_since_epoch(date: chrono::NaiveDate) -> i32 {
    date.to_epoch_days()
}

/// What a header says of the values below it.
#[derive(Debug, Clone, Copy, Default)]
struct HeaderHints {
    phone: bool,
    date: bool,
    flag: bool,
    code: bool,
}

impl HeaderHints {
    fn of(header: &str) -> Self {
        const PHONE: &[&str] = &[
            "phone",
            "phones",
            "tel",
            "telephone",
            "telephones",
            "mobile",
            "cell",
            "cellphone",
            "cellnumber",
            "fax",
            "landline",
            "whatsapp",
            "msisdn",
            "contactnumber",
            "phonenumber",
            "celnumber",
            "telno",
            "gsm",
            "handy",
            "telefon",
            "switchboard",
        ];
        const DATE: &[&str] = &[
            "date",
            "dates",
            "dob",
            "birth",
            "birthday",
            "born",
            "updated",
            "created",
            "modified",
            "since",
            "until",
            "expiry",
            "expires",
            "loaddate",
            "timestamp",
            "datum",
            "deadline",
            "due",
        ];
        const CODE: &[&str] = &[
            "zip",
            "zipcode",
            "postcode",
            "postal",
            "vat",
            "registration",
            "reg",
            "ssn",
            "passport",
            "account",
            "iban",
            "isbn",
            "ean",
            "barcode",
            "licence",
            "license",
            "tax",
            "plz",
        ];
        let mut hints = Self::default();
        let name = crate::columns::repair_headers(&[Some(header)])
            .into_iter()
            .next()
            .map(|header| header.name)
            .unwrap_or_default();
        let words: Vec<&str> = name.split('_').collect();
        for (position, word) in words.iter().enumerate() {
            hints.phone |= PHONE.contains(word);
            hints.date |= DATE.contains(word);
            hints.code |= CODE.contains(word);
            hints.flag |= matches!(
                *word,
                "is" | "has" | "flag" | "ind" | "indicator" | "active" | "enabled" | "valid" | "invalid"
            );
            let next = words.get(position + 1).copied().unwrap_or_default();
            hints.phone |= *word == "contact" && matches!(next, "number" | "numbers" | "no" | "nr" | "num" | "details");
        }
        hints
    }
}

/// Decides what the values of a column are.
///
/// Looks at up to 4,096 values spread over the column, leaving out those that stand for "no value" (`-`, `N/A`, `(TBD)`, …).
/// E-mail addresses, telephone numbers, web addresses and dates need 70 % of the values, numbers and truth values 90 %; text of few
/// distinct values is a category. The header decides what the values leave open: whether plain digits are telephone numbers or dates.
/// Reasons name rules and shares, never values.
pub fn infer_content(values: &StringArray, kinds: &CellKinds, header: &str) -> ColumnContent {
    let evidence = Evidence::of(values);
    if evidence.present == 0 {
        let reason = if evidence.placeholders > 0 {
            "every cell with text stands for no value"
        } else if kinds.formula_without_value > 0 {
            "formulas without a cached value only"
        } else {
            "no values"
        };
        return ColumnContent {
            content_type: ContentType::Empty,
            confidence: 1.0,
            reasons: vec![reason.into()],
            ..ColumnContent::default()
        };
    }
    let hints = HeaderHints::of(header);
    let mut content = contact_content(&evidence, hints)
        .or_else(|| date_content(&evidence, hints, kinds))
        .or_else(|| scalar_content(&evidence, hints, kinds))
        .unwrap_or_else(|| text_content(&evidence, hints, kinds));
    if evidence.placeholders > 0 {
        content.reasons.push(format!(
            "{} placeholders for no value left out",
            share_text(evidence.placeholders, evidence.placeholders + evidence.present)
        ));
    }
    content
}

fn share_text(count: usize, of: usize) -> String {
    format!("{count} of {of}")
}

fn content_of(content_type: ContentType, confidence: f64, reasons: Vec<String>) -> ColumnContent {
    ColumnContent { content_type, confidence, reasons, ..ColumnContent::default() }
}

fn contact_content(evidence: &Evidence, hints: HeaderHints) -> Option<ColumnContent> {
    let of = evidence.present;
    let reason = |count: usize, what: &str| format!("{} values are {what}", share_text(count, of));
    let email = evidence.share(evidence.email);
    if email >= SHARE_OF_KIND {
        return Some(content_of(ContentType::Email, email, vec![reason(evidence.email, "e-mail addresses")]));
    }
    let url = evidence.share(evidence.url);
    if url >= SHARE_OF_KIND {
        return Some(content_of(ContentType::Url, url, vec![reason(evidence.url, "web addresses")]));
    }
    if hints.code {
        return None;
    }
    let telephone = evidence.phone_written + if hints.phone { evidence.phone_plain } else { 0 };
    let phone = evidence.share(telephone);
    // Plain digits are telephone numbers when numbers written as such stand beside them, as in a column typed by several people.
    let mixed = evidence.share(evidence.phone_written) >= 0.3
        && evidence.share(evidence.phone_written + evidence.phone_plain) >= SHARE_OF_KIND;
    if phone >= SHARE_OF_KIND || mixed {
        let counted = if mixed { evidence.phone_written + evidence.phone_plain } else { telephone };
        let mut reasons = vec![reason(counted, "telephone numbers")];
        if evidence.phone_plain > 0 {
            let why = if hints.phone {
                "the header says they are telephone numbers"
            } else {
                "others are written as telephone numbers"
            };
            reasons
                .push(format!("{} values are digits only, kept as text: {why}", share_text(evidence.phone_plain, of)));
        }
        return Some(content_of(ContentType::Phone, evidence.share(counted), reasons));
    }
    None
}

fn date_content(evidence: &Evidence, hints: HeaderHints, kinds: &CellKinds) -> Option<ColumnContent> {
    let of = evidence.present;
    let compact = if hints.date { evidence.compact_dates } else { 0 };
    let serial =
        if hints.date || kinds.date > 0 || evidence.share(evidence.dates) >= 0.3 { evidence.serial_days } else { 0 };
    let dates = evidence.dates + compact + serial;
    let share = evidence.share(dates);
    if share < SHARE_OF_KIND {
        return None;
    }
    let content_type = if evidence.with_time > 0 { ContentType::DateTime } else { ContentType::Date };
    let mut reasons = vec![format!("{} values are dates", share_text(dates, of))];
    let mut content = content_of(content_type, share, Vec::new());
    if kinds.date > 0 {
        reasons.push(format!("{} cells of the workbook are dates", kinds.date));
    }
    if compact > 0 {
        reasons.push(format!("{} values are written YYYYMMDD and the header says date", share_text(compact, of)));
    }
    if serial > 0 {
        let (epoch, reason) = excel_epoch(evidence);
        content.excel_epoch = Some(epoch);
        reasons.push(format!("{} values are serial days of a spreadsheet, {reason}", share_text(serial, of)));
    }
    if evidence.open_dates > 0 {
        let (order, reason) = date_order(evidence);
        content.date_order = Some(order);
        reasons.push(reason);
    } else if evidence.year_first_dates > 0 {
        content.date_order = Some(DateOrder::YearMonthDay);
    }
    content.reasons = reasons;
    Some(content)
}

/// Decides the order of day and month: a number above 12 can only be a day.
fn date_order(evidence: &Evidence) -> (DateOrder, String) {
    let (day_first, month_first, open) = (evidence.day_first_dates, evidence.month_first_dates, evidence.open_dates);
    match (day_first, month_first) {
        (0, 0) => (
            DateOrder::DayMonthYear,
            format!(
                "the order of day and month is ambiguous: no day above 12 in {open} values; read as day, month, year"
            ),
        ),
        (_, 0) => (
            DateOrder::DayMonthYear,
            format!("day before month: the first number is above 12 in {} values", share_text(day_first, open)),
        ),
        (0, _) => (
            DateOrder::MonthDayYear,
            format!("month before day: the second number is above 12 in {} values", share_text(month_first, open)),
        ),
        _ => {
            let order = if month_first > day_first { DateOrder::MonthDayYear } else { DateOrder::DayMonthYear };
            let read = if order == DateOrder::MonthDayYear { "month, day, year" } else { "day, month, year" };
            (
                order,
                format!(
                    "mixed orders of day and month: {day_first} values can only be day first and {month_first} only month first; read as {read}"
                ),
            )
        }
    }
}

/// Decides between the two day counts of spreadsheets by the dates that stand in the same column as dates.
fn excel_epoch(evidence: &Evidence) -> (ExcelEpoch, &'static str) {
    if evidence.known_days == 0 {
        return (ExcelEpoch::Year1900, "counted from 1900: nothing in the column says 1904");
    }
    let known = evidence.known_day_sum / evidence.known_days as f64;
    let serial = evidence.serial_sum / evidence.serial_days as f64;
    let distance = |epoch: ExcelEpoch| (serial + f64::from(epoch.days_from_unix()) - known).abs();
    if distance(ExcelEpoch::Year1904) < distance(ExcelEpoch::Year1900) {
        (ExcelEpoch::Year1904, "counted from 1904: nearer to the other dates of the column")
    } else {
        (ExcelEpoch::Year1900, "counted from 1900: nearer to the other dates of the column")
    }
}

fn scalar_content(evidence: &Evidence, hints: HeaderHints, kinds: &CellKinds) -> Option<ColumnContent> {
    let of = evidence.present;
    let words = evidence.share(evidence.boolean_words);
    if words >= SHARE_OF_NUMBERS {
        let reason = format!("{} values are yes or no, true or false", share_text(evidence.boolean_words, of));
        return Some(content_of(ContentType::Boolean, words, vec![reason]));
    }
    if hints.flag && evidence.zero_or_one == of {
        return Some(content_of(
            ContentType::Boolean,
            1.0,
            vec!["every value is 0 or 1 and the header says yes or no".into()],
        ));
    }
    let share = evidence.share(evidence.numbers);
    if share < SHARE_OF_NUMBERS {
        return None;
    }
    let counted = format!("{} values are numbers", share_text(evidence.numbers, of));
    if evidence.leading_zeros > 0 {
        let reason =
            format!("{} values have leading zeros: a code, kept as text", share_text(evidence.leading_zeros, of));
        return Some(content_of(ContentType::Text, share, vec![reason]));
    }
    if hints.code || hints.phone {
        let what = if hints.phone { "telephone numbers" } else { "codes" };
        return Some(content_of(
            ContentType::Text,
            share,
            vec![counted, format!("kept as text: the header says {what}")],
        ));
    }
    let mut content = content_of(ContentType::Integer, share, vec![counted]);
    content.decimal_comma = evidence.decimal_comma();
    let fractions = evidence.decimal_points
        + evidence.decimal_commas
        + if content.decimal_comma { evidence.unclear_commas } else { evidence.unclear_points };
    let not_whole = evidence.numbers - evidence.whole_numbers - evidence.unclear_commas - evidence.unclear_points;
    if fractions > 0 || not_whole > 0 {
        content.content_type = ContentType::Number;
    }
    if content.decimal_comma {
        content.reasons.push(format!(
            "the comma is the sign of the fraction: certain in {} values",
            share_text(evidence.decimal_commas, of)
        ));
    } else if evidence.unclear_commas > 0 {
        content.reasons.push(format!(
            "commas before three digits are read as groups of thousands in {} values",
            share_text(evidence.unclear_commas, of)
        ));
    }
    if evidence.grouped > 0 {
        content.reasons.push(format!("{} values are written in groups of thousands", share_text(evidence.grouped, of)));
    }
    if evidence.currency > 0 {
        content.reasons.push(format!("{} values have a currency sign", share_text(evidence.currency, of)));
    }
    if kinds.number > 0 && kinds.text > 0 {
        content.reasons.push(format!("{} cells hold numbers and {} hold text", kinds.number, kinds.text));
    }
    Some(content)
}

fn text_content(evidence: &Evidence, hints: HeaderHints, kinds: &CellKinds) -> ColumnContent {
    let of = evidence.present;
    let mut reasons = Vec::new();
    let few = evidence.distinct <= 100
        && evidence.distinct * 2 <= of
        && (evidence.distinct * 10 <= of || (evidence.distinct <= 20 && evidence.distinct * 3 <= of));
    let content_type = if few && evidence.longest <= 60 && of >= 4 {
        reasons.push(format!("{} distinct values in {of}", evidence.distinct));
        ContentType::Category
    } else {
        reasons.push("no other type fits enough of the values".into());
        ContentType::Text
    };
    for (count, what) in [
        (evidence.email, "e-mail addresses"),
        (evidence.url, "web addresses"),
        (evidence.phone_written + if hints.phone { evidence.phone_plain } else { 0 }, "telephone numbers"),
        (evidence.dates, "dates"),
        (evidence.numbers, "numbers"),
    ] {
        if count * 10 >= of && count > 0 {
            reasons.push(format!("{} values are {what}", share_text(count, of)));
        }
    }
    if kinds.number > 0 && kinds.text > 0 {
        reasons.push(format!("{} cells hold numbers and {} hold text", kinds.number, kinds.text));
    }
    content_of(content_type, 1.0, reasons)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn infer(header: &str, values: &[&str]) -> ColumnContent {
        let values: StringArray = values.iter().map(|value| (!value.is_empty()).then_some(*value)).collect();
        infer_content(&values, &CellKinds::default(), header)
    }

    fn check(header: &str, values: &[&str], expected: ContentType) {
        let content = infer(header, values);
        assert_eq!(content.content_type, expected, "{header}: {:?}", content.reasons);
        assert!((0.0..=1.0).contains(&content.confidence));
        assert!(!content.reasons.is_empty());
    }

    #[test]
    fn contact_values() {
        check("anything", &["a@b.co", "c@d.co; e@f.co", "N/A", "-"], ContentType::Email);
        check("anything", &["www.a.co.za", "http://b.org/x", "cde.com"], ContentType::Url);
        check("anything", &["+27 11 123 4567", "(011) 123-4567", "0821234567"], ContentType::Phone);
        check("Cellnumber", &["27143573177", "27605522144", ""], ContentType::Phone);
        check("Serial", &["27143573177", "27605522144", ""], ContentType::Integer);
        check("x", &["+27 11 123 4567", "011 123 4567", "27143573177", "27605522144"], ContentType::Phone);
    }

    #[test]
    fn numbers_and_codes() {
        check("Amount", &["1", "20", "300"], ContentType::Integer);
        check("Amount", &["1,234", "20", "300,000"], ContentType::Integer);
        check("Amount", &["1.5", "20", "$3.25"], ContentType::Number);
        check("Code", &["0043", "1200", "0007"], ContentType::Text);
        check("Postcode", &["4011", "2776"], ContentType::Text);
        let comma = infer("Amount", &["1,5", "1.234,25", "7,125"]);
        assert_eq!((comma.content_type, comma.decimal_comma), (ContentType::Number, true));
        check("Note", &["12", "13", "call later", "15", "see file"], ContentType::Text);
    }

    #[test]
    fn truth_values_and_labels() {
        check("Active", &["yes", "No", "Y"], ContentType::Boolean);
        check("Recent_Touch_Ind", &["0", "1", "1"], ContentType::Boolean);
        check("Count", &["0", "1", "1"], ContentType::Integer);
        check("Status", &["Active", "Invalid", "Active", "Active", "Active", "Invalid"], ContentType::Category);
        check("Name", &["Ann", "Bo", "Cy", "Di"], ContentType::Text);
        check("Empty", &["", "-", "N/A"], ContentType::Empty);
    }

    #[test]
    fn dates_and_their_order() {
        let order = |header: &str, values: &[&str]| {
            let content = infer(header, values);
            assert_eq!(content.content_type, ContentType::Date, "{values:?}: {:?}", content.reasons);
            (content.date_order, content.reasons.join("; "))
        };
        assert_eq!(order("x", &["2025-10-14", "2025-01-02"]).0, Some(DateOrder::YearMonthDay));
        assert_eq!(order("x", &["14/10/2025", "01/02/2025"]).0, Some(DateOrder::DayMonthYear));
        assert_eq!(order("x", &["10/14/2025", "01/02/2025"]).0, Some(DateOrder::MonthDayYear));
        let (ambiguous, reason) = order("x", &["01/02/2025", "03/04/2025"]);
        assert_eq!(ambiguous, Some(DateOrder::DayMonthYear));
        assert!(reason.contains("ambiguous"), "{reason}");
        let (mixed, reason) = order("x", &["14/10/2025", "15/10/2025", "10/16/2025"]);
        assert_eq!(mixed, Some(DateOrder::DayMonthYear));
        assert!(reason.contains("mixed orders"), "{reason}");
        check("Updated", &["2025-10-14T08:30:00", "2025-10-15"], ContentType::DateTime);
        check("date_of_birth", &["19081209", "19990219"], ContentType::Date);
        check("soc_sec_id", &["19081209", "19990219"], ContentType::Integer);
    }

    #[test]
    fn serial_days_of_spreadsheets() {
        let content = infer("Reachout Date", &["45944", "45945", "45946"]);
        assert_eq!((content.content_type, content.excel_epoch), (ContentType::Date, Some(ExcelEpoch::Year1900)));
        check("Wages", &["45944", "45945", "45946"], ContentType::Integer);
        let beside_dates = infer("Reachout Date", &["44482", "2025-10-15", "44484", "2025-10-12"]);
        assert_eq!(beside_dates.excel_epoch, Some(ExcelEpoch::Year1904));
    }
}
