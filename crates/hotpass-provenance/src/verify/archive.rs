//! Whether an archive of a run is still what it was.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use hotpass_core::{sha256_bytes, sha256_reader};
use parquet::errors::{ParquetError, Result as ParquetResult};
use zip::ZipArchive;

use super::erasures::Erasures;
use super::rows::check_tables;
use super::{Outcome, Trust, Verification, VerifyError, check_manifest, evidence};
use crate::attestation::{ATTESTATION_FILE, subjects};
use crate::ledger::LEDGER_FILE;
use crate::manifest::{MANIFEST_FILE, Manifest};

/// Name of the list of sums within an archive.
const SUMS: &str = "SHA256SUMS";
/// Most bytes that are read of a list of sums, a manifest or a ledger in an archive.
const TEXT_LIMIT: u64 = 64 << 20;

/// Verifies an archive: its list of sums, the digest of every file, what is missing or unknown, the manifest in it, and the rows
/// as [`crate::verify_run`] does.
///
/// # Errors
///
/// Returns [`VerifyError`] when the file is no archive that can be opened; everything else is a check that fails.
pub fn verify_archive(path: &Path, trust: Trust<'_>) -> Result<Verification, VerifyError> {
    let file = File::open(path).map_err(|source| VerifyError::Io { path: path.to_path_buf(), source })?;
    let mut archive = ZipArchive::new(io::BufReader::new(file))
        .map_err(|source| VerifyError::NoArchive { path: path.to_path_buf(), source })?;
    let mut verification = Verification::default();
    let Some(sums_text) = read_text(&mut archive, SUMS) else {
        verification.push(SUMS, Outcome::Failed, "The list of sums is missing or cannot be read");
        return Ok(verification);
    };
    let Some(sums) = parse_sums(&sums_text) else {
        verification.push(SUMS, Outcome::Failed, "The list of sums is malformed");
        return Ok(verification);
    };
    check_name(&mut verification, path, &sums_text);
    let names: Vec<String> = archive.file_names().filter_map(Result::ok).map(std::borrow::Cow::into_owned).collect();
    let unknown: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| *name != SUMS && !name.ends_with('/') && !sums.contains_key(*name))
        .collect();
    verification.expect(
        SUMS,
        unknown.is_empty(),
        format!("The list names all {} files", sums.len()),
        format!("Files without a sum: {}", unknown.join(", ")),
    );
    for (name, expected) in &sums {
        let (outcome, detail) = match archive.by_name(name).map_err(io::Error::from).and_then(sha256_reader) {
            Ok((digest, _)) if digest.as_str() == expected => (Outcome::Passed, format!("SHA-256 {expected}")),
            Ok((digest, _)) => (Outcome::Failed, format!("The file has SHA-256 {digest}, not {expected}")),
            Err(error) => (Outcome::Failed, format!("The file cannot be read: {error}")),
        };
        verification.push(format!("file {name}"), outcome, detail);
    }
    let inside = format!("run/{MANIFEST_FILE}");
    match read_text(&mut archive, &inside).map(|text| (Manifest::parse(&text, Path::new(&inside)), text)) {
        Some((Ok(manifest), text)) => {
            check_manifest(&mut verification, &manifest, &text);
            let ledger = read_bytes(&mut archive, &format!("run/{LEDGER_FILE}"));
            check_archived_files(&mut verification, &manifest, &sums, &Erasures::of(ledger.as_deref()));
            let reading = evidence::check_ledger(&mut verification, &manifest, ledger.as_deref());
            let attestation = read_text(&mut archive, &format!("run/{ATTESTATION_FILE}"));
            let signed = evidence::Signed { manifest: &manifest, manifest_text: &text, ledger: &reading };
            evidence::check_attestation(&mut verification, signed, attestation.as_deref(), trust);
            let archive = std::cell::RefCell::new(archive);
            check_tables(&mut verification, &manifest, |name| {
                unpack(&mut archive.borrow_mut(), &format!("run/{name}"))
            });
        }
        Some((Err(error), _)) => verification.push("manifest", Outcome::Failed, error.to_string()),
        None => verification.push("manifest", Outcome::Failed, "The archive has no manifest"),
    }
    Ok(verification)
}

/// Checks that the name ends in the beginning of the sums' digest, unless the file was renamed altogether.
fn check_name(verification: &mut Verification, path: &Path, sums_text: &str) {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let Some(stamp) = stem.strip_prefix("refined-data-").and_then(|rest| rest.split('-').nth(1)) else { return };
    let digest = sha256_bytes(sums_text);
    verification.expect(
        "archive name",
        digest.as_str().starts_with(stamp),
        "The name stands for the content",
        format!("The name stands for other content: {} is not {stamp}", &digest.as_str()[..12]),
    );
}

/// Checks that the archive holds what the manifest says was read, written and published.
fn check_archived_files(
    verification: &mut Verification,
    manifest: &Manifest,
    sums: &BTreeMap<String, String>,
    erasures: &Erasures,
) {
    let inputs = manifest.inputs.iter().map(|record| (format!("inputs/{}", record.path), record));
    let published = subjects(manifest).filter(|(name, _)| name != "run/inputs.zip");
    let mut strays = Vec::new();
    for (name, record) in inputs.chain(published) {
        let held = sums.get(&name).map(String::as_str);
        // An input that held an erased person is left out of the archive.
        let left_out = held.is_none() && erasures.any() && name.starts_with("inputs/");
        let erased = erasures.decision(&record.path, record.sha256.as_str(), held).is_some();
        if held != Some(record.sha256.as_str()) && !left_out && !erased {
            strays.push(name);
        }
    }
    verification.expect(
        "manifest and archive",
        strays.is_empty(),
        "The archive holds the files of the manifest",
        format!("Missing or different: {}", strays.join(", ")),
    );
}

fn read_text<R: Read + Seek>(archive: &mut ZipArchive<R>, name: &str) -> Option<String> {
    let mut text = String::new();
    archive.by_name(name).ok()?.take(TEXT_LIMIT).read_to_string(&mut text).ok()?;
    Some(text)
}

fn read_bytes<R: Read + Seek>(archive: &mut ZipArchive<R>, name: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    archive.by_name(name).ok()?.take(TEXT_LIMIT).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn unpack<R: Read + Seek>(archive: &mut ZipArchive<R>, name: &str) -> ParquetResult<File> {
    let external = |error: io::Error| ParquetError::External(Box::new(error));
    let mut entry = archive.by_name(name).map_err(|error| external(error.into()))?;
    let mut file = tempfile::tempfile().map_err(external)?;
    io::copy(&mut entry, &mut file).map_err(external)?;
    Ok(file)
}

/// Reads a list in the format of `sha256sum`: name to digest.
fn parse_sums(text: &str) -> Option<BTreeMap<String, String>> {
    text.lines()
        .map(|line| {
            let (line, escaped) = match line.strip_prefix('\\') {
                Some(line) => (line, true),
                None => (line, false),
            };
            let (digest, name) = line.split_once("  ")?;
            let valid = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            let name = if escaped {
                name.replace("\\n", "\n").replace("\\r", "\r").replace("\\\\", "\\")
            } else {
                name.to_owned()
            };
            valid.then(|| (name, digest.to_ascii_lowercase()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_as_sha256sum_writes_them() {
        let digest = sha256_bytes("x").to_string();
        let sums = parse_sums(&format!("{digest}  a b.csv\n\\{digest}  c\\nd\n")).unwrap();
        assert_eq!(sums.keys().collect::<Vec<_>>(), ["a b.csv", "c\nd"]);
        assert!(parse_sums("no sum\n").is_none());
        assert!(parse_sums("abc  short\n").is_none());
    }
}
