//! `hotpass privacy` and the compliance stage from outside.

use std::fmt::Write as _;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::sandbox::Sandbox;

/// Shows a file as text, whatever holds it: archives and workbooks are unpacked, tables are read.
fn shown(name: &str, bytes: Vec<u8>, found: &mut Vec<(String, String)>) {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_owned();
    match ending.as_str() {
        "zip" | "xlsx" => {
            let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
            for index in 0..archive.len() {
                let mut entry = archive.by_index(index).unwrap();
                let member = format!("{name}/{}", entry.name().unwrap());
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).unwrap();
                drop(entry);
                shown(&member, bytes, found);
            }
        }
        "parquet" => {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes).unwrap();
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
            found.push((format!("{name} (metadata)"), format!("{:?}", reader.metadata().file_metadata())));
            for batch in reader.with_batch_size(8).build().unwrap() {
                found.push((name.to_owned(), format!("{:?}", batch.unwrap().columns())));
            }
        }
        _ => found.push((name.to_owned(), String::from_utf8_lossy(&bytes).into_owned())),
    }
}

/// Shows every file of a folder but its inputs.
fn everything(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() && entry.file_name() != "data" {
                folders.push(path);
            } else if path.is_file() {
                shown(&path.to_string_lossy(), std::fs::read(&path).unwrap(), &mut found);
            }
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Writings of one person, as they stand in the files of [`person_everywhere`]: none may be left.
const WRITINGS: [&str; 7] = ["Fictum", "FICTUM", "x.fictum", "X.Fictum", "825550142", "555 0142", "8001015009087"];

/// Runs over the files of a person who is in every kind of place.
fn person_everywhere() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(
        "data/works.csv",
        "organization_name,Contact Person,email,phone,city,notes,ID Number\n\
         Acacia Works,Xolile van Fictum,x.fictum@acacia.example,+27825550142,Sandton,\"Ask Xolile van Fictum, 082 555 0142\",8001015009087\n\
         Acacia Works,Xolile van Fictum,X.Fictum@acacia.example,082 555 0142,York,van Fictum; Xolile,8001015009087\n\
         ,Xolile van Fictum,x.fictum@acacia.example,(082) 555-0142,Sandton,no organisation,800101 5009 087\n\
         Baobab Hall,Unseen Invented,u@baobab.example,+27825550143,York,ask u@baobab.example,8001015009186\n",
    );
    sandbox.write(
        "data/people/people.csv",
        "unique_id,organization_name,first_name,surname,mail,cell\n\
         1,Acacia Works,Xolile,VAN FICTUM,x.fictum@acacia.example,0825550142\n\
         2,Acacia Works,Xolile,van Fictum,,\n\
         3,Baobab Hall,Unseen,Invented,u@baobab.example,0825550143\n",
    );
    let done = |arguments: &[&str]| {
        let outcome = sandbox.run(arguments);
        assert!(matches!(outcome.code, 0 | 3), "{arguments:?} {outcome}");
    };
    for ending in ["csv", "xlsx", "json", "ndjson", "parquet"] {
        let (output, report) = (format!("out.{ending}"), format!("report-{ending}.md"));
        let keys = "resolve.write_linkage_keys=true";
        let mut arguments = vec!["refine", "data/works.csv", "-o", &output, "--report-path", &report, "--set", keys];
        arguments.extend(["--party-store-path", "party.json", "--archive"]);
        done(&arguments);
    }
    let decision = "Xolile van Fictum said so, x.fictum@acacia.example";
    let _ = sandbox.run(&["quarantine", "release", "--row", "works.csv!4", "--decision", decision]);
    sandbox.write("dist/decisions/quarantine.ndjson.old", format!("{{\"decision\":\"{decision}\"}}\n"));
    for ending in ["csv", "xlsx", "json", "parquet", "arrow"] {
        let output = format!("resolved.{ending}");
        let input = "data/people/people.csv";
        done(&["resolve", "--input-file", input, "-o", &output, "--no-probabilistic"]);
    }
    sandbox
}

fn erase(sandbox: &Sandbox) -> serde_json::Value {
    let arguments =
        ["privacy", "erase", "--email", "x.fictum@acacia.example", "--decision", "D-9", "--yes", "--format", "json"];
    let outcome = sandbox.run(&arguments);
    assert_eq!(outcome.code, 0, "{outcome}");
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn assert_gone(sandbox: &Sandbox) {
    for (name, text) in everything(&sandbox.path("")) {
        for writing in WRITINGS {
            if let Some(at) = text.find(writing) {
                panic!("`{writing}` in {name}, after {:?}", text.get(at.saturating_sub(80)..at));
            }
        }
    }
    let mut verified = 0;
    for entry in std::fs::read_dir(sandbox.path("dist/runs")).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        let outcome = sandbox.run(&["verify", &entry.file_name().to_string_lossy()]);
        assert_eq!(outcome.code, 0, "{outcome}");
        verified += 1;
    }
    for entry in std::fs::read_dir(sandbox.path("dist")).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("refined-data-") {
            let outcome = sandbox.run(&["verify", &format!("dist/{name}")]);
            assert_eq!(outcome.code, 0, "{outcome}");
        }
    }
    assert!(verified >= 10, "{verified} runs");
}

#[test]
fn no_byte_of_an_erased_person_is_left_in_any_file() {
    let sandbox = person_everywhere();
    let held = everything(&sandbox.path(""));
    let holding = held.iter().filter(|(_, text)| WRITINGS.iter().any(|writing| text.contains(writing))).count();
    assert!(holding >= 40, "the person is in {holding} places before");
    let ask = |flags: &[&str]| {
        let arguments: Vec<&str> = ["privacy", "subject", "--format", "json"].iter().chain(flags).copied().collect();
        let outcome = sandbox.run(&arguments);
        assert_eq!(outcome.code, 0, "{outcome}");
        serde_json::from_str::<serde_json::Value>(&outcome.stdout).unwrap()
    };
    for query in
        ["X.FICTUM@acacia.example", "0027 82 555 0142", "van Fictum, Xolile", "Xolile van Fictum", "800101 5009 087"]
    {
        let held = ask(&["--query", query]);
        let runs = held["runs"].as_array().unwrap();
        let resolved = runs.iter().filter(|run| run.to_string().contains("resolved.")).count();
        // Five runs of each verb; the number is in the files of refine alone.
        assert!(runs.len() >= 5 && (resolved == 5 || query.starts_with('8')), "{query}: {resolved} in {held:#}");
    }
    let related = ask(&["--query", "x.fictum@acacia.example"])["related"].to_string();
    assert!(related.contains("800101 5009 087") && related.contains("+27825550142"), "{related}");

    let erased = erase(&sandbox);
    assert!(erased["files"].as_array().unwrap().len() >= 40, "{erased:#}");
    assert_gone(&sandbox);
    let all = everything(&sandbox.path(""));
    assert!(all.iter().any(|(name, text)| name.contains("out.xlsx") && text.contains("u@baobab.example")));
    assert!(
        all.iter().filter(|(name, text)| name.contains("resolved.") && text.contains("u@baobab.example")).count() >= 5
    );

    // Again: nothing is found, nothing is written.
    let before = std::fs::read_to_string(sandbox.path("dist/ledger.ndjson")).unwrap();
    assert!(erase(&sandbox)["files"].as_array().unwrap().is_empty());
    assert_eq!(std::fs::read_to_string(sandbox.path("dist/ledger.ndjson")).unwrap(), before);

    // No later run of either verb brings the person back.
    for arguments in [
        &["refine", "data/works.csv", "-o", "again.csv"][..],
        &["resolve", "--input-file", "data/people/people.csv", "-o", "again.parquet", "--no-probabilistic"],
    ] {
        let outcome = sandbox.run(arguments);
        assert!(matches!(outcome.code, 0 | 3), "{outcome}");
    }
    for (name, text) in everything(&sandbox.path(""))
        .iter()
        .filter(|(name, _)| name.contains("again.") && !name.ends_with("(metadata)"))
    {
        assert!(!WRITINGS.iter().any(|writing| text.contains(writing)), "{name}: {text}");
    }
}

#[test]
fn an_erasure_that_is_interrupted_is_completed_by_the_next() {
    let origin = person_everywhere();
    for milliseconds in [60u64, 180, 320, 520] {
        let sandbox = Sandbox::new();
        copy(&origin.path(""), &sandbox.path(""));
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("hotpass"))
            .args(["privacy", "erase", "--email", "x.fictum@acacia.example", "--decision", "D-8", "--yes"])
            .current_dir(sandbox.path(""))
            .env("SOURCE_DATE_EPOCH", "1700000000")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        let _ = child.kill();
        let interrupted = child.wait().unwrap().code().is_none();
        erase(&sandbox);
        let waiting: Vec<_> = std::fs::read_dir(sandbox.path("")).unwrap().flatten().collect();
        assert!(
            waiting.iter().all(|entry| !entry.file_name().to_string_lossy().ends_with(".erasing")),
            "{milliseconds} ms, interrupted: {interrupted}"
        );
        assert!(!sandbox.path("dist/privacy/erasure.json").exists());
        assert_gone(&sandbox);
    }
}

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
    let violations = report["privacy"]["consent"]["violations"].as_array().unwrap();
    assert_eq!(violations.len(), 1, "{report:#}");
    let violation = &violations[0];
    assert!(violation["entity_id"].as_str().unwrap().starts_with("org_"), "{violation:#}");
    assert_eq!(violation["fields"], serde_json::json!(["name", "email", "phone"]), "{violation:#}");
    assert_eq!((&violation["status"], &violation["outcome"]), (&"revoked".into(), &"withheld".into()));
    assert_eq!(violation["source"], "works.csv!G3", "{violation:#}");
    assert_eq!(violation["reason"], "Consent was refused or taken back");
    let sql = "SELECT consent_status, consent_source FROM privacy ORDER BY consent_status";
    if cfg!(feature = "query") {
        let held = sandbox.run(&["query", sql, "--format", "csv"]);
        assert!(held.stdout.contains("granted,works.csv!G2"), "{held}");
    }
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

    let held_then = std::fs::read(sandbox.path("out.xlsx")).unwrap();
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
    assert!(verified.stderr.contains("verifies: ") && !verified.stderr.contains("is as it was"), "{verified}");
    // The file of before is no longer what it should be, although its digest is the one of the manifest.
    let now = std::fs::read(sandbox.path("out.xlsx")).unwrap();
    std::fs::write(sandbox.path("out.xlsx"), held_then).unwrap();
    let restored = sandbox.run(&["verify"]);
    assert_eq!(restored.code, 3, "{restored}");
    assert!(restored.stdout.contains("back as it was before decision `D-7`"), "{restored}");
    std::fs::write(sandbox.path("out.xlsx"), now).unwrap();
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

/// States of consent, and whether they let a contact be published.
const STATES: [(&str, bool); 11] = [
    ("granted", true),
    ("approved", true),
    ("allowed", true),
    ("pending", false),
    ("unknown", false),
    ("review", false),
    ("denied", false),
    ("expired", false),
    ("withdrawn", false),
    ("revoked", false),
    ("something else", false),
];

/// Returns the names of the organisations that were published.
fn published(sandbox: &Sandbox, flags: &[&str]) -> Vec<String> {
    let mut all = vec!["--no-redact-pii", "--consent-required", "--consent-policy", "withhold"];
    all.extend(flags);
    let table = refine(sandbox, &all);
    STATES
        .iter()
        .enumerate()
        .map(|(index, _)| format!("Organisation{}", char::from(b'A' + index as u8)))
        .filter(|name| table.contains(&format!(",{name} Works,")))
        .collect()
}

fn expected() -> Vec<String> {
    let passing = STATES.iter().enumerate().filter(|(_, (_, passes))| *passes);
    passing.map(|(index, _)| format!("Organisation{}", char::from(b'A' + index as u8))).collect()
}

#[test]
fn every_state_of_consent_counts_from_a_source_and_from_a_file() {
    let mut table = "organization_name,email,consent_status\n".to_owned();
    let mut without = "organization_name,email\n".to_owned();
    let mut register = "email,consent_status,consent_date,purpose\n".to_owned();
    for (index, (state, _)) in STATES.iter().enumerate() {
        let letter = char::from(b'A' + index as u8);
        let _ = writeln!(table, "Organisation{letter} Works,p{letter}@example.org,{state}");
        let _ = writeln!(without, "Organisation{letter} Works,p{letter}@example.org");
        let _ = writeln!(register, "P{letter}@EXAMPLE.org,{},2023-01-02,", state.to_uppercase());
    }
    let sandbox = Sandbox::new();
    sandbox.write("data/works.csv", &table);
    assert_eq!(published(&sandbox, &[]), expected());
    let report = sandbox.run(&["privacy", "report", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&report.stdout).unwrap();
    let states = &report["privacy"]["consent"]["states"];
    // What nobody has heard of is for people to review.
    assert_eq!((&states["granted"], &states["review"], &states["revoked"]), (&1.into(), &2.into(), &1.into()));

    let sandbox = Sandbox::new();
    sandbox.write("data/works.csv", &without);
    sandbox.write("consent.csv", &register);
    assert_eq!(published(&sandbox, &["--consent-file", "consent.csv"]), expected());
    // Without the file nobody has said anything.
    assert!(published(&sandbox, &[]).is_empty());
    // A consent for another purpose is none; a later revocation overrules.
    sandbox.write(
        "consent.csv",
        "email,consent_status,consent_date,purpose\npA@example.org,granted,2023-01-02,survey\n\
         pB@example.org,granted,2023-01-02,\npB@example.org,revoked,2023-01-03,\npC@example.org,granted,2023-01-02,newsletter\n",
    );
    let purpose = r#"compliance.purposes=["newsletter"]"#;
    assert_eq!(published(&sandbox, &["--consent-file", "consent.csv", "--set", purpose]), ["OrganisationC"]);
    for broken in ["email,consent_status,consent_date\npA@example.org,granted,soon\n", "name\nx\n", "\"email"] {
        sandbox.write("consent.csv", broken);
        let _ = std::fs::remove_file(sandbox.path("out.csv"));
        let flags = ["refine", "data", "-o", "out.csv", "--consent-required", "--consent-file", "consent.csv"];
        let outcome = sandbox.run(&flags);
        assert_eq!(outcome.code, 2, "{outcome}");
        assert!(!sandbox.path("out.csv").exists() && !outcome.stderr.contains("pA@"), "{outcome}");
    }
}
