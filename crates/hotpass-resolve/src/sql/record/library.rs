//! The functions of one record that this crate adds to DuckDB's.

use super::text::text_lists;
use super::{Arguments, Called, Datum};
use crate::library::{RecordFunction, record_function};

/// Phonetic codes, parts of postcodes, names of organisations and the like.
pub(super) fn function(arguments: &Arguments<'_>) -> Called {
    match (record_function(arguments.function)?, arguments.values.len()) {
        (RecordFunction::Text(code), 1) => {
            Some(arguments.text(0).map(|texts| arguments.texts(|row| texts.get(row).and_then(code))))
        }
        (RecordFunction::TextWithCount(code), 2) => Some(arguments.text(0).and_then(|texts| {
            let counts = arguments.integer(1)?;
            Ok(arguments.texts(|row| code(texts.get(row)?, usize::try_from(counts.get(row)?).ok()?)))
        })),
        (RecordFunction::List(codes), 1) => Some(arguments.text(0).map(|texts| {
            let lists = (0..arguments.length())
                .map(|row| texts.get(row).map(|text| codes(text).into_iter().map(Some).collect()));
            Datum::new(text_lists(lists), arguments.all_constant())
        })),
        _ => None,
    }
}
