//! The tables that a query can name: those of the run, and files.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use hotpass_core::RunDirectory;
use hotpass_core::fields::RUN_ARTEFACTS;
use hotpass_ingest::{
    IngestError, ReadOptions, SourceFile,
    columns::{arrow_type, typed_batch},
    default_memory_limit, open_file,
    source::FileFormat,
    table::{ROW_COLUMN, TableSchema},
};

use super::engine::{QueryTable, TableSource};
use crate::context::{Context, RunArgs};
use crate::error::CommandError;

/// Collects the tables: those that `--table` gives, and those of the run.
///
/// A run that cannot be found is an error only when it was asked for, or when no file was given.
pub(super) fn collect(
    given: &[String],
    runs: &RunArgs,
    sql: &str,
    context: &mut Context,
) -> Result<Vec<QueryTable>, CommandError> {
    let mut tables = Vec::new();
    for pair in given {
        tables.push(file_table(pair, context)?);
    }
    match runs.find() {
        Ok(run) => {
            tables
                .extend(run_tables(&run).into_iter().filter(|table| !names(&tables, &table.name)).collect::<Vec<_>>());
        }
        Err(error) if runs.run != "latest" || (given.is_empty() && names_a_table(sql)) => return Err(error),
        Err(_) => {}
    }
    Ok(tables)
}

fn names(tables: &[QueryTable], name: &str) -> bool {
    tables.iter().any(|table| table.name == name)
}

/// Returns whether a query seems to read a table, so that without any the missing run is what has to be told.
fn names_a_table(sql: &str) -> bool {
    sql.split_whitespace().any(|word| word.eq_ignore_ascii_case("from"))
}

fn run_tables(run: &RunDirectory) -> Vec<QueryTable> {
    RUN_ARTEFACTS
        .iter()
        .filter(|(_, columns, _)| columns.is_some())
        .filter_map(|(name, _, _)| {
            let path = run.path(name);
            let name = name.strip_suffix(".parquet")?.to_owned();
            path.is_file().then_some(QueryTable { name, source: TableSource::Parquet(path) })
        })
        .collect()
}

fn file_table(pair: &str, context: &mut Context) -> Result<QueryTable, CommandError> {
    let Some((name, place)) = pair.split_once('=').filter(|(name, path)| !name.is_empty() && !path.is_empty()) else {
        return Err(CommandError::usage(format!("`--table` takes NAME=PATH, not `{pair}`"))
            .hint("Write it as in `--table clubs=clubs.xlsx`"));
    };
    let (path, sheet) = split_sheet(place);
    if !path.is_file() {
        return Err(CommandError::usage(format!("No file `{}`", path.display()))
            .hint("Give the path of a file, such as `--table clubs=data/clubs.xlsx`"));
    }
    let cannot_read = |error: &(dyn std::error::Error + 'static)| {
        CommandError::failure(format!("Cannot read `{}`", path.display())).caused_by(error)
    };
    let file_name = path.file_name().map_or_else(|| place.to_owned(), |name| name.to_string_lossy().into_owned());
    let file = SourceFile::inspect(&path, file_name).map_err(|error| cannot_read(&error))?;
    let source = match file.format {
        FileFormat::Parquet => TableSource::Parquet(path.clone()),
        FileFormat::Arrow => arrow_file(&path).map_err(|error| cannot_read(&error))?,
        _ => ingested(&file, sheet, context)?,
    };
    // Unquoted names in SQL are in small letters.
    Ok(QueryTable { name: name.to_lowercase(), source })
}

/// Splits `FILE#SHEET`; a `#` in the name of a file that exists belongs to the name.
fn split_sheet(place: &str) -> (PathBuf, Option<&str>) {
    if !Path::new(place).exists()
        && let Some((path, sheet)) = place.rsplit_once('#')
    {
        return (path.into(), Some(sheet));
    }
    (place.into(), None)
}

fn arrow_file(path: &Path) -> Result<TableSource, arrow::error::ArrowError> {
    if let Ok(reader) = arrow::ipc::reader::FileReader::try_new_buffered(File::open(path)?, None) {
        let schema = reader.schema();
        return Ok(TableSource::Batches(schema, reader.collect::<Result<_, _>>()?));
    }
    let reader = arrow::ipc::reader::StreamReader::try_new_buffered(File::open(path)?, None)?;
    let schema = reader.schema();
    Ok(TableSource::Batches(schema, reader.collect::<Result<_, _>>()?))
}

/// Reads the one table of a file, its columns typed by content.
fn ingested(file: &SourceFile, sheet: Option<&str>, context: &mut Context) -> Result<TableSource, CommandError> {
    let options = ReadOptions {
        memory_limit_bytes: default_memory_limit(),
        sheets: sheet.map(|sheet| vec![sheet.to_owned()]),
        ..ReadOptions::default()
    };
    let refused = |error: &IngestError| {
        let hint = match error {
            IngestError::Refused(diagnostic) => diagnostic.hint.clone(),
            IngestError::Read { .. } => None,
        };
        CommandError::usage(format!("Cannot read `{}`", file.name)).caused_by(error).hint_if_some(hint)
    };
    let opened = open_file(file, &options).map_err(|error| refused(&error))?;
    for diagnostic in &opened.diagnostics {
        context.printer.diagnostic(diagnostic);
    }
    let others: Vec<String> =
        opened.tables.iter().skip(1).map(|table| table.schema.id.location().to_string()).collect();
    let Some(mut table) = opened.tables.into_iter().next() else {
        return Err(CommandError::usage(format!("No table in `{}`", file.name))
            .hint(format!("See what is found with `hotpass inspect {}`", file.path.display())));
    };
    if !others.is_empty() {
        context.printer.warning(format_args!(
            "`{}` holds {} more tables; this is {}",
            file.name,
            others.len(),
            table.schema.id.location()
        ));
        context.printer.hint("Name the sheet as in `--table NAME=FILE#SHEET`");
    }
    let batches: Vec<RecordBatch> =
        table.batches.by_ref().collect::<Result<_, _>>().map_err(|error| refused(&error))?;
    for diagnostic in table.late_diagnostics.take() {
        context.printer.diagnostic(&diagnostic);
    }
    let cannot_type =
        |error| CommandError::failure(format!("Cannot type the columns of `{}`", file.name)).caused_by(&error);
    let mut typed = Vec::with_capacity(batches.len());
    for batch in &batches {
        let (batch, diagnostics) = typed_batch(&table.schema, batch).map_err(cannot_type)?;
        for diagnostic in &diagnostics {
            context.printer.diagnostic(diagnostic);
        }
        typed.push(batch);
    }
    let schema = typed.first().map_or_else(|| typed_schema(&table.schema), RecordBatch::schema);
    Ok(TableSource::Batches(schema, typed))
}

/// Returns the schema of a table without rows.
fn typed_schema(table: &TableSchema) -> SchemaRef {
    let row = Field::new(ROW_COLUMN, DataType::UInt32, false);
    let columns =
        table.columns.iter().map(|column| Field::new(&column.name, arrow_type(column.content.content_type), true));
    Arc::new(Schema::new(std::iter::once(row).chain(columns).collect::<Vec<_>>()))
}
