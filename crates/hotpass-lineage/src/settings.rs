//! What the official client's environment and `openlineage.yml` ask for.
//!
//! Read as openlineage-python 1.54 reads them: the file first of `OPENLINEAGE_CONFIG`, `openlineage.yml` of the working
//! folder and `~/.openlineage/openlineage.yml` that exists; then the nested variables `OPENLINEAGE__SECTION__KEY`, which a
//! value of the file overrules; where neither names a transport, `OPENLINEAGE_URL` with `OPENLINEAGE_ENDPOINT` and
//! `OPENLINEAGE_API_KEY`. Unlike there, nothing is sent where nothing is named, instead of writing to the terminal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hotpass_core::Secret;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::transport::{HttpSettings, TransportSettings};

const NESTED: &str = "OPENLINEAGE__";
const URL_TRANSPORT: &str = "default_http";

/// What the official client's environment and configuration file ask for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClientSettings {
    /// Whether `OPENLINEAGE_DISABLED` says that nothing is sent.
    pub disabled: bool,
    /// Namespace of jobs.
    pub namespace: Option<String>,
    /// Where events go.
    pub transport: Option<TransportSettings>,
    /// Names of the variables whose values may be sent.
    pub environment_variables: Vec<String>,
    /// Tags of jobs.
    pub job_tags: BTreeMap<String, String>,
    /// Tags of runs.
    pub run_tags: BTreeMap<String, String>,
    /// The run that started this one.
    pub parent: Option<ParentReference>,
    /// The configuration file that was read.
    pub file: Option<PathBuf>,
    /// What could not be understood and is left out.
    pub warnings: Vec<String>,
}

/// Names the run that started this one, and the one at the top of the hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentReference {
    /// Namespace of its job.
    pub namespace: String,
    /// Name of its job.
    pub name: String,
    /// Id of the run.
    pub run_id: Uuid,
    /// The run at the top: namespace, name, id.
    pub root: Option<(String, String, Uuid)>,
}

impl ParentReference {
    /// Reads `NAMESPACE/NAME/RUN_ID`; a namespace may hold further slashes.
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, run_id) = text.trim().rsplit_once('/')?;
        let (namespace, name) = rest.rsplit_once('/')?;
        if namespace.is_empty() || name.is_empty() {
            return None;
        }
        let run_id = run_id.parse().ok()?;
        Some(Self { namespace: namespace.to_owned(), name: name.to_owned(), run_id, root: None })
    }
}

impl ClientSettings {
    /// Reads variables of the environment, and the configuration file they or the usual places name.
    ///
    /// Nothing stops it: what cannot be understood is in [`ClientSettings::warnings`].
    pub fn read(variables: &BTreeMap<String, String>, working_folder: &Path, home: Option<&Path>) -> Self {
        let mut settings = Self::default();
        let variable = |name: &str| variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
        settings.disabled = variable("OPENLINEAGE_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        settings.namespace = variable("OPENLINEAGE_NAMESPACE").map(str::to_owned);
        settings.parent =
            settings.read_parent(variable("OPENLINEAGE_PARENT_ID"), variable("OPENLINEAGE_ROOT_PARENT_ID"));
        let mut config = nested(variables);
        alias_url(&mut config, variables);
        let named = variable("OPENLINEAGE_CONFIG").map(PathBuf::from);
        if let Some(path) = named.as_ref().filter(|path| !path.is_file()) {
            settings.warn(format!("`{}` of OPENLINEAGE_CONFIG is not there", path.display()));
        }
        let places = [
            named,
            Some(working_folder.join("openlineage.yml")),
            home.map(|home| home.join(".openlineage").join("openlineage.yml")),
        ];
        if let Some(path) = places.into_iter().flatten().find(|path| path.is_file()) {
            match std::fs::read_to_string(&path)
                .map_err(|error| error.to_string())
                .and_then(|text| serde_saphyr::from_str::<Option<Value>>(&text).map_err(|error| error.to_string()))
            {
                Ok(Some(Value::Object(file))) => merge(&mut config, file),
                Ok(None) => settings.warn(format!("`{}` is empty", path.display())),
                Ok(Some(_)) => settings.warn(format!("`{}` is no map of settings", path.display())),
                Err(error) => settings.warn(format!("Cannot read `{}`: {error}", path.display())),
            }
            settings.file = Some(path);
        }
        settings.take_facets(&config);
        let named =
            config.get("transport").and_then(Value::as_object).filter(|transport| transport.contains_key("type"));
        let result = match (named, variable("OPENLINEAGE_URL")) {
            (Some(transport), _) => settings.transport(transport).map(Some),
            (None, Some(url)) => Ok(Some(TransportSettings::Http(HttpSettings {
                endpoint: variable("OPENLINEAGE_ENDPOINT").unwrap_or("api/v1/lineage").to_owned(),
                api_key: variable("OPENLINEAGE_API_KEY").map(Secret::new),
                ..HttpSettings::new(url)
            }))),
            (None, None) => Ok(None),
        };
        match result {
            Ok(transport) => settings.transport = transport,
            Err(message) => settings.warn(message),
        }
        settings
    }

    fn warn(&mut self, message: String) {
        self.warnings.push(message);
    }

    fn read_parent(&mut self, parent: Option<&str>, root: Option<&str>) -> Option<ParentReference> {
        let mut read = |name: &str, text: &str| {
            let reference = ParentReference::parse(text);
            if reference.is_none() {
                self.warn(format!("`{name}` is not NAMESPACE/NAME/RUN_ID and is left out"));
            }
            reference
        };
        let mut parent = read("OPENLINEAGE_PARENT_ID", parent?)?;
        parent.root = root
            .and_then(|root| read("OPENLINEAGE_ROOT_PARENT_ID", root))
            .map(|root| (root.namespace, root.name, root.run_id));
        Some(parent)
    }

    fn take_facets(&mut self, config: &Map<String, Value>) {
        self.environment_variables = match config.get("facets").and_then(|facets| facets.get("environment_variables")) {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(names)) => names.split(',').map(|name| name.trim().to_owned()).collect(),
            _ => Vec::new(),
        };
        let tags = |kind: &str| {
            let tags = config.get("tags").and_then(|tags| tags.get(kind)).and_then(Value::as_object);
            tags.into_iter().flatten().map(|(key, value)| (key.clone(), text_of(value))).collect()
        };
        self.job_tags = tags("job");
        self.run_tags = tags("run");
        for section in ["filters", "dataset"] {
            if config.get(section).is_some_and(|value| !value.is_null()) {
                self.warn(format!("`{section}` of the OpenLineage configuration is not supported and is left out"));
            }
        }
    }

    fn transport(&mut self, config: &Map<String, Value>) -> Result<TransportSettings, String> {
        let kind = config.get("type").map(text_of).unwrap_or_default();
        match kind.as_str() {
            "http" | "async_http" => self.http(config).map(TransportSettings::Http),
            "console" => Ok(TransportSettings::Console),
            "noop" => Ok(TransportSettings::Noop),
            "file" => {
                let path = config.get("log_file_path").or_else(|| config.get("location")).map(text_of);
                let path = path.ok_or("The OpenLineage transport `file` has no `log_file_path`")?;
                let append = config.get("append").is_some_and(is_true);
                Ok(TransportSettings::File { path: path.strip_prefix("file://").unwrap_or(&path).into(), append })
            }
            "composite" => self.composite(config),
            other => Err(format!(
                "The OpenLineage transport `{other}` is not supported: use `http`, `file`, `console`, `composite` or `noop`"
            )),
        }
    }

    fn composite(&mut self, config: &Map<String, Value>) -> Result<TransportSettings, String> {
        let mut named: Vec<(i64, &Map<String, Value>)> = match config.get("transports") {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_object).map(|one| (0, one)).collect(),
            Some(Value::Object(map)) => map.values().filter_map(Value::as_object).map(|one| (0, one)).collect(),
            _ => Vec::new(),
        };
        if config.get("sort_transports").is_some_and(is_true) {
            for (priority, transport) in &mut named {
                *priority = transport.get("priority").and_then(|value| text_of(value).parse().ok()).unwrap_or(0);
            }
            named.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
        }
        let mut transports = Vec::new();
        for (_, transport) in named {
            match self.transport(transport) {
                Ok(transport) => transports.push(transport),
                Err(message) => self.warn(message),
            }
        }
        if transports.is_empty() {
            return Err("The OpenLineage transport `composite` has no transport that is supported".to_owned());
        }
        let or_true = |key: &str| config.get(key).is_none_or(is_true);
        Ok(TransportSettings::Composite {
            transports,
            continue_on_failure: or_true("continue_on_failure"),
            continue_on_success: or_true("continue_on_success"),
        })
    }

    fn http(&mut self, config: &Map<String, Value>) -> Result<HttpSettings, String> {
        let any = |keys: &[&str]| keys.iter().find_map(|key| config.get(*key));
        let url = config.get("url").map(text_of).ok_or("The OpenLineage transport `http` has no `url`")?;
        let mut settings = HttpSettings::new(url);
        if let Some(endpoint) = config.get("endpoint") {
            settings.endpoint = text_of(endpoint);
        }
        if let Some(seconds) = config.get("timeout").and_then(number_of) {
            settings.timeout = Duration::try_from_secs_f64(seconds).unwrap_or(settings.timeout);
        }
        settings.verify = config.get("verify").is_none_or(is_true);
        if let Some(auth) = config.get("auth").and_then(Value::as_object) {
            match auth.get("type").map(text_of).as_deref() {
                Some("api_key") => {
                    let key = ["apiKey", "apikey", "api_key"].iter().find_map(|key| auth.get(*key));
                    settings.api_key = key.map(|key| Secret::new(text_of(key)));
                }
                None => {}
                Some(other) => {
                    return Err(format!("The OpenLineage authentication `{other}` is not supported: use `api_key`"));
                }
            }
        }
        match config.get("compression").map(text_of).as_deref() {
            None | Some("" | "null") => {}
            Some("gzip") => settings.gzip = true,
            Some(other) => self.warn(format!("The compression `{other}` is not supported and is left out")),
        }
        if let Some(headers) = any(&["custom_headers", "customHeaders", "headers"]).and_then(Value::as_object) {
            settings.headers =
                headers.iter().map(|(name, value)| (name.clone(), Secret::new(text_of(value)))).collect();
        }
        if let Some(retry) = config.get("retry").and_then(Value::as_object) {
            if let Some(total) = retry.get("total").and_then(number_of) {
                settings.retries = total.max(0.0) as u32;
            }
            if let Some(factor) = retry.get("backoff_factor").and_then(number_of) {
                settings.backoff = Duration::try_from_secs_f64(factor).unwrap_or(settings.backoff);
            }
        }
        if let Some(context) = any(&["sslContext", "ssl_context", "sslcontext"]).and_then(Value::as_object) {
            let path = ["caCertPath", "ca_cert_path", "cacertpath"].iter().find_map(|key| context.get(*key));
            settings.ca_certificate = path.map(|path| PathBuf::from(text_of(path)));
            if ["clientCertPath", "client_cert_path", "clientcertpath"].iter().any(|key| context.contains_key(*key)) {
                return Err("Client certificates of the OpenLineage transport `http` are not supported".to_owned());
            }
        }
        Ok(settings)
    }
}

/// Returns the nested variables as a document; keys in small letters, values as JSON where they are.
fn nested(variables: &BTreeMap<String, String>) -> Map<String, Value> {
    let mut config = Map::new();
    // In reverse, so that a variable that gives a whole section comes after those of its keys.
    for (name, text) in variables.iter().rev() {
        let Some(path) = name.strip_prefix(NESTED).filter(|path| !path.is_empty()) else { continue };
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()));
        let path: Vec<String> = path.split("__").map(str::to_lowercase).collect();
        insert(&mut config, &path, value);
    }
    config
}

fn insert(config: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [key] => {
            config.insert(key.clone(), value);
        }
        [key, rest @ ..] => {
            let section = config.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
            if !section.is_object() {
                *section = Value::Object(Map::new());
            }
            if let Value::Object(section) = section {
                insert(section, rest, value);
            }
        }
    }
}

/// Puts the transport that `OPENLINEAGE_URL` describes among those of a composite, as the official client does.
fn alias_url(config: &mut Map<String, Value>, variables: &BTreeMap<String, String>) {
    let Some(url) = variables.get("OPENLINEAGE_URL").filter(|url| !url.is_empty()) else { return };
    let prefix = format!("{NESTED}TRANSPORT__TRANSPORTS__{}", URL_TRANSPORT.to_uppercase());
    if variables.keys().any(|name| name.starts_with(&prefix)) {
        return;
    }
    let mut set = |keys: &[&str], value: Value| {
        let path: Vec<String> = ["transport"].iter().chain(keys).map(|&key| key.to_owned()).collect();
        insert(config, &path, value);
    };
    let auth = variables.get("OPENLINEAGE_API_KEY").map(|key| serde_json::json!({"type": "api_key", "apiKey": key}));
    let endpoint = variables.get("OPENLINEAGE_ENDPOINT").map(|endpoint| Value::String(endpoint.clone()));
    let transport = ["transports", URL_TRANSPORT];
    set(&[transport[0], transport[1], "type"], Value::String("http".to_owned()));
    set(&[transport[0], transport[1], "url"], Value::String(url.clone()));
    for (key, value) in [("auth", &auth), ("endpoint", &endpoint)] {
        if let Some(value) = value {
            set(&[transport[0], transport[1], key], value.clone());
        }
    }
    // The asynchronous transport takes the plain variables too.
    if variables.get("OPENLINEAGE__TRANSPORT__TYPE").is_some_and(|kind| kind == "async_http") {
        let absent = |key: &str| !variables.contains_key(&format!("{NESTED}TRANSPORT__{key}"));
        if absent("URL") {
            set(&["url"], Value::String(url.clone()));
        }
        for (name, key, value) in [("AUTH", "auth", auth), ("ENDPOINT", "endpoint", endpoint)] {
            if let Some(value) = value.filter(|_| absent(name)) {
                set(&[key], value);
            }
        }
    }
}

/// Merges a document into another, deeply; its values win.
fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn number_of(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| number.is_finite())
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::String(text) => ["true", "1", "yes", "on"].contains(&text.trim().to_lowercase().as_str()),
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)], yml: Option<&str>) -> std::io::Result<ClientSettings> {
        let folder = tempfile::tempdir()?;
        if let Some(yml) = yml {
            hotpass_core::write_atomic(folder.path().join("openlineage.yml"), yml)?;
        }
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ok(ClientSettings::read(&variables, folder.path(), None))
    }

    fn http(settings: &ClientSettings) -> Option<&HttpSettings> {
        match settings.transport.as_ref()? {
            TransportSettings::Http(http) => Some(http),
            _ => None,
        }
    }

    #[test]
    fn nothing_named_sends_nothing() -> std::io::Result<()> {
        assert_eq!(read(&[], None)?, ClientSettings::default());
        assert!(read(&[("OPENLINEAGE_DISABLED", " True ")], None)?.disabled);
        let missing = read(&[("OPENLINEAGE_CONFIG", "nowhere/lineage.yml")], None)?;
        assert_eq!(missing.warnings, ["`nowhere/lineage.yml` of OPENLINEAGE_CONFIG is not there"]);
        Ok(())
    }

    #[test]
    fn the_plain_variables_make_an_http_transport() -> std::io::Result<()> {
        let settings = read(
            &[
                ("OPENLINEAGE_URL", "http://marquez:5000"),
                ("OPENLINEAGE_API_KEY", "k3y"),
                ("OPENLINEAGE_ENDPOINT", "api/v2/lineage"),
                ("OPENLINEAGE_NAMESPACE", "team"),
            ],
            None,
        )?;
        let http = http(&settings).expect("an HTTP transport");
        assert_eq!(http.target().ok().as_deref(), Some("http://marquez:5000/api/v2/lineage"));
        assert_eq!(http.api_key, Some(Secret::new("k3y")));
        assert_eq!(settings.namespace.as_deref(), Some("team"));
        assert!(!format!("{settings:?}").contains("k3y"), "a key shows itself nowhere");
        Ok(())
    }

    #[test]
    fn the_nested_variables_are_read_as_the_official_client_reads_them() -> std::io::Result<()> {
        let settings = read(
            &[
                ("OPENLINEAGE__TRANSPORT__TYPE", "http"),
                ("OPENLINEAGE__TRANSPORT__URL", "https://lineage.example"),
                ("OPENLINEAGE__TRANSPORT__AUTH", r#"{"type":"api_key","apiKey":"k"}"#),
                ("OPENLINEAGE__TRANSPORT__COMPRESSION", "gzip"),
                ("OPENLINEAGE__TRANSPORT__TIMEOUT", "2.5"),
                ("OPENLINEAGE__TRANSPORT__RETRY", r#"{"total":1}"#),
                ("OPENLINEAGE__FACETS__ENVIRONMENT_VARIABLES", r#"["DEPLOYMENT"]"#),
                ("OPENLINEAGE__TAGS__JOB", r#"{"team":"data"}"#),
                // A transport that is named wins over the plain address.
                ("OPENLINEAGE_URL", "http://other"),
            ],
            None,
        )?;
        let http = http(&settings).expect("an HTTP transport");
        assert_eq!((http.url.as_str(), http.gzip, http.retries), ("https://lineage.example", true, 1));
        assert_eq!((http.timeout, &http.api_key), (Duration::from_millis(2500), &Some(Secret::new("k"))));
        assert_eq!(settings.environment_variables, ["DEPLOYMENT"]);
        assert_eq!(settings.job_tags.get("team").map(String::as_str), Some("data"));
        Ok(())
    }

    #[test]
    fn the_address_joins_a_composite() -> std::io::Result<()> {
        let settings = read(
            &[
                ("OPENLINEAGE__TRANSPORT__TYPE", "composite"),
                ("OPENLINEAGE__TRANSPORT__TRANSPORTS__LOCAL__TYPE", "file"),
                ("OPENLINEAGE__TRANSPORT__TRANSPORTS__LOCAL__LOG_FILE_PATH", "events.ndjson"),
                ("OPENLINEAGE__TRANSPORT__TRANSPORTS__LOCAL__APPEND", "true"),
                ("OPENLINEAGE_URL", "http://marquez:5000"),
            ],
            None,
        )?;
        let Some(TransportSettings::Composite { transports, continue_on_failure, .. }) = &settings.transport else {
            panic!("{settings:?}");
        };
        assert!(continue_on_failure);
        assert!(transports.contains(&TransportSettings::File { path: "events.ndjson".into(), append: true }));
        assert!(transports.contains(&TransportSettings::Http(HttpSettings::new("http://marquez:5000"))));
        Ok(())
    }

    #[test]
    fn the_file_wins_over_nested_variables() -> std::io::Result<()> {
        let yml =
            "transport:\n  type: http\n  url: http://from-file\n  verify: false\n  custom_headers:\n    X-Team: data\n";
        let settings = read(&[("OPENLINEAGE__TRANSPORT__URL", "http://from-env")], Some(yml))?;
        let http = http(&settings).expect("an HTTP transport");
        assert_eq!((http.url.as_str(), http.verify), ("http://from-file", false));
        assert_eq!(http.headers.get("X-Team"), Some(&Secret::new("data")));
        assert!(settings.file.is_some());
        Ok(())
    }

    #[test]
    fn what_is_not_supported_is_said_and_left_out() -> std::io::Result<()> {
        let kafka = read(&[], Some("transport: {type: kafka, topic: x}"))?;
        assert_eq!(kafka.transport, None);
        assert!(kafka.warnings[0].contains("kafka"), "{:?}", kafka.warnings);
        let broken = read(&[("OPENLINEAGE_URL", "http://m")], Some("transport: [1"))?;
        assert!(http(&broken).is_some(), "a broken file does not stop the variables");
        assert_eq!(broken.warnings.len(), 1);
        let oauth = read(&[], Some("transport: {type: http, url: 'http://m', auth: {type: oauth2}}"))?;
        assert_eq!(oauth.transport, None, "sending without the authentication that was asked for would be wrong");
        Ok(())
    }

    #[test]
    fn a_parent_is_namespace_name_and_run() -> std::io::Result<()> {
        let id = "0190163d-8694-739b-aea5-966c26f8ad91";
        let settings = read(
            &[
                ("OPENLINEAGE_PARENT_ID", &format!("airflow://prod/dag.task/{id}")),
                ("OPENLINEAGE_ROOT_PARENT_ID", &format!("airflow://prod/dag/{id}")),
            ],
            None,
        )?;
        let parent = settings.parent.expect("a parent");
        assert_eq!((parent.namespace.as_str(), parent.name.as_str()), ("airflow://prod", "dag.task"));
        assert_eq!(parent.root.map(|root| root.1).as_deref(), Some("dag"));
        for text in ["", "a/b", "a/b/not-a-uuid", &format!("/b/{id}"), &format!("a//{id}")] {
            assert_eq!(ParentReference::parse(text), None, "{text}");
        }
        assert_eq!(read(&[("OPENLINEAGE_PARENT_ID", "x")], None)?.warnings.len(), 1);
        Ok(())
    }
}
