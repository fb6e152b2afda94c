//! Expectation–maximisation on pattern counts.
//!
//! The model is the mixture of Fellegi and Sunter (1969) with independence given the match status, estimated by the EM
//! algorithm (Dempster, Laird, Rubin 1977; for linkage Winkler 1988). A null level says nothing, so it is left out of
//! the likelihood of its pair. With u fixed a term-frequency adjustment multiplies the likelihood of a pair under
//! "no match" by a constant of that pair, so grouping by pattern and constant loses nothing.

use std::time::Instant;

use rayon::prelude::*;

use super::options::OrderConstraint;
use super::problem::{ActiveComparison, Parameters, Problem, SMALLEST, log2};
use super::report::{
    ComparisonEstimate, DegenerateReason, EmIteration, EmReport, EmStart, EmStatus, LevelEstimate, LevelStatus,
};
use super::{EmOptions, TrainingError};
use crate::model::LinkageModel;
use crate::patterns::PatternCounts;
use crate::random::Random;

/// Groups that one task sums up; fixed, so that sums do not depend on the number of threads.
const GROUPS_PER_TASK: usize = 8192;
/// m of an observed level below this is degenerate.
const VANISHED: f64 = 1e-9;
/// A block with fewer expected matches (or non-matches) than this is degenerate.
const FEWEST_MATCHES: f64 = 1e-3;

/// Estimates m (and, if asked, u) from pattern counts and writes the estimates into the model.
///
/// The model's λ stays as it is: the λ of a block is not that of all pairs. See [`super::pool`] for several blocks.
///
/// # Errors
///
/// See [`estimate_by_expectation_maximisation`].
pub fn expectation_maximisation(
    model: &mut LinkageModel,
    counts: &PatternCounts,
    options: &EmOptions,
) -> Result<EmReport, TrainingError> {
    let report = estimate_by_expectation_maximisation(model, counts, options)?;
    report.write_into(model);
    Ok(report)
}

/// Estimates m (and, if asked, u) from pattern counts and leaves the model alone.
///
/// The term-frequency evidence in `counts` must come from the comparisons that take part, and from no other.
///
/// # Errors
///
/// If no comparison takes part, everything is fixed, there are no pairs, the counts belong to another model, an option
/// is out of range, or a term-frequency adjustment has no exact level.
pub fn estimate_by_expectation_maximisation(
    model: &LinkageModel,
    counts: &PatternCounts,
    options: &EmOptions,
) -> Result<EmReport, TrainingError> {
    let started = Instant::now();
    let span = tracing::info_span!("resolve.training_session", "hotpass.training.iterations" = tracing::field::Empty);
    let _in_session = span.enter();
    check_options(options)?;
    let (problem, start) = Problem::new(model, counts, options)?;
    check_fixed(model, &problem, &start, options)?;
    let run = Run {
        problem: &problem,
        options,
        convergence: options.convergence.unwrap_or(model.training.em_convergence),
        max_iterations: options.max_iterations.unwrap_or(model.training.max_iterations).max(1),
    };
    let starts: Vec<Parameters> = (0..options.starts).map(|index| run.starting_point(&start, index)).collect();
    let outcomes: Vec<Outcome> = starts.iter().map(|start| run.iterate(model, start)).collect();
    let chosen = best(&outcomes);
    let report = report(model, &problem, options, &outcomes, chosen);
    let iterations = report.iterations.len();
    span.record("hotpass.training.iterations", iterations as i64);
    tracing::info!(target: "hotpass::metric", name = "hotpass.training.iterations", value = iterations);
    tracing::info!(
        target: "hotpass::metric",
        name = "hotpass.training.duration",
        value = started.elapsed().as_secs_f64(),
        "hotpass.training.step" = "expectation_maximisation"
    );
    Ok(report)
}

/// Gives the expected number of matches among pairs by the parameters of a model and the starting prior.
pub(crate) fn expected_matches(
    model: &LinkageModel,
    counts: &PatternCounts,
    options: &EmOptions,
) -> Result<f64, TrainingError> {
    let (problem, parameters) = match Problem::new(model, counts, options) {
        Err(TrainingError::NoPairs { .. }) => return Ok(0.0),
        problem => problem?,
    };
    let run = Run { problem: &problem, options, convergence: 0.0, max_iterations: 1 };
    Ok(run.expect(&parameters, &parameters).total)
}

impl EmReport {
    /// Writes the trained m and u into a model.
    pub fn write_into(&self, model: &mut LinkageModel) {
        for estimate in &self.comparisons {
            let Some(comparison) = model.comparisons.get_mut(estimate.index) else { continue };
            for (level, estimate) in comparison.levels.iter_mut().zip(&estimate.levels) {
                if estimate.m_status == LevelStatus::Trained {
                    level.m_probability = estimate.m;
                }
                if estimate.u_status == LevelStatus::Trained {
                    level.u_probability = estimate.u;
                }
            }
        }
    }
}

fn check_options(options: &EmOptions) -> Result<(), TrainingError> {
    if options.fix_m && options.fix_u {
        return Err(TrainingError::EverythingFixed);
    }
    if options.order == OrderConstraint::NonIncreasingWeight && !options.fix_u {
        return Err(TrainingError::OrderNeedsFixedU);
    }
    let prior = options.starting_prior.unwrap_or(0.5);
    if !(prior > 0.0 && prior < 1.0) {
        return Err(TrainingError::OutOfRange { what: "The starting prior", range: "between 0 and 1", value: prior });
    }
    let smoothing = options.smoothing;
    if !(smoothing >= 0.0 && smoothing.is_finite()) {
        return Err(TrainingError::OutOfRange { what: "The smoothing", range: "0 or more", value: smoothing });
    }
    if options.starts == 0 {
        return Err(TrainingError::OutOfRange { what: "The number of starts", range: "1 or more", value: 0.0 });
    }
    Ok(())
}

/// Checks that fixed probabilities leave something for the levels that must share the rest.
fn check_fixed(
    model: &LinkageModel,
    problem: &Problem,
    start: &Parameters,
    options: &EmOptions,
) -> Result<(), TrainingError> {
    if !options.normalise_with_fixed {
        return Ok(());
    }
    for comparison in &problem.comparisons {
        let check = |which, values: &[f64], is_fixed: &dyn Fn(usize) -> bool| {
            let places = || Problem::places(comparison).filter(|place| !problem.levels[*place].is_null);
            let sum: f64 = places().filter(|place| is_fixed(*place)).map(|place| values[place]).sum();
            if sum >= 1.0 && places().any(|place| !is_fixed(place)) {
                let comparison = model.comparisons[comparison.index].output_column_name.clone();
                return Err(TrainingError::FixedProbabilitiesTooLarge { which, comparison, sum });
            }
            Ok(())
        };
        check("m", &start.m, &|place| problem.levels[place].fix_m)?;
        check("u", &start.u, &|place| problem.levels[place].fix_u)?;
    }
    Ok(())
}

/// Sums over all pairs, from one expectation step.
struct Expectation {
    /// For each level the expected number of matches, labelled pairs included.
    matches: Vec<f64>,
    /// For each level the sum of squared match probabilities.
    squares: Vec<f64>,
    /// Expected number of matches among the unlabelled pairs.
    total: f64,
    /// Sum of squared scores of λ over unlabelled pairs.
    prior_information: f64,
    log_likelihood: f64,
}

/// A finished start.
struct Outcome {
    iterations: Vec<EmIteration>,
    last: Parameters,
    expectation: Expectation,
    objective: f64,
    status: EmStatus,
}

struct Run<'a> {
    problem: &'a Problem,
    options: &'a EmOptions,
    convergence: f64,
    max_iterations: u32,
}

impl Run<'_> {
    /// Gives the present values for the first start and drawn ones for the others.
    fn starting_point(&self, present: &Parameters, index: u32) -> Parameters {
        let mut start = present.clone();
        if index == 0 {
            return start;
        }
        let mut random = Random::new(self.options.seed.wrapping_mul(0x1_0001).wrapping_add(u64::from(index)));
        if !self.options.fix_prior {
            let lowest = (1.0 / self.problem.n_pairs.max(10.0)).ln();
            start.prior = (lowest + random.next_unit() * (0.9_f64.ln() - lowest)).exp();
        }
        for comparison in &self.problem.comparisons {
            let free = self.free_levels(comparison, |level| level.fix_m);
            self.draw(&mut random, &free, &mut start.m, comparison, |level| level.fix_m);
            let free = self.free_levels(comparison, |level| level.fix_u);
            let total: f64 = free.iter().map(|place| self.problem.levels[*place].observed).sum();
            for place in free {
                start.u[place] = self.problem.levels[place].observed / total;
            }
        }
        start
    }

    /// Draws m: a large share for the first level, the others split at random.
    fn draw(
        &self,
        random: &mut Random,
        free: &[usize],
        m: &mut [f64],
        comparison: &ActiveComparison,
        is_fixed: impl Fn(&super::problem::Level) -> bool,
    ) {
        let Some((first, others)) = free.split_first() else { return };
        let mass = self.free_mass(comparison, m, is_fixed);
        let top = if others.is_empty() { 1.0 } else { 0.4 + 0.58 * random.next_unit() };
        let draws: Vec<f64> = others.iter().map(|_| random.next_exponential() + 1e-3).collect();
        let total: f64 = draws.iter().sum();
        m[*first] = mass * top;
        for (place, draw) in others.iter().zip(draws) {
            m[*place] = mass * (1.0 - top) * draw / total;
        }
    }

    /// Gives the levels of a comparison that a maximisation step sets.
    fn free_levels(
        &self,
        comparison: &ActiveComparison,
        is_fixed: impl Fn(&super::problem::Level) -> bool,
    ) -> Vec<usize> {
        Problem::places(comparison)
            .filter(|place| {
                let level = &self.problem.levels[*place];
                !level.is_null && level.observed > 0.0 && !is_fixed(level)
            })
            .collect()
    }

    /// Gives what the free levels of a comparison share.
    fn free_mass(
        &self,
        comparison: &ActiveComparison,
        values: &[f64],
        is_fixed: impl Fn(&super::problem::Level) -> bool,
    ) -> f64 {
        if !self.options.normalise_with_fixed {
            return 1.0;
        }
        let fixed = Problem::places(comparison).filter(|place| {
            let level = &self.problem.levels[*place];
            !level.is_null && is_fixed(level)
        });
        1.0 - fixed.map(|place| values[place]).sum::<f64>()
    }

    fn iterate(&self, model: &LinkageModel, start: &Parameters) -> Outcome {
        let mut parameters = start.clone();
        let mut expectation = self.expect(&parameters, start);
        let mut iterations = vec![self.entry(0, &parameters, &expectation, 0.0)];
        let mut status = EmStatus::StoppedAtCap;
        for iteration in 1..=self.max_iterations as usize {
            let next = self.maximise(&parameters, &expectation);
            let change = largest_change(&parameters, &next);
            parameters = next;
            expectation = self.expect(&parameters, start);
            iterations.push(self.entry(iteration, &parameters, &expectation, change));
            if change < self.convergence {
                status = EmStatus::Converged;
                break;
            }
        }
        let status = self.degenerate(model, &parameters, &expectation).unwrap_or(status);
        let objective = iterations.last().map_or(f64::NEG_INFINITY, |entry| entry.objective);
        Outcome { iterations, last: parameters, expectation, objective, status }
    }

    /// The expectation step: match probabilities of all groups, summed by level.
    fn expect(&self, parameters: &Parameters, start: &Parameters) -> Expectation {
        let problem = self.problem;
        let base = if self.options.hold_term_frequency_base { start } else { parameters };
        let step = Step {
            weights: problem.weights(parameters, base),
            log2_m: (0..problem.levels.len())
                .map(|place| if problem.levels[place].is_null { 0.0 } else { log2(parameters.m[place]) })
                .collect(),
            prior_weight: log2(parameters.prior) - log2(1.0 - parameters.prior),
            log2_prior: log2(parameters.prior),
            prior: parameters.prior,
        };
        let n_groups = problem.counts.len();
        let parts: Vec<Expectation> = (0..n_groups.div_ceil(GROUPS_PER_TASK))
            .into_par_iter()
            .map(|task| step.expect(problem, task * GROUPS_PER_TASK..((task + 1) * GROUPS_PER_TASK).min(n_groups)))
            .collect();
        let mut sum = Expectation::zero(problem.levels.len());
        for part in &parts {
            sum.add(part);
        }
        for (cells, score, count) in &problem.labelled {
            let mut log_m = 0.0;
            let mut log_u = 0.0;
            for cell in cells.iter().map(|cell| usize::from(*cell)) {
                sum.matches[cell] += score * count;
                sum.squares[cell] += score * score * count;
                if !problem.levels[cell].is_null {
                    log_m += log2(parameters.m[cell]);
                    log_u += log2(parameters.u[cell]);
                }
            }
            sum.log_likelihood += std::f64::consts::LN_2 * count * (score * log_m + (1.0 - score) * log_u);
        }
        sum
    }

    /// The maximisation step: shares of the expected counts.
    fn maximise(&self, parameters: &Parameters, expectation: &Expectation) -> Parameters {
        let mut next = parameters.clone();
        if !self.options.fix_prior && self.problem.n_pairs > 0.0 {
            next.prior = expectation.total / self.problem.n_pairs;
        }
        let levels = &self.problem.levels;
        let non_matches: Vec<f64> = levels
            .iter()
            .zip(&expectation.matches)
            .map(|(level, matches)| (level.observed - matches).max(0.0))
            .collect();
        for comparison in &self.problem.comparisons {
            self.shares(comparison, &non_matches, &mut next.u, |level| level.fix_u, None);
            let order_weights = match self.options.order {
                OrderConstraint::None => None,
                OrderConstraint::NonIncreasingM => Some(vec![1.0; levels.len()]),
                OrderConstraint::NonIncreasingWeight => Some(next.u.clone()),
            };
            self.shares(comparison, &expectation.matches, &mut next.m, |level| level.fix_m, order_weights.as_deref());
        }
        next
    }

    /// Sets the free probabilities of a comparison to their shares of `counts`.
    fn shares(
        &self,
        comparison: &ActiveComparison,
        counts: &[f64],
        values: &mut [f64],
        is_fixed: impl Fn(&super::problem::Level) -> bool + Copy,
        order_weights: Option<&[f64]>,
    ) {
        let free = self.free_levels(comparison, is_fixed);
        if free.is_empty() {
            return;
        }
        let smoothing = self.options.smoothing / free.len() as f64;
        let mut smoothed: Vec<f64> = free.iter().map(|place| counts[*place] + smoothing).collect();
        let total: f64 = if self.options.normalise_with_fixed {
            smoothed.iter().sum()
        } else {
            let places = Problem::places(comparison).filter(|place| !self.problem.levels[*place].is_null);
            places.map(|place| counts[place]).sum::<f64>() + self.options.smoothing
        };
        if total <= 0.0 {
            return;
        }
        if let Some(weights) = order_weights {
            let weights: Vec<f64> = free.iter().map(|place| weights[*place].max(SMALLEST)).collect();
            smoothed = in_order(&smoothed, &weights);
        }
        let mass = self.free_mass(comparison, values, is_fixed);
        for (place, count) in free.into_iter().zip(smoothed) {
            values[place] = mass * count / total;
        }
    }
    /// Gives the logarithm of the Dirichlet prior density of the parameters that are estimated, up to a constant.
    fn log_prior_density(&self, parameters: &Parameters) -> f64 {
        if self.options.smoothing == 0.0 {
            return 0.0;
        }
        let mut sum = 0.0;
        for comparison in &self.problem.comparisons {
            for (values, free) in [
                (&parameters.m, self.free_levels(comparison, |level| level.fix_m)),
                (&parameters.u, self.free_levels(comparison, |level| level.fix_u)),
            ] {
                let share = self.options.smoothing / free.len().max(1) as f64;
                sum += free.iter().map(|place| share * values[*place].max(SMALLEST).ln()).sum::<f64>();
            }
        }
        sum
    }

    fn entry(
        &self,
        iteration: usize,
        parameters: &Parameters,
        expectation: &Expectation,
        largest_change: f64,
    ) -> EmIteration {
        let by_comparison = |values: &[f64]| -> Vec<Vec<f64>> {
            self.problem.comparisons.iter().map(|comparison| values[Problem::places(comparison)].to_vec()).collect()
        };
        EmIteration {
            iteration,
            prior: parameters.prior,
            log_likelihood: expectation.log_likelihood,
            objective: expectation.log_likelihood + self.log_prior_density(parameters),
            largest_change,
            m: by_comparison(&parameters.m),
            u: by_comparison(&parameters.u),
        }
    }

    /// Tells what is wrong with a result, if anything.
    fn degenerate(&self, model: &LinkageModel, parameters: &Parameters, expectation: &Expectation) -> Option<EmStatus> {
        let about_prior = |reason| Some(EmStatus::Degenerate { comparison: None, level: None, reason });
        if self.problem.n_pairs > 0.0 && !self.options.fix_prior {
            if expectation.total < FEWEST_MATCHES {
                return about_prior(DegenerateReason::NoMatches);
            }
            if self.problem.n_pairs - expectation.total < FEWEST_MATCHES {
                return about_prior(DegenerateReason::OnlyMatches);
            }
        }
        let about_level = |comparison: &ActiveComparison, place: usize, reason| {
            let comparison_of_model = &model.comparisons[comparison.index];
            let level = &comparison_of_model.levels[place - comparison.start];
            Some(EmStatus::Degenerate {
                comparison: Some(comparison_of_model.output_column_name.clone()),
                level: Some(level.label.clone().unwrap_or_else(|| level.sql_condition.clone())),
                reason,
            })
        };
        let tops: Vec<(&ActiveComparison, usize)> = self
            .problem
            .comparisons
            .iter()
            .filter_map(|comparison| {
                let top = Problem::places(comparison).find(|place| {
                    let level = &self.problem.levels[*place];
                    !level.is_null && level.observed > 0.0
                })?;
                Some((comparison, top))
            })
            .collect();
        let swapped: Vec<_> = tops.iter().filter(|(_, top)| parameters.m[*top] < parameters.u[*top]).collect();
        if swapped.len() * 2 > tops.len() {
            let (comparison, top) = swapped[0];
            return about_level(comparison, *top, DegenerateReason::ClassesSwapped);
        }
        for comparison in &self.problem.comparisons {
            let vanished = self
                .free_levels(comparison, |level| level.fix_m)
                .into_iter()
                .find(|place| parameters.m[*place] < VANISHED);
            if let Some(place) = vanished {
                return about_level(comparison, place, DegenerateReason::ProbabilityVanished);
            }
        }
        None
    }
}

/// What an expectation step looks up.
struct Step {
    weights: Vec<f64>,
    log2_m: Vec<f64>,
    prior_weight: f64,
    log2_prior: f64,
    prior: f64,
}

impl Step {
    fn expect(&self, problem: &Problem, groups: std::ops::Range<usize>) -> Expectation {
        let mut sum = Expectation::zero(problem.levels.len());
        let width = problem.comparisons.len();
        let mut log2_likelihood = 0.0;
        for group in groups {
            let cells = &problem.cells[group * width..(group + 1) * width];
            let count = problem.counts[group];
            let mut weight = self.prior_weight;
            let mut log2_m = self.log2_prior;
            for cell in cells {
                weight += self.weights[usize::from(*cell)];
                log2_m += self.log2_m[usize::from(*cell)];
            }
            weight += problem.bits[group];
            let (probability, log2_pair) = if weight >= 0.0 {
                let odds = (-weight).exp2();
                (1.0 / (1.0 + odds), log2_m + odds.ln_1p() * std::f64::consts::LOG2_E)
            } else {
                let odds = weight.exp2();
                (odds / (1.0 + odds), log2_m - weight + odds.ln_1p() * std::f64::consts::LOG2_E)
            };
            let matches = probability * count;
            for cell in cells {
                sum.matches[usize::from(*cell)] += matches;
                sum.squares[usize::from(*cell)] += matches * probability;
            }
            sum.total += matches;
            let score = probability / self.prior - (1.0 - probability) / (1.0 - self.prior);
            sum.prior_information += count * score * score;
            log2_likelihood += count * log2_pair;
        }
        sum.log_likelihood = log2_likelihood * std::f64::consts::LN_2;
        sum
    }
}

impl Expectation {
    fn zero(n_levels: usize) -> Self {
        Self {
            matches: vec![0.0; n_levels],
            squares: vec![0.0; n_levels],
            total: 0.0,
            prior_information: 0.0,
            log_likelihood: 0.0,
        }
    }

    fn add(&mut self, other: &Self) {
        self.matches.iter_mut().zip(&other.matches).for_each(|(sum, value)| *sum += value);
        self.squares.iter_mut().zip(&other.squares).for_each(|(sum, value)| *sum += value);
        self.total += other.total;
        self.prior_information += other.prior_information;
        self.log_likelihood += other.log_likelihood;
    }
}

/// Gives the non-increasing values whose weighted multinomial likelihood is highest, by pooling adjacent violators.
///
/// The result `v` keeps the sum of `counts`; `v[i] / weights[i]` does not rise.
fn in_order(counts: &[f64], weights: &[f64]) -> Vec<f64> {
    // Each block: sum of counts, sum of weights, number of members.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(counts.len());
    for (count, weight) in counts.iter().zip(weights) {
        let mut block = (*count, *weight, 1);
        while let Some(previous) = blocks.pop_if(|previous| previous.0 / previous.1 < block.0 / block.1) {
            block = (block.0 + previous.0, block.1 + previous.1, block.2 + previous.2);
        }
        blocks.push(block);
    }
    let ratios = blocks.iter().flat_map(|(count, weight, members)| std::iter::repeat_n(count / weight, *members));
    ratios.zip(weights).map(|(ratio, weight)| ratio * weight).collect()
}

fn largest_change(before: &Parameters, after: &Parameters) -> f64 {
    let changes = before.m.iter().zip(&after.m).chain(before.u.iter().zip(&after.u));
    changes.map(|(before, after)| (after - before).abs()).fold((after.prior - before.prior).abs(), f64::max)
}

/// Gives the start with the highest objective, those that degenerated only if all did; the first of equals.
fn best(outcomes: &[Outcome]) -> usize {
    let is_sound = |outcome: &Outcome| !matches!(outcome.status, EmStatus::Degenerate { .. });
    let any_sound = outcomes.iter().any(is_sound);
    let mut chosen = None;
    for (index, outcome) in outcomes.iter().enumerate().filter(|(_, outcome)| is_sound(outcome) || !any_sound) {
        // A later start must be better by more than rounding, so that the first one stays among equals.
        let margin = 1e-9 * outcome.objective.abs();
        if chosen.is_none_or(|(_, objective)| outcome.objective > objective + margin) {
            chosen = Some((index, outcome.objective));
        }
    }
    chosen.map_or(0, |(index, _)| index)
}

fn report(
    model: &LinkageModel,
    problem: &Problem,
    options: &EmOptions,
    outcomes: &[Outcome],
    chosen: usize,
) -> EmReport {
    let outcome = &outcomes[chosen];
    let is_active = |index: usize| problem.comparisons.iter().any(|comparison| comparison.index == index);
    EmReport {
        rule: options.rule.clone(),
        inactive_comparisons: (0..model.comparisons.len())
            .filter(|index| !is_active(*index))
            .map(|index| model.comparisons[index].output_column_name.clone())
            .collect(),
        n_pairs: problem.n_pairs,
        n_groups: problem.counts.len(),
        status: outcome.status.clone(),
        prior: outcome.last.prior,
        prior_standard_error: (!options.fix_prior && outcome.expectation.prior_information > 0.0)
            .then(|| outcome.expectation.prior_information.sqrt().recip()),
        expected_matches: outcome.expectation.total,
        log_likelihood: outcome.expectation.log_likelihood,
        smoothing: options.smoothing,
        comparisons: problem
            .comparisons
            .iter()
            .map(|comparison| comparison_estimate(model, problem, comparison, outcome))
            .collect(),
        starts: outcomes
            .iter()
            .map(|outcome| EmStart {
                starting_prior: outcome.iterations[0].prior,
                prior: outcome.last.prior,
                objective: outcome.objective,
                n_iterations: outcome.iterations.len() - 1,
                status: outcome.status.clone(),
            })
            .collect(),
        chosen_start: chosen,
        iterations: outcome.iterations.clone(),
    }
}

fn comparison_estimate(
    model: &LinkageModel,
    problem: &Problem,
    comparison: &ActiveComparison,
    outcome: &Outcome,
) -> ComparisonEstimate {
    let of_model = &model.comparisons[comparison.index];
    let all_squares: f64 = Problem::places(comparison)
        .filter(|place| !problem.levels[*place].is_null)
        .map(|place| outcome.expectation.squares[place])
        .sum();
    let estimate = |place: usize| {
        let level = &problem.levels[place];
        let level_of_model = &of_model.levels[place - comparison.start];
        let status = |is_fixed: bool| match level {
            level if level.is_null => LevelStatus::NullLevel,
            _ if is_fixed => LevelStatus::Fixed,
            level if level.observed <= 0.0 => LevelStatus::NotObserved,
            _ => LevelStatus::Trained,
        };
        let m = outcome.last.m[place];
        let here = outcome.expectation.squares[place];
        let information = here / (m * m) + (all_squares - here) / ((1.0 - m) * (1.0 - m));
        let m_status = status(level.fix_m);
        let has_error = m_status == LevelStatus::Trained && information > 0.0 && information.is_finite();
        LevelEstimate {
            label: level_of_model.label.clone().unwrap_or_else(|| level_of_model.sql_condition.clone()),
            is_null_level: level.is_null,
            observed: level.observed,
            expected_matches: outcome.expectation.matches[place],
            m: (!level.is_null).then_some(m),
            m_standard_error: has_error.then(|| information.sqrt().recip()),
            m_status,
            u: (!level.is_null).then_some(outcome.last.u[place]),
            u_status: status(level.fix_u),
        }
    };
    ComparisonEstimate {
        index: comparison.index,
        comparison: of_model.output_column_name.clone(),
        levels: Problem::places(comparison).map(estimate).collect(),
    }
}

#[cfg(test)]
mod tests;
