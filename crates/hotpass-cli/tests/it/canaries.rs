//! Nothing personal leaves a run through a channel that is not meant for it.
//!
//! Every personal field of the data holds a value that occurs nowhere else. The whole pipeline runs on it, with rows that go to
//! quarantine, expectations that fail, errors and the privacy verbs; then every byte that left is looked through.

use std::path::{Path, PathBuf};

use crate::sandbox::Sandbox;

/// Values of personal fields; parts of them, so that a value that was changed on its way is found too.
const CANARIES: [&str; 9] = [
    "Quorvinia",
    "Zelphiandra",
    "quorvinia.z@canary-mail.example",
    "canary-mail",
    "277955512",
    "79 555 1237",
    "Voelskrikweg",
    "8001015009087",
    "Wenzeslaus-Tjaard",
];

const HEADER: &str =
    "organization_name,Contact Person,E-mail,Telephone,Address,ID Number,notes,consent_status,last_interaction_date\n";
const ROWS: &str = "\
Acacia Works,Quorvinia Zelphiandra,quorvinia.z@canary-mail.example,+27 79 555 1237,\"77 Voelskrikweg, Sandton\",8001015009087,Ask Wenzeslaus-Tjaard or 079 555 1237,granted,2023-01-02\n\
Acacia Works,Quorvinia Zelphiandra,quorvinia.z@canary-mail,+27 79 555 12,\"78 Voelskrikweg, Sandton\",8001015009087,quorvinia.z@canary-mail.example,revoked,2023-02-02\n\
,Quorvinia Zelphiandra,quorvinia.z@canary-mail.example,079 555 1237,77 Voelskrikweg,8001015009087,no name here,pending,soon\n\
Baobab Hall,=HYPERLINK(\"Quorvinia\"),\"quorvinia.z@canary-mail.example; Zelphiandra\",277955512379999,Voelskrikweg\u{0},8001015009087,\"<script>Quorvinia</script>\",denied,31/02/2023\n";

/// Files of a run and of the folder of runs that hold no values, whatever the run was asked to do. A channel more is a line more.
const FILES: [&str; 12] = [
    "manifest.json",
    "ledger.ndjson",
    "attestation.json",
    "lineage.ndjson",
    "diagnostics.json",
    "report.json",
    "report.html",
    "privacy.json",
    "profile.json",
    "telemetry.ndjson",
    "suppression.ndjson",
    "spool",
];

/// Fails when a channel holds a canary; names the channel and what it is, in the shape of the value's place.
fn check(channel: &str, text: &str) {
    let lower = text.to_lowercase();
    for (number, canary) in CANARIES.iter().enumerate() {
        if let Some(place) = lower.find(&canary.to_lowercase()) {
            let from = place.saturating_sub(60);
            panic!("canary {number} in {channel}, after `{}`", lower.get(from..place).unwrap_or_default());
        }
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Looks through every file that must hold no value; returns how many there were.
fn check_files(sandbox: &Sandbox) -> usize {
    let mut all = Vec::new();
    files(&sandbox.path("dist"), &mut all);
    let mut seen = 0;
    for path in all {
        let name = path.to_string_lossy().into_owned();
        if FILES.iter().any(|file| name.ends_with(file) || name.contains("/spool/")) {
            check(&name, &String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
            seen += 1;
        }
    }
    seen
}

/// Runs the program, looks through what it wrote to the terminal, and returns its exit code.
fn run(sandbox: &Sandbox, arguments: &[&str]) -> i32 {
    let outcome = sandbox.run(arguments);
    check(&format!("standard output of {arguments:?}"), &outcome.stdout);
    check(&format!("standard error of {arguments:?}"), &outcome.stderr);
    outcome.code
}

fn workspace() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("data/contacts.csv", format!("{HEADER}{ROWS}"));
    sandbox
}

#[test]
fn no_value_leaves_through_terminal_evidence_or_reports() {
    let sandbox = workspace();
    let expectation = r#"profile.expectations=[{"type":"in_set","column":"contact_primary_email","values":["x"]}]"#;
    for arguments in [
        &["refine", "data"][..],
        &["--log-format", "json", "refine", "data", "--set", expectation, "--qa-mode", "strict", "--archive"],
        &["refine", "data", "--detect-pii", "--no-redact-pii", "--consent-required", "--consent-policy", "report"],
        &["refine", "data", "--detect-pii", "--consent-required", "--consent-policy", "withhold", "--archive"],
    ] {
        assert!(matches!(run(&sandbox, arguments), 0 | 3), "{arguments:?}");
    }
    assert!(check_files(&sandbox) >= 12, "the run folders hold their evidence");
    // Errors of every kind.
    for arguments in [
        &["refine", "data", "--pii-operator", "email=tokenise"][..],
        &["refine", "data", "--pii-operator", "email=tokenise", "--pii-key", "env:NONE"],
        &["refine", "data", "--consent-file", "data/contacts.csv"],
        &["refine", "data", "--set", "ingest.memory_limit_bytes=1"],
        &["refine", "data/contacts.csv", "--mapping", "data/contacts.csv"],
        &["privacy", "erase", "--query", "?", "--decision", "D-0"],
    ] {
        assert!(!matches!(run(&sandbox, arguments), 0 | 3), "{arguments:?}");
    }
    // The latest run shall be one that has a report.
    assert_eq!(run(&sandbox, &["refine", "data"]), 0);
    for arguments in [
        &["inspect", "data/contacts.csv"][..],
        &["verify"],
        &["report", "--format", "markdown"],
        &["privacy", "detect", "data/contacts.csv"],
        &["privacy", "detect", "data/contacts.csv", "--format", "json"],
        &["privacy", "report", "--quasi-identifier", "area"],
        &["privacy", "sweep"],
        &["privacy", "subject", "--email", CANARIES[2], "--output", "held.json", "--format", "json"],
        &["privacy", "erase", "--email", CANARIES[2], "--decision", "D-1"],
        &["privacy", "erase", "--email", CANARIES[2], "--decision", "D-1", "--yes", "--format", "json"],
        &["verify"],
    ] {
        let code = run(&sandbox, arguments);
        assert!(matches!(code, 0 | 3), "{arguments:?} ended with {code}");
    }
    check_files(&sandbox);
    assert!(std::fs::read_to_string(sandbox.path("held.json")).unwrap().contains(CANARIES[2]));
}

#[test]
fn redacted_values_are_in_no_file_of_the_run() {
    let sandbox = workspace();
    let arguments = [
        "refine",
        "data",
        "--redact-pii",
        "--pii-operator",
        "address_primary=redact",
        "--pii-operator",
        "email=tokenise",
        "--pii-operator",
        "phone=hash",
        "--pii-key",
        "file:key",
        "--archive",
        "--report-path",
        "report.md",
        "--party-store-path",
        "party.json",
        "-o",
        "out.csv",
        "--set",
        "resolve.write_linkage_keys=true",
    ];
    assert_eq!(run(&sandbox, &["privacy", "key", "--output", "key"]), 0);
    let secret = std::fs::read_to_string(sandbox.path("key")).unwrap();
    assert!(matches!(run(&sandbox, &arguments), 0 | 3));
    // Parquet and archives are compressed, so that their values are read with the program that knows them.
    let mut all = Vec::new();
    files(&sandbox.path("dist"), &mut all);
    all.extend(["out.csv", "report.md", "party.json"].map(|name| sandbox.path(name)));
    let mut tables = 0;
    for path in all {
        let name = path.to_string_lossy().into_owned();
        if name.ends_with(".parquet") {
            tables += 1;
        } else if !name.ends_with(".zip") {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            check(&name, &text);
            assert!(!text.contains(secret.trim()), "the key is in {name}");
        }
    }
    assert!(tables >= 7, "{tables} tables");
    let held = sandbox.run(&[
        "privacy",
        "subject",
        "--email",
        CANARIES[2],
        "--phone",
        "+27795551237",
        "--name",
        "Quorvinia Zelphiandra",
        "--format",
        "json",
    ]);
    let held: serde_json::Value = serde_json::from_str(&held.stdout).unwrap();
    assert!(held["runs"].as_array().unwrap().is_empty(), "{held:#}");
    assert!(held["archives"].as_array().unwrap().is_empty(), "{held:#}");
    assert_eq!(held["inputs"].as_array().unwrap().len(), 1, "{held:#}");
    // Who holds the key gets the values back.
    let published = std::fs::read_to_string(sandbox.path("out.csv")).unwrap();
    let token = published.split([',', ';', '"']).find(|cell| cell.starts_with("hpt1.email.")).unwrap();
    assert!(sandbox.run(&["privacy", "detokenise", "--key", "file:key", token]).stdout.contains("canary-mail"));
}
