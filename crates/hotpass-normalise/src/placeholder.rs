//! Words that stand where a value is missing: one list for every kind of field.

use std::sync::{Arc, LazyLock};

use hashbrown::HashSet;

use crate::blank::trim_blank;
use crate::text::{clean_characters, is_plain};
use crate::{FieldRule, Outcome, RuleCounts};

/// Words that mean "no value" in a field of any kind, in lower case.
const WORDS: &[&str] = &[
    "-",
    "--",
    "---",
    "----",
    "–",
    "—",
    "_",
    ".",
    "..",
    "...",
    "?",
    "??",
    "???",
    "*",
    "/",
    "//",
    "n/a",
    "(n/a)",
    "na",
    "n.a.",
    "n.a",
    "n\\a",
    "n-a",
    "n / a",
    "#n/a",
    "#ref!",
    "#value!",
    "#name?",
    "#null!",
    "#div/0!",
    "#num!",
    "#n/a n/a",
    "none",
    "(none)",
    "null",
    "(null)",
    "<null>",
    "nil",
    "nan",
    "undefined",
    "tbd",
    "(tbd)",
    "tba",
    "(tba)",
    "tbc",
    "(tbc)",
    "unknown",
    "(unknown)",
    "not available",
    "not applicable",
    "not listed",
    "(not listed)",
    "not provided",
    "not known",
    "not specified",
    "no data",
    "no value",
    "to be confirmed",
    "to be advised",
    "to be determined",
    "onbekend",
    "geen",
    "nvt",
    "n.v.t.",
    "blank",
    "(blank)",
    "empty",
    "xxx",
    "xxxx",
];

/// Words that mean "no value" where a value has a shape, such as an e-mail address; elsewhere they can be labels.
const WORDS_BESIDE_SHAPES: &[&str] = &["no", "x", "xx"];

/// Longest word, in bytes, that is compared without an allocation.
const LONGEST_ON_STACK: usize = 32;

static BUILT_IN: LazyLock<WordSet> = LazyLock::new(|| WordSet::new(WORDS.iter().copied()));

/// Words compared without regard to case.
#[derive(Debug, Default)]
struct WordSet {
    words: HashSet<String>,
    /// For each first byte in lower case, the byte lengths (bit 63: 63 and more) of the words that begin with it.
    lengths: Vec<u64>,
}

impl WordSet {
    fn new<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut set = Self { words: HashSet::new(), lengths: vec![0; 256] };
        for word in words {
            let word = word.to_lowercase();
            if let Some(first) = word.bytes().next() {
                set.lengths[usize::from(first)] |= length_bit(&word);
                set.words.insert(word);
            }
        }
        set
    }

    fn contains(&self, text: &str) -> bool {
        let Some(first) = text.bytes().next() else { return false };
        let may_be =
            |first: u8| self.lengths.get(usize::from(first)).is_some_and(|lengths| lengths & length_bit(text) != 0);
        // Lower-casing can change the length of text beyond ASCII; such words are looked up in any case.
        if first.is_ascii() && !may_be(first.to_ascii_lowercase()) && text.is_ascii() {
            return false;
        }
        let mut buffer = [0_u8; LONGEST_ON_STACK];
        if text.is_ascii()
            && let Some(lower) = buffer.get_mut(..text.len())
        {
            lower.copy_from_slice(text.as_bytes());
            lower.make_ascii_lowercase();
            return std::str::from_utf8(lower).is_ok_and(|lower| self.words.contains(lower));
        }
        self.words.contains(text.to_lowercase().as_str())
    }
}

fn length_bit(text: &str) -> u64 {
    1 << text.len().min(63)
}

/// The words that mean "no value", compared without regard to case: the built-in ones and those of the data at hand.
///
/// ```
/// use hotpass_normalise::Placeholders;
///
/// let words = Placeholders::with(&["keine Angabe".to_owned()]);
/// assert!(words.contains("Keine Angabe") && words.contains("N/A") && !words.contains("Aero Club"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Placeholders {
    more: Option<Arc<WordSet>>,
}

impl Placeholders {
    /// Returns the built-in words and more.
    pub fn with(more: &[String]) -> Self {
        let set = WordSet::new(more.iter().map(|word| word.trim()));
        Self { more: (!set.words.is_empty()).then(|| Arc::new(set)) }
    }

    /// Returns whether a trimmed text is one of the words.
    pub fn contains(&self, text: &str) -> bool {
        BUILT_IN.contains(text) || self.adds(text)
    }

    /// Returns whether a trimmed text is one of the words that are not built in.
    fn adds(&self, text: &str) -> bool {
        self.more.as_ref().is_some_and(|more| more.contains(text))
    }

    /// Puts these words before a rule that knows only the built-in ones.
    ///
    /// ```
    /// use hotpass_normalise::{EmailRule, FieldRule, Outcome, Placeholders, RuleCounts};
    ///
    /// let rule = Placeholders::with(&["nobody@example.com".to_owned()]).guard(EmailRule);
    /// let outcome = rule.apply(0, "Nobody@example.com", &mut String::new(), &mut RuleCounts::default());
    /// assert_eq!(outcome, Outcome::Empty);
    /// ```
    pub fn guard<R: FieldRule>(&self, rule: R) -> GuardedRule<R> {
        GuardedRule { placeholders: self.clone(), rule }
    }
}

/// A rule behind the words for "no value" of the data at hand; made by [`Placeholders::guard`].
///
/// A value that is one of the words is counted as `text.placeholder` and does not reach the rule.
#[derive(Debug, Clone)]
pub struct GuardedRule<R> {
    placeholders: Placeholders,
    rule: R,
}

impl<R: FieldRule> FieldRule for GuardedRule<R> {
    fn apply(&self, row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        if self.placeholders.more.is_some() {
            let is_word = if is_plain(value) {
                self.placeholders.adds(value)
            } else {
                self.placeholders.adds(&clean_characters(value, &mut RuleCounts::default()))
            };
            if is_word {
                return no_value(value, counts);
            }
        }
        self.rule.apply(row, value, scratch, counts)
    }
}

/// Returns whether a trimmed value of a kind with a shape means "no value": it is empty, only punctuation, or one of the
/// built-in words.
pub(crate) fn is_placeholder(trimmed: &str) -> bool {
    // Without a letter or digit nothing is a value, except that what has an `@` was meant to be an address.
    (!trimmed.chars().any(char::is_alphanumeric) && !trimmed.contains('@'))
        || BUILT_IN.contains(trimmed)
        || WORDS_BESIDE_SHAPES.iter().any(|word| word.eq_ignore_ascii_case(trimmed))
}

/// Counts a value that means "no value".
pub(crate) fn no_value(value: &str, counts: &mut RuleCounts) -> Outcome {
    counts.add(if trim_blank(value).is_empty() { "text.blank" } else { "text.placeholder" });
    Outcome::Empty
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, RuleOptions, rule_for};

    #[test]
    fn words_are_compared_without_case() {
        let words = Placeholders::with(&[" Nie Bekend ".to_owned(), "ÄÖ".to_owned(), String::new(), "y".repeat(80)]);
        for word in ["nie bekend", "NIE BEKEND", "N/A", "äö", "ÄÖ", "–", &"Y".repeat(80)] {
            assert!(words.contains(word), "{word}");
        }
        for word in ["", "nie", "nie bekend.", "äöü", "Nancy", &"Y".repeat(81)] {
            assert!(!words.contains(word), "{word}");
        }
    }

    #[test]
    fn a_value_with_a_shape_has_letters_or_digits() {
        for word in ["", "-", "N/A", "none", "???", "nil", "X", "----------------------", "(tbd)", "To be confirmed"] {
            assert!(is_placeholder(word), "{word}");
        }
        for word in ["@", "0", "no-reply", "xxxxx", "nancy"] {
            assert!(!is_placeholder(word), "{word}");
        }
    }

    /// Every kind takes the built-in words and those of the options for "no value", and counts them.
    #[test]
    fn every_kind_knows_the_words() {
        let null_values =
            ["keine Angabe", "0000 000 000", "nobody@example.com", "http://x.co.za", "1900-01-01", "9999"];
        let null_values = null_values.map(str::to_owned).to_vec();
        let options = RuleOptions { null_values, ..RuleOptions::default() };
        for kind in Kind::ALL {
            let rule = rule_for(kind, &options);
            for (value, code) in [
                ("keine Angabe", "text.placeholder"),
                (" KEINE  ANGABE\n", "text.placeholder"),
                ("0000 000 000", "text.placeholder"),
                ("nobody@example.com", "text.placeholder"),
                ("http://X.co.za", "text.placeholder"),
                ("1900-01-01", "text.placeholder"),
                ("9999", "text.placeholder"),
                ("#N/A", "text.placeholder"),
                ("not applicable", "text.placeholder"),
                ("-", "text.placeholder"),
                (" \u{a0} ", "text.blank"),
                ("", "text.blank"),
            ] {
                let (mut scratch, mut counts) = (String::new(), RuleCounts::default());
                let outcome = rule.apply(0, value, &mut scratch, &mut counts);
                assert_eq!(outcome, Outcome::Empty, "{kind} {value:?}");
                assert_eq!(counts.iter().filter(|count| *count == (code, 1)).count(), 1, "{kind} {value:?} {counts:?}");
            }
        }
    }
}
