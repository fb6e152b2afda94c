//! `hotpass privacy` and the compliance stage from outside.

use crate::sandbox::Sandbox;

fn workspace() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(
        "data/works.csv",
        "organization_name,Contact Person,email,phone,city,notes,consent_status,consent_date\n\
         Acacia Works,Xolile Fictum,x.fictum@acacia.example,+27825550142,Sandton,Ask Xolile Fictum on 082 555 0142,granted,2023-01-01\n\
         Baobab Hall,Unseen Invented,u@baobab.example,+27825550143,York,call u@baobab.example,revoked,2023-01-01\n\
         Cedar Trust,,,,Leeds,nothing here,,\n",
    );
    sandbox
}

fn refine(sandbox: &Sandbox, flags: &[&str]) -> String {
    let arguments: Vec<&str> = ["refine", "data", "-o", "out.csv"].iter().chain(flags).copied().collect();
    let outcome = sandbox.run(&arguments);
    assert!(matches!(outcome.code, 0 | 3), "{outcome}");
    std::fs::read_to_string(sandbox.path("out.csv")).unwrap()
}

#[test]
fn what_cannot_be_redacted_is_not_published() {
    let sandbox = workspace();
    for (flags, expected) in [
        (&["--pii-operator", "email=tokenise"][..], "needs a key"),
        (&["--pii-operator", "email=hash", "--pii-key", "file:nowhere"], "nowhere"),
        (&["--pii-operator", "emial=redact"], "did you mean `email`"),
        (&["--pii-operator", "email=shred"], "Unknown operator `shred`"),
        (&["--consent-required", "--consent-file", "nowhere.csv"], "nowhere.csv"),
    ] {
        let arguments: Vec<&str> = ["refine", "data", "-o", "out.csv"].iter().chain(flags).copied().collect();
        let outcome = sandbox.run(&arguments);
        assert_eq!(outcome.code, 2, "{outcome}");
        assert!(outcome.stderr.contains(expected), "{outcome}");
        assert!(!sandbox.path("dist").exists() && !sandbox.path("out.csv").exists(), "{outcome}");
    }
    // A list of erased people that cannot be obeyed stops a run too.
    sandbox.write("dist/privacy/suppression.ndjson", "not a list\n");
    let outcome = sandbox.run(&["refine", "data", "-o", "out.csv"]);
    assert_eq!(outcome.code, 2, "{outcome}");
    assert!(!sandbox.path("out.csv").exists() && !sandbox.path("dist/runs").exists(), "{outcome}");
}

#[test]
fn consent_withholds_redacts_or_reports() {
    let sandbox = workspace();
    let reported = refine(&sandbox, &["--no-redact-pii", "--consent-required", "--consent-policy", "report"]);
    assert!(reported.contains("u@baobab.example"), "{reported}");
    let redacted = refine(&sandbox, &["--no-redact-pii", "--consent-required", "--consent-policy", "redact"]);
    assert!(redacted.contains("x.fictum@acacia.example") && redacted.contains("Baobab Hall"), "{redacted}");
    assert!(!redacted.contains("u@baobab.example") && !redacted.contains("Unseen"), "{redacted}");
    let withheld = refine(&sandbox, &["--no-redact-pii", "--consent-required", "--consent-policy", "withhold"]);
    assert!(withheld.contains("Acacia Works") && withheld.contains("Cedar Trust"), "{withheld}");
    assert!(!withheld.contains("Baobab"), "{withheld}");
    let verified = sandbox.run(&["verify"]);
    assert_eq!(verified.code, 0, "{verified}");
    let report = sandbox.run(&["privacy", "report", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["privacy"]["consent"]["withheld"], 1, "{report:#}");
    assert_eq!(report["privacy"]["consent"]["states"]["revoked"], 1, "{report:#}");
}

#[test]
fn an_erased_person_is_gone_verified_and_does_not_come_back() {
    let sandbox = workspace();
    refine(&sandbox, &["--archive"]);
    let output = sandbox.run(&["refine", "data", "-o", "out.xlsx"]);
    assert!(matches!(output.code, 0 | 3), "{output}");
    let who = ["--email", "x.fictum@acacia.example"];
    let ask = |verb: &[&str]| {
        let arguments: Vec<&str> =
            ["privacy"].iter().chain(verb).chain(&who).chain(&["--format", "json"]).copied().collect();
        let outcome = sandbox.run(&arguments);
        assert_eq!(outcome.code, 0, "{outcome}");
        serde_json::from_str::<serde_json::Value>(&outcome.stdout).unwrap()
    };
    let held = ask(&["subject"]);
    assert!(held["runs"].as_array().is_some_and(|runs| !runs.is_empty()), "{held:#}");
    let sources = held.to_string();
    assert!(sources.contains("works.csv!C2"), "{held:#}");
    assert!(sources.contains("+27825550142"), "the contact's number is known to be theirs: {held:#}");

    let planned = ask(&["erase", "--decision", "D-7"]);
    assert_eq!(planned["done"], false);
    assert_eq!(sandbox.run(&["verify"]).code, 0, "a plan changes nothing");
    assert!(std::fs::read_to_string(sandbox.path("out.csv")).unwrap().contains("x.fictum@acacia.example"));

    let erased = ask(&["erase", "--decision", "D-7", "--yes"]);
    assert!(erased["files"].as_array().is_some_and(|files| files.len() >= 6), "{erased:#}");
    let held = ask(&["subject"]);
    assert!(held["runs"].as_array().unwrap().is_empty(), "{held:#}");
    assert!(held["archives"].as_array().unwrap().is_empty(), "{held:#}");
    let published = std::fs::read_to_string(sandbox.path("out.csv")).unwrap();
    assert!(published.contains("u@baobab.example") && !published.contains("Fictum"), "{published}");

    let verified = sandbox.run(&["verify"]);
    assert_eq!(verified.code, 0, "{verified}");
    assert!(verified.stdout.contains("Erased by decision `D-7`"), "{verified}");
    // A change that is no erasure is still found.
    let manifest = sandbox.path("dist/runs/latest");
    let run = std::fs::read_to_string(manifest).unwrap().trim().to_owned();
    let path = format!("dist/runs/{run}/diagnostics.json");
    sandbox.write(&path, "[]\n ");
    assert_eq!(sandbox.run(&["verify"]).code, 3);

    // The source still holds the person; the next run does not.
    let published = refine(&sandbox, &[]);
    assert!(published.contains("Acacia Works") && published.contains("u@baobab.example"), "{published}");
    for gone in ["Fictum", "x.fictum", "25550142", "555 0142"] {
        assert!(!published.contains(gone), "`{gone}` came back:\n{published}");
    }
    assert!(!std::fs::read_to_string(sandbox.path("dist/privacy/suppression.ndjson")).unwrap().contains("fictum"));
}

#[test]
fn runs_past_their_date_are_swept() {
    let sandbox = workspace();
    refine(&sandbox, &["--detect-pii", "--set", "compliance.retention_days=1", "--archive"]);
    let plan = sandbox.run(&["privacy", "sweep"]);
    assert!(plan.code == 0 && plan.stdout.contains("No run is past"), "{plan}");
    let later = |flags: &[&str]| sandbox.run_at(1_700_000_000 + 10 * 86_400, flags);
    let plan = later(&["privacy", "sweep"]);
    assert!(plan.stdout.contains("would remove") && sandbox.path("out.csv").exists(), "{plan}");
    let done = later(&["privacy", "sweep", "--yes"]);
    assert_eq!(done.code, 0, "{done}");
    assert!(!sandbox.path("out.csv").exists(), "{done}");
    let runs: Vec<_> = std::fs::read_dir(sandbox.path("dist/runs")).unwrap().flatten().collect();
    assert!(runs.iter().all(|entry| !entry.path().is_dir()), "{done}");
    let ledger = std::fs::read_to_string(sandbox.path("dist/ledger.ndjson")).unwrap();
    assert!(ledger.contains("privacy.swept"), "{ledger}");
}

#[test]
fn rows_that_stand_alone_are_counted() {
    let sandbox = Sandbox::new();
    sandbox.write("t.csv", "town,year,status\nYork,1980,a\nYork,1980,b\nLeeds,1981,a\n");
    let outcome = sandbox.run(&[
        "privacy",
        "report",
        "t.csv",
        "--quasi-identifier",
        "town",
        "--quasi-identifier",
        "year",
        "--sensitive",
        "status",
        "--format",
        "json",
    ]);
    let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let anonymity = &report["anonymity"];
    assert_eq!(
        (&anonymity["k"], &anonymity["unique_rows"], &anonymity["l_diversity"]["status"]),
        (&1.into(), &1.into(), &1.into())
    );
    let wrong = sandbox.run(&["privacy", "report", "t.csv", "--quasi-identifier", "twon"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("`town`"), "{wrong}");
}
