//! `hotpass contracts`: what datasets promise, whether files keep it, and what a new version breaks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use hotpass_config::HotpassConfig;
use hotpass_core::{Diagnostic, Location, column_letters};
use hotpass_ingest::{
    IngestError, OpenTable, Opened, ReadOptions, SourceFile, default_memory_limit, discover, open_file,
    source::DiscoverOptions,
};
use hotpass_pipeline::contracts::{
    ContractLoadError, FoundContract, checked_columns, find_contract, find_contract_for, published_contract,
    read_contract, reference_keys,
};
use hotpass_provenance::Manifest;
use hotpass_quality::contract::documents::{Format, Notice, write};
use hotpass_quality::contract::{
    CheckOptions, Contract, ContractCheck, ContractResult, Diff, Inference, Violation, diff, shipped,
};
use serde_json::{Value, json};

use crate::context::{ConfigArgs, Context, RunArgs};
use crate::error::CommandError;
use crate::exit::{ErrorKind, Exit};

/// List, print, check, infer and compare data contracts
///
/// A contract says what a dataset promises: its columns, types, keys, ranges, freshness and size. Hotpass reads and writes its
/// own form, Frictionless Table Schema, JSON Schema, Open Data Contract Standard 3 and Great Expectations suites.
#[derive(Debug, Args)]
pub(crate) struct ContractsArgs {
    #[command(subcommand)]
    verb: ContractsVerb,
}

#[derive(Debug, Subcommand)]
enum ContractsVerb {
    /// List the contracts that can be named: those that ship and those of the profile
    List(ListArgs),
    /// Print a contract in any form: one that can be named, a file's, or that of a run's published table
    Emit(EmitArgs),
    /// Check files against a contract; exit code 3 when one breaks it
    Validate(ValidateArgs),
    /// Propose a contract for a file that has none
    Infer(InferArgs),
    /// Compare two versions of a contract; exit code 3 when the new one breaks readers or writers
    Diff(DiffArgs),
}

/// Form of a contract that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ContractFormat {
    /// Hotpass contract, which says everything
    Hotpass,
    /// Frictionless Table Schema, version 2
    Frictionless,
    /// Frictionless Table Schema, version 1
    FrictionlessV1,
    /// JSON Schema 2020-12 of a row
    JsonSchema,
    /// JSON Schema 2020-12 of an array of rows
    JsonSchemaArray,
    /// Open Data Contract Standard 3, YAML
    Odcs,
    /// Great Expectations suite, 1.x
    GreatExpectations,
}

impl From<ContractFormat> for Format {
    fn from(format: ContractFormat) -> Self {
        match format {
            ContractFormat::Hotpass => Self::Hotpass,
            ContractFormat::Frictionless => Self::Frictionless,
            ContractFormat::FrictionlessV1 => Self::FrictionlessV1,
            ContractFormat::JsonSchema => Self::JsonSchema,
            ContractFormat::JsonSchemaArray => Self::JsonSchemaArray,
            ContractFormat::Odcs => Self::Odcs,
            ContractFormat::GreatExpectations => Self::GreatExpectations,
        }
    }
}

/// Form of a result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ResultFormat {
    /// Lines and columns for people
    #[default]
    Table,
    /// One JSON document
    Json,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    format: ResultFormat,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass contracts emit sacaa_cleaned --format odcs
  hotpass contracts emit orders.schema.json --format great-expectations --output suite.json
  hotpass contracts emit --run latest --format json-schema")]
struct EmitArgs {
    /// Contract: its name or the path of its file; that of the run's published table when absent
    #[arg(value_name = "NAME|PATH")]
    contract: Option<String>,
    /// Form to write
    #[arg(long, value_enum, default_value = "frictionless")]
    format: ContractFormat,
    /// Write into this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    runs: RunArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass contracts validate register.xlsx --contract sacaa_cleaned --sheet Register
  hotpass contracts validate orders.csv --contract orders.schema.json --reference towns=towns.csv
  hotpass contracts validate inbox/ --contract orders.odcs.yaml --format json > found.json

Violations name file, sheet, row and column, never a value. Exit code 3 when a file breaks the contract.")]
struct ValidateArgs {
    /// Files, folders or patterns
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Contract: its name or the path of its file
    #[arg(long, value_name = "NAME|PATH")]
    contract: String,
    /// Check this sheet of workbooks; may be repeated; every table when absent
    #[arg(long, value_name = "SHEET")]
    sheet: Vec<String>,
    /// File with the values of a dataset that a foreign key points to, with `#SHEET` for one sheet of a workbook; may be repeated
    #[arg(long, value_name = "DATASET=FILE")]
    reference: Vec<String>,
    /// Show this many violations of each table; all are counted
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    format: ResultFormat,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Types, forms, keys, ranges (rounded outwards) and the labels of columns with few of them are proposed. No personal value is
written: columns that look personal get no labels and no limits. Read it before you hold anyone to it.

Examples:
  hotpass contracts infer orders.csv --output orders.contract.json
  hotpass contracts infer contacts.xlsx --sheet Contacts --format odcs")]
struct InferArgs {
    /// File
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// Sheet, for workbooks with several tables
    #[arg(long, value_name = "SHEET")]
    sheet: Option<String>,
    /// Name of the dataset; that of the file when absent
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Form to write
    #[arg(long, value_enum, default_value = "hotpass")]
    format: ContractFormat,
    /// Write into this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A change that takes less data breaks those who write it; one that takes more breaks those who read it.

Examples:
  hotpass contracts diff orders-1.json orders-2.json
  hotpass contracts diff ssot my-ssot.odcs.yaml --format json")]
struct DiffArgs {
    /// Old version: a name or the path of a file
    #[arg(value_name = "OLD")]
    old: String,
    /// New version: a name or the path of a file
    #[arg(value_name = "NEW")]
    new: String,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    format: ResultFormat,
}

/// Columns that a notice names one by one.
const SEPARATE_NOTICES: usize = 3;

pub(crate) fn run(args: ContractsArgs, context: &mut Context) -> Result<Exit, CommandError> {
    match args.verb {
        ContractsVerb::List(args) => list(&args, context),
        ContractsVerb::Emit(args) => emit(&args, context),
        ContractsVerb::Validate(args) => validate(&args, context),
        ContractsVerb::Infer(args) => infer(&args, context),
        ContractsVerb::Diff(args) => compare(&args, context),
    }
}

fn load_error(error: &ContractLoadError) -> CommandError {
    CommandError::usage("Cannot use the contract").caused_by(error).hint_if_some(error.hint())
}

/// Finds a contract, and says what its file holds that it cannot.
fn find(name: &str, config: &HotpassConfig, context: &mut Context) -> Result<FoundContract, CommandError> {
    let found = find_contract(name, &config.profile.contracts).map_err(|error| load_error(&error))?;
    tell(&found.notices, context);
    Ok(found)
}

/// Tells notices; one that many columns share once.
fn tell(notices: &[Notice], context: &mut Context) {
    let mut told: Vec<&str> = Vec::new();
    for notice in notices {
        let alike: Vec<&str> = notices
            .iter()
            .filter(|other| other.message == notice.message)
            .filter_map(|other| other.column.as_deref())
            .collect();
        if alike.len() <= SEPARATE_NOTICES {
            context.printer.note(format_args!("notice: {notice}"));
        } else if !told.contains(&notice.message.as_str()) {
            told.push(&notice.message);
            let shown = alike[..SEPARATE_NOTICES].join("`, `");
            let more = alike.len() - SEPARATE_NOTICES;
            context.printer.note(format_args!("notice: Columns `{shown}` and {more} more: {}", notice.message));
        }
    }
}

/// Makes sure that the output is none of the inputs.
fn spare(output: Option<&PathBuf>, input: &std::path::Path, what: &str) -> Result<(), CommandError> {
    let Some(output) = output else { return Ok(()) };
    let same = match (std::fs::canonicalize(output), std::fs::canonicalize(input)) {
        (Ok(output), Ok(input)) => output == input,
        _ => false,
    };
    if same {
        return Err(CommandError::usage(format!("`{}` is {what}, which would be overwritten", output.display()))
            .hint("Give another file with `--output`"));
    }
    Ok(())
}

fn list(args: &ListArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let loaded = args.config.load(context)?;
    let mut found: Vec<(String, Contract)> = Vec::new();
    for path in &loaded.config.profile.contracts {
        let contract = read_contract(path).map_err(|error| load_error(&error))?.contract;
        found.push((path.display().to_string(), contract));
    }
    found.extend(shipped::contracts().map(|contract| ("built in".to_owned(), contract)));
    if args.format == ResultFormat::Json {
        let rows: Vec<Value> = found
            .iter()
            .map(|(place, contract)| {
                json!({
                    "name": contract.name, "version": contract.version, "columns": contract.fields.len(),
                    "primary_key": contract.primary_key, "description": contract.description, "place": place,
                })
            })
            .collect();
        context.printer.json(&json!({ "contracts": rows }))?;
        return Ok(Exit::Done);
    }
    let rows = found.into_iter().map(|(place, contract)| {
        [
            contract.name.clone(),
            contract.version.clone(),
            contract.fields.len().to_string(),
            contract.primary_key.join(", "),
            contract.description.unwrap_or_default(),
            place,
        ]
    });
    context.printer.table(["contract", "version", "columns", "primary key", "holds", "from"], rows)?;
    Ok(Exit::Done)
}

fn emit(args: &EmitArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let contract = match &args.contract {
        Some(name) => {
            let loaded = args.config.load(context)?;
            let found = find(name, &loaded.config, context)?;
            if let Some(path) = &found.path {
                spare(args.output.as_ref(), path, "the contract that is read")?;
            }
            found.contract
        }
        None => run_contract(&args.runs)?,
    };
    put(&contract, args.format, args.output.as_ref(), context)
}

/// Returns the contract of the table that a run has published, by the configuration in its manifest.
fn run_contract(runs: &RunArgs) -> Result<Contract, CommandError> {
    let run = runs.find()?;
    let manifest = Manifest::read(run.root())
        .map_err(|error| CommandError::failure("Cannot read the run's manifest").caused_by(&error))?;
    let section = |key: &str| manifest.config.get(key).cloned().unwrap_or_default();
    let mut config = HotpassConfig::default();
    // Of a run's configuration only what the contract says is taken, so that runs of other versions can be read.
    let text = |section: &Value, key: &str| section.get(key).and_then(Value::as_str).map(str::to_owned);
    let data_contract = section("data_contract");
    if let Some(dataset) = text(&data_contract, "dataset") {
        config.data_contract.dataset = dataset;
    }
    if let Some(version) = text(&data_contract, "version") {
        config.data_contract.version = version;
    }
    config.data_contract.steward = text(&data_contract, "steward");
    if let Some(name) = text(&section("profile"), "display_name") {
        config.profile.display_name = name;
    }
    if let Some(fields) = section("compliance").get("pii_fields").and_then(Value::as_array) {
        config.compliance.pii_fields = fields.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    Ok(published_contract(&config))
}

fn put(
    contract: &Contract,
    format: ContractFormat,
    output: Option<&PathBuf>,
    context: &mut Context,
) -> Result<Exit, CommandError> {
    let written = write(contract, format.into())
        .map_err(|error| CommandError::usage("Cannot write the contract").caused_by(&error))?;
    match output {
        Some(path) => hotpass_core::write_atomic(path, &written.text).map_err(|error| {
            CommandError::failure(format!("Failed to write `{}`", path.display())).caused_by(&error)
        })?,
        None => context.printer.bytes(written.text.as_bytes())?,
    }
    tell(&written.notices, context);
    Ok(Exit::Done)
}

/// A table that was checked.
struct Checked {
    contract: Contract,
    location: Location,
    columns: Vec<(u32, String)>,
    result: ContractResult,
}

fn validate(args: &ValidateArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let loaded = args.config.load(context)?;
    let config = &loaded.config;
    let given = given_references(&args.reference)?;
    let (files, mut unread) = files(&args.paths)?;
    let (mut checked, mut sheets) = (Vec::new(), BTreeSet::new());
    let mut prepared: Option<(FoundContract, CheckOptions)> = None;
    let (mut told, mut referred) = (Vec::new(), BTreeSet::new());
    // Without a file the contract is looked at all the same.
    let names: Vec<Option<&str>> = files.iter().map(|file| Some(&*file.name)).collect();
    for (position, name) in names.into_iter().chain(files.is_empty().then_some(None)).enumerate() {
        let found =
            find_contract_for(&args.contract, &config.profile.contracts, name).map_err(|error| load_error(&error))?;
        let new: Vec<Notice> = found.notices.iter().filter(|notice| !told.contains(*notice)).cloned().collect();
        tell(&new, context);
        told.extend(new);
        let keys = found.contract.foreign_keys.iter().map(|key| &key.reference);
        referred.extend(keys.flat_map(|to| [to.dataset.clone(), to.file.clone()]).flatten());
        if prepared.as_ref().is_none_or(|(known, _)| known.contract != found.contract) {
            let references = reference_keys(&found, &given).map_err(|error| load_error(&error))?;
            let today = Some(context.clock.now().date_naive());
            let options = CheckOptions { today, references, listed: args.limit, ..CheckOptions::default() };
            prepared = Some((found, options));
        }
        let (Some(file), Some((found, options))) = (files.get(position), &prepared) else { continue };
        match validate_file(file, &found.contract, options, &args.sheet, config, context) {
            Ok((tables, names)) => {
                checked.extend(tables);
                sheets.extend(names);
            }
            Err(error) if matches!(error.kind, ErrorKind::Usage | ErrorKind::Failure) => unread.push(error),
            Err(error) => return Err(error),
        }
    }
    check_references(&given, &referred)?;
    if unread.is_empty() || !sheets.is_empty() {
        check_sheets(&args.sheet, &sheets, &files)?;
    }
    if checked.is_empty() {
        return Err(match unread.len() {
            0 => CommandError::usage("No table was found in the input")
                .hint("See what a file holds with `hotpass inspect`, and name a sheet with `--sheet`"),
            1 => unread.remove(0),
            _ => unread_error(&unread),
        });
    }
    let Some((found, _)) = prepared else { return Ok(Exit::Done) };
    let passed = checked.iter().all(|table| table.result.passed);
    match args.format {
        ResultFormat::Json => context.printer.json(&document(&found.contract, &checked, &unread, passed))?,
        ResultFormat::Table => show(&checked, context)?,
    }
    if !unread.is_empty() {
        return Err(unread_error(&unread));
    }
    Ok(if passed { Exit::Done } else { Exit::DidNotPass })
}

/// Checks the tables of a file; returns them with the sheets that the file has of those that were asked for.
fn validate_file(
    file: &SourceFile,
    contract: &Contract,
    options: &CheckOptions,
    sheets: &[String],
    config: &HotpassConfig,
    context: &mut Context,
) -> Result<(Vec<Checked>, BTreeSet<String>), CommandError> {
    let opened = open(file, contract, sheets, config, context)?;
    let names = sheets_of(&opened);
    let tables = opened.tables.into_iter().map(|table| check(table, contract, options, context));
    Ok((tables.collect::<Result<_, _>>()?, names))
}

/// Tells the files that could not be read, by the exit code of the worst.
fn unread_error(unread: &[CommandError]) -> CommandError {
    let failed = unread.iter().any(|error| error.kind == ErrorKind::Failure);
    let kind = if failed { ErrorKind::Failure } else { ErrorKind::Usage };
    let message = match unread.len() {
        1 => "1 file could not be read".to_owned(),
        count => format!("{count} files could not be read"),
    };
    let mut all = CommandError::new(kind, message);
    for error in unread {
        all.causes.push(std::iter::once(&error.message).chain(&error.causes).cloned().collect::<Vec<_>>().join(": "));
        for hint in &error.hints {
            if !all.hints.contains(hint) {
                all.hints.push(hint.clone());
            }
        }
    }
    all
}

/// Makes sure that every dataset that is given is one that the contract points to.
fn check_references(given: &BTreeMap<String, PathBuf>, referred: &BTreeSet<String>) -> Result<(), CommandError> {
    let Some(name) = given.keys().find(|name| !referred.contains(*name)) else { return Ok(()) };
    let hint = match hotpass_core::nearest(name, referred.iter().map(String::as_str)) {
        Some(near) => format!("Did you mean `{near}`?"),
        None if referred.is_empty() => {
            "The contract has no foreign key into another dataset: leave `--reference` out".to_owned()
        }
        None => {
            let known: Vec<&str> = referred.iter().map(String::as_str).collect();
            format!("Its foreign keys point to `{}`", known.join("`, `"))
        }
    };
    Err(CommandError::usage(format!("No foreign key of the contract points to `{name}`")).hint(hint))
}

/// Returns the sheets of a file that were read.
fn sheets_of(opened: &Opened) -> BTreeSet<String> {
    let tables = opened.tables.iter().map(|table| &table.schema.id);
    let ids = tables.chain(opened.skipped.iter().map(|skipped| &skipped.id));
    ids.filter_map(|id| Some(id.sheet.as_ref()?.to_string())).collect()
}

/// Makes sure that every sheet that was asked for is in one of the files.
fn check_sheets(wanted: &[String], read: &BTreeSet<String>, files: &[SourceFile]) -> Result<(), CommandError> {
    let there = |name: &String| read.iter().any(|sheet| sheet.eq_ignore_ascii_case(name));
    let Some(missing) = wanted.iter().find(|name| !there(name)) else { return Ok(()) };
    // Sheets that were not asked for were not read, and are named here.
    let all: BTreeSet<String> = files
        .iter()
        .filter_map(|file| open_file(file, &ReadOptions::default()).ok())
        .flat_map(|opened| sheets_of(&opened))
        .collect();
    let names: Vec<String> = files.iter().take(3).map(|file| format!("`{}`", file.name)).collect();
    let place = if files.len() > 3 { "none of the files".to_owned() } else { names.join(" and ") };
    if all.is_empty() {
        return Err(CommandError::usage(format!("There is no sheet `{missing}`: {place} has no sheets"))
            .hint("Leave `--sheet` out; it chooses among the sheets of workbooks"));
    }
    let hint = match hotpass_core::nearest(missing, all.iter().map(String::as_str)) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("There are `{}`", all.iter().map(String::as_str).collect::<Vec<_>>().join("`, `")),
    };
    Err(CommandError::usage(format!("There is no sheet `{missing}` in {place}")).hint(hint))
}

fn given_references(pairs: &[String]) -> Result<BTreeMap<String, PathBuf>, CommandError> {
    pairs
        .iter()
        .map(|pair| match pair.split_once('=') {
            Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok((name.to_owned(), PathBuf::from(path))),
            _ => Err(CommandError::usage(format!("`--reference` takes DATASET=FILE, not `{pair}`"))
                .hint("Write it as in `--reference towns=towns.csv`")),
        })
        .collect()
}

/// Finds the files; those that cannot be read at all come as errors.
fn files(paths: &[PathBuf]) -> Result<(Vec<SourceFile>, Vec<CommandError>), CommandError> {
    let found = discover(paths, &DiscoverOptions::default())
        .map_err(|error| CommandError::usage("Cannot find the input").hint(error.hint()).caused_by(&error))?;
    let unread = found.unreadable.into_iter().map(|diagnostic| {
        let mut error = CommandError::usage(format!("Cannot read `{}`", diagnostic.location));
        error.causes.push(diagnostic.message);
        error.hint_if_some(diagnostic.hint)
    });
    let unread = unread.collect();
    Ok((found.files, unread))
}

fn read_error(file: &SourceFile, error: IngestError) -> CommandError {
    let message = format!("Cannot read `{}`", file.name);
    match error {
        IngestError::Refused(diagnostic) => {
            let mut command_error = CommandError::usage(message).hint_if_some(diagnostic.hint.clone());
            command_error.causes.push(diagnostic.message);
            command_error
        }
        error @ IngestError::Read { .. } => CommandError::failure(message).caused_by(&error),
    }
}

/// Opens the tables of a file, on the sheets that are wanted.
fn open(
    file: &SourceFile,
    contract: &Contract,
    sheets: &[String],
    config: &HotpassConfig,
    context: &mut Context,
) -> Result<Opened, CommandError> {
    let options = ReadOptions {
        memory_limit_bytes: config.ingest.memory_limit_bytes.unwrap_or_else(default_memory_limit),
        header_hints: contract.fields.iter().map(|field| field.name.clone()).collect(),
        null_values: config.ingest.null_values.clone(),
        sheets: (!sheets.is_empty()).then(|| sheets.to_vec()),
        ..ReadOptions::default()
    };
    let opened = open_file(file, &options).map_err(|error| read_error(file, error))?;
    let warn = |diagnostic: &&Diagnostic| diagnostic.severity > hotpass_core::Severity::Info;
    for diagnostic in opened.diagnostics.iter().filter(warn) {
        context.printer.diagnostic(diagnostic);
    }
    if sheets.is_empty() && opened.tables.len() > 1 {
        context.printer.hint(format_args!(
            "`{}` holds {} tables, and each is checked; choose with `--sheet`",
            file.name,
            opened.tables.len()
        ));
    }
    Ok(opened)
}

fn check(
    table: OpenTable,
    contract: &Contract,
    options: &CheckOptions,
    context: &mut Context,
) -> Result<Checked, CommandError> {
    let schema = table.schema;
    let unusable = |error: &dyn std::error::Error| -> CommandError {
        CommandError::usage("Cannot check the table").caused_by(&std::io::Error::other(error.to_string()))
    };
    let mut check =
        ContractCheck::new(contract, &checked_columns(&schema), options).map_err(|error| unusable(&error))?;
    for batch in table.batches {
        if context.is_cancelled() {
            return Err(CommandError::interrupted());
        }
        let batch = batch.map_err(|error| {
            CommandError::failure(format!("Cannot read `{}`", schema.id.location())).caused_by(&error)
        })?;
        check.add(&batch).map_err(|error| unusable(&error))?;
    }
    for diagnostic in table.diagnostics.iter().chain(&table.late_diagnostics.take()) {
        if diagnostic.severity > hotpass_core::Severity::Info {
            context.printer.diagnostic(diagnostic);
        }
    }
    Ok(Checked {
        contract: contract.clone(),
        location: schema.id.location(),
        columns: schema.columns.iter().map(|column| (column.index, column.raw_header.clone())).collect(),
        result: check.finish(),
    })
}

impl Checked {
    /// Returns the place of a violation.
    fn place(&self, violation: &Violation) -> Location {
        let mut place = self.location.clone().row(violation.row);
        place.column = violation.column.and_then(|column| self.columns.get(column as usize)).map(|(index, _)| *index);
        place
    }
}

fn document(contract: &Contract, checked: &[Checked], unread: &[CommandError], passed: bool) -> Value {
    let tables: Vec<Value> = checked
        .iter()
        .map(|table| {
            let violations: Vec<Value> = table
                .result
                .violations
                .iter()
                .map(|violation| {
                    let place = table.place(violation);
                    json!({
                        "place": place.to_string(),
                        "row": violation.row,
                        "column": place.column.map(column_letters),
                        "field": table.contract.fields[violation.field as usize].name,
                        "rule": violation.rule,
                    })
                })
                .collect();
            let result = &table.result;
            json!({
                "file": table.location.file,
                "sheet": table.location.sheet,
                "contract": table.contract.name,
                "passed": result.passed,
                "rows": result.rows,
                "failed_rows": result.failed_rows,
                "counts": result.counts,
                "table": result.table,
                "violations": violations,
                "not_checked": result.not_checked,
                "context": result.context(table.location.to_string()),
            })
        })
        .collect();
    let unread: Vec<Value> = unread
        .iter()
        .map(|error| json!({"message": error.message, "causes": error.causes, "hints": error.hints}))
        .collect();
    json!({
        "contract": contract.name,
        "version": contract.version,
        "passed": passed && unread.is_empty(),
        "tables": tables,
        "unread": unread,
    })
}

fn show(checked: &[Checked], context: &mut Context) -> Result<(), CommandError> {
    for table in checked {
        let contract = &table.contract;
        let result = &table.result;
        let verdict = if result.passed { "keeps" } else { "breaks" };
        context.printer.line(format_args!(
            "{} {verdict} {} {}: {} of {} rows keep it",
            table.location,
            contract.name,
            contract.version,
            result.rows - result.failed_rows,
            result.rows
        ))?;
        for breach in &result.table {
            context.printer.line(format_args!("  {}", breach.message))?;
            if let Some(fix) = &breach.suggested_fix {
                context.printer.hint(fix);
            }
        }
        for message in &result.not_checked {
            context.printer.note(format_args!("notice: {message}"));
        }
        if !result.counts.is_empty() {
            let rows = result.counts.iter().map(|count| {
                [count.columns.join(", "), count.rule.to_string(), count.rows.to_string(), count.message.clone()]
            });
            context.printer.table(["column", "rule", "rows", "the value"], rows)?;
        }
        if !result.violations.is_empty() {
            let rows = result.violations.iter().map(|violation| {
                let field = &contract.fields[violation.field as usize].name;
                [table.place(violation).to_string(), field.clone(), violation.rule.to_string()]
            });
            context.printer.table(["place", "column", "rule"], rows)?;
            let all: u64 = result.counts.iter().map(|count| count.rows).sum();
            let more = all.saturating_sub(result.violations.len() as u64);
            if more > 0 {
                context.printer.note(format_args!("{more} more violations; show them with `--limit {all}`"));
            }
        }
    }
    Ok(())
}

fn infer(args: &InferArgs, context: &mut Context) -> Result<Exit, CommandError> {
    spare(args.output.as_ref(), &args.path, "the file that is read")?;
    let (files, unread) = files(std::slice::from_ref(&args.path))?;
    if let Some(unread) = unread.into_iter().next() {
        return Err(unread);
    }
    let [file] = files.as_slice() else {
        return Err(CommandError::usage(format!("`{}` is not one file", args.path.display()))
            .hint("Give one file; a contract is that of one table"));
    };
    let config = HotpassConfig::default();
    let sheets: Vec<String> = args.sheet.clone().into_iter().collect();
    let options = ReadOptions {
        memory_limit_bytes: config.ingest.memory_limit_bytes.unwrap_or_else(default_memory_limit),
        sheets: (!sheets.is_empty()).then_some(sheets),
        ..ReadOptions::default()
    };
    let mut opened = open_file(file, &options).map_err(|error| read_error(file, error))?;
    check_sheets(&args.sheet.iter().cloned().collect::<Vec<_>>(), &sheets_of(&opened), std::slice::from_ref(file))?;
    let names: Vec<String> =
        opened.tables.iter().filter_map(|table| Some(table.schema.id.sheet.as_ref()?.to_string())).collect();
    if opened.tables.len() > 1 {
        return Err(CommandError::usage(format!("`{}` holds {} tables", file.name, opened.tables.len()))
            .hint(format!("Choose one with `--sheet`: {}", names.join(", "))));
    }
    let Some(table) = opened.tables.pop() else {
        return Err(CommandError::usage(format!("`{}` holds no table", file.name))
            .hint("See what it holds with `hotpass inspect`"));
    };
    let unreadable = |error: &dyn std::error::Error| {
        CommandError::failure(format!("Cannot read `{}`", file.name))
            .caused_by(&std::io::Error::other(error.to_string()))
    };
    let mut inference = Inference::new(&checked_columns(&table.schema));
    for batch in table.batches {
        if context.is_cancelled() {
            return Err(CommandError::interrupted());
        }
        let batch = batch.map_err(|error| unreadable(&error))?;
        inference.add(&batch).map_err(|error| unreadable(&error))?;
    }
    let base = file.name.rsplit('/').next().unwrap_or(&file.name);
    let stem = base.split('.').next().unwrap_or(base);
    let name = args.name.clone().unwrap_or_else(|| args.sheet.clone().unwrap_or_else(|| stem.to_owned()));
    put(&inference.finish(name), args.format, args.output.as_ref(), context)
}

fn compare(args: &DiffArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let config = HotpassConfig::default();
    let old = find(&args.old, &config, context)?.contract;
    let new = find(&args.new, &config, context)?.contract;
    let differences: Diff = diff(&old, &new);
    let breaking = differences.is_breaking();
    if args.format == ResultFormat::Json {
        context.printer.json(&json!({
            "old": {"name": old.name, "version": old.version},
            "new": {"name": new.name, "version": new.version},
            "breaking": breaking,
            "changes": differences.changes,
            "suggested_version": differences.suggested_version,
        }))?;
    } else if differences.changes.is_empty() {
        context.printer.line("The contracts say the same")?;
    } else {
        let rows = differences.changes.iter().map(|change| {
            let whom = match (change.breaks_readers, change.breaks_writers) {
                (true, true) => "breaks readers and writers",
                (true, false) => "breaks readers",
                (false, true) => "breaks writers",
                (false, false) => "compatible",
            };
            [change.column.clone().unwrap_or_default(), change.change.clone(), whom.to_owned(), change.reason.clone()]
        });
        context.printer.table(["column", "change", "effect", "because"], rows)?;
        if let Some(version) = &differences.suggested_version {
            context
                .printer
                .hint(format_args!("The new contract should have version {version}, and has {}", new.version));
        }
    }
    Ok(if breaking { Exit::DidNotPass } else { Exit::Done })
}
