//! Telemetry that runs: its threads, the layers that feed it, and its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hotpass_core::{Instrument, InstrumentKind};
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::LoggerProvider as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope as Scope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{Metric, ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord, SdkLoggerProvider};
use opentelemetry_sdk::trace::{
    IdGenerator, RandomIdGenerator, Sampler, SdkTracerProvider, ShouldSample, SpanData, SpanLimits, SpanProcessor,
};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use crate::context::Propagation;
use crate::error::StartError;
use crate::export::{self, Console, Exporter, JsonLines, Payload, Shared, SharedOutputs};
use crate::metrics::{METRIC_TARGET, MetricLayer, Store, Taken};
use crate::queue::{Closing, Queue, Tally, lock};
use crate::redaction::Redaction;
use crate::resource::{SCHEMA_URL, resource};
use crate::settings::{AttributeValue, ExporterKind, Limits, Sampling, Settings, Signal, SignalSettings};
use crate::unsigned::UnsignedFields;

/// Name of the attribute that tells what an own instrument speaks of.
const SIGNAL_ATTRIBUTE: &str = "hotpass.telemetry.signal";

/// What telemetry measures of itself, beside the caller's table.
pub const OWN_INSTRUMENTS: &[Instrument] = &[
    Instrument {
        name: "hotpass.telemetry.dropped",
        kind: InstrumentKind::Counter,
        unit: "{item}",
        description: "Spans and log records that found no place in the queue",
        boundaries: &[],
        attributes: &[SIGNAL_ATTRIBUTE],
    },
    Instrument {
        name: "hotpass.telemetry.failed",
        kind: InstrumentKind::Counter,
        unit: "{item}",
        description: "Spans, data points and log records that could not be delivered or were rejected",
        boundaries: &[],
        attributes: &[SIGNAL_ATTRIBUTE],
    },
    Instrument {
        name: "hotpass.telemetry.retries",
        kind: InstrumentKind::Counter,
        unit: "{request}",
        description: "Requests to the collector that were sent again",
        boundaries: &[],
        attributes: &[SIGNAL_ATTRIBUTE],
    },
];

/// The way into telemetry.
#[derive(Debug)]
pub struct Telemetry;

impl Telemetry {
    /// Starts what the settings ask for; with telemetry off, nothing at all.
    ///
    /// Nothing is installed globally: hand [`Session::layer`] to a subscriber of your own, or make
    /// [`Session::subscriber`] the program's.
    ///
    /// # Errors
    ///
    /// Returns [`StartError`] when the settings cannot be used. A collector that is down is no error.
    pub fn start(mut settings: Settings, instruments: &[Instrument]) -> Result<Session, StartError> {
        if !settings.enabled || !settings.exports_anything() {
            return Ok(Session { running: None });
        }
        let outputs = outputs(&mut settings)?;
        let unsigned = UnsignedFields::default();
        let shared = Arc::new(Common::new(&settings, unsigned.clone()));
        let closing = Arc::new(Closing::default());
        let tallies: BTreeMap<Signal, Arc<Tally>> =
            Signal::ALL.into_iter().map(|signal| (signal, Arc::new(Tally::default()))).collect();
        let exporters = |signal: Signal| {
            let SignalSettings { exporters, otlp, .. } = settings.signal(signal);
            export::exporters(signal, exporters, otlp, &outputs, &closing, &tallies[&signal])
        };
        // Everything that can fail comes before the first thread.
        let (to_traces, to_metrics, to_logs) =
            (exporters(Signal::Traces)?, exporters(Signal::Metrics)?, exporters(Signal::Logs)?);

        let all: Vec<Instrument> = instruments.iter().chain(OWN_INSTRUMENTS).copied().collect();
        let store = Arc::new(Store::new(&all, settings.exemplars, settings.temporality));
        let queue = |signal: Signal| {
            let batching = settings.signal(signal).batching;
            (batching.max_queue_size, batching.max_batch_size, Arc::clone(&tallies[&signal]))
        };

        let (size, batch, tally) = queue(Signal::Traces);
        let spans = (!to_traces.is_empty()).then(|| Arc::new(Queue::<SpanData>::new(size, batch, tally)));
        if let Some(spans) = &spans {
            let (shared, batching) = (Arc::clone(&shared), settings.traces.batching);
            let finish = move |batch: Vec<SpanData>| shared.traces(batch);
            start_thread(Signal::Traces, Worker { queue: Arc::clone(spans), batching, exporters: to_traces }, finish)?;
        }
        let (size, batch, tally) = queue(Signal::Logs);
        let logs = (!to_logs.is_empty()).then(|| Arc::new(Queue::<QueuedLog>::new(size, batch, tally)));
        if let Some(logs) = &logs {
            let (shared, batching) = (Arc::clone(&shared), settings.logs.batching);
            let finish = move |batch: Vec<QueuedLog>| shared.logs(batch);
            start_thread(Signal::Logs, Worker { queue: Arc::clone(logs), batching, exporters: to_logs }, finish)?;
        }
        let metrics = if to_metrics.is_empty() {
            None
        } else {
            let metrics = MetricWorker {
                store: Arc::clone(&store),
                shared,
                closing: Arc::clone(&closing),
                tallies: tallies.clone(),
                interval: settings.metric_interval,
                timeout: settings.metrics.batching.timeout,
                done: Arc::new(Queue::new(0, 1, Arc::clone(&tallies[&Signal::Metrics]))),
                exporters: to_metrics,
                told: BTreeMap::new(),
            };
            let done = Arc::clone(&metrics.done);
            metrics.start()?;
            Some(done)
        };
        Ok(Session {
            running: Some(Running {
                tracers: tracers(&settings, spans.clone()),
                loggers: loggers(logs.clone()),
                store,
                spans,
                logs,
                metrics,
                closing,
                tallies,
                propagation: Propagation::new(settings.propagate_trace, settings.propagate_baggage),
                scope: scope_name(&settings),
                unsigned,
                targets: settings.targets,
                log_level: settings.log_level,
            }),
        })
    }
}

/// Opens what several signals write to.
fn outputs(settings: &mut Settings) -> Result<SharedOutputs, StartError> {
    let wanted = |kind| Signal::ALL.into_iter().any(|signal| settings.signal(signal).exporters.contains(&kind));
    let (console, file) = (wanted(ExporterKind::Console), wanted(ExporterKind::File));
    let mut outputs = SharedOutputs::default();
    if file {
        outputs.file = Some(Shared::new(JsonLines::open(&settings.file)?));
    }
    if console {
        outputs.console = settings.console.take().map(|out| Shared::new(Console::new(out)));
    }
    Ok(outputs)
}

fn scope_name(settings: &Settings) -> (String, String) {
    let text = |name: &str| {
        let value = settings.resource.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        match value {
            Some(AttributeValue::Text(text)) => text.clone(),
            _ => String::new(),
        }
    };
    (text("service.name"), text("service.version"))
}

/// Running telemetry; ends with [`Session::shutdown`], or within two seconds when dropped.
#[derive(Debug)]
pub struct Session {
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    tracers: SdkTracerProvider,
    loggers: SdkLoggerProvider,
    store: Arc<Store>,
    spans: Option<Arc<Queue<SpanData>>>,
    logs: Option<Arc<Queue<QueuedLog>>>,
    metrics: Option<Arc<Queue<()>>>,
    closing: Arc<Closing>,
    tallies: BTreeMap<Signal, Arc<Tally>>,
    propagation: Propagation,
    scope: (String, String),
    unsigned: UnsignedFields,
    targets: Vec<&'static str>,
    log_level: Level,
}

/// What became of one signal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignalReport {
    /// Items that were exported.
    pub exported: u64,
    /// Items that found no place in the queue.
    pub dropped: u64,
    /// Items that could not be delivered or were rejected, those among them that time ran out for.
    pub failed: u64,
    /// Requests that were sent again.
    pub retries: u64,
    /// The newest reason why something was not delivered.
    pub reason: Option<String>,
}

/// What became of all that was to be exported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShutdownReport {
    /// By signal; those that went nowhere are absent.
    pub signals: BTreeMap<Signal, SignalReport>,
    /// Names of measured values that no instrument has, with how often each came.
    pub unknown_metrics: BTreeMap<String, u64>,
}

impl ShutdownReport {
    /// Returns whether anything was lost.
    pub fn lost_anything(&self) -> bool {
        self.signals.values().any(|signal| signal.dropped + signal.failed > 0)
    }
}

/// How long a session that is dropped may take.
const DROP_LIMIT: Duration = Duration::from_secs(2);

impl Session {
    /// Returns whether anything runs.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Returns the layer that feeds telemetry from `tracing`: spans, events, and events of measured values.
    ///
    /// It does nothing when telemetry is off.
    pub fn layer<S>(&self) -> Vec<Box<dyn Layer<S> + Send + Sync>>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let mut layers: Vec<Box<dyn Layer<S> + Send + Sync>> = Vec::new();
        let Some(running) = &self.running else { return layers };
        let speaks = |metadata: &Metadata<'_>, targets: &[&'static str]| {
            targets.is_empty()
                || targets.iter().any(|target| {
                    let rest = metadata.target().strip_prefix(target);
                    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
                })
        };
        if running.spans.is_some() {
            let scope =
                InstrumentationScope::builder(running.scope.0.clone()).with_version(running.scope.1.clone()).build();
            let targets = running.targets.clone();
            let level = running.log_level.max(Level::INFO);
            let filter = filter_fn(move |metadata| {
                metadata.is_span() && *metadata.level() <= level && speaks(metadata, &targets)
            });
            let layer = tracing_opentelemetry::layer()
                .with_tracer(running.tracers.tracer_with_scope(scope))
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_tracked_inactivity(false)
                .and_then(running.unsigned.clone())
                .with_filter(filter.with_max_level_hint(LevelFilter::from_level(level)));
            layers.push(Box::new(layer));
        }
        if running.logs.is_some() {
            let targets = running.targets.clone();
            let level = running.log_level;
            let filter = filter_fn(move |metadata| {
                // Not `is_event`: who asks with `tracing::enabled!` shows no kind.
                !metadata.is_span()
                    && *metadata.level() <= level
                    && metadata.target() != METRIC_TARGET
                    && speaks(metadata, &targets)
            });
            layers.push(Box::new(
                OpenTelemetryTracingBridge::new(&running.loggers)
                    .with_filter(filter.with_max_level_hint(LevelFilter::from_level(level))),
            ));
        }
        if running.metrics.is_some() {
            let filter = filter_fn(|metadata| !metadata.is_span() && metadata.target() == METRIC_TARGET);
            layers.push(Box::new(
                MetricLayer(Arc::clone(&running.store)).with_filter(filter.with_max_level_hint(LevelFilter::INFO)),
            ));
        }
        layers
    }

    /// Returns a subscriber with nothing but telemetry in it, for a program that has no other.
    pub fn subscriber(&self) -> impl Subscriber + Send + Sync + use<> {
        tracing_subscriber::registry().with(self.layer())
    }

    /// Returns what sends the context of the current span on.
    pub fn propagation(&self) -> Propagation {
        self.running.as_ref().map(|running| running.propagation).unwrap_or_default()
    }

    /// Exports what is there now, at most for `limit`; returns whether that was done.
    pub fn flush(&self, limit: Duration) -> bool {
        let Some(running) = &self.running else { return true };
        let deadline = Instant::now() + limit;
        running.spans.as_ref().is_none_or(|spans| spans.flush(deadline))
            && running.logs.as_ref().is_none_or(|logs| logs.flush(deadline))
    }

    /// Ends telemetry: exports what is left, at most for `limit`, and says what became of everything.
    pub fn shutdown(mut self, limit: Duration) -> ShutdownReport {
        self.running.take().map(|running| running.end(limit)).unwrap_or_default()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.end(DROP_LIMIT);
        }
    }
}

impl Running {
    fn end(self, limit: Duration) -> ShutdownReport {
        let deadline = Instant::now() + limit;
        let unknown = self.store.unknown();
        if !unknown.is_empty() {
            self.warn_of_unknown(&unknown);
        }
        if let Some(spans) = &self.spans {
            spans.close();
        }
        if let Some(logs) = &self.logs {
            logs.close();
        }
        self.closing.close(deadline);
        let mut report = ShutdownReport { unknown_metrics: unknown, ..ShutdownReport::default() };
        let left = |queue: Option<usize>, signal: Signal| {
            if let Some(left) = queue.filter(|left| *left > 0) {
                self.tallies[&signal].failure(left as u64, "no answer in time");
            }
        };
        left(self.spans.as_ref().map(|spans| spans.join(deadline)), Signal::Traces);
        left(self.logs.as_ref().map(|logs| logs.join(deadline)), Signal::Logs);
        left(self.metrics.as_ref().map(|metrics| metrics.join(deadline)), Signal::Metrics);
        let present = [
            (Signal::Traces, self.spans.is_some()),
            (Signal::Metrics, self.metrics.is_some()),
            (Signal::Logs, self.logs.is_some()),
        ];
        for (signal, _) in present.into_iter().filter(|(_, present)| *present) {
            let tally = &self.tallies[&signal];
            report.signals.insert(
                signal,
                SignalReport {
                    exported: tally.exported.load(Ordering::Relaxed),
                    dropped: tally.dropped.load(Ordering::Relaxed),
                    failed: tally.failed.load(Ordering::Relaxed),
                    retries: tally.retries.load(Ordering::Relaxed),
                    reason: lock(&tally.reason).clone(),
                },
            );
        }
        report
    }

    /// Tells, once, which measured values have no instrument.
    fn warn_of_unknown(&self, unknown: &BTreeMap<String, u64>) {
        use opentelemetry::logs::{LogRecord as _, Logger as _, Severity};
        let logger = self.loggers.logger("hotpass::telemetry");
        let mut record = logger.create_log_record();
        record.set_severity_number(Severity::Warn);
        record.set_severity_text("WARN");
        let names: Vec<&str> = unknown.keys().map(String::as_str).collect();
        record.set_body(format!("Measured values without an instrument: {}", names.join(", ")).into());
        logger.emit(record);
    }
}

fn tracers(settings: &Settings, spans: Option<Arc<Queue<SpanData>>>) -> SdkTracerProvider {
    let Limits { span_attributes, span_events, span_links, event_attributes, link_attributes, .. } = settings.limits;
    let builder = SdkTracerProvider::builder()
        .with_sampler(sampler(settings.sampling))
        .with_span_limits(SpanLimits {
            max_attributes_per_span: span_attributes,
            max_events_per_span: span_events,
            max_links_per_span: span_links,
            max_attributes_per_event: event_attributes,
            max_attributes_per_link: link_attributes,
        })
        .with_resource(opentelemetry_sdk::Resource::builder_empty().build());
    match spans {
        Some(spans) => builder.with_span_processor(QueueSpans(spans)).build(),
        None => builder.build(),
    }
}

fn sampler(sampling: Sampling) -> Box<dyn ShouldSample> {
    let root = if sampling.ratio >= 1.0 {
        Sampler::AlwaysOn
    } else if sampling.ratio <= 0.0 {
        Sampler::AlwaysOff
    } else {
        Sampler::TraceIdRatioBased(sampling.ratio)
    };
    if sampling.parent_based { Box::new(Sampler::ParentBased(Box::new(root))) } else { Box::new(root) }
}

fn loggers(logs: Option<Arc<Queue<QueuedLog>>>) -> SdkLoggerProvider {
    let builder = SdkLoggerProvider::builder().with_resource(opentelemetry_sdk::Resource::builder_empty().build());
    match logs {
        Some(logs) => builder.with_log_processor(QueueLogs(logs)).build(),
        None => builder.build(),
    }
}

/// Puts spans that have ended into the queue.
#[derive(Debug)]
struct QueueSpans(Arc<Queue<SpanData>>);

impl SpanProcessor for QueueSpans {
    fn on_start(&self, _: &mut opentelemetry_sdk::trace::Span, _: &opentelemetry::Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            self.0.push(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

type QueuedLog = Box<(SdkLogRecord, String)>;

/// Puts log records into the queue.
#[derive(Debug)]
struct QueueLogs(Arc<Queue<QueuedLog>>);

impl LogProcessor for QueueLogs {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        let target = record.target().map_or_else(|| scope.name().to_owned(), ToString::to_string);
        self.0.push(Box::new((record.clone(), target)));
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// What all threads need to make a request: the resource, and what never leaves.
struct Common {
    resource: Resource,
    scope: (String, String),
    redaction: Redaction,
    limits: Limits,
    unsigned: UnsignedFields,
}

impl Common {
    fn new(settings: &Settings, unsigned: UnsignedFields) -> Self {
        Self {
            resource: resource(&settings.resource, &instance_id()),
            scope: scope_name(settings),
            redaction: settings.redaction.clone(),
            limits: settings.limits,
            unsigned,
        }
    }

    fn scope(&self) -> Scope {
        Scope { name: self.scope.0.clone(), version: self.scope.1.clone(), ..Scope::default() }
    }

    fn traces(&self, batch: Vec<SpanData>) -> Payload {
        let mut spans: Vec<Span> = batch.into_iter().map(Into::into).collect();
        for span in &mut spans {
            self.unsigned.restore(&mut span.attributes);
            shorten(&mut span.attributes, self.limits.span_text_length);
            for event in &mut span.events {
                shorten(&mut event.attributes, self.limits.span_text_length);
            }
        }
        let mut request = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(self.resource.clone()),
                scope_spans: vec![ScopeSpans { scope: Some(self.scope()), spans, ..ScopeSpans::default() }],
                schema_url: SCHEMA_URL.to_owned(),
            }],
        };
        self.redaction.traces(&mut request);
        Payload::Traces(request)
    }

    fn logs(&self, batch: Vec<QueuedLog>) -> Payload {
        let mut by_target: BTreeMap<String, Vec<LogRecord>> = BTreeMap::new();
        for item in batch {
            let (record, target) = *item;
            let mut record = LogRecord::from(&record);
            // Where in the source it was logged is no name of an event.
            if record.event_name.starts_with("event ") {
                record.event_name.clear();
            }
            let limit = self.limits.log_attributes as usize;
            record.dropped_attributes_count += record.attributes.len().saturating_sub(limit) as u32;
            record.attributes.truncate(limit);
            shorten(&mut record.attributes, self.limits.log_text_length);
            by_target.entry(target).or_default().push(record);
        }
        let scope_logs = by_target
            .into_iter()
            .map(|(name, log_records)| ScopeLogs {
                scope: Some(Scope { name, version: self.scope.1.clone(), ..Scope::default() }),
                log_records,
                ..ScopeLogs::default()
            })
            .collect();
        let mut request = ExportLogsServiceRequest {
            resource_logs: vec![ResourceLogs {
                resource: Some(self.resource.clone()),
                scope_logs,
                schema_url: SCHEMA_URL.to_owned(),
            }],
        };
        self.redaction.logs(&mut request);
        Payload::Logs(request)
    }

    fn metrics(&self, metrics: Vec<Metric>) -> Payload {
        Payload::Metrics(ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                resource: Some(self.resource.clone()),
                scope_metrics: vec![ScopeMetrics { scope: Some(self.scope()), metrics, ..ScopeMetrics::default() }],
                schema_url: SCHEMA_URL.to_owned(),
            }],
        })
    }
}

/// Cuts texts that are longer than the limit.
fn shorten(attributes: &mut [KeyValue], limit: Option<usize>) {
    let Some(limit) = limit else { return };
    for attribute in attributes {
        if let Some(AnyValue { value: Some(Value::StringValue(text)) }) = &mut attribute.value
            && let Some((end, _)) = text.char_indices().nth(limit)
        {
            text.truncate(end);
        }
    }
}

/// Returns a random id in the form of a UUID of version 4.
pub(crate) fn instance_id() -> String {
    let mut bytes = RandomIdGenerator::default().new_trace_id().to_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = export::hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

struct Worker<T> {
    queue: Arc<Queue<T>>,
    batching: crate::settings::Batching,
    exporters: Vec<Box<dyn Exporter>>,
}

/// Starts the thread of a signal; it ends with its queue.
fn start_thread<T: Send + 'static>(
    signal: Signal,
    mut worker: Worker<T>,
    finish: impl Fn(Vec<T>) -> Payload + Send + 'static,
) -> Result<(), StartError> {
    spawn(signal, move || {
        let _finished = Finished(Arc::clone(&worker.queue));
        while let Some(batch) = worker.queue.next(worker.batching.delay) {
            deliver(&mut worker.exporters, &finish(batch), worker.batching.timeout, &worker.queue.tally);
        }
    })
}

fn spawn(signal: Signal, work: impl FnOnce() + Send + 'static) -> Result<(), StartError> {
    let quiet = move || {
        // What the network libraries say while they export must not become telemetry itself.
        tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), work);
    };
    std::thread::Builder::new()
        .name(format!("telemetry-{}", signal.name()))
        .spawn(quiet)
        .map(|_| ())
        .map_err(|source| StartError::Thread { signal, source })
}

/// Says that a thread has ended, however it ended.
struct Finished<T>(Arc<Queue<T>>);

impl<T> Drop for Finished<T> {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// Hands a batch to every exporter; returns whether all took it.
fn deliver(exporters: &mut [Box<dyn Exporter>], payload: &Payload, timeout: Duration, tally: &Tally) -> bool {
    let items = payload.items();
    let deadline = Instant::now() + timeout;
    let mut lost = 0;
    for exporter in exporters {
        match exporter.export(payload, deadline) {
            Ok(receipt) if receipt.rejected > 0 => {
                lost = lost.max(receipt.rejected.min(items));
                *lock(&tally.reason) = Some(format!("the collector rejected some: {}", receipt.message));
            }
            Ok(_) => {}
            Err(refusal) => {
                lost = items;
                *lock(&tally.reason) = Some(refusal.reason);
            }
        }
    }
    tally.failed.fetch_add(lost, Ordering::Relaxed);
    tally.exported.fetch_add(items - lost, Ordering::Relaxed);
    lost < items || items == 0
}

/// The thread that sends metrics at intervals, and once more at the end.
struct MetricWorker {
    store: Arc<Store>,
    shared: Arc<Common>,
    closing: Arc<Closing>,
    tallies: BTreeMap<Signal, Arc<Tally>>,
    interval: Duration,
    timeout: Duration,
    done: Arc<Queue<()>>,
    exporters: Vec<Box<dyn Exporter>>,
    /// What the own counters have told so far.
    told: BTreeMap<(&'static str, Signal), u64>,
}

impl MetricWorker {
    fn start(mut self) -> Result<(), StartError> {
        spawn(Signal::Metrics, move || {
            let _finished = Finished(Arc::clone(&self.done));
            loop {
                let ending = self.closing.wait(self.interval);
                self.export(ending);
                if ending {
                    break;
                }
                self.done.end();
            }
        })
    }

    fn export(&mut self, ending: bool) {
        self.measure_itself();
        let (metrics, taken): (_, Taken) = self.store.collect();
        let payload = self.shared.metrics(metrics);
        self.done.begin(payload.items() as usize);
        let (tally, now) = (&self.tallies[&Signal::Metrics], Tally::default());
        let delivered = deliver(&mut self.exporters, &payload, self.timeout, &now);
        tally.exported.fetch_add(now.exported.into_inner(), Ordering::Relaxed);
        // What could not be told goes with the next export, be it a total or put back; only the last one loses anything.
        if delivered || ending {
            tally.failed.fetch_add(now.failed.into_inner(), Ordering::Relaxed);
        }
        if let Some(reason) = lock(&now.reason).take() {
            *lock(&tally.reason) = Some(reason);
        }
        if !delivered {
            self.store.put_back(taken);
        }
    }

    fn measure_itself(&mut self) {
        for (signal, tally) in &self.tallies {
            for (name, now) in [
                ("hotpass.telemetry.dropped", &tally.dropped),
                ("hotpass.telemetry.failed", &tally.failed),
                ("hotpass.telemetry.retries", &tally.retries),
            ] {
                let now = now.load(Ordering::Relaxed);
                let told = self.told.entry((name, *signal)).or_default();
                self.store.add(name, now - *told, (SIGNAL_ATTRIBUTE, signal.name()));
                *told = now;
            }
        }
    }
}
