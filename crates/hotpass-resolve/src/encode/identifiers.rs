//! Record ids: kept compactly, and the order of keys.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayAccessor, ArrayRef, AsArray, Int64Array, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;
use rayon::slice::ParallelSliceMut as _;

use crate::error::LinkError;

/// What Splink puts between source and id to form a key.
const SEPARATOR: &str = "-__-";

/// The ids of all records.
#[derive(Debug, Clone)]
pub(crate) enum Identifiers {
    Integer(Vec<i64>),
    Text { offsets: Vec<u64>, bytes: Vec<u8> },
}

impl Identifiers {
    pub(crate) fn new() -> Self {
        Self::Integer(Vec::new())
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Integer(ids) => ids.len(),
            Self::Text { offsets, .. } => offsets.len() - 1,
        }
    }

    /// Appends ids; whole numbers stay numbers as long as every id is one.
    pub(crate) fn append(&mut self, array: &ArrayRef, source: &str) -> Result<(), LinkError> {
        let failed = |error: ArrowError| LinkError::Identifier { source_name: source.to_owned(), error };
        if array.null_count() > 0 || array.data_type() == &DataType::Null {
            let nulls = array.logical_nulls();
            let row = (0..array.len()).find(|&row| nulls.as_ref().is_none_or(|nulls| nulls.is_null(row)));
            if let Some(row) = row {
                return Err(LinkError::NullIdentifier {
                    source_name: source.to_owned(),
                    row: (self.len() + row) as u64,
                });
            }
        }
        if array.data_type().is_integer() && array.data_type() != &DataType::UInt64 {
            let integers = cast(array, &DataType::Int64).map_err(failed)?;
            if let Self::Integer(ids) = self {
                ids.extend_from_slice(integers.as_primitive::<Int64Type>().values());
                return Ok(());
            }
        }
        self.turn_into_text();
        match array.data_type() {
            DataType::Utf8 => self.append_text(array.as_string::<i32>()),
            DataType::LargeUtf8 => self.append_text(array.as_string::<i64>()),
            DataType::Utf8View => self.append_text(array.as_string_view()),
            _ => self.append_text(cast(array, &DataType::Utf8).map_err(failed)?.as_string::<i32>()),
        }
        Ok(())
    }

    fn append_text<'a>(&mut self, array: impl ArrayAccessor<Item = &'a str> + Copy) {
        if let Self::Text { offsets, bytes } = self {
            for row in 0..array.len() {
                bytes.extend_from_slice(array.value(row).as_bytes());
                offsets.push(bytes.len() as u64);
            }
        }
    }

    fn turn_into_text(&mut self) {
        if let Self::Integer(ids) = self {
            let mut offsets = vec![0];
            let mut bytes = Vec::new();
            for id in ids {
                bytes.extend_from_slice(id.to_string().as_bytes());
                offsets.push(bytes.len() as u64);
            }
            *self = Self::Text { offsets, bytes };
        }
    }

    fn bytes(&self, row: usize) -> &[u8] {
        match self {
            Self::Integer(_) => &[],
            Self::Text { offsets, bytes } => &bytes[offsets[row] as usize..offsets[row + 1] as usize],
        }
    }

    /// Gives the id of a record as text.
    pub(crate) fn text(&self, row: usize) -> String {
        match self {
            Self::Integer(ids) => ids[row].to_string(),
            Self::Text { .. } => String::from_utf8_lossy(self.bytes(row)).into_owned(),
        }
    }

    /// Gives the ids of rows as an array of 64-bit integers or of text.
    pub(crate) fn take(&self, rows: &[u32]) -> ArrayRef {
        match self {
            Self::Integer(ids) => {
                std::sync::Arc::new(Int64Array::from_iter_values(rows.iter().map(|&row| ids[row as usize])))
            }
            Self::Text { .. } => {
                let mut builder = StringBuilder::with_capacity(rows.len(), rows.len() * 12);
                for &row in rows {
                    builder.append_value(std::str::from_utf8(self.bytes(row as usize)).unwrap_or_default());
                }
                std::sync::Arc::new(builder.finish())
            }
        }
    }

    /// Gives the Arrow type of [`Identifiers::take`].
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::Integer(_) => DataType::Int64,
            Self::Text { .. } => DataType::Utf8,
        }
    }

    /// Puts the ids into a new order.
    pub(crate) fn reorder(&mut self, order: &[u32]) {
        match self {
            Self::Integer(ids) => *ids = order.iter().map(|&row| ids[row as usize]).collect(),
            Self::Text { offsets, bytes } => {
                let mut new_offsets = Vec::with_capacity(offsets.len());
                let mut new_bytes = Vec::with_capacity(bytes.len());
                new_offsets.push(0);
                for &row in order {
                    new_bytes
                        .extend_from_slice(&bytes[offsets[row as usize] as usize..offsets[row as usize + 1] as usize]);
                    new_offsets.push(new_bytes.len() as u64);
                }
                (*offsets, *bytes) = (new_offsets, new_bytes);
            }
        }
    }

    pub(crate) fn shrink(&mut self) {
        match self {
            Self::Integer(ids) => ids.shrink_to_fit(),
            Self::Text { offsets, bytes } => {
                offsets.shrink_to_fit();
                bytes.shrink_to_fit();
            }
        }
    }

    pub(crate) fn heap_bytes(&self) -> u64 {
        match self {
            Self::Integer(ids) => ids.capacity() as u64 * 8,
            Self::Text { offsets, bytes } => offsets.capacity() as u64 * 8 + bytes.capacity() as u64,
        }
    }
}

/// Gives numbers that order as the decimal text of whole numbers does: sign first, then digits from the left, a prefix before what it begins.
fn decimal_text_key(value: i64) -> (bool, u64, u32) {
    let size = value.unsigned_abs();
    let digits = size.checked_ilog10().map_or(1, |log| log + 1);
    // A 19-digit size times one is below 2^64, so scaling to 19 digits cannot overflow.
    (value >= 0, size * 10_u64.pow(19 - digits), digits)
}

/// Puts rows in key order and finds keys that occur twice.
///
/// With one source keys compare as ids do: numbers as numbers, text by its bytes. With several, the text of source, separator and id compares.
///
/// Gives `None` if the rows are in order already.
pub(crate) fn key_order(ids: &Identifiers, sources: &[u16], names: &[String]) -> Result<Option<Vec<u32>>, LinkError> {
    let prefixes: Vec<Vec<u8>> = names.iter().map(|name| format!("{name}{SEPARATOR}").into_bytes()).collect();
    let source_of = |row: u32| sources.get(row as usize).map_or(0, |&source| usize::from(source));
    let nested = prefixes
        .iter()
        .enumerate()
        .any(|(i, one)| prefixes.iter().enumerate().any(|(j, other)| i != j && other.starts_with(one)));
    let mut by_prefix: Vec<usize> = (0..prefixes.len()).collect();
    by_prefix.sort_by(|&one, &other| prefixes[one].cmp(&prefixes[other]));
    let mut rank = vec![0_u16; prefixes.len().max(1)];
    for (position, &source) in by_prefix.iter().enumerate() {
        rank[source] = position as u16;
    }
    let n = ids.len();
    match ids {
        Identifiers::Integer(values) if sources.is_empty() => {
            order_by(n, sources, names, |one, other| values[one as usize].cmp(&values[other as usize]))
        }
        Identifiers::Integer(values) if !nested => order_by(n, sources, names, |one, other| {
            let key = |row: u32| (rank[source_of(row)], decimal_text_key(values[row as usize]));
            key(one).cmp(&key(other))
        }),
        Identifiers::Integer(_) => {
            let mut text = ids.clone();
            text.turn_into_text();
            key_order(&text, sources, names)
        }
        Identifiers::Text { .. } if !nested => order_by(n, sources, names, |one, other| {
            rank[source_of(one)]
                .cmp(&rank[source_of(other)])
                .then_with(|| ids.bytes(one as usize).cmp(ids.bytes(other as usize)))
        }),
        Identifiers::Text { .. } => order_by(n, sources, names, |one, other| {
            let key = |row: u32| prefixes[source_of(row)].iter().chain(ids.bytes(row as usize));
            key(one).cmp(key(other))
        }),
    }
}

fn order_by(
    n: usize,
    sources: &[u16],
    names: &[String],
    compare: impl Fn(u32, u32) -> Ordering + Sync,
) -> Result<Option<Vec<u32>>, LinkError> {
    let rows = n as u32;
    if (1..rows).all(|row| compare(row - 1, row) == Ordering::Less) {
        return Ok(None);
    }
    let mut order: Vec<u32> = (0..rows).collect();
    order.par_sort_unstable_by(|&one, &other| compare(one, other).then(one.cmp(&other)));
    let repeated: Vec<(u32, u32)> = order
        .windows(2)
        .filter(|pair| compare(pair[0], pair[1]) == Ordering::Equal)
        .map(|pair| (pair[0], pair[1]))
        .collect();
    let Some(&(first, second)) = repeated.iter().min() else { return Ok(Some(order)) };
    let begin_of = |source: Option<&u16>| {
        source.map_or(0, |source| sources.iter().position(|other| other == source).unwrap_or(0) as u64)
    };
    let source = sources.get(first as usize);
    Err(LinkError::DuplicateIdentifiers {
        source_name: names.get(source.map_or(0, |&source| usize::from(source))).cloned().unwrap_or_default(),
        first: u64::from(first) - begin_of(source),
        second: u64::from(second) - begin_of(source),
        count: repeated.len() as u64,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::StringArray;
    use proptest::prelude::*;

    use super::*;

    fn of(array: impl Array + 'static) -> Identifiers {
        let mut ids = Identifiers::new();
        let array: ArrayRef = Arc::new(array);
        ids.append(&array, "a").unwrap();
        ids
    }

    #[test]
    fn numbers_compare_as_numbers_in_one_source_and_as_text_in_several() {
        let ids = of(Int64Array::from(vec![10, 9, -1]));
        assert_eq!(key_order(&ids, &[], &["a".to_owned()]).unwrap(), Some(vec![2, 1, 0]));
        let names = ["b".to_owned(), "a".to_owned()];
        assert_eq!(key_order(&ids, &[1, 1, 0], &names).unwrap(), None);
    }

    #[test]
    fn a_source_whose_name_begins_another_key_is_ordered_by_the_whole_key() {
        let names = ["a".to_owned(), "a-__-m".to_owned()];
        let ids = of(StringArray::from(vec!["z", "b", "a"]));
        assert_eq!(key_order(&ids, &[0, 0, 1], &names).unwrap(), Some(vec![1, 2, 0]));
    }

    #[test]
    fn ids_must_be_there_and_be_unique() {
        let mut ids = Identifiers::new();
        let null: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None]));
        assert!(matches!(ids.append(&null, "a"), Err(LinkError::NullIdentifier { row: 1, .. })));
        let ids = of(StringArray::from(vec!["x", "y", "x"]));
        let error = key_order(&ids, &[], &["people".to_owned()]).unwrap_err();
        assert!(matches!(error, LinkError::DuplicateIdentifiers { first: 0, second: 2, count: 1, .. }), "{error}");
        assert!(key_order(&ids, &[0, 0, 1], &["a".to_owned(), "b".to_owned()]).is_ok());
    }

    proptest! {
        #[test]
        fn decimal_keys_order_as_text(one: i64, other: i64, cut in 0_u32..18) {
            let (one, other) = (one / 10_i64.pow(cut), other);
            prop_assert_eq!(decimal_text_key(one).cmp(&decimal_text_key(other)), one.to_string().cmp(&other.to_string()));
        }
    }
}
