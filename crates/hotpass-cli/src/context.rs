//! What a command is handed besides its arguments: printer, clock, cancel flag, and the ways to configuration and runs.

use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use hotpass_core::{Clock, RunDirectory, RunLookupError};

use crate::error::CommandError;
use crate::exit::ErrorKind;
use crate::printer::Printer;

/// What a command is handed besides its arguments.
#[derive(Debug)]
pub(crate) struct Context {
    /// The one door to the terminal.
    pub(crate) printer: Printer,
    /// The machine's clock, or the moment that `SOURCE_DATE_EPOCH` names.
    pub(crate) clock: Clock,
    /// Set by the first Ctrl-C; long work looks at it between batches.
    pub(crate) cancel: Arc<AtomicBool>,
    /// Whether `--log-format` was given, which then overrules the configuration.
    pub(crate) log_format_given: bool,
}

impl Context {
    /// Makes the context: reads the clock's variable and watches for Ctrl-C.
    pub(crate) fn new(printer: Printer, log_format_given: bool) -> Result<Self, (Printer, CommandError)> {
        let clock = match clock_from_environment() {
            Ok(clock) => clock,
            Err(error) => return Err((printer, error)),
        };
        let cancel = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&cancel);
        let watched = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                process::exit(i32::from(ErrorKind::Interrupted.code()));
            }
        });
        if let Err(error) = watched {
            return Err((printer, CommandError::failure("Cannot watch for Ctrl-C").caused_by(&error)));
        }
        Ok(Self { printer, clock, cancel, log_format_given })
    }

    /// Returns whether the user has asked to stop.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::SeqCst)
    }
}

fn clock_from_environment() -> Result<Clock, CommandError> {
    let Some(value) = std::env::var_os("SOURCE_DATE_EPOCH").filter(|value| !value.is_empty()) else {
        return Ok(Clock::System);
    };
    value.to_str().and_then(|text| text.parse().ok()).map(Clock::fixed_seconds).ok_or_else(|| {
        CommandError::usage("The environment variable `SOURCE_DATE_EPOCH` is not a whole number of seconds since 1970")
            .hint("Unset it, or set it to something like `1700000000`")
    })
}

/// The flags that say which configuration a command works with.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct ConfigArgs {
    /// Profile: a name (`generic`, `aviation`, or one on the search path) or the path of a profile file
    #[arg(long, value_name = "NAME|PATH")]
    pub(crate) profile: Option<String>,
    /// Look for profiles in this folder before `profiles/` and the built-in ones; may be repeated
    #[arg(long, value_name = "DIR")]
    pub(crate) profile_search_path: Vec<PathBuf>,
    /// Read this configuration file (TOML, YAML or JSON); may be repeated, later files win; `hotpass.toml` of this folder when absent
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Vec<PathBuf>,
    /// Set one key of the configuration, such as `pipeline.archive=true`; may be repeated, wins over every file
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

impl ConfigArgs {
    /// Returns the `HOTPASS__SECTION__KEY` variables of the environment, sorted by name.
    pub(crate) fn environment() -> Vec<(String, String)> {
        let mut variables: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with("HOTPASS__"))
            .collect();
        variables.sort_unstable();
        variables
    }

    /// Returns the pairs of `--set`.
    ///
    /// # Errors
    ///
    /// Returns a usage error when one has no `=`.
    pub(crate) fn overrides(&self) -> Result<Vec<(String, String)>, CommandError> {
        self.set
            .iter()
            .map(|pair| match pair.split_once('=') {
                Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
                _ => Err(CommandError::usage(format!("`--set` takes KEY=VALUE, not `{pair}`"))
                    .hint("Write it as in `--set pipeline.archive=true`")),
            })
            .collect()
    }
}

/// The flags of every command that reads runs.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunArgs {
    /// Folder that holds the runs
    #[arg(long, value_name = "DIR", default_value = "dist")]
    pub(crate) dist_dir: PathBuf,
    /// Run: its id, an unambiguous beginning of it, or `latest`
    #[arg(long, value_name = "ID", default_value = "latest")]
    pub(crate) run: String,
}

impl RunArgs {
    /// Finds the run's folder.
    ///
    /// # Errors
    ///
    /// Returns a usage error with a hint when there is no such run.
    pub(crate) fn find(&self) -> Result<RunDirectory, CommandError> {
        RunDirectory::find(&self.dist_dir, &self.run).map_err(|error| {
            let hint = match &error {
                RunLookupError::NoRuns { .. } => {
                    "Make one with `hotpass refine`, or say where the runs are with `--dist-dir`".to_owned()
                }
                RunLookupError::NoSuchRun { newest, .. } => format!("Use `--run latest` or `--run {newest}`"),
                RunLookupError::Ambiguous { .. } => "Give more digits of the id".to_owned(),
            };
            CommandError::usage(error.to_string()).hint(hint)
        })
    }
}
