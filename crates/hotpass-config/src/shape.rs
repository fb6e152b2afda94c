//! The shape of the configuration: which keys there are, what each takes, how layers merge.
//!
//! Each section is named once below with its fields; a document is checked against that table,
//! applied by it, and the schema takes its merge rules from it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::{ConfigProblem, ProblemKind};
use crate::model::{
    Acquisition, Agent, Argument, Classification, Compliance, ConsentPolicy, DataContract, Expectation,
    ExpectationSeverity, Features, Governance, GroupingKey, HotpassConfig, Ingest, LawfulBasis, Lineage,
    LineageTransport, LogFormat, PiiRedaction, Pipeline, Profile, Provenance, Provider, QaMode, Quality,
    RedactionOperator, ReportFormat, Resolve, SetValue, Source, Survivorship, SurvivorshipRule, Target,
};
use crate::node::{Node, Value};
use crate::path::Path;
use crate::telemetry::{OtlpCompression, OtlpProtocol, Telemetry, TelemetryExporter, TelemetryLevel, TelemetryOtlp};

/// What a value may be.
#[derive(Debug)]
pub(crate) enum Shape {
    Text,
    Boolean,
    Integer {
        minimum: i64,
        maximum: i64,
    },
    Number,
    Choice(&'static [&'static str]),
    Optional(&'static Shape),
    List(&'static Shape),
    Map(&'static Shape),
    Section(&'static [Field]),
    /// Text, a number, true or false.
    Scalar,
    /// Whatever a document can say.
    Any,
}

/// A field of a section.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: &'static Shape,
    pub(crate) rule: Rule,
}

/// How a field behaves beside its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A layer's value replaces the inherited one; maps and sections merge by key.
    Plain,
    /// A layer's list is put after the inherited one.
    Append,
    /// The key must be given.
    Required,
}

impl Shape {
    /// Returns what is expected, for messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Boolean => "true or false".into(),
            Self::Integer { minimum, maximum } => match (*minimum, *maximum) {
                (0, i64::MAX) => "a whole number, 0 or more".into(),
                (i64::MIN, i64::MAX) => "a whole number".into(),
                (minimum, maximum) => format!("a whole number from {minimum} to {maximum}"),
            },
            Self::Number => "a number".into(),
            Self::Choice(names) => format!("one of {}", quoted(names)),
            Self::Optional(inner) => inner.describe(),
            Self::List(item) => match item {
                Self::Section(_) | Self::Map(_) => "a list of maps".into(),
                item => format!("a list of {}", item.describe()),
            },
            Self::Map(item) => format!("a map from text to {}", item.describe()),
            Self::Section(_) => "a map of settings".into(),
            Self::Scalar => "text, a number, true or false".into(),
            Self::Any => "any value".into(),
        }
    }

    /// Returns the shape without `Optional` around it.
    pub(crate) const fn bare(&self) -> &Self {
        match self {
            Self::Optional(inner) => inner,
            shape => shape,
        }
    }

    /// Returns the fields of a section.
    pub(crate) const fn fields(&self) -> &'static [Field] {
        match self {
            Self::Section(fields) => fields,
            _ => &[],
        }
    }

    /// Checks a value, deeply; puts every problem into `problems`.
    pub(crate) fn check(&'static self, node: &Node, path: &Path<'_>, problems: &mut Vec<ConfigProblem>) {
        match (self, &node.value) {
            (Self::Section(fields), Value::Null) if fields.iter().all(|field| field.rule != Rule::Required) => {}
            (Self::Any, _)
            | (Self::Optional(_) | Self::Map(_), Value::Null)
            | (Self::Text, Value::Text(_))
            | (Self::Boolean, Value::Boolean(_))
            | (Self::Number, Value::Integer(_))
            | (Self::Scalar, Value::Text(_) | Value::Boolean(_) | Value::Integer(_)) => {}
            (Self::Number | Self::Scalar, Value::Number(number)) if number.is_finite() => {}
            (Self::Optional(inner), _) => inner.check(node, path, problems),
            (Self::Integer { minimum, maximum }, Value::Integer(value)) if (minimum..=maximum).contains(&value) => {}
            (Self::Choice(names), Value::Text(text)) => {
                if !names.contains(&&**text) {
                    let nearest = hotpass_core::nearest(text, names.iter().copied());
                    problems.push(
                        ConfigProblem::new(ProblemKind::InvalidValue, format!("Unknown choice: `{text}`"))
                            .at(path, node.offset)
                            .expecting(self.describe())
                            .near(nearest),
                    );
                }
            }
            (Self::List(item), Value::List(nodes)) => {
                for (index, node) in nodes.iter().enumerate() {
                    item.check(node, &path.index(index), problems);
                }
            }
            (Self::Map(item), Value::Map(entries)) => {
                for entry in entries {
                    item.check(&entry.node, &path.key(&entry.key), problems);
                }
            }
            (Self::Section(fields), Value::Map(entries)) => {
                for entry in entries {
                    let path = path.key(&entry.key);
                    match fields.iter().find(|field| field.name == &*entry.key) {
                        Some(field) => field.shape.check(&entry.node, &path, problems),
                        None => problems.push(unknown_key(&entry.key, fields).at(&path, entry.key_offset)),
                    }
                }
                for field in fields.iter().filter(|field| field.rule == Rule::Required) {
                    if !entries.iter().any(|entry| &*entry.key == field.name) {
                        problems.push(
                            ConfigProblem::new(ProblemKind::MissingKey, format!("Missing key: `{}`", field.name))
                                .at(path, node.offset)
                                .expecting(field.shape.describe()),
                        );
                    }
                }
            }
            _ => problems.push(
                ConfigProblem::new(
                    ProblemKind::WrongType,
                    format!("Expected {}, found {}", self.describe(), found(node)),
                )
                .at(path, node.offset)
                .expecting(self.describe()),
            ),
        }
    }
}

/// Returns the problem of a key that a section does not have.
pub(crate) fn unknown_key(key: &str, fields: &'static [Field]) -> ConfigProblem {
    let names = fields.iter().map(|field| field.name);
    ConfigProblem::new(ProblemKind::UnknownKey, format!("Unknown key: `{key}`"))
        .expecting(format!("one of {}", quoted(&names.clone().collect::<Vec<_>>())))
        .near(hotpass_core::nearest(key, names))
}

fn found(node: &Node) -> String {
    match &node.value {
        Value::Boolean(value) => format!("`{value}`"),
        Value::Integer(value) => format!("`{value}`"),
        Value::Number(value) => format!("`{value}`"),
        _ => node.describe().to_owned(),
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A part of the configuration that layers are applied to.
pub(crate) trait Layered: Sized {
    /// What a document may say of it.
    const SHAPE: &'static Shape;

    /// Returns what a list's new item starts from.
    fn blank() -> Self;

    /// Applies a checked value; returns the number of values that were set.
    ///
    /// The cost is that of the value. What the value does not speak of is not looked at.
    fn apply(&mut self, node: &Node) -> usize;

    /// Applies a checked value after what is there; only lists differ from [`Layered::apply`].
    fn apply_after(&mut self, node: &Node) -> usize {
        self.apply(node)
    }
}

macro_rules! leaf {
    ($type:ty, $shape:expr, $pattern:pat => $value:expr) => {
        impl Layered for $type {
            const SHAPE: &'static Shape = &$shape;

            fn blank() -> Self {
                Self::default()
            }

            fn apply(&mut self, node: &Node) -> usize {
                if let $pattern = &node.value {
                    *self = $value;
                }
                1
            }
        }
    };
}

leaf!(String, Shape::Text, Value::Text(text) => text.as_ref().to_owned());
leaf!(PathBuf, Shape::Text, Value::Text(text) => Self::from(text.as_ref()));
leaf!(bool, Shape::Boolean, Value::Boolean(value) => *value);
leaf!(i64, Shape::Integer { minimum: i64::MIN, maximum: i64::MAX }, Value::Integer(value) => *value);
leaf!(u32, Shape::Integer { minimum: 0, maximum: u32::MAX as i64 }, Value::Integer(value) => (*value).try_into().unwrap_or_default());
leaf!(u64, Shape::Integer { minimum: 0, maximum: i64::MAX }, Value::Integer(value) => (*value).try_into().unwrap_or_default());
leaf!(usize, Shape::Integer { minimum: 0, maximum: i64::MAX }, Value::Integer(value) => (*value).try_into().unwrap_or_default());

impl Layered for SetValue {
    const SHAPE: &'static Shape = &Shape::Scalar;

    fn blank() -> Self {
        Self::default()
    }

    fn apply(&mut self, node: &Node) -> usize {
        match json_of(node) {
            serde_json::Value::Bool(value) => *self = Self::Truth(value),
            serde_json::Value::Number(value) => *self = Self::Number(value),
            serde_json::Value::String(value) => *self = Self::Text(value),
            _ => {}
        }
        1
    }
}

impl Layered for Argument {
    const SHAPE: &'static Shape = &Shape::Any;

    fn blank() -> Self {
        Self::default()
    }

    fn apply(&mut self, node: &Node) -> usize {
        self.0 = json_of(node);
        1
    }
}

fn json_of(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Boolean(value) => (*value).into(),
        Value::Integer(value) => (*value).into(),
        Value::Number(value) => (*value).into(),
        Value::Text(text) => text.as_ref().into(),
        Value::List(items) => items.iter().map(json_of).collect(),
        Value::Map(entries) => {
            entries.iter().map(|entry| (entry.key.as_ref().to_owned(), json_of(&entry.node))).collect()
        }
    }
}

impl Layered for f64 {
    const SHAPE: &'static Shape = &Shape::Number;

    fn blank() -> Self {
        0.0
    }

    fn apply(&mut self, node: &Node) -> usize {
        match node.value {
            Value::Integer(value) => *self = value as Self,
            Value::Number(value) => *self = value,
            _ => {}
        }
        1
    }
}

impl<T: Layered> Layered for Option<T> {
    const SHAPE: &'static Shape = &Shape::Optional(T::SHAPE);

    fn blank() -> Self {
        None
    }

    fn apply(&mut self, node: &Node) -> usize {
        if node.value == Value::Null {
            *self = None;
            1
        } else {
            self.get_or_insert_with(T::blank).apply(node)
        }
    }
}

impl<T: Layered> Layered for Vec<T> {
    const SHAPE: &'static Shape = &Shape::List(T::SHAPE);

    fn blank() -> Self {
        Self::new()
    }

    fn apply(&mut self, node: &Node) -> usize {
        self.clear();
        self.apply_after(node)
    }

    fn apply_after(&mut self, node: &Node) -> usize {
        let Value::List(items) = &node.value else { return 1 };
        self.reserve(items.len());
        let mut values = 1;
        for item in items {
            let mut value = T::blank();
            values += value.apply(item);
            self.push(value);
        }
        values
    }
}

impl<T: Layered> Layered for BTreeMap<String, T> {
    const SHAPE: &'static Shape = &Shape::Map(T::SHAPE);

    fn blank() -> Self {
        Self::new()
    }

    fn apply(&mut self, node: &Node) -> usize {
        let Value::Map(entries) = &node.value else { return 1 };
        let mut values = 1;
        for entry in entries {
            if let Some(value) = self.get_mut(&*entry.key) {
                values += value.apply(&entry.node);
            } else {
                let mut value = T::blank();
                values += value.apply(&entry.node);
                self.insert(entry.key.as_ref().to_owned(), value);
            }
        }
        values
    }
}

/// Returns the shape of the field that a projection leads to.
const fn shape_of<S, T: Layered>(_field: fn(&S) -> &T) -> &'static Shape {
    T::SHAPE
}

macro_rules! field_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $name:literal) => {
        $name
    };
}

macro_rules! field_rule {
    () => {
        Rule::Plain
    };
    ($rule:ident) => {
        Rule::$rule
    };
}

macro_rules! section {
    ($type:ident, $blank:expr; $($field:ident $(= $name:literal)? $(: $rule:ident)?),+ $(,)?) => {
        impl Layered for $type {
            const SHAPE: &'static Shape = &Shape::Section(&[$(Field {
                name: field_name!($field $($name)?),
                shape: shape_of(|section: &$type| &section.$field),
                rule: field_rule!($($rule)?),
            }),+]);

            fn blank() -> Self {
                $blank
            }

            fn apply(&mut self, node: &Node) -> usize {
                let Value::Map(entries) = &node.value else { return 1 };
                let mut values = 1;
                for entry in entries {
                    $(
                        if &*entry.key == field_name!($field $($name)?) {
                            values += match field_rule!($($rule)?) {
                                Rule::Append => self.$field.apply_after(&entry.node),
                                Rule::Plain | Rule::Required => self.$field.apply(&entry.node),
                            };
                        } else
                    )+ {
                        debug_assert!(false, "an overlay is checked before it is applied");
                    }
                }
                values
            }
        }
    };
}

macro_rules! choice {
    ($type:ident: $($name:literal => $variant:ident),+ $(,)?) => {
        impl Layered for $type {
            const SHAPE: &'static Shape = &Shape::Choice(&[$($name),+]);

            fn blank() -> Self {
                [$(Self::$variant),+][0]
            }

            fn apply(&mut self, node: &Node) -> usize {
                if let Value::Text(text) = &node.value {
                    *self = match &**text {
                        $($name => Self::$variant,)+
                        _ => *self,
                    };
                }
                1
            }
        }
    };
}

section!(HotpassConfig, Self::default();
    profile, pipeline, ingest, features, resolve, survivorship, compliance, data_contract, governance,
    provenance, telemetry, quality, lineage);
section!(Profile, Self::default();
    name, display_name, summary, default_country_code, organization_term, organization_type_term,
    organization_category_term, email_validation_threshold, phone_validation_threshold, website_validation_threshold,
    sources, column_synonyms, required_fields, optional_fields, expectations, contracts);
section!(Source, Self::default(); name: Required, pattern: Required, sheets, priority, columns, defaults, expectations, suite,
    sheet_suites, contract, sheet_contracts);
section!(Expectation, Self {
        mostly: 1.0,
        ..Self::default()
    };
    kind = "type": Required, column, mostly, regex, values, min, max, row_condition, kwargs, severity);
section!(Quality, Self::default(); suite, contract, blank_as_null, shown_columns, data_docs, decisions);
section!(Pipeline, Self::default();
    input_dir, output_path, dist_dir, archive, run_id, country_code, qa_mode, log_format, report_path, report_format,
    party_store_path, sensitive_fields: Append, threads, acquisition);
section!(Acquisition, Self::default(); deduplicate, agents);
section!(Agent, Self::default(); name: Required, description, enabled, region, providers, targets);
section!(Provider, Self::default(); name: Required, enabled, priority, records);
section!(Target, Self::default(); identifier: Required, domain, location, metadata);
section!(Ingest, Self::default();
    mapping_threshold, suggestion_threshold, mapping_files, memory_limit_bytes, null_values: Append);
section!(Features, Self::default(); resolve, acquisition, compliance);
section!(Resolve, Self::default();
    keys, name_guard, shared_value_limit, probabilistic, model, match_threshold, review_threshold, maximum_block,
    write_linkage_keys);
section!(Survivorship, Self::default(); default, fields);
section!(Compliance, Self::default(); policy, jurisdiction, pii_fields, retention_days, detect_pii,
    detection_rows, consent_required, consent_policy, consent_file, purposes, audit_log, pii_redaction);
section!(PiiRedaction, Self::default(); enabled, columns, operator, operators, key);
section!(DataContract, Self::default(); dataset, version, steward);
section!(Governance, Self::default(); intent, data_owner, classification, lawful_basis, policy_reference);
section!(Provenance, Self::default(); signing_key);
section!(Telemetry, Self::default();
    enabled, service_name, environment, exporters, resource_attributes, log_level, file, shutdown_seconds, otlp);
section!(TelemetryOtlp, Self::default();
    endpoint, traces_endpoint, metrics_endpoint, logs_endpoint, protocol, headers, insecure, timeout_seconds,
    compression, certificate, client_certificate, client_key);
section!(Lineage, Self::default();
    enabled, namespace, dataset_namespace, producer, environment_variables: Append, tags, transport, spool_limit_bytes,
    flush_seconds);
section!(LineageTransport, Self::default();
    url, endpoint, api_key, headers, gzip, timeout_seconds, retries, ca_certificate, file, console);

choice!(ExpectationSeverity: "info" => Info, "warn" => Warn, "fail" => Fail, "quarantine" => Quarantine);
choice!(QaMode: "default" => Default, "strict" => Strict, "relaxed" => Relaxed);
choice!(LogFormat: "rich" => Rich, "json" => Json);
choice!(ReportFormat: "markdown" => Markdown, "html" => Html, "json" => Json);
choice!(GroupingKey: "name" => Name, "registration_number" => RegistrationNumber, "phone" => Phone, "email" => Email, "web_domain" => WebDomain);
choice!(SurvivorshipRule: "source_priority" => SourcePriority, "completeness" => Completeness, "recency" => Recency,
    "frequency" => Frequency, "longest" => Longest, "list_union" => ListUnion);
choice!(RedactionOperator: "redact" => Redact, "mask" => Mask, "hash" => Hash, "tokenise" => Tokenise,
    "generalise" => Generalise, "redact_spans" => RedactSpans);
choice!(ConsentPolicy: "withhold" => Withhold, "redact" => Redact, "report" => Report);
choice!(Classification: "public" => Public, "internal" => Internal, "confidential" => Confidential, "pii" => Pii, "sensitive_pii" => SensitivePii);
choice!(LawfulBasis: "consent" => Consent, "legitimate_interest" => LegitimateInterest, "contract" => Contract,
    "legal_obligation" => LegalObligation, "vital_interests" => VitalInterests, "public_interest" => PublicInterest);
choice!(TelemetryExporter: "otlp" => Otlp, "console" => Console, "file" => File, "noop" => Noop);
choice!(TelemetryLevel: "error" => Error, "warn" => Warn, "info" => Info, "debug" => Debug, "trace" => Trace);
choice!(OtlpProtocol: "grpc" => Grpc, "http/protobuf" => HttpProtobuf);
choice!(OtlpCompression: "gzip" => Gzip, "none" => None);
