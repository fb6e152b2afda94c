use proptest::prelude::*;

use super::*;

/// Labels by spreading the smaller label along pairs until nothing changes.
fn spread(n_rows: usize, pairs: &[(u32, u32)]) -> Vec<u32> {
    let mut labels: Vec<u32> = (0..n_rows as u32).collect();
    loop {
        let before = labels.clone();
        for (left, right) in pairs {
            let low = labels[*left as usize].min(labels[*right as usize]);
            labels[*left as usize] = low;
            labels[*right as usize] = low;
        }
        if labels == before {
            return labels;
        }
    }
}

/// Repeats mutual best links between whole clusters, by the definition.
fn repeated_mutual_best(n_rows: usize, pairs: &[(u32, u32, f64)], sources: &[u16], duplicate_free: &[u16]) -> Vec<u32> {
    let mut labels: Vec<u32> = (0..n_rows as u32).collect();
    loop {
        let members = |cluster: u32, labels: &[u32]| -> Vec<u16> {
            (0..n_rows).filter(|row| labels[*row] == cluster).map(|row| sources[row]).collect()
        };
        let allowed = |left: u32, right: u32| {
            let (left, right) = (members(left, &labels), members(right, &labels));
            !duplicate_free.iter().any(|source| left.contains(source) && right.contains(source))
        };
        let best = |cluster: u32| {
            let mut own: Vec<(u32, u32, f64)> = pairs
                .iter()
                .map(|pair| (pair.0.min(pair.1), pair.0.max(pair.1), pair.2))
                .filter(|(left, right, _)| {
                    let (left, right) = (labels[*left as usize], labels[*right as usize]);
                    left != right && (left == cluster || right == cluster) && allowed(left, right)
                })
                .collect();
            own.sort_by(|left, right| right.2.total_cmp(&left.2).then((left.0, left.1).cmp(&(right.0, right.1))));
            own.first().copied()
        };
        let joined = (0..n_rows as u32).find_map(|cluster| {
            let (left, right, _) = best(cluster)?;
            let (left, right) = (labels[left as usize], labels[right as usize]);
            let other = if left == cluster { right } else { left };
            (best(other) == best(cluster)).then_some((cluster.min(other), cluster.max(other)))
        });
        let Some((low, high)) = joined else { return labels };
        labels.iter_mut().filter(|label| **label == high).for_each(|label| *label = low);
    }
}

fn pairs(n_rows: u32) -> impl Strategy<Value = Vec<(u32, u32, f64)>> {
    prop::collection::vec((0..n_rows, 0..n_rows, (0..6_i32).prop_map(f64::from)), 0..30)
        .prop_map(|pairs| pairs.into_iter().filter(|pair| pair.0 != pair.1).collect())
}

proptest! {
    #[test]
    fn components_equal_spreading(pairs in pairs(15)) {
        let edges: Vec<(u32, u32)> = pairs.iter().map(|(left, right, _)| (*left, *right)).collect();
        prop_assert_eq!(connected_components(15, edges.iter().copied()), spread(15, &edges));
    }

    #[test]
    fn each_threshold_equals_its_own_run(pairs in pairs(12)) {
        let mut sorted = pairs.clone();
        for at in clusters_at_thresholds(12, &mut sorted, &[0.0, 2.0, 5.0, 2.0, 9.0], true) {
            let kept: Vec<(u32, u32)> =
                pairs.iter().filter(|pair| pair.2 >= at.threshold).map(|pair| (pair.0, pair.1)).collect();
            prop_assert_eq!(&at.labels, &spread(12, &kept));
            prop_assert_eq!(&at.statistics, &cluster_statistics(&at.labels));
        }
    }

    #[test]
    fn single_best_equals_repeated_mutual_best(pairs in pairs(10), sources in prop::collection::vec(0..4_u16, 10)) {
        let duplicate_free = [0, 1, 2];
        let expected = repeated_mutual_best(10, &pairs, &sources, &duplicate_free);
        let options =
            SingleBestOptions { duplicate_free_sources: duplicate_free.to_vec(), ..SingleBestOptions::default() };
        let mut sorted = pairs;
        let labels = single_best_links(10, &mut sorted, &sources, &options);
        prop_assert_eq!(&labels, &expected);
        for source in duplicate_free {
            let of_source: Vec<u32> = (0..10).filter(|row| sources[*row] == source).map(|row| labels[row]).collect();
            let distinct: std::collections::BTreeSet<u32> = of_source.iter().copied().collect();
            prop_assert_eq!(of_source.len(), distinct.len());
        }
    }
}

#[test]
fn ties_take_the_lowest_or_none() {
    let check = |ties: Ties, expected: &[u32]| {
        let mut pairs = vec![(0, 1, 5.0), (0, 2, 5.0), (0, 3, 4.0)];
        let options = SingleBestOptions { threshold: Some(4.0), duplicate_free_sources: vec![0, 1, 2], ties };
        assert_eq!(single_best_links(4, &mut pairs, &[0, 1, 1, 2], &options), expected);
    };
    check(Ties::LowestId, &[0, 0, 2, 0]);
    check(Ties::Drop, &[0, 1, 2, 0]);
}

#[test]
fn text_ids_take_the_smallest() {
    let clusters = connected_components_by_id(["b", "a", "c"], [("c", "b"), ("z", "y")]);
    assert_eq!(clusters, [("b", "b"), ("a", "a"), ("c", "b"), ("z", "y"), ("y", "y")]);
}

#[test]
fn nothing_gives_nothing() {
    assert_eq!(connected_components(0, []), Vec::<u32>::new());
    let clusters = clusters_at_thresholds(0, &mut [], &[1.0], true);
    assert_eq!((clusters[0].statistics.n_clusters, clusters[0].statistics.largest_cluster), (0, 0));
}
