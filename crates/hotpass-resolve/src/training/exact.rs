//! Which levels are exact matches, and on which columns.

use crate::model::{Comparison, ComparisonLevel};

/// Gives the columns that a level's condition demands to be equal, in lower case; nothing if it is any other condition.
pub(crate) fn exact_match_columns(level: &ComparisonLevel) -> Option<Vec<String>> {
    if level.is_null_level || level.is_else_level() {
        return None;
    }
    equalities(&level.sql_condition)
}

/// Finds the level of a comparison that is an exact match on one column.
pub(crate) fn exact_level_of_column(comparison: &Comparison, column: &str) -> Option<usize> {
    let column = unquoted(&column.to_lowercase());
    comparison
        .levels
        .iter()
        .position(|level| exact_match_columns(level).is_some_and(|columns| columns == [column.clone()]))
}

fn equalities(sql: &str) -> Option<Vec<String>> {
    let sql = sql.to_lowercase();
    let mut columns = Vec::new();
    for clause in sql.split(" and ") {
        let clause = clause.trim().trim_start_matches('(').trim_end_matches(')');
        let (left, right) = clause.split_once('=')?;
        let (left, right) = (unquoted(left), unquoted(right));
        let (left, right) = (left.strip_suffix("_l")?, right.strip_suffix("_r")?);
        if left != right || !left.chars().all(|character| character.is_alphanumeric() || character == '_') {
            return None;
        }
        columns.push(left.to_owned());
    }
    Some(columns)
}

fn unquoted(name: &str) -> String {
    name.trim().trim_matches(['"', '`']).to_owned()
}
