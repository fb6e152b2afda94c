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

/// For each first letter, the lengths of the abbreviations in [`WORDS`], a bit each.
const LENGTHS: [u32; 26] = {
    let mut lengths = [0; 26];
    let mut at = 0;
    while at < WORDS.len() {
        let word = WORDS[at].0.as_bytes();
        lengths[(word[0] - b'a') as usize] |= 1 << word.len();
        at += 1;
    }
    lengths
};

/// Returns the form that a word has in expanded keys.
fn expanded(word: &str) -> &str {
    let may_be = word.bytes().next().is_some_and(|first| {
        let lengths = LENGTHS.get(usize::from(first.wrapping_sub(b'a'))).copied().unwrap_or_default();
        word.len() < 32 && lengths & (1 << word.len()) != 0
    });
    if !may_be {
        return word;
    }
    WORDS.binary_search_by_key(&word, |(short, _)| short).map_or(word, |at| WORDS[at].1)
}

/// Appends the plain key of a name: folded words, `&` as `and`, without `the`, initials joined.
pub(super) fn append_key(core: &str, into: &mut String) {
    append_words(core, into, None);
}

/// Appends the plain key of a name to one text and the key with abbreviations written out to another.
pub(super) fn append_keys(core: &str, key: &mut String, expanded_key: &mut String) {
    append_words(core, key, Some(expanded_key));
}

/// Appends the mark and the branch, unless it is the head office, which is the organisation itself.
pub(super) fn append_branch(branch: &str, into: &mut String) {
    let length = into.len();
    into.push_str(BRANCH_MARK);
    let start = into.len();
    append_words(branch, into, None);
    for word in [" branch", " office", " depot"] {
        if into[start..].ends_with(word) {
            into.truncate(into.len() - word.len());
        }
    }
    if matches!(&into[start..], "" | "head" | "head office" | "hq" | "headquarters" | "main" | "hoofkantoor") {
        into.truncate(length);
    }
}

/// The words of a key that is being written.
struct Words<'a> {
    key: &'a mut String,
    expanded_key: Option<&'a mut String>,
    /// Where the key began.
    start: usize,
    /// Where the word at its end began.
    word: usize,
    /// Whether the word before was an initial.
    after_initial: bool,
}

impl Words<'_> {
    /// Ends the word at the end of the key.
    fn end(&mut self) {
        let word = &self.key[self.word..];
        if word.is_empty() {
            return;
        }
        if word == "the" {
            self.key.truncate(self.word);
            return;
        }
        let is_initial = word.len() == 1 && word.as_bytes()[0].is_ascii_alphabetic();
        let has_space = self.word > self.start && !(is_initial && self.after_initial);
        if let Some(expanded_key) = self.expanded_key.as_deref_mut() {
            if has_space {
                expanded_key.push(' ');
            }
            expanded_key.push_str(expanded(word));
        }
        if has_space {
            self.key.insert(self.word, ' ');
        }
        self.after_initial = is_initial;
        self.word = self.key.len();
    }
}

fn append_words(text: &str, key: &mut String, expanded_key: Option<&mut String>) {
    let start = key.len();
    let mut words = Words { key, expanded_key, start, word: start, after_initial: false };
    for character in text.chars() {
        match character {
            'a'..='z' | '0'..='9' => words.key.push(character),
            'A'..='Z' => words.key.push(character.to_ascii_lowercase()),
            '.' | '\'' | '’' | '`' => {}
            '&' | '+' => {
                words.end();
                words.key.push_str("and");
                words.end();
            }
            _ if character.is_ascii() => words.end(),
            _ if character.is_alphanumeric() => {
                let before = words.key.len();
                fold_char(character, words.key);
                // Some scripts fold to several words.
                if words.key[before..].bytes().any(|byte| !byte.is_ascii_alphanumeric()) {
                    let folded: String = words.key[before..].chars().filter(char::is_ascii_alphanumeric).collect();
                    words.key.truncate(before);
                    words.key.push_str(&folded);
                }
            }
            _ if unicode_normalization::char::is_combining_mark(character) => {}
            _ => words.end(),
        }
    }
    words.end();
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
            append_keys(input, &mut key, &mut wide);
            assert_eq!((key.as_str(), wide.as_str()), (plain, expanded), "{input}");
        }
    }
}
