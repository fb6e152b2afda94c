//! Contracts as files: which form a document is of, and what a form cannot say.

mod extension;
mod frictionless;
mod great_expectations;
mod json_schema;
mod odcs;
mod own;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ContractError;
use super::model::Contract;

/// A form of contract files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Hotpass's own, which says everything.
    Hotpass,
    /// Frictionless Table Schema, version 2 of the Data Package standard.
    Frictionless,
    /// Frictionless Table Schema, version 1.
    #[serde(rename = "frictionless-v1")]
    FrictionlessV1,
    /// JSON Schema 2020-12 of a row.
    JsonSchema,
    /// JSON Schema 2020-12 of an array of rows.
    JsonSchemaArray,
    /// Open Data Contract Standard 3, YAML.
    Odcs,
    /// Great Expectations suite, 1.x.
    GreatExpectations,
}

impl Format {
    /// The forms, in the order of references.
    pub const ALL: &[Self] = &[
        Self::Hotpass,
        Self::Frictionless,
        Self::FrictionlessV1,
        Self::JsonSchema,
        Self::JsonSchemaArray,
        Self::Odcs,
        Self::GreatExpectations,
    ];

    /// Returns the name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hotpass => "hotpass",
            Self::Frictionless => "frictionless",
            Self::FrictionlessV1 => "frictionless-v1",
            Self::JsonSchema => "json-schema",
            Self::JsonSchemaArray => "json-schema-array",
            Self::Odcs => "odcs",
            Self::GreatExpectations => "great-expectations",
        }
    }

    /// Returns the name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Hotpass => "Hotpass contract",
            Self::Frictionless => "Frictionless Table Schema 2",
            Self::FrictionlessV1 => "Frictionless Table Schema 1",
            Self::JsonSchema => "JSON Schema of a row",
            Self::JsonSchemaArray => "JSON Schema of an array of rows",
            Self::Odcs => "Open Data Contract Standard",
            Self::GreatExpectations => "Great Expectations suite",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something that another form cannot say, or that its own tools do not check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Column it is about; absent when it is about the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What, for people.
    pub message: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "Column `{column}`: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Notices as they arise.
#[derive(Debug, Default)]
struct Notices(Vec<Notice>);

impl Notices {
    fn table(&mut self, message: impl Into<String>) {
        self.0.push(Notice { column: None, message: message.into() });
    }

    fn column(&mut self, column: &str, message: impl Into<String>) {
        self.0.push(Notice { column: Some(column.to_owned()), message: message.into() });
    }
}

/// A contract that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The contract.
    pub contract: Contract,
    /// The form it was in.
    pub format: Format,
    /// What the document says and the contract cannot.
    pub notices: Vec<Notice>,
}

/// A contract that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The document, with a final line end.
    pub text: String,
    /// What the contract says and the tools of the form do not check.
    pub notices: Vec<Notice>,
}

/// Reads a contract, JSON or YAML, in whatever form it is.
///
/// A document of another form that Hotpass wrote gives back the contract it was written from.
///
/// # Errors
///
/// Returns an error when the document is of no known form, or the contract in it contradicts itself.
pub fn read(bytes: &[u8]) -> Result<Document, ContractError> {
    read_for(bytes, None)
}

/// Reads a contract for a file: of a data package the resource with the file's name is taken, else its first one.
///
/// # Errors
///
/// Returns an error when the document is of no known form, or the contract in it contradicts itself.
pub fn read_for(bytes: &[u8], file: Option<&str>) -> Result<Document, ContractError> {
    let value = parse(bytes)?;
    let format = sniff(&value).ok_or(ContractError::UnknownForm)?;
    read_value(&value, format, file)
}

/// Reads a contract of one form.
///
/// # Errors
///
/// Returns an error when the document is not of the form, or the contract in it contradicts itself.
pub fn read_as(bytes: &[u8], format: Format) -> Result<Document, ContractError> {
    read_value(&parse(bytes)?, format, None)
}

/// Writes a contract in a form.
///
/// What the form has no words for is written where the form allows further properties, so that reading it gives the same
/// contract; what its own tools will not check is told in [`Written::notices`].
///
/// # Errors
///
/// Returns an error when the contract contradicts itself.
pub fn write(contract: &Contract, format: Format) -> Result<Written, ContractError> {
    contract.validate()?;
    let mut notices = Notices::default();
    let value = match format {
        Format::Hotpass => serde_json::to_value(contract).map_err(|error| ContractError::Write(Box::new(error)))?,
        Format::Frictionless => frictionless::write(contract, frictionless::Edition::Two, &mut notices),
        Format::FrictionlessV1 => frictionless::write(contract, frictionless::Edition::One, &mut notices),
        Format::JsonSchema => json_schema::write(contract, false, &mut notices),
        Format::JsonSchemaArray => json_schema::write(contract, true, &mut notices),
        Format::Odcs => odcs::write(contract, &mut notices),
        Format::GreatExpectations => great_expectations::write(contract, &mut notices),
    };
    let text = if format == Format::Odcs {
        serde_saphyr::to_string(&value).map_err(|error| ContractError::Write(Box::new(error)))?
    } else {
        serde_json::to_string_pretty(&value).map_err(|error| ContractError::Write(Box::new(error)))?
    };
    Ok(Written { text: format!("{}\n", text.trim_end()), notices: notices.0 })
}

fn parse(bytes: &[u8]) -> Result<Value, ContractError> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        // JSON that is broken is told as JSON; anything else may be YAML.
        Err(error) if text.trim_start().starts_with(['{', '[']) => Err(ContractError::Syntax(Box::new(error))),
        Err(_) => serde_saphyr::from_str(text).map_err(|error| ContractError::Syntax(Box::new(error))),
    }
}

fn sniff(value: &Value) -> Option<Format> {
    let has = |key: &str| value.get(key).is_some();
    if has("hotpass_contract") {
        Some(Format::Hotpass)
    } else if has("expectations") {
        Some(Format::GreatExpectations)
    } else if has("apiVersion") && (has("schema") || value.get("kind").and_then(Value::as_str) == Some("DataContract"))
    {
        Some(Format::Odcs)
    } else if has("fields")
        || has("resources")
        || value.get("schema").is_some_and(|schema| schema.get("fields").is_some())
    {
        Some(Format::Frictionless)
    } else if value.get("items").is_some_and(Value::is_object) {
        Some(Format::JsonSchemaArray)
    } else if has("properties") || has("$schema") {
        Some(Format::JsonSchema)
    } else {
        None
    }
}

fn read_value(value: &Value, format: Format, file: Option<&str>) -> Result<Document, ContractError> {
    let mut notices = Notices::default();
    let contract = match format {
        Format::Hotpass => {
            own::read(value).map_err(|problem| ContractError::Document { format: format.title(), problem })?
        }
        Format::Frictionless | Format::FrictionlessV1 => frictionless::read(value, file, &mut notices)?,
        Format::JsonSchema | Format::JsonSchemaArray => json_schema::read(value, &mut notices)?,
        Format::Odcs => odcs::read(value, &mut notices)?,
        Format::GreatExpectations => great_expectations::read(value, &mut notices)?,
    };
    contract.validate()?;
    Ok(Document { contract, format, notices: notices.0 })
}

/// Returns the text of a property, if it is there and not empty.
fn text_of(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Returns a list of texts; a single text is a list of one.
fn texts_of(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Returns a value as a cell would write it.
fn lexical(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// Returns a cell's text as a JSON number where it is one and comes back the same; else as text.
fn number_or_text(text: &str, numeric: bool) -> Value {
    if numeric
        && let Ok(number) = serde_json::from_str::<serde_json::Number>(text)
        && number.to_string() == text
    {
        return Value::Number(number);
    }
    Value::String(text.to_owned())
}

/// Writes a pattern that holds for the whole value for tools that look for it anywhere.
fn anchored(pattern: &str) -> String {
    format!("^(?:{pattern})$")
}

/// Reads a pattern that is looked for anywhere as one that holds for the whole value.
fn unanchored(pattern: &str) -> String {
    if let Some(inner) = pattern.strip_prefix("^(?:").and_then(|rest| rest.strip_suffix(")$"))
        && is_balanced(inner)
    {
        return inner.to_owned();
    }
    let inner = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
    match inner.filter(|inner| !inner.ends_with('\\') && !has_top_alternative(inner)) {
        Some(inner) => inner.to_owned(),
        None => format!("(?s:.*)(?:{pattern})(?s:.*)"),
    }
}

/// Returns whether the groups of a pattern open and close within it.
fn is_balanced(pattern: &str) -> bool {
    let mut depth = 0usize;
    for c in structure(pattern) {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return false,
            ')' => depth -= 1,
            _ => {}
        }
    }
    depth == 0
}

/// Returns whether a pattern has an alternative outside every group and class.
fn has_top_alternative(pattern: &str) -> bool {
    let mut depth = 0usize;
    structure(pattern).any(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '|' && depth == 0
    })
}

/// Returns the characters of a pattern that are neither escaped nor in a class.
fn structure(pattern: &str) -> impl Iterator<Item = char> {
    let (mut in_class, mut escaped) = (false, false);
    pattern.chars().filter(move |c| match c {
        _ if escaped => {
            escaped = false;
            false
        }
        '\\' => {
            escaped = true;
            false
        }
        '[' if !in_class => {
            in_class = true;
            false
        }
        ']' if in_class => {
            in_class = false;
            false
        }
        _ => !in_class,
    })
}

#[cfg(test)]
mod tests;
