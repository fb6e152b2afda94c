//! Functions of text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};

use super::{Arguments, Called, Datum, EvaluationError, compare, operand_type};

/// `||`: null if an operand is; other types as their text.
pub(super) fn concatenate(left: &Datum, right: &Datum, n_rows: usize) -> Result<Datum, EvaluationError> {
    if matches!(left.data_type(), DataType::List(_)) || matches!(right.data_type(), DataType::List(_)) {
        return Err(operand_type(
            "||",
            "text",
            if matches!(left.data_type(), DataType::List(_)) { left.data_type() } else { right.data_type() },
        ));
    }
    let constant = left.constant && right.constant;
    let (left_texts, right_texts) = (compare::texts(&left.array)?, compare::texts(&right.array)?);
    let n_rows = if constant { 1 } else { n_rows };
    let joined: StringArray = (0..n_rows)
        .map(|row| {
            let (at, other) = (left.index(row), right.index(row));
            (left_texts.is_valid(at) && right_texts.is_valid(other))
                .then(|| format!("{}{}", left_texts.value(at), right_texts.value(other)))
        })
        .collect();
    Ok(Datum::new(Arc::new(joined), constant))
}

/// Lower case, letter by letter as DuckDB does: one letter never becomes two.
fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().map(|letter| letter.to_lowercase().next().unwrap_or(letter)).collect()
}

/// Upper case, letter by letter as DuckDB does: a letter whose capital has two letters stays, ß has one.
fn upper(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_uppercase();
    }
    text.chars()
        .map(|letter| {
            let mut capital = letter.to_uppercase();
            match (letter, capital.next(), capital.next()) {
                ('ß', ..) => 'ẞ',
                (_, Some(single), None) => single,
                _ => letter,
            }
        })
        .collect()
}

/// Characters `start` to `start + length`, counted from 1, or from the end if negative.
fn substring(text: &str, start: i64, length: Option<i64>) -> String {
    let count = text.chars().count() as i64;
    let mut from = match start {
        1.. => start - 1,
        0 => -1,
        _ => count.saturating_add(start),
    };
    let mut length = length.unwrap_or(i64::MAX / 4);
    if start == 0 && length == i64::MAX / 4 {
        from = 0;
    }
    if length < 0 {
        let end = from;
        from = end.saturating_add(length).max(0);
        length = end.saturating_sub(from).max(0);
    }
    let to = from.saturating_add(length).min(count);
    let from = from.max(0);
    if to <= from {
        return String::new();
    }
    text.chars().skip(from as usize).take((to - from) as usize).collect()
}

fn left(text: &str, count: i64) -> String {
    let take = if count >= 0 { count } else { (text.chars().count() as i64 + count).max(0) };
    text.chars().take(take as usize).collect()
}

fn right(text: &str, count: i64) -> String {
    let length = text.chars().count() as i64;
    let take = if count >= 0 { count.min(length) } else { (length + count).max(0) };
    text.chars().skip((length - take) as usize).collect()
}

/// Part `index` between separators, counted from 1 or from the end if negative; empty beyond the parts.
fn split_part(text: &str, separator: &str, index: i64) -> String {
    let parts: Vec<&str> = split(text, separator);
    let at = if index < 0 { parts.len() as i64 + index } else { (index - 1).max(0) };
    usize::try_from(at).ok().and_then(|at| parts.get(at)).map_or_else(String::new, |part| (*part).to_owned())
}

/// Parts between separators; an empty separator gives the characters.
pub(super) fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    if separator.is_empty() {
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        return starts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
    }
    text.split(separator).collect()
}

fn pad(text: &str, width: i64, filling: &str, before: bool) -> Option<String> {
    let width = usize::try_from(width).unwrap_or(0);
    let length = text.chars().count();
    if length >= width {
        return Some(text.chars().take(width).collect());
    }
    if filling.is_empty() {
        return None;
    }
    let padding: String = filling.chars().cycle().take(width - length).collect();
    Some(if before { padding + text } else { text.to_owned() + &padding })
}

fn trim(text: &str, characters: Option<&str>, from_start: bool, from_end: bool) -> String {
    // Without a set DuckDB strips the characters of Unicode's space separators, not tabs.
    let strip = |character: char| match characters {
        Some(characters) => characters.contains(character),
        None => matches!(
            character,
            ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
        ),
    };
    let mut rest = text;
    if from_start {
        rest = rest.trim_start_matches(strip);
    }
    if from_end {
        rest = rest.trim_end_matches(strip);
    }
    rest.to_owned()
}

/// Functions of text.
pub(super) fn function(arguments: &Arguments<'_>) -> Called {
    let is_list = |index: usize| matches!(arguments.values[index].data_type(), DataType::List(_));
    Some(match (arguments.function, arguments.values.len()) {
        ("lower", 1) => map(arguments, lower),
        ("upper", 1) => map(arguments, upper),
        ("reverse", 1) => map(arguments, |text| text.chars().rev().collect()),
        ("trim" | "ltrim" | "rtrim", 1 | 2) => trimmed(arguments),
        ("substring", 2 | 3) => substrings(arguments),
        ("left", 2) => map_with_integer(arguments, left),
        ("right", 2) => map_with_integer(arguments, right),
        ("repeat", 2) => {
            map_with_integer(arguments, |text, count| text.repeat(usize::try_from(count).unwrap_or(0).min(1_000_000)))
        }
        ("replace", 3) => replace(arguments),
        ("split_part", 3) => split_parts(arguments),
        ("lpad" | "rpad", 3) => padded(arguments),
        ("concat", 1..) if (0..arguments.values.len()).all(|index| !is_list(index)) => concat(arguments, 0),
        ("concat_ws", 2..) => concat(arguments, 1),
        ("length", 1) if !is_list(0) => integers(arguments, |text| text.chars().count() as i64),
        ("strlen", 1) => integers(arguments, |text| text.len() as i64),
        ("ascii" | "unicode" | "ord", 1) => {
            integers(arguments, |text| text.chars().next().map_or(0, |letter| i64::from(u32::from(letter))))
        }
        ("strpos", 2) => pairs(arguments).map(|(text, part)| {
            arguments.integers(|row| {
                let (text, part) = (text.get(row)?, part.get(row)?);
                Some(text.find(part).map_or(0, |at| text[..at].chars().count() as i64 + 1))
            })
        }),
        ("starts_with", 2) => flags(arguments, |text, part| text.starts_with(part)),
        ("ends_with", 2) => flags(arguments, |text, part| text.ends_with(part)),
        ("contains", 2) if !is_list(0) => flags(arguments, |text, part| text.contains(part)),
        ("string_split", 2) => string_split(arguments),
        _ => return None,
    })
}

type Texts = super::Values<StringArray>;

fn pairs(arguments: &Arguments<'_>) -> Result<(Texts, Texts), EvaluationError> {
    Ok((arguments.text(0)?, arguments.text(1)?))
}

fn map(arguments: &Arguments<'_>, change: impl Fn(&str) -> String) -> Result<Datum, EvaluationError> {
    let texts = arguments.text(0)?;
    Ok(arguments.texts(|row| texts.get(row).map(&change)))
}

fn map_with_integer(arguments: &Arguments<'_>, change: impl Fn(&str, i64) -> String) -> Result<Datum, EvaluationError> {
    let (texts, counts) = (arguments.text(0)?, arguments.integer(1)?);
    Ok(arguments.texts(|row| Some(change(texts.get(row)?, counts.get(row)?))))
}

fn integers(arguments: &Arguments<'_>, measure: impl Fn(&str) -> i64) -> Result<Datum, EvaluationError> {
    let texts = arguments.text(0)?;
    Ok(arguments.integers(|row| texts.get(row).map(&measure)))
}

fn flags(arguments: &Arguments<'_>, holds: impl Fn(&str, &str) -> bool) -> Result<Datum, EvaluationError> {
    let (texts, parts) = pairs(arguments)?;
    Ok(arguments.flags(|row| Some(holds(texts.get(row)?, parts.get(row)?))))
}

fn trimmed(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let texts = arguments.text(0)?;
    let (start, end) = (arguments.function != "rtrim", arguments.function != "ltrim");
    if arguments.values.len() == 1 {
        return Ok(arguments.texts(|row| Some(trim(texts.get(row)?, None, start, end))));
    }
    let characters = arguments.text(1)?;
    Ok(arguments.texts(|row| Some(trim(texts.get(row)?, Some(characters.get(row)?), start, end))))
}

fn substrings(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let (texts, starts) = (arguments.text(0)?, arguments.integer(1)?);
    if arguments.values.len() == 2 {
        return Ok(arguments.texts(|row| Some(substring(texts.get(row)?, starts.get(row)?, None))));
    }
    let lengths = arguments.integer(2)?;
    Ok(arguments.texts(|row| Some(substring(texts.get(row)?, starts.get(row)?, Some(lengths.get(row)?)))))
}

fn replace(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let (texts, from, to) = (arguments.text(0)?, arguments.text(1)?, arguments.text(2)?);
    Ok(arguments.texts(|row| {
        let (text, from, to) = (texts.get(row)?, from.get(row)?, to.get(row)?);
        Some(if from.is_empty() { text.to_owned() } else { text.replace(from, to) })
    }))
}

fn split_parts(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let ((texts, separators), indexes) = (pairs(arguments)?, arguments.integer(2)?);
    Ok(arguments.texts(|row| Some(split_part(texts.get(row)?, separators.get(row)?, indexes.get(row)?))))
}

fn padded(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let (texts, widths, fillings) = (arguments.text(0)?, arguments.integer(1)?, arguments.text(2)?);
    let before = arguments.function == "lpad";
    Ok(arguments.texts(|row| pad(texts.get(row)?, widths.get(row)?.min(1_000_000), fillings.get(row)?, before)))
}

/// Joins texts, leaving nulls out; with a separator if the first argument is one.
fn concat(arguments: &Arguments<'_>, first: usize) -> Result<Datum, EvaluationError> {
    let mut parts = Vec::with_capacity(arguments.values.len());
    for datum in &arguments.values[first..] {
        parts.push(super::Values { array: compare::texts(&datum.array)?, constant: datum.constant });
    }
    let separators = if first == 1 { Some(arguments.text(0)?) } else { None };
    Ok(arguments.texts(|row| {
        let separator = match &separators {
            Some(separators) => separators.get(row)?,
            None => "",
        };
        Some(parts.iter().filter_map(|part| part.get(row)).collect::<Vec<_>>().join(separator))
    }))
}

fn string_split(arguments: &Arguments<'_>) -> Result<Datum, EvaluationError> {
    let (texts, separators) = pairs(arguments)?;
    let lists = (0..arguments.length()).map(|row| {
        let (text, separator) = (texts.get(row)?, separators.get(row)?);
        Some(split(text, separator).into_iter().map(|part| Some(part.to_owned())).collect())
    });
    Ok(Datum::new(text_lists(lists), arguments.all_constant()))
}

/// Lists of text from their elements.
pub(super) fn text_lists(lists: impl Iterator<Item = Option<Vec<Option<String>>>>) -> ArrayRef {
    let mut elements = arrow::array::StringBuilder::new();
    let mut lengths = Vec::new();
    let mut valid = Vec::new();
    for list in lists {
        valid.push(list.is_some());
        let list = list.unwrap_or_default();
        lengths.push(list.len());
        for element in list {
            elements.append_option(element);
        }
    }
    let field = Arc::new(Field::new("item", DataType::Utf8, true));
    let values: ArrayRef = Arc::new(elements.finish());
    let nulls = arrow::buffer::NullBuffer::from(valid);
    Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths), values, Some(nulls)))
}
