//! Evaluation against values that DuckDB gave.

use arrow::array::Array;

use super::*;
use crate::sql::parse_record_expression;

/// A value as the fixture writes it: `NULL`, `true`, `'text'`, a number, `@seconds` for dates, `[…]`.
fn shown(array: &ArrayRef, row: usize) -> String {
    if array.data_type() == &DataType::Null || array.is_null(row) {
        return "NULL".to_owned();
    }
    match array.data_type() {
        DataType::Utf8 => format!("'{}'", array.as_string::<i32>().value(row)),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Float32 => array.as_primitive::<Float32Type>().value(row).to_string(),
        DataType::Date32 => format!("@{}", f64::from(array.as_primitive::<Date32Type>().value(row)) * 86_400.0),
        DataType::Timestamp(..) => {
            format!("@{}", array.as_primitive::<TimestampMicrosecondType>().value(row) as f64 / 1e6)
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>().value(row);
            let parts: Vec<String> = (0..list.len()).map(|at| shown(&list, at)).collect();
            format!("[{}]", parts.join(","))
        }
        other => other.to_string(),
    }
}

fn same(expected: &str, found: &str) -> bool {
    if expected == found {
        return true;
    }
    let number = |text: &str| text.trim_start_matches('@').parse::<f64>().ok();
    match (number(expected), number(found)) {
        (Some(one), Some(two)) if expected.starts_with('@') == found.starts_with('@') => {
            one.total_cmp(&two).is_eq()
                || (one - two).abs() <= 1e-7 * one.abs().max(two.abs()) && !expected.starts_with('@')
        }
        _ => false,
    }
}

/// One record: `e` is empty, `n` null, `l` a, b, a, `m` b and null, `k` a.
fn row_of_lists() -> RecordBatch {
    let list = |elements: &[Option<&str>]| Some(elements.iter().map(|element| element.map(str::to_owned)).collect());
    let columns = [
        ("e", list(&[])),
        ("n", None),
        ("l", list(&[Some("a"), Some("b"), Some("a")])),
        ("m", list(&[Some("b"), None])),
        ("k", list(&[Some("a")])),
    ];
    RecordBatch::try_from_iter_with_nullable(
        columns.map(|(name, value)| (name, text::text_lists(std::iter::once(value)), true)),
    )
    .expect("the columns are of one length")
}

#[test]
fn values_are_those_of_duckdb() {
    let batch = row_of_lists();
    let lists = Frame { batch: &batch, lenient: false };
    let mut wrong = Vec::new();
    let cases = include_str!("duckdb_cases.tsv").lines().filter_map(|line| line.split_once('\t'));
    for (sql, expected) in cases {
        let found = match parse_record_expression(sql) {
            Err(error) => format!("error: {error}"),
            Ok(expression) => lists
                .evaluate_spread(&expression)
                .map_or_else(|error| format!("error: {error}"), |value| shown(&value, 0)),
        };
        if !same(expected, &found) {
            wrong.push(format!("{sql}: {expected} but {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn parsed(sql: &str) -> Expression {
    parse_record_expression(sql).expect("the expression is valid")
}

#[test]
fn dictionaries_are_evaluated_on_their_values() {
    let dictionary: arrow::array::DictionaryArray<arrow::datatypes::Int8Type> =
        [Some("Ann"), None, Some("Bob"), Some("Ann"), Some("Ann"), Some("Bob")].into_iter().collect();
    let batch = RecordBatch::try_from_iter_with_nullable([("name", Arc::new(dictionary) as ArrayRef, true)])
        .expect("one column");
    for (sql, expected) in [
        ("lower(NAME)", texts(&[Some("ann"), None, Some("bob"), Some("ann"), Some("ann"), Some("bob")])),
        (
            "coalesce(name, 'none')",
            texts(&[Some("Ann"), Some("none"), Some("Bob"), Some("Ann"), Some("Ann"), Some("Bob")]),
        ),
    ] {
        assert_eq!(&evaluate(&parsed(sql), &batch).expect(sql), &expected, "{sql}");
    }
}

#[test]
fn all_text_types_give_the_same() {
    let plain = texts(&[Some("Ann"), None, Some("")]);
    for data_type in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View] {
        let values = arrow::compute::cast(&plain, &data_type).expect("text to text");
        let found = evaluate_values(&parsed("upper(name)"), &values).expect("text");
        assert_eq!(&found, &texts(&[Some("ANN"), None, Some("")]));
    }
}

#[test]
fn dates_leave_as_seconds() {
    let values: ArrayRef = Arc::new(Date32Array::from(vec![Some(1), None, Some(-1)]));
    let found = evaluate_values(&parsed("born"), &values).expect("dates");
    assert_eq!(found.as_primitive::<Float64Type>(), &Float64Array::from(vec![Some(86_400.0), None, Some(-86_400.0)]));
}

#[test]
fn expressions_over_one_column_are_known() {
    assert_eq!(single_column(&parsed("coalesce(lower(Name), name)")), Some("Name"));
    assert_eq!(single_column(&parsed("a || b")), None);
    assert_eq!(single_column(&parsed("1 + 1")), None);
}

#[test]
fn functions_of_the_library_are_evaluated() {
    let values = texts(&[Some("Robert"), None]);
    let found = evaluate_values(&parsed("soundex(name)"), &values).expect("text");
    assert_eq!(&found, &texts(&[Some("R163"), None]));
    let lists = evaluate_values(&parsed("length(double_metaphone(name))"), &values).expect("lists");
    assert!(lists.as_primitive::<Int64Type>().value(0) >= 1 && lists.is_null(1));
}

#[test]
fn errors_say_what_is_wrong() {
    let check = |sql: &str, expected: &str| {
        let error = evaluate_values(&parsed(sql), &texts(&[Some("x")])).expect_err(sql);
        assert_eq!(error.to_string(), expected);
    };
    check("CAST(name AS INT)", "A value cannot be cast to a whole number: use TRY_CAST for null instead");
    check("abs(name)", "`abs` takes numbers, not text");
    check("frobnicate(name)", "Function `frobnicate` has no native form for 1 arguments");
    check("regexp_matches(name, '(')", "`regexp_matches` has a pattern that cannot be used: error: unclosed group");
}
