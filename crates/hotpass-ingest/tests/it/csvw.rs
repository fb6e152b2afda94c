//! CSV on the Web: cells equal the expected JSON of the tests.
//!
//! Compared are the tests without metadata beside the file: their JSON holds the cells as they are. Metadata changes names, types and
//! dialect of the output, so that those results are no longer the cells of the file; these tests are read only (see `corpus`).

use std::path::Path;

use serde_json::Value;

use super::{open, read, test_data};

#[test]
fn cells_equal_the_expected_ones() {
    let Some(folder) = test_data("ingest/w3c-csvw/tests") else { return };
    let (mut compared, mut rows_compared, mut with_metadata, mut failures) = (0, 0, 0, Vec::new());
    let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(stem) = name.strip_suffix(".csv").filter(|stem| stem.starts_with("test")) else { continue };
        let Ok(text) = std::fs::read_to_string(folder.join(format!("{stem}.json"))) else { continue };
        if ["-metadata.json", "-user-metadata.json", ".csv-metadata.json"]
            .iter()
            .any(|end| folder.join(format!("{stem}{end}")).exists())
        {
            with_metadata += 1;
            continue;
        }
        // Test 19 says with its media type, outside the file, that there is no header.
        if stem == "test019" {
            with_metadata += 1;
            continue;
        }
        match expected_rows(&serde_json::from_str(&text).unwrap()) {
            Some(expected) => {
                compared += 1;
                rows_compared += expected.len();
                if let Some(failure) = difference(&path, &expected) {
                    failures.push(failure);
                }
            }
            None => println!("{name}: the expected JSON is not a table of plain cells"),
        }
    }
    println!(
        "{compared} files compared, {rows_compared} rows; {with_metadata} not, since their metadata changes the result"
    );
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(compared >= 10, "{compared}");
}

/// Returns the row number, where it is told, and the values of each row.
fn expected_rows(document: &Value) -> Option<Vec<(Option<u32>, Vec<String>)>> {
    let values = |object: &Value| -> Option<Vec<String>> {
        object
            .as_object()?
            .iter()
            .filter(|(key, _)| !key.starts_with('@'))
            .map(|(_, value)| value.as_str().map(str::to_owned))
            .collect()
    };
    let rows = match document {
        Value::Array(rows) => return rows.iter().map(|row| Some((None, values(row)?))).collect(),
        document => document.pointer("/tables/0/row")?.as_array()?,
    };
    rows.iter()
        .map(|row| {
            let number = row["url"].as_str().and_then(|url| url.rsplit_once("#row=")?.1.parse().ok());
            Some((number, values(row["describes"].get(0)?)?))
        })
        .collect()
}

fn difference(path: &Path, expected: &[(Option<u32>, Vec<String>)]) -> Option<String> {
    let mut opened = match open(path) {
        Ok(opened) => opened,
        Err(error) => return Some(format!("{}: {error}", path.display())),
    };
    if opened.tables.len() != 1 {
        return Some(format!("{}: {} tables", path.display(), opened.tables.len()));
    }
    let cells = read(opened.tables.remove(0)).unwrap();
    let found: Vec<(Option<u32>, Vec<String>)> =
        cells.rows.iter().map(|(number, row)| (Some(*number), row.iter().flatten().cloned().collect())).collect();
    let same = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(found, expected)| found.1 == expected.1 && (expected.0.is_none() || found.0 == expected.0));
    let position = found
        .iter()
        .zip(expected)
        .position(|(found, expected)| found.1 != expected.1 || expected.0.is_some() && found.0 != expected.0);
    (!same).then(|| {
        let at = position.unwrap_or(found.len().min(expected.len()));
        format!(
            "{}: {} rows for {}, first difference {:?} for {:?}",
            path.display(),
            found.len(),
            expected.len(),
            found.get(at),
            expected.get(at)
        )
    })
}
