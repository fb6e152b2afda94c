//! Inputs and a model brought together: which columns are read, under which names, and the records encoded.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use hotpass_ingest::ReadOptions;
use hotpass_resolve::engine::plan::{CompileOptions, Plan};
use hotpass_resolve::model::{BlockingKind, BlockingRule, KeyColumns, LinkType, LinkageModel};
use hotpass_resolve::{LinkError, Linker};

use super::error::ResolveError;
use super::input::{InputTable, Reading, open_inputs};
use crate::progress::{CancelToken, Progress, Stage};

/// The records to link, and what the engine may use for it.
#[derive(Debug, Clone, Default)]
pub struct RecordsRequest {
    /// Files of records, each a source named after it.
    pub input_files: Vec<PathBuf>,
    /// Which pairs count; the model's when absent.
    pub link_type: Option<LinkType>,
    /// Column of the ids; the model's when absent.
    pub unique_id_column: Option<String>,
    /// Columns that the model must not use.
    pub exclude_columns: Vec<String>,
    /// Bytes that encoded records and surviving pairs may take.
    pub memory_limit_bytes: Option<u64>,
    /// Allows blocking rules without an equality.
    pub allow_full_product: bool,
    /// Seed of everything random.
    pub seed: u64,
}

/// Which columns a table of pairs has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PairColumns {
    /// Ids, sources, weight, probability and rule.
    #[default]
    Scores,
    /// Also what was compared: columns of both sides, comparison vectors, weights, term frequencies.
    Full,
}

/// Input tables that fit a model.
#[derive(Debug)]
pub(super) struct Session {
    /// The tables, those of a file one after the other.
    pub tables: Vec<InputTable>,
    /// The model, with the link type and the columns of keys that were asked for.
    pub model: LinkageModel,
    /// What the caller should know, a sentence each.
    pub notices: Vec<String>,
    /// Ids are row numbers, from 1 in each source.
    pub ids_are_row_numbers: bool,
    /// For each table the columns to read, under the names that the model gives them.
    columns: Vec<Vec<(String, usize)>>,
    limits: Limits,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    memory_limit_bytes: Option<u64>,
    allow_full_product: bool,
    seed: u64,
}

impl Session {
    /// Opens the inputs and finds the columns that a model and further rules need.
    ///
    /// # Errors
    ///
    /// Returns [`ResolveError`] when an input cannot be read, or lacks a column that is needed; nothing has been read by then but the
    /// heads of the files.
    pub(super) fn open(
        request: &RecordsRequest,
        mut model: LinkageModel,
        rules: &[BlockingRule],
    ) -> Result<Self, ResolveError> {
        let options = ReadOptions::default();
        let tables = open_inputs(&request.input_files, &options)?;
        let mut notices = Vec::new();
        if let Some(link_type) = request.link_type {
            model.link_type = link_type;
        }
        if let Some(column) = &request.unique_id_column {
            model.keys.unique_id.clone_from(column);
        }
        for column in &request.exclude_columns {
            if tables.iter().all(|table| table.column(column).is_none()) {
                tables[0].require_column(column, "`--exclude-columns`")?;
            }
        }
        let is_default_id =
            model.keys.unique_id == KeyColumns::default().unique_id && request.unique_id_column.is_none();
        let ids_are_row_numbers =
            is_default_id && tables.iter().all(|table| table.column(&model.keys.unique_id).is_none());
        if ids_are_row_numbers {
            notices.push(format!(
                "No column is named `{}`: ids are row numbers, from 1 in each file; name a column with `--unique-id-column`",
                model.keys.unique_id
            ));
        }
        let several = tables.iter().any(|table| table.source != tables[0].source);
        if model.link_type != LinkType::DedupeOnly && !several {
            let source = &model.keys.source_dataset;
            if tables.iter().any(|table| table.column(source).is_none()) {
                return Err(ResolveError::request(
                    format!("Link type `{}` needs several sources, but there is one input file", model.link_type),
                    format!(
                        "Give each source with an `--input-file` of its own, a column `{source}`, or `--link-type dedupe_only`"
                    ),
                ));
            }
        }
        let names = Mentioned::of(&model, rules);
        names.check_excluded(&request.exclude_columns)?;
        let mut session = Self {
            tables,
            model,
            notices,
            ids_are_row_numbers,
            columns: Vec::new(),
            limits: Limits {
                memory_limit_bytes: request.memory_limit_bytes,
                allow_full_product: request.allow_full_product,
                seed: request.seed,
            },
        };
        session.find_columns(&names, several)?;
        Ok(session)
    }

    fn find_columns(&mut self, names: &Mentioned, several: bool) -> Result<(), ResolveError> {
        let keys = &self.model.keys;
        for table in &self.tables {
            let mut columns: Vec<(String, usize)> = Vec::new();
            if !self.ids_are_row_numbers {
                columns.push((keys.unique_id.clone(), table.require_column(&keys.unique_id, "the ids of records")?));
            }
            if self.model.link_type != LinkType::DedupeOnly && !several {
                columns.extend(table.column(&keys.source_dataset).map(|column| (keys.source_dataset.clone(), column)));
            }
            for name in &self.model.output.additional_columns_to_retain {
                columns
                    .push((name.clone(), table.require_column(name, "`additional_columns_to_retain` of the model")?));
            }
            for name in names.columns_in(table) {
                if columns.iter().all(|(known, _)| *known != name.0) {
                    columns.push(name);
                }
            }
            self.columns.push(columns);
        }
        // What one table has and another lacks is missing there, not unknown.
        let all: Vec<String> = self.columns.iter().flatten().map(|(name, _)| name.clone()).collect();
        for (table, columns) in self.tables.iter().zip(&self.columns) {
            for name in &all {
                if columns.iter().all(|(known, _)| known != name) {
                    table.require_column(name, "the model")?;
                }
            }
        }
        Ok(())
    }

    /// Gives the whole schema of each table, under the names of the model where it uses a column.
    pub(super) fn whole_schemas(&self) -> Vec<Schema> {
        self.tables
            .iter()
            .zip(&self.columns)
            .map(|(table, columns)| {
                let mut fields: Vec<Field> = table
                    .schema
                    .fields()
                    .iter()
                    .enumerate()
                    .map(|(index, field)| {
                        let name =
                            columns.iter().find(|(_, column)| *column == index).map_or(field.name(), |(name, _)| name);
                        field.as_ref().clone().with_name(name)
                    })
                    .collect();
                if self.ids_are_row_numbers {
                    fields.push(Field::new(&self.model.keys.unique_id, DataType::Int64, false));
                }
                Schema::new(fields)
            })
            .collect()
    }

    /// Reads and encodes the records.
    ///
    /// # Errors
    ///
    /// Returns [`ResolveError`] when a file cannot be read, ids are missing or not unique, the model does not fit, or the caller stops it.
    pub(super) fn linker(
        &self,
        rules: &[BlockingRule],
        columns: PairColumns,
        progress: &dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Linker, ResolveError> {
        let started = std::time::Instant::now();
        let total: Option<u64> = self.tables.iter().map(|table| table.n_rows).sum();
        progress.started(Stage::Read, total);
        let mut builder = Linker::builder(with_output(self.model.clone(), columns))
            .threads(rayon::current_num_threads())
            .seed(self.limits.seed)
            .allow_full_product(self.limits.allow_full_product)
            .prepare_rules(rules.iter().cloned());
        if let Some(bytes) = self.limits.memory_limit_bytes {
            builder = builder.memory_limit(bytes);
        }
        builder = builder.plan(self.plan(rules)?);
        let mut start = 0;
        while start < self.tables.len() {
            let source = &self.tables[start].source;
            let end = self.tables[start..]
                .iter()
                .position(|table| table.source != *source)
                .map_or(self.tables.len(), |offset| start + offset);
            let scans = (start..end).map(|table| self.scan(table)).collect::<Result<Vec<_>, ResolveError>>()?;
            let unique_id = self.ids_are_row_numbers.then(|| self.model.keys.unique_id.clone());
            let mut next_row = 1;
            let cancel = cancel.clone();
            let batches = scans.into_iter().flatten().map(move |batch| {
                if cancel.is_cancelled() {
                    return Err(ArrowError::ExternalError(Box::new(ResolveError::Cancelled)));
                }
                let batch = batch.map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
                progress.advanced(Stage::Read, batch.num_rows() as u64);
                match &unique_id {
                    None => Ok(batch),
                    Some(name) => {
                        let first = next_row;
                        next_row += batch.num_rows() as i64;
                        with_row_numbers(&batch, name, first)
                    }
                }
            });
            builder = builder.source(source, batches);
            start = end;
        }
        let linker = builder.build().map_err(|error| link_error("Reading the records", error))?;
        progress.finished(Stage::Read, started.elapsed().as_secs_f64());
        Ok(linker)
    }

    /// Compiles the model and further rules for the columns that are read.
    fn plan(&self, rules: &[BlockingRule]) -> Result<Plan, ResolveError> {
        let mut model = self.model.clone();
        model.blocking_rules.extend(rules.iter().cloned());
        let schemas = self.whole_schemas();
        Plan::compile(&model, &schemas[0], &CompileOptions::default())
            .map_err(|problems| link_error("Compiling the model", LinkError::Plan(Box::new(problems))))
    }

    /// Reads the columns that are needed of a table, under the model's names.
    fn scan(
        &self,
        table: usize,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, ResolveError>> + Send + use<>, ResolveError> {
        let columns = &self.columns[table];
        let places: Vec<usize> = columns.iter().map(|(_, column)| *column).collect();
        let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        let batches = self.tables[table].scan(Some(&places), Reading::ForMatching)?;
        Ok(batches.map(move |batch| {
            let batch = batch?;
            let fields: Vec<Field> = batch
                .schema_ref()
                .fields()
                .iter()
                .zip(&names)
                .map(|(field, name)| field.as_ref().clone().with_name(name))
                .collect();
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), batch.columns().to_vec(), &options)
                .map_err(|error| ResolveError::engine("Naming the columns", error))
        }))
    }
}

fn with_row_numbers(batch: &RecordBatch, name: &str, first: i64) -> Result<RecordBatch, ArrowError> {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(first..first + batch.num_rows() as i64));
    let mut fields = vec![Field::new(name, numbers.data_type().clone(), false)];
    fields.extend(batch.schema_ref().fields().iter().map(|field| field.as_ref().clone()));
    let arrays = std::iter::once(numbers).chain(batch.columns().iter().cloned()).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

/// The identifiers in a model's SQL, and where each stands.
struct Mentioned {
    /// Identifier, and the comparison or rule that has it.
    words: Vec<(String, String)>,
}

impl Mentioned {
    fn of(model: &LinkageModel, rules: &[BlockingRule]) -> Self {
        let mut words = Vec::new();
        let mut add = |sql: &str, place: &dyn Fn() -> String| {
            for word in identifiers(sql) {
                if words.iter().all(|(known, _): &(String, String)| *known != word) {
                    words.push((word, place()));
                }
            }
        };
        for comparison in &model.comparisons {
            let place = || format!("comparison `{}`", comparison.output_column_name);
            for level in &comparison.levels {
                add(&level.sql_condition, &place);
                if let Some(adjustment) = &level.term_frequency {
                    add(&adjustment.column, &place);
                }
            }
        }
        for rule in model.blocking_rules.iter().chain(rules) {
            match &rule.kind {
                BlockingKind::Sql(sql) => add(sql, &|| format!("blocking rule `{sql}`")),
                BlockingKind::SortedNeighbourhood { key: text, .. }
                | BlockingKind::QGramLsh { text, .. }
                | BlockingKind::Tokens { text, .. } => add(text, &|| format!("blocking rule over `{text}`")),
            }
            for array in &rule.arrays_to_explode {
                add(array, &|| format!("blocking rule that explodes `{array}`"));
            }
            if let Some(refinement) = &rule.refine_large_blocks {
                add(&refinement.sql, &|| format!("rule for large blocks `{}`", refinement.sql));
            }
        }
        Self { words }
    }

    /// Gives the name that the model has for a column, and where it stands.
    fn name_of(&self, column: &str, exact: bool) -> Option<(&str, &str)> {
        let equal = |word: &str| if exact { word == column } else { word.eq_ignore_ascii_case(column) };
        self.words.iter().find_map(|(word, place)| {
            let bare = word.strip_suffix("_l").or_else(|| word.strip_suffix("_r"));
            let name = if equal(word) { Some(word.as_str()) } else { bare.filter(|bare| equal(bare)) };
            name.map(|name| (name, place.as_str()))
        })
    }

    fn check_excluded(&self, excluded: &[String]) -> Result<(), ResolveError> {
        match excluded.iter().find_map(|column| Some((column, self.name_of(column, false)?))) {
            None => Ok(()),
            Some((column, (_, used_by))) => {
                Err(ResolveError::ExcludedColumn { column: column.clone(), used_by: used_by.to_owned() })
            }
        }
    }

    /// Gives the columns of a table that are mentioned, under the name that the model has for them.
    fn columns_in(&self, table: &InputTable) -> Vec<(String, usize)> {
        let mut columns: Vec<(String, usize)> = Vec::new();
        let fields = table.schema.fields();
        for exact in [true, false] {
            for (index, field) in fields.iter().enumerate() {
                if columns.iter().any(|(_, column)| *column == index) {
                    continue;
                }
                let alias = table.alias(index);
                let found = self.name_of(field.name(), exact).or_else(|| self.name_of(alias, exact).filter(|_| !exact));
                if let Some((name, _)) = found
                    && columns.iter().all(|(known, _)| known != name)
                {
                    columns.push((name.to_owned(), index));
                }
            }
        }
        columns.sort_by_key(|(_, column)| *column);
        columns
    }
}

/// Lists the identifiers of SQL, quoted or not; text in single quotes is passed over.
fn identifiers(sql: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = sql.char_indices().peekable();
    while let Some((start, c)) = rest.next() {
        match c {
            '\'' => {
                let _ = rest.by_ref().find(|(_, c)| *c == '\'');
            }
            '"' | '`' => {
                let mut end = sql.len();
                for (at, other) in rest.by_ref() {
                    if other == c {
                        end = at;
                        break;
                    }
                }
                words.push(sql[start + 1..end].to_owned());
            }
            c if c.is_alphabetic() || c == '_' => {
                let mut end = start + c.len_utf8();
                while let Some((at, c)) = rest.next_if(|(_, c)| c.is_alphanumeric() || *c == '_' || *c == '$') {
                    end = at + c.len_utf8();
                }
                words.push(sql[start..end].to_owned());
            }
            _ => {}
        }
    }
    words
}

/// Turns the engine's error into one that says what to do.
pub(super) fn link_error(step: &'static str, error: LinkError) -> ResolveError {
    match error {
        LinkError::Read { source_name, error: ArrowError::ExternalError(inner) } => {
            match inner.downcast::<ResolveError>() {
                Ok(error) => *error,
                Err(inner) => {
                    ResolveError::engine(step, LinkError::Read { source_name, error: ArrowError::ExternalError(inner) })
                }
            }
        }
        LinkError::Output(ArrowError::ExternalError(inner)) => match inner.downcast::<ResolveError>() {
            Ok(error) => *error,
            Err(inner) => ResolveError::engine(step, LinkError::Output(ArrowError::ExternalError(inner))),
        },
        LinkError::FullProduct { .. } => ResolveError::FullProduct { message: error.to_string() },
        LinkError::MemoryLimit { .. } => ResolveError::Memory { message: error.to_string() },
        LinkError::NullIdentifier { .. } | LinkError::DuplicateIdentifiers { .. } => ResolveError::request(
            error.to_string(),
            "Name another column with `--unique-id-column`; ids must be filled in and unique within a file",
        ),
        LinkError::Plan(source) => {
            let mut problems = Vec::new();
            let mut next: Option<&(dyn std::error::Error + 'static)> = Some(source.as_ref());
            while let Some(cause) = next {
                problems.extend(cause.to_string().lines().map(|line| line.trim_start_matches("- ").to_owned()));
                next = cause.source();
            }
            ResolveError::Unfit {
                problems,
                hint: Some("Check the model with `hotpass resolve model check MODEL --input-file FILE`".to_owned()),
            }
        }
        LinkError::NoRecords => {
            ResolveError::request("The inputs hold no record", "See what is found in them with `hotpass inspect FILE`")
        }
        LinkError::MissingColumn { .. }
        | LinkError::NoExactLevel { .. }
        | LinkError::NotAProbability { .. }
        | LinkError::TooManySources { .. }
        | LinkError::TooManyRecords { .. } => ResolveError::Unfit { problems: vec![error.to_string()], hint: None },
        other => ResolveError::engine(step, other),
    }
}

/// Sets which columns a model's tables of pairs have.
pub(super) fn with_output(mut model: LinkageModel, columns: PairColumns) -> LinkageModel {
    let output = &mut model.output;
    match columns {
        PairColumns::Full => {
            output.retain_matching_columns = true;
            output.retain_intermediate_calculation_columns = true;
        }
        PairColumns::Scores => {
            output.retain_matching_columns = false;
            output.retain_intermediate_calculation_columns = false;
            output.additional_columns_to_retain.clear();
        }
    }
    model
}

/// Lists the columns of a session's inputs that SQL mentions, under the model's names.
pub(super) fn columns_mentioned(sql: &str, session: &Session) -> Vec<String> {
    let words = identifiers(sql).into_iter().map(|word| (word, String::new())).collect();
    let mentioned = Mentioned { words };
    let mut columns: Vec<String> = session
        .columns
        .iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .filter(|name| mentioned.name_of(name, true).is_some())
        .collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_found_in_sql() {
        let check = |sql: &str, expected: &[&str]| assert_eq!(identifiers(sql), expected, "{sql}");
        check("l.surname = r.surname", &["l", "surname", "r", "surname"]);
        check("\"first name_l\" = 'a_b' or dob_r < 3", &["first name_l", "or", "dob_r"]);
        check("substr(l.dob, 1, 4) = substr(r.dob,1,4)", &["substr", "l", "dob", "substr", "r", "dob"]);
        check("'unclosed", &[]);
    }
}
