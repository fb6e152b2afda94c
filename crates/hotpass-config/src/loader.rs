//! Layers in order, into one configuration.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use serde_json::Value as Json;

use crate::compliance::FEATURE;
use crate::error::{ConfigError, ConfigProblem, ProblemKind};
use crate::model::HotpassConfig;
use crate::node::Value;
use crate::origin::{Found, Origin, look_up, origin_of};
use crate::overlay::{Overlay, appending_keys};
use crate::profile::ProfileDocument;

/// Collects layers and loads them into one configuration.
///
/// Later wins: built-in defaults, the profile, files in order, environment, flags. Nothing is read before
/// [`ConfigLoader::load`], and the environment is what the caller passes in.
#[derive(Debug, Clone, Default)]
pub struct ConfigLoader {
    profile: Option<String>,
    profile_search_path: Vec<PathBuf>,
    layers: Vec<Layer>,
    environment: Vec<(String, String)>,
    flags: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
enum Layer {
    File(PathBuf),
    Overlay(Overlay),
}

impl ConfigLoader {
    /// Returns a loader with the built-in defaults and the profile `generic`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Chooses the profile, by name or by path; it overrules `profile.name` of files and environment.
    #[must_use]
    pub fn profile(mut self, name_or_path: impl Into<String>) -> Self {
        self.profile = Some(name_or_path.into());
        self
    }

    /// Adds a folder in which profiles are looked for by name, after the folders added before.
    ///
    /// A profile found there comes before one of the same name that ships with the program.
    #[must_use]
    pub fn profile_search_path(mut self, folder: impl Into<PathBuf>) -> Self {
        self.profile_search_path.push(folder.into());
        self
    }

    /// Adds a configuration file; a later one wins.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.layers.push(Layer::File(path.into()));
        self
    }

    /// Adds an overlay in the place of a file.
    #[must_use]
    pub fn overlay(mut self, overlay: Overlay) -> Self {
        self.layers.push(Layer::Overlay(overlay));
        self
    }

    /// Adds environment variables; those that begin with `HOTPASS__` are read, as `HOTPASS__SECTION__KEY`.
    ///
    /// Text is read by the type of the field: lists as `a,b` or JSON, maps as JSON, nothing as "absent".
    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment.extend(variables.into_iter().filter(|(name, _)| name.starts_with("HOTPASS__")));
        self.environment.sort();
        self
    }

    /// Adds a flag: a key path and its value as text, read as that of an environment variable.
    #[must_use]
    pub fn flag(mut self, key_path: impl Into<String>, value: impl Into<String>) -> Self {
        self.flags.push((key_path.into(), value.into()));
        self
    }

    /// Loads the configuration and validates it once.
    ///
    /// # Errors
    ///
    /// Returns all problems of all layers at once; when there are none, all of the result.
    pub fn load(self) -> Result<LoadedConfig, ConfigError> {
        let mut problems = Vec::new();
        let mut overlays = Vec::new();
        let read = self.layers.into_iter().map(|layer| match layer {
            Layer::File(path) => Overlay::read(&path),
            Layer::Overlay(overlay) => Ok(overlay),
        });
        let variables = self.environment.iter().filter_map(|(name, value)| Overlay::from_variable(name, value));
        let flags = self.flags.iter().map(|(key, value)| Overlay::from_flag(key, value));
        for overlay in read.chain(variables).chain(flags) {
            match overlay {
                Ok(overlay) => overlays.push(overlay),
                Err(error) => problems.extend(error.problems),
            }
        }
        match choose_profile(self.profile.as_deref(), &self.profile_search_path, &overlays) {
            Ok(profile) => {
                // A profile chosen by the caller keeps its name against files that name another.
                if self.profile.is_some()
                    && let Ok(named) = Overlay::from_flag("profile.name", profile.name())
                {
                    overlays.push(named);
                }
                overlays.insert(0, profile.overlay);
            }
            Err(error) => problems.splice(0..0, error.problems).for_each(drop),
        }
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        let mut loaded = LoadedConfig { config: HotpassConfig::default(), overlays: Vec::new() };
        for overlay in overlays {
            loaded.merge(overlay);
        }
        loaded.config.drop_repeats();
        loaded.switch_compliance_on();
        loaded.publish_beside_runs();
        loaded.validate()?;
        Ok(loaded)
    }
}

/// Returns the profile that the caller, or the last layer that names one, chooses.
fn choose_profile(
    wanted: Option<&str>,
    search_path: &[PathBuf],
    overlays: &[Overlay],
) -> Result<ProfileDocument, ConfigError> {
    if let Some(wanted) = wanted {
        return ProfileDocument::find(wanted, search_path);
    }
    let named = overlays
        .iter()
        .rev()
        .find_map(|overlay| Some((overlay, overlay.root.get("profile")?.get("name")?)))
        .and_then(|(overlay, node)| Some((overlay, node, node.text()?)));
    let Some((overlay, node, name)) = named else {
        return ProfileDocument::find("generic", search_path);
    };
    ProfileDocument::find(name, search_path).map_err(|mut error| {
        for problem in error.problems.iter_mut().filter(|problem| problem.kind == ProblemKind::UnknownProfile) {
            problem.key = "profile.name".into();
            problem.offset = Some(node.offset);
            overlay.locate(problem);
        }
        error
    })
}

/// A configuration together with the layers it came from.
#[derive(Debug, Clone)]
pub struct LoadedConfig {
    /// The configuration: validated, with every default filled in.
    pub config: HotpassConfig,
    overlays: Vec<Overlay>,
}

impl LoadedConfig {
    /// Applies one more layer in place; returns the number of values that it set.
    ///
    /// The cost follows the size of the overlay. Call [`LoadedConfig::validate`] after the last one.
    pub fn merge(&mut self, overlay: Overlay) -> usize {
        let values = self.config.merge(&overlay);
        self.overlays.push(overlay);
        values
    }

    /// Switches the compliance stage on where settings ask for what it does and no layer speaks of the stage.
    fn switch_compliance_on(&mut self) {
        if self.config.features.compliance || self.origin(FEATURE) != Some(Origin::Default) {
            return;
        }
        if let Some(key) = self.config.asks_for_compliance() {
            self.merge(Overlay::following(&["features", "compliance"], Value::Boolean(true), key));
        }
    }

    /// Puts the published file into the folder of runs, where a layer names that and none names the file: two workspaces must not
    /// write the same file.
    fn publish_beside_runs(&mut self) {
        let is_default = |key: &str| self.origin(key) == Some(Origin::Default);
        if is_default("pipeline.dist_dir") || !is_default("pipeline.output_path") {
            return;
        }
        let Some(name) = self.config.pipeline.output_path.file_name() else { return };
        let path = self.config.pipeline.dist_dir.join(name).to_string_lossy().into_owned();
        self.merge(Overlay::following(&["pipeline", "output_path"], Value::Text(path.into()), "pipeline.dist_dir"));
    }

    /// Checks what no single layer can say of itself: ranges, names, rules between fields.
    ///
    /// # Errors
    ///
    /// Returns all problems at once, each with the place its value comes from.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut problems = self.config.validate();
        for problem in &mut problems {
            self.locate(problem);
        }
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }

    fn locate(&self, problem: &mut ConfigProblem) {
        match self.origin(&problem.key) {
            Some(Origin::File { path, line, column }) => {
                problem.file = Some(path);
                (problem.line, problem.column) = (Some(line), Some(column));
            }
            Some(Origin::Profile { file: Some(file), line, column, .. }) => {
                problem.file = Some(file);
                (problem.line, problem.column) = (Some(line), Some(column));
            }
            Some(Origin::Default) | None => {}
            Some(other) => problem.origin = Some(other.to_string()),
        }
    }

    /// Returns where a value comes from, or nothing when the key path names none.
    ///
    /// A list or map has the origin of the last layer that spoke of it; what is inside has its own.
    pub fn origin(&self, key_path: &str) -> Option<Origin> {
        let json = serde_json::to_value(&self.config).ok()?;
        self.origin_within(&json, key_path)
    }

    fn origin_within(&self, json: &Json, key_path: &str) -> Option<Origin> {
        let steps = crate::path::steps(key_path)?;
        let mut value = json;
        for (step, is_index) in &steps {
            value = if *is_index { value.get(step.parse::<usize>().ok()?) } else { value.get(step.as_str()) }?;
        }
        Some(self.trace(&steps, value))
    }

    fn trace(&self, steps: &[(String, bool)], value: &Json) -> Origin {
        if let Some(origin) = self.appended(steps, value) {
            return origin;
        }
        for overlay in self.overlays.iter().rev() {
            match look_up(&overlay.root, steps) {
                Found::Given(node) => return origin_of(overlay, node),
                Found::Replaced => return Origin::Default,
                Found::Silent => {}
            }
        }
        Origin::Default
    }

    /// Returns the origin of an item of a list that appends: the first layer that holds it.
    fn appended(&self, steps: &[(String, bool)], value: &Json) -> Option<Origin> {
        let ((_, true), list) = steps.split_last()? else { return None };
        let path = list.iter().fold(String::new(), |path, (key, _)| crate::path::join(&path, key));
        if !appending_keys().contains(&path) {
            return None;
        }
        for overlay in &self.overlays {
            if let Found::Given(node) = look_up(&overlay.root, list)
                && let Value::List(items) = &node.value
                && let Some(item) = items.iter().find(|item| item.text() == value.as_str())
            {
                return Some(origin_of(overlay, item));
            }
        }
        Some(Origin::Default)
    }

    /// Returns every value that is not a map with its key path and origin; lists of maps item by item.
    pub fn origins(&self) -> Vec<(String, Origin)> {
        let Ok(json) = serde_json::to_value(&self.config) else { return Vec::new() };
        let mut origins = Vec::new();
        self.collect(&json, &mut Vec::new(), String::new(), &mut origins);
        origins
    }

    fn collect(
        &self,
        value: &Json,
        steps: &mut Vec<(String, bool)>,
        path: String,
        origins: &mut Vec<(String, Origin)>,
    ) {
        match value {
            Json::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    steps.push((key.clone(), false));
                    self.collect(value, steps, crate::path::join(&path, key), origins);
                    steps.pop();
                }
            }
            Json::Array(items) if items.iter().any(Json::is_object) => {
                for (index, item) in items.iter().enumerate() {
                    steps.push((index.to_string(), true));
                    self.collect(item, steps, format!("{path}[{index}]"), origins);
                    steps.pop();
                }
            }
            _ => origins.push((path, self.trace(steps, value))),
        }
    }

    /// Returns every value with its key path: the same keys as [`LoadedConfig::origins`].
    pub fn values(&self) -> HashMap<String, Json> {
        let mut values = Vec::new();
        flatten(&serde_json::to_value(&self.config).unwrap_or_default(), String::new(), &mut values);
        values.into_iter().collect()
    }

    /// Returns what differs between two configurations, by key path, in the order of the left one.
    ///
    /// Lists of maps are compared item by item; other lists as a whole.
    pub fn diff(&self, right: &Self) -> Vec<Difference> {
        let (mut left_values, mut right_values) = (Vec::new(), Vec::new());
        for (config, values) in [(&self.config, &mut left_values), (&right.config, &mut right_values)] {
            flatten(&serde_json::to_value(config).unwrap_or_default(), String::new(), values);
        }
        let known: HashMap<&str, &Json> = right_values.iter().map(|(key, value)| (key.as_str(), value)).collect();
        let on_the_left: HashSet<&str> = left_values.iter().map(|(key, _)| key.as_str()).collect();
        let present = |value: &Json| (!value.is_null()).then(|| value.clone());
        let changed = left_values.iter().filter_map(|(key, left)| {
            let other = known.get(key.as_str()).copied();
            (other != Some(left)).then(|| Difference {
                key: key.clone(),
                left: present(left),
                right: other.and_then(present),
            })
        });
        let added = right_values.iter().filter(|(key, _)| !on_the_left.contains(key.as_str()));
        let added = added.map(|(key, value)| Difference { key: key.clone(), left: None, right: present(value) });
        changed.chain(added).collect()
    }

    /// Returns the configuration as TOML; loading it gives the same configuration.
    ///
    /// TOML cannot say "absent": a value that a layer took away from the profile is the profile's again when loaded.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(&self.config).unwrap_or_default()
    }

    /// Returns the configuration as YAML; loading it gives the same configuration.
    pub fn to_yaml(&self) -> String {
        serde_saphyr::to_string(&self.config).unwrap_or_default()
    }

    /// Returns the configuration as JSON; loading it gives the same configuration.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.config).unwrap_or_default()
    }
}

/// A value in which two configurations differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Key path.
    pub key: String,
    /// Value on the left; none where it is absent.
    pub left: Option<Json>,
    /// Value on the right; none where it is absent.
    pub right: Option<Json>,
}

fn flatten(value: &Json, path: String, values: &mut Vec<(String, Json)>) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                flatten(value, crate::path::join(&path, key), values);
            }
        }
        Json::Array(items) if items.iter().any(Json::is_object) => {
            for (index, item) in items.iter().enumerate() {
                flatten(item, format!("{path}[{index}]"), values);
            }
        }
        _ => values.push((path, value.clone())),
    }
}
