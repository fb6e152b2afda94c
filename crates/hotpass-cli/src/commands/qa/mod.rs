//! `hotpass qa`: gates that a workspace can run with the installed program alone.

mod contracts;
mod data_quality;
mod evidence;
mod maintainers;
mod own;
mod profiles;

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::{Value, json};

use crate::context::{ConfigArgs, Context};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::printer::Style;

pub(crate) use data_quality::golden_json;

/// Check the program and this workspace: verbs, profiles, contracts, reference pages, a golden refine of sample data
#[derive(Debug, Args)]
#[command(after_help = "\
`all` is every gate but `ta`. `ta` runs those that apply to a workspace and keeps the result in
`quality-gates/latest-ta.json` and `quality-gates/history.ndjson` of the folder of runs. What needs the sources is a gate of the
maintainers: it is named with its command and does not fail here.

Examples:
  hotpass qa
  hotpass qa profiles --verbose
  hotpass qa data-quality --format json

Exit code 3 when a gate fails.")]
pub(crate) struct QaArgs {
    /// The gate
    #[arg(value_enum, default_value_t)]
    gate: Chosen,
    /// Print every check, also those that hold
    #[arg(long)]
    verbose: bool,
    /// Form of the result
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: QaFormat,
    /// Folder of runs and evidence, for `ta`
    #[arg(long, value_name = "DIR", default_value = "dist")]
    dist_dir: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Form of the result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum QaFormat {
    /// A table
    #[default]
    Table,
    /// One JSON object
    Json,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Chosen {
    /// Every gate but `ta`
    #[default]
    All,
    /// Each verb of this program answers
    Cli,
    /// Contracts that ship, and those of the workspace and its profiles, can be read, and their examples hold
    Contracts,
    /// The reference pages name every verb, field, artefact and exit code
    Docs,
    /// Configuration and profiles load, and each profile says something on every stage
    Profiles,
    /// Rules of the architecture, which only the repository can check
    Fitness,
    /// Sample data refines to the expected bytes and meets its suites
    DataQuality,
    /// Every gate that applies to a workspace, with the result kept
    Ta,
}

/// A gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Cli,
    Contracts,
    Docs,
    Profiles,
    Fitness,
    DataQuality,
}

impl Gate {
    const ALL: [Self; 6] = [Self::Cli, Self::Contracts, Self::Docs, Self::Profiles, Self::Fitness, Self::DataQuality];

    fn name(self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::Contracts => "contracts",
            Self::Docs => "docs",
            Self::Profiles => "profiles",
            Self::Fitness => "fitness",
            Self::DataQuality => "data-quality",
        }
    }

    /// Returns how a maintainer runs the gate, where only the repository can answer it.
    fn of_maintainers(self) -> Option<String> {
        (self == Self::Fitness).then(|| maintainers::command(self.name()))
    }

    fn checks(self, args: &QaArgs, context: &mut Context) -> Vec<Check> {
        match self {
            Self::Cli => own::verbs(),
            Self::Contracts => contracts::checks(&args.config, context),
            Self::Docs => own::pages(),
            Self::Profiles => profiles::checks(&args.config, context),
            Self::Fitness => Vec::new(),
            Self::DataQuality => data_quality::checks(),
        }
    }
}

impl Chosen {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn gates(self) -> Vec<Gate> {
        match self {
            Self::All => Gate::ALL.to_vec(),
            Self::Ta => Gate::ALL.into_iter().filter(|gate| gate.of_maintainers().is_none()).collect(),
            Self::Cli => vec![Gate::Cli],
            Self::Contracts => vec![Gate::Contracts],
            Self::Docs => vec![Gate::Docs],
            Self::Profiles => vec![Gate::Profiles],
            Self::Fitness => vec![Gate::Fitness],
            Self::DataQuality => vec![Gate::DataQuality],
        }
    }
}

/// Something that a gate looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: String,
    passed: bool,
    detail: String,
}

impl Check {
    fn pass(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { name: name.into(), passed: true, detail: detail.into() }
    }

    fn fail(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { name: name.into(), passed: false, detail: detail.into() }
    }

    fn of(name: impl Into<String>, result: Result<impl Into<String>, impl Into<String>>) -> Self {
        match result {
            Ok(detail) => Self::pass(name, detail),
            Err(detail) => Self::fail(name, detail),
        }
    }
}

/// What a gate found.
#[derive(Debug, Serialize)]
struct GateResult {
    gate: &'static str,
    /// `passed`, `failed`, or `maintainers` for a gate that an installed program cannot answer.
    outcome: &'static str,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_with: Option<String>,
    checks: Vec<Check>,
}

impl GateResult {
    fn failed(&self) -> usize {
        self.checks.iter().filter(|check| !check.passed).count()
    }

    fn detail(&self) -> String {
        match (&self.run_with, self.checks.iter().find(|check| !check.passed)) {
            (Some(command), _) => format!("of the maintainers: {command}"),
            (None, Some(check)) if self.failed() == 1 => format!("{}: {}", check.name, check.detail),
            (None, Some(check)) => format!("{}: {}; {} more", check.name, check.detail, self.failed() - 1),
            (None, None) => String::new(),
        }
    }
}

pub(crate) fn run(args: QaArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let mut results = Vec::new();
    for gate in args.gate.gates() {
        if context.is_cancelled() {
            return Err(CommandError::interrupted());
        }
        let clock = Instant::now();
        let run_with = gate.of_maintainers();
        let checks = gate.checks(&args, context);
        let passed = checks.iter().all(|check| check.passed);
        let outcome = match &run_with {
            Some(_) => "maintainers",
            None if passed => "passed",
            None => "failed",
        };
        let seconds = (clock.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        results.push(GateResult { gate: gate.name(), outcome, seconds, run_with, checks });
    }
    let passed = results.iter().all(|result| result.outcome != "failed");
    let summary = summary(&results, passed, context);
    if args.gate == Chosen::Ta {
        evidence::write(&args.dist_dir, &summary)?;
    }
    match args.format {
        QaFormat::Json => context.printer.json(&summary)?,
        QaFormat::Table => print(&results, &args, context)?,
    }
    Ok(if passed { Exit::Done } else { Exit::DidNotPass })
}

fn summary(results: &[GateResult], passed: bool, context: &Context) -> Value {
    json!({
        "passed": passed,
        "version": env!("CARGO_PKG_VERSION"),
        "time": context.clock.now().format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "gates": results,
        "maintainers": maintainers::gates(),
    })
}

fn print(results: &[GateResult], args: &QaArgs, context: &mut Context) -> Result<(), CommandError> {
    let printer = &mut context.printer;
    for result in results {
        for check in result.checks.iter().filter(|check| args.verbose || !check.passed) {
            let (style, mark) = if check.passed { (Style::Good, "ok    ") } else { (Style::Bad, "FAILED") };
            let mark = printer.style(style, mark);
            printer.line(format_args!("{mark}  {}: {}: {}", result.gate, check.name, check.detail))?;
        }
    }
    let rows: Vec<[String; 5]> = results
        .iter()
        .map(|result| {
            let style = match result.outcome {
                "passed" => Style::Good,
                "failed" => Style::Bad,
                _ => Style::Dim,
            };
            [
                result.gate.to_owned(),
                printer.style(style, result.outcome),
                if result.checks.is_empty() {
                    String::new()
                } else {
                    format!("{} of {}", result.checks.len() - result.failed(), result.checks.len())
                },
                if result.run_with.is_some() { String::new() } else { format!("{:.1}", result.seconds) },
                result.detail(),
            ]
        })
        .collect();
    printer.table(["gate", "result", "checks", "seconds", "detail"], rows)?;
    if args.gate == Chosen::Ta {
        let folder = evidence::folder(&args.dist_dir);
        printer.note(format_args!("Kept in {}", folder.join("latest-ta.json").display()));
    }
    if matches!(args.gate, Chosen::All | Chosen::Ta | Chosen::Fitness) {
        printer.note(maintainers::note());
    }
    if !args.verbose && args.gate != Chosen::Fitness {
        printer.note(format_args!("Each check: `hotpass qa {} --verbose`", args.gate.name()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_leaves_out_technical_acceptance_and_that_leaves_out_the_maintainers() {
        assert_eq!(Chosen::All.gates().len(), Gate::ALL.len());
        assert!(!Chosen::Ta.gates().contains(&Gate::Fitness));
        assert_eq!(Chosen::Ta.gates().len(), Gate::ALL.len() - 1);
    }
}
