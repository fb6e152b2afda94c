//! What keeps a model from running against a schema.

use std::fmt;

use crate::sql::SqlError;

/// Every problem of a model at once.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct PlanProblems(pub Vec<PlanProblem>);

fn lines(problems: &[PlanProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// One problem and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanProblem {
    /// Where in the model.
    pub place: ProblemPlace,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// A place in a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemPlace {
    /// A level of a comparison.
    Level {
        /// The comparison.
        comparison: String,
        /// Index of the level, from 0.
        level: usize,
        /// The level's label, or else its SQL.
        label: String,
    },
    /// A blocking rule.
    Rule {
        /// Index of the rule, from 0.
        rule: usize,
        /// Its SQL or a line that names it.
        description: String,
    },
}

/// What is wrong with a level or rule.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProblemKind {
    /// The text is no SQL.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// A column does not exist.
    #[error("Column `{name}` does not exist{}", did_you_mean(nearest.as_deref()))]
    UnknownColumn {
        /// The column, without suffix.
        name: String,
        /// The most similar column there is.
        nearest: Option<String>,
    },
    /// A column does not say whose it is.
    #[error("Column `{name}` does not say which record it belongs to: {hint}")]
    MissingSide {
        /// The column as written.
        name: String,
        /// How to write it.
        hint: String,
    },
    /// A function is known nowhere.
    #[error("Function `{function}` does not exist{}", did_you_mean(nearest.as_deref()))]
    UnknownFunction {
        /// The function.
        function: String,
        /// The most similar function there is.
        nearest: Option<String>,
    },
    /// An operand has the wrong type.
    #[error("`{function}` takes {expected}, but `{operand}` gives {found}{}", hint_text(hint.as_deref()))]
    OperandType {
        /// The function or operator.
        function: String,
        /// The operand's SQL.
        operand: String,
        /// What the function takes.
        expected: String,
        /// What the operand gives.
        found: String,
        /// What to write instead.
        hint: Option<String>,
    },
    /// Values of different types stand beside each other.
    #[error("`{left}` and `{right}` cannot be compared: {left_type} beside {right_type}; cast one of them")]
    DifferentTypes {
        /// The left operand's SQL.
        left: String,
        /// Its type in words.
        left_type: String,
        /// The right operand's SQL.
        right: String,
        /// Its type in words.
        right_type: String,
    },
    /// The expression cannot be evaluated over these columns.
    #[error("`{expression}` cannot be evaluated: {message}")]
    Expression {
        /// The SQL.
        expression: String,
        /// The reason.
        message: String,
    },
    /// A condition is no condition.
    #[error("A condition gives truth values, not {found}: `{expression}`")]
    NoCondition {
        /// The SQL.
        expression: String,
        /// The type in words.
        found: String,
    },
    /// Only the SQL tier could run it, and it is not there.
    #[error("`{sql}` has no native form, and this program was built without the SQL tier")]
    NeedsSqlTier {
        /// The SQL.
        sql: String,
    },
    /// An exploded array is read by something else than an equality of the array itself.
    #[error(
        "Exploded array `{column}` must be compared with an exploded array by `=`, nothing else in this rule may read it"
    )]
    ExplodedArray {
        /// The array.
        column: String,
    },
    /// A setting is outside its range.
    #[error("{setting} must be {range}, not {found}")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// What is allowed.
        range: &'static str,
        /// What was given.
        found: String,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"))
}

fn hint_text(hint: Option<&str>) -> String {
    hint.map_or_else(String::new, |hint| format!("; {hint}"))
}

impl fmt::Display for ProblemPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level { comparison, level, label } => {
                write!(formatter, "Comparison `{comparison}`, level {level} (`{label}`)")
            }
            Self::Rule { rule, description } => write!(formatter, "Blocking rule {rule} (`{description}`)"),
        }
    }
}

impl fmt::Display for PlanProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.kind)
    }
}

/// The name most like another, if one is like it at all.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let name = name.to_lowercase();
    let scored = candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&name, &candidate.to_lowercase()), candidate));
    let (distance, best) = scored.min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + name.chars().count() / 3).then(|| best.to_owned())
}
