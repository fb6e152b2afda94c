//! Reads files and prints what is in them, one JSON object a file: tables with their cells, what was skipped, what was found.
//!
//! `read_any [--cells] [--limit-mb N] [--peak] FILE…`. Without `--cells` only counts are printed for each table; with `--peak` the largest
//! resident memory of the process in kB comes last.

use std::io::Write as _;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::UInt32Type;
use hotpass_ingest::{OpenTable, ReadOptions, SourceFile, open_file};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = ReadOptions::default();
    let (mut cells, mut peak) = (false, false);
    let mut out = std::io::stdout().lock();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--cells" => cells = true,
            "--peak" => peak = true,
            "--limit-mb" => {
                options.memory_limit_bytes = arguments.next().unwrap_or_default().parse::<u64>()? << 20;
            }
            path => {
                let start = std::time::Instant::now();
                let mut value = read(path, &options, cells);
                value["milliseconds"] = json!(start.elapsed().as_millis() as u64);
                writeln!(out, "{value}")?;
            }
        }
    }
    if peak {
        writeln!(out, "{}", json!({ "peak_kb": peak_kilobytes() }))?;
    }
    Ok(())
}

fn read(path: &str, options: &ReadOptions, cells: bool) -> Value {
    let file = match SourceFile::inspect(path, path) {
        Ok(file) => file,
        Err(error) => return json!({ "file": path, "error": error.to_string() }),
    };
    match open_file(&file, options) {
        Err(error) => json!({ "file": path, "format": file.format, "refused": error.to_string() }),
        Ok(opened) => json!({
            "file": path,
            "format": file.format,
            "tables": opened.tables.into_iter().map(|table| read_table(table, cells)).collect::<Vec<_>>(),
            "skipped": opened.skipped,
            "diagnostics": opened.diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }),
    }
}

fn read_table(table: OpenTable, with_cells: bool) -> Value {
    let mut rows = 0;
    let mut cells = Vec::new();
    let mut error = Value::Null;
    for batch in table.batches {
        let batch = match batch {
            Ok(batch) => batch,
            Err(stopped) => {
                error = Value::from(stopped.to_string());
                break;
            }
        };
        rows += batch.num_rows();
        if with_cells {
            let numbers = batch.column(0).as_primitive::<UInt32Type>();
            for (position, column) in table.schema.columns.iter().enumerate() {
                let values: &StringArray = batch.column(position + 1).as_string();
                cells.extend(
                    (0..values.len())
                        .filter(|&row| values.is_valid(row))
                        .map(|row| json!([numbers.value(row), column.index, values.value(row)])),
                );
            }
        }
    }
    let columns: Vec<Value> = table
        .schema
        .columns
        .iter()
        .map(|column| json!({ "index": column.index, "name": column.name, "header": column.raw_header }))
        .collect();
    json!({
        "sheet": table.schema.id.sheet,
        "table": table.schema.id.table,
        "header_row": table.schema.header_row,
        "declared_rows": table.schema.rows,
        "rows": rows,
        "columns": columns,
        "cells": cells,
        "error": error,
        "diagnostics": table.diagnostics.iter().chain(&table.late_diagnostics.take()).map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn peak_kilobytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?.trim().parse().ok()
}
