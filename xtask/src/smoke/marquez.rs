//! Lineage against a backend: Marquez, and a receiver that reads each event with OpenLineage's own classes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::facets::{Table, marquez_job};
use super::lineage_faults;
use super::{Session, ensure, items, json_lines, test_data, text};
use crate::peers;
use crate::process::{command, output, read};
use crate::servers::http::{encode, get_json};
use crate::servers::{MARQUEZ_PACKAGE as PACKAGE, Marquez, Missing, Receiver};

/// A job that stands above the run, as a scheduler says it.
const OUTER: (&str, &str, &str) = ("schedules", "nightly", "01940000-0000-7000-8000-00000000000a");

/// How long a run waits for a server that does not take its events: what the program does unless it is told otherwise.
pub(super) const WAIT: (&str, &str) = ("HOTPASS__LINEAGE__FLUSH_SECONDS", "2");

/// Runs the whole check against Marquez where it can be had, and against the receiver.
pub(super) fn run() -> Result<(), String> {
    let receiver = match Receiver::start() {
        Ok(receiver) => Some(receiver),
        Err(Missing::Unavailable(reason)) => {
            println!("skipped: the receiver of OpenLineage's Java classes, since {reason}");
            None
        }
        Err(Missing::Broken(error)) => return Err(error),
    };
    let marquez = match Marquez::start() {
        Ok(marquez) => Some(marquez),
        Err(Missing::Unavailable(reason)) => {
            println!("skipped: Marquez, since {}", reason.trim());
            None
        }
        Err(Missing::Broken(error)) => return Err(error),
    };
    let mut outcomes = Vec::new();
    let absent = marquez.is_none().then(|| format!("{}:{}:{} cannot be had", PACKAGE.0, PACKAGE.1, PACKAGE.2));
    if let Some(receiver) = receiver {
        outcomes.push(check(Backend::Receiver(receiver), absent.as_deref()));
    }
    if let Some(marquez) = marquez {
        outcomes.push(check(Backend::Marquez(marquez), None));
    }
    outcomes.into_iter().collect()
}

pub(super) enum Backend {
    Marquez(Marquez),
    Receiver(Receiver),
}

impl Backend {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Marquez(_) => "marquez",
            Self::Receiver(_) => "openlineage-java",
        }
    }

    pub(super) fn port(&self) -> u16 {
        match self {
            Self::Marquez(marquez) => marquez.port,
            Self::Receiver(receiver) => receiver.port,
        }
    }

    fn kill(&mut self) -> Result<(), String> {
        match self {
            Self::Marquez(marquez) => marquez.kill(),
            Self::Receiver(receiver) => receiver.kill(),
        }
    }

    fn resume(&mut self) -> Result<(), String> {
        match self {
            Self::Marquez(marquez) => marquez.resume(),
            Self::Receiver(receiver) => receiver.resume(),
        }
    }

    /// Returns every event it has.
    pub(super) fn events(&self) -> Result<Vec<Value>, String> {
        let answer = get_json(self.port(), "/api/v1/events/lineage?limit=1000&sortDirection=asc")?;
        Ok(items(&answer["events"]).cloned().collect())
    }

    fn figures(&self) -> Value {
        match self {
            Self::Marquez(marquez) => json!([
                {"server": "Marquez", "ready_after_s": marquez.ready_after, "peak_mib": marquez.peak_memory()},
                {"server": "PostgreSQL", "ready_after_s": marquez.database.ready_after,
                 "peak_mib": marquez.database.peak_memory()},
            ]),
            Self::Receiver(receiver) => json!([
                {"server": "receiver", "ready_after_s": receiver.ready_after, "peak_mib": receiver.peak_memory()},
            ]),
        }
    }
}

/// Takes every step against one backend; `absent` says why Marquez is not it.
fn check(mut backend: Backend, absent: Option<&str>) -> Result<(), String> {
    println!("\nbackend: {}", backend.name());
    let mut session = Session::start("marquez")?;
    if let Some(reason) = absent {
        session.skip("what Marquez gives back", reason);
    }
    let url = format!("http://127.0.0.1:{}", backend.port());
    let url = url.as_str();

    let plain = session.step("a run", |session| {
        let run = refine(session, &["--lineage-url", url], &[], &[0, 3])?;
        let states = run.states();
        ensure(states == ["START", "RUNNING", "COMPLETE"] || states == ["START", "RUNNING", "FAIL"], || {
            format!("the states of the run are {states:?}")
        })?;
        let jobs = run.jobs();
        let detail = format!("{} events of {} jobs in {:.1} s", run.events.len(), jobs.len(), run.seconds);
        Ok((run, detail))
    });
    if let Some(run) = &plain {
        session.step("every event is there", |_| all_there(&backend, &run.events));
        session.step("child runs name their parent", |_| parents(&run.events));
        session.step("names that Marquez can look up", |_| names(&run.events));
        session.step("column lineage to a sheet", |_| column_lineage(&run.events));
        if let Backend::Marquez(marquez) = &backend {
            read_back(&mut session, marquez.port, &run.events);
        }
    }
    session.step("a parent from outside", |session| {
        let parent = format!("{}/{}/{}", OUTER.0, OUTER.1, OUTER.2);
        let run = refine(session, &["--lineage-url", url], &[("OPENLINEAGE_PARENT_ID", &parent)], &[0, 3])?;
        let found = &run.first_event("START")?["run"]["facets"]["parent"];
        let seen = (text(&found["job"]["namespace"]), text(&found["job"]["name"]), text(&found["run"]["runId"]));
        ensure(seen == OUTER, || format!("the run's parent is {seen:?}"))?;
        all_there(&backend, &run.events)
    });
    let like = test_data("generated/hotpass_like");
    match &like {
        Some(data) => {
            let data = data.display().to_string();
            session.step("a larger run", |session| {
                let run = refine(session, &[&data, "--lineage-url", url], &[], &[0, 3])?;
                let detail = all_there(&backend, &run.events)?.1;
                Ok(((), format!("{detail}, {:.1} s", run.seconds)))
            });
            session.step("an aborted run", |session| aborted(session, &backend, &data, url));
        }
        None => session.skip("a larger run and an aborted one", "there is no test data"),
    }
    session.step("a failing run", |session| failing(session, &backend, url));
    session.step("the server is down, then back", |session| down_and_back(session, &mut backend, url));

    let sent = every_event(&session);
    session.step("every event and facet follows its schema", |session| follows_schemas(session, &sent));
    let mut table = Table::of(&sent);
    readings(&mut session, &backend, &mut table);
    table.print();
    let lines: Vec<String> = sent.iter().map(Value::to_string).collect();
    session.write("events.ndjson", lines.join("\n") + "\n")?;
    session.step("the graph", |session| {
        let drawn = session.hotpass(&["lineage", "show"], &[])?.expect(&[0])?;
        let graph = session.hotpass(&["lineage", "show", "--format", "svg"], &[])?.expect(&[0])?.stdout;
        ensure(graph.trim_start().starts_with('<'), || "the graph is no SVG".to_owned())?;
        session.write("graph.svg", &graph)?;
        Ok(((), format!("{} bytes of SVG, {} lines in the terminal", graph.len(), drawn.stdout.lines().count())))
    });
    let faults = lineage_faults::run(&mut session);
    let summary = json!({"faults": faults, "backend": backend.name(), "servers": backend.figures(), "events": sent.len(), "facets": table.to_json()});
    session.finish(summary)
}

/// One run and the events it left in its folder.
pub(super) struct Run {
    pub(super) events: Vec<Value>,
    pub(super) seconds: f64,
}

impl Run {
    fn first_event(&self, kind: &str) -> Result<&Value, String> {
        self.events.iter().find(|event| event["eventType"] == kind).ok_or_else(|| format!("there is no {kind} event"))
    }

    /// Returns the states of the run itself, without those of its stages.
    fn states(&self) -> Vec<&str> {
        let run = self.events.first().map_or("", |event| text(&event["run"]["runId"]));
        let own = self.events.iter().filter(|event| event["run"]["runId"] == run);
        own.map(|event| text(&event["eventType"])).collect()
    }

    fn jobs(&self) -> BTreeSet<&str> {
        self.events.iter().map(|event| text(&event["job"]["name"])).collect()
    }
}

pub(super) fn refine(
    session: &mut Session,
    arguments: &[&str],
    variables: &[(&str, &str)],
    codes: &[i32],
) -> Result<Run, String> {
    let before = runs(session);
    let ran = session.hotpass(&[&["refine"], arguments].concat(), variables)?.expect(codes)?;
    let folder = runs(session).into_iter().find(|run| !before.contains(run));
    let folder = folder.ok_or_else(|| format!("there is no new run\n{}", ran.stderr))?;
    Ok(Run { events: json_lines(&folder.join("lineage.ndjson")), seconds: ran.seconds })
}

/// Lists the folders of runs.
pub(super) fn runs(session: &Session) -> BTreeSet<PathBuf> {
    let folder = session.workspace.join("dist/runs");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

/// Returns what all runs of the workspace wrote, except the demo's own, which was sent nowhere.
fn every_event(session: &Session) -> Vec<Value> {
    runs(session).iter().skip(1).flat_map(|run| json_lines(&run.join("lineage.ndjson"))).collect()
}

/// What tells two events apart.
pub(super) fn identity(event: &Value) -> String {
    format!("{} {} {}", text(&event["run"]["runId"]), text(&event["eventType"]), text(&event["eventTime"]))
}

/// Waits until the backend has each event, and checks that it has none twice.
pub(super) fn all_there(backend: &Backend, sent: &[Value]) -> Result<((), String), String> {
    ensure(!sent.is_empty(), || "the run wrote no events".to_owned())?;
    let mut missing = Vec::new();
    let clock = Instant::now();
    while clock.elapsed() < Duration::from_secs(10) {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for event in backend.events()? {
            *counts.entry(identity(&event)).or_default() += 1;
        }
        if let Some((event, count)) = counts.iter().find(|(_, count)| **count > 1) {
            return Err(format!("{count} times there: {event}"));
        }
        missing = sent.iter().map(identity).filter(|event| !counts.contains_key(event)).collect();
        if missing.is_empty() {
            return Ok(((), format!("{} events, each once", sent.len())));
        }
        thread::sleep(Duration::from_millis(200));
    }
    Err(format!("{} of {} events are not there, the first: {}", missing.len(), sent.len(), missing[0]))
}

/// Every run but one has a parent, and that parent is a run of the same events.
fn parents(events: &[Value]) -> Result<((), String), String> {
    let known: BTreeSet<&str> = events.iter().map(|event| text(&event["run"]["runId"])).collect();
    let mut children = BTreeSet::new();
    let mut roots = BTreeSet::new();
    for event in events {
        let run = text(&event["run"]["runId"]);
        let parent = &event["run"]["facets"]["parent"];
        if parent.is_null() {
            roots.insert(run);
        } else {
            let parent = text(&parent["run"]["runId"]);
            ensure(known.contains(parent), || format!("run {run} names {parent}, which has no events"))?;
            children.insert(run);
        }
    }
    ensure(roots.len() == 1, || format!("{} runs have no parent: {roots:?}", roots.len()))?;
    ensure(!children.is_empty(), || "there are no child runs".to_owned())?;
    ensure(children.is_disjoint(&roots), || "a run has a parent in some events only".to_owned())?;
    Ok(((), format!("{} child runs of one run", children.len())))
}

/// Checks names by Marquez's rules: a namespace has few characters, and in the id of a node `#` begins a version, `:` parts
/// it, and `:` before a digit is that of a port.
fn names(events: &[Value]) -> Result<((), String), String> {
    let mut wrong = BTreeSet::new();
    let (mut names, mut columns) = (BTreeSet::new(), BTreeSet::new());
    for event in events {
        for node in items(&event["inputs"]).chain(items(&event["outputs"])).chain([&event["job"]]) {
            let (namespace, name) = (text(&node["namespace"]), text(&node["name"]));
            if !namespace.chars().all(|c| c.is_ascii_alphanumeric() || ":;=/_-.".contains(c)) {
                wrong.insert(format!("namespace `{namespace}`"));
            }
            let port = |name: &str| name.starts_with(|first: char| first.is_ascii_digit());
            if name.is_empty() || name.contains(['#', ':']) || name.starts_with('/') || port(name) {
                wrong.insert(format!("name `{name}`"));
            }
            names.insert(name);
            let fields = items(&node["facets"]["schema"]["fields"]).map(|field| text(&field["name"]));
            columns.extend(fields.filter(|field| field.contains(['#', ':']) || port(field)));
        }
    }
    ensure(wrong.is_empty(), || wrong.into_iter().collect::<Vec<_>>().join(", "))?;
    // A column is called what the sheet calls it, whatever Marquez makes of that.
    Ok(((), format!("{} names; {} columns that Marquez cannot look up alone", names.len(), columns.len())))
}

/// Follows `contact_primary_email` through the column lineage of the events to columns that no event derives.
pub(super) fn column_lineage(events: &[Value]) -> Result<((), String), String> {
    type Column = (String, String, String);
    let column = |node: &Value, field: &str| -> Column {
        (text(&node["namespace"]).to_owned(), text(&node["name"]).to_owned(), field.to_owned())
    };
    let mut from: BTreeMap<Column, BTreeSet<Column>> = BTreeMap::new();
    let mut fields: BTreeSet<Column> = BTreeSet::new();
    for event in events {
        for dataset in items(&event["inputs"]).chain(items(&event["outputs"])) {
            fields.extend(items(&dataset["facets"]["schema"]["fields"]).map(|it| column(dataset, text(&it["name"]))));
            for (field, lineage) in dataset["facets"]["columnLineage"]["fields"].as_object().into_iter().flatten() {
                let inputs = items(&lineage["inputFields"]).map(|input| column(input, text(&input["field"])));
                from.entry(column(dataset, field)).or_default().extend(inputs);
            }
        }
    }
    let mut open: Vec<Column> = from.keys().filter(|key| key.2 == "contact_primary_email").cloned().collect();
    ensure(!open.is_empty(), || "no output has a column lineage of `contact_primary_email`".to_owned())?;
    let (mut seen, mut ends) = (BTreeSet::new(), BTreeSet::new());
    while let Some(next) = open.pop() {
        if seen.insert(next.clone()) {
            match from.get(&next) {
                Some(inputs) if !inputs.is_empty() => open.extend(inputs.iter().cloned()),
                _ => drop(ends.insert(next)),
            }
        }
    }
    let unknown: Vec<&Column> = ends.iter().filter(|end| !fields.contains(*end)).collect();
    ensure(unknown.is_empty(), || format!("columns that no schema has: {unknown:?}"))?;
    let shown: Vec<String> = ends.iter().map(|(_, name, field)| format!("{name} `{field}`")).collect();
    Ok(((), format!("from {}", shown.join(", "))))
}

/// Ends a run with the signal of the keyboard.
fn aborted(session: &mut Session, backend: &Backend, data: &str, url: &str) -> Result<((), String), String> {
    let before = runs(session);
    let known: BTreeSet<String> = backend.events()?.iter().map(identity).collect();
    let arguments = ["refine", data, "--lineage-url", url];
    let log = session.staging.join("aborted.log");
    let errors = fs::File::create(&log).map_err(|error| error.to_string())?;
    let mut child = session.command(&arguments, &[]).stdout(std::process::Stdio::null()).stderr(errors).spawn();
    let child = child.as_mut().map_err(|error| error.to_string())?;
    let clock = Instant::now();
    while backend.events()?.iter().all(|event| known.contains(&identity(event))) {
        ensure(clock.elapsed() < Duration::from_mins(1), || "no event arrived while it ran".to_owned())?;
        thread::sleep(Duration::from_millis(20));
    }
    let mut interrupt = std::process::Command::new("kill");
    interrupt.arg("-INT").arg(child.id().to_string());
    output(interrupt)?;
    let asked = Instant::now();
    let status = child.wait().map_err(|error| error.to_string())?;
    let took = asked.elapsed();
    ensure(status.code() == Some(130), || format!("ended with {status}\n{}", read(&log)))?;
    let folder = runs(session).into_iter().find(|run| !before.contains(run)).ok_or("there is no new run")?;
    let events = json_lines(&folder.join("lineage.ndjson"));
    let last = events.last().ok_or("the run wrote no events")?;
    ensure(last["eventType"] == "ABORT", || format!("the last event is {}", last["eventType"]))?;
    all_there(backend, &events)?;
    if let Backend::Marquez(marquez) = backend {
        run_state(marquez.port, text(&last["run"]["runId"]), "ABORTED")?;
    }
    Ok(((), format!("exit 130, {:.1} s after the signal; ABORT is there", took.as_secs_f64())))
}

/// Makes a run fail after it began: its output has a folder's place.
fn failing(session: &mut Session, backend: &Backend, url: &str) -> Result<((), String), String> {
    let place = session.workspace.join("taken.xlsx");
    fs::create_dir_all(place.join("by-a-folder")).map_err(|error| error.to_string())?;
    let run = refine(session, &["--lineage-url", url, "--output-path", "taken.xlsx"], &[], &[1])?;
    let failed = run.events.last().ok_or("the run wrote no events")?;
    ensure(failed["eventType"] == "FAIL", || format!("the last event is {}", failed["eventType"]))?;
    let message = text(&failed["run"]["facets"]["errorMessage"]["message"]).to_owned();
    ensure(!message.is_empty(), || "FAIL has no errorMessage".to_owned())?;
    all_there(backend, &run.events)?;
    if let Backend::Marquez(marquez) = backend {
        run_state(marquez.port, text(&failed["run"]["runId"]), "FAILED")?;
    }
    Ok(((), format!("FAIL is there: {message}")))
}

/// Kills the server, runs, starts it again and replays.
fn down_and_back(session: &mut Session, backend: &mut Backend, url: &str) -> Result<((), String), String> {
    backend.kill()?;
    let run = refine(session, &["--lineage-url", url], &[WAIT], &[0, 3])?;
    let waiting = session.hotpass(&["lineage", "status"], &[])?.expect(&[0])?;
    backend.resume()?;
    session.hotpass(&["lineage", "replay", "--lineage-url", url], &[])?.expect(&[0])?;
    let there = all_there(backend, &run.events)?.1;
    session.hotpass(&["lineage", "replay", "--lineage-url", url], &[])?.expect(&[0])?;
    all_there(backend, &run.events)?;
    let status = waiting.stdout.lines().next().unwrap_or_default();
    Ok(((), format!("the run took {:.1} s; status: {status}; after the replay {there}", run.seconds)))
}

/// Lets the validator of the library's own tests judge the events by the specification's schemas and Hotpass's own.
fn follows_schemas(session: &Session, sent: &[Value]) -> Result<((), String), String> {
    let file = session.staging.join("events.ndjson");
    let lines: Vec<String> = sent.iter().map(Value::to_string).collect();
    session.write("events.ndjson", lines.join("\n") + "\n")?;
    let mut test = command("cargo test --quiet --package hotpass-lineage --test it events_of_real_runs -- --nocapture");
    test.env("HOTPASS_TEST_LINEAGE", &file);
    let said = output(test)?;
    let verdict = said.lines().find(|line| line.contains("events follow") || line.contains("skipped"));
    Ok(((), verdict.ok_or_else(|| format!("the test did not run\n{said}"))?.to_owned()))
}

/// Lets the reference producers read what was sent.
fn readings(session: &mut Session, backend: &Backend, table: &mut Table) {
    if let Backend::Receiver(receiver) = backend {
        let taken = receiver.taken();
        let differences: Vec<&str> = taken.iter().flat_map(|line| items(&line["differences"])).map(text).collect();
        table.add_readings(
            "openlineage-java 1.55.0",
            taken.iter().flat_map(|line| items(&line["facets"])),
            &differences,
        );
        session.step("openlineage-java reads and writes them alike", |_| {
            let differences: Vec<&str> = taken.iter().flat_map(|line| items(&line["differences"])).map(text).collect();
            let first = || differences.iter().take(5).copied().collect::<Vec<_>>().join("\n");
            ensure(differences.is_empty(), || format!("{} differences\n{}", differences.len(), first()))?;
            Ok(((), format!("{} events without a difference", taken.len())))
        });
    }
    if let Backend::Marquez(marquez) = backend {
        table.add_marquez(marquez.port);
    }
    let read_by_python = session.step("openlineage-python reads and writes them alike", |session| {
        let report = session.staging.join("openlineage-python.json");
        let files: Vec<PathBuf> =
            runs(session).iter().map(|run| run.join("lineage.ndjson")).filter(|file| file.is_file()).collect();
        let said = peers::reference_producer(&files, &report);
        session.log.push_str(said.as_deref().unwrap_or_default());
        let last = said?.lines().last().unwrap_or_default().to_owned();
        let facts: Value = serde_json::from_str(&read(&report)).map_err(|error| error.to_string())?;
        Ok((facts, last))
    });
    if let Some(facts) = read_by_python {
        let differences: Vec<&str> = items(&facts["differences"]).map(text).collect();
        table.add_readings("openlineage-python 1.54.0", items(&facts["facets"]), &differences);
    }
    let lost = table.not_taken();
    session.step("every facet is taken by every reader", |_| {
        ensure(lost.is_empty(), || lost.join(", "))?;
        Ok(((), "none is dropped".to_owned()))
    });
}

/// Reads back from Marquez what a complete run left there.
fn read_back(session: &mut Session, port: u16, events: &[Value]) {
    session.step("namespaces", |_| {
        let answer = get_json(port, "/api/v1/namespaces")?;
        let known: BTreeSet<&str> = items(&answer["namespaces"]).map(|it| text(&it["name"])).collect();
        let sent: BTreeSet<&str> = events.iter().map(|event| text(&event["job"]["namespace"])).collect();
        ensure(sent.is_subset(&known), || format!("{sent:?} are not all in {known:?}"))?;
        Ok(((), format!("{sent:?}")))
    });
    session.step("jobs and states of their runs", |_| {
        let mut jobs = 0;
        for event in events.iter().filter(|event| event["eventType"] == "COMPLETE") {
            let job = &event["job"];
            let parent = text(&event["run"]["facets"]["parent"]["job"]["name"]);
            marquez_job(port, text(&job["namespace"]), text(&job["name"]), parent)?;
            run_state(port, text(&event["run"]["runId"]), "COMPLETED")?;
            jobs += 1;
        }
        Ok(((), format!("{jobs} jobs, each with a run that is COMPLETED")))
    });
    session.step("dataset versions and fields", |_| {
        let mut found = 0;
        for dataset in events.iter().flat_map(|event| items(&event["outputs"])) {
            let path = format!(
                "/api/v1/namespaces/{}/datasets/{}",
                encode(text(&dataset["namespace"])),
                encode(text(&dataset["name"]))
            );
            let versions = get_json(port, &format!("{path}/versions"))?;
            ensure(items(&versions["versions"]).next().is_some(), || format!("{path} has no version"))?;
            let sent: BTreeSet<&str> =
                items(&dataset["facets"]["schema"]["fields"]).map(|field| text(&field["name"])).collect();
            let held = get_json(port, &path)?;
            let held: BTreeSet<&str> = items(&held["fields"]).map(|field| text(&field["name"])).collect();
            ensure(sent.is_subset(&held), || format!("{path} has {held:?} of {sent:?}"))?;
            found += 1;
        }
        Ok(((), format!("{found} outputs with their versions and fields")))
    });
    session.step("column lineage of contact_primary_email", |_| {
        let outputs = events.iter().flat_map(|event| items(&event["outputs"]));
        let has = |dataset: &&Value| !dataset["facets"]["columnLineage"]["fields"]["contact_primary_email"].is_null();
        let golden = outputs.filter(has).last().ok_or("no output says where the column comes from")?;
        let node =
            format!("datasetField:{}:{}:contact_primary_email", text(&golden["namespace"]), text(&golden["name"]));
        let answer = get_json(port, &format!("/api/v1/column-lineage?nodeId={}&depth=20", encode(&node)))?;
        let nodes: Vec<&str> = items(&answer["graph"]).map(|node| text(&node["id"])).collect();
        let sources = items(&golden["facets"]["columnLineage"]["fields"]["contact_primary_email"]["inputFields"]);
        for source in sources {
            let [namespace, name, field] = ["namespace", "name", "field"].map(|key| text(&source[key]));
            let id = format!("datasetField:{namespace}:{name}:{field}");
            ensure(nodes.contains(&id.as_str()), || format!("{id} is not in the graph of {node}: {nodes:?}"))?;
        }
        ensure(nodes.len() > 1, || format!("the graph of {node} is {nodes:?}"))?;
        Ok(((), nodes.join(", ")))
    });
    session.step("the graph of the run's job", |_| {
        let event = events.iter().find(|event| event["run"]["facets"]["parent"].is_null()).ok_or("no event")?;
        let node = format!("job:{}:{}", text(&event["job"]["namespace"]), text(&event["job"]["name"]));
        let answer = get_json(port, &format!("/api/v1/lineage?nodeId={}&depth=20", encode(&node)))?;
        let nodes = items(&answer["graph"]).count();
        ensure(nodes > 1, || format!("the graph of {node} has {nodes} nodes"))?;
        Ok(((), format!("{nodes} nodes around {node}")))
    });
}

fn run_state(port: u16, run: &str, wanted: &str) -> Result<(), String> {
    let answer = get_json(port, &format!("/api/v1/jobs/runs/{run}"))?;
    ensure(answer["state"] == wanted, || format!("run {run} is {}, not {wanted}", answer["state"]))
}
