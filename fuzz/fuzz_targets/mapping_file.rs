//! Reads any text as a mapping of columns that a person has edited.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = hotpass_ingest::mapping::MappingFile::parse(text);
});
