//! Secrets in the tree and in the commits of a change, by `gitleaks`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::process::{command, files, output, present, read, root};

/// Scans the tracked files as they are, and the commits since the main branch (or the last one).
pub(crate) fn run() -> Result<String, String> {
    let gitleaks = program()?;
    let (tree, count) = tree()?;
    output(scan_tree(&gitleaks, &tree))?;
    let range = range();
    output(scan_commits(&gitleaks, &range))?;
    Ok(format!("no secret in {count} files, none in the commits {range}"))
}

/// Returns the SARIF of both scans, each with the folder that its paths begin with.
pub(crate) fn reports() -> Result<[(Value, String); 2], String> {
    let gitleaks = program()?;
    let (tree, _) = tree()?;
    let prefix = format!("{}/", tree.display());
    Ok([(report(scan_tree(&gitleaks, &tree))?, prefix), (report(scan_commits(&gitleaks, &range()))?, String::new())])
}

fn scan_tree(gitleaks: &str, tree: &Path) -> Command {
    let mut scan = command(&format!("{gitleaks} dir --no-banner --redact --exit-code 1"));
    scan.arg(tree);
    scan
}

fn scan_commits(gitleaks: &str, range: &str) -> Command {
    command(&format!("{gitleaks} git --no-banner --redact --exit-code 1 --log-opts={range}"))
}

/// Runs a scan for its report, whatever it finds.
fn report(mut scan: Command) -> Result<Value, String> {
    let file = root().join("target/secret-scan.sarif");
    let _ = std::fs::remove_file(&file);
    scan.args(["--report-format", "sarif", "--report-path"]).arg(&file);
    let output = scan.stdin(Stdio::null()).output().map_err(|error| format!("Failed to start gitleaks: {error}"))?;
    serde_json::from_str(&read(&file))
        .map_err(|_| format!("gitleaks made no report: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Copies what is or would be committed, since build output and downloads are not ours, and returns where and how many.
fn tree() -> Result<(PathBuf, usize), String> {
    let tree = root().join("target/secret-scan");
    let _ = std::fs::remove_dir_all(&tree);
    let listed = files()?;
    for file in &listed {
        let relative = file.strip_prefix(root()).unwrap_or(file);
        let target = tree.join(relative);
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        std::fs::copy(file, &target).map_err(|error| error.to_string())?;
    }
    Ok((tree, listed.len()))
}

/// Returns the commits of this change.
fn range() -> String {
    let base = output(command("git merge-base HEAD origin/main")).or_else(|_| output(command("git rev-parse HEAD~1")));
    base.map_or_else(|_| "HEAD".to_owned(), |base| format!("{}..HEAD", base.trim()))
}

/// Returns the command of gitleaks: on the path, or where `go install` puts it.
pub(crate) fn program() -> Result<String, String> {
    if present("gitleaks --help") {
        return Ok("gitleaks".to_owned());
    }
    let installed = output(command("go env GOPATH")).map(|path| format!("{}/bin/gitleaks", path.trim()))?;
    if present(&format!("{installed} --help")) {
        Ok(installed)
    } else {
        Err("`gitleaks` is missing; run `cargo xtask install`".to_owned())
    }
}
