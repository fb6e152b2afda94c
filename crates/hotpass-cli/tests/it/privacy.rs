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
    // The decision alone is recorded.
    let after = std::fs::read_to_string(sandbox.path("dist/ledger.ndjson")).unwrap();
    let added = after.strip_prefix(&before).unwrap();
    assert_eq!((added.lines().count(), added.contains("\"files\":[]")), (1, true), "{added}");

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
        (&["--pii-operator", "email=shred"], "Unknown operator: `shred`"),
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

/// Returns what the expectations of the latest run have found: name, column, values judged, values that fail.
fn expectations(sandbox: &Sandbox) -> Vec<(String, String, u64, u64)> {
    let latest = std::fs::read_to_string(sandbox.path("dist/runs/latest")).map(|id| id.trim().to_owned());
    let folder = format!("dist/runs/{}", latest.unwrap_or_else(|_| "latest".to_owned()));
    let report = std::fs::read(sandbox.path(&format!("{folder}/report.json"))).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    let all = report["expectations"].as_array().unwrap();
    assert!(all.len() > 5, "{report:#}");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let count = |value: &serde_json::Value| value.as_u64().unwrap_or_default();
    all.iter()
        .map(|one| (text(&one["name"]), text(&one["column"]), count(&one["checked"]), count(&one["unexpected"])))
        .collect()
}

#[test]
fn expectations_judge_the_values_and_not_what_hides_them() {
    let sandbox = workspace();
    refine(&sandbox, &[]);
    let open = expectations(&sandbox);
    assert!(open.iter().any(|one| one.1 == "contact_primary_email" && one.2 > 0), "{open:?}");
    for flags in [
        &["--redact-pii"][..],
        &["--pii-operator", "email=mask", "--pii-operator", "phone=generalise"],
        &["--no-redact-pii", "--consent-required", "--consent-policy", "redact"],
    ] {
        let published = refine(&sandbox, flags);
        assert!(!published.contains("u@baobab.example"), "{flags:?}: {published}");
        assert_eq!(expectations(&sandbox), open, "{flags:?}");
    }
    let strict = |flags: &[&str]| {
        let arguments = [&["refine", "data", "-o", "out.csv", "--qa-mode", "strict"][..], flags].concat();
        sandbox.run(&arguments).code
    };
    assert_eq!(strict(&["--redact-pii"]), strict(&[]));
    // Results of checks hold no value of a person, redacted or not.
    let shown = r#"quality.shown_columns=["contact_primary_email"]"#;
    for flags in [&["--redact-pii"][..], &[]] {
        let arguments = [&["refine", "data", "-o", "out.csv", "--set", shown][..], flags].concat();
        let outcome = sandbox.run(&arguments);
        assert!(outcome.code == 2 && outcome.stderr.contains("are personal: `contact_primary_email`"), "{outcome}");
    }
}

#[test]
fn the_contacts_of_an_entity_are_taken_out_of_its_notes() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "data/works.csv",
        "organization_name,Contact Person,email,notes\n\
         Acacia Works,Quorvin Nulova,q@acacia.example,Quorvin likes tea\n\
         Baobab Hall,Ystrid Fictum,y@baobab.example,Quorvin is a street here\n",
    );
    let published = refine(&sandbox, &["--pii-operator", "notes=redact_spans"]);
    assert!(published.contains("[person_name] likes tea"), "{published}");
    assert!(published.contains("Quorvin is a street here"), "{published}");
    for (name, text) in everything(&sandbox.path("dist/runs")) {
        assert!(!text.contains("Quorvin likes"), "{name}");
    }
}

#[test]
fn settings_in_a_file_or_variable_switch_the_stage_on() {
    let sandbox = workspace();
    sandbox.write("hotpass.toml", "[compliance.pii_redaction]\nenabled = true\n");
    assert!(!refine(&sandbox, &[]).contains("u@baobab.example"));
    sandbox.write("hotpass.toml", "[compliance]\nconsent_required = true\nconsent_policy = \"withhold\"\n");
    assert!(!refine(&sandbox, &[]).contains("Baobab"));
    sandbox.write("hotpass.toml", "[compliance.pii_redaction]\noperators = {email = \"redact\"}\n");
    let published = refine(&sandbox, &[]);
    assert!(!published.contains("u@baobab.example"), "{published}");
    let shown = sandbox.run(&["config", "show", "--origins"]);
    assert!(shown.stdout.contains("follows from compliance.pii_redaction.operators"), "{shown}");
    sandbox.write("hotpass.toml", "[compliance.pii_redaction]\nenabled = false\noperators = {email = \"bogus\"}\n");
    let checked = sandbox.run(&["config", "check", "hotpass.toml"]);
    assert!(checked.code != 0 && checked.to_string().contains("Unknown operator: `bogus`"), "{checked}");
    sandbox.write("hotpass.toml", "[features]\ncompliance = false\n[compliance]\ndetect_pii = true\n");
    let refused = sandbox.run(&["refine", "data", "-o", "refused.csv"]);
    assert_eq!(refused.code, 2, "{refused}");
    assert!(refused.stderr.contains("compliance.detect_pii"), "{refused}");
    assert!(!sandbox.path("refused.csv").exists());
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
fn an_erasure_that_ended_between_two_ledgers_leaves_no_false_alarm() {
    let sandbox = workspace();
    refine(&sandbox, &[]);
    let path = sandbox.path("dist/ledger.ndjson");
    let before = std::fs::read_to_string(&path).unwrap();
    let erase = || {
        let outcome =
            sandbox.run(&["privacy", "erase", "--email", "x.fictum@acacia.example", "--decision", "D-7", "--yes"]);
        assert_eq!(outcome.code, 0, "{outcome}");
    };
    erase();
    // The run's ledger has the entry, and that of the workspace lacks it.
    let after = std::fs::read_to_string(&path).unwrap();
    let decided = after.strip_prefix(&before).unwrap().lines().next().unwrap();
    std::fs::write(&path, format!("{before}{decided}\n")).unwrap();
    let torn = sandbox.run(&["verify"]);
    assert!(torn.code == 3 && torn.stdout.contains("It lacks entries"), "{torn}");
    erase();
    assert_eq!(sandbox.run(&["verify"]).code, 0, "{}", sandbox.run(&["verify"]));
    assert_eq!(sandbox.run(&["verify", "--workspace"]).code, 0);
}

#[test]
fn a_list_of_erased_people_that_shrank_stops_the_next_run() {
    let sandbox = workspace();
    refine(&sandbox, &[]);
    let erase = |who: &str, decision: &str| {
        let outcome = sandbox.run(&["privacy", "erase", "--email", who, "--decision", decision, "--yes"]);
        assert_eq!(outcome.code, 0, "{outcome}");
    };
    erase("x.fictum@acacia.example", "D-7");
    // Nobody is held by that address; the decision is recorded all the same.
    erase("nobody@egret.example", "D-8");
    let ledger = std::fs::read_to_string(sandbox.path("dist/ledger.ndjson")).unwrap();
    assert!(ledger.lines().last().unwrap().contains("\"decision\":\"D-8\""), "{ledger}");
    let path = sandbox.path("dist/privacy/suppression.ndjson");
    let list = std::fs::read_to_string(&path).unwrap();
    let short: String = list.split_inclusive('\n').take(2).collect();
    for (text, words) in [(None, "is missing"), (Some(short.as_str()), "holds 1 of the people"), (Some(""), "holds 0")]
    {
        match text {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        for arguments in [
            &["refine", "data", "-o", "again.csv"][..],
            &["resolve", "--input-file", "data/works.csv", "-o", "again.csv", "--no-probabilistic"],
            &["privacy", "erase", "--email", "o@egret.example", "--decision", "D-9", "--yes"],
        ] {
            let outcome = sandbox.run(arguments);
            assert!(outcome.code == 2 && outcome.stderr.contains(words), "{arguments:?} {outcome}");
            assert!(outcome.stderr.contains("backup") && !sandbox.path("again.csv").exists(), "{outcome}");
        }
        let verified = sandbox.run(&["verify", "--workspace"]);
        assert!(verified.code == 3 && verified.stdout.contains(words), "{verified}");
    }
    std::fs::write(&path, &list).unwrap();
    assert_eq!(sandbox.run(&["verify", "--workspace"]).code, 0);

    let readmit = |flags: &[&str]| {
        let arguments = ["privacy", "readmit", "--erased-by", "D-7", "--decision", "D-10"];
        let arguments: Vec<&str> = arguments.iter().chain(flags).copied().collect();
        sandbox.run(&arguments)
    };
    assert!(readmit(&[]).stdout.contains("1 would be off the list"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), list);
    assert_eq!(readmit(&["--yes"]).code, 0);
    assert_eq!(readmit(&["--yes"]).code, 2, "nobody is left");
    assert!(refine(&sandbox, &[]).contains("x.fictum@acacia.example"));
    assert_eq!(sandbox.run(&["verify", "--workspace"]).code, 0);
}

#[test]
fn what_stands_in_a_persons_row_goes_with_the_person() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "people.csv",
        "unique_id,first_name,surname,mail,dob,phone,id_number,notes\n\
         1,Zodwa,Canaryperson,zodwa@kestrel.example,1980-05-17,+27825550142,8005175009087,x\n\
         2,Zodwa,Canarypersn,zodwa@kestrel.example,1980-05-17,+27825550142,8005175009087,y\n\
         3,Unseen,Invented,u@egret.example,1981-06-18,+27825550143,8106185009086,ask zodwa@kestrel.example\n",
    );
    let resolve = |output: &str| {
        let arguments = ["resolve", "--input-file", "people.csv", "-o", output, "--no-probabilistic"];
        let outcome = sandbox.run(&arguments);
        assert!(matches!(outcome.code, 0 | 3), "{outcome}");
    };
    let outputs = ["one.csv", "one.xlsx", "one.json", "one.parquet"];
    outputs.iter().for_each(|output| resolve(output));
    let plan = sandbox.run(&["privacy", "erase", "--email", "zodwa@kestrel.example", "--decision", "D-1"]);
    let columns = "of the person's rows goes what stands in: dob, first_name, id_number, mail, phone, surname";
    assert!(plan.code == 0 && plan.stdout.contains(columns), "{plan}");
    let done = sandbox.run(&["privacy", "erase", "--email", "zodwa@kestrel.example", "--decision", "D-1", "--yes"]);
    assert_eq!(done.code, 0, "{done}");
    resolve("again.csv");
    let mut seen = 0;
    for (name, text) in everything(&sandbox.path("")) {
        let is_output = outputs.iter().chain(&["again.csv"]).any(|output| name.contains(output));
        for gone in ["Zodwa", "Canaryp", "zodwa@", "1980-05-17", "825550142", "8005175009087"] {
            assert!(!is_output || !text.contains(gone), "`{gone}` in {name}: {text}");
        }
        seen += usize::from(is_output && text.contains("1981-06-18") && text.contains("u@egret.example"));
    }
    assert!(seen >= 4, "others stay in {seen}");
    for run in std::fs::read_dir(sandbox.path("dist/runs")).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        let verified = sandbox.run(&["verify", &run.file_name().to_string_lossy()]);
        assert_eq!(verified.code, 0, "{verified}");
    }
}

#[test]
fn a_namesake_stays_and_a_name_of_nobody_else_goes_from_every_text() {
    let rows = [
        "Kestrel Air,Zodwa Canaryperson,zodwa.canary@kestrel.example,+27825550142,\"call Zodwa Canaryperson, zodwa.canary@kestrel.example\"",
        "Baobab Hall,Unseen Invented,u@baobab.example,+27825550143,asked Zodwa Canaryperson about rates",
    ];
    let namesake = "Egret Works,Zodwa Canaryperson,zc@egret.example,+27825550199,a namesake";
    let erased = |rows: &[&str]| {
        let sandbox = Sandbox::new();
        let text = format!("organization_name,Contact Person,email,phone,notes\n{}\n", rows.join("\n"));
        sandbox.write("data/works.csv", text);
        refine(&sandbox, &["--party-store-path", "party.json"]);
        let arguments = ["privacy", "erase", "--email", "zodwa.canary@kestrel.example", "--decision", "D-1"];
        let plan = sandbox.run(&arguments);
        let done = sandbox.run(&[&arguments[..], &["--yes"]].concat());
        assert!(plan.code == 0 && done.code == 0, "{plan} {done}");
        (sandbox, plan)
    };
    let (sandbox, plan) = erased(&rows);
    assert!(plan.stdout.contains("the name is known of nobody else"), "{plan}");
    let outputs = [std::fs::read_to_string(sandbox.path("out.csv")).unwrap(), refine(&sandbox, &[])];
    for output in &outputs {
        assert!(!output.contains("Canaryperson") && !output.contains("zodwa.canary"), "{output}");
        assert!(output.contains("Unseen Invented") && output.contains("u@baobab.example"), "{output}");
    }

    let (sandbox, plan) = erased(&[rows[0], rows[1], namesake]);
    assert!(plan.stdout.contains("others are known by the name"), "{plan}");
    let outputs = [std::fs::read_to_string(sandbox.path("out.csv")).unwrap(), refine(&sandbox, &[])];
    for output in &outputs {
        let row = |name: &str| output.lines().find(|line| line.contains(name)).unwrap().to_owned();
        assert!(row("Egret Works").contains("Zodwa Canaryperson") && row("Egret Works").contains("zc@egret.example"));
        assert!(row("Baobab Hall").contains("asked Zodwa Canaryperson about rates"), "{output}");
        assert!(!row("Kestrel Air").contains("Canaryperson") && !output.contains("zodwa.canary"), "{output}");
    }
    for (name, text) in everything(&sandbox.path("")) {
        assert!(!text.contains("zodwa.canary"), "{name}");
        assert!(!name.ends_with("party.json") || text.contains("Zodwa Canaryperson"), "{text}");
    }
    let by_name = sandbox.run(&["privacy", "erase", "--name", "Zodwa Canaryperson", "--decision", "D-2"]);
    assert_eq!(by_name.code, 0, "{by_name}");
}

#[test]
fn an_erasure_needs_to_know_who_is_meant() {
    let sandbox = workspace();
    sandbox.write(
        "data/more.csv",
        "organization_name,Contact Person,email,phone\nEgret Works,Xolile Fictum,x@egret.example,+27825550199\n",
    );
    refine(&sandbox, &[]);
    let before = std::fs::read_to_string(sandbox.path("dist/ledger.ndjson")).unwrap();
    for (flags, words) in [
        (&["--query", "@"][..], "no address"),
        (&["--email", "a@"], "no address"),
        (&["--name", "Ltd"], "a name of one word"),
        (&["--name", "contact_primary_email"], "a name with `_`"),
        (&["--query", "A38"], "no address"),
        (&["--query", "A380"], "fewer than six"),
        (&["--name", "Xolile Fictum"], "2 people"),
        (&["--email", "x@egret.example", "--decision", "asked by X@Egret.example"], "names the person"),
        (&["--email", "x@egret.example", "--decision", "for Fictum, Xolile"], "names the person"),
    ] {
        let mut arguments = vec!["privacy", "erase", "--yes"];
        arguments.extend(flags);
        if !flags.contains(&"--decision") {
            arguments.extend(["--decision", "D-1"]);
        }
        let outcome = sandbox.run(&arguments);
        assert!(outcome.code == 2 && outcome.stderr.contains(words), "{flags:?} {outcome}");
        assert!(outcome.stderr.contains("hint"), "{outcome}");
    }
    assert_eq!(std::fs::read_to_string(sandbox.path("dist/ledger.ndjson")).unwrap(), before);
    assert!(!sandbox.path("dist/privacy/suppression.ndjson").exists());
    let broad = sandbox.run(&["privacy", "erase", "--name", "Xolile Fictum", "--broad", "--decision", "D-1"]);
    assert_eq!(broad.code, 0, "{broad}");
}

#[test]
fn tokens_are_led_back_in_the_form_of_their_file() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "people.csv",
        "unique_id,full_name,remark\n1,\"Fictum, Xolile \"\"X\"\"\",=1+1\n2,Unseen Invented,\"two\nlines\"\n",
    );
    assert_eq!(sandbox.run(&["privacy", "key", "--output", "privacy.key"]).code, 0);
    for output in ["out.csv", "out.json"] {
        let arguments = ["resolve", "--input-file", "people.csv", "-o", output, "--no-probabilistic"];
        let redact =
            ["--redact", "full_name=tokenise", "--redact", "remark=tokenise", "--privacy-key", "file:privacy.key"];
        let outcome = sandbox.run(&[&arguments[..], &redact[..]].concat());
        assert_eq!(outcome.code, 0, "{outcome}");
    }
    let lead_back = |path: &str, flags: &[&str]| {
        let text = std::fs::read_to_string(sandbox.path(path)).unwrap();
        assert!(text.contains("hpt1."), "{text}");
        let arguments = ["privacy", "detokenise", "--key", "file:privacy.key"];
        sandbox.run_fed(&[&arguments[..], flags].concat(), &text)
    };
    let csv = lead_back("out.csv", &[]);
    assert!(csv.code == 0 && csv.stdout.contains("\"Fictum, Xolile \"\"X\"\"\",'=1+1,"), "{csv}");
    assert!(csv.stdout.contains("\"two\nlines\"") && csv.stderr.contains("4 tokens"), "{csv}");
    let json = lead_back("out.json", &[]);
    let rows: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert!(rows.to_string().contains("Fictum, Xolile \\\"X\\\"") && json.code == 0, "{json}");
    let token = std::fs::read_to_string(sandbox.path("out.csv"))
        .unwrap()
        .split([',', '\n'])
        .find(|cell| cell.contains("hpt1."))
        .unwrap()
        .to_owned();
    sandbox.write("column.txt", format!("full_name\n{token}\n"));
    let unclear = lead_back("column.txt", &[]);
    assert!(unclear.code == 2 && unclear.stdout.is_empty() && unclear.stderr.contains("--format csv"), "{unclear}");
    let text = lead_back("column.txt", &["--format", "text"]);
    assert!(text.code == 0 && text.stdout.contains("Fictum, Xolile \"X\""), "{text}");

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert!(!csv.stderr.contains("can be read by others"), "{csv}");
        std::fs::set_permissions(sandbox.path("privacy.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
        let open = lead_back("out.csv", &[]);
        assert!(open.code == 0 && open.stderr.contains("can be read by others than its owner"), "{open}");
    }
}

#[test]
fn tokens_and_hashes_of_an_erased_person_are_reached_with_the_key() {
    let sandbox = workspace();
    assert_eq!(sandbox.run(&["privacy", "key", "--output", "privacy.key"]).code, 0);
    let operators = ["person_name=hash", "email=tokenise", "phone=hash", "notes=redact_spans"]
        .map(|operator| ["--pii-operator", operator]);
    let flags: Vec<&str> = operators.concat();
    let published = refine(&sandbox, &[&flags[..], &["--pii-key", "file:privacy.key"]].concat());
    let row = |text: &str, name: &str| text.lines().find(|line| line.contains(name)).unwrap_or_default().to_owned();
    let sealed = |row: &str| row.matches("hpt1.").count() + row.matches("hph1.").count();
    // The number within the note has the hash of the column.
    let acacia = row(&published, "Acacia Works");
    let hash = acacia.split(',').find(|cell| cell.starts_with("hph1.phone.")).unwrap().to_owned();
    assert!(acacia.matches(&hash).count() >= 2 && sealed(&acacia) >= 4, "{acacia}");

    let ask = |flags: &[&str]| {
        let arguments = ["privacy", "erase", "--email", "x.fictum@acacia.example", "--decision", "D-1"];
        let outcome = sandbox.run(&[&arguments[..], flags].concat());
        assert_eq!(outcome.code, 0, "{outcome}");
        outcome.stdout
    };
    let blind = ask(&["--yes"]);
    assert!(blind.contains("columns hold tokens or hashes that were not looked into"), "{blind}");
    assert!(blind.contains("out.csv: contact_primary_email"), "{blind}");
    assert_eq!(std::fs::read_to_string(sandbox.path("out.csv")).unwrap(), published);
    let seen = ask(&["--yes", "--key", "file:privacy.key"]);
    assert!(!seen.contains("not looked into"), "{seen}");
    let erased = std::fs::read_to_string(sandbox.path("out.csv")).unwrap();
    assert_eq!(sealed(&row(&erased, "Acacia Works")), 0, "{erased}");
    assert_eq!(sealed(&row(&erased, "Baobab Hall")), sealed(&row(&published, "Baobab Hall")));
    for (name, text) in everything(&sandbox.path("")) {
        assert!(!text.contains(&hash), "{name}");
    }
    assert_eq!(sandbox.run(&["verify"]).code, 0);
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
