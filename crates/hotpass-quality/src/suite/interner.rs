//! Distinct keys, each stored once and numbered in order of first appearance.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Distinct keys.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    hasher: DefaultHashBuilder,
    table: HashTable<u32>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Interner {
    /// Returns the number of a key.
    pub(crate) fn intern(&mut self, key: &[u8]) -> u32 {
        let hash = self.hasher.hash_one(key);
        if let Some(&code) = self.table.find(hash, |&code| slice(&self.bytes, &self.ends, code) == key) {
            return code;
        }
        let code = self.ends.len() as u32;
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
        let (bytes, ends, hasher) = (&self.bytes, &self.ends, &self.hasher);
        self.table.insert_unique(hash, code, |&code| hasher.hash_one(slice(bytes, ends, code)));
        code
    }

    /// Returns the number of a key that is known.
    pub(crate) fn find(&self, key: &[u8]) -> Option<u32> {
        self.table.find(self.hasher.hash_one(key), |&code| slice(&self.bytes, &self.ends, code) == key).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn key(&self, code: u32) -> &[u8] {
        slice(&self.bytes, &self.ends, code)
    }

    /// Returns the bytes it takes in memory, about.
    pub(crate) fn memory(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * 8 + self.table.capacity() * 5
    }
}

fn slice<'a>(bytes: &'a [u8], ends: &[usize], code: u32) -> &'a [u8] {
    let code = code as usize;
    &bytes[if code == 0 { 0 } else { ends[code - 1] }..ends[code]]
}

/// Distinct keys with how often each occurs.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    pub(crate) keys: Interner,
    pub(crate) counts: Vec<u64>,
}

impl Counter {
    pub(crate) fn add(&mut self, key: &[u8]) -> u32 {
        let code = self.keys.intern(key);
        if code as usize == self.counts.len() {
            self.counts.push(0);
        }
        self.counts[code as usize] += 1;
        code
    }

    pub(crate) fn memory(&self) -> usize {
        self.keys.memory() + self.counts.capacity() * 8
    }
}
