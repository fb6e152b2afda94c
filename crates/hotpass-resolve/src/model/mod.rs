//! The linkage model: what is compared, at which levels, with which probabilities.

mod conditions;
mod document;
mod error;
mod json;
mod probability;
mod reader;
mod show;
mod splink;
mod sql_text;
mod validate;

use std::fmt;

pub use conditions::TypeProblem;
#[cfg(feature = "schema")]
pub use document::json_schema;
pub use document::read_model;
pub use error::{FileProblem, FileProblemCause, ModelError, Notice, NoticeKind, WriteFailure};
pub use probability::{default_m_probability, default_u_probability};
pub use show::{LevelSummary, ModelSummary, describe};
pub use validate::{
    ModelPlace, ModelProblem, ModelProblemKind, ModelProblems, Severity, SourceSchema, problems, validate,
    validate_allowing_full_product,
};

/// How records of one or several sources may pair up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LinkType {
    /// Pairs within one source, or within all sources stacked as one.
    #[default]
    DedupeOnly,
    /// Pairs of records of different sources only.
    LinkOnly,
    /// Pairs within a source and across sources.
    LinkAndDedupe,
}

/// A Fellegi–Sunter model: comparisons, blocking rules and the prior.
///
/// The fields are what a model file says; [`crate::engine::plan`] turns them into something that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkageModel {
    /// How records pair up.
    pub link_type: LinkType,
    /// The comparisons, in the order of the comparison vector.
    pub comparisons: Vec<Comparison>,
    /// The rules whose union gives the candidate pairs, in order: a pair belongs to the first rule that finds it.
    pub blocking_rules: Vec<BlockingRule>,
    /// λ: the probability that two random records match, between 0 and 1.
    pub probability_two_random_records_match: f64,
    /// How expectation–maximisation stops.
    pub training: TrainingSettings,
    /// The columns that name a record.
    pub keys: KeyColumns,
    /// What a table of pairs holds beside ids and scores.
    pub output: OutputSettings,
    /// The identity of the model, free text.
    pub uid: Option<String>,
    /// How text functions count and what they give for empty text.
    pub text_semantics: TextSemantics,
    /// How the probabilities came about, as far as it was written down.
    pub trace: Option<TrainingTrace>,
}

/// How the probabilities of a model came about: kept with the model, read by nobody but people.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrainingTrace {
    /// The program that trained, with its version.
    pub software: Option<String>,
    /// The seed of everything random.
    pub seed: Option<u64>,
    /// Records trained on, over all sources.
    pub n_records: Option<u64>,
    /// The steps in order.
    pub steps: Vec<TrainingStep>,
}

/// One step of training.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrainingStep {
    /// What was estimated and how, as `u from random pairs`.
    pub method: String,
    /// The rule that chose the pairs.
    pub blocking_rule: Option<String>,
    /// Pairs looked at.
    pub n_pairs: Option<u64>,
    /// Iterations until the end.
    pub n_iterations: Option<u64>,
    /// How the step ended, as `converged`.
    pub status: Option<String>,
    /// Logarithm (base e) of the likelihood at the end; a number that is not finite is not written to a file.
    pub log_likelihood: Option<f64>,
    /// Relative standard error of the least certain estimate; a number that is not finite is not written to a file.
    pub relative_error: Option<f64>,
}

/// Columns that identify a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumns {
    /// The record's id, unique within its source; `unique_id` by default.
    pub unique_id: String,
    /// The source's name, in tables that hold several sources; `source_dataset` by default.
    pub source_dataset: String,
}

/// When expectation–maximisation stops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingSettings {
    /// Stop when no m, u or λ moved by more than this; 0.0001 by default.
    pub em_convergence: f64,
    /// Stop after this many iterations; 25 by default.
    pub max_iterations: u32,
}

/// Columns of a table of scored pairs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSettings {
    /// Keep the compared columns of both sides.
    pub retain_matching_columns: bool,
    /// Keep comparison vector values, weights and term frequencies.
    pub retain_intermediate_calculation_columns: bool,
    /// Columns to carry along although nothing compares them.
    pub additional_columns_to_retain: Vec<String>,
    /// Prefix of the weight of a comparison; `mw_`.
    pub match_weight_prefix: String,
    /// Prefix of a term frequency; `tf_`.
    pub term_frequency_prefix: String,
    /// Prefix of a comparison vector value; `gamma_`.
    pub comparison_vector_prefix: String,
}

/// What a character is to the text functions, and what empty text scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TextSemantics {
    /// Unicode scalar values; two empty texts are equal, so similarity 1. The form of Hotpass's own models.
    #[default]
    Characters,
    /// Bytes of UTF-8; an empty text on either side gives similarity 0. What DuckDB computes, so what Splink's models mean.
    DuckDbBytes,
}

/// One comparison: levels from the most specific down to the catch-all.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The name in output columns (`gamma_NAME`), unique within the model.
    pub output_column_name: String,
    /// A sentence for people.
    pub description: Option<String>,
    /// The levels in order of evaluation; the first whose condition holds is the pair's level.
    pub levels: Vec<ComparisonLevel>,
}

/// One level of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonLevel {
    /// SQL over columns with suffix `_l` and `_r`, or `ELSE`.
    pub sql_condition: String,
    /// The name on charts and in waterfalls.
    pub label: Option<String>,
    /// Marks missing data: weight 0, no m or u.
    pub is_null_level: bool,
    /// m: P(level | match).
    pub m_probability: Option<f64>,
    /// u: P(level | no match).
    pub u_probability: Option<f64>,
    /// Training leaves m alone.
    pub fix_m_probability: bool,
    /// Training leaves u alone.
    pub fix_u_probability: bool,
    /// Replaces u by the frequency of the value in a column.
    pub term_frequency: Option<TermFrequencyAdjustment>,
}

/// How the frequency of a value adjusts the weight of a level.
#[derive(Debug, Clone, PartialEq)]
pub struct TermFrequencyAdjustment {
    /// The column (or expression over one record) whose value frequencies count.
    pub column: String,
    /// Scale of the adjustment in bits, from 0 (none) to 1 (whole).
    pub weight: f64,
    /// A floor under the frequency used.
    pub minimum_u: f64,
    /// Takes this level's own u as the base instead of that of the exact level.
    pub disable_exact_match_detection: bool,
}

/// A rule that proposes candidate pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockingRule {
    /// How the rule finds pairs.
    pub kind: BlockingKind,
    /// Arrays whose elements become records of their own before the rule is applied.
    pub arrays_to_explode: Vec<String>,
    /// Refines blocks above a number of records by a second rule, SQL over `l` and `r`.
    pub refine_large_blocks: Option<LargeBlockRefinement>,
}

/// What to do with a block of many records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LargeBlockRefinement {
    /// Blocks with more records than this are refined.
    pub more_records_than: u64,
    /// The rule that must hold as well inside such a block.
    pub sql: String,
}

/// The way a rule finds pairs.
#[derive(Debug, Clone, PartialEq)]
pub enum BlockingKind {
    /// SQL over `l` and `r`: equalities joined by `AND`, further conditions filter what they find.
    Sql(String),
    /// Records sorted by an expression over one record pair with their next `window - 1` neighbours.
    SortedNeighbourhood {
        /// The sort key, SQL over one record's columns.
        key: String,
        /// Number of records in the window, at least 2.
        window: u32,
    },
    /// MinHash over character q-grams: records whose band signatures agree in one band.
    QGramLsh {
        /// The text, SQL over one record's columns.
        text: String,
        /// Characters in a q-gram, 1 to 8.
        q: u32,
        /// Number of bands.
        bands: u32,
        /// Hashes in a band.
        rows_per_band: u32,
    },
    /// Records that share at least `minimum_shared` tokens, tokens of more than `maximum_records` records left out.
    Tokens {
        /// The text, SQL over one record's columns, split at anything that is not a letter or digit.
        text: String,
        /// Number of tokens two records must share.
        minimum_shared: u32,
        /// Tokens in more records than this propose nothing.
        maximum_records: u64,
    },
}

impl LinkageModel {
    /// Starts a model without comparisons or rules, λ = 0.0001.
    pub fn new(link_type: LinkType) -> Self {
        Self {
            link_type,
            comparisons: Vec::new(),
            blocking_rules: Vec::new(),
            probability_two_random_records_match: 0.0001,
            training: TrainingSettings::default(),
            keys: KeyColumns::default(),
            output: OutputSettings::default(),
            uid: None,
            text_semantics: TextSemantics::default(),
            trace: None,
        }
    }

    /// Adds a comparison.
    #[must_use]
    pub fn compare(mut self, comparison: impl Into<Comparison>) -> Self {
        self.comparisons.push(comparison.into());
        self
    }

    /// Adds a blocking rule; the order decides which rule a pair belongs to.
    #[must_use]
    pub fn block_on(mut self, rule: impl Into<BlockingRule>) -> Self {
        self.blocking_rules.push(rule.into());
        self
    }
}

impl ComparisonLevel {
    /// Starts a level from its SQL condition, without probabilities.
    pub fn new(sql_condition: impl Into<String>) -> Self {
        Self {
            sql_condition: sql_condition.into(),
            label: None,
            is_null_level: false,
            m_probability: None,
            u_probability: None,
            fix_m_probability: false,
            fix_u_probability: false,
            term_frequency: None,
        }
    }

    /// Tells whether this is the catch-all level `ELSE`.
    pub fn is_else_level(&self) -> bool {
        self.sql_condition.trim().eq_ignore_ascii_case("else")
    }
}

impl Comparison {
    /// Gives the comparison vector value of a level: -1 for the null level, else counting down to 0 for the last.
    pub fn vector_value(&self, level: usize) -> i32 {
        if self.levels[level].is_null_level {
            return -1;
        }
        let below = self.levels[level + 1..].iter().filter(|level| !level.is_null_level).count();
        i32::try_from(below).unwrap_or(i32::MAX)
    }
}

impl From<&str> for BlockingRule {
    /// Takes SQL over `l` and `r`.
    fn from(sql: &str) -> Self {
        Self { kind: BlockingKind::Sql(sql.to_owned()), arrays_to_explode: Vec::new(), refine_large_blocks: None }
    }
}

impl Default for KeyColumns {
    fn default() -> Self {
        Self { unique_id: "unique_id".to_owned(), source_dataset: "source_dataset".to_owned() }
    }
}

impl Default for TrainingSettings {
    fn default() -> Self {
        Self { em_convergence: 0.0001, max_iterations: 25 }
    }
}

impl Default for OutputSettings {
    fn default() -> Self {
        Self {
            retain_matching_columns: true,
            retain_intermediate_calculation_columns: false,
            additional_columns_to_retain: Vec::new(),
            match_weight_prefix: "mw_".to_owned(),
            term_frequency_prefix: "tf_".to_owned(),
            comparison_vector_prefix: "gamma_".to_owned(),
        }
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::DedupeOnly => "dedupe_only",
            Self::LinkOnly => "link_only",
            Self::LinkAndDedupe => "link_and_dedupe",
        })
    }
}

/// Reads JSON text of either form.
fn parse(text: &str) -> Result<serde_json::Value, ModelError> {
    json::parse(text).map_err(|error| ModelError::Syntax {
        message: error.message,
        line: error.line,
        column: error.column,
    })
}

#[cfg(test)]
mod tests;
