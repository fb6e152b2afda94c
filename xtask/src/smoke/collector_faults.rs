//! What a run loses when the collector or the run itself is in trouble, fault by fault.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::collector::{Signals, endpoint, restart_empty};
use super::{Session, ensure, rounded, test_data, text};
use crate::process::read;
use crate::servers::{Collector, signal};

/// Everything leaves soon, so that there is something on its way whenever a fault comes.
const SOON: [(&str, &str); 3] =
    [("OTEL_BSP_SCHEDULE_DELAY", "50"), ("OTEL_BLRP_SCHEDULE_DELAY", "50"), ("OTEL_METRIC_EXPORT_INTERVAL", "200")];
/// The longest that a run may wait at its end, with room for a busy machine; the setting is two seconds.
const LONGEST_WAIT: f64 = 6.0;

/// What happens, in milliseconds after the start of a run.
#[derive(Clone, Copy)]
enum Act {
    Stop,
    Continue,
    Crash,
    End,
    Back,
    Interrupt(&'static str),
}

/// What must not happen.
#[derive(Clone, Copy, PartialEq)]
enum Bound {
    /// All arrives.
    NothingLost,
    /// What does not arrive is told, but for what a crash took that the collector had already taken.
    Told,
}

struct Fault {
    name: &'static str,
    protocol: &'static str,
    before: Option<Act>,
    acts: &'static [(u64, Act)],
    variables: &'static [(&'static str, &'static str)],
    bound: Bound,
}

const FAULTS: &[Fault] = &[
    Fault { name: "none", protocol: "grpc", before: None, acts: &[], variables: &[], bound: Bound::NothingLost },
    Fault {
        name: "hangs for a second",
        protocol: "grpc",
        before: None,
        acts: &[(250, Act::Stop), (1250, Act::Continue)],
        variables: &[],
        bound: Bound::NothingLost,
    },
    Fault {
        name: "hangs for a second",
        protocol: "http/protobuf",
        before: None,
        acts: &[(250, Act::Stop), (1250, Act::Continue)],
        variables: &[],
        bound: Bound::NothingLost,
    },
    Fault {
        name: "is restarted in order",
        protocol: "grpc",
        before: None,
        acts: &[(250, Act::End), (600, Act::Back)],
        variables: &[],
        bound: Bound::NothingLost,
    },
    Fault {
        name: "is restarted in order",
        protocol: "http/protobuf",
        before: None,
        acts: &[(250, Act::End), (600, Act::Back)],
        variables: &[],
        bound: Bound::NothingLost,
    },
    Fault {
        name: "crashes and comes back",
        protocol: "grpc",
        before: None,
        acts: &[(350, Act::Crash), (600, Act::Back)],
        variables: &[],
        bound: Bound::Told,
    },
    Fault {
        name: "comes up late",
        protocol: "grpc",
        before: Some(Act::Crash),
        acts: &[(300, Act::Back)],
        variables: &[],
        bound: Bound::NothingLost,
    },
    Fault {
        name: "is away",
        protocol: "grpc",
        before: Some(Act::Crash),
        acts: &[],
        variables: &[],
        bound: Bound::Told,
    },
    Fault {
        name: "is away",
        protocol: "http/protobuf",
        before: Some(Act::Crash),
        acts: &[],
        variables: &[],
        bound: Bound::Told,
    },
    Fault { name: "hangs", protocol: "grpc", before: Some(Act::Stop), acts: &[], variables: &[], bound: Bound::Told },
    Fault {
        name: "hangs",
        protocol: "http/protobuf",
        before: Some(Act::Stop),
        acts: &[],
        variables: &[],
        bound: Bound::Told,
    },
    Fault {
        name: "hangs, with room for four spans",
        protocol: "grpc",
        before: Some(Act::Stop),
        acts: &[],
        variables: &[("OTEL_BSP_MAX_QUEUE_SIZE", "4"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2")],
        bound: Bound::Told,
    },
    Fault {
        name: "the run gets SIGINT",
        protocol: "grpc",
        before: None,
        acts: &[(350, Act::Interrupt("INT"))],
        variables: &[],
        bound: Bound::NothingLost,
    },
    Fault {
        name: "the run gets SIGTERM",
        protocol: "http/protobuf",
        before: None,
        acts: &[(350, Act::Interrupt("TERM"))],
        variables: &[],
        bound: Bound::NothingLost,
    },
    Fault {
        name: "hangs, and the run gets SIGTERM",
        protocol: "grpc",
        before: Some(Act::Stop),
        acts: &[(350, Act::Interrupt("TERM"))],
        variables: &[],
        bound: Bound::Told,
    },
];

/// Lives through every fault, writes the table and gives it.
pub(super) fn run(session: &mut Session, collector: &mut Collector) -> Result<(Value, String), String> {
    let mut rows = Vec::new();
    let mut table = String::from(
        "| the collector | protocol | exit | seconds | waited | spans: exported, failed, dropped | arrived | metrics lost | logs lost | retries | told |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let mut wrong = Vec::new();
    let mut without = f64::INFINITY;
    for fault in FAULTS {
        restart_empty(collector)?;
        let row = live_through(session, collector, fault)?;
        let seconds = row["seconds"].as_f64().unwrap_or_default();
        without = without.min(seconds);
        let waited = (seconds - without).max(0.0);
        let count = |signal: &str, what: &str| row["told"][signal][what].as_u64().unwrap_or_default();
        let lost = |signal: &str| count(signal, "failed") + count(signal, "dropped");
        let retries: u64 = ["traces", "metrics", "logs"].into_iter().map(|signal| count(signal, "retries")).sum();
        let cell = |value: &Value| value.as_str().unwrap_or("–").to_owned();
        let _ = writeln!(
            table,
            "| {} | {} | {} | {seconds:.2} | {waited:.2} | {}, {}, {} | {} | {} | {} | {retries} | {} |",
            fault.name,
            fault.protocol,
            row["exit"],
            count("traces", "exported"),
            count("traces", "failed"),
            count("traces", "dropped"),
            row["arrived"]["spans"],
            lost("metrics"),
            lost("logs"),
            cell(&row["told"]["traces"]["reason"]),
        );
        let name = format!("{} ({})", fault.name, fault.protocol);
        if waited > LONGEST_WAIT {
            wrong.push(format!("{name}: the run waits {waited:.1} s"));
        }
        let made = count("traces", "exported") + lost("traces");
        let arrived = row["arrived"]["spans"].as_u64().unwrap_or_default();
        let crashed = fault.acts.iter().any(|(_, act)| matches!(act, Act::Crash));
        if made == 0 {
            wrong.push(format!("{name}: the run says nothing of its telemetry"));
        }
        if arrived + lost("traces") < made && !crashed {
            wrong.push(format!("{name}: {made} spans were made, {arrived} arrived, {} are told lost", lost("traces")));
        }
        if fault.bound == Bound::NothingLost && (lost("traces") + lost("logs") + lost("metrics") > 0 || arrived < made)
        {
            wrong.push(format!("{name}: something is lost: {row}"));
        }
        rows.push(row);
    }
    restart_empty(collector)?;
    session.write("faults.md", &table)?;
    print!("{table}");
    ensure(wrong.is_empty(), || wrong.join("\n"))?;
    Ok((Value::Array(rows), format!("{} faults lived through; faults.md has what each cost", FAULTS.len())))
}

fn live_through(session: &mut Session, collector: &mut Collector, fault: &Fault) -> Result<Value, String> {
    let data = test_data("generated/hotpass_like").map(|path| path.display().to_string());
    let arguments: Vec<&str> =
        ["--log-format", "json", "refine", "--telemetry-exporter", "otlp"].into_iter().chain(data.as_deref()).collect();
    let address = endpoint(collector, fault.protocol);
    let mut variables = super::collector::variables(&address, fault.protocol, "none").to_vec();
    variables.extend(SOON);
    variables.extend(fault.variables);
    if let Some(act) = fault.before {
        happens(act, collector, 0)?;
    }
    let log = session.staging.join("fault.log");
    let errors = File::create(&log).map_err(|error| error.to_string())?;
    let mut command = session.command(&arguments, &variables);
    let started = Instant::now();
    let mut child =
        command.stdout(Stdio::null()).stderr(errors).spawn().map_err(|error| format!("Failed to start it: {error}"))?;
    for (moment, act) in fault.acts {
        thread::sleep(Duration::from_millis(*moment).saturating_sub(started.elapsed()));
        happens(*act, collector, child.id())?;
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    let seconds = started.elapsed().as_secs_f64();
    // Whatever reached a collector that hangs, or its socket, is taken in now.
    if let Ok(server) = collector.server() {
        server.signal("CONT")?;
        thread::sleep(Duration::from_millis(300));
    } else {
        collector.resume()?;
    }
    let signals = Signals::of(collector)?;
    let distinct: BTreeSet<&str> = signals.spans.iter().map(|span| text(&span["spanId"])).collect();
    let said = read(&log);
    let told = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["event"] == "telemetry.summary")
        .map(|line| line["data"]["signals"].clone())
        .unwrap_or_default();
    Ok(json!({
        "fault": fault.name, "protocol": fault.protocol, "exit": status.code(), "seconds": rounded(seconds),
        "told": told,
        "arrived": {"spans": distinct.len(), "twice": signals.spans.len() - distinct.len(), "logs": signals.logs.len()},
    }))
}

fn happens(act: Act, collector: &mut Collector, run: u32) -> Result<(), String> {
    match act {
        Act::Stop => collector.server()?.signal("STOP"),
        Act::Continue => collector.server()?.signal("CONT"),
        Act::Crash => collector.kill(),
        Act::End => collector.stop(),
        Act::Back => collector.resume(),
        Act::Interrupt(name) => signal(run, name),
    }
}
