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
use crate::export::{Payload, hex, transport};
use crate::metrics::now;
use crate::resource::{SCHEMA_URL, resource};
use crate::session::{Telemetry, instance_id};
use crate::settings::{ExporterKind, Protocol, Settings, Signal};

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
        let mut checks = Vec::new();
        for signal in Signal::ALL {
            let set = settings.signal(signal);
            if !set.exporters.contains(&ExporterKind::Otlp) {
                continue;
            }
            let mut transport = transport(signal, &set.otlp)?;
            let payload = payload(signal, &resource, trace_id.to_vec());
            let started = Instant::now();
            let answer = match transport.send(&payload, started + set.otlp.timeout) {
                Ok(receipt) if receipt.rejected > 0 => Answer::Rejected { message: receipt.message },
                Ok(receipt) if !receipt.message.is_empty() => Answer::AcceptedWithWarning { message: receipt.message },
                Ok(_) => Answer::Accepted,
                Err(refusal) if refusal.unreachable => Answer::Unreachable { reason: refusal.reason },
                Err(refusal) => Answer::Refused { reason: refusal.reason },
            };
            checks.push(SignalCheck {
                signal,
                address: set.otlp.address(signal),
                protocol: set.otlp.protocol(),
                answer,
                elapsed: started.elapsed(),
                trace_id: hex(&trace_id),
            });
        }
        Ok(checks)
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
