//! Cells of a sheet in one arena: only cells that hold something take room, whatever range the sheet declares.

use hotpass_core::column_letters;

/// Type of a cell in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellKind {
    Text,
    Number,
    Date,
    Boolean,
    /// `#N/A` and its like; no value.
    Error,
    /// A formula without a cached value; no value.
    Formula,
}

impl CellKind {
    /// Tells whether a cell of this kind holds a value.
    pub(crate) fn has_value(self) -> bool {
        !matches!(self, Self::Error | Self::Formula)
    }
}

/// A cell: its column, its kind and where its text is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    start: usize,
    length: u32,
    /// Counted from 0.
    pub(crate) column: u32,
    pub(crate) kind: CellKind,
}

#[derive(Debug, Clone, Copy)]
struct GridRow {
    number: u32,
    first_cell: usize,
}

/// The cells of a sheet that hold something, by row and column.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    text: String,
    cells: Vec<Cell>,
    rows: Vec<GridRow>,
    unsorted: bool,
}

/// A merged range; rows from 1, columns from 0, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Merge {
    pub(crate) first_row: u32,
    pub(crate) last_row: u32,
    pub(crate) first_column: u32,
    pub(crate) last_column: u32,
}

impl Merge {
    pub(crate) fn width(&self) -> u32 {
        self.last_column.saturating_sub(self.first_column) + 1
    }

    pub(crate) fn covers_row(&self, row: u32) -> bool {
        (self.first_row..=self.last_row).contains(&row)
    }

    pub(crate) fn covers_column(&self, column: u32) -> bool {
        (self.first_column..=self.last_column).contains(&column)
    }
}

impl Grid {
    /// Adds a cell whose text is written by `write`, which returns its kind, or nothing when the cell is empty after all.
    ///
    /// Rows are counted from 1, columns from 0.
    pub(crate) fn push_with(&mut self, row: u32, column: u32, write: impl FnOnce(&mut String) -> Option<CellKind>) {
        let start = self.text.len();
        let Some(kind) = write(&mut self.text) else {
            self.text.truncate(start);
            return;
        };
        if !kind.has_value() {
            self.text.truncate(start);
        }
        match self.rows.last() {
            Some(last) if last.number == row => {
                if self.cells.last().is_some_and(|cell| cell.column >= column) {
                    self.unsorted = true;
                }
            }
            last => {
                if last.is_some_and(|last| last.number > row) {
                    self.unsorted = true;
                }
                self.rows.push(GridRow { number: row, first_cell: self.cells.len() });
            }
        }
        // A cell longer than 4 GiB cannot pass the size limits that are checked before.
        let length = u32::try_from(self.text.len() - start).unwrap_or(u32::MAX);
        self.cells.push(Cell { start, length, column, kind });
    }

    /// Adds a cell of text.
    pub(crate) fn push(&mut self, row: u32, column: u32, kind: CellKind, text: &str) {
        self.push_with(row, column, |out| {
            out.push_str(text);
            Some(kind)
        });
    }

    /// Puts cells into reading order when the file did not; of two cells in one place the later one stays.
    pub(crate) fn finish(&mut self) {
        if !self.unsorted {
            return;
        }
        let mut placed: Vec<(u32, Cell)> = Vec::with_capacity(self.cells.len());
        for index in 0..self.rows.len() {
            let number = self.rows[index].number;
            placed.extend(self.row_cells(index).iter().map(|&cell| (number, cell)));
        }
        placed.sort_by_key(|(row, cell)| (*row, cell.column));
        placed.reverse();
        placed.dedup_by_key(|(row, cell)| (*row, cell.column));
        placed.reverse();
        self.cells.clear();
        self.rows.clear();
        for (row, cell) in placed {
            if self.rows.last().is_none_or(|last| last.number != row) {
                self.rows.push(GridRow { number: row, first_cell: self.cells.len() });
            }
            self.cells.push(cell);
        }
        self.unsorted = false;
    }

    /// Memory held, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        (self.text.capacity() + self.cells.capacity() * size_of::<Cell>() + self.rows.capacity() * size_of::<GridRow>())
            as u64
    }

    /// How many rows hold cells.
    pub(crate) fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// Number, from 1, of the row at an index.
    pub(crate) fn row_number(&self, index: usize) -> u32 {
        self.rows[index].number
    }

    /// Cells of the row at an index, by column.
    pub(crate) fn row_cells(&self, index: usize) -> &[Cell] {
        let end = self.rows.get(index + 1).map_or(self.cells.len(), |next| next.first_cell);
        &self.cells[self.rows[index].first_cell..end]
    }

    /// Text of a cell; empty for cells without value.
    pub(crate) fn text(&self, cell: &Cell) -> &str {
        &self.text[cell.start..cell.start + cell.length as usize]
    }

    /// Text of the cell at a row index and a column, when it has a value.
    pub(crate) fn value(&self, index: usize, column: u32) -> Option<&str> {
        let cells = self.row_cells(index);
        let found = cells.binary_search_by_key(&column, |cell| cell.column).ok()?;
        cells[found].kind.has_value().then(|| self.text(&cells[found]))
    }
}

/// Names a range of columns for people: `A–C`.
pub(crate) fn column_span(first: u32, last: u32) -> String {
    if first == last { column_letters(first) } else { format!("{}–{}", column_letters(first), column_letters(last)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_out_of_order_are_sorted_and_the_later_one_stays() {
        let mut grid = Grid::default();
        grid.push(2, 1, CellKind::Text, "b2");
        grid.push(1, 0, CellKind::Text, "a1");
        grid.push(2, 0, CellKind::Text, "a2");
        grid.push(1, 0, CellKind::Text, "again");
        grid.push(3, 0, CellKind::Formula, "ignored");
        grid.finish();
        assert_eq!(grid.row_count(), 3);
        assert_eq!(grid.value(0, 0), Some("again"));
        assert_eq!((grid.value(1, 0), grid.value(1, 1)), (Some("a2"), Some("b2")));
        assert_eq!(grid.value(2, 0), None);
        assert_eq!(grid.row_cells(2).len(), 1);
    }
}
