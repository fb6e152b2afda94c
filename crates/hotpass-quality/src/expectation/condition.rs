//! Row conditions: which rows an expectation looks at.
//!
//! Read are the condition objects of Great Expectations 1.x (`comparison`, `nullity`, `and`, `or`, `pass_through`), and text
//! such as `col("status") == "active" and amount > 5` or `phone.notnull()`.

use std::cmp::Ordering;
use std::fmt;

use arrow::buffer::BooleanBuffer;
use serde_json::Value;

use crate::values::{CellKind, Cells, Column, parse_time};

/// A row condition, with columns by name or by position.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition<C> {
    Compare { column: C, operator: Operator, value: Value },
    OneOf { column: C, values: Vec<Value>, negated: bool },
    Missing { column: C, missing: bool },
    All(Vec<Condition<C>>),
    Any(Vec<Condition<C>>),
    Not(Box<Condition<C>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "==" | "=" => Self::Equal,
            "!=" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    const fn holds(self, ordering: Option<Ordering>) -> bool {
        match ordering {
            None => matches!(self, Self::NotEqual),
            Some(Ordering::Equal) => matches!(self, Self::Equal | Self::LessOrEqual | Self::GreaterOrEqual),
            Some(Ordering::Less) => matches!(self, Self::NotEqual | Self::Less | Self::LessOrEqual),
            Some(Ordering::Greater) => matches!(self, Self::NotEqual | Self::Greater | Self::GreaterOrEqual),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

impl fmt::Display for Condition<String> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |parts: &[Self], word: &str| {
            let part = |part: &Self| match part {
                Self::All(_) | Self::Any(_) => format!("({part})"),
                part => part.to_string(),
            };
            parts.iter().map(part).collect::<Vec<_>>().join(word)
        };
        match self {
            Self::Compare { column, operator, value } => write!(formatter, "{column} {operator} {value}"),
            Self::OneOf { column, values, negated } => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                let not = if *negated { "not " } else { "" };
                write!(formatter, "{column} {not}in [{}]", values.join(", "))
            }
            Self::Missing { column, missing: true } => write!(formatter, "{column}.isnull()"),
            Self::Missing { column, missing: false } => write!(formatter, "{column}.notnull()"),
            Self::All(parts) => formatter.write_str(&joined(parts, " and ")),
            Self::Any(parts) => formatter.write_str(&joined(parts, " or ")),
            Self::Not(part) => write!(formatter, "not ({part})"),
        }
    }
}

impl Condition<String> {
    /// Reads a condition from an argument.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Parser::new(text)?.whole(),
            Value::Object(_) => Self::read_object(value),
            _ => Err("`row_condition` is neither text nor a condition object".into()),
        }
    }

    fn read_object(value: &Value) -> Result<Self, String> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let column = || {
            let column = value.get("column").ok_or("`row_condition` has no `column`")?;
            let name = column.get("name").unwrap_or(column);
            name.as_str().map(str::to_owned).ok_or("`row_condition` has no `column`")
        };
        let parts = || {
            let parts =
                value.get("conditions").and_then(Value::as_array).ok_or("`row_condition` has no `conditions`")?;
            parts.iter().map(Self::read).collect::<Result<Vec<_>, String>>()
        };
        match text("type") {
            Some("comparison") => {
                let parameter = value.get("parameter").cloned().ok_or("`row_condition` has no `parameter`")?;
                let operator = text("operator").unwrap_or_default();
                if let "IN" | "NOT_IN" = operator {
                    let Value::Array(values) = parameter else {
                        return Err("`parameter` of `row_condition` is no list".into());
                    };
                    return Ok(Self::OneOf { column: column()?, values, negated: operator == "NOT_IN" });
                }
                let operator = Operator::of(operator).ok_or_else(|| format!("Unknown operator: `{operator}`"))?;
                Ok(Self::Compare { column: column()?, operator, value: parameter })
            }
            Some("nullity") => {
                let missing = value.get("is_null").and_then(Value::as_bool).unwrap_or(true);
                Ok(Self::Missing { column: column()?, missing })
            }
            Some("and") => Ok(Self::All(parts()?)),
            Some("or") => Ok(Self::Any(parts()?)),
            Some("pass_through") => Parser::new(text("pass_through_filter").unwrap_or_default())?.whole(),
            _ => Err("`row_condition` has no known `type`".into()),
        }
    }
}

impl<C> Condition<C> {
    /// Replaces the columns; the first that has no replacement is the error.
    pub(crate) fn map<D>(self, replace: &mut impl FnMut(C) -> Result<D, String>) -> Result<Condition<D>, String> {
        Ok(match self {
            Self::Compare { column, operator, value } => {
                Condition::Compare { column: replace(column)?, operator, value }
            }
            Self::OneOf { column, values, negated } => Condition::OneOf { column: replace(column)?, values, negated },
            Self::Missing { column, missing } => Condition::Missing { column: replace(column)?, missing },
            Self::All(parts) => {
                Condition::All(parts.into_iter().map(|part| part.map(replace)).collect::<Result<_, _>>()?)
            }
            Self::Any(parts) => {
                Condition::Any(parts.into_iter().map(|part| part.map(replace)).collect::<Result<_, _>>()?)
            }
            Self::Not(part) => Condition::Not(Box::new(part.map(replace)?)),
        })
    }
}

impl Condition<usize> {
    /// Returns which rows of a batch meet the condition.
    ///
    /// The error says why it cannot be told: text and a number have no order.
    pub(crate) fn rows<'a>(&self, rows: usize, column: &impl Fn(usize) -> &'a Column) -> Result<BooleanBuffer, String> {
        Ok(match self {
            Self::Compare { column: at, operator, value } => {
                let column = column(*at);
                let has_no_order = value.is_number() && column.kind() == CellKind::Text && !column.holds_numbers()
                    || value.is_string() && column.kind().is_number();
                let asks_order = !matches!(operator, Operator::Equal | Operator::NotEqual);
                if has_no_order && asks_order && column.valid.count_set_bits() > 0 {
                    return Err("`row_condition` compares text with a number".to_owned());
                }
                BooleanBuffer::collect_bool(rows, |row| operator.holds(order(column, row, value)))
            }
            Self::OneOf { column: at, values, negated } => {
                let column = column(*at);
                BooleanBuffer::collect_bool(rows, |row| {
                    values.iter().any(|value| order(column, row, value) == Some(Ordering::Equal)) != *negated
                })
            }
            Self::Missing { column: at, missing } => {
                let valid = &column(*at).valid;
                if *missing { !valid } else { valid.clone() }
            }
            Self::All(parts) => {
                let mut all = BooleanBuffer::new_set(rows);
                for part in parts {
                    all = &all & &part.rows(rows, column)?;
                }
                all
            }
            Self::Any(parts) => {
                let mut any = BooleanBuffer::new_unset(rows);
                for part in parts {
                    any = &any | &part.rows(rows, column)?;
                }
                any
            }
            Self::Not(part) => !&part.rows(rows, column)?,
        })
    }
}

/// Compares a value of a column with one of a condition; nothing where they cannot be compared.
fn order(column: &Column, row: usize, value: &Value) -> Option<Ordering> {
    if column.is_null(row) {
        return None;
    }
    match (value, &column.cells) {
        (Value::String(text), Cells::Text(values)) => Some(values.value(row).cmp(text.as_str())),
        (Value::String(text), Cells::Time { values, .. }) => Some(values.value(row).cmp(&parse_time(text)?)),
        (Value::Number(number), _) if column.holds_numbers() => column.number(row)?.partial_cmp(&number.as_f64()?),
        (Value::Bool(truth), _) if column.holds_numbers() => {
            column.truth(row)?.partial_cmp(&f64::from(u8::from(*truth)))
        }
        _ => None,
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number(Value),
    Sign(&'static str),
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

const SIGNS: [&str; 16] = ["==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ",", ".", "&", "|", "~", "="];

impl Parser {
    fn new(text: &str) -> Result<Self, String> {
        let mut tokens = Vec::new();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let taken;
            if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                tokens.push(Token::Sign(sign));
                taken = sign.len();
            } else if matches!(first, '"' | '\'' | '`') {
                let end = rest[1..].find(first).ok_or("`row_condition` has an open quotation mark")?;
                let inner = rest[1..=end].to_owned();
                tokens.push(if first == '`' { Token::Name(inner) } else { Token::Text(inner) });
                taken = end + 2;
            } else if first.is_ascii_digit() || first == '-' {
                taken = rest[1..]
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '.'))
                    .map_or(rest.len(), |end| end + 1);
                let number = serde_json::from_str(&rest[..taken]).map_err(|_| "`row_condition` has a broken number")?;
                tokens.push(Token::Number(number));
            } else if first.is_alphanumeric() || first == '_' {
                taken = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                tokens.push(Token::Name(rest[..taken].to_owned()));
            } else {
                return Err(format!("`row_condition` has a sign that is not understood: `{first}`"));
            }
            rest = rest[taken..].trim_start();
        }
        Ok(Self { tokens, at: 0 })
    }

    fn whole(mut self) -> Result<Condition<String>, String> {
        let condition = self.any()?;
        if self.at < self.tokens.len() {
            return Err("`row_condition` goes on after its end".into());
        }
        Ok(condition)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(other)) if *other == sign);
        self.at += usize::from(found);
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Name(other)) if other.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<Condition<String>, String> {
        let mut parts = vec![self.all()?];
        while self.take_sign("|") || self.take_word("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Condition::Any(parts) })
    }

    fn all(&mut self) -> Result<Condition<String>, String> {
        let mut parts = vec![self.one()?];
        while self.take_sign("&") || self.take_word("and") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Condition::All(parts) })
    }

    fn one(&mut self) -> Result<Condition<String>, String> {
        if self.take_sign("~") || self.take_word("not") {
            return Ok(Condition::Not(Box::new(self.one()?)));
        }
        if self.take_sign("(") {
            let inner = self.any()?;
            return if self.take_sign(")") { Ok(inner) } else { Err("`row_condition` lacks a `)`".into()) };
        }
        let Some(Token::Name(name)) = self.peek().cloned() else {
            return Err("`row_condition` names no column where one is due".into());
        };
        self.at += 1;
        let column = if name == "col" && self.take_sign("(") {
            let Some(Token::Text(name) | Token::Name(name)) = self.peek().cloned() else {
                return Err("`col()` of `row_condition` names no column".into());
            };
            self.at += 1;
            if !self.take_sign(")") {
                return Err("`row_condition` lacks a `)`".into());
            }
            name
        } else {
            name
        };
        if self.take_sign(".") {
            let missing = if self.take_word("isnull") || self.take_word("isna") {
                true
            } else if self.take_word("notnull") || self.take_word("notna") {
                false
            } else {
                return Err("`row_condition` calls what is not understood; use `.isnull()` or `.notnull()`".into());
            };
            if !(self.take_sign("(") && self.take_sign(")")) {
                return Err("`row_condition` lacks `()`".into());
            }
            return Ok(Condition::Missing { column, missing });
        }
        let negated = self.take_word("not");
        if self.take_word("in") {
            return Ok(Condition::OneOf { column, values: self.list()?, negated });
        }
        let Some(Token::Sign(sign)) = self.peek().cloned() else {
            return Err("`row_condition` lacks an operator".into());
        };
        let operator = Operator::of(sign).ok_or("`row_condition` lacks an operator")?;
        self.at += 1;
        Ok(Condition::Compare { column, operator, value: self.value()? })
    }

    fn value(&mut self) -> Result<Value, String> {
        let value = match self.peek() {
            Some(Token::Text(text)) => Value::String(text.clone()),
            Some(Token::Number(number)) => number.clone(),
            Some(Token::Name(name)) if name.eq_ignore_ascii_case("true") => Value::Bool(true),
            Some(Token::Name(name)) if name.eq_ignore_ascii_case("false") => Value::Bool(false),
            _ => return Err("`row_condition` lacks a value".into()),
        };
        self.at += 1;
        Ok(value)
    }

    fn list(&mut self) -> Result<Vec<Value>, String> {
        let close = if self.take_sign("[") {
            "]"
        } else if self.take_sign("(") {
            ")"
        } else {
            return Err("`row_condition` lacks a list after `in`".into());
        };
        let mut values = Vec::new();
        while !self.take_sign(close) {
            values.push(self.value()?);
            if !self.take_sign(",") && !matches!(self.peek(), Some(Token::Sign(sign)) if *sign == close) {
                return Err(format!("`row_condition` lacks a `{close}`"));
            }
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};
    use serde_json::json;

    use super::*;
    use crate::values::Reading;

    fn check(condition: &Value, expected: &[bool]) {
        let text: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("b"), None]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]));
        let columns =
            [Column::read(&text, Reading::default()).unwrap(), Column::read(&numbers, Reading::default()).unwrap()];
        let condition = Condition::read(condition)
            .unwrap()
            .map(&mut |name| match name.as_str() {
                "x y" => Ok(0),
                "n" => Ok(1),
                other => Err(other.to_owned()),
            })
            .unwrap();
        let rows = condition.rows(3, &|at| &columns[at]).unwrap();
        assert_eq!(rows.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn text_and_objects_choose_the_same_rows() {
        check(&json!("col(\"x y\") == \"a\""), &[true, false, false]);
        check(&json!("`x y` == 'a' or n >= 3"), &[true, false, true]);
        check(&json!("n.notnull() and not n == 3"), &[true, false, false]);
        check(&json!("n in [1, 2]"), &[true, false, false]);
        check(&json!("`x y` != 'a'"), &[false, true, true]);
        check(
            &json!({"type": "and", "conditions": [
                {"type": "nullity", "column": {"name": "n"}, "is_null": false},
                {"type": "comparison", "column": {"name": "n"}, "operator": ">", "parameter": 1},
            ]}),
            &[false, false, true],
        );
        check(
            &json!({"type": "comparison", "column": {"name": "x y"}, "operator": "NOT_IN", "parameter": ["a"]}),
            &[false, true, true],
        );
    }

    #[test]
    fn text_has_an_order_with_numbers_only_where_it_spells_them() {
        let text: ArrayRef = Arc::new(StringArray::from(vec![Some("7"), Some("x"), None, Some("12")]));
        let condition = Condition::read(&json!("n > 5")).unwrap().map(&mut |_| Ok(0)).unwrap();
        let column = Column::read(&text, Reading::default()).unwrap();
        assert!(condition.rows(4, &|_| &column).unwrap_err().contains("text with a number"));
        let reading = Reading { numbers_in_text: true, ..Reading::default() };
        let column = Column::read(&text, reading).unwrap();
        let rows = condition.rows(4, &|_| &column).unwrap();
        assert_eq!(rows.iter().collect::<Vec<_>>(), [true, false, false, true]);
    }

    #[test]
    fn what_is_not_understood_is_said() {
        assert!(Condition::read(&json!("a ==")).is_err());
        assert!(Condition::read(&json!("a.mean() > 3")).is_err());
        assert!(Condition::read(&json!("a == 3 a")).is_err());
    }
}
