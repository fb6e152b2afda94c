//! Numbers of pairs, column by column, as DuckDB computes them.

use std::cmp::Ordering;

use super::{CompareError, Comparer, Scratch};
use crate::columns::{NULL, Values};
use crate::plan::{FeatureId, MeasureId, NumberFunction, Operator};
use crate::sql::expression::Side;

/// A compiled [`NumberExpression`](crate::plan::NumberExpression).
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Number {
    /// A constant, or null.
    Constant(Option<Constant>),
    /// A feature of one record.
    Feature {
        /// Whose value.
        side: Side,
        /// The feature.
        feature: FeatureId,
    },
    /// A measure.
    Measure(MeasureId),
    /// A function of numbers.
    Function {
        /// Which one.
        function: NumberFunction,
        /// Its operands.
        arguments: Vec<Number>,
    },
    /// The first result whose condition, a diagram, holds.
    Case {
        /// Diagram and result.
        branches: Vec<(usize, Number)>,
        /// The result when none holds.
        otherwise: Box<Number>,
    },
    /// `abs(left - right)` of a feature of each record, the form of date and number differences.
    AbsoluteDifference {
        /// Whose value is the minuend; it makes no difference but for the sign of a zero, which compares equal.
        left: FeatureId,
        /// The feature of the right record.
        right: FeatureId,
    },
}

/// A constant, equal to itself even where it is not a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Constant(pub(super) f64);

impl PartialEq for Constant {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Number {
    /// Recognises forms with a loop of their own.
    pub(super) fn simplified(self) -> Self {
        if let Self::Function { function: NumberFunction::Abs, arguments } = &self
            && let [Self::Function { function: NumberFunction::Subtract, arguments }] = &arguments[..]
        {
            match arguments[..] {
                [
                    Self::Feature { side: Side::Left, feature: left },
                    Self::Feature { side: Side::Right, feature: right },
                ]
                | [
                    Self::Feature { side: Side::Right, feature: right },
                    Self::Feature { side: Side::Left, feature: left },
                ] => {
                    return Self::AbsoluteDifference { left, right };
                }
                _ => {}
            }
        }
        self
    }
}

/// Numbers with their validity; the value of a null is 0.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// The values.
    pub(super) values: Vec<f64>,
    /// Which of them are not null.
    pub(super) valid: Vec<bool>,
}

impl Numbers {
    /// Makes room for a number of values, all null.
    pub(super) fn reset(&mut self, len: usize) {
        self.values.clear();
        self.values.resize(len, 0.0);
        self.valid.clear();
        self.valid.resize(len, false);
    }

    /// Sets a value.
    pub(super) fn set(&mut self, place: usize, value: Option<f64>) {
        self.values[place] = value.unwrap_or(0.0);
        self.valid[place] = value.is_some();
    }

    /// Gives a value.
    pub(super) fn get(&self, place: usize) -> Option<f64> {
        self.valid[place].then(|| self.values[place])
    }
}

/// Orders numbers as DuckDB does: not-a-number equals itself and is above all others, the zeros are equal.
pub(super) fn order(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

/// Tells whether an operator takes an order of its operands.
pub(super) fn holds(operator: Operator, order: Ordering) -> bool {
    match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
    }
}

/// Computes a number for each pair.
pub(super) fn evaluate(
    comparer: &Comparer<'_>,
    number: &Number,
    (lefts, rights): (&[u32], &[u32]),
    out: &mut Numbers,
    scratch: &mut Scratch,
) -> Result<(), CompareError> {
    out.reset(lefts.len());
    match number {
        Number::Constant(value) => (0..lefts.len()).for_each(|place| out.set(place, value.map(|value| value.0))),
        Number::Feature { side, feature } => {
            let rows = if *side == Side::Left { lefts } else { rights };
            let codes = &comparer.columns.codes[*feature];
            match comparer.columns.values(*feature) {
                Values::Number(values) => gather(codes, rows, out, |code| values[code]),
                #[expect(clippy::cast_precision_loss, reason = "numbers of a condition are 64-bit floating point")]
                Values::Integer(values) => gather(codes, rows, out, |code| values[code] as f64),
                Values::Boolean(values) => gather(codes, rows, out, |code| f64::from(u8::from(values[code]))),
                _ => return Err(CompareError::Internal { what: "a feature of text is read as a number" }),
            }
        }
        Number::AbsoluteDifference { left, right } => {
            let number = Number::Feature { side: Side::Left, feature: *left };
            evaluate(comparer, &number, (lefts, rights), out, scratch)?;
            let mut other = scratch.take_numbers();
            let number = Number::Feature { side: Side::Right, feature: *right };
            evaluate(comparer, &number, (lefts, rights), &mut other, scratch)?;
            for (value, right) in out.values.iter_mut().zip(&other.values) {
                *value = (*value - right).abs();
            }
            for (valid, right) in out.valid.iter_mut().zip(&other.valid) {
                *valid &= right;
            }
            scratch.give_numbers(other);
        }
        Number::Measure(measure) => comparer.measure(*measure, (lefts, rights), out, scratch)?,
        Number::Function { function, arguments } => {
            let mut operands = Vec::with_capacity(arguments.len());
            for argument in arguments {
                let mut operand = scratch.take_numbers();
                evaluate(comparer, argument, (lefts, rights), &mut operand, scratch)?;
                operands.push(operand);
            }
            apply(*function, &operands, out)?;
            for operand in operands {
                scratch.give_numbers(operand);
            }
        }
        Number::Case { branches, otherwise } => case(comparer, (branches, otherwise), (lefts, rights), out, scratch)?,
    }
    Ok(())
}

fn gather(codes: &[u32], rows: &[u32], out: &mut Numbers, value: impl Fn(usize) -> f64) {
    for ((slot, valid), &row) in out.values.iter_mut().zip(&mut out.valid).zip(rows) {
        let code = codes[row as usize];
        if code != NULL {
            *slot = value(code as usize);
            *valid = true;
        }
    }
}

/// Evaluates each result only for the pairs that take it.
fn case(
    comparer: &Comparer<'_>,
    (branches, otherwise): (&[(usize, Number)], &Number),
    (lefts, rights): (&[u32], &[u32]),
    out: &mut Numbers,
    scratch: &mut Scratch,
) -> Result<(), CompareError> {
    let mut places: Vec<usize> = (0..lefts.len()).collect();
    let mut part = Numbers::default();
    let mut truths = Vec::new();
    for (decision, result) in branches {
        if places.is_empty() {
            return Ok(());
        }
        let rows = pick(&places, lefts, rights);
        truths.resize(places.len(), 0);
        comparer.decide(*decision, (&rows.0, &rows.1), &mut truths, scratch)?;
        let takes = |place: usize| truths[place] == super::decision::truth::TRUE;
        let taken: Vec<usize> = (0..places.len()).filter(|place| takes(*place)).map(|place| places[place]).collect();
        let rest = (0..places.len()).filter(|place| !takes(*place)).map(|place| places[place]).collect();
        fill(comparer, result, (&taken, lefts, rights), (&mut part, out), scratch)?;
        places = rest;
    }
    fill(comparer, otherwise, (&places, lefts, rights), (&mut part, out), scratch)
}

fn fill(
    comparer: &Comparer<'_>,
    number: &Number,
    (places, lefts, rights): (&[usize], &[u32], &[u32]),
    (part, out): (&mut Numbers, &mut Numbers),
    scratch: &mut Scratch,
) -> Result<(), CompareError> {
    let rows = pick(places, lefts, rights);
    evaluate(comparer, number, (&rows.0, &rows.1), part, scratch)?;
    places.iter().enumerate().for_each(|(index, place)| out.set(*place, part.get(index)));
    Ok(())
}

fn pick(places: &[usize], lefts: &[u32], rights: &[u32]) -> (Vec<u32>, Vec<u32>) {
    places.iter().map(|place| (lefts[*place], rights[*place])).unzip()
}

/// Applies a function to whole columns of operands.
fn apply(function: NumberFunction, operands: &[Numbers], out: &mut Numbers) -> Result<(), CompareError> {
    use NumberFunction as F;
    match (function, operands) {
        (F::Add, [a, b]) => binary(a, b, out, |a, b| Some(a + b)),
        (F::Subtract, [a, b]) => binary(a, b, out, |a, b| Some(a - b)),
        (F::Multiply, [a, b]) => binary(a, b, out, |a, b| Some(a * b)),
        (F::Divide, [a, b]) => binary(a, b, out, |a, b| Some(a / b)),
        (F::Modulo, [a, b]) => binary(a, b, out, |a, b| Some(a % b)),
        (F::Atan2, [a, b]) => binary(a, b, out, |a, b| Some(a.atan2(b))),
        (F::Power, [a, b]) => binary(a, b, out, |a, b| Some(a.powf(b))),
        (F::Round, [a, b]) => binary(a, b, out, |a, b| Some(round_to(a, b))),
        (F::NullIf, [a, b]) => {
            for place in 0..out.values.len() {
                let value = a.get(place);
                let same = matches!((value, b.get(place)), (Some(a), Some(b)) if order(a, b).is_eq());
                out.set(place, value.filter(|_| !same));
            }
        }
        (F::Greatest | F::Least | F::Coalesce, operands) if !operands.is_empty() => {
            for place in 0..out.values.len() {
                let values = operands.iter().filter_map(|operand| operand.get(place));
                out.set(
                    place,
                    match function {
                        F::Greatest => values.max_by(|a, b| order(*a, *b)),
                        F::Least => values.min_by(|a, b| order(*a, *b)),
                        _ => { values }.next(),
                    },
                );
            }
        }
        (function, [a]) => {
            let single = unary(function).ok_or(CompareError::Internal { what: "a function has too few operands" })?;
            for place in 0..out.values.len() {
                out.set(place, a.get(place).and_then(single));
            }
        }
        _ => return Err(CompareError::Internal { what: "a function has the wrong number of operands" }),
    }
    Ok(())
}

fn binary(a: &Numbers, b: &Numbers, out: &mut Numbers, apply: impl Fn(f64, f64) -> Option<f64>) {
    for place in 0..out.values.len() {
        if a.valid[place] && b.valid[place] {
            out.set(place, apply(a.values[place], b.values[place]));
        }
    }
}

/// Gives a function of one number. Outside its domain the result is not-a-number or infinite, as IEEE 754 and DuckDB 2.0 have it;
/// only a number too large for single precision, where DuckDB stops, becomes null.
fn unary(function: NumberFunction) -> Option<fn(f64) -> Option<f64>> {
    use NumberFunction as F;
    Some(match function {
        F::Negate => |a| Some(-a),
        F::Abs => |a| Some(a.abs()),
        F::Sqrt => |a| Some(a.sqrt()),
        F::Sin => |a| Some(a.sin()),
        F::Cos => |a| Some(a.cos()),
        F::Tan => |a| Some(a.tan()),
        F::Asin => |a| Some(a.asin()),
        F::Acos => |a| Some(a.acos()),
        F::Atan => |a| Some(a.atan()),
        F::Radians => |a| Some(a * (std::f64::consts::PI / 180.0)),
        F::Degrees => |a| Some(a * (180.0 / std::f64::consts::PI)),
        F::Ln => |a| Some(a.ln()),
        F::Log2 => |a| Some(a.log2()),
        F::Log10 => |a| Some(a.log10()),
        F::Exp => |a| Some(a.exp()),
        F::Floor => |a| Some(a.floor()),
        F::Ceil => |a| Some(a.ceil()),
        F::Round => |a| Some(a.round()),
        F::Truncate => |a| Some(a.trunc()),
        F::Float32 => |a| {
            #[expect(clippy::cast_possible_truncation, reason = "rounding to single precision is the function")]
            let single = a as f32;
            (single.is_finite() || !a.is_finite()).then(|| f64::from(single))
        },
        _ => return None,
    })
}

/// Rounds to a number of decimal places, halves away from zero.
fn round_to(value: f64, places: f64) -> f64 {
    let places = places.trunc();
    let rounded = if places < 0.0 {
        let scale = 10_f64.powf(-places);
        (value / scale).round() * scale
    } else {
        let scale = 10_f64.powf(places);
        (value * scale).round() / scale
    };
    if rounded.is_finite() {
        rounded
    } else if places < 0.0 {
        0.0
    } else {
        value
    }
}
