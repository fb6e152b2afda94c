//! Pairs and clusters in files against a truth in files.

use std::path::PathBuf;

use hashbrown::HashMap;
use hotpass_resolve::clustering::connected_components;
use hotpass_resolve::evaluation::{
    BootstrapOptions, ClusterEvaluation, PairEvaluation, PairEvaluationOptions, Population, ThresholdClusterEvaluation,
    ThresholdGrid, Truth, UNLABELLED, evaluate_clusters, evaluate_clusters_at_thresholds, evaluate_judged_pairs,
    evaluate_pairs, match_judged_pairs,
};
use hotpass_resolve::model::LinkType;
use serde::Serialize;

use super::error::ResolveError;
use super::keys::{PairValue, RecordKeys, read_clusters, read_keys, read_pairs, weight_of};

/// Name of the column of sources in tables of pairs and records.
const SOURCE_COLUMN: &str = "source_dataset";

/// What is known to be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TruthSource {
    /// A column of the records that is equal for records of one entity; null where that is not known.
    Column {
        /// Files of the records.
        input_files: Vec<PathBuf>,
        /// The column.
        column: String,
    },
    /// A file of all pairs that match.
    Pairs(PathBuf),
    /// A file of pairs that a person judged; only they count.
    Labels(PathBuf),
}

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evaluated {
    /// A file of scored pairs.
    Pairs(PathBuf),
    /// A file of records with their clusters.
    Clusters {
        /// The file.
        file: PathBuf,
        /// The column of clusters.
        column: String,
    },
}

/// What [`evaluate_files`] is asked to measure.
#[derive(Debug, Clone)]
pub struct EvaluateRequest {
    /// What is measured.
    pub evaluated: Evaluated,
    /// What is true.
    pub truth: TruthSource,
    /// Column of the ids, which the columns of pairs are named after.
    pub unique_id_column: String,
    /// Which pairs count; found from the sources of the pairs when absent.
    pub link_type: Option<LinkType>,
    /// Match probabilities to measure at.
    pub thresholds: Vec<f64>,
    /// Replicates of the bootstrap; 0 for no intervals.
    pub bootstrap: u32,
    /// Share of replicates inside an interval.
    pub confidence: f64,
    /// Seed of the bootstrap.
    pub seed: u64,
}

/// How good pairs or clusters are.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Evaluation {
    /// Number of records that were looked at.
    pub n_records: u64,
    /// Measures of pairs by threshold (in bits), with what blocking missed.
    pub pairs: Option<PairEvaluation>,
    /// Intervals of the measures of pairs, and the clusters that connected components make of the pairs, by threshold.
    pub thresholds: Vec<AtThreshold>,
    /// Measures of clusters that were given.
    pub clusters: Option<ClusterEvaluation>,
}

/// What is measured at one threshold.
#[derive(Debug, Clone, Serialize)]
pub struct AtThreshold {
    /// The match probability.
    pub probability: f64,
    /// Measures of pairs, with intervals.
    pub pairs: PairEvaluation,
    /// Clusters by connected components; absent where only judged pairs are known.
    pub clusters: Option<ThresholdClusterEvaluation>,
}

/// Measures a file of pairs or clusters against a truth.
///
/// # Errors
///
/// Returns [`ResolveError`] when a file cannot be read or lacks a column, or the truth and what is measured have no record in common.
pub fn evaluate_files(request: &EvaluateRequest) -> Result<Evaluation, ResolveError> {
    let bootstrap = BootstrapOptions { replicates: request.bootstrap, level: request.confidence, seed: request.seed };
    match &request.evaluated {
        Evaluated::Pairs(file) => pairs(request, file, bootstrap),
        Evaluated::Clusters { file, column } => clusters(request, file, column, bootstrap),
    }
}

fn pairs(
    request: &EvaluateRequest,
    file: &std::path::Path,
    bootstrap: BootstrapOptions,
) -> Result<Evaluation, ResolveError> {
    let id = request.unique_id_column.as_str();
    let mut keys = RecordKeys::default();
    let table = read_pairs(file, id, SOURCE_COLUMN, PairValue::Weight, &mut keys)?;
    let mut scored: Vec<(u32, u32, f64)> = (0..table.left.len())
        .map(|row| {
            let weight = table.value.as_ref().map_or(f64::INFINITY, |weights| weights[row]);
            (table.left[row], table.right[row], weight)
        })
        .collect();
    let options = |threshold: Option<f64>| PairEvaluationOptions {
        grid: ThresholdGrid::default(),
        threshold,
        bootstrap: threshold.is_some().then_some(bootstrap),
        true_candidates: None,
    };
    let mut evaluation = Evaluation::default();
    if let TruthSource::Labels(labels) = &request.truth {
        let judged = read_judged(labels, id, &mut keys)?;
        let judged = match_judged_pairs(&judged, &scored);
        evaluation.n_records = keys.len() as u64;
        evaluation.pairs = Some(evaluate_judged_pairs(&judged, &options(None)));
        for &probability in &request.thresholds {
            let options = given(options(Some(weight_of(probability))));
            evaluation.thresholds.push(AtThreshold {
                probability,
                pairs: evaluate_judged_pairs(&judged, &options),
                clusters: None,
            });
        }
        return Ok(evaluation);
    }
    let truth = read_truth(request, &mut keys)?;
    let sources = keys.source_numbers();
    let link_type = request.link_type.unwrap_or_else(|| link_type_of(&scored, &sources));
    let population = Population { link_type, sources: &sources };
    evaluation.n_records = keys.len() as u64;
    let labels = truth.labels(keys.len());
    let is_known = |row: u32| labels[row as usize] != UNLABELLED;
    if !scored.is_empty() && !scored.iter().any(|(left, right, _)| is_known(*left) && is_known(*right)) {
        return Err(nothing_in_common(file));
    }
    let of_engine = truth.of_engine(&labels);
    evaluation.pairs = Some(evaluate_pairs(&mut scored, of_engine, population, &options(None)));
    for &probability in &request.thresholds {
        let weight = weight_of(probability);
        let pairs = evaluate_pairs(&mut scored, of_engine, population, &given(options(Some(weight))));
        let clusters = evaluate_clusters_at_thresholds(&mut scored, &[weight], &labels, population).pop();
        evaluation.thresholds.push(AtThreshold { probability, pairs, clusters });
    }
    Ok(evaluation)
}

/// Reports one threshold instead of all.
fn given(mut options: PairEvaluationOptions) -> PairEvaluationOptions {
    options.grid = ThresholdGrid::Given(options.threshold.into_iter().collect());
    options
}

fn clusters(
    request: &EvaluateRequest,
    file: &std::path::Path,
    column: &str,
    bootstrap: BootstrapOptions,
) -> Result<Evaluation, ResolveError> {
    let id = request.unique_id_column.as_str();
    let mut keys = RecordKeys::default();
    let clusters = read_clusters(file, id, SOURCE_COLUMN, column, &mut keys)?;
    if let TruthSource::Labels(labels) = &request.truth {
        let judged = read_judged(labels, id, &mut keys)?;
        let cluster_of = labels_of(clusters, keys.len(), false);
        let together = |left: u32, right: u32| cluster_of[left as usize] == cluster_of[right as usize];
        // Being together is all that a cluster says of a pair.
        let scored: Vec<(u32, u32, f64)> = judged
            .iter()
            .filter(|(left, right, _)| together(*left, *right))
            .map(|(left, right, _)| (*left, *right, f64::INFINITY))
            .collect();
        let options = PairEvaluationOptions {
            grid: ThresholdGrid::Given(vec![f64::INFINITY]),
            threshold: Some(f64::INFINITY),
            bootstrap: Some(bootstrap),
            true_candidates: None,
        };
        let pairs = evaluate_judged_pairs(&match_judged_pairs(&judged, &scored), &options);
        return Ok(Evaluation { n_records: keys.len() as u64, pairs: Some(pairs), ..Evaluation::default() });
    }
    let known = keys.len();
    let truth = read_truth(request, &mut keys)?;
    let labels = truth.labels(keys.len());
    if known > 0 && labels[..known].iter().all(|label| *label == UNLABELLED) {
        return Err(nothing_in_common(file));
    }
    let cluster_of = labels_of(clusters, keys.len(), false);
    let sources = keys.source_numbers();
    let link_type = request.link_type.unwrap_or_default();
    let population = Population { link_type, sources: &sources };
    let evaluation = evaluate_clusters(&cluster_of, &labels, population, Some(&bootstrap));
    Ok(Evaluation { n_records: keys.len() as u64, clusters: Some(evaluation), ..Evaluation::default() })
}

fn nothing_in_common(file: &std::path::Path) -> ResolveError {
    ResolveError::request(
        format!("The truth speaks of no record of `{}`", file.display()),
        "Give the files that it was made of, with the same `--unique-id-column`",
    )
}

fn read_judged(path: &std::path::Path, id: &str, keys: &mut RecordKeys) -> Result<Vec<(u32, u32, f64)>, ResolveError> {
    let table = read_pairs(path, id, SOURCE_COLUMN, PairValue::Label, keys)?;
    let Some(scores) = table.value else {
        return Err(ResolveError::request(
            format!("`{}` has no column `clerical_match_score` or `label`", path.display()),
            "Give each labelled pair a number from 0 (no match) to 1 (match); a file of matches alone is `--truth-pairs`",
        ));
    };
    Ok(table.left.into_iter().zip(table.right).zip(scores).map(|((left, right), score)| (left, right, score)).collect())
}

/// The truth by record number.
enum Known {
    Labels(Vec<(u32, String)>),
    Pairs { n_records: usize, pairs: Vec<(u32, u32)> },
}

impl Known {
    /// Gives a label for each record; pairs make labels by connected components.
    fn labels(&self, n_records: usize) -> Vec<u32> {
        match self {
            Self::Labels(labels) => labels_of(labels.clone(), n_records, true),
            Self::Pairs { pairs, .. } => connected_components(n_records, pairs.iter().copied()),
        }
    }

    fn of_engine<'a>(&'a self, labels: &'a [u32]) -> Truth<'a> {
        match self {
            Self::Labels(_) => Truth::Labels(labels),
            Self::Pairs { n_records, pairs } => Truth::Pairs { n_records: *n_records, pairs },
        }
    }
}

fn read_truth(request: &EvaluateRequest, keys: &mut RecordKeys) -> Result<Known, ResolveError> {
    let id = request.unique_id_column.as_str();
    match &request.truth {
        TruthSource::Column { input_files, column } => {
            let has_sources = keys.sources().iter().any(|source| !source.is_empty());
            let source_column = has_sources.then_some(SOURCE_COLUMN);
            let records = read_keys(input_files, id, source_column, Some(column), keys)?;
            Ok(Known::Labels(records.into_iter().filter_map(|(key, label)| Some((key, label?))).collect()))
        }
        TruthSource::Pairs(path) | TruthSource::Labels(path) => {
            let table = read_pairs(path, id, SOURCE_COLUMN, PairValue::Label, keys)?;
            let pairs: Vec<(u32, u32)> = table.left.into_iter().zip(table.right).collect();
            Ok(Known::Pairs { n_records: keys.len(), pairs })
        }
    }
}

/// Gives each record the number of its label. A record without one is unlabelled, or by itself.
fn labels_of(labelled: Vec<(u32, String)>, n_records: usize, may_be_unknown: bool) -> Vec<u32> {
    let mut labels = vec![UNLABELLED; n_records];
    let mut numbers: HashMap<String, u32> = HashMap::new();
    for (key, label) in labelled {
        let next = numbers.len() as u32;
        labels[key as usize] = *numbers.entry(label).or_insert(next);
    }
    if !may_be_unknown {
        let unlabelled = labels.iter_mut().filter(|label| **label == UNLABELLED);
        for (label, number) in unlabelled.zip(numbers.len() as u32..) {
            *label = number;
        }
    }
    labels
}

/// Finds the link type that pairs show: those of one source, of different sources, or both.
fn link_type_of(pairs: &[(u32, u32, f64)], sources: &[u16]) -> LinkType {
    let crosses = |(left, right, _): &(u32, u32, f64)| sources[*left as usize] != sources[*right as usize];
    if !pairs.iter().any(crosses) {
        LinkType::DedupeOnly
    } else if pairs.iter().all(crosses) {
        LinkType::LinkOnly
    } else {
        LinkType::LinkAndDedupe
    }
}
