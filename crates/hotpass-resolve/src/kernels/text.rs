//! One text similarity over a table of texts.

use super::{TextTable, Thresholds, reference};
use crate::model::TextSemantics;
use crate::plan::TextSimilarity;

/// Computes one text similarity or distance for codes of a [`TextTable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextKernel {
    similarity: TextSimilarity,
    semantics: TextSemantics,
}

impl TextKernel {
    /// Makes the kernel of a similarity; `None` for those over tokens, q-grams and organisation names.
    pub fn new(similarity: TextSimilarity, semantics: TextSemantics) -> Option<Self> {
        reference::value(similarity, "", "", semantics).map(|_| Self { similarity, semantics })
    }

    /// Gives the value of a pair; not-a-number is null (the Hamming distance of texts of different length).
    pub fn value(&self, texts: &TextTable, left: u32, right: u32) -> f64 {
        reference::value(self.similarity, texts.get(left), texts.get(right), self.semantics).unwrap_or(f64::NAN)
    }

    /// Writes for each right text the band of its value against the left one, see [`Thresholds::band`].
    ///
    /// Writes as many bands as the shorter of `rights` and `out` has places.
    pub fn bands(&self, texts: &TextTable, left: u32, rights: &[u32], thresholds: &Thresholds, out: &mut [u8]) {
        for (band, &right) in out.iter_mut().zip(rights) {
            *band = thresholds.band(self.value(texts, left, right));
        }
    }

    /// Writes the band of each pair of a left and a right text, see [`Self::bands`]; fastest where equal left texts follow each
    /// other.
    pub fn bands_of_pairs(
        &self,
        texts: &TextTable,
        lefts: &[u32],
        rights: &[u32],
        thresholds: &Thresholds,
        out: &mut [u8],
    ) {
        let mut start = 0;
        for run in lefts.chunk_by(|one, next| one == next) {
            let end = start + run.len();
            let (Some(rights), Some(out)) = (rights.get(start..end), out.get_mut(start..end)) else { return };
            self.bands(texts, run[0], rights, thresholds, out);
            start = end;
        }
    }
}
