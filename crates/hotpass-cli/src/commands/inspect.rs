//! `hotpass inspect`: what is found in files, before anything is done with it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hotpass_config::HotpassConfig;
use hotpass_core::{Diagnostic, column_letters};
use hotpass_ingest::{
    IngestError, OpenTable, Skipped, SourceFile,
    columns::{ColumnProfile, ProfileOptions, TableProfiler},
    discover,
    mapping::{ColumnMapping, MappingFile, TableMapping, map_columns},
    open_file,
    source::DiscoverOptions,
    table::{ContentType, SourceColumn, TableId, TableSchema},
};
use hotpass_pipeline::{FileRules, MappingFileError, mapping_files};
use serde::Serialize;

use crate::context::{ConfigArgs, Context};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::printer::Style;

/// Show which tables, columns and meanings are found in files, with a profile of each column
#[derive(Debug, Args)]
#[command(after_help = "\
Samples show the shape of values: X a capital, x another letter, 9 a digit.

Examples:
  hotpass inspect data/
  hotpass inspect contacts.xlsx --profile aviation --show-values
  hotpass inspect data/ --format json > found.json")]
pub(crate) struct InspectArgs {
    /// Files, folders or patterns
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Form of the result
    #[arg(long, value_enum, default_value = "table")]
    format: InspectFormat,
    /// Show values as they are instead of their shapes
    #[arg(long)]
    show_values: bool,
    /// Look at this many rows of each table; at all of them when absent
    #[arg(long, value_name = "N")]
    rows: Option<u64>,
    /// Read this mapping file, made by `hotpass map`; may be repeated, later files win
    #[arg(long, value_name = "FILE")]
    mapping: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InspectFormat {
    /// Lines and columns for people
    Table,
    /// One JSON document
    Json,
}

/// What was found in a file.
#[derive(Debug, Serialize)]
pub(super) struct FoundFile {
    name: String,
    format: &'static str,
    bytes: u64,
    pub(super) tables: Vec<FoundTable>,
    skipped: Vec<Skipped>,
    diagnostics: Vec<Diagnostic>,
}

impl FoundFile {
    /// Makes the entry of a file that is there by name only.
    fn unreadable(diagnostic: Diagnostic) -> Self {
        Self {
            name: diagnostic.location.file.as_deref().unwrap_or_default().to_owned(),
            format: "unreadable",
            bytes: 0,
            tables: Vec::new(),
            skipped: Vec::new(),
            diagnostics: vec![diagnostic],
        }
    }
}

/// What was found in a table.
#[derive(Debug, Serialize)]
pub(super) struct FoundTable {
    #[serde(flatten)]
    pub(super) id: TableId,
    header_row: Option<u32>,
    rows: u64,
    all_rows_read: bool,
    is_data: bool,
    not_data_because: Option<String>,
    missing_required: Vec<String>,
    columns: Vec<FoundColumn>,
    diagnostics: Vec<Diagnostic>,
    #[serde(skip)]
    pub(super) mapping: TableMapping,
}

#[derive(Debug, Serialize)]
struct FoundColumn {
    letters: String,
    source: SourceColumn,
    mapping: ColumnMapping,
    profile: ColumnProfile,
}

/// What is looked for, and how far.
pub(super) struct Survey<'a> {
    pub(super) paths: &'a [PathBuf],
    pub(super) config: &'a HotpassConfig,
    pub(super) mapping_files: Vec<MappingFile>,
    pub(super) rows: u64,
    pub(super) profile: ProfileOptions,
}

pub(crate) fn run(args: InspectArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let mut loaded = args.config.load(context)?;
    // As with `hotpass refine`, files named here take the place of those of the configuration.
    if !args.mapping.is_empty() {
        loaded.config.ingest.mapping_files = args.mapping;
    }
    let survey = Survey {
        paths: &args.paths,
        config: &loaded.config,
        mapping_files: mapping_files(&loaded.config).map_err(mapping_file_error)?,
        rows: args.rows.unwrap_or(u64::MAX),
        profile: ProfileOptions { show_values: args.show_values, ..ProfileOptions::default() },
    };
    let files = survey.files(context)?;
    match args.format {
        InspectFormat::Json => context.printer.json(&serde_json::json!({ "files": files }))?,
        InspectFormat::Table => {
            for file in &files {
                print_file(file, context)?;
            }
            print_summary(&files, context);
        }
    }
    if files.iter().all(|file| file.tables.is_empty()) {
        return Err(CommandError::usage("No table was found in the input")
            .hint("The diagnostics above say why; formats read are xlsx, xlsm, xls, xlsb, ods, csv, tsv, psv, json, ndjson, parquet and arrow"));
    }
    Ok(Exit::Done)
}

/// Returns the error for a mapping file that cannot be used.
pub(super) fn mapping_file_error(error: MappingFileError) -> CommandError {
    CommandError::usage(error.to_string()).hint(error.hint()).caused_by(error.source.as_ref())
}

impl Survey<'_> {
    /// Opens every file and reads its tables; a file that cannot be read is a diagnostic.
    pub(super) fn files(&self, context: &Context) -> Result<Vec<FoundFile>, CommandError> {
        let options = DiscoverOptions { dist_dir: Some(self.config.pipeline.dist_dir.clone()) };
        let found = discover(self.paths, &options)
            .map_err(|error| CommandError::usage("Cannot find the input").hint(error.hint()).caused_by(&error))?;
        let mut files: Vec<FoundFile> = found.unreadable.into_iter().map(FoundFile::unreadable).collect();
        for file in &found.files {
            files.push(self.file(file, context)?);
        }
        Ok(files)
    }

    fn file(&self, file: &SourceFile, context: &Context) -> Result<FoundFile, CommandError> {
        let mut found = FoundFile {
            name: file.name.to_string(),
            format: file.format.name(),
            bytes: file.bytes,
            tables: Vec::new(),
            skipped: Vec::new(),
            diagnostics: Vec::new(),
        };
        let file_rules = FileRules::of(self.config, &file.name);
        let opened = match open_file(file, &file_rules.read_options()) {
            Ok(opened) => opened,
            Err(error) => {
                found.diagnostics.push(refusal(file, error));
                return Ok(found);
            }
        };
        found.skipped = opened.skipped;
        found.diagnostics = opened.diagnostics;
        for table in opened.tables {
            if context.is_cancelled() {
                return Err(CommandError::interrupted());
            }
            found.tables.push(self.table(table, file, file_rules, context)?);
        }
        Ok(found)
    }

    fn table(
        &self,
        table: OpenTable,
        file: &SourceFile,
        file_rules: FileRules<'_>,
        context: &Context,
    ) -> Result<FoundTable, CommandError> {
        let OpenTable { schema, mut diagnostics, late_diagnostics, batches } = table;
        let rules = file_rules.mapping_rules(&self.mapping_files, &schema.id);
        let mut profiler = TableProfiler::new();
        let mut mapping = None;
        let mut rows = 0_u64;
        let mut all_rows_read = true;
        for batch in batches {
            if context.is_cancelled() {
                return Err(CommandError::interrupted());
            }
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => {
                    diagnostics.push(refusal(file, error));
                    all_rows_read = false;
                    break;
                }
            };
            let wanted = usize::try_from(self.rows - rows).unwrap_or(usize::MAX).min(batch.num_rows());
            mapping.get_or_insert_with(|| map_columns(&schema, &batch, &rules));
            profiler.add(&batch.slice(0, wanted));
            rows += wanted as u64;
            // Only a row beyond the limit shows that the table goes on: it may end exactly there.
            if wanted < batch.num_rows() {
                all_rows_read = false;
                break;
            }
        }
        diagnostics.extend(late_diagnostics.take());
        let no_rows = mapping.is_none();
        let mapping = mapping.unwrap_or_else(|| map_columns(&schema, &empty_batch(), &rules));
        let columns = columns(&schema, &mapping, profiler.finish(&schema, self.profile));
        let not_data_because = if no_rows {
            Some("it has no rows below its header".to_owned())
        } else if mapping.is_data() || file_rules.lists(&schema.id) {
            None
        } else {
            Some(format!("no column is `{}`", mapping.missing_required.join("` or `")))
        };
        Ok(FoundTable {
            header_row: schema.header_row,
            rows,
            all_rows_read,
            is_data: not_data_because.is_none(),
            not_data_because,
            missing_required: mapping.missing_required.clone(),
            columns,
            diagnostics,
            mapping,
            id: schema.id,
        })
    }
}

fn empty_batch() -> arrow::record_batch::RecordBatch {
    arrow::record_batch::RecordBatch::new_empty(std::sync::Arc::new(arrow::datatypes::Schema::empty()))
}

fn columns(schema: &TableSchema, mapping: &TableMapping, profiles: Vec<ColumnProfile>) -> Vec<FoundColumn> {
    let sources = schema.columns.iter().zip(&mapping.columns).zip(profiles);
    sources
        .map(|((source, mapping), profile)| FoundColumn {
            letters: column_letters(source.index),
            source: source.clone(),
            mapping: mapping.clone(),
            profile,
        })
        .collect()
}

fn refusal(file: &SourceFile, error: IngestError) -> Diagnostic {
    match error {
        IngestError::Refused(diagnostic) => *diagnostic,
        IngestError::Read { source, .. } => {
            Diagnostic::error("ingest.file.read", format!("The file cannot be read: {source}"))
                .at(hotpass_core::Location::file(std::sync::Arc::clone(&file.name)))
        }
    }
}

fn print_file(file: &FoundFile, context: &mut Context) -> Result<(), CommandError> {
    let name = context.printer.style(Style::Bold, &file.name);
    context.printer.line(format_args!("{name}: {}, {}", file.format, size(file.bytes)))?;
    // What is skipped is listed below the tables.
    for diagnostic in file.diagnostics.iter().filter(|diagnostic| diagnostic.code != "ingest.sheet.skipped") {
        context.printer.diagnostic(diagnostic);
    }
    for table in &file.tables {
        print_table(table, context)?;
    }
    if !file.skipped.is_empty() {
        context.printer.line("")?;
    }
    for skipped in &file.skipped {
        let place = place(&skipped.id);
        context.printer.line(format_args!("{place}: skipped, {}", skipped.reason))?;
    }
    context.printer.line("")
}

fn place(id: &TableId) -> String {
    match &id.sheet {
        Some(sheet) if id.table > 0 => format!("Sheet `{sheet}`, table {}", id.table + 1),
        Some(sheet) => format!("Sheet `{sheet}`"),
        None if id.table > 0 => format!("Table {}", id.table + 1),
        None => "Table".to_owned(),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

fn print_table(table: &FoundTable, context: &mut Context) -> Result<(), CommandError> {
    let verdict = match &table.not_data_because {
        None => context.printer.style(Style::Good, "data"),
        Some(reason) => context.printer.style(Style::Warn, format_args!("not data, {reason}")),
    };
    let header = table.header_row.map_or_else(|| "no header".to_owned(), |row| format!("header in row {row}"));
    let rows = if table.all_rows_read {
        counted(table.rows, "row", "rows")
    } else {
        format!("looked at the first {}", counted(table.rows, "row", "rows"))
    };
    let mapped = table.mapping.columns.iter().filter(|column| column.field.is_some()).count();
    let place = place(&table.id);
    context.printer.line("")?;
    context.printer.line(format_args!(
        "{place}: {verdict}; {header}, {rows}, {mapped} of {} mapped",
        counted(table.columns.len() as u64, "column", "columns")
    ))?;
    if !table.columns.is_empty() {
        let header = ["", "Header", "Field", "Confidence", "Why", "Type", "Filled", "Distinct", "Samples"];
        context.printer.table(header, table.columns.iter().map(column_row))?;
    }
    for diagnostic in &table.diagnostics {
        context.printer.diagnostic(diagnostic);
    }
    Ok(())
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn column_row(column: &FoundColumn) -> [String; 9] {
    let mapping = &column.mapping;
    let (field, confidence) = match (&mapping.field, &mapping.suggestion) {
        (Some(field), _) => (field.clone(), format!("{:.2}", mapping.confidence)),
        (None, Some(field)) => (format!("{field}?"), format!("{:.2}", mapping.confidence)),
        (None, None) => ("-".to_owned(), String::new()),
    };
    let about = if column.profile.distinct_is_exact { "" } else { "~" };
    [
        column.letters.clone(),
        one_line(if mapping.header.is_empty() { &mapping.name } else { &mapping.header }, 40),
        field,
        confidence,
        one_line(&mapping.reason, 100),
        content_word(column.source.content.content_type).to_owned(),
        format!("{:.0} %", column.profile.fill * 100.0),
        format!("{about}{}", column.profile.distinct),
        one_line(&column.profile.samples.join(" | "), 60),
    ]
}

fn content_word(content: ContentType) -> &'static str {
    match content {
        ContentType::Empty => "empty",
        ContentType::Text => "text",
        ContentType::Category => "category",
        ContentType::Integer => "integer",
        ContentType::Number => "number",
        ContentType::Boolean => "yes or no",
        ContentType::Date => "date",
        ContentType::DateTime => "date, time",
        ContentType::Email => "e-mail",
        ContentType::Phone => "telephone",
        ContentType::Url => "web address",
    }
}

/// Returns a text on one line, cut at a number of characters.
fn one_line(text: &str, longest: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn print_summary(files: &[FoundFile], context: &mut Context) {
    let tables: Vec<&FoundTable> = files.iter().flat_map(|file| &file.tables).collect();
    let data = tables.iter().filter(|table| table.is_data).count() as u64;
    let columns = || tables.iter().filter(|table| table.is_data).flat_map(|table| &table.mapping.columns);
    let suggestions = columns().filter(|column| column.suggestion.is_some()).count() as u64;
    context.printer.note(format_args!(
        "{}, {}, {data} of them data",
        counted(files.len() as u64, "file", "files"),
        counted(tables.len() as u64, "table", "tables"),
    ));
    if suggestions > 0 {
        context.printer.note(format_args!(
            "{} in data with a suggestion only, marked `?`: it is not used unless you say so",
            counted(suggestions, "column", "columns")
        ));
    }
    if suggestions > 0 || data < tables.len() as u64 {
        context
            .printer
            .hint("Write the mapping to a file, edit it and pass it back: `hotpass map PATH --output mapping.toml`");
    }
}
