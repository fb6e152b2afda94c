//! The columnar store of accepted records: normalised columns, and the raw cells they came from.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Array, StringArray, UInt32Array};
use arrow::compute::concat;
use arrow::error::ArrowError;
use hotpass_core::column_letters;
use hotpass_ingest::table::{TableId, TableSchema};
use rayon::prelude::*;

/// Marks an absent source column.
pub(crate) const NO_COLUMN: u16 = u16::MAX;

/// The scalar text fields of a record; the order is that of [`TEXT_FIELDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum TextField {
    OrganizationName,
    SourceRecordId,
    RegistrationNumber,
    VatNumber,
    Province,
    Area,
    City,
    PostalCode,
    Country,
    Address,
    Category,
    OrganizationType,
    Status,
    Website,
    Planes,
    Description,
    Notes,
    Priority,
    ConsentStatus,
    ConsentDate,
}

/// Canonical names of the scalar text fields.
pub(crate) const TEXT_FIELDS: [&str; 20] = [
    "organization_name",
    "source_record_id",
    "registration_number",
    "vat_number",
    "province",
    "area",
    "city",
    "postal_code",
    "country",
    "address",
    "category",
    "organization_type",
    "status",
    "website",
    "planes",
    "description",
    "notes",
    "priority",
    "consent_status",
    "consent_date",
];

/// A table that gave records.
#[derive(Debug, Clone)]
pub(crate) struct RecordTable {
    /// Which table.
    pub(crate) id: TableId,
    /// Source dataset.
    pub(crate) dataset: Arc<str>,
    /// Source priority.
    pub(crate) priority: i64,
    /// Its columns, for headers and letters.
    pub(crate) columns: Vec<TableColumn>,
    /// `file#sheet`, as positions show it.
    pub(crate) place: String,
}

/// A column of a table, as positions need it.
#[derive(Debug, Clone)]
pub(crate) struct TableColumn {
    /// Spreadsheet letters.
    pub(crate) letters: String,
    /// Header as the source writes it.
    pub(crate) header: String,
}

impl RecordTable {
    /// Makes the table from its schema.
    pub(crate) fn new(schema: &TableSchema, dataset: &str, priority: i64) -> Self {
        Self {
            id: schema.id.clone(),
            dataset: dataset.into(),
            priority,
            columns: schema
                .columns
                .iter()
                .map(|column| TableColumn { letters: column_letters(column.index), header: column.raw_header.clone() })
                .collect(),
            place: schema.id.location().to_string(),
        }
    }
}

/// The contacts of records, in record order; each has at least one value.
#[derive(Debug, Clone)]
pub(crate) struct Contacts {
    /// First contact of each record, and the number of contacts at the end.
    pub(crate) offsets: Vec<u32>,
    /// Values by [`Channel`].
    pub(crate) values: [StringArray; 4],
    /// Source column of each value by [`Channel`]; [`NO_COLUMN`] where there is none.
    pub(crate) columns: [Vec<u16>; 4],
    /// Verdict on each e-mail address.
    pub(crate) email_verdicts: Vec<Verdict>,
    /// Verdict on each telephone number.
    pub(crate) phone_verdicts: Vec<Verdict>,
}

/// What a contact holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Channel {
    Name,
    Role,
    Email,
    Phone,
}

impl Channel {
    /// All, in the order of storage.
    pub(crate) const ALL: [Self; 4] = [Self::Name, Self::Role, Self::Email, Self::Phone];

    /// Returns the name, as in the columns of contacts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Role => "role",
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
}

/// What validation says of an address or number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Verdict {
    /// `deliverable`, `risky`, `undeliverable` or `unknown`; empty where there is no value.
    pub(crate) status: &'static str,
    /// Confidence, 0 to 1.
    pub(crate) confidence: f64,
}

impl Contacts {
    /// Returns the positions of a record's contacts.
    pub(crate) fn of(&self, record: u32) -> std::ops::Range<usize> {
        self.offsets[record as usize] as usize..self.offsets[record as usize + 1] as usize
    }

    /// Returns a value of a contact.
    pub(crate) fn get(&self, channel: Channel, contact: usize) -> Option<&str> {
        value_at(&self.values[channel as usize], contact)
    }
}

/// Returns the text at a position, or nothing where it is null.
pub(crate) fn value_at(values: &StringArray, position: usize) -> Option<&str> {
    (!values.is_null(position)).then(|| values.value(position))
}

/// The records of one batch of a table, before they are joined to the others.
#[derive(Debug)]
pub(crate) struct Part {
    /// Position of the table in [`Records::tables`].
    pub(crate) table: u32,
    /// Row numbers of all rows of the batch.
    pub(crate) rows: UInt32Array,
    /// Position in the batch of each accepted record; absent when all are accepted.
    pub(crate) accepted: Option<Vec<u32>>,
    /// Raw cells by column of the table; absent for columns that were not mapped.
    pub(crate) raw: Vec<Option<StringArray>>,
    /// Key of the organisation's name: without legal form, abbreviations written out, branch kept.
    pub(crate) name_keys: StringArray,
    /// Own web domain of each record's web address.
    pub(crate) website_domains: StringArray,
    /// Own web domain of each contact's e-mail address.
    pub(crate) email_domains: StringArray,
    /// Address completed by town and postal code.
    pub(crate) addresses: StringArray,
    /// Accepted values by [`TextField`]; absent when the table lacks the field.
    pub(crate) text: Vec<Option<StringArray>>,
    /// Source column of each accepted value by [`TextField`], where the table has several for the field.
    pub(crate) sources: Vec<FieldSource>,
    /// Date of the last interaction, and its column.
    pub(crate) dates: Option<Date32Array>,
    /// Source of the dates.
    pub(crate) date_source: FieldSource,
    /// Contacts of the accepted records.
    pub(crate) contacts: Contacts,
    /// Codes of contact rules that accepted records failed, by position among them, sorted.
    pub(crate) contact_failures: Vec<(u32, &'static str)>,
}

impl Part {
    /// Returns the bytes it takes in memory.
    pub(crate) fn bytes(&self) -> u64 {
        let text = self.text.iter().flatten();
        let derived = [&self.name_keys, &self.website_domains, &self.email_domains, &self.addresses];
        let bytes: usize = text
            .chain(self.raw.iter().flatten())
            .chain(derived)
            .chain(&self.contacts.values)
            .map(Array::get_array_memory_size)
            .sum();
        bytes as u64
    }
}

/// Which columns of a table give a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum FieldSource {
    /// None: the field is absent, or a default of the profile.
    #[default]
    Absent,
    /// One column.
    Column(u16),
    /// The first of several that has a value, by record.
    Columns(Vec<u16>),
}

impl FieldSource {
    pub(crate) fn of(&self, position: usize) -> u16 {
        match self {
            Self::Absent => NO_COLUMN,
            Self::Column(column) => *column,
            Self::Columns(columns) => columns[position],
        }
    }
}

/// The place of a batch of records in the store.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) table: u32,
    pub(crate) first: u32,
    pub(crate) len: u32,
    pub(crate) rows: UInt32Array,
    pub(crate) accepted: Option<Vec<u32>>,
    raw: Vec<Option<StringArray>>,
    sources: Vec<FieldSource>,
    date_source: FieldSource,
}

/// A source cell: its span, its position there and its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Record it belongs to.
    pub(crate) record: u32,
    /// Column of the table, or [`NO_COLUMN`].
    pub(crate) column: u16,
}

/// All accepted records.
#[derive(Debug)]
pub(crate) struct Records {
    /// Tables they came from.
    pub(crate) tables: Vec<RecordTable>,
    /// Batches they came in.
    pub(crate) spans: Vec<Span>,
    span_of: Vec<u32>,
    text: Vec<StringArray>,
    /// Key of each organisation's name.
    pub(crate) name_keys: StringArray,
    /// Own web domain of each record's web address.
    pub(crate) website_domains: StringArray,
    /// Own web domain of each contact's e-mail address.
    pub(crate) email_domains: StringArray,
    /// Addresses completed by town and postal code.
    pub(crate) addresses: StringArray,
    /// Dates of the last interaction.
    pub(crate) dates: Date32Array,
    /// Contacts.
    pub(crate) contacts: Contacts,
    /// Number of canonical fields each record has.
    pub(crate) completeness: Vec<u8>,
    /// Contact rules that records failed, sorted by record.
    pub(crate) contact_failures: Vec<(u32, &'static str)>,
}

impl Records {
    /// Joins parts, in order.
    ///
    /// # Errors
    ///
    /// Returns an error when a column holds more than 2 GiB of text.
    pub(crate) fn build(tables: Vec<RecordTable>, parts: Vec<Part>) -> Result<Self, ArrowError> {
        let mut spans = Vec::with_capacity(parts.len());
        let mut text_parts: Vec<Vec<ArrayRef>> = vec![Vec::with_capacity(parts.len()); TEXT_FIELDS.len()];
        let mut derived: [Vec<ArrayRef>; 4] = Default::default();
        let mut date_parts: Vec<ArrayRef> = Vec::with_capacity(parts.len());
        let mut channel_parts: [Vec<ArrayRef>; 4] = Default::default();
        let mut columns: [Vec<u16>; 4] = Default::default();
        let mut offsets = vec![0u32];
        let (mut email_verdicts, mut phone_verdicts) = (Vec::new(), Vec::new());
        let mut contact_failures = Vec::new();
        let mut first = 0u32;
        for part in parts {
            let len = part.contacts.offsets.len() as u32 - 1;
            for (field, values) in part.text.into_iter().enumerate() {
                text_parts[field].push(match values {
                    Some(values) => Arc::new(values),
                    None => Arc::new(StringArray::new_null(len as usize)),
                });
            }
            for (all, more) in
                derived.iter_mut().zip([part.name_keys, part.website_domains, part.email_domains, part.addresses])
            {
                all.push(Arc::new(more));
            }
            date_parts.push(Arc::new(part.dates.unwrap_or_else(|| Date32Array::new_null(len as usize))));
            let base = *offsets.last().unwrap_or(&0);
            offsets.extend(part.contacts.offsets[1..].iter().map(|offset| base + offset));
            for (channel, values) in part.contacts.values.into_iter().enumerate() {
                channel_parts[channel].push(Arc::new(values));
            }
            for (all, more) in columns.iter_mut().zip(part.contacts.columns) {
                all.extend(more);
            }
            email_verdicts.extend(part.contacts.email_verdicts);
            phone_verdicts.extend(part.contacts.phone_verdicts);
            contact_failures.extend(part.contact_failures.into_iter().map(|(position, code)| (first + position, code)));
            spans.push(Span {
                table: part.table,
                first,
                len,
                rows: part.rows,
                accepted: part.accepted,
                raw: part.raw,
                sources: part.sources,
                date_source: part.date_source,
            });
            first += len;
        }
        let mut columns_of_text: Vec<StringArray> = text_parts
            .into_par_iter()
            .chain(channel_parts)
            .chain(derived)
            .map(|parts| join_text(&parts))
            .collect::<Result<_, _>>()?;
        let mut rest = columns_of_text.split_off(TEXT_FIELDS.len()).into_iter();
        let text = columns_of_text;
        let mut next = || rest.next().unwrap_or_else(|| StringArray::new_null(0));
        let values = [next(), next(), next(), next()];
        let [name_keys, website_domains, email_domains, addresses] = [next(), next(), next(), next()];
        let dates = match date_parts.as_slice() {
            [] => Date32Array::new_null(0),
            parts => {
                let joined = concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())?;
                Date32Array::from(joined.to_data())
            }
        };
        let mut span_of = Vec::with_capacity(first as usize);
        for (index, span) in spans.iter().enumerate() {
            span_of.resize(span_of.len() + span.len as usize, index as u32);
        }
        let contacts = Contacts { offsets, values, columns, email_verdicts, phone_verdicts };
        let completeness = completeness(first as usize, &text, &dates, &contacts);
        Ok(Self {
            tables,
            spans,
            span_of,
            text,
            name_keys,
            website_domains,
            email_domains,
            addresses,
            dates,
            contacts,
            completeness,
            contact_failures,
        })
    }

    /// Returns the number of records.
    pub(crate) fn len(&self) -> usize {
        self.span_of.len()
    }

    /// Returns a scalar column.
    pub(crate) fn column(&self, field: TextField) -> &StringArray {
        &self.text[field as usize]
    }

    /// Returns whether any record has a value of a field.
    pub(crate) fn has(&self, field: TextField) -> bool {
        let values = self.column(field);
        values.null_count() < values.len()
    }

    /// Returns a scalar column by its position in [`TEXT_FIELDS`].
    pub(crate) fn text_column(&self, field: usize) -> &StringArray {
        &self.text[field]
    }

    /// Returns a scalar value.
    pub(crate) fn get(&self, field: TextField, record: u32) -> Option<&str> {
        value_at(&self.text[field as usize], record as usize)
    }

    /// Returns the batch a record came in.
    pub(crate) fn span(&self, record: u32) -> &Span {
        &self.spans[self.span_of[record as usize] as usize]
    }

    /// Returns the table a record came from.
    pub(crate) fn table(&self, record: u32) -> &RecordTable {
        &self.tables[self.span(record).table as usize]
    }

    /// Returns the row of a record, from 1.
    pub(crate) fn row(&self, record: u32) -> u32 {
        let span = self.span(record);
        span.rows.value(span.position(record))
    }

    /// Returns the cell of a scalar value.
    pub(crate) fn cell(&self, field: TextField, record: u32) -> Cell {
        let span = self.span(record);
        Cell { record, column: span.sources[field as usize].of((record - span.first) as usize) }
    }

    /// Returns the cell of a record's date.
    pub(crate) fn date_cell(&self, record: u32) -> Cell {
        let span = self.span(record);
        Cell { record, column: span.date_source.of((record - span.first) as usize) }
    }

    /// Returns the raw text of a cell.
    pub(crate) fn raw(&self, cell: Cell) -> Option<&str> {
        let span = self.span(cell.record);
        let column = span.raw.get(cell.column as usize)?.as_ref()?;
        value_at(column, span.position(cell.record))
    }

    /// Returns the mapped cells of a record as JSON object: header to cell, as `show` writes it.
    pub(crate) fn raw_row_json(&self, record: u32, show: &dyn Fn(&str) -> Option<String>) -> String {
        let span = self.span(record);
        let position = span.position(record);
        let mut json = String::from("{");
        for (cells, column) in span.raw.iter().zip(&self.table(record).columns) {
            let Some(value) = cells.as_ref().and_then(|cells| value_at(cells, position)) else { continue };
            if json.len() > 1 {
                json.push(',');
            }
            crate::golden::push_json(&mut json, &column.header);
            json.push(':');
            match show(value) {
                Some(shown) => crate::golden::push_json(&mut json, &shown),
                None => crate::golden::push_json(&mut json, value),
            }
        }
        json.push('}');
        json
    }

    /// Reads a byte of each raw cell of a record, so that the cells are in the cache; returns what nobody can do without.
    pub(crate) fn touch_raw(&self, record: u32) -> u64 {
        let span = self.span(record);
        let position = span.position(record);
        span.raw
            .iter()
            .flatten()
            .filter_map(|values| values.value(position).as_bytes().first())
            .map(|&byte| u64::from(byte))
            .sum()
    }

    /// Returns a column of a cell's table.
    pub(crate) fn table_column(&self, cell: Cell) -> Option<&TableColumn> {
        self.table(cell.record).columns.get(cell.column as usize)
    }

    /// Writes the position of a cell, `file#sheet!B7`.
    pub(crate) fn write_position(&self, cell: Cell, text: &mut String) {
        let table = self.table(cell.record);
        text.push_str(&table.place);
        text.push('!');
        if let Some(column) = table.columns.get(cell.column as usize) {
            text.push_str(&column.letters);
        }
        push_number(text, self.row(cell.record));
    }

    /// Writes the id of a record: what the source calls it, with the dataset, or else its position.
    pub(crate) fn write_record_id(&self, record: u32, text: &mut String) {
        let table = self.table(record);
        match self.get(TextField::SourceRecordId, record) {
            Some(id) => {
                text.push_str(&table.dataset);
                text.push(':');
                text.push_str(id);
            }
            None => self.write_position(Cell { record, column: NO_COLUMN }, text),
        }
    }

    /// Returns the days since 1970 of a record's date.
    pub(crate) fn date(&self, record: u32) -> Option<i32> {
        let record = record as usize;
        (!self.dates.is_null(record)).then(|| self.dates.value(record))
    }
}

impl Span {
    fn position(&self, record: u32) -> usize {
        let position = (record - self.first) as usize;
        self.accepted.as_ref().map_or(position, |accepted| accepted[position] as usize)
    }
}

/// Adds a number in decimal digits; several times as fast as formatting it, and each published cell needs one.
fn push_number(text: &mut String, mut number: u32) {
    let mut digits = [0u8; 10];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend(digits[start..].iter().map(|&digit| char::from(digit)));
}

fn join_text(parts: &[ArrayRef]) -> Result<StringArray, ArrowError> {
    if parts.is_empty() {
        return Ok(StringArray::new_null(0));
    }
    let bytes: usize = parts
        .iter()
        .filter_map(|part| part.as_any().downcast_ref::<StringArray>())
        .map(|part| part.value_data().len())
        .sum();
    if i32::try_from(bytes).is_err() {
        return Err(ArrowError::ComputeError(format!("A column holds more than 2 GiB of text: {bytes} bytes")));
    }
    let joined = concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())?;
    Ok(StringArray::from(joined.to_data()))
}

fn completeness(len: usize, text: &[StringArray], dates: &Date32Array, contacts: &Contacts) -> Vec<u8> {
    let mut counts = vec![0u8; len];
    for (index, values) in text.iter().enumerate() {
        if index == TextField::SourceRecordId as usize || values.null_count() == len {
            continue;
        }
        for (record, count) in counts.iter_mut().enumerate() {
            *count += u8::from(!values.is_null(record));
        }
    }
    for (record, count) in counts.iter_mut().enumerate() {
        *count += u8::from(!dates.is_null(record));
        let range = contacts.of(record as u32);
        for channel in &contacts.values {
            *count += u8::from(range.clone().any(|contact| !channel.is_null(contact)));
        }
    }
    counts
}
