//! Scored pairs to files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use hotpass_core::Clock;
use hotpass_resolve::clustering::UnionFind;
use hotpass_resolve::engine::columns::{NULL, Values};
use hotpass_resolve::engine::plan::{RulePlan, RuleSearch};
use hotpass_resolve::model::LinkType;
use hotpass_resolve::prediction::ScoredPairs;
use hotpass_resolve::{LinkError, Linker, PredictOptions, Threshold};
use serde::Serialize;

use super::error::ResolveError;
use super::keys::{PairValue, RecordKeys, read_pairs, weight_of};
use super::lookup::{find_rows, rows_of_keys};
use super::model_file::read_trained_model;
use super::session::{PairColumns, RecordsRequest, Session, link_error};
use crate::progress::{CancelToken, Progress, Stage};
use crate::publish::{TableFormat, TableWriter};

/// Which pairs are written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PairSelection {
    /// Every candidate pair, scored.
    All,
    /// Those from a match probability on.
    Probability(f64),
    /// Those from a match weight on, in bits.
    Weight(f64),
    /// Every pair that the blocking rules find, without scores.
    Deterministic,
}

/// What [`predict_pairs`] is asked to do.
#[derive(Debug, Clone)]
pub struct PredictRequest {
    /// The records.
    pub records: RecordsRequest,
    /// The model.
    pub model: PathBuf,
    /// File of pairs to write.
    pub output_file: PathBuf,
    /// Which pairs are written.
    pub selection: PairSelection,
    /// Which columns they have.
    pub columns: PairColumns,
    /// File of clusters to write.
    pub clusters: Option<PathBuf>,
    /// Match probability from which on pairs join to clusters.
    pub cluster_threshold: f64,
    /// Gives the dates of workbooks.
    pub clock: Clock,
}

/// What [`predict_pairs`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictOutcome {
    /// Number of records.
    pub records: u64,
    /// Number of candidate pairs.
    pub candidate_pairs: u64,
    /// Number of pairs written.
    pub pairs: u64,
    /// Number of clusters, if they were asked for.
    pub clusters: Option<u64>,
    /// Seconds that reading, scoring and clustering took.
    pub seconds: f64,
    /// What the caller should know, a sentence each.
    pub notices: Vec<String>,
}

/// Scores the candidate pairs of a model and writes them as they come, in Splink's columns.
///
/// # Errors
///
/// Returns [`ResolveError`] when a file cannot be read or written, the model does not fit or is not trained, or the caller stops it.
/// Files that were there are then as they were.
pub fn predict_pairs(
    request: &PredictRequest,
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<PredictOutcome, ResolveError> {
    let started = Instant::now();
    TableFormat::from_path(&request.output_file)?;
    if let Some(path) = &request.clusters {
        TableFormat::from_path(path)?;
    }
    let inputs = request.records.input_files.iter().chain([&request.model]);
    ResolveError::unless_apart([&request.output_file].into_iter().chain(&request.clusters), inputs)?;
    let is_deterministic = request.selection == PairSelection::Deterministic;
    let (model, mut notices) = read_trained_model(&request.model, !is_deterministic)?;
    let session = Session::open(&request.records, model, &[])?;
    session.check()?;
    let linker = session.linker(&[], request.columns, progress, cancel)?;
    let mut sets = request.clusters.as_ref().map(|_| UnionFind::new(linker.records().len()));
    let joins_from = if is_deterministic { f64::NEG_INFINITY } else { weight_of(request.cluster_threshold) };
    let schema = if is_deterministic { unscored_schema(&linker) } else { linker.pair_schema() };
    let mut writer = TableWriter::create(&request.output_file, &schema, request.clock)?;
    let threshold = match request.selection {
        PairSelection::All | PairSelection::Deterministic => Threshold::All,
        PairSelection::Probability(probability) => Threshold::MatchProbability(probability),
        PairSelection::Weight(weight) => Threshold::MatchWeight(weight),
    };
    let mut sink = |linker: &Linker, pairs: &ScoredPairs| {
        if let Some(sets) = &mut sets {
            join(sets, pairs, joins_from);
        }
        let batch = linker.pair_batch(pairs).map_err(|error| link_error("Writing the pairs", error))?;
        let batch = if is_deterministic { project(&batch, &schema)? } else { batch };
        Ok(writer.write(&batch)?)
    };
    let candidate_pairs = if is_deterministic {
        let predictions = linker
            .deterministic_link(linker.model_rules(), &PredictOptions::default())
            .map_err(|error| link_error("Finding the pairs", error))?;
        for chunk in predictions.chunks() {
            sink(&linker, &chunk.map_err(|error| link_error("Finding the pairs", error))?)?;
        }
        predictions.n_candidates()
    } else {
        score_each(&linker, threshold, progress, cancel, sink)?
    };
    let clusters = match (&request.clusters, sets) {
        (Some(path), Some(sets)) => Some(write_clusters(path, &linker, &session, &sets.labels(), request.clock)?),
        _ => None,
    };
    let pairs = writer.finish()?;
    notices.extend(session.notices);
    Ok(PredictOutcome {
        records: linker.records().len() as u64,
        candidate_pairs,
        pairs,
        clusters,
        seconds: started.elapsed().as_secs_f64(),
        notices,
    })
}

/// Scores the candidate pairs and hands those that reach the threshold to `sink`, with progress; returns the number of candidates.
pub(super) fn score_each(
    linker: &Linker,
    threshold: Threshold,
    progress: &dyn Progress,
    cancel: &CancelToken,
    mut sink: impl FnMut(&Linker, &ScoredPairs) -> Result<(), ResolveError> + Send,
) -> Result<u64, ResolveError> {
    let started = Instant::now();
    let options = PredictOptions { threshold, ..PredictOptions::default() };
    let mut told = None;
    let counts = linker
        .predict_each(&options, |pairs, so_far| {
            // The first result knows how many pairs there are to walk.
            if told.is_none() {
                progress.started(Stage::Score, Some(so_far.expected));
            }
            progress.advanced(Stage::Score, so_far.walked - told.unwrap_or(0));
            told = Some(so_far.walked);
            let outside = |error: ResolveError| LinkError::Output(ArrowError::ExternalError(Box::new(error)));
            if cancel.is_cancelled() {
                return Err(outside(ResolveError::Cancelled));
            }
            sink(linker, &pairs).map_err(outside)
        })
        .map_err(|error| link_error("Scoring the pairs", error))?;
    if told.is_none() {
        progress.started(Stage::Score, Some(0));
    }
    progress.finished(Stage::Score, started.elapsed().as_secs_f64());
    Ok(counts.iter().sum())
}

/// Joins the records of pairs from a weight on.
pub(super) fn join(sets: &mut UnionFind, pairs: &ScoredPairs, from: f64) {
    for ((&left, &right), &weight) in pairs.left.iter().zip(&pairs.right).zip(&pairs.match_weight) {
        if weight >= from {
            sets.join(left, right);
        }
    }
}

/// Gives the ids of the first records of clusters: as the inputs have them with one source, else source and id.
pub(super) fn cluster_ids(linker: &Linker, rows: &[u32]) -> ArrayRef {
    let records = linker.records();
    if records.source_names().len() < 2 {
        return records.identifiers(rows);
    }
    let ids = cast(&records.identifiers(rows), &DataType::Utf8)
        .unwrap_or_else(|_| Arc::new(StringArray::from_iter_values(rows.iter().map(|&row| records.identifier(row)))));
    let ids = ids.as_string::<i32>();
    let mut builder = StringBuilder::with_capacity(rows.len(), rows.len() * 24);
    let mut text = String::new();
    for (at, &row) in rows.iter().enumerate() {
        text.clear();
        text.push_str(records.source_name(row));
        text.push_str("-__-");
        text.push_str(ids.value(at));
        builder.append_value(&text);
    }
    Arc::new(builder.finish())
}

/// Gives the type of [`cluster_ids`].
pub(super) fn cluster_id_type(linker: &Linker) -> DataType {
    if linker.records().source_names().len() < 2 { linker.records().identifier_type() } else { DataType::Utf8 }
}

/// Writes a row for each record in key order: `cluster_id`, source, id; returns the number of clusters.
fn write_clusters(
    path: &Path,
    linker: &Linker,
    session: &Session,
    labels: &[u32],
    clock: Clock,
) -> Result<u64, ResolveError> {
    const ROWS: usize = 65_536;
    let records = linker.records();
    let keys = &session.model.keys;
    let several = records.source_names().len() > 1;
    let mut fields = vec![Field::new("cluster_id", cluster_id_type(linker), false)];
    if several {
        fields.push(Field::new(&keys.source_dataset, DataType::Utf8, false));
    }
    fields.push(Field::new(&keys.unique_id, records.identifier_type(), false));
    let schema = Arc::new(Schema::new(fields));
    let mut writer = TableWriter::create(path, &schema, clock)?;
    for start in (0..labels.len()).step_by(ROWS) {
        let end = labels.len().min(start + ROWS);
        let rows: Vec<u32> = (start as u32..end as u32).collect();
        let mut arrays = vec![cluster_ids(linker, &labels[start..end])];
        if several {
            arrays.push(records.sources(&rows));
        }
        arrays.push(records.identifiers(&rows));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)
            .map_err(|error| ResolveError::engine("Writing the clusters", error))?;
        writer.write(&batch)?;
    }
    writer.finish()?;
    Ok(labels.iter().enumerate().filter(|(row, label)| *row as u32 == **label).count() as u64)
}

/// The columns of pairs without scores.
fn unscored_schema(linker: &Linker) -> Arc<Schema> {
    let schema = linker.pair_schema();
    let kept: Vec<Arc<Field>> = schema
        .fields()
        .iter()
        .filter(|field| !matches!(field.name().as_str(), "match_weight" | "match_probability"))
        .cloned()
        .collect();
    Arc::new(Schema::new(kept))
}

fn project(batch: &RecordBatch, schema: &Arc<Schema>) -> Result<RecordBatch, ResolveError> {
    let arrays = schema.fields().iter().filter_map(|field| batch.column_by_name(field.name()).cloned()).collect();
    RecordBatch::try_new(Arc::clone(schema), arrays).map_err(|error| ResolveError::engine("Writing the pairs", error))
}

/// What [`score_pairs`] is asked to do.
#[derive(Debug, Clone)]
pub struct ScoreRequest {
    /// The records.
    pub records: RecordsRequest,
    /// The model.
    pub model: PathBuf,
    /// File of pairs.
    pub pairs: PathBuf,
    /// File to write.
    pub output_file: PathBuf,
    /// Which columns it has.
    pub columns: PairColumns,
    /// Gives the dates of workbooks.
    pub clock: Clock,
}

/// What [`score_pairs`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreOutcome {
    /// Number of pairs.
    pub pairs: u64,
    /// What the caller should know, a sentence each.
    pub notices: Vec<String>,
}

/// Scores given pairs, in their order.
///
/// # Errors
///
/// Returns [`ResolveError`] when a file cannot be read or written, the model does not fit or is not trained, or a pair names a record
/// that the inputs do not have.
pub fn score_pairs(
    request: &ScoreRequest,
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<ScoreOutcome, ResolveError> {
    const PAIRS: usize = 65_536;
    TableFormat::from_path(&request.output_file)?;
    let inputs = request.records.input_files.iter().chain([&request.model, &request.pairs]);
    ResolveError::unless_apart([&request.output_file], inputs)?;
    let (mut model, mut notices) = read_trained_model(&request.model, true)?;
    // Pairs are given, so blocking rules have nothing to say.
    model.blocking_rules.clear();
    let session = Session::open(&request.records, model, &[])?;
    session.check()?;
    let keys_of_model = &session.model.keys;
    let mut keys = RecordKeys::default();
    let table = read_pairs(
        &request.pairs,
        &keys_of_model.unique_id,
        &keys_of_model.source_dataset,
        PairValue::Weight,
        &mut keys,
    )?;
    let linker = session.linker(&[], request.columns, progress, cancel)?;
    let rows = rows_of_keys(&linker, &keys, &request.pairs)?;
    let pairs: Vec<(u32, u32)> = table
        .left
        .iter()
        .zip(&table.right)
        .map(|(left, right)| (rows[*left as usize], rows[*right as usize]))
        .collect();
    let schema = linker.pair_schema();
    let mut writer = TableWriter::create(&request.output_file, &schema, request.clock)?;
    for pairs in pairs.chunks(PAIRS) {
        if cancel.is_cancelled() {
            return Err(ResolveError::Cancelled);
        }
        let failed = |error| link_error("Scoring the pairs", error);
        let scored = linker.score_pairs(pairs).map_err(failed)?;
        writer.write(&linker.pair_batch(&scored).map_err(failed)?)?;
    }
    notices.extend(session.notices);
    Ok(ScoreOutcome { pairs: writer.finish()?, notices })
}

/// What [`compare_records`] is asked to do.
#[derive(Debug, Clone)]
pub struct CompareRequest {
    /// The records.
    pub records: RecordsRequest,
    /// The model.
    pub model: PathBuf,
    /// A record: its id, or source, `:` and id.
    pub left: String,
    /// The other record.
    pub right: String,
    /// Gives the compared values as well.
    pub show_values: bool,
}

/// How the weight of two records comes about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waterfall {
    /// Weight of the prior, in bits.
    pub prior_weight: f64,
    /// What each comparison adds.
    pub comparisons: Vec<WaterfallStep>,
    /// The match weight: the prior and all steps, in bits.
    pub match_weight: f64,
    /// The match probability.
    pub match_probability: f64,
    /// Whether blocking proposes the pair.
    pub blocking: Proposal,
    /// What the caller should know, a sentence each.
    #[serde(skip)]
    pub notices: Vec<String>,
}

/// Whether blocking proposes a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "proposed", rename_all = "snake_case")]
pub enum Proposal {
    /// A rule finds it; the first that does.
    Yes {
        /// Number of the rule, from 0.
        match_key: usize,
        /// The rule.
        rule: String,
    },
    /// No rule finds it.
    No,
    /// The rules have conditions that keys alone do not tell.
    Unknown,
}

impl Proposal {
    fn of(linker: &Linker, left: u32, right: u32) -> Self {
        let (left, right) = (left.min(right), left.max(right));
        let model = linker.model();
        let records = linker.records();
        if model.link_type == LinkType::LinkOnly && records.source_name(left) == records.source_name(right) {
            return Self::No;
        }
        for (match_key, rule) in linker.model_rules().iter().enumerate() {
            match has_equal_keys(linker, rule, left, right) {
                Some(true) => return Self::Yes { match_key, rule: rule.description.clone() },
                Some(false) => {}
                None => return Self::Unknown,
            }
        }
        Self::No
    }
}

/// Tells whether a pair agrees on the keys of a rule; nothing where the rule has more to say than that.
pub(super) fn has_equal_keys(linker: &Linker, rule: &RulePlan, left: u32, right: u32) -> Option<bool> {
    let RuleSearch::Equality(keys) = &rule.search else { return None };
    let columns = linker.records().columns();
    let mut agrees = true;
    for key in keys {
        let (left, right) = (columns.codes[key.left][left as usize], columns.codes[key.right][right as usize]);
        if left == NULL || right == NULL {
            return Some(false);
        }
        agrees &= match columns.values(key.left) {
            Values::TextList { offsets, codes, .. } if key.exploded => {
                let elements = |list: u32| &codes[offsets[list as usize] as usize..offsets[list as usize + 1] as usize];
                elements(left).iter().any(|element| elements(right).contains(element))
            }
            _ if key.exploded => return None,
            _ => left == right,
        };
    }
    if agrees && (rule.residual.is_some() || rule.refine.is_some()) { None } else { Some(agrees) }
}

/// What a comparison adds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaterfallStep {
    /// The comparison.
    pub comparison: String,
    /// The level's label.
    pub level: String,
    /// Value in the comparison vector.
    pub comparison_vector_value: i32,
    /// Weight of the level, in bits.
    pub match_weight: f64,
    /// Adjustment by the frequency of the value, in bits.
    pub term_frequency_weight: f64,
    /// The compared values, `COLUMN: LEFT = RIGHT`; only where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// Compares two records, step by step.
///
/// # Errors
///
/// Returns [`ResolveError`] when a file cannot be read, the model does not fit or is not trained, or a record does not exist.
pub fn compare_records(
    request: &CompareRequest,
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<Waterfall, ResolveError> {
    let (model, mut notices) = read_trained_model(&request.model, true)?;
    let session = Session::open(&request.records, model, &[])?;
    session.check()?;
    let columns = if request.show_values { PairColumns::Full } else { PairColumns::Scores };
    let linker = session.linker(&[], columns, progress, cancel)?;
    let sources = linker.records().source_names();
    let key = |text: &'_ str| -> (String, String) {
        match text.split_once(':') {
            Some((source, id)) if sources.len() > 1 && sources.iter().any(|name| name == source) => {
                (source.to_owned(), id.to_owned())
            }
            _ => (String::new(), text.to_owned()),
        }
    };
    let wanted = [key(&request.left), key(&request.right)];
    let wanted: Vec<(&str, &str)> = wanted.iter().map(|(source, id)| (source.as_str(), id.as_str())).collect();
    let rows = find_rows(&linker, &wanted)?;
    let row = |at: usize, asked: &str| {
        rows[at].ok_or_else(|| {
            let hint = if sources.len() > 1 {
                "Write SOURCE:ID, the source being the file's name without its ending"
            } else {
                "Ids stand in the column that `--unique-id-column` or the model names"
            };
            ResolveError::request(format!("No record has the id `{asked}`"), hint)
        })
    };
    let (left, right) = (row(0, &request.left)?, row(1, &request.right)?);
    if left == right {
        return Err(ResolveError::request("Both ids name one record", "Give the ids of two records"));
    }
    let failed = |error| link_error("Comparing the records", error);
    let evidence = linker.compare(left, right).map_err(failed)?;
    let values = if request.show_values { compared_values(&linker, &session, left, right)? } else { Vec::new() };
    let comparisons = evidence
        .steps
        .into_iter()
        .enumerate()
        .map(|(index, step)| WaterfallStep {
            comparison: step.comparison,
            level: step.label,
            comparison_vector_value: step.vector_value,
            match_weight: step.match_weight,
            term_frequency_weight: step.term_frequency_weight,
            values: values.get(index).cloned().unwrap_or_default(),
        })
        .collect();
    notices.extend(session.notices.iter().cloned());
    Ok(Waterfall {
        prior_weight: evidence.prior,
        comparisons,
        match_weight: evidence.match_weight,
        match_probability: evidence.match_probability,
        blocking: Proposal::of(&linker, left, right),
        notices,
    })
}

/// Gives for each comparison the values of both records.
fn compared_values(
    linker: &Linker,
    session: &Session,
    left: u32,
    right: u32,
) -> Result<Vec<Vec<String>>, ResolveError> {
    let failed = |error: ArrowError| ResolveError::engine("Showing the values", error);
    let shown = |column: &str, row: u32| -> Result<String, ResolveError> {
        let Some(value) = linker.records().take(column, &[row]).map_err(failed)? else { return Ok(String::new()) };
        if value.is_null(0) {
            return Ok("(missing)".to_owned());
        }
        arrow::util::display::array_value_to_string(&value, 0).map_err(failed)
    };
    session
        .model
        .comparisons
        .iter()
        .map(|comparison| {
            let sql: Vec<&str> = comparison.levels.iter().map(|level| level.sql_condition.as_str()).collect();
            super::session::columns_mentioned(&sql.join(" "), session)
                .iter()
                .map(|column| {
                    let (left, right) = (shown(column, left)?, shown(column, right)?);
                    let sign = if left == right { "=" } else { "≠" };
                    Ok(format!("{column}: {left} {sign} {right}"))
                })
                .collect()
        })
        .collect()
}
