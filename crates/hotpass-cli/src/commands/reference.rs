//! `hotpass reference`: the reference pages as Markdown, and the schema of a linkage model, generated from the code.

use std::fmt::Write as _;

use clap::builder::ValueRange;
use clap::{Arg, Args, Command, ValueEnum};
use hotpass_core::fields::{ColumnSpec, INPUT_FIELDS, LOSING_CELL_COLUMNS, RUN_ARTEFACTS};

use crate::cli;
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::{self, Exit};
use crate::telemetry_reference;

/// Print a reference page as Markdown, generated from the code
#[derive(Debug, Args)]
pub(crate) struct ReferenceArgs {
    /// The page
    #[arg(value_enum)]
    page: Page,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Page {
    /// Files of a run and their columns
    Artefacts,
    /// Verbs and flags
    Cli,
    /// Contracts that come with the program
    Contracts,
    /// Exit codes
    ExitCodes,
    /// Canonical fields that source columns are mapped to
    Fields,
    /// Digests of the refined sample data, which `hotpass qa` expects
    Golden,
    /// JSON Schema of a linkage model, in Hotpass's form
    LinkageModel,
    /// Spans, metrics, attributes and variables of telemetry
    Telemetry,
}

pub(crate) fn run(args: ReferenceArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let page = match args.page {
        Page::Artefacts => artefacts(),
        Page::Cli => command_line(),
        Page::Contracts => hotpass_quality::contract::shipped::reference_page()
            .map_err(|error| CommandError::failure("Cannot print the contracts").caused_by(&error))?,
        Page::ExitCodes => exit::markdown(),
        Page::Fields => fields(),
        Page::Golden => super::qa::golden_json()
            .map_err(|error| CommandError::failure(format!("Cannot refine the sample data: {error}")))?,
        Page::Telemetry => telemetry_reference::page(),
        Page::LinkageModel => {
            return context.printer.json(&hotpass_resolve::model::json_schema()).map(|()| Exit::Done);
        }
    };
    context.printer.bytes(page.as_bytes())?;
    Ok(Exit::Done)
}

pub(super) fn command_line() -> String {
    let mut root = cli::command().disable_help_subcommand(true);
    root.build();
    let mut page = String::from("# Command line\n\n");
    if let Some(about) = root.get_about() {
        let _ = writeln!(page, "{about}.\n");
    }
    page.push_str("| verb | does |\n| --- | --- |\n");
    for verb in visible(&root) {
        let name = verb.get_name();
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(page, "| [`hotpass {name}`](#hotpass-{name}) | {} |", cell(&about));
    }
    page.push_str("\n## Flags of every verb\n\n");
    arguments(&mut page, root.get_arguments().filter(|argument| argument.is_global_set()));
    for verb in visible(&root) {
        section(&mut page, verb, "hotpass", 2);
    }
    page.push_str("\nThe exit codes are on [their own page](exit-codes.md).\n");
    page
}

fn section(page: &mut String, command: &Command, parent: &str, level: usize) {
    let name = format!("{parent} {}", command.get_name());
    let _ = writeln!(page, "\n{} {name}\n", "#".repeat(level));
    if let Some(about) = command.get_long_about().or_else(|| command.get_about()) {
        let _ = writeln!(page, "{about}.\n");
    }
    let mut usage = command.clone();
    let usage = usage.render_usage().to_string();
    let _ = writeln!(page, "```text\n{}\n```\n", usage.trim_start_matches("Usage: ").trim());
    arguments(page, command.get_arguments().filter(|argument| !argument.is_global_set()));
    if let Some(after) = command.get_after_help() {
        let _ = writeln!(page, "\n{after}");
    }
    for verb in visible(command) {
        section(page, verb, &name, level + 1);
    }
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|verb| !verb.is_hide_set())
}

fn arguments<'a>(page: &mut String, all: impl Iterator<Item = &'a Arg>) {
    let rows: Vec<String> = all
        .filter(|argument| !argument.is_hide_set() && !["help", "version"].contains(&argument.get_id().as_str()))
        .map(argument_row)
        .collect();
    if rows.is_empty() {
        return;
    }
    page.push_str("| argument | default | meaning |\n| --- | --- | --- |\n");
    page.push_str(&rows.concat());
}

fn argument_row(argument: &Arg) -> String {
    let takes_value = argument.get_num_args().unwrap_or(ValueRange::SINGLE).takes_values();
    let value = argument
        .get_value_names()
        .map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        .unwrap_or_default();
    let name = match (argument.get_long(), argument.get_short()) {
        (Some(long), Some(short)) => format!("--{long}, -{short}"),
        (Some(long), None) => format!("--{long}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => String::new(),
    };
    let shown = match (name.is_empty(), takes_value && !value.is_empty()) {
        (true, _) => value,
        (false, true) => format!("{name} {value}"),
        (false, false) => name,
    };
    let defaults: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let default = match defaults.join(", ") {
        _ if !takes_value => String::new(),
        none if none.is_empty() => none,
        some => format!("`{some}`"),
    };
    let mut help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let possible: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|_| takes_value)
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}` {}", value.get_name(), lower_first(&help.to_string())),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if !possible.is_empty() {
        let _ = write!(help, ": {}", possible.join("; "));
    }
    format!("| `{}` | {default} | {} |\n", cell(&shown), cell(&help))
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    match (characters.next(), characters.clone().next()) {
        // An acronym keeps its capitals.
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().collect::<String>() + characters.as_str()
        }
        _ => text.to_owned(),
    }
}

/// Escapes text for a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

pub(super) fn artefacts() -> String {
    let mut page = String::from(
        "# Files of a run\n\nEach run owns the folder `dist/runs/RUN_ID/` (`--dist-dir` changes `dist`); \
         `dist/runs/latest` names the newest.\n\n| file | holds |\n| --- | --- |\n",
    );
    for (name, _, description) in RUN_ARTEFACTS {
        let _ = writeln!(page, "| `{name}` | {} |", cell(description));
    }
    for (name, columns, description) in RUN_ARTEFACTS {
        if let Some(columns) = columns {
            let _ = writeln!(page, "\n## {name}\n\n{description}.\n");
            columns_table(&mut page, columns);
        }
    }
    page.push_str(
        "\n## Cells in `losing_cells`\n\nEach item of the list in `provenance.parquet` has these fields.\n\n",
    );
    columns_table(&mut page, LOSING_CELL_COLUMNS);
    page
}

fn columns_table(page: &mut String, columns: &[ColumnSpec]) {
    page.push_str("| column | type | may be empty | meaning |\n| --- | --- | --- | --- |\n");
    for column in columns {
        let empty = if column.nullable { "yes" } else { "no" };
        let _ = writeln!(
            page,
            "| `{}` | {} | {empty} | {} |",
            column.name,
            cell(column.data_type.arrow_name()),
            cell(column.description)
        );
    }
}

pub(super) fn fields() -> String {
    let mut page = String::from(
        "# Canonical fields\n\nWhat a source column can be mapped to, in canonical order. Profiles, mapping files and \
         diagnostics use these names. A list field takes several columns, and several values of a cell.\n\n\
         | field | kind | list | meaning |\n| --- | --- | --- | --- |\n",
    );
    for field in INPUT_FIELDS {
        let list = if field.list { "yes" } else { "no" };
        let kind = words(&format!("{:?}", field.kind));
        let _ = writeln!(page, "| `{}` | {kind} | {list} | {} |", field.name, cell(field.description));
    }
    page
}

/// Returns a type's name as lower-case words: `PersonName` is `person name`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for (position, c) in name.chars().enumerate() {
        if c.is_uppercase() && position > 0 {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_names_every_visible_verb_and_no_hidden_one() {
        let page = command_line();
        for verb in cli::command().get_subcommands() {
            let heading = format!("\n## hotpass {}\n", verb.get_name());
            assert_eq!(page.contains(&heading), !verb.is_hide_set(), "{}", verb.get_name());
        }
    }

    #[test]
    fn words_split_at_capitals() {
        assert_eq!(words("OrganizationName"), "organization name");
        assert_eq!(lower_first("One line"), "one line");
        assert_eq!(lower_first("JSON object"), "JSON object");
    }
}
