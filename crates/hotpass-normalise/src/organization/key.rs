//! Keys under which names of one organisation meet.

use crate::fold::fold_char;

/// Abbreviations and other spellings of words in names of organisations, sorted; the right side is the form of keys.
const WORDS: &[(&str, &str)] = &[
    ("acad", "academy"),
    ("admin", "administration"),
    ("agric", "agriculture"),
    ("assoc", "association"),
    ("assocs", "associates"),
    ("ave", "avenue"),
    ("avn", "aviation"),
    ("bldg", "building"),
    ("bros", "brothers"),
    ("center", "centre"),
    ("centers", "centres"),
    ("comms", "communications"),
    ("constr", "construction"),
    ("constrn", "construction"),
    ("consult", "consulting"),
    ("consultancy", "consulting"),
    ("consultant", "consulting"),
    ("consultants", "consulting"),
    ("corp", "corporation"),
    ("dept", "department"),
    ("dev", "development"),
    ("dist", "distributors"),
    ("distr", "distributors"),
    ("elec", "electrical"),
    ("eng", "engineering"),
    ("engr", "engineering"),
    ("engrs", "engineers"),
    ("equip", "equipment"),
    ("fin", "financial"),
    ("fndn", "foundation"),
    ("govt", "government"),
    ("grp", "group"),
    ("heli", "helicopters"),
    ("helis", "helicopters"),
    ("hosp", "hospital"),
    ("ind", "industries"),
    ("inds", "industries"),
    ("inst", "institute"),
    ("int", "international"),
    ("intl", "international"),
    ("inv", "investments"),
    ("invest", "investments"),
    ("invs", "investments"),
    ("jnr", "junior"),
    ("lab", "laboratory"),
    ("labour", "labor"),
    ("labs", "laboratories"),
    ("maint", "maintenance"),
    ("mfg", "manufacturing"),
    ("mfrs", "manufacturers"),
    ("mgmt", "management"),
    ("mgt", "management"),
    ("mkt", "market"),
    ("mktg", "marketing"),
    ("nat", "national"),
    ("natl", "national"),
    ("org", "organization"),
    ("organisation", "organization"),
    ("pharm", "pharmacy"),
    ("prim", "primary"),
    ("prod", "products"),
    ("prods", "products"),
    ("prop", "properties"),
    ("props", "properties"),
    ("sch", "school"),
    ("schl", "school"),
    ("sec", "secondary"),
    ("serv", "services"),
    ("servs", "services"),
    ("soc", "society"),
    ("sta", "station"),
    ("svc", "services"),
    ("svcs", "services"),
    ("sys", "systems"),
    ("tech", "technologies"),
    ("technology", "technologies"),
    ("techs", "technologies"),
    ("telecommunications", "telecoms"),
    ("tpt", "transport"),
    ("tptn", "transport"),
    ("trans", "transport"),
    ("transp", "transport"),
    ("trng", "training"),
    ("univ", "university"),
    ("vet", "veterinary"),
];

/// What separates the branch from the name in a key.
pub(super) const BRANCH_MARK: &str = " @ ";

/// Appends the plain key of a name: folded words, `&` as `and`, without `the`, initials joined.
pub(super) fn append_key(core: &str, into: &mut String) {
    append_words(core, into, |word| word);
}

/// Appends the key with abbreviations written out.
pub(super) fn append_expanded_key(core: &str, into: &mut String) {
    append_words(core, into, |word| match WORDS.binary_search_by_key(&word, |(short, _)| short) {
        Ok(at) => WORDS[at].1,
        Err(_) => word,
    });
}

/// Appends the mark and the branch, unless it is the head office, which is the organisation itself.
pub(super) fn append_branch(branch: &str, into: &mut String) {
    let length = into.len();
    into.push_str(BRANCH_MARK);
    let start = into.len();
    append_words(branch, into, |word| word);
    for word in [" branch", " office", " depot"] {
        if into[start..].ends_with(word) {
            into.truncate(into.len() - word.len());
        }
    }
    if matches!(&into[start..], "" | "head" | "head office" | "hq" | "headquarters" | "main" | "hoofkantoor") {
        into.truncate(length);
    }
}

fn append_words(text: &str, into: &mut String, expand: impl Fn(&str) -> &str) {
    let start = into.len();
    let mut word = String::new();
    let mut initials = false;
    let mut flush = |word: &mut String, into: &mut String| {
        if word.is_empty() {
            return;
        }
        if word != "the" {
            let is_initial = word.len() == 1 && word.as_bytes()[0].is_ascii_alphabetic();
            if into.len() > start && !(is_initial && initials) {
                into.push(' ');
            }
            initials = is_initial;
            into.push_str(expand(word));
        }
        word.clear();
    };
    for character in text.chars() {
        match character {
            '.' | '\'' | '’' | '`' => {}
            '&' | '+' => {
                flush(&mut word, into);
                word.push_str("and");
                flush(&mut word, into);
            }
            _ if character.is_ascii_alphanumeric() => word.push(character.to_ascii_lowercase()),
            _ if character.is_ascii() => flush(&mut word, into),
            _ if character.is_alphanumeric() => {
                let before = word.len();
                fold_char(character, &mut word);
                // Some scripts fold to several words.
                let folded: String = word[before..].chars().filter(char::is_ascii_alphanumeric).collect();
                word.truncate(before);
                word.push_str(&folded);
            }
            _ if unicode_normalization::char::is_combining_mark(character) => {}
            _ => flush(&mut word, into),
        }
    }
    flush(&mut word, into);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_for_the_search() {
        assert!(WORDS.is_sorted_by_key(|(short, _)| *short));
    }

    #[test]
    fn keys() {
        for (input, plain, expanded) in [
            ("The Aero Club", "aero club", "aero club"),
            ("Lukazi & Breytenstein", "lukazi and breytenstein", "lukazi and breytenstein"),
            ("J. P. Morgan", "jp morgan", "jp morgan"),
            ("J.P. Morgan", "jp morgan", "jp morgan"),
            ("Coastal Aircraft Maint", "coastal aircraft maint", "coastal aircraft maintenance"),
            ("O'Brien-Smith", "obrien smith", "obrien smith"),
            ("Société Générale", "societe generale", "societe generale"),
            ("Intl Sch", "intl sch", "international school"),
        ] {
            let (mut key, mut wide) = (String::new(), String::new());
            append_key(input, &mut key);
            append_expanded_key(input, &mut wide);
            assert_eq!((key.as_str(), wide.as_str()), (plain, expanded), "{input}");
        }
    }
}
