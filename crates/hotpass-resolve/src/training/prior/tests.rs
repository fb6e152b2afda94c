use super::*;
use crate::model::{Comparison, ComparisonLevel, LinkType};
use crate::patterns::{PatternCounts, PatternGroup};
use crate::random::Random;
use crate::training::{EmOptions, estimate_by_expectation_maximisation};

/// P(not null), m of agreement, u of agreement.
const COLUMNS: [(f64, f64, f64); 4] = [(0.95, 0.8, 0.02), (0.9, 0.85, 0.01), (1.0, 0.9, 0.005), (0.97, 0.75, 0.05)];
const N_MATCHES: usize = 20_000;
const N_POSSIBLE: u128 = 200_000_000;

fn model() -> LinkageModel {
    COLUMNS.iter().enumerate().fold(LinkageModel::new(LinkType::DedupeOnly), |model, (index, (_, _, u))| {
        let level = |sql: &str, u: f64| ComparisonLevel { u_probability: Some(u), ..ComparisonLevel::new(sql) };
        let null = ComparisonLevel { is_null_level: true, ..ComparisonLevel::new("a_l IS NULL") };
        let levels = vec![null, level("a_l = a_r", *u), level("ELSE", 1.0 - u)];
        model.compare(Comparison { output_column_name: format!("column {index}"), description: None, levels })
    })
}

/// The pairs of a population that agree on the columns of a rule: all its matches, and a draw of the non-matches.
fn block(rule: &[usize], seed: u64) -> PatternCounts {
    let mut groups = std::collections::BTreeMap::<Box<[u8]>, f64>::new();
    let mut random = Random::new(seed);
    let mut draw = |n_pairs: usize, is_match: bool, given: &[usize]| {
        for _ in 0..n_pairs {
            let levels: Box<[u8]> = (0..COLUMNS.len())
                .map(|column| {
                    let (filled, m, u) = COLUMNS[column];
                    let agree = if is_match { m } else { u };
                    let (is_filled, agrees) = (random.next_unit() < filled, random.next_unit() < agree);
                    match (given.contains(&column), is_filled, agrees) {
                        (true, _, _) => 1,
                        (_, false, _) => 0,
                        (_, _, true) => 1,
                        (_, _, false) => 2,
                    }
                })
                .collect();
            if rule.iter().all(|column| levels[*column] == 1) {
                *groups.entry(levels).or_default() += 1.0;
            }
        }
    };
    // The matches are the same in every block of a seed; non-matches are drawn as those that agree on the rule.
    draw(N_MATCHES, true, &[]);
    let share: f64 = rule.iter().map(|column| COLUMNS[*column].0 * COLUMNS[*column].2).product();
    draw((share * N_POSSIBLE as f64 / 20.0) as usize, false, rule);
    let groups = groups.into_iter().map(|(levels, count)| PatternGroup { levels, term_frequency_bits: 0.0, count });
    PatternCounts { n_levels: vec![3; COLUMNS.len()], groups: groups.collect() }
}

fn session(rule: &[usize], counts: &PatternCounts) -> EmReport {
    let options = EmOptions {
        active: (0..COLUMNS.len()).map(|column| !rule.contains(&column)).collect(),
        max_iterations: Some(1000),
        convergence: Some(1e-8),
        ..EmOptions::default()
    };
    estimate_by_expectation_maximisation(&model(), counts, &options).unwrap()
}

#[test]
fn blocks_give_the_prior_without_a_guess() {
    let rules: [&[usize]; 2] = [&[0, 1], &[2]];
    let counts: Vec<PatternCounts> = rules.iter().map(|rule| block(rule, 77)).collect();
    let reports: Vec<EmReport> = rules.iter().zip(&counts).map(|(rule, counts)| session(rule, counts)).collect();
    let implied: Vec<Vec<(usize, usize)>> =
        rules.iter().map(|rule| rule.iter().map(|column| (*column, 1)).collect()).collect();
    let truth = N_MATCHES as f64 / N_POSSIBLE as f64;

    let blocks: Vec<Block<'_>> =
        reports.iter().zip(&implied).map(|(report, implied)| Block { report, implied_levels: Some(implied) }).collect();
    let found = prior_from_training_blocks(&model(), &blocks, &[], N_POSSIBLE).unwrap();
    let error = found.log_standard_error.unwrap();
    assert!(error < 0.05, "{error}");
    assert!((found.prior / truth).ln().abs() < 4.0 * error, "{} {truth} ± {error}", found.prior);
    let PriorMethod::TrainingBlocks { blocks: by_block, .. } = &found.method else { panic!("other method") };
    let reach: Vec<f64> = by_block.iter().map(|block| block.reach.unwrap()).collect();
    assert!((reach[0] - 0.95 * 0.8 * 0.9 * 0.85).abs() < 0.02 && (reach[1] - 0.9).abs() < 0.02, "{reach:?}");

    // The same without implied levels: the blocks' overlap tells.
    let blocks: Vec<Block<'_>> = reports.iter().map(|report| Block { report, implied_levels: None }).collect();
    let overlaps: Vec<BlockOverlap> = [(0, 1), (1, 0)]
        .into_iter()
        .map(|(of, also_in)| {
            let mut both = counts[of].clone();
            both.groups.retain(|group| rules[also_in].iter().all(|column| group.levels[*column] == 1));
            let expected_matches = reports[of].expected_matches_among(&model(), &both, true).unwrap();
            BlockOverlap { of, also_in, expected_matches }
        })
        .collect();
    let found = prior_from_training_blocks(&model(), &blocks, &overlaps, N_POSSIBLE).unwrap();
    let error = found.log_standard_error.unwrap();
    assert!((found.prior / truth).ln().abs() < 4.0 * error, "{} {truth} ± {error}", found.prior);
    let PriorMethod::TrainingBlocks { blocks: by_block, cross_checks } = &found.method else { panic!("other method") };
    assert!(by_block.iter().all(|block| block.reach_method == ReachMethod::OverlapWithOtherBlocks));
    assert!((cross_checks[0].expected_matches / N_MATCHES as f64 - 1.0).abs() < 0.05, "{cross_checks:?}");
}

#[test]
fn unknown_reach_is_an_error() {
    let counts = block(&[0, 1], 5);
    let report = session(&[0, 1], &counts);
    let blocks = [Block { report: &report, implied_levels: Some(&[(0, 1), (1, 1)]) }];
    let error = prior_from_training_blocks(&model(), &blocks, &[], N_POSSIBLE).unwrap_err();
    assert!(matches!(error, TrainingError::ReachUnknown { .. }), "{error}");
    let error = prior_from_training_blocks(&model(), &[], &[], N_POSSIBLE).unwrap_err();
    assert!(matches!(error, TrainingError::ReachUnknown { .. }), "{error}");
}

#[test]
fn deterministic_rules_need_a_possible_recall() {
    let found = prior_from_deterministic_rules(60, 1_000_000, 0.6).unwrap();
    assert!((found.prior - 1e-4).abs() < 1e-15);
    let check = |n_found: u64, n_possible: u128, recall: f64, message: &str| {
        assert_eq!(prior_from_deterministic_rules(n_found, n_possible, recall).unwrap_err().to_string(), message);
    };
    check(0, 100, 0.5, "The deterministic rules find no pairs, so they say nothing about the prior");
    check(1, 100, 0.0, "The recall must be above 0 and at most 1: 0");
    check(
        60,
        100,
        0.5,
        "The deterministic rules find 60 of 100 possible pairs, more than a recall of 0.5 allows: at least 0.6",
    );
    check(1, 0, 0.5, "The inputs and the link type leave no pairs of records");
}
