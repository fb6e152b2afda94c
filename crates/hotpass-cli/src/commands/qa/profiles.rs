//! The configuration and every profile that can be chosen.

use hotpass_config::model::Profile;
use hotpass_config::profile::known_profiles;
use hotpass_config::{ConfigError, ConfigLoader, HotpassConfig};

use super::Check;
use crate::context::{ConfigArgs, Context};

/// Loads the configuration as a run would, then each profile of the search path.
pub(super) fn checks(args: &ConfigArgs, context: &mut Context) -> Vec<Check> {
    let files = args.files();
    let shown: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let from = if shown.is_empty() { "defaults alone".to_owned() } else { shown.join(", ") };
    let loaded = args.load(context);
    let mut checks = vec![Check::of(
        "configuration",
        loaded.map(|_| format!("loads from {from}")).map_err(|error| {
            let causes = error.causes.join("; ");
            if causes.is_empty() { error.message } else { causes }
        }),
    )];
    for entry in known_profiles(&args.search_path()) {
        let loader = args.search_path().into_iter().fold(ConfigLoader::new(), ConfigLoader::profile_search_path);
        let place = entry.file.map_or_else(|| "built in".to_owned(), |file| file.display().to_string());
        let result = match loader.profile(entry.name.as_str()).load() {
            Ok(loaded) => match empty_blocks(&loaded.config) {
                missing if missing.is_empty() => Ok(format!("{place}; {}", words(&loaded.config.profile))),
                missing => Err(format!("{place}: says nothing on {}", missing.join(", "))),
            },
            Err(error) => Err(problems(&error)),
        };
        checks.push(Check::of(format!("profile {}", entry.name), result));
    }
    checks
}

/// Returns the stages on which a profile says nothing: a profile drives ingest, refine, expectations and compliance.
fn empty_blocks(config: &HotpassConfig) -> Vec<&'static str> {
    let profile = &config.profile;
    let blocks = [
        ("ingest (`column_synonyms` or `sources`)", profile.column_synonyms.is_empty() && profile.sources.is_empty()),
        ("refine (`required_fields`)", profile.required_fields.is_empty()),
        ("expectations (`expectations`)", profile.expectations.is_empty()),
        (
            "compliance (`compliance.policy` and `compliance.retention_days`)",
            config.compliance.policy.is_empty() || config.compliance.retention_days.is_none(),
        ),
    ];
    blocks.into_iter().filter(|(_, empty)| *empty).map(|(name, _)| name).collect()
}

fn words(profile: &Profile) -> String {
    format!(
        "{} fields with synonyms, {} sources, {} expectations",
        profile.column_synonyms.len(),
        profile.sources.len(),
        profile.expectations.len()
    )
}

fn problems(error: &ConfigError) -> String {
    error.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_profiles_say_something_on_every_stage() {
        for name in ["generic", "aviation"] {
            let loaded = ConfigLoader::new().profile(name).load().unwrap();
            assert_eq!(empty_blocks(&loaded.config), [] as [&str; 0], "{name}");
        }
    }

    #[test]
    fn an_empty_stage_is_named() {
        let mut loaded = ConfigLoader::new().profile("generic").load().unwrap();
        loaded.config.profile.required_fields.clear();
        loaded.config.compliance.retention_days = None;
        let empty = empty_blocks(&loaded.config);
        assert_eq!(empty.len(), 2);
        assert!(empty[0].starts_with("refine") && empty[1].starts_with("compliance"));
    }
}
