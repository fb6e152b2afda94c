//! Nothing is lost and nobody waits, whatever the server does.

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hotpass_core::Secret;
use hotpass_lineage::{
    Emitter, EmitterOptions, Event, Spool, delivery::Retry, emitter::Delivery, error::SendError, event::Job,
    event::Run, event::RunEvent, event::RunState, event::Timestamp, spool::SpoolStatus, transport::HttpSettings,
    transport::TransportSettings,
};

use crate::server::{Behaviour, Server};

type Outcome = Result<(), Box<dyn std::error::Error>>;

const EVENTS: u64 = 12;
const TAKEN: Behaviour = Behaviour::Answer(201, "", "");

fn event(number: u64) -> Event {
    let job = Job { namespace: "test".into(), name: format!("job-{number}"), ..Job::default() };
    Event::Run(RunEvent::new(
        RunState::Complete,
        Timestamp::from_milliseconds(number as i64),
        "https://example.com",
        Run::default(),
        job,
    ))
}

fn job_of(text: &[u8]) -> String {
    let event: Event = serde_json::from_slice(text).expect("an event");
    event.as_run().expect("of a run").job.name.clone()
}

fn settings(url: &str) -> HttpSettings {
    HttpSettings {
        timeout: Duration::from_millis(300),
        retries: 1,
        backoff: Duration::from_millis(10),
        ..HttpSettings::new(url)
    }
}

fn options(folder: &Path) -> EmitterOptions {
    let retry = Retry { retries: 1, backoff: Duration::from_millis(10), longest: Duration::from_millis(50) };
    EmitterOptions { spool: Some(Spool::new(folder)), retry, ..EmitterOptions::default() }
}

fn build(
    settings: HttpSettings,
) -> Result<Box<dyn hotpass_lineage::transport::Transport>, hotpass_lineage::error::TransportError> {
    TransportSettings::Http(settings).build(&|| Box::new(std::io::sink()))
}

/// Emits events to a server, finishes within `limit`, and returns what became of them and how long emitting took.
fn emit(url: &str, folder: &Path, limit: Duration) -> Result<(Delivery, Duration), Box<dyn std::error::Error>> {
    let emitter = Emitter::start(build(settings(url))?, options(folder))?;
    let started = Instant::now();
    for number in 0..EVENTS {
        emitter.emit(&event(number));
    }
    let emitting = started.elapsed();
    let started = Instant::now();
    let delivery = emitter.finish(limit);
    assert!(started.elapsed() < limit + Duration::from_millis(400), "{:?}", started.elapsed());
    Ok((delivery, emitting))
}

/// Every event is delivered or spooled, emitting does not wait, and the spool delivers the rest in order once the server is well.
fn check(behave: impl Fn(u64) -> Behaviour + Send + Sync + 'static, expect: impl Fn(&Delivery)) -> Outcome {
    let folder = tempfile::tempdir()?;
    let server = Server::start(behave)?;
    let (delivery, emitting) = emit(&server.url, folder.path(), Duration::from_secs(1))?;
    assert!(emitting < Duration::from_millis(100), "emitting took {emitting:?}");
    assert_eq!((delivery.emitted, delivery.lost), (EVENTS, 0));
    assert_eq!(delivery.delivered + delivery.spooled, EVENTS, "{delivery:?}");
    expect(&delivery);
    let spool = Spool::new(folder.path());
    assert_eq!(spool.status()?.pending, delivery.spooled);
    let well = Server::start(|_| TAKEN)?;
    let replay = spool.replay(&*build(settings(&well.url))?, &Retry::default())?;
    assert_eq!((replay.sent, replay.pending, replay.stopped), (delivery.spooled, 0, None));
    if replay.sent > 0 {
        assert_eq!(spool.status()?, SpoolStatus::default(), "what failed before is over");
    }
    let jobs: Vec<String> = well.taken().iter().map(|request| job_of(&request.body)).collect();
    let mut sorted = jobs.clone();
    sorted.sort_by_key(|job| job.trim_start_matches("job-").parse::<u64>().unwrap_or_default());
    assert_eq!(jobs, sorted, "in order");
    Ok(())
}

#[test]
fn a_server_that_is_well_gets_all() -> Outcome {
    let folder = tempfile::tempdir()?;
    let server = Server::start(|_| TAKEN)?;
    let (delivery, _) = emit(&server.url, folder.path(), Duration::from_secs(2))?;
    assert_eq!((delivery.delivered, delivery.spooled, delivery.last_error), (EVENTS, 0, None));
    let taken = server.taken();
    assert_eq!(taken.len() as u64, EVENTS);
    assert!(taken.iter().all(|request| request.path == "/api/v1/lineage"));
    assert!(!folder.path().join("spool").exists());
    Ok(())
}

#[test]
fn a_server_that_is_down() -> Outcome {
    let folder = tempfile::tempdir()?;
    // A port that nobody listens to any more.
    let url = format!("http://{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?);
    let (delivery, emitting) = emit(&url, folder.path(), Duration::from_secs(2))?;
    assert!(emitting < Duration::from_millis(100));
    assert_eq!((delivery.delivered, delivery.spooled, delivery.lost), (0, EVENTS, 0));
    let status = Spool::new(folder.path()).status()?;
    assert_eq!(status.pending, EVENTS);
    assert!(status.last_error.is_some_and(|error| error.message.contains("Cannot reach")));
    Ok(())
}

#[test]
fn a_server_that_hangs() -> Outcome {
    check(|_| Behaviour::Slow(Duration::from_secs(30)), |delivery| assert_eq!(delivery.delivered, 0))
}

#[test]
fn a_server_that_hangs_longer_than_one_may_wait() -> Outcome {
    let folder = tempfile::tempdir()?;
    let server = Server::start(|_| Behaviour::Slow(Duration::from_secs(30)))?;
    let (delivery, _) = emit(&server.url, folder.path(), Duration::from_millis(50))?;
    assert_eq!((delivery.delivered, delivery.spooled, delivery.lost), (0, EVENTS, 0));
    Ok(())
}

#[test]
fn a_server_that_refuses_the_key() -> Outcome {
    check(
        |_| Behaviour::Answer(401, "", "no key"),
        |delivery| {
            assert_eq!(delivery.delivered, 0);
            assert!(
                delivery.last_error.as_deref().is_some_and(|error| error.contains("401") && error.contains("no key"))
            );
        },
    )
}

#[test]
fn a_server_that_refuses_one_event() -> Outcome {
    check(
        |number| if number == 3 { Behaviour::Answer(409, "", "conflict") } else { TAKEN },
        |delivery| assert_eq!((delivery.delivered, delivery.spooled), (EVENTS - 1, 1)),
    )
}

#[test]
fn a_server_that_asks_for_a_pause() -> Outcome {
    check(
        |number| if number == 0 { Behaviour::Answer(429, "Retry-After: 0\r\n", "") } else { TAKEN },
        |delivery| assert_eq!(delivery.delivered, EVENTS),
    )?;
    // A pause longer than one may wait goes to the spool at once.
    check(
        |number| if number == 0 { Behaviour::Answer(429, "Retry-After: 30\r\n", "") } else { TAKEN },
        |delivery| assert_eq!(delivery.spooled, EVENTS),
    )
}

#[test]
fn a_server_that_fails_once() -> Outcome {
    check(
        |number| if number == 2 { Behaviour::Answer(500, "", "") } else { TAKEN },
        |delivery| assert_eq!(delivery.delivered, EVENTS),
    )
}

#[test]
fn a_server_that_always_fails() -> Outcome {
    check(|_| Behaviour::Answer(500, "", "broken"), |delivery| assert_eq!(delivery.delivered, 0))
}

#[test]
fn a_server_that_answers_by_halves() -> Outcome {
    check(|_| Behaviour::Half, |delivery| assert_eq!(delivery.delivered, 0))
}

#[test]
fn a_server_that_closes_the_connection() -> Outcome {
    check(
        |number| if number < 4 { Behaviour::Reset } else { TAKEN },
        |delivery| {
            assert!(delivery.spooled > 0);
        },
    )
}

#[test]
fn nobody_waits_for_a_server_that_has_failed_already() -> Outcome {
    let retry = Retry { retries: 5, backoff: Duration::from_millis(100), longest: Duration::from_secs(30) };
    let hangs: fn(u64) -> Behaviour = |_| Behaviour::Slow(Duration::from_secs(30));
    for behave in [|_| Behaviour::Reset, |_| Behaviour::Answer(500, "", ""), |_| Behaviour::Half, hangs] {
        let folder = tempfile::tempdir()?;
        let server = Server::start(behave)?;
        let http = HttpSettings { timeout: Duration::from_secs(5), ..settings(&server.url) };
        let emitter = Emitter::start(build(http)?, EmitterOptions { retry, ..options(folder.path()) })?;
        emitter.emit(&event(0));
        emitter.emit(&event(1));
        // The run does its work meanwhile.
        std::thread::sleep(Duration::from_millis(700));
        let clock = Instant::now();
        let delivery = emitter.finish(Duration::from_millis(700));
        assert!(clock.elapsed() < Duration::from_millis(400), "{:?}", clock.elapsed());
        assert_eq!((delivery.delivered, delivery.spooled, delivery.lost), (0, 2, 0));
    }
    Ok(())
}

#[test]
fn what_talks_garbage_is_no_server() -> Outcome {
    check(|_| Behaviour::Garbage, |delivery| assert_eq!(delivery.delivered, 0))
}

#[test]
fn a_spool_that_cannot_be_written_loses_nothing_silently() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("no-folder");
    hotpass_core::write_atomic(&file, "")?;
    let server = Server::start(|_| Behaviour::Reset)?;
    let (delivery, emitting) = emit(&server.url, &file, Duration::from_secs(1))?;
    assert!(emitting < Duration::from_millis(100));
    assert_eq!((delivery.delivered, delivery.spooled, delivery.lost), (0, 0, EVENTS));
    assert!(delivery.last_error.is_some_and(|error| error.contains("Cannot keep an event")));
    Ok(())
}

#[test]
fn older_events_that_make_way_are_counted() -> Outcome {
    let folder = tempfile::tempdir()?;
    let server = Server::start(|_| Behaviour::Answer(503, "", ""))?;
    let size = event(0).to_json()?.len() as u64 + 1;
    let spool = Spool::new(folder.path()).with_limit(4 * (size + 1));
    let emitter =
        Emitter::start(build(settings(&server.url))?, EmitterOptions { spool: Some(spool), ..options(folder.path()) })?;
    for number in 0..EVENTS {
        emitter.emit(&event(number));
    }
    let delivery = emitter.finish(Duration::from_secs(1));
    assert_eq!((delivery.spooled, delivery.displaced, delivery.lost), (EVENTS, EVENTS - 4, 0));
    Ok(())
}

#[test]
fn a_full_queue_goes_to_the_spool() -> Outcome {
    let folder = tempfile::tempdir()?;
    let server = Server::start(|_| Behaviour::Slow(Duration::from_millis(20)))?;
    let options = EmitterOptions { queue: 3, ..options(folder.path()) };
    let emitter = Emitter::start(build(settings(&server.url))?, options)?;
    for number in 0..100 {
        emitter.emit(&event(number));
    }
    let delivery = emitter.finish(Duration::from_secs(2));
    assert!(delivery.delivered >= 3, "{delivery:?}");
    assert_eq!((delivery.delivered + delivery.spooled, delivery.lost), (100, 0));
    Ok(())
}

#[test]
fn an_emitter_that_is_dropped_keeps_what_is_left() -> Outcome {
    let folder = tempfile::tempdir()?;
    let server = Server::start(|_| Behaviour::Slow(Duration::from_secs(30)))?;
    let emitter = Emitter::start(build(settings(&server.url))?, options(folder.path()))?;
    emitter.clone().emit(&event(0));
    drop(emitter);
    assert_eq!(Spool::new(folder.path()).status()?.pending, 1);
    Ok(())
}

#[test]
fn replay_moves_refused_events_aside_and_stops_at_a_refused_sender() -> Outcome {
    let folder = tempfile::tempdir()?;
    let spool = Spool::new(folder.path());
    for number in 0..5 {
        spool.push(&event(number).to_json()?)?;
    }
    let server = Server::start(|number| match number {
        1 => Behaviour::Answer(400, "", "bad event"),
        3 => Behaviour::Answer(403, "", ""),
        _ => TAKEN,
    })?;
    let retry = Retry { retries: 0, ..Retry::default() };
    let replay = spool.replay(&*build(settings(&server.url))?, &retry)?;
    assert_eq!((replay.sent, replay.rejected, replay.pending), (2, 1, 2));
    assert!(matches!(replay.stopped, Some(SendError::Refused { status: 403, .. })));
    let status = spool.status()?;
    assert_eq!((status.pending, status.rejected), (2, 1));
    let mut aside: Vec<String> = std::fs::read_dir(folder.path().join("rejected"))?
        .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path()).ok())
        .collect();
    aside.sort();
    assert!(aside[0].contains("400: bad event"), "{aside:?}");
    assert_eq!(job_of(aside[1].as_bytes()), "job-1");
    Ok(())
}

#[test]
fn requests_carry_key_headers_trace_and_packed_body() -> Outcome {
    let folder = tempfile::tempdir()?;
    let server = Server::start(|_| TAKEN)?;
    let http = HttpSettings {
        gzip: true,
        api_key: Some(Secret::new("k3y")),
        headers: [("X-Team".to_owned(), Secret::new("data"))].into(),
        ..settings(&server.url)
    };
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let options = EmitterOptions {
        headers: Some(Arc::new(move || vec![("traceparent".to_owned(), trace.to_owned())])),
        ..options(folder.path())
    };
    let emitter = Emitter::start(build(http)?, options)?;
    emitter.emit(&event(7));
    assert_eq!(emitter.finish(Duration::from_secs(2)).delivered, 1);
    let request = server.taken().remove(0);
    let header = |name: &str| request.headers.get(name).map(String::as_str);
    assert_eq!(header("authorization"), Some("Bearer k3y"));
    assert_eq!(header("x-team"), Some("data"));
    assert_eq!(header("traceparent"), Some(trace));
    assert_eq!(header("content-encoding"), Some("gzip"));
    let mut body = Vec::new();
    flate2::read::GzDecoder::new(&request.body[..]).read_to_end(&mut body)?;
    assert_eq!(job_of(&body), "job-7");
    Ok(())
}

#[test]
fn a_composite_sends_again_only_to_those_that_failed() -> Outcome {
    let folder = tempfile::tempdir()?;
    let server = Server::start(|number| if number == 0 { Behaviour::Answer(503, "", "") } else { TAKEN })?;
    let file = folder.path().join("events.ndjson");
    let transport = TransportSettings::Composite {
        transports: vec![
            TransportSettings::File { path: file.clone(), append: true },
            TransportSettings::Http(settings(&server.url)),
        ],
        continue_on_failure: true,
        continue_on_success: true,
    };
    let emitter = Emitter::start(transport.build(&|| Box::new(std::io::sink()))?, options(folder.path()))?;
    emitter.emit(&event(0));
    emitter.emit(&event(1));
    assert_eq!(emitter.finish(Duration::from_secs(2)).delivered, 2);
    assert_eq!((server.seen(), server.taken().len()), (3, 2));
    assert_eq!(std::fs::read_to_string(file)?.lines().count(), 2);
    Ok(())
}
