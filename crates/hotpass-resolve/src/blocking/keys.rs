//! Block keys: for each record the blocks it stands in under a rule.

use crate::columns::{Columns, NULL, Values};
use crate::encode::{WordDictionary, number_word};
use crate::plan::{EqualityKey, FeatureId};

/// The blocks of each record under one rule, seen from one side of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Keys {
    /// At most one block per record, or [`NULL`].
    One(Vec<u32>),
    /// Record `i` stands in the blocks `keys[offsets[i]..offsets[i + 1]]`, sorted and distinct.
    Several { offsets: Vec<u64>, keys: Vec<u32> },
}

impl Keys {
    /// Gives a record's blocks in ascending order.
    pub(crate) fn of(&self, row: u32) -> &[u32] {
        match self {
            Self::One(keys) => {
                let key = &keys[row as usize..=row as usize];
                if key[0] == NULL { &[] } else { key }
            }
            Self::Several { offsets, keys } => {
                &keys[offsets[row as usize] as usize..offsets[row as usize + 1] as usize]
            }
        }
    }

    fn slots(&self) -> &[u32] {
        match self {
            Self::One(keys) | Self::Several { keys, .. } => keys,
        }
    }

    /// Counts records per block.
    pub(crate) fn sizes(&self, n_keys: u32) -> Vec<u32> {
        let mut sizes = vec![0; n_keys as usize];
        for &key in self.slots() {
            if key != NULL {
                sizes[key as usize] += 1;
            }
        }
        sizes
    }

    /// Renames blocks; those without a new name are left.
    fn rename(&mut self, names: &[u32]) {
        let rename = |key: u32| if key == NULL { NULL } else { names[key as usize] };
        match self {
            Self::One(keys) => keys.iter_mut().for_each(|key| *key = rename(*key)),
            Self::Several { offsets, keys } => {
                let mut kept = 0;
                let mut begin = 0;
                for end in &mut offsets[1..] {
                    for at in begin..*end as usize {
                        let key = rename(keys[at]);
                        if key != NULL {
                            keys[kept] = key;
                            kept += 1;
                        }
                    }
                    begin = *end as usize;
                    *end = kept as u64;
                }
                keys.truncate(kept);
                keys.shrink_to_fit();
            }
        }
    }
}

/// The blocks of all records under one rule.
#[derive(Debug, Clone)]
pub(crate) struct RuleKeys {
    /// Blocks of a record as the left one of a pair.
    pub(crate) left: Keys,
    /// Blocks of a record as the right one, if they differ from those of the left.
    pub(crate) right: Option<Keys>,
    /// Number of blocks; each can hold a pair.
    pub(crate) n_keys: u32,
    /// Number of blocks that two records must share.
    pub(crate) minimum_shared: u32,
    /// Number of records without any key, that is with a null in it.
    pub(crate) null_records: u64,
}

impl RuleKeys {
    pub(crate) fn right(&self) -> &Keys {
        self.right.as_ref().unwrap_or(&self.left)
    }

    /// Tells whether a pair shares enough blocks.
    pub(crate) fn agree(&self, left: u32, right: u32) -> bool {
        if let (Keys::One(lefts), Keys::One(rights)) = (&self.left, self.right()) {
            let key = lefts[left as usize];
            return key != NULL && key == rights[right as usize];
        }
        self.first_shared(left, right).is_some()
    }

    /// Gives the first block that a pair shares, if it shares enough.
    pub(crate) fn first_shared(&self, left: u32, right: u32) -> Option<u32> {
        let (mut lefts, mut rights) = (self.left.of(left), self.right().of(right));
        let mut first = None;
        let mut shared = 0;
        while let (Some(one), Some(other)) = (lefts.first(), rights.first()) {
            match one.cmp(other) {
                std::cmp::Ordering::Less => lefts = &lefts[1..],
                std::cmp::Ordering::Greater => rights = &rights[1..],
                std::cmp::Ordering::Equal => {
                    first = first.or(Some(*one));
                    shared += 1;
                    if shared >= self.minimum_shared {
                        return first;
                    }
                    (lefts, rights) = (&lefts[1..], &rights[1..]);
                }
            }
        }
        None
    }

    /// Drops the blocks that cannot hold a pair and numbers the others without gaps.
    fn compact(&mut self) {
        let lefts = self.left.sizes(self.n_keys);
        let rights = self.right.as_ref().map(|right| right.sizes(self.n_keys));
        let mut next = 0;
        let names: Vec<u32> = (0..self.n_keys as usize)
            .map(|key| {
                let useful = match &rights {
                    Some(rights) => lefts[key] > 0 && rights[key] > 0,
                    None => lefts[key] > 1,
                };
                if !useful {
                    return NULL;
                }
                next += 1;
                next - 1
            })
            .collect();
        self.drop_named(&names, next);
    }

    /// Renames blocks; those with the name [`NULL`] propose nothing.
    pub(crate) fn drop_named(&mut self, names: &[u32], n_keys: u32) {
        self.left.rename(names);
        if let Some(right) = &mut self.right {
            right.rename(names);
        }
        self.n_keys = n_keys;
    }

    /// Starts from keys that are given per record.
    pub(crate) fn new(left: Keys, right: Option<Keys>, n_keys: u32, minimum_shared: u32) -> Self {
        let n_rows = match &left {
            Keys::One(keys) => keys.len(),
            Keys::Several { offsets, .. } => offsets.len() - 1,
        };
        let null_records = (0..n_rows as u32)
            .filter(|&row| left.of(row).is_empty() && right.as_ref().is_none_or(|right| right.of(row).is_empty()))
            .count() as u64;
        let mut keys = Self { left, right, n_keys, minimum_shared, null_records };
        keys.compact();
        keys
    }

    /// Builds the keys of a conjunction of equalities. Equal keys are equal values: codes are combined exactly, not hashed.
    pub(crate) fn of_equalities(columns: &Columns, equalities: &[EqualityKey]) -> Self {
        let Some((first, others)) = equalities.split_first() else {
            return Self::new(Keys::One(vec![NULL; columns.n_rows]), None, 0, 1);
        };
        let symmetric = equalities.iter().all(|key| key.left == key.right);
        let mut domain = ElementDomain::default();
        let mut left = keys_of_feature(columns, first.left, first.exploded, &mut domain);
        let mut right = (!symmetric).then(|| keys_of_feature(columns, first.right, first.exploded, &mut domain));
        let mut n_keys = n_codes(columns, first.left, first.exploded, &domain);
        for (at, equality) in others.iter().enumerate() {
            let mut domain = ElementDomain::default();
            let next_left = keys_of_feature(columns, equality.left, equality.exploded, &mut domain);
            let next_right =
                (!symmetric).then(|| keys_of_feature(columns, equality.right, equality.exploded, &mut domain));
            let n_next = n_codes(columns, equality.left, equality.exploded, &domain);
            if symmetric && at == 0 && matches!(left, Keys::One(_)) {
                // What occurs once cannot join: fewer keys to combine.
                let mut alone = Self { left, right: None, n_keys, minimum_shared: 1, null_records: 0 };
                alone.compact();
                (left, n_keys) = (alone.left, alone.n_keys);
            }
            let mut combined = Combined::new(n_keys, n_next, columns.n_rows);
            left = combine(&left, &next_left, &mut combined);
            right = right.zip(next_right).map(|(right, next)| combine(&right, &next, &mut combined));
            n_keys = combined.n_keys();
        }
        let mut keys = Self::new(left, right, n_keys, 1);
        if others.is_empty() {
            return keys;
        }
        // Only records with a null in the key count as such, not those that dropped out alone on the way.
        keys.null_records = (0..columns.n_rows)
            .filter(|&row| {
                equalities
                    .iter()
                    .any(|key| columns.codes[key.left][row] == NULL && columns.codes[key.right][row] == NULL)
            })
            .count() as u64;
        keys
    }
}

/// Codes of list elements that are numbers.
#[derive(Default)]
struct ElementDomain {
    numbers: Option<WordDictionary>,
}

fn n_codes(columns: &Columns, feature: FeatureId, exploded: bool, domain: &ElementDomain) -> u32 {
    match columns.values(feature) {
        Values::Text(table) => table.len() as u32,
        Values::Integer(values) => values.len() as u32,
        Values::Number(values) => values.len() as u32,
        Values::Boolean(_) => 2,
        Values::TextList { elements, .. } if exploded => elements.len() as u32,
        Values::NumberList { .. } if exploded => domain.numbers.as_ref().map_or(0, |numbers| numbers.len() as u32),
        Values::TextList { offsets, .. } | Values::NumberList { offsets, .. } => offsets.len().saturating_sub(1) as u32,
    }
}

fn keys_of_feature(columns: &Columns, feature: FeatureId, exploded: bool, domain: &mut ElementDomain) -> Keys {
    let codes = &columns.codes[feature];
    if !exploded {
        return Keys::One(codes.clone());
    }
    let mut offsets = Vec::with_capacity(codes.len() + 1);
    let mut keys = Vec::new();
    offsets.push(0);
    match columns.values(feature) {
        Values::TextList { offsets: lists, codes: elements, .. } => {
            for &code in codes {
                if code != NULL {
                    keys.extend_from_slice(&elements[lists[code as usize] as usize..lists[code as usize + 1] as usize]);
                }
                offsets.push(keys.len() as u64);
            }
        }
        Values::NumberList { offsets: lists, numbers } => {
            let dictionary = domain.numbers.get_or_insert_with(WordDictionary::new);
            for &code in codes {
                if code != NULL {
                    let begin = keys.len();
                    let list = &numbers[lists[code as usize] as usize..lists[code as usize + 1] as usize];
                    keys.extend(list.iter().map(|&number| dictionary.code(number_word(number))));
                    sort_tail(&mut keys, begin);
                }
                offsets.push(keys.len() as u64);
            }
        }
        _ => return Keys::One(codes.clone()),
    }
    Keys::Several { offsets, keys }
}

/// Sorts the end of a list and drops what repeats there.
pub(crate) fn sort_tail(keys: &mut Vec<u32>, begin: usize) {
    keys[begin..].sort_unstable();
    let mut end = begin;
    for at in begin..keys.len() {
        if at == begin || keys[at] != keys[end - 1] {
            keys[end] = keys[at];
            end += 1;
        }
    }
    keys.truncate(end);
}

/// Names pairs of keys: by a table if they are few, else by a dictionary.
enum Combined {
    Table { names: Vec<u32>, width: u32, next: u32 },
    Dictionary(WordDictionary),
}

impl Combined {
    fn new(n_left: u32, n_right: u32, n_rows: usize) -> Self {
        let size = u64::from(n_left) * u64::from(n_right);
        if size <= (n_rows as u64 * 2).max(1 << 16) {
            Self::Table { names: vec![NULL; size as usize], width: n_right, next: 0 }
        } else {
            Self::Dictionary(WordDictionary::new())
        }
    }

    fn name(&mut self, one: u32, other: u32) -> u32 {
        match self {
            Self::Table { names, width, next } => {
                let name = &mut names[(u64::from(one) * u64::from(*width) + u64::from(other)) as usize];
                if *name == NULL {
                    *name = *next;
                    *next += 1;
                }
                *name
            }
            Self::Dictionary(dictionary) => dictionary.code(u64::from(one) << 32 | u64::from(other)),
        }
    }

    fn n_keys(&self) -> u32 {
        match self {
            Self::Table { next, .. } => *next,
            Self::Dictionary(dictionary) => dictionary.len() as u32,
        }
    }
}

fn combine(left: &Keys, right: &Keys, combined: &mut Combined) -> Keys {
    if let (Keys::One(left), Keys::One(right)) = (left, right) {
        let name =
            |(&one, &other): (&u32, &u32)| if one == NULL || other == NULL { NULL } else { combined.name(one, other) };
        return Keys::One(left.iter().zip(right).map(name).collect());
    }
    let n_rows = match left {
        Keys::One(keys) => keys.len(),
        Keys::Several { offsets, .. } => offsets.len() - 1,
    };
    let mut offsets = Vec::with_capacity(n_rows + 1);
    let mut keys = Vec::new();
    offsets.push(0);
    for row in 0..n_rows as u32 {
        let begin = keys.len();
        for &one in left.of(row) {
            keys.extend(right.of(row).iter().map(|&other| combined.name(one, other)));
        }
        sort_tail(&mut keys, begin);
        offsets.push(keys.len() as u64);
    }
    Keys::Several { offsets, keys }
}

/// Records by block, ascending within each.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    /// Block `k` holds `rows[offsets[k]..offsets[k + 1]]`.
    offsets: Vec<u64>,
    rows: Vec<u32>,
}

impl Groups {
    /// Sorts records by block, by counting.
    pub(crate) fn new(keys: &Keys, n_keys: u32) -> Self {
        let mut offsets = vec![0_u64; n_keys as usize + 1];
        for &key in keys.slots() {
            if key != NULL {
                offsets[key as usize + 1] += 1;
            }
        }
        for at in 1..offsets.len() {
            offsets[at] += offsets[at - 1];
        }
        let mut rows = vec![0; offsets.last().copied().unwrap_or(0) as usize];
        let mut next = offsets.clone();
        let mut put = |key: u32, row: u32| {
            if key != NULL {
                rows[next[key as usize] as usize] = row;
                next[key as usize] += 1;
            }
        };
        match keys {
            Keys::One(keys) => keys.iter().zip(0..).for_each(|(&key, row)| put(key, row)),
            Keys::Several { offsets, keys } => {
                for row in 0..offsets.len() - 1 {
                    keys[offsets[row] as usize..offsets[row + 1] as usize].iter().for_each(|&key| put(key, row as u32));
                }
            }
        }
        Self { offsets, rows }
    }

    pub(crate) fn len(&self) -> u32 {
        (self.offsets.len() - 1) as u32
    }

    pub(crate) fn rows(&self, key: u32) -> &[u32] {
        &self.rows[self.offsets[key as usize] as usize..self.offsets[key as usize + 1] as usize]
    }
}
