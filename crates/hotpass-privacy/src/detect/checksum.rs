//! Checks on digits: what separates an identity number from any thirteen digits.

/// Returns whether the last digit is the check digit by Luhn's formula (ISO/IEC 7812-1, annex B).
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(position, &digit)| {
            let value = u32::from(digit - b'0');
            if position % 2 == 0 {
                value
            } else if value > 4 {
                2 * value - 9
            } else {
                2 * value
            }
        })
        .sum();
    digits.len() > 1 && sum.is_multiple_of(10)
}

/// Returns whether thirteen digits are a South African identity number: date of birth, citizenship 0 to 2, Luhn.
pub(crate) fn za_id(digits: &[u8]) -> bool {
    if digits.len() != 13 || !luhn(digits) || !matches!(digits[10], b'0'..=b'2') {
        return false;
    }
    let number = |from: usize| u32::from(digits[from] - b'0') * 10 + u32::from(digits[from + 1] - b'0');
    let (year, month, day) = (number(0) as i32, number(2), number(4));
    // The century is not written; a day that exists in either will do.
    [1900, 2000].iter().any(|century| chrono::NaiveDate::from_ymd_opt(century + year, month, day).is_some())
}

/// Returns whether digits are a payment-card number: a known range (ISO/IEC 7812 issuers) of its length, and Luhn.
pub(crate) fn payment_card(digits: &[u8]) -> bool {
    let prefix = |length: usize| digits[..length].iter().fold(0u32, |sum, &digit| sum * 10 + u32::from(digit - b'0'));
    if digits.len() < 13 || digits.len() > 19 {
        return false;
    }
    let known = match digits.len() {
        13 | 19 => digits[0] == b'4' || (digits.len() == 19 && matches!(prefix(2), 62)),
        14 => matches!(prefix(3), 300..=305 | 309) || matches!(prefix(2), 36 | 38 | 39),
        15 => matches!(prefix(2), 34 | 37),
        16 => {
            digits[0] == b'4'
                || matches!(prefix(2), 51..=55 | 62 | 65)
                || matches!(prefix(4), 2221..=2720 | 6011 | 3528..=3589)
                || matches!(prefix(3), 644..=649)
        }
        _ => false,
    };
    known && luhn(digits)
}

/// Lengths of international bank account numbers by country (SWIFT IBAN registry).
const IBAN_LENGTHS: &[(&str, u8)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NL", 18),
    ("NO", 15),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("SA", 24),
    ("SC", 31),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
];

/// Returns whether a text without spaces is an international bank account number: length of its country, and mod 97 (ISO 13616).
pub(crate) fn iban(text: &[u8]) -> bool {
    let Some(length) = text
        .get(..2)
        .and_then(|country| IBAN_LENGTHS.iter().find(|(code, _)| code.as_bytes().eq_ignore_ascii_case(country)))
        .map(|(_, length)| usize::from(*length))
    else {
        return false;
    };
    if text.len() != length {
        return false;
    }
    let mut remainder = 0u32;
    for &byte in text[4..].iter().chain(&text[..4]) {
        remainder = match byte {
            b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
            letter if letter.is_ascii_alphabetic() => {
                (remainder * 100 + u32::from(letter.to_ascii_uppercase() - b'A') + 10) % 97
            }
            _ => return false,
        };
    }
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_and_without_their_check_digits() {
        // Published test numbers; no one's.
        for (digits, expected) in [
            ("4111111111111111", true),
            ("5500005555555559", true),
            ("340000000000009", true),
            ("30000000000004", true),
            ("6011000000000004", true),
            ("4111111111111112", false),
            ("9111111111111111", false),
            ("411111111111", false),
        ] {
            assert_eq!(payment_card(digits.as_bytes()), expected, "{digits}");
        }
        for (digits, expected) in [
            ("8001015009087", true),
            ("8001015009088", false),
            ("8013015009089", false),
            ("8001015009987", false),
            ("800101500908", false),
        ] {
            assert_eq!(za_id(digits.as_bytes()), expected, "{digits}");
        }
        for (text, expected) in [
            ("GB82WEST12345698765432", true),
            ("DE89370400440532013000", true),
            ("de89370400440532013000", true),
            ("GB82WEST12345698765433", false),
            ("GB82WEST1234569876543", false),
            ("ZZ82WEST12345698765432", false),
        ] {
            assert_eq!(iban(text.as_bytes()), expected, "{text}");
        }
    }
}
