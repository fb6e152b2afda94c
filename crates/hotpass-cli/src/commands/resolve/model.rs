//! `hotpass resolve model`: show, check and convert model files.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use hotpass_core::write_atomic;
use hotpass_pipeline::resolve::{ModelForm, check_model, is_trained, model_text, read_model_file};
use hotpass_resolve::model::{BlockingKind, BlockingRule, LinkageModel};
use serde_json::{Value, json};

use super::shared::{command_error, notices};
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;

/// Show, check and convert model files
#[derive(Debug, Args)]
pub(super) struct ModelArgs {
    #[command(subcommand)]
    verb: ModelVerb,
}

#[derive(Debug, Subcommand)]
enum ModelVerb {
    /// Show the comparisons, levels, weights and blocking rules of a model
    Show(ShowArgs),
    /// Check a model, by itself or against the files it is for, and report every problem
    Check(CheckArgs),
    /// Write a model in Hotpass's form or in Splink's
    Convert(ConvertArgs),
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Model file
    #[arg(value_name = "FILE")]
    model: PathBuf,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: ModelFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ModelFormat {
    /// Tables for people
    #[default]
    Table,
    /// One JSON document
    Json,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// Model file
    #[arg(value_name = "FILE")]
    model: PathBuf,
    /// File of records the model is for; may be repeated
    #[arg(long, short, value_name = "FILE")]
    input_file: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct ConvertArgs {
    /// Model file
    #[arg(value_name = "FILE")]
    model: PathBuf,
    /// Form to write
    #[arg(long, value_enum)]
    to: FormChoice,
    /// File to write; the standard output when absent
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormChoice {
    /// Hotpass's own form, see `schemas/linkage-model.schema.json`
    Hotpass,
    /// Splink's JSON, version 5
    Splink,
}

pub(super) fn run(args: ModelArgs, context: &mut Context) -> Result<Exit, CommandError> {
    match args.verb {
        ModelVerb::Show(args) => show(&args, context),
        ModelVerb::Check(args) => check(&args, context),
        ModelVerb::Convert(args) => convert(&args, context),
    }
}

fn read(path: &Path, context: &mut Context) -> Result<LinkageModel, CommandError> {
    let (model, found) = read_model_file(path).map_err(|error| command_error("Cannot read the model", &error))?;
    notices(context, &found);
    Ok(model)
}

fn check(args: &CheckArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let model = read(&args.model, context)?;
    let found = check_model(&model, &args.model, &args.input_file)
        .map_err(|error| command_error("The model does not pass", &error))?;
    notices(context, &found);
    let against = match args.input_file.as_slice() {
        [] => String::new(),
        [file] => format!(" against `{}`", file.display()),
        files => format!(" against {} files", files.len()),
    };
    let trained = if is_trained(&model) { "trained" } else { "not trained yet" };
    context.printer.line(format_args!("{}: valid{against}, {trained}", args.model.display()))?;
    Ok(Exit::Done)
}

fn convert(args: &ConvertArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let model = read(&args.model, context)?;
    let form = match args.to {
        FormChoice::Hotpass => ModelForm::Hotpass,
        FormChoice::Splink => ModelForm::Splink,
    };
    let (text, found) =
        model_text(&model, form, &args.model).map_err(|error| command_error("Cannot convert the model", &error))?;
    notices(context, &found);
    match &args.output {
        None => context.printer.line(text.trim_end())?,
        Some(path) => {
            write_atomic(path, format!("{}\n", text.trim_end())).map_err(|error| {
                CommandError::failure(format!("Cannot write `{}`", path.display())).caused_by(&error)
            })?;
            context.printer.note(format_args!("Wrote `{}`", path.display()));
        }
    }
    Ok(Exit::Done)
}

fn show(args: &ShowArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let model = read(&args.model, context)?;
    if args.format == ModelFormat::Json {
        context.printer.json(&described(&model))?;
        return Ok(Exit::Done);
    }
    let prior = model.probability_two_random_records_match;
    context.printer.line(format_args!(
        "{}, {} comparisons, {} blocking rules, {}; prior {prior:e} (weight {:.2})",
        model.link_type,
        model.comparisons.len(),
        model.blocking_rules.len(),
        if is_trained(&model) { "trained" } else { "not trained" },
        (prior / (1.0 - prior)).log2(),
    ))?;
    for comparison in &model.comparisons {
        context.printer.line(format_args!("\n{}", comparison.output_column_name))?;
        let rows = comparison.levels.iter().enumerate().map(|(index, level)| {
            let number = |number: Option<f64>| number.map_or_else(String::new, |number| format!("{number:.6}"));
            let weight = if level.is_null_level || level.m_probability.is_none() || level.u_probability.is_none() {
                String::new()
            } else {
                format!("{:+.2}", comparison.match_weight(index))
            };
            [
                comparison.vector_value(index).to_string(),
                level.label.clone().unwrap_or_else(|| level.sql_condition.clone()),
                number(level.m_probability),
                number(level.u_probability),
                weight,
                level.term_frequency.as_ref().map_or_else(String::new, |adjustment| adjustment.column.clone()),
            ]
        });
        context.printer.table(["value", "level", "m", "u", "weight", "term frequency"], rows)?;
    }
    if !model.blocking_rules.is_empty() {
        context.printer.line("\nblocking rules")?;
        let rows = model.blocking_rules.iter().enumerate().map(|(index, rule)| [index.to_string(), rule_line(rule)]);
        context.printer.table(["match_key", "rule"], rows)?;
    }
    Ok(Exit::Done)
}

/// Says a blocking rule on a line.
pub(super) fn rule_line(rule: &BlockingRule) -> String {
    let mut line = match &rule.kind {
        BlockingKind::Sql(sql) => sql.clone(),
        BlockingKind::SortedNeighbourhood { key, window } => format!("sorted neighbourhood of {key}, window {window}"),
        BlockingKind::QGramLsh { text, q, bands, rows_per_band } => {
            format!("MinHash of {q}-grams of {text}, {bands} bands of {rows_per_band}")
        }
        BlockingKind::Tokens { text, minimum_shared, maximum_records } => {
            format!("{minimum_shared} shared tokens of {text}, tokens in at most {maximum_records} records")
        }
    };
    if !rule.arrays_to_explode.is_empty() {
        let _ = write!(line, " (elements of {})", rule.arrays_to_explode.join(", "));
    }
    line
}

fn described(model: &LinkageModel) -> Value {
    let comparisons: Vec<Value> = model
        .comparisons
        .iter()
        .map(|comparison| {
            let levels: Vec<Value> = comparison
                .levels
                .iter()
                .enumerate()
                .map(|(index, level)| {
                    let weight = (!level.is_null_level).then(|| comparison.match_weight(index));
                    json!({
                        "value": comparison.vector_value(index), "label": level.label, "sql_condition": level.sql_condition,
                        "m_probability": level.m_probability, "u_probability": level.u_probability, "match_weight": weight,
                        "term_frequency_column": level.term_frequency.as_ref().map(|adjustment| &adjustment.column),
                    })
                })
                .collect();
            let name = &comparison.output_column_name;
            let description = comparison.description.as_ref().filter(|description| *description != name);
            json!({"name": name, "description": description, "levels": levels})
        })
        .collect();
    json!({
        "link_type": model.link_type.to_string(),
        "probability_two_random_records_match": model.probability_two_random_records_match,
        "trained": is_trained(model),
        "comparisons": comparisons,
        "blocking_rules": model.blocking_rules.iter().map(rule_line).collect::<Vec<_>>(),
    })
}
