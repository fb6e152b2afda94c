//! Intervals by resampling entities.

use hashbrown::HashMap;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::random::Random;

/// How intervals are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BootstrapOptions {
    /// Number of replicates; 0 for no intervals, 1,000 by default.
    pub replicates: u32,
    /// Share of replicates inside the interval; 0.95 by default.
    pub level: f64,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        Self { replicates: 1000, level: 0.95, seed: 1 }
    }
}

/// A percentile interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Gives percentile intervals of measures that are functions of sums over entities.
///
/// Entities are what is resampled, since the pairs of one entity stand and fall together; a sum that belongs to two
/// entities (a wrong pair) is shared by halves beforehand. Each entity occurs Poisson(1) times in a replicate (the
/// bootstrap of Hanley and `MacGibbon` 2006; Chamandy and others 2012), so entities with the same sums, mostly the large
/// majority, are drawn together. A replicate in which a measure is not defined is left out of its interval.
pub(super) fn intervals<const SUMS: usize, const MEASURES: usize>(
    entities: &[[f64; SUMS]],
    options: &BootstrapOptions,
    measures: impl Fn(&[f64; SUMS]) -> [Option<f64>; MEASURES] + Sync,
) -> [Option<Interval>; MEASURES] {
    let classes = classes(entities);
    let replicates: Vec<[Option<f64>; MEASURES]> = (0..options.replicates)
        .into_par_iter()
        .map(|replicate| {
            let mut random = Random::new(options.seed.wrapping_add(u64::from(replicate).wrapping_mul(0x9e37_79b9)));
            let mut sums = [0.0; SUMS];
            for (values, n_entities) in &classes {
                let times = poisson(&mut random, *n_entities);
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += times * value);
            }
            measures(&sums)
        })
        .collect();
    std::array::from_fn(|measure| {
        let mut values: Vec<f64> = replicates.iter().filter_map(|replicate| replicate[measure]).collect();
        values.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - options.level) / 2.0;
        let at = |share: f64| values.get((share * (values.len() as f64 - 1.0)).round() as usize).copied();
        Some(Interval { low: at(tail)?, high: at(1.0 - tail)? })
    })
}

/// Counts equal entities, in an order that depends on the entities alone.
fn classes<const SUMS: usize>(entities: &[[f64; SUMS]]) -> Vec<([f64; SUMS], f64)> {
    let mut places: HashMap<[u64; SUMS], usize> = HashMap::new();
    let mut classes: Vec<([f64; SUMS], f64)> = Vec::new();
    for entity in entities {
        let place = *places.entry(entity.map(f64::to_bits)).or_insert_with(|| {
            classes.push((*entity, 0.0));
            classes.len() - 1
        });
        classes[place].1 += 1.0;
    }
    classes
}

/// Draws from a Poisson distribution: by inversion up to a mean of 50, above by the normal distribution of the same mean
/// and variance, rounded.
fn poisson(random: &mut Random, mean: f64) -> f64 {
    if mean > 50.0 {
        let radius = (-2.0 * (1.0 - random.next_unit()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * random.next_unit()).cos();
        return (mean + mean.sqrt() * normal).round().max(0.0);
    }
    let uniform = random.next_unit();
    let (mut times, mut probability) = (0.0, (-mean).exp());
    let mut cumulative = probability;
    while uniform > cumulative && times < 500.0 {
        times += 1.0;
        probability *= mean / times;
        cumulative += probability;
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poisson_has_its_mean_and_variance() {
        for mean in [1.0, 7.0, 49.0, 51.0, 1000.0] {
            let mut random = Random::new(7);
            let draws: Vec<f64> = (0..20_000).map(|_| poisson(&mut random, mean)).collect();
            let average = draws.iter().sum::<f64>() / 20_000.0;
            let variance = draws.iter().map(|draw| (draw - average).powi(2)).sum::<f64>() / 20_000.0;
            assert!((average - mean).abs() < 5.0 * (mean / 20_000.0).sqrt(), "{mean} {average}");
            assert!((variance / mean - 1.0).abs() < 0.06, "{mean} {variance}");
        }
    }

    /// The interval of a share of 10,000 entities is that of the normal distribution.
    #[test]
    fn interval_of_a_share_has_the_known_width() {
        let entities: Vec<[f64; 2]> = (0..10_000).map(|index| [f64::from(index % 5 == 0), 1.0]).collect();
        let [interval] = intervals(&entities, &BootstrapOptions::default(), |sums| [Some(sums[0] / sums[1])]);
        let interval = interval.unwrap();
        let error = (0.2_f64 * 0.8 / 10_000.0).sqrt();
        assert!((interval.low - (0.2 - 1.96 * error)).abs() < 0.2 * error, "{interval:?}");
        assert!((interval.high - (0.2 + 1.96 * error)).abs() < 0.2 * error, "{interval:?}");
    }
}
