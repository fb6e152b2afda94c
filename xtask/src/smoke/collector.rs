//! Telemetry against a real OpenTelemetry Collector, in order and in trouble.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use super::{Ran, Session, collector_faults, ensure, items, rounded, test_data, text};
use crate::process::read;
use crate::servers::{Collector, Missing};

/// How a run speaks to the collector.
const WAYS: &[(&str, &str, &str)] = &[
    ("gRPC", "grpc", "none"),
    ("HTTP", "http/protobuf", "none"),
    ("gRPC with gzip", "grpc", "gzip"),
    ("HTTP with gzip", "http/protobuf", "gzip"),
];
/// A span that stands above the run.
const OUTER: (&str, &str) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
/// Attributes whose value is a text even where it looks like a number.
const TEXTS: &[&str] = &["service.version", "service.instance.id", "host.id", "process.runtime.version", "os.version"];
/// What every resource says of itself.
const RESOURCE: &[&str] = &["service.name", "service.version", "telemetry.sdk.name", "process.pid", "host.name"];
/// The longest that a run may wait for a collector at its end, with room for a busy machine.
const FLUSH_SECONDS: f64 = 12.0;
/// Runs of each kind that are timed, of which the shortest counts.
const TIMED: usize = 3;

pub(super) fn run() -> Result<(), String> {
    let mut collector = match Collector::start() {
        Ok(collector) => collector,
        Err(Missing::Unavailable(reason)) => {
            println!("skipped: the collector, since {}", reason.trim());
            return Ok(());
        }
        Err(Missing::Broken(error)) => return Err(error),
    };
    let mut session = Session::start("collector")?;
    let mut facts = Vec::new();
    for (name, protocol, compression) in WAYS {
        let found = session.step(name, |session| {
            restart_empty(&mut collector)?;
            refine(session, &collector, &[], protocol, compression, &[])?.expect(&[0, 3])?;
            let signals = Signals::of(&mut collector)?;
            signals.check(None)?;
            let detail = signals.describe();
            session.write(&format!("{}.json", name.replace(' ', "-")), format!("{:#}\n", signals.facts()))?;
            Ok((signals.facts(), detail))
        });
        facts.push(json!({"way": name, "found": found}));
    }
    session.step("a trace from outside", |session| {
        restart_empty(&mut collector)?;
        let parent = format!("00-{}-{}-01", OUTER.0, OUTER.1);
        refine(session, &collector, &[], "grpc", "none", &[("TRACEPARENT", &parent)])?.expect(&[0, 3])?;
        let signals = Signals::of(&mut collector)?;
        signals.check(Some(OUTER))?;
        Ok(((), format!("the run is part of trace {}", OUTER.0)))
    });
    session.step("hotpass telemetry check", |session| {
        restart_empty(&mut collector)?;
        let address = endpoint(&collector, "http/protobuf");
        let variables = variables(&address, "http/protobuf", "none");
        let said = session.hotpass(&["telemetry", "check"], &variables)?.expect(&[0])?;
        let signals = Signals::of(&mut collector)?;
        let arrived = [signals.spans.len(), signals.metrics.len(), signals.logs.len()];
        ensure(arrived.iter().all(|count| *count > 0), || format!("{arrived:?} of each arrived\n{}", said.stdout))?;
        // With nobody there it says so, and is no success.
        session.hotpass(&["telemetry", "check"], &variables)?.expect(&[1])?;
        Ok(((), format!("{arrived:?} spans, metrics and log records; exit 1 with no collector")))
    });
    session.step("the whole story", |session| whole_story(session, &mut collector));
    session.step("TLS", |session| tls(session, &mut collector));
    let faults = session.step("faults", |session| collector_faults::run(session, &mut collector));
    let times = session.step("the collector is slow or away", |session| in_trouble(session, &mut collector));
    let memory = collector.server().map(|server| server.peak_memory()).unwrap_or_default();
    let server = json!({"server": "collector", "ready_after_s": collector.ready_after, "peak_mib": memory});
    session.finish(json!({"servers": [server], "signals": facts, "faults": faults, "times": times}))
}

pub(super) fn restart_empty(collector: &mut Collector) -> Result<(), String> {
    collector.stop()?;
    collector.clear();
    collector.resume()
}

pub(super) fn variables<'a>(endpoint: &'a str, protocol: &'a str, compression: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", compression),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=smoke"),
    ]
}

pub(super) fn endpoint(collector: &Collector, protocol: &str) -> String {
    format!("http://127.0.0.1:{}", if protocol == "grpc" { collector.grpc } else { collector.http })
}

fn refine(
    session: &mut Session,
    collector: &Collector,
    arguments: &[&str],
    protocol: &str,
    compression: &str,
    more: &[(&str, &str)],
) -> Result<Ran, String> {
    let endpoint = endpoint(collector, protocol);
    let variables = [&variables(&endpoint, protocol, compression), more].concat();
    session.hotpass(&[&["refine", "--telemetry-exporter", "otlp"], arguments].concat(), &variables)
}

/// What arrived at the collector.
pub(super) struct Signals {
    pub(super) spans: Vec<Value>,
    metrics: Vec<Value>,
    pub(super) logs: Vec<Value>,
    resources: Vec<Value>,
}

impl Signals {
    /// Ends the collector in order, so that all it took is in its file, and reads that.
    pub(super) fn of(collector: &mut Collector) -> Result<Self, String> {
        collector.stop()?;
        let mut signals = Self { spans: Vec::new(), metrics: Vec::new(), logs: Vec::new(), resources: Vec::new() };
        for batch in collector.batches() {
            for (resources, scopes, list, into) in [
                ("resourceSpans", "scopeSpans", "spans", &mut signals.spans),
                ("resourceMetrics", "scopeMetrics", "metrics", &mut signals.metrics),
                ("resourceLogs", "scopeLogs", "logRecords", &mut signals.logs),
            ] {
                for resource in items(&batch[resources]) {
                    signals.resources.push(resource["resource"].clone());
                    into.extend(items(&resource[scopes]).flat_map(|scope| items(&scope[list])).cloned());
                }
            }
        }
        Ok(signals)
    }

    pub(super) fn describe(&self) -> String {
        let exemplars = self.points().map(|point| items(&point["exemplars"]).count()).sum::<usize>();
        let correlated = self.logs.iter().filter(|log| !text(&log["traceId"]).is_empty()).count();
        format!(
            "{} spans in one trace, {} metrics with {exemplars} exemplars, {} log records of which {correlated} name the trace",
            self.spans.len(),
            self.metrics.iter().map(|metric| text(&metric["name"])).collect::<BTreeSet<_>>().len(),
            self.logs.len()
        )
    }

    fn points(&self) -> impl Iterator<Item = &Value> {
        self.metrics.iter().flat_map(|metric| {
            ["sum", "gauge", "histogram"].into_iter().flat_map(|kind| items(&metric[kind]["dataPoints"]))
        })
    }

    fn attributes(&self) -> impl Iterator<Item = &Value> {
        let holders = self.spans.iter().chain(&self.logs).chain(self.points()).chain(&self.resources);
        holders.flat_map(|holder| items(&holder["attributes"]))
    }

    /// Checks what must hold of every run; `above` is the span that stands above it.
    pub(super) fn check(&self, above: Option<(&str, &str)>) -> Result<(), String> {
        let mut wrong = Vec::new();
        for (kind, found) in [("spans", &self.spans), ("metrics", &self.metrics), ("log records", &self.logs)] {
            if found.is_empty() {
                wrong.push(format!("no {kind} arrived"));
            }
        }
        self.check_trace(above, &mut wrong);
        self.check_metrics(&mut wrong);
        for attribute in self.attributes() {
            let (key, value) = (text(&attribute["key"]), &attribute["value"]);
            let number = value["stringValue"].as_str().is_some_and(|value| value.parse::<f64>().is_ok());
            if number && !TEXTS.contains(&key) {
                wrong.push(format!("attribute `{key}` is a number written as text: {value}"));
            }
        }
        for resource in &self.resources {
            let keys: BTreeSet<&str> = items(&resource["attributes"]).map(|it| text(&it["key"])).collect();
            let missing = RESOURCE.iter().chain(&["deployment.environment.name"]).filter(|key| !keys.contains(**key));
            wrong.extend(missing.map(|key| format!("the resource has no `{key}`")));
        }
        wrong.sort();
        wrong.dedup();
        ensure(wrong.is_empty(), || wrong.join("\n"))
    }

    fn check_trace(&self, above: Option<(&str, &str)>, wrong: &mut Vec<String>) {
        let traces: BTreeSet<&str> = self.spans.iter().map(|span| text(&span["traceId"])).collect();
        if traces.len() != 1 || above.is_some_and(|(trace, _)| !traces.contains(trace)) {
            wrong.push(format!("the spans are of the traces {traces:?}"));
        }
        let spans: BTreeSet<&str> = self.spans.iter().map(|span| text(&span["spanId"])).collect();
        if spans.len() != self.spans.len() {
            wrong.push("a span arrived twice".to_owned());
        }
        let mut roots = 0;
        for span in &self.spans {
            let parent = text(&span["parentSpanId"]);
            let is_root = parent.is_empty() || above.is_some_and(|(_, outer)| parent == outer);
            roots += u32::from(is_root);
            if !is_root && !spans.contains(parent) {
                wrong.push(format!("span `{}` has a parent that did not arrive", text(&span["name"])));
            }
            if above.is_some() && parent.is_empty() {
                wrong.push(format!("span `{}` has no parent", text(&span["name"])));
            }
            let time = |key: &str| text(&span[key]).parse::<u64>().unwrap_or_default();
            if time("startTimeUnixNano") == 0 || time("endTimeUnixNano") < time("startTimeUnixNano") {
                wrong.push(format!("span `{}` ends before it starts", text(&span["name"])));
            }
        }
        if roots != 1 {
            wrong.push(format!("{roots} spans have no parent in the trace"));
        }
        for log in &self.logs {
            let (trace, span) = (text(&log["traceId"]), text(&log["spanId"]));
            if !trace.is_empty() && (!traces.contains(trace) || !spans.contains(span)) {
                wrong.push("a log record names a span that did not arrive".to_owned());
            }
        }
    }

    fn check_metrics(&self, wrong: &mut Vec<String>) {
        for metric in &self.metrics {
            if text(&metric["unit"]).is_empty() {
                wrong.push(format!("metric `{}` has no unit", text(&metric["name"])));
            }
            let points = ["sum", "gauge", "histogram"].iter().map(|kind| items(&metric[*kind]["dataPoints"]).count());
            if points.sum::<usize>() == 0 {
                wrong.push(format!("metric `{}` has no points", text(&metric["name"])));
            }
        }
        for point in self.points() {
            for exemplar in items(&point["exemplars"]) {
                let span = text(&exemplar["spanId"]);
                if self.spans.iter().all(|it| text(&it["spanId"]) != span) {
                    wrong.push("an exemplar names a span that did not arrive".to_owned());
                }
            }
        }
    }

    /// Names, kinds and types of all that arrived.
    fn facts(&self) -> Value {
        let mut types: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for attribute in self.attributes() {
            let kinds = attribute["value"].as_object().into_iter().flat_map(|value| value.keys());
            types.entry(text(&attribute["key"])).or_default().extend(kinds.map(String::as_str));
        }
        let metrics: BTreeMap<&str, Value> = self
            .metrics
            .iter()
            .map(|metric| {
                let kind = ["sum", "gauge", "histogram"].into_iter().find(|kind| !metric[*kind].is_null());
                let monotonic = &metric["sum"]["isMonotonic"];
                (text(&metric["name"]), json!({"kind": kind, "unit": metric["unit"], "monotonic": monotonic}))
            })
            .collect();
        let mut spans: BTreeMap<&str, u32> = BTreeMap::new();
        for span in &self.spans {
            *spans.entry(text(&span["name"])).or_default() += 1;
        }
        json!({"spans": spans, "metrics": metrics, "logs": self.logs.len(), "attribute_types": types})
    }
}

/// A model with training sessions and blocking rules.
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

/// What hangs below what, in a run that sends lineage and in one that trains and links.
const STORY: &[(&str, &[&str])] = &[
    ("refine.discover", &["hotpass.refine"]),
    ("refine.read", &["hotpass.refine"]),
    ("refine.read_file", &["refine.read"]),
    ("refine.group", &["hotpass.refine"]),
    ("refine.survive", &["hotpass.refine"]),
    ("refine.expect", &["hotpass.refine"]),
    ("refine.publish", &["hotpass.refine"]),
    ("POST", &["lineage.deliver"]),
    ("resolve.read", &["hotpass.resolve"]),
    ("resolve.train", &["hotpass.resolve"]),
    ("resolve.estimate_u", &["resolve.train"]),
    ("resolve.training_session", &["resolve.train"]),
    ("resolve.score", &["hotpass.resolve"]),
    ("resolve.blocking_rule", &["refine.group", "resolve.score"]),
    ("resolve.cluster", &["hotpass.resolve"]),
    ("resolve.publish", &["hotpass.resolve"]),
];

/// Every span of the story stands where it should, and each outbound request names its own span as parent.
fn whole_story(session: &mut Session, collector: &mut Collector) -> Result<((), String), String> {
    restart_empty(collector)?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let lineage = format!("http://{}", listener.local_addr().map_err(|error| error.to_string())?);
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| take_event(stream, &kept)));
    refine(session, collector, &["--lineage-url", &lineage], "grpc", "gzip", &[])?.expect(&[0, 3])?;
    let mut people = String::from("unique_id,name,city\n");
    for number in 0..200 {
        let _ = writeln!(people, "{number},Person {},City {}", number / 2, number % 7);
    }
    for (name, content) in [("people.csv", people.as_str()), ("model.json", MODEL)] {
        std::fs::write(session.workspace.join(name), content).map_err(|error| error.to_string())?;
    }
    let resolve = ["resolve", "--input-file", "people.csv", "--model", "model.json", "--output-file", "resolved.csv"];
    let address = endpoint(collector, "http/protobuf");
    let told = variables(&address, "http/protobuf", "gzip");
    session.hotpass(&[&resolve[..], &["--telemetry-exporter", "otlp"]].concat(), &told)?.expect(&[0])?;
    let signals = Signals::of(collector)?;
    let by_id: BTreeMap<&str, &Value> = signals.spans.iter().map(|span| (text(&span["spanId"]), span)).collect();
    let mut wrong = Vec::new();
    for (name, above) in STORY {
        let found: Vec<&Value> = signals.spans.iter().filter(|span| text(&span["name"]) == *name).collect();
        if found.is_empty() {
            wrong.push(format!("no span `{name}` arrived"));
        }
        for span in found {
            let parent = by_id.get(text(&span["parentSpanId"])).map(|parent| text(&parent["name"]));
            if !parent.is_some_and(|parent| above.contains(&parent)) {
                wrong.push(format!("`{name}` hangs below {parent:?} and none of {above:?}"));
            }
        }
    }
    let traces: BTreeSet<&str> = signals.spans.iter().map(|span| text(&span["traceId"])).collect();
    if traces.len() != 2 {
        wrong.push(format!("two runs make {} traces", traces.len()));
    }
    let heads = heads.lock().map_err(|error| error.to_string())?.clone();
    let posts: BTreeSet<String> = signals
        .spans
        .iter()
        .filter(|span| text(&span["name"]) == "POST")
        .map(|span| format!("00-{}-{}-01", text(&span["traceId"]), text(&span["spanId"])))
        .collect();
    let sent: BTreeSet<String> = heads.iter().filter_map(|head| header(head, "traceparent")).collect();
    if sent.is_empty() || sent != posts {
        wrong.push(format!("requests name {sent:?} as parents, their spans are {posts:?}"));
    }
    let mut tree = String::new();
    draw(&signals.spans, "", 0, &mut tree);
    session.write("trace.txt", &tree)?;
    ensure(wrong.is_empty(), || format!("{}\n{tree}", wrong.join("\n")))?;
    Ok(((), format!("{} spans in two traces, {} outbound requests below their own spans", by_id.len(), sent.len())))
}

/// Takes a request and answers that it is kept.
fn take_event(mut stream: std::net::TcpStream, heads: &Mutex<Vec<String>>) {
    let mut seen = Vec::new();
    let mut buffer = vec![0; 65536];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..read]);
        let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&seen[..end]).into_owned();
        let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        if seen.len() - end - 4 >= length {
            if let Ok(mut heads) = heads.lock() {
                heads.push(head);
            }
            let _ = stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            return;
        }
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
}

/// Draws the spans below one, by the time they began.
fn draw(spans: &[Value], above: &str, depth: usize, tree: &mut String) {
    let mut below: Vec<&Value> = spans.iter().filter(|span| text(&span["parentSpanId"]) == above).collect();
    below.sort_by_key(|span| text(&span["startTimeUnixNano"]).to_owned());
    for span in below {
        let time = |key: &str| text(&span[key]).parse::<u64>().unwrap_or_default();
        let seconds = time("endTimeUnixNano").saturating_sub(time("startTimeUnixNano")) as f64 / 1e9;
        let attributes: Vec<String> = items(&span["attributes"])
            .map(|it| {
                let value = it["value"].as_object().and_then(|value| value.values().next()).cloned();
                format!("{}={}", text(&it["key"]), value.unwrap_or_default().to_string().trim_matches('"'))
            })
            .collect();
        let _ = writeln!(tree, "{}{} {seconds:.4} s {}", "  ".repeat(depth), text(&span["name"]), attributes.join(" "));
        draw(spans, text(&span["spanId"]), depth + 1, tree);
    }
}

/// An own authority, a stranger's one, and a collector that wants to know who sends.
fn tls(session: &mut Session, collector: &mut Collector) -> Result<((), String), String> {
    if !crate::process::present("openssl version") {
        return Ok(((), "skipped, since `openssl` is not installed".to_owned()));
    }
    let papers = collector.with_tls()?;
    collector.stop()?;
    collector.clear();
    collector.resume()?;
    let path = |name: &str| papers.join(name).display().to_string();
    let (own, stranger) = (path("authority.pem"), path("stranger.pem"));
    let identity = [
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", path("sender.pem")),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", path("sender.key")),
    ];
    let mut tried = 0;
    for (protocol, port, named_port) in [
        ("grpc", collector.tls_grpc, collector.named_grpc),
        ("http/protobuf", collector.tls_http, collector.named_http),
    ] {
        let address = format!("https://127.0.0.1:{port}");
        let named = format!("https://127.0.0.1:{named_port}");
        for (address, authority, with_identity, arrives, says) in [
            (&address, Some(&own), false, true, "accepted"),
            (&address, None, false, false, "not trusted"),
            (&address, Some(&stranger), false, false, "not trusted"),
            (&named, Some(&own), false, false, "client certificate"),
            (&named, Some(&own), true, true, "accepted"),
        ] {
            let mut told = variables(address, protocol, "gzip").to_vec();
            told.extend(authority.map(|path| ("OTEL_EXPORTER_OTLP_CERTIFICATE", path.as_str())));
            if with_identity {
                told.extend(identity.iter().map(|(name, path)| (*name, path.as_str())));
            }
            let ran = session.hotpass(&["telemetry", "check"], &told)?.expect(&[i32::from(!arrives)])?;
            let all = format!("{}{}", ran.stdout, ran.stderr);
            ensure(all.contains(says), || format!("{address} by {protocol} does not say `{says}`:\n{all}"))?;
            tried += 1;
        }
        let told = [&variables(&address, protocol, "gzip")[..], &[("OTEL_EXPORTER_OTLP_CERTIFICATE", own.as_str())]];
        session.hotpass(&["refine", "--telemetry-exporter", "otlp"], &told.concat())?.expect(&[0, 3])?;
    }
    let signals = Signals::of(collector)?;
    let runs = signals.spans.iter().filter(|span| text(&span["name"]) == "hotpass.refine").count();
    ensure(runs == 2, || format!("{runs} of 2 runs arrived by TLS"))?;
    Ok(((), format!("{tried} combinations of protocol, authority and identity; 2 runs arrived")))
}

/// Times runs with telemetry off, on, with a collector that hangs and with none; the shortest of each kind counts.
fn in_trouble(session: &mut Session, collector: &mut Collector) -> Result<(Value, String), String> {
    let data = test_data("generated/hotpass_like").map(|path| path.display().to_string());
    let inputs: Vec<&str> = data.as_deref().into_iter().collect();
    let mut times: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    restart_empty(collector)?;
    for _ in 0..TIMED {
        let off = timed(|| session.hotpass(&[&["refine"], inputs.as_slice()].concat(), &[]))?;
        times.entry("off").or_default().push(off);
        let on = timed(|| refine(session, collector, &inputs, "grpc", "none", &[]))?;
        times.entry("on").or_default().push(on);
        collector.server()?.signal("STOP")?;
        let hangs = timed(|| refine(session, collector, &inputs, "grpc", "none", &[]));
        let hangs_http = timed(|| refine(session, collector, &inputs, "http/protobuf", "none", &[]));
        collector.server()?.signal("CONT")?;
        times.entry("hangs, gRPC").or_default().push(hangs?);
        times.entry("hangs, HTTP").or_default().push(hangs_http?);
        collector.kill()?;
        let away = timed(|| refine(session, collector, &inputs, "grpc", "none", &[]));
        collector.resume()?;
        times.entry("away").or_default().push(away?);
    }
    let least = |kind: &str, pick: fn(&(f64, f64)) -> f64| times[kind].iter().map(pick).fold(f64::INFINITY, f64::min);
    let mut shown = Vec::new();
    let mut table = json!({});
    for kind in ["off", "on", "hangs, gRPC", "hangs, HTTP", "away"] {
        let (wall, processor) = (least(kind, |time| time.0), least(kind, |time| time.1));
        let ratio = processor / least("off", |time| time.1);
        shown.push(format!("{kind} {wall:.2} s ({processor:.2} s of processor, ×{ratio:.2})"));
        table[kind] = json!({"wall_s": rounded(wall), "processor_s": rounded(processor), "ratio": rounded(ratio)});
    }
    let slowest = least("hangs, gRPC", |time| time.0).max(least("hangs, HTTP", |time| time.0));
    let waited = slowest - least("off", |time| time.0);
    ensure(waited < FLUSH_SECONDS, || format!("a run waits {waited:.1} s for a collector that hangs: {shown:?}"))?;
    Ok((table, shown.join(", ")))
}

/// Runs and gives wall time and processor time; a run must end as it does without telemetry.
fn timed(run: impl FnOnce() -> Result<Ran, String>) -> Result<(f64, f64), String> {
    let before = processor_time();
    let ran = run()?.expect(&[0, 3])?;
    Ok((ran.seconds, processor_time() - before))
}

/// Returns the processor time of the processes that ended below this one, in seconds.
fn processor_time() -> f64 {
    let stat = read(Path::new("/proc/self/stat"));
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let field = |number: usize| after_name.split_whitespace().nth(number).and_then(|it| it.parse::<f64>().ok());
    // Fields 16 and 17 of proc(5), counted behind the name; a tick is a hundredth of a second.
    (field(13).unwrap_or(0.0) + field(14).unwrap_or(0.0)) / 100.0
}
