//! A program that embeds the pipeline keeps its own subscriber and its own OpenTelemetry provider, and sees the run in them.
//!
//! A program of its own, since what other tests ask of `tracing` at the same time would decide what this one sees.
#![allow(clippy::unwrap_used, clippy::format_push_string, reason = "a test may fail where it stands")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotpass_config::HotpassConfig;
use hotpass_core::{Clock, write_atomic};
use hotpass_pipeline::{CancelToken, NoProgress, RefineRequest, Services, refine};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanProcessor};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// The program's own way with spans.
#[derive(Debug, Clone, Default)]
struct OwnSpans(Arc<Mutex<Vec<SpanData>>>);

impl SpanProcessor for OwnSpans {
    fn on_start(&self, _: &mut opentelemetry_sdk::trace::Span, _: &opentelemetry::Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.lock().unwrap().push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// The program's own way with measured values: it adds them up by name.
#[derive(Debug, Clone, Default)]
struct OwnMeasures(Arc<Mutex<BTreeMap<String, f64>>>);

impl<S: Subscriber> Layer<S> for OwnMeasures {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "hotpass::metric" {
            let mut measured = Measured::default();
            event.record(&mut measured);
            *self.0.lock().unwrap().entry(measured.name).or_default() += measured.value;
        }
    }
}

#[derive(Default)]
struct Measured {
    name: String,
    value: f64,
}

impl Visit for Measured {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "name" {
            value.clone_into(&mut self.name);
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "value" {
            self.value = value;
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record_f64(field, value as f64);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

#[test]
fn an_embedding_program_keeps_its_own_provider() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("works.csv");
    let mut rows = String::from("organization_name,email\n");
    for number in 0..50 {
        rows.push_str(&format!("Acacia Works {number},office@acacia{number}.example\n"));
    }
    write_atomic(&input, rows).unwrap();
    let mut config = HotpassConfig::default();
    config.pipeline.dist_dir = folder.path().join("dist");
    config.pipeline.output_path = folder.path().join("refined.csv");
    config.pipeline.threads = Some(2);

    let (spans, measures) = (OwnSpans::default(), OwnMeasures::default());
    let provider = SdkTracerProvider::builder().with_span_processor(spans.clone()).build();
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("own")))
        .with(measures.clone());
    // Only for this thread: the run has threads of its own, and must speak to the same subscriber from them.
    let outcome = tracing::subscriber::with_default(subscriber, || {
        let _own = tracing::info_span!("own.work").entered();
        refine(&RefineRequest {
            config: &config,
            config_origins: BTreeMap::new(),
            inputs: vec![input],
            clock: Clock::fixed_seconds(1_700_000_000),
            progress: &NoProgress,
            cancel: CancelToken::new(),
            services: Services::default(),
        })
        .unwrap()
    });
    assert_eq!(outcome.statistics.rows_in, 50);

    let spans = spans.0.lock().unwrap();
    let named = |name: &str| {
        let found = spans.iter().find(|span| span.name == name);
        found.unwrap_or_else(|| panic!("no span `{name}` among {:?}", spans.iter().map(|span| &span.name)))
    };
    let parent = |name: &str| {
        let above = named(name).parent_span_id;
        spans.iter().find(|span| span.span_context.span_id() == above).map(|span| span.name.to_string())
    };
    for (name, above) in [
        ("hotpass.refine", "own.work"),
        ("refine.read", "hotpass.refine"),
        ("refine.read_file", "refine.read"),
        ("refine.publish", "hotpass.refine"),
    ] {
        assert_eq!(parent(name).as_deref(), Some(above), "{name}");
        assert_eq!(named(name).span_context.trace_id(), named("own.work").span_context.trace_id());
    }
    let measures = measures.0.lock().unwrap();
    assert_eq!(measures.get("hotpass.records.processed"), Some(&50.0), "{measures:?}");
    assert_eq!(measures.get("hotpass.entities"), Some(&50.0));
}
