//! `hotpass privacy`: personal data in runs and files: found, reported, disclosed, erased, swept, led back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use clap::{Args, Subcommand, ValueEnum};
use hotpass_core::Secret;
use hotpass_pipeline::compliance::{
    ErasureOptions, ErasureReport, NameReach, PrivacyReport, RightsError, SubjectReport, erase, readmit,
    subject as find_subject, sweep,
};
use hotpass_pipeline::publish::{guard_formula, unguard_formula};
use hotpass_privacy::anonymity::{Anonymity, AnonymityReport};
use hotpass_privacy::subject::{Identifier, IdentifierKind};
use hotpass_privacy::{
    DataClass, Detector, Jurisdiction, PrivacyKey, class::jurisdiction_table, detect::TableFindings,
};
use hotpass_provenance::{Entry, EntryKind, Ledger};
use serde_json::json;

use crate::context::{Context, RunArgs, secret};
use crate::error::CommandError;
use crate::exit::Exit;

/// Find, report, disclose, erase and sweep personal data
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass privacy detect contacts.xlsx
  hotpass privacy report --quasi-identifier province --quasi-identifier organization_type
  hotpass privacy subject --email a.b@example.org --format json --output held.json
  hotpass privacy erase --email a.b@example.org --decision 2024-017 --yes
  hotpass privacy readmit --erased-by 2024-017 --decision 2025-003 --yes
  hotpass privacy sweep
  hotpass privacy detokenise --key file:privacy.key hpt1.email.…")]
pub(crate) struct PrivacyArgs {
    #[command(subcommand)]
    verb: PrivacyVerb,
}

#[derive(Debug, Subcommand)]
enum PrivacyVerb {
    Detect(DetectArgs),
    Report(ReportArgs),
    Subject(SubjectArgs),
    Erase(EraseArgs),
    Readmit(ReadmitArgs),
    Sweep(SweepArgs),
    Detokenise(DetokeniseArgs),
    Key(KeyArgs),
    Classes(ClassesArgs),
}

/// Form of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object
    Json,
}

/// Look for personal data in a file: classes and shares by column, no values
#[derive(Debug, Args)]
struct DetectArgs {
    /// File to look through (xlsx, xls, ods, csv, json, parquet, arrow …)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Rows of a table that are looked at one by one; of the rows behind them, every tenth
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    rows: u64,
    /// Form of the answer
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Form,
}

/// Report on personal data of a run or a file, and on how alone its rows stand
#[derive(Debug, Args)]
struct ReportArgs {
    /// Run (id, beginning of an id, `latest`) or file
    #[arg(value_name = "RUN|FILE", conflicts_with = "run")]
    target: Option<String>,
    #[command(flatten)]
    runs: RunArgs,
    /// Column by which rows may be told apart; may be repeated, and gives k and the share of unique rows
    #[arg(long, value_name = "COLUMN")]
    quasi_identifier: Vec<String>,
    /// Column whose values should differ within a class; may be repeated, and gives l
    #[arg(long, value_name = "COLUMN", requires = "quasi_identifier")]
    sensitive: Vec<String>,
    /// Form of the answer
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Form,
}

/// Who is looked for.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct WhoArgs {
    /// Address, telephone or identity number or name, as the text looks
    #[arg(long, value_name = "TEXT")]
    query: Vec<String>,
    /// E-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Vec<String>,
    /// Telephone number, in any form
    #[arg(long, value_name = "NUMBER")]
    phone: Vec<String>,
    /// Name of the person, in any order of its words
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,
    /// Identity, passport, membership or other number of the person
    #[arg(long, value_name = "NUMBER")]
    id: Vec<String>,
}

/// Tell everything that is held on a person, over all runs, with sources
#[derive(Debug, Args)]
struct SubjectArgs {
    #[command(flatten)]
    who: WhoArgs,
    /// Key of tokens and hashes (`env:NAME` or `file:PATH`), to find the person in redacted files
    #[arg(long, value_name = "REFERENCE")]
    key: Option<String>,
    /// Folder of runs and evidence
    #[arg(long, value_name = "DIR", default_value = "dist")]
    dist_dir: PathBuf,
    /// Form of the answer
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Form,
    /// Write the answer to this file, which only its owner can read, instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Erase a person from runs, outputs and archives, and keep them out of later runs; only shows what it would do without `--yes`
#[derive(Debug, Args)]
struct EraseArgs {
    #[command(flatten)]
    who: WhoArgs,
    /// Number or name of the decision; no personal data, since it stands in the ledger
    #[arg(long, value_name = "TEXT")]
    decision: String,
    /// Who decided; the operator of this program when absent
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// Folder of runs and evidence
    #[arg(long, value_name = "DIR", default_value = "dist")]
    dist_dir: PathBuf,
    /// Key of tokens and hashes (`env:NAME` or `file:PATH`), to erase those of the person from redacted files
    #[arg(long, value_name = "REFERENCE")]
    key: Option<String>,
    /// Take identifiers that many may share: a name of one word or of several people, a number of fewer than six letters and digits
    #[arg(long)]
    broad: bool,
    /// Do it
    #[arg(long)]
    yes: bool,
    /// Form of the answer
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Form,
}

/// Take people off the list of erased people, so that later runs take them in again; only shows what it would do without `--yes`
#[derive(Debug, Args)]
struct ReadmitArgs {
    /// Decision by which they were erased
    #[arg(long, value_name = "TEXT")]
    erased_by: String,
    /// Number or name of the decision to take them in again; no personal data, since it stands in the ledger
    #[arg(long, value_name = "TEXT")]
    decision: String,
    /// Who decided; the operator of this program when absent
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// Folder of runs and evidence
    #[arg(long, value_name = "DIR", default_value = "dist")]
    dist_dir: PathBuf,
    /// Do it
    #[arg(long)]
    yes: bool,
}

/// Remove runs and outputs whose retention is over; only shows what it would do without `--yes`
#[derive(Debug, Args)]
struct SweepArgs {
    /// Folder of runs and evidence
    #[arg(long, value_name = "DIR", default_value = "dist")]
    dist_dir: PathBuf,
    /// Show what would be removed, the default
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do it
    #[arg(long)]
    yes: bool,
    /// Form of the answer
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Form,
}

/// Lead tokens back to their values, for holders of the key
#[derive(Debug, Args)]
struct DetokeniseArgs {
    /// Where the key is: `env:NAME` or `file:PATH`
    #[arg(long, value_name = "REFERENCE")]
    key: String,
    /// Form of the standard input, which the output keeps
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: TokenForm,
    /// Tokens; the standard input when absent, in which every token is replaced
    #[arg(value_name = "TOKEN")]
    tokens: Vec<String>,
}

/// Form of a file with tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum TokenForm {
    /// What the text looks like
    #[default]
    Auto,
    /// Separated values: cells are quoted and kept from being formulas
    Csv,
    /// One document of JSON, or one on each line
    Json,
    /// Values as they are
    Text,
}

impl TokenForm {
    /// Returns the form of a text, and what separates its values.
    fn of(self, text: &str) -> (Self, char) {
        let head = text.lines().next().unwrap_or_default();
        let count = |separator: char| head.matches(separator).count();
        let separator =
            [',', ';', '\t', '|'].into_iter().rev().max_by_key(|separator| count(*separator)).unwrap_or(',');
        if self != Self::Auto {
            return (self, separator);
        }
        let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        let lines = || text.lines().filter(|line| !line.trim().is_empty());
        let begins = text.trim_start().starts_with(['{', '[']);
        if begins && (is_json(text) || lines().all(is_json)) {
            (Self::Json, separator)
        } else if count(separator) > 0 && !head.contains("hpt1.") && lines().count() > 1 {
            (Self::Csv, separator)
        } else {
            (Self::Auto, separator)
        }
    }
}

/// Make a key for hashes and tokens
#[derive(Debug, Args)]
struct KeyArgs {
    /// File to write, which only its owner can read
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

/// List the classes of personal data with their categories under POPIA and the GDPR, as Markdown
#[derive(Debug, Args)]
struct ClassesArgs {}

/// Runs `hotpass privacy`.
pub(crate) fn run(args: PrivacyArgs, context: &mut Context) -> Result<Exit, CommandError> {
    match args.verb {
        PrivacyVerb::Detect(args) => detect(&args, context),
        PrivacyVerb::Report(args) => report(args, context),
        PrivacyVerb::Subject(args) => subject(&args, context),
        PrivacyVerb::Erase(args) => erasure(&args, context),
        PrivacyVerb::Readmit(args) => readmitted(&args, context),
        PrivacyVerb::Sweep(args) => swept(&args, context),
        PrivacyVerb::Detokenise(args) => detokenise(&args, context),
        PrivacyVerb::Key(args) => make_key(&args, context),
        PrivacyVerb::Classes(_) => {
            context.printer.bytes(jurisdiction_table().as_bytes())?;
            Ok(Exit::Done)
        }
    }
}

fn detect(args: &DetectArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let tables = findings_of_file(&args.file, args.rows)?;
    match args.format {
        Form::Json => context.printer.json(&json!({
            "file": args.file.display().to_string(), "tables": tables, "categories": categories(&tables),
        }))?,
        Form::Text => print_findings(&tables, context)?,
    }
    Ok(Exit::Done)
}

/// Looks through every table of a file.
fn findings_of_file(path: &Path, limit: u64) -> Result<Vec<TableFindings>, CommandError> {
    let detector = Detector::new();
    let mut tables = Vec::new();
    each_table(path, |name, headers, batches| {
        let mut columns: Vec<_> = headers.iter().map(|header| detector.column(header)).collect();
        let mut rows = 0u64;
        for batch in batches {
            for row in 0..batch.num_rows() {
                rows += 1;
                let looked_at = rows <= limit || rows.is_multiple_of(10);
                for (column, cells) in columns.iter_mut().zip(batch.columns()) {
                    let Some(cells) = cells.as_string_opt::<i32>().filter(|cells| cells.is_valid(row)) else {
                        continue;
                    };
                    if looked_at { column.add(cells.value(row)) } else { column.skip() }
                }
            }
        }
        let columns = columns
            .into_iter()
            .map(hotpass_privacy::detect::ColumnDetector::finish)
            .filter(|column| !column.classes.is_empty())
            .collect();
        tables.push(TableFindings { table: name, rows, columns });
    })?;
    Ok(tables)
}

/// Reads a file's tables as text: name, headers, batches of those columns.
fn each_table(path: &Path, mut look: impl FnMut(String, Vec<String>, Vec<RecordBatch>)) -> Result<(), CommandError> {
    let cannot = |error: &(dyn std::error::Error + 'static)| {
        CommandError::failure(format!("Cannot read `{}`", path.display())).caused_by(error)
    };
    if !path.is_file() {
        return Err(CommandError::usage(format!("No file `{}`", path.display())));
    }
    let options = hotpass_ingest::source::DiscoverOptions::default();
    let found = hotpass_ingest::discover(&[path.to_path_buf()], &options).map_err(|error| cannot(&error))?;
    for file in &found.files {
        let opened =
            hotpass_ingest::open_file(file, &hotpass_ingest::ReadOptions::default()).map_err(|error| cannot(&error))?;
        for table in opened.tables {
            let headers: Vec<String> = table.schema.columns.iter().map(|column| column.raw_header.clone()).collect();
            let mut batches = Vec::new();
            for batch in table.batches {
                let batch = batch.map_err(|error| cannot(&error))?;
                // The first column holds row numbers.
                let columns: Vec<usize> = (1..batch.num_columns()).collect();
                batches.push(batch.project(&columns).map_err(|error| cannot(&error))?);
            }
            look(table.schema.id.location().to_string(), headers, batches);
        }
    }
    Ok(())
}

fn categories(tables: &[TableFindings]) -> BTreeMap<String, BTreeMap<&'static str, String>> {
    let found: BTreeSet<DataClass> = tables
        .iter()
        .flat_map(|table| &table.columns)
        .flat_map(|column| column.classes.iter().map(|finding| finding.class))
        .collect();
    found
        .into_iter()
        .map(|class| {
            let by_law = Jurisdiction::ALL
                .into_iter()
                .map(|law| {
                    let category = class.category(law);
                    (law.name(), format!("{} ({})", category.category, category.reference))
                })
                .collect();
            (class.to_string(), by_law)
        })
        .collect()
}

fn print_findings(tables: &[TableFindings], context: &mut Context) -> Result<(), CommandError> {
    for table in tables {
        context.printer.line(format!("{} ({} rows)", table.table, table.rows))?;
        if table.columns.is_empty() {
            context.printer.line("  no personal data was found")?;
        }
        for column in &table.columns {
            for finding in &column.classes {
                let evidence: Vec<&str> = finding.evidence.keys().map(String::as_str).collect();
                let category = finding.class.category(Jurisdiction::Popia);
                context.printer.line(format!(
                    "  {}: {} in {} of {} cells ({:.1} %), confidence {:.2} by {}{}; {}",
                    column.column,
                    finding.class,
                    finding.cells,
                    column.scanned,
                    finding.share * 100.0,
                    finding.confidence,
                    evidence.join(", "),
                    if category.special { ", SPECIAL" } else { "" },
                    category.reference,
                ))?;
            }
        }
    }
    context
        .printer
        .note("Names are found by header, title and a short list; what was not found may be there all the same");
    Ok(())
}

fn report(mut args: ReportArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let file = args.target.as_ref().map(PathBuf::from).filter(|path| path.is_file());
    let (name, golden, mut privacy) = if let Some(file) = file {
        let tables = findings_of_file(&file, 100_000)?;
        let mut report = PrivacyReport { sources: tables, ..PrivacyReport::default() };
        report.categories = owned(categories(&report.sources));
        (file.display().to_string(), file, report)
    } else {
        if let Some(target) = args.target.take() {
            args.runs.run = target;
        }
        let run = args.runs.find()?;
        let golden = run.path("golden.parquet");
        let text = std::fs::read_to_string(run.path("privacy.json")).ok();
        let report = text.and_then(|text| serde_json::from_str::<PrivacyReport>(&text).ok());
        (format!("run {}", run.id()), golden, report.unwrap_or_default())
    };
    if privacy.sources.is_empty() && privacy.published.is_none() {
        let mut tables = findings_of_file(&golden, 100_000)?;
        privacy.published = tables.pop();
        let all: Vec<TableFindings> = privacy.published.iter().cloned().collect();
        privacy.categories = owned(categories(&all));
        if privacy.policy.is_empty() {
            privacy.issues.push(
                "The run was made without the compliance stage: no consent rule, no retention, no redaction".to_owned(),
            );
        }
    }
    let anonymity = if args.quasi_identifier.is_empty() { None } else { Some(anonymity(&golden, &args)?) };
    match args.format {
        Form::Json => {
            context.printer.json(&json!({ "target": name, "privacy": privacy, "anonymity": anonymity }))?;
        }
        Form::Text => print_report(&name, &privacy, anonymity.as_ref(), context)?,
    }
    Ok(Exit::Done)
}

fn owned(categories: BTreeMap<String, BTreeMap<&'static str, String>>) -> BTreeMap<String, BTreeMap<String, String>> {
    categories
        .into_iter()
        .map(|(class, laws)| (class, laws.into_iter().map(|(law, text)| (law.to_owned(), text)).collect()))
        .collect()
}

/// Counts how alone rows stand.
fn anonymity(path: &Path, args: &ReportArgs) -> Result<AnonymityReport, CommandError> {
    let mut counter = Anonymity::new(args.quasi_identifier.clone(), args.sensitive.clone());
    let mut problem = None;
    let mut counted = false;
    // A workbook has sheets besides that of the rows; those with the columns count.
    each_table(path, |_, headers, batches| {
        let place = |name: &String| headers.iter().position(|header| header == name);
        let columns: Vec<Option<usize>> = args.quasi_identifier.iter().chain(&args.sensitive).map(place).collect();
        if let Some(missing) = columns.iter().position(Option::is_none) {
            let name = args.quasi_identifier.iter().chain(&args.sensitive).nth(missing).cloned().unwrap_or_default();
            let nearest = hotpass_core::nearest(&name, headers.iter().map(String::as_str)).map(ToOwned::to_owned);
            problem.get_or_insert((name, nearest));
            return;
        }
        counted = true;
        for batch in batches {
            let texts: Vec<_> =
                columns.iter().flatten().filter_map(|&at| cast(batch.column(at), &DataType::Utf8).ok()).collect();
            for row in 0..batch.num_rows() {
                let mut values: Vec<Option<String>> = texts
                    .iter()
                    .map(|text| {
                        let text = text.as_string::<i32>();
                        text.is_valid(row).then(|| text.value(row).to_owned())
                    })
                    .collect();
                let sensitive = values.split_off(args.quasi_identifier.len().min(values.len()));
                counter.add(values, sensitive);
            }
        }
    })?;
    if let Some((name, nearest)) = problem.filter(|_| !counted) {
        return Err(CommandError::usage(format!("No column `{name}` in `{}`", path.display()))
            .hint_if_some(nearest.map(|nearest| format!("Did you mean `{nearest}`?"))));
    }
    Ok(counter.finish())
}

fn print_report(
    name: &str,
    privacy: &PrivacyReport,
    anonymity: Option<&AnonymityReport>,
    context: &mut Context,
) -> Result<(), CommandError> {
    context.printer.line(format!("Personal data of {name}"))?;
    if !privacy.policy.is_empty() {
        context.printer.line(format!(
            "Policy {} ({}); basis {}; purposes: {}",
            privacy.policy,
            privacy.jurisdiction,
            privacy.lawful_basis,
            privacy.purposes.join("; ")
        ))?;
        let states: Vec<String> =
            privacy.consent.states.iter().map(|(state, count)| format!("{count} {state}")).collect();
        context.printer.line(format!(
            "Consent {}: {}; {} lacking, {} withheld, {} with contacts redacted",
            if privacy.consent.required { "needed" } else { "not asked for" },
            states.join(", "),
            privacy.consent.lacking,
            privacy.consent.withheld,
            privacy.consent.contacts_redacted
        ))?;
        context.printer.line(format!(
            "Retention: {} days, run until {}, first entity until {}, {} overdue",
            privacy.retention.days.map_or("no number of".to_owned(), |days| days.to_string()),
            privacy.retention.run_until.as_deref().unwrap_or("-"),
            privacy.retention.earliest.as_deref().unwrap_or("-"),
            privacy.retention.overdue
        ))?;
        for (column, operator) in &privacy.redaction.columns {
            context.printer.line(format!("  {column}: {operator}"))?;
        }
        for (class, operator) in &privacy.redaction.classes {
            context.printer.line(format!("  {class} within texts: {operator}"))?;
        }
    }
    let tables: Vec<TableFindings> = privacy.sources.iter().chain(&privacy.published).cloned().collect();
    print_findings(&tables, context)?;
    if !privacy.categories.is_empty() {
        context.printer.line("What the laws call it:")?;
    }
    for (class, laws) in &privacy.categories {
        let laws: Vec<String> = laws.iter().rev().map(|(law, category)| format!("{law}: {category}")).collect();
        context.printer.line(format!("  {class}: {}", laws.join("; ")))?;
    }
    if let Some(anonymity) = anonymity {
        context.printer.line(format!(
            "By {}: k = {}; {} of {} rows are unique ({:.1} %), {} are in classes of fewer than five",
            anonymity.quasi_identifiers.join(", "),
            anonymity.k,
            anonymity.unique_rows,
            anonymity.rows,
            anonymity.unique_share * 100.0,
            anonymity.rows_below_five
        ))?;
        for (size, classes) in &anonymity.histogram {
            context.printer.line(format!("  classes of {size}: {classes}"))?;
        }
        for (column, l) in &anonymity.l_diversity {
            context.printer.line(format!("  {column}: l = {l}"))?;
        }
    }
    for issue in &privacy.issues {
        context.printer.line(format!("issue: {issue}"))?;
    }
    Ok(())
}

impl WhoArgs {
    fn identifiers(&self) -> Result<Vec<Identifier>, CommandError> {
        let mut identifiers = Vec::new();
        for text in &self.query {
            let guesses = Identifier::guesses(text);
            identifiers.push(guesses.first().cloned());
            identifiers.extend(guesses.into_iter().skip(1).map(Some));
        }
        for (texts, kind) in [
            (&self.email, IdentifierKind::Email),
            (&self.phone, IdentifierKind::Phone),
            (&self.name, IdentifierKind::Name),
            (&self.id, IdentifierKind::Number),
        ] {
            identifiers.extend(texts.iter().map(|text| Identifier::new(kind, text)));
        }
        // The text is not repeated: it is personal.
        identifiers.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| {
            CommandError::usage("What is asked for is no address, number or name")
                .hint("An address has a local part, an `@` and a domain, a telephone number at least seven digits, another number at least four characters")
        })
    }
}

fn subject(args: &SubjectArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let identifiers = args.who.identifiers()?;
    let key = key_of(args.key.as_deref(), context)?;
    let report = find_subject(&args.dist_dir, &identifiers, key.as_ref()).map_err(|error| rights_error(&error))?;
    let services = context.services();
    let entry = Entry::new(EntryKind::PrivacyDisclosed)
        .by(services.operator.as_deref(), &services.command)
        .detail("runs", report.runs.len() as u64)
        .detail("cells", report.runs.iter().map(|run| run.cells.len() as u64).sum::<u64>());
    Ledger::open(args.dist_dir.join(hotpass_provenance::ledger::LEDGER_FILE))
        .append(entry, context.clock)
        .map_err(|error| CommandError::failure("Cannot record the disclosure").caused_by(&error))?;
    let text = match args.format {
        Form::Json => format!("{:#}\n", json!(report)),
        Form::Text => subject_text(&report),
    };
    match &args.output {
        Some(path) => {
            write_private(path, text.as_bytes())?;
            context.printer.note(format!("wrote `{}`, for its owner only", path.display()));
        }
        None => context.printer.bytes(text.as_bytes())?,
    }
    Ok(Exit::Done)
}

fn subject_text(report: &SubjectReport) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    if report.runs.is_empty() && report.archives.is_empty() && report.inputs.is_empty() {
        text.push_str("Nothing is held\n");
    }
    for (kind, value) in &report.related {
        let _ = writeln!(text, "The same person has {}: {value}", kind.name());
    }
    if let Some(unreached) = unreached(&report.unreached) {
        let _ = writeln!(text, "{unreached}");
    }
    for run in &report.runs {
        let _ = writeln!(
            text,
            "run {} of {}, kept until {}",
            run.run_id,
            run.started_at,
            run.retention_until.as_deref().unwrap_or("no date")
        );
        for cell in &run.cells {
            let _ = writeln!(
                text,
                "  {} {} {}: {}{}",
                cell.table,
                cell.entity_id.as_deref().unwrap_or("-"),
                cell.field,
                cell.value,
                cell.source.as_ref().map(|source| format!(" (from {source})")).unwrap_or_default()
            );
        }
        for file in &run.files {
            let _ = writeln!(text, "  in {}", file.display());
        }
    }
    for archive in &report.archives {
        let _ = writeln!(text, "archive {}", archive.display());
    }
    for input in &report.inputs {
        let _ = writeln!(text, "input {}", input.display());
    }
    text
}

/// Writes a file that only its owner can read.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    let cannot =
        |error: std::io::Error| CommandError::failure(format!("Cannot write `{}`", path.display())).caused_by(&error);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        options.mode(0o600);
        if path.exists() {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(cannot)?;
        }
    }
    let mut file = options.open(path).map_err(cannot)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(cannot)
}

fn erasure(args: &EraseArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let identifiers = args.who.identifiers()?;
    if args.decision.trim().is_empty() {
        return Err(CommandError::usage("An erasure needs a decision").hint("Name it with `--decision`"));
    }
    let mut services = context.services();
    if args.operator.is_some() {
        services.operator.clone_from(&args.operator);
    }
    let decision = args.decision.trim();
    let key = key_of(args.key.as_deref(), context)?;
    let options = ErasureOptions { broad: args.broad, confirmed: args.yes, key };
    let report = erase(&args.dist_dir, &identifiers, decision, &services, context.clock, &options)
        .map_err(|error| rights_error(&error))?;
    match args.format {
        Form::Json => context.printer.json(&json!(report))?,
        Form::Text => print_erasure(&report, context)?,
    }
    if !args.yes {
        context.printer.hint("Nothing was changed; add `--yes` to do it");
    }
    Ok(Exit::Done)
}

fn print_erasure(report: &ErasureReport, context: &mut Context) -> Result<(), CommandError> {
    for file in &report.files {
        let what = match (&file.sha256, report.done) {
            (_, false) => "holds the person",
            (Some(_), true) => "rewritten",
            (None, true) => "removed",
        };
        context.printer.line(format!("{what}: {} (run {})", file.path, file.run_id))?;
    }
    if !report.related.is_empty() {
        let kinds: Vec<&str> = report.related.iter().map(|kind| kind.name()).collect();
        context.printer.line(format!(
            "what stands beside it goes too: {}; `hotpass privacy subject` shows it",
            kinds.join(", ")
        ))?;
    }
    let count = |reach| report.names.iter().filter(|name| **name == reach).count();
    let goes = if report.done { "went" } else { "goes" };
    if count(NameReach::Everywhere) > 0 {
        context.printer.line(format!("the name is known of nobody else: it {goes} from every text"))?;
    }
    if count(NameReach::Beside) > 0 {
        context.printer.line(format!(
            "others are known by the name: it {goes} only beside an address or number of the person, and from the person's entities"
        ))?;
    }
    if !report.row_columns.is_empty() {
        let columns: Vec<&str> = report.row_columns.iter().map(String::as_str).collect();
        context.printer.line(format!("of the person's rows {goes} what stands in: {}", columns.join(", ")))?;
    }
    let verb = if report.done { "are" } else { "would be" };
    context.printer.line(format!(
        "{} files; {} identifiers {verb} on the list that keeps the person out of later runs",
        report.files.len(),
        report.suppressed
    ))?;
    if let Some(unreached) = unreached(&report.unreached) {
        context.printer.line(unreached)?;
    }
    for input in &report.inputs {
        context.printer.line(format!("still in an input, which is yours to change: {}", input.display()))?;
    }
    for path in &report.changed {
        context
            .printer
            .line(format!("still in an output that was changed after its run, which is yours: {}", path.display()))?;
    }
    if report.completed > 0 {
        context.printer.note(format!("completed an erasure that was interrupted: {} files", report.completed));
    }
    Ok(())
}

fn readmitted(args: &ReadmitArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let mut services = context.services();
    if args.operator.is_some() {
        services.operator.clone_from(&args.operator);
    }
    let (erased_by, decision) = (args.erased_by.trim(), args.decision.trim());
    let count = readmit(&args.dist_dir, erased_by, decision, &services, context.clock, args.yes)
        .map_err(|error| rights_error(&error))?;
    if count == 0 {
        return Err(CommandError::usage(format!("Nobody on the list was erased by decision `{erased_by}`"))
            .hint("`grep privacy.erased dist/ledger.ndjson` shows the decisions"));
    }
    let verb = if args.yes { "are" } else { "would be" };
    context.printer.line(format!("{count} {verb} off the list of erased people"))?;
    if !args.yes {
        context.printer.hint("Nothing was changed; add `--yes` to do it");
    }
    Ok(Exit::Done)
}

fn swept(args: &SweepArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let services = context.services();
    let runs = sweep(&args.dist_dir, &services, context.clock, args.yes).map_err(|error| rights_error(&error))?;
    match args.format {
        Form::Json => context.printer.json(&json!({ "done": args.yes, "runs": runs }))?,
        Form::Text => {
            for run in &runs {
                context.printer.line(format!("run {} was to be kept until {}", run.run_id, run.retention_until))?;
                for path in &run.removed {
                    let verb = if args.yes { "removed" } else { "would remove" };
                    context.printer.line(format!("  {verb} {}", path.display()))?;
                }
            }
            if runs.is_empty() {
                context.printer.line("No run is past its retention date")?;
            }
        }
    }
    if !args.yes && !runs.is_empty() {
        context.printer.hint("Nothing was removed; add `--yes` to do it");
    }
    Ok(Exit::Done)
}

fn rights_error(error: &RightsError) -> CommandError {
    let message = "Cannot look through the runs";
    match error {
        RightsError::NoRuns { .. } => {
            CommandError::usage(message).caused_by(error).hint("Name the folder of runs with `--dist-dir`")
        }
        RightsError::Weak { .. } => CommandError::usage("Cannot erase by what is asked for").caused_by(error).hint(
            "Name an address, a number of six digits or more, or a name of two words; `--broad` takes it all the same",
        ),
        RightsError::SharedName { .. } => CommandError::usage("Cannot tell who is meant")
            .caused_by(error)
            .hint("Name an address or number of the person too; `--broad` takes all of them"),
        RightsError::DecisionNames => CommandError::usage("Cannot record the decision")
            .caused_by(error)
            .hint("Give it a number, such as `--decision 2024-017`"),
        RightsError::Suppression(_) => CommandError::usage(message)
            .caused_by(error)
            .hint("Restore the file from a backup; to take a person in again, use `hotpass privacy readmit`"),
        _ => CommandError::failure(message).caused_by(error),
    }
}

/// Says which columns were not looked into, for want of a key.
fn unreached(columns: &BTreeSet<String>) -> Option<String> {
    if columns.is_empty() {
        return None;
    }
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    Some(format!(
        "{} columns hold tokens or hashes that were not looked into; give their key with `--key`: {}",
        columns.len(),
        names.join(", ")
    ))
}

/// Reads the key of tokens and hashes.
fn key_of(reference: Option<&str>, context: &mut Context) -> Result<Option<PrivacyKey>, CommandError> {
    let Some(reference) = reference else { return Ok(None) };
    let cannot = || CommandError::usage("Cannot use the key");
    let key = secret(reference).map_err(|error| cannot().caused_by(&error))?;
    context.warn_of_open_key(reference);
    PrivacyKey::new(&key).map(Some).map_err(|error| cannot().caused_by(&error))
}

fn detokenise(args: &DetokeniseArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let Some(key) = key_of(Some(&args.key), context)? else { return Ok(Exit::Done) };
    if args.tokens.is_empty() {
        if std::io::stdin().is_terminal() {
            context.printer.note("Reading text with tokens from the standard input");
        }
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| CommandError::failure("Cannot read the standard input").caused_by(&error))?;
        let (form, separator) = args.format.of(&text);
        let led = match form {
            TokenForm::Csv => {
                let guard = |value: &str| guard_formula(unguard_formula(value)).into_owned();
                key.detokenise_csv(&text, separator, guard)
            }
            TokenForm::Json => key.detokenise_json(&text),
            TokenForm::Text | TokenForm::Auto => key.detokenise_text(&text),
        };
        let (plain, count) =
            led.map_err(|error| CommandError::usage("Cannot lead the tokens back").caused_by(&error))?;
        // Such a value breaks the form of a file, if the text is one.
        let breaks = |text: &str| text.matches([',', ';', '\t', '|', '"', '\n', '\r']).count();
        if form == TokenForm::Auto && breaks(&plain) != breaks(&text) {
            return Err(CommandError::usage(
                "Cannot tell the form of the text, and a value holds what separates values",
            )
            .hint("Say which it is with `--format csv`, `--format json` or `--format text`"));
        }
        context.printer.bytes(plain.as_bytes())?;
        context.printer.note(format!("{count} tokens were led back"));
        return Ok(Exit::Done);
    }
    for token in &args.tokens {
        let value = key
            .detokenise(token)
            .map_err(|error| CommandError::usage("Cannot lead the token back").caused_by(&error))?;
        context.printer.line(value)?;
    }
    Ok(Exit::Done)
}

fn make_key(args: &KeyArgs, context: &mut Context) -> Result<Exit, CommandError> {
    if args.output.exists() {
        return Err(CommandError::usage(format!("`{}` is there already", args.output.display()))
            .hint("Tokens of a key that is lost can never be led back; choose another name"));
    }
    let key = PrivacyKey::generate().map_err(|error| CommandError::failure("Cannot make a key").caused_by(&error))?;
    let key = Secret::new(key);
    write_private(&args.output, format!("{}\n", key.expose()).as_bytes())?;
    context.printer.note(format!("wrote `{}`; keep it apart from the data", args.output.display()));
    Ok(Exit::Done)
}
