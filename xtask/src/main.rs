//! The one door to chores and gates: `cargo xtask TASK`.
//!
//! Kept small on purpose: one dependency, so that it compiles in seconds before anything else does.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task runner speaks to the terminal")]
#![expect(clippy::disallowed_methods, reason = "evidence files of a gate may be rewritten at the next run")]

mod audit;
mod ci;
mod fitness;
mod gates;
mod peers;
mod process;
mod references;
mod sbom;
mod secrets;

use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask TASK

Tasks:
  qa [GATE…]            Run all quality gates, or the named ones
  qa --list             List the gates with their commands
  ci [--peers [ROWS]]   Install what is missing, run the gates and the end-to-end runs; --peers compares with other tools,
                        with Splink on so many invented people (200000)
  references [--check]  Write the generated references, or say which are out of date
  install               Install the tools that the gates call
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["qa", "--list"] => {
            gates::list();
            Ok(())
        }
        ["qa", names @ ..] => gates::run_named(names).map(|_| ()),
        ["ci"] => ci::run_all(None),
        ["ci", "--peers"] => ci::run_all(Some(peers::PEOPLE)),
        ["ci", "--peers", rows] => match rows.parse() {
            Ok(people) => ci::run_all(Some(people)),
            Err(_) => Err(format!("Not a number of people: {rows}")),
        },
        ["references"] => references::write(),
        ["references", "--check"] => references::check().map(|detail| println!("{detail}")),
        ["install"] => ci::install_tools(),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            return if arguments.is_empty() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
        [other, ..] => {
            eprintln!("error: No task `{other}`\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
