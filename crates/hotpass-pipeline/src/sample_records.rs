//! Small record stores for the unit tests.

use arrow::array::{Date32Array, StringArray};
use hotpass_ingest::table::{TableId, TableSchema};

use crate::records::{Contacts, FieldSource, Part, RecordTable, Records, TEXT_FIELDS, TextField, Verdict};

/// A record of a test.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    pub(crate) name: Option<&'static str>,
    pub(crate) registration: Option<&'static str>,
    pub(crate) notes: Option<&'static str>,
    pub(crate) date: Option<i32>,
    pub(crate) contact: [Option<&'static str>; 4],
    pub(crate) domain: Option<&'static str>,
    pub(crate) postal_code: Option<&'static str>,
    pub(crate) city: Option<&'static str>,
    pub(crate) province: Option<&'static str>,
}

/// Builds a store of tables: priority and records of each.
pub(crate) fn records(tables: &[(i64, Vec<Sample>)]) -> Records {
    let mut all = Vec::new();
    let mut parts = Vec::new();
    for (number, (priority, samples)) in tables.iter().enumerate() {
        let schema = TableSchema {
            id: TableId { file: format!("t{number}.csv").into(), sheet: None, table: 0 },
            header_row: Some(1),
            columns: Vec::new(),
            rows: None,
        };
        all.push(RecordTable::new(&schema, &format!("t{number}"), *priority));
        let column = |get: fn(&Sample) -> Option<&'static str>| samples.iter().map(get).collect::<StringArray>();
        let mut text = vec![None; TEXT_FIELDS.len()];
        text[TextField::OrganizationName as usize] = Some(column(|sample| sample.name));
        text[TextField::RegistrationNumber as usize] = Some(column(|sample| sample.registration));
        text[TextField::PostalCode as usize] = Some(column(|sample| sample.postal_code));
        text[TextField::City as usize] = Some(column(|sample| sample.city));
        text[TextField::Province as usize] = Some(column(|sample| sample.province));
        text[TextField::Notes as usize] = Some(column(|sample| sample.notes));
        let with_contact: Vec<&Sample> =
            samples.iter().filter(|sample| sample.contact.iter().any(Option::is_some)).collect();
        let mut offsets = vec![0u32];
        for sample in samples {
            offsets.push(offsets[offsets.len() - 1] + u32::from(sample.contact.iter().any(Option::is_some)));
        }
        let channel = |at: usize| with_contact.iter().map(|sample| sample.contact[at]).collect::<StringArray>();
        parts.push(Part {
            table: number as u32,
            rows: (2..2 + samples.len() as u32).collect::<Vec<_>>().into(),
            accepted: None,
            raw: Vec::new(),
            name_keys: samples.iter().map(|sample| sample.name.map(str::to_lowercase)).collect(),
            website_domains: column(|sample| sample.domain),
            email_domains: StringArray::new_null(with_contact.len()),
            addresses: StringArray::new_null(samples.len()),
            text,
            sources: vec![FieldSource::Absent; TEXT_FIELDS.len()],
            dates: Some(samples.iter().map(|sample| sample.date).collect::<Date32Array>()),
            date_source: FieldSource::Absent,
            contacts: Contacts {
                offsets,
                values: [channel(0), channel(1), channel(2), channel(3)],
                columns: [0, 1, 2, 3].map(|column| vec![column; with_contact.len()]),
                email_verdicts: vec![Verdict::default(); with_contact.len()],
                phone_verdicts: vec![Verdict::default(); with_contact.len()],
            },
            contact_failures: Vec::new(),
        });
    }
    Records::build(all, parts).expect("small columns join")
}
