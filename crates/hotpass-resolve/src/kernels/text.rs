//! One text similarity over a table of texts.

use super::bands::Thresholds;
use super::dispatch::{Tier, Work};
use super::group::{Group, LANES};
use super::jaro::Form;
use super::measures::{Edits, Hamming, Jaccard, Jaro, Measure};
use super::pattern::{Pattern, WORD};
use super::reference;
use super::table::{Entry, TextTable};
use crate::model::TextSemantics;
use crate::plan::TextSimilarity;

/// Undecided pairs from which on it pays to go side by side.
const WORTH_A_GROUP: u32 = 2;

/// Computes one text similarity or distance for codes of a [`TextTable`].
///
/// The table must be finished for speed; the values do not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextKernel {
    similarity: TextSimilarity,
    semantics: TextSemantics,
    tier: Tier,
}

impl TextKernel {
    /// Makes the kernel of a similarity; `None` for those over tokens, q-grams and organisation names.
    pub fn new(similarity: TextSimilarity, semantics: TextSemantics) -> Option<Self> {
        reference::value(similarity, "", "", semantics).map(|_| Self { similarity, semantics, tier: Tier::detect() })
    }

    /// Gives the value of a pair; not-a-number is null (the Hamming distance of texts of different length, or a code that the
    /// table does not have).
    pub fn value(&self, texts: &TextTable, left: u32, right: u32) -> f64 {
        if left.max(right) as usize >= texts.len() {
            return f64::NAN;
        }
        self.with_measure(texts, &Thresholds::default(), Value { texts, left, right, kernel: *self })
    }

    /// Writes for each right text the band of its value against the left one, see [`Thresholds::band`].
    ///
    /// Writes as many bands as the shorter of `rights` and `out` has places. A code that the table does not have is in no band.
    pub fn bands(&self, texts: &TextTable, left: u32, rights: &[u32], thresholds: &Thresholds, out: &mut [u8]) {
        let bands = Bands { texts, lefts: Lefts::One(left), rights, thresholds, out, kernel: *self };
        self.with_measure(texts, thresholds, bands);
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
        let bands = Bands { texts, lefts: Lefts::Each(lefts), rights, thresholds, out, kernel: *self };
        self.with_measure(texts, thresholds, bands);
    }

    /// Gives the kernel in another compiled form.
    #[cfg(test)]
    pub(super) fn with_tier(self, tier: Tier) -> Self {
        Self { tier, ..self }
    }

    /// Gives the value by the plain form.
    fn plain_value(self, texts: &TextTable, left: u32, right: u32) -> f64 {
        reference::value(self.similarity, texts.get(left), texts.get(right), self.semantics).unwrap_or(f64::NAN)
    }

    /// Gives the value of two texts outside a table.
    pub(super) fn value_of_texts(self, left: &str, right: &str) -> f64 {
        if self.semantics == TextSemantics::Characters && !(left.is_ascii() && right.is_ascii()) {
            return reference::value(self.similarity, left, right, self.semantics).unwrap_or(f64::NAN);
        }
        let units = Units { left: left.as_bytes(), right: right.as_bytes() };
        self.with_measure(&TextTable::default(), &Thresholds::default(), units)
    }

    fn with_measure<W: MeasureWork>(self, texts: &TextTable, thresholds: &Thresholds, work: W) -> W::Output {
        match self.semantics {
            TextSemantics::Characters => self.with_units::<false, W>(texts, thresholds, work),
            TextSemantics::DuckDbBytes => self.with_units::<true, W>(texts, thresholds, work),
        }
    }

    fn with_units<const BYTES: bool, W: MeasureWork>(
        self,
        texts: &TextTable,
        thresholds: &Thresholds,
        work: W,
    ) -> W::Output {
        let winkler = if BYTES { Form::WinklerFused } else { Form::Winkler };
        match self.similarity {
            TextSimilarity::Jaro => self.run::<BYTES, _, _>(Jaro::<BYTES>::new(Form::Jaro, thresholds), work),
            TextSimilarity::JaroWinkler => self.run::<BYTES, _, _>(Jaro::<BYTES>::new(winkler, thresholds), work),
            TextSimilarity::Levenshtein => self.run::<BYTES, _, _>(Edits::<BYTES, false>::new(thresholds), work),
            TextSimilarity::DamerauLevenshtein => self.run::<BYTES, _, _>(Edits::<BYTES, true>::new(thresholds), work),
            TextSimilarity::Jaccard => {
                self.run::<BYTES, _, _>(Jaccard::<BYTES>::new(thresholds, texts.first_occurrences()), work)
            }
            // `new` makes no kernel for the similarities that are left.
            _ => self.run::<BYTES, _, _>(Hamming::<BYTES>::new(thresholds), work),
        }
    }

    fn run<const BYTES: bool, M: Measure, W: MeasureWork>(self, measure: M, work: W) -> W::Output {
        self.tier.run(Measured::<BYTES, M, W> { measure, work })
    }
}

/// What is to be done with a measure once it is known.
trait MeasureWork {
    type Output;

    fn run<const BYTES: bool, M: Measure>(self, measure: &M) -> Self::Output;
}

struct Measured<const BYTES: bool, M, W> {
    measure: M,
    work: W,
}

impl<const BYTES: bool, M: Measure, W: MeasureWork> Work for Measured<BYTES, M, W> {
    type Output = W::Output;

    #[inline(always)]
    fn run(self) -> W::Output {
        self.work.run::<BYTES, M>(&self.measure)
    }
}

/// The value of two texts, one byte per character.
struct Units<'a> {
    left: &'a [u8],
    right: &'a [u8],
}

impl MeasureWork for Units<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<const BYTES: bool, M: Measure>(self, measure: &M) -> f64 {
        let mut pattern = Pattern::new();
        pattern.load(self.left);
        measure.value(&pattern, self.right)
    }
}

/// The value of two texts of a table.
struct Value<'a> {
    texts: &'a TextTable,
    left: u32,
    right: u32,
    kernel: TextKernel,
}

impl MeasureWork for Value<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<const BYTES: bool, M: Measure>(self, measure: &M) -> f64 {
        let units = |code: u32| {
            let entry = self.texts.entries()?.get(code as usize)?;
            self.texts.units::<BYTES>(code, entry)
        };
        let (Some(left), Some(right)) = (units(self.left), units(self.right)) else {
            return self.kernel.plain_value(self.texts, self.left, self.right);
        };
        Units { left, right }.run::<BYTES, M>(measure)
    }
}

/// The left texts of pairs.
enum Lefts<'a> {
    One(u32),
    Each(&'a [u32]),
}

struct Bands<'a> {
    texts: &'a TextTable,
    lefts: Lefts<'a>,
    rights: &'a [u32],
    thresholds: &'a Thresholds,
    out: &'a mut [u8],
    kernel: TextKernel,
}

impl MeasureWork for Bands<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const BYTES: bool, M: Measure>(self, measure: &M) {
        let Self { texts, lefts, rights, thresholds, out, kernel } = self;
        let Some(entries) = texts.entries() else {
            return plain_bands(texts, &lefts, rights, thresholds, out, kernel);
        };
        let mut against = Against { texts, entries, thresholds, kernel, pattern: None, loaded: None, group: None };
        match lefts {
            Lefts::One(left) => against.bands::<BYTES, M>(measure, left, rights, out),
            Lefts::Each(lefts) => {
                let mut start = 0;
                for run in lefts.chunk_by(|one, next| one == next) {
                    let end = start + run.len();
                    let (Some(rights), Some(out)) = (rights.get(start..end), out.get_mut(start..end)) else { return };
                    against.bands::<BYTES, M>(measure, run[0], rights, out);
                    start = end;
                }
            }
        }
    }
}

/// Gives the bands of a table that is not finished.
fn plain_bands(
    texts: &TextTable,
    lefts: &Lefts<'_>,
    rights: &[u32],
    thresholds: &Thresholds,
    out: &mut [u8],
    kernel: TextKernel,
) {
    for (place, (band, &right)) in out.iter_mut().zip(rights).enumerate() {
        let left = match lefts {
            Lefts::One(left) => *left,
            Lefts::Each(lefts) => lefts.get(place).copied().unwrap_or(u32::MAX),
        };
        *band = thresholds.band(kernel.value(texts, left, right));
    }
}

/// The state that comparisons with changing left texts share.
struct Against<'a> {
    texts: &'a TextTable,
    entries: &'a [Entry],
    thresholds: &'a Thresholds,
    kernel: TextKernel,
    /// Made when a pair first needs it.
    pattern: Option<Pattern<'a>>,
    /// The left code that the pattern holds.
    loaded: Option<u32>,
    /// Made when there are enough pairs to go side by side.
    group: Option<Group>,
}

impl<'a> Against<'a> {
    /// First sorts out by entries, then looks at the texts of those that are left: two short loops whose branches are regular.
    #[inline(always)]
    fn bands<const BYTES: bool, M: Measure>(&mut self, measure: &M, left: u32, rights: &[u32], out: &mut [u8]) {
        let none = self.thresholds.len() as u8;
        let Some(left_entry) = self.entries.get(left as usize) else {
            out.iter_mut().zip(rights).for_each(|(band, _)| *band = none);
            return;
        };
        for (rights, out) in rights.chunks(64).zip(out.chunks_mut(64)) {
            let mut undecided = 0_u64;
            for (place, (&right, band)) in rights.iter().zip(&mut *out).enumerate() {
                *band = none;
                if let Some(entry) = self.entries.get(right as usize) {
                    if let Some(decided) = measure.band_of_entries(left_entry, entry) {
                        *band = decided;
                        continue;
                    }
                    let may_hold = left_entry.is_long() | entry.is_long() || measure.may_hold(left_entry, entry);
                    undecided |= u64::from(may_hold) << place;
                }
            }
            if M::IN_GROUPS && undecided.count_ones() >= WORTH_A_GROUP {
                undecided = self.bands_in_groups::<BYTES, M>(measure, left, left_entry, undecided, rights, out);
            }
            while undecided != 0 {
                let place = undecided.trailing_zeros() as usize;
                undecided &= undecided - 1;
                out[place] = self.band::<BYTES, M>(measure, left, left_entry, rights[place]);
            }
        }
    }

    /// Does the undecided places whose texts fit into groups, and gives those that are left.
    #[inline(always)]
    fn bands_in_groups<const BYTES: bool, M: Measure>(
        &mut self,
        measure: &M,
        left: u32,
        left_entry: &Entry,
        mut undecided: u64,
        rights: &[u32],
        out: &mut [u8],
    ) -> u64 {
        let fits = |units: &&'a [u8]| (1..=WORD).contains(&units.len());
        let Some(left_units) = self.texts.units::<BYTES>(left, left_entry).filter(fits) else { return undecided };
        let pattern = self.pattern.get_or_insert_with(Pattern::new);
        if self.loaded != Some(left) {
            pattern.load(left_units);
            self.loaded = Some(left);
        }
        let group = self.group.get_or_insert_with(Group::new);
        let mut unfit = 0;
        while undecided != 0 {
            let mut texts: [&[u8]; LANES] = [&[]; LANES];
            let mut places = [0_usize; LANES];
            let mut count = 0;
            while undecided != 0 && count < LANES {
                let place = undecided.trailing_zeros() as usize;
                undecided &= undecided - 1;
                let right = rights[place];
                let entry = self.entries.get(right as usize);
                match entry.and_then(|entry| self.texts.units::<BYTES>(right, entry)).filter(fits) {
                    Some(units) => {
                        (texts[count], places[count]) = (units, place);
                        count += 1;
                    }
                    None => unfit |= 1 << place,
                }
            }
            let bands = measure.bands_of_group(pattern, &texts[..count], group);
            for (&place, band) in places[..count].iter().zip(bands) {
                out[place] = band;
            }
        }
        unfit
    }

    #[inline(always)]
    fn band<const BYTES: bool, M: Measure>(&mut self, measure: &M, left: u32, left_entry: &Entry, right: u32) -> u8 {
        let texts = self.texts;
        let left_units = texts.units::<BYTES>(left, left_entry);
        let right_units = self.entries.get(right as usize).and_then(|entry| texts.units::<BYTES>(right, entry));
        let (Some(left_units), Some(right_units)) = (left_units, right_units) else {
            return self.thresholds.band(self.kernel.plain_value(texts, left, right));
        };
        let pattern = self.pattern.get_or_insert_with(Pattern::new);
        if self.loaded != Some(left) {
            pattern.load(left_units);
            self.loaded = Some(left);
        }
        measure.band(pattern, right_units)
    }
}
