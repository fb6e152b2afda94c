//! PostgreSQL on a cluster of its own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use super::{Missing, free_port, fresh_parent, peak_memory, peer_folder};
use crate::process::{output, read};

/// Where Debian keeps the programs of the server; elsewhere they are on the path.
const PROGRAMS: &[&str] = &["/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin"];

/// A running PostgreSQL server whose data goes with it.
pub(crate) struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    pub(crate) port: u16,
    /// Seconds to make the cluster and to start the server.
    pub(crate) ready_after: f64,
}

impl Postgres {
    /// Makes a cluster, starts it with one database, and waits until it answers.
    pub(crate) fn start(database: &str) -> Result<Self, Missing> {
        let clock = Instant::now();
        let Some(programs) = PROGRAMS.iter().map(PathBuf::from).find(|folder| folder.join("initdb").is_file()) else {
            return Err(Missing::Unavailable("PostgreSQL's server is not installed (package `postgresql`)".to_owned()));
        };
        let folder = data_folder()?;
        let mut server = Self { programs, folder, port: free_port()?, ready_after: 0.0 };
        // A server that an interrupted check left behind holds the folder.
        if server.folder.join("data/postmaster.pid").is_file() {
            let _ = server.stop();
        }
        let _ = fs::remove_dir_all(server.folder.join("data"));
        let mut make = server.command("initdb");
        make.arg("-D").arg(server.folder.join("data"));
        make.args(["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--locale=C"]);
        output(make)?;
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c shared_buffers=32MB",
            server.port
        );
        let mut start = server.control("start");
        start.arg("-l").arg(server.folder.join("log")).args(["-w", "-t", "60", "-o", &options]);
        // Its output is not taken: the server would hold the pipe open.
        let status = start.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status();
        if !status.is_ok_and(|status| status.success()) {
            let log = read(&server.folder.join("log"));
            return Err(Missing::Broken(format!("PostgreSQL did not start\n{log}")));
        }
        let mut create = server.command("createdb");
        create.args(["-h", "127.0.0.1", "-U", "postgres", "-p", &server.port.to_string(), database]);
        output(create)?;
        server.ready_after = clock.elapsed().as_secs_f64();
        Ok(server)
    }

    /// Returns the most memory the main process has held, in MiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let written = read(&self.folder.join("data/postmaster.pid"));
        written.lines().next().and_then(|line| line.trim().parse().ok()).map_or(0, peak_memory)
    }

    fn stop(&self) -> Result<(), String> {
        let mut stop = self.control("stop");
        stop.args(["-m", "fast", "-w", "-t", "20"]);
        output(stop).map(drop)
    }

    fn control(&self, action: &str) -> Command {
        let mut command = self.command("pg_ctl");
        command.arg(action).arg("-D").arg(self.folder.join("data"));
        command
    }

    /// The server refuses to run as root.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut switch = Command::new("runuser");
            switch.args(["-u", "postgres", "--"]).arg(program);
            switch
        } else {
            Command::new(program)
        };
        command.current_dir(&self.folder);
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            println!("PostgreSQL is still running: {error}");
        }
        let _ = fs::remove_dir_all(self.folder.join("data"));
    }
}

fn is_root() -> bool {
    let status = read(std::path::Path::new("/proc/self/status"));
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(1) == Some("0"))
}

/// Returns a folder that the server's user can write; a checkout below root's home is closed to it.
fn data_folder() -> Result<PathBuf, String> {
    let folder = peer_folder("postgres")?;
    if !is_root() {
        return Ok(folder);
    }
    let temporary = std::env::temp_dir().join(format!("hotpass-postgres-{}", std::process::id()));
    for folder in [folder, temporary] {
        let folder = fresh_parent(&folder)?;
        let mut own = Command::new("chown");
        own.arg("postgres").arg(&folder);
        output(own)?;
        let mut test = Command::new("runuser");
        test.args(["-u", "postgres", "--", "test", "-w"]).arg(&folder);
        if output(test).is_ok() {
            return Ok(folder);
        }
    }
    Err("No folder that PostgreSQL's user can write".to_owned())
}
