//! The compose file for people has the shape that its README promises.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

const SERVICES: [&str; 6] = ["collector", "marquez", "marquez-db", "marquez-web", "prefect", "prefect-db"];

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

fn yaml(name: &str) -> Value {
    let text = std::fs::read_to_string(deploy().join(name)).expect("the file is there");
    serde_saphyr::from_str(&text).expect("the file is YAML")
}

fn services(compose: &Value) -> &Map<String, Value> {
    compose["services"].as_object().expect("services")
}

fn texts<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    value[key].as_array().into_iter().flatten().map(|item| item.as_str().expect("a text")).collect()
}

#[test]
fn the_services_are_those_of_the_readme() {
    let compose = yaml("compose.yaml");
    let readme = std::fs::read_to_string(deploy().join("README.md")).expect("README");
    let names: BTreeSet<&str> = services(&compose).keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(SERVICES));
    for (name, service) in services(&compose) {
        let image = service["image"].as_str().expect("an image");
        assert!(readme.contains(&format!("| `{name}` | `{image}` |")), "README.md has no row for {name} with {image}");
    }
}

#[test]
fn images_are_pinned_to_a_version() {
    for (name, service) in services(&yaml("compose.yaml")) {
        let image = service["image"].as_str().expect("an image");
        let (_, tag) = image.rsplit_once(':').unwrap_or_else(|| panic!("{name}: {image} has no tag"));
        let parts = tag.split(['.', '-']).filter(|part| part.chars().all(|c| c.is_ascii_digit())).count();
        assert!(parts >= 2, "{name}: {image} names no version");
    }
}

#[test]
fn ports_are_bound_to_loopback_and_to_one_service_each() {
    let mut taken = BTreeSet::new();
    for (name, service) in services(&yaml("compose.yaml")) {
        for port in texts(service, "ports") {
            let parts: Vec<&str> = port.split(':').collect();
            assert_eq!((parts.len(), parts[0]), (3, "127.0.0.1"), "{name}: {port}");
            assert!(taken.insert(parts[1].to_owned()), "{name}: port {} is taken", parts[1]);
        }
        assert!(service["network_mode"].is_null() && service["privileged"].is_null(), "{name}");
    }
    for port in ["5000", "5001", "3000", "4317", "4318", "4200"] {
        assert!(taken.contains(port), "nothing listens on {port}");
    }
}

#[test]
fn every_service_has_a_health_check_and_waits_for_those_below() {
    let compose = yaml("compose.yaml");
    for (name, service) in services(&compose) {
        assert!(!texts(&service["healthcheck"], "test").is_empty(), "{name} has no health check");
        for (below, how) in service["depends_on"].as_object().into_iter().flatten() {
            assert!(services(&compose).contains_key(below), "{name} waits for {below}, which is no service");
            assert_eq!(how["condition"], "service_healthy", "{name} does not wait for {below}");
        }
    }
    assert!(!compose["services"]["marquez"]["depends_on"]["marquez-db"].is_null());
    assert!(!compose["services"]["prefect"]["depends_on"]["prefect-db"].is_null());
}

#[test]
fn volumes_are_declared_and_mounted_files_exist() {
    let compose = yaml("compose.yaml");
    let declared: BTreeSet<&str> =
        compose["volumes"].as_object().expect("volumes").keys().map(String::as_str).collect();
    let mut used = BTreeSet::new();
    for (name, service) in services(&compose) {
        for volume in texts(service, "volumes") {
            let source = volume.split(':').next().expect("a source");
            if source.starts_with('.') {
                assert!(deploy().join(source).is_file(), "{name}: {source} is no file");
                assert!(volume.ends_with(":ro"), "{name} may write {source}");
            } else {
                assert!(declared.contains(source), "{name}: volume {source} is not declared");
                used.insert(source.to_owned());
            }
        }
    }
    assert_eq!(used, declared.iter().map(|name| (*name).to_owned()).collect(), "a volume is declared and not used");
}

#[test]
fn no_secret_stands_in_a_file() {
    let example = std::fs::read_to_string(deploy().join(".env.example")).expect(".env.example");
    for line in example.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        assert!(line.ends_with('='), "`{line}` has a value");
    }
    for (name, service) in services(&yaml("compose.yaml")) {
        for (key, value) in service["environment"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_else(|| panic!("{name}: {key} is no text"));
            if ["PASSWORD", "SECRET", "TOKEN", "KEY", "CONNECTION_URL"].iter().any(|word| key.contains(word)) {
                let variable = value.split("${").nth(1).and_then(|rest| rest.split(":?").next());
                let variable = variable.unwrap_or_else(|| panic!("{name}: {key} stands in the file"));
                assert!(example.contains(&format!("{variable}=")), "{variable} is not in .env.example");
            }
        }
    }
    assert_eq!(yaml("marquez/marquez.yml")["db"]["password"], "${POSTGRES_PASSWORD}");
}

#[test]
fn the_collector_takes_each_signal_by_both_protocols() {
    let config = yaml("collector/config.yaml");
    for signal in ["traces", "metrics", "logs"] {
        let pipeline = &config["service"]["pipelines"][signal];
        assert_eq!(texts(pipeline, "receivers"), ["otlp"], "{signal}");
        for exporter in texts(pipeline, "exporters") {
            assert!(config["exporters"].get(exporter).is_some(), "{signal}: {exporter} is not set up");
        }
    }
    for (protocol, port) in [("grpc", "4317"), ("http", "4318")] {
        let endpoint = &config["receivers"]["otlp"]["protocols"][protocol]["endpoint"];
        assert!(endpoint.as_str().is_some_and(|endpoint| endpoint.ends_with(port)), "{protocol}: {endpoint}");
    }
}
