//! The `telemetry` section: what a run tells an OpenTelemetry collector, a terminal or a file about itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hotpass_core::SecretReference;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ConfigProblem, ProblemKind};

/// What a run tells an OpenTelemetry collector, a terminal or a file about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Whether traces, metrics and logs are exported; when absent, they are as soon as an exporter or an endpoint is named here, by a flag, or by a variable of OpenTelemetry.
    pub enabled: Option<bool>,
    /// Name of the service, `service.name`.
    pub service_name: String,
    /// Where it runs, `deployment.environment.name`; the variable `HOTPASS_ENVIRONMENT`, else `development`, when absent.
    pub environment: Option<String>,
    /// Where everything goes; when empty, to the endpoint where one is named, else to the console.
    pub exporters: Vec<TelemetryExporter>,
    /// Further attributes of the resource.
    pub resource_attributes: BTreeMap<String, String>,
    /// Least severe log record that is exported.
    pub log_level: TelemetryLevel,
    /// File of the `file` exporter, one JSON object a line; `telemetry.ndjson` in the folder of runs when absent.
    pub file: Option<PathBuf>,
    /// Seconds that a run waits at most at its end for what is still to be exported.
    pub shutdown_seconds: f64,
    /// The way to the collector.
    pub otlp: TelemetryOtlp,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            enabled: None,
            service_name: "hotpass".to_owned(),
            environment: None,
            exporters: Vec::new(),
            resource_attributes: BTreeMap::new(),
            log_level: TelemetryLevel::default(),
            file: None,
            shutdown_seconds: 2.0,
            otlp: TelemetryOtlp::default(),
        }
    }
}

/// Where telemetry goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TelemetryExporter {
    /// A collector, by the OpenTelemetry protocol.
    #[default]
    Otlp,
    /// Lines on the standard error.
    Console,
    /// A file of JSON lines.
    File,
    /// Nowhere.
    Noop,
}

/// Severity of a log record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TelemetryLevel {
    /// What failed.
    Error,
    /// What deserves a look.
    Warn,
    /// What happened.
    #[default]
    Info,
    /// What a developer wants to see.
    Debug,
    /// Everything.
    Trace,
}

/// The way to a collector.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryOtlp {
    /// Address of the collector, such as `http://localhost:4318`; `/v1/traces` and so on are appended for HTTP.
    pub endpoint: Option<String>,
    /// Address for traces alone, used as it is.
    pub traces_endpoint: Option<String>,
    /// Address for metrics alone, used as it is.
    pub metrics_endpoint: Option<String>,
    /// Address for logs alone, used as it is.
    pub logs_endpoint: Option<String>,
    /// Protocol; when absent, `grpc` for port 4317 and `http/protobuf` for every other.
    pub protocol: Option<OtlpProtocol>,
    /// Headers of every request: name to where the value is found, `env:NAME` or `file:PATH`.
    pub headers: BTreeMap<String, String>,
    /// Whether an endpoint without a scheme is spoken to in the clear.
    pub insecure: Option<bool>,
    /// Seconds that a request may take; 10 when absent.
    pub timeout_seconds: Option<f64>,
    /// Compression of requests; none when absent.
    pub compression: Option<OtlpCompression>,
    /// PEM file of the authorities that are trusted; the public ones when absent.
    pub certificate: Option<PathBuf>,
    /// PEM file of the certificate to show.
    pub client_certificate: Option<PathBuf>,
    /// PEM file of the key of that certificate.
    pub client_key: Option<PathBuf>,
}

/// Protocol of a collector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OtlpProtocol {
    /// gRPC.
    #[serde(rename = "grpc")]
    Grpc,
    /// Protobuf over HTTP.
    #[default]
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
}

/// Compression of requests to a collector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OtlpCompression {
    /// gzip.
    #[default]
    Gzip,
    /// None.
    None,
}

impl Telemetry {
    /// Returns every problem that no single layer can see.
    pub(crate) fn problems(&self) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        let mut invalid = |key: &str, message: String, expected: &str| {
            problems.push(ConfigProblem::new(ProblemKind::InvalidValue, message).key(key).expecting(expected));
        };
        if self.service_name.trim().is_empty() {
            invalid("telemetry.service_name", "Text is empty".to_owned(), "text");
        }
        for (key, seconds) in [
            ("telemetry.shutdown_seconds", Some(self.shutdown_seconds)),
            ("telemetry.otlp.timeout_seconds", self.otlp.timeout_seconds),
        ] {
            if let Some(seconds) = seconds.filter(|seconds| !(0.0..=3600.0).contains(seconds)) {
                invalid(key, format!("Not a time to wait: `{seconds}`"), "seconds, from 0 to 3600");
            }
        }
        for (name, reference) in &self.otlp.headers {
            if reference.parse::<SecretReference>().is_err() {
                // The value may be the secret itself, so it is not repeated.
                invalid(
                    &format!("telemetry.otlp.headers.{name}"),
                    "The value of a header stands in the configuration".to_owned(),
                    "`env:NAME` or `file:PATH`, where the value is found",
                );
            }
        }
        let otlp = &self.otlp;
        for (key, endpoint) in [
            ("telemetry.otlp.endpoint", &otlp.endpoint),
            ("telemetry.otlp.traces_endpoint", &otlp.traces_endpoint),
            ("telemetry.otlp.metrics_endpoint", &otlp.metrics_endpoint),
            ("telemetry.otlp.logs_endpoint", &otlp.logs_endpoint),
        ] {
            let scheme = endpoint.as_ref().and_then(|endpoint| endpoint.split_once("://")).map(|(scheme, _)| scheme);
            if endpoint.as_ref().is_some_and(|endpoint| endpoint.trim().is_empty())
                || scheme.is_some_and(|scheme| !matches!(scheme, "http" | "https"))
            {
                invalid(key, "Not the address of a collector".to_owned(), "an address such as `http://localhost:4318`");
            }
        }
        if otlp.client_certificate.is_some() != otlp.client_key.is_some() {
            invalid(
                "telemetry.otlp.client_certificate",
                "A client certificate and its key belong together; one of them is missing".to_owned(),
                "both `client_certificate` and `client_key`",
            );
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use crate::ConfigLoader;

    fn keys(flags: &[(&str, &str)]) -> Vec<String> {
        let loader = flags.iter().fold(ConfigLoader::new(), |loader, (key, value)| loader.flag(*key, *value));
        match loader.load() {
            Ok(_) => Vec::new(),
            Err(error) => error.problems.into_iter().map(|problem| problem.key).collect(),
        }
    }

    #[test]
    fn headers_name_where_their_value_is_and_do_not_hold_it() {
        assert_eq!(keys(&[("telemetry.otlp.headers", r#"{"api-key":"env:KEY"}"#)]), Vec::<String>::new());
        assert_eq!(keys(&[("telemetry.otlp.headers", r#"{"api-key":"s3cret"}"#)]), ["telemetry.otlp.headers.api-key"]);
    }

    #[test]
    fn times_addresses_and_pairs_are_checked() {
        assert_eq!(
            keys(&[
                ("telemetry.shutdown_seconds", "-1"),
                ("telemetry.otlp.endpoint", "ftp://somewhere"),
                ("telemetry.otlp.client_key", "key.pem"),
                ("telemetry.service_name", " "),
            ]),
            [
                "telemetry.service_name",
                "telemetry.shutdown_seconds",
                "telemetry.otlp.endpoint",
                "telemetry.otlp.client_certificate"
            ]
        );
    }
}
