//! The functions of conditions and rules as scalar functions of DataFusion.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Float64Builder, Int64Array, ListArray, ListBuilder, StringArray,
    StringBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::kernels;
use crate::library::{FUNCTIONS, FunctionKind, RecordFunction, record_function, text_similarity};
use crate::model::TextSemantics;

/// Registers every function with a session.
///
/// `semantics` is what a character is and what empty text scores, see [`TextSemantics`]; a query of a person wants characters.
/// Corpus-dependent measures (`tfidf_cosine`, `soft_tfidf`) are left out: outside a model there is no corpus to count in.
pub fn register_functions(session: &SessionContext, semantics: TextSemantics) {
    for function in functions(semantics) {
        session.register_udf(function);
    }
}

/// Gives every function, see [`register_functions`].
pub fn functions(semantics: TextSemantics) -> Vec<ScalarUDF> {
    let texts = PAIR_FUNCTIONS.iter().map(|(name, aliases, kind)| {
        ScalarUDF::from(PairFunction::new(name, aliases, PairKind::Text(*kind), semantics))
    });
    let similarities = FUNCTIONS
        .iter()
        .filter(|function| function.kind == FunctionKind::PairMeasure && !NEEDS_CORPUS.contains(&function.name))
        .map(|function| {
            let kind = if function.name == "distance_km" { PairKind::DistanceKm } else { PairKind::Measure };
            ScalarUDF::from(PairFunction::new(function.name, &[], kind, semantics))
        });
    let cosine = ScalarUDF::from(PairFunction::new(
        "cosine_similarity",
        &["array_cosine_similarity", "list_cosine_similarity"],
        PairKind::Cosine,
        semantics,
    ));
    let records = FUNCTIONS
        .iter()
        .filter(|function| function.kind == FunctionKind::Record)
        .map(|function| ScalarUDF::from(RecordScalarFunction::new(function.name)));
    texts.chain(similarities).chain([cosine]).chain(records).collect()
}

/// Tells whether [`functions`] has a function of this name.
pub(super) fn has(name: &str) -> bool {
    PAIR_FUNCTIONS.iter().any(|(known, aliases, _)| *known == name || aliases.contains(&name))
        || FUNCTIONS.iter().any(|function| function.name == name)
        || matches!(name, "cosine_similarity" | "array_cosine_similarity" | "list_cosine_similarity")
}

/// Measures whose value depends on the frequencies of tokens in a column.
const NEEDS_CORPUS: &[&str] = &["tfidf_cosine", "soft_tfidf"];

/// A similarity or distance of two texts and its type: a distance is a whole number, as in DuckDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum TextFunction {
    Jaro,
    JaroWinkler,
    Levenshtein,
    DamerauLevenshtein,
    Jaccard,
    Hamming,
}

const PAIR_FUNCTIONS: &[(&str, &[&str], TextFunction)] = &[
    ("jaro_similarity", &["jaro"], TextFunction::Jaro),
    ("jaro_winkler_similarity", &["jaro_winkler"], TextFunction::JaroWinkler),
    ("levenshtein", &["editdist3"], TextFunction::Levenshtein),
    ("damerau_levenshtein", &[], TextFunction::DamerauLevenshtein),
    ("jaccard", &["jaccard_similarity"], TextFunction::Jaccard),
    ("hamming", &["mismatches"], TextFunction::Hamming),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum PairKind {
    Text(TextFunction),
    /// A pair measure of the library, by the function's name.
    Measure,
    Cosine,
    DistanceKm,
}

#[derive(Debug)]
struct PairFunction {
    name: &'static str,
    aliases: Vec<String>,
    kind: PairKind,
    semantics: TextSemantics,
    signature: Signature,
}

impl PairFunction {
    fn new(name: &'static str, aliases: &[&str], kind: PairKind, semantics: TextSemantics) -> Self {
        Self {
            name,
            aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            kind,
            semantics,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl PartialEq for PairFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.kind == other.kind && self.semantics == other.semantics
    }
}

impl Eq for PairFunction {}

impl Hash for PairFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.name, self.kind, self.semantics).hash(state);
    }
}

fn list_of_numbers() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)))
}

impl ScalarUDFImpl for PairFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            PairKind::Text(TextFunction::Levenshtein | TextFunction::DamerauLevenshtein | TextFunction::Hamming) => {
                DataType::Int64
            }
            _ => DataType::Float64,
        })
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let wanted = match self.kind {
            PairKind::Cosine => vec![list_of_numbers(); 2],
            PairKind::DistanceKm => vec![DataType::Float64; 4],
            PairKind::Measure if self.name.starts_with("qgram_") => {
                vec![DataType::Utf8, DataType::Utf8, DataType::Int64]
            }
            PairKind::Text(_) | PairKind::Measure => vec![DataType::Utf8; 2],
        };
        if types.len() != wanted.len() {
            return plan_err!("`{}` takes {} arguments, not {}", self.name, wanted.len(), types.len());
        }
        for (given, wanted) in types.iter().zip(&wanted) {
            let fits = match wanted {
                DataType::Utf8 => is_text(given),
                DataType::List(_) => given.is_nested() || given.is_null(),
                _ => given.is_numeric() || given.is_null(),
            };
            if !fits {
                return plan_err!("`{}` takes {wanted}, not {given}: cast the argument first", self.name);
            }
        }
        Ok(wanted)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let n_rows = arguments.number_rows;
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let array: ArrayRef = match self.kind {
            PairKind::Text(function) => text_distances(function, self.semantics, &arrays),
            PairKind::Measure => measure(self.name, &arrays)?,
            PairKind::Cosine => cosines(&arrays),
            PairKind::DistanceKm => distances_km(&arrays),
        };
        // Constants on both sides come as arrays of one row.
        if array.len() == n_rows { Ok(ColumnarValue::Array(array)) } else { one_value(&array, n_rows) }
    }
}

fn one_value(array: &ArrayRef, n_rows: usize) -> Result<ColumnarValue> {
    if array.len() != 1 {
        return exec_err!("Expected {n_rows} values, found {}: this is a fault of the function", array.len());
    }
    Ok(ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(array, 0)?))
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// Gives the pairs of texts row by row, `None` where either is null.
fn texts(arrays: &[ArrayRef]) -> impl Iterator<Item = Option<(&str, &str)>> {
    let (left, right): (&StringArray, &StringArray) = (arrays[0].as_string(), arrays[1].as_string());
    left.iter().zip(right.iter()).map(|(left, right)| left.zip(right))
}

fn text_distances(function: TextFunction, semantics: TextSemantics, arrays: &[ArrayRef]) -> ArrayRef {
    let number = |function: fn(&str, &str, TextSemantics) -> f64| -> ArrayRef {
        Arc::new(
            texts(arrays)
                .map(|pair| pair.map(|(left, right)| function(left, right, semantics)))
                .collect::<Float64Array>(),
        )
    };
    let count = |function: fn(&str, &str, TextSemantics) -> f64| -> ArrayRef {
        let edits = texts(arrays).map(|pair| pair.map(|(left, right)| function(left, right, semantics) as i64));
        Arc::new(edits.collect::<Int64Array>())
    };
    match function {
        TextFunction::Jaro => number(kernels::jaro_similarity),
        TextFunction::JaroWinkler => number(kernels::jaro_winkler_similarity),
        TextFunction::Jaccard => number(kernels::jaccard_similarity),
        TextFunction::Levenshtein => count(kernels::levenshtein_distance),
        TextFunction::DamerauLevenshtein => count(kernels::damerau_levenshtein_distance),
        TextFunction::Hamming => {
            let places = texts(arrays).map(|pair| {
                pair.and_then(|(left, right)| kernels::hamming_distance(left, right, semantics))
                    .map(|places| places as i64)
            });
            Arc::new(places.collect::<Int64Array>())
        }
    }
}

fn measure(name: &str, arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let value = |q: Option<u8>, left: &str, right: &str| {
        text_similarity(name, q).and_then(|similarity| kernels::tokens::similarity_of(similarity, left, right))
    };
    let counts = arrays.get(2).map(AsArray::as_primitive::<Int64Type>);
    let mut values = Float64Builder::with_capacity(arrays[0].len());
    for (row, pair) in texts(arrays).enumerate() {
        let Some((left, right)) = pair.filter(|_| counts.is_none_or(|counts| counts.is_valid(row))) else {
            values.append_null();
            continue;
        };
        let q = match counts.map(|counts| counts.value(row)) {
            None => None,
            Some(q) => match u8::try_from(q) {
                Ok(q @ 1..) => Some(q),
                _ => return exec_err!("`{name}` takes grams of 1 to 255 characters, not {q}"),
            },
        };
        values.append_option(value(q, left, right));
    }
    Ok(Arc::new(values.finish()))
}

fn cosines(arrays: &[ArrayRef]) -> ArrayRef {
    let (left, right): (&ListArray, &ListArray) = (arrays[0].as_list(), arrays[1].as_list());
    let mut values = Float64Builder::with_capacity(left.len());
    for row in 0..left.len() {
        if left.is_null(row) || right.is_null(row) {
            values.append_null();
            continue;
        }
        let (left, right) = (left.value(row), right.value(row));
        values.append_option(cosine(left.as_primitive::<Float64Type>(), right.as_primitive::<Float64Type>()));
    }
    Arc::new(values.finish())
}

fn cosine(left: &Float64Array, right: &Float64Array) -> Option<f64> {
    if left.len() != right.len() || left.is_empty() || left.null_count() + right.null_count() > 0 {
        return None;
    }
    let dot = |a: &Float64Array, b: &Float64Array| a.values().iter().zip(b.values()).map(|(a, b)| a * b).sum::<f64>();
    let norms = (dot(left, left) * dot(right, right)).sqrt();
    (norms > 0.0).then(|| (dot(left, right) / norms).clamp(-1.0, 1.0))
}

fn distances_km(arrays: &[ArrayRef]) -> ArrayRef {
    let columns: Vec<&Float64Array> = arrays.iter().map(AsArray::as_primitive::<Float64Type>).collect();
    let rows = (0..columns[0].len()).map(|row| {
        columns.iter().all(|column| column.is_valid(row)).then(|| {
            let [a, b, c, d] = [0, 1, 2, 3].map(|column: usize| columns[column].value(row));
            kernels::geography::distance_km(a, b, c, d)
        })
    });
    Arc::new(rows.collect::<Float64Array>())
}

/// A function of one record's text.
#[derive(Debug, PartialEq, Eq, Hash)]
struct RecordScalarFunction {
    name: &'static str,
    signature: Signature,
}

impl RecordScalarFunction {
    fn new(name: &'static str) -> Self {
        Self { name, signature: Signature::user_defined(Volatility::Immutable) }
    }

    fn takes_count(&self) -> bool {
        matches!(record_function(self.name), Some(RecordFunction::TextWithCount(_)))
    }
}

impl ScalarUDFImpl for RecordScalarFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match record_function(self.name) {
            Some(RecordFunction::List(_)) => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
            _ => DataType::Utf8,
        })
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let wanted = if self.takes_count() { 2 } else { 1 };
        if types.len() != wanted {
            return plan_err!("`{}` takes {wanted} arguments, not {}", self.name, types.len());
        }
        if !is_text(&types[0]) {
            return plan_err!("`{}` takes text, not {}: cast the argument first", self.name, types[0]);
        }
        Ok(if wanted == 2 { vec![DataType::Utf8, DataType::Int64] } else { vec![DataType::Utf8] })
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let input: &StringArray = arrays[0].as_string();
        let array: ArrayRef = match record_function(self.name) {
            Some(RecordFunction::Text(function)) => {
                Arc::new(input.iter().map(|text| text.and_then(function)).collect::<StringArray>())
            }
            Some(RecordFunction::TextWithCount(function)) => {
                let counts = cast(&arrays[1], &DataType::Int64)?;
                let counts = counts.as_primitive::<Int64Type>();
                let mut texts = StringBuilder::new();
                for (row, text) in input.iter().enumerate() {
                    let count = counts.is_valid(row).then(|| counts.value(row));
                    texts.append_option(match (text, count) {
                        (Some(text), Some(count)) => match usize::try_from(count) {
                            Ok(count) => function(text, count),
                            Err(_) => return exec_err!("`{}` takes a count of at least 0, not {count}", self.name),
                        },
                        _ => None,
                    });
                }
                Arc::new(texts.finish())
            }
            Some(RecordFunction::List(function)) => {
                let mut lists = ListBuilder::new(StringBuilder::new());
                for text in input {
                    match text {
                        Some(text) => lists.append_value(function(text).into_iter().map(Some)),
                        None => lists.append_null(),
                    }
                }
                Arc::new(lists.finish())
            }
            None => return exec_err!("`{}` is not a function of one record", self.name),
        };
        if array.len() == arguments.number_rows {
            Ok(ColumnarValue::Array(array))
        } else {
            one_value(&array, arguments.number_rows)
        }
    }
}
