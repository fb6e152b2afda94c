//! The input files: whether each can be read, and what is in it.

use std::collections::BTreeMap;

use hotpass_config::HotpassConfig;
use hotpass_ingest::{
    IngestError, OpenTable, ReadOptions, SourceFile, default_memory_limit, discover,
    mapping::{MappingRules, map_columns},
    open_file,
    source::DiscoverOptions,
};

use super::Check;

/// Runs the checks; none when the input folder itself is missing, which is a check of the environment.
pub(super) fn checks(config: &HotpassConfig) -> Vec<Check> {
    const NAME: &str = "inputs";
    let pipeline = &config.pipeline;
    if !pipeline.input_dir.is_dir() {
        return Vec::new();
    }
    let options = DiscoverOptions { dist_dir: Some(pipeline.dist_dir.clone()) };
    let found = match discover(std::slice::from_ref(&pipeline.input_dir), &options) {
        Ok(found) => found,
        Err(error) => return vec![Check::fail(NAME, error.to_string(), error.hint())],
    };
    let options = ReadOptions {
        memory_limit_bytes: config.ingest.memory_limit_bytes.unwrap_or_else(default_memory_limit),
        null_values: config.ingest.null_values.clone(),
        ..ReadOptions::default()
    };
    let mut checks: Vec<Check> = found.files.iter().map(|file| check(file, &options, config)).collect();
    checks.extend(found.unreadable.iter().map(|diagnostic| {
        let name = diagnostic.location.file.as_deref().unwrap_or_default();
        Check::warn(format!("inputs.{name}"), diagnostic.message.clone(), diagnostic.hint.clone().unwrap_or_default())
    }));
    if !checks.is_empty() && checks.iter().all(|check| !check.passed) {
        checks.push(Check::fail(
            NAME,
            "No input file holds a table that can be read",
            "Put at least one readable file into the input folder",
        ));
    }
    checks
}

/// Opens one file; what is wrong with it alone does not stop a run.
fn check(file: &SourceFile, options: &ReadOptions, config: &HotpassConfig) -> Check {
    let name = format!("inputs.{}", file.name);
    let inspect = format!("See what is in it with `hotpass inspect {}`", file.path.display());
    let opened = match open_file(file, options) {
        Ok(opened) => opened,
        Err(error) => return refused(name, &error),
    };
    let rules = mapping_rules(file, config);
    let found: Vec<Table> = opened.tables.into_iter().filter_map(|table| look(table, &rules)).collect();
    let data: Vec<&Table> = found.iter().filter(|table| table.missing.is_empty()).collect();
    match (found.first(), data.as_slice()) {
        (None, _) => Check::warn(name, "No table was found in it", inspect),
        (Some(first), []) => Check::warn(
            name,
            format!("No column is taken for {}", first.missing.join(", ")),
            format!("{inspect}, and name the columns with `hotpass map`"),
        ),
        (_, data) => {
            let mapped: usize = data.iter().map(|table| table.mapped).sum();
            let columns: usize = data.iter().map(|table| table.columns).sum();
            let tables = if data.len() == 1 { "table" } else { "tables" };
            Check::pass(name, format!("{} {tables}, {mapped} of {columns} columns understood", data.len()))
        }
    }
}

/// What was found in a table.
struct Table {
    columns: usize,
    mapped: usize,
    missing: Vec<String>,
}

/// Maps the columns of a table by its first rows; nothing when it has none.
fn look(mut table: OpenTable, rules: &MappingRules) -> Option<Table> {
    let sample = table.batches.next()?.ok()?;
    let mapping = map_columns(&table.schema, &sample, rules);
    Some(Table {
        columns: mapping.columns.len(),
        mapped: mapping.columns.iter().filter(|column| column.field.is_some()).count(),
        missing: mapping.missing_required,
    })
}

/// Returns the rules by which a run maps the columns of a file, mapping files aside.
fn mapping_rules(file: &SourceFile, config: &HotpassConfig) -> MappingRules {
    let file_name = file.name.rsplit('/').next().unwrap_or(&file.name);
    let source = config.profile.sources.iter().find(|source| source.matches(file_name));
    MappingRules {
        explicit: source.map_or_else(BTreeMap::new, |source| source.columns.clone()),
        synonyms: config.profile.column_synonyms.clone(),
        mapping_threshold: config.ingest.mapping_threshold,
        suggestion_threshold: config.ingest.suggestion_threshold,
        required_fields: config.profile.required_fields.clone(),
        null_values: config.ingest.null_values.clone(),
    }
}

fn refused(name: String, error: &IngestError) -> Check {
    let (message, hint) = match error {
        IngestError::Refused(diagnostic) => (diagnostic.message.clone(), diagnostic.hint.clone()),
        IngestError::Read { source, .. } => (format!("{error}: {source}"), None),
    };
    Check::warn(name, message, hint.unwrap_or_else(|| "Mend the file or take it out of the folder".to_owned()))
}
