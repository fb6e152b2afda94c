//! The configuration's own checks, and their fixes in its file.

use std::fs;
use std::path::PathBuf;

use hotpass_config::HotpassConfig;
use hotpass_config::doctor::{CheckSeverity, doctor};
use hotpass_core::{Severity, write_atomic};
use toml_edit::{DocumentMut, Item, Table, Value};

use super::{Check, Repair};
use crate::context::ConfigArgs;
use crate::error::CommandError;

/// Runs the checks.
pub(super) fn checks(config: &HotpassConfig) -> Vec<Check> {
    doctor(config)
        .into_iter()
        .map(|result| Check {
            name: format!("configuration.{}", result.name),
            passed: result.passed,
            severity: match result.severity {
                CheckSeverity::Info => Severity::Info,
                CheckSeverity::Warning => Severity::Warning,
                CheckSeverity::Error => Severity::Error,
            },
            message: result.message,
            fix: result.suggested_fix,
            fixed: false,
            repair: result.automatic_fix.map(|fix| Repair::SetKey(fix.key, fix.value)),
        })
        .collect()
}

/// Sets keys in the last configuration file that is read, comments kept; in a new `hotpass.toml` when there is none.
pub(super) fn set_keys(keys: &[(&str, &str)], config: &ConfigArgs) -> Result<(), CommandError> {
    if keys.is_empty() {
        return Ok(());
    }
    let path = config.files().pop().unwrap_or_else(|| PathBuf::from(ConfigArgs::DEFAULT_FILE));
    let shown = path.display();
    if path.extension().is_none_or(|ending| ending != "toml") {
        return Err(CommandError::usage(format!(
            "Fixes are written to TOML files only, and the configuration is `{shown}`"
        ))
        .hint("Convert it with `hotpass config show --format toml`, or make the changes that `hotpass doctor` names"));
    }
    let text = if path.exists() {
        fs::read_to_string(&path)
            .map_err(|error| CommandError::failure(format!("Cannot read `{shown}`")).caused_by(&error))?
    } else {
        String::new()
    };
    let mut document: DocumentMut =
        text.parse().map_err(|error| CommandError::usage(format!("Cannot read `{shown}`")).caused_by(&error))?;
    for (key, value) in keys {
        set_key(&mut document, key, value);
    }
    write_atomic(&path, document.to_string())
        .map_err(|error| CommandError::failure(format!("Cannot write `{shown}`")).caused_by(&error))
}

/// Sets a key path, making the tables on the way; a value that stands there keeps the comment behind it.
fn set_key(document: &mut DocumentMut, key: &str, value: &str) {
    let mut steps: Vec<&str> = key.split('.').collect();
    let Some(last) = steps.pop() else { return };
    let mut table = document.as_table_mut();
    for step in steps {
        let entry = table.entry(step).or_insert_with(|| Item::Table(Table::new()));
        if entry.as_table().is_none() {
            // An inline table becomes one of its own lines, so that every key has a place.
            let inline = entry.as_inline_table().cloned().unwrap_or_default();
            *entry = Item::Table(inline.into_table());
        }
        let Some(inner) = entry.as_table_mut() else { return };
        table = inner;
    }
    // What is no number or truth value in TOML is text.
    let mut value = value.parse::<Value>().unwrap_or_else(|_| Value::from(value));
    if let Some(old) = table.get(last).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    table[last] = Item::Value(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, key: &str, value: &str, after: &str) {
        let mut document: DocumentMut = before.parse().expect("TOML");
        set_key(&mut document, key, value);
        assert_eq!(document.to_string(), after);
    }

    #[test]
    fn comments_stay_where_they_are() {
        check(
            "# mine\n[governance]\ndata_owner = \"\" # who?\n",
            "governance.data_owner",
            "Data Governance",
            "# mine\n[governance]\ndata_owner = \"Data Governance\" # who?\n",
        );
        check("", "compliance.retention_days", "365", "[compliance]\nretention_days = 365\n");
        check("# only\n[a]\nb = 1\n", "c.d", "true", "# only\n[a]\nb = 1\n\n[c]\nd = true\n");
    }
}
