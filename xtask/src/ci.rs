//! Everything a change must pass, on a machine that has a Rust toolchain, Go, Python and nothing else.

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::gates;
use crate::options::Options;
use crate::peers;
use crate::process::{command, output, root, run, show};
use crate::references::binary;
use crate::sbom;
use crate::smoke;
use crate::tools::{self, Stage};

/// Where the sources of a release lie, as its attestation names it.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The step whose failures are counted gate by gate and test by test.
const GATES: &str = "gates";

/// Runs all steps, prints the time of each, and closes with the count of tests.
///
/// The gates of the deep stage and the comparisons with other tools run when they are asked for.
pub(crate) fn run_all(options: &Options) -> Result<(), String> {
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
            failures.push((name, error));
        }
    };
    step("fetch", &mut || run(command("cargo fetch --locked")));
    step("install tools", &mut || {
        tools::install(Stage::Default)?;
        if options.deep { tools::install(Stage::Deep) } else { Ok(()) }
    });
    step(GATES, &mut || {
        // The counts stay when a gate fails.
        summary = gates::run_and_print(options)?;
        summary.verdict()
    });
    step("end to end", &mut end_to_end);
    if let Some(people) = options.peers {
        step("peers", &mut || peers::compare(&[], people));
        step("servers", &mut || smoke::run(&[]));
    }
    println!("\n{:<15} {:>8}", "step", "seconds");
    for (name, seconds) in &times {
        println!("{name:<15} {seconds:>8.1}");
    }
    println!("{:<15} {:>8.1}", "total", times.iter().map(|(_, seconds)| seconds).sum::<f64>());
    for (name, error) in &failures {
        println!("FAILED {name}: {error}");
    }
    let others = failures.iter().filter(|(name, _)| *name != GATES).count() as u64;
    let failed = others + if failures.iter().any(|(name, _)| *name == GATES) { summary.failures().max(1) } else { 0 };
    println!("\n{} passed, {failed} failed, {} skipped", summary.passed, summary.ignored);
    if failures.is_empty() { Ok(()) } else { Err(format!("{} steps failed", failures.len())) }
}

/// Takes the sample through the whole product with the binary of the tests: the walk of a user, and that of a release.
fn end_to_end() -> Result<(), String> {
    let folder = root().join("target/end-to-end");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    hotpass(&folder, &["qa"])?;
    hotpass(&folder, &["demo", "--path", "demo"])?;
    let demo = folder.join("demo");
    hotpass(&demo, &["verify", "latest"])?;
    hotpass(&demo, &["explain-provenance", "--run", "latest", "--row", "1"])?;
    hotpass(&demo, &["query", "SELECT count(*) AS entities FROM golden"])?;
    let release = attested_release(&folder)?;
    let program = release.with_file_name("hotpass");
    let mut bytes = std::fs::read(&program).map_err(|error| error.to_string())?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&program, bytes).map_err(|error| error.to_string())?;
    match hotpass(&folder, &["verify", "release/hotpass.intoto.json", "--key", "keys/hotpass.pub.pem"]) {
        Ok(()) => Err("A program with a changed bit verifies".to_owned()),
        Err(found) if found.contains("FAILED  subject hotpass") => Ok(()),
        Err(other) => Err(other),
    }
}

/// Signs the program and its bill of materials with a new key as the how-to says, verifies them, and returns the attestation.
pub(crate) fn attested_release(folder: &Path) -> Result<PathBuf, String> {
    let release = folder.join("release");
    std::fs::create_dir_all(&release).map_err(|error| error.to_string())?;
    sbom::run()?;
    let bill = root().join(sbom::FILE);
    for file in [&binary(), &bill] {
        let name = file.file_name().unwrap_or_default();
        std::fs::copy(file, release.join(name)).map_err(|error| format!("`{}`: {error}", file.display()))?;
    }
    let commit = output(command("git rev-parse HEAD"))?;
    let lock = root().join("Cargo.lock");
    let sources = ["--repository", REPOSITORY, "--commit", commit.trim(), "--dependency", &lock.to_string_lossy()];
    let files = ["release/hotpass", "release/hotpass.cdx.json"];
    hotpass(folder, &["keygen", "--out", "keys"])?;
    let key = ["--signing-key", "file:keys/hotpass.key.pem"];
    hotpass(folder, &[&["attest"] as &[&str], &files, &key, &sources].concat())?;
    let attestation = "release/hotpass.intoto.json";
    hotpass(folder, &["verify", attestation, "--key", "keys/hotpass.pub.pem", "--require-signature"])?;
    Ok(folder.join(attestation))
}

/// Runs the program of the tests in a folder.
pub(crate) fn hotpass(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut hotpass = std::process::Command::new(binary());
    hotpass.args(arguments).current_dir(folder).env("NO_COLOR", "1");
    println!("$ hotpass {}", arguments.join(" "));
    let shown = show(&hotpass);
    output(hotpass).map(|text| println!("{text}")).map_err(|error| format!("{shown}: {error}"))
}
