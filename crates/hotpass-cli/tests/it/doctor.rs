//! `hotpass doctor`: what it finds, and what it mends.

use crate::sandbox::Sandbox;

fn checks(stdout: &str) -> serde_json::Value {
    serde_json::from_str(stdout).expect("JSON")
}

#[test]
fn a_missing_input_folder_fails_and_is_mended() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(&["doctor"]);
    assert_eq!(outcome.code, 3, "{outcome}");
    assert!(outcome.stdout.contains("FAIL  environment.input_dir: Folder `data` does not exist\n      fix: Make it"));
    assert!(outcome.stderr.contains("hint: `hotpass doctor --fix` mends"), "{outcome}");
    sandbox.run(&["doctor", "--fix"]);
    assert!(sandbox.path("data").is_dir());
    let outcome = sandbox.run(&["doctor", "--format", "json"]);
    let input = checks(&outcome.stdout)["checks"][0].clone();
    assert_eq!((input["name"].as_str(), input["passed"].as_bool()), (Some("environment.input_dir"), Some(true)));
}

#[test]
fn a_configuration_that_cannot_be_loaded_is_a_usage_error() {
    let sandbox = Sandbox::new();
    sandbox.write("hotpass.toml", "[pipelin]\n");
    let outcome = sandbox.run(&["doctor"]);
    assert_eq!(outcome.code, 2, "{outcome}");
    assert!(outcome.stderr.contains("hotpass.toml:1:"), "{outcome}");
    assert!(outcome.stderr.contains("did you mean `pipeline`?"), "{outcome}");
}

#[test]
fn a_file_that_cannot_be_read_is_a_warning_beside_one_that_can() {
    let sandbox = Sandbox::new();
    sandbox.write("data/clubs.csv", "Name,Phone\nTern Club,0161 496 0100\nGannet Club,0161 496 0101\n");
    sandbox.write("data/broken.xlsx", "PK\u{3}\u{4} and nothing of use");
    let outcome = sandbox.run(&["doctor"]);
    assert!(outcome.stdout.contains("PASS  inputs.clubs.csv: 1 table, 2 of 2 columns understood"), "{outcome}");
    assert!(outcome.stdout.contains("WARN  inputs.broken.xlsx: "), "{outcome}");
    assert_eq!(outcome.code, 0, "{outcome}");
}

#[test]
fn fixes_of_the_configuration_are_written_to_its_file() {
    let sandbox = Sandbox::new();
    sandbox.write("data/clubs.csv", "Name,Phone\nTern Club,0161 496 0100\nGannet Club,0161 496 0101\n");
    sandbox.write("hotpass.toml", "# ours\n[governance]\ndata_owner = \" \" # to be decided\n");
    let outcome = sandbox.run(&["doctor", "--fix"]);
    assert!(outcome.stdout.contains("FIXED configuration.governance.data_owner"), "{outcome}");
    let text = std::fs::read_to_string(sandbox.path("hotpass.toml")).expect("the file");
    assert!(text.starts_with("# ours\n[governance]\ndata_owner = \"Data Governance\" # to be decided\n"), "{text}");
}
