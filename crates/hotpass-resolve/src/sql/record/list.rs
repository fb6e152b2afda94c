//! Functions of lists.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, Field};
use hashbrown::HashSet;

use super::text::text_lists;
use super::{Arguments, Called, Datum, EvaluationError, Values, compare, operand_type};

/// Functions of lists, and those that make one.
pub(super) fn function(arguments: &Arguments<'_>) -> Called {
    let is_list = |index: usize| matches!(arguments.values[index].data_type(), DataType::List(_));
    let null = |index: usize| arguments.values[index].is_null_type();
    Some(match (arguments.function, arguments.values.len()) {
        ("list_value", _) => list_value(arguments),
        ("list_extract", 2) if is_list(0) => list_extract(arguments),
        ("list_extract", 2) => text_extract(arguments),
        ("length", 1) if is_list(0) => lengths(arguments),
        ("list_contains" | "contains", 2) if is_list(0) => contains(arguments),
        ("list_has_any" | "list_has_all" | "list_intersect", 2) if null(0) || null(1) => {
            Ok(Datum::new(Arc::new(arrow::array::NullArray::new(1)), true))
        }
        ("list_has_any", 2) => shared(arguments, |left, right| left.iter().any(|element| right.contains(element))),
        ("list_has_all", 2) => shared(arguments, |left, right| right.iter().all(|element| left.contains(element))),
        ("list_intersect", 2) => intersect(arguments),
        ("list_distinct", 1) => change(arguments, |mut list| {
            let mut seen = HashSet::new();
            list.retain(|element| element.as_ref().is_some_and(|element| seen.insert(element.clone())));
            list
        }),
        ("list_sort", 1) => change(arguments, |mut list| {
            list.sort_by(|left, right| left.is_none().cmp(&right.is_none()).then_with(|| left.cmp(right)));
            list
        }),
        ("list_concat", 2) => concatenate(arguments),
        ("list_min" | "list_max", 1) => extreme(arguments),
        ("array_to_string", 2) => join(arguments),
        ("list_text", 1) => list_text(arguments),
        ("list_identity", 1) => identity(arguments),
        ("list_cosine_similarity", 2) => cosine(arguments),
        _ => return None,
    })
}

impl Values<ListArray> {
    /// The elements as text, nulls kept.
    fn texts(&self, elements: &StringArray, row: usize) -> Option<Vec<Option<String>>> {
        let row = self.index(row);
        if self.array.is_null(row) {
            return None;
        }
        let offsets = self.array.value_offsets();
        Some(
            (offsets[row] as usize..offsets[row + 1] as usize)
                .map(|at| elements.is_valid(at).then(|| elements.value(at).to_owned()))
                .collect(),
        )
    }

    /// The elements without nulls.
    fn known<'a>(&self, elements: &'a StringArray, row: usize) -> Option<Vec<&'a str>> {
        let row = self.index(row);
        if self.array.is_null(row) {
            return None;
        }
        let offsets = self.array.value_offsets();
        Some(
            (offsets[row] as usize..offsets[row + 1] as usize)
                .filter(|at| elements.is_valid(*at))
                .map(|at| elements.value(at))
                .collect(),
        )
    }
}

fn item_type(array: &ListArray) -> DataType {
    array.values().data_type().clone()
}

fn list_value(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let data = compare::unify("list_value", arguments.values.to_vec())?;
    let length = arguments.length();
    let count = data.len();
    let item = data.first().map_or(DataType::Null, |datum| datum.data_type().clone());
    if item.is_nested() {
        return Err(operand_type("list_value", "single values", &item));
    }
    let values: ArrayRef = if data.is_empty() {
        Arc::new(arrow::array::NullArray::new(0))
    } else {
        let choices: Vec<&dyn Array> = data.iter().map(|datum| datum.array.as_ref()).collect();
        let places: Vec<(usize, usize)> = (0..length)
            .flat_map(|row| data.iter().enumerate().map(move |(at, datum)| (at, datum.index(row))))
            .collect();
        if item == DataType::Null {
            Arc::new(arrow::array::NullArray::new(places.len()))
        } else {
            arrow::compute::interleave(&choices, &places)?
        }
    };
    let field = Arc::new(Field::new("item", item, true));
    let list = ListArray::try_new(field, OffsetBuffer::from_lengths(std::iter::repeat_n(count, length)), values, None)?;
    Ok(Datum::new(Arc::new(list), arguments.all_constant()))
}

/// Element `index` from 1, or from the end if negative; null beyond the list.
fn list_extract(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let (lists, indexes) = (arguments.list(0)?, arguments.integer(1)?);
    let places: UInt32Array = (0..arguments.length())
        .map(|row| {
            let index = indexes.get(row)?;
            let row = lists.index(row);
            if lists.array.is_null(row) {
                return None;
            }
            let length = i64::from(lists.array.value_length(row));
            let at = if index < 0 { length + index } else { index - 1 };
            (0..length).contains(&at).then(|| (i64::from(lists.array.value_offsets()[row]) + at) as u32)
        })
        .collect();
    Ok(Datum::new(take(lists.array.values(), &places, None)?, arguments.all_constant()))
}

/// One character of a text.
fn text_extract(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let (texts, indexes) = (arguments.text(0)?, arguments.integer(1)?);
    Ok(arguments.texts(|row| {
        let (text, index) = (texts.get(row)?, indexes.get(row)?);
        let at = if index < 0 { text.chars().count() as i64 + index } else { index - 1 };
        let letter = usize::try_from(at).ok().and_then(|at| text.chars().nth(at));
        Some(letter.map(String::from).unwrap_or_default())
    }))
}

fn lengths(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let lists = arguments.list(0)?;
    Ok(arguments.integers(|row| {
        let row = lists.index(row);
        lists.array.is_valid(row).then(|| i64::from(lists.array.value_length(row)))
    }))
}

fn contains(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let lists = arguments.list(0)?;
    let elements = compare::texts(lists.array.values())?;
    let wanted = Values { array: compare::texts(&arguments.values[1].array)?, constant: arguments.values[1].constant };
    Ok(arguments.flags(|row| {
        let wanted = wanted.get(row)?;
        Some(lists.known(&elements, row)?.contains(&wanted))
    }))
}

type TwoLists = (Values<ListArray>, StringArray, Values<ListArray>, StringArray);

fn two(arguments: &Arguments<'_>) -> Result<TwoLists, EvaluationError> {
    let (left, right) = (arguments.list(0)?, arguments.list(1)?);
    let (left_type, right_type) = (item_type(&left.array), item_type(&right.array));
    if left_type != right_type && left_type != DataType::Null && right_type != DataType::Null {
        return Err(operand_type(
            arguments.function,
            &super::type_name(&DataType::List(Arc::new(Field::new("item", left_type, true)))),
            arguments.values[1].data_type(),
        ));
    }
    let (left_texts, right_texts) = (compare::texts(left.array.values())?, compare::texts(right.array.values())?);
    Ok((left, left_texts, right, right_texts))
}

fn shared(arguments: &Arguments<'_>, holds: impl Fn(&[&str], &[&str]) -> bool) -> Result<Datum, EvaluationError> {
    let (left, left_texts, right, right_texts) = two(arguments)?;
    Ok(arguments.flags(|row| Some(holds(&left.known(&left_texts, row)?, &right.known(&right_texts, row)?))))
}

fn intersect(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let (left, left_texts, right, right_texts) = two(arguments)?;
    let lists = (0..arguments.length()).map(|row| {
        let mut found = left.known(&left_texts, row)?;
        // DuckDB takes a null second list for an empty one.
        let wanted = right.known(&right_texts, row).unwrap_or_default();
        let mut seen = HashSet::new();
        found.retain(|element| wanted.contains(element) && seen.insert(*element));
        Some(found.into_iter().map(|element| Some(element.to_owned())).collect())
    });
    back(&text_lists(lists), &item_type(&left.array), arguments.all_constant())
}

/// Lists of text back to lists of their own type.
fn back(lists: &ArrayRef, item: &DataType, constant: bool) -> Result<Datum, EvaluationError> {
    if matches!(item, DataType::Utf8 | DataType::Null) {
        return Ok(Datum::new(Arc::clone(lists), constant));
    }
    let lists = lists.as_list::<i32>();
    let values = arrow::compute::cast(lists.values(), item)?;
    let field = Arc::new(Field::new("item", item.clone(), true));
    let array = ListArray::try_new(field, lists.offsets().clone(), values, lists.nulls().cloned())?;
    Ok(Datum::new(Arc::new(array), constant))
}

fn change(
    arguments: &Arguments<'_>,
    change: impl Fn(Vec<Option<String>>) -> Vec<Option<String>>,
) -> Result<Datum, EvaluationError> {
    let lists = arguments.list(0)?;
    let item = item_type(&lists.array);
    if !matches!(item, DataType::Utf8 | DataType::Null) {
        return Err(EvaluationError::UnknownFunction { function: arguments.function.to_owned(), n_arguments: 1 });
    }
    let elements = compare::texts(lists.array.values())?;
    let changed = (0..arguments.length()).map(|row| lists.texts(&elements, row).map(&change));
    Ok(Datum::new(text_lists(changed), arguments.all_constant()))
}

fn concatenate(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let (left, left_texts, right, right_texts) = two(arguments)?;
    let item = item_type(&left.array);
    let lists =
        (0..arguments.length()).map(|row| match (left.texts(&left_texts, row), right.texts(&right_texts, row)) {
            (Some(mut left), Some(right)) => {
                left.extend(right);
                Some(left)
            }
            (left, right) => left.or(right),
        });
    back(&text_lists(lists), &item, arguments.all_constant())
}

fn extreme(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let lists = arguments.list(0)?;
    let largest = arguments.function == "list_max";
    if item_type(&lists.array) == DataType::Utf8 {
        let elements = compare::texts(lists.array.values())?;
        return Ok(arguments.texts(|row| {
            let known = lists.known(&elements, row)?;
            if largest { known.into_iter().max() } else { known.into_iter().min() }.map(str::to_owned)
        }));
    }
    let whole = item_type(&lists.array) == DataType::Int64;
    let elements = compare::numbers(arguments.function, lists.array.values())?;
    let best = |row: usize| {
        let row = lists.index(row);
        if lists.array.is_null(row) {
            return None;
        }
        let offsets = lists.array.value_offsets();
        let known = (offsets[row] as usize..offsets[row + 1] as usize)
            .filter(|at| elements.is_valid(*at))
            .map(|at| elements.value(at));
        if largest {
            known.max_by(|left, right| compare::compare_numbers(*left, *right))
        } else {
            known.min_by(|left, right| compare::compare_numbers(*left, *right))
        }
    };
    Ok(if whole { arguments.integers(|row| best(row).map(|value| value as i64)) } else { arguments.numbers(best) })
}

fn join(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let (lists, separators) = (arguments.list(0)?, arguments.text(1)?);
    let elements = compare::texts(lists.array.values())?;
    Ok(arguments.texts(|row| Some(lists.known(&elements, row)?.join(separators.get(row)?))))
}

/// The elements' texts, nulls left out: what sets of any type are compared by.
fn list_text(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let lists = arguments.list(0)?;
    let elements = compare::texts(lists.array.values())?;
    let changed = (0..arguments.length()).map(|row| {
        lists.known(&elements, row).map(|known| known.into_iter().map(|text| Some(text.to_owned())).collect())
    });
    Ok(Datum::new(text_lists(changed), arguments.all_constant()))
}

/// A text that two lists share only if they are the same list, order and nulls included.
fn identity(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let lists = arguments.list(0)?;
    let elements = compare::texts(lists.array.values())?;
    Ok(arguments.texts(|row| {
        let parts = lists.texts(&elements, row)?.into_iter().map(|element| match element {
            Some(element) => format!("{}:{element}", element.len()),
            None => "null".to_owned(),
        });
        Some(parts.collect::<Vec<_>>().join(","))
    }))
}

fn cosine(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let (left, right) = (arguments.list(0)?, arguments.list(1)?);
    let left_numbers = compare::numbers(arguments.function, left.array.values())?;
    let right_numbers = compare::numbers(arguments.function, right.array.values())?;
    Ok(arguments.numbers(|row| {
        let (at, other) = (left.index(row), right.index(row));
        if left.array.is_null(at)
            || right.array.is_null(other)
            || left.array.value_length(at) != right.array.value_length(other)
        {
            return None;
        }
        let (start, other_start) =
            (left.array.value_offsets()[at] as usize, right.array.value_offsets()[other] as usize);
        let (mut product, mut left_norm, mut right_norm) = (0.0, 0.0, 0.0);
        for index in 0..left.array.value_length(at) as usize {
            if left_numbers.is_null(start + index) || right_numbers.is_null(other_start + index) {
                return None;
            }
            let (one, two) = (left_numbers.value(start + index), right_numbers.value(other_start + index));
            product += one * two;
            left_norm += one * one;
            right_norm += two * two;
        }
        let norm = left_norm.sqrt() * right_norm.sqrt();
        (norm > 0.0).then(|| (product / norm).clamp(-1.0, 1.0))
    }))
}
