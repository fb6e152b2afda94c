//! `hotpass report`: the report of a run, as page, Markdown or JSON.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use hotpass_core::write_atomic;
use hotpass_pipeline::report;

use crate::context::{Context, RunArgs};
use crate::error::CommandError;
use crate::exit::Exit;

/// Form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// One self-contained page
    Html,
    /// Text for tickets and mail
    Markdown,
    /// The same in aligned columns, for a terminal
    Text,
    /// The figures
    Json,
}

/// Print the report of a run, or write it to a file
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Run: its id, an unambiguous beginning of it, or `latest`; the same as `--run`
    #[arg(value_name = "RUN", conflicts_with = "run")]
    target: Option<String>,
    #[command(flatten)]
    runs: RunArgs,
    /// Form of the report; by the ending of `--output` when absent, else text on a terminal and Markdown elsewhere
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<ReportFormat>,
    /// Write to this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show personal values as they are instead of their shape
    #[arg(long)]
    show_values: bool,
}

/// Prints or writes the report.
pub(crate) fn run(mut args: ReportArgs, context: &mut Context) -> Result<Exit, CommandError> {
    if let Some(target) = args.target.take() {
        args.runs.run = target;
    }
    let run = args.runs.find()?;
    let loaded = report::load_report(run.root()).map_err(|error| {
        CommandError::failure(format!("Cannot report on run `{}`", run.id()))
            .caused_by(&error)
            .hint(format!("See whether the run completed with `hotpass verify {}`", run.id()))
    })?;
    let extras = loaded.extras(args.show_values);
    let on_terminal = args.output.is_none() && context.printer.writes_to_terminal();
    let format =
        args.format.unwrap_or_else(|| if on_terminal { ReportFormat::Text } else { format_of(args.output.as_deref()) });
    let text = match format {
        ReportFormat::Html => report::html(&loaded.statistics, &extras),
        ReportFormat::Markdown => report::markdown(&loaded.statistics, &extras),
        ReportFormat::Text => report::text(&loaded.statistics, &extras),
        ReportFormat::Json => report::json(&loaded.statistics),
    };
    match args.output {
        Some(path) => {
            write_atomic(&path, text).map_err(|error| {
                CommandError::failure(format!("Cannot write the report to `{}`", path.display())).caused_by(&error)
            })?;
            context.printer.note(format_args!("Wrote the report of run {} to {}", run.id(), path.display()));
        }
        None => context.printer.bytes(text.as_bytes())?,
    }
    Ok(Exit::Done)
}

fn format_of(output: Option<&Path>) -> ReportFormat {
    match output.and_then(Path::extension).and_then(|ending| ending.to_str()) {
        Some("html" | "htm") => ReportFormat::Html,
        Some("json") => ReportFormat::Json,
        Some("txt") => ReportFormat::Text,
        _ => ReportFormat::Markdown,
    }
}
