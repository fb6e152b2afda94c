//! `hotpass resolve block count`: what blocking rules cost, before a pair is built.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use hotpass_pipeline::resolve::{BlockCounts, count_blocks, read_model_file};
use hotpass_resolve::model::{BlockingRule, LinkType, LinkageModel};
use serde_json::{Value, json};

use super::model::rule_line;
use super::shared::{EngineArgs, RecordsArgs, command_error, notices};
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::progress::StageProgress;

/// Look at blocking rules before they are used
#[derive(Debug, Args)]
pub(super) struct BlockArgs {
    #[command(subcommand)]
    verb: BlockVerb,
}

#[derive(Debug, Subcommand)]
enum BlockVerb {
    /// Count the pairs that blocking rules propose, exactly, without building a pair
    Count(CountArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass resolve block count --input-file people.parquet --model model.json
  hotpass resolve block count --input-file people.parquet --rule 'l.dob = r.dob' --rule 'l.email = r.email'

A rule with a condition beyond equality is counted as if that condition always held: an upper bound, marked `at most`.")]
struct CountArgs {
    /// Model whose rules are counted
    #[arg(long, short, value_name = "FILE", required_unless_present = "rule", conflicts_with = "rule")]
    model: Option<PathBuf>,
    /// Rule to count instead, over `l` and `r`; may be repeated, in order
    #[arg(long, value_name = "SQL")]
    rule: Vec<String>,
    /// Largest blocks to list for each rule, by their number of records
    #[arg(long, value_name = "N", default_value_t = 3)]
    largest: usize,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: CountFormat,
    #[command(flatten)]
    records: RecordsArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum CountFormat {
    /// A table for people
    #[default]
    Table,
    /// One JSON document
    Json,
}

pub(super) fn run(args: BlockArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let BlockVerb::Count(args) = args.verb;
    let model = if let Some(path) = &args.model {
        let (model, found) = read_model_file(path).map_err(|error| command_error("Cannot count", &error))?;
        notices(context, &found);
        model
    } else {
        let link_type = if args.records.input_file.len() > 1 { LinkType::LinkOnly } else { LinkType::DedupeOnly };
        let mut model = LinkageModel::new(link_type);
        model.blocking_rules = args.rule.iter().map(|rule| BlockingRule::from(rule.as_str())).collect();
        model
    };
    let request = args.records.request(&args.engine);
    let progress = StageProgress::new(&context.printer);
    let cancel = context.cancel.clone();
    let counted = args.engine.with_threads(|| {
        count_blocks(&request, model, args.largest, &progress, &cancel)
            .map_err(|error| command_error("Cannot count", &error))
    });
    drop(progress);
    let counted = counted?;
    notices(context, &counted.notices);
    match args.format {
        CountFormat::Json => context.printer.json(&document(&counted))?,
        CountFormat::Table => table(&counted, context)?,
    }
    Ok(Exit::Done)
}

fn table(counted: &BlockCounts, context: &mut Context) -> Result<(), CommandError> {
    let counts = &counted.counts;
    let rows = counts.rules.iter().zip(&counted.rules).enumerate().map(|(index, (count, rule))| {
        let bound = if count.upper_bound { "at most " } else { "" };
        let blocks: Vec<String> = count.largest_blocks.iter().map(|block| block.records.to_string()).collect();
        [
            index.to_string(),
            rule_line(rule),
            format!("{bound}{}", count.pairs),
            format!("{bound}{}", count.marginal),
            count.cumulative.to_string(),
            format!("{:.1} %", share(count.null_records, counted.n_records) * 100.0),
            blocks.join(", "),
        ]
    });
    context.printer.table(
        ["match_key", "rule", "pairs", "new pairs", "together", "records without key", "largest blocks"],
        rows,
    )?;
    let bound = if counts.upper_bound { "at most " } else { "" };
    context.printer.line(format_args!(
        "{} records, {bound}{} candidate pairs of {} possible ({:.6} %)",
        counted.n_records,
        counts.total,
        counts.possible_pairs,
        share(counts.total, counts.possible_pairs) * 100.0
    ))
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn document(counted: &BlockCounts) -> Value {
    let rules: Vec<Value> = counted
        .counts
        .rules
        .iter()
        .zip(&counted.rules)
        .map(|(count, rule)| {
            let blocks: Vec<Value> = count
                .largest_blocks
                .iter()
                .map(|block| json!({"records": block.records, "pairs": block.pairs}))
                .collect();
            json!({
                "rule": rule_line(rule), "pairs": count.pairs, "marginal": count.marginal, "cumulative": count.cumulative,
                "upper_bound": count.upper_bound, "null_records": count.null_records, "blocks": count.n_blocks,
                "largest_blocks": blocks,
            })
        })
        .collect();
    json!({
        "records": counted.n_records,
        "possible_pairs": counted.counts.possible_pairs,
        "candidate_pairs": counted.counts.total,
        "upper_bound": counted.counts.upper_bound,
        "rules": rules,
    })
}
