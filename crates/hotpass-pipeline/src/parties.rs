//! The party store: organisations and persons, their names, roles and contact methods, with ids that stay the same.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Float64Array, Float64Builder, RecordBatch, StringArray, StringBuilder,
    StructArray, UInt32Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, UInt32Type};
use arrow::error::ArrowError;
use arrow::json::LineDelimitedWriter;
use hotpass_core::{AtomicFile, sha256_bytes};

use crate::publish::{FileMetadata, PublishError, WrittenFile, write_parquet};
use crate::tables::RunTables;

/// The four tables of the store.
///
/// `party` has organisations and the persons that sources name; `party_alias` the other names sources give an organisation and its
/// machine name; `party_role` which person has which role in which organisation; `contact_method` e-mail addresses, telephone
/// numbers, web and postal addresses of either. Ids are UUIDs of version 8 (RFC 9562, section 5.8) made from the entity
/// and what they identify, so they are equal in every run that finds the same.
#[derive(Debug, Clone)]
pub struct PartyStore {
    /// Organisations in the order of the published table, each followed by its persons.
    pub party: RecordBatch,
    /// Other names of organisations.
    pub party_alias: RecordBatch,
    /// Roles of persons in organisations.
    pub party_role: RecordBatch,
    /// Ways to reach a party.
    pub contact_method: RecordBatch,
}

/// Builds the store from the tables of a run; `captured_at` (RFC 3339) is when the run started and begins every validity.
///
/// # Errors
///
/// Returns [`ArrowError`] when a table lacks a column of [`hotpass_core::fields`], which is a bug in what made it.
pub fn build_party_store(tables: &RunTables, captured_at: &str) -> Result<PartyStore, ArrowError> {
    let mut parties = Parties::default();
    let mut aliases = Aliases::default();
    let mut roles = Roles::default();
    let mut methods = Methods::default();
    let mut contacts = Contacts::new(&tables.contacts)?;
    for batch in &tables.golden {
        let golden = Golden::new(batch)?;
        for row in 0..batch.num_rows() {
            let entity = golden.entity_id.value(row);
            let organization = organization_id(entity);
            let quality = golden.quality.is_valid(row).then(|| golden.quality.value(row));
            let source = Source {
                dataset: golden.source_datasets.value(row),
                record: golden.source_record_ids.value(row),
                quality,
            };
            parties.push(
                &organization,
                "organisation",
                golden.name.value(row),
                golden.slug.value(row),
                value(&golden.country, row),
                &source,
            );
            aliases.push(&organization, golden.slug.value(row), "machine", 1.0, &source);
            if let Some(website) = value(&golden.website, row) {
                methods.push(&organization, "website", website, true, None, &source);
            }
            if let Some(address) = value(&golden.address, row) {
                methods.push(&organization, "physical_address", address, true, None, &source);
            }
            while let Some(contact) = contacts.next_of(entity) {
                let place = contact.place();
                let source = Source { dataset: &contact.dataset, record: &place, quality };
                let primary = contact.position == 0;
                let owner = match &contact.name {
                    Some(name) => {
                        let person = person_id(entity, name, contact.email.as_deref());
                        parties.push(&person, "person", name, &fold(name), None, &source);
                        roles.push(&person, &organization, contact.role.as_deref(), primary, &source);
                        person
                    }
                    // An address that no person is named for is the organisation's own.
                    None => organization.clone(),
                };
                for (kind, channel, published, confidence) in [
                    ("email", &contact.email, &golden.email, &golden.email_confidence),
                    ("phone", &contact.phone, &golden.phone, &golden.phone_confidence),
                ] {
                    let Some(channel) = channel else { continue };
                    let is_published = value(published, row) == Some(channel);
                    let confidence = (is_published && confidence.is_valid(row)).then(|| confidence.value(row));
                    methods.push(&owner, kind, channel, is_published, confidence, &source);
                }
            }
        }
    }
    for batch in &tables.provenance {
        add_aliases(batch, &mut aliases)?;
    }
    Ok(PartyStore {
        party: parties.finish(captured_at)?,
        party_alias: aliases.finish(captured_at)?,
        party_role: roles.finish(captured_at)?,
        contact_method: methods.finish(captured_at)?,
    })
}

/// Writes the store: one JSON file with four keys when the path ends in `.json`, else a folder of four parquet files.
///
/// # Errors
///
/// Returns [`PublishError`] when a file cannot be written.
pub fn write_party_store(
    path: &Path,
    store: &PartyStore,
    metadata: &FileMetadata<'_>,
) -> Result<Vec<WrittenFile>, PublishError> {
    let tables = [
        ("party", &store.party),
        ("party_alias", &store.party_alias),
        ("party_role", &store.party_role),
        ("contact_method", &store.contact_method),
    ];
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
        return write_json(path, &tables).map(|file| vec![file]);
    }
    tables
        .into_iter()
        .map(|(name, batch)| {
            write_parquet(&path.join(format!("{name}.parquet")), std::slice::from_ref(batch), metadata)
        })
        .collect()
}

fn write_json(path: &Path, tables: &[(&str, &RecordBatch)]) -> Result<WrittenFile, PublishError> {
    let io_error = |source| PublishError::Write { path: path.to_path_buf(), source };
    let mut file = AtomicFile::create(path).map_err(io_error)?;
    let mut rows = 0;
    for (index, (name, batch)) in tables.iter().enumerate() {
        write!(file, "{}\n\"{name}\": [", if index == 0 { "{" } else { "," }).map_err(io_error)?;
        for start in (0..batch.num_rows()).step_by(8192) {
            let slice = batch.slice(start, 8192.min(batch.num_rows() - start));
            let mut lines = LineDelimitedWriter::new(Vec::new());
            lines
                .write(&slice)
                .and_then(|()| lines.finish())
                .map_err(|source| PublishError::Encode { path: path.to_path_buf(), source: source.into() })?;
            for (line_index, line) in
                lines.into_inner().split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).enumerate()
            {
                file.write_all(if start + line_index == 0 { b"\n" } else { b",\n" }).map_err(io_error)?;
                file.write_all(line).map_err(io_error)?;
            }
        }
        file.write_all(b"\n]").map_err(io_error)?;
        rows += batch.num_rows() as u64;
    }
    file.write_all(b"\n}\n").map_err(io_error)?;
    file.commit().map_err(io_error)?;
    let read_error = |source| PublishError::Read { path: path.to_path_buf(), source };
    Ok(WrittenFile {
        path: path.to_path_buf(),
        sha256: hotpass_core::sha256_file(path).map_err(read_error)?,
        bytes: std::fs::metadata(path).map_err(read_error)?.len(),
        rows: Some(rows),
    })
}

/// Returns the party id of an organisation.
pub fn organization_id(entity_id: &str) -> String {
    uuid_v8(&["organisation", entity_id])
}

/// A person is the same where name and e-mail address are; without an address, only within the organisation.
fn person_id(entity_id: &str, name: &str, email: Option<&str>) -> String {
    match email {
        // An address that was redacted is many people's.
        Some(email) if email.contains('@') || email.starts_with("hp") => {
            uuid_v8(&["person", &fold(name), &email.to_lowercase()])
        }
        _ => uuid_v8(&["person of", entity_id, &fold(name)]),
    }
}

/// Returns the UUID of version 8 whose free bits begin the SHA-256 of the parts.
fn uuid_v8(parts: &[&str]) -> String {
    let digest = sha256_bytes(parts.join("\u{1f}"));
    let hex = digest.as_str();
    // The variant's two bits are `10`, so its digit is 8, 9, a or b.
    let variant = match hex.as_bytes()[16] {
        b'0' | b'4' | b'8' | b'c' => '8',
        b'1' | b'5' | b'9' | b'd' => '9',
        b'2' | b'6' | b'a' | b'e' => 'a',
        _ => 'b',
    };
    format!("{}-{}-8{}-{variant}{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// Returns a name in lower case with single spaces.
fn fold(name: &str) -> String {
    name.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// Returns the band of a confidence: high from 0.75, medium from 0.5.
fn band(confidence: f64) -> &'static str {
    if confidence >= 0.75 {
        "high"
    } else if confidence >= 0.5 {
        "medium"
    } else {
        "low"
    }
}

/// Returns which kind of name this is: legal when it ends in a legal form, else the name it trades under.
fn alias_type(name: &str) -> &'static str {
    const LEGAL_FORMS: &[&str] = &[
        "ltd",
        "limited",
        "pty",
        "cc",
        "npc",
        "npo",
        "inc",
        "incorporated",
        "llc",
        "llp",
        "plc",
        "gmbh",
        "ag",
        "bv",
        "nv",
        "corp",
        "corporation",
        "soc",
        "rf",
        "trust",
    ];
    let folded = fold(name);
    let last = folded.split(|c: char| !c.is_alphanumeric()).rfind(|word| !word.is_empty());
    if folded.contains("t/a ")
        || folded.contains("trading as ")
        || !last.is_some_and(|word| LEGAL_FORMS.contains(&word))
    {
        "trading_as"
    } else {
        "legal"
    }
}

fn role_category(role: &str) -> &'static str {
    const CATEGORIES: &[(&str, &[&str])] = &[
        ("executive", &["owner", "ceo", "chief", "director", "president", "founder", "partner", "principal"]),
        ("management", &["head", "manager", "supervisor", "lead"]),
        ("administration", &["admin", "assistant", "secretary", "reception", "coordinator", "accounts", "clerk"]),
    ];
    let role = role.to_lowercase();
    CATEGORIES
        .iter()
        .find(|(_, words)| words.iter().any(|word| role.contains(word)))
        .map_or("other", |(category, _)| category)
}

/// Adds the names that sources give an organisation besides the published one.
fn add_aliases(batch: &RecordBatch, aliases: &mut Aliases) -> Result<(), ArrowError> {
    let (entity, field) = (text(batch, "entity_id")?, text(batch, "field")?);
    let (winner, dataset) = (text(batch, "value")?, text(batch, "source_dataset")?);
    let contributors = number(batch, "contributors")?;
    let Some(losing) = batch.column_by_name("losing_cells").and_then(|array| array.as_list_opt::<i32>()) else {
        return Ok(());
    };
    for row in 0..batch.num_rows() {
        if field.value(row) != "organization_name" || losing.is_null(row) {
            continue;
        }
        let cells = RecordBatch::from(losing.value(row).as_struct().clone());
        let (names, files) = (text(&cells, "value")?, text(&cells, "source_file")?);
        let rows = number(&cells, "row")?;
        let published = fold(winner.value(row));
        let mut known: Vec<(String, usize, u32)> = Vec::new();
        for cell in (0..cells.num_rows()).filter(|cell| names.is_valid(*cell)) {
            let name = fold(names.value(cell));
            match known.iter_mut().find(|(other, ..)| *other == name) {
                Some((.., times)) => *times += 1,
                None if name == published || name.is_empty() => {}
                None => known.push((name, cell, 1)),
            }
        }
        for (_, cell, times) in known {
            let confidence = f64::from(times) / f64::from(contributors.value(row).max(times));
            let record = format!("{}!{}", files.value(cell), rows.value(cell));
            let source = Source { dataset: dataset.value(row), record: &record, quality: None };
            let name = names.value(cell);
            aliases.push(&organization_id(entity.value(row)), name, alias_type(name), confidence, &source);
        }
    }
    Ok(())
}

fn text(batch: &RecordBatch, column: &str) -> Result<StringArray, ArrowError> {
    Ok(cast(named(batch, column)?, &DataType::Utf8)?.as_string::<i32>().clone())
}

fn number(batch: &RecordBatch, column: &str) -> Result<UInt32Array, ArrowError> {
    Ok(cast(named(batch, column)?, &DataType::UInt32)?.as_primitive::<UInt32Type>().clone())
}

fn decimal(batch: &RecordBatch, column: &str) -> Result<Float64Array, ArrowError> {
    Ok(cast(named(batch, column)?, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}

fn named<'a>(batch: &'a RecordBatch, column: &str) -> Result<&'a ArrayRef, ArrowError> {
    batch.column_by_name(column).ok_or_else(|| ArrowError::SchemaError(format!("Column `{column}` is missing")))
}

fn value(array: &StringArray, row: usize) -> Option<&str> {
    (array.is_valid(row) && !array.value(row).is_empty()).then(|| array.value(row))
}

/// The columns of the published table that the store needs.
struct Golden {
    entity_id: StringArray,
    name: StringArray,
    slug: StringArray,
    country: StringArray,
    website: StringArray,
    address: StringArray,
    source_datasets: StringArray,
    source_record_ids: StringArray,
    email: StringArray,
    phone: StringArray,
    email_confidence: Float64Array,
    phone_confidence: Float64Array,
    quality: Float64Array,
}

impl Golden {
    fn new(batch: &RecordBatch) -> Result<Self, ArrowError> {
        Ok(Self {
            entity_id: text(batch, "entity_id")?,
            name: text(batch, "organization_name")?,
            slug: text(batch, "organization_slug")?,
            country: text(batch, "country")?,
            website: text(batch, "website")?,
            address: text(batch, "address_primary")?,
            source_datasets: text(batch, "source_datasets")?,
            source_record_ids: text(batch, "source_record_ids")?,
            email: text(batch, "contact_primary_email")?,
            phone: text(batch, "contact_primary_phone")?,
            email_confidence: decimal(batch, "contact_primary_email_confidence")?,
            phone_confidence: decimal(batch, "contact_primary_phone_confidence")?,
            quality: decimal(batch, "data_quality_score")?,
        })
    }
}

/// A row of the contacts table.
struct Contact {
    position: u32,
    name: Option<String>,
    role: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    dataset: String,
    file: String,
    sheet: Option<String>,
    row: u32,
}

impl Contact {
    fn place(&self) -> String {
        match &self.sheet {
            Some(sheet) => format!("{}#{sheet}!{}", self.file, self.row),
            None => format!("{}!{}", self.file, self.row),
        }
    }
}

/// Walks the contacts beside the published table, which has the same order.
struct Contacts {
    batches: Vec<ContactColumns>,
    batch: usize,
    row: usize,
}

struct ContactColumns {
    entity_id: StringArray,
    position: UInt32Array,
    name: StringArray,
    role: StringArray,
    email: StringArray,
    phone: StringArray,
    dataset: StringArray,
    file: StringArray,
    sheet: StringArray,
    source_row: UInt32Array,
}

impl Contacts {
    fn new(batches: &[RecordBatch]) -> Result<Self, ArrowError> {
        let columns = |batch: &RecordBatch| -> Result<ContactColumns, ArrowError> {
            Ok(ContactColumns {
                entity_id: text(batch, "entity_id")?,
                position: number(batch, "position")?,
                name: text(batch, "name")?,
                role: text(batch, "role")?,
                email: text(batch, "email")?,
                phone: text(batch, "phone")?,
                dataset: text(batch, "source_dataset")?,
                file: text(batch, "source_file")?,
                sheet: text(batch, "sheet")?,
                source_row: number(batch, "row")?,
            })
        };
        Ok(Self { batches: batches.iter().map(columns).collect::<Result<_, _>>()?, batch: 0, row: 0 })
    }

    /// Returns the next contact when it belongs to the entity.
    fn next_of(&mut self, entity: &str) -> Option<Contact> {
        while self.batches.get(self.batch).is_some_and(|columns| self.row >= columns.entity_id.len()) {
            self.batch += 1;
            self.row = 0;
        }
        let columns = self.batches.get(self.batch)?;
        let row = self.row;
        if columns.entity_id.value(row) != entity {
            return None;
        }
        self.row += 1;
        let owned = |array: &StringArray| value(array, row).map(str::to_owned);
        Some(Contact {
            position: columns.position.value(row),
            name: owned(&columns.name),
            role: owned(&columns.role),
            email: owned(&columns.email),
            phone: owned(&columns.phone),
            dataset: owned(&columns.dataset).unwrap_or_default(),
            file: owned(&columns.file).unwrap_or_default(),
            sheet: owned(&columns.sheet),
            row: columns.source_row.value(row),
        })
    }
}

/// Where a row of the store came from.
struct Source<'a> {
    dataset: &'a str,
    record: &'a str,
    quality: Option<f64>,
}

/// The columns `provenance` and `validity` that every table of the store ends in.
#[derive(Default)]
struct Evidence {
    dataset: StringBuilder,
    record: StringBuilder,
    quality: Float64Builder,
}

impl Evidence {
    fn push(&mut self, source: &Source<'_>) {
        self.dataset.append_value(source.dataset);
        self.record.append_value(source.record);
        self.quality.append_option(source.quality);
    }

    fn finish(mut self, captured_at: &str) -> Result<[(&'static str, ArrayRef); 2], ArrowError> {
        let dataset = self.dataset.finish();
        let rows = dataset.len();
        let moment: ArrayRef = Arc::new(StringArray::from_iter_values(std::iter::repeat_n(captured_at, rows)));
        let open: ArrayRef = Arc::new(StringArray::new_null(rows));
        let provenance = StructArray::try_from(vec![
            ("source", Arc::new(dataset) as ArrayRef),
            ("record_id", Arc::new(self.record.finish())),
            ("captured_at", Arc::clone(&moment)),
            ("quality_score", Arc::new(self.quality.finish())),
        ])?;
        let validity = StructArray::try_from(vec![("start", moment), ("end", open)])?;
        Ok([("validity", Arc::new(validity)), ("provenance", Arc::new(provenance))])
    }
}

#[derive(Default)]
struct Parties {
    seen: HashSet<String>,
    id: StringBuilder,
    kind: StringBuilder,
    display_name: StringBuilder,
    normalized_name: StringBuilder,
    country: StringBuilder,
    evidence: Evidence,
}

impl Parties {
    fn push(&mut self, id: &str, kind: &str, name: &str, normalized: &str, country: Option<&str>, source: &Source<'_>) {
        if !self.seen.insert(id.to_owned()) {
            return;
        }
        self.id.append_value(id);
        self.kind.append_value(kind);
        self.display_name.append_value(name);
        self.normalized_name.append_value(normalized);
        self.country.append_option(country);
        self.evidence.push(source);
    }

    fn finish(mut self, captured_at: &str) -> Result<RecordBatch, ArrowError> {
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("party_id", Arc::new(self.id.finish())),
            ("kind", Arc::new(self.kind.finish())),
            ("display_name", Arc::new(self.display_name.finish())),
            ("normalized_name", Arc::new(self.normalized_name.finish())),
            ("country", Arc::new(self.country.finish())),
        ];
        columns.extend(self.evidence.finish(captured_at)?);
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
    }
}

#[derive(Default)]
struct Aliases {
    seen: HashSet<String>,
    id: StringBuilder,
    party: StringBuilder,
    alias: StringBuilder,
    kind: StringBuilder,
    confidence: Float64Builder,
    band: StringBuilder,
    evidence: Evidence,
}

impl Aliases {
    fn push(&mut self, party: &str, alias: &str, kind: &str, confidence: f64, source: &Source<'_>) {
        let id = uuid_v8(&["alias", party, kind, &fold(alias)]);
        if !self.seen.insert(id.clone()) {
            return;
        }
        self.id.append_value(id);
        self.party.append_value(party);
        self.alias.append_value(alias);
        self.kind.append_value(kind);
        self.confidence.append_value(confidence);
        self.band.append_value(band(confidence));
        self.evidence.push(source);
    }

    fn finish(mut self, captured_at: &str) -> Result<RecordBatch, ArrowError> {
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("alias_id", Arc::new(self.id.finish())),
            ("party_id", Arc::new(self.party.finish())),
            ("alias", Arc::new(self.alias.finish())),
            ("alias_type", Arc::new(self.kind.finish())),
            ("confidence", Arc::new(self.confidence.finish())),
            ("confidence_band", Arc::new(self.band.finish())),
        ];
        columns.extend(self.evidence.finish(captured_at)?);
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
    }
}

#[derive(Default)]
struct Roles {
    seen: HashSet<String>,
    id: StringBuilder,
    subject: StringBuilder,
    object: StringBuilder,
    name: StringBuilder,
    category: StringBuilder,
    primary: BooleanBuilder,
    evidence: Evidence,
}

impl Roles {
    fn push(&mut self, person: &str, organization: &str, role: Option<&str>, primary: bool, source: &Source<'_>) {
        let role = role.unwrap_or("contact");
        let id = uuid_v8(&["role", person, organization, &fold(role)]);
        if !self.seen.insert(id.clone()) {
            return;
        }
        self.id.append_value(id);
        self.subject.append_value(person);
        self.object.append_value(organization);
        self.name.append_value(role);
        self.category.append_value(role_category(role));
        self.primary.append_value(primary);
        self.evidence.push(source);
    }

    fn finish(mut self, captured_at: &str) -> Result<RecordBatch, ArrowError> {
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("role_id", Arc::new(self.id.finish())),
            ("subject_party_id", Arc::new(self.subject.finish())),
            ("object_party_id", Arc::new(self.object.finish())),
            ("role_name", Arc::new(self.name.finish())),
            ("role_category", Arc::new(self.category.finish())),
            ("is_primary", Arc::new(self.primary.finish())),
        ];
        columns.extend(self.evidence.finish(captured_at)?);
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
    }
}

#[derive(Default)]
struct Methods {
    seen: HashSet<String>,
    id: StringBuilder,
    party: StringBuilder,
    kind: StringBuilder,
    value: StringBuilder,
    primary: BooleanBuilder,
    confidence: Float64Builder,
    evidence: Evidence,
}

impl Methods {
    fn push(
        &mut self,
        party: &str,
        kind: &str,
        value: &str,
        primary: bool,
        confidence: Option<f64>,
        source: &Source<'_>,
    ) {
        let id = uuid_v8(&["contact method", party, kind, value]);
        if !self.seen.insert(id.clone()) {
            return;
        }
        self.id.append_value(id);
        self.party.append_value(party);
        self.kind.append_value(kind);
        self.value.append_value(value);
        self.primary.append_value(primary);
        self.confidence.append_option(confidence);
        self.evidence.push(source);
    }

    fn finish(mut self, captured_at: &str) -> Result<RecordBatch, ArrowError> {
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("contact_method_id", Arc::new(self.id.finish())),
            ("party_id", Arc::new(self.party.finish())),
            ("method_type", Arc::new(self.kind.finish())),
            ("value", Arc::new(self.value.finish())),
            ("is_primary", Arc::new(self.primary.finish())),
            ("confidence", Arc::new(self.confidence.finish())),
        ];
        columns.extend(self.evidence.finish(captured_at)?);
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_version_8() {
        let id = organization_id("e1");
        assert_eq!(id, organization_id("e1"));
        assert_ne!(id, organization_id("e2"));
        assert_eq!(id.len(), 36);
        assert_eq!(&id[14..15], "8");
        assert!("89ab".contains(&id[19..20]));
    }

    #[test]
    fn names_have_their_kind() {
        for (name, expected) in [
            ("Acme (Pty) Ltd", "legal"),
            ("Acme Holdings CC", "legal"),
            ("Acme (Pty) Ltd t/a Zenith", "trading_as"),
            ("Acme", "trading_as"),
        ] {
            assert_eq!(alias_type(name), expected, "{name}");
        }
    }
}
