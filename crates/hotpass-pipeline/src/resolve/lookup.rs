//! Rows of records by their keys.

use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use hashbrown::HashMap;
use hotpass_resolve::Linker;

use super::error::ResolveError;
use super::keys::RecordKeys;

/// Rows that are looked at together.
const CHUNK: u32 = 65_536;

/// Finds the row of every key; `file` is where the keys come from.
///
/// With one source its name does not matter.
pub(super) fn rows_of_keys(linker: &Linker, keys: &RecordKeys, file: &Path) -> Result<Vec<u32>, ResolveError> {
    let wanted: Vec<(&str, &str)> = (0..keys.len() as u32).map(|number| keys.key(number)).collect();
    let rows = find_rows(linker, &wanted)?;
    let missing = rows.iter().filter(|row| row.is_none()).count();
    if missing > 0 {
        return Err(ResolveError::request(
            format!("`{}` names {missing} records that the inputs do not have", file.display()),
            "Give the files that the pairs were made of, with the same `--unique-id-column`, each under its own name",
        ));
    }
    Ok(rows.into_iter().flatten().collect())
}

/// Finds rows by source and id; a source that is empty matches any.
pub(super) fn find_rows(linker: &Linker, wanted: &[(&str, &str)]) -> Result<Vec<Option<u32>>, ResolveError> {
    let records = linker.records();
    let several = records.source_names().len() > 1;
    let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, (_, id)) in wanted.iter().enumerate() {
        by_id.entry(id).or_default().push(place);
    }
    let mut rows = vec![None; wanted.len()];
    let n_rows = records.len() as u32;
    for start in (0..n_rows).step_by(CHUNK as usize) {
        let chunk: Vec<u32> = (start..n_rows.min(start.saturating_add(CHUNK))).collect();
        let ids = cast(&records.identifiers(&chunk), &DataType::Utf8)
            .map_err(|error| ResolveError::engine("Looking up records", error))?;
        let ids = ids.as_string::<i32>();
        for (at, &row) in chunk.iter().enumerate().filter(|(at, _)| ids.is_valid(*at)) {
            for &place in by_id.get(ids.value(at)).into_iter().flatten() {
                let source = wanted[place].0;
                if !several || source.is_empty() || records.source_name(row) == source {
                    rows[place].get_or_insert(row);
                }
            }
        }
    }
    Ok(rows)
}
