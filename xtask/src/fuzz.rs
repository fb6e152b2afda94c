//! Every fuzz target, for a minute each: a smoke test, not a campaign.

use std::fs;
use std::path::Path;

use crate::options::Options;
use crate::process::{command, output, root, run};
use crate::tools;

/// Memory of a target above which it fails, in MiB: what it reads is at most some kilobytes.
const MEMORY_MIB: u32 = 2048;

/// Seconds that one input may take.
const SECONDS_PER_INPUT: u32 = 20;

/// Builds and runs the targets; the error names those that failed and where the input lies.
pub(crate) fn run_targets(options: &Options) -> Result<String, String> {
    tools::need("cargo-fuzz")?;
    let folder = root().join("fuzz");
    // The versions of the product, not the newest that there are: what is fuzzed is what ships.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).map_err(|error| error.to_string())?;
    let listed = output(cargo_fuzz(&folder, "list"))?;
    let mut targets: Vec<&str> = listed.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if let Some(unknown) = options.files.iter().find(|name| !targets.contains(&name.as_str())) {
        return Err(format!("No fuzz target `{unknown}`; the targets are {}", targets.join(", ")));
    }
    targets.retain(|target| options.files.is_empty() || options.files.iter().any(|name| name == target));
    run(cargo_fuzz(&folder, "build"))?;
    let mut failed = Vec::new();
    for target in &targets {
        println!("\n-- {target}, {} s", options.seconds);
        let corpus = folder.join("corpus").join(target);
        fs::create_dir_all(&corpus).map_err(|error| error.to_string())?;
        let mut fuzz = cargo_fuzz(&folder, "run");
        // New inputs go to the first folder; the seeds in the second are part of the repository.
        fuzz.arg(target).arg(&corpus);
        let seeds = folder.join("seeds").join(target);
        if seeds.is_dir() {
            fuzz.arg(seeds);
        }
        fuzz.arg("--").args([
            format!("-max_total_time={}", options.seconds),
            format!("-rss_limit_mb={MEMORY_MIB}"),
            format!("-timeout={SECONDS_PER_INPUT}"),
            "-print_final_stats=1".to_owned(),
            "-verbosity=0".to_owned(),
        ]);
        if run(fuzz).is_err() {
            failed.push(format!("{target} (see fuzz/artifacts/{target})"));
        }
    }
    if failed.is_empty() {
        Ok(format!("{} targets, {} s each", targets.len(), options.seconds))
    } else {
        Err(format!("Fuzzing found something in {}", failed.join(", ")))
    }
}

/// Runs `cargo fuzz` with the stable compiler: it needs flags that only nightly has, and nothing else of it.
fn cargo_fuzz(folder: &Path, verb: &str) -> std::process::Command {
    let mut fuzz = command(&format!("cargo fuzz {verb}"));
    fuzz.current_dir(folder).env("RUSTC_BOOTSTRAP", "1").env_remove("CARGO_TARGET_DIR");
    fuzz
}
