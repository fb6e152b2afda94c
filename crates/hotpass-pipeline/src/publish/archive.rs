//! Archives: everything a run published and read, with sums that `sha256sum -c` checks.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{Datelike, Timelike};
use hotpass_core::{AtomicFile, Clock, RunDirectory, Sha256Digest, sha256_bytes, sha256_file};
use hotpass_provenance::attestation::ATTESTATION_FILE;
use hotpass_provenance::ledger::LEDGER_FILE;
use hotpass_provenance::manifest::MANIFEST_FILE;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::{PublishError, WrittenFile, create, finish};

/// Name of the list of sums within an archive.
const SUMS: &str = "SHA256SUMS";

/// An input file of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// Path relative to the input folder, with `/`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// What goes into an archive.
#[derive(Debug, Clone, Copy)]
pub struct ArchiveInput<'a> {
    /// Folder the archive is written to.
    pub directory: &'a Path,
    /// The run's clock; gives the name and the times within the archive.
    pub clock: Clock,
    /// The files that were published.
    pub published: &'a [PathBuf],
    /// The run, whose manifest must say what it is to say for ever; its files go under `run/`.
    pub run: &'a RunDirectory,
    /// The artefacts of the run, as its manifest names them.
    pub artefacts: &'a [String],
    /// The input files; they go under `inputs/`.
    pub inputs: &'a [InputFile],
}

/// Writes `refined-data-<YYYYMMDDTHHMMSSZ>-<12 hex>.zip` with a `SHA256SUMS` in the format of `sha256sum -c`.
///
/// The 12 digits begin the SHA-256 of `SHA256SUMS`, so the name stands for the content.
///
/// # Errors
///
/// Returns [`PublishError`] when a file cannot be read, the archive cannot be written, or two files would have one name.
pub fn write_archive(input: &ArchiveInput<'_>) -> Result<WrittenFile, PublishError> {
    let mut entries = BTreeMap::new();
    for path in input.published {
        add(&mut entries, file_name(path), path.clone())?;
    }
    let evidence = [MANIFEST_FILE, LEDGER_FILE, ATTESTATION_FILE].into_iter().map(str::to_owned);
    for name in evidence.chain(input.artefacts.iter().cloned()) {
        let path = input.run.path(&name);
        // The inputs are in the archive as they are.
        if name != "inputs.zip" && path.is_file() {
            add(&mut entries, format!("run/{name}"), path)?;
        }
    }
    add_inputs(&mut entries, "inputs/", input.inputs)?;
    let sums = sums(&entries)?;
    let digest = sha256_bytes(&sums);
    let name = format!("refined-data-{}-{}.zip", input.clock.now().format("%Y%m%dT%H%M%SZ"), &digest.as_str()[..12]);
    write_zip(&input.directory.join(name), &entries, &sums, input.clock)
}

/// Writes `inputs.zip` into the run folder: the input files under their names, with `SHA256SUMS`.
///
/// # Errors
///
/// Returns [`PublishError`] when an input cannot be read or the archive cannot be written.
pub fn write_inputs_archive(
    run: &RunDirectory,
    clock: Clock,
    inputs: &[InputFile],
) -> Result<WrittenFile, PublishError> {
    let mut entries = BTreeMap::new();
    add_inputs(&mut entries, "", inputs)?;
    let sums = sums(&entries)?;
    write_zip(&run.path("inputs.zip"), &entries, &sums, clock)
}

fn add_inputs(entries: &mut BTreeMap<String, PathBuf>, folder: &str, inputs: &[InputFile]) -> Result<(), PublishError> {
    for input in inputs {
        // A name with `..` or a leading `/` would leave the folder it is unpacked into.
        let parts: Vec<&str> = input.name.split(['/', '\\']).filter(|part| !matches!(*part, "" | "." | "..")).collect();
        add(entries, format!("{folder}{}", parts.join("/")), input.path.clone())?;
    }
    Ok(())
}

fn add(entries: &mut BTreeMap<String, PathBuf>, name: String, path: PathBuf) -> Result<(), PublishError> {
    if name == SUMS || entries.contains_key(&name) {
        return Err(PublishError::DuplicateEntry { name });
    }
    entries.insert(name, path);
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn sums(entries: &BTreeMap<String, PathBuf>) -> Result<String, PublishError> {
    let mut text = String::new();
    for (name, path) in entries {
        let digest = sha256_file(path).map_err(|source| PublishError::read(path, source))?;
        text.push_str(&sum_line(&digest, name));
    }
    Ok(text)
}

/// Returns a line of `SHA256SUMS`. GNU coreutils marks names with a backslash or line break by a leading backslash.
fn sum_line(digest: &Sha256Digest, name: &str) -> String {
    if name.contains(['\\', '\n', '\r']) {
        let name = name.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
        format!("\\{digest}  {name}\n")
    } else {
        format!("{digest}  {name}\n")
    }
}

fn write_zip(
    path: &Path,
    entries: &BTreeMap<String, PathBuf>,
    sums: &str,
    clock: Clock,
) -> Result<WrittenFile, PublishError> {
    let mut zip = ZipWriter::new(create(path)?);
    let modified = modified(clock);
    for (name, source) in entries {
        let mut file = File::open(source).map_err(|error| PublishError::read(source, error))?;
        let bytes = file.metadata().map_err(|error| PublishError::read(source, error))?.len();
        zip.start_file(name, options(name, bytes, modified)).map_err(|error| PublishError::zip(path, error))?;
        io::copy(&mut file, &mut zip).map_err(|error| PublishError::write(path, error))?;
    }
    zip.start_file(SUMS, options(SUMS, 0, modified)).map_err(|error| PublishError::zip(path, error))?;
    zip.write_all(sums.as_bytes()).map_err(|error| PublishError::write(path, error))?;
    let file: AtomicFile = zip.finish().map_err(|error| PublishError::zip(path, error))?;
    finish(file, path, None)
}

fn options(name: &str, bytes: u64, modified: DateTime) -> SimpleFileOptions {
    let ending = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let packed = ["parquet", "xlsx", "xlsm", "xlsb", "ods", "zip", "gz", "zst"].contains(&ending.as_str());
    SimpleFileOptions::default()
        .compression_method(if packed { CompressionMethod::Stored } else { CompressionMethod::Deflated })
        .last_modified_time(modified)
        .unix_permissions(0o644)
        // Deflate can make a file a little larger, so the limit has room.
        .large_file(bytes > 0xF000_0000)
}

/// Returns the clock's moment as the format knows it: 1980 to 2107, even seconds.
fn modified(clock: Clock) -> DateTime {
    let now = clock.now();
    u16::try_from(now.year())
        .ok()
        .and_then(|year| {
            DateTime::from_date_and_time(
                year,
                now.month() as u8,
                now.day() as u8,
                now.hour() as u8,
                now.minute() as u8,
                now.second() as u8,
            )
            .ok()
        })
        .unwrap_or_default()
}
