//! From a batch of a source table to accepted, normalised records and quarantined rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, RecordBatch, StringArray, StringBuilder, UInt32Array,
};
use arrow::compute::{filter, take};
use arrow::error::ArrowError;
use chrono::NaiveDate;
use hotpass_ingest::{
    contacts::{Contacts as RawContacts, contacts_of_batch},
    mapping::TableMapping,
    table::ROW_COLUMN,
};
use hotpass_normalise::{
    CategoryRule, CountryRule, DateRule, EmailRule, FieldRule, Kind, Outcome, PhoneRule, Placeholders, PostalCodeRule,
    ProvinceRule, RegistrationNumberRule, RuleCounts, RuleOptions, TextRule, VatNumberRule, WebRule,
    canonical_email_verdict, normalise_column, organization_columns, own_domain, parse_country, parse_phone,
    phone_verdict, rule_for, web_identity,
};
use rayon::prelude::*;

use crate::compliance::Redaction;
use crate::decisions::{BrokenRule, Judged, TableDecisions, row_digest};
use crate::golden::push_json;
use crate::records::{Channel, Contacts, FieldSource, NO_COLUMN, Part, TEXT_FIELDS, TextField, Verdict, value_at};

/// How the rows of a table are read.
pub(crate) struct TablePlan {
    /// Position of the table among all tables.
    pub(crate) table: u32,
    /// What its columns were taken for.
    pub(crate) mapping: TableMapping,
    /// Letters and headers of its columns.
    pub(crate) columns: Vec<(String, String)>,
    /// Canonical field to the value that rows without one get.
    pub(crate) defaults: BTreeMap<String, String>,
    /// Country of rows that name none, ISO 3166-1 alpha-2.
    pub(crate) country: String,
    /// `file#sheet`, as positions show it.
    pub(crate) place: String,
    /// Canonical fields a row must have.
    pub(crate) required: Vec<String>,
    /// Values that mean "no value".
    pub(crate) null_values: Vec<String>,
    /// Rule of the date column.
    pub(crate) date_rule: DateRule,
    /// Decisions on rows of the table that were in quarantine.
    pub(crate) decisions: TableDecisions,
}

/// A row that a check takes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    /// Position of the row in its batch, from 0.
    pub(crate) position: u32,
    /// What it breaks; rows that break the same share it.
    pub(crate) rule: Arc<BrokenRule>,
}

/// A row that cannot be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QuarantinedRow {
    /// Position of its table.
    pub(crate) table: u32,
    /// Row, from 1.
    pub(crate) row: u32,
    /// Every rule it breaks, in the order they were checked; at least one.
    pub(crate) rules: Vec<Arc<BrokenRule>>,
    /// The row as JSON object.
    pub(crate) values: String,
}

impl QuarantinedRow {
    /// Returns the letters of the column at fault, by the first rule.
    pub(crate) fn column(&self) -> Option<&str> {
        self.rules.first()?.column.as_deref()
    }

    /// Returns the code of the first rule.
    pub(crate) fn reason(&self) -> &str {
        self.rules.first().map_or("", |rule| &rule.reason)
    }

    /// Returns all reasons for people.
    pub(crate) fn message(&self) -> String {
        self.rules.iter().map(|rule| rule.message.as_str()).collect::<Vec<_>>().join("; ")
    }

    /// Adds a rule, unless it is there.
    fn add(&mut self, rule: Arc<BrokenRule>) {
        if !self.rules.contains(&rule) {
            self.rules.push(rule);
        }
    }
}

/// What became of a batch.
#[derive(Debug)]
pub(crate) struct NormalisedBatch {
    /// Accepted records.
    pub(crate) part: Part,
    /// Rows that break a rule, by position, until [`settle`] parts them from the records.
    pub(crate) broken: BTreeMap<u32, QuarantinedRow>,
    /// Rows that are not accepted, once that is settled.
    pub(crate) quarantined: Vec<QuarantinedRow>,
    /// Rows that decisions speak of, with the digest of their cells.
    pub(crate) spoken_of: BTreeSet<(u32, String)>,
    /// Changes by canonical field.
    pub(crate) changes: BTreeMap<&'static str, RuleCounts>,
    /// Canonical fields and codes in `changes` of values that broke their rule.
    pub(crate) failure_codes: BTreeSet<(&'static str, &'static str)>,
    /// Number of cells with a value, by column of the table.
    pub(crate) filled: Vec<u64>,
    /// Number of rows.
    pub(crate) rows: u64,
}

/// A rule that depends on the country of the row.
struct ByCountry<R> {
    rules: Vec<R>,
    rule_of: Vec<u8>,
}

impl<R: FieldRule> ByCountry<R> {
    fn new(countries: &[Option<&'static str>], default: &str, make: impl Fn(&str) -> R) -> Self {
        let mut known: Vec<&str> = vec![default];
        let rule_of = countries
            .iter()
            .map(|country| {
                let country = country.unwrap_or(default);
                let position = known.iter().position(|other| *other == country).unwrap_or_else(|| {
                    // A table of more countries than a byte counts reads the rest by its own country's rules.
                    if known.len() < usize::from(u8::MAX) {
                        known.push(country);
                        known.len() - 1
                    } else {
                        0
                    }
                });
                position as u8
            })
            .collect();
        Self { rules: known.into_iter().map(make).collect(), rule_of }
    }
}

impl<R: FieldRule> FieldRule for ByCountry<R> {
    fn apply(&self, row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        let rule = self.rule_of.get(row).copied().unwrap_or(0);
        self.rules[usize::from(rule)].apply(row, value, scratch, counts)
    }
}

/// Normalises a batch, and notes the rows that lack a required field.
///
/// # Errors
///
/// Returns an error when the batch is not one of the table.
pub(crate) fn normalise_batch(
    plan: &TablePlan,
    batch: &RecordBatch,
    redaction: &Redaction,
) -> Result<NormalisedBatch, ArrowError> {
    let rows = batch
        .column_by_name(ROW_COLUMN)
        .and_then(|column| column.as_primitive_opt::<arrow::datatypes::UInt32Type>())
        .ok_or_else(|| ArrowError::SchemaError(format!("A batch lacks the column `{ROW_COLUMN}`")))?
        .clone();
    let cells: Vec<Option<&StringArray>> =
        batch.columns()[1..].iter().map(|column| column.as_string_opt::<i32>()).collect();
    let mut reader = BatchReader {
        plan,
        placeholders: Placeholders::with(&plan.null_values),
        cells: &cells,
        len: batch.num_rows(),
        changes: BTreeMap::new(),
        failed: BTreeMap::new(),
        failure_codes: BTreeSet::new(),
    };
    let mut text: Vec<Option<StringArray>> = vec![None; TEXT_FIELDS.len()];
    let mut sources: Vec<FieldSource> = vec![FieldSource::Absent; TEXT_FIELDS.len()];

    let (country_values, country_source) = reader.scalar("country", &CountryRule);
    let countries: Vec<Option<&'static str>> = match &country_values {
        Some(values) => values.iter().map(|value| parse_country(value?).ok().map(|country| country.alpha2)).collect(),
        None => vec![None; batch.num_rows()],
    };
    text[TextField::Country as usize] = country_values;
    sources[TextField::Country as usize] = country_source;

    let default = plan.country.as_str();
    let general = TextRule::new(reader.placeholders.clone());
    let category = CategoryRule::new(general.clone());
    let provinces = ByCountry::new(&countries, default, |country| ProvinceRule::new(Some(country)));
    let registrations = ByCountry::new(&countries, default, |country| RegistrationNumberRule::new(Some(country)));
    let vats = ByCountry::new(&countries, default, |country| VatNumberRule::new(Some(country)));
    let postcodes = ByCountry::new(&countries, default, |country| PostalCodeRule::new(Some(country)));
    let options =
        RuleOptions { country: default.to_owned(), null_values: plan.null_values.clone(), ..RuleOptions::default() };
    let addresses = rule_for(Kind::Address, &options);
    for (field, rule) in [
        (TextField::SourceRecordId, &general as &dyn FieldRule),
        (TextField::RegistrationNumber, &registrations),
        (TextField::VatNumber, &vats),
        (TextField::Province, &provinces),
        (TextField::Area, &general),
        (TextField::City, &general),
        (TextField::PostalCode, &postcodes),
        (TextField::Address, &*addresses),
        (TextField::Category, &category),
        (TextField::OrganizationType, &category),
        (TextField::Status, &category),
        (TextField::Website, &WebRule),
        (TextField::Planes, &general),
        (TextField::Description, &general),
        (TextField::Notes, &general),
        (TextField::Priority, &category),
        (TextField::ConsentStatus, &general),
        (TextField::ConsentDate, &plan.date_rule),
    ] {
        let (values, source) = reader.scalar(TEXT_FIELDS[field as usize], rule);
        text[field as usize] = values;
        sources[field as usize] = source;
    }
    let (names, name_keys, name_source) = reader.names(&general);
    text[TextField::OrganizationName as usize] = names;
    sources[TextField::OrganizationName as usize] = name_source;
    let (date_text, date_source) = reader.scalar("last_interaction_date", &plan.date_rule);
    let dates = date_text.as_ref().map(days_of);

    let contacts = reader.contacts(&contacts_of_batch(&plan.mapping, batch), &countries, &options);
    let filled = cells.iter().map(|cells| cells.map_or(0, |cells| (cells.len() - cells.null_count()) as u64)).collect();
    let BatchReader { changes, failed, failure_codes, .. } = reader;

    // What is required must be there now.
    let mut broken: BTreeMap<u32, QuarantinedRow> = BTreeMap::new();
    for field in &plan.required {
        let present = presence(field, &text, date_text.as_ref(), &contacts);
        for row in 0..batch.num_rows() {
            if !present(row) {
                let position = row as u32;
                let rule = missing(plan, position, field, &failed);
                broken
                    .entry(position)
                    .or_insert_with(|| QuarantinedRow {
                        table: plan.table,
                        row: rows.value(row),
                        rules: Vec::new(),
                        values: row_json(plan, &cells, position, redaction),
                    })
                    .add(Arc::new(rule));
            }
        }
    }
    let spoken_of = plan
        .decisions
        .rows()
        .filter_map(|row| {
            let position = rows.values().binary_search(&row).ok()?;
            Some((row, row_digest(&row_json(plan, &cells, position as u32, redaction))))
        })
        .collect();
    let raw = cells
        .iter()
        .enumerate()
        .map(|(column, cells)| {
            cells.filter(|_| plan.mapping.columns.get(column).is_some_and(|column| column.field.is_some())).cloned()
        })
        .collect();
    let part = Part {
        table: plan.table,
        rows,
        accepted: None,
        raw,
        name_keys,
        website_domains: domains(text[TextField::Website as usize].as_ref(), batch.num_rows(), web_identity),
        email_domains: domains(Some(&contacts.values[Channel::Email as usize]), contacts.columns[0].len(), |email| {
            own_domain(email.rsplit_once('@')?.1)
        }),
        addresses: full_addresses(&text, batch.num_rows()),
        text,
        sources,
        dates,
        date_source,
        contacts: contacts.contacts,
        contact_failures: contacts.failures,
    };
    Ok(NormalisedBatch {
        part,
        broken,
        quarantined: Vec::new(),
        spoken_of,
        changes,
        failure_codes,
        filled,
        rows: batch.num_rows() as u64,
    })
}

/// The contacts of a batch with what was found in them.
struct BatchContacts {
    contacts: Contacts,
    failures: Vec<(u32, &'static str)>,
}

impl std::ops::Deref for BatchContacts {
    type Target = Contacts;

    fn deref(&self) -> &Contacts {
        &self.contacts
    }
}

struct BatchReader<'a> {
    plan: &'a TablePlan,
    /// Words that mean "no value".
    placeholders: Placeholders,
    cells: &'a [Option<&'a StringArray>],
    len: usize,
    changes: BTreeMap<&'static str, RuleCounts>,
    /// Field and row to the reason its value failed.
    failed: BTreeMap<(&'static str, u32), &'static str>,
    failure_codes: BTreeSet<(&'static str, &'static str)>,
}

impl BatchReader<'_> {
    fn columns(&self, field: &str) -> Vec<u16> {
        self.plan
            .mapping
            .columns_of(field)
            .filter(|&column| self.cells.get(column as usize).is_some_and(Option::is_some))
            .map(|column| column as u16)
            .collect()
    }

    fn note(&mut self, field: &'static str, counts: &RuleCounts) {
        self.changes.entry(field).or_default().merge(counts);
    }

    fn fail(&mut self, field: &'static str, row: u32, reason: &'static str) {
        self.failed.insert((field, row), reason);
        self.failure_codes.insert((field, reason));
    }

    /// Normalises the columns of a field; of several the first with a value counts, row by row.
    fn scalar(&mut self, field: &'static str, rule: &dyn FieldRule) -> (Option<StringArray>, FieldSource) {
        let columns = self.columns(field);
        let rule = self.placeholders.guard(rule);
        let mut normalised = Vec::with_capacity(columns.len());
        for &column in &columns {
            let Some(cells) = self.cells[column as usize] else { continue };
            let done = normalise_column(cells, &rule);
            self.note(field, &done.counts);
            for failure in &done.failures {
                self.fail(field, failure.row as u32, failure.reason);
            }
            normalised.push(done.values);
        }
        let (values, source) = coalesce(normalised, &columns, self.len);
        self.with_default(field, values, source)
    }

    fn with_default(
        &self,
        field: &str,
        values: Option<StringArray>,
        source: FieldSource,
    ) -> (Option<StringArray>, FieldSource) {
        let Some(default) = self.plan.defaults.get(field).filter(|value| !value.is_empty()) else {
            return (values, source);
        };
        let Some(values) = values else {
            let all = StringArray::from_iter_values(std::iter::repeat_n(default, self.len));
            return (Some(all), FieldSource::Absent);
        };
        if values.null_count() == 0 {
            return (Some(values), source);
        }
        let columns =
            (0..values.len()).map(|row| if values.is_null(row) { NO_COLUMN } else { source.of(row) }).collect();
        let filled = values.iter().map(|value| Some(value.unwrap_or(default))).collect();
        (Some(filled), FieldSource::Columns(columns))
    }

    fn names(&mut self, text: &TextRule) -> (Option<StringArray>, StringArray, FieldSource) {
        let field = TEXT_FIELDS[TextField::OrganizationName as usize];
        let columns = self.columns(field);
        let (mut displays, mut keys) = (Vec::new(), Vec::new());
        for &column in &columns {
            let Some(cells) = self.cells[column as usize] else { continue };
            let found = organization_columns(cells, &self.plan.country, text);
            self.note(field, &found.counts);
            for failure in &found.failures {
                self.fail(field, failure.row as u32, failure.reason);
            }
            displays.push(found.display);
            keys.push(found.expanded_key);
        }
        let keys = match keys.len() {
            0 => StringArray::new_null(self.len),
            1 => keys.swap_remove(0),
            // The key of the name that counts, which may be null where the name is not.
            _ => (0..self.len)
                .map(|row| {
                    let column = displays.iter().position(|display: &StringArray| !display.is_null(row))?;
                    value_at(&keys[column], row)
                })
                .collect(),
        };
        let (values, source) = coalesce(displays, &columns, self.len);
        (values, keys, source)
    }

    fn contacts(
        &mut self,
        raw: &RawContacts,
        countries: &[Option<&'static str>],
        options: &RuleOptions,
    ) -> BatchContacts {
        let row_of = raw.row.values();
        let contact_countries: Vec<Option<&'static str>> = row_of.iter().map(|&row| countries[row as usize]).collect();
        let phones = ByCountry::new(&contact_countries, &self.plan.country, |country| PhoneRule::new(Some(country)));
        let people = rule_for(Kind::Person, options);
        let roles = rule_for(Kind::Role, options);
        let mut failures: Vec<(u32, &'static str)> = Vec::new();
        let mut values = Vec::with_capacity(4);
        for (field, column, rule) in [
            ("contact_names", &raw.name, &*people),
            ("contact_roles", &raw.role, &*roles),
            ("contact_emails", &raw.email, &EmailRule as &dyn FieldRule),
            ("contact_phones", &raw.phone, &phones),
        ] {
            let done = normalise_column(&column.values, &self.placeholders.guard(rule));
            self.note(field, &done.counts);
            failures.extend(done.failures.iter().map(|failure| (row_of[failure.row], failure.reason)));
            for failure in &done.failures {
                self.fail(field, row_of[failure.row], failure.reason);
            }
            values.push(done.values);
        }
        failures.sort_unstable();
        failures.dedup();

        // Contacts of which nothing is left are none.
        let keep: Vec<u32> = (0..raw.len() as u32)
            .filter(|&contact| values.iter().any(|values| !values.is_null(contact as usize)))
            .collect();
        let all = keep.len() == raw.len();
        let pick = |values: &StringArray| -> StringArray {
            if all { values.clone() } else { keep.iter().map(|&at| value_at(values, at as usize)).collect() }
        };
        let values = [pick(&values[0]), pick(&values[1]), pick(&values[2]), pick(&values[3])];
        let columns = [&raw.name, &raw.role, &raw.email, &raw.phone].map(|field| {
            keep.iter()
                .map(|&at| {
                    if field.columns.is_null(at as usize) { NO_COLUMN } else { field.columns.value(at as usize) as u16 }
                })
                .collect()
        });
        let mut offsets = vec![0u32; self.len + 1];
        for &at in &keep {
            offsets[row_of[at as usize] as usize + 1] += 1;
        }
        for row in 0..self.len {
            offsets[row + 1] += offsets[row];
        }
        let verdicts = |values: &StringArray, judge: &dyn Fn(&str) -> Verdict| -> Vec<Verdict> {
            values.iter().map(|value| value.map(judge).unwrap_or_default()).collect()
        };
        let email_verdicts = verdicts(&values[Channel::Email as usize], &|email| {
            let (confidence, status) = canonical_email_verdict(email);
            Verdict { status, confidence }
        });
        let phone_verdicts = verdicts(&values[Channel::Phone as usize], &|phone| match parse_phone(phone, None) {
            Ok(phone) => {
                let (confidence, status) = phone_verdict(&phone);
                Verdict { status, confidence }
            }
            Err(_) => Verdict { status: "undeliverable", confidence: 0.0 },
        });
        BatchContacts { contacts: Contacts { offsets, values, columns, email_verdicts, phone_verdicts }, failures }
    }
}

/// Takes the first value of several columns, row by row.
fn coalesce(mut columns: Vec<StringArray>, positions: &[u16], len: usize) -> (Option<StringArray>, FieldSource) {
    match columns.len() {
        0 => (None, FieldSource::Absent),
        1 => (Some(columns.swap_remove(0)), FieldSource::Column(positions[0])),
        _ => {
            let mut values = StringBuilder::with_capacity(len, columns[0].value_data().len());
            let mut sources = Vec::with_capacity(len);
            for row in 0..len {
                if let Some(column) = columns.iter().position(|column| !column.is_null(row)) {
                    values.append_value(columns[column].value(row));
                    sources.push(positions[column]);
                } else {
                    values.append_null();
                    sources.push(NO_COLUMN);
                }
            }
            (Some(values.finish()), FieldSource::Columns(sources))
        }
    }
}

fn days_of(dates: &StringArray) -> Date32Array {
    const EPOCH: i32 = 719_163;
    use chrono::Datelike as _;
    dates
        .iter()
        .map(|date| {
            let date = NaiveDate::parse_from_str(date?.get(..10)?, "%Y-%m-%d").ok()?;
            Some(date.num_days_from_ce() - EPOCH)
        })
        .collect()
}

fn domains<'a>(
    values: Option<&'a StringArray>,
    len: usize,
    domain: impl Fn(&'a str) -> Option<&'a str>,
) -> StringArray {
    match values {
        Some(values) => (0..len).map(|at| domain(value_at(values, at)?)).collect(),
        None => StringArray::new_null(len),
    }
}

/// Completes addresses by the town and postal code that they lack.
fn full_addresses(text: &[Option<StringArray>], len: usize) -> StringArray {
    let [address, city, postal_code] =
        [TextField::Address, TextField::City, TextField::PostalCode].map(|field| text[field as usize].as_ref());
    if address.is_none() && city.is_none() {
        return StringArray::new_null(len);
    }
    if city.is_none() && postal_code.is_none() {
        return address.cloned().unwrap_or_else(|| StringArray::new_null(len));
    }
    let mut builder = StringBuilder::with_capacity(len, len * 32);
    let mut full = String::new();
    for row in 0..len {
        let [address, city, postal_code] =
            [address, city, postal_code].map(|values| values.and_then(|values| value_at(values, row)));
        if address.is_none() && city.is_none() {
            builder.append_null();
            continue;
        }
        full.clear();
        for part in [address, city, postal_code].into_iter().flatten() {
            if full.is_empty() {
                full.push_str(part);
            } else if !contains_ignoring_case(&full, part) {
                full.push_str(", ");
                full.push_str(part);
            }
        }
        builder.append_value(&full);
    }
    builder.finish()
}

fn contains_ignoring_case(text: &str, part: &str) -> bool {
    part.is_empty() || text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

/// Returns whether each row has a value for a required field.
fn presence<'a>(
    field: &str,
    text: &'a [Option<StringArray>],
    dates: Option<&'a StringArray>,
    contacts: &'a Contacts,
) -> Box<dyn Fn(usize) -> bool + 'a> {
    let channel = match field {
        "contact_names" | "contact_given_names" | "contact_family_names" => Some(Channel::Name),
        "contact_roles" => Some(Channel::Role),
        "contact_emails" => Some(Channel::Email),
        "contact_phones" => Some(Channel::Phone),
        _ => None,
    };
    if let Some(channel) = channel {
        let values = &contacts.values[channel as usize];
        return Box::new(move |row| contacts.of(row as u32).any(|contact| !values.is_null(contact)));
    }
    let values = match TEXT_FIELDS.iter().position(|name| *name == field) {
        Some(position) => text[position].as_ref(),
        None => dates,
    };
    Box::new(move |row| values.is_some_and(|values| !values.is_null(row)))
}

/// Tells that a row has no value of a required field that could be used.
fn missing(
    plan: &TablePlan,
    row: u32,
    field: &str,
    failed: &BTreeMap<(&'static str, u32), &'static str>,
) -> BrokenRule {
    let column = plan.mapping.columns_of(field).next().and_then(|column| plan.columns.get(column as usize));
    let failure = failed.range((field_name(field), row)..=(field_name(field), row)).map(|(_, reason)| *reason).next();
    let (reason, message) = match (failure, column) {
        (Some(reason), Some((letters, _))) => (
            "required_field_invalid",
            format!("Required field `{field}` breaks its rule `{reason}` in column {letters}"),
        ),
        (None, Some((letters, _))) => {
            ("required_field_missing", format!("Required field `{field}` has no value in column {letters}"))
        }
        (_, None) => ("required_field_missing", format!("Required field `{field}` has no column in the table")),
    };
    let rule = match failure {
        Some(failure) => format!("{reason}/{field}/{failure}"),
        None => format!("{reason}/{field}"),
    };
    BrokenRule::new(reason, column.map(|(letters, _)| letters.clone()), message, rule)
}

/// Notes rules that checks of the source have found broken; a row that breaks several keeps them all.
pub(crate) fn note_rejections(
    plan: &TablePlan,
    batch: &RecordBatch,
    normalised: &mut NormalisedBatch,
    rejections: Vec<Rejection>,
    redaction: &Redaction,
) {
    if rejections.is_empty() {
        return;
    }
    let cells: Vec<Option<&StringArray>> =
        batch.columns()[1..].iter().map(|column| column.as_string_opt::<i32>()).collect();
    for Rejection { position, rule } in rejections {
        let row = normalised.part.rows.value(position as usize);
        normalised
            .broken
            .entry(position)
            .or_insert_with(|| QuarantinedRow {
                table: plan.table,
                row,
                rules: Vec::new(),
                values: row_json(plan, &cells, position, redaction),
            })
            .add(rule);
    }
}

/// Takes the rows out of the batches of a table that break a rule, but for those that decisions release.
///
/// # Errors
///
/// Returns an error when the rows are not those of their batch; that is a bug.
pub(crate) fn settle(plan: &TablePlan, batches: &mut [NormalisedBatch]) -> Result<Judged, ArrowError> {
    let rows: Vec<&QuarantinedRow> = batches.iter().flat_map(|batch| batch.broken.values()).collect();
    let unchanged = |row: u32, digest: &str| {
        let row = (row, digest.to_owned());
        batches.iter().any(|batch| batch.spoken_of.contains(&row))
    };
    let judged = plan.decisions.judge(&rows, &unchanged);
    let mut starts = Vec::with_capacity(batches.len());
    let mut next = 0;
    for batch in batches.iter() {
        starts.push(next);
        next += batch.broken.len();
    }
    batches.par_iter_mut().zip(starts).try_for_each(|(batch, start)| {
        let mut gone = BTreeSet::new();
        for (index, (position, row)) in std::mem::take(&mut batch.broken).into_iter().enumerate() {
            if judged.released[start + index].is_none() {
                gone.insert(position);
                batch.quarantined.push(row);
            }
        }
        if gone.is_empty() {
            return Ok(());
        }
        let keep: BooleanArray =
            (0..batch.part.rows.len() as u32).map(|position| Some(!gone.contains(&position))).collect();
        keep_rows(&mut batch.part, &keep)
    })?;
    Ok(judged)
}

/// Returns a row as JSON object: header to cell, redacted where that is asked for.
fn row_json(plan: &TablePlan, cells: &[Option<&StringArray>], row: u32, redaction: &Redaction) -> String {
    let mut values = String::from("{");
    for (index, ((_, header), cells)) in plan.columns.iter().zip(cells).enumerate() {
        let Some(value) = cells.and_then(|cells| value_at(cells, row as usize)) else { continue };
        if values.len() > 1 {
            values.push(',');
        }
        push_json(&mut values, header);
        values.push(':');
        if redaction.is_active() {
            let field = plan.mapping.columns.get(index).and_then(|column| column.field.as_deref());
            push_json(&mut values, &redaction.source_cell(field, value));
        } else {
            push_json(&mut values, value);
        }
    }
    values.push('}');
    values
}

fn field_name(field: &str) -> &'static str {
    hotpass_core::fields::input_field(field).map_or("", |field| field.name)
}

/// Keeps the accepted rows of a part.
fn keep_rows(part: &mut Part, keep: &BooleanArray) -> Result<(), ArrowError> {
    let accepted: Vec<u32> = (0..keep.len() as u32).filter(|&row| keep.value(row as usize)).collect();
    let kept = |values: &StringArray| -> Result<StringArray, ArrowError> {
        Ok(StringArray::from(filter(values, keep)?.to_data()))
    };
    for values in part.text.iter_mut().flatten() {
        *values = kept(values)?;
    }
    for source in part.sources.iter_mut().chain([&mut part.date_source]) {
        if let FieldSource::Columns(columns) = source {
            *columns = accepted.iter().map(|&row| columns[row as usize]).collect();
        }
    }
    part.name_keys = kept(&part.name_keys)?;
    part.website_domains = kept(&part.website_domains)?;
    part.addresses = kept(&part.addresses)?;
    if let Some(dates) = &mut part.dates {
        *dates = Date32Array::from(filter(dates, keep)?.to_data());
    }
    let old = &part.contacts;
    let contacts: Vec<u32> = accepted.iter().flat_map(|&row| old.of(row)).map(|contact| contact as u32).collect();
    let mut offsets = Vec::with_capacity(accepted.len() + 1);
    offsets.push(0u32);
    for &row in &accepted {
        offsets.push(offsets[offsets.len() - 1] + old.of(row).len() as u32);
    }
    let positions: ArrayRef = Arc::new(UInt32Array::from(contacts.clone()));
    let taken = |values: &StringArray| -> Result<StringArray, ArrowError> {
        Ok(StringArray::from(take(values, &positions, None)?.to_data()))
    };
    let picked = |verdicts: &[Verdict]| contacts.iter().map(|&contact| verdicts[contact as usize]).collect();
    let [names, roles, emails, phones] = &old.values;
    part.email_domains = taken(&part.email_domains)?;
    part.contacts = Contacts {
        values: [taken(names)?, taken(roles)?, taken(emails)?, taken(phones)?],
        columns: [0, 1, 2, 3]
            .map(|channel| contacts.iter().map(|&contact| old.columns[channel][contact as usize]).collect()),
        email_verdicts: picked(&old.email_verdicts),
        phone_verdicts: picked(&old.phone_verdicts),
        offsets,
    };
    part.contact_failures = part
        .contact_failures
        .iter()
        .filter_map(|&(row, code)| Some((accepted.binary_search(&row).ok()? as u32, code)))
        .collect();
    part.accepted = Some(accepted);
    Ok(())
}
