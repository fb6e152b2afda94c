//! The `hotpass` command: arguments, printer, progress and exit codes. What a library could know is in a library.

mod cli;
mod commands;
mod context;
mod error;
mod exit;
mod lineage;
mod printer;
mod progress;
mod samples;
mod telemetry;
mod telemetry_reference;
mod workspace;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
