//! What every gate said, run by run: `dist/quality-gates/{latest.json, history.ndjson, index.html}`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::process::root;

/// Runs of a gate that the page shows, newest last.
const SHOWN: usize = 40;

/// One run of one gate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Name of the gate.
    pub(crate) gate: String,
    /// Whether it passed.
    pub(crate) passed: bool,
    /// Wall time.
    pub(crate) seconds: f64,
    /// Commit it ran on, whole.
    pub(crate) commit: String,
    /// When the run began, in seconds since 1970.
    pub(crate) time: u64,
    /// First line of what it said.
    pub(crate) detail: String,
}

impl Entry {
    fn to_json(&self) -> Value {
        json!({
            "gate": self.gate,
            "outcome": if self.passed { "passed" } else { "failed" },
            "seconds": (self.seconds * 10.0).round() / 10.0,
            "commit": self.commit,
            "time": utc(self.time),
            "detail": self.detail,
        })
    }

    fn from_json(value: &Value) -> Option<Self> {
        Some(Self {
            gate: value["gate"].as_str()?.to_owned(),
            passed: match value["outcome"].as_str()? {
                "passed" => true,
                "failed" => false,
                _ => return None,
            },
            seconds: value["seconds"].as_f64()?,
            commit: value["commit"].as_str()?.to_owned(),
            time: parse_utc(value["time"].as_str()?)?,
            detail: value["detail"].as_str().unwrap_or_default().to_owned(),
        })
    }

    /// Reads a line of the earlier form, which held all gates of a run.
    fn from_run(value: &Value) -> Option<Vec<Self>> {
        let time = value["started_at_unix_seconds"].as_u64()?;
        let commit = value["commit"].as_str()?;
        value["gates"]
            .as_array()?
            .iter()
            .map(|gate| {
                Some(Self {
                    gate: gate["gate"].as_str()?.to_owned(),
                    passed: gate["passed"].as_bool()?,
                    seconds: gate["seconds"].as_f64()?,
                    commit: commit.to_owned(),
                    time,
                    detail: first_line(gate["detail"].as_str().unwrap_or_default()).to_owned(),
                })
            })
            .collect()
    }
}

/// Adds a run of gates to the history and renders the page.
///
/// Each gate is recorded as soon as it ends, so that a run that is killed leaves what it knew.
pub(crate) fn record(entry: &Entry) -> Result<(), String> {
    let folder = folder();
    append(&folder, entry)
        .and_then(|()| render(&folder))
        .map_err(|error| format!("Failed to write the history of the gates: {error}"))
}

/// Writes the evidence of the newest run.
pub(crate) fn write_latest(evidence: &Value) -> Result<(), String> {
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder())?;
        let mut text = serde_json::to_string_pretty(evidence)?;
        text.push('\n');
        replace(&folder().join("latest.json"), text.as_bytes())
    };
    write().map_err(|error| format!("Failed to write the evidence: {error}"))
}

/// Returns the folder of the evidence.
pub(crate) fn folder() -> PathBuf {
    root().join("dist/quality-gates")
}

fn append(folder: &Path, entry: &Entry) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let path = folder.join("history.ndjson");
    // A line that a killed run left unfinished must not swallow this one.
    let unfinished = fs::read(&path).is_ok_and(|bytes| bytes.last().is_some_and(|byte| *byte != b'\n'));
    let line = format!("{}{}\n", if unfinished { "\n" } else { "" }, entry.to_json());
    OpenOptions::new().create(true).append(true).open(path)?.write_all(line.as_bytes())
}

/// Reads the history; what is not a line of it moves to `history.corrupt.ndjson` beside it and is never lost.
fn read(folder: &Path) -> io::Result<Vec<Entry>> {
    let path = folder.join("history.ndjson");
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let (mut entries, mut sound, mut corrupt) = (Vec::new(), Vec::new(), Vec::new());
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let parsed = serde_json::from_slice::<Value>(line)
            .ok()
            .and_then(|value| Entry::from_json(&value).map(|entry| vec![entry]).or_else(|| Entry::from_run(&value)));
        let kept = if parsed.is_some() { &mut sound } else { &mut corrupt };
        kept.extend_from_slice(line);
        kept.push(b'\n');
        entries.extend(parsed.into_iter().flatten());
    }
    if !corrupt.is_empty() {
        // First kept aside, then taken out: a crash in between doubles a line and loses none.
        let mut aside = OpenOptions::new().create(true).append(true).open(folder.join("history.corrupt.ndjson"))?;
        aside.write_all(&corrupt)?;
        aside.sync_all()?;
        replace(&path, &sound)?;
        println!("unreadable lines of the history were kept aside in history.corrupt.ndjson");
    }
    Ok(entries)
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("partial");
    fs::write(&beside, bytes)?;
    fs::rename(beside, path)
}

fn render(folder: &Path) -> io::Result<()> {
    let page = page(&read(folder)?);
    replace(&folder.join("index.html"), page.as_bytes())
}

const STYLE: &str = "\
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1f24;background:#fff}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d8dee4;vertical-align:top}\
td.n{text-align:right;font-variant-numeric:tabular-nums}.p{color:#116329}.f{color:#a40e26;font-weight:600}\
.s span{display:inline-block;width:.6rem;height:1rem;margin-right:1px;border-radius:1px}.s .p{background:#2da44e}.s .f{background:#cf222e}\
code{font-size:.9em}@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}th,td{border-color:#30363d}.p{color:#3fb950}.f{color:#ff7b72}}";

/// Renders the history as one page without outside parts.
fn page(entries: &[Entry]) -> String {
    let mut gates: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        gates.entry(&entry.gate).or_default().push(entry);
    }
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Quality gates</title><style>{STYLE}</style>\n\
         <h1>Quality gates</h1>\n<p>{} runs of {} gates. Times are UTC; seconds are wall time.</p>\n<table><thead><tr><th>gate\
         <th>last result<th>when<th>commit<th>seconds<th>median<th>passed<th>runs, newest last<th>detail</thead><tbody>\n",
        entries.len(),
        gates.len()
    );
    for (gate, runs) in &gates {
        let Some(last) = runs.last() else { continue };
        let mut seconds: Vec<f64> = runs.iter().filter(|run| run.passed).map(|run| run.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let median = seconds.get(seconds.len() / 2).map_or_else(|| "–".to_owned(), |median| format!("{median:.1}"));
        let passed = runs.iter().filter(|run| run.passed).count();
        let _ = write!(
            page,
            "<tr><td><b>{}</b><td class=\"{}\">{}<td>{}<td><code>{}</code><td class=n>{:.1}<td class=n>{median}<td class=n>{passed} of {}<td class=s>",
            escape(gate),
            class(last.passed),
            word(last.passed),
            utc(last.time),
            escape(last.commit.get(..10).unwrap_or(&last.commit)),
            last.seconds,
            runs.len(),
        );
        for run in runs.iter().skip(runs.len().saturating_sub(SHOWN)) {
            let _ = write!(
                page,
                "<span class={} title=\"{} {} {} {:.1} s\"></span>",
                class(run.passed),
                word(run.passed),
                utc(run.time),
                escape(run.commit.get(..10).unwrap_or(&run.commit)),
                run.seconds
            );
        }
        let _ = writeln!(page, "<td>{}", escape(&last.detail));
    }
    page.push_str("</tbody></table>\n<p><a href=\"latest.json\">latest.json</a> · <a href=\"history.ndjson\">history.ndjson</a></p>\n</html>\n");
    page
}

fn class(passed: bool) -> &'static str {
    if passed { "p" } else { "f" }
}

fn word(passed: bool) -> &'static str {
    if passed { "passed" } else { "failed" }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Returns the first line of a text.
pub(crate) fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Writes seconds since 1970 as `2026-01-31T23:59:59Z`.
///
/// The calendar is the proleptic Gregorian one, by Howard Hinnant's `civil_from_days`.
pub(crate) fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

/// Reads what [`utc`] writes.
fn parse_utc(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    if text.len() != 20 || !text.ends_with('Z') {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let year = year - u64::from(month <= 2);
    let shifted = if month > 2 { month.checked_sub(3)? } else { month + 9 };
    let day_of_year = (153 * shifted + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + day_of_year;
    let days = (year / 400 * 146_097 + day_of_era).checked_sub(719_468)?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    (utc(seconds) == text).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(gate: &str, passed: bool) -> Entry {
        Entry {
            gate: gate.to_owned(),
            passed,
            seconds: 1.5,
            commit: "0123456789abcdef".to_owned(),
            time: 1_763_769_600,
            detail: "a < b".to_owned(),
        }
    }

    /// A folder below the build's own, which goes with its name.
    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("hotpass-xtask-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn moments_are_read_as_written() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(utc(4_107_542_400), "2100-03-01T00:00:00Z");
        for seconds in [0, 951_827_696, 1_763_769_600, 4_107_542_399, 4_107_542_400] {
            assert_eq!(parse_utc(&utc(seconds)), Some(seconds));
        }
        for wrong in ["", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00"]
        {
            assert_eq!(parse_utc(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn corrupt_lines_are_kept_aside_and_sound_ones_stay() {
        let folder = scratch("corrupt");
        append(&folder, &entry("format", true)).unwrap();
        let history = folder.join("history.ndjson");
        let mut file = OpenOptions::new().append(true).open(&history).unwrap();
        file.write_all(b"{\"gate\":\"clip").unwrap();
        append(&folder, &entry("clippy", false)).unwrap();
        let entries = read(&folder).unwrap();
        assert_eq!(entries, [entry("format", true), entry("clippy", false)]);
        assert_eq!(fs::read_to_string(folder.join("history.corrupt.ndjson")).unwrap(), "{\"gate\":\"clip\n");
        assert_eq!(fs::read_to_string(&history).unwrap().lines().count(), 2);
        // A second look finds nothing more to keep aside.
        assert_eq!(read(&folder).unwrap().len(), 2);
        assert_eq!(fs::read_to_string(folder.join("history.corrupt.ndjson")).unwrap().lines().count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn lines_of_the_earlier_form_are_read() {
        let folder = scratch("earlier");
        let line = r#"{"started_at_unix_seconds":1763769600,"commit":"abc","rustc":"x","passed":true,"gates":[{"gate":"docs","command":"c","passed":true,"seconds":2.5,"detail":"fine\nmore"}]}"#;
        fs::write(folder.join("history.ndjson"), format!("{line}\n")).unwrap();
        let entries = read(&folder).unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].gate.as_str(), entries[0].detail.as_str()), ("docs", "fine"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_page_names_every_gate_and_escapes() {
        let page = page(&[entry("format", true), entry("clippy", true), entry("clippy", false)]);
        assert!(page.contains("<b>format</b>") && page.contains("<b>clippy</b><td class=\"f\">failed"));
        assert!(page.contains("a &lt; b") && !page.contains("a < b"));
        assert!(page.contains("1 of 2"));
    }
}
