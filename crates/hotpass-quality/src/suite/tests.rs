use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use serde_json::json;

use super::*;

fn batch() -> RecordBatch {
    RecordBatch::try_from_iter([
        ("name", Arc::new(StringArray::from(vec![Some("a"), Some("b"), Some("a"), None, Some(" ")])) as ArrayRef),
        ("amount", Arc::new(Float64Array::from(vec![Some(1.0), Some(2.5), None, Some(4.0), Some(1.0)])) as ArrayRef),
        ("count", Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5])) as ArrayRef),
    ])
    .unwrap()
}

fn run(expectation: Expectation, options: &SuiteOptions) -> crate::ExpectationResult {
    let batch = batch();
    let mut run = Suite::new("s", [expectation]).compile(&batch.schema(), options).unwrap();
    // Two batches, so that what is kept between them matters.
    run.add(&batch.slice(0, 2)).unwrap();
    run.add(&batch.slice(2, 3)).unwrap();
    run.finish().results.remove(0)
}

#[test]
fn every_expectation_of_the_table_has_a_check() {
    for spec in hotpass_core::expectations::EXPECTATIONS {
        let mut expectation = Expectation::new(spec.name);
        use hotpass_core::expectations::ExpectationDomain as D;
        expectation = match spec.domain {
            D::Values | D::Aggregate | D::Drift => expectation.with("column", "count"),
            D::Pair => expectation.with("column_A", "count").with("column_B", "amount"),
            D::Columns => expectation.with("column_list", json!(["count", "amount"])),
            D::Table => expectation,
        };
        for name in spec.required {
            let value = match *name {
                "value_set" | "regex_list" | "like_pattern_list" | "type_list" => json!(["a"]),
                "value_pairs_set" => json!([[1, 1.0]]),
                "regex" | "like_pattern" | "type_" | "strftime_format" | "column" | "unexpected_rows_query" => {
                    json!("count")
                }
                "quantile_ranges" => json!({"quantiles": [0.5], "value_ranges": [[1, 5]]}),
                "partition_object" => json!({"bins": [0, 10], "weights": [1.0]}),
                _ => json!(1),
            };
            expectation = expectation.with(name, value);
        }
        if spec.optional.contains(&"min_value") {
            expectation = expectation.with("min_value", 0);
        }
        let options = SuiteOptions { sql: Some(Arc::new(NoRows)), ..SuiteOptions::default() };
        let result = run(expectation, &options);
        assert!(result.exception.as_ref().is_none_or(|reason| !reason.contains("bug")), "{}", spec.name);
    }
}

#[derive(Debug)]
struct NoRows;

impl crate::SqlChecks for NoRows {
    fn count_rows(&self, _query: &str, batches: &[RecordBatch]) -> Result<u64, String> {
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 5);
        Ok(0)
    }
}

#[test]
fn duplicates_across_batches_all_fail() {
    let unique = Expectation::column("unique", "name").severity(ExpectationSeverity::Quarantine);
    let result = run(unique, &SuiteOptions { blank_as_null: true, ..SuiteOptions::default() });
    assert_eq!(result.failed_rows, [0, 2]);
    assert_eq!(result.tally, Some(crate::RowTally { rows: 5, judged: 3, unexpected: 2 }));
    assert!(result.unexpected_values.is_empty());
}

#[test]
fn values_are_shown_only_where_allowed() {
    let in_set = Expectation::column("in_set", "name").with("value_set", json!(["a"]));
    let hidden = run(in_set.clone(), &SuiteOptions::default());
    assert_eq!(hidden.to_gx_json()["result"]["partial_unexpected_list"], json!([]));
    let shown = SuiteOptions { shown_columns: ["name".to_owned()].into(), ..SuiteOptions::default() };
    assert_eq!(run(in_set, &shown).to_gx_json()["result"]["partial_unexpected_list"], json!(["b", " "]));
}

#[test]
fn every_problem_is_said_at_once_with_the_nearest_name() {
    let suite = Suite::new(
        "s",
        [
            Expectation::column("expect_column_values_to_be_uniqe", "name"),
            Expectation::column("not_null", "nam"),
            Expectation::column("between", "count").with("min_value", 3).with("max_value", 1),
            Expectation::column("match_regex", "name").with("regx", "("),
            Expectation::column("match_regex", "name").with("regex", "("),
        ],
    );
    let Err(SuiteError::Problems { problems, .. }) = suite.compile(&batch().schema(), &SuiteOptions::default()) else {
        panic!("the suite is wrong");
    };
    let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        text,
        [
            "Expectation 1 `expect_column_values_to_be_uniqe`: unknown expectation; did you mean \
             `expect_column_values_to_be_unique`?",
            "Expectation 2 `not_null`: unknown column `nam`; did you mean `name`?",
            "Expectation 3 `between`: `max_value` lies below `min_value`",
            "Expectation 4 `match_regex`: unknown argument `regx`; did you mean `regex`?",
            "Expectation 5 `match_regex`: regular expression cannot be read: unclosed group",
        ]
    );
}

#[test]
fn a_column_that_is_not_there_can_fail_the_data() {
    let options = SuiteOptions { missing_columns: MissingColumns::Fail, ..SuiteOptions::default() };
    let result = run(Expectation::column("not_null", "nam"), &options);
    assert!(!result.success);
    assert_eq!(result.exception.as_deref(), Some("The column `nam` does not exist in the table"));
}

#[test]
fn a_suite_file_is_read_and_written_without_loss() {
    let suite = Suite::new(
        "contacts",
        [
            Expectation::column("expect_column_values_to_not_be_null", "name")
                .severity(ExpectationSeverity::Quarantine),
            Expectation::column("expect_column_values_to_be_unique", "count")
                .with("mostly", 0.5)
                .severity(ExpectationSeverity::Warn),
        ],
    );
    let text = suite.to_gx_json().to_string();
    assert!(text.contains("\"severity\":\"critical\"") && text.contains("\"warning\""));
    assert_eq!(Suite::from_gx_json(&text).unwrap(), suite);
    let old = r#"{"expectation_suite_name": "old", "expectations": [
        {"expectation_type": "expect_column_to_exist", "kwargs": {"column": "name", "result_format": "BASIC"}}], "meta": {}}"#;
    assert_eq!(Suite::from_gx_json(old).unwrap().expectations[0].kwargs.len(), 1);
    assert!(Suite::from_gx_json("{}").is_err());
}

#[test]
fn drift_is_judged_against_the_previous_profile_and_holds_without_one() {
    let fill = Expectation::column("fill_within", "name").with("tolerance", 0.1);
    assert!(run(fill.clone(), &SuiteOptions::default()).success);
    let column = crate::drift::ColumnProfile { rows: 10, missing: 0, distinct: 10, ..Default::default() };
    let profile = TableProfile { rows: 10, columns: [("name".to_owned(), column)].into() };
    let options = SuiteOptions { baseline: Some(Arc::new(profile)), ..SuiteOptions::default() };
    let result = run(fill, &options);
    assert!(!result.success);
    assert_eq!(result.observed, Some(json!(-0.4)));
    let rows = run(Expectation::new("rows_within").with("tolerance", 0.4), &options);
    assert_eq!((rows.success, rows.observed), (false, Some(json!(-0.5))));
}

#[test]
fn row_conditions_choose_the_rows_that_are_counted() {
    let condition = Expectation::column("between", "count").with("max_value", 3).with("row_condition", "amount >= 2");
    let result = run(condition, &SuiteOptions::default());
    assert_eq!(result.tally, Some(crate::RowTally { rows: 2, judged: 2, unexpected: 1 }));
    assert_eq!(result.failed_rows, [3]);
}
