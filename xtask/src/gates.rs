//! The quality gates: each prints its command, result and time, and leaves evidence under `dist/quality-gates/`.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::process::{command, output, root, run, run_and_keep};
use crate::{audit, fitness, references, sbom, secrets};

struct Gate {
    name: &'static str,
    command: &'static str,
    run: fn() -> Result<String, String>,
}

/// What the gates counted, for the closing line of a run.
#[derive(Default)]
pub(crate) struct Summary {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

const TEST_COMMAND: &str = "cargo test --workspace --no-fail-fast";

const GATES: &[Gate] = &[
    Gate { name: "format", command: "cargo fmt --all --check", run: format },
    Gate { name: "clippy", command: "cargo clippy --workspace --all-targets -- -D warnings", run: clippy },
    Gate { name: "docs", command: "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps", run: docs },
    Gate { name: "test", command: TEST_COMMAND, run: test },
    Gate { name: "audit", command: "cargo deny check advisories licenses bans sources", run: audit::check },
    Gate { name: "sbom", command: "cargo cyclonedx --format json --spec-version 1.5", run: sbom::run },
    Gate { name: "secrets", command: "gitleaks dir . && gitleaks git --log-opts=BASE..HEAD", run: secrets::run },
    Gate { name: "references", command: "cargo xtask references --check", run: references::check },
    Gate { name: "fitness", command: "cargo xtask qa fitness", run: fitness::run },
];

/// Prints the gates with their commands.
pub(crate) fn list() {
    for gate in GATES {
        println!("{:<11} {}", gate.name, gate.command);
    }
}

/// Runs the named gates, or all, and writes the evidence; an error says which failed.
pub(crate) fn run_gates(names: &[&str]) -> Result<Summary, String> {
    if let Some(unknown) = names.iter().find(|name| !GATES.iter().any(|gate| gate.name == **name)) {
        let known: Vec<_> = GATES.iter().map(|gate| gate.name).collect();
        return Err(format!("No gate `{unknown}`; the gates are {}", known.join(", ")));
    }
    let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
    let mut summary = Summary::default();
    let mut results = Vec::new();
    let mut failed = Vec::new();
    for gate in GATES.iter().filter(|gate| names.is_empty() || names.contains(&gate.name)) {
        println!("\n== {} · {}", gate.name, gate.command);
        let clock = Instant::now();
        let outcome = (gate.run)();
        let seconds = clock.elapsed().as_secs_f64();
        let (passed, detail) = match outcome {
            Ok(detail) => (true, detail),
            Err(detail) => (false, detail),
        };
        if gate.name == "test" {
            summary = count_tests(&detail);
        }
        let detail = if gate.name == "test" {
            format!("{} passed, {} failed, {} ignored", summary.passed, summary.failed, summary.ignored)
        } else {
            detail
        };
        println!("== {} {} in {seconds:.1} s: {detail}", gate.name, if passed { "passed" } else { "FAILED" });
        if !passed {
            failed.push(gate.name);
        }
        results.push(json!({
            "gate": gate.name, "command": gate.command, "passed": passed,
            "seconds": (seconds * 10.0).round() / 10.0, "detail": detail,
        }));
    }
    write_evidence(started, &results, failed.is_empty())?;
    if failed.is_empty() { Ok(summary) } else { Err(format!("Gates failed: {}", failed.join(", "))) }
}

/// Runs the named gates, or all, and prints a table of results.
pub(crate) fn run_named(names: &[&str]) -> Result<Summary, String> {
    let outcome = run_gates(names);
    let latest = fs::read(root().join("dist/quality-gates/latest.json")).unwrap_or_default();
    if let Ok(evidence) = serde_json::from_slice::<Value>(&latest) {
        println!("\n{:<11} {:<7} {:>8}  detail", "gate", "result", "seconds");
        for gate in evidence["gates"].as_array().into_iter().flatten() {
            println!(
                "{:<11} {:<7} {:>8}  {}",
                gate["gate"].as_str().unwrap_or_default(),
                if gate["passed"] == true { "passed" } else { "FAILED" },
                gate["seconds"],
                gate["detail"].as_str().unwrap_or_default().lines().next().unwrap_or_default()
            );
        }
        println!("evidence: dist/quality-gates/latest.json");
    }
    outcome
}

fn write_evidence(started: u64, results: &[Value], passed: bool) -> Result<(), String> {
    let folder = root().join("dist/quality-gates");
    let commit = output(command("git rev-parse HEAD")).unwrap_or_default();
    let evidence = json!({
        "started_at_unix_seconds": started,
        "commit": commit.trim(),
        "rustc": output(command("rustc --version")).unwrap_or_default().trim(),
        "passed": passed,
        "gates": results,
    });
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(&folder)?;
        let mut text = serde_json::to_string_pretty(&evidence)?;
        text.push('\n');
        fs::write(folder.join("latest.json"), text)?;
        let mut history = OpenOptions::new().create(true).append(true).open(folder.join("history.ndjson"))?;
        writeln!(history, "{evidence}")
    };
    write().map_err(|error| format!("Failed to write the evidence: {error}"))
}

fn format() -> Result<String, String> {
    run(command("cargo fmt --all --check")).map(|()| "formatted".to_owned())
}

fn clippy() -> Result<String, String> {
    run(command("cargo clippy --workspace --all-targets -- -D warnings")).map(|()| "no warnings".to_owned())
}

fn docs() -> Result<String, String> {
    let mut doc = command("cargo doc --workspace --no-deps");
    doc.env("RUSTDOCFLAGS", "-Dwarnings");
    run(doc).map(|()| "no warnings".to_owned())
}

fn test() -> Result<String, String> {
    let mut test = command(TEST_COMMAND);
    // A missing snapshot must fail instead of being written.
    test.env("INSTA_UPDATE", "no");
    // A gate says the same of the same commit: drawn cases are the same each time here, and new ones in every other run.
    test.env("PROPTEST_RNG_SEED", "20261121");
    run_and_keep(test).map_err(|(error, kept)| format!("{kept}\n{error}"))
}

/// Adds up the closing lines of the test runner: `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn count_tests(kept: &str) -> Summary {
    let mut summary = Summary::default();
    for line in kept.lines().filter(|line| line.starts_with("test result:")) {
        for part in line.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(Ok(count)), Some(what)) = (words.next().map(str::parse::<u64>), words.next()) else { continue };
            match what {
                "passed" => summary.passed += count,
                "failed" => summary.failed += count,
                "ignored" => summary.ignored += count,
                _ => {}
            }
        }
    }
    summary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_added_up() {
        let summary = count_tests(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s\n\
             noise\ntest result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n",
        );
        assert_eq!((summary.passed, summary.failed, summary.ignored), (7, 2, 1));
    }
}
