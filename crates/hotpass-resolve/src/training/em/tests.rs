use super::*;
use crate::model::{Comparison, ComparisonLevel, LinkType, TermFrequencyAdjustment};
use crate::patterns::PatternGroup;

/// A comparison of levels exact, close and else, without null level, m and u given.
fn comparison(name: &str, m: &[f64], u: &[f64]) -> Comparison {
    let last = m.len() - 1;
    let levels = m.iter().zip(u).enumerate().map(|(index, (m, u))| ComparisonLevel {
        m_probability: Some(*m),
        u_probability: Some(*u),
        ..ComparisonLevel::new(match index {
            0 => format!("\"{name}_l\" = \"{name}_r\""),
            index if index == last => "ELSE".to_owned(),
            index => format!("levenshtein(\"{name}_l\", \"{name}_r\") <= {index}"),
        })
    });
    let null = ComparisonLevel { is_null_level: true, ..ComparisonLevel::new(format!("\"{name}_l\" IS NULL")) };
    Comparison {
        output_column_name: name.to_owned(),
        description: None,
        levels: [null].into_iter().chain(levels).collect(),
    }
}

fn truth() -> LinkageModel {
    LinkageModel::new(LinkType::DedupeOnly)
        .compare(comparison("forename", &[0.8, 0.15, 0.05], &[0.01, 0.02, 0.97]))
        .compare(comparison("surname", &[0.85, 0.1, 0.05], &[0.005, 0.015, 0.98]))
        .compare(comparison("birth_date", &[0.9, 0.07, 0.03], &[0.001, 0.03, 0.969]))
        .compare(comparison("town", &[0.7, 0.3], &[0.1, 0.9]))
}

fn untrained() -> LinkageModel {
    let mut model = truth();
    model
        .comparisons
        .iter_mut()
        .flat_map(|comparison| &mut comparison.levels)
        .for_each(|level| level.m_probability = None);
    model
}

/// Draws pairs from a model: λ, a share of nulls, and for each comparison a level.
fn simulated(model: &LinkageModel, prior: f64, n_pairs: usize, seed: u64) -> PatternCounts {
    let mut random = Random::new(seed);
    let mut counts = std::collections::BTreeMap::<Box<[u8]>, f64>::new();
    for _ in 0..n_pairs {
        let is_match = random.next_unit() < prior;
        let levels = model.comparisons.iter().map(|comparison| {
            if random.next_unit() < 0.05 {
                return 0;
            }
            let mut left = random.next_unit();
            let of = |level: &ComparisonLevel| if is_match { level.m_probability } else { level.u_probability };
            for (index, level) in comparison.levels.iter().enumerate().skip(1) {
                left -= of(level).unwrap_or(0.0);
                if left < 0.0 {
                    return index as u8;
                }
            }
            comparison.levels.len() as u8 - 1
        });
        let levels: Box<[u8]> = levels.collect();
        *counts.entry(levels).or_default() += 1.0;
    }
    PatternCounts {
        n_levels: model.comparisons.iter().map(|comparison| comparison.levels.len()).collect(),
        groups: counts
            .into_iter()
            .map(|(levels, count)| PatternGroup { levels, term_frequency_bits: 0.0, count })
            .collect(),
    }
}

fn long_run() -> EmOptions {
    EmOptions { max_iterations: Some(2000), convergence: Some(1e-9), ..EmOptions::default() }
}

/// Checks that each m (and λ) lies within `width` standard errors of the truth.
fn check_recovered(report: &EmReport, model: &LinkageModel, prior: f64, width: f64) {
    let error = report.prior_standard_error.unwrap();
    assert!((report.prior - prior).abs() < width * error, "λ {} ± {error}", report.prior);
    for estimate in &report.comparisons {
        for (level, truth) in estimate.levels.iter().zip(&model.comparisons[estimate.index].levels) {
            let (Some(m), Some(error)) = (level.m, level.m_standard_error) else { continue };
            let truth = truth.m_probability.unwrap();
            assert!(
                (m - truth).abs() < width * error,
                "{} {}: {m} ± {error}, {truth}",
                estimate.comparison,
                level.label
            );
        }
    }
}

#[test]
fn known_parameters_are_recovered() {
    for seed in [3, 4, 5] {
        let counts = simulated(&truth(), 0.1, 200_000, seed);
        let options = EmOptions { smoothing: 0.0, ..long_run() };
        let report = estimate_by_expectation_maximisation(&untrained(), &counts, &options).unwrap();
        assert_eq!(report.status, EmStatus::Converged);
        check_recovered(&report, &truth(), 0.1, 4.0);
    }
}

#[test]
fn freed_u_is_recovered_as_well() {
    let counts = simulated(&truth(), 0.2, 300_000, 9);
    let options = EmOptions { fix_u: false, ..long_run() };
    let report = estimate_by_expectation_maximisation(&untrained(), &counts, &options).unwrap();
    check_recovered(&report, &truth(), 0.2, 5.0);
    for estimate in &report.comparisons {
        for (level, truth) in estimate.levels.iter().zip(&truth().comparisons[estimate.index].levels).skip(1) {
            let (u, truth) = (level.u.unwrap(), truth.u_probability.unwrap());
            assert!((u - truth).abs() < 5.0 * (truth * (1.0 - truth) / 240_000.0).sqrt() + 1e-4, "{u} {truth}");
        }
    }
}

/// Checks that the objective never falls in any of several settings.
fn check_monotone(model: &LinkageModel, counts: &PatternCounts, options: &EmOptions) {
    let report = estimate_by_expectation_maximisation(model, counts, options).unwrap();
    assert!(report.iterations.len() > 2);
    for pair in report.iterations.windows(2) {
        let slack = 1e-12 * pair[0].objective.abs();
        assert!(pair[1].objective >= pair[0].objective - slack, "{} {}", pair[0].objective, pair[1].objective);
    }
}

#[test]
fn objective_never_falls() {
    let counts = simulated(&truth(), 0.05, 20_000, 11);
    let base = EmOptions { starts: 1, ..long_run() };
    check_monotone(&untrained(), &counts, &base);
    check_monotone(&untrained(), &counts, &EmOptions { smoothing: 0.0, ..base.clone() });
    check_monotone(&untrained(), &counts, &EmOptions { smoothing: 50.0, fix_u: false, ..base.clone() });
    check_monotone(&untrained(), &counts, &EmOptions { order: OrderConstraint::NonIncreasingM, ..base.clone() });
    // Levels whose u rises faster than their m, so that the constraint binds.
    let mut model = untrained();
    model.comparisons[0].levels[1].u_probability = Some(0.3);
    let ordered = EmOptions { order: OrderConstraint::NonIncreasingWeight, smoothing: 0.0, ..base.clone() };
    check_monotone(&model, &counts, &ordered);
    let report = estimate_by_expectation_maximisation(&model, &counts, &ordered).unwrap();
    for estimate in &report.comparisons {
        let ratios: Vec<f64> = estimate.levels[1..].iter().map(|level| level.m.unwrap() / level.u.unwrap()).collect();
        assert!(ratios.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-9)), "{ratios:?}");
        assert!((estimate.levels[1..].iter().map(|level| level.m.unwrap()).sum::<f64>() - 1.0).abs() < 1e-9);
    }
    // Term frequencies: a shift of its own for each group, u freed.
    let mut model = untrained();
    model.comparisons[1].levels[1].term_frequency = Some(TermFrequencyAdjustment {
        column: "surname".to_owned(),
        weight: 1.0,
        minimum_u: 0.0,
        disable_exact_match_detection: false,
    });
    let mut counts = counts;
    let mut random = Random::new(5);
    for group in counts.groups.iter_mut().filter(|group| group.levels[1] == 1) {
        group.term_frequency_bits = 4.0 + 8.0 * random.next_unit();
    }
    check_monotone(&model, &counts, &base);
    check_monotone(&model, &counts, &EmOptions { fix_u: false, ..base });
}

#[test]
fn several_starts_find_the_better_optimum() {
    let counts = simulated(&truth(), 0.1, 50_000, 21);
    let mut model = untrained();
    // A first start at which the classes are the wrong way round.
    for level in model.comparisons.iter_mut().flat_map(|comparison| &mut comparison.levels) {
        level.m_probability = level.u_probability;
    }
    let options = EmOptions { fix_u: false, starting_prior: Some(0.9), ..long_run() };
    let single = EmOptions { starts: 1, ..options.clone() };
    let report = estimate_by_expectation_maximisation(&model, &counts, &single).unwrap();
    assert!(matches!(report.status, EmStatus::Degenerate { .. }) || report.prior > 0.2, "{:?}", report.status);
    let report = estimate_by_expectation_maximisation(&model, &counts, &options).unwrap();
    assert_eq!(report.status, EmStatus::Converged);
    assert!((report.prior - 0.1).abs() < 0.01, "{}", report.prior);
    assert_eq!(report.starts.len(), 8);
}

#[test]
fn status_is_honest() {
    let counts = simulated(&truth(), 0.1, 5_000, 2);
    let capped = EmOptions { max_iterations: Some(3), convergence: Some(1e-9), starts: 1, ..EmOptions::default() };
    let report = estimate_by_expectation_maximisation(&untrained(), &counts, &capped).unwrap();
    assert_eq!((report.status, report.iterations.len()), (EmStatus::StoppedAtCap, 4));
    // No pair agrees on anything: there are no matches to find.
    let nothing = PatternCounts {
        n_levels: counts.n_levels.clone(),
        groups: vec![PatternGroup { levels: vec![3, 3, 3, 2].into(), term_frequency_bits: 0.0, count: 1000.0 }],
    };
    let report = estimate_by_expectation_maximisation(&untrained(), &nothing, &long_run()).unwrap();
    assert!(matches!(report.status, EmStatus::Degenerate { .. }), "{:?}", report.status);
}

#[test]
fn levels_never_observed_are_left_alone() {
    let mut counts = simulated(&truth(), 0.1, 5_000, 2);
    counts.groups.retain(|group| group.levels[0] != 2);
    let mut model = untrained();
    let report = expectation_maximisation(&mut model, &counts, &long_run()).unwrap();
    assert_eq!(report.comparisons[0].levels[2].m_status, LevelStatus::NotObserved);
    assert_eq!(model.comparisons[0].levels[2].m_probability, None);
    assert!(model.comparisons[0].levels[1].m_probability.is_some());
    assert_eq!(model.comparisons[0].levels[0].m_probability, None);
}

#[test]
fn fixed_levels_keep_their_mass() {
    let counts = simulated(&truth(), 0.1, 20_000, 2);
    let mut model = untrained();
    model.comparisons[2].levels[1].m_probability = Some(0.5);
    model.comparisons[2].levels[1].fix_m_probability = true;
    let report = estimate_by_expectation_maximisation(&model, &counts, &long_run()).unwrap();
    let levels = &report.comparisons[2].levels;
    assert_eq!((levels[1].m, levels[1].m_status), (Some(0.5), LevelStatus::Fixed));
    assert!((levels[1..].iter().map(|level| level.m.unwrap()).sum::<f64>() - 1.0).abs() < 1e-12);
    model.comparisons[2].levels[2].m_probability = Some(0.6);
    model.comparisons[2].levels[2].fix_m_probability = true;
    let error = estimate_by_expectation_maximisation(&model, &counts, &long_run()).unwrap_err();
    assert!(matches!(error, TrainingError::FixedProbabilitiesTooLarge { which: "m", .. }));
}

#[test]
fn labels_pull_the_estimate() {
    let counts = simulated(&truth(), 0.1, 2_000, 2);
    let labelled = vec![crate::training::LabelledPattern {
        levels: vec![1, 1, 1, 2].into(),
        clerical_match_score: 1.0,
        count: 1e6,
    }];
    let options = EmOptions { labelled, ..long_run() };
    let report = estimate_by_expectation_maximisation(&untrained(), &counts, &options).unwrap();
    assert!(report.comparisons[3].levels[2].m.unwrap() > 0.99);
    assert!(report.prior < 0.2, "a million labelled matches do not count towards λ: {}", report.prior);
}

#[test]
fn mistakes_are_named() {
    let counts = simulated(&truth(), 0.1, 100, 2);
    let model = untrained();
    let check = |options: EmOptions, message: &str| {
        let error = estimate_by_expectation_maximisation(&model, &counts, &options).unwrap_err();
        assert_eq!(error.to_string(), message);
    };
    check(
        EmOptions { active: vec![false; 4], rule: Some("l.a = r.a".to_owned()), ..EmOptions::default() },
        "Training rule `l.a = r.a` uses columns of every comparison, so it leaves nothing to estimate: \
         forename, surname, birth_date, town",
    );
    check(EmOptions { active: vec![true], ..EmOptions::default() }, "There are 1 switches for 4 comparisons");
    check(EmOptions { fix_m: true, ..EmOptions::default() }, "Both m and u are fixed, so there is nothing to estimate");
    check(
        EmOptions { starting_prior: Some(0.0), ..EmOptions::default() },
        "The starting prior must be between 0 and 1: 0",
    );
}

#[test]
fn pooling_counts_by_evidence() {
    let model = untrained();
    let active = [vec![false, true, true, true], vec![true, false, true, true]];
    let reports: Vec<EmReport> = active
        .iter()
        .zip([40_000, 4_000])
        .map(|(active, n_pairs)| {
            let counts = simulated(&truth(), 0.2, n_pairs, n_pairs as u64);
            let options = EmOptions { active: active.clone(), ..long_run() };
            estimate_by_expectation_maximisation(&model, &counts, &options).unwrap()
        })
        .collect();
    let mut pooled = model.clone();
    crate::training::pool(&mut pooled, &reports, crate::training::Pooling::Evidence);
    for comparison in &pooled.comparisons {
        let sum: f64 = comparison.levels.iter().filter_map(|level| level.m_probability).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    }
    let m = |report: &EmReport| {
        report.comparisons.iter().find(|estimate| estimate.index == 2).unwrap().levels[1].m.unwrap()
    };
    let (large, small) = (m(&reports[0]), m(&reports[1]));
    let of_pooled = pooled.comparisons[2].levels[1].m_probability.unwrap();
    assert!((of_pooled - large).abs() < (of_pooled - small).abs(), "{large} {small} {of_pooled}");
    let mut median = model;
    crate::training::pool(&mut median, &reports, crate::training::Pooling::Median);
    let of_median = median.comparisons[2].levels[1].m_probability.unwrap();
    assert!((of_median - f64::midpoint(large, small)).abs() < 1e-12);
}

#[test]
fn violators_are_pooled() {
    let check = |counts: &[f64], weights: &[f64], expected: &[f64]| {
        let found = in_order(counts, weights);
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12), "{found:?}");
    };
    check(&[3.0, 2.0, 1.0], &[1.0; 3], &[3.0, 2.0, 1.0]);
    check(&[1.0, 3.0, 2.0], &[1.0; 3], &[2.0, 2.0, 2.0]);
    check(&[1.0, 3.0, 1.0], &[1.0; 3], &[2.0, 2.0, 1.0]);
    check(&[1.0, 4.0], &[4.0, 1.0], &[4.0, 1.0]);
}

/// Runs recorded from Splink 5.0.0 on DuckDB over its data set `fake_1000`: blocked on the forename without and with term
/// frequencies, and blocked on the birth date with u freed.
#[test]
fn splink_runs_are_repeated_number_for_number() {
    let runs: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/splink_expectation_maximisation.json")).unwrap();
    for run in runs.as_array().unwrap() {
        check_splink_run(run);
    }
}

fn check_splink_run(run: &serde_json::Value) {
    let (model, _) = LinkageModel::from_splink_json(&run["model"].to_string()).unwrap();
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let counts = PatternCounts {
        n_levels: model.comparisons.iter().map(|comparison| comparison.levels.len()).collect(),
        groups: run["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| PatternGroup {
                levels: group[0].as_array().unwrap().iter().map(|level| level.as_u64().unwrap() as u8).collect(),
                term_frequency_bits: number(&group[1]),
                count: number(&group[2]),
            })
            .collect(),
    };
    let expected = run["iterations"].as_array().unwrap();
    let options = EmOptions {
        active: run["active"].as_array().unwrap().iter().map(|active| active.as_bool().unwrap()).collect(),
        starting_prior: Some(number(&expected[0]["prior"])),
        without_term_frequencies: run["without_term_frequencies"].as_bool().unwrap(),
        fix_u: run["fix_u"].as_bool().unwrap(),
        convergence: Some(number(&run["convergence"])),
        max_iterations: run["max_iterations"].as_u64().map(|cap| cap as u32),
        ..EmOptions::splink()
    };
    let report = estimate_by_expectation_maximisation(&model, &counts, &options).unwrap();
    assert_eq!(report.iterations.len(), expected.len(), "{}", run["name"]);
    for (found, expected) in report.iterations.iter().zip(expected) {
        let close = |found: f64, expected: f64| {
            let place = format!("{} iteration {}: {found} {expected}", run["name"], expected);
            assert!((found - expected).abs() < 1e-9, "{place}");
        };
        close(found.prior, number(&expected["prior"]));
        for (found, expected) in [(&found.m, &expected["m"]), (&found.u, &expected["u"])] {
            let Some(expected) = expected.as_array() else { continue };
            for (found, expected) in found.iter().zip(expected) {
                for (found, expected) in found.iter().zip(expected.as_array().unwrap()) {
                    close(*found, number(expected));
                }
            }
        }
    }
}
