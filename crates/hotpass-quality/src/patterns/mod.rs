//! Patterns of text as other systems write them, as regular expressions: Python's `re`, SQL's LIKE, `strptime`.

mod dateutil;
mod strptime;

pub(crate) use dateutil::is_date;
pub(crate) use strptime::TimeFormat;

use regex::Regex;

/// Compiles an expression written for Python's `re.search`.
///
/// `$` also matches before a line break at the end and `\Z` is the end, as there; `\w` holds letters and numbers of any script and
/// no combining marks, `\s` the separators of ASCII too; inside a class, signs that only Rust's syntax gives a meaning stand for
/// themselves.
pub(crate) fn python_regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(&rust_pattern(pattern)).map_err(|error| reason(&error))
}

/// Writes an expression of Python's `re` for this program's engine.
pub(crate) fn rust_pattern(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len() + 8);
    let mut characters = pattern.chars().peekable();
    let multiline = pattern.starts_with("(?") && pattern.split(')').next().is_some_and(|flags| flags.contains('m'));
    let mut class: Option<usize> = None;
    while let Some(character) = characters.next() {
        match (character, class) {
            ('\\', _) => match characters.next() {
                Some('Z') if class.is_none() => text.push_str(r"\z"),
                Some(kind @ ('w' | 'W' | 's' | 'S')) => {
                    text.push_str(match kind {
                        'w' => r"[\p{L}\p{N}_]",
                        'W' => r"[^\p{L}\p{N}_]",
                        's' => r"[\s\x1c-\x1f]",
                        _ => r"[^\s\x1c-\x1f]",
                    });
                    class = class.map(|seen| seen + 1);
                }
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
    text
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

/// The zeros of the scripts that have decimal digits, each followed by its other nine.
const ZEROS: [u32; 36] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50,
    0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50,
    0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

/// Writes the decimal digits of other scripts as those of ASCII, which is how Python reads them.
fn ascii_digits(text: &str) -> String {
    let digit = |character: char| {
        let code = character as u32;
        let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code))?;
        char::from_digit(code - zero, 10)
    };
    text.chars()
        .map(|character| if character.is_ascii() { character } else { digit(character).unwrap_or(character) })
        .collect()
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
        check(r"^\w+$", "e\u{301}", false);
        check(r"^[\w-]+$", "stra\u{df}e-\u{663}", true);
        check(r"^\W$", "\u{301}", true);
        check(r"^[^\W\d]+$", "ab", true);
        check(r"^[^\W\d]+$", "a1", false);
        check(r"\s", "\u{1c}", true);
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
