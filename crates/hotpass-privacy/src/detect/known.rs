//! Names of people of whom a text may speak.

use super::{Evidence, Span};
use crate::class::DataClass;

/// Letters that a part of a name needs so that it is looked for alone; a family name needs one more.
const PART: usize = 3;

/// Finds names within a text: whole ones in any case, and their first and last parts where they begin with a capital or the text
/// has none.
pub(super) fn spans(text: &str, people: &[String]) -> Vec<Span> {
    let mut found = Vec::new();
    let words = words(text);
    let capitals = text.chars().any(char::is_uppercase);
    for name in people {
        let parts: Vec<String> = name
            .split(|c: char| !is_letter(c))
            .filter(|part| part.chars().any(char::is_alphanumeric))
            .map(str::to_lowercase)
            .collect();
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else { continue };
        for (place, (start, _, _)) in words.iter().enumerate() {
            let end = words.get(place + parts.len() - 1).filter(|_| {
                parts.len() > 1 && words[place..].iter().zip(&parts).all(|((_, _, word), part)| word == part)
            });
            if let Some((_, end, _)) = end {
                found.push(span(*start..*end, 0.86));
            }
        }
        let alone = |part: &String, letters: usize| part.chars().count() >= letters;
        for (start, end, word) in &words {
            let is_part = (word == first && alone(first, PART)) || (word == last && alone(last, PART + 1));
            let written_as_name = !capitals || text[*start..].starts_with(char::is_uppercase);
            if is_part && written_as_name {
                found.push(span(*start..*end, 0.55));
            }
        }
    }
    found
}

fn span(range: std::ops::Range<usize>, confidence: f64) -> Span {
    Span { range, class: DataClass::PersonName, confidence, evidence: Evidence::NameList }
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\'' | '’' | '-')
}

/// Returns the words with their places, in small letters; `'s` at an end is no part of one.
fn words(text: &str) -> Vec<(usize, usize, String)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (is_letter(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let word = &text[from..at];
                let word = ["'s", "’s"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
                found.push((from, from + word.len(), word.to_lowercase()));
                start = None;
            }
            _ => {}
        }
    }
    found
}
