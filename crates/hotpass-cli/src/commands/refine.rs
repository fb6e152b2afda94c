//! `hotpass refine`: files in, one governed table out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use hotpass_config::{HotpassConfig, LoadedConfig};
use hotpass_core::{Secret, Severity};
use hotpass_pipeline::{ExpectationError, RefineError, RefineOutcome, RefineRequest, refine};
use serde_json::json;

use super::keygen::signing_key;
use crate::context::{ConfigArgs, Context};
use crate::error::CommandError;
use crate::exit::{ErrorKind, Exit};
use crate::lineage;
use crate::progress::StageProgress;
use crate::telemetry::TelemetryArgs;

/// Diagnostics that are shown one by one; `diagnostics.json` has all of them.
const SHOWN_DIAGNOSTICS: usize = 10;

/// Refine files into one governed table, with the evidence of every value
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass refine data --output-path dist/refined.xlsx
  hotpass refine 'inbox/*.csv' --profile aviation --output-path out.parquet

Exit code 3 when the published data did not meet an expectation, or a table breaks the contract of its source; all files are
written all the same.")]
pub(crate) struct RefineArgs {
    /// Files, folders or patterns to read; the input folder of the configuration when absent
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Folder, file or pattern to read
    #[arg(long, value_name = "PATH", conflicts_with = "paths")]
    input_dir: Option<PathBuf>,
    /// Published file; its ending chooses xlsx, csv, parquet, json or ndjson
    #[arg(long, short, value_name = "FILE")]
    output_path: Option<PathBuf>,
    /// Country of rows that name none, as two letters
    #[arg(long, value_name = "CODE")]
    country_code: Option<String>,
    /// Folder of runs and evidence
    #[arg(long, value_name = "DIR")]
    dist_dir: Option<PathBuf>,
    /// Archive the published files, the run and the inputs as a zip with SHA-256 sums
    #[arg(long, overrides_with = "no_archive")]
    archive: bool,
    /// Write no archive
    #[arg(long)]
    no_archive: bool,
    /// Write the party store here: a `.json` file, or a folder for Parquet
    #[arg(long, value_name = "PATH")]
    party_store_path: Option<PathBuf>,
    /// Write a copy of the report here
    #[arg(long, value_name = "FILE")]
    report_path: Option<PathBuf>,
    /// Form of that copy; by its ending when absent
    #[arg(long, value_name = "FORMAT", value_parser = ["markdown", "html", "json"])]
    report_format: Option<String>,
    /// Contract that the tables read must keep where their source names none: one that ships, or a file
    #[arg(long, value_name = "NAME|PATH")]
    contract: Option<String>,
    /// Suite of expectations on the published table instead of the profile's: one that ships, or a Great Expectations suite file
    #[arg(long, value_name = "NAME|PATH")]
    expectation_suite: Option<String>,
    /// What failed expectations do: `default` as each says, `strict` all fail the run, `relaxed` none does
    #[arg(long, value_name = "MODE", value_parser = ["default", "strict", "relaxed"])]
    qa_mode: Option<String>,
    /// Mask this published column in reports; may be repeated
    #[arg(long, value_name = "COLUMN")]
    sensitive_field: Vec<String>,
    /// Read this mapping file, made by `hotpass map`; may be repeated, later files win
    #[arg(long, value_name = "FILE")]
    mapping: Vec<PathBuf>,
    /// Threads that work; all of the machine's when absent
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Bytes of memory the run may use for tables; a quarter of the machine's when absent
    #[arg(long, value_name = "BYTES")]
    memory_limit: Option<u64>,
    /// Join rows by equal keys alone, without match probabilities
    #[arg(long)]
    no_probabilistic: bool,
    /// Join rows by match probability too, the default
    #[arg(long, conflicts_with = "no_probabilistic")]
    probabilistic: bool,
    /// Linkage model to join rows by; the one that ships for organisations when absent
    #[arg(long, value_name = "FILE", conflicts_with = "no_probabilistic")]
    linkage_model: Option<PathBuf>,
    /// Sign the run with this private key: `file:PATH` or `env:NAME`
    #[arg(long, value_name = "REFERENCE")]
    signing_key: Option<String>,
    #[command(flatten)]
    privacy: PrivacyFlags,
    /// Send lineage events to this server, such as `http://localhost:5000`
    #[arg(long, value_name = "URL", conflicts_with = "no_lineage")]
    lineage_url: Option<String>,
    /// Make no lineage events
    #[arg(long)]
    no_lineage: bool,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

/// The flags of the compliance stage; each switches it on.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Personal data")]
struct PrivacyFlags {
    /// Look for personal data in every source column and in what is published; with the compliance stage comes its redaction,
    /// unless `--no-redact-pii` is given
    #[arg(long)]
    detect_pii: bool,
    /// Redact personal data in everything the run writes, the default of the compliance stage
    #[arg(long, overrides_with = "no_redact_pii")]
    redact_pii: bool,
    /// Redact nothing, whatever the configuration says
    #[arg(long)]
    no_redact_pii: bool,
    /// Operator of a column or class: redact, mask, hash, tokenise, generalise, `redact_spans` or keep; may be repeated
    #[arg(long, value_name = "COLUMN|CLASS=OPERATOR")]
    pii_operator: Vec<String>,
    /// Where the key of hashes and tokens is: `env:NAME` or `file:PATH`
    #[arg(long, value_name = "REFERENCE")]
    pii_key: Option<String>,
    /// Ask for consent of every entity with a contact
    #[arg(long)]
    consent_required: bool,
    /// What becomes of an entity without consent
    #[arg(long, value_name = "POLICY", value_parser = ["withhold", "redact", "report"])]
    consent_policy: Option<String>,
    /// Statements of consent besides those of the sources: a CSV or JSON file
    #[arg(long, value_name = "FILE")]
    consent_file: Option<PathBuf>,
}

impl PrivacyFlags {
    /// Returns the flags as keys of the configuration.
    fn flags(&self) -> Vec<(String, String)> {
        let mut flags = Vec::new();
        let mut set = |key: &str, value: String| flags.push((key.to_owned(), value));
        if self.detect_pii {
            set("compliance.detect_pii", "true".into());
        }
        if self.redact_pii || self.no_redact_pii {
            set("compliance.pii_redaction.enabled", self.redact_pii.to_string());
        }
        for entry in &self.pii_operator {
            let (name, operator) = entry.split_once('=').unwrap_or((entry, ""));
            set(&format!("compliance.pii_redaction.operators.{name}"), operator.to_owned());
        }
        if let Some(key) = &self.pii_key {
            set("compliance.pii_redaction.key", key.clone());
        }
        if self.consent_required {
            set("compliance.consent_required", "true".into());
        }
        if let Some(policy) = &self.consent_policy {
            set("compliance.consent_policy", policy.clone());
        }
        if let Some(file) = &self.consent_file {
            set("compliance.consent_file", file.display().to_string());
        }
        if !flags.is_empty() {
            flags.push(("features.compliance".into(), "true".into()));
        }
        flags
    }
}

impl RefineArgs {
    /// Returns the flags as keys of the configuration.
    fn flags(&self) -> Vec<(String, String)> {
        let mut flags = Vec::new();
        let mut set = |key: &str, value: String| flags.push((key.to_owned(), value));
        let path = |path: &Path| path.display().to_string();
        for (key, value) in [
            ("pipeline.input_dir", &self.input_dir),
            ("pipeline.output_path", &self.output_path),
            ("pipeline.dist_dir", &self.dist_dir),
            ("pipeline.party_store_path", &self.party_store_path),
            ("pipeline.report_path", &self.report_path),
            ("resolve.model", &self.linkage_model),
        ] {
            if let Some(value) = value {
                set(key, path(value));
            }
        }
        for (key, value) in [
            ("pipeline.country_code", &self.country_code),
            ("pipeline.report_format", &self.report_format),
            ("pipeline.qa_mode", &self.qa_mode),
            ("quality.suite", &self.expectation_suite),
            ("quality.contract", &self.contract),
            ("provenance.signing_key", &self.signing_key),
        ] {
            if let Some(value) = value {
                set(key, value.clone());
            }
        }
        if self.archive || self.no_archive {
            set("pipeline.archive", self.archive.to_string());
        }
        if self.probabilistic || self.no_probabilistic {
            set("resolve.probabilistic", self.probabilistic.to_string());
        }
        if let Some(url) = &self.lineage_url {
            set("lineage.transport.url", url.clone());
        }
        if self.no_lineage {
            set("lineage.enabled", "false".to_owned());
        }
        if let Some(threads) = self.threads {
            set("pipeline.threads", threads.to_string());
        }
        if let Some(limit) = self.memory_limit {
            set("ingest.memory_limit_bytes", limit.to_string());
        }
        if !self.sensitive_field.is_empty() {
            set("pipeline.sensitive_fields", json!(self.sensitive_field).to_string());
        }
        if !self.mapping.is_empty() {
            let files: Vec<String> = self.mapping.iter().map(|file| path(file)).collect();
            set("ingest.mapping_files", json!(files).to_string());
        }
        flags.extend(self.telemetry.flags());
        flags.extend(self.privacy.flags());
        flags
    }
}

/// Runs `hotpass refine`.
pub(crate) fn run(args: RefineArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let loaded = args.config.load_with(context, &args.flags())?;
    args.telemetry.start(context, &loaded)?;
    let outcome = refine_with(context, &loaded, args.paths)?;
    summarise(context, &loaded, &outcome)?;
    Ok(if outcome.passed { Exit::Done } else { Exit::DidNotPass })
}

/// Refines inputs by a loaded configuration, with progress.
///
/// # Errors
///
/// Returns a command error when the run could not be done.
pub(crate) fn refine_with(
    context: &mut Context,
    loaded: &LoadedConfig,
    inputs: Vec<PathBuf>,
) -> Result<RefineOutcome, CommandError> {
    let mut services = context.services();
    services.signing_key = loaded.config.provenance.signing_key.as_deref().map(signing_key).transpose()?;
    services.privacy_key = privacy_key(&loaded.config)?;
    let keys = [
        (&loaded.config.provenance.signing_key, services.signing_key.is_some()),
        (&loaded.config.compliance.pii_redaction.key, services.privacy_key.is_some()),
    ];
    for (reference, _) in keys.into_iter().filter(|(_, used)| *used) {
        context.warn_of_open_key(reference.as_deref().unwrap_or_default());
    }
    let lineage = lineage::services(&loaded.config, context);
    let emitter = lineage.emitter.clone();
    services.lineage = lineage;
    let progress = StageProgress::new(&context.printer);
    let origins: BTreeMap<String, String> =
        loaded.origins().into_iter().map(|(key, origin)| (key, origin.to_string())).collect();
    let request = RefineRequest {
        config: &loaded.config,
        config_origins: origins,
        inputs,
        clock: context.clock,
        progress: &progress,
        cancel: context.cancel.clone(),
        services,
    };
    let result = refine(&request);
    drop(progress);
    lineage::finish(&emitter, &loaded.config, context);
    result.map_err(|error| refused(context, &error))
}

/// Returns the key of hashes and tokens, where the configuration names one that is used.
pub(crate) fn privacy_key(config: &HotpassConfig) -> Result<Option<Secret>, CommandError> {
    let redaction = &config.compliance.pii_redaction;
    let Some(reference) = redaction.key.as_ref().filter(|_| config.redacts()) else {
        return Ok(None);
    };
    crate::context::secret(reference).map(Some).map_err(|error| {
        CommandError::usage("Cannot use the key of `compliance.pii_redaction.key`")
            .caused_by(&error)
            .hint("Make a key with `hotpass privacy key --output privacy.key`, and name it as `file:privacy.key`")
    })
}

/// Turns the error of a run into that of a command, after showing what was found.
fn refused(context: &mut Context, error: &RefineError) -> CommandError {
    if matches!(error, RefineError::Cancelled) {
        return CommandError::interrupted().hint("Nothing was published by halves; run it again");
    }
    let kind = if error.is_usage() { ErrorKind::Usage } else { ErrorKind::Failure };
    let mut command_error = CommandError::new(kind, "Cannot refine").caused_by(error).hint_if_some(error.hint());
    if let RefineError::NothingToRefine { skipped, diagnostics, .. } = error {
        for diagnostic in diagnostics {
            context.printer.diagnostic(diagnostic);
        }
        command_error.causes.extend(skipped.iter().map(|table| {
            let sheet = table.sheet.as_ref().map(|sheet| format!("#{sheet}")).unwrap_or_default();
            format!("`{}{sheet}` was left out: {}", table.file, table.reason)
        }));
    }
    if let RefineError::Expectation(ExpectationError::Mistakes { mistakes }) = error {
        command_error.causes.clone_from(mistakes);
        command_error.message = match mistakes.len() {
            1 => "Cannot refine: an expectation cannot be checked".to_owned(),
            count => format!("Cannot refine: {count} expectations cannot be checked"),
        };
    }
    command_error
}

/// Returns a number with its noun, which forms its plural with an `s`.
fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Says how many runs were interrupted and where what is left of them can be deleted.
fn interrupted(ids: &[String], runs: &Path) -> String {
    match ids {
        [id] => {
            format!(
                "An earlier run was interrupted and is incomplete: delete `{}` when you no longer need it",
                runs.join(id).display()
            )
        }
        _ => format!(
            "{} earlier runs were interrupted and are incomplete: delete their folders in `{}` when you no longer need them, \
             from `{}` on",
            ids.len(),
            runs.display(),
            ids.first().map_or("", String::as_str)
        ),
    }
}

/// Says what a run has made, where it is, and what to do next.
///
/// # Errors
///
/// Returns an error when the standard output cannot be written.
pub(crate) fn summarise(
    context: &mut Context,
    loaded: &LoadedConfig,
    outcome: &RefineOutcome,
) -> Result<(), CommandError> {
    let statistics = &outcome.statistics;
    let printer = &mut context.printer;
    let severe = outcome.diagnostics.iter().filter(|diagnostic| diagnostic.severity > Severity::Info);
    for diagnostic in severe.clone().take(SHOWN_DIAGNOSTICS) {
        printer.diagnostic(diagnostic);
    }
    let more = severe.count().saturating_sub(SHOWN_DIAGNOSTICS);
    if more > 0 {
        printer.note(format!(
            "{} more: {}",
            counted(more as u64, "finding"),
            outcome.run.path("diagnostics.json").display()
        ));
    }
    if !outcome.interrupted_runs.is_empty() {
        let runs = loaded.config.pipeline.dist_dir.join("runs");
        printer.hint(interrupted(&outcome.interrupted_runs, &runs));
    }
    let failed: Vec<_> = statistics.expectations.iter().filter(|result| !result.success).collect();
    printer.event(
        "pipeline.summary",
        &json!({
            "run_id": statistics.run_id,
            "passed": outcome.passed,
            "rows_in": statistics.rows_in,
            "rows_in_entities": statistics.rows_in_entities,
            "rows_quarantined": statistics.rows_quarantined,
            "entities": statistics.entities,
            "pairs_to_review": statistics.pairs_to_review,
            "quality_mean": statistics.quality_mean,
            "failed_expectations": failed.iter().map(|result| &result.name).collect::<Vec<_>>(),
            "broken_contracts": statistics.contracts.iter().filter_map(|checked| checked.context.as_ref()).collect::<Vec<_>>(),
            "outputs": outcome.outputs.iter().map(|file| file.path.display().to_string()).collect::<Vec<_>>(),
            "run_folder": outcome.run.root().display().to_string(),
        }),
    );
    if printer.is_quiet() {
        return Ok(());
    }
    let term = loaded.config.profile.organization_term.replace('_', " ");
    printer.line(format!(
        "{} from {} became {} ({term}); {} in quarantine",
        counted(statistics.rows_in, "row"),
        counted(statistics.tables.len() as u64, "table"),
        counted(statistics.entities, "golden record"),
        match statistics.rows_quarantined {
            1 => "1 row is".to_owned(),
            rows => format!("{rows} rows are"),
        }
    ))?;
    if statistics.pairs_to_review > 0 {
        printer.line(format!(
            "{} of rows may belong together and were not joined: {}",
            counted(statistics.pairs_to_review, "pair"),
            outcome.run.path("review_queue.parquet").display()
        ))?;
    }
    if !statistics.released.is_empty() {
        printer.line(format!(
            "{} left quarantine by decision: {}",
            counted(statistics.released.len() as u64, "row"),
            statistics.released.iter().take(SHOWN_DIAGNOSTICS).map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ))?;
    }
    match statistics.skipped.len() {
        0 => {}
        1 => printer.line("1 sheet or file holds no such table and was left out")?,
        count => printer.line(format!("{count} sheets or files hold no such table and were left out"))?,
    }
    let holding = statistics.expectations.len() - failed.len();
    let quality = match statistics.quality_mean {
        Some(mean) => format!("Quality {mean:.2} of 1 on average"),
        None => "Quality is not known, since nothing is published".to_owned(),
    };
    printer.line(format!(
        "{quality}; {holding} of {} {}; sources disagree on {}",
        counted(statistics.expectations.len() as u64, "expectation"),
        if holding == 1 { "holds" } else { "hold" },
        counted(statistics.conflicts.values().sum::<u64>(), "value")
    ))?;
    for result in failed {
        let why = match &result.exception {
            Some(exception) => format!(": {exception}"),
            None if result.checked > 0 => format!(": {} of {} values", result.unexpected, result.checked),
            None => String::new(),
        };
        printer.line(format!("  failed ({}): {}: {}{why}", result.severity, result.dataset, result.name))?;
    }
    if !statistics.contracts.is_empty() {
        let kept = statistics.contracts.iter().filter(|checked| checked.result.passed).count();
        printer.line(format!(
            "{kept} of {} {} the contract of its source",
            counted(statistics.contracts.len() as u64, "table"),
            if kept == 1 || statistics.contracts.len() == 1 { "keeps" } else { "keep" }
        ))?;
    }
    for context in statistics.contracts.iter().filter_map(|checked| checked.context.as_ref()) {
        printer.line(format!("  {}: {}", context.source, context.message))?;
    }
    printer.line("")?;
    for file in &outcome.outputs {
        printer.line(format!("  {}", file.path.display()))?;
    }
    printer.line(format!("  {}", outcome.run.path("report.html").display()))?;
    printer.line(format!("  {} (evidence of the run)", outcome.run.root().display()))?;
    for recommendation in statistics.recommendations.iter().take(5) {
        printer.hint(recommendation);
    }
    Ok(())
}
