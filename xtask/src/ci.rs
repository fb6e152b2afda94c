//! Everything a change must pass, on a machine that has a Rust toolchain, Go, Python and nothing else.

use std::path::Path;
use std::time::Instant;

use crate::gates;
use crate::peers;
use crate::process::{command, output, present, root, run, show};
use crate::references::binary;
use crate::secrets;

/// Tools of the gates: how to ask for them, how to install them.
const CARGO_TOOLS: &[(&str, &str)] = &[
    ("cargo deny --version", "cargo install --locked cargo-deny@0.20.2"),
    ("cargo cyclonedx --version", "cargo install --locked cargo-cyclonedx@0.5.9"),
];

const GITLEAKS: &str = "go install github.com/zricethezav/gitleaks/v8@v8.30.1";

/// Installs the tools that are missing.
pub(crate) fn install_tools() -> Result<(), String> {
    for (probe, install) in CARGO_TOOLS {
        if !present(probe) {
            println!("$ {install}");
            let mut install = command(install);
            // Tools do not share the workspace's lock file or features, so they must not share its build folder.
            install.env("CARGO_TARGET_DIR", root().join("target/tools"));
            run(install)?;
        }
    }
    if secrets::program().is_err() {
        println!("$ {GITLEAKS}");
        run(command(GITLEAKS))?;
    }
    Ok(())
}

/// Runs all steps, prints the time of each, and closes with the count of tests.
///
/// With a number of people, Hotpass is compared with other tools as well, with Splink on that many.
pub(crate) fn run_all(people_for_peers: Option<u64>) -> Result<(), String> {
    let mut times: Vec<(&str, f64)> = Vec::new();
    let mut summary = gates::Summary::default();
    let mut failures = Vec::new();
    let mut step = |name: &'static str, work: &mut dyn FnMut() -> Result<(), String>| {
        println!("\n#### {name}");
        let clock = Instant::now();
        let outcome = work();
        let seconds = clock.elapsed().as_secs_f64();
        println!("#### {name}: {} in {seconds:.1} s", if outcome.is_ok() { "done" } else { "FAILED" });
        times.push((name, seconds));
        if let Err(error) = outcome {
            println!("error: {error}");
            failures.push(format!("{name}: {error}"));
        }
    };
    step("fetch", &mut || run(command("cargo fetch --locked")));
    step("install tools", &mut install_tools);
    step("gates", &mut || {
        summary = gates::run_named(&[])?;
        Ok(())
    });
    step("end to end", &mut end_to_end);
    if let Some(people) = people_for_peers {
        step("peers", &mut || peers::compare(people));
    }
    println!("\n{:<15} {:>8}", "step", "seconds");
    for (name, seconds) in &times {
        println!("{name:<15} {seconds:>8.1}");
    }
    println!("{:<15} {:>8.1}", "total", times.iter().map(|(_, seconds)| seconds).sum::<f64>());
    for failure in &failures {
        println!("FAILED {failure}");
    }
    let failed = summary.failed + failures.len() as u64;
    println!("\n{} passed, {failed} failed, {} skipped", summary.passed, summary.ignored);
    if failures.is_empty() { Ok(()) } else { Err(format!("{} steps failed", failures.len())) }
}

/// Takes the sample through the whole product with the binary of the tests: demo, verify, explain.
fn end_to_end() -> Result<(), String> {
    let folder = root().join("target/end-to-end");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    hotpass(&folder, &["demo", "--path", "demo"])?;
    let demo = folder.join("demo");
    hotpass(&demo, &["verify", "latest"])?;
    hotpass(&demo, &["explain-provenance", "--run", "latest", "--row", "1"])?;
    hotpass(&demo, &["query", "SELECT count(*) AS entities FROM golden"])?;
    Ok(())
}

fn hotpass(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut hotpass = std::process::Command::new(binary());
    hotpass.args(arguments).current_dir(folder).env("NO_COLOR", "1");
    println!("$ hotpass {}", arguments.join(" "));
    let shown = show(&hotpass);
    output(hotpass).map(|text| println!("{text}")).map_err(|error| format!("{shown}: {error}"))
}
