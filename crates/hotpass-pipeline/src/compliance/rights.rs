//! What is held on a person over all runs, its erasure, and the end of retention.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, RecordBatch, StringArray, StructArray};
use arrow::datatypes::{DataType, UInt32Type};
use chrono::NaiveDate;
use hotpass_core::{AtomicFile, Clock, RunDirectory, sha256_file};
use hotpass_privacy::SuppressionList;
use hotpass_privacy::subject::{ERASED, Identifier, IdentifierKind, Subject};
use hotpass_provenance::manifest::{FileRecord, MANIFEST_FILE, RunStatus};
use hotpass_provenance::{Entry, EntryKind, Ledger, LedgerError, Manifest};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Serialize;
use serde_json::json;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::suppression_path;
use crate::publish::{FileMetadata, PublishError, write_parquet};
use crate::records::value_at;
use crate::services::Services;

/// Files of a run folder that hold no value of the data and must stay as they are.
const EVIDENCE: [&str; 3] = ["manifest.json", "ledger.ndjson", "attestation.json"];

/// Why what is held on a person could not be read or erased.
#[derive(Debug, thiserror::Error)]
pub enum RightsError {
    /// There are no runs.
    #[error("No runs in `{}`", dist_dir.display())]
    NoRuns {
        /// The folder of runs.
        dist_dir: PathBuf,
    },
    /// A run goes on.
    #[error("Run `{run_id}` goes on; nothing is erased beneath it")]
    Running {
        /// The run.
        run_id: String,
    },
    /// A file could not be read or written.
    #[error("Failed to access `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A table could not be read.
    #[error("Failed to read table `{}`", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A table could not be written.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The list of erased people could not be used.
    #[error("Cannot use the list of erased people")]
    Suppression(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The ledger could not be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Everything that is held on a person.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SubjectReport {
    /// Kinds of identifiers that were looked for.
    pub looked_for: Vec<IdentifierKind>,
    /// Identifiers of the same contacts, which were not asked for.
    pub related: Vec<(IdentifierKind, String)>,
    /// What each run holds; runs that hold nothing are left out.
    pub runs: Vec<RunHoldings>,
    /// Archives that hold the person.
    pub archives: Vec<PathBuf>,
    /// Input files that still hold the person.
    pub inputs: Vec<PathBuf>,
}

/// What a run holds on a person.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RunHoldings {
    /// The run.
    pub run_id: String,
    /// When it started.
    pub started_at: String,
    /// Last day on which its outputs may be kept.
    pub retention_until: Option<String>,
    /// Cells of its tables.
    pub cells: Vec<Holding>,
    /// Files of the run folder and outputs that hold the person.
    pub files: Vec<PathBuf>,
}

/// A cell that holds a person.
#[derive(Debug, Clone, Serialize)]
pub struct Holding {
    /// Table of the run.
    pub table: String,
    /// Entity, where the table names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<String>,
    /// Published field, where the table names one; else the column.
    pub field: String,
    /// Value.
    pub value: String,
    /// Source cell, as `file#sheet!B7`, where the table names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// What an erasure did, or would do.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ErasureReport {
    /// The decision.
    pub decision: String,
    /// Whether it was done.
    pub done: bool,
    /// Files that were rewritten or removed.
    pub files: Vec<ErasedFile>,
    /// Identifiers that are on the list of erased people now.
    pub suppressed: usize,
    /// Input files that still hold the person; the next run takes the person out as it reads them.
    pub inputs: Vec<PathBuf>,
}

/// A file from which a person was erased.
#[derive(Debug, Clone, Serialize)]
pub struct ErasedFile {
    /// The run it belongs to.
    pub run_id: String,
    /// Path as the manifest has it.
    pub path: String,
    /// Digest before.
    pub old_sha256: String,
    /// Digest after; nothing where the file was removed.
    pub sha256: Option<String>,
    /// Bytes after.
    pub bytes: u64,
}

/// A run whose retention is over.
#[derive(Debug, Clone, Serialize)]
pub struct SweptRun {
    /// The run.
    pub run_id: String,
    /// Its last day.
    pub retention_until: String,
    /// What was removed, or would be.
    pub removed: Vec<PathBuf>,
}

struct Run {
    directory: PathBuf,
    manifest: Manifest,
}

fn runs(dist_dir: &Path) -> Result<Vec<Run>, RightsError> {
    let no_runs = || RightsError::NoRuns { dist_dir: dist_dir.to_path_buf() };
    let entries = std::fs::read_dir(dist_dir.join("runs")).map_err(|_| no_runs())?;
    let mut runs: Vec<Run> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| Some(Run { manifest: Manifest::read(&entry.path()).ok()?, directory: entry.path() }))
        .collect();
    if runs.is_empty() {
        return Err(no_runs());
    }
    runs.sort_by(|a, b| a.manifest.run_id.cmp(&b.manifest.run_id));
    Ok(runs)
}

/// Finds everything that is held on a person: over all runs, with the source cells, in outputs, archives and inputs.
///
/// # Errors
///
/// Returns [`RightsError`] when there are no runs, or a table cannot be read: an answer that leaves something out is none.
pub fn subject(dist_dir: &Path, asked: &[Identifier]) -> Result<SubjectReport, RightsError> {
    let runs = runs(dist_dir)?;
    let (subject, related) = with_related(&runs, asked)?;
    let mut report =
        SubjectReport { looked_for: asked.iter().map(Identifier::kind).collect(), related, ..SubjectReport::default() };
    let mut inputs = BTreeSet::new();
    for run in &runs {
        let mut holdings = RunHoldings {
            run_id: run.manifest.run_id.clone(),
            started_at: run.manifest.started_at.clone(),
            retention_until: run.manifest.retention_until.clone(),
            ..RunHoldings::default()
        };
        for path in files_of(&run.directory)? {
            let is_table = path.extension().is_some_and(|ending| ending == "parquet");
            if is_table {
                let before = holdings.cells.len();
                holdings_of(&path, &subject, &mut holdings.cells)?;
                if holdings.cells.len() > before {
                    holdings.files.push(path);
                }
            } else if holds(&path, &subject)? {
                holdings.files.push(path);
            }
        }
        for output in outputs_of(run) {
            if holds(&output, &subject)? {
                holdings.files.push(output);
            }
        }
        for input in inputs_of(run) {
            if !inputs.contains(&input) && holds_input(&input, &subject) {
                inputs.insert(input);
            }
        }
        if !holdings.cells.is_empty() || !holdings.files.is_empty() {
            report.runs.push(holdings);
        }
    }
    for archive in archives_of(dist_dir) {
        if holds(&archive, &subject)? {
            report.archives.push(archive);
        }
    }
    report.inputs = inputs.into_iter().collect();
    Ok(report)
}

/// Erases a person from every run, output and archive, and puts the person on the list of erased people.
///
/// Tables are rewritten cell by cell, texts and workbooks value by value; archives are written anew; archived inputs that hold
/// the person are removed whole. Each run's ledger records the decision, and of each file the digests before and after, so that
/// `hotpass verify` can tell an erasure from a change. Without `confirmed` nothing is written.
///
/// # Errors
///
/// Returns [`RightsError`] when a run goes on or a file cannot be read or written. What was erased until then is recorded.
pub fn erase(
    dist_dir: &Path,
    asked: &[Identifier],
    decision: &str,
    services: &Services,
    clock: Clock,
    confirmed: bool,
) -> Result<ErasureReport, RightsError> {
    let runs = runs(dist_dir)?;
    if let Some(run) = runs.iter().find(|run| run.manifest.status == RunStatus::Running && is_locked(&run.directory)) {
        return Err(RightsError::Running { run_id: run.manifest.run_id.clone() });
    }
    let (subject, _) = with_related(&runs, asked)?;
    let mut report = ErasureReport { decision: decision.to_owned(), done: confirmed, ..ErasureReport::default() };
    let organisations = organisations_of(&runs, &subject)?;
    // The list comes first: whatever happens below, no run brings the person back.
    let identifiers: Vec<Identifier> = subject.identifiers().iter().chain(&organisations).cloned().collect();
    report.suppressed = subject.identifiers().len();
    let mut hashes = Vec::new();
    if confirmed {
        let path = suppression_path(dist_dir);
        let mut list = SuppressionList::read(&path).map_err(|error| RightsError::Suppression(error.into()))?;
        list.add(decision, &clock.now_rfc3339(), &identifiers)
            .map_err(|error| RightsError::Suppression(error.into()))?;
        list.write(&path).map_err(|error| RightsError::Suppression(error.into()))?;
        hashes = subject.identifiers().iter().map(|identifier| list.hash(identifier)).collect();
    }
    let mut inputs = BTreeSet::new();
    for run in &runs {
        let mut erased = Vec::new();
        for path in files_of(&run.directory)? {
            let name = path.strip_prefix(&run.directory).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            erased.extend(erase_file(run, &name, &path, &subject, confirmed)?);
        }
        for record in &run.manifest.outputs {
            let path = resolve(&run.directory, &record.path);
            // An output that a later run has written anew is that run's.
            if path.is_file() && belongs(run, record, &path)? {
                erased.extend(erase_file(run, &record.path, &path, &subject, confirmed)?);
            }
        }
        for input in inputs_of(run) {
            if !inputs.contains(&input) && holds_input(&input, &subject) {
                inputs.insert(input);
            }
        }
        if confirmed && !erased.is_empty() {
            let entry = Entry::new(EntryKind::PrivacyErased)
                .by(services.operator.as_deref(), &services.command)
                .detail("decision", decision)
                .detail("subject", json!(hashes))
                .detail("files", json!(erased));
            Ledger::of_run(&run.directory).append(entry, clock)?;
        }
        report.files.extend(erased);
    }
    for archive in archives_of(dist_dir) {
        report.files.extend(erase_archive(&archive, &runs, &subject, &report.files, confirmed)?);
    }
    report.inputs = inputs.into_iter().collect();
    Ok(report)
}

/// Removes the runs whose retention is over: their folders, the outputs that are theirs, and their archives.
///
/// The workspace's ledger records what was removed, with its digests. Without `confirmed` nothing is removed.
///
/// # Errors
///
/// Returns [`RightsError`] when a file cannot be read or removed.
pub fn sweep(
    dist_dir: &Path,
    services: &Services,
    clock: Clock,
    confirmed: bool,
) -> Result<Vec<SweptRun>, RightsError> {
    let today = clock.now().date_naive();
    let mut swept = Vec::new();
    for run in runs(dist_dir)? {
        let until = run.manifest.retention_until.clone().unwrap_or_default();
        let over = until.parse::<NaiveDate>().is_ok_and(|day| day < today);
        if !over || (run.manifest.status == RunStatus::Running && is_locked(&run.directory)) {
            continue;
        }
        let mut removed = Vec::new();
        let mut files = Vec::new();
        for record in &run.manifest.outputs {
            let path = resolve(&run.directory, &record.path);
            if path.is_file() && belongs(&run, record, &path)? {
                files.push(json!({"path": record.path, "sha256": digest(&path)?}));
                removed.push(path);
            }
        }
        for archive in archives_of(dist_dir) {
            if archived_run(&archive).as_deref() == Some(&run.manifest.run_id) {
                let name = archive.file_name().unwrap_or_default().to_string_lossy().into_owned();
                files.push(json!({"path": name, "sha256": digest(&archive)?}));
                removed.push(archive);
            }
        }
        let manifest = run.directory.join(MANIFEST_FILE);
        files.push(json!({"path": MANIFEST_FILE, "sha256": digest(&manifest)?}));
        if confirmed {
            let entry = Entry::new(EntryKind::PrivacySwept)
                .by(services.operator.as_deref(), &services.command)
                .of_run(&run.manifest.run_id)
                .detail("retention_until", until.as_str())
                .detail("files", json!(files));
            Ledger::open(dist_dir.join(hotpass_provenance::ledger::LEDGER_FILE)).append(entry, clock)?;
            for path in &removed {
                std::fs::remove_file(path).map_err(|source| RightsError::Io { path: path.clone(), source })?;
            }
            std::fs::remove_dir_all(&run.directory)
                .map_err(|source| RightsError::Io { path: run.directory.clone(), source })?;
        }
        removed.push(run.directory);
        swept.push(SweptRun { run_id: run.manifest.run_id, retention_until: until, removed });
    }
    if confirmed && !swept.is_empty() {
        // The newest run that is left is the latest; none where none is left.
        let latest = dist_dir.join("runs").join("latest");
        match RunDirectory::find(dist_dir, "latest") {
            Ok(run) => run.mark_latest().map_err(|source| RightsError::Io { path: latest, source })?,
            Err(_) => {
                let _ = std::fs::remove_file(latest);
            }
        }
    }
    Ok(swept)
}

/// Adds the other identifiers of the contacts that hold one of those that were asked for; an address or number that several names
/// share is a reception's, and is not added.
fn with_related(runs: &[Run], asked: &[Identifier]) -> Result<(Subject, Vec<(IdentifierKind, String)>), RightsError> {
    let subject = Subject::new(asked.to_vec());
    let columns = [("name", IdentifierKind::Name), ("email", IdentifierKind::Email), ("phone", IdentifierKind::Phone)];
    let mut contacts: Vec<[Option<String>; 3]> = Vec::new();
    for run in runs {
        let path = run.directory.join("contacts.parquet");
        if !path.is_file() {
            continue;
        }
        for batch in batches(&path)?.1 {
            let texts: Vec<Option<StringArray>> =
                columns.iter().map(|(name, _)| batch.column_by_name(name)?.as_string_opt::<i32>().cloned()).collect();
            for row in 0..batch.num_rows() {
                let value = |at: usize| {
                    let text = value_at(texts[at].as_ref()?, row)?;
                    (text != hotpass_privacy::REDACTED && text != ERASED).then(|| text.to_owned())
                };
                contacts.push([value(0), value(1), value(2)]);
            }
        }
    }
    let mut names: BTreeMap<(usize, &str), BTreeSet<&str>> = BTreeMap::new();
    for contact in &contacts {
        for at in 1..3 {
            if let (Some(value), Some(name)) = (&contact[at], &contact[0]) {
                names.entry((at, value)).or_default().insert(name);
            }
        }
    }
    let mut all: Vec<Identifier> = asked.to_vec();
    let mut related = BTreeSet::new();
    for contact in &contacts {
        if !contact.iter().flatten().any(|value| subject.is_in(value)) {
            continue;
        }
        for (at, (_, kind)) in columns.iter().enumerate() {
            let Some(value) = &contact[at] else { continue };
            if subject.is_in(value) || names.get(&(at, value.as_str())).is_some_and(|names| names.len() > 1) {
                continue;
            }
            if let Some(identifier) = Identifier::new(*kind, value) {
                related.insert((*kind, value.clone()));
                all.push(identifier);
            }
        }
    }
    Ok((Subject::new(all), related.into_iter().collect()))
}

/// Returns the organisations at which the person was found, where only a name is known.
fn organisations_of(runs: &[Run], subject: &Subject) -> Result<Vec<Identifier>, RightsError> {
    let mut found = BTreeSet::new();
    if subject.identifiers().iter().any(|identifier| identifier.kind() != IdentifierKind::Name) {
        return Ok(Vec::new());
    }
    for run in runs {
        let path = run.directory.join("golden.parquet");
        if !path.is_file() {
            continue;
        }
        for batch in batches(&path)?.1 {
            let column = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
            let (Some(names), Some(people)) = (column("organization_name"), column("contact_primary_name")) else {
                continue;
            };
            for row in 0..batch.num_rows() {
                if value_at(people, row).is_some_and(|name| subject.is_in(name)) {
                    found.extend(
                        value_at(names, row).and_then(|name| Identifier::new(IdentifierKind::Organisation, name)),
                    );
                }
            }
        }
    }
    Ok(found.into_iter().collect())
}

fn digest(path: &Path) -> Result<String, RightsError> {
    sha256_file(path)
        .map(|digest| digest.as_str().to_owned())
        .map_err(|source| RightsError::Io { path: path.to_path_buf(), source })
}

/// Returns the files of a run folder that may hold values.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, RightsError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let error = |source| RightsError::Io { path: folder.clone(), source };
        for entry in std::fs::read_dir(&folder).map_err(error)? {
            let path = entry.map_err(error)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !EVIDENCE.contains(&name.as_str()) && !name.starts_with('.') && name != "run.lock" {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn resolve(run_dir: &Path, path: &str) -> PathBuf {
    let path = Path::new(path);
    if path.is_absolute() || path.exists() {
        return path.to_path_buf();
    }
    let above = run_dir.ancestors().skip(1).map(|folder| folder.join(path));
    above.into_iter().find(|candidate| candidate.exists()).unwrap_or_else(|| path.to_path_buf())
}

fn outputs_of(run: &Run) -> Vec<PathBuf> {
    let paths = run.manifest.outputs.iter().map(|record| resolve(&run.directory, &record.path));
    paths.filter(|path| path.is_file()).collect()
}

fn inputs_of(run: &Run) -> Vec<PathBuf> {
    let folders: Vec<&str> = run.manifest.input_dir.split(", ").collect();
    run.manifest
        .inputs
        .iter()
        .filter_map(|record| {
            folders
                .iter()
                .flat_map(|folder| [Path::new(folder).join(&record.path), PathBuf::from(folder)])
                .map(|path| resolve(&run.directory, &path.to_string_lossy()))
                .find(|path| path.is_file() && path.ends_with(Path::new(&record.path)))
        })
        .collect()
}

fn archives_of(dist_dir: &Path) -> Vec<PathBuf> {
    let mut archives: Vec<PathBuf> = std::fs::read_dir(dist_dir)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("refined-data-") && path.extension().is_some_and(|ending| ending == "zip")
        })
        .collect();
    archives.sort();
    archives
}

/// Returns whether a run works in a folder now.
fn is_locked(folder: &Path) -> bool {
    hotpass_provenance::RunLock::acquire(folder).is_err()
}

/// Returns whether an output is what the run has written, or an erasure has made of it.
fn belongs(run: &Run, record: &FileRecord, path: &Path) -> Result<bool, RightsError> {
    let now = digest(path)?;
    if now == record.sha256.as_str() {
        return Ok(true);
    }
    let reading = Ledger::of_run(&run.directory).read()?;
    Ok(reading
        .entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::PrivacyErased.as_str())
        .filter_map(|entry| entry.details.get("files")?.as_array())
        .flatten()
        .any(|file| file["path"] == record.path.as_str() && file["sha256"] == now.as_str()))
}

type Batches = (BTreeMap<String, String>, Vec<RecordBatch>);

/// Reads a table with the key-value metadata of its file.
fn batches(path: &Path) -> Result<Batches, RightsError> {
    let table =
        |source: Box<dyn std::error::Error + Send + Sync>| RightsError::Table { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(|source| RightsError::Io { path: path.to_path_buf(), source })?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| table(error.into()))?;
    let metadata = builder
        .metadata()
        .file_metadata()
        .key_value_metadata()
        .into_iter()
        .flatten()
        .filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?)))
        .collect();
    let schema = Arc::clone(builder.schema());
    let reader = builder.build().map_err(|error| table(error.into()))?;
    let mut batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().map_err(|error| table(error.into()))?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok((metadata, batches))
}

fn holdings_of(path: &Path, subject: &Subject, holdings: &mut Vec<Holding>) -> Result<(), RightsError> {
    let table = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for batch in batches(path)?.1 {
        let text = |name: &str, row: usize| {
            let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
            value_at(column, row).map(ToOwned::to_owned)
        };
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let mut hits: Vec<(usize, String)> = Vec::new();
            if let Some(values) = column.as_string_opt::<i32>() {
                hits.extend((0..values.len()).filter_map(|row| {
                    value_at(values, row).filter(|value| subject.is_in(value)).map(|value| (row, value.to_owned()))
                }));
            } else if let Some(list) = column.as_list_opt::<i32>() {
                for row in (0..list.len()).filter(|&row| list.is_valid(row)) {
                    let Some(cells) = list.value(row).as_struct_opt().cloned() else { continue };
                    for values in cells.columns().iter().filter_map(|values| values.as_string_opt::<i32>()) {
                        hits.extend(
                            values
                                .iter()
                                .flatten()
                                .filter(|value| subject.is_in(value))
                                .map(|value| (row, value.to_owned())),
                        );
                    }
                }
            }
            for (row, value) in hits {
                let source = text("source_file", row).map(|file| {
                    let sheet = text("sheet", row).map(|sheet| format!("#{sheet}")).unwrap_or_default();
                    let number = batch
                        .column_by_name("row")
                        .and_then(|rows| rows.as_primitive_opt::<UInt32Type>())
                        .map_or(0, |rows| rows.value(row));
                    format!("{file}{sheet}!{}{number}", text("column", row).unwrap_or_default())
                });
                holdings.push(Holding {
                    table: table.clone(),
                    entity_id: text("entity_id", row),
                    field: match text("field", row) {
                        Some(named) if field.name() == "value" => named,
                        Some(named) => format!("{named}/{}", field.name()),
                        None => field.name().clone(),
                    },
                    value,
                    source,
                });
            }
        }
    }
    Ok(())
}

/// Returns whether a file holds the person; zips and workbooks are looked into.
fn holds(path: &Path, subject: &Subject) -> Result<bool, RightsError> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match ending.as_str() {
        "parquet" => {
            let mut found = Vec::new();
            holdings_of(path, subject, &mut found)?;
            Ok(!found.is_empty())
        }
        "zip" | "xlsx" | "xlsm" => {
            let error = |source| RightsError::Io { path: path.to_path_buf(), source };
            let file = File::open(path).map_err(error)?;
            Ok(zip_holds(file, subject).unwrap_or(false))
        }
        _ => {
            let bytes = std::fs::read(path).map_err(|source| RightsError::Io { path: path.to_path_buf(), source })?;
            Ok(subject.is_in(&String::from_utf8_lossy(&bytes)))
        }
    }
}

fn zip_holds(file: impl Read + io::Seek, subject: &Subject) -> zip::result::ZipResult<bool> {
    let mut archive = ZipArchive::new(file)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.name().map(|name| name.to_lowercase()).unwrap_or_default();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        if bytes_hold(&name, bytes, subject)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn bytes_hold(name: &str, bytes: Vec<u8>, subject: &Subject) -> zip::result::ZipResult<bool> {
    if name.ends_with(".zip") || name.ends_with(".xlsx") || name.ends_with(".xlsm") {
        return zip_holds(io::Cursor::new(bytes), subject);
    }
    if name.ends_with(".parquet") {
        let Ok(reader) =
            ParquetRecordBatchReaderBuilder::try_new(parquet_bytes(bytes)).and_then(|builder| builder.build())
        else {
            return Ok(false);
        };
        return Ok(reader.filter_map(Result::ok).any(|batch| erased_batch(&batch, subject).is_some()));
    }
    Ok(subject.is_in(&String::from_utf8_lossy(&bytes)))
}

fn parquet_bytes(bytes: Vec<u8>) -> bytes::Bytes {
    bytes::Bytes::from(bytes)
}

/// Returns whether an input file holds the person, read as a run reads it; one that cannot be read is looked through as text.
fn holds_input(path: &Path, subject: &Subject) -> bool {
    let options = hotpass_ingest::source::DiscoverOptions::default();
    let Ok(found) = hotpass_ingest::discover(&[path.to_path_buf()], &options) else { return false };
    found.files.iter().any(|file| match hotpass_ingest::open_file(file, &hotpass_ingest::ReadOptions::default()) {
        Ok(opened) => opened.tables.into_iter().any(|table| {
            table.batches.filter_map(Result::ok).any(|batch| {
                batch
                    .columns()
                    .iter()
                    .filter_map(|column| column.as_string_opt::<i32>())
                    .any(|values| values.iter().flatten().any(|value| subject.is_in(value)))
            })
        }),
        Err(_) => std::fs::read(path).is_ok_and(|bytes| subject.is_in(&String::from_utf8_lossy(&bytes))),
    })
}

/// Erases the person from a file; nothing where the file does not hold one.
fn erase_file(
    run: &Run,
    name: &str,
    path: &Path,
    subject: &Subject,
    confirmed: bool,
) -> Result<Option<ErasedFile>, RightsError> {
    if !holds(path, subject)? {
        return Ok(None);
    }
    let old_sha256 = digest(path)?;
    let erased = |sha256: Option<String>, bytes: u64| {
        Some(ErasedFile { run_id: run.manifest.run_id.clone(), path: name.to_owned(), old_sha256, sha256, bytes })
    };
    if !confirmed {
        return Ok(erased(None, 0));
    }
    let io_error = |source| RightsError::Io { path: path.to_path_buf(), source };
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match ending.as_str() {
        "parquet" => {
            let (metadata, batches) = batches(path)?;
            let get = |key: &str| metadata.get(key).map(String::as_str).unwrap_or_default();
            let rewritten: Vec<RecordBatch> =
                batches.iter().map(|batch| erased_batch(batch, subject).unwrap_or_else(|| batch.clone())).collect();
            let metadata = FileMetadata { run_id: get("hotpass.run_id"), config_digest: get("hotpass.config_digest") };
            write_parquet(path, &rewritten, &metadata)?;
        }
        "xlsx" | "xlsm" => erase_workbook(path, subject)?,
        // What others have packed cannot be cleaned with certainty.
        "zip" => {
            std::fs::remove_file(path).map_err(io_error)?;
            return Ok(erased(None, 0));
        }
        _ => {
            let bytes = std::fs::read(path).map_err(io_error)?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let text = subject.erase(&text).unwrap_or(text);
            hotpass_core::write_atomic(path, text).map_err(io_error)?;
        }
    }
    let bytes = std::fs::metadata(path).map_err(io_error)?.len();
    Ok(erased(Some(digest(path)?), bytes))
}

/// Returns a batch without the person; nothing where it does not hold one.
fn erased_batch(batch: &RecordBatch, subject: &Subject) -> Option<RecordBatch> {
    let mut changed = false;
    let columns: Vec<ArrayRef> = batch
        .schema()
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| match erased_array(column, field.is_nullable(), subject) {
            Some(new) => {
                changed = true;
                new
            }
            None => Arc::clone(column),
        })
        .collect();
    if !changed {
        return None;
    }
    RecordBatch::try_new(batch.schema(), columns).ok()
}

fn erased_array(column: &ArrayRef, nullable: bool, subject: &Subject) -> Option<ArrayRef> {
    match column.data_type() {
        DataType::Utf8 => {
            let values = column.as_string::<i32>();
            if !values.iter().flatten().any(|value| subject.is_in(value)) {
                return None;
            }
            let erased: StringArray = values
                .iter()
                .map(|value| {
                    let value = value?;
                    match subject.erase(value) {
                        Some(erased) if nullable && erased.trim() == ERASED => None,
                        Some(erased) => Some(erased),
                        None => Some(value.to_owned()),
                    }
                })
                .collect();
            Some(Arc::new(erased))
        }
        DataType::Struct(fields) => {
            let cells = column.as_struct();
            let mut changed = false;
            let columns: Vec<ArrayRef> = fields
                .iter()
                .zip(cells.columns())
                .map(|(field, values)| {
                    let erased = erased_array(values, field.is_nullable(), subject);
                    changed |= erased.is_some();
                    erased.unwrap_or_else(|| Arc::clone(values))
                })
                .collect();
            changed.then_some(())?;
            Some(Arc::new(StructArray::try_new(fields.clone(), columns, cells.nulls().cloned()).ok()?))
        }
        DataType::List(item) => {
            let list = column.as_list::<i32>();
            let values = erased_array(list.values(), item.is_nullable(), subject)?;
            let rebuilt =
                ListArray::try_new(Arc::clone(item), list.offsets().clone(), values, list.nulls().cloned()).ok()?;
            Some(Arc::new(rebuilt))
        }
        _ => None,
    }
}

/// Erases the person from the texts of a workbook that Hotpass has written.
fn erase_workbook(path: &Path, subject: &Subject) -> Result<(), RightsError> {
    let io_error = |source: io::Error| RightsError::Io { path: path.to_path_buf(), source };
    let zip_error = |error: zip::result::ZipError| io_error(error.into());
    let mut archive = ZipArchive::new(File::open(path).map_err(io_error)?).map_err(zip_error)?;
    let mut writer = ZipWriter::new(AtomicFile::create(path).map_err(io_error)?);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(zip_error)?;
        let name = entry.name().map_err(zip_error)?.into_owned();
        let mut options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        if let Some(time) = entry.last_modified() {
            options = options.last_modified_time(time);
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(io_error)?;
        if let Ok(text) = std::str::from_utf8(&bytes)
            && let Some(erased) = subject.erase(text)
        {
            bytes = erased.into_bytes();
        }
        writer.start_file(name, options).map_err(zip_error)?;
        writer.write_all(&bytes).map_err(io_error)?;
    }
    writer.finish().map_err(zip_error)?.commit().map_err(io_error)
}

/// Returns the run of an archive.
fn archived_run(path: &Path) -> Option<String> {
    let mut archive = ZipArchive::new(File::open(path).ok()?).ok()?;
    let mut text = String::new();
    archive.by_name("run/manifest.json").ok()?.read_to_string(&mut text).ok()?;
    Some(serde_json::from_str::<serde_json::Value>(&text).ok()?["run_id"].as_str()?.to_owned())
}

/// Writes an archive anew without the person: files that were erased elsewhere are taken from there, other files that hold the
/// person are left out.
fn erase_archive(
    path: &Path,
    runs: &[Run],
    subject: &Subject,
    erased: &[ErasedFile],
    confirmed: bool,
) -> Result<Option<ErasedFile>, RightsError> {
    if !holds(path, subject)? {
        return Ok(None);
    }
    let io_error = |source: io::Error| RightsError::Io { path: path.to_path_buf(), source };
    let zip_error = |error: zip::result::ZipError| io_error(error.into());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let old_sha256 = digest(path)?;
    let run_id = archived_run(path).unwrap_or_default();
    let report =
        |sha256, bytes| Some(ErasedFile { run_id: run_id.clone(), path: name.clone(), old_sha256, sha256, bytes });
    if !confirmed {
        return Ok(report(None, 0));
    }
    let run = runs.iter().find(|run| run.manifest.run_id == run_id);
    let mut archive = ZipArchive::new(File::open(path).map_err(io_error)?).map_err(zip_error)?;
    let mut members: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(zip_error)?;
        let member = entry.name().map_err(zip_error)?.into_owned();
        if member == "SHA256SUMS" || member.ends_with('/') {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(io_error)?;
        let old = hotpass_core::sha256_bytes(&bytes);
        let replaced = erased.iter().find(|file| file.run_id == run_id && file.old_sha256 == old.as_str());
        if let (Some(file), Some(run)) = (replaced, run) {
            if file.sha256.is_some() {
                let inside = run.directory.join(&file.path);
                let current = if inside.is_file() { inside } else { resolve(&run.directory, &file.path) };
                members.insert(member, std::fs::read(&current).map_err(io_error)?);
            }
        } else if member == "run/ledger.ndjson" {
            let ledger = run.map(|run| run.directory.join("ledger.ndjson")).filter(|ledger| ledger.is_file());
            members.insert(member, ledger.map_or(Ok(bytes), std::fs::read).map_err(io_error)?);
        } else if !bytes_hold(&member.to_lowercase(), bytes.clone(), subject).map_err(zip_error)? {
            members.insert(member, bytes);
        }
    }
    let mut sums = String::new();
    for (member, bytes) in &members {
        sums.push_str(&format!("{}  {member}\n", hotpass_core::sha256_bytes(bytes)));
    }
    let stamp = name.strip_prefix("refined-data-").and_then(|rest| rest.split('-').next()).unwrap_or("erased");
    let target =
        path.with_file_name(format!("refined-data-{stamp}-{}.zip", &hotpass_core::sha256_bytes(&sums).as_str()[..12]));
    let mut writer = ZipWriter::new(AtomicFile::create(&target).map_err(io_error)?);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (member, bytes) in members
        .iter()
        .map(|(member, bytes)| (member.as_str(), bytes.as_slice()))
        .chain([("SHA256SUMS", sums.as_bytes())])
    {
        writer.start_file(member, options).map_err(zip_error)?;
        writer.write_all(bytes).map_err(io_error)?;
    }
    writer.finish().map_err(zip_error)?.commit().map_err(io_error)?;
    if target != path {
        std::fs::remove_file(path).map_err(io_error)?;
    }
    let bytes = std::fs::metadata(&target).map_err(io_error)?.len();
    Ok(report(Some(digest(&target)?), bytes))
}
