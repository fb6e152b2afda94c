//! Headers as people write them to names a program can use.

use std::collections::HashSet;
use std::fmt;

use hotpass_core::column_letters;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Longest name, in characters, without a `__dup` suffix; what is longer is a note rather than a header.
const LONGEST_NAME: usize = 64;

/// A header with the name it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairedHeader {
    /// Name in `snake_case`, unique among the headers of its table.
    pub name: String,
    /// Header as the source writes it; empty when there is none.
    pub raw: String,
    /// What was repaired besides case and punctuation.
    pub repairs: Vec<HeaderRepair>,
}

/// A repair of a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderRepair {
    /// There was no header; the column's letters give the name.
    Empty,
    /// Line breaks became spaces.
    LineBreak,
    /// No-break or other unusual spaces became plain ones.
    UnusualSpace,
    /// Leading, trailing or repeated white space was removed.
    WhiteSpace,
    /// The name was cut to 64 characters.
    Shortened,
    /// An earlier column has the same name.
    Duplicate {
        /// The name both would have.
        of: String,
    },
}

impl fmt::Display for HeaderRepair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no header, named by its column letters"),
            Self::LineBreak => f.write_str("line break in the header"),
            Self::UnusualSpace => f.write_str("no-break space in the header"),
            Self::WhiteSpace => f.write_str("surplus white space in the header"),
            Self::Shortened => f.write_str("header longer than 64 characters"),
            // The header may be a value, where a table has none: what it says is not repeated.
            Self::Duplicate { .. } => f.write_str("same header as an earlier column"),
        }
    }
}

/// Gives each header a name that is unique in the table.
///
/// Names are `snake_case`: `Name of Organisation` becomes `name_of_organisation`, `FirstName` becomes `first_name`, `#` becomes `number`.
/// A name that occurs again gets `__dup1`, `__dup2`, …, passing over names that a header has by itself. A header without
/// letters or digits is named by its column letters, `column_c`. Names that come out go in unchanged.
///
/// ```
/// let headers = hotpass_ingest::columns::repair_headers(&[Some("Contact\u{a0}Email "), None, Some("contact email")]);
/// let names: Vec<_> = headers.iter().map(|header| header.name.as_str()).collect();
/// assert_eq!(names, ["contact_email", "column_b", "contact_email__dup1"]);
/// ```
pub fn repair_headers(raw: &[Option<&str>]) -> Vec<RepairedHeader> {
    repair_headers_from(raw, 0)
}

/// Gives each header a name as [`repair_headers`] does, for a table whose first column is `first_column` (from 0) of its sheet.
pub fn repair_headers_from(raw: &[Option<&str>], first_column: u32) -> Vec<RepairedHeader> {
    let mut repaired: Vec<RepairedHeader> = raw
        .iter()
        .enumerate()
        .map(|(position, header)| repair_header(header.unwrap_or_default(), first_column + position as u32))
        .collect();
    make_unique(&mut repaired);
    repaired
}

fn repair_header(raw: &str, column: u32) -> RepairedHeader {
    let mut repairs = Vec::new();
    let name = match snake_case(raw) {
        (name, shortened) if !name.is_empty() => {
            repairs.extend(white_space_repairs(raw));
            if shortened {
                repairs.push(HeaderRepair::Shortened);
            }
            name
        }
        _ => {
            repairs.push(HeaderRepair::Empty);
            format!("column_{}", column_letters(column).to_lowercase())
        }
    };
    RepairedHeader { name, raw: raw.to_owned(), repairs }
}

fn white_space_repairs(raw: &str) -> Vec<HeaderRepair> {
    let mut repairs = Vec::new();
    if raw.contains(['\n', '\r', '\u{2028}', '\u{2029}']) {
        repairs.push(HeaderRepair::LineBreak);
    }
    if raw.chars().any(|c| c != ' ' && (c.is_whitespace() || c == '\u{200b}' || c == '\u{feff}') && !is_line_break(c)) {
        repairs.push(HeaderRepair::UnusualSpace);
    }
    let trimmed = raw.trim();
    if trimmed.len() != raw.len() || trimmed.contains("  ") {
        repairs.push(HeaderRepair::WhiteSpace);
    }
    repairs
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

fn make_unique(headers: &mut [RepairedHeader]) {
    let wanted: HashSet<String> = headers.iter().map(|header| header.name.clone()).collect();
    let mut given: HashSet<String> = HashSet::with_capacity(headers.len());
    let mut next_number: std::collections::HashMap<String, u32> = std::collections::HashMap::new();
    for header in headers {
        if given.insert(header.name.clone()) {
            continue;
        }
        let number = next_number.entry(header.name.clone()).or_insert(1);
        let name = loop {
            let candidate = format!("{}__dup{number}", header.name);
            *number += 1;
            if !wanted.contains(&candidate) && given.insert(candidate.clone()) {
                break candidate;
            }
        };
        let of = std::mem::replace(&mut header.name, name);
        header.repairs.push(HeaderRepair::Duplicate { of });
    }
}

/// Returns the header in `snake_case`, and whether it had to be cut; empty when it has no letter or digit.
fn snake_case(raw: &str) -> (String, bool) {
    // A name that an earlier repair numbered keeps its number: folding `a__dup1` to `a_dup1` would rename columns on each pass.
    let mut base = raw;
    while let Some(rest) = without_duplicate_suffix(base) {
        base = rest;
    }
    let suffix = &raw[base.len()..];
    // Lower-casing and compatibility forms can each undo the other's work for a few letters; two passes settle every known one.
    let mut folded = fold(base);
    for _ in 0..3 {
        let again = fold(&folded);
        if again == folded {
            break;
        }
        folded = again;
    }
    if folded.is_empty() {
        return (folded, false);
    }
    let shortened = match folded.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => {
            folded.truncate(end);
            folded.truncate(folded.trim_end_matches('_').len());
            true
        }
        None => false,
    };
    folded.push_str(suffix);
    (folded, shortened)
}

fn without_duplicate_suffix(name: &str) -> Option<&str> {
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &name[base.len()..];
    let base = base.strip_suffix("__dup")?;
    let is_number = !digits.is_empty() && !digits.starts_with('0');
    let has_name = base.chars().any(char::is_alphanumeric);
    (is_number && has_name).then_some(base)
}

fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 4);
    let mut previous_lower = false;
    for c in text.nfkc() {
        match c {
            '#' => push_word(&mut folded, "number"),
            '%' => push_word(&mut folded, "percent"),
            '&' => push_word(&mut folded, "and"),
            '\'' | '\u{2019}' => {}
            c if c.is_alphanumeric() => {
                if previous_lower && c.is_uppercase() {
                    push_break(&mut folded);
                }
                for lower in c.to_lowercase() {
                    if lower.is_alphanumeric() {
                        folded.push(lower);
                    }
                }
            }
            _ => push_break(&mut folded),
        }
        previous_lower = c.is_lowercase();
    }
    folded.truncate(folded.trim_end_matches('_').len());
    folded
}

fn push_break(folded: &mut String) {
    if !folded.is_empty() && !folded.ends_with('_') {
        folded.push('_');
    }
}

fn push_word(folded: &mut String, word: &str) {
    push_break(folded);
    folded.push_str(word);
    folded.push('_');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &[Option<&str>], expected: &[&str]) {
        let names: Vec<_> = repair_headers(raw).into_iter().map(|header| header.name).collect();
        assert_eq!(names, expected, "{raw:?}");
    }

    #[test]
    fn names_are_snake_case() {
        check(&[Some("Name of Organisation")], &["name_of_organisation"]);
        check(&[Some("  Contact\u{a0} Email\r\nAddress ")], &["contact_email_address"]);
        check(&[Some("C_ID"), Some("LoadDate"), Some("FirstName")], &["c_id", "load_date", "first_name"]);
        check(&[Some("MAIN/ SATELLITE"), Some("E-mail")], &["main_satellite", "e_mail"]);
        check(&[Some("#"), Some("Phone #"), Some("% done")], &["number", "phone_number", "percent_done"]);
        check(&[Some("Manager's Name"), Some("Straße"), Some("Émail")], &["managers_name", "straße", "émail"]);
        check(&[Some("E\u{301}mail"), Some("Ｎａｍｅ")], &["émail", "name"]);
        check(&[Some("名前"), Some("2024")], &["名前", "2024"]);
    }

    #[test]
    fn empty_headers_are_named_by_letter() {
        check(&[None, Some(""), Some(" \u{a0}"), Some("--")], &["column_a", "column_b", "column_c", "column_d"]);
        assert_eq!(repair_headers_from(&[None], 27)[0].name, "column_ab");
        check(&[None, Some("Column A")], &["column_a", "column_a__dup1"]);
    }

    #[test]
    fn duplicates_are_numbered_past_names_that_exist() {
        check(&[Some("Name"), Some("name"), Some("NAME ")], &["name", "name__dup1", "name__dup2"]);
        check(&[Some("Name"), Some("Name"), Some("name__dup1")], &["name", "name__dup2", "name__dup1"]);
        check(&[Some("a__dup1"), Some("a__dup1")], &["a__dup1", "a__dup1__dup1"]);
        check(&[Some("__dup1"), Some("a__dup01")], &["dup1", "a_dup01"]);
    }

    #[test]
    fn repairs_are_reported() {
        let headers = repair_headers(&[Some("Tel\u{a0}No"), Some("Tel\nNo "), None, Some("Plain Header")]);
        assert_eq!(headers[0].repairs, [HeaderRepair::UnusualSpace]);
        assert_eq!(
            headers[1].repairs,
            [HeaderRepair::LineBreak, HeaderRepair::WhiteSpace, HeaderRepair::Duplicate { of: "tel_no".into() }]
        );
        assert_eq!(headers[2].repairs, [HeaderRepair::Empty]);
        assert!(headers[3].repairs.is_empty());
        assert_eq!(headers[1].raw, "Tel\nNo ");
        let long = repair_headers(&[Some(&"word ".repeat(100))]);
        assert!(long[0].name.len() <= LONGEST_NAME && long[0].repairs.contains(&HeaderRepair::Shortened));
    }
}
