//! What telemetry does: who is speaking, what goes where, and how long it may take.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use hotpass_core::Secret;

use crate::redaction::Redaction;

/// One of the three kinds of telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Counts, gauges and histograms.
    Metrics,
    /// Log records.
    Logs,
}

impl Signal {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// Returns its name, as paths and variables have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }
}

/// Where telemetry goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExporterKind {
    /// A collector, by the OpenTelemetry protocol.
    Otlp,
    /// Lines for people, on the writer that the program hands over.
    Console,
    /// A file of JSON lines, in the JSON form of the OpenTelemetry protocol.
    File,
}

/// How a collector is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Messages in HTTP/1.1 requests.
    HttpProtobuf,
    /// gRPC.
    Grpc,
}

/// How the total of a counter is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Temporality {
    /// Since the start of the program.
    #[default]
    Cumulative,
    /// Since the last time it was told.
    Delta,
}

/// Which measured values keep an example, with the span they were measured in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExemplarFilter {
    /// Those measured in a span that is sampled.
    #[default]
    TraceBased,
    /// Every one.
    AlwaysOn,
    /// None.
    AlwaysOff,
}

/// Which traces are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Share of the traces that begin here which are kept, 0 to 1.
    pub ratio: f64,
    /// Whether the decision of a caller's trace holds.
    pub parent_based: bool,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { ratio: 1.0, parent_based: true }
    }
}

/// How a batch is gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// Items that wait at most; what comes when the queue is full is dropped, and counted.
    pub max_queue_size: usize,
    /// Items sent at once at most.
    pub max_batch_size: usize,
    /// How long an item waits for company.
    pub delay: Duration,
    /// How long a batch may take, with all its retries.
    pub timeout: Duration,
}

/// The way to a collector, for one signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtlpSettings {
    /// Address of the base (`/v1/traces` and so on are appended), or none for the local collector.
    pub endpoint: Option<String>,
    /// Address of this signal, as it is.
    pub signal_endpoint: Option<String>,
    /// Protocol; by the port of the endpoint when absent (4317 is gRPC), else HTTP.
    pub protocol: Option<Protocol>,
    /// Headers of every request.
    pub headers: Vec<(String, Secret)>,
    /// How long one request may take.
    pub timeout: Duration,
    /// Whether requests are compressed with gzip.
    pub gzip: bool,
    /// Certificates that are trusted, PEM; those of the public authorities when absent.
    pub certificate: Option<PathBuf>,
    /// Certificate that this program shows, PEM.
    pub client_certificate: Option<PathBuf>,
    /// Key of that certificate, PEM.
    pub client_key: Option<PathBuf>,
    /// Whether a gRPC endpoint without a scheme is spoken to in the clear.
    pub insecure: bool,
}

impl Default for OtlpSettings {
    fn default() -> Self {
        Self {
            endpoint: None,
            signal_endpoint: None,
            protocol: None,
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            gzip: false,
            certificate: None,
            client_certificate: None,
            client_key: None,
            insecure: false,
        }
    }
}

impl OtlpSettings {
    /// Returns the protocol: the one named, else the one that the endpoint's port means.
    pub fn protocol(&self) -> Protocol {
        self.protocol.unwrap_or_else(|| {
            let endpoint = self.signal_endpoint.as_ref().or(self.endpoint.as_ref());
            let grpc = endpoint.is_some_and(|endpoint| endpoint.trim_end_matches('/').ends_with(":4317"));
            if grpc { Protocol::Grpc } else { Protocol::HttpProtobuf }
        })
    }

    /// Returns the address that requests of a signal go to.
    pub fn address(&self, signal: Signal) -> String {
        let with_scheme = |endpoint: &str| {
            if endpoint.contains("://") {
                endpoint.to_owned()
            } else {
                format!("{}://{endpoint}", if self.insecure { "http" } else { "https" })
            }
        };
        match (self.protocol(), &self.signal_endpoint, &self.endpoint) {
            (_, Some(endpoint), _) | (Protocol::Grpc, None, Some(endpoint)) => with_scheme(endpoint),
            (Protocol::Grpc, None, None) => "http://localhost:4317".to_owned(),
            (Protocol::HttpProtobuf, None, endpoint) => {
                let base = endpoint.as_deref().unwrap_or("http://localhost:4318");
                format!("{}/v1/{}", with_scheme(base).trim_end_matches('/'), signal.name())
            }
        }
    }
}

/// What happens to one signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalSettings {
    /// Where it goes; nowhere when empty.
    pub exporters: Vec<ExporterKind>,
    /// The way to the collector.
    pub otlp: OtlpSettings,
    /// How batches are gathered; metrics take only the time limit from it.
    pub batching: Batching,
}

/// What may be attached to spans and log records, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Attributes of a span.
    pub span_attributes: u32,
    /// Events of a span.
    pub span_events: u32,
    /// Links of a span.
    pub span_links: u32,
    /// Attributes of an event of a span.
    pub event_attributes: u32,
    /// Attributes of a link.
    pub link_attributes: u32,
    /// Attributes of a log record.
    pub log_attributes: u32,
    /// Characters of a text on a span, where they are limited.
    pub span_text_length: Option<usize>,
    /// Characters of a text on a log record, where they are limited.
    pub log_text_length: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            span_attributes: 128,
            span_events: 128,
            span_links: 128,
            event_attributes: 128,
            link_attributes: 128,
            log_attributes: 128,
            span_text_length: None,
            log_text_length: None,
        }
    }
}

/// A value of a resource attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeValue {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// True or false.
    Boolean(bool),
}

impl From<&str> for AttributeValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for AttributeValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<i64> for AttributeValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

/// Everything that telemetry needs to know before it starts.
///
/// Nothing is read from the environment: [`Settings::apply_environment`] takes what the caller looks up.
pub struct Settings {
    /// Whether anything is started at all.
    pub enabled: bool,
    /// Attributes of the resource, later ones win; `service.name` is among them.
    pub resource: Vec<(String, AttributeValue)>,
    /// Spans.
    pub traces: SignalSettings,
    /// Counts, gauges and histograms.
    pub metrics: SignalSettings,
    /// Log records.
    pub logs: SignalSettings,
    /// Which traces are kept.
    pub sampling: Sampling,
    /// How often metrics are sent.
    pub metric_interval: Duration,
    /// How totals are told.
    pub temporality: Temporality,
    /// Which measured values keep an example.
    pub exemplars: ExemplarFilter,
    /// What may be attached at most.
    pub limits: Limits,
    /// Whether `traceparent` and `tracestate` are read and sent.
    pub propagate_trace: bool,
    /// Whether `baggage` is read and sent.
    pub propagate_baggage: bool,
    /// What never leaves.
    pub redaction: Redaction,
    /// Beginnings of the targets of spans and events that are exported, such as the name of a crate; all when empty.
    pub targets: Vec<&'static str>,
    /// Least severe events that become log records.
    pub log_level: tracing::Level,
    /// File of the file exporter.
    pub file: PathBuf,
    /// Where the console exporter writes.
    pub console: Option<Box<dyn Write + Send>>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("enabled", &self.enabled)
            .field("resource", &self.resource)
            .field("traces", &self.traces)
            .field("metrics", &self.metrics)
            .field("logs", &self.logs)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Makes settings for a service that send every signal to the local collector, once `enabled` is set.
    pub fn new(service_name: &str, service_version: &str) -> Self {
        let signal = |delay| SignalSettings {
            exporters: vec![ExporterKind::Otlp],
            otlp: OtlpSettings::default(),
            batching: Batching {
                max_queue_size: 2048,
                max_batch_size: 512,
                delay: Duration::from_millis(delay),
                timeout: Duration::from_secs(30),
            },
        };
        Self {
            enabled: false,
            resource: vec![
                ("service.name".to_owned(), service_name.into()),
                ("service.version".to_owned(), service_version.into()),
            ],
            traces: signal(5000),
            metrics: signal(0),
            logs: signal(1000),
            sampling: Sampling::default(),
            metric_interval: Duration::from_mins(1),
            temporality: Temporality::default(),
            exemplars: ExemplarFilter::default(),
            limits: Limits::default(),
            propagate_trace: true,
            propagate_baggage: true,
            redaction: Redaction::default(),
            targets: Vec::new(),
            log_level: tracing::Level::INFO,
            file: PathBuf::from("telemetry.ndjson"),
            console: None,
        }
    }

    /// Returns what happens to a signal.
    pub fn signal(&self, signal: Signal) -> &SignalSettings {
        match signal {
            Signal::Traces => &self.traces,
            Signal::Metrics => &self.metrics,
            Signal::Logs => &self.logs,
        }
    }

    /// Returns what happens to a signal, to change it.
    pub fn signal_mut(&mut self, signal: Signal) -> &mut SignalSettings {
        match signal {
            Signal::Traces => &mut self.traces,
            Signal::Metrics => &mut self.metrics,
            Signal::Logs => &mut self.logs,
        }
    }

    /// Sets an attribute of the resource.
    pub fn set_resource(&mut self, name: &str, value: impl Into<AttributeValue>) {
        let value = value.into();
        match self.resource.iter_mut().find(|(known, _)| known == name) {
            Some(entry) => entry.1 = value,
            None => self.resource.push((name.to_owned(), value)),
        }
    }

    /// Sets where every signal goes.
    pub fn set_exporters(&mut self, exporters: &[ExporterKind]) {
        for signal in Signal::ALL {
            self.signal_mut(signal).exporters = exporters.to_vec();
        }
    }

    /// Changes the way to the collector for every signal.
    pub fn for_each_otlp(&mut self, mut change: impl FnMut(&mut OtlpSettings)) {
        for signal in Signal::ALL {
            change(&mut self.signal_mut(signal).otlp);
        }
    }

    /// Returns whether any signal goes anywhere.
    pub fn exports_anything(&self) -> bool {
        Signal::ALL.into_iter().any(|signal| !self.signal(signal).exporters.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(endpoint: Option<&str>, signal_endpoint: Option<&str>, protocol: Option<Protocol>, expected: &str) {
        let otlp = OtlpSettings {
            endpoint: endpoint.map(str::to_owned),
            signal_endpoint: signal_endpoint.map(str::to_owned),
            protocol,
            ..OtlpSettings::default()
        };
        assert_eq!(otlp.address(Signal::Logs), expected);
    }

    #[test]
    fn addresses_are_those_of_the_specification() {
        check(None, None, None, "http://localhost:4318/v1/logs");
        check(None, None, Some(Protocol::Grpc), "http://localhost:4317");
        check(Some("http://c:4318/"), None, None, "http://c:4318/v1/logs");
        check(Some("http://c:4318/otel"), None, None, "http://c:4318/otel/v1/logs");
        check(Some("http://c:4318"), Some("http://d:9/logs"), None, "http://d:9/logs");
        check(Some("http://c:4317"), None, None, "http://c:4317");
        check(Some("c:4317"), None, None, "https://c:4317");
    }
}
