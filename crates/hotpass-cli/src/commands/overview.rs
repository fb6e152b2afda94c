//! `hotpass overview`, and what bare `hotpass` prints.

use clap::Args;

use crate::cli;
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::printer::Style;

/// Show every verb with a line of help, and what to type first
#[derive(Debug, Args)]
pub(crate) struct OverviewArgs {}

/// The first three commands of a newcomer, with what each does.
const QUICK_START: &[(&str, &str)] = &[
    ("hotpass demo", "write a small messy workspace, refine it and show what came out"),
    ("hotpass inspect FOLDER", "see which tables, columns and meanings are found in your own files"),
    ("hotpass refine --input-dir FOLDER", "turn them into one table: dist/refined.xlsx"),
];

pub(crate) fn run(_args: OverviewArgs, context: &mut Context) -> Result<Exit, CommandError> {
    heading(context)?;
    context.printer.line("")?;
    let verbs = verbs();
    let width = verbs.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    context.printer.line(context.printer.style(Style::Bold, "Verbs"))?;
    for (name, help) in verbs {
        let name = context.printer.style(Style::Good, format_args!("{name:width$}"));
        context.printer.line(format_args!("  {name}  {help}"))?;
    }
    context.printer.line("")?;
    quick_start(context)?;
    context.printer.line("")?;
    context.printer.line("`hotpass VERB --help` explains a verb; `hotpass init` makes a workspace of your own.")?;
    Ok(Exit::Done)
}

/// Prints what bare `hotpass` says.
pub(crate) fn welcome(context: &mut Context) -> Result<Exit, CommandError> {
    heading(context)?;
    context.printer.line("")?;
    quick_start(context)?;
    context.printer.line("")?;
    context.printer.line("`hotpass overview` lists every verb; `hotpass VERB --help` explains one.")?;
    Ok(Exit::Done)
}

fn heading(context: &mut Context) -> Result<(), CommandError> {
    let name = context.printer.style(Style::Bold, format_args!("Hotpass {}", env!("CARGO_PKG_VERSION")));
    context.printer.line(format_args!("{name}: messy spreadsheets in, one governed table of organisations out,"))?;
    context.printer.line("with proof of which cell of which file every value came from.")
}

fn quick_start(context: &mut Context) -> Result<(), CommandError> {
    let width = QUICK_START.iter().map(|(line, _)| line.len()).max().unwrap_or_default();
    context.printer.line(context.printer.style(Style::Bold, "Type first"))?;
    for (line, help) in QUICK_START {
        let line = context.printer.style(Style::Good, format_args!("{line:width$}"));
        context.printer.line(format_args!("  {line}  {help}"))?;
    }
    Ok(())
}

/// Returns every verb that is not hidden, with its line of help.
fn verbs() -> Vec<(String, String)> {
    cli::command()
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set())
        .map(|verb| (verb.get_name().to_owned(), verb.get_about().map(ToString::to_string).unwrap_or_default()))
        .collect()
}
