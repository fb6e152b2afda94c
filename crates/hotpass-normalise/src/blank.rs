//! What counts as blank around a value, and plain forms of text.

use unicode_normalization::{UnicodeNormalization, is_nfkc_quick};

/// Whether a character is white space or has no width.
pub(crate) fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

/// Trims white space, controls and characters without width from both ends.
pub(crate) fn trim_blank(value: &str) -> &str {
    value.trim_matches(is_blank)
}

/// Returns the text in compatibility composition without characters of no width, or nothing when it is so already.
pub(crate) fn compatibility_form(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let hidden = |character: char| is_blank(character) && !character.is_whitespace();
    if is_nfkc_quick(text.chars()) == unicode_normalization::IsNormalized::Yes && !text.contains(hidden) {
        return None;
    }
    let folded: String = text.nfkc().filter(|character| !hidden(*character)).collect();
    (folded != text).then_some(folded)
}

/// Returns the text as ASCII letters and digits in lower case, words joined by one space: the form table keys have.
///
/// Letters of other scripts are transliterated.
pub(crate) fn table_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    let mut push = |character: char| {
        if character.is_ascii_alphanumeric() {
            key.push(character.to_ascii_lowercase());
        } else if !matches!(character, '\'' | '`') && !key.is_empty() && !key.ends_with(' ') {
            key.push(' ');
        }
    };
    for character in text.chars() {
        if character.is_ascii() {
            push(character);
        } else if character.is_alphanumeric() {
            deunicode::deunicode_char(character).unwrap_or(" ").chars().for_each(&mut push);
        } else if !matches!(character, '\u{2018}' | '\u{2019}' | '\u{2bc}') {
            push(' ');
        }
    }
    key.truncate(key.trim_end().len());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_keys_are_plain_words() {
        let check = |input: &str, expected: &str| assert_eq!(table_key(input), expected, "{input}");
        check("KwaZulu-Natal", "kwazulu natal");
        check("  Côte d\u{2019}Ivoire ", "cote divoire");
        check("S.A.", "s a");
        check("", "");
        check("--", "");
    }
}
