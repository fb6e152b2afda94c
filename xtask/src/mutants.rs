//! How many small faults the tests notice, by `cargo mutants`, in crates that are pure functions.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::gates::same_every_time;
use crate::history::utc;
use crate::options::Options;
use crate::process::{command, files, output, read, root};
use crate::tools;

/// The last score of each file.
const SCORES: &str = "xtask/mutants.json";

/// Crates whose files are mutated: rules over values, without files, network or terminal.
const CRATES: &[&str] = &["hotpass-core", "hotpass-normalise", "hotpass-quality", "hotpass-privacy"];

/// Files of those crates that are left out: contents pages, tables, and what writes to a disk.
const LEFT_OUT: &[&str] =
    &["/lib.rs", "/error.rs", "/tests.rs", "/fields.rs", "/atomic.rs", "/run.rs", "/numbering_plan.rs"];

/// What became of the mutants of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Score {
    caught: u64,
    missed: u64,
    timeout: u64,
    /// Mutants that do not compile, which count neither way.
    unviable: u64,
}

impl Score {
    /// Returns the share of viable mutants that the tests noticed, in percent cut to one digit; a mutant that hangs is noticed.
    fn percent(self) -> f64 {
        let viable = self.caught + self.timeout + self.missed;
        if viable == 0 { 100.0 } else { ((self.caught + self.timeout) as f64 * 1_000.0 / viable as f64).floor() / 10.0 }
    }
}

/// Tests the mutants of the files, writes `dist/mutants`, and compares with the committed scores.
pub(crate) fn run(options: &Options) -> Result<String, String> {
    tools::need("cargo-mutants")?;
    let chosen = chosen(&options.files)?;
    let folder = root().join("dist/mutants");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let mut mutants = command("cargo mutants --no-shuffle --jobs 1 --baseline run --minimum-test-timeout 30 --output");
    mutants.arg(&folder);
    let mut packages: Vec<&str> = chosen.iter().filter_map(|file| file.split('/').nth(1)).collect();
    packages.dedup();
    for package in packages {
        mutants.args(["--package", package]);
    }
    for file in &chosen {
        mutants.args(["--file", file]);
    }
    // The tests of the package itself must notice; those of others are far away and slow.
    mutants.args(["--test-workspace", "false"]);
    same_every_time(&mut mutants);
    // Mutants that survive are told by the exit code; here they are the result.
    let status = mutants.status().map_err(|error| format!("Failed to start `cargo mutants`: {error}"))?;
    let outcomes: Value = serde_json::from_str(&read(&folder.join("mutants.out/outcomes.json")))
        .map_err(|_| format!("`cargo mutants` ended with {status} and left no outcomes"))?;
    let scores = scores(&outcomes);
    if scores.is_empty() {
        return Err(format!("`cargo mutants` ended with {status} and tested no mutant of {}", chosen.join(", ")));
    }
    let committed: Value = serde_json::from_str(&read(&root().join(SCORES))).unwrap_or_else(|_| json!({ "files": {} }));
    println!(
        "{:<52} {:>7} {:>7} {:>7} {:>8} {:>8} {:>9}",
        "file", "caught", "missed", "hung", "unviable", "percent", "recorded"
    );
    let mut fallen = Vec::new();
    for (file, score) in &scores {
        let recorded = committed["files"][file]["percent"].as_f64();
        println!(
            "{file:<52} {:>7} {:>7} {:>7} {:>8} {:>8.1} {:>9}",
            score.caught,
            score.missed,
            score.timeout,
            score.unviable,
            score.percent(),
            recorded.map_or_else(|| "none".to_owned(), |percent| format!("{percent:.1}")),
        );
        if recorded.is_some_and(|recorded| score.percent() < recorded) {
            fallen.push(file.clone());
        }
    }
    println!("mutants that no test notices: dist/mutants/mutants.out/missed.txt");
    let updated = update(&committed, &scores);
    write(&folder.join("scores.json"), &updated)?;
    if options.record {
        write(&root().join(SCORES), &updated)?;
    }
    let sum = scores.values().fold(Score::default(), |sum, score| Score {
        caught: sum.caught + score.caught,
        missed: sum.missed + score.missed,
        timeout: sum.timeout + score.timeout,
        unviable: sum.unviable + score.unviable,
    });
    if fallen.is_empty() {
        Ok(format!(
            "{:.1} % of {} mutants noticed in {} files",
            sum.percent(),
            sum.caught + sum.timeout + sum.missed,
            scores.len()
        ))
    } else {
        Err(format!("Fewer mutants are noticed than before in {}", fallen.join(", ")))
    }
}

/// Returns the named files, or all that the gate covers.
fn chosen(named: &[String]) -> Result<Vec<String>, String> {
    let all: Vec<String> = files()?
        .iter()
        .filter_map(|file| Some(file.strip_prefix(root()).ok()?.display().to_string()))
        .filter(|file| {
            CRATES.iter().any(|name| file.starts_with(&format!("crates/{name}/src/")))
                && Path::new(file).extension().is_some_and(|ending| ending == "rs")
                && !LEFT_OUT.iter().any(|ending| file.ends_with(ending))
        })
        .collect();
    if named.is_empty() {
        return Ok(all);
    }
    for name in named {
        if !all.contains(name) {
            return Err(format!("`{name}` is not a file that is mutated; those lie in {}", CRATES.join(", ")));
        }
    }
    Ok(named.to_vec())
}

fn scores(outcomes: &Value) -> BTreeMap<String, Score> {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for outcome in outcomes["outcomes"].as_array().into_iter().flatten() {
        let Some(file) = outcome["scenario"]["Mutant"]["file"].as_str() else { continue };
        let score = scores.entry(file.to_owned()).or_default();
        match outcome["summary"].as_str().unwrap_or_default() {
            "CaughtMutant" => score.caught += 1,
            "MissedMutant" => score.missed += 1,
            "Timeout" => score.timeout += 1,
            _ => score.unviable += 1,
        }
    }
    scores
}

/// Returns the committed scores with those of this run.
fn update(committed: &Value, scores: &BTreeMap<String, Score>) -> Value {
    let mut kept: BTreeMap<String, Value> = committed["files"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(file, _)| root().join(file).is_file())
        .map(|(file, score)| (file.clone(), score.clone()))
        .collect();
    let when =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
    let commit = output(command("git rev-parse HEAD")).unwrap_or_default();
    for (file, score) in scores {
        kept.insert(
            file.clone(),
            json!({
                "percent": score.percent(), "caught": score.caught, "missed": score.missed, "hung": score.timeout,
                "unviable": score.unviable, "commit": commit.trim(), "date": &utc(when)[..10],
            }),
        );
    }
    json!({ "files": kept })
}

fn write(path: &Path, value: &Value) -> Result<(), String> {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    fs::write(path, text + "\n").map_err(|error| format!("Failed to write `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_counted_by_file() {
        let mutant = |file: &str, summary: &str| json!({"scenario": {"Mutant": {"file": file}}, "summary": summary});
        let scores = scores(&json!({"outcomes": [
            {"scenario": "Baseline", "summary": "Success"},
            mutant("a.rs", "CaughtMutant"), mutant("a.rs", "MissedMutant"), mutant("a.rs", "Timeout"),
            mutant("a.rs", "Unviable"), mutant("b.rs", "Unviable"),
        ]}));
        assert_eq!(scores["a.rs"], Score { caught: 1, missed: 1, timeout: 1, unviable: 1 });
        assert_eq!(scores["a.rs"].percent().to_string(), "66.6");
        assert_eq!(scores["b.rs"].percent().to_string(), "100");
        assert_eq!(scores.len(), 2);
    }

    #[test]
    fn files_that_are_gone_leave_the_scores() {
        let committed = json!({"files": {"gone.rs": {"percent": 50.0}, "Cargo.toml": {"percent": 1.0}}});
        let updated =
            update(&committed, &BTreeMap::from([("b.rs".to_owned(), Score { caught: 1, ..Score::default() })]));
        let files: Vec<&String> = updated["files"].as_object().unwrap().keys().collect();
        assert_eq!(files, ["Cargo.toml", "b.rs"]);
    }

    #[test]
    fn only_files_of_the_pure_crates_are_mutated() {
        assert!(chosen(&[]).unwrap().iter().any(|file| file == "crates/hotpass-core/src/mask.rs"));
        assert!(chosen(&["xtask/src/main.rs".to_owned()]).is_err());
    }
}
