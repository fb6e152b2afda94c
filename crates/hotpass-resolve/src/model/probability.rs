//! The probabilities of a level, trained or not.

use super::Comparison;
use super::reader::SMALLEST_PROBABILITY;

/// Share of matches that an untrained top level is given.
const TOP_LEVEL_M: f64 = 0.95;
/// Match weight of an untrained top level, in bits.
const TOP_LEVEL_WEIGHT: f64 = 10.0;
/// Match weights of the untrained levels below, in bits, from the last level up to the one under the top.
const LOWER_LEVEL_WEIGHTS: (f64, f64) = (-5.0, 3.0);

/// Returns m of a level that was never trained: 0.95 for the top level, the others share 0.05 equally.
///
/// `vector_value` counts levels up from 0, the last, to `n_levels - 1`, the top, without the null level. A comparison of one
/// level has m = 1. The numbers are Splink's, so that a model scores the same before its training.
pub fn default_m_probability(vector_value: usize, n_levels: usize) -> f64 {
    match n_levels {
        0 | 1 => 1.0,
        _ if vector_value + 1 >= n_levels => TOP_LEVEL_M,
        _ => (1.0 - TOP_LEVEL_M) / (n_levels - 1) as f64,
    }
}

/// Returns u of a level that was never trained: m / 2^w, where w is 10 bits for the top level and spaced evenly from -5 for
/// the last level to 3 for the one below the top. With two levels u of the last is 1.6: a start for training, no probability.
///
/// Arguments as for [`default_m_probability`]; a comparison of one level has u = 1.
pub fn default_u_probability(vector_value: usize, n_levels: usize) -> f64 {
    let (lowest, highest) = LOWER_LEVEL_WEIGHTS;
    let weight = match n_levels {
        0 | 1 => return 1.0,
        _ if vector_value + 1 >= n_levels => TOP_LEVEL_WEIGHT,
        2 => lowest,
        _ => lowest + vector_value as f64 * ((highest - lowest) / (n_levels - 2) as f64),
    };
    default_m_probability(vector_value, n_levels) / weight.exp2()
}

impl Comparison {
    /// Counts the levels that have an m and a u: all but the null level.
    pub fn n_scored_levels(&self) -> usize {
        self.levels.iter().filter(|level| !level.is_null_level).count()
    }

    /// Returns m of a level, by default what [`default_m_probability`] gives; nothing for the null level or beyond the last.
    pub fn m_probability(&self, level: usize) -> Option<f64> {
        let trained = self.levels.get(level)?.m_probability;
        let value = self.scored_value(level)?;
        Some(trained.unwrap_or_else(|| default_m_probability(value, self.n_scored_levels())))
    }

    /// Returns u of a level, by default what [`default_u_probability`] gives; nothing for the null level or beyond the last.
    pub fn u_probability(&self, level: usize) -> Option<f64> {
        let trained = self.levels.get(level)?.u_probability;
        let value = self.scored_value(level)?;
        Some(trained.unwrap_or_else(|| default_u_probability(value, self.n_scored_levels())))
    }

    /// Returns the match weight of a level in bits: log2(m / u), 0 for the null level or beyond the last.
    ///
    /// Base-2 form of the weight in Fellegi and Sunter, *A Theory for Record Linkage* (1969); m and u are held above 1e-300,
    /// as in Splink.
    pub fn match_weight(&self, level: usize) -> f64 {
        let (Some(m), Some(u)) = (self.m_probability(level), self.u_probability(level)) else { return 0.0 };
        (m.max(SMALLEST_PROBABILITY) / u.max(SMALLEST_PROBABILITY)).log2()
    }

    /// The comparison vector value of a level that is not the null level.
    fn scored_value(&self, level: usize) -> Option<usize> {
        usize::try_from(self.vector_value(level)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::ComparisonLevel;
    use super::*;

    /// Figures of a model that Splink 5.0.0 scored untrained.
    #[test]
    fn untrained_levels_have_splinks_probabilities() {
        fn check(n_levels: usize, expected: &[(f64, f64)]) {
            for (value, (m, u)) in expected.iter().enumerate() {
                assert!((default_m_probability(value, n_levels) - m).abs() < 1e-13, "m of {value} in {n_levels}");
                let found = default_u_probability(value, n_levels);
                assert!((found - u).abs() < 1e-13, "u of {value} in {n_levels}: {found}");
            }
        }
        check(1, &[(1.0, 1.0)]);
        check(2, &[(0.05, 1.6), (0.95, 0.000_927_734_375)]);
        check(3, &[(0.025, 0.8), (0.025, 0.003_125), (0.95, 0.000_927_734_375)]);
        check(4, &[(0.05 / 3.0, 1.6 / 3.0), (0.05 / 3.0, 0.1 / 3.0), (0.05 / 3.0, 0.05 / 24.0)]);
    }

    #[test]
    fn weights_skip_the_null_level() {
        let mut null = ComparisonLevel::new("a_l IS NULL OR a_r IS NULL");
        null.is_null_level = true;
        let mut exact = ComparisonLevel::new("a_l = a_r");
        (exact.m_probability, exact.u_probability) = (Some(0.8), Some(0.1));
        let comparison = Comparison {
            output_column_name: "a".to_owned(),
            description: None,
            levels: vec![null, exact, ComparisonLevel::new("ELSE")],
        };
        assert_eq!(comparison.m_probability(0), None);
        assert_eq!(comparison.u_probability(1), Some(0.1));
        assert_eq!(comparison.m_probability(3), None);
        let weights: Vec<f64> = (0..4).map(|level| comparison.match_weight(level)).collect();
        assert!((weights[1] - 3.0).abs() < 1e-12 && (weights[2] + 5.0).abs() < 1e-12, "{weights:?}");
        assert_eq!((weights[0], weights[3]), (0.0, 0.0));
    }
}
