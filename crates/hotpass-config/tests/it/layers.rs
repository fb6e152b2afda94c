//! Layers, their order and the origin of what they give.

use hotpass_config::profile::known_profiles;
use hotpass_config::{ConfigLoader, Format, HotpassConfig, Origin, Overlay};

fn yaml(text: &str) -> Overlay {
    Overlay::parse(text, Format::Yaml, "a.yaml").expect("a valid overlay")
}

#[test]
fn shipped_profiles_are_valid_and_drive_every_section() {
    let names: Vec<_> = known_profiles(&[]).into_iter().map(|profile| profile.name).collect();
    assert_eq!(names, ["aviation", "generic"]);
    for name in names {
        let loaded =
            ConfigLoader::new().profile(name.as_str()).load().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(loaded.config.profile.name, name);
        assert!(loaded.config.profile.expectations.len() >= 10);
        assert!(loaded.config.profile.column_synonyms.len() >= 20);
        assert!(loaded.config.compliance.retention_days.is_some());
    }
}

#[test]
fn aviation_tells_its_sources_by_file_name() {
    let config = ConfigLoader::new().profile("aviation").load().unwrap().config;
    let source_of = |file: &str| {
        let source = config.profile.sources.iter().find(|source| source.matches(file));
        source.map(|source| (source.name.as_str(), source.priority))
    };
    assert_eq!(source_of("register.xlsx"), Some(("register", 3)));
    assert_eq!(source_of("SACAA Cleaned.xlsx"), Some(("register", 3)));
    assert_eq!(source_of("Reachout Database.xlsx"), Some(("outreach", 2)));
    assert_eq!(source_of("contacts.xlsx"), Some(("contacts", 1)));
    assert_eq!(source_of("invoices.xlsx"), None);
}

#[test]
fn later_layers_win() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        hotpass_core::write_atomic(&path, text.as_bytes()).unwrap();
        path
    };
    let first = write("first.toml", "[pipeline]\narchive = true\nthreads = 2\ncountry_code = \"BW\"\n");
    let second = write("second.json", "{\"pipeline\": {\"threads\": 3, \"country_code\": \"SZ\"}}");
    let loaded = ConfigLoader::new()
        .profile("aviation")
        .file(&first)
        .file(&second)
        .environment([
            ("HOTPASS__PIPELINE__COUNTRY_CODE".to_owned(), "LS".to_owned()),
            ("HOTPASS__GOVERNANCE__INTENT".to_owned(), "Outreach, Audit".to_owned()),
            ("HOTPASS_LOG".to_owned(), "not ours".to_owned()),
        ])
        .flag("pipeline.country_code", "NA")
        .flag("profile.column_synonyms.planes", "[\"aeroplanes\"]")
        .load()
        .unwrap();
    let pipeline = &loaded.config.pipeline;
    assert!(pipeline.archive);
    assert_eq!(pipeline.threads, Some(3));
    assert_eq!(pipeline.country_code.as_deref(), Some("NA"));
    assert_eq!(loaded.config.governance.intent, ["Outreach", "Audit"]);
    assert_eq!(loaded.config.profile.column_synonyms["planes"], ["aeroplanes"]);
    assert!(loaded.config.profile.column_synonyms.contains_key("website"), "maps merge by key");

    assert_eq!(loaded.origin("pipeline.archive"), Some(Origin::File { path: first, line: 2, column: 11 }));
    assert_eq!(loaded.origin("pipeline.threads"), Some(Origin::File { path: second, line: 1, column: 26 }));
    assert_eq!(loaded.origin("pipeline.country_code"), Some(Origin::Flag { key: "pipeline.country_code".into() }));
    assert_eq!(loaded.origin("ingest.mapping_threshold"), Some(Origin::Default));
    assert_eq!(loaded.origin("pipeline.archve"), None);
    assert_eq!(
        loaded.origin("governance.intent[1]"),
        Some(Origin::Environment { variable: "HOTPASS__GOVERNANCE__INTENT".into() })
    );
    let Some(Origin::Profile { name, file: None, line, .. }) = loaded.origin("profile.sources[0].priority") else {
        panic!("the profile gives its sources");
    };
    assert_eq!((name.as_str(), line > 1), ("aviation", true));
    assert_eq!(loaded.origin("profile.sources[0].sheets"), Some(Origin::Default), "left out by the item");
}

#[test]
fn lists_replace_unless_their_key_appends() {
    let mut config = HotpassConfig::default();
    config.merge(&yaml("ingest: {null_values: [x], mapping_files: [a.yaml]}"));
    config.merge(&yaml("ingest: {null_values: [y], mapping_files: [b.yaml]}"));
    assert_eq!(config.ingest.null_values, ["x", "y"]);
    assert_eq!(config.ingest.mapping_files, [std::path::PathBuf::from("b.yaml")]);
}

#[test]
fn appended_values_know_the_layer_that_gave_them() {
    let overlay = |text: &str, name: &str| Overlay::parse(text, Format::Yaml, name).unwrap();
    let loaded = ConfigLoader::new()
        .overlay(overlay("ingest: {null_values: [x, z]}", "a.yaml"))
        .overlay(overlay("ingest:\n  null_values: [x, y]", "b.yaml"))
        .load()
        .unwrap();
    assert_eq!(loaded.config.ingest.null_values, ["x", "z", "y"]);
    let origin = |index: usize| loaded.origin(&format!("ingest.null_values[{index}]")).unwrap().to_string();
    assert_eq!([origin(0), origin(1), origin(2)], ["a.yaml:1:24", "a.yaml:1:27", "b.yaml:2:20"]);
}

#[test]
fn a_document_that_was_shown_loads_to_the_same_configuration() {
    for profile in ["generic", "aviation"] {
        let loaded = ConfigLoader::new()
            .profile(profile)
            .flag("ingest.null_values", "nil,keine Angabe")
            .flag("pipeline.report_path", "a b.html")
            .flag(
                "pipeline.acquisition.agents",
                r#"[{"name": "yes", "targets": [{"identifier": "\"é\" \\ #1: x\n2", "metadata": {"notes": "null"}}]}]"#,
            )
            .load()
            .unwrap();
        for (text, format) in
            [(loaded.to_toml(), Format::Toml), (loaded.to_yaml(), Format::Yaml), (loaded.to_json(), Format::Json)]
        {
            let overlay = Overlay::parse(&text, format, "shown").unwrap_or_else(|error| panic!("{error}\n{text}"));
            let again = ConfigLoader::new().overlay(overlay).load().unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(again.config, loaded.config, "{format:?}");
        }
    }
}

#[test]
fn a_profile_is_a_name_or_a_path_and_an_unknown_one_names_the_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clinics.toml");
    hotpass_core::write_atomic(&path, b"[profile]\nname = \"clinics\"\norganization_term = \"clinic\"\n").unwrap();
    let by_name = ConfigLoader::new().profile_search_path(folder.path()).profile("clinics").load().unwrap();
    assert_eq!(by_name.config.profile.organization_term, "clinic");
    let by_path = ConfigLoader::new().profile(path.display().to_string()).load().unwrap();
    assert_eq!(by_path.config, by_name.config);
    let by_key = Overlay::parse("profile: {name: clinics}", Format::Yaml, "c.yaml").unwrap();
    let by_key = ConfigLoader::new().profile_search_path(folder.path()).overlay(by_key).load().unwrap();
    assert_eq!(by_key.config, by_name.config);

    let error = ConfigLoader::new().profile("aviaton").load().unwrap_err();
    assert_eq!(error.to_string(), "Unknown profile: `aviaton` (did you mean `aviation`?)");
    let error = ConfigLoader::new().profile("zzz").load().unwrap_err();
    assert_eq!(
        error.problems[0].expected.as_deref(),
        Some("one of `aviation`, `generic`, or the path of a profile's file")
    );
    let named = Overlay::parse("profile:\n  name: clnics", Format::Yaml, "c.yaml").unwrap();
    let error = ConfigLoader::new().overlay(named).load().unwrap_err();
    assert!(error.to_string().starts_with("c.yaml:2:9: profile.name: Unknown profile: `clnics`"), "{error}");
}

#[test]
fn allowed_values_may_be_numbers_and_truth_values() {
    let mut config = HotpassConfig::default();
    config.merge(&yaml("profile: {expectations: [{type: in_set, column: fee, values: [1, 2.5, true, \"7\"]}]}"));
    let values: Vec<serde_json::Value> =
        config.profile.expectations[0].values.iter().cloned().map(serde_json::Value::from).collect();
    assert_eq!(values, [1.into(), 2.5.into(), true.into(), serde_json::Value::from("7")]);
    let error =
        Overlay::parse("profile: {expectations: [{type: in_set, column: fee, values: [[1]]}]}", Format::Yaml, "a.yaml");
    assert!(error.unwrap_err().to_string().contains("Expected text, a number, true or false"));
}

#[test]
fn the_published_file_lies_beside_the_runs_unless_it_is_named() {
    let path = |text: &str| {
        let loaded = ConfigLoader::new().overlay(yaml(text)).load().unwrap_or_else(|error| panic!("{text}: {error}"));
        let origin = loaded.origin("pipeline.output_path").unwrap().to_string();
        (loaded.config.pipeline.output_path.display().to_string(), origin)
    };
    assert_eq!(path("{}"), ("dist/refined.xlsx".to_owned(), "default".to_owned()));
    let other = path("pipeline: {dist_dir: other/dist}");
    assert_eq!(other, ("other/dist/refined.xlsx".to_owned(), "follows from pipeline.dist_dir".to_owned()));
    assert_eq!(path("pipeline: {dist_dir: other, output_path: here.csv}").0, "here.csv");
}

#[test]
fn settings_of_compliance_switch_the_stage_on() {
    let on = |text: &str| {
        let loaded = ConfigLoader::new().overlay(yaml(text)).load().unwrap_or_else(|error| panic!("{text}: {error}"));
        (loaded.config.features.compliance, loaded.origin("features.compliance").unwrap().to_string())
    };
    let check = |text: &str, key: &str| assert_eq!(on(text), (true, format!("follows from {key}")), "{text}");
    check("compliance: {detect_pii: true}", "compliance.detect_pii");
    check("compliance: {consent_required: true, retention_days: 9}", "compliance.consent_required");
    check("compliance: {consent_file: a.csv}", "compliance.consent_file");
    check("compliance: {pii_redaction: {enabled: true}}", "compliance.pii_redaction.enabled");
    check("compliance: {pii_redaction: {operators: {email: redact}}}", "compliance.pii_redaction.operators");
    check("compliance: {pii_redaction: {columns: [notes]}}", "compliance.pii_redaction.columns");
    check("compliance: {pii_redaction: {operator: mask}}", "compliance.pii_redaction.operator");
    check("compliance: {pii_redaction: {key: 'env:KEY'}}", "compliance.pii_redaction.key");
    for text in [
        "compliance: {retention_days: 9, consent_policy: withhold}",
        "compliance: {detect_pii: false, pii_redaction: {enabled: false, operators: {email: redact}}}",
        "{}",
    ] {
        assert_eq!(on(text), (false, "default".to_owned()), "{text}");
    }
    assert_eq!(on("{features: {compliance: true}, compliance: {detect_pii: true}}").1, "a.yaml:1:25");
    let by_variable = ConfigLoader::new()
        .environment([("HOTPASS__COMPLIANCE__DETECT_PII".to_owned(), "true".to_owned())])
        .load()
        .unwrap();
    assert!(by_variable.config.features.compliance && by_variable.config.redacts());
    // What is written out loads to the same.
    for loaded in [&by_variable, &ConfigLoader::new().load().unwrap()] {
        let again = Overlay::parse(&loaded.to_toml(), Format::Toml, "b.toml").unwrap();
        assert_eq!(ConfigLoader::new().overlay(again).load().unwrap().config, loaded.config);
    }
}

#[test]
fn a_stage_that_is_off_and_asked_for_is_an_error() {
    let load = |text: &str| ConfigLoader::new().overlay(yaml(text)).load();
    let error = load("{features: {compliance: false}, compliance: {consent_required: true}}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.yaml:1:25: features.compliance: The compliance stage is off, and \
         `compliance.consent_required` asks for what it does (expected `true`, or no such key; or else \
         `compliance.consent_required` taken away)"
    );
    let flag = ConfigLoader::new()
        .overlay(yaml("{features: {compliance: false}, compliance: {detect_pii: true}}"))
        .flag("features.compliance", "true");
    assert!(flag.load().unwrap().config.features.compliance, "the last layer that speaks of it counts");
    assert!(load("{features: {compliance: false}}").is_ok());
}

#[test]
fn operators_and_classes_are_checked_whether_or_not_the_stage_is_on() {
    let problems = |operators: &str, enabled: bool| {
        let text = format!("compliance: {{pii_redaction: {{enabled: {enabled}, operators: {{{operators}}}}}}}");
        ConfigLoader::new().overlay(yaml(&text)).load().map_or_else(|error| error.to_string(), |_| String::new())
    };
    for enabled in [true, false] {
        let check = |operators: &str, expected: &str| {
            let text = problems(operators, enabled);
            assert!(text.contains(expected) && (text.is_empty() == expected.is_empty()), "{operators}: {text}");
        };
        check("email: bogus", "Unknown operator: `bogus`");
        check("email: redct", "did you mean `redact`");
        check("nosuch: redact", "Unknown published column or class of personal data: `nosuch`");
        check("emial: redact", "did you mean `email`");
        check("data_quality_score: redact", "holds no personal text");
        check("last_interaction_date: mask", "Dates do not take the operator: `mask`");
        check("last_interaction_date: generalise:month, za_id: redact, notes: redact_spans", "");
    }
}
