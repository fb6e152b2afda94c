//! Text: one form for characters that look or mean the same, and nothing invisible.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use crate::placeholder::no_value;
use crate::{FieldRule, Outcome, Placeholders, RuleCounts};

/// Longest text that is kept, in characters.
const MAX_CHARACTERS: usize = 10_000;

/// Cleans text of any kind; every other rule begins with this one and keeps its `text.` codes.
///
/// The steps: repair of UTF-8 that was read as Windows-1252 (`text.mojibake`), line breaks (`text.line_break`) and other white
/// space (`text.white_space`) to single spaces, control characters (`text.control`), invisible and
/// direction marks (`text.invisible`), typographic quotes (`text.quotes`), Unicode form NFKC (`text.nfkc`), at most
/// 10,000 characters (`text.cut`). What is blank (`text.blank`) or a placeholder (`text.placeholder`) has no value.
#[derive(Debug, Clone, Default)]
pub struct TextRule {
    placeholders: Placeholders,
}

impl TextRule {
    /// Creates the rule with its words for "no value".
    pub fn new(placeholders: Placeholders) -> Self {
        Self { placeholders }
    }

    /// Returns the clean text, borrowed when nothing changes, or nothing when there is no value.
    pub fn clean<'a>(&self, value: &'a str, counts: &mut RuleCounts) -> Option<Cow<'a, str>> {
        let clean = clean_characters(value, counts);
        if clean.is_empty() {
            counts.add("text.blank");
            return None;
        }
        if self.placeholders.contains(&clean) {
            counts.add("text.placeholder");
            return None;
        }
        Some(clean)
    }

    /// Returns the outcome for a value and its new form, which can turn out to mean "no value" as well.
    pub(crate) fn outcome(&self, value: &str, new: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        match outcome(value, new, scratch) {
            Outcome::Changed if self.is_placeholder(new) => no_value(value, counts),
            settled => settled,
        }
    }

    /// Returns whether a clean text is one of the words for "no value".
    pub(crate) fn is_placeholder(&self, text: &str) -> bool {
        self.placeholders.contains(text)
    }
}

impl FieldRule for TextRule {
    fn apply(&self, _row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        match self.clean(value, counts) {
            None => Outcome::Empty,
            Some(clean) => outcome(value, &clean, scratch),
        }
    }
}

/// Returns the outcome for a value and its new form, which goes to the scratch text if it differs.
pub(crate) fn outcome(value: &str, new: &str, scratch: &mut String) -> Outcome {
    if value == new {
        return Outcome::Same;
    }
    scratch.clear();
    scratch.push_str(new);
    Outcome::Changed
}

/// Cleans the characters of a text, without looking at what it means.
pub(crate) fn clean_characters<'a>(value: &'a str, counts: &mut RuleCounts) -> Cow<'a, str> {
    if is_plain(value) {
        return Cow::Borrowed(value);
    }
    let mut clean = Cow::Borrowed(cut(value, counts));
    // A step can bring work for an earlier one: a removed control character joins two halves of a broken letter.
    // Each round shortens or composes, so a few rounds reach the end.
    for _ in 0..8 {
        match clean_round(&clean, counts) {
            Some(next) => clean = Cow::Owned(next),
            None => break,
        }
    }
    if clean.len() > MAX_CHARACTERS {
        let kept = cut(&clean, counts).trim_end().len();
        if kept < clean.len() {
            return Cow::Owned(clean[..kept].to_owned());
        }
    }
    clean
}

/// Returns whether a text is printable ASCII with single spaces between words.
pub(crate) fn is_plain(value: &str) -> bool {
    let bytes = value.as_bytes();
    let mut previous = b' ';
    for &byte in bytes {
        if !(0x20..0x7f).contains(&byte) || (byte == b' ' && previous == b' ') {
            return false;
        }
        previous = byte;
    }
    previous != b' ' && bytes.len() <= MAX_CHARACTERS
}

fn cut<'a>(value: &'a str, counts: &mut RuleCounts) -> &'a str {
    if value.len() <= MAX_CHARACTERS {
        return value;
    }
    match value.char_indices().nth(MAX_CHARACTERS) {
        None => value,
        Some((end, _)) => {
            counts.add("text.cut");
            &value[..end]
        }
    }
}

/// Returns the text after one round of all steps, or nothing when no step changed it.
fn clean_round(value: &str, counts: &mut RuleCounts) -> Option<String> {
    let repaired = repair_mojibake(value);
    if repaired.is_some() {
        counts.add("text.mojibake");
    }
    let source = repaired.as_deref().unwrap_or(value);
    let swept = sweep(source, counts);
    let source = if swept == source { source } else { &swept };
    if is_nfkc_quick(source.chars()) != IsNormalized::Yes {
        let composed: String = source.nfkc().collect();
        if composed != source {
            counts.add("text.nfkc");
            return Some(composed);
        }
    }
    (source != value).then(|| source.to_owned())
}

/// Removes what cannot be seen, collapses white space and straightens quotes.
fn sweep(value: &str, counts: &mut RuleCounts) -> String {
    let mut swept = String::with_capacity(value.len());
    let mut pending_space = false;
    let mut previous = '\0';
    let (mut line_breaks, mut controls, mut invisibles, mut quotes, mut spaces) = (false, false, false, false, false);
    for character in value.chars() {
        if matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}') {
            line_breaks = true;
            pending_space = true;
            continue;
        }
        if character.is_whitespace() || matches!(character, '\u{2800}' | '\u{3164}' | '\u{115f}' | '\u{1160}') {
            spaces |= character != ' ' || pending_space || swept.is_empty();
            pending_space = true;
            continue;
        }
        if character.is_control() {
            controls = true;
            continue;
        }
        if is_invisible(character, previous) {
            invisibles = true;
            continue;
        }
        if pending_space {
            if !swept.is_empty() {
                swept.push(' ');
            }
            pending_space = false;
        }
        let straight = match character {
            '‘' | '’' | '‚' | '‛' | '´' | '′' => '\'',
            '“' | '”' | '„' | '‟' | '″' => '"',
            other => other,
        };
        quotes |= straight != character;
        previous = straight;
        swept.push(straight);
    }
    spaces |= pending_space;
    for (changed, code) in [
        (line_breaks, "text.line_break"),
        (spaces, "text.white_space"),
        (controls, "text.control"),
        (invisibles, "text.invisible"),
        (quotes, "text.quotes"),
    ] {
        if changed {
            counts.add(code);
        }
    }
    swept
}

/// Returns whether a character has no width or only steers direction; joiners are letters' business in scripts that join.
fn is_invisible(character: char, previous: char) -> bool {
    match character {
        '\u{200c}' | '\u{200d}' => !matches!(previous, '\u{0600}'..='\u{0dff}'),
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

/// The characters of Windows-1252 for the bytes 0x80 to 0x9f; the five unused bytes stand for themselves.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

fn windows_1252_byte(character: char) -> Option<u8> {
    match u32::from(character) {
        code @ (0..=0x7f | 0xa0..=0xff) => u8::try_from(code).ok(),
        _ => WINDOWS_1252.iter().position(|known| *known == character).map(|position| position as u8 + 0x80),
    }
}

/// Returns the text that was meant when UTF-8 was read as Windows-1252: `Ã©` gives `é`.
///
/// Only when every character goes back to a byte, the bytes are UTF-8, and all letters that appear are ones that such
/// accidents hide; text that merely looks odd is left alone.
fn repair_mojibake(value: &str) -> Option<String> {
    let mut previous_is_lead = false;
    let is_suspect = value.chars().any(|character| {
        let is_continuation = previous_is_lead && matches!(windows_1252_byte(character), Some(0x80..=0xbf));
        previous_is_lead = matches!(character, '\u{c2}'..='\u{f4}');
        is_continuation
    });
    if !is_suspect {
        return None;
    }
    let bytes: Vec<u8> = value.chars().map(windows_1252_byte).collect::<Option<_>>()?;
    let repaired = String::from_utf8(bytes).ok()?;
    let is_likely = |character: char| {
        matches!(character,
            '\0'..='\u{7f}' | '\u{a0}'..='\u{17f}' | '\u{2010}'..='\u{203a}' | '€' | '™' | '\u{370}'..='\u{45f}')
    };
    repaired.chars().all(is_likely).then_some(repaired)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, expected: Option<&str>) {
        let (mut scratch, mut counts) = (String::new(), RuleCounts::default());
        let got = match TextRule::default().apply(0, input, &mut scratch, &mut counts) {
            Outcome::Same => Some(input.to_owned()),
            Outcome::Changed => Some(scratch),
            Outcome::Empty | Outcome::Failed(_) => None,
        };
        assert_eq!(got.as_deref(), expected, "{input:?}");
        let is_changed = expected != Some(input);
        assert_eq!(counts.iter().next().is_some(), is_changed, "a change is counted, and only a change: {input:?}");
    }

    #[test]
    fn text() {
        for (input, expected) in [
            ("Aero Club", Some("Aero Club")),
            (" Aero Club", Some("Aero Club")),
            ("Aero Club ", Some("Aero Club")),
            ("Aero  Club", Some("Aero Club")),
            ("Aero\tClub", Some("Aero Club")),
            ("Aero\nClub", Some("Aero Club")),
            ("Aero\r\nClub", Some("Aero Club")),
            ("Aero\u{a0}Club", Some("Aero Club")),
            ("Aero\u{2009}Club", Some("Aero Club")),
            ("Aero\u{3000}Club", Some("Aero Club")),
            ("Aero\u{2028}Club", Some("Aero Club")),
            ("+27419960195\u{a0} ", Some("+27419960195")),
            ("Ae\u{200b}ro", Some("Aero")),
            ("\u{feff}Aero", Some("Aero")),
            ("Ae\u{ad}ro", Some("Aero")),
            ("\u{202e}Aero\u{202c}", Some("Aero")),
            ("Ae\u{0}ro", Some("Aero")),
            ("Ae\u{7}ro", Some("Aero")),
            ("Aero\u{7f}", Some("Aero")),
            ("می\u{200c}خواهم", Some("می\u{200c}خواهم")),
            ("O’Brien", Some("O'Brien")),
            ("“Aero”", Some("\"Aero\"")),
            ("O´Brien", Some("O'Brien")),
            ("ﬁnance", Some("finance")),
            ("Ａｅｒｏ", Some("Aero")),
            ("e\u{301}cole", Some("école")),
            ("№ 5", Some("No 5")),
            ("SociÃ©tÃ© GÃ©nÃ©rale", Some("Société Générale")),
            ("CafÃ©", Some("Café")),
            ("Ã‰cole", Some("École")),
            ("donâ€™t", Some("don't")),
            ("MÃ¼ller", Some("Müller")),
            ("10â€“20", Some("10–20")),
            ("SÃ£o Paulo", Some("São Paulo")),
            ("São Paulo", Some("São Paulo")),
            ("MENÜ", Some("MENÜ")),
            ("Ã", Some("Ã")),
            ("Ångström Â", Some("Ångström Â")),
            ("-", None),
            ("N/A", None),
            ("n/a", None),
            ("#N/A", None),
            ("none", None),
            ("NULL", None),
            ("TBD", None),
            ("(TBD)", None),
            (" — ", None),
            ("#REF!", None),
            ("", None),
            (" \u{a0}\u{200b}", None),
            ("Nonesuch", Some("Nonesuch")),
            ("N", Some("N")),
        ] {
            check(input, expected);
        }
    }

    #[test]
    fn long_text_is_cut() {
        let long = "ä".repeat(MAX_CHARACTERS + 5);
        let mut counts = RuleCounts::default();
        let clean = TextRule::default().clean(&long, &mut counts).map(|text| text.chars().count());
        assert_eq!(clean, Some(MAX_CHARACTERS));
        assert_eq!(counts.iter().collect::<Vec<_>>(), [("text.cut", 1)]);
    }
}
