//! Finds header and tables of any grid of cells and merged ranges.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hotpass_ingest::fuzzing::detect_arbitrary(bytes);
});
