//! Reads any text as a DSSE envelope and as keys, and verifies it with a key that has signed nothing.

#![no_main]

use std::sync::LazyLock;

use hotpass_core::Secret;
use hotpass_provenance::attestation::Envelope;
use hotpass_provenance::{key::PublicKey, SigningKey};

static KEY: LazyLock<PublicKey> = LazyLock::new(|| SigningKey::generate().expect("a key").public());

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = PublicKey::from_pem(text);
    let _ = SigningKey::from_pem(&Secret::new(text.to_owned()));
    let Ok(envelope) = Envelope::parse(text) else { return };
    let _ = envelope.unverified_statement();
    assert!(envelope.verify(&KEY).is_err(), "nobody has signed this");
    envelope.to_json().expect("an envelope that was read can be written");
});
