//! Expressions into SQL text with DuckDB's spelling.

use std::fmt::Write as _;

use super::expression::{BinaryOperator, CastType, Expression, Literal, Side};

/// Writes an expression as SQL: a column with a side carries the suffix `_l` or `_r`, one without is plain.
///
/// The text of an expression that [`super::parse_condition`] gave is read back as the same expression.
pub fn format(expression: &Expression) -> String {
    let mut sql = String::new();
    write_expression(&mut sql, expression);
    sql
}

/// Quotes a name as SQL does, doubling quotation marks inside.
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn quote_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether the text of an expression needs no brackets as an operand.
fn is_closed(expression: &Expression) -> bool {
    match expression {
        Expression::Literal(Literal::Integer(value)) => *value >= 0,
        Expression::Literal(Literal::Number(value)) => value.is_sign_positive(),
        Expression::Column { .. } | Expression::Literal(_) | Expression::Cast { .. } | Expression::Case { .. } => true,
        Expression::Call { function, .. } => {
            !matches!(function.as_str(), "like" | "ilike" | "integer_divide" | "interval")
        }
        _ => false,
    }
}

fn write_operand(sql: &mut String, expression: &Expression) {
    if is_closed(expression) {
        write_expression(sql, expression);
    } else {
        sql.push('(');
        write_expression(sql, expression);
        sql.push(')');
    }
}

fn write_expression(sql: &mut String, expression: &Expression) {
    match expression {
        Expression::Column { side: None, name } => sql.push_str(&quote_identifier(name)),
        Expression::Column { side: Some(Side::Left), name } => sql.push_str(&quote_identifier(&format!("{name}_l"))),
        Expression::Column { side: Some(Side::Right), name } => sql.push_str(&quote_identifier(&format!("{name}_r"))),
        Expression::Literal(literal) => write_literal(sql, literal),
        Expression::Call { function, arguments } => write_call(sql, function, arguments),
        Expression::Not(operand) => {
            sql.push_str("NOT ");
            write_operand(sql, operand);
        }
        Expression::Negate(operand) => {
            sql.push('-');
            write_operand(sql, operand);
        }
        Expression::Binary { operator: operator @ (BinaryOperator::And | BinaryOperator::Or), .. } => {
            write_chain(sql, *operator, expression);
        }
        Expression::Binary { operator, left, right } => {
            write_operand(sql, left);
            let _ = write!(sql, " {} ", operator_text(*operator));
            write_operand(sql, right);
        }
        Expression::IsNull { operand, negated } => {
            write_operand(sql, operand);
            sql.push_str(if *negated { " IS NOT NULL" } else { " IS NULL" });
        }
        Expression::Cast { operand, to, lenient } => {
            sql.push_str(if *lenient { "TRY_CAST(" } else { "CAST(" });
            write_expression(sql, operand);
            let _ = write!(sql, " AS {})", cast_text(*to));
        }
        Expression::Case { branches, otherwise } => {
            sql.push_str("CASE");
            for (condition, result) in branches {
                sql.push_str(" WHEN ");
                write_expression(sql, condition);
                sql.push_str(" THEN ");
                write_expression(sql, result);
            }
            if let Some(otherwise) = otherwise {
                sql.push_str(" ELSE ");
                write_expression(sql, otherwise);
            }
            sql.push_str(" END");
        }
        Expression::In { operand, list, negated } => {
            write_operand(sql, operand);
            sql.push_str(if *negated { " NOT IN (" } else { " IN (" });
            write_list(sql, list);
            sql.push(')');
        }
        Expression::Opaque { sql: text, .. } => sql.push_str(text),
    }
}

/// A chain without inner brackets, so that it is read back in the same shape.
fn write_chain(sql: &mut String, operator: BinaryOperator, expression: &Expression) {
    for (index, operand) in operands(operator, expression).into_iter().enumerate() {
        if index > 0 {
            let _ = write!(sql, " {} ", operator_text(operator));
        }
        write_operand(sql, operand);
    }
}

/// The operands of nested `AND`s or `OR`s, from left to right.
pub(crate) fn operands(operator: BinaryOperator, expression: &Expression) -> Vec<&Expression> {
    let mut waiting = vec![expression];
    let mut found = Vec::new();
    while let Some(expression) = waiting.pop() {
        match expression {
            Expression::Binary { operator: inner, left, right } if *inner == operator => {
                waiting.push(right);
                waiting.push(left);
            }
            _ => found.push(expression),
        }
    }
    found
}

fn write_list(sql: &mut String, list: &[Expression]) {
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            sql.push_str(", ");
        }
        write_expression(sql, item);
    }
}

fn write_literal(sql: &mut String, literal: &Literal) {
    let _ = match literal {
        Literal::Null => write!(sql, "NULL"),
        Literal::Boolean(value) => write!(sql, "{}", if *value { "TRUE" } else { "FALSE" }),
        Literal::Integer(value) => write!(sql, "{value}"),
        // The debug form always has a point or an exponent, so it is read as a number with a fraction again.
        Literal::Number(value) => write!(sql, "{value:?}"),
        Literal::Text(value) => write!(sql, "{}", quote_text(value)),
    };
}

fn write_call(sql: &mut String, function: &str, arguments: &[Expression]) {
    match (function, arguments) {
        ("like" | "ilike", [operand, pattern, escape @ ..]) if escape.len() < 2 => {
            write_operand(sql, operand);
            sql.push_str(if function == "like" { " LIKE " } else { " ILIKE " });
            write_operand(sql, pattern);
            if let [escape] = escape {
                sql.push_str(" ESCAPE ");
                write_operand(sql, escape);
            }
        }
        ("integer_divide", [left, right]) => {
            write_operand(sql, left);
            sql.push_str(" // ");
            write_operand(sql, right);
        }
        ("interval", [Expression::Literal(Literal::Integer(amount)), Expression::Literal(Literal::Text(unit))]) => {
            let _ = write!(sql, "INTERVAL '{amount}' {}", unit.to_uppercase());
        }
        ("list_pairwise_min" | "list_pairwise_max", [left, right, Expression::Literal(Literal::Text(similarity))]) => {
            let best = if function == "list_pairwise_min" { "list_min" } else { "list_max" };
            let _ = write!(sql, "{best}(list_transform(flatten(list_transform(");
            write_expression(sql, left);
            sql.push_str(", x -> list_transform(");
            write_expression(sql, right);
            let _ = write!(sql, ", y -> [x, y]))), pair -> {similarity}(pair[1], pair[2])))");
        }
        // Only arrays of fixed size have the `array_` form in DuckDB, lists the other; engines share this name.
        _ => {
            if function.chars().all(|character| character.is_alphanumeric() || character == '_') {
                sql.push_str(function);
            } else {
                sql.push_str(&quote_identifier(function));
            }
            sql.push('(');
            write_list(sql, arguments);
            sql.push(')');
        }
    }
}

fn operator_text(operator: BinaryOperator) -> &'static str {
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

fn cast_text(to: CastType) -> &'static str {
    match to {
        CastType::Text => "VARCHAR",
        CastType::Integer => "BIGINT",
        CastType::Double => "DOUBLE",
        CastType::Float => "FLOAT",
        CastType::Boolean => "BOOLEAN",
        CastType::Date => "DATE",
        CastType::Timestamp => "TIMESTAMP",
    }
}
