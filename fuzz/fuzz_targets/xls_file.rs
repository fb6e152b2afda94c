//! Reads any bytes as a binary workbook of Excel 97.

#![no_main]

use hotpass_ingest::source::{Compression, FileFormat};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hotpass_fuzz::read_table_file(bytes, FileFormat::Xls, Compression::None);
});
