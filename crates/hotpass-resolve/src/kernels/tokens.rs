//! Similarities of token sets and q-gram sets.
//!
//! A token is a run of letters and digits; text is taken as it is, so lower it first if case should not count. The q-grams of a text
//! are its substrings of q characters, without padding; a text of fewer characters is its own only gram.
//! Two texts without tokens (or grams) score 1, a text with and one without 0.

use hashbrown::HashMap;

use super::organization::Organizations;
use crate::plan::TextSimilarity;

/// Jaro–Winkler similarity above which soft TF-IDF takes two tokens for spellings of one (Cohen, Ravikumar and Fienberg 2003).
const CLOSE: f64 = 0.9;

/// Distinct texts prepared for one similarity over their tokens or q-grams.
///
/// ```
/// use hotpass_resolve::engine::kernels::tokens::TokenTable;
/// use hotpass_resolve::engine::plan::TextSimilarity;
///
/// let table = TokenTable::new(TextSimilarity::TokenJaccard, ["red door", "door blue red"], None).expect("of tokens");
/// assert!((table.similarity(0, 1) - 2.0 / 3.0).abs() < 1e-12);
/// ```
#[derive(Debug)]
pub struct TokenTable(Prepare);

#[derive(Debug)]
enum Prepare {
    Jaccard(Sets),
    Dice(Sets),
    Vectors(Vectors),
    SoftTfIdf(Vectors, Tokens),
    MongeElkan(Vectors, Tokens),
    Organizations(Organizations),
}

/// Sorted distinct ids of each text.
#[derive(Debug, Default)]
pub(super) struct Sets {
    offsets: Vec<usize>,
    ids: Vec<u32>,
}

/// Ids of each text with weights.
#[derive(Debug)]
pub(super) struct Vectors {
    sets: Sets,
    /// For each id of each text its weight; the vector of a text has length 1, or its weights sum to 1 for Monge–Elkan.
    weights: Vec<f64>,
}

/// The distinct tokens.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    offsets: Vec<usize>,
    characters: Vec<char>,
    /// For each token the set of its characters, each as one of 64.
    masks: Vec<u64>,
    kinds: Vec<TokenKind>,
}

/// How a token is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenKind {
    /// At most 16 characters, all of them in the block of ASCII letters, so that a character's low 6 bits tell it.
    Short,
    /// Any other.
    General,
    /// Like no other token, however spelt.
    Exact,
}

/// A token that others are compared with, one after another.
struct Reference<'a> {
    id: u32,
    characters: &'a [char],
    mask: u64,
    kind: TokenKind,
    /// For each low 6 bits of a character the positions it stands at; made when first needed.
    positions: Option<[u16; 64]>,
}

/// The most similar token of the other text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Best {
    pub(super) similarity: f64,
    pub(super) weight: f64,
}

/// Tokens of a text whose best matches fit on the stack.
const ON_STACK: usize = 32;

impl TokenTable {
    /// Prepares texts, code by code; none if the similarity is not one of tokens, q-grams or organisation names.
    ///
    /// `record_counts` gives for each text the number of records that have it, for the document frequencies of TF-IDF; 1 each if absent or too short.
    pub fn new<'a>(
        similarity: TextSimilarity,
        texts: impl IntoIterator<Item = &'a str>,
        record_counts: Option<&[u32]>,
    ) -> Option<Self> {
        let texts = texts.into_iter();
        Some(Self(match similarity {
            TextSimilarity::QGramJaccard { q } => Prepare::Jaccard(gram_sets(texts, q)),
            TextSimilarity::QGramDice { q } => Prepare::Dice(gram_sets(texts, q)),
            TextSimilarity::TokenJaccard => Prepare::Jaccard(token_vectors(texts).0.sets),
            TextSimilarity::TokenCosine => {
                let mut vectors = token_vectors(texts).0;
                vectors.make_unit();
                Prepare::Vectors(vectors)
            }
            TextSimilarity::TfIdfCosine => {
                let (mut vectors, tokens) = token_vectors(texts);
                vectors.weigh_by_frequency(tokens.len(), record_counts);
                Prepare::Vectors(vectors)
            }
            TextSimilarity::SoftTfIdf => {
                let (mut vectors, tokens) = token_vectors(texts);
                vectors.weigh_by_frequency(tokens.len(), record_counts);
                Prepare::SoftTfIdf(vectors, tokens)
            }
            TextSimilarity::MongeElkan => {
                let (mut vectors, tokens) = token_vectors(texts);
                vectors.make_shares();
                Prepare::MongeElkan(vectors, tokens)
            }
            TextSimilarity::OrganizationName => Prepare::Organizations(Organizations::new(texts)),
            TextSimilarity::Jaro
            | TextSimilarity::JaroWinkler
            | TextSimilarity::Levenshtein
            | TextSimilarity::DamerauLevenshtein
            | TextSimilarity::Jaccard
            | TextSimilarity::Hamming => return None,
        }))
    }

    /// Gives the similarity of two texts by their codes, 0 to 1.
    ///
    /// # Panics
    ///
    /// If a code is not one of the table.
    pub fn similarity(&self, left: u32, right: u32) -> f64 {
        if left == right {
            return 1.0;
        }
        let (left, right) = (left as usize, right as usize);
        match &self.0 {
            Prepare::Jaccard(sets) => jaccard(sets.of(left), sets.of(right)),
            Prepare::Dice(sets) => dice(sets.of(left), sets.of(right)),
            Prepare::Vectors(vectors) => vectors.dot(left, right),
            Prepare::SoftTfIdf(vectors, tokens) => {
                vectors.mean_of_both_ways(tokens, left, right, CLOSE, |best| best.similarity * best.weight)
            }
            Prepare::MongeElkan(vectors, tokens) => {
                vectors.mean_of_both_ways(tokens, left, right, 0.0, |best| best.similarity)
            }
            Prepare::Organizations(names) => names.similarity(left, right),
        }
    }
}

/// Splits a text into its tokens, the runs of letters and digits.
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|token| !token.is_empty())
}

/// Gives the similarity of two texts on their own, 0 to 1; none if it is not one of tokens, q-grams or organisation names.
///
/// For TF-IDF the two texts are the whole corpus, so document frequencies tell little; compare through a [`TokenTable`] instead.
pub fn similarity_of(similarity: TextSimilarity, left: &str, right: &str) -> Option<f64> {
    TokenTable::new(similarity, [left, right], None).map(|table| table.similarity(0, 1))
}

/// Gives the Jaccard similarity of the sets of q-grams: shared grams over all grams (Jaccard 1912).
pub fn qgram_jaccard(left: &str, right: &str, q: u8) -> f64 {
    similarity_of(TextSimilarity::QGramJaccard { q }, left, right).unwrap_or_default()
}

/// Gives the Dice similarity of the sets of q-grams: twice the shared grams over the sum of both counts (Dice 1945).
pub fn qgram_dice(left: &str, right: &str, q: u8) -> f64 {
    similarity_of(TextSimilarity::QGramDice { q }, left, right).unwrap_or_default()
}

/// Gives the Jaccard similarity of the sets of tokens.
pub fn token_jaccard(left: &str, right: &str) -> f64 {
    similarity_of(TextSimilarity::TokenJaccard, left, right).unwrap_or_default()
}

/// Gives the cosine of the vectors of token counts (Salton, Wong and Yang 1975, *A Vector Space Model for Automatic Indexing*).
pub fn token_cosine(left: &str, right: &str) -> f64 {
    similarity_of(TextSimilarity::TokenCosine, left, right).unwrap_or_default()
}

/// Gives the Monge–Elkan similarity with inner Jaro–Winkler, the mean of both directions.
///
/// One direction is the mean over the tokens of one text of the best similarity to a token of the other (Monge and Elkan 1996, *The Field Matching Problem*).
pub fn monge_elkan(left: &str, right: &str) -> f64 {
    similarity_of(TextSimilarity::MongeElkan, left, right).unwrap_or_default()
}

/// Gives the Jaro–Winkler similarity over characters: prefix of at most 4, scale 0.1, boost above 0.7 (Winkler 1990). Two empty texts score 1.
fn jaro_winkler(left: &[char], right: &[char]) -> f64 {
    with_prefix(jaro(left, right), left, right)
}

fn with_prefix(jaro: f64, left: &[char], right: &[char]) -> f64 {
    if jaro <= 0.7 { jaro } else { jaro + 0.1 * common_prefix(left, right) as f64 * (1.0 - jaro) }
}

/// Counts the characters that two texts start with alike, at most 4.
fn common_prefix(left: &[char], right: &[char]) -> usize {
    left.iter().zip(right).take(4).take_while(|(left, right)| left == right).count()
}

/// Gives the Jaro similarity (Jaro 1989): the mean of the shares of matched characters and of those in order.
fn jaro(left: &[char], right: &[char]) -> f64 {
    if left.len() > 64 || right.len() > 64 {
        let (left, right): (String, String) = (left.iter().collect(), right.iter().collect());
        return strsim::jaro(&left, &right);
    }
    if left.is_empty() || right.is_empty() {
        return f64::from(u8::from(left.is_empty() && right.is_empty()));
    }
    let window = (left.len().max(right.len()) / 2).saturating_sub(1);
    let (mut matched_left, mut matched_right) = (0_u64, 0_u64);
    for (at, character) in left.iter().enumerate() {
        let to = (at + window + 1).min(right.len());
        for (other, candidate) in right.iter().enumerate().take(to).skip(at.saturating_sub(window)) {
            if matched_right & (1 << other) == 0 && candidate == character {
                matched_left |= 1 << at;
                matched_right |= 1 << other;
                break;
            }
        }
    }
    jaro_of_matches(left, right, matched_left, matched_right)
}

/// Gives the Jaro similarity from the positions of the matched characters, a bit each.
fn jaro_of_matches(left: &[char], right: &[char], matched_left: u64, matched_right: u64) -> f64 {
    let n_matched = matched_left.count_ones();
    if n_matched == 0 {
        return 0.0;
    }
    let (mut transposed, mut rest) = (0_u32, matched_right);
    for (at, character) in left.iter().enumerate() {
        if matched_left & (1 << at) != 0 {
            transposed += u32::from(right[rest.trailing_zeros() as usize] != *character);
            rest &= rest - 1;
        }
    }
    let matched = f64::from(n_matched);
    let in_order = matched - f64::from(transposed / 2);
    (matched / left.len() as f64 + matched / right.len() as f64 + in_order / matched) / 3.0
}

impl Sets {
    fn of(&self, text: usize) -> &[u32] {
        &self.ids[self.offsets[text]..self.offsets[text + 1]]
    }
}

impl Tokens {
    fn len(&self) -> usize {
        self.masks.len()
    }

    fn push(&mut self, token: &str, exact: bool) {
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        self.characters.extend(token.chars());
        self.offsets.push(self.characters.len());
        self.masks.push(token.chars().fold(0, |mask, character| mask | 1 << (u32::from(character) % 64)));
        let is_short =
            || token.chars().count() <= 16 && token.chars().all(|character| ('@'..='\u{7f}').contains(&character));
        self.kinds.push(match exact {
            true => TokenKind::Exact,
            false if is_short() => TokenKind::Short,
            false => TokenKind::General,
        });
    }

    fn get(&self, id: u32) -> &[char] {
        &self.characters[self.offsets[id as usize]..self.offsets[id as usize + 1]]
    }

    fn reference(&self, id: u32) -> Reference<'_> {
        let (mask, kind) = (self.masks[id as usize], self.kinds[id as usize]);
        Reference { id, characters: self.get(id), mask, kind, positions: None }
    }

    /// Gives the Jaro–Winkler similarity of two tokens, or 0 if it is below a floor.
    fn similarity(&self, left: u32, right: &mut Reference<'_>, floor: f64) -> f64 {
        if left == right.id {
            return 1.0;
        }
        let (kind, mask, left) = (self.kinds[left as usize], self.masks[left as usize], self.get(left));
        if kind == TokenKind::Exact || right.kind == TokenKind::Exact {
            return 0.0;
        }
        // Each character that the other token lacks is one that cannot match.
        let lacking = |mask: u64, other: u64| (mask & !other).count_ones() as usize;
        let other = right.characters;
        let n_matched = (left.len() - lacking(mask, right.mask)).min(other.len() - lacking(right.mask, mask));
        if n_matched == 0 {
            return 0.0;
        }
        let matched = n_matched as f64;
        let jaro = (matched / left.len() as f64 + matched / other.len() as f64 + 1.0) / 3.0;
        let bound = jaro + 0.1 * common_prefix(left, other) as f64 * (1.0 - jaro);
        if bound < floor - 1e-9 {
            return 0.0;
        }
        if kind == TokenKind::Short && right.kind == TokenKind::Short {
            return with_prefix(right.jaro_of_short(left), left, other);
        }
        jaro_winkler(left, other)
    }
}

impl Reference<'_> {
    /// Gives the Jaro similarity of two short tokens: each character finds its first free position by a mask.
    fn jaro_of_short(&mut self, left: &[char]) -> f64 {
        let low_bits = |character: char| (u32::from(character) % 64) as usize;
        let right = self.characters;
        let positions = self.positions.get_or_insert_with(|| {
            let mut positions = [0; 64];
            for (at, character) in right.iter().enumerate() {
                positions[low_bits(*character)] |= 1 << at;
            }
            positions
        });
        let window = (left.len().max(right.len()) / 2).saturating_sub(1);
        let (mut matched_left, mut matched_right) = (0_u64, 0_u64);
        for (at, character) in left.iter().enumerate() {
            let in_window = (1_u64 << (at + window + 1)) - (1_u64 << at.saturating_sub(window));
            let free = u64::from(positions[low_bits(*character)]) & in_window & !matched_right;
            matched_right |= free & free.wrapping_neg();
            matched_left |= u64::from(free != 0) << at;
        }
        jaro_of_matches(left, right, matched_left, matched_right)
    }
}

impl Default for Vectors {
    fn default() -> Self {
        Self { sets: Sets { offsets: vec![0], ids: Vec::new() }, weights: Vec::new() }
    }
}

impl Vectors {
    pub(super) fn of(&self, text: usize) -> (&[u32], &[f64]) {
        (self.sets.of(text), &self.weights[self.sets.offsets[text]..self.sets.offsets[text + 1]])
    }

    /// Scales each vector to length 1.
    fn make_unit(&mut self) {
        self.scale(|weights| weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt());
    }

    /// Scales each vector to sum 1.
    fn make_shares(&mut self) {
        self.scale(|weights| weights.iter().sum());
    }

    fn scale(&mut self, norm: impl Fn(&[f64]) -> f64) {
        for range in self.sets.offsets.windows(2) {
            let weights = &mut self.weights[range[0]..range[1]];
            let norm = norm(weights);
            for weight in weights {
                *weight /= norm;
            }
        }
    }

    /// Turns counts into unit vectors of `ln(1 + count) · ln(1 + N / df)`, df the number of the N records whose text has the token.
    ///
    /// The weights of Cohen, Ravikumar and Fienberg 2003 (*A Comparison of String Metrics for Matching Names and Records*, section 3.1) with 1 added under
    /// the second logarithm, so that a token of every record keeps a small weight.
    fn weigh_by_frequency(&mut self, n_tokens: usize, record_counts: Option<&[u32]>) {
        let n_texts = self.sets.offsets.len() - 1;
        let count_of =
            |text: usize| record_counts.and_then(|counts| counts.get(text)).map_or(1, |count| u64::from(*count));
        let mut frequencies = vec![0_u64; n_tokens];
        for text in 0..n_texts {
            for id in self.sets.of(text) {
                frequencies[*id as usize] += count_of(text);
            }
        }
        let n_records: u64 = (0..n_texts).map(count_of).sum();
        for (id, weight) in self.sets.ids.iter().zip(&mut self.weights) {
            *weight = weight.ln_1p() * (n_records as f64 / frequencies[*id as usize].max(1) as f64).ln_1p();
        }
        self.make_unit();
    }

    fn dot(&self, left: usize, right: usize) -> f64 {
        let ((left, left_weights), (right, right_weights)) = (self.of(left), self.of(right));
        if left.is_empty() && right.is_empty() {
            return 1.0;
        }
        let (mut at, mut other, mut sum) = (0, 0, 0.0);
        while at < left.len() && other < right.len() {
            let (a, b) = (left[at], right[other]);
            if a == b {
                sum += left_weights[at] * right_weights[other];
            }
            at += usize::from(a <= b);
            other += usize::from(b <= a);
        }
        sum.min(1.0)
    }

    /// Averages over both directions the weighted sum of what the best matches count for, at most 1.
    fn mean_of_both_ways(
        &self,
        tokens: &Tokens,
        left: usize,
        right: usize,
        floor: f64,
        counts_for: impl Fn(Best) -> f64,
    ) -> f64 {
        match (self.sets.of(left).is_empty(), self.sets.of(right).is_empty()) {
            (true, true) => 1.0,
            (true, false) | (false, true) => 0.0,
            (false, false) => {
                let (from_left, from_right) = self.sums_of_best(tokens, left, right, floor, counts_for);
                f64::midpoint(from_left, from_right).min(1.0)
            }
        }
    }

    /// Sums over the tokens of either text their weights times what the best match in the other counts for.
    ///
    /// A token without a match above the floor has no best match and adds nothing. Each pair of tokens is compared once.
    pub(super) fn sums_of_best(
        &self,
        tokens: &Tokens,
        left: usize,
        right: usize,
        floor: f64,
        counts_for: impl Fn(Best) -> f64,
    ) -> (f64, f64) {
        let (left, right) = (self.of(left), self.of(right));
        let none = Best { similarity: floor, weight: 0.0 };
        let (mut on_stack, mut on_heap) = ([none; 2 * ON_STACK], Vec::new());
        let n_tokens = left.0.len() + right.0.len();
        let best = if n_tokens <= on_stack.len() {
            &mut on_stack[..n_tokens]
        } else {
            on_heap.resize(n_tokens, none);
            &mut on_heap[..]
        };
        let (best_left, best_right) = best.split_at_mut(left.0.len());
        for (b, best_right) in best_right.iter_mut().enumerate() {
            let mut reference = tokens.reference(right.0[b]);
            for (a, best_left) in best_left.iter_mut().enumerate() {
                let needed = best_left.similarity.min(best_right.similarity);
                let similarity = tokens.similarity(left.0[a], &mut reference, needed);
                best_left.improve(similarity, right.1[b]);
                best_right.improve(similarity, left.1[a]);
            }
        }
        let sum = |weights: &[f64], best: &[Best]| {
            weights
                .iter()
                .zip(best)
                .filter(|(_, best)| best.weight > 0.0)
                .map(|(weight, best)| weight * counts_for(*best))
                .sum()
        };
        (sum(left.1, best_left), sum(right.1, best_right))
    }
}

impl Best {
    /// Takes a match if it is more similar, or as similar and of more weight; a first one must be above the floor.
    fn improve(&mut self, similarity: f64, weight: f64) {
        let is_tie = similarity >= self.similarity && self.weight > 0.0;
        if similarity > self.similarity || (is_tie && weight > self.weight) {
            *self = Self { similarity, weight };
        }
    }
}

fn n_shared(left: &[u32], right: &[u32]) -> usize {
    let (mut at, mut other, mut n_shared) = (0, 0, 0);
    while at < left.len() && other < right.len() {
        let (a, b) = (left[at], right[other]);
        n_shared += usize::from(a == b);
        at += usize::from(a <= b);
        other += usize::from(b <= a);
    }
    n_shared
}

fn jaccard(left: &[u32], right: &[u32]) -> f64 {
    if left.is_empty() && right.is_empty() {
        return 1.0;
    }
    let n_shared = n_shared(left, right);
    n_shared as f64 / (left.len() + right.len() - n_shared) as f64
}

fn dice(left: &[u32], right: &[u32]) -> f64 {
    if left.is_empty() && right.is_empty() {
        return 1.0;
    }
    2.0 * n_shared(left, right) as f64 / (left.len() + right.len()) as f64
}

/// Gives each text's tokens with their counts, and the distinct tokens.
fn token_vectors<'a>(texts: impl Iterator<Item = &'a str>) -> (Vectors, Tokens) {
    let mut ids: HashMap<&str, u32> = HashMap::new();
    let mut tokens = Tokens::default();
    let mut vectors = Vectors::default();
    let mut of_text: Vec<u32> = Vec::new();
    for text in texts {
        of_text.clear();
        for token in split(text) {
            let next = ids.len() as u32;
            of_text.push(*ids.entry(token).or_insert_with(|| {
                tokens.push(token, false);
                next
            }));
        }
        of_text.sort_unstable();
        for same in of_text.chunk_by(|left, right| left == right) {
            vectors.sets.ids.push(same[0]);
            vectors.weights.push(same.len() as f64);
        }
        vectors.sets.offsets.push(vectors.sets.ids.len());
    }
    (vectors, tokens)
}

/// Gives each text's words, given as lists, weighted by their number of characters; words with digits are like no other.
pub(super) fn word_vectors<'a>(texts: impl Iterator<Item = &'a [String]>) -> (Vectors, Tokens) {
    let mut ids: HashMap<&str, u32> = HashMap::new();
    let mut tokens = Tokens::default();
    let mut vectors = Vectors::default();
    for text in texts {
        for word in text {
            let next = ids.len() as u32;
            vectors.sets.ids.push(*ids.entry(word).or_insert_with(|| {
                tokens.push(word, word.chars().any(|character| character.is_ascii_digit()));
                next
            }));
            vectors.weights.push(word.chars().count() as f64);
        }
        vectors.sets.offsets.push(vectors.sets.ids.len());
    }
    (vectors, tokens)
}

/// Gives each text's q-grams; a q of 0 is taken as 1.
fn gram_sets<'a>(texts: impl Iterator<Item = &'a str>, q: u8) -> Sets {
    let q = usize::from(q.max(1));
    let mut ids: HashMap<&str, u32> = HashMap::new();
    let mut sets = Sets { offsets: vec![0], ids: Vec::new() };
    let (mut starts, mut of_text) = (Vec::new(), Vec::new());
    for text in texts {
        starts.clear();
        of_text.clear();
        starts.extend(text.char_indices().map(|(start, _)| start));
        starts.push(text.len());
        let n_characters = starts.len() - 1;
        let length = q.min(n_characters);
        if length > 0 {
            for first in 0..=n_characters - length {
                let next = ids.len() as u32;
                of_text.push(*ids.entry(&text[starts[first]..starts[first + length]]).or_insert(next));
            }
        }
        of_text.sort_unstable();
        of_text.dedup();
        sets.ids.extend_from_slice(&of_text);
        sets.offsets.push(sets.ids.len());
    }
    sets
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const ALL: [TextSimilarity; 8] = [
        TextSimilarity::QGramJaccard { q: 2 },
        TextSimilarity::QGramDice { q: 3 },
        TextSimilarity::TokenJaccard,
        TextSimilarity::TokenCosine,
        TextSimilarity::TfIdfCosine,
        TextSimilarity::SoftTfIdf,
        TextSimilarity::MongeElkan,
        TextSimilarity::OrganizationName,
    ];

    fn check(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-12, "{actual} is not {expected}");
    }

    fn words() -> impl Strategy<Value = String> {
        prop::collection::vec("[a-c]{1,3}|[äé]{1,2}|smith|smyth", 0..5).prop_map(|words| words.join(" "))
    }

    fn grams(text: &str, q: usize) -> BTreeSet<String> {
        let characters: Vec<char> = text.chars().collect();
        match characters.len() {
            0 => BTreeSet::new(),
            length => characters.windows(q.min(length)).map(|gram| gram.iter().collect()).collect(),
        }
    }

    fn counts(text: &str) -> Vec<(String, f64)> {
        let tokens: Vec<&str> = split(text).collect();
        let distinct: BTreeSet<&str> = tokens.iter().copied().collect();
        distinct
            .into_iter()
            .map(|token| (token.to_owned(), tokens.iter().filter(|other| **other == token).count() as f64))
            .collect()
    }

    #[test]
    fn worked_examples() {
        check(qgram_jaccard("night", "nacht", 2), 1.0 / 7.0);
        check(qgram_dice("night", "nacht", 2), 0.25);
        check(token_jaccard("the red door", "red door"), 2.0 / 3.0);
        check(token_cosine("a a b", "a c"), 2.0 / 10.0_f64.sqrt());
        check(monge_elkan("paul johnson", "johnson paul"), 1.0);
        check(qgram_jaccard("a", "a", 3), 1.0);
        check(qgram_jaccard("", "a", 2), 0.0);
        check(token_jaccard("--", ""), 1.0);
        assert_eq!(similarity_of(TextSimilarity::Jaro, "a", "b"), None);
    }

    #[test]
    fn rare_tokens_weigh_more() {
        let texts = ["acme ltd", "zenith ltd", "acme inc", "omega ltd"];
        let table = TokenTable::new(TextSimilarity::TfIdfCosine, texts, Some(&[1, 50, 1, 50])).unwrap();
        assert!(table.similarity(0, 2) > 0.5 && table.similarity(0, 1) < 0.1);
        let soft =
            TokenTable::new(TextSimilarity::SoftTfIdf, ["acme trading", "acmee trading", "zenith"], None).unwrap();
        let hard =
            TokenTable::new(TextSimilarity::TfIdfCosine, ["acme trading", "acmee trading", "zenith"], None).unwrap();
        assert!(soft.similarity(0, 1) > 0.95 && hard.similarity(0, 1) < 0.7);
    }

    proptest! {
        #[test]
        fn every_similarity_is_symmetric_bounded_and_1_for_the_same(texts in prop::collection::vec(words(), 2..6)) {
            for similarity in ALL {
                let twice = texts.iter().chain(&texts).map(String::as_str);
                let table = TokenTable::new(similarity, twice, None).unwrap();
                for left in 0..texts.len() as u32 {
                    let same = table.similarity(left, left + texts.len() as u32);
                    prop_assert!((same - 1.0).abs() < 1e-12, "{similarity:?} of the same: {same}");
                    for right in 0..texts.len() as u32 {
                        let value = table.similarity(left, right);
                        prop_assert!((0.0..=1.0).contains(&value), "{similarity:?}: {value}");
                        prop_assert!((value - table.similarity(right, left)).abs() < 1e-12, "{similarity:?}");
                    }
                }
            }
        }

        #[test]
        fn grams_agree_with_brute_force(left in "[abé]{0,8}", right in "[abé]{0,8}", q in 1u8..5) {
            let (a, b) = (grams(&left, q.into()), grams(&right, q.into()));
            let shared = a.intersection(&b).count() as f64;
            let all = a.union(&b).count() as f64;
            let expected = if all == 0.0 { (1.0, 1.0) } else { (shared / all, 2.0 * shared / (a.len() + b.len()) as f64) };
            prop_assert!((qgram_jaccard(&left, &right, q) - expected.0).abs() < 1e-12);
            prop_assert!((qgram_dice(&left, &right, q) - expected.1).abs() < 1e-12);
        }

        #[test]
        fn tf_idf_agrees_with_brute_force(texts in prop::collection::vec(words(), 2..6), records in prop::collection::vec(1u32..9, 6)) {
            let table = TokenTable::new(TextSimilarity::TfIdfCosine, texts.iter().map(String::as_str), Some(&records)).unwrap();
            let n_records: f64 = records[..texts.len()].iter().map(|count| f64::from(*count)).sum();
            let vector = |text: &str| -> Vec<(String, f64)> {
                let weights: Vec<(String, f64)> = counts(text).into_iter().map(|(token, count)| {
                    let frequency: f64 = texts.iter().zip(&records).filter(|(text, _)| split(text).any(|other| other == token)).map(|(_, count)| f64::from(*count)).sum();
                    (token, (1.0 + count).ln() * (1.0 + n_records / frequency).ln())
                }).collect();
                let norm = weights.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
                weights.into_iter().map(|(token, weight)| (token, weight / norm)).collect()
            };
            let (a, b) = (vector(&texts[0]), vector(&texts[1]));
            let expected: f64 = a.iter().map(|(token, weight)| b.iter().filter(|(other, _)| other == token).map(|(_, other)| weight * other).sum::<f64>()).sum();
            let expected = if a.is_empty() && b.is_empty() { 1.0 } else { expected };
            prop_assert!((table.similarity(0, 1) - expected).abs() < 1e-9);
        }

        #[test]
        fn monge_elkan_agrees_with_brute_force(left in words(), right in words()) {
            let one_way = |from: &str, to: &str| {
                let best = |token: &str| split(to).map(|other| strsim::jaro_winkler(token, other)).fold(0.0, f64::max);
                let n_tokens = split(from).count() as f64;
                split(from).map(best).sum::<f64>() / n_tokens
            };
            let expected = match (split(&left).count(), split(&right).count()) {
                (0, 0) => 1.0,
                (0, _) | (_, 0) => 0.0,
                _ => f64::midpoint(one_way(&left, &right), one_way(&right, &left)),
            };
            prop_assert!((monge_elkan(&left, &right) - expected).abs() < 1e-12);
        }

        #[test]
        fn tokens_of_every_kind_agree_with_strsim(texts in prop::collection::vec("[a-d]{1,16}|[A-Ca-c]{1,6}|[abé1]{1,6}|[ab]{17,20}", 2)) {
            let mut tokens = Tokens::default();
            tokens.push(&texts[0], false);
            tokens.push(&texts[1], false);
            let expected = strsim::jaro_winkler(&texts[0], &texts[1]);
            let both = [tokens.similarity(0, &mut tokens.reference(1), 0.0), tokens.similarity(1, &mut tokens.reference(0), 0.0)];
            prop_assert!(both.iter().all(|value| (value - expected).abs() < 1e-12), "{both:?} {expected}");
            prop_assert!((tokens.similarity(0, &mut tokens.reference(1), expected) - expected).abs() < 1e-12);
        }

        #[test]
        fn inner_similarity_agrees_with_strsim(left in "[a-dé]{0,9}|[ab]{60,70}", right in "[a-dé]{0,9}|[ab]{60,70}") {
            let (a, b): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
            prop_assert!((jaro_winkler(&a, &b) - strsim::jaro_winkler(&left, &right)).abs() < 1e-12);
        }
    }
}
