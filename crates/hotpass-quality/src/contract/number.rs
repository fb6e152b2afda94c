//! Decimal numbers as text writes them, compared exactly.

use std::cmp::Ordering;

/// A number: exact where its digits fit 38 places, which is beyond every column of counts, amounts and ids.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// `mantissa × 10^exponent`, without trailing zeros in the mantissa.
    Exact {
        /// Digits with sign.
        mantissa: i128,
        /// Power of ten.
        exponent: i32,
    },
    /// A number of more digits: its nearest double, and a digest of its digits for equality.
    Long(f64, u64),
    /// Positive or negative infinity.
    Infinite {
        /// Whether it is below zero.
        negative: bool,
    },
    /// Not a number: equal to nothing, within no limits.
    Nan,
}

impl Number {
    /// Reads a whole number: sign, digits, single underscores between digits.
    pub(crate) fn integer(text: &str) -> Option<Self> {
        let (negative, digits) = sign(text);
        if !is_digits(digits) {
            return None;
        }
        Some(exact(negative, digits, "", 0))
    }

    /// Reads a decimal number: sign, digits, `.`, digits, power of ten; also `NaN` and `Infinity`.
    pub(crate) fn decimal(text: &str) -> Option<Self> {
        let (negative, rest) = sign(text);
        let first = rest.as_bytes().first()?;
        if !first.is_ascii_digit() && *first != b'.' {
            return special(negative, rest);
        }
        let (number, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], power(&rest[at + 1..])?),
            None => (rest, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let valid = (whole.is_empty() || is_digits(whole)) && (fraction.is_empty() || is_digits(fraction));
        if !valid || whole.is_empty() && fraction.is_empty() {
            return None;
        }
        Some(exact(negative, whole, fraction, exponent))
    }

    /// Compares two numbers; nothing when one is not a number.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        if let (Self::Exact { mantissa: a, exponent: e }, Self::Exact { mantissa: b, exponent: f }) = (self, other) {
            if e == f {
                return Some(a.cmp(b));
            }
            if let Some(ordering) = aligned(*a, *e, *b, *f) {
                return Some(ordering);
            }
        }
        self.approximate().partial_cmp(&other.approximate())
    }

    /// Returns the nearest double.
    pub(crate) fn approximate(&self) -> f64 {
        match *self {
            Self::Exact { mantissa, exponent: 0 } => mantissa as f64,
            Self::Exact { mantissa, exponent } => mantissa as f64 * 10f64.powi(exponent),
            Self::Long(value, _) => value,
            Self::Infinite { negative } => {
                if negative {
                    f64::NEG_INFINITY
                } else {
                    f64::INFINITY
                }
            }
            Self::Nan => f64::NAN,
        }
    }

    /// Returns bytes that are equal for equal numbers.
    pub(crate) fn key(&self) -> [u8; 21] {
        let mut key = [0; 21];
        match self {
            Self::Exact { mantissa, exponent } => {
                key[1..17].copy_from_slice(&mantissa.to_le_bytes());
                key[17..].copy_from_slice(&exponent.to_le_bytes());
            }
            Self::Long(_, digest) => {
                key[0] = 1;
                key[1..9].copy_from_slice(&digest.to_le_bytes());
            }
            Self::Infinite { negative } => key[0] = 2 + u8::from(*negative),
            Self::Nan => key[0] = 4,
        }
        key
    }
}

fn sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// Digits with single underscores between them.
fn is_digits(text: &str) -> bool {
    let mut previous = b'_';
    for &byte in text.as_bytes() {
        if !(byte.is_ascii_digit() || byte == b'_' && previous != b'_') {
            return false;
        }
        previous = byte;
    }
    previous != b'_'
}

fn power(text: &str) -> Option<i32> {
    let (negative, digits) = sign(text);
    if !is_digits(digits) {
        return None;
    }
    let value: i32 = digits.replace('_', "").parse().unwrap_or(i32::MAX / 4);
    Some(if negative { -value } else { value }.clamp(-(i32::MAX / 4), i32::MAX / 4))
}

fn special(negative: bool, text: &str) -> Option<Number> {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "inf" | "infinity" => Some(Number::Infinite { negative }),
        _ => {
            let digits = lower.strip_prefix("snan").or_else(|| lower.strip_prefix("nan"))?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(Number::Nan)
        }
    }
}

fn exact(negative: bool, whole: &str, fraction: &str, exponent: i32) -> Number {
    let mut mantissa: i128 = 0;
    let mut fits = true;
    let mut places = 0i32;
    for byte in whole.bytes().filter(|byte| *byte != b'_') {
        (mantissa, fits) = push(mantissa, byte, fits);
    }
    for byte in fraction.bytes().filter(|byte| *byte != b'_') {
        (mantissa, fits) = push(mantissa, byte, fits);
        places += 1;
    }
    let mut exponent = exponent.saturating_sub(places);
    if !fits {
        return long(negative, whole, fraction, exponent);
    }
    if mantissa == 0 {
        return Number::Exact { mantissa: 0, exponent: 0 };
    }
    while mantissa % 10 == 0 {
        mantissa /= 10;
        exponent += 1;
    }
    // Whole numbers of ordinary size keep their digits, so that most comparisons need no alignment.
    while (1..18).contains(&exponent) && mantissa.abs() < 1_000_000_000_000_000_000 {
        mantissa *= 10;
        exponent -= 1;
    }
    Number::Exact { mantissa: if negative { -mantissa } else { mantissa }, exponent }
}

fn push(mantissa: i128, byte: u8, fits: bool) -> (i128, bool) {
    match mantissa.checked_mul(10).and_then(|value| value.checked_add(i128::from(byte - b'0'))) {
        Some(value) if fits => (value, true),
        _ => (0, false),
    }
}

fn long(negative: bool, whole: &str, fraction: &str, exponent: i32) -> Number {
    let digits: String = whole.chars().chain(fraction.chars()).filter(char::is_ascii_digit).collect();
    let trimmed = digits.trim_end_matches('0');
    let exponent = exponent.saturating_add((digits.len() - trimmed.len()) as i32);
    let significant = trimmed.trim_start_matches('0');
    let sign = if negative { "-" } else { "" };
    let canonical = format!("{sign}{significant}e{exponent}");
    Number::Long(canonical.parse().unwrap_or(f64::NAN), super::keys::digest64(canonical.as_bytes()))
}

fn aligned(a: i128, e: i32, b: i128, f: i32) -> Option<Ordering> {
    let scale = |value: i128, by: i32| 10i128.checked_pow(by as u32).and_then(|power| value.checked_mul(power));
    if e > f { Some(scale(a, e.checked_sub(f)?)?.cmp(&b)) } else { Some(a.cmp(&scale(b, f.checked_sub(e)?)?)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_equal_keys() {
        let same = |a: &str, b: &str| {
            let (a, b) = (Number::decimal(a).expect(a), Number::decimal(b).expect(b));
            assert_eq!(a.compare(&b), Some(Ordering::Equal));
            assert_eq!(a.key(), b.key());
        };
        same("1", "1.0");
        same("-0", "0.000");
        same("100", "1e2");
        same("0.1", "1E-1");
        same("1_000", "1000");
        same("+5.", "5");
        same(
            "123456789012345678901234567890123456789012345678",
            "1.23456789012345678901234567890123456789012345678e47",
        );
        same("50000000000000000000000", "5e22");
    }

    #[test]
    fn order_is_exact_where_doubles_are_not() {
        let less = |a: &str, b: &str| {
            let (a, b) = (Number::decimal(a).expect(a), Number::decimal(b).expect(b));
            assert_eq!(a.compare(&b), Some(Ordering::Less));
            assert_ne!(a.key(), b.key());
        };
        less("9007199254740992", "9007199254740993");
        less("0.1", "0.10000000000000000001");
        less("-2", "1e-30");
        less("-Infinity", "1");
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", ".", "1,5", "1__0", "_1", "1_", "e5", "1e", "12a", "0x10", "1 2"] {
            assert_eq!(Number::decimal(text), None, "{text}");
        }
        for text in ["1.0", "1e2", "", "nan"] {
            assert_eq!(Number::integer(text), None, "{text}");
        }
        assert_eq!(Number::decimal("nan").map(|nan| nan.compare(&nan)), Some(None));
    }
}
