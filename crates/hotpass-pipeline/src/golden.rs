//! Golden records: for a range of entities, the published rows, the provenance of each cell, conflicts and contacts.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBufferBuilder, Date32Builder, Float64Builder, Int64Array, ListArray, NullArray, RecordBatch,
    StringArray, StringBuilder, StructArray, TimestampMillisecondArray, UInt32Builder,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use hotpass_config::HotpassConfig;
use hotpass_config::model::SurvivorshipRule;
use hotpass_core::fields::{CONFLICT_COLUMNS, CONTACT_COLUMNS, GOLDEN_COLUMNS, PROVENANCE_COLUMNS};

use crate::compliance::{EntityConsent, Redaction};
use crate::entities::Entities;
use crate::entity_contacts::{self, EntityContact, lead_score};
use crate::lineage::Wins;
use crate::records::{Cell, Channel, NO_COLUMN, Records, TextField, value_at};
use crate::survivorship::{Candidate, distinct, rule_name, select};
use crate::tables::schema_of;

/// Where the values of a published field come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Text(TextField),
    Address,
    Date,
    /// The primary contact.
    Primary(Channel),
    /// The other addresses or numbers.
    Secondary(Channel),
}

/// The published fields that come from source cells, in the order of the published table.
const FIELDS: [(&str, Origin); 20] = [
    ("organization_name", Origin::Text(TextField::OrganizationName)),
    ("province", Origin::Text(TextField::Province)),
    ("country", Origin::Text(TextField::Country)),
    ("area", Origin::Text(TextField::Area)),
    ("address_primary", Origin::Address),
    ("organization_category", Origin::Text(TextField::Category)),
    ("organization_type", Origin::Text(TextField::OrganizationType)),
    ("status", Origin::Text(TextField::Status)),
    ("website", Origin::Text(TextField::Website)),
    ("planes", Origin::Text(TextField::Planes)),
    ("description", Origin::Text(TextField::Description)),
    ("notes", Origin::Text(TextField::Notes)),
    ("contact_primary_name", Origin::Primary(Channel::Name)),
    ("contact_primary_role", Origin::Primary(Channel::Role)),
    ("contact_primary_email", Origin::Primary(Channel::Email)),
    ("contact_primary_phone", Origin::Primary(Channel::Phone)),
    ("contact_secondary_emails", Origin::Secondary(Channel::Email)),
    ("contact_secondary_phones", Origin::Secondary(Channel::Phone)),
    ("last_interaction_date", Origin::Date),
    ("priority", Origin::Text(TextField::Priority)),
];

/// Entities whose values fit into the cache of a processor core.
const BLOCK: usize = 32;

const COUNTRY: usize = 2;
const PRIMARY_NAME: usize = 12;
const PRIMARY_ROLE: usize = 13;
const PRIMARY_EMAIL: usize = 14;
const PRIMARY_PHONE: usize = 15;
const SECONDARY_EMAILS: usize = 16;
const SECONDARY_PHONES: usize = 17;
const DATE: usize = 18;

/// A field that the quality score counts.
#[derive(Debug, Clone)]
struct QualityField {
    /// `missing_FIELD`.
    flag: String,
    place: QualityPlace,
}

#[derive(Debug, Clone, Copy)]
enum QualityPlace {
    /// Position in [`FIELDS`].
    Published(usize),
    /// A field that is not published.
    Text(TextField),
}

/// What every golden record needs besides the records.
pub(crate) struct Survival<'a> {
    records: &'a Records,
    entities: &'a Entities,
    redaction: &'a Redaction,
    /// What holds for entities whose contacts lack consent, and which entities those are.
    without_contacts: (&'a Redaction, &'a EntityConsent),
    /// Columns that are read for each entity and are not empty.
    columns: Vec<&'a StringArray>,
    rules: [SurvivorshipRule; FIELDS.len()],
    quality: Vec<QualityField>,
    country: Option<String>,
    privacy_basis: &'static str,
    run_id: &'a str,
    started_at: i64,
    highest_priority: f64,
    slug: &'a (dyn Fn(&str) -> String + Sync),
    schemas: Schemas,
}

#[derive(Debug, Clone)]
struct Schemas {
    golden: SchemaRef,
    provenance: SchemaRef,
    conflicts: SchemaRef,
    contacts: SchemaRef,
}

/// The run's facts that are written into every golden record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunFacts<'a> {
    /// Id of the run.
    pub(crate) run_id: &'a str,
    /// When it started, in milliseconds since 1970.
    pub(crate) started_at: i64,
}

/// The rows of a range of entities.
#[derive(Debug)]
pub(crate) struct GoldenChunk {
    /// Published rows.
    pub(crate) golden: RecordBatch,
    /// The same rows before redaction, where something was redacted: expectations judge the data, not what hides it.
    pub(crate) judged: Option<RecordBatch>,
    /// Provenance of their cells.
    pub(crate) provenance: RecordBatch,
    /// Fields on which sources disagree.
    pub(crate) conflicts: RecordBatch,
    /// Contacts.
    pub(crate) contacts: RecordBatch,
    /// Entities with a value, by position in the source fields.
    pub(crate) present: [u64; FIELDS.len()],
    /// Entities with a conflict, by position in the source fields.
    pub(crate) conflicting: [u64; FIELDS.len()],
    /// Sum of the quality scores.
    pub(crate) scores: Vec<f64>,
    /// How often each source column gave a value.
    pub(crate) wins: Wins,
}

impl GoldenChunk {
    /// Counts values and conflicts anew, after entities were taken out.
    pub(crate) fn count_again(&mut self) {
        use arrow::array::{Array, AsArray};
        for (position, (name, _)) in FIELDS.iter().enumerate() {
            let column = self.golden.column_by_name(name);
            self.present[position] = column.map_or(0, |column| (column.len() - column.null_count()) as u64);
        }
        self.conflicting = [0; FIELDS.len()];
        let fields = self.conflicts.column_by_name("field").and_then(|column| column.as_string_opt::<i32>());
        for name in fields.into_iter().flatten().flatten() {
            if let Some(position) = FIELDS.iter().position(|(field, _)| *field == name) {
                self.conflicting[position] += 1;
            }
        }
    }
}

/// Returns the names of the published fields that come from source cells.
pub(crate) fn source_fields() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(name, _)| *name)
}

/// Returns the share of records with a value, for each of [`source_fields`].
pub(crate) fn present_before(records: &Records) -> Vec<u64> {
    use arrow::array::Array;
    let with_contact = |channel: Channel, more_than: usize| {
        let values = &records.contacts.values[channel as usize];
        (0..records.len() as u32)
            .filter(|&record| {
                records.contacts.of(record).filter(|&contact| !values.is_null(contact)).count() > more_than
            })
            .count()
    };
    FIELDS
        .iter()
        .map(|&(_, origin)| {
            let count = match origin {
                Origin::Text(field) => records.len() - records.column(field).null_count(),
                Origin::Address => records.len() - records.addresses.null_count(),
                Origin::Date => records.len() - records.dates.null_count(),
                Origin::Primary(channel) => with_contact(channel, 0),
                Origin::Secondary(channel) => with_contact(channel, 1),
            };
            count as u64
        })
        .collect()
}

/// One published cell on its way into the provenance table.
struct Published<'a> {
    value: PublishedValue<'a>,
    rule: &'static str,
    cell: Cell,
    contributors: u32,
    /// Range in the scratch list of losing candidates.
    losers: Range<usize>,
}

enum PublishedValue<'a> {
    One(&'a str),
    Joined(String),
    Date(i32),
}

impl PublishedValue<'_> {
    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::One(text) => Cow::Borrowed(text),
            Self::Joined(text) => Cow::Borrowed(text),
            Self::Date(days) => Cow::Owned(date_text(*days)),
        }
    }
}

impl<'a> Survival<'a> {
    /// Prepares survivorship by the configuration.
    #[expect(clippy::too_many_arguments, reason = "all that the stages before it found")]
    pub(crate) fn new(
        records: &'a Records,
        entities: &'a Entities,
        config: &HotpassConfig,
        redaction: &'a Redaction,
        without_contacts: (&'a Redaction, &'a EntityConsent),
        facts: RunFacts<'a>,
        country: Option<String>,
        slug: &'a (dyn Fn(&str) -> String + Sync),
    ) -> Self {
        let rules = FIELDS.map(|(name, _)| rule_of(config, name));
        let highest = records.tables.iter().map(|table| table.priority).max().unwrap_or(0);
        Self {
            records,
            entities,
            redaction,
            without_contacts,
            columns: FIELDS
                .iter()
                .filter_map(|&(_, origin)| match origin {
                    Origin::Text(field) => Some(records.column(field)),
                    Origin::Address => Some(&records.addresses),
                    Origin::Date | Origin::Primary(_) | Origin::Secondary(_) => None,
                })
                .filter(|values| !values.value_data().is_empty())
                .collect(),
            rules,
            quality: quality_fields(config),
            country,
            privacy_basis: config.governance.lawful_basis.label(),
            run_id: facts.run_id,
            started_at: facts.started_at,
            highest_priority: highest.max(0) as f64,
            slug,
            schemas: Schemas {
                golden: schema_of(GOLDEN_COLUMNS),
                provenance: schema_of(PROVENANCE_COLUMNS),
                conflicts: schema_of(CONFLICT_COLUMNS),
                contacts: schema_of(CONTACT_COLUMNS),
            },
        }
    }

    /// Makes the rows of a range of entities.
    ///
    /// # Errors
    ///
    /// Returns an error when a column of the range holds more than 2 GiB of text.
    pub(crate) fn chunk(&self, range: Range<usize>) -> Result<GoldenChunk, ArrowError> {
        let mut writer = ChunkWriter::new(self, range.len());
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start + BLOCK);
            self.touch(start..end);
            for entity in start..end {
                writer.entity(entity);
            }
            start = end;
        }
        writer.finish()
    }

    /// Reads a byte of each value that a block of entities needs, column by column.
    ///
    /// Entities stand by name and records by input, so each value is a miss of the cache. Here the processor waits for many
    /// of them at once; the work on the block, which would wait for each in turn, then finds them in the cache.
    fn touch(&self, entities: Range<usize>) {
        let records = self.records;
        let first_byte =
            |values: &StringArray, at: usize| values.value(at).as_bytes().first().map_or(0, |&byte| u64::from(byte));
        let members = self.entities.members_of(entities);
        let mut sum = 0u64;
        for values in &self.columns {
            for &record in members {
                sum += first_byte(values, record as usize);
            }
        }
        for values in &records.contacts.values {
            for contact in members.iter().flat_map(|&record| records.contacts.of(record)) {
                sum += first_byte(values, contact);
            }
        }
        for &record in members {
            sum += records.touch_raw(record);
        }
        std::hint::black_box(sum);
    }

    fn cell(&self, origin: Origin, candidate: &Candidate<'_>) -> Cell {
        match origin {
            Origin::Text(field) => self.records.cell(field, candidate.record),
            Origin::Address => self.address_cell(candidate.record),
            Origin::Date => self.records.date_cell(candidate.record),
            Origin::Primary(channel) | Origin::Secondary(channel) => Cell {
                record: candidate.record,
                column: self.records.contacts.columns[channel as usize][candidate.source as usize],
            },
        }
    }

    fn address_cell(&self, record: u32) -> Cell {
        let field = [TextField::Address, TextField::City, TextField::PostalCode]
            .into_iter()
            .find(|&field| self.records.get(field, record).is_some())
            .unwrap_or(TextField::Address);
        self.records.cell(field, record)
    }

    fn priority_share(&self, record: u32) -> f64 {
        if self.highest_priority > 0.0 {
            (self.records.table(record).priority as f64 / self.highest_priority).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

/// Returns the rule of a published column.
pub(crate) fn rule_of(config: &HotpassConfig, column: &str) -> SurvivorshipRule {
    let default = match column {
        // The published table says "latest date any source gives".
        "last_interaction_date" => SurvivorshipRule::Recency,
        // All other channels are kept, whatever the default.
        "contact_secondary_emails" | "contact_secondary_phones" => SurvivorshipRule::ListUnion,
        _ => config.survivorship.default,
    };
    config.survivorship.fields.get(column).copied().unwrap_or(default)
}

fn quality_fields(config: &HotpassConfig) -> Vec<QualityField> {
    let mut fields: Vec<QualityField> = Vec::new();
    for name in config.profile.required_fields.iter().chain(&config.profile.optional_fields) {
        let flag = format!("missing_{name}");
        if fields.iter().any(|field| field.flag == flag) {
            continue;
        }
        let canonical = hotpass_core::fields::input_field(name).map_or(name.as_str(), |field| field.name);
        let published = match canonical {
            "contact_emails" => "contact_primary_email",
            "contact_phones" => "contact_primary_phone",
            "contact_names" | "contact_given_names" | "contact_family_names" => "contact_primary_name",
            "contact_roles" => "contact_primary_role",
            "address" => "address_primary",
            "category" => "organization_category",
            other => other,
        };
        let place = match FIELDS.iter().position(|(field, _)| *field == published) {
            Some(position) => QualityPlace::Published(position),
            None => match canonical {
                "source_record_id" => QualityPlace::Text(TextField::SourceRecordId),
                "registration_number" => QualityPlace::Text(TextField::RegistrationNumber),
                "vat_number" => QualityPlace::Text(TextField::VatNumber),
                "city" => QualityPlace::Text(TextField::City),
                "postal_code" => QualityPlace::Text(TextField::PostalCode),
                _ => continue,
            },
        };
        fields.push(QualityField { flag, place });
    }
    fields
}

/// Builders and scratch lists of a chunk.
struct ChunkWriter<'s, 'a> {
    survival: &'s Survival<'a>,
    /// What is redacted of the entity.
    redaction: Cow<'a, Redaction>,
    // Scratch.
    candidates: Vec<Candidate<'a>>,
    positions: Vec<usize>,
    losers: Vec<(usize, Candidate<'a>)>,
    contacts: Vec<EntityContact>,
    id: String,
    text: String,
    // Golden columns.
    entity_id: StringBuilder,
    fields: Vec<StringBuilder>,
    slug: StringBuilder,
    dates: Date32Builder,
    /// The same three before redaction, where something is redacted.
    unredacted: Option<Unredacted>,
    datasets: StringBuilder,
    record_ids: StringBuilder,
    email_confidence: Float64Builder,
    email_status: StringBuilder,
    phone_confidence: Float64Builder,
    phone_status: StringBuilder,
    lead_score: Float64Builder,
    validation_flags: StringBuilder,
    email_average: Float64Builder,
    phone_average: Float64Builder,
    verification_average: Float64Builder,
    lead_average: Float64Builder,
    scores: Vec<f64>,
    flags: StringBuilder,
    selection: StringBuilder,
    provenance: ProvenanceWriter,
    conflicts: Vec<StringBuilder>,
    contact_table: ContactWriter,
    present: [u64; FIELDS.len()],
    conflicting: [u64; FIELDS.len()],
    wins: Wins,
}

/// Columns before redaction.
struct Unredacted {
    fields: Vec<StringBuilder>,
    slug: StringBuilder,
    dates: Date32Builder,
}

impl<'s, 'a> ChunkWriter<'s, 'a> {
    fn new(survival: &'s Survival<'a>, entities: usize) -> Self {
        let text = |bytes: usize| StringBuilder::with_capacity(entities, entities * bytes);
        let redacts = survival.redaction.is_active() || survival.without_contacts.1.holds_back();
        Self {
            survival,
            redaction: Cow::Borrowed(survival.redaction),
            candidates: Vec::new(),
            positions: Vec::new(),
            losers: Vec::new(),
            contacts: Vec::new(),
            id: String::new(),
            text: String::new(),
            entity_id: text(24),
            fields: FIELDS.iter().map(|_| text(16)).collect(),
            slug: text(24),
            dates: Date32Builder::with_capacity(entities),
            unredacted: redacts.then(|| Unredacted {
                fields: FIELDS.iter().map(|_| text(16)).collect(),
                slug: text(24),
                dates: Date32Builder::with_capacity(entities),
            }),
            datasets: text(16),
            record_ids: text(32),
            email_confidence: Float64Builder::with_capacity(entities),
            email_status: text(8),
            phone_confidence: Float64Builder::with_capacity(entities),
            phone_status: text(8),
            lead_score: Float64Builder::with_capacity(entities),
            validation_flags: text(4),
            email_average: Float64Builder::with_capacity(entities),
            phone_average: Float64Builder::with_capacity(entities),
            verification_average: Float64Builder::with_capacity(entities),
            lead_average: Float64Builder::with_capacity(entities),
            scores: Vec::with_capacity(entities),
            flags: text(16),
            selection: text(256),
            provenance: ProvenanceWriter::new(entities * 8),
            conflicts: CONFLICT_COLUMNS.iter().map(|_| StringBuilder::new()).collect(),
            contact_table: ContactWriter::new(entities),
            present: [0; FIELDS.len()],
            conflicting: [0; FIELDS.len()],
            wins: Wins::default(),
        }
    }

    fn entity(&mut self, entity: usize) {
        let survival = self.survival;
        let records = survival.records;
        let members: &'a [u32] = survival.entities.members(entity);
        let (strict, consent) = survival.without_contacts;
        self.redaction = Cow::Borrowed(if consent.redacts(entity) { strict } else { survival.redaction });
        let mut id = std::mem::take(&mut self.id);
        id.clear();
        survival.entities.write_id(entity, &mut id);
        self.entity_id.append_value(&id);

        let mut contacts = std::mem::take(&mut self.contacts);
        entity_contacts::collect(records, members, &mut contacts);
        if self.redaction.looks_for_names() {
            let names = contacts.iter().filter_map(|contact| contact.get(&records.contacts, Channel::Name));
            self.redaction = Cow::Owned(self.redaction.knowing(names));
        }
        self.losers.clear();
        let mut published: [Option<Published<'a>>; FIELDS.len()] = [const { None }; FIELDS.len()];
        for (position, &(_, origin)) in FIELDS.iter().enumerate() {
            published[position] = match origin {
                Origin::Text(field) => {
                    self.gather(members, records.column(field));
                    self.scalar(position, origin)
                }
                Origin::Address => {
                    self.gather(members, &records.addresses);
                    self.scalar(position, origin)
                }
                Origin::Date => self.date(members),
                Origin::Primary(channel @ (Channel::Email | Channel::Phone)) => {
                    self.gather_channel(members, channel);
                    self.scalar(position, origin)
                }
                // Names and roles follow below, aligned with the primary e-mail address and telephone number.
                Origin::Primary(_) | Origin::Secondary(_) => None,
            };
        }
        self.primary_person(members, &mut published);
        self.secondary(members, Channel::Email, PRIMARY_EMAIL, SECONDARY_EMAILS, &mut published);
        self.secondary(members, Channel::Phone, PRIMARY_PHONE, SECONDARY_PHONES, &mut published);

        let order = primary_first(&contacts, records, &published);
        self.verification(members, &contacts, &order, &published);
        self.contact_table.append(survival, &self.redaction, &id, &contacts, &order);
        self.contacts = contacts;

        self.quality(members, &published);
        self.write_fields(&id, &published);
        self.write_sources(members);
        self.write_selection(&published);
        self.write_provenance(&id, &published);
        self.write_conflicts(&id, &published);
        self.id = id;
    }

    /// Lists the members' values of a column.
    fn gather(&mut self, members: &[u32], values: &'a StringArray) {
        self.candidates.clear();
        for &record in members {
            if let Some(value) = value_at(values, record as usize) {
                self.candidates.push(Candidate { record, source: record, value });
            }
        }
    }

    /// Lists the members' contact values.
    fn gather_channel(&mut self, members: &[u32], channel: Channel) {
        let contacts = &self.survival.records.contacts;
        self.candidates.clear();
        for &record in members {
            for contact in contacts.of(record) {
                if let Some(value) = contacts.get(channel, contact) {
                    self.candidates.push(Candidate { record, source: contact as u32, value });
                }
            }
        }
    }

    /// Chooses among the listed values.
    fn scalar(&mut self, position: usize, origin: Origin) -> Option<Published<'a>> {
        let survival = self.survival;
        let rule = survival.rules[position];
        let winner = select(rule, &self.candidates, survival.records)?;
        let chosen = self.candidates[winner];
        let start = self.losers.len();
        let joins = rule == SurvivorshipRule::ListUnion && !matches!(origin, Origin::Primary(_));
        let value = if joins {
            distinct(&self.candidates, &mut self.positions);
            if self.positions.len() == 1 {
                PublishedValue::One(chosen.value)
            } else {
                PublishedValue::Joined(self.join("; "))
            }
        } else {
            self.losers.extend(
                self.candidates
                    .iter()
                    .filter(|candidate| candidate.value != chosen.value)
                    .map(|candidate| (position, *candidate)),
            );
            PublishedValue::One(chosen.value)
        };
        Some(Published {
            value,
            rule: rule_name(rule),
            cell: survival.cell(origin, &chosen),
            contributors: self.candidates.len() as u32,
            losers: start..self.losers.len(),
        })
    }

    /// Joins the distinct listed values.
    fn join(&self, separator: &str) -> String {
        let mut joined = String::new();
        for (index, &position) in self.positions.iter().enumerate() {
            if index > 0 {
                joined.push_str(separator);
            }
            joined.push_str(self.candidates[position].value);
        }
        joined
    }

    fn date(&mut self, members: &[u32]) -> Option<Published<'a>> {
        let records = self.survival.records;
        let dated = || members.iter().filter_map(|&record| Some((record, records.date(record)?)));
        let rule = self.survival.rules[DATE];
        // Other rules than recency choose the record in the order of trust.
        let winner = match rule {
            SurvivorshipRule::Recency => dated().fold(None, |best: Option<(u32, i32)>, next| match best {
                Some(best) if best.1 >= next.1 => Some(best),
                _ => Some(next),
            }),
            SurvivorshipRule::Completeness => dated().fold(None, |best: Option<(u32, i32)>, next| match best {
                Some(best) if records.completeness[best.0 as usize] >= records.completeness[next.0 as usize] => {
                    Some(best)
                }
                _ => Some(next),
            }),
            SurvivorshipRule::Frequency => {
                let mut counts: hashbrown::HashMap<i32, u32> = hashbrown::HashMap::new();
                for (_, date) in dated() {
                    *counts.entry(date).or_default() += 1;
                }
                let mut best: Option<((u32, i32), u32)> = None;
                for next in dated() {
                    let count = counts.get(&next.1).copied().unwrap_or(0);
                    if best.is_none_or(|(_, most)| count > most) {
                        best = Some((next, count));
                    }
                }
                best.map(|(winner, _)| winner)
            }
            SurvivorshipRule::SourcePriority | SurvivorshipRule::Longest | SurvivorshipRule::ListUnion => {
                dated().next()
            }
        }?;
        let start = self.losers.len();
        let losing: Vec<u32> = dated().filter(|other| other.1 != winner.1).map(|(record, _)| record).collect();
        self.losers.extend(losing.into_iter().map(|record| (DATE, Candidate { record, source: record, value: "" })));
        Some(Published {
            value: PublishedValue::Date(winner.1),
            rule: rule_name(rule),
            cell: records.date_cell(winner.0),
            contributors: dated().count() as u32,
            losers: start..self.losers.len(),
        })
    }

    /// Chooses name and role: of the contact that gave the primary e-mail address, else of its row, else the same of the
    /// telephone number, else the first there is.
    fn primary_person(&mut self, members: &[u32], published: &mut [Option<Published<'a>>; FIELDS.len()]) {
        let survival = self.survival;
        let contacts = &survival.records.contacts;
        let channel_value = |position: usize| match &published[position] {
            Some(Published { value: PublishedValue::One(value), cell, .. }) => Some((*value, cell.record)),
            _ => None,
        };
        let mut order: Vec<(u32, u32)> = Vec::new();
        for (channel, position) in [(Channel::Email, PRIMARY_EMAIL), (Channel::Phone, PRIMARY_PHONE)] {
            let Some((value, winner)) = channel_value(position) else { continue };
            let holders =
                |record: u32| contacts.of(record).filter(move |&contact| contacts.get(channel, contact) == Some(value));
            order.extend(holders(winner).map(|contact| (winner, contact as u32)));
            // The same address in another row may name the person.
            for &record in members.iter().filter(|&&record| record != winner) {
                order.extend(holders(record).map(|contact| (record, contact as u32)));
            }
            order.extend(contacts.of(winner).map(|contact| (winner, contact as u32)));
        }
        for &record in members {
            order.extend(contacts.of(record).map(|contact| (record, contact as u32)));
        }
        let first = |channel: Channel| {
            order.iter().copied().find(|&(_, contact)| contacts.get(channel, contact as usize).is_some())
        };
        let name = first(Channel::Name);
        // The role is that of the person; without a person, the first there is.
        let role = match name {
            Some((_, contact)) if contacts.get(Channel::Role, contact as usize).is_some() => name,
            Some((_, contact)) => {
                let person = contacts.get(Channel::Name, contact as usize);
                order.iter().copied().find(|&(_, other)| {
                    contacts.get(Channel::Name, other as usize) == person
                        && contacts.get(Channel::Role, other as usize).is_some()
                })
            }
            None => first(Channel::Role),
        };
        for (channel, position, choice) in [(Channel::Name, PRIMARY_NAME, name), (Channel::Role, PRIMARY_ROLE, role)] {
            let Some((record, contact)) = choice else { continue };
            let Some(value) = contacts.get(channel, contact as usize) else { continue };
            self.gather_channel(members, channel);
            let start = self.losers.len();
            self.losers.extend(
                self.candidates
                    .iter()
                    .filter(|candidate| candidate.value != value)
                    .map(|candidate| (position, *candidate)),
            );
            published[position] = Some(Published {
                value: PublishedValue::One(value),
                rule: "primary_contact",
                cell: survival.cell(Origin::Primary(channel), &Candidate { record, source: contact, value }),
                contributors: self.candidates.len() as u32,
                losers: start..self.losers.len(),
            });
        }
    }

    /// Lists the other addresses or numbers.
    fn secondary(
        &mut self,
        members: &[u32],
        channel: Channel,
        primary: usize,
        position: usize,
        published: &mut [Option<Published<'a>>; FIELDS.len()],
    ) {
        let Some(Published { value: PublishedValue::One(first), .. }) = &published[primary] else { return };
        let first = *first;
        self.gather_channel(members, channel);
        self.candidates.retain(|candidate| candidate.value != first);
        let Some(&best) = self.candidates.first() else { return };
        distinct(&self.candidates, &mut self.positions);
        let end = self.losers.len();
        published[position] = Some(Published {
            value: PublishedValue::Joined(self.join(";")),
            rule: "list_union",
            cell: self.survival.cell(Origin::Secondary(channel), &best),
            contributors: self.candidates.len() as u32,
            losers: end..end,
        });
    }

    /// Writes statuses, confidences, lead scores and their means.
    fn verification(
        &mut self,
        members: &[u32],
        merged: &[EntityContact],
        order: &[usize],
        published: &[Option<Published<'a>>; FIELDS.len()],
    ) {
        let survival = self.survival;
        let contacts = &survival.records.contacts;
        let mut primary_confidence = [0.0; 2];
        let mut sums = [(0.0, 0u32); 2];
        for (index, channel) in [Channel::Email, Channel::Phone].into_iter().enumerate() {
            self.gather_channel(members, channel);
            distinct(&self.candidates, &mut self.positions);
            let verdicts = if channel == Channel::Email { &contacts.email_verdicts } else { &contacts.phone_verdicts };
            let primary = match &published[if index == 0 { PRIMARY_EMAIL } else { PRIMARY_PHONE }] {
                Some(Published { value: PublishedValue::One(value), .. }) => Some(*value),
                _ => None,
            };
            let mut status = None;
            for &position in &self.positions {
                let candidate = self.candidates[position];
                let verdict = verdicts[candidate.source as usize];
                sums[index].0 += verdict.confidence;
                sums[index].1 += 1;
                if Some(candidate.value) == primary {
                    status = Some(verdict);
                }
            }
            let (confidences, statuses) = if channel == Channel::Email {
                (&mut self.email_confidence, &mut self.email_status)
            } else {
                (&mut self.phone_confidence, &mut self.phone_status)
            };
            confidences.append_option(status.map(|verdict| verdict.confidence));
            statuses.append_option(status.map(|verdict| verdict.status));
            primary_confidence[index] = status.map_or(0.0, |verdict| verdict.confidence);
        }
        let mean = |(sum, count): (f64, u32)| (count > 0).then(|| sum / f64::from(count));
        self.email_average.append_option(mean(sums[0]));
        self.phone_average.append_option(mean(sums[1]));
        self.verification_average.append_option(mean((sums[0].0 + sums[1].0, sums[0].1 + sums[1].1)));

        let present = |positions: &[usize]| positions.iter().filter(|&&position| published[position].is_some()).count();
        let primary = present(&[PRIMARY_NAME, PRIMARY_ROLE, PRIMARY_EMAIL, PRIMARY_PHONE]);
        let best = members.first().map_or(0.0, |&record| survival.priority_share(record));
        self.lead_score.append_option(
            (primary > 0).then(|| lead_score(primary as f64 / 4.0, primary_confidence[0], primary_confidence[1], best)),
        );
        let mut total = 0.0;
        for &index in order {
            let contact = &merged[index];
            let filled = contact.values.iter().flatten().count();
            let confidence = |channel: Channel, verdicts: &[crate::records::Verdict]| {
                contact.values[channel as usize].map_or(0.0, |at| verdicts[at as usize].confidence)
            };
            total += lead_score(
                filled as f64 / 4.0,
                confidence(Channel::Email, &contacts.email_verdicts),
                confidence(Channel::Phone, &contacts.phone_verdicts),
                survival.priority_share(contact.record),
            );
        }
        self.lead_average.append_option((!merged.is_empty()).then(|| total / merged.len() as f64));

        let failures = &survival.records.contact_failures;
        let mut codes: Vec<&str> = Vec::new();
        for &record in members {
            let start = failures.partition_point(|failure| failure.0 < record);
            codes.extend(failures[start..].iter().take_while(|failure| failure.0 == record).map(|failure| failure.1));
        }
        codes.sort_unstable();
        codes.dedup();
        self.validation_flags.append_option((!codes.is_empty()).then(|| codes.join(";")));
    }

    fn quality(&mut self, members: &[u32], published: &[Option<Published<'a>>; FIELDS.len()]) {
        let survival = self.survival;
        self.text.clear();
        let mut present = 0usize;
        for field in &survival.quality {
            let has = match field.place {
                QualityPlace::Published(COUNTRY) => published[COUNTRY].is_some() || survival.country.is_some(),
                QualityPlace::Published(position) => published[position].is_some(),
                QualityPlace::Text(text) => members.iter().any(|&record| survival.records.get(text, record).is_some()),
            };
            if has {
                present += 1;
            } else {
                if !self.text.is_empty() {
                    self.text.push(';');
                }
                self.text.push_str(&field.flag);
            }
        }
        self.scores.push(if survival.quality.is_empty() {
            1.0
        } else {
            present as f64 / survival.quality.len() as f64
        });
        self.flags.append_value(if self.text.is_empty() { "none" } else { &self.text });
    }

    fn write_fields(&mut self, id: &str, published: &[Option<Published<'a>>; FIELDS.len()]) {
        let survival = self.survival;
        for (position, value) in published.iter().enumerate() {
            let is_filled_in = position == COUNTRY && survival.country.is_some();
            self.present[position] += u64::from(value.is_some() || is_filled_in);
            let field = FIELDS[position].0;
            let builder = &mut self.fields[position];
            match value.as_ref().map(|published| &published.value) {
                Some(PublishedValue::Date(days)) => self.dates.append_option(self.redaction.date(field, *days)),
                Some(PublishedValue::One(text)) => builder.append_value(self.redaction.text(field, text)),
                Some(PublishedValue::Joined(text)) => builder.append_value(self.redaction.text(field, text)),
                None if position == COUNTRY => builder.append_option(survival.country.as_deref()),
                None if position == DATE => self.dates.append_null(),
                None => builder.append_null(),
            }
            let Some(unredacted) = &mut self.unredacted else { continue };
            let builder = &mut unredacted.fields[position];
            match value.as_ref().map(|published| &published.value) {
                Some(PublishedValue::Date(days)) => unredacted.dates.append_value(*days),
                Some(PublishedValue::One(text)) => builder.append_value(text),
                Some(PublishedValue::Joined(text)) => builder.append_value(text),
                None if position == COUNTRY => builder.append_option(survival.country.as_deref()),
                None if position == DATE => unredacted.dates.append_null(),
                None => builder.append_null(),
            }
        }
        let slug = published[0].as_ref().map(|name| (survival.slug)(&name.value.text())).unwrap_or_default();
        // A name without any letter or digit has no slug of its own.
        let slug = if slug.is_empty() { id.replace('_', "-") } else { slug };
        if let Some(unredacted) = &mut self.unredacted {
            unredacted.slug.append_value(&slug);
        }
        // Within a slug nothing can be found, so that a name in which something was found is written anew.
        let name = published[0].as_ref().map(|name| name.value.text()).unwrap_or_default();
        match self.redaction.text("organization_name", &name) {
            Cow::Owned(shown) if !self.redaction.covers("organization_slug") && shown != name => {
                self.slug.append_value((survival.slug)(&shown));
            }
            _ => self.slug.append_value(self.redaction.text("organization_slug", &slug)),
        }
    }

    fn write_sources(&mut self, members: &[u32]) {
        let records = self.survival.records;
        if let [record] = *members {
            self.datasets.append_value(&records.table(record).dataset);
            self.text.clear();
            records.write_record_id(record, &mut self.text);
            self.record_ids.append_value(&self.text);
            return;
        }
        let mut datasets: Vec<&str> = members.iter().map(|&record| &*records.table(record).dataset).collect();
        datasets.sort_unstable();
        datasets.dedup();
        self.append_joined(&datasets, true);
        let mut ids: Vec<String> = members
            .iter()
            .map(|&record| {
                let mut id = String::new();
                records.write_record_id(record, &mut id);
                id
            })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        self.append_joined(&ids.iter().map(String::as_str).collect::<Vec<_>>(), false);
    }

    fn append_joined(&mut self, values: &[&str], datasets: bool) {
        self.text.clear();
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.text.push_str("; ");
            }
            self.text.push_str(value);
        }
        let builder = if datasets { &mut self.datasets } else { &mut self.record_ids };
        builder.append_value(&self.text);
    }

    fn write_selection(&mut self, published: &[Option<Published<'a>>; FIELDS.len()]) {
        let records = self.survival.records;
        self.text.clear();
        self.text.push('{');
        let mut place = String::new();
        for (position, value) in published.iter().enumerate() {
            let Some(published) = value else { continue };
            if self.text.len() > 1 {
                self.text.push(',');
            }
            self.text.push('"');
            self.text.push_str(FIELDS[position].0);
            self.text.push_str("\":");
            place.clear();
            records.write_position(published.cell, &mut place);
            push_json(&mut self.text, &place);
        }
        self.text.push('}');
        self.selection.append_value(&self.text);
    }

    fn write_provenance(&mut self, id: &str, published: &[Option<Published<'a>>; FIELDS.len()]) {
        let survival = self.survival;
        let records = survival.records;
        for (position, value) in published.iter().enumerate() {
            let Some(published) = value else { continue };
            let (field, origin) = FIELDS[position];
            let redaction = &*self.redaction;
            let writer = &mut self.provenance;
            writer.row(records, id, field, published, redaction);
            self.wins.add(position, records.span(published.cell.record).table, published.cell.column);
            for (_, loser) in &self.losers[published.losers.clone()] {
                let cell = survival.cell(origin, loser);
                let date;
                let value = if origin == Origin::Date {
                    date = records
                        .date(loser.record)
                        .and_then(|days| redaction.date(field, days))
                        .map_or_else(|| hotpass_privacy::operator::REDACTED.to_owned(), date_text);
                    &date
                } else {
                    loser.value
                };
                writer.loser(records, cell, field, value, redaction);
            }
            writer.end_row(!published.losers.is_empty());
        }
    }

    fn write_conflicts(&mut self, id: &str, published: &[Option<Published<'a>>; FIELDS.len()]) {
        if self.losers.is_empty() {
            return;
        }
        let survival = self.survival;
        let records = survival.records;
        let names =
            published[0].as_ref().map(|name| self.redaction.text("organization_name", &name.value.text()).into_owned());
        for (position, value) in published.iter().enumerate() {
            let Some(published) = value else { continue };
            let (field, origin) = FIELDS[position];
            // Several people, addresses or numbers are no disagreement: all of them are published.
            if published.losers.is_empty() || matches!(origin, Origin::Primary(_) | Origin::Secondary(_)) {
                continue;
            }
            self.conflicting[position] += 1;
            let redaction = &*self.redaction;
            let shown = |text: &str| match (origin, text.parse::<chrono::NaiveDate>()) {
                (Origin::Date, Ok(date)) => redaction
                    .date(field, (date - chrono::NaiveDate::default()).num_days() as i32)
                    .map_or_else(|| hotpass_privacy::operator::REDACTED.to_owned(), date_text),
                _ => redaction.text(field, text).into_owned(),
            };
            let mut seen: hashbrown::HashSet<String> = hashbrown::HashSet::new();
            let mut alternatives = String::from("[");
            let mut place = String::new();
            for (_, loser) in &self.losers[published.losers.clone()] {
                let value = if origin == Origin::Date {
                    records.date(loser.record).map(date_text).unwrap_or_default()
                } else {
                    loser.value.to_owned()
                };
                if seen.contains(&value) {
                    continue;
                }
                if !seen.is_empty() {
                    alternatives.push(',');
                }
                alternatives.push_str("{\"value\":");
                push_json(&mut alternatives, &shown(&value));
                alternatives.push_str(",\"cell\":");
                place.clear();
                records.write_position(survival.cell(origin, loser), &mut place);
                push_json(&mut alternatives, &place);
                alternatives.push('}');
                seen.insert(value);
            }
            alternatives.push(']');
            let value = shown(&published.value.text());
            let name = names.as_deref().unwrap_or_default();
            place.clear();
            records.write_position(published.cell, &mut place);
            let cells: [&str; 7] = [id, name, field, &value, &place, published.rule, &alternatives];
            for (builder, cell) in self.conflicts.iter_mut().zip(cells) {
                builder.append_value(cell);
            }
        }
    }
}

impl ChunkWriter<'_, '_> {
    fn finish(mut self) -> Result<GoldenChunk, ArrowError> {
        let survival = self.survival;
        let rows = self.scores.len();
        let schemas = &survival.schemas;
        let constant =
            |value: &str| Arc::new(StringArray::from_iter_values(std::iter::repeat_n(value, rows))) as ArrayRef;
        let absent = || Arc::new(StringArray::new_null(rows)) as ArrayRef;
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(GOLDEN_COLUMNS.len());
        let mut judged: Vec<ArrayRef> = Vec::new();
        for column in GOLDEN_COLUMNS {
            let built: ArrayRef = match column.name {
                "entity_id" => Arc::new(self.entity_id.finish()),
                "organization_slug" => Arc::new(self.slug.finish()),
                "source_datasets" => Arc::new(self.datasets.finish()),
                "source_record_ids" => Arc::new(self.record_ids.finish()),
                "contact_primary_email_confidence" => Arc::new(self.email_confidence.finish()),
                "contact_primary_email_status" => Arc::new(self.email_status.finish()),
                "contact_primary_phone_confidence" => Arc::new(self.phone_confidence.finish()),
                "contact_primary_phone_status" => Arc::new(self.phone_status.finish()),
                "contact_primary_lead_score" => Arc::new(self.lead_score.finish()),
                "intent_signal_count" => Arc::new(Int64Array::from_value(0, rows)),
                "intent_signal_score" => Arc::new(arrow::array::Float64Array::new_null(rows)),
                "intent_signal_types" | "intent_last_observed_at" | "intent_top_insights" => absent(),
                "contact_validation_flags" => Arc::new(self.validation_flags.finish()),
                "contact_email_confidence_avg" => Arc::new(self.email_average.finish()),
                "contact_phone_confidence_avg" => Arc::new(self.phone_average.finish()),
                "contact_verification_score_avg" => Arc::new(self.verification_average.finish()),
                "contact_lead_score_avg" => Arc::new(self.lead_average.finish()),
                "data_quality_score" => {
                    Arc::new(arrow::array::Float64Array::from_iter_values(self.scores.iter().copied()))
                }
                "data_quality_flags" => Arc::new(self.flags.finish()),
                "selection_provenance" => Arc::new(self.selection.finish()),
                "last_interaction_date" => Arc::new(self.dates.finish()),
                "privacy_basis" => constant(survival.privacy_basis),
                "run_id" => constant(survival.run_id),
                "last_refreshed_at" => {
                    Arc::new(TimestampMillisecondArray::from_value(survival.started_at, rows).with_timezone("UTC"))
                }
                name => match FIELDS.iter().position(|(field, _)| *field == name) {
                    Some(position) => Arc::new(self.fields[position].finish()),
                    None => Arc::new(NullArray::new(rows)),
                },
            };
            if let Some(unredacted) = &mut self.unredacted {
                judged.push(match column.name {
                    "organization_slug" => Arc::new(unredacted.slug.finish()),
                    "last_interaction_date" => Arc::new(unredacted.dates.finish()),
                    name => match FIELDS.iter().position(|(field, _)| *field == name) {
                        Some(position) => Arc::new(unredacted.fields[position].finish()),
                        None => Arc::clone(&built),
                    },
                });
            }
            columns.push(redact_derived(survival.redaction, column.name, built));
        }
        let judged =
            self.unredacted.is_some().then(|| RecordBatch::try_new(Arc::clone(&schemas.golden), judged)).transpose()?;
        Ok(GoldenChunk {
            golden: RecordBatch::try_new(Arc::clone(&schemas.golden), columns)?,
            judged,
            provenance: self.provenance.finish(&schemas.provenance)?,
            conflicts: RecordBatch::try_new(
                Arc::clone(&schemas.conflicts),
                self.conflicts.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect(),
            )?,
            contacts: self.contact_table.finish(&schemas.contacts)?,
            present: self.present,
            wins: self.wins,
            conflicting: self.conflicting,
            scores: self.scores,
        })
    }
}

/// Redacts a text column that was not redacted value by value.
fn redact_derived(redaction: &Redaction, name: &str, column: ArrayRef) -> ArrayRef {
    use arrow::array::{Array, AsArray};
    if !redaction.covers(name) || name == "organization_slug" || source_fields().any(|field| field == name) {
        return column;
    }
    match column.as_string_opt::<i32>() {
        Some(text) if text.null_count() < text.len() => {
            Arc::new(text.iter().map(|value| value.map(|value| redaction.text(name, value))).collect::<StringArray>())
        }
        _ => column,
    }
}

/// Returns the order of contacts with the primary one first.
fn primary_first(
    contacts: &[EntityContact],
    records: &Records,
    published: &[Option<Published<'_>>; FIELDS.len()],
) -> Vec<usize> {
    let value = |position: usize| match &published[position] {
        Some(Published { value: PublishedValue::One(value), .. }) => Some(*value),
        _ => None,
    };
    let wanted = [
        (Channel::Email, value(PRIMARY_EMAIL)),
        (Channel::Phone, value(PRIMARY_PHONE)),
        (Channel::Name, value(PRIMARY_NAME)),
    ];
    let agreeing = |contact: &EntityContact| {
        wanted.iter().fold(0u8, |score, (channel, value)| {
            score << 1 | u8::from(value.is_some() && contact.get(&records.contacts, *channel) == *value)
        })
    };
    let mut order: Vec<usize> = (0..contacts.len()).collect();
    // The greatest agreement with the published contact; the first of equals.
    if let Some(primary) = order.iter().copied().rev().max_by_key(|&index| agreeing(&contacts[index])) {
        order.remove(primary);
        order.insert(0, primary);
    }
    order
}

/// Builds the provenance table.
struct ProvenanceWriter {
    entity_id: StringBuilder,
    field: StringBuilder,
    value: StringBuilder,
    rule: StringBuilder,
    place: PlaceWriter,
    header: StringBuilder,
    raw: StringBuilder,
    contributors: UInt32Builder,
    losers: PlaceWriter,
    loser_values: StringBuilder,
    loser_raw: StringBuilder,
    loser_offsets: Vec<i32>,
    loser_valid: BooleanBufferBuilder,
}

/// Builds the columns that say where a cell is.
struct PlaceWriter {
    dataset: StringBuilder,
    file: StringBuilder,
    sheet: StringBuilder,
    row: UInt32Builder,
    column: StringBuilder,
    rows: usize,
}

impl PlaceWriter {
    fn new(rows: usize) -> Self {
        Self {
            dataset: StringBuilder::with_capacity(rows, rows * 8),
            file: StringBuilder::with_capacity(rows, rows * 12),
            sheet: StringBuilder::with_capacity(rows, 0),
            row: UInt32Builder::with_capacity(rows),
            column: StringBuilder::with_capacity(rows, rows),
            rows: 0,
        }
    }

    fn append(&mut self, records: &Records, cell: Cell) {
        let table = records.table(cell.record);
        self.dataset.append_value(&table.dataset);
        self.file.append_value(&table.id.file);
        self.sheet.append_option(table.id.sheet.as_deref());
        self.row.append_value(records.row(cell.record));
        self.column.append_option(table.columns.get(cell.column as usize).map(|column| column.letters.as_str()));
        self.rows += 1;
    }
}

impl ProvenanceWriter {
    fn new(rows: usize) -> Self {
        let text = |bytes: usize| StringBuilder::with_capacity(rows, rows * bytes);
        Self {
            entity_id: text(24),
            field: text(16),
            value: text(20),
            rule: text(15),
            place: PlaceWriter::new(rows),
            header: text(10),
            raw: text(4),
            contributors: UInt32Builder::with_capacity(rows),
            losers: PlaceWriter::new(rows / 8),
            loser_values: StringBuilder::new(),
            loser_raw: StringBuilder::new(),
            loser_offsets: vec![0],
            loser_valid: BooleanBufferBuilder::new(rows),
        }
    }

    fn row(&mut self, records: &Records, id: &str, field: &str, published: &Published<'_>, redaction: &Redaction) {
        let text = match &published.value {
            PublishedValue::Date(days) => Cow::Owned(
                redaction.date(field, *days).map_or_else(|| hotpass_privacy::operator::REDACTED.to_owned(), date_text),
            ),
            value => value.text(),
        };
        let is_date = matches!(published.value, PublishedValue::Date(_));
        self.entity_id.append_value(id);
        self.field.append_value(field);
        if is_date {
            self.value.append_value(&text);
        } else {
            self.value.append_value(redaction.text(field, &text));
        }
        self.rule.append_value(published.rule);
        self.place.append(records, published.cell);
        self.header.append_option(records.table_column(published.cell).map(|column| column.header.as_str()));
        append_raw(&mut self.raw, records, published.cell, field, &text, redaction);
        self.contributors.append_value(published.contributors);
    }

    fn loser(&mut self, records: &Records, cell: Cell, field: &str, value: &str, redaction: &Redaction) {
        self.losers.append(records, cell);
        // A date was redacted by who gave it.
        if field == FIELDS[DATE].0 {
            self.loser_values.append_value(value);
        } else {
            self.loser_values.append_value(redaction.text(field, value));
        }
        append_raw(&mut self.loser_raw, records, cell, field, value, redaction);
    }

    fn end_row(&mut self, has_losers: bool) {
        self.loser_offsets.push(self.losers.rows as i32);
        self.loser_valid.append(has_losers);
    }

    fn finish(mut self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
        let DataType::List(item) = schema.field(schema.fields().len() - 1).data_type() else {
            return Err(ArrowError::SchemaError("The last column of the provenance table is a list".into()));
        };
        let DataType::Struct(loser_fields) = item.data_type() else {
            return Err(ArrowError::SchemaError("Losing cells are structs".into()));
        };
        let losers = StructArray::try_new(
            loser_fields.clone(),
            vec![
                Arc::new(self.losers.file.finish()),
                Arc::new(self.losers.sheet.finish()),
                Arc::new(self.losers.row.finish()),
                Arc::new(self.losers.column.finish()),
                Arc::new(self.loser_values.finish()),
                Arc::new(self.loser_raw.finish()),
            ],
            None,
        )?;
        let lists = ListArray::try_new(
            Arc::clone(item),
            OffsetBuffer::new(self.loser_offsets.into()),
            Arc::new(losers),
            Some(NullBuffer::new(self.loser_valid.finish())),
        )?;
        RecordBatch::try_new(
            Arc::clone(schema),
            vec![
                Arc::new(self.entity_id.finish()),
                Arc::new(self.field.finish()),
                Arc::new(self.value.finish()),
                Arc::new(self.rule.finish()),
                Arc::new(self.place.dataset.finish()),
                Arc::new(self.place.file.finish()),
                Arc::new(self.place.sheet.finish()),
                Arc::new(self.place.row.finish()),
                Arc::new(self.place.column.finish()),
                Arc::new(self.header.finish()),
                Arc::new(self.raw.finish()),
                Arc::new(self.contributors.finish()),
                Arc::new(lists),
            ],
        )
    }
}

fn append_raw(
    builder: &mut StringBuilder,
    records: &Records,
    cell: Cell,
    field: &str,
    value: &str,
    redaction: &Redaction,
) {
    let raw = if cell.column == NO_COLUMN { None } else { records.raw(cell) };
    builder.append_option(raw.filter(|raw| *raw != value).and_then(|raw| redaction.raw(field, raw)));
}

/// Builds the contacts table.
struct ContactWriter {
    entity_id: StringBuilder,
    position: UInt32Builder,
    values: [StringBuilder; 4],
    place: PlaceWriter,
}

impl ContactWriter {
    fn new(rows: usize) -> Self {
        let text = |bytes: usize| StringBuilder::with_capacity(rows, rows * bytes);
        Self {
            entity_id: text(24),
            position: UInt32Builder::with_capacity(rows),
            values: [text(16), text(8), text(24), text(12)],
            place: PlaceWriter::new(rows),
        }
    }

    fn append(
        &mut self,
        survival: &Survival<'_>,
        redaction: &Redaction,
        id: &str,
        contacts: &[EntityContact],
        order: &[usize],
    ) {
        let records = survival.records;
        for (position, &index) in order.iter().enumerate() {
            let contact = &contacts[index];
            self.entity_id.append_value(id);
            self.position.append_value(position as u32);
            for channel in Channel::ALL {
                let builder = &mut self.values[channel as usize];
                let value = contact.get(&records.contacts, channel);
                builder.append_option(value.map(|value| redaction.contact(channel as usize, value)));
            }
            self.place.append(records, Cell { record: contact.record, column: NO_COLUMN });
        }
    }

    fn finish(mut self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
        let [mut names, mut roles, mut emails, mut phones] = self.values;
        RecordBatch::try_new(
            Arc::clone(schema),
            vec![
                Arc::new(self.entity_id.finish()),
                Arc::new(self.position.finish()),
                Arc::new(names.finish()),
                Arc::new(roles.finish()),
                Arc::new(emails.finish()),
                Arc::new(phones.finish()),
                Arc::new(self.place.dataset.finish()),
                Arc::new(self.place.file.finish()),
                Arc::new(self.place.sheet.finish()),
                Arc::new(self.place.row.finish()),
            ],
        )
    }
}

/// Adds a text as JSON string.
pub(crate) fn push_json(json: &mut String, text: &str) {
    use std::fmt::Write as _;
    json.push('"');
    if !text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        json.push_str(text);
        json.push('"');
        return;
    }
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            c if c < ' ' => {
                let _ = write!(json, "\\u{:04x}", c as u32);
            }
            c => json.push(c),
        }
    }
    json.push('"');
}

fn date_text(days: i32) -> String {
    chrono::DateTime::from_timestamp(i64::from(days) * 86_400, 0)
        .map(|moment| moment.format("%Y-%m-%d").to_string())
        .unwrap_or_default()
}
