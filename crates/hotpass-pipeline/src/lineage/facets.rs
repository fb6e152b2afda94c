//! The facets of a run's events, from its configuration and figures.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::RecordBatch;
use hotpass_config::HotpassConfig;
use hotpass_core::fields::GOLDEN_COLUMNS;
use hotpass_lineage::facet::{
    Assertion, ColumnMetrics, DataQualityAssertions, DataQualityMetrics, DataSource, DatasetDocumentation,
    DatasetFacets, DatasetOwnership, DatasetTags, DatasetType, DatasetVersion, EnvironmentVariable,
    EnvironmentVariables, ExecutionParameter, ExecutionParameters, Facet, FacetBody, FieldTag, Hierarchy,
    HierarchyLevel, InputDataQualityMetrics, InputFacets, InputStatistics, JobDocumentation, JobFacets, JobOwnership,
    JobTags, JobType, LifecycleState, LifecycleStateChange, OutputFacets, OutputStatistics, Owner, ProcessingEngine,
    RunTags, Schema, SchemaField, SourceCodeLocation, Storage, Tag, TestExecution, TestResults,
};
use hotpass_lineage::{event::InputDataset, event::OutputDataset};
use hotpass_quality::contract::ContractResult;
use serde::Serialize;

use super::{LineageServices, SourceTable};
use crate::contracts::ContractStatistics;
use crate::publish::WrittenFile;
use crate::statistics::{ExpectationResult, RunStatistics};

/// Hotpass's own facet of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HotpassRun {
    pub(crate) hotpass_version: String,
    pub(crate) profile: String,
    pub(crate) config_digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) passed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<HotpassRows>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quality_mean: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conflicts: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pairs_to_review: Option<u64>,
}

/// What became of the rows, in [`HotpassRun`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HotpassRows {
    pub(crate) rows_in: u64,
    pub(crate) in_entities: u64,
    pub(crate) quarantined: u64,
    pub(crate) entities: u64,
}

/// Hotpass's own facet of a job.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HotpassJob {
    hotpass_version: String,
    profile: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<String>,
    dataset: String,
    contract_version: String,
    classification: String,
    lawful_basis: String,
    purposes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention_days: Option<u32>,
}

impl FacetBody for HotpassRun {
    const KEY: &'static str = "hotpass";
    const SCHEMA_URL: &'static str =
        "https://hotpass.dev/schemas/lineage/1-0-0/HotpassRunFacet.json#/$defs/HotpassRunFacet";
}

impl FacetBody for HotpassJob {
    const KEY: &'static str = "hotpass";
    const SCHEMA_URL: &'static str =
        "https://hotpass.dev/schemas/lineage/1-0-0/HotpassJobFacet.json#/$defs/HotpassJobFacet";
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes the facets of a run.
pub(crate) struct Facets<'a> {
    pub(crate) producer: &'a str,
    pub(crate) config: &'a HotpassConfig,
}

impl Facets<'_> {
    #[expect(clippy::unnecessary_wraps, reason = "every member of a set of facets may be absent")]
    pub(crate) fn of<B: FacetBody>(&self, body: B) -> Option<Facet<B>> {
        Some(Facet::new(self.producer, body))
    }

    pub(crate) fn engine(&self) -> Option<Facet<ProcessingEngine>> {
        self.of(ProcessingEngine {
            version: VERSION.to_owned(),
            name: Some("hotpass".to_owned()),
            openlineage_adapter_version: Some(VERSION.to_owned()),
        })
    }

    /// Returns the facets of the job, or of a stage of it.
    pub(crate) fn job(&self, stage: Option<&str>, what: &str, source: &str, services: &LineageServices) -> JobFacets {
        let config = self.config;
        let repository = env!("CARGO_PKG_REPOSITORY");
        let mut tags = vec![
            tag("profile", &config.profile.name),
            tag("classification", &serialised(&config.governance.classification)),
            tag("lawful_basis", &serialised(&config.governance.lawful_basis)),
        ];
        if config.features.compliance {
            tags.push(tag("jurisdiction", &config.compliance.jurisdiction));
        }
        tags.extend(
            services
                .job_tags
                .iter()
                .chain(&config.lineage.tags)
                .map(|(key, value)| Tag { source: Some("USER".to_owned()), ..tag(key, value) }),
        );
        let mut facets = JobFacets {
            job_type: self.of(JobType {
                processing_type: "BATCH".to_owned(),
                integration: "HOTPASS".to_owned(),
                job_type: Some(if stage.is_some() { "TASK" } else { "JOB" }.to_owned()),
                ..JobType::default()
            }),
            documentation: self
                .of(JobDocumentation { description: what.to_owned(), content_type: Some("text/plain".to_owned()) }),
            ownership: self.of(JobOwnership { owners: Some(self.owners()) }),
            source_code_location: self.of(SourceCodeLocation {
                kind: "git".to_owned(),
                url: format!("{repository}/blob/v{VERSION}/{source}"),
                repo_url: Some(repository.to_owned()),
                path: Some(source.to_owned()),
                version: Some(format!("v{VERSION}")),
                tag: Some(format!("v{VERSION}")),
                ..SourceCodeLocation::default()
            }),
            tags: self.of(JobTags { tags: Some(tags) }),
            ..JobFacets::default()
        };
        let own = HotpassJob {
            hotpass_version: VERSION.to_owned(),
            profile: config.profile.name.clone(),
            stage: stage.map(str::to_owned),
            dataset: config.data_contract.dataset.clone(),
            contract_version: config.data_contract.version.clone(),
            classification: serialised(&config.governance.classification),
            lawful_basis: serialised(&config.governance.lawful_basis),
            purposes: config.governance.intent.clone(),
            retention_days: config.compliance.retention_days.filter(|_| config.features.compliance),
        };
        // Plain text and numbers are always JSON.
        let _ = facets.set_custom(self.producer, own);
        facets
    }

    fn owners(&self) -> Vec<Owner> {
        let mut owners =
            vec![Owner { name: self.config.governance.data_owner.clone(), kind: Some("DATA_OWNER".to_owned()) }];
        if let Some(steward) = &self.config.data_contract.steward {
            owners.push(Owner { name: steward.clone(), kind: Some("STEWARD".to_owned()) });
        }
        owners
    }

    /// Returns what the run was told to do; names, numbers and switches, no values of data.
    pub(crate) fn parameters(&self, command: &[String]) -> Option<Facet<ExecutionParameters>> {
        let config = self.config;
        let pipeline = &config.pipeline;
        let country = pipeline.country_code.as_ref().unwrap_or(&config.profile.default_country_code);
        let mut parameters = vec![
            parameter("profile", &config.profile.name),
            parameter("pipeline.country_code", country),
            parameter("pipeline.qa_mode", &serialised(&pipeline.qa_mode)),
            parameter("pipeline.archive", &pipeline.archive.to_string()),
            parameter("features.resolve", &config.features.resolve.to_string()),
            parameter("features.acquisition", &config.features.acquisition.to_string()),
            parameter("features.compliance", &config.features.compliance.to_string()),
            parameter("resolve.probabilistic", &config.resolve.probabilistic.to_string()),
            parameter("resolve.match_threshold", &config.resolve.match_threshold.to_string()),
            parameter("resolve.review_threshold", &config.resolve.review_threshold.to_string()),
            parameter("ingest.mapping_threshold", &config.ingest.mapping_threshold.to_string()),
            parameter("survivorship.default", &serialised(&config.survivorship.default)),
        ];
        if !command.is_empty() {
            parameters.push(parameter("command", &command.join(" ")));
        }
        self.of(ExecutionParameters { parameters: Some(parameters) })
    }

    pub(crate) fn environment(&self, variables: &BTreeMap<String, String>) -> Option<Facet<EnvironmentVariables>> {
        if variables.is_empty() {
            return None;
        }
        let variables =
            variables.iter().map(|(name, value)| EnvironmentVariable { name: name.clone(), value: value.clone() });
        self.of(EnvironmentVariables { environment_variables: variables.collect() })
    }

    pub(crate) fn run_tags(&self, tags: &BTreeMap<String, String>) -> Option<Facet<RunTags>> {
        if tags.is_empty() {
            return None;
        }
        let tags = tags.iter().map(|(key, value)| Tag { source: Some("USER".to_owned()), ..tag(key, value) });
        self.of(RunTags { tags: Some(tags.collect()) })
    }

    /// Returns what was checked in the run, contracts first.
    pub(crate) fn tests(&self, statistics: &RunStatistics) -> Option<Facet<TestResults>> {
        let contracts = statistics.contracts.iter().map(|contract| TestExecution {
            name: format!("{} keeps contract {}", contract.place(), contract.result.contract),
            status: if contract.result.passed { "pass" } else { "fail" }.to_owned(),
            severity: Some(if contract.fails_table() { "error" } else { "warn" }.to_owned()),
            kind: Some("contract".to_owned()),
            expected: Some(format!("contract {} {}", contract.result.contract, contract.result.version)),
            actual: Some(contract_found(&contract.result)),
            ..TestExecution::default()
        });
        let expectations = statistics.expectations.iter().map(|result| TestExecution {
            name: result.name.clone(),
            status: if result.success { "pass" } else { "fail" }.to_owned(),
            severity: Some(severity(result)),
            kind: Some(kind(result)),
            expected: Some(format!("at least {} of the values pass", result.mostly)),
            actual: Some(format!("{} of {} values failed", result.unexpected, result.checked)),
            ..TestExecution::default()
        });
        let tests: Vec<TestExecution> = contracts.chain(expectations).collect();
        if tests.is_empty() { None } else { self.of(TestResults { tests }) }
    }

    /// Returns the results of checks on a table: of the rules of its contract that rows or the table break, and of its
    /// expectations.
    pub(crate) fn assertions(
        &self,
        contracts: &[&ContractStatistics],
        results: &[&ExpectationResult],
    ) -> Option<Facet<DataQualityAssertions>> {
        let mut assertions = Vec::new();
        for contract in contracts {
            assertions.extend(contract_assertions(&contract.result));
        }
        assertions.extend(results.iter().map(|result| Assertion {
            assertion: kind(result),
            success: result.success,
            column: (!result.column.is_empty()).then(|| result.column.clone()),
            severity: Some(severity(result)),
            name: Some(result.name.clone()),
            expected: Some(format!("at least {} of the values pass", result.mostly)),
            actual: Some(format!("{} of {} values failed", result.unexpected, result.checked)),
            ..Assertion::default()
        }));
        if assertions.is_empty() { None } else { self.of(DataQualityAssertions { assertions }) }
    }

    pub(crate) fn source(&self, namespace: &str) -> Option<Facet<DataSource>> {
        self.of(DataSource { name: Some(namespace.to_owned()), uri: Some(namespace.to_owned()) })
    }

    /// Returns a source table as input.
    pub(crate) fn input(&self, namespace: &str, table: &SourceTable) -> InputDataset {
        let fields: Vec<SchemaField> = table
            .columns
            .iter()
            .enumerate()
            .map(|(position, column)| SchemaField {
                name: column.name.clone(),
                kind: Some(column.kind.to_owned()),
                description: Some(match &column.field {
                    Some(field) => format!("Column {}, read as {field}", column.letters),
                    None => format!("Column {}", column.letters),
                }),
                ordinal_position: Some(position as i64 + 1),
                fields: None,
            })
            .collect();
        let metrics: BTreeMap<String, ColumnMetrics> = table
            .columns
            .iter()
            .map(|column| {
                let missing = table.rows.saturating_sub(column.filled);
                (column.name.clone(), ColumnMetrics { null_count: Some(missing as i64), ..ColumnMetrics::default() })
            })
            .collect();
        let mut hierarchy = vec![level("FILE", &table.file)];
        hierarchy.extend(table.sheet.iter().map(|sheet| level("SHEET", sheet)));
        let facets = DatasetFacets {
            data_source: self.source(namespace),
            dataset_type: self.of(DatasetType {
                dataset_type: if table.sheet.is_some() { "SHEET" } else { "FILE" }.to_owned(),
                sub_type: None,
            }),
            version: table
                .sha256
                .as_ref()
                .and_then(|digest| self.of(DatasetVersion { dataset_version: format!("sha256:{digest}") })),
            schema: self.of(Schema { fields: Some(fields) }),
            storage: self.storage(&table.file),
            hierarchy: self.of(Hierarchy { hierarchy }),
            documentation: self.of(DatasetDocumentation {
                description: format!("Source {} of profile {}", table.dataset, self.config.profile.name),
                content_type: Some("text/plain".to_owned()),
            }),
            ..DatasetFacets::default()
        };
        let input_facets = InputFacets {
            input_statistics: self.of(InputStatistics {
                row_count: Some(table.rows as i64),
                size: table.bytes.map(|bytes| bytes as i64),
                file_count: Some(1),
            }),
            data_quality_metrics: self.of(InputDataQualityMetrics {
                column_metrics: metrics,
                row_count: Some(table.rows as i64),
                bytes: table.bytes.map(|bytes| bytes as i64),
                file_count: Some(1),
                last_updated: None,
            }),
            ..InputFacets::default()
        };
        InputDataset {
            namespace: namespace.to_owned(),
            name: table.name.clone(),
            facets: Some(facets),
            input_facets: Some(input_facets),
        }
    }

    fn storage(&self, file: &str) -> Option<Facet<Storage>> {
        let ending = Path::new(file).extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let packed = ending.as_deref().is_some_and(|ending| ["gz", "zst"].contains(&ending));
        let ending = if packed {
            Path::new(file).with_extension("").extension().map(|ending| ending.to_string_lossy().to_lowercase())
        } else {
            ending
        };
        self.of(Storage { storage_layer: "file".to_owned(), file_format: ending })
    }

    /// Returns a written file as output, without what only some files have.
    pub(crate) fn output(
        &self,
        namespace: &str,
        name: String,
        file: &WrittenFile,
        change: LifecycleState,
    ) -> OutputDataset {
        let facets = DatasetFacets {
            data_source: self.source(namespace),
            dataset_type: self.of(DatasetType { dataset_type: "FILE".to_owned(), sub_type: None }),
            version: self.of(DatasetVersion { dataset_version: format!("sha256:{}", file.sha256) }),
            storage: self.storage(&name),
            lifecycle_state_change: self
                .of(LifecycleStateChange { lifecycle_state_change: change, previous_identifier: None }),
            ownership: self.of(DatasetOwnership { owners: Some(self.owners()) }),
            ..DatasetFacets::default()
        };
        let output_facets = OutputFacets {
            output_statistics: self.of(OutputStatistics {
                row_count: file.rows.map(|rows| rows as i64),
                size: Some(file.bytes as i64),
                file_count: Some(1),
            }),
            ..OutputFacets::default()
        };
        OutputDataset {
            namespace: namespace.to_owned(),
            name,
            facets: Some(facets),
            output_facets: Some(output_facets),
        }
    }

    /// Returns the schema of a table.
    pub(crate) fn schema(&self, columns: &[hotpass_core::fields::ColumnSpec]) -> Option<Facet<Schema>> {
        let fields = columns.iter().enumerate().map(|(position, column)| SchemaField {
            name: column.name.to_owned(),
            kind: Some(column.data_type.arrow_name().to_owned()),
            description: Some(column.description.to_owned()),
            ordinal_position: Some(position as i64 + 1),
            fields: None,
        });
        self.of(Schema { fields: Some(fields.collect()) })
    }

    /// Returns the figures of the published table.
    pub(crate) fn golden_metrics(&self, golden: &[RecordBatch], bytes: u64) -> Option<Facet<DataQualityMetrics>> {
        let rows: usize = golden.iter().map(RecordBatch::num_rows).sum();
        let metrics = GOLDEN_COLUMNS
            .iter()
            .enumerate()
            .map(|(position, column)| {
                let missing: usize = golden.iter().map(|batch| batch.column(position).null_count()).sum();
                // The ids are distinct by construction.
                let distinct = (column.name == "entity_id").then_some(rows as i64);
                let metrics = ColumnMetrics {
                    null_count: Some(missing as i64),
                    distinct_count: distinct,
                    ..ColumnMetrics::default()
                };
                (column.name.to_owned(), metrics)
            })
            .collect();
        self.of(DataQualityMetrics {
            column_metrics: metrics,
            row_count: Some(rows as i64),
            bytes: Some(bytes as i64),
            file_count: Some(1),
            last_updated: None,
        })
    }

    /// Returns the documentation and tags of the published table.
    pub(crate) fn describe_golden(&self, facets: &mut DatasetFacets) {
        let config = self.config;
        facets.documentation = self.of(DatasetDocumentation {
            description: format!(
                "Published table {} {} of profile {}: one row for each {}",
                config.data_contract.dataset,
                config.data_contract.version,
                config.profile.name,
                config.profile.organization_term.replace('_', " ")
            ),
            content_type: Some("text/plain".to_owned()),
        });
        let field_tag = |key: &str, value: &str, field: Option<&String>| FieldTag {
            key: key.to_owned(),
            value: value.to_owned(),
            source: Some("HOTPASS".to_owned()),
            field: field.cloned(),
        };
        let mut tags = vec![
            field_tag("classification", &serialised(&config.governance.classification), None),
            field_tag("contract_version", &config.data_contract.version, None),
        ];
        tags.extend(config.compliance.pii_fields.iter().map(|field| field_tag("pii", "true", Some(field))));
        facets.tags = self.of(DatasetTags { tags: Some(tags) });
    }

    /// Returns Hotpass's own facet of a run with the figures at its end.
    pub(crate) fn own_run(&self, config_digest: &str, statistics: Option<(&RunStatistics, bool)>) -> HotpassRun {
        HotpassRun {
            hotpass_version: VERSION.to_owned(),
            profile: self.config.profile.name.clone(),
            config_digest: config_digest.to_owned(),
            stage: None,
            passed: statistics.map(|(_, passed)| passed),
            rows: statistics.map(|(statistics, _)| HotpassRows {
                rows_in: statistics.rows_in,
                in_entities: statistics.rows_in_entities,
                quarantined: statistics.rows_quarantined,
                entities: statistics.entities,
            }),
            quality_mean: statistics.and_then(|(statistics, _)| statistics.quality_mean),
            conflicts: statistics.map(|(statistics, _)| statistics.conflicts.values().sum()),
            pairs_to_review: statistics.map(|(statistics, _)| statistics.pairs_to_review),
        }
    }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned(), source: Some("HOTPASS".to_owned()) }
}

fn level(kind: &str, name: &str) -> HierarchyLevel {
    HierarchyLevel { kind: kind.to_owned(), name: name.to_owned() }
}

fn parameter(key: &str, value: &str) -> ExecutionParameter {
    ExecutionParameter { key: key.to_owned(), value: Some(value.to_owned()), ..ExecutionParameter::default() }
}

/// Returns a choice of the configuration as it is written there.
fn serialised(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

fn severity(result: &ExpectationResult) -> String {
    if result.fails_run { "error" } else { "warn" }.to_owned()
}

/// Returns what an expectation checks: its name without the column.
fn kind(result: &ExpectationResult) -> String {
    let name = result.name.strip_prefix(result.column.as_str()).unwrap_or(&result.name).trim();
    name.split_whitespace().next().unwrap_or(&result.name).to_owned()
}

/// Says what was found on a contract in counts.
fn contract_found(result: &ContractResult) -> String {
    let table = match result.table.len() {
        0 => String::new(),
        1 => ", and the table as a whole breaks 1 rule".to_owned(),
        count => format!(", and the table as a whole breaks {count} rules"),
    };
    format!("{} of {} rows break a rule{table}", result.failed_rows, result.rows)
}

/// Returns the verdict on a contract, and each of its rules that is broken.
pub(crate) fn contract_assertions(result: &ContractResult) -> Vec<Assertion> {
    let mut assertions = vec![Assertion {
        assertion: "contract".to_owned(),
        success: result.passed,
        severity: Some("error".to_owned()),
        name: Some(format!("contract {} {}", result.contract, result.version)),
        expected: Some("every row keeps every rule".to_owned()),
        actual: Some(contract_found(result)),
        ..Assertion::default()
    }];
    let broken = |rule: &str, column: Option<String>, severity: &str, actual: Option<String>| Assertion {
        assertion: format!("contract_{rule}"),
        success: false,
        name: Some(match &column {
            Some(column) => format!("{column} {rule}"),
            None => rule.to_owned(),
        }),
        column,
        severity: Some(severity.to_owned()),
        actual,
        ..Assertion::default()
    };
    let rows = result.counts.iter().filter(|count| count.rows > 0).map(|count| {
        let actual = format!("{} of {} rows break it", count.rows, result.rows);
        broken(count.rule.name(), Some(count.columns.join(", ")), "warn", Some(actual))
    });
    assertions.extend(rows);
    // What is said about the table for people may hold a value of it, so that only the rule is told.
    let table = result.table.iter().map(|found| broken(found.rule.name(), found.column.clone(), "error", None));
    assertions.extend(table);
    assertions
}
