//! Columns of a batch in the few forms that checks know, with the validity that checks see.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde_json::Value;

/// The values of a column.
#[derive(Debug, Clone)]
pub(crate) enum Cells {
    Text(StringArray),
    Int(Int64Array),
    Float(Float64Array),
    Bool(BooleanArray),
    /// Microseconds since 1970, UTC.
    Time {
        values: Int64Array,
        date: bool,
    },
}

/// The kind of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellKind {
    Text,
    Int,
    Float,
    Bool,
    Time,
    Date,
}

impl CellKind {
    /// Returns the kind that a column of an Arrow type is read as.
    pub(crate) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32 => Self::Int,
            DataType::UInt64
            | DataType::Float16
            | DataType::Float32
            | DataType::Float64
            | DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..) => Self::Float,
            DataType::Boolean => Self::Bool,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Timestamp(..) => Self::Time,
            _ => Self::Text,
        }
    }

    /// Returns whether values are numbers, truth values included, as in Python.
    pub(crate) const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Bool)
    }

    pub(crate) const fn is_time(self) -> bool {
        matches!(self, Self::Time | Self::Date)
    }

    /// Returns whether values can be taken for numbers: numbers, and text where that may spell them.
    pub(crate) const fn holds_numbers(self, reading: Reading) -> bool {
        self.is_number() || reading.numbers_in_text && matches!(self, Self::Text)
    }
}

/// What the texts of a table count as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Text of nothing but white space is missing.
    pub(crate) blank_as_null: bool,
    /// Text that spells a number is the number, wherever it meets one.
    pub(crate) numbers_in_text: bool,
}

/// What text counts as where values are compared by their keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct KeyForm {
    /// Text that spells a number has the key of the number.
    numbers: bool,
    /// Text that spells a truth value has the key of the truth value.
    truths: bool,
}

impl KeyForm {
    /// Text is text: `007` and `7` are two values.
    pub(crate) const WRITTEN: Self = Self { numbers: false, truths: false };

    /// Returns the form in which cells of a kind meet given values: what they spell where there are numbers or truth values.
    pub(crate) fn to_meet<'v>(values: impl IntoIterator<Item = &'v Value>, kind: CellKind, reading: Reading) -> Self {
        if kind != CellKind::Text || !reading.numbers_in_text {
            return Self::WRITTEN;
        }
        values.into_iter().fold(Self::WRITTEN, |form, value| Self {
            numbers: form.numbers || value.is_number(),
            truths: form.truths || value.is_boolean(),
        })
    }

    /// Adds the key of a text.
    fn push_text(self, text: &str, key: &mut Vec<u8>) {
        if self.truths
            && let Some(truth) = spelled_truth(text)
        {
            return push_integer(i64::from(truth), key);
        }
        if self.numbers || self.truths {
            match spelled_integer(text) {
                Some(integer) => return push_integer(integer, key),
                None => {
                    if let Some(number) = spelled_number(text) {
                        return push_float(number, key);
                    }
                }
            }
        }
        key.push(b's');
        key.extend_from_slice(text.as_bytes());
    }
}

/// Returns the number that a text spells; infinity and what is no number spell none.
fn spelled_number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

fn spelled_integer(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

fn spelled_truth(text: &str) -> Option<bool> {
    let text = text.trim();
    [("true", true), ("false", false)].into_iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, is)| is)
}

/// A column of a batch, ready to be checked.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) cells: Cells,
    pub(crate) valid: BooleanBuffer,
    reading: Reading,
}

impl Column {
    /// Reads a column; text of nothing but white space counts as missing when asked for, a number that is none always does.
    pub(crate) fn read(array: &ArrayRef, reading: Reading) -> Result<Self, ArrowError> {
        let kind = CellKind::of(array.data_type());
        let cells = match kind {
            CellKind::Int => Cells::Int(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            CellKind::Float => Cells::Float(cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone()),
            CellKind::Bool => Cells::Bool(array.as_boolean().clone()),
            CellKind::Time | CellKind::Date => {
                let zone = match array.data_type() {
                    DataType::Timestamp(_, zone) => zone.clone(),
                    _ => None,
                };
                let array = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone))?;
                let values = array.as_primitive::<TimestampMicrosecondType>().clone();
                let values = Int64Array::new(values.values().clone(), values.nulls().cloned());
                Cells::Time { values, date: kind == CellKind::Date }
            }
            CellKind::Text => Cells::Text(text_of(array)?),
        };
        let valid = cells.validity(reading.blank_as_null);
        Ok(Self { cells, valid, reading })
    }

    pub(crate) fn len(&self) -> usize {
        self.valid.len()
    }

    pub(crate) fn kind(&self) -> CellKind {
        match &self.cells {
            Cells::Text(_) => CellKind::Text,
            Cells::Int(_) => CellKind::Int,
            Cells::Float(_) => CellKind::Float,
            Cells::Bool(_) => CellKind::Bool,
            Cells::Time { date: false, .. } => CellKind::Time,
            Cells::Time { date: true, .. } => CellKind::Date,
        }
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        !self.valid.value(row)
    }

    /// Returns whether the values can be taken for numbers.
    pub(crate) fn holds_numbers(&self) -> bool {
        self.kind().holds_numbers(self.reading)
    }

    /// Returns a value as number; of text the number it spells, where text may.
    pub(crate) fn number(&self, row: usize) -> Option<f64> {
        if self.is_null(row) {
            return None;
        }
        match &self.cells {
            Cells::Text(values) if self.reading.numbers_in_text => spelled_number(values.value(row)),
            Cells::Text(_) => None,
            Cells::Int(values) | Cells::Time { values, .. } => Some(values.value(row) as f64),
            Cells::Float(values) => Some(values.value(row)),
            Cells::Bool(values) => Some(f64::from(u8::from(values.value(row)))),
        }
    }

    /// Returns a value as number, to be compared with a truth value; of text also the truth value it spells.
    pub(crate) fn truth(&self, row: usize) -> Option<f64> {
        match &self.cells {
            Cells::Text(values) if self.reading.numbers_in_text && !self.is_null(row) => {
                spelled_truth(values.value(row)).map(|truth| f64::from(u8::from(truth))).or_else(|| self.number(row))
            }
            _ => self.number(row),
        }
    }

    /// Returns the form in which cells of a row meet each other: numbers where text may spell them.
    pub(crate) const fn form_to_meet_cells(&self) -> KeyForm {
        KeyForm { numbers: self.reading.numbers_in_text, truths: false }
    }

    /// Adds the key of a value: equal keys are equal values, as Python compares them (1 is 1.0 is true, text is no number).
    pub(crate) fn push_key(&self, row: usize, key: &mut Vec<u8>) {
        self.push_key_in(KeyForm::WRITTEN, row, key);
    }

    /// Adds the key of a value, as [`Column::push_key`] does, with text in a form.
    pub(crate) fn push_key_in(&self, form: KeyForm, row: usize, key: &mut Vec<u8>) {
        if self.is_null(row) {
            key.push(b'n');
            return;
        }
        match &self.cells {
            Cells::Text(values) => form.push_text(values.value(row), key),
            Cells::Int(values) => push_integer(values.value(row), key),
            Cells::Float(values) => push_float(values.value(row), key),
            Cells::Bool(values) => push_integer(i64::from(values.value(row)), key),
            Cells::Time { values, .. } => {
                key.push(b't');
                key.extend_from_slice(&values.value(row).to_le_bytes());
            }
        }
    }

    /// Writes a value as Python's `str` does.
    pub(crate) fn write_text(&self, row: usize, text: &mut String) {
        use std::fmt::Write as _;
        match &self.cells {
            Cells::Text(values) => text.push_str(values.value(row)),
            Cells::Int(values) => {
                let _ = write!(text, "{}", values.value(row));
            }
            Cells::Float(values) => text.push_str(&python_float(values.value(row))),
            Cells::Bool(values) => text.push_str(if values.value(row) { "True" } else { "False" }),
            Cells::Time { values, date } => text.push_str(&time_text(values.value(row), *date)),
        }
    }

    /// Returns a value for a result.
    pub(crate) fn json(&self, row: usize) -> Value {
        if self.is_null(row) {
            return Value::Null;
        }
        match &self.cells {
            Cells::Text(values) => values.value(row).into(),
            Cells::Int(values) => values.value(row).into(),
            Cells::Float(values) => number_json(values.value(row)),
            Cells::Bool(values) => values.value(row).into(),
            Cells::Time { values, date } => time_text(values.value(row), *date).into(),
        }
    }
}

impl Cells {
    fn validity(&self, blank_as_null: bool) -> BooleanBuffer {
        let array: &dyn Array = match self {
            Self::Text(values) => {
                if blank_as_null {
                    return BooleanBuffer::collect_bool(values.len(), |row| {
                        !values.is_null(row) && !values.value(row).trim().is_empty()
                    });
                }
                values
            }
            Self::Float(values) => {
                return BooleanBuffer::collect_bool(values.len(), |row| {
                    !values.is_null(row) && !values.value(row).is_nan()
                });
            }
            Self::Int(values) | Self::Time { values, .. } => values,
            Self::Bool(values) => values,
        };
        array.nulls().map_or_else(|| BooleanBuffer::new_set(array.len()), |nulls: &NullBuffer| nulls.inner().clone())
    }
}

fn text_of(array: &ArrayRef) -> Result<StringArray, ArrowError> {
    match array.data_type() {
        DataType::Utf8 => Ok(array.as_string::<i32>().clone()),
        DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) | DataType::Null => {
            Ok(cast(array, &DataType::Utf8)?.as_string::<i32>().clone())
        }
        _ => {
            let options = FormatOptions::default();
            let formatter = ArrayFormatter::try_new(array, &options)?;
            Ok((0..array.len()).map(|row| (!array.is_null(row)).then(|| formatter.value(row).to_string())).collect())
        }
    }
}

/// Returns a number for JSON; what JSON has no number for becomes null.
pub(crate) fn number_json(number: f64) -> Value {
    serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn push_integer(value: i64, key: &mut Vec<u8>) {
    key.push(b'i');
    key.extend_from_slice(&value.to_le_bytes());
}

fn push_float(value: f64, key: &mut Vec<u8>) {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= LIMIT {
        push_integer(value as i64, key);
    } else {
        key.push(b'f');
        key.extend_from_slice(&value.to_bits().to_le_bytes());
    }
}

/// Returns the key of a JSON value, to be compared with values of a column of a kind in a form; nothing where it can equal none.
pub(crate) fn key_of_json(value: &Value, kind: CellKind, form: KeyForm) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    match value {
        Value::Null => key.push(b'n'),
        Value::Bool(value) => push_integer(i64::from(*value), &mut key),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => push_integer(integer, &mut key),
            None => push_float(number.as_f64()?, &mut key),
        },
        Value::String(text) if kind.is_time() => {
            key.push(b't');
            key.extend_from_slice(&parse_time(text)?.to_le_bytes());
        }
        Value::String(text) => form.push_text(text, &mut key),
        Value::Array(_) | Value::Object(_) => return None,
    }
    Some(key)
}

/// Returns the value of a key, for a result.
pub(crate) fn json_of_key(key: &[u8], kind: CellKind) -> Value {
    let Some((tag, rest)) = key.split_first() else { return Value::Null };
    let eight = || <[u8; 8]>::try_from(rest).unwrap_or_default();
    match tag {
        b's' => String::from_utf8_lossy(rest).into_owned().into(),
        b'i' if kind == CellKind::Bool => (i64::from_le_bytes(eight()) != 0).into(),
        b'i' if kind == CellKind::Float => number_json(i64::from_le_bytes(eight()) as f64),
        b'i' => i64::from_le_bytes(eight()).into(),
        b'f' => number_json(f64::from_bits(u64::from_le_bytes(eight()))),
        b't' => time_text(i64::from_le_bytes(eight()), kind == CellKind::Date).into(),
        _ => Value::Null,
    }
}

/// Returns the microseconds since 1970 that an ISO 8601 date or moment names.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.timestamp_micros());
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"] {
        if let Ok(moment) = NaiveDateTime::parse_from_str(text, format) {
            return Some(moment.and_utc().timestamp_micros());
        }
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros())
}

/// Writes a moment as ISO 8601, with a blank between day and time as Python does.
pub(crate) fn time_text(microseconds: i64, date: bool) -> String {
    let Some(moment) = DateTime::from_timestamp_micros(microseconds) else { return String::new() };
    let format = if date {
        "%Y-%m-%d"
    } else if microseconds % 1_000_000 == 0 {
        "%Y-%m-%d %H:%M:%S"
    } else {
        "%Y-%m-%d %H:%M:%S%.6f"
    };
    moment.format(format).to_string()
}

/// Writes a number as Python's `repr` does.
pub(crate) fn python_float(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let scientific = format!("{value:e}");
    let exponent: i32 = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or_default();
    if value != 0.0 && !(-4..16).contains(&exponent) {
        let mantissa = scientific.split_once('e').map_or("", |(mantissa, _)| mantissa);
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    format!("{value:?}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn numbers_are_written_as_python_writes_them() {
        for (value, text) in [(1.0, "1.0"), (1e16, "1e+16"), (1.5e-5, "1.5e-05"), (0.0001, "0.0001"), (-0.25, "-0.25")]
        {
            assert_eq!(python_float(value), text);
        }
    }

    #[test]
    fn equal_values_of_different_types_have_equal_keys() {
        let keys = |array: ArrayRef| {
            let column = Column::read(&array, Reading::default()).unwrap();
            let mut key = Vec::new();
            column.push_key(0, &mut key);
            key
        };
        let one = keys(Arc::new(Int64Array::from(vec![1])));
        assert_eq!(one, keys(Arc::new(Float64Array::from(vec![1.0]))));
        assert_eq!(one, keys(Arc::new(BooleanArray::from(vec![true]))));
        assert_ne!(one, keys(Arc::new(StringArray::from(vec!["1"]))));
    }

    #[test]
    fn blank_text_is_missing_only_when_asked_for() {
        let array: ArrayRef = Arc::new(StringArray::from(vec![Some(" "), None, Some("a")]));
        let present = |blank_as_null| {
            let reading = Reading { blank_as_null, ..Reading::default() };
            Column::read(&array, reading).unwrap().valid.count_set_bits()
        };
        assert_eq!((present(true), present(false)), (1, 2));
    }
}
