//! Jaro and Jaro–Winkler similarity, bit-parallel.
//!
//! Two characters match if they are equal and no further apart than half the longer text; each character matches once, the
//! first free one in the window. With the places of each character of one text as bits, the first free one is the lowest bit.
//! Within one character the window makes the matching monotone, so it is the same from either side.

use super::group::{Group, LANES};
use super::pattern::{Pattern, WORD};

/// Lengths that the table of needed matches knows.
const LENGTHS: usize = WORD + 1;
/// Prefix lengths 0 to 4.
const PREFIXES: usize = 5;
/// In the table of needed matches: no number of matches is enough.
const IMPOSSIBLE: u8 = u8::MAX;

/// Which of the two similarities, in whose arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Jaro.
    Jaro,
    /// Jaro–Winkler with a rounding after each operation.
    Winkler,
    /// Jaro–Winkler with the last product and sum rounded once, as DuckDB computes it.
    WinklerFused,
}

impl Form {
    /// Gives the similarity from its counts, in the order of operations of the plain form; the lengths are not 0.
    #[inline(always)]
    pub(super) fn similarity(self, left: usize, right: usize, matches: usize, swapped: usize, prefix: usize) -> f64 {
        if matches == 0 {
            return 0.0;
        }
        let count = matches as f64;
        let jaro = ((count / left as f64) + (count / right as f64) + ((matches - swapped / 2) as f64 / count)) / 3.0;
        match self {
            Self::Winkler if jaro > 0.7 => jaro + 0.1 * prefix as f64 * (1.0 - jaro),
            Self::WinklerFused if jaro > 0.7 => (0.1 * prefix as f64).mul_add(1.0 - jaro, jaro),
            _ => jaro,
        }
    }
}

/// The least number of matches that lets a pair fulfil a threshold, by lengths and prefix, for texts of at most a word.
///
/// Matches without swaps give the largest similarity, which grows with their number: fewer than this fulfil nothing.
#[derive(Clone)]
pub(super) struct NeededMatches(Box<[u8]>);

impl std::fmt::Debug for NeededMatches {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("NeededMatches")
    }
}

impl NeededMatches {
    /// Computes the table for the weakest threshold.
    pub(super) fn new(form: Form, holds: impl Fn(f64) -> bool) -> Self {
        let mut needed = Vec::with_capacity(LENGTHS * LENGTHS * PREFIXES);
        for left in 0..LENGTHS {
            for right in 0..LENGTHS {
                let most = left.min(right);
                for prefix in 0..PREFIXES {
                    let (mut low, mut high) = (0, most + 1);
                    while low < high {
                        let middle = usize::midpoint(low, high);
                        let enough = holds(form.similarity(left, right, middle, 0, prefix));
                        if enough { high = middle } else { low = middle + 1 }
                    }
                    needed.push(if low > most { IMPOSSIBLE } else { low as u8 });
                }
            }
        }
        Self(needed.into_boxed_slice())
    }

    /// Gives the needed matches of a left length, or `None` beyond a word.
    #[inline(always)]
    pub(super) fn row(&self, left: usize) -> Option<&[u8; LENGTHS * PREFIXES]> {
        let start = left * LENGTHS * PREFIXES;
        if left > WORD { None } else { self.0.get(start..start + LENGTHS * PREFIXES)?.try_into().ok() }
    }
}

/// Gives the needed matches from a row of [`NeededMatches`]; 0 beyond a word, where nothing is known.
#[inline(always)]
pub(super) fn needed(row: &[u8; LENGTHS * PREFIXES], right: usize, prefix: usize) -> usize {
    row.get(right * PREFIXES + prefix).map_or(0, |&needed| usize::from(needed))
}

/// Counts the matches and, if there are at least `needed`, the matched characters out of order (twice the transpositions).
#[inline(always)]
pub(super) fn matches(pattern: &Pattern<'_>, right: &[u8], needed: usize) -> Option<(usize, usize)> {
    let left = pattern.units().len();
    if left > WORD || right.len() > WORD {
        return Some(long_matches(pattern, right));
    }
    let reach = (left.max(right.len()) / 2).saturating_sub(1);
    // Bit `i` of the window: left character `i` is in reach of the right character at hand.
    let mut window = (2_u64 << reach) - 1;
    let (mut free, mut matched_right, mut highest, mut ordered) = (!0_u64, 0_u64, 0_u64, true);
    for (place, &unit) in right.iter().enumerate() {
        let candidates = pattern.mask(unit) & window & free;
        let bit = candidates & candidates.wrapping_neg();
        free ^= bit;
        matched_right |= u64::from(bit != 0) << place;
        ordered &= bit == 0 || bit > highest;
        highest = highest.max(bit);
        window = (window << 1) | u64::from(place < reach);
    }
    let mut matched_left = !free;
    let matches = matched_left.count_ones() as usize;
    if matches < needed {
        return None;
    }
    let mut swapped = 0;
    if !ordered {
        while matched_right != 0 {
            let unit = right[matched_right.trailing_zeros() as usize];
            let bit = matched_left & matched_left.wrapping_neg();
            swapped += usize::from(pattern.mask(unit) & bit == 0);
            matched_left ^= bit;
            matched_right &= matched_right - 1;
        }
    }
    Some((matches, swapped))
}

/// Counts the matches and the matched characters out of order of each text of a group.
#[inline(always)]
pub(super) fn matches_of_group(left: usize, group: &Group) -> [(u64, u64); LANES] {
    let reach = group.lengths().map(|right| ((left as u64).max(right) / 2).saturating_sub(1));
    let mut window = reach.map(|reach| (2_u64 << reach) - 1);
    let (mut free, mut matched_right) = ([!0_u64; LANES], [0_u64; LANES]);
    for (place, masks) in (0_u64..).zip(group.masks()) {
        for lane in 0..LANES {
            let candidates = masks[lane] & window[lane] & free[lane];
            let bit = candidates & candidates.wrapping_neg();
            free[lane] ^= bit;
            matched_right[lane] |= u64::from(bit != 0) << place;
            window[lane] = (window[lane] << 1) | u64::from(place < reach[lane]);
        }
    }
    let mut matched_left = free.map(|free| !free);
    let mut swapped = [0_u64; LANES];
    for (place, masks) in (0_u64..).zip(group.masks()) {
        for lane in 0..LANES {
            let matched = ((matched_right[lane] >> place) & 1).wrapping_neg();
            let bit = matched_left[lane] & matched_left[lane].wrapping_neg() & matched;
            swapped[lane] += u64::from(masks[lane] & bit != bit);
            matched_left[lane] ^= bit;
        }
    }
    std::array::from_fn(|lane| (u64::from(free[lane].count_zeros()), swapped[lane]))
}

/// As [`matches`], for texts of any length.
fn long_matches(pattern: &Pattern<'_>, right: &[u8]) -> (usize, usize) {
    let left = pattern.units().len();
    let reach = (left.max(right.len()) / 2).saturating_sub(1);
    let mut free = vec![!0_u64; pattern.words()];
    let mut matched_right = Vec::new();
    for (place, &unit) in right.iter().enumerate() {
        let (first, last) = (place.saturating_sub(reach), (place + reach).min(left.saturating_sub(1)));
        if first > last {
            break;
        }
        let masks = pattern.masks(unit);
        for word in first / WORD..=last / WORD {
            let mut window = !0_u64;
            if word == first / WORD {
                window &= !0 << (first % WORD);
            }
            if word == last / WORD {
                window &= !0 >> (WORD - 1 - last % WORD);
            }
            let candidates = masks[word] & window & free[word];
            if candidates != 0 {
                free[word] ^= candidates & candidates.wrapping_neg();
                matched_right.push(unit);
                break;
            }
        }
    }
    let matched_left =
        pattern.units().iter().enumerate().filter(|(place, _)| free[place / WORD] >> (place % WORD) & 1 == 0);
    let swapped = matched_left.zip(&matched_right).filter(|((_, left), right)| left != right).count();
    (matched_right.len(), swapped)
}

/// Gives the length of the common prefix, at most 4.
#[inline(always)]
pub(super) fn prefix(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take(4).take_while(|(left, right)| left == right).count()
}
