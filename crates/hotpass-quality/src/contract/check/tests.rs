use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray, UInt32Array};

use super::*;
use crate::contract::model::{Field, ForeignKey, Freshness, LogicalType, Reference};

fn text(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    RecordBatch::try_from_iter(columns.iter().cloned()).expect("columns of one length")
}

fn contract(fields: Vec<Field>) -> Contract {
    Contract { fields, ..Contract::new("test") }
}

fn run(contract: &Contract, batches: &[RecordBatch], options: &CheckOptions) -> ContractResult {
    let mut check =
        ContractCheck::of_schema(contract, &batches[0].schema(), options).expect("a contract that can be kept");
    for batch in batches {
        check.add(batch).expect("a batch of the table");
    }
    check.finish()
}

fn counts(result: &ContractResult) -> Vec<(String, &'static str, u64)> {
    result.counts.iter().map(|count| (count.columns.join("+"), count.rule.name(), count.rows)).collect()
}

#[test]
fn rows_keep_their_numbers_and_columns_their_places() {
    let rows: ArrayRef = Arc::new(UInt32Array::from(vec![4, 7, 9]));
    let batch =
        batch(&[("__row", rows), ("other", text(&[None, None, None])), ("size", text(&[Some("1"), Some("x"), None]))]);
    let contract = contract(vec![Field { nullable: false, ..Field::new("size", LogicalType::Integer) }]);
    let mut check = ContractCheck::of_schema(&contract, &batch.schema(), &CheckOptions::default()).expect("kept");
    let found = check.add(&batch).expect("checked");
    let places: Vec<_> = found.iter().map(|v| (v.row, v.index, v.column, v.rule)).collect();
    assert_eq!(places, [(7, 1, Some(1), Rule::Type), (9, 2, Some(1), Rule::Required)]);
    let result = check.finish();
    assert_eq!((result.rows, result.failed_rows, result.passed), (3, 2, false));
}

#[test]
fn keys_reach_over_batches_and_equal_values_count_as_equal() {
    let fields = vec![
        Field { unique: true, ..Field::new("id", LogicalType::Number) },
        Field::new("a", LogicalType::Text),
        Field::new("b", LogicalType::Text),
    ];
    let contract =
        Contract { primary_key: vec!["a".into(), "b".into()], unique_keys: vec![vec!["b".into()]], ..contract(fields) };
    let first = batch(&[
        ("id", text(&[Some("1"), Some("2")])),
        ("a", text(&[Some("x"), Some("x")])),
        ("b", text(&[Some("y"), None])),
    ]);
    let second = batch(&[
        ("id", text(&[Some("1.0"), None, Some("oops")])),
        ("a", text(&[Some("x"), Some("x"), None])),
        ("b", text(&[Some("y"), None, None])),
    ]);
    let result = run(&contract, &[first, second], &CheckOptions::default());
    assert_eq!(
        counts(&result),
        [
            ("id".into(), "type", 1),
            ("id".into(), "unique", 1),
            ("a+b".into(), "primary_key", 3),
            ("b".into(), "unique_key", 1),
        ]
    );
    assert_eq!(result.failed_rows, 3);
}

#[test]
fn foreign_keys_look_into_other_tables_and_into_this_one() {
    let towns = Contract {
        foreign_keys: vec![ForeignKey {
            fields: vec!["town".into()],
            reference: Reference { dataset: Some("towns".into()), file: None, fields: vec!["code".into()] },
        }],
        ..contract(vec![Field::new("town", LogicalType::Integer)])
    };
    let mut keys = ReferenceKeys::new(&towns, &towns.foreign_keys[0]).expect("a key");
    keys.add(&batch(&[("name", text(&[Some("a"), Some("b")])), ("code", text(&[Some("1"), Some("2")]))]))
        .expect("read");
    assert_eq!(keys.len(), 2);
    let table = batch(&[("town", text(&[Some("01"), Some("3"), None]))]);
    let options =
        CheckOptions { references: [("towns".to_owned(), keys)].into_iter().collect(), ..CheckOptions::default() };
    let result = run(&towns, std::slice::from_ref(&table), &options);
    assert_eq!(counts(&result), [("town".into(), "foreign_key", 1)]);
    let result = run(&towns, &[table], &CheckOptions::default());
    assert!(result.passed && result.not_checked[0].contains("`towns`"), "{result:?}");

    let staff = Contract {
        foreign_keys: vec![ForeignKey {
            fields: vec!["boss".into()],
            reference: Reference { fields: vec!["id".into()], ..Reference::default() },
        }],
        ..contract(vec![Field::new("id", LogicalType::Text), Field::new("boss", LogicalType::Text)])
    };
    let first = batch(&[("id", text(&[Some("1"), Some("2")])), ("boss", text(&[Some("3"), Some("9")]))]);
    let second = batch(&[("id", text(&[Some("3")])), ("boss", text(&[None]))]);
    let result = run(&staff, &[first, second], &CheckOptions::default());
    assert_eq!(counts(&result), [("boss".into(), "foreign_key", 1)]);
    assert_eq!((result.failed_rows, result.violations[0].row), (1, 2));
}

#[test]
fn the_table_as_a_whole_is_checked() {
    let fields = vec![
        Field::new("day", LogicalType::Date),
        Field::new("company", LogicalType::Text),
        Field { required: false, ..Field::new("notes", LogicalType::Text) },
    ];
    let contract = Contract {
        freshness: Some(Freshness { column: "day".into(), max_age_days: 30 }),
        rows: RowCount { min: Some(3), max: None },
        extra_columns: false,
        ordered: true,
        ..contract(fields)
    };
    let table = batch(&[("Company", text(&[Some("x")])), ("day", text(&[Some("2025-01-01")]))]);
    let today = NaiveDate::from_ymd_opt(2025, 3, 1);
    let result = run(&contract, std::slice::from_ref(&table), &CheckOptions { today, ..CheckOptions::default() });
    let rules: Vec<_> = result.table.iter().map(|violation| violation.rule).collect();
    assert_eq!(rules, [Rule::MissingColumn, Rule::ExtraColumn, Rule::RowCount, Rule::Freshness]);
    assert_eq!(
        result.table[0].suggested_fix.as_deref(),
        Some("Rename column `Company` to `company`, or name it so in the contract")
    );
    assert!(result.table[3].message.contains("59 days old"), "{}", result.table[3].message);
    let today = NaiveDate::from_ymd_opt(2025, 1, 31);
    let result = run(&contract, &[table], &CheckOptions { today, ..CheckOptions::default() });
    assert!(result.table.iter().all(|violation| violation.rule != Rule::Freshness));
}

#[test]
fn columns_out_of_order_are_told_once() {
    let contract = Contract {
        ordered: true,
        ..contract(vec![Field::new("a", LogicalType::Text), Field::new("b", LogicalType::Text)])
    };
    let result = run(&contract, &[batch(&[("b", text(&[None])), ("a", text(&[None]))])], &CheckOptions::default());
    assert_eq!(result.table.iter().map(|violation| violation.rule).collect::<Vec<_>>(), [Rule::ColumnOrder]);
}

#[test]
fn typed_columns_are_read_as_what_they_are() {
    let fields = vec![
        Field { unique: true, ..Field::new("id", LogicalType::Integer) },
        Field::new("share", LogicalType::Integer),
        Field { format: Some("%d/%m/%Y".into()), ..Field::new("day", LogicalType::Date) },
        Field { true_values: vec!["yes".into()], ..Field::new("open", LogicalType::Boolean) },
        Field::new("name", LogicalType::Text),
    ];
    let table = batch(&[
        ("id", Arc::new(Int64Array::from(vec![Some(1), Some(1), None]))),
        ("share", Arc::new(Float64Array::from(vec![1.0, 1.5, -2.0]))),
        ("day", Arc::new(Date32Array::from(vec![0, 1, 2]))),
        ("open", Arc::new(BooleanArray::from(vec![true, false, true]))),
        ("name", Arc::new(Int64Array::from(vec![1, 2, 3]))),
    ]);
    let result = run(&contract(fields), &[table], &CheckOptions::default());
    assert_eq!(counts(&result), [("id".into(), "unique", 1), ("share".into(), "type", 1), ("name".into(), "type", 3)]);
}

#[test]
fn keys_that_take_too_much_memory_fail_the_table() {
    let contract = contract(vec![Field { unique: true, ..Field::new("id", LogicalType::Text) }]);
    let table = batch(&[("id", text(&[Some("1"), Some("2"), Some("3")]))]);
    let result = run(
        &contract,
        &[table.clone(), table],
        &CheckOptions { key_memory_bytes: 2 * KEY_BYTES, ..CheckOptions::default() },
    );
    assert!(!result.passed);
    assert_eq!(result.table.iter().map(|violation| violation.rule).collect::<Vec<_>>(), [Rule::Memory]);
}

#[test]
fn words_for_no_value_are_no_values() {
    let contract = Contract {
        missing_values: vec![String::new(), "n/a".into()],
        ..contract(vec![Field { nullable: false, ..Field::new("size", LogicalType::Text) }])
    };
    let result = run(&contract, &[batch(&[("size", text(&[Some("n/a"), Some("N/A")]))])], &CheckOptions::default());
    assert_eq!(counts(&result), [("size".into(), "required", 1)]);
}

#[test]
fn a_column_is_found_by_its_other_names_too() {
    let contract =
        contract(vec![Field::new("Unnamed: 1", LogicalType::Text), Field::new("Company Name", LogicalType::Text)]);
    let columns = [
        CheckedColumn::text(["Company  Name ", "Company Name", "company_name"]),
        CheckedColumn::text(["", "Unnamed: 1"]),
    ];
    let check = ContractCheck::new(&contract, &columns, &CheckOptions::default()).expect("kept");
    assert!(check.finish().passed);
}

#[test]
fn thousands_of_columns_are_bound_by_name() {
    let names: Vec<String> = (0..6000).map(|number| format!("column {number}")).collect();
    let columns: Vec<CheckedColumn> = names
        .iter()
        .map(|name| CheckedColumn { names: vec![name.clone()], data_type: DataType::Utf8, dated: false })
        .collect();
    let all = contract(names.iter().map(|name| Field::new(name.clone(), LogicalType::Text)).collect());
    let check = ContractCheck::new(&all, &columns, &CheckOptions::default()).expect("kept");
    assert_eq!(check.fields.len(), 6000);
    let others: Vec<CheckedColumn> = (0..6000)
        .map(|number| CheckedColumn { names: vec![format!("{number}")], data_type: DataType::Utf8, dated: false })
        .collect();
    let check = ContractCheck::new(&all, &others, &CheckOptions::default()).expect("kept");
    assert_eq!(check.finish().table.len(), 6000);
}

#[test]
fn cells_that_are_dates_keep_the_contract_whatever_the_form_of_text() {
    let contract = Contract {
        fields: vec![
            Field::new("when", LogicalType::Timestamp),
            Field { format: Some("%d/%m/%Y".into()), ..Field::new("day", LogicalType::Date) },
        ],
        freshness: Some(Freshness { column: "day".into(), max_age_days: 30 }),
        ..Contract::new("dated")
    };
    let batch = RecordBatch::try_from_iter([
        ("when", Arc::new(StringArray::from(vec!["2024-01-02", "2024-01-02T10:30:00"])) as ArrayRef),
        ("day", Arc::new(StringArray::from(vec!["2024-01-02", "03/01/2024"]))),
    ])
    .expect("columns of one length");
    let options = CheckOptions { today: NaiveDate::from_ymd_opt(2024, 1, 10), ..CheckOptions::default() };
    for (dated, failed) in [(true, 0), (false, 1)] {
        let columns = ["when", "day"].map(|name| CheckedColumn::text([name]).dated(dated));
        let mut check = ContractCheck::new(&contract, &columns, &options).expect("kept");
        check.add(&batch).expect("checked");
        let result = check.finish();
        assert_eq!((result.failed_rows, result.table.len()), (failed, 0), "{result:?}");
    }
    // A time of day is no date.
    let columns = ["when", "day"].map(|name| CheckedColumn::text([name]).dated(true));
    let mut check = ContractCheck::new(&contract, &columns, &options).expect("kept");
    let late = RecordBatch::try_from_iter([
        ("when", Arc::new(StringArray::from(vec!["2024-01-02"])) as ArrayRef),
        ("day", Arc::new(StringArray::from(vec!["2024-01-02T10:30:00"]))),
    ])
    .expect("columns of one length");
    assert_eq!(check.add(&late).expect("checked").len(), 1);
}

#[test]
fn a_table_with_none_of_the_columns_is_none_of_the_contract() {
    let field = Field { required: false, ..Field::new("a", LogicalType::Text) };
    let contract = Contract { fields: vec![field], ..Contract::new("partial") };
    let check = ContractCheck::new(&contract, &[CheckedColumn::text(["b"])], &CheckOptions::default()).expect("kept");
    let result = check.finish();
    assert!(!result.passed && result.table[0].message.contains("none of the contract's columns"), "{result:?}");
    assert!(result.context("b.csv").is_some_and(|context| context.details.issues.len() == 1));
}

#[test]
fn what_to_do_fits_what_is_wrong() {
    let optional = Field { required: false, ..Field::new("day", LogicalType::Date) };
    let contract = Contract {
        fields: vec![Field::new("v", LogicalType::Text), optional],
        freshness: Some(Freshness { column: "day".into(), max_age_days: 30 }),
        extra_columns: false,
        ..Contract::new("fixes")
    };
    let options = CheckOptions { today: NaiveDate::from_ymd_opt(2024, 1, 10), ..CheckOptions::default() };
    let fixes = |names: &[&str]| -> Vec<String> {
        let columns: Vec<CheckedColumn> = names.iter().map(|name| CheckedColumn::text([*name])).collect();
        let result = ContractCheck::new(&contract, &columns, &options).expect("kept").finish();
        result.table.into_iter().flat_map(|breach| [Some(breach.message), breach.suggested_fix]).flatten().collect()
    };
    assert_eq!(fixes(&["v"])[1], "Add column `day`, or take the freshness that names it out of the contract");
    assert!(fixes(&["v", "v", "day"])[0].contains("Column `v` is there more than once"));
    assert!(fixes(&["v", "day"])[1].contains("Fill column `day`"));
}
