//! `hotpass doctor`: whether environment, configuration and inputs are fit for a run.

mod configuration;
mod environment;
mod inputs;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hotpass_core::Severity;
use serde::Serialize;

use crate::context::{ConfigArgs, Context};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::printer::{Printer, Style};

/// Check environment, configuration and inputs, and say what to do about what is wrong
#[derive(Debug, Args)]
#[command(after_help = "\
The health score is the share of the checks that pass. Exit code 3 when a check fails, 2 when the configuration cannot \
be loaded; warnings alone do not fail.")]
pub(crate) struct DoctorArgs {
    /// Make the folders that are missing, and write fixes of the configuration to its file, comments kept
    #[arg(long)]
    fix: bool,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: DoctorFormat,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum DoctorFormat {
    /// A line a check
    #[default]
    Text,
    /// A JSON object
    Json,
}

/// One check and what came of it.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    /// Dotted name.
    name: String,
    /// Whether it passed.
    passed: bool,
    /// How bad a failure is.
    severity: Severity,
    /// What was found.
    message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
    /// Whether `--fix` has done it.
    fixed: bool,
    /// What `--fix` would do.
    #[serde(skip)]
    repair: Option<Repair>,
}

/// What `--fix` can do.
#[derive(Debug)]
pub(super) enum Repair {
    /// Make a folder.
    MakeFolder(PathBuf),
    /// Set a key of the configuration to a value, given as text.
    SetKey(&'static str, String),
}

impl Check {
    /// Makes a check that passed.
    fn pass(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            passed: true,
            severity: Severity::Info,
            message: message.into(),
            fix: None,
            fixed: false,
            repair: None,
        }
    }

    /// Makes a check that is worth a look.
    fn warn(name: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { passed: false, severity: Severity::Warning, fix: Some(fix.into()), ..Self::pass(name, message) }
    }

    /// Makes a check that failed.
    fn fail(name: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { severity: Severity::Error, ..Self::warn(name, message, fix) }
    }

    /// Adds what `--fix` would do.
    fn repair(mut self, repair: Repair) -> Self {
        self.repair = Some(repair);
        self
    }

    /// Returns whether the check fails the whole.
    fn is_failure(&self) -> bool {
        !self.passed && self.severity == Severity::Error
    }
}

/// The whole answer, as JSON.
#[derive(Debug, Serialize)]
struct Health<'a> {
    checks: &'a [Check],
    passed: usize,
    warnings: usize,
    failures: usize,
    score: usize,
}

pub(crate) fn run(args: DoctorArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let mut checks = all_checks(&args.config, context)?;
    if args.fix {
        let mended = mend(&checks, &args.config)?;
        // What was mended is judged again: an environment variable may still overrule the file.
        checks = all_checks(&args.config, context)?;
        for check in checks.iter_mut().filter(|check| mended.contains(&check.name)) {
            check.fixed = check.passed;
        }
    }
    let passed = checks.iter().filter(|check| check.passed).count();
    let failures = checks.iter().filter(|check| check.is_failure()).count();
    let health = Health {
        checks: &checks,
        passed,
        warnings: checks.len() - passed - failures,
        failures,
        score: passed * 100 / checks.len().max(1),
    };
    match args.format {
        DoctorFormat::Text => print(&health, &mut context.printer)?,
        DoctorFormat::Json => context.printer.json(&health)?,
    }
    Ok(if failures == 0 { Exit::Done } else { Exit::DidNotPass })
}

fn all_checks(config: &ConfigArgs, context: &mut Context) -> Result<Vec<Check>, CommandError> {
    let loaded = config.load(context)?;
    let mut checks = environment::checks(&loaded.config);
    checks.extend(configuration::checks(&loaded.config));
    checks.extend(inputs::checks(&loaded.config));
    Ok(checks)
}

/// Does what `--fix` can do; returns the names of the checks it was done for.
fn mend(checks: &[Check], config: &ConfigArgs) -> Result<Vec<String>, CommandError> {
    let mut keys = Vec::new();
    let mut mended = Vec::new();
    for check in checks {
        match &check.repair {
            None => continue,
            Some(Repair::MakeFolder(folder)) => std::fs::create_dir_all(folder).map_err(|error| {
                CommandError::failure(format!("Cannot make folder `{}`", folder.display())).caused_by(&error)
            })?,
            Some(Repair::SetKey(key, value)) => keys.push((*key, value.as_str())),
        }
        mended.push(check.name.clone());
    }
    configuration::set_keys(&keys, config)?;
    Ok(mended)
}

fn print(health: &Health<'_>, printer: &mut Printer) -> Result<(), CommandError> {
    for check in health.checks {
        let (label, style) = match (check.passed, check.fixed, check.severity) {
            (true, true, _) => ("FIXED", Style::Good),
            (true, false, _) => ("PASS ", Style::Good),
            (false, _, Severity::Error) => ("FAIL ", Style::Bad),
            (false, ..) => ("WARN ", Style::Warn),
        };
        printer.line(format_args!("{} {}: {}", printer.style(style, label), check.name, check.message))?;
        if let Some(fix) = &check.fix {
            printer.line(format_args!("      fix: {fix}"))?;
        }
    }
    printer.line("")?;
    printer.line(format_args!(
        "Health {} %: {} passed, {} to look at, {} failed",
        health.score, health.passed, health.warnings, health.failures
    ))?;
    let repairable = health.checks.iter().filter(|check| check.repair.is_some()).count();
    if repairable > 0 {
        printer.hint(format_args!("`hotpass doctor --fix` mends {repairable} of them"));
    }
    Ok(())
}
