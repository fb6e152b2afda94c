//! Links the records of Parquet files by a model file and says how long each step takes.
//!
//! `link_parquet MODEL THRESHOLD THREADS FILE [FILE…]`: the threshold is a match probability, each file is a source.
#![expect(clippy::print_stdout, reason = "an example talks to its user")]

use std::error::Error;
use std::fs::{File, read_to_string};
use std::time::Instant;

use hotpass_resolve::clustering::connected_components;
use hotpass_resolve::model::read_model;
use hotpass_resolve::{Linker, PredictOptions};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, threshold, threads, files @ ..] = arguments.as_slice() else {
        return Err("give a model, a threshold, a number of threads and at least one file".into());
    };
    let (model, _) = read_model(&read_to_string(model)?)?;
    let start = Instant::now();
    let mut builder = Linker::builder(model).threads(threads.parse()?).retain_output_columns(false);
    for file in files {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file)?)?.with_batch_size(1 << 15);
        let mask = ProjectionMask::all();
        builder = builder.source(file, reader.with_projection(mask).build()?);
    }
    let linker = builder.build()?;
    println!(
        "{} records read and encoded in {:.2?}, {} MB",
        linker.records().len(),
        start.elapsed(),
        linker.records().heap_bytes() >> 20
    );

    let start = Instant::now();
    let counts = linker.count_pairs(1)?;
    println!("{} candidate pairs counted in {:.2?}", counts.total, start.elapsed());
    for rule in &counts.rules {
        println!("  {:>12} {:>12}  {}", rule.pairs, rule.marginal, rule.description);
    }

    let start = Instant::now();
    let pairs = linker.predict(&PredictOptions::probability(threshold.parse()?))?;
    let seconds = start.elapsed().as_secs_f64();
    let rate = pairs.n_candidates() as f64 / seconds / 1e6;
    println!(
        "{} of {} pairs kept in {seconds:.2} s, {rate:.1} million pairs a second",
        pairs.len(),
        pairs.n_candidates()
    );

    let start = Instant::now();
    let mut links = Vec::new();
    for chunk in pairs.chunks() {
        let chunk = chunk?;
        links.extend(chunk.left.into_iter().zip(chunk.right));
    }
    let mut clusters = connected_components(linker.records().len(), links);
    clusters.sort_unstable();
    clusters.dedup();
    println!("{} clusters in {:.2?}", clusters.len(), start.elapsed());
    Ok(())
}
