//! The numbers that expectation–maximisation works on: counts of active comparisons and the parameters.

use super::exact::exact_level_of_column;
use super::{EmOptions, TrainingError};
use crate::model::LinkageModel;
use crate::patterns::PatternCounts;

/// The smallest probability that a logarithm is taken of.
pub(crate) const SMALLEST: f64 = 1e-300;

/// λ, m and u, the levels of all active comparisons one after another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameters {
    pub(crate) prior: f64,
    pub(crate) m: Vec<f64>,
    pub(crate) u: Vec<f64>,
}

/// One active comparison.
#[derive(Debug, Clone)]
pub(crate) struct ActiveComparison {
    /// Index in the model.
    pub(crate) index: usize,
    /// Where its levels start among all levels.
    pub(crate) start: usize,
    /// Number of levels, null level included.
    pub(crate) n_levels: usize,
}

/// What does not change about a level.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level {
    pub(crate) is_null: bool,
    pub(crate) fix_m: bool,
    pub(crate) fix_u: bool,
    /// Scale of the term-frequency adjustment, and the level whose u is its base.
    pub(crate) adjustment: Option<(f64, usize)>,
    /// Number of pairs at the level, labelled ones included.
    pub(crate) observed: f64,
}

/// Pattern counts and model, made flat.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) comparisons: Vec<ActiveComparison>,
    pub(crate) levels: Vec<Level>,
    /// For each group, for each active comparison, the level's place among all levels.
    pub(crate) cells: Vec<u16>,
    /// For each group the term-frequency evidence in bits.
    pub(crate) bits: Vec<f64>,
    /// For each group its number of pairs.
    pub(crate) counts: Vec<f64>,
    pub(crate) n_pairs: f64,
    /// The same for labelled pairs, with the probability of a match.
    pub(crate) labelled: Vec<(Vec<u16>, f64, f64)>,
}

impl Problem {
    pub(crate) fn new(
        model: &LinkageModel,
        counts: &PatternCounts,
        options: &EmOptions,
    ) -> Result<(Self, Parameters), TrainingError> {
        let expected: Vec<usize> = model.comparisons.iter().map(|comparison| comparison.levels.len()).collect();
        if expected != counts.n_levels {
            return Err(TrainingError::OtherModel { expected, found: counts.n_levels.clone() });
        }
        let active = active_comparisons(model, options)?;
        let (comparisons, mut levels, parameters) = flatten(model, options, &active)?;
        let rows = merged(model, counts, options, &comparisons)?;
        for (cells, _, count) in &rows {
            observe(&mut levels, cells, *count);
        }
        let labelled = labelled(model, options, &comparisons)?;
        for (cells, _, count) in &labelled {
            observe(&mut levels, cells, *count);
        }
        let n_pairs: f64 = rows.iter().map(|(_, _, count)| count).sum();
        if n_pairs <= 0.0 && labelled.is_empty() {
            return Err(TrainingError::NoPairs { rule: rule_name(options) });
        }
        let problem = Self {
            comparisons,
            levels,
            cells: rows.iter().flat_map(|(cells, _, _)| cells.iter().copied()).collect(),
            bits: rows.iter().map(|(_, bits, _)| *bits).collect(),
            counts: rows.iter().map(|(_, _, count)| *count).collect(),
            n_pairs,
            labelled,
        };
        Ok((problem, parameters))
    }

    /// Gives the places of a comparison's levels.
    pub(crate) fn places(comparison: &ActiveComparison) -> std::ops::Range<usize> {
        comparison.start..comparison.start + comparison.n_levels
    }

    /// Gives for every level the bits that it adds to a match weight, its term-frequency base included.
    pub(crate) fn weights(&self, parameters: &Parameters, base: &Parameters) -> Vec<f64> {
        (0..self.levels.len())
            .map(|place| {
                let level = self.levels[place];
                if level.is_null {
                    return 0.0;
                }
                let weight = log2(parameters.m[place]) - log2(parameters.u[place]);
                weight + level.adjustment.map_or(0.0, |(scale, exact)| scale * log2(base.u[exact]))
            })
            .collect()
    }
}

/// Gives the binary logarithm of a probability, zero taken as 10⁻³⁰⁰.
pub(crate) fn log2(probability: f64) -> f64 {
    probability.max(SMALLEST).log2()
}

/// Names the rule of a run in messages.
pub(crate) fn rule_name(options: &EmOptions) -> String {
    options.rule.clone().unwrap_or_else(|| "(not named)".to_owned())
}

fn observe(levels: &mut [Level], cells: &[u16], count: f64) {
    for cell in cells {
        levels[usize::from(*cell)].observed += count;
    }
}

fn active_comparisons(model: &LinkageModel, options: &EmOptions) -> Result<Vec<usize>, TrainingError> {
    let n_comparisons = model.comparisons.len();
    if !options.active.is_empty() && options.active.len() != n_comparisons {
        return Err(TrainingError::OtherLength { expected: n_comparisons, found: options.active.len() });
    }
    let active: Vec<usize> =
        (0..n_comparisons).filter(|index| options.active.get(*index).copied().unwrap_or(true)).collect();
    if active.is_empty() {
        return Err(TrainingError::NothingToEstimate {
            rule: rule_name(options),
            comparisons: model.comparisons.iter().map(|comparison| comparison.output_column_name.clone()).collect(),
        });
    }
    Ok(active)
}

type Flat = (Vec<ActiveComparison>, Vec<Level>, Parameters);

fn flatten(model: &LinkageModel, options: &EmOptions, active: &[usize]) -> Result<Flat, TrainingError> {
    let mut comparisons = Vec::new();
    let mut levels = Vec::new();
    let prior = options.starting_prior.unwrap_or(model.probability_two_random_records_match);
    let mut parameters = Parameters { prior, m: Vec::new(), u: Vec::new() };
    for &index in active {
        let comparison = &model.comparisons[index];
        let start = levels.len();
        comparisons.push(ActiveComparison { index, start, n_levels: comparison.levels.len() });
        for (index, level) in comparison.levels.iter().enumerate() {
            let is_null = level.is_null_level;
            parameters.m.push(comparison.m_probability(index).unwrap_or(1.0));
            parameters.u.push(comparison.u_probability(index).unwrap_or(1.0));
            levels.push(Level {
                is_null,
                fix_m: options.fix_m || level.fix_m_probability,
                fix_u: options.fix_u || level.fix_u_probability,
                adjustment: if options.without_term_frequencies { None } else { adjustment(comparison, level, start)? },
                observed: 0.0,
            });
        }
    }
    Ok((comparisons, levels, parameters))
}

/// Gives scale and base of a level's term-frequency adjustment, by the rules of the scoring formula.
fn adjustment(
    comparison: &crate::model::Comparison,
    level: &crate::model::ComparisonLevel,
    start: usize,
) -> Result<Option<(f64, usize)>, TrainingError> {
    let Some(term_frequency) = &level.term_frequency else { return Ok(None) };
    if level.is_null_level || level.is_else_level() || term_frequency.weight == 0.0 {
        return Ok(None);
    }
    let base = if term_frequency.disable_exact_match_detection {
        comparison.levels.iter().position(|other| std::ptr::eq(other, level))
    } else {
        exact_level_of_column(comparison, &term_frequency.column)
    };
    let base = base.ok_or_else(|| TrainingError::NoExactLevel {
        comparison: comparison.output_column_name.clone(),
        column: term_frequency.column.clone(),
    })?;
    Ok(Some((term_frequency.weight, start + base)))
}

type Row = (Vec<u16>, f64, f64);

/// Gives the groups over the active comparisons, those that became equal added up.
fn merged(
    model: &LinkageModel,
    counts: &PatternCounts,
    options: &EmOptions,
    comparisons: &[ActiveComparison],
) -> Result<Vec<Row>, TrainingError> {
    let mut rows = Vec::with_capacity(counts.groups.len());
    for group in &counts.groups {
        let bits = if options.without_term_frequencies { 0.0 } else { group.term_frequency_bits };
        rows.push((cells(model, comparisons, &group.levels)?, bits, group.count));
    }
    rows.sort_by(|left, right| left.0.cmp(&right.0).then(left.1.total_cmp(&right.1)));
    rows.dedup_by(|next, kept| {
        let same = next.0 == kept.0 && next.1.to_bits() == kept.1.to_bits();
        if same {
            kept.2 += next.2;
        }
        same
    });
    Ok(rows)
}

fn labelled(
    model: &LinkageModel,
    options: &EmOptions,
    comparisons: &[ActiveComparison],
) -> Result<Vec<Row>, TrainingError> {
    options
        .labelled
        .iter()
        .map(|pattern| {
            let score = pattern.clerical_match_score;
            if !(0.0..=1.0).contains(&score) {
                return Err(TrainingError::OutOfRange {
                    what: "A clerical match score",
                    range: "from 0 to 1",
                    value: score,
                });
            }
            Ok((cells(model, comparisons, &pattern.levels)?, score, pattern.count))
        })
        .collect()
}

fn cells(model: &LinkageModel, comparisons: &[ActiveComparison], levels: &[u8]) -> Result<Vec<u16>, TrainingError> {
    comparisons
        .iter()
        .map(|comparison| {
            let level = levels.get(comparison.index).copied().map_or(usize::MAX, usize::from);
            if level >= comparison.n_levels {
                return Err(TrainingError::NoSuchLevel {
                    comparison: model.comparisons[comparison.index].output_column_name.clone(),
                    level,
                    n_levels: comparison.n_levels,
                });
            }
            Ok((comparison.start + level) as u16)
        })
        .collect()
}
