//! The comparison vectors of real Splink, over its whole comparison library.
//!
//! `tests/peers/comparison_levels.py` wrote the fixture with Splink 5.0.0 on DuckDB 2.0: made-up records, a model, and for each
//! comparison the vector value of every pair.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use serde_json::Value;

use super::{Comparer, Scratch};
use crate::linker::Linker;
use crate::model::LinkageModel;
use crate::plan::{CompileOptions, Plan};
use crate::sql::expression::Expression;
use crate::sql::record;

type Error = Box<dyn std::error::Error>;

fn records(rows: &Value) -> Result<RecordBatch, Error> {
    let text = ["forename", "surname", "dob", "postcode", "email"].map(|name| Field::new(name, DataType::Utf8, true));
    let numbers = ["lat", "long", "amount"].map(|name| Field::new(name, DataType::Float64, true));
    let list = |name, item| Field::new(name, DataType::List(Arc::new(Field::new("item", item, true))), true);
    let mut fields = vec![Field::new("unique_id", DataType::Int64, false)];
    fields.extend(text);
    fields.extend(numbers);
    fields.extend([list("tags", DataType::Utf8), list("embedding", DataType::Float64)]);
    let mut decoder = arrow::json::ReaderBuilder::new(Arc::new(Schema::new(fields))).build_decoder()?;
    decoder.serialize(rows.as_array().ok_or("rows are a list")?)?;
    Ok(decoder.flush()?.ok_or("there are rows")?)
}

/// Computes the features of a plan, so that encoding reads columns only.
fn with_columns_of_features(mut plan: Plan, records: &RecordBatch) -> Result<(Plan, RecordBatch), Error> {
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for (number, feature) in plan.features.iter_mut().enumerate() {
        let name = format!("feature_{number}");
        columns.push((name.clone(), record::evaluate(&feature.expression, records)?));
        feature.expression = Expression::Column { side: None, name };
    }
    columns.push(("unique_id".to_owned(), Arc::clone(records.column(0))));
    Ok((plan, RecordBatch::try_from_iter(columns)?))
}

#[test]
fn levels_are_those_of_splink_for_every_pair() -> Result<(), Error> {
    let fixture: Value = serde_json::from_str(include_str!("../../tests/fixtures/comparison_levels.json"))?;
    let (model, _) = LinkageModel::from_splink_json(&fixture["model"].to_string())?;
    let records = records(&fixture["rows"])?;
    let plan = Plan::compile(&model, &records.schema(), &CompileOptions { sql_tier: false })?;
    let (plan, features) = with_columns_of_features(plan, &records)?;
    let linker = Linker::builder(model.clone()).plan(plan.clone()).table("people", [features]).build()?;
    let comparer = Comparer::new(&plan, linker.records().columns(), &model, None)?;
    let n_rows = records.num_rows() as u32;
    let (lefts, rights): (Vec<u32>, Vec<u32>) =
        (0..n_rows).flat_map(|left| (left + 1..n_rows).map(move |right| (left, right))).unzip();
    let mut wrong = Vec::new();
    for (index, comparison) in model.comparisons.iter().enumerate() {
        let mut levels = vec![0; lefts.len()];
        comparer.levels(index, &lefts, &rights, &mut levels, &mut Scratch::default())?;
        let expected =
            fixture["vectors"][&comparison.output_column_name].as_str().ok_or("every comparison has vectors")?;
        let found: String = levels
            .iter()
            .map(|level| match comparison.vector_value(usize::from(*level)) {
                -1 => '-',
                value => char::from(b'0' + value as u8),
            })
            .collect();
        let pairs = lefts.iter().zip(&rights).zip(found.chars().zip(expected.chars()));
        let differing: Vec<_> = pairs.filter(|(_, (found, expected))| found != expected).collect();
        if found.len() != expected.len() || !differing.is_empty() {
            wrong.push((&comparison.output_column_name, differing.len(), differing[0]));
        }
    }
    assert!(wrong.is_empty(), "comparisons, their wrong pairs and the first of them: {wrong:#?}");
    Ok(())
}
