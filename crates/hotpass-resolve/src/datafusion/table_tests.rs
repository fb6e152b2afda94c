//! `predict` in a query against `Linker::predict`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use datafusion::datasource::MemTable;
use datafusion::execution::context::SessionContext;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionConfig;

use super::register_predict;
use crate::model::{Comparison, ComparisonLevel, LinkType, LinkageModel};
use crate::{Linker, PredictOptions};

fn people(ids: std::ops::Range<i64>, text_ids: bool) -> RecordBatch {
    let name = |id: i64| (id % 11 != 0).then(|| ["anna", "ann", "bob", "carl", "cara"][(id * 7 % 5) as usize]);
    let numbers: ArrayRef = if text_ids {
        Arc::new(StringArray::from_iter_values(ids.clone().map(|id| format!("p{id}"))))
    } else {
        Arc::new(Int64Array::from_iter_values(ids.clone()))
    };
    let names: ArrayRef = Arc::new(ids.clone().map(name).collect::<StringArray>());
    let ages: ArrayRef = Arc::new(Int64Array::from_iter_values(ids.map(|id| id % 4)));
    RecordBatch::try_from_iter_with_nullable([("unique_id", numbers, true), ("name", names, true), ("age", ages, true)])
        .unwrap()
}

fn model(link_type: LinkType) -> LinkageModel {
    let level = |sql: &str, m: f64, u: f64| ComparisonLevel {
        m_probability: Some(m),
        u_probability: Some(u),
        ..ComparisonLevel::new(sql)
    };
    let null = ComparisonLevel { is_null_level: true, ..ComparisonLevel::new("name_l IS NULL OR name_r IS NULL") };
    let names = vec![
        null,
        level("name_l = name_r", 0.8, 0.05),
        level("jaro_winkler_similarity(name_l, name_r) >= 0.8", 0.15, 0.1),
        level("ELSE", 0.05, 0.85),
    ];
    let ages = vec![level("age_l = age_r", 0.9, 0.2), level("ELSE", 0.1, 0.8)];
    let comparison = |name: &str, levels| Comparison { output_column_name: name.to_owned(), description: None, levels };
    let mut model = LinkageModel::new(link_type)
        .compare(comparison("name", names))
        .compare(comparison("age", ages))
        .block_on("l.age = r.age")
        .block_on("l.name = r.name");
    model.probability_two_random_records_match = 0.3;
    model
}

fn session(partitions: usize, tables: &[(&str, RecordBatch)], link_type: LinkType) -> SessionContext {
    let session = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions));
    for (name, table) in tables {
        let provider = MemTable::try_new(table.schema(), vec![vec![table.clone()]]).unwrap();
        session.register_table(*name, Arc::new(provider)).unwrap();
    }
    register_predict(&session, move |path| {
        if path == "model.json" { Ok(model(link_type)) } else { Err(format!("no model `{path}`")) }
    });
    session
}

async fn rows(session: &SessionContext, sql: &str) -> RecordBatch {
    let frame = session.sql(sql).await.unwrap();
    let schema = Arc::clone(frame.schema().inner());
    concat_batches(&schema, &frame.collect().await.unwrap()).unwrap()
}

async fn check(tables: &[(&str, RecordBatch)], link_type: LinkType, threshold: Option<f64>) {
    let builder = Linker::builder(model(link_type)).threads(1);
    let linker =
        tables.iter().fold(builder, |builder, (name, table)| builder.table(*name, [table.clone()])).build().unwrap();
    let options = threshold.map_or_else(PredictOptions::default, PredictOptions::probability);
    let predictions = linker.predict(&options).unwrap();
    let expected: Vec<RecordBatch> = predictions.batches(&linker, 100).collect::<Result<_, _>>().unwrap();
    let order = match link_type {
        LinkType::DedupeOnly => "ORDER BY unique_id_l, unique_id_r",
        _ => "ORDER BY source_dataset_l, unique_id_l, source_dataset_r, unique_id_r",
    };
    let names: Vec<&str> = tables.iter().map(|(name, _)| *name).collect();
    let arguments = names.join(", ");
    for partitions in [1, 4] {
        let session = session(partitions, tables, link_type);
        let provider = MemTable::try_new(linker.pair_schema(), vec![expected.clone()]).unwrap();
        session.register_table("expected", Arc::new(provider)).unwrap();
        let expected = rows(&session, &format!("SELECT * FROM expected {order}")).await;
        assert!(expected.num_rows() > 20);
        let argument = threshold.map_or_else(String::new, |threshold| format!(", {threshold}"));
        let sql = format!("SELECT * FROM predict('model.json', {arguments}{argument}) {order}");
        assert_eq!(rows(&session, &sql).await.columns(), expected.columns(), "{sql}");
        if let Some(threshold) = threshold {
            let sql = format!(
                "SELECT * FROM predict('model.json', {arguments}) WHERE match_probability >= {threshold} {order}"
            );
            assert_eq!(rows(&session, &sql).await.columns(), expected.columns(), "{sql}");
        }
    }
}

#[tokio::test]
async fn predict_in_a_query_is_the_linkers() {
    let one = [("people", people(0..60, false))];
    check(&one, LinkType::DedupeOnly, None).await;
    check(&one, LinkType::DedupeOnly, Some(0.9)).await;
    check(&[("people", people(0..60, true))], LinkType::DedupeOnly, None).await;
    let two = [("people", people(0..40, false)), ("members", people(100..140, false))];
    check(&two, LinkType::LinkOnly, None).await;
    check(&two, LinkType::LinkAndDedupe, Some(0.8)).await;
}

async fn explained(sql: &str) -> String {
    let session = session(2, &[("people", people(0..60, false))], LinkType::DedupeOnly);
    let plans = rows(&session, sql).await;
    plans.column(1).as_string::<i32>().iter().flatten().collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn plans_show_both_nodes_and_the_threshold() {
    let query = "SELECT unique_id_l FROM predict('model.json', people) WHERE match_probability >= 0.9";
    let plan = explained(&format!("EXPLAIN {query}")).await;
    assert!(plan.contains("ScorePairsExec: match_probability>=0.9"), "{plan}");
    assert!(plan.contains("BlockedPairsExec: link_type=dedupe_only, rules=[l.age = r.age; l.name = r.name]"), "{plan}");
    let plan =
        explained("EXPLAIN SELECT * FROM predict('model.json', people, 0.95) WHERE match_probability > 0.5").await;
    assert!(plan.contains("match_probability>=0.95"), "{plan}");
    let ran = explained(&format!("EXPLAIN ANALYZE {query}")).await;
    for metric in ["output_rows=", "candidate_pairs=", "elapsed_compute=", "encode_time="] {
        assert!(ran.contains(metric), "{metric} in {ran}");
    }
}

fn candidate_pairs(plan: &Arc<dyn ExecutionPlan>) -> Option<usize> {
    let own = plan.metrics().and_then(|metrics| metrics.sum_by_name("candidate_pairs")).map(|value| value.as_usize());
    own.or_else(|| plan.children().into_iter().find_map(candidate_pairs))
}

#[tokio::test]
async fn a_limit_stops_early() {
    let session = session(1, &[("people", people(0..2_000, false))], LinkType::DedupeOnly);
    let frame = session.sql("SELECT * FROM predict('model.json', people) LIMIT 5").await.unwrap();
    let plan = frame.create_physical_plan().await.unwrap();
    let found = collect(Arc::clone(&plan), session.task_ctx()).await.unwrap();
    assert_eq!(found.iter().map(RecordBatch::num_rows).sum::<usize>(), 5);
    let scored = candidate_pairs(&plan).unwrap();
    assert!(scored < 200_000, "{scored} of 4 * 500 * 499 / 2 and more");
}

#[tokio::test]
async fn wrong_calls_say_what_is_expected() {
    let session = session(1, &[("people", people(0..10, false))], LinkType::DedupeOnly);
    let refused = async |sql: &str| session.sql(sql).await.unwrap_err().to_string();
    assert!(refused("SELECT * FROM predict('other.json', people)").await.contains("no model `other.json`"));
    assert!(refused("SELECT * FROM predict('model.json', persons)").await.contains("table 'persons' not found"));
    assert!(refused("SELECT * FROM predict('model.json')").await.contains("predict('model.json', people, 0.9)"));
    assert!(refused("SELECT * FROM predict('model.json', people, 2)").await.contains("not a probability"));
}
