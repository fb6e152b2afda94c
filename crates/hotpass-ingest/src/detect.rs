//! Which cells of a sheet are a table, and which row is its header.
//!
//! 1. **Blocks.** Columns without any value split the sheet into blocks. Blocks become tables of their own only when they do not read as
//!    one: both have a header, and the headers stand in different rows, share a name, or the blocks fill different rows.
//! 2. **Header.** Each of the first rows of a block gets a score from what headers are like: they fill the columns (weight 2), are labels and not
//!    values such as numbers, dates or addresses (2), do not repeat themselves (0.5), have words that headers are known to have
//!    (2), and differ in kind from the values below them (1.5). Full rows passed over cost 0.6 each, narrow ones (titles, notes) 0.05.
//!    The best row is the header when at least half of it are labels and it does not recur in its own columns.
//! 3. **Second header row.** A header row with merged groups over some of the columns and labels below each is joined with the next row.
//! 4. **Body.** All rows below, but for those that a merged range makes a section title, and repeated headers. Rows of totals stay and are reported.
//!
//! A block is a lookup list, and not read, when its sheet has independent short lists of labels without known header words.

use std::collections::{BTreeMap, HashMap, HashSet};

use hotpass_core::{Diagnostic, Location};

use crate::grid::{CellKind, Grid, Merge, column_span};

/// Rows of a block among which the header is looked for.
const HEADER_CANDIDATES: usize = 30;
/// Rows below a candidate that are compared with it.
const ROWS_COMPARED: usize = 50;
/// A list with more rows than this is not taken for a lookup list.
const LOOKUP_ROWS: usize = 100;

/// What the grid was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A sheet: several tables, merged ranges and lookup lists are possible.
    Sheet,
    /// A text file: one table.
    Text,
}

/// A table found in a grid.
#[derive(Debug, Default)]
pub(crate) struct Region {
    /// Row numbers of the header, from 1; empty when there is none.
    pub(crate) header_rows: Vec<u32>,
    /// Columns of the sheet, in order, with the header text of each.
    pub(crate) columns: Vec<(u32, Option<String>)>,
    /// Index in the grid of the first row of the body.
    pub(crate) first_body: usize,
    /// Row numbers below the header that are not data.
    pub(crate) left_out: HashSet<u32>,
    /// What was decided.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// What a grid turned out to hold.
#[derive(Debug, Default)]
pub(crate) struct Detection {
    pub(crate) tables: Vec<Region>,
    /// Reasons for what is not a table.
    pub(crate) skipped: Vec<String>,
}

/// Words that headers are known to have.
#[derive(Debug, Default)]
pub(crate) struct HeaderHints(HashSet<String>);

impl HeaderHints {
    pub(crate) fn new(words: &[String]) -> Self {
        Self(words.iter().map(|word| header_key(word)).collect())
    }

    fn knows(&self, text: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&header_key(text))
    }
}

/// Compares headers without case and punctuation.
fn header_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for word in text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if !key.is_empty() {
            key.push(' ');
        }
        key.extend(word.chars().flat_map(char::to_lowercase));
    }
    key
}

/// Finds the tables of a grid.
pub(crate) fn detect(
    grid: &Grid,
    merges: &[Merge],
    hints: &HeaderHints,
    layout: Layout,
    location: &Location,
) -> Detection {
    let rows: Vec<usize> =
        (0..grid.row_count()).filter(|&index| grid.row_cells(index).iter().any(|cell| cell.kind.has_value())).collect();
    if rows.is_empty() {
        let reason =
            if grid.row_count() == 0 { "it is empty" } else { "its cells are formulas without values or errors" };
        return Detection { tables: Vec::new(), skipped: vec![reason.to_owned()] };
    }
    let wide_merges =
        merges.iter().filter(|merge| merge.width() > 1).map(|merge| (merge.first_row, merge.first_column)).collect();
    let sheet = Sheet { grid, merges, wide_merges, hints, rows, layout, location };
    let blocks = sheet.blocks();
    if layout == Layout::Sheet
        && let Some(reason) = sheet.lookup_reason(&blocks)
    {
        return Detection { tables: Vec::new(), skipped: vec![reason] };
    }
    let tables = blocks.iter().map(|block| sheet.region(block)).collect();
    Detection { tables, skipped: Vec::new() }
}

/// Columns that hold values, next to each other.
#[derive(Debug, Clone)]
struct Block {
    columns: Vec<u32>,
    /// Indexes of the grid's rows with values in these columns.
    rows: Vec<usize>,
    header: Option<Candidate>,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// Position in [`Block::rows`].
    position: usize,
    score: f64,
}

struct Sheet<'a> {
    grid: &'a Grid,
    merges: &'a [Merge],
    /// Where merged ranges over several columns start: row from 1, column from 0.
    wide_merges: HashSet<(u32, u32)>,
    hints: &'a HeaderHints,
    /// Indexes of the rows with values.
    rows: Vec<usize>,
    layout: Layout,
    location: &'a Location,
}

impl Sheet<'_> {
    /// Splits the sheet at empty columns, where the parts do not read as one table.
    fn blocks(&self) -> Vec<Block> {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for &index in &self.rows {
            let mut values = self.grid.row_cells(index).iter().filter(|cell| cell.kind.has_value());
            // A merged title stands in its first column only by chance.
            if let (Some(only), None) = (values.next(), values.next())
                && self.starts_wide_merge(index, only.column)
            {
                continue;
            }
            for cell in self.grid.row_cells(index).iter().filter(|cell| cell.kind.has_value()) {
                *counts.entry(cell.column).or_default() += 1;
            }
        }
        let whole: Vec<u32> = if counts.is_empty() {
            // Nothing but merged cells: each is a value of its own.
            let all: std::collections::BTreeSet<u32> =
                self.rows.iter().flat_map(|&index| self.grid.row_cells(index)).map(|cell| cell.column).collect();
            all.into_iter().collect()
        } else {
            counts.keys().copied().collect()
        };
        let one = self.block(whole.clone());
        if self.layout == Layout::Text {
            return vec![one];
        }
        let mut groups: Vec<Vec<u32>> = Vec::new();
        for &column in &whole {
            match groups.last_mut() {
                Some(group) if group.last().is_some_and(|last| last + 1 == column) => group.push(column),
                _ => groups.push(vec![column]),
            }
        }
        if groups.len() < 2 || groups.len() > 64 {
            return vec![one];
        }
        let mut blocks: Vec<Block> = Vec::new();
        for group in groups {
            let block = self.block(group);
            match blocks.last_mut() {
                Some(previous) if !self.stand_apart(previous, &block) => {
                    let columns = previous.columns.iter().chain(&block.columns).copied().collect();
                    *previous = self.block(columns);
                }
                _ => blocks.push(block),
            }
        }
        blocks
    }

    fn block(&self, columns: Vec<u32>) -> Block {
        let (first, last) = (columns.first().copied().unwrap_or(0), columns.last().copied().unwrap_or(0));
        let rows: Vec<usize> = self
            .rows
            .iter()
            .copied()
            .filter(|&index| {
                self.grid
                    .row_cells(index)
                    .iter()
                    .any(|cell| (first..=last).contains(&cell.column) && cell.kind.has_value())
            })
            .collect();
        let header = self.find_header(&columns, &rows);
        Block { columns, rows, header }
    }

    fn stand_apart(&self, left: &Block, right: &Block) -> bool {
        // A single column beside an empty one is a note more often than a table.
        if left.columns.len() < 2 || right.columns.len() < 2 {
            return false;
        }
        let (Some(left_header), Some(right_header)) = (left.header, right.header) else { return false };
        if left.rows.len() < 2 || right.rows.len() < 2 {
            return false;
        }
        let (left_row, right_row) = (left.rows[left_header.position], right.rows[right_header.position]);
        if left_row != right_row {
            return true;
        }
        let names = |block: &Block, row: usize| -> HashSet<String> {
            block.columns.iter().filter_map(|&column| self.grid.value(row, column)).map(header_key).collect()
        };
        if !names(left, left_row).is_disjoint(&names(right, right_row)) {
            return true;
        }
        let left_rows: HashSet<usize> = left.rows.iter().copied().collect();
        let both = right.rows.iter().filter(|row| left_rows.contains(row)).count();
        let either = left.rows.len() + right.rows.len() - both;
        (both as f64) < 0.6 * either as f64
    }

    /// Tells whether a merged range over several columns starts at a cell.
    fn starts_wide_merge(&self, index: usize, column: u32) -> bool {
        self.wide_merges.contains(&(self.grid.row_number(index), column))
    }

    fn find_header(&self, columns: &[u32], rows: &[usize]) -> Option<Candidate> {
        (0..rows.len().min(HEADER_CANDIDATES))
            .filter_map(|position| self.score(columns, rows, position))
            .max_by(|left, right| left.score.total_cmp(&right.score).then(right.position.cmp(&left.position)))
    }

    /// Scores a row as a header; nothing when it cannot be one.
    fn score(&self, columns: &[u32], rows: &[usize], position: usize) -> Option<Candidate> {
        let index = rows[position];
        let cells: Vec<(u32, CellKind, &str)> = self
            .grid
            .row_cells(index)
            .iter()
            .filter(|cell| cell.kind.has_value() && columns.binary_search(&cell.column).is_ok())
            .map(|cell| (cell.column, cell.kind, self.grid.text(cell)))
            .collect();
        let filled = cells.len() as f64;
        if cells.is_empty() {
            return None;
        }
        if cells.len() == 1 && columns.len() > 1 && self.starts_wide_merge(index, cells[0].0) {
            return None;
        }
        let below = &rows[position + 1..rows.len().min(position + 1 + ROWS_COMPARED)];
        let (mut labels, mut known, mut contrast, mut recurring) = (0.0, 0.0, 0.0, 0.0);
        for &(column, kind, text) in &cells {
            let values: Vec<(Class, &str)> = below
                .iter()
                .filter_map(|&row| {
                    let cells = self.grid.row_cells(row);
                    let cell = &cells[cells.binary_search_by_key(&column, |cell| cell.column).ok()?];
                    cell.kind.has_value().then(|| (class_of(cell.kind, self.grid.text(cell)), self.grid.text(cell)))
                })
                .collect();
            let mut class = class_of(kind, text);
            let share = |wanted: &dyn Fn(&(Class, &str)) -> bool| {
                values.iter().filter(|value| wanted(value)).count() as f64 / values.len().max(1) as f64
            };
            // A year heads a column of figures.
            if class == Class::Number && is_year(text) && share(&|(_, value)| is_year(value)) < 0.3 {
                class = Class::Label;
            }
            if class == Class::Label {
                labels += 1.0;
                if values.is_empty() {
                    contrast += 0.4;
                } else {
                    contrast += 0.3 + 0.7 * share(&|(class, _)| *class != Class::Label);
                }
            }
            if self.hints.knows(text) {
                known += 1.0;
            }
            if values.len() > 1 && values.iter().any(|(_, value)| *value == text) {
                recurring += 1.0;
            }
        }
        let distinct = cells.iter().map(|(_, _, text)| *text).collect::<HashSet<_>>().len() as f64;
        let passed_over = rows[..position]
            .iter()
            .map(|&row| {
                let width = self
                    .grid
                    .row_cells(row)
                    .iter()
                    .filter(|cell| cell.kind.has_value() && columns.binary_search(&cell.column).is_ok())
                    .count();
                if width * 2 > columns.len() && width > 1 { 0.6 } else { 0.05 }
            })
            .sum::<f64>();
        // The last row has nothing below to be the header of.
        let last = if below.is_empty() && position > 0 { 2.0 } else { 0.0 };
        // A header may be repeated below; a value recurs without the others of its row.
        let repeated = cells.len() > 1
            && below
                .iter()
                .any(|&row| cells.iter().all(|&(column, _, text)| self.grid.value(row, column) == Some(text)));
        let recurs = recurring / filled > 0.5 && known == 0.0 && !repeated;
        if labels / filled < 0.5 && known / filled < 0.5 || recurs {
            return None;
        }
        let width = columns.len() as f64;
        let score = 2.0 * filled / width
            + 2.0 * labels / filled
            + 0.5 * distinct / filled
            + 2.0 * known / filled
            + 1.5 * contrast / filled
            - passed_over
            - last
            - if repeated { 0.0 } else { recurring / filled };
        Some(Candidate { position, score })
    }

    /// Tells why the sheet is a set of lookup lists, when it is.
    fn lookup_reason(&self, blocks: &[Block]) -> Option<String> {
        let columns: Vec<u32> = blocks.iter().flat_map(|block| block.columns.iter().copied()).collect();
        if self.rows.len() > LOOKUP_ROWS || columns.len() > 8 || self.hints.0.is_empty() {
            return None;
        }
        let mut lengths = Vec::new();
        for &column in &columns {
            let values: Vec<(usize, &str)> = self
                .rows
                .iter()
                .enumerate()
                .filter_map(|(position, &index)| self.grid.value(index, column).map(|text| (position, text)))
                .collect();
            let gapless = values.iter().enumerate().all(|(expected, (position, _))| expected == *position);
            let labels = values
                .iter()
                .all(|(_, text)| class_of(CellKind::Text, text) == Class::Label && text.chars().count() <= 40);
            let distinct = values.iter().map(|(_, text)| text).collect::<HashSet<_>>().len() == values.len();
            let known = values.first().is_some_and(|(_, text)| self.hints.knows(text));
            if !gapless || !labels || !distinct || known {
                return None;
            }
            lengths.push(values.len());
        }
        let (shortest, longest) = (lengths.iter().min().copied()?, lengths.iter().max().copied()?);
        (lengths.len() == 1 || shortest < longest).then(|| {
            format!(
                "it looks like lookup lists: {} without a header that is known, each value once",
                if lengths.len() == 1 {
                    "one list of labels".to_owned()
                } else {
                    format!("{} lists of different lengths", lengths.len())
                }
            )
        })
    }

    fn region(&self, block: &Block) -> Region {
        let Some(header) = block.header else { return self.region_without_header(block) };
        // The groups of a header in two rows may score less than the labels below them.
        let upper = match header.position.checked_sub(1) {
            Some(above) if self.second_header(block, above).is_some() => above,
            _ => header.position,
        };
        let index = block.rows[upper];
        let row = self.grid.row_number(index);
        let mut region = Region { header_rows: vec![row], ..Region::default() };
        let mut first_body = upper + 1;
        let second = self.second_header(block, upper);
        region.columns = block
            .columns
            .iter()
            .map(|&column| {
                let upper = self.header_text(index, column);
                let lower = second.and_then(|second| self.grid.value(second, column));
                let text = match (upper, lower) {
                    (Some(upper), Some(lower)) if upper != lower => Some(format!("{upper} {lower}")),
                    (upper, lower) => lower.or(upper).map(str::to_owned),
                };
                (column, text)
            })
            .collect();
        let note = |code: &str, message: String| Diagnostic::info(code, message).at(self.location.clone().row(row));
        if let Some(second) = second {
            let second_row = self.grid.row_number(second);
            region.header_rows.push(second_row);
            first_body += 1;
            region
                .diagnostics
                .push(note("ingest.header.two_rows", format!("Rows {row} and {second_row} are read as one header")));
        }
        if upper > 0 {
            let count = upper;
            region.diagnostics.push(note(
                "ingest.header.not_first",
                format!("Row {row} is the header; {count} rows above it hold titles or notes and are not read"),
            ));
        }
        region.first_body = block.rows.get(first_body).copied().unwrap_or(self.grid.row_count());
        self.look_at_body(block, first_body, &mut region);
        region
    }

    fn region_without_header(&self, block: &Block) -> Region {
        let first = block.rows.first().copied().unwrap_or(0);
        let span = column_span(block.columns.first().copied().unwrap_or(0), block.columns.last().copied().unwrap_or(0));
        let mut region = Region {
            columns: block.columns.iter().map(|&column| (column, None)).collect(),
            first_body: first,
            diagnostics: vec![
                Diagnostic::warning(
                    "ingest.header.none",
                    format!("No row reads as a header of columns {span}; they are named by position"),
                )
                .at(self.location.clone().row(self.grid.row_number(first)))
                .hint("Add a header row, or map the columns by their names, such as `column_a`"),
            ],
            ..Region::default()
        };
        self.look_at_body(block, 0, &mut region);
        region
    }

    /// Returns the text over a column: its own cell, or the merged group over it.
    fn header_text(&self, index: usize, column: u32) -> Option<&str> {
        if let Some(text) = self.grid.value(index, column) {
            return Some(text);
        }
        let row = self.grid.row_number(index);
        let group = self
            .merges
            .iter()
            .find(|merge| merge.first_row == row && merge.width() > 1 && merge.covers_column(column))?;
        self.grid.value(index, group.first_column)
    }

    /// Returns the index of a second header row: labels under merged groups.
    fn second_header(&self, block: &Block, position: usize) -> Option<usize> {
        let (index, next) = (block.rows[position], *block.rows.get(position + 1)?);
        let row = self.grid.row_number(index);
        if self.grid.row_number(next) != row + 1 {
            return None;
        }
        let width = block.columns.len() as u32;
        let groups: Vec<&Merge> = self
            .merges
            .iter()
            .filter(|merge| {
                merge.first_row == row && merge.last_row == row && merge.width() > 1 && merge.width() < width
            })
            .collect();
        let under = groups.iter().map(|group| {
            (group.first_column..=group.last_column).filter(|&column| self.grid.value(next, column).is_some()).count()
        });
        let all_labels = self
            .grid
            .row_cells(next)
            .iter()
            .filter(|cell| cell.kind.has_value())
            .all(|cell| class_of(cell.kind, self.grid.text(cell)) == Class::Label);
        (!groups.is_empty() && all_labels && under.min().is_some_and(|count| count >= 2)).then_some(next)
    }

    /// Finds the rows of the body that are no data, and totals.
    fn look_at_body(&self, block: &Block, first_body: usize, region: &mut Region) {
        let width = block.columns.len();
        let by_row: HashMap<u32, Vec<&Merge>> = self.merges_by_row(width);
        let header: Vec<&str> = region.columns.iter().filter_map(|(_, text)| text.as_deref()).collect();
        let (mut sections, mut repeated, mut totals) = (Vec::new(), Vec::new(), Vec::new());
        for &index in block.rows.get(first_body..).unwrap_or_default() {
            let row = self.grid.row_number(index);
            let cells = self.grid.row_cells(index);
            if let Some(merges) = by_row.get(&row) {
                let mut values = cells.iter().filter(|cell| cell.kind.has_value());
                if let (Some(only), None) = (values.next(), values.next())
                    && merges.iter().any(|merge| merge.covers_column(only.column))
                {
                    sections.push(row);
                    region.left_out.insert(row);
                    continue;
                }
            }
            let Some(first) = cells.iter().find(|cell| cell.kind.has_value()) else { continue };
            let text = self.grid.text(first);
            if header.len() > 1
                && header.first() == Some(&text)
                && region.columns.iter().all(|(column, header)| self.grid.value(index, *column) == header.as_deref())
            {
                repeated.push(row);
                region.left_out.insert(row);
            } else if is_total(text)
                && cells.iter().filter(|cell| cell.kind.has_value()).skip(1).any(|cell| {
                    cell.kind == CellKind::Number || class_of(cell.kind, self.grid.text(cell)) == Class::Number
                })
            {
                totals.push(row);
            }
        }
        // Where most rows are merged, merging is how the sheet is laid out.
        if sections.len() * 2 > block.rows.len().saturating_sub(first_body) {
            for row in sections.drain(..) {
                region.left_out.remove(&row);
            }
        }
        let mut tell = |rows: &[u32], make: &dyn Fn(usize) -> Diagnostic| {
            if let Some(&row) = rows.first() {
                region.diagnostics.push(make(rows.len()).at(self.location.clone().row(row)));
            }
        };
        tell(&sections, &|count| {
            Diagnostic::info(
                "ingest.rows.section",
                format!("Merged section titles inside the table are not data, rows left out: {count}"),
            )
        });
        tell(&repeated, &|count| {
            Diagnostic::info(
                "ingest.rows.repeated_header",
                format!("The header is repeated inside the table, rows left out: {count}"),
            )
        });
        tell(&totals, &|count| {
            Diagnostic::warning("ingest.rows.total", format!("Rows that look like totals are read as data: {count}"))
                .hint("Delete them in the source if they are not records")
        });
    }

    /// Returns the merged ranges over at least half of a block's columns, by each row they cover.
    fn merges_by_row(&self, width: usize) -> HashMap<u32, Vec<&Merge>> {
        let mut by_row: HashMap<u32, Vec<&Merge>> = HashMap::new();
        for merge in self.merges.iter().filter(|merge| merge.width() > 1 && merge.width() as usize * 2 >= width) {
            // A range over many rows is a layout, not a section title.
            for row in merge.first_row..=merge.last_row.min(merge.first_row.saturating_add(3)) {
                if merge.covers_row(row) {
                    by_row.entry(row).or_default().push(merge);
                }
            }
        }
        by_row
    }
}

/// What a cell's text is like, as far as headers are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Label,
    Number,
    Date,
    /// E-mail and web addresses, and text too long for a label.
    Value,
}

fn class_of(kind: CellKind, text: &str) -> Class {
    match kind {
        CellKind::Number => return Class::Number,
        CellKind::Date => return Class::Date,
        CellKind::Boolean => return Class::Value,
        CellKind::Text | CellKind::Error | CellKind::Formula => {}
    }
    let text = text.trim();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let others = text.bytes().filter(|byte| !byte.is_ascii_digit() && !b" +-.,/:()%$".contains(byte)).count();
    if digits > 0 && others == 0 {
        return if text.contains(['/', ':']) || text.matches('-').count() == 2 { Class::Date } else { Class::Number };
    }
    if digits >= 8 && others <= 2 && text.contains(['-', ':']) {
        return Class::Date;
    }
    let looks_like_address = (text.contains('@') && text.contains('.') && !text.contains(' '))
        || text.contains("://")
        || text.starts_with("www.");
    if looks_like_address || text.len() > 160 || text.is_empty() { Class::Value } else { Class::Label }
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && text.parse::<u32>().is_ok_and(|year| (1900..=2100).contains(&year))
}

fn is_total(text: &str) -> bool {
    let key = header_key(text);
    ["total", "totals", "grand total", "subtotal", "sub total", "sum"].contains(&key.as_str())
        || key.starts_with("total ")
}

/// Finds tables in a grid made of arbitrary bytes: the entry for fuzzing and property tests.
///
/// Each four bytes are a cell: row, column, kind and text; ranges of the first bytes are merged.
#[doc(hidden)]
pub fn detect_arbitrary(bytes: &[u8]) -> usize {
    const WORDS: [&str; 12] = [
        "Name",
        "E-mail",
        "a@b.example",
        "2024",
        "3.5",
        "Total",
        "2024-01-31",
        "www.b.example",
        "Town",
        "x",
        "Name",
        "Ünïcode",
    ];
    let mut grid = Grid::default();
    let mut merges = Vec::new();
    for (number, chunk) in bytes.chunks_exact(4).enumerate() {
        let (row, column) = (u32::from(chunk[0]) + 1, u32::from(chunk[1] % 40));
        if chunk[3] > 240 {
            let (height, width) = (u32::from(chunk[2] % 5), u32::from(chunk[3] % 16));
            merges.push(Merge {
                first_row: row,
                last_row: row + height,
                first_column: column,
                last_column: column + width,
            });
        }
        let kind = [
            CellKind::Text,
            CellKind::Text,
            CellKind::Number,
            CellKind::Date,
            CellKind::Boolean,
            CellKind::Error,
            CellKind::Formula,
        ][usize::from(chunk[2] % 7)];
        grid.push(row, column, kind, WORDS[(usize::from(chunk[3]) + number / 7) % WORDS.len()]);
    }
    grid.finish();
    let hints = HeaderHints::new(&["name".to_owned(), "email".to_owned()]);
    let mut read = 0;
    for layout in [Layout::Sheet, Layout::Text] {
        let detection = detect(&grid, &merges, &hints, layout, &Location::default());
        for region in &detection.tables {
            // A row is either header, above it, left out or data; never twice.
            assert!(region.columns.windows(2).all(|pair| pair[0].0 < pair[1].0), "columns are in order");
            assert!(region.first_body <= grid.row_count(), "the body lies in the grid");
            read += grid.row_count() - region.first_body;
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grid(rows: &[&str]) -> Grid {
        let mut grid = Grid::default();
        for (number, row) in rows.iter().enumerate() {
            for (column, text) in row.split('|').enumerate() {
                if !text.trim().is_empty() {
                    let kind = if text.parse::<f64>().is_ok() { CellKind::Number } else { CellKind::Text };
                    grid.push(number as u32 + 1, column as u32, kind, text);
                }
            }
        }
        grid
    }

    fn merge(row: u32, first_column: u32, last_column: u32) -> Merge {
        Merge { first_row: row, last_row: row, first_column, last_column }
    }

    fn run(rows: &[&str], merges: &[Merge], hints: &[&str]) -> Detection {
        let hints = HeaderHints::new(&hints.iter().map(|&hint| hint.to_owned()).collect::<Vec<_>>());
        detect(&grid(rows), merges, &hints, Layout::Sheet, &Location::default())
    }

    fn headers(region: &Region) -> Vec<&str> {
        region.columns.iter().map(|(_, text)| text.as_deref().unwrap_or("")).collect()
    }

    #[test]
    fn the_header_is_found_below_titles() {
        let check = |rows: &[&str], expected: &[u32]| {
            let detection = run(rows, &[], &[]);
            assert_eq!(detection.tables[0].header_rows, expected, "{rows:?}");
        };
        check(&["Name|Age", "Ann|3", "Bob|4"], &[1]);
        check(&["Members of the club", "", "Name|Age", "Ann|3", "Bob|4"], &[3]);
        check(
            &["List|", "made in 2024|", "Name|Town|Phone", "Ann|Durban|27831112222", "Bob|Cape Town|27831112223"],
            &[3],
        );
        check(&["1|2|3", "4|5|6"], &[]);
        check(&["a@b.example|27831112222", "c@d.example|27831112223"], &[]);
        check(&["Country|2019|2020", "Chad|3|4", "Mali|5|6"], &[1]);
        check(&["Name", "Ann"], &[1]);
    }

    #[test]
    fn merged_titles_and_sections_are_no_data() {
        let rows = ["Midrand office||", "#|NAME|TOWN", "1|Acacia|Durban", "Durban office||", "2|Baobab|Durban", "3||"];
        let detection = run(&rows, &[merge(1, 0, 2), merge(4, 0, 2)], &[]);
        let region = &detection.tables[0];
        assert_eq!(region.header_rows, [2]);
        assert_eq!(region.left_out, HashSet::from([4]));
        assert!(region.diagnostics.iter().any(|diagnostic| diagnostic.code == "ingest.rows.section"));
        // Without the merged range nothing says that the row is not a record.
        assert!(run(&rows, &[merge(1, 0, 2)], &[]).tables[0].left_out.is_empty());
    }

    #[test]
    fn tables_beside_each_other_are_split_only_when_they_stand_apart() {
        let apart = ["Name|Age||Name|Town", "Ann|3||Cid|Durban", "Bob|4||Dan|Cape Town"];
        let detection = run(&apart, &[], &[]);
        assert_eq!(detection.tables.len(), 2);
        assert_eq!(detection.tables[1].columns.iter().map(|(column, _)| *column).collect::<Vec<_>>(), [3, 4]);
        let spacer = ["Name|Age||Phone|Town", "Ann|3||27831112222|Durban", "Bob|4||27831112223|Cape Town"];
        assert_eq!(run(&spacer, &[], &[]).tables.len(), 1);
    }

    #[test]
    fn lookup_lists_are_skipped_where_header_words_are_known() {
        let lists = ["Eastern Cape|Active", "Free State|Invalid", "Gauteng|"];
        assert_eq!(run(&lists, &[], &["name", "email"]).skipped.len(), 1);
        assert_eq!(run(&lists, &[], &[]).tables.len(), 1);
        assert_eq!(run(&["Name|Status", "Ann|Active", "Bob|"], &[], &["name"]).tables.len(), 1);
    }

    #[test]
    fn two_header_rows_are_joined() {
        let rows = ["Person||Place|", "First|Last|Town|Code", "Ann|Ash|Durban|4001", "Bob|Bay|Cape Town|8001"];
        let detection = run(&rows, &[merge(1, 0, 1), merge(1, 2, 3)], &[]);
        let region = &detection.tables[0];
        assert_eq!(headers(region), ["Person First", "Person Last", "Place Town", "Place Code"]);
        assert_eq!(region.header_rows, [1, 2]);
        assert_eq!(region.first_body, 2);
    }

    #[test]
    fn totals_are_reported_and_repeated_headers_left_out() {
        let rows = ["Name|Age", "Ann|3", "Name|Age", "Bob|4", "Total|7"];
        let region = &run(&rows, &[], &[]).tables[0];
        assert_eq!(region.left_out, HashSet::from([3]));
        assert!(region.diagnostics.iter().any(|diagnostic| diagnostic.code == "ingest.rows.total"));
    }

    #[test]
    fn cells_without_values_are_no_table() {
        let mut grid = Grid::default();
        grid.push(1, 0, CellKind::Formula, "");
        let detection = detect(&grid, &[], &HeaderHints::default(), Layout::Sheet, &Location::default());
        assert!(detection.tables.is_empty());
        assert_eq!(detection.skipped.len(), 1);
    }

    proptest! {
        #[test]
        fn any_grid_is_detected_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            detect_arbitrary(&bytes);
        }
    }
}
