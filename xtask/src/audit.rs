//! Advisories, licences, bans and sources of every dependency, by `cargo deny`.

use std::fs;
use std::path::Path;

use crate::process::{command, output, present, root, run};

/// Folder name that `cargo deny` gives the default advisory database: the database's name and a hash of its address.
const DATABASE: &str = "advisory-db-3157b0e258782691";

/// Checks all four; uses the live advisory database when it can be fetched, else the snapshot beside the repository.
pub(crate) fn check() -> Result<String, String> {
    if !present("cargo deny --version") {
        return Err("`cargo deny` is missing; run `cargo xtask install`".to_owned());
    }
    let source = if output(command("cargo deny --log-level error fetch db")).is_ok() {
        run(command("cargo deny check advisories licenses bans sources"))?;
        "live advisory database".to_owned()
    } else {
        let snapshot = root().join("../shared/advisory-db");
        if !snapshot.is_dir() {
            return Err("The advisory database can neither be fetched nor found at ../shared/advisory-db".to_owned());
        }
        let newest = install_snapshot(&snapshot).map_err(|error| format!("Failed to copy the database: {error}"))?;
        println!("advisory database: snapshot, newest advisory {newest} (what came later is not known here)");
        run(command("cargo deny --offline check advisories licenses bans sources"))?;
        format!("snapshot of the advisory database, newest advisory {newest}")
    };
    Ok(format!("advisories, licences, bans, sources clean; {source}"))
}

/// Returns the findings of all four as JSON, a line each, from the database that is already there.
pub(crate) fn findings() -> Result<String, String> {
    let mut deny = command("cargo deny --offline --format json check advisories licenses bans sources");
    let mut result = deny.output();
    if result.as_ref().is_ok_and(|output| !String::from_utf8_lossy(&output.stderr).contains("\"summary\"")) {
        // Without a database there is no summary: bring one, then ask again. What it finds is told by the gate of its own.
        let _ = check();
        result = deny.output();
    }
    let output = result.map_err(|error| format!("Failed to start `cargo deny`: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if text.contains("\"summary\"") { Ok(text) } else { Err(format!("`cargo deny` said nothing to report:\n{text}")) }
}

/// Copies the snapshot to where `cargo deny` looks, as a git work tree, and returns the date of its newest advisory.
fn install_snapshot(snapshot: &Path) -> std::io::Result<String> {
    let target = home().join("advisory-dbs").join(DATABASE);
    let mut newest = String::new();
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    copy(snapshot, &target, &mut newest)?;
    for line in [
        "git init --quiet",
        "git add --all --force",
        "git -c user.name=audit -c user.email=audit@localhost commit --quiet --message=snapshot",
    ] {
        let mut git = command(line);
        git.current_dir(&target);
        run(git).map_err(std::io::Error::other)?;
    }
    Ok(newest)
}

fn home() -> std::path::PathBuf {
    std::env::var_os("CARGO_HOME").map_or_else(
        || std::path::PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        std::path::PathBuf::from,
    )
}

fn copy(from: &Path, to: &Path, newest: &mut String) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name() == ".git" {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target, newest)?;
        } else {
            let text = crate::process::read(&entry.path());
            for date in text.lines().filter_map(|line| line.strip_prefix("date = \"")) {
                let date = date.trim_end_matches('"');
                if date > newest.as_str() {
                    date.clone_into(newest);
                }
            }
            fs::write(&target, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}
