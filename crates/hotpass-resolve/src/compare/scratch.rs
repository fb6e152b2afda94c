//! Buffers that outlive a batch.

use super::numbers::Numbers;

/// Reusable buffers of one thread; any comparer may use them.
#[derive(Debug, Default)]
pub struct Scratch {
    bytes: Vec<Vec<u8>>,
    words: Vec<Vec<u32>>,
    lists: Vec<Vec<Vec<u32>>>,
    numbers: Vec<Numbers>,
}

impl Scratch {
    /// Lends bytes of any content.
    pub(super) fn take_bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = self.bytes.pop().unwrap_or_default();
        bytes.resize(len, 0);
        bytes
    }

    /// Takes bytes back.
    pub(super) fn give_bytes(&mut self, bytes: Vec<u8>) {
        self.bytes.push(bytes);
    }

    /// Lends an empty list of rows, codes or places.
    pub(super) fn take_words(&mut self) -> Vec<u32> {
        self.words.pop().unwrap_or_default()
    }

    /// Takes a list back.
    pub(super) fn give_words(&mut self, mut words: Vec<u32>) {
        words.clear();
        self.words.push(words);
    }

    /// Lends as many empty lists of places, one for each node of a diagram.
    pub(super) fn take_lists(&mut self, count: usize) -> Vec<Vec<u32>> {
        let mut lists = self.lists.pop().unwrap_or_default();
        if lists.len() < count {
            lists.resize_with(count, Vec::new);
        }
        lists
    }

    /// Takes lists back.
    pub(super) fn give_lists(&mut self, mut lists: Vec<Vec<u32>>) {
        lists.iter_mut().for_each(Vec::clear);
        self.lists.push(lists);
    }

    /// Lends numbers of any content.
    pub(super) fn take_numbers(&mut self) -> Numbers {
        self.numbers.pop().unwrap_or_default()
    }

    /// Takes numbers back.
    pub(super) fn give_numbers(&mut self, numbers: Numbers) {
        self.numbers.push(numbers);
    }
}
