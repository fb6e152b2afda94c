//! Nothing personal leaves a run through a channel that is not meant for it.
//!
//! Every personal field of the data holds a value that occurs nowhere else. The whole pipeline runs on it, with rows that go to
//! quarantine, expectations that fail, errors and the privacy verbs; then every byte that left is looked through.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::sandbox::Sandbox;

/// Values of personal fields; parts of them, so that a value that was changed on its way is found too.
const CANARIES: [&str; 9] = [
    "Quorvinia",
    "Zelphiandra",
    "quorvinia.z@canary-mail.example",
    "canary-mail",
    "277955512",
    "79 555 1237",
    "Voelskrikweg",
    "8001015009087",
    "Wenzeslaus-Tjaard",
];

const HEADER: &str =
    "organization_name,Contact Person,E-mail,Telephone,Address,ID Number,notes,consent_status,last_interaction_date\n";
const ROWS: &str = "\
Acacia Works,Quorvinia Zelphiandra,quorvinia.z@canary-mail.example,+27 79 555 1237,\"77 Voelskrikweg, Sandton\",8001015009087,Ask Wenzeslaus-Tjaard or 079 555 1237,granted,2023-01-02\n\
Acacia Works,Quorvinia Zelphiandra,quorvinia.z@canary-mail,+27 79 555 12,\"78 Voelskrikweg, Sandton\",8001015009087,quorvinia.z@canary-mail.example,revoked,2023-02-02\n\
,Quorvinia Zelphiandra,quorvinia.z@canary-mail.example,079 555 1237,77 Voelskrikweg,8001015009087,no name here,pending,soon\n\
Baobab Hall,=HYPERLINK(\"Quorvinia\"),\"quorvinia.z@canary-mail.example; Zelphiandra\",277955512379999,Voelskrikweg\u{0},8001015009087,\"<script>Quorvinia</script>\",denied,31/02/2023\n";

/// Files of a run and of the folder of runs that hold no values, whatever the run was asked to do. A channel more is a line more.
const FILES: [&str; 12] = [
    "manifest.json",
    "ledger.ndjson",
    "attestation.json",
    "lineage.ndjson",
    "diagnostics.json",
    "report.json",
    "report.html",
    "privacy.json",
    "profile.json",
    "telemetry.ndjson",
    "suppression.ndjson",
    "spool",
];

/// Fails when a channel holds a canary; names the channel and what it is, in the shape of the value's place.
fn check(channel: &str, text: &str) {
    let lower = text.to_lowercase();
    for (number, canary) in CANARIES.iter().enumerate() {
        if let Some(place) = lower.find(&canary.to_lowercase()) {
            let from = place.saturating_sub(60);
            panic!("canary {number} in {channel}, after `{}`", lower.get(from..place).unwrap_or_default());
        }
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Looks through every file that must hold no value; returns how many there were.
fn check_files(sandbox: &Sandbox) -> usize {
    let mut all = Vec::new();
    files(&sandbox.path("dist"), &mut all);
    let mut seen = 0;
    for path in all {
        let name = path.to_string_lossy().into_owned();
        if FILES.iter().any(|file| name.ends_with(file) || name.contains("/spool/")) {
            check(&name, &String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
            seen += 1;
        }
    }
    seen
}

/// Runs the program, looks through what it wrote to the terminal, and returns its exit code.
fn run(sandbox: &Sandbox, arguments: &[&str]) -> i32 {
    let outcome = sandbox.run(arguments);
    check(&format!("standard output of {arguments:?}"), &outcome.stdout);
    check(&format!("standard error of {arguments:?}"), &outcome.stderr);
    outcome.code
}

fn workspace() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("data/contacts.csv", format!("{HEADER}{ROWS}"));
    sandbox
}

#[test]
fn no_value_leaves_through_terminal_evidence_or_reports() {
    let sandbox = workspace();
    let expectation = r#"profile.expectations=[{"type":"in_set","column":"contact_primary_email","values":["x"]}]"#;
    for arguments in [
        &["refine", "data"][..],
        &["--log-format", "json", "refine", "data", "--set", expectation, "--qa-mode", "strict", "--archive"],
        &["refine", "data", "--detect-pii", "--no-redact-pii", "--consent-required", "--consent-policy", "report"],
        &["refine", "data", "--detect-pii", "--consent-required", "--consent-policy", "withhold", "--archive"],
    ] {
        assert!(matches!(run(&sandbox, arguments), 0 | 3), "{arguments:?}");
    }
    assert!(check_files(&sandbox) >= 12, "the run folders hold their evidence");
    // Errors of every kind.
    for arguments in [
        &["refine", "data", "--pii-operator", "email=tokenise"][..],
        &["refine", "data", "--pii-operator", "email=tokenise", "--pii-key", "env:NONE"],
        &["refine", "data", "--consent-file", "data/contacts.csv"],
        &["refine", "data", "--set", "ingest.memory_limit_bytes=1"],
        &["refine", "data/contacts.csv", "--mapping", "data/contacts.csv"],
        &["privacy", "erase", "--query", "?", "--decision", "D-0"],
    ] {
        assert!(!matches!(run(&sandbox, arguments), 0 | 3), "{arguments:?}");
    }
    // The latest run shall be one that has a report.
    assert_eq!(run(&sandbox, &["refine", "data"]), 0);
    for arguments in [
        &["inspect", "data/contacts.csv"][..],
        &["verify"],
        &["report", "--format", "markdown"],
        &["privacy", "detect", "data/contacts.csv"],
        &["privacy", "detect", "data/contacts.csv", "--format", "json"],
        &["privacy", "report", "--quasi-identifier", "area"],
        &["privacy", "sweep"],
        &["privacy", "subject", "--email", CANARIES[2], "--output", "held.json", "--format", "json"],
        &["privacy", "erase", "--email", CANARIES[2], "--decision", "D-1"],
        &["privacy", "erase", "--email", CANARIES[2], "--decision", "D-1", "--yes", "--format", "json"],
        &["verify"],
    ] {
        let code = run(&sandbox, arguments);
        assert!(matches!(code, 0 | 3), "{arguments:?} ended with {code}");
    }
    check_files(&sandbox);
    assert!(std::fs::read_to_string(sandbox.path("held.json")).unwrap().contains(CANARIES[2]));
}

#[test]
fn redacted_values_are_in_no_file_of_the_run() {
    let sandbox = workspace();
    let arguments = [
        "refine",
        "data",
        "--redact-pii",
        "--pii-operator",
        "address_primary=redact",
        "--pii-operator",
        "email=tokenise",
        "--pii-operator",
        "phone=hash",
        "--pii-key",
        "file:key",
        "--archive",
        "--report-path",
        "report.md",
        "--party-store-path",
        "party.json",
        "-o",
        "out.csv",
        "--set",
        "resolve.write_linkage_keys=true",
    ];
    assert_eq!(run(&sandbox, &["privacy", "key", "--output", "key"]), 0);
    let secret = std::fs::read_to_string(sandbox.path("key")).unwrap();
    assert!(matches!(run(&sandbox, &arguments), 0 | 3));
    // Parquet and archives are compressed, so that their values are read with the program that knows them.
    let mut all = Vec::new();
    files(&sandbox.path("dist"), &mut all);
    all.extend(["out.csv", "report.md", "party.json"].map(|name| sandbox.path(name)));
    let mut tables = 0;
    for path in all {
        let name = path.to_string_lossy().into_owned();
        if path.extension().is_some_and(|ending| ending == "parquet") {
            tables += 1;
        } else if path.extension().is_none_or(|ending| ending != "zip") {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            check(&name, &text);
            assert!(!text.contains(secret.trim()), "the key is in {name}");
        }
    }
    assert!(tables >= 7, "{tables} tables");
    let held = sandbox.run(&[
        "privacy",
        "subject",
        "--email",
        CANARIES[2],
        "--phone",
        "+27795551237",
        "--name",
        "Quorvinia Zelphiandra",
        "--format",
        "json",
    ]);
    let held: serde_json::Value = serde_json::from_str(&held.stdout).unwrap();
    assert!(held["runs"].as_array().unwrap().is_empty(), "{held:#}");
    assert!(held["archives"].as_array().unwrap().is_empty(), "{held:#}");
    assert_eq!(held["inputs"].as_array().unwrap().len(), 1, "{held:#}");
    // Who holds the key gets the values back.
    let published = std::fs::read_to_string(sandbox.path("out.csv")).unwrap();
    let token = published.split([',', ';', '"']).find(|cell| cell.starts_with("hpt1.email.")).unwrap();
    assert!(sandbox.run(&["privacy", "detokenise", "--key", "file:key", token]).stdout.contains("canary-mail"));
}

/// A server on the loopback that takes every request and keeps every byte of it.
struct Receiver {
    url: String,
    seen: Arc<Mutex<Vec<u8>>>,
    requests: Arc<AtomicUsize>,
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (seen, requests) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (all, count) = (Arc::clone(&seen), Arc::clone(&requests));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (all, count) = (Arc::clone(&all), Arc::clone(&count));
                std::thread::spawn(move || {
                    while let Some(request) = request(&mut stream) {
                        all.lock().unwrap().extend(request);
                        count.fetch_add(1, Ordering::Relaxed);
                        if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Self { url, seen, requests }
    }

    /// Looks through what came; returns how many requests there were.
    fn check(&self, channel: &str) -> usize {
        let text = String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned();
        assert!(!text.to_lowercase().contains("content-encoding"), "{channel} is packed, and cannot be looked through");
        check(channel, &text);
        self.requests.load(Ordering::Relaxed)
    }
}

/// Reads one request; nothing where the other side has closed.
fn request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut seen: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 65_536];
    loop {
        if let Some(head) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&seen[..head]).to_lowercase();
            let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            let whole = match header("content-length:").and_then(|length| length.parse::<usize>().ok()) {
                Some(length) => seen.len() >= head + 4 + length,
                None if header("transfer-encoding:").is_some() => seen.ends_with(b"0\r\n\r\n"),
                None => true,
            };
            if whole {
                return Some(seen);
            }
        }
        match stream.read(&mut buffer) {
            Ok(read @ 1..) => seen.extend_from_slice(&buffer[..read]),
            _ => return None,
        }
    }
}

const MODEL: &str = r#"{"link_type": "dedupe_only", "unique_id_column_name": "unique_id",
 "blocking_rules_to_generate_predictions": [{"blocking_rule": "l.surname = r.surname", "sql_dialect": "duckdb"}, {"blocking_rule": "l.mail = r.mail", "sql_dialect": "duckdb"}],
 "comparisons": [
  {"output_column_name": "surname", "comparison_levels": [
   {"sql_condition": "surname_l IS NULL OR surname_r IS NULL", "label_for_charts": "null", "is_null_level": true},
   {"sql_condition": "surname_l = surname_r", "label_for_charts": "exact", "tf_adjustment_column": "surname", "tf_adjustment_weight": 1.0},
   {"sql_condition": "ELSE", "label_for_charts": "other"}]},
  {"output_column_name": "mail", "comparison_levels": [
   {"sql_condition": "mail_l IS NULL OR mail_r IS NULL", "label_for_charts": "null", "is_null_level": true},
   {"sql_condition": "mail_l = mail_r", "label_for_charts": "exact"},
   {"sql_condition": "ELSE", "label_for_charts": "other"}]}]}"#;

/// Expectations of which some have the values themselves for a result.
const SUITE: &str = r#"{"name": "canaries", "expectations": [
 {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "contact_primary_email", "value_set": ["x"]}, "meta": {}},
 {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "contact_primary_name", "regex": "^x$"}, "meta": {}},
 {"type": "expect_column_value_lengths_to_be_between", "kwargs": {"column": "address_primary", "max_value": 1}, "meta": {}},
 {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "website"}, "meta": {}},
 {"type": "expect_column_most_common_value_to_be_in_set", "kwargs": {"column": "contact_primary_name", "value_set": ["x"]}, "meta": {}},
 {"type": "expect_column_distinct_values_to_be_in_set", "kwargs": {"column": "contact_primary_phone", "value_set": ["x"]}, "meta": {}},
 {"type": "expect_column_distinct_values_to_contain_set", "kwargs": {"column": "contact_primary_email", "value_set": ["x"]}, "meta": {}},
 {"type": "expect_column_distinct_values_to_equal_set", "kwargs": {"column": "address_primary", "value_set": ["x"]}, "meta": {}},
 {"type": "expect_column_pair_values_to_be_equal", "kwargs": {"column_A": "contact_primary_name", "column_B": "contact_primary_email"}, "meta": {}},
 {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "contact_primary_email"}, "meta": {}}]}"#;

const CONTRACT: &str = r#"{"fields": [
  {"name": "organization_name", "type": "string", "constraints": {"required": true, "unique": true}},
  {"name": "E-mail", "type": "string", "format": "email", "constraints": {"pattern": "[a-z]+@only\\.example", "maxLength": 5}},
  {"name": "Telephone", "type": "integer", "constraints": {"maximum": 5}},
  {"name": "Address", "type": "string", "constraints": {"enum": ["nowhere"]}},
  {"name": "ID Number", "type": "date"}]}"#;

#[test]
fn no_value_leaves_through_network_files_of_evidence_and_other_verbs() {
    let sandbox = workspace();
    let mut people = String::from("unique_id,first_name,surname,mail\n");
    for number in 0..60 {
        let pair = number / 2;
        let _ = writeln!(people, "{number},Quorvinia,Zelphiandra{pair},quorvinia.z@canary-mail.example");
    }
    sandbox.write("people/people.csv", people);
    sandbox.write("model.json", MODEL);
    sandbox.write("contract.json", CONTRACT);
    sandbox.write(
        "data/hostile.csv",
        "organization_name,Contact Person,E-mail,Telephone,consent_status\n\
         Cedar \u{202e}Works,\"Quorvinia \u{0}Zelphiandra\",\u{feff}quorvinia.z@canary-mail.example,#N/A,yes\n\
         Dassie,Quorvinia Zelphiandra,quorvinia.z@canary-mail.example;;,+27 79 555 1237 x 12,no,one,cell,too,many\n\
         \"Unclosed,Quorvinia Zelphiandra,quorvinia.z@canary-mail.example\n",
    );
    // A table without headers, whose first row is taken for them.
    let headerless = "Acacia Works,Quorvinia Zelphiandra,quorvinia.z@canary-mail.example,+27 79 555 1237\n\
        Baobab Hall,Other Person,o@x.example,+27 79 555 1238\nCedar,Third Person,t@x.example,+27 79 555 1239\n";
    sandbox.write("headerless/h.csv", headerless);
    let mapping =
        "version = 1\n[[table]]\nfile = \"h.csv\"\n[table.columns]\n\"Acacia Works\" = \"organization_name\"\n";
    sandbox.write("mapping.toml", mapping);
    let (collector, lineage) = (Receiver::start(), Receiver::start());
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    sandbox.write("suite.json", SUITE);
    let expectations = ["--expectation-suite", "suite.json"];
    let telemetry = [
        "--telemetry-exporter",
        "otlp",
        "--telemetry-exporter",
        "file",
        "--telemetry-exporter",
        "console",
        "--telemetry-file",
        "dist/telemetry.ndjson",
        "--telemetry-otlp-protocol",
        "http/protobuf",
        "--telemetry-otlp-endpoint",
        &collector.url,
        "--telemetry-otlp-compression",
        "none",
    ];
    let to_lineage = ["--lineage-url", lineage.url.as_str()];
    let to_nobody = ["--lineage-url", gone.as_str()];
    let trace = ["--set", "telemetry.log_level=trace"];
    let resolve = |output: &'static str| {
        vec![
            "resolve",
            "--input-file",
            "people/people.csv",
            "-o",
            output,
            "--artifacts-dir",
            "dist/linkage",
            "--seed",
            "1",
        ]
    };
    let runs: [Vec<&str>; 8] = [
        [&["refine", "data", "-o", "a.xlsx"][..], &telemetry, &to_lineage, &trace].concat(),
        [&["refine", "data", "--no-probabilistic", "--threads", "2"][..], &expectations, &telemetry, &to_lineage]
            .concat(),
        [&["refine", "data", "--qa-mode", "strict", "--detect-pii"][..], &expectations, &to_nobody].concat(),
        [&["--log-format", "json", "refine", "data/hostile.csv"][..], &to_lineage, &telemetry, &trace].concat(),
        [resolve("r.csv"), ["--model", "model.json", "--train"].to_vec(), telemetry.to_vec(), to_lineage.to_vec()]
            .concat(),
        [resolve("s.csv"), ["--model", "model.json", "--contract", "contract.json"].to_vec(), to_nobody.to_vec()]
            .concat(),
        // Errors of runs that send what they know.
        [&["refine", "data", "--mapping", "people/people.csv"][..], &telemetry, &to_lineage].concat(),
        [&["refine", "people", "-o", "b.csv"][..], &telemetry, &to_lineage].concat(),
    ];
    for arguments in &runs {
        let code = run(&sandbox, arguments);
        assert!((0..=3).contains(&code), "{arguments:?} ended with {code}");
    }
    for arguments in [
        &["inspect", "data"][..],
        &["contracts", "validate", "--contract", "contract.json", "data/contacts.csv"],
        &["contracts", "validate", "--contract", "contract.json", "--format", "json", "data/contacts.csv"],
        &["contracts", "validate", "--contract", "ssot", "data/contacts.csv"],
        &["contracts", "infer", "data/contacts.csv"],
        &["quarantine", "list", "--rows"],
        &["quarantine", "show", "hostile.csv!4"],
        &["quarantine", "release", "--all", "--decision", "D-2"],
        &["privacy", "report"],
        &["privacy", "report", "data/contacts.csv", "--quasi-identifier", "Address", "--sensitive", "E-mail"],
        &["lineage", "status"],
        &["lineage", "show"],
        &["lineage", "replay", "--lineage-url", &lineage.url],
        &["report"],
        &["verify"],
        &["doctor"],
        &["overview"],
        &["config", "show"],
        &["qa", "data-quality"],
    ] {
        let code = run(&sandbox, arguments);
        assert!((0..=3).contains(&code), "{arguments:?} ended with {code}");
    }
    let headerless = [
        &["refine", "headerless", "--mapping", "mapping.toml", "--dist-dir", "headerless-dist", "-o", "h.csv"][..],
        &to_lineage,
    ];
    let outcome = sandbox.run(&headerless.concat());
    assert!(matches!(outcome.code, 0 | 3) && sandbox.path("h.csv").exists(), "{outcome}");
    assert!(lineage.check("lineage over HTTP") >= 8, "events came");
    assert!(collector.check("OTLP over HTTP") >= 6, "signals came");
    // Files of a folder of runs that are no table: what they are called does not matter.
    let mut all = Vec::new();
    files(&sandbox.path("dist"), &mut all);
    let mut kinds = BTreeSet::new();
    for path in all {
        let name = path.to_string_lossy().into_owned();
        let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        // The tables of a run hold its data: that is what they are for.
        if matches!(ending.as_str(), "parquet" | "xlsx") {
            continue;
        }
        check(&name, &String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        kinds.insert(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
    }
    for name in [
        "manifest.json",
        "ledger.ndjson",
        "lineage.ndjson",
        "diagnostics.json",
        "report.json",
        "report.html",
        "privacy.json",
        "profile.json",
        "telemetry.ndjson",
        "index.html",
        "training.json",
        "summary.json",
        "quality.json",
    ] {
        assert!(kinds.contains(name), "no `{name}` among {kinds:?}");
    }
}
