//! National identity and social-security numbers, by form and check digits.
//!
//! Each check is the one that the issuing authority publishes; where it is weak or missing, a word before the number has to say
//! what it is.

use std::ops::Range;

use super::checksum::luhn;
use super::words::keyword_before;
use super::{Evidence, Span};
use crate::class::DataClass;

/// Words that stand before identity numbers, in small letters.
const ID_WORDS: &[&str] = &[
    "ssn",
    "social",
    "security",
    "soc",
    "sec",
    "ni",
    "nino",
    "insurance",
    "national",
    "dni",
    "nie",
    "nif",
    "documento",
    "identidad",
    "identificación",
    "bsn",
    "burgerservicenummer",
    "sofinummer",
    "pesel",
    "nir",
    "sécu",
    "sécurité",
    "sociale",
    "insee",
    "codice",
    "fiscale",
    "cpf",
    "contribuinte",
    "aadhaar",
    "aadhar",
    "uidai",
    "personnummer",
    "identity",
    "id",
    "ausweisnummer",
    "personalausweis",
    "identiteitsnommer",
    "identifikasie",
    "carta",
    "identità",
    "identité",
];

/// Words before German tax identification numbers.
const STEUER_WORDS: &[&str] =
    &["steuer", "steuerid", "idnr", "steueridentifikationsnummer", "identifikationsnummer", "steuernummer", "tin"];

/// Patterns of the numbers; what is found is judged by [`judge`].
pub(super) const PATTERN: &str = concat!(
    r"(?i)\b(?:",
    // United States; United Kingdom; Brazil.
    r"[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}|[a-z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[a-d]|[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}|",
    // Spain; Italy.
    r"[xyz]?-?[0-9]{7,8}-?[a-z]|[a-z]{6}[0-9]{2}[a-ehlmprst][0-9]{2}[a-z][0-9]{3}[a-z]|",
    // France.
    r"[12] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[ab]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}|",
    // Sweden; India; the numbers of nine to eleven digits.
    r"[0-9]{6}[-+][0-9]{4}|[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}|[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}|[0-9]{8,12}",
    r")\b"
);

/// Returns what a match is, or nothing.
pub(super) fn judge(text: &str, range: Range<usize>) -> Option<Span> {
    let matched = &text[range.clone()];
    let compact: Vec<u8> =
        matched.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_uppercase()).collect();
    let span = |class, confidence, evidence| Some(Span { range: range.clone(), class, confidence, evidence });
    let named = keyword_before(text, range.start, 4, ID_WORDS);
    let keyword = || span(DataClass::NationalId, 0.9, Evidence::Keyword);
    let checked = || span(DataClass::NationalId, 0.93, Evidence::Checksum);
    if compact.iter().all(u8::is_ascii_digit) {
        let grouped = matched.contains(['.', '-', ' ']);
        if compact.len() == 9 && is_ssn_form(matched) {
            return if named && ssn(&compact) { keyword() } else { None };
        }
        return match compact.len() {
            15 if nir(&compact) => checked(),
            11 if matched.contains('.') && cpf(&compact) => checked(),
            11 if keyword_before(text, range.start, 3, STEUER_WORDS) && steuer_id(&compact) => {
                span(DataClass::TaxNumber, 0.93, Evidence::Checksum)
            }
            _ if !named => None,
            11 if cpf(&compact) || pesel(&compact) => checked(),
            8 | 9 if !grouped && bsn(&compact) => checked(),
            10 if luhn(&compact) && matched.contains(['-', '+']) => checked(),
            12 if keyword_before(text, range.start, 3, &["aadhaar", "aadhar", "uidai"]) => {
                if verhoeff(&compact) {
                    checked()
                } else {
                    keyword()
                }
            }
            _ => None,
        };
    }
    match compact.len() {
        16 if codice_fiscale(&compact) => checked(),
        15 if nir(&compact) => checked(),
        9 if nino(&compact) => {
            if named {
                span(DataClass::NationalId, 0.95, Evidence::Keyword)
            } else {
                span(DataClass::NationalId, 0.8, Evidence::Pattern)
            }
        }
        9 if named && dni(&compact) => checked(),
        _ => None,
    }
}

fn value(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum, &digit| sum * 10 + u64::from(digit - b'0'))
}

fn weighted(digits: &[u8], weights: impl IntoIterator<Item = u32>) -> u32 {
    digits.iter().zip(weights).map(|(&digit, weight)| u32::from(digit - b'0') * weight).sum()
}

fn is_ssn_form(text: &str) -> bool {
    text.len() == 11 && matches!(text.as_bytes()[3], b'-' | b' ') && matches!(text.as_bytes()[6], b'-' | b' ')
}

/// United States: no area 000, 666 or from 900, no group 00, no serial 0000 (Social Security Administration, POMS RM 10201.035).
fn ssn(digits: &[u8]) -> bool {
    let area = value(&digits[..3]);
    area != 0 && area != 666 && area < 900 && value(&digits[3..5]) != 0 && value(&digits[5..]) != 0
}

/// United Kingdom: the letters that are given out (HM Revenue & Customs, NIM39110).
fn nino(text: &[u8]) -> bool {
    let (first, second) = (text[0], text[1]);
    text[..2].iter().all(u8::is_ascii_uppercase)
        && text[2..8].iter().all(u8::is_ascii_digit)
        && matches!(text[8], b'A'..=b'D')
        && !b"DFIQUV".contains(&first)
        && !b"DFIOQUV".contains(&second)
        && !matches!(&text[..2], b"BG" | b"GB" | b"NK" | b"KN" | b"TN" | b"NT" | b"ZZ")
}

/// Brazil: two digits by weights modulo 11 (Receita Federal, Instrução Normativa RFB 1548/2015; the usual algorithm).
fn cpf(digits: &[u8]) -> bool {
    let check = |length: usize| {
        let sum = weighted(&digits[..length], (2..=length as u32 + 1).rev());
        let rest = sum * 10 % 11 % 10;
        rest == u32::from(digits[length] - b'0')
    };
    digits.iter().any(|&digit| digit != digits[0]) && check(9) && check(10)
}

/// Spain: the letter of the number modulo 23; of foreigners, X, Y and Z count as 0, 1 and 2 (Ministerio del Interior).
fn dni(text: &[u8]) -> bool {
    let lead = match text[0] {
        b'X' => b'0',
        b'Y' => b'1',
        b'Z' => b'2',
        digit if digit.is_ascii_digit() => digit,
        _ => return false,
    };
    if !text[1..8].iter().all(u8::is_ascii_digit) || !text[8].is_ascii_uppercase() {
        return false;
    }
    let number = u64::from(lead - b'0') * 10_000_000 + value(&text[1..8]);
    b"TRWAGMYFPDXBNJZSQVHLCKE"[(number % 23) as usize] == text[8]
}

/// Netherlands: weights 9 to 2 and -1, modulo 11 (Rijksdienst voor Identiteitsgegevens, “elfproef”).
fn bsn(digits: &[u8]) -> bool {
    let mut padded = vec![b'0'; 9 - digits.len()];
    padded.extend(digits);
    let sum = weighted(&padded[..8], (2..=9).rev());
    let last = u32::from(padded[8] - b'0');
    value(&padded) != 0 && sum >= last && (sum - last).is_multiple_of(11)
}

/// Poland: weights 1, 3, 7, 9 modulo 10, and a date whose month tells the century (Dz.U. 2010 nr 217 poz. 1427, art. 15).
fn pesel(digits: &[u8]) -> bool {
    let sum = weighted(&digits[..10], [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
    let (month, day) = (value(&digits[2..4]) % 20, value(&digits[4..6]));
    (10 - sum % 10) % 10 == u32::from(digits[10] - b'0') && (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// France: 97 less the number modulo 97; departments 2A and 2B count as 19 and 18 (INSEE, “numéro d'inscription au répertoire”).
fn nir(text: &[u8]) -> bool {
    let mut digits = text.to_vec();
    match &text[5..7] {
        b"2A" => digits[5..7].copy_from_slice(b"19"),
        b"2B" => digits[5..7].copy_from_slice(b"18"),
        _ => {}
    }
    if !digits.iter().all(u8::is_ascii_digit) || !matches!(digits[0], b'1' | b'2') {
        return false;
    }
    let month = value(&digits[3..5]);
    ((1..=12).contains(&month) || (20..=42).contains(&month) || month >= 50)
        && 97 - value(&digits[..13]) % 97 == value(&digits[13..])
}

/// Germany: ISO/IEC 7064 MOD 11,10; not 0 first, and one digit of the first ten twice or thrice (§ 139b AO).
fn steuer_id(digits: &[u8]) -> bool {
    let mut counts = [0u8; 10];
    digits[..10].iter().for_each(|&digit| counts[usize::from(digit - b'0')] += 1);
    let repeated = counts.iter().filter(|&&count| count > 1).count() == 1 && counts.iter().all(|&count| count <= 3);
    let product = digits[..10].iter().fold(10u32, |product, &digit| {
        let sum = (u32::from(digit - b'0') + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    let check = (11 - product) % 10;
    digits[0] != b'0' && repeated && check == u32::from(digits[10] - b'0')
}

/// Italy: letters and digits by place, modulo 26 (Decreto ministeriale 23 dicembre 1976, art. 8).
fn codice_fiscale(text: &[u8]) -> bool {
    // Values of characters in odd places, for 0 to 9 and A to Z.
    const DIGITS: [u32; 10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    const LETTERS: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let sum: u32 = text[..15]
        .iter()
        .enumerate()
        .map(|(place, &byte)| match (place % 2, byte) {
            (0, b'0'..=b'9') => DIGITS[usize::from(byte - b'0')],
            (0, _) => LETTERS[usize::from(byte - b'A')],
            (_, b'0'..=b'9') => u32::from(byte - b'0'),
            _ => u32::from(byte - b'A'),
        })
        .sum();
    u32::from(text[15]) == sum % 26 + u32::from(b'A')
}

/// India: the scheme of Verhoeff, *Error Detecting Decimal Codes* (1969), which UIDAI names.
fn verhoeff(digits: &[u8]) -> bool {
    const TURN: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    // The dihedral group of ten elements: 0 to 4 turn, 5 to 9 turn and mirror.
    let product = |left: u8, right: u8| match (left < 5, right < 5) {
        (true, true) => (left + right) % 5,
        (true, false) => (left + right) % 5 + 5,
        (false, true) => (left + 5 - right) % 5 + 5,
        (false, false) => (left + 5 - right) % 5,
    };
    let turned = |digit: u8, times: usize| (0..times % 8).fold(digit, |digit, _| TURN[usize::from(digit)]);
    let rest =
        digits.iter().rev().enumerate().fold(0, |rest, (place, &digit)| product(rest, turned(digit - b'0', place)));
    rest == 0 && digits[0] > b'1'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_hold_and_wrong_digits_do_not() {
        let check = |rule: fn(&[u8]) -> bool, right: &str, wrong: &str| {
            assert!(rule(right.as_bytes()), "{right}");
            assert!(!rule(wrong.as_bytes()), "{wrong}");
        };
        check(ssn, "219099999", "666121234");
        check(nino, "QQ123456C".replace("QQ", "AB").as_str(), "GB123456A");
        check(cpf, "52998224725", "52998224726");
        check(dni, "12345678Z", "12345678A");
        check(dni, "X1234567L", "X1234567M");
        check(bsn, "111222333", "111222334");
        check(pesel, "44051401359", "44051401358");
        check(nir, "255081416802538", "255081416802539");
        check(steuer_id, "86095742719", "86095742718");
        check(codice_fiscale, "RSSMRA85T10A562S", "RSSMRA85T10A562T");
        check(verhoeff, "234567890124", "234567890125");
    }
}
