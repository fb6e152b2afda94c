//! One text made ready to be compared with many.

/// Bits of a machine word: texts of at most so many characters take the short way.
pub(super) const WORD: usize = 64;

/// The places of each character of a text, as bits.
///
/// The masks of a short text are one word per character; those of a longer one a row of words.
#[derive(Debug)]
pub(super) struct Pattern<'a> {
    units: &'a [u8],
    masks: [u64; 256],
    /// For texts longer than a word: `words` masks for each of the 256 characters.
    long_masks: Vec<u64>,
}

impl<'a> Pattern<'a> {
    /// Makes the pattern of the empty text.
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self { units: &[], masks: [0; 256], long_masks: Vec::new() }
    }

    /// Replaces the text.
    #[inline(always)]
    pub(super) fn load(&mut self, units: &'a [u8]) {
        if self.units.len() <= WORD {
            for &unit in self.units {
                self.masks[usize::from(unit)] = 0;
            }
        }
        self.units = units;
        if units.len() <= WORD {
            for (place, &unit) in units.iter().enumerate() {
                self.masks[usize::from(unit)] |= 1 << place;
            }
        } else {
            self.load_long();
        }
    }

    fn load_long(&mut self) {
        let words = self.words();
        self.long_masks.clear();
        self.long_masks.resize(256 * words, 0);
        for (place, &unit) in self.units.iter().enumerate() {
            self.long_masks[usize::from(unit) * words + place / WORD] |= 1 << (place % WORD);
        }
    }

    /// Gives the text.
    #[inline(always)]
    pub(super) fn units(&self) -> &'a [u8] {
        self.units
    }

    /// Gives the number of words that the places of the text take.
    #[inline(always)]
    pub(super) fn words(&self) -> usize {
        self.units.len().div_ceil(WORD)
    }

    /// Gives the places of a character in a text of at most a word.
    #[inline(always)]
    pub(super) fn mask(&self, unit: u8) -> u64 {
        self.masks[usize::from(unit)]
    }

    /// Gives the places of a character, word by word.
    #[inline(always)]
    pub(super) fn masks(&self, unit: u8) -> &[u64] {
        let unit = usize::from(unit);
        if self.units.len() <= WORD {
            &self.masks[unit..=unit]
        } else {
            let words = self.words();
            &self.long_masks[unit * words..(unit + 1) * words]
        }
    }
}
