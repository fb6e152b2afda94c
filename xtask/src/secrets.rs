//! Secrets in the tree and in the commits of a change, by `gitleaks`.

use crate::process::{command, files, output, present, root};

/// Scans the tracked files as they are, and the commits since the main branch (or the last one).
pub(crate) fn run() -> Result<String, String> {
    let gitleaks = program()?;
    let tree = root().join("target/secret-scan");
    // Only what is or would be committed is scanned: build output and downloads are not ours.
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
    let mut scan = command(&format!("{gitleaks} dir --no-banner --redact --exit-code 1"));
    scan.arg(&tree);
    output(scan)?;
    let base = output(command("git merge-base HEAD origin/main")).or_else(|_| output(command("git rev-parse HEAD~1")));
    let range = base.map_or_else(|_| "HEAD".to_owned(), |base| format!("{}..HEAD", base.trim()));
    output(command(&format!("{gitleaks} git --no-banner --redact --exit-code 1 --log-opts={range}")))?;
    Ok(format!("no secret in {} files, none in the commits {range}", listed.len()))
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
