//! `hotpass version`: what this program is and what it was built with.

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;

/// Print the version, and what the program was built with
#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: VersionFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum VersionFormat {
    /// Words
    #[default]
    Text,
    /// A JSON object
    Json,
}

/// The optional features, and whether they were compiled in.
const FEATURES: &[(&str, bool)] = &[("query", cfg!(feature = "query"))];

pub(crate) fn run(args: VersionArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let version = env!("CARGO_PKG_VERSION");
    let target = env!("HOTPASS_TARGET");
    let compiler = env!("HOTPASS_RUSTC");
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let features: Vec<&str> = FEATURES.iter().filter(|feature| feature.1).map(|feature| feature.0).collect();
    match args.format {
        VersionFormat::Text => {
            let features = if features.is_empty() { "none".to_owned() } else { features.join(", ") };
            context.printer.line(format_args!("hotpass {version}"))?;
            context.printer.line(format_args!("target    {target}"))?;
            context.printer.line(format_args!("build     {build}"))?;
            context.printer.line(format_args!("features  {features}"))?;
            context.printer.line(format_args!("compiler  {compiler}"))?;
        }
        VersionFormat::Json => context.printer.json(&json!({
            "version": version, "target": target, "build": build, "features": features, "rustc": compiler,
        }))?,
    }
    Ok(Exit::Done)
}
