//! Folding of letters to lower-case ASCII, for keys and comparisons.

/// Appends the lower-case ASCII form of a character; marks that stand for no letter add nothing.
pub(crate) fn fold_char(character: char, into: &mut String) {
    if character.is_ascii() {
        into.push(character.to_ascii_lowercase());
    } else if let Some(plain) = deunicode::deunicode_char(character) {
        into.extend(plain.chars().map(|letter| letter.to_ascii_lowercase()));
    }
}

/// Returns the lower-case ASCII form of a text.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        fold_char(character, &mut folded);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_lose_marks_and_case() {
        for (input, expected) in
            [("Société Générale", "societe generale"), ("Straße", "strasse"), ("Łódź", "lodz"), ("ABC 12", "abc 12")]
        {
            assert_eq!(fold(input), expected);
        }
    }
}
