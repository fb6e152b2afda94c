//! Records named by source and id, as numbers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef};
use hashbrown::HashMap;
use hotpass_ingest::ReadOptions;

use super::error::ResolveError;
use super::input::{Reading, open_inputs};

/// Numbers records by their source and id, in order of first appearance.
#[derive(Debug, Default)]
pub(super) struct RecordKeys {
    numbers: HashMap<(u32, Box<str>), u32>,
    keys: Vec<(u32, Box<str>)>,
    sources: Vec<String>,
}

impl RecordKeys {
    /// Returns the number of a source, which it gets when it has none.
    pub(super) fn source(&mut self, name: &str) -> u32 {
        let known = self.sources.iter().position(|source| source == name);
        known.unwrap_or_else(|| {
            self.sources.push(name.to_owned());
            self.sources.len() - 1
        }) as u32
    }

    /// Returns the number of a record, which it gets when it has none.
    pub(super) fn insert(&mut self, source: u32, id: &str) -> u32 {
        let next = self.keys.len() as u32;
        let number = *self.numbers.entry((source, Box::from(id))).or_insert(next);
        if number == next {
            self.keys.push((source, Box::from(id)));
        }
        number
    }

    /// Returns the number of records.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns the number of each record's source.
    pub(super) fn source_numbers(&self) -> Vec<u16> {
        self.keys.iter().map(|(source, _)| *source as u16).collect()
    }

    /// Returns the name of the sources, by number.
    pub(super) fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Returns the source and the id of a record.
    pub(super) fn key(&self, number: u32) -> (&str, &str) {
        let (source, id) = &self.keys[number as usize];
        (self.sources.get(*source as usize).map_or("", String::as_str), id)
    }

    /// Returns the text that names a record among all: its id, with its source in front when there are several.
    pub(super) fn text(&self, number: u32) -> String {
        let (source, id) = &self.keys[number as usize];
        match self.sources.get(*source as usize) {
            Some(name) if self.sources.len() > 1 => format!("{name}-__-{id}"),
            _ => id.to_string(),
        }
    }

    /// Returns ids as an array: `Int64` if all are whole numbers, else `Utf8`.
    pub(super) fn ids(&self) -> ArrayRef {
        let whole: Option<Vec<i64>> = self
            .keys
            .iter()
            .map(|(_, id)| id.parse::<i64>().ok().filter(|number| number.to_string() == **id))
            .collect();
        if let Some(numbers) = whole {
            return Arc::new(Int64Array::from(numbers));
        }
        let mut builder = StringBuilder::new();
        self.keys.iter().for_each(|(_, id)| builder.append_value(id));
        Arc::new(builder.finish())
    }

    /// Returns the name of each record's source.
    pub(super) fn source_names(&self) -> ArrayRef {
        let names = self.keys.iter().map(|(source, _)| self.sources.get(*source as usize).map_or("", String::as_str));
        Arc::new(StringArray::from_iter_values(names))
    }

    /// Returns the numbers of records in the order of their keys as text, and for each its place in that order.
    pub(super) fn order(&self) -> (Vec<u32>, Vec<u32>) {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        let is_whole = self.sources.len() < 2 && self.keys.iter().all(|(_, id)| id.parse::<i64>().is_ok());
        if is_whole {
            order.sort_by_key(|&number| self.keys[number as usize].1.parse::<i64>().unwrap_or_default());
        } else {
            order.sort_by_cached_key(|&number| self.text(number));
        }
        let mut place = vec![0; order.len()];
        for (at, &number) in order.iter().enumerate() {
            place[number as usize] = at as u32;
        }
        (order, place)
    }
}

/// Pairs of records, read from a file.
#[derive(Debug, Default)]
pub(super) struct PairTable {
    /// Numbers of the left records.
    pub left: Vec<u32>,
    /// Numbers of the right records.
    pub right: Vec<u32>,
    /// A number for each pair, if the file has the column: a weight in bits, or a label's score.
    pub value: Option<Vec<f64>>,
}

/// What a file of pairs is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PairValue {
    /// `match_weight`, else `match_probability` turned into a weight.
    Weight,
    /// `clerical_match_score`, else `label`: 1 a match, 0 none.
    Label,
}

/// Reads a file of pairs: `UNIQUE_ID_l` and `UNIQUE_ID_r` (else `id_l`, `id_r`), the sources where it has them, and a number.
///
/// `unique_id` and `source_dataset` are the names of the columns that the pairs' columns are named after.
///
/// # Errors
///
/// Returns [`ResolveError`] when the file cannot be read, has no such columns, or an id in it is null.
pub(super) fn read_pairs(
    path: &Path,
    unique_id: &str,
    source_dataset: &str,
    value: PairValue,
    keys: &mut RecordKeys,
) -> Result<PairTable, ResolveError> {
    let mut pairs = PairTable::default();
    for table in open_inputs(&[path.to_path_buf()], &ReadOptions::default())? {
        let id_column = |side: &str| {
            let names = [format!("{unique_id}_{side}"), format!("unique_id_{side}"), format!("id_{side}")];
            match names.iter().find_map(|name| table.column(name)) {
                Some(column) => Ok(column),
                None => table.require_column(&names[0], "the ids of pairs"),
            }
        };
        let mut columns = vec![id_column("l")?, id_column("r")?];
        let source_names = [
            (format!("{source_dataset}_l"), format!("{source_dataset}_r")),
            ("source_dataset_l".to_owned(), "source_dataset_r".to_owned()),
        ];
        let source_columns = source_names.iter().find_map(|(l, r)| Some((table.column(l)?, table.column(r)?)));
        if let Some((left, right)) = source_columns {
            columns.extend([left, right]);
        }
        let names: &[&str] = match value {
            PairValue::Weight => &["match_weight", "match_probability"],
            PairValue::Label => &["clerical_match_score", "label"],
        };
        let number = names.iter().find_map(|name| Some((*name, table.column(name)?)));
        columns.extend(number.map(|(_, column)| column));
        let bad_type = |source: arrow::error::ArrowError| ResolveError::BrokenInput {
            path: path.to_path_buf(),
            source: Box::new(source),
        };
        for batch in table.scan(Some(&columns), Reading::ForMatching)? {
            let batch = batch?;
            let texts = batch
                .columns()
                .iter()
                .take(if source_columns.is_some() { 4 } else { 2 })
                .map(|column| cast(column, &DataType::Utf8))
                .collect::<Result<Vec<_>, _>>()
                .map_err(bad_type)?;
            let text = |column: usize, row: usize| {
                let column = texts[column].as_string::<i32>();
                column.is_valid(row).then(|| column.value(row)).ok_or_else(|| ResolveError::Request {
                    message: format!("An id or source in `{}` is missing, in row: {}", path.display(), row + 1),
                    hint: Some("Each pair names both of its records".to_owned()),
                })
            };
            for row in 0..batch.num_rows() {
                let (left_source, right_source) =
                    if source_columns.is_some() { (text(2, row)?, text(3, row)?) } else { ("", "") };
                let (left_source, right_source) = (keys.source(left_source), keys.source(right_source));
                pairs.left.push(keys.insert(left_source, text(0, row)?));
                pairs.right.push(keys.insert(right_source, text(1, row)?));
            }
            if let Some((name, _)) = number {
                let column = cast(batch.column(batch.num_columns() - 1), &DataType::Float64).map_err(bad_type)?;
                let column = column.as_primitive::<Float64Type>();
                pairs.value.get_or_insert_default().extend(column.iter().map(|value| {
                    let value = value.unwrap_or(f64::NAN);
                    if name == "match_probability" { weight_of(value) } else { value }
                }));
            }
        }
    }
    Ok(pairs)
}

/// Returns the match weight of a probability: the binary logarithm of its odds.
pub(super) fn weight_of(probability: f64) -> f64 {
    (probability / (1.0 - probability)).log2()
}

/// Reads the keys of every record of input files, in order, with the value of a further column.
///
/// A record's source is its file where there are several, else the value of `source_dataset` where that is given.
///
/// # Errors
///
/// Returns [`ResolveError`] when a file cannot be read or has no such column.
pub(super) fn read_keys(
    paths: &[PathBuf],
    unique_id: &str,
    source_dataset: Option<&str>,
    extra: Option<&str>,
    keys: &mut RecordKeys,
) -> Result<Vec<(u32, Option<String>)>, ResolveError> {
    let tables = open_inputs(paths, &ReadOptions::default())?;
    let several = paths.len() > 1;
    let mut records = Vec::new();
    for table in &tables {
        let mut columns = vec![table.require_column(unique_id, "the ids of records")?];
        if let Some(extra) = extra {
            columns.push(table.require_column(extra, "the truth")?);
        }
        let source_column = if several { None } else { source_dataset.and_then(|name| table.column(name)) };
        let extra_at = extra.map(|_| 1);
        columns.extend(source_column);
        let source = keys.source(if several { &table.source } else { "" });
        for batch in table.scan(Some(&columns), Reading::ForMatching)? {
            let batch = batch?;
            let texts = batch
                .columns()
                .iter()
                .map(|column| cast(column, &DataType::Utf8))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| ResolveError::BrokenInput { path: table.path.clone(), source: Box::new(error) })?;
            let ids = texts[0].as_string::<i32>();
            for row in 0..batch.num_rows() {
                if ids.is_null(row) {
                    return Err(ResolveError::request(
                        format!("A record of `{}` has no id", table.title()),
                        "Name a column that is filled in every row with `--unique-id-column`",
                    ));
                }
                let text = |at: Option<usize>| {
                    let column = at.map(|at| texts[at].as_string::<i32>());
                    column.filter(|column| column.is_valid(row)).map(|column| column.value(row))
                };
                let own_source = source_column.and_then(|_| text(Some(texts.len() - 1)));
                let source = own_source.map_or(source, |name| keys.source(name));
                let extra = text(extra_at).map(str::to_owned);
                records.push((keys.insert(source, ids.value(row)), extra));
            }
        }
    }
    Ok(records)
}

/// Returns a table of records and the clusters they belong to, a column of clusters for each name.
///
/// # Errors
///
/// Returns the error of building the table, a bug here.
pub(super) fn cluster_table(
    keys: &RecordKeys,
    unique_id: &str,
    source_dataset: &str,
    clusters: &[(String, Vec<u32>)],
) -> Result<RecordBatch, ResolveError> {
    let mut fields: Vec<Field> = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    let mut add = |name: &str, array: ArrayRef| {
        fields.push(Field::new(name, array.data_type().clone(), false));
        arrays.push(array);
    };
    for (name, labels) in clusters {
        let texts = labels.iter().map(|&label| keys.text(label));
        add(name, Arc::new(StringArray::from_iter_values(texts)));
    }
    if keys.sources().len() > 1 {
        add(source_dataset, keys.source_names());
    }
    add(unique_id, keys.ids());
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    RecordBatch::try_new(schema, arrays).map_err(|error| ResolveError::engine("Building the table of clusters", error))
}

/// Reads the cluster of each record from a file with `unique_id` and `column`; records that have none are left out.
///
/// # Errors
///
/// Returns [`ResolveError`] when the file cannot be read or has no such column.
pub(super) fn read_clusters(
    path: &Path,
    unique_id: &str,
    source_dataset: &str,
    column: &str,
    keys: &mut RecordKeys,
) -> Result<Vec<(u32, String)>, ResolveError> {
    let mut clusters = Vec::new();
    for table in open_inputs(&[path.to_path_buf()], &ReadOptions::default())? {
        let mut columns = vec![
            table.require_column(unique_id, "the ids of records")?,
            table.require_column(column, "the clusters of records")?,
        ];
        columns.extend(table.column(source_dataset));
        for batch in table.scan(Some(&columns), Reading::ForMatching)? {
            let batch = batch?;
            let texts = batch
                .columns()
                .iter()
                .map(|column| cast(column, &DataType::Utf8))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| ResolveError::BrokenInput { path: path.to_path_buf(), source: Box::new(error) })?;
            let columns: Vec<&StringArray> = texts.iter().map(AsArray::as_string::<i32>).collect();
            for row in 0..batch.num_rows() {
                if columns[0].is_null(row) || columns[1].is_null(row) {
                    continue;
                }
                let source =
                    columns.get(2).filter(|column| column.is_valid(row)).map_or("", |column| column.value(row));
                let source = keys.source(source);
                clusters.push((keys.insert(source, columns[0].value(row)), columns[1].value(row).to_owned()));
            }
        }
    }
    Ok(clusters)
}
