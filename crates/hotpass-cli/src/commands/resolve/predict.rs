//! `hotpass resolve predict`: scored pairs.

use std::path::PathBuf;

use clap::Args;
use hotpass_pipeline::resolve::{PairColumns, PairSelection, PredictOutcome, PredictRequest, predict_pairs};
use serde_json::json;

use super::shared::{EngineArgs, RecordsArgs, command_error, notices, parse_probability};
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::progress::StageProgress;
use crate::telemetry::TelemetryArgs;

/// Score the pairs that the blocking rules of a model propose
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass resolve predict --input-file people.parquet --model model.json --threshold 0.9 --output-file pairs.parquet
  hotpass resolve predict --input-file people.parquet --model model.json --full --output-file pairs.parquet
  hotpass resolve predict --input-file a.csv --input-file b.csv --link-type link_only --model model.json \\
    --output-file pairs.csv --clusters clusters.csv")]
pub(super) struct PredictArgs {
    /// Model to score with, trained
    #[arg(long, short, value_name = "FILE")]
    model: PathBuf,
    /// File of pairs to write; its ending chooses parquet, csv, xlsx, json, ndjson or arrow
    #[arg(long, short, value_name = "FILE")]
    output_file: PathBuf,
    /// Leave out pairs below this match probability; every candidate pair is written when absent
    #[arg(long, value_name = "PROBABILITY", value_parser = parse_probability)]
    threshold: Option<f64>,
    /// Leave out pairs below this match weight, in bits
    #[arg(long, value_name = "BITS", conflicts_with = "threshold", allow_negative_numbers = true)]
    threshold_weight: Option<f64>,
    /// Write also what was compared: both sides' columns, comparison vector, weights and term frequencies, as Splink names them
    #[arg(long)]
    full: bool,
    /// Write the pairs that the blocking rules find, without scores
    #[arg(long, conflicts_with_all = ["threshold", "threshold_weight", "full"])]
    deterministic: bool,
    /// Write also the clusters of the pairs: a row for each record with its `cluster_id`
    #[arg(long, value_name = "FILE")]
    clusters: Option<PathBuf>,
    /// Match probability from which on pairs join to clusters; that of `--threshold` when absent, else 0.9
    #[arg(long, value_name = "PROBABILITY", requires = "clusters", value_parser = parse_probability)]
    cluster_threshold: Option<f64>,
    #[command(flatten)]
    records: RecordsArgs,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

pub(super) fn run(args: PredictArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let request = PredictRequest {
        records: args.records.request(&args.engine),
        model: args.model,
        output_file: args.output_file,
        selection: match (args.deterministic, args.threshold, args.threshold_weight) {
            (true, ..) => PairSelection::Deterministic,
            (_, Some(probability), _) => PairSelection::Probability(probability),
            (_, None, Some(weight)) => PairSelection::Weight(weight),
            _ => PairSelection::All,
        },
        columns: if args.full { PairColumns::Full } else { PairColumns::Scores },
        clusters: args.clusters,
        cluster_threshold: args.cluster_threshold.or(args.threshold).unwrap_or(0.9),
        clock: context.clock,
    };
    args.telemetry.start_alone(context)?;
    let progress = StageProgress::new(&context.printer);
    let cancel = context.cancel.clone();
    let outcome = args.engine.with_threads(|| {
        predict_pairs(&request, &progress, &cancel).map_err(|error| command_error("Cannot score pairs", &error))
    });
    drop(progress);
    summarise(&outcome?, &request, context)?;
    Ok(Exit::Done)
}

fn summarise(outcome: &PredictOutcome, request: &PredictRequest, context: &mut Context) -> Result<(), CommandError> {
    notices(context, &outcome.notices);
    context.printer.event(
        "resolve.predict",
        &json!({
            "records": outcome.records, "candidate_pairs": outcome.candidate_pairs, "pairs": outcome.pairs,
            "clusters": outcome.clusters, "seconds": outcome.seconds, "output_path": request.output_file.display().to_string(),
        }),
    );
    if context.printer.is_quiet() {
        return Ok(());
    }
    context.printer.line(format_args!(
        "{} pairs of {} candidate pairs among {} records",
        outcome.pairs, outcome.candidate_pairs, outcome.records
    ))?;
    if let Some(clusters) = outcome.clusters {
        context.printer.line(format_args!("{clusters} clusters"))?;
    }
    context.printer.line("")?;
    context.printer.line(format_args!("  {}", request.output_file.display()))?;
    if let Some(clusters) = &request.clusters {
        context.printer.line(format_args!("  {}", clusters.display()))?;
    }
    Ok(())
}
