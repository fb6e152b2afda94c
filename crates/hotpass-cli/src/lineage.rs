//! What the environment and the configuration say about lineage, handed to the libraries.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use hotpass_config::HotpassConfig;
use hotpass_config::model::LineageTransport;
use hotpass_core::{Secret, SecretReference};
use hotpass_lineage::{
    ClientSettings, Emitter, EmitterOptions, Spool, delivery::Retry, emitter::Delivery, error::SendError,
    transport::Headers, transport::HttpSettings, transport::Transport, transport::TransportSettings,
};
use hotpass_pipeline::LineageServices;

use crate::context::{ConfigArgs, Context};

/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Returns the variables of Hotpass and of the official client as keys of the configuration.
///
/// A variable that names the key itself wins.
pub(crate) fn configuration_variables() -> Vec<(String, String)> {
    let of = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let mut variables = Vec::new();
    let mut set = |key: &str, value: Option<String>| {
        let name = format!("HOTPASS__LINEAGE__{key}");
        if let Some(value) = value.filter(|_| std::env::var_os(&name).is_none()) {
            variables.push((name, value));
        }
    };
    set("NAMESPACE", of("HOTPASS_LINEAGE_NAMESPACE").or_else(|| of("OPENLINEAGE_NAMESPACE")));
    set("PRODUCER", of("HOTPASS_LINEAGE_PRODUCER"));
    let disabled = of("HOTPASS_DISABLE_LINEAGE")
        .is_some_and(|value| ["1", "true", "yes", "on"].contains(&value.trim().to_ascii_lowercase().as_str()));
    set("ENABLED", disabled.then(|| "false".to_owned()));
    variables
}

/// Where events go, and what the official client's environment says besides.
pub(crate) struct LineageSetup {
    /// How events are sent, where they are.
    pub(crate) transport: Option<TransportSettings>,
    /// Why they cannot be sent, where they should be.
    unusable: Option<String>,
    client: ClientSettings,
}

impl LineageSetup {
    /// Reads the environment and the configuration.
    pub(crate) fn read(config: &HotpassConfig, context: &mut Context) -> Self {
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with("OPENLINEAGE_"))
            .collect();
        let folder = std::env::current_dir().unwrap_or_default();
        let home = std::env::home_dir();
        let client = ClientSettings::read(&variables, &folder, home.as_deref());
        for warning in &client.warnings {
            context.printer.warning(warning);
        }
        let (transport, unusable) = match own_transport(&config.lineage.transport) {
            Ok(None) if client.disabled => (None, None),
            Ok(None) => (client.transport.clone(), None),
            Ok(own) => (own, None),
            Err(message) => (None, Some(message)),
        };
        Self { transport, unusable, client }
    }

    /// Returns whether events are to be sent anywhere.
    pub(crate) fn sends(&self) -> bool {
        self.transport.is_some() || self.unusable.is_some()
    }

    /// Sets the transport up; one that cannot be used refuses every event, so that all of them wait on disk.
    pub(crate) fn build(&self) -> Box<dyn Transport> {
        let console = || Box::new(std::io::stderr()) as Box<dyn Write + Send>;
        let refused = match (&self.transport, &self.unusable) {
            (Some(settings), None) => match settings.build(&console) {
                Ok(transport) => return transport,
                Err(error) => error.to_string(),
            },
            (_, Some(message)) => message.clone(),
            (None, None) => "No transport is set".to_owned(),
        };
        Box::new(Unusable(refused))
    }

    /// Returns how often and after which pauses an event is sent again.
    pub(crate) fn retry(&self) -> Retry {
        fn of(settings: &TransportSettings) -> Option<Retry> {
            match settings {
                TransportSettings::Http(http) => {
                    Some(Retry { retries: http.retries, backoff: http.backoff, longest: LONGEST_PAUSE })
                }
                TransportSettings::Composite { transports, .. } => {
                    transports.iter().filter_map(of).max_by_key(|retry| retry.retries)
                }
                _ => None,
            }
        }
        let none = Retry { retries: 0, ..Retry::default() };
        self.transport.as_ref().and_then(of).unwrap_or(none)
    }
}

/// Returns the folder of events that wait.
pub(crate) fn spool(dist_dir: &Path, limit: Option<u64>) -> Spool {
    let spool = Spool::new(dist_dir.join("lineage"));
    match limit {
        Some(limit) => spool.with_limit(limit),
        None => spool,
    }
}

/// Returns the configuration for a command that has none of its own: that of the folder and the environment, else the
/// default.
pub(crate) fn configuration_alone(dist_dir: &Path, context: &mut Context) -> HotpassConfig {
    // A configuration that is wrong is told about by the commands that need it.
    let mut config = ConfigArgs::default().load(context).map(|loaded| loaded.config).unwrap_or_default();
    config.pipeline.dist_dir = dist_dir.to_path_buf();
    config
}

/// Returns what a run is told of lineage, with the thread that sends its events.
pub(crate) fn services(config: &HotpassConfig, context: &mut Context) -> LineageServices {
    if !config.lineage.enabled {
        return LineageServices::default();
    }
    let setup = LineageSetup::read(config, context);
    let mut services = LineageServices {
        parent: setup.client.parent.clone(),
        environment: shown_variables(config, &setup.client),
        job_tags: setup.client.job_tags.clone(),
        run_tags: setup.client.run_tags.clone(),
        workspace: std::env::current_dir().ok(),
        config: Some(config.lineage.clone()),
        ..LineageServices::default()
    };
    if setup.sends() {
        let options = EmitterOptions {
            retry: setup.retry(),
            spool: Some(spool(&config.pipeline.dist_dir, Some(config.lineage.spool_limit_bytes))),
            headers: Some(context.telemetry.header_provider()),
            ..EmitterOptions::default()
        };
        match Emitter::start(setup.build(), options) {
            Ok(emitter) => services.emitter = emitter,
            Err(error) => context.printer.warning(format_args!("Lineage is not sent: {error}")),
        }
    }
    services
}

/// Waits for the events of a run, within the limit of the configuration, and says what became of them.
pub(crate) fn finish(emitter: &Emitter, config: &HotpassConfig, context: &mut Context) {
    if !emitter.is_active() {
        return;
    }
    let limit = Duration::try_from_secs_f64(config.lineage.flush_seconds).unwrap_or_default();
    let Delivery { emitted, spooled, lost, displaced, last_error, .. } = emitter.finish(limit);
    let why = last_error.map(|error| format!(": {error}")).unwrap_or_default();
    if lost > 0 {
        context.printer.warning(format_args!("{lost} of {emitted} lineage events could neither be sent nor kept{why}"));
    }
    if displaced > 0 {
        context.printer.warning(format_args!(
            "{displaced} older lineage events made way for newer ones, since `lineage.spool_limit_bytes` is reached"
        ));
        context.printer.hint("Each run keeps its events: `hotpass lineage replay --run ID` sends them again");
    }
    if spooled > 0 {
        context.printer.note(format_args!("{spooled} of {emitted} lineage events wait on disk{why}"));
        let folder = &config.pipeline.dist_dir;
        let folder =
            if folder == Path::new("dist") { String::new() } else { format!(" --dist-dir {}", folder.display()) };
        context.printer.hint(format_args!(
            "Send them with `hotpass lineage replay{folder}`; where the configuration names no server, with `--lineage-url`"
        ));
    }
}

/// Returns the variables that the configuration or the official client's one allows to be shown.
fn shown_variables(config: &HotpassConfig, client: &ClientSettings) -> BTreeMap<String, String> {
    let names = config.lineage.environment_variables.iter().chain(&client.environment_variables);
    names.filter_map(|name| Some((name.clone(), std::env::var(name).ok()?))).collect()
}

/// Returns the transport that the configuration names; nothing where it names none.
fn own_transport(config: &LineageTransport) -> Result<Option<TransportSettings>, String> {
    let mut transports = Vec::new();
    if let Some(url) = &config.url {
        transports.push(TransportSettings::Http(http(url, config)?));
    }
    if let Some(path) = &config.file {
        transports.push(TransportSettings::File { path: path.clone(), append: true });
    }
    if config.console {
        transports.push(TransportSettings::Console);
    }
    Ok(match transports.len() {
        0 => None,
        1 => transports.pop(),
        _ => Some(TransportSettings::Composite { transports, continue_on_failure: true, continue_on_success: true }),
    })
}

fn http(url: &str, config: &LineageTransport) -> Result<HttpSettings, String> {
    let secret = |reference: SecretReference| {
        reference.resolve(|name| std::env::var(name).ok()).map_err(|error| error.to_string())
    };
    let mut headers = BTreeMap::new();
    for (name, value) in &config.headers {
        let value = match value.parse::<SecretReference>() {
            Ok(reference) => secret(reference)?,
            Err(_) => Secret::new(value),
        };
        headers.insert(name.clone(), value);
    }
    let key = config.api_key.as_ref().map(|key| key.parse().map_err(|error| format!("{error}")).and_then(secret));
    Ok(HttpSettings {
        endpoint: config.endpoint.clone(),
        api_key: key.transpose()?,
        headers,
        gzip: config.gzip,
        timeout: Duration::try_from_secs_f64(config.timeout_seconds).unwrap_or(Duration::from_secs(5)),
        retries: config.retries,
        ca_certificate: config.ca_certificate.clone(),
        ..HttpSettings::new(url)
    })
}

/// Stands for a transport that cannot be set up.
struct Unusable(String);

impl Transport for Unusable {
    fn send(&self, _event: &str, _headers: &dyn Fn() -> Headers) -> Result<(), SendError> {
        Err(SendError::unavailable(self.0.clone()))
    }

    fn describe(&self) -> String {
        format!("nowhere ({})", self.0)
    }
}
