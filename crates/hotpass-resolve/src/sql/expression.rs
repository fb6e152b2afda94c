//! The expressions that SQL conditions, rules and record expressions are made of.

/// The record of a pair that a column belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The record with the lower key: `column_l`, `l.column`.
    Left,
    /// The record with the higher key: `column_r`, `r.column`.
    Right,
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// SQL `NULL`.
    Null,
    /// `TRUE` or `FALSE`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or exponent.
    Number(f64),
    /// Text.
    Text(String),
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    /// `AND`, three-valued.
    And,
    /// `OR`, three-valued.
    Or,
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
    /// `IS NOT DISTINCT FROM`: equal, or both null.
    NotDistinct,
    /// `IS DISTINCT FROM`
    Distinct,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`: always with a fraction, as in DuckDB.
    Divide,
    /// `%`
    Modulo,
    /// `||`
    Concatenate,
}

/// The target of a cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CastType {
    /// Text.
    Text,
    /// 64-bit whole number.
    Integer,
    /// 64-bit floating point.
    Double,
    /// 32-bit floating point.
    Float,
    /// Truth value.
    Boolean,
    /// Calendar date.
    Date,
    /// Date and time without zone.
    Timestamp,
}

/// An expression over one record, or over the two records of a pair.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A column; `side` is `None` in an expression over one record.
    Column {
        /// Whose column.
        side: Option<Side>,
        /// The column's name as the schema has it.
        name: String,
    },
    /// A constant.
    Literal(Literal),
    /// A function by its canonical lower-case name (DuckDB aliases resolved).
    Call {
        /// The name.
        function: String,
        /// The arguments in order.
        arguments: Vec<Expression>,
    },
    /// `NOT`.
    Not(Box<Expression>),
    /// Unary minus.
    Negate(Box<Expression>),
    /// Two operands.
    Binary {
        /// The operator.
        operator: BinaryOperator,
        /// The left operand.
        left: Box<Expression>,
        /// The right operand.
        right: Box<Expression>,
    },
    /// `IS NULL`, or `IS NOT NULL` when negated.
    IsNull {
        /// What is tested.
        operand: Box<Expression>,
        /// `IS NOT NULL`.
        negated: bool,
    },
    /// `CAST`, or `TRY_CAST` when lenient.
    Cast {
        /// What is cast.
        operand: Box<Expression>,
        /// To which type.
        to: CastType,
        /// A value that does not fit becomes null instead of an error.
        lenient: bool,
    },
    /// `CASE WHEN … THEN … ELSE … END`; a `CASE x WHEN v` is parsed into equalities.
    Case {
        /// Condition and result, in order.
        branches: Vec<(Expression, Expression)>,
        /// The result when no condition holds; null if absent.
        otherwise: Option<Box<Expression>>,
    },
    /// `x IN (…)`.
    In {
        /// What is looked up.
        operand: Box<Expression>,
        /// The values.
        list: Vec<Expression>,
        /// `NOT IN`.
        negated: bool,
    },
    /// SQL that parses but has no native form; only the SQL tier runs it.
    Opaque {
        /// The text, columns spelt with suffix `_l` and `_r` (or none, over one record).
        sql: String,
        /// The columns it reads.
        columns: Vec<(Option<Side>, String)>,
    },
}
