//! Reads any bytes as a register of consent and as a list of those who were erased.

#![no_main]

use hotpass_privacy::SuppressionList;
use hotpass_privacy::consent::ConsentRegister;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for name in ["consent.json", "consent.csv"] {
        hotpass_fuzz::with_file_named(name, bytes, |path| {
            let _ = ConsentRegister::read(path);
        });
    }
    hotpass_fuzz::with_file_named("suppression.ndjson", bytes, |path| {
        if let Ok(list) = SuppressionList::read(path) {
            let _ = (list.len(), list.digest());
        }
    });
});
