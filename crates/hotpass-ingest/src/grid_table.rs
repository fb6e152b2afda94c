//! From a region of a grid to a table: names, content and batches.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, StringBuilder, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use hotpass_core::Diagnostic;

use crate::IngestError;
use crate::content::infer_content;
use crate::detect::Region;
use crate::grid::{CellKind, Grid};
use crate::header::{HeaderRepair, repair_headers_from};
use crate::options::ReadOptions;
use crate::table::{CellKinds, LateDiagnostics, OpenTable, ROW_COLUMN, SourceColumn, TableId, TableSchema};

/// Returns the schema of a table's batches.
pub(crate) fn batch_schema<'a>(names: impl Iterator<Item = &'a str>) -> SchemaRef {
    let row = Field::new(ROW_COLUMN, DataType::UInt32, false);
    let fields: Vec<Field> =
        std::iter::once(row).chain(names.map(|name| Field::new(name, DataType::Utf8, true))).collect();
    Arc::new(Schema::new(fields))
}

/// Makes the columns of a table from raw headers, counts of kinds and a sample of the values of each.
pub(crate) fn source_columns(
    id: &TableId,
    header_row: Option<u32>,
    headers: &[(u32, Option<String>)],
    kinds: &[CellKinds],
    samples: &[StringArray],
) -> (Vec<SourceColumn>, Vec<Diagnostic>) {
    let raw: Vec<Option<&str>> = headers.iter().map(|(_, text)| text.as_deref()).collect();
    let first = headers.first().map_or(0, |(index, _)| *index);
    let mut diagnostics = Vec::new();
    let columns = headers
        .iter()
        .zip(repair_headers_from(&raw, first))
        .zip(kinds.iter().zip(samples))
        .map(|(((index, _), header), (kinds, sample))| {
            if let Some(row) = header_row {
                let repairs = header.repairs.iter().filter(|repair| !matches!(repair, HeaderRepair::WhiteSpace));
                diagnostics.extend(repairs.map(|repair| {
                    Diagnostic::info(
                        "ingest.header.repaired",
                        format!("The column got another name than its header: {repair}"),
                    )
                    .at(id.location().row(row).column(*index))
                }));
            }
            SourceColumn {
                content: infer_content(sample, kinds, &header.name),
                name: header.name,
                raw_header: header.raw,
                index: *index,
                cell_kinds: *kinds,
            }
        })
        .collect();
    (columns, diagnostics)
}

/// Makes a table of a region; rows are read from the grid as they are asked for.
pub(crate) fn open_region(id: TableId, grid: &Arc<Grid>, mut region: Region, options: &ReadOptions) -> OpenTable {
    trim_empty_columns(grid, &mut region);
    let width = region.columns.len();
    let mut kinds = vec![CellKinds::default(); width];
    let mut samples: Vec<StringBuilder> = (0..width).map(|_| StringBuilder::new()).collect();
    let mut rows = 0;
    let mut reader = RegionReader::new(Arc::clone(grid), &region, options);
    while let Some(index) = reader.next_row() {
        let mut has_value = false;
        for cell in grid.row_cells(index) {
            let Ok(column) = reader.columns.binary_search(&cell.column) else { continue };
            let kinds = &mut kinds[column];
            match cell.kind {
                CellKind::Text => kinds.text += 1,
                CellKind::Number => kinds.number += 1,
                CellKind::Date => kinds.date += 1,
                CellKind::Boolean => kinds.boolean += 1,
                CellKind::Error => kinds.error += 1,
                CellKind::Formula => kinds.formula_without_value += 1,
            }
            if cell.kind.has_value() && !options.is_null(grid.text(cell)) {
                has_value = true;
                if arrow::array::ArrayBuilder::len(&samples[column]) < options.sample_rows {
                    samples[column].append_value(grid.text(cell));
                }
            }
        }
        rows += u64::from(has_value);
    }
    let samples: Vec<StringArray> = samples.iter_mut().map(StringBuilder::finish).collect();
    let (columns, mut findings) =
        source_columns(&id, region.header_rows.last().copied(), &region.columns, &kinds, &samples);
    let mut diagnostics = std::mem::take(&mut region.diagnostics);
    diagnostics.append(&mut findings);
    let without_value: u64 = kinds.iter().map(|kinds| kinds.formula_without_value).sum();
    if without_value > 0 {
        diagnostics.push(
            Diagnostic::warning(
                "ingest.cells.formula_without_value",
                format!("Formulas without a stored value are read as no value: {without_value}"),
            )
            .at(id.location())
            .hint("Open the workbook in a spreadsheet program and save it, so that the values are stored"),
        );
    }
    let errors: u64 = kinds.iter().map(|kinds| kinds.error).sum();
    if errors > 0 {
        diagnostics.push(
            Diagnostic::warning(
                "ingest.cells.error",
                format!("Error cells such as `#N/A` are read as no value: {errors}"),
            )
            .at(id.location()),
        );
    }
    let batches = RegionReader::with_schema(
        Arc::clone(grid),
        &region,
        options,
        batch_schema(columns.iter().map(|column| column.name.as_str())),
    );
    OpenTable {
        schema: TableSchema { id, header_row: region.header_rows.last().copied(), columns, rows: Some(rows) },
        diagnostics,
        late_diagnostics: LateDiagnostics::default(),
        batches: Box::new(batches),
    }
}

/// Leaves out columns at the end that have neither header nor values.
fn trim_empty_columns(grid: &Grid, region: &mut Region) {
    while let Some((column, None)) = region.columns.last() {
        let column = *column;
        let used = (region.first_body..grid.row_count())
            .any(|index| !region.left_out.contains(&grid.row_number(index)) && grid.value(index, column).is_some());
        if used || region.columns.len() == 1 {
            return;
        }
        region.columns.pop();
    }
}

/// Reads the rows of a region in batches.
struct RegionReader {
    grid: Arc<Grid>,
    columns: Vec<u32>,
    left_out: std::collections::HashSet<u32>,
    next: usize,
    batch_rows: usize,
    options: ReadOptions,
    schema: SchemaRef,
}

impl RegionReader {
    fn new(grid: Arc<Grid>, region: &Region, options: &ReadOptions) -> Self {
        Self::with_schema(grid, region, options, Arc::new(Schema::empty()))
    }

    fn with_schema(grid: Arc<Grid>, region: &Region, options: &ReadOptions, schema: SchemaRef) -> Self {
        Self {
            grid,
            columns: region.columns.iter().map(|(column, _)| *column).collect(),
            left_out: region.left_out.clone(),
            next: region.first_body,
            batch_rows: batch_rows(options, region.columns.len()),
            options: options.clone(),
            schema,
        }
    }

    fn next_row(&mut self) -> Option<usize> {
        while self.next < self.grid.row_count() {
            let index = self.next;
            self.next += 1;
            if self.left_out.is_empty() || !self.left_out.contains(&self.grid.row_number(index)) {
                return Some(index);
            }
        }
        None
    }
}

impl Iterator for RegionReader {
    type Item = Result<RecordBatch, IngestError>;

    fn next(&mut self) -> Option<Self::Item> {
        let capacity = self.batch_rows.min(self.grid.row_count() - self.next.min(self.grid.row_count()));
        let mut numbers: Vec<u32> = Vec::with_capacity(capacity);
        let mut builders: Vec<StringBuilder> =
            self.columns.iter().map(|_| StringBuilder::with_capacity(capacity, capacity * 8)).collect();
        while numbers.len() < self.batch_rows {
            let Some(index) = self.next_row() else { break };
            let grid = &self.grid;
            let cells = grid.row_cells(index);
            let usable = |cell: &crate::grid::Cell| cell.kind.has_value() && !self.options.is_null(grid.text(cell));
            if !cells.iter().any(|cell| usable(cell) && self.columns.binary_search(&cell.column).is_ok()) {
                continue;
            }
            numbers.push(grid.row_number(index));
            // Cells and columns are both in order: one walk over the two.
            let mut position = 0;
            for (column, builder) in self.columns.iter().zip(&mut builders) {
                while position < cells.len() && cells[position].column < *column {
                    position += 1;
                }
                match cells.get(position) {
                    Some(cell) if cell.column == *column && usable(cell) => builder.append_value(grid.text(cell)),
                    _ => builder.append_null(),
                }
            }
        }
        if numbers.is_empty() {
            return None;
        }
        let arrays: Vec<ArrayRef> = std::iter::once(Arc::new(UInt32Array::from(numbers)) as ArrayRef)
            .chain(builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef))
            .collect();
        Some(make_batch(&self.schema, arrays))
    }
}

/// Makes a batch of columns that belong to a schema made by [`batch_schema`].
pub(crate) fn make_batch(schema: &SchemaRef, arrays: Vec<ArrayRef>) -> Result<RecordBatch, IngestError> {
    RecordBatch::try_new(Arc::clone(schema), arrays).map_err(|error| {
        IngestError::Refused(Box::new(Diagnostic::error(
            "ingest.internal",
            format!("Columns do not fit the schema of their table, which is a bug in Hotpass: {error}"),
        )))
    })
}

/// Rows of a batch: fewer for wide tables, so that empty cells do not fill the memory.
pub(crate) fn batch_rows(options: &ReadOptions, columns: usize) -> usize {
    const CELLS: usize = 4 << 20;
    options.batch_rows.clamp(1, (CELLS / columns.max(1)).max(64))
}
