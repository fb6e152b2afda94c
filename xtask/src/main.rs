//! The one door to chores and gates: `cargo xtask TASK`.
//!
//! Kept small on purpose: one dependency, so that it compiles in seconds before anything else does.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task runner speaks to the terminal")]
#![expect(clippy::disallowed_methods, reason = "evidence files of a gate may be rewritten at the next run")]

mod audit;
mod ci;
mod coverage;
mod fitness;
mod fuzz;
mod gates;
mod history;
mod mutants;
mod options;
mod peers;
mod process;
mod references;
mod sarif;
mod sbom;
mod secrets;
mod servers;
mod smoke;
mod tools;

use std::process::ExitCode;

use options::Options;

const HELP: &str = "\
Usage: cargo xtask TASK

Tasks:
  qa [--deep] [GATE…]   Run the quality gates of every change, with --deep the longer ones too, or the named ones
    --record              coverage, mutants: keep figures that are better than the committed ones
    --package NAME        coverage: tests and lines of this crate only; may be repeated
    --seconds N           fuzz: how long each target runs (60)
    --target NAME         fuzz: this target only; may be repeated
    --file PATH           mutants: this file only; may be repeated
  qa --list             List the gates with their stage, command and cost
  ci [--deep] [--peers [ROWS]]
                        Install what is missing, run the gates and the end-to-end runs; --peers compares with other tools,
                        with Splink on so many invented people (200000), and runs `smoke`
  peers [NAME…]         Compare the built program with other tools: verifiers, expectations, contracts, workbooks, splink, config
  smoke [marquez] [collector] [steward]
                        Run the built program against real servers on this machine, and keep the evidence under dist/staging
  references [--check]  Write the generated references, or say which are out of date
  install [deep] [on-demand]
                        Install the tools that the gates of each stage call
  install --list        List the tools of each stage
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["qa", "--list"] => {
            gates::list();
            Ok(())
        }
        ["qa", words @ ..] => match Options::parse("qa", words) {
            Ok(options) => gates::run_and_print(&options).and_then(|summary| summary.verdict()),
            Err(error) => return usage(&error),
        },
        ["ci", words @ ..] => match Options::parse("ci", words) {
            Ok(options) => ci::run_all(&options),
            Err(error) => return usage(&error),
        },
        ["peers", names @ ..] => peers::compare(names, peers::PEOPLE),
        ["smoke", names @ ..] => smoke::run(names),
        ["references"] => references::write(),
        ["references", "--check"] => references::check().map(|detail| println!("{detail}")),
        ["install", "--list"] => {
            tools::list();
            Ok(())
        }
        ["install", words @ ..] => match options::stages(words) {
            Ok(stages) => {
                let installed = stages.into_iter().try_for_each(tools::install);
                tools::list();
                installed
            }
            Err(error) => return usage(&error),
        },
        [] => return usage("A task is missing"),
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        [other, ..] => return usage(&format!("No task `{other}`")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn usage(message: &str) -> ExitCode {
    eprintln!("error: {message}\n\n{HELP}");
    ExitCode::from(2)
}
