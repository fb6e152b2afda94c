//! Reads any bytes as an Arrow IPC file or stream.

#![no_main]

use hotpass_ingest::source::{Compression, FileFormat};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hotpass_fuzz::read_table_file(bytes, FileFormat::Arrow, Compression::None);
});
