//! How many pairs agree on a value, from value counts alone.

use crate::model::LinkType;

/// Pairs that agree on a value, among the pairs in which neither side is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// Pairs with the same value.
    pub agreeing: u128,
    /// Pairs with a value on both sides.
    pub non_null: u128,
}

impl Agreement {
    /// Gives the share of agreeing pairs; nothing if there are no pairs.
    pub fn share(&self) -> Option<f64> {
        (self.non_null > 0).then(|| self.agreeing as f64 / self.non_null as f64)
    }
}

/// Counts the pairs that agree on a value exactly, without building pairs.
///
/// `counts_by_source[s][v]` is the number of records of source `s` with value `v`; the same value has the same index in
/// every source, and records without a value are left out. Within one set of records `Σ_v c_v (c_v − 1) / 2` of
/// `n (n − 1) / 2` pairs agree; between sources `Σ_v a_v b_v` of `n_a n_b`, for every two sources.
pub fn agreement(link_type: LinkType, counts_by_source: &[&[u64]]) -> Agreement {
    let n_values = counts_by_source.iter().map(|counts| counts.len()).max().unwrap_or(0);
    let mut agreement = Agreement { agreeing: 0, non_null: 0 };
    for value in 0..n_values {
        let counts = counts_by_source.iter().map(|counts| counts.get(value).copied().unwrap_or(0));
        agreement.agreeing += pairs_among(link_type, counts);
    }
    let totals = counts_by_source.iter().map(|counts| counts.iter().sum());
    agreement.non_null = pairs_among(link_type, totals);
    agreement
}

/// Counts the pairs that a link type allows among records of several sources.
///
/// `n(n − 1)/2` of all records for [`LinkType::DedupeOnly`] and [`LinkType::LinkAndDedupe`], `((Σn)² − Σn²)/2` for
/// [`LinkType::LinkOnly`].
pub fn possible_pairs(link_type: LinkType, records_by_source: &[u64]) -> u128 {
    pairs_among(link_type, records_by_source.iter().copied())
}

fn pairs_among(link_type: LinkType, counts: impl Iterator<Item = u64>) -> u128 {
    let (mut sum, mut squares) = (0_u128, 0_u128);
    for count in counts.map(u128::from) {
        sum += count;
        squares += count * count;
    }
    match link_type {
        LinkType::LinkOnly => (sum * sum - squares) / 2,
        LinkType::DedupeOnly | LinkType::LinkAndDedupe => sum * sum.saturating_sub(1) / 2,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn brute_force(link_type: LinkType, records: &[(usize, Option<usize>)]) -> Agreement {
        let mut agreement = Agreement { agreeing: 0, non_null: 0 };
        for (index, left) in records.iter().enumerate() {
            for right in &records[index + 1..] {
                if link_type == LinkType::LinkOnly && left.0 == right.0 {
                    continue;
                }
                if let (Some(left), Some(right)) = (left.1, right.1) {
                    agreement.non_null += 1;
                    agreement.agreeing += u128::from(left == right);
                }
            }
        }
        agreement
    }

    proptest! {
        #[test]
        fn counts_equal_brute_force(records in prop::collection::vec((0..3_usize, prop::option::of(0..4_usize)), 0..20)) {
            let mut counts = vec![vec![0_u64; 4]; 3];
            for (source, value) in &records {
                if let Some(value) = value {
                    counts[*source][*value] += 1;
                }
            }
            let slices: Vec<&[u64]> = counts.iter().map(Vec::as_slice).collect();
            for link_type in [LinkType::DedupeOnly, LinkType::LinkOnly, LinkType::LinkAndDedupe] {
                prop_assert_eq!(agreement(link_type, &slices), brute_force(link_type, &records));
            }
        }
    }
}
