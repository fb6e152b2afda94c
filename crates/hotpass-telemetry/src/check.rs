//! One span, one metric and one log record, and what the collector says to them.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, span::SpanKind};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use crate::error::StartError;
use crate::export::{Payload, Transport, hex, transport};
use crate::metrics::now;
use crate::resource::{SCHEMA_URL, resource};
use crate::session::{Telemetry, instance_id};
use crate::settings::{ExporterKind, OtlpSettings, Protocol, Settings, Signal};

/// What a collector said to one signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It took the item.
    Accepted,
    /// It took the request and rejected the item.
    Rejected {
        /// Why, in its words.
        message: String,
    },
    /// It took the item and has something to say.
    AcceptedWithWarning {
        /// What, in its words.
        message: String,
    },
    /// It refused the request.
    Refused {
        /// The status.
        reason: String,
    },
    /// No answer came.
    Unreachable {
        /// Why.
        reason: String,
    },
}

/// How one signal was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalCheck {
    /// The signal.
    pub signal: Signal,
    /// Where it was sent.
    pub address: String,
    /// How.
    pub protocol: Protocol,
    /// What came back.
    pub answer: Answer,
    /// How long that took.
    pub elapsed: Duration,
    /// Hexadecimal id of the trace that was sent, to look it up with.
    pub trace_id: String,
    /// What to try, where the answer or a second attempt by the other protocol tells.
    pub hint: Option<String>,
}

impl SignalCheck {
    /// Returns whether the item has arrived.
    pub fn is_accepted(&self) -> bool {
        matches!(self.answer, Answer::Accepted | Answer::AcceptedWithWarning { .. })
    }
}

impl Telemetry {
    /// Sends one span, one metric and one log record, each once, to where the settings send that signal by OTLP.
    ///
    /// A signal that does not go to a collector is left out.
    ///
    /// # Errors
    ///
    /// Returns [`StartError`] when the settings cannot be used.
    pub fn check(settings: &Settings) -> Result<Vec<SignalCheck>, StartError> {
        let resource = resource(&settings.resource, &instance_id());
        let trace_id = RandomIdGenerator::default().new_trace_id().to_bytes();
        let wanted = |signal: &Signal| settings.signal(*signal).exporters.contains(&ExporterKind::Otlp);
        let mut senders = Vec::new();
        for signal in Signal::ALL.into_iter().filter(wanted) {
            let otlp = &settings.signal(signal).otlp;
            senders.push((signal, otlp, transport(signal, otlp)?));
        }
        // All at once: a collector that hangs is waited for once and not three times.
        let checks = std::thread::scope(|scope| {
            let running: Vec<_> = senders
                .into_iter()
                .map(|(signal, otlp, transport)| {
                    let payload = payload(signal, &resource, trace_id.to_vec());
                    scope.spawn(move || check(signal, otlp, transport, &payload, hex(&trace_id)))
                })
                .collect();
            running.into_iter().filter_map(|check| check.join().ok()).collect()
        });
        Ok(checks)
    }
}

/// Sends one item and looks for a way out when it does not arrive.
fn check(
    signal: Signal,
    otlp: &OtlpSettings,
    mut transport: Box<dyn Transport>,
    payload: &Payload,
    trace_id: String,
) -> SignalCheck {
    let started = Instant::now();
    let answer = send(&mut *transport, payload, otlp.timeout);
    let elapsed = started.elapsed();
    let (address, protocol) = (otlp.address(signal), otlp.protocol());
    let mut check = SignalCheck { signal, address, protocol, answer, elapsed, trace_id, hint: None };
    if !check.is_accepted() {
        let other = other_way(signal, otlp, payload, &check.answer);
        check.hint = other.or_else(|| hint(&check.answer, &check.address).map(str::to_owned));
    }
    check
}

fn send(transport: &mut dyn Transport, payload: &Payload, limit: Duration) -> Answer {
    match transport.send(payload, Instant::now() + limit) {
        Ok(receipt) if receipt.rejected > 0 => Answer::Rejected { message: receipt.message },
        Ok(receipt) if !receipt.message.is_empty() => Answer::AcceptedWithWarning { message: receipt.message },
        Ok(_) => Answer::Accepted,
        Err(refusal) if refusal.unreachable => Answer::Unreachable { reason: refusal.reason },
        Err(refusal) => Answer::Refused { reason: refusal.reason },
    }
}

/// Sends the item by the other protocol where somebody listens who did not understand, and says so when that works.
fn other_way(signal: Signal, otlp: &OtlpSettings, payload: &Payload, answer: &Answer) -> Option<String> {
    let (Answer::Unreachable { reason } | Answer::Refused { reason }) = answer else { return None };
    if NOBODY.iter().chain(TLS).any(|(sign, _)| reason.contains(sign)) {
        return None;
    }
    let (protocol, name) = match otlp.protocol() {
        Protocol::Grpc => (Protocol::HttpProtobuf, "http/protobuf"),
        Protocol::HttpProtobuf => (Protocol::Grpc, "grpc"),
    };
    let mut other = OtlpSettings { protocol: Some(protocol), ..otlp.clone() };
    if let Some(base) = other.signal_endpoint.take() {
        // The path of a signal belongs to HTTP alone.
        let base = base.split_once("://").map_or(base.as_str(), |(_, rest)| rest).split('/').next().unwrap_or_default();
        let scheme = if otlp.address(signal).starts_with("https") { "https" } else { "http" };
        other.endpoint = Some(format!("{scheme}://{base}"));
    }
    let mut transport = transport(signal, &other).ok()?;
    match send(&mut *transport, payload, otlp.timeout.min(Duration::from_secs(2))) {
        Answer::Accepted | Answer::AcceptedWithWarning { .. } => {
            Some(format!("It arrived by `{name}`: use that protocol for this address"))
        }
        _ => None,
    }
}

/// Signs that nobody listens, with what to do then.
const NOBODY: &[(&str, &str)] = &[
    ("refused", "Nobody listens at this address; is the collector running, and on this port?"),
    ("lookup address", "This name has no address; is it spelled right?"),
    ("host not found", "This name has no address; is it spelled right?"),
    ("no answer in time", "Somebody listens and does not answer, or a firewall swallows the request"),
    ("Timeout", "Somebody listens and does not answer, or a firewall swallows the request"),
    ("timed out", "Somebody listens and does not answer, or a firewall swallows the request"),
    ("unreachable", "There is no way to this address"),
];

/// Signs of trouble with TLS, with what to do then.
const TLS: &[(&str, &str)] = &[
    ("InvalidContentType", "The collector does not speak TLS here: write `http://` before the address"),
    (
        "UnknownIssuer",
        "The collector's certificate is signed by an authority that is not trusted: name it as `certificate`",
    ),
    ("not valid for name", "The collector's certificate is for another name than that of the address"),
    ("NotValidForName", "The collector's certificate is for another name than that of the address"),
    ("certificate expired", "The collector's certificate is out of date"),
    ("certificate: Expired", "The collector's certificate is out of date"),
    ("NotValidYet", "The collector's certificate is not valid yet; is the clock of this machine right?"),
    ("CaUsedAsEndEntity", "The collector shows the certificate of an authority and not one of its own"),
    ("CertificateRequired", "The collector wants a client certificate: name `client_certificate` and `client_key`"),
    ("certificate required", "The collector wants a client certificate: name `client_certificate` and `client_key`"),
    ("invalid peer certificate", "The collector's certificate cannot be trusted"),
];

/// Returns what to try after an answer.
fn hint(answer: &Answer, address: &str) -> Option<&'static str> {
    match answer {
        Answer::Accepted | Answer::AcceptedWithWarning { .. } => None,
        Answer::Rejected { .. } => Some("The collector understood and did not want it: look into its log"),
        Answer::Refused { reason } | Answer::Unreachable { reason } => {
            let signs = |status: &[&str]| status.iter().any(|sign| reason.contains(sign));
            if let Some((_, hint)) = TLS.iter().chain(NOBODY).find(|(sign, _)| reason.contains(sign)) {
                Some(hint)
            } else if signs(&["401", "403", "Unauthenticated", "PermissionDenied"]) {
                Some("The collector wants to know who sends: name a header, such as `authorization`")
            } else if signs(&["404", "405", "Unimplemented"]) {
                Some("Somebody else listens at this address, or the path is not that of OTLP")
            } else if !signs(&["400", "protocol", "reset", "roken pipe", "closed", "end of file"]) {
                None
            } else if address.starts_with("https") {
                Some("Whoever listens there may not speak TLS (try `http://`), or wants a client certificate")
            } else {
                Some("Whoever listens there may speak TLS, or no OTLP: try `https://` before the address")
            }
        }
    }
}

fn payload(signal: Signal, resource: &Resource, trace_id: Vec<u8>) -> Payload {
    const NAME: &str = "hotpass.telemetry.check";
    let time = now();
    let scope = Some(InstrumentationScope { name: NAME.to_owned(), ..InstrumentationScope::default() });
    let (resource, schema_url) = (Some(resource.clone()), SCHEMA_URL.to_owned());
    let span_id = trace_id.iter().skip(8).copied().collect::<Vec<u8>>();
    match signal {
        Signal::Traces => {
            let span = Span {
                trace_id,
                span_id,
                name: NAME.to_owned(),
                kind: SpanKind::Internal.into(),
                start_time_unix_nano: time,
                end_time_unix_nano: time + 1,
                flags: 1,
                ..Span::default()
            };
            let scope_spans = vec![ScopeSpans { scope, spans: vec![span], ..ScopeSpans::default() }];
            Payload::Traces(ExportTraceServiceRequest {
                resource_spans: vec![ResourceSpans { resource, scope_spans, schema_url }],
            })
        }
        Signal::Metrics => {
            let point = NumberDataPoint {
                start_time_unix_nano: time,
                time_unix_nano: time + 1,
                value: Some(number_data_point::Value::AsInt(1)),
                ..NumberDataPoint::default()
            };
            let sum = Sum {
                data_points: vec![point],
                aggregation_temporality: AggregationTemporality::Cumulative.into(),
                is_monotonic: true,
            };
            let metric = Metric {
                name: NAME.to_owned(),
                unit: "{check}".to_owned(),
                data: Some(metric::Data::Sum(sum)),
                ..Metric::default()
            };
            let scope_metrics = vec![ScopeMetrics { scope, metrics: vec![metric], ..ScopeMetrics::default() }];
            Payload::Metrics(ExportMetricsServiceRequest {
                resource_metrics: vec![ResourceMetrics { resource, scope_metrics, schema_url }],
            })
        }
        Signal::Logs => {
            let body = Value::StringValue("Telemetry is being checked".to_owned());
            let record = LogRecord {
                time_unix_nano: time,
                observed_time_unix_nano: time,
                severity_number: SeverityNumber::Info.into(),
                severity_text: "INFO".to_owned(),
                body: Some(AnyValue { value: Some(body) }),
                trace_id,
                span_id,
                flags: 1,
                ..LogRecord::default()
            };
            let scope_logs = vec![ScopeLogs { scope, log_records: vec![record], ..ScopeLogs::default() }];
            Payload::Logs(ExportLogsServiceRequest {
                resource_logs: vec![ResourceLogs { resource, scope_logs, schema_url }],
            })
        }
    }
}
