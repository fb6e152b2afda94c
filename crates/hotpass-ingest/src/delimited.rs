//! Delimited text: csv, tsv, psv and the like, streamed into batches.

use std::io::{self, Cursor};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, StringBuilder, UInt32Array};
use arrow::datatypes::SchemaRef;
use encoding_rs::UTF_8;
use hotpass_core::{Diagnostic, Location};

use crate::IngestError;
use crate::detect::{HeaderHints, Layout, detect};
use crate::dialect::{Dialect, sniff_dialect};
use crate::encoding::{FoundEncoding, Utf8Stream, find_encoding};
use crate::format::{self, Compression};
use crate::grid::{CellKind, Grid};
use crate::grid_table::{batch_rows, batch_schema, make_batch, source_columns};
use crate::open::{Opened, Skipped};
use crate::options::{ReadOptions, is_blank};
use crate::records::{Record, Records};
use crate::source::SourceFile;
use crate::table::{CellKinds, LateDiagnostics, OpenTable, TableId, TableSchema};

/// Bytes of the sample, before decoding.
const SAMPLE_BYTES: usize = 4 << 20;
/// Most columns of a text file, as many as a sheet can have.
const COLUMNS_LIMIT: usize = 16_384;

/// Opens a delimited text file.
pub(crate) fn open_delimited(file: &SourceFile, options: &ReadOptions) -> Result<Opened, IngestError> {
    let id = TableId { file: Arc::clone(&file.name), sheet: None, table: 0 };
    let location = id.location();
    let read_failed = |source: io::Error| IngestError::Read { file: file.name.to_string(), source };
    let mut source = format::open_text(&file.path, file.compression).map_err(read_failed)?;
    let head = format::read_head(&mut source, SAMPLE_BYTES).map_err(read_failed)?;
    let is_whole = head.len() < SAMPLE_BYTES;
    drop(source);

    let mut opened = Opened::default();
    let found = find_encoding(&head, is_whole);
    let dialect = sniff_dialect(&decode(&head, found).map_err(read_failed)?, format::ending(&file.path).as_deref());
    describe(&mut opened.diagnostics, &location, found, dialect, &head);
    let is_decoded = found.encoding != UTF_8;
    let packed = (file.compression != Compression::None).then_some(file.bytes);
    let stream = Utf8Stream::new(Box::new(Cursor::new(head)), found);
    let sample = Sample::read(Records::new(stream, is_decoded, dialect, None), dialect, is_whole, options)
        .map_err(read_failed)?;
    if sample.width > COLUMNS_LIMIT {
        return Err(IngestError::Refused(Box::new(
            Diagnostic::error(
                "ingest.file.columns",
                format!("A line has {} fields, more than {COLUMNS_LIMIT} columns", sample.width),
            )
            .at(location)
            .hint("Check that the file is delimited text"),
        )));
    }

    let hints = HeaderHints::new(&options.header_hints);
    let mut detection = detect(&sample.grid, &[], &hints, Layout::Text, &location);
    for reason in detection.skipped.drain(..) {
        opened.skipped.push(Skipped { id: id.clone(), reason });
    }
    let Some(region) = detection.tables.pop() else { return Ok(opened) };
    let header_row = region.header_rows.last().copied();
    let mut headers: Vec<(u32, Option<String>)> = (0..sample.width as u32).map(|column| (column, None)).collect();
    for (column, text) in &region.columns {
        headers[*column as usize].1.clone_from(text);
    }
    let header_width = headers.iter().rposition(|(_, text)| text.is_some()).map_or(headers.len(), |last| last + 1);
    if is_whole {
        // Columns at the end that hold nothing are left out when nothing more can come.
        let used = region.columns.iter().map(|(column, _)| *column as usize + 1).max().unwrap_or(1);
        headers.truncate(used.max(header_width));
    }
    let (values, kinds) = sample.columns(headers.len(), &region, options);
    let (mut columns, findings) = source_columns(&id, header_row, &headers, &kinds, &values);
    for (extra, column) in columns.iter_mut().skip(header_width).enumerate() {
        column.name = format!("__extra{}", extra + 1);
    }
    let mut diagnostics = region.diagnostics;
    diagnostics.extend(findings);

    let source = format::open_text(&file.path, file.compression).map_err(read_failed)?;
    let late = LateDiagnostics::default();
    let first_record = region.header_rows.last().map_or_else(
        || if region.first_body < sample.grid.row_count() { sample.grid.row_number(region.first_body) } else { 1 },
        |row| row + 1,
    );
    let schema = batch_schema(columns.iter().map(|column| column.name.as_str()));
    let batches = DelimitedBatches {
        file: Arc::clone(&file.name),
        location,
        records: Records::new(Utf8Stream::new(source, found), is_decoded, dialect, packed),
        schema,
        width: columns.len(),
        expected: header_width.min(columns.len()),
        first_line: first_record,
        header: header_row
            .map(|_| headers.iter().take(header_width).map(|(_, text)| text.clone().unwrap_or_default()).collect()),
        batch_rows: batch_rows(options, columns.len()),
        options: options.clone(),
        late: late.clone(),
        findings: Findings::default(),
        bytes_per_batch: 0,
        done: false,
    };
    let rows = sample.is_whole.then(|| {
        (0..sample.grid.row_count())
            .filter(|&index| {
                sample.grid.row_number(index) >= first_record
                    && !region.left_out.contains(&sample.grid.row_number(index))
            })
            .count() as u64
    });
    opened.tables.push(OpenTable {
        schema: TableSchema { id, header_row, columns, rows },
        diagnostics,
        late_diagnostics: late,
        batches: Box::new(batches),
    });
    Ok(opened)
}

fn decode(head: &[u8], found: FoundEncoding) -> io::Result<Vec<u8>> {
    let mut stream = Utf8Stream::new(Box::new(Cursor::new(head.to_vec())), found);
    let mut text = Vec::new();
    while text.len() < 1 << 18 && stream.fill(&mut text)? {}
    Ok(text)
}

fn describe(
    diagnostics: &mut Vec<Diagnostic>,
    location: &Location,
    found: FoundEncoding,
    dialect: Dialect,
    head: &[u8],
) {
    let mut info = |code: &str, message: String| diagnostics.push(Diagnostic::info(code, message).at(location.clone()));
    if found.encoding != UTF_8 {
        info("ingest.text.encoding", format!("The text is read as {}", found.encoding.name()));
    }
    if dialect.delimiter != b',' {
        info(
            "ingest.text.separator",
            format!("Fields are separated by `{}`", char::from(dialect.delimiter).escape_default()),
        );
    }
    if dialect.quote == Some(b'\'') {
        info("ingest.text.quote", "Fields are quoted by `'`".to_owned());
    }
    if found.encoding == UTF_8 && memchr::memchr(0, head).is_some() {
        diagnostics.push(
            Diagnostic::warning("ingest.text.nul", "The text has NUL characters, which are kept").at(location.clone()),
        );
    }
}

/// The first records of a file.
struct Sample {
    grid: Grid,
    width: usize,
    is_whole: bool,
}

impl Sample {
    fn read(mut records: Records, dialect: Dialect, is_whole: bool, options: &ReadOptions) -> io::Result<Self> {
        let mut grid = Grid::default();
        let mut width = 0;
        let mut count = 0;
        let mut ended = false;
        // Of a sample that is cut off, the last record is not to be trusted: it is read one step behind.
        let mut pending: Option<(u32, Vec<String>)> = None;
        let mut keep = |line: u32, fields: &mut dyn Iterator<Item = &str>| {
            for (column, text) in fields.enumerate() {
                if !options.is_null(text) {
                    grid.push(line, column as u32, CellKind::Text, text);
                }
                width = width.max(column + 1);
            }
        };
        while count < options.sample_rows.max(2) {
            let Some(record) = records.next()? else {
                ended = true;
                break;
            };
            count += 1;
            if dialect.named_delimiter && count == 1 {
                continue;
            }
            if is_whole {
                keep(record.line, &mut record.fields());
            } else {
                if let Some((line, fields)) = pending.take() {
                    keep(line, &mut fields.iter().map(String::as_str));
                }
                pending = Some((record.line, record.fields().map(str::to_owned).collect()));
            }
        }
        Ok(Self { grid, width, is_whole: is_whole && ended })
    }

    /// Values of each column below the header, and how many there are.
    fn columns(
        &self,
        width: usize,
        region: &crate::detect::Region,
        options: &ReadOptions,
    ) -> (Vec<StringArray>, Vec<CellKinds>) {
        let mut builders: Vec<StringBuilder> = (0..width).map(|_| StringBuilder::new()).collect();
        let mut kinds = vec![CellKinds::default(); width];
        for index in region.first_body..self.grid.row_count() {
            for cell in self.grid.row_cells(index) {
                let text = self.grid.text(cell);
                if let Some(builder) = builders.get_mut(cell.column as usize)
                    && !options.is_null(text)
                {
                    builder.append_value(text);
                    kinds[cell.column as usize].text += 1;
                }
            }
        }
        (builders.iter_mut().map(StringBuilder::finish).collect(), kinds)
    }
}

/// A count of rows, and the first of them.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    count: u64,
    first: u32,
}

impl Tally {
    fn add(&mut self, line: u32) {
        if self.count == 0 {
            self.first = line;
        }
        self.count += 1;
    }
}

#[derive(Debug, Default)]
struct Findings {
    short: Tally,
    long: Tally,
    joined: Tally,
    replaced: Tally,
    headers: Tally,
}

struct DelimitedBatches {
    file: Arc<str>,
    location: Location,
    records: Records,
    schema: SchemaRef,
    width: usize,
    /// Fields that a record should have.
    expected: usize,
    /// Records that start on lines before this one are no data.
    first_line: u32,
    header: Option<Vec<String>>,
    batch_rows: usize,
    options: ReadOptions,
    late: LateDiagnostics,
    findings: Findings,
    bytes_per_batch: usize,
    done: bool,
}

impl DelimitedBatches {
    fn read_batch(&mut self) -> io::Result<Option<Vec<ArrayRef>>> {
        let mut numbers: Vec<u32> = Vec::with_capacity(self.batch_rows);
        let bytes = if self.bytes_per_batch == 0 { 0 } else { self.bytes_per_batch / self.width.max(1) };
        let mut builders: Vec<StringBuilder> =
            (0..self.width).map(|_| StringBuilder::with_capacity(self.batch_rows, bytes)).collect();
        let mut text_bytes = 0;
        // A batch also ends at 64 MB of text, so that long cells do not gather.
        while numbers.len() < self.batch_rows && text_bytes < 64 << 20 {
            let Some(record) = self.records.next()? else {
                self.done = true;
                break;
            };
            if record.line < self.first_line || record.fields().all(|field| self.options.is_null(field)) {
                continue;
            }
            if self.header.as_ref().is_some_and(|header| is_header(header, &record)) {
                self.findings.headers.add(record.line);
                continue;
            }
            if record.replaced {
                self.findings.replaced.add(record.line);
            }
            let fields = record.len();
            if fields != self.expected {
                count_ragged(&mut self.findings, &record, self.expected);
            }
            numbers.push(record.line);
            let last = self.width - 1;
            for (index, builder) in builders.iter_mut().enumerate() {
                let field = record.field(index);
                if index == last
                    && fields > self.width
                    && (self.width..fields).any(|extra| !is_blank(record.field(extra)))
                {
                    // More fields than any record of the sample had: kept together in the last column.
                    self.findings.joined.add(record.line);
                    let joined = (last..fields).map(|index| record.field(index)).collect::<Vec<_>>().join(",");
                    text_bytes += joined.len();
                    builder.append_value(joined);
                } else if self.options.is_null(field) {
                    builder.append_null();
                } else {
                    text_bytes += field.len();
                    builder.append_value(field);
                }
            }
        }
        self.bytes_per_batch = text_bytes + text_bytes / 8;
        if numbers.is_empty() {
            return Ok(None);
        }
        let rows = Arc::new(UInt32Array::from(numbers)) as ArrayRef;
        Ok(Some(
            std::iter::once(rows)
                .chain(builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef))
                .collect(),
        ))
    }

    fn report(&mut self) {
        let findings = std::mem::take(&mut self.findings);
        let tell = |tally: Tally, code: &str, message: &str, hint: &str| {
            if tally.count > 0 {
                self.late.push(
                    Diagnostic::warning(code, format!("{message}: {}", tally.count))
                        .at(self.location.clone().row(tally.first))
                        .hint(hint),
                );
            }
        };
        let expected = self.expected;
        tell(
            findings.short,
            "ingest.rows.short",
            &format!("Rows with fewer than {expected} fields are filled up with no value"),
            "Check that every line has all separators",
        );
        tell(
            findings.long,
            "ingest.rows.long",
            &format!("Rows with more than {expected} fields have the rest in columns `__extra1` and so on"),
            "Quote fields that hold the separator",
        );
        tell(
            findings.joined,
            "ingest.rows.joined",
            "Rows with more fields than the table has columns have the rest joined in the last column",
            "Quote fields that hold the separator",
        );
        tell(
            findings.replaced,
            "ingest.text.invalid",
            "Rows with bytes that are invalid in the encoding of the file have `\u{fffd}` in their place",
            "Save the file in one encoding, best UTF-8",
        );
        tell(
            findings.headers,
            "ingest.rows.repeated_header",
            "The header is repeated inside the table, rows left out",
            "Nothing needs to be done",
        );
        if let Some((count, line)) = self.records.unclosed() {
            tell(
                Tally { count: u64::from(count), first: line },
                "ingest.text.unclosed_quote",
                "Quotes that are never closed are read as ordinary characters",
                "Close the quote, or double quotes inside quoted fields",
            );
        }
    }
}

fn is_header(header: &[String], record: &Record<'_>) -> bool {
    header.len() > 1
        && record.field(0) == header[0]
        && record.len() == header.len()
        && record.fields().zip(header).all(|(field, header)| field == header)
}

fn count_ragged(findings: &mut Findings, record: &Record<'_>, expected: usize) {
    if record.len() < expected {
        findings.short.add(record.line);
    } else if (expected..record.len()).any(|extra| !is_blank(record.field(extra))) {
        findings.long.add(record.line);
    }
}

impl Iterator for DelimitedBatches {
    type Item = Result<RecordBatch, IngestError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        match self.read_batch() {
            Ok(arrays) => {
                if arrays.is_none() {
                    self.done = true;
                }
                if self.done {
                    self.report();
                }
                arrays.map(|arrays| make_batch(&self.schema, arrays))
            }
            Err(source) => {
                self.done = true;
                self.report();
                Some(Err(IngestError::Read { file: self.file.to_string(), source }))
            }
        }
    }
}
