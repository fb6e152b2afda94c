//! Open Data Contract Standard 3.

use serde_json::{Map, Value, json};

use super::{Notices, anchored, extension, lexical, number_or_text, text_of, texts_of, unanchored};
use crate::contract::error::ContractError;
use crate::contract::model::{Contract, Field, ForeignKey, Freshness, Limit, LogicalType, Reference, RowCount};

const FORMAT: &str = "Open Data Contract Standard";
const API_VERSION: &str = "v3.1.0";

pub(super) fn write(contract: &Contract, notices: &mut Notices) -> Value {
    let mut document = plain(contract, notices);
    let read_back = read(&document, &mut Notices::default()).unwrap_or_default();
    if let Some(extension) = extension::of_contract(contract, &read_back) {
        document["customProperties"] = json!([{"property": extension::KEY, "value": extension}]);
    }
    for (position, field) in contract.fields.iter().enumerate() {
        if let Some(extension) = extension::of_field(field, read_back.field(&field.name)) {
            document["schema"][0]["properties"][position]["customProperties"] =
                json!([{"property": extension::KEY, "value": extension}]);
        }
    }
    document
}

fn plain(contract: &Contract, notices: &mut Notices) -> Value {
    let mut table = Map::new();
    table.insert("name".into(), contract.name.clone().into());
    table.insert("logicalType".into(), "object".into());
    table.insert("physicalType".into(), "table".into());
    if let Some(title) = &contract.title {
        table.insert("businessName".into(), title.clone().into());
    }
    if let Some(description) = &contract.description {
        table.insert("description".into(), description.clone().into());
    }
    table.insert(
        "properties".into(),
        contract.fields.iter().map(|field| write_field(contract, field, notices)).collect(),
    );
    let mut quality = Vec::new();
    for key in &contract.unique_keys {
        quality.push(
            json!({"type": "library", "metric": "duplicateValues", "arguments": {"properties": key}, "mustBe": 0}),
        );
    }
    match contract.rows {
        RowCount { min: None, max: None } => {}
        RowCount { min: Some(min), max: Some(max) } if min == max => {
            quality.push(json!({"type": "library", "metric": "rowCount", "mustBe": min}));
        }
        RowCount { min: Some(min), max: Some(max) } => {
            quality.push(json!({"type": "library", "metric": "rowCount", "mustBeBetween": [min, max]}));
        }
        RowCount { min: Some(min), .. } => {
            quality.push(json!({"type": "library", "metric": "rowCount", "mustBeGreaterOrEqualTo": min}));
        }
        RowCount { max: Some(max), .. } => {
            quality.push(json!({"type": "library", "metric": "rowCount", "mustBeLessOrEqualTo": max}));
        }
    }
    if !quality.is_empty() {
        table.insert("quality".into(), quality.into());
    }
    let relationships: Vec<Value> =
        contract.foreign_keys.iter().filter_map(|key| write_foreign_key(contract, key, notices)).collect();
    if !relationships.is_empty() {
        table.insert("relationships".into(), relationships.into());
    }

    let mut document = Map::new();
    document.insert("apiVersion".into(), API_VERSION.into());
    document.insert("kind".into(), "DataContract".into());
    document.insert("id".into(), contract.name.clone().into());
    document.insert("name".into(), contract.name.clone().into());
    document.insert("version".into(), contract.version.clone().into());
    document.insert("status".into(), "active".into());
    if let Some(owner) = &contract.owner {
        document.insert("team".into(), json!({"name": owner}));
    }
    document.insert("schema".into(), json!([table]));
    if let Some(freshness) = &contract.freshness {
        document.insert(
            "slaProperties".into(),
            json!([{
                "property": "latency",
                "value": freshness.max_age_days,
                "unit": "d",
                "element": format!("{}.{}", contract.name, freshness.column),
            }]),
        );
    }
    if !contract.extra_columns || contract.ordered {
        notices.table("The standard does not say which further columns may be there, nor in which order they come");
    }
    if contract.missing_values != [""] {
        notices.table("The standard has no values that mean no value for all columns");
    }
    Value::Object(document)
}

fn write_field(contract: &Contract, field: &Field, notices: &mut Notices) -> Value {
    let mut written = Map::new();
    written.insert("name".into(), field.name.clone().into());
    if let Some(title) = &field.title {
        written.insert("businessName".into(), title.clone().into());
    }
    let logical = match field.logical_type {
        LogicalType::Text => "string",
        LogicalType::Any => {
            notices.column(&field.name, "the standard has no type for anything, so that it says text");
            "string"
        }
        other => other.name(),
    };
    written.insert("logicalType".into(), logical.into());
    if let Some(description) = &field.description {
        written.insert("description".into(), description.clone().into());
    }
    if !field.nullable {
        written.insert("required".into(), true.into());
    }
    if field.unique {
        written.insert("unique".into(), true.into());
    }
    if let Some(position) = contract.primary_key.iter().position(|name| *name == field.name) {
        written.insert("primaryKey".into(), true.into());
        written.insert("primaryKeyPosition".into(), (position + 1).into());
    }
    if let Some(classification) = &field.classification {
        written.insert("classification".into(), classification.clone().into());
    }
    let options = write_options(field, notices);
    if !options.is_empty() {
        written.insert("logicalTypeOptions".into(), options.into());
    }
    let numeric = field.logical_type.is_numeric();
    if !field.examples.is_empty() {
        written.insert("examples".into(), field.examples.iter().map(|value| number_or_text(value, numeric)).collect());
    }
    if !field.enumeration.is_empty() {
        let values: Vec<Value> = field.enumeration.iter().map(|value| number_or_text(value, numeric)).collect();
        written.insert(
            "quality".into(),
            json!([{"type": "library", "metric": "invalidValues", "arguments": {"validValues": values}, "mustBe": 0}]),
        );
    }
    if !contract.requires(field) {
        notices.column(&field.name, "the standard does not say that a column itself may be missing");
    }
    if !field.true_values.is_empty() || !field.false_values.is_empty() {
        notices.column(&field.name, "the standard has no words for true and false");
    }
    if field.decimal_char.is_some() || field.group_char.is_some() || field.decorated {
        notices.column(&field.name, "the standard has no other signs in numbers");
    }
    Value::Object(written)
}

fn write_options(field: &Field, notices: &mut Notices) -> Map<String, Value> {
    let mut options = Map::new();
    match field.logical_type {
        LogicalType::Text => {
            if let Some(format) = &field.format {
                options.insert("format".into(), format.clone().into());
            }
        }
        LogicalType::Date | LogicalType::Timestamp | LogicalType::Time => {
            if let Some(format) = &field.format {
                match to_letters(format) {
                    Some(letters) => drop(options.insert("format".into(), letters.into())),
                    None => notices.column(&field.name, format!("the standard cannot write the form `{format}`")),
                }
            }
        }
        _ => {}
    }
    if let Some(pattern) = &field.pattern {
        options.insert("pattern".into(), anchored(pattern).into());
    }
    for (length, key) in [(field.min_length, "minLength"), (field.max_length, "maxLength")] {
        if let Some(length) = length {
            options.insert(key.into(), length.into());
        }
    }
    let numeric = field.logical_type.is_numeric();
    for (limit, inclusive, exclusive) in
        [(&field.minimum, "minimum", "exclusiveMinimum"), (&field.maximum, "maximum", "exclusiveMaximum")]
    {
        let Some(limit) = limit else { continue };
        let value = number_or_text(&limit.value, numeric);
        if numeric && !value.is_number() {
            notices.column(&field.name, "a limit cannot be written as a number");
        } else {
            options.insert(if limit.exclusive { exclusive } else { inclusive }.into(), value);
        }
    }
    options
}

/// Patterns of `strftime` and of Java's `DateTimeFormatter`, which the standard uses.
const LETTERS: &[(&str, &str)] = &[
    ("%Y", "yyyy"),
    ("%y", "yy"),
    ("%m", "MM"),
    ("%d", "dd"),
    ("%H", "HH"),
    ("%I", "hh"),
    ("%M", "mm"),
    ("%S", "ss"),
    ("%B", "MMMM"),
    ("%b", "MMM"),
    ("%p", "a"),
];

fn to_letters(pattern: &str) -> Option<String> {
    let mut letters = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if first == '%' {
            let (from, to) = LETTERS.iter().find(|(from, _)| rest.starts_with(from))?;
            letters.push_str(to);
            rest = &rest[from.len()..];
        } else {
            if first.is_alphabetic() || first == '\'' {
                return None;
            }
            letters.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Some(letters)
}

fn from_letters(letters: &str) -> Option<String> {
    let mut pattern = String::new();
    let mut rest = letters;
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_alphabetic() {
            let run = rest.len() - rest.trim_start_matches(first).len();
            let (from, _) = LETTERS.iter().find(|(_, to)| to.len() == run && rest.starts_with(to))?;
            pattern.push_str(from);
            rest = &rest[run..];
        } else {
            if first == '\'' {
                return None;
            }
            pattern.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Some(pattern)
}

/// Names that the standard's short references can hold.
fn is_short(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn write_foreign_key(contract: &Contract, key: &ForeignKey, notices: &mut Notices) -> Option<Value> {
    let target = match (&key.reference.file, &key.reference.dataset) {
        (Some(_), _) => None,
        (None, dataset) => Some(dataset.as_deref().unwrap_or(&contract.name)),
    };
    let target = target.filter(|target| {
        is_short(target)
            && is_short(&contract.name)
            && key.fields.iter().chain(&key.reference.fields).all(|name| is_short(name))
    });
    let Some(target) = target else {
        notices.table(format!(
            "The standard cannot name both sides of the foreign key over `{}`",
            key.fields.join("`, `")
        ));
        return None;
    };
    let side = |table: &str, fields: &[String]| -> Value {
        let names: Vec<String> = fields.iter().map(|field| format!("{table}.{field}")).collect();
        if let [only] = names.as_slice() { only.clone().into() } else { json!(names) }
    };
    Some(
        json!({"type": "foreignKey", "from": side(&contract.name, &key.fields), "to": side(target, &key.reference.fields)}),
    )
}

pub(super) fn read(document: &Value, notices: &mut Notices) -> Result<Contract, ContractError> {
    let problem = |problem: String| ContractError::Document { format: FORMAT, problem };
    let api = text_of(document, "apiVersion").unwrap_or_default();
    if !api.trim_start_matches('v').starts_with('3') {
        return Err(problem(format!("its version is `{api}`, and 3 is read")));
    }
    let tables = document.get("schema").and_then(Value::as_array).filter(|tables| !tables.is_empty());
    let tables = tables.ok_or_else(|| problem("it has no `schema`".to_owned()))?;
    let table = &tables[0];
    let name = text_of(table, "name").ok_or_else(|| problem("its first table has no name".to_owned()))?;
    if tables.len() > 1 {
        notices.table(format!("The contract has {} tables; `{name}` is read", tables.len()));
    }
    let team = document.get("team");
    let mut contract = Contract {
        version: text_of(document, "version").unwrap_or_else(|| "1.0.0".to_owned()),
        title: text_of(table, "businessName"),
        description: text_of(table, "description")
            .or_else(|| document.get("description").and_then(|description| text_of(description, "purpose"))),
        owner: team.and_then(|team| text_of(team, "name")).or_else(|| text_of(document, "tenant")),
        ..Contract::new(&name)
    };
    let mut key: Vec<(u64, String)> = Vec::new();
    let properties = table.get("properties").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (position, property) in properties.iter().enumerate() {
        let field = read_field(property, notices)
            .ok_or_else(|| problem(format!("property {} of `{name}` has no name", position + 1)))?;
        if property.get("primaryKey").and_then(Value::as_bool) == Some(true) {
            let place = property.get("primaryKeyPosition").and_then(Value::as_u64).unwrap_or(u64::MAX);
            key.push((place, field.name.clone()));
        }
        for relationship in property.get("relationships").and_then(Value::as_array).into_iter().flatten() {
            contract.foreign_keys.extend(read_foreign_key(&name, std::slice::from_ref(&field.name), relationship));
        }
        contract.fields.push(field);
    }
    key.sort_by_key(|(place, _)| *place);
    contract.primary_key = key.into_iter().map(|(_, name)| name).collect();
    for relationship in table.get("relationships").and_then(Value::as_array).into_iter().flatten() {
        let from: Vec<String> =
            texts_of(relationship.get("from")).iter().map(|side| column_of(side).to_owned()).collect();
        contract.foreign_keys.extend(read_foreign_key(&name, &from, relationship));
    }
    for check in table.get("quality").and_then(Value::as_array).into_iter().flatten() {
        read_table_check(check, &mut contract, notices);
    }
    for promise in document.get("slaProperties").and_then(Value::as_array).into_iter().flatten() {
        read_promise(promise, &mut contract, notices);
    }
    for (field, property) in contract.fields.iter_mut().zip(properties) {
        *field = extension::apply(std::mem::take(field), custom(property));
    }
    Ok(extension::apply(contract, custom(document)))
}

fn custom(value: &Value) -> Option<&Value> {
    value
        .get("customProperties")?
        .as_array()?
        .iter()
        .find(|property| property.get("property").and_then(Value::as_str) == Some(extension::KEY))?
        .get("value")
}

fn read_field(property: &Value, notices: &mut Notices) -> Option<Field> {
    let name = text_of(property, "name")?;
    let logical_type = match text_of(property, "logicalType").as_deref() {
        Some("string") => LogicalType::Text,
        Some("integer") => LogicalType::Integer,
        Some("number") => LogicalType::Number,
        Some("boolean") => LogicalType::Boolean,
        Some("date") => LogicalType::Date,
        Some("timestamp") => LogicalType::Timestamp,
        Some("time") => LogicalType::Time,
        None => LogicalType::Any,
        Some(other) => {
            notices.column(&name, format!("values of type `{other}` are taken as they are"));
            LogicalType::Any
        }
    };
    let truth = |key: &str| property.get(key).and_then(Value::as_bool).unwrap_or(false);
    let mut field = Field {
        title: text_of(property, "businessName"),
        description: text_of(property, "description"),
        classification: text_of(property, "classification"),
        nullable: !truth("required"),
        unique: truth("unique"),
        ..Field::new(&name, logical_type)
    };
    if let Some(options) = property.get("logicalTypeOptions") {
        read_options(options, &mut field, notices);
    }
    let lexicals = |value: Option<&Value>| -> Vec<String> {
        value.and_then(Value::as_array).map(|values| values.iter().filter_map(lexical).collect()).unwrap_or_default()
    };
    field.examples = lexicals(property.get("examples"));
    if let Some(values) = property.get("enum").and_then(Value::as_array) {
        field.enumeration = values.iter().filter_map(|value| value.get("value").and_then(lexical)).collect();
    }
    for check in property.get("quality").and_then(Value::as_array).into_iter().flatten() {
        let none = check.get("mustBe").and_then(Value::as_f64) == Some(0.0);
        match text_of(check, "metric").as_deref() {
            Some("invalidValues") if none && check["arguments"].get("validValues").is_some() => {
                field.enumeration = lexicals(check["arguments"].get("validValues"));
            }
            Some("nullValues") if none => field.nullable = false,
            Some("duplicateValues") if none => field.unique = true,
            Some(other) => notices.column(&name, format!("the check `{other}` is not taken over")),
            None => notices.column(&name, "a check that is no metric of the standard is not taken over"),
        }
    }
    Some(field)
}

fn read_options(options: &Value, field: &mut Field, notices: &mut Notices) {
    match field.logical_type {
        LogicalType::Text => {
            field.pattern = text_of(options, "pattern").map(|pattern| unanchored(&pattern));
            field.min_length = options.get("minLength").and_then(Value::as_u64);
            field.max_length = options.get("maxLength").and_then(Value::as_u64);
            match text_of(options, "format") {
                Some(format) if matches!(format.as_str(), "email" | "uri" | "uuid" | "binary" | "phone") => {
                    field.format = Some(format);
                }
                Some(format) => notices.column(&field.name, format!("the form `{format}` is not checked")),
                None => {}
            }
        }
        LogicalType::Date | LogicalType::Timestamp | LogicalType::Time => {
            if let Some(letters) = text_of(options, "format") {
                field.format = from_letters(&letters)
                    .filter(|pattern| !(field.logical_type == LogicalType::Date && pattern == "%Y-%m-%d"));
                if field.format.is_none() && letters != "yyyy-MM-dd" {
                    notices.column(&field.name, format!("the form `{letters}` is not checked"));
                }
            }
        }
        _ => {}
    }
    if field.logical_type.is_ordered() {
        for (key, exclusive) in [("minimum", false), ("exclusiveMinimum", true)] {
            if let Some(value) = options.get(key).and_then(lexical) {
                field.minimum = Some(Limit { value, exclusive });
            }
        }
        for (key, exclusive) in [("maximum", false), ("exclusiveMaximum", true)] {
            if let Some(value) = options.get(key).and_then(lexical) {
                field.maximum = Some(Limit { value, exclusive });
            }
        }
    }
    if options.get("multipleOf").is_some() {
        notices.column(&field.name, "`multipleOf` is not taken over");
    }
}

fn column_of(side: &str) -> &str {
    side.rsplit(['.', '/']).next().unwrap_or(side)
}

fn read_foreign_key(table: &str, from: &[String], relationship: &Value) -> Option<ForeignKey> {
    let to = texts_of(relationship.get("to"));
    let target = to.first()?.rsplit_once(['.', '/'])?.0.rsplit(['.', '/']).next()?.to_owned();
    Some(ForeignKey {
        fields: from.to_vec(),
        reference: Reference {
            dataset: (target != table).then_some(target),
            file: None,
            fields: to.iter().map(|side| column_of(side).to_owned()).collect(),
        },
    })
}

fn read_table_check(check: &Value, contract: &mut Contract, notices: &mut Notices) {
    let number = |key: &str| check.get(key).and_then(Value::as_u64);
    match text_of(check, "metric").or_else(|| text_of(check, "rule")).as_deref() {
        Some("rowCount") => {
            let between = check.get("mustBeBetween").and_then(Value::as_array);
            let bound = |position: usize| between.and_then(|bounds| bounds.get(position)).and_then(Value::as_u64);
            let exact = number("mustBe");
            contract.rows = RowCount {
                min: exact
                    .or_else(|| bound(0))
                    .or_else(|| number("mustBeGreaterOrEqualTo"))
                    .or_else(|| number("mustBeGreaterThan").map(|count| count + 1)),
                max: exact
                    .or_else(|| bound(1))
                    .or_else(|| number("mustBeLessOrEqualTo"))
                    .or_else(|| number("mustBeLessThan").map(|count| count.saturating_sub(1))),
            };
        }
        Some("duplicateValues") if number("mustBe") == Some(0) && check["arguments"].get("properties").is_some() => {
            contract.unique_keys.push(texts_of(check["arguments"].get("properties")));
        }
        Some(other) => notices.table(format!("The check `{other}` is not taken over")),
        None => notices.table("A check that is no metric of the standard is not taken over"),
    }
}

fn read_promise(promise: &Value, contract: &mut Contract, notices: &mut Notices) {
    let property = text_of(promise, "property").unwrap_or_default();
    let element = text_of(promise, "element").unwrap_or_default();
    let column = contract
        .fields
        .iter()
        .map(|field| &field.name)
        .find(|name| element == format!("{}.{name}", contract.name) || element == **name);
    let value = promise.get("value").and_then(|value| value.as_f64().or_else(|| value.as_str()?.parse().ok()));
    let days = match (value, text_of(promise, "unit").as_deref()) {
        (Some(value), Some("d" | "day" | "days")) => Some(value),
        (Some(value), Some("h" | "hr" | "hour" | "hours")) => Some((value / 24.0).ceil()),
        (Some(value), Some("y" | "yr" | "year" | "years")) => Some(value * 365.0),
        _ => None,
    };
    match (property.as_str(), column, days) {
        ("latency" | "freshness", Some(column), Some(days)) if (0.0..=1e6).contains(&days) => {
            contract.freshness = Some(Freshness { column: column.clone(), max_age_days: days as u32 });
        }
        _ => notices.table(format!("The promise `{property}` is not taken over")),
    }
}
