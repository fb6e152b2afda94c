//! SQL text into [`Expression`]s.

use sqlparser::ast::{
    AccessExpr, BinaryOperator as SqlOperator, CastKind, CeilFloorKind, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, LambdaFunction, OneOrManyWithParens, Subscript, TrimWhereField, UnaryOperator, Value,
};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::dialect::Grammar;
use super::error::SqlError;
use super::expression::{BinaryOperator, CastType, Expression, Literal, Side};
use super::names;

/// Levels of nesting that are read; a chain of `AND` or `OR` counts by the logarithm of its length.
const MAXIMUM_DEPTH: usize = 150;
/// Nesting that the grammar's parser follows before it gives up.
const PARSER_DEPTH: usize = 60;
/// Tokens that are read, spaces included.
const MAXIMUM_TOKENS: usize = 60_000;

/// How columns are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// `first_name_l`, `first_name_r`.
    Condition,
    /// `l.first_name`, `r.first_name`.
    Rule,
    /// `first_name`.
    Record,
}

/// Reads the condition of a comparison level: columns carry the suffix `_l` or `_r`; `ELSE` is the constant true.
///
/// A column without a suffix has no side; [`crate::plan::Plan::compile`] reports it.
///
/// # Errors
///
/// If the text is empty, is no SQL expression, nests too deeply or names a column `l.name`.
pub fn parse_condition(sql: &str) -> Result<Expression, SqlError> {
    if sql.trim().eq_ignore_ascii_case("else") {
        return Ok(Expression::Literal(Literal::Boolean(true)));
    }
    parse(sql, Mode::Condition)
}

/// Reads a blocking rule or another condition over `l.column` and `r.column`.
///
/// # Errors
///
/// If the text is empty, is no SQL expression, nests too deeply or qualifies a column by anything but `l` and `r`.
pub fn parse_rule(sql: &str) -> Result<Expression, SqlError> {
    parse(sql, Mode::Rule)
}

/// Reads an expression over the columns of one record.
///
/// # Errors
///
/// If the text is empty, is no SQL expression, nests too deeply or qualifies a column.
pub fn parse_record_expression(sql: &str) -> Result<Expression, SqlError> {
    parse(sql, Mode::Record)
}

fn parse(sql: &str, mode: Mode) -> Result<Expression, SqlError> {
    let tokens = tokens_of(sql)?;
    if tokens.iter().all(|token| matches!(token.token, Token::Whitespace(_) | Token::EOF)) {
        return Err(SqlError::Empty);
    }
    if tokens.len() > MAXIMUM_TOKENS {
        return Err(SqlError::TooLong { limit: MAXIMUM_TOKENS });
    }
    let mut parser = Parser::new(&Grammar).with_recursion_limit(PARSER_DEPTH).with_tokens_with_locations(tokens);
    let parsed = parser.parse_expr().map_err(|error| syntax_error(error, sql))?;
    while parser.consume_token(&Token::SemiColon) {}
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        return Err(SqlError::Syntax {
            line: rest.span.start.line,
            column: rest.span.start.column,
            message: format!("unexpected `{}` after the end of the expression", rest.token),
            hint: hint_for(&rest.token),
        });
    }
    Converter { mode, depth: 0 }.convert(&parsed)
}

fn tokens_of(sql: &str) -> Result<Vec<TokenWithSpan>, SqlError> {
    Tokenizer::new(&Grammar, sql).tokenize_with_location().map_err(|error| SqlError::Syntax {
        line: error.location.line,
        column: error.location.column,
        hint: error.message.contains("quote").then(|| "close the quotation mark; double it inside text".to_owned()),
        message: error.message,
    })
}

fn hint_for(token: &Token) -> Option<String> {
    let hint = match token {
        Token::DoubleEq => "write `=` to compare",
        Token::RParen => "a bracket closes that was not opened",
        Token::Word(_) => "join conditions by `AND` or `OR`; quote a column name with spaces as \"first name_l\"",
        Token::Comma => "a condition is one expression, without commas between conditions",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// The parser's message without its position, which becomes fields.
fn syntax_error(error: ParserError, sql: &str) -> SqlError {
    let text = match error {
        ParserError::RecursionLimitExceeded => return SqlError::TooDeep { limit: PARSER_DEPTH },
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
    };
    let mut line = sql.lines().count().max(1) as u64;
    let mut column = sql.lines().last().map_or(1, |last| last.chars().count() as u64 + 1);
    let mut message = text.as_str();
    if let Some((before, position)) = text.rsplit_once(" at Line: ") {
        message = before;
        let mut numbers = position.split(", Column: ").map(|number| number.trim().parse::<u64>());
        if let (Some(Ok(at_line)), Some(Ok(at_column))) = (numbers.next(), numbers.next()) {
            (line, column) = (at_line, at_column);
        }
    }
    let hint = message
        .contains("EOF")
        .then(|| "the expression ends too early: is a bracket or an operand missing?".to_owned());
    SqlError::Syntax { line, column, message: message.to_owned(), hint }
}

/// A conversion that stopped.
enum Stop {
    /// The text is wrong.
    Error(SqlError),
    /// The form has no place among expressions; it stays text.
    Opaque,
}

impl From<SqlError> for Stop {
    fn from(error: SqlError) -> Self {
        Self::Error(error)
    }
}

struct Converter {
    mode: Mode,
    depth: usize,
}

impl Converter {
    /// Converts an expression; what has no form of its own becomes opaque text.
    fn convert(&mut self, expr: &Expr) -> Result<Expression, SqlError> {
        self.depth += 1;
        if self.depth > MAXIMUM_DEPTH {
            return Err(SqlError::TooDeep { limit: MAXIMUM_DEPTH });
        }
        let converted = match self.known(expr) {
            Ok(expression) => Ok(expression),
            Err(Stop::Error(error)) => Err(error),
            Err(Stop::Opaque) => self.opaque(expr),
        };
        self.depth -= 1;
        converted
    }

    fn boxed(&mut self, expr: &Expr) -> Result<Box<Expression>, SqlError> {
        self.convert(expr).map(Box::new)
    }

    fn known(&mut self, expr: &Expr) -> Result<Expression, Stop> {
        Ok(match expr {
            Expr::Nested(inner) => self.convert(inner)?,
            Expr::Identifier(identifier) => self.column(identifier),
            Expr::CompoundIdentifier(parts) => self.compound(parts)?,
            Expr::Value(value) => Expression::Literal(literal(&value.value)?),
            Expr::IsNull(operand) | Expr::IsUnknown(operand) => {
                Expression::IsNull { operand: self.boxed(operand)?, negated: false }
            }
            Expr::IsNotNull(operand) | Expr::IsNotUnknown(operand) => {
                Expression::IsNull { operand: self.boxed(operand)?, negated: true }
            }
            Expr::IsTrue(operand) => binary(BinaryOperator::NotDistinct, self.convert(operand)?, boolean(true)),
            Expr::IsNotTrue(operand) => binary(BinaryOperator::Distinct, self.convert(operand)?, boolean(true)),
            Expr::IsFalse(operand) => binary(BinaryOperator::NotDistinct, self.convert(operand)?, boolean(false)),
            Expr::IsNotFalse(operand) => binary(BinaryOperator::Distinct, self.convert(operand)?, boolean(false)),
            Expr::IsDistinctFrom(left, right) => {
                binary(BinaryOperator::Distinct, self.convert(left)?, self.convert(right)?)
            }
            Expr::IsNotDistinctFrom(left, right) => {
                binary(BinaryOperator::NotDistinct, self.convert(left)?, self.convert(right)?)
            }
            Expr::InList { expr, list, negated } => {
                if list.is_empty() {
                    return Err(Stop::Opaque);
                }
                Expression::In { operand: self.boxed(expr)?, list: self.all(list)?, negated: *negated }
            }
            Expr::Between { expr, negated, low, high } => {
                let operand = self.convert(expr)?;
                let both = binary(
                    BinaryOperator::And,
                    binary(BinaryOperator::GreaterOrEqual, operand.clone(), self.convert(low)?),
                    binary(BinaryOperator::LessOrEqual, operand, self.convert(high)?),
                );
                if *negated { Expression::Not(Box::new(both)) } else { both }
            }
            Expr::BinaryOp { left, op, right } => self.binary_operation(expr, left, op, right)?,
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                self.pattern("like", *negated, expr, pattern, escape_char.as_ref().map(|escape| &escape.value))?
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char } => {
                self.pattern("ilike", *negated, expr, pattern, escape_char.as_ref().map(|escape| &escape.value))?
            }
            Expr::SimilarTo { negated, expr, pattern, escape_char: None } => {
                self.pattern("regexp_full_match", *negated, expr, pattern, None)?
            }
            Expr::UnaryOp { op, expr } => self.unary_operation(*op, expr)?,
            Expr::Cast { kind, expr, data_type, array: false, format: None } => {
                let to = cast_type(&data_type.to_string()).ok_or(Stop::Opaque)?;
                let lenient = matches!(kind, CastKind::TryCast | CastKind::SafeCast);
                Expression::Cast { operand: self.boxed(expr)?, to, lenient }
            }
            Expr::TypedString(typed) if !typed.uses_odbc_syntax => {
                let to = cast_type(&typed.data_type.to_string()).ok_or(Stop::Opaque)?;
                let operand = Box::new(Expression::Literal(literal(&typed.value.value)?));
                Expression::Cast { operand, to, lenient: false }
            }
            Expr::Extract { field, expr, .. } => {
                let part = names::date_part(field.to_string().trim_matches('\'')).ok_or(Stop::Opaque)?;
                call("date_part", vec![text(part), self.convert(expr)?])
            }
            Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(sqlparser::ast::DateTimeField::NoDateTime) } => {
                call("ceil", vec![self.convert(expr)?])
            }
            Expr::Floor { expr, field: CeilFloorKind::DateTimeField(sqlparser::ast::DateTimeField::NoDateTime) } => {
                call("floor", vec![self.convert(expr)?])
            }
            Expr::Position { expr, r#in } => call("strpos", vec![self.convert(r#in)?, self.convert(expr)?]),
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let from = substring_from
                    .as_ref()
                    .map_or(Ok(Expression::Literal(Literal::Integer(1))), |from| self.convert(from))?;
                let mut arguments = vec![self.convert(expr)?, from];
                if let Some(length) = substring_for {
                    arguments.push(self.convert(length)?);
                }
                call("substring", arguments)
            }
            Expr::Trim { trim_where, trim_what, expr, trim_characters } => {
                let function = match trim_where {
                    None | Some(TrimWhereField::Both) => "trim",
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                };
                let mut arguments = vec![self.convert(expr)?];
                if let Some(what) = trim_what {
                    arguments.push(self.convert(what)?);
                }
                for characters in trim_characters.iter().flatten() {
                    arguments.push(self.convert(characters)?);
                }
                call(function, arguments)
            }
            Expr::Function(function) => self.function(function)?,
            Expr::Case { operand, conditions, else_result, .. } => {
                let operand = operand.as_ref().map(|operand| self.convert(operand)).transpose()?;
                let mut branches = Vec::with_capacity(conditions.len());
                for when in conditions {
                    let condition = self.convert(&when.condition)?;
                    let condition = match &operand {
                        Some(operand) => binary(BinaryOperator::Equal, operand.clone(), condition),
                        None => condition,
                    };
                    branches.push((condition, self.convert(&when.result)?));
                }
                let otherwise = else_result.as_ref().map(|otherwise| self.boxed(otherwise)).transpose()?;
                Expression::Case { branches, otherwise }
            }
            Expr::Array(array) => call("list_value", self.all(&array.elem)?),
            Expr::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain)?,
            Expr::Interval(interval) => interval_call(interval)?,
            _ => return Err(Stop::Opaque),
        })
    }

    fn all(&mut self, expressions: &[Expr]) -> Result<Vec<Expression>, SqlError> {
        expressions.iter().map(|expression| self.convert(expression)).collect()
    }

    /// A column in the way of the mode: a suffix gives the side in a condition.
    fn column(&self, identifier: &Ident) -> Expression {
        let name = identifier.value.as_str();
        if self.mode == Mode::Condition
            && let Some((side, base)) = split_suffix(name)
        {
            return Expression::Column { side: Some(side), name: base.to_owned() };
        }
        Expression::Column { side: None, name: name.to_owned() }
    }

    fn compound(&self, parts: &[Ident]) -> Result<Expression, Stop> {
        let written = parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".");
        let [qualifier, column] = parts else {
            return Err(Stop::Opaque);
        };
        match (self.mode, qualifier.value.to_lowercase().as_str()) {
            (Mode::Rule, "l") => Ok(Expression::Column { side: Some(Side::Left), name: column.value.clone() }),
            (Mode::Rule, "r") => Ok(Expression::Column { side: Some(Side::Right), name: column.value.clone() }),
            (Mode::Rule, _) => {
                let hint = "a blocking rule reads `l.column` and `r.column`".to_owned();
                Err(SqlError::Qualifier { name: written, hint }.into())
            }
            (Mode::Condition, side @ ("l" | "r")) => {
                let hint = format!("a comparison level reads `{}_{side}`", column.value);
                Err(SqlError::Qualifier { name: written, hint }.into())
            }
            (Mode::Record, "l" | "r") => {
                let hint = format!("an expression over one record reads `{}`", column.value);
                Err(SqlError::Qualifier { name: written, hint }.into())
            }
            _ => Err(Stop::Opaque),
        }
    }

    fn binary_operation(
        &mut self,
        whole: &Expr,
        left: &Expr,
        op: &SqlOperator,
        right: &Expr,
    ) -> Result<Expression, Stop> {
        let operator = match op {
            SqlOperator::And | SqlOperator::Or => return Ok(self.chain(whole, op)?),
            SqlOperator::Eq => BinaryOperator::Equal,
            SqlOperator::NotEq => BinaryOperator::NotEqual,
            SqlOperator::Lt => BinaryOperator::Less,
            SqlOperator::LtEq => BinaryOperator::LessOrEqual,
            SqlOperator::Gt => BinaryOperator::Greater,
            SqlOperator::GtEq => BinaryOperator::GreaterOrEqual,
            SqlOperator::Plus => BinaryOperator::Add,
            SqlOperator::Minus => BinaryOperator::Subtract,
            SqlOperator::Multiply => BinaryOperator::Multiply,
            SqlOperator::Divide => BinaryOperator::Divide,
            SqlOperator::Modulo => BinaryOperator::Modulo,
            SqlOperator::StringConcat => BinaryOperator::Concatenate,
            SqlOperator::DuckIntegerDivide => {
                return Ok(call("integer_divide", vec![self.convert(left)?, self.convert(right)?]));
            }
            SqlOperator::PGOverlap => return Ok(call("list_has_any", vec![self.convert(left)?, self.convert(right)?])),
            SqlOperator::PGStartsWith => {
                return Ok(call("starts_with", vec![self.convert(left)?, self.convert(right)?]));
            }
            SqlOperator::PGRegexMatch => {
                return Ok(call("regexp_full_match", vec![self.convert(left)?, self.convert(right)?]));
            }
            SqlOperator::PGRegexNotMatch => {
                let matches = call("regexp_full_match", vec![self.convert(left)?, self.convert(right)?]);
                return Ok(Expression::Not(Box::new(matches)));
            }
            _ => return Err(Stop::Opaque),
        };
        Ok(binary(operator, self.convert(left)?, self.convert(right)?))
    }

    /// `a AND b AND c …` as a tree of logarithmic depth, whatever the brackets.
    fn chain(&mut self, whole: &Expr, op: &SqlOperator) -> Result<Expression, SqlError> {
        let operator = if *op == SqlOperator::And { BinaryOperator::And } else { BinaryOperator::Or };
        let mut waiting = vec![whole];
        let mut operands = Vec::new();
        while let Some(expr) = waiting.pop() {
            match expr {
                Expr::Nested(inner) => waiting.push(inner),
                Expr::BinaryOp { left, op: inner, right } if inner == op => {
                    waiting.push(right);
                    waiting.push(left);
                }
                _ => {
                    let converted = self.convert(expr)?;
                    operands.extend(super::operands(operator, &converted).into_iter().cloned());
                }
            }
        }
        Ok(balanced(operator, operands))
    }

    fn pattern(
        &mut self,
        function: &str,
        negated: bool,
        expr: &Expr,
        pattern: &Expr,
        escape: Option<&Value>,
    ) -> Result<Expression, Stop> {
        let mut arguments = vec![self.convert(expr)?, self.convert(pattern)?];
        if let Some(escape) = escape {
            arguments.push(Expression::Literal(literal(escape)?));
        }
        let matches = call(function, arguments);
        Ok(if negated { Expression::Not(Box::new(matches)) } else { matches })
    }

    fn unary_operation(&mut self, op: UnaryOperator, expr: &Expr) -> Result<Expression, Stop> {
        match op {
            UnaryOperator::Not | UnaryOperator::BangNot => Ok(Expression::Not(self.boxed(expr)?)),
            UnaryOperator::Plus => Ok(self.convert(expr)?),
            UnaryOperator::Minus => Ok(match self.convert(expr)? {
                Expression::Literal(Literal::Integer(value)) => {
                    Expression::Literal(Literal::Integer(value.wrapping_neg()))
                }
                Expression::Literal(Literal::Number(value)) => Expression::Literal(Literal::Number(-value)),
                operand => Expression::Negate(Box::new(operand)),
            }),
            UnaryOperator::PGAbs => Ok(call("abs", vec![self.convert(expr)?])),
            _ => Err(Stop::Opaque),
        }
    }

    fn access(&mut self, root: &Expr, chain: &[AccessExpr]) -> Result<Expression, Stop> {
        let mut root = root;
        let mut chain = chain;
        let qualified;
        // `l.names[1]` arrives as the access chain `.names`, `[1]` on `l`.
        if let (Expr::Identifier(qualifier), Some((AccessExpr::Dot(Expr::Identifier(column)), rest))) =
            (root, chain.split_first())
        {
            qualified = Expr::CompoundIdentifier(vec![qualifier.clone(), column.clone()]);
            root = &qualified;
            chain = rest;
        }
        let mut value = self.convert(root)?;
        for access in chain {
            let AccessExpr::Subscript(Subscript::Index { index }) = access else {
                return Err(Stop::Opaque);
            };
            value = call("list_extract", vec![value, self.convert(index)?]);
        }
        Ok(value)
    }

    fn function(&mut self, function: &Function) -> Result<Expression, Stop> {
        let plain = function.filter.is_none()
            && function.over.is_none()
            && function.within_group.is_empty()
            && function.null_treatment.is_none();
        let FunctionArguments::List(list) = &function.args else {
            return Err(Stop::Opaque);
        };
        if !plain || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
            return Err(Stop::Opaque);
        }
        let [part] = function.name.0.as_slice() else {
            return Err(Stop::Opaque);
        };
        let mut arguments = Vec::with_capacity(list.args.len());
        for argument in &list.args {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) = argument else {
                return Err(Stop::Opaque);
            };
            arguments.push(argument);
        }
        let written = part.as_ident().ok_or(Stop::Opaque)?.value.as_str();
        let name = names::canonical(written, arguments.len());
        if let ("list_min" | "list_max", [argument]) = (name.as_str(), arguments.as_slice())
            && let Some((left, right, similarity)) = pairwise_form(argument)
        {
            let function = if name == "list_min" { "list_pairwise_min" } else { "list_pairwise_max" };
            return Ok(call(function, vec![self.convert(left)?, self.convert(right)?, text(&similarity)]));
        }
        if arguments.iter().any(|argument| matches!(argument, Expr::Lambda(_))) {
            return Err(Stop::Opaque);
        }
        let mut converted = Vec::with_capacity(arguments.len());
        for argument in arguments {
            converted.push(self.convert(argument)?);
        }
        Ok(match (name.as_str(), converted.as_mut_slice()) {
            ("mod" | "fmod", [left, right]) => binary(BinaryOperator::Modulo, left.clone(), right.clone()),
            ("date_part" | "date_diff" | "date_trunc" | "date_sub", [Expression::Literal(Literal::Text(part)), ..]) => {
                if let Some(known) = names::date_part(part) {
                    known.clone_into(part);
                }
                call(&name, converted)
            }
            (
                "year" | "quarter" | "month" | "week" | "day" | "hour" | "minute" | "second" | "dayofweek"
                | "dayofyear" | "dayofmonth",
                [operand],
            ) => {
                let part = names::date_part(&name).ok_or(Stop::Opaque)?;
                call("date_part", vec![text(part), operand.clone()])
            }
            _ => call(&name, converted),
        })
    }

    /// The text of what has no form, its columns spelt with suffixes.
    fn opaque(&self, expr: &Expr) -> Result<Expression, SqlError> {
        let written = expr.to_string();
        let tokens = tokens_of(&written)?;
        let tokens: Vec<&Token> =
            tokens.iter().map(|token| &token.token).filter(|token| **token != Token::EOF).collect();
        let mut sql = String::new();
        let mut columns = Vec::new();
        let mut at = 0;
        let solid = |from: usize| tokens[from..].iter().find(|token| !matches!(token, Token::Whitespace(_)));
        while at < tokens.len() {
            let Token::Word(word) = tokens[at] else {
                sql.push_str(&tokens[at].to_string());
                at += 1;
                continue;
            };
            if self.mode == Mode::Rule
                && let (Some(Token::Period), Some(Token::Word(column))) = (tokens.get(at + 1), tokens.get(at + 2))
                && let Some(side) = side_of(&word.value)
            {
                sql.push_str(&suffixed(&column.value, side));
                columns.push((Some(side), column.value.clone()));
                at += 3;
                continue;
            }
            sql.push_str(&tokens[at].to_string());
            at += 1;
            let names_a_column = !matches!(solid(at), Some(Token::LParen))
                && (word.quote_style.is_some() || word.keyword == Keyword::NoKeyword);
            match (self.mode, split_suffix(&word.value)) {
                (Mode::Condition, Some((side, base))) if names_a_column => columns.push((Some(side), base.to_owned())),
                (Mode::Record, _) if names_a_column => columns.push((None, word.value.clone())),
                _ => {}
            }
        }
        columns.sort();
        columns.dedup();
        Ok(Expression::Opaque { sql, columns })
    }
}

fn side_of(qualifier: &str) -> Option<Side> {
    match qualifier {
        "l" | "L" => Some(Side::Left),
        "r" | "R" => Some(Side::Right),
        _ => None,
    }
}

/// A column with its side's suffix, quoted.
pub(crate) fn suffixed(column: &str, side: Side) -> String {
    let suffix = match side {
        Side::Left => "l",
        Side::Right => "r",
    };
    format!("\"{}_{suffix}\"", column.replace('"', "\"\""))
}

fn split_suffix(name: &str) -> Option<(Side, &str)> {
    let at = name.len().checked_sub(2).filter(|at| *at > 0 && name.is_char_boundary(*at))?;
    match &name[at..] {
        "_l" | "_L" => Some((Side::Left, &name[..at])),
        "_r" | "_R" => Some((Side::Right, &name[..at])),
        _ => None,
    }
}

/// Joins operands by an operator that does not mind brackets, halving the list.
pub(crate) fn balanced(operator: BinaryOperator, mut operands: Vec<Expression>) -> Expression {
    match operands.len() {
        0 => boolean(operator == BinaryOperator::And),
        1 => operands.remove(0),
        count => {
            let right = operands.split_off(count / 2);
            binary(operator, balanced(operator, operands), balanced(operator, right))
        }
    }
}

pub(crate) fn binary(operator: BinaryOperator, left: Expression, right: Expression) -> Expression {
    Expression::Binary { operator, left: Box::new(left), right: Box::new(right) }
}

pub(crate) fn call(function: &str, arguments: Vec<Expression>) -> Expression {
    Expression::Call { function: function.to_owned(), arguments }
}

pub(crate) fn text(value: &str) -> Expression {
    Expression::Literal(Literal::Text(value.to_owned()))
}

fn boolean(value: bool) -> Expression {
    Expression::Literal(Literal::Boolean(value))
}

fn literal(value: &Value) -> Result<Literal, Stop> {
    Ok(match value {
        Value::Null => Literal::Null,
        Value::Boolean(value) => Literal::Boolean(*value),
        Value::Number(written, _) => match written.replace('_', "").parse::<i64>() {
            Ok(integer) => Literal::Integer(integer),
            Err(_) => match written.replace('_', "").parse::<f64>() {
                Ok(number) if number.is_finite() => Literal::Number(number),
                _ => return Err(SqlError::NumberRange { text: written.clone() }.into()),
            },
        },
        Value::SingleQuotedString(value) | Value::EscapedStringLiteral(value) | Value::UnicodeStringLiteral(value) => {
            Literal::Text(value.clone())
        }
        Value::DollarQuotedString(value) => Literal::Text(value.value.clone()),
        _ => return Err(Stop::Opaque),
    })
}

/// The type of a cast by its SQL name; lengths of text types mean nothing in DuckDB.
fn cast_type(name: &str) -> Option<CastType> {
    let upper = name.to_uppercase();
    let base = upper.split('(').next().unwrap_or_default().trim();
    if upper.contains('[') {
        return None;
    }
    Some(match base {
        "VARCHAR" | "TEXT" | "STRING" | "CHAR" | "BPCHAR" | "CHARACTER" | "CHARACTER VARYING" | "NVARCHAR" => {
            CastType::Text
        }
        "INT" | "INTEGER" | "BIGINT" | "INT8" | "INT4" | "INT64" | "INT32" | "LONG" | "SIGNED" => CastType::Integer,
        "DOUBLE" | "DOUBLE PRECISION" | "FLOAT8" | "FLOAT64" => CastType::Double,
        "FLOAT" | "REAL" | "FLOAT4" => CastType::Float,
        "BOOLEAN" | "BOOL" | "LOGICAL" => CastType::Boolean,
        "DATE" => CastType::Date,
        "TIMESTAMP" | "DATETIME" | "TIMESTAMP WITHOUT TIME ZONE" => CastType::Timestamp,
        _ => return None,
    })
}

/// `INTERVAL 3 DAY` or `INTERVAL '3 days'` as the call `interval(3, 'day')`.
fn interval_call(interval: &sqlparser::ast::Interval) -> Result<Expression, Stop> {
    let Expr::Value(value) = interval.value.as_ref() else {
        return Err(Stop::Opaque);
    };
    let written = match &value.value {
        Value::SingleQuotedString(written) | Value::Number(written, _) => written.as_str(),
        _ => return Err(Stop::Opaque),
    };
    let field = interval.leading_field.as_ref().map(ToString::to_string);
    let (amount, unit) = match (&field, written.trim().split_once(' ')) {
        (Some(field), None) => (written.trim(), field.as_str()),
        (None, Some((amount, unit))) => (amount, unit.trim()),
        _ => return Err(Stop::Opaque),
    };
    let amount = amount.parse::<i64>().map_err(|_| Stop::Opaque)?;
    let unit = names::date_part(unit).filter(|unit| !matches!(*unit, "dow" | "doy" | "epoch")).ok_or(Stop::Opaque)?;
    Ok(call("interval", vec![Expression::Literal(Literal::Integer(amount)), text(unit)]))
}

/// The parts of Splink's best pair of elements of two lists: `list_transform(flatten(list_transform(A, x ->
/// list_transform(B, y -> [x, y]))), pair -> f(pair[1], pair[2]))` gives A, B and f.
fn pairwise_form(argument: &Expr) -> Option<(&Expr, &Expr, String)> {
    let [pairs, measure] = arguments_of(argument, &["list_transform", "array_transform", "list_apply", "apply"])?;
    let (pair, body) = lambda(measure)?;
    let Expr::Function(function) = body else { return None };
    let similarity = names::canonical(&function.name.to_string(), 2);
    if !matches!(
        similarity.as_str(),
        "levenshtein" | "damerau_levenshtein" | "jaro_winkler_similarity" | "jaro_similarity" | "jaccard"
    ) {
        return None;
    }
    let [first, second] = positional(function)?;
    if !(is_element(first, pair, "1") && is_element(second, pair, "2")) {
        return None;
    }
    let [product] = arguments_of::<1>(pairs, &["flatten"])?;
    let [left, outer] = arguments_of(product, &["list_transform", "array_transform", "list_apply", "apply"])?;
    let (x, inner) = lambda(outer)?;
    let [right, innermost] = arguments_of(inner, &["list_transform", "array_transform", "list_apply", "apply"])?;
    let (y, couple) = lambda(innermost)?;
    let Expr::Array(array) = couple else { return None };
    let [Expr::Identifier(one), Expr::Identifier(two)] = array.elem.as_slice() else { return None };
    (one.value == x && two.value == y && x != y).then_some((left, right, similarity))
}

fn arguments_of<'a, const N: usize>(expr: &'a Expr, allowed: &[&str]) -> Option<[&'a Expr; N]> {
    let Expr::Function(function) = expr else { return None };
    let name = function.name.to_string().to_lowercase();
    if !allowed.contains(&name.as_str()) {
        return None;
    }
    positional(function)
}

fn positional<const N: usize>(function: &Function) -> Option<[&Expr; N]> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let arguments: Option<Vec<&Expr>> = list
        .args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => Some(argument),
            _ => None,
        })
        .collect();
    arguments?.try_into().ok()
}

fn lambda(expr: &Expr) -> Option<(&str, &Expr)> {
    let Expr::Lambda(LambdaFunction { params, body, .. }) = expr else { return None };
    let parameter = match params {
        OneOrManyWithParens::One(parameter) => parameter,
        OneOrManyWithParens::Many(parameters) => match parameters.as_slice() {
            [parameter] => parameter,
            _ => return None,
        },
    };
    Some((parameter.name.value.as_str(), body))
}

fn is_element(expr: &Expr, list: &str, index: &str) -> bool {
    let Expr::CompoundFieldAccess { root, access_chain } = expr else { return false };
    let (Expr::Identifier(name), [AccessExpr::Subscript(Subscript::Index { index: Expr::Value(value) })]) =
        (root.as_ref(), access_chain.as_slice())
    else {
        return false;
    };
    name.value == list && matches!(&value.value, Value::Number(number, _) if number == index)
}

#[cfg(test)]
mod tests;
