//! E-mail addresses: the practical subset of RFC 5321 and 5322, without asking the network.
//!
//! The canonical form is in lower case with the domain as A-labels (`xn--…`). Lower-casing the local part is a choice:
//! RFC 5321 lets a host tell `Ann` from `ann`, but no mailbox in common use does, and addresses must group.

use std::borrow::Cow;

use crate::{
    blank::{compatibility_form, is_blank, trim_blank},
    kernel::{FieldRule, Outcome, RuleCounts},
    placeholder::{is_placeholder, no_value},
};

/// Longest local part, in bytes (RFC 5321, 4.5.3.1.1).
const LONGEST_LOCAL_PART: usize = 64;
/// Longest address, in bytes (RFC 5321, 4.5.3.1.3, less the angle brackets of a path).
const LONGEST_ADDRESS: usize = 254;
/// Longest domain, in bytes.
const LONGEST_DOMAIN: usize = 253;

/// Mailboxes that belong to a role and not to a person, sorted; see [`Email::is_role`].
const ROLE_MAILBOXES: &[&str] = &[
    "abuse",
    "accounting",
    "accounts",
    "accountspayable",
    "accountsreceivable",
    "admin",
    "administracao",
    "administracion",
    "administrateur",
    "administration",
    "administrator",
    "admissions",
    "advertising",
    "all",
    "antwort",
    "ap",
    "ar",
    "atencion",
    "atendimento",
    "aviso",
    "ayuda",
    "bestuur",
    "bewerbung",
    "bibliotheek",
    "billing",
    "board",
    "boekhouding",
    "booking",
    "bookings",
    "branch",
    "buchhaltung",
    "buero",
    "bureau",
    "business",
    "callcenter",
    "callcentre",
    "career",
    "careers",
    "ceo",
    "cfo",
    "charter",
    "charters",
    "claims",
    "clientservices",
    "comercial",
    "commercial",
    "communications",
    "compliance",
    "compras",
    "compta",
    "comptabilite",
    "contabilidad",
    "contabilidade",
    "contabilita",
    "contact",
    "contacto",
    "contactus",
    "contato",
    "control",
    "correo",
    "creditors",
    "customer",
    "customercare",
    "customerservice",
    "debtors",
    "desk",
    "direccion",
    "direction",
    "director",
    "dispatch",
    "dispo",
    "domains",
    "donotreply",
    "editor",
    "einkauf",
    "email",
    "emergency",
    "empfang",
    "employment",
    "engineering",
    "enquire",
    "enquiries",
    "enquiry",
    "estimating",
    "eventos",
    "events",
    "export",
    "facturacion",
    "feedback",
    "finance",
    "financeiro",
    "fleet",
    "flightops",
    "frontdesk",
    "general",
    "gerencia",
    "hallo",
    "hello",
    "help",
    "helpdesk",
    "hi",
    "hola",
    "hostmaster",
    "hr",
    "humanresources",
    "import",
    "info",
    "informacion",
    "information",
    "infos",
    "inquiries",
    "inquiry",
    "instructor",
    "international",
    "invoice",
    "invoices",
    "invoicing",
    "it",
    "jobs",
    "kantoor",
    "karriere",
    "kontakt",
    "kontor",
    "kundenservice",
    "legal",
    "library",
    "logistics",
    "mail",
    "mailbox",
    "maintenance",
    "management",
    "manager",
    "marketing",
    "media",
    "membership",
    "navrae",
    "news",
    "newsletter",
    "noreply",
    "office",
    "officemanager",
    "ontvangs",
    "operations",
    "ops",
    "order",
    "orders",
    "parts",
    "payments",
    "payroll",
    "personal",
    "personeel",
    "post",
    "postbus",
    "postmaster",
    "pr",
    "press",
    "presse",
    "principal",
    "procurement",
    "production",
    "projects",
    "purchases",
    "purchasing",
    "quality",
    "quotations",
    "quotes",
    "recepcion",
    "reception",
    "receptionist",
    "rechnung",
    "recruitment",
    "recrutement",
    "rekeninge",
    "remittance",
    "rental",
    "rentals",
    "reply",
    "reservas",
    "reservation",
    "reservations",
    "returns",
    "rh",
    "root",
    "rsvp",
    "safety",
    "sales",
    "salesadmin",
    "secretaria",
    "secretariat",
    "secretary",
    "security",
    "sekretariat",
    "service",
    "services",
    "shipping",
    "shop",
    "spam",
    "spares",
    "staff",
    "stores",
    "studio",
    "suporte",
    "suppliers",
    "support",
    "team",
    "tech",
    "technical",
    "tenders",
    "training",
    "transport",
    "travel",
    "vendas",
    "ventas",
    "verkauf",
    "verkoop",
    "verkope",
    "vertrieb",
    "vragen",
    "warehouse",
    "web",
    "webmaster",
    "welcome",
    "work",
    "workshop",
];

/// Domains where anyone gets a mailbox, sorted; see [`Email::is_free_provider`].
const FREE_PROVIDERS: &[&str] = &[
    "126.com",
    "163.com",
    "absamail.co.za",
    "afrihost.co.za",
    "aim.com",
    "aol.com",
    "axxess.co.za",
    "bigpond.com",
    "btinternet.com",
    "comcast.net",
    "cox.net",
    "cybersmart.co.za",
    "duck.com",
    "earthlink.net",
    "fastmail.com",
    "fastmail.fm",
    "free.fr",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.co.za",
    "hotmail.com",
    "hotmail.de",
    "hotmail.es",
    "hotmail.fr",
    "hotmail.it",
    "hushmail.com",
    "iafrica.com",
    "icloud.com",
    "icon.co.za",
    "inbox.com",
    "inbox.lv",
    "intekom.co.za",
    "isat.co.za",
    "kingsley.co.za",
    "lantic.net",
    "laposte.net",
    "libero.it",
    "live.co.uk",
    "live.co.za",
    "live.com",
    "live.nl",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "mtnloaded.co.za",
    "mweb.co.za",
    "mwebbiz.co.za",
    "naver.com",
    "neomail.co.za",
    "netactive.co.za",
    "ntlworld.com",
    "optusnet.com.au",
    "orange.fr",
    "outlook.co.za",
    "outlook.com",
    "outlook.de",
    "outlook.fr",
    "pm.me",
    "polka.co.za",
    "proton.me",
    "protonmail.ch",
    "protonmail.com",
    "qq.com",
    "rediffmail.com",
    "rocketmail.com",
    "sbcglobal.net",
    "sina.com",
    "sky.com",
    "t-online.de",
    "talktalk.net",
    "telkomsa.net",
    "terra.com.br",
    "tiscali.co.za",
    "tuta.com",
    "tutanota.com",
    "uol.com.br",
    "verizon.net",
    "virginmedia.com",
    "vodafone.co.za",
    "vodamail.co.za",
    "wanadoo.fr",
    "web.de",
    "webafrica.org.za",
    "webmail.co.za",
    "worldonline.co.za",
    "xtra.co.nz",
    "yahoo.ca",
    "yahoo.co.in",
    "yahoo.co.uk",
    "yahoo.co.za",
    "yahoo.com",
    "yahoo.com.au",
    "yahoo.com.br",
    "yahoo.de",
    "yahoo.es",
    "yahoo.fr",
    "yahoo.in",
    "yahoo.it",
    "yandex.com",
    "yandex.ru",
    "ymail.com",
    "zoho.com",
];

/// Misspelt domains that are hardly ever meant, sorted, with what probably is.
const DOMAIN_TYPOS: &[(&str, &str)] = &[
    ("gamil.com", "gmail.com"),
    ("gmai.com", "gmail.com"),
    ("gmail.co", "gmail.com"),
    ("gmail.co.za", "gmail.com"),
    ("gmail.con", "gmail.com"),
    ("gmaill.com", "gmail.com"),
    ("gmal.com", "gmail.com"),
    ("gmial.com", "gmail.com"),
    ("gnail.com", "gmail.com"),
    ("hotmai.com", "hotmail.com"),
    ("hotmail.co", "hotmail.com"),
    ("hotmail.con", "hotmail.com"),
    ("hotmial.com", "hotmail.com"),
    ("htmail.com", "hotmail.com"),
    ("icloud.co", "icloud.com"),
    ("iclould.com", "icloud.com"),
    ("mweb.co", "mweb.co.za"),
    ("mweb.coza", "mweb.co.za"),
    ("outlok.com", "outlook.com"),
    ("outlook.con", "outlook.com"),
    ("telkomsa.co.za", "telkomsa.net"),
    ("vodamail.com", "vodamail.co.za"),
    ("yaho.com", "yahoo.com"),
    ("yahoo.con", "yahoo.com"),
    ("yahooo.com", "yahoo.com"),
    ("yhaoo.com", "yahoo.com"),
];

/// An e-mail address in its canonical form, and what can be told from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The whole address.
    pub address: String,
    /// What stands before the `@`, plus-tag included.
    pub local: String,
    /// What stands after the `@`, as A-labels.
    pub domain: String,
    /// The domain that was registered: the public suffix and one label. For example `acme.co.za` of `mail.acme.co.za`.
    pub registrable_domain: Option<String>,
    /// Whether the domain ends in a suffix of the public suffix list or a name reserved for examples and tests.
    pub has_known_suffix: bool,
    /// The tag behind the first `+` of the local part.
    pub tag: Option<String>,
    /// The address without its tag: the mailbox the mail arrives in.
    pub base_address: String,
    /// Whether the mailbox belongs to a role, such as `info` or `sales`, in any of several languages.
    pub is_role: bool,
    /// Whether the domain gives mailboxes to anyone, so that it says nothing about an organisation.
    pub is_free_provider: bool,
}

/// Reads an e-mail address and brings it into its canonical form.
///
/// # Errors
/// The code of the reason, such as `email.no_at`, when the value holds no address; `email.empty` when it means "no value".
pub fn parse_email(value: &str) -> Result<Email, &'static str> {
    let address = match canonical(value, &mut RuleCounts::default()) {
        Ok(address) => address.into_owned(),
        Err(Outcome::Failed(reason)) => return Err(reason),
        Err(_) => return Err("email.empty"),
    };
    let (local, domain) = address.rsplit_once('@').ok_or("email.no_at")?;
    let tag = if local.starts_with('"') { None } else { local.split_once('+').filter(|(base, _)| !base.is_empty()) };
    let base = tag.map_or(local, |(base, _)| base);
    Ok(Email {
        local: local.to_owned(),
        domain: domain.to_owned(),
        registrable_domain: psl::domain_str(domain).map(str::to_owned),
        has_known_suffix: crate::web::has_known_suffix(domain),
        tag: tag.map(|(_, tag)| tag.to_owned()),
        base_address: format!("{base}@{domain}"),
        is_role: is_role_mailbox(base),
        is_free_provider: is_free_provider(domain),
        address,
    })
}

/// Judges offline how far an address can be trusted: confidence from 0 to 1, and `risky` or `unknown`.
///
/// Only a mail server can say that a mailbox is deliverable, and no server is asked; so nothing is `deliverable` here, and the
/// figures stay under the 0.75 the predecessor gave to a domain with a mail server. A well-formed address below a known
/// public suffix is 0.6; a role mailbox 0.55, because it outlives its readers; a likely misspelling or an unknown suffix
/// is `risky` at 0.35, the figure for a domain without a mail server. A value that does not parse is `undeliverable` at 0.
pub fn email_verdict(email: &Email) -> (f64, &'static str) {
    if !email.has_known_suffix || email_suggestion(&email.domain).is_some() {
        (0.35, "risky")
    } else if email.is_role {
        (0.55, "unknown")
    } else {
        (0.6, "unknown")
    }
}

/// Judges an address in canonical form, such as [`EmailRule`] writes it, as [`email_verdict`] does; nothing is parsed again.
pub fn canonical_email_verdict(address: &str) -> (f64, &'static str) {
    let Some((local, domain)) = address.rsplit_once('@') else { return (0.0, "undeliverable") };
    let has_known_suffix = psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.is_known());
    if !has_known_suffix || email_suggestion(domain).is_some() {
        (0.35, "risky")
    } else if is_role_mailbox(base_of(local)) {
        (0.55, "unknown")
    } else {
        (0.6, "unknown")
    }
}

/// Returns a local part without its tag.
fn base_of(local: &str) -> &str {
    if local.starts_with('"') {
        return local;
    }
    local.split_once('+').map(|(base, _)| base).filter(|base| !base.is_empty()).unwrap_or(local)
}

/// Returns the domain that is probably meant by a common misspelling; nothing is changed by itself.
pub fn email_suggestion(domain: &str) -> Option<&'static str> {
    DOMAIN_TYPOS.binary_search_by_key(&domain, |(typo, _)| typo).ok().map(|index| DOMAIN_TYPOS[index].1)
}

/// Whether a domain, in canonical form, gives mailboxes to anyone.
pub fn is_free_provider(domain: &str) -> bool {
    FREE_PROVIDERS.binary_search(&domain).is_ok()
}

/// Whether a local part names a role: whole, without a number at its end, or in its first word.
fn is_role_mailbox(local: &str) -> bool {
    let known = |word: &str| {
        let word = word.trim_end_matches(|character: char| character.is_ascii_digit());
        !word.is_empty() && ROLE_MAILBOXES.binary_search(&word).is_ok()
    };
    let joined: String = local.chars().filter(|character| character.is_alphanumeric()).collect();
    known(&joined) || local.split(['.', '-', '_']).next().is_some_and(known)
}

/// The rule for e-mail addresses.
///
/// Several addresses in a cell: the first is taken and `email.several` counted; ingest unpacks list columns before. Codes
/// of changes: `email.trim`, `email.compatibility_characters`, `email.unwrap`, `email.at_word`, `email.several`,
/// `email.inner_space`, `email.trailing_punctuation`, `email.lower_case`, `email.idna`. A likely misspelling of a common
/// domain is kept and counted as `email.suspected_domain_typo`.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmailRule;

impl FieldRule for EmailRule {
    fn apply(&self, _row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        let address = if is_canonical(value) {
            Cow::Borrowed(value)
        } else {
            match canonical(value, counts) {
                Ok(address) => address,
                Err(outcome) => return outcome,
            }
        };
        if address.rsplit_once('@').is_some_and(|(_, domain)| email_suggestion(domain).is_some()) {
            counts.add("email.suspected_domain_typo");
        }
        if address == value {
            return Outcome::Same;
        }
        scratch.push_str(&address);
        Outcome::Changed
    }
}

/// Whether an address is canonical by the plain subset most addresses keep to; `false` only means "look closer".
fn is_canonical(value: &str) -> bool {
    let bytes = value.as_bytes();
    if bytes.len() > LONGEST_ADDRESS {
        return false;
    }
    let Some(at) = bytes.iter().position(|byte| *byte == b'@') else { return false };
    let (local, domain) = (&bytes[..at], &bytes[at + 1..]);
    is_plain_local(local) && is_plain_domain(domain)
}

fn is_plain_local(local: &[u8]) -> bool {
    let mut previous = b'.';
    for &byte in local {
        let letter = byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'+');
        if !letter && (byte != b'.' || previous == b'.') {
            return false;
        }
        previous = byte;
    }
    previous != b'.' && local.len() <= LONGEST_LOCAL_PART
}

/// Whether a domain is lower-case ASCII labels without `xn--`, at least two, the last one letters.
pub(crate) fn is_plain_domain(domain: &[u8]) -> bool {
    if domain.len() > LONGEST_DOMAIN {
        return false;
    }
    let (mut label, mut dots, mut letters_only, mut previous) = (0_usize, 0, true, b'.');
    for (index, &byte) in domain.iter().enumerate() {
        if byte == b'.' {
            if label == 0 || label > 63 || previous == b'-' {
                return false;
            }
            (label, letters_only) = (0, true);
            dots += 1;
        } else if byte.is_ascii_lowercase() || byte.is_ascii_digit() || (byte == b'-' && label > 0) {
            // Hyphens in the third and fourth place announce an encoded label.
            if byte == b'-' && label == 3 && domain[index - 1] == b'-' {
                return false;
            }
            letters_only &= byte.is_ascii_lowercase();
            label += 1;
        } else {
            return false;
        }
        previous = byte;
    }
    dots > 0 && (2..=63).contains(&label) && letters_only
}

/// Brings a value into canonical form, or says why it has none.
fn canonical<'a>(value: &'a str, counts: &mut RuleCounts) -> Result<Cow<'a, str>, Outcome> {
    let trimmed = trim_blank(value);
    if is_placeholder(trimmed) {
        return Err(no_value(trimmed, counts));
    }
    if trimmed.len() != value.len() {
        counts.add("email.trim");
    }
    let mut text = Cow::Borrowed(trimmed);
    if let Some(folded) = compatibility_form(&text) {
        counts.add("email.compatibility_characters");
        text = Cow::Owned(trim_blank(&folded).to_owned());
    }
    if let Some(inner) = unwrapped(&text) {
        counts.add("email.unwrap");
        text = Cow::Owned(inner.to_owned());
    }
    if !text.contains('@') {
        let Some(spelled) = spell_at(&text) else { return Err(Outcome::Failed("email.no_at")) };
        counts.add("email.at_word");
        text = Cow::Owned(spelled);
    }
    if !text.starts_with('"') && text.matches('@').count() > 1 {
        let first = first_of_several(&text).ok_or(Outcome::Failed("email.several_at"))?;
        counts.add("email.several");
        text = Cow::Owned(first.to_owned());
    }
    if text.contains(is_blank) && !text.starts_with('"') {
        text = Cow::Owned(join_spaces(&text).ok_or(Outcome::Failed("email.white_space"))?);
        counts.add("email.inner_space");
    }
    let bare = text.trim_matches(|character: char| {
        matches!(
            character,
            '.' | ',' | ';' | ':' | '<' | '>' | '(' | ')' | '[' | ']' | '\'' | '!' | '?' | '/' | '\\' | '|'
        )
    });
    if bare.len() != text.len() {
        // A dot or bracket before the local part can belong to it, so only what is punctuation in any reading goes there.
        counts.add("email.trailing_punctuation");
        text = Cow::Owned(bare.to_owned());
    }
    if text.chars().any(char::is_uppercase) {
        counts.add("email.lower_case");
        text = Cow::Owned(text.to_lowercase());
    }
    let (local, domain) = text.rsplit_once('@').ok_or(Outcome::Failed("email.no_at"))?;
    check_local(local).map_err(Outcome::Failed)?;
    let ascii = ascii_domain(domain).map_err(Outcome::Failed)?;
    if ascii != domain {
        counts.add("email.idna");
        text = Cow::Owned(format!("{local}@{ascii}"));
    }
    if text.len() > LONGEST_ADDRESS {
        return Err(Outcome::Failed("email.too_long"));
    }
    Ok(text)
}

/// Takes off `mailto:`, labels, quotes, brackets and a display name before `<address>`.
fn unwrapped(text: &str) -> Option<&str> {
    let mut inner = text;
    loop {
        let before = inner.len();
        for label in ["mailto:", "e-mail:", "email:", "e-mail address:", "email address:", "mail:"] {
            if inner.get(..label.len()).is_some_and(|start| start.eq_ignore_ascii_case(label)) {
                inner = trim_blank(&inner[label.len()..]);
                inner = inner.split_once('?').map_or(inner, |(address, _)| address);
            }
        }
        if let Some((_, address)) = inner.strip_suffix('>').and_then(|rest| rest.rsplit_once('<'))
            && address.contains('@')
            && inner.matches('<').count() == 1
        {
            inner = trim_blank(address);
        }
        for (open, close) in [('\'', '\''), ('(', ')'), ('[', ']'), ('\u{201c}', '\u{201d}'), ('"', '"')] {
            if let Some(rest) = inner.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) {
                inner = trim_blank(rest);
            }
        }
        if inner.len() == before {
            return (inner.len() != text.len()).then_some(inner);
        }
    }
}

/// Reads `(at)`, `[at]`, `{at}` and ` at ` as `@`, and the like for dots, when there is exactly one reading.
fn spell_at(text: &str) -> Option<String> {
    let mut spelled = text.to_lowercase();
    for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), (" ", " ")] {
        spelled = spelled.replace(&format!("{open}at{close}"), "@");
        spelled = spelled.replace(&format!("{open}dot{close}"), ".");
    }
    let mut joined = String::with_capacity(spelled.len());
    for part in spelled.split('@').map(str::trim) {
        if !joined.is_empty() {
            joined.push('@');
        }
        joined.push_str(part);
    }
    let (local, domain) = joined.split_once('@')?;
    (check_local(local).is_ok() && ascii_domain(domain).is_ok()).then_some(joined)
}

/// Returns the first address of a list, when each part between separators is one.
fn first_of_several(text: &str) -> Option<&str> {
    let mut parts =
        text.split(|character: char| matches!(character, ';' | ',' | '/' | '|' | '&') || is_blank(character));
    let mut first = None;
    let mut addresses = 0;
    for part in parts.by_ref().filter(|part| part.contains('@')) {
        let (local, domain) = part.split_once('@')?;
        if local.is_empty() || domain.contains('@') || !domain.contains('.') {
            return None;
        }
        addresses += 1;
        first = first.or(Some(part));
    }
    first.filter(|_| addresses > 1)
}

/// Removes white space beside the `@` and the dots; other white space has several readings.
fn join_spaces(text: &str) -> Option<String> {
    let mut joined = String::with_capacity(text.len());
    let mut gap = false;
    for character in text.chars() {
        if is_blank(character) {
            gap = true;
            continue;
        }
        if gap && !matches!(character, '@' | '.') && !joined.ends_with(['@', '.']) {
            return None;
        }
        gap = false;
        joined.push(character);
    }
    Some(joined)
}

fn check_local(local: &str) -> Result<(), &'static str> {
    if local.is_empty() {
        return Err("email.empty_local");
    }
    if local.len() > LONGEST_LOCAL_PART {
        return Err("email.local_too_long");
    }
    if let Some(quoted) = local.strip_prefix('"') {
        return check_quoted(quoted);
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err("email.local_dots");
    }
    let allowed = |character: char| character.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(character);
    if local.chars().all(allowed) { Ok(()) } else { Err("email.local_characters") }
}

/// Checks a quoted local part behind its opening quote.
fn check_quoted(quoted: &str) -> Result<(), &'static str> {
    let inner = quoted.strip_suffix('"').filter(|inner| !inner.is_empty()).ok_or("email.local_quotes")?;
    let mut escaped = false;
    for character in inner.chars() {
        match character {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return Err("email.local_quotes"),
            _ if character.is_control() => return Err("email.local_characters"),
            _ => escaped = false,
        }
    }
    if escaped { Err("email.local_quotes") } else { Ok(()) }
}

/// Returns a lower-case domain as A-labels, or why it is none.
fn ascii_domain(domain: &str) -> Result<Cow<'_, str>, &'static str> {
    if is_plain_domain(domain.as_bytes()) {
        return Ok(Cow::Borrowed(domain));
    }
    if domain.is_empty() {
        return Err("email.empty_domain");
    }
    if domain.starts_with('[') || domain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err("email.ip_address");
    }
    if domain.contains(',') {
        return Err("email.comma_in_domain");
    }
    if domain.starts_with('.') || domain.contains("..") {
        return Err("email.domain_dots");
    }
    if !domain.contains(['.', '\u{3002}']) {
        return Err("email.domain_no_dot");
    }
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| "email.domain_syntax")?;
    let top = ascii.rsplit('.').next().unwrap_or_default();
    if !top.bytes().any(|byte| byte.is_ascii_alphabetic()) || top.len() < 2 || ascii.len() > LONGEST_DOMAIN {
        return Err("email.domain_syntax");
    }
    Ok(Cow::Owned(ascii))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn apply(value: &str) -> (Outcome, String, Vec<String>) {
        let (mut scratch, mut counts) = (String::new(), RuleCounts::default());
        let outcome = EmailRule.apply(0, value, &mut scratch, &mut counts);
        (outcome, scratch, counts.iter().map(|(code, _)| code.to_owned()).collect())
    }

    #[test]
    fn addresses_are_read_in_every_dress() {
        let check = |input: &str, expected: &str| {
            assert_eq!(parse_email(input).map(|email| email.address).as_deref(), Ok(expected), "{input}");
        };
        for input in [
            "ann@acme.co.za",
            "Ann@Acme.co.za",
            " ann@acme.co.za ",
            "ann@acme.co.za\u{a0}",
            "\u{feff}ann@acme.co.za",
            "mailto:ann@acme.co.za",
            "MAILTO: ann@acme.co.za?subject=Hi",
            "<ann@acme.co.za>",
            "Ann Smith <ann@acme.co.za>",
            "\"Smith, Ann\" <ann@acme.co.za>",
            "'ann@acme.co.za'",
            "(ann@acme.co.za)",
            "ann@acme.co.za.",
            "ann@acme.co.za;",
            "ann@acme.co.za,",
            "ann @ acme.co.za",
            "ann@ acme . co.za",
            "ann(at)acme.co.za",
            "ann [at] acme.co.za",
            "ann at acme.co.za",
            "ann at acme dot co dot za",
            "ann{at}acme(dot)co(dot)za",
            "ann\u{ff20}acme.co.za",
            "E-mail: ann@acme.co.za",
            "Email address: ann@acme.co.za",
            "ann@acme.co.za; bob@acme.co.za",
            "ann@acme.co.za / bob@acme.co.za",
            "ann@acme.co.za bob@acme.co.za",
            "ann@acme.co.za\nbob@acme.co.za",
            "ann@acme\u{200b}.co.za",
        ] {
            check(input, "ann@acme.co.za");
        }
        check("o'brien@acme.co.za", "o'brien@acme.co.za");
        check("ann.b+news@acme.com", "ann.b+news@acme.com");
        check("\"ann smith\"@acme.com", "\"ann smith\"@acme.com");
        check("\"a@b\"@acme.com", "\"a@b\"@acme.com");
        check("ann@b\u{fc}cher.de", "ann@xn--bcher-kva.de");
        check("ann@B\u{dc}CHER.de", "ann@xn--bcher-kva.de");
        check("ann@xn--bcher-kva.de", "ann@xn--bcher-kva.de");
        check("ann@mail.acme.museum", "ann@mail.acme.museum");
        check("_@acme.com", "_@acme.com");
    }

    #[test]
    fn what_is_no_address_says_why() {
        let check = |input: &str, expected: &str| assert_eq!(parse_email(input), Err(expected), "{input}");
        check("ann.acme.co.za", "email.no_at");
        check("look at this", "email.no_at");
        check("ann at home", "email.no_at");
        check("@acme.co.za", "email.empty_local");
        check("ann@", "email.empty_domain");
        check("ann@@acme.co.za", "email.several_at");
        check("ann@acme@co.za", "email.several_at");
        check("ann smith@acme.co.za", "email.white_space");
        check("ann@acme.co.za (work) x", "email.white_space");
        check("ann..b@acme.co.za", "email.local_dots");
        check("ann.@acme.co.za", "email.local_dots");
        check("ann@acme..co.za", "email.domain_dots");
        check("ann@.acme.co.za", "email.domain_dots");
        check("ann@acme", "email.domain_no_dot");
        check("ann@acme,co.za", "email.comma_in_domain");
        check("ann@10.0.0.1", "email.ip_address");
        check("ann@-acme.co.za", "email.domain_syntax");
        check("ann@ac_me.co.za", "email.domain_syntax");
        check("ann@acme.c", "email.domain_syntax");
        check("ann@acme.123", "email.domain_syntax");
        check("an(n@acme.com", "email.local_characters");
        check("\"ann@acme.com", "email.local_quotes");
        check(&format!("{}@acme.com", "a".repeat(65)), "email.local_too_long");
        check(&format!("a@{}.com", "a".repeat(64)), "email.domain_syntax");
        for blank in ["", " ", "-", "n/a", "None", "?"] {
            check(blank, "email.empty");
        }
    }

    #[test]
    fn changes_are_counted_by_step() {
        let check = |input: &str, expected: &[&str]| assert_eq!(apply(input).2, expected, "{input}");
        check("ann@acme.co.za", &[]);
        check(" ann@acme.co.za", &["email.trim"]);
        check("ANN@acme.co.za", &["email.lower_case"]);
        check("<ann@acme.co.za>", &["email.unwrap"]);
        check("ann at acme.co.za", &["email.at_word"]);
        check("ann @acme.co.za", &["email.inner_space"]);
        check("ann@acme.co.za.", &["email.trailing_punctuation"]);
        check("ann@b\u{fc}cher.de", &["email.idna"]);
        check("ann@gmial.com", &["email.suspected_domain_typo"]);
        check("a@acme.com;b@acme.com", &["email.several"]);
        assert_eq!(apply("ann@gmial.com").0, Outcome::Same);
        assert_eq!(apply("ann@acme").0, Outcome::Failed("email.domain_no_dot"));
        assert_eq!(apply("none").0, Outcome::Empty);
    }

    #[test]
    fn an_address_tells_of_its_owner() -> Result<(), &'static str> {
        let email = parse_email("Info+shop@Mail.Acme.co.za")?;
        assert_eq!(email.tag.as_deref(), Some("shop"));
        assert_eq!(email.base_address, "info@mail.acme.co.za");
        assert_eq!(email.registrable_domain.as_deref(), Some("acme.co.za"));
        assert!(email.is_role && !email.is_free_provider && email.has_known_suffix);
        for role in [
            "sales@acme.com",
            "sales2@acme.com",
            "sales.jhb@acme.com",
            "front-desk@acme.com",
            "navrae@acme.com",
            "kontakt@acme.de",
            "ventas@acme.es",
        ] {
            assert!(parse_email(role)?.is_role, "{role}");
        }
        for person in ["ann@acme.com", "salesman@acme.com", "12@acme.com", "ann.sales@acme.com"] {
            assert!(!parse_email(person)?.is_role, "{person}");
        }
        for free in ["ann@gmail.com", "ann@yahoo.co.za", "ann@webmail.co.za", "ann@mweb.co.za", "ann@outlook.com"] {
            assert!(parse_email(free)?.is_free_provider, "{free}");
        }
        Ok(())
    }

    #[test]
    fn verdicts_are_honest_about_being_offline() -> Result<(), &'static str> {
        let check = |input: &str, expected: (f64, &'static str)| -> Result<(), &'static str> {
            let email = parse_email(input)?;
            for verdict in [email_verdict(&email), canonical_email_verdict(&email.address)] {
                assert!((verdict.0 - expected.0).abs() < 1e-9 && verdict.1 == expected.1, "{input}");
            }
            Ok(())
        };
        check("ann@acme.co.za", (0.6, "unknown"))?;
        check("ann@gmail.com", (0.6, "unknown"))?;
        check("info@acme.co.za", (0.55, "unknown"))?;
        check("info+bills@acme.co.za", (0.55, "unknown"))?;
        check("ann@gmial.com", (0.35, "risky"))?;
        check("ann@acme.localdomain", (0.35, "risky"))
    }

    #[test]
    fn tables_are_sorted() {
        assert!(ROLE_MAILBOXES.is_sorted() && FREE_PROVIDERS.is_sorted() && DOMAIN_TYPOS.is_sorted());
    }

    proptest! {
        #[test]
        fn canonical_forms_stay(text in "\\PC{0,40}|[a-zA-Z.<>@ ()\"+-]{0,20}@[a-zA-Z0-9.\u{fc} -]{0,20}") {
            if let Ok(email) = parse_email(&text) {
                prop_assert_eq!(apply(&email.address).0, Outcome::Same, "{}", email.address);
            }
        }

        #[test]
        fn the_fast_path_accepts_only_canonical_forms(text in "[a-z.+_-]{0,6}@[a-z0-9.-]{0,12}") {
            if is_canonical(&text) {
                prop_assert_eq!(canonical(&text, &mut RuleCounts::default()), Ok(Cow::Borrowed(text.as_str())));
            }
        }
    }
}
