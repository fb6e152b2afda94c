//! What a form has no words for, written beside it so that nothing is lost: a `hotpass` object on the table and on a column.

use serde_json::{Map, Value};

use crate::contract::model::{Contract, Field};

/// Key of the object in forms that allow further properties.
pub(super) const KEY: &str = "hotpass";

/// Returns the properties of the contract, apart from the columns, in which it differs from what reading the form would give.
pub(super) fn of_contract(contract: &Contract, read_back: &Contract) -> Option<Value> {
    let strip = |contract: &Contract| {
        let mut object = object(contract);
        object.remove("fields");
        object
    };
    difference(&strip(contract), &strip(read_back))
}

/// Returns the properties of a column in which it differs from what reading the form would give.
pub(super) fn of_field(field: &Field, read_back: Option<&Field>) -> Option<Value> {
    difference(&object(field), &read_back.map(object).unwrap_or_default())
}

fn object(value: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

fn difference(wanted: &Map<String, Value>, read: &Map<String, Value>) -> Option<Value> {
    let mut difference = Map::new();
    for (key, value) in wanted {
        if read.get(key) != Some(value) {
            difference.insert(key.clone(), value.clone());
        }
    }
    for key in read.keys().filter(|key| !wanted.contains_key(*key)) {
        difference.insert(key.clone(), Value::Null);
    }
    (!difference.is_empty()).then_some(Value::Object(difference))
}

/// Puts the properties of a `hotpass` object over those that the form gave.
pub(super) fn apply<T: serde::Serialize + serde::de::DeserializeOwned>(value: T, extension: Option<&Value>) -> T {
    let Some(Value::Object(extension)) = extension else { return value };
    let mut object = object(&value);
    for (key, given) in extension {
        if given.is_null() {
            object.remove(key);
        } else {
            object.insert(key.clone(), given.clone());
        }
    }
    // An object that someone else wrote under this name is not ours.
    serde_json::from_value(Value::Object(object)).unwrap_or(value)
}
