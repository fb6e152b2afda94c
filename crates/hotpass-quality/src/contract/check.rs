//! Batches held against a contract, in one pass and in the order of the rows.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Schema, UInt32Type};
use arrow::record_batch::RecordBatch;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::CheckError;
use super::keys::{Digest, DigestSet, Digester, KEY_BYTES, ReferenceKeys};
use super::model::{Contract, Field, Limit, LogicalType, Reference, RowCount};
use super::value::{FieldReader, Native, Texts, days};

/// Name of a leading column of row numbers, as ingest gives it.
const ROW_COLUMN: &str = "__row";
/// Names from which on none is suggested for one that is missing: comparing all with all would take longer than the check.
pub(super) const SUGGESTED_FROM: usize = 300;

/// What a contract asks, one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The value is of the column's type and form.
    Type,
    /// The value is present.
    Required,
    /// The value is not below the lowest.
    Minimum,
    /// The value is not above the highest.
    Maximum,
    /// The text is not too short.
    MinLength,
    /// The text is not too long.
    MaxLength,
    /// The text matches the pattern.
    Pattern,
    /// The value is one of those allowed.
    Enumeration,
    /// The value has not occurred in an earlier row.
    Unique,
    /// The primary key is present and has not occurred in an earlier row.
    PrimaryKey,
    /// The unique key has not occurred in an earlier row.
    UniqueKey,
    /// The key occurs in the dataset it points to.
    ForeignKey,
    /// The column is there.
    MissingColumn,
    /// No other column is there.
    ExtraColumn,
    /// The columns come in order.
    ColumnOrder,
    /// There are neither too few nor too many rows.
    RowCount,
    /// The newest row is young enough.
    Freshness,
    /// The rule could be checked within the memory that it may take.
    Memory,
}

impl Rule {
    /// Returns the name in codes and reports, such as `min_length`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Required => "required",
            Self::Minimum => "minimum",
            Self::Maximum => "maximum",
            Self::MinLength => "min_length",
            Self::MaxLength => "max_length",
            Self::Pattern => "pattern",
            Self::Enumeration => "enumeration",
            Self::Unique => "unique",
            Self::PrimaryKey => "primary_key",
            Self::UniqueKey => "unique_key",
            Self::ForeignKey => "foreign_key",
            Self::MissingColumn => "missing_column",
            Self::ExtraColumn => "extra_column",
            Self::ColumnOrder => "column_order",
            Self::RowCount => "row_count",
            Self::Freshness => "freshness",
            Self::Memory => "memory",
        }
    }

    /// Returns the code of diagnostics and of the reasons in quarantine, such as `contract.min_length`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Type => "contract.type",
            Self::Required => "contract.required",
            Self::Minimum => "contract.minimum",
            Self::Maximum => "contract.maximum",
            Self::MinLength => "contract.min_length",
            Self::MaxLength => "contract.max_length",
            Self::Pattern => "contract.pattern",
            Self::Enumeration => "contract.enumeration",
            Self::Unique => "contract.unique",
            Self::PrimaryKey => "contract.primary_key",
            Self::UniqueKey => "contract.unique_key",
            Self::ForeignKey => "contract.foreign_key",
            Self::MissingColumn => "contract.missing_column",
            Self::ExtraColumn => "contract.extra_column",
            Self::ColumnOrder => "contract.column_order",
            Self::RowCount => "contract.row_count",
            Self::Freshness => "contract.freshness",
            Self::Memory => "contract.memory",
        }
    }

    /// Returns what a row that breaks it does, for people, as the rest of a sentence about a value.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Type => "is not of the type or form that the contract names",
            Self::Required => "is missing, and the contract asks for it",
            Self::Minimum => "is below the lowest that the contract allows",
            Self::Maximum => "is above the highest that the contract allows",
            Self::MinLength => "has fewer characters than the contract asks for",
            Self::MaxLength => "has more characters than the contract allows",
            Self::Pattern => "does not match the contract's pattern",
            Self::Enumeration => "is none of those that the contract allows",
            Self::Unique => "occurs in an earlier row too, and the contract allows it once",
            Self::PrimaryKey => "is missing or occurs in an earlier row too, and is the contract's primary key",
            Self::UniqueKey => "occurs in an earlier row too, and is a unique key of the contract",
            Self::ForeignKey => "does not occur in the dataset that the contract points to",
            Self::MissingColumn => "is not there, and the contract asks for it",
            Self::ExtraColumn => "is not in the contract, which allows no further columns",
            Self::ColumnOrder => "do not come in the contract's order",
            Self::RowCount => "are fewer or more than the contract allows",
            Self::Freshness => "is older than the contract allows",
            Self::Memory => "could not be checked within the memory that keys may take",
        }
    }

    /// Returns what a value of a column that breaks it does, for people, with what the contract asks for.
    pub fn words_for(self, field: &Field) -> String {
        let limit = |limit: &Option<Limit>, inclusive: &str, exclusive: &str| {
            limit
                .as_ref()
                .map(|limit| format!("is {} {}", if limit.exclusive { exclusive } else { inclusive }, limit.value))
        };
        let told = match self {
            Self::Type => Some(format!("is no {}", type_words(field))),
            Self::Minimum => limit(&field.minimum, "below", "not above"),
            Self::Maximum => limit(&field.maximum, "above", "not below"),
            Self::MinLength => field.min_length.map(|length| format!("has fewer than {length} characters")),
            Self::MaxLength => field.max_length.map(|length| format!("has more than {length} characters")),
            Self::Pattern => field.pattern.as_ref().map(|pattern| format!("does not match `{pattern}`")),
            Self::Enumeration => match field.enumeration.as_slice() {
                [] => None,
                [only] => Some(format!("is not `{only}`")),
                few if few.len() <= LISTED_VALUES => Some(format!("is none of `{}`", few.join("`, `"))),
                many => Some(format!("is none of the {} values that the contract allows", many.len())),
            },
            _ => None,
        };
        told.unwrap_or_else(|| self.words().to_owned())
    }
}

/// Most allowed values that a message lists.
const LISTED_VALUES: usize = 8;

/// Names the type and form of a column's values.
fn type_words(field: &Field) -> String {
    let format = field.format.as_deref().filter(|format| !matches!(*format, "default" | "any"));
    match (field.logical_type, format) {
        (LogicalType::Text, Some("email")) => "e-mail address".to_owned(),
        (LogicalType::Text, Some("phone")) => "telephone number".to_owned(),
        (LogicalType::Text, Some("uri")) => "web address".to_owned(),
        (LogicalType::Text, Some("uuid")) => "UUID".to_owned(),
        (LogicalType::Text, Some("binary")) => "Base64".to_owned(),
        (LogicalType::Integer, Some("year")) => "year of four digits".to_owned(),
        (LogicalType::Integer, _) => "whole number".to_owned(),
        (LogicalType::Boolean, _) => "truth value".to_owned(),
        (LogicalType::Date, None) if field.format.is_none() => "date as in 2024-01-31".to_owned(),
        (LogicalType::Timestamp, None) if field.format.is_none() => {
            "date with time as in 2024-01-31T10:00:00".to_owned()
        }
        (other, Some(pattern)) => format!("{} as `{pattern}`", other.name()),
        (other, None) => other.name().to_owned(),
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A column of the table that is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedColumn {
    /// Its names, best first: as the header writes it, then what else a contract may call it.
    pub names: Vec<String>,
    /// Its type in the batches.
    pub data_type: DataType,
    /// Whether its text was written from cells that the file holds as dates: as `2024-01-31`, or `2024-01-31T10:00:00` where the time is not
    /// midnight. They are dates whatever form the contract gives text.
    pub dated: bool,
}

impl CheckedColumn {
    /// Makes a column of text.
    pub fn text(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), data_type: DataType::Utf8, dated: false }
    }

    /// Says whether the text was written from cells that are dates.
    #[must_use]
    pub fn dated(mut self, dated: bool) -> Self {
        self.dated = dated;
        self
    }
}

/// What a check needs besides the data.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// The day from which freshness counts; without one it is not checked, and the result says so.
    pub today: Option<NaiveDate>,
    /// Values that foreign keys point to, by [`Reference::name`](super::Reference::name); a key without is not checked, and the result says so.
    pub references: BTreeMap<String, ReferenceKeys>,
    /// Bytes that the keys of the table may take; past it the check of keys ends with a breach of [`Rule::Memory`].
    pub key_memory_bytes: u64,
    /// Violations that the result lists; all are counted.
    pub listed: usize,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self { today: None, references: BTreeMap::new(), key_memory_bytes: 1 << 30, listed: 1000 }
    }
}

/// A row that breaks a rule. Holds no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Row, as the batches number it; from 1 when they do not.
    pub row: u32,
    /// Position in its batch.
    #[serde(skip)]
    pub index: u32,
    /// Position of the column in the table, from 0; absent for keys of several columns.
    pub column: Option<u32>,
    /// Position of the field in the contract; the first one of a key.
    pub field: u32,
    /// What it breaks.
    pub rule: Rule,
    /// Which of the keys that are checked, where it is one.
    #[serde(skip)]
    pub key: Option<u32>,
}

/// A rule of a contract that a row breaks, told from every other rule of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRule {
    /// Its column, or the columns of the key.
    pub columns: Vec<String>,
    /// Names the rule with its contract, its columns and a digest of what it asks for: another limit is another rule.
    pub identity: String,
}

/// A table that breaks a rule as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableViolation {
    /// What it breaks.
    pub rule: Rule,
    /// The column it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What is wrong, for people.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggested_fix: Option<String>,
}

/// How many rows break a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCount {
    /// Column, or columns of the key.
    pub columns: Vec<String>,
    /// The rule.
    pub rule: Rule,
    /// Rows that break it.
    pub rows: u64,
    /// What their value does, for people, as the rest of a sentence.
    #[serde(default)]
    pub message: String,
}

/// Whether a table keeps a contract, and where it does not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContractResult {
    /// Name of the contract.
    pub contract: String,
    /// Its version.
    pub version: String,
    /// Whether it is kept.
    pub passed: bool,
    /// Rows that were checked.
    pub rows: u64,
    /// Rows that break some rule.
    pub failed_rows: u64,
    /// Rows by column and rule, in the order of the contract.
    pub counts: Vec<RuleCount>,
    /// What is wrong with the table as a whole.
    pub table: Vec<TableViolation>,
    /// The first violations, by row within each batch.
    pub violations: Vec<Violation>,
    /// What was not checked, and why, for people.
    pub not_checked: Vec<String>,
}

/// A contract column that the table has.
#[derive(Debug)]
struct BoundField {
    field: u32,
    column: u32,
    reader: FieldReader,
    nullable: bool,
    type_fits: bool,
    unique: Option<DigestSet>,
    watches: bool,
}

/// A key over several columns.
#[derive(Debug)]
struct BoundKey {
    /// Position among the keys that are checked.
    number: u32,
    rule: Rule,
    /// Positions in the bound fields.
    fields: Vec<usize>,
    seen: DigestSet,
    target: Target,
}

#[derive(Debug)]
enum Target {
    /// Each key occurs once.
    Once,
    /// Each key occurs in another dataset.
    Other(ReferenceKeys),
    /// Each key occurs in other columns of this table, which may come later.
    Itself { fields: Vec<usize>, pending: Vec<(u32, Digest)> },
}

/// Holds batches against a contract.
///
/// Memory: a digest of 16 bytes with its place in a table (48 bytes at most) a row and key, up to
/// [`CheckOptions::key_memory_bytes`]; nothing else grows with the rows.
#[derive(Debug)]
pub struct ContractCheck {
    contract: Contract,
    columns: usize,
    fields: Vec<BoundField>,
    keys: Vec<BoundKey>,
    /// The columns of each key, and what a foreign key points to, by its number.
    key_facts: Vec<(Vec<String>, Option<Reference>)>,
    today: Option<NaiveDate>,
    key_memory_bytes: u64,
    key_bytes: u64,
    keys_dropped: bool,
    listed: usize,
    rows: u64,
    failed_rows: u64,
    failed: Option<HashSet<u32>>,
    newest: Option<i64>,
    counts: BTreeMap<(u32, Rule), u64>,
    key_counts: Vec<u64>,
    table: Vec<TableViolation>,
    violations: Vec<Violation>,
    not_checked: Vec<String>,
}

impl ContractCheck {
    /// Prepares the check of a table with these columns, which the batches have in this order.
    ///
    /// # Errors
    ///
    /// Returns an error when the contract contradicts itself.
    pub fn new(contract: &Contract, columns: &[CheckedColumn], options: &CheckOptions) -> Result<Self, CheckError> {
        contract.validate()?;
        let mut check = Self {
            contract: contract.clone(),
            columns: columns.len(),
            fields: Vec::new(),
            keys: Vec::new(),
            key_facts: Vec::new(),
            today: options.today,
            key_memory_bytes: options.key_memory_bytes,
            key_bytes: 0,
            keys_dropped: false,
            listed: options.listed,
            rows: 0,
            failed_rows: 0,
            failed: None,
            newest: None,
            counts: BTreeMap::new(),
            key_counts: Vec::new(),
            table: Vec::new(),
            violations: Vec::new(),
            not_checked: Vec::new(),
        };
        check.bind_columns(columns);
        check.bind_keys(&options.references);
        Ok(check)
    }

    /// Prepares the check of batches with this schema; a leading column `__row` gives the numbers of the rows.
    ///
    /// # Errors
    ///
    /// Returns an error when the contract contradicts itself.
    pub fn of_schema(contract: &Contract, schema: &Schema, options: &CheckOptions) -> Result<Self, CheckError> {
        let columns: Vec<CheckedColumn> = schema
            .fields()
            .iter()
            .skip(usize::from(numbers_rows(schema)))
            .map(|field| CheckedColumn {
                names: vec![field.name().clone()],
                data_type: field.data_type().clone(),
                dated: false,
            })
            .collect();
        Self::new(contract, &columns, options)
    }

    /// Returns the contract.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// Returns the rule that a row breaks, told from every other rule.
    pub fn broken_rule(&self, violation: &Violation) -> BrokenRule {
        let field = &self.contract.fields[violation.field as usize];
        let key = violation.key.and_then(|key| self.key_facts.get(key as usize));
        let columns = key.map_or_else(|| vec![field.name.clone()], |(columns, _)| columns.clone());
        let asked = match violation.rule {
            Rule::Type => json!([field.logical_type, field.format]),
            Rule::Minimum => json!(field.minimum),
            Rule::Maximum => json!(field.maximum),
            Rule::MinLength => json!(field.min_length),
            Rule::MaxLength => json!(field.max_length),
            Rule::Pattern => json!(field.pattern),
            Rule::Enumeration => json!(field.enumeration),
            Rule::ForeignKey => json!(key.and_then(|(_, reference)| reference.as_ref())),
            _ => Value::Null,
        };
        let mut identity = format!("{}/{}/{}", violation.rule.code(), self.contract.name, columns.join(","));
        if !asked.is_null() {
            let digest = hotpass_core::sha256_bytes(asked.to_string()).to_string();
            identity.push('/');
            identity.extend(digest.chars().take(12));
        }
        BrokenRule { columns, identity }
    }

    fn bind_columns(&mut self, columns: &[CheckedColumn]) {
        let contract = &self.contract;
        let found = match_columns(contract, columns);
        let used: HashSet<usize> = found.iter().flatten().copied().collect();
        let free: Vec<&str> = (0..columns.len())
            .filter(|column| !used.contains(column))
            .filter_map(|column| columns[column].name())
            .collect();
        for (position, field) in contract.fields.iter().enumerate() {
            let Some(column) = found[position] else {
                if contract.requires(field) {
                    let compared = if free.len() > SUGGESTED_FROM { &[] } else { free.as_slice() };
                    let near = hotpass_core::nearest(&field.name, compared.iter().copied());
                    self.table.push(TableViolation {
                        rule: Rule::MissingColumn,
                        column: Some(field.name.clone()),
                        message: format!("Column `{}` {}", field.name, Rule::MissingColumn.words()),
                        suggested_fix: Some(match (near, contract.needed_by(field)) {
                            (Some(near), _) => {
                                format!("Rename column `{near}` to `{}`, or name it so in the contract", field.name)
                            }
                            (None, Some(rule)) => {
                                format!("Add column `{}`, or take {rule} that names it out of the contract", field.name)
                            }
                            (None, None) => {
                                format!("Add column `{}`, or make it optional in the contract", field.name)
                            }
                        }),
                    });
                }
                continue;
            };
            let native = Native::of(&columns[column].data_type);
            // `validate` has compiled every field before.
            let Ok(reader) = FieldReader::new(field, &contract.missing_values) else { continue };
            let reader = if columns[column].dated { reader.for_dates() } else { reader };
            self.fields.push(BoundField {
                field: position as u32,
                column: column as u32,
                type_fits: reader.accepts(native),
                reader: reader.for_native(native),
                nullable: field.nullable,
                unique: field.unique.then(DigestSet::default),
                watches: contract.freshness.as_ref().is_some_and(|freshness| freshness.column == field.name),
            });
        }
        if !contract.extra_columns {
            for (position, column) in columns.iter().enumerate() {
                if !used.contains(&position) {
                    let name = column.name().unwrap_or_default();
                    let again = contract.field(name).is_some();
                    self.table.push(TableViolation {
                        rule: Rule::ExtraColumn,
                        column: Some(name.to_owned()),
                        message: if again {
                            format!("Column `{name}` is there more than once, and the contract has it once")
                        } else {
                            format!("Column `{name}` {}", Rule::ExtraColumn.words())
                        },
                        suggested_fix: Some(if again {
                            format!("Remove all but one column `{name}`, or give them names of their own")
                        } else {
                            "Remove the column, or add it to the contract".to_owned()
                        }),
                    });
                }
            }
        }
        if used.is_empty() && !self.table.iter().any(|breach| breach.rule == Rule::MissingColumn) {
            self.table.push(TableViolation {
                rule: Rule::MissingColumn,
                column: None,
                message: "The table has none of the contract's columns".to_owned(),
                suggested_fix: Some("Check that the file is the one that the contract is of".to_owned()),
            });
        }
        let present: Vec<usize> = found.iter().copied().flatten().collect();
        if contract.ordered && !present.is_sorted() {
            self.table.push(TableViolation {
                rule: Rule::ColumnOrder,
                column: None,
                message: format!("The columns {}", Rule::ColumnOrder.words()),
                suggested_fix: Some("Put the columns into the contract's order".to_owned()),
            });
        }
    }

    fn bind_keys(&mut self, references: &BTreeMap<String, ReferenceKeys>) {
        let contract = self.contract.clone();
        let once = (!contract.primary_key.is_empty()).then_some((Rule::PrimaryKey, &contract.primary_key));
        for (rule, key) in once.into_iter().chain(contract.unique_keys.iter().map(|key| (Rule::UniqueKey, key))) {
            // A key of which a column is missing is a breach of that column.
            if let Some(fields) = self.bound(key) {
                let number = self.key_facts.len() as u32;
                self.key_facts.push((key.clone(), None));
                self.keys.push(BoundKey { number, rule, fields, seen: DigestSet::default(), target: Target::Once });
            }
        }
        for key in &contract.foreign_keys {
            let Some(fields) = self.bound(&key.fields) else { continue };
            let target = match key.reference.name() {
                Some(name) => references
                    .get(name)
                    .cloned()
                    .map(Target::Other)
                    .ok_or_else(|| format!("the values of `{name}` were not given")),
                None => self
                    .bound(&key.reference.fields)
                    .map(|fields| Target::Itself { fields, pending: Vec::new() })
                    .ok_or_else(|| "the columns it points to are not there".to_owned()),
            };
            match target {
                Ok(target) => {
                    if matches!(target, Target::Itself { .. }) {
                        self.failed = Some(HashSet::new());
                    }
                    let (number, rule) = (self.key_facts.len() as u32, Rule::ForeignKey);
                    self.key_facts.push((key.fields.clone(), Some(key.reference.clone())));
                    self.keys.push(BoundKey { number, rule, fields, seen: DigestSet::default(), target });
                }
                Err(why) => self
                    .not_checked
                    .push(format!("The foreign key over `{}` was not checked: {why}", key.fields.join("`, `"))),
            }
        }
        self.key_counts = vec![0; self.keys.len()];
    }

    /// Returns the positions of columns among the bound fields.
    fn bound(&self, names: &[String]) -> Option<Vec<usize>> {
        names
            .iter()
            .map(|name| self.fields.iter().position(|bound| self.contract.fields[bound.field as usize].name == *name))
            .collect()
    }

    /// Checks a batch; returns what its rows break, in the order of the rows.
    ///
    /// # Errors
    ///
    /// Returns an error when the batch has not the columns of the table, or Arrow cannot write one of them as text.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<Vec<Violation>, CheckError> {
        let offset = usize::from(numbers_rows(&batch.schema()));
        if batch.num_columns() != self.columns + offset {
            return Err(CheckError::Columns { expected: self.columns, found: batch.num_columns() - offset });
        }
        let numbers = (offset == 1).then(|| batch.column(0).as_primitive::<UInt32Type>());
        let first = self.rows as u32 + 1;
        let number = |index: usize| numbers.map_or(first + index as u32, |numbers| numbers.value(index));
        let mut texts = Vec::with_capacity(self.fields.len());
        for bound in &self.fields {
            let position = bound.column as usize + offset;
            let column = batch.schema().field(position).name().clone();
            texts.push(Texts::new(batch.column(position)).map_err(|source| CheckError::Column { column, source })?);
        }
        let mut found: Vec<(u32, Option<u32>, u32, Rule)> = Vec::new();
        let rows = batch.num_rows();
        let mut scratch = Vec::new();
        for (bound, text) in self.fields.iter_mut().zip(&texts) {
            self.key_bytes += bound.check(text, rows, &mut scratch, &mut self.newest, &mut found);
        }
        let told = |(index, column, field, rule), key| Violation {
            row: number(index as usize),
            index,
            column,
            field,
            rule,
            key,
        };
        let mut violations: Vec<Violation> = found.drain(..).map(|found| told(found, None)).collect();
        for (position, key) in self.keys.iter_mut().enumerate() {
            self.key_bytes += key.check(&self.fields, &texts, rows, &number, &mut scratch, &mut found);
            self.key_counts[position] += found.len() as u64;
            violations.extend(found.drain(..).map(|found| told(found, Some(key.number))));
        }
        if self.key_bytes > self.key_memory_bytes && !self.keys_dropped {
            self.drop_keys();
        }
        self.rows += rows as u64;
        violations.sort_by_key(|violation| violation.index);
        let mut previous = None;
        for violation in &violations {
            if !is_key(violation.rule) {
                *self.counts.entry((violation.field, violation.rule)).or_default() += 1;
            }
            if previous != Some(violation.index) {
                previous = Some(violation.index);
                self.failed_rows += 1;
                if let Some(failed) = &mut self.failed {
                    failed.insert(violation.row);
                }
            }
        }
        let room = self.listed.saturating_sub(self.violations.len());
        self.violations.extend(violations.iter().take(room));
        Ok(violations)
    }

    /// Gives the memory of the keys back, and says that they were not checked to the end.
    fn drop_keys(&mut self) {
        self.keys_dropped = true;
        self.key_bytes = 0;
        for field in &mut self.fields {
            field.unique = None;
        }
        // Keys into another dataset take nothing that grows with the rows.
        let keep: Vec<bool> = self.keys.iter().map(|key| matches!(key.target, Target::Other(_))).collect();
        let mut kept = keep.iter();
        self.keys.retain(|_| kept.next().copied().unwrap_or(false));
        let mut kept = keep.iter();
        self.key_counts.retain(|_| kept.next().copied().unwrap_or(false));
        self.table.push(TableViolation {
            rule: Rule::Memory,
            column: None,
            message: format!("The uniqueness of keys {}", Rule::Memory.words()),
            suggested_fix: Some("Allow more memory, or split the table".to_owned()),
        });
    }

    /// Ends the check of a table whose rows were not read: only what concerns its columns is in the result.
    pub fn finish_columns(mut self) -> ContractResult {
        self.not_checked.push("The rows were not checked: the table was not read".to_owned());
        self.into_result(Vec::new())
    }

    /// Ends the check: what concerns the table as a whole, and all counts.
    pub fn finish(mut self) -> ContractResult {
        self.resolve_itself();
        let RowCount { min, max } = self.contract.rows;
        if min.is_some_and(|min| self.rows < min) || max.is_some_and(|max| self.rows > max) {
            let allowed = match (min, max) {
                (Some(min), Some(max)) => format!("{min} to {max}"),
                (Some(min), None) => format!("at least {min}"),
                _ => format!("at most {}", max.unwrap_or_default()),
            };
            self.table.push(TableViolation {
                rule: Rule::RowCount,
                column: None,
                message: format!("The table has {} rows, and the contract allows {allowed}", self.rows),
                suggested_fix: Some("Check that the file is whole, or change the contract".to_owned()),
            });
        }
        self.check_freshness();
        let names = |fields: &[usize]| -> Vec<String> {
            fields.iter().map(|&bound| self.contract.fields[self.fields[bound].field as usize].name.clone()).collect()
        };
        let mut counts: Vec<RuleCount> = self
            .counts
            .iter()
            .map(|(&(field, rule), &rows)| {
                let field = &self.contract.fields[field as usize];
                RuleCount { columns: vec![field.name.clone()], rule, rows, message: rule.words_for(field) }
            })
            .collect();
        counts.extend(self.keys.iter().zip(&self.key_counts).filter(|(_, rows)| **rows > 0).map(|(key, &rows)| {
            RuleCount { columns: names(&key.fields), rule: key.rule, rows, message: key.rule.words().to_owned() }
        }));
        self.into_result(counts)
    }

    fn into_result(self, counts: Vec<RuleCount>) -> ContractResult {
        ContractResult {
            contract: self.contract.name.clone(),
            version: self.contract.version.clone(),
            passed: self.table.is_empty() && self.failed_rows == 0,
            rows: self.rows,
            failed_rows: self.failed_rows,
            counts,
            table: self.table,
            violations: self.violations,
            not_checked: self.not_checked,
        }
    }

    /// Tells the rows whose key points to a row of this table that never came.
    fn resolve_itself(&mut self) {
        for (key, count) in self.keys.iter_mut().zip(&mut self.key_counts) {
            let Target::Itself { pending, .. } = &mut key.target else { continue };
            for (row, digest) in std::mem::take(pending) {
                if key.seen.contains(&digest) {
                    continue;
                }
                *count += 1;
                if self.failed.get_or_insert_default().insert(row) {
                    self.failed_rows += 1;
                }
                if self.violations.len() < self.listed {
                    let bound = &self.fields[key.fields[0]];
                    self.violations.push(Violation {
                        row,
                        index: u32::MAX,
                        column: (key.fields.len() == 1).then_some(bound.column),
                        field: bound.field,
                        rule: key.rule,
                        key: Some(key.number),
                    });
                }
            }
        }
    }

    fn check_freshness(&mut self) {
        let Some(freshness) = &self.contract.freshness else { return };
        let Some(today) = self.today else {
            self.not_checked.push("The freshness was not checked: no day was given to count from".to_owned());
            return;
        };
        if !self.fields.iter().any(|bound| bound.watches) {
            return;
        }
        let dated = self.newest.is_some();
        let message = match self.newest {
            Some(newest) => {
                let age = days(today) - newest;
                if age <= i64::from(freshness.max_age_days) {
                    return;
                }
                format!("The newest row is {age} days old, and the contract allows {}", freshness.max_age_days)
            }
            None => format!("Column `{}` has no date to tell the age of the table by", freshness.column),
        };
        self.table.push(TableViolation {
            rule: Rule::Freshness,
            column: Some(freshness.column.clone()),
            message,
            suggested_fix: Some(if dated {
                "Ask the owner for a newer file".to_owned()
            } else {
                format!("Fill column `{}`, and write its dates as the contract says", freshness.column)
            }),
        });
    }
}

impl CheckedColumn {
    fn name(&self) -> Option<&str> {
        self.names.iter().map(String::as_str).find(|name| !name.is_empty())
    }
}

impl BoundField {
    /// Checks the column; returns the bytes that its keys have grown by.
    fn check(
        &mut self,
        text: &Texts,
        rows: usize,
        scratch: &mut Vec<u8>,
        newest: &mut Option<i64>,
        found: &mut Vec<(u32, Option<u32>, u32, Rule)>,
    ) -> u64 {
        let (field, column) = (self.field, Some(self.column));
        let any = self.reader.takes_anything() && self.type_fits;
        let mut grown = 0;
        if any && self.unique.is_none() && (self.nullable || text.null_count() == 0 && !self.reader.has_missing_words())
        {
            return 0;
        }
        for row in 0..rows {
            let index = row as u32;
            let Some(value) = text.value(row).filter(|value| !self.reader.is_missing(value)) else {
                if !self.nullable {
                    found.push((index, column, field, Rule::Required));
                }
                continue;
            };
            if !self.type_fits {
                found.push((index, column, field, Rule::Type));
                continue;
            }
            if !any {
                self.reader.check(value, scratch, &mut |rule| found.push((index, column, field, rule)));
            }
            if let Some(unique) = &mut self.unique
                && self.reader.key(value, scratch)
            {
                let mut digester = Digester::new();
                digester.add(Some(scratch));
                if unique.insert(digester.finish()) {
                    grown += KEY_BYTES;
                } else {
                    found.push((index, column, field, Rule::Unique));
                }
            }
            if self.watches
                && let Some(day) = self.reader.day(value)
            {
                *newest = Some(newest.map_or(day, |newest| newest.max(day)));
            }
        }
        grown
    }
}

impl BoundKey {
    fn check(
        &mut self,
        bound: &[BoundField],
        texts: &[Texts],
        rows: usize,
        number: &dyn Fn(usize) -> u32,
        scratch: &mut Vec<u8>,
        found: &mut Vec<(u32, Option<u32>, u32, Rule)>,
    ) -> u64 {
        let column = (self.fields.len() == 1).then(|| bound[self.fields[0]].column);
        let field = bound[self.fields[0]].field;
        let mut grown = 0;
        for row in 0..rows {
            let index = row as u32;
            let (digest, present) = digest(&self.fields, bound, texts, row, scratch);
            match &mut self.target {
                Target::Once => {
                    let counts = match self.rule {
                        Rule::PrimaryKey => present > 0,
                        _ => present == self.fields.len(),
                    };
                    if !counts {
                        if self.rule == Rule::PrimaryKey {
                            found.push((index, column, field, self.rule));
                        }
                    } else if self.seen.insert(digest) {
                        grown += KEY_BYTES;
                    } else {
                        found.push((index, column, field, self.rule));
                    }
                }
                Target::Other(keys) => {
                    if present > 0 && !keys.contains(digest) {
                        found.push((index, column, field, self.rule));
                    }
                }
                Target::Itself { fields, pending } => {
                    let (own, own_present) = self::digest(fields, bound, texts, row, scratch);
                    if own_present > 0 && self.seen.insert(own) {
                        grown += KEY_BYTES;
                    }
                    if present > 0 && !self.seen.contains(&digest) {
                        pending.push((number(row), digest));
                        grown += KEY_BYTES;
                    }
                }
            }
        }
        grown
    }
}

/// Returns the digest of a row's key, and how many of its values are present.
fn digest(
    fields: &[usize],
    bound: &[BoundField],
    texts: &[Texts],
    row: usize,
    scratch: &mut Vec<u8>,
) -> (Digest, usize) {
    let mut digester = Digester::new();
    let mut present = 0;
    for &position in fields {
        let reader = &bound[position].reader;
        let value = texts[position].value(row).filter(|value| !reader.is_missing(value));
        let known = value.is_some_and(|value| reader.key(value, scratch));
        present += usize::from(known);
        digester.add(known.then_some(scratch.as_slice()));
    }
    (digester.finish(), present)
}

fn is_key(rule: Rule) -> bool {
    matches!(rule, Rule::PrimaryKey | Rule::UniqueKey | Rule::ForeignKey)
}

fn numbers_rows(schema: &Schema) -> bool {
    schema.fields().first().is_some_and(|field| field.name() == ROW_COLUMN && *field.data_type() == DataType::UInt32)
}

/// Finds the column of each field: by its best name, then by its others, each column once.
fn match_columns(contract: &Contract, columns: &[CheckedColumn]) -> Vec<Option<usize>> {
    let mut found: Vec<Option<usize>> = vec![None; contract.fields.len()];
    let mut free = vec![true; columns.len()];
    let depth = columns.iter().map(|column| column.names.len()).max().unwrap_or(0);
    for level in 0..depth {
        // Tables of many thousand columns occur, so that no column is looked for one by one.
        let mut by_name: HashMap<&str, VecDeque<usize>> = HashMap::new();
        for (position, column) in columns.iter().enumerate().filter(|(position, _)| free[*position]) {
            if let Some(name) = column.names.get(level) {
                by_name.entry(name).or_default().push_back(position);
            }
        }
        for (field, found) in contract.fields.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
            *found = by_name.get_mut(field.name.as_str()).and_then(VecDeque::pop_front);
            if let Some(column) = *found {
                free[column] = false;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
