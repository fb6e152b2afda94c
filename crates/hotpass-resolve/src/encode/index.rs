//! Hash index from values to codes.

const FIRST: u64 = 0x9E37_79B9_7F4A_7C15;
const SECOND: u64 = 0xD6E8_FEB8_6659_FD93;

/// Multiplies to 128 bits and folds the halves, which mixes every input bit into every output bit.
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Hashes bytes, eight at a time; the last word may overlap the one before it.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u32 {
    let word = |at: usize| bytes.get(at..at + 8).and_then(|word| word.try_into().ok()).map_or(0, u64::from_le_bytes);
    let mut hash = (bytes.len() as u64 ^ SECOND).wrapping_mul(FIRST);
    if bytes.len() >= 8 {
        let mut at = 0;
        while at + 8 < bytes.len() {
            hash = fold(hash ^ word(at), FIRST);
            at += 8;
        }
        hash = fold(hash ^ word(bytes.len() - 8), FIRST);
    } else {
        let last = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        hash = fold(hash ^ last, FIRST);
    }
    (fold(hash, SECOND) >> 32) as u32
}

/// Hashes a 64-bit word.
pub(crate) fn hash_word(word: u64) -> u32 {
    (fold(word ^ SECOND, FIRST) >> 16) as u32
}

/// Open-addressing index of codes by the hash of their values; values live with the owner.
#[derive(Debug)]
pub(crate) struct CodeIndex {
    /// Hash in the upper half, code plus one in the lower; 0 is free.
    slots: Vec<u64>,
    bits: u32,
    len: usize,
}

impl CodeIndex {
    pub(crate) fn new() -> Self {
        Self { slots: vec![0; 1 << 10], bits: 10, len: 0 }
    }

    /// Gives the code whose value has this hash and satisfies `same`; otherwise enters `next` and gives that.
    pub(crate) fn find_or_insert(&mut self, hash: u32, next: u32, same: impl Fn(u32) -> bool) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = (hash >> (32 - self.bits)) as usize;
        loop {
            let slot = self.slots[at & mask];
            if slot == 0 {
                break;
            }
            if (slot >> 32) as u32 == hash {
                let code = slot as u32 - 1;
                if same(code) {
                    return code;
                }
            }
            at += 1;
        }
        self.slots[at & mask] = u64::from(hash) << 32 | u64::from(next + 1);
        self.len += 1;
        if self.len * 4 > self.slots.len() * 3 && self.bits < 31 {
            self.grow();
        }
        next
    }

    /// Gives the code whose value has this hash and satisfies `same`.
    pub(crate) fn find(&self, hash: u32, same: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = (hash >> (32 - self.bits)) as usize;
        loop {
            let slot = self.slots[at & mask];
            if slot == 0 {
                return None;
            }
            if (slot >> 32) as u32 == hash && same(slot as u32 - 1) {
                return Some(slot as u32 - 1);
            }
            at += 1;
        }
    }

    fn grow(&mut self) {
        self.bits += 1;
        let old = std::mem::replace(&mut self.slots, vec![0; 1 << self.bits]);
        let mask = self.slots.len() - 1;
        for slot in old {
            if slot != 0 {
                let mut at = ((slot >> 32) as u32 >> (32 - self.bits)) as usize;
                while self.slots[at & mask] != 0 {
                    at += 1;
                }
                self.slots[at & mask] = slot;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_entered() {
        let mut index = CodeIndex::new();
        let values: Vec<u64> = (0..50_000_u64).map(|value| value * 7 % 40_009).collect();
        let mut known: Vec<u64> = Vec::new();
        for &value in &values {
            let next = known.len() as u32;
            let code = index.find_or_insert(hash_word(value), next, |code| known[code as usize] == value);
            if code == next {
                known.push(value);
            }
            assert_eq!(known[code as usize], value);
        }
        assert_eq!(known.len(), 40_009);
    }

    #[test]
    fn every_byte_and_the_length_count() {
        let texts =
            ["", "\0", "\0\0", "a", "aaaaaaaa", "aaaaaaaab", "baaaaaaa", "aaaaaaaaaaaaaaaa", "aaaaaaaabaaaaaaa"];
        let hashes: std::collections::BTreeSet<u32> = texts.iter().map(|text| hash_bytes(text.as_bytes())).collect();
        assert_eq!(hashes.len(), texts.len());
    }
}
