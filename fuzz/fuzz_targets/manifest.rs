//! Reads any bytes as the manifest of a run.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hotpass_fuzz::with_file_named("manifest.json", bytes, |path| {
        let _ = hotpass_provenance::Manifest::read(path.parent().expect("a folder"));
    });
});
