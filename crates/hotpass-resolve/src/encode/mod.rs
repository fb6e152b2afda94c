//! Record batches in, columns of codes out.
//!
//! Every batch is evaluated and encoded as it comes and dropped afterwards, so memory holds codes and distinct values, not rows.

mod dictionary;
mod identifiers;
mod index;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelIterator as _, IntoParallelRefMutIterator as _, ParallelIterator as _,
};

pub(crate) use dictionary::{Dictionary, WordDictionary, number_word, numbers};
pub(crate) use identifiers::Identifiers;
pub(crate) use index::{CodeIndex, hash_bytes, hash_word};

use crate::columns::{Columns, NULL, Values};
use crate::error::LinkError;
use crate::plan::{Plan, ValueType};
use crate::sql::expression::Expression;

/// The batches of a source.
pub(crate) type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'a>;

/// A named source of records.
pub(crate) struct Source<'a> {
    pub(crate) name: String,
    pub(crate) batches: Batches<'a>,
}

/// Evaluates what has no native form.
#[cfg(feature = "sql")]
pub(crate) type OpaqueEvaluator = crate::datafusion::PlannedExpressions;

/// Stands for the evaluator that this build does not have.
#[cfg(not(feature = "sql"))]
#[derive(Debug)]
pub(crate) struct OpaqueEvaluator;

#[cfg(not(feature = "sql"))]
impl OpaqueEvaluator {
    pub(crate) fn new(_: crate::model::TextSemantics) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the evaluator of builds with the feature `sql` has state")]
    fn evaluate(&self, sql: &str, _: &RecordBatch) -> Result<ArrayRef, crate::compare::CompareError> {
        Err(crate::compare::CompareError::NoSqlTier { sql: sql.to_owned() })
    }
}

/// What to encode beside the plan's features.
#[derive(Debug, Clone, Default)]
pub(crate) struct EncodeOptions {
    /// The column of ids.
    pub(crate) unique_id: String,
    /// The column that names the source within a table, if tables hold several.
    pub(crate) source_column: Option<String>,
    /// Columns to keep as they are.
    pub(crate) retain: Vec<String>,
    /// What a character is to expressions without a native form.
    pub(crate) semantics: crate::model::TextSemantics,
}

/// All records of all sources in key order.
#[derive(Debug)]
pub struct Records {
    columns: Columns,
    ids: Identifiers,
    source_names: Vec<String>,
    /// For each record its place in the input, all sources one after the other; `None` if records came in key order.
    input_rows: Option<Vec<u32>>,
    retained: Vec<(String, Retained)>,
}

/// A column kept for output or for the SQL tier.
#[derive(Debug)]
enum Retained {
    /// A feature of text holds the same values.
    Feature(usize),
    /// Text that no feature holds.
    Text { codes: Vec<u32>, values: crate::kernels::TextTable },
    /// Anything else, in input order.
    Array(ArrayRef),
}

impl Records {
    /// Gives the encoded features.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Gives the number of records.
    pub fn len(&self) -> usize {
        self.columns.n_rows
    }

    /// Tells whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives the names of the sources, as numbered in [`Columns::source`].
    pub fn source_names(&self) -> &[String] {
        &self.source_names
    }

    /// Gives the name of a record's source.
    pub fn source_name(&self, row: u32) -> &str {
        let source = self.columns.source.get(row as usize).map_or(0, |&source| usize::from(source));
        self.source_names.get(source).map_or("", String::as_str)
    }

    /// Gives the id of a record as text.
    pub fn identifier(&self, row: u32) -> String {
        self.ids.text(row as usize)
    }

    /// Gives the ids of records: `Int64` if every id is a whole number that fits, else `Utf8`.
    pub fn identifiers(&self, rows: &[u32]) -> ArrayRef {
        self.ids.take(rows)
    }

    /// Gives the Arrow type of [`Records::identifiers`].
    pub fn identifier_type(&self) -> DataType {
        self.ids.data_type()
    }

    /// Gives the source names of records as `Utf8`.
    pub fn sources(&self, rows: &[u32]) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|&row| self.source_name(row))))
    }

    /// Gives a record's place in the input, all sources one after the other.
    pub fn input_row(&self, row: u32) -> u32 {
        self.input_rows.as_ref().map_or(row, |rows| rows[row as usize])
    }

    /// Gives the names of the columns that were kept.
    pub fn retained(&self) -> impl Iterator<Item = &str> {
        self.retained.iter().map(|(name, _)| name.as_str())
    }

    /// Gives the values of a kept column, or `None` if it was not kept. Text comes as `Utf8`, all else in its own type.
    ///
    /// # Errors
    ///
    /// When rows cannot be gathered, which only an offset overflow can cause.
    pub fn take(&self, column: &str, rows: &[u32]) -> Result<Option<ArrayRef>, ArrowError> {
        let Some((_, retained)) = self.retained.iter().find(|(name, _)| name == column) else { return Ok(None) };
        let text = |codes: &[u32], values: &crate::kernels::TextTable| -> ArrayRef {
            let mut builder = StringBuilder::with_capacity(rows.len(), rows.len() * 12);
            for &row in rows {
                let code = codes[row as usize];
                builder.append_option((code != NULL).then(|| values.get(code)));
            }
            Arc::new(builder.finish())
        };
        Ok(Some(match retained {
            Retained::Feature(feature) => match self.columns.values(*feature) {
                Values::Text(values) => text(&self.columns.codes[*feature], values),
                _ => return Ok(None),
            },
            Retained::Text { codes, values } => text(codes, values),
            Retained::Array(array) => {
                let places = arrow::array::UInt32Array::from_iter_values(rows.iter().map(|&row| self.input_row(row)));
                take(array, &places, None)?
            }
        }))
    }

    /// Gives the Arrow type of a kept column.
    pub fn retained_type(&self, column: &str) -> Option<DataType> {
        self.retained.iter().find(|(name, _)| name == column).map(|(_, retained)| match retained {
            Retained::Array(array) => array.data_type().clone(),
            _ => DataType::Utf8,
        })
    }

    /// Gives the bytes on the heap that records take, with all that kernels keep of each value.
    pub fn heap_bytes(&self) -> u64 {
        let codes: u64 = self.columns.codes.iter().map(|codes| codes.capacity() as u64 * 4).sum();
        let values: u64 = self.columns.domains.iter().map(values_bytes).sum();
        let kept = |retained: &Retained| match retained {
            Retained::Feature(_) => 0,
            Retained::Text { codes, values } => codes.capacity() as u64 * 4 + values.heap_bytes() as u64,
            Retained::Array(array) => array.get_array_memory_size() as u64,
        };
        let retained: u64 = self.retained.iter().map(|(_, retained)| kept(retained)).sum();
        let order = self.input_rows.as_ref().map_or(0, |rows| rows.capacity() as u64 * 4);
        codes + values + retained + order + self.ids.heap_bytes() + self.columns.source.capacity() as u64 * 2
    }
}

fn values_bytes(values: &Values) -> u64 {
    match values {
        Values::Text(table) => table.heap_bytes() as u64,
        Values::Integer(values) => values.capacity() as u64 * 8,
        Values::Number(values) => values.capacity() as u64 * 8,
        Values::Boolean(_) => 2,
        Values::TextList { offsets, codes, elements } => {
            (offsets.capacity() + codes.capacity()) as u64 * 4 + elements.heap_bytes() as u64
        }
        Values::NumberList { offsets, numbers } => offsets.capacity() as u64 * 4 + numbers.capacity() as u64 * 8,
    }
}

/// How a feature gets its codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From each batch.
    Batch,
    /// From the distinct values of a text column, once all batches are read: index into the base dictionaries.
    Distinct(usize),
}

/// Where the distinct values of a text column are kept.
#[derive(Debug, Clone)]
enum Base {
    Feature(usize),
    Own(String),
}

/// One dictionary and the features (or the kept column) that fill it.
struct Task {
    dictionary: Dictionary,
    /// Feature index, what to evaluate, and its codes.
    inputs: Vec<(usize, Expression, Vec<u32>)>,
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// Gives the one column that an expression reads, if it is one.
fn single_column(expression: &Expression) -> Option<String> {
    let mut columns = Vec::new();
    columns_of(expression, &mut columns);
    columns.sort();
    columns.dedup();
    (columns.len() == 1).then(|| columns.swap_remove(0))
}

/// Lists the columns that an expression reads.
pub(crate) fn columns_of(expression: &Expression, columns: &mut Vec<String>) {
    let mut all =
        |expressions: &[&Expression]| expressions.iter().for_each(|expression| columns_of(expression, columns));
    match expression {
        Expression::Column { name, .. } => columns.push(name.clone()),
        Expression::Literal(_) => {}
        Expression::Call { arguments, .. } => arguments.iter().for_each(|argument| columns_of(argument, columns)),
        Expression::Not(operand)
        | Expression::Negate(operand)
        | Expression::IsNull { operand, .. }
        | Expression::Cast { operand, .. } => {
            columns_of(operand, columns);
        }
        Expression::Binary { left, right, .. } => all(&[left, right]),
        Expression::Case { branches, otherwise } => {
            for (condition, result) in branches {
                all(&[condition, result]);
            }
            if let Some(otherwise) = otherwise {
                columns_of(otherwise, columns);
            }
        }
        Expression::In { operand, list, .. } => {
            columns_of(operand, columns);
            for item in list {
                columns_of(item, columns);
            }
        }
        Expression::Opaque { columns: read, .. } => columns.extend(read.iter().map(|(_, name)| name.clone())),
    }
}

/// Evaluates an expression over the records of a batch.
pub(crate) fn evaluate(
    expression: &Expression,
    batch: &RecordBatch,
    source: &str,
    opaque: &OpaqueEvaluator,
) -> Result<ArrayRef, LinkError> {
    if let Expression::Opaque { sql, .. } = expression {
        return opaque.evaluate(sql, batch).map_err(|error| LinkError::Evaluate {
            expression: sql.clone(),
            source_name: source.to_owned(),
            error: Box::new(error),
        });
    }
    if let Expression::Column { name, .. } = expression {
        return batch.column_by_name(name).cloned().ok_or_else(|| missing_column(name, source, batch.schema_ref()));
    }
    let mut columns = Vec::new();
    columns_of(expression, &mut columns);
    if let Some(name) = columns.iter().find(|name| batch.column_by_name(name).is_none()) {
        return Err(missing_column(name, source, batch.schema_ref()));
    }
    crate::sql::record::evaluate(expression, batch).map_err(|error| LinkError::Evaluate {
        expression: crate::sql::format(expression),
        source_name: source.to_owned(),
        error: Box::new(error),
    })
}

fn missing_column(column: &str, source: &str, schema: &Schema) -> LinkError {
    let names = schema.fields().iter().map(|field| field.name());
    let nearest =
        names.map(|name| (strsim::damerau_levenshtein(&name.to_lowercase(), &column.to_lowercase()), name)).min();
    LinkError::MissingColumn {
        column: column.to_owned(),
        source_name: source.to_owned(),
        nearest: nearest.filter(|(distance, _)| *distance <= column.len().max(3) / 2).map(|(_, name)| name.clone()),
    }
}

/// The state of encoding between batches.
struct Encoder<'p> {
    plan: &'p Plan,
    options: &'p EncodeOptions,
    opaque: OpaqueEvaluator,
    tasks: Vec<Task>,
    ways: Vec<Way>,
    bases: Vec<Base>,
    /// Index of a base's own task, by base.
    base_tasks: Vec<Option<usize>>,
    retained_arrays: Vec<(String, Vec<ArrayRef>)>,
    /// Kept text columns: name and task, or feature.
    retained_text: Vec<(String, Result<usize, usize>)>,
    ids: Identifiers,
    sources: Vec<u16>,
    source_names: Vec<String>,
    n_rows: u64,
}

/// Gives each domain the type that holds the values of all its features.
fn domain_types(plan: &Plan) -> Vec<ValueType> {
    let mut types: Vec<Option<ValueType>> = vec![None; plan.n_domains];
    for feature in &plan.features {
        let known = &mut types[feature.domain];
        *known = Some(match (*known, feature.value_type) {
            (None, new) => new,
            (Some(old), new) if old == new => old,
            (Some(ValueType::Integer | ValueType::Number), ValueType::Integer | ValueType::Number) => ValueType::Number,
            (Some(ValueType::TextList | ValueType::NumberList), ValueType::TextList | ValueType::NumberList) => {
                ValueType::TextList
            }
            _ => ValueType::Text,
        });
    }
    types.into_iter().map(|known| known.unwrap_or(ValueType::Text)).collect()
}

impl<'p> Encoder<'p> {
    fn new(plan: &'p Plan, schema: &Schema, options: &'p EncodeOptions) -> Self {
        let types = domain_types(plan);
        let mut tasks: Vec<Task> = types
            .iter()
            .map(|&value_type| Task { dictionary: Dictionary::new(value_type), inputs: Vec::new() })
            .collect();
        let text_column = |name: &str| schema.field_with_name(name).is_ok_and(|field| is_text(field.data_type()));
        let holds_text = |feature: usize| types[plan.features[feature].domain] == ValueType::Text;
        let feature_of: HashMap<&str, usize> = plan
            .features
            .iter()
            .enumerate()
            .filter_map(|(index, feature)| match &feature.expression {
                Expression::Column { name, .. } if text_column(name) && holds_text(index) => {
                    Some((name.as_str(), index))
                }
                _ => None,
            })
            .collect();
        let mut bases: Vec<Base> = Vec::new();
        let mut base_of: HashMap<String, usize> = HashMap::new();
        let mut ways = Vec::new();
        for feature in &plan.features {
            let base = match &feature.expression {
                Expression::Column { .. } => None,
                expression => single_column(expression).filter(|name| text_column(name)),
            };
            ways.push(base.map_or(Way::Batch, |name| {
                Way::Distinct(*base_of.entry(name.clone()).or_insert_with(|| {
                    bases
                        .push(feature_of.get(name.as_str()).map_or(Base::Own(name), |&feature| Base::Feature(feature)));
                    bases.len() - 1
                }))
            }));
        }
        for (index, feature) in plan.features.iter().enumerate() {
            if ways[index] == Way::Batch {
                tasks[feature.domain].inputs.push((index, feature.expression.clone(), Vec::new()));
            }
        }
        let mut own_task = |name: &str| {
            let expression = Expression::Column { side: None, name: name.to_owned() };
            tasks.push(Task {
                dictionary: Dictionary::new(ValueType::Text),
                inputs: vec![(usize::MAX, expression, Vec::new())],
            });
            tasks.len() - 1
        };
        let base_tasks: Vec<Option<usize>> = bases
            .iter()
            .map(|base| match base {
                Base::Feature(_) => None,
                Base::Own(name) => Some(own_task(name)),
            })
            .collect();
        let mut retained_arrays = Vec::new();
        let mut retained_text = Vec::new();
        for name in &options.retain {
            let own_base = bases.iter().position(|base| matches!(base, Base::Own(own) if own == name));
            if let Some(&feature) = feature_of.get(name.as_str()) {
                retained_text.push((name.clone(), Err(feature)));
            } else if let Some(task) = own_base.and_then(|base| base_tasks[base]) {
                retained_text.push((name.clone(), Ok(task)));
            } else if text_column(name) {
                retained_text.push((name.clone(), Ok(own_task(name))));
            } else {
                retained_arrays.push((name.clone(), Vec::new()));
            }
        }
        Self {
            plan,
            options,
            opaque: OpaqueEvaluator::new(options.semantics),
            tasks,
            ways,
            bases,
            base_tasks,
            retained_arrays,
            retained_text,
            ids: Identifiers::new(),
            sources: Vec::new(),
            source_names: Vec::new(),
            n_rows: 0,
        }
    }

    fn source_number(&mut self, name: &str) -> Result<u16, LinkError> {
        let number = self.source_names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.source_names.push(name.to_owned());
            self.source_names.len() - 1
        });
        u16::try_from(number).map_err(|_| LinkError::TooManySources { count: number + 1 })
    }

    fn batch(&mut self, batch: &RecordBatch, source: &str) -> Result<(), LinkError> {
        let column =
            |name: &str| batch.column_by_name(name).ok_or_else(|| missing_column(name, source, batch.schema_ref()));
        self.ids.append(column(&self.options.unique_id)?, source)?;
        self.n_rows += batch.num_rows() as u64;
        if self.n_rows >= u64::from(NULL) {
            return Err(LinkError::TooManyRecords { count: self.n_rows });
        }
        for (name, arrays) in &mut self.retained_arrays {
            arrays.push(Arc::clone(column(name)?));
        }
        if let Some(names) = self.options.source_column.as_ref().and_then(|name| batch.column_by_name(name)) {
            let names = arrow::compute::cast(names, &DataType::Utf8)
                .map_err(|error| LinkError::Read { source_name: source.to_owned(), error })?;
            for name in names.as_string::<i32>() {
                let number = self.source_number(name.unwrap_or(source))?;
                self.sources.push(number);
            }
        } else {
            let number = self.source_number(source)?;
            self.sources.resize(self.n_rows as usize, number);
        }
        let opaque = &self.opaque;
        self.tasks.par_iter_mut().try_for_each(|task| {
            for (_, expression, codes) in &mut task.inputs {
                let array = evaluate(expression, batch, source, opaque)?;
                task.dictionary.encode(&array, codes).map_err(|error| LinkError::Evaluate {
                    expression: crate::sql::format(expression),
                    source_name: source.to_owned(),
                    error: Box::new(error),
                })?;
            }
            Ok(())
        })
    }

    /// Computes the features that read one text column from its distinct values.
    fn derive(&mut self) -> Result<Vec<Vec<u32>>, LinkError> {
        let mut codes: Vec<Vec<u32>> = vec![Vec::new(); self.plan.features.len()];
        for task in &mut self.tasks {
            for (feature, _, found) in &mut task.inputs {
                if *feature != usize::MAX {
                    codes[*feature] = std::mem::take(found);
                    codes[*feature].shrink_to_fit();
                }
            }
        }
        for (index, feature) in self.plan.features.iter().enumerate() {
            let Way::Distinct(base) = self.ways[index] else { continue };
            let (name, task) = match &self.bases[base] {
                Base::Feature(of) => (
                    single_column(&self.plan.features[*of].expression).unwrap_or_default(),
                    self.plan.features[*of].domain,
                ),
                Base::Own(name) => (name.clone(), self.base_tasks[base].unwrap_or_default()),
            };
            let mut derived = Vec::new();
            let n = match &self.tasks[task].dictionary {
                Dictionary::Text(dictionary) => dictionary.len() as u32,
                _ => 0,
            };
            for begin in (0..n).step_by(1 << 16) {
                let Dictionary::Text(dictionary) = &self.tasks[task].dictionary else { break };
                let texts: ArrayRef = Arc::new(dictionary.array(begin..n.min(begin + (1 << 16))));
                let schema = Arc::new(Schema::new(vec![Field::new(&name, DataType::Utf8, true)]));
                let failed = |error: ArrowError| LinkError::Evaluate {
                    expression: crate::sql::format(&feature.expression),
                    source_name: self.source_names.first().cloned().unwrap_or_default(),
                    error: Box::new(error),
                };
                let batch = RecordBatch::try_new(schema, vec![texts]).map_err(failed)?;
                let source = self.source_names.first().map_or("", String::as_str);
                let array = evaluate(&feature.expression, &batch, source, &self.opaque)?;
                self.tasks[feature.domain].dictionary.encode(&array, &mut derived).map_err(failed)?;
            }
            let of_null = self.of_null(&name, feature)?;
            let base_codes = match &self.bases[base] {
                Base::Feature(of) => &codes[*of],
                Base::Own(_) => &self.tasks[task].inputs[0].2,
            };
            let found =
                base_codes.iter().map(|&code| if code == NULL { of_null } else { derived[code as usize] }).collect();
            codes[index] = found;
        }
        Ok(codes)
    }

    /// Gives the code of an expression where its column is null, which need not be null itself (`coalesce`).
    fn of_null(&mut self, name: &str, feature: &crate::plan::Feature) -> Result<u32, LinkError> {
        let failed = |error: ArrowError| LinkError::Evaluate {
            expression: crate::sql::format(&feature.expression),
            source_name: String::new(),
            error: Box::new(error),
        };
        let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new(name, DataType::Utf8, true)]));
        let batch =
            RecordBatch::try_new(schema, vec![Arc::new(StringArray::from(vec![None::<&str>]))]).map_err(failed)?;
        let array = evaluate(&feature.expression, &batch, "", &self.opaque)?;
        let mut code = Vec::new();
        self.tasks[feature.domain].dictionary.encode(&array, &mut code).map_err(failed)?;
        Ok(code.first().copied().unwrap_or(NULL))
    }

    fn finish(mut self) -> Result<Records, LinkError> {
        let mut codes = self.derive()?;
        let several = self.source_names.len() > 1;
        if !several {
            self.sources = Vec::new();
        }
        let order = identifiers::key_order(&self.ids, &self.sources, &self.source_names)?;
        let mut retained: Vec<(String, Retained)> = Vec::new();
        for (name, place) in std::mem::take(&mut self.retained_text) {
            retained.push((
                name,
                match place {
                    Err(feature) => Retained::Feature(feature),
                    Ok(task) => {
                        let task = &mut self.tasks[task];
                        let dictionary = std::mem::replace(&mut task.dictionary, Dictionary::Boolean);
                        let values = match dictionary.into_values() {
                            Values::Text(values) => values,
                            _ => crate::kernels::TextTable::default(),
                        };
                        Retained::Text {
                            codes: task
                                .inputs
                                .first_mut()
                                .map(|input| std::mem::take(&mut input.2))
                                .unwrap_or_default(),
                            values,
                        }
                    }
                },
            ));
        }
        self.tasks.truncate(self.plan.n_domains);
        for (name, arrays) in std::mem::take(&mut self.retained_arrays) {
            let parts: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
            let array = concat(&parts).map_err(LinkError::Output)?;
            retained.push((name, Retained::Array(array)));
        }
        if let Some(order) = &order {
            let reorder = |codes: &mut Vec<u32>| *codes = order.iter().map(|&row| codes[row as usize]).collect();
            codes.par_iter_mut().for_each(reorder);
            for (_, retained) in &mut retained {
                if let Retained::Text { codes, .. } = retained {
                    reorder(codes);
                }
            }
            self.ids.reorder(order);
            if several {
                self.sources = order.iter().map(|&row| self.sources[row as usize]).collect();
            }
        }
        self.ids.shrink();
        let domains = self.tasks.into_par_iter().with_max_len(1).map(|task| task.dictionary.into_values()).collect();
        Ok(Records {
            columns: Columns {
                n_rows: self.n_rows as usize,
                codes,
                domain_of: self.plan.features.iter().map(|feature| feature.domain).collect(),
                domains,
                source: self.sources,
            },
            ids: self.ids,
            source_names: self.source_names,
            input_rows: order,
            retained,
        })
    }
}

/// Reads and encodes all sources; a batch is encoded while the next one is read.
pub(crate) fn encode(
    plan: &Plan,
    schema: &Schema,
    sources: Vec<Source<'_>>,
    options: &EncodeOptions,
) -> Result<Records, LinkError> {
    let mut encoder = Encoder::new(plan, schema, options);
    for source in sources {
        let Source { name, mut batches } = source;
        let mut next = batches.next();
        while let Some(batch) = next {
            let batch = batch.map_err(|error| LinkError::Read { source_name: name.clone(), error })?;
            let (following, encoded) = rayon::join(|| batches.next(), || encoder.batch(&batch, &name));
            encoded?;
            next = following;
        }
    }
    encoder.finish()
}
