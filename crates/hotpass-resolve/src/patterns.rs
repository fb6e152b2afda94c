//! Candidate pairs summarised by agreement pattern.

/// How many pairs have which levels, and which term-frequency evidence.
///
/// Only comparisons that take part in training may contribute term-frequency evidence; a comparison that is switched off
/// contributes none, whatever its level. With u fixed, a pair's posterior depends on its levels and on one number, so
/// training runs on these groups, not on pairs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PatternCounts {
    /// For each comparison of the model its number of levels, null level included.
    pub n_levels: Vec<usize>,
    /// The groups, sorted by levels and then by shift; no two are equal in both.
    pub groups: Vec<PatternGroup>,
}

/// Pairs with the same levels and the same term-frequency evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternGroup {
    /// For each comparison the index of the pair's level in `Comparison::levels`.
    pub levels: Box<[u8]>,
    /// `Σ_c -w_c · log2(max(tf_l, tf_r, minimum_u))` in bits over the comparisons whose level is adjusted. The match weight's shift is
    /// this plus `Σ_c w_c · log2(u_exact_c)` over the same comparisons; 0 if no level is adjusted.
    pub term_frequency_bits: f64,
    /// Number of pairs; a fraction when pairs carry weights.
    pub count: f64,
}

impl PatternCounts {
    /// Gives the number of pairs.
    pub fn n_pairs(&self) -> f64 {
        self.groups.iter().map(|group| group.count).sum()
    }
}
