//! `hotpass resolve evaluate`: pairs or clusters against a truth.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use hotpass_pipeline::resolve::{EvaluateRequest, Evaluated, Evaluation, TruthSource, evaluate_files};
use hotpass_resolve::evaluation::{ClusterEvaluation, Interval, PairEvaluation, PairMeasures};

use super::shared::{LinkTypeChoice, command_error, parse_probability, parse_share};
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;

/// Measure pairs or clusters against a truth
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("evaluated").required(true).args(["pairs", "clusters"])))]
#[command(group(ArgGroup::new("truth").required(true).args(["truth_column", "truth_pairs", "labels"])))]
#[command(after_help = "\
Examples:
  hotpass resolve evaluate --pairs pairs.parquet --truth-column cluster_id --input-file people.parquet --threshold 0.5,0.95
  hotpass resolve evaluate --clusters clusters.parquet --truth-pairs known.csv
  hotpass resolve evaluate --pairs scored.csv --labels labelled.csv --format json

True pairs that are not in the file of pairs count as missed by blocking: write it without a threshold to tell blocking from scoring.")]
pub(super) struct EvaluateArgs {
    /// File of scored pairs
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,
    /// File of records with their clusters
    #[arg(long, value_name = "FILE")]
    clusters: Option<PathBuf>,
    /// Column of the clusters in that file
    #[arg(long, value_name = "COLUMN", default_value = "cluster_id", requires = "clusters")]
    cluster_column: String,
    /// Column of the records that is equal for records of one entity
    #[arg(long, value_name = "COLUMN", requires = "input_file")]
    truth_column: Option<String>,
    /// File of records with that column; may be repeated, each file is a source
    #[arg(long, short, value_name = "FILE")]
    input_file: Vec<PathBuf>,
    /// File of all pairs that match, by their ids
    #[arg(long, value_name = "FILE")]
    truth_pairs: Option<PathBuf>,
    /// File of judged pairs, by their ids, with `clerical_match_score` or `label` from 0 to 1; only they count
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Column of the ids, which the columns of pairs are named after
    #[arg(long, value_name = "COLUMN", default_value = "unique_id")]
    unique_id_column: String,
    /// Which pairs count; as the sources of the pairs show when absent
    #[arg(long, value_enum, value_name = "TYPE")]
    link_type: Option<LinkTypeChoice>,
    /// Match probability to measure at; may be repeated or separated by commas
    #[arg(long, value_name = "PROBABILITY", value_delimiter = ',', default_value = "0.5,0.9,0.95,0.99", value_parser = parse_probability)]
    threshold: Vec<f64>,
    /// Replicates of the bootstrap that gives intervals; 0 for none
    #[arg(long, value_name = "N", default_value_t = 200)]
    bootstrap: u32,
    /// Share of replicates inside an interval
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, value_parser = parse_share)]
    confidence: f64,
    /// Seed of the bootstrap
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: EvaluateFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum EvaluateFormat {
    /// Tables for people
    #[default]
    Table,
    /// One JSON document, with every measure at every threshold
    Json,
}

pub(super) fn run(args: EvaluateArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let truth = match (args.truth_column, args.truth_pairs, args.labels) {
        (Some(column), ..) => TruthSource::Column { input_files: args.input_file, column },
        (_, Some(file), _) => TruthSource::Pairs(file),
        (.., Some(file)) => TruthSource::Labels(file),
        _ => return Err(CommandError::usage("There is no truth to measure against")),
    };
    let evaluated = match (args.pairs, args.clusters) {
        (Some(file), _) => Evaluated::Pairs(file),
        (None, Some(file)) => Evaluated::Clusters { file, column: args.cluster_column },
        (None, None) => return Err(CommandError::usage("There is nothing to measure")),
    };
    let request = EvaluateRequest {
        evaluated,
        truth,
        unique_id_column: args.unique_id_column,
        link_type: args.link_type.map(Into::into),
        thresholds: args.threshold,
        bootstrap: args.bootstrap,
        confidence: args.confidence,
        seed: args.seed,
    };
    let evaluation = evaluate_files(&request).map_err(|error| command_error("Cannot evaluate", &error))?;
    if args.format == EvaluateFormat::Json {
        context.printer.json(&evaluation)?;
    } else {
        print(&evaluation, context)?;
    }
    Ok(Exit::Done)
}

fn print(evaluation: &Evaluation, context: &mut Context) -> Result<(), CommandError> {
    if let Some(pairs) = &evaluation.pairs {
        let blocking = &pairs.blocking;
        context.printer.line(format_args!(
            "{} true pairs: {} among the pairs given, {} missed by blocking",
            blocking.true_pairs, blocking.proposed, blocking.missed
        ))?;
        if let Some(best) = &pairs.best_f1 {
            context.printer.line(format_args!(
                "Best F1 {} at weight {:.1}\n",
                number(best.measures.f1),
                best.threshold
            ))?;
        }
        // Clusters judged by labelled pairs have one line of their own.
        if evaluation.thresholds.is_empty()
            && let Some(at) = &pairs.at_threshold
        {
            let rows = [pair_row("together", &at.measures, pairs)];
            context.printer.table(PAIR_HEADER, rows)?;
        }
    }
    if !evaluation.thresholds.is_empty() {
        context.printer.line("pairs")?;
        let rows = evaluation.thresholds.iter().map(|at| {
            let measures = at.pairs.at_threshold.as_ref().map(|at| at.measures).unwrap_or_default();
            pair_row(&at.probability.to_string(), &measures, &at.pairs)
        });
        context.printer.table(PAIR_HEADER, rows)?;
        if evaluation.thresholds.iter().any(|at| at.clusters.is_some()) {
            context.printer.line("\nclusters")?;
            let rows = evaluation.thresholds.iter().filter_map(|at| {
                let clusters = at.clusters.as_ref()?;
                Some(cluster_row(&at.probability.to_string(), &clusters.evaluation))
            });
            context.printer.table(CLUSTER_HEADER, rows)?;
        }
    }
    if let Some(clusters) = &evaluation.clusters {
        context.printer.table(CLUSTER_HEADER, [cluster_row("as given", clusters)])?;
        if let Some(intervals) = &clusters.intervals {
            let rows = [
                ["pairwise F1".to_owned(), interval(intervals.pairwise_f1)],
                ["B-cubed F1".to_owned(), interval(intervals.b_cubed_f1)],
                ["cluster F1".to_owned(), interval(intervals.cluster_f1)],
                ["variation of information".to_owned(), interval(intervals.variation_of_information)],
            ];
            context.printer.line("")?;
            context.printer.table(["measure", "interval"], rows)?;
        }
    }
    Ok(())
}

const PAIR_HEADER: [&str; 8] = ["threshold", "true", "wrong", "missed", "precision", "recall", "F1", "interval of F1"];
const CLUSTER_HEADER: [&str; 7] = [
    "threshold",
    "pairwise precision",
    "pairwise recall",
    "pairwise F1",
    "B-cubed F1",
    "cluster F1",
    "variation of information",
];

fn pair_row(threshold: &str, measures: &PairMeasures, pairs: &PairEvaluation) -> [String; 8] {
    [
        threshold.to_owned(),
        measures.counts.true_positives.to_string(),
        measures.counts.false_positives.to_string(),
        measures.counts.false_negatives.to_string(),
        number(measures.precision),
        number(measures.recall),
        number(measures.f1),
        interval(pairs.intervals.and_then(|intervals| intervals.f1)),
    ]
}

fn cluster_row(threshold: &str, clusters: &ClusterEvaluation) -> [String; 7] {
    [
        threshold.to_owned(),
        number(clusters.pairwise.precision),
        number(clusters.pairwise.recall),
        number(clusters.pairwise.f1),
        number(clusters.b_cubed.f1),
        number(clusters.clusters.scores.f1),
        format!("{:.4}", clusters.variation_of_information.total),
    ]
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

fn interval(interval: Option<Interval>) -> String {
    interval.map_or_else(|| "–".to_owned(), |interval| format!("{:.4} to {:.4}", interval.low, interval.high))
}
