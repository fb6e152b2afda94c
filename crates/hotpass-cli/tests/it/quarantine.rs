//! Rows that expectations keep out, and decisions that let them in.

use crate::sandbox::{Outcome, Sandbox};

const CONFIG: &str = r#"
[[profile.sources]]
name = "works"
pattern = "works*.csv"

[[profile.sources.expectations]]
type = "unique"
column = "Account"
severity = "quarantine"

[[profile.sources.expectations]]
type = "expect_table_row_count_to_be_between"
kwargs = { min_value = 1, max_value = 100 }
severity = "warn"

[[profile.expectations]]
type = "match_regex"
column = "website"
regex = "[.]example$"
severity = "quarantine"

[[profile.expectations]]
type = "rows_within"
kwargs = { tolerance = 0.5 }
severity = "info"
"#;

const DATA: &str = "\
organization_name,Account,website,contact_email
Acacia Works,A1,https://acacia.example,info@acacia.example
Baobab Hall,B1,https://baobab.example,info@baobab.example
Cedar Yard,B1,https://cedar.example,info@cedar.example
Dogwood Mill,D1,https://dogwood.test,info@dogwood.example
Dogwood Mill,D2,https://dogwood.test,sales@dogwood.example
";

fn workspace() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("hotpass.toml", CONFIG);
    sandbox.write("data/works.csv", DATA);
    sandbox
}

fn refine(sandbox: &Sandbox) -> (Outcome, String) {
    let outcome = sandbox.run(&["refine", "data", "-o", "out.csv"]);
    assert_eq!(outcome.code, 0, "{outcome}");
    let verified = sandbox.run(&["verify"]);
    assert_eq!(verified.code, 0, "{verified}");
    (outcome, std::fs::read_to_string(sandbox.path("out.csv")).expect("the published table"))
}

fn list(sandbox: &Sandbox) -> Vec<(String, String)> {
    let outcome = sandbox.run(&["quarantine", "list", "--rows", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let rows = document["rows"].as_array().into_iter().flatten();
    rows.map(|row| (text(row, "row"), text(row, "reason"))).collect()
}

const UNIQUE: &str = "expectation.expect_column_values_to_be_unique";
const REGEX: &str = "expectation.expect_column_values_to_match_regex";

#[test]
fn rows_that_fail_go_to_quarantine_and_come_back_by_a_decision() {
    let sandbox = workspace();
    let (_, published) = refine(&sandbox);
    assert!(published.contains("Acacia Works") && !published.contains("Baobab") && !published.contains("Dogwood"));
    let pairs = |rows: &[(&str, &str)]| -> Vec<(String, String)> {
        rows.iter().map(|(row, reason)| ((*row).to_owned(), (*reason).to_owned())).collect()
    };
    assert_eq!(
        list(&sandbox),
        pairs(&[("works.csv!3", UNIQUE), ("works.csv!4", UNIQUE), ("works.csv!5", REGEX), ("works.csv!6", REGEX)])
    );

    let shown = sandbox.run(&["quarantine", "show", "works.csv!3"]);
    assert!(shown.stdout.contains(UNIQUE) && !shown.stdout.contains("Baobab"), "{shown}");
    let shown = sandbox.run(&["quarantine", "show", "works.csv!3", "--show-values"]);
    assert!(shown.stdout.contains("Baobab"), "{shown}");

    let release = |arguments: &[&str]| {
        let mut all = vec!["quarantine", "release"];
        all.extend(arguments);
        all.extend(["--operator", "thandi"]);
        sandbox.run(&all)
    };
    assert_eq!(release(&["--row", "works.csv!3"]).code, 2, "a decision needs a reason");
    let wrong = release(&["--row", "works.csv!33", "--decision", "x"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("works.csv!3"), "{wrong}");
    // An entity comes back with all of its rows.
    let released = release(&["--row", "works.csv!3", "--row", "works.csv!5", "--decision", "Checked by telephone"]);
    assert!(released.code == 0 && released.stdout.contains("3 rows released by thandi"), "{released}");

    let (outcome, published) = refine(&sandbox);
    assert!(outcome.stdout.contains("3 rows left quarantine by decision"), "{outcome}");
    assert!(published.contains("Baobab") && published.contains("Dogwood") && !published.contains("Cedar"));
    assert_eq!(list(&sandbox), pairs(&[("works.csv!4", UNIQUE)]));

    // The decision was on the row as it was.
    sandbox.write("data/works.csv", DATA.replace("https://baobab.example", "https://baobab.test"));
    let (_, published) = refine(&sandbox);
    assert!(!published.contains("Baobab") && published.contains("Dogwood"), "{published}");
}

#[test]
fn a_row_without_a_name_cannot_be_released() {
    let sandbox = workspace();
    sandbox.write("data/works.csv", format!("{DATA},E1,https://e.example,x@e.example\n"));
    refine(&sandbox);
    let refused = sandbox.run(&["quarantine", "release", "--row", "works.csv!7", "--decision", "x", "--operator", "y"]);
    assert!(refused.code == 2 && refused.stderr.contains("organization_name"), "{refused}");
}

#[test]
fn data_docs_tell_what_was_found_without_values() {
    let sandbox = workspace();
    refine(&sandbox);
    sandbox.write("data/works.csv", DATA.replace("B1,https://cedar", "C1,https://cedar"));
    refine(&sandbox);
    let runs = sandbox.path("dist/runs");
    let mut results = 0;
    for run in std::fs::read_dir(&runs).expect("the runs").flatten().filter(|entry| entry.path().is_dir()) {
        let docs = run.path().join("data-docs");
        for file in std::fs::read_dir(&docs).expect("the data docs").flatten().filter(|file| file.path().is_file()) {
            let text = std::fs::read_to_string(file.path()).expect("a page");
            for value in ["Cedar", "acacia", "dogwood", "https://"] {
                assert!(!text.contains(value), "`{value}` in {text}");
            }
        }
        let source = std::fs::read_to_string(docs.join("results/works.csv-works.json")).expect("the result");
        let document: serde_json::Value = serde_json::from_str(&source).expect("JSON");
        assert_eq!(document["statistics"]["evaluated_expectations"], 2);
        results += usize::from(document["success"] == true);
    }
    assert_eq!(results, 1, "one of the two runs found all accounts unique");
}

#[test]
fn a_suite_of_great_expectations_can_stand_in_for_the_profile() {
    let sandbox = workspace();
    let suite = |kind: &str| {
        format!(
            r#"{{"name": "mine", "meta": {{}}, "expectations": [
                {{"type": "{kind}", "kwargs": {{"column": "website", "regex": "^ftp"}}, "severity": "critical"}}]}}"#
        )
    };
    sandbox.write("mine.json", suite("expect_column_values_to_match_regex"));
    let outcome = sandbox.run(&["refine", "data", "-o", "out.csv", "--expectation-suite", "mine.json"]);
    assert_eq!(outcome.code, 3, "{outcome}");
    sandbox.write("mine.json", suite("expect_column_values_to_match_regexp"));
    let outcome = sandbox.run(&["refine", "data", "-o", "other.csv", "--expectation-suite", "mine.json"]);
    assert!(outcome.code == 2 && outcome.stderr.contains("expect_column_values_to_match_regex`"), "{outcome}");
    assert!(!sandbox.path("other.csv").exists());
    let outcome = sandbox.run(&["refine", "data", "-o", "other.csv", "--expectation-suite", "sacaa_cleand"]);
    assert!(outcome.code == 2 && outcome.stderr.contains("sacaa_cleaned"), "{outcome}");
}

const TWO_SETS: &str = r#"
[[profile.sources]]
name = "works"
pattern = "works*.csv"

[[profile.sources.expectations]]
type = "in_set"
column = "Town"
values = ["Knysna"]
severity = "quarantine"

[[profile.sources.expectations]]
type = "in_set"
column = "Grade"
values = ["A"]
severity = "quarantine"
"#;

const GRADED: &str = "\
organization_name,Town,Grade,contact_email
Acacia Works,Knysna,A,info@acacia.example
Baobab Hall,Sedgefield,A,info@baobab.example
Cedar Yard,Sedgefield,Z,info@cedar.example
";

fn release(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    let fixed = ["--decision", "Asked by telephone", "--operator", "thandi"];
    sandbox.run(&[&["quarantine", "release"], arguments, &fixed].concat())
}

fn decisions(sandbox: &Sandbox) -> usize {
    let text = std::fs::read_to_string(sandbox.path("dist/decisions/quarantine.ndjson")).unwrap_or_default();
    text.lines().count()
}

#[test]
fn a_decision_covers_the_expectations_that_were_shown_and_no_other() {
    let sandbox = Sandbox::new();
    sandbox.write("hotpass.toml", TWO_SETS.replace("[\"A\"]", "[\"A\", \"Z\"]"));
    sandbox.write("data/works.csv", GRADED);
    refine(&sandbox);
    assert_eq!(release(&sandbox, &["--row", "works.csv!4"]).code, 0);

    // An expectation of the same kind on another column was not seen.
    sandbox.write("hotpass.toml", TWO_SETS);
    let (outcome, published) = refine(&sandbox);
    assert!(!published.contains("Cedar") && !outcome.stdout.contains("left quarantine"), "{outcome}");
    let shown = sandbox.run(&["quarantine", "show", "works.csv!4"]);
    assert!(shown.stdout.contains("`Town in_set of 1`") && shown.stdout.contains("`Grade in_set of 1`"), "{shown}");
    let listed = sandbox.run(&["quarantine", "list", "--rows"]);
    assert!(listed.stdout.contains("The row fails `Town in_set of 1`; The row fails `Grade in_set of 1`"), "{listed}");

    // Both are shown now, and both are decided.
    assert_eq!(release(&sandbox, &["--row", "works.csv!4"]).code, 0);
    let (outcome, published) = refine(&sandbox);
    assert!(published.contains("Cedar") && outcome.stdout.contains("1 row left quarantine by decision"), "{outcome}");
}

#[test]
fn a_row_that_breaks_two_rules_of_its_contract_names_both() {
    let sandbox = Sandbox::new();
    let contract = r#"{"hotpass_contract": 1, "name": "works", "fields": [
        {"name": "organization_name"}, {"name": "Town"}, {"name": "Grade", "type": "integer"}],
        "foreign_keys": [{"fields": ["Town"], "reference": {"file": "towns.csv", "fields": ["Town"]}}]}"#;
    sandbox.write("contracts/works.json", contract);
    sandbox.write("contracts/towns.csv", "Town,Province\nKnysna,Western Cape\n");
    sandbox.write(
        "hotpass.toml",
        "[[profile.sources]]\nname = \"works\"\npattern = \"works*.csv\"\ncontract = \"contracts/works.json\"\n",
    );
    sandbox.write("data/works.csv", GRADED.replace(",A,", ",1,"));
    refine(&sandbox);
    assert_eq!(
        list(&sandbox),
        [
            ("works.csv!3".to_owned(), "contract.foreign_key".to_owned()),
            ("works.csv!4".to_owned(), "contract.type".to_owned())
        ]
    );
    let counted = sandbox.run(&["quarantine", "list", "--format", "json"]);
    let counted: serde_json::Value = serde_json::from_str(&counted.stdout).expect("JSON");
    assert_eq!((&counted["rows"], &counted["reasons"][0]["rows"]), (&2.into(), &2.into()), "{counted:#}");

    // One reason of two is decided: the row stays for the other, and nobody says that it left.
    let outcome = release(&sandbox, &["--reason", "contract.foreign_key"]);
    assert!(
        outcome.stdout.contains("2 rows released") && outcome.stderr.contains("1 row breaks another rule"),
        "{outcome}"
    );
    let (outcome, published) = refine(&sandbox);
    assert!(published.contains("Baobab") && !published.contains("Cedar"), "{published}");
    assert!(outcome.stdout.contains("1 row left quarantine by decision: works.csv!3"), "{outcome}");
    let shown = sandbox.run(&["quarantine", "show", "works.csv!4"]);
    assert!(shown.stdout.contains("contract.type") && shown.stdout.contains("contract.foreign_key"), "{shown}");
    assert_eq!(release(&sandbox, &["--row", "works.csv!4"]).code, 0);
    assert!(refine(&sandbox).1.contains("Cedar"));
}

#[test]
fn a_decision_is_recorded_once() {
    let sandbox = Sandbox::new();
    sandbox.write("hotpass.toml", TWO_SETS);
    sandbox.write("data/works.csv", GRADED);
    refine(&sandbox);
    let unnamed = sandbox.run(&["quarantine", "release", "--row", "works.csv!3", "--decision", "x"]);
    assert!(unnamed.code == 2 && unnamed.stderr.contains("HOTPASS_OPERATOR"), "{unnamed}");
    let outcome = release(&sandbox, &["--row", "works.csv!3", "--row", "works.csv!3"]);
    assert!(outcome.stdout.contains("1 row released") && decisions(&sandbox) == 1, "{outcome}");
    let outcome = release(&sandbox, &["--row", "works.csv!3"]);
    assert!(outcome.code == 0 && outcome.stdout.contains("1 row was already released"), "{outcome}");
    assert_eq!(decisions(&sandbox), 1);
    refine(&sandbox);
    let outcome = release(&sandbox, &["--row", "works.csv!3"]);
    assert!(outcome.code == 2 && outcome.stderr.contains("thandi released it"), "{outcome}");
    assert!(!outcome.stderr.contains("Did you mean"), "{outcome}");
    let outcome = release(&sandbox, &["--row", "works.csv!2"]);
    assert!(outcome.code == 2 && outcome.stderr.contains("are in quarantine: `works.csv!4`"), "{outcome}");
}

#[test]
fn a_decision_follows_a_row_that_has_moved_and_is_told_when_it_fits_none() {
    let sandbox = Sandbox::new();
    sandbox.write("hotpass.toml", TWO_SETS);
    sandbox.write("data/works.csv", GRADED);
    refine(&sandbox);
    assert_eq!(release(&sandbox, &["--row", "works.csv!3"]).code, 0);
    sandbox.write("data/works.csv", GRADED.replace("Acacia", "Dogwood Mill,Knysna,A,x@dogwood.example\nAcacia"));
    let (outcome, published) = refine(&sandbox);
    assert!(published.contains("Baobab") && outcome.stdout.contains("decision: works.csv!4"), "{outcome}");
    assert!(!outcome.stderr.contains("fits no row"), "{outcome}");
    sandbox.write("data/works.csv", GRADED.replace("Baobab Hall", "Baobab Halls"));
    let (outcome, published) = refine(&sandbox);
    assert!(!published.contains("Baobab"), "{published}");
    assert!(outcome.stderr.contains("1 decision fits no row as it is now: `works.csv!3`"), "{outcome}");
}
