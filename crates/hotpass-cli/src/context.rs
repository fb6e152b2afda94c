//! What a command is handed besides its arguments: printer, clock, cancel flag, and the ways to configuration and runs.

use std::path::PathBuf;
use std::process;

use clap::Args;
use hotpass_config::upgrade::is_legacy_key;
use hotpass_config::{ConfigError, ConfigLoader, ConfigProblem, LoadedConfig, ProblemKind};
use hotpass_core::{Clock, RunDirectory, RunLookupError};
use hotpass_pipeline::{CancelToken, NamedCheckProblem, Services};

use crate::error::CommandError;
use crate::exit::{ErrorKind, Exit};
use crate::printer::Printer;
use crate::telemetry::RunningTelemetry;

/// What a command is handed besides its arguments.
#[derive(Debug)]
pub(crate) struct Context {
    /// The one door to the terminal.
    pub(crate) printer: Printer,
    /// The machine's clock, or the moment that `SOURCE_DATE_EPOCH` names.
    pub(crate) clock: Clock,
    /// Set by the first Ctrl-C; long work looks at it between batches.
    pub(crate) cancel: CancelToken,
    /// Whether `--log-format` was given, which then overrules the configuration.
    pub(crate) log_format_given: bool,
    /// Telemetry of the run, once a verb has started it.
    pub(crate) telemetry: RunningTelemetry,
    /// Who runs the command.
    pub(crate) operator: Option<String>,
}

impl Context {
    /// Makes the context: reads the clock's variable and watches for Ctrl-C.
    pub(crate) fn new(printer: Printer, log_format_given: bool) -> Result<Self, (Printer, CommandError)> {
        let clock = match clock_from_environment() {
            Ok(clock) => clock,
            Err(error) => return Err((printer, error)),
        };
        let cancel = CancelToken::new();
        let token = cancel.clone();
        let watched = ctrlc::set_handler(move || {
            // The second time, the user does not want to wait.
            if token.is_cancelled() {
                process::exit(i32::from(ErrorKind::Interrupted.code()));
            }
            token.cancel();
        });
        if let Err(error) = watched {
            return Err((printer, CommandError::failure("Cannot watch for Ctrl-C").caused_by(&error)));
        }
        Ok(Self {
            printer,
            clock,
            cancel,
            log_format_given,
            telemetry: RunningTelemetry::default(),
            operator: operator(),
        })
    }

    /// Returns whether the user has asked to stop.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Returns what stands around a run of this process: its operator and its command.
    pub(crate) fn services(&self) -> Services {
        Services {
            operator: self.operator.clone(),
            command: command_line(std::env::args()),
            sql: crate::commands::sql_engine(),
            ..Services::default()
        }
    }
}

/// Returns who runs the command: `HOTPASS_OPERATOR`, else the name of the user.
fn operator() -> Option<String> {
    ["HOTPASS_OPERATOR", "USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
}

/// Returns the secret that a reference names, from the environment or a file.
pub(crate) fn secret(reference: &str) -> Result<hotpass_core::Secret, hotpass_core::SecretError> {
    reference.parse::<hotpass_core::SecretReference>()?.resolve(|name| std::env::var(name).ok())
}

impl Context {
    /// Warns where the file of a key can be read by others.
    pub(crate) fn warn_of_open_key(&mut self, reference: &str) {
        let reference = reference.parse::<hotpass_core::SecretReference>();
        if let Some(reference) = reference.ok().filter(hotpass_core::SecretReference::is_open_to_others) {
            self.printer.warning(format!("The key {reference} can be read by others than its owner"));
            self.printer.hint("Take the right from them with `chmod 600`");
        }
    }
}

/// Returns the verb and the names of the flags; values stay out, since they may be anything.
fn command_line(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let mut command = vec!["hotpass".to_owned()];
    for (position, argument) in arguments.skip(1).enumerate() {
        if argument.starts_with('-') {
            command.push(argument.split_once('=').map_or(argument.as_str(), |(flag, _)| flag).to_owned());
        } else if position == 0 {
            command.push(argument);
        }
    }
    command
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
    /// Name of the configuration file that is read when none is given.
    pub(crate) const DEFAULT_FILE: &str = "hotpass.toml";
    /// Folder of the workspace's own profiles.
    const PROFILE_FOLDER: &str = "profiles";

    /// Returns the folders in which profiles are looked for, in order.
    pub(crate) fn search_path(&self) -> Vec<PathBuf> {
        self.profile_search_path.iter().cloned().chain([PathBuf::from(Self::PROFILE_FOLDER)]).collect()
    }

    /// Returns the configuration files, in order: those given, else `hotpass.toml` where there is one.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let default = PathBuf::from(Self::DEFAULT_FILE);
        if self.config.is_empty() && default.is_file() { vec![default] } else { self.config.clone() }
    }

    /// Loads the configuration from all layers, and takes over its `pipeline.log_format` unless the flag was given.
    ///
    /// # Errors
    ///
    /// Returns a usage error that lists every problem of every layer.
    pub(crate) fn load(&self, context: &mut Context) -> Result<LoadedConfig, CommandError> {
        self.load_with(context, &[])
    }

    /// Loads the configuration as [`ConfigArgs::load`] does, with the values of a command's own flags on top.
    ///
    /// # Errors
    ///
    /// Returns a usage error that lists every problem of every layer.
    pub(crate) fn load_with(
        &self,
        context: &mut Context,
        flags: &[(String, String)],
    ) -> Result<LoadedConfig, CommandError> {
        let mut loader = ConfigLoader::new().environment(Self::environment());
        if let Some(profile) = &self.profile {
            loader = loader.profile(profile);
        }
        for folder in self.search_path() {
            loader = loader.profile_search_path(folder);
        }
        for file in self.files() {
            loader = loader.file(file);
        }
        for (key, value) in self.overrides()?.iter().chain(flags) {
            loader = loader.flag(key, value);
        }
        let loaded = loader.load().map_err(|error| config_error(&error))?;
        if !context.log_format_given {
            context.printer.set_log_format(loaded.config.pipeline.log_format);
        }
        Ok(loaded)
    }

    /// Returns the `HOTPASS__SECTION__KEY` variables of the environment, sorted by name.
    pub(crate) fn environment() -> Vec<(String, String)> {
        let mut variables: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with("HOTPASS__"))
            .collect();
        variables.extend(crate::lineage::configuration_variables());
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

/// Returns the usage error that lists every problem of a configuration.
pub(crate) fn config_error(error: &ConfigError) -> CommandError {
    let mut command_error = CommandError::usage("Cannot use the configuration");
    command_error.causes = error.problems.iter().map(ToString::to_string).collect();
    let legacy = error.problems.iter().find(|problem| {
        problem.kind == ProblemKind::UnknownKey && is_legacy_key(&problem.key)
            || problem.kind == ProblemKind::WrongType && problem.key == "profile"
    });
    if let Some(file) = legacy.and_then(|problem| problem.file.as_ref()) {
        command_error.hints.push(format!(
            "`{}` holds keys of the predecessor: bring it into the present form with `hotpass config upgrade --write {}`",
            file.display(),
            file.display()
        ));
    }
    let hint = if error.problems.iter().any(|problem| problem.kind == ProblemKind::UnknownProfile) {
        "List the profiles with `hotpass profile list`"
    } else {
        "See every key with `hotpass config schema`, and what is in force with `hotpass config show --origins`"
    };
    command_error.hint(hint)
}

/// Ends a check of configurations: fine, or all problems of their own and of the contracts and suites that they name.
pub(crate) fn checked(
    problems: Vec<ConfigProblem>,
    missing: Vec<(String, NamedCheckProblem)>,
) -> Result<Exit, CommandError> {
    if problems.is_empty() && missing.is_empty() {
        return Ok(Exit::Done);
    }
    let mut error = if problems.is_empty() {
        CommandError::usage("Cannot use the configuration")
    } else {
        config_error(&ConfigError { problems })
    };
    for (place, problem) in missing {
        error.causes.push(format!("{place}: {}: {}", problem.key, problem.message));
        if let Some(hint) = problem.hint.filter(|hint| !error.hints.contains(hint)) {
            error.hints.push(hint);
        }
    }
    Err(error)
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
