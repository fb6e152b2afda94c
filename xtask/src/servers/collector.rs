//! The OpenTelemetry Collector, built from its own modules by its own builder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Missing, Server, free_port, listens, peer_folder};
use crate::process::{output, present, read, root, show};

/// Which version, and which receivers and exporters are in it.
const MANIFEST: &str = "deploy/collector/builder.yaml";
/// The builder is of the version of what it builds.
const BUILDER: &str = "go.opentelemetry.io/collector/cmd/builder";
/// The program itself, which the manifest does not name.
const SERVICE: &str = "go.opentelemetry.io/collector/otelcol";

/// A running collector that writes all it takes to one file, a line of JSON for each batch.
pub(crate) struct Collector {
    server: Option<Server>,
    program: PathBuf,
    folder: PathBuf,
    pub(crate) grpc: u16,
    pub(crate) http: u16,
    /// Ports that speak TLS, once [`Collector::with_tls`] made its papers.
    pub(crate) tls_grpc: u16,
    pub(crate) tls_http: u16,
    /// Ports that speak TLS and want a certificate of the sender.
    pub(crate) named_grpc: u16,
    pub(crate) named_http: u16,
    papers: Option<PathBuf>,
    /// Seconds from the last start until it answered.
    pub(crate) ready_after: f64,
}

impl Collector {
    /// Builds the collector unless that was done, and starts it with an empty file.
    pub(crate) fn start() -> Result<Self, Missing> {
        let program = build()?;
        let folder = peer_folder("otelcol")?;
        let mut collector = Self {
            server: None,
            program,
            folder,
            grpc: free_port()?,
            http: free_port()?,
            tls_grpc: free_port()?,
            tls_http: free_port()?,
            named_grpc: free_port()?,
            named_http: free_port()?,
            papers: None,
            ready_after: 0.0,
        };
        let _ = fs::remove_file(collector.written());
        let _ = fs::remove_file(collector.folder.join("log"));
        collector.resume()?;
        Ok(collector)
    }

    /// Makes an authority, certificates of it for the collector and a sender, and a stranger's authority; from the next
    /// start on the collector speaks TLS on further ports.
    pub(crate) fn with_tls(&mut self) -> Result<PathBuf, String> {
        let folder = self.folder.join("papers");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let openssl = |line: &str| {
            let mut command = Command::new("openssl");
            command.args(line.split(' ')).current_dir(&folder);
            output(command).map(drop)
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        for name in ["authority", "stranger"] {
            openssl(&format!("req -x509 {key} -keyout {name}.key -out {name}.pem -days 2 -subj /CN={name}"))?;
        }
        let names = "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
        fs::write(folder.join("names"), names).map_err(|error| error.to_string())?;
        for name in ["collector", "sender"] {
            openssl(&format!("req {key} -keyout {name}.key -out {name}.csr -subj /CN={name}"))?;
            openssl(&format!(
                "x509 -req -in {name}.csr -CA authority.pem -CAkey authority.key -CAcreateserial -out {name}.pem -days 2 -extfile names"
            ))?;
        }
        self.papers = Some(folder.clone());
        Ok(folder)
    }

    /// Returns the receivers that speak TLS.
    fn tls_receivers(&self) -> String {
        let Some(papers) = &self.papers else { return String::new() };
        let path = |name: &str| papers.join(name).display().to_string();
        let papers = format!("cert_file: {}, key_file: {}", path("collector.pem"), path("collector.key"));
        let named = format!("{papers}, client_ca_file: {}", path("authority.pem"));
        let receiver = |name: &str, grpc: u16, http: u16, tls: &str| {
            format!(
                "  otlp/{name}:\n    protocols:\n      grpc: {{endpoint: \"127.0.0.1:{grpc}\", tls: {{{tls}}}}}\n      http: {{endpoint: \"127.0.0.1:{http}\", tls: {{{tls}}}}}\n"
            )
        };
        receiver("tls", self.tls_grpc, self.tls_http, &papers)
            + &receiver("named", self.named_grpc, self.named_http, &named)
    }

    /// Starts it again on the same ports, with what it wrote so far.
    pub(crate) fn resume(&mut self) -> Result<(), String> {
        let configuration = self.folder.join("config.yaml");
        fs::write(&configuration, self.configuration()).map_err(|error| error.to_string())?;
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(format!("file:{}", configuration.display()));
        let mut server = Server::start("The collector", command, &self.folder.join("log"))?;
        let (grpc, http) = (self.grpc, self.http);
        server.wait_until(Duration::from_secs(20), || listens(grpc) && listens(http))?;
        self.ready_after = server.ready_after;
        self.server = Some(server);
        Ok(())
    }

    /// Gives the running process.
    pub(crate) fn server(&mut self) -> Result<&mut Server, String> {
        self.server.as_mut().ok_or_else(|| "The collector is not running".to_owned())
    }

    /// Ends it in order, so that all it took is written.
    pub(crate) fn stop(&mut self) -> Result<(), String> {
        self.server.take().map_or(Ok(()), |mut server| server.stop().map(drop))
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) -> Result<(), String> {
        self.server.take().map_or(Ok(()), |mut server| server.kill().map(drop))
    }

    /// Empties what was written, while it is stopped.
    pub(crate) fn clear(&self) {
        let _ = fs::remove_file(self.written());
    }

    /// Returns every batch that was taken: OTLP requests as JSON.
    pub(crate) fn batches(&self) -> Vec<Value> {
        read(&self.written()).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn written(&self) -> PathBuf {
        self.folder.join("signals.ndjson")
    }

    /// No batching: what was taken is written in the order in which it came.
    fn configuration(&self) -> String {
        let receivers = if self.papers.is_some() { "otlp, otlp/tls, otlp/named" } else { "otlp" };
        format!(
            "\
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:{}
      http:
        endpoint: 127.0.0.1:{}
{}exporters:
  file:
    path: {}
    append: true
    flush_interval: 100ms
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces: {{receivers: [{receivers}], exporters: [file]}}
    metrics: {{receivers: [{receivers}], exporters: [file]}}
    logs: {{receivers: [{receivers}], exporters: [file]}}
",
            self.grpc,
            self.http,
            self.tls_receivers(),
            self.written().display()
        )
    }
}

/// Builds the program that the manifest describes and keeps it until the manifest changes.
fn build() -> Result<PathBuf, Missing> {
    let folder = peer_folder("otelcol")?;
    let program = folder.join("otelcol");
    let manifest = read(&root().join(MANIFEST));
    if program.is_file() && read(&folder.join("built-from.yaml")) == manifest {
        return Ok(program);
    }
    if !present("go version") {
        return Err(Missing::Unavailable(
            "Go is not installed, and the collector is built from its modules".to_owned(),
        ));
    }
    let modules = modules(&manifest);
    let version = modules.iter().find_map(|module| module.split_once("otlpreceiver@")).map(|(_, version)| version);
    let version = version.ok_or_else(|| format!("`{MANIFEST}` has no OTLP receiver"))?;
    println!("Building the collector {version}; this takes minutes, once");
    let clock = Instant::now();
    let sources = folder.join("build");
    let _ = fs::remove_dir_all(&sources);
    fs::create_dir_all(&sources).map_err(|error| error.to_string())?;
    let at = |folder: &Path, program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        // The build yields to what else runs on the machine.
        command.args(arguments).current_dir(folder).env("GOBIN", root().join("target/peers/otelcol/bin"));
        println!("$ {}", show(&command));
        output(command).map_err(unavailable)
    };
    at(&folder, "nice", &["go", "install", &format!("{BUILDER}@{version}")])?;
    // Only the sources: the builder would go on with `go mod tidy`, which asks for what the tests of each module need as
    // well, and the proxy does not have all of that.
    let manifest_path = root().join(MANIFEST).display().to_string();
    let generate = ["--config", &manifest_path, "--skip-get-modules", "--skip-compilation"];
    at(&folder, "bin/builder", &generate)?;
    at(&sources, "go", &["mod", "init", "hotpass.invalid/otelcol"])?;
    let service = format!("{SERVICE}@{version}");
    let wanted: Vec<&str> = modules.iter().map(String::as_str).chain([service.as_str()]).collect();
    at(&sources, "go", &[&["get"], wanted.as_slice()].concat())?;
    let build = ["go", "build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o", "../otelcol", "."];
    at(&sources, "nice", &build)?;
    fs::write(folder.join("built-from.yaml"), manifest).map_err(|error| error.to_string())?;
    println!("Built the collector in {:.0} s", clock.elapsed().as_secs_f64());
    Ok(program)
}

/// Lists the Go modules of the manifest as `go get` takes them.
fn modules(manifest: &str) -> Vec<String> {
    let lines = manifest.lines().filter_map(|line| line.trim().strip_prefix("- gomod: "));
    lines.map(|module| module.trim().replace(' ', "@")).collect()
}

/// A module that the proxy refuses cannot be had; all else is a failure.
fn unavailable(error: String) -> Missing {
    let refused = ["403 Forbidden", "404 Not Found", "no such host", "dial tcp"];
    if refused.iter().any(|sign| error.contains(sign)) { Missing::Unavailable(error) } else { Missing::Broken(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_names_modules_with_versions() {
        let modules = modules(&read(&root().join(MANIFEST)));
        assert!(modules.len() >= 3, "{modules:?}");
        assert!(modules.iter().all(|module| module.split_once("@v").is_some()), "{modules:?}");
    }
}
