//! Connected components, at one threshold or at many.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use rayon::slice::ParallelSliceMut;

use super::UnionFind;

/// Sizes of the clusters at one threshold.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ClusterStatistics {
    /// Number of records.
    pub n_records: u64,
    /// Number of clusters, singletons included.
    pub n_clusters: u64,
    /// Number of clusters of one record.
    pub n_singletons: u64,
    /// Number of records in the largest cluster.
    pub largest_cluster: u64,
    /// Mean number of records in a cluster; 0 without records.
    pub mean_size: f64,
    /// Number of pairs of records in the same cluster.
    pub n_pairs: u64,
    /// Number of clusters by number of records.
    pub sizes: BTreeMap<u64, u64>,
}

/// The clusters at one threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdClusters {
    /// Pairs of at least this weight are joined.
    pub threshold: f64,
    /// For each record the smallest row of its cluster; empty if labels were not asked for.
    pub labels: Vec<u32>,
    /// The sizes.
    pub statistics: ClusterStatistics,
}

/// Gives for each of `n_rows` rows the smallest row it is connected to.
///
/// `pairs` are the edges, in any order and number; pairs of a row with itself change nothing. Takes 4 bytes per row.
pub fn connected_components(n_rows: usize, pairs: impl IntoIterator<Item = (u32, u32)>) -> Vec<u32> {
    let mut sets = UnionFind::new(n_rows);
    for (left, right) in pairs {
        sets.join(left, right);
    }
    sets.labels()
}

/// Gives for each node the smallest id it is connected to, ids compared as text.
///
/// Ids of edges that are not among the nodes are nodes too, and come after the others in order of appearance.
pub fn connected_components_by_id<'a>(
    nodes: impl IntoIterator<Item = &'a str>,
    edges: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<(&'a str, &'a str)> {
    let mut ids: Vec<&str> = Vec::new();
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut number = |id: &'a str, ids: &mut Vec<&'a str>| {
        *numbers.entry(id).or_insert_with(|| {
            ids.push(id);
            ids.len() as u32 - 1
        })
    };
    nodes.into_iter().for_each(|id| {
        number(id, &mut ids);
    });
    let edges: Vec<(u32, u32)> =
        edges.into_iter().map(|(left, right)| (number(left, &mut ids), number(right, &mut ids))).collect();
    let mut order: Vec<u32> = (0..ids.len() as u32).collect();
    order.sort_unstable_by_key(|number| ids[*number as usize]);
    let mut rank = vec![0_u32; ids.len()];
    order.iter().enumerate().for_each(|(position, number)| rank[*number as usize] = position as u32);
    let labels = connected_components(
        ids.len(),
        edges.into_iter().map(|(left, right)| (rank[left as usize], rank[right as usize])),
    );
    ids.iter()
        .enumerate()
        .map(|(number, id)| (*id, ids[order[labels[rank[number] as usize] as usize] as usize]))
        .collect()
}

/// Clusters the rows at many thresholds with one sort and one pass over the pairs.
///
/// `pairs` are left row, right row and weight; they are sorted in place by falling weight. The result is in the order of
/// falling thresholds, repeated thresholds once. Statistics are kept up to date as sets join, so a threshold without
/// labels costs no pass over the rows. Pairs whose weight is not a number are left out.
pub fn clusters_at_thresholds(
    n_rows: usize,
    pairs: &mut [(u32, u32, f64)],
    thresholds: &[f64],
    with_labels: bool,
) -> Vec<ThresholdClusters> {
    pairs
        .par_sort_unstable_by(|left, right| right.2.total_cmp(&left.2).then((left.0, left.1).cmp(&(right.0, right.1))));
    let mut thresholds = thresholds.to_vec();
    thresholds.sort_unstable_by(|left, right| right.total_cmp(left));
    thresholds.dedup();
    let mut sizes = Sizes::new(n_rows);
    let mut sets = UnionFind::new(n_rows);
    let mut pairs = pairs.iter().filter(|(_, _, weight)| !weight.is_nan()).peekable();
    thresholds
        .into_iter()
        .map(|threshold| {
            while let Some((left, right, _)) = pairs.next_if(|(_, _, weight)| *weight >= threshold) {
                if let Some((low, high)) = sets.join(*left, *right) {
                    sizes.join(low, high);
                }
            }
            let labels = if with_labels { sets.labels() } else { Vec::new() };
            ThresholdClusters { threshold, labels, statistics: sizes.statistics() }
        })
        .collect()
}

/// Gives the sizes of clusters from a label per record; any numbers may be labels.
pub fn cluster_statistics(labels: &[u32]) -> ClusterStatistics {
    let mut by_label: HashMap<u32, u64> = HashMap::new();
    for label in labels {
        *by_label.entry(*label).or_default() += 1;
    }
    let mut histogram = BTreeMap::new();
    for size in by_label.values() {
        *histogram.entry(*size).or_default() += 1;
    }
    statistics(labels.len() as u64, histogram)
}

/// Sizes of sets while they join.
struct Sizes {
    of_root: Vec<u32>,
    histogram: BTreeMap<u64, u64>,
}

impl Sizes {
    fn new(n_rows: usize) -> Self {
        let histogram = if n_rows == 0 { BTreeMap::new() } else { BTreeMap::from([(1, n_rows as u64)]) };
        Self { of_root: vec![1; n_rows], histogram }
    }

    fn join(&mut self, low: u32, high: u32) {
        let (kept, gone) = (self.of_root[low as usize], self.of_root[high as usize]);
        self.of_root[low as usize] = kept + gone;
        for size in [kept, gone] {
            if let Some(count) = self.histogram.get_mut(&u64::from(size)) {
                *count -= 1;
                if *count == 0 {
                    self.histogram.remove(&u64::from(size));
                }
            }
        }
        *self.histogram.entry(u64::from(kept) + u64::from(gone)).or_default() += 1;
    }

    fn statistics(&self) -> ClusterStatistics {
        statistics(self.of_root.len() as u64, self.histogram.clone())
    }
}

fn statistics(n_records: u64, sizes: BTreeMap<u64, u64>) -> ClusterStatistics {
    let n_clusters: u64 = sizes.values().sum();
    ClusterStatistics {
        n_records,
        n_clusters,
        n_singletons: sizes.get(&1).copied().unwrap_or(0),
        largest_cluster: sizes.last_key_value().map_or(0, |(size, _)| *size),
        mean_size: if n_clusters == 0 { 0.0 } else { n_records as f64 / n_clusters as f64 },
        n_pairs: sizes.iter().map(|(size, count)| size * (size - 1) / 2 * count).sum(),
        sizes,
    }
}
