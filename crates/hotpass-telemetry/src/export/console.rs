//! Lines for people.

use std::fmt::Write as _;
use std::io::Write;
use std::time::Instant;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data, number_data_point};
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};

use super::{Exporter, Payload, Receipt, Refusal};

/// Writes a line for each item.
pub(crate) struct Console(Box<dyn Write + Send>);

impl Console {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Self(out)
    }
}

impl Exporter for Console {
    fn export(&mut self, payload: &Payload, _: Instant) -> Result<Receipt, Refusal> {
        let text = lines(payload);
        match self.0.write_all(text.as_bytes()).and_then(|()| self.0.flush()) {
            Ok(()) => Ok(Receipt { status: "written".to_owned(), ..Receipt::default() }),
            Err(error) => Err(Refusal { unreachable: false, retryable: false, wait: None, reason: error.to_string() }),
        }
    }
}

fn lines(payload: &Payload) -> String {
    let mut text = String::new();
    match payload {
        Payload::Traces(request) => {
            let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
            scopes.flat_map(|scope| &scope.spans).for_each(|span| span_line(&mut text, span));
        }
        Payload::Metrics(request) => {
            let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
            scopes.flat_map(|scope| &scope.metrics).for_each(|metric| metric_lines(&mut text, metric));
        }
        Payload::Logs(request) => {
            let scopes = request.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
            for record in scopes.flat_map(|scope| &scope.log_records) {
                let _ = writeln!(
                    text,
                    "log     {} {}{}",
                    record.severity_text,
                    record.body.as_ref().map(value).unwrap_or_default(),
                    attributes(&record.attributes)
                );
            }
        }
    }
    text
}

fn span_line(text: &mut String, span: &Span) {
    let seconds = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano) as f64 / 1e9;
    let failed = span.status.as_ref().is_some_and(|status| status.code == StatusCode::Error as i32);
    let parent =
        if span.parent_span_id.is_empty() { String::new() } else { format!(" in {}", hex(&span.parent_span_id)) };
    let _ = writeln!(
        text,
        "span    {} {seconds:.6} s{}{} trace {} span {}{parent}",
        span.name,
        if failed { " failed" } else { "" },
        attributes(&span.attributes),
        hex(&span.trace_id),
        hex(&span.span_id),
    );
}

fn metric_lines(text: &mut String, metric: &Metric) {
    let unit = &metric.unit;
    let number = |value: Option<number_data_point::Value>| match value {
        Some(number_data_point::Value::AsInt(value)) => value.to_string(),
        Some(number_data_point::Value::AsDouble(value)) => value.to_string(),
        None => String::new(),
    };
    match &metric.data {
        Some(Data::Sum(sum)) => {
            for point in &sum.data_points {
                let _ = writeln!(
                    text,
                    "metric  {} {} {unit}{}",
                    metric.name,
                    number(point.value),
                    attributes(&point.attributes)
                );
            }
        }
        Some(Data::Gauge(gauge)) => {
            for point in &gauge.data_points {
                let _ = writeln!(
                    text,
                    "metric  {} {} {unit}{}",
                    metric.name,
                    number(point.value),
                    attributes(&point.attributes)
                );
            }
        }
        Some(Data::Histogram(histogram)) => {
            for point in &histogram.data_points {
                let _ = writeln!(
                    text,
                    "metric  {} {} values, {} {unit} in all, {} to {}{}",
                    metric.name,
                    point.count,
                    point.sum.unwrap_or_default(),
                    point.min.unwrap_or_default(),
                    point.max.unwrap_or_default(),
                    attributes(&point.attributes)
                );
            }
        }
        _ => {}
    }
}

fn attributes(attributes: &[KeyValue]) -> String {
    let mut text = String::new();
    for attribute in attributes {
        let _ = write!(text, " {}={}", attribute.key, attribute.value.as_ref().map(value).unwrap_or_default());
    }
    text
}

fn value(any: &AnyValue) -> String {
    match &any.value {
        Some(Value::StringValue(text)) => text.replace(['\n', '\r', '\u{1b}'], " "),
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) => value.to_string(),
        Some(Value::ArrayValue(array)) => {
            format!("[{}]", array.values.iter().map(value).collect::<Vec<_>>().join(", "))
        }
        _ => String::new(),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
