//! Levenshtein distance, bit-parallel.
//!
//! Myers, *A Fast Bit-Vector Algorithm for Approximate String Matching Based on Dynamic Programming* (1999), in the form of
//! Hyyrö, *A Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit Distances* (2003): a column of the table of
//! distances is held as the bits where it rises and where it falls.

use super::group::{Group, LANES};
use super::pattern::{Pattern, WORD};

/// Gives the distance of the pattern's text to another.
#[inline(always)]
pub(super) fn distance(pattern: &Pattern<'_>, right: &[u8]) -> usize {
    let left = pattern.units().len();
    if left == 0 {
        return right.len();
    }
    if left > WORD {
        return long_distance(pattern, right);
    }
    let (mut rises, mut falls) = (!0_u64, 0_u64);
    let last = left - 1;
    let mut distance = left;
    for &unit in right {
        let equal = pattern.mask(unit);
        let diagonal = (((equal & rises).wrapping_add(rises)) ^ rises) | equal | falls;
        let up = falls | !(diagonal | rises);
        let down = diagonal & rises;
        distance = distance + (up >> last & 1) as usize - (down >> last & 1) as usize;
        let up = (up << 1) | 1;
        rises = (down << 1) | !(diagonal | up);
        falls = up & diagonal;
    }
    distance
}

/// Gives the distance of each text of a group to the pattern's text of `left` characters, which is not empty.
///
/// A text that has ended keeps its distance: steps behind its end are not counted.
#[inline(always)]
pub(super) fn distances_of_group(left: usize, group: &Group) -> [u64; LANES] {
    let (mut rises, mut falls) = ([!0_u64; LANES], [0_u64; LANES]);
    let last = left as u64 - 1;
    let mut distances = [left as u64; LANES];
    for (place, masks) in (0_u64..).zip(group.masks()) {
        for lane in 0..LANES {
            let (equal, rise, fall) = (masks[lane], rises[lane], falls[lane]);
            let diagonal = (((equal & rise).wrapping_add(rise)) ^ rise) | equal | fall;
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

/// As [`distance`], for a pattern of several words: the bits that leave one word enter the next.
fn long_distance(pattern: &Pattern<'_>, right: &[u8]) -> usize {
    let left = pattern.units().len();
    let (words, last) = (pattern.words(), (left - 1) % WORD);
    let mut columns = vec![(!0_u64, 0_u64); words];
    let mut distance = left;
    for &unit in right {
        let (mut up_in, mut down_in) = (1_u64, 0_u64);
        for (word, ((rises, falls), &equal)) in columns.iter_mut().zip(pattern.masks(unit)).enumerate() {
            let equal = equal | down_in;
            let diagonal = (((equal & *rises).wrapping_add(*rises)) ^ *rises) | equal | *falls;
            let up = *falls | !(diagonal | *rises);
            let down = diagonal & *rises;
            if word + 1 == words {
                distance = distance + (up >> last & 1) as usize - (down >> last & 1) as usize;
            }
            let (up_out, down_out) = (up >> (WORD - 1), down >> (WORD - 1));
            let up = (up << 1) | up_in;
            *rises = ((down << 1) | down_in) | !(diagonal | up);
            *falls = up & diagonal;
            (up_in, down_in) = (up_out, down_out);
        }
    }
    distance
}
