//! Events to a server, such as Marquez.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use hotpass_core::Secret;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::{Headers, Transport};
use crate::error::{SendError, TransportError};

/// Path of the endpoint that takes events.
const DEFAULT_ENDPOINT: &str = "api/v1/lineage";
/// Characters of the server's answer that are kept.
const ANSWER_LENGTH: usize = 300;
/// Longest that a server may ask to be left alone.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(1);

/// How events reach a server.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpSettings {
    /// Address of the server.
    pub url: String,
    /// Path of the endpoint, relative to the address.
    pub endpoint: String,
    /// Key that is sent as `Authorization: Bearer`.
    pub api_key: Option<Secret>,
    /// Further headers; a value may be a secret.
    pub headers: BTreeMap<String, Secret>,
    /// Whether the body is compressed.
    pub gzip: bool,
    /// Longest that one request may take.
    pub timeout: Duration,
    /// How often a request is repeated that failed for a cause that may pass.
    pub retries: u32,
    /// First pause before it is repeated; each further one is twice as long, up to [`HttpSettings::LONGEST_PAUSE`].
    pub backoff: Duration,
    /// File of the certificates that are trusted instead of the built-in ones.
    pub ca_certificate: Option<PathBuf>,
    /// Whether the server's certificate is checked.
    pub verify: bool,
}

impl HttpSettings {
    /// Longest pause between two requests of the same event.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(30);

    /// Makes settings with the defaults of the official client.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            endpoint: DEFAULT_ENDPOINT.to_owned(),
            api_key: None,
            headers: BTreeMap::new(),
            gzip: false,
            timeout: Duration::from_secs(5),
            retries: 5,
            backoff: Duration::from_millis(300),
            ca_certificate: None,
            verify: true,
        }
    }

    /// Returns the address that events are posted to.
    ///
    /// Address and endpoint are joined as RFC 3986 resolves a reference. An address that ends with the endpoint already is
    /// taken as it is.
    ///
    /// # Errors
    ///
    /// Returns [`TransportError::Url`] when the address is not one of a server.
    pub fn target(&self) -> Result<String, TransportError> {
        let refused = || TransportError::Url { url: without_credentials(&self.url) };
        let url = self.url.trim();
        let (scheme, rest) = url.split_once("://").ok_or_else(refused)?;
        if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str())
            || rest.is_empty()
            || rest.starts_with('/')
        {
            return Err(refused());
        }
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
        let endpoint = self.endpoint.trim().trim_start_matches('/');
        let full = path.trim_end_matches('/');
        if !endpoint.is_empty() && (full == endpoint || full.ends_with(&format!("/{endpoint}"))) {
            return Ok(format!("{scheme}://{authority}/{full}"));
        }
        let folder = match (self.endpoint.trim().starts_with('/'), path.rsplit_once('/')) {
            (true, _) | (_, None) => String::new(),
            (false, Some((folder, _))) => format!("{folder}/"),
        };
        Ok(format!("{scheme}://{authority}/{folder}{endpoint}"))
    }
}

/// Leaves out what stands before `@` in an address.
fn without_credentials(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}{}", &url[..scheme + 3], &url[at + 1..]),
        _ => url.to_owned(),
    }
}

/// Posts events to a server.
#[derive(Debug)]
pub struct HttpTransport {
    agent: Agent,
    target: String,
    headers: Vec<(String, Secret)>,
    gzip: bool,
}

impl HttpTransport {
    /// Sets the transport up; no connection is opened.
    ///
    /// # Errors
    ///
    /// Returns [`TransportError`] when the address, a header or the certificates cannot be used.
    pub fn new(settings: &HttpSettings) -> Result<Self, TransportError> {
        let target = settings.target()?;
        let mut tls = TlsConfig::builder().disable_verification(!settings.verify);
        if let Some(path) = &settings.ca_certificate {
            tls = tls.root_certs(RootCerts::new_with_certs(&certificates(path)?));
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(settings.timeout))
            .proxy(None)
            .user_agent(concat!("hotpass-lineage/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls.build())
            .build()
            .new_agent();
        let key = settings
            .api_key
            .iter()
            .map(|key| ("Authorization".to_owned(), Secret::new(format!("Bearer {}", key.expose()))));
        let headers: Vec<_> =
            key.chain(settings.headers.iter().map(|(name, value)| (name.clone(), value.clone()))).collect();
        for (name, value) in &headers {
            let good_name = ureq::http::HeaderName::from_bytes(name.as_bytes()).is_ok();
            if !good_name || ureq::http::HeaderValue::from_str(value.expose()).is_err() {
                return Err(TransportError::Header { name: name.clone() });
            }
        }
        Ok(Self { agent, target, headers, gzip: settings.gzip })
    }
}

fn certificates(path: &PathBuf) -> Result<Vec<Certificate<'static>>, TransportError> {
    let pem = std::fs::read(path).map_err(|source| TransportError::Certificates { path: path.clone(), source })?;
    let found: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() { Err(TransportError::NoCertificate { path: path.clone() }) } else { Ok(found) }
}

impl Transport for HttpTransport {
    fn send(&self, event: &str, headers: &dyn Fn() -> Headers) -> Result<(), SendError> {
        let call = Call::begin(&self.target);
        let result = call.span.in_scope(|| self.post(event, &headers()));
        call.end(&result);
        result.map(|_| ())
    }

    fn describe(&self) -> String {
        format!("server {}", without_credentials(&self.target))
    }
}

/// An outbound request, as the conventions of OpenTelemetry tell it.
struct Call {
    span: tracing::Span,
    server: String,
    port: u16,
    started: Instant,
}

impl Call {
    fn begin(target: &str) -> Self {
        let uri: ureq::http::Uri = target.parse().unwrap_or_default();
        let scheme = uri.scheme_str().unwrap_or("http");
        let server = uri.host().unwrap_or_default().to_owned();
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        let span = tracing::info_span!(
            "lineage.request",
            "otel.name" = "POST",
            "otel.kind" = "client",
            "http.request.method" = "POST",
            "url.scheme" = scheme,
            "server.address" = server,
            "server.port" = port,
            "http.response.status_code" = tracing::field::Empty,
            "error.type" = tracing::field::Empty,
            "otel.status_code" = tracing::field::Empty,
        );
        Self { span, server, port, started: Instant::now() }
    }

    fn end(self, result: &Result<u16, SendError>) {
        let (status, kind) = match result {
            Ok(status) => (Some(*status), None),
            Err(SendError::Refused { status, .. } | SendError::Rejected { status, .. }) => {
                (Some(*status), Some(status.to_string()))
            }
            Err(SendError::Unavailable { .. }) => (None, Some("unavailable".to_owned())),
        };
        if let Some(status) = status {
            self.span.record("http.response.status_code", status);
        }
        if let Some(kind) = &kind {
            self.span.record("error.type", kind.as_str());
            self.span.record("otel.status_code", "ERROR");
        }
        let _in_call = self.span.enter();
        tracing::info!(
            target: "hotpass::metric",
            name = "http.client.request.duration",
            value = self.started.elapsed().as_secs_f64(),
            "http.request.method" = "POST",
            "server.address" = self.server,
            "server.port" = self.port,
            "http.response.status_code" = status,
            "error.type" = kind
        );
    }
}

impl HttpTransport {
    /// Posts an event; returns the status of the answer.
    fn post(&self, event: &str, headers: &Headers) -> Result<u16, SendError> {
        let mut request = self.agent.post(&self.target).header("Content-Type", "application/json");
        for (name, value) in &self.headers {
            request = request.header(name, value.expose());
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = if self.gzip {
            // The level of the official client: higher ones take twice the time.
            let mut encoder = GzEncoder::new(Vec::new(), Compression::new(3));
            let packed = encoder.write_all(event.as_bytes()).and_then(|()| encoder.finish());
            let packed = packed.map_err(|error| SendError::unavailable(error.to_string()))?;
            request.header("Content-Encoding", "gzip").send(&packed[..])
        } else {
            request.send(event)
        };
        let mut response = response.map_err(|error| SendError::unavailable(explain(&error, &self.target)))?;
        let status = response.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(status);
        }
        let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()).and_then(pause);
        let answer = response.body_mut().with_config().limit(16 << 10).read_to_string().unwrap_or_default();
        let reason: String =
            answer.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(ANSWER_LENGTH).collect();
        Err(match status {
            408 | 425 | 429 | 500.. => {
                let said = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                SendError::Unavailable { reason: format!("The server answers with status {status}{said}"), retry_after }
            }
            // Another address or another key is needed.
            300..=399 | 401 | 402 | 403 | 404 | 405 | 407 => SendError::Refused { status, reason },
            _ => SendError::Rejected { status, reason },
        })
    }
}

fn explain(error: &ureq::Error, target: &str) -> String {
    let target = without_credentials(target);
    // Its own words for what the system says begin with `io: `.
    if let ureq::Error::Io(cause) = error {
        return format!("Cannot reach {target}: {cause}");
    }
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    format!("Cannot reach {target}: {error}{cause}")
}

/// Reads `Retry-After`: seconds, or a date.
fn pause(text: &str) -> Option<Duration> {
    let pause = if let Ok(seconds) = text.trim().parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let until = chrono::DateTime::parse_from_rfc2822(text.trim()).ok()?;
        (until.with_timezone(&chrono::Utc) - chrono::Utc::now()).to_std().unwrap_or_default()
    };
    Some(pause.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_and_endpoint_are_joined_as_a_reference_is_resolved() {
        let check = |url: &str, endpoint: &str, expected: Option<&str>| {
            let settings = HttpSettings { endpoint: endpoint.to_owned(), ..HttpSettings::new(url) };
            assert_eq!(settings.target().ok().as_deref(), expected, "{url} + {endpoint}");
        };
        let full = Some("http://marquez:5000/api/v1/lineage");
        check("http://marquez:5000", "api/v1/lineage", full);
        check("http://marquez:5000/", "/api/v1/lineage", full);
        check("http://marquez:5000/api/v1/lineage", "api/v1/lineage", full);
        check("http://marquez:5000/api/v1/lineage/", "api/v1/lineage", full);
        check("http://marquez:5000/base/", "events?x=1", Some("http://marquez:5000/base/events?x=1"));
        check("http://marquez:5000/base", "events", Some("http://marquez:5000/events"));
        check("http://marquez:5000/base/", "/events", Some("http://marquez:5000/events"));
        check("marquez:5000", "x", None);
        check("ftp://marquez", "x", None);
        check("http:///x", "x", None);
    }

    #[test]
    fn addresses_are_shown_without_credentials() {
        assert_eq!(without_credentials("https://me:s3cret@host/x"), "https://host/x");
        let error = HttpSettings::new("ftp://me:s3cret@host").target().map_err(|error| error.to_string());
        assert!(error.is_err_and(|message| !message.contains("s3cret")));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_bounded() {
        assert_eq!(pause("3"), Some(Duration::from_secs(3)));
        assert_eq!(pause("86400"), Some(LONGEST_RETRY_AFTER));
        assert_eq!(pause("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(pause("soon"), None);
    }
}
