//! Lineage of the built program: what its events say, where they go, and that no fault of a server costs the run or an event.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

const PARENT: &str = "0190163d-8694-739b-aea5-966c26f8ad91";
const ROOT: &str = "0190163d-8694-739b-aea5-966c26f8ad92";

/// A folder with a workbook, a text file, a contract, expectations and an allow-list.
struct Workspace(tempfile::TempDir);

/// What one run left.
struct Ran {
    code: i32,
    stderr: String,
    /// Wall time.
    took: Duration,
    events: Vec<Value>,
}

impl Workspace {
    fn new() -> Self {
        let workspace = Self(tempfile::tempdir().unwrap());
        workspace.write(
            "data/works.csv",
            "organization_name,email,phone\nAcacia Works,office@acacia.example,+27821112233\nBaobab Hall,hall@baobab.example,\n,lost@x.example,\n",
        );
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet().set_name("Members #1").unwrap();
        for (row, cells) in [
            ["Organisation", "E-mail address", "Town"],
            ["Acacia Works", "OFFICE@acacia.example", "Durban"],
            ["Cedar Farm", "info@cedar.example", "Paarl"],
        ]
        .iter()
        .enumerate()
        {
            for (column, cell) in cells.iter().enumerate() {
                sheet.write_string(row as u32, column as u16, *cell).unwrap();
            }
        }
        book.save(workspace.path("data/members.xlsx")).unwrap();
        workspace.write(
            "works.contract.json",
            r#"{"hotpass_contract": 1, "name": "works", "version": "1.0.0", "fields": [
                {"name": "organization_name", "nullable": false}, {"name": "email"}, {"name": "phone"}]}"#,
        );
        workspace.write(
            "hotpass.toml",
            r#"
[lineage]
environment_variables = ["DEPLOYMENT"]
tags = { team = "data" }

[profile]
contracts = ["works.contract.json"]

[[profile.sources]]
name = "works"
pattern = "works*.csv"
contract = "works"

[[profile.expectations]]
type = "not_null"
column = "organization_name"
severity = "fail"
"#,
        );
        workspace
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn write(&self, name: &str, content: &str) {
        hotpass_core::write_atomic(self.path(name), content).unwrap();
    }

    /// Writes so many rows that a run takes a while.
    fn write_many(&self, rows: usize) {
        let mut text = String::from("organization_name,email,phone\n");
        for row in 0..rows {
            text.push_str(&format!("Works {row},office{row}@works.example,+2782{row:07}\n"));
        }
        self.write("many/works.csv", &text);
    }

    fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotpass"));
        command.args(arguments).current_dir(self.0.path()).env_clear().env("PATH", "").env("HOME", self.0.path());
        command.envs(crate::sandbox::kept_variables());
        command.envs(variables.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn hotpass(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        self.command(arguments, variables).output().unwrap()
    }

    fn refine(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let before = self.runs();
        let clock = Instant::now();
        let output = self.hotpass(&[&["refine"], arguments].concat(), variables);
        let took = clock.elapsed();
        let new = self.runs().into_iter().find(|run| !before.contains(run));
        Ran {
            code: output.status.code().unwrap_or(-1),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took,
            events: new.map(|run| events_of(&run)).unwrap_or_default(),
        }
    }

    fn runs(&self) -> BTreeSet<PathBuf> {
        let entries = std::fs::read_dir(self.0.path().join("dist/runs")).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    }

    /// Returns the number of events that wait.
    fn waiting(&self) -> u64 {
        let output = self.hotpass(&["lineage", "status", "--format", "json"], &[]);
        let status: Value = serde_json::from_slice(&output.stdout).unwrap();
        status["pending"].as_u64().unwrap()
    }
}

fn events_of(run: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(run.join("lineage.ndjson")).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

impl Ran {
    /// Returns the states of the run itself, then those of its stages.
    fn states(&self) -> (Vec<&str>, Vec<(String, &str)>) {
        let run = self.events.first().map_or("", |event| text(&event["run"]["runId"]));
        let (own, stages): (Vec<&Value>, Vec<&Value>) =
            self.events.iter().partition(|event| event["run"]["runId"] == run);
        let stages = stages.iter().map(|event| {
            let job = text(&event["job"]["name"]);
            (job.rsplit('.').next().unwrap_or_default().to_owned(), text(&event["eventType"]))
        });
        (own.iter().map(|event| text(&event["eventType"])).collect(), stages.collect())
    }

    fn last(&self) -> &Value {
        self.events.last().expect("the run has events")
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Returns every dataset of an event with the key of its own facets.
fn datasets(event: &Value) -> impl Iterator<Item = &Value> {
    items(&event["inputs"]).chain(items(&event["outputs"]))
}

/// What tells two events apart.
fn identity(event: &Value) -> String {
    ["/run/runId", "/eventType", "/eventTime"]
        .map(|place| text(&event.pointer(place).cloned().unwrap_or_default()).to_owned())
        .join(" ")
}

/// Returns every facet of the events: where it stands, its key and itself.
fn facets(events: &[Value]) -> Vec<(&'static str, String, Value)> {
    let mut found = Vec::new();
    let mut add = |place, set: &Value| {
        for (key, facet) in set.as_object().into_iter().flatten() {
            found.push((place, key.clone(), facet.clone()));
        }
    };
    for event in events {
        add("run", &event["run"]["facets"]);
        add("job", &event["job"]["facets"]);
        for dataset in datasets(event) {
            add("dataset", &dataset["facets"]);
            add("input", &dataset["inputFacets"]);
            add("output", &dataset["outputFacets"]);
        }
    }
    found
}

/// A server on the loopback interface.
struct Server {
    url: String,
    taken: Arc<Mutex<Vec<(String, BTreeMap<String, String>, Value)>>>,
}

/// What it does with the request of a number, from 0.
type Behaviour = fn(u64) -> Answer;

enum Answer {
    Status(&'static str),
    After(Duration),
    Garbage,
    Reset,
}

const TAKES: Behaviour = |_| Answer::Status("201 Created");

impl Server {
    fn start(behave: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (kept, count) = (Arc::clone(&taken), Arc::new(Mutex::new(0)));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, count) = (Arc::clone(&kept), Arc::clone(&count));
                std::thread::spawn(move || serve(stream, &kept, &count, behave));
            }
        });
        Self { url, taken }
    }

    fn events(&self) -> Vec<Value> {
        self.taken.lock().unwrap().iter().map(|(.., event)| event.clone()).collect()
    }

    fn has_all(&self, events: &[Value]) -> bool {
        let there: BTreeSet<String> = self.events().iter().map(identity).collect();
        events.iter().all(|event| there.contains(&identity(event)))
    }
}

fn serve(
    mut stream: std::net::TcpStream,
    kept: &Mutex<Vec<(String, BTreeMap<String, String>, Value)>>,
    count: &Mutex<u64>,
    behave: Behaviour,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_owned());
        }
        let headers: BTreeMap<String, String> = head
            .iter()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let number = {
            let mut count = count.lock().unwrap();
            *count += 1;
            *count - 1
        };
        let status = match behave(number) {
            Answer::Status(status) => status,
            Answer::After(pause) => {
                std::thread::sleep(pause);
                "201 Created"
            }
            Answer::Garbage => {
                let _ = stream.write_all(b"\x00\xffnot HTTP at all\r\n\r\n");
                return;
            }
            Answer::Reset => return,
        };
        if status.starts_with('2') {
            let path = head[0].split(' ').nth(1).unwrap_or_default().to_owned();
            kept.lock().unwrap().push((path, headers, serde_json::from_slice(&body).unwrap_or_default()));
        }
        if stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes()).is_err() {
            return;
        }
    }
}

/// Returns the folder of the specification, or says why a test is left out.
fn specification() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var_os("HOTPASS_TEST_OPENLINEAGE")
        .map_or_else(|| root.join("../../../shared/openlineage"), PathBuf::from);
    if folder.join("spec").is_dir() {
        return Some(folder.join("spec"));
    }
    println!("skipped: no OpenLineage specification in `{}`; name it with HOTPASS_TEST_OPENLINEAGE", folder.display());
    None
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The schemas of events and facets, Hotpass's own among them, by `$id`.
///
/// A validator of its own, for the keywords that these schemas use, since a library's features would change the program that is
/// tested; it refuses a keyword that it does not know. `cargo xtask smoke marquez` asks a full one.
struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    fn load(spec: &Path) -> Self {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/lineage");
        let files = [spec.to_path_buf(), spec.join("facets"), own]
            .into_iter()
            .flat_map(|folder| std::fs::read_dir(folder).unwrap());
        let files = files.flatten().map(|entry| entry.path());
        let schemas =
            files.filter(|path| path.extension().is_some_and(|ending| ending == "json")).map(|path| read(&path));
        Self(schemas.map(|schema| (text(&schema["$id"]).to_owned(), schema)).collect())
    }

    /// Lists where the events and their facets break their schemas.
    fn errors(&self, events: &[Value]) -> Vec<String> {
        let mut errors = Vec::new();
        for event in events {
            let url = text(&event["schemaURL"]);
            assert!(url.ends_with("#/$defs/RunEvent"), "{url}");
            self.check(url, "", event, &mut errors);
        }
        for (place, key, facet) in facets(events) {
            let url = text(&facet["_schemaURL"]);
            let known = self.0.get(url.split('#').next().unwrap_or_default());
            match known.filter(|schema| schema["properties"].get(&key).is_some()) {
                Some(_) => self.check(url, &format!("{place}/{key}"), &facet, &mut errors),
                None => errors.push(format!("{place}/{key}: no schema `{url}` has it")),
            }
        }
        errors
    }

    fn check(&self, url: &str, at: &str, value: &Value, errors: &mut Vec<String>) {
        let (id, pointer) = url.split_once('#').unwrap_or((url, ""));
        let found = self.0.get(id).and_then(|schema| schema.pointer(pointer));
        match found {
            Some(schema) => self.follow(schema, id, at, value, errors),
            None => errors.push(format!("{at}: there is no schema `{url}`")),
        }
    }

    fn follow(&self, schema: &Value, id: &str, at: &str, value: &Value, errors: &mut Vec<String>) {
        let mut wrong = |what: String| errors.push(format!("{at}: {what}"));
        let Some(schema) = schema.as_object() else { return };
        for (keyword, rule) in schema {
            match keyword.as_str() {
                "type" => {
                    let kind = match value {
                        Value::Null => "null",
                        Value::Bool(_) => "boolean",
                        Value::Number(number) if number.is_f64() => "number",
                        Value::Number(_) => "integer",
                        Value::String(_) => "string",
                        Value::Array(_) => "array",
                        Value::Object(_) => "object",
                    };
                    let is = |rule: &Value| rule == kind || (rule == "number" && kind == "integer");
                    if !is(rule) && !items(rule).any(is) {
                        wrong(format!("is {kind}, not {rule}"));
                    }
                }
                "required" => items(rule)
                    .filter(|name| value.is_object() && value.get(text(name)).is_none())
                    .for_each(|name| wrong(format!("has no {name}"))),
                "enum" if !items(rule).any(|one| one == value) => wrong(format!("is none of {rule}")),
                "pattern" if rule == "^[0-9a-f]{64}$" => {
                    if text(value).len() != 64 || !text(value).chars().all(|c| c.is_ascii_hexdigit()) {
                        wrong("is no digest".to_owned());
                    }
                }
                "format" => {
                    let good = match text(rule) {
                        "uuid" => text(value).len() == 36,
                        "date-time" => text(value).len() >= 20 && text(value).as_bytes()[10] == b'T',
                        _ => !text(value).is_empty() && !text(value).contains(' '),
                    };
                    if value.is_string() && !good {
                        wrong(format!("is no {rule}"));
                    }
                }
                "minimum" if value.as_f64() < rule.as_f64() => wrong(format!("is below {rule}")),
                "maximum" if value.as_f64() > rule.as_f64() => wrong(format!("is above {rule}")),
                "minItems"
                | "minLength"
                | "maximum"
                | "minimum"
                | "enum"
                | "title"
                | "description"
                | "example"
                | "examples"
                | "default"
                | "$schema"
                | "$id"
                | "$defs"
                | "deprecated"
                | "properties"
                | "$ref"
                | "allOf"
                | "oneOf"
                | "anyOf"
                | "items"
                | "additionalProperties" => {}
                other => wrong(format!("this test does not know the keyword `{other}`: {rule}")),
            }
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, inner) in value.as_object().into_iter().flatten() {
            let at = format!("{at}/{name}");
            match (properties.and_then(|known| known.get(name)), schema.get("additionalProperties")) {
                (Some(rule), _) => self.follow(rule, id, &at, inner, errors),
                (None, Some(Value::Bool(false))) => errors.push(format!("{at}: is not allowed")),
                (None, Some(rule)) => self.follow(rule, id, &at, inner, errors),
                (None, None) => {}
            }
        }
        if let Some(rule) = schema.get("items") {
            for (index, inner) in items(value).enumerate() {
                self.follow(rule, id, &format!("{at}/{index}"), inner, errors);
            }
        }
        if let Some(reference) = schema.get("$ref").map(text) {
            let url = if reference.starts_with('#') { format!("{id}{reference}") } else { reference.to_owned() };
            self.check(&url, at, value, errors);
        }
        for rule in schema.get("allOf").into_iter().flat_map(items) {
            self.follow(rule, id, at, value, errors);
        }
        for either in ["oneOf", "anyOf"].into_iter().filter_map(|keyword| schema.get(keyword)) {
            let holds = |rule: &Value| {
                let mut found = Vec::new();
                self.follow(rule, id, at, value, &mut found);
                found.is_empty()
            };
            if !items(either).any(holds) {
                errors.push(format!("{at}: fits none of {either}"));
            }
        }
    }
}

#[test]
fn every_facet_that_is_promised_is_in_a_run_and_follows_its_schema() {
    let workspace = Workspace::new();
    let good = workspace.refine(&[], &[("DEPLOYMENT", "night"), ("SECRET", "hidden")]);
    assert_eq!(good.code, 0, "{}", good.stderr);
    workspace.path("taken.xlsx/by-a-folder/x");
    let failed = workspace.refine(&["--output-path", "taken.xlsx"], &[]);
    assert_eq!(failed.code, 1, "{}", failed.stderr);
    let mut events = good.events;
    events.extend(failed.events);

    let found: BTreeSet<(&str, String)> = facets(&events).into_iter().map(|(place, key, _)| (place, key)).collect();
    let promised = [
        (
            "run",
            "nominalTime parent processing_engine errorMessage executionParameters environmentVariables test hotpass",
        ),
        ("job", "jobType documentation ownership sourceCodeLocation tags hotpass"),
        ("dataset", "schema dataSource datasetType version storage hierarchy columnLineage dataQualityMetrics"),
        ("dataset", "lifecycleStateChange ownership documentation tags"),
        ("input", "inputStatistics dataQualityMetrics dataQualityAssertions"),
        ("output", "outputStatistics"),
    ];
    for (place, keys) in promised {
        for key in keys.split(' ') {
            assert!(found.contains(&(place, key.to_owned())), "no {place}/{key} in {found:?}");
        }
    }
    let Some(spec) = specification() else { return };
    let schemas = Schemas::load(&spec);
    assert_eq!(schemas.errors(&events), Vec::<String>::new());
    // The check finds what is wrong.
    for (place, wrong) in [
        ("/run/runId", json!("nope")),
        ("/eventTime", json!("yesterday")),
        ("/eventType", json!("DONE")),
        ("/job", json!({})),
        ("/job/facets/jobType/processingType", json!(1)),
        ("/job/facets/tags/tags", json!([{"key": "no value"}])),
        ("/job/facets/hotpass/profile", Value::Null),
        ("/run/facets/executionParameters/_schemaURL", json!("https://openlineage.io/spec/facets/9-9-9/X.json")),
    ] {
        let mut broken = events[0].clone();
        *broken.pointer_mut(place).unwrap() = wrong;
        assert_ne!(schemas.errors(&[broken]), Vec::<String>::new(), "{place}");
    }
    let whole: String = events.iter().map(Value::to_string).collect();
    assert!(
        whole.contains("\"DEPLOYMENT\"") && !whole.contains("hidden"),
        "only variables of the allow-list are shown"
    );
}

#[test]
fn checks_on_a_table_stand_on_it_and_name_no_value() {
    let workspace = Workspace::new();
    let run = workspace.refine(&[], &[]);
    let last = run.last();
    let works = items(&last["inputs"]).find(|input| input["name"] == "data/works.csv").unwrap();
    let assertions = &works["inputFacets"]["dataQualityAssertions"]["assertions"];
    let broken: Vec<(&str, &Value, &str)> =
        items(assertions).map(|one| (text(&one["assertion"]), &one["success"], text(&one["column"]))).collect();
    assert_eq!(
        broken,
        [("contract", &json!(false), ""), ("contract_required", &json!(false), "organization_name")],
        "{assertions:#}"
    );
    assert_eq!(assertions[0]["actual"], "1 of 3 rows break a rule");
    let tests: Vec<&str> = items(&last["run"]["facets"]["test"]["tests"]).map(|test| text(&test["name"])).collect();
    assert!(tests.contains(&"works.csv keeps contract works"), "{tests:?}");
    assert!(tests.iter().any(|name| name.contains("organization_name not_null")), "{tests:?}");
    // In strict mode the same contract fails the run, and the run says so.
    let strict = workspace.refine(&["--set", "pipeline.qa_mode=strict"], &[]);
    assert_eq!(strict.code, 3, "{}", strict.stderr);
    assert_eq!(strict.last()["eventType"], "FAIL");
    assert_eq!(strict.last()["run"]["facets"]["errorMessage"]["message"], "The data did not pass: contract works",);
    let whole: String = strict.events.iter().chain(&run.events).map(Value::to_string).collect();
    for value in ["lost@x.example", "hall@baobab", "office@acacia", "21112233", "Durban", "Cedar"] {
        assert!(!whole.contains(value), "{value} is in an event");
    }
}

#[test]
fn a_column_is_followed_back_to_its_sheet_and_no_name_is_of_this_machine() {
    let workspace = Workspace::new();
    let run = workspace.refine(&[], &[]);
    let last = run.last();
    let golden = items(&last["outputs"]).find(|output| output["name"] == "dist/refined.xlsx").unwrap();
    let entry = &golden["facets"]["columnLineage"]["fields"]["contact_primary_email"];
    let sources: Vec<(&str, &str, &str, &str)> = items(&entry["inputFields"])
        .map(|field| {
            let one = &field["transformations"][0];
            (text(&field["name"]), text(&field["field"]), text(&one["type"]), text(&one["subtype"]))
        })
        .collect();
    let expected = [
        ("data/members.xlsx/Members %231", "E-mail address", "DIRECT", "TRANSFORMATION"),
        ("data/works.csv", "email", "DIRECT", "TRANSFORMATION"),
    ];
    for one in expected {
        assert!(sources.contains(&one), "{one:?} is not in {sources:?}");
    }
    assert_eq!(sources.len(), expected.len(), "{sources:?}");
    // Every column that the lineage names is a field of a dataset that the run reads.
    let fields: BTreeSet<(String, String, String)> = items(&last["inputs"])
        .flat_map(|input| {
            let of = |key: &str| text(&input[key]).to_owned();
            items(&input["facets"]["schema"]["fields"])
                .map(move |field| (of("namespace"), of("name"), text(&field["name"]).to_owned()))
        })
        .collect();
    let lineage = &golden["facets"]["columnLineage"];
    let all = lineage["fields"].as_object().unwrap().values().flat_map(|entry| items(&entry["inputFields"]));
    for field in all.chain(items(&lineage["dataset"])) {
        let column = ["namespace", "name", "field"].map(|key| text(&field[key]).to_owned());
        assert!(fields.contains(&column.clone().into()), "{column:?} is in no schema");
        for one in items(&field["transformations"]) {
            assert!(["DIRECT", "INDIRECT"].contains(&text(&one["type"])), "{one}");
        }
    }
    let kinds: BTreeSet<&str> = items(&lineage["dataset"])
        .flat_map(|field| items(&field["transformations"]))
        .map(|one| text(&one["subtype"]))
        .collect();
    assert_eq!(kinds, BTreeSet::from(["FILTER", "JOIN", "SORT"]));
    let folder = workspace.0.path().display().to_string();
    for event in &run.events {
        assert!(!event.to_string().contains(&folder), "an event names a folder of this machine");
        for dataset in datasets(event) {
            let (namespace, name) = (text(&dataset["namespace"]), text(&dataset["name"]));
            assert_eq!(namespace, "file://hotpass.local");
            assert!(!name.starts_with('/') && !name.contains([':', '#', '\\']) && !name.contains(".."), "{name}");
        }
    }
    let shown = workspace.hotpass(&["lineage", "show", "--column", "contact_primary_email"], &[]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("<- E-mail address of data/members.xlsx/Members %231 (DIRECT/TRANSFORMATION)"), "{shown}");
    let report =
        std::fs::read_to_string(workspace.path("dist/runs").join(text(&last["run"]["runId"])).join("report.html"));
    let report = report.unwrap();
    assert!(report.contains("<svg class=\"hotpass-lineage\"") && report.contains("Members %231"));
}

#[test]
fn a_run_and_its_stages_tell_their_states_and_their_parents() {
    let workspace = Workspace::new();
    let run = workspace.refine(&[], &[]);
    let (own, stages) = run.states();
    assert_eq!(own, ["START", "RUNNING", "COMPLETE"]);
    let stages: Vec<(&str, &str)> = stages.iter().map(|(name, state)| (name.as_str(), *state)).collect();
    let all = ["read", "group", "survive", "expect", "publish"];
    let expected: Vec<_> = all.iter().flat_map(|stage| [(*stage, "START"), (*stage, "COMPLETE")]).collect();
    assert_eq!(stages, expected);
    let top = text(&run.events[0]["run"]["runId"]);
    assert_eq!(top.as_bytes()[14], b'7', "the run id {top} is no UUID of version 7");
    for event in &run.events {
        let parent = &event["run"]["facets"]["parent"];
        if event["run"]["runId"] == top {
            assert!(parent.is_null());
        } else {
            assert_eq!((text(&parent["run"]["runId"]), text(&parent["root"]["run"]["runId"])), (top, top));
            assert_eq!(parent["job"]["name"], run.events[0]["job"]["name"]);
        }
    }
    // RUNNING says what the run reads while it goes on.
    let running = run.events.iter().find(|event| event["eventType"] == "RUNNING").unwrap();
    assert_eq!(items(&running["inputs"]).count(), 2);

    let parent = format!("airflow://prod/daily.refine/{PARENT}");
    let root = format!("airflow://prod/daily/{ROOT}");
    let below = workspace.refine(&[], &[("OPENLINEAGE_PARENT_ID", &parent), ("OPENLINEAGE_ROOT_PARENT_ID", &root)]);
    let facet = &below.events[0]["run"]["facets"]["parent"];
    assert_eq!(
        [&facet["job"]["namespace"], &facet["job"]["name"], &facet["run"]["runId"]],
        ["airflow://prod", "daily.refine", PARENT]
    );
    for event in &below.events {
        assert_eq!(event["run"]["facets"]["parent"]["root"]["run"]["runId"], ROOT, "the root goes down to the stages");
    }
}

#[test]
fn each_variable_does_what_it_says() {
    let workspace = Workspace::new();
    let named = workspace.refine(
        &[],
        &[
            ("HOTPASS_LINEAGE_NAMESPACE", "sales.example"),
            ("HOTPASS_LINEAGE_PRODUCER", "https://example.com/refinery"),
            ("OPENLINEAGE_NAMESPACE", "not.this"),
        ],
    );
    for event in &named.events {
        assert_eq!(
            (text(&event["job"]["namespace"]), text(&event["producer"])),
            ("sales.example", "https://example.com/refinery")
        );
        assert!(datasets(event).all(|dataset| dataset["namespace"] == "file://sales.example"));
    }
    for (.., facet) in facets(&named.events) {
        assert_eq!(facet["_producer"], "https://example.com/refinery");
    }
    let client = workspace.refine(&[], &[("OPENLINEAGE_NAMESPACE", "of.the.client")]);
    assert_eq!(client.events[0]["job"]["namespace"], "of.the.client");
    let disabled =
        workspace.refine(&[], &[("HOTPASS_DISABLE_LINEAGE", "1"), ("OPENLINEAGE_URL", "http://127.0.0.1:9")]);
    assert_eq!((disabled.code, disabled.events.len()), (0, 0), "{}", disabled.stderr);
    assert!(!disabled.stderr.contains("lineage"), "{}", disabled.stderr);

    let server = Server::start(TAKES);
    let sent = workspace.refine(
        &[],
        &[
            ("OPENLINEAGE_URL", &server.url),
            ("OPENLINEAGE_ENDPOINT", "collect/events"),
            ("OPENLINEAGE_API_KEY", "k3y"),
            ("OPENLINEAGE__TAGS__RUN", r#"{"shift":"night"}"#),
        ],
    );
    assert!(server.has_all(&sent.events), "{}", sent.stderr);
    assert_eq!(sent.last()["run"]["facets"]["tags"]["tags"][0]["value"], "night");
    for (path, headers, _) in server.taken.lock().unwrap().iter() {
        assert_eq!(path, "/collect/events");
        assert_eq!(headers.get("authorization").map(String::as_str), Some("Bearer k3y"));
    }
    let silent = Server::start(TAKES);
    let kept = workspace.refine(&[], &[("OPENLINEAGE_URL", &silent.url), ("OPENLINEAGE_DISABLED", "true")]);
    assert!(
        !kept.events.is_empty() && silent.events().is_empty(),
        "the run folder has the events, the server has none"
    );
}

#[test]
fn the_official_clients_file_is_read_from_each_of_its_places() {
    let yml = |file: &str| format!("transport:\n  type: file\n  log_file_path: {file}\n  append: true\n");
    for (place, variables) in [
        ("openlineage.yml", vec![]),
        (".openlineage/openlineage.yml", vec![]),
        ("conf/mine.yml", vec![("OPENLINEAGE_CONFIG", "conf/mine.yml")]),
    ] {
        let workspace = Workspace::new();
        workspace.write(place, &yml("sent.ndjson"));
        let run = workspace.refine(&[], &variables);
        let sent = std::fs::read_to_string(workspace.path("sent.ndjson")).unwrap_or_default();
        assert_eq!(sent.lines().count(), run.events.len(), "{place}: {}", run.stderr);
        // What the configuration names wins.
        let server = Server::start(TAKES);
        let own = workspace.refine(&["--lineage-url", &server.url], &variables);
        assert!(server.has_all(&own.events), "{place}");
        assert_eq!(std::fs::read_to_string(workspace.path("sent.ndjson")).unwrap_or_default(), sent, "{place}");
    }
}

#[test]
fn no_fault_of_a_server_costs_the_run_or_an_event() {
    let workspace = Workspace::new();
    // The first run of a program takes longer.
    let alone = workspace.refine(&[], &[]);
    assert_eq!(alone.code, 0, "{}", alone.stderr);
    let faults: [(&str, Behaviour); 8] = [
        ("slow", |_| Answer::After(Duration::from_secs(20))),
        ("fails", |_| Answer::Status("500 Broken")),
        (
            "fails at times",
            |number| if number % 3 == 0 { Answer::Status("503 Busy") } else { Answer::Status("201 Created") },
        ),
        ("asks for a long pause", |_| Answer::Status("429 Slow Down\r\nRetry-After: 50")),
        ("refuses the key", |_| Answer::Status("401 Unauthorized")),
        ("resets", |_| Answer::Reset),
        ("talks garbage", |_| Answer::Garbage),
        ("stops in the middle", |number| if number < 4 { Answer::Status("201 Created") } else { Answer::Reset }),
    ];
    for (fault, behave) in faults {
        let server = Server::start(behave);
        let run = workspace.refine(&["--lineage-url", &server.url], &[]);
        assert_eq!(run.code, 0, "{fault}: {}", run.stderr);
        // It waits `lineage.flush_seconds`, 2, for its events at the most.
        assert!(run.took < alone.took + Duration::from_secs(4), "{fault}: {:?}, alone {:?}", run.took, alone.took);
        let (there, waiting) = (server.events().len() as u64, workspace.waiting());
        assert!(there + waiting >= run.events.len() as u64, "{fault}: {there} there, {waiting} wait");
        if waiting > 0 {
            assert!(run.stderr.contains("events wait on disk"), "{fault}: {}", run.stderr);
        }
        let well = Server::start(TAKES);
        let replayed = workspace.hotpass(&["lineage", "replay", "--lineage-url", &well.url], &[]);
        assert_eq!(replayed.status.code(), Some(0), "{fault}");
        let mut all = server.events();
        all.extend(well.events());
        let all: BTreeSet<String> = all.iter().map(identity).collect();
        let lost: Vec<String> = run.events.iter().map(identity).filter(|event| !all.contains(event)).collect();
        assert_eq!(lost, Vec::<String>::new(), "{fault}");
        // A second replay has nothing to send.
        let again = Server::start(TAKES);
        workspace.hotpass(&["lineage", "replay", "--lineage-url", &again.url], &[]);
        assert_eq!((again.events().len(), workspace.waiting()), (0, 0), "{fault}");
    }
}

#[test]
fn a_spool_that_cannot_be_written_is_told_and_the_run_folder_has_the_events() {
    let workspace = Workspace::new();
    // A file stands where the folder should be.
    workspace.write("dist/lineage", "no folder");
    let run = workspace.refine(&["--lineage-url", "http://127.0.0.1:9"], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let lost = format!("{0} of {0} lineage events could neither be sent nor kept", run.events.len());
    assert!(run.stderr.contains(&lost), "{}", run.stderr);
    std::fs::remove_file(workspace.path("dist/lineage")).unwrap();
    let server = Server::start(TAKES);
    let replayed = workspace.hotpass(&["lineage", "replay", "--run", "latest", "--lineage-url", &server.url], &[]);
    assert_eq!(replayed.status.code(), Some(0));
    assert!(server.has_all(&run.events));
}

#[test]
fn a_full_spool_keeps_the_newest_and_says_so() {
    let workspace = Workspace::new();
    let run =
        workspace.refine(&["--lineage-url", "http://127.0.0.1:9", "--set", "lineage.spool_limit_bytes=60000"], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("older lineage events made way"), "{}", run.stderr);
    let waiting = workspace.waiting();
    assert!(waiting > 0 && waiting < run.events.len() as u64, "{waiting}");
    let server = Server::start(TAKES);
    workspace.hotpass(&["lineage", "replay", "--lineage-url", &server.url], &[]);
    assert!(server.events().iter().any(|event| identity(event) == identity(run.last())), "the newest is there");
    workspace.hotpass(&["lineage", "replay", "--run", "latest", "--lineage-url", &server.url], &[]);
    assert!(server.has_all(&run.events), "the run folder has the others");
}

/// Starts a run of many rows and waits until it has told that it reads.
fn started(workspace: &Workspace, arguments: &[&str]) -> (Child, PathBuf) {
    let before = workspace.runs();
    let child = workspace.command(&[&["refine", "many"], arguments].concat(), &[]).spawn().unwrap();
    let clock = Instant::now();
    loop {
        let new = workspace.runs().into_iter().find(|run| !before.contains(run) && events_of(run).len() >= 2);
        if let Some(run) = new {
            return (child, run);
        }
        assert!(clock.elapsed() < Duration::from_mins(1), "the run tells nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_tells_abort() {
    let workspace = Workspace::new();
    workspace.write_many(60_000);
    let server = Server::start(TAKES);
    let (child, run) = started(&workspace, &["--lineage-url", &server.url]);
    let sent = Command::new("/bin/kill").args(["-INT", &child.id().to_string()]).status();
    if !sent.is_ok_and(|status| status.success()) {
        println!("skipped: no `kill` to send an interrupt with");
        drop(child.wait_with_output());
        return;
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let ran = Ran { code: 130, stderr: String::new(), took: Duration::ZERO, events: events_of(&run) };
    assert_eq!(ran.states().0.last(), Some(&"ABORT"));
    assert_eq!(ran.states().1.last().map(|(_, state)| *state), Some("ABORT"), "the stage that went on");
    assert_eq!(ran.last()["run"]["facets"]["errorMessage"]["message"], "The run was interrupted");
    assert!(server.has_all(&ran.events));
}

#[test]
fn a_killed_run_loses_nothing_and_the_next_one_tells_abort() {
    let workspace = Workspace::new();
    workspace.write_many(60_000);
    // The server hangs, so that what the killed run told is still in its memory.
    let hanging = Server::start(|_| Answer::After(Duration::from_mins(1)));
    let (mut child, run) = started(&workspace, &["--lineage-url", &hanging.url]);
    child.kill().unwrap();
    child.wait().unwrap();
    let told = events_of(&run);
    assert!(told.len() >= 2 && told.iter().all(|event| event["eventType"] != "ABORT"), "{told:?}");

    let server = Server::start(TAKES);
    let next = workspace.refine(&["--lineage-url", &server.url], &[]);
    assert!(next.stderr.contains("interrupted"), "{}", next.stderr);
    let events = events_of(&run);
    assert_eq!(events.last().map(|event| text(&event["eventType"])), Some("ABORT"));
    assert_eq!(&events[..told.len()], &told[..]);
    assert!(server.has_all(&events) && server.has_all(&next.events));
    // It is told once.
    let third = workspace.refine(&["--lineage-url", &server.url], &[]);
    assert_eq!(third.code, 0, "{}", third.stderr);
    assert_eq!(events_of(&run).len(), events.len());
}

#[test]
fn two_runs_at_once_keep_their_events_apart() {
    let workspace = Workspace::new();
    let arguments = |output: &'static str| ["refine", "--lineage-url", "http://127.0.0.1:9", "--output-path", output];
    let children =
        ["dist/a.xlsx", "dist/b.xlsx"].map(|output| workspace.command(&arguments(output), &[]).spawn().unwrap());
    for child in children {
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    }
    let told: Vec<Value> = workspace.runs().iter().flat_map(|run| events_of(run)).collect();
    assert_eq!(workspace.waiting(), told.len() as u64);
    let server = Server::start(TAKES);
    // Two replays at once send each event once between them; one of them may be told to wait.
    let replay = ["lineage", "replay", "--lineage-url", &server.url];
    let children = [0, 1].map(|_| workspace.command(&replay, &[]).spawn().unwrap());
    for child in children {
        drop(child.wait_with_output().unwrap());
    }
    workspace.hotpass(&replay, &[]);
    assert!(server.has_all(&told));
    assert_eq!(server.events().len(), told.len(), "none twice");
}

#[test]
fn resolving_files_tells_its_lineage_too() {
    let workspace = Workspace::new();
    workspace.write("people.csv", "name,city,email\nAnna,Durban,a@x.example\nAnna,Durban,b@x.example\n,Paarl,\n");
    workspace.write(
        "people.contract.json",
        r#"{"hotpass_contract": 1, "name": "people", "fields": [{"name": "name", "nullable": false}]}"#,
    );
    let parent = format!("airflow://prod/daily.resolve/{PARENT}");
    let server = Server::start(TAKES);
    let arguments = [
        "resolve",
        "--no-probabilistic",
        "--input-file",
        "people.csv",
        "--output-file",
        "out.csv",
        "--contract",
        "people.contract.json",
        "--redact",
        "email=redact",
    ];
    let output = workspace.hotpass(
        &arguments,
        &[("OPENLINEAGE_PARENT_ID", &parent), ("OPENLINEAGE_URL", &server.url), ("DEPLOYMENT", "night")],
    );
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    let run = workspace.runs().into_iter().next().unwrap_or_else(|| panic!("no run: {stderr}"));
    let ran = Ran { code: 3, stderr, took: Duration::ZERO, events: events_of(&run) };
    let (own, stages) = ran.states();
    assert_eq!(own, ["START", "FAIL"], "the contract is broken");
    assert!(stages.iter().any(|(name, state)| name == "publish" && *state == "COMPLETE"), "{stages:?}");
    let last = ran.last();
    let found: Map<String, Value> = last["run"]["facets"].as_object().cloned().unwrap_or_default();
    for key in [
        "parent",
        "nominalTime",
        "processing_engine",
        "executionParameters",
        "environmentVariables",
        "errorMessage",
        "test",
    ] {
        assert!(found.contains_key(key), "no {key} in {found:?}");
    }
    assert_eq!(last["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"][0]["success"], false);
    let written = items(&last["outputs"]).find(|dataset| dataset["name"] == "out.csv").unwrap();
    let column = |name: &str| {
        let from = &written["facets"]["columnLineage"]["fields"][name]["inputFields"][0];
        (text(&from["name"]).to_owned(), text(&from["field"]).to_owned(), from["transformations"][0]["masking"].clone())
    };
    assert_eq!(column("name"), ("people.csv".to_owned(), "name".to_owned(), json!(false)));
    assert_eq!(column("email"), ("people.csv".to_owned(), "email".to_owned(), json!(true)));
    assert!(server.has_all(&ran.events));
    if let Some(spec) = specification() {
        assert_eq!(Schemas::load(&spec).errors(&ran.events), Vec::<String>::new());
    }
}
