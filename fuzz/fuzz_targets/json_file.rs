//! Reads any bytes as a JSON document and as newline-delimited JSON.

#![no_main]

use hotpass_ingest::source::{Compression, FileFormat};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for format in [FileFormat::Json, FileFormat::Ndjson] {
        hotpass_fuzz::read_table_file(bytes, format, Compression::None);
    }
});
