//! How files are read.

/// How files are read: limits, sample and hints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// Most memory that one file may take, in bytes; a file that needs more is refused.
    pub memory_limit_bytes: u64,
    /// Rows that are looked at to find the header, the dialect and the content of columns.
    pub sample_rows: usize,
    /// Rows of a batch.
    pub batch_rows: usize,
    /// Words that column headers are known to have, such as the synonyms of a profile; compared without case and punctuation.
    pub header_hints: Vec<String>,
    /// Sheets to read, by name without case; all when absent.
    pub sheets: Option<Vec<String>>,
    /// Values that mean no value, compared exactly, such as `NULL`.
    pub null_values: Vec<String>,
}

impl Default for ReadOptions {
    /// Allows 1 GiB a file; see [`default_memory_limit`] for a limit that follows the machine.
    fn default() -> Self {
        Self {
            memory_limit_bytes: 1 << 30,
            sample_rows: 10_000,
            batch_rows: 32_768,
            header_hints: Vec::new(),
            sheets: None,
            null_values: Vec::new(),
        }
    }
}

impl ReadOptions {
    /// Tells whether a sheet is wanted.
    pub(crate) fn wants_sheet(&self, name: &str) -> bool {
        self.sheets
            .as_ref()
            .is_none_or(|sheets| sheets.iter().any(|sheet| sheet.trim().to_lowercase() == name.trim().to_lowercase()))
    }

    /// Tells whether a cell has no value: white space only, or one of the null values.
    #[inline]
    pub(crate) fn is_null(&self, text: &str) -> bool {
        is_blank(text) || (!self.null_values.is_empty() && self.null_values.iter().any(|null| null == text))
    }
}

/// Tells whether a text is empty or white space only.
#[inline]
pub(crate) fn is_blank(text: &str) -> bool {
    match text.as_bytes().first() {
        None => true,
        Some(&byte) if byte > b' ' && byte < 0x80 => false,
        Some(_) => text.trim().is_empty(),
    }
}

/// Returns a quarter of the machine's memory in bytes, or 1 GiB where the system does not say.
///
/// Reads `/proc/meminfo`.
pub fn default_memory_limit() -> u64 {
    std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| total_memory(&text))
        .map_or(1 << 30, |bytes| bytes / 4)
}

fn total_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn total_memory_is_read_in_bytes() {
        assert_eq!(total_memory("MemTotal:       2048 kB\nMemFree: 1 kB\n"), Some(2_097_152));
        assert_eq!(total_memory("nothing"), None);
        assert!(default_memory_limit() > 0);
    }

    #[test]
    fn sheets_are_compared_without_case() {
        let options = ReadOptions { sheets: Some(vec!["Contact info".to_owned()]), ..ReadOptions::default() };
        assert!(options.wants_sheet("CONTACT INFO "));
        assert!(!options.wants_sheet("Contact"));
        assert!(ReadOptions::default().wants_sheet("any"));
    }

    #[test]
    fn no_break_spaces_are_blank() {
        let options = ReadOptions { null_values: vec!["NULL".to_owned()], ..ReadOptions::default() };
        assert!(options.is_null("\u{a0} \t"));
        assert!(options.is_null("NULL"));
        assert!(!options.is_null("null"));
        assert!(!options.is_null("é"));
    }
}
