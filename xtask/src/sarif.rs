//! Findings of clippy, `cargo deny` and gitleaks as SARIF 2.1.0 under `dist/sarif/`, for the viewers that read it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::process::{command, output, read, root};
use crate::{audit, secrets};

/// The command of the clippy gate; the report replays it, so that nothing is checked twice.
pub(crate) const CLIPPY_COMMAND: &str = "cargo clippy --workspace --all-targets -- -D warnings";

/// Writes the three reports; findings do not fail this gate, since each has a gate of its own.
pub(crate) fn run() -> Result<String, String> {
    let folder = root().join("dist/sarif");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let reports = [
        ("clippy", clippy_report(&lines(CLIPPY_COMMAND, &["--message-format=json", "--keep-going"])?)),
        ("deny", deny_report(&audit::findings()?, &read(&root().join("Cargo.lock")))),
        ("secrets", secrets_report(&secrets::reports()?)),
    ];
    let mut counts = Vec::new();
    for (name, report) in reports {
        check_shape(&report).map_err(|error| format!("dist/sarif/{name}.sarif: {error}"))?;
        let text = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())? + "\n";
        if text.contains(&root().display().to_string()) {
            return Err(format!("dist/sarif/{name}.sarif holds a path of this machine"));
        }
        fs::write(folder.join(format!("{name}.sarif")), text).map_err(|error| error.to_string())?;
        let results: usize = array(&report["runs"]).map(|run| array(&run["results"]).count()).sum();
        counts.push(format!("{results} of {name}"));
    }
    Ok(format!("{} findings in dist/sarif", counts.join(", ")))
}

/// Runs a cargo command with flags before its `--`, and returns its lines whether it succeeds or not.
fn lines(line: &str, flags: &[&str]) -> Result<String, String> {
    let (before, after) = line.split_once(" -- ").unwrap_or((line, ""));
    let mut cargo: Command = command(before);
    cargo.args(flags);
    if !after.is_empty() {
        cargo.arg("--").args(after.split(' '));
    }
    let output = cargo.stdin(Stdio::null()).output().map_err(|error| format!("Failed to start `{before}`: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A finding, before it is SARIF.
struct Finding {
    rule: String,
    level: &'static str,
    message: String,
    file: Option<String>,
    /// First line and column, last line and column, from 1; a column of 0 is unknown.
    region: [u64; 4],
}

fn clippy_report(messages: &str) -> Value {
    let mut findings = Vec::new();
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let message = &message["message"];
        let Some(level) = level(message["level"].as_str().unwrap_or_default()) else { continue };
        let span = array(&message["spans"]).find(|span| span["is_primary"] == true);
        let text = message["message"].as_str().unwrap_or_default();
        // The closing words of a crate that failed are not a finding.
        if message["code"].is_null() && span.is_none() {
            continue;
        }
        let number = |key: &str| span.and_then(|span| span[key].as_u64()).unwrap_or_default();
        findings.push(Finding {
            rule: message["code"]["code"].as_str().unwrap_or("rustc").to_owned(),
            level,
            message: text.to_owned(),
            file: span.and_then(|span| inside(span["file_name"].as_str()?)),
            region: [number("line_start"), number("column_start"), number("line_end"), number("column_end")],
        });
    }
    let version = output(command("cargo clippy --version")).unwrap_or_default();
    let version = version.split_whitespace().nth(1).unwrap_or_default();
    document(&[tool_run("clippy", version, "https://doc.rust-lang.org/clippy/", &findings)])
}

/// Findings of `cargo deny` about a crate stand where `Cargo.lock` names it, others where `deny.toml` says so.
fn deny_report(diagnostics: &str, lock: &str) -> Value {
    let mut findings = Vec::new();
    for diagnostic in diagnostics.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let fields = &diagnostic["fields"];
        if diagnostic["type"] != "diagnostic" {
            continue;
        }
        let Some(level) = level(fields["severity"].as_str().unwrap_or_default()) else { continue };
        let krate = &fields["graphs"][0]["Krate"];
        let name = krate["name"].as_str();
        let (file, line) = match name {
            Some(name) => {
                ("Cargo.lock", line_in_lock(lock, name, krate["version"].as_str().unwrap_or_default()).unwrap_or(1))
            }
            None => ("deny.toml", array(&fields["labels"]).find_map(|label| label["line"].as_u64()).unwrap_or(1)),
        };
        let mut message = fields["message"].as_str().unwrap_or_default().to_owned();
        if let Some(name) = name.filter(|name| !message.contains(*name)) {
            message = format!("{name} {}: {message}", krate["version"].as_str().unwrap_or_default());
        }
        findings.push(Finding {
            rule: fields["advisory"]["id"].as_str().or(fields["code"].as_str()).unwrap_or("deny").to_owned(),
            level,
            message,
            file: Some(file.to_owned()),
            region: [line, 0, line, 0],
        });
    }
    let version = output(command("cargo deny --version")).unwrap_or_default();
    let version = version.split_whitespace().nth(1).unwrap_or_default();
    document(&[tool_run("cargo-deny", version, "https://embarkstudios.github.io/cargo-deny/", &findings)])
}

/// Returns the line of the lock file that names a package.
fn line_in_lock(lock: &str, name: &str, version: &str) -> Option<u64> {
    let (name, version) = (format!("name = \"{name}\""), format!("version = \"{version}\""));
    let lines: Vec<&str> = lock.lines().collect();
    lines.windows(2).position(|pair| pair[0] == name && pair[1] == version).map(|index| index as u64 + 1)
}

/// Keeps of gitleaks' reports what says where and which rule: no snippet, and no author of a commit.
fn secrets_report(reports: &[(Value, String)]) -> Value {
    let runs: Vec<Value> = reports
        .iter()
        .map(|(report, prefix)| {
            let run = &report["runs"][0];
            let findings: Vec<Finding> = array(&run["results"])
                .map(|result| {
                    let place = &result["locations"][0]["physicalLocation"];
                    let number = |key: &str| place["region"][key].as_u64().unwrap_or_default();
                    let uri = place["artifactLocation"]["uri"].as_str().unwrap_or_default();
                    let commit = result["partialFingerprints"]["commitSha"].as_str().unwrap_or_default();
                    let rule = result["ruleId"].as_str().unwrap_or("secret").to_owned();
                    let commit = if commit.is_empty() { String::new() } else { format!(" of commit {commit}") };
                    Finding {
                        message: format!("`{rule}` found what looks like a secret{commit}"),
                        rule,
                        level: "error",
                        file: uri.strip_prefix(prefix.as_str()).map_or_else(|| inside(uri), inside),
                        region: [number("startLine"), number("startColumn"), number("endLine"), number("endColumn")],
                    }
                })
                .collect();
            tool_run("gitleaks", "8.30.1", "https://github.com/gitleaks/gitleaks", &findings)
        })
        .collect();
    document(&runs)
}

/// Returns a path relative to the repository with forward slashes; one that lies elsewhere has none.
fn inside(path: &str) -> Option<String> {
    let relative = match Path::new(path).strip_prefix(root()) {
        Ok(relative) => relative.to_string_lossy().replace('\\', "/"),
        Err(_) => path.replace('\\', "/"),
    };
    let absolute = relative.starts_with('/') || relative.contains(':') || relative.contains("../");
    (!absolute && !relative.is_empty()).then(|| encode(&relative))
}

/// Encodes what a URI reference must not hold as it is.
fn encode(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            encoded.push(byte as char);
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn level(severity: &str) -> Option<&'static str> {
    match severity {
        "error" | "error: internal compiler error" => Some("error"),
        "warning" => Some("warning"),
        "note" | "help" => Some("note"),
        _ => None,
    }
}

fn document(runs: &[Value]) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": runs,
    })
}

/// Makes the run of a tool; the same finding of two build targets counts once.
fn tool_run(name: &str, version: &str, page: &str, findings: &[Finding]) -> Value {
    let rules: BTreeSet<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    let rules: Vec<&str> = rules.into_iter().collect();
    let mut seen = BTreeSet::new();
    let mut results = Vec::new();
    for finding in findings {
        let mut result = json!({
            "ruleId": finding.rule,
            "ruleIndex": rules.iter().position(|rule| *rule == finding.rule),
            "level": finding.level,
            "message": { "text": finding.message },
        });
        if let Some(file) = &finding.file {
            let mut place = json!({ "artifactLocation": { "uri": file, "uriBaseId": "SRCROOT" } });
            let region: serde_json::Map<String, Value> = ["startLine", "startColumn", "endLine", "endColumn"]
                .into_iter()
                .zip(finding.region)
                .filter(|(_, number)| *number > 0)
                .map(|(key, number)| (key.to_owned(), json!(number)))
                .collect();
            if region.contains_key("startLine") {
                place["region"] = Value::Object(region);
            }
            result["locations"] = json!([{ "physicalLocation": place }]);
        }
        if seen.insert(result.to_string()) {
            results.push(result);
        }
    }
    let mut driver = json!({ "name": name, "informationUri": page });
    if !version.is_empty() {
        driver["version"] = json!(version);
    }
    driver["rules"] = rules.iter().map(|rule| json!({ "id": rule })).collect();
    json!({
        "tool": { "driver": driver },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": { "SRCROOT": { "description": { "text": "The root of the repository" } } },
        "results": results,
    })
}

/// Checks what SARIF 2.1.0 requires of the parts that are used here, and that no place is absolute.
fn check_shape(report: &Value) -> Result<(), String> {
    if report["version"] != "2.1.0" || array(&report["runs"]).next().is_none() {
        return Err("The version or the runs are missing".to_owned());
    }
    for run in array(&report["runs"]) {
        let driver = &run["tool"]["driver"];
        if driver["name"].as_str().is_none_or(str::is_empty) || !run["results"].is_array() {
            return Err("A run lacks its tool or its results".to_owned());
        }
        for result in array(&run["results"]) {
            let rule =
                result["ruleIndex"].as_u64().map_or(&Value::Null, |index| &driver["rules"][index as usize]["id"]);
            if rule.is_null() || *rule != result["ruleId"] {
                return Err(format!("The rule of a result is not in the list: {}", result["ruleId"]));
            }
            if result["message"]["text"].as_str().is_none_or(str::is_empty) {
                return Err(format!("A result of `{}` says nothing", result["ruleId"]));
            }
            for place in array(&result["locations"]) {
                let place = &place["physicalLocation"];
                let uri = place["artifactLocation"]["uri"].as_str().unwrap_or_default();
                if uri.is_empty() || uri.starts_with('/') || uri.contains(':') {
                    return Err(format!("A place is not relative: `{uri}`"));
                }
                let region = &place["region"];
                if let (Some(first), Some(last)) = (region["startLine"].as_u64(), region["endLine"].as_u64())
                    && (first == 0 || last < first)
                {
                    return Err(format!("A region of `{uri}` ends before it begins"));
                }
            }
        }
    }
    Ok(())
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIPPY: &str = r#"{"reason":"compiler-artifact"}
{"reason":"compiler-message","message":{"code":{"code":"clippy::needless_return"},"level":"error","message":"unneeded `return`","spans":[{"file_name":"crates/a b/src/lib.rs","is_primary":true,"line_start":3,"column_start":5,"line_end":3,"column_end":11}]}}
{"reason":"compiler-message","message":{"code":{"code":"clippy::needless_return"},"level":"error","message":"unneeded `return`","spans":[{"file_name":"crates/a b/src/lib.rs","is_primary":true,"line_start":3,"column_start":5,"line_end":3,"column_end":11}]}}
{"reason":"compiler-message","message":{"code":null,"level":"error","message":"could not compile","spans":[]}}
{"reason":"compiler-message","message":{"code":{"code":"E0308"},"level":"error","message":"mismatched types","spans":[{"file_name":"/elsewhere/registry/x.rs","is_primary":true,"line_start":1,"column_start":1,"line_end":1,"column_end":2}]}}
{"reason":"build-finished","success":false}
"#;
    const DENY: &str = r#"{"fields":{"code":"rejected","graphs":[{"Krate":{"name":"foldhash","version":"0.2.0"}}],"labels":[{"column":12,"line":40,"message":"","span":"Zlib"}],"message":"failed to satisfy license requirements","severity":"error"},"type":"diagnostic"}
{"fields":{"code":"license-not-encountered","graphs":[],"labels":[{"column":4,"line":7,"message":"","span":"0BSD"}],"message":"license was not encountered","severity":"warning"},"type":"diagnostic"}
{"fields":{"bans":{"errors":0}},"type":"summary"}
"#;
    const LOCK: &str = "[[package]]\nname = \"foldhash\"\nversion = \"0.1.5\"\n\n[[package]]\nname = \"foldhash\"\nversion = \"0.2.0\"\n";

    fn gitleaks() -> Value {
        json!({"runs": [{"results": [{
            "message": {"text": "x has detected secret for file /scan/docs/a.md."},
            "ruleId": "github-pat",
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": "/scan/docs/a.md"},
                "region": {"startLine": 2, "startColumn": 9, "endLine": 2, "endColumn": 48, "snippet": {"text": "REDACTED"}}}}],
            "partialFingerprints": {"commitSha": "", "email": "someone@mail.example", "author": "Someone"},
        }]}]})
    }

    fn reports() -> [Value; 3] {
        [clippy_report(CLIPPY), deny_report(DENY, LOCK), secrets_report(&[(gitleaks(), "/scan/".to_owned())])]
    }

    #[test]
    fn reports_hold_to_the_official_schema() {
        let mut schema: Value = serde_json::from_str(include_str!("../schemas/sarif-2.1.0.schema.json")).unwrap();
        // The official pattern of a language has a bracket too many and is no regular expression; no language is written here.
        for part in ["run", "toolComponent"] {
            schema["definitions"][part]["properties"]["language"].as_object_mut().unwrap().remove("pattern");
        }
        let validator = jsonschema::draft7::new(&schema).unwrap();
        for report in reports() {
            let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?}");
            check_shape(&report).unwrap();
        }
        // The check can fail.
        assert!(!validator.is_valid(&json!({"version": "2.1.0", "runs": [{"results": []}]})));
    }

    #[test]
    fn findings_are_counted_once_and_stand_at_relative_places() {
        let [clippy, deny, secrets] = reports();
        let results = clippy["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), 2);
        assert_eq!(
            results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            "crates/a%20b/src/lib.rs"
        );
        assert!(results[1].get("locations").is_none());
        let results = deny["runs"][0]["results"].as_array().unwrap();
        let place = |result: &Value| result["locations"][0]["physicalLocation"].clone();
        assert_eq!(place(&results[0])["region"]["startLine"], 6);
        assert_eq!(results[0]["message"]["text"], "foldhash 0.2.0: failed to satisfy license requirements");
        assert_eq!(
            (place(&results[1])["artifactLocation"]["uri"].clone(), results[1]["level"].clone()),
            (json!("deny.toml"), json!("warning"))
        );
        let text = secrets.to_string();
        assert!(text.contains("\"docs/a.md\"") && !text.contains("/scan/"), "{text}");
        assert!(!text.contains("someone") && !text.contains("Someone") && !text.contains("snippet"), "{text}");
    }

    #[test]
    fn a_wrong_shape_is_found() {
        let mut report = reports()[0].clone();
        report["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] =
            json!("/etc/passwd");
        assert!(check_shape(&report).unwrap_err().contains("not relative"));
        let mut report = reports()[0].clone();
        report["runs"][0]["results"][0]["ruleId"] = json!("other");
        assert!(check_shape(&report).is_err());
    }
}
