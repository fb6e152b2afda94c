//! `hotpass completions`: scripts that complete verbs and flags in a shell.

use clap::Args;
use clap_complete::Shell;

use crate::cli;
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(after_help = "Example: hotpass completions bash > ~/.local/share/bash-completion/completions/hotpass")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: CompletionsArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "hotpass", &mut script);
    context.printer.bytes(&script)?;
    Ok(Exit::Done)
}
