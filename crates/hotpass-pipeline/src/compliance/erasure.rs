//! Erasure of a person from runs, outputs and archives, so that an interruption leaves nothing undone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use hotpass_core::{AtomicFile, Clock, sha256_bytes};
use hotpass_privacy::subject::{Identifier, Subject};
use hotpass_privacy::{PrivacyKey, suppression::SuppressionList};
use hotpass_provenance::ledger::LEDGER_FILE;
use hotpass_provenance::manifest::RunStatus;
use hotpass_provenance::suppression::{SuppressionHead, check_suppression};
use hotpass_provenance::{Entry, EntryKind, Ledger};
use serde::{Deserialize, Serialize};
use serde_json::json;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::erasing::{Taken, take_out};
use super::people::PeopleTable;
use super::related::with_related;
use super::rights::{
    ErasedFile, ErasureReport, RightsError, Run, archived_run, archives_of, belongs, digest, each_row, files_of, holds,
    holds_input, inputs_of, is_locked, organisations_of, outputs_of, resolve, runs,
};
use super::suppression_path;
use crate::services::Services;

/// Ending of a file that waits to take another one's place.
const WAITING: &str = ".erasing";

/// A file that is to be replaced or removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Step {
    /// The file.
    path: PathBuf,
    /// Whether new bytes wait beside it; it is removed otherwise.
    waits: bool,
    /// What the ledger says about it.
    record: ErasedFile,
}

/// How an erasure goes about it.
#[derive(Debug, Default)]
pub struct ErasureOptions {
    /// Whether identifiers are taken that many may share.
    pub broad: bool,
    /// Whether it is done; otherwise it is only told.
    pub confirmed: bool,
    /// Key of tokens and hashes, by which those of the person are found.
    pub key: Option<PrivacyKey>,
}

/// What an erasure is about to do: written before the first change, removed after the last. It names nobody.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Journal {
    decision: String,
    subject: Vec<String>,
    operator: Option<String>,
    command: Vec<String>,
    steps: Vec<Step>,
}

/// Erases a person from every run, output and archive, and puts the person on the list of erased people.
///
/// Tables are rewritten cell by cell, texts and workbooks value by value; archives are written anew; archived inputs that hold
/// the person are removed whole. Each run's ledger records the decision, and of each file the digests before and after, so that
/// `hotpass verify` can tell an erasure from a change.
///
/// New files are written beside the old ones and noted in a journal before the first one is replaced: an erasure that was
/// interrupted is completed by the next.
///
/// An identifier that many may share, as a name of one word, and a name of several people are taken only when `broad`. Without `confirmed` nothing is written.
///
/// # Errors
///
/// Returns [`RightsError`] when a run goes on, a file cannot be read or written, or it is not clear who is meant.
pub fn erase(
    dist_dir: &Path,
    asked: &[Identifier],
    decision: &str,
    services: &Services,
    clock: Clock,
    options: &ErasureOptions,
) -> Result<ErasureReport, RightsError> {
    let &ErasureOptions { broad, confirmed, ref key } = options;
    if let Some(weakness) = asked.iter().filter(|_| !broad).find_map(Identifier::weakness) {
        return Err(RightsError::Weak { weakness });
    }
    let runs = runs(dist_dir)?;
    if let Some(run) = runs.iter().find(|run| run.manifest.status == RunStatus::Running && is_locked(&run.directory)) {
        return Err(RightsError::Running { run_id: run.manifest.run_id.clone() });
    }
    let archives = archives_of(dist_dir);
    let named = Subject::new(asked.to_vec());
    if named.is_in(decision) {
        return Err(RightsError::DecisionNames);
    }
    let mut report = ErasureReport { decision: decision.to_owned(), done: confirmed, ..ErasureReport::default() };
    if confirmed {
        report.completed = complete(dist_dir, &runs, clock)?;
        for run in &runs {
            // An erasure may have ended between the run's ledger and the workspace's.
            Ledger::of_run(&run.directory).mend(EntryKind::PrivacyErased, clock)?;
        }
    }
    let related = with_related(&runs, &archives, asked, broad, key.as_ref())?;
    if related.meant > 1 && !broad {
        return Err(RightsError::SharedName { people: related.meant });
    }
    let subject = related.subject;
    if Subject::new(subject.identifiers().iter().cloned()).is_in(decision) {
        return Err(RightsError::DecisionNames);
    }
    report.related = related.others.iter().map(|(kind, _)| *kind).collect();
    report.related.dedup();
    report.names = related.reach;
    report.unreached = related.unreached;
    report.row_columns = row_columns(&runs, &subject);
    let organisations = organisations_of(&runs, &subject)?;
    let plain = |identifier: &&Identifier| !identifier.is_sealed();
    report.suppressed = subject.identifiers().iter().filter(plain).count();
    let mut hashes = Vec::new();
    if confirmed {
        // The list comes first: whatever happens below, no run brings the person back.
        let identifiers: Vec<Identifier> =
            subject.identifiers().iter().filter(plain).chain(&organisations).cloned().collect();
        hashes = suppress(dist_dir, decision, clock, &subject, &identifiers, &related.own_names)?;
        let by = Journal {
            decision: decision.to_owned(),
            subject: hashes.clone(),
            operator: services.operator.clone(),
            command: services.command.clone(),
            steps: Vec::new(),
        };
        // The decision is recorded whether a file holds the person or none does.
        record_list(dist_dir, entry_of(&by, json!([])), clock)?;
    }
    let mut steps = Vec::new();
    let mut inputs = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for run in &runs {
        let id = run.manifest.run_id.as_str();
        for path in files_of(&run.directory)? {
            let name = path.strip_prefix(&run.directory).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            steps.extend(stage(id, &name, &path, &subject, confirmed)?);
        }
        for record in &run.manifest.outputs {
            let path = resolve(&run.directory, &record.path);
            if !path.is_file() {
                continue;
            }
            // An output that a later run has written anew is that run's.
            if belongs(run, record, &path)? {
                seen.insert(path.clone());
                steps.extend(stage(id, &record.path, &path, &subject, confirmed)?);
            } else if holds(&path, &subject)? {
                report.changed.push(path);
            }
        }
        for input in inputs_of(run) {
            if !inputs.contains(&input) && holds_input(&input, &subject) {
                inputs.insert(input);
            }
        }
    }
    for path in workspace_files(dist_dir)? {
        if !seen.contains(&path) {
            let name = path.strip_prefix(dist_dir).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            steps.extend(stage("", &name, &path, &subject, confirmed)?);
        }
    }
    report.changed.retain(|path| !seen.contains(path) && !inputs.contains(path));
    report.changed.sort();
    report.changed.dedup();
    report.files = steps.iter().map(|step| step.record.clone()).collect();
    let by = Journal {
        decision: decision.to_owned(),
        subject: hashes,
        operator: services.operator.clone(),
        command: services.command.clone(),
        steps,
    };
    if confirmed && !by.steps.is_empty() {
        let journal = journal_path(dist_dir);
        let text = serde_json::to_string_pretty(&by).unwrap_or_default();
        hotpass_core::write_atomic(&journal, text)
            .map_err(|source| RightsError::Io { path: journal.clone(), source })?;
        carry_out(dist_dir, &runs, &by, clock)?;
    }
    for archive in archives {
        report.files.extend(erase_archive(dist_dir, &archive, &runs, &subject, &by, clock, confirmed)?);
    }
    report.inputs = inputs.into_iter().collect();
    Ok(report)
}

/// Returns the columns of written tables whose cells in the person's rows are personal, whatever they hold.
fn row_columns(runs: &[Run], subject: &Subject) -> BTreeSet<String> {
    let mut columns = BTreeSet::new();
    for run in runs.iter().filter(|run| run.manifest.command == "resolve") {
        if let Some(output) = outputs_of(run).first() {
            each_row(output, |headers, _, cells| {
                let subject = subject.in_row(cells.iter().copied());
                let own = PeopleTable::of(headers.iter().map(String::as_str))
                    .map_or_else(Vec::new, |table| table.cells_of(cells, subject));
                columns.extend(own.into_iter().map(|at| headers[at].clone()));
            });
        }
    }
    columns
}

/// Puts the person on the list of erased people; returns the hashes of the identifiers.
fn suppress(
    dist_dir: &Path,
    decision: &str,
    clock: Clock,
    subject: &Subject,
    identifiers: &[Identifier],
    own_names: &[Identifier],
) -> Result<Vec<String>, RightsError> {
    let path = suppression_path(dist_dir);
    let mut list = obeyed_list(dist_dir)?;
    list.add(decision, &clock.now_rfc3339(), identifiers, own_names)
        .map_err(|error| RightsError::Suppression(error.into()))?;
    list.write(&path).map_err(|error| RightsError::Suppression(error.into()))?;
    let plain = subject.identifiers().iter().filter(|identifier| !identifier.is_sealed());
    Ok(plain.map(|identifier| list.hash(identifier)).collect())
}

/// Reads the list of erased people, which must be the one that the ledger records.
fn obeyed_list(dist_dir: &Path) -> Result<SuppressionList, RightsError> {
    if let Some(fault) = check_suppression(dist_dir)? {
        return Err(RightsError::Suppression(fault.into()));
    }
    SuppressionList::read(&suppression_path(dist_dir)).map_err(|error| RightsError::Suppression(error.into()))
}

/// Records a decision in the workspace's ledger, with the list of erased people as it is now.
fn record_list(dist_dir: &Path, entry: Entry, clock: Clock) -> Result<(), RightsError> {
    let head =
        SuppressionHead::of(dist_dir).map_err(|source| RightsError::Io { path: suppression_path(dist_dir), source })?;
    let entry = head.iter().map(SuppressionHead::detail).fold(entry, |entry, (name, value)| entry.detail(name, value));
    Ledger::open(dist_dir.join(LEDGER_FILE)).append(entry, clock)?;
    Ok(())
}

/// Takes the people of a decision off the list of erased people, so that later runs take them in again; returns how many entries
/// of the list that is. Without `confirmed` nothing is written.
///
/// # Errors
///
/// Returns [`RightsError`] when the list or the ledger cannot be read or written, or the list is not the one that is recorded.
pub fn readmit(
    dist_dir: &Path,
    erased_by: &str,
    decision: &str,
    services: &Services,
    clock: Clock,
    confirmed: bool,
) -> Result<usize, RightsError> {
    let mut list = obeyed_list(dist_dir)?;
    let removed = list.remove(erased_by);
    if removed == 0 || !confirmed {
        return Ok(removed);
    }
    let path = suppression_path(dist_dir);
    let before = std::fs::read(&path).map_err(|source| RightsError::Io { path: path.clone(), source })?;
    list.write(&path).map_err(|error| RightsError::Suppression(error.into()))?;
    let entry = Entry::new(EntryKind::PrivacyReadmitted)
        .by(services.operator.as_deref(), &services.command)
        .detail("decision", decision)
        .detail("erased_by", erased_by);
    if let Err(error) = record_list(dist_dir, entry, clock) {
        // What is not recorded is not done.
        hotpass_core::write_atomic(&path, before).map_err(|source| RightsError::Io { path, source })?;
        return Err(error);
    }
    Ok(removed)
}

fn journal_path(dist_dir: &Path) -> PathBuf {
    dist_dir.join("privacy").join("erasure.json")
}

fn waiting_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}{WAITING}"))
}

/// Returns the files of the folder of runs that belong to no run and may hold values: decisions, spools, logs.
fn workspace_files(dist_dir: &Path) -> Result<Vec<PathBuf>, RightsError> {
    let own = [dist_dir.join("runs"), dist_dir.join("privacy")];
    let archives: BTreeSet<PathBuf> = archives_of(dist_dir).into_iter().collect();
    let files = files_of(dist_dir)?;
    Ok(files
        .into_iter()
        .filter(|path| !archives.contains(path) && !own.iter().any(|own| path.starts_with(own)))
        .collect())
}

/// Writes a file without the person beside it; nothing where the file does not hold one.
fn stage(
    run_id: &str,
    name: &str,
    path: &Path,
    subject: &Subject,
    confirmed: bool,
) -> Result<Option<Step>, RightsError> {
    let io_error = |source| RightsError::Io { path: path.to_path_buf(), source };
    let bytes = std::fs::read(path).map_err(io_error)?;
    let taken = take_out(&path.to_string_lossy(), &bytes, subject)
        .map_err(|source| RightsError::Table { path: path.to_path_buf(), source })?;
    let mut step = Step {
        path: path.to_path_buf(),
        waits: false,
        record: ErasedFile {
            run_id: run_id.to_owned(),
            path: name.to_owned(),
            old_sha256: sha256_bytes(&bytes).as_str().to_owned(),
            sha256: None,
            bytes: 0,
        },
    };
    match taken {
        Taken::Unchanged => return Ok(None),
        Taken::Rewritten(new) if confirmed => {
            step.waits = true;
            step.record.sha256 = Some(sha256_bytes(&new).as_str().to_owned());
            step.record.bytes = new.len() as u64;
            hotpass_core::write_atomic(waiting_path(path), new).map_err(io_error)?;
        }
        Taken::Rewritten(_) | Taken::Removed => {}
    }
    Ok(Some(step))
}

/// Records what is to be done in the ledgers, does it, and forgets the journal. What is recorded or done already stays as it is.
fn carry_out(dist_dir: &Path, runs: &[Run], journal: &Journal, clock: Clock) -> Result<(), RightsError> {
    let mut by_run: BTreeMap<&str, Vec<&ErasedFile>> = BTreeMap::new();
    for step in &journal.steps {
        by_run.entry(&step.record.run_id).or_default().push(&step.record);
    }
    for (run_id, files) in by_run {
        let ledger = match runs.iter().find(|run| run.manifest.run_id == run_id) {
            Some(run) => Ledger::of_run(&run.directory),
            None => Ledger::open(dist_dir.join(LEDGER_FILE)),
        };
        let files = json!(files);
        let entries = ledger.read()?.entries;
        if !entries.iter().any(|entry| entry.details.get("files") == Some(&files)) {
            ledger.append(entry_of(journal, files), clock)?;
        }
    }
    for step in &journal.steps {
        let io_error = |source| RightsError::Io { path: step.path.clone(), source };
        let waiting = waiting_path(&step.path);
        let result = match (step.waits, waiting.is_file()) {
            (true, true) => std::fs::rename(&waiting, &step.path),
            // It was done before the interruption.
            (true, false) => Ok(()),
            (false, _) => std::fs::remove_file(&step.path),
        };
        match result {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => result.map_err(io_error)?,
        }
    }
    let path = journal_path(dist_dir);
    std::fs::remove_file(&path).map_err(|source| RightsError::Io { path, source })
}

fn entry_of(journal: &Journal, files: serde_json::Value) -> Entry {
    Entry::new(EntryKind::PrivacyErased)
        .by(journal.operator.as_deref(), &journal.command)
        .detail("decision", journal.decision.as_str())
        .detail("subject", json!(journal.subject))
        .detail("files", files)
}

/// Completes an erasure that was interrupted; returns the number of its files. What waits and stands in no journal is removed.
fn complete(dist_dir: &Path, runs: &[Run], clock: Clock) -> Result<usize, RightsError> {
    let path = journal_path(dist_dir);
    let mut done = 0;
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let journal: Journal = serde_json::from_str(&text)
                .map_err(|source| RightsError::Table { path: path.clone(), source: source.into() })?;
            carry_out(dist_dir, runs, &journal, clock)?;
            done = journal.steps.len();
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(RightsError::Io { path, source }),
    }
    let mut folders = vec![dist_dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        remove_waiting(&folder, Some(&mut folders));
    }
    for record in runs.iter().flat_map(|run| run.manifest.outputs.iter().map(move |record| (run, record))) {
        let output = resolve(&record.0.directory, &record.1.path);
        let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        remove_waiting(folder, None);
    }
    Ok(done)
}

/// Removes what an interrupted erasure has left in a folder; tells of the folders in it.
fn remove_waiting(folder: &Path, mut inner: Option<&mut Vec<PathBuf>>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            if let Some(inner) = &mut inner {
                inner.push(entry.path());
            }
        } else if name.starts_with('.') && (name.ends_with(WAITING) || name.contains(&format!("{WAITING}.tmp-"))) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Writes an archive anew without the person: each file as it is erased where it stands outside of archives too; inputs that hold
/// the person are left out.
fn erase_archive(
    dist_dir: &Path,
    path: &Path,
    runs: &[Run],
    subject: &Subject,
    by: &Journal,
    clock: Clock,
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
    let mut record = ErasedFile { run_id: run_id.clone(), path: name.clone(), old_sha256, sha256: None, bytes: 0 };
    if !confirmed {
        return Ok(Some(record));
    }
    let run = runs.iter().find(|run| run.manifest.run_id == run_id);
    let mut archive = ZipArchive::new(File::open(path).map_err(io_error)?).map_err(zip_error)?;
    let mut members: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut erased = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(zip_error)?;
        let member = entry.name().map_err(zip_error)?.into_owned();
        if member == "SHA256SUMS" || member.ends_with('/') {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(io_error)?;
        let old = sha256_bytes(&bytes).as_str().to_owned();
        let taken = if is_evidence(&member) {
            Taken::Unchanged
        } else {
            take_out(&member, &bytes, subject)
                .map_err(|source| RightsError::Table { path: path.to_path_buf(), source })?
        };
        let taken = match taken {
            Taken::Rewritten(_) if member.starts_with("inputs/") => Taken::Removed,
            taken => taken,
        };
        let (sha256, size) = match taken {
            Taken::Unchanged => {
                members.insert(member, bytes);
                continue;
            }
            Taken::Removed => (None, 0),
            Taken::Rewritten(new) => {
                let told = (Some(sha256_bytes(&new).as_str().to_owned()), new.len() as u64);
                members.insert(member.clone(), new);
                told
            }
        };
        let known = run.and_then(|run| path_in_manifest(run, &member));
        let file_path = known.unwrap_or_else(|| member.strip_prefix("run/").unwrap_or(&member).to_owned());
        erased.push(ErasedFile { run_id: run_id.clone(), path: file_path, old_sha256: old, sha256, bytes: size });
    }
    // Where the archive holds what stands nowhere else any more, its ledger tells of it too.
    let ledger = members.get("run/ledger.ndjson").cloned();
    let ledger = match run {
        Some(run) => {
            let of_run = Ledger::of_run(&run.directory);
            let told: Vec<serde_json::Value> = of_run
                .read()?
                .entries
                .iter()
                .filter_map(|entry| entry.details.get("files")?.as_array().cloned())
                .flatten()
                .collect();
            let is_told = |file: &ErasedFile| {
                told.iter().any(|held| {
                    held["path"] == file.path.as_str()
                        && held["old_sha256"] == file.old_sha256.as_str()
                        && held["sha256"].as_str() == file.sha256.as_deref()
                })
            };
            let news: Vec<&ErasedFile> = erased.iter().filter(|file| !is_told(file)).collect();
            if !news.is_empty() {
                of_run.append(entry_of(by, json!(news)), clock)?;
            }
            std::fs::read(run.directory.join(LEDGER_FILE)).ok().or(ledger)
        }
        None => ledger.map(|bytes| with_entry(dist_dir, &bytes, entry_of(by, json!(erased)), clock)).transpose()?,
    };
    members.extend(ledger.map(|bytes| ("run/ledger.ndjson".to_owned(), bytes)));
    let target = write_archive(path, &name, &members)?;
    record.bytes = std::fs::metadata(&target).map_err(io_error)?.len();
    record.sha256 = Some(digest(&target)?);
    let renamed = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut entry = entry_of(by, json!([record])).detail("archive", renamed);
    if !run_id.is_empty() {
        entry = entry.of_run(&run_id);
    }
    Ledger::open(dist_dir.join(LEDGER_FILE)).append(entry, clock)?;
    if target != path {
        std::fs::remove_file(path).map_err(io_error)?;
    }
    Ok(Some(record))
}

fn is_evidence(member: &str) -> bool {
    matches!(member, "run/manifest.json" | "run/ledger.ndjson" | "run/attestation.json")
}

/// Returns the path by which a manifest knows a file of an archive.
fn path_in_manifest(run: &Run, member: &str) -> Option<String> {
    if let Some(name) = member.strip_prefix("run/") {
        return Some(name.to_owned());
    }
    let last = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    run.manifest.outputs.iter().find(|record| last(&record.path) == member).map(|record| record.path.clone())
}

/// Adds an entry to the bytes of a ledger.
fn with_entry(dist_dir: &Path, bytes: &[u8], entry: Entry, clock: Clock) -> Result<Vec<u8>, RightsError> {
    let path = dist_dir.join("privacy").join(format!(".ledger{WAITING}"));
    let io_error = |source| RightsError::Io { path: path.clone(), source };
    hotpass_core::write_atomic(&path, bytes).map_err(io_error)?;
    let written = Ledger::open(&path).append(entry, clock).map_err(RightsError::from);
    let bytes = std::fs::read(&path).map_err(io_error);
    std::fs::remove_file(&path).map_err(io_error)?;
    written?;
    bytes
}

/// Writes the members of an archive beside it, under the name that stands for them.
fn write_archive(path: &Path, name: &str, members: &BTreeMap<String, Vec<u8>>) -> Result<PathBuf, RightsError> {
    let io_error = |source: io::Error| RightsError::Io { path: path.to_path_buf(), source };
    let zip_error = |error: zip::result::ZipError| io_error(error.into());
    let mut sums = String::new();
    for (member, bytes) in members {
        let _ = writeln!(sums, "{}  {member}", sha256_bytes(bytes));
    }
    let stamp = name.strip_prefix("refined-data-").and_then(|rest| rest.split('-').next()).unwrap_or("erased");
    let target = path.with_file_name(format!("refined-data-{stamp}-{}.zip", &sha256_bytes(&sums).as_str()[..12]));
    let mut writer = ZipWriter::new(AtomicFile::create(&target).map_err(io_error)?);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let sums = [("SHA256SUMS", sums.as_bytes())];
    for (member, bytes) in members.iter().map(|(member, bytes)| (member.as_str(), bytes.as_slice())).chain(sums) {
        writer.start_file(member, options).map_err(zip_error)?;
        writer.write_all(bytes).map_err(io_error)?;
    }
    writer.finish().map_err(zip_error)?.commit().map_err(io_error)?;
    Ok(target)
}
