//! Finding personal data in values: patterns, check digits, headers and small lists.

mod checksum;
mod column;
mod header;
mod known;
mod names;
mod national;
mod places;
mod words;

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexSet, RegexSetBuilder};
use serde::{Deserialize, Serialize};

pub(crate) use names::is_given_name;

pub use column::{ClassFinding, ColumnDetector, ColumnFindings, TableFindings};

use crate::class::DataClass;
use words::{HOSTS, NOT_HOSTS, OTHER_NUMBERS, PHONE, keyword_before};

/// What a finding rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Evidence {
    /// The value has the form.
    Pattern,
    /// The value has the form, and its check digits are right.
    Checksum,
    /// A word before the value says what it is.
    Keyword,
    /// The column's header says what it is.
    Header,
    /// A title such as `Dr` stands before a name.
    Title,
    /// The first word is a common given name.
    NameList,
}

impl Evidence {
    /// Returns the name, as reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pattern => "pattern",
            Self::Checksum => "checksum",
            Self::Keyword => "keyword",
            Self::Header => "header",
            Self::Title => "title",
            Self::NameList => "name_list",
        }
    }
}

/// Personal data at a place in a text. It holds no value.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Where it is, in bytes.
    pub range: Range<usize>,
    /// What it is.
    pub class: DataClass,
    /// How sure that is, 0 to 1. A judgement by rule, not a measured probability.
    pub confidence: f64,
    /// What that rests on.
    pub evidence: Evidence,
}

/// The recognisers, in the order of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recogniser {
    Email,
    SpelledEmail,
    Digits,
    Phone,
    Iban,
    Passport,
    PassportKeyword,
    TaxKeyword,
    BankKeyword,
    LicenceKeyword,
    NationalId,
    BirthKeyword,
    Ipv4,
    Ipv6,
    Coordinates,
    NamedCoordinates,
    Address,
    TitledName,
    NameAfter,
    NameBefore,
    ListedName,
}

/// A capital of the Latin, Greek and Cyrillic scripts. All letters of all scripts would make the patterns a hundred times slower.
macro_rules! capital {
    () => {
        r"[\p{Lu}&&[A-ZÀ-ɏΆ-ΫЀ-ЯḀ-ỿ]]"
    };
}

/// Letters of those scripts, and what stands within names.
macro_rules! letters {
    () => {
        r"[A-Za-zÀ-ɏΆ-ώЀ-ӿḀ-ỿ'’\-]+"
    };
}

/// The parts of a name behind the first, with the words in small letters that stand between them.
macro_rules! further {
    () => {
        concat!(
            r"(?:\s+(?:(?:van|von|de|der|den|du|la|le|da|do|dos|das|di|del|della|bin|ibn|el|al|ter|ten|zu|y)\s+){0,2}",
            capital!(),
            letters!(),
            ")"
        )
    };
}

/// A name: one to four words that begin with a capital.
macro_rules! name {
    () => {
        concat!(capital!(), letters!(), further!(), "{0,3}")
    };
}

/// A day, with its month in figures or letters.
const DATE: &str = concat!(
    r"[0-9]{4}[\-/.][0-9]{1,2}[\-/.][0-9]{1,2}|",
    r"[0-9]{1,2}(?:st|nd|rd|th|er|º)?[/.\- ]{1,2}(?:de |di )?(?:[0-9]{1,2}|[a-zà-ÿ]{3,10}\.?)[/.,\- ]{1,2}(?:del? )?[0-9]{2,4}|",
    r"[a-zà-ÿ]{3,10}\.? [0-9]{1,2}(?:st|nd|rd|th)?,? [0-9]{4}"
);

/// Returns the pattern of each recogniser. Digits are ASCII ones; what is found is judged by code.
fn patterns() -> Vec<(Recogniser, String)> {
    let number = r"(?:\s*(?:no|nr|num|number|nummer|nommer|numéro|número|numero|n°|nº|#|ref))?\.?[:#\s]{1,3}";
    let fixed: &[(Recogniser, &str)] = &[
        (
            Recogniser::Email,
            r"[\p{L}0-9_%+'\-][\p{L}0-9._%+'\-]*@(?:[\p{L}0-9][\p{L}0-9\-]*\.)+(?:[xX][nN]--[a-zA-Z0-9\-]+|\p{L}\p{L}+)",
        ),
        (
            Recogniser::SpelledEmail,
            r"(?i)\b[a-z0-9][a-z0-9._%+\-]*\s?[\[({]\s?at\s?[\])}]\s?(?:[a-z0-9][a-z0-9\-]*(?:\.|\s?[\[({]\s?dot\s?[\])}]\s?))+[a-z]{2,24}\b",
        ),
        (Recogniser::Digits, r"[0-9](?:[ \-]?[0-9]){12,18}"),
        // A stroke with spaces around it, or a full stop with one behind it, stands between two numbers.
        (Recogniser::Phone, r"(?:\+|00|\(\+?)?[0-9](?:(?: ?[()\-]{0,2} ?|\.|/)[0-9]){6,18}"),
        (Recogniser::Iban, r"(?i)\b[a-z]{2}[0-9]{2}(?: ?[a-z0-9]){11,30}"),
        (Recogniser::Passport, r"\b[ADMT][0-9]{8}\b"),
        (Recogniser::NationalId, national::PATTERN),
        (Recogniser::Ipv4, r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b"),
        (Recogniser::Ipv6, r"(?i)(?:^|[^0-9a-z:.])((?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:(?:\.[0-9]{1,3}){3})?)"),
        (Recogniser::Coordinates, places::DECIMAL),
        (Recogniser::NamedCoordinates, places::NAMED),
        (
            Recogniser::ListedName,
            concat!(r"\b(", capital!(), letters!(), r")(?:\s+", capital!(), r"\.?)?", further!(), "{1,3}"),
        ),
    ];
    let built = [
        (
            Recogniser::PassportKeyword,
            format!(
                r"(?i)\b(?:passport|paspoort|reisepass|reisepaß|passeport|pasaporte|passaporto|passaporte|iphasiphothi)(?:nummer|nommer)?{number}([a-z0-9]{{6,9}})\b"
            ),
        ),
        (
            Recogniser::TaxKeyword,
            r"(?i)\b(?:vat|tax|tin|btw|sars|mwst|ust-?id(?:-?nr)?|steuernummer|tva|iva|nif|belasting(?:nommer|nummer)?)(?:\s*(?:no|nr|reg|number|ref|reference|nommer|nummer))*[.:#\s]{1,4}((?:[a-z]{2})?[0-9]{8,12})\b".to_owned(),
        ),
        (
            Recogniser::BankKeyword,
            format!(
                r"(?i)\b(?:bank|account|acc|acct|rekening(?:nommer|nummer)?|konto(?:nummer|nr)?|kontonr|kto|compte|cuenta|conta|conto)\.?{number}([0-9](?:[ \-]?[0-9]){{5,14}})\b"
            ),
        ),
        (
            Recogniser::LicenceKeyword,
            format!(
                r"(?i)\b(?:(?:driving|driver['’]?s?)\s+licen[cs]e|führerschein(?:nummer)?|rijbewijs(?:nummer)?|rybewys(?:nommer)?|permis de conduire|permiso de conducir|patente di guida|carta de condução){number}([a-z0-9]{{7,16}})\b"
            ),
        ),
        (
            Recogniser::BirthKeyword,
            format!(
                r"(?i)(?:\b(?:born|dob|date of birth|birth ?date|birthday|b-day|geboren|geb\.|geburtsdatum|geburtstag|née?|date de naissance|nacid[oa]|fecha de nacimiento|nat[oa] il|data di nascita|nascid[oa]|data de nascimento|gebore|geboortedatum|verjaarsdag|verjaardag|wazalwa|usuku lokuzalwa)|\bd\.o\.b\.?|\bné\(e\))\s*[:,]?\s*(?:(?:on|is|was|am|op|le|el|il|em|a|ngo|mhla ka|ist|war|:)\s+)?({DATE})"
            ),
        ),
        (
            Recogniser::Address,
            [
                r"(?i:\b(?:p\.?\s?o\.?\s?box|private bag|posbus|postbus|postfach|privaatsak|apartado|caixa postal|casella postale)\s+[a-z]?\s?[0-9]{1,6})",
                r"\b[0-9]{1,5}[A-Za-z]?,?\s+(?:CAPLET\.?\s+){1,3}(?:Street|Str|St|Road|Rd|Avenue|Ave|Lane|Drive|Crescent|Cres|Close|Boulevard|Blvd|Square|Terrace|Straat|Weg|Laan|Rylaan)\b",
                r"\bCAPLET(?:straße|strasse|str\.|allee|gasse|platz|ufer|damm|straat|laan|plein|kade|gracht|singel)\s+[0-9]{1,4}\s?[a-zA-Z]?\b",
                r"\b[0-9]{1,4},?\s(?:bis\s|ter\s)?(?:rue|avenue|boulevard|place|chemin|allée|impasse|quai)\s+(?:(?:de|du|des|la|le|les|l'|d')\s?){0,3}CAPLET",
                r"\b(?:Calle|Avenida|Avda\.|Plaza|Paseo|Via|Viale|Piazza|Corso|Rua|Travessa|Praça)\s+(?:(?:de|del|la|las|los|da|do|dos|das|di|dei|della)\s+){0,2}(?:CAPLET\s*){1,3},?\s*[0-9]{1,4}\b",
            ]
.join("|")
            .replace("CAPLET", concat!(capital!(), letters!())),
        ),
        (
            Recogniser::TitledName,
            format!(
                r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Adv|Rev|Capt|Mnr|Mev|Mevr|Mevrou|Meneer|Mej|Dhr|Mw|Herrn?|Frau|Mme|Mlle|Madame|Monsieur|Sr|Sra|Señor|Señora|Don|Doña|Sig|Sig\.ra|Signor|Signora|Dott|Senhor|Senhora|Mnu|Nkk|Mnumzane|Nkosikazi)\.?\s+({})",
                name!()
            ),
        ),
        (
            Recogniser::NameAfter,
            format!(
                r"\b(?i:spoke (?:to|with)|speak (?:to|with)|talked (?:to|with)|met(?: with)?|meeting with|ask(?:ed)? for|contact(?: person)?(?: is|:)|attention|attn:?|signed by|handled by|sent by|approved by|on behalf of|regards,?|ansprechpartner(?:in)?(?: ist|:)|kontakt:|gesprochen mit|sprach mit|telefonat mit|treffen mit|parlé (?:avec|à)|rencontré|demander|contact :|habl(?:amos|ó|é) con|reunión con|preguntar por|gesproken met|gebeld met|vragen naar|gepraat met|praat met|vra vir|fal(?:ei|ou|ar|amos) com|reunião com|parlato con|chiedere di|incontrato|ngikhulume no|ngikhulume na|ukhulume no|ukhulume na|cela u)\s+({})",
                name!()
            ),
        ),
        (
            Recogniser::NameBefore,
            format!(
                r"\b({})\s+(?:will call|called (?:back|about|to)|phoned|rang|left (?:the company|a message)|resigned|is on leave|is away|asked (?:for|about|to)|replied|confirmed|says|said|wants|likes|hat angerufen|rief an|ruft zurück|ist im Urlaub|a appelé|rappellera|est en congé|llamó|volverá a llamar|está de vacaciones|ligou|vai ligar|ha chiamato|richiamerà|heeft gebeld|belt terug|belde|gebel|het (?:\p{{L}}+ )?gebel|bel terug|ufonile|ushayile)\b",
                name!()
            ),
        ),
    ];
    fixed.iter().map(|&(recogniser, pattern)| (recogniser, pattern.to_owned())).chain(built).collect()
}

/// Finds personal data in texts. Made once, used for any number of values, on any number of threads.
#[derive(Debug)]
pub struct Detector {
    set: &'static RegexSet,
    patterns: &'static [(Recogniser, Regex)],
}

/// Memory of the automaton that looks for all patterns at once, per thread; with less it would be built again and again.
const DFA_BYTES: usize = 16 << 20;

/// The patterns, compiled when the first detector is made.
static COMPILED: LazyLock<(RegexSet, Vec<(Recogniser, Regex)>)> = LazyLock::new(|| {
    const COMPILES: &str = "the patterns are constants that a test compiles";
    let sources = patterns();
    let set = RegexSetBuilder::new(sources.iter().map(|(_, pattern)| pattern))
        .dfa_size_limit(DFA_BYTES)
        .build()
        .expect(COMPILES);
    let compiled =
        sources.into_iter().map(|(recogniser, pattern)| (recogniser, Regex::new(&pattern).expect(COMPILES))).collect();
    (set, compiled)
});

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

impl Detector {
    /// Compiles the recognisers.
    ///
    /// # Panics
    ///
    /// Never: the patterns are constants, and a test compiles them.
    pub fn new() -> Self {
        let (set, patterns) = &*COMPILED;
        Self { set, patterns }
    }

    /// Finds personal data in a text: spans in order, none over another. One pass over all recognisers, and one more for
    /// each that occurs.
    pub fn spans(&self, text: &str) -> Vec<Span> {
        self.spans_knowing(text, &[])
    }

    /// Finds personal data in a text that may speak of people whose names are known, be they on a list or not: as whole names,
    /// and as a first or last part of at least three letters.
    pub fn spans_knowing(&self, text: &str, people: &[String]) -> Vec<Span> {
        let mut found = if people.is_empty() { Vec::new() } else { known::spans(text, people) };
        // Everything below needs a digit, an `@`, also one in brackets, or a capital.
        let tells = |byte: u8| {
            byte.is_ascii_digit()
                || byte.is_ascii_uppercase()
                || byte >= 0x80
                || matches!(byte, b'@' | b'[' | b'(' | b'{')
        };
        if !text.bytes().any(tells) {
            return strongest(found);
        }
        for index in self.set.matches(text) {
            let (recogniser, pattern) = &self.patterns[index];
            let recogniser = *recogniser;
            if recogniser == Recogniser::Iban {
                // Its pattern may take the words behind a number, and the next number with them.
                let mut place = 0;
                while let Some(matched) = pattern.find_at(text, place) {
                    let span = iban(text, &matched.range());
                    place = span.as_ref().map_or(matched.start() + 1, |span| span.range.end);
                    found.extend(span);
                }
                continue;
            }
            for captures in pattern.captures_iter(text) {
                let Some(place) = captures.get(1).or_else(|| captures.get(0)) else { continue };
                let whole = captures.get(0).map_or(place.range(), |whole| whole.range());
                found.extend(judge(recogniser, text, place.range(), whole));
            }
        }
        strongest(found)
    }

    /// Starts to look at a column.
    pub fn column<'d>(&'d self, header: &str) -> ColumnDetector<'d> {
        ColumnDetector::new(self, header)
    }
}

/// Returns what a match is, or nothing.
fn judge(recogniser: Recogniser, text: &str, range: Range<usize>, whole: Range<usize>) -> Option<Span> {
    let matched = &text[range.clone()];
    let span = |class, confidence, evidence| Some(Span { range: range.clone(), class, confidence, evidence });
    match recogniser {
        Recogniser::Email => {
            // `git@host.example:path` is where a program fetches from.
            let after = &text[range.end..];
            let path = after.starts_with(':')
                && after[1..].starts_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '~'));
            (!path || !after.split_whitespace().next().unwrap_or_default().contains('/')).then_some(())?;
            span(DataClass::Email, 0.99, Evidence::Pattern)
        }
        Recogniser::SpelledEmail => span(DataClass::Email, 0.9, Evidence::Pattern),
        Recogniser::Digits => {
            if touches_digit(text, &range) {
                return None;
            }
            let digits = digits_of(matched);
            if checksum::za_id(&digits) {
                span(DataClass::ZaId, 0.95, Evidence::Checksum)
            } else if checksum::payment_card(&digits) && !text[..range.start].ends_with(char::is_alphanumeric) {
                span(DataClass::PaymentCard, 0.9, Evidence::Checksum)
            } else {
                None
            }
        }
        Recogniser::Phone => phone(text, range),
        Recogniser::Iban => iban(text, &range),
        Recogniser::Passport => {
            (!keyword_before(text, range.start, 2, OTHER_NUMBERS)).then_some(())?;
            span(DataClass::Passport, 0.4, Evidence::Pattern)
        }
        Recogniser::PassportKeyword => {
            (digits_of(matched).len() >= 5).then_some(())?;
            span(DataClass::Passport, 0.95, Evidence::Keyword)
        }
        Recogniser::TaxKeyword => span(DataClass::TaxNumber, 0.85, Evidence::Keyword),
        Recogniser::BankKeyword => bank_account(text, range),
        Recogniser::LicenceKeyword => {
            (digits_of(matched).len() >= 4).then_some(())?;
            span(DataClass::DrivingLicence, 0.9, Evidence::Keyword)
        }
        Recogniser::NationalId => national::judge(text, range),
        Recogniser::BirthKeyword => {
            is_date(matched).then_some(())?;
            span(DataClass::DateOfBirth, 0.9, Evidence::Keyword)
        }
        Recogniser::Address => span(DataClass::Address, 0.7, Evidence::Pattern),
        Recogniser::Ipv4 => {
            let address: IpAddr = matched.parse().ok()?;
            // A version number such as 1.2.3.4 has the same form; one that begins with 0 is no host.
            let dotted = {
                let mut after = text[range.end..].chars();
                let goes_on = after.next() == Some('.') && after.next().is_some_and(|c| c.is_ascii_digit());
                goes_on || text[..range.start].ends_with('.')
            };
            let numbered = keyword_before(text, range.start, 2, NOT_HOSTS);
            // Addresses of small figures alone are rare, and numbers of sections and versions are not.
            let small = matched.split('.').all(|part| part.len() == 1)
                && !keyword_before(text, range.start, 3, HOSTS)
                && matched != "1.1.1.1"
                && matched != "8.8.8.8";
            (!dotted && !numbered && !small && !address.is_unspecified() && !matched.starts_with("0.")).then_some(())?;
            span(DataClass::IpAddress, 0.8, Evidence::Pattern)
        }
        Recogniser::Ipv6 => {
            let address: Ipv6Addr = matched.parse().ok()?;
            // What is given out begins so (RFC 4291, RFC 4193); ratios and names of programs do not.
            let first = address.segments()[0];
            let given_out = first & 0xe000 == 0x2000
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
                || first & 0xff00 == 0xff00
                || address.to_ipv4_mapped().is_some();
            let ends = !text[range.end..].starts_with(|c: char| c.is_alphanumeric() || c == ':');
            (given_out && ends).then_some(())?;
            span(DataClass::IpAddress, 0.9, Evidence::Pattern)
        }
        Recogniser::Coordinates => places::decimal(text, range),
        Recogniser::NamedCoordinates => places::named(text, range),
        Recogniser::TitledName => {
            (!speaks_against_a_person(text, &range) && !names::is_brand(matched)).then_some(())?;
            span(DataClass::PersonName, 0.85, Evidence::Title)
        }
        Recogniser::NameAfter | Recogniser::NameBefore => {
            let mut words = matched.split_whitespace();
            let first = words.next()?;
            // A lone word may be a firm or a town; one that is listed is seldom one.
            let plain = words.next().is_some() && matched.split_whitespace().all(|word| !names::is_capitals(word));
            (plain || names::is_given_name(first)).then_some(())?;
            (!speaks_against_a_person(text, &range) && !names::is_calendar(first)).then_some(())?;
            span(DataClass::PersonName, 0.7, Evidence::Keyword)
        }
        Recogniser::ListedName => {
            let name = &text[whole.clone()];
            let last = name.split_whitespace().next_back().unwrap_or_default();
            let listed =
                names::is_given_name(matched) || names::is_family_name(last) || names::is_family_name_first(matched);
            // `John Street 5` is an address; a name of an organisation often goes on.
            (listed && !speaks_against_a_person(text, &whole) && !names::is_calendar(matched)).then_some(())?;
            Some(Span { range: whole, class: DataClass::PersonName, confidence: 0.6, evidence: Evidence::NameList })
        }
    }
}

/// Returns whether a word of what may be a name, or the word behind it, speaks of an organisation, a place or a thing.
fn speaks_against_a_person(text: &str, range: &Range<usize>) -> bool {
    let next = text[range.end..].split_whitespace().next().unwrap_or_default();
    text[range.clone()].split_whitespace().chain([next]).any(names::is_not_person)
}

/// Returns whether a text is a day: one with its month in figures, or one whose month has a name.
fn is_date(text: &str) -> bool {
    const MONTHS: [&str; 38] = [
        "jan", "ene", "gen", "feb", "fev", "fév", "mar", "mär", "mrt", "maa", "apr", "avr", "abr", "may", "mai", "mei",
        "mag", "maj", "jun", "jui", "giu", "jul", "lug", "aug", "aoû", "ago", "sep", "set", "oct", "okt", "out", "ott",
        "nov", "dec", "déc", "dez", "dic", "des",
    ];
    text.split(|c: char| !c.is_alphabetic())
        .filter(|word| {
            !matches!(word.to_lowercase().as_str(), "" | "de" | "del" | "di" | "st" | "nd" | "rd" | "th" | "er")
        })
        .all(|word| MONTHS.iter().any(|month| word.to_lowercase().starts_with(month)))
}

/// Judges what may be the number of a bank account: the text has to speak of a bank.
fn bank_account(text: &str, range: Range<usize>) -> Option<Span> {
    const BANKS: [&str; 24] = [
        "bank",
        "branch",
        "sort",
        "fnb",
        "absa",
        "nedbank",
        "capitec",
        "bic",
        "swift",
        "blz",
        "sparkasse",
        "rekeningnommer",
        "rekeningnummer",
        "rekening",
        "kontonummer",
        "takkode",
        "banque",
        "banco",
        "bancaria",
        "bancária",
        "savings",
        "cheque",
        "eft",
        "debit",
    ];
    let digits = digits_of(&text[range.clone()]);
    let speaks = text.split(|c: char| !c.is_alphanumeric()).any(|word| BANKS.contains(&word.to_lowercase().as_str()));
    (speaks && (6..=13).contains(&digits.len()) && !is_date_or_decimal(&text[range.clone()])).then_some(())?;
    Some(Span { range, class: DataClass::BankAccount, confidence: 0.85, evidence: Evidence::Keyword })
}

/// Judges what may be a telephone number, by its beginning and the number of its digits (ITU-T E.164: at most 15).
fn phone(text: &str, range: Range<usize>) -> Option<Span> {
    let matched = &text[range.clone()];
    if touches_digit(text, &range) || is_date_or_decimal(matched) {
        return None;
    }
    let before = text[..range.start].chars().next_back();
    if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '@' | '#' | '.' | ',' | '_')) {
        return None;
    }
    let named = keyword_before(text, range.start, 2, PHONE);
    if !named && keyword_before(text, range.start, 2, OTHER_NUMBERS) {
        return None;
    }
    // `0825550142-XL` and `082-555-014-B` are names of things.
    let mut after = text[range.end..].chars();
    if !named && matches!(after.next(), Some('-' | '_')) && after.next().is_some_and(char::is_alphanumeric) {
        return None;
    }
    let digits = digits_of(matched);
    let international = matched.starts_with('+') || matched.starts_with("(+") || matched.starts_with("00");
    let confidence = if international {
        let digits = if matched.starts_with("00") { &digits[2..] } else { &digits[..] };
        if !(8..=15).contains(&digits.len()) || digits[0] == b'0' {
            return None;
        }
        0.95
    } else if digits[0] == b'0' && (9..=11).contains(&digits.len()) && digits[1] != b'0' {
        // A national number with its trunk prefix.
        if named { 0.95 } else { 0.8 }
    } else if (7..=12).contains(&digits.len()) && named {
        0.85
    } else {
        return None;
    };
    // One repeated digit is a placeholder.
    if digits.iter().skip(2).all(|&digit| digit == digits[2]) {
        return None;
    }
    Some(Span { range, class: DataClass::Phone, confidence, evidence: Evidence::Pattern })
}

fn iban(text: &str, range: &Range<usize>) -> Option<Span> {
    let matched = &text.as_bytes()[range.clone()];
    // The pattern is greedy: words that follow may have been taken for the number's end.
    let mut compact = Vec::with_capacity(34);
    for (position, &byte) in matched.iter().enumerate() {
        if byte != b' ' {
            compact.push(byte);
        }
        let end = range.start + position + 1;
        let ends = text.as_bytes().get(end).is_none_or(|next| !next.is_ascii_alphanumeric());
        if ends && checksum::iban(&compact) {
            return Some(Span {
                range: range.start..end,
                class: DataClass::Iban,
                confidence: 0.97,
                evidence: Evidence::Checksum,
            });
        }
    }
    None
}

fn digits_of(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii_digit).collect()
}

fn touches_digit(text: &str, range: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    (range.start > 0 && digit(bytes.get(range.start - 1))) || digit(bytes.get(range.end))
}

/// Returns whether digits and separators are a date, a time range or a decimal number.
fn is_date_or_decimal(matched: &str) -> bool {
    let parts: Vec<&str> = matched.split(['-', '/', '.']).map(str::trim).collect();
    let short = |part: &&str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    match parts.as_slice() {
        [whole, fraction] => {
            let is_number = matched.contains('.') && !matched.contains(' ');
            is_number && (fraction.len() < 3 || *whole == "0" || !whole.starts_with(['+', '0', '(']))
        }
        [year, month, day] if year.len() == 4 && short(month) => {
            day.get(..2).unwrap_or(day).bytes().all(|byte| byte.is_ascii_digit())
        }
        [day, month, year] => short(day) && short(month) && matches!(year.len(), 2 | 4),
        _ => false,
    }
}

/// Keeps the strongest of overlapping spans: the higher confidence, then the longer, then the earlier.
fn strongest(mut found: Vec<Span>) -> Vec<Span> {
    if found.len() < 2 {
        return found;
    }
    found.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then(b.range.len().cmp(&a.range.len()))
            .then(a.range.start.cmp(&b.range.start))
    });
    let mut kept: Vec<Span> = Vec::with_capacity(found.len());
    for span in found {
        if kept.iter().all(|other| span.range.end <= other.range.start || other.range.end <= span.range.start) {
            kept.push(span);
        }
    }
    kept.sort_by_key(|span| span.range.start);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(DataClass, &str)]) {
        let detector = Detector::new();
        let spans = detector.spans(text);
        let found: Vec<(DataClass, &str)> = spans.iter().map(|span| (span.class, &text[span.range.clone()])).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn channels_in_free_text() {
        check("Write to thandi.x@example.co.za, please", &[(DataClass::Email, "thandi.x@example.co.za")]);
        check(
            "call 082 555 0142 or +44 20 7946 0018.",
            &[(DataClass::Phone, "082 555 0142"), (DataClass::Phone, "+44 20 7946 0018")],
        );
        check("(011) 555-0199", &[(DataClass::Phone, "(011) 555-0199")]);
        check(
            "+27 82 555 0142 / 0115550199. 3 of them",
            &[(DataClass::Phone, "+27 82 555 0142"), (DataClass::Phone, "0115550199")],
        );
        check("tel: 555 0199", &[(DataClass::Phone, "555 0199")]);
        check("555 0199", &[]);
        check("order 4412345 of 2024-01-15, room 12.5", &[]);
        check("15/01/2024 10:30", &[]);
        check("000000000", &[]);
        check("price 1234567.89 and 12345678", &[]);
    }

    #[test]
    fn numbers_with_check_digits() {
        check("ID 800101 5009 087", &[(DataClass::ZaId, "800101 5009 087")]);
        check("8001015009088", &[]);
        check("card 4111 1111 1111 1111 exp", &[(DataClass::PaymentCard, "4111 1111 1111 1111")]);
        check("pay GB82 WEST 1234 5698 7654 32 today", &[(DataClass::Iban, "GB82 WEST 1234 5698 7654 32")]);
        check(
            "GB82 WEST 1234 5698 7654 32 and DE89370400440532013000 too",
            &[(DataClass::Iban, "GB82 WEST 1234 5698 7654 32"), (DataClass::Iban, "DE89370400440532013000")],
        );
        check("passport no: A12345678", &[(DataClass::Passport, "A12345678")]);
        check("VAT no. 4123456789", &[(DataClass::TaxNumber, "4123456789")]);
    }

    #[test]
    fn places_on_the_net_and_on_the_map() {
        check("host 192.0.2.17 down", &[(DataClass::IpAddress, "192.0.2.17")]);
        check("host 2001:db8::17 down", &[(DataClass::IpAddress, "2001:db8::17")]);
        check("version 300.1.2.3", &[]);
        check("firmware 10.4.2.1", &[]);
        check(
            "15.84.31.236; 86.175.123.40",
            &[(DataClass::IpAddress, "15.84.31.236"), (DataClass::IpAddress, "86.175.123.40")],
        );
        check("at -26.2041, 28.0473", &[(DataClass::Coordinates, "-26.2041, 28.0473")]);
    }

    #[test]
    fn channels_in_other_writings() {
        check("an info@bäckerei-müller.de bitte", &[(DataClass::Email, "info@bäckerei-müller.de")]);
        check("(desk [at] works.example)", &[(DataClass::Email, "desk [at] works.example")]);
        check("git@host.example:team/app.git", &[]);
        check("Auftrag 0205550142", &[]);
        check("0.825550142 mol", &[]);
        check("SKU 0825550142-XL", &[]);
        check("082-555-014-B", &[]);
        check("meter reading 0825550142", &[]);
        check("Handy 0825550142", &[(DataClass::Phone, "0825550142")]);
    }

    #[test]
    fn hosts_and_what_looks_like_them() {
        check("at fe80::1ff:fe23:4567:890a now", &[(DataClass::IpAddress, "fe80::1ff:fe23:4567:890a")]);
        check("at ::ffff:192.0.2.17", &[(DataClass::IpAddress, "::ffff:192.0.2.17")]);
        check("client 8.8.4.4", &[(DataClass::IpAddress, "8.8.4.4")]);
        for text in [
            "section 8.1.2.3",
            "dose 5.5.5.5",
            "ratio 2:1::4:2",
            "2.3.1.4 Maintenance",
            "std::vector",
            "add::sub",
            "::1",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn places_however_they_are_written() {
        for place in [
            "26.2041 S, 28.0473 E",
            "S33°55'29\" E18°25'27\"",
            "51°30'26\"N 0°7'39\"W",
            "33 55.494 S 18 25.446 E",
            "lat -29.8587 long 31.0218",
            "-26.107567;28.056702",
        ] {
            check(&format!("gate: {place} (blue)"), &[(DataClass::Coordinates, place)]);
        }
        for text in [
            "ratio 51.5074, weight 12.1278 kg",
            "loan rate 10.2500, 11.7500",
            "paid 12.500, 13.200",
            "12.5512, 14.1234 %",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn dates_of_birth_in_eight_languages() {
        for (before, date) in [
            ("d.o.b. ", "12-Mar-84"),
            ("geboren am ", "12.03.1984"),
            ("geb. ", "12. März 1984"),
            ("née le ", "12 mars 1984"),
            ("nacida el ", "12 de marzo de 1984"),
            ("nato il ", "12/03/1984"),
            ("nascido em ", "12/03/1984"),
            ("geboren op ", "12-03-1984"),
            ("gebore ", "1984/03/12"),
            ("birthday ", "March 12, 1984"),
        ] {
            check(&format!("{before}{date}"), &[(DataClass::DateOfBirth, date)]);
        }
        check("founded 12 March 1984", &[]);
        check("born 12 other 1984", &[]);
    }

    #[test]
    fn documents_and_accounts_by_their_words() {
        for (before, number, class) in [
            ("Reisepass ", "C01X00T47", DataClass::Passport),
            ("pasaporte ", "XDB123456", DataClass::Passport),
            ("passeport n° ", "12AB34567", DataClass::Passport),
            ("SSN ", "536-22-8743", DataClass::NationalId),
            ("", "AB 12 34 56 C", DataClass::NationalId),
            ("", "529.982.247-25", DataClass::NationalId),
            ("DNI ", "12345678Z", DataClass::NationalId),
            ("BSN ", "111222333", DataClass::NationalId),
            ("PESEL ", "44051401359", DataClass::NationalId),
            ("", "RSSMRA85T10A562S", DataClass::NationalId),
            ("", "2 55 08 14 168 025 38", DataClass::NationalId),
            ("Steuer-ID ", "86095742719", DataClass::TaxNumber),
            ("bank account ", "62012345678", DataClass::BankAccount),
            ("driving licence ", "MORGA657054SM9IJ", DataClass::DrivingLicence),
        ] {
            check(&format!("{before}{number}"), &[(class, number)]);
        }
        for text in ["536-22-8743", "12345678Z", "111222333", "DNI 12345678A", "model A01234567", "account 62012345678"]
        {
            check(text, &[]);
        }
        check("PO Box 123, Durban", &[(DataClass::Address, "PO Box 123")]);
        check("Hauptstraße 5, Berlin", &[(DataClass::Address, "Hauptstraße 5")]);
    }

    #[test]
    fn names_by_the_words_around_them() {
        check("spoke to Lindiwe on Monday", &[(DataClass::PersonName, "Lindiwe")]);
        check("Ansprechpartner ist Quorvin Nulova", &[(DataClass::PersonName, "Quorvin Nulova")]);
        check("Quorvin Nulova will call back", &[(DataClass::PersonName, "Quorvin Nulova")]);
        for text in [
            "spoke to Sandton branch",
            "met Eskom",
            "Dr Pepper delivery",
            "Mr Price store",
            "Jan Smuts Ave",
            "ask for May",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn names_by_title_and_by_list() {
        check("Spoke to Dr Xolile Fictum today", &[(DataClass::PersonName, "Xolile Fictum")]);
        check("ask Thabo van der Probe about it", &[(DataClass::PersonName, "Thabo van der Probe")]);
        check("John Street 5, York", &[]);
        check("Acacia Works of York", &[]);
        check("born on 1980-01-01", &[(DataClass::DateOfBirth, "1980-01-01")]);
    }
}
