//! Puts the results of the stages together: the tables of the run and its figures.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, StringBuilder, UInt32Array, UInt32Builder};
use arrow::error::ArrowError;
use hotpass_config::HotpassConfig;
use hotpass_core::fields::{CROSSWALK_COLUMNS, LINK_COLUMNS, QUARANTINE_COLUMNS, REVIEW_COLUMNS};
use hotpass_resolve::prediction::match_probability;
use rayon::prelude::*;

use crate::decisions::BrokenRule;
use crate::entities::{Entities, NO_ENTITY};
use crate::golden::{GoldenChunk, present_before, source_fields};
use crate::grouping::Groups;
use crate::normalising::QuarantinedRow;
use crate::records::{Records, Span};
use crate::statistics::{Completeness, RunStatistics, SkippedTable, TableStatistics};
use crate::tables::{RunTables, schema_of};

/// What the stages have made.
pub(crate) struct Assembly<'a> {
    pub(crate) config: &'a HotpassConfig,
    pub(crate) run_id: &'a str,
    pub(crate) started_at: String,
    pub(crate) records: &'a Records,
    pub(crate) entities: &'a Entities,
    pub(crate) groups: &'a Groups,
    pub(crate) quarantined: Vec<QuarantinedRow>,
    pub(crate) tables: Vec<TableStatistics>,
    pub(crate) skipped: Vec<SkippedTable>,
    pub(crate) changes: BTreeMap<String, BTreeMap<String, u64>>,
    pub(crate) failures: BTreeMap<String, BTreeMap<String, u64>>,
}

/// Makes the tables and figures of the run.
///
/// # Errors
///
/// Returns an error when a table cannot be built.
pub(crate) fn assemble(
    assembly: &Assembly<'_>,
    chunks: Vec<GoldenChunk>,
) -> Result<(RunTables, RunStatistics), ArrowError> {
    let (records, entities) = (assembly.records, assembly.entities);
    let ((crosswalk, links), statistics) = rayon::join(
        || {
            rayon::join(
                || {
                    records
                        .spans
                        .par_iter()
                        .map(|span| crosswalk_of(records, entities, span))
                        .collect::<Result<Vec<_>, _>>()
                },
                || links(records, entities, assembly.groups),
            )
        },
        || statistics(assembly, &chunks),
    );
    let (crosswalk, links) = (crosswalk?, links?);
    let review = review_queue(records, entities, assembly.groups)?;
    let quarantine = quarantine(records, &assembly.quarantined)?;
    let mut tables = RunTables {
        golden: Vec::with_capacity(chunks.len()),
        crosswalk,
        provenance: Vec::with_capacity(chunks.len()),
        quarantine: vec![quarantine],
        links: vec![links],
        review: vec![review],
        linkage_keys: None,
        privacy: None,
        conflicts: Vec::with_capacity(chunks.len()),
        contacts: Vec::with_capacity(chunks.len()),
    };
    for chunk in chunks {
        tables.golden.push(chunk.golden);
        tables.provenance.push(chunk.provenance);
        tables.conflicts.push(chunk.conflicts);
        tables.contacts.push(chunk.contacts);
    }
    if tables.crosswalk.is_empty() {
        tables.crosswalk.push(RecordBatch::new_empty(schema_of(CROSSWALK_COLUMNS)));
    }
    Ok((tables, statistics))
}

fn repeated(value: &str, rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(value, rows)))
}

fn crosswalk_of(records: &Records, entities: &Entities, span: &Span) -> Result<RecordBatch, ArrowError> {
    let table = &records.tables[span.table as usize];
    let rows = span.rows.len();
    let mut record_ids = StringBuilder::with_capacity(rows, rows * 16);
    let mut entity_ids = StringBuilder::with_capacity(rows, rows * 24);
    let mut outcomes = StringBuilder::with_capacity(rows, rows * 6);
    let mut text = String::new();
    let mut next = 0u32;
    for position in 0..rows as u32 {
        let accepted = match &span.accepted {
            Some(accepted) => accepted.get(next as usize) == Some(&position),
            None => true,
        };
        text.clear();
        let record = span.first + next;
        next += u32::from(accepted);
        if accepted && entities.entity_of[record as usize] != NO_ENTITY {
            records.write_record_id(record, &mut text);
            record_ids.append_value(&text);
            text.clear();
            entities.write_id(entities.entity_of[record as usize] as usize, &mut text);
            entity_ids.append_value(&text);
            outcomes.append_value("entity");
        } else {
            record_ids.append_value(format!("{}!{}", table.place, span.rows.value(position as usize)));
            entity_ids.append_null();
            outcomes.append_value("quarantine");
        }
    }
    let sheet: ArrayRef = match &table.id.sheet {
        Some(sheet) => repeated(sheet, rows),
        None => Arc::new(StringArray::new_null(rows)),
    };
    RecordBatch::try_new(
        schema_of(CROSSWALK_COLUMNS),
        vec![
            repeated(&table.id.file, rows),
            sheet,
            Arc::new(span.rows.clone()),
            Arc::new(UInt32Array::from_value(table.id.table, rows)),
            repeated(&table.dataset, rows),
            Arc::new(record_ids.finish()),
            Arc::new(entity_ids.finish()),
            Arc::new(outcomes.finish()),
        ],
    )
}

fn links(records: &Records, entities: &Entities, groups: &Groups) -> Result<RecordBatch, ArrowError> {
    let published = |record: u32| entities.entity_of[record as usize] != NO_ENTITY;
    let kept: Vec<_> = groups.links.iter().filter(|link| published(link.left)).collect();
    let rows = kept.len();
    let column = |bytes: usize| StringBuilder::with_capacity(rows, rows * bytes);
    let (mut left, mut right, mut rule, mut entity) = (column(16), column(16), column(8), column(24));
    let mut text = String::new();
    for link in &kept {
        for (record, builder) in [(link.left, &mut left), (link.right, &mut right)] {
            text.clear();
            records.write_record_id(record, &mut text);
            builder.append_value(&text);
        }
        rule.append_value(link.rule);
        text.clear();
        entities.write_id(entities.entity_of[link.left as usize] as usize, &mut text);
        entity.append_value(&text);
    }
    RecordBatch::try_new(
        schema_of(LINK_COLUMNS),
        vec![
            Arc::new(left.finish()),
            Arc::new(right.finish()),
            Arc::new(rule.finish()),
            Arc::new(entity.finish()),
            Arc::new(kept.iter().map(|link| link.match_weight).collect::<Float64Array>()),
            Arc::new(kept.iter().map(|link| link.match_weight.map(match_probability)).collect::<Float64Array>()),
        ],
    )
}

fn review_queue(records: &Records, entities: &Entities, groups: &Groups) -> Result<RecordBatch, ArrowError> {
    let mut texts: [StringBuilder; 4] = Default::default();
    let mut text = String::new();
    let published = |record: u32| entities.entity_of[record as usize] != NO_ENTITY;
    let kept: Vec<_> = groups.review.iter().filter(|pair| published(pair.left) && published(pair.right)).collect();
    for pair in &kept {
        let [left, right, entity_left, entity_right] = &mut texts;
        for (record, id, entity) in [(pair.left, left, entity_left), (pair.right, right, entity_right)] {
            text.clear();
            records.write_record_id(record, &mut text);
            id.append_value(&text);
            text.clear();
            entities.write_id(entities.entity_of[record as usize] as usize, &mut text);
            entity.append_value(&text);
        }
    }
    let pairs = kept.iter();
    let mut columns: Vec<ArrayRef> = texts.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect();
    columns.extend([
        Arc::new(pairs.clone().map(|pair| Some(pair.match_weight)).collect::<Float64Array>()) as ArrayRef,
        Arc::new(pairs.clone().map(|pair| Some(match_probability(pair.match_weight))).collect::<Float64Array>()),
        Arc::new(StringArray::from_iter_values(pairs.map(|pair| pair.reason))),
    ]);
    RecordBatch::try_new(schema_of(REVIEW_COLUMNS), columns)
}

fn quarantine(records: &Records, quarantined: &[QuarantinedRow]) -> Result<RecordBatch, ArrowError> {
    let mut files = StringBuilder::new();
    let mut sheets = StringBuilder::new();
    let mut rows = UInt32Builder::new();
    let mut tables = UInt32Builder::new();
    let mut columns = StringBuilder::new();
    let mut reasons = StringBuilder::new();
    let mut messages = StringBuilder::new();
    let mut rules = StringBuilder::new();
    let mut values = StringBuilder::new();
    for row in quarantined {
        let table = &records.tables[row.table as usize];
        files.append_value(&table.id.file);
        sheets.append_option(table.id.sheet.as_deref());
        rows.append_value(row.row);
        tables.append_value(table.id.table);
        columns.append_option(row.column());
        reasons.append_value(row.reason());
        messages.append_value(row.message());
        rules.append_value(
            serde_json::to_string(&row.rules.iter().map(AsRef::as_ref).collect::<Vec<&BrokenRule>>())
                .unwrap_or_default(),
        );
        values.append_value(&row.values);
    }
    RecordBatch::try_new(
        schema_of(QUARANTINE_COLUMNS),
        vec![
            Arc::new(files.finish()),
            Arc::new(sheets.finish()),
            Arc::new(rows.finish()),
            Arc::new(tables.finish()),
            Arc::new(columns.finish()),
            Arc::new(reasons.finish()),
            Arc::new(messages.finish()),
            Arc::new(rules.finish()),
            Arc::new(values.finish()),
        ],
    )
}

fn statistics(assembly: &Assembly<'_>, chunks: &[GoldenChunk]) -> RunStatistics {
    let (records, entities, config) = (assembly.records, assembly.entities, assembly.config);
    let profile = &config.profile;
    let rows_in: u64 = assembly.tables.iter().map(|table| table.rows_in).sum();
    let mut statistics = RunStatistics {
        run_id: assembly.run_id.to_owned(),
        started_at: assembly.started_at.clone(),
        profile: profile.name.clone(),
        terms: [
            profile.organization_term.clone(),
            profile.organization_type_term.clone(),
            profile.organization_category_term.clone(),
        ],
        rows_in,
        rows_in_entities: (0..entities.len()).map(|entity| entities.members(entity).len() as u64).sum(),
        rows_quarantined: assembly.quarantined.len() as u64,
        entities: entities.len() as u64,
        pairs_to_review: assembly.groups.review.len() as u64,
        tables: assembly.tables.clone(),
        skipped: assembly.skipped.clone(),
        changes: assembly.changes.clone(),
        failures: assembly.failures.clone(),
        ..RunStatistics::default()
    };
    for (position, (name, before)) in source_fields().zip(present_before(records)).enumerate() {
        let after: u64 = chunks.iter().map(|chunk| chunk.present[position]).sum();
        let completeness = Completeness {
            before: before as f64 / rows_in.max(1) as f64,
            after: after as f64 / statistics.entities.max(1) as f64,
        };
        statistics.completeness.insert(name.to_owned(), completeness);
        let conflicts: u64 = chunks.iter().map(|chunk| chunk.conflicting[position]).sum();
        if conflicts > 0 {
            statistics.conflicts.insert(name.to_owned(), conflicts);
        }
    }
    for link in &assembly.groups.links {
        *statistics.links.entry(link.rule.to_owned()).or_default() += 1;
    }
    for entity in 0..entities.len() {
        let place = match entities.members(entity).len() {
            0..=1 => 0,
            size @ 2..=5 => size - 1,
            6..=10 => 5,
            _ => 6,
        };
        statistics.entity_sizes[place] += 1;
    }
    let (mut total, mut lowest, mut highest) = (0.0, f64::INFINITY, f64::NEG_INFINITY);
    for &score in chunks.iter().flat_map(|chunk| &chunk.scores) {
        statistics.quality_histogram[((score * 10.0 + 1e-9) as usize).min(9)] += 1;
        total += score;
        lowest = f64::min(lowest, score);
        highest = f64::max(highest, score);
    }
    let scores: usize = chunks.iter().map(|chunk| chunk.scores.len()).sum();
    if scores > 0 {
        statistics.quality_mean = Some(total / scores as f64);
        statistics.quality_min = Some(lowest);
        statistics.quality_max = Some(highest);
    }
    for table in &assembly.tables {
        *statistics.source_breakdown.entry(table.source_dataset.clone()).or_default() += table.rows_in;
    }
    for row in &assembly.quarantined {
        *statistics.quarantine_reasons.entry(row.reason().to_owned()).or_default() += 1;
    }
    statistics
}
