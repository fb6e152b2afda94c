//! What no single layer can say of itself: ranges, names, rules between fields.

use std::collections::HashSet;

use hotpass_core::expectations::{expectation_names, expectation_spec};
use hotpass_core::fields::{ColumnType, GOLDEN_COLUMNS, INPUT_FIELDS, input_field};
use hotpass_core::operator::{DATA_CLASSES, Operator};
use hotpass_core::{SecretReference, nearest};

use crate::compliance::FEATURE;
use crate::error::{ConfigProblem, ProblemKind};
use crate::model::{Acquisition, Expectation, HotpassConfig, Lineage, PiiRedaction, Profile, Source};
use crate::path::join;
use crate::pattern;

impl HotpassConfig {
    /// Checks the configuration as a whole; returns every problem, with its key path.
    pub fn validate(&self) -> Vec<ConfigProblem> {
        let mut found = Findings::default();
        found.profile(&self.profile);
        found.pipeline(self);
        found.share("ingest.mapping_threshold", self.ingest.mapping_threshold);
        found.share("ingest.suggestion_threshold", self.ingest.suggestion_threshold);
        if self.ingest.suggestion_threshold > self.ingest.mapping_threshold {
            found.invalid(
                "ingest.suggestion_threshold",
                format!("Suggestions begin above the mapping threshold: `{}`", self.ingest.suggestion_threshold),
                format!("at most `ingest.mapping_threshold`, {}", self.ingest.mapping_threshold),
            );
        }
        if self.ingest.memory_limit_bytes.is_some_and(|limit| limit < MEMORY_FLOOR) {
            found.invalid(
                "ingest.memory_limit_bytes",
                "Memory limit is too low to read a table",
                "at least 16 MiB, 16777216",
            );
        }
        found.resolve(self);
        for field in self.survivorship.fields.keys() {
            found.golden_column(&join("survivorship.fields", field), field);
        }
        found.governance(self);
        found.provenance(self);
        found.problems.extend(self.telemetry.problems());
        found.lineage(&self.lineage);
        found.problems
    }
}

/// What `compliance.pii_redaction.operators` takes.
const OPERATORS: &str = "`redact`, `mask`, `hash`, `tokenise`, `generalise`, `redact_spans` or `keep`";

const MEMORY_FLOOR: u64 = 16 << 20;

#[derive(Default)]
struct Findings {
    problems: Vec<ConfigProblem>,
}

impl Findings {
    fn invalid(&mut self, key: &str, message: impl Into<String>, expected: impl Into<String>) {
        self.problems.push(ConfigProblem::new(ProblemKind::InvalidValue, message).key(key).expecting(expected));
    }

    fn share(&mut self, key: &str, value: f64) {
        if !(0.0..=1.0).contains(&value) {
            self.invalid(key, format!("Share lies outside 0 to 1: `{value}`"), "a number from 0 to 1");
        }
    }

    fn not_blank(&mut self, key: &str, value: &str) {
        if value.trim().is_empty() {
            self.invalid(key, "Text is empty", "text");
        }
    }

    fn lineage(&mut self, lineage: &Lineage) {
        self.not_blank("lineage.namespace", &lineage.namespace);
        let transport = &lineage.transport;
        for (key, seconds) in [
            ("lineage.flush_seconds", lineage.flush_seconds),
            ("lineage.transport.timeout_seconds", transport.timeout_seconds),
        ] {
            if !(0.0..=3600.0).contains(&seconds) {
                self.invalid(key, format!("Not a time to wait: `{seconds}`"), "a number of seconds from 0 to 3600");
            }
        }
        if let Some(url) = &transport.url
            && !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme))
        {
            self.invalid("lineage.transport.url", "Not the address of a server", "`http://` or `https://` and a host");
        }
        let reference = |text: &str| text.parse::<SecretReference>().is_ok();
        if transport.api_key.as_deref().is_some_and(|key| !reference(key)) {
            self.invalid("lineage.transport.api_key", "The key is written out", "`env:NAME` or `file:PATH`");
        }
        for (name, value) in &transport.headers {
            if name.eq_ignore_ascii_case("authorization") && !reference(value) {
                self.invalid(
                    &join("lineage.transport.headers", name),
                    "The secret is written out",
                    "`env:NAME` or `file:PATH`",
                );
            }
        }
    }

    fn country(&mut self, key: &str, code: &str) {
        if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            self.invalid(
                key,
                format!("Not a country code: `{code}`"),
                "two capital letters of ISO 3166-1, such as `ZA`",
            );
        }
    }

    fn canonical_field(&mut self, key: &str, field: &str) {
        if input_field(field).is_none() {
            let near = nearest(field, INPUT_FIELDS.iter().map(|field| field.name));
            let problem = ConfigProblem::new(ProblemKind::InvalidValue, format!("Unknown canonical field: `{field}`"));
            self.problems.push(problem.key(key).expecting("a canonical field").near(near));
        }
    }

    fn golden_column(&mut self, key: &str, column: &str) {
        if !GOLDEN_COLUMNS.iter().any(|known| known.name == column) {
            let near = nearest(column, GOLDEN_COLUMNS.iter().map(|column| column.name));
            let problem =
                ConfigProblem::new(ProblemKind::InvalidValue, format!("Unknown published column: `{column}`"));
            self.problems.push(problem.key(key).expecting("a published column").near(near));
        }
    }

    fn profile(&mut self, profile: &Profile) {
        self.not_blank("profile.name", &profile.name);
        self.country("profile.default_country_code", &profile.default_country_code);
        self.share("profile.email_validation_threshold", profile.email_validation_threshold);
        self.share("profile.phone_validation_threshold", profile.phone_validation_threshold);
        self.share("profile.website_validation_threshold", profile.website_validation_threshold);
        let mut names = HashSet::new();
        for (index, source) in profile.sources.iter().enumerate() {
            let key = format!("profile.sources[{index}]");
            if !names.insert(source.name.as_str()) {
                self.invalid(
                    &format!("{key}.name"),
                    format!("Name is given twice: `{}`", source.name),
                    "a name of its own",
                );
            }
            self.source(&key, source);
        }
        for field in profile.column_synonyms.keys() {
            self.canonical_field(&join("profile.column_synonyms", field), field);
        }
        self.synonyms_are_distinct(profile);
        for (key, fields) in [
            ("profile.required_fields", &profile.required_fields),
            ("profile.optional_fields", &profile.optional_fields),
        ] {
            for (index, field) in fields.iter().enumerate() {
                self.canonical_field(&format!("{key}[{index}]"), field);
            }
        }
        for (index, expectation) in profile.expectations.iter().enumerate() {
            let key = format!("profile.expectations[{index}]");
            if let Some(column) = &expectation.column {
                self.golden_column(&format!("{key}.column"), column);
            }
            self.expectation(&key, expectation);
        }
    }

    fn source(&mut self, key: &str, source: &Source) {
        self.not_blank(&format!("{key}.name"), &source.name);
        if let Some(fault) = pattern::fault(&source.pattern) {
            let message = format!("{fault}: `{}`", source.pattern);
            self.invalid(&format!("{key}.pattern"), message, "a glob over the file's name, such as `*register*.xlsx`");
        }
        for (header, field) in source.columns.iter().filter(|(_, field)| !field.is_empty()) {
            self.canonical_field(&join(&format!("{key}.columns"), header), field);
        }
        for field in source.defaults.keys() {
            self.canonical_field(&join(&format!("{key}.defaults"), field), field);
        }
        for (index, expectation) in source.expectations.iter().enumerate() {
            self.expectation(&format!("{key}.expectations[{index}]"), expectation);
        }
    }

    /// A header that means two fields maps by chance.
    fn synonyms_are_distinct(&mut self, profile: &Profile) {
        let mut meaning = std::collections::HashMap::new();
        for (field, headers) in &profile.column_synonyms {
            for (index, header) in headers.iter().enumerate() {
                let folded = header.trim().to_lowercase();
                match meaning.insert(folded, field) {
                    Some(other) if other != field => {
                        let key = format!("{}[{index}]", join("profile.column_synonyms", field));
                        let message = format!("Header already means `{other}`: `{header}`");
                        self.invalid(&key, message, "a header that means one field");
                    }
                    _ => {}
                }
            }
        }
    }

    fn expectation(&mut self, key: &str, expectation: &Expectation) {
        self.share(&format!("{key}.mostly"), expectation.mostly);
        let Some(spec) = expectation_spec(&expectation.kind) else {
            let near = nearest(&expectation.kind, expectation_names());
            let problem =
                ConfigProblem::new(ProblemKind::InvalidValue, format!("Unknown check: `{}`", expectation.kind));
            self.problems.push(problem.key(format!("{key}.type")).expecting("the name of a check").near(near));
            return;
        };
        let takes = |name: &str| spec.required.contains(&name) || spec.optional.contains(&name);
        let further = |name: &str| expectation.kwargs.contains_key(name);
        let matches_regex = spec.alias == Some("match_regex");
        let given = [
            ("regex", expectation.regex.is_some() || further("regex"), takes("regex"), matches_regex),
            ("values", !expectation.values.is_empty() || further("value_set"), takes("value_set"), true),
            ("min", expectation.min.is_some(), takes("min_value"), false),
            ("max", expectation.max.is_some(), takes("max_value"), false),
        ];
        for (name, given, wanted, required) in given {
            if given && !wanted {
                self.invalid(&format!("{key}.{name}"), format!("Check does not use `{name}`"), "no such key here");
            } else if wanted && required && !given {
                self.invalid(key, format!("Check needs `{name}`"), format!("`{name}`"));
            }
        }
        if spec.alias == Some("between") {
            match (expectation.min, expectation.max) {
                (None, None) if further("min_value") || further("max_value") => {}
                (None, None) => self.invalid(key, "Check needs `min` or `max`", "`min`, `max` or both"),
                (Some(min), Some(max)) if min > max => {
                    self.invalid(
                        &format!("{key}.max"),
                        format!("Bound lies below `min`: `{max}`"),
                        format!("at least {min}"),
                    );
                }
                _ => {}
            }
        }
        if let Some(regex) = &expectation.regex
            && let Err(error) = regex::Regex::new(regex)
        {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
            self.invalid(
                &format!("{key}.regex"),
                format!("Regular expression cannot be read: {reason}"),
                "a regular expression",
            );
        }
    }

    fn pipeline(&mut self, config: &HotpassConfig) {
        let pipeline = &config.pipeline;
        for (key, path) in [
            ("pipeline.input_dir", &pipeline.input_dir),
            ("pipeline.output_path", &pipeline.output_path),
            ("pipeline.dist_dir", &pipeline.dist_dir),
        ] {
            if path.as_os_str().is_empty() {
                self.invalid(key, "Path is empty", "a path");
            }
        }
        let ending = pipeline.output_path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        if !ending
            .as_deref()
            .is_some_and(|ending| ["xlsx", "csv", "parquet", "json", "ndjson", "jsonl"].contains(&ending))
        {
            let message = format!("Ending is none that is published: `{}`", pipeline.output_path.display());
            self.invalid("pipeline.output_path", message, "`.xlsx`, `.csv`, `.parquet`, `.json` or `.ndjson`");
        }
        if let Some(run_id) = &pipeline.run_id
            && run_id.parse::<hotpass_core::RunId>().is_err()
        {
            self.invalid("pipeline.run_id", format!("Not a UUID: `{run_id}`"), "a UUID, such as one of version 7");
        }
        if let Some(code) = &pipeline.country_code {
            self.country("pipeline.country_code", code);
        }
        if pipeline.threads == Some(0) {
            self.invalid("pipeline.threads", "No thread would work: `0`", "1 or more");
        }
        if let Some(report) = &pipeline.report_path
            && pipeline.report_format.is_none()
        {
            let ending = report.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
            if !ending.as_deref().is_some_and(|ending| ["md", "markdown", "html", "htm", "json"].contains(&ending)) {
                let message = format!("Ending does not say the report's format: `{}`", report.display());
                self.invalid("pipeline.report_path", message, "`.md`, `.html` or `.json`, or `pipeline.report_format`");
            }
        }
        for (index, field) in pipeline.sensitive_fields.iter().enumerate() {
            let known = input_field(field).is_some() || GOLDEN_COLUMNS.iter().any(|column| column.name == field);
            if !known {
                self.golden_column(&format!("pipeline.sensitive_fields[{index}]"), field);
            }
        }
        self.acquisition(&pipeline.acquisition);
    }

    fn acquisition(&mut self, acquisition: &Acquisition) {
        let mut names = HashSet::new();
        for (index, agent) in acquisition.agents.iter().enumerate() {
            if agent.name.trim().is_empty() {
                self.not_blank(&format!("pipeline.acquisition.agents[{index}].name"), &agent.name);
            } else if !names.insert(agent.name.as_str()) {
                let key = format!("pipeline.acquisition.agents[{index}].name");
                self.invalid(&key, format!("Name is given twice: `{}`", agent.name), "a name of its own");
            }
            for (at, target) in agent.targets.iter().enumerate() {
                if target.identifier.trim().is_empty() {
                    let key = format!("pipeline.acquisition.agents[{index}].targets[{at}].identifier");
                    self.not_blank(&key, &target.identifier);
                }
                for field in target.metadata.keys().filter(|field| input_field(field).is_none()) {
                    let key = format!("pipeline.acquisition.agents[{index}].targets[{at}].metadata");
                    self.canonical_field(&join(&key, field), field);
                }
            }
            for (at, provider) in agent.providers.iter().enumerate() {
                for (row, record) in provider.records.iter().enumerate() {
                    for field in record.keys().filter(|field| input_field(field).is_none()) {
                        let key = format!("pipeline.acquisition.agents[{index}].providers[{at}].records[{row}]");
                        self.canonical_field(&join(&key, field), field);
                    }
                }
            }
        }
    }

    fn resolve(&mut self, config: &HotpassConfig) {
        self.share("resolve.name_guard", config.resolve.name_guard);
        if config.features.resolve && config.resolve.keys.is_empty() {
            self.invalid("resolve.keys", "No key would join records", "at least one key, or `features.resolve` off");
        }
        if config.resolve.shared_value_limit == 0 {
            self.invalid("resolve.shared_value_limit", "No value would ever join records: `0`", "1 or more");
        }
        self.share("resolve.match_threshold", config.resolve.match_threshold);
        self.share("resolve.review_threshold", config.resolve.review_threshold);
        if config.resolve.review_threshold > config.resolve.match_threshold {
            self.invalid(
                "resolve.review_threshold",
                "Pairs would be joined before they could be reviewed",
                "at most `resolve.match_threshold`",
            );
        }
        if config.resolve.maximum_block < 2 {
            self.invalid("resolve.maximum_block", "No value would bring two records together", "2 or more");
        }
    }

    fn provenance(&mut self, config: &HotpassConfig) {
        let reference = config.provenance.signing_key.as_ref();
        if reference.is_some_and(|reference| reference.parse::<SecretReference>().is_err()) {
            // The value may be the key itself, so that it is not repeated.
            self.invalid("provenance.signing_key", "A key is named, never written out", "`file:PATH` or `env:NAME`");
        }
    }

    /// Redaction that is asked for has to be possible, whether or not the stage is on.
    fn redaction(&mut self, redaction: &PiiRedaction) {
        for (name, operator) in &redaction.operators {
            let key = join("compliance.pii_redaction.operators", name);
            let parsed = operator.parse::<Operator>();
            if let Err(error) = &parsed {
                let problem =
                    ConfigProblem::new(ProblemKind::InvalidValue, format!("Unknown operator: `{}`", error.operator));
                self.problems.push(problem.key(&key).expecting(OPERATORS).near(error.nearest));
            }
            if DATA_CLASSES.contains(&name.as_str()) {
                continue;
            }
            let Some(column) = GOLDEN_COLUMNS.iter().find(|column| column.name == name) else {
                let known = DATA_CLASSES.into_iter().chain(GOLDEN_COLUMNS.iter().map(|column| column.name));
                let problem = ConfigProblem::new(
                    ProblemKind::InvalidValue,
                    format!("Unknown published column or class of personal data: `{name}`"),
                );
                self.problems
                    .push(problem.key(&key).expecting("a published column or a class").near(nearest(name, known)));
                continue;
            };
            let is_date = column.data_type == ColumnType::Date;
            if !is_date && (column.data_type != ColumnType::Text || matches!(column.name, "entity_id" | "run_id")) {
                self.invalid(&key, format!("Column holds no personal text: `{name}`"), "a column of texts or dates");
            } else if is_date && parsed.is_ok_and(|operator| !operator.fits_dates()) {
                self.invalid(
                    &key,
                    format!("Dates do not take the operator: `{operator}`"),
                    "`redact`, `generalise:year`, `generalise:month` or `keep`",
                );
            }
        }
    }

    fn governance(&mut self, config: &HotpassConfig) {
        self.not_blank("data_contract.dataset", &config.data_contract.dataset);
        self.not_blank("data_contract.version", &config.data_contract.version);
        if let Some(key) = config.asks_for_compliance().filter(|_| !config.features.compliance) {
            self.invalid(
                FEATURE,
                format!("The compliance stage is off, and `{key}` asks for what it does"),
                format!("`true`, or no such key; or else `{key}` taken away"),
            );
        }
        self.redaction(&config.compliance.pii_redaction);
        if config.features.compliance {
            if config.governance.intent.iter().all(|intent| intent.trim().is_empty()) {
                self.invalid(
                    "governance.intent",
                    "No purpose is given, and the compliance feature is on",
                    "at least one purpose",
                );
            }
            self.country("compliance.jurisdiction", &config.compliance.jurisdiction);
        }
        let lists = [
            ("compliance.pii_fields", &config.compliance.pii_fields),
            ("compliance.pii_redaction.columns", &config.compliance.pii_redaction.columns),
        ];
        for (key, columns) in lists {
            for (index, column) in columns.iter().enumerate() {
                self.golden_column(&format!("{key}[{index}]"), column);
            }
        }
        if let Some(key) = &config.compliance.pii_redaction.key
            && key.parse::<hotpass_core::SecretReference>().is_err()
        {
            self.invalid(
                "compliance.pii_redaction.key",
                "A key is named, never written out",
                "`env:NAME` or `file:PATH`",
            );
        }
        if config.compliance.retention_days == Some(0) {
            self.invalid("compliance.retention_days", "Data could not be kept for a day: `0`", "1 or more");
        }
    }
}
