//! What is held on a person over all runs, its erasure, and the end of retention.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::UInt32Type;
use chrono::NaiveDate;
use hotpass_core::{Clock, RunDirectory, sha256_file};
use hotpass_privacy::PrivacyKey;
use hotpass_privacy::subject::{Identifier, IdentifierKind, Subject};
use hotpass_provenance::manifest::{FileRecord, MANIFEST_FILE, RunStatus};
use hotpass_provenance::{Entry, EntryKind, Ledger, Manifest, ledger::LedgerError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use zip::ZipArchive;

use super::erasing::{as_text, erased_value, is_held, parquet_batches};
use super::people::PeopleTable;
use super::related::{NameReach, with_related};
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
    /// The list of erased people could not be used.
    #[error("Cannot use the list of erased people")]
    Suppression(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Only a name was asked for, and several people bear it.
    #[error("The name is that of {people} people who share no address or number")]
    SharedName {
        /// How many they are.
        people: usize,
    },
    /// The words of the decision hold the person.
    #[error("The decision names the person, and it would stand in the ledgers")]
    DecisionNames,
    /// What is asked for would be found with many who are not meant.
    #[error("Many may share {weakness}")]
    Weak {
        /// What it is.
        weakness: &'static str,
    },
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
    /// Columns with tokens or hashes that were not looked into, for want of a key.
    pub unreached: BTreeSet<String>,
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
    /// Kinds of identifiers that stand beside what was asked for, and are erased too.
    pub related: Vec<IdentifierKind>,
    /// How far each name of the person leads.
    pub names: Vec<NameReach>,
    /// Columns of which the cells in the person's rows go too, whatever they hold.
    pub row_columns: BTreeSet<String>,
    /// Columns with tokens or hashes that were not looked into, for want of a key.
    pub unreached: BTreeSet<String>,
    /// Files that were rewritten or removed.
    pub files: Vec<ErasedFile>,
    /// Identifiers that are on the list of erased people now.
    pub suppressed: usize,
    /// Input files that still hold the person; the next run takes the person out as it reads them.
    pub inputs: Vec<PathBuf>,
    /// Outputs that still hold the person and are no run's any more: somebody changed or replaced them.
    pub changed: Vec<PathBuf>,
    /// Files of an earlier erasure that was interrupted, which this one has completed.
    pub completed: usize,
}

/// A file from which a person was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

pub(super) struct Run {
    pub(super) directory: PathBuf,
    pub(super) manifest: Manifest,
}

pub(super) fn runs(dist_dir: &Path) -> Result<Vec<Run>, RightsError> {
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
///
/// The key of tokens and hashes finds the person in redacted files; without it, columns that hold such are named.
pub fn subject(dist_dir: &Path, asked: &[Identifier], key: Option<&PrivacyKey>) -> Result<SubjectReport, RightsError> {
    let runs = runs(dist_dir)?;
    let related = with_related(&runs, &archives_of(dist_dir), asked, false, key)?;
    let subject = related.subject;
    let mut report = SubjectReport {
        looked_for: asked.iter().map(Identifier::kind).collect(),
        related: distinct_values(related.others),
        unreached: related.unreached,
        ..SubjectReport::default()
    };
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
                // What refine has published is in its tables, with its sources; what resolve has written is nowhere else.
                if run.manifest.command == "resolve" {
                    holdings_of_rows(&output, &subject, &mut holdings.cells);
                }
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

/// Leaves out what is the same in another writing, as a number with and without its country.
fn distinct_values(values: Vec<(IdentifierKind, String)>) -> Vec<(IdentifierKind, String)> {
    let mut seen = BTreeSet::new();
    let mut values = values;
    // The international form says most.
    values.sort_by_key(|(kind, value)| (*kind, !value.starts_with('+')));
    let key = |kind, value: &str| Identifier::new(kind, value).map(|identifier| identifier.digest());
    values.into_iter().filter(|(kind, value)| seen.insert((*kind, key(*kind, value)))).collect()
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

/// Returns the organisations at which the person was found: a row of theirs that holds the name alone means the person.
pub(super) fn organisations_of(runs: &[Run], subject: &Subject) -> Result<Vec<Identifier>, RightsError> {
    let mut found = BTreeSet::new();
    for run in runs {
        let path = run.directory.join("golden.parquet");
        if !path.is_file() {
            continue;
        }
        for batch in batches(&path)? {
            let column = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
            let (Some(names), Some(people)) = (column("organization_name"), column("contact_primary_name")) else {
                continue;
            };
            let entities = column("entity_id");
            for row in 0..batch.num_rows() {
                let entity = entities.and_then(|entities| value_at(entities, row));
                let own = [entity, value_at(people, row)]
                    .into_iter()
                    .chain(["contact_primary_email", "contact_primary_phone"].map(|name| value_at(column(name)?, row)));
                let subject = subject.in_row(own);
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

pub(super) fn digest(path: &Path) -> Result<String, RightsError> {
    sha256_file(path)
        .map(|digest| digest.as_str().to_owned())
        .map_err(|source| RightsError::Io { path: path.to_path_buf(), source })
}

/// Returns the files of a run folder that may hold values.
pub(super) fn files_of(folder: &Path) -> Result<Vec<PathBuf>, RightsError> {
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

pub(super) fn resolve(run_dir: &Path, path: &str) -> PathBuf {
    let path = Path::new(path);
    if path.is_absolute() || path.exists() {
        return path.to_path_buf();
    }
    let above = run_dir.ancestors().skip(1).map(|folder| folder.join(path));
    above.into_iter().find(|candidate| candidate.exists()).unwrap_or_else(|| path.to_path_buf())
}

pub(super) fn outputs_of(run: &Run) -> Vec<PathBuf> {
    let paths = run.manifest.outputs.iter().map(|record| resolve(&run.directory, &record.path));
    paths.filter(|path| path.is_file()).collect()
}

pub(super) fn inputs_of(run: &Run) -> Vec<PathBuf> {
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

pub(super) fn archives_of(dist_dir: &Path) -> Vec<PathBuf> {
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
pub(super) fn is_locked(folder: &Path) -> bool {
    hotpass_provenance::manifest::RunLock::acquire(folder).is_err()
}

/// Returns whether an output is what the run has written, or an erasure has made of it.
pub(super) fn belongs(run: &Run, record: &FileRecord, path: &Path) -> Result<bool, RightsError> {
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

/// Reads a table.
pub(super) fn batches(path: &Path) -> Result<Vec<RecordBatch>, RightsError> {
    let bytes = std::fs::read(path).map_err(|source| RightsError::Io { path: path.to_path_buf(), source })?;
    let (_, batches) =
        parquet_batches(&bytes).map_err(|source| RightsError::Table { path: path.to_path_buf(), source })?;
    Ok(batches)
}

fn holdings_of(path: &Path, subject: &Subject, holdings: &mut Vec<Holding>) -> Result<(), RightsError> {
    let table = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for batch in batches(path)? {
        let people: Vec<Option<_>> = batch.columns().iter().map(as_text).collect();
        let subjects: Vec<&Subject> = (0..batch.num_rows())
            .map(|row| subject.in_row(people.iter().map(|values| value_at(values.as_ref()?, row))))
            .collect();
        let text = |name: &str, row: usize| {
            let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
            value_at(column, row).map(ToOwned::to_owned)
        };
        let holds = |row: usize, value: &str| erased_value(value, subjects[row]).is_some();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let mut hits: Vec<(usize, String)> = Vec::new();
            if let Some(values) = as_text(column) {
                hits.extend((0..values.len()).filter_map(|row| {
                    value_at(&values, row).filter(|value| holds(row, value)).map(|value| (row, value.to_owned()))
                }));
            } else if let Some(list) = column.as_list_opt::<i32>() {
                for row in (0..list.len()).filter(|&row| list.is_valid(row)) {
                    let Some(cells) = list.value(row).as_struct_opt().cloned() else { continue };
                    for values in cells.columns().iter().filter_map(|values| values.as_string_opt::<i32>()) {
                        hits.extend(
                            values
                                .iter()
                                .flatten()
                                .filter(|value| subjects[row].is_in(value))
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

/// Finds the rows of a written file that hold the person: the cells that do, and the others whose headers name personal data.
fn holdings_of_rows(path: &Path, subject: &Subject, holdings: &mut Vec<Holding>) {
    let table = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    each_row(path, |headers, number, cells| {
        let subject = subject.in_row(cells.iter().copied());
        let own = PeopleTable::of(headers.iter().map(String::as_str))
            .map_or_else(Vec::new, |table| table.cells_of(cells, subject));
        let holds: Vec<bool> = {
            let split = subject.split_over(cells);
            cells
                .iter()
                .enumerate()
                .map(|(at, cell)| split.contains(&at) || cell.is_some_and(|cell| erased_value(cell, subject).is_some()))
                .collect()
        };
        if !holds.contains(&true) {
            return;
        }
        let entity = headers.iter().position(|header| header == "entity_id").and_then(|at| cells[at]);
        for (at, header) in headers.iter().enumerate() {
            let personal = holds[at] || own.contains(&at);
            if let Some(value) = cells[at].filter(|_| personal) {
                holdings.push(Holding {
                    table: table.clone(),
                    entity_id: entity.map(ToOwned::to_owned),
                    field: header.clone(),
                    value: value.to_owned(),
                    source: Some(format!("{table}!{number}")),
                });
            }
        }
    });
}

/// Looks at each row of a file as a run reads it: headers, number of the row, cells. A file that cannot be read has no rows.
pub(super) fn each_row(path: &Path, mut look: impl FnMut(&[String], u32, &[Option<&str>])) {
    let options = hotpass_ingest::source::DiscoverOptions::default();
    let Ok(found) = hotpass_ingest::discover(&[path.to_path_buf()], &options) else { return };
    for file in &found.files {
        let Ok(opened) = hotpass_ingest::open_file(file, &hotpass_ingest::ReadOptions::default()) else { continue };
        for table in opened.tables {
            let headers: Vec<String> = table.schema.columns.iter().map(|column| column.raw_header.clone()).collect();
            for batch in table.batches.filter_map(Result::ok) {
                let numbers = batch.column(0).as_primitive_opt::<UInt32Type>().cloned();
                let texts: Vec<_> = batch.columns()[1..].iter().map(as_text).collect();
                for row in 0..batch.num_rows() {
                    let cells: Vec<Option<&str>> = texts.iter().map(|values| value_at(values.as_ref()?, row)).collect();
                    if cells.len() == headers.len() {
                        look(&headers, numbers.as_ref().map_or(0, |numbers| numbers.value(row)), &cells);
                    }
                }
            }
        }
    }
}

/// Returns whether a file holds the person; zips and workbooks are looked into.
pub(super) fn holds(path: &Path, subject: &Subject) -> Result<bool, RightsError> {
    let bytes = std::fs::read(path).map_err(|source| RightsError::Io { path: path.to_path_buf(), source })?;
    is_held(&path.to_string_lossy(), &bytes, subject)
        .map_err(|source| RightsError::Table { path: path.to_path_buf(), source })
}

/// Returns whether an input file holds the person, read as a run reads it or looked through as what it is.
pub(super) fn holds_input(path: &Path, subject: &Subject) -> bool {
    let mut found = false;
    each_row(path, |_, _, cells| {
        found =
            found || cells.iter().flatten().any(|cell| subject.is_in(cell)) || !subject.split_over(cells).is_empty();
    });
    found || holds(path, subject).unwrap_or(false)
}

/// Returns the run of an archive.
pub(super) fn archived_run(path: &Path) -> Option<String> {
    let mut archive = ZipArchive::new(File::open(path).ok()?).ok()?;
    let mut text = String::new();
    archive.by_name("run/manifest.json").ok()?.read_to_string(&mut text).ok()?;
    Some(serde_json::from_str::<serde_json::Value>(&text).ok()?["run_id"].as_str()?.to_owned())
}
