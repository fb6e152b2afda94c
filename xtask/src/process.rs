//! Running other programs, with their output shown and kept.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map_or(manifest.clone(), Path::to_path_buf)
}

/// Makes a command that runs in the repository's root, from words separated by single spaces.
pub(crate) fn command(line: &str) -> Command {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).current_dir(root());
    command
}

/// Runs a command with its output on the terminal.
pub(crate) fn run(mut command: Command) -> Result<(), String> {
    let shown = show(&command);
    let status = command.status().map_err(|error| format!("Failed to start `{shown}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` ended with {status}")) }
}

/// Runs a command with its output on the terminal and returns the output as well.
pub(crate) fn run_and_keep(mut command: Command) -> Result<String, (String, String)> {
    let shown = show(&command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| (format!("Failed to start `{shown}`: {error}"), String::new()))?;
    let mut kept = String::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            println!("{line}");
            kept.push_str(&line);
            kept.push('\n');
        }
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(kept),
        Ok(status) => Err((format!("`{shown}` ended with {status}"), kept)),
        Err(error) => Err((format!("`{shown}`: {error}"), kept)),
    }
}

/// Runs a command silently and returns its standard output; the error holds its standard error.
pub(crate) fn output(mut command: Command) -> Result<String, String> {
    let shown = show(&command);
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("Failed to start `{shown}`: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!("`{shown}` ended with {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}

/// Returns whether a program answers to a flag.
pub(crate) fn present(line: &str) -> bool {
    command(line).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// Returns a command as a person would type it.
pub(crate) fn show(command: &Command) -> String {
    let mut shown = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        shown.push(' ');
        shown.push_str(&argument.to_string_lossy());
    }
    shown
}

/// Returns the files git tracks, and those it would track.
pub(crate) fn files() -> Result<Vec<PathBuf>, String> {
    let listed = output(command("git ls-files --cached --others --exclude-standard"))?;
    Ok(listed.lines().map(|line| root().join(line)).filter(|path| path.is_file()).collect())
}

/// Reads a text file; a file that is not text reads as empty.
pub(crate) fn read(path: &Path) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = std::fs::File::open(path) {
        let _ = file.read_to_end(&mut bytes);
    }
    String::from_utf8(bytes).unwrap_or_default()
}
