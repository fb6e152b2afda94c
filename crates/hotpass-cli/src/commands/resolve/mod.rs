//! `hotpass resolve`: which records of files belong to one entity, and every step of the way by itself.

mod block;
mod cluster;
mod compare;
mod evaluate;
mod files;
mod model;
mod predict;
mod score;
mod shared;
mod train;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;

/// Find the records of files that belong to one entity
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Examples:
  hotpass resolve --input-file people.parquet --model model.json --output-file people_resolved.parquet
  hotpass resolve --input-file a.csv --input-file b.csv --link-type link_only --model model.json --output-file both.csv
  hotpass resolve --input-file clubs.xlsx --no-probabilistic --output-file clubs_resolved.xlsx
  hotpass resolve block count --input-file people.parquet --model model.json

The model is Splink's JSON (version 4 or 5) or Hotpass's own; one that is not trained is trained first.")]
pub(crate) struct ResolveArgs {
    #[command(subcommand)]
    verb: Option<ResolveVerb>,
    #[command(flatten)]
    files: files::FilesArgs,
}

#[derive(Debug, Subcommand)]
enum ResolveVerb {
    Train(train::TrainArgs),
    Predict(predict::PredictArgs),
    Cluster(cluster::ClusterArgs),
    Score(score::ScoreArgs),
    Compare(compare::CompareArgs),
    Block(block::BlockArgs),
    Model(model::ModelArgs),
    Evaluate(evaluate::EvaluateArgs),
}

/// Runs `hotpass resolve`.
pub(crate) fn run(args: ResolveArgs, context: &mut Context) -> Result<Exit, CommandError> {
    match args.verb {
        None => files::run(args.files, context),
        Some(ResolveVerb::Train(args)) => train::run(args, context),
        Some(ResolveVerb::Predict(args)) => predict::run(args, context),
        Some(ResolveVerb::Cluster(args)) => cluster::run(args, context),
        Some(ResolveVerb::Score(args)) => score::run(args, context),
        Some(ResolveVerb::Compare(args)) => compare::run(args, context),
        Some(ResolveVerb::Block(args)) => block::run(args, context),
        Some(ResolveVerb::Model(args)) => model::run(args, context),
        Some(ResolveVerb::Evaluate(args)) => evaluate::run(args, context),
    }
}
