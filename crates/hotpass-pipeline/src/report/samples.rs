//! The conflicts that a report lists, with personal values as their shape.

use arrow::array::{Array, AsArray, StringArray};
use arrow::record_batch::RecordBatch;
use hotpass_core::mask;
use serde_json::Value;

use super::ReportExtras;

/// Characters of a value that are shown.
const VALUE_LIMIT: usize = 80;

/// A conflict as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ConflictSample {
    pub(super) organization_name: String,
    pub(super) field: String,
    pub(super) value: String,
    pub(super) chosen_source: String,
    pub(super) rule: String,
    /// The other values, with their cells where they are known.
    pub(super) alternatives: Vec<(String, Option<String>)>,
}

/// Returns the first conflicts.
pub(super) fn conflict_samples(extras: &ReportExtras<'_>, limit: usize) -> Vec<ConflictSample> {
    extras.conflicts.iter().filter_map(|batch| sample_batch(batch, extras, limit)).flatten().take(limit).collect()
}

fn sample_batch(batch: &RecordBatch, extras: &ReportExtras<'_>, limit: usize) -> Option<Vec<ConflictSample>> {
    let column = |name: &str| -> Option<&StringArray> { batch.column_by_name(name)?.as_string_opt() };
    let text = |array: &StringArray, row: usize| {
        if array.is_null(row) { String::new() } else { array.value(row).to_owned() }
    };
    let (name, field, value) = (column("organization_name")?, column("field")?, column("value")?);
    let (source, rule, alternatives) = (column("chosen_source")?, column("rule")?, column("alternatives")?);
    Some(
        (0..batch.num_rows().min(limit))
            .map(|row| {
                let field = text(field, row);
                let hidden = !extras.show_values && super::is_personal(&field, extras.sensitive_fields);
                ConflictSample {
                    organization_name: shorten(&text(name, row)),
                    value: show(&text(value, row), hidden),
                    field,
                    chosen_source: text(source, row),
                    rule: text(rule, row),
                    alternatives: parse_alternatives(&text(alternatives, row), hidden),
                }
            })
            .collect(),
    )
}

fn parse_alternatives(json: &str, hidden: bool) -> Vec<(String, Option<String>)> {
    match serde_json::from_str(json) {
        Ok(Value::Array(items)) => items.iter().map(|item| alternative(item, hidden)).collect(),
        _ => Vec::new(),
    }
}

/// Reads an alternative: an object with `value` and its cell under any other name, or a plain value.
fn alternative(item: &Value, hidden: bool) -> (String, Option<String>) {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match item {
        Value::Object(members) => {
            let value = members.get("value").map(plain).unwrap_or_default();
            let cell = ["cell", "source", "chosen_source"].iter().find_map(|name| members.get(*name)).map(plain);
            (show(&value, hidden), cell)
        }
        other => (show(&plain(other), hidden), None),
    }
}

fn show(value: &str, hidden: bool) -> String {
    if hidden { mask(value) } else { shorten(value) }
}

fn shorten(value: &str) -> String {
    if value.chars().count() > VALUE_LIMIT {
        value.chars().take(VALUE_LIMIT - 1).chain(['…']).collect()
    } else {
        value.to_owned()
    }
}
