//! Letter case of names: what is written all in capitals gets its usual form.

/// Words that stay in capitals inside a name that is turned to title case.
const ACRONYMS: &[&str] = &[
    "AA", "AMO", "ATO", "BMW", "CAA", "CBD", "CEO", "CFI", "CFO", "CIO", "COO", "CPT", "DHL", "FBO", "GP", "HR",
    "IATA", "ICAO", "ICT", "II", "III", "IT", "ITC", "IV", "JHB", "KZN", "MD", "NG", "NHS", "NSRI", "OR", "PA", "PR",
    "RSA", "SA", "SAA", "SAAF", "SABC", "SACAA", "SADC", "SANDF", "SAPS", "SARS", "SPCA", "UAE", "UAV", "UCT", "UK",
    "UN", "UNISA", "US", "USA", "VI", "VII", "VIII", "VIP", "VW", "WP", "XL", "YMCA", "YWCA",
];

/// Words that are joined in lower case inside a name.
const CONNECTING: &[&str] = &[
    "a", "and", "at", "by", "da", "das", "de", "del", "della", "den", "der", "des", "di", "do", "dos", "du", "e", "en",
    "et", "for", "in", "la", "le", "of", "on", "or", "te", "ter", "the", "to", "und", "van", "vir", "von", "with", "y",
    "zu",
];

/// Returns whether a text has letters, and all that have a case are capitals.
pub(crate) fn is_all_capitals(text: &str) -> bool {
    let mut capitals = 0_usize;
    for character in text.chars() {
        if character.is_lowercase() {
            return false;
        }
        capitals += usize::from(character.is_uppercase());
    }
    capitals > 0
}

/// Appends a text of capitals in title case; acronyms, initials and words with digits keep their form.
///
/// Returns whether anything changed. `name` words are separated by spaces; hyphens, apostrophes and brackets begin a new
/// part of a word.
pub(crate) fn title_case(text: &str, into: &mut String) -> bool {
    let start = into.len();
    for (position, word) in text.split(' ').enumerate() {
        if position > 0 {
            into.push(' ');
        }
        title_case_word(word, position == 0, into);
    }
    into[start..] != *text
}

fn title_case_word(word: &str, is_first: bool, into: &mut String) {
    let letters = || word.chars().filter(|character| character.is_alphabetic());
    let is_kept = word.chars().any(|character| character.is_ascii_digit())
        || (word.contains('.') && letters().count() > 1 && word.split('.').all(|part| part.chars().count() <= 1))
        || word.contains('&')
        || word.contains('/')
        || is_acronym(word, letters().count());
    if is_kept {
        into.push_str(word);
        return;
    }
    if !is_first && CONNECTING.iter().any(|known| known.eq_ignore_ascii_case(word)) {
        into.extend(word.chars().flat_map(char::to_lowercase));
        return;
    }
    capitalise(word, into);
}

/// Appends a word with a capital at the start of each of its parts: `O'BRIEN` gives `O'Brien`, `MCDONALD` gives `McDonald`.
pub(crate) fn capitalise(word: &str, into: &mut String) {
    let mut at_start = true;
    let mut seen = 0_usize;
    let is_scottish = word.len() > 4
        && word.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("mc"))
        && word.as_bytes()[2].is_ascii_alphabetic();
    for character in word.chars() {
        if !character.is_alphabetic() {
            let after_apostrophe = character == '\'';
            // `DEBBIE'S` keeps a small letter, `D'ARCY` and `O'BRIEN` do not.
            at_start = !after_apostrophe || seen <= 1;
            into.push(character);
            if !after_apostrophe {
                seen = 0;
            }
            continue;
        }
        if at_start || (is_scottish && seen == 2) {
            // A single upper-case form keeps the text stable: `ß` at a start has two letters and stays as it is.
            let mut upper = character.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(capital), None) => into.push(capital),
                _ => into.push(character),
            }
        } else {
            into.extend(character.to_lowercase());
        }
        seen += 1;
        at_start = false;
    }
}

fn is_acronym(word: &str, letters: usize) -> bool {
    let bare = word.trim_matches(|character: char| !character.is_alphanumeric());
    if letters == 0 || letters > 5 {
        return false;
    }
    if CONNECTING.iter().any(|known| known.eq_ignore_ascii_case(bare)) {
        return letters == 1
            && !bare.eq_ignore_ascii_case("a")
            && !bare.eq_ignore_ascii_case("e")
            && !bare.eq_ignore_ascii_case("y");
    }
    letters == 1
        || ACRONYMS.binary_search(&bare).is_ok()
        || !bare.chars().any(|letter| matches!(letter, 'A' | 'E' | 'I' | 'O' | 'U' | 'Y') || !letter.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acronyms_are_sorted_for_the_search() {
        assert!(ACRONYMS.is_sorted());
    }

    #[test]
    fn capitals_become_title_case() {
        for (input, expected) in [
            ("AERO CLUB OF SOUTH AFRICA", "Aero Club of South Africa"),
            ("THE FLYING SCHOOL", "The Flying School"),
            ("SAA TECHNICAL", "SAA Technical"),
            ("BDM HELICOPTERS", "BDM Helicopters"),
            ("O'BRIEN AND SONS", "O'Brien and Sons"),
            ("DEBBIE'S TOURS", "Debbie's Tours"),
            ("MCDONALD MOTORS", "McDonald Motors"),
            ("JOHN-PAUL AVIATION", "John-Paul Aviation"),
            ("A.B.C. MOTORS", "A.B.C. Motors"),
            ("H&M STORES", "H&M Stores"),
            ("BRIGADE 44", "Brigade 44"),
            ("VAN DER MERWE TRANSPORT", "Van der Merwe Transport"),
            ("(NORTH) OFFICE", "(North) Office"),
            ("SOCIÉTÉ GÉNÉRALE", "Société Générale"),
            ("KZN TOURS II", "KZN Tours II"),
        ] {
            let mut output = String::new();
            assert!(title_case(input, &mut output), "{input}");
            assert_eq!(output, expected);
        }
    }
}
