//! How good pairs or clusters are, measured against a truth.
//!
//! A truth is a label per record (records of one entity share it), a list of true pairs, or pairs that a person judged.
//! Records without a label say nothing, and neither do pairs with them. Pairs of a link type that the truth could not hold
//! (two records of one source when only linking) are left out on both sides.

mod bootstrap;
mod clusters;
mod measures;
mod pairs;

pub use bootstrap::{BootstrapOptions, Interval};
pub use clusters::{
    ClusterEvaluation, ClusterIntervals, ExactClusters, Scores, ThresholdClusterEvaluation, VariationOfInformation,
    evaluate_clusters, evaluate_clusters_at_thresholds,
};
pub use measures::{Confusion, PairMeasures};
pub use pairs::{
    BlockingMisses, JudgedPair, PairEvaluation, PairEvaluationOptions, PairIntervals, ThresholdGrid, ThresholdMeasures,
    Truth, evaluate_judged_pairs, evaluate_pairs, match_judged_pairs,
};

use crate::model::LinkType;

/// The label of a record whose entity is not known.
pub const UNLABELLED: u32 = u32::MAX;

/// Where the records come from, and which pairs of them count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Population<'a> {
    /// How records may pair up.
    pub link_type: LinkType,
    /// The source of each record; empty if there is but one.
    pub sources: &'a [u16],
}

impl Population<'_> {
    fn source(&self, row: usize) -> u16 {
        self.sources.get(row).copied().unwrap_or(0)
    }

    fn is_possible(&self, left: u32, right: u32) -> bool {
        left != right
            && (self.link_type != LinkType::LinkOnly || self.source(left as usize) != self.source(right as usize))
    }

    /// Counts the possible pairs within each group of a sorted list of (group, source).
    fn pairs_within<G: PartialEq>(&self, sorted: &[(G, u16)]) -> u64 {
        sorted.chunk_by(|left, right| left.0 == right.0).map(|group| self.pairs_of_group(group)).sum()
    }

    /// Counts the possible pairs of one group, its members sorted by source.
    fn pairs_of_group<G>(&self, group: &[(G, u16)]) -> u64 {
        let size = group.len() as u64;
        let all = size * (size - 1) / 2;
        if self.link_type != LinkType::LinkOnly {
            return all;
        }
        let within = group.chunk_by(|left, right| left.1 == right.1).map(|same| {
            let size = same.len() as u64;
            size * (size - 1) / 2
        });
        all - within.sum::<u64>()
    }
}

#[cfg(test)]
mod tests;
