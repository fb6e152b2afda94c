//! What can be wrong with a model file, and what is worth a word although it is not.

use std::fmt;

use thiserror::Error;

use crate::sql::SqlError;

/// A model file that cannot be read or written.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The text is not JSON, or repeats a key.
    #[error("Line {line}, column {column} of the model is not JSON: {message}")]
    Syntax {
        /// What was found.
        message: String,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
    },
    /// The JSON is not a model; never empty.
    #[error("The model file has {}: {}", count(.0.len()), list(.0))]
    Invalid(Vec<FileProblem>),
    /// The model says something that the other form cannot say; never empty.
    #[error("The model cannot be written in Splink's form, {}: {}", count(.0.len()), list(.0))]
    NotExpressible(Vec<FileProblem>),
    /// A value could not be serialised: a bug here.
    #[error("Failed to write the model, which is a bug in Hotpass")]
    Write(#[source] std::sync::Arc<WriteFailure>),
}

/// The cause of [`ModelError::Write`].
#[derive(Debug, Error)]
#[error(transparent)]
pub struct WriteFailure(#[from] serde_json::Error);

impl PartialEq for WriteFailure {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_string() == other.0.to_string()
    }
}

/// One problem of a model file.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("`{path}`: {cause}")]
pub struct FileProblem {
    /// The place, as `comparisons[0].comparison_levels[2].m_probability`.
    pub path: String,
    /// What is wrong there.
    pub cause: FileProblemCause,
}

/// What is wrong at one place of a model file.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum FileProblemCause {
    /// A key that no model has.
    #[error("Unknown key{}", suggestion(.nearest.as_deref()))]
    UnknownKey {
        /// The known key with the nearest name.
        nearest: Option<String>,
    },
    /// A key that every model has.
    #[error("The key is missing")]
    MissingKey,
    /// A value of another type.
    #[error("Expected {expected}, found {found}")]
    WrongType {
        /// What the key takes.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A number out of range.
    #[error("Expected {expected}, found: {}", number(*.found))]
    OutOfRange {
        /// The range.
        expected: &'static str,
        /// The number.
        found: f64,
    },
    /// A word that is none of the choices.
    #[error("Expected one of {}, found `{found}`{}", choices(.expected), suggestion(.nearest.as_deref()))]
    UnknownChoice {
        /// The choices.
        expected: &'static [&'static str],
        /// What stands there.
        found: String,
        /// The choice with the nearest name.
        nearest: Option<String>,
    },
    /// SQL that does not parse.
    #[error("{0}")]
    Sql(SqlError),
    /// A function of another engine's SQL.
    #[error("Function `{function}` is not DuckDB's{}", instead_use(.instead.as_deref()))]
    ForeignFunction {
        /// The function.
        function: String,
        /// DuckDB's name of it.
        instead: Option<String>,
    },
    /// A model file of a later version.
    #[error("Version {found} is later than this program knows, which is {newest}")]
    LaterVersion {
        /// The file's version.
        found: u64,
        /// The newest version that this program reads.
        newest: u64,
    },
    /// A function that only Hotpass has.
    #[error("Function `{function}` exists in Hotpass only")]
    HotpassFunction {
        /// The function.
        function: String,
    },
    /// A kind of blocking rule that only Hotpass has.
    #[error("Splink has no blocking by {0}")]
    HotpassBlocking(&'static str),
    /// A blocking rule that says twice how it finds pairs.
    #[error("A blocking rule has one of `blocking_rule`, `sorted_neighbourhood`, `q_gram_lsh` and `tokens`")]
    TwoKinds,
    /// A value that must be there has no content.
    #[error("The text is empty")]
    Empty,
}

/// Something about a model file that its owner should know although it can be honoured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The place, as `comparisons[0].comparison_levels[2].m_probability`.
    pub path: String,
    /// What is to know.
    pub kind: NoticeKind,
}

/// What a [`Notice`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoticeKind {
    /// The key has no effect, for the reason given.
    NoEffect(&'static str),
    /// The SQL was written for another engine and is read as DuckDB's.
    ForeignDialect(String),
    /// The level was never observed in training; it scores with 0.000001, as in Splink.
    NotObserved,
    /// What the form that was written cannot hold, for the reason given.
    LeftOut(&'static str),
}

impl fmt::Display for Notice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`: ", self.path)?;
        match &self.kind {
            NoticeKind::NoEffect(reason) => write!(formatter, "The key has no effect, since {reason}"),
            NoticeKind::ForeignDialect(dialect) => {
                write!(formatter, "SQL written for `{dialect}` is read as DuckDB's")
            }
            NoticeKind::NotObserved => {
                formatter.write_str("The level was not observed in training and scores with the probability 0.000001")
            }
            NoticeKind::LeftOut(reason) => write!(formatter, "Left out, since {reason}"),
        }
    }
}

pub(super) fn count(n: usize) -> String {
    if n == 1 { "1 problem".to_owned() } else { format!("{n} problems") }
}

pub(super) fn list<T: fmt::Display>(problems: &[T]) -> String {
    match problems {
        [only] => only.to_string(),
        _ => problems.iter().fold(String::new(), |text, problem| text + &format!("\n- {problem}")),
    }
}

pub(super) fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

fn instead_use(name: Option<&str>) -> String {
    name.map(|name| format!("; use `{name}`")).unwrap_or_default()
}

fn choices(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Returns the candidate nearest to `name`, or nothing when none is near.
///
/// Nearness is Damerau–Levenshtein similarity on lower-cased text, at least 0.6; the start of a longer name counts as near.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (nearness(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}

fn nearness(wanted: &str, candidate: &str) -> f64 {
    let similarity = strsim::normalized_damerau_levenshtein(wanted, candidate);
    let is_start = wanted.chars().count() >= 3 && candidate.starts_with(wanted);
    if is_start { similarity.max(0.6 + 0.4 * similarity) } else { similarity }
}

/// Writes a number without hundreds of zeros.
pub(super) fn number(value: f64) -> String {
    if value != 0.0 && !(1e-6..1e15).contains(&value.abs()) { format!("{value:e}") } else { value.to_string() }
}
