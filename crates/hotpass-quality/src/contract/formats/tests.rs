use serde_json::Value;

use super::*;
use crate::contract::model::{Field, ForeignKey, Freshness, Limit, LogicalType, Reference, RowCount};

/// A contract that says everything a contract can say.
fn everything() -> Contract {
    let fields = vec![
        Field {
            nullable: false,
            unique: true,
            minimum: Some(Limit::inclusive("1")),
            maximum: Some(Limit::exclusive("1000000")),
            examples: vec!["17".into(), "18".into()],
            ..Field::new("id", LogicalType::Integer)
        },
        Field {
            title: Some("Company".into()),
            description: Some("Name of the company".into()),
            classification: Some("public".into()),
            pattern: Some("[A-Z].*|[0-9]+".into()),
            min_length: Some(2),
            max_length: Some(80),
            examples: vec!["Acacia Flying Club".into()],
            nullable: false,
            ..Field::new("Company Name", LogicalType::Text)
        },
        Field {
            format: Some("email".into()),
            classification: Some("pii".into()),
            ..Field::new("mail", LogicalType::Text)
        },
        Field { format: Some("phone".into()), ..Field::new("phone", LogicalType::Text) },
        Field {
            enumeration: vec!["active".into(), "dormant".into()],
            required: false,
            ..Field::new("status", LogicalType::Text)
        },
        Field {
            decimal_char: Some(",".into()),
            group_char: Some(" ".into()),
            decorated: true,
            minimum: Some(Limit::exclusive("0")),
            ..Field::new("price", LogicalType::Number)
        },
        Field {
            minimum: Some(Limit::inclusive("0.5")),
            enumeration: vec!["0.5".into(), "1".into()],
            ..Field::new("share", LogicalType::Number)
        },
        Field {
            true_values: vec!["yes".into()],
            false_values: vec!["no".into()],
            examples: vec!["yes".into()],
            ..Field::new("open", LogicalType::Boolean)
        },
        Field {
            format: Some("%d/%m/%Y".into()),
            minimum: Some(Limit::inclusive("01/01/2000")),
            ..Field::new("seen", LogicalType::Date)
        },
        Field { maximum: Some(Limit::inclusive("2030-01-01")), ..Field::new("due", LogicalType::Date) },
        Field::new("at", LogicalType::Timestamp),
        Field::new("from", LogicalType::Time),
        Field { nullable: false, ..Field::new("rest", LogicalType::Any) },
        Field { format: Some("any".into()), ..Field::new("some_day", LogicalType::Date) },
    ];
    Contract {
        version: "2.1.0".into(),
        title: Some("Companies".into()),
        description: Some("Companies that are called".into()),
        owner: Some("Outreach team".into()),
        fields,
        primary_key: vec!["id".into(), "seen".into()],
        unique_keys: vec![vec!["mail".into(), "phone".into()]],
        foreign_keys: vec![
            ForeignKey {
                fields: vec!["status".into()],
                reference: Reference { dataset: Some("states".into()), file: None, fields: vec!["code".into()] },
            },
            ForeignKey {
                fields: vec!["phone".into()],
                reference: Reference { dataset: None, file: Some("phones.csv".into()), fields: vec!["number".into()] },
            },
            ForeignKey {
                fields: vec!["share".into()],
                reference: Reference { fields: vec!["id".into()], ..Reference::default() },
            },
        ],
        freshness: Some(Freshness { column: "seen".into(), max_age_days: 90 }),
        rows: RowCount { min: Some(1), max: Some(5000) },
        extra_columns: false,
        ordered: true,
        missing_values: vec![String::new(), "n/a".into()],
        ..Contract::new("companies")
    }
}

/// A contract of few words, to see that defaults come back too.
fn little() -> Contract {
    Contract { fields: vec![Field::new("a", LogicalType::Text)], ..Contract::new("little") }
}

fn written(contract: &Contract, format: Format) -> (Value, Vec<String>) {
    let written = write(contract, format).expect("a contract that can be kept");
    let value = parse(written.text.as_bytes()).expect("what was written can be parsed");
    (value, written.notices.iter().map(ToString::to_string).collect())
}

#[test]
fn every_form_gives_back_the_contract_it_was_written_from() {
    for contract in [everything(), little()] {
        for &format in Format::ALL {
            let text = write(&contract, format).expect("a contract that can be kept").text;
            let read = read(text.as_bytes()).unwrap_or_else(|error| panic!("{format}: {error:?}\n{text}"));
            assert_eq!(read.contract, contract, "{format}\n{text}");
            let twice = write(&read.contract, format).expect("still kept").text;
            assert_eq!(twice, text, "{format}");
        }
    }
}

#[test]
fn what_is_written_keeps_the_schemas_of_the_formats() {
    let check = |schema: &str, format: Format| {
        let schema: Value = serde_json::from_str(schema).expect("a schema");
        let validator = jsonschema::validator_for(&schema).expect("a schema that can be used");
        for contract in [everything(), little()] {
            let (document, _) = written(&contract, format);
            let errors: Vec<String> =
                validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{format}: {errors:#?}\n{document:#}");
        }
    };
    check(include_str!("../../../tests/formats/tableschema-2.0.json"), Format::Frictionless);
    check(include_str!("../../../tests/formats/tableschema-1.0.json"), Format::FrictionlessV1);
    check(include_str!("../../../tests/formats/odcs-3.2.0.json"), Format::Odcs);
    for format in [Format::JsonSchema, Format::JsonSchemaArray] {
        for contract in [everything(), little()] {
            let (document, _) = written(&contract, format);
            assert!(jsonschema::draft202012::meta::is_valid(&document), "{format}");
        }
    }
}

#[test]
fn a_json_schema_takes_rows_that_keep_the_contract_and_refuses_others() {
    let contract = Contract {
        fields: vec![
            Field { nullable: false, maximum: Some(Limit::exclusive("5")), ..Field::new("id", LogicalType::Integer) },
            Field { pattern: Some("a|b".into()), ..Field::new("code", LogicalType::Text) },
            Field { enumeration: vec!["true".into()], required: false, ..Field::new("on", LogicalType::Boolean) },
        ],
        extra_columns: false,
        rows: RowCount { min: Some(1), max: None },
        ..Contract::new("rows")
    };
    let (schema, _) = written(&contract, Format::JsonSchemaArray);
    let validator = jsonschema::validator_for(&schema).expect("a schema that can be used");
    let takes = |rows: Value| assert!(validator.is_valid(&rows), "{rows}");
    let refuses = |rows: Value| assert!(!validator.is_valid(&rows), "{rows}");
    takes(serde_json::json!([{"id": 4, "code": "a", "on": true}, {"id": 1, "code": null}]));
    refuses(serde_json::json!([]));
    refuses(serde_json::json!([{"id": 5, "code": "a"}]));
    refuses(serde_json::json!([{"id": null, "code": "a"}]));
    refuses(serde_json::json!([{"id": 1, "code": "ab"}]));
    refuses(serde_json::json!([{"id": 1}]));
    refuses(serde_json::json!([{"id": 1, "code": "a", "more": 1}]));
    refuses(serde_json::json!([{"id": 1, "code": "a", "on": false}]));
}

#[test]
fn what_a_form_cannot_say_is_told() {
    let says = |format: Format, parts: &[&str]| {
        let (_, notices) = written(&everything(), format);
        for part in parts {
            assert!(
                notices.iter().any(|notice| notice.contains(part)),
                "{format}: no notice of {part} in {notices:#?}"
            );
        }
    };
    assert_eq!(written(&everything(), Format::Hotpass).1, Vec::<String>::new());
    says(
        Format::Frictionless,
        &["freshness", "number of rows", "owner", "Column `phone`: a Table Schema has no form", "classification"],
    );
    says(Format::FrictionlessV1, &["unique keys", "themselves outside"]);
    assert!(written(&little(), Format::FrictionlessV1).1[0].contains("fieldsMatch"));
    says(
        Format::JsonSchema,
        &["primary key", "foreign keys", "freshness", "Column `price`", "number of rows", "uniqueness"],
    );
    says(Format::Odcs, &["further columns", "`phone`", "values that mean no value", "words for true", "form `any`"]);
    says(
        Format::GreatExpectations,
        &["foreign keys", "freshness", "Column `id`: a suite cannot say", "all but the first"],
    );
    assert_eq!(written(&little(), Format::Frictionless).1, Vec::<String>::new());
}

#[test]
fn a_suite_has_the_shape_of_great_expectations() {
    let (suite, _) = written(&everything(), Format::GreatExpectations);
    assert_eq!(suite["name"], "companies");
    let find = |kind: &str, column: &str| {
        suite["expectations"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|expectation| expectation["type"] == kind && expectation["kwargs"]["column"] == column)
            .map(|expectation| expectation["kwargs"].clone())
    };
    let between = serde_json::json!({"column": "id", "min_value": 1, "max_value": 1_000_000, "strict_max": true});
    assert_eq!(find("expect_column_values_to_be_between", "id"), Some(between));
    let regex = find("expect_column_values_to_match_regex", "Company Name").expect("a pattern");
    assert_eq!(regex["regex"], "^(?:[A-Z].*|[0-9]+)$");
    assert!(find("expect_column_values_to_match_strftime_format", "seen").is_some());
    assert!(suite["expectations"].as_array().into_iter().flatten().all(|expectation| expectation["meta"].is_object()));
}

#[test]
fn documents_of_others_are_read() {
    let read = |text: &str| read(text.as_bytes()).unwrap_or_else(|error| panic!("{error:?}"));
    let package = read(
        r#"{"name": "p", "resources": [{"name": "clubs", "schema": {"fields": [
            {"name": "id", "type": "integer", "constraints": {"required": true}},
            {"name": "when", "type": "datetime", "format": "fmt:%Y"},
            {"name": "shape", "type": "geojson"}], "primaryKey": "id", "missingValues": ["", "-"]}}]}"#,
    );
    assert_eq!((package.contract.name.as_str(), package.format), ("clubs", Format::Frictionless));
    assert!(package.contract.ordered && !package.contract.extra_columns);
    assert_eq!(package.contract.primary_key, ["id"]);
    assert_eq!(package.contract.fields[1].format.as_deref(), Some("%Y"));
    assert_eq!(package.notices.len(), 1);

    let schema = read(
        r##"{"$schema": "http://json-schema.org/draft-07/schema#", "title": "club", "type": "object",
            "properties": {"id": {"$ref": "#/definitions/id"}, "mail": {"anyOf": [{"type": "string", "format": "email"}, {"type": "null"}]},
            "tags": {"type": "array"}, "code": {"type": "string", "pattern": "^x"}}, "required": ["id"], "definitions": {"id": {"type": "integer", "minimum": 1}}}"##,
    );
    let fields = &schema.contract.fields;
    assert_eq!((fields[0].logical_type, fields[0].nullable, fields[0].required), (LogicalType::Integer, false, true));
    assert_eq!((fields[1].format.as_deref(), fields[1].nullable, fields[1].required), (Some("email"), true, false));
    assert_eq!(fields[2].logical_type, LogicalType::Any);
    assert_eq!(fields[3].pattern.as_deref(), Some("(?s:.*)(?:^x)(?s:.*)"));

    let odcs = read(
        "apiVersion: v3.0.2\nkind: DataContract\nid: x\nversion: 1.2.0\nstatus: active\nschema:\n- name: clubs\n  properties:\n  \
         - name: id\n    logicalType: integer\n    primaryKey: true\n    primaryKeyPosition: 1\n    required: true\n  \
         - name: founded\n    logicalType: date\n    logicalTypeOptions: {format: dd/MM/yyyy}\n\
         slaProperties:\n- {property: latency, value: 48, unit: h, element: clubs.founded}\n- {property: retention, value: 3, unit: y}\n",
    );
    assert_eq!(odcs.contract.primary_key, ["id"]);
    assert_eq!(odcs.contract.fields[1].format.as_deref(), Some("%d/%m/%Y"));
    assert_eq!(odcs.contract.freshness, Some(Freshness { column: "founded".into(), max_age_days: 2 }));
    assert_eq!(odcs.notices[0].message, "The promise `retention` is not taken over");

    let suite = read(
        r#"{"expectation_suite_name": "old", "expectations": [
            {"expectation_type": "expect_column_values_to_not_be_null", "kwargs": {"column": "a"}},
            {"expectation_type": "expect_column_values_to_match_regex", "kwargs": {"column": "a", "regex": "x"}},
            {"expectation_type": "expect_column_values_to_be_between", "kwargs": {"column": "b", "max_value": 3, "mostly": 0.9}},
            {"expectation_type": "expect_column_mean_to_be_between", "kwargs": {"column": "b", "max_value": 3}}]}"#,
    );
    assert_eq!(suite.contract.fields.len(), 2);
    assert!(!suite.contract.fields[0].nullable && suite.contract.fields[1].maximum.is_none());
    assert_eq!(suite.notices.len(), 2);
}

#[test]
fn what_is_no_contract_is_told_with_its_place() {
    let says = |text: &str, part: &str| {
        let error = read(text.as_bytes()).expect_err("no contract");
        let mut message = error.to_string();
        if let Some(source) = std::error::Error::source(&error) {
            message = format!("{message}: {source}");
        }
        assert!(message.contains(part), "{message}");
    };
    says("{\"fields\": [", "line 1");
    says("just words", "no form that is known");
    says("{\"fields\": []}", "no columns");
    says("{\"fields\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}", "twice");
    says("{\"fields\": [{\"name\": \"a\", \"type\": \"strin\"}]}", "unknown type `strin`");
    says("{\"fields\": [{\"name\": \"ab\"}], \"primaryKey\": [\"Ab\"]}", "nearest is `ab`");
    says("{\"hotpass_contract\": 1, \"name\": \"x\", \"fields\": [], \"colour\": 1}", "colour");
    says("{\"hotpass_contract\": 7, \"name\": \"x\", \"fields\": []}", "version 7");
    says("apiVersion: v2.2.2\nkind: DataContract\nschema: []\n", "`v2.2.2`");
}

#[test]
fn what_a_json_schema_asks_without_describing_it_is_kept_or_told() {
    let schema = r#"{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "minProperties": 2,
        "propertyNames": {"pattern": "^[a-z]+$"}, "required": ["a", "b"],
        "properties": {"a": {"type": "string", "not": {"const": "x"}}}}"#;
    let document = read(schema.as_bytes()).expect("a contract");
    let column = document.contract.field("b").expect("the column that is asked for");
    assert!(column.required && column.logical_type == LogicalType::Any);
    let told: Vec<String> = document.notices.iter().map(ToString::to_string).collect();
    for keyword in ["minProperties", "propertyNames", "Column `a`: `not`"] {
        assert!(told.iter().any(|notice| notice.contains(keyword)), "{keyword}: {told:?}");
    }
    let again = write(&document.contract, Format::JsonSchema).expect("written").text;
    let again: Value = serde_json::from_str(&again).expect("JSON");
    assert_eq!(again["required"], serde_json::json!(["a", "b"]));
}

#[test]
fn a_package_gives_the_schema_of_the_file_and_the_files_of_its_siblings() {
    let package = r#"{"name": "p", "resources": [
        {"name": "towns", "path": "towns.csv", "schema": {"fields": [{"name": "town"}]}},
        {"name": "orders", "path": "data/orders.csv", "schema": {"fields": [{"name": "town"}, {"name": "year", "type": "year"}],
         "foreignKeys": [{"fields": "town", "reference": {"resource": "towns", "fields": "town"}}]}}]}"#;
    let of = |file| read_for(package.as_bytes(), file).expect("a contract");
    assert_eq!(of(None).contract.name, "towns");
    assert_eq!(of(None).notices.len(), 1);
    let orders = of(Some("inbox/orders.csv"));
    assert!(orders.contract.name == "orders" && orders.notices.is_empty(), "{orders:?}");
    let reference = &orders.contract.foreign_keys[0].reference;
    assert_eq!((reference.dataset.as_deref(), reference.file.as_deref()), (Some("towns"), Some("towns.csv")));
    for format in Format::ALL {
        let text = write(&orders.contract, *format).expect("written").text;
        assert_eq!(read(text.as_bytes()).expect("read").contract, orders.contract, "{format}");
    }
}
