//! The recommended way through all of training.

use std::sync::Arc;

use super::prior::{Block, BlockOverlap, PriorEstimate, prior_from_deterministic_rules, prior_from_training_blocks};
use super::{
    EmOptions, EmReport, EmStatus, PairSampler, Pooling, PriorMethod, RuleEffect, TrainingError, TrainingReport,
    UOptions, correct_u_for_matches, estimate_by_expectation_maximisation, estimate_u, pool,
};
use crate::model::{BlockingRule, LinkageModel};
use crate::patterns::PatternCounts;

/// Why a source of pairs failed.
pub type SourceError = Arc<dyn std::error::Error + Send + Sync>;

/// Gives the pairs that training looks at.
pub trait TrainingSource: PairSampler {
    /// Counts by pattern the pairs that any of the rules finds, each pair once; term-frequency evidence comes from the active
    /// comparisons alone.
    ///
    /// # Errors
    ///
    /// If a rule cannot be run.
    fn block_patterns(&self, rules: &[BlockingRule], active: &[bool]) -> Result<PatternCounts, SourceError>;

    /// Counts by pattern the pairs that fulfil both rules; nothing if they cannot be put together.
    ///
    /// # Errors
    ///
    /// If a rule cannot be run.
    fn overlap_patterns(
        &self,
        rules: [&BlockingRule; 2],
        active: &[bool],
    ) -> Result<Option<PatternCounts>, SourceError>;
}

/// Where λ comes from.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum PriorSource {
    /// From the training blocks, see [`super::prior_from_training_blocks`].
    #[default]
    TrainingBlocks,
    /// From deterministic rules and the recall that they are thought to have.
    DeterministicRules {
        /// Rules that hardly find a wrong pair.
        rules: Vec<BlockingRule>,
        /// Share of all matches that they find, above 0 and at most 1.
        recall: f64,
    },
    /// The model's λ stays.
    Model,
}

/// How a model is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Training rules, one block each; empty takes the model's blocking rules that leave a comparison free.
    pub rules: Vec<BlockingRule>,
    /// How u is estimated; `None` keeps the model's u.
    pub u: Option<UOptions>,
    /// How each block is trained. Rule, active comparisons and starting prior are set for each block.
    pub em: EmOptions,
    /// How the blocks' estimates become one.
    pub pooling: Pooling,
    /// Where λ comes from.
    pub prior: PriorSource,
    /// Takes the matches among all pairs out of u once λ and m are known.
    pub correct_u_for_matches: bool,
    /// Times that the blocks are trained: from the second on they start from the λ, m and corrected u of the time before.
    pub rounds: u32,
}

impl Default for TrainOptions {
    /// Everything from the data: u with 2 % error, EM to a change of 10⁻⁵ within 500 iterations, λ from the blocks, two
    /// rounds.
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            u: Some(UOptions::default()),
            em: EmOptions { convergence: Some(1e-5), max_iterations: Some(500), ..EmOptions::default() },
            pooling: Pooling::default(),
            prior: PriorSource::default(),
            correct_u_for_matches: true,
            rounds: 2,
        }
    }
}

/// Trains one block: switches off what its rule reads and starts λ from what the rule implies.
///
/// The model is left alone; see [`pool`].
///
/// # Errors
///
/// If the rule leaves nothing to estimate, finds no pairs or cannot be run, or an option is out of range.
pub fn run_block(
    model: &LinkageModel,
    source: &dyn TrainingSource,
    rule: &BlockingRule,
    options: &EmOptions,
) -> Result<EmReport, TrainingError> {
    let block = TrainingBlock::new(model, source, rule)?;
    block.run(model, options)
}

/// Trains a model from unlabelled records: u, then m in every block, pooled, then λ, then u without the matches.
///
/// Blocks whose run degenerated are reported and left out of pooling. If no block tells its reach, λ stays and a warning
/// says so.
///
/// # Errors
///
/// If there is no usable rule, a rule finds no pairs, or pairs cannot be compared.
pub fn train(
    model: &mut LinkageModel,
    source: &dyn TrainingSource,
    options: &TrainOptions,
) -> Result<TrainingReport, TrainingError> {
    let mut report = TrainingReport { pooling: options.pooling, ..TrainingReport::default() };
    let mut warnings = Vec::new();
    if let Some(options) = &options.u {
        report.u = estimate_u(model, source, options)?;
    }
    if let PriorSource::DeterministicRules { rules, recall } = &options.prior {
        let prior = deterministic_prior(model, source, rules, *recall)?;
        model.probability_two_random_records_match = prior.prior;
        report.prior = Some(prior);
    }
    let blocks = blocks(model, source, &options.rules, &mut warnings)?;
    for round in 0..options.rounds.max(1) {
        report.sessions =
            blocks.iter().map(|block| block.run(model, &options.em)).collect::<Result<Vec<EmReport>, _>>()?;
        let sound = |index: &usize| !matches!(report.sessions[*index].status, EmStatus::Degenerate { .. });
        let sound: Vec<usize> = (0..blocks.len()).filter(sound).collect();
        let sessions: Vec<EmReport> = sound.iter().map(|index| report.sessions[*index].clone()).collect();
        pool(model, &sessions, options.pooling);
        let is_last = round + 1 >= options.rounds;
        if options.prior == PriorSource::TrainingBlocks {
            let blocks: Vec<&TrainingBlock> = sound.iter().map(|index| &blocks[*index]).collect();
            match blocks_prior(model, source, &blocks, &sessions, options.em.without_term_frequencies) {
                Ok(prior) => {
                    model.probability_two_random_records_match = prior.prior;
                    report.prior = Some(prior);
                }
                Err(error @ TrainingError::ReachUnknown { .. }) if is_last => {
                    warnings.push(format!("The prior stays as it was: {error}"));
                }
                Err(TrainingError::ReachUnknown { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let knows_prior = report.prior.is_some() || options.prior == PriorSource::Model;
        if options.correct_u_for_matches && knows_prior {
            let prior = model.probability_two_random_records_match;
            correct_u_for_matches(model, &report.u, prior, source.n_possible_pairs());
            report.u_corrected_for_matches = !report.u.is_empty();
        }
    }
    if report.prior.is_none() {
        let n_possible_pairs = source.n_possible_pairs() as f64;
        let prior = model.probability_two_random_records_match;
        report.prior = Some(PriorEstimate {
            prior,
            expected_matches: prior * n_possible_pairs,
            n_possible_pairs,
            log_standard_error: None,
            method: PriorMethod::Given,
        });
    }
    report.summarise(model);
    report.warnings.splice(0..0, warnings);
    Ok(report)
}

/// Computes λ from deterministic rules: each pair counts once, under the first rule that finds it.
pub(crate) fn deterministic_prior(
    model: &LinkageModel,
    source: &dyn TrainingSource,
    rules: &[BlockingRule],
    recall: f64,
) -> Result<PriorEstimate, TrainingError> {
    let inactive = vec![false; model.comparisons.len()];
    let counts = source.block_patterns(rules, &inactive).map_err(|source| {
        let rule = rules.iter().map(super::rule_effect::describe).collect::<Vec<_>>().join("`, `");
        TrainingError::Counting { rule, source }
    })?;
    let n_found = counts.n_pairs();
    prior_from_deterministic_rules(n_found as u64, source.n_possible_pairs(), recall)
}

/// A training rule with its effect and its pairs.
struct TrainingBlock {
    rule: BlockingRule,
    effect: RuleEffect,
    counts: PatternCounts,
}

impl TrainingBlock {
    fn new(model: &LinkageModel, source: &dyn TrainingSource, rule: &BlockingRule) -> Result<Self, TrainingError> {
        let effect = RuleEffect::new(model, rule)?;
        if !effect.active.contains(&true) {
            let comparisons =
                model.comparisons.iter().map(|comparison| comparison.output_column_name.clone()).collect();
            return Err(TrainingError::NothingToEstimate { rule: effect.description, comparisons });
        }
        let counts = source
            .block_patterns(std::slice::from_ref(rule), &effect.active)
            .map_err(|source| TrainingError::Counting { rule: effect.description.clone(), source })?;
        Ok(Self { rule: rule.clone(), effect, counts })
    }

    fn run(&self, model: &LinkageModel, options: &EmOptions) -> Result<EmReport, TrainingError> {
        let options = EmOptions {
            rule: Some(self.effect.description.clone()),
            active: self.effect.active.clone(),
            starting_prior: Some(self.effect.starting_prior(model)),
            ..options.clone()
        };
        estimate_by_expectation_maximisation(model, &self.counts, &options)
    }
}

/// Gives the blocks of the training rules, or of the model's blocking rules that leave a comparison free and find pairs.
fn blocks(
    model: &LinkageModel,
    source: &dyn TrainingSource,
    rules: &[BlockingRule],
    warnings: &mut Vec<String>,
) -> Result<Vec<TrainingBlock>, TrainingError> {
    if !rules.is_empty() {
        return rules.iter().map(|rule| TrainingBlock::new(model, source, rule)).collect();
    }
    let mut blocks = Vec::new();
    for rule in &model.blocking_rules {
        match TrainingBlock::new(model, source, rule) {
            Ok(block) if block.counts.groups.is_empty() => {
                warnings.push(format!("Blocking rule `{}` finds no pairs to train with", block.effect.description));
            }
            Ok(block) => blocks.push(block),
            Err(TrainingError::NothingToEstimate { rule, .. }) => {
                warnings.push(format!("Blocking rule `{rule}` leaves nothing to train"));
            }
            Err(error) => return Err(error),
        }
    }
    if blocks.is_empty() { Err(TrainingError::NoTrainingRules) } else { Ok(blocks) }
}

fn blocks_prior(
    model: &LinkageModel,
    source: &dyn TrainingSource,
    blocks: &[&TrainingBlock],
    sessions: &[EmReport],
    without_term_frequencies: bool,
) -> Result<PriorEstimate, TrainingError> {
    let mut overlaps = Vec::new();
    for (of, block) in blocks.iter().enumerate() {
        for (also_in, other) in blocks.iter().enumerate() {
            // Rules that share a column agree on it together, so one says nothing about the reach of the other.
            let shares_columns = block.effect.columns.iter().any(|column| other.effect.columns.contains(column));
            if of == also_in || shares_columns {
                continue;
            }
            let counts = source.overlap_patterns([&block.rule, &other.rule], &block.effect.active);
            let counts =
                counts.map_err(|source| TrainingError::Counting { rule: other.effect.description.clone(), source })?;
            if let Some(counts) = counts {
                let expected_matches = sessions[of].expected_matches_among(model, &counts, without_term_frequencies)?;
                overlaps.push(BlockOverlap { of, also_in, expected_matches });
            }
        }
    }
    let blocks: Vec<Block<'_>> = blocks
        .iter()
        .zip(sessions)
        .map(|(block, report)| Block {
            report,
            implied_levels: block.effect.is_exact.then_some(block.effect.implied_levels.as_slice()),
        })
        .collect();
    prior_from_training_blocks(model, &blocks, &overlaps, source.n_possible_pairs())
}

#[cfg(test)]
mod tests;
