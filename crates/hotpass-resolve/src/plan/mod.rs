//! A model made ready to run against the columns of its inputs.
//!
//! What reads only one record of a pair becomes a [`Feature`], computed once per record and dictionary-encoded. What reads
//! both becomes a [`Condition`] over features, evaluated for batches of pairs.

mod compile;
mod condition;
pub(crate) mod functions;
mod problem;
mod simplify;
#[cfg(test)]
mod tests;

pub use compile::CompileOptions;
pub use problem::{PlanProblem, PlanProblems, ProblemKind, ProblemPlace};

use crate::sql::expression::{Expression, Side};

/// Index of a feature in [`Plan::features`].
pub type FeatureId = usize;
/// Index of a dictionary in [`Plan::n_domains`].
pub type DomainId = usize;
/// Index of a measure in [`Plan::measures`].
pub type MeasureId = usize;

/// What a feature's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// Text.
    Text,
    /// Whole numbers, `i64`.
    Integer,
    /// Floating point, `f64`. Dates and timestamps are seconds since 1970-01-01.
    Number,
    /// Truth values.
    Boolean,
    /// Lists of text, null elements left out.
    TextList,
    /// Lists of numbers.
    NumberList,
}

/// An expression over one record whose values pairs are compared by.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// The expression; every [`Expression::Column`] has no side.
    pub expression: Expression,
    /// The type of its values.
    pub value_type: ValueType,
    /// Features in one domain share a dictionary, so equal codes are equal values across them.
    pub domain: DomainId,
}

/// A similarity of two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextSimilarity {
    /// Jaro similarity, 0 to 1.
    Jaro,
    /// Jaro–Winkler similarity, 0 to 1: prefix of at most 4, scale 0.1, boost above 0.7.
    JaroWinkler,
    /// Levenshtein distance in edits.
    Levenshtein,
    /// Unrestricted Damerau–Levenshtein distance in edits.
    DamerauLevenshtein,
    /// Jaccard similarity of the sets of characters, 0 to 1.
    Jaccard,
    /// Hamming distance; null for texts of different length.
    Hamming,
    /// Jaccard similarity of the sets of q-grams.
    QGramJaccard {
        /// Characters in a gram.
        q: u8,
    },
    /// Dice similarity of the sets of q-grams.
    QGramDice {
        /// Characters in a gram.
        q: u8,
    },
    /// Jaccard similarity of the sets of tokens.
    TokenJaccard,
    /// Cosine similarity of token counts.
    TokenCosine,
    /// Cosine similarity of TF-IDF vectors, document frequencies from the domain's records.
    TfIdfCosine,
    /// Soft TF-IDF (Cohen, Ravikumar, Fienberg 2003), inner similarity Jaro–Winkler above 0.9.
    SoftTfIdf,
    /// Monge–Elkan with inner Jaro–Winkler, the mean of both directions.
    MongeElkan,
    /// Similarity of organisation names: legal forms, acronyms and token order looked through.
    OrganizationName,
}

/// A value computed once per pair from two features.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    /// A similarity or distance of two texts; null if either is null.
    Text {
        /// Which one.
        similarity: TextSimilarity,
        /// Feature of the left record.
        left: FeatureId,
        /// Feature of the right record.
        right: FeatureId,
    },
    /// The best value of a text similarity over all pairs of elements of two lists; null if either is null or empty.
    PairwiseText {
        /// Which one; the smallest distance or the largest similarity is the best.
        similarity: TextSimilarity,
        /// List feature of the left record.
        left: FeatureId,
        /// List feature of the right record.
        right: FeatureId,
    },
    /// Number of distinct shared elements of two lists.
    SharedElements {
        /// List feature of the left record.
        left: FeatureId,
        /// List feature of the right record.
        right: FeatureId,
    },
    /// Number of distinct elements of the smaller list that the larger one lacks, 0 for a subset.
    MissingElements {
        /// List feature of the left record.
        left: FeatureId,
        /// List feature of the right record.
        right: FeatureId,
    },
    /// Cosine similarity of two lists of numbers; null if a list is null, of zero norm or the lengths differ.
    VectorCosine {
        /// List feature of the left record.
        left: FeatureId,
        /// List feature of the right record.
        right: FeatureId,
    },
}

/// A comparison of numbers or of truth values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A number computed for a pair; null wherever an operand is null.
#[derive(Debug, Clone, PartialEq)]
pub enum NumberExpression {
    /// A constant, or null.
    Constant(Option<f64>),
    /// A numeric, integer or boolean feature of one record.
    Feature {
        /// Whose value.
        side: Side,
        /// The feature.
        feature: FeatureId,
    },
    /// A measure.
    Measure(MeasureId),
    /// A function of numbers: `add`, `subtract`, `multiply`, `divide` (by zero: infinite or no number), `modulo`, `negate`, `abs`, `sqrt`, `sin`, `cos`,
    /// `tan`, `asin`, `acos`, `atan`, `atan2`, `radians`, `degrees`, `ln`, `log2`, `log10`, `exp`, `power`, `floor`, `ceil`, `round`,
    /// `greatest`, `least` (nulls skipped), `coalesce`, `nullif`, `float32` (rounds to single precision), `truncate` (to a whole number).
    Function {
        /// Which one.
        function: NumberFunction,
        /// Its operands.
        arguments: Vec<NumberExpression>,
    },
    /// The first result whose condition holds.
    Case {
        /// Condition and result.
        branches: Vec<(Condition, NumberExpression)>,
        /// The result when none holds.
        otherwise: Box<NumberExpression>,
    },
}

/// A function of numbers, see [`NumberExpression::Function`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the SQL function of its name")]
pub enum NumberFunction {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Negate,
    Abs,
    Sqrt,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Atan2,
    Radians,
    Degrees,
    Ln,
    Log2,
    Log10,
    Exp,
    Power,
    Floor,
    Ceil,
    Round,
    Greatest,
    Least,
    Coalesce,
    NullIf,
    Float32,
    Truncate,
}

/// A three-valued condition over the two records of a pair.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A constant; `None` is unknown. `ELSE` is `Some(true)`.
    Constant(Option<bool>),
    /// The feature of one record is null.
    IsNull {
        /// Whose value.
        side: Side,
        /// The feature.
        feature: FeatureId,
    },
    /// A boolean feature of one record, unknown if null.
    Flag {
        /// Whose value.
        side: Side,
        /// The feature.
        feature: FeatureId,
    },
    /// Two features of one domain have the same value; unknown if either is null.
    Equal {
        /// Feature of the left record.
        left: FeatureId,
        /// Feature of the right record.
        right: FeatureId,
    },
    /// A measure against a constant.
    Measure {
        /// The measure.
        measure: MeasureId,
        /// The comparison.
        operator: Operator,
        /// The constant.
        threshold: f64,
    },
    /// Two numbers.
    Compare {
        /// The left operand.
        left: NumberExpression,
        /// The comparison.
        operator: Operator,
        /// The right operand.
        right: NumberExpression,
    },
    /// Negation; unknown stays unknown.
    Not(Box<Condition>),
    /// All hold (three-valued).
    And(Vec<Condition>),
    /// One holds (three-valued).
    Or(Vec<Condition>),
    /// The condition is unknown (`(…) IS NULL`).
    IsUnknown(Box<Condition>),
    /// Index into [`Plan::sql_conditions`]: the SQL tier evaluates it.
    Sql(usize),
}

/// A comparison made ready: its conditions level by level, in order of evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonPlan {
    /// The comparison's name.
    pub name: String,
    /// A condition for each level of the comparison, in its order. The first that is true decides.
    pub levels: Vec<Condition>,
}

/// A blocking rule made ready.
#[derive(Debug, Clone, PartialEq)]
pub struct RulePlan {
    /// The rule's SQL or a line that names it.
    pub description: String,
    /// How candidate pairs are found.
    pub search: RuleSearch,
    /// What a pair that was found must fulfil besides.
    pub residual: Option<Condition>,
    /// Blocks of more records than this must also fulfil the second condition.
    pub refine: Option<(u64, Condition)>,
}

/// The way a rule finds pairs.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleSearch {
    /// All of these pairs of features are equal (left record's feature, right record's feature); never empty.
    Equality(Vec<EqualityKey>),
    /// No equality: every pair of records, for the residual to filter. Needs the caller's leave.
    FullProduct,
    /// See [`crate::model::BlockingKind::SortedNeighbourhood`].
    SortedNeighbourhood {
        /// The sort key.
        key: FeatureId,
        /// Records in the window.
        window: u32,
    },
    /// See [`crate::model::BlockingKind::QGramLsh`].
    QGramLsh {
        /// The text.
        text: FeatureId,
        /// Characters in a q-gram.
        q: u32,
        /// Number of bands.
        bands: u32,
        /// Hashes in a band.
        rows_per_band: u32,
    },
    /// See [`crate::model::BlockingKind::Tokens`].
    Tokens {
        /// The text.
        text: FeatureId,
        /// Tokens two records must share.
        minimum_shared: u32,
        /// Tokens in more records than this propose nothing.
        maximum_records: u64,
    },
}

/// One equality of a blocking rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EqualityKey {
    /// Feature of the left record.
    pub left: FeatureId,
    /// Feature of the right record, in the same domain.
    pub right: FeatureId,
    /// The features are lists: equal means that they share an element.
    pub exploded: bool,
}

/// A condition that only the SQL tier can evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlCondition {
    /// SQL over columns with suffix `_l` and `_r`.
    pub sql: String,
    /// The record columns it reads on either side.
    pub columns: Vec<String>,
}

/// A whole model made ready.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Everything to compute per record.
    pub features: Vec<Feature>,
    /// Number of dictionaries.
    pub n_domains: usize,
    /// Everything to compute per pair that more than one condition may read.
    pub measures: Vec<Measure>,
    /// The comparisons, in the model's order.
    pub comparisons: Vec<ComparisonPlan>,
    /// The blocking rules, in the model's order.
    pub rules: Vec<RulePlan>,
    /// Conditions for the SQL tier.
    pub sql_conditions: Vec<SqlCondition>,
    /// For each comparison and level: the feature whose value frequency adjusts the weight.
    pub term_frequencies: Vec<Vec<Option<FeatureId>>>,
}
