//! Reads any bytes as a delimited text file, plain and packed, from the path on.

#![no_main]

use hotpass_ingest::source::{Compression, FileFormat};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        hotpass_fuzz::read_table_file(bytes, FileFormat::Delimited, compression);
    }
});
