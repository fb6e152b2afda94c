//! OTLP over gRPC.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use tokio::runtime::Runtime;
use tonic::codec::CompressionEncoding;
use tonic::metadata::{Ascii, MetadataKey, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use super::{Payload, Receipt, Refusal, Transport, read_pem};
use crate::error::StartError;
use crate::settings::{OtlpSettings, Signal};

const PEM_START: &[u8] = b"-----BEGIN CERTIFICATE-----";

pub(crate) struct Grpc {
    runtime: Runtime,
    channel: Channel,
    headers: Vec<(MetadataKey<Ascii>, MetadataValue<Ascii>)>,
    timeout: Duration,
    gzip: bool,
}

impl Grpc {
    pub(crate) fn new(signal: Signal, otlp: &OtlpSettings) -> Result<Self, StartError> {
        let address = otlp.address(signal);
        let failed = |reason: String| StartError::Connection { signal, reason };
        let mut endpoint = Endpoint::from_shared(address.clone())
            .ok()
            .filter(|endpoint| endpoint.uri().host().is_some() && endpoint.uri().scheme_str().is_some())
            .ok_or_else(|| StartError::Endpoint { signal, endpoint: address.clone() })?
            .connect_timeout(otlp.timeout)
            .timeout(otlp.timeout);
        if endpoint.uri().scheme_str() == Some("https") {
            endpoint = endpoint.tls_config(tls(otlp)?).map_err(|error| failed(error.to_string()))?;
        }
        let mut headers = Vec::new();
        for (name, value) in &otlp.headers {
            let key = MetadataKey::from_bytes(name.to_ascii_lowercase().as_bytes()).ok();
            let value = MetadataValue::try_from(value.expose()).ok();
            headers.push(key.zip(value).ok_or_else(|| StartError::Header { name: name.clone() })?);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let channel = {
            let _inside = runtime.enter();
            endpoint.connect_lazy()
        };
        Ok(Self { runtime, channel, headers, timeout: otlp.timeout, gzip: otlp.gzip })
    }

    fn request<T>(&self, message: T, limit: Duration) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(limit);
        for (name, value) in &self.headers {
            request.metadata_mut().insert(name.clone(), value.clone());
        }
        request
    }
}

fn tls(otlp: &OtlpSettings) -> Result<ClientTlsConfig, StartError> {
    let mut config = ClientTlsConfig::new();
    config = match &otlp.certificate {
        Some(path) => {
            let pem = read_pem(path)?;
            // A file without a certificate would only show when the first request is sent.
            if !pem.windows(PEM_START.len()).any(|window| window == PEM_START) {
                return Err(StartError::NotPem { what: "certificate", path: path.clone() });
            }
            config.ca_certificate(Certificate::from_pem(pem))
        }
        None => config.with_webpki_roots(),
    };
    match (&otlp.client_certificate, &otlp.client_key) {
        (Some(certificate), Some(key)) => {
            config = config.identity(Identity::from_pem(read_pem(certificate)?, read_pem(key)?));
        }
        (None, None) => {}
        _ => return Err(StartError::HalfAnIdentity),
    }
    Ok(config)
}

/// Makes the client of a service, with compression where it is wanted.
macro_rules! client {
    ($client:ident, $grpc:expr) => {{
        let client = $client::new($grpc.channel.clone()).accept_compressed(CompressionEncoding::Gzip);
        if $grpc.gzip { client.send_compressed(CompressionEncoding::Gzip) } else { client }
    }};
}

impl Transport for Grpc {
    fn send(&mut self, payload: &Payload, deadline: Instant) -> Result<Receipt, Refusal> {
        let limit = deadline.saturating_duration_since(Instant::now()).min(self.timeout).max(Duration::from_millis(1));
        let answer = self.runtime.block_on(async {
            tokio::time::timeout(limit, async {
                match payload {
                    Payload::Traces(request) => client!(TraceServiceClient, self)
                        .export(self.request(request.clone(), limit))
                        .await
                        .map(|answer| answer.into_inner().partial_success)
                        .map(|partial| partial.map(|partial| (partial.rejected_spans, partial.error_message))),
                    Payload::Metrics(request) => client!(MetricsServiceClient, self)
                        .export(self.request(request.clone(), limit))
                        .await
                        .map(|answer| answer.into_inner().partial_success)
                        .map(|partial| partial.map(|partial| (partial.rejected_data_points, partial.error_message))),
                    Payload::Logs(request) => client!(LogsServiceClient, self)
                        .export(self.request(request.clone(), limit))
                        .await
                        .map(|answer| answer.into_inner().partial_success)
                        .map(|partial| partial.map(|partial| (partial.rejected_log_records, partial.error_message))),
                }
            })
            .await
        });
        match answer {
            Ok(Ok(partial)) => {
                let (rejected, message) = partial.unwrap_or_default();
                Ok(Receipt { rejected: rejected.max(0) as u64, message, status: "gRPC OK".to_owned() })
            }
            Ok(Err(status)) => Err(refusal(&status)),
            Err(_) => {
                Err(Refusal { unreachable: true, retryable: true, wait: None, reason: "no answer in time".to_owned() })
            }
        }
    }
}

fn refusal(status: &Status) -> Refusal {
    let wait = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let retryable = match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        // Only a server that says when to come back wants to see this again.
        Code::ResourceExhausted => wait.is_some(),
        _ => false,
    };
    // A status made here, and not by a server, has the connection's error as its source.
    let mut cause = std::error::Error::source(status);
    let unreachable = cause.is_some();
    // A connection that broke may be there again, whatever the code; what had arrived all the same has the same ids.
    let retryable = retryable || unreachable;
    let mut reason = format!("gRPC status {:?}", status.code());
    while let Some(error) = cause {
        if error.source().is_none() {
            reason = error.to_string();
            if reason == "Timeout expired" {
                "no answer in time".clone_into(&mut reason);
            }
        }
        cause = error.source();
    }
    Refusal { unreachable, retryable, wait, reason }
}
