//! The sample data that the program carries: refined to the expected bytes, and held against suites of its sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hotpass_core::{sha256_bytes, write_atomic};
use hotpass_ingest::{OpenTable, ReadOptions, SourceFile, discover, open_file, source::DiscoverOptions};
use hotpass_quality::{Suite, SuiteOptions, SuiteResult};
use serde_json::{Map, Value, json};

use super::Check;
use crate::samples;

/// The run's clock: the outputs name it.
const EPOCH: &str = "1700000000";

/// The run's id, fixed too: otherwise it would follow from the configuration and change with each new key of it.
const RUN: &str = "018bcfe5-6800-7000-8000-000000000001";

/// Files whose digests are expected: what is published, and what says where each row went.
const OUTPUTS: [&str; 2] = ["dist/refined.csv", "dist/runs/*/crosswalk.parquet"];

/// The digests, made by `hotpass reference golden` and kept true by the same check as the reference pages.
const GOLDEN: &str = include_str!("../../samples/golden.json");

/// Refines the sample data and compares, then runs the suites.
pub(super) fn checks() -> Vec<Check> {
    let workspace = match Workspace::new() {
        Ok(workspace) => workspace,
        Err(error) => return vec![Check::fail("workspace", error)],
    };
    let mut checks = match workspace.refine() {
        Ok(found) => compare(&found),
        Err(error) => vec![Check::fail("refine", error)],
    };
    checks
        .push(Check::of("verify", workspace.hotpass(&["verify", "latest"]).map(|_| "the run is as its manifest says")));
    checks.extend(workspace.suites());
    checks
}

/// Returns the digests that a refine of the sample data has now, as the file holds them.
pub(crate) fn golden_json() -> Result<String, String> {
    let workspace = Workspace::new()?;
    let found = workspace.refine()?;
    Ok(format!("{:#}\n", Value::Object(found)))
}

fn compare(found: &Map<String, Value>) -> Vec<Check> {
    let expected: Value = serde_json::from_str(GOLDEN).unwrap_or_default();
    found
        .iter()
        .map(|(name, value)| {
            let expected = &expected[name];
            Check::of(
                format!("golden {name}"),
                if value == expected {
                    Ok(value.to_string().trim_matches('"').to_owned())
                } else {
                    Err(format!("is {value}, expected {expected}"))
                },
            )
        })
        .collect()
}

/// A folder with the sample data, which goes when it is dropped.
struct Workspace {
    folder: PathBuf,
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Workspace {
    fn new() -> Result<Self, String> {
        let name = format!("hotpass-qa-{}", hotpass_core::RunId::random());
        let workspace = Self { folder: std::env::temp_dir().join(name) };
        let write = |name: &Path, content: &[u8]| {
            let path = workspace.folder.join(name);
            write_atomic(&path, content).map_err(|error| format!("cannot write `{}`: {error}", path.display()))
        };
        write(Path::new("hotpass.toml"), samples::CONFIGURATION.as_bytes())?;
        for (name, content) in samples::input_files().map_err(|error| error.to_string())? {
            write(&Path::new("data").join(name), &content)?;
        }
        Ok(workspace)
    }

    /// Runs this program in the folder, with nothing of this process's configuration.
    fn hotpass(&self, arguments: &[&str]) -> Result<String, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder).env("SOURCE_DATE_EPOCH", EPOCH);
        for (name, _) in std::env::vars_os() {
            let known = name.to_string_lossy();
            if ["HOTPASS", "OTEL_", "OPENLINEAGE", "TRACE"].iter().any(|start| known.starts_with(start)) {
                command.env_remove(name);
            }
        }
        let output = command.output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!(
                "`hotpass {}` ended with {}: {}",
                arguments[0],
                output.status,
                said.lines().last().unwrap_or_default()
            ))
        }
    }

    /// Refines, and returns the digests of the outputs and the counts of rows.
    fn refine(&self) -> Result<Map<String, Value>, String> {
        let run = format!("pipeline.run_id={RUN}");
        self.hotpass(&["refine", "--quiet", "--output-path", "dist/refined.csv", "--set", &run])?;
        let mut found = Map::new();
        let folder = format!("dist/runs/{RUN}");
        for name in OUTPUTS {
            let path = self.folder.join(name.replace("dist/runs/*", &folder));
            let bytes = fs::read(&path).map_err(|error| format!("cannot read `{name}`: {error}"))?;
            let shown = name.rsplit('/').next().unwrap_or(name);
            found.insert(shown.to_owned(), Value::from(format!("sha256:{}", sha256_bytes(&bytes).as_str())));
        }
        let report = fs::read(self.folder.join(&folder).join("report.json")).map_err(|error| error.to_string())?;
        let report: Value = serde_json::from_slice(&report).map_err(|error| error.to_string())?;
        for count in ["rows_in", "entities", "rows_quarantined"] {
            found.insert(count.to_owned(), find(&report, count).cloned().unwrap_or_default());
        }
        Ok(found)
    }

    /// Holds each table of the sample data against its suite.
    fn suites(&self) -> Vec<Check> {
        let folder = self.folder.join("data");
        let found = match discover(&[folder], &DiscoverOptions { dist_dir: None }) {
            Ok(found) => found,
            Err(error) => return vec![Check::fail("suites", error.to_string())],
        };
        let mut checks = Vec::new();
        for file in &found.files {
            // Half a workbook cannot be opened, which is what it is there for.
            let Ok(opened) = open_file(file, &ReadOptions::default()) else { continue };
            for table in opened.tables {
                let Some(suite) = suite_of(file, &table) else { continue };
                let name = format!("suite {}", file.name);
                checks.push(Check::of(name, evaluate(&suite, table).and_then(|result| verdict(&result))));
            }
        }
        let expected = SUITES.len();
        if checks.len() != expected {
            checks.push(Check::fail("suites", format!("{} of {expected} tables were found", checks.len())));
        }
        checks
    }
}

/// Finds a number by its name, wherever it stands in a report.
fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(fields) => match fields.get(name) {
            Some(found) if found.is_number() => Some(found),
            _ => fields.values().find_map(|value| find(value, name)),
        },
        _ => None,
    }
}

/// Expectation, column and arguments.
type Expected = (&'static str, &'static str, &'static str);

/// File, a column that only the meant table has, and the expectations: what the sample data is made to hold.
const SUITES: &[(&str, &str, &[Expected])] = &[
    (
        "member register.xlsx",
        "ref",
        &[
            ("expect_column_values_to_be_unique", "ref", "{}"),
            ("expect_column_values_to_match_regex", "ref", r#"{"regex": "^[A-Z]+-[0-9]+$"}"#),
            ("expect_column_values_to_not_be_null", "organisation", r#"{"mostly": 0.95}"#),
            ("expect_column_values_to_be_unique", "organisation", "{}"),
            ("expect_column_values_to_match_regex", "e_mail", r#"{"regex": "@", "mostly": 0.9}"#),
            ("expect_table_row_count_to_be_between", "", r#"{"min_value": 30, "max_value": 32}"#),
        ],
    ),
    (
        "newsletter.csv",
        "subscribed",
        &[
            ("expect_column_values_to_not_be_null", "e_mail", "{}"),
            ("expect_column_values_to_match_regex", "e_mail", r#"{"regex": "^[^@ ]+@[^@ ]+\\.example$"}"#),
            ("expect_column_values_to_match_strftime_format", "subscribed", r#"{"strftime_format": "%d.%m.%Y"}"#),
            ("expect_column_values_to_not_be_null", "telephone", r#"{"mostly": 0.5}"#),
            ("expect_compound_columns_to_be_unique", "", r#"{"column_list": ["organisation", "e_mail"]}"#),
        ],
    ),
    (
        "outreach log.xlsx",
        "contact_person_role",
        &[
            ("expect_column_values_to_be_unique", "organisation_name", "{}"),
            ("expect_column_values_to_match_regex", "email", r#"{"regex": "@"}"#),
            ("expect_column_unique_value_count_to_be_between", "town", r#"{"min_value": 2, "max_value": 10}"#),
        ],
    ),
    (
        "volunteers.xlsx",
        "surname",
        &[
            ("expect_column_values_to_not_be_null", "company", "{}"),
            ("expect_column_values_to_not_be_null", "surname", "{}"),
            ("expect_column_values_to_be_unique", "mobile", "{}"),
        ],
    ),
];

fn suite_of(file: &SourceFile, table: &OpenTable) -> Option<Suite> {
    let (_, _, expectations) = SUITES.iter().find(|(name, column, _)| {
        *file.name == **name && table.schema.columns.iter().any(|known| known.name == *column)
    })?;
    let expectations: Vec<Value> = expectations
        .iter()
        .map(|(kind, column, arguments)| {
            let mut arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
            if !column.is_empty() {
                arguments["column"] = json!(column);
            }
            json!({ "type": kind, "kwargs": arguments })
        })
        .collect();
    Suite::from_gx_json(&json!({ "name": &*file.name, "expectations": expectations }).to_string()).ok()
}

fn evaluate(suite: &Suite, table: OpenTable) -> Result<SuiteResult, String> {
    let options = SuiteOptions { blank_as_null: true, ..SuiteOptions::default() };
    let mut run = None;
    for batch in table.batches {
        let batch = batch.map_err(|error| error.to_string())?;
        let run = match &mut run {
            Some(run) => run,
            none => none.insert(suite.compile(&batch.schema(), &options).map_err(|error| error.to_string())?),
        };
        run.add(&batch).map_err(|error| error.to_string())?;
    }
    run.map(hotpass_quality::SuiteRun::finish).ok_or_else(|| "the table has no rows".to_owned())
}

fn verdict(result: &SuiteResult) -> Result<String, String> {
    let failed: Vec<String> = result
        .failures()
        .map(|failure| {
            let column = failure.expectation.kwargs.get("column").and_then(Value::as_str).unwrap_or("the table");
            format!("{} of `{column}`", failure.expectation.name)
        })
        .collect();
    if failed.is_empty() {
        Ok(format!("{} expectations hold in {} rows", result.results.len(), result.rows))
    } else {
        Err(failed.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_digest_fails() {
        let found = Map::from_iter([("refined.csv".to_owned(), json!("sha256:00"))]);
        let checks = compare(&found);
        assert!(!checks[0].passed && checks[0].detail.contains("sha256:00"));
    }

    #[test]
    fn the_samples_meet_their_suites() {
        for check in Workspace::new().unwrap().suites() {
            assert!(check.passed, "{}: {}", check.name, check.detail);
        }
    }
}
