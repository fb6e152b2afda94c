//! The similarities as what one pair of entries and one pair of texts can say of them.

use super::bands::Thresholds;
use super::group::{Group, LANES};
use super::jaro::{self, Form, NeededMatches};
use super::pattern::{Pattern, WORD};
use super::table::Entry;
use super::{damerau, levenshtein, reference};
use crate::model::TextSemantics;

/// One similarity or distance over the byte-per-character forms of texts.
pub(super) trait Measure {
    /// Tells from the entries alone whether any threshold can hold; `false` must be certain.
    fn may_hold(&self, left: &Entry, right: &Entry) -> bool;

    /// Gives the band if the entries alone decide it.
    #[inline(always)]
    fn band_of_entries(&self, _left: &Entry, _right: &Entry) -> Option<u8> {
        None
    }

    /// Gives the value; the pattern holds the left text.
    fn value(&self, pattern: &Pattern<'_>, right: &[u8]) -> f64;

    /// Gives the band; the pattern holds the left text.
    fn band(&self, pattern: &Pattern<'_>, right: &[u8]) -> u8;

    /// Tells whether [`Self::bands_of_group`] is there.
    const IN_GROUPS: bool = false;

    /// Gives the bands of several texts; none is empty or longer than a word, the pattern's neither.
    #[inline(always)]
    fn bands_of_group(&self, pattern: &Pattern<'_>, rights: &[&[u8]], _group: &mut Group) -> [u8; LANES] {
        std::array::from_fn(|lane| rights.get(lane).map_or(0, |right| self.band(pattern, right)))
    }
}

/// Jaro and Jaro–Winkler.
pub(super) struct Jaro<'a, const BYTES: bool> {
    form: Form,
    thresholds: &'a Thresholds,
    needed: Option<&'a NeededMatches>,
}

impl<'a, const BYTES: bool> Jaro<'a, BYTES> {
    pub(super) fn new(form: Form, thresholds: &'a Thresholds) -> Self {
        Self { form, thresholds, needed: thresholds.needed_matches(form) }
    }

    #[inline(always)]
    fn of_empty(left: &[u8], right: &[u8]) -> f64 {
        if !BYTES && left.is_empty() && right.is_empty() { 1.0 } else { 0.0 }
    }
}

impl<const BYTES: bool> Measure for Jaro<'_, BYTES> {
    #[inline(always)]
    fn may_hold(&self, left: &Entry, right: &Entry) -> bool {
        let Some(table) = self.needed else { return true };
        let shared = left.shared_at_most::<BYTES>(right);
        let (left_length, right_length) = (left.length::<BYTES>(), right.length::<BYTES>());
        let prefix = left.prefix_at_most(right);
        if right_length <= WORD
            && let Some(row) = table.row(left_length)
        {
            return shared >= jaro::needed(row, right_length, prefix) || left_length + right_length == 0;
        }
        let matches = shared.min(left_length).min(right_length);
        self.thresholds.any_holds(self.form.similarity(left_length, right_length, matches, 0, prefix))
    }

    #[inline(always)]
    fn value(&self, pattern: &Pattern<'_>, right: &[u8]) -> f64 {
        let left = pattern.units();
        if left.is_empty() || right.is_empty() {
            return Self::of_empty(left, right);
        }
        jaro::matches(pattern, right, 0).map_or(0.0, |(matches, swapped)| {
            self.form.similarity(left.len(), right.len(), matches, swapped, jaro::prefix(left, right))
        })
    }

    #[inline(always)]
    fn band(&self, pattern: &Pattern<'_>, right: &[u8]) -> u8 {
        let left = pattern.units();
        if left.is_empty() || right.is_empty() {
            return self.thresholds.band(Self::of_empty(left, right));
        }
        let prefix = jaro::prefix(left, right);
        let row = if right.len() > WORD { None } else { self.needed.and_then(|table| table.row(left.len())) };
        let needed = row.map_or(0, |row| jaro::needed(row, right.len(), prefix));
        match jaro::matches(pattern, right, needed) {
            None => self.thresholds.len() as u8,
            Some((matches, swapped)) => {
                self.thresholds.band(self.form.similarity(left.len(), right.len(), matches, swapped, prefix))
            }
        }
    }

    const IN_GROUPS: bool = true;

    #[inline(always)]
    fn bands_of_group(&self, pattern: &Pattern<'_>, rights: &[&[u8]], group: &mut Group) -> [u8; LANES] {
        let left = pattern.units();
        group.load(pattern, rights);
        let counts = jaro::matches_of_group(left.len(), group);
        let row = self.needed.and_then(|table| table.row(left.len()));
        let mut bands = [self.thresholds.len() as u8; LANES];
        for ((band, right), (matches, swapped)) in bands.iter_mut().zip(rights).zip(counts) {
            let prefix = jaro::prefix(left, right);
            let matches = matches as usize;
            if row.is_none_or(|row| matches >= jaro::needed(row, right.len(), prefix)) {
                let value = self.form.similarity(left.len(), right.len(), matches, swapped as usize, prefix);
                *band = self.thresholds.band(value);
            }
        }
        bands
    }
}

/// A whole number of edits that is at least the difference of the multisets of characters.
pub(super) struct Edits<'a, const BYTES: bool, const SWAPS: bool> {
    thresholds: &'a Thresholds,
    /// The largest distance in a band; no bound if the thresholds are not upper bounds.
    largest: i64,
}

impl<'a, const BYTES: bool, const SWAPS: bool> Edits<'a, BYTES, SWAPS> {
    pub(super) fn new(thresholds: &'a Thresholds) -> Self {
        Self { thresholds, largest: thresholds.largest_distance().unwrap_or(i64::MAX) }
    }

    /// Gives the band of an unrestricted distance; looks at the texts only if the restricted one leaves it open.
    #[inline(always)]
    fn band_of_restricted(&self, pattern: &Pattern<'_>, right: &[u8], restricted: usize) -> u8 {
        let band = self.thresholds.band(restricted as f64);
        if band == self.thresholds.band(damerau::least(restricted) as f64) {
            return band;
        }
        self.thresholds.band(damerau::unrestricted(pattern.units(), right, restricted) as f64)
    }
}

impl<const BYTES: bool, const SWAPS: bool> Measure for Edits<'_, BYTES, SWAPS> {
    /// An insertion, deletion or substitution brings the multisets nearer by one at most, a swap not at all, so the distance is
    /// at least the longer text's length less what the texts share.
    #[inline(always)]
    fn may_hold(&self, left: &Entry, right: &Entry) -> bool {
        let (left_length, right_length) = (left.length::<BYTES>(), right.length::<BYTES>());
        let shared = left.shared_at_most::<BYTES>(right).min(left_length).min(right_length);
        (left_length.max(right_length) - shared) as i64 <= self.largest
    }

    #[inline(always)]
    fn value(&self, pattern: &Pattern<'_>, right: &[u8]) -> f64 {
        if !SWAPS {
            return levenshtein::distance(pattern, right) as f64;
        }
        let restricted = damerau::restricted_distance(pattern, right);
        damerau::unrestricted(pattern.units(), right, restricted) as f64
    }

    #[inline(always)]
    fn band(&self, pattern: &Pattern<'_>, right: &[u8]) -> u8 {
        if SWAPS {
            self.band_of_restricted(pattern, right, damerau::restricted_distance(pattern, right))
        } else {
            self.thresholds.band(levenshtein::distance(pattern, right) as f64)
        }
    }

    const IN_GROUPS: bool = true;

    #[inline(always)]
    fn bands_of_group(&self, pattern: &Pattern<'_>, rights: &[&[u8]], group: &mut Group) -> [u8; LANES] {
        group.load(pattern, rights);
        let left = pattern.units().len();
        let mut bands = [0; LANES];
        if SWAPS {
            let distances = damerau::restricted_distances_of_group(left, group);
            for ((band, right), distance) in bands.iter_mut().zip(rights).zip(distances) {
                *band = self.band_of_restricted(pattern, right, distance as usize);
            }
        } else {
            let distances = levenshtein::distances_of_group(left, group);
            for (band, distance) in bands.iter_mut().zip(distances) {
                *band = self.thresholds.band(distance as f64);
            }
        }
        bands
    }
}

/// Jaccard of the sets of characters.
pub(super) struct Jaccard<'a, const BYTES: bool> {
    thresholds: &'a Thresholds,
    first_occurrences: [u64; 2],
}

impl<'a, const BYTES: bool> Jaccard<'a, BYTES> {
    pub(super) fn new(thresholds: &'a Thresholds, first_occurrences: [u64; 2]) -> Self {
        Self { thresholds, first_occurrences }
    }

    const SEMANTICS: TextSemantics = if BYTES { TextSemantics::DuckDbBytes } else { TextSemantics::Characters };
}

#[inline(always)]
fn set(units: &[u8]) -> [u64; 4] {
    let mut set = [0_u64; 4];
    for &unit in units {
        set[usize::from(unit >> 6)] |= 1 << (unit & 63);
    }
    set
}

impl<const BYTES: bool> Measure for Jaccard<'_, BYTES> {
    #[inline(always)]
    fn may_hold(&self, _left: &Entry, _right: &Entry) -> bool {
        true
    }

    #[inline(always)]
    fn band_of_entries(&self, left: &Entry, right: &Entry) -> Option<u8> {
        let (shared, either) = left.set_sizes(right, self.first_occurrences)?;
        Some(self.thresholds.band(reference::jaccard_of_counts(shared, either, Self::SEMANTICS)))
    }

    #[inline(always)]
    fn value(&self, pattern: &Pattern<'_>, right: &[u8]) -> f64 {
        let (mut shared, mut either) = (0, 0);
        for (left, right) in set(pattern.units()).into_iter().zip(set(right)) {
            shared += (left & right).count_ones();
            either += (left | right).count_ones();
        }
        reference::jaccard_of_counts(shared, either, Self::SEMANTICS)
    }

    #[inline(always)]
    fn band(&self, pattern: &Pattern<'_>, right: &[u8]) -> u8 {
        self.thresholds.band(self.value(pattern, right))
    }
}

/// Number of places that differ.
pub(super) struct Hamming<'a, const BYTES: bool> {
    thresholds: &'a Thresholds,
}

impl<'a, const BYTES: bool> Hamming<'a, BYTES> {
    pub(super) fn new(thresholds: &'a Thresholds) -> Self {
        Self { thresholds }
    }
}

impl<const BYTES: bool> Measure for Hamming<'_, BYTES> {
    #[inline(always)]
    fn may_hold(&self, left: &Entry, right: &Entry) -> bool {
        left.length::<BYTES>() == right.length::<BYTES>()
    }

    #[inline(always)]
    fn value(&self, pattern: &Pattern<'_>, right: &[u8]) -> f64 {
        let left = pattern.units();
        if left.len() != right.len() {
            return f64::NAN;
        }
        left.iter().zip(right).filter(|(left, right)| left != right).count() as f64
    }

    #[inline(always)]
    fn band(&self, pattern: &Pattern<'_>, right: &[u8]) -> u8 {
        self.thresholds.band(self.value(pattern, right))
    }
}
