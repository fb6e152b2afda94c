//! Finds out what any bytes are, by content, and opens them as that: packages and archives too.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hotpass_fuzz::with_file(bytes, |path| {
        if let Ok(file) = hotpass_ingest::SourceFile::inspect(path, "input") {
            hotpass_fuzz::drain(&file);
        }
    });
});
