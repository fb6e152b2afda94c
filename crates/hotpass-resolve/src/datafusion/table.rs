//! Predictions as a table of a query.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Column, ScalarValue, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::expressions::col;
use datafusion::physical_plan::projection::ProjectionExec;
use futures::FutureExt;

use super::plan_nodes::{BlockedPairsExec, ScorePairsExec, external};
use crate::Linker;
use crate::model::LinkageModel;
use crate::predict::Threshold;

/// Scored pairs of one or more tables under a model.
///
/// A condition `match_weight >= x` or `match_probability >= x` of the query becomes the threshold of the run.
#[derive(Debug)]
pub struct PredictTable {
    model: LinkageModel,
    sources: Vec<(String, Arc<dyn TableProvider>)>,
    threshold: Threshold,
    schema: SchemaRef,
}

impl PredictTable {
    /// Links named tables.
    ///
    /// # Errors
    ///
    /// When the model does not fit the tables' columns.
    pub fn try_new(
        model: LinkageModel,
        sources: Vec<(String, Arc<dyn TableProvider>)>,
        threshold: Threshold,
    ) -> Result<Self> {
        threshold.match_weight().map_err(external)?;
        // The columns of the result do not depend on the records, so none are needed to know them.
        let retain = model.output.retain_matching_columns || !model.output.additional_columns_to_retain.is_empty();
        let builder = Linker::builder(model.clone()).threads(1).retain_output_columns(retain);
        let empty = sources.iter().fold(builder, |builder, (name, source)| {
            builder.table(name.clone(), [RecordBatch::new_empty(source.schema())])
        });
        let schema = empty.build().map_err(external)?.pair_schema();
        let schema = with_identifier_type(&schema, &model.keys.unique_id, &sources);
        Ok(Self { model, sources, threshold, schema })
    }
}

/// Gives ids the type that the tables' columns promise: whole numbers if all of them are, else text.
fn with_identifier_type(
    schema: &SchemaRef,
    unique_id: &str,
    sources: &[(String, Arc<dyn TableProvider>)],
) -> SchemaRef {
    let is_number = |source: &Arc<dyn TableProvider>| {
        source.schema().field_with_name(unique_id).is_ok_and(|field| field.data_type().is_integer())
    };
    let numbers = sources.iter().all(|(_, source)| is_number(source));
    let fields = schema.fields().iter().map(|field| {
        let is_identifier = ["_l", "_r"].iter().any(|side| field.name().strip_suffix(side) == Some(unique_id));
        if is_identifier {
            let data_type = if numbers { DataType::Int64 } else { DataType::Utf8 };
            Arc::new(field.as_ref().clone().with_data_type(data_type))
        } else {
            Arc::clone(field)
        }
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Gives the stricter of a threshold and a condition of the query; `None` for a condition that is no threshold.
fn threshold_of(filter: &Expr) -> Option<Threshold> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else { return None };
    let (column, op, literal) = match (left.as_ref(), right.as_ref()) {
        (Expr::Column(column), Expr::Literal(literal, _)) => (column, *op, literal),
        (Expr::Literal(literal, _), Expr::Column(column)) => (column, op.swap()?, literal),
        _ => return None,
    };
    let ScalarValue::Float64(Some(value)) = literal.cast_to(&DataType::Float64).ok()? else {
        return None;
    };
    if !matches!(op, Operator::GtEq | Operator::Gt) {
        return None;
    }
    match column.name.as_str() {
        "match_weight" => Some(Threshold::MatchWeight(value)),
        "match_probability" if (0.0..=1.0).contains(&value) => Some(Threshold::MatchProbability(value)),
        _ => None,
    }
}

#[async_trait::async_trait]
impl TableProvider for PredictTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(filters
            .iter()
            .map(|filter| match threshold_of(filter) {
                Some(_) => TableProviderFilterPushDown::Inexact,
                None => TableProviderFilterPushDown::Unsupported,
            })
            .collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut sources = Vec::new();
        for (name, source) in &self.sources {
            sources.push((name.clone(), source.scan(state, None, &[], None).await?));
        }
        let mut threshold = self.threshold;
        for stricter in filters.iter().filter_map(threshold_of) {
            // Probability and weight rise together, so thresholds compare as weights.
            let least = |threshold: Threshold| threshold.match_weight().map_err(external);
            if least(stricter)? > least(threshold)? {
                threshold = stricter;
            }
        }
        let partitions = state.config().target_partitions();
        let pairs = BlockedPairsExec::new(self.model.clone(), sources, partitions);
        let scored: Arc<dyn ExecutionPlan> = Arc::new(ScorePairsExec::new(pairs, threshold, Arc::clone(&self.schema)));
        let Some(projection) = projection else { return Ok(scored) };
        let columns = projection.iter().map(|&index| {
            let name = self.schema.field(index).name().clone();
            Ok((col(&name, &self.schema)?, name))
        });
        Ok(Arc::new(ProjectionExec::try_new(columns.collect::<Result<Vec<_>>>()?, scored)?))
    }
}

/// Reads a model by the name that a query gives it.
pub type ReadModel = dyn Fn(&str) -> std::result::Result<LinkageModel, String> + Send + Sync;

/// The table function `predict('model.json', people [, more tables …] [, threshold])`.
///
/// The tables are tables of the session; the threshold is a match probability, without it every candidate pair comes.
struct PredictFunction {
    read_model: Box<ReadModel>,
}

impl fmt::Debug for PredictFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PredictFunction")
    }
}

/// Registers the table function `predict` with a session; `read_model` turns its first argument into a model.
pub fn register_predict(
    session: &SessionContext,
    read_model: impl Fn(&str) -> std::result::Result<LinkageModel, String> + Send + Sync + 'static,
) {
    session.register_udtf("predict", Arc::new(PredictFunction { read_model: Box::new(read_model) }));
}

const USAGE: &str = "`predict` takes a model file, tables and a threshold: predict('model.json', people, 0.9)";

impl TableFunctionImpl for PredictFunction {
    fn call_with_args(&self, arguments: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let [Expr::Literal(path, _), rest @ ..] = arguments.exprs() else { return plan_err!("{USAGE}") };
        let Some(Some(path)) = path.try_as_str() else { return plan_err!("{USAGE}") };
        let model = (self.read_model)(path).map_err(DataFusionError::Plan)?;
        let mut sources = Vec::new();
        let mut threshold = Threshold::All;
        for argument in rest {
            match argument {
                Expr::Column(column) => {
                    sources.push((column.name.clone(), table(arguments.session(), column)?));
                }
                Expr::Literal(value, _) => match value.cast_to(&DataType::Float64) {
                    Ok(ScalarValue::Float64(Some(share))) if value.data_type().is_numeric() => {
                        threshold = Threshold::MatchProbability(share);
                    }
                    _ => match value.try_as_str() {
                        Some(Some(name)) => {
                            sources.push((name.to_owned(), table(arguments.session(), &Column::from_name(name))?));
                        }
                        _ => return plan_err!("{USAGE}"),
                    },
                },
                _ => return plan_err!("{USAGE}"),
            }
        }
        if sources.is_empty() {
            return plan_err!("{USAGE}");
        }
        Ok(Arc::new(PredictTable::try_new(model, sources, threshold)?))
    }
}

/// Finds a table of the session; its catalog must know it without waiting.
fn table(session: &dyn Session, name: &Column) -> Result<Arc<dyn TableProvider>> {
    let options = &session.config_options().catalog;
    let schema = session.catalog_list().catalog(&options.default_catalog).and_then(|catalog| {
        catalog.schema(name.relation.as_ref().map_or(options.default_schema.as_str(), |schema| schema.table()))
    });
    let found = schema.and_then(|schema| schema.table(&name.name).now_or_never().map(Result::ok)).flatten().flatten();
    found.map_or_else(|| plan_err!("table '{}' not found", name.name), Ok)
}
