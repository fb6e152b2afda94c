//! The quality gates: each prints its command, result and time, and leaves evidence under `dist/quality-gates/`.

use std::fs;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::history::{self, Entry};
use crate::options::Options;
use crate::process::{command, output, run, run_and_keep};
use crate::tools::Stage;
use crate::{audit, coverage, fitness, fuzz, mutants, references, sarif, sbom, secrets};

struct Gate {
    name: &'static str,
    command: &'static str,
    stage: Stage,
    /// What it costs and why it stands in its stage.
    why: &'static str,
    run: fn(&Options) -> Result<String, String>,
}

/// What the gates counted, for the closing line of a run, and which of them failed.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
    pub(crate) failed_gates: Vec<&'static str>,
}

impl Summary {
    /// Returns how much failed: each test, and each gate that is not the one of the tests.
    pub(crate) fn failures(&self) -> u64 {
        let tests = if self.failed_gates.contains(&TEST) { self.failed.max(1) } else { 0 };
        tests + self.failed_gates.iter().filter(|gate| **gate != TEST).count() as u64
    }

    /// Returns an error that names the gates that failed, if any did.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        if self.failed_gates.is_empty() {
            Ok(())
        } else {
            Err(format!("Gates failed: {}", self.failed_gates.join(", ")))
        }
    }
}

const TEST: &str = "test";
const TEST_COMMAND: &str = "cargo test --workspace --no-fail-fast";

const GATES: &[Gate] = &[
    Gate {
        name: "format",
        command: "cargo fmt --all --check",
        stage: Stage::Default,
        why: "seconds",
        run: |_| format(),
    },
    Gate {
        name: "clippy",
        command: sarif::CLIPPY_COMMAND,
        stage: Stage::Default,
        why: "minutes when cold, seconds after",
        run: |_| clippy(),
    },
    Gate {
        name: "docs",
        command: "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --lib --bins --examples",
        stage: Stage::Default,
        why: "a minute; with the examples it needs what clippy has compiled, without them DataFusion again with fewer features",
        run: |_| docs(),
    },
    Gate {
        name: TEST,
        command: TEST_COMMAND,
        stage: Stage::Default,
        why: "the largest part of a cold run: it compiles everything once",
        run: |_| test(),
    },
    Gate {
        name: "audit",
        command: "cargo deny check advisories licenses bans sources",
        stage: Stage::Default,
        why: "seconds; an advisory can appear without a change here",
        run: |_| audit::check(),
    },
    Gate {
        name: "sbom",
        command: "cargo metadata --locked, as CycloneDX 1.6",
        stage: Stage::Default,
        why: "a second; a crate without a licence or hash is found here",
        run: |_| sbom::run(),
    },
    Gate {
        name: "secrets",
        command: "gitleaks dir . && gitleaks git --log-opts=BASE..HEAD",
        stage: Stage::Default,
        why: "seconds; what is pushed is out",
        run: |_| secrets::run(),
    },
    Gate {
        name: "sarif",
        command: "clippy, cargo deny and gitleaks as SARIF 2.1.0",
        stage: Stage::Default,
        why: "seconds, replayed from what the gates above have done; fails when a report cannot be made, not for what it holds",
        run: |_| sarif::run(),
    },
    Gate {
        name: "references",
        command: "cargo xtask references --check",
        stage: Stage::Default,
        why: "seconds",
        run: |_| references::check(),
    },
    Gate {
        name: "fitness",
        command: "cargo xtask qa fitness",
        stage: Stage::Default,
        why: "seconds",
        run: |_| fitness::run(),
    },
    Gate {
        name: "coverage",
        command: coverage::COMMAND,
        stage: Stage::Deep,
        why: "compiles every crate but DataFusion a second time, instrumented, and runs the tests again",
        run: coverage::measure,
    },
    Gate {
        name: "fuzz",
        command: "RUSTC_BOOTSTRAP=1 cargo fuzz run TARGET -- -max_total_time=60",
        stage: Stage::Deep,
        why: "a minute for each target, and a build with the address sanitizer",
        run: fuzz::run_targets,
    },
    Gate {
        name: "mutants",
        command: "cargo mutants --file FILE",
        stage: Stage::OnDemand,
        why: "builds and tests once for each mutant: an hour for the files it covers; name some with --file",
        run: mutants::run,
    },
];

/// Prints the gates with their stage, their commands, and why they stand there.
pub(crate) fn list() {
    println!("{:<11} {:<10} command", "gate", "stage");
    for gate in GATES {
        println!("{:<11} {:<10} {}\n{:<22} {}", gate.name, gate.stage.name(), gate.command, "", gate.why);
    }
    println!(
        "\n`cargo xtask qa` runs the default ones, `cargo xtask qa --deep` the deep ones as well; a named gate always runs."
    );
}

/// Runs the named gates, or those of the default stage (and, if asked for, of the deep one), and writes the evidence.
///
/// A gate that fails is in the summary; an error is what kept the gates from running.
pub(crate) fn run_gates(options: &Options) -> Result<Summary, String> {
    let names = &options.gates;
    if let Some(unknown) = names.iter().find(|name| !GATES.iter().any(|gate| gate.name == name.as_str())) {
        let known: Vec<_> = GATES.iter().map(|gate| gate.name).collect();
        return Err(format!("No gate `{unknown}`; the gates are {}", known.join(", ")));
    }
    let chosen = |gate: &&Gate| {
        if names.is_empty() {
            gate.stage == Stage::Default || options.deep && gate.stage == Stage::Deep
        } else {
            names.iter().any(|name| name == gate.name)
        }
    };
    let started = now();
    let commit = output(command("git rev-parse HEAD")).unwrap_or_default().trim().to_owned();
    let mut summary = Summary::default();
    let mut results = Vec::new();
    for gate in GATES.iter().filter(chosen) {
        println!("\n== {} · {}", gate.name, gate.command);
        let (time, clock) = (now(), Instant::now());
        let outcome = (gate.run)(options);
        let seconds = clock.elapsed().as_secs_f64();
        let (passed, mut detail) = match outcome {
            Ok(detail) => (true, detail),
            Err(detail) => (false, detail),
        };
        if gate.name == TEST {
            count_tests(&detail, &mut summary);
            detail = format!("{} passed, {} failed, {} ignored", summary.passed, summary.failed, summary.ignored);
        }
        println!("== {} {} in {seconds:.1} s: {detail}", gate.name, if passed { "passed" } else { "FAILED" });
        if !passed {
            summary.failed_gates.push(gate.name);
        }
        let entry = Entry {
            gate: gate.name.to_owned(),
            passed,
            seconds,
            commit: commit.clone(),
            time,
            detail: history::first_line(&detail).to_owned(),
        };
        history::record(&entry)?;
        results.push(json!({
            "gate": gate.name, "command": gate.command, "passed": passed,
            "seconds": (seconds * 10.0).round() / 10.0, "detail": detail,
        }));
    }
    history::write_latest(&json!({
        "started_at_unix_seconds": started,
        "commit": commit,
        "rustc": output(command("rustc --version")).unwrap_or_default().trim(),
        "passed": summary.failed_gates.is_empty(),
        "gates": results,
    }))?;
    Ok(summary)
}

/// Runs the chosen gates and prints a table of results.
pub(crate) fn run_and_print(options: &Options) -> Result<Summary, String> {
    let summary = run_gates(options)?;
    let latest = fs::read(history::folder().join("latest.json")).unwrap_or_default();
    if let Ok(evidence) = serde_json::from_slice::<Value>(&latest) {
        println!("\n{:<11} {:<7} {:>8}  detail", "gate", "result", "seconds");
        for gate in evidence["gates"].as_array().into_iter().flatten() {
            println!(
                "{:<11} {:<7} {:>8}  {}",
                gate["gate"].as_str().unwrap_or_default(),
                if gate["passed"] == true { "passed" } else { "FAILED" },
                gate["seconds"],
                history::first_line(gate["detail"].as_str().unwrap_or_default())
            );
        }
        println!("evidence: dist/quality-gates/latest.json, all runs: dist/quality-gates/index.html");
    }
    Ok(summary)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

fn format() -> Result<String, String> {
    run(command("cargo fmt --all --check")).map(|()| "formatted".to_owned())
}

fn clippy() -> Result<String, String> {
    run(command(sarif::CLIPPY_COMMAND)).map(|()| "no warnings".to_owned())
}

fn docs() -> Result<String, String> {
    let mut doc = command("cargo doc --workspace --no-deps --lib --bins --examples");
    doc.env("RUSTDOCFLAGS", "-Dwarnings");
    run(doc).map(|()| "no warnings".to_owned())
}

fn test() -> Result<String, String> {
    let mut test = command(TEST_COMMAND);
    same_every_time(&mut test);
    run_and_keep(test).map_err(|(error, kept)| format!("{kept}\n{error}"))
}

/// Makes tests say the same of the same commit.
pub(crate) fn same_every_time(test: &mut std::process::Command) {
    // A missing snapshot must fail instead of being written.
    test.env("INSTA_UPDATE", "no");
    // A gate says the same of the same commit: drawn cases are the same each time here, and new ones in every other run.
    test.env("PROPTEST_RNG_SEED", "20261121");
}

/// Adds up the closing lines of the test runner: `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn count_tests(kept: &str, summary: &mut Summary) {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_added_up() {
        let mut summary = Summary::default();
        count_tests(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s\n\
             noise\ntest result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n",
            &mut summary,
        );
        assert_eq!((summary.passed, summary.failed, summary.ignored), (7, 2, 1));
    }

    #[test]
    fn the_installed_program_names_every_gate() {
        let list =
            crate::process::read(&crate::process::root().join("crates/hotpass-cli/src/commands/qa/maintainers.rs"));
        let named: Vec<&str> =
            list.lines().filter_map(|line| line.strip_prefix("    \"")?.strip_suffix("\",")).collect();
        assert_eq!(named, GATES.iter().map(|gate| gate.name).collect::<Vec<_>>());
    }

    #[test]
    fn an_unknown_gate_is_named_with_those_there_are() {
        let options = Options { gates: vec!["clipy".to_owned()], ..Options::default() };
        let error = run_gates(&options).unwrap_err();
        assert!(error.contains("`clipy`") && error.contains("clippy"), "{error}");
    }

    #[test]
    fn a_failed_gate_keeps_the_counts() {
        let summary = Summary { passed: 7, failed_gates: vec!["clippy"], ..Summary::default() };
        assert_eq!(summary.verdict().unwrap_err(), "Gates failed: clippy");
        assert_eq!((summary.passed, summary.failures()), (7, 1));
        let summary = Summary { failed: 3, failed_gates: vec!["clippy", TEST], ..Summary::default() };
        assert_eq!(summary.failures(), 4);
        // Tests that do not compile fail without one that was counted.
        assert_eq!(Summary { failed_gates: vec![TEST], ..Summary::default() }.failures(), 1);
    }
}
