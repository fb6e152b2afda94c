//! What can be wrong with the text of a condition or rule.

/// Why SQL could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// The text does not follow SQL's grammar.
    #[error("SQL cannot be read at line {line}, column {column}: {message}{}", hint_text(hint.as_deref()))]
    Syntax {
        /// Line of the text, from 1.
        line: u64,
        /// Column of the line, from 1.
        column: u64,
        /// What was expected and what stands there.
        message: String,
        /// What to write instead, where that is clear.
        hint: Option<String>,
    },
    /// The text is empty.
    #[error("SQL is empty: write a condition, or `ELSE` for the last level")]
    Empty,
    /// The expression nests more deeply than is read.
    #[error("SQL nests too deeply, levels at most: {limit}")]
    TooDeep {
        /// Levels at most.
        limit: usize,
    },
    /// The text has more tokens than are read.
    #[error("SQL is too long, tokens at most: {limit}")]
    TooLong {
        /// Tokens at most.
        limit: usize,
    },
    /// A column is named in the wrong way for its place.
    #[error("Column `{name}` is not named as it must be here: {hint}")]
    Qualifier {
        /// The column as written.
        name: String,
        /// How to write it.
        hint: String,
    },
    /// A number is outside the range of 64-bit floating point.
    #[error("Number is outside the range of 64-bit floating point: {text}")]
    NumberRange {
        /// The number as written.
        text: String,
    },
}

fn hint_text(hint: Option<&str>) -> String {
    hint.map_or_else(String::new, |hint| format!(" ({hint})"))
}
