//! `hotpass contracts`, and contracts in `hotpass refine`.

use serde_json::Value;

use crate::sandbox::{Outcome, Sandbox};

const CONTRACT: &str = r#"{
  "hotpass_contract": 1, "name": "clubs", "version": "1.0.0",
  "fields": [
    {"name": "No", "type": "integer", "nullable": false, "unique": true},
    {"name": "Company Name", "nullable": false},
    {"name": "E-mail", "format": "email"},
    {"name": "Hull", "enumeration": ["blue", "red"]},
    {"name": "Seen", "type": "date", "required": false}
  ],
  "freshness": {"column": "Seen", "max_age_days": 400},
  "rows": {"min": 1}
}"#;

fn clubs() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("clubs.json", CONTRACT);
    sandbox.write(
        "in/clubs.csv",
        "No,Company Name,E-mail,Hull,Seen\n\
         1,Tern Sailing Club,desk@tern.example,blue,2023-10-01\n\
         2,Gannet Rowing Club,gannet,red,2023-10-02\n\
         2,Petrel Flying Club,,green,2023-10-03\n\
         x,,office@plover.example,red,\n",
    );
    sandbox
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}\n{outcome}"))
}

#[test]
fn a_file_that_breaks_its_contract_is_told_by_place_and_rule() {
    let sandbox = clubs();
    insta::assert_snapshot!(sandbox.run(&["contracts", "validate", "in/clubs.csv", "--contract", "clubs.json"]));
    let outcome = sandbox.run(&["contracts", "validate", "in", "--contract", "clubs.json", "--format", "json"]);
    assert_eq!(outcome.code, 3, "{outcome}");
    for value in ["gannet", "Plover", "plover", "green"] {
        assert!(!outcome.stdout.contains(value) && !outcome.stderr.contains(value), "{value} is told:\n{outcome}");
    }
    let found = json(&outcome);
    let table = &found["tables"][0];
    assert_eq!((&table["rows"], &table["failed_rows"]), (&4.into(), &3.into()));
    assert_eq!(table["violations"][0]["place"], "clubs.csv!C3");
    assert_eq!(table["violations"][0]["rule"], "type");
    assert_eq!(table["context"]["category"], "data_contract");
    assert_eq!(table["context"]["recoverable"], true);
}

#[test]
fn a_table_that_breaks_its_contract_as_a_whole_is_told_with_a_fix() {
    let sandbox = clubs();
    sandbox.write("old.csv", "No,Company  name,E-mail,Hull,Seen\n1,Tern Sailing Club,,blue,2020-01-01\n");
    insta::assert_snapshot!(sandbox.run(&["contracts", "validate", "old.csv", "--contract", "clubs.json"]));
}

#[test]
fn foreign_keys_need_the_values_they_point_to() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "c.json",
        r#"{"fields": [{"name": "town", "type": "integer"}], "fieldsMatch": "subset",
            "foreignKeys": [{"fields": ["town"], "reference": {"resource": "towns", "fields": ["code"]}}]}"#,
    );
    sandbox.write("a.csv", "town,name\n1,a\n3,b\n");
    sandbox.write("towns.csv", "code,label\n1,x\n2,y\n");
    let without = sandbox.run(&["contracts", "validate", "a.csv", "--contract", "c.json"]);
    assert_eq!(without.code, 0, "{without}");
    assert!(without.stderr.contains("was not checked"), "{without}");
    let with =
        sandbox.run(&["contracts", "validate", "a.csv", "--contract", "c.json", "--reference", "towns=towns.csv"]);
    assert_eq!(with.code, 3, "{with}");
    assert!(with.stdout.contains("a.csv!A3"), "{with}");
}

#[test]
fn every_form_is_written_and_read_back() {
    let sandbox = clubs();
    let before = sandbox.run(&["contracts", "emit", "clubs.json", "--format", "hotpass"]);
    assert_eq!(before.code, 0, "{before}");
    for format in ["frictionless", "frictionless-v1", "json-schema", "json-schema-array", "odcs", "great-expectations"]
    {
        let written = sandbox.run(&["contracts", "emit", "clubs.json", "--format", format, "--output", "other"]);
        assert_eq!(written.code, 0, "{written}");
        // A data contract of the open standard has words for all that this one says.
        assert_eq!(written.stderr.contains(" no freshness"), format != "odcs", "{format}: {written}");
        let back = sandbox.run(&["contracts", "emit", "./other", "--format", "hotpass"]);
        assert_eq!(back.stdout, before.stdout, "{format}");
        let same = sandbox.run(&["contracts", "diff", "clubs.json", "./other"]);
        assert_eq!((same.code, same.stdout.as_str()), (0, "The contracts say the same\n"), "{format}");
    }
}

#[test]
fn a_new_version_that_breaks_its_users_is_told_who() {
    let sandbox = clubs();
    sandbox.write(
        "new.json",
        CONTRACT.replace("\"red\"]", "\"red\", \"white\"]").replace("\"nullable\": false}", "\"min_length\": 3}"),
    );
    insta::assert_snapshot!(sandbox.run(&["contracts", "diff", "clubs.json", "new.json"]));
    sandbox.write("words.json", CONTRACT.replace("\"version\"", "\"title\": \"Clubs\", \"version\""));
    let words = sandbox.run(&["contracts", "diff", "clubs.json", "words.json", "--format", "json"]);
    assert_eq!((words.code, &json(&words)["suggested_version"]), (0, &"1.0.1".into()), "{words}");
}

#[test]
fn an_inferred_contract_is_kept_by_its_file_and_names_no_value() {
    let sandbox = clubs();
    let outcome = sandbox.run(&["contracts", "infer", "in/clubs.csv", "--output", "found.json"]);
    assert_eq!(outcome.code, 0, "{outcome}");
    let text = std::fs::read_to_string(sandbox.path("found.json")).unwrap();
    for value in ["Tern", "tern", "gannet", "green", "2023"] {
        assert!(!text.contains(value), "{value} is in the contract:\n{text}");
    }
    let kept = sandbox.run(&["contracts", "validate", "in/clubs.csv", "--contract", "found.json"]);
    assert_eq!(kept.code, 0, "{kept}");
}

#[test]
fn what_cannot_be_named_is_told_with_the_nearest_name() {
    let sandbox = clubs();
    insta::assert_snapshot!(sandbox.run(&["contracts", "emit", "sacca_cleaned"]));
    sandbox.write("broken.json", "{\"fields\": [{\"name\": \"a\"}], \"primaryKey\": [\"b\"]}");
    let broken = sandbox.run(&["contracts", "validate", "in", "--contract", "broken.json"]);
    assert_eq!(broken.code, 2, "{broken}");
    assert!(broken.stderr.contains("the primary key names column `b`"), "{broken}");
    assert_eq!(sandbox.run(&["contracts", "validate", "nowhere.csv", "--contract", "ssot"]).code, 2);
    assert_eq!(sandbox.run(&["contracts", "emit", "--run", "latest"]).code, 2);
}

#[test]
fn contracts_that_ship_are_listed() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(&["contracts", "list", "--format", "json"]);
    let found = json(&outcome);
    let names: Vec<&str> =
        found["contracts"].as_array().into_iter().flatten().filter_map(|contract| contract["name"].as_str()).collect();
    assert_eq!(names.len(), 8, "{outcome}");
    assert!(names.contains(&"ssot") && sandbox.run(&["contracts", "list"]).stdout.contains("sacaa_cleaned"));
}

/// A profile whose one source has a contract.
fn profile(sandbox: &Sandbox, extra: &str) {
    sandbox.write(
        "clubs.yaml",
        format!(
            "profile:\n  name: clubs\n  display_name: Clubs\n  contracts: [clubs.json]\n  sources:\n    \
             - {{name: clubs, pattern: '*.csv', contract: clubs}}\n{extra}"
        ),
    );
}

#[test]
fn rows_that_break_the_contract_go_to_quarantine_with_their_place() {
    let sandbox = clubs();
    profile(&sandbox, "");
    let outcome = sandbox.run(&["refine", "in", "--profile", "clubs.yaml", "--output-path", "out.json"]);
    assert_eq!(outcome.code, 0, "rows are set aside, and the rest is published: {outcome}");
    assert!(outcome.stdout.contains("1 golden record"), "{outcome}");
    assert!(outcome.stdout.contains("clubs.csv: 3 rows break the contract `clubs`"), "{outcome}");
    let verify = sandbox.run(&["verify"]);
    assert_eq!(verify.code, 0, "{verify}");
    let report = std::fs::read_to_string(sandbox.path("dist/runs/latest")).map(|id| format!("dist/runs/{}", id.trim()));
    let folder = report.unwrap_or_else(|_| "dist/runs/latest".to_owned());
    let report: Value =
        serde_json::from_slice(&std::fs::read(sandbox.path(&format!("{folder}/report.json"))).unwrap()).unwrap();
    assert_eq!(report["quarantine_reasons"]["contract.type"], 1, "{report:#}");
    assert_eq!(report["quarantine_reasons"]["required_field_missing"], 1, "a row keeps its first reason");
    assert_eq!(report["quarantine_reasons"]["contract.unique"], 1);
    assert_eq!((&report["rows_in"], &report["rows_quarantined"]), (&4.into(), &3.into()));
    assert_eq!(report["contracts"][0]["context"]["source"], "clubs.csv");
    let page = std::fs::read_to_string(sandbox.path(&format!("{folder}/report.html"))).unwrap();
    assert!(page.contains("Contracts of the sources") && page.contains("rows break it"));
    let strict =
        sandbox.run(&["refine", "in", "--profile", "clubs.yaml", "--output-path", "out.json", "--qa-mode", "strict"]);
    assert_eq!(strict.code, 3, "{strict}");
}

#[test]
fn a_table_that_breaks_its_contract_fails_the_run_and_is_published_all_the_same() {
    let sandbox = clubs();
    profile(&sandbox, "");
    sandbox.write("in/clubs.csv", "No,Company Name,Hull,Seen\n1,Tern Sailing Club,blue,2020-01-01\n");
    let outcome = sandbox.run(&["refine", "in", "--profile", "clubs.yaml", "--output-path", "out.json"]);
    assert_eq!(outcome.code, 3, "{outcome}");
    assert!(outcome.stderr.contains("Column `E-mail` is not there"), "{outcome}");
    assert!(outcome.stderr.contains("days old"), "{outcome}");
    assert!(sandbox.path("out.json").is_file());
    let relaxed =
        sandbox.run(&["refine", "in", "--profile", "clubs.yaml", "--output-path", "out.json", "--qa-mode", "relaxed"]);
    assert_eq!(relaxed.code, 0, "{relaxed}");
    sandbox.write("in/clubs.csv", "No,Title,E-mail,Hull,Seen\n1,Tern Sailing Club,,blue,2023-10-01\n");
    let nameless = sandbox.run(&["refine", "in", "--profile", "clubs.yaml", "--output-path", "out.json"]);
    assert_ne!(nameless.code, 0, "{nameless}");
    assert!(nameless.stderr.contains("Column `Company Name` is not there"), "{nameless}");
}

#[test]
fn a_contract_that_is_not_there_stops_the_run_before_it_begins() {
    let sandbox = clubs();
    sandbox.write(
        "clubs.yaml",
        "profile:\n  name: clubs\n  sources:\n    - {name: clubs, pattern: '*.csv', contract: sacaa_clean}\n",
    );
    let outcome = sandbox.run(&["refine", "in", "--profile", "clubs.yaml", "--output-path", "out.json"]);
    assert_eq!(outcome.code, 2, "{outcome}");
    assert!(outcome.stderr.contains("Did you mean `sacaa_cleaned`?"), "{outcome}");
    assert!(!sandbox.path("dist/runs").exists());
}

#[test]
fn a_published_table_keeps_the_contract_that_is_emitted_for_it() {
    let sandbox = clubs();
    for output in ["out.csv", "out.parquet", "out.json"] {
        let refined = sandbox.run(&["refine", "in", "--output-path", output]);
        assert_eq!(refined.code, 0, "{refined}");
        for format in ["hotpass", "frictionless"] {
            let emitted =
                sandbox.run(&["contracts", "emit", "--run", "latest", "--format", format, "--output", "golden.json"]);
            assert_eq!(emitted.code, 0, "{emitted}");
            let checked = sandbox.run(&["contracts", "validate", output, "--contract", "golden.json"]);
            assert_eq!(checked.code, 0, "{output} as {format}: {checked}");
        }
    }
}

#[test]
fn a_run_takes_a_contract_for_all_its_tables_by_flag() {
    let sandbox = clubs();
    sandbox.write("in/codes.csv", "Code,Meaning\n1,one\n");
    let arguments = ["refine", "in", "-o", "out.csv", "--contract", "clubs.json"];
    let outcome = sandbox.run(&arguments);
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(outcome.stdout.contains("0 of 1 table keeps the contract"), "a lookup table is none of it\n{outcome}");
    assert!(outcome.stdout.contains("3 rows are in quarantine"), "{outcome}");
    let strict = sandbox.run(&[&arguments[..], &["--qa-mode", "strict"]].concat());
    assert_eq!(strict.code, 3, "{strict}");
    let unknown = sandbox.run(&["refine", "in", "-o", "out.csv", "--contract", "club.json"]);
    assert_eq!(unknown.code, 2, "{unknown}");
}

#[test]
fn a_contract_that_applies_to_nothing_is_told() {
    let sandbox = Sandbox::new();
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet().set_name("Old").expect("the name is free");
    for (row, cells) in [["organization_name", "Account"], ["Acacia Works", "A1"]].iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            sheet.write_string(row as u32, column as u16, *cell).expect("the cell can be written");
        }
    }
    sandbox.write("data/works.xlsx", book.save_to_buffer().expect("the workbook can be written"));
    let config = |sheets: &str| format!("[[profile.sources]]\nname = \"works\"\npattern = \"works*\"\n{sheets}\n");
    sandbox.write("hotpass.toml", config("sheet_contracts = { Olde = \"ssot\" }"));
    let refine = |more: &[&str]| sandbox.run(&[&["refine", "data", "-o", "out.csv"], more].concat());
    let outcome = refine(&[]);
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(outcome.stderr.contains("No file of source `works` has a sheet `Olde`"), "{outcome}");
    assert!(outcome.stderr.contains("Did you mean sheet `Old`?"), "{outcome}");
    assert_eq!(refine(&["--qa-mode", "strict"]).code, 3);

    // A name that does not exist is found without a run.
    sandbox.write("hotpass.toml", config("sheet_contracts = { Old = \"ssott\" }\nsuite = \"sacaa_cleand\""));
    let checked = sandbox.run(&["config", "check", "hotpass.toml"]);
    assert!(checked.code == 2 && !checked.stdout.contains("valid"), "{checked}");
    for part in
        ["profile.sources[0].sheet_contracts.Old: No such contract: `ssott`", "`ssot`", "profile.sources[0].suite"]
    {
        assert!(checked.stderr.contains(part), "{part}\n{checked}");
    }
    let profile =
        "profile:\n  name: mine\n  sources:\n    - {name: works, pattern: 'works*', contract: nowhere.json}\n";
    sandbox.write("profiles/mine.yaml", profile);
    let checked = sandbox.run(&["profile", "check", "mine"]);
    assert!(checked.code == 2 && checked.stderr.contains("nowhere.json"), "{checked}");
}

const NUMBERS: &str = r#"{"hotpass_contract": 1, "name": "numbers", "fields": [{"name": "n", "type": "integer"}]}"#;

#[test]
fn every_file_is_checked_although_one_cannot_be_read() {
    let sandbox = Sandbox::new();
    sandbox.write("c.json", NUMBERS);
    sandbox.write("in/a.ndjson", "{\"n\": 1}\n{\"n\": 2}\n{\"n\": }\n");
    sandbox.write("in/b.csv", "n\n1\n");
    sandbox.write("in/c.csv", "n\nx\n");
    let outcome = sandbox.run(&["contracts", "validate", "in", "--contract", "c.json"]);
    assert_eq!(outcome.code, 2, "{outcome}");
    assert!(outcome.stdout.contains("b.csv keeps") && outcome.stdout.contains("c.csv breaks"), "{outcome}");
    assert!(outcome.stderr.contains("1 file could not be read") && outcome.stderr.contains("line 3"), "{outcome}");
    let outcome = sandbox.run(&["contracts", "validate", "in", "--contract", "c.json", "--format", "json"]);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(document["tables"].as_array().map(Vec::len), Some(2), "{document:#}");
    assert!(document["unread"][0]["message"].as_str().is_some_and(|message| message.contains("a.ndjson")));
    assert_eq!(outcome.code, 2);
}

fn workbook(sandbox: &Sandbox, path: &str, sheets: &[(&str, &[&str])]) {
    let mut book = rust_xlsxwriter::Workbook::new();
    for (name, cells) in sheets {
        let sheet = book.add_worksheet().set_name(*name).expect("the name is free");
        for (row, cell) in cells.iter().enumerate() {
            sheet.write_string(row as u32, 0, *cell).expect("the cell can be written");
            sheet.write_string(row as u32, 1, "x").expect("the cell can be written");
        }
    }
    sandbox.write(path, book.save_to_buffer().expect("the workbook can be written"));
}

#[test]
fn a_sheet_that_is_not_there_is_told() {
    let sandbox = Sandbox::new();
    sandbox.write("c.json", NUMBERS);
    workbook(&sandbox, "book.xlsx", &[("First", &["n", "1", "2"]), ("Second", &["n", "3", "4"])]);
    sandbox.write("plain.csv", "n\n1\n");
    let told = |arguments: &[&str], part: &str| {
        let outcome = sandbox.run(&[&["contracts"], arguments].concat());
        assert!(outcome.code == 2 && outcome.stderr.contains(part), "{arguments:?} {part}\n{outcome}");
    };
    told(&["infer", "book.xlsx", "--sheet", "Nope"], "There is no sheet `Nope` in `book.xlsx`");
    told(&["infer", "book.xlsx", "--sheet", "Nope"], "There are `First`, `Second`");
    told(&["infer", "plain.csv", "--sheet", "First"], "`plain.csv` has no sheets");
    let validate = ["validate", "book.xlsx", "--contract", "c.json", "--sheet", "First", "--sheet", "Secnd"];
    told(&validate, "Did you mean `Second`?");
}

#[test]
fn references_are_those_of_the_contract_and_of_one_sheet() {
    let sandbox = Sandbox::new();
    let contract = r#"{"hotpass_contract": 1, "name": "orders", "fields": [{"name": "n"}],
        "foreign_keys": [{"fields": ["n"], "reference": {"dataset": "towns", "fields": ["n"]}}]}"#;
    sandbox.write("c.json", contract);
    sandbox.write("orders.csv", "n\n3\n");
    workbook(&sandbox, "towns.xlsx", &[("Old", &["n", "1", "2"]), ("New", &["n", "3", "4"])]);
    let validate = |reference: &str| {
        sandbox.run(&["contracts", "validate", "orders.csv", "--contract", "c.json", "--reference", reference])
    };
    let outcome = validate("town=towns.xlsx");
    assert!(outcome.code == 2 && outcome.stderr.contains("Did you mean `towns`?"), "{outcome}");
    let outcome = validate("towns=towns.xlsx");
    assert!(outcome.code == 2 && outcome.stderr.contains("2 tables have the columns `n`"), "{outcome}");
    assert_eq!(validate("towns=towns.xlsx#New").code, 0);
    assert_eq!(validate("towns=towns.xlsx#Old").code, 3);
}

#[test]
fn a_data_package_checks_each_file_by_its_own_resource() {
    let sandbox = Sandbox::new();
    let package = r#"{"name": "p", "resources": [
        {"name": "towns", "path": "towns.csv", "schema": {"fields": [{"name": "town"}]}},
        {"name": "orders", "path": "orders.csv", "schema": {"fields": [{"name": "town"}, {"name": "n", "type": "integer"}],
         "foreignKeys": [{"fields": "town", "reference": {"resource": "towns", "fields": "town"}}]}}]}"#;
    sandbox.write("datapackage.json", package);
    sandbox.write("towns.csv", "town\nKnysna\n");
    sandbox.write("orders.csv", "town,n\nKnysna,1\nPlett,2\n");
    let validate = ["contracts", "validate", "towns.csv", "orders.csv", "--contract", "datapackage.json"];
    let outcome = sandbox.run(&validate);
    assert_eq!(outcome.code, 3, "{outcome}");
    assert!(outcome.stdout.contains("towns.csv keeps towns") && outcome.stdout.contains("orders.csv breaks orders"));
    assert!(outcome.stdout.contains("foreign_key") && !outcome.stderr.contains("was not checked"), "{outcome}");
}

#[test]
fn an_input_is_never_overwritten() {
    let sandbox = Sandbox::new();
    sandbox.write("data.csv", "n\n1\n");
    sandbox.write("c.json", NUMBERS);
    for arguments in [["infer", "data.csv", "-o", "./data.csv"], ["emit", "c.json", "-o", "c.json"]] {
        let outcome = sandbox.run(&[&["contracts"], arguments.as_slice()].concat());
        assert!(outcome.code == 2 && outcome.stderr.contains("would be overwritten"), "{outcome}");
    }
    assert_eq!(std::fs::read_to_string(sandbox.path("data.csv")).expect("the file"), "n\n1\n");
}

#[test]
fn what_is_wrong_in_a_contract_is_told_with_its_place() {
    let sandbox = Sandbox::new();
    sandbox.write("c.json", NUMBERS.replace("integer", "intger"));
    sandbox.write("data.csv", "n\n1\n");
    let outcome = sandbox.run(&["contracts", "validate", "data.csv", "--contract", "c.json"]);
    let told = "field 1 (`n`): unknown type `intger`; did you mean `integer`?";
    assert!(outcome.code == 2 && outcome.stderr.contains(told), "{outcome}");
    assert!(!outcome.stderr.contains("Read are Hotpass contracts"), "{outcome}");
    let outcome = sandbox.run(&["contracts", "emit", "ssot"]);
    assert!(outcome.stderr.lines().count() < 20 && outcome.stderr.contains("24 more: "), "{outcome}");
}

#[test]
fn cells_that_are_dates_keep_a_contract_of_dates() {
    let sandbox = Sandbox::new();
    let contract = r#"{"hotpass_contract": 1, "name": "dated", "fields": [{"name": "who"},
        {"name": "when", "type": "timestamp"}, {"name": "day", "type": "date", "format": "%d/%m/%Y"}],
        "freshness": {"column": "day", "max_age_days": 30000}}"#;
    sandbox.write("c.json", contract);
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, header) in ["who", "when", "day"].iter().enumerate() {
        sheet.write_string(0, column as u16, *header).expect("the cell can be written");
    }
    let time = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd hh:mm");
    let day = rust_xlsxwriter::Format::new().set_num_format("dd/mm/yyyy");
    for (row, serial) in [45_293.0, 45_293.5].into_iter().enumerate() {
        let row = row as u32 + 1;
        sheet.write_string(row, 0, format!("row {row}")).expect("the cell can be written");
        sheet.write_number_with_format(row, 1, serial, &time).expect("the cell can be written");
        sheet.write_number_with_format(row, 2, 45_293.0, &day).expect("the cell can be written");
    }
    sandbox.write("dated.xlsx", book.save_to_buffer().expect("the workbook can be written"));
    let outcome = sandbox.run(&["contracts", "validate", "dated.xlsx", "--contract", "c.json"]);
    assert_eq!(outcome.code, 0, "{outcome}");
    let inferred = sandbox.run(&["contracts", "infer", "dated.xlsx"]);
    let inferred: Value = serde_json::from_str(&inferred.stdout).expect("JSON");
    assert_eq!((&inferred["fields"][1]["type"], &inferred["fields"][2]["type"]), (&"timestamp".into(), &"date".into()));
}
