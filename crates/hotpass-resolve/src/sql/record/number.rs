//! Arithmetic and functions of numbers.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Date32Type, Float32Type, Float64Type, Int64Type};

use super::{Arguments, Called, Datum, EvaluationError, compare, operand_type, to_single};
use crate::sql::expression::BinaryOperator;

pub(super) fn negate(operand: &Datum) -> Result<Datum, EvaluationError> {
    let array: arrow::array::ArrayRef = match operand.data_type() {
        DataType::Int64 => Arc::new(operand.array.as_primitive::<Int64Type>().unary::<_, Int64Type>(i64::wrapping_neg)),
        DataType::Float32 => {
            Arc::new(operand.array.as_primitive::<Float32Type>().unary::<_, Float32Type>(|value| -value))
        }
        _ => Arc::new(compare::numbers("-", &operand.array)?.unary::<_, Float64Type>(|value| -value)),
    };
    Ok(Datum::new(array, operand.constant))
}

fn symbol(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::Add => "+",
        BinaryOperator::Subtract => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        _ => "%",
    }
}

/// `+ - * / %`: whole numbers stay whole except under `/`, which by zero is infinite or no number; a whole rest of a division by zero is null; dates
/// move by days.
pub(super) fn arithmetic(
    operator: BinaryOperator,
    left: &Datum,
    right: &Datum,
    n_rows: usize,
) -> Result<Datum, EvaluationError> {
    let constant = left.constant && right.constant;
    let n_rows = if constant { 1 } else { n_rows };
    let whole = |datum: &Datum| matches!(datum.data_type(), DataType::Int64);
    match (operator, left.data_type(), right.data_type()) {
        (BinaryOperator::Subtract, DataType::Date32, DataType::Date32) => {
            let (days, others) = (left.array.as_primitive::<Date32Type>(), right.array.as_primitive::<Date32Type>());
            let array: Int64Array = (0..n_rows)
                .map(|row| {
                    let (at, other) = (left.index(row), right.index(row));
                    (days.is_valid(at) && others.is_valid(other))
                        .then(|| i64::from(days.value(at)) - i64::from(others.value(other)))
                })
                .collect();
            return Ok(Datum::new(Arc::new(array), constant));
        }
        (BinaryOperator::Add | BinaryOperator::Subtract, DataType::Date32, DataType::Int64) => {
            return Ok(move_days(operator, left, right, n_rows));
        }
        (BinaryOperator::Add, DataType::Int64, DataType::Date32) => {
            return Ok(move_days(operator, right, left, n_rows));
        }
        (BinaryOperator::Add | BinaryOperator::Subtract | BinaryOperator::Multiply | BinaryOperator::Modulo, _, _)
            if whole(left) && whole(right) =>
        {
            let (lefts, rights) = (left.array.as_primitive::<Int64Type>(), right.array.as_primitive::<Int64Type>());
            let array: Int64Array = (0..n_rows)
                .map(|row| {
                    let (at, other) = (left.index(row), right.index(row));
                    if lefts.is_null(at) || rights.is_null(other) {
                        return None;
                    }
                    let (left, right) = (lefts.value(at), rights.value(other));
                    match operator {
                        BinaryOperator::Add => left.checked_add(right),
                        BinaryOperator::Subtract => left.checked_sub(right),
                        BinaryOperator::Multiply => left.checked_mul(right),
                        _ => left.checked_rem(right),
                    }
                })
                .collect();
            return Ok(Datum::new(Arc::new(array), constant));
        }
        _ => {}
    }
    let lefts = compare::numbers(symbol(operator), &left.array)?;
    let rights = compare::numbers(symbol(operator), &right.array)?;
    let array: Float64Array = (0..n_rows)
        .map(|row| {
            let (at, other) = (left.index(row), right.index(row));
            if lefts.is_null(at) || rights.is_null(other) {
                return None;
            }
            let (left, right) = (lefts.value(at), rights.value(other));
            match operator {
                BinaryOperator::Add => Some(left + right),
                BinaryOperator::Subtract => Some(left - right),
                BinaryOperator::Multiply => Some(left * right),
                BinaryOperator::Divide => Some(left / right),
                _ => Some(left % right),
            }
        })
        .collect();
    let single = |datum: &Datum| matches!(datum.data_type(), DataType::Float32);
    let stays_single = (single(left) && (single(right) || whole(right))) || (single(right) && whole(left));
    if stays_single {
        return Ok(Datum::new(Arc::new(to_single(&array)), constant));
    }
    Ok(Datum::new(Arc::new(array), constant))
}

fn move_days(operator: BinaryOperator, dates: &Datum, days: &Datum, n_rows: usize) -> Datum {
    let (values, steps) = (dates.array.as_primitive::<Date32Type>(), days.array.as_primitive::<Int64Type>());
    let array: arrow::array::Date32Array = (0..n_rows)
        .map(|row| {
            let (at, other) = (dates.index(row), days.index(row));
            if values.is_null(at) || steps.is_null(other) {
                return None;
            }
            let step = if operator == BinaryOperator::Subtract {
                steps.value(other).checked_neg()?
            } else {
                steps.value(other)
            };
            i32::try_from(i64::from(values.value(at)).checked_add(step)?).ok()
        })
        .collect();
    Datum::new(Arc::new(array), dates.constant && days.constant)
}

/// Functions of numbers.
pub(super) fn function(arguments: &Arguments<'_>) -> Called {
    Some(match (arguments.function, arguments.values.len()) {
        ("abs", 1) => keeping_whole(arguments, i64::checked_abs, f64::abs),
        ("floor", 1) => keeping_whole(arguments, Some, f64::floor),
        ("ceil", 1) => keeping_whole(arguments, Some, f64::ceil),
        ("round", 1) => keeping_whole(arguments, Some, f64::round),
        ("trunc", 1) => keeping_whole(arguments, Some, f64::trunc),
        ("round", 2) => round_to(arguments),
        ("sign", 1) => sign(arguments),
        ("pi", 0) => Ok(arguments.numbers(|_| Some(std::f64::consts::PI))),
        ("sqrt", 1) => map(arguments, f64::sqrt),
        ("cbrt", 1) => map(arguments, f64::cbrt),
        ("exp", 1) => map(arguments, f64::exp),
        ("ln", 1) => map(arguments, f64::ln),
        ("log10", 1) => map(arguments, f64::log10),
        ("log2", 1) => map(arguments, f64::log2),
        ("sin", 1) => map(arguments, f64::sin),
        ("cos", 1) => map(arguments, f64::cos),
        ("tan", 1) => map(arguments, f64::tan),
        ("asin", 1) => map(arguments, f64::asin),
        ("acos", 1) => map(arguments, f64::acos),
        ("atan", 1) => map(arguments, f64::atan),
        ("radians", 1) => map(arguments, |degrees| degrees * (std::f64::consts::PI / 180.0)),
        ("degrees", 1) => map(arguments, |radians| radians * (180.0 / std::f64::consts::PI)),
        ("atan2", 2) => map_two(arguments, |left, right| Some(left.atan2(right))),
        ("power", 2) => map_two(arguments, |left, right| Some(left.powf(right))),
        ("integer_divide", 2) => integer_divide(arguments),
        ("isnan", 1) => is_nan(arguments),
        _ => return None,
    })
}

fn map(arguments: &Arguments<'_>, change: impl Fn(f64) -> f64) -> Result<Datum, EvaluationError> {
    let numbers = arguments.number(0)?;
    Ok(arguments.numbers(|row| numbers.get(row).map(&change)))
}

fn map_two(arguments: &Arguments<'_>, change: impl Fn(f64, f64) -> Option<f64>) -> Result<Datum, EvaluationError> {
    let (left, right) = (arguments.number(0)?, arguments.number(1)?);
    Ok(arguments.numbers(|row| change(left.get(row)?, right.get(row)?)))
}

/// A function whose whole arguments give whole results, and single precision single precision.
fn keeping_whole(
    arguments: &Arguments<'_>,
    whole: impl Fn(i64) -> Option<i64>,
    change: impl Fn(f64) -> f64,
) -> Result<Datum, EvaluationError> {
    match arguments.values[0].data_type() {
        DataType::Int64 => {
            let integers = arguments.integer(0)?;
            Ok(arguments.integers(|row| integers.get(row).and_then(&whole)))
        }
        DataType::Float32 => {
            let result = map(arguments, change)?;
            compare::single_precision(&result)
        }
        _ => map(arguments, change),
    }
}

fn round_to(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let (numbers, digits) = (arguments.number(0)?, arguments.integer(1)?);
    Ok(arguments.numbers(|row| {
        let (value, digits) = (numbers.get(row)?, digits.get(row)?);
        let scale = 10f64.powi(i32::try_from(digits.clamp(-300, 300)).unwrap_or(0));
        let rounded = (value * scale).round() / scale;
        Some(if rounded.is_finite() { rounded } else { value })
    }))
}

fn sign(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let numbers = arguments.number(0)?;
    Ok(arguments.integers(|row| numbers.get(row).map(|value| i64::from(value > 0.0) - i64::from(value < 0.0))))
}

fn integer_divide(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    if arguments.values.iter().all(|value| matches!(value.data_type(), DataType::Int64 | DataType::Null)) {
        let (left, right) = (arguments.integer(0)?, arguments.integer(1)?);
        return Ok(arguments.integers(|row| left.get(row)?.checked_div(right.get(row)?)));
    }
    map_two(arguments, |left, right| (right != 0.0).then(|| left / right))
}

fn is_nan(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    if !matches!(arguments.values[0].data_type(), DataType::Float64 | DataType::Float32 | DataType::Null) {
        return Err(operand_type(arguments.function, "floating point", arguments.values[0].data_type()));
    }
    let numbers = arguments.number(0)?;
    Ok(arguments.flags(|row| numbers.get(row).map(f64::is_nan)))
}
