//! The m and u of levels that nothing was estimated for.

use crate::model::Comparison;

/// m of the most specific level before training.
const TOP_M: f64 = 0.95;
/// Match weight of the most specific level before training, in bits.
const TOP_WEIGHT: f64 = 10.0;
/// Match weights of the levels below it: from the last level to the second, evenly spaced, in bits.
const LOWER_WEIGHTS: (f64, f64) = (-5.0, 3.0);

/// Gives m of every level of a comparison before training: 0.95 for the most specific level, the rest shared equally.
///
/// These are the values that Splink starts from. Null levels get 1, so that they weigh nothing; a comparison with one
/// level besides has 1 there.
pub fn default_m_probabilities(comparison: &Comparison) -> Vec<f64> {
    let n_levels = comparison.levels.iter().filter(|level| !level.is_null_level).count();
    by_rank(comparison, |rank| match (n_levels, rank) {
        (..=1, _) => 1.0,
        (_, 0) => TOP_M,
        (n_levels, _) => (1.0 - TOP_M) / (n_levels - 1) as f64,
    })
}

/// Gives u of every level of a comparison before training.
///
/// Splink's values: such that the match weight is +10 bits at the most specific level and falls evenly from +3 to −5
/// over the lower levels (−5 if there is one). Null levels get 1.
pub fn default_u_probabilities(comparison: &Comparison) -> Vec<f64> {
    let n_levels = comparison.levels.iter().filter(|level| !level.is_null_level).count();
    let m = default_m_probabilities(comparison);
    let weights = by_rank(comparison, |rank| match (n_levels, rank) {
        (..=1, _) => 0.0,
        (_, 0) => TOP_WEIGHT,
        (2, _) => LOWER_WEIGHTS.0,
        (n_levels, rank) => {
            let step = (LOWER_WEIGHTS.1 - LOWER_WEIGHTS.0) / (n_levels - 2) as f64;
            LOWER_WEIGHTS.0 + step * (n_levels - 1 - rank) as f64
        }
    });
    comparison
        .levels
        .iter()
        .zip(m.iter().zip(&weights))
        .map(|(level, (m, weight))| if level.is_null_level { 1.0 } else { m / weight.exp2() })
        .collect()
}

/// Applies `value` to the rank of each level among those that are not null, from the most specific (0) down.
fn by_rank(comparison: &Comparison, value: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut rank = 0;
    comparison
        .levels
        .iter()
        .map(|level| {
            if level.is_null_level {
                return 1.0;
            }
            rank += 1;
            value(rank - 1)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ComparisonLevel;

    fn comparison(n_levels: usize) -> Comparison {
        let mut levels = vec![ComparisonLevel { is_null_level: true, ..ComparisonLevel::new("a_l IS NULL") }];
        levels.extend((0..n_levels).map(|_| ComparisonLevel::new("ELSE")));
        Comparison { output_column_name: "a".to_owned(), description: None, levels }
    }

    fn check(n_levels: usize, weights: &[f64]) {
        let comparison = comparison(n_levels);
        let m = default_m_probabilities(&comparison);
        let u = default_u_probabilities(&comparison);
        assert!((m[0] - 1.0).abs() < 1e-12 && (u[0] - 1.0).abs() < 1e-12);
        assert!((m[1..].iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for (level, weight) in weights.iter().enumerate() {
            assert!(((m[level + 1] / u[level + 1]).log2() - weight).abs() < 1e-9, "level {level} of {n_levels}");
        }
    }

    #[test]
    fn weights_fall_from_ten() {
        check(1, &[0.0]);
        check(2, &[10.0, -5.0]);
        check(3, &[10.0, 3.0, -5.0]);
        check(4, &[10.0, 3.0, -1.0, -5.0]);
    }
}
