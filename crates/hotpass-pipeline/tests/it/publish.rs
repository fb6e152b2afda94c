//! Published files, run folders, archives, reports, verification and explanation, on a small run made here.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, Schema, TimestampMillisecondType};
use arrow::record_batch::RecordBatch;
use calamine::{Data, Reader as _, open_workbook};
use hotpass_core::fields::{
    CONFLICT_COLUMNS, CONTACT_COLUMNS, CROSSWALK_COLUMNS, ColumnSpec, ColumnType, GOLDEN_COLUMNS, LINK_COLUMNS,
    PROVENANCE_COLUMNS, QUARANTINE_COLUMNS, REVIEW_COLUMNS,
};
use hotpass_core::{Clock, RunDirectory, RunId};
use hotpass_pipeline::parties::{build_party_store, write_party_store};
use hotpass_pipeline::publish::{
    ArchiveInput, FileMetadata, InputFile, PublishInput, WrittenFile, unguard_formula, write_archive,
    write_diagnostics, write_inputs_archive, write_output, write_parquet, write_report_files, write_run_tables,
};
use hotpass_pipeline::report::{self, ReportExtras};
use hotpass_pipeline::statistics::{
    ColumnMappingStatistics, Completeness, RunStatistics, SkippedTable, TableStatistics,
};
use hotpass_pipeline::tables::{RunTables, schema_of};
use hotpass_provenance::manifest::{FileRecord, RowCounts, RunStatus};
use hotpass_provenance::{
    Manifest, explain::ExplainError, explain::Selector, explain::explain, verify::Trust, verify::verify_archive,
    verify_run,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value, json};

type TestResult = Result<(), Box<dyn std::error::Error>>;

const CLOCK: Clock = Clock::Fixed(1_700_000_000_000);

/// Makes a table from partial rows; required columns that a row leaves out get an empty value of their type.
fn table(columns: &[ColumnSpec], rows: Vec<Value>) -> Vec<RecordBatch> {
    let schema = schema_of(columns);
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|row| {
            let mut full = Map::new();
            for column in columns {
                let empty = match column.data_type {
                    _ if column.nullable => Value::Null,
                    ColumnType::Text => json!("x"),
                    ColumnType::Timestamp => json!("2023-11-14T22:13:20"),
                    _ => json!(0),
                };
                full.insert(column.name.to_owned(), row.get(column.name).cloned().unwrap_or(empty));
            }
            Value::Object(full)
        })
        .collect();
    if rows.is_empty() {
        return vec![RecordBatch::new_empty(schema)];
    }
    // The decoder knows time zones by offset only, so moments are read without one and get theirs afterwards.
    let without_zone = |field: &Arc<Field>| match field.data_type() {
        DataType::Timestamp(unit, _) => {
            Arc::new(field.as_ref().clone().with_data_type(DataType::Timestamp(*unit, None)))
        }
        _ => Arc::clone(field),
    };
    let plain = Arc::new(Schema::new(schema.fields().iter().map(without_zone).collect::<Vec<_>>()));
    let mut decoder = arrow::json::ReaderBuilder::new(plain).build_decoder().unwrap();
    decoder.serialize(&rows).unwrap();
    let batch = decoder.flush().unwrap().unwrap();
    let arrays = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(array, field)| match field.data_type() {
            DataType::Timestamp(..) => {
                Arc::new(array.as_primitive::<TimestampMillisecondType>().clone().with_timezone("UTC")) as ArrayRef
            }
            _ => Arc::clone(array),
        })
        .collect();
    vec![RecordBatch::try_new(schema, arrays).unwrap()]
}

fn tables(run_id: &str) -> RunTables {
    let golden = json!([
        {"entity_id": "e1", "organization_name": "Acme", "organization_slug": "acme", "country": "South Africa",
         "website": "https://acme.example", "notes": "=HYPERLINK(\"http://x\")", "contact_primary_email": "jo@acme.example",
         "contact_primary_phone": "+27821234567", "contact_primary_email_confidence": 0.9, "intent_signal_count": 3,
         "data_quality_score": 0.85, "last_interaction_date": "2023-05-06", "run_id": run_id},
        {"entity_id": "e2", "organization_name": "Bravo", "organization_slug": "bravo", "description": "-1+cmd|' /C calc'!A0",
         "data_quality_score": 0.3, "run_id": run_id},
    ]);
    let crosswalk = json!([
        {"source_file": "a.csv", "row": 2, "record_id": "a:2", "entity_id": "e1", "outcome": "entity"},
        {"source_file": "a.csv", "row": 3, "record_id": "a:3", "entity_id": "e2", "outcome": "entity"},
        {"source_file": "a.csv", "row": 4, "record_id": "a:4", "outcome": "quarantine"},
        {"source_file": "b.xlsx", "sheet": "S", "row": 2, "record_id": "b:2", "entity_id": "e1", "outcome": "entity"},
    ]);
    let provenance = json!([
        {"entity_id": "e1", "field": "organization_name", "value": "Acme", "rule": "source_priority",
         "source_dataset": "A", "source_file": "a.csv", "row": 2, "column": "A", "header": "Name", "raw_value": " ACME ", "contributors": 2,
         "losing_cells": [{"source_file": "b.xlsx", "sheet": "S", "row": 2, "column": "B", "value": "Acme (Pty) Ltd", "raw_value": "ACME (PTY) LTD"}]},
        {"entity_id": "e1", "field": "website", "value": "https://acme.example", "rule": "source_priority",
         "source_dataset": "A", "source_file": "a.csv", "row": 2, "column": "C", "header": "Web", "contributors": 1},
        {"entity_id": "e2", "field": "organization_name", "value": "Bravo", "rule": "source_priority",
         "source_dataset": "A", "source_file": "a.csv", "row": 3, "column": "A", "header": "Name", "contributors": 1},
    ]);
    let quarantine = json!([
        {"source_file": "a.csv", "row": 4, "reason": "contract.required", "message": "Field `organization_name` is empty", "values": "{\"Name\":null}"},
    ]);
    let conflicts = json!([
        {"entity_id": "e1", "organization_name": "Acme", "field": "contact_primary_email", "value": "jo@acme.example",
         "chosen_source": "a.csv!D2", "rule": "source_priority", "alternatives": "[{\"value\":\"max@acme.example\",\"cell\":\"b.xlsx#S!C2\"}]"},
    ]);
    let contacts = json!([
        {"entity_id": "e1", "position": 0, "name": "Jo Doe", "role": "Director", "email": "jo@acme.example", "phone": "+27821234567",
         "source_dataset": "A", "source_file": "a.csv", "row": 2},
        {"entity_id": "e1", "position": 1, "email": "info@acme.example", "source_dataset": "B", "source_file": "b.xlsx", "sheet": "S", "row": 2},
    ]);
    let links = json!([{"record_id_l": "a:2", "record_id_r": "b:2", "rule": "name", "entity_id": "e1"}]);
    let review = json!([{"record_id_l": "a:2", "record_id_r": "b:3", "entity_id_l": "e1", "entity_id_r": "e2",
        "match_weight": 1.5, "match_probability": 0.74, "reason": "probability"}]);
    let rows = |value: Value| value.as_array().cloned().unwrap();
    RunTables {
        golden: table(GOLDEN_COLUMNS, rows(golden)),
        crosswalk: table(CROSSWALK_COLUMNS, rows(crosswalk)),
        provenance: table(PROVENANCE_COLUMNS, rows(provenance)),
        quarantine: table(QUARANTINE_COLUMNS, rows(quarantine)),
        review: table(REVIEW_COLUMNS, rows(review)),
        privacy: None,
        linkage_keys: None,
        links: table(LINK_COLUMNS, rows(links)),
        conflicts: table(CONFLICT_COLUMNS, rows(conflicts)),
        contacts: table(CONTACT_COLUMNS, rows(contacts)),
    }
}

fn statistics(run_id: &str) -> RunStatistics {
    RunStatistics {
        run_id: run_id.to_owned(),
        started_at: CLOCK.now_rfc3339(),
        profile: "generic".into(),
        terms: ["organization".into(), "type".into(), "category".into()],
        rows_in: 4,
        rows_in_entities: 3,
        rows_quarantined: 1,
        entities: 2,
        tables: vec![TableStatistics {
            file: "b.xlsx".into(),
            sheet: Some("<script>alert(1)</script>".into()),
            rows_in: 1,
            columns: vec![ColumnMappingStatistics {
                header: "\"><img src=x>".into(),
                column: "A".into(),
                field: Some("organization_name".into()),
                confidence: 0.9,
                ..ColumnMappingStatistics::default()
            }],
            ..TableStatistics::default()
        }],
        skipped: vec![SkippedTable { file: "c.xlsx".into(), sheet: None, reason: "No table found".into() }],
        completeness: [("website".to_owned(), Completeness { before: 0.5, after: 1.0 })].into(),
        conflicts: [("contact_primary_email".to_owned(), 1)].into(),
        entity_sizes: [1, 1, 0, 0, 0, 0, 0],
        quality_mean: Some(0.575),
        quality_min: Some(0.3),
        quality_max: Some(0.85),
        quality_histogram: [0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
        ..RunStatistics::default()
    }
}

fn input<'a>(tables: &'a RunTables, statistics: &'a RunStatistics) -> PublishInput<'a> {
    PublishInput {
        golden: &tables.golden,
        conflicts: &tables.conflicts,
        quarantine: &tables.quarantine,
        statistics,
        run_id: &statistics.run_id,
        config_digest: "digest",
        clock: CLOCK,
        title: "ssot",
        golden_file: None,
    }
}

fn publish(path: &Path) -> Result<Vec<WrittenFile>, Box<dyn std::error::Error>> {
    let (tables, statistics) = (tables("r1"), statistics("r1"));
    Ok(write_output(path, &input(&tables, &statistics))?)
}

fn zip_text(path: &Path, name: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut archive = zip::ZipArchive::new(fs::File::open(path)?)?;
    let mut text = String::new();
    archive.by_name(name)?.read_to_string(&mut text)?;
    Ok(text)
}

fn read_parquet(path: &Path) -> Result<Vec<RecordBatch>, Box<dyn std::error::Error>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path)?)?.build()?;
    Ok(reader.collect::<Result<_, _>>()?)
}

#[test]
fn a_workbook_holds_real_types_and_no_formula() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("out.xlsx");
    let written = publish(&path)?;
    assert_eq!(
        written.iter().map(|file| file.path.clone()).collect::<Vec<_>>(),
        [path.clone(), path.with_extension("parquet")]
    );
    let mut workbook: calamine::Xlsx<_> = open_workbook(&path)?;
    assert_eq!(workbook.sheet_names(), ["Data", "Summary", "Conflicts", "Quarantine"]);
    let data = workbook.worksheet_range("Data")?;
    let cell = |row: u32, name: &str| {
        let column = GOLDEN_COLUMNS.iter().position(|column| column.name == name).unwrap() as u32;
        data.get_value((row, column)).cloned().unwrap_or_default()
    };
    assert_eq!(data.get_size(), (3, 45));
    assert_eq!(cell(0, "entity_id"), Data::String("entity_id".into()));
    assert_eq!(cell(1, "notes"), Data::String("=HYPERLINK(\"http://x\")".into()));
    assert_eq!(cell(1, "contact_primary_phone"), Data::String("+27821234567".into()));
    assert_eq!(cell(1, "website"), Data::String("https://acme.example".into()));
    assert_eq!(cell(1, "data_quality_score"), Data::Float(0.85));
    let Data::DateTime(date) = cell(1, "last_interaction_date") else { panic!("a date expected") };
    assert!((date.as_f64() - 45_052.0).abs() < f64::EPSILON);
    assert!(matches!(cell(1, "last_refreshed_at"), Data::DateTime(_)));
    assert_eq!(workbook.worksheet_range("Quarantine")?.height(), 2);
    for sheet in 1..=4 {
        let xml = zip_text(&path, &format!("xl/worksheets/sheet{sheet}.xml"))?;
        assert!(!xml.contains("<f>") && !xml.contains("<f ") && !xml.contains("<hyperlink"), "sheet {sheet}");
    }
    let xml = zip_text(&path, "xl/worksheets/sheet1.xml")?;
    assert!(xml.contains("state=\"frozen\"") && xml.contains("<autoFilter ref=\"A1:AS3\""), "{xml}");
    let styles = zip_text(&path, "xl/styles.xml")?;
    for color in ["366092", "F0F0F0", "C6EFCE", "FF0000"] {
        assert!(styles.contains(&format!("FF{color}")), "{color}");
    }
    assert!(styles.contains("quotePrefix=\"1\""));
    assert!(zip_text(&path, "docProps/custom.xml")?.contains("<vt:lpwstr>r1</vt:lpwstr>"));
    Ok(())
}

#[test]
fn widths_stay_within_15_and_50() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("out.xlsx");
    publish(&path)?;
    let xml = zip_text(&path, "xl/worksheets/sheet1.xml")?;
    let widths: Vec<f64> =
        xml.split(" width=\"").skip(1).filter_map(|rest| rest.split('"').next()?.parse().ok()).collect();
    assert!(!widths.is_empty());
    assert!(widths.iter().all(|width| (15.0..51.0).contains(width)), "{widths:?}");
    Ok(())
}

#[test]
fn a_csv_has_the_real_columns_and_gives_every_value_back() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("out.csv");
    publish(&path)?;
    let mut reader = csv::Reader::from_path(&path)?;
    let names: Vec<&str> = GOLDEN_COLUMNS.iter().map(|column| column.name).collect();
    assert_eq!(reader.headers()?.iter().collect::<Vec<_>>(), names);
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>()?;
    let column = |name: &str| names.iter().position(|column| *column == name).unwrap();
    assert_eq!(&rows[0][column("notes")], "'=HYPERLINK(\"http://x\")");
    assert_eq!(unguard_formula(&rows[0][column("notes")]), "=HYPERLINK(\"http://x\")");
    assert_eq!(&rows[0][column("contact_primary_phone")], "+27821234567");
    assert_eq!(&rows[0][column("last_interaction_date")], "2023-05-06");
    assert_eq!(&rows[0][column("last_refreshed_at")], "2023-11-14T22:13:20.000Z");
    let metadata: Value = serde_json::from_slice(&fs::read(folder.path().join("out.csv-metadata.json"))?)?;
    assert_eq!(metadata["url"], "out.csv");
    let columns = metadata["tableSchema"]["columns"].as_array().unwrap();
    assert_eq!(columns.iter().map(|column| column["name"].as_str().unwrap()).collect::<Vec<_>>(), names);
    assert_eq!(columns[column("data_quality_score")]["datatype"], "double");
    assert_eq!(columns[column("last_interaction_date")]["datatype"]["base"], "date");
    assert_eq!(metadata["notes"][0]["guarded_cells"], 2);
    assert_eq!(metadata["notes"][0]["guarded_cells_by_column"]["description"], 1);
    Ok(())
}

#[test]
fn parquet_and_json_hold_the_table() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("out.parquet");
    publish(&path)?;
    assert_eq!(read_parquet(&path)?, tables("r1").golden);
    let builder = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(&path)?)?;
    let pairs = builder.metadata().file_metadata().key_value_metadata().unwrap();
    assert!(pairs.iter().any(|pair| pair.key == "hotpass.run_id" && pair.value.as_deref() == Some("r1")));

    let path = folder.path().join("out.json");
    publish(&path)?;
    let array: Vec<Value> = serde_json::from_slice(&fs::read(&path)?)?;
    assert_eq!(array.len(), 2);
    assert_eq!(array[0]["notes"], "=HYPERLINK(\"http://x\")");
    assert_eq!(array[1]["website"], Value::Null);
    assert_eq!(array[0]["last_refreshed_at"], "2023-11-14T22:13:20.000Z");
    assert_eq!(array[0].as_object().unwrap().len(), 45);
    let path = folder.path().join("out.ndjson");
    publish(&path)?;
    let lines: Vec<Value> = fs::read_to_string(&path)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(lines, array);
    Ok(())
}

#[test]
fn large_tables_do_not_depend_on_their_batches() -> TestResult {
    let folder = tempfile::tempdir()?;
    let rows: Vec<Value> = (0..300)
        .map(|row| json!({"source_file": "a.csv", "row": row, "record_id": format!("a:{row}"), "entity_id": format!("e{}", row / 3), "outcome": "entity"}))
        .collect();
    let whole = &table(CROSSWALK_COLUMNS, rows)[0];
    // 150,000 rows: more than a row group.
    let batches: Vec<RecordBatch> = std::iter::repeat_n(whole.clone(), 500).collect();
    let one = vec![arrow::compute::concat_batches(&whole.schema(), &batches)?];
    let metadata = FileMetadata { run_id: "r", config_digest: "d" };
    let (a, b) = (folder.path().join("a.parquet"), folder.path().join("b.parquet"));
    let first = write_parquet(&a, &batches, &metadata)?;
    let second = write_parquet(&b, &one, &metadata)?;
    assert_eq!(first.sha256, second.sha256);
    assert_eq!(first.rows, Some(150_000));
    let read = read_parquet(&a)?;
    assert_eq!(arrow::compute::concat_batches(&whole.schema(), &read)?, one[0]);
    Ok(())
}

#[test]
fn two_writes_are_equal_to_the_byte() -> TestResult {
    let (first, second) = (tempfile::tempdir()?, tempfile::tempdir()?);
    for name in ["out.xlsx", "out.csv", "out.json"] {
        let a = publish(&first.path().join(name))?;
        std::thread::sleep(std::time::Duration::from_millis(5));
        let b = publish(&second.path().join(name))?;
        for (a, b) in a.iter().zip(&b) {
            assert_eq!(a.sha256, b.sha256, "{}", a.path.display());
        }
    }
    Ok(())
}

#[test]
fn a_target_that_refuses_gives_a_clear_error_and_leaves_nothing() -> TestResult {
    let folder = tempfile::tempdir()?;
    fs::File::create(folder.path().join("file"))?;
    let error = publish(&folder.path().join("file/out.csv")).unwrap_err();
    let error = error.downcast::<hotpass_pipeline::publish::PublishError>()?;
    assert!(error.to_string().starts_with("Failed to write `"), "{error}");
    assert!(error.hint().is_some());
    assert!(publish(&folder.path().join("out.txt")).unwrap_err().to_string().starts_with("No output format"));
    if Path::new("/dev/full").exists() {
        // A rename cannot reach `/dev`, so the error of a full disk is that of a writer.
        let error = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let error = hotpass_pipeline::publish::PublishError::Write { path: "x".into(), source: error };
        assert!(error.hint().unwrap().contains("Free space"));
    }
    assert_eq!(fs::read_dir(folder.path())?.count(), 1);
    Ok(())
}

/// Makes a whole run in `folder`, as refine does, and returns its folder and archive.
fn whole_run(folder: &Path) -> Result<(RunDirectory, PathBuf), Box<dyn std::error::Error>> {
    let run = RunDirectory::create(&folder.join("dist"), RunId::derived(CLOCK, &[1; 32]))?;
    let (tables, statistics) = (tables(run.id()), statistics(run.id()));
    let mut manifest = Manifest::start(run.id(), CLOCK);
    manifest.set_config(json!({"profile": {"name": "generic"}}), std::collections::BTreeMap::new());
    let metadata = FileMetadata { run_id: run.id(), config_digest: &manifest.config_digest };
    let inputs = vec![InputFile { name: "a b.csv".into(), path: folder.join("in/a b.csv") }];
    fs::create_dir_all(folder.join("in"))?;
    hotpass_core::write_atomic(&inputs[0].path, "Name\nAcme\nBravo\n")?;
    let output = folder.join("out.xlsx");
    let outputs = write_output(&output, &input(&tables, &statistics))?;
    let mut artefacts = write_run_tables(&run, &tables, &metadata)?;
    artefacts.push(write_diagnostics(&run, &[])?);
    let extras = ReportExtras { conflicts: &tables.conflicts, ..ReportExtras::default() };
    artefacts.extend(write_report_files(&run, &statistics, &extras)?);
    artefacts.push(write_inputs_archive(&run, CLOCK, &inputs)?);
    let record = |file: &WrittenFile, path: String| FileRecord {
        path,
        sha256: file.sha256.clone(),
        bytes: file.bytes,
        rows: file.rows,
    };
    manifest.artefacts = artefacts
        .iter()
        .map(|file| record(file, file.path.file_name().unwrap().to_string_lossy().into_owned()))
        .collect();
    manifest.outputs = outputs.iter().map(|file| record(file, file.path.display().to_string())).collect();
    manifest.input_dir = folder.join("in").display().to_string();
    manifest.inputs = vec![FileRecord::of("a b.csv", &inputs[0].path, None)?];
    manifest.rows = RowCounts { rows_in: 4, rows_in_entities: 3, rows_quarantined: 1, entities: 2 };
    manifest.finish(RunStatus::Completed, CLOCK);
    manifest.write(run.root())?;
    run.mark_latest()?;
    let artefacts: Vec<String> = manifest.artefacts.iter().map(|file| file.path.clone()).collect();
    let published: Vec<PathBuf> = outputs.into_iter().map(|file| file.path).collect();
    let archive = write_archive(&ArchiveInput {
        directory: folder,
        clock: CLOCK,
        published: &published,
        run: &run,
        artefacts: &artefacts,
        inputs: &inputs,
    })?;
    Ok((run, archive.path))
}

#[test]
fn an_untouched_run_verifies() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (run, archive) = whole_run(folder.path())?;
    let verification = verify_run(run.root(), Trust::default())?;
    assert!(verification.passed(), "{:#?}", verification.failures().collect::<Vec<_>>());
    assert!(verification.checks.iter().any(|check| check.name == "provenance"));
    let verification = verify_archive(&archive, Trust::default())?;
    assert!(verification.passed(), "{:#?}", verification.failures().collect::<Vec<_>>());
    assert!(verification.checks.iter().any(|check| check.name == "rows in crosswalk"));
    // An input that is edited later does not speak against the run.
    fs::copy(run.path("report.json"), folder.path().join("in/a b.csv"))?;
    assert!(verify_run(run.root(), Trust::default())?.passed());
    Ok(())
}

#[test]
fn sha256sum_checks_the_archive() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (_, archive) = whole_run(folder.path())?;
    let name = archive.file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with("refined-data-20231114T221320Z-") && name.len() == 46, "{name}");
    let target = folder.path().join("unpacked");
    zip::ZipArchive::new(fs::File::open(&archive)?)?.extract(&target)?;
    for file in ["out.xlsx", "out.parquet", "run/manifest.json", "run/report.html", "inputs/a b.csv", "SHA256SUMS"] {
        assert!(target.join(file).is_file(), "{file}");
    }
    match Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(&target).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => println!("skipped: `sha256sum` cannot be run: {error}"),
    }
    let first = fs::read(&archive)?;
    let other = tempfile::tempdir()?;
    // The manifest names the folders, so an equal archive needs equal inputs: it is written anew in the same place.
    drop(other);
    let (_, again) = whole_run(folder.path())?;
    assert_eq!(again, archive);
    assert_eq!(fs::read(&again)?, first);
    Ok(())
}

#[test]
fn every_tampering_is_found() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (run, _) = whole_run(folder.path())?;
    let files: Vec<PathBuf> = fs::read_dir(run.root())?
        .map(|entry| entry.map(|entry| entry.path()))
        .chain([Ok(folder.path().join("out.xlsx")), Ok(folder.path().join("out.parquet"))])
        .collect::<Result<_, _>>()?;
    assert!(files.len() >= 13, "{files:?}");
    for file in &files {
        let bytes = fs::read(file)?;
        let mut changed = bytes.clone();
        let position = changed.len() / 2;
        changed[position] ^= 1;
        hotpass_core::write_atomic(file, &changed)?;
        let found = verify_run(run.root(), Trust::default()).map_or(true, |verification| !verification.passed());
        assert!(found, "a changed byte in {}", file.display());
        fs::remove_file(file)?;
        let found = verify_run(run.root(), Trust::default()).map_or(true, |verification| !verification.passed());
        assert!(found, "{} is missing", file.display());
        hotpass_core::write_atomic(file, &bytes)?;
        assert!(verify_run(run.root(), Trust::default())?.passed());
    }
    hotpass_core::write_atomic(run.path("extra.txt"), "x")?;
    assert_eq!(verify_run(run.root(), Trust::default())?.failures().next().unwrap().name, "run folder");
    Ok(())
}

/// Replaces a table of the run and seals the manifest anew, as one would who wants to hide it.
fn forge(run: &RunDirectory, name: &str, batches: &[RecordBatch]) -> TestResult {
    let mut manifest = Manifest::read(run.root())?;
    let metadata = FileMetadata { run_id: run.id(), config_digest: &manifest.config_digest };
    write_parquet(&run.path(name), batches, &metadata)?;
    for record in manifest.artefacts.iter_mut().filter(|record| record.path == name) {
        *record = FileRecord::of(name, &run.path(name), None)?;
    }
    Ok(manifest.write(run.root())?)
}

#[test]
fn a_lost_row_is_found_even_when_the_digests_fit() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (run, _) = whole_run(folder.path())?;
    let original = tables(run.id());
    let check = |name: &str, batches: &[RecordBatch], expected: &str| -> TestResult {
        forge(&run, name, &[batches[0].slice(0, batches[0].num_rows() - 1)])?;
        let verification = verify_run(run.root(), Trust::default())?;
        let failed: Vec<&str> = verification.failures().map(|check| check.name.as_str()).collect();
        assert!(failed.contains(&expected), "{name}: {failed:?}");
        forge(&run, name, batches)?;
        assert!(verify_run(run.root(), Trust::default())?.passed());
        Ok(())
    };
    check("crosswalk.parquet", &original.crosswalk, "rows in crosswalk")?;
    check("quarantine.parquet", &original.quarantine, "rows in quarantine")?;
    check("golden.parquet", &original.golden, "entities")?;
    check("provenance.parquet", &original.provenance, "provenance")?;
    Ok(())
}

#[test]
fn explains_the_winner_and_the_losers() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (run, _) = whole_run(folder.path())?;
    let by_row = explain(run.root(), &Selector::Row(1), None)?;
    let by_entity = explain(run.root(), &Selector::Entity("e1".into()), None)?;
    assert_eq!(by_row, by_entity);
    assert_eq!(by_row.fields.len(), 2);
    let name = &by_row.fields[0];
    assert_eq!((name.field.as_str(), name.winner.to_string().as_str()), ("organization_name", "a.csv!A2"));
    assert_eq!(name.winner.raw_value.as_deref(), Some(" ACME "));
    assert_eq!(name.losers.len(), 1);
    assert_eq!(name.losers[0].to_string(), "b.xlsx#S!B2");
    assert_eq!(name.losers[0].value.as_deref(), Some("Acme (Pty) Ltd"));
    assert_eq!(explain(run.root(), &Selector::Row(2), Some("organization_name"))?.fields.len(), 1);

    let missing = |selector: Selector, field: Option<&str>| explain(run.root(), &selector, field).unwrap_err();
    let error = missing(Selector::Entity("e9".into()), None);
    assert!(matches!(&error, ExplainError::NoSuchEntity { nearest: Some(_), .. }), "{error:?}");
    assert!(matches!(missing(Selector::Row(3), None), ExplainError::NoSuchRow { row: 3, rows: 2 }));
    assert!(matches!(missing(Selector::Row(0), None), ExplainError::NoSuchRow { .. }));
    let error = missing(Selector::Row(1), Some("web_site"));
    assert_eq!(error.hint().as_deref(), Some("Did you mean `website`?"));
    let error = missing(Selector::Row(1), Some("run_id"));
    assert!(matches!(&error, ExplainError::NoSourceCell { .. }) && error.is_not_found());
    Ok(())
}

#[test]
fn the_report_escapes_and_masks() -> TestResult {
    let (tables, statistics) = (tables("r1"), statistics("r1"));
    let masked = ReportExtras { conflicts: &tables.conflicts, ..ReportExtras::default() };
    for text in [report::html(&statistics, &masked), report::markdown(&statistics, &masked)] {
        assert!(!text.contains("<script") && !text.contains("<img"), "markup of the data is live");
        assert!(text.contains("&lt;script"), "the sheet is named");
        assert!(!text.contains("jo@acme.example") && !text.contains("max@acme.example"));
        assert!(text.contains("xx@xxxx.xxxxxxx"));
    }
    let html = report::html(&statistics, &masked);
    for part in [
        "<html lang=\"en\">",
        "<main ",
        "<nav ",
        "<caption>",
        "scope=\"col\"",
        "role=\"img\"",
        "prefers-color-scheme",
        "@media print",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("src=\"") && !html.contains("href=\"http"), "an outside resource");
    let shown = ReportExtras { show_values: true, ..masked };
    assert!(report::html(&statistics, &shown).contains("max@acme.example"));
    assert_eq!(serde_json::from_str::<RunStatistics>(&report::json(&statistics))?, statistics);
    Ok(())
}

#[test]
fn the_report_of_an_empty_run_is_a_page() {
    let html = report::html(&RunStatistics::default(), &ReportExtras::default());
    assert!(html.contains("0 records from 0 source rows"));
    assert!(!html.contains("NaN") && !html.contains("inf"));
}

#[test]
fn the_party_store_has_names_persons_and_channels() -> TestResult {
    let folder = tempfile::tempdir()?;
    let store = build_party_store(&tables("r1"), "2023-11-14T22:13:20Z")?;
    let path = folder.path().join("parties.json");
    let metadata = FileMetadata { run_id: "r1", config_digest: "d" };
    write_party_store(&path, &store, &metadata)?;
    let json: Value = serde_json::from_slice(&fs::read(&path)?)?;
    let list = |name: &str| json[name].as_array().cloned().unwrap();
    let kinds: Vec<Value> = list("party").iter().map(|party| party["kind"].clone()).collect();
    assert_eq!(kinds, ["organisation", "person", "organisation"]);
    let aliases: Vec<(Value, Value)> =
        list("party_alias").iter().map(|alias| (alias["alias"].clone(), alias["alias_type"].clone())).collect();
    assert_eq!(
        aliases,
        [
            (json!("acme"), json!("machine")),
            (json!("bravo"), json!("machine")),
            (json!("Acme (Pty) Ltd"), json!("legal"))
        ]
    );
    assert_eq!(list("party_alias")[2]["confidence_band"], "medium");
    assert_eq!(list("party_role")[0]["role_category"], "executive");
    assert_eq!(list("party_role")[0]["subject_party_id"], list("party")[1]["party_id"]);
    let methods = list("contact_method");
    let info = methods.iter().find(|method| method["value"] == "info@acme.example").unwrap();
    assert_eq!(info["party_id"], list("party")[0]["party_id"], "a channel without a person is the organisation's");
    let written = write_party_store(&folder.path().join("parties"), &store, &metadata)?;
    assert_eq!(written.len(), 4);
    let ids = read_parquet(&written[0].path)?[0].column_by_name("party_id").unwrap().as_string::<i32>().clone();
    assert_eq!(ids.len(), 3);
    assert_eq!(ids.value(0), list("party")[0]["party_id"], "both forms hold the same ids");
    Ok(())
}
