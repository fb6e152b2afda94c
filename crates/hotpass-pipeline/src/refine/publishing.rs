//! Publishing: outputs, artefacts and the evidence that seals the run.

use std::path::{Path, PathBuf};
use std::time::Instant;

use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use hotpass_config::model::{QaMode, ReportFormat};
use hotpass_core::{Diagnostic, RunDirectory};
use hotpass_provenance::manifest::{FileRecord, RowCounts, RunStatus, StageRecord};

use super::{RefineError, Run};
use crate::contracts;
use crate::entities::{Entities, NO_ENTITY};
use crate::lineage::Published;
use crate::linkage::linkage_keys;
use crate::parties::{build_party_store, write_party_store};
use crate::progress::Stage;
use crate::publish::{
    ArchiveInput, FileMetadata, InputFile, PublishInput, WrittenFile, write_archive, write_data_docs,
    write_diagnostics, write_inputs_archive, write_output, write_privacy_report, write_profile, write_report_files,
    write_run_tables,
};
use crate::quality::{DatasetResult, ExpectationError};
use crate::records::Records;
use crate::report::{self, ReportExtras, is_personal};
use crate::statistics::{RunStatistics, TableStatistics};
use crate::tables::RunTables;
use crate::telemetry;

impl Run<'_> {
    /// Returns what the linkage model compares, unless redaction forbids to write it.
    pub(super) fn keys_to_write(
        &mut self,
        records: &Records,
        entities: &Entities,
    ) -> Result<Option<RecordBatch>, RefineError> {
        let config = self.request.config;
        let by_consent = config.features.compliance && config.compliance.consent_required;
        if !(self.redaction.is_active() || by_consent) {
            let published: Vec<bool> = entities.entity_of.iter().map(|&entity| entity != NO_ENTITY).collect();
            return Ok(Some(published_keys(linkage_keys(records)?, &published)?));
        }
        self.diagnostics.push(
            Diagnostic::warning(
                "refine.linkage_keys.left_out",
                "The linkage keys are not written, since personal data is redacted",
            )
            .hint("Switch `compliance.pii_redaction.enabled` off to write them"),
        );
        Ok(None)
    }

    /// Publishes what was made, writes the run folder, and seals it.
    pub(super) fn publish(
        &mut self,
        tables: &RunTables,
        statistics: &mut RunStatistics,
        results: &[DatasetResult],
    ) -> Result<(RunStatistics, Vec<WrittenFile>, bool), RefineError> {
        let (passed, failure) = self.judge(statistics)?;
        let started = Instant::now();
        let _in_publish = tracing::info_span!("refine.publish").entered();
        self.request.progress.started(Stage::Publish, None);
        self.lineage.stage_started(Stage::Publish);
        let digest = self.manifest.config_digest.clone();
        let run = self.directory.clone();
        let metadata = FileMetadata { run_id: run.id(), config_digest: &digest };
        let mut artefacts = write_run_tables(&run, tables, &metadata)?;
        self.check_cancelled()?;
        let mut outputs = self.write_outputs(tables, statistics, &metadata)?;
        self.timings.push((Stage::Publish.name().to_owned(), started.elapsed().as_secs_f64()));
        self.tell_timings(statistics);
        self.write_documents(tables, statistics, results, passed, &mut artefacts, &mut outputs)?;
        let inputs: Vec<InputFile> =
            self.inputs.iter().map(|file| InputFile { name: file.name.to_string(), path: file.path.clone() }).collect();
        if self.request.config.pipeline.archive && !self.inputs_held_back {
            artefacts.push(write_inputs_archive(&run, self.request.clock, &inputs)?);
        }
        self.check_cancelled()?;
        let redaction = &self.redaction;
        let published = Published { tables, statistics, outputs: &outputs, artefacts: &artefacts, redaction, passed };
        let lineage = self.lineage.published(&run, &published)?;
        artefacts.extend(lineage);
        self.seal(statistics, &outputs, &artefacts, failure)?;
        if self.request.config.pipeline.archive {
            outputs.push(self.archive(&outputs, &inputs)?);
        }
        let seconds = started.elapsed().as_secs_f64();
        self.request.progress.finished(Stage::Publish, seconds);
        telemetry::stage("refine", Stage::Publish, seconds);
        let source = |table: &TableStatistics| {
            let number = self.inputs.iter().position(|file| *file.name == *table.file).unwrap_or(self.inputs.len());
            telemetry::source_name(self.request.config, &table.source_dataset, number)
        };
        telemetry::refined(statistics, &outputs, &self.diagnostics, &source);
        Ok((std::mem::take(statistics), outputs, passed))
    }

    /// Says whether the run passes, and why not; the ledger and lineage learn of every check.
    fn judge(&mut self, statistics: &mut RunStatistics) -> Result<(bool, Option<String>), RefineError> {
        statistics.recommendations = crate::quality::recommendations(statistics);
        let mode = self.request.config.pipeline.qa_mode;
        let unmatched = (self.checks_unmatched && mode == QaMode::Strict)
            .then_some("A contract or suite that the profile names applied to nothing");
        let broken_contract = contracts::failure(statistics, mode).or(unmatched);
        let expectations_hold = statistics.expectations.iter().all(|result| result.success || !result.fails_run);
        let passed = broken_contract.is_none() && expectations_hold;
        self.evidence.contracts(statistics.contracts.iter().map(|checked| (checked.place(), &checked.result)))?;
        let expectations = statistics.expectations.iter();
        self.evidence
            .expectations(expectations.map(|result| (result.dataset.clone(), result.name.clone(), result.success)))?;
        self.lineage.expected(statistics);
        if !statistics.released.is_empty() {
            let rows: Vec<String> = statistics.released.iter().map(ToString::to_string).collect();
            let entry = self.evidence.entry(hotpass_provenance::EntryKind::QuarantineReleased);
            self.evidence.record(entry.detail("rows", rows))?;
        }
        Ok((passed, (!passed).then(|| broken_contract.unwrap_or("Expectations failed").to_owned())))
    }

    /// Times differ in every run, so that a run with a fixed clock tells none.
    fn tell_timings(&self, statistics: &mut RunStatistics) {
        if !self.request.clock.is_fixed() {
            statistics.timings.clone_from(&self.timings);
        }
    }

    /// Writes the published table, and the party store where one is asked for.
    fn write_outputs(
        &self,
        tables: &RunTables,
        statistics: &mut RunStatistics,
        metadata: &FileMetadata<'_>,
    ) -> Result<Vec<WrittenFile>, RefineError> {
        let config = self.request.config;
        self.tell_timings(statistics);
        let title = format!("{}: {}", config.profile.display_name, config.data_contract.dataset);
        let golden_file = self.directory.path("golden.parquet");
        let input = PublishInput {
            golden: &tables.golden,
            conflicts: &tables.conflicts,
            quarantine: &tables.quarantine,
            statistics,
            run_id: metadata.run_id,
            config_digest: metadata.config_digest,
            clock: self.request.clock,
            title: &title,
            golden_file: Some(&golden_file),
        };
        let mut outputs = write_output(&config.pipeline.output_path, &input)?;
        if let Some(path) = &config.pipeline.party_store_path {
            outputs.extend(write_party_store(path, &build_party_store(tables, &self.manifest.started_at)?, metadata)?);
        }
        Ok(outputs)
    }

    /// Writes what tells of the run: diagnostics, the profile, data docs, the privacy report, the report.
    fn write_documents(
        &mut self,
        tables: &RunTables,
        statistics: &RunStatistics,
        results: &[DatasetResult],
        passed: bool,
        artefacts: &mut Vec<WrittenFile>,
        outputs: &mut Vec<WrittenFile>,
    ) -> Result<(), RefineError> {
        let config = self.request.config;
        let run = &self.directory;
        let mut sensitive = config.compliance.pii_fields.clone();
        sensitive.extend(config.pipeline.sensitive_fields.iter().cloned());
        let redaction = &self.redaction;
        let graph = self.lineage.graph(&Published { tables, statistics, outputs, artefacts, redaction, passed });
        let extras = ReportExtras {
            conflicts: &tables.conflicts,
            sensitive_fields: &sensitive,
            show_values: false,
            lineage: graph.as_ref(),
        };
        if config.pipeline.archive && self.inputs_held_back {
            self.diagnostics.push(
                Diagnostic::warning(
                    "refine.archive.inputs_left_out",
                    "The inputs are not archived, since they hold personal data that is not published",
                )
                .hint("Switch `compliance.pii_redaction.enabled` off to archive them"),
            );
        }
        artefacts.push(write_diagnostics(run, &self.diagnostics)?);
        let profile = crate::quality::profile_of(&tables.golden).map_err(ExpectationError::from)?;
        artefacts.push(write_profile(run, &profile.without_values(|column| is_personal(column, &sensitive)))?);
        if config.quality.data_docs {
            artefacts.extend(write_data_docs(run, &self.manifest.started_at, results)?);
        }
        if let Some(report) = &statistics.privacy {
            artefacts.push(write_privacy_report(run, report)?);
        }
        artefacts.extend(write_report_files(run, statistics, &extras)?);
        if let Some(path) = &config.pipeline.report_path {
            outputs.push(write_report_copy(path, config.pipeline.report_format, statistics, &extras)?);
        }
        Ok(())
    }

    /// Completes the manifest and closes the ledger over it.
    fn seal(
        &mut self,
        statistics: &RunStatistics,
        outputs: &[WrittenFile],
        artefacts: &[WrittenFile],
        failure: Option<String>,
    ) -> Result<(), RefineError> {
        let clock = self.request.clock;
        let manifest = &mut self.manifest;
        manifest.outputs = outputs.iter().map(|file| record(&file.path.display().to_string(), file)).collect();
        manifest.artefacts = artefacts.iter().map(|file| run_file(&self.directory, file)).collect();
        manifest.rows = RowCounts {
            rows_in: statistics.rows_in,
            rows_in_entities: statistics.rows_in_entities,
            rows_quarantined: statistics.rows_quarantined,
            entities: statistics.entities,
        };
        let stage = |(name, seconds): &(String, f64)| {
            let (rows_in, rows_out) = match name.as_str() {
                "discover" => (0, 0),
                "read" => (statistics.rows_in, statistics.rows_in_entities),
                "group" => (statistics.rows_in_entities, statistics.entities),
                _ => (statistics.entities, statistics.entities),
            };
            StageRecord { name: name.clone(), rows_in, rows_out, seconds: (!clock.is_fixed()).then_some(*seconds) }
        };
        manifest.stages = self.timings.iter().map(stage).collect();
        manifest.finish(if failure.is_none() { RunStatus::Completed } else { RunStatus::Failed }, clock);
        if failure.is_some() {
            manifest.error = failure;
        }
        self.evidence.exported(&self.manifest.outputs)?;
        self.evidence.seal(&mut self.manifest)?;
        Ok(())
    }

    /// Packs the published files, the run folder and the inputs; the inputs hold what redaction removes, and stay out then.
    fn archive(&mut self, outputs: &[WrittenFile], inputs: &[InputFile]) -> Result<WrittenFile, RefineError> {
        let published: Vec<PathBuf> = outputs.iter().map(|file| file.path.clone()).collect();
        let artefacts: Vec<String> = self.manifest.artefacts.iter().map(|file| file.path.clone()).collect();
        let archive = write_archive(&ArchiveInput {
            directory: &self.request.config.pipeline.dist_dir,
            clock: self.request.clock,
            published: &published,
            run: &self.directory,
            artefacts: &artefacts,
            inputs: if self.inputs_held_back { &[] } else { inputs },
        })?;
        self.evidence.exported_later(&[&archive])?;
        Ok(archive)
    }
}

/// Writes the copy of the report that was asked for, in the form asked for or that its ending names.
fn write_report_copy(
    path: &Path,
    format: Option<ReportFormat>,
    statistics: &RunStatistics,
    extras: &ReportExtras<'_>,
) -> Result<WrittenFile, RefineError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let text = match (format, ending.as_str()) {
        (Some(ReportFormat::Json), _) | (None, "json") => report::json(statistics),
        (Some(ReportFormat::Markdown), _) | (None, "md" | "markdown") => report::markdown(statistics, extras),
        _ => report::html(statistics, extras),
    };
    hotpass_core::write_atomic(path, &text)
        .map_err(|source| RefineError::Report { path: path.to_path_buf(), source })?;
    Ok(WrittenFile {
        path: path.to_path_buf(),
        sha256: hotpass_core::sha256_bytes(&text),
        bytes: text.len() as u64,
        rows: None,
    })
}

/// Keeps the keys of published rows, numbered anew.
fn published_keys(keys: RecordBatch, published: &[bool]) -> Result<RecordBatch, ArrowError> {
    if !published.contains(&false) {
        return Ok(keys);
    }
    let kept = arrow::compute::filter_record_batch(&keys, &published.to_vec().into())?;
    let mut columns = kept.columns().to_vec();
    let place = kept.schema().index_of("unique_id")?;
    columns[place] = std::sync::Arc::new(arrow::array::Int64Array::from_iter_values(0..kept.num_rows() as i64));
    RecordBatch::try_new(kept.schema(), columns)
}

/// Returns the record of a file of the run folder.
pub(super) fn run_file(run: &RunDirectory, file: &WrittenFile) -> FileRecord {
    record(&file.path.strip_prefix(run.root()).unwrap_or(&file.path).to_string_lossy(), file)
}

fn record(path: &str, file: &WrittenFile) -> FileRecord {
    FileRecord { path: path.replace('\\', "/"), sha256: file.sha256.clone(), bytes: file.bytes, rows: file.rows }
}
