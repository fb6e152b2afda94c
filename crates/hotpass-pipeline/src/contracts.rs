//! Contracts at the sources: found by name or path, held against each table before anything is done with it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use hotpass_config::HotpassConfig;
use hotpass_config::model::{QaMode, Source};
use hotpass_core::fields::{ColumnType, GOLDEN_COLUMNS};
use hotpass_core::{Clock, Diagnostic};
use hotpass_ingest::table::{TableId, TableSchema};
use hotpass_ingest::{IngestError, ReadOptions, SourceFile, default_memory_limit, open_file};
use hotpass_quality::contract::documents::{Format, Notice, read_for};
use hotpass_quality::contract::{
    CheckError, CheckOptions, CheckedColumn, Contract, ContractCheck, ContractContext, ContractError, ContractResult,
    Field, Limit, LogicalType, ReferenceKeys, RowCount, Rule, Violation, shipped,
};
use serde::{Deserialize, Serialize};

use crate::decisions::BrokenRule;
use crate::normalising::Rejection;
use crate::statistics::RunStatistics;

/// A contract, and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundContract {
    /// The contract.
    pub contract: Contract,
    /// Its file; absent for one that ships.
    pub path: Option<PathBuf>,
    /// The form of its file.
    pub format: Format,
    /// What the file says and the contract cannot.
    pub notices: Vec<Notice>,
}

/// A contract that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ContractLoadError {
    /// No contract has the name.
    #[error("No such contract: `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
    },
    /// The file could not be read.
    #[error("Cannot read contract `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file holds no contract that can be used.
    #[error("Cannot use contract `{}`", path.display())]
    Contract {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ContractError,
    },
    /// The values that a foreign key points to could not be read.
    #[error("Cannot read what a foreign key points to in `{}`: {reason}", path.display())]
    Reference {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A check could not be made.
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl ContractLoadError {
    /// Returns what to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { suggestion: Some(suggestion), .. } => Some(format!("Did you mean `{suggestion}`?")),
            Self::Unknown { .. } => Some("List the contracts with `hotpass contracts list`, or give the path of a file".to_owned()),
            Self::Read { .. } => Some("Check the path; those of a configuration are relative to the working folder".to_owned()),
            Self::Contract { source: ContractError::Syntax(_) | ContractError::UnknownForm, .. } => {
                Some("Read are Hotpass contracts, Frictionless Table Schemas, JSON Schemas, Open Data Contracts 3 and Great Expectations suites".to_owned())
            }
            Self::Reference { .. } => Some("The path is relative to the contract's file".to_owned()),
            // What is wrong in a contract of a known form says itself what to do.
            Self::Contract { .. } | Self::Check(_) => None,
        }
    }
}

/// Reads a contract file.
///
/// # Errors
///
/// Returns an error when it cannot be read or holds no contract.
pub fn read_contract(path: &Path) -> Result<FoundContract, ContractLoadError> {
    read_contract_for(path, None)
}

fn read_contract_for(path: &Path, table: Option<&str>) -> Result<FoundContract, ContractLoadError> {
    let bytes = std::fs::read(path).map_err(|source| ContractLoadError::Read { path: path.to_path_buf(), source })?;
    let document =
        read_for(&bytes, table).map_err(|source| ContractLoadError::Contract { path: path.to_path_buf(), source })?;
    Ok(FoundContract {
        contract: document.contract,
        path: Some(path.to_path_buf()),
        format: document.format,
        notices: document.notices,
    })
}

/// Finds a contract: among those of the profile's files by the name of its dataset, among those that ship, else as a file.
///
/// # Errors
///
/// Returns an error when there is none, or a file cannot be read.
pub fn find_contract(name: &str, files: &[PathBuf]) -> Result<FoundContract, ContractLoadError> {
    find_contract_for(name, files, None)
}

/// Finds a contract for a file: of a data package the resource with the file's name, else its first one.
///
/// # Errors
///
/// Returns an error when there is none, or a file cannot be read.
pub fn find_contract_for(
    name: &str,
    files: &[PathBuf],
    table: Option<&str>,
) -> Result<FoundContract, ContractLoadError> {
    let mut known: Vec<String> = shipped::names().map(str::to_owned).collect();
    for path in files {
        let found = read_contract(path)?;
        if found.contract.name == name {
            return Ok(found);
        }
        known.push(found.contract.name);
    }
    if let Some(contract) = shipped::contract(name) {
        return Ok(FoundContract { contract, path: None, format: Format::Hotpass, notices: Vec::new() });
    }
    let path = Path::new(name);
    if path.is_file() || name.contains(['/', '\\']) || path.extension().is_some() {
        return read_contract_for(path, table);
    }
    Err(ContractLoadError::Unknown {
        name: name.to_owned(),
        suggestion: hotpass_core::nearest(name, known.iter().map(String::as_str)).map(str::to_owned),
    })
}

/// Returns the columns of a source table under the names that a contract may call them: the header as it is, without surplus white
/// space, the repaired name, and `Unnamed: N` for a column without a header.
pub fn checked_columns(schema: &TableSchema) -> Vec<CheckedColumn> {
    schema
        .columns
        .iter()
        .map(|column| {
            let tidy = column.raw_header.split_whitespace().collect::<Vec<_>>().join(" ");
            let other = if tidy.is_empty() { format!("Unnamed: {}", column.index) } else { column.name.clone() };
            let dated = column.cell_kinds.date > 0;
            // Fields beyond the header are called as the warning about them calls them.
            let extra = column.name.starts_with("__extra").then(|| column.name.clone()).into_iter();
            let names = [column.raw_header.clone(), tidy].into_iter().chain(extra).chain([other]);
            CheckedColumn::text(names).dated(dated)
        })
        .collect()
}

/// Reads the values that the contract's foreign keys point to in files, and in those that are given by name; the sheet of a workbook is
/// written after it, as in `towns.xlsx#Towns`.
///
/// # Errors
///
/// Returns an error when a file cannot be read or lacks the columns.
pub fn reference_keys(
    found: &FoundContract,
    given: &BTreeMap<String, PathBuf>,
) -> Result<BTreeMap<String, ReferenceKeys>, ContractLoadError> {
    let mut references = BTreeMap::new();
    for key in &found.contract.foreign_keys {
        let Some(name) = key.reference.name() else { continue };
        let beside = || {
            let folder = found.path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
            key.reference.file.as_ref().map(|file| folder.join(file))
        };
        let by_name = || given.get(key.reference.dataset.as_ref()?);
        let Some(path) = given.get(name).or_else(by_name).cloned().or_else(beside) else { continue };
        let mut keys = ReferenceKeys::new(&found.contract, key)?;
        read_reference(&path, &key.reference.fields, &mut keys)?;
        references.insert(name.to_owned(), keys);
    }
    Ok(references)
}

fn read_reference(path: &Path, fields: &[String], keys: &mut ReferenceKeys) -> Result<(), ContractLoadError> {
    let fault = |reason: String| ContractLoadError::Reference { path: path.to_path_buf(), reason };
    let whole = path.to_string_lossy();
    let (path, sheet) = match whole.rsplit_once('#') {
        Some((file, sheet)) if !path.is_file() => (Path::new(file), Some(sheet.to_owned())),
        _ => (path, None),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = SourceFile::inspect(path, name).map_err(|error| fault(error.to_string()))?;
    let options = ReadOptions {
        memory_limit_bytes: default_memory_limit(),
        header_hints: fields.to_vec(),
        ..ReadOptions::default()
    };
    let opened = open_file(&file, &options).map_err(|error| fault(error.to_string()))?;
    let mut fitting = Vec::new();
    for table in opened.tables {
        let wanted = sheet
            .as_deref()
            .is_none_or(|sheet| table.schema.id.sheet.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(sheet)));
        let columns = checked_columns(&table.schema);
        let positions: Option<Vec<usize>> = fields
            .iter()
            .map(|field| columns.iter().position(|column| column.names.contains(field)).map(|position| position + 1))
            .collect();
        if let Some(positions) = positions.filter(|_| wanted) {
            fitting.push((table, positions));
        }
    }
    if fitting.len() > 1 {
        let sheets: Vec<String> =
            fitting.iter().filter_map(|(table, _)| Some(format!("`{}`", table.schema.id.sheet.as_ref()?))).collect();
        return Err(fault(format!(
            "{} tables have the columns `{}`, on {}; name the sheet as in `{}#SHEET`",
            fitting.len(),
            fields.join("`, `"),
            sheets.join(", "),
            file.name
        )));
    }
    let Some((table, positions)) = fitting.pop() else {
        return Err(fault(format!("no table has the columns `{}`", fields.join("`, `"))));
    };
    for batch in table.batches {
        keys.add_columns(&batch.map_err(|error: IngestError| fault(error.to_string()))?, &positions)?;
    }
    Ok(())
}

/// Returns the contract of the table that a run publishes.
pub fn published_contract(config: &HotpassConfig) -> Contract {
    let personal = &config.compliance.pii_fields;
    let fields = GOLDEN_COLUMNS
        .iter()
        .map(|column| {
            let logical_type = match column.data_type {
                ColumnType::Text | ColumnType::CellList => LogicalType::Text,
                ColumnType::UInt32 | ColumnType::Int64 => LogicalType::Integer,
                ColumnType::Float64 => LogicalType::Number,
                ColumnType::Boolean => LogicalType::Boolean,
                ColumnType::Date => LogicalType::Date,
                ColumnType::Timestamp => LogicalType::Timestamp,
            };
            let share = column.data_type == ColumnType::Float64;
            let judged = column.name.ends_with("_status") && column.name.starts_with("contact_");
            let judgements = ["deliverable", "risky", "undeliverable", "unknown"];
            let classification = if personal.iter().any(|name| name == column.name) { "pii" } else { "internal" };
            Field {
                description: Some(column.description.to_owned()),
                classification: Some(classification.to_owned()),
                nullable: column.nullable,
                unique: column.name == "entity_id",
                minimum: (share || logical_type == LogicalType::Integer).then(|| Limit::inclusive("0")),
                maximum: share.then(|| Limit::inclusive("1")),
                enumeration: if judged { judgements.map(str::to_owned).to_vec() } else { Vec::new() },
                ..Field::new(column.name, logical_type)
            }
        })
        .collect();
    Contract {
        version: config.data_contract.version.clone(),
        title: Some(config.profile.display_name.clone()).filter(|title| !title.is_empty()),
        description: Some("One row an organisation, as a run publishes it".to_owned()),
        owner: config.data_contract.steward.clone(),
        fields,
        primary_key: vec!["entity_id".to_owned()],
        rows: RowCount { min: Some(1), max: None },
        extra_columns: false,
        ordered: true,
        ..Contract::new(&config.data_contract.dataset)
    }
}

/// Whether a table of a run keeps the contract of its source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContractStatistics {
    /// File, relative.
    pub file: String,
    /// Sheet.
    pub sheet: Option<String>,
    /// Which table of the sheet.
    pub table: u32,
    /// Source of the profile.
    pub source: String,
    /// What was found.
    pub result: ContractResult,
    /// The finding as one, when the contract is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<ContractContext>,
}

impl ContractStatistics {
    /// Returns whether the table as a whole breaks the contract, which rows in quarantine do not put right.
    pub fn fails_table(&self) -> bool {
        !self.result.table.is_empty()
    }

    /// Returns the table's place, as `file#sheet`.
    pub fn place(&self) -> String {
        match &self.sheet {
            Some(sheet) => format!("{}#{sheet}", self.file),
            None => self.file.clone(),
        }
    }
}

/// The contracts of a profile's sources, read before the run begins.
#[derive(Debug, Default)]
pub(crate) struct SourceContracts {
    by_source: BTreeMap<String, OfSource>,
    others: Option<Prepared>,
    today: Option<chrono::NaiveDate>,
}

#[derive(Debug)]
struct OfSource {
    tables: Option<Prepared>,
    sheets: Vec<(String, Prepared)>,
}

impl OfSource {
    /// Returns the contract of a sheet, and whether the profile names the sheet.
    fn of_sheet(&self, sheet: Option<&str>) -> Option<(&Prepared, bool)> {
        let named = |(name, _): &&(String, Prepared)| sheet.is_some_and(|sheet| sheet.eq_ignore_ascii_case(name));
        match self.sheets.iter().find(named) {
            Some((_, prepared)) => Some((prepared, true)),
            None => self.tables.as_ref().map(|prepared| (prepared, false)),
        }
    }
}

#[derive(Debug)]
struct Prepared {
    contract: Contract,
    references: BTreeMap<String, ReferenceKeys>,
}

impl SourceContracts {
    /// Reads the contracts that the sources of the profile name.
    ///
    /// # Errors
    ///
    /// Returns an error when one is not there or cannot be used; every file of `profile.contracts` must be one.
    pub(crate) fn from_config(config: &HotpassConfig, clock: Clock) -> Result<Self, ContractLoadError> {
        let profile = &config.profile;
        for path in &profile.contracts {
            read_contract(path)?;
        }
        let prepare = |name: &String| {
            let found = find_contract(name, &profile.contracts)?;
            let references = reference_keys(&found, &BTreeMap::new())?;
            Ok::<_, ContractLoadError>(Prepared { contract: found.contract, references })
        };
        let mut by_source = BTreeMap::new();
        for source in &profile.sources {
            let sheets = source.sheet_contracts.iter();
            let of_source = OfSource {
                tables: source.contract.as_ref().map(prepare).transpose()?,
                sheets: sheets
                    .map(|(sheet, name)| Ok((sheet.clone(), prepare(name)?)))
                    .collect::<Result<_, ContractLoadError>>()?,
            };
            by_source.insert(source.name.clone(), of_source);
        }
        let others = config.quality.contract.as_ref().map(prepare).transpose()?;
        Ok(Self { by_source, others, today: Some(clock.now().date_naive()) })
    }

    /// Prepares the check of a table that has a contract: that of its sheet, of its source, or of all other tables.
    pub(crate) fn check(
        &self,
        source: Option<&Source>,
        schema: &TableSchema,
    ) -> Result<Option<TableCheck>, ContractLoadError> {
        let of_source = source.and_then(|source| self.by_source.get(&source.name));
        let of_sheet = of_source.and_then(|contracts| contracts.of_sheet(schema.id.sheet.as_deref()));
        let Some((prepared, named)) = of_sheet.or_else(|| Some((self.others.as_ref()?, false))) else {
            return Ok(None);
        };
        let options = CheckOptions {
            today: self.today,
            references: prepared.references.clone(),
            listed: 0,
            ..CheckOptions::default()
        };
        let check = ContractCheck::new(&prepared.contract, &checked_columns(schema), &options)?;
        Ok(Some(TableCheck {
            check,
            itself: prepared
                .contract
                .foreign_keys
                .iter()
                .filter(|key| key.reference.name().is_none())
                .map(|key| key.fields.clone())
                .collect(),
            id: schema.id.clone(),
            source: source.map(|source| source.name.clone()).unwrap_or_default(),
            named,
            letters: schema.columns.iter().map(|column| hotpass_core::column_letters(column.index)).collect(),
            broken: HashMap::new(),
        }))
    }
}

/// The check of one table of a run.
#[derive(Debug)]
pub(crate) struct TableCheck {
    check: ContractCheck,
    /// Foreign keys that point into the table itself: whether a row keeps them is known at its end only.
    itself: Vec<Vec<String>>,
    id: TableId,
    source: String,
    /// Whether the profile names the sheet, so that whatever is in it must keep the contract.
    named: bool,
    letters: Vec<String>,
    /// Rules that were broken so far, by rule, field and key.
    broken: HashMap<(Rule, u32, Option<u32>), Arc<BrokenRule>>,
}

impl TableCheck {
    /// Checks a batch: every rule that its rows break, in the order of the rows.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<Vec<Rejection>, CheckError> {
        let violations = self.check.add(batch)?;
        let (check, letters) = (&self.check, &self.letters);
        Ok(violations
            .into_iter()
            .map(|violation| {
                let place = (violation.rule, violation.field, violation.key);
                let rule =
                    self.broken.entry(place).or_insert_with(|| Arc::new(broken_rule(check, letters, &violation)));
                Rejection { position: violation.index, rule: Arc::clone(rule) }
            })
            .collect())
    }

    /// Returns whether a table that is no data by its columns or has no rows is still the one of the contract.
    pub(crate) fn resembles(&self, schema: &TableSchema) -> bool {
        let names = checked_columns(schema);
        let contract = self.check.contract();
        let known =
            contract.fields.iter().filter(|field| names.iter().any(|column| column.names.contains(&field.name)));
        self.named || known.count() * 2 >= contract.fields.len()
    }

    /// Ends the check: its figures, and diagnostics of what is wrong with the table as a whole; with its columns alone where its
    /// rows were not read.
    pub(crate) fn finish(self, rows_read: bool) -> (ContractStatistics, Vec<Diagnostic>) {
        let location = self.id.location();
        let contract = self.check.contract().name.clone();
        let result = if rows_read { self.check.finish() } else { self.check.finish_columns() };
        let mut diagnostics: Vec<Diagnostic> = result
            .table
            .iter()
            .map(|breach| {
                let mut diagnostic =
                    Diagnostic::error(breach.rule.code(), format!("{} (`{contract}`)", breach.message))
                        .at(location.clone());
                diagnostic.hint.clone_from(&breach.suggested_fix);
                diagnostic
            })
            .collect();
        diagnostics.extend(result.not_checked.iter().map(|message| {
            Diagnostic::warning("contract.not_checked", format!("{message} (`{contract}`)")).at(location.clone())
        }));
        // Rows whose key points to a row that never came are known too late for quarantine.
        let late: u64 = result
            .counts
            .iter()
            .filter(|count| count.rule == Rule::ForeignKey && self.itself.contains(&count.columns))
            .map(|count| count.rows)
            .sum();
        if late > 0 {
            let rows = crate::report::counted(late, "row");
            diagnostics.push(
                Diagnostic::warning(
                    Rule::ForeignKey.code(),
                    format!("The key of {rows} {}; such rows are published (`{contract}`)", Rule::ForeignKey.words()),
                )
                .at(location)
                .hint("Correct the rows at their source: `hotpass contracts validate` names them"),
            );
        }
        let mut statistics = ContractStatistics {
            file: self.id.file.to_string(),
            sheet: self.id.sheet.as_ref().map(ToString::to_string),
            table: self.id.table,
            source: self.source,
            result,
            context: None,
        };
        statistics.context = statistics.result.context(statistics.place());
        (statistics, diagnostics)
    }
}

/// Returns a rule that a row breaks, for quarantine and decisions.
fn broken_rule(check: &ContractCheck, letters: &[String], violation: &Violation) -> BrokenRule {
    let rule = check.broken_rule(violation);
    let field = &check.contract().fields[violation.field as usize];
    let column = violation.column.and_then(|column| letters.get(column as usize)).cloned();
    let message = if rule.columns.len() > 1 {
        format!("The key over `{}` {}", rule.columns.join("`, `"), violation.rule.words())
    } else {
        let place = column.as_ref().map(|letters| format!(" in column {letters}")).unwrap_or_default();
        format!("The value of `{}`{place} {}", field.name, violation.rule.words_for(field))
    };
    BrokenRule::new(violation.rule.code(), column, message, rule.identity)
}

/// Returns what is wrong with a table, a sentence each.
pub(crate) fn findings(context: &ContractContext) -> Vec<String> {
    let details = &context.details;
    let missing = details.missing.iter().map(|column| format!("Column `{column}` {}", Rule::MissingColumn.words()));
    let extra = details.extra.iter().map(|column| format!("Column `{column}` {}", Rule::ExtraColumn.words()));
    missing.chain(extra).chain(details.issues.iter().cloned()).collect()
}

/// Says why contracts fail the run, when they do: a table that breaks its contract as a whole; in strict mode also a row.
pub(crate) fn failure(statistics: &RunStatistics, mode: QaMode) -> Option<&'static str> {
    let broken = match mode {
        QaMode::Relaxed => false,
        QaMode::Default => statistics.contracts.iter().any(ContractStatistics::fails_table),
        QaMode::Strict => statistics.contracts.iter().any(|contract| !contract.result.passed),
    };
    broken.then_some("A contract is broken")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contracts_are_found_by_name_and_by_path() -> Result<(), Box<dyn std::error::Error>> {
        assert_eq!(find_contract("ssot", &[])?.contract.fields.len(), 27);
        let error = find_contract("sacaa_clean", &[]).err().ok_or("no such contract")?;
        assert_eq!(error.hint().as_deref(), Some("Did you mean `sacaa_cleaned`?"));
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("mine.json");
        hotpass_core::write_atomic(&path, r#"{"name": "ssot", "fields": [{"name": "a"}]}"#)?;
        assert_eq!(find_contract("ssot", std::slice::from_ref(&path))?.contract.fields.len(), 1, "a file goes first");
        assert_eq!(find_contract(&path.display().to_string(), &[])?.format, Format::Frictionless);
        assert!(matches!(find_contract("missing.json", &[]), Err(ContractLoadError::Read { .. })));
        Ok(())
    }

    #[test]
    fn the_published_table_has_a_contract_of_every_column() {
        let mut config = HotpassConfig::default();
        config.compliance.pii_fields = vec!["contact_primary_name".to_owned()];
        let contract = published_contract(&config);
        assert_eq!(contract.fields.len(), GOLDEN_COLUMNS.len());
        assert!(contract.validate().is_ok());
        let of = |name: &str| contract.field(name).and_then(|field| field.classification.as_deref());
        assert_eq!((of("contact_primary_name"), of("province")), (Some("pii"), Some("internal")));
    }
}
