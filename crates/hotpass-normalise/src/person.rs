//! Names of persons: order, titles, particles, initials, suffixes and roles in brackets.

use crate::letter_case::{capitalise, is_all_capitals};
use crate::text::clean_characters;
use crate::{FieldRule, Outcome, RuleCounts, TextRule};

/// The name of a person in its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonName {
    /// The whole name in reading order, without title and role: `Jan van der Merwe Jr`.
    pub display: String,
    /// The title, such as `Dr`.
    pub title: Option<String>,
    /// Given names and initials.
    pub given: Option<String>,
    /// The family name with its particles.
    pub family: Option<String>,
    /// What follows the family name, such as `Jr` or `PhD`.
    pub suffix: Option<String>,
    /// The role written in brackets or in place of a name.
    pub role: Option<String>,
}

/// Longest text that can be a name, in bytes.
const LONGEST_NAME: usize = 1_000;

/// How often a name is looked at again before it is given up.
const MOST_LOOKS: usize = 5;

/// Titles by their folded form, sorted, with the usual spelling.
const TITLES: &[(&str, &str)] = &[
    ("adv", "Adv"),
    ("advocate", "Adv"),
    ("brig", "Brig"),
    ("capt", "Capt"),
    ("captain", "Capt"),
    ("col", "Col"),
    ("dr", "Dr"),
    ("ds", "Ds"),
    ("eng", "Eng"),
    ("engr", "Eng"),
    ("frau", "Frau"),
    ("gen", "Gen"),
    ("herr", "Herr"),
    ("hon", "Hon"),
    ("ing", "Ing"),
    ("kapt", "Kapt"),
    ("lt", "Lt"),
    ("maj", "Maj"),
    ("me", "Me"),
    ("mej", "Mej"),
    ("mev", "Mev"),
    ("miss", "Miss"),
    ("mme", "Mme"),
    ("mnr", "Mnr"),
    ("mr", "Mr"),
    ("mrs", "Mrs"),
    ("ms", "Ms"),
    ("mx", "Mx"),
    ("past", "Past"),
    ("pastor", "Past"),
    ("prof", "Prof"),
    ("professor", "Prof"),
    ("rev", "Rev"),
    ("sen", "Sen"),
    ("sgt", "Sgt"),
    ("sir", "Sir"),
];

/// Suffixes by their folded form, sorted, with the usual spelling.
const SUFFIXES: &[(&str, &str)] = &[
    ("ca", "CA"),
    ("ca(sa)", "CA(SA)"),
    ("esq", "Esq"),
    ("ii", "II"),
    ("iii", "III"),
    ("iv", "IV"),
    ("jnr", "Jr"),
    ("jr", "Jr"),
    ("junior", "Jr"),
    ("mba", "MBA"),
    ("md", "MD"),
    ("phd", "PhD"),
    ("pr eng", "Pr Eng"),
    ("senior", "Sr"),
    ("snr", "Sr"),
    ("sr", "Sr"),
];

/// Words that belong to the family name that follows, sorted.
const PARTICLES: &[&str] = &[
    "al", "auf", "bin", "bint", "da", "das", "de", "del", "della", "den", "der", "des", "di", "do", "dos", "du", "el",
    "ibn", "janse", "jansen", "la", "le", "op", "te", "ten", "ter", "van", "von", "zu", "zum", "zur",
];

/// Words of roles, sorted: a text of only such words names a position and nobody.
const ROLE_WORDS: &[&str] = &[
    "accountable",
    "accountant",
    "accounts",
    "admin",
    "administration",
    "administrator",
    "and",
    "assistant",
    "bookings",
    "ceo",
    "cfi",
    "cfo",
    "chief",
    "contact",
    "coo",
    "desk",
    "director",
    "enquiries",
    "executive",
    "financial",
    "flying",
    "front",
    "general",
    "head",
    "hod",
    "hr",
    "info",
    "instructor",
    "maintenance",
    "manager",
    "managing",
    "marketing",
    "md",
    "member",
    "of",
    "office",
    "officer",
    "operations",
    "owner",
    "person",
    "pilot",
    "president",
    "principal",
    "quality",
    "reception",
    "receptionist",
    "responsible",
    "safety",
    "sales",
    "secretary",
    "senior",
    "supervisor",
    "support",
    "technical",
    "the",
    "training",
    "treasurer",
    "vice",
];

/// Takes the name of one person apart; a text that names a role and nobody has only `role`.
///
/// ```
/// use hotpass_normalise::parse_person;
///
/// let name = parse_person("VAN DER MERWE, Dr J.P. (Director)");
/// assert_eq!(name.display, "J.P. van der Merwe");
/// assert_eq!(name.family.as_deref(), Some("van der Merwe"));
/// assert_eq!(name.title.as_deref(), Some("Dr"));
/// assert_eq!(name.role.as_deref(), Some("Director"));
/// ```
pub fn parse_person(text: &str) -> PersonName {
    let mut counts = RuleCounts::default();
    let clean = clean_characters(text, &mut counts);
    parse_clean(&clean, &TextRule::default(), &mut counts)
}

/// Joins a given and a family name to one name; parts that mean "no value" are left out.
///
/// ```
/// use hotpass_normalise::compose_person;
///
/// assert_eq!(compose_person(Some("Fatima"), Some("SUBRAMONEY")).as_deref(), Some("Fatima Subramoney"));
/// assert_eq!(compose_person(Some("-"), Some("-")), None);
/// ```
pub fn compose_person(given: Option<&str>, family: Option<&str>) -> Option<String> {
    let text = TextRule::default();
    let mut counts = RuleCounts::default();
    let mut display = String::new();
    for part in [given, family].into_iter().flatten() {
        let Some(part) = text.clean(part, &mut counts) else { continue };
        if !display.is_empty() {
            display.push(' ');
        }
        let is_shouting = is_all_capitals(&part) && part.chars().count() > 3;
        append_words(
            &part.split(' ').collect::<Vec<_>>(),
            is_shouting || is_small(&part),
            !display.is_empty(),
            &mut display,
        );
    }
    (!display.is_empty()).then_some(display)
}

/// Writes names of persons in reading order without title and role.
///
/// Counts `person.order` (`Surname, Given`), `person.title`, `person.role` (a role in brackets taken off), `person.case` (all
/// capitals or all small), `person.initials`, `person.suffix`, `person.role_only` (a role in place of a name: no value) and
/// `person.format` (anything else that changed).
/// Fails with `person.no_letters`, `person.email`, `person.digits`, `person.too_long` or `person.unclear` when the text is something else.
#[derive(Debug, Clone, Default)]
pub struct PersonRule {
    text: TextRule,
}

impl PersonRule {
    /// Creates the rule over a text rule.
    pub fn new(text: TextRule) -> Self {
        Self { text }
    }
}

impl FieldRule for PersonRule {
    fn apply(&self, _row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        let changes = counts.changes();
        let Some(clean) = self.text.clean(value, counts) else { return Outcome::Empty };
        if clean.len() > LONGEST_NAME {
            return Outcome::Failed("person.too_long");
        }
        if clean.contains('@') {
            return Outcome::Failed("person.email");
        }
        if clean.chars().filter(char::is_ascii_digit).count() > 3 {
            return Outcome::Failed("person.digits");
        }
        if !clean.chars().any(char::is_alphabetic) {
            return Outcome::Failed("person.no_letters");
        }
        let mut name = parse_clean(&clean, &self.text, counts);
        // A second look settles what the first uncovered, such as a title behind a title. What does not settle is a list or
        // a sentence.
        let mut looks = 0;
        while !name.display.is_empty() {
            let again = parse_clean(&name.display, &self.text, &mut RuleCounts::default());
            if again.display == name.display {
                break;
            }
            looks += 1;
            if looks == MOST_LOOKS {
                return Outcome::Failed("person.unclear");
            }
            name = again;
        }
        if name.display.len() > LONGEST_NAME {
            return Outcome::Failed("person.too_long");
        }
        if !name.display.chars().any(char::is_alphabetic) {
            counts.add("person.role_only");
            return Outcome::Empty;
        }
        if counts.changes() == changes && name.display != value {
            counts.add("person.format");
        }
        self.text.outcome(value, &name.display, scratch, counts)
    }
}

fn parse_clean(clean: &str, text: &TextRule, counts: &mut RuleCounts) -> PersonName {
    let mut name = PersonName::default();
    let mut rest = clean;
    if let Some((before, inner)) = split_bracket(rest) {
        rest = before;
        if !text.is_placeholder(inner) && !text.is_placeholder(&clean[before.len()..]) {
            name.role = Some(inner.to_owned());
        }
        counts.add("person.role");
    }
    if rest.is_empty() || text.is_placeholder(rest) {
        return name;
    }
    if is_role(rest) {
        name.role = Some(rest.to_owned());
        return name;
    }
    let reordered;
    if let Some((family, given)) = rest.split_once(',') {
        let (family, given) = (family.trim(), given.trim());
        let has_names = family.chars().any(char::is_alphabetic) && given.chars().any(char::is_alphabetic);
        if has_names && !given.contains(',') && lookup(SUFFIXES, given).is_none() {
            reordered = format!("{given} {family}");
            rest = &reordered;
            counts.add("person.order");
        }
    }
    let mut words: Vec<&str> =
        rest.split(' ').map(|word| word.trim_matches(',')).filter(|word| !word.is_empty()).collect();
    while words.len() > 1
        && let Some(title) = lookup(TITLES, words[0])
    {
        name.title.get_or_insert_with(|| title.to_owned());
        words.remove(0);
        counts.add("person.title");
    }
    while words.len() > 2
        && let Some(suffix) = lookup(SUFFIXES, words[words.len() - 1])
    {
        if suffix != words[words.len() - 1] {
            counts.add("person.suffix");
        }
        name.suffix.get_or_insert_with(|| suffix.to_owned());
        words.pop();
    }
    let is_cased = words.len() > 1 || words.first().is_some_and(|word| word.chars().count() > 3);
    let names = words.iter().copied().filter(|word| !is_initials(word));
    let is_shouting = is_cased && names.clone().all(is_all_capitals) && names.clone().next().is_some();
    let is_small = names.clone().all(is_small) && names.clone().any(|word| !PARTICLES.contains(&word));
    let start_of_family = family_start(&words);
    let (given_words, family_words) = words.split_at(start_of_family);
    let mut given = String::new();
    append_given(given_words, is_shouting || is_small, words.len() > 1, &mut given);
    let mut family = String::new();
    append_words(family_words, is_shouting || is_small, !given.is_empty(), &mut family);
    for part in [given.as_str(), family.as_str(), name.suffix.as_deref().unwrap_or("")] {
        if !part.is_empty() {
            if !name.display.is_empty() {
                name.display.push(' ');
            }
            name.display.push_str(part);
        }
    }
    if is_shouting || is_small {
        counts.add("person.case");
    }
    if given_words.join(" ") != given && !(is_shouting || is_small) {
        counts.add("person.initials");
    }
    name.given = (!given.is_empty()).then_some(given);
    name.family = (!family.is_empty()).then_some(family);
    name
}

fn split_bracket(text: &str) -> Option<(&str, &str)> {
    let open = text.rfind('(')?;
    let inner = text[open + 1..].strip_suffix(')')?.trim();
    // `CA(SA)` is a suffix, not a role.
    (!inner.is_empty() && !text[..open].ends_with(|letter: char| letter.is_alphanumeric()))
        .then(|| (text[..open].trim_end(), inner))
}

fn is_role(text: &str) -> bool {
    let mut n = 0;
    let all = text.split([' ', '/', '-']).filter(|word| !word.is_empty()).all(|word| {
        n += usize::from(!matches!(word, "and" | "of" | "the"));
        ROLE_WORDS.binary_search(&word.to_ascii_lowercase().as_str()).is_ok()
    });
    all && n > 0
}

fn lookup(table: &[(&str, &'static str)], word: &str) -> Option<&'static str> {
    if word.len() > 10 {
        return None;
    }
    let mut folded = word.to_ascii_lowercase();
    folded.retain(|letter| letter != '.');
    table.binary_search_by_key(&folded.as_str(), |(known, _)| known).ok().map(|at| table[at].1)
}

fn is_small(word: &str) -> bool {
    word.chars().any(char::is_alphabetic) && !word.chars().any(char::is_uppercase)
}

/// Returns whether a word is made of initials with full stops, or is one letter.
fn is_initials(word: &str) -> bool {
    let mut letters = word.split('.').filter(|part| !part.is_empty()).peekable();
    let is_marked = word.contains('.') || word.chars().count() == 1;
    is_marked
        && letters.peek().is_some()
        && letters.all(|part| part.chars().count() == 1 && part.chars().all(char::is_alphabetic))
}

/// Returns where the family name begins: at its first particle, else at the last word.
fn family_start(words: &[&str]) -> usize {
    if words.len() < 2 {
        return 0;
    }
    let is_particle = |word: &&str| PARTICLES.binary_search(&word.to_ascii_lowercase().as_str()).is_ok();
    let mut start = words.len() - 1;
    while start > 0 && is_particle(&words[start - 1]) {
        start -= 1;
    }
    start
}

/// Appends given names; runs of initials become `J.P.`.
fn append_given(words: &[&str], change_case: bool, has_family: bool, into: &mut String) {
    let mut after_initials = false;
    for word in words {
        let is_short_capital = has_family
            && !change_case
            && (2..=3).contains(&word.len())
            && word.bytes().all(|letter| letter.is_ascii_uppercase());
        if is_initials(word) || is_short_capital {
            if !into.is_empty() && !after_initials {
                into.push(' ');
            }
            for letter in word.chars().filter(|letter| letter.is_alphabetic()) {
                into.extend(letter.to_uppercase());
                into.push('.');
            }
            after_initials = true;
            continue;
        }
        if !into.is_empty() {
            into.push(' ');
        }
        after_initials = false;
        append_word(word, change_case, into);
    }
}

fn append_words(words: &[&str], change_case: bool, follows: bool, into: &mut String) {
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            into.push(' ');
        }
        let is_particle = PARTICLES.binary_search(&word.to_ascii_lowercase().as_str()).is_ok();
        // After a given name a particle is small; alone at the start it keeps its form.
        if change_case && is_particle && follows && at + 1 < words.len() {
            into.push_str(&word.to_lowercase());
        } else {
            append_word(word, change_case, into);
        }
    }
}

fn append_word(word: &str, change_case: bool, into: &mut String) {
    if change_case { capitalise(word, into) } else { into.push_str(word) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(input: &str, expected: Result<Option<&str>, &'static str>) {
        let (mut scratch, mut counts) = (String::new(), RuleCounts::default());
        let got = match PersonRule::default().apply(0, input, &mut scratch, &mut counts) {
            Outcome::Same => Ok(Some(input)),
            Outcome::Changed => Ok(Some(scratch.as_str())),
            Outcome::Empty => Ok(None),
            Outcome::Failed(reason) => Err(reason),
        };
        assert_eq!(got, expected, "{input}");
    }

    #[test]
    fn tables_are_sorted_for_the_search() {
        assert!(TITLES.is_sorted() && SUFFIXES.is_sorted() && PARTICLES.is_sorted() && ROLE_WORDS.is_sorted());
    }

    #[test]
    fn names() {
        for (input, expected) in [
            ("Jan Botha", "Jan Botha"),
            ("JAN BOTHA", "Jan Botha"),
            ("jan botha", "Jan Botha"),
            ("Botha, Jan", "Jan Botha"),
            ("BOTHA, JAN", "Jan Botha"),
            ("Jan van der Merwe", "Jan van der Merwe"),
            ("JAN VAN DER MERWE", "Jan van der Merwe"),
            ("van der Merwe, Jan", "Jan van der Merwe"),
            ("VAN DER MERWE, JAN", "Jan van der Merwe"),
            ("Jan Van Der Merwe", "Jan Van Der Merwe"),
            ("Marie du Plessis", "Marie du Plessis"),
            ("MARIE DU PLESSIS", "Marie du Plessis"),
            ("Koos de la Rey", "Koos de la Rey"),
            ("Tariq bin Ali", "Tariq bin Ali"),
            ("PIET JANSE VAN RENSBURG", "Piet janse van Rensburg"),
            ("Mr Jan Botha", "Jan Botha"),
            ("Mr. Jan Botha", "Jan Botha"),
            ("Dr Jan Botha", "Jan Botha"),
            ("Prof. Dr. Jan Botha", "Jan Botha"),
            ("Capt. Sipho Dlamini", "Sipho Dlamini"),
            ("Adv Thandi Nkosi", "Thandi Nkosi"),
            ("Mnr P Botha", "P. Botha"),
            ("Mev. Annelie Nel", "Annelie Nel"),
            ("J.P. Botha", "J.P. Botha"),
            ("J. P. Botha", "J.P. Botha"),
            ("J P Botha", "J.P. Botha"),
            ("JP Botha", "J.P. Botha"),
            ("Jan P. Botha", "Jan P. Botha"),
            ("Botha, J.P.", "J.P. Botha"),
            ("Jan Botha Jr", "Jan Botha Jr"),
            ("Jan Botha, Jr.", "Jan Botha Jr"),
            ("Jan Botha III", "Jan Botha III"),
            ("Jan Botha PhD", "Jan Botha PhD"),
            ("Jan Botha snr", "Jan Botha Sr"),
            ("CONOR O'BRIEN", "Conor O'Brien"),
            ("ANN MCDONALD", "Ann McDonald"),
            ("ANNE-MARIE NEL", "Anne-Marie Nel"),
            ("Elizabeth-Yolande Landdorp", "Elizabeth-Yolande Landdorp"),
            ("Lynette Marshall (Director)", "Lynette Marshall"),
            ("Justin Stratbury (Director)\u{a0}", "Justin Stratbury"),
            ("Jan\u{a0}Botha", "Jan Botha"),
            ("José Pérez", "José Pérez"),
            ("Sipho", "Sipho"),
            ("SIPHO", "Sipho"),
            ("Botha", "Botha"),
            ("Dr", "Dr"),
        ] {
            check(input, Ok(Some(expected)));
        }
        for empty in
            ["-", "(TBD)", "N/A", "", "Accountable Manager (Not Listed)", "Accountable Manager", "Office", "CFI"]
        {
            check(empty, Ok(None));
        }
        check("jan@example.org", Err("person.email"));
        check("+27419960195", Err("person.digits"));
        check("?!", Err("person.no_letters"));
    }

    #[test]
    fn parts() {
        let name = parse_person("Prof. JOHANNES VAN DER WALT Jnr (Head of Training)");
        assert_eq!(name.title.as_deref(), Some("Prof"));
        assert_eq!(name.role.as_deref(), Some("Head of Training"));
        assert_eq!(name.suffix.as_deref(), Some("Jr"));
        let role = parse_person("Accountable Manager (Not Listed)");
        assert_eq!((role.display.as_str(), role.role.as_deref()), ("", Some("Accountable Manager")));
    }

    #[test]
    fn composition() {
        for (given, family, expected) in [
            (Some("Fatima"), Some("Subramoney"), Some("Fatima Subramoney")),
            (Some("Jan"), Some("VAN DER MERWE"), Some("Jan van der Merwe")),
            (Some("-"), Some("Botha"), Some("Botha")),
            (Some("Jan"), None, Some("Jan")),
            (Some("-"), Some("-"), None),
            (None, None, None),
        ] {
            assert_eq!(compose_person(given, family).as_deref(), expected);
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(input in "\\PC{0,30}|((Mr|Dr\\.|Capt) )?[A-Za-z' .,()-]{0,30}") {
            let rule = PersonRule::default();
            let mut once = String::new();
            if rule.apply(0, &input, &mut once, &mut RuleCounts::default()) == Outcome::Changed {
                let mut twice = String::new();
                let outcome = rule.apply(0, &once, &mut twice, &mut RuleCounts::default());
                prop_assert_eq!((outcome, twice), (Outcome::Same, String::new()), "{:?} gave {:?}", input, once);
            }
        }
    }
}
