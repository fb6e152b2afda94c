//! `hotpass map`: the mapping of columns as a file to edit.

use std::path::PathBuf;

use clap::Args;
use hotpass_core::write_atomic;
use hotpass_ingest::{columns::ProfileOptions, mapping::write_mapping_file};
use hotpass_pipeline::mapping_files;

use super::inspect::{Survey, mapping_file_error};
use crate::context::{ConfigArgs, Context};
use crate::error::CommandError;
use crate::exit::Exit;

/// Rows that are looked at: as many as decide the types of columns.
const ROWS: u64 = 10_000;

/// Write which column is which field to a file that you edit and pass back
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass map data/ --output mapping.toml
  hotpass inspect data/ --mapping mapping.toml
  hotpass refine data/ --mapping mapping.toml")]
pub(crate) struct MapArgs {
    /// Files, folders or patterns
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// File to write, TOML
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Replace the file when it exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(crate) fn run(args: MapArgs, context: &mut Context) -> Result<Exit, CommandError> {
    if args.output.exists() && !args.force {
        return Err(CommandError::usage(format!("The file `{}` exists", args.output.display()))
            .hint("It may hold your edits; choose another name, or replace it with `--force`"));
    }
    let loaded = args.config.load(context)?;
    let survey = Survey {
        paths: &args.paths,
        config: &loaded.config,
        mapping_files: mapping_files(&loaded.config).map_err(mapping_file_error)?,
        rows: ROWS,
        profile: ProfileOptions::default(),
    };
    let files = survey.files(context)?;
    let tables: Vec<_> = files.iter().flat_map(|file| &file.tables).collect();
    if tables.is_empty() {
        return Err(CommandError::usage("No table was found in the input").hint("See why with `hotpass inspect PATH`"));
    }
    let text = write_mapping_file(tables.iter().map(|table| (&table.id, &table.mapping)));
    write_atomic(&args.output, text.as_bytes())
        .map_err(|error| CommandError::failure("Cannot write the mapping").caused_by(&error))?;
    let output = args.output.display();
    let table_word = if tables.len() == 1 { "table" } else { "tables" };
    context.printer.note(format_args!("Wrote the mapping of {} {table_word} to {output}", tables.len()));
    context.printer.hint(format_args!(
        "Edit it, see the effect with `hotpass inspect PATH --mapping {output}`, then `hotpass refine PATH --mapping {output}`"
    ));
    Ok(Exit::Done)
}
