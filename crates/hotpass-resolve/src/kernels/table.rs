//! Distinct texts, laid out for the kernels.

use hashbrown::HashMap;

/// Occurrences of one byte in one text that the signature can tell apart.
const OCCURRENCES: usize = 8;
/// Bits of a signature.
const SIGNATURE_BITS: usize = 128;
/// Texts that the assignment of the signature's bits is drawn from.
const SAMPLE: usize = 1 << 16;
/// Readable bytes behind the last text, so that a vector load at any text stays inside.
const PADDING: usize = 64;
/// The bit of a signature that an occurrence without one has.
const NO_BIT: u8 = u8::MAX;

/// All bytes are ASCII, so bytes are characters.
const ASCII: u8 = 1;
/// Each character is one byte of the table's own alphabet.
const NARROW: u8 = 2;
/// Each byte has a bit for its first occurrence, so signatures hold the set of bytes.
const COVERED: u8 = 4;
/// The length passes what an entry can hold; only the plain forms read such a text.
const LONG: u8 = 8;

/// Distinct texts by code, with what the kernels need of each.
///
/// A finished table holds 40 bytes per text (8 and 32) besides the text itself: its place and an entry with a signature (the multiset of
/// its bytes in 128 bits), its length and its first four characters. Texts outside ASCII are held a second time, one byte per
/// character, as long as the table has no more than 128 such characters.
#[derive(Debug, Default, Clone)]
pub struct TextTable {
    /// `bytes[offsets[i]..offsets[i + 1]]` is text `i`.
    offsets: Vec<u64>,
    /// The texts, and in a finished table behind them the narrow forms and the padding.
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// The bits of a signature that stand for the first occurrence of a byte.
    first_occurrences: [u64; 2],
}

/// What a kernel reads of a text before its characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Bit `k` of byte `b` is set if the text holds `b` more than `k` times; which `(b, k)` have bits is the table's choice.
    signature: [u64; 2],
    /// Where the characters start: the low four bytes and the high one of the place.
    start: u32,
    start_high: u8,
    /// Number of continuation bytes: UTF-8 length less `length`.
    extra: u8,
    /// The first four characters, zeros behind the end.
    prefix: [u8; 4],
    /// Number of characters.
    length: u16,
    /// Occurrences (lead bytes of characters left out) that have no bit.
    overflow: u16,
    flags: u8,
}

impl Entry {
    /// Tells whether only the plain forms read the text, for its length.
    #[inline(always)]
    pub(super) fn is_long(&self) -> bool {
        self.flags & LONG != 0
    }

    #[inline(always)]
    fn start(&self) -> usize {
        self.start as usize | usize::from(self.start_high) << 32
    }

    fn set_start(&mut self, start: usize) {
        self.start = start as u32;
        self.start_high = (start >> 32) as u8;
    }

    /// Gives the length in characters, or in bytes.
    #[inline(always)]
    pub(super) fn length<const BYTES: bool>(&self) -> usize {
        usize::from(self.length) + if BYTES { usize::from(self.extra) } else { 0 }
    }

    /// Gives an upper bound of the number of characters (or bytes) that two texts share as multisets.
    ///
    /// With `c` and `d` occurrences of a byte and bits for the first `k`, the share is `min(c, d)`, which is
    /// `min(c, d, k) + min(c - k, d - k)` where both parts are at least 0. The sum of the first parts is the number of common
    /// bits, the sum of the second at most the smaller overflow. Lead bytes are not in the signature: over characters, each
    /// common character still has its last byte there; over bytes they add at most the smaller number of them.
    #[inline(always)]
    pub(super) fn shared_at_most<const BYTES: bool>(&self, other: &Self) -> usize {
        let bits = (self.signature[0] & other.signature[0]).count_ones()
            + (self.signature[1] & other.signature[1]).count_ones();
        let beyond = self.overflow.min(other.overflow);
        let leads = if BYTES { self.extra.min(other.extra) } else { 0 };
        bits as usize + usize::from(beyond) + usize::from(leads)
    }

    /// Gives an upper bound of the length of the common prefix, at most 4; exact for two ASCII texts of four characters.
    #[inline(always)]
    pub(super) fn prefix_at_most(&self, other: &Self) -> usize {
        let difference = u32::from_le_bytes(self.prefix) ^ u32::from_le_bytes(other.prefix);
        let common = (difference.trailing_zeros() / 8) as usize;
        if self.flags & other.flags & ASCII == 0 { 4 } else { common }
    }

    /// Gives the size of the intersection and of the union of the sets of characters of two texts whose signatures hold them.
    #[inline(always)]
    pub(super) fn set_sizes(&self, other: &Self, first_occurrences: [u64; 2]) -> Option<(u32, u32)> {
        let [low, high] = first_occurrences;
        let shared = (self.signature[0] & other.signature[0] & low).count_ones()
            + (self.signature[1] & other.signature[1] & high).count_ones();
        let either = ((self.signature[0] | other.signature[0]) & low).count_ones()
            + ((self.signature[1] | other.signature[1]) & high).count_ones();
        (self.flags & other.flags & (ASCII | COVERED) == ASCII | COVERED).then_some((shared, either))
    }
}

impl TextTable {
    /// Gives the number of texts.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Tells whether the table holds no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a text and gives its code.
    pub fn push(&mut self, text: &str) -> u32 {
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        self.bytes.truncate(self.text_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
        self.offsets.push(self.bytes.len() as u64);
        (self.len() - 1) as u32
    }

    /// Computes what the kernels need of each text; to be called after the last text, and again if more follow.
    ///
    /// Kernels work on a table that is not finished too, but slowly.
    pub fn finish(&mut self) {
        if self.entries.len() == self.len() {
            return;
        }
        let alphabet = self.alphabet();
        let signatures = Signatures::of(self);
        self.first_occurrences = signatures.first_occurrences;
        self.offsets.shrink_to_fit();
        self.bytes.reserve_exact(PADDING);
        let mut entries = Vec::with_capacity(self.len());
        let mut counts = [0_u8; 256];
        for code in 0..self.len() {
            let range = self.range(code);
            let mut entry = signatures.entry(&self.bytes[range.clone()], &mut counts);
            entry.set_start(range.start);
            if entry.flags & ASCII == 0 {
                self.append_narrow_form(code, &alphabet, &mut entry);
            }
            if entry.flags & NARROW != 0 {
                let units = &self.bytes[entry.start()..][..entry.length.into()];
                entry.prefix = std::array::from_fn(|place| units.get(place).copied().unwrap_or(0));
            }
            entries.push(entry);
        }
        self.bytes.resize(self.bytes.len() + PADDING, 0);
        self.entries = entries;
    }

    /// Gives the bytes of memory that the table holds.
    pub fn heap_bytes(&self) -> usize {
        self.offsets.capacity() * size_of::<u64>()
            + self.bytes.capacity()
            + self.entries.capacity() * size_of::<Entry>()
    }

    /// Gives the text of a code; an empty one for a code that the table does not have.
    pub fn get(&self, code: u32) -> &str {
        let code = code as usize;
        let bytes = if code < self.len() { &self.bytes[self.range(code)] } else { &[] };
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Gives the entries of a finished table.
    #[inline(always)]
    pub(super) fn entries(&self) -> Option<&[Entry]> {
        (self.entries.len() == self.len()).then_some(&self.entries)
    }

    /// Gives the bits of signatures that stand for first occurrences.
    #[inline(always)]
    pub(super) fn first_occurrences(&self) -> [u64; 2] {
        self.first_occurrences
    }

    /// Gives a text as one byte per character, or as its bytes; `None` if it has no such form.
    ///
    /// Equal bytes are equal characters across the texts of one table; the value of a byte above 127 means nothing else.
    #[inline(always)]
    pub(super) fn units<const BYTES: bool>(&self, code: u32, entry: &Entry) -> Option<&[u8]> {
        if entry.flags & ASCII != 0 || (!BYTES && entry.flags & NARROW != 0) {
            let start = entry.start();
            self.bytes.get(start..start + usize::from(entry.length))
        } else if BYTES && entry.flags & LONG == 0 {
            self.bytes.get(self.range(code as usize))
        } else {
            None
        }
    }

    fn range(&self, code: usize) -> std::ops::Range<usize> {
        self.offsets[code] as usize..self.offsets[code + 1] as usize
    }

    /// Gives the number of bytes of all texts.
    fn text_bytes(&self) -> usize {
        self.offsets.last().map_or(0, |&end| end as usize)
    }

    /// Gives the 128 most frequent characters outside ASCII the bytes from 128 on.
    fn alphabet(&self) -> HashMap<char, u8> {
        let mut counts: HashMap<char, u64> = HashMap::new();
        for code in 0..self.len() {
            if !self.bytes[self.range(code)].is_ascii() {
                for character in self.get(code as u32).chars().filter(|character| !character.is_ascii()) {
                    *counts.entry(character).or_default() += 1;
                }
            }
        }
        let mut by_count: Vec<(char, u64)> = counts.into_iter().collect();
        by_count.sort_unstable_by_key(|&(character, count)| (std::cmp::Reverse(count), character));
        by_count.into_iter().zip(128..=u8::MAX).map(|((character, _), byte)| (character, byte)).collect()
    }

    /// Appends the narrow form of a text behind all others, if the alphabet has all its characters.
    fn append_narrow_form(&mut self, code: usize, alphabet: &HashMap<char, u8>, entry: &mut Entry) {
        if entry.flags & LONG != 0 {
            return;
        }
        let byte_of =
            |character: char| u8::try_from(character).ok().filter(u8::is_ascii).or(alphabet.get(&character).copied());
        let narrow: Option<Vec<u8>> = self.get(code as u32).chars().map(byte_of).collect();
        if let Some(narrow) = narrow {
            entry.set_start(self.bytes.len());
            entry.flags |= NARROW;
            self.bytes.extend_from_slice(&narrow);
        }
    }
}

/// The assignment of a signature's bits to occurrences of bytes.
struct Signatures {
    /// For each byte and occurrence its bit, or [`NO_BIT`].
    bits: Box<[[u8; OCCURRENCES]; 256]>,
    first_occurrences: [u64; 2],
}

impl Signatures {
    /// Gives bits to the occurrences that most texts have: `(byte, k)` counts the texts with more than `k` of `byte`.
    fn of(table: &TextTable) -> Self {
        let mut texts_with = vec![[0_u32; OCCURRENCES]; 256];
        let step = table.len().div_ceil(SAMPLE).max(1);
        let mut counts = [0_u8; 256];
        for code in (0..table.len()).step_by(step) {
            let bytes = &table.bytes[table.range(code)];
            for &byte in bytes.iter().filter(|&&byte| !is_lead(byte)) {
                let count = &mut counts[usize::from(byte)];
                if let Some(texts) = texts_with[usize::from(byte)].get_mut(usize::from(*count)) {
                    *texts += 1;
                    *count += 1;
                }
            }
            for &byte in bytes {
                counts[usize::from(byte)] = 0;
            }
        }
        let mut by_use: Vec<(u32, usize, usize)> = texts_with
            .iter()
            .enumerate()
            .flat_map(|(byte, texts)| texts.iter().enumerate().map(move |(k, &texts)| (texts, k, byte)))
            .filter(|&(texts, _, _)| texts > 0)
            .collect();
        by_use.sort_unstable_by_key(|&(texts, k, byte)| (std::cmp::Reverse(texts), k, byte));
        let mut bits = Box::new([[NO_BIT; OCCURRENCES]; 256]);
        let mut first_occurrences = [0_u64; 2];
        for (bit, (_, k, byte)) in by_use.into_iter().take(SIGNATURE_BITS).enumerate() {
            bits[byte][k] = bit as u8;
            if k == 0 {
                first_occurrences[bit / 64] |= 1 << (bit % 64);
            }
        }
        Self { bits, first_occurrences }
    }

    /// Computes all of an entry but its place and prefix; `counts` is zero before and after.
    fn entry(&self, bytes: &[u8], counts: &mut [u8; 256]) -> Entry {
        let mut signature = [0_u64; 2];
        let (mut overflow, mut extra, mut leads, mut covered) = (0_usize, 0_usize, 0_usize, true);
        for &byte in bytes {
            if is_lead(byte) {
                leads += 1;
                continue;
            }
            extra += usize::from(!byte.is_ascii());
            let count = &mut counts[usize::from(byte)];
            match self.bits[usize::from(byte)].get(usize::from(*count)) {
                Some(&bit) if bit != NO_BIT => {
                    signature[usize::from(bit) / 64] |= 1 << (bit % 64);
                    *count += 1;
                }
                _ => {
                    overflow += 1;
                    covered &= *count > 0;
                }
            }
        }
        for &byte in bytes {
            counts[usize::from(byte)] = 0;
        }
        let mut flags = if covered { COVERED } else { 0 };
        if bytes.len() > usize::from(u16::MAX) || extra > usize::from(u8::MAX) {
            flags |= LONG;
        } else if leads == 0 {
            flags |= ASCII | NARROW;
        }
        let saturated = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        Entry {
            signature,
            start: 0,
            start_high: 0,
            prefix: [0; 4],
            length: saturated(bytes.len() - extra),
            extra: u8::try_from(extra).unwrap_or(u8::MAX),
            overflow: saturated(overflow),
            flags,
        }
    }
}

/// Tells whether a byte of UTF-8 starts a character of several bytes.
fn is_lead(byte: u8) -> bool {
    byte >= 0b1100_0000
}
