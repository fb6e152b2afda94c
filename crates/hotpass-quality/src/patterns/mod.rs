//! Patterns of text as other systems write them, as regular expressions: Python's `re`, SQL's LIKE, `strptime`.

mod dateutil;
mod strptime;

pub(crate) use dateutil::is_date;
pub(crate) use strptime::TimeFormat;

use regex::Regex;

/// Compiles an expression written for Python's `re.search`.
///
/// `$` also matches before a line break at the end and `\Z` is the end, as there; inside a class, signs that only Rust's syntax
/// gives a meaning stand for themselves.
pub(crate) fn python_regex(pattern: &str) -> Result<Regex, String> {
    let mut text = String::with_capacity(pattern.len() + 8);
    let mut characters = pattern.chars().peekable();
    let multiline = pattern.starts_with("(?") && pattern.split(')').next().is_some_and(|flags| flags.contains('m'));
    let mut class: Option<usize> = None;
    while let Some(character) = characters.next() {
        match (character, class) {
            ('\\', _) => match characters.next() {
                Some('Z') if class.is_none() => text.push_str(r"\z"),
                Some(next) => {
                    text.push('\\');
                    text.push(next);
                    class = class.map(|seen| seen + 1);
                }
                None => text.push('\\'),
            },
            ('[', None) => {
                text.push('[');
                class = Some(0);
                if characters.next_if_eq(&'^').is_some() {
                    text.push('^');
                }
                // A bracket that comes first closes nothing.
                if characters.next_if_eq(&']').is_some() {
                    text.push_str(r"\]");
                    class = Some(1);
                }
            }
            (']', Some(_)) => {
                text.push(']');
                class = None;
            }
            ('[' | '&' | '~', Some(seen)) => {
                text.push('\\');
                text.push(character);
                class = Some(seen + 1);
            }
            ('$', None) if !multiline => text.push_str(r"(?:\n?\z)"),
            ('{', None) if characters.peek() == Some(&',') => text.push_str("{0"),
            (other, state) => {
                text.push(other);
                class = state.map(|seen| seen + 1);
            }
        }
    }
    Regex::new(&text).map_err(|error| reason(&error))
}

/// Compiles a pattern of SQL's LIKE: `%` is any text, `_` any character.
pub(crate) fn like_regex(pattern: &str, escape: Option<char>) -> Result<Regex, String> {
    let mut text = String::from("(?s)^");
    let mut characters = pattern.chars();
    let mut buffer = [0; 4];
    while let Some(character) = characters.next() {
        match character {
            sign if Some(sign) == escape => {
                if let Some(next) = characters.next() {
                    text.push_str(&regex::escape(next.encode_utf8(&mut buffer)));
                }
            }
            '%' => text.push_str(".*"),
            '_' => text.push('.'),
            other => text.push_str(&regex::escape(other.encode_utf8(&mut buffer))),
        }
    }
    text.push('$');
    Regex::new(&text).map_err(|error| reason(&error))
}

fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
    format!("regular expression cannot be read: {line}")
}

/// Returns whether text is JSON, as Python's `json.loads` reads it.
pub(crate) fn is_json(text: &str) -> bool {
    matches!(text.trim_matches([' ', '\t', '\n', '\r']), "NaN" | "Infinity" | "-Infinity")
        || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_python_find_what_python_finds() {
        let check = |pattern: &str, text: &str, found: bool| {
            assert_eq!(python_regex(pattern).unwrap().is_match(text), found, "{pattern} in {text:?}");
        };
        check("a$", "a\n", true);
        check("a$", "a\n\n", false);
        check(r"a\Z", "a\n", false);
        check(r"^[^@\s]+@[^@\s]+\.[^@\s.]{2,}$", "a@b.co", true);
        check("[[a]", "[", true);
        check("[]a]", "]", true);
        check("[a&&b]", "&", true);
        check("^x{,2}$", "xx", true);
        check("[$]", "$", true);
        check(r"\$", "$", true);
        assert!(python_regex("(?=a)").unwrap_err().contains("look-around"));
    }

    #[test]
    fn like_patterns_are_whole() {
        assert!(like_regex("a%_c", None).unwrap().is_match("axxbc"));
        assert!(!like_regex("a%", None).unwrap().is_match("ba"));
        assert!(like_regex("100!%", Some('!')).unwrap().is_match("100%"));
        assert!(!like_regex("100!%", Some('!')).unwrap().is_match("1000"));
    }

    #[test]
    fn json_is_what_python_loads() {
        assert!(is_json(r#"{"a": [1, null]}"#) && is_json("NaN") && is_json("3") && is_json("\"x\""));
        assert!(!is_json("abc") && !is_json("{'a': 1}") && !is_json(""));
    }
}
