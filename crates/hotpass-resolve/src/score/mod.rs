//! Match weights: prior, levels and term frequencies.

mod frequency;

pub use frequency::TermFrequencies;
pub(crate) use frequency::{Frequencies, RegisteredFrequencies, counts};

use crate::columns::Columns;
use crate::error::LinkError;
use crate::model::LinkageModel;
use crate::plan::{Condition, FeatureId, Plan};

/// Smallest probability that a logarithm is taken of, as in Splink.
const SMALLEST_PROBABILITY: f64 = 1e-300;

/// Returns the match probability of a match weight.
///
/// `1 / (1 + 2^-w)`, written so that neither power overflows.
pub fn match_probability(match_weight: f64) -> f64 {
    if match_weight >= 0.0 {
        1.0 / (1.0 + (-match_weight).exp2())
    } else {
        let odds = match_weight.exp2();
        odds / (1.0 + odds)
    }
}

/// Returns the match weight, in bits, of a match probability: `log2(p / (1 - p))`.
pub fn match_weight_of(match_probability: f64) -> f64 {
    (match_probability / (1.0 - match_probability)).log2()
}

/// How the frequency of a value adjusts a level.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Adjustment {
    pub(crate) feature: FeatureId,
    pub(crate) weight: f64,
    pub(crate) log2_minimum_u: f64,
    pub(crate) log2_u_exact: f64,
}

impl Adjustment {
    /// Gives the adjustment in bits: `w · (log2 u_exact − log2 max(tf_l, tf_r, minimum_u))`, 0 if no frequency is known.
    pub(crate) fn bits(&self, frequencies: &Frequencies, columns: &Columns, left: u32, right: u32) -> f64 {
        let log2 = self.log2_frequency(frequencies, columns, left, right);
        if log2.is_nan() { 0.0 } else { self.weight * (self.log2_u_exact - log2) }
    }

    /// Gives `log2 max(tf_l, tf_r, minimum_u)`; not a number if neither frequency is known.
    pub(crate) fn log2_frequency(&self, frequencies: &Frequencies, columns: &Columns, left: u32, right: u32) -> f64 {
        let codes = &columns.codes[self.feature];
        let one = frequencies.log2(self.feature, codes[left as usize]);
        let other = frequencies.log2(self.feature, codes[right as usize]);
        // `f64::max` takes the other number if one is missing.
        let larger = one.max(other);
        if larger.is_nan() { larger } else { larger.max(self.log2_minimum_u) }
    }

    /// Bounds the adjustment from above, whatever the values.
    fn highest(&self, frequencies: &Frequencies) -> f64 {
        let Some((lowest, highest)) = frequencies.range(self.feature) else { return 0.0 };
        let bits = |log2: f64| self.weight * (self.log2_u_exact - log2.max(self.log2_minimum_u));
        bits(lowest).max(bits(highest)).max(0.0)
    }
}

/// The weights of a model, by comparison and level.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weights {
    /// `log2(λ / (1 − λ))`.
    pub(crate) prior: f64,
    /// `log2(m / u)`, 0 for the null level.
    pub(crate) levels: Vec<Vec<f64>>,
    pub(crate) adjustments: Vec<Vec<Option<Adjustment>>>,
}

impl Weights {
    pub(crate) fn new(model: &LinkageModel, plan: &Plan) -> Result<Self, LinkError> {
        let prior = model.probability_two_random_records_match;
        if !(prior > 0.0 && prior < 1.0) {
            return Err(LinkError::NotAProbability {
                what: "The probability that two random records match".to_owned(),
                value: prior,
            });
        }
        let mut levels = Vec::new();
        let mut adjustments = Vec::new();
        for (number, comparison) in model.comparisons.iter().enumerate() {
            for level in &comparison.levels {
                for (name, value) in [("m", level.m_probability), ("u", level.u_probability)] {
                    if let Some(value) = value.filter(|value| !(0.0..=1.0 + 1e-6).contains(value)) {
                        let level = level.label.as_deref().unwrap_or(&level.sql_condition);
                        let what =
                            format!("{name} of level `{level}` of comparison `{}`", comparison.output_column_name);
                        return Err(LinkError::NotAProbability { what, value });
                    }
                }
            }
            levels.push((0..comparison.levels.len()).map(|level| comparison.match_weight(level)).collect());
            let features = plan.term_frequencies.get(number);
            let of_level =
                |level| adjustment(model, plan, number, level, features.and_then(|features| *features.get(level)?));
            adjustments.push((0..comparison.levels.len()).map(of_level).collect::<Result<_, _>>()?);
        }
        Ok(Self { prior: (prior / (1.0 - prior)).log2(), levels, adjustments })
    }

    /// Gives the match weight of a pair by its levels. The order of additions is fixed, so that every path gives the same number.
    pub(crate) fn total(
        &self,
        frequencies: &Frequencies,
        columns: &Columns,
        levels: impl Iterator<Item = u8> + Clone,
        left: u32,
        right: u32,
    ) -> f64 {
        let mut weight = self.prior;
        for (weights, level) in self.levels.iter().zip(levels.clone()) {
            weight += weights[usize::from(level)];
        }
        for (adjustments, level) in self.adjustments.iter().zip(levels) {
            if let Some(adjustment) = &adjustments[usize::from(level)] {
                weight += adjustment.bits(frequencies, columns, left, right);
            }
        }
        weight
    }

    /// Gives the highest weight that a comparison can add.
    pub(crate) fn highest(&self, comparison: usize, frequencies: &Frequencies) -> f64 {
        let adjustments = &self.adjustments[comparison];
        let of_level = |(weight, adjustment): (&f64, &Option<Adjustment>)| {
            weight + adjustment.as_ref().map_or(0.0, |adjustment| adjustment.highest(frequencies))
        };
        self.levels[comparison].iter().zip(adjustments).map(of_level).fold(f64::NEG_INFINITY, f64::max).max(-1e9)
    }
}

fn adjustment(
    model: &LinkageModel,
    plan: &Plan,
    comparison: usize,
    level: usize,
    feature: Option<FeatureId>,
) -> Result<Option<Adjustment>, LinkError> {
    let of = &model.comparisons[comparison];
    let settings = of.levels[level].term_frequency.as_ref();
    let (Some(settings), Some(feature)) = (settings, feature) else { return Ok(None) };
    if of.levels[level].is_null_level || of.levels[level].is_else_level() || settings.weight == 0.0 {
        return Ok(None);
    }
    let base =
        if settings.disable_exact_match_detection { Some(level) } else { exact_level(plan, comparison, feature) };
    let Some(u) = base.and_then(|base| of.u_probability(base)) else {
        return Err(LinkError::NoExactLevel {
            comparison: of.output_column_name.clone(),
            level,
            column: settings.column.clone(),
        });
    };
    let log2 = |probability: f64| probability.max(SMALLEST_PROBABILITY).log2();
    let log2_minimum_u = if settings.minimum_u > 0.0 { settings.minimum_u.log2() } else { f64::NEG_INFINITY };
    Ok(Some(Adjustment { feature, weight: settings.weight, log2_minimum_u, log2_u_exact: log2(u) }))
}

/// Gives the first level of a comparison that is an exact match on just a feature.
pub(crate) fn exact_level(plan: &Plan, comparison: usize, feature: FeatureId) -> Option<usize> {
    plan.comparisons
        .get(comparison)?
        .levels
        .iter()
        .position(|condition| *condition == Condition::Equal { left: feature, right: feature })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_and_probabilities_are_inverse_and_never_overflow() {
        for (weight, probability) in [(0.0, 0.5), (1.0, 2.0 / 3.0), (-1.0, 1.0 / 3.0), (2000.0, 1.0), (-2000.0, 0.0)] {
            assert!((match_probability(weight) - probability).abs() < 1e-15, "{weight}");
        }
        assert!((match_weight_of(match_probability(7.25)) - 7.25).abs() < 1e-12);
        assert!(match_weight_of(0.0) < f64::MIN);
    }
}
