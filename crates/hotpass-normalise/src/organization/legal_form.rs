//! Legal forms of organisations: their spellings, and how they are found at the end of a name.

use std::sync::LazyLock;

use hashbrown::HashMap;

/// The legal form of an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LegalForm {
    /// Code within Hotpass, such as `za.pty_ltd`.
    pub code: &'static str,
    /// The usual spelling, such as `(Pty) Ltd`.
    pub canonical: &'static str,
    /// Country of the form, as ISO 3166-1 alpha-2; the best known one for a form of many countries.
    pub country: &'static str,
    /// Whether the form is also a word of the name, as in `Mandela Trust`, so that keys keep it.
    pub(super) is_name_word: bool,
}

/// A form, the other countries that have it, and its spellings as folded words.
type Row = (&'static str, &'static str, &'static str, &'static [&'static str], &'static [&'static str]);

/// Code, canonical spelling, country, other countries, spellings (lower case, without full stops, brackets as spaces).
///
/// Among forms with one spelling the first wins, unless a later one belongs to the country of the data.
const FORMS: &[Row] = &[
    (
        "za.pty_ltd",
        "(Pty) Ltd",
        "ZA",
        &["AU", "NA", "BW", "SZ", "LS", "ZW"],
        &[
            "pty ltd",
            "pty limited",
            "proprietary limited",
            "proprietary ltd",
            "propriety limited",
            "ptyltd",
            "pty",
            "p/l",
            "(pty)ltd",
            "pty ltd sa",
            "edms bpk",
            "eiendoms beperk",
            "edms beperk",
            "pte y ltd",
            "p ltd",
        ],
    ),
    (
        "za.pty_ltd_rf",
        "(RF) (Pty) Ltd",
        "ZA",
        &[],
        &[
            "rf pty ltd",
            "rf pty limited",
            "rf proprietary limited",
            "pty ltd rf",
            "proprietary limited rf",
            "pty limited rf",
        ],
    ),
    ("za.soc_ltd", "SOC Ltd", "ZA", &[], &["soc ltd", "soc limited", "soc"]),
    ("za.ltd_rf", "Ltd (RF)", "ZA", &[], &["ltd rf", "limited rf", "rf ltd", "rf limited"]),
    ("za.npc", "NPC", "ZA", &[], &["npc", "npc rf", "non profit company", "nonprofit company"]),
    (
        "za.npo",
        "NPO",
        "ZA",
        &[],
        &[
            "npo",
            "non profit organisation",
            "non profit organization",
            "nonprofit organisation",
            "nonprofit organization",
        ],
    ),
    (
        "za.section_21",
        "NPC",
        "ZA",
        &[],
        &["association incorporated under section 21", "section 21", "section 21 company"],
    ),
    ("za.cc", "CC", "ZA", &["NA"], &["cc", "close corporation", "bk", "beslote korporasie"]),
    ("za.inc", "Inc.", "ZA", &[], &["inc", "incorporated", "ing", "ingelyf"]),
    ("za.ltd", "Ltd", "ZA", &["NA", "BW", "ZW"], &["ltd", "limited", "bpk", "beperk"]),
    ("za.trust", "Trust", "ZA", &["GB", "US", "AU", "NZ", "NA"], &["trust"]),
    (
        "za.cooperative",
        "Co-operative Ltd",
        "ZA",
        &["GB"],
        &[
            "co operative ltd",
            "co operative limited",
            "cooperative limited",
            "cooperative ltd",
            "primary co operative ltd",
            "primary cooperative limited",
        ],
    ),
    (
        "za.coop",
        "Co-op",
        "ZA",
        &["GB", "US"],
        &["co op", "coop", "co operative", "cooperative", "primary co operative", "primary cooperative"],
    ),
    (
        "gb.ltd",
        "Ltd",
        "GB",
        &["IE", "NZ", "NG", "KE", "GH", "IL", "CN", "HK", "IN", "ZM", "MU", "UG", "TZ"],
        &["ltd", "limited", "cyf", "cyfyngedig"],
    ),
    ("gb.plc", "plc", "GB", &["IE", "NG", "KE"], &["plc", "public limited company", "ccc"]),
    ("gb.llp", "LLP", "GB", &["US", "IN", "SG"], &["llp", "limited liability partnership"]),
    ("gb.lp", "LP", "GB", &["US"], &["lp", "limited partnership"]),
    ("gb.cic", "CIC", "GB", &[], &["cic", "community interest company"]),
    ("gb.cio", "CIO", "GB", &[], &["cio", "charitable incorporated organisation"]),
    ("ie.dac", "DAC", "IE", &[], &["dac", "designated activity company"]),
    ("ie.clg", "CLG", "IE", &[], &["clg", "company limited by guarantee"]),
    ("us.inc", "Inc.", "US", &["CA", "PH"], &["inc", "incorporated"]),
    ("us.corp", "Corp.", "US", &["CA", "JP", "KR", "TW", "PH"], &["corp", "corporation"]),
    (
        "us.llc",
        "LLC",
        "US",
        &["AE", "RU"],
        &["llc", "limited liability company", "limited liability co", "l l c", "ltd liability co"],
    ),
    ("us.pllc", "PLLC", "US", &[], &["pllc"]),
    ("us.lllp", "LLLP", "US", &[], &["lllp"]),
    ("us.pc", "PC", "US", &[], &["pc", "professional corporation"]),
    ("us.na", "N.A.", "US", &[], &["na", "national association"]),
    ("us.co", "Co.", "US", &["GB"], &["co", "company"]),
    ("us.co_inc", "Co., Inc.", "US", &[], &["co inc", "company inc", "company incorporated"]),
    (
        "cn.co_ltd",
        "Co., Ltd.",
        "CN",
        &["JP", "KR", "TW", "TH", "VN", "HK"],
        &["co ltd", "company limited", "co limited", "company ltd", "coltd"],
    ),
    (
        "de.gmbh",
        "GmbH",
        "DE",
        &["AT", "CH"],
        &["gmbh", "gesellschaft mit beschrankter haftung", "mbh", "gesmbh", "ges m b h", "g m b h"],
    ),
    ("de.gmbh_co_kg", "GmbH & Co. KG", "DE", &["AT"], &["gmbh & co kg", "gmbh und co kg", "gmbh co kg", "gmbh & cokg"]),
    ("de.ag", "AG", "DE", &["AT", "CH"], &["ag", "aktiengesellschaft"]),
    ("de.kg", "KG", "DE", &["AT", "CH"], &["kg", "kommanditgesellschaft", "& co kg"]),
    ("de.kgaa", "KGaA", "DE", &[], &["kgaa", "ag & co kgaa", "se & co kgaa"]),
    ("de.ohg", "OHG", "DE", &["AT"], &["ohg", "og"]),
    ("de.gbr", "GbR", "DE", &[], &["gbr"]),
    ("de.ug", "UG (haftungsbeschränkt)", "DE", &[], &["ug haftungsbeschrankt", "ug"]),
    ("de.ev", "e.V.", "DE", &[], &["ev", "e v", "eingetragener verein"]),
    ("de.eg", "eG", "DE", &["AT"], &["eg"]),
    ("eu.se", "SE", "DE", &["FR", "AT", "NL"], &["se", "societas europaea"]),
    ("fr.sarl", "SARL", "FR", &["CH", "BE", "LU", "MA"], &["sarl", "s a r l", "societe a responsabilite limitee"]),
    ("fr.sas", "SAS", "FR", &[], &["sas", "societe par actions simplifiee"]),
    ("fr.sasu", "SASU", "FR", &[], &["sasu"]),
    ("fr.eurl", "EURL", "FR", &[], &["eurl"]),
    ("fr.sci", "SCI", "FR", &[], &["sci"]),
    (
        "fr.sa",
        "SA",
        "FR",
        &["BE", "CH", "ES", "PT", "PL", "LU", "AR", "MX", "CL"],
        &["sa", "s a", "societe anonyme", "sociedad anonima", "s/a"],
    ),
    ("nl.bv", "BV", "NL", &["BE"], &["bv", "b v", "besloten vennootschap", "bvba"]),
    ("nl.nv", "NV", "NL", &["BE"], &["nv", "n v", "naamloze vennootschap"]),
    ("nl.vof", "VOF", "NL", &["BE"], &["vof", "v o f"]),
    ("be.srl", "SRL", "BE", &[], &["srl"]),
    ("be.asbl", "ASBL", "BE", &["LU"], &["asbl", "vzw"]),
    (
        "it.srl",
        "S.r.l.",
        "IT",
        &["RO", "AR"],
        &["srl", "s r l", "societa a responsabilita limitata", "srls", "societatea cu raspundere limitata"],
    ),
    ("it.spa", "S.p.A.", "IT", &["CL"], &["spa", "s p a", "societa per azioni"]),
    ("it.snc", "S.n.c.", "IT", &["FR"], &["snc"]),
    ("es.sl", "S.L.", "ES", &[], &["sl", "s l", "sociedad limitada", "slu", "sociedad de responsabilidad limitada"]),
    ("mx.sa_de_cv", "S.A. de C.V.", "MX", &[], &["sa de cv", "s a de c v", "sab de cv"]),
    ("pt.lda", "Lda", "PT", &["MZ", "AO"], &["lda", "limitada"]),
    ("br.ltda", "Ltda", "BR", &["CL", "CO"], &["ltda"]),
    ("br.sa", "S/A", "BR", &[], &["s/a"]),
    (
        "pl.sp_zoo",
        "Sp. z o.o.",
        "PL",
        &[],
        &["sp z oo", "sp z o o", "spzoo", "spolka z ograniczona odpowiedzialnoscia", "spolka z oo"],
    ),
    ("pl.sp_k", "Sp. k.", "PL", &[], &["sp k", "spolka komandytowa"]),
    ("pl.sa", "S.A.", "PL", &[], &["spolka akcyjna"]),
    ("cz.sro", "s.r.o.", "CZ", &["SK"], &["sro", "s r o", "spol s r o"]),
    ("cz.as", "a.s.", "CZ", &["SK"], &["a s"]),
    ("hu.kft", "Kft.", "HU", &[], &["kft"]),
    ("se.ab", "AB", "SE", &["FI"], &["ab", "aktiebolag", "aktiebolaget"]),
    ("no.as", "AS", "NO", &["EE"], &["as", "a/s", "aksjeselskap"]),
    ("no.asa", "ASA", "NO", &[], &["asa", "allmennaksjeselskap"]),
    ("dk.aps", "ApS", "DK", &[], &["aps", "anpartsselskab"]),
    ("dk.as", "A/S", "DK", &[], &["a/s", "aktieselskab"]),
    ("fi.oy", "Oy", "FI", &[], &["oy", "osakeyhtio", "oy ab"]),
    ("fi.oyj", "Oyj", "FI", &[], &["oyj"]),
    ("ee.ou", "OÜ", "EE", &[], &["ou"]),
    ("ru.ooo", "OOO", "RU", &[], &["ooo", "o o o"]),
    (
        "ru.jsc",
        "JSC",
        "RU",
        &["UA", "KZ"],
        &[
            "jsc",
            "ojsc",
            "pjsc",
            "cjsc",
            "joint stock company",
            "oao",
            "zao",
            "pao",
            "ao",
            "public joint stock company",
            "open joint stock company",
            "closed joint stock company",
        ],
    ),
    (
        "in.pvt_ltd",
        "Pvt Ltd",
        "IN",
        &["PK", "LK", "ZW", "BD"],
        &["pvt ltd", "private limited", "pvt limited", "private ltd", "p ltd", "pvtltd"],
    ),
    ("sg.pte_ltd", "Pte Ltd", "SG", &[], &["pte ltd", "pte limited", "private limited", "pte"]),
    ("my.sdn_bhd", "Sdn Bhd", "MY", &["BN"], &["sdn bhd", "sendirian berhad"]),
    ("my.bhd", "Bhd", "MY", &[], &["bhd", "berhad"]),
    ("id.pt", "Tbk", "ID", &[], &["tbk"]),
    ("jp.kk", "K.K.", "JP", &[], &["kk", "k k", "kabushiki kaisha", "kabushiki gaisha"]),
    ("jp.gk", "G.K.", "JP", &[], &["gk", "godo kaisha"]),
    ("ae.fze", "FZE", "AE", &[], &["fze", "fz llc", "fzc", "fzco", "fz-llc"]),
    ("ae.llc", "LLC", "AE", &[], &["wll", "w l l"]),
];

/// Spellings that are also plain words or the beginnings of one: taken for a form only when written in capitals or with full
/// stops, or when the data comes from a country of the form.
const SHORT: &[&str] = &[
    "ab", "ag", "ao", "as", "asa", "bk", "co", "ev", "eg", "gk", "ing", "kg", "kk", "lp", "na", "nv", "og", "ou", "oy",
    "pc", "sa", "se", "sci", "sl", "sas", "spa", "ug", "ccc", "soc", "coop", "pty", "pte", "p ltd",
];

/// Where a legal form was found.
pub(super) struct Found {
    pub(super) form: &'static LegalForm,
    /// Byte offset of the form in the text.
    pub(super) start: usize,
}

struct Spelling {
    /// The words before the last one, last first.
    before: Vec<&'static str>,
    is_short: bool,
    form: LegalForm,
    countries: &'static [&'static str],
}

/// Spellings by their last word, longest first.
static BY_LAST_WORD: LazyLock<HashMap<&'static str, Vec<Spelling>>> = LazyLock::new(|| {
    let mut by_last: HashMap<&'static str, Vec<Spelling>> = HashMap::new();
    for &(code, canonical, country, countries, spellings) in FORMS {
        let is_name_word = matches!(code, "za.trust" | "za.coop" | "za.npo" | "us.co");
        for &spelling in spellings {
            let mut words = spelling.rsplit(' ');
            let Some(last) = words.next() else { continue };
            by_last.entry(last).or_default().push(Spelling {
                before: words.collect(),
                is_short: SHORT.contains(&spelling),
                form: LegalForm { code, canonical, country, is_name_word },
                countries,
            });
        }
    }
    for spellings in by_last.values_mut() {
        spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.before.len()));
    }
    by_last
});

/// Longest spelling of a word of a legal form, in bytes as written.
const LONGEST_WORD: usize = 40;
/// Longest folded form of such a word, in bytes.
const LONGEST_FOLDED: usize = 48;

/// Finds a legal form at the end of a text; never one that is the whole text.
pub(super) fn find_at_end(text: &str, country: &str) -> Option<Found> {
    let last = last_word(text, text.len())?;
    let spellings = BY_LAST_WORD.get(last.folded())?;
    let mut best: Option<(usize, usize, bool, &'static Spelling)> = None;
    for spelling in spellings {
        let words = spelling.before.len();
        if best.is_some_and(|(most, ..)| words < most) {
            break;
        }
        let mut at = last.start;
        let is_found = spelling.before.iter().all(|wanted| match last_word(text, at) {
            Some(word) if word.folded() == *wanted => {
                at = word.start;
                true
            }
            _ => false,
        });
        if !is_found {
            continue;
        }
        let is_local = spelling.form.country == country || spelling.countries.contains(&country);
        if spelling.is_short && !is_local {
            let written = text[at..].trim_end();
            let is_capital = !written.chars().any(char::is_lowercase) && text[..at].chars().any(char::is_lowercase);
            // `SA` is the country's own name in southern Africa.
            let is_place = matches!(country, "ZA" | "NA" | "BW" | "LS" | "SZ") && matches!(last.folded(), "sa" | "na");
            let is_mixed = matches!(last.folded(), "oy" | "co") && !is_place;
            if !(last.has_stop || (is_capital && !is_place) || is_mixed) {
                continue;
            }
        }
        let is_own = spelling.form.country == country;
        match best {
            Some((_, _, best_is_own, _)) if best_is_own || !is_own => {}
            _ => best = Some((words, at, is_own, spelling)),
        }
    }
    let (_, at, _, spelling) = best?;
    let has_name = text[..at].chars().any(char::is_alphanumeric);
    has_name.then_some(Found { form: &spelling.form, start: at })
}

/// A word as written in a text.
struct Word {
    /// Its folded form, at the start of the buffer.
    folded: [u8; LONGEST_FOLDED],
    length: usize,
    /// Where it begins, with a bracket that opens right before it.
    start: usize,
    /// Whether it has a full stop inside.
    has_stop: bool,
}

impl Word {
    fn folded(&self) -> &str {
        std::str::from_utf8(&self.folded[..self.length]).unwrap_or_default()
    }
}

/// Finds the last word before a byte offset; nothing for one that is too long for a legal form.
fn last_word(text: &str, end: usize) -> Option<Word> {
    let head = text[..end].trim_end_matches(|character: char| {
        character.is_whitespace() || matches!(character, '.' | ',' | '(' | ')' | '[' | ']' | ';' | ':' | '-' | '"')
    });
    let mut start = head.len();
    for (at, character) in head.char_indices().rev() {
        let is_inside = character.is_alphanumeric() || matches!(character, '.' | '\'' | '/' | '&');
        if !is_inside || head.len() - at > LONGEST_WORD {
            break;
        }
        start = at;
        if character == '&' {
            break;
        }
    }
    // `Technologies.Ltd` is not one word: a full stop after more than a few letters ends a word.
    let written = &head[start..];
    let mut offset = 0;
    if let Some(dot) = written.rfind('.')
        && written[..dot].rsplit('.').next().is_some_and(|part| part.len() > 2)
    {
        offset = dot + 1;
    }
    let mut word = Word { folded: [0; LONGEST_FOLDED], length: 0, start: start + offset, has_stop: false };
    for character in written[offset..].chars() {
        match character {
            '.' => word.has_stop = true,
            '\'' => {}
            _ => {
                let mut ascii = [0_u8; 4];
                let plain = if character.is_ascii() {
                    character.encode_utf8(&mut ascii)
                } else {
                    deunicode::deunicode_char(character).unwrap_or_default()
                };
                for byte in plain.bytes() {
                    *word.folded.get_mut(word.length)? = byte.to_ascii_lowercase();
                    word.length += 1;
                }
            }
        }
    }
    if text[..word.start].ends_with(['(', '[']) {
        word.start -= 1;
    }
    (word.length > 0).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, country: &str, expected: Option<(&str, &str)>) {
        let found = find_at_end(input, country);
        let got = found.as_ref().map(|found| (input[..found.start].trim_end(), found.form.code));
        assert_eq!(got, expected, "{input}");
    }

    #[test]
    fn forms_at_the_end() {
        for (input, country, expected) in [
            ("Aero (Pty) Ltd", "ZA", Some(("Aero", "za.pty_ltd"))),
            ("Aero (PTY) LTD.", "ZA", Some(("Aero", "za.pty_ltd"))),
            ("Aero Pty Ltd", "ZA", Some(("Aero", "za.pty_ltd"))),
            ("Aero (Pty)Ltd", "ZA", Some(("Aero", "za.pty_ltd"))),
            ("Aero P/L", "ZA", Some(("Aero", "za.pty_ltd"))),
            ("Aero (Proprietary) Limited", "ZA", Some(("Aero", "za.pty_ltd"))),
            ("Aero (Edms) Bpk", "ZA", Some(("Aero", "za.pty_ltd"))),
            ("Aero (Pty) Ltd (RF)", "ZA", Some(("Aero", "za.pty_ltd_rf"))),
            ("Aero SOC Ltd", "ZA", Some(("Aero", "za.soc_ltd"))),
            ("Aero CC", "ZA", Some(("Aero", "za.cc"))),
            ("Aero C.C.", "ZA", Some(("Aero", "za.cc"))),
            ("Aero cc", "ZA", Some(("Aero", "za.cc"))),
            ("Aero NPC", "ZA", Some(("Aero", "za.npc"))),
            ("Aero Inc", "ZA", Some(("Aero", "za.inc"))),
            ("Aero Inc.", "US", Some(("Aero", "us.inc"))),
            ("Aero Ltd", "ZA", Some(("Aero", "za.ltd"))),
            ("Aero Limited", "GB", Some(("Aero", "gb.ltd"))),
            ("Mandela Trust", "ZA", Some(("Mandela", "za.trust"))),
            ("Trust", "ZA", None),
            ("Ltd", "ZA", None),
            ("Sasol SA", "ZA", None),
            ("Danone S.A.", "FR", Some(("Danone", "fr.sa"))),
            ("Danone SA", "FR", Some(("Danone", "fr.sa"))),
            ("Siemens AG", "ZA", Some(("Siemens", "de.ag"))),
            ("Muster GmbH & Co. KG", "DE", Some(("Muster", "de.gmbh_co_kg"))),
            ("Muster G.m.b.H.", "DE", Some(("Muster", "de.gmbh"))),
            ("Philips N.V.", "NL", Some(("Philips", "nl.nv"))),
            ("Toyota Co., Ltd.", "JP", Some(("Toyota", "cn.co_ltd"))),
            ("Firma Sp. z o.o.", "PL", Some(("Firma", "pl.sp_zoo"))),
            ("Volvo AB", "SE", Some(("Volvo", "se.ab"))),
            ("Maersk A/S", "DK", Some(("Maersk", "dk.as"))),
            ("Nokia Oyj", "FI", Some(("Nokia", "fi.oyj"))),
            ("Tata Pvt. Ltd.", "IN", Some(("Tata", "in.pvt_ltd"))),
            ("Aero Pte Ltd", "SG", Some(("Aero", "sg.pte_ltd"))),
            ("Aero Sdn Bhd", "MY", Some(("Aero", "my.sdn_bhd"))),
            ("Moz Aero Lda", "MZ", Some(("Moz Aero", "pt.lda"))),
            ("Delta Group", "ZA", None),
            ("Delta Holdings", "ZA", None),
            ("Savoie Spa", "ZA", None),
        ] {
            check(input, country, expected);
        }
    }
}
