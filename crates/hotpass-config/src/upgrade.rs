//! Configuration files of the predecessor, flat and nested, into the present form.

use std::path::Path;

use serde_json::{Map, Value as Json};
use toml_edit::{DocumentMut, Item, Table, TableLike};

use crate::error::ConfigError;
use crate::node::{Node, Value};
use crate::overlay::{Overlay, OverlaySource};
use crate::parse::{self, Format};

/// Keys that have another place now, and why. The flat ones stood at the root.
const MOVED: &[(&str, &str, &str)] = &[
    ("input_dir", "pipeline.input_dir", "it belongs to the section of paths"),
    ("output_path", "pipeline.output_path", "it belongs to the section of paths"),
    ("dist_dir", "pipeline.dist_dir", "it belongs to the section of paths"),
    ("archive", "pipeline.archive", "it belongs to the run"),
    ("country_code", "pipeline.country_code", "it belongs to the run"),
    ("party_store_path", "pipeline.party_store_path", "it belongs to the section of paths"),
    ("log_format", "pipeline.log_format", "it belongs to the run"),
    ("report_path", "pipeline.report_path", "it belongs to the section of paths"),
    ("report_format", "pipeline.report_format", "it belongs to the run"),
    ("qa_mode", "pipeline.qa_mode", "it belongs to the run"),
    ("sensitive_fields", "pipeline.sensitive_fields", "it belongs to the run"),
    ("run_id", "pipeline.run_id", "it belongs to the run"),
    ("features.entity_resolution", "features.resolve", "the stage is called resolve"),
    ("features.observability", "telemetry.enabled", "one switch is enough"),
    ("observability", "telemetry.enabled", "it belongs to the section of telemetry"),
    ("pipeline.observability", "telemetry.enabled", "it belongs to the section of telemetry"),
    ("telemetry.otlp_endpoint", "telemetry.otlp.endpoint", "the way to the collector has a section of its own"),
    (
        "telemetry.otlp_metrics_endpoint",
        "telemetry.otlp.metrics_endpoint",
        "the way to the collector has a section of its own",
    ),
    ("telemetry.otlp_insecure", "telemetry.otlp.insecure", "the way to the collector has a section of its own"),
    ("telemetry.otlp_timeout", "telemetry.otlp.timeout_seconds", "the way to the collector has a section of its own"),
    ("pipeline.acquisition.enabled", "features.acquisition", "features switch stages on"),
    ("compliance.lawful_basis", "governance.lawful_basis", "the basis is stated once"),
    ("compliance.audit_log_enabled", "compliance.audit_log", "switches carry no `enabled`"),
    ("governance.data_steward", "data_contract.steward", "the steward answers for the dataset"),
];

/// Keys that are gone, and why. `[]` stands for every item of a list.
const DROPPED: &[(&str, &str)] = &[
    ("expectation_suite", EXPECTATIONS),
    ("excel_chunk_size", READING),
    ("excel_engine", READING),
    ("excel_stage_dir", READING),
    ("pipeline.expectation_suite", EXPECTATIONS),
    ("pipeline.excel_chunk_size", READING),
    ("pipeline.excel_engine", READING),
    ("pipeline.excel_stage_dir", READING),
    ("pipeline.backfill", UNREAD),
    ("pipeline.incremental", UNREAD),
    ("pipeline.since", UNREAD),
    ("pipeline.intent", SERVICES),
    ("pipeline.intent_digest_path", SERVICES),
    ("pipeline.intent_signal_store_path", SERVICES),
    ("pipeline.intent_webhooks", SERVICES),
    ("pipeline.daily_list_path", SERVICES),
    ("pipeline.daily_list_size", SERVICES),
    ("pipeline.crm_endpoint", SERVICES),
    ("pipeline.crm_token", "a secret never stands in a configuration file; revoke it if the file was shared"),
    ("pipeline.automation_http", SERVICES),
    ("pipeline.acquisition.provenance_namespace", UNREAD),
    (
        "pipeline.acquisition.credentials",
        "a secret never stands in a configuration file; revoke it if the file was shared",
    ),
    ("pipeline.acquisition.agents.[].search_terms", UNREAD),
    ("pipeline.acquisition.agents.[].concurrency", UNREAD),
    ("pipeline.acquisition.agents.[].tasks", UNREAD),
    ("pipeline.acquisition.agents.[].providers.[].weight", UNREAD),
    ("pipeline.acquisition.agents.[].providers.[].options", UNREAD),
    ("profile.source_priorities", "a source of `profile.sources` carries its priority"),
    ("profile.custom_validators", UNREAD),
    ("profile.authority_sources", SERVICES),
    ("profile.research_backfill", SERVICES),
    ("profile.research_rate_limit", SERVICES),
    ("features.enrichment", SERVICES),
    ("features.geospatial", SERVICES),
    ("features.dashboards", SERVICES),
    ("compliance.consent_overrides", SERVICES),
    ("compliance.pii_redaction.language", UNREAD),
    ("compliance.pii_redaction.score_threshold", UNREAD),
    ("compliance.pii_redaction.operator_params", UNREAD),
    ("compliance.pii_redaction.capture_entity_scores", UNREAD),
    ("data_contract.expectation_suite", EXPECTATIONS),
    ("data_contract.schema_descriptor", UNREAD),
    ("governance.approver", UNREAD),
    ("governance.review_interval_days", UNREAD),
    ("governance.audit_retention_days", "`compliance.retention_days` states how long data is kept"),
    ("telemetry.otlp_headers", "a header may be a secret: `telemetry.otlp.headers` names where its value is found"),
    ("telemetry.exporter_settings", "`telemetry.otlp` holds the way to the collector"),
    ("orchestrator", SERVICES),
];

const EXPECTATIONS: &str = "`profile.expectations` holds the checks themselves";
const READING: &str = "files are read in one pass, within `ingest.memory_limit_bytes`";
const UNREAD: &str = "nothing reads it";
const SERVICES: &str = "this version has no such stage";

/// What log redaction looked for, and the canonical field it means.
const SENSITIVE: &[(&str, &str)] = &[
    ("email", "contact_emails"),
    ("phone", "contact_phones"),
    ("cell", "contact_phones"),
    ("mobile", "contact_phones"),
    ("whatsapp", "contact_phones"),
    ("contact", "contact_names"),
];

/// Returns whether a key path, as problems name it, is one of the predecessor that an upgrade moves or drops.
pub fn is_legacy_key(key: &str) -> bool {
    let mut path = String::with_capacity(key.len());
    for (position, part) in key.split(['[', ']']).enumerate() {
        // Behind an opening bracket stands a number, which is any item of the list.
        path.push_str(if position % 2 == 1 { ".[]" } else { part });
    }
    MOVED.iter().any(|(from, ..)| *from == path) || DROPPED.iter().any(|(from, _)| *from == path)
}

/// A document in the present form, and what was done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgraded {
    /// The document; the text that was given when nothing had to be done.
    pub text: String,
    /// What was done, in the order it was done; empty when the document was in the present form already.
    pub notices: Vec<Notice>,
}

/// One thing that an upgrade did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `legacy.moved`, `legacy.dropped`, `legacy.renamed` or `legacy.comments`.
    pub code: &'static str,
    /// Key path in the old document.
    pub key: String,
    /// What was done and why.
    pub message: String,
}

/// Brings a document into the present form; `name` is the file that problems speak of.
///
/// Comments of TOML stay with their keys; those of YAML cannot, and a notice says so. Keys that neither the present
/// nor the old form knows are left in place, for loading to report.
///
/// # Errors
///
/// Returns the syntax errors of a document that cannot be read.
///
/// # Examples
///
/// ```
/// use hotpass_config::Format;
/// use hotpass_config::upgrade::upgrade;
///
/// let upgraded = upgrade("# In\ninput_dir = \"data\"\n", Format::Toml, "old.toml")?;
/// assert_eq!(upgraded.text, "[pipeline]\n# In\ninput_dir = \"data\"\n");
/// assert_eq!(upgraded.notices[0].code, "legacy.moved");
/// # Ok::<(), hotpass_config::ConfigError>(())
/// ```
pub fn upgrade(text: &str, format: Format, name: impl AsRef<Path>) -> Result<Upgraded, ConfigError> {
    let source = OverlaySource::File(name.as_ref().to_owned());
    let node = Overlay::read_unchecked(text, format, &source)?;
    let mut notices = Vec::new();
    if format == Format::Toml
        && let Ok(mut document) = text.parse::<DocumentMut>()
    {
        apply(&mut TomlDocument(&mut document), &mut notices);
        let upgraded = if notices.is_empty() { text.to_owned() } else { document.to_string() };
        return Ok(Upgraded { text: upgraded.trim_start_matches('\n').to_owned(), notices });
    }
    let mut json = to_json(&node);
    apply(&mut JsonDocument(&mut json), &mut notices);
    if notices.is_empty() {
        return Ok(Upgraded { text: text.to_owned(), notices });
    }
    if format == Format::Yaml && text.lines().any(|line| line.trim_start().starts_with('#') || line.contains(" #")) {
        notices.push(Notice {
            code: "legacy.comments",
            key: String::new(),
            message: "Comments are not carried over in YAML".into(),
        });
    }
    let text = match format {
        Format::Yaml => serde_saphyr::to_string(&json).unwrap_or_default(),
        _ => serde_json::to_string_pretty(&json).unwrap_or_default() + "\n",
    };
    Ok(Upgraded { text, notices })
}

/// A document that keys are moved in.
trait Document {
    /// Returns the text at a key of the root.
    fn root_text(&self, key: &str) -> Option<String>;
    /// Moves a value; false when the new place is taken, in which case the old value is dropped. Nothing when there is none.
    fn shift(&mut self, from: &[&str], to: &[&str]) -> Option<bool>;
    /// Drops values; returns how many.
    fn discard(&mut self, path: &[&str]) -> usize;
    /// Replaces words of a list of text by others; returns those that were replaced.
    fn rename_items(&mut self, path: &[&str], names: &[(&'static str, &'static str)]) -> Vec<&'static str>;
}

fn apply(document: &mut impl Document, notices: &mut Vec<Notice>) {
    let mut note = |code, key: &str, message: String| notices.push(Notice { code, key: key.to_owned(), message });
    if document.root_text("profile").is_some() && document.shift(&["profile"], &["profile", "name"]).is_some() {
        note("legacy.moved", "profile", "Moved to `profile.name`: a profile's settings stand beside its name".into());
    }
    for (from, to, why) in MOVED {
        let (from_steps, to_steps): (Vec<&str>, Vec<&str>) = (from.split('.').collect(), to.split('.').collect());
        match document.shift(&from_steps, &to_steps) {
            Some(true) => note("legacy.moved", from, format!("Moved to `{to}`: {why}")),
            Some(false) => note("legacy.dropped", from, format!("Dropped: `{to}` is given as well, and stays")),
            None => {}
        }
    }
    for (path, why) in DROPPED {
        if document.discard(&path.split('.').collect::<Vec<_>>()) > 0 {
            note("legacy.dropped", &path.replace(".[]", "[]"), format!("Dropped: {why}"));
        }
    }
    for old in document.rename_items(&["pipeline", "sensitive_fields"], SENSITIVE) {
        let new = SENSITIVE.iter().find(|(name, _)| *name == old).map_or("", |(_, new)| new);
        note("legacy.renamed", "pipeline.sensitive_fields", format!("Renamed `{old}` to `{new}`: fields are named"));
    }
}

struct TomlDocument<'a>(&'a mut DocumentMut);

impl TomlDocument<'_> {
    fn table(&mut self, path: &[&str]) -> Option<&mut dyn TableLike> {
        let mut table: &mut dyn TableLike = self.0.as_table_mut();
        for step in path {
            table = table.get_mut(step)?.as_table_like_mut()?;
        }
        Some(table)
    }
}

impl Document for TomlDocument<'_> {
    fn root_text(&self, key: &str) -> Option<String> {
        self.0.get(key)?.as_str().map(str::to_owned)
    }

    fn shift(&mut self, from: &[&str], to: &[&str]) -> Option<bool> {
        let (from_key, from_path) = from.split_last()?;
        let (to_key, to_path) = to.split_last()?;
        let table = self.table(from_path)?;
        let decor = table.key(from_key)?.leaf_decor().clone();
        let item = table.remove(from_key)?;
        let mut target: &mut dyn TableLike = self.0.as_table_mut();
        for step in to_path {
            if !target.contains_key(step) {
                target.insert(step, Item::Table(Table::new()));
            }
            target = target.get_mut(step)?.as_table_like_mut()?;
        }
        if target.contains_key(to_key) {
            return Some(false);
        }
        target.insert(to_key, item);
        if let Some(mut key) = target.key_mut(to_key) {
            *key.leaf_decor_mut() = decor;
        }
        Some(true)
    }

    fn discard(&mut self, path: &[&str]) -> usize {
        discard_toml(self.0.as_table_mut(), path)
    }

    fn rename_items(&mut self, path: &[&str], names: &[(&'static str, &'static str)]) -> Vec<&'static str> {
        let Some((key, path)) = path.split_last() else { return Vec::new() };
        let Some(list) = self.table(path).and_then(|table| table.get_mut(key)?.as_array_mut()) else {
            return Vec::new();
        };
        let mut renamed = Vec::new();
        for index in 0..list.len() {
            let text = list.get(index).and_then(toml_edit::Value::as_str);
            if let Some((old, new)) = names.iter().find(|(old, _)| text == Some(*old)) {
                list.replace(index, *new);
                renamed.push(*old);
            }
        }
        renamed
    }
}

fn discard_toml(table: &mut dyn TableLike, path: &[&str]) -> usize {
    let Some((key, rest)) = path.split_first() else { return 0 };
    if rest.is_empty() {
        return usize::from(table.remove(key).is_some());
    }
    let Some(item) = table.get_mut(key) else { return 0 };
    if rest[0] != "[]" {
        return item.as_table_like_mut().map_or(0, |table| discard_toml(table, rest));
    }
    if let Some(tables) = item.as_array_of_tables_mut() {
        return tables.iter_mut().map(|table| discard_toml(table, &rest[1..])).sum();
    }
    let values = item.as_array_mut().into_iter().flat_map(toml_edit::Array::iter_mut);
    values.filter_map(toml_edit::Value::as_inline_table_mut).map(|table| discard_toml(table, &rest[1..])).sum()
}

struct JsonDocument<'a>(&'a mut Json);

impl JsonDocument<'_> {
    fn map(&mut self, path: &[&str]) -> Option<&mut Map<String, Json>> {
        let mut value = &mut *self.0;
        for step in path {
            value = value.get_mut(step)?;
        }
        value.as_object_mut()
    }
}

impl Document for JsonDocument<'_> {
    fn root_text(&self, key: &str) -> Option<String> {
        self.0.get(key)?.as_str().map(str::to_owned)
    }

    fn shift(&mut self, from: &[&str], to: &[&str]) -> Option<bool> {
        let (from_key, from_path) = from.split_last()?;
        let (to_key, to_path) = to.split_last()?;
        let item = self.map(from_path)?.shift_remove(*from_key)?;
        let mut target = self.0.as_object_mut()?;
        for step in to_path {
            target = target.entry(*step).or_insert_with(|| Json::Object(Map::new())).as_object_mut()?;
        }
        if target.contains_key(*to_key) {
            return Some(false);
        }
        target.insert((*to_key).to_owned(), item);
        Some(true)
    }

    fn discard(&mut self, path: &[&str]) -> usize {
        discard_json(self.0, path)
    }

    fn rename_items(&mut self, path: &[&str], names: &[(&'static str, &'static str)]) -> Vec<&'static str> {
        let Some((key, path)) = path.split_last() else { return Vec::new() };
        let Some(list) = self.map(path).and_then(|map| map.get_mut(*key)?.as_array_mut()) else { return Vec::new() };
        let mut renamed = Vec::new();
        for item in list {
            if let Some((old, new)) = names.iter().find(|(old, _)| item.as_str() == Some(old)) {
                *item = Json::from(*new);
                renamed.push(*old);
            }
        }
        renamed
    }
}

fn discard_json(value: &mut Json, path: &[&str]) -> usize {
    match path {
        [] => 0,
        ["[]", rest @ ..] => value.as_array_mut().into_iter().flatten().map(|item| discard_json(item, rest)).sum(),
        [key] => usize::from(value.as_object_mut().and_then(|map| map.shift_remove(*key)).is_some()),
        [key, rest @ ..] => value.get_mut(*key).map_or(0, |value| discard_json(value, rest)),
    }
}

fn to_json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Boolean(value) => Json::from(*value),
        Value::Integer(value) => Json::from(*value),
        Value::Number(value) => Json::from(*value),
        Value::Text(text) => Json::from(text.as_ref()),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(entries) => {
            entries.iter().map(|entry| (entry.key.as_ref().to_owned(), to_json(&entry.node))).collect()
        }
    }
}

impl Overlay {
    /// Reads a document without holding it to the present form.
    fn read_unchecked(text: &str, format: Format, source: &OverlaySource) -> Result<Node, ConfigError> {
        parse::parse(text, format).map_err(|errors| Self::syntax_errors(errors, text, source))
    }
}
