//! The JSON Schema of the configuration, and the reference page that is written from it.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::model::HotpassConfig;
use crate::overlay::appending_keys;
use crate::path::join;
use crate::shape::{Layered, Rule, Shape};

/// Returns the JSON Schema (draft 2020-12) of a configuration file, with descriptions and defaults.
///
/// `x-hotpass-merge` says of a list whether a layer's values are put after the inherited ones (`append`)
/// or take their place (`replace`).
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(HotpassConfig).to_value();
    schema["$id"] = json!("https://hotpass.dev/schemas/hotpass-config.schema.json");
    schema["title"] = json!("Hotpass configuration");
    let mut definitions = schema.get("$defs").cloned().unwrap_or_default();
    annotate(&mut schema, HotpassConfig::SHAPE, &mut definitions);
    schema["$defs"] = definitions;
    schema
}

/// Adds what the table of sections knows and the types do not say.
fn annotate(schema: &mut Value, shape: &'static Shape, definitions: &mut Value) {
    for field in shape.bare().fields() {
        let Some(property) = schema.get_mut("properties").and_then(|all| all.get_mut(field.name)) else { continue };
        if let Shape::List(item) = field.shape {
            property["x-hotpass-merge"] = json!(if field.rule == Rule::Append { "append" } else { "replace" });
            annotate_definition(property.get("items").and_then(reference), item, definitions);
        }
        let name = reference(property).map(str::to_owned);
        annotate_definition(name.as_deref(), field.shape, definitions);
    }
    let required: Vec<&str> =
        shape.bare().fields().iter().filter(|field| field.rule == Rule::Required).map(|field| field.name).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
}

fn annotate_definition(name: Option<&str>, shape: &'static Shape, definitions: &mut Value) {
    let Some(mut definition) = name.and_then(|name| definitions.get(name).cloned()) else { return };
    annotate(&mut definition, shape, definitions);
    if let Some(name) = name {
        definitions[name] = definition;
    }
}

/// Returns the name of the definition that a schema refers to.
fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.rsplit('/').next())
}

/// Returns the reference of every key as a page of Markdown.
pub fn reference_markdown() -> String {
    let schema = json_schema();
    let defaults = serde_json::to_value(HotpassConfig::default()).unwrap_or_default();
    let mut page = String::from(
        "# Configuration\n\n\
         Layers, later wins: built-in defaults, the profile, configuration files in order, environment variables, \
         flags. A file is YAML, TOML or JSON; its ending says which. The environment variable of a key is its path in \
         capitals with `__` between the steps: `pipeline.archive` is `HOTPASS__PIPELINE__ARCHIVE`. Unknown keys are \
         errors. Sections and maps merge by key; a list replaces the inherited one",
    );
    let appending: Vec<String> = appending_keys().iter().map(|key| format!("`{key}`")).collect();
    let _ = writeln!(page, ", except {}, whose values are put after the inherited ones.", appending.join(" and "));
    section(&mut page, &schema, &schema, "", HotpassConfig::SHAPE, Some(&defaults));
    page
}

fn section(
    page: &mut String,
    root: &Value,
    schema: &Value,
    path: &str,
    shape: &'static Shape,
    defaults: Option<&Value>,
) {
    let fields = shape.bare().fields();
    if !path.is_empty() {
        let _ = writeln!(page, "\n## {path}\n");
        if let Some(text) = schema.get("description").and_then(Value::as_str) {
            let _ = writeln!(page, "{text}\n");
        }
        page.push_str("| key | takes | default | meaning |\n| --- | --- | --- | --- |\n");
        for field in fields {
            let property = &schema["properties"][field.name];
            let default = defaults.and_then(|defaults| defaults.get(field.name));
            let default = match default {
                _ if field.rule == Rule::Required => "required".to_owned(),
                None | Some(Value::Null) => String::new(),
                Some(Value::Object(_)) if !matches!(field.shape, Shape::Map(_)) => "below".to_owned(),
                Some(value) => format!("`{}`", cell(&value.to_string())),
            };
            let meaning = property.get("description").and_then(Value::as_str).unwrap_or_default();
            let _ = writeln!(
                page,
                "| `{}` | {} | {default} | {} |",
                field.name,
                cell(&field.shape.describe()),
                cell(meaning)
            );
        }
    }
    for field in fields {
        let (suffix, inner) = match field.shape.bare() {
            Shape::List(item) => ("[]", *item),
            inner => ("", inner),
        };
        if !matches!(inner, Shape::Section(_)) {
            continue;
        }
        let property = &schema["properties"][field.name];
        let target = reference(property).or_else(|| property.get("items").and_then(reference));
        let Some(definition) = target.and_then(|name| root["$defs"].get(name)) else { continue };
        let default = defaults.and_then(|defaults| defaults.get(field.name)).filter(|value| value.is_object());
        // What an item of a list starts from stands in its own definition.
        let own = item_defaults(definition);
        let below = format!("{}{suffix}", join(path, field.name));
        section(page, root, definition, &below, inner, default.or(own.as_ref()));
    }
}

fn item_defaults(definition: &Value) -> Option<Value> {
    let properties = definition.get("properties")?.as_object()?;
    let defaults: Map<String, Value> = properties
        .iter()
        .filter_map(|(name, property)| Some((name.clone(), property.get("default")?.clone())))
        .collect();
    Some(Value::Object(defaults))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of sections, the types' own serialization and the schema must name the same keys and choices.
    #[test]
    fn the_table_of_sections_agrees_with_the_types() {
        fn check(root: &Value, schema: &Value, shape: &'static Shape, path: &str) {
            let schema = reference(schema).map_or(schema, |name| &root["$defs"][name]);
            match shape {
                Shape::Section(fields) => {
                    let mut expected: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
                    let mut named: Vec<&str> = fields.iter().map(|field| field.name).collect();
                    expected.sort();
                    named.sort_unstable();
                    assert_eq!(named, expected, "{path}");
                    for field in *fields {
                        check(root, &schema["properties"][field.name], field.shape, &join(path, field.name));
                    }
                }
                Shape::List(item) => check(root, &schema["items"], item, path),
                Shape::Map(item) => check(root, &schema["additionalProperties"], item, path),
                Shape::Choice(names) => {
                    let text = schema.to_string();
                    let count = text.matches("\"const\"").count().max(schema["enum"].as_array().map_or(0, Vec::len));
                    assert_eq!(count, names.len(), "{path}: {text}");
                    for name in *names {
                        assert!(text.contains(&format!("\"{name}\"")), "{path}: {name} not in {text}");
                    }
                }
                _ => {}
            }
        }
        let schema = json_schema();
        check(&schema, &schema, HotpassConfig::SHAPE, "");
    }

    #[test]
    fn the_schema_says_what_appends_and_describes_every_key() {
        let schema = json_schema();
        assert_eq!(schema["$defs"]["Ingest"]["properties"]["null_values"]["x-hotpass-merge"], "append");
        assert_eq!(schema["$defs"]["Pipeline"]["properties"]["sensitive_fields"]["x-hotpass-merge"], "append");
        assert_eq!(schema["$defs"]["Ingest"]["properties"]["mapping_files"]["x-hotpass-merge"], "replace");
        for (name, definition) in schema["$defs"].as_object().unwrap() {
            for (key, property) in definition["properties"].as_object().into_iter().flatten() {
                assert!(property["description"].is_string(), "{name}.{key} has no description");
            }
        }
        let page = reference_markdown();
        assert!(page.contains("| `archive` | true or false | `false` |"), "{page}");
        assert!(page.contains("## pipeline.acquisition.agents[].targets[]"), "{page}");
    }
}
