//! What the program says of itself: every verb answers, every page names what there is.

use std::process::Command;

use clap::Command as Verb;
use hotpass_core::fields::{INPUT_FIELDS, RUN_ARTEFACTS};

use super::Check;
use crate::cli;
use crate::commands::reference;
use crate::exit::{self, EXIT_CODES};

/// Runs `--help` of every verb in a process of its own, and of the verbs of verbs by the parser.
pub(super) fn verbs() -> Vec<Check> {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return vec![Check::fail("program", format!("cannot be found: {error}"))],
    };
    let help = |arguments: &[&str]| -> Result<String, String> {
        let output = Command::new(&program)
            .args(arguments)
            .arg("--help")
            .env("NO_COLOR", "1")
            .output()
            .map_err(|error| format!("cannot be started: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let usage = format!("Usage: hotpass {}", arguments.join(" "));
        if !output.status.success() {
            Err(format!("`--help` ended with {}", output.status))
        } else if text.contains(usage.trim_end()) {
            Ok(text)
        } else {
            Err(format!("`--help` does not say `{}`", usage.trim_end()))
        }
    };
    let root = cli::command();
    let mut checks = vec![Check::of("hotpass", help(&[]).map(|_| "answers `--help`"))];
    let overview = help(&[]).unwrap_or_default();
    for verb in root.get_subcommands() {
        let name = verb.get_name();
        let result = help(&[name]).and_then(|_| {
            if verb.is_hide_set() || overview.lines().any(|line| line.trim_start().starts_with(name)) {
                parses_inside(verb, &mut vec![name.to_owned()])
            } else {
                Err("`hotpass --help` does not list it".to_owned())
            }
        });
        checks.push(Check::of(name, result));
    }
    checks
}

/// Asks the parser for the help of the verbs inside a verb, and says how many there are.
fn parses_inside(verb: &Verb, path: &mut Vec<String>) -> Result<String, String> {
    let mut count = 0;
    for inner in verb.get_subcommands() {
        path.push(inner.get_name().to_owned());
        let words = ["hotpass"].into_iter().chain(path.iter().map(String::as_str)).chain(["--help"]);
        match cli::command().try_get_matches_from(words) {
            Err(error) if error.kind() == clap::error::ErrorKind::DisplayHelp => count += 1,
            _ => return Err(format!("`{} --help` does not answer", path.join(" "))),
        }
        parses_inside(inner, path)?;
        path.pop();
    }
    Ok(if count == 0 {
        "answers `--help`".to_owned()
    } else {
        format!("answers `--help`, and so do {count} verbs in it")
    })
}

/// Checks that each reference page that the program prints names all that it is about.
pub(super) fn pages() -> Vec<Check> {
    let verbs: Vec<String> = cli::command()
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set())
        .map(|verb| format!("\n## hotpass {}\n", verb.get_name()))
        .collect();
    let schema = hotpass_config::schema::json_schema().to_string();
    let model = hotpass_resolve::model::json_schema().to_string();
    let codes: Vec<String> = EXIT_CODES.iter().map(|row| format!("| {} | {} |", row.code, row.name)).collect();
    vec![
        names("command line", &reference::command_line(), verbs.iter().map(String::as_str)),
        names("exit codes", &exit::markdown(), codes.iter().map(String::as_str)),
        names("fields", &reference::fields(), INPUT_FIELDS.iter().map(|field| field.name)),
        names("artefacts", &reference::artefacts(), RUN_ARTEFACTS.iter().map(|(name, _, _)| *name)),
        names("schema of the configuration", &schema, ["profile", "pipeline", "features", "compliance", "governance"]),
        names("schema of a linkage model", &model, ["comparisons", "blocking_rules"]),
    ]
}

fn names<'a>(page: &str, text: &str, names: impl IntoIterator<Item = &'a str>) -> Check {
    let names: Vec<&str> = names.into_iter().collect();
    let missing: Vec<&str> = names.iter().copied().filter(|name| !text.contains(name)).map(str::trim).collect();
    if missing.is_empty() {
        Check::pass(page, format!("names all {}", names.len()))
    } else {
        Check::fail(page, format!("does not name {}", missing.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_name_all_there_is() {
        for check in pages() {
            assert!(check.passed, "{}: {}", check.name, check.detail);
        }
    }

    #[test]
    fn what_a_page_does_not_name_is_told() {
        let check = names("page", "one two", ["one", "three"]);
        assert!(!check.passed && check.detail.contains("three"));
    }
}
