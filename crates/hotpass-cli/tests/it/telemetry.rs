//! What runs tell of themselves: every listed measure and no other, nothing personal, and nothing that a collector's fault costs.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hotpass_pipeline::telemetry::{INSTRUMENTS, attribute_names};
use serde_json::Value;

use crate::sandbox::Sandbox;

/// Values that must not be in anything that leaves.
const CANARIES: [&str; 4] = ["Thandiwe Canary", "thandiwe.canary@example.org", "+27821112233", "Canarystraat 7"];

/// Makes a workspace with a duplicate, a row for quarantine, and a value that fails an expectation.
fn workspace(sandbox: &Sandbox) {
    let mut rows = String::from("organization_name,contact_name,email,phone,website,address\n");
    let [name, email, phone, address] = CANARIES;
    rows.push_str(&format!("Acacia  Works,{name},{email},{phone},https://acacia.example,{address}\n"));
    rows.push_str(&format!("Acacia Works,{name},{email},{phone},acacia.example,{address}\n"));
    rows.push_str(&format!(",{name},{email},{phone},,\n"));
    for number in 0..40 {
        rows.push_str(&format!("Baobab Hall {number},,not an address,12,,\n"));
    }
    sandbox.write("data/works.csv", rows);
    sandbox.write(
        "hotpass.toml",
        "[[profile.expectations]]\ntype = \"match_regex\"\ncolumn = \"organization_name\"\nregex = \"^Acacia\"\nseverity = \"warn\"\n",
    );
}

/// Returns the lines of a file of telemetry.
fn exported(sandbox: &Sandbox, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(sandbox.path(name)).expect("telemetry was written");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Returns every object below a key, at any depth.
fn items<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if name == key {
                    found.extend(value.as_array().into_iter().flatten());
                }
                items(value, key, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| items(value, key, found)),
        _ => {}
    }
}

fn names(lines: &[Value], key: &str) -> BTreeSet<String> {
    let mut found = Vec::new();
    lines.iter().for_each(|line| items(line, key, &mut found));
    found.iter().filter_map(|item| item["name"].as_str()).map(str::to_owned).collect()
}

/// A server on the loopback that answers a first request with 503 and takes the rest.
struct LineageServer {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl LineageServer {
    /// Returns what the requests have said in a header.
    fn header(&self, name: &str) -> BTreeSet<String> {
        let heads = self.heads.lock().expect("the server has not panicked");
        let lines = heads.iter().flat_map(|head| head.lines()).filter_map(|line| line.split_once(':'));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()).collect()
    }
}

fn lineage_server() -> LineageServer {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let mut stream = stream;
            let mut seen = Vec::new();
            let mut buffer = [0; 65536];
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                seen.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&seen);
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head
                    .to_ascii_lowercase()
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
                    .unwrap_or(0);
                if body.len() >= length {
                    kept.lock().expect("no test panics here").push(head.to_owned());
                    let status = if number == 0 { "503 Busy\r\nretry-after: 0" } else { "201 Created" };
                    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                    let _ = stream.write_all(answer.as_bytes());
                    break;
                }
            }
        }
    });
    LineageServer { url: format!("http://{address}"), heads }
}

const MODEL: &str = r#"{"link_type": "dedupe_only", "unique_id_column_name": "unique_id",
 "blocking_rules_to_generate_predictions": [{"blocking_rule": "l.city = r.city", "sql_dialect": "duckdb"}, {"blocking_rule": "l.name = r.name", "sql_dialect": "duckdb"}],
 "comparisons": [
  {"output_column_name": "name", "comparison_levels": [
   {"sql_condition": "name_l IS NULL OR name_r IS NULL", "label_for_charts": "null", "is_null_level": true},
   {"sql_condition": "name_l = name_r", "label_for_charts": "exact"},
   {"sql_condition": "ELSE", "label_for_charts": "other"}]},
  {"output_column_name": "city", "comparison_levels": [
   {"sql_condition": "city_l IS NULL OR city_r IS NULL", "label_for_charts": "null", "is_null_level": true},
   {"sql_condition": "city_l = city_r", "label_for_charts": "exact"},
   {"sql_condition": "ELSE", "label_for_charts": "other"}]}]}"#;

#[test]
fn real_runs_measure_every_listed_name_and_no_other() {
    let sandbox = Sandbox::new();
    workspace(&sandbox);
    let server = lineage_server();
    let refine = sandbox.run(&[
        "--log-format",
        "json",
        "refine",
        "data",
        "-o",
        "out.csv",
        "--telemetry-exporter",
        "file",
        "--telemetry-file",
        "refine.ndjson",
        "--lineage-url",
        &server.url,
    ]);
    assert!(matches!(refine.code, 0 | 3), "{refine}");
    assert!(refine.stderr.contains("\"unknown_metrics\":{}"), "{refine}");

    let mut people = String::from("unique_id,name,city\n");
    for number in 0..200 {
        people.push_str(&format!("{number},Person {},City {}\n", number / 2, number % 7));
    }
    sandbox.write("people.csv", people);
    sandbox.write("model.json", MODEL);
    let resolve = sandbox.run(&[
        "--log-format",
        "json",
        "resolve",
        "--input-file",
        "people.csv",
        "--model",
        "model.json",
        "--output-file",
        "resolved.csv",
        "--threads",
        "1",
        "--telemetry-exporter",
        "file",
        "--telemetry-file",
        "resolve.ndjson",
    ]);
    assert_eq!(resolve.code, 0, "{resolve}");
    assert!(resolve.stderr.contains("\"unknown_metrics\":{}"), "{resolve}");

    let mut lines = exported(&sandbox, "refine.ndjson");
    lines.extend(exported(&sandbox, "resolve.ndjson"));
    let measured: BTreeSet<String> =
        names(&lines, "metrics").into_iter().filter(|name| !name.starts_with("hotpass.telemetry.")).collect();
    let listed: BTreeSet<String> = INSTRUMENTS.iter().map(|instrument| instrument.name.to_owned()).collect();
    assert_eq!(measured, listed);

    let spans = names(&lines, "spans");
    for name in [
        "hotpass.refine",
        "refine.discover",
        "refine.read_file",
        "refine.publish",
        "lineage.deliver",
        "POST",
        "hotpass.resolve",
        "resolve.estimate_u",
        "resolve.training_session",
        "resolve.blocking_rule",
    ] {
        assert!(spans.contains(name), "no span `{name}` in {spans:?}");
    }
    let mut found = Vec::new();
    lines.iter().for_each(|line| items(line, "spans", &mut found));
    let calls: BTreeSet<String> = found
        .iter()
        .filter(|span| span["name"] == "POST")
        .map(|span| {
            format!("00-{}-{}-01", span["traceId"].as_str().unwrap_or(""), span["spanId"].as_str().unwrap_or(""))
        })
        .collect();
    assert_eq!(server.header("traceparent"), calls, "each request names its own span");
    let roots = found.iter().filter(|span| span["parentSpanId"].as_str().unwrap_or_default().is_empty()).count();
    assert_eq!(roots, 2, "one trace a run: {found:?}");
    let allowed: BTreeSet<&str> = attribute_names().collect();
    for span in found {
        for attribute in span["attributes"].as_array().into_iter().flatten() {
            let key = attribute["key"].as_str().unwrap_or_default();
            assert!(allowed.contains(key), "`{key}` left on {}", span["name"]);
            let text = attribute["value"]["stringValue"].as_str().unwrap_or_default();
            assert!(
                key == "error.type" || text.parse::<f64>().is_err(),
                "`{key}` of {} is a text: {text}",
                span["name"]
            );
        }
    }
}

const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn a_callers_trace_goes_on_with_and_without_telemetry() {
    let sandbox = Sandbox::new();
    workspace(&sandbox);
    let caller = [("TRACEPARENT", CALLER), ("TRACESTATE", "vendor=1"), ("BAGGAGE", "team=office")];
    let server = lineage_server();
    let refine = ["refine", "data", "-o", "out.csv", "--lineage-url", &server.url];
    let without = sandbox.run_told(&caller, &refine);
    assert!(matches!(without.code, 0 | 3), "{without}");
    assert_eq!(server.header("traceparent"), BTreeSet::from([CALLER.to_owned()]));
    assert_eq!(server.header("baggage"), BTreeSet::from(["team=office".to_owned()]));

    let server = lineage_server();
    let refine = ["refine", "data", "-o", "out.csv", "--lineage-url", &server.url, "--telemetry-exporter", "file"];
    let with = sandbox.run_told(&caller, &refine);
    assert!(matches!(with.code, 0 | 3), "{with}");
    let (trace, span) = (&CALLER[3..35], &CALLER[36..52]);
    let sent = server.header("traceparent");
    assert!(!sent.is_empty() && sent.iter().all(|sent| sent.contains(trace) && !sent.contains(span)), "{sent:?}");
    assert_eq!(server.header("tracestate"), BTreeSet::from(["vendor=1".to_owned()]));
    let lines = exported(&sandbox, "dist/telemetry.ndjson");
    let mut spans = Vec::new();
    lines.iter().for_each(|line| items(line, "spans", &mut spans));
    assert!(spans.iter().all(|span| span["traceId"] == trace), "one trace");
    let run = spans.iter().find(|span| span["name"] == "hotpass.refine").expect("the run's span");
    assert_eq!(run["parentSpanId"], span);
}

#[test]
fn what_waits_is_replayed_in_a_trace() {
    let sandbox = Sandbox::new();
    workspace(&sandbox);
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let down = sandbox.run(&["refine", "data", "-o", "out.csv", "--lineage-url", &gone]);
    assert!(matches!(down.code, 0 | 3), "{down}");
    let server = lineage_server();
    let replay = sandbox.run_told(
        &[("OTEL_TRACES_EXPORTER", "file"), ("OTEL_METRICS_EXPORTER", "none"), ("OTEL_LOGS_EXPORTER", "none")],
        &["lineage", "replay", "--lineage-url", &server.url],
    );
    assert_eq!(replay.code, 0, "{replay}");
    let spans = names(&exported(&sandbox, "dist/telemetry.ndjson"), "spans");
    assert!(spans.contains("lineage.replay") && spans.contains("POST"), "{spans:?}");
    assert!(!server.header("traceparent").is_empty());
}

#[test]
fn what_finds_no_place_is_told() {
    let hanging = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let hanging = format!("http://{}", hanging.local_addr().expect("an address"));
    let sandbox = Sandbox::new();
    workspace(&sandbox);
    let outcome = sandbox.run_told(
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &hanging),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "2"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1"),
            ("OTEL_EXPORTER_PROMETHEUS_PORT", "9464"),
        ],
        &["--log-format", "json", "refine", "data", "-o", "out.csv", "--set", "telemetry.shutdown_seconds=0.2"],
    );
    assert!(matches!(outcome.code, 0 | 3), "{outcome}");
    let events: Vec<Value> = outcome.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let summary = events.iter().find(|event| event["event"] == "telemetry.summary").expect("a summary");
    let traces = &summary["data"]["signals"]["traces"];
    assert!(traces["dropped"].as_u64() > Some(0), "{traces}");
    let notes: Vec<&str> = events.iter().filter_map(|event| event["data"]["message"].as_str()).collect();
    assert!(notes.iter().any(|note| note.contains("of traces were lost")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("`OTEL_EXPORTER_PROMETHEUS_PORT` is not understood")), "{notes:?}");
}

#[test]
fn what_has_no_effect_is_told() {
    let sandbox = Sandbox::new();
    workspace(&sandbox);
    let arguments = ["refine", "data", "-o", "out.csv", "--telemetry-exporter", "console"];
    let endpoint = ["--telemetry-otlp-endpoint", "http://127.0.0.1:9", "--telemetry-file", "t.ndjson"];
    let outcome = sandbox.run(&[&arguments[..], &endpoint].concat());
    for exporter in ["otlp", "file"] {
        assert!(outcome.stderr.contains(&format!("`{exporter}` is not among the exporters")), "{outcome}");
    }
    let off = sandbox.run(&["refine", "data", "-o", "out.csv", "--telemetry-exporter", "noop"]);
    assert!(!off.stderr.contains("span ") && !off.stderr.contains("Telemetry:"), "{off}");
    let switched = sandbox.run(&[&arguments[..], &["--no-observability"]].concat());
    assert!(!switched.stderr.contains("span "), "{switched}");
}

#[test]
fn nothing_personal_leaves() {
    let sandbox = Sandbox::new();
    workspace(&sandbox);
    let outcome = sandbox.run(&[
        "refine",
        "data",
        "-o",
        "out.csv",
        "--telemetry-exporter",
        "file",
        "--telemetry-exporter",
        "console",
        "--telemetry-file",
        "t.ndjson",
        "--set",
        "telemetry.log_level=trace",
    ]);
    assert!(outcome.stderr.contains("span    hotpass.refine"), "{outcome}");
    let text = std::fs::read_to_string(sandbox.path("t.ndjson")).expect("telemetry was written") + &outcome.stderr;
    for canary in CANARIES {
        assert!(!text.contains(canary), "`{canary}` left");
    }
}

#[test]
fn a_collector_that_is_down_or_hangs_changes_nothing() {
    let hanging = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let hanging = format!("http://{}", hanging.local_addr().expect("an address"));
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let result = |endpoint: Option<&str>| {
        let sandbox = Sandbox::new();
        workspace(&sandbox);
        let mut arguments = vec!["refine", "data", "-o", "out.csv"];
        if let Some(endpoint) = endpoint {
            arguments.extend(["--telemetry-otlp-endpoint", endpoint, "--set", "telemetry.shutdown_seconds=0.5"]);
        }
        let started = Instant::now();
        let outcome = sandbox.run(&arguments);
        let manifest = std::fs::read_dir(sandbox.path("dist/runs"))
            .into_iter()
            .flatten()
            .flatten()
            .find_map(|entry| std::fs::read_to_string(entry.path().join("manifest.json")).ok());
        let digest = manifest
            .and_then(|text| serde_json::from_str::<Value>(&text).ok())
            .map(|manifest| manifest["config_digest"].clone());
        let published = std::fs::read(sandbox.path("out.csv")).ok();
        (outcome.code, outcome.stdout, published, digest, started.elapsed())
    };
    let without = result(None);
    for endpoint in [&gone, &hanging] {
        let with = result(Some(endpoint));
        assert_eq!(
            (&with.0, &with.1, &with.2, &with.3),
            (&without.0, &without.1, &without.2, &without.3),
            "{endpoint}"
        );
        assert!(with.4 < without.4 + Duration::from_secs(20), "{:?} and {:?}", with.4, without.4);
    }
}

#[test]
fn telemetry_check_says_what_came_back() {
    let sandbox = Sandbox::new();
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let outcome = sandbox.run(&["telemetry", "check", "--format", "json", "--telemetry-otlp-endpoint", &gone]);
    assert_eq!(outcome.code, 1, "{outcome}");
    let answer: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let answers: Vec<&str> =
        answer["signals"].as_array().into_iter().flatten().filter_map(|signal| signal["answer"].as_str()).collect();
    assert_eq!(answers, ["unreachable"; 3], "{outcome}");
    let refused = sandbox.run(&["telemetry", "check", "--telemetry-otlp-endpoint", "ftp://x"]);
    assert_eq!(refused.code, 2, "{refused}");
}
