//! The result of a query as table, csv, json or parquet.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::Array;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use hotpass_core::AtomicFile;
use parquet::arrow::ArrowWriter;

use super::QueryFormat;
use super::engine::QueryResult;
use crate::context::Context;
use crate::error::CommandError;

/// Decides the form: as asked, else by the file's ending, else a table.
pub(super) fn format(asked: Option<QueryFormat>, output: Option<&Path>) -> Result<QueryFormat, CommandError> {
    let format = match (asked, output) {
        (Some(format), _) => format,
        (None, None) => QueryFormat::Table,
        (None, Some(path)) => match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => QueryFormat::Csv,
            Some("json" | "ndjson" | "jsonl") => QueryFormat::Json,
            Some("parquet") => QueryFormat::Parquet,
            Some("txt") => QueryFormat::Table,
            _ => {
                return Err(CommandError::usage(format!("The ending of `{}` names no form", path.display()))
                    .hint("Say it with `--format csv`, `json`, `parquet` or `table`"));
            }
        },
    };
    if format == QueryFormat::Parquet && output.is_none() && io::stdout().is_terminal() {
        return Err(CommandError::usage("A terminal cannot show Parquet").hint("Write it with `--output FILE.parquet`"));
    }
    Ok(format)
}

/// Writes the result where it was asked for.
pub(super) fn write(
    result: &QueryResult,
    format: QueryFormat,
    output: Option<&Path>,
    context: &mut Context,
) -> Result<(), CommandError> {
    let rows: usize = result.batches.iter().map(arrow::record_batch::RecordBatch::num_rows).sum();
    let Some(path) = output else {
        if format == QueryFormat::Table {
            let (header, cells) = cells(result, "").map_err(|error| render_error(&error))?;
            context.printer.table(header, cells)?;
            context.printer.note(format_args!("{rows} {}", if rows == 1 { "row" } else { "rows" }));
            return Ok(());
        }
        let mut bytes = Vec::new();
        render(result, format, &mut bytes).map_err(|error| render_error(&*error))?;
        return context.printer.bytes(&bytes);
    };
    let cannot_write =
        |error: &(dyn std::error::Error + 'static)| CommandError::failure("Cannot write the result").caused_by(error);
    let mut file = AtomicFile::create(path).map_err(|error| cannot_write(&error))?;
    render(result, format, &mut file).map_err(|error| cannot_write(&*error))?;
    file.commit().map_err(|error| cannot_write(&error))?;
    context.printer.note(format_args!("Wrote {rows} rows to {}", path.display()));
    Ok(())
}

fn render_error(error: &(dyn std::error::Error + 'static)) -> CommandError {
    CommandError::failure("Cannot show the result").caused_by(error)
}

fn render(
    result: &QueryResult,
    format: QueryFormat,
    sink: &mut (impl Write + Send),
) -> Result<(), Box<dyn std::error::Error>> {
    match format {
        QueryFormat::Table => {
            let (header, rows) = cells(result, "")?;
            let mut table = comfy_table::Table::new();
            table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY).set_header(header);
            table.add_rows(rows);
            writeln!(sink, "{}", table.trim_fmt())?;
        }
        QueryFormat::Csv => {
            let (header, rows) = cells(result, "")?;
            let mut writer = csv::Writer::from_writer(sink);
            writer.write_record(header)?;
            for row in rows {
                writer.write_record(row)?;
            }
            writer.flush()?;
        }
        QueryFormat::Json => {
            let mut writer = arrow::json::LineDelimitedWriter::new(sink);
            for batch in &result.batches {
                writer.write(batch)?;
            }
            writer.finish()?;
        }
        QueryFormat::Parquet => {
            let mut writer = ArrowWriter::try_new(sink, Arc::clone(&result.schema), None)?;
            for batch in &result.batches {
                writer.write(batch)?;
            }
            writer.close()?;
        }
    }
    Ok(())
}

/// Returns the header and the rows as text.
fn cells(result: &QueryResult, null: &str) -> Result<(Vec<String>, Vec<Vec<String>>), ArrowError> {
    let header = result.schema.fields().iter().map(|field| field.name().clone()).collect();
    let options = FormatOptions::default().with_null(null);
    let mut rows = Vec::new();
    for batch in &result.batches {
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column: &Arc<dyn Array>| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<Result<_, _>>()?;
        for row in 0..batch.num_rows() {
            let texts = columns.iter().map(|column| column.value(row).try_to_string());
            rows.push(texts.collect::<Result<Vec<String>, _>>()?);
        }
    }
    Ok((header, rows))
}
