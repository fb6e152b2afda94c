//! Gates of the installed program: in an empty folder, in a new workspace, and where something is broken.

use serde_json::Value;

use crate::sandbox::{Outcome, Sandbox};

fn qa(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    let words: Vec<&str> = ["qa"].iter().chain(arguments).copied().collect();
    sandbox.run(&words)
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"))
}

/// Returns the checks that failed, as `name: detail`.
fn failed(outcome: &Outcome) -> Vec<String> {
    let found = json(outcome);
    let checks = found["gates"].as_array().into_iter().flatten().filter_map(|gate| gate["checks"].as_array());
    checks
        .flatten()
        .filter(|check| check["passed"] == false)
        .map(|check| {
            let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
            format!("{}: {}", text("name"), text("detail"))
        })
        .collect()
}

#[test]
fn a_strangers_empty_folder_passes_and_stays_empty() {
    let sandbox = Sandbox::new();
    let outcome = qa(&sandbox, &["--format", "json"]);
    assert_eq!(outcome.code, 0, "{outcome}");
    let found = json(&outcome);
    let outcomes: Vec<(&str, &str)> = found["gates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gate| (gate["gate"].as_str().unwrap(), gate["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(
        outcomes,
        [
            ("cli", "passed"),
            ("contracts", "passed"),
            ("docs", "passed"),
            ("profiles", "passed"),
            ("fitness", "maintainers"),
            ("data-quality", "passed")
        ]
    );
    for gate in found["gates"].as_array().unwrap().iter().filter(|gate| gate["outcome"] == "passed") {
        assert!(!gate["checks"].as_array().unwrap().is_empty(), "{} looked at nothing", gate["gate"]);
    }
    assert_eq!(found["gates"][4]["run_with"], "cargo xtask qa fitness");
    assert!(found["maintainers"].as_array().unwrap().iter().any(|gate| gate["run_with"] == "cargo xtask qa coverage"));
    assert_eq!(std::fs::read_dir(sandbox.path("")).unwrap().count(), 0, "something was left behind");
}

#[test]
fn technical_acceptance_of_a_new_workspace_is_kept() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["init"]).code, 0);
    for _ in 0..2 {
        let outcome = qa(&sandbox, &["ta"]);
        assert_eq!(outcome.code, 0, "{outcome}");
        assert!(outcome.stderr.contains("Of the maintainers, in the repository: format, clippy"), "{outcome}");
    }
    let kept = std::fs::read_to_string(sandbox.path("dist/quality-gates/latest-ta.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&kept).unwrap()["passed"], true);
    let history = std::fs::read_to_string(sandbox.path("dist/quality-gates/history.ndjson")).unwrap();
    assert_eq!(history.lines().count(), 2);
}

#[test]
fn a_broken_configuration_and_a_broken_profile_are_named() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["init"]).code, 0);
    sandbox.write("profiles/other.yaml", "profile:\n  name: other\n  requird_fields: [x]\n");
    let outcome = qa(&sandbox, &["profiles", "--format", "json"]);
    assert_eq!(outcome.code, 3, "{outcome}");
    let found = failed(&outcome);
    assert!(found.len() == 1 && found[0].starts_with("profile other: "), "{found:?}");
    assert!(found[0].contains("profiles/other.yaml:3") && found[0].contains("profile.requird_fields"), "{found:?}");

    sandbox.write("hotpass.toml", "[pipeline\n");
    let outcome = qa(&sandbox, &["profiles"]);
    assert_eq!(outcome.code, 3, "{outcome}");
    assert!(outcome.stdout.contains("FAILED  profiles: configuration: hotpass.toml:1:10"), "{outcome}");
}

#[test]
fn a_broken_contract_is_named_and_one_that_is_not_there() {
    let sandbox = Sandbox::new();
    sandbox.write("contracts/a.json", "not a contract");
    sandbox.write("contracts/b.json", r#"{"fields": [{"name": "id", "type": "nonsense"}]}"#);
    sandbox.write("contracts/c.json", r#"{"fields": [{"name": "id", "type": "string", "example": "abc"}]}"#);
    sandbox.write("contracts/README.md", "no contract");
    let sources = "[[profile.sources]]\nname = \"s\"\npattern = \"s*.csv\"\ncontract = \"orders\"\n";
    sandbox.write("hotpass.toml", format!("[profile]\ncontracts = [\"gone.json\"]\n{sources}"));
    let outcome = qa(&sandbox, &["contracts", "--format", "json"]);
    assert_eq!(outcome.code, 3, "{outcome}");
    let found = failed(&outcome);
    let starts = ["contracts/a.json: ", "contracts/b.json: ", "gone.json: Cannot read", "profile generic, source s: "];
    assert_eq!(found.len(), starts.len(), "{found:?}");
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(start), "{found} does not start with {start}");
    }
    assert!(found[1].contains("`nonsense`"), "{found:?}");
}

#[test]
fn gates_of_the_maintainers_are_named_and_do_not_fail() {
    let outcome = qa(&Sandbox::new(), &["fitness"]);
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(outcome.stdout.contains("cargo xtask qa fitness"), "{outcome}");
}

#[test]
fn evidence_that_cannot_be_written_is_a_failure() {
    let sandbox = Sandbox::new();
    sandbox.write("dist", "a file");
    let outcome = qa(&sandbox, &["ta"]);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(outcome.stderr.contains("Cannot write the evidence to `dist/quality-gates`"), "{outcome}");
}
