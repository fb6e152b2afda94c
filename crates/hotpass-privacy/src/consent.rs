//! Consent: its states, statements about entities, and what follows from them.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::error::PrivacyFileError;
use crate::subject::{Identifier, IdentifierKind};

/// What a state of consent means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentOutcome {
    /// Consent is there.
    Pass,
    /// Consent is open; it does not pass.
    Open,
    /// Consent was refused, withdrawn, or has run out.
    Fail,
}

/// A state of consent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// Given.
    Granted,
    /// Given.
    Approved,
    /// Given.
    Allowed,
    /// Asked for, not answered.
    Pending,
    /// Nobody said anything.
    #[default]
    Unknown,
    /// A person has to judge.
    Review,
    /// Refused.
    Denied,
    /// Its time is over.
    Expired,
    /// Taken back.
    Withdrawn,
    /// Taken back.
    Revoked,
}

/// Name and state.
const STATES: [(&str, ConsentState); 10] = [
    ("granted", ConsentState::Granted),
    ("approved", ConsentState::Approved),
    ("allowed", ConsentState::Allowed),
    ("pending", ConsentState::Pending),
    ("unknown", ConsentState::Unknown),
    ("review", ConsentState::Review),
    ("denied", ConsentState::Denied),
    ("expired", ConsentState::Expired),
    ("withdrawn", ConsentState::Withdrawn),
    ("revoked", ConsentState::Revoked),
];

/// Other words for `granted`, with a space for `-` and `_`.
pub const GRANTED: [&str; 10] = ["yes", "y", "true", "1", "ja", "given", "consented", "opt in", "opted in", "optin"];
/// Other words for `denied`.
pub const DENIED: [&str; 10] =
    ["no", "n", "false", "0", "nee", "refused", "rejected", "opt out", "opted out", "optout"];
/// Other words for `withdrawn`.
pub const WITHDRAWN: [&str; 3] = ["cancelled", "canceled", "unsubscribed"];

impl ConsentState {
    /// Returns every state, the most permissive first.
    pub fn all() -> impl Iterator<Item = Self> {
        STATES.iter().map(|(_, state)| *state)
    }

    /// Returns what a source writes: the name of a state, or one of [`GRANTED`], [`DENIED`] and [`WITHDRAWN`], in any case and with
    /// `-`, `_` or a space between words; anything unheard of is `review`, an empty text is `unknown`.
    pub fn from_text(text: &str) -> Self {
        let text = text.trim().to_lowercase().replace(['_', '-'], " ");
        match text.as_str() {
            "" => Self::Unknown,
            text if GRANTED.contains(&text) => Self::Granted,
            text if DENIED.contains(&text) => Self::Denied,
            text if WITHDRAWN.contains(&text) => Self::Withdrawn,
            text => STATES.iter().find(|(name, _)| *name == text).map_or(Self::Review, |(_, state)| *state),
        }
    }

    /// Returns the name.
    pub fn name(self) -> &'static str {
        STATES.iter().find(|(_, state)| *state == self).map_or("unknown", |(name, _)| name)
    }

    /// Returns what it means.
    pub fn outcome(self) -> ConsentOutcome {
        match self {
            Self::Granted | Self::Approved | Self::Allowed => ConsentOutcome::Pass,
            Self::Pending | Self::Unknown | Self::Review => ConsentOutcome::Open,
            Self::Denied | Self::Expired | Self::Withdrawn | Self::Revoked => ConsentOutcome::Fail,
        }
    }
}

impl fmt::Display for ConsentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A statement of consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsentStatement {
    /// What was said.
    pub state: ConsentState,
    /// When, where that is known.
    pub date: Option<NaiveDate>,
}

/// Returns what holds of several statements about one entity.
///
/// The latest dated statement overrules earlier ones; of statements of one day, and against statements without a date, the more
/// restrictive holds. Without any statement it is `unknown`.
pub fn effective_consent(statements: impl IntoIterator<Item = ConsentStatement>) -> ConsentStatement {
    let mut dated: Option<ConsentStatement> = None;
    let mut undated: Option<ConsentStatement> = None;
    for statement in statements {
        let slot = if statement.date.is_some() { &mut dated } else { &mut undated };
        let replaces = slot.is_none_or(|held| (statement.date, statement.state) > (held.date, held.state));
        if replaces {
            *slot = Some(statement);
        }
    }
    match (dated, undated) {
        (Some(dated), Some(undated)) if undated.state.outcome() > dated.state.outcome() => undated,
        (Some(statement), _) | (None, Some(statement)) => statement,
        (None, None) => ConsentStatement { state: ConsentState::Unknown, date: None },
    }
}

/// Statements from a consent file: by entity, by e-mail address or telephone number, or by the hash of one.
#[derive(Debug, Clone, Default)]
pub struct ConsentRegister {
    statements: HashMap<Key, Vec<(ConsentStatement, Vec<String>)>>,
    rows: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Entity(String),
    /// SHA-256 of an identifier.
    Hash(String),
}

/// A row of a consent file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    entity_id: String,
    email: String,
    phone: String,
    hash: String,
    consent_status: String,
    consent_date: String,
    purpose: String,
}

impl ConsentRegister {
    /// Reads a consent file: CSV with a header, or JSON (a list of objects).
    ///
    /// Columns: one of `entity_id`, `email`, `phone`, `hash` (SHA-256 of the normalised address or number, see
    /// [`Identifier::digest`]); `consent_status`; `consent_date` (`YYYY-MM-DD`, may be empty); `purpose` (may be empty: every
    /// purpose; several joined by `;`).
    ///
    /// # Errors
    ///
    /// Returns [`PrivacyFileError`] when the file cannot be read, lacks a column, or a row names nobody.
    pub fn read(path: &Path) -> Result<Self, PrivacyFileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| PrivacyFileError::Read { path: path.to_path_buf(), source })?;
        let form = |line: usize, reason: String| PrivacyFileError::Form { path: path.to_path_buf(), line, reason };
        let json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        let rows: Vec<Row> = if json {
            serde_json::from_str(&text).map_err(|error| {
                form(error.line(), "it is no list of objects with the columns of a consent file".into())
            })?
        } else {
            read_csv(&text).map_err(|(line, reason)| form(line, reason))?
        };
        let mut register = Self { rows: rows.len(), ..Self::default() };
        for (index, row) in rows.into_iter().enumerate() {
            let line = if json { index + 1 } else { index + 2 };
            let date = match row.consent_date.trim() {
                "" => None,
                text => Some(
                    text.get(..10)
                        .and_then(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok())
                        .ok_or_else(|| form(line, "`consent_date` is not a date of the form YYYY-MM-DD".into()))?,
                ),
            };
            let statement = ConsentStatement { state: ConsentState::from_text(&row.consent_status), date };
            let purposes: Vec<String> = row
                .purpose
                .split(';')
                .map(|purpose| purpose.trim().to_owned())
                .filter(|purpose| !purpose.is_empty())
                .collect();
            let mut keys = Vec::new();
            if !row.entity_id.trim().is_empty() {
                keys.push(Key::Entity(row.entity_id.trim().to_owned()));
            }
            if !row.hash.trim().is_empty() {
                keys.push(Key::Hash(row.hash.trim().to_lowercase()));
            }
            for (kind, text) in [(IdentifierKind::Email, &row.email), (IdentifierKind::Phone, &row.phone)] {
                if let Some(identifier) = Identifier::new(kind, text) {
                    keys.push(Key::Hash(identifier.digest()));
                }
            }
            if keys.is_empty() {
                return Err(form(line, "the row names no entity, address, number or hash".into()));
            }
            for key in keys {
                register.statements.entry(key).or_default().push((statement, purposes.clone()));
            }
        }
        Ok(register)
    }

    /// Returns whether it holds no statement.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// Returns the number of rows that were read.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the statements about an entity, for a purpose.
    pub fn of_entity<'r>(
        &'r self,
        entity_id: &str,
        purpose: &'r str,
    ) -> impl Iterator<Item = ConsentStatement> + use<'r> {
        self.of(&Key::Entity(entity_id.to_owned()), purpose)
    }

    /// Returns the statements about whom an address or number belongs to, for a purpose.
    pub fn of_identifier<'r>(
        &'r self,
        identifier: &Identifier,
        purpose: &'r str,
    ) -> impl Iterator<Item = ConsentStatement> + use<'r> {
        self.of(&Key::Hash(identifier.digest()), purpose)
    }

    fn of<'r>(&'r self, key: &Key, purpose: &'r str) -> impl Iterator<Item = ConsentStatement> + use<'r> {
        self.statements
            .get(key)
            .into_iter()
            .flatten()
            .filter(move |(_, purposes)| {
                purposes.is_empty() || purposes.iter().any(|held| held.eq_ignore_ascii_case(purpose))
            })
            .map(|(statement, _)| *statement)
    }
}

/// Reads CSV as RFC 4180 writes it: the few columns of a consent file.
fn read_csv(text: &str) -> Result<Vec<Row>, (usize, String)> {
    let mut records = csv_records(text.trim_start_matches('\u{feff}')).into_iter();
    let header: Vec<String> =
        records.next().unwrap_or_default().iter().map(|name| name.trim().to_lowercase()).collect();
    let place = |name: &str| header.iter().position(|column| column == name);
    let status = place("consent_status").ok_or((1, "it has no column `consent_status`".to_owned()))?;
    let names = ["entity_id", "email", "phone", "hash"];
    if names.iter().all(|name| place(name).is_none()) {
        return Err((1, "it has none of the columns `entity_id`, `email`, `phone`, `hash`".to_owned()));
    }
    Ok(records
        .filter(|record| record.iter().any(|cell| !cell.trim().is_empty()))
        .map(|record| {
            let get = |place: Option<usize>| place.and_then(|place| record.get(place)).cloned().unwrap_or_default();
            Row {
                entity_id: get(place("entity_id")),
                email: get(place("email")),
                phone: get(place("phone")),
                hash: get(place("hash")),
                consent_status: get(Some(status)),
                consent_date: get(place("consent_date")),
                purpose: get(place("purpose").or_else(|| place("purposes"))),
            }
        })
        .collect())
}

fn csv_records(text: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let mut record = vec![String::new()];
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let last = record.len() - 1;
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                record[last].push('"');
            }
            '"' => quoted = !quoted,
            ',' | ';' if !quoted && (c == ',' || !text.lines().next().unwrap_or_default().contains(',')) => {
                record.push(String::new());
            }
            '\n' if !quoted => records.push(std::mem::replace(&mut record, vec![String::new()])),
            '\r' if !quoted => {}
            c => record[last].push(c),
        }
    }
    if record.len() > 1 || !record[0].is_empty() {
        records.push(record);
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_of_the_predecessor_pass_wait_and_fail() {
        let check = |words: &[&str], expected: ConsentOutcome| {
            for word in words {
                assert_eq!(ConsentState::from_text(word).outcome(), expected, "{word}");
            }
        };
        check(
            &["granted", "Approved", " ALLOWED ", "yes", "opt-in", "Opted-In", "opted_in", "optin", "ja"],
            ConsentOutcome::Pass,
        );
        check(&GRANTED, ConsentOutcome::Pass);
        check(&DENIED, ConsentOutcome::Fail);
        check(&WITHDRAWN, ConsentOutcome::Fail);
        // What the documentation lists is what counts.
        let documented = include_str!("../../../docs/explanation/privacy.md");
        for word in GRANTED.iter().chain(&DENIED).chain(&WITHDRAWN) {
            assert!(documented.contains(&format!("`{}`", word.replace(' ', "-"))), "{word} is documented");
        }
        check(&["pending", "unknown", "review", "", "perhaps"], ConsentOutcome::Open);
        check(
            &["revoked", "denied", "withdrawn", "expired", "no", "opt-out", "Opted Out", "opted_out"],
            ConsentOutcome::Fail,
        );
    }

    #[test]
    fn the_latest_statement_holds_and_what_has_no_date_restricts() {
        let statement = |state: ConsentState, day: Option<u32>| ConsentStatement {
            state,
            date: day.and_then(|day| NaiveDate::from_ymd_opt(2024, 1, day)),
        };
        use ConsentState::{Denied, Granted, Pending, Revoked, Unknown};
        let check = |statements: &[ConsentStatement], expected: ConsentState| {
            assert_eq!(effective_consent(statements.iter().copied()).state, expected, "{statements:?}");
            assert_eq!(effective_consent(statements.iter().rev().copied()).state, expected, "{statements:?}");
        };
        check(&[], Unknown);
        check(&[statement(Granted, Some(2)), statement(Revoked, Some(1))], Granted);
        check(&[statement(Granted, Some(1)), statement(Revoked, Some(2))], Revoked);
        check(&[statement(Granted, Some(2)), statement(Denied, Some(2))], Denied);
        check(&[statement(Granted, Some(2)), statement(Revoked, None)], Revoked);
        check(&[statement(Denied, Some(2)), statement(Granted, None)], Denied);
        check(&[statement(Granted, None), statement(Pending, None)], Pending);
    }

    #[test]
    fn a_register_is_read_from_csv_and_json() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let csv = folder.path().join("consent.csv");
        hotpass_core::write_atomic(
            &csv,
            "entity_id,email,consent_status,consent_date,purpose\n\
             org_1,,granted,2024-01-02,newsletter;survey\n,\"A.B@Example.org\",revoked,,\n",
        )?;
        let register = ConsentRegister::read(&csv)?;
        assert_eq!(register.rows(), 2);
        assert_eq!(register.of_entity("org_1", "Survey").count(), 1);
        assert_eq!(register.of_entity("org_1", "sale").count(), 0);
        let address = Identifier::new(IdentifierKind::Email, "a.b@example.org").ok_or("an address")?;
        assert_eq!(
            register.of_identifier(&address, "any").next().map(|found| found.state),
            Some(ConsentState::Revoked)
        );

        let json = folder.path().join("consent.json");
        hotpass_core::write_atomic(
            &json,
            format!(r#"[{{"hash": "{}", "consent_status": "granted"}}]"#, address.digest()),
        )?;
        assert_eq!(ConsentRegister::read(&json)?.of_identifier(&address, "any").count(), 1);

        hotpass_core::write_atomic(&csv, "email,consent_status,consent_date\nx@secret.example,granted,soon\n")?;
        let error = ConsentRegister::read(&csv).unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains("secret"), "{error}");
        hotpass_core::write_atomic(&csv, "name\nx\n")?;
        assert!(ConsentRegister::read(&csv).is_err());
        Ok(())
    }
}
