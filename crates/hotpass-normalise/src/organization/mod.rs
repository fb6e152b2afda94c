//! Names of organisations: display form, legal form, branch, trading name and keys.

mod columns;
mod key;
mod legal_form;
mod similarity;

use std::borrow::Cow;

pub use columns::{OrganizationColumns, organization_columns};
pub use legal_form::LegalForm;
pub use similarity::organization_key_similarity;

use crate::letter_case::{is_all_capitals, title_case};
use crate::text::clean_characters;
use crate::{FieldRule, Outcome, RuleCounts, TextRule};

/// Longest text that can be a name, in bytes.
const LONGEST_NAME: usize = 2_000;

/// The name of an organisation in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationName {
    /// The whole name in its usual form, such as `Aero Club (Pty) Ltd`.
    pub display: String,
    /// The name without legal form, branch and trading name.
    pub core: String,
    /// The legal form, if one is written.
    pub legal_form: Option<LegalForm>,
    /// The branch, such as `Johannesburg North`.
    pub branch: Option<String>,
    /// The name it trades under, without legal form.
    pub trading_as: Option<String>,
    /// The acronym: as written in brackets, or the initials of three words and more.
    pub acronym: Option<String>,
    /// The key under which spellings of this name meet; a branch has a key of its own.
    pub key: String,
    /// The same key with abbreviations written out: `maint` is `maintenance`.
    pub expanded_key: String,
}

/// Takes the name of an organisation apart; `country` (ISO 3166-1 alpha-2) decides between equal spellings of legal forms.
///
/// ```
/// use hotpass_normalise::parse_organization;
///
/// let name = parse_organization("BLUE WING AVN (PTY) LTD. (Durban North) t/a Wing It", "ZA");
/// assert_eq!(name.display, "Blue Wing Avn (Pty) Ltd (Durban North) t/a Wing It");
/// assert_eq!(name.core, "Blue Wing Avn");
/// assert_eq!(name.legal_form.map(|form| form.canonical), Some("(Pty) Ltd"));
/// assert_eq!(name.branch.as_deref(), Some("Durban North"));
/// assert_eq!(name.trading_as.as_deref(), Some("Wing It"));
/// assert_eq!(name.expanded_key, "blue wing aviation @ durban north");
/// ```
pub fn parse_organization(text: &str, country: &str) -> OrganizationName {
    let mut counts = RuleCounts::default();
    let clean = clean_characters(text, &mut counts);
    let tidy = tidy(&clean, country, &mut counts);
    let parts = dissect(&tidy, country);
    let (mut key, mut expanded_key) = (String::new(), String::new());
    parts.append_keys(&mut key, &mut expanded_key);
    OrganizationName {
        core: parts.core.to_owned(),
        legal_form: parts.form.copied(),
        branch: parts.branch.map(str::to_owned),
        trading_as: parts.trading_as.map(str::to_owned),
        acronym: parts.acronym.map(str::to_owned).or_else(|| initials(parts.core)),
        key,
        expanded_key,
        display: tidy.into_owned(),
    }
}

/// Returns how alike two names are, from 0 to 1; see [`organization_key_similarity`], of which it takes the best over the
/// names, their trading names and their acronyms.
pub fn organization_similarity(a: &OrganizationName, b: &OrganizationName) -> f64 {
    let mut best = organization_key_similarity(&a.expanded_key, &b.expanded_key);
    for (one, other) in [(a, b), (b, a)] {
        if let Some(trading_as) = &one.trading_as {
            let (mut plain, mut key) = (String::new(), String::new());
            key::append_keys(trading_as, &mut plain, &mut key);
            if let Some(branch) = &one.branch {
                key::append_branch(branch, &mut key);
            }
            best = best.max(organization_key_similarity(&key, &other.expanded_key));
        }
        let is_acronym = one.acronym.as_ref().is_some_and(|acronym| acronym.eq_ignore_ascii_case(&other.core));
        if is_acronym && one.branch == other.branch {
            best = best.max(0.85);
        }
    }
    best
}

/// Writes names of organisations in their usual form.
///
/// Legal forms get their usual spelling (`organization.legal_form`), names all in capitals get title case
/// (`organization.title_case`), marks of a trading name become `t/a` (`organization.trading_as`). A name without any
/// letter fails with `organization.no_letters`, one of more than 2,000 bytes with `organization.too_long`.
#[derive(Debug, Clone)]
pub struct OrganizationRule {
    text: TextRule,
    country: String,
}

impl OrganizationRule {
    /// Creates the rule for data from a country (ISO 3166-1 alpha-2) over a text rule.
    pub fn new(country: &str, text: TextRule) -> Self {
        Self { text, country: country.to_owned() }
    }

    /// Returns the clean text, nothing for no value, or the reason of the failure.
    fn clean<'a>(&self, value: &'a str, counts: &mut RuleCounts) -> Result<Option<Cow<'a, str>>, &'static str> {
        match self.text.clean(value, counts) {
            Some(clean) if clean.len() > LONGEST_NAME => Err("organization.too_long"),
            Some(clean) if !clean.chars().any(char::is_alphabetic) => Err("organization.no_letters"),
            clean => Ok(clean),
        }
    }

    /// Returns the display form, nothing for no value, or the reason of the failure.
    fn display<'a>(&self, value: &'a str, counts: &mut RuleCounts) -> Result<Option<Cow<'a, str>>, &'static str> {
        let Some(clean) = self.clean(value, counts)? else { return Ok(None) };
        Ok(Some(match clean {
            Cow::Borrowed(clean) => tidy(clean, &self.country, counts),
            Cow::Owned(clean) => Cow::Owned(tidy(&clean, &self.country, counts).into_owned()),
        }))
    }
}

impl FieldRule for OrganizationRule {
    fn apply(&self, _row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        match self.display(value, counts) {
            Ok(None) => Outcome::Empty,
            Ok(Some(display)) if display.len() > LONGEST_NAME => Outcome::Failed("organization.too_long"),
            Ok(Some(display)) => self.text.outcome(value, &display, scratch, counts),
            Err(reason) => Outcome::Failed(reason),
        }
    }
}

/// A piece of a name after its core, in the order of writing from the end.
#[derive(Debug, Clone, Copy)]
enum Piece<'a> {
    Form(&'static LegalForm, &'a str),
    Branch(&'a str),
    DashBranch(&'a str),
    Note(&'a str),
}

/// A name in its parts, all borrowed from the text.
#[derive(Debug, Default)]
struct Parts<'a> {
    core: &'a str,
    form: Option<&'static LegalForm>,
    branch: Option<&'a str>,
    trading_as: Option<&'a str>,
    acronym: Option<&'a str>,
    pieces: [Option<Piece<'a>>; 4],
    /// The canonical mark of the trading name, the mark as written and the text after it.
    trading: Option<(&'static str, &'a str, &'a str)>,
}

impl Parts<'_> {
    fn append_keys(&self, key: &mut String, expanded_key: &mut String) {
        key::append_keys(self.core, key, expanded_key);
        if let Some(form) = self.form.filter(|form| form.is_name_word && form.code != "us.co") {
            for key in [&mut *key, &mut *expanded_key] {
                key.push(' ');
                key::append_key(form.canonical, key);
            }
        }
        if let Some(branch) = self.branch {
            key::append_branch(branch, key);
            key::append_branch(branch, expanded_key);
        }
    }
}

fn dissect<'a>(text: &'a str, country: &str) -> Parts<'a> {
    let Some(mark) = find_trading_mark(text) else { return dissect_name(text, country) };
    let mut parts = dissect_name(mark.before, country);
    let trade = dissect_name(mark.after, country);
    parts.trading_as = Some(trade.core);
    parts.form = parts.form.or(trade.form);
    parts.branch = parts.branch.or(trade.branch);
    parts.trading = Some((mark.canonical, mark.written, mark.after));
    parts
}

/// Takes the pieces off the end of a name until only its core is left.
fn dissect_name<'a>(text: &'a str, country: &str) -> Parts<'a> {
    let mut parts = Parts { core: text, ..Parts::default() };
    for slot in 0..parts.pieces.len() {
        let core = parts.core;
        let Some((rest, piece)) = take_piece(core, country, &parts) else { break };
        match piece {
            Piece::Form(form, _) => parts.form = parts.form.or(Some(form)),
            Piece::Branch(branch) | Piece::DashBranch(branch) => parts.branch = Some(branch),
            Piece::Note(note) => {
                if is_acronym_of(note, rest) {
                    parts.acronym = Some(note);
                }
            }
        }
        parts.pieces[slot] = Some(piece);
        parts.core = rest;
    }
    parts
}

fn take_piece<'a>(core: &'a str, country: &str, parts: &Parts<'a>) -> Option<(&'a str, Piece<'a>)> {
    if let Some(found) = legal_form::find_at_end(core, country) {
        // A second form only goes when it is no word of the name: `Old Mutual Trust Ltd` stays a trust.
        if parts.form.is_none() || !found.form.is_name_word {
            let rest = core[..found.start].trim_end_matches([' ', ',', '&', '-', ';', '(']);
            if rest.chars().any(char::is_alphanumeric) && !rest.eq_ignore_ascii_case("the") {
                return Some((rest, Piece::Form(found.form, core[found.start..].trim())));
            }
        }
    }
    if core.ends_with(')') {
        let open = core.rfind('(')?;
        let (rest, inner) = (core[..open].trim_end(), core[open + 1..core.len() - 1].trim());
        if !rest.chars().any(char::is_alphabetic) || !inner.chars().any(char::is_alphanumeric) {
            return None;
        }
        if is_note(inner) || is_acronym_of(inner, rest) {
            return Some((rest, Piece::Note(inner)));
        }
        return parts.branch.is_none().then_some((rest, Piece::Branch(inner)));
    }
    if parts.branch.is_some() {
        return None;
    }
    let at = [" - ", " – ", " — "].iter().filter_map(|dash| core.rfind(dash).map(|at| (at, dash.len()))).max()?;
    let (rest, tail) = (core[..at.0].trim_end(), core[at.0 + at.1..].trim());
    let is_branch = tail.chars().any(char::is_alphabetic)
        && rest.chars().any(char::is_alphabetic)
        && tail.split(' ').count() <= 4
        && (ends_with_branch_word(tail) || (parts.form.is_none() && legal_form::find_at_end(rest, country).is_some()));
    is_branch.then_some((rest, Piece::DashBranch(tail)))
}

fn ends_with_branch_word(text: &str) -> bool {
    let last = text.rsplit(' ').next().unwrap_or(text);
    ["branch", "office", "division", "depot", "campus", "tak", "hq"].iter().any(|word| word.eq_ignore_ascii_case(last))
}

/// Returns whether a text in brackets says something about the organisation's history or state.
fn is_note(inner: &str) -> bool {
    let first = inner.split(' ').next().unwrap_or(inner);
    ["formerly", "previously", "deregistered", "liquidated", "dormant", "closed", "est", "est."]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(first))
        || ["in liquidation", "in business rescue", "in deregistration", "under liquidation"]
            .iter()
            .any(|note| note.eq_ignore_ascii_case(inner))
}

fn is_acronym_of(inner: &str, name: &str) -> bool {
    if inner.len() < 2 || inner.contains(' ') || !is_all_capitals(inner) {
        return false;
    }
    let letters = || name.split([' ', '-']).filter_map(|word| word.chars().next());
    let all = letters().filter(|letter| letter.is_alphabetic());
    let capitals = letters().filter(|letter| letter.is_uppercase());
    inner.chars().eq(all.flat_map(char::to_uppercase)) || inner.chars().eq(capitals)
}

fn initials(core: &str) -> Option<String> {
    let words = || core.split([' ', '-']).filter(|word| word.starts_with(char::is_alphabetic));
    if words().count() < 3 {
        return None;
    }
    Some(words().filter_map(|word| word.chars().next()).flat_map(char::to_uppercase).collect())
}

struct TradingMark<'a> {
    before: &'a str,
    canonical: &'static str,
    written: &'a str,
    after: &'a str,
}

fn find_trading_mark(text: &str) -> Option<TradingMark<'_>> {
    const MARKS: &[(&str, &str)] = &[
        ("t/a ", "t/a"),
        ("t/as ", "t/a"),
        ("trading as ", "t/a"),
        ("d/b/a ", "t/a"),
        ("dba ", "t/a"),
        ("h/a ", "t/a"),
        ("o/b/o ", "o/b"),
        ("o/b ", "o/b"),
    ];
    let bytes = text.as_bytes();
    for at in 1..bytes.len() {
        let begins =
            (bytes[at - 1] == b' ' || bytes[at - 1] == b'(') && matches!(bytes[at] | 0x20, b't' | b'd' | b'h' | b'o');
        if !begins {
            continue;
        }
        for (mark, canonical) in MARKS {
            let end = at + mark.len();
            let is_mark = bytes.get(at..end).is_some_and(|written| written.eq_ignore_ascii_case(mark.as_bytes()));
            if !is_mark {
                continue;
            }
            // All bytes of a mark are ASCII, so both cuts are between characters.
            let before = text[..at - 1].trim_end_matches([' ', ',', '(', '-']);
            let mut after = text[end..].trim();
            if bytes[at - 1] == b'(' {
                after = after.strip_suffix(')').unwrap_or(after).trim();
            }
            let is_name = |part: &str| part.chars().any(char::is_alphanumeric);
            if is_name(before) && is_name(after) {
                return Some(TradingMark { before, canonical, written: &text[at - 1..end], after });
            }
        }
    }
    None
}

/// Returns the display form of a clean name, borrowed when it is right already.
fn tidy<'a>(clean: &'a str, country: &str, counts: &mut RuleCounts) -> Cow<'a, str> {
    let mut display = Cow::Borrowed(clean);
    // A changed part can show a legal form that was not seen before; a second look finds it.
    for _ in 0..4 {
        match tidy_once(&display, country, counts) {
            Some(next) => display = Cow::Owned(next),
            None => break,
        }
    }
    display
}

fn tidy_once(text: &str, country: &str, counts: &mut RuleCounts) -> Option<String> {
    tidy_parts(text, &dissect(text, country), country, counts)
}

/// Returns the display form of a name that was taken apart, or nothing when it is right already.
fn tidy_parts(text: &str, parts: &Parts<'_>, country: &str, counts: &mut RuleCounts) -> Option<String> {
    let is_shouting = shouts(parts.core);
    let is_same_form = |piece: &Piece<'_>| match piece {
        Piece::Form(form, written) => form.is_name_word || *written == form.canonical,
        _ => true,
    };
    let same_forms = parts.pieces.iter().flatten().all(is_same_form);
    let trade_form = parts.trading.map(|(_, _, after)| tidy_once(after, country, &mut RuleCounts::default()));
    let same_trading = parts.trading.is_none_or(|(canonical, written, _)| written == format!(" {canonical} "))
        && !matches!(trade_form, Some(Some(_)));
    if !is_shouting && same_forms && same_trading {
        return None;
    }
    let mut display = String::with_capacity(text.len() + 8);
    let mut has_title_case = append_cased(parts.core, is_shouting, &mut display);
    for piece in parts.pieces.iter().flatten().rev() {
        match piece {
            Piece::Form(form, written) if form.is_name_word => {
                display.push(' ');
                has_title_case |= append_cased(written, is_shouting, &mut display);
            }
            Piece::Form(form, _) => {
                display.push(' ');
                display.push_str(form.canonical);
            }
            Piece::Branch(inner) | Piece::Note(inner) => {
                display.push_str(" (");
                has_title_case |= append_cased(inner, is_shouting && shouts(inner), &mut display);
                display.push(')');
            }
            Piece::DashBranch(tail) => {
                display.push_str(" - ");
                has_title_case |= append_cased(tail, is_shouting && shouts(tail), &mut display);
            }
        }
    }
    if let Some((canonical, _, after)) = parts.trading {
        display.push(' ');
        display.push_str(canonical);
        display.push(' ');
        display.push_str(trade_form.flatten().as_deref().unwrap_or(after));
    }
    if display == text {
        return None;
    }
    for (changed, code) in [
        (!same_forms, "organization.legal_form"),
        (has_title_case, "organization.title_case"),
        (!same_trading, "organization.trading_as"),
    ] {
        if changed {
            counts.add(code);
        }
    }
    Some(display)
}

fn append_cased(text: &str, is_shouting: bool, into: &mut String) -> bool {
    if is_shouting {
        return title_case(text, into);
    }
    into.push_str(text);
    false
}

/// Returns whether a name is in capitals and is no acronym.
fn shouts(name: &str) -> bool {
    is_all_capitals(name) && (name.contains(' ') || name.chars().filter(|letter| letter.is_alphabetic()).count() > 4)
}

#[cfg(test)]
mod tests;
