//! Checks of figures: of columns, of the table, against an earlier run.

use std::collections::BTreeSet;

use arrow::buffer::BooleanBuffer;
use serde_json::{Map, Value, json};

use super::interner::Counter;
use super::rows::{Bounds, Ignore, judged};
use super::run::{Batch, Check, Ending, Outcome};
use crate::result::PARTIAL;
use crate::values::{CellKind, KeyForm, json_of_key, number_json, time_text};

/// Count, sum, mean and spread of numbers, kept while they pass.
///
/// The sum is compensated (Neumaier 1974); the spread is Welford's (1962), so that large offsets lose no digits.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Moments {
    pub(crate) count: u64,
    sum: f64,
    lost: f64,
    pub(crate) mean: f64,
    squares: f64,
}

impl Moments {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1;
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (value - self.mean);
    }

    pub(crate) fn sum(&self) -> f64 {
        self.sum + self.lost
    }

    /// Returns the sample standard deviation; not a number below two values.
    pub(crate) fn deviation(&self) -> f64 {
        if self.count < 2 { f64::NAN } else { (self.squares / (self.count - 1) as f64).sqrt() }
    }
}

/// A figure of a column that lies between bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    Min,
    Max,
    Sum,
    Mean,
    Median,
    Deviation,
    Distinct,
    ShareDistinct,
    SharePresent,
}

impl Figure {
    const fn keeps_values(self) -> bool {
        matches!(self, Self::Median)
    }

    const fn keeps_keys(self) -> bool {
        matches!(self, Self::Distinct | Self::ShareDistinct)
    }

    /// Returns whether it is a value of the column.
    pub(crate) const fn is_value(self) -> bool {
        matches!(self, Self::Min | Self::Max)
    }

    const fn needs_numbers(self) -> bool {
        matches!(self, Self::Sum | Self::Mean | Self::Median | Self::Deviation)
    }
}

/// A check of a figure.
#[derive(Debug)]
pub(crate) struct FigureCheck {
    pub(crate) column: usize,
    pub(crate) kind: CellKind,
    pub(crate) figure: Figure,
    pub(crate) bounds: Bounds<Value>,
    /// The least and the greatest are found by the order of texts.
    pub(crate) as_text: bool,
    pub(crate) shows: bool,
    pub(crate) rows: u64,
    pub(crate) present: u64,
    pub(crate) moments: Moments,
    pub(crate) integers: i128,
    pub(crate) values: Vec<f64>,
    pub(crate) distinct: Counter,
    pub(crate) extreme: Option<f64>,
    pub(crate) extreme_text: Option<String>,
}

impl Check for FigureCheck {
    fn add(&mut self, batch: &Batch, rows: &BooleanBuffer) -> Result<(), String> {
        let column = batch.column(self.column);
        let judged = judged(rows, &[column], Ignore::AnyMissing);
        self.rows += rows.count_set_bits() as u64;
        self.present += judged.count_set_bits() as u64;
        if self.figure == Figure::SharePresent {
            return Ok(());
        }
        if self.figure.keeps_keys() {
            let mut key = Vec::new();
            for row in judged.set_indices() {
                key.clear();
                column.push_key(row, &mut key);
                self.distinct.add(&key);
            }
            return Ok(());
        }
        if self.figure.needs_numbers() && !column.holds_numbers() {
            return Err("The column holds no numbers".into());
        }
        if self.as_text {
            let mut text = String::new();
            for row in judged.set_indices() {
                text.clear();
                column.write_text(row, &mut text);
                let better = self.extreme_text.as_deref().is_none_or(|known| {
                    if self.figure == Figure::Min { text.as_str() < known } else { text.as_str() > known }
                });
                if better {
                    self.extreme_text = Some(text.clone());
                }
            }
            return Ok(());
        }
        for row in judged.set_indices() {
            let number = column.number(row).ok_or("A text of the column spells no number")?;
            match self.figure {
                Figure::Min => self.extreme = Some(self.extreme.map_or(number, |known| known.min(number))),
                Figure::Max => self.extreme = Some(self.extreme.map_or(number, |known| known.max(number))),
                _ => {}
            }
            if self.figure.keeps_values() {
                self.values.push(number);
            } else {
                self.moments.add(number);
                if let crate::values::Cells::Int(values) = &column.cells {
                    self.integers += i128::from(values.value(row));
                }
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _ending: &Ending<'_>) -> Outcome {
        if self.as_text {
            let Some(observed) = self.extreme_text.take() else { return Outcome::observed(false, Value::Null) };
            let bounds = self.bounds.clone().try_map(|bound| bound.as_str().map(str::to_owned));
            let Some(bounds) = bounds else { return Outcome::exception("Text and numbers cannot be compared") };
            let success = bounds.holds(&observed);
            return Outcome::observed(success, if self.shows { observed.into() } else { Value::Null });
        }
        let bounds = self.bounds.clone().try_map(|bound| match &bound {
            Value::String(text) if self.kind.is_time() => crate::values::parse_time(text).map(|time| time as f64),
            bound => bound.as_f64(),
        });
        let Some(bounds) = bounds else { return Outcome::exception("The bounds cannot be compared with the column") };
        let observed = match self.figure {
            Figure::Min | Figure::Max => self.extreme,
            Figure::Sum if self.kind == CellKind::Int => Some(self.integers as f64),
            Figure::Sum => Some(self.moments.sum()),
            Figure::Mean if self.present == 0 => None,
            Figure::Mean if self.kind == CellKind::Int => Some(self.integers as f64 / self.present as f64),
            Figure::Mean => Some(self.moments.sum() / self.present as f64),
            Figure::Median => {
                self.values.sort_unstable_by(f64::total_cmp);
                quantile(&self.values, 0.5, Interpolation::Linear)
            }
            Figure::Deviation => Some(self.moments.deviation()).filter(|deviation| !deviation.is_nan()),
            Figure::Distinct => Some(self.distinct.keys.len() as f64),
            Figure::ShareDistinct if self.present == 0 => Some(0.0),
            Figure::ShareDistinct => Some(self.distinct.keys.len() as f64 / self.present as f64),
            Figure::SharePresent if self.rows == 0 => Some(0.0),
            Figure::SharePresent => Some(self.present as f64 / self.rows as f64),
        };
        let Some(observed) = observed else { return Outcome::observed(false, Value::Null) };
        let whole = match self.figure {
            Figure::Distinct => true,
            Figure::Min | Figure::Max | Figure::Sum => self.kind == CellKind::Int,
            _ => false,
        };
        let single = self.figure.is_value();
        let shown = if single && self.kind.is_time() {
            if self.shows { time_text(observed as i64, self.kind == CellKind::Date).into() } else { Value::Null }
        } else if single && self.kind == CellKind::Text && !self.shows {
            Value::Null
        } else if whole && observed.abs() < 9e15 {
            (observed as i64).into()
        } else {
            number_json(observed)
        };
        Outcome::observed(bounds.holds(&observed), shown)
    }

    fn memory(&self) -> usize {
        self.values.capacity() * 8 + self.distinct.memory()
    }
}

/// How a quantile between two values is found, by the names of pandas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interpolation {
    Linear,
    Lower,
    Higher,
    Midpoint,
    Nearest,
}

impl Interpolation {
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "linear" => Self::Linear,
            "lower" => Self::Lower,
            "higher" => Self::Higher,
            "midpoint" => Self::Midpoint,
            "nearest" => Self::Nearest,
            _ => return None,
        })
    }
}

/// Returns a quantile of sorted values, at position `share * (n - 1)` as `numpy.quantile` counts; halfway goes to the even position.
pub(crate) fn quantile(sorted: &[f64], share: f64, interpolation: Interpolation) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = (share * last as f64).clamp(0.0, last as f64);
    let (low, high) = (position.floor() as usize, position.ceil() as usize);
    Some(match interpolation {
        Interpolation::Lower => sorted[low],
        Interpolation::Higher => sorted[high],
        Interpolation::Midpoint => f64::midpoint(sorted[low], sorted[high]),
        Interpolation::Nearest => sorted[(position.round_ties_even() as usize).min(last)],
        Interpolation::Linear if low == high => sorted[low],
        Interpolation::Linear => {
            let part = position - low as f64;
            // The form of numpy's `lerp`, so that the last digit agrees.
            let difference = sorted[high] - sorted[low];
            if part >= 0.5 { sorted[high] - difference * (1.0 - part) } else { sorted[low] + difference * part }
        }
    })
}

/// A check that quantiles lie in ranges.
#[derive(Debug)]
pub(crate) struct QuantileCheck {
    pub(crate) column: usize,
    pub(crate) quantiles: Vec<f64>,
    pub(crate) ranges: Vec<(Option<f64>, Option<f64>)>,
    pub(crate) interpolation: Interpolation,
    pub(crate) values: Vec<f64>,
}

impl Check for QuantileCheck {
    fn add(&mut self, batch: &Batch, rows: &BooleanBuffer) -> Result<(), String> {
        let column = batch.column(self.column);
        let judged = judged(rows, &[column], Ignore::AnyMissing);
        for row in judged.set_indices() {
            self.values.push(column.number(row).ok_or("A text of the column spells no number")?);
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _ending: &Ending<'_>) -> Outcome {
        self.values.sort_unstable_by(f64::total_cmp);
        let observed: Vec<Option<f64>> =
            self.quantiles.iter().map(|&share| quantile(&self.values, share, self.interpolation)).collect();
        let details: Vec<bool> = observed
            .iter()
            .zip(&self.ranges)
            .map(|(value, (low, high))| {
                value.is_some_and(|value| {
                    let close = |bound: &Option<f64>| bound.is_some_and(|bound| is_close(value, bound));
                    close(low)
                        || close(high)
                        || (low.is_none_or(|low| low <= value) && high.is_none_or(|high| value <= high))
                })
            })
            .collect();
        let values: Vec<Value> = observed.into_iter().map(|value| value.map_or(Value::Null, number_json)).collect();
        let mut outcome = Outcome::observed(
            details.iter().all(|holds| *holds),
            json!({"quantiles": self.quantiles, "values": values}),
        );
        outcome.facts.insert("details".into(), json!({"success_details": details}));
        outcome
    }

    fn memory(&self) -> usize {
        self.values.capacity() * 8
    }
}

/// Says whether two numbers are equal but for rounding: the relative tolerance of `0.0001` that Great Expectations allows a bound.
fn is_close(value: f64, bound: f64) -> bool {
    (value - bound).abs() <= 1e-8 + 1e-4 * bound.abs()
}

/// What the distinct values are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetQuestion {
    /// All are in the set.
    InSet,
    /// All of the set occur.
    Contain,
    /// Both.
    Equal,
    /// The most common one is in the set.
    MostCommon { ties_okay: bool },
}

/// A check of the distinct values of a column.
#[derive(Debug)]
pub(crate) struct SetCheck {
    pub(crate) column: usize,
    pub(crate) kind: CellKind,
    pub(crate) question: SetQuestion,
    /// How text meets the set.
    pub(crate) form: KeyForm,
    /// Key and value of each member of the set, without repetition.
    pub(crate) set: Vec<(Option<Vec<u8>>, Value)>,
    pub(crate) shows: bool,
    pub(crate) distinct: Counter,
}

impl Check for SetCheck {
    fn add(&mut self, batch: &Batch, rows: &BooleanBuffer) -> Result<(), String> {
        let column = batch.column(self.column);
        let mut key = Vec::new();
        for row in judged(rows, &[column], Ignore::AnyMissing).set_indices() {
            key.clear();
            column.push_key_in(self.form, row, &mut key);
            self.distinct.add(&key);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _ending: &Ending<'_>) -> Outcome {
        let members: BTreeSet<&[u8]> = self.set.iter().filter_map(|(key, _)| key.as_deref()).collect();
        let mut facts = Map::new();
        let values = |codes: &[u32]| -> Vec<Value> {
            if !self.shows {
                return Vec::new();
            }
            let mut codes = codes.to_vec();
            codes.sort_unstable_by_key(|&code| self.distinct.keys.key(code));
            codes.iter().take(PARTIAL).map(|&code| json_of_key(self.distinct.keys.key(code), self.kind)).collect()
        };
        if let SetQuestion::MostCommon { ties_okay } = self.question {
            let most = self.distinct.counts.iter().max().copied().unwrap_or(0);
            let modes: Vec<u32> = (0..self.distinct.keys.len() as u32)
                .filter(|&code| self.distinct.counts[code as usize] == most)
                .collect();
            let hits = modes.iter().filter(|&&code| members.contains(self.distinct.keys.key(code))).count();
            let success = if ties_okay { hits > 0 } else { modes.len() == 1 && hits == 1 };
            let mut outcome = Outcome::observed(success, if self.shows { values(&modes).into() } else { Value::Null });
            if !self.shows {
                outcome.facts.insert("details".into(), json!({"ties": modes.len(), "count": most}));
            }
            return outcome;
        }
        let mut success = true;
        if self.question != SetQuestion::Contain {
            let outside: Vec<u32> = (0..self.distinct.keys.len() as u32)
                .filter(|&code| !members.contains(self.distinct.keys.key(code)))
                .collect();
            success &= outside.is_empty();
            facts.insert("unexpected_count".into(), outside.len().into());
            facts.insert("partial_unexpected_list".into(), values(&outside).into());
        }
        if self.question != SetQuestion::InSet {
            let missing: Vec<&Value> = self
                .set
                .iter()
                .filter(|(key, _)| key.as_ref().is_none_or(|key| self.distinct.keys.find(key).is_none()))
                .map(|(_, value)| value)
                .collect();
            success &= missing.is_empty();
            facts.insert("missing_count".into(), missing.len().into());
            // The members come from the suite, not from the data.
            let listed: Vec<&Value> = missing.into_iter().take(PARTIAL).collect();
            facts.insert("partial_missing_list".into(), json!(listed));
        }
        Outcome { success, observed: Some(Value::Null), facts, ..Outcome::default() }
    }

    fn memory(&self) -> usize {
        self.distinct.memory()
    }
}

/// A distribution that a column is compared with.
#[derive(Debug)]
pub(crate) enum Partition {
    Values { values: Vec<(Vec<u8>, Value)>, weights: Vec<f64>, form: KeyForm },
    Bins { bins: Vec<f64>, weights: Vec<f64>, tails: Option<[f64; 2]> },
}

/// A check of the Kullback–Leibler divergence of a column from a distribution.
#[derive(Debug)]
pub(crate) struct DivergenceCheck {
    pub(crate) column: usize,
    pub(crate) partition: Partition,
    pub(crate) threshold: Option<f64>,
    pub(crate) tail_holdout: f64,
    pub(crate) internal_holdout: f64,
    pub(crate) shows: bool,
    pub(crate) kind: CellKind,
    pub(crate) distinct: Counter,
    pub(crate) present: u64,
    pub(crate) bins: Vec<u64>,
    pub(crate) below: u64,
    pub(crate) above: u64,
}

impl Check for DivergenceCheck {
    fn add(&mut self, batch: &Batch, rows: &BooleanBuffer) -> Result<(), String> {
        let column = batch.column(self.column);
        let mut key = Vec::new();
        for row in judged(rows, &[column], Ignore::AnyMissing).set_indices() {
            self.present += 1;
            match &self.partition {
                Partition::Values { form, .. } => {
                    key.clear();
                    column.push_key_in(*form, row, &mut key);
                    self.distinct.add(&key);
                }
                Partition::Bins { bins, .. } => {
                    let number = column.number(row).ok_or("A text of the column spells no number")?;
                    match bin_of(bins, number) {
                        Ok(bin) => self.bins[bin] += 1,
                        Err(true) => self.above += 1,
                        Err(false) => self.below += 1,
                    }
                }
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _ending: &Ending<'_>) -> Outcome {
        let present = self.present as f64;
        let (observed, expected, details) = match &self.partition {
            Partition::Values { values, weights, .. } => {
                let mut observed: Vec<f64> = values
                    .iter()
                    .map(|(key, _)| {
                        self.distinct
                            .keys
                            .find(key)
                            .map_or(0.0, |code| self.distinct.counts[code as usize] as f64 / present)
                    })
                    .collect();
                let known: BTreeSet<&[u8]> = values.iter().map(|(key, _)| key.as_slice()).collect();
                let others: Vec<u32> = (0..self.distinct.keys.len() as u32)
                    .filter(|&code| !known.contains(self.distinct.keys.key(code)))
                    .collect();
                let mut expected = weights.clone();
                if !others.is_empty() {
                    for weight in &mut expected {
                        *weight *= 1.0 - self.tail_holdout;
                    }
                    expected.extend(others.iter().map(|_| self.tail_holdout / others.len() as f64));
                    observed.extend(others.iter().map(|&code| self.distinct.counts[code as usize] as f64 / present));
                }
                let mut names: Vec<Value> = values.iter().map(|(_, value)| value.clone()).collect();
                names.extend(others.iter().map(|&code| {
                    if self.shows { json_of_key(self.distinct.keys.key(code), self.kind) } else { Value::Null }
                }));
                let details = json!({
                    "observed_partition": {"values": names, "weights": observed},
                    "expected_partition": {"values": names, "weights": expected},
                });
                (observed, expected, details)
            }
            Partition::Bins { bins, weights, tails } => {
                let mut inner: Vec<f64> =
                    weights.iter().map(|weight| weight * (1.0 - self.tail_holdout - self.internal_holdout)).collect();
                let zeros = inner.iter().filter(|weight| **weight == 0.0).count();
                if self.internal_holdout > 0.0 && zeros > 0 {
                    for weight in inner.iter_mut().filter(|weight| **weight == 0.0) {
                        *weight = self.internal_holdout / zeros as f64;
                    }
                }
                let tails = tails.unwrap_or([self.tail_holdout / 2.0; 2]);
                let shares: Vec<f64> = self.bins.iter().map(|&count| count as f64 / present).collect();
                let seen_tails = [self.below as f64 / present, self.above as f64 / present];
                let details = json!({
                    "observed_partition": {"bins": bins, "weights": shares, "tail_weights": seen_tails},
                    "expected_partition": {"bins": bins, "weights": inner, "tail_weights": tails},
                });
                let whole = |tails: [f64; 2], inner: Vec<f64>| {
                    let mut all = vec![tails[0]];
                    all.extend(inner);
                    all.push(tails[1]);
                    all
                };
                (whole(seen_tails, shares), whole(tails, inner), details)
            }
        };
        let divergence = entropy(&observed, &expected);
        let success = self.threshold.is_none_or(|threshold| divergence <= threshold);
        let mut outcome = Outcome::observed(success, number_json(divergence));
        outcome.facts.insert("details".into(), details);
        outcome
    }

    fn memory(&self) -> usize {
        self.distinct.memory()
    }
}

/// Returns the bin of a number, the last one closed at its end; the error says whether the number lies above all bins.
pub(crate) fn bin_of(bins: &[f64], number: f64) -> Result<usize, bool> {
    let (Some(&first), Some(&last)) = (bins.first(), bins.last()) else { return Err(true) };
    if number < first {
        return Err(false);
    }
    if number > last {
        return Err(true);
    }
    Ok(bins.partition_point(|&edge| edge <= number).saturating_sub(1).min(bins.len() - 2))
}

/// Returns the relative entropy Σ p ln(p / q) of two distributions that are first made to add up to one.
///
/// Kullback and Leibler, *On Information and Sufficiency* (1951), equation 2.4; as `scipy.stats.entropy`.
fn entropy(observed: &[f64], expected: &[f64]) -> f64 {
    let (p_sum, q_sum): (f64, f64) = (observed.iter().sum(), expected.iter().sum());
    observed
        .iter()
        .zip(expected)
        .map(|(p, q)| {
            let (p, q) = (p / p_sum, q / q_sum);
            if p == 0.0 { 0.0 } else { p * (p / q).ln() }
        })
        .sum()
}

/// What a table is asked for.
#[derive(Debug)]
pub(crate) enum TableQuestion {
    Rows(Bounds<f64>),
    RowsEqual(f64),
    /// Known from the schema.
    Known(Box<Outcome>),
    RowChange {
        tolerance: f64,
    },
    Sql {
        query: String,
    },
}

/// A check of the table.
#[derive(Debug)]
pub(crate) struct TableCheck {
    pub(crate) question: TableQuestion,
    pub(crate) rows: u64,
}

impl Check for TableCheck {
    fn add(&mut self, _batch: &Batch, rows: &BooleanBuffer) -> Result<(), String> {
        self.rows += rows.count_set_bits() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>, ending: &Ending<'_>) -> Outcome {
        let rows = self.rows as f64;
        match self.question {
            TableQuestion::Rows(bounds) => Outcome::observed(bounds.holds(&rows), self.rows),
            TableQuestion::RowsEqual(value) => Outcome::observed(value.total_cmp(&rows).is_eq(), self.rows),
            TableQuestion::Known(outcome) => *outcome,
            TableQuestion::RowChange { tolerance } => {
                let Some(baseline) = ending.baseline else { return no_baseline() };
                relative_change(rows, baseline.rows as f64, tolerance)
            }
            TableQuestion::Sql { query } => {
                let Some(sql) = ending.sql else { return Outcome::exception("No SQL engine is at hand") };
                match sql.count_rows(&query, ending.batches) {
                    Ok(count) => Outcome::observed(count == 0, count),
                    Err(reason) => Outcome::exception(reason),
                }
            }
        }
    }
}

/// Returns the result where there is no earlier run to compare with.
pub(crate) fn no_baseline() -> Outcome {
    let mut outcome = Outcome::observed(true, Value::Null);
    outcome.facts.insert("details".into(), json!({"baseline": "no earlier run"}));
    outcome
}

/// Compares a number with that of an earlier run; from nothing, every number is a change of its own size.
pub(crate) fn relative_change(now: f64, before: f64, tolerance: f64) -> Outcome {
    let change = (now - before) / before.abs().max(1.0);
    let mut outcome = Outcome::observed(change.abs() <= tolerance, number_json(change));
    outcome.facts.insert("details".into(), json!({"now": now, "before": before}));
    outcome
}

/// What a column is asked for against an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DriftQuestion {
    StabilityIndex,
    KolmogorovSmirnov,
    Fill,
    Distinct,
}

/// A check of a column against an earlier run.
#[derive(Debug)]
pub(crate) struct DriftCheck {
    pub(crate) column: String,
    pub(crate) question: DriftQuestion,
    pub(crate) limit: f64,
}

impl Check for DriftCheck {
    fn add(&mut self, _batch: &Batch, _rows: &BooleanBuffer) -> Result<(), String> {
        Ok(())
    }

    fn finish(self: Box<Self>, ending: &Ending<'_>) -> Outcome {
        let before = ending.baseline.and_then(|profile| profile.columns.get(&self.column));
        let now = ending.profile.and_then(|profile| profile.columns.get(&self.column));
        let (Some(before), Some(now)) = (before, now) else { return no_baseline() };
        match self.question {
            DriftQuestion::Fill => {
                let change = now.fill() - before.fill();
                let mut outcome = Outcome::observed(change.abs() <= self.limit + 1e-12, number_json(change));
                outcome.facts.insert("details".into(), json!({"now": now.fill(), "before": before.fill()}));
                outcome
            }
            DriftQuestion::Distinct => relative_change(now.distinct as f64, before.distinct as f64, self.limit),
            DriftQuestion::StabilityIndex => {
                if let Some(index) = crate::drift::stability_index_of(before, now) {
                    return Outcome::observed(index < self.limit, number_json(index));
                }
                let mut outcome = Outcome::observed(true, Value::Null);
                let reason = "the earlier run kept no values of this column: they are personal, or fewer than five rows share each";
                outcome.facts.insert("details".into(), json!({"baseline": reason}));
                outcome
            }
            DriftQuestion::KolmogorovSmirnov => match crate::drift::ks_statistic_of(before, now) {
                Some(statistic) => Outcome::observed(statistic < self.limit, number_json(statistic)),
                None => Outcome::exception("The column holds no numbers, then or now"),
            },
        }
    }
}
