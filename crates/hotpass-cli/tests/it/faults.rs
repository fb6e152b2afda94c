//! What a run leaves behind when the disk is full, the target cannot be written, or it is killed in the middle.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::sandbox::Sandbox;

/// Makes a workspace with enough rows that a run takes a while, and returns its folder.
fn workspace(sandbox: &Sandbox, rows: usize) -> PathBuf {
    let mut text = String::from("organization_name,email,phone,city,notes\n");
    for row in 0..rows {
        let _ = writeln!(
            text,
            "Acacia Works {},info@acacia{}.example,+2721000{:04},Cape Town,row {row}",
            row / 2,
            row / 2,
            row % 10_000
        );
    }
    sandbox.write("work/data/works.csv", text);
    sandbox.path("work")
}

fn refine(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotpass"));
    command
        .args(["refine", "--input-dir", "data", "--output-path", "dist/refined.xlsx", "--archive"])
        .current_dir(folder)
        .env_clear()
        .envs(crate::sandbox::kept_variables())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn text(output: &Output) -> String {
    format!(
        "exit {:?}\n{}\n{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Reads every published file and every file of finished runs, without the temporary ones.
fn published(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder.join("dist")) else { return BTreeMap::new() };
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')))
        .map(|path| (path.clone(), std::fs::read(&path).expect("a published file is readable")))
        .collect()
}

/// Opens what was published with readers of its own kind: a half-written file fails here.
fn assert_whole(folder: &Path) {
    for (path, bytes) in published(folder) {
        match path.extension().and_then(|ending| ending.to_str()) {
            // Both formats end in a directory or footer that a cut file lacks.
            Some("xlsx" | "zip") => {
                assert!(
                    bytes.windows(4).rev().take(70_000).any(|window| window == b"PK\x05\x06"),
                    "{}",
                    path.display()
                );
            }
            Some("parquet") => assert!(bytes.ends_with(b"PAR1"), "{}", path.display()),
            _ => {}
        }
    }
}

#[test]
fn a_run_killed_at_any_moment_leaves_the_old_files_or_the_new() {
    let sandbox = Sandbox::new();
    let folder = workspace(&sandbox, 3_000);
    let started = Instant::now();
    let first = refine(&folder).output().expect("the program starts");
    let whole = started.elapsed();
    assert!(matches!(first.status.code(), Some(0 | 3)), "{}", text(&first));
    assert_whole(&folder);
    for point in 0..20u32 {
        // Another input each time, so that old and new files differ.
        sandbox.write("work/data/more.csv", format!("organization_name\nBaobab Hall {point}\n"));
        let before = published(&folder);
        let mut child = refine(&folder).spawn().expect("the program starts");
        std::thread::sleep(whole * point / 20);
        let _ = child.kill();
        let _ = child.wait_with_output();
        let after = published(&folder);
        for path in before.keys() {
            assert!(after.contains_key(path), "`{}` is gone after a kill at point {point}", path.display());
        }
        assert_whole(&folder);
        for run in std::fs::read_dir(folder.join("dist/runs")).expect("the runs").flatten() {
            let manifest = run.path().join("manifest.json");
            if let Ok(manifest) = std::fs::read(manifest) {
                serde_json::from_slice::<serde_json::Value>(&manifest).expect("a manifest is whole");
            }
        }
    }
    let last = refine(&folder).output().expect("the program starts");
    assert!(matches!(last.status.code(), Some(0 | 3)), "{}", text(&last));
    assert!(text(&last).contains("interrupted"), "the killed runs are spoken of: {}", text(&last));
    let verified = Command::new(env!("CARGO_BIN_EXE_hotpass"))
        .args(["verify", "latest"])
        .current_dir(&folder)
        .output()
        .expect("the program starts");
    assert_eq!(verified.status.code(), Some(0), "{}", text(&verified));
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_told_and_leaves_the_old_files() {
    let sandbox = Sandbox::new();
    let folder = workspace(&sandbox, 3_000);
    let first = refine(&folder).output().expect("the program starts");
    assert!(matches!(first.status.code(), Some(0 | 3)), "{}", text(&first));
    let before = published(&folder);
    sandbox.write("work/data/more.csv", "organization_name\nBaobab Hall\n");
    // A limit on the size of files makes writes fail as a full disk does, without another file system.
    let limited = Command::new("/bin/sh")
        .arg("-c")
        .arg(format!(
            "trap '' XFSZ; ulimit -f 16; exec '{}' refine --input-dir data --output-path dist/refined.xlsx --archive",
            env!("CARGO_BIN_EXE_hotpass")
        ))
        .current_dir(&folder)
        .output()
        .expect("a shell starts");
    let said = text(&limited);
    assert_eq!(limited.status.code(), Some(1), "{said}");
    assert!(said.contains("error:") && said.contains("dist"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(before, published(&folder), "{said}");
}

#[test]
fn a_target_that_cannot_be_written_is_named() {
    let sandbox = Sandbox::new();
    let folder = workspace(&sandbox, 10);
    sandbox.write("work/occupied", "a file where a folder is wanted");
    let output = Command::new(env!("CARGO_BIN_EXE_hotpass"))
        .args(["refine", "--input-dir", "data", "--output-path", "occupied/refined.xlsx"])
        .current_dir(&folder)
        .output()
        .expect("the program starts");
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("occupied"), "{said}");
}

#[cfg(unix)]
#[test]
fn an_input_that_cannot_be_read_is_told_and_the_others_go_on() {
    let sandbox = Sandbox::new();
    let folder = workspace(&sandbox, 10);
    // A link to nothing cannot be opened by anybody, not even by an administrator.
    std::os::unix::fs::symlink("nowhere.csv", folder.join("data/gone.csv")).expect("a link");
    // Another program holds this one open and locked; on this system that must not matter.
    let held = std::fs::File::open(folder.join("data/works.csv")).expect("the input");
    held.lock().expect("a lock");
    let output = refine(&folder).output().expect("the program starts");
    let said = text(&output);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
    assert!(said.contains("gone.csv"), "{said}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_run_with_its_own_code() {
    let sandbox = Sandbox::new();
    let folder = workspace(&sandbox, 60_000);
    let mut child = refine(&folder).spawn().expect("the program starts");
    std::thread::sleep(Duration::from_millis(300));
    let interrupted =
        Command::new("/bin/kill").args(["-INT", &child.id().to_string()]).status().is_ok_and(|status| status.success());
    if !interrupted {
        let _ = child.kill();
        let _ = child.wait();
        println!("skipped: no `kill` to send an interrupt with");
        return;
    }
    let output = child.wait_with_output().expect("the program ends");
    let said = text(&output);
    // On a fast machine the run may end before the interrupt arrives.
    assert!(matches!(output.status.code(), Some(130 | 0 | 3)), "{said}");
    assert_whole(&folder);
    if output.status.code() == Some(130) {
        assert!(!folder.join("dist/refined.xlsx").exists(), "nothing is published by an interrupted run: {said}");
    }
}
