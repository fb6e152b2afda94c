//! `hotpass explain-provenance`: from which source cells a published value came.

mod file;
mod steps;

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hotpass_core::{RunDirectory, write_atomic};
use hotpass_provenance::ledger::LEDGER_FILE;
use hotpass_provenance::{
    Ledger, Manifest, explain::CellTrace, explain::ExplainError, explain::Explanation, explain::Selector,
    explain::explain, prov_document,
};
use serde::Serialize;

use crate::context::{Context, RunArgs};
use crate::error::CommandError;
use crate::exit::{ErrorKind, Exit};

/// Form of the explanation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    /// Words
    #[default]
    Text,
    /// One JSON object
    Json,
    /// W3C PROV-JSON, of the row or of the whole run
    ProvJson,
}

/// Say from which source cells a published row came, and which values lost
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass explain-provenance --row 1
  hotpass explain-provenance --row 12 --field website ~/Downloads/refined.xlsx
  hotpass explain-provenance --format prov-json --output run.prov.json")]
pub(crate) struct ExplainProvenanceArgs {
    /// Published file, wherever it is now: it names its run, and `--row` counts its rows
    #[arg(value_name = "FILE", conflicts_with = "run")]
    file: Option<PathBuf>,
    #[command(flatten)]
    runs: RunArgs,
    /// Entity, by its id
    #[arg(long, value_name = "ID", conflicts_with = "row")]
    entity: Option<String>,
    /// Published row, from 1, the header left out
    #[arg(long, value_name = "N")]
    row: Option<u64>,
    /// One published column instead of all
    #[arg(long, value_name = "FIELD")]
    field: Option<String>,
    /// Form of the explanation; `prov-json` needs no row and then tells of the whole run
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<ExplainFormat>,
    /// Print JSON, as `--format json` does
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Write to this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Prints or writes the explanation.
pub(crate) fn run(mut args: ExplainProvenanceArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let format = if args.json { ExplainFormat::Json } else { args.format.unwrap_or_default() };
    let mut selector = match (args.entity.take(), args.row) {
        (Some(entity), _) => Some(Selector::Entity(entity)),
        (None, Some(row)) => Some(Selector::Row(row)),
        (None, None) if format == ExplainFormat::ProvJson => None,
        (None, None) => {
            return Err(CommandError::usage("Which row is to be explained?").hint("Give `--row N` or `--entity ID`"));
        }
    };
    if let Some(path) = &args.file {
        let published = file::look(path, args.row)?;
        let Some(run_id) = published.run_id else {
            return Err(CommandError::usage(format!("`{}` does not say which run it is of", path.display()))
                .hint("Name the run with `--run` instead of the file"));
        };
        args.runs.run = run_id;
        if let (Some(Selector::Row(_)), Some(entity)) = (&selector, published.entity_id) {
            selector = Some(Selector::Entity(entity));
        }
        let run = args.runs.find()?;
        let known = Manifest::read(run.root())
            .is_ok_and(|manifest| manifest.outputs.iter().any(|output| output.sha256.as_str() == published.sha256));
        if !known {
            context.printer.note(format_args!("`{}` is not as run {} published it", path.display(), run.id()));
        }
    }
    let run = args.runs.find()?;
    let manifest = || {
        Manifest::read(run.root()).map_err(|error| {
            CommandError::failure(format!("Cannot read the manifest of run `{}`", run.id())).caused_by(&error)
        })
    };
    let mut rows = Vec::new();
    if let Some(selector) = &selector {
        let mut explanation =
            explain(run.root(), selector, args.field.as_deref()).map_err(|error| command_error(run.id(), &error))?;
        let default = manifest()?.config["profile"]["default_country_code"].as_str().unwrap_or("ZA").to_owned();
        steps::fill(&mut explanation, &default);
        rows.push(explanation);
    }
    let text = match (format, rows.first()) {
        (ExplainFormat::Text, Some(explanation)) => words(explanation),
        (ExplainFormat::Json, Some(explanation)) => json(explanation)?,
        _ => json(&prov_document(&manifest()?, operator(&run).as_deref(), &rows))?,
    };
    match args.output {
        Some(path) => {
            write_atomic(&path, text).map_err(|error| {
                CommandError::failure(format!("Cannot write the explanation to `{}`", path.display())).caused_by(&error)
            })?;
            context.printer.note(format_args!("Wrote the explanation to {}", path.display()));
        }
        None => context.printer.bytes(text.as_bytes())?,
    }
    Ok(Exit::Done)
}

fn json(value: &impl Serialize) -> Result<String, CommandError> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| CommandError::failure("Cannot write the explanation as JSON").caused_by(&error))
}

/// Returns who ran it, as the run's ledger says.
fn operator(run: &RunDirectory) -> Option<String> {
    Ledger::open(run.path(LEDGER_FILE)).read().ok()?.entries.first()?.operator.clone()
}

fn command_error(run: &str, error: &ExplainError) -> CommandError {
    let kind = if error.is_not_found() { ErrorKind::Usage } else { ErrorKind::Failure };
    CommandError::new(kind, format!("Cannot explain this of run `{run}`")).caused_by(error).hint_if_some(error.hint())
}

fn words(explanation: &Explanation) -> String {
    let mut text = format!(
        "{}\n  row {} of run {}, entity {}\n",
        plain(&explanation.organization_name),
        explanation.row,
        explanation.run_id,
        explanation.entity_id
    );
    for field in &explanation.fields {
        let _ = write!(
            text,
            "\n{}: {}\n  from {}{}, rule {}, {} {}\n",
            field.field,
            plain(&field.value),
            place(&field.winner),
            raw(&field.winner),
            field.rule,
            field.contributors,
            if field.contributors == 1 { "source cell" } else { "source cells" }
        );
        for loser in &field.losers {
            let value = plain(loser.value.as_deref().unwrap_or("(no value)"));
            let _ = writeln!(text, "  over {}: {value}{}", place(loser), raw(loser));
        }
    }
    text
}

fn place(cell: &CellTrace) -> String {
    match &cell.header {
        Some(header) => plain(&format!("{cell} ({header})")),
        None => plain(&cell.to_string()),
    }
}

fn raw(cell: &CellTrace) -> String {
    match &cell.raw_value {
        Some(raw) if cell.raw_value != cell.value && cell.steps.is_empty() => {
            format!(", there written `{}`", plain(raw))
        }
        Some(raw) if cell.raw_value != cell.value => {
            format!(", there written `{}` ({})", plain(raw), cell.steps.join(", "))
        }
        _ => String::new(),
    }
}

/// Returns text without control characters, which could command the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
