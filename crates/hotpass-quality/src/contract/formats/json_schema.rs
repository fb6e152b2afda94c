//! JSON Schema 2020-12: a row is an object of its columns, a table an array of rows.

use serde_json::{Map, Value, json};

use super::{Notices, anchored, extension, lexical, number_or_text, text_of, unanchored};
use crate::contract::error::ContractError;
use crate::contract::model::{Contract, Field, Limit, LogicalType};

const FORMAT: &str = "JSON Schema";
/// Keywords of a row that say what no column can.
const ROW_KEYWORDS: &[&str] = &[
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedProperties",
];
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

pub(super) fn write(contract: &Contract, array: bool, notices: &mut Notices) -> Value {
    let mut schema = plain(contract, array, notices);
    let read_back = read(&schema, &mut Notices::default()).unwrap_or_default();
    if let Some(extension) = extension::of_contract(contract, &read_back) {
        schema[extension::KEY] = extension;
    }
    let row = if array { &mut schema["items"] } else { &mut schema };
    for field in &contract.fields {
        if let Some(extension) = extension::of_field(field, read_back.field(&field.name)) {
            row["properties"][&field.name][extension::KEY] = extension;
        }
    }
    schema
}

fn plain(contract: &Contract, array: bool, notices: &mut Notices) -> Value {
    let mut row = Map::new();
    row.insert("type".into(), "object".into());
    let properties: Map<String, Value> =
        contract.fields.iter().map(|field| (field.name.clone(), write_field(field, notices))).collect();
    row.insert("properties".into(), properties.into());
    let required: Vec<&str> =
        contract.fields.iter().filter(|field| contract.requires(field)).map(|field| field.name.as_str()).collect();
    if !required.is_empty() {
        row.insert("required".into(), json!(required));
    }
    row.insert("additionalProperties".into(), contract.extra_columns.into());

    let mut schema = Map::new();
    schema.insert("$schema".into(), DIALECT.into());
    schema.insert("title".into(), contract.title.clone().unwrap_or_else(|| contract.name.clone()).into());
    if let Some(description) = &contract.description {
        schema.insert("description".into(), description.clone().into());
    }
    if array {
        schema.insert("type".into(), "array".into());
        schema.insert("items".into(), row.into());
        for (key, count) in [("minItems", contract.rows.min), ("maxItems", contract.rows.max)] {
            if let Some(count) = count {
                schema.insert(key.into(), count.into());
            }
        }
    } else {
        schema.extend(row);
        if !contract.rows.is_open() {
            notices.table("The schema of a row has no number of rows");
        }
    }
    for (there, what) in [
        (!contract.primary_key.is_empty(), "primary key"),
        (!contract.unique_keys.is_empty(), "unique keys"),
        (!contract.foreign_keys.is_empty(), "foreign keys"),
        (contract.freshness.is_some(), "freshness"),
        (contract.owner.is_some(), "owner"),
        (contract.ordered, "order of columns"),
        (contract.missing_values != [""], "values that mean no value"),
    ] {
        if there {
            notices.table(format!("JSON Schema has no {what}"));
        }
    }
    Value::Object(schema)
}

fn write_field(field: &Field, notices: &mut Notices) -> Value {
    let mut written = Map::new();
    let (type_name, format) = match field.logical_type {
        LogicalType::Text => {
            (Some("string"), field.format.as_deref().filter(|format| matches!(*format, "email" | "uri" | "uuid")))
        }
        LogicalType::Integer => (Some("integer"), None),
        LogicalType::Number => (Some("number"), None),
        LogicalType::Boolean => (Some("boolean"), None),
        LogicalType::Date => (Some("string"), Some("date")),
        LogicalType::Timestamp => (Some("string"), Some("date-time")),
        LogicalType::Time => (Some("string"), Some("time")),
        LogicalType::Any => (None, None),
    };
    match type_name {
        Some(name) if field.nullable => drop(written.insert("type".into(), json!([name, "null"]))),
        Some(name) => drop(written.insert("type".into(), name.into())),
        None if !field.nullable => drop(written.insert("not".into(), json!({"type": "null"}))),
        None => {}
    }
    if field.logical_type.is_ordered() && !field.logical_type.is_numeric() && field.format.is_some() {
        // Values of another form would break the format of the schema.
        notices.column(&field.name, "JSON Schema has no other form of dates and times than that of RFC 3339");
    } else if let Some(format) = format {
        written.insert("format".into(), format.into());
        notices.column(&field.name, format!("many validators check `format: {format}` only when told to"));
    }
    if field.logical_type == LogicalType::Text && field.format.is_some() && format.is_none() {
        notices.column(&field.name, "JSON Schema has no such form of text");
    }
    for (key, value) in [("title", &field.title), ("description", &field.description)] {
        if let Some(value) = value {
            written.insert(key.into(), value.clone().into());
        }
    }
    if let Some(pattern) = &field.pattern {
        written.insert("pattern".into(), anchored(pattern).into());
    }
    for (length, key) in [(field.min_length, "minLength"), (field.max_length, "maxLength")] {
        if let Some(length) = length {
            written.insert(key.into(), length.into());
        }
    }
    let numeric = field.logical_type.is_numeric();
    let plain_number = field.decimal_char.is_none() && field.group_char.is_none() && !field.decorated;
    for (limit, inclusive, exclusive) in
        [(&field.minimum, "minimum", "exclusiveMinimum"), (&field.maximum, "maximum", "exclusiveMaximum")]
    {
        let Some(limit) = limit else { continue };
        match number_or_text(&limit.value, numeric && plain_number) {
            value @ Value::Number(_) => {
                written.insert(if limit.exclusive { exclusive } else { inclusive }.into(), value);
            }
            _ => notices.column(&field.name, "JSON Schema has limits for numbers only"),
        }
    }
    let boolean = field.logical_type == LogicalType::Boolean;
    let value = |text: &String| match text.as_str() {
        "true" | "false" if boolean => Value::Bool(text == "true"),
        text => number_or_text(text, numeric && plain_number),
    };
    if !field.enumeration.is_empty() {
        let mut values: Vec<Value> = field.enumeration.iter().map(value).collect();
        if field.nullable {
            values.push(Value::Null);
        }
        written.insert("enum".into(), values.into());
    }
    if !field.examples.is_empty() {
        written.insert("examples".into(), field.examples.iter().map(value).collect());
    }
    for (there, what) in [
        (field.unique, "uniqueness of a column"),
        (field.classification.is_some(), "classification"),
        (!field.true_values.is_empty() || !field.false_values.is_empty(), "words for true and false"),
        (!plain_number, "other signs in numbers"),
    ] {
        if there {
            notices.column(&field.name, format!("JSON Schema has no {what}"));
        }
    }
    Value::Object(written)
}

pub(super) fn read(document: &Value, notices: &mut Notices) -> Result<Contract, ContractError> {
    let problem = |problem: &str| ContractError::Document { format: FORMAT, problem: problem.to_owned() };
    let (row, array) = match document.get("items") {
        Some(items) if document.get("properties").is_none() => (resolved(document, items), true),
        _ => (resolved(document, document), false),
    };
    let none = Map::new();
    let properties = match row.get("properties").and_then(Value::as_object) {
        Some(properties) => properties,
        None if row.get("required").is_some_and(Value::is_array) => &none,
        None => return Err(problem("it describes no object with `properties`, nor an array of them")),
    };
    let title = text_of(document, "title").or_else(|| text_of(row, "title"));
    let identity = text_of(document, "$id").and_then(|id| {
        id.trim_end_matches('/').rsplit('/').next().map(|name| name.trim_end_matches(".json").to_owned())
    });
    let mut contract = Contract {
        description: text_of(document, "description").or_else(|| text_of(row, "description")),
        extra_columns: row.get("additionalProperties").and_then(Value::as_bool).unwrap_or(true),
        ..Contract::new(identity.or_else(|| title.clone()).unwrap_or_else(|| "rows".to_owned()))
    };
    contract.title = title.filter(|title| *title != contract.name);
    if array {
        contract.rows.min = document.get("minItems").and_then(Value::as_u64);
        contract.rows.max = document.get("maxItems").and_then(Value::as_u64);
    }
    let required: Vec<&str> =
        row.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, property) in properties {
        let property = resolved(document, property);
        let mut field = read_field(name, document, property, notices);
        field.required = required.contains(&name.as_str());
        contract.fields.push(extension::apply(field, property.get(extension::KEY)));
    }
    // A column may be asked for without a word on its values.
    for name in required.iter().filter(|name| !properties.contains_key(**name)) {
        if contract.field(name).is_none() {
            contract.fields.push(Field::new(*name, LogicalType::Any));
        }
    }
    for keyword in ROW_KEYWORDS {
        if row.get(keyword).is_some() {
            notices.table(format!("`{keyword}` is not taken over"));
        }
    }
    if row.get("additionalProperties").is_some_and(Value::is_object) {
        notices.table("What `additionalProperties` asks of further columns is not taken over");
    }
    Ok(extension::apply(contract, document.get(extension::KEY)))
}

/// Follows references within the document, at most a few deep.
fn resolved<'a>(document: &'a Value, mut value: &'a Value) -> &'a Value {
    for _ in 0..8 {
        let Some(target) = value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'))
        else {
            break;
        };
        match document.pointer(target) {
            Some(found) => value = found,
            None => break,
        }
    }
    value
}

fn read_field(name: &str, document: &Value, property: &Value, notices: &mut Notices) -> Field {
    let mut types: Vec<&str> = type_names(property);
    let mut body = property;
    // The other usual way of writing a value that may be missing.
    for keyword in ["anyOf", "oneOf"] {
        if let Some(choices) = property.get(keyword).and_then(Value::as_array) {
            let choices: Vec<&Value> = choices.iter().map(|choice| resolved(document, choice)).collect();
            types.extend(choices.iter().flat_map(|choice| type_names(choice)));
            let mut others = choices.iter().filter(|choice| type_names(choice) != ["null"]);
            match (others.next(), others.next()) {
                (Some(only), None) => body = only,
                _ => notices.column(name, format!("`{keyword}` is not taken over")),
            }
        }
    }
    let format = text_of(body, "format");
    let values: Vec<&str> = types.iter().copied().filter(|name| *name != "null").collect();
    let logical_type = match (values.as_slice(), format.as_deref()) {
        (["string"], Some("date")) => LogicalType::Date,
        (["string"], Some("date-time")) => LogicalType::Timestamp,
        (["string"], Some("time")) => LogicalType::Time,
        (["string"], _) => LogicalType::Text,
        (["integer"], _) => LogicalType::Integer,
        (["number"] | ["integer", "number"] | ["number", "integer"], _) => LogicalType::Number,
        (["boolean"], _) => LogicalType::Boolean,
        ([], _) => LogicalType::Any,
        (other, _) => {
            notices.column(name, format!("values of type `{}` are taken as they are", other.join("` or `")));
            LogicalType::Any
        }
    };
    let mut field = Field { ..Field::new(name, logical_type) };
    let forbids_null = property.get("not") == Some(&json!({"type": "null"}));
    field.nullable = types.contains(&"null") || types.is_empty() && !forbids_null;
    field.title = text_of(property, "title");
    field.description = text_of(property, "description");
    if logical_type == LogicalType::Text
        && let Some(format) = format
    {
        match format.as_str() {
            "email" | "uri" | "uuid" => field.format = Some(format),
            "idn-email" => field.format = Some("email".to_owned()),
            other => notices.column(name, format!("the form `{other}` is not checked")),
        }
    }
    if logical_type == LogicalType::Text {
        field.pattern = text_of(body, "pattern").map(|pattern| unanchored(&pattern));
        field.min_length = body.get("minLength").and_then(Value::as_u64);
        field.max_length = body.get("maxLength").and_then(Value::as_u64);
    }
    if logical_type.is_numeric() {
        for (key, exclusive) in [("minimum", false), ("exclusiveMinimum", true)] {
            if let Some(value) = body.get(key).and_then(lexical) {
                field.minimum = Some(Limit { value, exclusive });
            }
        }
        for (key, exclusive) in [("maximum", false), ("exclusiveMaximum", true)] {
            if let Some(value) = body.get(key).and_then(lexical) {
                field.maximum = Some(Limit { value, exclusive });
            }
        }
    }
    let allowed =
        body.get("enum").and_then(Value::as_array).cloned().or_else(|| Some(vec![body.get("const")?.clone()]));
    if let Some(allowed) = allowed {
        field.nullable &= allowed.iter().any(Value::is_null);
        field.enumeration = allowed.iter().filter_map(lexical).collect();
    }
    if let Some(examples) = property.get("examples").and_then(Value::as_array) {
        field.examples = examples.iter().filter_map(lexical).collect();
    }
    for keyword in ["multipleOf", "contentEncoding", "contentMediaType", "allOf", "if"] {
        if body.get(keyword).is_some() {
            notices.column(name, format!("`{keyword}` is not taken over"));
        }
    }
    if property.get("not").is_some_and(|not| *not != json!({"type": "null"})) {
        notices.column(name, "`not` is not taken over");
    }
    field
}

fn type_names(property: &Value) -> Vec<&str> {
    match property.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
