//! Expectations as people meet them: verdicts, labels, mistakes with their place, drift, and what severities do.

use crate::sandbox::{Outcome, Sandbox};

const DATA: &str = "\
organization_name,Account,website,contact_email,Fee,Paid
Acacia Works,A1,https://acacia.example,info@acacia.example,9,10
Baobab Hall,B1,https://baobab.example,info@baobab.example,100,99
Cedar Yard,C1,https://cedar.example,info@cedar.example,9,9
";

const SOURCE: &str = "[[profile.sources]]\nname = \"works\"\npattern = \"works*.csv\"\n";

fn workspace(config: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("hotpass.toml", config);
    sandbox.write("data/works.csv", DATA);
    sandbox
}

fn refine(sandbox: &Sandbox) -> Outcome {
    sandbox.run(&["refine", "data", "-o", "out.csv"])
}

/// Returns the expectations of a source as configuration.
fn of_source(expectations: &[&str]) -> String {
    let all: Vec<String> =
        expectations.iter().map(|one| format!("[[profile.sources.expectations]]\n{one}\n")).collect();
    format!("{SOURCE}{}", all.join(""))
}

fn published(expectation: &str) -> String {
    format!("[[profile.expectations]]\n{expectation}\n")
}

fn latest_run(sandbox: &Sandbox) -> std::path::PathBuf {
    let id = std::fs::read_to_string(sandbox.path("dist/runs/latest")).expect("a run");
    sandbox.path("dist/runs").join(id.trim())
}

#[test]
fn numbers_in_source_cells_are_compared_as_numbers() {
    let sandbox = workspace(&of_source(&[
        "type = \"in_set\"\ncolumn = \"Fee\"\nvalues = [9, 100]\nseverity = \"quarantine\"",
        "type = \"not_in_set\"\ncolumn = \"Fee\"\nkwargs = { value_set = [9] }\nseverity = \"warn\"",
        "type = \"expect_column_pair_values_a_to_be_greater_than_b\"\nkwargs = { column_A = \"Fee\", column_B = \"Paid\" }\nseverity = \"warn\"",
        "type = \"expect_column_value_z_scores_to_be_less_than\"\ncolumn = \"Fee\"\nkwargs = { threshold = 3 }",
        "type = \"expect_column_distinct_values_to_equal_set\"\ncolumn = \"Fee\"\nkwargs = { value_set = [9, 100] }",
    ]));
    let outcome = refine(&sandbox);
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(outcome.stdout.contains("0 rows are in quarantine"), "{outcome}");
    assert!(outcome.stdout.contains("failed (warn): works.csv: Fee not_in_set: 2 of 3 values"), "{outcome}");
    assert!(outcome.stdout.contains("greater_than_b: 2 of 3 values"), "{outcome}");
}

#[test]
fn labels_tell_share_condition_strict_bounds_and_severity() {
    let sandbox = workspace(&of_source(&[
        "type = \"between\"\ncolumn = \"Fee\"\nkwargs = { min_value = 9, strict_min = true }\nmostly = 0.9\nseverity = \"warn\"",
        "type = \"between\"\ncolumn = \"Fee\"\nmin = 50\nrow_condition = \"Account != 'B1'\"\nseverity = \"info\"",
    ]));
    let outcome = refine(&sandbox);
    assert!(outcome.stdout.contains("failed (warn): works.csv: Fee between above 9, mostly 0.9: 2 of 3"), "{outcome}");
    assert!(
        outcome.stdout.contains("failed (info): works.csv: Fee between at least 50, where Account != 'B1': 2 of 2"),
        "{outcome}"
    );
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let source = of_source(&["type = \"between\"\ncolumn = \"Fee\"\nkwargs = { min_value = 9, max_value = 1 }"]);
    let config = source.replace("[[profile.sources.exp", "suite = \"fees.json\"\n[[profile.sources.exp");
    let sandbox = workspace(&format!(
        "{config}{}",
        published(
            "type = \"expect_column_pair_values_to_be_equal\"\nkwargs = { column_A = \"websit\", column_B = \"area\" }"
        )
    ));
    sandbox.write(
        "fees.json",
        r#"{"name": "fees", "expectations": [
            {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "Account"}},
            {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "Account", "regex": "("}}]}"#,
    );
    let outcome = refine(&sandbox);
    assert_eq!(outcome.code, 2, "{outcome}");
    for told in [
        "Cannot refine: 3 expectations cannot be checked",
        "`profile.expectations[0]`, `expect_column_pair_values_to_be_equal`: unknown column `websit`; did you mean `website`?",
        "`fees.json` expectation 2, `expect_column_values_to_match_regex`: regular expression cannot be read",
        "`profile.sources[0].expectations[0]`, `between`: `max_value` lies below `min_value`",
    ] {
        assert!(outcome.stderr.contains(told), "{told}: {outcome}");
    }
    assert!(!sandbox.path("out.csv").exists());

    sandbox.write(
        "fees.json",
        r#"{"name": "fees", "expectations": [{"kwargs": {}}, {"type": "expect_column_to_exist", "severity": "fatal"}]}"#,
    );
    let outcome = refine(&sandbox);
    assert_eq!(outcome.code, 2, "{outcome}");
    for told in [
        "`fees.json` expectation 1, it has no `type`",
        "`fees.json` expectation 2, `expect_column_to_exist`: unknown severity `fatal`",
    ] {
        assert!(outcome.stderr.contains(told), "{told}: {outcome}");
    }
    sandbox.write("fees.json", "no json");
    let outcome = refine(&sandbox);
    assert!(outcome.code == 2 && outcome.stderr.contains("Cannot use suite `fees.json`"), "{outcome}");
}

#[cfg(not(feature = "query"))]
#[test]
fn sql_that_was_not_compiled_in_is_refused_as_such() {
    let sql = "type = \"sql\"\nkwargs = { unexpected_rows_query = \"SELECT * FROM {batch}\" }";
    let outcome = refine(&workspace(&published(sql)));
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(outcome.stderr.contains("Cannot check `profile.expectations[0]`: it asks in SQL"), "{outcome}");
}

#[test]
fn drift_is_measured_against_the_latest_run_that_passed() {
    let sandbox = workspace(&published("type = \"rows_within\"\nkwargs = { tolerance = 0.5 }"));
    let run = |moment: i64| sandbox.run_at(1_700_000_000 + moment, &["refine", "data", "-o", "out.csv"]);
    assert_eq!(run(0).code, 0);
    let good = latest_run(&sandbox);
    let first_row = DATA.lines().take(2).collect::<Vec<_>>().join("\n");
    sandbox.write("data/works.csv", format!("{first_row}\n"));
    // The same bad data must not pass because they were tried before.
    for moment in [100, 200] {
        let outcome = run(moment);
        assert_eq!(outcome.code, 3, "{outcome}");
        assert!(outcome.stdout.contains("rows_within"), "{outcome}");
    }
    // Another profile is another table.
    sandbox.write(
        "hotpass.toml",
        format!(
            "[profile]\nname = \"aviation\"\n{}",
            published("type = \"rows_within\"\nkwargs = { tolerance = 0.5 }\nseverity = \"fail\"")
        ),
    );
    let other = sandbox.run_at(1_700_000_300, &["refine", "data", "-o", "other.csv"]);
    assert!(!other.stdout.contains("failed (fail): ssot: rows_within"), "{other}");

    sandbox.write("hotpass.toml", published("type = \"rows_within\"\nkwargs = { tolerance = 0.5 }"));
    std::fs::write(good.join("profile.json"), "{").expect("the profile is damaged");
    let outcome = run(400);
    assert_eq!(outcome.code, 0, "{outcome}");
    let id = good.file_name().and_then(|name| name.to_str()).expect("an id");
    assert!(outcome.stderr.contains(&format!("The figures of run `{id}` could not be read")), "{outcome}");
    assert!(outcome.stderr.contains("measured against nothing"), "{outcome}");
}

#[test]
fn nothing_is_not_a_number_where_every_entity_is_withheld() {
    let regex = "type = \"match_regex\"\ncolumn = \"website\"\nregex = \"[.]test$\"\nseverity = \"quarantine\"";
    let sandbox = workspace(&published(regex));
    let outcome = refine(&sandbox);
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(outcome.stderr.contains("The published table is empty"), "{outcome}");
    assert!(outcome.stdout.contains("Quality is not known, since nothing is published"), "{outcome}");
    assert!(!outcome.stdout.contains("NaN") && !outcome.stderr.contains("NaN"), "{outcome}");
    for file in std::fs::read_dir(latest_run(&sandbox)).expect("the run").flatten().filter(|file| file.path().is_file())
    {
        let text = String::from_utf8_lossy(&std::fs::read(file.path()).expect("a file")).into_owned();
        assert!(!text.contains("NaN"), "{}", file.path().display());
    }
    assert_eq!(sandbox.run(&["report"]).code, 0);
    // A row of a withheld entity names the column that the expectation is on.
    let listed = sandbox.run(&["quarantine", "list", "--rows", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&listed.stdout).expect("JSON");
    assert!(document["rows"].as_array().unwrap().iter().all(|row| row["column"] == "C"), "{listed}");
}

#[test]
fn what_a_severity_or_a_source_cannot_do_is_told() {
    let sandbox = workspace(&of_source(&[
        "type = \"expect_table_row_count_to_be_between\"\nkwargs = { min_value = 1, max_value = 9 }\nseverity = \"quarantine\"",
        "type = \"rows_within\"\nkwargs = { tolerance = 0.1 }",
    ]));
    let outcome = refine(&sandbox);
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(outcome.stderr.contains("`profile.sources[0].expectations[0]`"), "{outcome}");
    assert!(outcome.stderr.contains("severity `quarantine` takes none out"), "{outcome}");
    assert!(outcome.stderr.contains("`rows_within` always holds"), "{outcome}");
}

#[test]
fn values_of_people_are_not_shown_and_unknown_columns_are_told() {
    let sandbox = workspace(SOURCE);
    let show = |columns: &str| {
        sandbox.run(&["refine", "data", "-o", "out.csv", "--set", &format!("quality.shown_columns={columns}")])
    };
    for personal in ["contact_primary_email", "Fee,contact_email"] {
        let refused = show(personal);
        assert_eq!(refused.code, 2, "{refused}");
        assert!(refused.stderr.contains("`quality.shown_columns` are personal"), "{refused}");
    }
    let unknown = show("Fee,Feee");
    assert_eq!(unknown.code, 0, "{unknown}");
    assert!(unknown.stderr.contains("no table has: `Feee`"), "{unknown}");
    assert!(!unknown.stderr.contains("no table has: `Fee`"), "{unknown}");
}

#[test]
fn broken_decisions_are_a_mistake_for_every_verb() {
    let regex = "type = \"match_regex\"\ncolumn = \"website\"\nregex = \"[.]test$\"\nseverity = \"quarantine\"";
    let sandbox = workspace(&published(regex));
    assert_eq!(refine(&sandbox).code, 0);
    sandbox.write("dist/decisions/quarantine.ndjson", "{\n");
    let release = ["quarantine", "release", "--all", "--decision", "x", "--operator", "y"];
    for refused in [refine(&sandbox), sandbox.run(&release)] {
        assert_eq!(refused.code, 2, "{refused}");
        assert!(refused.stderr.contains("line 1") && refused.stderr.contains("hint: Correct line 1"), "{refused}");
    }
}

#[test]
fn resolve_reads_a_suite_as_refine_does() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "people.csv",
        "unique_id,organization_name,town,fee\n1,Acacia Works,Gqeberha,9\n2,Baobab Hall, ,100\n3,Cedar Yard,,9\n",
    );
    let suite = |severity: &str| {
        format!(
            r#"{{"name": "people", "expectations": [
            {{"type": "expect_column_values_to_be_between", "kwargs": {{"column": "unique_id", "min_value": 1, "max_value": 1000}}}},
            {{"type": "expect_column_mean_to_be_between", "kwargs": {{"column": "fee", "min_value": 1, "max_value": 50}}}},
            {{"type": "expect_column_values_to_not_be_null", "kwargs": {{"column": "town"}}, "meta": {{"hotpass": {{"severity": "{severity}"}}}}}}]}}"#
        )
    };
    sandbox.write("people.suite.json", suite("warn"));
    let resolve = ["resolve", "--input-file", "people.csv", "--no-probabilistic", "--output-file", "out.csv"];
    let suite_flag = ["--expectation-suite", "people.suite.json"];
    let outcome = sandbox.run(&[&resolve[..], &suite_flag].concat());
    assert_eq!(outcome.code, 0, "{outcome}");
    let quality = std::fs::read_to_string(sandbox.path("linkage/quality.json")).expect("the results");
    assert!(!quality.contains("exception_message\": \"") && quality.contains("\"unexpected_count\": 2"), "{quality}");

    sandbox.write("people.suite.json", suite("quarantine"));
    let outcome = sandbox.run(&[&resolve[..], &suite_flag].concat());
    assert_eq!(outcome.code, 3, "{outcome}");
    assert!(outcome.stderr.contains("severity `quarantine` are written all the same"), "{outcome}");
    assert_eq!(std::fs::read_to_string(sandbox.path("out.csv")).expect("the rows").lines().count(), 4);
    let listed = sandbox.run(&["quarantine", "list"]);
    assert_eq!(listed.code, 2, "{listed}");
    assert!(listed.stderr.contains("has no quarantine: it was made by `hotpass resolve`"), "{listed}");

    sandbox.write("people.suite.json", suite("fatal"));
    let outcome = sandbox.run(&[&resolve[..], &suite_flag].concat());
    assert_eq!(outcome.code, 2, "{outcome}");
    for told in [
        "Cannot use suite `people.suite.json`",
        "Expectation 3 `expect_column_values_to_not_be_null`: unknown severity",
    ] {
        assert!(outcome.stderr.contains(told), "{told}: {outcome}");
    }

    sandbox.write(
        "people.contract.json",
        r#"{"hotpass_contract": 1, "name": "people", "fields": [{"name": "town", "nullable": false}]}"#,
    );
    let outcome = sandbox.run(&[&resolve[..], &["--contract", "people.contract.json"]].concat());
    assert_eq!(outcome.code, 3, "{outcome}");
    assert!(outcome.stderr.contains("rows (`town` "), "{outcome}");
}
