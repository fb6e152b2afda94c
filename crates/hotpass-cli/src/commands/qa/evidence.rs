//! The result of technical acceptance, kept: the newest whole, and a line of each.

use std::io;
use std::path::{Path, PathBuf};

use hotpass_core::write_atomic;
use serde_json::{Value, json};

use crate::error::CommandError;

/// Returns the folder of the evidence.
pub(super) fn folder(dist_dir: &Path) -> PathBuf {
    dist_dir.join("quality-gates")
}

/// Writes `latest-ta.json` and adds a line to `history.ndjson`.
pub(super) fn write(dist_dir: &Path, summary: &Value) -> Result<(), CommandError> {
    let folder = folder(dist_dir);
    write_in(&folder, summary).map_err(|error| {
        CommandError::failure(format!("Cannot write the evidence to `{}`", folder.display())).caused_by(&error)
    })
}

fn write_in(folder: &Path, summary: &Value) -> io::Result<()> {
    write_atomic(folder.join("latest-ta.json"), format!("{summary:#}\n"))?;
    let (mut history, corrupt) = split(&read(&folder.join("history.ndjson"))?);
    if !corrupt.is_empty() {
        // Kept aside before it is taken out: a crash in between doubles a line and loses none.
        let aside = folder.join("history.corrupt.ndjson");
        let mut kept = read(&aside)?;
        kept.extend(corrupt);
        write_atomic(&aside, kept)?;
    }
    history.extend(line(summary).to_string().into_bytes());
    history.push(b'\n');
    write_atomic(folder.join("history.ndjson"), history)
}

/// Returns the line of a run: outcome and time of each gate, without the checks.
fn line(summary: &Value) -> Value {
    let gates: Vec<Value> = summary["gates"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|gate| json!({ "gate": gate["gate"], "outcome": gate["outcome"], "seconds": gate["seconds"] }))
        .collect();
    json!({ "gate": "ta", "passed": summary["passed"], "version": summary["version"], "time": summary["time"], "gates": gates })
}

/// Splits a history into the lines that are JSON objects and those that are not.
fn split(history: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut sound, mut corrupt) = (Vec::new(), Vec::new());
    for line in history.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let is_object = serde_json::from_slice::<Value>(line).is_ok_and(|value| value.is_object());
        let kept = if is_object { &mut sound } else { &mut corrupt };
        kept.extend_from_slice(line);
        kept.push(b'\n');
    }
    (sound, corrupt)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrupt_line_is_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        let history = folder.path().join("history.ndjson");
        let summary = json!({ "passed": true, "version": "0", "time": "t", "gates": [] });
        write_in(folder.path(), &summary).unwrap();
        let mut bytes = std::fs::read(&history).unwrap();
        bytes.extend(b"{\"gate\": \"t");
        write_atomic(&history, bytes).unwrap();
        write_in(folder.path(), &summary).unwrap();
        assert_eq!(std::fs::read_to_string(&history).unwrap().lines().count(), 2);
        let aside = std::fs::read_to_string(folder.path().join("history.corrupt.ndjson")).unwrap();
        assert_eq!(aside, "{\"gate\": \"t\n");
    }
}
