//! Blocking and scoring as plan nodes.

use std::fmt;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, UInt16Array, UInt32Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt16Type, UInt32Type};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr, PlanProperties,
};
use futures::{StreamExt, TryStreamExt};
use tokio::sync::OnceCell;

use crate::Linker;
use crate::error::LinkError;
use crate::model::LinkageModel;
use crate::predict::{ScoreBatch, Threshold};

/// The linker that the nodes of one plan share; the first partition that runs encodes the sources.
type SharedLinker = Arc<OnceCell<Arc<Linker>>>;

/// Batches that wait between a node's worker and its reader.
const QUEUE: usize = 2;

pub(super) fn external(error: LinkError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Encodes its inputs and streams the candidate pairs of a model's blocking rules, each pair once.
///
/// Output: `row_l` and `row_r`, rows of the encoded records in key order, and `rule`, the index of the first rule that found the pair.
/// Partitions share the work; together they hold every pair exactly once.
#[derive(Debug)]
pub struct BlockedPairsExec {
    model: LinkageModel,
    names: Vec<String>,
    sources: Vec<Arc<dyn ExecutionPlan>>,
    linker: SharedLinker,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl BlockedPairsExec {
    /// Blocks the records that named plans give, in `partitions` partitions.
    pub fn new(
        model: LinkageModel,
        sources: impl IntoIterator<Item = (String, Arc<dyn ExecutionPlan>)>,
        partitions: usize,
    ) -> Self {
        let (names, sources) = sources.into_iter().unzip();
        Self {
            model,
            names,
            sources,
            linker: SharedLinker::default(),
            properties: properties(pair_schema(), partitions),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

/// Scores the pairs of a [`BlockedPairsExec`] and keeps those that reach a threshold.
///
/// Output: the columns of [`Linker::pair_schema`].
#[derive(Debug)]
pub struct ScorePairsExec {
    pairs: Arc<dyn ExecutionPlan>,
    linker: SharedLinker,
    threshold: Threshold,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ScorePairsExec {
    /// Scores what `pairs` finds; `schema` is the schema of the linker's pairs.
    pub fn new(pairs: BlockedPairsExec, threshold: Threshold, schema: SchemaRef) -> Self {
        let partitions = pairs.properties.partitioning.partition_count();
        let linker = Arc::clone(&pairs.linker);
        Self {
            pairs: Arc::new(pairs),
            linker,
            threshold,
            properties: properties(schema, partitions),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

fn pair_schema() -> SchemaRef {
    let field = |name: &str, data_type| Field::new(name, data_type, false);
    Arc::new(Schema::new(vec![
        field("row_l", DataType::UInt32),
        field("row_r", DataType::UInt32),
        field("rule", DataType::UInt16),
    ]))
}

fn properties(schema: SchemaRef, partitions: usize) -> Arc<PlanProperties> {
    Arc::new(PlanProperties::new(
        EquivalenceProperties::new(schema),
        Partitioning::UnknownPartitioning(partitions.max(1)),
        EmissionType::Incremental,
        Boundedness::Bounded,
    ))
}

async fn read(
    model: LinkageModel,
    names: Vec<String>,
    sources: Vec<Arc<dyn ExecutionPlan>>,
    context: Arc<TaskContext>,
) -> Result<Arc<Linker>> {
    let mut tables = Vec::new();
    for (name, source) in names.into_iter().zip(sources) {
        let stream = datafusion::physical_plan::execute_stream(Arc::clone(&source), Arc::clone(&context))?;
        let mut batches: Vec<RecordBatch> = stream.try_collect().await?;
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(source.schema()));
        }
        tables.push((name, batches));
    }
    let build = move || {
        let retain = model.output.retain_matching_columns || !model.output.additional_columns_to_retain.is_empty();
        tables
            .into_iter()
            .fold(Linker::builder(model).retain_output_columns(retain), |builder, (name, batches)| {
                builder.table(name, batches)
            })
            .build()
    };
    let linker = tokio::task::spawn_blocking(build)
        .await
        .map_err(|error| DataFusionError::External(Box::new(error)))?
        .map_err(external)?;
    Ok(Arc::new(linker))
}

impl DisplayAs for BlockedPairsExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules: Vec<String> = self.model.blocking_rules.iter().map(ToString::to_string).collect();
        write!(formatter, "BlockedPairsExec: link_type={}, rules=[{}]", self.model.link_type, rules.join("; "))
    }
}

impl ExecutionPlan for BlockedPairsExec {
    fn name(&self) -> &'static str {
        "BlockedPairsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.sources.iter().collect()
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.sources.len()]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        // The linker stays shared with the node above, which was made together with this one.
        Ok(Arc::new(Self {
            model: self.model.clone(),
            names: self.names.clone(),
            sources: children,
            linker: Arc::clone(&self.linker),
            properties: Arc::clone(&self.properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let n_partitions = self.properties.partitioning.partition_count();
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let encode_time = MetricBuilder::new(&self.metrics).subset_time("encode_time", partition);
        let batch_size = context.session_config().batch_size();
        let mut builder = RecordBatchReceiverStreamBuilder::new(pair_schema(), QUEUE);
        let sender = builder.tx();
        let (cell, model) = (Arc::clone(&self.linker), self.model.clone());
        let (names, sources) = (self.names.clone(), self.sources.clone());
        builder.spawn(async move {
            let linker = {
                let _timer = encode_time.timer();
                Arc::clone(cell.get_or_try_init(|| read(model, names, sources, context)).await?)
            };
            let walk = move || -> Result<()> {
                let timer = metrics.elapsed_compute().timer();
                let mut stopped = false;
                let walked = linker.candidate_pairs(partition, n_partitions, batch_size, |rule, lefts, rights| {
                    let batch = RecordBatch::try_new(
                        pair_schema(),
                        vec![
                            Arc::new(UInt32Array::from(lefts.to_vec())),
                            Arc::new(UInt32Array::from(rights.to_vec())),
                            Arc::new(UInt16Array::from(vec![rule; lefts.len()])),
                        ],
                    );
                    metrics.record_output(lefts.len());
                    // A reader that is gone wants no more pairs.
                    stopped = sender.blocking_send(batch.map_err(DataFusionError::from)).is_err();
                    !stopped
                });
                timer.done();
                walked.map_err(external)
            };
            tokio::task::spawn_blocking(walk).await.map_err(|error| DataFusionError::External(Box::new(error)))?
        });
        Ok(builder.build())
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

impl DisplayAs for ScorePairsExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.threshold {
            Threshold::All => write!(formatter, "ScorePairsExec: threshold=none"),
            Threshold::MatchWeight(weight) => write!(formatter, "ScorePairsExec: match_weight>={weight}"),
            Threshold::MatchProbability(share) => write!(formatter, "ScorePairsExec: match_probability>={share}"),
        }
    }
}

impl ExecutionPlan for ScorePairsExec {
    fn name(&self) -> &'static str {
        "ScorePairsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.pairs]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let pairs = children.pop().unwrap_or_else(|| Arc::clone(&self.pairs));
        let partitions = pairs.properties().partitioning.partition_count();
        Ok(Arc::new(Self {
            pairs,
            linker: Arc::clone(&self.linker),
            threshold: self.threshold,
            properties: properties(self.schema(), partitions),
            metrics: ExecutionPlanMetricsSet::new(),
        }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut input = self.pairs.execute(partition, context)?;
        let least = self.threshold.match_weight().map_err(external)?;
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let candidates = MetricBuilder::new(&self.metrics).counter("candidate_pairs", partition);
        let (cell, schema) = (Arc::clone(&self.linker), self.schema());
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::clone(&schema), QUEUE);
        let sender = builder.tx();
        builder.spawn(async move {
            let (to_worker, mut batches) = tokio::sync::mpsc::channel::<RecordBatch>(QUEUE);
            let work = move || -> Result<()> {
                // The first pairs come after their records were encoded.
                let Some(first) = batches.blocking_recv() else { return Ok(()) };
                let linker = cell.get().ok_or_else(|| {
                    DataFusionError::Internal("Pairs came before their records were encoded".to_owned())
                })?;
                let scored = linker.score_in_batches(least, |score| {
                    let mut next = Some(first);
                    while let Some(batch) = next {
                        let timer = metrics.elapsed_compute().timer();
                        candidates.add(batch.num_rows());
                        for scored in score_batch(linker, score, &batch, &schema)? {
                            metrics.record_output(scored.num_rows());
                            // A reader that is gone wants no more pairs.
                            if sender.blocking_send(Ok(scored)).is_err() {
                                return Ok(());
                            }
                        }
                        timer.done();
                        next = batches.blocking_recv();
                    }
                    Ok(())
                });
                scored.map_err(external)?
            };
            let worker = tokio::task::spawn_blocking(work);
            while let Some(batch) = input.next().await {
                if to_worker.send(batch?).await.is_err() {
                    break;
                }
            }
            drop(to_worker);
            worker.await.map_err(|error| DataFusionError::External(Box::new(error)))?
        });
        Ok(builder.build())
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// Scores a batch of pairs, one table for each run of pairs of one rule; none for pairs that do not reach the threshold.
fn score_batch(
    linker: &Linker,
    score: &mut ScoreBatch<'_>,
    batch: &RecordBatch,
    schema: &SchemaRef,
) -> Result<Vec<RecordBatch>> {
    let rows = |column: usize| batch.column(column).as_primitive::<UInt32Type>().values();
    let (lefts, rights) = (rows(0), rows(1));
    let rules = batch.column(2).as_primitive::<UInt16Type>().values();
    let mut tables = Vec::new();
    let mut begin = 0;
    for run in rules.chunk_by(PartialEq::eq) {
        let end = begin + run.len();
        let scored = score(run[0], &lefts[begin..end], &rights[begin..end]).map_err(external)?;
        begin = end;
        if !scored.is_empty() {
            let table = linker.pair_batch(&scored).map_err(external)?;
            tables.push(in_schema(&table, schema)?);
        }
    }
    Ok(tables)
}

/// Gives columns the types that the plan promised before any id was read.
fn in_schema(table: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = table.columns().iter().zip(schema.fields()).map(|(column, field)| cast(column, field.data_type()));
    Ok(RecordBatch::try_new(Arc::clone(schema), columns.collect::<std::result::Result<_, _>>()?)?)
}
