//! Telemetry of a command: its flags, the settings from every layer, and its life around a run.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use hotpass_config::model::{OtlpCompression, OtlpProtocol, TelemetryExporter, TelemetryLevel};
use hotpass_config::{LoadedConfig, Origin};
use hotpass_core::{Secret, SecretReference};
use hotpass_lineage::emitter::HeaderProvider;
use hotpass_telemetry::settings::Protocol;
use hotpass_telemetry::{
    Propagation, Session, Settings, ShutdownReport, StartError, Telemetry, context::ParentGuard, redaction::Redaction,
    settings::ExporterKind, settings::Signal,
};
use serde_json::json;

use crate::context::{ConfigArgs, Context};
use crate::error::CommandError;
use crate::exit::ErrorKind;
use crate::printer::Printer;

/// Crates whose spans and events are exported.
const TARGETS: &[&str] = &[
    "hotpass",
    "hotpass_cli",
    "hotpass_ingest",
    "hotpass_lineage",
    "hotpass_normalise",
    "hotpass_pipeline",
    "hotpass_privacy",
    "hotpass_provenance",
    "hotpass_quality",
    "hotpass_resolve",
];

/// The flags that say what a command tells about itself, and to whom.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Telemetry")]
pub(crate) struct TelemetryArgs {
    /// Export traces, metrics and logs
    #[arg(long, overrides_with = "no_observability")]
    observability: bool,
    /// Export nothing, whatever the configuration and the environment say
    #[arg(long)]
    no_observability: bool,
    /// Where traces, metrics and logs go; may be repeated
    #[arg(long, value_enum, value_name = "EXPORTER")]
    telemetry_exporter: Vec<ExporterChoice>,
    /// Further attribute of the resource; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    telemetry_resource_attr: Vec<(String, String)>,
    /// Name of the service
    #[arg(long, value_name = "NAME")]
    telemetry_service_name: Option<String>,
    /// Environment it runs in, such as `production`
    #[arg(long, value_name = "NAME")]
    telemetry_environment: Option<String>,
    /// Address of the collector, such as `http://localhost:4318`
    #[arg(long, value_name = "URL")]
    telemetry_otlp_endpoint: Option<String>,
    /// Address for traces alone, used as it is
    #[arg(long, value_name = "URL")]
    telemetry_otlp_traces_endpoint: Option<String>,
    /// Address for metrics alone, used as it is
    #[arg(long, value_name = "URL")]
    telemetry_otlp_metrics_endpoint: Option<String>,
    /// Address for logs alone, used as it is
    #[arg(long, value_name = "URL")]
    telemetry_otlp_logs_endpoint: Option<String>,
    /// Protocol of the collector; by the port of its address when absent
    #[arg(long, value_enum, value_name = "PROTOCOL")]
    telemetry_otlp_protocol: Option<ProtocolChoice>,
    /// Header of every request; the value may be `env:NAME` or `file:PATH`; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    telemetry_otlp_header: Vec<(String, String)>,
    /// Speak in the clear to an address without a scheme
    #[arg(long, overrides_with = "telemetry_otlp_secure")]
    telemetry_otlp_insecure: bool,
    /// Speak TLS to an address without a scheme, the default
    #[arg(long)]
    telemetry_otlp_secure: bool,
    /// Seconds that a request to the collector may take; 0 for no end
    #[arg(long, value_name = "SECONDS")]
    telemetry_otlp_timeout: Option<f64>,
    /// Compress requests to the collector
    #[arg(long, value_name = "FORM", value_parser = ["gzip", "none"])]
    telemetry_otlp_compression: Option<String>,
    /// PEM file of the authorities that are trusted
    #[arg(long, value_name = "FILE")]
    telemetry_otlp_certificate: Option<std::path::PathBuf>,
    /// File of the `file` exporter
    #[arg(long, value_name = "FILE")]
    telemetry_file: Option<std::path::PathBuf>,
}

/// Where telemetry goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExporterChoice {
    /// Lines on the standard error
    Console,
    /// A collector, by the OpenTelemetry protocol
    Otlp,
    /// Nowhere
    Noop,
    /// A file of JSON lines
    File,
}

/// How a collector is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProtocolChoice {
    /// gRPC
    Grpc,
    /// Protobuf over HTTP
    #[value(name = "http/protobuf", alias = "http")]
    HttpProtobuf,
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        // The text may be a secret, so it is not repeated.
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

impl TelemetryArgs {
    /// Returns the flags as keys of the configuration; headers stay apart, since they may hold secrets.
    pub(crate) fn flags(&self) -> Vec<(String, String)> {
        let mut flags = Vec::new();
        let mut set = |key: &str, value: String| flags.push((format!("telemetry.{key}"), value));
        if self.observability || self.no_observability {
            set("enabled", self.observability.to_string());
        }
        if !self.telemetry_exporter.is_empty() {
            let names: Vec<&str> = self
                .telemetry_exporter
                .iter()
                .map(|exporter| match exporter {
                    ExporterChoice::Console => "console",
                    ExporterChoice::Otlp => "otlp",
                    ExporterChoice::Noop => "noop",
                    ExporterChoice::File => "file",
                })
                .collect();
            set("exporters", json!(names).to_string());
        }
        if !self.telemetry_resource_attr.is_empty() {
            let attributes: serde_json::Map<String, serde_json::Value> =
                self.telemetry_resource_attr.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
            set("resource_attributes", json!(attributes).to_string());
        }
        let path = |path: &std::path::PathBuf| path.display().to_string();
        let protocol = self.telemetry_otlp_protocol.map(|protocol| match protocol {
            ProtocolChoice::Grpc => "grpc".to_owned(),
            ProtocolChoice::HttpProtobuf => "http/protobuf".to_owned(),
        });
        for (key, value) in [
            ("service_name", self.telemetry_service_name.clone()),
            ("environment", self.telemetry_environment.clone()),
            ("file", self.telemetry_file.as_ref().map(path)),
            ("otlp.endpoint", self.telemetry_otlp_endpoint.clone()),
            ("otlp.traces_endpoint", self.telemetry_otlp_traces_endpoint.clone()),
            ("otlp.metrics_endpoint", self.telemetry_otlp_metrics_endpoint.clone()),
            ("otlp.logs_endpoint", self.telemetry_otlp_logs_endpoint.clone()),
            ("otlp.protocol", protocol),
            ("otlp.timeout_seconds", self.telemetry_otlp_timeout.map(|seconds| seconds.to_string())),
            ("otlp.compression", self.telemetry_otlp_compression.clone()),
            ("otlp.certificate", self.telemetry_otlp_certificate.as_ref().map(path)),
        ] {
            if let Some(value) = value {
                set(key, value);
            }
        }
        if self.telemetry_otlp_insecure || self.telemetry_otlp_secure {
            set("otlp.insecure", self.telemetry_otlp_insecure.to_string());
        }
        flags
    }

    /// Starts telemetry for a command that has no other use for the configuration.
    ///
    /// # Errors
    ///
    /// Returns a usage error when the configuration or the settings cannot be used.
    pub(crate) fn start_alone(&self, context: &mut Context) -> Result<(), CommandError> {
        let loaded = ConfigArgs::default().load_with(context, &self.flags())?;
        self.start(context, &loaded)
    }

    /// Starts telemetry, if any layer asks for it; it ends with the command.
    ///
    /// # Errors
    ///
    /// Returns a usage error when the settings cannot be used.
    pub(crate) fn start(&self, context: &mut Context, loaded: &LoadedConfig) -> Result<(), CommandError> {
        let (settings, warnings) = self.settings(loaded, &variable)?;
        for warning in warnings {
            context.printer.note(format_args!("Telemetry: {warning}"));
        }
        let session = Telemetry::start(settings, hotpass_pipeline::telemetry::INSTRUMENTS)
            .map_err(|error| start_error(&error))?;
        if !session.is_running() {
            return Ok(());
        }
        // A second run in the same process speaks through the first one's subscriber.
        if tracing::subscriber::set_global_default(session.subscriber()).is_err() {
            return Ok(());
        }
        let parent = session.propagation().attach_parent(&variable);
        let limit = Duration::from_secs_f64(loaded.config.telemetry.shutdown_seconds);
        context.telemetry = RunningTelemetry(Some(Running { session, _parent: parent, limit }));
        Ok(())
    }

    /// Returns the settings of every layer: defaults, profile and files, `OTEL_*`, `HOTPASS__…`, flags.
    ///
    /// # Errors
    ///
    /// Returns a usage error when a secret cannot be had.
    pub(crate) fn settings(
        &self,
        loaded: &LoadedConfig,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(Settings, Vec<String>), CommandError> {
        let config = &loaded.config.telemetry;
        let governance = &loaded.config.governance;
        let mut settings = Settings::new(&config.service_name, env!("CARGO_PKG_VERSION"));
        settings.targets = TARGETS.to_vec();
        settings.redaction = Redaction::default().allow_only(hotpass_pipeline::telemetry::attribute_names());
        settings.console = Some(Box::new(Stderr));
        let environment = variable("HOTPASS_ENVIRONMENT").filter(|name| !name.trim().is_empty());
        let compiler = env!("HOTPASS_RUSTC").trim_start_matches("rustc ");
        settings.set_resource("process.runtime.version", compiler.split(' ').next().unwrap_or_default());
        settings.set_resource("deployment.environment.name", environment.unwrap_or_else(|| "development".to_owned()));
        let classification = serde_json::to_value(governance.classification).unwrap_or_default();
        settings.set_resource("hotpass.governance.classification", classification.as_str().unwrap_or_default());
        if !governance.data_owner.is_empty() {
            settings.set_resource("hotpass.governance.data_owner", governance.data_owner.clone());
        }
        settings.file = loaded.config.pipeline.dist_dir.join("telemetry.ndjson");
        settings.log_level = match config.log_level {
            TelemetryLevel::Error => tracing::Level::ERROR,
            TelemetryLevel::Warn => tracing::Level::WARN,
            TelemetryLevel::Info => tracing::Level::INFO,
            TelemetryLevel::Debug => tracing::Level::DEBUG,
            TelemetryLevel::Trace => tracing::Level::TRACE,
        };

        let otlp = &config.otlp;
        let endpoints = [&otlp.endpoint, &otlp.traces_endpoint, &otlp.metrics_endpoint, &otlp.logs_endpoint];
        let endpoint_given = endpoints.into_iter().any(Option::is_some);
        let endpoint_in_environment = ["", "TRACES_", "METRICS_", "LOGS_"]
            .iter()
            .any(|signal| variable(&format!("OTEL_EXPORTER_OTLP_{signal}ENDPOINT")).is_some_and(|url| !url.is_empty()));
        // A signal that the environment leaves out goes the way of those that it names.
        let exporter_in_environment = Signal::ALL.iter().any(|signal| {
            variable(&format!("OTEL_{}_EXPORTER", signal.name().to_uppercase()))
                .is_some_and(|names| names.split(',').any(|name| name.trim() == "otlp"))
        });
        let otlp_is_meant = endpoint_given || endpoint_in_environment || exporter_in_environment;
        settings.set_exporters(&[if otlp_is_meant { ExporterKind::Otlp } else { ExporterKind::Console }]);

        apply_config(&mut settings, loaded, Layer::Below)?;
        let report = settings.apply_environment(variable);
        apply_config(&mut settings, loaded, Layer::Above)?;
        if !self.telemetry_otlp_header.is_empty() {
            let headers = self.telemetry_otlp_header.iter().map(|(name, value)| {
                let secret = match value.parse::<SecretReference>() {
                    Ok(reference) => reference.resolve(variable).map_err(|error| secret_error(name, &error))?,
                    Err(_) => Secret::new(value.clone()),
                };
                Ok((name.clone(), secret))
            });
            let headers = headers.collect::<Result<Vec<_>, CommandError>>()?;
            settings.for_each_otlp(|otlp| otlp.headers.extend(headers.iter().cloned()));
        }

        let asked = report.asks_for_telemetry || endpoint_given || !config.exporters.is_empty();
        let above = layer_of(loaded, "telemetry.enabled") == Layer::Above;
        settings.enabled = match config.enabled {
            Some(enabled) if above => enabled,
            enabled => enabled.unwrap_or(asked) && !report.disabled,
        };
        let mut warnings = if settings.enabled { report.warnings } else { Vec::new() };
        let goes_to = |kind| Signal::ALL.into_iter().any(|signal| settings.signal(signal).exporters.contains(&kind));
        if endpoint_given && settings.enabled && !goes_to(ExporterKind::Otlp) {
            warnings
                .push("`otlp` is not among the exporters, so the address of the collector has no effect".to_owned());
        }
        if config.file.is_some() && settings.enabled && !goes_to(ExporterKind::File) {
            warnings.push("`file` is not among the exporters, so no file is written".to_owned());
        }
        Ok((settings, warnings))
    }
}

/// Where a value stands to the variables of OpenTelemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// Built in, and so below everything.
    Default,
    /// In a profile or a file.
    Below,
    /// In a variable of Hotpass or a flag.
    Above,
}

fn layer_of(loaded: &LoadedConfig, key: &str) -> Layer {
    match loaded.origin(key) {
        None | Some(Origin::Default) => Layer::Default,
        Some(Origin::Profile { .. } | Origin::File { .. }) => Layer::Below,
        Some(Origin::Environment { .. } | Origin::Flag { .. } | Origin::Setting { .. }) => Layer::Above,
    }
}

/// Applies the values of the configuration that stand in a layer.
fn apply_config(settings: &mut Settings, loaded: &LoadedConfig, layer: Layer) -> Result<(), CommandError> {
    let config = &loaded.config.telemetry;
    let here = |key: &str| layer_of(loaded, &format!("telemetry.{key}")) == layer;
    if here("service_name") {
        settings.set_resource("service.name", config.service_name.clone());
    }
    if let Some(environment) = config.environment.as_ref().filter(|_| here("environment")) {
        settings.set_resource("deployment.environment.name", environment.clone());
    }
    if !config.exporters.is_empty() && here("exporters") {
        let kinds: Vec<ExporterKind> = config
            .exporters
            .iter()
            .filter_map(|exporter| match exporter {
                TelemetryExporter::Otlp => Some(ExporterKind::Otlp),
                TelemetryExporter::Console => Some(ExporterKind::Console),
                TelemetryExporter::File => Some(ExporterKind::File),
                TelemetryExporter::Noop => None,
            })
            .collect();
        settings.set_exporters(&kinds);
    }
    for (name, value) in &config.resource_attributes {
        // A name with dots cannot be looked up as a path, so the whole map counts.
        if here("resource_attributes") || here(&format!("resource_attributes.{name}")) {
            settings.set_resource(name, value.clone());
        }
    }
    if let Some(file) = config.file.as_ref().filter(|_| here("file")) {
        settings.file.clone_from(file);
    }
    let otlp = &config.otlp;
    if let Some(endpoint) = otlp.endpoint.as_ref().filter(|_| here("otlp.endpoint")) {
        settings.for_each_otlp(|otlp| {
            otlp.endpoint = Some(endpoint.clone());
            otlp.signal_endpoint = None;
        });
    }
    for (signal, key, endpoint) in [
        (Signal::Traces, "otlp.traces_endpoint", &otlp.traces_endpoint),
        (Signal::Metrics, "otlp.metrics_endpoint", &otlp.metrics_endpoint),
        (Signal::Logs, "otlp.logs_endpoint", &otlp.logs_endpoint),
    ] {
        if let Some(endpoint) = endpoint.as_ref().filter(|_| here(key)) {
            settings.signal_mut(signal).otlp.signal_endpoint = Some(endpoint.clone());
        }
    }
    if let Some(protocol) = otlp.protocol.filter(|_| here("otlp.protocol")) {
        let protocol = match protocol {
            OtlpProtocol::Grpc => Protocol::Grpc,
            OtlpProtocol::HttpProtobuf => Protocol::HttpProtobuf,
        };
        settings.for_each_otlp(|otlp| otlp.protocol = Some(protocol));
    }
    if let Some(insecure) = otlp.insecure.filter(|_| here("otlp.insecure")) {
        settings.for_each_otlp(|otlp| otlp.insecure = insecure);
    }
    if let Some(seconds) = otlp.timeout_seconds.filter(|_| here("otlp.timeout_seconds")) {
        // None means without end, as in the variables of the specification.
        let limit = if seconds > 0.0 { Duration::from_secs_f64(seconds) } else { Duration::from_hours(24) };
        settings.for_each_otlp(|otlp| otlp.timeout = limit);
    }
    if let Some(compression) = otlp.compression.filter(|_| here("otlp.compression")) {
        settings.for_each_otlp(|otlp| otlp.gzip = compression == OtlpCompression::Gzip);
    }
    if let Some(path) = otlp.certificate.as_ref().filter(|_| here("otlp.certificate")) {
        settings.for_each_otlp(|otlp| otlp.certificate = Some(path.clone()));
    }
    if let Some(path) = otlp.client_certificate.as_ref().filter(|_| here("otlp.client_certificate")) {
        settings.for_each_otlp(|otlp| otlp.client_certificate = Some(path.clone()));
    }
    if let Some(path) = otlp.client_key.as_ref().filter(|_| here("otlp.client_key")) {
        settings.for_each_otlp(|otlp| otlp.client_key = Some(path.clone()));
    }
    if here("otlp.headers") || otlp.headers.keys().any(|name| here(&format!("otlp.headers.{name}"))) {
        let mut headers = Vec::new();
        for (name, reference) in &otlp.headers {
            let secret = reference
                .parse::<SecretReference>()
                .and_then(|reference| reference.resolve(variable))
                .map_err(|error| secret_error(name, &error))?;
            headers.push((name.clone(), secret));
        }
        settings.for_each_otlp(|otlp| otlp.headers.clone_from(&headers));
    }
    Ok(())
}

fn secret_error(name: &str, error: &hotpass_core::SecretError) -> CommandError {
    CommandError::usage(format!("Cannot send header `{name}` to the collector")).caused_by(error)
}

fn start_error(error: &StartError) -> CommandError {
    let kind = if matches!(error, StartError::Thread { .. }) { ErrorKind::Failure } else { ErrorKind::Usage };
    CommandError::new(kind, "Cannot start telemetry")
        .caused_by(error)
        .hint("Try the way to the collector with `hotpass telemetry check`, or go without with `--no-observability`")
}

/// Looks a variable of the environment up.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Telemetry while a command runs; nothing when it is off.
#[derive(Debug, Default)]
pub(crate) struct RunningTelemetry(Option<Running>);

#[derive(Debug)]
struct Running {
    session: Session,
    _parent: ParentGuard,
    limit: Duration,
}

impl RunningTelemetry {
    /// Returns what gives the headers of an outbound request: the context of the span in which it is called.
    ///
    /// Without telemetry that is the context of the caller, so that a trace goes on through a program that tells nothing.
    pub(crate) fn header_provider(&self) -> HeaderProvider {
        if let Some(running) = &self.0 {
            let propagation = running.session.propagation();
            return Arc::new(move || propagation.headers());
        }
        let mut settings = Settings::new("hotpass", env!("CARGO_PKG_VERSION"));
        settings.apply_environment(&variable);
        let propagation = Propagation::new(settings.propagate_trace, settings.propagate_baggage);
        let caller = propagation.attach_parent(&variable);
        let headers = propagation.headers();
        drop(caller);
        Arc::new(move || headers.clone())
    }

    /// Ends telemetry and tells what was lost, if anything.
    pub(crate) fn finish(&mut self, printer: &mut Printer) {
        let Some(running) = self.0.take() else { return };
        let report = running.session.shutdown(running.limit);
        printer.event("telemetry.summary", &summary(&report));
        for (signal, counts) in &report.signals {
            let lost = counts.dropped + counts.failed;
            if lost > 0 {
                let reason = counts.reason.as_deref().unwrap_or("there was no place for them");
                printer.note(format_args!("Telemetry: {lost} of {} were lost: {reason}", signal.name()));
            }
        }
    }
}

fn summary(report: &ShutdownReport) -> serde_json::Value {
    let signals: serde_json::Map<String, serde_json::Value> = report
        .signals
        .iter()
        .map(|(signal, counts)| {
            let counts = json!({
                "exported": counts.exported, "dropped": counts.dropped, "failed": counts.failed,
                "retries": counts.retries, "reason": counts.reason,
            });
            (signal.name().to_owned(), counts)
        })
        .collect();
    json!({ "signals": signals, "unknown_metrics": report.unknown_metrics })
}

/// Where the console exporter writes: the standard error, as everything that is not data.
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stderr().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
