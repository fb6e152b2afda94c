//! Several short texts side by side against one pattern.
//!
//! The kernels carry a dependent chain of a few operations per character; run over an array of lanes, the chains of several
//! texts overlap, and the compiler turns the arrays into vector registers where the processor has them.

use super::pattern::{Pattern, WORD};

/// Texts in a group: the 64-bit lanes of the widest vector.
pub(super) const LANES: usize = 8;

/// The masks of up to [`LANES`] texts of at most a word, character by character.
#[derive(Debug)]
pub(super) struct Group {
    masks: [[u64; LANES]; WORD],
    lengths: [u64; LANES],
    longest: usize,
}

impl Group {
    /// Makes a group without texts.
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self { masks: [[0; LANES]; WORD], lengths: [0; LANES], longest: 0 }
    }

    /// Replaces the texts; lanes that are left over hold the empty text.
    #[inline(always)]
    pub(super) fn load(&mut self, pattern: &Pattern<'_>, texts: &[&[u8]]) {
        self.longest = texts.iter().map(|text| text.len()).max().unwrap_or(0).min(WORD);
        self.lengths = [0; LANES];
        for masks in &mut self.masks[..self.longest] {
            *masks = [0; LANES];
        }
        for (lane, text) in texts.iter().take(LANES).enumerate() {
            self.lengths[lane] = text.len() as u64;
            for (masks, &unit) in self.masks.iter_mut().zip(*text) {
                masks[lane] = pattern.mask(unit);
            }
        }
    }

    /// Gives the masks by place in the texts, up to the end of the longest.
    #[inline(always)]
    pub(super) fn masks(&self) -> &[[u64; LANES]] {
        &self.masks[..self.longest]
    }

    /// Gives the lengths of the texts.
    #[inline(always)]
    pub(super) fn lengths(&self) -> &[u64; LANES] {
        &self.lengths
    }
}
