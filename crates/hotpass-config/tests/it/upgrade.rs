//! Files of the predecessor.

use hotpass_config::upgrade::upgrade;
use hotpass_config::{ConfigLoader, Format, Overlay};

fn codes(text: &str, format: Format) -> (String, Vec<String>) {
    let upgraded = upgrade(text, format, "old").expect("the document can be read");
    let notices = upgraded.notices.iter().map(|notice| format!("{} {}", notice.code, notice.key)).collect();
    (upgraded.text, notices)
}

#[test]
fn a_flat_file_is_nested_and_keeps_its_comments() {
    let old = "# The folder of this quarter\ninput_dir = \"q3\" # in\nprofile = \"aviation\"\n\
               expectation_suite = \"default\"\narchive = true\nsensitive_fields = [\"email\", \"notes\"]\n\n\
               # Who answers\n[governance]\ndata_owner = \"Ops\"\ndata_steward = \"Data Desk\"\n";
    let (text, notices) = codes(old, Format::Toml);
    assert_eq!(
        notices,
        [
            "legacy.moved profile",
            "legacy.moved input_dir",
            "legacy.moved archive",
            "legacy.moved sensitive_fields",
            "legacy.moved governance.data_steward",
            "legacy.dropped expectation_suite",
            "legacy.renamed pipeline.sensitive_fields",
        ]
    );
    for comment in ["# The folder of this quarter\ninput_dir = \"q3\" # in", "# Who answers\n[governance]"] {
        assert!(text.contains(comment), "{comment} not in\n{text}");
    }
    let overlay = Overlay::parse(&text, Format::Toml, "new").unwrap_or_else(|error| panic!("{error}\n{text}"));
    let config = ConfigLoader::new().overlay(overlay).load().unwrap().config;
    assert_eq!(config.profile.name, "aviation");
    assert_eq!(config.pipeline.input_dir.to_str(), Some("q3"));
    assert_eq!(config.pipeline.sensitive_fields, ["contact_emails", "notes"]);
    assert_eq!(config.data_contract.steward.as_deref(), Some("Data Desk"));
    assert_eq!(codes(&text, Format::Toml), (text.clone(), Vec::new()), "an upgraded file has nothing left to upgrade");
}

const NESTED: &str = r#"{
  "profile": {"name": "generic", "source_priorities": {"a": 1}, "research_rate_limit": {"burst": 1}},
  "pipeline": {"since": null, "crm_token": "t", "acquisition": {"enabled": true, "agents": [
    {"name": "a", "tasks": [], "concurrency": 2, "providers": [{"name": "p", "weight": 1.0, "options": {}}]}]}},
  "features": {"entity_resolution": true, "dashboards": false},
  "compliance": {"detect_pii": true, "lawful_basis": "consent", "pii_redaction": {"language": "en"}},
  "governance": {"intent": ["Outreach"], "lawful_basis": "contract", "approver": "x"},
  "telemetry": {"enabled": false, "otlp_endpoint": "http://c:4317", "otlp_headers": {}}, "orchestrator": {}
}"#;

#[test]
fn a_nested_file_is_upgraded_in_every_format() {
    let node: serde_json::Value = serde_json::from_str(NESTED).unwrap();
    let mut without_null = node.clone();
    without_null["pipeline"].as_object_mut().unwrap().remove("since");
    let yaml = format!("# Old\n{}", json_as_yaml(&node));
    let toml = as_toml(&without_null);
    for (text, format) in [(NESTED.to_owned(), Format::Json), (yaml, Format::Yaml), (toml, Format::Toml)] {
        let (upgraded, notices) = codes(&text, format);
        let overlay = Overlay::parse(&upgraded, format, "new").unwrap_or_else(|error| panic!("{error}\n{upgraded}"));
        let config = ConfigLoader::new().overlay(overlay).load().unwrap().config;
        assert!(config.features.acquisition && config.features.resolve);
        assert_eq!(config.governance.lawful_basis.label(), "Contract", "the newer place wins");
        assert_eq!(config.pipeline.acquisition.agents[0].providers[0].name, "p");
        for expected in [
            "legacy.moved features.entity_resolution",
            "legacy.moved pipeline.acquisition.enabled",
            "legacy.dropped compliance.lawful_basis",
            "legacy.dropped pipeline.crm_token",
            "legacy.dropped pipeline.acquisition.agents[].providers[].options",
            "legacy.moved telemetry.otlp_endpoint",
            "legacy.dropped telemetry.otlp_headers",
        ] {
            assert!(notices.iter().any(|notice| notice == expected), "{expected} not in {notices:?}");
        }
        assert_eq!(notices.iter().any(|notice| notice.starts_with("legacy.comments")), format == Format::Yaml);
    }
}

/// JSON is YAML.
fn json_as_yaml(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

fn as_toml(value: &serde_json::Value) -> String {
    toml::to_string(value).unwrap()
}

#[test]
fn keys_that_nobody_knows_stay_for_loading_to_report() {
    let (text, notices) = codes("{\"pipelin\": {\"x\": 1}}", Format::Json);
    assert_eq!((text.as_str(), notices.len()), ("{\"pipelin\": {\"x\": 1}}", 0));
}

#[test]
fn keys_of_the_predecessor_are_known() {
    for (key, expected) in [
        ("archive", true),
        ("telemetry.otlp_timeout", true),
        ("pipeline.acquisition.agents[3].providers[0].weight", true),
        ("pipeline.archive", false),
        ("archve", false),
        ("pipeline.acquisition.agents[3].name", false),
    ] {
        assert_eq!(hotpass_config::upgrade::is_legacy_key(key), expected, "{key}");
    }
}
