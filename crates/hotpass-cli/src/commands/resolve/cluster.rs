//! `hotpass resolve cluster`: clusters from scored pairs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hotpass_pipeline::resolve::{ClusterMethod, ClusterRequest, cluster_pairs};

use super::shared::{command_error, parse_probability};
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;

/// Join scored pairs to clusters, at one threshold or at many
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass resolve cluster --pairs pairs.parquet --threshold 0.95 --output-file clusters.parquet
  hotpass resolve cluster --pairs pairs.parquet --threshold 0.5,0.9,0.99 --output-file clusters.csv
  hotpass resolve cluster --pairs pairs.parquet --method single-best --duplicate-free register --output-file clusters.csv")]
pub(super) struct ClusterArgs {
    /// File of scored pairs, as `hotpass resolve predict` writes it; pairs without a score all count
    #[arg(long, value_name = "FILE")]
    pairs: PathBuf,
    /// File to write: a row for each record with its `cluster_id`; its ending chooses the format
    #[arg(long, short, value_name = "FILE")]
    output_file: PathBuf,
    /// Match probability from which on pairs join; may be repeated or separated by commas, each gives a column
    #[arg(long, value_name = "PROBABILITY", value_delimiter = ',', default_value = "0.9", value_parser = parse_probability)]
    threshold: Vec<f64>,
    /// File of records, so that those without a pair are clusters too; may be repeated, each file is a source
    #[arg(long, short, value_name = "FILE")]
    input_file: Vec<PathBuf>,
    /// Column of the ids, which the columns of the pairs are named after
    #[arg(long, value_name = "COLUMN", default_value = "unique_id")]
    unique_id_column: String,
    /// What is joined
    #[arg(long, value_enum, default_value_t)]
    method: MethodChoice,
    /// Source in which no two records are one entity; may be repeated or separated by commas
    #[arg(long, value_name = "SOURCE", value_delimiter = ',')]
    duplicate_free: Vec<String>,
    /// Leave out links of equal weight to several records of a duplicate-free source
    #[arg(long)]
    drop_ties: bool,
    /// Form of the figures on the standard output
    #[arg(long, value_enum, default_value_t)]
    format: ClusterFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum MethodChoice {
    /// Every record that a chain of pairs reaches
    #[default]
    Components,
    /// Best links first, while no duplicate-free source would occur twice in a cluster
    SingleBest,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ClusterFormat {
    /// A table for people
    #[default]
    Table,
    /// One JSON document
    Json,
}

pub(super) fn run(args: ClusterArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let method = match args.method {
        MethodChoice::Components if !args.duplicate_free.is_empty() || args.drop_ties => {
            return Err(CommandError::usage(
                "`--duplicate-free` and `--drop-ties` say nothing about connected components",
            )
            .hint("Add `--method single-best`"));
        }
        MethodChoice::Components => ClusterMethod::Components,
        MethodChoice::SingleBest => {
            ClusterMethod::SingleBest { duplicate_free: args.duplicate_free.clone(), drop_ties: args.drop_ties }
        }
    };
    let request = ClusterRequest {
        pairs: args.pairs,
        output_file: args.output_file,
        thresholds: args.threshold,
        input_files: args.input_file,
        unique_id_column: args.unique_id_column,
        method,
        clock: context.clock,
    };
    let outcome = cluster_pairs(&request).map_err(|error| command_error("Cannot cluster", &error))?;
    if args.format == ClusterFormat::Json {
        context.printer.json(&outcome)?;
        return Ok(Exit::Done);
    }
    let rows = outcome.iter().map(|(threshold, statistics)| {
        [
            threshold.to_string(),
            statistics.n_records.to_string(),
            statistics.n_clusters.to_string(),
            statistics.n_singletons.to_string(),
            statistics.largest_cluster.to_string(),
            format!("{:.2}", statistics.mean_size),
        ]
    });
    context.printer.table(["threshold", "records", "clusters", "singletons", "largest", "mean size"], rows)?;
    context.printer.note(format_args!("Wrote `{}`", request.output_file.display()));
    Ok(Exit::Done)
}
