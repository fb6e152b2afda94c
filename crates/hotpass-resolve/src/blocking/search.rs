//! Rules that find pairs by nearness instead of equality: neighbours in sorted order, MinHash bands, shared tokens.

use std::cmp::Ordering;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::keys::{Keys, RuleKeys, sort_tail};
use crate::columns::{Columns, NULL, Values};
use crate::encode::{WordDictionary, hash_bytes};
use crate::kernels::TextTable;
use crate::plan::FeatureId;
use crate::random::random_at;

/// Records in sorted order: each pairs with the next ones.
///
/// Hernández and Stolfo, *The Merge/Purge Problem for Large Databases* (1995).
#[derive(Debug)]
pub(crate) struct Neighbours {
    /// The place of each record in the order, or [`NULL`] without a key.
    places: Vec<u32>,
    /// Rows in order; those of one key by row.
    order: Vec<u32>,
    window: u32,
}

impl Neighbours {
    pub(crate) fn new(columns: &Columns, key: FeatureId, window: u32) -> Self {
        let codes = &columns.codes[key];
        let ranks = ranks(columns.values(key));
        let mut order: Vec<u32> = (0..columns.n_rows as u32).filter(|&row| codes[row as usize] != NULL).collect();
        order.sort_by_key(|&row| ranks[codes[row as usize] as usize]);
        let mut places = vec![NULL; columns.n_rows];
        for (place, &row) in order.iter().enumerate() {
            places[row as usize] = place as u32;
        }
        Self { places, order, window }
    }

    pub(crate) fn agree(&self, left: u32, right: u32) -> bool {
        let (one, other) = (self.places[left as usize], self.places[right as usize]);
        one != NULL && other != NULL && one.abs_diff(other) < self.window
    }

    /// Counts the records that have a place.
    pub(crate) fn len(&self) -> u32 {
        self.order.len() as u32
    }

    /// Gives a bound of the pairs of a place.
    pub(crate) fn per_place(&self) -> u64 {
        u64::from(self.window.saturating_sub(1))
    }

    pub(crate) fn null_records(&self) -> u64 {
        (self.places.len() - self.order.len()) as u64
    }

    /// Gives the pairs of a place with those after it, lower row first.
    pub(crate) fn pairs_at(&self, place: u32) -> impl Iterator<Item = (u32, u32)> {
        let end = self.order.len().min(place as usize + self.window as usize);
        let row = self.order[place as usize];
        let others = self.order.get(place as usize + 1..end).unwrap_or_default();
        others.iter().map(move |&other| (row.min(other), row.max(other)))
    }
}

/// Gives the rank of each value in its order; text orders by its bytes.
fn ranks(values: &Values) -> Vec<u32> {
    fn by(n: usize, compare: impl Fn(usize, usize) -> Ordering) -> Vec<u32> {
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&one, &other| compare(one, other));
        let mut ranks = vec![0; n];
        for (rank, code) in order.into_iter().enumerate() {
            ranks[code] = rank as u32;
        }
        ranks
    }
    match values {
        Values::Text(table) => by(table.len(), |one, other| table.get(one as u32).cmp(table.get(other as u32))),
        Values::Integer(values) => by(values.len(), |one, other| values[one].cmp(&values[other])),
        Values::Number(values) => by(values.len(), |one, other| values[one].total_cmp(&values[other])),
        Values::Boolean(values) => by(values.len(), |one, other| values[one].cmp(&values[other])),
        Values::TextList { offsets, .. } | Values::NumberList { offsets, .. } => (0..offsets.len() as u32).collect(),
    }
}

/// Gives each record the keys of its value.
fn keys_of_values(codes: &[u32], of_values: &[Vec<u32>]) -> Keys {
    let mut offsets = Vec::with_capacity(codes.len() + 1);
    let mut keys = Vec::new();
    offsets.push(0);
    for &code in codes {
        if code != NULL {
            keys.extend_from_slice(&of_values[code as usize]);
        }
        offsets.push(keys.len() as u64);
    }
    Keys::Several { offsets, keys }
}

fn texts(columns: &Columns, feature: FeatureId) -> Option<&TextTable> {
    match columns.values(feature) {
        Values::Text(table) => Some(table),
        _ => None,
    }
}

/// Builds the blocks of MinHash bands: records meet where all hashes of a band agree.
///
/// Broder, *On the resemblance and containment of documents* (1997); banding as in Leskovec, Rajaraman, Ullman, *Mining of Massive
/// Datasets*, 3.4. A text shorter than `q` is one gram.
pub(crate) fn band_keys(columns: &Columns, feature: FeatureId, q: u32, bands: u32, rows_per_band: u32) -> RuleKeys {
    let Some(table) = texts(columns, feature) else { return RuleKeys::of_equalities(columns, &[]) };
    let signatures: Vec<Vec<u64>> = (0..table.len() as u32)
        .into_par_iter()
        .map(|code| {
            let grams = gram_hashes(table.get(code), q.max(1) as usize);
            if grams.is_empty() {
                return Vec::new();
            }
            let smallest = |hash: u64| grams.iter().map(|&gram| random_at(gram, hash)).min().unwrap_or(0);
            let rows = u64::from(rows_per_band.max(1));
            let band =
                |band: u64| (0..rows).fold(random_at(band, 0), |key, row| random_at(key, smallest(band * rows + row)));
            (0..u64::from(bands)).map(band).collect()
        })
        .collect();
    let mut dictionary = WordDictionary::new();
    let of_values: Vec<Vec<u32>> = signatures
        .iter()
        .map(|signature| {
            let mut keys: Vec<u32> = signature.iter().map(|&key| dictionary.code(key)).collect();
            sort_tail(&mut keys, 0);
            keys
        })
        .collect();
    RuleKeys::new(keys_of_values(&columns.codes[feature], &of_values), None, dictionary.len() as u32, 1)
}

fn gram_hashes(text: &str, q: usize) -> Vec<u64> {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    if starts.len() == 1 {
        return Vec::new();
    }
    if starts.len() <= q {
        return vec![u64::from(hash_bytes(text.as_bytes()))];
    }
    starts.windows(q + 1).map(|window| u64::from(hash_bytes(&text.as_bytes()[window[0]..window[q]]))).collect()
}

/// Builds the blocks of tokens: records meet where they share enough tokens that are not too frequent.
pub(crate) fn token_keys(columns: &Columns, feature: FeatureId, minimum_shared: u32, maximum_records: u64) -> RuleKeys {
    let Some(table) = texts(columns, feature) else { return RuleKeys::of_equalities(columns, &[]) };
    let mut known: std::collections::HashMap<&str, u32> = std::collections::HashMap::new();
    let of_values: Vec<Vec<u32>> = (0..table.len() as u32)
        .map(|code| {
            let mut keys = Vec::new();
            for token in
                table.get(code).split(|character: char| !character.is_alphanumeric()).filter(|token| !token.is_empty())
            {
                let next = known.len() as u32;
                keys.push(*known.entry(token).or_insert(next));
            }
            sort_tail(&mut keys, 0);
            keys
        })
        .collect();
    let mut keys = RuleKeys::new(
        keys_of_values(&columns.codes[feature], &of_values),
        None,
        known.len() as u32,
        minimum_shared.max(1),
    );
    let mut next = 0;
    let names: Vec<u32> = keys
        .left
        .sizes(keys.n_keys)
        .into_iter()
        .map(|size| {
            if u64::from(size) > maximum_records {
                return NULL;
            }
            next += 1;
            next - 1
        })
        .collect();
    keys.drop_named(&names, next);
    keys
}
