//! `hotpass verify`: whether a run or an archive is still what it was.

use std::path::Path;

use clap::{Args, ValueEnum};
use hotpass_provenance::{Outcome, Verification, VerifyError, verify_archive, verify_run};
use serde_json::json;

use crate::context::{Context, RunArgs};
use crate::error::CommandError;
use crate::exit::{ErrorKind, Exit};
use crate::printer::Style;

/// Form of the result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerifyFormat {
    /// A line for each check
    #[default]
    Text,
    /// One JSON object
    Json,
}

/// Check a run or an archive against its manifest: digests, missing and unknown files, and that no row was lost
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Run (id, beginning of an id, `latest`, or the path of its folder) or archive (path of a zip file)
    #[arg(value_name = "RUN|ARCHIVE", conflicts_with = "run")]
    target: Option<String>,
    #[command(flatten)]
    runs: RunArgs,
    /// Form of the result
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: VerifyFormat,
}

/// Runs the checks.
pub(crate) fn run(mut args: VerifyArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let (name, result) = match args.target.take() {
        Some(target) if Path::new(&target).is_file() || has_zip_ending(&target) => {
            let result = verify_archive(Path::new(&target));
            (target, result)
        }
        Some(target) if Path::new(&target).is_dir() => {
            let result = verify_run(Path::new(&target));
            (target, result)
        }
        target => {
            if let Some(target) = target {
                args.runs.run = target;
            }
            let run = args.runs.find()?;
            (run.id().to_owned(), verify_run(run.root()))
        }
    };
    let verification = result.map_err(|error| command_error(&name, &error))?;
    match args.format {
        VerifyFormat::Json => context.printer.json(&json!({
            "target": name, "passed": verification.passed(), "checks": verification.checks,
        }))?,
        VerifyFormat::Text => print(&name, &verification, context)?,
    }
    Ok(if verification.passed() { Exit::Done } else { Exit::DidNotPass })
}

fn has_zip_ending(target: &str) -> bool {
    Path::new(target).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip"))
}

fn command_error(name: &str, error: &VerifyError) -> CommandError {
    let message = format!("Cannot verify `{name}`");
    if error.is_not_found() {
        CommandError::usage(message)
            .caused_by(error)
            .hint("Name a run, the folder of one, or an archive; `hotpass verify` alone takes the latest run")
    } else {
        // A manifest or archive that is there but cannot be understood is no longer what it was.
        CommandError::new(ErrorKind::DidNotPass, message).caused_by(error)
    }
}

fn print(name: &str, verification: &Verification, context: &mut Context) -> Result<(), CommandError> {
    for check in &verification.checks {
        let (style, mark) = match check.outcome {
            Outcome::Passed => (Style::Good, "ok    "),
            Outcome::Failed => (Style::Bad, "FAILED"),
            Outcome::Noted => (Style::Warn, "note  "),
        };
        let mark = context.printer.style(style, mark);
        context.printer.line(format_args!("{mark}  {}: {}", check.name, check.detail))?;
    }
    let failed = verification.failures().count();
    let total = verification.checks.len();
    if failed == 0 {
        context.printer.note(format_args!("`{name}` is as it was: {total} checks"));
    } else {
        context.printer.note(format_args!("`{name}` does not verify: {failed} of {total} checks failed"));
    }
    Ok(())
}
