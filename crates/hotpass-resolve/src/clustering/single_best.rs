//! Clusters that hold at most one record of each source without duplicates.

use hashbrown::{HashMap, HashSet};
use rayon::slice::ParallelSliceMut;

use super::UnionFind;

/// What to do with links of equal weight to several records of one duplicate-free source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// Takes the link to the lower row.
    #[default]
    LowestId,
    /// Takes none of them.
    Drop,
}

/// Which links may join, and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SingleBestOptions {
    /// Pairs below this weight are left out.
    pub threshold: Option<f64>,
    /// Sources in which no two records are the same entity.
    pub duplicate_free_sources: Vec<u16>,
    /// Links of equal weight.
    pub ties: Ties,
}

/// Joins clusters that are each other's best link, again and again, while no duplicate-free source would occur twice.
///
/// Gives for each row the smallest row of its cluster. `sources` holds the source of each row; rows beyond its end are of
/// source 0. `pairs` are left row, right row and weight, and are sorted in place.
///
/// A pair that is forbidden stays forbidden as clusters grow, so taking the pairs by falling weight gives the same
/// clusters as repeating mutual best links: when a pair's turn comes, everything better at either end is already joined
/// or forbidden. Pairs of equal weight are taken by their lower, then by their higher row.
pub fn single_best_links(
    n_rows: usize,
    pairs: &mut [(u32, u32, f64)],
    sources: &[u16],
    options: &SingleBestOptions,
) -> Vec<u32> {
    for pair in pairs.iter_mut() {
        *pair = (pair.0.min(pair.1), pair.0.max(pair.1), pair.2);
    }
    pairs
        .par_sort_unstable_by(|left, right| right.2.total_cmp(&left.2).then((left.0, left.1).cmp(&(right.0, right.1))));
    let source_of = |row: u32| sources.get(row as usize).copied().unwrap_or(0);
    let bits: HashMap<u16, usize> = {
        let distinct: HashSet<u16> = options.duplicate_free_sources.iter().copied().collect();
        let mut distinct: Vec<u16> = distinct.into_iter().collect();
        distinct.sort_unstable();
        distinct.into_iter().enumerate().map(|(bit, source)| (source, bit)).collect()
    };
    let n_words = bits.len().div_ceil(64);
    let mut held = vec![0_u64; n_rows * n_words];
    for row in 0..n_rows {
        if let Some(bit) = bits.get(&source_of(row as u32)) {
            held[row * n_words + bit / 64] |= 1 << (bit % 64);
        }
    }
    let mut sets = UnionFind::new(n_rows);
    let is_wanted = |weight: f64| !weight.is_nan() && options.threshold.is_none_or(|threshold| weight >= threshold);
    for of_weight in pairs.chunk_by(|left, right| left.2.to_bits() == right.2.to_bits()) {
        if !is_wanted(of_weight[0].2) {
            continue;
        }
        let ties = match options.ties {
            Ties::LowestId => HashSet::new(),
            Ties::Drop => ties(of_weight, &bits, source_of),
        };
        for (left, right, _) in of_weight {
            if ties.contains(&(*left, source_of(*right))) || ties.contains(&(*right, source_of(*left))) {
                continue;
            }
            let (left, right) = (sets.find(*left), sets.find(*right));
            let (left_word, right_word) = (left as usize * n_words, right as usize * n_words);
            if (0..n_words).any(|word| held[left_word + word] & held[right_word + word] != 0) {
                continue;
            }
            if let Some((low, high)) = sets.join(left, right) {
                for word in 0..n_words {
                    held[low as usize * n_words + word] |= held[high as usize * n_words + word];
                }
            }
        }
    }
    sets.labels()
}

/// Finds rows that several rows of one duplicate-free source are linked to, among pairs of one weight.
fn ties(
    pairs: &[(u32, u32, f64)],
    duplicate_free: &HashMap<u16, usize>,
    source_of: impl Fn(u32) -> u16,
) -> HashSet<(u32, u16)> {
    let mut partner: HashMap<(u32, u16), u32> = HashMap::new();
    let mut ties = HashSet::new();
    for (left, right, _) in pairs {
        for (row, other) in [(*left, *right), (*right, *left)] {
            let key = (row, source_of(other));
            if duplicate_free.contains_key(&key.1) && *partner.entry(key).or_insert(other) != other {
                ties.insert(key);
            }
        }
    }
    ties
}
