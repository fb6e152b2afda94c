//! Reads any bytes as a contract in each of its forms; one that is read can be written and read back in every form.

#![no_main]

use hotpass_quality::contract::documents::{Format, read, read_as, write};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for format in Format::ALL {
        let _ = read_as(bytes, *format);
    }
    let Ok(document) = read(bytes) else { return };
    for format in Format::ALL {
        let Ok(written) = write(&document.contract, *format) else { continue };
        if let Err(error) = read_as(written.text.as_bytes(), *format) {
            panic!("what was written as {format} is not read back: {error}");
        }
    }
});
