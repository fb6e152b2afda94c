//! Hotpass's own form: what is wrong in a document, with its place and in the words of the form.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::contract::model::{Contract, Field, ForeignKey, Freshness, LogicalType, Reference, RowCount};

/// Keys of the document.
const KEYS: &[&str] = &[
    "hotpass_contract",
    "name",
    "version",
    "title",
    "description",
    "owner",
    "fields",
    "primary_key",
    "unique_keys",
    "foreign_keys",
    "freshness",
    "rows",
    "extra_columns",
    "ordered",
    "missing_values",
];

/// Keys of a column.
const FIELD_KEYS: &[&str] = &[
    "name",
    "type",
    "format",
    "title",
    "description",
    "classification",
    "required",
    "nullable",
    "unique",
    "pattern",
    "minimum",
    "maximum",
    "min_length",
    "max_length",
    "enumeration",
    "examples",
    "true_values",
    "false_values",
    "decimal_char",
    "group_char",
    "decorated",
];

/// Reads a contract.
///
/// # Errors
///
/// Returns the first thing that is wrong, with its place.
pub(super) fn read(document: &Value) -> Result<Contract, String> {
    // The derived reader knows no places, so that a document it refuses is looked through part by part.
    serde_json::from_value(document.clone()).map_err(|error| problem(document).unwrap_or_else(|| error.to_string()))
}

fn problem(document: &Value) -> Option<String> {
    let Some(object) = document.as_object() else { return Some("it is no object".to_owned()) };
    if let Some(found) = unknown(object, KEYS, "") {
        return Some(found);
    }
    for key in ["name", "fields"] {
        if !object.contains_key(key) {
            return Some(format!("`{key}` is missing"));
        }
    }
    let Some(fields) = object["fields"].as_array() else { return Some("`fields` is no list of columns".to_owned()) };
    if let Some(found) = fields.iter().enumerate().find_map(|(position, field)| field_problem(position, field)) {
        return Some(found);
    }
    let keys = object.get("foreign_keys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (position, key) in keys.iter().enumerate() {
        let place = format!("foreign key {}: ", position + 1);
        let reference = key
            .get("reference")
            .and_then(|it| part::<Reference>(it, &["dataset", "file", "fields"], &format!("{place}`reference`: ")));
        if let Some(found) = reference.or_else(|| part::<ForeignKey>(key, &["fields", "reference"], &place)) {
            return Some(found);
        }
    }
    object
        .get("freshness")
        .and_then(|value| part::<Freshness>(value, &["column", "max_age_days"], "`freshness`: "))
        .or_else(|| object.get("rows").and_then(|value| part::<RowCount>(value, &["min", "max"], "`rows`: ")))
        .or_else(|| {
            // Each other key by itself, in a document that is fine without it.
            let least = serde_json::to_value(Contract::new("contract")).ok()?;
            object.iter().filter(|(key, _)| *key != "fields").find_map(|(key, value)| {
                let mut alone = least.clone();
                alone[key] = value.clone();
                serde_json::from_value::<Contract>(alone).err().map(|error| format!("`{key}`: {error}"))
            })
        })
}

fn field_problem(position: usize, field: &Value) -> Option<String> {
    let Some(object) = field.as_object() else { return Some(format!("field {} is no object", position + 1)) };
    let Some(name) = object.get("name").and_then(Value::as_str) else {
        return Some(format!("field {} has no `name`", position + 1));
    };
    let place = format!("field {} (`{name}`): ", position + 1);
    if let Some(found) = unknown(object, FIELD_KEYS, &place) {
        return Some(found);
    }
    if let Some(found) = object.get("type").and_then(type_problem) {
        return Some(format!("{place}{found}"));
    }
    for key in ["minimum", "maximum"] {
        let Some(limit) = object.get(key).filter(|limit| !limit.is_null()) else { continue };
        let written = limit.get("value").unwrap_or(limit);
        let text = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
        let Some(limit) = limit.as_object().filter(|limit| limit.get("value").is_some_and(Value::is_string)) else {
            return Some(format!("{place}`{key}` is written as {{\"value\": \"{text}\"}}, with the value as text"));
        };
        if let Some(found) = unknown(limit, &["value", "exclusive"], &format!("{place}`{key}`: ")) {
            return Some(found);
        }
    }
    object.iter().filter(|(key, _)| *key != "name").find_map(|(key, value)| {
        let alone = Map::from_iter([("name".to_owned(), Value::from(name)), (key.clone(), value.clone())]);
        let error = serde_json::from_value::<Field>(Value::Object(alone)).err()?;
        Some(format!("{place}`{key}`: {error}"))
    })
}

fn type_problem(kind: &Value) -> Option<String> {
    let Some(kind) = kind.as_str() else { return Some("`type` is no text".to_owned()) };
    let names: Vec<&str> = LogicalType::ALL.iter().map(|known| known.name()).collect();
    if names.contains(&kind) {
        return None;
    }
    let near = usual(kind).or_else(|| {
        let near = hotpass_core::nearest(kind, names.iter().copied().chain(USUAL.iter().map(|(other, _)| *other)))?;
        usual(near).or_else(|| names.iter().copied().find(|name| *name == near))
    });
    Some(match near {
        Some(near) => format!("unknown type `{kind}`; did you mean `{near}`?"),
        None => format!("unknown type `{kind}`; known are `{}`", names.join("`, `")),
    })
}

/// What other forms call the types.
const USUAL: &[(&str, &str)] = &[
    ("string", "text"),
    ("varchar", "text"),
    ("int", "integer"),
    ("bigint", "integer"),
    ("float", "number"),
    ("double", "number"),
    ("decimal", "number"),
    ("numeric", "number"),
    ("bool", "boolean"),
    ("datetime", "timestamp"),
];

fn usual(kind: &str) -> Option<&'static str> {
    USUAL.iter().find(|(other, _)| other.eq_ignore_ascii_case(kind)).map(|(_, name)| *name)
}

fn unknown(object: &Map<String, Value>, known: &[&str], place: &str) -> Option<String> {
    let key = object.keys().find(|key| !known.contains(&key.as_str()))?;
    let hint = hotpass_core::nearest(key, known.iter().copied());
    let hint = hint.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Some(format!("{place}unknown key `{key}`{hint}"))
}

fn part<T: DeserializeOwned>(value: &Value, keys: &[&str], place: &str) -> Option<String> {
    let Some(object) = value.as_object() else { return Some(format!("{place}it is no object")) };
    unknown(object, keys, place)
        .or_else(|| serde_json::from_value::<T>(value.clone()).err().map(|error| format!("{place}{error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(fields: &Value, rest: Value) -> Value {
        let mut document = json!({"hotpass_contract": 1, "name": "c", "fields": fields});
        if let (Some(document), Value::Object(rest)) = (document.as_object_mut(), rest) {
            document.extend(rest);
        }
        document
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let says = |fields: Value, rest: Value, expected: &str| {
            assert_eq!(read(&document(&fields, rest)).expect_err("a problem"), expected);
        };
        let second = "field 2 (`b`): unknown type `strng`; did you mean `text`?";
        says(json!([{"name": "a"}, {"name": "b", "type": "strng"}]), json!({}), second);
        let of = |key: &str, value: Value| json!([{"name": "a", key: value}]);
        let first = |rest: &str| format!("field 1 (`a`): {rest}");
        says(of("type", json!("intger")), json!({}), &first("unknown type `intger`; did you mean `integer`?"));
        says(of("patern", json!("x")), json!({}), &first("unknown key `patern`; did you mean `pattern`?"));
        let limit = "`minimum` is written as {\"value\": \"10\"}, with the value as text";
        says(of("minimum", json!(10)), json!({}), &first(limit));
        says(of("minimum", json!({"value": 10})), json!({}), &first(limit));
        says(json!([{"type": "text"}]), json!({}), "field 1 has no `name`");
        let fine = || json!([{"name": "a"}]);
        says(fine(), json!({"primry_key": ["a"]}), "unknown key `primry_key`; did you mean `primary_key`?");
        says(fine(), json!({"rows": {"mim": 1}}), "`rows`: unknown key `mim`; did you mean `min`?");
        let wrong = read(&document(&of("nullable", json!("no")), json!({})));
        assert!(wrong.is_err_and(|problem| problem.starts_with("field 1 (`a`): `nullable`: ")));
    }

    #[test]
    fn every_key_is_known() {
        // The derived reader lists what it knows when it meets what it does not.
        let listed = |message: String| message.matches('`').count() / 2 - 1;
        let field = serde_json::from_value::<Field>(json!({"zzz": 1})).expect_err("unknown").to_string();
        assert_eq!(listed(field), FIELD_KEYS.len());
        let contract = serde_json::from_value::<Contract>(json!({"zzz": 1})).expect_err("unknown").to_string();
        assert_eq!(listed(contract), KEYS.len());
    }
}
