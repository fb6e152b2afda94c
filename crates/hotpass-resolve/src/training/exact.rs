//! Which columns conditions read, and which levels are exact matches.

use crate::model::{Comparison, ComparisonLevel};
use crate::sql::expression::{BinaryOperator, Expression, Side};
use crate::sql::{parse_condition, parse_record_expression};

/// Gives the columns that a level's condition demands to be equal, in lower case; nothing if it is any other condition.
pub(crate) fn exact_match_columns(level: &ComparisonLevel) -> Option<Vec<String>> {
    if level.is_null_level || level.is_else_level() {
        return None;
    }
    equal_columns(&parse_condition(&level.sql_condition).ok()?)
}

/// Finds the level of a comparison that is an exact match on one column.
pub(crate) fn exact_level_of_column(comparison: &Comparison, column: &str) -> Option<usize> {
    let column = match parse_record_expression(column) {
        Ok(Expression::Column { name, .. }) => name.to_lowercase(),
        _ => column.to_lowercase(),
    };
    comparison
        .levels
        .iter()
        .position(|level| exact_match_columns(level).is_some_and(|columns| columns == [column.clone()]))
}

/// Gives the columns of a conjunction of equalities, each of one column on both sides; nothing for anything else.
pub(crate) fn equal_columns(expression: &Expression) -> Option<Vec<String>> {
    let Expression::Binary { operator, left, right } = expression else { return None };
    match operator {
        BinaryOperator::And => {
            let mut columns = equal_columns(left)?;
            columns.extend(equal_columns(right)?);
            Some(columns)
        }
        BinaryOperator::Equal => match (&**left, &**right) {
            (
                Expression::Column { side: Some(one), name: left },
                Expression::Column { side: Some(other), name: right },
            ) if left == right && [*one, *other].contains(&Side::Left) && one != other => {
                Some(vec![left.to_lowercase()])
            }
            _ => None,
        },
        _ => None,
    }
}

/// Adds the columns that an expression reads, in lower case.
pub(crate) fn columns_of(expression: &Expression, columns: &mut Vec<String>) {
    match expression {
        Expression::Column { name, .. } => columns.push(name.to_lowercase()),
        Expression::Literal(_) => {}
        Expression::Call { arguments, .. } => {
            for argument in arguments {
                columns_of(argument, columns);
            }
        }
        Expression::Not(operand)
        | Expression::Negate(operand)
        | Expression::IsNull { operand, .. }
        | Expression::Cast { operand, .. } => columns_of(operand, columns),
        Expression::Binary { left, right, .. } => {
            columns_of(left, columns);
            columns_of(right, columns);
        }
        Expression::Case { branches, otherwise } => {
            for (condition, result) in branches {
                columns_of(condition, columns);
                columns_of(result, columns);
            }
            if let Some(otherwise) = otherwise {
                columns_of(otherwise, columns);
            }
        }
        Expression::In { operand, list, .. } => {
            columns_of(operand, columns);
            for item in list {
                columns_of(item, columns);
            }
        }
        Expression::Opaque { columns: read, .. } => columns.extend(read.iter().map(|(_, name)| name.to_lowercase())),
    }
}
