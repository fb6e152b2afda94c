//! The verbs, a file each.
//!
//! To add one: write `commands/NAME.rs` with an args struct (its doc comment is the help: imperative, no period) and
//! `pub(crate) fn run(args: NameArgs, context: &mut Context) -> Result<Exit, CommandError>`; then add its `mod` line and
//! its line in `verbs!` below, both in alphabetical order. `overview`, completions, man pages and the reference are
//! generated from there.
//!
//! In a command:
//! - Print only through `context.printer`: data with `line`, `json`, `table`, `bytes` (standard output; they return an
//!   error that `?` passes on), the rest with `note`, `warning`, `hint`, `diagnostic`, `event` (standard error).
//! - Flatten [`ConfigArgs`](crate::context::ConfigArgs) into the args struct of a command that needs the configuration, and
//!   [`RunArgs`](crate::context::RunArgs) into one that reads runs (`args.runs.find()?`).
//! - Turn a library's error into `CommandError::failure("Cannot …").caused_by(&error).hint("…")`, or `usage(…)` for exit
//!   code 2. Return `Ok(Exit::DidNotPass)` when the work was done but the data did not pass.
//! - Time comes from `context.clock`; long work looks at `context.cancel` and ends in `CommandError::interrupted()`.

#![expect(clippy::needless_pass_by_value, reason = "each verb owns its arguments, whether or not it takes them apart")]

mod attest;
mod completions;
mod config;
mod contracts;
mod demo;
mod doctor;
mod explain_provenance;
mod init;
mod inspect;
mod keygen;
mod lineage;
mod man;
mod map;
mod normalise;
mod overview;
mod privacy;
mod profile;
mod qa;
mod quarantine;
mod query;
mod reference;
mod refine;
mod report;
mod resolve;
mod telemetry;
mod verify;
mod version;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;

pub(crate) use query::sql_engine;

/// Makes the enum of the verbs and the match that runs them: one line a verb.
macro_rules! verbs {
    ($($(#[$attribute:meta])* $verb:ident => $module:ident::$args:ident,)+) => {
        /// The verbs.
        #[derive(Debug, clap::Subcommand)]
        #[expect(clippy::large_enum_variant, reason = "one is made in the life of the program")]
        pub(crate) enum Verb {
            $($(#[$attribute])* $verb($module::$args),)+
        }

        /// Runs a verb; without one, says what to type first.
        pub(crate) fn run(verb: Option<Verb>, context: &mut Context) -> Result<Exit, CommandError> {
            match verb {
                None => overview::welcome(context),
                $(Some(Verb::$verb(args)) => $module::run(args, context),)+
            }
        }
    };
}

verbs! {
    Attest => attest::AttestArgs,
    Completions => completions::CompletionsArgs,
    Config => config::ConfigCommandArgs,
    Contracts => contracts::ContractsArgs,
    Demo => demo::DemoArgs,
    Doctor => doctor::DoctorArgs,
    ExplainProvenance => explain_provenance::ExplainProvenanceArgs,
    Init => init::InitArgs,
    Inspect => inspect::InspectArgs,
    Keygen => keygen::KeygenArgs,
    Lineage => lineage::LineageArgs,
    Man => man::ManArgs,
    Map => map::MapArgs,
    Normalise => normalise::NormaliseArgs,
    Overview => overview::OverviewArgs,
    Privacy => privacy::PrivacyArgs,
    Profile => profile::ProfileArgs,
    Qa => qa::QaArgs,
    Quarantine => quarantine::QuarantineArgs,
    Query => query::QueryArgs,
    #[command(hide = true)] Reference => reference::ReferenceArgs,
    #[command(visible_alias = "run")] Refine => refine::RefineArgs,
    Report => report::ReportArgs,
    Resolve => resolve::ResolveArgs,
    Telemetry => telemetry::TelemetryCommandArgs,
    Verify => verify::VerifyArgs,
    Version => version::VersionArgs,
}
