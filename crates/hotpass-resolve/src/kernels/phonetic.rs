//! Phonetic codes of names, after folding to Latin letters.
//!
//! The text is transliterated to ASCII first (`José` as `JOSE`, `Łódź` as `LODZ`) and everything but letters is dropped, so no
//! input can upset an encoder. A text without letters has no code.

use std::borrow::Cow;

use rphonetic::{Cologne, DoubleMetaphone, Encoder, Metaphone, Nysiis, Soundex};

/// Longest run of letters that is encoded; what follows adds nothing to any of the codes but time.
const MAXIMUM_LETTERS: usize = 64;

/// Gives the Soundex code: the first letter and three digits.
///
/// American Soundex as the US National Archives describe it (letters of one code on both sides of H or W count once).
pub fn soundex(text: &str) -> Option<String> {
    encode(text, |letters| Soundex::default().encode(letters))
}

/// Gives the Metaphone code of at most four letters (Philips 1990, *Hanging on the Metaphone*).
pub fn metaphone(text: &str) -> Option<String> {
    encode(text, |letters| Metaphone::default().encode(letters))
}

/// Gives the distinct Double Metaphone codes, the primary one first (Philips 2000, *The Double Metaphone Search Algorithm*).
///
/// A list of one or two codes of at most four letters, empty for a text without a code.
pub fn double_metaphone(text: &str) -> Vec<String> {
    let letters = letters(text);
    if letters.is_empty() {
        return Vec::new();
    }
    let result = DoubleMetaphone::default().double_metaphone(&letters);
    let mut codes = vec![result.primary()];
    codes.push(result.alternate());
    codes.retain(|code| !code.is_empty());
    codes.dedup();
    codes
}

/// Gives the NYSIIS code of at most six letters (Taft 1970, *Name Search Techniques*).
pub fn nysiis(text: &str) -> Option<String> {
    encode(text, |letters| Nysiis::default().encode(letters))
}

/// Gives the Cologne code, digits made for German names (Postel 1969, *Die Kölner Phonetik*).
pub fn cologne_phonetic(text: &str) -> Option<String> {
    encode(text, |letters| Cologne.encode(letters))
}

/// Gives the Beider–Morse codes, generic names, approximate rules (Beider and Morse 2008, *Beider–Morse Phonetic Matching*).
///
/// The list is sorted and without duplicates, empty for a text without a code.
#[cfg(feature = "beider-morse")]
pub fn beider_morse(text: &str) -> Vec<String> {
    use std::sync::LazyLock;

    use rphonetic::{BeiderMorseBuilder, ConfigFiles};

    static RULES: LazyLock<ConfigFiles> = LazyLock::new(ConfigFiles::default);

    let letters = letters(text).to_ascii_lowercase();
    if letters.is_empty() {
        return Vec::new();
    }
    let encoded = BeiderMorseBuilder::new(&RULES).build().encode(&letters);
    let mut codes: Vec<String> =
        encoded.split(['(', ')', '|', '-']).filter(|code| !code.is_empty()).map(str::to_owned).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn encode(text: &str, encoder: impl Fn(&str) -> String) -> Option<String> {
    let letters = letters(text);
    if letters.is_empty() {
        return None;
    }
    Some(encoder(&letters)).filter(|code| !code.is_empty())
}

/// Transliterates to upper-case ASCII letters and drops everything else.
fn letters(text: &str) -> String {
    let ascii = if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(deunicode::deunicode(text)) };
    ascii
        .bytes()
        .filter(u8::is_ascii_alphabetic)
        .take(MAXIMUM_LETTERS)
        .map(|byte| char::from(byte.to_ascii_uppercase()))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(code: fn(&str) -> Option<String>, cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            assert_eq!(code(text).as_deref(), Some(*expected), "code of {text}");
        }
    }

    #[test]
    fn soundex_gives_the_published_codes() {
        check(
            soundex,
            &[
                ("Robert", "R163"),
                ("Rupert", "R163"),
                ("Tymczak", "T522"),
                ("Pfister", "P236"),
                ("Honeyman", "H555"),
                ("Ashcraft", "A261"),
                ("Müller", "M460"),
                ("O'Hara", "O600"),
            ],
        );
    }

    #[test]
    fn other_codes_put_like_sounding_names_together() {
        check(metaphone, &[("Knight", "NT"), ("Night", "NT"), ("Thumb", "0M")]);
        check(cologne_phonetic, &[("Müller-Lüdenscheidt", "65752682"), ("Breschnew", "17863"), ("Wikipedia", "3412")]);
        assert_eq!(nysiis("Knuth"), nysiis("Nuth"));
        assert_eq!(cologne_phonetic("Meier"), cologne_phonetic("Mayr"));
    }

    #[test]
    fn double_metaphone_gives_both_codes() {
        assert_eq!(double_metaphone("Smith"), ["SM0", "XMT"]);
        assert_eq!(double_metaphone("Schmidt"), ["XMT", "SMT"]);
        assert_eq!(double_metaphone("Bob"), ["PP"]);
    }

    #[test]
    fn a_text_without_letters_has_no_code() {
        for text in ["", " ", "123", "-'.", "\u{0}"] {
            assert_eq!(soundex(text), None);
            assert_eq!(metaphone(text), None);
            assert_eq!(nysiis(text), None);
            assert_eq!(cologne_phonetic(text), None);
            assert!(double_metaphone(text).is_empty());
        }
    }

    #[cfg(feature = "beider-morse")]
    #[test]
    fn beider_morse_codes_of_variants_overlap() {
        let left = beider_morse("Schwarz");
        let right = beider_morse("Szwarc");
        assert!(left.iter().any(|code| right.contains(code)), "{left:?} {right:?}");
        assert!(beider_morse("12").is_empty());
    }

    proptest! {
        #[test]
        fn no_text_upsets_an_encoder(text in "\\PC{0,24}|[A-Za-z '\\-]{0,20}|[À-ž]{0,12}") {
            for code in [soundex(&text), metaphone(&text), nysiis(&text), cologne_phonetic(&text)].into_iter().flatten() {
                prop_assert!(!code.is_empty() && code.is_ascii());
            }
            prop_assert!(double_metaphone(&text).len() <= 2);
        }

        #[test]
        fn case_and_marks_do_not_change_a_code(text in "[a-z]{1,12}") {
            let marked: String = text.replace('e', "é").replace('u', "ü").to_uppercase();
            prop_assert_eq!(soundex(&text), soundex(&marked));
            prop_assert_eq!(nysiis(&text), nysiis(&marked));
        }
    }
}
