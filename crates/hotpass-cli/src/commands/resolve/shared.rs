//! Arguments that several verbs of `hotpass resolve` take, and how they are read.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hotpass_pipeline::resolve::{RecordsRequest, ResolveError, TrainingRequest};
use hotpass_resolve::model::LinkType;
use hotpass_resolve::training::Pooling;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::ErrorKind;

/// The records.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Records")]
pub(super) struct RecordsArgs {
    /// File of records (parquet, arrow, csv, xlsx, json and others); may be repeated, each file is a source
    #[arg(long, short, value_name = "FILE", required = true)]
    pub(super) input_file: Vec<PathBuf>,
    /// Which pairs count; as the model says when absent
    #[arg(long, value_enum, value_name = "TYPE")]
    link_type: Option<LinkTypeChoice>,
    /// Column of the ids, unique within a file; as the model says when absent, and row numbers where there is no `unique_id`
    #[arg(long, value_name = "COLUMN")]
    unique_id_column: Option<String>,
    /// Column that must not be compared, such as a known answer; may be repeated or separated by commas
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    exclude_columns: Vec<String>,
}

/// How the engine works.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Engine")]
pub(super) struct EngineArgs {
    /// Threads that work; all of the machine's when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Memory the engine may use, such as `2GB`; when it does not suffice, the command refuses before it works
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    memory_limit: Option<u64>,
    /// Seed of what is drawn at random; the same seed gives the same result, whatever the threads
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Allow a blocking rule without an equality, which compares every record with every other
    #[arg(long)]
    allow_full_product: bool,
}

/// How a model is trained.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Training")]
pub(super) struct TrainingArgs {
    /// Blocking rule that finds pairs to train on, such as `l.dob = r.dob`; may be repeated; the model's rules when absent
    #[arg(long, value_name = "SQL")]
    training_rule: Vec<String>,
    /// Rule whose pairs are all but surely matches, for the prior; may be repeated; the prior comes from the trained pairs when absent
    #[arg(long, value_name = "SQL", requires = "recall")]
    deterministic_rule: Vec<String>,
    /// Share of all matches that the deterministic rules find, above 0 and at most 1
    #[arg(long, value_name = "SHARE", requires = "deterministic_rule", value_parser = parse_share)]
    recall: Option<f64>,
    /// Random pairs for u stop at this relative error of its rarest level
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = parse_share)]
    u_error: f64,
    /// How estimates of several training rules become one
    #[arg(long, value_enum, value_name = "METHOD", default_value_t)]
    pooling: PoolingChoice,
}

/// Which pairs count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LinkTypeChoice {
    /// Pairs within one table, all files stacked
    #[value(name = "dedupe_only", alias = "dedupe-only")]
    DedupeOnly,
    /// Pairs of records of different files
    #[value(name = "link_only", alias = "link-only")]
    LinkOnly,
    /// Both
    #[value(name = "link_and_dedupe", alias = "link-and-dedupe")]
    LinkAndDedupe,
}

/// How estimates of several training rules become one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum PoolingChoice {
    /// Weighted by the matches that each rule saw
    #[default]
    Evidence,
    /// Median of each level, as Splink does
    Median,
}

impl From<LinkTypeChoice> for LinkType {
    fn from(choice: LinkTypeChoice) -> Self {
        match choice {
            LinkTypeChoice::DedupeOnly => Self::DedupeOnly,
            LinkTypeChoice::LinkOnly => Self::LinkOnly,
            LinkTypeChoice::LinkAndDedupe => Self::LinkAndDedupe,
        }
    }
}

impl RecordsArgs {
    /// Returns what the library is asked to read.
    pub(super) fn request(&self, engine: &EngineArgs) -> RecordsRequest {
        RecordsRequest {
            input_files: self.input_file.clone(),
            link_type: self.link_type.map(Into::into),
            unique_id_column: self.unique_id_column.clone(),
            exclude_columns: self.exclude_columns.clone(),
            memory_limit_bytes: engine.memory_limit,
            allow_full_product: engine.allow_full_product,
            seed: engine.seed,
        }
    }
}

impl TrainingArgs {
    /// Returns what the library is asked to train.
    pub(super) fn request(&self) -> TrainingRequest {
        TrainingRequest {
            training_rules: self.training_rule.clone(),
            deterministic_rules: self.deterministic_rule.clone(),
            recall: self.recall,
            u_relative_error: self.u_error,
            pooling: match self.pooling {
                PoolingChoice::Evidence => Pooling::Evidence,
                PoolingChoice::Median => Pooling::Median,
            },
            ..TrainingRequest::default()
        }
    }
}

impl EngineArgs {
    /// Runs work on as many threads as asked for.
    ///
    /// # Errors
    ///
    /// Returns the error of the work, or that of starting the threads.
    pub(super) fn with_threads<T: Send>(
        &self,
        work: impl FnOnce() -> Result<T, CommandError> + Send,
    ) -> Result<T, CommandError> {
        let Some(threads) = self.threads else { return work() };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(threads))
            .build()
            .map_err(|error| CommandError::failure("Cannot start the threads").caused_by(&error))?;
        let caller = hotpass_telemetry::context::ThreadContext::current();
        pool.install(|| {
            let _context = caller.attach();
            work()
        })
    }
}

/// Turns the library's error into that of a command.
pub(super) fn command_error(message: &str, error: &ResolveError) -> CommandError {
    if matches!(error, ResolveError::Cancelled) {
        return CommandError::interrupted().hint("Nothing was written by halves; run it again");
    }
    let kind = if error.is_usage() { ErrorKind::Usage } else { ErrorKind::Failure };
    let mut command_error = CommandError::new(kind, message).caused_by(error).hint_if_some(error.hint());
    command_error.causes.extend(error.problems().iter().cloned());
    command_error
}

/// Prints what was found about inputs and model.
pub(super) fn notices(context: &mut Context, notices: &[String]) {
    for notice in notices {
        context.printer.note(notice);
    }
}

/// Reads a share: above 0 and at most 1.
pub(super) fn parse_share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("expected a number above 0 and at most 1".to_owned()),
    }
}

/// Reads a probability: 0 to 1.
pub(super) fn parse_probability(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(probability) if (0.0..=1.0).contains(&probability) => Ok(probability),
        _ => Err("expected a probability, 0 to 1".to_owned()),
    }
}

/// Reads a size in bytes: a number, and `KB`, `MB`, `GB`, `TB` (powers of 1000) or `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024).
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let expected = || "expected a size such as `500MB`, `2GB` or `2GiB`".to_owned();
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| expected())?;
    let factor: f64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(expected()),
    };
    let bytes = number * factor;
    if bytes.is_finite() && bytes >= 1.0 { Ok(bytes as u64) } else { Err(expected()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let check = |text, expected: Option<u64>| assert_eq!(parse_size(text).ok(), expected, "{text}");
        check("1000", Some(1000));
        check("2GB", Some(2_000_000_000));
        check("1.5 GiB", Some(1_610_612_736));
        check("512mb", Some(512_000_000));
        check("", None);
        check("GB", None);
        check("2 bananas", None);
        check("0", None);
        check("-1GB", None);
    }

    #[test]
    fn shares_and_probabilities_have_ranges() {
        assert_eq!((parse_share("1").ok(), parse_share("0").ok(), parse_share("nan").ok()), (Some(1.0), None, None));
        assert_eq!((parse_probability("0").ok(), parse_probability("1.1").ok()), (Some(0.0), None));
    }
}
