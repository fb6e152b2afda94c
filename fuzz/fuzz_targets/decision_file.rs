//! Reads any bytes as the decisions of a workspace about rows in quarantine.

#![no_main]

use hotpass_pipeline::QuarantineDecisions;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hotpass_fuzz::with_file_named("quarantine.ndjson", bytes, |path| {
        if let Ok(decisions) = QuarantineDecisions::read(path) {
            let _ = (decisions.iter().count(), decisions.digest());
        }
    });
});
