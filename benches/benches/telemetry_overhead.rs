//! What telemetry costs a whole run, in instructions: they do not depend on what else the machine does.
//!
//! Scenario: `hotpass refine` of a million invented organisations to Parquet on one thread, each kind of telemetry by
//! turns; the fewest instructions of each kind count. Without a subscriber a span or event is a look at one number, which
//! a build without `tracing` leaves out; the difference of the two builds is what telemetry costs when it is off.
//!
//! ```console
//! cargo build --release -p hotpass-cli --no-default-features
//! cargo bench -p hotpass-benches --bench telemetry_overhead
//! ```
//!
//! `HOTPASS_PROGRAM` names another program than `target/release/hotpass`, `HOTPASS_WITHOUT_TRACING` one that was built with
//! `--features tracing/release_max_level_off` besides, `HOTPASS_ROWS` another number of rows, `HOTPASS_RUNS` how often each
//! kind runs (3). Needs Linux's `perf` and leave to count (`kernel.perf_event_paranoid` of 2 or less).
#![expect(clippy::print_stdout, reason = "a bench speaks to the terminal")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use hotpass_benches::write_organizations;

/// What one run took.
#[derive(Clone, Copy)]
struct Cost {
    instructions: u64,
    wall: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let number = |name: &str, otherwise: usize| {
        std::env::var(name).ok().and_then(|text| text.parse::<usize>().ok()).unwrap_or(otherwise)
    };
    let target =
        variable("CARGO_TARGET_DIR").unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"));
    let program = variable("HOTPASS_PROGRAM").unwrap_or_else(|| target.join("release/hotpass"));
    let silent = variable("HOTPASS_WITHOUT_TRACING");
    if !program.is_file() {
        return Err(format!("`{}` is not there; build it first", program.display()).into());
    }
    let folder = tempfile::tempdir()?;
    let rows = number("HOTPASS_ROWS", 1_000_000);
    let input = write_organizations(folder.path(), rows)?;
    let (takes, hangs, away) = (sink(true)?, sink(false)?, nobody()?);

    let otlp = |address: &str| vec!["--telemetry-otlp-endpoint".to_owned(), address.to_owned()];
    let exporter = |name: &str| vec!["--telemetry-exporter".to_owned(), name.to_owned()];
    let mut kinds: Vec<(&str, &Path, Vec<String>)> = Vec::new();
    if let Some(silent) = &silent {
        kinds.push(("without tracing", silent, Vec::new()));
    }
    kinds.extend([
        ("off", program.as_path(), Vec::new()),
        ("file", &program, exporter("file")),
        ("console", &program, exporter("console")),
        ("collector", &program, otlp(&takes)),
        ("collector, gzip", &program, [otlp(&takes), vec!["--telemetry-otlp-compression=gzip".to_owned()]].concat()),
        ("collector away", &program, otlp(&away)),
        ("collector hangs", &program, otlp(&hangs)),
    ]);
    let mut costs: BTreeMap<&str, Vec<Cost>> = BTreeMap::new();
    for _ in 0..number("HOTPASS_RUNS", 3) {
        for (kind, program, arguments) in &kinds {
            let cost = measure(program, &input, arguments)?;
            costs.entry(kind).or_default().push(cost);
        }
    }
    let least = |kind: &str| costs[kind].iter().map(|cost| cost.instructions).min().unwrap_or(u64::MAX);
    let base = kinds[0].0;
    println!("{rows} rows; the share is that of `{base}`\n");
    println!("| telemetry | instructions, least | spread | share | seconds, least |\n| --- | --- | --- | --- | --- |");
    for (kind, _, _) in &kinds {
        let most = costs[kind].iter().map(|cost| cost.instructions).max().unwrap_or_default();
        let wall = costs[kind].iter().map(|cost| cost.wall).fold(f64::INFINITY, f64::min);
        let of = |count: u64, base: u64| (count as f64 / base as f64 - 1.0) * 100.0;
        println!(
            "| {kind} | {:.4} G | {:.3} % | {:+.3} % | {wall:.2} |",
            least(kind) as f64 / 1e9,
            of(most, least(kind)),
            of(least(kind), least(base)),
        );
    }
    Ok(())
}

/// Refines once under `perf`.
fn measure(program: &Path, input: &Path, arguments: &[String]) -> Result<Cost, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let counted = folder.path().join("counted");
    let mut command = Command::new("perf");
    command.args(["stat", "-x", ",", "-e", "instructions:u", "-o"]).arg(&counted).arg("--").arg(program);
    command.args(["refine", "--quiet", "-o", "out.parquet", "--set", "pipeline.threads=1"]);
    command.args(arguments).arg(input).current_dir(folder.path());
    for (name, _) in std::env::vars_os() {
        if ["OTEL_", "HOTPASS_", "OPENLINEAGE_", "TRACE"].iter().any(|start| name.to_string_lossy().starts_with(start))
        {
            command.env_remove(name);
        }
    }
    let started = Instant::now();
    let status = command.env("SOURCE_DATE_EPOCH", "1700000000").stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let wall = started.elapsed().as_secs_f64();
    if !matches!(status.code(), Some(0 | 3)) {
        return Err(format!("`hotpass refine {}` ended with {status}", arguments.join(" ")).into());
    }
    let text = std::fs::read_to_string(&counted)?;
    let line = text.lines().find(|line| line.contains("instructions")).ok_or("`perf` counted nothing")?;
    let instructions =
        line.split(',').next().unwrap_or_default().parse().map_err(|_| format!("`perf` says: {line}"))?;
    Ok(Cost { instructions, wall })
}

/// Starts a server that takes everything, or that reads and never answers.
fn sink(answers: bool) -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let (mut seen, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
                while let Ok(read @ 1..) = stream.read(&mut buffer) {
                    seen.extend_from_slice(&buffer[..read]);
                    let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
                    let head = String::from_utf8_lossy(&seen[..end]).to_ascii_lowercase();
                    let length = head
                        .lines()
                        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
                        .unwrap_or(0_usize);
                    if seen.len() >= end + 4 + length {
                        seen.drain(..end + 4 + length);
                        if answers && stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    Ok(address)
}

/// Returns an address at which nobody listens.
fn nobody() -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(format!("http://{}", listener.local_addr()?))
}
