//! `hotpass config`: the configuration in force, checked, compared, upgraded, and its schema.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use hotpass_config::model::LogFormat;
use hotpass_config::schema::{json_schema, reference_markdown};
use hotpass_config::upgrade::upgrade;
use hotpass_config::{ConfigLoader, Format, LoadedConfig};
use hotpass_core::write_atomic;
use hotpass_pipeline::check_named;
use serde_json::{Value, json};

use crate::context::{ConfigArgs, Context, checked, config_error};
use crate::error::CommandError;
use crate::exit::Exit;

/// Show, check, compare and upgrade configurations
#[derive(Debug, Args)]
pub(crate) struct ConfigCommandArgs {
    #[command(subcommand)]
    verb: ConfigVerb,
}

#[derive(Debug, Subcommand)]
enum ConfigVerb {
    /// Print the configuration in force, as a file that loads to the same
    Show(ShowArgs),
    /// Check configuration files, each by itself on the defaults, and report every problem
    Check(CheckArgs),
    /// Print the JSON Schema of a configuration file
    Schema,
    /// Compare two configuration files, key by key
    Diff(DiffArgs),
    /// Bring a configuration file of an older form into the present one
    Upgrade(UpgradeArgs),
    /// Print the reference page of every key
    #[command(hide = true)]
    Reference,
}

#[derive(Debug, Args)]
struct ShowArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// List every key with its value and where the value comes from
    #[arg(long)]
    origins: bool,
    /// Form of the document; with `--origins`, `json` makes a list of objects
    #[arg(long, value_enum, default_value_t)]
    format: DocumentFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum DocumentFormat {
    /// TOML
    #[default]
    Toml,
    /// YAML
    Yaml,
    /// JSON
    Json,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// Files to check
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Look for profiles in this folder before `profiles/` and the built-in ones; may be repeated
    #[arg(long, value_name = "DIR")]
    profile_search_path: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct DiffArgs {
    /// File on the left
    #[arg(value_name = "A")]
    left: PathBuf,
    /// File on the right
    #[arg(value_name = "B")]
    right: PathBuf,
    /// Look for profiles in this folder before `profiles/` and the built-in ones; may be repeated
    #[arg(long, value_name = "DIR")]
    profile_search_path: Vec<PathBuf>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    /// A table
    #[default]
    Table,
    /// A list of JSON objects
    Json,
}

#[derive(Debug, Args)]
struct UpgradeArgs {
    /// File to upgrade
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write the result back to the file instead of printing it
    #[arg(long)]
    write: bool,
}

pub(crate) fn run(args: ConfigCommandArgs, context: &mut Context) -> Result<Exit, CommandError> {
    match args.verb {
        ConfigVerb::Show(args) => show(&args, context),
        ConfigVerb::Check(args) => check(&args, context),
        ConfigVerb::Schema => context.printer.json(&json_schema()).map(|()| Exit::Done),
        ConfigVerb::Diff(args) => diff(&args, context),
        ConfigVerb::Upgrade(args) => upgrade_file(&args, context),
        ConfigVerb::Reference => context.printer.line(reference_markdown().trim_end()).map(|()| Exit::Done),
    }
}

fn show(args: &ShowArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let loaded = args.config.load(context)?;
    if args.origins {
        return show_origins(&loaded, args.format, context);
    }
    let text = match args.format {
        DocumentFormat::Toml => loaded.to_toml(),
        DocumentFormat::Yaml => loaded.to_yaml(),
        DocumentFormat::Json => loaded.to_json(),
    };
    context.printer.line(text.trim_end())?;
    Ok(Exit::Done)
}

fn show_origins(loaded: &LoadedConfig, format: DocumentFormat, context: &mut Context) -> Result<Exit, CommandError> {
    let rows = loaded.origins();
    let values = loaded.values();
    let value_of = |key: &str| values.get(key).cloned().unwrap_or_default();
    if format == DocumentFormat::Json {
        let list: Vec<Value> = rows
            .iter()
            .map(|(key, origin)| json!({"key": key, "value": value_of(key), "origin": origin.to_string()}))
            .collect();
        context.printer.json(&list)?;
    } else {
        let rows = rows.iter().map(|(key, origin)| [key.clone(), shown(Some(&value_of(key))), origin.to_string()]);
        context.printer.table(["key", "value", "origin"], rows)?;
    }
    Ok(Exit::Done)
}

/// Returns a value as one short line.
fn shown(value: Option<&Value>) -> String {
    const WIDTH: usize = 60;
    let text = match value {
        None | Some(Value::Null) => return "(absent)".to_owned(),
        Some(value) => value.to_string(),
    };
    if text.chars().count() <= WIDTH { text } else { text.chars().take(WIDTH - 1).chain(['…']).collect() }
}

fn loader(search_path: &[PathBuf]) -> ConfigLoader {
    let folders = ConfigArgs { profile_search_path: search_path.to_vec(), ..ConfigArgs::default() }.search_path();
    folders.into_iter().fold(ConfigLoader::new(), ConfigLoader::profile_search_path)
}

fn check(args: &CheckArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let (mut problems, mut missing) = (Vec::new(), Vec::new());
    for file in &args.files {
        match loader(&args.profile_search_path).file(file).load() {
            Ok(loaded) => match check_named(&loaded.config).as_slice() {
                [] => context.printer.line(format_args!("{}: valid", file.display()))?,
                found => missing.extend(found.iter().map(|problem| (file.display().to_string(), problem.clone()))),
            },
            Err(error) => problems.extend(error.problems),
        }
    }
    checked(problems, missing)
}

fn diff(args: &DiffArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let load =
        |file: &PathBuf| loader(&args.profile_search_path).file(file).load().map_err(|error| config_error(&error));
    let differences = load(&args.left)?.diff(&load(&args.right)?);
    if args.format == ListFormat::Json {
        let list: Vec<Value> = differences
            .iter()
            .map(|difference| json!({"key": difference.key, "left": difference.left, "right": difference.right}))
            .collect();
        context.printer.json(&list)?;
    } else if differences.is_empty() {
        context.printer.note("Both make the same configuration");
    } else {
        let rows = differences.iter().map(|difference| {
            [difference.key.clone(), shown(difference.left.as_ref()), shown(difference.right.as_ref())]
        });
        context.printer.table(["key", "left", "right"], rows)?;
    }
    Ok(Exit::Done)
}

fn upgrade_file(args: &UpgradeArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let file = args.file.display();
    let format = Format::of(&args.file).ok_or_else(|| {
        CommandError::usage(format!("Cannot tell the format of `{file}`"))
            .hint("Let its name end with `.toml`, `.yaml`, `.yml` or `.json`")
    })?;
    let text = std::fs::read_to_string(&args.file)
        .map_err(|error| CommandError::usage(format!("Cannot read `{file}`")).caused_by(&error))?;
    let upgraded = upgrade(&text, format, &args.file).map_err(|error| config_error(&error))?;
    for notice in &upgraded.notices {
        context.printer.event("upgrade", &json!({"code": notice.code, "key": notice.key, "message": notice.message}));
        if context.printer.log_format() == LogFormat::Rich {
            let key = if notice.key.is_empty() { String::new() } else { format!("{}: ", notice.key) };
            context.printer.note(format_args!("{key}{}", notice.message));
        }
    }
    if !args.write {
        context.printer.line(upgraded.text.trim_end())?;
    } else if upgraded.notices.is_empty() {
        context.printer.note(format_args!("Nothing to upgrade: `{file}` is in the present form"));
    } else {
        write_atomic(&args.file, upgraded.text.as_bytes())
            .map_err(|error| CommandError::failure(format!("Cannot write `{file}`")).caused_by(&error))?;
        context.printer.note(format_args!("Wrote `{file}`"));
    }
    Ok(Exit::Done)
}
