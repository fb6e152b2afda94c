//! What a collector that is down, slow or refuses costs: a bounded wait at the end, and nothing before it.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use hotpass_telemetry::settings::Protocol;
use hotpass_telemetry::{Telemetry, check::Answer, settings::Signal};

use crate::collector::Collector;
use crate::signals::{INSTRUMENTS, run, settings, work};

/// Returns an address at which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

#[test]
fn a_collector_that_is_not_there_costs_nothing() {
    let started = Instant::now();
    let report = run(settings(&nobody()), work);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(report.signals.values().all(|signal| signal.exported == 0 && signal.failed > 0), "{report:?}");
}

#[test]
fn a_collector_that_never_answers_is_waited_for_within_the_limit() {
    let collector = Collector::answering(|_, _| None);
    let session = Telemetry::start(settings(&collector.url()), INSTRUMENTS).expect("the settings are right");
    let started = Instant::now();
    tracing::subscriber::with_default(session.subscriber(), || (0..100).for_each(|_| work()));
    let worked = started.elapsed();
    let limit = Duration::from_millis(300);
    let started = Instant::now();
    let report = session.shutdown(limit);
    let waited = started.elapsed();
    assert!(worked < Duration::from_secs(5), "{worked:?}");
    assert!(waited < limit + Duration::from_secs(1), "{waited:?}");
    assert_eq!(report.signals[&Signal::Traces].failed, 200);
    assert_eq!(report.signals[&Signal::Logs].failed, 100);
    assert!(report.signals[&Signal::Metrics].failed > 0);
}

#[test]
fn what_finds_no_place_is_dropped_and_counted() {
    let collector = Collector::answering(|_, _| None);
    let mut settings = settings(&collector.url());
    settings.traces.batching.max_queue_size = 10;
    settings.traces.batching.max_batch_size = 5;
    let session = Telemetry::start(settings, INSTRUMENTS).expect("the settings are right");
    tracing::subscriber::with_default(session.subscriber(), || (0..100).for_each(|_| work()));
    let report = session.shutdown(Duration::from_millis(200));
    let traces = &report.signals[&Signal::Traces];
    assert!(traces.dropped >= 180, "{traces:?}");
    assert_eq!(traces.dropped + traces.failed + traces.exported, 200);
}

#[test]
fn a_collector_that_is_busy_gets_it_later() {
    let collector = Collector::answering(|number, _| match number {
        0 | 1 => Some((503, "retry-after: 0\r\n", Vec::new())),
        _ => Some((200, "", Vec::new())),
    });
    let report = run(settings(&collector.url()), work);
    assert!(!report.lost_anything(), "{report:?}");
    assert_eq!(report.signals.values().map(|signal| signal.retries).sum::<u64>(), 2);
}

#[test]
fn totals_that_are_told_later_are_not_lost() {
    let collector = Collector::answering(|number, _| Some((if number < 2 { 400 } else { 200 }, "", Vec::new())));
    let mut settings = settings(&collector.url());
    settings.metric_interval = Duration::from_millis(20);
    settings.traces.exporters.clear();
    settings.logs.exporters.clear();
    let session = Telemetry::start(settings, INSTRUMENTS).expect("the settings are right");
    tracing::subscriber::with_default(session.subscriber(), work);
    while collector.received().len() < 3 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let report = session.shutdown(Duration::from_secs(5));
    assert_eq!(report.signals[&Signal::Metrics].failed, 0, "{report:?}");
}

#[test]
fn a_collector_that_refuses_is_not_asked_again() {
    let collector = Collector::answering(|_, _| Some((400, "", Vec::new())));
    let report = run(settings(&collector.url()), work);
    assert!(report.signals.values().all(|signal| signal.failed > 0 && signal.retries == 0), "{report:?}");
    assert_eq!(collector.received().len(), 3);
}

#[test]
fn a_check_tells_what_to_try() {
    let check = |endpoint: &str, protocol: Protocol| {
        let mut settings = settings(endpoint);
        settings.for_each_otlp(|otlp| otlp.protocol = Some(protocol));
        let checks = Telemetry::check(&settings).expect("the settings are right");
        assert_eq!(checks.len(), 3);
        let first = checks.into_iter().next().expect("a check");
        (first.answer, first.hint.unwrap_or_default())
    };
    let speaks_http = Collector::start();
    let (answer, hint) = check(&speaks_http.url(), Protocol::Grpc);
    assert!(matches!(answer, Answer::Unreachable { .. }), "{answer:?}");
    assert_eq!(hint, "It arrived by `http/protobuf`: use that protocol for this address");
    let (_, hint) = check(&nobody(), Protocol::HttpProtobuf);
    assert!(hint.starts_with("Nobody listens"), "{hint}");
    let wants_a_name = Collector::answering(|_, _| Some((401, "", b"who are you?".to_vec())));
    let (answer, hint) = check(&wants_a_name.url(), Protocol::HttpProtobuf);
    assert_eq!(answer, Answer::Refused { reason: "HTTP status 401 Unauthorized".to_owned() });
    assert!(hint.contains("header"), "{hint}");
    let (answer, hint) = check(&speaks_http.url().replace("http://", "https://"), Protocol::HttpProtobuf);
    assert!(hint.contains("http://"), "{hint} {answer:?}");
}

#[test]
fn a_collector_that_comes_up_late_gets_what_waited() {
    let address = nobody();
    let mut settings = settings(&address);
    settings.traces.batching.delay = Duration::from_millis(10);
    let session = Telemetry::start(settings, INSTRUMENTS).expect("the settings are right");
    tracing::subscriber::with_default(session.subscriber(), work);
    std::thread::sleep(Duration::from_millis(50));
    let port: u16 = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let collector = Collector::on(port);
    assert!(session.flush(Duration::from_secs(10)));
    let report = session.shutdown(Duration::from_secs(5));
    assert_eq!(report.signals[&Signal::Traces].failed, 0, "{report:?}");
    assert_eq!(collector.spans().len(), 2);
}

#[test]
fn settings_that_cannot_be_used_are_told_before_anything_starts() {
    for endpoint in ["http://", "not a url at all", "ftp://host"] {
        let error = Telemetry::start(settings(endpoint), INSTRUMENTS).err();
        assert!(error.is_some(), "{endpoint}");
    }
    let mut settings = settings("https://127.0.0.1:1");
    settings.for_each_otlp(|otlp| otlp.certificate = Some("/does/not/exist.pem".into()));
    let error = Telemetry::start(settings, INSTRUMENTS).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("Failed to read `/does/not/exist.pem`"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("empty.pem");
    hotpass_core::write_atomic(&path, "no certificate\n").expect("a file");
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        let mut settings = crate::signals::settings("https://127.0.0.1:1");
        settings.for_each_otlp(|otlp| (otlp.certificate, otlp.protocol) = (Some(path.clone()), Some(protocol)));
        let error = Telemetry::start(settings, INSTRUMENTS).err().map(|error| error.to_string());
        assert!(error.is_some_and(|error| error.starts_with("No certificate in PEM form in")), "{protocol:?}");
    }
}
