//! Workbooks through calamine: cells go one by one into a [`Grid`], whatever range the sheet declares.

#![expect(clippy::unnecessary_box_returns, reason = "made for results, whose errors are boxed to stay small")]

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use calamine::{
    Data, DataRef, Dimensions, ExcelDateTime, Ods, OdsError, Reader, SheetType, SheetVisible, Xls, XlsError, Xlsb,
    Xlsx, XlsxError,
};
use hotpass_core::{Diagnostic, Location};

use crate::compound;
use crate::format::FileFormat;
use crate::grid::{CellKind, Grid, Merge};
use crate::options::{ReadOptions, is_blank};
use crate::package::PackageScan;
use crate::render;

/// Cells pushed between two looks at the memory held.
const CELLS_BETWEEN_CHECKS: usize = 4096;

/// A sheet of a workbook: its cells, or why there are none.
pub(crate) struct Sheet {
    pub(crate) name: String,
    pub(crate) hidden: bool,
    pub(crate) cells: Result<Cells, Box<Diagnostic>>,
}

pub(crate) struct Cells {
    pub(crate) grid: Grid,
    pub(crate) merges: Vec<Merge>,
}

/// What is known of a workbook's file while it is read.
pub(crate) struct Workbook<'a> {
    pub(crate) path: &'a Path,
    pub(crate) location: Location,
    pub(crate) scan: PackageScan,
    pub(crate) options: &'a ReadOptions,
}

type Source = BufReader<File>;

impl Workbook<'_> {
    /// Reads the sheets that are wanted.
    pub(crate) fn read(&self, format: FileFormat) -> Result<Vec<Sheet>, Box<Diagnostic>> {
        let file = File::open(self.path).map_err(|error| self.broken(&error))?;
        let source = BufReader::with_capacity(1 << 16, file);
        match format {
            FileFormat::Xlsx => self.read_xlsx(source),
            FileFormat::Xlsb => self.read_xlsb(source),
            FileFormat::Xls => self.read_xls(source),
            _ => self.read_ods(source),
        }
    }

    fn broken(&self, error: &dyn std::fmt::Display) -> Box<Diagnostic> {
        Box::new(Self::broken_at(self.location.clone(), error))
    }

    fn broken_sheet(&self, sheet: &str, error: &dyn std::fmt::Display) -> Box<Diagnostic> {
        Box::new(Self::broken_at(self.location.clone().sheet(sheet), error))
    }

    fn broken_at(location: Location, error: &dyn std::fmt::Display) -> Diagnostic {
        Diagnostic::error("ingest.file.broken", format!("The workbook cannot be read: {error}"))
            .at(location)
            .hint("Open it in a spreadsheet program, save it again and try the new file")
    }

    fn too_large(&self, sheet: &str) -> Box<Diagnostic> {
        Box::new(
            Diagnostic::error(
                "ingest.file.memory",
                format!("Its cells need more memory than the limit of {} MB", self.options.memory_limit_bytes >> 20),
            )
            .at(self.location.clone().sheet(sheet))
            .hint("Raise the memory limit, or save the sheet as csv, which is read in a stream"),
        )
    }

    /// Reads each wanted worksheet with `read`, which gets the memory held so far.
    fn each_sheet(
        &self,
        sheets: &[calamine::Sheet],
        mut read: impl FnMut(&str, u64) -> Result<Cells, Box<Diagnostic>>,
    ) -> Vec<Sheet> {
        let mut held = 0;
        let wanted = sheets.iter().filter(|sheet| self.options.wants_sheet(&sheet.name));
        wanted
            .map(|sheet| {
                let cells = if sheet.typ == SheetType::WorkSheet {
                    read(&sheet.name, held).map(|mut cells| {
                        cells.grid.finish();
                        held += cells.grid.bytes();
                        cells
                    })
                } else {
                    Err(Box::new(
                        Diagnostic::info(
                            "ingest.sheet.no_cells",
                            "The sheet holds no cells: it is a chart, a dialog or a macro",
                        )
                        .at(self.location.clone().sheet(sheet.name.as_str())),
                    ))
                };
                Sheet { name: sheet.name.clone(), hidden: sheet.visible != SheetVisible::Visible, cells }
            })
            .collect()
    }

    fn read_xlsx(&self, source: Source) -> Result<Vec<Sheet>, Box<Diagnostic>> {
        let mut workbook: Xlsx<_> = Xlsx::new(source).map_err(|error| match error {
            XlsxError::Password => self.encrypted(),
            error => self.broken(&error),
        })?;
        let sheets = workbook.sheets_metadata().to_vec();
        let is_1904 = workbook.has_1904_epoch();
        Ok(self.each_sheet(&sheets, |name, held| {
            let sheet_broken = |error: XlsxError| self.broken_sheet(name, &error);
            let merges = if self.scan.has_merges {
                workbook
                    .merge_cells_by_sheet_name(name)
                    .map(|merges| merges.iter().map(merge).collect())
                    .unwrap_or_default()
            } else {
                Vec::new()
            };
            let mut filler = Filler::new(self, name, held, is_1904);
            let mut cells = match workbook.worksheet_cells_reader(name) {
                Ok(cells) => cells,
                // A sheet whose part is missing or has no data is empty.
                Err(XlsxError::WorksheetNotFound(_) | XlsxError::XmlEof("worksheet")) => {
                    return Ok(filler.finish(merges));
                }
                Err(error) => return Err(sheet_broken(error)),
            };
            if self.scan.has_formulas {
                while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(sheet_broken)? {
                    let without_value = matches!(cell.value, DataRef::Empty) && cell.formula.is_some();
                    if without_value {
                        filler.push_formula(cell.pos)?;
                    } else {
                        filler.push(cell.pos, &cell.value)?;
                    }
                }
            } else {
                while let Some(cell) = cells.next_cell().map_err(sheet_broken)? {
                    filler.push(cell.get_position(), cell.get_value())?;
                }
            }
            Ok(filler.finish(merges))
        }))
    }

    fn read_xlsb(&self, source: Source) -> Result<Vec<Sheet>, Box<Diagnostic>> {
        let mut workbook: Xlsb<_> = Xlsb::new(source).map_err(|error| match error {
            calamine::XlsbError::Password => self.encrypted(),
            error => self.broken(&error),
        })?;
        let sheets = workbook.sheets_metadata().to_vec();
        let is_1904 = workbook.has_1904_epoch();
        Ok(self.each_sheet(&sheets, |name, held| {
            let sheet_broken = |error: calamine::XlsbError| self.broken_sheet(name, &error);
            let mut filler = Filler::new(self, name, held, is_1904);
            let mut cells = workbook.worksheet_cells_reader(name).map_err(sheet_broken)?;
            while let Some(cell) = cells.next_cell().map_err(sheet_broken)? {
                filler.push(cell.get_position(), cell.get_value())?;
            }
            Ok(filler.finish(Vec::new()))
        }))
    }

    fn read_xls(&self, mut source: Source) -> Result<Vec<Sheet>, Box<Diagnostic>> {
        compound::check(&mut source).map_err(|error| self.broken(&error))?;
        let mut workbook: Xls<_> = Xls::new(source).map_err(|error| match error {
            XlsError::Password => self.encrypted(),
            error => self.broken(&error),
        })?;
        let sheets = workbook.sheets_metadata().to_vec();
        let is_1904 = workbook.has_1904_epoch();
        Ok(self.each_sheet(&sheets, |name, held| {
            let merges = workbook
                .merge_cells_by_sheet_name(name)
                .map(|merges| merges.iter().map(merge).collect())
                .unwrap_or_default();
            let range = workbook.worksheet_range(name).map_err(|error| self.broken_sheet(name, &error))?;
            self.fill_from_range(name, held, is_1904, &range, merges)
        }))
    }

    fn read_ods(&self, source: Source) -> Result<Vec<Sheet>, Box<Diagnostic>> {
        let mut workbook: Ods<_> = Ods::new(source).map_err(|error| match error {
            OdsError::Password => self.encrypted(),
            error => self.broken(&error),
        })?;
        let sheets = workbook.sheets_metadata().to_vec();
        Ok(self.each_sheet(&sheets, |name, held| {
            let range = workbook.worksheet_range(name).map_err(|error| self.broken_sheet(name, &error))?;
            self.fill_from_range(name, held, false, &range, Vec::new())
        }))
    }

    fn fill_from_range(
        &self,
        name: &str,
        held: u64,
        is_1904: bool,
        range: &calamine::Range<Data>,
        merges: Vec<Merge>,
    ) -> Result<Cells, Box<Diagnostic>> {
        let mut filler = Filler::new(self, name, held, is_1904);
        let (first_row, first_column) = range.start().unwrap_or_default();
        for (row, column, value) in range.used_cells() {
            filler.push((first_row + row as u32, first_column + column as u32), &borrow(value))?;
        }
        Ok(filler.finish(merges))
    }

    fn encrypted(&self) -> Box<Diagnostic> {
        Box::new(encrypted(self.location.clone()))
    }
}

/// Says that a workbook is protected by a password.
pub(crate) fn encrypted(location: Location) -> Diagnostic {
    Diagnostic::error("ingest.file.encrypted", "The workbook is protected by a password")
        .at(location)
        .hint("Save it without a password and try again")
}

fn borrow(value: &Data) -> DataRef<'_> {
    match value {
        Data::Int(number) => DataRef::Int(*number),
        Data::Float(number) => DataRef::Float(*number),
        Data::String(text) => DataRef::SharedString(text),
        Data::Bool(value) => DataRef::Bool(*value),
        Data::DateTime(value) => DataRef::DateTime(*value),
        Data::DateTimeIso(text) => DataRef::DateTimeIso(text.clone()),
        Data::DurationIso(text) => DataRef::DurationIso(text.clone()),
        Data::Error(error) => DataRef::Error(error.clone()),
        Data::Empty => DataRef::Empty,
    }
}

fn merge(range: &Dimensions) -> Merge {
    Merge {
        first_row: range.start.0.saturating_add(1),
        last_row: range.end.0.saturating_add(1),
        first_column: range.start.1,
        last_column: range.end.1,
    }
}

/// Fills a grid with cells, and stops at the memory limit.
struct Filler<'a> {
    workbook: &'a Workbook<'a>,
    sheet: &'a str,
    held: u64,
    is_1904: bool,
    grid: Grid,
    until_check: usize,
}

impl<'a> Filler<'a> {
    fn new(workbook: &'a Workbook<'a>, sheet: &'a str, held: u64, is_1904: bool) -> Self {
        Self { workbook, sheet, held, is_1904, grid: Grid::default(), until_check: CELLS_BETWEEN_CHECKS }
    }

    fn check(&mut self) -> Result<(), Box<Diagnostic>> {
        self.until_check -= 1;
        if self.until_check == 0 {
            self.until_check = CELLS_BETWEEN_CHECKS;
            if self.held + self.grid.bytes() > self.workbook.options.memory_limit_bytes {
                return Err(self.workbook.too_large(self.sheet));
            }
        }
        Ok(())
    }

    fn push_formula(&mut self, (row, column): (u32, u32)) -> Result<(), Box<Diagnostic>> {
        self.grid.push(row.saturating_add(1), column, CellKind::Formula, "");
        self.check()
    }

    fn push(&mut self, (row, column): (u32, u32), value: &DataRef<'_>) -> Result<(), Box<Diagnostic>> {
        let is_1904 = self.is_1904;
        let row = row.saturating_add(1);
        match value {
            DataRef::Empty => return Ok(()),
            DataRef::String(text) => self.push_text(row, column, text),
            DataRef::SharedString(text) => self.push_text(row, column, text),
            value => self.grid.push_with(row, column, |out| write_value(out, value, is_1904)),
        }
        self.check()
    }

    fn push_text(&mut self, row: u32, column: u32, text: &str) {
        if !is_blank(text) {
            self.grid.push(row, column, CellKind::Text, text);
        }
    }

    fn finish(self, merges: Vec<Merge>) -> Cells {
        Cells { grid: self.grid, merges }
    }
}

fn write_value(out: &mut String, value: &DataRef<'_>, is_1904: bool) -> Option<CellKind> {
    use std::fmt::Write as _;
    match value {
        DataRef::Int(number) => {
            let _ = write!(out, "{number}");
            Some(CellKind::Number)
        }
        DataRef::Float(number) => render::write_number(out, *number).then_some(CellKind::Number),
        DataRef::Bool(value) => {
            out.push_str(if *value { "true" } else { "false" });
            Some(CellKind::Boolean)
        }
        DataRef::DateTime(value) => {
            let value: &ExcelDateTime = value;
            if render::write_date_time(out, value, is_1904) {
                Some(CellKind::Date)
            } else {
                (!out.is_empty()).then_some(CellKind::Number)
            }
        }
        DataRef::DateTimeIso(text) => {
            render::write_iso_date_time(out, text);
            Some(CellKind::Date)
        }
        DataRef::DurationIso(text) => {
            render::write_iso_duration(out, text);
            Some(CellKind::Date)
        }
        DataRef::Error(_) => Some(CellKind::Error),
        DataRef::Empty | DataRef::String(_) | DataRef::SharedString(_) => None,
    }
}
