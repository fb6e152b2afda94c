//! The built program against real servers: `cargo xtask smoke`.

mod collector;
mod collector_faults;
mod facets;
mod lineage_faults;
mod marquez;
mod steward;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use crate::process::{command, output, root};
use crate::references::{binary, build};

type Check = fn() -> Result<(), String>;

const CHECKS: &[(&str, Check)] = &[("marquez", marquez::run), ("collector", collector::run), ("steward", steward::run)];

/// Runs the named checks, or all of them, each with its time.
pub(crate) fn run(names: &[&str]) -> Result<(), String> {
    if let Some(unknown) = names.iter().find(|name| CHECKS.iter().all(|(known, _)| known != *name)) {
        return Err(format!("No smoke check `{unknown}`; there are `marquez`, `collector` and `steward`"));
    }
    if !binary().is_file() {
        build()?;
    }
    let mut failures = Vec::new();
    for (name, check) in CHECKS.iter().filter(|(name, _)| names.is_empty() || names.contains(name)) {
        println!("\n## smoke {name}");
        let clock = Instant::now();
        let outcome = check();
        let verdict = if outcome.is_ok() { "done" } else { "FAILED" };
        println!("## smoke {name}: {verdict} in {:.1} s", clock.elapsed().as_secs_f64());
        failures.extend(outcome.err().map(|error| format!("smoke {name}: {error}")));
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// What one run of the program gave.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
    seconds: f64,
}

impl Ran {
    fn expect(self, codes: &[i32]) -> Result<Self, String> {
        if codes.contains(&self.code) {
            Ok(self)
        } else {
            Err(format!("ended with {}, not one of {codes:?}\n{}{}", self.code, self.stdout, self.stderr))
        }
    }
}

/// A check in progress: its folder of evidence, what it found, and how long each step took.
struct Session {
    /// Where the evidence is written.
    staging: PathBuf,
    /// Where the program works.
    workspace: PathBuf,
    log: String,
    steps: Vec<Value>,
    failures: Vec<String>,
}

impl Session {
    /// Starts a check with a workspace of invented files.
    fn start(name: &str) -> Result<Self, String> {
        let stamp = output(command("date -u +%Y%m%dT%H%M%SZ"))?;
        let staging = root().join("dist/staging").join(name).join(stamp.trim());
        let workspace = root().join("target/smoke").join(name);
        let _ = fs::remove_dir_all(&workspace);
        for folder in [&staging, &workspace] {
            fs::create_dir_all(folder).map_err(|error| format!("Failed to create `{}`: {error}", folder.display()))?;
        }
        let mut session = Self { staging, workspace, log: String::new(), steps: Vec::new(), failures: Vec::new() };
        session.hotpass(&["demo", "--path", "demo"], &[])?.expect(&[0])?;
        session.workspace = session.workspace.join("demo");
        Ok(session)
    }

    /// Runs the program in the workspace, with no other telemetry or lineage settings than the given ones.
    fn hotpass(&mut self, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Ran, String> {
        let clock = Instant::now();
        let ended = self.command(arguments, variables).output();
        let ended = ended.map_err(|error| format!("Failed to start `{}`: {error}", binary().display()))?;
        let ran = Ran {
            code: ended.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&ended.stderr).into_owned(),
            seconds: clock.elapsed().as_secs_f64(),
        };
        self.note(arguments, &ran);
        Ok(ran)
    }

    fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(&self.workspace).stdin(Stdio::null()).env("NO_COLOR", "1");
        for (name, _) in std::env::vars_os() {
            let shown = name.to_string_lossy();
            if ["OTEL_", "OPENLINEAGE_", "HOTPASS_", "SOURCE_DATE_EPOCH"].iter().any(|start| shown.starts_with(start)) {
                command.env_remove(&name);
            }
        }
        // On a busy machine a server may take longer than a run would wait for it; the time it waits is a check of its own.
        command.env("HOTPASS__LINEAGE__FLUSH_SECONDS", "30").envs(variables.iter().copied());
        command
    }

    fn note(&mut self, arguments: &[&str], ran: &Ran) {
        let line = format!("$ hotpass {}\n", arguments.join(" "));
        let end = format!("[exit {} in {:.2} s]\n\n", ran.code, ran.seconds);
        self.log = [&self.log, &line, &ran.stdout, &ran.stderr, &end].map(String::as_str).concat();
    }

    /// Takes a step, prints what it found and how long it took, and goes on where it failed.
    fn step<T>(&mut self, name: &str, work: impl FnOnce(&mut Self) -> Result<(T, String), String>) -> Option<T> {
        let clock = Instant::now();
        let outcome = work(self);
        let seconds = clock.elapsed().as_secs_f64();
        let (verdict, detail) = match &outcome {
            Ok((_, detail)) => ("done", detail.clone()),
            Err(error) => ("FAILED", error.clone()),
        };
        println!("{verdict:<6} {seconds:>6.1} s  {name}: {detail}");
        self.steps.push(json!({"name": name, "verdict": verdict, "seconds": rounded(seconds), "detail": detail}));
        if outcome.is_err() {
            self.failures.push(format!("{name}: {detail}"));
        }
        outcome.ok().map(|(value, _)| value)
    }

    /// Notes a step that this machine cannot take.
    fn skip(&mut self, name: &str, reason: &str) {
        println!("skipped: {name}, since {reason}");
        self.steps.push(json!({"name": name, "verdict": "skipped", "detail": reason}));
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<(), String> {
        let path = self.staging.join(name);
        fs::write(&path, content).map_err(|error| format!("Failed to write `{}`: {error}", path.display()))
    }

    /// Writes the evidence and gives the verdict.
    fn finish(mut self, mut summary: Value) -> Result<(), String> {
        if let Some(summary) = summary.as_object_mut() {
            summary.insert("steps".to_owned(), Value::Array(std::mem::take(&mut self.steps)));
            summary.insert("failures".to_owned(), json!(self.failures));
        }
        self.write("cli.log", &self.log)?;
        self.write("summary.json", format!("{summary:#}\n"))?;
        println!("Evidence: {}", self.staging.strip_prefix(root()).unwrap_or(&self.staging).display());
        if self.failures.is_empty() { Ok(()) } else { Err(format!("{} steps failed", self.failures.len())) }
    }
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 100.0).round() / 100.0
}

/// Says that a condition does not hold.
fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// Returns the folder of test data, where there is one.
fn test_data(name: &str) -> Option<PathBuf> {
    let data = std::env::var_os("HOTPASS_TEST_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let folder = data.join(name);
    folder.is_dir().then(|| folder.canonicalize().unwrap_or(folder))
}

/// Reads a file of JSON lines.
fn json_lines(path: &Path) -> Vec<Value> {
    crate::process::read(path).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Returns an array's items; whatever else a value is has none.
fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Returns a text; whatever else a value is reads as empty.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
