//! `hotpass resolve compare`: two records, step by step.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hotpass_pipeline::resolve::{CompareRequest, Proposal, compare_records};

use super::shared::{EngineArgs, RecordsArgs, command_error, notices};
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::progress::StageProgress;

/// Show how the weight of two records comes about, comparison by comparison
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass resolve compare --input-file people.parquet --model model.json 1024 2048
  hotpass resolve compare --input-file a.csv --input-file b.csv --model model.json a:17 b:4 --show-values")]
pub(super) struct CompareArgs {
    /// Id of a record; with several sources SOURCE:ID
    #[arg(value_name = "LEFT")]
    left: String,
    /// Id of the other record
    #[arg(value_name = "RIGHT")]
    right: String,
    /// Model to score with, trained
    #[arg(long, short, value_name = "FILE")]
    model: PathBuf,
    /// Show the compared values
    #[arg(long)]
    show_values: bool,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: CompareFormat,
    #[command(flatten)]
    records: RecordsArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum CompareFormat {
    /// A table for people
    #[default]
    Table,
    /// One JSON document
    Json,
}

pub(super) fn run(args: CompareArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let request = CompareRequest {
        records: args.records.request(&args.engine),
        model: args.model,
        left: args.left,
        right: args.right,
        show_values: args.show_values,
    };
    let progress = StageProgress::new(&context.printer);
    let cancel = context.cancel.clone();
    let waterfall = args.engine.with_threads(|| {
        compare_records(&request, &progress, &cancel).map_err(|error| command_error("Cannot compare", &error))
    });
    drop(progress);
    let waterfall = waterfall?;
    notices(context, &waterfall.notices);
    if args.format == CompareFormat::Json {
        context.printer.json(&waterfall)?;
        return Ok(Exit::Done);
    }
    let bits = |bits: f64| format!("{bits:+.2}");
    let mut sum = waterfall.prior_weight;
    let mut rows =
        vec![vec!["prior".to_owned(), String::new(), bits(waterfall.prior_weight), String::new(), bits(sum)]];
    for step in &waterfall.comparisons {
        sum += step.match_weight + step.term_frequency_weight;
        let frequency =
            if step.term_frequency_weight == 0.0 { String::new() } else { bits(step.term_frequency_weight) };
        rows.push(vec![step.comparison.clone(), step.level.clone(), bits(step.match_weight), frequency, bits(sum)]);
    }
    let mut header = vec!["comparison", "level", "weight", "term frequency", "sum"];
    if args.show_values {
        header.push("values");
        let values = waterfall.comparisons.iter().map(|step| step.values.join(" | "));
        for (row, values) in rows.iter_mut().zip(std::iter::once(String::new()).chain(values)) {
            row.push(values);
        }
    }
    context.printer.table(header, rows)?;
    context.printer.line(format_args!(
        "Weight {:.4}, probability {:.6}{}",
        waterfall.match_weight,
        waterfall.match_probability,
        match &waterfall.blocking {
            Proposal::Yes { match_key, rule } => format!("; proposed by blocking rule {match_key} ({rule})"),
            Proposal::No => "; no blocking rule proposes the pair".to_owned(),
            Proposal::Unknown => String::new(),
        }
    ))?;
    Ok(Exit::Done)
}
