//! What can go wrong when records are linked.

use arrow::error::ArrowError;

/// A linkage that cannot be prepared or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// No source was given, or none has a batch that would tell its columns.
    #[error("No records to link: give at least one source with a record batch")]
    NoRecords,
    /// More sources than fit.
    #[error("Too many sources, at most 65,535 can be linked at once: {count}")]
    TooManySources {
        /// How many.
        count: usize,
    },
    /// More records than a row number holds.
    #[error("Too many records, at most 4,294,967,294 can be linked at once: {count}")]
    TooManyRecords {
        /// How many.
        count: u64,
    },
    /// Two sources of one name.
    #[error("Two sources have the name `{name}`; each needs its own")]
    RepeatedSource {
        /// The name.
        name: String,
    },
    /// A batch could not be read.
    #[error("Failed to read a record batch of source `{source_name}`")]
    Read {
        /// The source.
        source_name: String,
        /// Why.
        #[source]
        error: ArrowError,
    },
    /// A column that the model reads is missing from a source.
    #[error("Column `{column}` is missing from source `{source_name}`{}", nearest.as_ref().map(|name| format!("; the nearest name there is `{name}`")).unwrap_or_default())]
    MissingColumn {
        /// The column.
        column: String,
        /// The source.
        source_name: String,
        /// A column of a similar name.
        nearest: Option<String>,
    },
    /// A column or expression could not be evaluated.
    #[error("Failed to evaluate `{expression}` on source `{source_name}`")]
    Evaluate {
        /// What was evaluated.
        expression: String,
        /// The source.
        source_name: String,
        /// Why.
        #[source]
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Ids of a type that has no text.
    #[error("Failed to read the ids of source `{source_name}`")]
    Identifier {
        /// The source.
        source_name: String,
        /// Why.
        #[source]
        error: ArrowError,
    },
    /// A record without an id.
    #[error("A record of source `{source_name}` has no id, in row (counted from 0): {row}")]
    NullIdentifier {
        /// The source.
        source_name: String,
        /// Its row among all records read so far, from 0.
        row: u64,
    },
    /// Ids that occur more than once in a source.
    #[error(
        "Ids of source `{source_name}` are not unique: {count} records repeat an id, first row {second} that of row {first} (counted from 0)"
    )]
    DuplicateIdentifiers {
        /// The source.
        source_name: String,
        /// The row, from 0, of the first id that is repeated.
        first: u64,
        /// The row that repeats it.
        second: u64,
        /// How many records repeat an id.
        count: u64,
    },
    /// A rule without an equality, without leave.
    #[error(
        "Blocking rule `{rule}` has no equality, so it would compare all {pairs} pairs; add an equality, or allow the full product"
    )]
    FullProduct {
        /// The rule.
        rule: String,
        /// Number of pairs.
        pairs: u64,
    },
    /// The model or a rule cannot be run against these columns.
    #[error("The model does not fit the records")]
    Plan(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A level needs the frequency of a term, but no level tells the u probability of equal terms.
    #[error(
        "Comparison `{comparison}` adjusts level {level} by the frequency of `{column}`, but has no level that is an exact match on `{column}`; add one, or set `disable_tf_exact_match_detection`"
    )]
    NoExactLevel {
        /// The comparison.
        comparison: String,
        /// The level's index.
        level: usize,
        /// The column.
        column: String,
    },
    /// A parameter that is not a probability.
    #[error("{what} is not a probability between 0 and 1: {value}")]
    NotAProbability {
        /// Which parameter.
        what: String,
        /// Its value.
        value: f64,
    },
    /// A rule that single records cannot be looked up by.
    #[error("Records cannot be looked up by blocking rule `{rule}`, which is not made of equalities of single values")]
    NoLookup {
        /// The rule.
        rule: String,
    },
    /// Parameters of a model with other comparisons.
    #[error("The parameters are of a model with other comparisons or levels than the linker's")]
    OtherComparisons,
    /// A rule reads something that was not encoded.
    #[error(
        "Blocking rule `{rule}` reads `{expression}`, which was not encoded; name the rule when the linker is built"
    )]
    NotEncoded {
        /// The rule.
        rule: String,
        /// What it reads.
        expression: String,
    },
    /// The memory limit does not suffice.
    #[error("The memory limit of {limit} bytes does not suffice for {what}, which needs about {needed} bytes")]
    MemoryLimit {
        /// The limit.
        limit: u64,
        /// What is needed.
        needed: u64,
        /// For what.
        what: &'static str,
    },
    /// Pairs could not be compared.
    #[error("Failed to compare pairs")]
    Compare(#[from] crate::compare::CompareError),
    /// The workers could not be started.
    #[error("Failed to start worker threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// A table could not be built.
    #[error("Failed to build a table of pairs")]
    Output(#[source] ArrowError),
    /// Survivors could not be written to or read from temporary storage.
    #[error("Failed to spill pairs to temporary storage")]
    Spill(#[source] std::io::Error),
}
