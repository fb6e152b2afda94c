//! `hotpass man`: manual pages.

use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man;
use hotpass_core::write_atomic;

use crate::cli;
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;

/// Print the manual page, or write one for every verb into a folder
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write `hotpass.1`, `hotpass-refine.1` and the rest into this folder
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: ManArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let mut command = cli::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = args.output else {
        context.printer.bytes(&render(command, "hotpass")?)?;
        return Ok(Exit::Done);
    };
    let mut pages = Vec::new();
    collect(&command, "hotpass", &mut pages)?;
    for (name, page) in &pages {
        let path = folder.join(format!("{name}.1"));
        write_atomic(&path, page)
            .map_err(|error| CommandError::failure("Cannot write the manual").caused_by(&error))?;
    }
    context.printer.note(format_args!("Wrote {} pages to {}", pages.len(), folder.display()));
    Ok(Exit::Done)
}

fn collect(command: &clap::Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) -> Result<(), CommandError> {
    pages.push((name.to_owned(), render(command.clone(), name)?));
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        collect(verb, &format!("{name}-{}", verb.get_name()), pages)?;
    }
    Ok(())
}

fn render(command: clap::Command, name: &str) -> Result<Vec<u8>, CommandError> {
    let mut page = Vec::new();
    Man::new(command.name(name.to_owned()))
        .render(&mut page)
        .map_err(|error| CommandError::failure("Cannot write the manual").caused_by(&error))?;
    Ok(page)
}
