//! The command line as a whole: global flags, the verbs, and from a result to an exit code.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser};
use hotpass_config::model::LogFormat;

use crate::commands::{self, Verb};
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::{ErrorKind, Exit};
use crate::printer::{ColorChoice, Printer};

/// Turn messy spreadsheets into one governed table of organisations, with proof of where every value came from
#[derive(Debug, Parser)]
#[command(name = "hotpass", version, propagate_version = false, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 could not run, 2 usage or configuration, 3 the data did not pass, \
    130 interrupted. Type `hotpass overview` for a first tour.")]
pub(crate) struct Cli {
    /// Form of messages and progress on the standard error: words, or one JSON object a line
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Global", value_parser = parse_log_format)]
    log_format: Option<LogFormat>,
    /// Print errors and asked-for data only
    #[arg(long, short, global = true, help_heading = "Global")]
    quiet: bool,
    /// When to use colour; `NO_COLOR` is respected
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        help_heading = "Global",
        value_enum,
        default_value_t,
        hide_possible_values = false
    )]
    color: ColorChoice,
    #[command(subcommand)]
    verb: Option<Verb>,
}

impl Cli {
    /// Returns the verb.
    pub(crate) fn into_verb(self) -> Option<Verb> {
        self.verb
    }
}

fn parse_log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "rich" => Ok(LogFormat::Rich),
        "json" => Ok(LogFormat::Json),
        _ => Err("expected `rich` or `json`".to_owned()),
    }
}

/// Returns the whole command line, for help, completions, man pages and the reference.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command that the program's arguments name.
pub(crate) fn main() -> ExitCode {
    // The message of a panic may hold what was being worked on; the place is enough to find the fault.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
        let _ = writeln!(io::stderr(), "fault in hotpass at {place}; nothing of the data is shown here");
    }));
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let parsed = command().color(help_color(&arguments)).try_get_matches_from(&arguments);
    let cli = match parsed.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches)) {
        Ok(cli) => cli,
        Err(error) => return arguments_error(&error),
    };
    let printer = Printer::new(cli.quiet, cli.color, cli.log_format.unwrap_or_default());
    let mut context = match Context::new(printer, cli.log_format.is_some()) {
        Ok(context) => context,
        Err((mut printer, error)) => return finish(&mut printer, Err(error)),
    };
    let result = commands::run(cli.verb, &mut context);
    context.telemetry.finish(&mut context.printer);
    finish(&mut context.printer, result)
}

fn finish(printer: &mut Printer, result: Result<Exit, CommandError>) -> ExitCode {
    match result {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            if error.kind != ErrorKind::ClosedPipe {
                printer.error(&error);
            }
            ExitCode::from(error.kind.code())
        }
    }
}

/// Prints what clap has to say: help and versions are data, the rest is a usage error.
fn arguments_error(error: &clap::Error) -> ExitCode {
    // A closed pipe is the only way this fails, and not a failure.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(ErrorKind::Usage.code()) } else { ExitCode::from(Exit::Done.code()) }
}

/// Returns the colour of help and usage errors, which are printed before the flags are known.
fn help_color(arguments: &[OsString]) -> clap::ColorChoice {
    let given = arguments.iter().enumerate().find_map(|(position, argument)| {
        let argument = argument.to_str()?;
        match argument.strip_prefix("--color=") {
            Some(value) => Some(value),
            None if argument == "--color" => arguments.get(position + 1)?.to_str(),
            None => None,
        }
    });
    match given {
        Some("always") => clap::ColorChoice::Always,
        Some("never") => clap::ColorChoice::Never,
        _ if io::stdout().is_terminal() => clap::ColorChoice::Auto,
        _ => clap::ColorChoice::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn help_is_imperative_and_has_no_period() {
        fn check(command: &clap::Command) {
            let name = command.get_name();
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty(), "`{name}` has no help");
            assert!(!about.ends_with('.'), "the help of `{name}` ends with a period");
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!help.is_empty(), "`{}` of `{name}` has no help", argument.get_id());
                assert!(!help.ends_with('.'), "the help of `{}` of `{name}` ends with a period", argument.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&command());
    }
}
