//! The variables of the OpenTelemetry specification.

use std::time::Duration;

use hotpass_core::Secret;

use crate::settings::{
    AttributeValue, Batching, ExemplarFilter, ExporterKind, OtlpSettings, Protocol, Sampling, Settings, Signal,
    Temporality,
};

/// Whether a variable of the specification is understood, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name; `{SIGNAL}` stands for `TRACES`, `METRICS` and `LOGS`.
    pub name: &'static str,
    /// What it does here; `None` when it is not understood.
    pub effect: Option<&'static str>,
    /// Why it is not understood.
    pub reason: &'static str,
}

const fn applies(name: &'static str, effect: &'static str) -> Variable {
    Variable { name, effect: Some(effect), reason: "" }
}

const fn ignored(name: &'static str, reason: &'static str) -> Variable {
    Variable { name, effect: None, reason }
}

/// Every variable of the specification, those that are understood first.
pub const VARIABLES: &[Variable] = &[
    applies("OTEL_SDK_DISABLED", "`true` switches telemetry off, whatever else is said"),
    applies("OTEL_SERVICE_NAME", "`service.name`; wins over `OTEL_RESOURCE_ATTRIBUTES`"),
    applies("OTEL_RESOURCE_ATTRIBUTES", "Attributes of the resource, `key=value,key=value`, percent-encoded"),
    applies("OTEL_PROPAGATORS", "`tracecontext`, `baggage` or `none`; another one is warned about and left out"),
    applies(
        "OTEL_TRACES_SAMPLER",
        "`always_on`, `always_off`, `traceidratio`, and the `parentbased_` form of each; another one is warned about",
    ),
    applies("OTEL_TRACES_SAMPLER_ARG", "Share of the traces that `traceidratio` keeps, 0 to 1"),
    applies("OTEL_{SIGNAL}_EXPORTER", "`otlp`, `console`, `file`, `none`, or several with commas between them"),
    applies("OTEL_EXPORTER_OTLP_ENDPOINT", "Address of the collector; `/v1/traces` and so on are appended for HTTP"),
    applies("OTEL_EXPORTER_OTLP_{SIGNAL}_ENDPOINT", "Address of one signal, used as it is"),
    applies("OTEL_EXPORTER_OTLP_PROTOCOL", "`grpc` or `http/protobuf`; `http/json` is warned about"),
    applies("OTEL_EXPORTER_OTLP_{SIGNAL}_PROTOCOL", "The same for one signal"),
    applies("OTEL_EXPORTER_OTLP_HEADERS", "Headers of every request, `key=value,key=value`, percent-encoded"),
    applies("OTEL_EXPORTER_OTLP_{SIGNAL}_HEADERS", "The same for one signal, instead of the general ones"),
    applies("OTEL_EXPORTER_OTLP_TIMEOUT", "Milliseconds that a request may take, 0 for no end; 10000 unless set"),
    applies("OTEL_EXPORTER_OTLP_{SIGNAL}_TIMEOUT", "The same for one signal"),
    applies("OTEL_EXPORTER_OTLP_COMPRESSION", "`gzip` or `none`"),
    applies("OTEL_EXPORTER_OTLP_{SIGNAL}_COMPRESSION", "The same for one signal"),
    applies("OTEL_EXPORTER_OTLP_CERTIFICATE", "PEM file of the authorities that are trusted"),
    applies("OTEL_EXPORTER_OTLP_{SIGNAL}_CERTIFICATE", "The same for one signal"),
    applies("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "PEM file of the certificate to show"),
    applies("OTEL_EXPORTER_OTLP_{SIGNAL}_CLIENT_CERTIFICATE", "The same for one signal"),
    applies("OTEL_EXPORTER_OTLP_CLIENT_KEY", "PEM file of the key of that certificate"),
    applies("OTEL_EXPORTER_OTLP_{SIGNAL}_CLIENT_KEY", "The same for one signal"),
    applies("OTEL_EXPORTER_OTLP_INSECURE", "`true` speaks in the clear to an endpoint without a scheme"),
    applies("OTEL_EXPORTER_OTLP_{SIGNAL}_INSECURE", "The same for one signal"),
    applies("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "`cumulative`, `delta` or `lowmemory`"),
    applies("OTEL_BSP_SCHEDULE_DELAY", "Milliseconds that a span waits for company; 5000 unless set"),
    applies(
        "OTEL_BSP_EXPORT_TIMEOUT",
        "Milliseconds that a batch of spans may take with its retries; 30000 unless set",
    ),
    applies("OTEL_BSP_MAX_QUEUE_SIZE", "Spans that wait at most; 2048 unless set"),
    applies("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "Spans sent at once at most; 512 unless set"),
    applies("OTEL_BLRP_SCHEDULE_DELAY", "Milliseconds that a log record waits for company; 1000 unless set"),
    applies("OTEL_BLRP_EXPORT_TIMEOUT", "Milliseconds that a batch of log records may take with its retries"),
    applies("OTEL_BLRP_MAX_QUEUE_SIZE", "Log records that wait at most; 2048 unless set"),
    applies("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "Log records sent at once at most; 512 unless set"),
    applies("OTEL_METRIC_EXPORT_INTERVAL", "Milliseconds between two exports of metrics; 60000 unless set"),
    applies("OTEL_METRIC_EXPORT_TIMEOUT", "Milliseconds that an export of metrics may take with its retries"),
    applies("OTEL_METRICS_EXEMPLAR_FILTER", "`trace_based`, `always_on` or `always_off`"),
    applies("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "Characters of a text, at most"),
    applies("OTEL_ATTRIBUTE_COUNT_LIMIT", "Attributes of a span or log record, at most; 128 unless set"),
    applies("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "The same for spans"),
    applies("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "Attributes of a span, at most"),
    applies("OTEL_SPAN_EVENT_COUNT_LIMIT", "Events of a span, at most"),
    applies("OTEL_SPAN_LINK_COUNT_LIMIT", "Links of a span, at most"),
    applies("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "Attributes of an event of a span, at most"),
    applies("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "Attributes of a link, at most"),
    applies("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "The same for log records"),
    applies("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "Attributes of a log record, at most"),
    ignored("OTEL_ENTITIES", "entities of a resource are still in development"),
    ignored("OTEL_LOG_LEVEL", "a fault of telemetry is told in the summary of the run, not in a log of its own"),
    ignored("OTEL_CONFIG_FILE", "`hotpass.toml` is the configuration file"),
    ignored("OTEL_EXPERIMENTAL_CONFIG_FILE", "`hotpass.toml` is the configuration file"),
    ignored("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "histograms have the bounds of the table"),
    ignored("OTEL_EXPORTER_PROMETHEUS_HOST", "a run ends; a collector is where metrics are scraped from"),
    ignored("OTEL_EXPORTER_PROMETHEUS_PORT", "a run ends; a collector is where metrics are scraped from"),
    ignored("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "the exporter is deprecated by the specification"),
    ignored("OTEL_EXPORTER_ZIPKIN_TIMEOUT", "the exporter is deprecated by the specification"),
    ignored("OTEL_EXPORTER_JAEGER_ENDPOINT", "the exporter was removed from the specification"),
    ignored("OTEL_EXPORTER_JAEGER_AGENT_HOST", "the exporter was removed from the specification"),
];

/// What became of the variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentReport {
    /// Whether the environment names an exporter or an endpoint, which asks for telemetry.
    pub asks_for_telemetry: bool,
    /// Whether `OTEL_SDK_DISABLED` switches it off.
    pub disabled: bool,
    /// Variables whose value could not be used; as the specification asks, the rest holds.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Applies the `OTEL_*` variables, as `lookup` finds them.
    ///
    /// A value that cannot be used is reported and otherwise ignored, as the specification asks. `enabled` is left as it
    /// is, except that `OTEL_SDK_DISABLED=true` clears it.
    pub fn apply_environment(&mut self, lookup: &dyn Fn(&str) -> Option<String>) -> EnvironmentReport {
        let mut reader = Reader { lookup, report: EnvironmentReport::default() };
        if reader.boolean("OTEL_SDK_DISABLED") == Some(true) {
            self.enabled = false;
            reader.report.disabled = true;
        }
        self.apply_resource(&mut reader);
        self.apply_propagators(&mut reader);
        self.apply_sampler(&mut reader);
        self.apply_exporters(&mut reader);
        self.apply_otlp(&mut reader);
        self.apply_batching(&mut reader);
        self.apply_metrics(&mut reader);
        self.apply_limits(&mut reader);
        for variable in VARIABLES.iter().filter(|variable| variable.effect.is_none()) {
            if reader.text(variable.name).is_some() {
                reader.warn(variable.name, &format!("is not understood: {}", variable.reason));
            }
        }
        reader.report
    }

    fn apply_resource(&mut self, reader: &mut Reader<'_>) {
        if let Some(text) = reader.text("OTEL_RESOURCE_ATTRIBUTES") {
            for (name, value) in reader.pairs("OTEL_RESOURCE_ATTRIBUTES", &text) {
                self.set_resource(&name, AttributeValue::Text(value));
            }
        }
        if let Some(name) = reader.text("OTEL_SERVICE_NAME") {
            self.set_resource("service.name", name);
        }
    }

    fn apply_propagators(&mut self, reader: &mut Reader<'_>) {
        let Some(text) = reader.text("OTEL_PROPAGATORS") else { return };
        (self.propagate_trace, self.propagate_baggage) = (false, false);
        for name in items(&text) {
            match name {
                "tracecontext" => self.propagate_trace = true,
                "baggage" => self.propagate_baggage = true,
                "none" => {}
                other => reader.warn("OTEL_PROPAGATORS", &format!("knows no propagator `{other}`")),
            }
        }
    }

    fn apply_sampler(&mut self, reader: &mut Reader<'_>) {
        let Some(name) = reader.text("OTEL_TRACES_SAMPLER") else { return };
        let (parent_based, kind) = match name.strip_prefix("parentbased_") {
            Some(kind) => (true, kind),
            None => (false, name.as_str()),
        };
        let ratio = match kind {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => match reader.text("OTEL_TRACES_SAMPLER_ARG").map(|text| text.parse::<f64>()) {
                None => 1.0,
                Some(Ok(ratio)) if (0.0..=1.0).contains(&ratio) => ratio,
                Some(_) => {
                    reader.warn("OTEL_TRACES_SAMPLER_ARG", "is not a number from 0 to 1; every trace is kept");
                    1.0
                }
            },
            _ => {
                reader.warn("OTEL_TRACES_SAMPLER", &format!("knows no sampler `{name}`"));
                return;
            }
        };
        self.sampling = Sampling { ratio, parent_based };
    }

    fn apply_exporters(&mut self, reader: &mut Reader<'_>) {
        for signal in Signal::ALL {
            let variable = format!("OTEL_{}_EXPORTER", signal.name().to_uppercase());
            let Some(text) = reader.text(&variable) else { continue };
            let mut exporters = Vec::new();
            for name in items(&text) {
                match name {
                    "otlp" => exporters.push(ExporterKind::Otlp),
                    "console" | "logging" => exporters.push(ExporterKind::Console),
                    "file" => exporters.push(ExporterKind::File),
                    "none" => {}
                    other => reader.warn(&variable, &format!("knows no exporter `{other}`")),
                }
            }
            reader.report.asks_for_telemetry |= !exporters.is_empty();
            self.signal_mut(signal).exporters = exporters;
        }
    }

    fn apply_otlp(&mut self, reader: &mut Reader<'_>) {
        for signal in Signal::ALL {
            let otlp = &mut self.signal_mut(signal).otlp;
            let middle = format!("{}_", signal.name().to_uppercase());
            apply_otlp_of(otlp, reader, "");
            apply_otlp_of(otlp, reader, &middle);
        }
    }

    fn apply_batching(&mut self, reader: &mut Reader<'_>) {
        apply_batching_of(&mut self.traces.batching, reader, "OTEL_BSP");
        apply_batching_of(&mut self.logs.batching, reader, "OTEL_BLRP");
    }

    fn apply_metrics(&mut self, reader: &mut Reader<'_>) {
        if let Some(interval) = reader.milliseconds("OTEL_METRIC_EXPORT_INTERVAL") {
            self.metric_interval = interval;
        }
        if let Some(timeout) = reader.timeout("OTEL_METRIC_EXPORT_TIMEOUT") {
            self.metrics.batching.timeout = timeout;
        }
        if let Some(name) = reader.text("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE") {
            match name.to_ascii_lowercase().as_str() {
                "cumulative" => self.temporality = Temporality::Cumulative,
                "delta" | "lowmemory" => self.temporality = Temporality::Delta,
                _ => reader.warn(
                    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
                    "is none of `cumulative`, `delta`, `lowmemory`",
                ),
            }
        }
        if let Some(name) = reader.text("OTEL_METRICS_EXEMPLAR_FILTER") {
            match name.as_str() {
                "trace_based" => self.exemplars = ExemplarFilter::TraceBased,
                "always_on" => self.exemplars = ExemplarFilter::AlwaysOn,
                "always_off" => self.exemplars = ExemplarFilter::AlwaysOff,
                _ => reader.warn("OTEL_METRICS_EXEMPLAR_FILTER", "is none of `trace_based`, `always_on`, `always_off`"),
            }
        }
    }

    fn apply_limits(&mut self, reader: &mut Reader<'_>) {
        let limits = &mut self.limits;
        if let Some(limit) = reader.count("OTEL_ATTRIBUTE_COUNT_LIMIT") {
            (limits.span_attributes, limits.log_attributes) = (limit, limit);
        }
        for (variable, limit) in [
            ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", &mut limits.span_attributes),
            ("OTEL_SPAN_EVENT_COUNT_LIMIT", &mut limits.span_events),
            ("OTEL_SPAN_LINK_COUNT_LIMIT", &mut limits.span_links),
            ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", &mut limits.event_attributes),
            ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", &mut limits.link_attributes),
            ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", &mut limits.log_attributes),
        ] {
            if let Some(value) = reader.count(variable) {
                *limit = value;
            }
        }
        if let Some(limit) = reader.count("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT") {
            (limits.span_text_length, limits.log_text_length) = (Some(limit as usize), Some(limit as usize));
        }
        for (variable, limit) in [
            ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", &mut limits.span_text_length),
            ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", &mut limits.log_text_length),
        ] {
            if let Some(value) = reader.count(variable) {
                *limit = Some(value as usize);
            }
        }
    }
}

/// Applies the variables of the OTLP exporter that have `middle` in their name: nothing, or a signal.
fn apply_otlp_of(otlp: &mut OtlpSettings, reader: &mut Reader<'_>, middle: &str) {
    let name = |last: &str| format!("OTEL_EXPORTER_OTLP_{middle}{last}");
    if let Some(endpoint) = reader.text(&name("ENDPOINT")) {
        reader.report.asks_for_telemetry = true;
        if middle.is_empty() {
            otlp.endpoint = Some(endpoint);
            // A general address of the environment stands above one of a single signal from a file.
            otlp.signal_endpoint = None;
        } else {
            otlp.signal_endpoint = Some(endpoint);
        }
    }
    if let Some(protocol) = reader.text(&name("PROTOCOL")) {
        match protocol.as_str() {
            "grpc" => otlp.protocol = Some(Protocol::Grpc),
            "http/protobuf" => otlp.protocol = Some(Protocol::HttpProtobuf),
            _ => reader.warn(&name("PROTOCOL"), &format!("knows no protocol `{protocol}`")),
        }
    }
    if let Some(text) = reader.text(&name("HEADERS")) {
        let pairs = reader.pairs(&name("HEADERS"), &text);
        otlp.headers = pairs.into_iter().map(|(name, value)| (name, Secret::new(value))).collect();
    }
    if let Some(timeout) = reader.timeout(&name("TIMEOUT")) {
        otlp.timeout = timeout;
    }
    if let Some(compression) = reader.text(&name("COMPRESSION")) {
        match compression.as_str() {
            "gzip" => otlp.gzip = true,
            "none" => otlp.gzip = false,
            _ => reader.warn(&name("COMPRESSION"), &format!("knows no compression `{compression}`")),
        }
    }
    for (last, path) in [
        ("CERTIFICATE", &mut otlp.certificate),
        ("CLIENT_CERTIFICATE", &mut otlp.client_certificate),
        ("CLIENT_KEY", &mut otlp.client_key),
    ] {
        if let Some(text) = reader.text(&name(last)) {
            *path = Some(text.into());
        }
    }
    if let Some(insecure) = reader.boolean(&name("INSECURE")) {
        otlp.insecure = insecure;
    }
}

fn apply_batching_of(batching: &mut Batching, reader: &mut Reader<'_>, prefix: &str) {
    if let Some(delay) = reader.milliseconds(&format!("{prefix}_SCHEDULE_DELAY")) {
        batching.delay = delay;
    }
    if let Some(timeout) = reader.timeout(&format!("{prefix}_EXPORT_TIMEOUT")) {
        batching.timeout = timeout;
    }
    if let Some(size) = reader.size(&format!("{prefix}_MAX_QUEUE_SIZE")) {
        batching.max_queue_size = size;
    }
    if let Some(size) = reader.size(&format!("{prefix}_MAX_EXPORT_BATCH_SIZE")) {
        batching.max_batch_size = size;
    }
    batching.max_batch_size = batching.max_batch_size.min(batching.max_queue_size);
}

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    report: EnvironmentReport,
}

impl Reader<'_> {
    /// Returns a variable that is set and not empty; the specification treats an empty one as not set.
    fn text(&self, variable: &str) -> Option<String> {
        (self.lookup)(variable).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn warn(&mut self, variable: &str, what: &str) {
        let warning = format!("`{variable}` {what}");
        if !self.report.warnings.contains(&warning) {
            self.report.warnings.push(warning);
        }
    }

    fn number(&mut self, variable: &str) -> Option<u64> {
        let text = self.text(variable)?;
        let number = text.parse().ok();
        if number.is_none() {
            self.warn(variable, "is not a whole number");
        }
        number
    }

    fn milliseconds(&mut self, variable: &str) -> Option<Duration> {
        self.number(variable).map(Duration::from_millis)
    }

    /// Reads milliseconds of which none means without end, as the specification has it: here, 49 days.
    fn timeout(&mut self, variable: &str) -> Option<Duration> {
        let endless = Duration::from_millis(u32::MAX.into());
        self.milliseconds(variable).map(|limit| if limit.is_zero() { endless } else { limit.min(endless) })
    }

    /// Reads `true` or `false`; whatever else is set is warned about and is false.
    fn boolean(&mut self, variable: &str) -> Option<bool> {
        let text = self.text(variable)?;
        let is_true = text.eq_ignore_ascii_case("true");
        if !is_true && !text.eq_ignore_ascii_case("false") {
            self.warn(variable, "is neither `true` nor `false`, and so is false");
        }
        Some(is_true)
    }

    /// Reads a number above 0.
    fn size(&mut self, variable: &str) -> Option<usize> {
        let size = self.count(variable)?;
        if size == 0 {
            self.warn(variable, "is not a number above 0");
        }
        (size > 0).then_some(size as usize)
    }

    fn count(&mut self, variable: &str) -> Option<u32> {
        self.number(variable).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// Reads `key=value,key=value` with percent-encoded values.
    fn pairs(&mut self, variable: &str, text: &str) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for item in items(text) {
            match item.split_once('=') {
                Some((key, value)) if !key.trim().is_empty() => {
                    pairs.push((percent_decoded(key.trim()), percent_decoded(value.trim())));
                }
                // The item may be a secret, so it is not repeated.
                _ => self.warn(variable, "holds an item without `=`, which is left out"),
            }
        }
        pairs
    }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while position < bytes.len() {
        let hex = (bytes[position] == b'%')
            .then(|| text.get(position + 1..position + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = hex {
            decoded.push(byte);
            position += 3;
        } else {
            decoded.push(bytes[position]);
            position += 1;
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(variables: &[(&str, &str)]) -> (Settings, EnvironmentReport) {
        let mut settings = Settings::new("test", "1");
        let lookup =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let report = settings.apply_environment(&lookup);
        (settings, report)
    }

    #[test]
    fn every_variable_is_looked_up_and_no_other() {
        let asked = std::cell::RefCell::new(std::collections::BTreeSet::new());
        let lookup = |name: &str| {
            asked.borrow_mut().insert(name.to_owned());
            (name == "OTEL_TRACES_SAMPLER").then(|| "traceidratio".to_owned())
        };
        Settings::new("test", "1").apply_environment(&lookup);
        let mut told = std::collections::BTreeSet::new();
        for variable in VARIABLES {
            for signal in Signal::ALL {
                told.insert(variable.name.replace("{SIGNAL}", &signal.name().to_uppercase()));
            }
        }
        assert_eq!(asked.into_inner(), told);
    }

    #[test]
    fn a_signal_has_its_own_endpoint_and_headers() {
        let (settings, report) = applied(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
            ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://d:9/x"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=1,b=two%20words"),
            ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "c=3"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ]);
        assert!(report.asks_for_telemetry);
        assert_eq!(settings.traces.otlp.address(Signal::Traces), "http://c:4318/v1/traces");
        assert_eq!(settings.logs.otlp.address(Signal::Logs), "http://d:9/x");
        let headers = |signal: Signal| -> Vec<(String, String)> {
            let headers = &settings.signal(signal).otlp.headers;
            headers.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect()
        };
        assert_eq!(headers(Signal::Traces), [("a".into(), "1".into()), ("b".into(), "two words".into())]);
        assert_eq!(headers(Signal::Logs), [("c".into(), "3".into())]);
        assert_eq!(settings.metrics.otlp.timeout, Duration::from_millis(1500));
        assert!(settings.metrics.otlp.gzip);
    }

    #[test]
    fn what_cannot_be_used_is_told_and_left_out() {
        let (settings, report) = applied(&[
            ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
            ("OTEL_PROPAGATORS", "tracecontext,b3"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "topsecret"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_METRICS_EXPORTER", "prometheus"),
        ]);
        assert_eq!(settings.sampling, Sampling::default());
        assert!(settings.propagate_trace && !settings.propagate_baggage);
        assert_eq!(settings.traces.batching.max_queue_size, 2048);
        assert!(settings.metrics.exporters.is_empty());
        assert_eq!(report.warnings.len(), 6, "{:?}", report.warnings);
        assert!(!report.warnings.concat().contains("topsecret"));
    }

    #[test]
    fn samplers_are_those_of_the_specification() {
        for (name, argument, ratio, parent_based) in [
            ("always_on", "", 1.0, false),
            ("parentbased_always_off", "", 0.0, true),
            ("traceidratio", "0.25", 0.25, false),
            ("parentbased_traceidratio", "0.5", 0.5, true),
            ("parentbased_traceidratio", "half", 1.0, true),
        ] {
            let (settings, _) = applied(&[("OTEL_TRACES_SAMPLER", name), ("OTEL_TRACES_SAMPLER_ARG", argument)]);
            assert_eq!(settings.sampling, Sampling { ratio, parent_based }, "{name}");
        }
    }

    #[test]
    fn no_time_to_wait_means_without_end() {
        let (settings, report) = applied(&[
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
            ("OTEL_BSP_EXPORT_TIMEOUT", "0"),
            ("OTEL_METRIC_EXPORT_TIMEOUT", "250"),
        ]);
        assert!(report.warnings.is_empty());
        assert!(settings.logs.otlp.timeout > Duration::from_hours(1000));
        assert!(settings.traces.batching.timeout > Duration::from_hours(1000));
        assert_eq!(settings.metrics.batching.timeout, Duration::from_millis(250));
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_reason() {
        let (_, report) = applied(&[
            ("OTEL_EXPORTER_PROMETHEUS_PORT", "9464"),
            ("OTEL_SDK_DISABLED", "yes"),
            ("OTEL_BLRP_MAX_QUEUE_SIZE", "0"),
        ]);
        assert_eq!(
            report.warnings,
            [
                "`OTEL_SDK_DISABLED` is neither `true` nor `false`, and so is false",
                "`OTEL_BLRP_MAX_QUEUE_SIZE` is not a number above 0",
                "`OTEL_EXPORTER_PROMETHEUS_PORT` is not understood: a run ends; a collector is where metrics are scraped from",
            ]
        );
        assert!(!report.disabled);
    }

    /// Every batch and metric variable changes the setting it names.
    #[test]
    fn batches_metrics_and_certificates_are_set_by_signal() {
        let (settings, report) = applied(&[
            ("OTEL_BSP_SCHEDULE_DELAY", "10"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "20"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "30"),
            ("OTEL_BLRP_SCHEDULE_DELAY", "40"),
            ("OTEL_BLRP_EXPORT_TIMEOUT", "50"),
            ("OTEL_BLRP_MAX_QUEUE_SIZE", "60"),
            ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "7"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "80"),
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "Delta"),
            ("OTEL_METRICS_EXEMPLAR_FILTER", "always_off"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "ca.pem"),
            ("OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE", "logs.pem"),
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "me.pem"),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "key.pem"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "true"),
            ("OTEL_TRACES_EXPORTER", "otlp,console"),
            ("OTEL_LOGS_EXPORTER", "none"),
            ("OTEL_SPAN_EVENT_COUNT_LIMIT", "1"),
            ("OTEL_SPAN_LINK_COUNT_LIMIT", "2"),
            ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "3"),
            ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "4"),
            ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "5"),
        ]);
        assert!(report.warnings.is_empty(), "{:?}", report.warnings);
        let traces = settings.traces.batching;
        assert_eq!((traces.delay, traces.max_queue_size), (Duration::from_millis(10), 20));
        assert_eq!(traces.max_batch_size, 20, "a batch is no larger than the queue");
        let logs = settings.logs.batching;
        assert_eq!((logs.delay, logs.timeout), (Duration::from_millis(40), Duration::from_millis(50)));
        assert_eq!((logs.max_queue_size, logs.max_batch_size), (60, 7));
        assert_eq!(settings.metric_interval, Duration::from_millis(80));
        assert_eq!((settings.temporality, settings.exemplars), (Temporality::Delta, ExemplarFilter::AlwaysOff));
        let path = |signal: Signal| settings.signal(signal).otlp.certificate.clone();
        assert_eq!((path(Signal::Traces), path(Signal::Logs)), (Some("ca.pem".into()), Some("logs.pem".into())));
        let otlp = &settings.metrics.otlp;
        assert_eq!((&otlp.client_certificate, &otlp.client_key), (&Some("me.pem".into()), &Some("key.pem".into())));
        assert_eq!((otlp.protocol(), settings.logs.otlp.protocol()), (Protocol::HttpProtobuf, Protocol::Grpc));
        assert!(settings.traces.otlp.insecure && !otlp.insecure);
        assert_eq!(settings.traces.exporters, [ExporterKind::Otlp, ExporterKind::Console]);
        assert!(settings.logs.exporters.is_empty());
        let limits = settings.limits;
        assert_eq!(
            (limits.span_events, limits.span_links, limits.event_attributes, limits.link_attributes),
            (1, 2, 3, 4)
        );
        assert_eq!((limits.span_attributes, limits.log_attributes), (5, 128));
    }

    #[test]
    fn the_service_and_its_resource_are_named() {
        let (settings, _) = applied(&[
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,team=data%20office,broken"),
            ("OTEL_SERVICE_NAME", "mine"),
        ]);
        let value = |name: &str| settings.resource.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        assert_eq!(value("service.name"), Some(&"mine".into()));
        assert_eq!(value("team"), Some(&"data office".into()));
    }

    #[test]
    fn disabling_wins() {
        let mut settings = Settings::new("test", "1");
        settings.enabled = true;
        let report = settings.apply_environment(&|name| (name == "OTEL_SDK_DISABLED").then(|| "TRUE".to_owned()));
        assert!(report.disabled && !settings.enabled);
    }

    #[test]
    fn limits_take_the_special_value_over_the_general_one() {
        let (settings, _) = applied(&[
            ("OTEL_ATTRIBUTE_COUNT_LIMIT", "10"),
            ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "5"),
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "100"),
            ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "50"),
        ]);
        assert_eq!((settings.limits.span_attributes, settings.limits.log_attributes), (10, 5));
        assert_eq!((settings.limits.span_text_length, settings.limits.log_text_length), (Some(50), Some(100)));
    }

    #[test]
    fn percent_signs_that_encode_nothing_stay() {
        assert_eq!(percent_decoded("a%20b%zz%"), "a b%zz%");
    }
}
