//! Slugs: lower-case ASCII letters and digits in words joined by hyphens.

use crate::fold::fold_char;
use crate::placeholder::no_value;
use crate::{FieldRule, Outcome, RuleCounts, TextRule};

/// Turns a value into a slug; a value without any letter or digit fails with `slug.no_letters`.
#[derive(Debug, Clone, Default)]
pub struct SlugRule {
    text: TextRule,
}

impl SlugRule {
    /// Creates the rule over a text rule.
    pub fn new(text: TextRule) -> Self {
        Self { text }
    }
}

impl FieldRule for SlugRule {
    fn apply(&self, _row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        let Some(clean) = self.text.clean(value, counts) else { return Outcome::Empty };
        slug_into(&clean, scratch);
        if scratch.is_empty() {
            return Outcome::Failed("slug.no_letters");
        }
        if scratch == value {
            return Outcome::Same;
        }
        if self.text.is_placeholder(scratch) {
            return no_value(value, counts);
        }
        counts.add("slug.rewritten");
        Outcome::Changed
    }
}

/// Returns the slug of a text, or nothing when it has no letter or digit.
///
/// ```
/// assert_eq!(hotpass_normalise::slug("Société Générale (Pty) Ltd").as_deref(), Some("societe-generale-pty-ltd"));
/// assert_eq!(hotpass_normalise::slug("–"), None);
/// ```
pub fn slug(text: &str) -> Option<String> {
    let mut slug = String::with_capacity(text.len());
    slug_into(text, &mut slug);
    (!slug.is_empty()).then_some(slug)
}

fn slug_into(text: &str, slug: &mut String) {
    let mut folded = String::new();
    for character in text.chars() {
        folded.clear();
        fold_char(character, &mut folded);
        // A mark that folds to nothing, such as a combining accent, belongs to its word; a character that folds to
        // a sign ends the word.
        for letter in folded.chars() {
            if letter.is_ascii_alphanumeric() {
                slug.push(letter);
            } else if letter != '\'' && !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
    }
    while slug.ends_with('-') {
        slug.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        for (input, expected) in [
            ("Aero Club", "aero-club"),
            ("  Aero   Club  ", "aero-club"),
            ("Aero-Club", "aero-club"),
            ("Aero & Club", "aero-club"),
            ("O'Brien", "obrien"),
            ("C.C.", "c-c"),
            ("Zürich", "zurich"),
            ("Straße", "strasse"),
            ("Łódź", "lodz"),
            ("São Paulo", "sao-paulo"),
            ("e\u{301}cole", "ecole"),
            ("ﬁnance", "finance"),
            ("100%", "100"),
            ("--a--", "a"),
            ("a_b", "a-b"),
            ("Москва", "moskva"),
            ("(Pty) Ltd", "pty-ltd"),
        ] {
            assert_eq!(slug(input).as_deref(), Some(expected), "{input}");
        }
        assert_eq!(slug("!!!"), None);
        assert_eq!(slug(""), None);
    }

    #[test]
    fn values_without_letters_fail() {
        let (mut scratch, mut counts) = (String::new(), RuleCounts::default());
        assert_eq!(SlugRule::default().apply(0, "***", &mut scratch, &mut counts), Outcome::Failed("slug.no_letters"));
        assert_eq!(SlugRule::default().apply(0, "a-b", &mut scratch, &mut counts), Outcome::Same);
    }
}
