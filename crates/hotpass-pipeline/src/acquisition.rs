//! The records of acquisition agents, as tables like those of files.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use hotpass_config::HotpassConfig;
use hotpass_config::model::{Agent, Target};
use hotpass_core::fields::input_field;
use hotpass_ingest::table::{CellKinds, ColumnContent, ROW_COLUMN, SourceColumn, TableId, TableSchema};
use hotpass_normalise::parse_province;

/// The records of an agent's targets or of one of its providers.
#[derive(Debug)]
pub(crate) struct AgentTable {
    /// `agent:NAME`.
    pub(crate) dataset: String,
    /// Source priority.
    pub(crate) priority: i64,
    /// What it is like; its file is the dataset, its sheet the provider.
    pub(crate) schema: TableSchema,
    /// Header to canonical field.
    pub(crate) columns: BTreeMap<String, String>,
    /// Its rows.
    pub(crate) batch: RecordBatch,
}

type Record = BTreeMap<String, String>;

/// Makes the tables of all enabled agents, in order; a provider without records and an agent without targets have none.
///
/// # Errors
///
/// Returns an error when a table cannot be built.
pub(crate) fn agent_tables(config: &HotpassConfig) -> Result<Vec<AgentTable>, ArrowError> {
    let acquisition = &config.pipeline.acquisition;
    let country = config.pipeline.country_code.as_deref().unwrap_or(&config.profile.default_country_code);
    let mut tables = Vec::new();
    for agent in acquisition.agents.iter().filter(|agent| agent.enabled) {
        let mut seen = HashSet::new();
        let mut keep = |record: &Record| {
            let id = record.get("source_record_id").filter(|id| !id.is_empty());
            !acquisition.deduplicate || id.is_none_or(|id| seen.insert(id.clone()))
        };
        let targets: Vec<(u32, Record)> = (1..)
            .zip(agent.targets.iter().map(|target| target_record(agent, target, country)))
            .filter(|(_, record)| keep(record))
            .collect();
        tables.extend(table(agent, None, 0, 0, &targets)?);
        for (number, provider) in (1..).zip(agent.providers.iter().filter(|provider| provider.enabled)) {
            let records: Vec<(u32, Record)> =
                (1..).zip(provider.records.iter().cloned()).filter(|(_, record)| keep(record)).collect();
            tables.extend(table(agent, Some(&provider.name), number, provider.priority, &records)?);
        }
    }
    Ok(tables)
}

fn target_record(agent: &Agent, target: &Target, country: &str) -> Record {
    let mut record = target.metadata.clone();
    record.insert("organization_name".into(), target.identifier.clone());
    if let Some(domain) = &target.domain {
        record.insert("website".into(), domain.clone());
    }
    match (&target.location, &agent.region) {
        (Some(location), _) if parse_province(location, country).is_ok() => {
            record.insert("province".into(), location.clone());
        }
        (Some(location), _) => {
            record.insert("city".into(), location.clone());
        }
        (None, Some(region)) => {
            record.insert("province".into(), region.clone());
        }
        (None, None) => {}
    }
    record
}

fn table(
    agent: &Agent,
    provider: Option<&str>,
    number: u32,
    priority: i64,
    records: &[(u32, Record)],
) -> Result<Option<AgentTable>, ArrowError> {
    if records.is_empty() {
        return Ok(None);
    }
    let dataset = format!("agent:{}", agent.name);
    let names: BTreeSet<&String> = records.iter().flat_map(|(_, record)| record.keys()).collect();
    let mut fields = vec![Field::new(ROW_COLUMN, DataType::UInt32, false)];
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(UInt32Array::from_iter_values(records.iter().map(|(row, _)| *row)))];
    let mut columns = BTreeMap::new();
    let mut source_columns = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        fields.push(Field::new(name, DataType::Utf8, true));
        let values: StringArray =
            records.iter().map(|(_, record)| record.get(name).filter(|value| !value.trim().is_empty())).collect();
        arrays.push(Arc::new(values));
        columns.insert(name.clone(), input_field(name).map(|field| field.name.to_owned()).unwrap_or_default());
        source_columns.push(SourceColumn {
            name: name.clone(),
            raw_header: name.clone(),
            index: index as u32,
            cell_kinds: CellKinds { text: records.len() as u64, ..CellKinds::default() },
            content: ColumnContent::default(),
        });
    }
    let schema = TableSchema {
        id: TableId { file: dataset.as_str().into(), sheet: provider.map(Into::into), table: number },
        header_row: None,
        columns: source_columns,
        rows: Some(records.len() as u64),
    };
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
    Ok(Some(AgentTable { dataset, priority, schema, columns, batch }))
}

#[cfg(test)]
mod tests {
    use hotpass_config::model::Provider;

    use super::*;

    #[test]
    fn targets_and_records_become_tables() {
        let mut config = HotpassConfig::default();
        let record = |name: &str, id: &str| {
            BTreeMap::from([
                ("organization_name".to_owned(), name.to_owned()),
                ("source_record_id".to_owned(), id.to_owned()),
            ])
        };
        config.pipeline.acquisition.agents = vec![
            Agent {
                name: "scout".into(),
                region: Some("Gauteng".into()),
                targets: vec![
                    Target { identifier: "Acacia".into(), ..Target::default() },
                    Target { identifier: "Baobab".into(), location: Some("Lanseria".into()), ..Target::default() },
                ],
                providers: vec![
                    Provider {
                        name: "list".into(),
                        priority: 2,
                        records: vec![record("Acacia", "1"), record("Acacia Club", "1")],
                        ..Provider::default()
                    },
                    Provider {
                        name: "off".into(),
                        enabled: false,
                        records: vec![record("X", "9")],
                        ..Provider::default()
                    },
                ],
                ..Agent::default()
            },
            Agent { name: "asleep".into(), enabled: false, ..Agent::default() },
        ];
        let tables = agent_tables(&config).unwrap();
        assert_eq!(tables.len(), 2);
        assert_eq!(tables[0].dataset, "agent:scout");
        let names: Vec<_> = tables[0].schema.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["city", "organization_name", "province"]);
        assert_eq!((tables[1].priority, tables[1].batch.num_rows()), (2, 1), "the same record id is kept once");
        assert_eq!(tables[1].schema.id.sheet.as_deref(), Some("list"));
    }
}
