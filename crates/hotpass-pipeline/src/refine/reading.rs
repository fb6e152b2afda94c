//! Reading: files in, normalised records out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use hotpass_config::HotpassConfig;
use hotpass_config::model::Source;
use hotpass_core::Diagnostic;
use hotpass_ingest::{
    IngestError, OpenTable, SourceFile, default_memory_limit,
    mapping::{MappingRules, map_columns},
    open_file,
    table::{ExcelEpoch, LateDiagnostics},
};
use hotpass_normalise::{DateOrder, DateRule, Placeholders, TextRule};
use rayon::prelude::*;

use super::{RefineError, Run};
use crate::acquisition;
use crate::compliance::{Compliance, TableDetection};
use crate::contracts::{ContractLoadError, ContractStatistics, TableCheck};
use crate::decisions::ReleasedRow;
use crate::named_checks::SourcesRead;
use crate::normalising::{NormalisedBatch, QuarantinedRow, TablePlan, normalise_batch, note_rejections, settle};
use crate::progress::Stage;
use crate::quality::DatasetResult;
use crate::reading::{FileRules, lists_sheet, mapping_files, required_fields};
use crate::records::{Part, RecordTable};
use crate::statistics::{ColumnMappingStatistics, SkippedTable, TableStatistics};
use crate::telemetry;

/// Everything that was read.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) tables: Vec<RecordTable>,
    pub(super) statistics: Vec<TableStatistics>,
    pub(super) skipped: Vec<SkippedTable>,
    pub(super) contracts: Vec<ContractStatistics>,
    pub(super) parts: Vec<Part>,
    pub(super) quarantined: Vec<QuarantinedRow>,
    pub(super) changes: BTreeMap<String, BTreeMap<String, u64>>,
    pub(super) failures: BTreeMap<String, BTreeMap<String, u64>>,
    pub(super) results: Vec<DatasetResult>,
    pub(super) sources: SourcesRead,
    pub(super) released: Vec<ReleasedRow>,
    /// Decisions that spoke of a row, by their number.
    pub(super) decisions_used: BTreeSet<usize>,
    pub(super) findings: Vec<hotpass_privacy::detect::TableFindings>,
    pub(super) bytes: u64,
}

/// The normalised batches of a table, the batches as they were read where they are kept, why reading ended early, and what
/// personal data was found.
type Normalised =
    (Vec<NormalisedBatch>, Vec<RecordBatch>, Option<IngestError>, Option<hotpass_privacy::detect::TableFindings>);

impl Run<'_> {
    /// Reads every file, in order; batches are normalised on all threads while the next is read.
    pub(super) fn read(&mut self) -> Result<Reading, RefineError> {
        let config = self.request.config;
        let files = mapping_files(config)?;
        let limit = config.ingest.memory_limit_bytes.unwrap_or_else(default_memory_limit);
        self.request.progress.started(Stage::Read, None);
        self.lineage.stage_started(Stage::Read);
        let mut reading = Reading::default();
        for (number, file) in self.inputs.clone().into_iter().enumerate() {
            self.check_cancelled()?;
            let loading = Instant::now();
            let extension = telemetry::extension(&file.name);
            let span = tracing::info_span!(
                "refine.read_file",
                "hotpass.file" = number as i64,
                "hotpass.source" = tracing::field::Empty,
                "file.extension" = extension,
                "file.size" = file.bytes as i64
            );
            let _in_file = span.enter();
            let base = file.name.rsplit('/').next().unwrap_or(&file.name).to_owned();
            let file_rules = FileRules::of(config, &file.name);
            let source = file_rules.source();
            match open_file(&file, &file_rules.read_options()) {
                Ok(opened) => {
                    let read = opened.tables.iter().map(|table| &table.schema.id);
                    let ids = read.chain(opened.skipped.iter().map(|skipped| &skipped.id));
                    reading.sources.add(source, Some(ids.filter_map(|id| id.sheet.as_deref())));
                    self.diagnostics.extend(opened.diagnostics);
                    reading.skipped.extend(opened.skipped.into_iter().map(|skipped| SkippedTable {
                        file: skipped.id.file.to_string(),
                        sheet: skipped.id.sheet.map(|sheet| sheet.to_string()),
                        reason: skipped.reason,
                    }));
                    let dataset = source.map_or_else(|| stem(&base), |source| source.name.clone());
                    let told = telemetry::source_name(config, &dataset, number);
                    span.record("hotpass.source", &told);
                    for table in opened.tables {
                        let rules = file_rules.mapping_rules(&files, &table.schema.id);
                        self.read_table(table, &dataset, source, &rules, &mut reading)?;
                        if reading.bytes > limit {
                            return Err(RefineError::Memory { needed: reading.bytes, limit });
                        }
                    }
                    telemetry::file_read(&told, &extension, file.bytes, loading);
                }
                Err(error) => {
                    reading.sources.add(source, None::<[&str; 0]>);
                    let reason = error.to_string();
                    self.diagnostics.push(refusal(error, &file));
                    reading.skipped.push(SkippedTable { file: file.name.to_string(), sheet: None, reason });
                }
            }
        }
        Ok(reading)
    }

    fn read_table(
        &mut self,
        mut table: OpenTable,
        dataset: &str,
        source: Option<&Source>,
        rules: &MappingRules,
        reading: &mut Reading,
    ) -> Result<(), RefineError> {
        let config = self.request.config;
        self.diagnostics.append(&mut table.diagnostics);
        let Compliance { suppression, suppressed_rows, .. } = &self.compliance;
        // The first column holds row numbers.
        let raw = table.schema.columns.iter().map(|column| column.raw_header.clone());
        let headers: Vec<String> = std::iter::once(String::new()).chain(raw).collect();
        table.batches = suppression.wrap(table.batches, headers, suppressed_rows);
        let schema = table.schema;
        let skipped = |reason: String| SkippedTable {
            file: schema.id.file.to_string(),
            sheet: schema.id.sheet.as_ref().map(ToString::to_string),
            reason,
        };
        let first = match table.batches.next() {
            Some(Ok(batch)) => batch,
            Some(Err(error)) => {
                reading.skipped.push(skipped(error.to_string()));
                self.diagnostics.push(refused(error, &schema.id.location()));
                return Ok(());
            }
            None => {
                if let Some(check) = self.contracts.check(source, &schema)?.filter(|check| check.resembles(&schema)) {
                    self.add_contract(check, true, reading);
                }
                reading.skipped.push(skipped("it has no rows below its header".into()));
                return Ok(());
            }
        };
        let mapping = map_columns(&schema, &first, rules);
        let listed = source.is_some_and(|source| lists_sheet(source, &schema.id));
        let mut check = self.contracts.check(source, &schema)?;
        if !mapping.is_data() && !listed {
            if let Some(check) = check.filter(|check| check.resembles(&schema)) {
                self.add_contract(check, false, reading);
            }
            reading.skipped.push(skipped(format!("no column is `{}`", mapping.missing_required.join("` or `"))));
            return Ok(());
        }
        let country =
            config.pipeline.country_code.clone().unwrap_or_else(|| config.profile.default_country_code.clone());
        let priority = source.map_or(0, |source| source.priority);
        let number = reading.tables.len() as u32;
        let record_table = RecordTable::new(&schema, dataset, priority);
        let plan = TablePlan {
            table: number,
            columns: record_table
                .columns
                .iter()
                .map(|column| (column.letters.clone(), column.header.clone()))
                .collect(),
            defaults: source.map(|source| source.defaults.clone()).unwrap_or_default(),
            country,
            place: record_table.place.clone(),
            required: required_fields(config),
            null_values: config.ingest.null_values.clone(),
            date_rule: date_rule(config, &schema, &mapping),
            decisions: self.decisions_on(&schema.id),
            mapping,
        };
        let mut statistics = TableStatistics {
            file: schema.id.file.to_string(),
            sheet: schema.id.sheet.as_ref().map(ToString::to_string),
            table: schema.id.table,
            source_dataset: dataset.to_owned(),
            header_row: schema.header_row,
            ..TableStatistics::default()
        };
        let checks = self.expectations.for_table(source, &schema);
        let (mut batches, kept, failure, findings) =
            self.normalise_all(&plan, first, table.batches, checks.is_some(), check.as_mut())?;
        if let Some(check) = check {
            self.add_contract(check, true, reading);
        }
        reading.findings.extend(findings);
        if let Some(checks) = checks {
            reading.results.push(checks.apply(&plan, &kept, &mut batches, &self.redaction)?);
        }
        drop(kept);
        let judged = settle(&plan, &mut batches)?;
        reading.released.extend(judged.released.into_iter().flatten());
        reading.decisions_used.extend(judged.used);
        if let Some(error) = failure {
            self.diagnostics.push(refused(error, &schema.id.location()));
        }
        self.diagnostics.extend(table.late_diagnostics.take());
        let mut filled = vec![0u64; schema.columns.len()];
        for batch in batches {
            statistics.rows_in += batch.rows;
            statistics.rows_quarantined += batch.quarantined.len() as u64;
            for (total, count) in filled.iter_mut().zip(&batch.filled) {
                *total += count;
            }
            for (field, counts) in &batch.changes {
                for (code, count) in counts.iter() {
                    let kept = !batch.failure_codes.contains(&(*field, code));
                    let kind = if kept { &mut reading.changes } else { &mut reading.failures };
                    let counters = kind.entry((*field).to_owned()).or_default();
                    *counters.entry(code.to_owned()).or_default() += count;
                }
            }
            reading.bytes += batch.part.bytes();
            reading.quarantined.extend(batch.quarantined);
            reading.parts.push(batch.part);
        }
        statistics.columns = plan
            .mapping
            .columns
            .iter()
            .map(|column| ColumnMappingStatistics {
                header: column.header.clone(),
                column: record_table
                    .columns
                    .get(column.column_index as usize)
                    .map(|column| column.letters.clone())
                    .unwrap_or_default(),
                field: column.field.clone(),
                suggestion: column.suggestion.clone(),
                confidence: column.confidence,
                reason: column.reason.clone(),
                fill: filled
                    .get(column.column_index as usize)
                    .map_or(0.0, |&count| count as f64 / statistics.rows_in.max(1) as f64),
            })
            .collect();
        self.lineage.table(&schema, &statistics);
        reading.statistics.push(statistics);
        reading.tables.push(record_table);
        Ok(())
    }

    /// Ends the check of a table, and keeps what it found.
    fn add_contract(&mut self, check: TableCheck, rows_read: bool, reading: &mut Reading) {
        let (statistics, diagnostics) = check.finish(rows_read);
        self.diagnostics.extend(diagnostics);
        reading.contracts.push(statistics);
    }

    /// Normalises the batches of a table on the threads of the pool while another thread reads.
    fn normalise_all(
        &self,
        plan: &TablePlan,
        first: RecordBatch,
        batches: hotpass_ingest::table::Batches,
        keep: bool,
        mut check: Option<&mut TableCheck>,
    ) -> Result<Normalised, RefineError> {
        let cancel = &self.request.cancel;
        let progress = self.request.progress;
        let redaction = &self.redaction;
        let detection = self.compliance.detection.as_ref();
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(2 * rayon::current_num_threads());
            let reader = scope.spawn(move || {
                let (mut failure, mut kept) = (None, Vec::new());
                for (index, batch) in std::iter::once(Ok(first)).chain(batches).enumerate() {
                    match batch {
                        Ok(batch) => {
                            if keep {
                                kept.push(batch.clone());
                            }
                            // Keys are checked in the order of the rows, which only this thread has.
                            let refused =
                                check.as_mut().map(|check| check.add(&batch)).transpose()?.unwrap_or_default();
                            if cancel.is_cancelled() || sender.send((index, batch, refused)).is_err() {
                                break;
                            }
                        }
                        Err(error) => {
                            failure = Some(error);
                            break;
                        }
                    }
                }
                Ok((kept, failure))
            });
            let normalised: Result<Vec<_>, ArrowError> = receiver
                .into_iter()
                .par_bridge()
                .map(|(index, batch, refused)| {
                    let found = detection.map(|detection| detection.batch(&plan.columns, &batch));
                    let mut done = normalise_batch(plan, &batch, redaction)?;
                    note_rejections(plan, &batch, &mut done, refused, redaction);
                    progress.advanced(Stage::Read, done.rows);
                    Ok((index, done, found))
                })
                .collect();
            let (kept, failure) =
                reader.join().unwrap_or_else(|_| Ok(Default::default())).map_err(ContractLoadError::Check)?;
            if cancel.is_cancelled() {
                return Err(RefineError::Cancelled);
            }
            let mut normalised = normalised?;
            normalised.sort_unstable_by_key(|(index, ..)| *index);
            let mut findings: Option<TableDetection<'_>> = None;
            let mut batches = Vec::with_capacity(normalised.len());
            for (_, batch, found) in normalised {
                batches.push(batch);
                match (&mut findings, found) {
                    (Some(findings), Some(found)) => findings.merge(found),
                    (findings, found) => *findings = found,
                }
            }
            Ok((batches, kept, failure, findings.map(|found| found.finish(plan.place.clone()))))
        })
    }

    /// Brings in the records of acquisition agents.
    pub(super) fn acquire(&mut self, reading: &mut Reading) -> Result<(), RefineError> {
        let config = self.request.config;
        for agent in acquisition::agent_tables(config)? {
            let table = OpenTable {
                schema: agent.schema,
                diagnostics: Vec::new(),
                batches: Box::new(std::iter::once(Ok(agent.batch))),
                late_diagnostics: LateDiagnostics::default(),
            };
            let source = Source {
                name: agent.dataset.clone(),
                priority: agent.priority,
                columns: agent.columns,
                ..Source::default()
            };
            let rules = MappingRules { explicit: source.columns.clone(), ..MappingRules::default() };
            self.read_table(table, &agent.dataset, Some(&source), &rules, reading)?;
        }
        Ok(())
    }
}

fn date_rule(
    config: &HotpassConfig,
    schema: &hotpass_ingest::table::TableSchema,
    mapping: &hotpass_ingest::mapping::TableMapping,
) -> DateRule {
    let content = mapping
        .columns_of("last_interaction_date")
        .next()
        .and_then(|column| schema.columns.get(column as usize))
        .map(|column| &column.content);
    let order = match content.and_then(|content| content.date_order) {
        Some(hotpass_ingest::table::DateOrder::MonthDayYear) => DateOrder::MonthFirst,
        Some(hotpass_ingest::table::DateOrder::YearMonthDay) => DateOrder::YearFirst,
        Some(hotpass_ingest::table::DateOrder::DayMonthYear) | None => DateOrder::DayFirst,
    };
    let rule = DateRule::new(order, TextRule::new(Placeholders::with(&config.ingest.null_values)));
    match content.and_then(|content| content.excel_epoch) {
        Some(ExcelEpoch::Year1904) => rule.from_1904(),
        _ => rule,
    }
}

fn stem(name: &str) -> String {
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

fn refusal(error: IngestError, file: &SourceFile) -> Diagnostic {
    refused(error, &hotpass_core::Location::file(std::sync::Arc::clone(&file.name)))
}

fn refused(error: IngestError, location: &hotpass_core::Location) -> Diagnostic {
    match error {
        IngestError::Refused(diagnostic) => *diagnostic,
        error @ IngestError::Read { .. } => {
            Diagnostic::error("refine.file.unreadable", error.to_string()).at(location.clone())
        }
    }
}
