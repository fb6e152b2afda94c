//! What the native tier means, inside DataFusion: functions, operators and casts that hand their arguments to
//! [`crate::sql::record`].
//!
//! DuckDB and DataFusion disagree on names (`len`, `list_has_any`), on division and casts, and on what a difference of dates is.
//! Conditions are written for DuckDB, and the native tier follows it, so the SQL tier asks the native tier wherever it can answer.

use std::hash::{Hash, Hasher};
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue, internal_err};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::{BinaryExpr, Cast, ScalarFunction, TryCast};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use datafusion::sql::sqlparser::ast;

use crate::plan::functions::NATIVE;
use crate::sql::expression::{BinaryOperator, CastType, Expression, Literal};
use crate::sql::{names, record};

/// Functions that SQL writes as syntax, and those that DataFusion evaluates lazily or with the same meaning for more types.
const LEFT_TO_DATAFUSION: &[&str] =
    &["like", "ilike", "interval", "integer_divide", "coalesce", "nullif", "greatest", "least"];

/// Gives the functions of the native tier that a session needs beside those of [`super::functions::functions`].
pub(super) fn record_functions() -> impl Iterator<Item = ScalarUDF> {
    NATIVE
        .iter()
        .chain(names::ALIASES)
        .filter(|name| !LEFT_TO_DATAFUSION.contains(name) && !super::functions::has(name))
        .map(|name| ScalarUDF::from(Shared::new(Form::Call((*name).to_owned()))))
}

/// What is evaluated natively.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Form {
    Call(String),
    Binary(BinaryOperator),
    Cast { to: CastType, lenient: bool },
}

/// A scalar function of DataFusion that the native tier evaluates.
#[derive(Debug)]
struct Shared {
    name: String,
    form: Form,
    signature: Signature,
}

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        self.form == other.form
    }
}

impl Eq for Shared {}

impl Hash for Shared {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.form.hash(state);
    }
}

fn argument_name(index: usize) -> String {
    format!("argument {index}")
}

impl Shared {
    fn new(form: Form) -> Self {
        let name = match &form {
            Form::Call(name) => name.clone(),
            Form::Binary(operator) => format!("{operator:?}").to_lowercase(),
            Form::Cast { to, lenient } => {
                format!("{}cast to {to:?}", if *lenient { "try " } else { "" }).to_lowercase()
            }
        };
        Self { name, form, signature: Signature::user_defined(Volatility::Immutable) }
    }

    /// The expression over columns that stand for the arguments; constants stand for themselves.
    fn expression(&self, constants: Vec<Option<Literal>>) -> Result<Expression> {
        let n_arguments = constants.len();
        let mut arguments: Vec<Expression> = constants
            .into_iter()
            .enumerate()
            .map(|(index, constant)| match constant {
                Some(literal) => Expression::Literal(literal),
                None => Expression::Column { side: None, name: argument_name(index) },
            })
            .collect();
        Ok(match &self.form {
            Form::Call(name) => Expression::Call { function: names::canonical(name, n_arguments), arguments },
            Form::Binary(operator) => match (arguments.pop(), arguments.pop()) {
                (Some(right), Some(left)) => {
                    Expression::Binary { operator: *operator, left: Box::new(left), right: Box::new(right) }
                }
                _ => return internal_err!("`{}` takes two operands", self.name),
            },
            Form::Cast { to, lenient } => match arguments.pop() {
                Some(operand) => Expression::Cast { operand: Box::new(operand), to: *to, lenient: *lenient },
                None => return internal_err!("`{}` takes an operand", self.name),
            },
        })
    }

    fn data_type(&self, types: &[DataType], constants: &[Option<Literal>]) -> Result<DataType> {
        let columns: Vec<Field> = types
            .iter()
            .enumerate()
            .map(|(index, data_type)| Field::new(argument_name(index), data_type.clone(), true))
            .collect();
        record::data_type(&self.expression(constants.to_vec())?, &Schema::new(columns)).map_err(external)
    }
}

fn external(error: record::EvaluationError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

fn literal(value: &ScalarValue) -> Option<Literal> {
    Some(match value {
        ScalarValue::Null => Literal::Null,
        ScalarValue::Boolean(Some(value)) => Literal::Boolean(*value),
        ScalarValue::Int64(Some(value)) => Literal::Integer(*value),
        ScalarValue::Float64(Some(value)) => Literal::Number(*value),
        ScalarValue::Utf8(Some(value)) | ScalarValue::Utf8View(Some(value)) | ScalarValue::LargeUtf8(Some(value)) => {
            Literal::Text(value.clone())
        }
        _ => return None,
    })
}

impl ScalarUDFImpl for Shared {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.data_type(types, &vec![None; types.len()])
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let constants: Vec<Option<Literal>> =
            arguments.scalar_arguments.iter().map(|value| value.and_then(literal)).collect();
        Ok(Arc::new(Field::new(&self.name, self.data_type(&types, &constants)?, true)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let n_rows = arguments.number_rows;
        let mut constants = Vec::with_capacity(arguments.args.len());
        let mut fields = Vec::new();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (index, argument) in arguments.args.iter().enumerate() {
            let constant = match argument {
                ColumnarValue::Scalar(value) => literal(value),
                ColumnarValue::Array(_) => None,
            };
            if constant.is_none() {
                let array = argument.to_array(n_rows)?;
                fields.push(Field::new(argument_name(index), array.data_type().clone(), true));
                columns.push(array);
            }
            constants.push(constant);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?;
        let array = record::evaluate_typed(&self.expression(constants)?, &batch).map_err(external)?;
        Ok(ColumnarValue::Array(array))
    }
}

/// Spells columns as the schema does and functions in lower case, as SQL finds them whatever their case.
pub(super) fn respell(expression: &mut ast::Expr, schema: &Schema) {
    let _ = ast::visit_expressions_mut(expression, |part| {
        match part {
            ast::Expr::Identifier(identifier) => {
                if let Some(index) = record::find_column(schema, &identifier.value) {
                    *identifier = ast::Ident::with_quote('"', schema.field(index).name());
                }
            }
            ast::Expr::Function(function) => {
                if let [ast::ObjectNamePart::Identifier(name)] = function.name.0.as_mut_slice() {
                    name.value = name.value.to_lowercase();
                }
            }
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
}

fn operator_of(operator: Operator) -> Option<BinaryOperator> {
    Some(match operator {
        Operator::Eq => BinaryOperator::Equal,
        Operator::NotEq => BinaryOperator::NotEqual,
        Operator::Lt => BinaryOperator::Less,
        Operator::LtEq => BinaryOperator::LessOrEqual,
        Operator::Gt => BinaryOperator::Greater,
        Operator::GtEq => BinaryOperator::GreaterOrEqual,
        Operator::IsDistinctFrom => BinaryOperator::Distinct,
        Operator::IsNotDistinctFrom => BinaryOperator::NotDistinct,
        Operator::Plus => BinaryOperator::Add,
        Operator::Minus => BinaryOperator::Subtract,
        Operator::Multiply => BinaryOperator::Multiply,
        Operator::Divide => BinaryOperator::Divide,
        Operator::Modulo => BinaryOperator::Modulo,
        Operator::StringConcat => BinaryOperator::Concatenate,
        _ => return None,
    })
}

fn cast_of(data_type: &DataType) -> Option<CastType> {
    Some(match data_type {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => CastType::Text,
        DataType::Int64 => CastType::Integer,
        DataType::Float64 => CastType::Double,
        DataType::Float32 => CastType::Float,
        DataType::Boolean => CastType::Boolean,
        DataType::Date32 => CastType::Date,
        DataType::Timestamp(TimeUnit::Nanosecond | TimeUnit::Microsecond, None) => CastType::Timestamp,
        _ => return None,
    })
}

/// Replaces operators and casts by their native form, where there is one for the operands' types.
pub(super) fn share_operators(expression: Expr, schema: &DFSchema) -> Result<Expr> {
    let share = |part: Expr| {
        let (form, operands): (Form, Vec<&Expr>) = match &part {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match operator_of(*op) {
                Some(operator) => (Form::Binary(operator), vec![left, right]),
                None if *op == Operator::IntegerDivide => (Form::Call("integer_divide".to_owned()), vec![left, right]),
                None => return Ok(Transformed::no(part)),
            },
            Expr::Cast(Cast { expr, field }) => match cast_of(field.data_type()) {
                Some(to) => (Form::Cast { to, lenient: false }, vec![expr]),
                None => return Ok(Transformed::no(part)),
            },
            Expr::TryCast(TryCast { expr, field }) => match cast_of(field.data_type()) {
                Some(to) => (Form::Cast { to, lenient: true }, vec![expr]),
                None => return Ok(Transformed::no(part)),
            },
            _ => return Ok(Transformed::no(part)),
        };
        let shared = Shared::new(form);
        let mut types = Vec::with_capacity(operands.len());
        for operand in &operands {
            match operand.get_type(schema) {
                Ok(data_type) => types.push(data_type),
                // DataFusion says what is wrong when it plans the expression.
                Err(_) => return Ok(Transformed::no(part)),
            }
        }
        let constants: Vec<Option<Literal>> = operands
            .iter()
            .map(|operand| match operand {
                Expr::Literal(value, _) => literal(value),
                _ => None,
            })
            .collect();
        if shared.data_type(&types, &constants).is_err() {
            return Ok(Transformed::no(part));
        }
        let arguments = operands.into_iter().cloned().collect();
        Ok(Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(
            Arc::new(ScalarUDF::from(shared)),
            arguments,
        ))))
    };
    expression.transform_up(share).map(|transformed| transformed.data)
}
