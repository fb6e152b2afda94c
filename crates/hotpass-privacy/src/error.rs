//! What can go wrong with keys, operators, consent and suppression files.

use std::io;
use std::path::PathBuf;

/// A key that cannot be used, or a token that cannot be read with it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key is shorter than its use allows.
    #[error("The key has {length} characters; at least {minimum} are needed")]
    TooShort {
        /// Characters it has.
        length: usize,
        /// Characters it needs.
        minimum: usize,
    },
    /// The machine gave no random bits.
    #[error("No random bits for a new key: {reason}")]
    Random {
        /// Why.
        reason: String,
    },
    /// The text is no token.
    #[error("Not a token of Hotpass")]
    NotAToken,
    /// The token was made with another key, or changed.
    #[error("The token was made with another key, or was changed")]
    WrongKey,
}

/// An operator that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// No operator has the name.
    #[error(transparent)]
    Unknown(#[from] hotpass_core::operator::UnknownOperator),
    /// The operator needs a key, and none is configured.
    #[error("Operator `{operator}` needs a key")]
    NoKey {
        /// The operator.
        operator: &'static str,
    },
}

/// A consent or suppression file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyFileError {
    /// The file cannot be read.
    #[error("Failed to read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("Failed to write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file does not have the form it should.
    #[error("Cannot understand `{}`, line {line}: {reason}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, without a value.
        reason: String,
    },
}
