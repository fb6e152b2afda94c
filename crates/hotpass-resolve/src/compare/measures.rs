//! Measures of pairs.

use super::decision::{Test, larger_is_closer, rank};
use super::numbers::Numbers;
use super::{CompareError, Comparer, Scratch};
use crate::columns::{NULL, Values};
use crate::kernels::tokens::TokenTable;
use crate::kernels::{TextKernel, TextTable, Thresholds};
use crate::model::TextSemantics;
use crate::plan::{FeatureId, Measure, MeasureId, Operator, Plan, TextSimilarity};

/// A text measure against its thresholds.
#[derive(Debug, Clone)]
pub(super) struct Bands {
    measure: MeasureId,
    left: FeatureId,
    right: FeatureId,
    similarity: TextSimilarity,
    thresholds: Thresholds,
}

/// What computes a similarity over one table of texts.
#[derive(Clone, Copy)]
enum Kernel<'t> {
    /// From the characters of two texts.
    Characters(TextKernel, &'t TextTable),
    /// From tokens or q-grams that were prepared once per distinct text.
    Tokens(&'t TokenTable),
}

impl Kernel<'_> {
    fn value(self, left: u32, right: u32) -> Option<f64> {
        let value = match self {
            Self::Characters(kernel, texts) => kernel.value(texts, left, right),
            Self::Tokens(tokens) => tokens.similarity(left, right),
        };
        (!value.is_nan()).then_some(value)
    }
}

impl Bands {
    /// Makes ready a test, if it is one of a text measure.
    pub(super) fn of(test: &Test, plan: &Plan) -> Result<Option<Self>, CompareError> {
        let Test::Text { measure, thresholds } = test else { return Ok(None) };
        let Measure::Text { similarity, left, right } = plan.measures[*measure] else {
            return Err(CompareError::Internal { what: "thresholds of another measure than one of text" });
        };
        let operator = if larger_is_closer(similarity) { Operator::GreaterOrEqual } else { Operator::LessOrEqual };
        let entries: Vec<_> = thresholds.iter().map(|threshold| (operator, rank(similarity, *threshold))).collect();
        let thresholds = Thresholds::new(&entries)
            .map_err(|_| CompareError::Internal { what: "thresholds of a measure are out of order" })?;
        Ok(Some(Self { measure: *measure, left, right, similarity, thresholds }))
    }
}

impl Comparer<'_> {
    /// Writes for each pair the band of a text measure; the texts are not null.
    pub(super) fn bands(
        &self,
        test: usize,
        (lefts, rights): (&[u32], &[u32]),
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<(), CompareError> {
        let Some(bands) = &self.program.bands[test] else {
            return Err(CompareError::Internal { what: "a text measure without thresholds" });
        };
        let kernel = self.kernel(bands.measure, bands.similarity, (bands.left, bands.right))?;
        let mut left_codes = scratch.take_words();
        let mut right_codes = scratch.take_words();
        let codes = &self.columns.codes[bands.left];
        left_codes.extend(lefts.iter().map(|row| codes[*row as usize]));
        let codes = &self.columns.codes[bands.right];
        right_codes.extend(rights.iter().map(|row| codes[*row as usize]));
        match kernel {
            Kernel::Characters(kernel, texts) => {
                kernel.bands_of_pairs(texts, &left_codes, &right_codes, &bands.thresholds, out);
            }
            Kernel::Tokens(tokens) => {
                for (band, (left, right)) in out.iter_mut().zip(left_codes.iter().zip(&right_codes)) {
                    *band = bands.thresholds.band(tokens.similarity(*left, *right));
                }
            }
        }
        scratch.give_words(left_codes);
        scratch.give_words(right_codes);
        Ok(())
    }

    /// Computes the value of a measure for each pair; `out` is reset to as many nulls.
    pub(super) fn measure(
        &self,
        measure: MeasureId,
        (lefts, rights): (&[u32], &[u32]),
        out: &mut Numbers,
        _scratch: &mut Scratch,
    ) -> Result<(), CompareError> {
        let count = self.program.measures.len();
        let found = self.program.measures.get(measure).ok_or(CompareError::NoMeasure { index: measure, count })?;
        match *found {
            Measure::Text { similarity, left, right } => {
                let kernel = self.kernel(measure, similarity, (left, right))?;
                self.each((left, lefts), (right, rights), out, |left, right| kernel.value(left, right));
            }
            Measure::PairwiseText { similarity, left, right } => {
                let kernel = self.kernel(measure, similarity, (left, right))?;
                let Values::TextList { offsets, codes, .. } = self.columns.values(left) else {
                    return Err(CompareError::Internal { what: "elements of a feature that is no list of texts" });
                };
                self.each((left, lefts), (right, rights), out, |left, right| {
                    best(similarity, kernel, (list(offsets, codes, left), list(offsets, codes, right)))
                });
            }
            Measure::SharedElements { left, right } => {
                self.each_shared((left, lefts), (right, rights), out, |shared, _, _| shared)?;
            }
            Measure::MissingElements { left, right } => {
                self.each_shared((left, lefts), (right, rights), out, |shared, left, right| left.min(right) - shared)?;
            }
            Measure::VectorCosine { left, right } => {
                let Values::NumberList { offsets, numbers } = self.columns.values(left) else {
                    return Err(CompareError::Internal { what: "the cosine of a feature that is no list of numbers" });
                };
                let semantics = self.program.semantics;
                self.each((left, lefts), (right, rights), out, |left, right| {
                    cosine(list(offsets, numbers, left), list(offsets, numbers, right), semantics)
                });
            }
        }
        Ok(())
    }

    /// Gives what computes a measure's similarity; tokens are prepared when first asked for.
    fn kernel(
        &self,
        measure: MeasureId,
        similarity: TextSimilarity,
        (left, right): (FeatureId, FeatureId),
    ) -> Result<Kernel<'_>, CompareError> {
        let (Values::Text(texts) | Values::TextList { elements: texts, .. }) = self.columns.values(left) else {
            return Err(CompareError::Internal { what: "a text measure of a feature that is no text" });
        };
        if let Some(kernel) = TextKernel::new(similarity, self.program.semantics) {
            return Ok(Kernel::Characters(kernel, texts));
        }
        let tokens = self.tokens[measure].get_or_init(|| {
            let counts = self.record_counts(left, right, texts.len());
            #[expect(clippy::cast_possible_truncation, reason = "codes are 32-bit, so there are no more texts")]
            let texts = (0..texts.len() as u32).map(|code| texts.get(code));
            TokenTable::new(similarity, texts, Some(&counts))
        });
        tokens.as_ref().map(Kernel::Tokens).ok_or(CompareError::Internal { what: "a similarity has no kernel" })
    }

    /// Counts for each text the records that have it, in lists as their element, in either of two features.
    fn record_counts(&self, left: FeatureId, right: FeatureId, len: usize) -> Vec<u32> {
        let mut counts = vec![0_u32; len];
        let features = if left == right { &[left][..] } else { &[left, right][..] };
        for &code in features.iter().flat_map(|feature| &self.columns.codes[*feature]) {
            let texts = match self.columns.values(left) {
                _ if code == NULL => continue,
                Values::TextList { offsets, codes, .. } => list(offsets, codes, code),
                _ => std::slice::from_ref(&code),
            };
            for text in texts {
                counts[*text as usize] += 1;
            }
        }
        counts
    }

    /// Sets the values of the pairs without a null.
    fn each(
        &self,
        (left, lefts): (FeatureId, &[u32]),
        (right, rights): (FeatureId, &[u32]),
        out: &mut Numbers,
        mut value: impl FnMut(u32, u32) -> Option<f64>,
    ) {
        let left_codes = &self.columns.codes[left];
        let right_codes = &self.columns.codes[right];
        for (place, (left, right)) in lefts.iter().zip(rights).enumerate() {
            let left = left_codes[*left as usize];
            let right = right_codes[*right as usize];
            if left != NULL && right != NULL {
                out.set(place, value(left, right));
            }
        }
    }

    /// Sets values from the numbers of shared, left and right distinct elements.
    fn each_shared(
        &self,
        lefts: (FeatureId, &[u32]),
        rights: (FeatureId, &[u32]),
        out: &mut Numbers,
        value: impl Fn(usize, usize, usize) -> usize,
    ) -> Result<(), CompareError> {
        #[expect(clippy::cast_precision_loss, reason = "lists are far shorter than 2^52")]
        let number = |shared, left, right| Some(value(shared, left, right) as f64);
        match self.columns.values(lefts.0) {
            Values::TextList { offsets, codes, .. } => self.each(lefts, rights, out, |left, right| {
                let (left, right) = (list(offsets, codes, left), list(offsets, codes, right));
                number(shared(left, right), left.len(), right.len())
            }),
            Values::NumberList { offsets, numbers } => self.each(lefts, rights, out, |left, right| {
                let left = distinct(list(offsets, numbers, left));
                let right = distinct(list(offsets, numbers, right));
                number(left.iter().filter(|one| right.contains(one)).count(), left.len(), right.len())
            }),
            _ => return Err(CompareError::Internal { what: "shared elements of a feature that is no list" }),
        }
        Ok(())
    }
}

fn list<'v, T>(offsets: &[u32], values: &'v [T], code: u32) -> &'v [T] {
    &values[offsets[code as usize] as usize..offsets[code as usize + 1] as usize]
}

/// Counts what two rising lists share.
fn shared(left: &[u32], right: &[u32]) -> usize {
    let (mut one, mut other, mut count) = (0, 0, 0);
    while one < left.len() && other < right.len() {
        let (a, b) = (left[one], right[other]);
        count += usize::from(a == b);
        one += usize::from(a <= b);
        other += usize::from(b <= a);
    }
    count
}

/// Gives the distinct bit patterns of numbers, one for both zeros and one for all that are not a number.
fn distinct(numbers: &[f64]) -> Vec<u64> {
    let bits = |number: &f64| if number.is_nan() { f64::NAN.to_bits() } else { (number + 0.0).to_bits() };
    let mut distinct: Vec<u64> = numbers.iter().map(bits).collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}

/// Gives the best value over all pairs of elements.
fn best(similarity: TextSimilarity, kernel: Kernel<'_>, (lefts, rights): (&[u32], &[u32])) -> Option<f64> {
    let values = lefts.iter().flat_map(|left| rights.iter().filter_map(|right| kernel.value(*left, *right)));
    if larger_is_closer(similarity) { values.reduce(f64::max) } else { values.reduce(f64::min) }
}

/// Gives the cosine of two vectors: `x·y / sqrt(x·x * y·y)` held between -1 and 1, as DuckDB computes it.
fn cosine(left: &[f64], right: &[f64], semantics: TextSemantics) -> Option<f64> {
    if left.len() != right.len() {
        return None;
    }
    let (mut product, mut left_norm, mut right_norm) = (0.0, 0.0, 0.0);
    for (x, y) in left.iter().zip(right) {
        product += x * y;
        left_norm += x * x;
        right_norm += y * y;
    }
    let norm: f64 = left_norm * right_norm;
    if norm == 0.0 && semantics == TextSemantics::Characters {
        return None;
    }
    let similarity: f64 = product / norm.sqrt();
    Some(similarity.clamp(-1.0, 1.0))
}
