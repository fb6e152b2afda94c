//! What can be said of a condition from its form alone: the columns it reads, the types it needs, what it implies.

use std::fmt;

use arrow::datatypes::DataType;

use crate::sql::expression::{BinaryOperator, CastType, Expression, Literal, Side};
use crate::sql::format;

/// An operation on a type that it does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeProblem {
    /// The function or operator.
    pub operation: String,
    /// The operand, as SQL.
    pub operand: String,
    /// The columns that the operand reads, with their types.
    pub columns: Vec<(String, String)>,
    /// What the operation takes.
    pub expected: String,
    /// What the operand is.
    pub found: String,
}

impl fmt::Display for TypeProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, operand, columns, expected, found } = self;
        write!(formatter, "`{operation}` takes {expected}, but `{operand}` is {found}")?;
        let columns: Vec<String> = columns.iter().map(|(name, data_type)| format!("`{name}` is {data_type}")).collect();
        if !columns.is_empty() {
            write!(formatter, " (column {})", columns.join(", column "))?;
        }
        formatter.write_str("; cast it or use another column")
    }
}

/// What matters of a type to the operations of conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Boolean,
    /// A date or a timestamp, which compare with each other.
    Time,
    /// A span of time.
    Interval,
    List(Box<Kind>),
    /// Nothing is known, so nothing is wrong.
    Unknown,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Text => "text",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Time => "a date or timestamp",
            Self::Interval => "a span of time",
            Self::List(_) => "a list",
            Self::Unknown => "of another type",
        })
    }
}

/// Sorts a type of Arrow into its kind.
pub(super) fn kind_of(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
        DataType::Boolean => Kind::Boolean,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Kind::Time,
        DataType::Duration(_) | DataType::Interval(_) => Kind::Interval,
        DataType::Dictionary(_, value) => kind_of(value),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field)
        | DataType::LargeListView(field) => Kind::List(Box::new(kind_of(field.data_type()))),
        number if number.is_numeric() => Kind::Number,
        _ => Kind::Unknown,
    }
}

/// Lists the columns that an expression reads, in order of appearance, each once a side.
pub(super) fn columns(expression: &Expression) -> Vec<(Option<Side>, String)> {
    let mut columns = Vec::new();
    walk(expression, &mut |expression| {
        let mut add = |side: Option<Side>, name: &str| {
            if columns.iter().all(|(known, column): &(Option<Side>, String)| *known != side || column != name) {
                columns.push((side, name.to_owned()));
            }
        };
        match expression {
            Expression::Column { side, name } => add(*side, name),
            Expression::Opaque { columns, .. } => columns.iter().for_each(|(side, name)| add(*side, name)),
            _ => {}
        }
    });
    columns
}

fn walk(expression: &Expression, visit: &mut impl FnMut(&Expression)) {
    visit(expression);
    for child in children(expression) {
        walk(child, visit);
    }
}

fn children(expression: &Expression) -> Vec<&Expression> {
    match expression {
        Expression::Column { .. } | Expression::Literal(_) | Expression::Opaque { .. } => Vec::new(),
        Expression::Call { arguments, .. } => arguments.iter().collect(),
        Expression::Not(operand)
        | Expression::Negate(operand)
        | Expression::IsNull { operand, .. }
        | Expression::Cast { operand, .. } => vec![operand],
        Expression::Binary { left, right, .. } => vec![left, right],
        Expression::In { operand, list, .. } => std::iter::once(&**operand).chain(list).collect(),
        Expression::Case { branches, otherwise } => {
            branches.iter().flat_map(|(condition, result)| [condition, result]).chain(otherwise.as_deref()).collect()
        }
    }
}

/// The operands of a chain of one operator, whatever its brackets.
fn chain(expression: &Expression, wanted: BinaryOperator) -> Vec<&Expression> {
    let mut operands = Vec::new();
    let mut waiting = vec![expression];
    while let Some(expression) = waiting.pop() {
        match expression {
            Expression::Binary { operator, left, right } if *operator == wanted => {
                waiting.push(right);
                waiting.push(left);
            }
            _ => operands.push(expression),
        }
    }
    operands
}

/// The sides that an expression reads.
fn sides(expression: &Expression) -> (bool, bool) {
    let columns = columns(expression);
    let reads = |wanted| columns.iter().any(|(side, _)| *side == Some(wanted));
    (reads(Side::Left), reads(Side::Right))
}

/// Tells whether a rule holds an equality of something of the left record with something of the right, so that pairs can be
/// found without trying all.
pub(super) fn has_equality(rule: &Expression) -> bool {
    chain(rule, BinaryOperator::And).into_iter().any(|operand| match operand {
        Expression::Binary { operator: BinaryOperator::Equal, left, right } => {
            matches!((sides(left), sides(right)), ((true, false), (false, true)) | ((false, true), (true, false)))
        }
        _ => false,
    })
}

/// Tells whether a condition is an equality of the two sides' values of one record expression, and nothing else.
pub(super) fn is_exact_match(condition: &Expression, record: &Expression) -> bool {
    let Expression::Binary { operator: BinaryOperator::Equal, left, right } = condition else { return false };
    let one_way = |left: &Expression, right: &Expression| {
        is_of_side(left, record, Side::Left) && is_of_side(right, record, Side::Right)
    };
    one_way(left, right) || one_way(right, left)
}

/// Tells whether an expression over one side of a pair is an expression over one record; column names ignore case.
fn is_of_side(sided: &Expression, record: &Expression, wanted: Side) -> bool {
    match (sided, record) {
        (Expression::Column { side, name }, Expression::Column { side: None, name: record_name }) => {
            *side == Some(wanted) && name.eq_ignore_ascii_case(record_name)
        }
        (Expression::Column { .. }, _) | (_, Expression::Column { .. }) => false,
        _ => {
            let (ours, theirs) = (children(sided), children(record));
            same_head(sided, record)
                && ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(ours, theirs)| is_of_side(ours, theirs, wanted))
        }
    }
}

/// Tells whether two expressions are equal but for what stands below them.
fn same_head(one: &Expression, other: &Expression) -> bool {
    match (one, other) {
        (Expression::Literal(one), Expression::Literal(other)) => one == other,
        (Expression::Call { function: one, .. }, Expression::Call { function: other, .. }) => one == other,
        (Expression::Not(_), Expression::Not(_)) | (Expression::Negate(_), Expression::Negate(_)) => true,
        (Expression::Binary { operator: one, .. }, Expression::Binary { operator: other, .. }) => one == other,
        (Expression::IsNull { negated: one, .. }, Expression::IsNull { negated: other, .. })
        | (Expression::In { negated: one, .. }, Expression::In { negated: other, .. }) => one == other,
        (
            Expression::Cast { to: one, lenient: one_lenient, .. },
            Expression::Cast { to: other, lenient: other_lenient, .. },
        ) => one == other && one_lenient == other_lenient,
        (
            Expression::Case { branches: one, otherwise: one_else },
            Expression::Case { branches: other, otherwise: other_else },
        ) => one.len() == other.len() && one_else.is_some() == other_else.is_some(),
        _ => false,
    }
}

/// Tells whether two conditions are the same but for the order of operands that may be swapped.
pub(super) fn same(one: &Expression, other: &Expression) -> bool {
    if one == other {
        return true;
    }
    if let (Some(one), Some(other)) = (Threshold::of(one), Threshold::of(other)) {
        return one.measure_is(&other) && one.direction == other.direction && one.is_exactly(&other);
    }
    for operator in [BinaryOperator::And, BinaryOperator::Or] {
        let (ours, theirs) = (chain(one, operator), chain(other, operator));
        if ours.len() > 1 && ours.len() == theirs.len() {
            return ours.iter().all(|one| theirs.iter().any(|other| same(one, other)))
                && theirs.iter().all(|other| ours.iter().any(|one| same(one, other)));
        }
    }
    match (one, other) {
        (
            Expression::Binary { operator: BinaryOperator::Equal, left, right },
            Expression::Binary { operator: BinaryOperator::Equal, left: other_left, right: other_right },
        ) => {
            (same(left, other_left) && same(right, other_right)) || (same(left, other_right) && same(right, other_left))
        }
        _ => false,
    }
}

/// Tells whether the second condition is true wherever the first one is, as far as forms and thresholds show it.
///
/// Sound in SQL's three-valued logic; not complete: `false` says only that it was not shown.
pub(super) fn implies(premise: &Expression, conclusion: &Expression) -> bool {
    if same(premise, conclusion) {
        return true;
    }
    let premises = chain(premise, BinaryOperator::Or);
    if premises.len() > 1 {
        return premises.into_iter().all(|premise| implies(premise, conclusion));
    }
    let conclusions = chain(conclusion, BinaryOperator::And);
    if conclusions.len() > 1 {
        return conclusions.into_iter().all(|conclusion| implies(premise, conclusion));
    }
    let conclusions = chain(conclusion, BinaryOperator::Or);
    if conclusions.len() > 1 {
        return conclusions.into_iter().any(|conclusion| implies(premise, conclusion));
    }
    let premises = chain(premise, BinaryOperator::And);
    if premises.len() > 1 {
        return premises.into_iter().any(|premise| implies(premise, conclusion));
    }
    match (Threshold::of(premise), Threshold::of(conclusion)) {
        (Some(premise), Some(conclusion)) => premise.implies(&conclusion),
        _ => false,
    }
}

/// A measure against a constant, the measure on the left.
struct Threshold<'a> {
    measure: &'a Expression,
    direction: Direction,
    /// The bound itself does not fulfil the condition.
    strict: bool,
    bound: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    AtLeast,
    AtMost,
}

impl<'a> Threshold<'a> {
    fn of(expression: &'a Expression) -> Option<Self> {
        let Expression::Binary { operator, left, right } = expression else { return None };
        let (direction, strict) = match operator {
            BinaryOperator::GreaterOrEqual => (Direction::AtLeast, false),
            BinaryOperator::Greater => (Direction::AtLeast, true),
            BinaryOperator::LessOrEqual => (Direction::AtMost, false),
            BinaryOperator::Less => (Direction::AtMost, true),
            _ => return None,
        };
        if let Some(bound) = constant(right) {
            return Some(Self { measure: left, direction, strict, bound });
        }
        let turned = if direction == Direction::AtLeast { Direction::AtMost } else { Direction::AtLeast };
        constant(left).map(|bound| Self { measure: right, direction: turned, strict, bound })
    }

    fn measure_is(&self, other: &Self) -> bool {
        same(self.measure, other.measure)
    }

    fn is_exactly(&self, other: &Self) -> bool {
        self.strict == other.strict && self.bound.total_cmp(&other.bound).is_eq()
    }

    fn implies(&self, other: &Self) -> bool {
        let tighter = match self.direction {
            Direction::AtLeast => self.bound > other.bound,
            Direction::AtMost => self.bound < other.bound,
        };
        let equal = self.bound.total_cmp(&other.bound).is_eq() && (self.strict || !other.strict);
        self.direction == other.direction && (tighter || equal) && self.measure_is(other)
    }
}

fn constant(expression: &Expression) -> Option<f64> {
    match expression {
        Expression::Literal(Literal::Integer(value)) => Some(*value as f64),
        Expression::Literal(Literal::Number(value)) => Some(*value),
        Expression::Negate(operand) => constant(operand).map(|value| -value),
        _ => None,
    }
}

/// Lists the operations of a condition whose operands have types they do not take.
///
/// `type_of` gives the type of a column of either record; columns it does not know make nothing wrong.
pub(super) fn type_problems<'a>(
    condition: &Expression,
    type_of: &dyn Fn(&str) -> Option<&'a DataType>,
) -> Vec<TypeProblem> {
    let mut types = Types { type_of, problems: Vec::new() };
    types.kind(condition);
    types.problems
}

struct Types<'a, 'b> {
    type_of: &'b dyn Fn(&str) -> Option<&'a DataType>,
    problems: Vec<TypeProblem>,
}

impl Types<'_, '_> {
    fn kind(&mut self, expression: &Expression) -> Kind {
        match expression {
            Expression::Column { name, .. } => (self.type_of)(name).map_or(Kind::Unknown, kind_of),
            Expression::Literal(Literal::Boolean(_)) => Kind::Boolean,
            Expression::Literal(Literal::Integer(_) | Literal::Number(_)) => Kind::Number,
            // DuckDB casts a literal text to what it stands next to.
            Expression::Literal(Literal::Null | Literal::Text(_)) | Expression::Opaque { .. } => Kind::Unknown,
            Expression::Call { function, arguments } => self.call(function, arguments),
            Expression::Not(operand) => {
                self.expect("NOT", operand, &Kind::Boolean);
                Kind::Boolean
            }
            Expression::Negate(operand) => self.kind(operand),
            Expression::Binary { operator, left, right } => self.binary(*operator, left, right),
            Expression::IsNull { operand, .. } => {
                self.kind(operand);
                Kind::Boolean
            }
            Expression::Cast { operand, to, .. } => {
                self.kind(operand);
                match to {
                    CastType::Text => Kind::Text,
                    CastType::Integer | CastType::Double | CastType::Float => Kind::Number,
                    CastType::Boolean => Kind::Boolean,
                    CastType::Date | CastType::Timestamp => Kind::Time,
                }
            }
            Expression::Case { branches, otherwise } => {
                let mut result = Kind::Unknown;
                for (condition, value) in branches {
                    self.expect("WHEN", condition, &Kind::Boolean);
                    let kind = self.kind(value);
                    result = if result == Kind::Unknown { kind } else { result };
                }
                let last = otherwise.as_deref().map_or(Kind::Unknown, |otherwise| self.kind(otherwise));
                if result == Kind::Unknown { last } else { result }
            }
            Expression::In { operand, list, .. } => {
                let kind = self.kind(operand);
                for value in list {
                    self.expect("IN", value, &kind);
                }
                Kind::Boolean
            }
        }
    }

    /// Reports an operand whose kind is known and another than what an operation takes.
    fn expect(&mut self, operation: &str, operand: &Expression, expected: &Kind) -> Kind {
        let found = self.kind(operand);
        if !agree(&found, expected) {
            self.report(operation, operand, expected.to_string(), &found);
        }
        found
    }

    fn report(&mut self, operation: &str, operand: &Expression, expected: String, found: &Kind) {
        let mut typed: Vec<(String, String)> = Vec::new();
        for (_, name) in columns(operand) {
            let Some(data_type) = (self.type_of)(&name) else { continue };
            let column = (name, data_type.to_string());
            if !typed.contains(&column) {
                typed.push(column);
            }
        }
        let problem = TypeProblem {
            operation: operation.to_owned(),
            operand: format(operand),
            columns: typed,
            expected,
            found: found.to_string(),
        };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn binary(&mut self, operator: BinaryOperator, left: &Expression, right: &Expression) -> Kind {
        use BinaryOperator as Op;
        let name = operator_name(operator);
        match operator {
            Op::And | Op::Or => {
                self.expect(name, left, &Kind::Boolean);
                self.expect(name, right, &Kind::Boolean);
                Kind::Boolean
            }
            Op::Equal
            | Op::NotEqual
            | Op::Less
            | Op::LessOrEqual
            | Op::Greater
            | Op::GreaterOrEqual
            | Op::NotDistinct
            | Op::Distinct => {
                let expected = self.kind(left);
                let found = self.kind(right);
                if !agree(&found, &expected) {
                    self.report(name, right, format!("{expected} on both sides"), &found);
                }
                Kind::Boolean
            }
            Op::Add | Op::Subtract => {
                let (one, other) = (self.kind(left), self.kind(right));
                for (operand, kind) in [(left, &one), (right, &other)] {
                    if matches!(kind, Kind::Text | Kind::Boolean | Kind::List(_)) {
                        self.report(name, operand, "numbers, dates or timestamps".to_owned(), kind);
                    }
                }
                match (one, other) {
                    (Kind::Number, Kind::Number) => Kind::Number,
                    (Kind::Time, Kind::Number | Kind::Interval) => Kind::Time,
                    _ => Kind::Unknown,
                }
            }
            Op::Multiply | Op::Divide | Op::Modulo => {
                self.expect(name, left, &Kind::Number);
                self.expect(name, right, &Kind::Number);
                Kind::Number
            }
            Op::Concatenate => {
                let kinds = (self.kind(left), self.kind(right));
                if let (Kind::List(element), _) = kinds { Kind::List(element) } else { Kind::Text }
            }
        }
    }

    fn call(&mut self, function: &str, arguments: &[Expression]) -> Kind {
        let Some((takes, gives)) = signature(function) else {
            let kinds: Vec<Kind> = arguments.iter().map(|argument| self.kind(argument)).collect();
            return match function {
                "coalesce" | "nullif" | "greatest" | "least" => {
                    kinds.into_iter().find(|kind| *kind != Kind::Unknown).unwrap_or(Kind::Unknown)
                }
                "list_extract" => match kinds.into_iter().next() {
                    Some(Kind::List(element)) => *element,
                    Some(Kind::Text) => Kind::Text,
                    _ => Kind::Unknown,
                },
                _ => Kind::Unknown,
            };
        };
        for (index, argument) in arguments.iter().enumerate() {
            match takes.get(index) {
                Some(expected) => {
                    self.expect(function, argument, expected);
                }
                None => {
                    self.kind(argument);
                }
            }
        }
        gives
    }
}

/// Tells whether a kind may stand where another is expected.
fn agree(found: &Kind, expected: &Kind) -> bool {
    match (found, expected) {
        // DuckDB casts truth values to numbers by itself.
        (Kind::Unknown, _) | (_, Kind::Unknown) | (Kind::Boolean, Kind::Number) | (Kind::Number, Kind::Boolean) => true,
        (Kind::List(found), Kind::List(expected)) => agree(found, expected),
        _ => found == expected,
    }
}

/// What a function takes, argument by argument, and gives; nothing for a function that takes several types or is not known.
fn signature(function: &str) -> Option<(Vec<Kind>, Kind)> {
    let any_list = || Kind::List(Box::new(Kind::Unknown));
    Some(match function {
        "jaro_similarity"
        | "jaro_winkler_similarity"
        | "levenshtein"
        | "damerau_levenshtein"
        | "jaccard"
        | "hamming"
        | "qgram_dice"
        | "qgram_jaccard"
        | "token_cosine"
        | "token_jaccard"
        | "tfidf_cosine"
        | "soft_tfidf"
        | "monge_elkan"
        | "organization_similarity"
        | "strpos" => (vec![Kind::Text, Kind::Text], Kind::Number),
        "lower" | "upper" | "trim" | "ltrim" | "rtrim" | "strip_accents" | "reverse" | "soundex" | "metaphone"
        | "nysiis" | "cologne_phonetic" | "acronym" | "organization_core" | "phone_digits" | "postcode_area"
        | "postcode_compact" | "postcode_district" | "postcode_sector" | "web_domain" | "web_name" => {
            (vec![Kind::Text], Kind::Text)
        }
        "substring" | "left" | "right" | "phone_last_digits" | "postcode_prefix" => {
            (vec![Kind::Text, Kind::Number], Kind::Text)
        }
        "replace" | "regexp_replace" | "regexp_extract" => (vec![Kind::Text, Kind::Text], Kind::Text),
        "regexp_matches" | "regexp_full_match" | "like" | "ilike" | "starts_with" | "ends_with" => {
            (vec![Kind::Text, Kind::Text], Kind::Boolean)
        }
        "string_split" => (vec![Kind::Text, Kind::Text], Kind::List(Box::new(Kind::Text))),
        "double_metaphone" | "nickname_group" | "beider_morse" => (vec![Kind::Text], Kind::List(Box::new(Kind::Text))),
        "try_strptime" | "strptime" => (vec![Kind::Text, Kind::Text], Kind::Time),
        "epoch" => (vec![Kind::Time], Kind::Number),
        "date_part" => (vec![Kind::Text, Kind::Time], Kind::Number),
        "date_diff" | "date_sub" => (vec![Kind::Text, Kind::Time, Kind::Time], Kind::Number),
        "date_trunc" => (vec![Kind::Text, Kind::Time], Kind::Time),
        "abs" | "sqrt" | "sin" | "cos" | "tan" | "asin" | "acos" | "atan" | "atan2" | "radians" | "degrees" | "ln"
        | "log2" | "log10" | "exp" | "power" | "floor" | "ceil" | "round" | "distance_km" => {
            (vec![Kind::Number; 4], Kind::Number)
        }
        "list_intersect" => (vec![any_list(), any_list()], any_list()),
        "list_has_any" | "list_has_all" => (vec![any_list(), any_list()], Kind::Boolean),
        "list_cosine_similarity" => (vec![any_list(), any_list()], Kind::Number),
        "list_contains" => (vec![any_list()], Kind::Boolean),
        "list_distinct" | "list_sort" => (vec![any_list()], any_list()),
        "list_pairwise_min" | "list_pairwise_max" => (vec![any_list(), any_list(), Kind::Text], Kind::Number),
        _ => return None,
    })
}

fn operator_name(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::And => "AND",
        BinaryOperator::Or => "OR",
        BinaryOperator::Equal => "=",
        BinaryOperator::NotEqual => "<>",
        BinaryOperator::Less => "<",
        BinaryOperator::LessOrEqual => "<=",
        BinaryOperator::Greater => ">",
        BinaryOperator::GreaterOrEqual => ">=",
        BinaryOperator::NotDistinct => "IS NOT DISTINCT FROM",
        BinaryOperator::Distinct => "IS DISTINCT FROM",
        BinaryOperator::Add => "+",
        BinaryOperator::Subtract => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        BinaryOperator::Concatenate => "||",
    }
}
