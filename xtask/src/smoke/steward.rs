//! A steward's walk: a broken sheet, its correction, a row that is released, and a signed run whose lineage and trace arrived.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::collector::{Signals, restart_empty, variables};
use super::marquez::{Backend, all_there, column_lineage};
use super::{Session, ensure, json_lines, test_data};
use crate::process::{output, read};
use crate::servers::{Collector, Marquez, Missing, Receiver};

/// The sheet that is broken, and the header that it loses.
const SHEET: &str = "outreach.xlsx#Organisation";
/// A row whose e-mail address is none.
const ROW: &str = "outreach.xlsx#Contact Info!2";
const KEY: &str = "file:keys/hotpass.key.pem";
const VERIFY: &[&str] = &["verify", "--key", "keys/hotpass.pub.pem", "--require-signature"];

const CONTRACTS: &[(&str, &str)] = &[
    (
        "organisations",
        r#"{"hotpass_contract": 1, "name": "organisations", "version": "1.0.0",
 "fields": [{"name": "Organisation Name", "nullable": false}, {"name": "Area"}], "rows": {"min": 1}}"#,
    ),
    (
        "people",
        r#"{"hotpass_contract": 1, "name": "people", "version": "1.0.0",
 "fields": [{"name": "Organisation Name", "nullable": false}, {"name": "Email", "format": "email"}]}"#,
    ),
];

/// Copies a workbook with its first `@` on the second sheet made unreadable, and the first header of the first sheet where asked.
const EDIT: &str = r#"
import sys, zipfile
source, target, broken = sys.argv[1:]
with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
    for item in old.infolist():
        data = old.read(item)
        if item.filename.endswith("sheet2.xml"):
            data = data.replace(b"@", b" at ", 1)
        if item.filename.endswith("sheet1.xml") and broken == "broken":
            data = data.replace(b"<t>Organisation Name</t>", b"<t>Org Nm</t>", 1)
        new.writestr(item, data)
"#;

pub(super) fn run() -> Result<(), String> {
    let Some(data) = test_data("generated/hotpass_like") else {
        println!("skipped: the steward's walk, since there is no test data");
        return Ok(());
    };
    let Some(backend) = backend()? else { return Ok(()) };
    let mut collector = match Collector::start() {
        Ok(collector) => collector,
        Err(Missing::Unavailable(reason)) => {
            println!("skipped: the steward's walk, since {}", reason.trim());
            return Ok(());
        }
        Err(Missing::Broken(error)) => return Err(error),
    };
    let mut session = Session::start("steward")?;
    session.step("a workspace with contracts and a key", |session| workspace(session, &data));
    let url = format!("http://127.0.0.1:{}", backend.port());
    let refine = ["refine", "--signing-key", KEY, "--lineage-url", &url, "--telemetry-exporter", "otlp"];
    let endpoint = format!("http://127.0.0.1:{}", collector.grpc);
    let variables = variables(&endpoint, "grpc", "gzip");

    session.step("a broken sheet", |session| {
        edit(session, &data, "broken")?;
        let ran = session.hotpass(&refine, &variables)?.expect(&[3])?;
        let said = format!("{SHEET}: Column `Organisation Name` is not there");
        ensure(ran.stderr.contains(&said), || format!("it does not say `{said}`\n{}", ran.stderr))?;
        ensure(session.workspace.join("dist/refined.xlsx").is_file(), || "nothing was published".to_owned())?;
        let waiting = session.hotpass(&["quarantine", "list", "--rows"], &[])?.expect(&[0])?;
        ensure(waiting.stdout.contains(ROW), || format!("{ROW} is not in quarantine\n{}", waiting.stdout))?;
        Ok(((), format!("exit 3, `{said}`; published and held back all the same")))
    });
    session.step("the sheet is put right", |session| {
        edit(session, &data, "whole")?;
        let ran = session.hotpass(&refine, &variables)?.expect(&[0])?;
        let line = ran.stdout.lines().next().unwrap_or_default().to_owned();
        ensure(line.contains("1 row is in quarantine"), || line.clone())?;
        Ok(((), line))
    });
    session.step("a row is released, and the run signed", |session| {
        let words = ["--decision", "Asked by telephone", "--operator", "Outreach desk"];
        session.hotpass(&[&["quarantine", "release", "--row", ROW], words.as_slice()].concat(), &[])?.expect(&[0])?;
        restart_empty(&mut collector)?;
        let ran = session.hotpass(&refine, &variables)?.expect(&[0])?;
        let line = ran.stdout.lines().next().unwrap_or_default().to_owned();
        ensure(line.contains("0 rows are in quarantine"), || line.clone())?;
        Ok(((), line))
    });
    let run = latest(&session);
    session.step("verified", |session| {
        let checked = session.hotpass(VERIFY, &[])?.expect(&[0])?;
        session.hotpass(&["verify", "--workspace"], &[])?.expect(&[0])?;
        Ok(((), checked.stderr.lines().last().unwrap_or_default().to_owned()))
    });
    session.step("in the lineage backend, to a sheet's column", |_| {
        let sent = json_lines(&run.join("lineage.ndjson"));
        all_there(&backend, &sent)?;
        let held = backend.events()?;
        let ours =
            held.into_iter().filter(|event| sent.iter().any(|other| other["run"]["runId"] == event["run"]["runId"]));
        let ((), from) = column_lineage(&ours.collect::<Vec<_>>())?;
        ensure(from.contains("outreach.xlsx"), || format!("it does not lead to the sheet: {from}"))?;
        Ok(((), format!("`contact_primary_email` {from}")))
    });
    session.step("one trace at the collector", |_| {
        let signals = Signals::of(&mut collector)?;
        signals.check(None)?;
        Ok(((), signals.describe()))
    });
    session.step("a changed byte in any file is named", |session| tampered(session, &run));
    session.step("whole again", |session| {
        session.hotpass(VERIFY, &[])?.expect(&[0])?;
        Ok(((), "every byte is back".to_owned()))
    });
    session.finish(json!({"backend": backend.name(), "run": run.file_name().map(|name| name.to_string_lossy())}))
}

fn backend() -> Result<Option<Backend>, String> {
    match Marquez::start() {
        Ok(marquez) => return Ok(Some(Backend::Marquez(marquez))),
        Err(Missing::Unavailable(_)) => {}
        Err(Missing::Broken(error)) => return Err(error),
    }
    match Receiver::start() {
        Ok(receiver) => Ok(Some(Backend::Receiver(receiver))),
        Err(Missing::Unavailable(reason)) => {
            println!("skipped: the steward's walk, since {}", reason.trim());
            Ok(None)
        }
        Err(Missing::Broken(error)) => Err(error),
    }
}

/// Makes a workspace of the aviation profile whose outreach list has a contract for each sheet.
fn workspace(session: &mut Session, data: &Path) -> Result<((), String), String> {
    session.hotpass(&["init", "--path", "../walk", "--profile", "aviation"], &[])?.expect(&[0])?;
    session.workspace = session.workspace.join("../walk");
    session.hotpass(&["keygen", "--out", "keys"], &[])?.expect(&[0])?;
    let failed = |error: std::io::Error| error.to_string();
    let contracts = session.workspace.join("contracts");
    fs::create_dir_all(&contracts).map_err(failed)?;
    for (name, contract) in CONTRACTS {
        fs::write(contracts.join(format!("{name}.json")), contract).map_err(failed)?;
    }
    let path = session.workspace.join("profiles/workspace.yaml");
    let profile = read(&path);
    let sheets = "\n      sheet_contracts: {Organisation: organisations, Contact Info: people}\n      sheet_suites: {Organisation:";
    let listed = "\n  contracts: [contracts/organisations.json, contracts/people.json]\n  sources:\n";
    let edited =
        profile.replacen("\n      sheet_suites: {Organisation:", sheets, 1).replacen("\n  sources:\n", listed, 1);
    ensure(edited.matches("contracts").count() >= 3, || "the profile is not as it was".to_owned())?;
    fs::write(&path, edited).map_err(failed)?;
    for name in ["register.xlsx", "contacts.xlsx"] {
        fs::copy(data.join(name), session.workspace.join("data").join(name)).map_err(failed)?;
    }
    session.hotpass(&["profile", "check", "profiles/workspace.yaml"], &[])?.expect(&[0])?;
    Ok(((), "profile `aviation`, a contract for each sheet of the outreach list".to_owned()))
}

fn edit(session: &Session, data: &Path, how: &str) -> Result<(), String> {
    let mut python = Command::new("python3");
    python
        .args(["-c", EDIT])
        .arg(data.join("outreach.xlsx"))
        .arg(session.workspace.join("data/outreach.xlsx"))
        .arg(how);
    output(python).map(drop)
}

fn latest(session: &Session) -> PathBuf {
    let runs = session.workspace.join("dist/runs");
    runs.join(read(&runs.join("latest")).trim())
}

/// Changes one byte in the middle of each file of the run and of what it published, one after the other, and verifies.
fn tampered(session: &mut Session, run: &Path) -> Result<((), String), String> {
    let failed = |error: std::io::Error| error.to_string();
    let dist = session.workspace.join("dist");
    let mut files = all_files(run)?;
    files.extend(["refined.xlsx", "refined.parquet", "ledger.ndjson"].map(|name| dist.join(name)));
    let mut unnoticed = Vec::new();
    for file in &files {
        let whole = fs::read(file).map_err(failed)?;
        if whole.is_empty() {
            continue;
        }
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        fs::write(file, &changed).map_err(failed)?;
        let ran = session.hotpass(VERIFY, &[]);
        fs::write(file, &whole).map_err(failed)?;
        let ran = ran?;
        let name = file.strip_prefix(run).or_else(|_| file.strip_prefix(&dist)).unwrap_or(file).display().to_string();
        // Where the manifest itself cannot be read, the error names it.
        let named = ran.stdout.lines().chain(ran.stderr.lines()).any(|line| {
            (line.starts_with("FAILED") || line.starts_with("error")) && line.contains(&name)
                || line.contains("Caused by") && line.contains(&name)
        });
        if ran.code == 0 || !named {
            unnoticed.push(format!("{name} (exit {})", ran.code));
        }
    }
    ensure(unnoticed.is_empty(), || format!("not named: {}", unnoticed.join(", ")))?;
    Ok(((), format!("{} files, one byte each: all named", files.len())))
}

fn all_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())?.flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(all_files(&path)?) } else { found.push(path) }
    }
    found.sort();
    Ok(found)
}
