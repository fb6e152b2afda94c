//! Whether a run, or an archive of one, is still what it was.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use arrow::array::{Array, StringArray};
use hotpass_core::fields::RUN_ARTEFACTS;
use hotpass_core::{sha256_bytes, sha256_file, sha256_reader};
use parquet::errors::{ParquetError, Result as ParquetResult};
use serde::Serialize;
use zip::ZipArchive;

use crate::manifest::{
    FileRecord, LOCK_FILE, MANIFEST_FILE, Manifest, ManifestError, RowCounts, RunStatus, config_digest, is_sealed,
};
use crate::table::{Table, number, text};

/// Name of the list of sums within an archive.
const SUMS: &str = "SHA256SUMS";
/// Most bytes that are read of a list of sums or a manifest in an archive.
const TEXT_LIMIT: u64 = 64 << 20;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is as it was.
    Passed,
    /// It is not as it was.
    Failed,
    /// It changed in a way that does not speak against the run, such as an input that was edited later.
    Noted,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked, such as `artefact golden.parquet`.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found, for people.
    pub detail: String,
}

/// All checks of a run or an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The checks, in order.
    pub checks: Vec<Check>,
}

impl Verification {
    /// Returns whether no check failed.
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// Returns the checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.outcome == Outcome::Failed)
    }

    fn push(&mut self, name: impl Into<String>, outcome: Outcome, detail: impl Into<String>) {
        self.checks.push(Check { name: name.into(), outcome, detail: detail.into() });
    }

    fn expect(&mut self, name: impl Into<String>, holds: bool, good: impl Into<String>, bad: impl Into<String>) {
        if holds {
            self.push(name, Outcome::Passed, good);
        } else {
            self.push(name, Outcome::Failed, bad);
        }
    }
}

/// Why nothing could be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The run has no readable manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A file cannot be read.
    #[error("Failed to read `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is no archive.
    #[error("Failed to open archive `{}`", path.display())]
    NoArchive {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: zip::result::ZipError,
    },
}

impl VerifyError {
    /// Returns whether what was to be verified does not exist.
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Manifest(ManifestError::Missing { .. }) => true,
            Self::Io { source, .. } | Self::NoArchive { source: zip::result::ZipError::Io(source), .. } => {
                source.kind() == io::ErrorKind::NotFound
            }
            _ => false,
        }
    }
}

/// Verifies a run folder: the manifest's seal, the digest of every file, what is missing or unknown, and that no row was lost,
/// counted again from the crosswalk, the quarantine, the published table and the provenance.
///
/// # Errors
///
/// Returns [`VerifyError`] when there is no manifest that can be read; everything else is a check that fails.
pub fn verify_run(run_dir: &Path) -> Result<Verification, VerifyError> {
    let manifest = Manifest::open_run(run_dir)?;
    let path = run_dir.join(MANIFEST_FILE);
    let manifest_text =
        std::fs::read_to_string(&path).map_err(|source| VerifyError::Io { path: path.clone(), source })?;
    let mut verification = Verification::default();
    check_manifest(&mut verification, &manifest, &manifest_text);
    if let Some(name) = run_dir.file_name().and_then(|name| name.to_str()) {
        verification.expect(
            "run id",
            name == manifest.run_id,
            "The folder has the run's name",
            format!("The manifest is of run {}", manifest.run_id),
        );
    }
    for record in &manifest.artefacts {
        let (outcome, detail) = compare(&run_dir.join(&record.path), record);
        verification.push(format!("artefact {}", record.path), outcome, detail);
    }
    for record in &manifest.outputs {
        let (outcome, detail) = check_output(run_dir, &manifest, record);
        verification.push(format!("output {}", record.path), outcome, detail);
    }
    for record in &manifest.inputs {
        let path = resolve(run_dir, &Path::new(&manifest.input_dir).join(&record.path));
        let (outcome, detail) = match compare(&path, record) {
            (Outcome::Failed, detail) => (Outcome::Noted, format!("Since the run: {detail}")),
            other => other,
        };
        verification.push(format!("input {}", record.path), outcome, detail);
    }
    check_folder(&mut verification, run_dir, &manifest)?;
    if manifest.status != RunStatus::Running && manifest.command == "refine" {
        check_tables(&mut verification, &manifest, |name| {
            File::open(run_dir.join(name)).map_err(|error| ParquetError::External(Box::new(error)))
        });
    }
    Ok(verification)
}

fn check_manifest(verification: &mut Verification, manifest: &Manifest, text: &str) {
    verification.expect(
        "manifest seal",
        is_sealed(text),
        "The manifest is the one that was written",
        "The manifest was changed after it was written",
    );
    let (outcome, detail) = match manifest.status {
        RunStatus::Completed => (Outcome::Passed, "The run completed".to_owned()),
        RunStatus::Running => (Outcome::Failed, "The run goes on; verify it when it is done".to_owned()),
        RunStatus::Interrupted => (Outcome::Failed, "The run was interrupted".to_owned()),
        RunStatus::Failed => (
            Outcome::Noted,
            format!("The run failed: {}", manifest.error.as_deref().unwrap_or("no reason is recorded")),
        ),
    };
    verification.push("status", outcome, detail);
    verification.expect(
        "configuration",
        config_digest(&manifest.config) == manifest.config_digest,
        "The configuration has its digest",
        "The configuration does not have the digest that is recorded",
    );
    let RowCounts { rows_in, rows_in_entities, rows_quarantined, .. } = manifest.rows;
    verification.expect(
        "row counts",
        rows_in == rows_in_entities + rows_quarantined,
        format!("{rows_in} rows: {rows_in_entities} in entities, {rows_quarantined} in quarantine"),
        format!("{rows_in} rows were read, {rows_in_entities} are in entities, {rows_quarantined} in quarantine"),
    );
}

/// Compares a file with its record.
fn compare(path: &Path, record: &FileRecord) -> (Outcome, String) {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => (Outcome::Failed, "The file is missing".to_owned()),
        Err(error) => (Outcome::Failed, format!("The file cannot be read: {error}")),
        Ok(metadata) if metadata.len() != record.bytes => {
            (Outcome::Failed, format!("The file has {} bytes, not {}", metadata.len(), record.bytes))
        }
        Ok(_) => match sha256_file(path) {
            Ok(digest) if digest == record.sha256 => (Outcome::Passed, format!("SHA-256 {}", record.sha256)),
            Ok(digest) => (Outcome::Failed, format!("The file has SHA-256 {digest}, not {}", record.sha256)),
            Err(error) => (Outcome::Failed, format!("The file cannot be read: {error}")),
        },
    }
}

/// Compares an output; one that a later run wrote anew is only noted.
fn check_output(run_dir: &Path, manifest: &Manifest, record: &FileRecord) -> (Outcome, String) {
    let path = resolve(run_dir, Path::new(&record.path));
    let (outcome, detail) = compare(&path, record);
    if outcome != Outcome::Failed || !path.is_file() {
        return (outcome, detail);
    }
    let later = run_dir.parent().and_then(|runs| std::fs::read_dir(runs).ok()).and_then(|entries| {
        entries
            .filter_map(Result::ok)
            .filter_map(|entry| Manifest::read(&entry.path()).ok())
            .filter(|other| other.run_id != manifest.run_id && other.started_at >= manifest.started_at)
            .find(|other| {
                other
                    .outputs
                    .iter()
                    .any(|output| output.path == record.path && compare(&path, output).0 == Outcome::Passed)
            })
    });
    match later {
        Some(later) => (Outcome::Noted, format!("Run {} has published this file anew", later.run_id)),
        None => (outcome, detail),
    }
}

/// Finds a file by its path as it was asked for: from here, else from a folder above the run's.
fn resolve(run_dir: &Path, path: &Path) -> PathBuf {
    if path.is_absolute() || path.exists() {
        return path.to_path_buf();
    }
    run_dir
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(path))
        .find(|candidate| candidate.exists())
        .unwrap_or_else(|| path.to_path_buf())
}

fn check_folder(verification: &mut Verification, run_dir: &Path, manifest: &Manifest) -> Result<(), VerifyError> {
    let known: HashSet<&str> =
        manifest.artefacts.iter().map(|record| record.path.as_str()).chain([MANIFEST_FILE, LOCK_FILE]).collect();
    let mut unknown = Vec::new();
    let mut folders = vec![run_dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let io_error = |source| VerifyError::Io { path: folder.clone(), source };
        for entry in std::fs::read_dir(&folder).map_err(io_error)? {
            let path = entry.map_err(io_error)?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(run_dir).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            if !known.contains(name.as_str()) {
                unknown.push(name);
            }
        }
    }
    unknown.sort_unstable();
    verification.expect(
        "run folder",
        unknown.is_empty(),
        "The folder holds no unknown file",
        format!("Files the manifest does not know: {}", unknown.join(", ")),
    );
    Ok(())
}

/// Checks the tables of a run against each other and against the manifest.
fn check_tables(verification: &mut Verification, manifest: &Manifest, open: impl Fn(&str) -> ParquetResult<File>) {
    let recorded = |name: &str| manifest.artefacts.iter().any(|record| record.path == name);
    let tables = ["crosswalk.parquet", "quarantine.parquet", "golden.parquet", "provenance.parquet"];
    if !tables.iter().all(|name| recorded(name)) {
        verification.expect(
            "rows",
            manifest.status != RunStatus::Completed,
            "The run ended before it wrote its tables",
            "The manifest of a completed run names all of its tables",
        );
        return;
    }
    let mut run = || -> ParquetResult<()> {
        let [crosswalk, quarantine, golden, provenance] = [
            Table::open(open(tables[0])?)?,
            Table::open(open(tables[1])?)?,
            Table::open(open(tables[2])?)?,
            Table::open(open(tables[3])?)?,
        ];
        let strays: Vec<&str> = tables
            .into_iter()
            .zip([&crosswalk, &quarantine, &golden, &provenance])
            .filter(|(_, table)| table.key_value("hotpass.run_id") != Some(&manifest.run_id))
            .map(|(name, _)| name)
            .collect();
        verification.expect(
            "table metadata",
            strays.is_empty(),
            "The tables name this run",
            format!("Tables of another run: {}", strays.join(", ")),
        );
        check_rows(verification, &manifest.rows, &crosswalk, &quarantine, &golden, &provenance)
    };
    if let Err(error) = run() {
        verification.push("rows", Outcome::Failed, format!("The tables cannot be read: {error}"));
    }
}

fn check_rows(
    verification: &mut Verification,
    counts: &RowCounts,
    crosswalk: &Table,
    quarantine: &Table,
    golden: &Table,
    provenance: &Table,
) -> ParquetResult<()> {
    // Rows and ids are compared by 64-bit hashes: of a million rows, two share one with a probability of 3e-8.
    let hasher = RandomState::new();
    let mut seen = HashSet::with_capacity(crosswalk.rows() as usize);
    let mut quarantined = HashSet::new();
    let mut with_rows = HashSet::new();
    let (mut in_entities, mut repeated, mut misplaced) = (0u64, 0u64, 0u64);
    let columns = ["source_file", "sheet", "row", "table", "entity_id", "outcome"];
    for batch in crosswalk.scan(&columns)? {
        let batch = batch?;
        let keys = row_keys(&batch, &hasher)?;
        let (entities, outcomes) = (text(&batch, "entity_id")?, text(&batch, "outcome")?);
        for (row, key) in keys.into_iter().enumerate() {
            repeated += u64::from(!seen.insert(key));
            match (outcomes.value(row), entities.is_valid(row)) {
                ("entity", true) => {
                    in_entities += 1;
                    with_rows.insert(hasher.hash_one(entities.value(row)));
                }
                ("quarantine", false) => {
                    quarantined.insert(key);
                }
                _ => misplaced += 1,
            }
        }
    }
    verification.expect(
        "rows in crosswalk",
        crosswalk.rows() == counts.rows_in && repeated == 0 && misplaced == 0,
        format!("Each of {} source rows is there once, in an entity or in quarantine", counts.rows_in),
        format!(
            "{} rows for {} source rows; {repeated} repeated, {misplaced} neither in an entity nor in quarantine",
            crosswalk.rows(),
            counts.rows_in
        ),
    );
    verification.expect(
        "rows in entities",
        in_entities == counts.rows_in_entities,
        format!("{in_entities} source rows"),
        format!("{in_entities} source rows, not {}", counts.rows_in_entities),
    );
    let mut in_quarantine = HashSet::new();
    for batch in quarantine.scan(&columns[..4])? {
        in_quarantine.extend(row_keys(&batch?, &hasher)?);
    }
    verification.expect(
        "rows in quarantine",
        in_quarantine == quarantined && in_quarantine.len() as u64 == counts.rows_quarantined,
        format!("{} source rows, the same as in the crosswalk", in_quarantine.len()),
        format!(
            "{} source rows in the quarantine, {} by the crosswalk, {} by the manifest",
            in_quarantine.len(),
            quarantined.len(),
            counts.rows_quarantined
        ),
    );
    let mut published = HashMap::with_capacity(golden.rows() as usize);
    for batch in golden.scan(&["entity_id"])? {
        for id in &text(&batch?, "entity_id")? {
            *published.entry(hasher.hash_one(id.unwrap_or_default())).or_insert(0u32) += 1;
        }
    }
    let unsourced = published.keys().filter(|id| !with_rows.contains(*id)).count();
    let unpublished = with_rows.iter().filter(|id| !published.contains_key(*id)).count();
    verification.expect(
        "entities",
        golden.rows() == counts.entities && published.len() as u64 == golden.rows() && unsourced == 0 && unpublished == 0,
        format!("{} entities, each published once and with source rows", golden.rows()),
        format!(
            "{} published rows of {} entities, {} by the manifest; {unsourced} without source rows, {unpublished} not published",
            golden.rows(),
            published.len(),
            counts.entities
        ),
    );
    let mut traced = HashSet::with_capacity(published.len());
    let mut last = (String::new(), 0);
    for batch in provenance.scan(&["entity_id"])? {
        for id in text(&batch?, "entity_id")?.iter().flatten() {
            // The rows of an entity lie together, so most ids need no hash.
            if id != last.0 {
                last = (id.to_owned(), hasher.hash_one(id));
                traced.insert(last.1);
            }
        }
    }
    let untraced = published.keys().filter(|id| !traced.contains(*id)).count();
    let strange = traced.iter().filter(|id| !published.contains_key(*id)).count();
    verification.expect(
        "provenance",
        untraced == 0 && strange == 0,
        format!("Every entity is traced, in {} cells", provenance.rows()),
        format!("{untraced} entities are not traced, {strange} traced ones are not published"),
    );
    Ok(())
}

/// Returns a hash of file, sheet, row and table for each row.
fn row_keys(batch: &arrow::record_batch::RecordBatch, hasher: &RandomState) -> ParquetResult<Vec<u64>> {
    let (file, sheet) = (text(batch, "source_file")?, text(batch, "sheet")?);
    let (row, table) = (number(batch, "row")?, number(batch, "table")?);
    let value = |array: &StringArray, index: usize| -> Option<String> {
        array.is_valid(index).then(|| array.value(index).to_owned())
    };
    Ok((0..batch.num_rows())
        .map(|index| hasher.hash_one((file.value(index), value(&sheet, index), row.value(index), table.value(index))))
        .collect())
}

/// Verifies an archive: its list of sums, the digest of every file, what is missing or unknown, the manifest in it, and the rows
/// as [`verify_run`] does.
///
/// # Errors
///
/// Returns [`VerifyError`] when the file is no archive that can be opened; everything else is a check that fails.
pub fn verify_archive(path: &Path) -> Result<Verification, VerifyError> {
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
            check_archived_files(&mut verification, &manifest, &sums);
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
fn check_archived_files(verification: &mut Verification, manifest: &Manifest, sums: &BTreeMap<String, String>) {
    let file_name = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    let inputs = manifest.inputs.iter().map(|record| (format!("inputs/{}", record.path), record));
    let outputs = manifest.outputs.iter().map(|record| (file_name(&record.path), record));
    let artefacts = manifest
        .artefacts
        .iter()
        .filter(|record| record.path != "inputs.zip")
        .filter(|record| RUN_ARTEFACTS.iter().any(|(name, _, _)| *name == record.path))
        .map(|record| (format!("run/{}", record.path), record));
    let mut strays = Vec::new();
    for (name, record) in inputs.chain(outputs).chain(artefacts) {
        if sums.get(&name).map(String::as_str) != Some(record.sha256.as_str()) {
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
