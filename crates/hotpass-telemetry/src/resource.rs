//! Who is speaking: attributes of the resource by the semantic conventions.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;

use crate::settings::AttributeValue;

/// The conventions that the names of attributes follow.
pub(crate) const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.37.0";

/// Returns what the program can say of itself and its machine without asking the environment.
fn own() -> Vec<(String, AttributeValue)> {
    let mut own: Vec<(&str, AttributeValue)> = vec![
        ("telemetry.sdk.name", "opentelemetry".into()),
        ("telemetry.sdk.language", "rust".into()),
        ("telemetry.sdk.version", "0.33.1".into()),
        ("process.pid", i64::from(std::process::id()).into()),
        ("process.runtime.name", "rustc".into()),
        ("os.type", os_type().into()),
        ("host.arch", host_arch().into()),
    ];
    if let Some(name) = std::env::current_exe().ok().and_then(|path| Some(path.file_name()?.to_str()?.to_owned())) {
        own.push(("process.executable.name", name.into()));
    }
    if let Some(name) = host_name() {
        own.push(("host.name", name.into()));
    }
    own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn os_type() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        os => os,
    }
}

fn host_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "x86",
        "arm" => "arm32",
        "powerpc64" => "ppc64",
        arch => arch,
    }
}

/// Returns the machine's name as the kernel tells it.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::fs::read_to_string("/etc/hostname"))
        .ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Returns the resource: what the program knows of itself, and over it what it was told; `instance` sets it apart from
/// other processes of the service.
pub(crate) fn resource(told: &[(String, AttributeValue)], instance: &str) -> Resource {
    let mut attributes = own();
    attributes.push(("service.instance.id".to_owned(), instance.into()));
    for (name, value) in told {
        match attributes.iter_mut().find(|(known, _)| known == name) {
            Some(entry) => entry.1 = value.clone(),
            None => attributes.push((name.clone(), value.clone())),
        }
    }
    Resource {
        attributes: attributes.into_iter().map(|(name, value)| key_value(name, value)).collect(),
        ..Resource::default()
    }
}

pub(crate) fn key_value(name: String, value: AttributeValue) -> KeyValue {
    let value = match value {
        AttributeValue::Text(text) => Value::StringValue(text),
        AttributeValue::Integer(value) => Value::IntValue(value),
        AttributeValue::Number(value) => Value::DoubleValue(value),
        AttributeValue::Boolean(value) => Value::BoolValue(value),
    };
    KeyValue { key: name, value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_the_sdk_is_the_one_that_is_used() {
        let lock =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap_or_default();
        let used = lock.split_once("name = \"opentelemetry_sdk\"\nversion = \"").map(|(_, rest)| rest);
        let told = own().into_iter().find(|(name, _)| name == "telemetry.sdk.version").map(|(_, value)| value);
        if let Some(used) = used.and_then(|rest| rest.split('"').next()) {
            assert_eq!(told, Some(used.into()));
        }
    }

    #[test]
    fn what_is_told_wins_over_what_is_known() {
        let told = [("service.name".to_owned(), "x".into()), ("host.name".to_owned(), "somewhere".into())];
        let resource = resource(&told, "id");
        let values: Vec<&KeyValue> =
            resource.attributes.iter().filter(|attribute| attribute.key == "host.name").collect();
        assert_eq!(values.len(), 1);
        assert_eq!(*values[0], key_value("host.name".into(), "somewhere".into()));
        for name in ["service.name", "service.instance.id", "process.pid", "os.type", "host.arch", "telemetry.sdk.name"]
        {
            assert!(resource.attributes.iter().any(|attribute| attribute.key == name), "{name}");
        }
    }
}
