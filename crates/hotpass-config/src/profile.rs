//! Profiles: those that ship, those in folders, and how one is found.

use std::path::{Path, PathBuf};

use crate::error::{ConfigError, ConfigProblem, ProblemKind};
use crate::overlay::{Overlay, OverlaySource, read_text};
use crate::parse::Format;

const SHIPPED: [(&str, &str); 2] =
    [("aviation", include_str!("../profiles/aviation.yaml")), ("generic", include_str!("../profiles/generic.yaml"))];

const ENDINGS: [&str; 4] = ["yaml", "yml", "toml", "json"];

/// A profile that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileEntry {
    /// Name, as a profile is chosen by.
    pub name: String,
    /// Its file; none for one that ships with the program.
    pub file: Option<PathBuf>,
}

/// Returns the profiles that can be chosen, by name; a folder's comes before one that ships.
pub fn known_profiles(search_path: &[PathBuf]) -> Vec<ProfileEntry> {
    let mut known: Vec<ProfileEntry> = Vec::new();
    for folder in search_path {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> = files.filter(|path| path.is_file() && Format::of(path).is_some()).collect();
        files.sort();
        for file in files {
            if let Some(name) = file.file_stem().and_then(|stem| stem.to_str())
                && !known.iter().any(|entry| entry.name == name)
            {
                known.push(ProfileEntry { name: name.to_owned(), file: Some(file.clone()) });
            }
        }
    }
    for (name, _) in SHIPPED {
        if !known.iter().any(|entry| entry.name == name) {
            known.push(ProfileEntry { name: name.to_owned(), file: None });
        }
    }
    known.sort_by(|a, b| a.name.cmp(&b.name));
    known
}

/// Returns the text of a profile that ships with the program, in YAML.
pub fn shipped_profile(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
}

/// Returns the linkage model that ships with the program, for organisations: the text of a model file.
pub fn shipped_linkage_model() -> &'static str {
    include_str!("../profiles/organizations.linkage.json")
}

const SUITES: [(&str, &str); 7] = [
    ("contact_capture", include_str!("../profiles/suites/contact_capture.json")),
    ("contact_company_addresses", include_str!("../profiles/suites/contact_company_addresses.json")),
    ("contact_company_cat", include_str!("../profiles/suites/contact_company_cat.json")),
    ("contact_company_contacts", include_str!("../profiles/suites/contact_company_contacts.json")),
    ("reachout_contact_info", include_str!("../profiles/suites/reachout_contact_info.json")),
    ("reachout_organisation", include_str!("../profiles/suites/reachout_organisation.json")),
    ("sacaa_cleaned", include_str!("../profiles/suites/sacaa_cleaned.json")),
];

/// Returns the suite of checks that ships under a name: the text of a Great Expectations suite file.
pub fn shipped_suite(name: &str) -> Option<&'static str> {
    SUITES.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
}

/// Returns the names of the suites that ship.
pub fn shipped_suites() -> impl Iterator<Item = &'static str> {
    SUITES.iter().map(|(name, _)| *name)
}

/// A profile that was found and read.
#[derive(Debug)]
pub(crate) struct ProfileDocument {
    pub(crate) overlay: Overlay,
}

impl ProfileDocument {
    /// Finds a profile by name or path.
    pub(crate) fn find(name_or_path: &str, search_path: &[PathBuf]) -> Result<Self, ConfigError> {
        let path = Path::new(name_or_path);
        if path.components().count() > 1 || Format::of(path).is_some() {
            let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            return Self::read(&stem, path);
        }
        for folder in search_path {
            for ending in ENDINGS {
                let file = folder.join(format!("{name_or_path}.{ending}"));
                if file.is_file() {
                    return Self::read(name_or_path, &file);
                }
            }
        }
        if let Some(text) = shipped_profile(name_or_path) {
            let source = OverlaySource::Profile { name: name_or_path.to_owned(), file: None };
            return Self::named(Overlay::from_text(text, Format::Yaml, source)?);
        }
        let known = known_profiles(search_path);
        let names: Vec<&str> = known.iter().map(|entry| entry.name.as_str()).collect();
        let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        Err(ConfigProblem::new(ProblemKind::UnknownProfile, format!("Unknown profile: `{name_or_path}`"))
            .expecting(format!("one of {}, or the path of a profile's file", listed.join(", ")))
            .near(hotpass_core::nearest(name_or_path, names.iter().copied()))
            .into())
    }

    fn read(name: &str, file: &Path) -> Result<Self, ConfigError> {
        let (text, format) = read_text(file)?;
        let source = OverlaySource::Profile { name: name.to_owned(), file: Some(file.to_owned()) };
        Self::named(Overlay::from_text(&text, format, source)?)
    }

    /// Holds a profile to its own name: origins and reports speak of it.
    fn named(mut overlay: Overlay) -> Result<Self, ConfigError> {
        let given = overlay.root.get("profile").and_then(|profile| profile.get("name"));
        let Some(name) = given.and_then(|node| node.text()).map(str::to_owned) else {
            let mut problem = ConfigProblem::new(ProblemKind::MissingKey, "Profile does not say its name")
                .key("profile.name")
                .expecting("text");
            problem.offset = Some(0);
            overlay.locate(&mut problem);
            return Err(problem.into());
        };
        if let OverlaySource::Profile { name: known_as, .. } = &mut overlay.source {
            *known_as = name;
        }
        Ok(Self { overlay })
    }

    /// Returns the profile's name.
    pub(crate) fn name(&self) -> &str {
        match &self.overlay.source {
            OverlaySource::Profile { name, .. } => name,
            _ => "",
        }
    }
}
