//! Thresholds as they stand in SQL.

use std::fmt;

/// A threshold, whole or with a fraction; its text in SQL keeps the difference, as in Splink (`1`, `1.0`, `0.92`, `1e-05`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// A whole number.
    Integer(i64),
    /// A floating point number.
    Number(f64),
}

impl Threshold {
    /// Gives the threshold as a floating point number.
    pub fn value(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Number(number) => number,
        }
    }
}

impl From<i32> for Threshold {
    fn from(number: i32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<u32> for Threshold {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<i64> for Threshold {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Threshold {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl fmt::Display for Threshold {
    /// Writes the shortest decimal form that reads back as the same number, with an exponent below 0.0001 and from 1e16.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = match *self {
            Self::Integer(number) => return write!(formatter, "{number}"),
            Self::Number(number) => number,
        };
        if !number.is_finite() {
            return write!(formatter, "{number}");
        }
        let scientific = format!("{number:e}");
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        match exponent.parse::<i32>() {
            Ok(exponent) if number != 0.0 && !(-4..16).contains(&exponent) => {
                let sign = if exponent < 0 { '-' } else { '+' };
                write!(formatter, "{mantissa}e{sign}{:02}", exponent.abs())
            }
            _ => write!(formatter, "{number:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(threshold: impl Into<Threshold>, expected: &str) {
        assert_eq!(threshold.into().to_string(), expected);
    }

    #[test]
    fn numbers_are_written_as_splink_writes_them() {
        check(1, "1");
        check(1.0, "1.0");
        check(0.92, "0.92");
        check(1e-5, "1e-05");
        check(0.0001, "0.0001");
        check(1.5e-7, "1.5e-07");
        check(1e16, "1e+16");
        check(1e15, "1000000000000000.0");
        check(315_576_000.0, "315576000.0");
        check(0.0, "0.0");
        check(-2.5, "-2.5");
    }

    proptest! {
        #[test]
        fn the_text_reads_back_as_the_number(number in prop::num::f64::NORMAL | prop::num::f64::ZERO) {
            prop_assert_eq!(Threshold::from(number).to_string().parse::<f64>().unwrap().to_bits(), number.to_bits());
        }
    }
}
