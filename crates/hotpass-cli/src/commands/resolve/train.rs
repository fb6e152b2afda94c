//! `hotpass resolve train`: a model's probabilities from records.

use std::path::PathBuf;

use clap::Args;
use hotpass_pipeline::resolve::{Labels, TrainOutcome, TrainRequest, train_model};

use super::shared::{EngineArgs, RecordsArgs, TrainingArgs, command_error, notices};
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::progress::StageProgress;
use crate::telemetry::TelemetryArgs;

/// Estimate the probabilities of a model from records
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass resolve train --input-file people.parquet --model draft.json --output-model model.json
  hotpass resolve train --input-file people.parquet --model draft.json --output-model model.json \\
    --training-rule 'l.dob = r.dob' --training-rule 'l.surname = r.surname' \\
    --deterministic-rule 'l.email = r.email' --recall 0.6
  hotpass resolve train --input-file people.parquet --model draft.json --output-model model.json --label-column truth")]
pub(super) struct TrainArgs {
    /// Model to train: comparisons and blocking rules, with or without probabilities
    #[arg(long, short, value_name = "FILE")]
    model: PathBuf,
    /// File to write the trained model to
    #[arg(long, short, value_name = "FILE")]
    output_model: PathBuf,
    /// File to write what training did to; `training.json` beside the model when absent
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Column that is equal for records of one entity: m comes from its pairs instead of from expectation-maximisation
    #[arg(long, value_name = "COLUMN", conflicts_with = "labels")]
    label_column: Option<String>,
    /// File of labelled pairs, with ids and `clerical_match_score`: they teach m together with the unlabelled pairs
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    #[command(flatten)]
    records: RecordsArgs,
    #[command(flatten)]
    training: TrainingArgs,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

pub(super) fn run(args: TrainArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let report = args.report.clone().unwrap_or_else(|| args.output_model.with_file_name("training.json"));
    let mut training = args.training.request();
    training.labels = match (&args.label_column, &args.labels) {
        (Some(column), _) => Some(Labels::Column(column.clone())),
        (None, Some(file)) => Some(Labels::Pairs(file.clone())),
        (None, None) => None,
    };
    let request = TrainRequest {
        records: args.records.request(&args.engine),
        model: args.model,
        training,
        output_model: args.output_model,
        report,
    };
    args.telemetry.start_alone(context)?;
    let progress = StageProgress::new(&context.printer);
    let cancel = context.cancel.clone();
    let outcome = args.engine.with_threads(|| {
        train_model(&request, &progress, &cancel).map_err(|error| command_error("Cannot train", &error))
    });
    drop(progress);
    summarise(&outcome?, &request, context)?;
    Ok(Exit::Done)
}

fn summarise(outcome: &TrainOutcome, request: &TrainRequest, context: &mut Context) -> Result<(), CommandError> {
    notices(context, &outcome.notices);
    context.printer.event("resolve.training", &outcome.report);
    if context.printer.is_quiet() {
        return Ok(());
    }
    if let Some(prior) = &outcome.report.prior {
        context.printer.line(format_args!(
            "Of {:.0} possible pairs about {:.0} match (prior {:.3e})",
            prior.n_possible_pairs, prior.expected_matches, prior.prior
        ))?;
    }
    for comparison in &outcome.report.parameters {
        context.printer.line(format_args!("\n{}", comparison.comparison))?;
        let rows = comparison.levels.iter().map(|level| {
            [
                level.comparison_vector_value.to_string(),
                level.label.clone(),
                format!("{:.6}{}", level.m, if level.m_is_trained { "" } else { " (default)" }),
                format!("{:.6}{}", level.u, if level.u_is_trained { "" } else { " (default)" }),
                format!("{:+.2}", level.match_weight),
            ]
        });
        context.printer.table(["value", "level", "m", "u", "weight"], rows)?;
    }
    context.printer.line("")?;
    context.printer.line(format_args!("  {}", request.output_model.display()))?;
    context.printer.line(format_args!("  {}", request.report.display()))
}
