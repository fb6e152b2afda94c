//! What arrives at a collector, and how it hangs together.

use std::fmt::Write as _;
use std::time::Duration;

use hotpass_core::Secret;
use hotpass_telemetry::settings::{ExemplarFilter, Sampling};
use hotpass_telemetry::{
    Instrument, InstrumentKind, Settings, ShutdownReport, Telemetry, check::Answer, redaction::Redaction,
    settings::ExporterKind, settings::Signal,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;

use crate::collector::Collector;

pub(crate) const INSTRUMENTS: &[Instrument] = &[
    Instrument {
        name: "test.rows",
        kind: InstrumentKind::Counter,
        unit: "{row}",
        description: "Rows",
        boundaries: &[],
        attributes: &["file.format"],
    },
    Instrument {
        name: "test.duration",
        kind: InstrumentKind::Histogram,
        unit: "s",
        description: "How long it took",
        boundaries: &[0.1, 1.0],
        attributes: &[],
    },
];

pub(crate) fn settings(endpoint: &str) -> Settings {
    let mut settings = Settings::new("test", "1.2.3");
    settings.enabled = true;
    settings.for_each_otlp(|otlp| otlp.endpoint = Some(endpoint.to_owned()));
    settings
}

/// Runs work under telemetry and ends it.
pub(crate) fn run(settings: Settings, work: impl FnOnce()) -> ShutdownReport {
    let session = Telemetry::start(settings, INSTRUMENTS).expect("the settings are right");
    tracing::subscriber::with_default(session.subscriber(), work);
    session.shutdown(Duration::from_secs(5))
}

pub(crate) fn work() {
    let run = tracing::info_span!(
        "run",
        "rows.expected" = 3,
        "name.of" = "x",
        ok = true,
        share = 0.5,
        port = 4317_u16,
        size = tracing::field::Empty,
        code = "5"
    );
    run.record("size", 12_usize);
    let _in_run = run.enter();
    let step = tracing::info_span!("step", "otel.kind" = "client");
    step.in_scope(|| {
        tracing::warn!(rows = 3, "Rows were left out");
        tracing::info!(target: "hotpass::metric", name = "test.rows", value = 3, "file.format" = "csv");
        tracing::info!(target: "hotpass::metric", name = "test.duration", value = 0.5);
    });
}

pub(crate) fn value<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match &found.value {
        Some(AnyValue { value }) => value.as_ref(),
        None => None,
    }
}

#[test]
fn three_signals_arrive_as_one_story() {
    let collector = Collector::start();
    let mut settings = settings(&collector.url());
    settings.for_each_otlp(|otlp| {
        otlp.gzip = true;
        otlp.headers = vec![("x-team".to_owned(), Secret::new("data"))];
    });
    let report = run(settings, work);
    assert!(!report.lost_anything(), "{report:?}");
    assert_eq!((report.signals[&Signal::Traces].exported, report.signals[&Signal::Logs].exported), (2, 1));

    let spans = collector.spans();
    let span = |name: &str| spans.iter().find(|span| span.name == name).expect("the span arrived");
    let (run, step) = (span("run"), span("step"));
    assert_eq!((&step.parent_span_id, &step.trace_id), (&run.span_id, &run.trace_id));
    assert_eq!(step.kind, 3, "a client");
    assert_eq!(value(&run.attributes, "rows.expected"), Some(&Value::IntValue(3)));
    assert_eq!(value(&run.attributes, "ok"), Some(&Value::BoolValue(true)));
    assert_eq!(value(&run.attributes, "share"), Some(&Value::DoubleValue(0.5)));
    assert_eq!(value(&run.attributes, "port"), Some(&Value::IntValue(4317)), "an unsigned number stays a number");
    assert_eq!(value(&run.attributes, "size"), Some(&Value::IntValue(12)));
    assert_eq!(value(&run.attributes, "code"), Some(&Value::StringValue("5".to_owned())), "and a text a text");
    assert!(step.events.is_empty(), "an event is a log record, and not told twice");

    let logs = collector.logs();
    assert_eq!(logs.len(), 1, "a measured value is no log record: {logs:?}");
    assert_eq!((&logs[0].trace_id, &logs[0].span_id), (&step.trace_id, &step.span_id));
    assert_eq!(logs[0].severity_text, "WARN");
    assert_eq!(value(&logs[0].attributes, "rows"), Some(&Value::IntValue(3)));

    let metrics = collector.metrics();
    let metric = |name: &str| metrics.iter().find(|metric| metric.name == name).expect("the metric arrived");
    let Some(Data::Sum(rows)) = &metric("test.rows").data else { panic!("no sum") };
    assert_eq!(metric("test.rows").unit, "{row}");
    assert_eq!(rows.data_points[0].exemplars[0].span_id, step.span_id);
    let Some(Data::Histogram(duration)) = &metric("test.duration").data else { panic!("no histogram") };
    assert_eq!(duration.data_points[0].bucket_counts, [0, 1, 0]);
    assert_eq!(duration.data_points[0].exemplars[0].trace_id, run.trace_id);

    for request in collector.received() {
        assert_eq!(request.headers["x-team"], "data");
        assert_eq!(request.headers["content-encoding"], "gzip");
        assert_eq!(request.headers["content-type"], "application/x-protobuf");
    }
}

#[test]
fn each_signal_can_go_its_own_way_or_nowhere() {
    let (one, other) = (Collector::start(), Collector::start());
    let mut settings = settings(&one.url());
    settings.metrics.otlp.signal_endpoint = Some(format!("{}/custom", other.url()));
    settings.logs.exporters.clear();
    let report = run(settings, work);
    assert_eq!(report.signals.keys().copied().collect::<Vec<_>>(), [Signal::Traces, Signal::Metrics]);
    assert_eq!((one.spans().len(), one.logs().len(), one.metrics().len()), (2, 0, 0));
    assert_eq!(other.received()[0].path, "/custom");
}

#[test]
fn what_is_on_no_list_does_not_leave() {
    let collector = Collector::start();
    let mut settings = settings(&collector.url());
    settings.redaction = Redaction::default().allow_only(["rows.expected"]);
    run(settings, || {
        let _span = tracing::info_span!("run", "rows.expected" = 3, person = "Thandi Canary").entered();
        tracing::warn!(person = "Thandi Canary", "Ring thandi.canary@example.org");
    });
    let all: Vec<u8> = collector.received().into_iter().flat_map(|request| request.body).collect();
    let text = String::from_utf8_lossy(&all).to_lowercase();
    assert!(text.contains("rows.expected") && text.contains("[redacted]"));
    assert!(!text.contains("canary"), "{text}");
    assert_eq!(collector.spans()[0].dropped_attributes_count, 1);
}

#[test]
fn a_callers_trace_is_continued() {
    let collector = Collector::start();
    let session = Telemetry::start(settings(&collector.url()), INSTRUMENTS).expect("the settings are right");
    let propagation = session.propagation();
    let caller = |name: &str| match name {
        "TRACEPARENT" => Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        "BAGGAGE" => Some("team=data".to_owned()),
        _ => None,
    };
    let mut sent = Vec::new();
    tracing::subscriber::with_default(session.subscriber(), || {
        let _parent = propagation.attach_parent(&caller);
        let _span = tracing::info_span!("run").entered();
        sent = propagation.headers();
    });
    session.shutdown(Duration::from_secs(5));
    let span = &collector.spans()[0];
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    assert_eq!(hex(&span.trace_id), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(hex(&span.parent_span_id), "b7ad6b7169203331");
    let expected = format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", hex(&span.span_id));
    assert_eq!(sent, [("baggage".to_owned(), "team=data".to_owned()), ("traceparent".to_owned(), expected)]);
}

#[test]
fn a_trace_that_is_not_sampled_sends_no_spans_and_no_examples() {
    let collector = Collector::start();
    let mut settings = settings(&collector.url());
    settings.sampling = Sampling { ratio: 0.0, parent_based: true };
    run(settings, work);
    assert!(collector.spans().is_empty());
    let metrics = collector.metrics();
    let Some(Data::Sum(rows)) = &metrics[0].data else { panic!("no sum") };
    assert!(rows.data_points[0].exemplars.is_empty());
}

#[test]
fn examples_can_be_switched_off() {
    let collector = Collector::start();
    let mut settings = settings(&collector.url());
    settings.exemplars = ExemplarFilter::AlwaysOff;
    run(settings, work);
    let Some(Data::Sum(rows)) = &collector.metrics()[0].data else { panic!("no sum") };
    assert!(rows.data_points[0].exemplars.is_empty());
}

#[test]
fn names_without_an_instrument_are_told_once() {
    let collector = Collector::start();
    let report = run(settings(&collector.url()), || {
        for _ in 0..3 {
            tracing::info!(target: "hotpass::metric", name = "test.unlisted", value = 1);
        }
    });
    assert_eq!(report.unknown_metrics, [("test.unlisted".to_owned(), 3)].into());
    assert_eq!(collector.logs().len(), 1);
}

#[test]
fn who_asks_whether_a_measure_is_wanted_hears_yes() {
    let collector = Collector::start();
    let wanted = || tracing::enabled!(target: "hotpass::metric", tracing::Level::INFO);
    assert!(!wanted());
    run(settings(&collector.url()), || assert!(wanted()));
}

#[test]
fn nothing_is_installed_globally() {
    use opentelemetry::trace::{Span as _, Tracer as _};
    let collector = Collector::start();
    let session = Telemetry::start(settings(&collector.url()), INSTRUMENTS).expect("the settings are right");
    tracing::subscriber::with_default(session.subscriber(), work);
    let own = opentelemetry::global::tracer("a program of its own").start("work");
    assert!(!own.span_context().is_valid(), "the global provider stays the program's");
    drop(tracing::info_span!("beside").entered());
    session.shutdown(Duration::from_secs(5));
    assert!(collector.spans().iter().all(|span| span.name != "beside"));
}

#[test]
fn switched_off_there_is_nothing() {
    let collector = Collector::start();
    let mut settings = settings(&collector.url());
    settings.enabled = false;
    let session = Telemetry::start(settings, INSTRUMENTS).expect("nothing can fail");
    assert!(!session.is_running());
    assert!(session.layer::<tracing_subscriber::Registry>().is_empty());
    drop(session);
    assert!(collector.received().is_empty());
}

#[test]
fn a_file_holds_the_json_of_the_protocol() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let mut settings = settings("http://127.0.0.1:1");
    settings.set_exporters(&[ExporterKind::File]);
    settings.file = folder.path().join("sub").join("telemetry.ndjson");
    run(settings, work);
    let text = std::fs::read_to_string(folder.path().join("sub").join("telemetry.ndjson"))?;
    let lines: Vec<serde_json::Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let span = lines.iter().find_map(|line| line.pointer("/resourceSpans/0/scopeSpans/0/spans/0")).expect("spans");
    assert_eq!(span["traceId"].as_str().map(str::len), Some(32));
    assert!(span["startTimeUnixNano"].is_string());
    assert!(lines.iter().any(|line| line.pointer("/resourceMetrics/0/scopeMetrics/0/metrics/0/name").is_some()));
    assert!(lines.iter().any(|line| line.pointer("/resourceLogs/0/scopeLogs/0/logRecords/0/body").is_some()));
    Ok(())
}

#[test]
fn a_check_says_what_came_back() {
    use opentelemetry_proto::tonic::collector::metrics::v1::{
        ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
    };
    let partial = ExportMetricsServiceResponse {
        partial_success: Some(ExportMetricsPartialSuccess {
            rejected_data_points: 1,
            error_message: "no room".to_owned(),
        }),
    }
    .encode_to_vec();
    let collector = Collector::answering(move |_, path| match path {
        "/v1/traces" => Some((200, "", Vec::new())),
        "/v1/metrics" => Some((200, "", partial.clone())),
        _ => Some((403, "", b"secret words".to_vec())),
    });
    let answers: Vec<Answer> = Telemetry::check(&settings(&collector.url()))
        .expect("the settings are right")
        .into_iter()
        .map(|check| check.answer)
        .collect();
    assert_eq!(
        answers,
        [
            Answer::Accepted,
            Answer::Rejected { message: "no room".to_owned() },
            Answer::Refused { reason: "HTTP status 403 Forbidden".to_owned() }
        ]
    );
}
