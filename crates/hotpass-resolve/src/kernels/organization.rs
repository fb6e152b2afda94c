//! Names of organisations: legal forms, filler words, acronyms.

use std::borrow::Cow;
use std::sync::LazyLock;

use hashbrown::HashMap;

use super::tokens::{Tokens, Vectors, word_vectors};

/// Spellings of legal forms by class; two forms of one class are the same kind of body.
///
/// Folded, words separated by single spaces, punctuation dropped (so `(Pty) Ltd` and `Pty. Ltd.` are `pty ltd`). Names of common
/// knowledge from company registers; a spelling that is a word of its own in names (`group`, `holdings`) is not in the table.
const LEGAL_FORMS: &[(&str, &[&str])] = &[
    // Private limited companies, the world over.
    (
        "private",
        &[
            "pty ltd",
            "pty limited",
            "proprietary limited",
            "proprietary ltd",
            "pty",
            "edms bpk",
            "eiendoms beperk",
            "ltd",
            "limited",
            "bpk",
            "beperk",
            "private limited",
            "private ltd",
            "pvt ltd",
            "pvt limited",
            "pte ltd",
            "pte limited",
            "sdn bhd",
            "co ltd",
            "company limited",
            "company ltd",
            "co limited",
            "cyf",
            "cyfyngedig",
            "teoranta",
            "teo",
            "designated activity company",
            "dac",
            "llc",
            "l l c",
            "limited liability company",
            "lc",
            "ltd co",
            "gmbh",
            "g m b h",
            "ggmbh",
            "gesellschaft mit beschrankter haftung",
            "mbh",
            "ug",
            "ug haftungsbeschrankt",
            "gmbh co kg",
            "gmbh and co kg",
            "ges m b h",
            "gesmbh",
            "sarl",
            "s a r l",
            "sasu",
            "sas",
            "s a s",
            "eurl",
            "bv",
            "b v",
            "besloten vennootschap",
            "bvba",
            "srl",
            "s r l",
            "srls",
            "sl",
            "s l",
            "slu",
            "s l u",
            "sociedad limitada",
            "lda",
            "limitada",
            "ltda",
            "sp z o o",
            "spolka z o o",
            "sro",
            "s r o",
            "spol s r o",
            "doo",
            "d o o",
            "kft",
            "ood",
            "eood",
            "uab",
            "sia",
            "ou",
            "oy",
            "aps",
            "as norge",
            "epe",
            "ike",
            "ooo",
            "tov",
            "ltd sti",
            "sti",
            "s de rl de cv",
            "s de r l de c v",
            "kk",
            "k k",
            "kabushiki kaisha",
            "godo kaisha",
            "yugen kaisha",
        ],
    ),
    // Companies whose shares trade or may trade.
    (
        "public",
        &[
            "plc",
            "public limited company",
            "ccc",
            "inc",
            "incorporated",
            "corp",
            "corporation",
            "ag",
            "a g",
            "aktiengesellschaft",
            "kgaa",
            "sa",
            "s a",
            "societe anonyme",
            "sociedad anonima",
            "nv",
            "n v",
            "naamloze vennootschap",
            "spa",
            "s p a",
            "se",
            "societas europaea",
            "oyj",
            "ab",
            "a b",
            "aktiebolag",
            "asa",
            "a s",
            "as",
            "aktieselskab",
            "akciova spolecnost",
            "nyrt",
            "zrt",
            "rt",
            "sca",
            "bhd",
            "tbk",
            "pao",
            "oao",
            "ao",
            "zao",
            "dd",
            "d d",
            "ad",
            "a d",
            "jsc",
            "ojsc",
            "cjsc",
            "pjsc",
            "saoc",
            "saog",
            "sa de cv",
            "s a de c v",
            "s a c",
            "sac",
            "saic",
            "anonim sirketi",
            "anonim sti",
        ],
    ),
    // Partnerships and sole owners.
    (
        "partnership",
        &[
            "llp",
            "l l p",
            "limited liability partnership",
            "lp",
            "l p",
            "limited partnership",
            "lllp",
            "kg",
            "k g",
            "kommanditgesellschaft",
            "ohg",
            "gbr",
            "ek",
            "e k",
            "snc",
            "s n c",
            "sas di",
            "cv",
            "c v",
            "vof",
            "v o f",
            "sc",
            "scs",
            "ks",
            "k s",
            "hb",
            "ky",
            "partnership",
            "sole proprietor",
            "sp k",
            "sp j",
        ],
    ),
    // Close corporations of South Africa.
    ("close corporation", &["cc", "c c", "close corporation", "bk", "beslote korporasie"]),
    // Bodies without shareholders.
    (
        "non-profit",
        &[
            "npc",
            "n p c",
            "non profit company",
            "nonprofit company",
            "npo",
            "ngo",
            "rf npc",
            "section 21",
            "cic",
            "community interest company",
            "cio",
            "clg",
            "company limited by guarantee",
            "ev",
            "e v",
            "eingetragener verein",
            "ggmbh",
            "stiftung",
            "asbl",
            "a s b l",
            "vzw",
            "v z w",
            "onlus",
            "ets",
        ],
    ),
    // Co-operatives.
    (
        "co-operative",
        &[
            "coop",
            "co op",
            "cooperative",
            "co operative",
            "eg",
            "e g",
            "genossenschaft",
            "scop",
            "ptc",
            "primary co operative limited",
            "bpk cooperative",
        ],
    ),
    // Companies of professionals and of the state.
    ("professional", &["pc", "p c", "pllc", "p l l c", "pa", "p a", "professional corporation"]),
    ("state", &["soc", "soc ltd", "soc limited", "state owned company"]),
    // What says no more than that it is a company.
    ("company", &["co", "company", "cie", "compagnie"]),
];

/// Words that tell nothing apart.
const FILLER_WORDS: [&str; 28] = [
    "and", "the", "of", "for", "in", "at", "on", "de", "del", "la", "le", "les", "el", "los", "las", "du", "des", "di",
    "da", "do", "dos", "und", "fur", "van", "der", "et", "en", "y",
];

/// Short spellings that are written out before names are compared.
const WRITTEN_OUT: [(&str, &str); 36] = [
    ("intl", "international"),
    ("int", "international"),
    ("natl", "national"),
    ("nat", "national"),
    ("mfg", "manufacturing"),
    ("mfrs", "manufacturers"),
    ("assn", "association"),
    ("assoc", "associates"),
    ("bros", "brothers"),
    ("univ", "university"),
    ("dept", "department"),
    ("govt", "government"),
    ("tech", "technology"),
    ("technologies", "technology"),
    ("svc", "services"),
    ("svcs", "services"),
    ("service", "services"),
    ("serv", "services"),
    ("mgmt", "management"),
    ("mgt", "management"),
    ("eng", "engineering"),
    ("engg", "engineering"),
    ("grp", "group"),
    ("hldgs", "holdings"),
    ("holding", "holdings"),
    ("inst", "institute"),
    ("hosp", "hospital"),
    ("ind", "industries"),
    ("inds", "industries"),
    ("industry", "industries"),
    ("solution", "solutions"),
    ("sys", "systems"),
    ("system", "systems"),
    ("ctr", "centre"),
    ("center", "centre"),
    ("st", "saint"),
];

/// Longest legal form in words.
const MAXIMUM_FORM_WORDS: usize = 6;
/// Jaro–Winkler similarity above which two words count as spellings of one.
const WORD_THRESHOLD: f64 = 0.88;
/// What an acronym that fits, or words run together, count for.
const ACRONYM_SIMILARITY: f64 = 0.9;
/// What names count that agree while their legal forms differ in class.
const DIFFERENT_FORM_FACTOR: f64 = 0.95;

/// A name taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationName {
    /// The words in order, folded, without legal forms and filler words, short spellings written out; with them if nothing else is left.
    pub words: Vec<String>,
    /// The classes of the legal forms, sorted, without duplicates.
    pub forms: Vec<&'static str>,
}

impl OrganizationName {
    /// Takes a name apart.
    pub fn parse(name: &str) -> Self {
        let folded = fold(name);
        let all: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
        let (rest, forms) = without_forms(&all);
        let telling: Vec<&str> = rest.iter().copied().filter(|word| !FILLER_WORDS.contains(word)).collect();
        let kept = [telling, rest, all].into_iter().find(|words| !words.is_empty()).unwrap_or_default();
        Self { words: kept.into_iter().map(written_out).map(str::to_owned).collect(), forms }
    }

    /// Gives the initials of two or more words; a single word as it is, since it may be an acronym itself.
    pub fn acronym(&self) -> Option<String> {
        match self.words.as_slice() {
            [] => None,
            [word] => Some(word.clone()),
            words => Some(words.iter().filter_map(|word| word.chars().next()).collect()),
        }
    }
}

/// Gives an organisation's name without legal forms and filler words, folded, words in order; none for a text without letters or digits.
///
/// `The Acme Trading Company (Pty) Ltd` gives `acme trading`.
pub fn organization_core(name: &str) -> Option<String> {
    let words = OrganizationName::parse(name).words;
    (!words.is_empty()).then(|| words.join(" "))
}

/// Gives the initials of an organisation's name, legal forms and filler words left out; of a single word the word itself.
///
/// `International Business Machines Corp.` gives `ibm`, and so does `IBM Inc`.
pub fn acronym(name: &str) -> Option<String> {
    OrganizationName::parse(name).acronym()
}

/// Gives the similarity of two names of organisations, 0 to 1, the same both ways.
///
/// The larger of these, times 0.95 if both names carry legal forms of which no two are of one class:
/// - the share of agreeing words by length: each word of either name takes its best Jaro–Winkler similarity to a word of the other, 0 up
///   to 0.88 and for words with digits that differ, weighted by its number of characters (Monge and Elkan 1996, both ways, with a floor);
/// - 0.9 if one name is the acronym of the other's two or more words;
/// - 0.9 if the names agree once their words are run together.
///
/// Word order does not matter. Two names without letters or digits score 1, one of them 0.
pub fn organization_similarity(left: &str, right: &str) -> f64 {
    Organizations::new([left, right].into_iter()).similarity(0, 1)
}

/// Names of organisations prepared for comparing.
#[derive(Debug)]
pub(super) struct Organizations {
    words: Vectors,
    tokens: Tokens,
    names: Vec<Prepared>,
}

#[derive(Debug)]
struct Prepared {
    /// Id of the words run together.
    run_together: u32,
    /// Id of the acronym of two or more words.
    acronym: Option<u32>,
    /// A bit for each class of legal form.
    forms: u16,
}

impl Organizations {
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let parsed: Vec<OrganizationName> = names.map(OrganizationName::parse).collect();
        let (words, tokens) = word_vectors(parsed.iter().map(|name| name.words.as_slice()));
        let mut ids: HashMap<String, u32> = HashMap::new();
        let mut id_of = |text: String| {
            let next = ids.len() as u32;
            *ids.entry(text).or_insert(next)
        };
        let names = parsed
            .iter()
            .map(|name| Prepared {
                run_together: id_of(name.words.concat()),
                acronym: (name.words.len() > 1).then(|| id_of(name.acronym().unwrap_or_default())),
                forms: name.forms.iter().fold(0, |bits, form| bits | form_bit(form)),
            })
            .collect();
        Self { words, tokens, names }
    }

    pub(super) fn similarity(&self, left: usize, right: usize) -> f64 {
        let (left_weights, right_weights) = (self.words.of(left).1, self.words.of(right).1);
        if left_weights.is_empty() || right_weights.is_empty() {
            return f64::from(u8::from(left_weights.is_empty() && right_weights.is_empty()));
        }
        let agreeing = self.words.sums_of_best(&self.tokens, left, right, WORD_THRESHOLD, |best| best.similarity);
        let n_characters: f64 = left_weights.iter().chain(right_weights).sum();
        let share = (agreeing.0 + agreeing.1) / n_characters;
        let (a, b) = (&self.names[left], &self.names[right]);
        let is_acronym = |words: &[f64], short: &Prepared, long: &Prepared| {
            words.len() == 1 && long.acronym == Some(short.run_together)
        };
        let alike =
            a.run_together == b.run_together || is_acronym(left_weights, a, b) || is_acronym(right_weights, b, a);
        let similarity = if alike { share.max(ACRONYM_SIMILARITY) } else { share };
        let differ = a.forms != 0 && b.forms != 0 && a.forms & b.forms == 0;
        (if differ { similarity * DIFFERENT_FORM_FACTOR } else { similarity }).min(1.0)
    }
}

/// Gives the bit of a class of legal forms.
fn form_bit(class: &str) -> u16 {
    LEGAL_FORMS.iter().position(|(name, _)| *name == class).map_or(0, |at| 1 << at)
}

/// Folds a text: transliterated to ASCII, lower case, `&` and `+` as `and`, apostrophes and dots inside words dropped, all else that is no letter or digit a single space.
pub fn fold(text: &str) -> String {
    let ascii = if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(deunicode::deunicode(text)) };
    let mut folded = String::with_capacity(ascii.len());
    for character in ascii.chars() {
        match character {
            'a'..='z' | '0'..='9' => folded.push(character),
            'A'..='Z' => folded.push(character.to_ascii_lowercase()),
            '&' | '+' => folded.push_str(" and "),
            '\'' | '`' => {}
            _ => folded.push(' '),
        }
    }
    let mut words = String::with_capacity(folded.len());
    for word in folded.split_ascii_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words
}

fn written_out(word: &str) -> &str {
    WRITTEN_OUT.iter().find(|(short, _)| *short == word).map_or(word, |(_, long)| long)
}

/// Takes out legal forms: the longest at each place, anywhere but at the start of the name.
fn without_forms<'a>(words: &[&'a str]) -> (Vec<&'a str>, Vec<&'static str>) {
    static CLASSES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
        LEGAL_FORMS.iter().flat_map(|(class, forms)| forms.iter().map(move |form| (*form, *class))).collect()
    });

    let (mut rest, mut forms) = (Vec::with_capacity(words.len()), Vec::new());
    let mut at = 0;
    while at < words.len() {
        let longest = (1..=MAXIMUM_FORM_WORDS.min(words.len() - at)).rev().find_map(|length| {
            let class = CLASSES.get(words[at..at + length].join(" ").as_str())?;
            // A single short word inside a name is a word (`Da Co Ma`); a form of one word ends the name or another form follows.
            let is_form = at > 0 && (length > 1 || is_end(&words[at + 1..], &CLASSES));
            is_form.then_some((length, *class))
        });
        if let Some((length, class)) = longest {
            forms.push(class);
            at += length;
        } else {
            rest.push(words[at]);
            at += 1;
        }
    }
    forms.sort_unstable();
    forms.dedup();
    if forms.len() > 1 {
        forms.retain(|form| *form != "company");
    }
    (rest, forms)
}

/// Tells whether only legal forms and filler words follow.
fn is_end(words: &[&str], classes: &HashMap<&str, &str>) -> bool {
    words.iter().all(|word| classes.contains_key(word) || FILLER_WORDS.contains(word) || word.len() == 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_core(name: &str, expected: Option<&str>) {
        assert_eq!(organization_core(name).as_deref(), expected, "core of {name}");
    }

    #[test]
    fn legal_forms_of_many_countries_are_left_out() {
        for name in [
            "Acme Trading (Pty) Ltd",
            "ACME TRADING PTY. LIMITED",
            "The Acme Trading Company",
            "Acme Trading Co., Inc.",
            "Acme Trading CC",
            "Acme Trading (Edms) Bpk",
            "Acme Trading NPC",
            "Acme Trading plc",
            "Acme Trading L.L.C.",
            "Acme Trading LLP",
            "Acme Trading GmbH & Co. KG",
            "Acme Trading S.A.R.L.",
            "Acme Trading S.p.A.",
            "Acme Trading B.V.",
            "Acme Trading Sp. z o.o.",
            "Acme Trading S.A. de C.V.",
            "Acme Trading Sdn Bhd",
            "Acme Trading A/S",
            "Acme Trading Oy",
        ] {
            check_core(name, Some("acme trading"));
        }
    }

    #[test]
    fn what_is_left_is_never_empty_unless_the_name_is() {
        check_core("AG", Some("ag"));
        check_core("The Co", Some("the"));
        check_core("of the", Some("of the"));
        check_core("Co-op", Some("co op"));
        check_core("Société Générale SA", Some("societe generale"));
        check_core("SA Breweries", Some("sa breweries"));
        check_core("", None);
        check_core("—", None);
    }

    #[test]
    fn acronyms_meet_the_names_they_stand_for() {
        assert_eq!(acronym("International Business Machines Corp.").as_deref(), Some("ibm"));
        assert_eq!(acronym("IBM Inc").as_deref(), Some("ibm"));
        assert_eq!(acronym("University of the Witwatersrand").as_deref(), Some("uw"));
        assert_eq!(acronym(""), None);
    }

    #[test]
    fn similarity_looks_through_form_order_acronym_and_spaces() {
        let check = |left: &str, right: &str, low: f64, high: f64| {
            let similarity = organization_similarity(left, right);
            assert!((low..=high).contains(&similarity), "{left} / {right}: {similarity}");
        };
        check("Acme Trading (Pty) Ltd", "ACME TRADING", 1.0, 1.0);
        check("Acme Trading Ltd", "Trading Acme", 1.0, 1.0);
        check("Acme Trading Ltd", "Acme Trading CC", 0.95, 0.95);
        check("IBM", "International Business Machines", 0.9, 0.9);
        check("Face Book", "Facebook Inc", 0.9, 1.0);
        check("Smith & Sons", "Smyth and Sons", 0.9, 0.99);
        check("Shop 12", "Shop 13", 0.5, 0.7);
        check("Acme Trading", "Zenith Mining", 0.0, 0.2);
        check("", "", 1.0, 1.0);
        check("", "Acme", 0.0, 0.0);
    }

    proptest! {
        #[test]
        fn similarity_is_symmetric_bounded_and_1_for_the_same(left in "\\PC{0,24}|([A-Za-z]{1,7} ){1,4}(Ltd|CC|Inc)?", right in "([A-Za-z]{1,3} ){0,4}(Pty Ltd|GmbH)?") {
            let similarity = organization_similarity(&left, &right);
            prop_assert!((0.0..=1.0).contains(&similarity));
            prop_assert!((similarity - organization_similarity(&right, &left)).abs() < 1e-12);
            prop_assert!((organization_similarity(&left, &left) - 1.0).abs() < 1e-12);
        }
    }
}
