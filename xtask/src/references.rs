//! Pages and schemas that are generated from the code: written by one task, compared by a gate.

use std::fs;
use std::path::PathBuf;

use crate::process::{command, output, read, root};

/// File and the arguments of `hotpass` that print it.
const REFERENCES: &[(&str, &str)] = &[
    ("docs/reference/command-line.md", "reference cli"),
    ("docs/reference/exit-codes.md", "reference exit-codes"),
    ("docs/reference/artefacts.md", "reference artefacts"),
    ("docs/reference/fields.md", "reference fields"),
    ("docs/reference/telemetry.md", "reference telemetry"),
    ("docs/reference/configuration.md", "config reference"),
    ("schemas/hotpass-config.schema.json", "config schema"),
    ("schemas/linkage-model.schema.json", "reference linkage-model"),
    ("docs/reference/contracts.md", "reference contracts"),
    ("crates/hotpass-cli/src/samples/golden.json", "reference golden"),
    ("schemas/contracts/contact_capture.schema.json", "contracts emit contact_capture"),
    ("schemas/contracts/contact_company_addresses.schema.json", "contracts emit contact_company_addresses"),
    ("schemas/contracts/contact_company_cat.schema.json", "contracts emit contact_company_cat"),
    ("schemas/contracts/contact_company_contacts.schema.json", "contracts emit contact_company_contacts"),
    ("schemas/contracts/reachout_contact_info.schema.json", "contracts emit reachout_contact_info"),
    ("schemas/contracts/reachout_organisation.schema.json", "contracts emit reachout_organisation"),
    ("schemas/contracts/sacaa_cleaned.schema.json", "contracts emit sacaa_cleaned"),
    ("schemas/contracts/ssot.schema.json", "contracts emit ssot"),
];

/// Writes every reference that differs from the code.
pub(crate) fn write() -> Result<(), String> {
    for (path, text) in generate()? {
        if read(&path) == text {
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        fs::write(&path, text).map_err(|error| format!("Failed to write `{}`: {error}", path.display()))?;
        println!("wrote {}", path.strip_prefix(root()).unwrap_or(&path).display());
    }
    Ok(())
}

/// Fails when a committed reference differs from the code.
pub(crate) fn check() -> Result<String, String> {
    let references = generate()?;
    let stale: Vec<String> = references
        .iter()
        .filter(|(path, text)| read(path) != *text)
        .map(|(path, _)| path.strip_prefix(root()).unwrap_or(path).display().to_string())
        .collect();
    if stale.is_empty() {
        Ok(format!("{} references are as the code says", references.len()))
    } else {
        Err(format!("Out of date: {}; run `cargo xtask references`", stale.join(", ")))
    }
}

fn generate() -> Result<Vec<(PathBuf, String)>, String> {
    build()?;
    REFERENCES
        .iter()
        .map(|(path, arguments)| {
            let mut hotpass = command(&format!("{} {arguments}", binary().display()));
            hotpass.env("NO_COLOR", "1").env("COLUMNS", "100");
            output(hotpass).map(|text| (root().join(path), text))
        })
        .collect()
}

/// Builds the `hotpass` binary with the same packages and features as the tests, so that nothing is compiled twice:
/// `cargo build --workspace` alone would leave out what development dependencies switch on, and build DataFusion anew.
pub(crate) fn build() -> Result<(), String> {
    output(command("cargo test --quiet --workspace --no-run")).map(|_| ())
}

/// Returns the path of the `hotpass` binary that [`build`] makes.
pub(crate) fn binary() -> PathBuf {
    target().join("debug").join("hotpass")
}

/// Returns the folder that cargo builds into.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
