//! csv-spectrum: each file has its expected parse.

use serde_json::Value;

use super::{read_only, test_data};

#[test]
fn cells_equal_the_expected_ones() {
    let Some(folder) = test_data("ingest/csv-spectrum") else { return };
    let mut compared = 0;
    for entry in std::fs::read_dir(folder.join("csvs")).unwrap() {
        let path = entry.unwrap().path();
        let expected = folder.join("json").join(path.file_stem().unwrap()).with_extension("json");
        let mut expected = std::fs::read_to_string(expected).unwrap();
        // Some copies of the corpus have lost the carriage returns of its csv files, which the expected values still have.
        if !std::fs::read(&path).unwrap().contains(&b'\r') {
            expected = expected.replace("\\r\\n", "\\n");
        }
        let expected: Vec<serde_json::Map<String, Value>> = serde_json::from_str(&expected).unwrap();
        let cells = read_only(&path);
        let found: Vec<serde_json::Map<String, Value>> = cells
            .rows
            .iter()
            .map(|(_, row)| {
                let columns = cells.schema.columns.iter().map(|column| column.raw_header.clone());
                columns.zip(row.iter().map(|cell| Value::from(cell.clone().unwrap_or_default()))).collect()
            })
            .collect();
        assert_eq!(found, expected, "{}", path.display());
        compared += 1;
    }
    assert_eq!(compared, 11);
}
