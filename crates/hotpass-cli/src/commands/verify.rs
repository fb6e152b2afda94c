//! `hotpass verify`: whether a run, an archive, signed files or a workspace are still what they were.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use hotpass_provenance::{
    key::PublicKey, verify::Outcome, verify::Trust, verify::Verification, verify::VerifyError, verify::verify_archive,
    verify::verify_files, verify::verify_workspace, verify_run,
};
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

/// Check a run or an archive against its manifest, ledger and signature: every byte, and that no row was lost
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass verify
  hotpass verify latest --key hotpass.pub.pem --require-signature
  hotpass verify dist/refined-data-20231114T221320Z-0123456789ab.zip
  hotpass verify release/hotpass.intoto.json --key hotpass.pub.pem
  hotpass verify --workspace --key hotpass.pub.pem

Exit code 3 when something is not as it was.")]
pub(crate) struct VerifyArgs {
    /// Run (id, beginning of an id, `latest`, or the path of its folder), archive (path of a zip file), or attestation of files
    /// (path of a JSON file beside them)
    #[arg(value_name = "RUN|ARCHIVE|ATTESTATION", conflicts_with = "run")]
    target: Option<String>,
    #[command(flatten)]
    runs: RunArgs,
    /// Public key that must have signed what is signed, as PEM
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Fail what is not signed
    #[arg(long, requires = "key")]
    require_signature: bool,
    /// Check the workspace's ledger, that it and the folder of runs know the same runs, and every run
    #[arg(long, conflicts_with_all = ["target", "run"])]
    workspace: bool,
    /// Form of the result
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: VerifyFormat,
}

/// Runs the checks.
pub(crate) fn run(mut args: VerifyArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let key = args.key.as_deref().map(public_key).transpose()?;
    let trust = Trust { key: key.as_ref(), require_signature: args.require_signature };
    let (name, result) = match args.target.take() {
        None if args.workspace => {
            (args.runs.dist_dir.display().to_string(), verify_workspace(&args.runs.dist_dir, trust))
        }
        Some(target) if Path::new(&target).is_file() && !has_ending(&target, "zip") && is_json(&target) => {
            let path = Path::new(&target);
            let result = verify_files(path, path.parent().unwrap_or(Path::new("")), trust);
            (target, result)
        }
        Some(target) if Path::new(&target).is_file() || has_ending(&target, "zip") => {
            let result = verify_archive(Path::new(&target), trust);
            (target, result)
        }
        Some(target) if Path::new(&target).is_dir() => {
            let result = verify_run(Path::new(&target), trust);
            (target, result)
        }
        target => {
            if let Some(target) = target {
                args.runs.run = target;
            }
            let run = args.runs.find()?;
            (run.id().to_owned(), verify_run(run.root(), trust))
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

fn has_ending(target: &str, wanted: &str) -> bool {
    Path::new(target).extension().is_some_and(|ending| ending.eq_ignore_ascii_case(wanted))
}

fn is_json(target: &str) -> bool {
    has_ending(target, "json") || has_ending(target, "jsonl")
}

/// Reads a public key.
fn public_key(path: &Path) -> Result<PublicKey, CommandError> {
    let refused = |error: &(dyn std::error::Error + 'static)| {
        CommandError::usage(format!("Cannot use key `{}`", path.display()))
            .caused_by(error)
            .hint("Give the public key, such as `hotpass.pub.pem` of `hotpass keygen`")
    };
    let text = std::fs::read_to_string(path).map_err(|error| refused(&error))?;
    PublicKey::from_pem(&text).map_err(|error| refused(&error))
}

fn command_error(name: &str, error: &VerifyError) -> CommandError {
    let message = format!("Cannot verify `{name}`");
    if error.is_not_found() {
        CommandError::usage(message).caused_by(error).hint(
            "Name a run, the folder of one, an archive or an attestation; `hotpass verify` alone takes the latest run",
        )
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
    let notes = verification.checks.iter().filter(|check| check.outcome == Outcome::Noted).count();
    if failed == 0 && notes == 0 {
        context.printer.note(format_args!("`{name}` is as it was: {total} checks"));
    } else if failed == 0 {
        let words = if notes == 1 { "1 with a note" } else { &format!("{notes} with a note") };
        context.printer.note(format_args!("`{name}` verifies: {total} checks, {words}"));
    } else {
        context.printer.note(format_args!("`{name}` does not verify: {failed} of {total} checks failed"));
    }
    Ok(())
}
