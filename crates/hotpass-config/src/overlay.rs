//! A layer: what one profile, file, variable or flag says, checked and ready to apply.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use crate::error::{ConfigError, ConfigProblem, ProblemKind};
use crate::model::HotpassConfig;
use crate::node::{Node, SourceText, Value};
use crate::origin::Origin;
use crate::parse::{self, Format, SyntaxError};
use crate::path::Path;
use crate::shape::{Layered, Rule, Shape, unknown_key};

/// A checked layer that [`HotpassConfig::merge`] applies: part of a configuration, and where each value stands.
///
/// Keys and types have been checked at every depth, so that applying it cannot fail. A clone is cheap.
#[derive(Debug, Clone)]
pub struct Overlay {
    pub(crate) root: Arc<Node>,
    pub(crate) text: SourceText,
    pub(crate) source: OverlaySource,
}

/// Who speaks in an overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OverlaySource {
    Profile { name: String, file: Option<PathBuf> },
    File(PathBuf),
    Environment(String),
    Flag(String),
    Setting(String),
}

impl Overlay {
    /// Reads an overlay from a document; `name` is the file that problems and origins speak of.
    ///
    /// # Errors
    ///
    /// Returns every syntax error, unknown key and value of a wrong type, with line and column.
    pub fn parse(text: &str, format: Format, name: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        Self::from_text(text, format, OverlaySource::File(name.into()))
    }

    /// Reads an overlay from a file; its ending says the format.
    ///
    /// # Errors
    ///
    /// As [`Overlay::parse`]; also when the file cannot be read, is not UTF-8 or has another ending than
    /// `.yaml`, `.yml`, `.toml` or `.json`.
    pub fn read(path: &FilePath) -> Result<Self, ConfigError> {
        let (text, format) = read_text(path)?;
        Self::parse(&text, format, path)
    }

    pub(crate) fn from_text(text: &str, format: Format, source: OverlaySource) -> Result<Self, ConfigError> {
        match parse::parse(text, format) {
            Ok(root) => Self::checked(root, SourceText::new(text), source),
            Err(errors) => Err(Self::syntax_errors(errors, text, &source)),
        }
    }

    pub(crate) fn syntax_errors(errors: Vec<SyntaxError>, text: &str, source: &OverlaySource) -> ConfigError {
        let text = SourceText::new(text);
        let file = source.file();
        let problems = errors.into_iter().map(|error| syntax_problem(error, &text, file.as_deref()));
        ConfigError { problems: problems.collect() }
    }

    fn checked(root: Node, text: SourceText, source: OverlaySource) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        HotpassConfig::SHAPE.check(&root, &Path::ROOT, &mut problems);
        let overlay = Self { root: Arc::new(root), text, source };
        if problems.is_empty() {
            return Ok(overlay);
        }
        for problem in &mut problems {
            overlay.locate(problem);
        }
        Err(ConfigError { problems })
    }

    /// Reads the value of an environment variable `HOTPASS__SECTION__KEY`, or nothing for other variables.
    pub(crate) fn from_variable(name: &str, text: &str) -> Option<Result<Self, ConfigError>> {
        let keys = name.strip_prefix("HOTPASS__")?;
        let steps: Vec<String> = keys.split("__").map(str::to_lowercase).collect();
        let source = OverlaySource::Environment(name.to_owned());
        Some(Self::from_setting(&steps, text, source))
    }

    /// Reads the value of a flag.
    pub(crate) fn from_flag(key_path: &str, text: &str) -> Result<Self, ConfigError> {
        let source = OverlaySource::Flag(key_path.to_owned());
        let steps = crate::path::steps(key_path).filter(|steps| !steps.is_empty()).ok_or_else(|| {
            let problem = ConfigProblem::new(ProblemKind::UnknownKey, format!("Key path cannot be read: `{key_path}`"))
                .expecting("keys joined by `.`, such as `pipeline.archive`");
            source.own(problem)
        })?;
        if let Some((index, _)) = steps.iter().find(|(_, index)| *index) {
            let problem =
                ConfigProblem::new(ProblemKind::UnknownKey, format!("A list is set as a whole, not at: `[{index}]`"));
            return Err(source.own(problem.key(key_path)).into());
        }
        let steps: Vec<String> = steps.into_iter().map(|(step, _)| step).collect();
        Self::from_setting(&steps, text, source)
    }

    /// Returns the layer in which a setting that nobody gave follows from another.
    pub(crate) fn following(key_path: &[&str], value: Value, from: &str) -> Self {
        let root = key_path.iter().rev().fold(Node::bare(value), |node, step| Node::single(step, node));
        Self { root: Arc::new(root), text: SourceText::default(), source: OverlaySource::Setting(from.to_owned()) }
    }

    /// Reads one value, given as text, by the type of the field that the steps lead to.
    fn from_setting(steps: &[String], text: &str, source: OverlaySource) -> Result<Self, ConfigError> {
        let mut shape = HotpassConfig::SHAPE;
        let mut key = String::new();
        for step in steps {
            key = crate::path::join(&key, step);
            shape = match shape.bare() {
                Shape::Section(fields) => match fields.iter().find(|field| field.name == step) {
                    Some(field) => field.shape,
                    None => return Err(source.own(unknown_key(step, fields).key(key)).into()),
                },
                Shape::Map(item) => item,
                other => {
                    let problem = ConfigProblem::new(
                        ProblemKind::UnknownKey,
                        format!("No key below {}: `{step}`", other.describe()),
                    );
                    return Err(source.own(problem.key(key)).into());
                }
            };
        }
        let node = typed(shape, text).map_err(|message| {
            let problem = ConfigProblem::new(ProblemKind::WrongType, message).key(key).expecting(shape.describe());
            source.own(problem)
        })?;
        let root = steps.iter().rev().fold(node, |node, step| Node::single(step, node));
        Self::checked(root, SourceText::default(), source)
    }

    /// Gives a problem the file, line and column that its offset stands for.
    pub(crate) fn locate(&self, problem: &mut ConfigProblem) {
        let offset = problem.offset.take();
        problem.file = self.source.file();
        if problem.file.is_none() {
            problem.origin = Some(self.source.to_string());
        }
        if self.source.is_document()
            && let Some(offset) = offset
        {
            let (line, column) = self.text.position(offset as usize);
            (problem.line, problem.column) = (Some(line), Some(column));
        }
    }

    /// Returns the origin of a value at an offset.
    pub(crate) fn origin_at(&self, offset: u32) -> Origin {
        let (line, column) = self.text.position(offset as usize);
        match &self.source {
            OverlaySource::Profile { name, file } => {
                Origin::Profile { name: name.clone(), file: file.clone(), line, column }
            }
            OverlaySource::File(path) => Origin::File { path: path.clone(), line, column },
            OverlaySource::Environment(variable) => Origin::Environment { variable: variable.clone() },
            OverlaySource::Flag(key) => Origin::Flag { key: key.clone() },
            OverlaySource::Setting(key) => Origin::Setting { key: key.clone() },
        }
    }
}

impl OverlaySource {
    fn file(&self) -> Option<PathBuf> {
        match self {
            Self::File(path) | Self::Profile { file: Some(path), .. } => Some(path.clone()),
            _ => None,
        }
    }

    fn is_document(&self) -> bool {
        matches!(self, Self::File(_) | Self::Profile { .. })
    }

    /// Says in a problem that it comes from here.
    fn own(&self, mut problem: ConfigProblem) -> ConfigProblem {
        problem.origin = Some(self.to_string());
        problem
    }
}

impl std::fmt::Display for OverlaySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Profile { name, .. } => write!(f, "profile {name}"),
            Self::File(path) => path.display().fmt(f),
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::Flag(key) => write!(f, "flag for {key}"),
            Self::Setting(key) => write!(f, "follows from {key}"),
        }
    }
}

fn syntax_problem(error: SyntaxError, text: &SourceText, file: Option<&FilePath>) -> ConfigProblem {
    let (line, column) = text.position(error.offset);
    let mut problem = ConfigProblem::new(ProblemKind::Syntax, error.message);
    problem.file = file.map(FilePath::to_owned);
    (problem.line, problem.column) = (Some(line), Some(column));
    problem
}

/// Reads a file's text and says its format.
pub(crate) fn read_text(path: &FilePath) -> Result<(String, Format), ConfigError> {
    let unreadable = |message: String, expected: Option<&str>| {
        let mut problem = ConfigProblem::new(ProblemKind::Unreadable, message);
        problem.file = Some(path.to_owned());
        problem.expected = expected.map(str::to_owned);
        ConfigError::from(problem)
    };
    let format = Format::of(path)
        .ok_or_else(|| unreadable("File has no known ending".into(), Some("`.yaml`, `.yml`, `.toml` or `.json`")))?;
    let length = std::fs::metadata(path).map_err(|error| unreadable(format!("Failed to read: {error}"), None))?.len();
    if length > parse::SIZE_LIMIT as u64 {
        return Err(unreadable(format!("File is larger than {} MiB", parse::SIZE_LIMIT >> 20), None));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(format!("Failed to read: {error}"), None))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let valid = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
        let (line, column) = SourceText::new(&valid).position(at);
        let mut problem = ConfigProblem::new(ProblemKind::Unreadable, "File is not UTF-8");
        problem.file = Some(path.to_owned());
        (problem.line, problem.column) = (Some(line), Some(column));
        ConfigError::from(problem)
    })?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Ok((text, format))
}

/// Reads text as a value of a shape: `true`, `12`, `a,b` or JSON for lists and maps.
fn typed(shape: &Shape, text: &str) -> Result<Node, String> {
    let wrong = || format!("Expected {}, found text", shape.describe());
    let value = match shape {
        Shape::Optional(_) if text.is_empty() => Value::Null,
        Shape::Optional(inner) => return typed(inner, text),
        Shape::Text | Shape::Choice(_) => Value::Text(text.into()),
        Shape::Any | Shape::Scalar => {
            return Ok(parse::parse(text, Format::Json).unwrap_or_else(|_| Node::bare(Value::Text(text.into()))));
        }
        Shape::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Value::Boolean(true),
            "false" | "0" | "no" | "off" => Value::Boolean(false),
            _ => return Err(wrong()),
        },
        Shape::Integer { .. } => Value::Integer(text.trim().parse().map_err(|_| wrong())?),
        Shape::Number => Value::Number(text.trim().parse().map_err(|_| wrong())?),
        Shape::List(item) if !text.trim_start().starts_with('[') => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Value::List(parts.map(|part| typed(item, part)).collect::<Result<_, _>>()?)
        }
        Shape::List(_) | Shape::Map(_) | Shape::Section(_) => match parse::parse(text, Format::Json) {
            // Offsets within a variable's value mean nothing to a reader.
            Ok(node) => return Ok(node),
            Err(_) => return Err(format!("{}, as JSON", wrong())),
        },
    };
    Ok(Node::bare(value))
}

impl HotpassConfig {
    /// Applies a layer in place; returns the number of values that it set.
    ///
    /// Sections and maps merge by key, lists replace, lists whose key says append are put after what is there.
    /// The cost follows the size of the overlay: what it does not speak of is neither copied nor looked at.
    /// Nothing is validated here; [`HotpassConfig::validate`] does that once, on the result.
    pub fn merge(&mut self, overlay: &Overlay) -> usize {
        self.apply(&overlay.root)
    }

    /// Keeps the first of equal values in lists that append, so that a layer applied twice changes nothing.
    pub(crate) fn drop_repeats(&mut self) {
        for list in [&mut self.pipeline.sensitive_fields, &mut self.ingest.null_values] {
            let mut seen = std::collections::HashSet::new();
            list.retain(|value| seen.insert(value.clone()));
        }
    }
}

/// Returns the key paths whose lists append.
pub(crate) fn appending_keys() -> Vec<String> {
    fn collect(shape: &'static Shape, prefix: &str, keys: &mut Vec<String>) {
        for field in shape.bare().fields() {
            let path = crate::path::join(prefix, field.name);
            if field.rule == Rule::Append {
                keys.push(path.clone());
            }
            collect(field.shape, &path, keys);
        }
    }
    let mut keys = Vec::new();
    collect(HotpassConfig::SHAPE, "", &mut keys);
    keys
}
