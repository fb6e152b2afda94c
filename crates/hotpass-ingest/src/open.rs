//! Opens a file: its tables, what is no table, and what was found.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::RecordBatch;
use hotpass_core::{Diagnostic, Location};
use serde::{Deserialize, Serialize};

use crate::IngestError;
use crate::columnar::open_columnar;
use crate::delimited::open_delimited;
use crate::detect::{HeaderHints, Layout, detect};
use crate::document::open_document;
use crate::format::{self, FileFormat};
use crate::grid_table::open_region;
use crate::options::ReadOptions;
use crate::package::{PackageScan, scan_package};
use crate::source::SourceFile;
use crate::table::{Batches, OpenTable, TableId};
use crate::workbook::{Workbook, encrypted};

/// What a file holds.
#[derive(Debug, Default)]
pub struct Opened {
    /// Tables, ready to be read, in reading order.
    pub tables: Vec<OpenTable>,
    /// Sheets and parts that are no tables.
    pub skipped: Vec<Skipped>,
    /// What was found about the file and its sheets.
    pub diagnostics: Vec<Diagnostic>,
}

/// Something that is not read as a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// What.
    pub id: TableId,
    /// Why, as the rest of a sentence: "it is empty".
    pub reason: String,
}

/// Opens a file and finds its tables.
///
/// Workbooks and JSON are read into memory, within [`ReadOptions::memory_limit_bytes`]; delimited text, Parquet and Arrow are read in a
/// stream as batches are asked for. A sheet that cannot be read is skipped with a diagnostic, and the others go on.
///
/// Readers of other people's formats can panic on broken files. Such a panic stops here, and in the batches, as a refusal.
///
/// # Errors
///
/// Returns [`IngestError::Read`] when the file cannot be read, and [`IngestError::Refused`] when it is not a file that can be
/// read: encrypted, broken, too large for the limit, or of another format.
pub fn open_file(file: &SourceFile, options: &ReadOptions) -> Result<Opened, IngestError> {
    let mut opened =
        catch_unwind(AssertUnwindSafe(|| open_format(file, options))).unwrap_or_else(|_| Err(panicked(file)))?;
    opened.diagnostics.extend(wrong_ending(file));
    for table in &mut opened.tables {
        let batches = std::mem::replace(&mut table.batches, Box::new(std::iter::empty()));
        table.batches = Box::new(Guarded { batches: Some(batches), file: file.clone() });
    }
    Ok(opened)
}

fn open_format(file: &SourceFile, options: &ReadOptions) -> Result<Opened, IngestError> {
    let refuse = |diagnostic: Diagnostic| IngestError::Refused(Box::new(diagnostic));
    let location = Location::file(Arc::clone(&file.name));
    if file.bytes == 0 {
        return Err(refuse(
            Diagnostic::error("ingest.file.empty", "The file is empty").at(location).hint("Export it again"),
        ));
    }
    match file.format {
        FileFormat::Xlsx | FileFormat::Xlsb | FileFormat::Ods => {
            let scan = scan_package(&file.path, file.format, &location, options).map_err(IngestError::Refused)?;
            open_workbook(file, &location, scan, options)
        }
        FileFormat::Xls => {
            if file.bytes > options.memory_limit_bytes / 4 {
                return Err(refuse(
                    Diagnostic::error("ingest.file.memory", "The workbook is too large for the memory limit")
                        .at(location)
                        .hint("Raise the memory limit, or save it as xlsx or csv"),
                ));
            }
            open_workbook(file, &location, PackageScan::default(), options)
        }
        FileFormat::Json | FileFormat::Ndjson => open_document(file, options),
        FileFormat::Parquet | FileFormat::Arrow => open_columnar(file, options),
        FileFormat::Delimited => open_delimited(file, options),
        FileFormat::Encrypted => Err(refuse(encrypted(location))),
        format => {
            let hint = match format {
                FileFormat::Html => "Open it in a browser or spreadsheet program and save the table as xlsx or csv",
                FileFormat::Archive => "Unpack it and give the files inside",
                _ => "Formats read are xlsx, xlsm, xls, xlsb, ods, csv, tsv, psv, json, ndjson, parquet and arrow",
            };
            Err(refuse(
                Diagnostic::error("ingest.file.format", format!("The file is {}, which cannot be read", format.name()))
                    .at(location)
                    .hint(hint),
            ))
        }
    }
}

fn open_workbook(
    file: &SourceFile,
    location: &Location,
    scan: PackageScan,
    options: &ReadOptions,
) -> Result<Opened, IngestError> {
    let workbook = Workbook { path: &file.path, location: location.clone(), scan, options };
    let sheets = workbook.read(file.format).map_err(IngestError::Refused)?;
    let hints = HeaderHints::new(&options.header_hints);
    let mut opened = Opened::default();
    for sheet in sheets {
        let name: Arc<str> = Arc::from(sheet.name);
        let id = |table: u32| TableId { file: Arc::clone(&file.name), sheet: Some(Arc::clone(&name)), table };
        let place = location.clone().sheet(Arc::clone(&name));
        if sheet.hidden {
            opened
                .diagnostics
                .push(Diagnostic::info("ingest.sheet.hidden", "The sheet is hidden in the workbook").at(place.clone()));
        }
        let mut cells = match sheet.cells {
            Ok(cells) => cells,
            Err(diagnostic) => {
                opened.skipped.push(Skipped { id: id(0), reason: diagnostic.message.clone() });
                opened.diagnostics.push(*diagnostic);
                continue;
            }
        };
        let detection = detect(&cells.grid, &cells.merges, &hints, Layout::Sheet, &place);
        cells.merges = Vec::new();
        for reason in detection.skipped {
            opened.diagnostics.push(
                Diagnostic::info("ingest.sheet.skipped", format!("The sheet is not read: {reason}")).at(place.clone()),
            );
            opened.skipped.push(Skipped { id: id(0), reason });
        }
        let grid = Arc::new(cells.grid);
        for (number, region) in (0..).zip(detection.tables) {
            opened.tables.push(open_region(id(number), &grid, region, options));
        }
    }
    Ok(opened)
}

fn wrong_ending(file: &SourceFile) -> Option<Diagnostic> {
    let ending = format::ending(&file.path)?;
    if file.format.endings().contains(&ending.as_str()) {
        return None;
    }
    // Text with an unusual ending is what the ending may well stand for.
    let promised = FileFormat::of_ending(&ending)?;
    Some(
        Diagnostic::warning(
            "ingest.file.wrong_ending",
            format!("The file ends in `.{ending}`, which is {}, but is {}", promised.name(), file.format.name()),
        )
        .at(Location::file(Arc::clone(&file.name)))
        .hint("It is read as what it is; rename it so that other programs do the same"),
    )
}

fn panicked(file: &SourceFile) -> IngestError {
    IngestError::Refused(Box::new(
        Diagnostic::error(
            "ingest.file.broken",
            format!("The reader of {} failed on this file, which must be broken", file.format.name()),
        )
        .at(Location::file(Arc::clone(&file.name)))
        .hint("Open it in the program that wrote it, save it again and try the new file"),
    ))
}

/// Batches whose reader's panics are refusals.
struct Guarded {
    batches: Option<Batches>,
    file: SourceFile,
}

impl Iterator for Guarded {
    type Item = Result<RecordBatch, IngestError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batches = self.batches.as_mut()?;
        if let Ok(next) = catch_unwind(AssertUnwindSafe(|| batches.next())) {
            next
        } else {
            self.batches = None;
            Some(Err(panicked(&self.file)))
        }
    }
}
