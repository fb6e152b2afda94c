//! The software bill of materials of the `hotpass` binary, in the JSON form of `CycloneDX`.

use std::fs;

use serde_json::Value;

use crate::process::{command, output, present, root};

/// Writes `dist/sbom/hotpass-sbom.json` and checks that it names every crate of the lock file's binary with a licence.
pub(crate) fn run() -> Result<String, String> {
    if !present("cargo cyclonedx --version") {
        return Err("`cargo cyclonedx` is missing; run `cargo xtask install`".to_owned());
    }
    let mut generate = command(
        "cargo cyclonedx --manifest-path crates/hotpass-cli/Cargo.toml --format json --spec-version 1.5 --override-filename hotpass-sbom",
    );
    if let Ok(epoch) = output(command("git log -1 --format=%ct")) {
        generate.env("SOURCE_DATE_EPOCH", epoch.trim());
    }
    output(generate)?;
    // The tool writes one file beside each member's manifest; only the binary's is kept.
    let mut text = String::new();
    for folder in ["crates", "."] {
        let Ok(entries) = fs::read_dir(root().join(folder)) else { continue };
        for entry in entries.filter_map(Result::ok) {
            let file = entry.path().join("hotpass-sbom.json");
            if file.is_file() {
                if entry.file_name() == "hotpass-cli" {
                    text = crate::process::read(&file);
                }
                fs::remove_file(&file).map_err(|error| error.to_string())?;
            }
        }
    }
    let mut bom: Value = serde_json::from_str(&text).map_err(|error| format!("The SBOM is not JSON: {error}"))?;
    // Paths of this machine stand in the references of workspace members; they say nothing about the product.
    let here = format!("path+file://{}", root().display());
    replace(&mut bom, &here, "path+file:///hotpass");
    let components = bom["components"].as_array().cloned().unwrap_or_default();
    let unlicensed: Vec<&str> = components
        .iter()
        .filter(|component| component["licenses"].as_array().is_none_or(Vec::is_empty))
        .filter_map(|component| component["name"].as_str())
        .collect();
    if components.len() < 50 {
        return Err(format!("The SBOM names only {} components", components.len()));
    }
    if !unlicensed.is_empty() {
        return Err(format!("Components without a licence: {}", unlicensed.join(", ")));
    }
    let folder = root().join("dist/sbom");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let pretty = serde_json::to_string_pretty(&bom).map_err(|error| error.to_string())?;
    fs::write(folder.join("hotpass-sbom.json"), pretty + "\n").map_err(|error| error.to_string())?;
    Ok(format!("{} components in dist/sbom/hotpass-sbom.json", components.len()))
}

fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text.contains(from) => *text = text.replace(from, to),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, from, to)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, from, to)),
        _ => {}
    }
}
