//! Frictionless Table Schema, versions 1 and 2, also inside a data resource or package.

use serde_json::{Map, Value, json};

use super::{Notices, extension, has_top_alternative, is_balanced, lexical, number_or_text, text_of, texts_of};
use crate::contract::error::ContractError;
use crate::contract::model::{Contract, Field, ForeignKey, Limit, LogicalType, Reference};

const FORMAT: &str = "Frictionless Table Schema";
const PROFILE: &str = "https://datapackage.org/profiles/2.0/tableschema.json";

/// Version of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edition {
    /// Specifications of 2017.
    One,
    /// Data Package 2.0.
    Two,
}

pub(super) fn write(contract: &Contract, edition: Edition, notices: &mut Notices) -> Value {
    let mut schema = plain(contract, edition, notices);
    // What reading back loses is kept under a property of our own.
    let read_back = read(&schema, None, &mut Notices::default()).unwrap_or_default();
    if let Some(object) = schema.as_object_mut()
        && let Some(extension) = extension::of_contract(contract, &read_back)
    {
        object.insert(extension::KEY.to_owned(), extension);
    }
    for (field, written) in contract.fields.iter().zip(schema["fields"].as_array_mut().into_iter().flatten()) {
        if let Some(extension) = extension::of_field(field, read_back.field(&field.name)) {
            written[extension::KEY] = extension;
        }
    }
    schema
}

fn plain(contract: &Contract, edition: Edition, notices: &mut Notices) -> Value {
    let mut schema = Map::new();
    if edition == Edition::Two {
        schema.insert("$schema".into(), PROFILE.into());
    }
    schema.insert("name".into(), contract.name.clone().into());
    for (key, value) in [("title", &contract.title), ("description", &contract.description)] {
        if let Some(value) = value {
            schema.insert(key.into(), value.clone().into());
        }
    }
    schema.insert("version".into(), contract.version.clone().into());
    if contract.missing_values != [""] {
        schema.insert("missingValues".into(), json!(contract.missing_values));
    }
    let matching = fields_match(contract);
    match edition {
        Edition::Two if matching != "exact" => {
            schema.insert("fieldsMatch".into(), matching.into());
        }
        Edition::One if matching != "exact" => {
            notices.table("Version 1 has no `fieldsMatch`: its tools ask for exactly these columns in this order");
        }
        _ => {}
    }
    if edition == Edition::Two {
        presence_notices(contract, matching, notices);
    }
    schema.insert("fields".into(), contract.fields.iter().map(|field| write_field(field, edition, notices)).collect());
    if !contract.primary_key.is_empty() {
        schema.insert("primaryKey".into(), json!(contract.primary_key));
    }
    if !contract.unique_keys.is_empty() {
        match edition {
            Edition::Two => {
                schema.insert("uniqueKeys".into(), json!(contract.unique_keys));
                notices.table("frictionless-py 5 does not check `uniqueKeys`");
            }
            Edition::One => notices.table("Version 1 has no unique keys over several columns"),
        }
    }
    if !contract.foreign_keys.is_empty() {
        let keys: Vec<Value> = contract.foreign_keys.iter().map(write_foreign_key).collect();
        schema.insert("foreignKeys".into(), keys.into());
        notices.table("Foreign keys are checked inside a data package only, where their resources are");
    }
    if contract.freshness.is_some() {
        notices.table("A Table Schema has no freshness");
    }
    if !contract.rows.is_open() {
        notices.table("A Table Schema has no number of rows");
    }
    if contract.owner.is_some() {
        notices.table("A Table Schema has no owner");
    }
    Value::Object(schema)
}

/// Returns how the columns of the data answer to those of the schema.
fn fields_match(contract: &Contract) -> &'static str {
    let all = contract.fields.iter().all(|field| contract.requires(field));
    match (all, contract.extra_columns, contract.ordered) {
        (true, false, true) => "exact",
        (true, false, false) => "equal",
        (true, true, _) => "subset",
        (false, false, _) => "superset",
        (false, true, _) => "partial",
    }
}

fn presence_notices(contract: &Contract, matching: &str, notices: &mut Notices) {
    if contract.ordered && matching != "exact" {
        notices.table("The order of columns is asked for only where no column may be missing or added");
    }
    if matches!(matching, "superset" | "partial") {
        for field in &contract.fields {
            // There, tools take a column as asked for when its values are, or when the primary key names it.
            let asked = !field.nullable || contract.primary_key.contains(&field.name);
            if contract.requires(field) && !asked {
                notices
                    .column(&field.name, "that the column must be there is not asked for where others may be missing");
            } else if !contract.requires(field) && asked {
                notices.column(&field.name, "tools ask for the column, since its values are asked for");
            }
        }
    }
}

fn write_field(field: &Field, edition: Edition, notices: &mut Notices) -> Value {
    let mut written = Map::new();
    written.insert("name".into(), field.name.clone().into());
    let type_name = match field.logical_type {
        LogicalType::Text => "string",
        LogicalType::Timestamp => "datetime",
        LogicalType::Integer if field.format.as_deref() == Some("year") => "year",
        other => other.name(),
    };
    written.insert("type".into(), type_name.into());
    if let Some(format) = field.format.as_ref().filter(|format| type_name != "year" || *format != "year") {
        if field.logical_type == LogicalType::Text && format == "phone" {
            notices.column(&field.name, "a Table Schema has no form for telephone numbers");
        } else {
            written.insert("format".into(), format.clone().into());
        }
    }
    for (key, value) in [("title", &field.title), ("description", &field.description)] {
        if let Some(value) = value {
            written.insert(key.into(), value.clone().into());
        }
    }
    let numeric = field.logical_type.is_numeric();
    if let Some(example) = field.examples.first() {
        written.insert("example".into(), example.clone().into());
    }
    for (key, words) in [("trueValues", &field.true_values), ("falseValues", &field.false_values)] {
        if !words.is_empty() {
            written.insert(key.into(), json!(words));
        }
    }
    for (key, sign) in [("decimalChar", &field.decimal_char), ("groupChar", &field.group_char)] {
        if let Some(sign) = sign {
            written.insert(key.into(), sign.clone().into());
        }
    }
    if field.decorated && numeric {
        written.insert("bareNumber".into(), false.into());
    }
    let constraints = write_constraints(field, edition, notices);
    if !constraints.is_empty() {
        written.insert("constraints".into(), constraints.into());
    }
    if field.classification.is_some() {
        notices.column(&field.name, "a Table Schema has no classification");
    }
    Value::Object(written)
}

fn write_constraints(field: &Field, edition: Edition, notices: &mut Notices) -> Map<String, Value> {
    let mut constraints = Map::new();
    if !field.nullable {
        constraints.insert("required".into(), true.into());
    }
    if field.unique {
        constraints.insert("unique".into(), true.into());
    }
    if let Some(pattern) = &field.pattern {
        // frictionless-py puts the anchors around the text, so that an alternative needs a group.
        let grouped = if has_top_alternative(pattern) { format!("(?:{pattern})") } else { pattern.clone() };
        constraints.insert("pattern".into(), grouped.into());
    }
    let numeric = field.logical_type.is_numeric();
    for (limit, inclusive, exclusive) in
        [(&field.minimum, "minimum", "exclusiveMinimum"), (&field.maximum, "maximum", "exclusiveMaximum")]
    {
        let Some(limit) = limit else { continue };
        let value = number_or_text(&limit.value, numeric);
        match (limit.exclusive, edition) {
            (false, _) => drop(constraints.insert(inclusive.into(), value)),
            (true, Edition::Two) => drop(constraints.insert(exclusive.into(), value)),
            (true, Edition::One) => {
                drop(constraints.insert(inclusive.into(), value));
                notices.column(
                    &field.name,
                    format!("version 1 has no limits that are themselves outside, `{inclusive}` lets it in"),
                );
            }
        }
    }
    for (length, key) in [(field.min_length, "minLength"), (field.max_length, "maxLength")] {
        if let Some(length) = length {
            constraints.insert(key.into(), length.into());
        }
    }
    if !field.enumeration.is_empty() {
        let values: Vec<Value> = field.enumeration.iter().map(|value| number_or_text(value, numeric)).collect();
        constraints.insert("enum".into(), values.into());
    }
    constraints
}

fn write_foreign_key(key: &ForeignKey) -> Value {
    json!({
        "fields": key.fields,
        "reference": {
            "resource": key.reference.dataset.clone().or_else(|| key.reference.file.clone()).unwrap_or_default(),
            "fields": key.reference.fields,
        },
    })
}

pub(super) fn read(document: &Value, file: Option<&str>, notices: &mut Notices) -> Result<Contract, ContractError> {
    let problem = |problem: String| ContractError::Document { format: FORMAT, problem };
    let (schema, outer) =
        find_schema(document, file, notices).ok_or_else(|| problem("it has no `fields`".to_owned()))?;
    let fields = schema["fields"].as_array().ok_or_else(|| problem("`fields` is no list".to_owned()))?;
    let name = text_of(schema, "name").or_else(|| outer.and_then(|outer| text_of(outer, "name")));
    let mut contract = Contract {
        title: text_of(schema, "title").or_else(|| outer.and_then(|outer| text_of(outer, "title"))),
        description: text_of(schema, "description").or_else(|| outer.and_then(|outer| text_of(outer, "description"))),
        ..Contract::new(name.unwrap_or_else(|| "table".to_owned()))
    };
    if let Some(version) = text_of(schema, "version") {
        contract.version = version;
    }
    if let Some(values) = schema.get("missingValues").and_then(Value::as_array) {
        contract.missing_values = values
            .iter()
            .filter_map(|value| value.as_str().or_else(|| value.get("value").and_then(Value::as_str)))
            .map(str::to_owned)
            .collect();
    }
    for (position, field) in fields.iter().enumerate() {
        contract.fields.push(read_field(field, position, notices).map_err(problem)?);
    }
    contract.primary_key = texts_of(schema.get("primaryKey"));
    contract.unique_keys = schema
        .get("uniqueKeys")
        .and_then(Value::as_array)
        .map(|keys| keys.iter().map(|key| texts_of(Some(key))).collect())
        .unwrap_or_default();
    for key in schema.get("foreignKeys").and_then(Value::as_array).into_iter().flatten() {
        let reference = key.get("reference").cloned().unwrap_or_default();
        contract.foreign_keys.push(ForeignKey {
            fields: texts_of(key.get("fields")),
            reference: Reference {
                file: text_of(&reference, "resource").and_then(|name| resource_path(document, &name)),
                dataset: text_of(&reference, "resource"),
                fields: texts_of(reference.get("fields")),
            },
        });
    }
    read_presence(schema, &mut contract).map_err(problem)?;
    for (field, written) in contract.fields.iter_mut().zip(fields) {
        *field = extension::apply(std::mem::take(field), written.get(extension::KEY));
    }
    Ok(extension::apply(contract, schema.get(extension::KEY)))
}

/// Finds the schema in a resource or package, with the resource around it.
fn find_schema<'a>(
    document: &'a Value,
    file: Option<&str>,
    notices: &mut Notices,
) -> Option<(&'a Value, Option<&'a Value>)> {
    if document.get("fields").is_some() {
        return Some((document, None));
    }
    let has_fields = |resource: &Value| resource.get("schema").is_some_and(|schema| schema.get("fields").is_some());
    if has_fields(document) {
        return Some((&document["schema"], Some(document)));
    }
    let resources = document.get("resources")?.as_array()?;
    let base = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned();
    let of_file = file.and_then(|file| {
        let is_of = |resource: &&Value| text_of(resource, "path").is_some_and(|path| base(&path) == base(file));
        resources.iter().filter(|resource| has_fields(resource)).find(is_of)
    });
    let first = of_file.or_else(|| resources.iter().find(|resource| has_fields(resource)))?;
    if resources.len() > 1 && of_file.is_none() {
        notices.table(format!(
            "The package has {} resources; `{}` is read",
            resources.len(),
            text_of(first, "name").unwrap_or_default()
        ));
    }
    Some((&first["schema"], Some(first)))
}

/// Returns the file of a resource of the package, beside the package.
fn resource_path(document: &Value, name: &str) -> Option<String> {
    let resources = document.get("resources")?.as_array()?;
    let resource = resources.iter().find(|resource| text_of(resource, "name").as_deref() == Some(name))?;
    text_of(resource, "path").filter(|path| !path.contains("://"))
}

fn read_presence(schema: &Value, contract: &mut Contract) -> Result<(), String> {
    let matching = text_of(schema, "fieldsMatch").unwrap_or_else(|| "exact".to_owned());
    let (all, extra, ordered) = match matching.as_str() {
        "exact" => (true, false, true),
        "equal" => (true, false, false),
        "subset" => (true, true, false),
        "superset" => (false, false, false),
        "partial" => (false, true, false),
        other => return Err(format!("unknown `fieldsMatch`: `{other}`")),
    };
    (contract.extra_columns, contract.ordered) = (extra, ordered);
    let key = contract.primary_key.clone();
    for field in &mut contract.fields {
        field.required = all || !field.nullable || key.contains(&field.name);
    }
    Ok(())
}

/// The types that a field may have.
const TYPES: &[&str] = &[
    "string",
    "integer",
    "year",
    "number",
    "boolean",
    "date",
    "datetime",
    "time",
    "any",
    "yearmonth",
    "duration",
    "geopoint",
    "geojson",
    "object",
    "array",
    "list",
];

fn read_field(field: &Value, position: usize, notices: &mut Notices) -> Result<Field, String> {
    // A field may be written as its name alone.
    let name = text_of(field, "name")
        .or_else(|| field.as_str().map(str::to_owned))
        .ok_or_else(|| format!("field {} has no name", position + 1))?;
    let type_name = text_of(field, "type").unwrap_or_else(|| "string".to_owned());
    let logical_type = match type_name.as_str() {
        "string" => LogicalType::Text,
        "integer" | "year" => LogicalType::Integer,
        "number" => LogicalType::Number,
        "boolean" => LogicalType::Boolean,
        "date" => LogicalType::Date,
        "datetime" => LogicalType::Timestamp,
        "time" => LogicalType::Time,
        "any" => LogicalType::Any,
        other @ ("yearmonth" | "duration" | "geopoint" | "geojson" | "object" | "array" | "list") => {
            notices.column(&name, format!("values of type `{other}` are taken as they are"));
            LogicalType::Any
        }
        other => {
            let near = hotpass_core::nearest(other, TYPES.iter().copied());
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(format!("unknown type `{other}` of field `{name}`{hint}"));
        }
    };
    let mut read = Field {
        format: text_of(field, "format").filter(|format| format != "default"),
        title: text_of(field, "title"),
        description: text_of(field, "description"),
        true_values: texts_of(field.get("trueValues")),
        false_values: texts_of(field.get("falseValues")),
        decimal_char: text_of(field, "decimalChar"),
        group_char: text_of(field, "groupChar"),
        decorated: field.get("bareNumber").and_then(Value::as_bool) == Some(false),
        ..Field::new(&name, logical_type)
    };
    if let Some(format) = read.format.take_if(|format| !known_format(logical_type, format)) {
        notices.column(&name, format!("the form `{format}` is not checked"));
    }
    if let Some(format) = &mut read.format
        && let Some(pattern) = format.strip_prefix("fmt:")
    {
        *format = pattern.to_owned();
    }
    if type_name == "year" {
        read.format = Some("year".to_owned());
    }
    read.examples = field
        .get("examples")
        .and_then(Value::as_array)
        .map(|values| values.iter().filter_map(lexical).collect())
        .or_else(|| Some(vec![lexical(field.get("example")?)?]))
        .unwrap_or_default();
    if let Some(constraints) = field.get("constraints") {
        read_constraints(constraints, &mut read, notices);
    }
    Ok(read)
}

fn known_format(logical_type: LogicalType, format: &str) -> bool {
    match logical_type {
        LogicalType::Text => matches!(format, "email" | "uri" | "uuid" | "binary"),
        LogicalType::Date | LogicalType::Timestamp | LogicalType::Time => true,
        _ => false,
    }
}

fn read_constraints(constraints: &Value, field: &mut Field, notices: &mut Notices) {
    let truth = |key: &str| constraints.get(key).and_then(Value::as_bool).unwrap_or(false);
    field.nullable = !truth("required");
    field.unique = truth("unique");
    if let Some(pattern) = text_of(constraints, "pattern") {
        field.pattern = Some(ungrouped(&pattern).to_owned());
    }
    for (key, exclusive) in [("minimum", false), ("exclusiveMinimum", true)] {
        if let Some(value) = constraints.get(key).and_then(lexical) {
            field.minimum = Some(Limit { value, exclusive });
        }
    }
    for (key, exclusive) in [("maximum", false), ("exclusiveMaximum", true)] {
        if let Some(value) = constraints.get(key).and_then(lexical) {
            field.maximum = Some(Limit { value, exclusive });
        }
    }
    field.min_length = constraints.get("minLength").and_then(Value::as_u64);
    field.max_length = constraints.get("maxLength").and_then(Value::as_u64);
    field.enumeration = constraints
        .get("enum")
        .and_then(Value::as_array)
        .map(|values| values.iter().filter_map(lexical).collect())
        .unwrap_or_default();
    // frictionless-py does not check what a type has no use for either.
    if field.logical_type != LogicalType::Text {
        for (key, there) in [
            ("pattern", field.pattern.take().is_some()),
            ("minLength", field.min_length.take().is_some()),
            ("maxLength", field.max_length.take().is_some()),
        ] {
            if there {
                notices.column(&field.name, format!("`{key}` holds for text only and is left out"));
            }
        }
    }
    if !field.logical_type.is_ordered() && (field.minimum.take().is_some() | field.maximum.take().is_some()) {
        notices.column(&field.name, "limits hold for numbers and dates only and are left out");
    }
}

/// Takes off the group that [`write_constraints`] puts around alternatives.
fn ungrouped(pattern: &str) -> &str {
    match pattern.strip_prefix("(?:").and_then(|rest| rest.strip_suffix(')')) {
        // `(?:a)|(?:b)` begins and ends like a group and is none.
        Some(inner) if has_top_alternative(inner) && is_balanced(inner) => inner,
        _ => pattern,
    }
}
