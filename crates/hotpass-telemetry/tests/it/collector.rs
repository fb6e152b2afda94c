//! A receiver of OTLP over HTTP on the loopback, which keeps what it is sent and answers as told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// What a request was.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// How a request is answered: status, further header lines, body; `None` never answers.
pub(crate) type Answer = Option<(u16, &'static str, Vec<u8>)>;

pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Collector {
    /// Starts a receiver that takes everything.
    pub(crate) fn start() -> Self {
        Self::answering(|_, _| Some((200, "", Vec::new())))
    }

    /// Starts a receiver that answers by the number of a request and its path.
    pub(crate) fn answering(answer: impl Fn(usize, &str) -> Answer + Send + Sync + 'static) -> Self {
        Self::serve(TcpListener::bind("127.0.0.1:0").expect("a free port"), answer)
    }

    /// Starts a receiver that takes everything, on a port.
    pub(crate) fn on(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        Self::serve(listener, |_, _| Some((200, "", Vec::new())))
    }

    fn serve(listener: TcpListener, answer: impl Fn(usize, &str) -> Answer + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().expect("an address");
        let received = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (Arc::clone(&received), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                thread::spawn(move || serve(&stream, &kept, &*answer));
            }
        });
        Self { address, received }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic").clone()
    }

    fn bodies(&self, path: &str) -> Vec<Vec<u8>> {
        self.received().into_iter().filter(|request| request.path == path).map(|request| request.body).collect()
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let decoded = self.bodies("/v1/traces").into_iter().map(|body| ExportTraceServiceRequest::decode(&body[..]));
        decoded
            .flat_map(|request| request.expect("traces").resource_spans)
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans)
            .collect()
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let decoded = self.bodies("/v1/metrics").into_iter().map(|body| ExportMetricsServiceRequest::decode(&body[..]));
        decoded
            .flat_map(|request| request.expect("metrics").resource_metrics)
            .flat_map(|resource| resource.scope_metrics)
            .flat_map(|scope| scope.metrics)
            .collect()
    }

    pub(crate) fn logs(&self) -> Vec<LogRecord> {
        let decoded = self.bodies("/v1/logs").into_iter().map(|body| ExportLogsServiceRequest::decode(&body[..]));
        decoded
            .flat_map(|request| request.expect("logs").resource_logs)
            .flat_map(|resource| resource.scope_logs)
            .flat_map(|scope| scope.log_records)
            .collect()
    }
}

fn serve(stream: &TcpStream, kept: &Mutex<Vec<Received>>, answer: &dyn Fn(usize, &str) -> Answer) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let path = request.path.clone();
        let number = {
            let mut kept = kept.lock().expect("no panic");
            kept.push(request);
            kept.len() - 1
        };
        let Some((status, headers, body)) = answer(number, &path) else {
            // Holds the connection until the other side gives up.
            let _ = reader.read(&mut [0; 1]);
            return;
        };
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        let mut out = stream;
        if out.write_all(head.as_bytes()).and_then(|()| out.write_all(&body)).is_err() {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let path = line.split_whitespace().nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    if headers.get("content-encoding").is_some_and(|value| value == "gzip") {
        let mut plain = Vec::new();
        GzDecoder::new(&body[..]).read_to_end(&mut plain).ok()?;
        body = plain;
    }
    Some(Received { path, headers, body })
}
