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
fn titles_tell_expectations_of_one_name_apart() {
    let fee = |name: &str| Expectation::column(name, "fee");
    let object = json!({"type": "and", "conditions": [
        {"type": "comparison", "column": {"name": "town"}, "operator": "==", "parameter": "Gqeberha"},
        {"type": "or", "conditions": [
            {"type": "nullity", "column": {"name": "n"}, "is_null": false},
            {"type": "comparison", "column": {"name": "n"}, "operator": "NOT_IN", "parameter": [1, 2]},
        ]},
    ]});
    for (expectation, title) in [
        (fee("not_null"), "fee not_null"),
        (fee("not_null").with("mostly", 0.9), "fee not_null, mostly 0.9"),
        (fee("not_null").with("row_condition", "n > 5"), "fee not_null, where n > 5"),
        (
            fee("not_null").with("mostly", 0.5).with("row_condition", object),
            "fee not_null, mostly 0.5, where town == \"Gqeberha\" and (n.notnull() or n not in [1, 2])",
        ),
        (fee("between").with("min_value", 2), "fee between at least 2"),
        (fee("between").with("min_value", 2).with("strict_min", true), "fee between above 2"),
        (fee("between").with("max_value", 5).with("strict_max", true), "fee between below 5"),
        (fee("between").with("min_value", 2).with("max_value", 5), "fee between 2 and 5"),
        (
            fee("between").with("min_value", 2).with("max_value", 5).with("strict_max", true),
            "fee between at least 2 and below 5",
        ),
    ] {
        assert_eq!(expectation.title(), title);
    }
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

/// Two columns of whole numbers with a missing one, as numbers and as text.
fn numbers_and_texts() -> [RecordBatch; 2] {
    let (a, b) = ([Some(9), Some(100), Some(10), Some(9), None], [10, 99, 9, 9, 4].map(Some));
    let numbers = |values: [Option<i64>; 5]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
    let texts = |values: [Option<i64>; 5]| {
        Arc::new(values.iter().map(|value| value.map(|value| value.to_string())).collect::<StringArray>()) as ArrayRef
    };
    [[numbers(a), numbers(b)], [texts(a), texts(b)]]
        .map(|[a, b]| RecordBatch::try_from_iter_with_nullable([("a", a, true), ("b", b, true)]).unwrap())
}

fn run_on(batch: &RecordBatch, expectation: Expectation, numbers_in_text: bool) -> crate::ExpectationResult {
    let options = SuiteOptions { numbers_in_text, all_positions: true, ..SuiteOptions::default() };
    let mut run = Suite::new("s", [expectation]).compile(&batch.schema(), &options).unwrap();
    run.add(batch).unwrap();
    run.finish().results.remove(0)
}

/// Name and arguments of an expectation, and what it says of the columns above: the rows that fail, or the verdict.
type MeetsNumbers = (&'static str, Value, Result<Vec<u64>, bool>);

/// Returns every kind of expectation that can meet a number.
fn kinds_that_meet_numbers() -> Vec<MeetsNumbers> {
    let rows = |failed: &[u64]| Ok(failed.to_vec());
    let pairs = json!([[9, 10], [100, 99], [10, 9.0]]);
    let kl = json!({"partition_object": {"values": [9, 10, 100], "weights": [0.5, 0.25, 0.25]}, "threshold": 1e-9});
    let bins = json!({"partition_object": {"bins": [0, 9.5, 200], "weights": [0.5, 0.5]}, "threshold": 1e-9});
    vec![
        ("expect_column_values_to_be_in_set", json!({"value_set": [9, 100]}), rows(&[2])),
        ("expect_column_values_to_be_in_set", json!({"value_set": [9.0, 10, 100.0]}), rows(&[])),
        ("expect_column_values_to_be_in_set", json!({"value_set": []}), rows(&[0, 1, 2, 3])),
        ("expect_column_values_to_not_be_in_set", json!({"value_set": [9]}), rows(&[0, 3])),
        ("expect_column_values_to_not_be_in_set", json!({"value_set": []}), rows(&[])),
        ("expect_column_values_to_be_between", json!({"min_value": 9, "max_value": 99}), rows(&[1])),
        ("expect_column_values_to_be_between", json!({"min_value": 9.5}), rows(&[0, 3])),
        ("expect_column_values_to_be_increasing", json!({}), rows(&[2, 3])),
        ("expect_column_values_to_be_decreasing", json!({"strictly": true}), rows(&[1])),
        ("expect_column_value_z_scores_to_be_less_than", json!({"threshold": 1.2}), rows(&[1])),
        ("expect_column_values_to_be_unique", json!({}), rows(&[0, 3])),
        ("expect_column_pair_values_to_be_equal", json!({}), rows(&[0, 1, 2, 4])),
        ("expect_column_pair_values_a_to_be_greater_than_b", json!({}), rows(&[0, 3, 4])),
        ("expect_column_pair_values_a_to_be_greater_than_b", json!({"or_equal": true}), rows(&[0, 4])),
        ("expect_column_pair_values_to_be_in_set", json!({"value_pairs_set": pairs}), rows(&[3, 4])),
        ("expect_compound_columns_to_be_unique", json!({}), rows(&[])),
        ("expect_select_column_values_to_be_unique_within_record", json!({}), rows(&[3])),
        ("expect_multicolumn_values_to_be_unique", json!({}), rows(&[3])),
        ("expect_multicolumn_values_to_be_equal", json!({}), rows(&[0, 1, 2, 4])),
        ("expect_multicolumn_sum_to_equal", json!({"sum_total": 19}), rows(&[1, 3, 4])),
        ("expect_column_min_to_be_between", json!({"min_value": 9, "max_value": 9}), Err(true)),
        ("expect_column_max_to_be_between", json!({"min_value": 100}), Err(true)),
        ("expect_column_sum_to_be_between", json!({"min_value": 128, "max_value": 128}), Err(true)),
        ("expect_column_mean_to_be_between", json!({"min_value": 32, "max_value": 32}), Err(true)),
        ("expect_column_median_to_be_between", json!({"min_value": 9.5, "max_value": 9.5}), Err(true)),
        ("expect_column_stdev_to_be_between", json!({"min_value": 45, "max_value": 46}), Err(true)),
        (
            "expect_column_quantile_values_to_be_between",
            json!({"quantile_ranges": {"quantiles": [0, 1], "value_ranges": [[9, 9], [100, 100]]}}),
            Err(true),
        ),
        ("expect_column_unique_value_count_to_be_between", json!({"min_value": 3, "max_value": 3}), Err(true)),
        ("expect_column_proportion_of_unique_values_to_be_between", json!({"max_value": 0.75}), Err(true)),
        ("expect_column_proportion_of_non_null_values_to_be_between", json!({"max_value": 0.8}), Err(true)),
        ("expect_column_distinct_values_to_be_in_set", json!({"value_set": [9, 10, 100, 7]}), Err(true)),
        ("expect_column_distinct_values_to_be_in_set", json!({"value_set": [9, 10]}), Err(false)),
        ("expect_column_distinct_values_to_contain_set", json!({"value_set": [9.0, 100]}), Err(true)),
        ("expect_column_distinct_values_to_contain_set", json!({"value_set": [9, 8]}), Err(false)),
        ("expect_column_distinct_values_to_contain_set", json!({"value_set": []}), Err(true)),
        ("expect_column_distinct_values_to_equal_set", json!({"value_set": [9, 10, 100]}), Err(true)),
        ("expect_column_distinct_values_to_equal_set", json!({"value_set": []}), Err(false)),
        ("expect_column_most_common_value_to_be_in_set", json!({"value_set": [9]}), Err(true)),
        ("expect_column_most_common_value_to_be_in_set", json!({"value_set": [10]}), Err(false)),
        ("expect_column_kl_divergence_to_be_less_than", kl, Err(true)),
        ("expect_column_kl_divergence_to_be_less_than", bins, Err(true)),
    ]
}

/// Kinds that ask for presence or the type of a column, or whose arguments are texts.
const KINDS_WITHOUT_NUMBERS: [&str; 20] = [
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_be_null",
    "expect_column_values_to_match_regex",
    "expect_column_values_to_not_match_regex",
    "expect_column_values_to_match_regex_list",
    "expect_column_values_to_not_match_regex_list",
    "expect_column_values_to_match_like_pattern",
    "expect_column_values_to_not_match_like_pattern",
    "expect_column_values_to_match_like_pattern_list",
    "expect_column_values_to_not_match_like_pattern_list",
    "expect_column_value_lengths_to_be_between",
    "expect_column_value_lengths_to_equal",
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
    "expect_column_values_to_match_strftime_format",
    "expect_column_values_to_be_dateutil_parseable",
    "expect_column_values_to_be_json_parseable",
    "expect_column_type_to_be",
    "expect_column_fill_to_be_within",
    "expect_column_distinct_count_change_to_be_within",
];

fn on_a_and_b(name: &str, kwargs: &Value) -> Expectation {
    use hotpass_core::expectations::ExpectationDomain as D;
    let expectation = Expectation::new(name);
    let expectation = match expectation.spec().unwrap().domain {
        D::Pair => expectation.with("column_A", "a").with("column_B", "b").with("ignore_row_if", "neither"),
        D::Columns => expectation.with("column_list", json!(["a", "b"])).with("ignore_row_if", "never"),
        _ => expectation.with("column", "a"),
    };
    kwargs
        .as_object()
        .unwrap()
        .iter()
        .fold(expectation, |expectation, (name, value)| expectation.with(name, value.clone()))
}

#[test]
fn numbers_and_texts_that_spell_them_get_the_same_verdict_from_every_kind() {
    let [numbers, texts] = numbers_and_texts();
    for (name, kwargs, expected) in kinds_that_meet_numbers() {
        for batch in [&numbers, &texts] {
            let of = batch.schema().field(0).data_type().clone();
            let result = run_on(batch, on_a_and_b(name, &kwargs), true);
            assert_eq!(result.exception, None, "{name} {kwargs} on {of}");
            match &expected {
                Ok(failed) => assert_eq!(&result.failed_rows, failed, "{name} {kwargs} on {of}"),
                Err(success) => assert_eq!(result.success, *success, "{name} {kwargs} on {of}"),
            }
        }
    }
}

#[test]
fn every_kind_says_whether_it_meets_numbers() {
    use hotpass_core::expectations::ExpectationDomain as D;
    let met = kinds_that_meet_numbers();
    for spec in hotpass_core::expectations::EXPECTATIONS.iter().filter(|spec| spec.domain != D::Table) {
        // Drift is judged on the typed table that is published.
        let known = met.iter().any(|(name, ..)| *name == spec.name) || spec.domain == D::Drift;
        assert!(known != KINDS_WITHOUT_NUMBERS.contains(&spec.name) || spec.domain == D::Drift, "{}", spec.name);
    }
}

#[test]
fn text_is_no_number_where_the_options_do_not_say_so() {
    let [_, texts] = numbers_and_texts();
    let check = |name: &str, kwargs: Value| run_on(&texts, on_a_and_b(name, &kwargs), false);
    assert_eq!(check("in_set", json!({"value_set": [9, 100]})).failed_rows, [0, 1, 2, 3]);
    assert!(check("not_in_set", json!({"value_set": [9]})).success);
    let greater = check("expect_column_pair_values_a_to_be_greater_than_b", json!({}));
    assert_eq!(greater.failed_rows, [1, 2, 3, 4]);
    for (name, kwargs) in [
        ("between", json!({"min_value": 9})),
        ("expect_column_value_z_scores_to_be_less_than", json!({"threshold": 3})),
        ("expect_column_mean_to_be_between", json!({"min_value": 1})),
    ] {
        assert!(check(name, kwargs).exception.is_some(), "{name}");
    }
}

#[test]
fn only_what_meets_a_number_is_read_as_one() {
    let texts = |values: &[&str]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let batch = RecordBatch::try_from_iter([
        ("a", texts(&["007", "7", "7.0", "seven", "inf"])),
        ("b", texts(&["7", "7", "7", "7", "7"])),
        ("t", texts(&["TRUE", "false", "1", "0", "yes"])),
    ])
    .unwrap();
    let failed = |name: &str, kwargs: Value| run_on(&batch, on_a_and_b(name, &kwargs), true).failed_rows;
    assert_eq!(failed("in_set", json!({"value_set": [7]})), [3, 4]);
    assert_eq!(failed("in_set", json!({"value_set": ["7"]})), [0, 2, 3, 4]);
    assert_eq!(failed("in_set", json!({"value_set": ["seven", 7]})), [4]);
    assert_eq!(failed("unique", json!({})), Vec::<u64>::new());
    assert_eq!(failed("expect_column_pair_values_to_be_equal", json!({})), [3, 4]);
    // A text that spells no number is neither above nor below one.
    assert_eq!(failed("expect_column_pair_values_a_to_be_greater_than_b", json!({"or_equal": true})), [3, 4]);
    assert_eq!(failed("in_set", json!({"column": "t", "value_set": [true, false]})), [4]);
    assert_eq!(
        failed("in_set", json!({"column": "t", "value_set": [true], "row_condition": "t == true"})),
        Vec::<u64>::new()
    );
    let least = run_on(&batch, on_a_and_b("expect_column_min_to_be_between", &json!({"min_value": "0"})), true);
    assert!(least.success, "text bounds compare texts: {:?}", least.exception);
}
