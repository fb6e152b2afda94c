//! Conditions without a native form, evaluated by DataFusion over batches of pairs.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use datafusion::common::DFSchema;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::prelude::SessionConfig;

use super::functions::register_functions;
use super::shared::{record_functions, respell, share_operators};
use crate::compare::{CompareError, SqlTier};
use crate::model::TextSemantics;
use crate::plan::SqlCondition;

/// Why SQL cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum SqlTierError {
    /// The SQL is wrong, or asks for what the engine does not have.
    #[error("Cannot plan `{sql}`")]
    Plan {
        /// The condition or expression.
        sql: String,
        /// What DataFusion says.
        #[source]
        source: Box<DataFusionError>,
    },
    /// A condition gives no truth value.
    #[error("`{sql}` gives {found}, not a truth value")]
    NotACondition {
        /// The condition.
        sql: String,
        /// The type of its result.
        found: DataType,
    },
    /// A condition reads a column that was not kept.
    #[error("Column `{column}` of `{sql}` is missing from the records")]
    MissingColumn {
        /// The condition.
        sql: String,
        /// The column.
        column: String,
    },
    /// A condition that was not given when the tier was built.
    #[error("Condition {index} does not exist, there are {count}")]
    NoCondition {
        /// Its index.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// The SQL failed on a value.
    #[error("Cannot evaluate `{sql}`")]
    Evaluate {
        /// The condition or expression.
        sql: String,
        /// What DataFusion says; it may quote a value, so show it to the owner of the data only.
        #[source]
        source: Box<DataFusionError>,
    },
}

/// The conditions of a plan that have no native form, over the records' own columns.
#[derive(Debug)]
pub struct DataFusionTier {
    conditions: Vec<PlannedCondition>,
    /// The columns that conditions read, one row per record in the row order of the encoded columns.
    records: RecordBatch,
}

#[derive(Debug)]
struct PlannedCondition {
    sql: String,
    /// Indices into the columns of the records; each stands for `_l` and `_r` in this order.
    columns: Vec<usize>,
    schema: SchemaRef,
    expression: Arc<dyn PhysicalExpr>,
}

impl DataFusionTier {
    /// Plans every condition against the columns of the records.
    ///
    /// `records` holds at least the columns that the conditions read, a row per record.
    ///
    /// # Errors
    ///
    /// Returns the first condition that cannot be planned, or whose result is no truth value.
    pub fn new(
        conditions: &[SqlCondition],
        records: RecordBatch,
        semantics: TextSemantics,
    ) -> Result<Self, SqlTierError> {
        let session = session(semantics);
        let conditions = conditions
            .iter()
            .map(|condition| plan(&session, condition, &records.schema()))
            .collect::<Result<_, _>>()?;
        Ok(Self { conditions, records })
    }

    /// Gives the bytes on the heap that the columns of the records take.
    pub fn heap_bytes(&self) -> u64 {
        self.records.get_array_memory_size() as u64
    }

    /// Evaluates condition `condition` for each pair of rows: 0 false, 1 true, 2 unknown into `out`.
    ///
    /// `lefts`, `rights` and `out` have one length; rows are those of the records.
    ///
    /// # Errors
    ///
    /// Returns what DataFusion says when a value makes the condition fail, a strict cast for example.
    pub fn evaluate(
        &self,
        condition: usize,
        lefts: &[u32],
        rights: &[u32],
        out: &mut [u8],
    ) -> Result<(), SqlTierError> {
        let Some(condition) = self.conditions.get(condition) else {
            return Err(SqlTierError::NoCondition { index: condition, count: self.conditions.len() });
        };
        let failed =
            |source: DataFusionError| SqlTierError::Evaluate { sql: condition.sql.clone(), source: Box::new(source) };
        let (left_rows, right_rows) = (UInt32Array::from(lefts.to_vec()), UInt32Array::from(rights.to_vec()));
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(condition.columns.len() * 2);
        for &column in &condition.columns {
            let values = self.records.column(column);
            for rows in [&left_rows, &right_rows] {
                columns.push(take(values, rows, None).map_err(|error| failed(error.into()))?);
            }
        }
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(lefts.len()));
        let pairs = RecordBatch::try_new_with_options(Arc::clone(&condition.schema), columns, &options)
            .map_err(|error| failed(error.into()))?;
        let value = condition.expression.evaluate(&pairs).map_err(failed)?;
        let array = value.into_array(lefts.len()).map_err(failed)?;
        write_truth(&array, out).map_err(|error| failed(error.into()))
    }
}

impl SqlTier for DataFusionTier {
    fn evaluate(&self, condition: usize, lefts: &[u32], rights: &[u32], out: &mut [u8]) -> Result<(), CompareError> {
        Self::evaluate(self, condition, lefts, rights, out).map_err(|error| CompareError::Sql {
            sql: self.conditions.get(condition).map(|condition| condition.sql.clone()).unwrap_or_default(),
            source: Box::new(error),
        })
    }
}

/// Evaluates an expression over single records that has no native form; a value per row.
///
/// # Errors
///
/// Returns what DataFusion says when the expression cannot be planned or fails on a value.
pub fn evaluate_record_expression(
    sql: &str,
    records: &RecordBatch,
    semantics: TextSemantics,
) -> Result<ArrayRef, SqlTierError> {
    PlannedExpressions::new(semantics).evaluate(sql, records)
}

/// Gives the type of an expression over single records, and whether DataFusion can plan it at all.
///
/// # Errors
///
/// Returns what DataFusion says when the expression cannot be planned.
pub fn record_expression_type(sql: &str, schema: &Schema, semantics: TextSemantics) -> Result<DataType, SqlTierError> {
    planned(&session(semantics), sql, schema).map(|(_, data_type)| data_type)
}

/// An expression, the schema it was planned for, and its plan.
type PlannedExpression = (String, SchemaRef, Arc<dyn PhysicalExpr>);

/// Expressions over single records, each planned once for each schema.
pub(crate) struct PlannedExpressions {
    semantics: TextSemantics,
    session: OnceLock<SessionContext>,
    planned: Mutex<Vec<PlannedExpression>>,
}

impl std::fmt::Debug for PlannedExpressions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PlannedExpressions").field("semantics", &self.semantics).finish_non_exhaustive()
    }
}

impl PlannedExpressions {
    pub(crate) fn new(semantics: TextSemantics) -> Self {
        Self { semantics, session: OnceLock::new(), planned: Mutex::default() }
    }

    fn plan(&self, sql: &str, schema: &SchemaRef) -> Result<Arc<dyn PhysicalExpr>, SqlTierError> {
        // What a panicking thread left behind is whole: only finished plans are pushed.
        let mut plans = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, plan)) = plans.iter().find(|(known, of, _)| known == sql && of == schema) {
            return Ok(Arc::clone(plan));
        }
        let session = self.session.get_or_init(|| session(self.semantics));
        let (plan, _) = planned(session, sql, schema)?;
        plans.push((sql.to_owned(), Arc::clone(schema), Arc::clone(&plan)));
        Ok(plan)
    }

    /// Gives a value for each record.
    pub(crate) fn evaluate(&self, sql: &str, records: &RecordBatch) -> Result<ArrayRef, SqlTierError> {
        let expression = self.plan(sql, records.schema_ref())?;
        let failed = |source: DataFusionError| SqlTierError::Evaluate { sql: sql.to_owned(), source: Box::new(source) };
        let value = expression.evaluate(records).map_err(failed)?;
        value.into_array(records.num_rows()).map_err(failed)
    }
}

fn session(semantics: TextSemantics) -> SessionContext {
    let mut config = SessionConfig::new();
    config.options_mut().sql_parser.dialect = datafusion::config::Dialect::DuckDB;
    // Names in conditions are those of the schema, letter by letter.
    config.options_mut().sql_parser.enable_ident_normalization = false;
    let session = SessionContext::new_with_config(config);
    for function in record_functions() {
        session.register_udf(function);
    }
    register_functions(&session, semantics);
    session
}

fn planned(
    session: &SessionContext,
    sql: &str,
    schema: &Schema,
) -> Result<(Arc<dyn PhysicalExpr>, DataType), SqlTierError> {
    let refused = |source: DataFusionError| SqlTierError::Plan { sql: sql.to_owned(), source: Box::new(source) };
    let named = DFSchema::try_from(schema.clone()).map_err(refused)?;
    let state = session.state();
    let dialect = state.config().options().sql_parser.dialect;
    let mut parsed = state.sql_to_expr_with_alias(sql, &dialect).map_err(refused)?;
    respell(&mut parsed.expr, schema);
    let logical = state.create_logical_expr_from_sql_expr(parsed, &named).map_err(refused)?;
    let logical = share_operators(logical, &named).map_err(refused)?;
    // Some functions, `coalesce` among them, exist only in the simple form that the simplifier gives them.
    let context = SimplifyContext::builder().with_schema(Arc::new(named.clone())).with_current_time().build();
    let simplifier = ExprSimplifier::new(context);
    let coerced = simplifier.coerce(logical, &named).map_err(refused)?;
    let logical = simplifier.simplify(coerced).map_err(refused)?;
    let physical = state.create_physical_expr(logical, &named).map_err(refused)?;
    let data_type = physical.data_type(schema).map_err(refused)?;
    Ok((physical, data_type))
}

fn plan(
    session: &SessionContext,
    condition: &SqlCondition,
    records: &Schema,
) -> Result<PlannedCondition, SqlTierError> {
    let mut columns = Vec::new();
    let mut fields = Vec::new();
    for name in &condition.columns {
        let Ok(index) = records.index_of(name) else {
            return Err(SqlTierError::MissingColumn { sql: condition.sql.clone(), column: name.clone() });
        };
        columns.push(index);
        for side in ["l", "r"] {
            fields.push(Field::new(format!("{name}_{side}"), records.field(index).data_type().clone(), true));
        }
    }
    let schema = Arc::new(Schema::new(fields));
    let (expression, data_type) = planned(session, &condition.sql, &schema)?;
    if !matches!(data_type, DataType::Boolean | DataType::Null) && !data_type.is_numeric() {
        return Err(SqlTierError::NotACondition { sql: condition.sql.clone(), found: data_type });
    }
    Ok(PlannedCondition { sql: condition.sql.clone(), columns, schema, expression })
}

fn write_truth(array: &ArrayRef, out: &mut [u8]) -> Result<(), ArrowError> {
    let truth = cast(array, &DataType::Boolean)?;
    let truth: &BooleanArray = truth.as_boolean();
    for (row, out) in out.iter_mut().enumerate() {
        *out = if truth.is_null(row) { 2 } else { u8::from(truth.value(row)) };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, StringArray};

    use super::*;

    fn records() -> RecordBatch {
        let names: ArrayRef = Arc::new(StringArray::from(vec![Some("Anna"), Some("anna"), None, Some("Zoë")]));
        let heights: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.5), Some(1.6), Some(1.7), None]));
        RecordBatch::try_from_iter_with_nullable([("Name", names, true), ("height", heights, true)]).unwrap()
    }

    fn check(sql: &str, columns: &[&str], expected: &[u8]) {
        let condition =
            SqlCondition { sql: sql.to_owned(), columns: columns.iter().map(|&name| name.to_owned()).collect() };
        let tier = DataFusionTier::new(&[condition], records(), TextSemantics::DuckDbBytes).unwrap();
        let mut out = [9; 3];
        tier.evaluate(0, &[0, 0, 0], &[1, 2, 3], &mut out).unwrap();
        assert_eq!(out, expected, "{sql}");
    }

    #[test]
    fn conditions_are_three_valued() {
        check(r#"lower("Name_l") = lower("Name_r")"#, &["Name"], &[1, 2, 0]);
        check("lower(Name_l) = lower(Name_r)", &["Name"], &[1, 2, 0]);
        check("height_l < height_r", &["height"], &[1, 1, 2]);
        check("Name_l IS NULL OR Name_r IS NULL", &["Name"], &[0, 1, 0]);
        check("jaro_winkler_similarity(Name_l, Name_r) >= 0.8", &["Name"], &[1, 2, 0]);
        check("levenshtein(Name_l, 'Ann') <= 1 AND height_r BETWEEN 1.6 AND 1.65", &["Name", "height"], &[1, 0, 2]);
        check("soundex(Name_l) = soundex(Name_r)", &["Name"], &[1, 2, 0]);
        check("qgram_dice(Name_l, Name_r, 2) > 0.4", &["Name"], &[1, 2, 0]);
    }

    #[test]
    fn what_cannot_be_planned_is_named() {
        let condition = |sql: &str| SqlCondition { sql: sql.to_owned(), columns: vec!["Name".to_owned()] };
        let refused =
            |sql: &str| DataFusionTier::new(&[condition(sql)], records(), TextSemantics::Characters).unwrap_err();
        assert!(matches!(refused("no_such_function(Name_l)"), SqlTierError::Plan { .. }));
        assert!(matches!(refused("upper(Name_l)"), SqlTierError::NotACondition { .. }));
        assert!(matches!(refused("jaro_similarity(Name_l)"), SqlTierError::Plan { .. }));
    }

    #[test]
    fn expressions_over_single_records_give_a_value_per_row() {
        let values = evaluate_record_expression(r#"reverse("Name")"#, &records(), TextSemantics::Characters).unwrap();
        let texts: Vec<Option<&str>> = values.as_string::<i32>().iter().collect();
        assert_eq!(texts, [Some("annA"), Some("anna"), None, Some("ëoZ")]);
    }
}
