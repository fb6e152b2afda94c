//! What else is known of a person: the other identifiers of the contacts and rows that hold one of those that were asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, RecordBatch};
use hotpass_privacy::DataClass;
use hotpass_privacy::subject::{ERASED, Identifier, IdentifierKind, Subject};
use zip::ZipArchive;

use super::erasing::parquet_batches;
use super::rights::{RightsError, Run, batches, each_row, outputs_of};
use crate::records::value_at;

/// What one contact or row says about one person.
#[derive(Debug, Default)]
struct Person {
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    numbers: Vec<String>,
}

impl Person {
    fn values(&self) -> impl Iterator<Item = (IdentifierKind, &str)> {
        [(IdentifierKind::Name, &self.name), (IdentifierKind::Email, &self.email), (IdentifierKind::Phone, &self.phone)]
            .into_iter()
            .filter_map(|(kind, value)| Some((kind, value.as_deref()?)))
            .chain(self.numbers.iter().map(|number| (IdentifierKind::Number, number.as_str())))
    }

    fn has_nothing(&self) -> bool {
        self.values().next().is_none()
    }
}

/// Adds the other identifiers of the contacts and rows that hold one of those that were asked for; an address or number that
/// several names share is a reception's, and is not added.
pub(super) fn with_related(
    runs: &[Run],
    archives: &[PathBuf],
    asked: &[Identifier],
) -> Result<(Subject, Vec<(IdentifierKind, String)>), RightsError> {
    let subject = Subject::new(asked.to_vec());
    let mut people: Vec<Person> = Vec::new();
    for run in runs {
        let contacts = run.directory.join("contacts.parquet");
        if contacts.is_file() {
            batches(&contacts)?.iter().for_each(|batch| contacts_of(batch, &mut people));
        }
        let quarantine = run.directory.join("quarantine.parquet");
        if quarantine.is_file() {
            batches(&quarantine)?.iter().for_each(|batch| quarantined_of(batch, &mut people));
        }
        if run.manifest.command == "resolve" {
            // The first output is the table of rows.
            if let Some(output) = outputs_of(run).first() {
                each_row(output, |headers, _, cells| {
                    let cells = headers.iter().map(String::as_str).zip(cells.iter().copied());
                    people.extend(person_of(cells).filter(|person| !person.has_nothing()));
                });
            }
        }
    }
    for archive in archives {
        contacts_of_archive(archive, &mut people);
    }
    let mut names: BTreeMap<(IdentifierKind, &str), BTreeSet<String>> = BTreeMap::new();
    for person in &people {
        for (kind, value) in person.values().filter(|(kind, _)| *kind != IdentifierKind::Name) {
            if let Some(name) = person.name.as_deref().and_then(|name| Identifier::new(IdentifierKind::Name, name)) {
                names.entry((kind, value)).or_default().insert(name.digest());
            }
        }
    }
    let mut all: Vec<Identifier> = asked.to_vec();
    let mut related = BTreeSet::new();
    for person in &people {
        if !person.values().any(|(_, value)| subject.is_in(value)) {
            continue;
        }
        for (kind, value) in person.values() {
            if subject.is_in(value) || names.get(&(kind, value)).is_some_and(|names| names.len() > 1) {
                continue;
            }
            if let Some(identifier) = Identifier::new(kind, value) {
                related.insert((kind, value.to_owned()));
                all.push(identifier);
            }
        }
    }
    Ok((Subject::new(all), related.into_iter().collect()))
}

/// Returns a value as far as it is one that says something.
fn told(value: &str) -> Option<String> {
    let value = value.trim();
    let hidden = value.is_empty() || value.contains(hotpass_privacy::operator::REDACTED) || value.contains(ERASED);
    (!hidden && !value.starts_with("hpt1.") && !value.starts_with("hph1.") && !value.contains('*'))
        .then(|| value.to_owned())
}

fn contacts_of(batch: &RecordBatch, people: &mut Vec<Person>) {
    let column = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    let columns = ["name", "email", "phone"].map(column);
    people.extend((0..batch.num_rows()).map(|row| {
        let [name, email, phone] = columns.map(|values| told(value_at(values?, row)?));
        Person { name, email, phone, numbers: Vec::new() }
    }));
}

fn quarantined_of(batch: &RecordBatch, people: &mut Vec<Person>) {
    let Some(values) = batch.column_by_name("values").and_then(|column| column.as_string_opt::<i32>()) else { return };
    for text in (0..batch.num_rows()).filter_map(|row| value_at(values, row)) {
        let Ok(serde_json::Value::Object(cells)) = serde_json::from_str(text) else { continue };
        let cells = cells.iter().map(|(header, value)| (header.as_str(), value.as_str()));
        people.extend(person_of(cells).filter(|person| !person.has_nothing()));
    }
}

/// Reads what a row says about a person, by its headers; nothing where it says something of several.
fn person_of<'c>(cells: impl Iterator<Item = (&'c str, Option<&'c str>)>) -> Option<Person> {
    let mut person = Person::default();
    let (mut given, mut family) = (None, None);
    for (header, value) in cells {
        let Some(class) = DataClass::of_header(header) else { continue };
        let Some(value) = value.and_then(told) else { continue };
        match class {
            DataClass::PersonName => {
                let header = header.to_lowercase();
                let is = |words: &[&str]| words.iter().any(|word| header.contains(word));
                let place = if is(&["surname", "last", "family"]) {
                    &mut family
                } else if is(&["first", "given", "forename"]) {
                    &mut given
                } else {
                    &mut person.name
                };
                // Two people in a row: whose the address is cannot be told.
                if place.replace(value).is_some() {
                    return None;
                }
            }
            DataClass::Email => {
                let single = !value.contains([';', ',', ' ', '/']);
                if person.email.is_none() && single {
                    person.email = Some(value);
                } else if !single {
                    return None;
                }
            }
            DataClass::Phone => {
                let single = !value.contains([';', ',', '/']);
                if person.phone.is_none() && single {
                    person.phone = Some(value);
                }
            }
            DataClass::ZaId
            | DataClass::NationalId
            | DataClass::Passport
            | DataClass::DrivingLicence
            // A number of few digits is part of too many others.
            | DataClass::PersonNumber
                if value.bytes().filter(u8::is_ascii_digit).count() >= 6 && value.len() <= 40 =>
            {
                person.numbers.push(value);
            }
            _ => {}
        }
    }
    if let (None, Some(given), Some(family)) = (&person.name, &given, &family) {
        person.name = Some(format!("{given} {family}"));
    }
    // One word is half the name of too many.
    person.name = person.name.filter(|name| name.split_whitespace().count() > 1);
    Some(person)
}

fn contacts_of_archive(path: &Path, people: &mut Vec<Person>) {
    let read = || -> Option<Vec<RecordBatch>> {
        let mut archive = ZipArchive::new(File::open(path).ok()?).ok()?;
        let mut bytes = Vec::new();
        archive.by_name("run/contacts.parquet").ok()?.read_to_end(&mut bytes).ok()?;
        Some(parquet_batches(&bytes).ok()?.1)
    };
    for batch in read().unwrap_or_default() {
        contacts_of(&batch, people);
    }
}
