//! OTLP over HTTP, in protobuf.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use super::{Payload, Receipt, Refusal, Transport, read_pem};
use crate::error::StartError;
use crate::settings::{OtlpSettings, Signal};

/// Bytes of an answer that are read at most.
const LONGEST_ANSWER: u64 = 64 * 1024;

pub(crate) struct Http {
    agent: ureq::Agent,
    address: String,
    headers: Vec<(String, String)>,
    timeout: Duration,
    gzip: bool,
}

impl Http {
    pub(crate) fn new(signal: Signal, otlp: &OtlpSettings) -> Result<Self, StartError> {
        let address = otlp.address(signal);
        let uri: Option<http::Uri> = address.parse().ok();
        if !uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()) {
            return Err(StartError::Endpoint { signal, endpoint: address });
        }
        let mut headers = Vec::new();
        for (name, value) in &otlp.headers {
            let valid = http::HeaderName::try_from(name.as_str()).is_ok()
                && http::HeaderValue::try_from(value.expose()).is_ok();
            if !valid {
                return Err(StartError::Header { name: name.clone() });
            }
            headers.push((name.clone(), value.expose().to_owned()));
        }
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .tls_config(tls(otlp)?)
            .build()
            .into();
        Ok(Self { agent, address, headers, timeout: otlp.timeout, gzip: otlp.gzip })
    }

    fn body(&self, payload: &Payload) -> Vec<u8> {
        let plain = match payload {
            Payload::Traces(request) => request.encode_to_vec(),
            Payload::Metrics(request) => request.encode_to_vec(),
            Payload::Logs(request) => request.encode_to_vec(),
        };
        if !self.gzip {
            return plain;
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        // Writing to memory does not fail; were it to, the plain form is right too, without its header.
        encoder.write_all(&plain).and_then(|()| encoder.finish()).unwrap_or(plain)
    }
}

fn tls(otlp: &OtlpSettings) -> Result<TlsConfig, StartError> {
    let mut config = TlsConfig::builder();
    if let Some(path) = &otlp.certificate {
        let certificates = certificates(path)?;
        config = config.root_certs(RootCerts::new_with_certs(&certificates));
    }
    match (&otlp.client_certificate, &otlp.client_key) {
        (Some(certificate), Some(key)) => {
            let pem = read_pem(key)?;
            let private =
                PrivateKey::from_pem(&pem).map_err(|_| StartError::NotPem { what: "key", path: key.clone() })?;
            config = config.client_cert(Some(ClientCert::new_with_certs(&certificates(certificate)?, private)));
        }
        (None, None) => {}
        _ => return Err(StartError::HalfAnIdentity),
    }
    Ok(config.build())
}

fn certificates(path: &std::path::Path) -> Result<Vec<Certificate<'static>>, StartError> {
    let pem = read_pem(path)?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(StartError::NotPem { what: "certificate", path: path.to_path_buf() });
    }
    Ok(certificates)
}

impl Transport for Http {
    fn send(&mut self, payload: &Payload, deadline: Instant) -> Result<Receipt, Refusal> {
        let limit = deadline.saturating_duration_since(Instant::now()).min(self.timeout);
        let mut request = self
            .agent
            .post(&self.address)
            .config()
            .timeout_global(Some(limit.max(Duration::from_millis(1))))
            .build()
            .header("content-type", "application/x-protobuf");
        if self.gzip {
            request = request.header("content-encoding", "gzip");
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut response = request.send(&self.body(payload)[..]).map_err(|error| unreachable(&error))?;
        let status = response.status();
        let wait = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.trim().parse().ok())
            .map(Duration::from_secs);
        let answer = response.body_mut().with_config().limit(LONGEST_ANSWER).read_to_vec();
        if !status.is_success() {
            return Err(Refusal {
                unreachable: false,
                retryable: matches!(status.as_u16(), 429 | 502 | 503 | 504),
                wait,
                reason: format!("HTTP status {status}"),
            });
        }
        // What is no message of the protocol says nothing about what was rejected.
        let (rejected, message) = partial_success(payload, &answer.unwrap_or_default()).unwrap_or_default();
        Ok(Receipt { rejected: rejected.max(0) as u64, message, status: format!("HTTP {}", status.as_u16()) })
    }
}

fn partial_success(payload: &Payload, answer: &[u8]) -> Option<(i64, String)> {
    match payload {
        Payload::Traces(_) => ExportTraceServiceResponse::decode(answer)
            .ok()?
            .partial_success
            .map(|partial| (partial.rejected_spans, partial.error_message)),
        Payload::Metrics(_) => ExportMetricsServiceResponse::decode(answer)
            .ok()?
            .partial_success
            .map(|partial| (partial.rejected_data_points, partial.error_message)),
        Payload::Logs(_) => ExportLogsServiceResponse::decode(answer)
            .ok()?
            .partial_success
            .map(|partial| (partial.rejected_log_records, partial.error_message)),
    }
}

fn unreachable(error: &ureq::Error) -> Refusal {
    let retryable = matches!(
        error,
        ureq::Error::Io(_) | ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed | ureq::Error::HostNotFound
    );
    let reason = match error {
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    };
    Refusal { unreachable: true, retryable, wait: None, reason }
}
