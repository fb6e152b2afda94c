//! A model's probabilities from the records at hand.

use std::path::PathBuf;
use std::sync::Arc;

use hashbrown::HashMap;
use hotpass_resolve::Linker;
use hotpass_resolve::engine::patterns::PatternCounts;
use hotpass_resolve::model::{BlockingKind, BlockingRule, LinkageModel};
use hotpass_resolve::training::{
    self, Agreement, EmOptions, LabelledPattern, PairSampler, Pooling, PriorSource, SourceError, TrainOptions,
    TrainingError, TrainingReport, TrainingSource, UOptions, correct_u_for_matches, estimate_m_from_matches,
    estimate_u, prior_from_deterministic_rules,
};

use super::error::ResolveError;
use super::keys::{PairValue, RecordKeys, read_pairs};
use super::lookup::rows_of_keys;
use super::model_file::{read_model_file, write_model_file, write_text};
use super::predicting::has_equal_keys;
use super::session::{PairColumns, RecordsRequest, Session, link_error};
use crate::progress::{CancelToken, Progress, Stage};

/// How a model is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingRequest {
    /// Blocking rules whose pairs teach m; the model's when empty.
    pub training_rules: Vec<String>,
    /// Rules whose pairs are all but surely matches; with `recall` they give the prior.
    pub deterministic_rules: Vec<String>,
    /// Share of all matches that they find.
    pub recall: Option<f64>,
    /// Relative error of u at which sampling stops.
    pub u_relative_error: f64,
    /// How the estimates of several rules become one.
    pub pooling: Pooling,
    /// Known answers.
    pub labels: Option<Labels>,
}

impl Default for TrainingRequest {
    fn default() -> Self {
        Self {
            training_rules: Vec::new(),
            deterministic_rules: Vec::new(),
            recall: None,
            u_relative_error: UOptions::default().relative_error,
            pooling: Pooling::default(),
            labels: None,
        }
    }
}

/// Known answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Labels {
    /// A column that is equal for records of one entity; m comes from its pairs alone.
    Column(String),
    /// A file of judged pairs; they teach m together with the pairs of the training rules.
    Pairs(PathBuf),
}

/// What [`train_model`] is asked to do.
#[derive(Debug, Clone)]
pub struct TrainRequest {
    /// The records.
    pub records: RecordsRequest,
    /// Model to train.
    pub model: PathBuf,
    /// How.
    pub training: TrainingRequest,
    /// File for the trained model.
    pub output_model: PathBuf,
    /// File for what training did.
    pub report: PathBuf,
}

/// What [`train_model`] found.
#[derive(Debug)]
pub struct TrainOutcome {
    /// The trained model.
    pub model: LinkageModel,
    /// What training did.
    pub report: TrainingReport,
    /// What the caller should know, a sentence each.
    pub notices: Vec<String>,
}

/// Trains a model and writes it, with what training did.
///
/// # Errors
///
/// Returns [`ResolveError`] when a file cannot be read or written, the model does not fit, or nothing can be learnt.
pub fn train_model(
    request: &TrainRequest,
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<TrainOutcome, ResolveError> {
    ResolveError::unless_apart([&request.output_model, &request.report], &request.records.input_files)?;
    let (model, mut notices) = read_model_file(&request.model)?;
    let rules = request.training.rules();
    let session = Session::open(&request.records, model, &rules)?;
    let linker = session.linker(&rules, PairColumns::Scores, progress, cancel)?;
    let (model, report) = train(&session, &linker, &request.training, progress, cancel)?;
    write_model_file(&request.output_model, &model)?;
    write_report(&request.report, &report)?;
    notices.extend(session.notices);
    notices.extend(report.warnings.iter().cloned());
    Ok(TrainOutcome { model, report, notices })
}

/// Writes what training did.
pub(super) fn write_report(path: &std::path::Path, report: &TrainingReport) -> Result<(), ResolveError> {
    let text = serde_json::to_string_pretty(report)
        .map_err(|error| ResolveError::engine("Writing the training report", error))?;
    write_text(path, &(text + "\n"))
}

impl TrainingRequest {
    /// Gives the rules beyond the model's that training asks the linker for: training, deterministic, labels.
    pub(super) fn rules(&self) -> Vec<BlockingRule> {
        let label = self.label_rule();
        self.training_rules
            .iter()
            .chain(&self.deterministic_rules)
            .map(|sql| BlockingRule::from(sql.as_str()))
            .chain(label.map(|sql| BlockingRule::from(sql.as_str())))
            .collect()
    }

    fn label_rule(&self) -> Option<String> {
        match &self.labels {
            Some(Labels::Column(column)) => {
                let quoted = column.replace('"', "\"\"");
                Some(format!("l.\"{quoted}\" = r.\"{quoted}\""))
            }
            _ => None,
        }
    }
}

/// Trains the session's model on the linker's records; the linker was built with the rules of [`TrainingRequest::rules`].
pub(super) fn train(
    session: &Session,
    linker: &Linker,
    request: &TrainingRequest,
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<(LinkageModel, TrainingReport), ResolveError> {
    let started = std::time::Instant::now();
    progress.started(Stage::Train, None);
    let labelled = match &request.labels {
        Some(Labels::Pairs(path)) => Some(read_labelled(path, session, linker)?),
        _ => None,
    };
    let source = Watched { linker, progress, cancel, labelled: labelled.as_ref() };
    let u = UOptions { relative_error: request.u_relative_error, seed: linker.seed(), ..UOptions::default() };
    let rules =
        |sql: &[String]| -> Vec<BlockingRule> { sql.iter().map(|sql| BlockingRule::from(sql.as_str())).collect() };
    let deterministic = rules(&request.deterministic_rules);
    let mut model = session.model.clone();
    let report = if let Some(rule) = request.label_rule() {
        let prior = if deterministic.is_empty() {
            (vec![BlockingRule::from(rule.as_str())], 1.0)
        } else {
            (deterministic, request.recall.unwrap_or(1.0))
        };
        train_by_label(&mut model, &source, &BlockingRule::from(rule.as_str()), &u, &prior)
    } else {
        let mut options = TrainOptions {
            rules: rules(&request.training_rules),
            u: Some(u),
            pooling: request.pooling,
            ..TrainOptions::default()
        };
        options.em.seed = linker.seed();
        if let Some(labelled) = &labelled {
            options.em.labelled.clone_from(&labelled.patterns);
        }
        if !deterministic.is_empty() {
            options.prior =
                PriorSource::DeterministicRules { rules: deterministic, recall: request.recall.unwrap_or(1.0) };
        }
        training::train(&mut model, &source, &options)
    };
    let report =
        report.map_err(|error| if cancel.is_cancelled() { ResolveError::Cancelled } else { training_error(error) })?;
    progress.finished(Stage::Train, started.elapsed().as_secs_f64());
    Ok((model, report))
}

/// Estimates u, then m from the pairs that share a label, then the prior from rules of known recall.
fn train_by_label(
    model: &mut LinkageModel,
    source: &Watched<'_>,
    label_rule: &BlockingRule,
    options: &UOptions,
    (rules, recall): &(Vec<BlockingRule>, f64),
) -> Result<TrainingReport, TrainingError> {
    let all = vec![true; model.comparisons.len()];
    let patterns = |rules: &[BlockingRule], active: &[bool]| {
        source.block_patterns(rules, active).map_err(|source| TrainingError::Counting {
            rule: rules.iter().map(name).collect::<Vec<_>>().join("`, `"),
            source,
        })
    };
    let mut report = TrainingReport { u: estimate_u(model, source, options)?, ..TrainingReport::default() };
    let matches = patterns(std::slice::from_ref(label_rule), &all)?;
    report.labels = Some(estimate_m_from_matches(model, &matches, EmOptions::default().smoothing)?);
    let n_possible = source.n_possible_pairs();
    let n_found = patterns(rules, &vec![false; all.len()])?.n_pairs();
    let prior = prior_from_deterministic_rules(n_found as u64, n_possible, *recall)?;
    model.probability_two_random_records_match = prior.prior;
    correct_u_for_matches(model, &report.u, prior.prior, n_possible);
    report.u_corrected_for_matches = true;
    report.prior = Some(prior);
    report.summarise(model);
    Ok(report)
}

/// A linker whose work is shown and can be stopped, and which knows some pairs already.
struct Watched<'a> {
    linker: &'a Linker,
    progress: &'a dyn Progress,
    cancel: &'a CancelToken,
    labelled: Option<&'a Labelled>,
}

impl Watched<'_> {
    fn step(&self) -> Result<(), SourceError> {
        self.progress.advanced(Stage::Train, 1);
        if self.cancel.is_cancelled() { Err(Arc::new(ResolveError::Cancelled)) } else { Ok(()) }
    }
}

impl PairSampler for Watched<'_> {
    fn n_possible_pairs(&self) -> u128 {
        self.linker.n_possible_pairs()
    }

    fn level_counts(&self, comparison: usize, seed: u64, first: u64, n_pairs: u64) -> Result<Vec<u64>, SourceError> {
        self.step()?;
        self.linker.level_counts(comparison, seed, first, n_pairs)
    }

    fn all_level_counts(&self, comparison: usize) -> Result<Vec<u64>, SourceError> {
        self.step()?;
        self.linker.all_level_counts(comparison)
    }

    fn exact_agreement(&self, comparison: usize) -> Option<(usize, Agreement)> {
        self.linker.exact_agreement(comparison)
    }
}

impl TrainingSource for Watched<'_> {
    fn block_patterns(&self, rules: &[BlockingRule], active: &[bool]) -> Result<PatternCounts, SourceError> {
        self.step()?;
        let mut counts = self.linker.block_patterns(rules, active)?;
        // A judged pair counts with its judgement, so it must not count as one that nobody knows as well.
        if let (Some(labelled), [rule]) = (self.labelled, rules)
            && let Some(inside) = labelled.inside(self.linker, rule)
        {
            let known = self.linker.patterns_of_pairs(&inside).map_err(|error| Arc::new(error) as SourceError)?;
            subtract(&mut counts, &known, active);
        }
        Ok(counts)
    }

    fn overlap_patterns(
        &self,
        rules: [&BlockingRule; 2],
        active: &[bool],
    ) -> Result<Option<PatternCounts>, SourceError> {
        self.step()?;
        self.linker.overlap_patterns(rules, active)
    }
}

/// Says a rule on a line.
fn name(rule: &BlockingRule) -> String {
    match &rule.kind {
        BlockingKind::Sql(sql) => sql.clone(),
        BlockingKind::SortedNeighbourhood { key, .. } => format!("sorted neighbourhood of {key}"),
        BlockingKind::QGramLsh { text, .. } => format!("q-grams of {text}"),
        BlockingKind::Tokens { text, .. } => format!("tokens of {text}"),
    }
}

fn training_error(error: TrainingError) -> ResolveError {
    match error {
        TrainingError::Sampling { .. } | TrainingError::Counting { .. } => ResolveError::engine("Training", error),
        other => ResolveError::Request {
            message: format!("Cannot train: {other}"),
            hint: Some(
                "Choose rules that find pairs and leave some comparisons free with `--training-rule 'l.column = r.column'`"
                    .to_owned(),
            ),
        },
    }
}

/// Takes groups out of counts that hold them; comparisons that are not active stand at level 0 in the counts.
fn subtract(counts: &mut PatternCounts, part: &PatternCounts, active: &[bool]) {
    for group in &part.groups {
        let levels: Vec<u8> =
            group.levels.iter().zip(active).map(|(level, active)| if *active { *level } else { 0 }).collect();
        let same = counts.groups.iter_mut().find(|known| {
            *known.levels == *levels && known.term_frequency_bits.to_bits() == group.term_frequency_bits.to_bits()
        });
        if let Some(same) = same {
            same.count = (same.count - group.count).max(0.0);
        }
    }
    counts.groups.retain(|group| group.count > 0.0);
}

/// Pairs that a person judged.
struct Labelled {
    pairs: Vec<(u32, u32)>,
    patterns: Vec<LabelledPattern>,
}

impl Labelled {
    /// Gives the pairs that a rule finds; nothing if that cannot be told from keys.
    fn inside(&self, linker: &Linker, rule: &BlockingRule) -> Option<Vec<(u32, u32)>> {
        let of_model = linker.model().blocking_rules.iter().zip(linker.model_rules());
        let of_model = of_model.filter(|(known, _)| *known == rule).map(|(_, plan)| plan);
        let sql = name(rule);
        let prepared = linker.prepared_rules().iter().filter(|plan| plan.description == sql);
        let plan = of_model.chain(prepared).next()?;
        let found = self
            .pairs
            .iter()
            .map(|&(left, right)| Some(((left, right), has_equal_keys(linker, plan, left, right)?)))
            .collect::<Option<Vec<((u32, u32), bool)>>>()?;
        Some(found.into_iter().filter(|(_, inside)| *inside).map(|(pair, _)| pair).collect())
    }
}

fn read_labelled(path: &std::path::Path, session: &Session, linker: &Linker) -> Result<Labelled, ResolveError> {
    let keys_of_model = &session.model.keys;
    let mut keys = RecordKeys::default();
    let table = read_pairs(path, &keys_of_model.unique_id, &keys_of_model.source_dataset, PairValue::Label, &mut keys)?;
    let Some(scores) = table.value else {
        return Err(ResolveError::request(
            format!("`{}` has no column `clerical_match_score` or `label`", path.display()),
            "Give each labelled pair a number from 0 (no match) to 1 (match)",
        ));
    };
    let rows = rows_of_keys(linker, &keys, path)?;
    let mut pairs = Vec::with_capacity(scores.len());
    let mut by_score: HashMap<u64, Vec<(u32, u32)>> = HashMap::new();
    for ((left, right), score) in table.left.into_iter().zip(table.right).zip(scores) {
        let (left, right) = (rows[left as usize], rows[right as usize]);
        let pair = (left.min(right), left.max(right));
        pairs.push(pair);
        by_score.entry(score.to_bits()).or_default().push(pair);
    }
    let mut by_score: Vec<(u64, Vec<(u32, u32)>)> = by_score.into_iter().collect();
    by_score.sort_unstable_by_key(|(score, _)| *score);
    let mut patterns = Vec::new();
    for (score, pairs) in by_score {
        let counted = linker.patterns_of_pairs(&pairs).map_err(|error| link_error("Counting patterns", error))?;
        patterns.extend(counted.groups.into_iter().map(|group| LabelledPattern {
            levels: group.levels,
            clerical_match_score: f64::from_bits(score),
            count: group.count,
        }));
    }
    Ok(Labelled { pairs, patterns })
}
