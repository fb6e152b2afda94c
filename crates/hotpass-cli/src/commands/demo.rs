//! `hotpass demo`: a small workspace of messy files, refined, with a word on where to look.

use std::path::{Path, PathBuf};

use clap::{Args, Parser};
use hotpass_core::RunDirectory;

use crate::cli::Cli;
use crate::commands;
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::printer::Style;
use crate::samples;
use crate::workspace::{self, WorkspaceFile};

/// Write a small messy workspace of invented organisations, refine it and say where to look
#[derive(Debug, Args)]
#[command(after_help = "Everything in the workspace is invented; nothing is sent anywhere.")]
pub(crate) struct DemoArgs {
    /// Folder to write
    #[arg(long, value_name = "DIR", default_value = "hotpass-demo")]
    path: PathBuf,
    /// Write even when the folder is not empty
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: DemoArgs, context: &mut Context) -> Result<Exit, CommandError> {
    workspace::check_folder(&args.path, args.force)?;
    let files = files()?;
    workspace::write_files(&args.path, &files)?;
    let folder = args.path.display();
    context.printer.line(format_args!(
        "An invented heritage trust keeps its members in {} files, and nobody agreed on how.\nWritten to {folder}/:",
        files.iter().filter(|file| file.path.starts_with("data")).count()
    ))?;
    for line in workspace::listing(&files) {
        context.printer.line(line)?;
    }
    context.printer.line("")?;
    context.printer.line(format_args!(
        "Now the same as typing: {}",
        context.printer.style(Style::Good, format_args!("cd {folder} && hotpass refine"))
    ))?;
    context.printer.line("")?;
    std::env::set_current_dir(&args.path)
        .map_err(|error| CommandError::failure(format!("Cannot enter folder `{folder}`")).caused_by(&error))?;
    let refine = Cli::try_parse_from(["hotpass", "refine"])
        .map_err(|error| CommandError::failure("Cannot start `hotpass refine`").caused_by(&error))?;
    let exit = commands::run(refine.into_verb(), context)?;
    where_to_look(&args.path, context)?;
    Ok(exit)
}

fn files() -> Result<Vec<WorkspaceFile>, CommandError> {
    let mut files = vec![WorkspaceFile::new("hotpass.toml", "the configuration", samples::CONFIGURATION)];
    let inputs = samples::input_files()
        .map_err(|error| CommandError::failure("Cannot make the sample workbooks").caused_by(&error))?;
    files.extend(
        inputs
            .into_iter()
            .map(|(name, content)| WorkspaceFile::new(Path::new("data").join(name), samples::purpose(name), content)),
    );
    Ok(files)
}

fn where_to_look(folder: &Path, context: &mut Context) -> Result<(), CommandError> {
    let run = RunDirectory::find(Path::new("dist"), "latest")
        .map_err(|error| CommandError::failure("The run left no folder").caused_by(&error))?;
    let run = format!("dist/runs/{}", run.id());
    let looks = [
        ("dist/refined.xlsx".to_owned(), "the governed table, with Summary, Conflicts and Quarantine sheets"),
        (format!("{run}/report.html"), "the report: open it in a browser"),
        (format!("{run}/manifest.json"), "inputs and outputs with their SHA-256, and the whole configuration"),
    ];
    let commands = [
        ("hotpass explain-provenance --row 1", "which cell of which file each value of row 1 came from"),
        ("hotpass inspect data", "which tables and meanings were found in the files"),
        ("hotpass verify latest", "that nothing was changed since and no row was lost"),
    ];
    context.printer.line("")?;
    context.printer.line(context.printer.style(Style::Bold, format_args!("Look at, in {}/", folder.display())))?;
    let width = looks.iter().map(|(path, _)| path.len()).max().unwrap_or_default();
    for (path, what) in &looks {
        context.printer.line(format_args!("  {path:width$}  {what}"))?;
    }
    context.printer.line("")?;
    context
        .printer
        .line(context.printer.style(Style::Bold, format_args!("Type next, after `cd {}`", folder.display())))?;
    let width = commands.iter().map(|(line, _)| line.len()).max().unwrap_or_default();
    for (line, what) in commands {
        let line = context.printer.style(Style::Good, format_args!("{line:width$}"));
        context.printer.line(format_args!("  {line}  {what}"))?;
    }
    Ok(())
}
