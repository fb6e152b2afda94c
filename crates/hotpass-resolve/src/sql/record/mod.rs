//! Evaluation of expressions over one record, column by column, with DuckDB's meaning.
//!
//! Columns of any text, list, number or date type are read; what comes out is text, `i64`, `f64`, truth values, lists of text
//! or lists of `f64`. Dates and timestamps inside an expression keep their type and leave it as seconds since 1970-01-01.

mod compare;
mod library;
mod list;
mod number;
mod pattern;
#[cfg(test)]
mod tests;
mod text;
mod time;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float32Array, Float64Array, Int64Array, ListArray, NullArray,
    RecordBatch, RecordBatchOptions, StringArray, TimestampMicrosecondArray, UInt32Array, new_null_array,
};
use arrow::compute::{cast_with_options, kernels::boolean, kernels::cast::CastOptions, take};
use arrow::datatypes::{
    DataType, Date32Type, Field, Float32Type, Float64Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;

use super::expression::{BinaryOperator, Expression, Literal};
use crate::plan::ValueType;

/// Why an expression over one record has no value.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// The records lack a column.
    #[error("Column `{name}` does not exist")]
    UnknownColumn {
        /// The column.
        name: String,
    },
    /// A column's type has no meaning here.
    #[error("Column `{name}` has type {data_type}, which nothing here reads")]
    ColumnType {
        /// The column.
        name: String,
        /// Its Arrow type.
        data_type: DataType,
    },
    /// The expression reads both records of a pair.
    #[error("Expression reads a pair of records where one record is expected: column `{name}`")]
    Pair {
        /// The column with a side.
        name: String,
    },
    /// A function that is not evaluated natively.
    #[error("Function `{function}` has no native form for {n_arguments} arguments")]
    UnknownFunction {
        /// The function.
        function: String,
        /// Number of arguments it was given.
        n_arguments: usize,
    },
    /// SQL that is not evaluated natively.
    #[error("Expression has no native form: {sql}")]
    Opaque {
        /// Its text.
        sql: String,
    },
    /// An operand has the wrong type.
    #[error("`{function}` takes {expected}, not {found}")]
    OperandType {
        /// The function or operator.
        function: String,
        /// What it takes.
        expected: String,
        /// What it was given.
        found: String,
    },
    /// An argument must be a constant.
    #[error("`{function}` needs a constant for its {argument}")]
    NotConstant {
        /// The function.
        function: String,
        /// Which argument.
        argument: &'static str,
    },
    /// A constant argument means nothing.
    #[error("`{function}` has a {argument} that cannot be used: {message}")]
    Argument {
        /// The function.
        function: String,
        /// Which argument.
        argument: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A value does not fit the target of a cast.
    #[error("A value cannot be cast to {to}: use TRY_CAST for null instead")]
    Conversion {
        /// The target.
        to: &'static str,
    },
    /// Arrow refused.
    #[error("Arrow kernel failed")]
    Arrow(#[from] ArrowError),
}

/// Values of an expression: one per record, or one for all records.
#[derive(Debug, Clone)]
pub(super) struct Datum {
    array: ArrayRef,
    /// The array has one element that stands for every record.
    constant: bool,
}

impl Datum {
    fn new(array: ArrayRef, constant: bool) -> Self {
        Self { array, constant }
    }

    fn data_type(&self) -> &DataType {
        self.array.data_type()
    }

    fn is_null_type(&self) -> bool {
        *self.data_type() == DataType::Null
    }

    fn index(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    fn spread(&self, n_rows: usize) -> Result<ArrayRef, EvaluationError> {
        if !self.constant {
            return Ok(Arc::clone(&self.array));
        }
        Ok(take(&self.array, &UInt32Array::from(vec![0; n_rows]), None)?)
    }
}

/// The type of timestamps inside an expression.
pub(super) fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

/// Evaluates an expression over the columns of a batch; a column is found whatever its case.
///
/// The result is as long as the batch: `Utf8`, `Int64`, `Float64`, `Boolean`, `List<Utf8>` or `List<Float64>` (`Null` only for
/// an expression that is always null). An expression over one dictionary-encoded column is evaluated once per dictionary value.
/// Null in gives null out wherever SQL says so; by zero numbers divide to infinity or to no number, and whole numbers have no rest (null).
///
/// # Errors
///
/// If a column is missing or has a type that is not read, an operand has the wrong type, a function is unknown, or a value
/// does not fit a `CAST`.
pub fn evaluate(expression: &Expression, batch: &RecordBatch) -> Result<ArrayRef, EvaluationError> {
    if let Some(name) = single_column(expression)
        && let Some(index) = find_column(&batch.schema(), name)
        && let Some(dictionary) = batch.column(index).as_any_dictionary_opt()
        && dictionary.values().len() < dictionary.len()
    {
        // One more value stands for null: not every expression gives null for it.
        let null = new_null_array(dictionary.values().data_type(), 1);
        let with_null = arrow::compute::concat(&[dictionary.values().as_ref(), null.as_ref()])?;
        let values = evaluate_values(expression, &with_null)?;
        let keys = arrow::compute::cast(dictionary.keys(), &DataType::Int64)?;
        let null_key = dictionary.values().len() as i64;
        let keys: Int64Array =
            keys.as_primitive::<Int64Type>().iter().map(|key| Some(key.unwrap_or(null_key))).collect();
        return Ok(take(&values, &keys, None)?);
    }
    output(&Frame { batch, lenient: false }.evaluate_spread(expression)?)
}

/// Evaluates as [`evaluate`], but dates stay dates and lists keep the type of their elements: see [`data_type`].
#[cfg(feature = "sql")]
pub(crate) fn evaluate_typed(expression: &Expression, batch: &RecordBatch) -> Result<ArrayRef, EvaluationError> {
    Frame { batch, lenient: false }.evaluate_spread(expression)
}

/// Evaluates an expression that reads a single column over values of that column, for instance its distinct ones.
///
/// # Errors
///
/// As [`evaluate`].
pub fn evaluate_values(expression: &Expression, values: &ArrayRef) -> Result<ArrayRef, EvaluationError> {
    let name = single_column(expression).unwrap_or_default();
    let schema = Arc::new(Schema::new(vec![Field::new(name, values.data_type().clone(), true)]));
    let batch = RecordBatch::try_new(schema, vec![Arc::clone(values)])?;
    output(&Frame { batch: &batch, lenient: false }.evaluate_spread(expression)?)
}

/// Gives the column of an expression that reads exactly one.
pub fn single_column(expression: &Expression) -> Option<&str> {
    let mut found: Option<&str> = None;
    let mut alone = true;
    walk(expression, &mut |part| match part {
        Expression::Column { name, .. } => match found {
            None => found = Some(name),
            Some(earlier) => alone &= earlier.eq_ignore_ascii_case(name),
        },
        Expression::Opaque { .. } => alone = false,
        _ => {}
    });
    found.filter(|_| alone)
}

/// Gives the type that an expression's values have as a feature; `None` if it is always null.
///
/// # Errors
///
/// As [`evaluate`], for no records.
pub fn value_type(expression: &Expression, schema: &Schema) -> Result<Option<ValueType>, EvaluationError> {
    Ok(match data_type(expression, schema)? {
        DataType::Null => None,
        DataType::Utf8 => Some(ValueType::Text),
        DataType::Int64 => Some(ValueType::Integer),
        DataType::Boolean => Some(ValueType::Boolean),
        DataType::List(item) => {
            Some(if *item.data_type() == DataType::Utf8 { ValueType::TextList } else { ValueType::NumberList })
        }
        _ => Some(ValueType::Number),
    })
}

/// The type of an expression's values before they leave it: dates are dates.
pub(crate) fn data_type(expression: &Expression, schema: &Schema) -> Result<DataType, EvaluationError> {
    let batch = RecordBatch::new_empty(Arc::new(schema.clone()));
    Ok(Frame { batch: &batch, lenient: true }.evaluate(expression)?.data_type().clone())
}

/// The value of an expression without columns, as an array of one element.
pub(crate) fn constant(expression: &Expression) -> Result<ArrayRef, EvaluationError> {
    let batch = RecordBatch::try_new_with_options(
        Arc::new(Schema::empty()),
        vec![],
        &RecordBatchOptions::new().with_row_count(Some(1)),
    )?;
    Frame { batch: &batch, lenient: false }.evaluate_spread(expression)
}

/// Finds a column by name, exactly or else whatever the case.
pub(crate) fn find_column(schema: &Schema, name: &str) -> Option<usize> {
    let fields = schema.fields();
    fields
        .iter()
        .position(|field| field.name() == name)
        .or_else(|| fields.iter().position(|field| field.name().eq_ignore_ascii_case(name)))
}

/// Calls a function for an expression and everything in it, outside in.
pub(crate) fn walk<'a>(expression: &'a Expression, visit: &mut impl FnMut(&'a Expression)) {
    visit(expression);
    match expression {
        Expression::Column { .. } | Expression::Literal(_) | Expression::Opaque { .. } => {}
        Expression::Call { arguments, .. } => {
            for argument in arguments {
                walk(argument, visit);
            }
        }
        Expression::Not(operand)
        | Expression::Negate(operand)
        | Expression::IsNull { operand, .. }
        | Expression::Cast { operand, .. } => {
            walk(operand, visit);
        }
        Expression::Binary { left, right, .. } => {
            walk(left, visit);
            walk(right, visit);
        }
        Expression::Case { branches, otherwise } => {
            for (condition, result) in branches {
                walk(condition, visit);
                walk(result, visit);
            }
            if let Some(otherwise) = otherwise {
                walk(otherwise, visit);
            }
        }
        Expression::In { operand, list, .. } => {
            walk(operand, visit);
            for item in list {
                walk(item, visit);
            }
        }
    }
}

/// Dates become seconds and single precision becomes double on the way out.
fn output(array: &ArrayRef) -> Result<ArrayRef, EvaluationError> {
    Ok(match array.data_type() {
        DataType::Date32 => {
            Arc::new(array.as_primitive::<Date32Type>().unary::<_, Float64Type>(|days| f64::from(days) * 86_400.0))
        }
        DataType::Timestamp(..) => Arc::new(
            array.as_primitive::<TimestampMicrosecondType>().unary::<_, Float64Type>(|micros| micros as f64 / 1e6),
        ),
        DataType::Float32 => Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float64Type>(f64::from)),
        DataType::List(item) if !matches!(item.data_type(), DataType::Utf8 | DataType::Float64) => {
            let list = array.as_list::<i32>();
            let values = match item.data_type() {
                DataType::Boolean | DataType::Null => arrow::compute::cast(list.values(), &DataType::Float64)?,
                DataType::Int64 => {
                    Arc::new(list.values().as_primitive::<Int64Type>().unary::<_, Float64Type>(|value| value as f64))
                }
                _ => output(list.values())?,
            };
            let field = Arc::new(Field::new("item", values.data_type().clone(), true));
            Arc::new(ListArray::try_new(field, list.offsets().clone(), values, list.nulls().cloned())?)
        }
        _ => Arc::clone(array),
    })
}

/// The few types that expressions work with, for a column of any type.
fn normal(name: &str, array: &ArrayRef) -> Result<ArrayRef, EvaluationError> {
    let to = normal_type(array.data_type())
        .ok_or_else(|| EvaluationError::ColumnType { name: name.to_owned(), data_type: array.data_type().clone() })?;
    if to == *array.data_type() {
        return Ok(Arc::clone(array));
    }
    Ok(cast_with_options(array, &to, &CastOptions { safe: false, ..CastOptions::default() })?)
}

fn normal_type(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Null => DataType::Null,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::Boolean => DataType::Boolean,
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64 => DataType::Int64,
        DataType::Float16 | DataType::Float32 => DataType::Float32,
        DataType::Float64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => DataType::Float64,
        DataType::Date32 | DataType::Date64 => DataType::Date32,
        DataType::Timestamp(..) => timestamp_type(),
        DataType::Dictionary(_, values) => normal_type(values)?,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            let item = normal_type(item.data_type()).filter(|item| !item.is_nested())?;
            DataType::List(Arc::new(Field::new("item", item, true)))
        }
        _ => return None,
    })
}

/// A batch under evaluation.
struct Frame<'a> {
    batch: &'a RecordBatch,
    /// A cast that fails gives null: inside a branch that may not be taken.
    lenient: bool,
}

impl Frame<'_> {
    fn n_rows(&self) -> usize {
        self.batch.num_rows()
    }

    fn evaluate_spread(&self, expression: &Expression) -> Result<ArrayRef, EvaluationError> {
        self.evaluate(expression)?.spread(self.n_rows())
    }

    fn all(&self, expressions: &[Expression]) -> Result<Vec<Datum>, EvaluationError> {
        expressions.iter().map(|expression| self.evaluate(expression)).collect()
    }

    fn evaluate(&self, expression: &Expression) -> Result<Datum, EvaluationError> {
        match expression {
            Expression::Column { side: Some(_), name } => Err(EvaluationError::Pair { name: name.clone() }),
            Expression::Column { side: None, name } => {
                let index = find_column(self.batch.schema_ref(), name)
                    .ok_or_else(|| EvaluationError::UnknownColumn { name: name.clone() })?;
                Ok(Datum::new(normal(name, self.batch.column(index))?, false))
            }
            Expression::Literal(literal) => Ok(Datum::new(literal_array(literal), true)),
            Expression::Call { function, arguments } => self.call(function, arguments),
            Expression::Not(operand) => {
                let operand = self.truth(operand, "NOT")?;
                Ok(Datum::new(Arc::new(boolean::not(operand.array.as_boolean())?), operand.constant))
            }
            Expression::Negate(operand) => number::negate(&self.evaluate(operand)?),
            Expression::Binary { operator: operator @ (BinaryOperator::And | BinaryOperator::Or), left, right } => {
                let inner = Frame { batch: self.batch, lenient: true };
                let left = self.truth(left, "AND")?;
                let right = inner.truth(right, "AND")?;
                let constant = left.constant && right.constant;
                let n_rows = if constant { 1 } else { self.n_rows() };
                let (left, right) = (left.spread(n_rows)?, right.spread(n_rows)?);
                let joined = match operator {
                    BinaryOperator::And => boolean::and_kleene(left.as_boolean(), right.as_boolean())?,
                    _ => boolean::or_kleene(left.as_boolean(), right.as_boolean())?,
                };
                Ok(Datum::new(Arc::new(joined), constant))
            }
            Expression::Binary { operator, left, right } => self.binary(*operator, left, right),
            Expression::IsNull { operand, negated } => {
                let operand = self.evaluate(operand)?;
                let nulls = operand.array.logical_nulls();
                let flags: BooleanArray = (0..operand.array.len())
                    .map(|row| Some(nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) != *negated))
                    .collect();
                Ok(Datum::new(Arc::new(flags), operand.constant))
            }
            Expression::Cast { operand, to, lenient } => {
                let operand = self.evaluate(operand)?;
                let array = compare::cast(&operand.array, *to, *lenient || self.lenient)?;
                Ok(Datum::new(array, operand.constant))
            }
            Expression::Case { branches, otherwise } => self.case(branches, otherwise.as_deref()),
            Expression::In { operand, list, negated } => {
                let mut found: Option<Datum> = None;
                for item in list {
                    let equal = self.binary(BinaryOperator::Equal, operand, item)?;
                    found = Some(match found {
                        None => equal,
                        Some(earlier) => {
                            let constant = earlier.constant && equal.constant;
                            let n_rows = if constant { 1 } else { self.n_rows() };
                            let joined = boolean::or_kleene(
                                earlier.spread(n_rows)?.as_boolean(),
                                equal.spread(n_rows)?.as_boolean(),
                            )?;
                            Datum::new(Arc::new(joined), constant)
                        }
                    });
                }
                let found = found.unwrap_or_else(|| Datum::new(Arc::new(BooleanArray::from(vec![false])), true));
                if *negated {
                    return Ok(Datum::new(Arc::new(boolean::not(found.array.as_boolean())?), found.constant));
                }
                Ok(found)
            }
            Expression::Opaque { sql, .. } => Err(EvaluationError::Opaque { sql: sql.clone() }),
        }
    }

    /// A truth value; null of no type is unknown.
    fn truth(&self, expression: &Expression, operator: &str) -> Result<Datum, EvaluationError> {
        let datum = self.evaluate(expression)?;
        match datum.data_type() {
            DataType::Boolean => Ok(datum),
            DataType::Null => Ok(Datum::new(new_null_array(&DataType::Boolean, datum.array.len()), datum.constant)),
            found => Err(operand_type(operator, "truth values", found)),
        }
    }

    fn binary(
        &self,
        operator: BinaryOperator,
        left: &Expression,
        right: &Expression,
    ) -> Result<Datum, EvaluationError> {
        if let Some((amount, unit)) = interval(right)
            && matches!(operator, BinaryOperator::Add | BinaryOperator::Subtract)
        {
            let amount = if operator == BinaryOperator::Subtract { -amount } else { amount };
            return time::shift(&self.evaluate(left)?, amount, unit);
        }
        if let Some((amount, unit)) = interval(left)
            && operator == BinaryOperator::Add
        {
            return time::shift(&self.evaluate(right)?, amount, unit);
        }
        let (mut left_value, mut right_value) = (self.evaluate(left)?, self.evaluate(right)?);
        if operator == BinaryOperator::Concatenate {
            return text::concatenate(&left_value, &right_value, self.n_rows());
        }
        // Text constants take the type of what they stand beside, as in DuckDB.
        if matches!(right, Expression::Literal(Literal::Text(_))) {
            right_value = compare::adapt(right_value, left_value.data_type())?;
        }
        if matches!(left, Expression::Literal(Literal::Text(_))) {
            left_value = compare::adapt(left_value, right_value.data_type())?;
        }
        let decimal = |expression: &Expression| {
            matches!(expression, Expression::Literal(Literal::Number(_) | Literal::Integer(_)))
        };
        if decimal(right) && *left_value.data_type() == DataType::Float32 {
            right_value = compare::single_precision(&right_value)?;
        }
        if decimal(left) && *right_value.data_type() == DataType::Float32 {
            left_value = compare::single_precision(&left_value)?;
        }
        match operator {
            BinaryOperator::Add
            | BinaryOperator::Subtract
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo => number::arithmetic(operator, &left_value, &right_value, self.n_rows()),
            _ => compare::compare(operator, &left_value, &right_value, self.n_rows()),
        }
    }

    fn case(
        &self,
        branches: &[(Expression, Expression)],
        otherwise: Option<&Expression>,
    ) -> Result<Datum, EvaluationError> {
        let inner = Frame { batch: self.batch, lenient: true };
        let n_rows = self.n_rows();
        let mut conditions = Vec::with_capacity(branches.len());
        let mut results = Vec::with_capacity(branches.len() + 1);
        for (condition, result) in branches {
            conditions.push(inner.truth(condition, "CASE")?);
            results.push(inner.evaluate(result)?);
        }
        results.push(match otherwise {
            Some(otherwise) => inner.evaluate(otherwise)?,
            None => Datum::new(Arc::new(NullArray::new(1)), true),
        });
        let results = compare::unify("CASE", results)?;
        let constant = conditions.iter().chain(&results).all(|datum| datum.constant);
        let n_rows = if constant { 1 } else { n_rows };
        let choices: Vec<usize> = (0..n_rows)
            .map(|row| {
                let taken = conditions.iter().position(|condition| {
                    let (flags, row) = (condition.array.as_boolean(), condition.index(row));
                    flags.is_valid(row) && flags.value(row)
                });
                taken.unwrap_or(conditions.len())
            })
            .collect();
        compare::choose(&results, &choices, constant)
    }

    fn call(&self, function: &str, arguments: &[Expression]) -> Result<Datum, EvaluationError> {
        let inner = Frame { batch: self.batch, lenient: self.lenient || function == "coalesce" };
        let mut values = inner.all(arguments)?;
        if function == "nullif"
            && let [left, right] = arguments
        {
            if matches!(right, Expression::Literal(Literal::Text(_))) {
                values[1] = compare::adapt(values[1].clone(), values[0].data_type())?;
            }
            if matches!(left, Expression::Literal(Literal::Text(_))) {
                values[0] = compare::adapt(values[0].clone(), values[1].data_type())?;
            }
        }
        let arguments = Arguments { function, values: &values, n_rows: self.n_rows() };
        compare::function(&arguments)
            .or_else(|| text::function(&arguments))
            .or_else(|| pattern::function(&arguments))
            .or_else(|| number::function(&arguments))
            .or_else(|| time::function(&arguments))
            .or_else(|| list::function(&arguments))
            .or_else(|| library::function(&arguments))
            .unwrap_or_else(|| {
                Err(EvaluationError::UnknownFunction { function: function.to_owned(), n_arguments: values.len() })
            })
    }
}

/// `interval(3, 'day')`.
fn interval(expression: &Expression) -> Option<(i64, &str)> {
    match expression {
        Expression::Call { function, arguments } if function == "interval" => match arguments.as_slice() {
            [Expression::Literal(Literal::Integer(amount)), Expression::Literal(Literal::Text(unit))] => {
                Some((*amount, unit))
            }
            _ => None,
        },
        _ => None,
    }
}

fn literal_array(literal: &Literal) -> ArrayRef {
    match literal {
        Literal::Null => Arc::new(NullArray::new(1)),
        Literal::Boolean(value) => Arc::new(BooleanArray::from(vec![*value])),
        Literal::Integer(value) => Arc::new(Int64Array::from(vec![*value])),
        Literal::Number(value) => Arc::new(Float64Array::from(vec![*value])),
        Literal::Text(value) => Arc::new(StringArray::from(vec![value.as_str()])),
    }
}

fn operand_type(function: &str, expected: &str, found: &DataType) -> EvaluationError {
    EvaluationError::OperandType {
        function: function.to_owned(),
        expected: expected.to_owned(),
        found: type_name(found),
    }
}

/// A type in words.
pub(crate) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "text".to_owned(),
        DataType::Int64 => "whole numbers".to_owned(),
        DataType::Float32 | DataType::Float64 => "numbers".to_owned(),
        DataType::Boolean => "truth values".to_owned(),
        DataType::Date32 => "dates".to_owned(),
        DataType::Timestamp(..) => "timestamps".to_owned(),
        DataType::List(item) => format!("lists of {}", type_name(item.data_type())),
        DataType::Null => "null".to_owned(),
        other => other.to_string(),
    }
}

/// A function's evaluated arguments.
pub(super) struct Arguments<'a> {
    function: &'a str,
    values: &'a [Datum],
    n_rows: usize,
}

/// The result of a function, or `None` if the module does not know it.
pub(super) type Called = Option<Result<Datum, EvaluationError>>;

/// Values of one type, one per record or one for all.
pub(super) struct Values<A> {
    array: A,
    constant: bool,
}

impl<A> Values<A> {
    fn index(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }
}

impl Values<StringArray> {
    fn get(&self, row: usize) -> Option<&str> {
        let row = self.index(row);
        self.array.is_valid(row).then(|| self.array.value(row))
    }
}

macro_rules! get {
    ($array:ty, $value:ty) => {
        impl Values<$array> {
            fn get(&self, row: usize) -> Option<$value> {
                let row = self.index(row);
                self.array.is_valid(row).then(|| self.array.value(row))
            }
        }
    };
}
get!(Int64Array, i64);
get!(Float64Array, f64);
get!(TimestampMicrosecondArray, i64);

impl Arguments<'_> {
    fn all_constant(&self) -> bool {
        self.values.iter().all(|value| value.constant)
    }

    /// Number of elements of the result.
    fn length(&self) -> usize {
        if self.all_constant() { 1 } else { self.n_rows }
    }

    fn text(&self, index: usize) -> Result<Values<StringArray>, EvaluationError> {
        let value = &self.values[index];
        let array = match value.data_type() {
            DataType::Utf8 => value.array.as_string::<i32>().clone(),
            DataType::Null => StringArray::new_null(value.array.len()),
            found => return Err(operand_type(self.function, "text", found)),
        };
        Ok(Values { array, constant: value.constant })
    }

    fn integer(&self, index: usize) -> Result<Values<Int64Array>, EvaluationError> {
        let value = &self.values[index];
        let array = match value.data_type() {
            DataType::Int64 => value.array.as_primitive::<Int64Type>().clone(),
            DataType::Null => Int64Array::new_null(value.array.len()),
            found => return Err(operand_type(self.function, "whole numbers", found)),
        };
        Ok(Values { array, constant: value.constant })
    }

    fn number(&self, index: usize) -> Result<Values<Float64Array>, EvaluationError> {
        let value = &self.values[index];
        Ok(Values { array: compare::numbers(self.function, &value.array)?, constant: value.constant })
    }

    fn list(&self, index: usize) -> Result<Values<ListArray>, EvaluationError> {
        let value = &self.values[index];
        match value.data_type() {
            DataType::List(_) => Ok(Values { array: value.array.as_list::<i32>().clone(), constant: value.constant }),
            found => Err(operand_type(self.function, "lists", found)),
        }
    }

    /// The text of a constant argument; `None` inside if it is null.
    fn constant_text(&self, index: usize, argument: &'static str) -> Result<Option<String>, EvaluationError> {
        if !self.values[index].constant {
            return Err(EvaluationError::NotConstant { function: self.function.to_owned(), argument });
        }
        Ok(self.text(index)?.get(0).map(str::to_owned))
    }

    fn constant_integer(&self, index: usize, argument: &'static str) -> Result<Option<i64>, EvaluationError> {
        if !self.values[index].constant {
            return Err(EvaluationError::NotConstant { function: self.function.to_owned(), argument });
        }
        Ok(self.integer(index)?.get(0))
    }

    fn texts(&self, value: impl Fn(usize) -> Option<String>) -> Datum {
        let array: StringArray = (0..self.length()).map(value).collect();
        Datum::new(Arc::new(array), self.all_constant())
    }

    fn integers(&self, value: impl Fn(usize) -> Option<i64>) -> Datum {
        let array: Int64Array = (0..self.length()).map(value).collect();
        Datum::new(Arc::new(array), self.all_constant())
    }

    fn numbers(&self, value: impl Fn(usize) -> Option<f64>) -> Datum {
        let array: Float64Array = (0..self.length()).map(value).collect();
        Datum::new(Arc::new(array), self.all_constant())
    }

    fn flags(&self, value: impl Fn(usize) -> Option<bool>) -> Datum {
        let array: BooleanArray = (0..self.length()).map(value).collect();
        Datum::new(Arc::new(array), self.all_constant())
    }

    fn timestamps(&self, value: impl Fn(usize) -> Option<i64>) -> Datum {
        let array: TimestampMicrosecondArray = (0..self.length()).map(value).collect();
        Datum::new(Arc::new(array), self.all_constant())
    }

    fn dates(&self, value: impl Fn(usize) -> Option<i32>) -> Datum {
        let array: Date32Array = (0..self.length()).map(value).collect();
        Datum::new(Arc::new(array), self.all_constant())
    }
}

/// Single precision array from double.
pub(super) fn to_single(array: &Float64Array) -> Float32Array {
    array.unary::<_, Float32Type>(|value| value as f32)
}
