//! Reads any bytes as a ledger: a fault is told, and a sound ledger can be continued.

#![no_main]

use hotpass_provenance::ledger::Ledger;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hotpass_fuzz::with_file_named("ledger.ndjson", bytes, |path| {
        let _ = Ledger::open(path).read().expect("a file that is there can be read");
    });
});
