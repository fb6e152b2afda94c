//! A model's probabilities from the records at hand.

use std::path::PathBuf;

use hashbrown::HashMap;
use hotpass_resolve::Linker;
use hotpass_resolve::model::{BlockingKind, BlockingRule, LinkageModel};
use hotpass_resolve::patterns::PatternCounts;
use hotpass_resolve::plan::RulePlan;
use hotpass_resolve::training::{
    Block, BlockOverlap, EmOptions, EmReport, LabelledPattern, PairSampler, Pooling, PriorEstimate, RuleEffect,
    TrainingError, TrainingReport, UOptions, correct_u_for_matches, estimate_by_expectation_maximisation,
    estimate_m_from_labelled_pairs, estimate_m_from_matches, estimate_u, pool, prior_from_deterministic_rules,
    prior_from_training_blocks,
};

use super::error::ResolveError;
use super::keys::{PairValue, RecordKeys, read_pairs};
use super::lookup::rows_of_keys;
use super::model_file::{read_model_file, write_model_file, write_text};
use super::predicting::has_equal_keys;
use super::session::{PairColumns, RecordsRequest, Session, link_error};
use crate::progress::{CancelToken, Progress, Stage};

/// Training rules up to this number are looked at in pairs, for the matches that two of them share.
const OVERLAPPING_RULES: usize = 4;

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

/// A training rule: as written and as it runs.
struct TrainingRule<'a> {
    rule: &'a BlockingRule,
    plan: &'a RulePlan,
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
    let mut model = session.model.clone();
    let further = request.rules();
    let of_request = |range: std::ops::Range<usize>| -> Vec<TrainingRule<'_>> {
        let plans = linker.prepared_rules().iter().skip(range.start);
        further[range].iter().zip(plans).map(|(rule, plan)| TrainingRule { rule, plan }).collect()
    };
    let n_training = request.training_rules.len();
    let n_deterministic = request.deterministic_rules.len();
    let training_rules = if n_training > 0 {
        of_request(0..n_training)
    } else {
        session
            .model
            .blocking_rules
            .iter()
            .zip(linker.model_rules())
            .map(|(rule, plan)| TrainingRule { rule, plan })
            .collect()
    };
    let deterministic = of_request(n_training..n_training + n_deterministic);
    let label_rule = of_request(n_training + n_deterministic..further.len());
    let mut steps = Steps { progress, cancel };
    progress.started(Stage::Train, Some(training_rules.len() as u64 + 2));

    let mut report = TrainingReport { pooling: request.pooling, ..TrainingReport::default() };
    let options = UOptions { relative_error: request.u_relative_error, seed: linker.seed(), ..UOptions::default() };
    report.u = estimate_u(&mut model, linker, &options).map_err(training_error)?;
    steps.done()?;
    let n_possible = linker.n_possible_pairs();

    let mut warnings = Vec::new();
    let mut blocks: Vec<(usize, EmReport)> = Vec::new();
    let labelled = match &request.labels {
        Some(Labels::Pairs(path)) => Some(read_labelled(path, session, linker)?),
        _ => None,
    };
    if let [rule] = label_rule.as_slice() {
        let matches = counts(linker, std::slice::from_ref(rule.plan))?;
        report.labels = Some(estimate_m_from_matches(&mut model, &matches, 1.0).map_err(training_error)?);
    } else {
        for (index, rule) in training_rules.iter().enumerate() {
            match session_of_rule(linker, &model, rule, labelled.as_ref())? {
                Ok(em) => blocks.push((index, em)),
                Err(reason) => warnings.push(format!("Training rule `{}` was left out: {reason}", name(rule.rule))),
            }
            steps.done()?;
        }
        if !blocks.is_empty() {
            let sessions: Vec<EmReport> = blocks.iter().map(|(_, em)| em.clone()).collect();
            pool(&mut model, &sessions, request.pooling);
            report.sessions = sessions;
        } else if let Some(labelled) = &labelled {
            report.labels =
                Some(estimate_m_from_labelled_pairs(&mut model, &labelled.patterns, 1.0).map_err(training_error)?);
        } else {
            return Err(ResolveError::Request {
                message: format!("No training rule teaches anything: {}", warnings.join("; ")),
                hint: Some("Give rules that leave some comparisons free and find pairs, with `--training-rule 'l.column = r.column'`".to_owned()),
            });
        }
    }

    let prior = if deterministic.is_empty() && label_rule.is_empty() {
        prior_from_blocks(linker, &model, &training_rules, &blocks, n_possible)
    } else {
        let (rules, recall) =
            if deterministic.is_empty() { (&label_rule, 1.0) } else { (&deterministic, request.recall.unwrap_or(1.0)) };
        let plans: Vec<RulePlan> = rules.iter().map(|rule| rule.plan.clone()).collect();
        let found = counts(linker, &plans)?.n_pairs();
        prior_from_deterministic_rules(found as u64, n_possible, recall).map_err(training_error).map(Ok)?
    };
    match prior {
        Ok(prior) => {
            model.probability_two_random_records_match = prior.prior;
            correct_u_for_matches(&mut model, &report.u, prior.prior, n_possible);
            report.u_corrected_for_matches = true;
            report.prior = Some(prior);
        }
        Err(error) => warnings.push(format!(
            "The prior stays {}: {error}; give `--deterministic-rule` with `--recall`",
            model.probability_two_random_records_match
        )),
    }
    steps.done()?;
    report.summarise(&model);
    report.warnings.extend(warnings);
    progress.finished(Stage::Train, started.elapsed().as_secs_f64());
    Ok((model, report))
}

/// Counts steps and stops when the caller asks for it.
struct Steps<'a> {
    progress: &'a dyn Progress,
    cancel: &'a CancelToken,
}

impl Steps<'_> {
    fn done(&mut self) -> Result<(), ResolveError> {
        self.progress.advanced(Stage::Train, 1);
        if self.cancel.is_cancelled() { Err(ResolveError::Cancelled) } else { Ok(()) }
    }
}

pub(super) fn name(rule: &BlockingRule) -> String {
    match &rule.kind {
        BlockingKind::Sql(sql) => sql.clone(),
        BlockingKind::SortedNeighbourhood { key, .. } => format!("sorted neighbourhood of {key}"),
        BlockingKind::QGramLsh { text, .. } => format!("q-grams of {text}"),
        BlockingKind::Tokens { text, .. } => format!("tokens of {text}"),
    }
}

fn counts(linker: &Linker, rules: &[RulePlan]) -> Result<PatternCounts, ResolveError> {
    linker.patterns_of_rules(rules).map_err(|error| link_error("Counting patterns", error))
}

fn training_error(error: TrainingError) -> ResolveError {
    match error {
        TrainingError::Sampling { .. } => ResolveError::engine("Training", error),
        other => ResolveError::Request { message: format!("Cannot train: {other}"), hint: None },
    }
}

/// Runs expectation–maximisation in the block of a rule; the inner error says why the rule teaches nothing.
fn session_of_rule(
    linker: &Linker,
    model: &LinkageModel,
    rule: &TrainingRule<'_>,
    labelled: Option<&Labelled>,
) -> Result<Result<EmReport, String>, ResolveError> {
    let effect = RuleEffect::new(model, rule.rule).map_err(training_error)?;
    if !effect.active.contains(&true) {
        return Ok(Err("every comparison uses one of its columns".to_owned()));
    }
    let mut patterns = counts(linker, std::slice::from_ref(rule.plan))?;
    if patterns.groups.is_empty() {
        return Ok(Err("it finds no pair".to_owned()));
    }
    let mut options = EmOptions {
        rule: Some(name(rule.rule)),
        starting_prior: Some(effect.starting_prior(model)),
        active: effect.active,
        seed: linker.seed(),
        ..EmOptions::default()
    };
    if let Some(labelled) = labelled
        && let Some(inside) = labelled.inside(linker, rule.plan)
    {
        let known = linker.patterns_of_pairs(&inside).map_err(|error| link_error("Counting patterns", error))?;
        subtract(&mut patterns, &known);
        options.labelled.clone_from(&labelled.patterns);
    }
    match estimate_by_expectation_maximisation(model, &patterns, &options) {
        Ok(report) => Ok(Ok(report)),
        Err(error @ TrainingError::Sampling { .. }) => Err(training_error(error)),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// Takes groups out of counts that hold them.
fn subtract(counts: &mut PatternCounts, part: &PatternCounts) {
    for group in &part.groups {
        let same = counts.groups.iter_mut().find(|known| {
            known.levels == group.levels && known.term_frequency_bits.to_bits() == group.term_frequency_bits.to_bits()
        });
        if let Some(same) = same {
            same.count = (same.count - group.count).max(0.0);
        }
    }
    counts.groups.retain(|group| group.count > 0.0);
}

/// Estimates the prior from the training blocks and the matches that they share.
fn prior_from_blocks(
    linker: &Linker,
    model: &LinkageModel,
    rules: &[TrainingRule<'_>],
    blocks: &[(usize, EmReport)],
    n_possible: u128,
) -> Result<PriorEstimate, TrainingError> {
    let effects: Vec<RuleEffect> =
        blocks.iter().map(|(rule, _)| RuleEffect::new(model, rules[*rule].rule)).collect::<Result<_, _>>()?;
    let evidence: Vec<Block<'_>> = blocks
        .iter()
        .zip(&effects)
        .map(|((_, report), effect)| Block {
            report,
            implied_levels: effect.is_exact.then_some(effect.implied_levels.as_slice()),
        })
        .collect();
    let overlaps = overlaps(linker, model, rules, blocks).unwrap_or_default();
    prior_from_training_blocks(model, &evidence, &overlaps, n_possible)
}

/// Counts the matches that every two blocks share: those of the one and of the other, less those of both together.
fn overlaps(
    linker: &Linker,
    model: &LinkageModel,
    rules: &[TrainingRule<'_>],
    blocks: &[(usize, EmReport)],
) -> Option<Vec<BlockOverlap>> {
    if blocks.len() > OVERLAPPING_RULES {
        return None;
    }
    let alone: Vec<PatternCounts> = blocks
        .iter()
        .map(|(rule, _)| linker.patterns_of_rules(std::slice::from_ref(rules[*rule].plan)).ok())
        .collect::<Option<_>>()?;
    let mut overlaps = Vec::new();
    for of in 0..blocks.len() {
        for also_in in of + 1..blocks.len() {
            let both = [rules[blocks[of].0].plan.clone(), rules[blocks[also_in].0].plan.clone()];
            let united = linker.patterns_of_rules(&both).ok()?;
            for (of, also_in) in [(of, also_in), (also_in, of)] {
                let expected = |counts: &PatternCounts| blocks[of].1.expected_matches_among(model, counts, false).ok();
                let expected_matches = expected(&alone[of])? + expected(&alone[also_in])? - expected(&united)?;
                overlaps.push(BlockOverlap { of, also_in, expected_matches: expected_matches.max(0.0) });
            }
        }
    }
    Some(overlaps)
}

/// Pairs that a person judged.
struct Labelled {
    pairs: Vec<(u32, u32)>,
    patterns: Vec<LabelledPattern>,
}

impl Labelled {
    /// Gives the pairs that a rule finds; nothing if that cannot be told from keys.
    fn inside(&self, linker: &Linker, rule: &RulePlan) -> Option<Vec<(u32, u32)>> {
        let found =
            self.pairs.iter().map(|&(left, right)| Some(((left, right), has_equal_keys(linker, rule, left, right)?)));
        let found: Vec<((u32, u32), bool)> = found.collect::<Option<_>>()?;
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
