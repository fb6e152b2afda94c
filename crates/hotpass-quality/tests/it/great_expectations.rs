//! The suite of `tests/fixtures/write_gx_results.py`, compared with what Great Expectations 1.24.1 said of it.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use hotpass_quality::{Expectation, ExpectationResult, MissingColumns, Suite, SuiteOptions};
use serde_json::{Map, Value};

/// Differences that are meant, by expectation, with the reason.
const MEANT: [(&str, &str, &str); 3] = [
    ("expect_column_values_to_be_between", "\"B\"", "bounds may be text, which Great Expectations 1.24 refuses"),
    ("expect_column_min_to_be_between", "\" \"", "bounds may be text, which Great Expectations 1.24 refuses"),
    ("expect_column_values_to_be_in_type_list", "[\"str\"", "it knows no `str` in a list on pandas 3, but does alone"),
];

fn table(columns: &Value) -> RecordBatch {
    let columns = columns.as_object().unwrap();
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (name, values) in columns {
        let values = values.as_array().unwrap();
        let present = || values.iter().filter(|value| !value.is_null());
        let complete = present().count() == values.len();
        let array: ArrayRef = if name != "x" && present().all(Value::is_i64) && complete && !values.is_empty() {
            Arc::new(values.iter().map(Value::as_i64).collect::<Int64Array>())
        } else if name != "x" && present().all(Value::is_number) {
            Arc::new(values.iter().map(Value::as_f64).collect::<Float64Array>())
        } else if present().all(Value::is_boolean) && !values.is_empty() {
            Arc::new(values.iter().map(Value::as_bool).collect::<BooleanArray>())
        } else {
            Arc::new(values.iter().map(|value| value.as_str().map(str::to_owned)).collect::<StringArray>())
        };
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn evaluate(batch: &RecordBatch, name: &str, kwargs: &Map<String, Value>, size: usize) -> Option<ExpectationResult> {
    let mut expectation = Expectation::new(name);
    expectation.kwargs =
        kwargs.iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
    let options = SuiteOptions {
        missing_columns: MissingColumns::Fail,
        all_positions: true,
        shown_columns: batch.schema().fields().iter().map(|field| field.name().clone()).collect(),
        ..SuiteOptions::default()
    };
    let mut run = Suite::new("s", [expectation]).compile(&batch.schema(), &options).ok()?;
    for first in (0..batch.num_rows()).step_by(size) {
        run.add(&batch.slice(first, size.min(batch.num_rows() - first))).unwrap();
    }
    Some(run.finish().results.remove(0))
}

fn close(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| close(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.iter().all(|(key, value)| b.get(key).is_some_and(|b| close(value, b)))
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-9 * b.abs().max(1.0)
        }
        (a, b) => a == b,
    }
}

fn sorted(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_f64().map_or_else(|| value.to_string(), |number| number.to_string());
    let mut all: Vec<String> = value.as_array().into_iter().flatten().map(text).collect();
    all.sort_unstable();
    all
}

/// Returns what differs.
fn difference(ours: &Value, theirs: &Value) -> Option<String> {
    if ours["success"] != theirs["success"] {
        return Some(format!("success {} but {}", ours["success"], theirs["success"]));
    }
    let (our, their) = (&ours["result"], theirs["result"].as_object()?);
    for name in [
        "element_count",
        "unexpected_count",
        "unexpected_percent",
        "missing_count",
        "missing_percent",
        "unexpected_percent_total",
        "unexpected_percent_nonmissing",
        "observed_value",
        "details",
        "partial_unexpected_index_list",
    ] {
        let none = Value::Null;
        let (a, b) = (our.get(name).unwrap_or(&none), their.get(name).unwrap_or(&none));
        // Great Expectations lists positions for row checks alone; an empty list is no list.
        if name == "partial_unexpected_index_list" && b.is_null() {
            continue;
        }
        let same = if name == "observed_value" && a.is_array() { sorted(a) == sorted(b) } else { close(a, b) };
        if !same {
            return Some(format!("{name} {a} but {b}"));
        }
    }
    let (a, b) = (&our["partial_unexpected_list"], their.get("partial_unexpected_list").unwrap_or(&Value::Null));
    let pairs = b.as_array().is_some_and(|list| list.iter().any(|value| value.is_object() || value.is_array()));
    (!pairs && !b.is_null() && !a.as_array().is_some_and(Vec::is_empty) && sorted(a) != sorted(b))
        .then(|| format!("values {a} but {b}"))
}

#[test]
fn every_result_is_that_of_great_expectations() {
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/great_expectations.json")).unwrap();
    let mut wrong = Vec::new();
    let (mut compared, mut both_refuse) = (0, 0);
    for (name, entries) in fixture["suites"].as_object().unwrap() {
        let batch = table(&fixture["tables"][name]);
        for entry in entries.as_array().unwrap() {
            let (kind, kwargs) = (entry["type"].as_str().unwrap(), entry["kwargs"].as_object().unwrap());
            let theirs_fails = entry.get("refused").is_some() || entry["raised"] == true;
            for size in [1, 3, 100] {
                let ours = evaluate(&batch, kind, kwargs, size);
                let ours_fails = ours.as_ref().is_none_or(|result| result.exception.is_some());
                let found = match (&ours, theirs_fails, ours_fails) {
                    (_, true, true) => {
                        both_refuse += 1;
                        None
                    }
                    (_, true, false) => Some("is refused there".to_owned()),
                    (ours, false, true) => {
                        Some(format!("is refused here: {:?}", ours.as_ref().and_then(|ours| ours.exception.clone())))
                    }
                    (Some(ours), ..) => difference(&ours.to_gx_json(), entry),
                    (None, ..) => None,
                };
                compared += 1;
                if let Some(found) = found
                    && !MEANT
                        .iter()
                        .any(|(expectation, part, _)| *expectation == kind && entry.to_string().contains(part))
                {
                    wrong.push(format!("{name} {kind} {}: {found}", Value::Object(kwargs.clone())));
                    break;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 1500 && both_refuse < compared / 5, "{compared} compared, {both_refuse} refused by both");
}
