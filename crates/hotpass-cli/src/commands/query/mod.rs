//! `hotpass query`: SQL over the tables of a run and any file.

#[cfg(feature = "query")]
mod checks;
#[cfg(feature = "query")]
mod engine;
#[cfg(feature = "query")]
mod output;
#[cfg(feature = "query")]
mod tables;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::context::{Context, RunArgs};
use crate::error::CommandError;
use crate::exit::Exit;

#[cfg_attr(feature = "query", doc = "Ask a run's tables, or any file, with SQL")]
#[cfg_attr(not(feature = "query"), doc = "Ask a run's tables, or any file, with SQL (not in this build)")]
#[derive(Debug, Args)]
#[command(after_help = "\
Tables of the run: golden, contacts, crosswalk, provenance, conflicts, links, quarantine.

Examples:
  hotpass query \"SELECT organization_name, website FROM golden LIMIT 10\"
  hotpass query \"SELECT reason, count(*) AS rows FROM quarantine GROUP BY reason\"
  hotpass query --table old=list.xlsx \"SELECT * FROM old\" --format csv
  hotpass query --table people=people.csv \"SELECT * FROM predict('model.json', people, 0.9)\"")]
pub(crate) struct QueryArgs {
    /// One SQL query; names with capitals or spaces stand in double quotes
    #[arg(value_name = "SQL")]
    sql: String,
    /// Make a file (xlsx, csv, json, parquet, arrow …) a table; FILE#SHEET names a sheet; may be repeated
    #[arg(long, value_name = "NAME=PATH")]
    table: Vec<String>,
    /// Form of the result; by the ending of `--output`, else a table
    #[arg(long, value_enum)]
    format: Option<QueryFormat>,
    /// Write the result to this file instead of the standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    runs: RunArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum QueryFormat {
    /// Lines and columns for people
    Table,
    /// Comma-separated values with a header
    Csv,
    /// One JSON object a row, one row a line
    Json,
    /// Apache Parquet
    Parquet,
}

/// Returns the SQL engine of expectations, where the build has one.
#[cfg_attr(feature = "query", expect(clippy::unnecessary_wraps, reason = "a build without the feature has none"))]
pub(crate) fn sql_engine() -> Option<std::sync::Arc<dyn hotpass_quality::SqlChecks>> {
    #[cfg(feature = "query")]
    return Some(std::sync::Arc::new(checks::SqlEngine));
    #[cfg(not(feature = "query"))]
    None
}

#[cfg(not(feature = "query"))]
pub(crate) fn run(_args: QueryArgs, _context: &mut Context) -> Result<Exit, CommandError> {
    Err(CommandError::failure("This program was built without the feature `query`")
        .hint("Build it with `cargo build --release --features query`; DataFusion makes that build take minutes"))
}

#[cfg(feature = "query")]
pub(crate) fn run(args: QueryArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let format = output::format(args.format, args.output.as_deref())?;
    let tables = tables::collect(&args.table, &args.runs, &args.sql, context)?;
    let cancel = context.cancel.clone();
    let result =
        engine::query(&tables, &args.sql, || cancel.is_cancelled()).map_err(engine::QueryError::into_command_error)?;
    output::write(&result, format, args.output.as_deref(), context)?;
    Ok(Exit::Done)
}
