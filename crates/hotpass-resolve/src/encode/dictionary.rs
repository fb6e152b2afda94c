//! Dictionaries that grow while batches are read.

use std::sync::Arc;

use arrow::array::{Array, ArrayAccessor, ArrayRef, AsArray, PrimitiveArray, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use arrow::error::ArrowError;

use super::index::{CodeIndex, hash_bytes, hash_word};
use crate::columns::{NULL, Values};
use crate::kernels::TextTable;
use crate::plan::ValueType;

/// Distinct texts in order of first appearance.
#[derive(Debug)]
pub(crate) struct TextDictionary {
    index: CodeIndex,
    bytes: Vec<u8>,
    /// Text `i` is `bytes[offsets[i]..offsets[i + 1]]`.
    offsets: Vec<u64>,
    hashes: Vec<u32>,
}

impl TextDictionary {
    pub(crate) fn new() -> Self {
        Self { index: CodeIndex::new(), bytes: Vec::new(), offsets: vec![0], hashes: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    fn slice<'a>(bytes: &'a [u8], offsets: &[u64], code: u32) -> &'a [u8] {
        &bytes[offsets[code as usize] as usize..offsets[code as usize + 1] as usize]
    }

    pub(crate) fn bytes(&self, code: u32) -> &[u8] {
        Self::slice(&self.bytes, &self.offsets, code)
    }

    pub(crate) fn text(&self, code: u32) -> &str {
        std::str::from_utf8(self.bytes(code)).unwrap_or_default()
    }

    fn code_with_hash(&mut self, text: &[u8], hash: u32) -> u32 {
        let (bytes, offsets) = (&self.bytes, &self.offsets);
        let next = (offsets.len() - 1) as u32;
        let code = self.index.find_or_insert(hash, next, |code| Self::slice(bytes, offsets, code) == text);
        if code == next {
            self.bytes.extend_from_slice(text);
            self.offsets.push(self.bytes.len() as u64);
        }
        code
    }

    /// Hashes the whole array before it looks anything up, so that look-ups need not wait for each other.
    fn encode<'a>(&mut self, array: impl ArrayAccessor<Item = &'a str> + Copy, codes: &mut Vec<u32>) {
        let n = array.len();
        let mut hashes = std::mem::take(&mut self.hashes);
        hashes.clear();
        hashes.extend((0..n).map(|row| if array.is_null(row) { 0 } else { hash_bytes(array.value(row).as_bytes()) }));
        codes.reserve(n);
        for (row, &hash) in hashes.iter().enumerate() {
            codes.push(if array.is_null(row) { NULL } else { self.code_with_hash(array.value(row).as_bytes(), hash) });
        }
        self.hashes = hashes;
    }

    /// Gives texts as an array.
    pub(crate) fn array(&self, codes: std::ops::Range<u32>) -> StringArray {
        let mut builder = StringBuilder::with_capacity(codes.len(), codes.len() * 16);
        for code in codes {
            builder.append_value(self.text(code));
        }
        builder.finish()
    }

    pub(crate) fn into_table(self) -> TextTable {
        let mut table = TextTable::default();
        drop(self.index);
        for window in self.offsets.windows(2) {
            table.push(std::str::from_utf8(&self.bytes[window[0] as usize..window[1] as usize]).unwrap_or_default());
        }
        table.finish();
        table
    }
}

/// Distinct 64-bit words in order of first appearance.
#[derive(Debug)]
pub(crate) struct WordDictionary {
    index: CodeIndex,
    words: Vec<u64>,
}

impl WordDictionary {
    pub(crate) fn new() -> Self {
        Self { index: CodeIndex::new(), words: Vec::new() }
    }

    pub(crate) fn code(&mut self, word: u64) -> u32 {
        let words = &self.words;
        let next = words.len() as u32;
        let code = self.index.find_or_insert(hash_word(word), next, |code| words[code as usize] == word);
        if code == next {
            self.words.push(word);
        }
        code
    }

    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }
}

/// Distinct lists, told apart by their elements in order; kept as sorted distinct elements.
#[derive(Debug)]
pub(crate) struct ListDictionary<E> {
    index: CodeIndex,
    /// The lists as they came, nulls as [`NULL`]; list `i` is `raw[offsets[i]..offsets[i + 1]]`.
    raw: Vec<u32>,
    offsets: Vec<u32>,
    elements: E,
}

impl<E> ListDictionary<E> {
    fn new(elements: E) -> Self {
        Self { index: CodeIndex::new(), raw: Vec::new(), offsets: vec![0], elements }
    }

    fn code(&mut self, list: &[u32]) -> u32 {
        let hash =
            list.iter().fold(list.len() as u64, |hash, &element| u64::from(hash_word(hash << 32 | u64::from(element))));
        let (raw, offsets) = (&self.raw, &self.offsets);
        let next = (offsets.len() - 1) as u32;
        let code = self.index.find_or_insert(hash_word(hash), next, |code| {
            raw[offsets[code as usize] as usize..offsets[code as usize + 1] as usize] == *list
        });
        if code == next {
            self.raw.extend_from_slice(list);
            self.offsets.push(self.raw.len() as u32);
        }
        code
    }

    /// Appends a code for each list of an array whose child elements have been encoded.
    fn encode(
        &mut self,
        array: &dyn Array,
        offsets: impl Fn(usize) -> (usize, usize),
        elements: &[u32],
        codes: &mut Vec<u32>,
    ) {
        for row in 0..array.len() {
            if array.is_null(row) {
                codes.push(NULL);
            } else {
                let (begin, end) = offsets(row);
                codes.push(self.code(&elements[begin..end]));
            }
        }
    }

    fn lists(&self) -> impl Iterator<Item = &[u32]> {
        self.offsets.windows(2).map(|window| &self.raw[window[0] as usize..window[1] as usize])
    }
}

/// The dictionary of a domain.
#[derive(Debug)]
pub(crate) enum Dictionary {
    Text(TextDictionary),
    Integer(WordDictionary),
    Number(WordDictionary),
    Boolean,
    TextList(ListDictionary<TextDictionary>),
    NumberList(ListDictionary<WordDictionary>),
}

/// Makes equal numbers equal words: one zero, one not-a-number.
pub(crate) fn number_word(number: f64) -> u64 {
    if number == 0.0 {
        0
    } else if number.is_nan() {
        f64::NAN.to_bits()
    } else {
        number.to_bits()
    }
}

impl Dictionary {
    pub(crate) fn new(value_type: ValueType) -> Self {
        match value_type {
            ValueType::Text => Self::Text(TextDictionary::new()),
            ValueType::Integer => Self::Integer(WordDictionary::new()),
            ValueType::Number => Self::Number(WordDictionary::new()),
            ValueType::Boolean => Self::Boolean,
            ValueType::TextList => Self::TextList(ListDictionary::new(TextDictionary::new())),
            ValueType::NumberList => Self::NumberList(ListDictionary::new(WordDictionary::new())),
        }
    }

    /// Appends a code for each value of an array, cast to the dictionary's type where needed.
    pub(crate) fn encode(&mut self, array: &ArrayRef, codes: &mut Vec<u32>) -> Result<(), ArrowError> {
        if let DataType::Dictionary(_, values) = array.data_type()
            && !matches!(values.as_ref(), DataType::Dictionary(..))
        {
            return self.encode_dictionary(array, codes);
        }
        match self {
            Self::Text(dictionary) => encode_text(dictionary, array, codes),
            Self::Integer(dictionary) => {
                let integers = integers(array)?;
                codes.extend(integers.iter().map(|value| value.map_or(NULL, |value| dictionary.code(value as u64))));
                Ok(())
            }
            Self::Number(dictionary) => {
                let numbers = numbers(array)?;
                codes.extend(
                    numbers.iter().map(|value| value.map_or(NULL, |value| dictionary.code(number_word(value)))),
                );
                Ok(())
            }
            Self::Boolean => {
                let flags = cast(array, &DataType::Boolean)?;
                codes.extend(flags.as_boolean().iter().map(|flag| flag.map_or(NULL, u32::from)));
                Ok(())
            }
            Self::TextList(dictionary) => encode_list(dictionary, array, codes, encode_text),
            Self::NumberList(dictionary) => encode_list(dictionary, array, codes, |elements, array, codes| {
                codes.extend(
                    numbers(array)?.iter().map(|value| value.map_or(NULL, |value| elements.code(number_word(value)))),
                );
                Ok(())
            }),
        }
    }

    /// Encodes each value in use once.
    fn encode_dictionary(&mut self, array: &ArrayRef, codes: &mut Vec<u32>) -> Result<(), ArrowError> {
        let dictionary = array.as_any_dictionary();
        let keys = dictionary.keys();
        let mut of_key = Vec::new();
        self.encode(dictionary.values(), &mut of_key)?;
        if of_key.is_empty() {
            codes.resize(codes.len() + keys.len(), NULL);
            return Ok(());
        }
        let normalized = dictionary.normalized_keys();
        codes.extend(
            normalized.iter().enumerate().map(|(row, &key)| if keys.is_null(row) { NULL } else { of_key[key] }),
        );
        Ok(())
    }

    /// Hands over the distinct values.
    pub(crate) fn into_values(self) -> Values {
        match self {
            Self::Text(dictionary) => Values::Text(dictionary.into_table()),
            Self::Integer(dictionary) => {
                Values::Integer(dictionary.words.into_iter().map(|word| word as i64).collect())
            }
            Self::Number(dictionary) => Values::Number(dictionary.words.into_iter().map(f64::from_bits).collect()),
            Self::Boolean => Values::Boolean(vec![false, true]),
            Self::TextList(dictionary) => {
                let mut offsets = vec![0];
                let mut codes = Vec::with_capacity(dictionary.raw.len());
                for list in dictionary.lists() {
                    let begin = codes.len();
                    codes.extend(list.iter().copied().filter(|&element| element != NULL));
                    codes[begin..].sort_unstable();
                    let mut end = begin;
                    for at in begin..codes.len() {
                        if at == begin || codes[at] != codes[end - 1] {
                            codes[end] = codes[at];
                            end += 1;
                        }
                    }
                    codes.truncate(end);
                    offsets.push(codes.len() as u32);
                }
                Values::TextList { offsets, codes, elements: dictionary.elements.into_table() }
            }
            Self::NumberList(dictionary) => {
                let mut offsets = vec![0];
                let mut numbers = Vec::with_capacity(dictionary.raw.len());
                for list in dictionary.lists() {
                    let known = list.iter().filter(|&&element| element != NULL);
                    numbers.extend(known.map(|&element| f64::from_bits(dictionary.elements.words[element as usize])));
                    offsets.push(numbers.len() as u32);
                }
                Values::NumberList { offsets, numbers }
            }
        }
    }
}

fn encode_text(dictionary: &mut TextDictionary, array: &ArrayRef, codes: &mut Vec<u32>) -> Result<(), ArrowError> {
    match array.data_type() {
        DataType::Utf8 => dictionary.encode(array.as_string::<i32>(), codes),
        DataType::LargeUtf8 => dictionary.encode(array.as_string::<i64>(), codes),
        DataType::Utf8View => dictionary.encode(array.as_string_view(), codes),
        _ => dictionary.encode(cast(array, &DataType::Utf8)?.as_string::<i32>(), codes),
    }
    Ok(())
}

fn encode_list<E>(
    dictionary: &mut ListDictionary<E>,
    array: &ArrayRef,
    codes: &mut Vec<u32>,
    encode: impl Fn(&mut E, &ArrayRef, &mut Vec<u32>) -> Result<(), ArrowError>,
) -> Result<(), ArrowError> {
    let mut elements = Vec::new();
    match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            encode(&mut dictionary.elements, list.values(), &mut elements)?;
            let offsets = list.value_offsets();
            dictionary.encode(list, |row| (offsets[row] as usize, offsets[row + 1] as usize), &elements, codes);
            Ok(())
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            encode(&mut dictionary.elements, list.values(), &mut elements)?;
            let offsets = list.value_offsets();
            dictionary.encode(list, |row| (offsets[row] as usize, offsets[row + 1] as usize), &elements, codes);
            Ok(())
        }
        DataType::FixedSizeList(field, _) | DataType::ListView(field) | DataType::LargeListView(field) => {
            let list = cast(array, &DataType::LargeList(Arc::clone(field)))?;
            encode_list(dictionary, &list, codes, encode)
        }
        other => Err(ArrowError::CastError(format!("Cannot read a list from {other}"))),
    }
}

/// Gives whole numbers.
fn integers(array: &ArrayRef) -> Result<PrimitiveArray<Int64Type>, ArrowError> {
    Ok(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

/// Gives numbers; dates and timestamps in seconds since 1970-01-01.
pub(crate) fn numbers(array: &ArrayRef) -> Result<PrimitiveArray<Float64Type>, ArrowError> {
    let scaled = |array: &ArrayRef, factor: f64| -> Result<PrimitiveArray<Float64Type>, ArrowError> {
        Ok(integers(array)?.unary(|value| value as f64 * factor))
    };
    match array.data_type() {
        DataType::Date32 => scaled(&cast(array, &DataType::Int32)?, 86_400.0),
        DataType::Date64 | DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Ok(integers(array)?.unary(|value| value as f64 / 1e3))
        }
        DataType::Timestamp(TimeUnit::Second, _) => scaled(array, 1.0),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Ok(integers(array)?.unary(|value| value as f64 / 1e6)),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => Ok(integers(array)?.unary(|value| value as f64 / 1e9)),
        _ => Ok(cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone()),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        BooleanArray, Date32Array, DictionaryArray, Float64Array, Int32Array, Int64Array, LargeStringArray, ListArray,
        StringViewArray,
    };
    use arrow::datatypes::Int32Type;

    use super::*;

    fn check(value_type: ValueType, array: impl Array + 'static, expected: &[Option<u32>]) -> Values {
        let array: ArrayRef = Arc::new(array);
        let mut dictionary = Dictionary::new(value_type);
        let mut codes = Vec::new();
        dictionary.encode(&array, &mut codes).unwrap();
        let found: Vec<Option<u32>> = codes.iter().map(|&code| (code != NULL).then_some(code)).collect();
        assert_eq!(found, expected, "{:?}", array.data_type());
        dictionary.into_values()
    }

    #[test]
    fn texts_of_every_layout() {
        let texts = vec![Some("ann"), None, Some(""), Some("ann"), Some("a longer text than a view holds")];
        let expected = [Some(0), None, Some(1), Some(0), Some(2)];
        check(ValueType::Text, StringArray::from(texts.clone()), &expected);
        check(ValueType::Text, LargeStringArray::from(texts.clone()), &expected);
        let values = check(ValueType::Text, StringViewArray::from(texts.clone()), &expected);
        let Values::Text(table) = values else { panic!("text") };
        assert_eq!((table.len(), table.get(2)), (3, "a longer text than a view holds"));
        let keyed: DictionaryArray<Int32Type> = texts.into_iter().collect();
        check(ValueType::Text, keyed, &expected);
        check(ValueType::Text, Int64Array::from(vec![Some(7), None, Some(7)]), &[Some(0), None, Some(0)]);
    }

    #[test]
    fn numbers_dates_and_flags() {
        check(ValueType::Integer, Int32Array::from(vec![5, -5, 5]), &[Some(0), Some(1), Some(0)]);
        let numbers = Float64Array::from(vec![Some(0.0), Some(-0.0), Some(f64::NAN), Some(-f64::NAN), None]);
        check(ValueType::Number, numbers, &[Some(0), Some(0), Some(1), Some(1), None]);
        let Values::Number(seconds) =
            check(ValueType::Number, Date32Array::from(vec![1, 1, 2]), &[Some(0), Some(0), Some(1)])
        else {
            panic!("numbers")
        };
        assert_eq!(seconds, [86_400.0, 172_800.0]);
        check(ValueType::Boolean, BooleanArray::from(vec![Some(true), None, Some(false)]), &[Some(1), None, Some(0)]);
    }

    #[test]
    fn lists_differ_by_order_but_are_kept_as_sets() {
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
            Some(vec![Some(2), Some(1), Some(2)]),
            Some(vec![Some(1), Some(2)]),
            None,
            Some(vec![]),
            Some(vec![None]),
            Some(vec![Some(2), Some(1), Some(2)]),
        ]);
        let values = check(ValueType::TextList, lists, &[Some(0), Some(1), None, Some(2), Some(3), Some(0)]);
        let Values::TextList { offsets, codes, elements } = values else { panic!("list") };
        assert_eq!((offsets, codes, elements.len()), (vec![0, 2, 4, 4, 4], vec![0, 1, 0, 1], 2));
    }
}
