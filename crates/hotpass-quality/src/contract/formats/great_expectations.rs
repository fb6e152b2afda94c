//! Great Expectations suites, 1.x: `{name, expectations: [{type, kwargs, meta}], meta}`.

use serde_json::{Map, Value, json};

use super::{Notices, anchored, extension, lexical, number_or_text, text_of, texts_of, unanchored};
use crate::contract::error::ContractError;
use crate::contract::model::{Contract, Field, Limit, LogicalType};

const FORMAT: &str = "Great Expectations suite";
/// Version whose form is written.
const VERSION: &str = "1.24.1";

pub(super) fn write(contract: &Contract, notices: &mut Notices) -> Value {
    let mut suite = plain(contract, notices);
    let read_back = read(&suite, &mut Notices::default()).unwrap_or_default();
    let fields: Vec<Value> = contract
        .fields
        .iter()
        .map(|field| {
            let difference = extension::of_field(field, read_back.field(&field.name));
            let mut entry = json!({"name": field.name});
            if let (Some(entry), Some(Value::Object(difference))) = (entry.as_object_mut(), difference) {
                entry.extend(difference);
            }
            entry
        })
        .collect();
    let mut extension = extension::of_contract(contract, &read_back).unwrap_or_else(|| json!({}));
    extension["fields"] = fields.into();
    suite["meta"][extension::KEY] = extension;
    suite
}

fn plain(contract: &Contract, notices: &mut Notices) -> Value {
    let mut expectations: Vec<Value> = Vec::new();
    let mut expect = |kind: &str, kwargs: Value| {
        expectations.push(json!({"type": kind, "kwargs": kwargs, "meta": {}}));
    };
    if !contract.rows.is_open() {
        let mut kwargs = Map::new();
        for (key, count) in [("min_value", contract.rows.min), ("max_value", contract.rows.max)] {
            if let Some(count) = count {
                kwargs.insert(key.into(), count.into());
            }
        }
        expect("expect_table_row_count_to_be_between", kwargs.into());
    }
    let names: Vec<&str> = contract.fields.iter().map(|field| field.name.as_str()).collect();
    let all = contract.fields.iter().all(|field| contract.requires(field));
    match (contract.extra_columns, all, contract.ordered) {
        (false, true, true) => expect("expect_table_columns_to_match_ordered_list", json!({"column_list": names})),
        (false, true, false) => {
            expect("expect_table_columns_to_match_set", json!({"column_set": names, "exact_match": true}));
        }
        (false, false, _) => notices.table("A suite cannot forbid further columns where some may be missing"),
        (true, _, true) => notices.table("A suite asks for an order of columns only where it forbids further ones"),
        _ => {}
    }
    for field in &contract.fields {
        write_field(contract, field, notices, &mut expect);
    }
    match contract.primary_key.as_slice() {
        [] => {}
        [only] => {
            let column = contract.field(only);
            if column.is_some_and(|field| !field.unique) {
                expect("expect_column_values_to_be_unique", json!({"column": only}));
            }
            if column.is_some_and(|field| field.nullable) {
                expect("expect_column_values_to_not_be_null", json!({"column": only}));
            }
        }
        several => {
            expect("expect_compound_columns_to_be_unique", json!({"column_list": several}));
            notices.table("A suite passes over rows in which every value of the primary key is missing");
        }
    }
    for key in &contract.unique_keys {
        match key.as_slice() {
            [only] => expect("expect_column_values_to_be_unique", json!({"column": only})),
            several => expect(
                "expect_compound_columns_to_be_unique",
                json!({"column_list": several, "ignore_row_if": "any_value_is_missing"}),
            ),
        }
    }
    if !contract.primary_key.is_empty()
        || !contract.unique_keys.is_empty()
        || contract.fields.iter().any(|field| field.unique)
    {
        notices.table("Great Expectations counts every row of a value that is not unique, Hotpass all but the first");
    }
    for (there, what) in [
        (!contract.foreign_keys.is_empty(), "foreign keys"),
        (contract.freshness.is_some(), "freshness"),
        (contract.missing_values != [""], "values that mean no value"),
        (contract.owner.is_some(), "owner"),
    ] {
        if there {
            notices.table(format!("A suite has no {what}"));
        }
    }
    let mut suite = Map::new();
    suite.insert("name".into(), contract.name.clone().into());
    suite.insert("expectations".into(), expectations.into());
    suite.insert("meta".into(), json!({"great_expectations_version": VERSION}));
    if let Some(description) = &contract.description {
        suite.insert("notes".into(), description.clone().into());
    }
    Value::Object(suite)
}

fn write_field(contract: &Contract, field: &Field, notices: &mut Notices, expect: &mut dyn FnMut(&str, Value)) {
    let column = &field.name;
    if contract.requires(field) {
        expect("expect_column_to_exist", json!({"column": column}));
    } else {
        notices.column(column, "an expectation on a column fails where the column is missing");
    }
    if !field.nullable {
        expect("expect_column_values_to_not_be_null", json!({"column": column}));
    }
    if field.unique {
        expect("expect_column_values_to_be_unique", json!({"column": column}));
    }
    let numeric = field.logical_type.is_numeric();
    match (field.logical_type, &field.format) {
        (LogicalType::Text | LogicalType::Any, None) => {}
        (LogicalType::Text, Some(form)) => notices.column(column, format!("a suite has no `{form}` form of text")),
        (LogicalType::Date | LogicalType::Timestamp | LogicalType::Time, Some(pattern)) if pattern != "any" => {
            expect(
                "expect_column_values_to_match_strftime_format",
                json!({"column": column, "strftime_format": pattern}),
            );
        }
        (other, _) => {
            notices.column(column, format!("a suite cannot say that text is read as {}", other.name()));
        }
    }
    if let Some(pattern) = &field.pattern {
        expect("expect_column_values_to_match_regex", json!({"column": column, "regex": anchored(pattern)}));
    }
    if field.min_length.is_some() || field.max_length.is_some() {
        let mut kwargs = json!({"column": column});
        for (key, length) in [("min_value", field.min_length), ("max_value", field.max_length)] {
            if let Some(length) = length {
                kwargs[key] = length.into();
            }
        }
        expect("expect_column_value_lengths_to_be_between", kwargs);
    }
    if field.minimum.is_some() || field.maximum.is_some() {
        let mut kwargs = json!({"column": column});
        for (limit, key, strict) in
            [(&field.minimum, "min_value", "strict_min"), (&field.maximum, "max_value", "strict_max")]
        {
            let Some(limit) = limit else { continue };
            kwargs[key] = number_or_text(&limit.value, numeric);
            if limit.exclusive {
                kwargs[strict] = true.into();
            }
        }
        expect("expect_column_values_to_be_between", kwargs);
        if !numeric {
            notices.column(column, "a suite compares dates and times as the batch holds them, text as text");
        }
    }
    if !field.enumeration.is_empty() {
        let values: Vec<Value> = field.enumeration.iter().map(|value| number_or_text(value, numeric)).collect();
        expect("expect_column_values_to_be_in_set", json!({"column": column, "value_set": values}));
    }
    if field.title.is_some()
        || field.description.is_some()
        || field.classification.is_some()
        || !field.examples.is_empty()
    {
        notices.column(column, "a suite has no words about columns");
    }
}

pub(super) fn read(suite: &Value, notices: &mut Notices) -> Result<Contract, ContractError> {
    let problem = |problem: &str| ContractError::Document { format: FORMAT, problem: problem.to_owned() };
    let expectations =
        suite.get("expectations").and_then(Value::as_array).ok_or_else(|| problem("`expectations` is no list"))?;
    let name = text_of(suite, "name").or_else(|| text_of(suite, "expectation_suite_name"));
    let mut contract = Contract {
        description: text_of(suite, "notes"),
        ..Contract::new(name.ok_or_else(|| problem("it has no name"))?)
    };
    let own = suite.get("meta").and_then(|meta| meta.get(extension::KEY));
    let listed = own.and_then(|own| own.get("fields")).and_then(Value::as_array);
    for entry in listed.into_iter().flatten() {
        if let Some(name) = text_of(entry, "name") {
            contract.fields.push(Field { required: false, ..Field::new(name, LogicalType::Any) });
        }
    }
    for expectation in expectations {
        let kind =
            text_of(expectation, "type").or_else(|| text_of(expectation, "expectation_type")).unwrap_or_default();
        let kwargs = expectation.get("kwargs").cloned().unwrap_or_default();
        let column = text_of(&kwargs, "column");
        if kwargs.get("mostly").and_then(Value::as_f64).is_some_and(|mostly| mostly < 1.0) {
            let message = format!("`{kind}` holds for most values only and is not taken over");
            notices.0.push(super::Notice { column, message });
            continue;
        }
        match column {
            Some(column) => read_column(&kind, &column, &kwargs, &mut contract, notices),
            None => read_table(&kind, &kwargs, &mut contract, notices),
        }
    }
    for field in &mut contract.fields {
        // What only text can keep tells that the column holds text.
        if field.pattern.is_some() || field.min_length.is_some() || field.max_length.is_some() {
            field.logical_type = LogicalType::Text;
        }
        let limit = field.minimum.as_ref().or(field.maximum.as_ref());
        if let Some(limit) = limit
            && field.logical_type == LogicalType::Any
        {
            if limit.value.parse::<f64>().is_ok() {
                field.logical_type = LogicalType::Number;
            } else {
                notices.column(&field.name, "limits that are no numbers are not taken over");
                (field.minimum, field.maximum) = (None, None);
            }
        }
    }
    for entry in listed.into_iter().flatten() {
        let name = text_of(entry, "name");
        if let Some(field) = contract.fields.iter_mut().find(|field| Some(&field.name) == name.as_ref()) {
            *field = extension::apply(std::mem::take(field), Some(entry));
        }
    }
    let mut table = own.cloned();
    if let Some(object) = table.as_mut().and_then(Value::as_object_mut) {
        object.remove("fields");
    }
    Ok(extension::apply(contract, table.as_ref()))
}

fn field_of<'a>(contract: &'a mut Contract, name: &str) -> &'a mut Field {
    let position = contract.fields.iter().position(|field| field.name == name).unwrap_or_else(|| {
        contract.fields.push(Field { required: false, ..Field::new(name, LogicalType::Any) });
        contract.fields.len() - 1
    });
    &mut contract.fields[position]
}

fn read_column(kind: &str, column: &str, kwargs: &Value, contract: &mut Contract, notices: &mut Notices) {
    let field = field_of(contract, column);
    let count = |key: &str| kwargs.get(key).and_then(Value::as_u64);
    match kind {
        "expect_column_to_exist" => field.required = true,
        "expect_column_values_to_not_be_null" => field.nullable = false,
        "expect_column_values_to_be_unique" => field.unique = true,
        "expect_column_values_to_match_regex" => {
            field.pattern = text_of(kwargs, "regex").map(|regex| unanchored(&regex));
        }
        "expect_column_value_lengths_to_be_between" => {
            (field.min_length, field.max_length) = (count("min_value"), count("max_value"));
        }
        "expect_column_value_lengths_to_equal" => {
            (field.min_length, field.max_length) = (count("value"), count("value"));
        }
        "expect_column_values_to_be_between" => {
            let strict = |key: &str| kwargs.get(key).and_then(Value::as_bool).unwrap_or(false);
            let limit =
                |key: &str, exclusive: bool| Some(Limit { value: kwargs.get(key).and_then(lexical)?, exclusive });
            field.minimum = limit("min_value", strict("strict_min"));
            field.maximum = limit("max_value", strict("strict_max"));
        }
        "expect_column_values_to_be_in_set" => {
            field.enumeration = kwargs
                .get("value_set")
                .and_then(Value::as_array)
                .map(|values| values.iter().filter_map(lexical).collect())
                .unwrap_or_default();
        }
        "expect_column_values_to_match_strftime_format" => {
            field.format = text_of(kwargs, "strftime_format");
            let time = field.format.as_ref().is_some_and(|format| format.contains("%H"));
            field.logical_type = if time { LogicalType::Timestamp } else { LogicalType::Date };
        }
        other => notices.column(column, format!("`{other}` is not taken over")),
    }
}

fn read_table(kind: &str, kwargs: &Value, contract: &mut Contract, notices: &mut Notices) {
    let count = |key: &str| kwargs.get(key).and_then(Value::as_u64);
    match kind {
        "expect_table_row_count_to_be_between" => {
            contract.rows.min = count("min_value");
            contract.rows.max = count("max_value");
        }
        "expect_table_row_count_to_equal" => {
            contract.rows.min = count("value");
            contract.rows.max = count("value");
        }
        "expect_table_columns_to_match_ordered_list" | "expect_table_columns_to_match_set" => {
            let ordered = kind.ends_with("ordered_list");
            let names = texts_of(kwargs.get(if ordered { "column_list" } else { "column_set" }));
            for name in names {
                field_of(contract, &name).required = true;
            }
            contract.ordered = ordered;
            contract.extra_columns = kwargs.get("exact_match").and_then(Value::as_bool) == Some(false);
        }
        "expect_compound_columns_to_be_unique" => {
            let names = texts_of(kwargs.get("column_list"));
            for name in &names {
                field_of(contract, name);
            }
            if text_of(kwargs, "ignore_row_if").as_deref() == Some("any_value_is_missing") {
                contract.unique_keys.push(names);
            } else {
                contract.primary_key = names;
            }
        }
        other => notices.table(format!("`{other}` is not taken over")),
    }
}
