//! Thresholds that sort values into bands.

use std::sync::OnceLock;

use super::jaro::{Form, NeededMatches};
use crate::plan::Operator;

/// Why a list of thresholds is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ThresholdError {
    /// The operator is an equality.
    #[error("Thresholds need one of `<`, `<=`, `>`, `>=`, but threshold {position} has another operator")]
    Operator {
        /// Index of the threshold in the list.
        position: usize,
    },
    /// A value is not a number.
    #[error("Threshold {position} is not a number")]
    NotANumber {
        /// Index of the threshold in the list.
        position: usize,
    },
    /// A threshold does not follow from the one before it.
    #[error(
        "Thresholds must run from the strictest to the weakest, but threshold {position} is stricter than the one before it"
    )]
    Order {
        /// Index of the threshold in the list.
        position: usize,
    },
    /// More thresholds than a band number can hold.
    #[error("At most 254 thresholds are possible: {count}")]
    TooMany {
        /// Their number.
        count: usize,
    },
}

/// Thresholds of one measure, the strictest first: what fulfils one fulfils all that follow.
#[derive(Debug, Clone, Default)]
pub struct Thresholds {
    entries: Vec<(Operator, f64)>,
    /// For the forms of Jaro, filled when first asked for.
    needed_matches: [OnceLock<NeededMatches>; 3],
}

impl Thresholds {
    /// Makes thresholds from operators and values, the strictest first.
    ///
    /// # Errors
    ///
    /// An operator is an equality, a value is not a number, two follow each other in the wrong order (or in different
    /// directions), or there are more than 254.
    pub fn new(entries: &[(Operator, f64)]) -> Result<Self, ThresholdError> {
        if entries.len() > 254 {
            return Err(ThresholdError::TooMany { count: entries.len() });
        }
        for (position, (operator, value)) in entries.iter().enumerate() {
            if matches!(operator, Operator::Equal | Operator::NotEqual) {
                return Err(ThresholdError::Operator { position });
            }
            if value.is_nan() {
                return Err(ThresholdError::NotANumber { position });
            }
        }
        for (position, pair) in entries.windows(2).enumerate() {
            let ((strict, strict_value), (weak, weak_value)) = (pair[0], pair[1]);
            let same_direction = is_lower_bound(strict) == is_lower_bound(weak);
            let distance = if is_lower_bound(strict) { strict_value - weak_value } else { weak_value - strict_value };
            let at_same_value = strict == weak || matches!(weak, Operator::GreaterOrEqual | Operator::LessOrEqual);
            if !same_direction || distance < 0.0 || (strict_value.total_cmp(&weak_value).is_eq() && !at_same_value) {
                return Err(ThresholdError::Order { position: position + 1 });
            }
        }
        Ok(Self { entries: entries.to_vec(), needed_matches: Default::default() })
    }

    /// Gives the number of thresholds, which is also the band of a value that fulfils none.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells whether there is no threshold.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Gives operators and values, the strictest first.
    pub fn entries(&self) -> &[(Operator, f64)] {
        &self.entries
    }

    /// Gives the band of a value: the index of the first threshold that it fulfils, [`Self::len`] if none. Not-a-number (null)
    /// fulfils none.
    #[inline]
    pub fn band(&self, value: f64) -> u8 {
        self.entries.iter().position(|&entry| holds(entry, value)).unwrap_or(self.entries.len()) as u8
    }

    /// Tells whether a value fulfils the weakest threshold, and so is in a band.
    #[inline]
    pub(super) fn any_holds(&self, value: f64) -> bool {
        self.entries.last().is_some_and(|&weakest| holds(weakest, value))
    }

    /// Tells whether larger values are in stricter bands; `None` without thresholds.
    pub(super) fn larger_is_stricter(&self) -> Option<bool> {
        self.entries.last().map(|&(operator, _)| is_lower_bound(operator))
    }

    /// Gives the matches that a pair needs at least, if the thresholds are lower bounds.
    pub(super) fn needed_matches(&self, form: Form) -> Option<&NeededMatches> {
        let bounded = self.larger_is_stricter() == Some(true);
        bounded.then(|| {
            self.needed_matches[form as usize].get_or_init(|| NeededMatches::new(form, |value| self.any_holds(value)))
        })
    }

    /// Gives the largest whole number that fulfils a threshold, if the thresholds are upper bounds; -1 if none does.
    pub(super) fn largest_distance(&self) -> Option<i64> {
        let &(operator, value) = self.entries.last()?;
        let largest = match operator {
            Operator::Less => value.ceil() - 1.0,
            Operator::LessOrEqual => value.floor(),
            _ => return None,
        };
        Some(largest.max(-1.0) as i64)
    }
}

#[inline]
fn holds((operator, threshold): (Operator, f64), value: f64) -> bool {
    match operator {
        Operator::Less => value < threshold,
        Operator::LessOrEqual => value <= threshold,
        Operator::Greater => value > threshold,
        Operator::GreaterOrEqual => value >= threshold,
        Operator::Equal | Operator::NotEqual => false,
    }
}

fn is_lower_bound(operator: Operator) -> bool {
    matches!(operator, Operator::Greater | Operator::GreaterOrEqual)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(entries: &[(Operator, f64)], expected: Option<ThresholdError>) {
        assert_eq!(Thresholds::new(entries).map(|_| ()), expected.map_or(Ok(()), Err), "{entries:?}");
    }

    #[test]
    fn thresholds_must_weaken() {
        use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
        check(&[], None);
        check(&[(GreaterOrEqual, 0.92), (GreaterOrEqual, 0.88), (Greater, 0.7)], None);
        check(&[(Greater, 0.9), (GreaterOrEqual, 0.9)], None);
        check(&[(GreaterOrEqual, 0.9), (Greater, 0.9)], Some(ThresholdError::Order { position: 1 }));
        check(&[(Less, 2.0), (LessOrEqual, 2.0), (Less, 3.0)], None);
        check(&[(LessOrEqual, 2.0), (LessOrEqual, 1.0)], Some(ThresholdError::Order { position: 1 }));
        check(&[(LessOrEqual, 2.0), (GreaterOrEqual, 3.0)], Some(ThresholdError::Order { position: 1 }));
        check(&[(Equal, 0.0)], Some(ThresholdError::Operator { position: 0 }));
        check(&[(Less, f64::NAN)], Some(ThresholdError::NotANumber { position: 0 }));
        check(&[(Less, 1.0); 255], Some(ThresholdError::TooMany { count: 255 }));
    }

    #[test]
    fn a_band_is_the_first_threshold_that_holds() {
        let thresholds = Thresholds::new(&[(Operator::GreaterOrEqual, 0.9), (Operator::Greater, 0.7)]).unwrap();
        let bands = [1.0, 0.9, 0.8, 0.7, 0.0, f64::NAN].map(|value| thresholds.band(value));
        assert_eq!(bands, [0, 0, 1, 2, 2, 2]);
    }
}
