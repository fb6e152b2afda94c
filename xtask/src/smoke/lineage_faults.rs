//! What a run loses of its lineage when the server, the disk or the run itself is in trouble, fault by fault.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::marquez::{Run, WAIT, identity, refine, runs};
use super::{Session, ensure, json_lines, rounded, test_data};

/// The longest that a fault may make a run take beyond its own time, in seconds: what it waits for its events, and some
/// room for a busy machine.
const LONGEST_WAIT: f64 = 5.0;

/// What a server does with a request, by its number from 0.
type Behaviour = fn(u64) -> Answer;

enum Answer {
    Status(&'static str),
    After(Duration),
    Bytes(&'static [u8]),
    Reset,
}

const TAKEN: Answer = Answer::Status("201 Created");

const FAULTS: &[(&str, Behaviour)] = &[
    ("none", |_| TAKEN),
    ("slow: 0.3 s for each event", |_| Answer::After(Duration::from_millis(300))),
    ("hangs", |_| Answer::After(Duration::from_mins(1))),
    ("500, always", |_| Answer::Status("500 Internal Server Error")),
    ("503, every third time", |number| if number % 3 == 2 { Answer::Status("503 Busy") } else { TAKEN }),
    (
        "429, Retry-After: 1",
        |number| if number == 1 { Answer::Status("429 Slow Down\r\nRetry-After: 1") } else { TAKEN },
    ),
    ("429, Retry-After: 60", |_| Answer::Status("429 Slow Down\r\nRetry-After: 60")),
    ("401", |_| Answer::Status("401 Unauthorized")),
    ("connection reset", |_| Answer::Reset),
    ("no HTTP in the answer", |_| Answer::Bytes(b"\x00\xff what is this\r\n\r\n")),
    ("half an answer", |_| Answer::Bytes(b"HTTP/1.1 201 Cre")),
    ("gone after four events", |number| if number < 4 { TAKEN } else { Answer::Reset }),
];

/// A server on the loopback interface; its threads end with the program.
struct Server {
    url: String,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Server {
    fn start(behave: Behaviour) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("No server: {error}");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (kept, count) = (Arc::clone(&taken), Arc::new(Mutex::new(0)));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, count) = (Arc::clone(&kept), Arc::clone(&count));
                thread::spawn(move || serve(stream, &kept, &count, behave));
            }
        });
        Ok(Self { url, taken })
    }

    fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).iter().map(identity).collect()
    }
}

fn serve(mut stream: TcpStream, kept: &Mutex<Vec<Value>>, count: &Mutex<u64>, behave: Behaviour) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let number = {
            let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
            *count += 1;
            *count - 1
        };
        let status = match behave(number) {
            Answer::Status(status) => status,
            Answer::After(pause) => {
                thread::sleep(pause);
                "201 Created"
            }
            Answer::Bytes(bytes) => {
                stream.write_all(bytes).ok()?;
                return None;
            }
            Answer::Reset => return None,
        };
        if status.starts_with('2') {
            let event = serde_json::from_slice(&body).unwrap_or_default();
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(event);
        }
        stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes()).ok()?;
    }
}

/// What one fault did.
struct Row {
    seconds: f64,
    told: usize,
    arrived: usize,
    waited: u64,
    lost: usize,
    twice: usize,
}

/// Takes every fault in turn, prints the table, and gives it.
pub(super) fn run(session: &mut Session) -> Value {
    let mut rows = Vec::new();
    let mut alone = 0.0;
    for (name, behave) in FAULTS {
        let row = session.step(&format!("fault: {name}"), |session| {
            let server = Server::start(*behave)?;
            let run = refine(session, &["--lineage-url", &server.url], &[WAIT], &[0, 3])?;
            counted(session, &run, &server.taken())
        });
        if alone == 0.0 {
            alone = row.as_ref().map_or(0.0, |row| row.seconds);
        }
        rows.push((*name, row));
    }
    let row = session.step("fault: nobody listens", |session| {
        let run = refine(session, &["--lineage-url", "http://127.0.0.1:9"], &[WAIT], &[0, 3])?;
        counted(session, &run, &[])
    });
    rows.push(("nobody listens", row));
    let row = session.step("fault: the spool cannot be written", |session| {
        let spool = session.workspace.join("dist/lineage");
        let _ = fs::remove_dir_all(&spool);
        fs::write(&spool, "no folder").map_err(|error| error.to_string())?;
        let run = refine(session, &["--lineage-url", "http://127.0.0.1:9"], &[WAIT], &[0, 3])?;
        fs::remove_file(&spool).map_err(|error| error.to_string())?;
        again(session, &run)
    });
    rows.push(("the spool cannot be written", row));
    let row = session.step("fault: the spool is full", |session| {
        let limit = ("HOTPASS__LINEAGE__SPOOL_LIMIT_BYTES", "100000");
        let run = refine(session, &["--lineage-url", "http://127.0.0.1:9"], &[WAIT, limit], &[0, 3])?;
        again(session, &run)
    });
    rows.push(("the spool is full", row));
    match test_data("generated/hotpass_like") {
        Some(data) => {
            let row = session.step("fault: the run is killed", |session| killed(session, &data.display().to_string()));
            rows.push(("the run is killed (SIGKILL)", row));
        }
        None => session.skip("fault: the run is killed", "there is no test data"),
    }
    println!("{:<32}{:>8}{:>7}{:>9}{:>8}{:>6}{:>7}", "fault", "run s", "told", "arrived", "waited", "lost", "twice");
    let mut table = Vec::new();
    for (name, row) in rows {
        let Some(row) = row else { continue };
        println!(
            "{name:<32}{:>8.2}{:>7}{:>9}{:>8}{:>6}{:>7}",
            row.seconds, row.told, row.arrived, row.waited, row.lost, row.twice
        );
        if row.seconds > alone + LONGEST_WAIT {
            session.failures.push(format!("{name}: the run took {:.1} s, without a fault {alone:.1} s", row.seconds));
        }
        table.push(json!({
            "fault": name, "run_s": rounded(row.seconds), "told": row.told, "arrived": row.arrived,
            "waited": row.waited, "lost": row.lost, "twice": row.twice,
        }));
    }
    Value::Array(table)
}

/// Replays what waits to a server that is well, and counts what is nowhere.
fn counted(session: &mut Session, run: &Run, arrived: &[String]) -> Result<(Row, String), String> {
    let waited = waiting(session)?;
    let well = Server::start(|_| TAKEN)?;
    session.hotpass(&["lineage", "replay", "--lineage-url", &well.url], &[])?.expect(&[0])?;
    ensure(waiting(session)? == 0, || "events wait after the replay".to_owned())?;
    told(run, arrived, waited, &[arrived, &well.taken()].concat())
}

/// Sends the events that the run folder keeps.
fn again(session: &mut Session, run: &Run) -> Result<(Row, String), String> {
    let waited = waiting(session)?;
    let well = Server::start(|_| TAKEN)?;
    for arguments in [&["--run", "latest"][..], &[]] {
        let replay = [&["lineage", "replay", "--lineage-url", &well.url][..], arguments].concat();
        session.hotpass(&replay, &[])?.expect(&[0])?;
    }
    told(run, &[], waited, &well.taken())
}

/// Kills a run while its server hangs; the next run ends its story.
fn killed(session: &mut Session, data: &str) -> Result<(Row, String), String> {
    let hanging = Server::start(|_| Answer::After(Duration::from_mins(1)))?;
    let before = runs(session);
    let log = fs::File::create(session.staging.join("killed.log")).map_err(|error| error.to_string())?;
    let arguments = ["refine", data, "--lineage-url", &hanging.url];
    let child = session.command(&arguments, &[]).stdout(std::process::Stdio::null()).stderr(log).spawn();
    let mut child = child.map_err(|error| error.to_string())?;
    let clock = Instant::now();
    let folder = loop {
        let new = runs(session).into_iter().find(|run| !before.contains(run));
        if let Some(run) = new.filter(|run| json_lines(&run.join("lineage.ndjson")).len() >= 2) {
            break run;
        }
        ensure(clock.elapsed() < Duration::from_mins(1), || "the run tells nothing".to_owned())?;
        thread::sleep(Duration::from_millis(2));
    };
    child.kill().and_then(|()| child.wait()).map_err(|error| error.to_string())?;
    let seconds = clock.elapsed().as_secs_f64();
    let well = Server::start(|_| TAKEN)?;
    refine(session, &["--lineage-url", &well.url], &[], &[0, 3])?;
    let events = json_lines(&folder.join("lineage.ndjson"));
    ensure(events.last().is_some_and(|event| event["eventType"] == "ABORT"), || "the run has no ABORT".to_owned())?;
    let run = Run { events, seconds };
    told(&run, &hanging.taken(), 0, &well.taken())
}

fn told(run: &Run, arrived: &[String], waited: u64, all: &[String]) -> Result<(Row, String), String> {
    let known: BTreeSet<&String> = all.iter().collect();
    let events: Vec<String> = run.events.iter().map(identity).collect();
    let lost: Vec<&String> = events.iter().filter(|event| !known.contains(event)).collect();
    ensure(lost.is_empty(), || format!("{} of {} events are lost: {lost:?}", lost.len(), events.len()))?;
    ensure(!events.is_empty(), || "the run has no events".to_owned())?;
    let twice = events.iter().filter(|event| all.iter().filter(|other| other == event).count() > 1).count();
    let row = Row { seconds: run.seconds, told: events.len(), arrived: arrived.len(), waited, lost: 0, twice };
    let detail = format!("of {} events {} arrived, {waited} waited, none is lost", row.told, row.arrived);
    Ok((row, detail))
}

/// Returns the number of events that wait.
fn waiting(session: &mut Session) -> Result<u64, String> {
    let status = session.hotpass(&["lineage", "status", "--format", "json"], &[])?.expect(&[0])?;
    let status: Value = serde_json::from_str(&status.stdout).map_err(|error| error.to_string())?;
    status["pending"].as_u64().ok_or_else(|| "no number of waiting events".to_owned())
}
