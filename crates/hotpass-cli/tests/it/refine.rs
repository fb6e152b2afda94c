//! What `hotpass refine` tells on the terminal, and what comes of wrong requests around it.

use crate::sandbox::Sandbox;

/// Makes a workspace with one row, and returns its folder.
fn workspace(sandbox: &Sandbox) -> std::path::PathBuf {
    sandbox.write(
        "data/works.csv",
        "organization_name,email,phone,website,city,notes\n\
         Acacia Works,info@acacia.example,+442079460018,https://acacia.example,Leeds,keine Angabe\n\
         Baobab Hall,nobody@baobab.example,00000000,https://baobab.test,York,x\n",
    );
    sandbox.path("")
}

#[test]
fn an_unknown_country_is_refused_before_anything_is_written() {
    let sandbox = Sandbox::new();
    let folder = workspace(&sandbox);
    for arguments in [
        &["refine", "data", "--country-code", "UK"][..],
        &["refine", "data", "--set", "profile.default_country_code=UK"],
        &["normalise", "--kind", "phone", "--region", "UK"],
    ] {
        let outcome = sandbox.run_in(&folder, arguments);
        assert_eq!(outcome.code, 2, "{outcome}");
        assert!(outcome.stderr.contains("`UK`") && outcome.stderr.contains("`GB`"), "{outcome}");
        assert!(!folder.join("dist").exists(), "{outcome}");
    }
}

#[test]
fn counts_agree_with_their_nouns() {
    let sandbox = Sandbox::new();
    sandbox.write("data/works.csv", "organization_name,city\nAcacia Works,Leeds\n");
    let outcome = sandbox.run(&["refine", "data"]);
    assert!(outcome.stdout.contains("1 row from 1 table became 1 golden record"), "{outcome}");
    let empty = sandbox.run(&["refine", "*.nothing"]);
    assert!(!empty.stderr.contains("0 files"), "{empty}");
}

#[test]
fn values_that_mean_no_value_are_none_in_every_field() {
    let sandbox = Sandbox::new();
    let folder = workspace(&sandbox);
    let values = r#"ingest.null_values=["keine Angabe","nobody@baobab.example","00000000","https://baobab.test"]"#;
    let outcome =
        sandbox.run_in(&folder, &["refine", "data", "--country-code", "GB", "-o", "out.csv", "--set", values]);
    assert!(matches!(outcome.code, 0 | 3), "{outcome}");
    let published = std::fs::read_to_string(folder.join("out.csv")).expect("the published table");
    assert!(published.contains("https://acacia.example") && published.contains("info@acacia.example"), "{published}");
    for word in ["keine Angabe", "nobody@", "00000000", "baobab.test"] {
        assert!(!published.contains(word), "`{word}` is published:\n{published}");
    }
    let report = std::fs::read_to_string(folder.join("dist/runs").join(latest(&folder)).join("report.json"));
    let report: serde_json::Value = serde_json::from_str(&report.expect("the figures")).expect("JSON");
    assert!(report["failures"].as_object().is_some_and(serde_json::Map::is_empty), "{report:#}");
    assert_eq!(report["completeness"]["country"]["after"], 1.0, "{report:#}");
    let names: Vec<&str> = report["expectations"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|expectation| expectation["name"].as_str())
        .filter_map(|name| name.split_once(" match_regex, mostly "))
        .map(|(column, _)| column)
        .collect();
    assert_eq!(names, ["contact_primary_email", "contact_primary_phone", "website"]);
}

fn latest(folder: &std::path::Path) -> String {
    let mut runs: Vec<String> = std::fs::read_dir(folder.join("dist/runs"))
        .expect("the runs")
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "latest")
        .collect();
    runs.sort();
    runs.pop().expect("a run")
}

#[test]
fn archives_do_not_depend_on_the_number_of_threads() {
    let sandbox = Sandbox::new();
    let folder = workspace(&sandbox);
    let manifest = |threads: &str| {
        let outcome = sandbox.run_in(&folder, &["refine", "data", "--threads", threads, "--archive"]);
        assert!(matches!(outcome.code, 0 | 3), "{outcome}");
        let run = folder.join("dist/runs").join(latest(&folder));
        std::fs::read_to_string(run.join("manifest.json")).expect("the manifest")
    };
    assert_eq!(manifest("1"), manifest("2"));
}

#[test]
fn lines_of_json_are_published() {
    let sandbox = Sandbox::new();
    let folder = workspace(&sandbox);
    let outcome = sandbox.run_in(&folder, &["refine", "data", "-o", "out.ndjson"]);
    assert!(matches!(outcome.code, 0 | 3), "{outcome}");
    assert_eq!(std::fs::read_to_string(folder.join("out.ndjson")).expect("the table").lines().count(), 2);
}

#[test]
fn mapping_files_that_cannot_be_used_get_a_hint() {
    let sandbox = Sandbox::new();
    let folder = workspace(&sandbox);
    sandbox.write("wrong.toml", "version = 1\n[[table]]\nfile = \"works.csv\"\ncolumns = { city = \"town\" }\n");
    for file in ["missing.toml", "wrong.toml"] {
        let outcome = sandbox.run_in(&folder, &["refine", "data", "--mapping", file]);
        assert_eq!(outcome.code, 2, "{outcome}");
        assert!(outcome.stderr.contains("hint:") && outcome.stderr.contains(file), "{outcome}");
        assert!(!folder.join("dist").exists(), "{outcome}");
    }
}

#[test]
fn a_key_is_named_once_and_one_of_the_predecessor_leads_to_the_upgrade() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(&["config", "show", "--set", "pipeline.archve=true"]);
    assert_eq!((outcome.code, outcome.stderr.matches("pipeline.archve").count()), (2, 1), "{outcome}");
    sandbox.write("old.toml", "archive = true\n");
    let outcome = sandbox.run(&["config", "show", "--config", "old.toml"]);
    assert_eq!(outcome.code, 2, "{outcome}");
    assert!(outcome.stderr.contains("hotpass config upgrade"), "{outcome}");
    let upgraded = sandbox.run(&["config", "upgrade", "old.toml"]);
    assert!(!upgraded.stderr.contains("legacy.moved"), "{upgraded}");
}

#[test]
fn a_row_to_explain_is_asked_for() {
    let sandbox = Sandbox::new();
    let folder = workspace(&sandbox);
    assert!(matches!(sandbox.run_in(&folder, &["refine", "data"]).code, 0 | 3));
    let outcome = sandbox.run_in(&folder, &["explain-provenance"]);
    assert_eq!(outcome.code, 2, "{outcome}");
    assert!(outcome.stderr.contains("--entity") && outcome.stderr.contains("--row"), "{outcome}");
    let outcome = sandbox.run_in(&folder, &["explain-provenance", "--row", "1", "--field", "email"]);
    assert!(outcome.stderr.contains("contact_primary_email"), "{outcome}");
    let outcome = sandbox.run_in(&folder, &["report", "--format", "text"]);
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(outcome.stdout.contains("organization_name") && !outcome.stdout.contains('\\'), "{outcome}");
}

#[test]
fn an_input_is_never_overwritten() {
    let sandbox = Sandbox::new();
    workspace(&sandbox);
    sandbox.write("data/more.csv", "organization_name,city\nCedar Trust,Leeds\n");
    sandbox.write("data/list.json", "[{\"organization_name\": \"Date Palm\", \"city\": \"Leeds\"}]\n");
    let more = || ["data/more.csv", "data/list.json"].map(|name| std::fs::read_to_string(sandbox.path(name)).unwrap());
    let before = more();
    for arguments in [
        &["refine", "data", "-o", "data/more.csv"][..],
        &["refine", "data", "-o", "data/../data/more.csv"],
        &["refine", "data/more.csv", "-o", "data/more.csv"],
        &["refine", "data", "-o", "out.csv", "--report-path", "data/list.json"],
        &["refine", "data", "-o", "out.csv", "--party-store-path", "data/list.json"],
        &["resolve", "--input-file", "data/more.csv", "--no-probabilistic", "-o", "data/more.csv"],
    ] {
        let outcome = sandbox.run(arguments);
        assert_eq!(outcome.code, 2, "{arguments:?} {outcome}");
        assert!(outcome.stderr.contains("is an input and would be overwritten"), "{arguments:?} {outcome}");
        assert!(outcome.stderr.contains("hint: "), "{outcome}");
        assert_eq!(more(), before);
        assert!(!sandbox.path("dist").exists() && !sandbox.path("out.csv").exists(), "{arguments:?} {outcome}");
    }
    let telemetry = ["--telemetry-exporter", "file", "--telemetry-file", "data/more.csv"];
    let outcome = sandbox.run(&[&["refine", "data", "-o", "out.csv"][..], &telemetry].concat());
    assert!(outcome.stderr.contains("holds something else than telemetry"), "{outcome}");
    assert_eq!(more(), before);
}

#[test]
fn what_a_run_wrote_among_the_inputs_is_no_input_of_the_next() {
    let sandbox = Sandbox::new();
    workspace(&sandbox);
    for ending in ["xlsx", "csv", "json", "ndjson", "parquet"] {
        let output = format!("data/out.{ending}");
        for round in 0..2 {
            let outcome = sandbox.run(&["refine", "data", "-o", &output]);
            assert!(matches!(outcome.code, 0 | 3), "{outcome}");
            assert!(outcome.stdout.contains("2 rows from 1 table"), "{ending}, round {round}: {outcome}");
        }
        for left in std::fs::read_dir(sandbox.path("data")).unwrap().flatten() {
            if left.file_name() != "works.csv" {
                std::fs::remove_file(left.path()).unwrap();
            }
        }
    }
}
