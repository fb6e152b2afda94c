//! Whole runs over data with known truth.

#![expect(clippy::print_stdout, reason = "the reason of a skip and the figures of a run are shown")]

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt32Type;
use hotpass_config::{ConfigLoader, HotpassConfig};
use hotpass_core::{Clock, RunDirectory, sha256_file, write_atomic};
use hotpass_pipeline::{CancelToken, NoProgress, RefineError, RefineOutcome, RefineRequest, Services, refine};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Returns a part of the test data, or nothing (with a printed reason) where it is not there.
fn test_data(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("HOTPASS_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: `{}` is absent; set HOTPASS_TEST_DATA", path.display());
    None
}

fn config(profile: &str, dist: &Path, output: &str) -> Result<HotpassConfig, Box<dyn std::error::Error>> {
    let mut config = ConfigLoader::new().profile(profile).load()?.config;
    config.pipeline.dist_dir = dist.to_path_buf();
    config.pipeline.output_path = dist.join(output);
    Ok(config)
}

fn run(config: &HotpassConfig, input: &Path) -> Result<RefineOutcome, RefineError> {
    refine(&RefineRequest {
        config,
        config_origins: BTreeMap::new(),
        inputs: vec![input.to_path_buf()],
        clock: Clock::fixed_seconds(1_700_000_000),
        progress: &NoProgress,
        cancel: CancelToken::new(),
        services: Services::default(),
    })
}

fn read(run: &RunDirectory, name: &str) -> Result<Vec<RecordBatch>, Box<dyn std::error::Error>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(run.path(name))?)?.build()?;
    Ok(reader.collect::<Result<_, _>>()?)
}

fn texts(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
    batch.column_by_name(name).map_or_else(Vec::new, |column| {
        column.as_string::<i32>().iter().map(|value| value.map(str::to_owned)).collect()
    })
}

/// A source row: file, sheet, row.
type Mention = (String, String, u32);

/// Returns the entity of each source row, nothing for rows in quarantine.
fn crosswalk(run: &RunDirectory) -> Result<HashMap<Mention, Option<String>>, Box<dyn std::error::Error>> {
    let mut found = HashMap::new();
    for batch in read(run, "crosswalk.parquet")? {
        let numbers = batch.column_by_name("row").ok_or("row")?.as_primitive::<UInt32Type>();
        let files = texts(&batch, "source_file");
        let sheets = texts(&batch, "sheet");
        for (row, entity) in texts(&batch, "entity_id").into_iter().enumerate() {
            let mention =
                (files[row].clone().unwrap_or_default(), sheets[row].clone().unwrap_or_default(), numbers.value(row));
            assert!(found.insert(mention, entity).is_none(), "a row stands once in the crosswalk");
        }
    }
    Ok(found)
}

/// Returns pairwise precision, recall and F1 of the clusters found against the true ones.
fn pairwise(truth: &[u32], found: &[Option<String>]) -> (f64, f64, f64) {
    fn pairs<'a>(counts: impl Iterator<Item = &'a u64>) -> f64 {
        counts.map(|n| n * (n - 1) / 2).sum::<u64>() as f64
    }
    let mut by_truth: HashMap<u32, u64> = HashMap::new();
    let mut by_found: HashMap<&str, u64> = HashMap::new();
    let mut by_both: HashMap<(u32, &str), u64> = HashMap::new();
    for (&truth, found) in truth.iter().zip(found) {
        *by_truth.entry(truth).or_default() += 1;
        if let Some(found) = found {
            *by_found.entry(found).or_default() += 1;
            *by_both.entry((truth, found)).or_default() += 1;
        }
    }
    let both = pairs(by_both.values());
    let precision = both / pairs(by_found.values()).max(1.0);
    let recall = both / pairs(by_truth.values()).max(1.0);
    (precision, recall, 2.0 * precision * recall / (precision + recall))
}

#[test]
fn messy_workbooks_become_entities() -> TestResult {
    let Some(data) = test_data("generated/hotpass_like") else { return Ok(()) };
    let dist = tempfile::tempdir()?;
    let outcome = run(&config("aviation", dist.path(), "refined.csv")?, &data)?;
    let found = crosswalk(&outcome.run)?;
    let (mut mentions, mut truth, mut entities) = (Vec::new(), Vec::new(), Vec::new());
    let mut missing: BTreeMap<(String, String), u32> = BTreeMap::new();
    for line in std::fs::read_to_string(data.join("truth.csv"))?.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let mention = (cells[0].to_owned(), cells[1].to_owned(), cells[2].parse()?);
        if let Some(entity) = found.get(&mention) {
            mentions.push(mention);
            truth.push(cells[3].parse()?);
            entities.push(entity.clone());
        } else {
            *missing.entry((mention.0, mention.1)).or_default() += 1;
        }
    }
    let (precision, recall, f1) = pairwise(&truth, &entities);
    let statistics = &outcome.statistics;
    println!(
        "{} rows, {} entities, {} in quarantine; links {:?}",
        statistics.rows_in, statistics.entities, statistics.rows_quarantined, statistics.links
    );
    for table in &statistics.tables {
        println!(
            "read {}#{} rows {} quarantined {}",
            table.file,
            table.sheet.as_deref().unwrap_or(""),
            table.rows_in,
            table.rows_quarantined
        );
        for column in &table.columns {
            println!(
                "    {} {:?} -> {:?} ({:?}) {:.2} {}",
                column.column, column.header, column.field, column.suggestion, column.confidence, column.reason
            );
        }
    }
    for skipped in &statistics.skipped {
        println!("skipped {skipped:?}");
    }
    println!("pairwise precision {precision:.4}, recall {recall:.4}, F1 {f1:.4}");
    if std::env::var_os("HOTPASS_TEST_SHOW_ERRORS").is_some() {
        show_errors(&outcome, &mentions, &truth, &entities)?;
    }
    assert!(missing.is_empty(), "every truth row is in an entity or in quarantine: {missing:?}");
    assert_eq!(statistics.rows_in, statistics.rows_in_entities + statistics.rows_quarantined);
    assert_eq!(found.len() as u64, statistics.rows_in);
    assert!(f1 >= 0.85, "pairwise F1 {f1}");
    Ok(())
}

/// Prints organisations that fell apart and entities that hold several, with the names that sources give.
fn show_errors(
    outcome: &RefineOutcome,
    mentions: &[Mention],
    truth: &[u32],
    entities: &[Option<String>],
) -> TestResult {
    let mut names: HashMap<String, String> = HashMap::new();
    for batch in read(&outcome.run, "golden.parquet")? {
        let ids = texts(&batch, "entity_id");
        for (row, name) in texts(&batch, "organization_name").into_iter().enumerate() {
            names.insert(ids[row].clone().unwrap_or_default(), name.unwrap_or_default());
        }
    }
    let mut split: BTreeMap<u32, BTreeMap<&str, Vec<&Mention>>> = BTreeMap::new();
    let mut merged: BTreeMap<&str, BTreeMap<u32, Vec<&Mention>>> = BTreeMap::new();
    for ((mention, &truth), entity) in mentions.iter().zip(truth).zip(entities) {
        let entity = entity.as_deref().unwrap_or("quarantine");
        split.entry(truth).or_default().entry(entity).or_default().push(mention);
        merged.entry(entity).or_default().entry(truth).or_default().push(mention);
    }
    for (truth, parts) in split.iter().filter(|(_, parts)| parts.len() > 1) {
        let parts: Vec<_> = parts
            .iter()
            .map(|(id, rows)| {
                (
                    names.get(*id).map_or("", String::as_str),
                    rows.iter().map(|row| format!("{}#{}!{}", row.0, row.1, row.2)).collect::<Vec<_>>(),
                )
            })
            .collect();
        println!("SPLIT {truth} {parts:?}");
    }
    for (id, parts) in merged.iter().filter(|(_, parts)| parts.len() > 1) {
        println!("MERGED {:?} {parts:?}", names.get(*id));
    }
    Ok(())
}

#[test]
fn runs_repeat_to_the_byte_whatever_the_threads() -> TestResult {
    let Some(data) = test_data("generated/hotpass_like") else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let dist = folder.path().join("dist");
    let mut seen: Vec<BTreeMap<String, String>> = Vec::new();
    for threads in [1, 4] {
        if dist.exists() {
            std::fs::remove_dir_all(&dist)?;
        }
        let mut config = config("aviation", &dist, "refined.xlsx")?;
        config.pipeline.threads = Some(threads);
        let outcome = run(&config, &data)?;
        let mut digests = BTreeMap::new();
        for folder in [dist.as_path(), outcome.run.root()] {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_file() {
                    digests.insert(path.strip_prefix(&dist)?.display().to_string(), sha256_file(&path)?.to_string());
                }
            }
        }
        seen.push(digests);
    }
    assert!(seen[0].len() >= 12, "{:?}", seen[0].keys());
    assert_eq!(seen[0], seen[1]);
    Ok(())
}

#[test]
fn rows_without_a_name_go_to_quarantine() -> TestResult {
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("clubs.csv");
    write_atomic(
        &input,
        "Company,Phone,Email\nAcacia Flying,0820000001,a@acacia.co.za\n,0820000002,b@baobab.co.za\n\
         ACACIA FLYING (Pty) Ltd,,\n",
    )?;
    let outcome = run(&config("generic", &folder.path().join("dist"), "out.parquet")?, &input)?;
    let statistics = &outcome.statistics;
    assert_eq!((statistics.rows_in, statistics.rows_quarantined, statistics.entities), (3, 1, 1));
    let quarantine = read(&outcome.run, "quarantine.parquet")?;
    assert_eq!(texts(&quarantine[0], "reason"), [Some("required_field_missing".to_owned())]);
    assert_eq!(quarantine[0].column_by_name("row").ok_or("row")?.as_primitive::<UInt32Type>().value(0), 3);
    Ok(())
}
