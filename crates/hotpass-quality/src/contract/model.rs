//! The contract of a dataset.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::error::ContractError;
use super::value::FieldReader;

/// What a dataset promises: its columns, keys, freshness and size.
///
/// Its serialised form is Hotpass's own contract file, version 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Version of the form, 1.
    pub hotpass_contract: u32,
    /// Name of the dataset.
    pub name: String,
    /// Version of the contract, as in `1.2.0`.
    #[serde(default = "first_version")]
    pub version: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What the dataset holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The columns.
    pub fields: Vec<Field>,
    /// Columns whose values together name a row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub primary_key: Vec<String>,
    /// Further sets of columns whose values together occur once; rows that lack one of the values are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unique_keys: Vec<Vec<String>>,
    /// Columns whose values must occur in another dataset.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_keys: Vec<ForeignKey>,
    /// How old the newest row may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness: Option<Freshness>,
    /// How many rows there may be.
    #[serde(default, skip_serializing_if = "RowCount::is_open")]
    pub rows: RowCount,
    /// Whether columns that are not in the contract may be there.
    #[serde(default = "yes")]
    pub extra_columns: bool,
    /// Whether the columns must come in the contract's order.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ordered: bool,
    /// Values that mean "no value", compared exactly.
    #[serde(default = "empty_text", skip_serializing_if = "is_empty_text")]
    pub missing_values: Vec<String>,
}

/// A column of a contract.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name, as the header writes it.
    pub name: String,
    /// Type of the values.
    #[serde(rename = "type", default)]
    pub logical_type: LogicalType,
    /// Form of the values: `email`, `phone`, `uri`, `uuid` or `binary` for text; `year`, four digits, for integers; a pattern such as `%d/%m/%Y`, or `any`, for dates and times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How sensitive it is, such as `public`, `confidential` or `pii`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification: Option<String>,
    /// Whether the column must be there.
    #[serde(default = "yes")]
    pub required: bool,
    /// Whether a value may be missing.
    #[serde(default = "yes")]
    pub nullable: bool,
    /// Whether a value occurs once.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unique: bool,
    /// Regular expression that the whole value matches, for text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Lowest value, for numbers, dates and times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Limit>,
    /// Highest value, for numbers, dates and times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Limit>,
    /// Least number of characters, for text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    /// Largest number of characters, for text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// The values that are allowed, as text; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enumeration: Vec<String>,
    /// Invented values that keep the contract.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    /// Words for true, for booleans; `true`, `True`, `TRUE` and `1` when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub true_values: Vec<String>,
    /// Words for false, for booleans; `false`, `False`, `FALSE` and `0` when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub false_values: Vec<String>,
    /// Sign of the fraction, for numbers; `.` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal_char: Option<String>,
    /// Sign between groups of digits, for numbers; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_char: Option<String>,
    /// Whether text around the digits, such as a currency, is passed over, for integers and numbers.
    #[serde(default, skip_serializing_if = "is_false")]
    pub decorated: bool,
}

/// Type of a column's values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogicalType {
    /// Text.
    #[default]
    Text,
    /// Whole numbers.
    Integer,
    /// Decimal numbers.
    Number,
    /// True or false.
    Boolean,
    /// Calendar dates.
    Date,
    /// Dates with time of day.
    Timestamp,
    /// Times of day.
    Time,
    /// Anything.
    Any,
}

impl LogicalType {
    /// The types, in the order of references.
    pub const ALL: &[Self] =
        &[Self::Text, Self::Integer, Self::Number, Self::Boolean, Self::Date, Self::Timestamp, Self::Time, Self::Any];

    /// Returns the name in contract files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Time => "time",
            Self::Any => "any",
        }
    }

    /// Returns whether the values have an order in which limits make sense.
    pub const fn is_ordered(self) -> bool {
        matches!(self, Self::Integer | Self::Number | Self::Date | Self::Timestamp | Self::Time)
    }

    /// Returns whether the values are written as numbers in JSON.
    pub(crate) const fn is_numeric(self) -> bool {
        matches!(self, Self::Integer | Self::Number)
    }
}

/// The lowest or highest value of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The value, written as the column's values are.
    pub value: String,
    /// Whether the value itself is outside.
    #[serde(default, skip_serializing_if = "is_false")]
    pub exclusive: bool,
}

impl Limit {
    /// Makes a limit whose value itself is allowed.
    pub fn inclusive(value: impl Into<String>) -> Self {
        Self { value: value.into(), exclusive: false }
    }

    /// Makes a limit whose value itself is outside.
    pub fn exclusive(value: impl Into<String>) -> Self {
        Self { value: value.into(), exclusive: true }
    }
}

/// Columns whose values must occur in another dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignKey {
    /// Columns of this dataset; a row that lacks all of their values is left out.
    pub fields: Vec<String>,
    /// Where their values must occur.
    pub reference: Reference,
}

/// The other side of a foreign key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Name of another contract's dataset; of this one when neither it nor `file` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// File that holds the values, relative to the contract's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Columns there, in the order of the key's fields.
    pub fields: Vec<String>,
}

impl Reference {
    /// Returns the name under which the values are given to a check: the file, else the dataset; nothing for this dataset itself.
    pub fn name(&self) -> Option<&str> {
        self.file.as_deref().or(self.dataset.as_deref())
    }
}

/// How old the newest row may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freshness {
    /// Column with a date or timestamp.
    pub column: String,
    /// Days between the newest value and the day of the check, at most.
    pub max_age_days: u32,
}

/// How many rows there may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowCount {
    /// At least so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

impl RowCount {
    /// Returns whether any number of rows will do.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Contract {
    fn default() -> Self {
        Self {
            hotpass_contract: Self::FORM,
            name: String::new(),
            version: first_version(),
            title: None,
            description: None,
            owner: None,
            fields: Vec::new(),
            primary_key: Vec::new(),
            unique_keys: Vec::new(),
            foreign_keys: Vec::new(),
            freshness: None,
            rows: RowCount::default(),
            extra_columns: true,
            ordered: false,
            missing_values: empty_text(),
        }
    }
}

impl Contract {
    /// Version of the form of contract files.
    pub const FORM: u32 = 1;

    /// Makes a contract without columns.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Returns a column by its name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Returns whether a column must be there: because it says so, or because a key or the freshness needs it.
    pub fn requires(&self, field: &Field) -> bool {
        let name = &field.name;
        field.required
            || self.primary_key.contains(name)
            || self.unique_keys.iter().flatten().any(|key| key == name)
            || self.foreign_keys.iter().flat_map(|key| &key.fields).any(|key| key == name)
            || self.freshness.as_ref().is_some_and(|freshness| freshness.column == *name)
    }

    /// Returns what needs a column to be there although it is optional itself, for people.
    pub(super) fn needed_by(&self, field: &Field) -> Option<&'static str> {
        let name = &field.name;
        let names = |mut columns: Box<dyn Iterator<Item = &String> + '_>| columns.any(|column| column == name);
        if field.required {
            None
        } else if names(Box::new(self.primary_key.iter())) {
            Some("the primary key")
        } else if names(Box::new(self.unique_keys.iter().flatten())) {
            Some("the unique key")
        } else if names(Box::new(self.foreign_keys.iter().flat_map(|key| &key.fields))) {
            Some("the foreign key")
        } else {
            self.freshness.as_ref().filter(|freshness| freshness.column == *name).map(|_| "the freshness")
        }
    }

    /// Checks that the contract can be kept: columns named once, keys over columns that exist, constraints that fit their type.
    ///
    /// # Errors
    ///
    /// Returns the first contradiction.
    pub fn validate(&self) -> Result<(), ContractError> {
        let problem = |problem: String| ContractError::Inconsistent { contract: self.name.clone(), problem };
        if self.hotpass_contract != Self::FORM {
            return Err(problem(format!("the form has version {}, known is {}", self.hotpass_contract, Self::FORM)));
        }
        if self.fields.is_empty() {
            return Err(problem("it has no columns".to_owned()));
        }
        let mut names = HashSet::new();
        for field in &self.fields {
            if field.name.is_empty() {
                return Err(problem("a column has no name".to_owned()));
            }
            if !names.insert(field.name.as_str()) {
                return Err(problem(format!("column `{}` is there twice", field.name)));
            }
            FieldReader::new(field, &self.missing_values)
                .map_err(|reason| problem(format!("column `{}`: {reason}", field.name)))?;
        }
        let keys = (self.primary_key.iter().map(|name| ("the primary key", name)))
            .chain(self.unique_keys.iter().flatten().map(|name| ("a unique key", name)))
            .chain(self.foreign_keys.iter().flat_map(|key| &key.fields).map(|name| ("a foreign key", name)))
            .chain(self.freshness.iter().map(|freshness| ("the freshness", &freshness.column)));
        for (what, name) in keys {
            if !names.contains(name.as_str()) {
                let hint = hotpass_core::nearest(name, names.iter().copied())
                    .map(|near| format!(", nearest is `{near}`"))
                    .unwrap_or_default();
                return Err(problem(format!("{what} names column `{name}`, which it has not{hint}")));
            }
        }
        if self.unique_keys.iter().any(Vec::is_empty) {
            return Err(problem("a unique key names no column".to_owned()));
        }
        if let Some(key) = self.foreign_keys.iter().find(|key| key.fields.len() != key.reference.fields.len()) {
            return Err(problem(format!(
                "a foreign key has {} columns here and {} there",
                key.fields.len(),
                key.reference.fields.len()
            )));
        }
        if let Some(freshness) = &self.freshness
            && !self
                .field(&freshness.column)
                .is_some_and(|field| matches!(field.logical_type, LogicalType::Date | LogicalType::Timestamp))
        {
            return Err(problem(format!("the freshness needs a date, and column `{}` is none", freshness.column)));
        }
        if let RowCount { min: Some(min), max: Some(max) } = self.rows
            && min > max
        {
            return Err(problem(format!("at least {min} rows and at most {max}")));
        }
        Ok(())
    }
}

impl Field {
    /// Makes a column that must be there and may lack values.
    pub fn new(name: impl Into<String>, logical_type: LogicalType) -> Self {
        Self { name: name.into(), logical_type, required: true, nullable: true, ..Self::default() }
    }
}

fn first_version() -> String {
    "1.0.0".to_owned()
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

fn empty_text() -> Vec<String> {
    vec![String::new()]
}

fn is_empty_text(values: &[String]) -> bool {
    matches!(values, [only] if only.is_empty())
}
