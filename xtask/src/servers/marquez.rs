//! Marquez on a PostgreSQL of its own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::receiver::jars;
use super::{Missing, Postgres, Server, free_port, http, peer_folder};

/// The server as its project publishes it.
pub(crate) const PACKAGE: (&str, &str, &str) = ("io.github.marquezproject", "marquez-api", "0.50.0");
const DATABASE: &str = "marquez";

/// A running Marquez server.
pub(crate) struct Marquez {
    // In the order in which they end: the server before its database.
    server: Option<Server>,
    pub(crate) database: Postgres,
    folder: PathBuf,
    pub(crate) port: u16,
    admin: u16,
    /// Seconds from the last start until it answered, migrations included.
    pub(crate) ready_after: f64,
}

impl Marquez {
    /// Fetches the server from Maven Central unless that was done, and starts it with an empty database.
    pub(crate) fn start() -> Result<Self, Missing> {
        let folder = peer_folder("marquez")?;
        jars(&folder, PACKAGE)?;
        let database = Postgres::start(DATABASE)?;
        let mut marquez =
            Self { server: None, database, folder, port: free_port()?, admin: free_port()?, ready_after: 0.0 };
        let _ = fs::remove_file(marquez.folder.join("log"));
        marquez.resume()?;
        Ok(marquez)
    }

    /// Starts it again on the same port and database.
    pub(crate) fn resume(&mut self) -> Result<(), String> {
        let configuration = self.folder.join("marquez.yml");
        fs::write(&configuration, self.configuration()).map_err(|error| error.to_string())?;
        let mut command = Command::new("java");
        command.args(["-Xmx512m", "-XX:+UseSerialGC", "-cp"]).arg(self.folder.join("lib/*")).arg("marquez.MarquezApp");
        command.arg("server").arg(&configuration).current_dir(&self.folder);
        let mut server = Server::start("Marquez", command, &self.folder.join("log"))?;
        let admin = self.admin;
        server.wait_until(Duration::from_mins(3), || {
            http::get(admin, "/healthcheck").is_ok_and(|(status, _)| status == 200)
        })?;
        self.ready_after = server.ready_after;
        self.server = Some(server);
        Ok(())
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) -> Result<(), String> {
        self.server.take().map_or(Ok(()), |mut server| server.kill().map(drop))
    }

    /// Returns the most memory it has held, in MiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.server.as_ref().map_or(0, Server::peak_memory)
    }

    /// Search would need a server of its own, so it is off; addresses are bound to loopback because the default is every interface.
    fn configuration(&self) -> String {
        format!(
            "\
server:
  applicationConnectors:
  - type: http
    port: {}
    bindHost: 127.0.0.1
    httpCompliance: RFC7230_LEGACY
  adminConnectors:
  - type: http
    port: {}
    bindHost: 127.0.0.1
db:
  driverClass: org.postgresql.Driver
  url: jdbc:postgresql://127.0.0.1:{}/{DATABASE}
  user: postgres
  password: \"\"
migrateOnStartup: true
graphql:
  enabled: false
search:
  enabled: false
logging:
  level: WARN
  appenders:
  - type: console
",
            self.port, self.admin, self.database.port
        )
    }
}
