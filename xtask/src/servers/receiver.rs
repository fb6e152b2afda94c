//! A receiver of OpenLineage events that reads them with the project's own Java classes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::{Missing, Server, free_port, http, peer_folder};
use crate::process::{output, present, read, root};

const SOURCE: &str = "crates/hotpass-lineage/tests/peers/Receiver.java";
const CLASSES: (&str, &str, &str) = ("io.openlineage", "openlineage-java", "1.55.0");

/// A running receiver.
pub(crate) struct Receiver {
    server: Option<Server>,
    folder: PathBuf,
    pub(crate) port: u16,
    pub(crate) ready_after: f64,
}

impl Receiver {
    /// Fetches the classes from Maven Central unless that was done, and starts with no events.
    pub(crate) fn start() -> Result<Self, Missing> {
        let folder = peer_folder("openlineage-java")?;
        jars(&folder, CLASSES)?;
        let mut receiver = Self { server: None, folder, port: free_port()?, ready_after: 0.0 };
        let _ = fs::remove_file(receiver.record());
        receiver.resume()?;
        Ok(receiver)
    }

    /// Starts it again on the same port, with what it took so far.
    pub(crate) fn resume(&mut self) -> Result<(), String> {
        let mut command = Command::new("java");
        command.args(["-Xmx128m", "-XX:+UseSerialGC", "-cp"]).arg(self.folder.join("lib/*")).arg(root().join(SOURCE));
        command.arg(self.port.to_string()).arg(self.record());
        let mut server = Server::start("The receiver", command, &self.folder.join("log"))?;
        let port = self.port;
        server.wait_until(Duration::from_mins(1), || http::get(port, "/healthcheck").is_ok())?;
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

    /// Returns what it took, each event with the classes of its facets and with what the classes write otherwise.
    pub(crate) fn taken(&self) -> Vec<Value> {
        read(&self.record()).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn record(&self) -> PathBuf {
        self.folder.join("taken.ndjson")
    }
}

/// Fetches an artefact of Maven Central with all it needs into `lib`, unless it is there.
pub(super) fn jars(folder: &Path, (group, artifact, version): (&str, &str, &str)) -> Result<(), Missing> {
    let jar = folder.join("lib").join(format!("{artifact}-{version}.jar"));
    if jar.is_file() {
        return Ok(());
    }
    for program in ["java -version", "mvn --version"] {
        if !present(program) {
            return Err(Missing::Unavailable(format!("`{program}` gives no answer; Java 17 and Maven are needed")));
        }
    }
    let description = format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>hotpass</groupId><artifactId>peer</artifactId><version>1</version><packaging>pom</packaging>\
         <dependencies><dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
         <version>{version}</version></dependency></dependencies></project>"
    );
    fs::write(folder.join("pom.xml"), description).map_err(|error| error.to_string())?;
    let mut fetch = Command::new("mvn");
    // Maven remembers for a day that something was not there, unless it is told to look again.
    fetch.args(["-q", "-B", "-U", "dependency:copy-dependencies", "-DoutputDirectory=lib", "-DincludeScope=runtime"]);
    fetch.current_dir(folder);
    match output(fetch) {
        Ok(_) => Ok(()),
        Err(error)
            if error.contains("Could not find artifact")
                || error.contains("was not found in")
                || error.contains("Could not transfer") =>
        {
            Err(Missing::Unavailable(format!(
                "Maven Central does not give {group}:{artifact}:{version} to this machine"
            )))
        }
        Err(error) => Err(Missing::Broken(error)),
    }
}
