//! `hotpass resolve score`: given pairs.

use std::path::PathBuf;

use clap::Args;
use hotpass_pipeline::resolve::{PairColumns, ScoreRequest, score_pairs};

use super::shared::{EngineArgs, RecordsArgs, command_error, notices};
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::progress::StageProgress;

/// Score given pairs, whatever the blocking rules say
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  hotpass resolve score --input-file people.parquet --model model.json --pairs labelled.csv --output-file scored.csv")]
pub(super) struct ScoreArgs {
    /// Model to score with, trained
    #[arg(long, short, value_name = "FILE")]
    model: PathBuf,
    /// File of pairs, with `unique_id_l` and `unique_id_r`, and `source_dataset_l` and `source_dataset_r` where there are several sources
    #[arg(long, value_name = "FILE")]
    pairs: PathBuf,
    /// File to write: the pairs in their order with weight and probability; its ending chooses the format
    #[arg(long, short, value_name = "FILE")]
    output_file: PathBuf,
    /// Write also what was compared, as `hotpass resolve predict --full` does
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    records: RecordsArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

pub(super) fn run(args: ScoreArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let request = ScoreRequest {
        records: args.records.request(&args.engine),
        model: args.model,
        pairs: args.pairs,
        output_file: args.output_file,
        columns: if args.full { PairColumns::Full } else { PairColumns::Scores },
        clock: context.clock,
    };
    let progress = StageProgress::new(&context.printer);
    let cancel = context.cancel.clone();
    let outcome = args.engine.with_threads(|| {
        score_pairs(&request, &progress, &cancel).map_err(|error| command_error("Cannot score pairs", &error))
    });
    drop(progress);
    let outcome = outcome?;
    notices(context, &outcome.notices);
    if !context.printer.is_quiet() {
        context.printer.line(format_args!("{} pairs\n\n  {}", outcome.pairs, request.output_file.display()))?;
    }
    Ok(Exit::Done)
}
