//! Where batches go: to a collector, to a terminal, to a file.

mod console;
mod file;
mod grpc;
mod http;
mod retry;

use std::sync::{Arc, Mutex};
use std::time::Instant;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use crate::error::StartError;
use crate::queue::{Closing, Tally, lock};
use crate::settings::{ExporterKind, OtlpSettings, Protocol, Signal};

pub(crate) use console::{Console, hex};
pub(crate) use file::JsonLines;
use retry::Retrying;

/// A batch of one signal, as the OpenTelemetry protocol has it.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    Traces(ExportTraceServiceRequest),
    Metrics(ExportMetricsServiceRequest),
    Logs(ExportLogsServiceRequest),
}

impl Payload {
    /// Returns the number of spans, data points or log records.
    pub(crate) fn items(&self) -> u64 {
        use opentelemetry_proto::tonic::metrics::v1::metric::Data;
        let items: usize = match self {
            Self::Traces(request) => request
                .resource_spans
                .iter()
                .flat_map(|resource| &resource.scope_spans)
                .map(|scope| scope.spans.len())
                .sum(),
            Self::Metrics(request) => request
                .resource_metrics
                .iter()
                .flat_map(|resource| &resource.scope_metrics)
                .flat_map(|scope| &scope.metrics)
                .map(|metric| match &metric.data {
                    Some(Data::Gauge(gauge)) => gauge.data_points.len(),
                    Some(Data::Sum(sum)) => sum.data_points.len(),
                    Some(Data::Histogram(histogram)) => histogram.data_points.len(),
                    _ => 0,
                })
                .sum(),
            Self::Logs(request) => request
                .resource_logs
                .iter()
                .flat_map(|resource| &resource.scope_logs)
                .map(|scope| scope.log_records.len())
                .sum(),
        };
        items as u64
    }
}

/// What a collector answered to a batch that it took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// Items it rejected.
    pub(crate) rejected: u64,
    /// What it says, when it rejected some or warns.
    pub(crate) message: String,
    /// The status it answered with.
    pub(crate) status: String,
}

/// Why a batch was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Whether no answer came at all.
    pub(crate) unreachable: bool,
    /// Whether to try again.
    pub(crate) retryable: bool,
    /// How long the collector asks to wait.
    pub(crate) wait: Option<std::time::Duration>,
    /// What went wrong, without anything that was sent.
    pub(crate) reason: String,
}

/// Sends one request to a collector.
pub(crate) trait Transport: Send {
    /// Sends a batch once; an answer is waited for until `deadline`.
    fn send(&mut self, payload: &Payload, deadline: Instant) -> Result<Receipt, Refusal>;
}

/// Takes batches.
pub(crate) trait Exporter: Send {
    /// Exports a batch, at most until `deadline`.
    fn export(&mut self, payload: &Payload, deadline: Instant) -> Result<Receipt, Refusal>;
}

/// Sets up the way to a collector.
pub(crate) fn transport(signal: Signal, otlp: &OtlpSettings) -> Result<Box<dyn Transport>, StartError> {
    Ok(match otlp.protocol() {
        Protocol::HttpProtobuf => Box::new(http::Http::new(signal, otlp)?),
        Protocol::Grpc => Box::new(grpc::Grpc::new(signal, otlp)?),
    })
}

/// Sets up where a signal goes.
pub(crate) fn exporters(
    signal: Signal,
    kinds: &[ExporterKind],
    otlp: &OtlpSettings,
    shared: &SharedOutputs,
    closing: &Arc<Closing>,
    tally: &Arc<Tally>,
) -> Result<Vec<Box<dyn Exporter>>, StartError> {
    let mut exporters: Vec<Box<dyn Exporter>> = Vec::new();
    let mut kinds = kinds.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    // Those that never wait come first.
    for kind in kinds.iter().rev() {
        match kind {
            ExporterKind::Otlp => exporters.push(Box::new(Retrying::new(
                transport(signal, otlp)?,
                Arc::clone(closing),
                Arc::clone(tally),
            ))),
            ExporterKind::Console => {
                exporters.extend(shared.console.clone().map(|out| Box::new(out) as Box<dyn Exporter>));
            }
            ExporterKind::File => exporters.extend(shared.file.clone().map(|out| Box::new(out) as Box<dyn Exporter>)),
        }
    }
    Ok(exporters)
}

/// What several signals write to.
#[derive(Clone, Default)]
pub(crate) struct SharedOutputs {
    pub(crate) console: Option<Shared<Console>>,
    pub(crate) file: Option<Shared<JsonLines>>,
}

/// An exporter of several signals.
pub(crate) struct Shared<E>(Arc<Mutex<E>>);

impl<E> Clone for Shared<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E> Shared<E> {
    pub(crate) fn new(exporter: E) -> Self {
        Self(Arc::new(Mutex::new(exporter)))
    }
}

impl<E: Exporter> Exporter for Shared<E> {
    fn export(&mut self, payload: &Payload, deadline: Instant) -> Result<Receipt, Refusal> {
        lock(&self.0).export(payload, deadline)
    }
}

/// Reads a PEM file.
fn read_pem(path: &std::path::Path) -> Result<Vec<u8>, StartError> {
    std::fs::read(path).map_err(|source| StartError::ReadFile { path: path.to_path_buf(), source })
}
