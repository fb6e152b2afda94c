//! `hotpass resolve` itself: files in, the same rows with an `entity_id` out.

use std::path::PathBuf;

use clap::Args;
use hotpass_pipeline::resolve::{EvidenceRequest, Method, ResolveOutcome, ResolveRequest, Thresholds, resolve_files};
use serde_json::json;

use super::shared::{EngineArgs, RecordsArgs, TrainingArgs, command_error, notices, parse_probability};
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::lineage;
use crate::progress::StageProgress;
use crate::telemetry::TelemetryArgs;

/// Files in, files out.
#[derive(Debug, Args)]
pub(super) struct FilesArgs {
    /// File to write: the input rows in their order plus `entity_id`; its ending chooses parquet, csv, xlsx, json, ndjson or arrow
    #[arg(long, short, value_name = "FILE", required = true)]
    output_file: Option<PathBuf>,
    /// Model to score with: Splink's JSON or Hotpass's own
    #[arg(long, short, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Pairs from this match probability on are one entity
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.9, value_parser = parse_probability)]
    match_threshold: f64,
    /// Pairs from this match probability on, below the other, are for people to review
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.7, value_parser = parse_probability)]
    review_threshold: f64,
    /// Score pairs by the model; the way that is taken also without this flag
    #[arg(long, visible_alias = "use-splink", overrides_with = "no_probabilistic")]
    probabilistic: bool,
    /// Take equal keys for one entity, without scores: the model's blocking rules, or without a model equal organisation names
    #[arg(long, visible_alias = "no-use-splink")]
    no_probabilistic: bool,
    /// Train the model although it is trained
    #[arg(long, conflicts_with = "no_probabilistic")]
    train: bool,
    /// Folder of `pairs.parquet`, `model.json`, `summary.json` and `training.json`; `linkage` beside the output when absent
    #[arg(long, value_name = "DIR")]
    artifacts_dir: Option<PathBuf>,
    /// Folder of runs and evidence
    #[arg(long, value_name = "DIR", default_value = "dist")]
    dist_dir: PathBuf,
    /// Keep no evidence: no run folder with the digests of what was read and written
    #[arg(long)]
    no_evidence: bool,
    /// Name of the column of entities in the output
    #[arg(long, value_name = "COLUMN", default_value = "entity_id")]
    entity_id_column: String,
    /// The predecessor's name for `--match-threshold`
    #[arg(long, value_name = "PROBABILITY", value_parser = parse_probability, hide = true, conflicts_with = "match_threshold")]
    threshold: Option<f64>,
    /// Send review pairs to Label Studio; not available yet
    #[arg(long, value_name = "URL", hide = true)]
    label_studio_url: Option<String>,
    /// Token of Label Studio; not available yet
    #[arg(long, value_name = "TOKEN", hide = true)]
    label_studio_token: Option<String>,
    /// Project of Label Studio; not available yet
    #[arg(long, value_name = "ID", hide = true)]
    label_studio_project: Option<String>,
    #[command(flatten)]
    records: RecordsArgs,
    #[command(flatten)]
    training: TrainingArgs,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

pub(super) fn run(args: FilesArgs, context: &mut Context) -> Result<Exit, CommandError> {
    if args.label_studio_url.is_some() || args.label_studio_token.is_some() || args.label_studio_project.is_some() {
        return Err(CommandError::usage("Cannot send review pairs to Label Studio: this version has no client for it")
            .hint(
                "Leave the `--label-studio-…` flags out; `pairs.parquet` holds the pairs to review, class `review`",
            ));
    }
    let Some(output_file) = args.output_file else {
        return Err(CommandError::usage("`--output-file` is missing"));
    };
    let match_threshold = match args.threshold {
        Some(threshold) => {
            context.printer.hint("`--threshold` is an old name; write `--match-threshold`");
            threshold
        }
        None => args.match_threshold,
    };
    let method = match (args.no_probabilistic, args.model) {
        (false, Some(model)) => Method::Probabilistic { model, train: args.train, training: args.training.request() },
        (true, Some(model)) => Method::Rules { model },
        (true, None) => Method::EqualNames,
        (false, None) => {
            return Err(CommandError::usage("Cannot score pairs without a model")
                .hint("Give one with `--model FILE`: Splink's JSON, or one that `hotpass resolve model convert` wrote")
                .hint("Or take equal names for one entity with `--no-probabilistic`"));
        }
    };
    args.telemetry.start_alone(context)?;
    let mut services = context.services();
    let config = lineage::configuration_alone(&args.dist_dir, context);
    if !args.no_evidence {
        services.lineage = lineage::services(&config, context);
    }
    let emitter = services.lineage.emitter.clone();
    let request = ResolveRequest {
        records: args.records.request(&args.engine),
        method,
        thresholds: Thresholds { matching: match_threshold, review: args.review_threshold },
        output_file,
        entity_id_column: args.entity_id_column,
        artifacts_dir: args.artifacts_dir,
        clock: context.clock,
        evidence: (!args.no_evidence).then_some(EvidenceRequest { dist_dir: args.dist_dir, services }),
    };
    let progress = StageProgress::new(&context.printer);
    let cancel = context.cancel.clone();
    let outcome = args.engine.with_threads(|| {
        resolve_files(&request, &progress, &cancel).map_err(|error| command_error("Cannot resolve", &error))
    });
    drop(progress);
    lineage::finish(&emitter, &config, context);
    summarise(&outcome?, context)?;
    Ok(Exit::Done)
}

fn summarise(outcome: &ResolveOutcome, context: &mut Context) -> Result<(), CommandError> {
    notices(context, &outcome.notices);
    let summary = &outcome.summary;
    context.printer.event(
        "resolve.summary",
        &json!({
            "input_records": summary.input_records,
            "deduplicated_records": summary.entities,
            "duplicates_removed": summary.input_records - summary.entities,
            "high_confidence_matches": summary.match_pairs,
            "review_pairs": summary.review_pairs,
            "candidate_pairs": summary.candidate_pairs,
            "review_path": outcome.pairs_path.display().to_string(),
            "output_path": outcome.output_path.display().to_string(),
            "run_folder": outcome.run.as_ref().map(|run| run.root().display().to_string()),
        }),
    );
    let printer = &mut context.printer;
    if printer.is_quiet() {
        return Ok(());
    }
    printer.line(format!(
        "{} records are {} entities: {} pairs match, {} are for review, of {} candidate pairs",
        summary.input_records, summary.entities, summary.match_pairs, summary.review_pairs, summary.candidate_pairs
    ))?;
    printer.line("")?;
    printer.line(format!("  {}", outcome.output_path.display()))?;
    for path in [&outcome.pairs_path, &outcome.summary_path]
        .into_iter()
        .chain(&outcome.model_path)
        .chain(&outcome.training_path)
    {
        printer.line(format!("  {}", path.display()))?;
    }
    if let Some(run) = &outcome.run {
        printer.line(format!("  {} (evidence of the run)", run.root().display()))?;
    }
    if summary.review_pairs > 0 {
        printer.hint(format!(
            "Review the pairs of class `review` in {}, best first by `match_probability`",
            outcome.pairs_path.display()
        ));
    }
    Ok(())
}
