//! u: how often pairs that do not match reach each level.

use std::time::Instant;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::frequencies::Agreement;
use super::{LevelStatus, TrainingError};
use crate::model::LinkageModel;

/// Pairs of the first round of sampling.
const FIRST_ROUND: u64 = 1 << 17;

/// Gives level counts of random pairs.
///
/// The answers depend on the arguments alone: not on the number of threads, nor on how a range is cut.
pub trait PairSampler {
    /// Gives the number of pairs that the inputs and the link type allow.
    fn n_possible_pairs(&self) -> u128;

    /// Counts how many of the random pairs `first..first + n_pairs` of a seed reach each level of a comparison.
    ///
    /// The pairs of a seed are one endless sequence, each drawn uniformly from all possible pairs.
    ///
    /// # Errors
    ///
    /// If a condition cannot be evaluated.
    fn level_counts(
        &self,
        comparison: usize,
        seed: u64,
        first: u64,
        n_pairs: u64,
    ) -> Result<Vec<u64>, Arc<dyn std::error::Error + Send + Sync>>;

    /// Counts how many of all possible pairs reach each level of a comparison.
    ///
    /// # Errors
    ///
    /// If a condition cannot be evaluated.
    fn all_level_counts(&self, comparison: usize) -> Result<Vec<u64>, Arc<dyn std::error::Error + Send + Sync>>;

    /// Gives the level that is an exact match and how many of all possible pairs reach it, if value counts tell.
    ///
    /// Only if the level comes first, apart from a null level for nulls of the same column.
    fn exact_agreement(&self, comparison: usize) -> Option<(usize, Agreement)>;
}

/// How u is estimated.
#[derive(Debug, Clone, PartialEq)]
pub struct UOptions {
    /// Pairs are drawn until the standard error of every level's u is at most this share of u; 0.02 by default.
    pub relative_error: f64,
    /// At most this many pairs are drawn for a comparison, 20 million by default. If there are no more possible pairs than
    /// that and sampling does not suffice, all of them are compared.
    pub max_pairs: u64,
    /// Seed of the random pairs.
    pub seed: u64,
    /// Takes the u of exact levels from value counts, which has no sampling error.
    pub from_value_frequencies: bool,
}

impl Default for UOptions {
    fn default() -> Self {
        Self { relative_error: 0.02, max_pairs: 20_000_000, seed: 1, from_value_frequencies: true }
    }
}

/// Why sampling ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UStop {
    /// Value counts say everything.
    ValueFrequencies,
    /// Every observed level is as exact as asked for.
    ReachedError,
    /// Every possible pair was compared.
    AllPairs,
    /// The limit on pairs came first: the standard errors say how far it got.
    MaximumPairs,
}

/// The u of one comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UEstimate {
    /// Index in the model.
    pub index: usize,
    /// The comparison's name.
    pub comparison: String,
    /// Why sampling ended.
    pub stop: UStop,
    /// Number of pairs compared; 0 if value counts said everything.
    pub n_pairs: u64,
    /// The levels in the model's order, null level included.
    pub levels: Vec<ULevel>,
}

/// The u of one level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ULevel {
    /// Label of the level, or its condition.
    pub label: String,
    /// Number of compared pairs at the level.
    pub n_pairs: u64,
    /// u; absent for the null level and for levels that no pair reached.
    pub u: Option<f64>,
    /// Standard error of u from sampling; 0 where value counts or all pairs gave it.
    pub standard_error: Option<f64>,
    /// What happened to u.
    pub status: LevelStatus,
}

/// Estimates u of every comparison and writes it into the model.
///
/// All pairs count as non-matches: take their share out again with [`without_matches`] once λ and m are known.
///
/// # Errors
///
/// If an option is out of range, there are no pairs, or a condition cannot be evaluated.
pub fn estimate_u(
    model: &mut LinkageModel,
    sampler: &dyn PairSampler,
    options: &UOptions,
) -> Result<Vec<UEstimate>, TrainingError> {
    if !(options.relative_error > 0.0 && options.relative_error.is_finite()) {
        let value = options.relative_error;
        return Err(TrainingError::OutOfRange { what: "The relative error", range: "above 0", value });
    }
    if sampler.n_possible_pairs() == 0 {
        return Err(TrainingError::NoPossiblePairs);
    }
    let started = Instant::now();
    let _in_step = tracing::info_span!("resolve.estimate_u").entered();
    let estimates: Vec<UEstimate> =
        (0..model.comparisons.len()).map(|index| estimate(model, index, sampler, options)).collect::<Result<_, _>>()?;
    for estimate in &estimates {
        estimate.write_into(model);
    }
    tracing::info!(
        target: "hotpass::metric",
        name = "hotpass.training.duration",
        value = started.elapsed().as_secs_f64(),
        "hotpass.training.step" = "u"
    );
    Ok(estimates)
}

impl UEstimate {
    /// Writes the estimated u into a model.
    pub fn write_into(&self, model: &mut LinkageModel) {
        let Some(comparison) = model.comparisons.get_mut(self.index) else { return };
        for (level, estimate) in comparison.levels.iter_mut().zip(&self.levels) {
            if estimate.status == LevelStatus::Trained {
                level.u_probability = estimate.u;
            }
        }
    }
}

/// Takes the matches out of a u that was estimated from all pairs: `u = (f − λ m) / (1 − λ)` for each level, summing to 1.
///
/// `f` is the share of all pairs at the level. It matters where matches are a good part of the agreeing pairs, as with an
/// identifier that hardly two people share. What remains is not allowed below one standard error of `f` with `n_pairs`
/// pairs, since below that the difference is noise.
pub fn without_matches(shares: &[f64], m: &[f64], prior: f64, n_pairs: f64) -> Vec<f64> {
    let total: f64 = shares.iter().sum();
    let corrected: Vec<f64> = shares
        .iter()
        .zip(m)
        .map(|(share, m)| {
            let floor = (share / n_pairs.max(1.0)).sqrt().min(*share);
            ((share - prior * m) / (1.0 - prior)).max(floor)
        })
        .collect();
    let sum: f64 = corrected.iter().sum();
    corrected.into_iter().map(|u| if sum > 0.0 { u * total / sum } else { u }).collect()
}

/// Takes the matches among all pairs out of the u of every comparison of a model, see [`without_matches`].
///
/// `estimates` are those that [`estimate_u`] gave; the model holds m. Comparisons with a level whose m was never trained
/// use its default.
pub fn correct_u_for_matches(model: &mut LinkageModel, estimates: &[UEstimate], prior: f64, n_possible_pairs: u128) {
    for estimate in estimates {
        let Some(comparison) = model.comparisons.get(estimate.index) else { continue };
        let trained: Vec<usize> =
            (0..estimate.levels.len()).filter(|level| estimate.levels[*level].status == LevelStatus::Trained).collect();
        let shares: Vec<f64> = trained.iter().map(|level| estimate.levels[*level].u.unwrap_or(0.0)).collect();
        let m: Vec<f64> = trained.iter().map(|level| comparison.m_probability(*level).unwrap_or(0.0)).collect();
        let n_pairs = match estimate.stop {
            UStop::ValueFrequencies | UStop::AllPairs => n_possible_pairs as f64,
            UStop::ReachedError | UStop::MaximumPairs => estimate.n_pairs as f64,
        };
        let corrected = without_matches(&shares, &m, prior, n_pairs);
        for (level, u) in trained.into_iter().zip(corrected) {
            model.comparisons[estimate.index].levels[level].u_probability = Some(u);
        }
    }
}

fn estimate(
    model: &LinkageModel,
    index: usize,
    sampler: &dyn PairSampler,
    options: &UOptions,
) -> Result<UEstimate, TrainingError> {
    let comparison = &model.comparisons[index];
    let n_levels = comparison.levels.len();
    let is_scored: Vec<bool> = comparison.levels.iter().map(|level| !level.is_null_level).collect();
    let exact = if options.from_value_frequencies { sampler.exact_agreement(index) } else { None };
    let exact = exact
        .filter(|(level, _)| is_scored.get(*level).copied().unwrap_or(false))
        .and_then(|(level, agreement)| Some((level, agreement.share()?)));
    let drawn = Drawn { is_scored: &is_scored, exact };
    let failed = |source| TrainingError::Sampling { comparison: comparison.output_column_name.clone(), source };
    let n_possible = sampler.n_possible_pairs();
    let mut counts = vec![0_u64; n_levels];
    let mut n_pairs = 0_u64;
    let stop = if drawn.is_decided() {
        UStop::ValueFrequencies
    } else {
        loop {
            let next = if n_pairs == 0 { FIRST_ROUND } else { n_pairs }.min(options.max_pairs - n_pairs);
            let affordable = n_possible <= u128::from(options.max_pairs);
            if affordable && u128::from(n_pairs + next) * 2 >= n_possible {
                counts = sampler.all_level_counts(index).map_err(failed)?;
                n_pairs = counts.iter().sum();
                break UStop::AllPairs;
            }
            if next == 0 {
                break UStop::MaximumPairs;
            }
            let round = sampler.level_counts(index, options.seed, n_pairs, next).map_err(failed)?;
            counts.iter_mut().zip(round).for_each(|(sum, count)| *sum += count);
            n_pairs += next;
            if drawn.is_exact_enough(&counts, options.relative_error) {
                break UStop::ReachedError;
            }
        }
    };
    let levels = (0..n_levels)
        .map(|level| {
            let of_model = &comparison.levels[level];
            let (u, error) = drawn
                .u(&counts, level)
                .map_or((None, None), |(u, error)| (Some(u), Some(if stop == UStop::AllPairs { 0.0 } else { error })));
            let status = match u {
                _ if !is_scored[level] => LevelStatus::NullLevel,
                _ if of_model.fix_u_probability => LevelStatus::Fixed,
                None => LevelStatus::NotObserved,
                Some(_) => LevelStatus::Trained,
            };
            let label = of_model.label.clone().unwrap_or_else(|| of_model.sql_condition.clone());
            ULevel { label, n_pairs: counts[level], u, standard_error: error, status }
        })
        .collect();
    Ok(UEstimate { index, comparison: comparison.output_column_name.clone(), stop, n_pairs, levels })
}

/// What is known of a comparison's u, to which random pairs add.
struct Drawn<'a> {
    is_scored: &'a [bool],
    /// The exact level and its u, if value counts gave it.
    exact: Option<(usize, f64)>,
}

impl Drawn<'_> {
    /// The levels whose u random pairs tell.
    fn sampled(&self) -> impl Iterator<Item = usize> {
        let exact = self.exact.map(|(level, _)| level);
        (0..self.is_scored.len()).filter(move |level| self.is_scored[*level] && Some(*level) != exact)
    }

    /// Tells whether the value counts leave nothing to sample: the exact level and at most one other.
    fn is_decided(&self) -> bool {
        self.exact.is_some() && self.sampled().count() <= 1
    }

    /// Gives u of a level and its standard error; nothing if no pair reached it.
    fn u(&self, counts: &[u64], level: usize) -> Option<(f64, f64)> {
        if !self.is_scored[level] {
            return None;
        }
        let u_exact = self.exact.map_or(0.0, |(_, u)| u);
        if self.exact.is_some_and(|(exact, _)| exact == level) {
            return (u_exact > 0.0).then_some((u_exact, 0.0));
        }
        let remaining = 1.0 - u_exact;
        if self.is_decided() {
            return (remaining > 0.0).then_some((remaining, 0.0));
        }
        let n_pairs: u64 = self.sampled().map(|level| counts[level]).sum();
        if counts[level] == 0 || remaining <= 0.0 {
            return None;
        }
        let share = counts[level] as f64 / n_pairs as f64;
        Some((remaining * share, remaining * (share * (1.0 - share) / n_pairs as f64).sqrt()))
    }

    fn is_exact_enough(&self, counts: &[u64], relative_error: f64) -> bool {
        self.sampled().all(|level| self.u(counts, level).is_some_and(|(u, error)| error <= relative_error * u))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Comparison, ComparisonLevel, LinkType};
    use crate::random::random_at;

    /// Draws each pair's level from known shares, pair by pair.
    struct Known {
        shares: Vec<f64>,
        n_possible: u128,
        exact: Option<(usize, Agreement)>,
    }

    impl PairSampler for Known {
        fn n_possible_pairs(&self) -> u128 {
            self.n_possible
        }

        fn level_counts(
            &self,
            _comparison: usize,
            seed: u64,
            first: u64,
            n_pairs: u64,
        ) -> Result<Vec<u64>, Arc<dyn std::error::Error + Send + Sync>> {
            let mut counts = vec![0; self.shares.len()];
            for position in first..first + n_pairs {
                let mut left = (random_at(seed, position) >> 11) as f64 / (1_u64 << 53) as f64;
                let level = self.shares.iter().position(|share| {
                    left -= share;
                    left < 0.0
                });
                counts[level.unwrap_or(self.shares.len() - 1)] += 1;
            }
            Ok(counts)
        }

        fn all_level_counts(&self, _comparison: usize) -> Result<Vec<u64>, Arc<dyn std::error::Error + Send + Sync>> {
            Ok(self.shares.iter().map(|share| (share * self.n_possible as f64) as u64).collect())
        }

        fn exact_agreement(&self, _comparison: usize) -> Option<(usize, Agreement)> {
            self.exact
        }
    }

    fn model(n_levels: usize) -> LinkageModel {
        let null = ComparisonLevel { is_null_level: true, ..ComparisonLevel::new("a_l IS NULL") };
        let levels = (0..n_levels).map(|level| ComparisonLevel::new(format!("level {level}")));
        let levels = std::iter::once(null).chain(levels).collect();
        let comparison = Comparison { output_column_name: "a".to_owned(), description: None, levels };
        LinkageModel::new(LinkType::DedupeOnly).compare(comparison)
    }

    /// Null share, then u of three levels.
    const SHARES: [f64; 4] = [0.1, 0.009, 0.045, 0.846];

    fn check(n_possible: u128, exact: Option<(usize, Agreement)>, options: &UOptions, stop: UStop) -> UEstimate {
        let mut model = model(3);
        let sampler = Known { shares: SHARES.to_vec(), n_possible, exact };
        let estimate = estimate_u(&mut model, &sampler, options).unwrap().remove(0);
        assert_eq!(estimate.stop, stop);
        let mut sum = 0.0;
        for (level, share) in SHARES.iter().enumerate().skip(1) {
            let (u, error) = (estimate.levels[level].u.unwrap(), estimate.levels[level].standard_error.unwrap());
            assert!((u - share / 0.9).abs() <= 4.0 * error + 1e-6, "{level}: {u} ± {error}");
            assert_eq!(model.comparisons[0].levels[level].u_probability, Some(u));
            sum += u;
        }
        assert!((sum - 1.0).abs() < 1e-12);
        assert_eq!(estimate.levels[0].u, None);
        estimate
    }

    #[test]
    fn sampling_ends_at_the_stated_error() {
        let options = UOptions::default();
        let estimate = check(1 << 60, None, &options, UStop::ReachedError);
        // u = 0.01 at 2 % needs about 250,000 pairs.
        assert!((200_000..1_100_000).contains(&estimate.n_pairs), "{}", estimate.n_pairs);
        check(1 << 60, None, &UOptions { max_pairs: 200_000, ..options.clone() }, UStop::MaximumPairs);
        check(1_000_000, None, &UOptions { relative_error: 1e-4, ..options }, UStop::AllPairs);
    }

    #[test]
    fn exact_levels_have_no_error() {
        let agreement = Agreement { agreeing: 1000, non_null: 100_000 };
        let estimate = check(1 << 60, Some((1, agreement)), &UOptions::default(), UStop::ReachedError);
        assert_eq!((estimate.levels[1].u, estimate.levels[1].standard_error), (Some(0.01), Some(0.0)));
        let mut model = model(2);
        let sampler = Known { shares: vec![0.0; 3], n_possible: 10, exact: Some((1, agreement)) };
        let estimate = estimate_u(&mut model, &sampler, &UOptions::default()).unwrap().remove(0);
        assert_eq!((estimate.stop, estimate.n_pairs), (UStop::ValueFrequencies, 0));
        assert_eq!(model.comparisons[0].levels[2].u_probability, Some(0.99));
    }

    #[test]
    fn levels_never_drawn_are_left_alone() {
        let mut model = model(3);
        let sampler = Known { shares: vec![0.0, 0.2, 0.0, 0.8], n_possible: 1 << 60, exact: None };
        let options = UOptions { max_pairs: 10_000, ..UOptions::default() };
        let estimate = estimate_u(&mut model, &sampler, &options).unwrap().remove(0);
        assert_eq!(estimate.levels[2].status, LevelStatus::NotObserved);
        assert_eq!(model.comparisons[0].levels[2].u_probability, None);
        assert_eq!(estimate.stop, UStop::MaximumPairs);
    }

    #[test]
    fn matches_are_taken_out() {
        let (u, m, prior) = ([0.0005, 0.01, 0.9895], [0.9, 0.06, 0.04], 0.001);
        let shares: Vec<f64> = u.iter().zip(&m).map(|(u, m)| (1.0 - prior) * u + prior * m).collect();
        let found = without_matches(&shares, &m, prior, 1e12);
        assert!(found.iter().zip(u).all(|(found, u)| (found - u).abs() < 1e-12), "{found:?}");
        // An identifier on which only matches agree keeps a floor.
        let found = without_matches(&[0.0009, 0.9991], &[0.9, 0.1], 0.001, 1e6);
        assert!(found[0] > 2e-5 && found[0] < 4e-5, "{found:?}");
    }
}
