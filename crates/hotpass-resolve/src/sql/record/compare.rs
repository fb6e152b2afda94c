//! Comparisons, casts and the functions that take any type.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, Date32Type, Float32Type, Float64Type, Int64Type, TimestampMicrosecondType};

use super::{Arguments, Called, Datum, EvaluationError, operand_type, time, timestamp_type, to_single, type_name};
use crate::sql::expression::{BinaryOperator, CastType};

/// Any numeric or boolean array as double precision.
pub(super) fn numbers(function: &str, array: &ArrayRef) -> Result<Float64Array, EvaluationError> {
    Ok(match array.data_type() {
        DataType::Float64 => array.as_primitive::<Float64Type>().clone(),
        DataType::Float32 => array.as_primitive::<Float32Type>().unary(f64::from),
        DataType::Int64 => array.as_primitive::<Int64Type>().unary(|value| value as f64),
        DataType::Null => Float64Array::new_null(array.len()),
        found => return Err(operand_type(function, "numbers", found)),
    })
}

pub(super) fn single_precision(datum: &Datum) -> Result<Datum, EvaluationError> {
    let array = to_single(&numbers("CAST", &datum.array)?);
    Ok(Datum::new(Arc::new(array), datum.constant))
}

/// Gives a text constant the type of its neighbour.
pub(super) fn adapt(datum: Datum, beside: &DataType) -> Result<Datum, EvaluationError> {
    let to = match beside {
        DataType::Int64 => CastType::Integer,
        DataType::Float32 => CastType::Float,
        DataType::Float64 => CastType::Double,
        DataType::Boolean => CastType::Boolean,
        DataType::Date32 => CastType::Date,
        DataType::Timestamp(..) => CastType::Timestamp,
        _ => return Ok(datum),
    };
    Ok(Datum::new(cast(&datum.array, to, false)?, datum.constant))
}

/// Two numbers in DuckDB's order: a not-a-number equals itself and is above all others.
pub(super) fn compare_numbers(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

fn holds(operator: BinaryOperator, ordering: Ordering) -> bool {
    match operator {
        BinaryOperator::Equal | BinaryOperator::NotDistinct => ordering.is_eq(),
        BinaryOperator::NotEqual | BinaryOperator::Distinct => ordering.is_ne(),
        BinaryOperator::Less => ordering.is_lt(),
        BinaryOperator::LessOrEqual => ordering.is_le(),
        BinaryOperator::Greater => ordering.is_gt(),
        _ => ordering.is_ge(),
    }
}

/// Brings values to one type, as `CASE` and `COALESCE` do.
pub(super) fn unify(function: &str, data: Vec<Datum>) -> Result<Vec<Datum>, EvaluationError> {
    let mut common = DataType::Null;
    for datum in &data {
        common = common_type(&common, datum.data_type()).ok_or_else(|| {
            operand_type(function, &format!("{} here as well", type_name(&common)), datum.data_type())
        })?;
    }
    data.into_iter().map(|datum| convert(function, datum, &common)).collect()
}

/// The type that both can be read as without a cast.
fn common_type(left: &DataType, right: &DataType) -> Option<DataType> {
    Some(match (left, right) {
        (left, right) if left == right => left.clone(),
        (DataType::Null, other) | (other, DataType::Null) => other.clone(),
        (DataType::Int64 | DataType::Float32 | DataType::Float64, DataType::Float64)
        | (DataType::Float64, DataType::Int64 | DataType::Float32) => DataType::Float64,
        (DataType::Int64, DataType::Float32) | (DataType::Float32, DataType::Int64) => DataType::Float32,
        (DataType::Date32, DataType::Timestamp(..)) | (DataType::Timestamp(..), DataType::Date32) => timestamp_type(),
        (DataType::List(left), DataType::List(right)) => {
            let item = common_type(left.data_type(), right.data_type())?;
            DataType::List(Arc::new(arrow::datatypes::Field::new("item", item, true)))
        }
        _ => return None,
    })
}

fn convert(function: &str, datum: Datum, to: &DataType) -> Result<Datum, EvaluationError> {
    if datum.data_type() == to {
        return Ok(datum);
    }
    if datum.is_null_type() {
        return Ok(Datum::new(new_null_array(to, datum.array.len()), datum.constant));
    }
    let array: ArrayRef = match to {
        DataType::Float64 => Arc::new(numbers(function, &datum.array)?),
        DataType::Float32 => Arc::new(to_single(&numbers(function, &datum.array)?)),
        DataType::Timestamp(..) => Arc::new(time::timestamps(function, &datum.array)?),
        _ => arrow::compute::cast(&datum.array, to)?,
    };
    Ok(Datum::new(array, datum.constant))
}

/// Compares values of types that can stand beside each other.
pub(super) fn compare(
    operator: BinaryOperator,
    left: &Datum,
    right: &Datum,
    n_rows: usize,
) -> Result<Datum, EvaluationError> {
    let name = match operator {
        BinaryOperator::Equal => "=",
        BinaryOperator::NotEqual => "<>",
        BinaryOperator::NotDistinct | BinaryOperator::Distinct => "IS DISTINCT FROM",
        _ => "a comparison",
    };
    let data = unify(name, vec![left.clone(), right.clone()])?;
    let (left, right) = (&data[0], &data[1]);
    let constant = left.constant && right.constant;
    let n_rows = if constant { 1 } else { n_rows };
    let distinct = matches!(operator, BinaryOperator::NotDistinct | BinaryOperator::Distinct);
    let (left_nulls, right_nulls) = (left.array.logical_nulls(), right.array.logical_nulls());
    let ordering = ordering_of(name, &left.array, &right.array)?;
    let flags: BooleanArray = (0..n_rows)
        .map(|row| {
            let (at_left, at_right) = (left.index(row), right.index(row));
            let left_null = left_nulls.as_ref().is_some_and(|nulls| nulls.is_null(at_left));
            let right_null = right_nulls.as_ref().is_some_and(|nulls| nulls.is_null(at_right));
            match (left_null, right_null) {
                (false, false) => Some(holds(operator, ordering(at_left, at_right))),
                _ if !distinct => None,
                (both, other) => Some((both == other) == (operator == BinaryOperator::NotDistinct)),
            }
        })
        .collect();
    Ok(Datum::new(Arc::new(flags), constant))
}

type OrderingOf<'a> = Box<dyn Fn(usize, usize) -> Ordering + 'a>;

fn ordering_of<'a>(name: &str, left: &'a ArrayRef, right: &'a ArrayRef) -> Result<OrderingOf<'a>, EvaluationError> {
    Ok(match left.data_type() {
        DataType::Null => Box::new(|_, _| Ordering::Equal),
        DataType::Utf8 => {
            let (left, right) = (left.as_string::<i32>(), right.as_string::<i32>());
            Box::new(move |at, other| left.value(at).cmp(right.value(other)))
        }
        DataType::Int64 => {
            let (left, right) = (left.as_primitive::<Int64Type>(), right.as_primitive::<Int64Type>());
            Box::new(move |at, other| left.value(at).cmp(&right.value(other)))
        }
        DataType::Float64 => {
            let (left, right) = (left.as_primitive::<Float64Type>(), right.as_primitive::<Float64Type>());
            Box::new(move |at, other| compare_numbers(left.value(at), right.value(other)))
        }
        DataType::Float32 => {
            let (left, right) = (left.as_primitive::<Float32Type>(), right.as_primitive::<Float32Type>());
            Box::new(move |at, other| compare_numbers(left.value(at).into(), right.value(other).into()))
        }
        DataType::Boolean => {
            let (left, right) = (left.as_boolean(), right.as_boolean());
            Box::new(move |at, other| left.value(at).cmp(&right.value(other)))
        }
        DataType::Date32 => {
            let (left, right) = (left.as_primitive::<Date32Type>(), right.as_primitive::<Date32Type>());
            Box::new(move |at, other| left.value(at).cmp(&right.value(other)))
        }
        DataType::Timestamp(..) => {
            let (left, right) =
                (left.as_primitive::<TimestampMicrosecondType>(), right.as_primitive::<TimestampMicrosecondType>());
            Box::new(move |at, other| left.value(at).cmp(&right.value(other)))
        }
        DataType::List(_) => {
            let (left, right) = (left.as_list::<i32>(), right.as_list::<i32>());
            let elements = ordering_of(name, left.values(), right.values())?;
            let (left_nulls, right_nulls) = (left.values().logical_nulls(), right.values().logical_nulls());
            Box::new(move |at, other| {
                let (start, length) = (left.value_offsets()[at] as usize, left.value_length(at) as usize);
                let (other_start, other_length) =
                    (right.value_offsets()[other] as usize, right.value_length(other) as usize);
                for index in 0..length.min(other_length) {
                    let (one, two) = (start + index, other_start + index);
                    let one_null = left_nulls.as_ref().is_some_and(|nulls| nulls.is_null(one));
                    let two_null = right_nulls.as_ref().is_some_and(|nulls| nulls.is_null(two));
                    let ordering = match (one_null, two_null) {
                        (false, false) => elements(one, two),
                        (one, two) => one.cmp(&two),
                    };
                    if ordering.is_ne() {
                        return ordering;
                    }
                }
                length.cmp(&other_length)
            })
        }
        found => return Err(operand_type(name, "values that can be compared", found)),
    })
}

/// For each record the value of the chosen datum, all of one type.
pub(super) fn choose(data: &[Datum], choices: &[usize], constant: bool) -> Result<Datum, EvaluationError> {
    if data.iter().all(Datum::is_null_type) {
        return Ok(Datum::new(Arc::new(arrow::array::NullArray::new(choices.len())), constant));
    }
    let arrays: Vec<&dyn Array> = data.iter().map(|datum| datum.array.as_ref()).collect();
    let places: Vec<(usize, usize)> =
        choices.iter().enumerate().map(|(row, choice)| (*choice, data[*choice].index(row))).collect();
    Ok(Datum::new(interleave(&arrays, &places)?, constant))
}

/// Casts as DuckDB does; what does not fit is null if `lenient`, else an error.
pub(super) fn cast(array: &ArrayRef, to: CastType, lenient: bool) -> Result<ArrayRef, EvaluationError> {
    let from = array.data_type().clone();
    if from == DataType::Null {
        let to = match to {
            CastType::Text => DataType::Utf8,
            CastType::Integer => DataType::Int64,
            CastType::Double => DataType::Float64,
            CastType::Float => DataType::Float32,
            CastType::Boolean => DataType::Boolean,
            CastType::Date => DataType::Date32,
            CastType::Timestamp => timestamp_type(),
        };
        return Ok(new_null_array(&to, array.len()));
    }
    let refuse = |expected: &str| operand_type("CAST", expected, &from);
    let (converted, name): (ArrayRef, &'static str) = match to {
        CastType::Text => (Arc::new(texts(array)?), "text"),
        CastType::Integer => (
            Arc::new(match &from {
                DataType::Int64 => array.as_primitive::<Int64Type>().clone(),
                DataType::Boolean => array.as_boolean().iter().map(|value| value.map(i64::from)).collect(),
                DataType::Utf8 => {
                    array.as_string::<i32>().iter().map(|value| value.and_then(integer_of_text)).collect::<Int64Array>()
                }
                DataType::Float32 | DataType::Float64 => numbers("CAST", array)?
                    .iter()
                    .map(|value| value.and_then(integer_of_number))
                    .collect::<Int64Array>(),
                _ => return Err(refuse("text or numbers for a whole number")),
            }),
            "a whole number",
        ),
        CastType::Double | CastType::Float => {
            let numbers = match &from {
                DataType::Utf8 => array
                    .as_string::<i32>()
                    .iter()
                    .map(|value| value.and_then(number_of_text))
                    .collect::<Float64Array>(),
                DataType::Boolean => {
                    array.as_boolean().iter().map(|value| value.map(|value| f64::from(u8::from(value)))).collect()
                }
                _ => numbers("CAST", array)?,
            };
            if to == CastType::Float {
                (Arc::new(to_single(&numbers)), "a number")
            } else {
                (Arc::new(numbers), "a number")
            }
        }
        CastType::Boolean => (
            Arc::new(match &from {
                DataType::Boolean => array.as_boolean().clone(),
                DataType::Utf8 => {
                    array.as_string::<i32>().iter().map(|value| value.and_then(boolean_of_text)).collect()
                }
                _ => numbers("CAST", array)?
                    .iter()
                    .map(|value| value.map(|value| value != 0.0))
                    .collect::<BooleanArray>(),
            }),
            "a truth value",
        ),
        CastType::Date => (
            Arc::new(match &from {
                DataType::Date32 => array.as_primitive::<Date32Type>().clone(),
                DataType::Timestamp(..) => array.as_primitive::<TimestampMicrosecondType>().unary(time::days_of),
                DataType::Utf8 => array
                    .as_string::<i32>()
                    .iter()
                    .map(|value| value.and_then(time::date_of_text))
                    .collect::<Date32Array>(),
                _ => return Err(refuse("text, dates or timestamps for a date")),
            }),
            "a date",
        ),
        CastType::Timestamp => (
            Arc::new(match &from {
                DataType::Utf8 => array
                    .as_string::<i32>()
                    .iter()
                    .map(|value| value.and_then(time::timestamp_of_text))
                    .collect::<TimestampMicrosecondArray>(),
                _ => time::timestamps("CAST", array)?,
            }),
            "a timestamp",
        ),
    };
    if !lenient && converted.null_count() > array.null_count() {
        return Err(EvaluationError::Conversion { to: name });
    }
    Ok(converted)
}

fn integer_of_number(value: f64) -> Option<i64> {
    let rounded = value.round_ties_even();
    (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded).then_some(rounded as i64)
}

fn trim_sql(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_ascii_whitespace() || character == '\u{b}')
}

fn integer_of_text(text: &str) -> Option<i64> {
    let text = trim_sql(text);
    if let Ok(value) = text.parse::<i64>() {
        return Some(value);
    }
    // Decimal text rounds half away from zero.
    let value = number_of_text(text).filter(|value| value.is_finite())?;
    integer_of_number(value.round())
}

fn number_of_text(text: &str) -> Option<f64> {
    let text = trim_sql(text);
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let named = matches!(body.to_ascii_lowercase().as_str(), "inf" | "infinity" | "nan");
    let plain = body.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && body.contains(|digit: char| digit.is_ascii_digit());
    (named || plain).then(|| text.parse::<f64>().ok()).flatten()
}

fn boolean_of_text(text: &str) -> Option<bool> {
    match trim_sql(text).to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// Values as DuckDB prints them.
pub(super) fn texts(array: &ArrayRef) -> Result<StringArray, EvaluationError> {
    Ok(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().clone(),
        DataType::Null => StringArray::new_null(array.len()),
        DataType::Boolean => array.as_boolean().iter().map(|value| value.map(|value| value.to_string())).collect(),
        DataType::Int64 => {
            array.as_primitive::<Int64Type>().iter().map(|value| value.map(|value| value.to_string())).collect()
        }
        DataType::Float64 => array.as_primitive::<Float64Type>().iter().map(|value| value.map(number_text)).collect(),
        DataType::Float32 => array
            .as_primitive::<Float32Type>()
            .iter()
            .map(|value| value.map(|value| exponent_text(format!("{value:e}"), f64::from(value))))
            .collect(),
        DataType::Date32 => {
            array.as_primitive::<Date32Type>().iter().map(|value| value.and_then(time::date_text)).collect()
        }
        DataType::Timestamp(..) => array
            .as_primitive::<TimestampMicrosecondType>()
            .iter()
            .map(|value| value.and_then(time::timestamp_text))
            .collect(),
        found => return Err(operand_type("CAST", "single values for text", found)),
    })
}

/// A number as DuckDB prints it: the shortest digits, an exponent below 1e-4 and from 1e16.
pub(super) fn number_text(value: f64) -> String {
    exponent_text(format!("{value:e}"), value)
}

fn exponent_text(shortest: String, value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "nan".to_owned()
        } else if value > 0.0 {
            "inf".to_owned()
        } else {
            "-inf".to_owned()
        };
    }
    let Some((digits, exponent)) = shortest.split_once('e') else { return shortest };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let digits: String = digits.chars().filter(|character| *character != '.').collect();
    let count = digits.len() as i32;
    if exponent < 0 {
        format!("{sign}0.{}{digits}", "0".repeat((-exponent - 1) as usize))
    } else if count <= exponent + 1 {
        format!("{sign}{digits}{}.0", "0".repeat((exponent + 1 - count) as usize))
    } else {
        let (whole, fraction) = digits.split_at((exponent + 1) as usize);
        format!("{sign}{whole}.{fraction}")
    }
}

/// Functions of any type: `nullif`, `coalesce`, `greatest`, `least`.
pub(super) fn function(arguments: &Arguments<'_>) -> Called {
    Some(match (arguments.function, arguments.values.len()) {
        ("nullif", 2) => null_if(arguments),
        ("coalesce", 1..) => coalesce(arguments),
        ("greatest" | "least", 1..) => extreme(arguments),
        _ => return None,
    })
}

fn null_if(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let equal = compare(BinaryOperator::Equal, &arguments.values[0], &arguments.values[1], arguments.n_rows)?;
    let length = arguments.length();
    let value = arguments.values[0].spread(length)?;
    let equal = equal.spread(length)?;
    let mask: BooleanArray = equal.as_boolean().iter().map(|equal| Some(equal == Some(true))).collect();
    Ok(Datum::new(arrow::compute::nullif(&value, &mask)?, arguments.all_constant()))
}

fn coalesce(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let data = unify("coalesce", arguments.values.to_vec())?;
    let nulls: Vec<_> = data.iter().map(|datum| datum.array.logical_nulls()).collect();
    let choices: Vec<usize> = (0..arguments.length())
        .map(|row| {
            let found = (0..data.len())
                .find(|at| !nulls[*at].as_ref().is_some_and(|nulls| nulls.is_null(data[*at].index(row))));
            found.unwrap_or(0)
        })
        .collect();
    choose(&data, &choices, arguments.all_constant())
}

fn extreme(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let data = unify(arguments.function, arguments.values.to_vec())?;
    let wanted = if arguments.function == "greatest" { Ordering::Greater } else { Ordering::Less };
    let nulls: Vec<_> = data.iter().map(|datum| datum.array.logical_nulls()).collect();
    let is_null = |at: usize, row: usize| nulls[at].as_ref().is_some_and(|nulls| nulls.is_null(data[at].index(row)));
    let mut choices = vec![0usize; arguments.length()];
    for at in 1..data.len() {
        for (row, choice) in choices.iter_mut().enumerate() {
            if !is_null(at, row) && is_null(*choice, row) {
                *choice = at;
            }
        }
        for best in 0..at {
            let ordering = ordering_of(arguments.function, &data[at].array, &data[best].array)?;
            for (row, choice) in choices.iter_mut().enumerate().filter(|(_, choice)| **choice == best) {
                if !is_null(at, row)
                    && !is_null(best, row)
                    && ordering(data[at].index(row), data[best].index(row)) == wanted
                {
                    *choice = at;
                }
            }
        }
    }
    choose(&data, &choices, arguments.all_constant())
}
