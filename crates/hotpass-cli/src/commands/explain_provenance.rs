//! `hotpass explain-provenance`: from which source cells a published value came.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use hotpass_core::write_atomic;
use hotpass_provenance::{CellTrace, ExplainError, Explanation, Selector, explain};

use crate::context::{Context, RunArgs};
use crate::error::CommandError;
use crate::exit::{ErrorKind, Exit};

/// Say from which source cells a published row came, and which values lost
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("selector").required(true).args(["entity", "row"]))]
pub(crate) struct ExplainProvenanceArgs {
    #[command(flatten)]
    runs: RunArgs,
    /// Entity, by its id
    #[arg(long, value_name = "ID")]
    entity: Option<String>,
    /// Published row, from 1, the header left out
    #[arg(long, value_name = "N")]
    row: Option<u64>,
    /// One published column instead of all
    #[arg(long, value_name = "FIELD")]
    field: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write to this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Prints or writes the explanation.
pub(crate) fn run(args: ExplainProvenanceArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let run = args.runs.find()?;
    let selector = match (args.entity, args.row) {
        (Some(entity), _) => Selector::Entity(entity),
        (None, row) => Selector::Row(row.unwrap_or_default()),
    };
    let explanation =
        explain(run.root(), &selector, args.field.as_deref()).map_err(|error| command_error(run.id(), &error))?;
    let text = if args.json {
        let json = serde_json::to_string_pretty(&explanation)
            .map_err(|error| CommandError::failure("Cannot write the explanation as JSON").caused_by(&error))?;
        format!("{json}\n")
    } else {
        words(&explanation)
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
        Some(raw) if cell.raw_value != cell.value => format!(", there written `{}`", plain(raw)),
        _ => String::new(),
    }
}

/// Returns text without control characters, which could command the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
