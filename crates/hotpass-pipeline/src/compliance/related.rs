//! What else is known of a person: the other identifiers of the contacts and rows that hold one of those that were asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, RecordBatch};
use hotpass_privacy::key::{context_of, is_sealed};
use hotpass_privacy::subject::{ERASED, Identifier, IdentifierKind, Subject};
use hotpass_privacy::{DataClass, PrivacyKey};
use serde::Serialize;
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
    /// Keyed hashes of addresses and numbers.
    hashes: Vec<String>,
    /// The entity whose contact it is.
    entity: Option<String>,
}

impl Person {
    /// Leads tokens back, for holders of the key; without it, tokens and hashes say nothing.
    fn lead_back(&mut self, key: Option<&PrivacyKey>) {
        let plain = |value: &str| match key {
            // A hash is never led back, and stands for its value.
            Some(key) => key.detokenise(value).ok().or_else(|| value.starts_with("hph1.").then(|| value.to_owned())),
            None => None,
        };
        if let Some(name) = self.name.take() {
            // Given and family name may be tokens of their own.
            let words = || name.split(' ');
            self.name = if words().any(is_sealed) {
                words()
                    .map(|word| if is_sealed(word) { plain(word) } else { Some(word.to_owned()) })
                    .collect::<Option<Vec<_>>>()
                    .map(|words| words.join(" "))
            } else {
                Some(name)
            };
        }
        for value in [&mut self.email, &mut self.phone] {
            if value.as_deref().is_some_and(is_sealed) {
                *value = value.take().and_then(|value| plain(&value));
            }
            if value.as_deref().is_some_and(is_sealed) {
                self.hashes.extend(value.take());
            }
        }
        self.numbers.retain(|number| !is_sealed(number));
    }

    fn name_digest(&self) -> Option<String> {
        Some(Identifier::new(IdentifierKind::Name, self.name.as_deref()?)?.digest())
    }

    fn values(&self) -> impl Iterator<Item = (IdentifierKind, &str)> {
        [(IdentifierKind::Name, &self.name), (IdentifierKind::Email, &self.email), (IdentifierKind::Phone, &self.phone)]
            .into_iter()
            .filter_map(|(kind, value)| Some((kind, value.as_deref()?)))
            .chain(self.numbers.iter().map(|number| (IdentifierKind::Number, number.as_str())))
            .chain(self.hashes.iter().map(|hash| (IdentifierKind::Token, hash.as_str())))
    }

    fn has_nothing(&self) -> bool {
        self.values().next().is_none()
    }
}

/// How far a name of the person leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NameReach {
    /// Nobody else of the name is known: it is the person's wherever it stands.
    Everywhere,
    /// Others bear it who are known by other addresses or numbers: it is the person's beside an address or number of the person,
    /// and in the person's entities.
    Beside,
}

/// A person with what else is known of them.
#[derive(Debug)]
pub(super) struct Related {
    /// Whom to look for.
    pub(super) subject: Subject,
    /// Identifiers that were not asked for.
    pub(super) others: Vec<(IdentifierKind, String)>,
    /// Names that are the person's alone.
    pub(super) own_names: Vec<Identifier>,
    /// How far each name leads.
    pub(super) reach: Vec<NameReach>,
    /// People who bear the only name that was asked for and have nothing in common; one where it is clear who is meant.
    pub(super) meant: usize,
    /// Columns with tokens and hashes that could not be looked into, for want of a key.
    pub(super) unreached: BTreeSet<String>,
}

/// Adds the other identifiers of the contacts and rows that hold one of those that were asked for; an address or number that
/// several names share is a reception's, and is not added. A name that others bear too is told apart unless `broad`.
pub(super) fn with_related(
    runs: &[Run],
    archives: &[PathBuf],
    asked: &[Identifier],
    broad: bool,
    key: Option<&PrivacyKey>,
) -> Result<Related, RightsError> {
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
    for person in &mut people {
        person.lead_back(key);
    }
    people.retain(|person| !person.has_nothing());
    let sealed = sealed_columns(runs);
    let seal = |identifier: &Identifier| -> Vec<Identifier> {
        let Some(key) = key else { return Vec::new() };
        let contexts = sealed.values().flatten().collect::<BTreeSet<_>>();
        contexts.into_iter().flat_map(|context| identifier.sealed(key, context, |text| e164(runs, text))).collect()
    };
    let mut related = related_of(&people, asked, broad, &seal);
    related.unreached = if key.is_some() { BTreeSet::new() } else { sealed.into_keys().collect() };
    Ok(related)
}

/// Finds what belongs to those who were asked for among what is known of people.
///
/// `seal` gives the tokens of an identifier, where there is a key.
fn related_of(
    people: &[Person],
    asked: &[Identifier],
    broad: bool,
    seal: &dyn Fn(&Identifier) -> Vec<Identifier>,
) -> Related {
    let mut names: BTreeMap<(IdentifierKind, &str), BTreeSet<String>> = BTreeMap::new();
    for person in people {
        for (kind, value) in person.values().filter(|(kind, _)| *kind != IdentifierKind::Name) {
            if let Some(name) = person.name_digest() {
                names.entry((kind, value)).or_default().insert(name);
            }
        }
    }
    let is_reception = |kind, value: &str| names.get(&(kind, value)).is_some_and(|names| names.len() > 1);
    let is_name = |identifier: &&Identifier| identifier.kind() == IdentifierKind::Name;
    let by_name = asked.iter().all(|identifier| is_name(&identifier));
    // Where more than a name was asked for, the name alone leads to nobody.
    let seeds = asked.iter().filter(|asked| by_name || broad || !is_name(asked));
    let seed = Subject::new(seeds.flat_map(|asked| std::iter::once(asked.clone()).chain(seal(asked))));
    let mut linked: Vec<bool> =
        people.iter().map(|person| person.values().any(|(_, value)| seed.is_in(value))).collect();
    let own_channels = |person: &Person| -> Vec<String> {
        let values =
            person.values().filter(|(kind, value)| *kind != IdentifierKind::Name && !is_reception(*kind, value));
        values.filter_map(|(kind, value)| Identifier::new(kind, value)).map(|identifier| identifier.digest()).collect()
    };
    // The same name with the same address or number is the same person, with another address, too.
    let channels: Vec<Vec<String>> = people.iter().map(own_channels).collect();
    let digests: Vec<Option<String>> = people.iter().map(Person::name_digest).collect();
    loop {
        let known: BTreeSet<(&String, &String)> = (0..people.len())
            .filter(|at| linked[*at])
            .filter_map(|at| Some((digests[at].as_ref()?, &channels[at])))
            .flat_map(|(name, channels)| channels.iter().map(move |channel| (name, channel)))
            .collect();
        let more: Vec<usize> = (0..people.len())
            .filter(|at| !linked[*at])
            .filter(|at| {
                digests[*at].as_ref().is_some_and(|name| channels[*at].iter().any(|held| known.contains(&(name, held))))
            })
            .collect();
        if more.is_empty() {
            break;
        }
        for at in more {
            linked[at] = true;
        }
    }
    let mut all: Vec<Identifier> = asked.to_vec();
    let mut others = BTreeSet::new();
    let asked_for = Subject::new(asked.iter().flat_map(|asked| std::iter::once(asked.clone()).chain(seal(asked))));
    for person in people.iter().zip(&linked).filter(|(_, linked)| **linked).map(|(person, _)| person) {
        for (kind, value) in person.values() {
            if asked_for.is_in(value) || is_reception(kind, value) {
                continue;
            }
            if let Some(identifier) = Identifier::new(kind, value) {
                if kind != IdentifierKind::Token {
                    others.insert((kind, value.to_owned()));
                }
                all.push(identifier);
            }
        }
    }
    let namesakes = |name: &Identifier| {
        let name = name.digest();
        (0..people.len()).any(|at| !linked[at] && digests[at].as_ref() == Some(&name) && !channels[at].is_empty())
    };
    let (own_names, shared): (Vec<Identifier>, Vec<Identifier>) =
        all.iter().filter(is_name).cloned().partition(|name| broad || !namesakes(name));
    let owned = people
        .iter()
        .zip(&linked)
        .filter(|(_, linked)| **linked)
        .filter_map(|(person, _)| person.entity.clone())
        .collect();
    let reach = std::iter::repeat_n(NameReach::Everywhere, distinct(&own_names))
        .chain(std::iter::repeat_n(NameReach::Beside, distinct(&shared)))
        .collect();
    let meant = if by_name { groups(&linked, &channels) } else { 1 };
    let with_sealed = |identifier: &Identifier| std::iter::once(identifier.clone()).chain(seal(identifier)).collect();
    let strong: Vec<Vec<Identifier>> =
        all.iter().filter(|identifier| !shared.contains(identifier)).map(with_sealed).collect();
    let shared: Vec<Vec<Identifier>> = shared.iter().map(with_sealed).collect();
    let subject = Subject::new(strong.into_iter().flatten()).with_shared_names(shared.into_iter().flatten(), owned);
    let others = others.into_iter().collect();
    Related { subject, others, own_names, reach, meant, unreached: BTreeSet::new() }
}

fn distinct(names: &[Identifier]) -> usize {
    names.iter().map(Identifier::digest).collect::<BTreeSet<_>>().len()
}

/// Returns how many groups the linked people form who share no address or number.
fn groups(linked: &[bool], channels: &[Vec<String>]) -> usize {
    let mut groups: Vec<BTreeSet<&String>> = Vec::new();
    for channels in channels.iter().zip(linked).filter(|(channels, linked)| **linked && !channels.is_empty()) {
        let mut group: BTreeSet<&String> = channels.0.iter().collect();
        groups.retain(|held| {
            let apart = held.is_disjoint(&group);
            if !apart {
                group.extend(held);
            }
            apart
        });
        groups.push(group);
    }
    groups.len().max(1)
}

/// Returns the columns of all runs that hold tokens or hashes, with the contexts that stand in those.
fn sealed_columns(runs: &[Run]) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for run in runs {
        let tables = ["golden.parquet", "contacts.parquet", "provenance.parquet", "quarantine.parquet"];
        let tables = tables.iter().map(|name| run.directory.join(name)).filter(|path| path.is_file());
        for path in tables.chain(outputs_of(run)) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            each_row(&path, |headers, _, cells| {
                for (header, cell) in headers.iter().zip(cells) {
                    let Some(cell) = cell.filter(|cell| cell.contains("hpt1.") || cell.contains("hph1.")) else {
                        continue;
                    };
                    let words = cell.split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ')));
                    let parts = words.flat_map(|part| part.split(' ').chain([part]));
                    for context in parts.filter_map(|part| context_of(part.trim_end_matches('.'))) {
                        found.entry(format!("{name}: {header}")).or_default().insert(context.to_owned());
                    }
                }
            });
        }
    }
    found
}

/// Returns the international form of a number, read with the countries of the runs.
fn e164(runs: &[Run], text: &str) -> Option<String> {
    let countries = runs.iter().filter_map(|run| {
        let config = &run.manifest.config;
        config["pipeline"]["country_code"].as_str().or(config["profile"]["default_country_code"].as_str())
    });
    countries
        .chain(["ZA"])
        .find_map(|country| hotpass_normalise::parse_phone(text, Some(country)).ok())
        .map(|phone| phone.e164)
}

/// Returns a value as far as it is one that says something.
fn told(value: &str) -> Option<String> {
    let value = value.trim();
    let hidden = value.is_empty() || value.contains(hotpass_privacy::operator::REDACTED) || value.contains(ERASED);
    (!hidden && !value.contains('*')).then(|| value.to_owned())
}

fn contacts_of(batch: &RecordBatch, people: &mut Vec<Person>) {
    let column = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    let columns = ["name", "email", "phone", "entity_id"].map(column);
    people.extend((0..batch.num_rows()).map(|row| {
        let [name, email, phone, entity] = columns.map(|values| told(value_at(values?, row)?));
        Person { name, email, phone, entity, ..Person::default() }
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
        let Some(value) = value.and_then(told) else { continue };
        // An address is one whatever its column is called.
        let is_address = || Identifier::new(IdentifierKind::Email, &value).map(|_| DataClass::Email);
        let Some(class) = DataClass::of_header(header).or_else(is_address) else { continue };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, email: &str, phone: &str, entity: &str) -> Person {
        Person { name: told(name), email: told(email), phone: told(phone), entity: told(entity), ..Person::default() }
    }

    fn asked(texts: &[&str]) -> Vec<Identifier> {
        texts.iter().filter_map(|text| Identifier::guess(text)).collect()
    }

    #[test]
    fn a_name_that_others_bear_is_told_apart() {
        let people = [
            person("Zodwa Canaryperson", "z@kestrel.example", "+27825550142", "org_1"),
            person("Zodwa Canaryperson", "home@zodwa.example", "+27825550142", "org_1"),
            person("Canaryperson, Zodwa", "z@egret.example", "+27825550199", "org_2"),
            person("Zodwa Canaryperson", "", "", "org_3"),
        ];
        let related = related_of(&people, &asked(&["z@kestrel.example"]), false, &|_| Vec::new());
        let others: Vec<&str> = related.others.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(others, ["home@zodwa.example", "+27825550142", "Zodwa Canaryperson"]);
        assert_eq!((related.reach.as_slice(), related.meant), (&[NameReach::Beside][..], 1));
        assert!(!related.subject.is_in("ask Zodwa Canaryperson"));
        assert!(related.subject.in_text("org_1 Zodwa Canaryperson").is_in("Zodwa Canaryperson"));
        assert!(!related.subject.in_text("org_2 Zodwa Canaryperson").is_in("Zodwa Canaryperson"));

        let related = related_of(&people[..2], &asked(&["z@kestrel.example"]), false, &|_| Vec::new());
        assert_eq!((related.reach.as_slice(), related.own_names.len()), (&[NameReach::Everywhere][..], 2));
        assert!(related.subject.is_in("ask Zodwa Canaryperson"));

        assert_eq!(related_of(&people, &asked(&["Zodwa Canaryperson"]), false, &|_| Vec::new()).meant, 2);
        assert_eq!(related_of(&people[..2], &asked(&["Zodwa Canaryperson"]), false, &|_| Vec::new()).meant, 1);
        let related = related_of(&people, &asked(&["Zodwa Canaryperson", "z@egret.example"]), false, &|_| Vec::new());
        assert_eq!((related.reach.as_slice(), related.meant), (&[NameReach::Beside][..], 1));
        assert!(!related.subject.is_in("z@kestrel.example"));
    }
}
