//! `hotpass init`: a workspace that runs as it is.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::printer::Style;
use crate::samples;
use crate::workspace::{self, WorkspaceFile};

/// Make a workspace that runs as it is: configuration, a profile to edit, a folder for data
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Folder to write
    #[arg(long, value_name = "DIR", default_value = ".")]
    path: PathBuf,
    /// Write even when the folder is not empty; files of the same names are replaced
    #[arg(long)]
    force: bool,
    /// Profile that ships with the program to start from
    #[arg(long, value_name = "NAME", default_value = "generic")]
    profile: String,
    /// Put sample files of invented organisations into the data folder
    #[arg(long)]
    sample: bool,
}

/// Name of the profile that a workspace starts with.
const OWN_PROFILE: &str = "workspace";

pub(crate) fn run(args: InitArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let files = files(&args.profile, args.sample)?;
    workspace::check_folder(&args.path, args.force)?;
    workspace::write_files(&args.path, &files)?;
    context.printer.line(format_args!("Wrote a workspace to {}:", args.path.display()))?;
    for line in workspace::listing(&files) {
        context.printer.line(line)?;
    }
    context.printer.line("")?;
    context.printer.line(context.printer.style(Style::Bold, "Type next"))?;
    let enter = format!("cd {}", args.path.display());
    let mut steps = Vec::new();
    if args.path != Path::new(".") {
        steps.push((enter.as_str(), "go there"));
    }
    if !args.sample {
        steps.push(("cp YOUR-FILES data/", "bring your spreadsheets"));
    }
    steps.push(("hotpass inspect data", "see which tables and meanings are found in them"));
    steps.push(("hotpass refine", "turn them into one table, dist/refined.xlsx"));
    let width = steps.iter().map(|(line, _)| line.len()).max().unwrap_or_default();
    for (line, what) in steps {
        let line = context.printer.style(Style::Good, format_args!("{line:width$}"));
        context.printer.line(format_args!("  {line}  {what}"))?;
    }
    Ok(Exit::Done)
}

fn files(profile: &str, sample: bool) -> Result<Vec<WorkspaceFile>, CommandError> {
    let Some(text) = hotpass_config::profile::shipped_profile(profile) else {
        let known = hotpass_config::profile::known_profiles(&[]);
        let names: Vec<&str> = known.iter().map(|entry| entry.name.as_str()).collect();
        let nearest = hotpass_core::nearest(profile, names.iter().copied());
        return Err(CommandError::usage(format!("No profile of this name ships: `{profile}`"))
            .hint_if_some(nearest.map(|name| format!("Did you mean `{name}`?")))
            .hint(format!("The profiles that ship: {}", names.join(", "))));
    };
    let mut files = vec![
        WorkspaceFile::new("hotpass.toml", "the configuration", configuration(profile)),
        WorkspaceFile::new(
            format!("profiles/{OWN_PROFILE}.yaml"),
            "your profile: which headers mean what, what a row must have",
            own_profile(profile, text),
        ),
        WorkspaceFile::new("data/README.md", "what to put there", DATA_README),
        WorkspaceFile::new(
            ".gitignore",
            "keeps data and results out of version control",
            "/data/*\n!/data/README.md\n/dist/\n",
        ),
    ];
    if sample {
        let inputs = samples::input_files()
            .map_err(|error| CommandError::failure("Cannot make the sample workbooks").caused_by(&error))?;
        files.extend(
            inputs.into_iter().map(|(name, content)| {
                WorkspaceFile::new(Path::new("data").join(name), samples::purpose(name), content)
            }),
        );
    }
    Ok(files)
}

/// Returns a shipped profile under the workspace's own name.
fn own_profile(profile: &str, text: &str) -> String {
    let named = text.replacen(&format!("name: {profile}\n"), &format!("name: {OWN_PROFILE}\n"), 1);
    format!(
        "# The profile of this workspace: a copy of `{profile}`, yours to edit.\n\
         # `hotpass profile check profiles/{OWN_PROFILE}.yaml` says whether it is right.\n\n{named}"
    )
}

fn configuration(profile: &str) -> String {
    format!(
        r#"# Configuration of this workspace. Flags and `HOTPASS__SECTION__KEY` variables win over this file;
# `hotpass config show --origins` prints every value that is in force and where it comes from.

[profile]
name = "{OWN_PROFILE}"    # profiles/{OWN_PROFILE}.yaml, which started as a copy of `{profile}`

[pipeline]
input_dir = "data"
output_path = "dist/refined.xlsx"    # also .csv, .parquet or .json
dist_dir = "dist"                    # runs: manifest, report, provenance, quarantine
archive = false                      # true keeps a copy of the inputs with each run

[governance]
intent = ["Keep one list of organisations"]
data_owner = "Data Governance"       # who answers for the data
"#
    )
}

const DATA_README: &str = "# Data\n\n\
Put the files to refine here, in folders or not: xlsx, xlsm, xls, xlsb, ods, csv, tsv, psv, json, ndjson, parquet, arrow, \
and text files compressed as .gz or .zst. They need no preparation: titles above the header, merged section rows, \
several people in one cell and other habits are understood.\n\n\
`hotpass inspect data` shows what is found in them. Nothing here is changed by Hotpass.\n";
