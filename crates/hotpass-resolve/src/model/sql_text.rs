//! What a model file's reader must know of SQL: whether it parses, which columns and functions it names.

use sqlparser::dialect::DuckDbDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer, Word};

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

/// Functions that Hotpass adds to DuckDB's, which Splink cannot run.
const HOTPASS_FUNCTIONS: &[&str] = &[];

/// Returns what keeps an expression from being read: it does not parse, or calls another engine's functions.
pub(super) fn problems(sql: &str) -> Vec<FileProblemCause> {
    if let Err(message) = parses(sql) {
        return vec![FileProblemCause::Sql(message)];
    }
    functions(sql)
        .into_iter()
        .filter_map(|function| {
            let (_, instead) = FOREIGN_FUNCTIONS.iter().find(|(name, _)| *name == function)?;
            Some(FileProblemCause::ForeignFunction { function, instead: instead.map(str::to_owned) })
        })
        .collect()
}

/// Returns the functions of an expression that only Hotpass has.
pub(super) fn hotpass_functions(sql: &str) -> Vec<String> {
    functions(sql).into_iter().filter(|name| HOTPASS_FUNCTIONS.contains(&name.as_str())).collect()
}

/// Returns the columns of a condition in order of appearance, without their suffix `_l` or `_r`, each once.
pub(super) fn columns(sql: &str) -> Vec<String> {
    let mut columns = Vec::new();
    for (word, follower) in words(sql) {
        if follower == Some(Token::LParen) {
            continue;
        }
        let name = word.value;
        let Some(cut) = name.len().checked_sub(2).filter(|cut| name.is_char_boundary(*cut) && *cut > 0) else {
            continue;
        };
        let (stem, suffix) = name.split_at(cut);
        if matches!(suffix, "_l" | "_r" | "_L" | "_R") && columns.iter().all(|known| known != stem) {
            columns.push(stem.to_owned());
        }
    }
    columns
}

fn parses(sql: &str) -> Result<(), String> {
    let plain = |error: sqlparser::parser::ParserError| {
        let text = error.to_string();
        text.split_once(": ").map_or(text.clone(), |(_, message)| message.to_owned())
    };
    let mut parser = Parser::new(&DuckDbDialect {}).try_with_sql(sql).map_err(plain)?;
    parser.parse_expr().map_err(plain)?;
    match parser.peek_token().token {
        Token::EOF => Ok(()),
        token => Err(format!("the expression ends before `{token}`")),
    }
}

/// Returns the names of the functions called, lower-case, each once.
fn functions(sql: &str) -> Vec<String> {
    let mut functions: Vec<String> = words(sql)
        .into_iter()
        .filter(|(_, follower)| *follower == Some(Token::LParen))
        .map(|(word, _)| word.value.to_lowercase())
        .collect();
    functions.sort_unstable();
    functions.dedup();
    functions
}

/// Returns every word with the token after it.
fn words(sql: &str) -> Vec<(Word, Option<Token>)> {
    let tokens: Vec<Token> = Tokenizer::new(&DuckDbDialect {}, sql)
        .tokenize()
        .unwrap_or_default()
        .into_iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .collect();
    let followers = tokens.iter().skip(1).cloned().map(Some).chain([None]);
    let pairs = tokens.iter().cloned().zip(followers);
    pairs
        .filter_map(|(token, follower)| if let Token::Word(word) = token { Some((word, follower)) } else { None })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_columns(sql: &str, expected: &[&str]) {
        assert_eq!(columns(sql), expected, "{sql}");
    }

    #[test]
    fn columns_come_in_order_of_appearance() {
        check_columns("\"first name_l\" = \"first name_r\" and surname_l IS NULL", &["first name", "surname"]);
        check_columns("list_max(list_transform(a_l, x -> jaccard(x, b_r[1]))) > 0.9", &["a", "b"]);
        check_columns("'city_l' = _l", &[]);
        check_columns("DOB_L = dob_r", &["DOB", "dob"]);
    }

    #[test]
    fn what_does_not_parse_is_named() {
        assert_eq!(problems("jaro_winkler_similarity(a_l, a_r) >= 0.9"), []);
        assert!(matches!(&problems("a_l = ")[..], [FileProblemCause::Sql(_)]));
        assert!(matches!(&problems("a_l = a_r a_l")[..], [FileProblemCause::Sql(_)]));
        assert!(matches!(&problems("")[..], [FileProblemCause::Sql(_)]));
        let foreign = problems("jaro_winkler(a_l, a_r) > 0.9 or DoubleMetaphone(a_l) = DoubleMetaphone(a_r)");
        assert_eq!(
            foreign.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "Function `doublemetaphone` is not DuckDB's",
                "Function `jaro_winkler` is not DuckDB's; use `jaro_winkler_similarity`"
            ]
        );
    }
}
