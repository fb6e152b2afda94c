//! That no row was lost: the tables of a run against each other and against the manifest.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};

use arrow::array::{Array, StringArray};
use parquet::errors::Result as ParquetResult;

use super::{Outcome, Verification};
use crate::manifest::{Manifest, RowCounts, RunStatus};
use crate::table::{Table, number, text};

/// Checks the tables of a run against each other and against the manifest.
pub(super) fn check_tables(
    verification: &mut Verification,
    manifest: &Manifest,
    open: impl Fn(&str) -> ParquetResult<File>,
) {
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
