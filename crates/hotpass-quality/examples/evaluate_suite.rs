//! Evaluates a suite file of Great Expectations on a CSV file and prints the results in Great Expectations' own form.
//!
//! ```text
//! cargo run -p hotpass-quality --example evaluate_suite -- SUITE.json DATA.csv [--text] [--blank-as-null] [--numbers-in-text]
//!     [--show-values] [--all-positions] [--batch-size N] [--times A,B] [--baseline BEFORE.csv] [--write-suite FILE]
//! ```
//!
//! Columns are read as pandas reads them: an empty cell is no value; a column of whole numbers, numbers or `True`/`False` has
//! that type, any other is text. With `--text` all columns are text. `--times` names columns of moments, `--baseline` the table
//! of an earlier run, `--write-suite` the file to write the suite into again.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use hotpass_quality::drift::ProfileBuilder;
use hotpass_quality::{MissingColumns, Suite, SuiteOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let flag = |name: &str| arguments.iter().any(|argument| argument == name);
    let value_at = |name: &str| arguments.iter().position(|argument| argument == name).map(|at| at + 1);
    let given = |name: &str| value_at(name).and_then(|at| arguments.get(at));
    let values: Vec<usize> =
        ["--batch-size", "--times", "--baseline", "--write-suite"].into_iter().filter_map(value_at).collect();
    let files: Vec<&String> = arguments
        .iter()
        .enumerate()
        .filter(|(at, argument)| !argument.starts_with("--") && !values.contains(at))
        .map(|(_, argument)| argument)
        .collect();
    let [suite, data] = files.as_slice() else {
        return Err("usage: evaluate_suite SUITE.json DATA.csv [--text] [--blank-as-null] [--show-values]".into());
    };
    let times: Vec<&str> = given("--times").map(|names| names.split(',').collect()).unwrap_or_default();
    let batch = read(data, flag("--text"), &times)?;
    let mut options = SuiteOptions {
        blank_as_null: flag("--blank-as-null"),
        numbers_in_text: flag("--numbers-in-text"),
        missing_columns: MissingColumns::Fail,
        all_positions: flag("--all-positions"),
        ..SuiteOptions::default()
    };
    if flag("--show-values") {
        options.shown_columns = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    }
    if let Some(before) = given("--baseline") {
        let before = read(before, flag("--text"), &times)?;
        let mut profile = ProfileBuilder::new(&before.schema());
        profile.add(&before)?;
        options.baseline = Some(Arc::new(profile.finish()));
    }
    let suite = Suite::from_gx_json(&std::fs::read_to_string(suite)?)?;
    if let Some(path) = given("--write-suite") {
        hotpass_core::write_atomic(Path::new(path), suite.to_gx_json().to_string())?;
    }
    let mut run = suite.compile(&batch.schema(), &options)?;
    let size = given("--batch-size").and_then(|size| size.parse().ok()).unwrap_or(8192).max(1);
    for first in (0..batch.num_rows()).step_by(size) {
        run.add(&batch.slice(first, size.min(batch.num_rows() - first)))?;
    }
    let result = run.finish();
    let mut output = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut output, &result.to_gx_json())?;
    writeln!(output)?;
    Ok(())
}

fn read(path: &str, all_text: bool, times: &[&str]) -> Result<RecordBatch, Box<dyn Error>> {
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_path(path)?;
    let names: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); names.len()];
    for record in reader.records() {
        for (column, cell) in columns.iter_mut().zip(record?.iter()) {
            column.push((!cell.is_empty()).then(|| cell.to_owned()));
        }
    }
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (name, cells) in names.into_iter().zip(columns) {
        let array = if times.contains(&name.as_str()) { moments(cells)? } else { array_of(cells, all_text) };
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

/// Reads `2024-01-31` and `2024-01-31 10:00:00`.
fn moments(cells: Vec<Option<String>>) -> Result<ArrayRef, Box<dyn Error>> {
    let text: ArrayRef = Arc::new(cells.into_iter().collect::<StringArray>());
    Ok(cast(&text, &DataType::Timestamp(TimeUnit::Microsecond, None))?)
}

fn array_of(cells: Vec<Option<String>>, all_text: bool) -> ArrayRef {
    if !all_text {
        let present = || cells.iter().flatten();
        let complete = cells.iter().all(Option::is_some);
        let whole = |cell: &String| cell.trim().parse::<i64>().ok();
        let number = |cell: &String| cell.trim().parse::<f64>().ok();
        let truth = |cell: &String| match cell.as_str() {
            "True" | "true" | "TRUE" => Some(true),
            "False" | "false" | "FALSE" => Some(false),
            _ => None,
        };
        if complete && present().all(|cell| whole(cell).is_some()) {
            return Arc::new(present().filter_map(whole).collect::<Int64Array>());
        }
        if present().all(|cell| number(cell).is_some()) {
            return Arc::new(cells.iter().map(|cell| cell.as_ref().and_then(number)).collect::<Float64Array>());
        }
        if complete && present().all(|cell| truth(cell).is_some()) {
            return Arc::new(cells.iter().map(|cell| cell.as_ref().and_then(truth)).collect::<BooleanArray>());
        }
    }
    Arc::new(cells.into_iter().collect::<StringArray>())
}
