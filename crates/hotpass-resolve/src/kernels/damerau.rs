//! Unrestricted Damerau–Levenshtein distance, through a bit-parallel bound.
//!
//! The restricted distance (optimal string alignment: no place is edited twice) has a bit-parallel form and is never below the
//! unrestricted one. An unrestricted optimum differs from a restricted one only in blocks `x U y` → `y V x`, swaps with edits
//! between, of cost `1 + |U| + |V|`. A restricted alignment edits such a block in at most `max(|U|, |V|) + 2` substitutions,
//! insertions and deletions, which is at most one more. Each such block costs 2 or more, so there are at most half as many as
//! the distance: `restricted ≤ unrestricted · 3 / 2`.
//!
//! So restricted distances up to 2 are unrestricted ones. A restricted 3 is an unrestricted 2 only if all the difference is one
//! block with `|U| + |V| = 1`: behind the common prefix and before the common suffix stand `xy` and `yvx`.

use super::group::{Group, LANES};
use super::pattern::{Pattern, WORD};

/// Gives the least unrestricted distance that a restricted one allows.
#[inline(always)]
pub(super) fn least(restricted: usize) -> usize {
    (2 * restricted).div_ceil(3)
}

/// Gives the unrestricted distance of two texts from their restricted one.
#[inline(always)]
pub(super) fn unrestricted(left: &[u8], right: &[u8], restricted: usize) -> usize {
    match restricted {
        0..=2 => restricted,
        3 => 3 - usize::from(is_swap_around_one(left, right)),
        _ => full_distance(left, right),
    }
}

fn is_swap_around_one(left: &[u8], right: &[u8]) -> bool {
    if left.len().abs_diff(right.len()) != 1 {
        return false;
    }
    let (left, right) = without_common_ends(left, right);
    let (short, long) = if left.len() < right.len() { (left, right) } else { (right, left) };
    matches!((short, long), (&[first, second], &[third, _, fourth]) if first == fourth && second == third)
}

fn without_common_ends<'a>(left: &'a [u8], right: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let prefix = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    let (left, right) = (&left[prefix..], &right[prefix..]);
    let suffix = left.iter().rev().zip(right.iter().rev()).take_while(|(left, right)| left == right).count();
    (&left[..left.len() - suffix], &right[..right.len() - suffix])
}

/// Gives the restricted distance of the pattern's text to another; Hyyrö (2003), as for Levenshtein, with the swaps as one more
/// source of diagonal steps.
#[inline(always)]
pub(super) fn restricted_distance(pattern: &Pattern<'_>, right: &[u8]) -> usize {
    let left = pattern.units().len();
    if left == 0 {
        return right.len();
    }
    if left > WORD {
        return long_restricted_distance(pattern, right);
    }
    let (mut rises, mut falls, mut diagonal, mut equal_before) = (!0_u64, 0_u64, 0_u64, 0_u64);
    let last = left - 1;
    let mut distance = left;
    for &unit in right {
        let equal = pattern.mask(unit);
        let swapped = ((!diagonal & equal) << 1) & equal_before;
        diagonal = (((equal & rises).wrapping_add(rises)) ^ rises) | equal | falls | swapped;
        let up = falls | !(diagonal | rises);
        let down = diagonal & rises;
        distance = distance + (up >> last & 1) as usize - (down >> last & 1) as usize;
        let up = (up << 1) | 1;
        rises = (down << 1) | !(diagonal | up);
        falls = up & diagonal;
        equal_before = equal;
    }
    distance
}

/// Gives the restricted distance of each text of a group to the pattern's text of `left` characters, which is not empty.
///
/// A text that has ended keeps its distance: steps behind its end are not counted.
#[inline(always)]
pub(super) fn restricted_distances_of_group(left: usize, group: &Group) -> [u64; LANES] {
    let (mut rises, mut falls) = ([!0_u64; LANES], [0_u64; LANES]);
    let (mut diagonals, mut before) = ([0_u64; LANES], [0_u64; LANES]);
    let last = left as u64 - 1;
    let mut distances = [left as u64; LANES];
    for (place, masks) in (0_u64..).zip(group.masks()) {
        for lane in 0..LANES {
            let (equal, rise, fall) = (masks[lane], rises[lane], falls[lane]);
            let swapped = ((!diagonals[lane] & equal) << 1) & before[lane];
            let diagonal = (((equal & rise).wrapping_add(rise)) ^ rise) | equal | fall | swapped;
            diagonals[lane] = diagonal;
            before[lane] = equal;
            let up = fall | !(diagonal | rise);
            let down = diagonal & rise;
            let step = ((up >> last) & 1).wrapping_sub((down >> last) & 1);
            let inside = u64::from(place < group.lengths()[lane]).wrapping_neg();
            distances[lane] = distances[lane].wrapping_add(step & inside);
            let up = (up << 1) | 1;
            rises[lane] = (down << 1) | !(diagonal | up);
            falls[lane] = up & diagonal;
        }
    }
    distances
}

#[derive(Clone, Copy)]
struct Column {
    rises: u64,
    falls: u64,
    diagonal: u64,
    equal: u64,
}

fn long_restricted_distance(pattern: &Pattern<'_>, right: &[u8]) -> usize {
    let left = pattern.units().len();
    let (words, last) = (pattern.words(), (left - 1) % WORD);
    let mut columns = vec![Column { rises: !0, falls: 0, diagonal: 0, equal: 0 }; words];
    let mut distance = left;
    for &unit in right {
        let (mut up_in, mut down_in, mut swap_in) = (1_u64, 0_u64, 0_u64);
        for (word, (column, &equal)) in columns.iter_mut().zip(pattern.masks(unit)).enumerate() {
            let Column { rises, falls, .. } = *column;
            let swap_sources = !column.diagonal & equal;
            let swapped = ((swap_sources << 1) | swap_in) & column.equal;
            swap_in = swap_sources >> (WORD - 1);
            let reached = equal | down_in;
            let diagonal = (((reached & rises).wrapping_add(rises)) ^ rises) | reached | falls | swapped;
            let up = falls | !(diagonal | rises);
            let down = diagonal & rises;
            if word + 1 == words {
                distance = distance + (up >> last & 1) as usize - (down >> last & 1) as usize;
            }
            let (up_out, down_out) = (up >> (WORD - 1), down >> (WORD - 1));
            let up = (up << 1) | up_in;
            *column =
                Column { rises: ((down << 1) | down_in) | !(diagonal | up), falls: up & diagonal, diagonal, equal };
            (up_in, down_in) = (up_out, down_out);
        }
    }
    distance
}

/// Gives the unrestricted distance by the table of distances, of which two rows are kept.
///
/// Zhao and Sahni, *String Correction Using the Damerau–Levenshtein Distance* (2019): an optimum has only swaps with edits on
/// one side, so that of all earlier rows it needs one value per column and one per row.
fn full_distance(left: &[u8], right: &[u8]) -> usize {
    let (left, right) = without_common_ends(left, right);
    let far = left.len().max(right.len()) + 1;
    // Rows start one place before the empty prefix, with an unreachable distance.
    let mut before: Vec<usize> = vec![far; right.len() + 2];
    let mut row: Vec<usize> = std::iter::once(far).chain(0..=right.len()).collect();
    let mut at_last_match = vec![far; right.len() + 2];
    let mut last_row_of = [0_usize; 256];
    for (i, &unit) in (1..).zip(left) {
        std::mem::swap(&mut row, &mut before);
        let mut last_match = 0;
        let mut before_last_match = far;
        let mut two_rows_before = row[1];
        row[1] = i;
        for (j, &other) in (1..).zip(right) {
            let diagonal = before[j] + usize::from(unit != other);
            let mut distance = diagonal.min(row[j] + 1).min(before[j + 1] + 1);
            if unit == other {
                last_match = j;
                at_last_match[j] = before[j - 1];
                before_last_match = two_rows_before;
            } else {
                let last_row = last_row_of[usize::from(other)];
                if last_match > 0 && j - last_match == 1 && last_row > 0 {
                    distance = distance.min(at_last_match[j] + (i - last_row));
                } else if last_row > 0 && i - last_row == 1 && last_match > 0 {
                    distance = distance.min(before_last_match + (j - last_match));
                }
            }
            two_rows_before = row[j + 1];
            row[j + 1] = distance;
        }
        last_row_of[usize::from(unit)] = i;
    }
    row[right.len() + 1]
}
