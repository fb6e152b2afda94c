//! Similarity kernels over tables of distinct texts.
//!
//! [`TextTable`] holds the distinct texts of a domain and what the kernels need of each; [`TextKernel`] computes one similarity or
//! distance over it: the exact value of a pair, or for one left text against many right ones the first of a list of [`Thresholds`]
//! that holds. The functions of this module do the same for two texts outside a table.
//!
//! Every value equals the plain form bit by bit: that of the `strsim` crate for [`TextSemantics::Characters`], and that of
//! DuckDB 2.0 for [`TextSemantics::DuckDbBytes`].
//!
//! A pair goes through three steps, each for what the one before leaves: the entries of the two texts (length, multiset of
//! characters, prefix) bound the value, and rule most pairs of a block out without a look at the texts; a bit-parallel kernel
//! does texts of one byte per character; the plain form does the rest, texts whose table has more than 128 characters outside
//! ASCII. Similarities of tokens and q-grams have kernels of their own beside these, over token tables.

pub mod contact;
pub mod geography;
pub mod nickname;
pub mod organization;
pub mod phonetic;
pub mod postcode;
pub mod tokens;

mod bands;
#[expect(clippy::inline_always, reason = "one body is compiled once per tier of processor, which only inlining does")]
mod damerau;
mod dispatch;
#[expect(clippy::inline_always, reason = "one body is compiled once per tier of processor, which only inlining does")]
mod group;
#[expect(clippy::inline_always, reason = "one body is compiled once per tier of processor, which only inlining does")]
mod jaro;
#[expect(clippy::inline_always, reason = "one body is compiled once per tier of processor, which only inlining does")]
mod levenshtein;
#[expect(clippy::inline_always, reason = "one body is compiled once per tier of processor, which only inlining does")]
mod measures;
#[expect(clippy::inline_always, reason = "one body is compiled once per tier of processor, which only inlining does")]
mod pattern;
mod reference;
#[expect(clippy::inline_always, reason = "one body is compiled once per tier of processor, which only inlining does")]
mod table;
#[expect(clippy::inline_always, reason = "one body is compiled once per tier of processor, which only inlining does")]
mod text;

pub use bands::{ThresholdError, Thresholds};
pub use table::TextTable;
pub use text::TextKernel;

use crate::model::TextSemantics;
use crate::plan::TextSimilarity;

/// Gives the Jaro similarity of two texts, 0 to 1.
///
/// Jaro, *Advances in Record-Linkage Methodology as Applied to Matching the 1985 Census of Tampa, Florida* (1989).
pub fn jaro_similarity(left: &str, right: &str, semantics: TextSemantics) -> f64 {
    value(TextSimilarity::Jaro, left, right, semantics)
}

/// Gives the Jaro–Winkler similarity of two texts, 0 to 1: a common prefix of at most 4 adds a tenth of what is missing per
/// character, where the Jaro similarity is above 0.7.
///
/// Winkler, *String Comparator Metrics and Enhanced Decision Rules in the Fellegi–Sunter Model of Record Linkage* (1990).
pub fn jaro_winkler_similarity(left: &str, right: &str, semantics: TextSemantics) -> f64 {
    value(TextSimilarity::JaroWinkler, left, right, semantics)
}

/// Gives the Levenshtein distance of two texts: the least number of insertions, deletions and substitutions.
pub fn levenshtein_distance(left: &str, right: &str, semantics: TextSemantics) -> f64 {
    value(TextSimilarity::Levenshtein, left, right, semantics)
}

/// Gives the unrestricted Damerau–Levenshtein distance of two texts: as Levenshtein, with the swap of two neighbours as one more
/// edit, and edits allowed between the swapped ones.
///
/// Lowrance and Wagner, *An Extension of the String-to-String Correction Problem* (1975).
pub fn damerau_levenshtein_distance(left: &str, right: &str, semantics: TextSemantics) -> f64 {
    value(TextSimilarity::DamerauLevenshtein, left, right, semantics)
}

/// Gives the Jaccard similarity of the sets of characters (or of bytes) of two texts, 0 to 1.
///
/// Two empty texts give 1 over characters and 0 over bytes, where DuckDB refuses empty texts.
pub fn jaccard_similarity(left: &str, right: &str, semantics: TextSemantics) -> f64 {
    value(TextSimilarity::Jaccard, left, right, semantics)
}

/// Gives the number of places where two texts of one length differ; `None` for texts of different length.
pub fn hamming_distance(left: &str, right: &str, semantics: TextSemantics) -> Option<f64> {
    let distance = value(TextSimilarity::Hamming, left, right, semantics);
    (!distance.is_nan()).then_some(distance)
}

fn value(similarity: TextSimilarity, left: &str, right: &str, semantics: TextSemantics) -> f64 {
    TextKernel::new(similarity, semantics).map_or(f64::NAN, |kernel| kernel.value_of_texts(left, right))
}

#[cfg(test)]
mod tests;
