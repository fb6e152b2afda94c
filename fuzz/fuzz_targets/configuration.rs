//! Reads any text as a configuration in TOML, YAML and JSON, loads it, writes it back, and upgrades it.

#![no_main]

use hotpass_config::{ConfigLoader, Format, Overlay};

libfuzzer_sys::fuzz_target!(|text: &str| {
    for format in [Format::Toml, Format::Yaml, Format::Json] {
        let _ = hotpass_config::upgrade::upgrade(text, format, "input");
        let Ok(overlay) = Overlay::parse(text, format, "input") else { continue };
        let Ok(loaded) = ConfigLoader::new().overlay(overlay).load() else { continue };
        let _ = (loaded.to_toml(), loaded.to_yaml(), loaded.to_json(), loaded.origins());
        let _ = loaded.validate();
    }
});
