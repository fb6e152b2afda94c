use proptest::prelude::*;

use super::*;
use crate::clustering::connected_components;

/// Counts every pair of records by definition.
fn brute_force(
    population: Population<'_>,
    n_records: usize,
    truth: impl Fn(usize, usize) -> Option<bool>,
    predicted: impl Fn(usize, usize) -> bool,
) -> Confusion {
    let mut counts = Confusion::default();
    for left in 0..n_records {
        for right in left + 1..n_records {
            let Some(is_true) = truth(left, right) else { continue };
            if population.link_type == LinkType::LinkOnly && population.sources[left] == population.sources[right] {
                continue;
            }
            match (predicted(left, right), is_true) {
                (true, true) => counts.true_positives += 1,
                (true, false) => counts.false_positives += 1,
                (false, true) => counts.false_negatives += 1,
                (false, false) => counts.true_negatives += 1,
            }
        }
    }
    counts
}

fn same_label(labels: &[u32], left: usize, right: usize) -> Option<bool> {
    (labels[left] != UNLABELLED && labels[right] != UNLABELLED).then(|| labels[left] == labels[right])
}

fn labels() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(prop_oneof![9 => 0..5_u32, 1 => Just(UNLABELLED)], 12)
}

fn link_types() -> impl Strategy<Value = LinkType> {
    prop_oneof![Just(LinkType::DedupeOnly), Just(LinkType::LinkOnly), Just(LinkType::LinkAndDedupe)]
}

fn scored() -> impl Strategy<Value = Vec<(u32, u32, f64)>> {
    prop::collection::btree_map((0..12_u32, 0..12_u32), 0..5_i32, 0..30).prop_map(|pairs| {
        pairs.into_iter().filter(|((l, r), _)| l < r).map(|((l, r), w)| (l, r, f64::from(w))).collect()
    })
}

fn close(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() < 1e-9)
}

proptest! {
    #[test]
    fn clusters_equal_brute_force(
        clusters in prop::collection::vec(0..5_u32, 12),
        truth in labels(),
        sources in prop::collection::vec(0..3_u16, 12),
        link_type in link_types(),
    ) {
        let population = Population { link_type, sources: &sources };
        let found = evaluate_clusters(&clusters, &truth, population, None);
        let expected = brute_force(
            population,
            12,
            |left, right| same_label(&truth, left, right),
            |left, right| clusters[left] == clusters[right],
        );
        prop_assert_eq!(found.pairwise.counts, expected);
        let known: Vec<usize> = (0..12).filter(|row| truth[*row] != UNLABELLED).collect();
        if known.is_empty() {
            return Ok(());
        }
        let together = |row: usize, labels: &[u32]| -> std::collections::BTreeSet<usize> {
            known.iter().copied().filter(|other| labels[*other] == labels[row]).collect()
        };
        let (mut precision, mut recall, mut information) = (0.0, 0.0, 0.0);
        let mut exact = std::collections::BTreeSet::new();
        for row in &known {
            let (cluster, entity) = (together(*row, &clusters), together(*row, &truth));
            let both = cluster.intersection(&entity).count() as f64;
            precision += both / cluster.len() as f64;
            recall += both / entity.len() as f64;
            information -= (both / cluster.len() as f64).log2() + (both / entity.len() as f64).log2();
            if cluster == entity {
                exact.insert(clusters[*row]);
            }
        }
        let n_known = known.len() as f64;
        prop_assert!(close(found.b_cubed.precision, precision / n_known));
        prop_assert!(close(found.b_cubed.recall, recall / n_known));
        prop_assert!(close(Some(found.variation_of_information.total), information / n_known));
        prop_assert_eq!(found.clusters.exact, exact.len() as u64);
    }

    #[test]
    fn pairs_equal_brute_force_at_each_threshold(
        pairs in scored(),
        truth in labels(),
        sources in prop::collection::vec(0..3_u16, 12),
        link_type in link_types(),
    ) {
        let population = Population { link_type, sources: &sources };
        let options = PairEvaluationOptions {
            grid: ThresholdGrid::Given(vec![0.0, 2.0, 4.5]),
            threshold: Some(2.0),
            ..PairEvaluationOptions::default()
        };
        let mut sorted = pairs.clone();
        let found = evaluate_pairs(&mut sorted, Truth::Labels(&truth), population, &options);
        for at in &found.thresholds {
            let expected = brute_force(
                population,
                12,
                |left, right| same_label(&truth, left, right),
                |left, right| pairs.iter().any(|pair| {
                    (pair.0 as usize, pair.1 as usize) == (left, right) && pair.2 >= at.threshold
                }),
            );
            prop_assert_eq!(at.measures.counts, expected);
        }
        prop_assert_eq!(found.at_threshold, Some(found.thresholds[1]));
        // True pairs as a list say the same as labels when every record has one.
        if truth.iter().all(|label| *label != UNLABELLED) {
            let list: Vec<(u32, u32)> = (0..12_u32)
                .flat_map(|left| (left + 1..12).map(move |right| (right, left)))
                .filter(|(left, right)| truth[*left as usize] == truth[*right as usize])
                .collect();
            let by_list =
                evaluate_pairs(&mut sorted, Truth::Pairs { n_records: 12, pairs: &list }, population, &options);
            prop_assert_eq!(by_list, found);
        }
    }
}

#[test]
fn blocking_misses_are_counted() {
    let mut pairs = vec![(0, 1, 5.0), (2, 3, 1.0), (0, 4, 0.5)];
    let truth = [0, 0, 1, 1, 0];
    let options = PairEvaluationOptions { grid: ThresholdGrid::All, ..PairEvaluationOptions::default() };
    let found = evaluate_pairs(&mut pairs, Truth::Labels(&truth), Population::default(), &options);
    assert_eq!(found.blocking, BlockingMisses { true_pairs: 4, proposed: 3, missed: 1 });
    assert_eq!(found.thresholds.iter().map(|at| at.threshold).collect::<Vec<_>>(), [5.0, 1.0, 0.5]);
    assert!((found.best_f1.unwrap().threshold - 0.5).abs() < 1e-12);
    let options = PairEvaluationOptions { true_candidates: Some(4), ..options };
    let found = evaluate_pairs(&mut pairs, Truth::Labels(&truth), Population::default(), &options);
    assert_eq!(found.blocking.missed, 0);
}

#[test]
fn judged_pairs_count_alone() {
    let judged = match_judged_pairs(&[(1, 0, 1.0), (2, 3, 0.2), (4, 5, 0.9)], &[(0, 1, 3.0), (2, 3, 4.0), (7, 8, 9.0)]);
    let options = PairEvaluationOptions {
        grid: ThresholdGrid::All,
        threshold: Some(3.5),
        bootstrap: Some(BootstrapOptions::default()),
        ..PairEvaluationOptions::default()
    };
    let found = evaluate_judged_pairs(&judged, &options);
    assert_eq!(found.blocking, BlockingMisses { true_pairs: 2, proposed: 1, missed: 1 });
    let counts = |at: &ThresholdMeasures| {
        let counts = at.measures.counts;
        [counts.true_positives, counts.false_positives, counts.false_negatives, counts.true_negatives]
    };
    assert_eq!(found.thresholds.iter().map(counts).collect::<Vec<_>>(), [[0, 1, 2, 0], [1, 1, 1, 0]]);
    assert_eq!(found.intervals.unwrap().recall, Some(Interval { low: 0.0, high: 0.0 }));
}

/// Entities of two records of which one in five is split, one in ten merged with the next one.
fn imperfect(n_entities: u32) -> (Vec<u32>, Vec<u32>) {
    let truth: Vec<u32> = (0..2 * n_entities).map(|row| row / 2).collect();
    let edges = (0..n_entities).flat_map(|entity| {
        let own = (entity % 5 != 0).then_some((2 * entity, 2 * entity + 1));
        let wrong = (entity % 10 == 3).then_some((2 * entity, 2 * entity + 2));
        own.into_iter().chain(wrong)
    });
    (connected_components(truth.len(), edges), truth)
}

#[test]
fn intervals_hold_the_measure_and_repeat() {
    let (clusters, truth) = imperfect(2000);
    let options = BootstrapOptions { replicates: 400, ..BootstrapOptions::default() };
    let found = evaluate_clusters(&clusters, &truth, Population::default(), Some(&options));
    let again = evaluate_clusters(&clusters, &truth, Population::default(), Some(&options));
    assert_eq!(found, again);
    let intervals = found.intervals.unwrap();
    let check = |interval: Option<Interval>, value: Option<f64>, widest: f64| {
        let (interval, value) = (interval.unwrap(), value.unwrap());
        assert!(interval.low < value && value < interval.high, "{value} {interval:?}");
        assert!(interval.high - interval.low < widest, "{interval:?}");
    };
    check(intervals.pairwise_precision, found.pairwise.precision, 0.1);
    check(intervals.pairwise_recall, found.pairwise.recall, 0.05);
    check(intervals.pairwise_f1, found.pairwise.f1, 0.1);
    check(intervals.b_cubed_f1, found.b_cubed.f1, 0.05);
    check(intervals.cluster_precision, found.clusters.scores.precision, 0.05);
    check(intervals.cluster_recall, found.clusters.scores.recall, 0.05);
    check(intervals.variation_of_information, Some(found.variation_of_information.total), 0.1);
    // The interval of recall is that of a share of entities, all of one pair.
    let error = (0.2_f64 * 0.8 / 2000.0).sqrt();
    let interval = intervals.pairwise_recall.unwrap();
    assert!(((interval.high - interval.low) / (2.0 * 1.96 * error) - 1.0).abs() < 0.15, "{interval:?}");
    let mut pairs: Vec<(u32, u32, f64)> =
        (0..2000_u32).filter(|entity| entity % 5 != 0).map(|entity| (2 * entity, 2 * entity + 1, 7.0)).collect();
    let of_pairs =
        PairEvaluationOptions { threshold: Some(5.0), bootstrap: Some(options), ..PairEvaluationOptions::default() };
    let found = evaluate_pairs(&mut pairs, Truth::Labels(&truth), Population::default(), &of_pairs);
    check(found.intervals.unwrap().recall, Some(0.8), 0.05);
}

#[test]
fn thresholds_are_evaluated_one_by_one() {
    let mut pairs = vec![(0, 1, 9.0), (1, 2, 5.0), (3, 4, 1.0)];
    let truth = [0, 0, 0, 1, 2];
    let found = evaluate_clusters_at_thresholds(&mut pairs, &[0.0, 4.0, 8.0], &truth, Population::default());
    let f1: Vec<f64> = found.iter().map(|at| at.evaluation.pairwise.f1.unwrap()).collect();
    assert!((f1[0] - 0.5).abs() < 1e-12 && (f1[1] - 1.0).abs() < 1e-12 && (f1[2] - 6.0 / 7.0).abs() < 1e-12, "{f1:?}");
    assert_eq!(found[1].statistics.n_clusters, 3);
}

#[test]
fn empty_truth_gives_no_measures() {
    let found = evaluate_clusters(&[0, 1], &[UNLABELLED; 2], Population::default(), Some(&BootstrapOptions::default()));
    assert_eq!((found.n_records, found.pairwise.f1, found.b_cubed.f1), (0, None, None));
    let found = evaluate_pairs(&mut [], Truth::Labels(&[]), Population::default(), &PairEvaluationOptions::default());
    assert_eq!((found.n_pairs, found.best_f1), (0, None));
}
