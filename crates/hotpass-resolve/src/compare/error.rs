//! Why pairs cannot be compared.

/// Why a plan cannot be compiled for comparison, or pairs cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A comparison has more levels than a level number can tell apart.
    #[error("Comparison `{comparison}` has more than 250 levels: {count}")]
    TooManyLevels {
        /// The comparison.
        comparison: String,
        /// Its levels.
        count: usize,
    },
    /// A pair fulfils the condition of no level.
    #[error("Comparison `{comparison}` leaves a pair without a level; end it with `ELSE`")]
    NoLevel {
        /// The comparison.
        comparison: String,
    },
    /// A condition has no native form and there is no SQL tier to evaluate it.
    #[error(
        "Condition `{sql}` has no native form and needs SQL evaluation, which this build lacks: build it with the feature `sql`"
    )]
    NoSqlTier {
        /// The condition.
        sql: String,
    },
    /// The SQL tier failed.
    #[error("Failed to evaluate condition `{sql}`")]
    Sql {
        /// The condition.
        sql: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A comparison that the plan does not have.
    #[error("Comparison {index} does not exist, the plan has {count}")]
    NoComparison {
        /// Its index.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A measure that the plan does not have.
    #[error("Measure {index} does not exist, the plan has {count}")]
    NoMeasure {
        /// Its index.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A pair of a record that the columns do not have.
    #[error("Record {row} does not exist, the columns have {count}")]
    NoRow {
        /// Its row.
        row: u32,
        /// How many there are.
        count: usize,
    },
    /// Left rows, right rows and results differ in number.
    #[error("Pairs need as many left rows as right rows and results, but there are {lefts}, {rights} and {out}")]
    Lengths {
        /// Number of left rows.
        lefts: usize,
        /// Number of right rows.
        rights: usize,
        /// Number of results.
        out: usize,
    },
    /// The columns are not those that the plan describes.
    #[error("The columns do not fit the plan at feature {feature}")]
    Columns {
        /// The first feature that does not fit.
        feature: usize,
    },
    /// A plan contradicts itself.
    #[error("This is a bug in the planner of comparisons: {what}")]
    Internal {
        /// In which way.
        what: &'static str,
    },
}
