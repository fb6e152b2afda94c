//! `hotpass profile`: the industry presets that drive every stage.

use clap::{Args, Subcommand};
use hotpass_config::ConfigLoader;
use hotpass_config::profile::{known_profiles, shipped_profile};

use hotpass_pipeline::check_named;

use crate::context::{ConfigArgs, Context, checked, config_error};
use crate::error::CommandError;
use crate::exit::Exit;

/// List, show and check profiles
#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    #[command(subcommand)]
    verb: ProfileVerb,
}

#[derive(Debug, Subcommand)]
enum ProfileVerb {
    /// List the profiles that can be chosen
    List(SearchArgs),
    /// Print a profile's file, to use or to start one from
    Show(OneArgs),
    /// Check profiles, by name or path; all that can be chosen when none is given
    Check(ManyArgs),
}

#[derive(Debug, Args)]
struct SearchArgs {
    /// Look for profiles in this folder before `profiles/` and the built-in ones; may be repeated
    #[arg(long, value_name = "DIR")]
    profile_search_path: Vec<std::path::PathBuf>,
}

#[derive(Debug, Args)]
struct OneArgs {
    /// Name or path of the profile
    #[arg(value_name = "NAME|PATH")]
    profile: String,
    #[command(flatten)]
    search: SearchArgs,
}

#[derive(Debug, Args)]
struct ManyArgs {
    /// Names or paths of profiles
    #[arg(value_name = "NAME|PATH")]
    profiles: Vec<String>,
    #[command(flatten)]
    search: SearchArgs,
}

impl SearchArgs {
    fn folders(&self) -> Vec<std::path::PathBuf> {
        let args = ConfigArgs { profile_search_path: self.profile_search_path.clone(), ..ConfigArgs::default() };
        args.search_path()
    }

    fn loader(&self) -> ConfigLoader {
        self.folders().into_iter().fold(ConfigLoader::new(), ConfigLoader::profile_search_path)
    }
}

pub(crate) fn run(args: ProfileArgs, context: &mut Context) -> Result<Exit, CommandError> {
    match args.verb {
        ProfileVerb::List(args) => list(&args, context),
        ProfileVerb::Show(args) => show(&args, context),
        ProfileVerb::Check(args) => check(&args, context),
    }
}

fn list(args: &SearchArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let rows = known_profiles(&args.folders()).into_iter().map(|entry| {
        let summary = match args.loader().profile(entry.name.as_str()).load() {
            Ok(loaded) => loaded.config.profile.summary,
            Err(error) => format!("not valid, {} problem(s)", error.problems.len()),
        };
        let place = entry.file.map_or_else(|| "built in".to_owned(), |file| file.display().to_string());
        [entry.name, place, summary]
    });
    let rows: Vec<_> = rows.collect();
    context.printer.table(["profile", "where", "for"], rows)?;
    Ok(Exit::Done)
}

fn show(args: &OneArgs, context: &mut Context) -> Result<Exit, CommandError> {
    // Loading says what is wrong with a profile, and which profiles there are when it is unknown.
    args.search.loader().profile(args.profile.as_str()).load().map_err(|error| config_error(&error))?;
    let entry = known_profiles(&args.search.folders()).into_iter().find(|entry| entry.name == args.profile);
    let file = match entry {
        Some(entry) => entry.file,
        None => Some((&args.profile).into()),
    };
    let text = match file {
        Some(file) => std::fs::read_to_string(&file)
            .map_err(|error| CommandError::failure(format!("Cannot read `{}`", file.display())).caused_by(&error))?,
        None => shipped_profile(&args.profile).unwrap_or_default().to_owned(),
    };
    context.printer.line(text.trim_end())?;
    Ok(Exit::Done)
}

fn check(args: &ManyArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let all = || known_profiles(&args.search.folders()).into_iter().map(|entry| entry.name).collect();
    let names: Vec<String> = if args.profiles.is_empty() { all() } else { args.profiles.clone() };
    let (mut problems, mut missing) = (Vec::new(), Vec::new());
    for name in names {
        match args.search.loader().profile(name.as_str()).load() {
            Ok(loaded) => match check_named(&loaded.config).as_slice() {
                [] => context.printer.line(format_args!("{name}: valid"))?,
                found => missing.extend(found.iter().map(|problem| (name.clone(), problem.clone()))),
            },
            Err(error) => problems.extend(error.problems),
        }
    }
    checked(problems, missing)
}
