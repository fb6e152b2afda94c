//! Several people, telephone numbers or e-mail addresses in one cell, and in one row, as contacts that stay together.

use std::fmt::Write as _;

use arrow::array::{Array, StringArray, StringBuilder, UInt32Array, UInt32Builder, cast::AsArray};
use arrow::record_batch::RecordBatch;

use crate::mapping::TableMapping;
use crate::recognise::{is_email_address, is_placeholder};

/// Longest cell, in bytes, that is taken apart at more than `;`, `|` and line breaks: where to cut is weighed against all that follows, and
/// a text as long as this is no list of people.
const LONGEST_CELL: usize = 4_096;

/// What a cell says of one person; the texts are parts of the cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Person<'a> {
    /// Name.
    pub name: Option<&'a str>,
    /// Role.
    pub role: Option<&'a str>,
    /// E-mail address.
    pub email: Option<&'a str>,
    /// Telephone number.
    pub phone: Option<&'a str>,
}

/// Words that end a role; a text that ends in one is a role rather than a name.
const ROLE_NOUNS: &[&str] = &[
    "director",
    "directors",
    "manager",
    "instructor",
    "owner",
    "ceo",
    "cfo",
    "coo",
    "cto",
    "cfi",
    "md",
    "officer",
    "secretary",
    "principal",
    "administrator",
    "admin",
    "partner",
    "president",
    "chairman",
    "chairperson",
    "chair",
    "head",
    "accountant",
    "engineer",
    "supervisor",
    "coordinator",
    "consultant",
    "founder",
    "reception",
    "receptionist",
    "office",
    "member",
    "trustee",
    "treasurer",
    "executive",
    "representative",
    "agent",
    "assistant",
    "pilot",
    "technician",
    "buyer",
    "sales",
    "accounts",
    "marketing",
    "operations",
    "hr",
    "finance",
    "management",
    "controller",
    "foreman",
    "lead",
    "specialist",
    "analyst",
    "inspector",
];

/// Splits a cell of e-mail addresses at `;`, `,`, `|`, `/`, line breaks, white space, `or` and `and`.
///
/// `Name <a@b.c>` and words before an address give a name. A blank or placeholder between separators gives an empty person, so that
/// positions do not shift; a cell of placeholders only gives none. Text without an address stays as it is, in `email`.
pub fn unpack_emails<'a>(cell: &'a str, people: &mut Vec<Person<'a>>) {
    let start = people.len();
    for segment in cell.split([';', ',', '|', '\n', '\r']) {
        let segment = segment.trim();
        if is_placeholder(segment) {
            people.push(Person::default());
            continue;
        }
        if !segment.contains('@') {
            people.push(Person { email: Some(segment), ..Person::default() });
            continue;
        }
        if segment.contains('/') && segment.split('/').all(|part| is_email_address(part.trim())) {
            people.extend(segment.split('/').map(|part| Person { email: Some(part.trim()), ..Person::default() }));
            continue;
        }
        email_words(segment, people);
    }
    drop_empty_end(people, start);
}

fn email_words<'a>(segment: &'a str, people: &mut Vec<Person<'a>>) {
    let first = people.len();
    let mut words: Option<(usize, usize)> = None;
    for word in segment.split_whitespace() {
        let from = word.as_ptr() as usize - segment.as_ptr() as usize;
        if word.contains('@') {
            let name = words.take().map(|(from, to)| &segment[from..to]);
            let email = word.trim_matches(['<', '>', '(', ')', '"', '\'']);
            people.push(Person {
                name: name.map(trim_quotes).filter(|name| !name.is_empty()),
                email: Some(if email.is_empty() { word } else { email }),
                ..Person::default()
            });
        } else if !is_joining_word(word) {
            let start = words.map_or(from, |(start, _)| start);
            words = Some((start, from + word.len()));
        }
    }
    let Some((from, to)) = words else { return };
    let rest = trim_quotes(&segment[from..to]);
    match people[first..].last_mut() {
        Some(last) if last.name.is_none() && !rest.is_empty() => last.name = Some(rest),
        _ if !rest.is_empty() => people.push(Person { name: Some(rest), ..Person::default() }),
        _ => {}
    }
}

fn trim_quotes(text: &str) -> &str {
    text.trim_matches(['"', '\'', '(', ')', ':', '-', '<', '>']).trim()
}

fn is_joining_word(word: &str) -> bool {
    ["or", "and", "&", "/", "en", "-"].iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Removes empty people from the end, and all when every one is empty.
fn drop_empty_end(people: &mut Vec<Person<'_>>, start: usize) {
    while people.len() > start && people.last() == Some(&Person::default()) {
        people.pop();
    }
}

/// Splits a cell of telephone numbers at `;`, `|`, line breaks, `/`, `,`, `or`, `and` and between long runs of digits.
///
/// Pieces with fewer than six digits belong to a number beside them: `310/246-1501` is one number, as is `011 123 4567 ext 5`.
/// A blank or placeholder between separators gives an empty entry; a cell of placeholders only gives none. What is longer than 4,096 bytes
/// between `;`, `|` and line breaks stays whole.
pub fn unpack_phones<'a>(cell: &'a str, phones: &mut Vec<Option<&'a str>>) {
    let start = phones.len();
    for segment in cell.split([';', '|', '\n', '\r']) {
        let segment = segment.trim();
        if is_placeholder(segment) {
            phones.push(None);
        } else if segment.len() > LONGEST_CELL || count_digits(segment) < 12 {
            phones.push(Some(segment));
        } else {
            split_phones(segment, phones);
        }
    }
    while phones.len() > start && phones.last() == Some(&None) {
        phones.pop();
    }
}

fn count_digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

fn split_phones<'a>(segment: &'a str, phones: &mut Vec<Option<&'a str>>) {
    let bytes = segment.as_bytes();
    let mut begin = 0;
    let mut at = 0;
    while at < bytes.len() {
        let length = separator_length(segment, at, begin);
        if length > 0
            && count_digits(&segment[begin..at]) >= 6
            && count_digits(&segment[at + length..]) >= 6
            && begins_number(&segment[at + length..])
        {
            push_phone(&segment[begin..at], phones);
            begin = at + length;
            at = begin;
        } else {
            at += 1;
        }
    }
    push_phone(&segment[begin..], phones);
}

/// Says whether a text begins a number of its own: six digits before the next separator.
fn begins_number(text: &str) -> bool {
    let end = text.find(['/', ',', '&']).unwrap_or(text.len());
    count_digits(&text[..end]) >= 6
}

/// Returns the length of the separator at a byte, or 0.
fn separator_length(segment: &str, at: usize, begin: usize) -> usize {
    let bytes = segment.as_bytes();
    match bytes[at] {
        b'/' | b',' | b'&' => 1,
        b' ' => {
            let rest = &bytes[at + 1..];
            for word in [b"or ".as_slice(), b"and "] {
                if rest.len() > word.len() && rest[..word.len()].eq_ignore_ascii_case(word) {
                    return 1 + word.len();
                }
            }
            // Two numbers with only a space between them: each at least nine digits without a gap, or a new one with its plus.
            let before = bytes[begin..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            let after = rest.iter().skip_while(|byte| **byte == b' ').skip(usize::from(rest.first() == Some(&b'+')));
            let after_digits = after.take_while(|byte| byte.is_ascii_digit()).count();
            usize::from((before >= 9 && after_digits >= 9) || rest.first() == Some(&b'+'))
        }
        _ => 0,
    }
}

fn push_phone<'a>(piece: &'a str, phones: &mut Vec<Option<&'a str>>) {
    let piece = piece.trim();
    phones.push((!is_placeholder(piece)).then_some(piece));
}

/// Splits a cell of people at `;`, `|`, line breaks, `/`, `&`, `and` and, between full names, `,`; never within brackets.
///
/// A text in brackets after a name is a role, unless it holds an e-mail address or a telephone number. A role alone, as in
/// `Accountable Manager (Not Listed)`, gives a person without a name. Placeholders between separators give an empty person. Cells of over
/// 4,096 bytes split at `;`, `|` and line breaks only.
pub fn unpack_people<'a>(cell: &'a str, people: &mut Vec<Person<'a>>) {
    let cell = cell.trim();
    let plain = !cell.bytes().any(|byte| {
        matches!(byte, b';' | b'|' | b'\n' | b'/' | b'&' | b',' | b'(' | b'[' | b'@' | b'<' | b'-' | b'\r')
    }) && !contains_word(cell, "and");
    if plain {
        if !is_placeholder(cell) {
            people.push(person_without_brackets(cell));
        }
        return;
    }
    let start = people.len();
    if cell.len() > LONGEST_CELL {
        people.extend(cell.split([';', '|', '\n', '\r']).map(|part| {
            let part = part.trim();
            Person { name: (!is_placeholder(part)).then_some(part), ..Person::default() }
        }));
        drop_empty_end(people, start);
        return;
    }
    let mut begin = 0;
    let mut depth = 0_i32;
    let mut skip_until = 0;
    for (at, c) in cell.char_indices() {
        if at < skip_until {
            continue;
        }
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = (depth - 1).max(0),
            _ => {}
        }
        // An opening bracket that never closes does not hold the rest of the cell together.
        let hard = matches!(c, ';' | '|') && (depth <= 0 || !cell[at..].contains([')', ']']));
        let length = if hard {
            1
        } else if depth > 0 {
            0
        } else {
            name_separator_length(cell, begin, at, c)
        };
        if length > 0 {
            push_person(&cell[begin..at], people);
            begin = at + length;
            skip_until = begin;
        }
    }
    push_person(&cell[begin..], people);
    drop_empty_end(people, start);
}

fn contains_word(text: &str, word: &str) -> bool {
    text.len() > word.len() && text.split_ascii_whitespace().any(|part| part.eq_ignore_ascii_case(word))
}

fn name_separator_length(cell: &str, begin: usize, at: usize, c: char) -> usize {
    let full_names = |next: usize| is_full_name(&cell[begin..at]) && is_full_name(until_separator(&cell[next..]));
    match c {
        '/' | '&' if !cell[begin..at].trim().is_empty() && at + 1 < cell.len() => {
            usize::from(!is_placeholder_around(cell, begin, at))
        }
        '\n' | '\r' | ',' => usize::from(full_names(at + 1)),
        ' ' if cell.as_bytes()[at + 1..].len() > 4 && cell.as_bytes()[at + 1..at + 5].eq_ignore_ascii_case(b"and ") => {
            usize::from(!cell[begin..at].trim().is_empty()) * 5
        }
        _ => 0,
    }
}

/// Says whether the slash at `at` is part of a placeholder such as `N/A`.
fn is_placeholder_around(cell: &str, begin: usize, at: usize) -> bool {
    let end = cell[at + 1..].find([';', '|', '\n', ',', '&']).map_or(cell.len(), |end| at + 1 + end);
    is_placeholder(&cell[begin..end])
}

fn until_separator(text: &str) -> &str {
    text.split([';', '|', '\n', ',', '/', '&', '(']).next().unwrap_or_default()
}

fn is_full_name(text: &str) -> bool {
    let text = text.trim();
    text.ends_with([')', ']']) || text.split_whitespace().nth(1).is_some()
}

fn push_person<'a>(part: &'a str, people: &mut Vec<Person<'a>>) {
    let part = part.trim();
    if is_placeholder(part) {
        people.push(Person::default());
        return;
    }
    let Some((outside, inside)) = brackets_at_end(part) else {
        people.push(match part.split_once(" - ") {
            Some((name, role)) if is_role(role) && !is_placeholder(name) => {
                Person { name: Some(name.trim()), role: Some(role.trim()), ..Person::default() }
            }
            _ => person_without_brackets(part),
        });
        return;
    };
    let mut person = if is_placeholder(outside) { Person::default() } else { person_without_brackets(outside) };
    if !is_placeholder(inside) {
        let place = if inside.contains('@') && person.email.is_none() {
            &mut person.email
        } else if count_digits(inside) >= 7 && person.phone.is_none() {
            &mut person.phone
        } else if person.role.is_none() {
            &mut person.role
        } else if person.name.is_none() {
            // `Accountable Manager (Jo Bloggs)`: the role stands outside and the name within.
            &mut person.name
        } else {
            people.push(person_without_brackets(part));
            return;
        };
        *place = Some(inside);
    }
    people.push(person);
}

fn person_without_brackets(text: &str) -> Person<'_> {
    if is_email_address(text) {
        Person { email: Some(text), ..Person::default() }
    } else if is_role(text) {
        Person { role: Some(text), ..Person::default() }
    } else {
        Person { name: Some(text), ..Person::default() }
    }
}

fn brackets_at_end(part: &str) -> Option<(&str, &str)> {
    let (open, close) = match part.as_bytes().last()? {
        b')' => ('(', 1),
        b']' => ('[', 1),
        b'>' => ('<', 1),
        _ => return None,
    };
    let at = part.rfind(open)?;
    let inside = part[at + 1..part.len() - close].trim();
    // Two bracketed texts, or brackets within brackets, are left as they are.
    let outside = part[..at].trim();
    (!outside.contains(['(', '[', ')', ']', '<', '>']) && !inside.contains([')', ']', '>']))
        .then_some((outside, inside))
}

/// Says whether a text is a role: its last word is one, and a single word or the words before it are no given name we could lose.
fn is_role(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let Some(last) = words.next_back() else { return false };
    ROLE_NOUNS.iter().any(|noun| noun.eq_ignore_ascii_case(last))
}

/// A field of [`Contacts`]: the values, and the column each was read from.
#[derive(Debug, Clone)]
pub struct ContactField {
    /// Values; null where the contact has none.
    pub values: StringArray,
    /// Position in [`crate::table::TableSchema::columns`] of the column the value was read from; null where the value is null.
    pub columns: UInt32Array,
}

/// The contacts of a batch, one entry each, in the order of the rows.
#[derive(Debug, Clone)]
pub struct Contacts {
    /// Position of the row in the batch, from 0.
    pub row: UInt32Array,
    /// Position among the row's contacts, from 0.
    pub position: UInt32Array,
    /// Full name: as written, or given and family name joined by a space (then `columns` is the given name's).
    pub name: ContactField,
    /// Given name, where the source has it apart.
    pub given: ContactField,
    /// Family name, where the source has it apart.
    pub family: ContactField,
    /// Role.
    pub role: ContactField,
    /// E-mail address, as written.
    pub email: ContactField,
    /// Telephone number, as written.
    pub phone: ContactField,
}

impl Contacts {
    /// Returns the number of contacts.
    pub fn len(&self) -> usize {
        self.row.len()
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.row.is_empty()
    }
}

type Cell<'a> = Option<(&'a str, u32)>;

#[derive(Debug, Clone, Copy, Default)]
struct Contact<'a> {
    name: Cell<'a>,
    given: Cell<'a>,
    family: Cell<'a>,
    role: Cell<'a>,
    email: Cell<'a>,
    phone: Cell<'a>,
}

impl Contact<'_> {
    fn is_empty(&self) -> bool {
        [self.name, self.given, self.family, self.role, self.email, self.phone].iter().all(Option::is_none)
    }
}

#[derive(Default)]
struct FieldBuilder {
    values: StringBuilder,
    columns: UInt32Builder,
}

impl FieldBuilder {
    fn push(&mut self, cell: Cell<'_>) {
        self.values.append_option(cell.map(|(value, _)| value));
        self.columns.append_option(cell.map(|(_, column)| column));
    }

    fn finish(mut self) -> ContactField {
        ContactField { values: self.values.finish(), columns: self.columns.finish() }
    }
}

/// A mapped column of the batch.
struct Source<'a> {
    column: u32,
    values: &'a StringArray,
}

impl<'a> Source<'a> {
    /// Returns the trimmed value, or nothing when it is absent.
    fn value(&self, row: usize) -> Option<&'a str> {
        if self.values.is_null(row) {
            return None;
        }
        let value = self.values.value(row).trim();
        (!value.is_empty()).then_some(value)
    }
}

/// The columns of the contact fields, and what is reused from row to row.
struct Unpacker<'a> {
    names: Vec<Source<'a>>,
    given: Vec<Source<'a>>,
    family: Vec<Source<'a>>,
    roles: Vec<Source<'a>>,
    emails: Vec<Source<'a>>,
    phones: Vec<Source<'a>>,
    null_values: &'a [String],
    people: Vec<Person<'a>>,
    numbers: Vec<Option<&'a str>>,
    contacts: Vec<Contact<'a>>,
}

/// Reads the contacts of a batch: packed cells unpacked, and what belongs to one person kept together.
///
/// In a row the parts of each cell go to the contacts by position; a single e-mail address or telephone number belongs to the first. Where as
/// many columns are mapped to a field as to the names (`Contact 1`, `E-mail 1`, `Contact 2`, …) column goes with column, blank or not. A value whose
/// place is taken makes a contact of its own without a name. Placeholders are no values; contacts without any value are left out. The batch has
/// [`crate::table::ROW_COLUMN`] first and then the columns of the table's schema.
pub fn contacts_of_batch(mapping: &TableMapping, batch: &RecordBatch) -> Contacts {
    let sources = |field: &str| -> Vec<Source<'_>> {
        mapping
            .columns_of(field)
            .filter_map(|column| {
                let values = batch.columns().get(column as usize + 1)?.as_string_opt::<i32>()?;
                Some(Source { column, values })
            })
            .collect()
    };
    let mut unpacker = Unpacker {
        names: sources("contact_names"),
        given: sources("contact_given_names"),
        family: sources("contact_family_names"),
        roles: sources("contact_roles"),
        emails: sources("contact_emails"),
        phones: sources("contact_phones"),
        null_values: &mapping.null_values,
        people: Vec::new(),
        numbers: Vec::new(),
        contacts: Vec::new(),
    };
    let mut rows = UInt32Builder::with_capacity(batch.num_rows());
    let mut positions = UInt32Builder::with_capacity(batch.num_rows());
    let [mut name, mut given, mut family, mut role, mut email, mut phone]: [FieldBuilder; 6] = Default::default();
    for row in 0..batch.num_rows() {
        unpacker.unpack_row(row);
        for (position, contact) in unpacker.contacts.iter().filter(|contact| !contact.is_empty()).enumerate() {
            rows.append_value(row as u32);
            positions.append_value(position as u32);
            push_name(&mut name, contact);
            given.push(contact.given);
            family.push(contact.family);
            role.push(contact.role);
            email.push(contact.email);
            phone.push(contact.phone);
        }
    }
    Contacts {
        row: rows.finish(),
        position: positions.finish(),
        name: name.finish(),
        given: given.finish(),
        family: family.finish(),
        role: role.finish(),
        email: email.finish(),
        phone: phone.finish(),
    }
}

fn push_name(builder: &mut FieldBuilder, contact: &Contact<'_>) {
    match (contact.name, contact.given, contact.family) {
        (None, Some((given, column)), Some((family, _))) => {
            // Writing to a string builder cannot fail.
            let _ = write!(builder.values, "{given} {family}");
            builder.values.append_value("");
            builder.columns.append_value(column);
        }
        (name, given, family) => builder.push(name.or(given).or(family)),
    }
}

impl<'a> Unpacker<'a> {
    fn unpack_row(&mut self, row: usize) {
        self.contacts.clear();
        self.add_names(row);
        self.add_parts_of_names(row);
        self.add_roles(row);
        self.add_emails(row);
        self.add_phones(row);
    }

    fn is_null(&self, value: &str) -> bool {
        is_placeholder(value) || self.null_values.iter().any(|null| null.eq_ignore_ascii_case(value))
    }

    fn add_names(&mut self, row: usize) {
        for position in 0..self.names.len() {
            let column = self.names[position].column;
            let before = self.contacts.len();
            if let Some(value) = self.names[position].value(row).filter(|value| !self.is_null(value)) {
                self.people.clear();
                unpack_people(value, &mut self.people);
                self.contacts.extend(self.people.iter().map(|person| Contact {
                    name: person.name.map(|name| (name, column)),
                    role: person.role.map(|role| (role, column)),
                    email: person.email.map(|email| (email, column)),
                    phone: person.phone.map(|phone| (phone, column)),
                    ..Contact::default()
                }));
            }
            if self.names.len() > 1 && self.contacts.len() == before {
                self.contacts.push(Contact::default());
            }
        }
    }

    fn add_parts_of_names(&mut self, row: usize) {
        for position in 0..self.given.len().max(self.family.len()) {
            let part = |sources: &[Source<'a>]| -> (Option<&'a str>, u32) {
                let source = sources.get(position);
                (source.and_then(|source| source.value(row)), source.map_or(0, |source| source.column))
            };
            let (given, given_column) = part(&self.given);
            let (family, family_column) = part(&self.family);
            let split = |value: Option<&'a str>| value.into_iter().flat_map(|value| value.split([';', '|', '\n']));
            let mut given_parts = split(given);
            let mut family_parts = split(family);
            let mut index = position;
            loop {
                let (given, family) = (given_parts.next(), family_parts.next());
                if given.is_none() && family.is_none() {
                    break;
                }
                let clean = |value: Option<&'a str>, column: u32| {
                    value.map(str::trim).filter(|value| !self.is_null(value)).map(|value| (value, column))
                };
                let (given, family) = (clean(given, given_column), clean(family, family_column));
                while self.contacts.len() <= index {
                    self.contacts.push(Contact::default());
                }
                let contact = &mut self.contacts[index];
                if contact.given.is_none() && contact.family.is_none() {
                    contact.given = given;
                    contact.family = family;
                } else {
                    self.contacts.push(Contact { given, family, ..Contact::default() });
                }
                index += 1;
            }
        }
    }

    fn add_roles(&mut self, row: usize) {
        let paired = self.is_paired(self.roles.len());
        for position in 0..self.roles.len() {
            let column = self.roles[position].column;
            let Some(value) = self.roles[position].value(row).filter(|value| !self.is_null(value)) else { continue };
            let is_separator = |c: char| matches!(c, ';' | '|' | '\n' | '/' | ',');
            let parts = value.split(is_separator).count();
            if !paired && parts > 1 && parts == self.contacts.len() {
                for (index, part) in value.split(is_separator).enumerate() {
                    let part = part.trim();
                    if !self.is_null(part) {
                        self.place(index, (part, column), |contact| &mut contact.role);
                    }
                }
            } else {
                self.place(if paired { position } else { 0 }, (value, column), |contact| &mut contact.role);
            }
        }
    }

    fn add_emails(&mut self, row: usize) {
        let paired = self.is_paired(self.emails.len());
        for position in 0..self.emails.len() {
            let column = self.emails[position].column;
            let Some(value) = self.emails[position].value(row) else { continue };
            let start = if paired { position } else { 0 };
            if is_email_address(value) {
                self.place(start, (value, column), |contact| &mut contact.email);
                continue;
            }
            if self.is_null(value) {
                continue;
            }
            self.people.clear();
            let mut people = std::mem::take(&mut self.people);
            unpack_emails(value, &mut people);
            for (index, person) in people.iter().enumerate() {
                if let Some(email) = person.email {
                    self.place_named_email(start + index, (email, column), person.name);
                } else if let Some(name) = person.name {
                    self.contacts.push(Contact { name: Some((name, column)), ..Contact::default() });
                }
            }
            self.people = people;
        }
    }

    /// Gives an e-mail address to the contact of the name that stands beside it, else to the one at its position.
    fn place_named_email(&mut self, index: usize, email: (&'a str, u32), name: Option<&'a str>) {
        let Some(name) = name else {
            self.place(index, email, |contact| &mut contact.email);
            return;
        };
        let same = |contact: &Contact<'_>| contact.name.is_some_and(|(known, _)| known.eq_ignore_ascii_case(name));
        if let Some(contact) = self.contacts.iter_mut().find(|contact| same(contact) && contact.email.is_none()) {
            contact.email = Some(email);
            return;
        }
        match self.contacts.get_mut(index) {
            Some(contact) if contact.email.is_none() && contact.name.is_none() && contact.given.is_none() => {
                contact.email = Some(email);
                contact.name = Some((name, email.1));
            }
            _ => self.contacts.push(Contact { name: Some((name, email.1)), email: Some(email), ..Contact::default() }),
        }
    }

    fn add_phones(&mut self, row: usize) {
        let paired = self.is_paired(self.phones.len());
        for position in 0..self.phones.len() {
            let column = self.phones[position].column;
            let Some(value) = self.phones[position].value(row).filter(|value| !self.is_null(value)) else { continue };
            self.numbers.clear();
            let mut numbers = std::mem::take(&mut self.numbers);
            unpack_phones(value, &mut numbers);
            for (index, number) in numbers.iter().enumerate() {
                if let Some(number) = number {
                    let index = if paired { position + index } else { index };
                    self.place(index, (number, column), |contact| &mut contact.phone);
                }
            }
            self.numbers = numbers;
        }
    }

    /// Says whether a field's columns go with the columns of the names, one by one.
    fn is_paired(&self, columns: usize) -> bool {
        columns > 1 && (columns == self.names.len() || columns == self.given.len().max(self.family.len()))
    }

    /// Gives a value to the contact at a position, or to a new one when its place is taken.
    fn place(
        &mut self,
        index: usize,
        value: (&'a str, u32),
        field: impl for<'b> Fn(&'b mut Contact<'a>) -> &'b mut Cell<'a>,
    ) {
        while self.contacts.len() <= index {
            self.contacts.push(Contact::default());
        }
        let place = field(&mut self.contacts[index]);
        if place.is_none() {
            *place = Some(value);
            return;
        }
        let mut contact = Contact::default();
        *field(&mut contact) = Some(value);
        self.contacts.push(contact);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_cells_are_not_weighed_at_each_separator() {
        let people_cell = "a,".repeat(500_000);
        let mut people = Vec::new();
        unpack_people(&people_cell, &mut people);
        assert_eq!(people.len(), 1);
        let phone_cell = "012345,".repeat(200_000);
        let mut phones = Vec::new();
        unpack_phones(&phone_cell, &mut phones);
        assert_eq!(phones.len(), 1);
        people.clear();
        let lines = format!("{}\n; -", "Jo Bloggs;".repeat(1_000));
        unpack_people(&lines, &mut people);
        assert_eq!(people.len(), 1_000);
    }

    fn people(cell: &str) -> Vec<(Option<&str>, Option<&str>)> {
        let mut people = Vec::new();
        unpack_people(cell, &mut people);
        people.iter().map(|person| (person.name, person.role)).collect()
    }

    #[test]
    fn people_with_roles() {
        assert_eq!(
            people("Lynette Marshall (Director); Second Person (Chief Flying Instructor)\u{a0}"),
            [(Some("Lynette Marshall"), Some("Director")), (Some("Second Person"), Some("Chief Flying Instructor"))]
        );
        assert_eq!(people("Accountable Manager (Not Listed)"), [(None, Some("Accountable Manager"))]);
        assert_eq!(people("Jo Bloggs - Director"), [(Some("Jo Bloggs"), Some("Director"))]);
        assert_eq!(people("Jean-Luc Smith-Jones"), [(Some("Jean-Luc Smith-Jones"), None)]);
        assert_eq!(people("(TBD)"), []);
        assert_eq!(people("N/A"), []);
        assert_eq!(people("Ann Lee / N/A"), [(Some("Ann Lee"), None)]);
    }

    #[test]
    fn people_by_separator() {
        assert_eq!(people("Ann Lee and Bo Ray"), [(Some("Ann Lee"), None), (Some("Bo Ray"), None)]);
        assert_eq!(people("Ann & Bo Ray"), [(Some("Ann"), None), (Some("Bo Ray"), None)]);
        assert_eq!(people("Ann Lee, Bo Ray"), [(Some("Ann Lee"), None), (Some("Bo Ray"), None)]);
        assert_eq!(people("Lee, Ann"), [(Some("Lee, Ann"), None)]);
        assert_eq!(people("Ann Lee; -; Bo Ray"), [(Some("Ann Lee"), None), (None, None), (Some("Bo Ray"), None)]);
        assert_eq!(people("Sandy Andrews"), [(Some("Sandy Andrews"), None)]);
    }

    #[test]
    fn phones_in_a_cell() {
        let check = |cell: &str, expected: &[Option<&str>]| {
            let mut phones = Vec::new();
            unpack_phones(cell, &mut phones);
            assert_eq!(phones, expected, "{cell}");
        };
        check("011 123 4567 / 082 123 4567", &[Some("011 123 4567"), Some("082 123 4567")]);
        check("011 123 4567, 082 123 4567", &[Some("011 123 4567"), Some("082 123 4567")]);
        check("011 123 4567 or 082 123 4567", &[Some("011 123 4567"), Some("082 123 4567")]);
        check("0111234567 0821234567", &[Some("0111234567"), Some("0821234567")]);
        check("+27 11 123 4567 +27 82 123 4567", &[Some("+27 11 123 4567"), Some("+27 82 123 4567")]);
        check("310/246-1501", &[Some("310/246-1501")]);
        check("+27 11 123 4567 ext 5", &[Some("+27 11 123 4567 ext 5")]);
        check("011 123 4567/8", &[Some("011 123 4567/8")]);
        check("+27419960195\u{a0} ", &[Some("+27419960195")]);
        check("0111234567;;0821234567", &[Some("0111234567"), None, Some("0821234567")]);
        check("-", &[]);
        check("27143573177", &[Some("27143573177")]);
    }

    #[test]
    fn emails_in_a_cell() {
        let check = |cell: &str, expected: &[(Option<&str>, Option<&str>)]| {
            let mut people = Vec::new();
            unpack_emails(cell, &mut people);
            let found: Vec<_> = people.iter().map(|person| (person.name, person.email)).collect();
            assert_eq!(found, expected, "{cell}");
        };
        let both = [(None, Some("a@b.co")), (None, Some("c@d.co"))];
        for cell in [
            "a@b.co; c@d.co",
            "a@b.co,c@d.co",
            "a@b.co/c@d.co",
            "a@b.co | c@d.co",
            "a@b.co\nc@d.co",
            "a@b.co or c@d.co",
            "a@b.co c@d.co",
        ] {
            check(cell, &both);
        }
        check("Jo Bloggs <a@b.co>", &[(Some("Jo Bloggs"), Some("a@b.co"))]);
        check("a@b.co;;c@d.co", &[(None, Some("a@b.co")), (None, None), (None, Some("c@d.co"))]);
        check("not an address", &[(None, Some("not an address"))]);
        check("N/A", &[]);
    }
}
