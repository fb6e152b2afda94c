//! Lines that tests reach, by `cargo llvm-cov`, beside a committed floor that only rises.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::gates::same_every_time;
use crate::options::Options;
use crate::process::{command, output, present, read, root, run};
use crate::tools;

/// The floor: percent of lines, whole and by crate.
const FLOOR: &str = "xtask/coverage-floor.json";

/// DataFusion stays out, since compiling it once more would cost more than all of the rest; so do the benches and this program.
pub(crate) const COMMAND: &str =
    "cargo llvm-cov test --workspace --exclude hotpass-benches --exclude xtask --no-default-features";

/// Name of the sum over the named crates, which has no floor.
const PART: &str = "these crates";

/// Percent that a figure may lie below its floor: a thread that wins a race, or a program that a test kills, reaches a line more or
/// less, and figures are cut to one digit.
const SLACK: f64 = 0.15;

/// Tests kill programs at their work, whose profiles end in the middle: those are left out.
const REPORT: &str = "cargo llvm-cov report --failure-mode all";

/// Lines that can be reached, and those that were.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Lines {
    count: u64,
    covered: u64,
}

impl Lines {
    /// Returns the percentage, cut to one digit behind the point.
    fn percent(self) -> f64 {
        if self.count == 0 { 100.0 } else { (self.covered as f64 * 1_000.0 / self.count as f64).floor() / 10.0 }
    }
}

/// Measures, writes the reports under `dist/coverage`, and compares with the floor.
pub(crate) fn measure(options: &Options) -> Result<String, String> {
    tools::need("cargo-llvm-cov")?;
    let folder = root().join("dist/coverage");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let mut test = with_llvm(command(&test_command(&options.files)?));
    same_every_time(&mut test);
    // The figures of a run that fails say nothing.
    run(test)?;
    let summary = folder.join("summary.json");
    let mut report = with_llvm(command(&format!("{REPORT} --json --summary-only --output-path")));
    report.arg(&summary);
    output(report)?;
    let mut page = with_llvm(command(&format!("{REPORT} --html --output-dir")));
    page.arg(&folder);
    output(page)?;
    let mut measured = by_crate(&serde_json::from_str(&read(&summary)).map_err(|error| error.to_string())?);
    if !options.files.is_empty() {
        measured.retain(|name, _| options.files.contains(name));
        let total = measured.values().fold(Lines::default(), |sum, lines| Lines {
            count: sum.count + lines.count,
            covered: sum.covered + lines.covered,
        });
        measured.insert(PART.to_owned(), total);
    }
    let total = measured.get(if options.files.is_empty() { "total" } else { PART }).copied().unwrap_or_default();
    if total.count == 0 {
        return Err("The report of `cargo llvm-cov` names no line of `crates/`".to_owned());
    }
    // The tool's own summary names files by where they are on this machine.
    let figures = json!({ "lines": measured.iter().map(|(name, lines)| (name.clone(), json!({
        "count": lines.count, "covered": lines.covered, "percent": lines.percent(),
    }))).collect::<serde_json::Map<String, Value>>() });
    write_json(&summary, &figures)?;
    let path = root().join(FLOOR);
    let floor: BTreeMap<String, f64> = serde_json::from_str::<Value>(&read(&path))
        .ok()
        .and_then(|value| serde_json::from_value(value["lines_percent"].clone()).ok())
        .unwrap_or_default();
    println!("{:<22} {:>8} {:>8} {:>8}", "crate", "lines", "percent", "floor");
    for (name, lines) in &measured {
        let floor = floor.get(name).map_or_else(|| "none".to_owned(), |floor| format!("{floor:.1}"));
        println!("{name:<22} {:>8} {:>8.1} {floor:>8}", lines.count, lines.percent());
    }
    let fallen = fallen(&measured, &floor);
    measured.remove(PART);
    let part = !options.files.is_empty();
    if options.record {
        let mut raised = raised(&measured, &floor);
        if part {
            // What was not measured stays.
            raised.extend(floor.iter().filter(|(name, _)| !measured.contains_key(*name)).map(|(n, f)| (n.clone(), *f)));
        }
        write_json(&path, &json!({ "command": COMMAND, "lines_percent": raised }))?;
    }
    let missing: Vec<&str> =
        measured.keys().filter(|name| !floor.contains_key(*name) && !options.record).map(String::as_str).collect();
    // The floor is that of all tests; those of a crate alone may reach less.
    if !part && !fallen.is_empty() {
        Err(format!("Below the floor: {}", fallen.join(", ")))
    } else if !part && !missing.is_empty() {
        Err(format!("No floor for {}; set one with `cargo xtask qa coverage --record`", missing.join(", ")))
    } else {
        Ok(format!("{:.1} % of {} lines; report in dist/coverage/html/index.html", total.percent(), total.count))
    }
}

/// Returns the command that runs the tests of all crates, or of some: their figures then lack what the tests of others reach.
fn test_command(packages: &[String]) -> Result<String, String> {
    if packages.is_empty() {
        return Ok(format!("{COMMAND} --no-report"));
    }
    if let Some(unknown) = packages.iter().find(|name| !root().join("crates").join(name).is_dir()) {
        return Err(format!("No crate `{unknown}`"));
    }
    let packages: Vec<String> = packages.iter().map(|name| format!("--package {name}")).collect();
    Ok(format!("cargo llvm-cov test {} --no-default-features --no-report", packages.join(" ")))
}

/// Gives the tool Debian's LLVM where the toolchain has none of its own: rustc's profiles need its major version or later.
fn with_llvm(mut tool: Command) -> Command {
    if present("llvm-cov-19 --version") && present("llvm-profdata-19 --version") {
        tool.env("LLVM_COV", "llvm-cov-19").env("LLVM_PROFDATA", "llvm-profdata-19");
    }
    tool
}

/// Adds up the files of each crate, and all of them.
fn by_crate(report: &Value) -> BTreeMap<String, Lines> {
    let mut crates: BTreeMap<String, Lines> = BTreeMap::new();
    for file in report["data"][0]["files"].as_array().into_iter().flatten() {
        let name = file["filename"].as_str().unwrap_or_default();
        let Some((_, inside)) = name.rsplit_once("/crates/") else { continue };
        let (Some(package), true) = (inside.split('/').next(), inside.contains("/src/")) else { continue };
        let lines = &file["summary"]["lines"];
        for key in [package, "total"] {
            let sum = crates.entry(key.to_owned()).or_default();
            sum.count += lines["count"].as_u64().unwrap_or_default();
            sum.covered += lines["covered"].as_u64().unwrap_or_default();
        }
    }
    crates
}

fn fallen(measured: &BTreeMap<String, Lines>, floor: &BTreeMap<String, f64>) -> Vec<String> {
    floor
        .iter()
        .filter_map(|(name, floor)| {
            let percent = measured.get(name)?.percent();
            (percent + SLACK < *floor).then(|| format!("{name} {percent:.1} % (floor {floor:.1} %)"))
        })
        .collect()
}

/// Returns the floor with every figure that is better; none is lowered, and what is gone leaves it.
fn raised(measured: &BTreeMap<String, Lines>, floor: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    measured
        .iter()
        .map(|(name, lines)| (name.clone(), lines.percent().max(floor.get(name).copied().unwrap_or_default())))
        .collect()
}

fn write_json(path: &std::path::Path, value: &Value) -> Result<(), String> {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    fs::write(path, text + "\n").map_err(|error| format!("Failed to write `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(covered: u64) -> BTreeMap<String, Lines> {
        let file = |path: &str, count: u64, covered: u64| json!({"filename": path, "summary": {"lines": {"count": count, "covered": covered}}});
        by_crate(&json!({"data": [{"files": [
            file("/x/crates/hotpass-core/src/clock.rs", 100, covered),
            file("/x/crates/hotpass-core/src/mask.rs", 100, 100),
            file("/x/crates/hotpass-core/tests/it/main.rs", 100, 0),
            file("/x/elsewhere.rs", 100, 0),
        ]}]}))
    }

    #[test]
    fn only_sources_of_crates_count() {
        let crates = measured(50);
        assert_eq!(crates.len(), 2);
        assert_eq!(crates["hotpass-core"], Lines { count: 200, covered: 150 });
        assert_eq!(crates["total"].percent().to_string(), "75");
    }

    #[test]
    fn a_fall_is_found_and_the_floor_never_sinks() {
        let floor = BTreeMap::from([("hotpass-core".to_owned(), 75.0), ("gone".to_owned(), 90.0)]);
        assert!(fallen(&measured(50), &floor).is_empty());
        assert_eq!(fallen(&measured(49), &floor), ["hotpass-core 74.5 % (floor 75.0 %)"]);
        assert_eq!(raised(&measured(49), &floor)["hotpass-core"].to_string(), "75");
        assert_eq!(raised(&measured(60), &floor)["hotpass-core"].to_string(), "80");
        assert!(!raised(&measured(60), &floor).contains_key("gone"));
    }
}
