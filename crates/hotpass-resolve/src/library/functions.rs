//! The functions of conditions and rules beyond those of DuckDB.

use crate::kernels::{contact, nickname, organization, phonetic, postcode};
use crate::plan::TextSimilarity;

/// What a function is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FunctionKind {
    /// One record: a code or a part of a text, computed once per record. Null gives null.
    Record,
    /// Both records of a pair: a similarity or a distance. Null on either side gives null.
    PairMeasure,
}

/// The type of a function's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FunctionResult {
    /// Text; null where a text has no such part.
    Text,
    /// A list of texts, empty where a text has none.
    TextList,
    /// A floating point number.
    Number,
}

/// A function by its name in SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Function {
    /// The name, lower case.
    pub name: &'static str,
    /// What it is computed from.
    pub kind: FunctionKind,
    /// Number of arguments.
    pub n_arguments: usize,
    /// The type of its result.
    pub result: FunctionResult,
    /// A line that says what it gives.
    pub description: &'static str,
}

/// A function of one record's text.
#[derive(Debug, Clone, Copy)]
pub enum RecordFunction {
    /// From a text to a text or null.
    Text(fn(&str) -> Option<String>),
    /// From a text and a whole number, not negative, to a text or null.
    TextWithCount(fn(&str, usize) -> Option<String>),
    /// From a text to a list of texts.
    List(fn(&str) -> Vec<String>),
}

const fn text(name: &'static str, n_arguments: usize, description: &'static str) -> Function {
    Function { name, kind: FunctionKind::Record, n_arguments, result: FunctionResult::Text, description }
}

const fn list(name: &'static str, description: &'static str) -> Function {
    Function { name, kind: FunctionKind::Record, n_arguments: 1, result: FunctionResult::TextList, description }
}

const fn pair(name: &'static str, n_arguments: usize, description: &'static str) -> Function {
    Function { name, kind: FunctionKind::PairMeasure, n_arguments, result: FunctionResult::Number, description }
}

/// Every function, in order of name within its kind.
pub const FUNCTIONS: &[Function] = &[
    text("acronym", 1, "initials of an organisation's name; a single word as it is"),
    #[cfg(feature = "beider-morse")]
    list("beider_morse", "Beider–Morse phonetic codes"),
    text("cologne_phonetic", 1, "Cologne phonetic code, for German names"),
    list("double_metaphone", "Double Metaphone codes, primary and alternate"),
    text("metaphone", 1, "Metaphone code"),
    list("nickname_group", "full names that an English given name stands for"),
    text("nysiis", 1, "NYSIIS phonetic code"),
    text("organization_core", 1, "organisation's name without legal forms and filler words"),
    text("phone_digits", 1, "digits of a telephone number, extension left out"),
    text("phone_last_digits", 2, "last n digits of a telephone number"),
    text("postcode_area", 1, "area of a United Kingdom postcode"),
    text("postcode_compact", 1, "postcode in capitals and digits alone"),
    text("postcode_district", 1, "district of a United Kingdom postcode"),
    text("postcode_prefix", 2, "first n characters of the compact postcode"),
    text("postcode_sector", 1, "sector of a United Kingdom postcode"),
    text("soundex", 1, "American Soundex code"),
    text("web_domain", 1, "domain of a web or e-mail address"),
    text("web_name", 1, "registered part of a web or e-mail domain"),
    pair("distance_km", 4, "great-circle distance in km of latitude, longitude, latitude, longitude"),
    pair("monge_elkan", 2, "Monge–Elkan similarity with inner Jaro–Winkler, 0 to 1"),
    pair("organization_similarity", 2, "similarity of organisation names, 0 to 1"),
    pair("qgram_dice", 3, "Dice similarity of the sets of q-grams, 0 to 1"),
    pair("qgram_jaccard", 3, "Jaccard similarity of the sets of q-grams, 0 to 1"),
    pair("soft_tfidf", 2, "TF-IDF cosine over like-spelt tokens, 0 to 1"),
    pair("tfidf_cosine", 2, "cosine of TF-IDF vectors of tokens, 0 to 1"),
    pair("token_cosine", 2, "cosine of token counts, 0 to 1"),
    pair("token_jaccard", 2, "Jaccard similarity of the sets of tokens, 0 to 1"),
];

/// Finds a function by its name in lower case.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// Gives the implementation of a function of one record, by its name in lower case.
pub fn record_function(name: &str) -> Option<RecordFunction> {
    Some(match name {
        "acronym" => RecordFunction::Text(organization::acronym),
        #[cfg(feature = "beider-morse")]
        "beider_morse" => RecordFunction::List(phonetic::beider_morse),
        "cologne_phonetic" => RecordFunction::Text(phonetic::cologne_phonetic),
        "double_metaphone" => RecordFunction::List(phonetic::double_metaphone),
        "metaphone" => RecordFunction::Text(phonetic::metaphone),
        "nickname_group" => RecordFunction::List(nickname::nickname_group),
        "nysiis" => RecordFunction::Text(phonetic::nysiis),
        "organization_core" => RecordFunction::Text(organization::organization_core),
        "phone_digits" => RecordFunction::Text(contact::phone_digits),
        "phone_last_digits" => RecordFunction::TextWithCount(contact::phone_last_digits),
        "postcode_area" => RecordFunction::Text(postcode::postcode_area),
        "postcode_compact" => RecordFunction::Text(postcode::postcode_compact),
        "postcode_district" => RecordFunction::Text(postcode::postcode_district),
        "postcode_prefix" => RecordFunction::TextWithCount(postcode::postcode_prefix),
        "postcode_sector" => RecordFunction::Text(postcode::postcode_sector),
        "soundex" => RecordFunction::Text(phonetic::soundex),
        "web_domain" => RecordFunction::Text(contact::web_domain),
        "web_name" => RecordFunction::Text(contact::web_name),
        _ => return None,
    })
}

/// Gives the similarity that a pair measure of two texts computes, by its name in lower case.
///
/// `q` is the third argument of the q-gram functions, 1 to 255, and must be absent for the others.
pub fn text_similarity(name: &str, q: Option<u8>) -> Option<TextSimilarity> {
    match (name, q) {
        ("qgram_jaccard", Some(q @ 1..)) => Some(TextSimilarity::QGramJaccard { q }),
        ("qgram_dice", Some(q @ 1..)) => Some(TextSimilarity::QGramDice { q }),
        ("token_jaccard", None) => Some(TextSimilarity::TokenJaccard),
        ("token_cosine", None) => Some(TextSimilarity::TokenCosine),
        ("tfidf_cosine", None) => Some(TextSimilarity::TfIdfCosine),
        ("soft_tfidf", None) => Some(TextSimilarity::SoftTfIdf),
        ("monge_elkan", None) => Some(TextSimilarity::MongeElkan),
        ("organization_similarity", None) => Some(TextSimilarity::OrganizationName),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_implemented_as_listed() {
        for function in FUNCTIONS {
            let implementation = record_function(function.name);
            let matches = match (function.kind, function.result, function.n_arguments) {
                (FunctionKind::Record, FunctionResult::Text, 1) => {
                    matches!(implementation, Some(RecordFunction::Text(_)))
                }
                (FunctionKind::Record, FunctionResult::Text, 2) => {
                    matches!(implementation, Some(RecordFunction::TextWithCount(_)))
                }
                (FunctionKind::Record, FunctionResult::TextList, 1) => {
                    matches!(implementation, Some(RecordFunction::List(_)))
                }
                (FunctionKind::PairMeasure, FunctionResult::Number, 4) => function.name == "distance_km",
                (FunctionKind::PairMeasure, FunctionResult::Number, n_arguments) => {
                    text_similarity(function.name, (n_arguments == 3).then_some(2)).is_some()
                        && implementation.is_none()
                }
                _ => false,
            };
            assert!(matches, "{}", function.name);
        }
    }

    #[test]
    fn names_are_sorted_and_unknown_ones_absent() {
        assert!(FUNCTIONS.windows(2).all(|pair| pair[0].kind != pair[1].kind || pair[0].name < pair[1].name));
        assert_eq!(function("soundex").map(|function| function.n_arguments), Some(1));
        assert!(function("levenshtein").is_none() && record_function("levenshtein").is_none());
        assert_eq!(text_similarity("qgram_dice", None), None);
        assert_eq!(text_similarity("qgram_dice", Some(0)), None);
    }
}
