//! Files in; the same rows with their entity out, and what led there beside them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use hotpass_core::{Clock, RunDirectory};
use hotpass_ingest::ReadOptions;
use hotpass_resolve::clustering::{ClusterStatistics, UnionFind, cluster_statistics};
use hotpass_resolve::model::KeyColumns;
use hotpass_resolve::prediction::ScoredPairs;
use hotpass_resolve::training::TrainingReport;
use hotpass_resolve::{Linker, PredictOptions, Threshold};
use serde::Serialize;

use super::checks::{ColumnOperators, InputCheck, InputChecks};
use super::equal_names;
use super::error::ResolveError;
use super::evidence::{EvidenceRequest, Recorder};
use super::input::open_inputs;
use super::keys::weight_of;
use super::model_file::{is_trained, read_model_file, untrained_comparisons, write_model_file, write_text};
use super::predicting::{cluster_id_type, cluster_ids, join, score_each};
use super::rows::{AddedColumn, write_rows};
use super::session::{PairColumns, RecordsRequest, Session, link_error};
use super::training::{TrainingRequest, train, write_report};
use crate::progress::{CancelToken, Progress, Stage};
use crate::publish::{TableFormat, TableWriter};
use crate::telemetry;

/// Name of the column that classes a pair as `match` or `review`.
const CLASS: &str = "class";

/// How records become entities.
#[derive(Debug, Clone)]
pub enum Method {
    /// Pairs are scored by a model; one that is not trained is trained first.
    Probabilistic {
        /// The model file.
        model: PathBuf,
        /// Trains also a model that is trained.
        train: bool,
        /// How.
        training: TrainingRequest,
    },
    /// Every pair that the blocking rules of a model find is one entity.
    Rules {
        /// The model file.
        model: PathBuf,
    },
    /// Equal organisation names are one entity, or equal rows where there is no such column.
    EqualNames,
}

/// What happens to a scored pair.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Thresholds {
    /// Match probability from which on two records are one entity.
    #[serde(rename = "match")]
    pub matching: f64,
    /// Match probability from which on a pair is listed for review.
    pub review: f64,
}

/// What [`resolve_files`] is asked to do.
#[derive(Debug, Clone)]
pub struct ResolveRequest {
    /// The records.
    pub records: RecordsRequest,
    /// How they become entities.
    pub method: Method,
    /// What happens to scored pairs.
    pub thresholds: Thresholds,
    /// File of the rows with their entities.
    pub output_file: PathBuf,
    /// Name of the column of entities.
    pub entity_id_column: String,
    /// Folder of the artefacts; `linkage` beside the output when absent.
    pub artifacts_dir: Option<PathBuf>,
    /// Gives the dates of workbooks, and the times of the manifest.
    pub clock: Clock,
    /// What the records must keep; they are resolved and written all the same.
    pub checks: InputChecks,
    /// What becomes of columns in the written rows. Matching sees them as they are.
    pub operators: Arc<ColumnOperators>,
    /// Where the evidence of the run goes; none is kept when absent.
    pub evidence: Option<EvidenceRequest>,
}

/// What [`resolve_files`] made.
#[derive(Debug)]
pub struct ResolveOutcome {
    /// What `summary.json` says.
    pub summary: ResolveSummary,
    /// What the caller should know, a sentence each.
    pub notices: Vec<String>,
    /// The rows with their entities.
    pub output_path: PathBuf,
    /// `pairs.parquet`.
    pub pairs_path: PathBuf,
    /// `summary.json`.
    pub summary_path: PathBuf,
    /// `model.json`, where there is a model.
    pub model_path: Option<PathBuf>,
    /// `training.json`, where the model was trained.
    pub training_path: Option<PathBuf>,
    /// What was found in the inputs, where they were checked.
    pub checks: Vec<InputCheck>,
    /// `quality.json`, where the inputs were checked.
    pub quality_path: Option<PathBuf>,
    /// The run folder, where evidence is kept.
    pub run: Option<RunDirectory>,
    /// The tables that were read and what becomes of their columns, for the lineage.
    pub(crate) tables: Vec<ResolvedTable>,
}

/// A table that was read.
#[derive(Debug, Clone)]
pub(crate) struct ResolvedTable {
    /// The file.
    pub(crate) path: PathBuf,
    /// The sheet, for a workbook.
    pub(crate) sheet: Option<String>,
    /// Names and types of the columns.
    pub(crate) columns: Vec<(String, String)>,
}

impl ResolvedTable {
    fn of(tables: &[super::input::InputTable]) -> Vec<Self> {
        let column = |field: &Arc<arrow::datatypes::Field>| (field.name().clone(), field.data_type().to_string());
        tables
            .iter()
            .map(|table| Self {
                path: table.path.clone(),
                sheet: table.sheet.clone(),
                columns: table.schema.fields().iter().map(column).collect(),
            })
            .collect()
    }
}

impl ResolveOutcome {
    /// Returns whether every input keeps what it must.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(InputCheck::passed)
    }
}

/// The content of `summary.json`.
#[derive(Debug, Clone, Serialize)]
pub struct ResolveSummary {
    /// Version of the program.
    pub hotpass_version: &'static str,
    /// `probabilistic`, `rules` or `equal_names`.
    pub method: &'static str,
    /// What makes records one entity without scores.
    pub rule: Option<String>,
    /// Which pairs count.
    pub link_type: Option<String>,
    /// The sources.
    pub sources: Vec<SourceSummary>,
    /// Where ids come from: `column NAME` or `row numbers`.
    pub ids: String,
    /// Number of records.
    pub input_records: u64,
    /// Number of entities.
    pub entities: u64,
    /// Number of candidate pairs.
    pub candidate_pairs: u64,
    /// Number of pairs from the match threshold on.
    pub match_pairs: u64,
    /// Number of pairs from the review threshold on, below the match threshold.
    pub review_pairs: u64,
    /// The thresholds, where pairs are scored.
    pub thresholds: Option<Thresholds>,
    /// Whether the model was trained in this run.
    pub trained: bool,
    /// Sizes of the entities.
    pub entity_sizes: ClusterStatistics,
    /// Seconds by stage.
    pub seconds: Vec<(&'static str, f64)>,
}

/// A source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceSummary {
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: String,
}

/// Resolves files: reads the records, scores or matches them, and writes rows and artefacts.
///
/// # Errors
///
/// Returns [`ResolveError`] when a file cannot be read or written, the model does not fit, or the caller stops it. Files that were
/// there are then as they were, except that artefacts may be new already; the rows with their entities come last.
pub fn resolve_files(
    request: &ResolveRequest,
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<ResolveOutcome, ResolveError> {
    TableFormat::from_path(&request.output_file)?;
    let model = match &request.method {
        Method::Probabilistic { model, .. } | Method::Rules { model } => Some(model),
        Method::EqualNames => None,
    };
    ResolveError::unless_apart([&request.output_file], request.records.input_files.iter().chain(model))?;
    let thresholds = request.thresholds;
    if thresholds.review > thresholds.matching {
        return Err(ResolveError::request(
            format!("The review threshold {} is above the match threshold {}", thresholds.review, thresholds.matching),
            "Pairs for review are those that are almost matches: choose a `--review-threshold` at or below `--match-threshold`",
        ));
    }
    let started = Instant::now();
    let span = tracing::info_span!(
        "hotpass.resolve",
        "hotpass.command" = tracing::field::Empty,
        "hotpass.run_id" = tracing::field::Empty,
        "hotpass.outcome" = tracing::field::Empty,
        "error.type" = tracing::field::Empty,
        "otel.status_code" = tracing::field::Empty,
    );
    let result = span.in_scope(|| resolve(request, progress, cancel));
    if let Some(evidence) = &request.evidence {
        span.record("hotpass.command", evidence.services.command.join(" "));
    }
    if let Ok(ResolveOutcome { run: Some(run), .. }) = &result {
        span.record("hotpass.run_id", run.id());
    }
    let interrupted = matches!(result, Err(ResolveError::Cancelled));
    telemetry::run_ended("resolve", &span, result.as_ref().map(ResolveOutcome::passed), interrupted, started);
    result
}

fn resolve(
    request: &ResolveRequest,
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<ResolveOutcome, ResolveError> {
    let recorder = request.evidence.as_ref().map(|evidence| Recorder::start(request, evidence)).transpose()?;
    let result = checked_and_resolved(request, progress, cancel);
    match recorder {
        Some(recorder) => recorder.finish(result),
        None => result,
    }
}

fn checked_and_resolved(
    request: &ResolveRequest,
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<ResolveOutcome, ResolveError> {
    let mut run = Run { request, progress, cancel, started: Instant::now(), seconds: Vec::new() };
    let checks = if request.checks.is_empty() {
        Vec::new()
    } else {
        progress.started(Stage::Expect, None);
        let started = Instant::now();
        let checks = request.checks.check(&request.records.input_files, request.clock, cancel)?;
        progress.finished(Stage::Expect, started.elapsed().as_secs_f64());
        run.took("expect");
        checks
    };
    let quality_path = run.artefact("quality.json");
    let mut outcome = match &request.method {
        Method::Probabilistic { .. } | Method::Rules { .. } => run.by_model(),
        Method::EqualNames => run.by_equal_names(),
    }?;
    if !checks.is_empty() {
        let text = serde_json::to_string_pretty(&checks)
            .map_err(|error| ResolveError::engine("Writing the results of the checks", error))?;
        write_text(&quality_path, &(text + "\n"))?;
        outcome.checks = checks;
        outcome.quality_path = Some(quality_path);
    }
    Ok(outcome)
}

struct Run<'a> {
    request: &'a ResolveRequest,
    progress: &'a dyn Progress,
    cancel: &'a CancelToken,
    started: Instant,
    seconds: Vec<(&'static str, f64)>,
}

/// The pairs that were written.
#[derive(Debug, Default)]
struct PairTally {
    candidates: u64,
    matches: u64,
    reviews: u64,
}

impl Run<'_> {
    fn artefact(&self, name: &str) -> PathBuf {
        let folder =
            self.request.artifacts_dir.clone().unwrap_or_else(|| self.request.output_file.with_file_name("linkage"));
        folder.join(name)
    }

    /// Takes down how long a stage took.
    fn took(&mut self, stage: &'static str) {
        let before: f64 = self.seconds.iter().map(|(_, seconds)| seconds).sum();
        let now = self.started.elapsed().as_secs_f64();
        self.seconds.push((stage, now - before));
        telemetry::stage_named("resolve", stage, now - before);
    }

    fn by_model(mut self) -> Result<ResolveOutcome, ResolveError> {
        let (path, force, training) = match &self.request.method {
            Method::Probabilistic { model, train, training } => (model, *train, Some(training)),
            Method::Rules { model } => (model, false, None),
            Method::EqualNames => return self.by_equal_names(),
        };
        let (model, mut notices) = read_model_file(path)?;
        let training = training.filter(|_| force || !is_trained(&model));
        let rules = training.map(TrainingRequest::rules).unwrap_or_default();
        let span = tracing::info_span!("resolve.read").entered();
        let session = Session::open(&self.request.records, model, &rules)?;
        notices.extend(session.check()?);
        self.request.operators.check(&session.tables)?;
        let mut linker = session.linker(&rules, PairColumns::Scores, self.progress, self.cancel)?;
        self.took("read");
        drop(span);
        let mut report: Option<TrainingReport> = None;
        let mut model = session.model.clone();
        if let Some(training) = training {
            let _in_training = tracing::info_span!("resolve.train").entered();
            let (trained, found) = train(&session, &linker, training, self.progress, self.cancel)?;
            linker.set_parameters(&trained).map_err(|error| link_error("Taking over the trained model", error))?;
            if !force {
                notices.push("The model was not trained: it was trained on these records first".to_owned());
            }
            notices.extend(found.warnings.iter().cloned());
            model = trained;
            report = Some(found);
            self.took("train");
        }
        let is_scored = matches!(self.request.method, Method::Probabilistic { .. });
        if is_scored && report.is_none() {
            notices.extend(untrained_comparisons(&model));
        }
        let span = tracing::info_span!("resolve.score", "hotpass.rows" = linker.records().len() as i64).entered();
        let pairs_path = self.artefact("pairs.parquet");
        let mut sets = UnionFind::new(linker.records().len());
        let (tally, writer) = self.write_pairs(&linker, &pairs_path, is_scored, &mut sets)?;
        self.took("score");
        drop(span);
        let span = tracing::info_span!("resolve.cluster").entered();
        let labels = sets.labels();
        let statistics = cluster_statistics(&labels);
        drop(sets);
        self.took("cluster");
        drop(span);

        let _in_publish = tracing::info_span!("resolve.publish").entered();
        let publish = Instant::now();
        self.progress.started(Stage::Publish, None);
        writer.finish()?;
        let model_path = self.artefact("model.json");
        write_model_file(&model_path, &model)?;
        let training_path = self.artefact("training.json");
        if let Some(report) = &report {
            write_report(&training_path, report)?;
        }
        self.write_entities(&session, &linker, &labels)?;
        self.progress.finished(Stage::Publish, publish.elapsed().as_secs_f64());
        self.took("publish");
        notices.extend(session.notices.iter().cloned());
        let ids = if session.ids_are_row_numbers {
            "row numbers".to_owned()
        } else {
            format!("column `{}`", session.model.keys.unique_id)
        };
        let summary = ResolveSummary {
            hotpass_version: env!("CARGO_PKG_VERSION"),
            method: if is_scored { "probabilistic" } else { "rules" },
            rule: (!is_scored).then(|| "pairs that the blocking rules find".to_owned()),
            link_type: Some(session.model.link_type.to_string()),
            sources: sources(&session.tables),
            ids,
            input_records: linker.records().len() as u64,
            entities: statistics.n_clusters,
            candidate_pairs: tally.candidates,
            match_pairs: tally.matches,
            review_pairs: tally.reviews,
            thresholds: is_scored.then_some(self.request.thresholds),
            trained: report.is_some(),
            entity_sizes: statistics,
            seconds: self.seconds.clone(),
        };
        let mut outcome = self.finish(summary, notices, pairs_path, Some(model_path), report.map(|_| training_path))?;
        outcome.tables = ResolvedTable::of(&session.tables);
        Ok(outcome)
    }

    /// Scores the pairs, or finds those of the rules, joins the matches and writes all from the review threshold on.
    fn write_pairs(
        &self,
        linker: &Linker,
        path: &std::path::Path,
        is_scored: bool,
        sets: &mut UnionFind,
    ) -> Result<(PairTally, TableWriter), ResolveError> {
        let thresholds = self.request.thresholds;
        let mut fields: Vec<Arc<Field>> = linker.pair_schema().fields().iter().cloned().collect();
        if !is_scored {
            fields.retain(|field| !matches!(field.name().as_str(), "match_weight" | "match_probability"));
        }
        fields.push(Arc::new(Field::new(CLASS, DataType::Utf8, false)));
        let schema = Arc::new(Schema::new(fields));
        let mut writer = TableWriter::create(path, &schema, self.request.clock)?;
        let match_weight = if is_scored { weight_of(thresholds.matching) } else { f64::NEG_INFINITY };
        let mut tally = PairTally::default();
        let mut sink = |linker: &Linker, pairs: &ScoredPairs| -> Result<(), ResolveError> {
            join(sets, pairs, match_weight);
            let classes =
                pairs.match_weight.iter().map(|weight| if *weight >= match_weight { "match" } else { "review" });
            let classes = StringArray::from_iter_values(classes);
            let matches = pairs.match_weight.iter().filter(|weight| **weight >= match_weight).count() as u64;
            tally.matches += matches;
            tally.reviews += pairs.len() as u64 - matches;
            let batch = linker.pair_batch(pairs).map_err(|error| link_error("Writing the pairs", error))?;
            let mut arrays: Vec<ArrayRef> =
                schema.fields().iter().filter_map(|field| batch.column_by_name(field.name()).cloned()).collect();
            arrays.push(Arc::new(classes));
            let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)
                .map_err(|error| ResolveError::engine("Writing the pairs", error))?;
            Ok(writer.write(&batch)?)
        };
        let candidates = if is_scored {
            let threshold = Threshold::MatchProbability(thresholds.review);
            score_each(linker, threshold, self.progress, self.cancel, sink)?
        } else {
            let predictions = linker
                .deterministic_link(linker.model_rules(), &PredictOptions::default())
                .map_err(|error| link_error("Finding the pairs", error))?;
            for chunk in predictions.chunks() {
                sink(linker, &chunk.map_err(|error| link_error("Finding the pairs", error))?)?;
            }
            predictions.n_candidates()
        };
        tally.candidates = candidates;
        Ok((tally, writer))
    }

    fn write_entities(&self, session: &Session, linker: &Linker, labels: &[u32]) -> Result<(), ResolveError> {
        let mut of_input = vec![0_u32; labels.len()];
        for (row, &label) in labels.iter().enumerate() {
            of_input[linker.records().input_row(row as u32) as usize] = label;
        }
        let entity = AddedColumn {
            name: &self.request.entity_id_column,
            data_type: cluster_id_type(linker),
            values: &|range| cluster_ids(linker, &of_input[range]),
        };
        let source_column = &session.model.keys.source_dataset;
        let request = self.request;
        write_rows(&request.output_file, &session.tables, source_column, &entity, &request.operators, request.clock)?;
        Ok(())
    }

    fn by_equal_names(mut self) -> Result<ResolveOutcome, ResolveError> {
        let records = &self.request.records;
        let tables = open_inputs(&records.input_files, &ReadOptions::default())?;
        let default_id = KeyColumns::default().unique_id;
        let unique_id = records.unique_id_column.clone().unwrap_or(default_id);
        for table in &tables {
            if records.unique_id_column.is_some() {
                table.require_column(&unique_id, "the ids of records")?;
            }
        }
        for column in &records.exclude_columns {
            if tables.iter().all(|table| table.column(column).is_none()) {
                tables[0].require_column(column, "`--exclude-columns`")?;
            }
        }
        self.request.operators.check(&tables)?;
        let span = tracing::info_span!("resolve.read").entered();
        let grouped = equal_names::group(&tables, &unique_id, &records.exclude_columns, self.progress, self.cancel)?;
        self.took("read");
        drop(span);
        let span = tracing::info_span!("resolve.cluster").entered();
        let statistics = cluster_statistics(&grouped.first_row);
        let number = |row: u32| i64::from(row) + 1;
        let joined: Vec<(u32, u32)> = (0_u32..)
            .zip(&grouped.first_row)
            .filter(|(row, first)| row != *first)
            .map(|(row, first)| (*first, row))
            .collect();
        self.took("cluster");
        drop(span);

        let _in_publish = tracing::info_span!("resolve.publish").entered();
        self.progress.started(Stage::Publish, None);
        let publish = Instant::now();
        let pairs_path = self.artefact("pairs.parquet");
        let columns: [(&str, ArrayRef); 3] = [
            ("row_l", Arc::new(Int64Array::from_iter_values(joined.iter().map(|(first, _)| number(*first))))),
            ("row_r", Arc::new(Int64Array::from_iter_values(joined.iter().map(|(_, row)| number(*row))))),
            (CLASS, Arc::new(StringArray::from_iter_values(joined.iter().map(|_| "match")))),
        ];
        let batch =
            RecordBatch::try_from_iter(columns).map_err(|error| ResolveError::engine("Writing the pairs", error))?;
        let mut writer = TableWriter::create(&pairs_path, &batch.schema(), self.request.clock)?;
        writer.write(&batch)?;
        writer.finish()?;
        let entity = AddedColumn {
            name: &self.request.entity_id_column,
            data_type: DataType::Int64,
            values: &|range| {
                Arc::new(Int64Array::from_iter_values(grouped.first_row[range].iter().map(|first| number(*first))))
                    as ArrayRef
            },
        };
        let source_column = KeyColumns::default().source_dataset;
        let request = self.request;
        write_rows(&request.output_file, &tables, &source_column, &entity, &request.operators, request.clock)?;
        self.progress.finished(Stage::Publish, publish.elapsed().as_secs_f64());
        self.took("publish");
        let notices = vec![format!("Without a model: {}; an entity's id is the number of its first row", grouped.rule)];
        let summary = ResolveSummary {
            hotpass_version: env!("CARGO_PKG_VERSION"),
            method: "equal_names",
            rule: Some(grouped.rule),
            link_type: None,
            sources: sources(&tables),
            ids: "row numbers".to_owned(),
            input_records: statistics.n_records,
            entities: statistics.n_clusters,
            candidate_pairs: joined.len() as u64,
            match_pairs: joined.len() as u64,
            review_pairs: 0,
            thresholds: None,
            trained: false,
            entity_sizes: statistics,
            seconds: self.seconds.clone(),
        };
        let mut outcome = self.finish(summary, notices, pairs_path, None, None)?;
        outcome.tables = ResolvedTable::of(&tables);
        Ok(outcome)
    }

    fn finish(
        self,
        summary: ResolveSummary,
        notices: Vec<String>,
        pairs_path: PathBuf,
        model_path: Option<PathBuf>,
        training_path: Option<PathBuf>,
    ) -> Result<ResolveOutcome, ResolveError> {
        telemetry::entities("resolve", summary.entities, summary.review_pairs);
        let summary_path = self.artefact("summary.json");
        let text = serde_json::to_string_pretty(&summary)
            .map_err(|error| ResolveError::engine("Writing the summary", error))?;
        write_text(&summary_path, &(text + "\n"))?;
        Ok(ResolveOutcome {
            summary,
            notices,
            output_path: self.request.output_file.clone(),
            pairs_path,
            summary_path,
            model_path,
            training_path,
            checks: Vec::new(),
            quality_path: None,
            run: None,
            tables: Vec::new(),
        })
    }
}

fn sources(tables: &[super::input::InputTable]) -> Vec<SourceSummary> {
    let mut sources: Vec<SourceSummary> = Vec::new();
    for table in tables {
        if sources.iter().all(|source| source.name != table.source) {
            sources.push(SourceSummary { name: table.source.clone(), file: table.path.display().to_string() });
        }
    }
    sources
}
