//! Groups of records that belong together, from scored pairs.

mod components;
mod single_best;
mod union_find;

pub use components::{
    ClusterStatistics, ThresholdClusters, cluster_statistics, clusters_at_thresholds, connected_components,
    connected_components_by_id,
};
pub use single_best::{SingleBestOptions, Ties, single_best_links};
pub use union_find::UnionFind;

#[cfg(test)]
mod tests;
