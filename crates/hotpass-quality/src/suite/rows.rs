//! Checks of rows: which rows are judged, which of those fail.

use std::cmp::Ordering;
use std::collections::HashSet;

use arrow::buffer::BooleanBuffer;
use regex::Regex;
use serde_json::Value;

use super::interner::Counter;
use super::run::{Batch, Check, Ending, Outcome};
use crate::patterns::{TimeFormat, is_date, is_json};
use crate::result::{PARTIAL, RowTally};
use crate::values::{CellKind, Cells, Column, KeyForm};

/// Which rows are not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ignore {
    /// None.
    Never,
    /// Rows in which any of the values is missing.
    AnyMissing,
    /// Rows in which all values are missing.
    AllMissing,
}

/// Bounds that a value lies between.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bounds<T> {
    pub(crate) min: Option<T>,
    pub(crate) max: Option<T>,
    pub(crate) strict_min: bool,
    pub(crate) strict_max: bool,
}

impl<T> Bounds<T> {
    pub(crate) fn holds<V: PartialOrd<T> + ?Sized>(&self, value: &V) -> bool {
        let above = self.min.as_ref().is_none_or(|min| if self.strict_min { value > min } else { value >= min });
        let below = self.max.as_ref().is_none_or(|max| if self.strict_max { value < max } else { value <= max });
        above && below
    }

    pub(crate) fn try_map<U>(self, convert: impl Fn(T) -> Option<U>) -> Option<Bounds<U>> {
        let one = |bound: Option<T>| match bound {
            Some(bound) => convert(bound).map(Some),
            None => Some(None),
        };
        Some(Bounds {
            min: one(self.min)?,
            max: one(self.max)?,
            strict_min: self.strict_min,
            strict_max: self.strict_max,
        })
    }
}

/// What a row is judged by.
#[derive(Debug)]
pub(crate) enum Test {
    Present,
    Absent,
    Regex {
        any_of: Vec<Regex>,
        all: bool,
        negated: bool,
    },
    InSet {
        form: KeyForm,
        keys: HashSet<Vec<u8>>,
        negated: bool,
    },
    Numbers(Bounds<f64>),
    Integers(Bounds<i64>),
    Texts(Bounds<str_bound::Text>),
    Length(Bounds<f64>),
    TimeFormat(TimeFormat),
    Date,
    Json,
    Order {
        strictly: bool,
        falling: bool,
        last: Option<f64>,
    },
    PairEqual,
    PairGreater {
        or_equal: bool,
    },
    PairInSet {
        forms: [KeyForm; 2],
        keys: HashSet<Vec<u8>>,
    },
    NoneEqual,
    AllEqual,
    Sum {
        total: f64,
    },
    /// Values cannot be judged, and there is a reason; a column without values passes.
    Refuse(&'static str),
}

/// A bound that text is compared with.
pub(crate) mod str_bound {
    use std::cmp::Ordering;

    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd)]
    pub(crate) struct Text(pub(crate) String);

    impl PartialEq<Text> for str {
        fn eq(&self, other: &Text) -> bool {
            self == other.0.as_str()
        }
    }

    impl PartialOrd<Text> for str {
        fn partial_cmp(&self, other: &Text) -> Option<Ordering> {
            Some(self.cmp(other.0.as_str()))
        }
    }
}

/// A check that judges each row when it comes.
#[derive(Debug)]
pub(crate) struct RowCheck {
    pub(crate) columns: Vec<usize>,
    pub(crate) test: Test,
    pub(crate) ignore: Ignore,
    pub(crate) counts_missing: bool,
    pub(crate) book: Book,
}

/// Counts and positions of the rows that fail.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) mostly: f64,
    /// Number of positions to keep.
    pub(crate) keep: usize,
    /// Whether values may be shown.
    pub(crate) shows: bool,
    pub(crate) tally: RowTally,
    pub(crate) failed: Vec<u64>,
    pub(crate) values: Vec<Value>,
}

impl Book {
    pub(crate) fn new(mostly: f64, all_positions: bool, shows: bool) -> Self {
        Self {
            mostly,
            keep: if all_positions { usize::MAX } else { PARTIAL },
            shows,
            tally: RowTally::default(),
            failed: Vec::new(),
            values: Vec::new(),
        }
    }

    fn outcome(self, counts_missing: bool) -> Outcome {
        Outcome {
            // The quotient that Great Expectations compares.
            success: self.tally.judged == 0 || self.tally.share() >= self.mostly,
            tally: Some(self.tally),
            counts_missing,
            failed_rows: self.failed,
            unexpected_values: self.values,
            ..Outcome::default()
        }
    }
}

impl Check for RowCheck {
    fn add(&mut self, batch: &Batch, rows: &BooleanBuffer) -> Result<(), String> {
        let columns: Vec<&Column> = self.columns.iter().map(|&position| batch.column(position)).collect();
        let judged = judged(rows, &columns, self.ignore);
        let passes = self.test.passes(&columns, &judged)?;
        let failed = &judged & &!&passes;
        let book = &mut self.book;
        book.tally.rows += rows.count_set_bits() as u64;
        book.tally.judged += judged.count_set_bits() as u64;
        book.tally.unexpected += failed.count_set_bits() as u64;
        for row in failed.set_indices().take(book.keep.saturating_sub(book.failed.len())) {
            book.failed.push(batch.first + row as u64);
            if book.shows && book.values.len() < PARTIAL {
                book.values.push(value_of(&columns, row));
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _ending: &Ending<'_>) -> Outcome {
        self.book.outcome(self.counts_missing)
    }

    fn memory(&self) -> usize {
        self.book.failed.capacity() * 8
    }
}

fn value_of(columns: &[&Column], row: usize) -> Value {
    match columns {
        [one] => one.json(row),
        several => several.iter().map(|column| column.json(row)).collect(),
    }
}

/// Returns the rows that are judged.
pub(crate) fn judged(rows: &BooleanBuffer, columns: &[&Column], ignore: Ignore) -> BooleanBuffer {
    match ignore {
        Ignore::Never => rows.clone(),
        Ignore::AnyMissing => columns.iter().fold(rows.clone(), |rows, column| &rows & &column.valid),
        Ignore::AllMissing => {
            let any = columns.iter().fold(BooleanBuffer::new_unset(rows.len()), |any, column| &any | &column.valid);
            rows & &any
        }
    }
}

impl Test {
    /// Returns which rows pass; what it says of rows that are not judged has no meaning.
    fn passes(&mut self, columns: &[&Column], judged: &BooleanBuffer) -> Result<BooleanBuffer, String> {
        let len = judged.len();
        let column = columns[0];
        Ok(match self {
            Self::Present => column.valid.clone(),
            Self::Absent => !&column.valid,
            Self::Regex { any_of, all, negated } => by_text(column, |text| {
                let found = if *all {
                    any_of.iter().all(|regex| regex.is_match(text))
                } else {
                    any_of.iter().any(|regex| regex.is_match(text))
                };
                found != *negated
            }),
            Self::InSet { form, keys, negated } => {
                let mut key = Vec::new();
                BooleanBuffer::collect_bool(len, |row| {
                    key.clear();
                    column.push_key_in(*form, row, &mut key);
                    keys.contains(&key) != *negated
                })
            }
            Self::Integers(bounds) => match &column.cells {
                Cells::Int(values) | Cells::Time { values, .. } => {
                    BooleanBuffer::collect_bool(len, |row| bounds.holds(&values.value(row)))
                }
                _ => return Err("The column holds no whole numbers".into()),
            },
            Self::Numbers(bounds) => {
                BooleanBuffer::collect_bool(len, |row| column.number(row).is_some_and(|number| bounds.holds(&number)))
            }
            Self::Texts(bounds) => match &column.cells {
                Cells::Text(values) => BooleanBuffer::collect_bool(len, |row| bounds.holds(values.value(row))),
                _ => return Err("The column holds no text".into()),
            },
            Self::Length(bounds) => by_text(column, |text| bounds.holds(&(text.chars().count() as f64))),
            Self::TimeFormat(format) => by_text(column, |text| format.matches(text)),
            Self::Date => by_text(column, is_date),
            Self::Json => by_text(column, is_json),
            Self::Order { strictly, falling, last } => {
                let mut before = *last;
                let mut passes = Vec::with_capacity(len);
                for row in 0..len {
                    if !judged.value(row) {
                        passes.push(true);
                        continue;
                    }
                    let Some(value) = column.number(row) else {
                        return Err("The values have no order of numbers".into());
                    };
                    passes.push(before.is_none_or(|before| {
                        let (low, high) = if *falling { (value, before) } else { (before, value) };
                        if *strictly { high > low } else { high >= low }
                    }));
                    before = Some(value);
                }
                *last = before;
                passes.into_iter().collect()
            }
            Self::Refuse(reason) if judged.count_set_bits() > 0 => return Err((*reason).to_owned()),
            Self::Refuse(_) => judged.clone(),
            Self::PairEqual => equal_rows(column, columns[1]),
            Self::PairGreater { or_equal } => greater_rows(column, columns[1], *or_equal)?,
            Self::PairInSet { forms, keys } => {
                let mut key = Vec::new();
                BooleanBuffer::collect_bool(len, |row| {
                    row_key(columns.iter().copied().zip(*forms), row, &mut key);
                    keys.contains(&key)
                })
            }
            Self::NoneEqual => {
                let mut keys: Vec<Vec<u8>> = vec![Vec::new(); columns.len()];
                BooleanBuffer::collect_bool(len, |row| {
                    for (key, column) in keys.iter_mut().zip(columns) {
                        key.clear();
                        column.push_key(row, key);
                    }
                    (0..keys.len()).all(|at| !keys[..at].contains(&keys[at]))
                })
            }
            Self::AllEqual => {
                let (mut first, mut other) = (Vec::new(), Vec::new());
                BooleanBuffer::collect_bool(len, |row| {
                    first.clear();
                    column.push_key_in(column.form_to_meet_cells(), row, &mut first);
                    columns[1..].iter().all(|column| {
                        other.clear();
                        column.push_key_in(column.form_to_meet_cells(), row, &mut other);
                        first == other
                    })
                })
            }
            Self::Sum { total } => {
                if columns.iter().any(|column| !column.holds_numbers()) {
                    return Err("The columns do not all hold numbers".into());
                }
                BooleanBuffer::collect_bool(len, |row| {
                    let mut sum = 0.0f64;
                    for column in columns {
                        match column.number(row) {
                            Some(number) => sum += number,
                            None => return false,
                        }
                    }
                    sum.total_cmp(total).is_eq()
                })
            }
        })
    }
}

/// Judges the texts of a column; values that are no text are written as Python writes them.
fn by_text(column: &Column, mut passes: impl FnMut(&str) -> bool) -> BooleanBuffer {
    if let Cells::Text(values) = &column.cells {
        return BooleanBuffer::collect_bool(column.len(), |row| column.valid.value(row) && passes(values.value(row)));
    }
    let mut text = String::new();
    BooleanBuffer::collect_bool(column.len(), |row| {
        if column.is_null(row) {
            return false;
        }
        text.clear();
        column.write_text(row, &mut text);
        passes(&text)
    })
}

fn equal_rows(left: &Column, right: &Column) -> BooleanBuffer {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    BooleanBuffer::collect_bool(left.len(), |row| {
        if left.is_null(row) || right.is_null(row) {
            return false;
        }
        a.clear();
        b.clear();
        left.push_key_in(left.form_to_meet_cells(), row, &mut a);
        right.push_key_in(right.form_to_meet_cells(), row, &mut b);
        a == b
    })
}

fn greater_rows(left: &Column, right: &Column, or_equal: bool) -> Result<BooleanBuffer, String> {
    let greater = |ordering: Option<Ordering>| match ordering {
        Some(Ordering::Equal) => or_equal,
        Some(ordering) => ordering == Ordering::Greater,
        None => false,
    };
    if let (Cells::Text(a), Cells::Text(b)) = (&left.cells, &right.cells) {
        return Ok(BooleanBuffer::collect_bool(left.len(), |row| {
            if left.is_null(row) || right.is_null(row) {
                return false;
            }
            greater(match (left.number(row), right.number(row)) {
                (Some(a), Some(b)) => a.partial_cmp(&b),
                (None, None) => Some(a.value(row).cmp(b.value(row))),
                // A number and a text that spells none have no order.
                _ => None,
            })
        }));
    }
    let both = |holds: &dyn Fn(&Column) -> bool| holds(left) && holds(right);
    if !both(&Column::holds_numbers) && !both(&|column| column.kind().is_time()) {
        return Err("The columns hold values that cannot be compared".into());
    }
    Ok(BooleanBuffer::collect_bool(left.len(), |row| {
        greater(left.number(row).zip(right.number(row)).and_then(|(a, b)| a.partial_cmp(&b)))
    }))
}

/// Writes the key of several values of a row, text in the form of its column.
pub(crate) fn row_key<'a>(columns: impl Iterator<Item = (&'a Column, KeyForm)>, row: usize, key: &mut Vec<u8>) {
    key.clear();
    let mut part = Vec::new();
    for (column, form) in columns {
        part.clear();
        column.push_key_in(form, row, &mut part);
        push_part(&part, key);
    }
}

/// Adds a part to the key of several values.
pub(crate) fn push_part(part: &[u8], key: &mut Vec<u8>) {
    key.extend_from_slice(&(part.len() as u32).to_le_bytes());
    key.extend_from_slice(part);
}

/// A check that a value, or values together, occur once; every row of a value that occurs twice fails.
#[derive(Debug)]
pub(crate) struct UniqueCheck {
    pub(crate) columns: Vec<usize>,
    pub(crate) ignore: Ignore,
    pub(crate) book: Book,
    pub(crate) kinds: Vec<CellKind>,
    pub(crate) distinct: Counter,
    /// Number of the value of each row; the largest number for rows that are not judged.
    pub(crate) codes: Vec<u32>,
}

impl Check for UniqueCheck {
    fn add(&mut self, batch: &Batch, rows: &BooleanBuffer) -> Result<(), String> {
        let columns: Vec<&Column> = self.columns.iter().map(|&position| batch.column(position)).collect();
        let judged = judged(rows, &columns, self.ignore);
        self.book.tally.rows += rows.count_set_bits() as u64;
        self.book.tally.judged += judged.count_set_bits() as u64;
        self.codes.reserve(batch.rows);
        let mut key = Vec::new();
        for row in 0..batch.rows {
            let code = if judged.value(row) {
                if let [column] = columns.as_slice() {
                    key.clear();
                    column.push_key(row, &mut key);
                } else {
                    row_key(columns.iter().map(|column| (*column, KeyForm::WRITTEN)), row, &mut key);
                }
                self.distinct.add(&key)
            } else {
                u32::MAX
            };
            self.codes.push(code);
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _ending: &Ending<'_>) -> Outcome {
        for (row, &code) in self.codes.iter().enumerate() {
            if code == u32::MAX || self.distinct.counts[code as usize] < 2 {
                continue;
            }
            self.book.tally.unexpected += 1;
            if self.book.failed.len() < self.book.keep {
                self.book.failed.push(row as u64);
            }
            if self.book.shows && self.book.values.len() < PARTIAL && self.kinds.len() == 1 {
                self.book.values.push(crate::values::json_of_key(self.distinct.keys.key(code), self.kinds[0]));
            }
        }
        let counts_missing = true;
        self.book.outcome(counts_missing)
    }

    fn memory(&self) -> usize {
        self.codes.capacity() * 4 + self.distinct.memory()
    }
}

/// A check of how many standard deviations a value lies from the mean.
#[derive(Debug)]
pub(crate) struct ZScoreCheck {
    pub(crate) column: usize,
    pub(crate) threshold: f64,
    pub(crate) double_sided: bool,
    pub(crate) book: Book,
    pub(crate) values: Vec<(u64, f64)>,
}

impl Check for ZScoreCheck {
    fn add(&mut self, batch: &Batch, rows: &BooleanBuffer) -> Result<(), String> {
        let column = batch.column(self.column);
        if !column.holds_numbers() {
            return Err("The column holds no numbers".into());
        }
        let judged = judged(rows, &[column], Ignore::AnyMissing);
        self.book.tally.rows += rows.count_set_bits() as u64;
        self.book.tally.judged += judged.count_set_bits() as u64;
        for row in judged.set_indices() {
            let number = column.number(row).ok_or("A text of the column spells no number")?;
            self.values.push((batch.first + row as u64, number));
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _ending: &Ending<'_>) -> Outcome {
        let mut moments = super::figures::Moments::default();
        self.values.iter().for_each(|(_, value)| moments.add(*value));
        let deviation = moments.deviation();
        for (row, value) in &self.values {
            let score = (value - moments.mean) / deviation;
            let score = if self.double_sided { score.abs() } else { score };
            if score.is_nan() || score < self.threshold {
                continue;
            }
            self.book.tally.unexpected += 1;
            if self.book.failed.len() < self.book.keep {
                self.book.failed.push(*row);
            }
            if self.book.shows && self.book.values.len() < PARTIAL {
                self.book.values.push(crate::values::number_json(*value));
            }
        }
        self.book.outcome(true)
    }

    fn memory(&self) -> usize {
        self.values.capacity() * 16
    }
}
