//! Values that must occur once, or in another dataset, as digests of 128 bits.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use arrow::record_batch::RecordBatch;

use super::error::CheckError;
use super::model::{Contract, ForeignKey};
use super::value::{FieldReader, Texts};

/// A digest of the values of a key: two keys of a billion rows are mistaken for each other with probability below 10⁻²⁰.
pub(crate) type Digest = u128;

/// Hashes digests, which are evenly spread already, by taking some of their bits.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Bits(u64);

impl Hasher for Bits {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }

    fn write_u128(&mut self, value: u128) {
        self.0 = value as u64;
    }
}

/// Set of digests.
pub(crate) type DigestSet = HashSet<Digest, BuildHasherDefault<Bits>>;

/// Bytes that an entry of a set of keys takes at most: the digest, a row, and the table's spare room.
pub(crate) const KEY_BYTES: u64 = 48;

/// Builds the digest of a key from the values of its columns.
///
/// Two multiply–fold lanes with different keys over 8 bytes at a time (the mixing step of wyhash), which spreads 128 bits well
/// and needs no table. It is no defence against someone who makes up values to collide.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digester {
    low: u64,
    high: u64,
}

impl Digester {
    pub(crate) fn new() -> Self {
        Self { low: 0x9e37_79b9_7f4a_7c15, high: 0xc2b2_ae3d_27d4_eb4f }
    }

    /// Adds a value, or that there is none.
    pub(crate) fn add(&mut self, value: Option<&[u8]>) {
        let Some(value) = value else {
            self.mix(u64::MAX, 0x5851_f42d_4c95_7f2d);
            return;
        };
        self.mix(value.len() as u64, 0xd6e8_feb8_6659_fd93);
        let mut chunks = value.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word), 0xa076_1d64_78bd_642f);
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.mix(u64::from_le_bytes(word), 0xe703_7ed1_a0b4_28db);
        }
    }

    fn mix(&mut self, word: u64, salt: u64) {
        self.low = fold(self.low ^ word, salt ^ 0x8ebc_6af0_9c88_c6e3);
        self.high = fold(self.high.rotate_left(23) ^ word ^ salt, 0x5899_65cc_7537_4cc3);
    }

    pub(crate) fn finish(mut self) -> Digest {
        self.mix(0x1d8e_4e27_c47d_124f, 0xeb44_acca_b455_d165);
        u128::from(self.low) << 64 | u128::from(self.high)
    }
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64) ^ a.rotate_left(29)
}

/// Returns a digest of 64 bits.
pub(crate) fn digest64(bytes: &[u8]) -> u64 {
    let mut digester = Digester::new();
    digester.add(Some(bytes));
    digester.finish() as u64
}

/// The values of another dataset that a foreign key points to.
#[derive(Debug, Clone)]
pub struct ReferenceKeys {
    readers: Vec<FieldReader>,
    columns: Vec<String>,
    keys: DigestSet,
}

impl ReferenceKeys {
    /// Starts without values; they are read by the types of the key's own columns.
    ///
    /// # Errors
    ///
    /// Returns an error when the contract has not the key's columns.
    pub fn new(contract: &Contract, key: &ForeignKey) -> Result<Self, CheckError> {
        contract.validate()?;
        let readers = key
            .fields
            .iter()
            .filter_map(|name| contract.field(name))
            // The other table may hold as dates what this one writes as text.
            .filter_map(|field| Some(FieldReader::new(field, &contract.missing_values).ok()?.for_dates()))
            .collect();
        Ok(Self { readers, columns: key.reference.fields.clone(), keys: DigestSet::default() })
    }

    /// Adds the values of a batch whose columns have the names of the reference's fields.
    ///
    /// # Errors
    ///
    /// Returns the name of the first column that the batch has not, or that cannot be read.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<(), CheckError> {
        let positions: Vec<usize> = self
            .columns
            .iter()
            .map(|name| {
                batch.schema().index_of(name).map_err(|source| CheckError::Column { column: name.clone(), source })
            })
            .collect::<Result<_, _>>()?;
        self.add_columns(batch, &positions)
    }

    /// Adds the values of a batch from the columns at these positions, in the order of the reference's fields.
    ///
    /// # Errors
    ///
    /// Returns an error when a column cannot be read.
    pub fn add_columns(&mut self, batch: &RecordBatch, positions: &[usize]) -> Result<(), CheckError> {
        let texts: Vec<Texts> = positions
            .iter()
            .zip(&self.columns)
            .map(|(&position, name)| {
                Texts::new(batch.column(position)).map_err(|source| CheckError::Column { column: name.clone(), source })
            })
            .collect::<Result<_, _>>()?;
        let mut scratch = Vec::new();
        for row in 0..batch.num_rows() {
            let mut digester = Digester::new();
            let mut present = false;
            for (reader, text) in self.readers.iter().zip(&texts) {
                let value = text.value(row).filter(|value| !reader.is_missing(value));
                let known = value.is_some_and(|value| reader.key(value, &mut scratch));
                present |= known;
                digester.add(known.then_some(scratch.as_slice()));
            }
            if present {
                self.keys.insert(digester.finish());
            }
        }
        Ok(())
    }

    /// Returns the number of distinct keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn contains(&self, digest: Digest) -> bool {
        self.keys.contains(&digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_tell_values_and_their_borders_apart() {
        let digest = |values: &[Option<&str>]| {
            let mut digester = Digester::new();
            for value in values {
                digester.add(value.map(str::as_bytes));
            }
            digester.finish()
        };
        let different = [
            digest(&[Some("ab"), Some("c")]),
            digest(&[Some("a"), Some("bc")]),
            digest(&[Some("abc"), None]),
            digest(&[None, Some("abc")]),
            digest(&[Some(""), Some("abc")]),
            digest(&[Some("abc\0"), None]),
            digest(&[Some("12345678"), Some("9")]),
            digest(&[Some("123456789")]),
        ];
        let distinct: DigestSet = different.iter().copied().collect();
        assert_eq!(distinct.len(), different.len());
    }

    #[test]
    fn a_million_numbers_have_a_million_digests_in_either_half() {
        let (mut low, mut high) = (HashSet::new(), HashSet::new());
        for number in 0..1_000_000u32 {
            let mut digester = Digester::new();
            digester.add(Some(number.to_string().as_bytes()));
            let digest = digester.finish();
            low.insert(digest as u64);
            high.insert((digest >> 64) as u64);
        }
        assert_eq!((low.len(), high.len()), (1_000_000, 1_000_000));
    }
}
