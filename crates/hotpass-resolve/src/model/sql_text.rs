//! The functions that SQL calls, as far as a model file's reader and writer must know them.

use sqlparser::dialect::DuckDbDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::error::FileProblemCause;

/// Functions of the other engines that Splink writes for, and DuckDB's name of the same.
const FOREIGN_FUNCTIONS: &[(&str, Option<&str>)] = &[
    ("jaro_sim", Some("jaro_similarity")),
    ("jaro_winkler", Some("jaro_winkler_similarity")),
    ("array_max", Some("list_max")),
    ("array_min", Some("list_min")),
    ("transform", Some("list_transform")),
    ("element_at", Some("list_extract")),
    ("try_to_timestamp", Some("try_strptime")),
    ("unix_timestamp", Some("epoch")),
    ("julianday", Some("julian")),
    ("cosine_distance", Some("array_cosine_similarity")),
    ("doublemetaphone", None),
    ("doublemetaphonealt", None),
    ("dualarrayexplode", None),
    ("qgramtokeniser", None),
    ("q2gramtokeniser", None),
    ("pmod", None),
];

/// Returns the functions of other engines that an expression calls.
pub(super) fn foreign_functions(sql: &str) -> impl Iterator<Item = FileProblemCause> {
    functions(sql).into_iter().filter_map(|function| {
        let (_, instead) = FOREIGN_FUNCTIONS.iter().find(|(name, _)| *name == function)?;
        Some(FileProblemCause::ForeignFunction { function, instead: instead.map(str::to_owned) })
    })
}

/// Returns the functions that an expression calls and only Hotpass has.
pub(super) fn hotpass_functions(sql: &str) -> impl Iterator<Item = String> {
    functions(sql).into_iter().filter(|name| crate::library::function(name).is_some())
}

/// Returns the names of the functions called, lower-case, each once, in order of name.
fn functions(sql: &str) -> Vec<String> {
    let tokens: Vec<Token> = Tokenizer::new(&DuckDbDialect {}, sql)
        .tokenize()
        .unwrap_or_default()
        .into_iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .collect();
    let mut functions: Vec<String> = tokens
        .windows(2)
        .filter_map(|pair| match pair {
            [Token::Word(word), Token::LParen] => Some(word.value.to_lowercase()),
            _ => None,
        })
        .collect();
    functions.sort_unstable();
    functions.dedup();
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_sorted_by_where_they_belong() {
        fn check(sql: &str, foreign: &[&str], hotpass: &[&str]) {
            assert_eq!(foreign_functions(sql).map(|cause| cause.to_string()).collect::<Vec<_>>(), foreign, "{sql}");
            assert_eq!(hotpass_functions(sql).collect::<Vec<_>>(), hotpass, "{sql}");
        }
        check("jaro_winkler_similarity(a_l, a_r) >= 0.9 and soundex_l = 'jaro_winkler(x)'", &[], &[]);
        check(
            "jaro_winkler(a_l, a_r) > 0.9 or DoubleMetaphone (a_l) = DoubleMetaphone(a_r)",
            &[
                "Function `doublemetaphone` is not DuckDB's",
                "Function `jaro_winkler` is not DuckDB's; use `jaro_winkler_similarity`",
            ],
            &[],
        );
        check("Soundex(a_l) = soundex(a_r) or monge_elkan(a_l, a_r) > 0.5", &[], &["monge_elkan", "soundex"]);
        check("'unclosed", &[], &[]);
    }
}
