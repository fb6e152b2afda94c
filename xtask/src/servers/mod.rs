//! Servers of other projects, started for a check on this machine's loopback address and stopped with it.
//!
//! A server lives as long as its value: whatever ends a check, dropping the value ends the server by its own process id.

mod collector;
pub(crate) mod http;
mod marquez;
mod postgres;
mod receiver;

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) use self::collector::Collector;
pub(crate) use self::marquez::{Marquez, PACKAGE as MARQUEZ_PACKAGE};
pub(crate) use self::postgres::Postgres;
pub(crate) use self::receiver::Receiver;
use crate::process::{read, root, show};

/// Why a server does not run here: it cannot be had, or it could be had and failed.
#[derive(Debug)]
pub(crate) enum Missing {
    /// No registry that this machine reaches has it, or a program that it needs is not installed.
    Unavailable(String),
    /// It is there and does not work.
    Broken(String),
}

impl From<String> for Missing {
    fn from(error: String) -> Self {
        Self::Broken(error)
    }
}

/// How long a process may take to end after it was asked to.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process that serves until it is dropped.
pub(crate) struct Server {
    name: &'static str,
    child: Child,
    log: PathBuf,
    started: Instant,
    /// Seconds from start until it answered.
    pub(crate) ready_after: f64,
}

impl Server {
    /// Starts a program with its output in a file.
    pub(crate) fn start(name: &'static str, mut command: Command, log: &Path) -> Result<Self, String> {
        let shown = show(&command);
        let failed = |error: std::io::Error| format!("Failed to start `{shown}`: {error}");
        let output = File::options().create(true).append(true).open(log).map_err(failed)?;
        let errors = output.try_clone().map_err(failed)?;
        let child = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn().map_err(failed)?;
        Ok(Self { name, child, log: log.to_owned(), started: Instant::now(), ready_after: 0.0 })
    }

    /// Waits until the server answers; the error has the end of its log.
    pub(crate) fn wait_until(&mut self, limit: Duration, ready: impl Fn() -> bool) -> Result<(), String> {
        while !ready() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("{} ended with {status}\n{}", self.name, self.last_words()));
            }
            if self.started.elapsed() > limit {
                return Err(format!("{} did not answer in {limit:?}\n{}", self.name, self.last_words()));
            }
            thread::sleep(Duration::from_millis(50));
        }
        self.ready_after = self.started.elapsed().as_secs_f64();
        Ok(())
    }

    /// Sends a signal by name: `STOP`, `CONT`, `TERM`, `KILL`.
    pub(crate) fn signal(&self, name: &str) -> Result<(), String> {
        signal(self.child.id(), name)
    }

    /// Returns the most memory the process has held so far, in MiB, or 0 where the system does not say.
    pub(crate) fn peak_memory(&self) -> u64 {
        peak_memory(self.child.id())
    }

    /// Asks the process to end and waits; ends it by force where it does not.
    pub(crate) fn stop(&mut self) -> Result<ExitStatus, String> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Ok(status);
        }
        // A stopped process sees no other signal until it continues.
        self.signal("CONT")?;
        self.signal("TERM")?;
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.kill()
    }

    /// Ends the process at once, as a crash would.
    pub(crate) fn kill(&mut self) -> Result<ExitStatus, String> {
        let failed = |error| format!("Failed to end {}: {error}", self.name);
        self.child.kill().map_err(failed)?;
        self.child.wait().map_err(failed)
    }

    fn last_words(&self) -> String {
        let log = read(&self.log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            println!("{} is still running: {error}", self.name);
        }
    }
}

/// Sends a signal by name to a process that was started here.
pub(crate) fn signal(process: u32, name: &str) -> Result<(), String> {
    let mut kill = Command::new("kill");
    kill.arg(format!("-{name}")).arg(process.to_string());
    crate::process::output(kill).map(drop)
}

fn peak_memory(process: u32) -> u64 {
    let status = read(Path::new(&format!("/proc/{process}/status")));
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Returns a port that nothing listens on; the system does not hand it out again for a while.
pub(crate) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| format!("No free port: {error}"))?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

fn listens(port: u16) -> bool {
    let address = (Ipv4Addr::LOCALHOST, port).into();
    TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok()
}

/// Returns the folder that holds what a peer needs, made where it is missing.
pub(crate) fn peer_folder(name: &str) -> Result<PathBuf, String> {
    fresh_parent(&root().join("target/peers").join(name))
}

fn fresh_parent(folder: &Path) -> Result<PathBuf, String> {
    fs::create_dir_all(folder).map_err(|error| format!("Failed to create `{}`: {error}", folder.display()))?;
    Ok(folder.to_owned())
}
