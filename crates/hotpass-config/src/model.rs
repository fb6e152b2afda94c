//! The configuration's sections and fields. Every field is read by some stage; what no stage reads is not here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::telemetry::{
    OtlpCompression, OtlpProtocol, Telemetry, TelemetryExporter, TelemetryLevel, TelemetryOtlp,
};

/// The whole configuration: validated, with every default filled in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HotpassConfig {
    /// The industry preset that drives every stage.
    pub profile: Profile,
    /// Where a run reads and writes.
    pub pipeline: Pipeline,
    /// How files become tables.
    pub ingest: Ingest,
    /// Which optional stages run.
    pub features: Features,
    /// Which records are one entity.
    pub resolve: Resolve,
    /// Which value of several a golden record gets.
    pub survivorship: Survivorship,
    /// Personal data in what is published.
    pub compliance: Compliance,
    /// What the published dataset is called and who answers for it.
    pub data_contract: DataContract,
    /// Who owns the data, why it is held and on which basis.
    pub governance: Governance,
    /// How a run is signed.
    pub provenance: Provenance,
    /// What a run tells about itself.
    pub telemetry: Telemetry,
    /// How tables are checked and what becomes of the results.
    pub quality: Quality,
    /// OpenLineage events of runs.
    pub lineage: Lineage,
}

/// A named industry preset: terms, sources, synonyms, priorities, thresholds, expectations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// Name, as `--profile` takes it.
    pub name: String,
    /// Name for people.
    pub display_name: String,
    /// What it is for, in a sentence.
    pub summary: String,
    /// ISO 3166-1 alpha-2 code of the country that telephone numbers, provinces and addresses are read in when a row names none.
    pub default_country_code: String,
    /// Word for an organisation in reports.
    pub organization_term: String,
    /// Word for an organisation's type in reports.
    pub organization_type_term: String,
    /// Word for an organisation's category in reports.
    pub organization_category_term: String,
    /// Share of e-mail addresses present that must be valid, 0 to 1.
    pub email_validation_threshold: f64,
    /// Share of telephone numbers present that must be valid, 0 to 1.
    pub phone_validation_threshold: f64,
    /// Share of web addresses present that must be valid, 0 to 1.
    pub website_validation_threshold: f64,
    /// The sources that are expected, in any order.
    pub sources: Vec<Source>,
    /// Canonical field to the headers that mean it, besides its own name.
    pub column_synonyms: BTreeMap<String, Vec<String>>,
    /// Canonical fields that a row must have; a row without one goes to quarantine.
    pub required_fields: Vec<String>,
    /// Canonical fields that are wanted; the quality score counts them.
    pub optional_fields: Vec<String>,
    /// Checks on the published table.
    pub expectations: Vec<Expectation>,
    /// Files with further contracts, in any form that `hotpass contracts` reads; sources name them by their dataset.
    pub contracts: Vec<PathBuf>,
}

/// A source of a profile.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Source {
    /// Name of the source dataset.
    pub name: String,
    /// Glob over the file's name, without regard to case, such as `*register*.xlsx`.
    pub pattern: String,
    /// Sheets that are read; all that hold a table when empty.
    pub sheets: Vec<String>,
    /// Priority: the higher, the more its values are trusted.
    pub priority: i64,
    /// Header to canonical field, or to `""` for a column to leave alone; overrules everything else.
    pub columns: BTreeMap<String, String>,
    /// Canonical field to the value that rows without one get.
    pub defaults: BTreeMap<String, String>,
    /// Checks on the columns of its tables, by the headers of the source, before anything is normalised.
    pub expectations: Vec<Expectation>,
    /// Suite of checks on its tables: the name of one that ships, or the path of a Great Expectations suite file.
    pub suite: Option<String>,
    /// Sheet, without regard to case, to the suite of checks on its tables.
    pub sheet_suites: BTreeMap<String, String>,
    /// Contract of the source's tables: one that ships, one of `profile.contracts`, or the path of a contract file.
    pub contract: Option<String>,
    /// Sheet, without regard to case, to the contract of its tables; goes before `contract`.
    pub sheet_contracts: BTreeMap<String, String>,
}

/// A check on a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// What is checked: a name of Great Expectations, such as `expect_column_values_to_be_unique`, or a short one, such as `unique`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Column, for a check on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Share of the values that must pass, 0 to 1; missing values count only for `not_null`.
    #[serde(default = "one")]
    pub mostly: f64,
    /// Regular expression, for `match_regex`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// Allowed values, for `in_set`: text, numbers, true or false. Text that spells a number is the number where one is listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<SetValue>,
    /// Lowest allowed value, for `between`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Highest allowed value, for `between`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Rows that are looked at, such as `status == "active" and priority.notnull()`; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_condition: Option<String>,
    /// Further arguments, by the names of Great Expectations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kwargs: BTreeMap<String, Argument>,
    /// What a failure does.
    #[serde(default)]
    pub severity: ExpectationSeverity,
}

/// A value of a set: text, a number, true or false.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SetValue {
    /// True or false.
    Truth(bool),
    /// A number.
    Number(serde_json::Number),
    /// Text.
    Text(String),
}

impl Default for SetValue {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl From<SetValue> for serde_json::Value {
    fn from(value: SetValue) -> Self {
        match value {
            SetValue::Truth(value) => value.into(),
            SetValue::Number(value) => Self::Number(value),
            SetValue::Text(value) => value.into(),
        }
    }
}

/// An argument of a check: any value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Argument(pub serde_json::Value);

fn one() -> f64 {
    1.0
}

/// What the failure of an expectation does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExpectationSeverity {
    /// It is reported.
    Info,
    /// It is reported as a warning.
    Warn,
    /// It is reported and the run ends with exit code 3.
    #[default]
    Fail,
    /// The rows that fail go to quarantine; of the published table, the entities and all their rows.
    Quarantine,
}

/// How tables are checked and what becomes of the results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Quality {
    /// Suite of checks on the published table instead of the profile's: the name of one that ships, or the path of a Great Expectations suite file.
    pub suite: Option<String>,
    /// Contract of the tables whose source names none: one that ships, one of `profile.contracts`, or the path of a contract file.
    pub contract: Option<String>,
    /// Text of nothing but white space is no value.
    pub blank_as_null: bool,
    /// Columns whose values may stand in the results of checks, besides counts and positions.
    pub shown_columns: Vec<String>,
    /// Whether the run folder gets `data-docs/`: pages and JSON of every check, with the history of earlier runs.
    pub data_docs: bool,
    /// File of decisions on rows in quarantine; `decisions/quarantine.ndjson` in the folder of runs when absent.
    pub decisions: Option<PathBuf>,
}

/// Where a run reads and writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pipeline {
    /// Folder, file or glob that is read.
    pub input_dir: PathBuf,
    /// Published file; its ending chooses xlsx, csv, parquet or json. When no layer sets it, it is `refined.xlsx` in `dist_dir`.
    pub output_path: PathBuf,
    /// Folder of runs and evidence.
    pub dist_dir: PathBuf,
    /// Whether the published files and the inputs are archived as a zip with SHA-256 sums.
    pub archive: bool,
    /// Id of the run, a UUID; made anew when absent.
    pub run_id: Option<String>,
    /// Overrules the profile's country.
    pub country_code: Option<String>,
    /// `strict` makes every failed expectation fail the run; `relaxed` makes none of them.
    pub qa_mode: QaMode,
    /// Form of what is written to the terminal.
    pub log_format: LogFormat,
    /// A copy of the report.
    pub report_path: Option<PathBuf>,
    /// Form of that copy; by its ending when absent.
    pub report_format: Option<ReportFormat>,
    /// Where the party store is written, `.json` or a folder for Parquet.
    pub party_store_path: Option<PathBuf>,
    /// Columns whose values are masked in reports and samples, besides the profile's.
    pub sensitive_fields: Vec<String>,
    /// Threads that work; all of the machine's when absent.
    pub threads: Option<usize>,
    /// Agents that bring in records besides the input files.
    pub acquisition: Acquisition,
}

/// How strictly a run treats failed expectations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QaMode {
    /// As each expectation says.
    #[default]
    Default,
    /// Every failure fails the run.
    Strict,
    /// No failure fails the run.
    Relaxed,
}

/// Form of what a command writes to the terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Tables and progress bars.
    #[default]
    Rich,
    /// One JSON object a line.
    Json,
}

/// Form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportFormat {
    /// Markdown.
    Markdown,
    /// One self-contained page.
    Html,
    /// JSON.
    Json,
}

/// Agents that bring in records from static data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Acquisition {
    /// Whether records with the same dataset and record id are kept once.
    pub deduplicate: bool,
    /// The agents, in order.
    pub agents: Vec<Agent>,
}

/// An agent: its targets, and the providers that hold records of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Agent {
    /// Name; the source dataset of its records is `agent:NAME`.
    pub name: String,
    /// What it looks for.
    pub description: String,
    /// Whether it runs.
    pub enabled: bool,
    /// Province given to targets without a location.
    pub region: Option<String>,
    /// Providers whose records are brought in.
    pub providers: Vec<Provider>,
    /// Organisations it knows of; each becomes a record.
    pub targets: Vec<Target>,
}

/// A provider of an agent, with static records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Provider {
    /// Name.
    pub name: String,
    /// Whether it is asked.
    pub enabled: bool,
    /// Source priority of its records.
    pub priority: i64,
    /// Canonical field to value, a map a record.
    pub records: Vec<BTreeMap<String, String>>,
}

/// An organisation that an agent knows of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Target {
    /// Name of the organisation.
    pub identifier: String,
    /// Its web domain.
    pub domain: Option<String>,
    /// Where it is.
    pub location: Option<String>,
    /// Further canonical fields.
    pub metadata: BTreeMap<String, String>,
}

/// How files become tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ingest {
    /// Confidence from which a column is mapped, 0 to 1.
    pub mapping_threshold: f64,
    /// Confidence from which a mapping is suggested, 0 to 1.
    pub suggestion_threshold: f64,
    /// Mapping files made by `hotpass map`, read in order.
    pub mapping_files: Vec<PathBuf>,
    /// Bytes of memory the run may use for tables; a quarter of the machine's when absent.
    pub memory_limit_bytes: Option<u64>,
    /// Values that mean "no value", without regard to case, besides the built-in ones.
    pub null_values: Vec<String>,
}

/// Which optional stages run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Features {
    /// Group records into entities; off, each record is an entity of its own.
    pub resolve: bool,
    /// Bring in the records of acquisition agents.
    pub acquisition: bool,
    /// Apply the `compliance` section to what is published. When no layer sets it, it is on as soon as one of these asks for
    /// something: `compliance.detect_pii`, `compliance.consent_required`, `compliance.consent_file`,
    /// `compliance.pii_redaction.enabled`, and `columns`, `operator`, `operators` or `key` beside it.
    pub compliance: bool,
}

/// Which records are one entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Resolve {
    /// Keys whose equality speaks for one entity, in any order; a missing key joins nothing.
    pub keys: Vec<GroupingKey>,
    /// Least similarity of names (0 to 1) at which an equal telephone number, e-mail address or web domain joins two records.
    pub name_guard: f64,
    /// Largest number of distinct names under one telephone number, e-mail address or web domain before it is taken as shared and joins nothing.
    pub shared_value_limit: usize,
    /// Join records by match probability where equal keys are no proof; otherwise equal keys alone decide.
    pub probabilistic: bool,
    /// Linkage model in Hotpass's or Splink's form; the one that ships for organisations when absent.
    pub model: Option<PathBuf>,
    /// Match probability from which two records are one entity (0 to 1).
    pub match_threshold: f64,
    /// Match probability from which a pair below the match threshold goes into the review queue (0 to 1).
    pub review_threshold: f64,
    /// Largest number of records that one blocking value may bring together before it is left out.
    pub maximum_block: u64,
    /// Write what the linkage model compares into the run folder, to train a model of your own on.
    pub write_linkage_keys: bool,
}

/// A key of the deterministic grouping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupingKey {
    /// Name without legal form, branch kept.
    Name,
    /// Registration number.
    RegistrationNumber,
    /// Telephone number, with the name guard.
    Phone,
    /// E-mail address, with the name guard.
    Email,
    /// Own web domain (not a mail or hosting provider's), with the name guard.
    WebDomain,
}

/// Which value of several a golden record gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Survivorship {
    /// Rule of every field without one of its own.
    pub default: SurvivorshipRule,
    /// Published column to rule.
    pub fields: BTreeMap<String, SurvivorshipRule>,
}

/// A survivorship rule; ties fall to the next of source priority, completeness of the row, recency, position in the input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SurvivorshipRule {
    /// The value of the source with the highest priority.
    #[default]
    SourcePriority,
    /// The value of the row with the most fields present.
    Completeness,
    /// The value of the row with the latest date.
    Recency,
    /// The value that most rows have.
    Frequency,
    /// The longest value.
    Longest,
    /// All distinct values, best first, joined by `; `.
    ListUnion,
}

/// Personal data in what is published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Compliance {
    /// Name of the policy.
    pub policy: String,
    /// ISO code of the jurisdiction.
    pub jurisdiction: String,
    /// Published columns that hold personal data; masked in reports and samples.
    pub pii_fields: Vec<String>,
    /// Days the published data may be kept, from the last interaction with an entity or else the run; the manifest states the date.
    pub retention_days: Option<u32>,
    /// Look for personal data in every source column and in what is published, and report what is found.
    pub detect_pii: bool,
    /// Rows of a table that are looked at one by one; of the rows behind them, every tenth.
    pub detection_rows: u64,
    /// An entity needs consent; see `consent_policy`.
    pub consent_required: bool,
    /// What becomes of an entity without consent.
    pub consent_policy: ConsentPolicy,
    /// Statements of consent besides the source columns `consent_status` and `consent_date`: a CSV or JSON file.
    pub consent_file: Option<PathBuf>,
    /// Purposes that consent is needed for, each of them; the purposes of `governance.intent` when empty.
    pub purposes: Vec<String>,
    /// Record in the run's ledger what was detected, redacted and withheld, in counts.
    pub audit_log: bool,
    /// Redaction of the published files.
    pub pii_redaction: PiiRedaction,
}

/// What becomes of an entity without consent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentPolicy {
    /// Its rows go to quarantine.
    Withhold,
    /// Its contacts are redacted, and addresses and numbers within its texts.
    #[default]
    Redact,
    /// It is published and reported.
    Report,
}

/// Redaction of personal data in the published files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PiiRedaction {
    /// Whether it is done; when absent, it is as soon as the compliance feature is on. `true` switches the feature on.
    pub enabled: Option<bool>,
    /// Published columns that are redacted.
    pub columns: Vec<String>,
    /// What becomes of a value.
    pub operator: RedactionOperator,
    /// Published column or class of personal data (such as `email`, `za_id`) to the operator it gets instead: `redact`, `mask`,
    /// `hash`, `tokenise`, `generalise` (also `generalise:year`, `:month`, `:town`, `:prefix:2`, `:band:10`, `:country`,
    /// `:area`, `:domain`, `:initials`), `redact_spans`, `keep`. A class counts for its columns and within every other text.
    pub operators: BTreeMap<String, String>,
    /// Where the key of hashes and tokens is: `env:NAME` or `file:PATH`.
    pub key: Option<String>,
}

/// What redaction makes of a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RedactionOperator {
    /// The text `[redacted]`.
    #[default]
    Redact,
    /// All but the first and last character as `*`.
    Mask,
    /// A keyed hash: equal values stay equal.
    Hash,
    /// A token that who holds the key can lead back.
    Tokenise,
    /// A less precise value.
    Generalise,
    /// What is found within the text, and nothing else.
    RedactSpans,
}

/// What the published dataset is called and who answers for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataContract {
    /// Name of the dataset.
    pub dataset: String,
    /// Version of the dataset's contract.
    pub version: String,
    /// Who is asked about it.
    pub steward: Option<String>,
}

/// OpenLineage events of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lineage {
    /// Whether events are made; they are kept in the run folder, and sent where a transport is set.
    pub enabled: bool,
    /// Namespace of the jobs.
    pub namespace: String,
    /// Namespace of the datasets; `file://` and the namespace of the jobs when absent.
    pub dataset_namespace: Option<String>,
    /// URI that names the program in events; that of this version of Hotpass when absent.
    pub producer: Option<String>,
    /// Variables of the environment whose values are put into events.
    pub environment_variables: Vec<String>,
    /// Tags of the job.
    pub tags: BTreeMap<String, String>,
    /// Where events are sent; `OPENLINEAGE_URL` and its kin are asked when nothing is set here.
    pub transport: LineageTransport,
    /// Bytes that events may take while they wait for a server that does not answer; then the oldest are deleted.
    pub spool_limit_bytes: u64,
    /// Seconds that a run that is done waits for its events to be taken; the rest waits on disk.
    pub flush_seconds: f64,
}

/// Where lineage events are sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LineageTransport {
    /// Address of a server, such as `http://localhost:5000`.
    pub url: Option<String>,
    /// Path of its endpoint.
    pub endpoint: String,
    /// Key of the server, as `env:NAME` or `file:PATH`.
    pub api_key: Option<String>,
    /// Further headers of a request; a value may be `env:NAME` or `file:PATH`.
    pub headers: BTreeMap<String, String>,
    /// Whether requests are compressed.
    pub gzip: bool,
    /// Seconds that a request may take.
    pub timeout_seconds: f64,
    /// How often a request is repeated that failed for a cause that may pass.
    pub retries: u32,
    /// Certificates of authorities that are trusted instead of the built-in ones, as a PEM file.
    pub ca_certificate: Option<PathBuf>,
    /// File that events are put at the end of, a line each.
    pub file: Option<PathBuf>,
    /// Whether events are written to the terminal.
    pub console: bool,
}

/// Who owns the data, why it is held and on which basis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Governance {
    /// Purposes of the run; at least one when the compliance feature is on.
    pub intent: Vec<String>,
    /// Owner of the data.
    pub data_owner: String,
    /// Classification of the published data.
    pub classification: Classification,
    /// Lawful basis, published as `privacy_basis`.
    pub lawful_basis: LawfulBasis,
    /// Where the policy is written down.
    pub policy_reference: Option<String>,
}

/// How a run is signed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Provenance {
    /// Where the private key is that signs each run: `file:PATH` or `env:NAME`; nothing is signed without one.
    pub signing_key: Option<String>,
}

/// Classification of data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Classification {
    /// Open to all.
    Public,
    /// For the organisation.
    #[default]
    Internal,
    /// For named people.
    Confidential,
    /// Personal data.
    Pii,
    /// Special personal data.
    SensitivePii,
}

/// Lawful basis of processing (POPIA section 11, GDPR article 6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LawfulBasis {
    /// The person agreed.
    Consent,
    /// A legitimate interest that is weighed.
    #[default]
    LegitimateInterest,
    /// A contract with the person.
    Contract,
    /// The law asks for it.
    LegalObligation,
    /// A vital interest of the person.
    VitalInterests,
    /// A task in the public interest.
    PublicInterest,
}

impl LawfulBasis {
    /// Returns the basis as published in `privacy_basis`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Consent => "Consent",
            Self::LegitimateInterest => "Legitimate Interest",
            Self::Contract => "Contract",
            Self::LegalObligation => "Legal Obligation",
            Self::VitalInterests => "Vital Interests",
            Self::PublicInterest => "Public Interest",
        }
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            name: "generic".into(),
            display_name: "Generic".into(),
            summary: String::new(),
            default_country_code: "ZA".into(),
            organization_term: "organization".into(),
            organization_type_term: "organization_type".into(),
            organization_category_term: "category".into(),
            email_validation_threshold: 0.85,
            phone_validation_threshold: 0.85,
            website_validation_threshold: 0.75,
            sources: Vec::new(),
            column_synonyms: BTreeMap::new(),
            required_fields: vec!["organization_name".into()],
            optional_fields: Vec::new(),
            expectations: Vec::new(),
            contracts: Vec::new(),
        }
    }
}

impl Default for Pipeline {
    fn default() -> Self {
        Self {
            input_dir: "data".into(),
            output_path: "dist/refined.xlsx".into(),
            dist_dir: "dist".into(),
            archive: false,
            run_id: None,
            country_code: None,
            qa_mode: QaMode::Default,
            log_format: LogFormat::Rich,
            report_path: None,
            report_format: None,
            party_store_path: None,
            sensitive_fields: Vec::new(),
            threads: None,
            acquisition: Acquisition::default(),
        }
    }
}

impl Default for Acquisition {
    fn default() -> Self {
        Self { deduplicate: true, agents: Vec::new() }
    }
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            enabled: true,
            region: None,
            providers: Vec::new(),
            targets: Vec::new(),
        }
    }
}

impl Default for Provider {
    fn default() -> Self {
        Self { name: String::new(), enabled: true, priority: 0, records: Vec::new() }
    }
}

impl Default for Ingest {
    fn default() -> Self {
        Self {
            mapping_threshold: 0.7,
            suggestion_threshold: 0.5,
            mapping_files: Vec::new(),
            memory_limit_bytes: None,
            null_values: Vec::new(),
        }
    }
}

impl Default for Features {
    fn default() -> Self {
        Self { resolve: true, acquisition: false, compliance: false }
    }
}

impl Default for Resolve {
    fn default() -> Self {
        Self {
            keys: vec![
                GroupingKey::Name,
                GroupingKey::RegistrationNumber,
                GroupingKey::Phone,
                GroupingKey::Email,
                GroupingKey::WebDomain,
            ],
            name_guard: 0.6,
            shared_value_limit: 5,
            probabilistic: true,
            model: None,
            match_threshold: 0.9,
            review_threshold: 0.7,
            maximum_block: 1000,
            write_linkage_keys: false,
        }
    }
}

impl Default for Survivorship {
    fn default() -> Self {
        let fields = [
            ("planes", SurvivorshipRule::ListUnion),
            ("description", SurvivorshipRule::ListUnion),
            ("notes", SurvivorshipRule::ListUnion),
            ("status", SurvivorshipRule::Recency),
            ("address_primary", SurvivorshipRule::Longest),
        ];
        Self {
            default: SurvivorshipRule::SourcePriority,
            fields: fields.into_iter().map(|(field, rule)| (field.to_owned(), rule)).collect(),
        }
    }
}

impl Default for Compliance {
    fn default() -> Self {
        let pii: Vec<String> = [
            "contact_primary_name",
            "contact_primary_email",
            "contact_primary_phone",
            "contact_secondary_emails",
            "contact_secondary_phones",
            "notes",
            "description",
        ]
        .map(str::to_owned)
        .to_vec();
        Self {
            policy: "POPIA".into(),
            jurisdiction: "ZA".into(),
            pii_fields: pii.clone(),
            retention_days: None,
            detect_pii: false,
            detection_rows: 100_000,
            consent_required: false,
            consent_policy: ConsentPolicy::default(),
            consent_file: None,
            purposes: Vec::new(),
            audit_log: true,
            pii_redaction: PiiRedaction { columns: pii, ..PiiRedaction::default() },
        }
    }
}

impl Default for PiiRedaction {
    fn default() -> Self {
        Self {
            enabled: None,
            columns: Vec::new(),
            operator: RedactionOperator::Redact,
            operators: BTreeMap::new(),
            key: None,
        }
    }
}

impl Default for DataContract {
    fn default() -> Self {
        Self { dataset: "ssot".into(), version: "1.0.0".into(), steward: None }
    }
}

impl Default for Quality {
    fn default() -> Self {
        Self {
            suite: None,
            contract: None,
            blank_as_null: true,
            shown_columns: Vec::new(),
            data_docs: true,
            decisions: None,
        }
    }
}

impl Default for Lineage {
    fn default() -> Self {
        Self {
            enabled: true,
            namespace: "hotpass.local".into(),
            dataset_namespace: None,
            producer: None,
            environment_variables: Vec::new(),
            tags: BTreeMap::new(),
            transport: LineageTransport::default(),
            spool_limit_bytes: 64 << 20,
            flush_seconds: 2.0,
        }
    }
}

impl Default for LineageTransport {
    fn default() -> Self {
        Self {
            url: None,
            endpoint: "api/v1/lineage".into(),
            api_key: None,
            headers: BTreeMap::new(),
            gzip: false,
            timeout_seconds: 5.0,
            retries: 5,
            ca_certificate: None,
            file: None,
            console: false,
        }
    }
}

impl Default for Governance {
    fn default() -> Self {
        Self {
            intent: vec!["Baseline refinement".into()],
            data_owner: "Data Governance".into(),
            classification: Classification::Internal,
            lawful_basis: LawfulBasis::LegitimateInterest,
            policy_reference: None,
        }
    }
}
