//! Every file of the corpora is read or refused cleanly, within time and memory.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::{open, read, test_data};

/// Set in the child process: the file to read.
const CHILD_VARIABLE: &str = "HOTPASS_INGEST_TEST_FILE";
const MEMORY_LIMIT_KB: u64 = 1_000_000;
/// Unoptimised test builds read several times slower than what is released.
const TIME_LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 120 } else { 10 });

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, out);
        } else {
            out.push(path);
        }
    }
}

#[test]
fn every_file_is_read_or_refused() {
    let Some(folder) = test_data("ingest") else { return };
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    paths.sort();
    // The largest are read by the test below.
    paths.retain(|path| path.metadata().is_ok_and(|metadata| metadata.len() < 2_000_000));
    let (mut tables, mut refused, mut failures) = (0, 0, Vec::new());
    for path in &paths {
        match open(path) {
            Ok(opened) => {
                for table in opened.tables {
                    let declared = table.schema.rows;
                    match read(table) {
                        Ok(cells) => {
                            tables += 1;
                            if declared.is_some_and(|declared| declared != cells.rows.len() as u64) {
                                failures.push(format!("{}: {declared:?} rows declared", path.display()));
                            }
                            if !cells.rows.windows(2).all(|pair| pair[0].0 < pair[1].0) {
                                failures.push(format!("{}: row numbers do not grow", path.display()));
                            }
                        }
                        Err(error) => failures.push(format!("{}: {error}", path.display())),
                    }
                }
            }
            Err(_) => refused += 1,
        }
    }
    println!("{} files: {tables} tables read, {refused} files refused", paths.len());
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(tables > 900 && refused < 40, "{tables} tables, {refused} refused");
}

/// Reads one file in a process of its own, so that a hang or the memory taken is that file's.
#[test]
fn large_and_hostile_files_stay_within_time_and_memory() {
    if let Some(path) = std::env::var_os(CHILD_VARIABLE) {
        if let Ok(opened) = open(Path::new(&path)) {
            for table in opened.tables {
                let _ = read(table);
            }
        }
        println!("peak {}", peak_kilobytes().unwrap_or(0));
        return;
    }
    let Some(folder) = test_data("ingest") else { return };
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    let is_suspect = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        ["oom", "dos", "panic", "alloc", "large", "1066", "malformed"].iter().any(|word| name.contains(word))
            || path.metadata().is_ok_and(|metadata| metadata.len() > 300_000)
    };
    paths.retain(is_suspect);
    assert!(paths.len() >= 10);
    for path in paths {
        let start = Instant::now();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "corpus::large_and_hostile_files_stay_within_time_and_memory", "--nocapture"])
            .env(CHILD_VARIABLE, &path)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let peak = text.lines().find_map(|line| line.split_once("peak ")?.1.trim().parse::<u64>().ok());
        assert!(output.status.success(), "{}: {text}", path.display());
        assert!(peak.is_some_and(|peak| peak < MEMORY_LIMIT_KB), "{}: {peak:?} kB", path.display());
        assert!(start.elapsed() < TIME_LIMIT, "{}: {:?}", path.display(), start.elapsed());
    }
}

fn peak_kilobytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?.trim().parse().ok()
}
