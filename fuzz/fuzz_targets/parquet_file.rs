//! Reads any bytes as a Parquet file.

#![no_main]

use hotpass_ingest::source::{Compression, FileFormat};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hotpass_fuzz::read_table_file(bytes, FileFormat::Parquet, Compression::None);
});
