//! Workbooks: the sheets Data, Summary, Conflicts and Quarantine, with real types and no live formula.

use std::path::Path;

use arrow::record_batch::RecordBatch;
use hotpass_core::Clock;
use rust_xlsxwriter::{Color, DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::columns::{Column, date_text, timestamp_text};
use super::{PublishError, PublishInput, WrittenFile, count_rows, create, finish};
use crate::statistics::RunStatistics;

/// Rows a sheet holds below its header: the format's 1,048,576 rows less one.
const SHEET_ROWS: usize = 1_048_575;
/// UTF-16 units a cell holds.
const CELL_UNITS: usize = 32_767;
/// Cells from which a sheet is streamed to a temporary file instead of being held in memory.
const STREAMED_CELLS: u64 = 2_000_000;
/// Rows that decide the widths of columns.
const WIDTH_ROWS: usize = 1000;
/// Serial of 1970-01-01 in the 1900 date system.
const EPOCH_SERIAL: f64 = 25_569.0;
/// Serial of 1900-03-01: earlier serials are a day off, because the format takes 1900 for a leap year.
const FIRST_SERIAL: f64 = 61.0;
/// Serial of 9999-12-31, the last date of the format.
const LAST_SERIAL: f64 = 2_958_465.999;
/// Largest whole number that a cell, which is a 64-bit floating-point number, holds exactly: 2^53.
const EXACT_WHOLE: u64 = 1 << 53;

/// Writes the workbook.
pub(super) fn write_xlsx(path: &Path, input: &PublishInput<'_>) -> Result<WrittenFile, PublishError> {
    write_with_limit(path, input, SHEET_ROWS)
}

fn write_with_limit(path: &Path, input: &PublishInput<'_>, sheet_rows: usize) -> Result<WrittenFile, PublishError> {
    let file = create(path)?;
    let mut workbook = Workbook::new();
    let mut build = || -> Result<(), XlsxError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            workbook.set_tempdir(folder)?;
        }
        workbook.set_properties(&doc_properties(input)?);
        let formats = Formats::new();
        let mut cut = Cut::default();
        let mut tables = Tables { workbook: &mut workbook, formats: &formats, sheet_rows };
        tables.write("Data", input.golden, &mut cut)?;
        let mut other = Cut::default();
        let summary = tables.workbook.worksheets().len();
        tables.workbook.add_worksheet().set_name("Summary")?;
        tables.write("Conflicts", input.conflicts, &mut other)?;
        tables.write("Quarantine", input.quarantine, &mut other)?;
        cut.cells += other.cells;
        let sheet = workbook.worksheet_from_index(summary)?;
        write_summary(sheet, input, &cut, &formats)
    };
    build().map_err(|error| PublishError::xlsx(path, error))?;
    let mut file = file;
    workbook.save_to_writer(&mut file).map_err(|error| PublishError::xlsx(path, error))?;
    finish(file, path, Some(count_rows(input.golden)))
}

/// Writes a table as the sheet Data, on further sheets where one is full; `batches` holds at least one batch.
pub(super) fn write_table(path: &Path, batches: &[RecordBatch], clock: Clock) -> Result<(), PublishError> {
    let mut file = create(path)?;
    let mut workbook = Workbook::new();
    let mut build = || -> Result<(), XlsxError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            workbook.set_tempdir(folder)?;
        }
        let created = ExcelDateTime::from_timestamp(clock.now_milliseconds() / 1000)?;
        workbook.set_properties(&DocProperties::new().set_author("Hotpass").set_creation_datetime(&created));
        let formats = Formats::new();
        let mut tables = Tables { workbook: &mut workbook, formats: &formats, sheet_rows: SHEET_ROWS };
        tables.write("Data", batches, &mut Cut::default())
    };
    build().map_err(|error| PublishError::xlsx(path, error))?;
    workbook.save_to_writer(&mut file).map_err(|error| PublishError::xlsx(path, error))?;
    file.commit().map_err(|source| PublishError::write(path, source))
}

fn doc_properties(input: &PublishInput<'_>) -> Result<DocProperties, XlsxError> {
    // A workbook made twice in a second with the same clock must be equal, so the moment is cut to seconds.
    let created = ExcelDateTime::from_timestamp(input.clock.now_milliseconds() / 1000)?;
    Ok(DocProperties::new()
        .set_title(input.title)
        .set_author("Hotpass")
        .set_comment(format!("Run {}", input.run_id))
        .set_creation_datetime(&created)
        .set_custom_property("hotpass.run_id", input.run_id)
        .set_custom_property("hotpass.config_digest", input.config_digest))
}

/// Cells whose text was cut.
#[derive(Debug, Default)]
struct Cut {
    cells: u64,
}

/// The formats of a body cell, without and with the stripe.
struct Striped([Format; 2]);

impl Striped {
    fn new(make: impl Fn(Format) -> Format) -> Self {
        let body = Format::new().set_font_name("Calibri").set_font_size(11.0);
        Self([make(body.clone()), make(body.set_background_color(Color::RGB(0x00F0_F0F0)))])
    }

    fn of(&self, row: u32) -> &Format {
        &self.0[usize::from(row % 2 == 1)]
    }
}

struct Formats {
    header: Format,
    label: Format,
    body: Striped,
    text: Striped,
    date: Striped,
    timestamp: Striped,
    decimal: Striped,
    percent: Format,
    quality: [Format; 4],
}

impl Formats {
    fn new() -> Self {
        let quality = |color: u32| {
            Format::new()
                .set_font_name("Calibri")
                .set_font_size(11.0)
                .set_num_format("0.00")
                .set_background_color(Color::RGB(color))
        };
        Self {
            header: Format::new()
                .set_font_name("Calibri")
                .set_font_size(12.0)
                .set_bold()
                .set_font_color(Color::White)
                .set_background_color(Color::RGB(0x0036_6092)),
            label: Format::new().set_font_name("Calibri").set_font_size(11.0).set_bold(),
            body: Striped::new(|format| format),
            text: Striped::new(Format::set_quote_prefix),
            date: Striped::new(|format| format.set_num_format("yyyy-mm-dd")),
            timestamp: Striped::new(|format| format.set_num_format("yyyy-mm-dd hh:mm:ss")),
            decimal: Striped::new(|format| format.set_num_format("0.00")),
            percent: Format::new().set_font_name("Calibri").set_font_size(11.0).set_num_format("0.0%"),
            quality: [quality(0x00C6_EFCE), quality(0x00FF_EB9C), quality(0x00FF_C7CE), quality(0x00FF_0000)],
        }
    }

    fn quality(&self, score: f64) -> &Format {
        &self.quality[if score >= 0.8 {
            0
        } else if score >= 0.6 {
            1
        } else if score >= 0.4 {
            2
        } else {
            3
        }]
    }
}

/// Writes tables as sheets; what does not fit goes on in `NAME 2`, `NAME 3` and so on.
struct Tables<'a> {
    workbook: &'a mut Workbook,
    formats: &'a Formats,
    sheet_rows: usize,
}

impl Tables<'_> {
    fn write(&mut self, name: &str, batches: &[RecordBatch], cut: &mut Cut) -> Result<(), XlsxError> {
        let Some(first) = batches.first() else { return Ok(()) };
        let schema = first.schema();
        let streamed = count_rows(batches) * schema.fields().len() as u64 > STREAMED_CELLS;
        let widths = widths(batches)?;
        let mut sheets = 0;
        let mut batches = batches.iter().flat_map(|batch| {
            let step = self.sheet_rows.min(65_536);
            (0..batch.num_rows()).step_by(step).map(move |start| batch.slice(start, step.min(batch.num_rows() - start)))
        });
        let mut pending = batches.next();
        loop {
            sheets += 1;
            let sheet_name = if sheets == 1 { name.to_owned() } else { format!("{name} {sheets}") };
            let sheet = if streamed {
                self.workbook.add_worksheet_with_constant_memory()?
            } else {
                self.workbook.add_worksheet()
            };
            sheet.set_name(sheet_name)?.set_freeze_panes(1, 0)?;
            for (column, (field, width)) in schema.fields().iter().zip(&widths).enumerate() {
                sheet.set_column_width(column as u16, *width)?;
                sheet.write_string_with_format(0, column as u16, field.name(), &self.formats.header)?;
            }
            let mut rows = 0;
            while let Some(batch) = pending.take() {
                let room = self.sheet_rows - rows;
                let length = room.min(batch.num_rows());
                write_rows(sheet, rows as u32 + 1, &batch.slice(0, length), self.formats, cut)?;
                rows += length;
                if length < batch.num_rows() {
                    pending = Some(batch.slice(length, batch.num_rows() - length));
                    break;
                }
                pending = batches.next();
                if rows == self.sheet_rows {
                    break;
                }
            }
            if !schema.fields().is_empty() {
                sheet.autofilter(0, 0, rows as u32, schema.fields().len() as u16 - 1)?;
            }
            if pending.is_none() {
                return Ok(());
            }
        }
    }
}

fn write_rows(
    sheet: &mut Worksheet,
    first_row: u32,
    batch: &RecordBatch,
    formats: &Formats,
    cut: &mut Cut,
) -> Result<(), XlsxError> {
    let columns = Column::all(batch).map_err(|error| XlsxError::CustomError(error.to_string()))?;
    let schema = batch.schema();
    let quality: Vec<bool> = schema.fields().iter().map(|field| field.name() == "data_quality_score").collect();
    for index in 0..batch.num_rows() {
        let row = first_row + index as u32;
        for (position, column) in columns.iter().enumerate() {
            let at = position as u16;
            if column.is_null(index) {
                sheet.write_blank(row, at, formats.body.of(row))?;
                continue;
            }
            match column {
                Column::Text(array) => write_text(sheet, row, at, array.value(index), formats, cut)?,
                Column::UInt32(array) => {
                    sheet.write_number_with_format(row, at, f64::from(array.value(index)), formats.body.of(row))?;
                }
                Column::Int64(array) if array.value(index).unsigned_abs() <= EXACT_WHOLE => {
                    sheet.write_number_with_format(row, at, array.value(index) as f64, formats.body.of(row))?;
                }
                Column::Int64(array) => write_text(sheet, row, at, &array.value(index).to_string(), formats, cut)?,
                Column::Float64(array) => {
                    let number = array.value(index);
                    let format = if quality[position] { formats.quality(number) } else { formats.decimal.of(row) };
                    sheet.write_number_with_format(row, at, number, format)?;
                }
                Column::Boolean(array) => {
                    sheet.write_boolean_with_format(row, at, array.value(index), formats.body.of(row))?;
                }
                Column::Date(array) => {
                    let days = array.value(index);
                    let serial = f64::from(days) + EPOCH_SERIAL;
                    if (FIRST_SERIAL..=LAST_SERIAL).contains(&serial) {
                        sheet.write_number_with_format(row, at, serial, formats.date.of(row))?;
                    } else {
                        write_text(sheet, row, at, &date_text(days), formats, cut)?;
                    }
                }
                Column::Timestamp(array) => {
                    let milliseconds = array.value(index);
                    let serial = milliseconds as f64 / 86_400_000.0 + EPOCH_SERIAL;
                    if (FIRST_SERIAL..=LAST_SERIAL).contains(&serial) {
                        sheet.write_number_with_format(row, at, serial, formats.timestamp.of(row))?;
                    } else {
                        write_text(sheet, row, at, &timestamp_text(milliseconds), formats, cut)?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Writes text as text, never as formula or link; text that looks like a formula stays text when a person edits the cell.
fn write_text(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    text: &str,
    formats: &Formats,
    cut: &mut Cut,
) -> Result<(), XlsxError> {
    let format = if matches!(text.as_bytes().first(), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\'')) {
        formats.text.of(row)
    } else {
        formats.body.of(row)
    };
    let fitting = fitting(text);
    cut.cells += u64::from(fitting.len() < text.len());
    if fitting.is_empty() {
        sheet.write_blank(row, column, format)?;
    } else {
        sheet.write_string_with_format(row, column, fitting, format)?;
    }
    Ok(())
}

/// Returns the beginning of the text that fits into a cell.
fn fitting(text: &str) -> &str {
    if text.len() <= CELL_UNITS {
        return text;
    }
    let mut units = 0;
    for (position, c) in text.char_indices() {
        units += c.len_utf16();
        if units > CELL_UNITS {
            return &text[..position];
        }
    }
    text
}

/// Returns the widths of the columns, in characters: those of header and first rows, within 15 and 50.
fn widths(batches: &[RecordBatch]) -> Result<Vec<f64>, XlsxError> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let sample = first.slice(0, first.num_rows().min(WIDTH_ROWS));
    let columns = Column::all(&sample).map_err(|error| XlsxError::CustomError(error.to_string()))?;
    Ok(columns
        .iter()
        .zip(first.schema().fields())
        .map(|(column, field)| {
            let longest = match column {
                Column::Text(array) => array.iter().flatten().map(|text| text.chars().take(50).count()).max(),
                Column::Timestamp(_) => Some(19),
                _ => Some(10),
            };
            // The header is larger and has the filter's button beside it.
            (longest.unwrap_or_default() + 2).max(field.name().len() + 5).clamp(15, 50) as f64
        })
        .collect())
}

fn write_summary(
    sheet: &mut Worksheet,
    input: &PublishInput<'_>,
    cut: &Cut,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let statistics = input.statistics;
    sheet.set_column_width(0, 40)?.set_column_width(1, 25)?.set_column_width(2, 25)?;
    let mut row = 0;
    section(sheet, &mut row, formats, &["Run", ""])?;
    for (label, text) in [
        ("Title", input.title),
        ("Run", input.run_id),
        ("Started", statistics.started_at.as_str()),
        ("Profile", statistics.profile.as_str()),
    ] {
        sheet.write_string_with_format(row, 0, label, &formats.label)?;
        sheet.write_string_with_format(row, 1, fitting(text), &formats.text.0[0])?;
        row += 1;
    }
    row += 1;
    section(sheet, &mut row, formats, &["Rows", "Number"])?;
    for (label, number) in totals(statistics, cut) {
        sheet.write_string_with_format(row, 0, label, &formats.label)?;
        sheet.write_number_with_format(row, 1, number as f64, &formats.body.0[0])?;
        row += 1;
    }
    if cut.cells > 0 {
        let note = "A cell holds 32,767 characters; the parquet file beside this workbook has the whole text";
        sheet.write_string_with_format(row, 0, note, &formats.body.0[0])?;
        row += 1;
    }
    row += 1;
    section(sheet, &mut row, formats, &["Quality score", "Value"])?;
    for (label, score) in
        [("Mean", statistics.quality_mean), ("Lowest", statistics.quality_min), ("Highest", statistics.quality_max)]
    {
        sheet.write_string_with_format(row, 0, label, &formats.label)?;
        if let Some(score) = score.filter(|score| score.is_finite()) {
            sheet.write_number_with_format(row, 1, score, formats.quality(score))?;
        }
        row += 1;
    }
    row += 1;
    section(sheet, &mut row, formats, &["Completeness", "Source rows", "Published rows"])?;
    for (column, share) in &statistics.completeness {
        sheet.write_string_with_format(row, 0, column, &formats.label)?;
        for (at, share) in [(1, share.before), (2, share.after)] {
            if share.is_finite() {
                sheet.write_number_with_format(row, at, share, &formats.percent)?;
            }
        }
        row += 1;
    }
    Ok(())
}

fn section(sheet: &mut Worksheet, row: &mut u32, formats: &Formats, titles: &[&str]) -> Result<(), XlsxError> {
    for (column, title) in titles.iter().enumerate() {
        sheet.write_string_with_format(*row, column as u16, *title, &formats.header)?;
    }
    *row += 1;
    Ok(())
}

fn totals(statistics: &RunStatistics, cut: &Cut) -> Vec<(&'static str, u64)> {
    let conflicts = statistics.conflicts.values().sum();
    let mut totals = vec![
        ("Published records", statistics.entities),
        ("Source rows", statistics.rows_in),
        ("Source rows in records", statistics.rows_in_entities),
        ("Invalid rows in quarantine", statistics.rows_quarantined),
        ("Conflicts between sources", conflicts),
    ];
    if cut.cells > 0 {
        totals.push(("Cells cut to fit", cut.cells));
    }
    totals
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};
    use calamine::{Data, Reader as _, open_workbook};
    use hotpass_core::Clock;

    use super::*;

    fn write(folder: &Path, values: Vec<String>, sheet_rows: usize) -> std::path::PathBuf {
        let column: ArrayRef = Arc::new(StringArray::from(values));
        let batch = RecordBatch::try_from_iter([("organization_name", column)]).unwrap();
        let statistics = RunStatistics::default();
        let path = folder.join("out.xlsx");
        let batches = [batch];
        let input = PublishInput {
            golden: &batches,
            conflicts: &[],
            quarantine: &[],
            statistics: &statistics,
            run_id: "r",
            config_digest: "d",
            clock: Clock::fixed_seconds(1_700_000_000),
            title: "t",
            golden_file: None,
        };
        write_with_limit(&path, &input, sheet_rows).unwrap();
        path
    }

    #[test]
    fn rows_beyond_a_sheet_go_on_in_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), (0..7).map(|number| format!("n{number}")).collect(), 3);
        let mut workbook: calamine::Xlsx<_> = open_workbook(path).unwrap();
        assert_eq!(workbook.sheet_names(), ["Data", "Data 2", "Data 3", "Summary"]);
        let last = workbook.worksheet_range("Data 3").unwrap();
        assert_eq!(last.get_value((0, 0)), Some(&Data::String("organization_name".into())));
        assert_eq!(last.get_value((1, 0)), Some(&Data::String("n6".into())));
        assert_eq!(last.height(), 2);
        assert_eq!(workbook.worksheet_range("Data 2").unwrap().height(), 4);
    }

    #[test]
    fn a_full_last_sheet_is_not_followed_by_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), (0..6).map(|number| format!("n{number}")).collect(), 3);
        let workbook: calamine::Xlsx<_> = open_workbook(path).unwrap();
        assert_eq!(workbook.sheet_names(), ["Data", "Data 2", "Summary"]);
    }

    #[test]
    fn long_text_is_cut_with_a_note() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), vec!["é".repeat(CELL_UNITS + 5)], SHEET_ROWS);
        let mut workbook: calamine::Xlsx<_> = open_workbook(path).unwrap();
        let Some(Data::String(text)) = workbook.worksheet_range("Data").unwrap().get_value((1, 0)).cloned() else {
            panic!("text expected")
        };
        assert_eq!(text.chars().count(), CELL_UNITS);
        let summary = workbook.worksheet_range("Summary").unwrap();
        assert!(summary.rows().any(|row| row[0] == "Cells cut to fit" && row[1] == Data::Float(1.0)));
    }

    #[test]
    fn text_is_cut_between_characters() {
        let text = "😀".repeat(20_000);
        assert_eq!(fitting(&text).encode_utf16().count(), CELL_UNITS - 1);
        assert_eq!(fitting("short"), "short");
    }
}
