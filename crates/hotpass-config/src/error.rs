//! What is wrong with a configuration, all of it at once.

use std::fmt;
use std::path::PathBuf;

use crate::path::Path;

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The problems, in the order of the layers and of their documents; never empty.
    pub problems: Vec<ConfigProblem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl From<ConfigProblem> for ConfigError {
    fn from(problem: ConfigProblem) -> Self {
        Self { problems: vec![problem] }
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// What sort of problem it is.
    pub kind: ProblemKind,
    /// File it is in; none for the environment, flags and built-in values.
    pub file: Option<PathBuf>,
    /// Line, from 1.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
    /// The environment variable, flag or profile that gave the value, where no file did.
    pub origin: Option<String>,
    /// Key path; empty for the document as a whole.
    pub key: String,
    /// What is wrong, without the values of secrets.
    pub message: String,
    /// What would be right.
    pub expected: Option<String>,
    /// The nearest name that exists.
    pub nearest: Option<String>,
    /// Offset in the document, until line and column are known.
    pub(crate) offset: Option<u32>,
}

/// What sort of problem a configuration has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// A file cannot be read.
    Unreadable,
    /// A document is not YAML, TOML or JSON.
    Syntax,
    /// A key does not exist.
    UnknownKey,
    /// A key that must be given is not.
    MissingKey,
    /// A value is of another type.
    WrongType,
    /// A value is of the right type and yet impossible.
    InvalidValue,
    /// A profile does not exist.
    UnknownProfile,
}

impl ConfigProblem {
    pub(crate) fn new(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            file: None,
            line: None,
            column: None,
            origin: None,
            key: String::new(),
            message: message.into(),
            expected: None,
            nearest: None,
            offset: None,
        }
    }

    pub(crate) fn at(mut self, path: &Path<'_>, offset: u32) -> Self {
        self.key = path.to_string();
        self.offset = Some(offset);
        self
    }

    pub(crate) fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    pub(crate) fn expecting(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(crate) fn near(mut self, nearest: Option<&str>) -> Self {
        self.nearest = nearest.map(str::to_owned);
        self
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}", file.display())?;
            if let (Some(line), Some(column)) = (self.line, self.column) {
                write!(f, ":{line}:{column}")?;
            }
            f.write_str(": ")?;
        } else if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        // A flag is named by the key itself.
        let is_named = self.file.is_none()
            && self
                .origin
                .as_ref()
                .and_then(|origin| origin.strip_suffix(&self.key))
                .is_some_and(|before| before.ends_with(' '));
        if !self.key.is_empty() && !is_named {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        if let Some(nearest) = &self.nearest {
            write!(f, " (did you mean `{nearest}`?)")?;
        } else if self.kind != ProblemKind::WrongType
            && let Some(expected) = &self.expected
        {
            write!(f, " (expected {expected})")?;
        }
        Ok(())
    }
}
