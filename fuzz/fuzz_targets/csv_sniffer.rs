//! Finds encoding and dialect of any bytes and reads their records: row numbers grow and nothing panics.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hotpass_ingest::fuzzing::sniff_arbitrary(bytes);
});
