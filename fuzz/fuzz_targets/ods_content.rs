//! Reads an `OpenDocument` spreadsheet whose content is any bytes: the package around it is always sound.

#![no_main]

use hotpass_ingest::source::{Compression, FileFormat};

const MANIFEST: &[u8] = br#"<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>"#;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let parts: [(&str, &[u8]); 3] = [
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", MANIFEST),
        ("content.xml", bytes),
    ];
    hotpass_fuzz::read_table_file(&hotpass_fuzz::package(&parts), FileFormat::Ods, Compression::None);
});
