//! `hotpass resolve` itself: files in, the same rows with an `entity_id` out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::Schema;
use clap::Args;
use hotpass_config::profile::{shipped_suite, shipped_suites};
use hotpass_core::{SecretError, SecretReference};
use hotpass_pipeline::resolve::{
    ColumnOperators, EvidenceRequest, InputCheck, InputChecks, Method, ResolveOutcome, ResolveRequest, Thresholds,
    resolve_files,
};
use hotpass_pipeline::suite_options;
use hotpass_privacy::operator::UnknownOperator;
use hotpass_privacy::{DataClass, Operator, PrivacyKey, operator::Applier};
use hotpass_quality::contract::{Contract, RuleCount, documents, shipped};
use hotpass_quality::{MissingColumns, Suite, SuiteOptions, error::SuiteError};
use serde_json::json;

use super::shared::{EngineArgs, RecordsArgs, TrainingArgs, command_error, notices, parse_probability};
use crate::commands::keygen::signing_key;
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
    /// Contract that the inputs must keep: the name of one that ships, or a file; exit code 3 when they do not
    #[arg(long, value_name = "NAME|FILE")]
    contract: Option<String>,
    /// Expectations on the inputs: the name of a suite that ships, or a suite file of Great Expectations; exit code 3 when they fail
    #[arg(long, value_name = "NAME|FILE")]
    expectation_suite: Option<String>,
    /// Redact this column of the written rows, or do with it what `=OPERATOR` says, such as `email=tokenise`; may be repeated
    #[arg(long, value_name = "COLUMN[=OPERATOR]")]
    redact: Vec<String>,
    /// Key of the operators `hash` and `tokenise`: `file:PATH` or `env:NAME`
    #[arg(long, value_name = "REFERENCE", requires = "redact")]
    privacy_key: Option<String>,
    /// Sign the run with this private key: `file:PATH` or `env:NAME`
    #[arg(long, value_name = "REFERENCE", conflicts_with = "no_evidence")]
    signing_key: Option<String>,
    /// Send lineage events to this server, such as `http://localhost:5000`
    #[arg(long, value_name = "URL", conflicts_with = "no_evidence")]
    lineage_url: Option<String>,
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
    let mut config = lineage::configuration_alone(&args.dist_dir, context);
    if let Some(url) = args.lineage_url {
        config.lineage.transport.url = Some(url);
    }
    let key = args.signing_key.or_else(|| config.provenance.signing_key.clone());
    if !args.no_evidence {
        services.signing_key = key.as_deref().map(signing_key).transpose()?;
        services.lineage = lineage::services(&config, context);
    }
    let signs = key.filter(|_| services.signing_key.is_some());
    for reference in signs.iter().chain(&args.privacy_key) {
        context.warn_of_open_key(reference);
    }
    let emitter = services.lineage.emitter.clone();
    let options = suite_options(&config.quality, &services);
    let checks = InputChecks {
        contract: args.contract.as_deref().map(contract_of).transpose()?,
        suite: args.expectation_suite.as_deref().map(|name| suite_of(name, &options)).transpose()?,
        options,
    };
    let operators = column_operators(&args.redact, args.privacy_key.as_deref())?
        .without_erased(&args.dist_dir)
        .map_err(|error| {
            let hint = error.hint().unwrap_or_default();
            CommandError::usage("Cannot keep erased people out").caused_by(&error).hint(hint)
        })?;
    let request = ResolveRequest {
        checks,
        operators: Arc::new(operators),
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
    let outcome = outcome?;
    summarise(&outcome, context)?;
    Ok(if outcome.passed() { Exit::Done } else { Exit::DidNotPass })
}

/// Takes a contract by its name or from a file.
fn contract_of(name: &str) -> Result<Contract, CommandError> {
    if let Some(contract) = shipped::contract(name) {
        return Ok(contract);
    }
    let text = read_or_nearest(name, "contract", shipped::names())?;
    documents::read(&text)
        .map(|document| document.contract)
        .map_err(|error| CommandError::usage(format!("Cannot use contract `{name}`")).caused_by(&error))
}

/// Takes a suite by its name or from a file.
fn suite_of(name: &str, options: &SuiteOptions) -> Result<Suite, CommandError> {
    let text = match shipped_suite(name) {
        Some(text) => text.to_owned(),
        None => String::from_utf8_lossy(&read_or_nearest(name, "suite", shipped_suites())?).into_owned(),
    };
    let unusable = |error: SuiteError| {
        let message = format!("Cannot use suite `{name}`");
        match &error {
            SuiteError::Problems { problems, .. } => {
                let mut unusable = CommandError::usage(message);
                unusable.causes = problems.iter().map(ToString::to_string).collect();
                unusable
            }
            SuiteError::NoSql { .. } => CommandError::failure(message)
                .caused_by(&error)
                .hint("Use a build of hotpass with the feature `query`, or take the SQL expectation out"),
            _ => CommandError::usage(message).caused_by(&error),
        }
    };
    let suite = Suite::from_gx_json(&text).map_err(unusable)?;
    // Columns are known with the tables; everything else is wrong now.
    let lenient = SuiteOptions { missing_columns: MissingColumns::Fail, ..options.clone() };
    suite.compile(&Schema::empty(), &lenient).map_err(unusable)?;
    Ok(suite)
}

/// Reads a file, or says which of the names that ship is nearest.
fn read_or_nearest(name: &str, kind: &str, names: impl Iterator<Item = &'static str>) -> Result<Vec<u8>, CommandError> {
    std::fs::read(name).map_err(|error| {
        let names: Vec<&str> = names.collect();
        let hint = match hotpass_core::nearest(name, names.iter().copied()) {
            Some(nearest) => format!("Did you mean `{nearest}`?"),
            None => format!("Give a file, or one that ships: {}", names.join(", ")),
        };
        CommandError::usage(format!("No {kind} `{name}`")).caused_by(&error).hint(hint)
    })
}

/// Reads `COLUMN` and `COLUMN=OPERATOR`, and the key that the operators need.
fn column_operators(pairs: &[String], key: Option<&str>) -> Result<ColumnOperators, CommandError> {
    let mut operators = BTreeMap::new();
    for pair in pairs {
        let (column, operator) = pair.rsplit_once('=').unwrap_or((pair, "redact"));
        let operator: Operator = operator.parse().map_err(|error: UnknownOperator| {
            CommandError::usage(format!("Cannot redact column `{column}`")).caused_by(&error)
        })?;
        operators.insert(column.to_owned(), operator);
    }
    fn unusable(error: &(dyn std::error::Error + 'static)) -> CommandError {
        CommandError::usage("Cannot use the key of `--privacy-key`").caused_by(error)
    }
    let key = key
        .map(|reference| -> Result<PrivacyKey, CommandError> {
            let reference: SecretReference = reference.parse().map_err(|error: SecretError| unusable(&error))?;
            let secret = reference.resolve(|name| std::env::var(name).ok()).map_err(|error| unusable(&error))?;
            PrivacyKey::new(&secret).map_err(|error| unusable(&error))
        })
        .transpose()?;
    let applier = Applier::new(operators.values().copied(), key).map_err(|error| {
        CommandError::usage("Cannot redact columns")
            .caused_by(&error)
            .hint("Make a key with `hotpass privacy key`, and name it with `--privacy-key file:PATH`")
    })?;
    // National numbers stay as they are written: files that are resolved have no country.
    let applier = applier.with_normal_form(|class, value| match class {
        DataClass::Phone => Some(hotpass_normalise::parse_phone(value, None).ok()?.e164),
        _ => None,
    });
    Ok(ColumnOperators::new(operators, applier))
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
    for check in outcome.checks.iter().filter(|check| !check.passed()) {
        printer.warning(format!("`{}` does not keep what it must: {}", check.table, failures(check)));
    }
    for check in outcome.checks.iter().filter(|check| check.rows_to_quarantine() > 0) {
        printer.warning(format!(
            "`{}`: rows that fail expectations of severity `quarantine` are written all the same; `hotpass resolve` takes no row out",
            check.table
        ));
    }
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
        .chain(&outcome.quality_path)
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

/// Names the columns and rules that rows break, those of most rows first.
fn broken_rules(counts: &[RuleCount]) -> String {
    const SHOWN: usize = 5;
    let mut counts: Vec<&RuleCount> = counts.iter().filter(|count| count.rows > 0).collect();
    counts.sort_by_key(|count| std::cmp::Reverse(count.rows));
    let one = |count: &&RuleCount| {
        let message = if count.message.is_empty() { count.rule.name() } else { &count.message };
        let rows = if count.rows == 1 { "row" } else { "rows" };
        format!("`{}` {message}: {} {rows}", count.columns.join("`, `"), count.rows)
    };
    let mut all: Vec<String> = counts.iter().take(SHOWN).map(one).collect();
    if counts.len() > SHOWN {
        all.push(format!("and {} more", counts.len() - SHOWN));
    }
    all.join(", ")
}

/// Says what an input does not keep, without a value.
fn failures(check: &InputCheck) -> String {
    let mut parts = Vec::new();
    if let Some(result) = check.contract.as_ref().filter(|result| !result.passed) {
        let broken =
            format!("contract `{}`, broken by {} of {} rows", result.contract, result.failed_rows, result.rows);
        parts.push(match broken_rules(&result.counts) {
            rules if rules.is_empty() => broken,
            rules => format!("{broken} ({rules})"),
        });
        parts.extend(result.table.iter().map(|breach| breach.message.clone()));
    }
    if let Some(result) = &check.suite {
        parts.extend(result.failures().map(|failure| {
            let title = failure.expectation.title();
            match (&failure.exception, failure.tally) {
                (Some(exception), _) => format!("{title}: {exception}"),
                (None, Some(tally)) => format!("{title}: {} of {} values", tally.unexpected, tally.judged),
                (None, None) => title,
            }
        }));
    }
    parts.join("; ")
}
