//! Numbers that identify an organisation or a place: registration numbers, VAT numbers, postal codes.

use crate::{
    blank::{compatibility_form, is_blank, trim_blank},
    country::parse_country,
    kernel::{FieldRule, Outcome, RuleCounts},
    placeholder::{is_placeholder, no_value},
};

/// Longest identifier that is believed to be one, in characters.
const LONGEST_IDENTIFIER: usize = 40;

/// Kinds of enterprise in South African registration numbers, the two digits behind the last slash.
///
/// 06 public, 07 private, 08 non-profit, 09 limited by guarantee, 10 external, 11 external non-profit, 12 unlimited-liability,
/// 20 and 22 converted entities, 21 personal liability, 23 close corporation, 24 to 26 co-operatives, 30 and 31 state-owned.
const SOUTH_AFRICAN_KINDS: &[u8] = &[6, 7, 8, 9, 10, 11, 12, 20, 21, 22, 23, 24, 25, 26, 30, 31];

/// The canonical form of a value and the codes of the steps that led to it.
type Canonical = Result<(String, &'static str), &'static str>;

/// Brings a company registration number into its country's form; `country` is an ISO 3166-1 two-letter code.
///
/// South Africa: `2010/723120/07` (year, six digits, kind of enterprise), also from `CK2001/012345/23`, from numbers without
/// slashes or with a two-digit year. United Kingdom: eight characters. Elsewhere: upper case without outer or doubled blanks.
///
/// # Errors
/// The code of the reason, such as `registration.format`; `registration.empty` when the value means "no value".
pub fn parse_registration_number(value: &str, country: Option<&str>) -> Result<String, &'static str> {
    let text = tidy(value).ok_or("registration.empty")?;
    let (number, _) = match country {
        Some("ZA") => south_african_registration(&text),
        Some("GB") => british_registration(&text),
        _ => generic(&text, "registration.format"),
    }?;
    Ok(number)
}

/// Brings a VAT number into its country's form and checks its check digit where the country has a published one.
///
/// South Africa: ten digits, the first a 4, the last a Luhn check digit. European Union, United Kingdom, Norway and
/// Switzerland: with the country's prefix, as in `DE136695976`. Elsewhere: upper case without blanks.
///
/// # Errors
/// The code of the reason, such as `vat.check_digit`; `vat.empty` when the value means "no value".
pub fn parse_vat_number(value: &str, country: Option<&str>) -> Result<String, &'static str> {
    let text = tidy(value).ok_or("vat.empty")?;
    vat(&text, country).map(|(number, _)| number)
}

/// Brings a postal code into its country's form; `country` is an ISO 3166-1 two-letter code.
///
/// Leading zeros that a spreadsheet took are put back where all codes of the country have one length.
///
/// # Errors
/// The code of the reason, such as `postal_code.format`; `postal_code.empty` when the value means "no value".
pub fn parse_postal_code(value: &str, country: Option<&str>) -> Result<String, &'static str> {
    let text = tidy(value).ok_or("postal_code.empty")?;
    postal_code(&text, country).map(|(code, _)| code)
}

/// Trims, folds compatibility characters and takes off a `.0` tail; nothing for a value that means "no value".
fn tidy(value: &str) -> Option<String> {
    let trimmed = trim_blank(value);
    if is_placeholder(trimmed) {
        return None;
    }
    let mut text = compatibility_form(trimmed).unwrap_or_else(|| trimmed.to_owned());
    if let Some(whole) = text.strip_suffix(".0").filter(|whole| is_digits(whole)) {
        text.truncate(whole.len());
    }
    Some(text)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the letters and digits of a text in upper case.
fn compact(text: &str) -> String {
    text.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// Takes off a label such as `Reg. No:` or `VAT nr`.
fn without_label<'a>(text: &'a str, labels: &[&str]) -> &'a str {
    let mut rest = text;
    loop {
        let word_length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let word = &rest[..word_length];
        if word.is_empty() || !labels.iter().any(|label| label.eq_ignore_ascii_case(word)) {
            return rest;
        }
        let behind = rest[word_length..]
            .trim_start_matches(|character: char| is_blank(character) || matches!(character, '.' | ':' | '#' | '-'));
        if behind.is_empty() {
            return rest;
        }
        rest = behind;
    }
}

fn generic(text: &str, reason: &'static str) -> Canonical {
    let mut number = String::with_capacity(text.len());
    for word in text.split(is_blank).filter(|word| !word.is_empty()) {
        if !number.is_empty() {
            number.push(' ');
        }
        number.extend(word.chars().flat_map(char::to_uppercase));
    }
    // A capital can be written in pieces that compose.
    if let Some(composed) = compatibility_form(&number) {
        number = composed;
    }
    if number.chars().count() > LONGEST_IDENTIFIER || !number.chars().any(char::is_numeric) {
        return Err(reason);
    }
    Ok((number, "identifier.upper_case"))
}

const REGISTRATION_LABELS: &[&str] = &[
    "reg",
    "registration",
    "regn",
    "no",
    "number",
    "nr",
    "co",
    "company",
    "ck",
    "cc",
    "k",
    "m",
    "crn",
    "cipc",
    "cipro",
    "regno",
];

fn south_african_registration(text: &str) -> Canonical {
    let bare = without_label(text, REGISTRATION_LABELS);
    let groups: Vec<&str> =
        bare.split(|character: char| !character.is_ascii_alphanumeric()).filter(|group| !group.is_empty()).collect();
    let all_digits = |groups: &[&str]| groups.iter().all(|group| is_digits(group));
    let (year, sequence, kind, code) = match groups[..] {
        [year, sequence, kind] if all_digits(&groups) => (year, sequence, kind, "registration.format"),
        [digits] if is_digits(digits) && digits.len() == 12 => {
            (&digits[..4], &digits[4..10], &digits[10..], "registration.slashes")
        }
        [year, rest] if all_digits(&groups) && year.len() == 4 && rest.len() == 8 => {
            (year, &rest[..6], &rest[6..], "registration.slashes")
        }
        [rest, kind] if all_digits(&groups) && rest.len() == 10 && kind.len() == 2 => {
            (&rest[..4], &rest[4..], kind, "registration.slashes")
        }
        [_, _] if all_digits(&groups) => return Err("registration.no_kind"),
        [digits] if is_digits(digits) && digits.len() == 10 => return Err("registration.no_kind"),
        _ => return Err("registration.format"),
    };
    let (year, code) = match (year.len(), year.parse::<u16>()) {
        (4, Ok(year)) => (year, code),
        // Numbers with two-digit years were issued until 1999.
        (2, Ok(year)) => (1900 + year, "registration.year"),
        _ => return Err("registration.year_format"),
    };
    if !(1850..=2099).contains(&year) {
        return Err("registration.year_range");
    }
    let kind: u8 = kind.parse().map_err(|_| "registration.kind")?;
    if !SOUTH_AFRICAN_KINDS.contains(&kind) {
        return Err("registration.kind");
    }
    let sequence = sequence.trim_start_matches('0');
    if sequence.is_empty() || sequence.len() > 6 {
        return Err("registration.sequence");
    }
    Ok((format!("{year}/{sequence:0>6}/{kind:02}"), code))
}

fn british_registration(text: &str) -> Canonical {
    const PREFIXES: &[&str] = &[
        "AC", "CE", "CS", "FC", "FE", "GE", "GN", "GS", "IC", "IP", "LP", "NA", "NC", "NF", "NI", "NL", "NO", "NP",
        "NR", "NZ", "OC", "OE", "PC", "R", "RC", "RS", "SA", "SC", "SE", "SF", "SG", "SI", "SL", "SO", "SP", "SR",
        "SZ", "ZC",
    ];
    let number = compact(text);
    let number = number
        .strip_prefix("CRN")
        .or_else(|| number.strip_prefix("COMPANYNO"))
        .or_else(|| number.strip_prefix("REGNO"))
        .unwrap_or(&number);
    let prefix_length = number.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (prefix, digits) = number.split_at(prefix_length);
    let width = 8_usize.saturating_sub(prefix.len());
    if !is_digits(digits)
        || digits.len() > width
        || digits.bytes().all(|byte| byte == b'0')
        || digits.len() < 4 && prefix.is_empty()
    {
        return Err("registration.format");
    }
    if !prefix.is_empty() && !PREFIXES.contains(&prefix) {
        return Err("registration.kind");
    }
    Ok((format!("{prefix}{digits:0>width$}"), "registration.format"))
}

const VAT_LABELS: &[&str] =
    &["vat", "btw", "mwst", "tva", "iva", "no", "nr", "number", "reg", "registration", "id", "ustid", "ust"];

fn vat(text: &str, country: Option<&str>) -> Canonical {
    // `NO` is a country and a label, so labels come off only where the whole value is no number.
    let labelled = without_label(text, VAT_LABELS);
    match bare_vat(text, country) {
        Err(_) if labelled.len() != text.len() => bare_vat(labelled, country),
        Ok(_) if labelled.len() != text.len() && known_prefix(&compact(text)).is_none() => bare_vat(labelled, country),
        parsed => parsed,
    }
}

/// Returns the country that a number's first letters name, where its VAT numbers are known.
fn known_prefix(number: &str) -> Option<&str> {
    let prefix = number.get(..2)?;
    // Greece writes EL.
    let country = if prefix == "EL" { "GR" } else { prefix };
    vat_format(country).map(|_| country)
}

fn bare_vat(text: &str, country: Option<&str>) -> Canonical {
    let number = compact(text);
    if !number.is_ascii() {
        return Err("vat.format");
    }
    // The prefix tells the country better than the column does.
    let stated = known_prefix(&number);
    let Some(country) = stated.or(country) else { return generic(text, "vat.format") };
    let body = if stated.is_some() { &number[2..] } else { &number[..] };
    if country == "ZA" {
        return south_african_vat(body);
    }
    let Some(check) = vat_format(country) else { return generic(&number, "vat.format") };
    check(body)?;
    let prefix = if country == "GR" { "EL" } else { country };
    Ok((format!("{prefix}{body}"), "vat.format_changed"))
}

fn south_african_vat(body: &str) -> Canonical {
    if !is_digits(body) || body.len() != 10 {
        return Err("vat.format");
    }
    if !body.starts_with('4') {
        return Err("vat.first_digit");
    }
    if luhn(body) { Ok((body.to_owned(), "vat.format_changed")) } else { Err("vat.check_digit") }
}

/// Whether the last digit is the Luhn check digit (ISO/IEC 7812-1, annex B) of those before.
fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, byte)| {
            let digit = u32::from(byte - b'0');
            if index % 2 == 0 {
                digit
            } else if digit > 4 {
                digit * 2 - 9
            } else {
                digit * 2
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Returns the sum of digits times weights.
fn weighted(digits: &str, weights: &[u32]) -> u32 {
    digits.bytes().zip(weights).map(|(byte, weight)| u32::from(byte.saturating_sub(b'0')) * weight).sum()
}

fn number_at(digits: &str, range: std::ops::Range<usize>) -> u32 {
    digits.get(range).and_then(|text| text.parse().ok()).unwrap_or(u32::MAX)
}

type VatCheck = fn(&str) -> Result<(), &'static str>;

/// Asserts the shape of a number, then its check digit.
fn checked(format: bool, check: impl FnOnce() -> bool) -> Result<(), &'static str> {
    if !format {
        Err("vat.format")
    } else if check() {
        Ok(())
    } else {
        Err("vat.check_digit")
    }
}

/// Returns the check of a country's VAT numbers, without the prefix.
///
/// Shapes are those the European Commission publishes for VIES; check digits are verified where their rule is public.
#[expect(clippy::too_many_lines, reason = "one short arm a country")]
fn vat_format(country: &str) -> Option<VatCheck> {
    fn digits(body: &str, length: usize) -> bool {
        body.len() == length && is_digits(body)
    }
    Some(match country {
        "AT" => |body| {
            let number = body.strip_prefix('U').unwrap_or_default();
            checked(digits(number, 8), || {
                let sum: u32 = number
                    .bytes()
                    .take(7)
                    .enumerate()
                    .map(|(index, byte)| {
                        let digit = u32::from(byte - b'0');
                        if index % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
                    })
                    .sum();
                (96 - sum) % 10 == number_at(number, 7..8)
            })
        },
        "BE" => |body| {
            checked(digits(body, 10) && body.starts_with(['0', '1']), || {
                97 - number_at(body, 0..8) % 97 == number_at(body, 8..10)
            })
        },
        "BG" => |body| checked(digits(body, 9) || digits(body, 10), || true),
        "CH" => |body| {
            let number =
                body.trim_start_matches('E').trim_end_matches("MWST").trim_end_matches("TVA").trim_end_matches("IVA");
            checked(body.starts_with('E') && digits(number, 9), || {
                (11 - weighted(&number[..8], &[5, 4, 3, 2, 7, 6, 5, 4]) % 11) % 11 == number_at(number, 8..9)
            })
        },
        "CY" => |body| {
            checked(
                body.len() == 9
                    && is_digits(&body[..8.min(body.len())])
                    && body.ends_with(|last: char| last.is_ascii_uppercase()),
                || true,
            )
        },
        "CZ" => |body| {
            checked(is_digits(body) && (8..=10).contains(&body.len()), || {
                body.len() != 8
                    || (11 - weighted(&body[..7], &[8, 7, 6, 5, 4, 3, 2]) % 11) % 10 == number_at(body, 7..8)
            })
        },
        "DE" => |body| {
            checked(digits(body, 9) && !body.starts_with('0'), || {
                let product = body.bytes().take(8).fold(10, |product, byte| {
                    let sum = (u32::from(byte - b'0') + product) % 10;
                    (if sum == 0 { 10 } else { sum }) * 2 % 11
                });
                (11 - product) % 10 == number_at(body, 8..9)
            })
        },
        "DK" => |body| checked(digits(body, 8), || weighted(body, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)),
        "EE" => |body| checked(digits(body, 9), || weighted(body, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)),
        "ES" => |body| {
            checked(
                body.len() == 9
                    && body.is_ascii()
                    && is_digits(&body[1..8])
                    && (body.as_bytes()[0].is_ascii_alphabetic() || body.as_bytes()[8].is_ascii_alphabetic()),
                || true,
            )
        },
        "FI" => |body| {
            checked(digits(body, 8), || {
                (11 - weighted(&body[..7], &[7, 9, 10, 5, 8, 4, 2]) % 11) % 11 == number_at(body, 7..8)
            })
        },
        "FR" => |body| {
            checked(body.len() == 11 && body.is_ascii() && is_digits(&body[2..]), || {
                // Keys with letters follow another rule; the number behind them is checked in both.
                luhn(&body[2..])
                    && (!is_digits(&body[..2]) || (number_at(body, 2..11) % 97 * 3 + 12) % 97 == number_at(body, 0..2))
            })
        },
        "GB" => |body| {
            checked(digits(body, 9) || digits(body, 12), || {
                let sum = weighted(&body[..7], &[8, 7, 6, 5, 4, 3, 2]) + number_at(body, 7..9);
                sum.is_multiple_of(97) || (sum + 55).is_multiple_of(97)
            })
        },
        "GR" => |body| {
            checked(digits(body, 9), || {
                weighted(&body[..8], &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10 == number_at(body, 8..9)
            })
        },
        "HR" => |body| {
            checked(digits(body, 11), || {
                let product = body.bytes().take(10).fold(10, |product, byte| {
                    let sum = (u32::from(byte - b'0') + product) % 10;
                    (if sum == 0 { 10 } else { sum }) * 2 % 11
                });
                (11 - product) % 10 == number_at(body, 10..11)
            })
        },
        "HU" => |body| checked(digits(body, 8), || weighted(body, &[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10)),
        "IE" => |body| {
            checked(
                (8..=9).contains(&body.len())
                    && body.is_ascii()
                    && body.as_bytes()[0].is_ascii_digit()
                    && is_digits(&body[2..7]),
                || true,
            )
        },
        "IT" => |body| checked(digits(body, 11), || luhn(body)),
        "LT" => |body| checked(digits(body, 9) || digits(body, 12), || true),
        "LU" => |body| checked(digits(body, 8), || number_at(body, 0..6) % 89 == number_at(body, 6..8)),
        "LV" => |body| checked(digits(body, 11), || true),
        "MT" => |body| checked(digits(body, 8), || weighted(body, &[3, 4, 6, 7, 8, 9, 10, 1]).is_multiple_of(37)),
        "NL" => |body| {
            checked(
                body.len() == 12
                    && body.is_ascii()
                    && &body[9..10] == "B"
                    && is_digits(&body[10..])
                    && is_digits(&body[..9]),
                || {
                    // Since 2020 sole traders have a number checked modulo 97 over the letters as well.
                    weighted(&body[..8], &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == number_at(body, 8..9)
                        || modulo_97(&format!("NL{body}")) == 1
                },
            )
        },
        "NO" => |body| {
            let number = body.strip_suffix("MVA").unwrap_or(body);
            checked(digits(number, 9), || {
                (11 - weighted(&number[..8], &[3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11 == number_at(number, 8..9)
            })
        },
        "PL" => |body| {
            checked(digits(body, 10), || {
                weighted(&body[..9], &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == number_at(body, 9..10)
            })
        },
        "PT" => |body| {
            checked(digits(body, 9), || {
                let check = 11 - weighted(&body[..8], &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
                (if check > 9 { 0 } else { check }) == number_at(body, 8..9)
            })
        },
        "RO" => |body| {
            checked(is_digits(body) && (2..=10).contains(&body.len()), || {
                let padded = format!("{body:0>10}");
                weighted(&padded[..9], &[7, 5, 3, 2, 1, 7, 5, 3, 2]) * 10 % 11 % 10 == number_at(&padded, 9..10)
            })
        },
        "SE" => |body| checked(digits(body, 12), || luhn(&body[..10])),
        "SI" => |body| {
            checked(digits(body, 8) && !body.starts_with('0'), || {
                let check = 11 - weighted(&body[..7], &[8, 7, 6, 5, 4, 3, 2]) % 11;
                (if check == 10 { 0 } else { check }) == number_at(body, 7..8)
            })
        },
        "SK" => |body| checked(digits(body, 10), || body.parse::<u64>().is_ok_and(|number| number.is_multiple_of(11))),
        "ZA" => |body| south_african_vat(body).map(|_| ()),
        _ => return None,
    })
}

/// Returns a text modulo 97, letters counting from A = 10.
fn modulo_97(text: &str) -> u32 {
    text.chars()
        .filter_map(|character| character.to_digit(36))
        .fold(0, |rest, digit| (rest * if digit > 9 { 100 } else { 10 } + digit) % 97)
}

/// Shape of the postal codes of a country: `9` is a digit, `A` a letter, other characters stand for themselves.
fn postal_code_shapes(country: &str) -> Option<&'static [&'static str]> {
    Some(match country {
        "ZA" | "AT" | "AU" | "BE" | "BG" | "CH" | "CY" | "DK" | "HU" | "LU" | "LV" | "MZ" | "NO" | "NZ" | "PH"
        | "SI" | "TN" => &["9999"],
        "DE" | "ES" | "EE" | "FI" | "FR" | "HR" | "ID" | "IT" | "KE" | "LT" | "MX" | "MY" | "NA" | "SA" | "TH"
        | "TR" | "UA" | "ZM" => &["99999"],
        "CN" | "IN" | "NG" | "RO" | "RU" | "SG" => &["999999"],
        "US" => &["99999", "99999-9999"],
        "GB" => &["A9 9AA", "A99 9AA", "AA9 9AA", "AA99 9AA", "A9A 9AA", "AA9A 9AA"],
        "CA" => &["A9A 9A9"],
        "NL" => &["9999 AA"],
        "BR" => &["99999-999"],
        "PT" => &["9999-999"],
        "PL" => &["99-999"],
        "JP" => &["999-9999"],
        "CZ" | "GR" | "SE" | "SK" => &["999 99"],
        "IE" => &["A99 ****", "A9A ****"],
        "LS" | "IS" => &["999"],
        "SZ" => &["A999"],
        _ => return None,
    })
}

fn postal_code(text: &str, country: Option<&str>) -> Canonical {
    let Some((country, shapes)) = country.and_then(|country| Some((country, postal_code_shapes(country)?))) else {
        return generic_postal_code(text);
    };
    let mut code = compact(text);
    if let Some(rest) = code.strip_prefix(country).filter(|rest| is_digits(rest)) {
        code = rest.to_owned();
    }
    let symbols = |shape: &str| shape.chars().filter(|symbol| !matches!(symbol, ' ' | '-')).count();
    let shortest = shapes.iter().map(|shape| symbols(shape)).min().unwrap_or_default();
    let mut step = "postal_code.format_changed";
    let all_nines = shapes.iter().all(|shape| !shape.contains('A'));
    if all_nines && is_digits(&code) && code.len() < shortest && !code.bytes().all(|byte| byte == b'0') {
        step = "postal_code.leading_zeros";
        code = format!("{code:0>shortest$}");
    }
    if all_nines && code.bytes().all(|byte| byte == b'0') {
        return Err("postal_code.zeros");
    }
    let shaped = shapes.iter().find_map(|shape| fill(shape, &code)).ok_or("postal_code.format")?;
    Ok((shaped, step))
}

/// Writes a code into a shape, or nothing when it does not fit.
fn fill(shape: &str, code: &str) -> Option<String> {
    let mut rest = code.chars();
    let mut filled = String::with_capacity(shape.len());
    for symbol in shape.chars() {
        let fits: fn(&char) -> bool = match symbol {
            '9' => char::is_ascii_digit,
            'A' => char::is_ascii_uppercase,
            '*' => char::is_ascii_alphanumeric,
            other => {
                filled.push(other);
                continue;
            }
        };
        filled.push(rest.next().filter(fits)?);
    }
    rest.next().is_none().then_some(filled)
}

fn generic_postal_code(text: &str) -> Canonical {
    let (code, _) = generic(text, "postal_code.format")?;
    if code.chars().count() > 12 { Err("postal_code.format") } else { Ok((code, "postal_code.format_changed")) }
}

/// Writes a parsed value into the scratch text and counts the step when it changed.
fn settle(parsed: Canonical, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
    match parsed {
        Ok((canonical, _)) if canonical == value => Outcome::Same,
        Ok((canonical, code)) => {
            counts.add(code);
            scratch.push_str(&canonical);
            Outcome::Changed
        }
        Err(reason) => Outcome::Failed(reason),
    }
}

fn alpha2(country: Option<&str>) -> Option<&'static str> {
    country.and_then(|country| parse_country(country).ok()).map(|country| country.alpha2)
}

/// The rule for company registration numbers; see [`parse_registration_number`].
#[derive(Debug, Clone, Copy, Default)]
pub struct RegistrationNumberRule {
    country: Option<&'static str>,
}

impl RegistrationNumberRule {
    /// Returns the rule for a country, given by code or name.
    pub fn new(country: Option<&str>) -> Self {
        Self { country: alpha2(country) }
    }
}

impl FieldRule for RegistrationNumberRule {
    fn apply(&self, _row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        if self.country == Some("ZA") && is_plain_south_african(value.as_bytes()) {
            return Outcome::Same;
        }
        let Some(text) = tidy(value) else { return no_value(value, counts) };
        let parsed = match self.country {
            Some("ZA") => south_african_registration(&text),
            Some("GB") => british_registration(&text),
            _ => generic(&text, "registration.format"),
        };
        settle(parsed, value, scratch, counts)
    }
}

/// Whether a registration number is canonical, by bytes.
fn is_plain_south_african(bytes: &[u8]) -> bool {
    let &[y1, y2, y3, y4, b'/', s1, s2, s3, s4, s5, s6, b'/', k1, k2] = bytes else { return false };
    let sequence = [s1, s2, s3, s4, s5, s6];
    let digits = [y1, y2, y3, y4, k1, k2].iter().chain(&sequence).all(u8::is_ascii_digit);
    let year = [y1, y2, y3, y4];
    digits
        && (*b"1850"..=*b"2099").contains(&year)
        && sequence != *b"000000"
        && SOUTH_AFRICAN_KINDS.contains(&((k1 - b'0') * 10 + (k2 - b'0')))
}

/// The rule for VAT numbers; see [`parse_vat_number`].
#[derive(Debug, Clone, Copy, Default)]
pub struct VatNumberRule {
    country: Option<&'static str>,
}

impl VatNumberRule {
    /// Returns the rule for a country, given by code or name.
    pub fn new(country: Option<&str>) -> Self {
        Self { country: alpha2(country) }
    }
}

impl FieldRule for VatNumberRule {
    fn apply(&self, _row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        let Some(text) = tidy(value) else { return no_value(value, counts) };
        settle(vat(&text, self.country), value, scratch, counts)
    }
}

/// The rule for postal codes; see [`parse_postal_code`].
#[derive(Debug, Clone, Copy, Default)]
pub struct PostalCodeRule {
    country: Option<&'static str>,
}

impl PostalCodeRule {
    /// Returns the rule for a country, given by code or name.
    pub fn new(country: Option<&str>) -> Self {
        Self { country: alpha2(country) }
    }
}

impl FieldRule for PostalCodeRule {
    fn apply(&self, _row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        if self.country == Some("ZA") && value.len() == 4 && is_digits(value) && value != "0000" {
            return Outcome::Same;
        }
        let Some(text) = tidy(value) else { return no_value(value, counts) };
        settle(postal_code(&text, self.country), value, scratch, counts)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn south_african_registration_numbers() {
        let check = |input: &str, expected: Result<&str, &'static str>| {
            assert_eq!(
                parse_registration_number(input, Some("ZA")).as_deref().map_err(|reason| *reason),
                expected,
                "{input}"
            );
        };
        check("2010/723120/07", Ok("2010/723120/07"));
        check(" 2010/723120/07 ", Ok("2010/723120/07"));
        check("2010 / 723120 / 07", Ok("2010/723120/07"));
        check("2010-723120-07", Ok("2010/723120/07"));
        check("2010\\723120\\07", Ok("2010/723120/07"));
        check("201072312007", Ok("2010/723120/07"));
        check("2010723120/07", Ok("2010/723120/07"));
        check("2010/72312007", Ok("2010/723120/07"));
        check("CK2001/012345/23", Ok("2001/012345/23"));
        check("CK 2001/12345/23", Ok("2001/012345/23"));
        check("ck98/12345/23", Ok("1998/012345/23"));
        check("98/01234/07", Ok("1998/001234/07"));
        check("Reg. No: 2010/723120/07", Ok("2010/723120/07"));
        check("Reg No 2010/723120/7", Ok("2010/723120/07"));
        check("K2013/123456/07", Ok("2013/123456/07"));
        check("2010/723120/08", Ok("2010/723120/08"));
        check("1901/000001/06", Ok("1901/000001/06"));
        check("2010/723120/99", Err("registration.kind"));
        check("2010/723120", Err("registration.no_kind"));
        check("K2013123456", Err("registration.no_kind"));
        check("2010/000000/07", Err("registration.sequence"));
        check("2010/7231201/07", Err("registration.sequence"));
        check("1500/723120/07", Err("registration.year_range"));
        check("210/723120/07", Err("registration.year_format"));
        check("pending", Err("registration.format"));
        check("n/a", Err("registration.empty"));
    }

    #[test]
    fn other_registration_numbers() {
        let check = |country: Option<&str>, input: &str, expected: Result<&str, &'static str>| {
            assert_eq!(
                parse_registration_number(input, country).as_deref().map_err(|reason| *reason),
                expected,
                "{input}"
            );
        };
        check(Some("GB"), "1234567", Ok("01234567"));
        check(Some("GB"), "01234567", Ok("01234567"));
        check(Some("GB"), "sc 123456", Ok("SC123456"));
        check(Some("GB"), "OC301234", Ok("OC301234"));
        check(Some("GB"), "XX123456", Err("registration.kind"));
        check(Some("GB"), "123456789", Err("registration.format"));
        check(Some("DE"), "hrb  12345", Ok("HRB 12345"));
        check(None, " abc 1 ", Ok("ABC 1"));
        check(None, "no digits", Err("registration.format"));
    }

    #[test]
    fn vat_numbers() {
        let check = |country: Option<&str>, input: &str, expected: Result<&str, &'static str>| {
            assert_eq!(parse_vat_number(input, country).as_deref().map_err(|reason| *reason), expected, "{input}");
        };
        check(Some("ZA"), "4220119988", Ok("4220119988"));
        check(Some("ZA"), "VAT no: 4220 119 988", Ok("4220119988"));
        check(Some("ZA"), "ZA4220119988", Ok("4220119988"));
        check(Some("ZA"), "4220119988.0", Ok("4220119988"));
        check(Some("ZA"), "4220119989", Err("vat.check_digit"));
        check(Some("ZA"), "5220119988", Err("vat.first_digit"));
        check(Some("ZA"), "422011998", Err("vat.format"));
        check(Some("ZA"), "none", Err("vat.empty"));
        // Numbers given as examples in public documentation of the formats.
        check(Some("DE"), "DE136695976", Ok("DE136695976"));
        check(Some("DE"), "136 695 976", Ok("DE136695976"));
        check(Some("DE"), "136695977", Err("vat.check_digit"));
        check(None, "ATU13585627", Ok("ATU13585627"));
        check(None, "BE0403019261", Ok("BE0403019261"));
        check(None, "DK13585628", Ok("DK13585628"));
        check(None, "EE100931558", Ok("EE100931558"));
        check(None, "EL094259216", Ok("EL094259216"));
        check(Some("GR"), "094259216", Ok("EL094259216"));
        check(None, "FI20774740", Ok("FI20774740"));
        check(None, "FR40303265045", Ok("FR40303265045"));
        check(None, "GB980780684", Ok("GB980780684"));
        check(None, "HR33392005961", Ok("HR33392005961"));
        check(None, "HU12892312", Ok("HU12892312"));
        check(None, "IT00743110157", Ok("IT00743110157"));
        check(None, "LU15027442", Ok("LU15027442"));
        check(None, "MT11679112", Ok("MT11679112"));
        check(None, "NL004495445B01", Ok("NL004495445B01"));
        check(None, "PL8567346215", Ok("PL8567346215"));
        check(None, "PT501964843", Ok("PT501964843"));
        check(None, "RO18547290", Ok("RO18547290"));
        check(None, "SE123456789701", Ok("SE123456789701"));
        check(None, "SI50223054", Ok("SI50223054"));
        check(None, "SK2022749619", Ok("SK2022749619"));
        check(None, "CHE-100.155.212", Ok("CHE100155212"));
        check(None, "NO 995 525 828 MVA", Ok("NO995525828MVA"));
        check(Some("US"), "12-3456789", Ok("123456789"));
    }

    #[test]
    fn postal_codes() {
        let check = |country: Option<&str>, input: &str, expected: Result<&str, &'static str>| {
            assert_eq!(
                parse_postal_code(input, country).as_deref().map_err(|reason| *reason),
                expected,
                "{country:?} {input}"
            );
        };
        check(Some("ZA"), "2196", Ok("2196"));
        check(Some("ZA"), "52", Ok("0052"));
        check(Some("ZA"), "1", Ok("0001"));
        check(Some("ZA"), "2196.0", Ok("2196"));
        check(Some("ZA"), " 2196 ", Ok("2196"));
        check(Some("ZA"), "ZA-2196", Ok("2196"));
        check(Some("ZA"), "21960", Err("postal_code.format"));
        check(Some("ZA"), "0000", Err("postal_code.zeros"));
        check(Some("ZA"), "21a6", Err("postal_code.format"));
        check(Some("ZA"), "-", Err("postal_code.empty"));
        check(Some("US"), "2139", Ok("02139"));
        check(Some("US"), "02139-4307", Ok("02139-4307"));
        check(Some("US"), "021394307", Ok("02139-4307"));
        check(Some("GB"), "sw1a1aa", Ok("SW1A 1AA"));
        check(Some("GB"), "M1 1AE", Ok("M1 1AE"));
        check(Some("GB"), "12345", Err("postal_code.format"));
        check(Some("CA"), "k1a0b1", Ok("K1A 0B1"));
        check(Some("NL"), "1012ab", Ok("1012 AB"));
        check(Some("DE"), "1067", Ok("01067"));
        check(Some("DE"), "D-01067", Err("postal_code.format"));
        check(Some("BR"), "01310100", Ok("01310-100"));
        check(Some("PT"), "1000205", Ok("1000-205"));
        check(Some("SE"), "11455", Ok("114 55"));
        check(None, "ab 12", Ok("AB 12"));
    }

    #[test]
    fn the_fast_path_agrees_with_the_parser() {
        let rule = RegistrationNumberRule::new(Some("ZA"));
        for input in
            ["2010/723120/07", "2010/723120/99", "2110/723120/07", "2010/000000/07", "2010/723120/7", "1849/723120/07"]
        {
            let outcome = rule.apply(0, input, &mut String::new(), &mut RuleCounts::default());
            let parsed = parse_registration_number(input, Some("ZA"));
            assert_eq!(outcome == Outcome::Same, parsed.as_deref() == Ok(input), "{input}");
        }
    }

    proptest! {
        #[test]
        fn canonical_forms_stay_and_nothing_panics(text in "\\PC{0,24}|[0-9/ .CK-]{0,18}|(DE|NL|CH|ES|CY|IE|GB|FR)?[0-9A-Zé]{0,13}", country in "ZA|GB|DE|ES|CY|NL|FR|IE|US") {
            let country = Some(country.as_str());
            if let Ok(number) = parse_registration_number(&text, country) {
                prop_assert_eq!(parse_registration_number(&number, country), Ok(number.clone()));
            }
            if let Ok(number) = parse_vat_number(&text, country) {
                prop_assert_eq!(parse_vat_number(&number, country), Ok(number.clone()));
            }
            if let Ok(code) = parse_postal_code(&text, country) {
                prop_assert_eq!(parse_postal_code(&code, country), Ok(code.clone()));
            }
        }
    }
}
