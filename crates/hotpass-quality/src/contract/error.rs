//! Why a contract cannot be used.

use arrow::error::ArrowError;

/// A contract could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The file is neither JSON nor YAML.
    #[error("Not a contract: neither JSON nor YAML")]
    Syntax(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The document is of no form that is known.
    #[error("Not a contract: the document is of no form that is known")]
    UnknownForm,
    /// The document is of its form, but says something that cannot be used.
    #[error("Not a contract as `{format}` writes them: {problem}")]
    Document {
        /// Name of the form.
        format: &'static str,
        /// What is wrong, with the place in the document.
        problem: String,
    },
    /// The contract contradicts itself.
    #[error("The contract `{contract}` cannot be kept: {problem}")]
    Inconsistent {
        /// Name of the contract.
        contract: String,
        /// What is wrong.
        problem: String,
    },
    /// The contract could not be written as text.
    #[error("Failed to write the contract")]
    Write(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A batch could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The contract cannot be used.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The batch has not the columns that the check was made for.
    #[error("A batch has {found} columns where the table has {expected}")]
    Columns {
        /// Columns of the table.
        expected: usize,
        /// Columns of the batch.
        found: usize,
    },
    /// A column cannot be read as text.
    #[error("Cannot read column `{column}`")]
    Column {
        /// Name of the column.
        column: String,
        /// Why.
        #[source]
        source: ArrowError,
    },
}
