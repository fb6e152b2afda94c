//! The plain forms of the text similarities: what the fast kernels must equal, and what they fall back to.

use crate::model::TextSemantics;
use crate::plan::TextSimilarity;

/// The bytes of a text as a sequence for the generic functions of `strsim`.
struct Bytes<'a>(&'a [u8]);

impl<'a> IntoIterator for &Bytes<'a> {
    type Item = u8;
    type IntoIter = std::iter::Copied<std::slice::Iter<'a, u8>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().copied()
    }
}

/// Gives the value of a text similarity that has a kernel here; not-a-number is null, `None` a similarity of tokens or q-grams.
pub(super) fn value(similarity: TextSimilarity, left: &str, right: &str, semantics: TextSemantics) -> Option<f64> {
    match similarity {
        TextSimilarity::Jaro => Some(jaro(left, right, semantics)),
        TextSimilarity::JaroWinkler => Some(jaro_winkler(left, right, semantics)),
        TextSimilarity::Levenshtein => Some(levenshtein(left, right, semantics)),
        TextSimilarity::DamerauLevenshtein => Some(damerau_levenshtein(left, right, semantics)),
        TextSimilarity::Jaccard => Some(jaccard(left, right, semantics)),
        TextSimilarity::Hamming => Some(hamming(left, right, semantics)),
        _ => None,
    }
}

/// Gives the Jaro similarity.
pub(super) fn jaro(left: &str, right: &str, semantics: TextSemantics) -> f64 {
    match semantics {
        TextSemantics::Characters => strsim::jaro(left, right),
        TextSemantics::DuckDbBytes if left.is_empty() || right.is_empty() => 0.0,
        TextSemantics::DuckDbBytes => strsim::generic_jaro(&Bytes(left.as_bytes()), &Bytes(right.as_bytes())),
    }
}

/// Gives the Jaro–Winkler similarity.
///
/// DuckDB's build fuses the last product and sum into one rounding, which differs from two by one unit in the last place for one
/// pair in two hundred.
pub(super) fn jaro_winkler(left: &str, right: &str, semantics: TextSemantics) -> f64 {
    match semantics {
        TextSemantics::Characters => strsim::jaro_winkler(left, right),
        TextSemantics::DuckDbBytes => {
            let jaro = jaro(left, right, semantics);
            let prefix = left.bytes().zip(right.bytes()).take(4).take_while(|(left, right)| left == right).count();
            if jaro > 0.7 { (0.1 * prefix as f64).mul_add(1.0 - jaro, jaro) } else { jaro }
        }
    }
}

/// Gives the Levenshtein distance.
pub(super) fn levenshtein(left: &str, right: &str, semantics: TextSemantics) -> f64 {
    let distance = match semantics {
        TextSemantics::Characters => strsim::levenshtein(left, right),
        TextSemantics::DuckDbBytes => strsim::generic_levenshtein(&Bytes(left.as_bytes()), &Bytes(right.as_bytes())),
    };
    distance as f64
}

/// Gives the unrestricted Damerau–Levenshtein distance.
pub(super) fn damerau_levenshtein(left: &str, right: &str, semantics: TextSemantics) -> f64 {
    let distance = match semantics {
        TextSemantics::Characters => strsim::damerau_levenshtein(left, right),
        TextSemantics::DuckDbBytes => strsim::generic_damerau_levenshtein(left.as_bytes(), right.as_bytes()),
    };
    distance as f64
}

/// Gives the Jaccard similarity of the sets of characters or bytes.
pub(super) fn jaccard(left: &str, right: &str, semantics: TextSemantics) -> f64 {
    let set = |text: &str| -> Vec<u32> {
        let mut units: Vec<u32> = match semantics {
            TextSemantics::Characters => text.chars().map(u32::from).collect(),
            TextSemantics::DuckDbBytes => text.bytes().map(u32::from).collect(),
        };
        units.sort_unstable();
        units.dedup();
        units
    };
    let (left, right) = (set(left), set(right));
    let shared = left.iter().filter(|unit| right.binary_search(unit).is_ok()).count();
    jaccard_of_counts(shared as u32, (left.len() + right.len() - shared) as u32, semantics)
}

/// Gives the Jaccard similarity from the sizes of intersection and union.
pub(super) fn jaccard_of_counts(shared: u32, either: u32, semantics: TextSemantics) -> f64 {
    match (either, semantics) {
        (0, TextSemantics::Characters) => 1.0,
        (0, TextSemantics::DuckDbBytes) => 0.0,
        _ => f64::from(shared) / f64::from(either),
    }
}

/// Gives the Hamming distance, not-a-number for texts of different length.
pub(super) fn hamming(left: &str, right: &str, semantics: TextSemantics) -> f64 {
    let distance = match semantics {
        TextSemantics::Characters => strsim::hamming(left, right),
        TextSemantics::DuckDbBytes => strsim::generic_hamming(left.bytes(), right.bytes()),
    };
    distance.map_or(f64::NAN, |distance| distance as f64)
}
