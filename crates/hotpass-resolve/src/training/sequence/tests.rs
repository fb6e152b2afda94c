use std::collections::BTreeMap;

use super::*;
use crate::model::{BlockingKind, Comparison, ComparisonLevel, LinkType};
use crate::patterns::PatternGroup;
use crate::random::{Random, random_at};
use crate::training::{Agreement, LevelStatus, agreement};

const N_COLUMNS: usize = 5;
/// Number of families of values of each column; a family has ten close values.
const N_FAMILIES: [u64; N_COLUMNS] = [40, 80, 300, 30, 400];
/// m of each level: exact, close, other.
const M: [f64; 3] = [0.8, 0.15, 0.05];
const NULL_SHARE: f64 = 0.05;

/// Records in memory: entities of one or two records, the second a copy with errors at known rates.
struct Simulated {
    records: Vec<[Option<u64>; N_COLUMNS]>,
    n_matches: u64,
}

impl Simulated {
    fn new(n_entities: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut below = |bound: u64| ((u128::from(random.next_u64()) * u128::from(bound)) >> 64) as u64;
        let mut records = Vec::new();
        let mut n_matches = 0;
        for entity in 0..n_entities {
            let first: [u64; N_COLUMNS] = std::array::from_fn(|column| below(N_FAMILIES[column] * 10));
            let mut with_nulls = |values: [u64; N_COLUMNS]| {
                values.map(|value| (below(1_000_000) as f64 >= NULL_SHARE * 1e6).then_some(value))
            };
            records.push(with_nulls(first));
            if entity % 2 == 0 {
                let second = std::array::from_fn(|column| {
                    let draw = random_at(seed, (entity * N_COLUMNS + column) as u64) as f64 / u64::MAX as f64;
                    let value = first[column];
                    match draw {
                        draw if draw < M[0] => value,
                        draw if draw < M[0] + M[1] => value / 10 * 10 + (value + 3) % 10,
                        _ => (value + 170) % (N_FAMILIES[column] * 10),
                    }
                });
                records.push(with_nulls(second));
                n_matches += 1;
            }
        }
        Self { records, n_matches }
    }

    fn level(&self, column: usize, left: usize, right: usize) -> u8 {
        match (self.records[left][column], self.records[right][column]) {
            (Some(left), Some(right)) if left == right => 1,
            (Some(left), Some(right)) if left / 10 == right / 10 => 2,
            (Some(_), Some(_)) => 3,
            _ => 0,
        }
    }

    fn patterns(&self, active: &[bool], is_in: impl Fn(&[u8]) -> bool) -> PatternCounts {
        let mut groups = BTreeMap::<Box<[u8]>, f64>::new();
        for left in 0..self.records.len() {
            for right in left + 1..self.records.len() {
                let levels: [u8; N_COLUMNS] = std::array::from_fn(|column| self.level(column, left, right));
                if is_in(&levels) {
                    let levels = levels.iter().zip(active).map(|(level, active)| if *active { *level } else { 0 });
                    *groups.entry(levels.collect()).or_default() += 1.0;
                }
            }
        }
        let groups = groups.into_iter().map(|(levels, count)| PatternGroup { levels, term_frequency_bits: 0.0, count });
        PatternCounts { n_levels: vec![4; N_COLUMNS], groups: groups.collect() }
    }
}

fn columns_of_rule(rule: &BlockingRule) -> Vec<usize> {
    let BlockingKind::Sql(sql) = &rule.kind else { return Vec::new() };
    (0..N_COLUMNS).filter(|column| sql.contains(&format!("l.c{column}"))).collect()
}

impl PairSampler for Simulated {
    fn n_possible_pairs(&self) -> u128 {
        let n_records = self.records.len() as u128;
        n_records * (n_records - 1) / 2
    }

    fn level_counts(&self, comparison: usize, seed: u64, first: u64, n_pairs: u64) -> Result<Vec<u64>, SourceError> {
        let mut counts = vec![0; 4];
        let n_records = self.records.len() as u64;
        for position in first..first + n_pairs {
            let left = random_at(seed, 2 * position) % n_records;
            let right = (left + 1 + random_at(seed, 2 * position + 1) % (n_records - 1)) % n_records;
            counts[usize::from(self.level(comparison, left as usize, right as usize))] += 1;
        }
        Ok(counts)
    }

    fn all_level_counts(&self, comparison: usize) -> Result<Vec<u64>, SourceError> {
        let mut counts = vec![0; 4];
        for left in 0..self.records.len() {
            for right in left + 1..self.records.len() {
                counts[usize::from(self.level(comparison, left, right))] += 1;
            }
        }
        Ok(counts)
    }

    fn exact_agreement(&self, comparison: usize) -> Option<(usize, Agreement)> {
        let mut counts = vec![0; N_FAMILIES[comparison] as usize * 10];
        self.records.iter().filter_map(|record| record[comparison]).for_each(|value| counts[value as usize] += 1);
        Some((1, agreement(LinkType::DedupeOnly, &[&counts])))
    }
}

impl TrainingSource for Simulated {
    fn block_patterns(&self, rules: &[BlockingRule], active: &[bool]) -> Result<PatternCounts, SourceError> {
        let rules: Vec<Vec<usize>> = rules.iter().map(columns_of_rule).collect();
        Ok(self.patterns(active, |levels| rules.iter().any(|rule| rule.iter().all(|column| levels[*column] == 1))))
    }

    fn overlap_patterns(
        &self,
        rules: [&BlockingRule; 2],
        active: &[bool],
    ) -> Result<Option<PatternCounts>, SourceError> {
        let columns: Vec<usize> = rules.into_iter().flat_map(columns_of_rule).collect();
        Ok(Some(self.patterns(active, |levels| columns.iter().all(|column| levels[*column] == 1))))
    }
}

fn model() -> LinkageModel {
    (0..N_COLUMNS).fold(LinkageModel::new(LinkType::DedupeOnly), |model, column| {
        let null = format!("c{column}_l IS NULL OR c{column}_r IS NULL");
        let levels = vec![
            ComparisonLevel { is_null_level: true, ..ComparisonLevel::new(null) },
            ComparisonLevel::new(format!("c{column}_l = c{column}_r")),
            ComparisonLevel::new(format!("levenshtein(c{column}_l, c{column}_r) <= 1")),
            ComparisonLevel::new("ELSE"),
        ];
        model.compare(Comparison { output_column_name: format!("c{column}"), description: None, levels })
    })
}

/// From records alone, m, u and λ come back within stated intervals.
#[test]
fn training_from_nothing_recovers_the_truth() {
    let source = Simulated::new(2000, 17);
    let mut model = model();
    let options = TrainOptions {
        rules: vec!["l.c0 = r.c0 AND l.c1 = r.c1".into(), "l.c2 = r.c2".into(), "l.c4 = r.c4".into()],
        ..TrainOptions::default()
    };
    let report = train(&mut model, &source, &options).unwrap();
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    for (column, comparison) in model.comparisons.iter().enumerate() {
        let m: Vec<f64> = comparison.levels[1..].iter().map(|level| level.m_probability.unwrap()).collect();
        // At least 500 matches are seen for each column: a standard error of 0.018 at most.
        assert!(m.iter().zip(M).all(|(m, truth)| (m - truth).abs() < 0.06), "{column}: {m:?}");
        assert!((m.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let u: Vec<f64> = comparison.levels[1..].iter().map(|level| level.u_probability.unwrap()).collect();
        let families = N_FAMILIES[column] as f64;
        let truth = [1.0 / (10.0 * families), 0.9 / families, 1.0 - 1.0 / families];
        assert!(u.iter().zip(truth).all(|(u, truth)| (u / truth - 1.0).abs() < 0.2), "{column}: {u:?} {truth:?}");
    }
    let prior = report.prior.unwrap();
    let truth = source.n_matches as f64 / source.n_possible_pairs() as f64;
    let error = prior.log_standard_error.unwrap();
    assert!(error < 0.1, "{error}");
    assert!((prior.prior / truth).ln().abs() < 4.0 * error, "{} {truth} ± {error}", prior.prior);
    let PriorMethod::TrainingBlocks { cross_checks, .. } = &prior.method else { panic!("other method") };
    for check in cross_checks {
        assert!((check.expected_matches / source.n_matches as f64 - 1.0).abs() < 0.3, "{check:?}");
    }
    // The report survives being written down.
    let report = TrainingReport { prior: Some(prior), ..report };
    let text = serde_json::to_string(&report).unwrap();
    let again: TrainingReport = serde_json::from_str(&text).unwrap();
    assert_eq!((again.u.len(), again.sessions.len(), again.parameters.len()), (5, 3, 5));
    assert_eq!(again.sessions[1].iterations.len(), report.sessions[1].iterations.len());
    assert_eq!(report.parameters[0].levels[0].m_by_session.len(), 3);
    assert!(report.parameters[0].levels[0].m_by_session[0].is_none());
}

#[test]
fn deterministic_rules_count_each_pair_once() {
    let source = Simulated::new(300, 3);
    let mut model = model();
    let rules: Vec<BlockingRule> = vec!["l.c2 = r.c2 AND l.c4 = r.c4".into(), "l.c4 = r.c4 AND l.c1 = r.c1".into()];
    let prior = PriorSource::DeterministicRules { rules, recall: 0.85 };
    let options =
        TrainOptions { rules: vec!["l.c2 = r.c2".into(), "l.c4 = r.c4".into()], prior, ..TrainOptions::default() };
    let report = train(&mut model, &source, &options).unwrap();
    let Some(PriorEstimate { method: PriorMethod::DeterministicRules { n_found, .. }, prior, .. }) = report.prior
    else {
        panic!("other method")
    };
    assert!(n_found <= source.n_matches, "{n_found}");
    assert!((model.probability_two_random_records_match - prior).abs() < 1e-15);
}

#[test]
fn unusable_rules_are_named() {
    let source = Simulated::new(50, 3);
    let all: Vec<String> = (0..N_COLUMNS).map(|column| format!("l.c{column} = r.c{column}")).collect();
    let options = TrainOptions { rules: vec![all.join(" AND ").as_str().into()], ..TrainOptions::default() };
    let error = train(&mut model(), &source, &options).unwrap_err();
    assert!(matches!(error, TrainingError::NothingToEstimate { .. }), "{error}");
    let error = train(&mut model(), &source, &TrainOptions::default()).unwrap_err();
    assert!(matches!(error, TrainingError::NoTrainingRules), "{error}");
    let report = run_block(&model(), &source, &"l.c4 = r.c4".into(), &EmOptions::splink());
    let report = report.unwrap();
    assert_eq!(report.inactive_comparisons, ["c4"]);
    assert!(report.comparisons.iter().all(|estimate| estimate.levels[1].u_status == LevelStatus::Fixed));
}
