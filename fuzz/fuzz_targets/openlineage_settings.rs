//! Reads any text as the official client's `openlineage.yml`, and its lines as variables of the environment.

#![no_main]

use std::collections::BTreeMap;

use hotpass_lineage::ClientSettings;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let variables: BTreeMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (format!("OPENLINEAGE_{}", name.trim()), value.to_owned()))
        // Another file is none of the input.
        .filter(|(name, _)| name != "OPENLINEAGE_CONFIG")
        .collect();
    hotpass_fuzz::with_file_named("openlineage.yml", text.as_bytes(), |path| {
        let folder = path.parent().expect("a folder");
        let _ = ClientSettings::read(&BTreeMap::new(), folder, None);
        let _ = ClientSettings::read(&variables, folder, None);
    });
});
