//! What becomes of a personal value: redacted, masked, hashed, tokenised, generalised.

use std::borrow::Cow;
use std::fmt;

pub use hotpass_core::operator::{Generalisation, Operator, UnknownOperator};

use crate::class::DataClass;
use crate::detect::Detector;
use crate::error::OperatorError;
use crate::key::PrivacyKey;

/// What stands in place of a value that was taken out.
pub const REDACTED: &str = "[redacted]";

/// Applies operators: holds the key, and the recognisers for what stands within a text.
pub struct Applier {
    key: Option<PrivacyKey>,
    detector: Detector,
    normal_form: Option<Box<NormalForm>>,
}

/// What gives the form in which values of a class are equal; nothing where a value has none.
type NormalForm = dyn Fn(DataClass, &str) -> Option<String> + Send + Sync;

impl fmt::Debug for Applier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applier").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Applier {
    /// Makes an applier.
    ///
    /// # Errors
    ///
    /// Returns [`OperatorError::NoKey`] when one of the operators needs a key and there is none.
    pub fn new(operators: impl IntoIterator<Item = Operator>, key: Option<PrivacyKey>) -> Result<Self, OperatorError> {
        if key.is_none()
            && let Some(operator) = operators.into_iter().find(|operator| operator.needs_key())
        {
            return Err(OperatorError::NoKey { operator: operator.name() });
        }
        Ok(Self { key, detector: Detector::new(), normal_form: None })
    }

    /// Sets what gives the form in which values of a class are equal: hashes and tokens are of that form, so that a number has one
    /// hash however it is written. Addresses are compared in small letters without it.
    #[must_use]
    pub fn with_normal_form(mut self, of: impl Fn(DataClass, &str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.normal_form = Some(Box::new(of));
        self
    }

    fn normal<'t>(&self, class: Option<DataClass>, value: &'t str) -> Cow<'t, str> {
        let Some(class) = class else { return Cow::Borrowed(value) };
        let given = self.normal_form.as_ref().and_then(|normal| normal(class, value));
        match given {
            Some(given) => Cow::Owned(given),
            None if class == DataClass::Email => Cow::Owned(value.trim().to_lowercase()),
            None => Cow::Borrowed(value),
        }
    }

    /// Returns the recognisers.
    pub fn detector(&self) -> &Detector {
        &self.detector
    }

    /// Returns what becomes of a value. What cannot be generalised, hashed or tokenised is redacted.
    ///
    /// `context` is the class's name, or the column's where it has no class: equal values of a context become equal.
    pub fn apply(&self, operator: Operator, class: Option<DataClass>, context: &str, value: &str) -> String {
        match operator {
            Operator::Keep => value.to_owned(),
            Operator::Redact => REDACTED.to_owned(),
            Operator::Mask => mask_middle(value),
            Operator::Hash => {
                let value = self.normal(class, value);
                self.key.as_ref().map_or_else(|| REDACTED.to_owned(), |key| key.hash(context, &value))
            }
            Operator::Tokenise => {
                let value = self.normal(class, value);
                self.key.as_ref().map_or_else(|| REDACTED.to_owned(), |key| key.tokenise(context, &value))
            }
            Operator::Generalise(how) => generalise(how, class, value).unwrap_or_else(|| REDACTED.to_owned()),
            Operator::RedactSpans => self.replace_spans(value, &[], |_| Some(Operator::RedactSpans)).into_owned(),
        }
    }

    /// Replaces what is found within a text by what the operator of its class makes of it; classes without one stay.
    ///
    /// `people` are names of persons of whom the text may speak: they are found although no list holds them.
    pub fn replace_spans<'t>(
        &self,
        text: &'t str,
        people: &[String],
        operator_of: impl Fn(DataClass) -> Option<Operator>,
    ) -> Cow<'t, str> {
        let spans = self.detector.spans_knowing(text, people);
        let mut replaced = String::new();
        let mut end = 0;
        for span in spans {
            let Some(operator) = operator_of(span.class) else { continue };
            replaced.push_str(&text[end..span.range.start]);
            let name = span.class.name();
            match operator {
                Operator::RedactSpans | Operator::Redact => {
                    replaced.push('[');
                    replaced.push_str(name);
                    replaced.push(']');
                }
                operator => {
                    replaced.push_str(&self.apply(operator, Some(span.class), name, &text[span.range.clone()]));
                }
            }
            end = span.range.end;
        }
        if end == 0 {
            return Cow::Borrowed(text);
        }
        replaced.push_str(&text[end..]);
        Cow::Owned(replaced)
    }
}

fn mask_middle(value: &str) -> String {
    let length = value.chars().count();
    value
        .chars()
        .enumerate()
        .map(|(position, c)| if length > 3 && (position == 0 || position + 1 == length) { c } else { '*' })
        .collect()
}

fn generalise(how: Generalisation, class: Option<DataClass>, value: &str) -> Option<String> {
    let value = value.trim();
    match how {
        Generalisation::ByClass => match class {
            Some(DataClass::Email) => generalise(Generalisation::Domain, class, value),
            Some(DataClass::Phone) => generalise(Generalisation::Country, class, value),
            Some(DataClass::Address) => generalise(Generalisation::Town, class, value),
            Some(DataClass::PersonName) => generalise(Generalisation::Initials, class, value),
            Some(DataClass::DateOfBirth) => generalise(Generalisation::Year, class, value),
            Some(DataClass::Coordinates) => coordinates(value),
            Some(DataClass::IpAddress) => network(value),
            Some(_) => None,
            // Without a class, the value's own form decides; a long number is a name of something, not a quantity.
            None => generalise(Generalisation::Year, None, value).or_else(|| {
                let digits = value.bytes().filter(u8::is_ascii_digit).count();
                let quantity = digits <= 6 && !value.starts_with(['+', '0']);
                quantity.then(|| generalise(Generalisation::Band(10), None, value)).flatten()
            }),
        },
        Generalisation::Year => year(value).map(ToOwned::to_owned),
        Generalisation::Month => {
            let year = year(value)?;
            let month = value.strip_prefix(year)?.strip_prefix('-')?.get(..2)?;
            (1..=12).contains(&month.parse::<u8>().ok()?).then(|| format!("{year}-{month}"))
        }
        Generalisation::Town => town(value),
        Generalisation::Prefix(length) => {
            let length = usize::from(length);
            // A value no longer than its prefix would stay as it is.
            (value.chars().count() > length)
                .then(|| value.chars().enumerate().map(|(at, c)| if at < length { c } else { '*' }).collect())
        }
        Generalisation::Band(width) => {
            // A band is for quantities; that of a number by which a person is known would be all but its last digit.
            let quantity =
                matches!(class, None | Some(DataClass::Demographic | DataClass::Financial | DataClass::History));
            let leading_zero = value.len() > 1 && value.starts_with('0') && !value.starts_with("0.");
            let number = value.replace([',', ' '], "").parse::<f64>().ok().filter(|number| number.is_finite())?;
            let width = f64::from(width);
            let tells = number.abs() >= 1e6 && number.abs() / width >= 1e4;
            (quantity && !leading_zero && !value.starts_with('+') && !tells && number.abs() < 9e15).then_some(())?;
            let from = (number / width).floor() * width;
            Some(format!("{from}-{}", from + width - 1.0))
        }
        Generalisation::Country => country_code(value).map(|code| format!("+{code}")),
        Generalisation::Area => {
            let code = country_code(value)?;
            let digits: String = value.chars().filter(char::is_ascii_digit).collect();
            let area = digits.strip_prefix(code.as_str())?.get(..2)?;
            Some(format!("+{code} {area}"))
        }
        Generalisation::Domain => value
            .split([';', ','])
            .map(|address| address.trim().rsplit_once('@').map(|(_, domain)| domain).filter(|domain| is_domain(domain)))
            .collect::<Option<Vec<_>>>()
            .map(|domains| domains.join(";")),
        Generalisation::Initials => {
            let initials: String = value
                .split_whitespace()
                .filter_map(|word| word.chars().find(|c| c.is_alphabetic()))
                .flat_map(|c| [c, '.'])
                .collect();
            (!initials.is_empty()).then_some(initials)
        }
    }
}

fn is_domain(text: &str) -> bool {
    text.contains('.')
        && text.split('.').all(|label| !label.is_empty())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
}

/// Returns the year of a date `YYYY-MM-DD`, or of one with day and month before it. A telephone number may end in four digits
/// that could be a year; its other parts are no day and month.
fn year(value: &str) -> Option<&str> {
    let date = value.split([' ', 'T']).next()?;
    let separator = date.find(['-', '/', '.']).map(|at| &date[at..=at])?;
    let parts: Vec<&str> = date.split(separator).collect();
    let [first, second, third] = parts.as_slice() else { return None };
    let is_year = |text: &str| {
        text.len() == 4
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && matches!(&text[..2], "18" | "19" | "20" | "21")
    };
    let is_day = |text: &str| {
        text.len() <= 2
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && text.parse::<u8>().is_ok_and(|day| (1..=31).contains(&day))
    };
    if is_year(first) && is_day(second) && is_day(third) {
        Some(first)
    } else if is_day(first) && is_day(second) && is_year(third) {
        Some(third)
    } else {
        None
    }
}

/// Returns the last part of an address that can only be a town: no code, country or province, no street, building or person.
fn town(value: &str) -> Option<String> {
    const NO_TOWNS: [&str; 16] = [
        "south africa",
        "united kingdom",
        "germany",
        "france",
        "netherlands",
        "namibia",
        "botswana",
        "gauteng",
        "western cape",
        "eastern cape",
        "northern cape",
        "kwazulu-natal",
        "limpopo",
        "mpumalanga",
        "north west",
        "free state",
    ];
    const PLACES_OF_PEOPLE: [&str; 44] = [
        "street",
        "str",
        "st",
        "straat",
        "strasse",
        "road",
        "rd",
        "avenue",
        "ave",
        "av",
        "laan",
        "drive",
        "dr",
        "lane",
        "ln",
        "close",
        "crescent",
        "cres",
        "way",
        "weg",
        "square",
        "box",
        "bag",
        "posbus",
        "unit",
        "floor",
        "flat",
        "apartment",
        "suite",
        "building",
        "block",
        "house",
        "hangar",
        "office",
        "attn",
        "attention",
        "c/o",
        "mr",
        "mrs",
        "ms",
        "prof",
        "room",
        "shop",
        "stand",
    ];
    let parts: Vec<&str> = value.split([',', ';', '\n']).map(str::trim).filter(|part| !part.is_empty()).collect();
    // An address of one part is all street or all town; nobody can tell.
    if parts.len() < 2 {
        return None;
    }
    parts.iter().skip(1).rev().find_map(|part| {
        // A postal code may stand beside the town; other digits are a number of a house.
        let is_code = |word: &str| (4..=6).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
        let words: Vec<&str> = part.split_whitespace().filter(|word| !is_code(word)).collect();
        let name = words.join(" ");
        let letters = name.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '-' | '\'' | '’' | '.'));
        let of_people = words.iter().any(|word| {
            let word = word.trim_matches('.').to_lowercase();
            PLACES_OF_PEOPLE.contains(&word.as_str())
        });
        let person = words.len() > 1 && crate::detect::is_given_name(words[0]);
        let is_town = !name.is_empty()
            && letters
            && !of_people
            && !person
            && words.len() <= 4
            && !NO_TOWNS.contains(&name.to_lowercase().as_str());
        is_town.then_some(name)
    })
}

/// Returns the country calling code of a number in international form (ITU-T E.164, list of assigned codes).
fn country_code(value: &str) -> Option<String> {
    let mut codes: Vec<String> = Vec::new();
    for number in value.split([';', ',']) {
        let digits: String = number.trim().strip_prefix('+')?.chars().filter(char::is_ascii_digit).collect();
        let length = match digits.get(..2)? {
            code if code.starts_with(['1', '7']) => 1,
            "20" | "27" | "30" | "31" | "32" | "33" | "34" | "36" | "39" | "40" | "41" | "43" | "44" | "45" | "46"
            | "47" | "48" | "49" | "51" | "52" | "53" | "54" | "55" | "56" | "57" | "58" | "60" | "61" | "62"
            | "63" | "64" | "65" | "66" | "81" | "82" | "84" | "86" | "90" | "91" | "92" | "93" | "94" | "95"
            | "98" => 2,
            _ => 3,
        };
        codes.push(digits.get(..length)?.to_owned());
    }
    codes.dedup();
    (codes.len() == 1).then(|| codes.remove(0))
}

fn coordinates(value: &str) -> Option<String> {
    let numbers: Option<Vec<f64>> = value
        .split([',', ';', ' '])
        .filter(|part| !part.is_empty())
        .map(|part| part.trim_end_matches('°').parse::<f64>().ok().filter(|number| number.abs() <= 180.0))
        .collect();
    // One number is a latitude or a longitude in a column of its own.
    let numbers = numbers.filter(|numbers| matches!(numbers.len(), 1 | 2))?;
    let texts: Vec<String> = numbers.iter().map(|number| format!("{number:.1}")).collect();
    Some(texts.join(", "))
}

fn network(value: &str) -> Option<String> {
    match value.parse().ok()? {
        std::net::IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Some(format!("{a}.{b}.{c}.0/24"))
        }
        std::net::IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            Some(format!("{a:x}:{b:x}:{c:x}::/48"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotpass_core::Secret;

    fn applier() -> Applier {
        let key = PrivacyKey::new(&Secret::new("k".repeat(32))).unwrap();
        Applier::new([Operator::Tokenise], Some(key)).unwrap()
    }

    #[test]
    fn a_missing_key_fails_before_anything_is_done() {
        let error = Applier::new([Operator::Redact, Operator::Hash], None).unwrap_err();
        assert_eq!(error, OperatorError::NoKey { operator: "hash" });
        assert!(Applier::new([Operator::Redact], None).is_ok());
    }

    #[test]
    fn values_become_less_precise_or_are_redacted() {
        let applier = applier();
        let check = |operator: &str, class: Option<DataClass>, value: &str, expected: &str| {
            let operator: Operator = operator.parse().unwrap();
            assert_eq!(applier.apply(operator, class, "x", value), expected, "{operator} {value}");
        };
        check("generalise", Some(DataClass::Email), "a.b@example.org", "example.org");
        check("generalise", Some(DataClass::Phone), "+27825550142", "+27");
        check("generalise:area", Some(DataClass::Phone), "+27115550142", "+27 11");
        check("generalise", Some(DataClass::Phone), "0825550142", REDACTED);
        check("generalise", Some(DataClass::Address), "12 Oak Ave, Sandton, 2196, Gauteng, South Africa", "Sandton");
        check("generalise", Some(DataClass::Address), "12 Oak Ave, Sandton 2196", "Sandton");
        check("generalise", Some(DataClass::Address), "12 Oak Ave", REDACTED);
        check("generalise", Some(DataClass::PersonName), "Xolile van Fictum", "X.v.F.");
        check("generalise:year", None, "2024-03-05", "2024");
        check("generalise:month", None, "2024-03-05", "2024-03");
        check("generalise:year", None, "5/3/1980", "1980");
        check("generalise:year", None, "soon", REDACTED);
        check("generalise:prefix:2", None, "2196", "21**");
        check("generalise:prefix:4", None, "2196", REDACTED);
        check("generalise:band:10", None, "37", "30-39");
        check("generalise:band:10", None, "-3", "-10--1");
        check("generalise:band:10", None, "27825550142", REDACTED);
        check("generalise:band:10", None, "0825", REDACTED);
        check("generalise:band:10", None, "+27825", REDACTED);
        check("generalise:band:10", Some(DataClass::Phone), "5550142", REDACTED);
        check("generalise:band:10", Some(DataClass::PersonNumber), "37", REDACTED);
        check("generalise:band:100000", Some(DataClass::Financial), "1 250 000", "1200000-1299999");
        check("generalise", Some(DataClass::IpAddress), "192.0.2.17", "192.0.2.0/24");
        check("generalise", Some(DataClass::Coordinates), "-26.20412, 28.04731", "-26.2, 28.0");
        check("generalise", Some(DataClass::ZaId), "8001015009087", REDACTED);
        check("mask", None, "Thabo", "T***o");
        check("mask", None, "ab", "**");
        check("keep", None, "ab", "ab");
    }

    #[test]
    fn a_value_has_one_hash_in_every_writing() {
        let key = PrivacyKey::new(&hotpass_core::Secret::new("k".repeat(32))).unwrap();
        let applier = Applier::new([Operator::Hash], Some(key)).unwrap().with_normal_form(|class, value| {
            (class == DataClass::Phone).then(|| value.replace(' ', "").replacen('0', "+27", 1))
        });
        let of = |class: DataClass, value: &str| applier.apply(Operator::Hash, Some(class), class.name(), value);
        assert_eq!(of(DataClass::Phone, "082 555 0142"), of(DataClass::Phone, "0825550142"));
        assert_eq!(of(DataClass::Email, "X@Example.org"), of(DataClass::Email, "x@example.org"));
        let text = applier.replace_spans("call 082 555 0142", &[], |_| Some(Operator::Hash));
        assert_eq!(text, format!("call {}", of(DataClass::Phone, "0825550142")));
    }

    #[test]
    fn spans_are_replaced_within_a_text() {
        let applier = applier();
        let text = "Ask a@example.org or 082 555 0142 on Monday";
        assert_eq!(applier.apply(Operator::RedactSpans, None, "notes", text), "Ask [email] or [phone] on Monday");
        let phones = applier.replace_spans(text, &[], |class| (class == DataClass::Phone).then_some(Operator::Mask));
        assert_eq!(phones, "Ask a@example.org or 0**********2 on Monday");
        assert!(matches!(applier.replace_spans("nothing here", &[], |_| Some(Operator::Redact)), Cow::Borrowed(_)));
    }
}
