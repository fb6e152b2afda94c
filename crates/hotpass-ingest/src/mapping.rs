//! Which source column is which canonical field, how sure that is, and why.

pub use crate::mapping_file::{MappingFile, MappingFileError, write_mapping_file};

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray, StringArray, cast::AsArray, new_null_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use hotpass_core::fields::{FieldKind, INPUT_FIELDS, InputField, input_field};
use serde::{Deserialize, Serialize};

use crate::content::Evidence;
use crate::unpack::{Contacts, contacts_of_batch};
use crate::{
    columns::repair_headers,
    table::{ContentType, ROW_COLUMN, SourceColumn, TableSchema},
};

/// Confidence of a header that is one of the synonyms that come with the program.
const KNOWN_SYNONYM: f64 = 0.95;

/// Factor on a header's confidence when the values speak against it.
const CONTRADICTED: f64 = 0.4;

/// Headers that mean a canonical field, besides its own name, in any case and with any separators.
const SYNONYMS: &[(&str, &[&str])] = &[
    (
        "organization_name",
        &[
            "organisation",
            "organization",
            "organisation name",
            "name of organisation",
            "company",
            "company name",
            "business",
            "business name",
            "trading name",
            "legal name",
            "account name",
            "entity name",
            "institution",
            "institution name",
            "provider name",
            "supplier",
            "supplier name",
            "vendor",
            "vendor name",
            "school",
            "school name",
            "site name",
            "client name",
            "customer name",
            "agency name",
            "firm",
            "firm name",
            "registered name",
            "name of company",
            "primary name org",
            "employer name",
            "brand name",
        ],
    ),
    (
        "source_record_id",
        &[
            "id",
            "record id",
            "source id",
            "c id",
            "customer id",
            "client id",
            "company id",
            "organisation id",
            "account id",
            "unique id",
            "external id",
            "original id",
            "orig id",
            "reference",
            "ref",
            "record number",
            "identifier",
            "uid",
            "key",
        ],
    ),
    (
        "registration_number",
        &[
            "registration no",
            "registration",
            "reg no",
            "reg number",
            "company registration",
            "company registration number",
            "company number",
            "cipc number",
            "enterprise number",
            "ck number",
        ],
    ),
    ("vat_number", &["vat", "vat no", "vat reg no", "vat registration number", "tax number"]),
    ("province", &["state", "region", "state province", "county", "addr state", "address state", "territory"]),
    ("area", &["service area", "neighbourhood", "neighborhood", "district", "area of operation"]),
    ("city", &["town", "suburb", "locality", "municipality", "addr city", "address city", "city town", "place"]),
    ("postal_code", &["postcode", "post code", "zip", "zip code", "zipcode", "plz", "addr postal code", "postal"]),
    ("country", &["country code", "country name", "addr country", "address country", "nation"]),
    (
        "address",
        &[
            "street address",
            "physical address",
            "postal address",
            "mailing address",
            "business address",
            "full address",
            "address primary",
            "location",
            "addr",
            "addr full",
            "street",
            "address line 1",
            "address 1",
            "addr line1",
            "address line",
        ],
    ),
    (
        "category",
        &[
            "company category",
            "organisation category",
            "business category",
            "sector",
            "industry",
            "segment",
            "classification",
        ],
    ),
    (
        "organization_type",
        &["type", "company type", "entity type", "business type", "school type", "type of organisation"],
    ),
    ("status", &["organisation status", "company status", "account status", "current status"]),
    (
        "website",
        &[
            "web site",
            "url",
            "website url",
            "web address",
            "website address",
            "homepage",
            "home page",
            "site url",
            "web",
            "www",
            "web page",
        ],
    ),
    ("planes", &["plane", "aircraft", "fleet", "aircraft fleet", "aeroplanes", "airplanes"]),
    ("description", &["about", "profile", "summary", "long description"]),
    ("notes", &["note", "comment", "comments", "remark", "remarks", "open questions"]),
    (
        "last_interaction_date",
        &[
            "last contact date",
            "last contacted",
            "last contact",
            "last updated",
            "updated at",
            "date updated",
            "update date",
            "last modified",
            "modified date",
            "last touch",
            "last activity date",
            "reachout date",
            "load date",
            "contact date",
            "last interaction",
        ],
    ),
    ("priority", &["importance", "priority level"]),
    (
        "contact_names",
        &[
            "contact",
            "contact name",
            "contact person",
            "person",
            "person name",
            "full name",
            "representative",
            "responsible person",
            "accountable manager",
            "attention",
            "primary contact",
            "primary name full",
            "name and surname",
            "owner name",
        ],
    ),
    (
        "contact_given_names",
        &["first name", "firstname", "given name", "forename", "forenames", "primary name first", "contact first name"],
    ),
    (
        "contact_family_names",
        &[
            "last name",
            "lastname",
            "surname",
            "family name",
            "primary name last",
            "contact surname",
            "contact last name",
        ],
    ),
    (
        "contact_roles",
        &[
            "role",
            "position",
            "job title",
            "title",
            "designation",
            "job role",
            "contact role",
            "contact position",
            "occupation",
        ],
    ),
    (
        "contact_emails",
        &[
            "email",
            "e mail",
            "mail",
            "email address",
            "e mail address",
            "primary email",
            "contact email",
            "contact email address",
            "mail address",
        ],
    ),
    (
        "contact_phones",
        &[
            "phone",
            "telephone",
            "phone number",
            "telephone number",
            "tel",
            "tel no",
            "mobile",
            "mobile number",
            "cell",
            "cell number",
            "cellphone",
            "cellphone number",
            "landline",
            "contact number",
            "contact no",
            "contact phone",
            "whatsapp",
            "whats app",
            "office number",
            "work phone",
            "switchboard",
            "mobile phone",
            "phone no",
        ],
    ),
];

/// Words too common to mean a field as part of a longer header: `Program Name`, `Phone Type`.
const TOO_COMMON: &[&str] = &[
    "name",
    "type",
    "status",
    "id",
    "title",
    "date",
    "number",
    "state",
    "reference",
    "ref",
    "contact",
    "web",
    "position",
    "about",
    "person",
    "area",
    "key",
    "place",
    "profile",
    "mail",
    "street",
    "business",
    "summary",
    "school",
    "region",
    "registration",
    "role",
    "location",
    "note",
    "cell",
    "record",
    "attention",
    "category",
    "description",
    "priority",
    "company",
    "organization",
    "vendor",
    "supplier",
    "fleet",
    "plane",
];

/// Words that say which of several columns it is, not what it holds.
const NEUTRAL: &[&str] = &[
    "the",
    "of",
    "primary",
    "main",
    "work",
    "office",
    "home",
    "alternative",
    "alternate",
    "alt",
    "other",
    "physical",
    "preferred",
    "current",
    "1",
    "2",
    "3",
    "4",
    "secondary",
    "second",
    "first",
    "your",
    "please",
    "enter",
];

/// Words that make what follows them something else than the organisation's: the country of a passport, the state of a licence.
const OF_SOMETHING_ELSE: &[&str] = &[
    "passport",
    "license",
    "licence",
    "driver",
    "birth",
    "bank",
    "emergency",
    "spouse",
    "visa",
    "insurance",
    "native",
    "national",
];

/// Headers of tables of goods and works, where `Name` is none of an organisation.
const OF_THINGS: &[&str] = &[
    "price",
    "sku",
    "isbn",
    "ean",
    "upc",
    "barcode",
    "manufacturer",
    "brand",
    "model",
    "artist",
    "album",
    "author",
    "publisher",
    "venue",
    "stock",
    "quantity",
    "unitprice",
    "productid",
];

/// Words among [`NEUTRAL`] for what is not the first choice.
const SECOND_CHOICE: &[&str] = &["alternative", "alternate", "alt", "other", "secondary", "second", "2", "3", "4"];

/// What decides the mapping of a table's columns.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingRules {
    /// Header, as written or repaired, to canonical field, or to `""` for a column to leave alone; overrules everything else.
    pub explicit: BTreeMap<String, String>,
    /// Canonical field to headers that mean it, besides those that are known anyway.
    pub synonyms: BTreeMap<String, Vec<String>>,
    /// Confidence from which a column is mapped, 0 to 1.
    pub mapping_threshold: f64,
    /// Confidence from which a field is suggested, 0 to 1.
    pub suggestion_threshold: f64,
    /// Canonical fields without which a table is not data.
    pub required_fields: Vec<String>,
    /// Texts that mean "no value" in contact cells, without regard to case, besides the built-in ones.
    pub null_values: Vec<String>,
}

impl Default for MappingRules {
    fn default() -> Self {
        Self {
            explicit: BTreeMap::new(),
            synonyms: BTreeMap::new(),
            mapping_threshold: 0.7,
            suggestion_threshold: 0.5,
            required_fields: vec!["organization_name".into()],
            null_values: Vec::new(),
        }
    }
}

/// How a column's field was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MappingMethod {
    /// The source or a mapping file says so.
    Explicit,
    /// The header is the field's name or a synonym.
    Synonym,
    /// The header contains a synonym or is part of one.
    PartOfHeader,
    /// The values have the field's type.
    Content,
    /// The header is spelt like the field's name or a synonym.
    Similarity,
    /// Nothing speaks for any field.
    None,
}

/// The field of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnMapping {
    /// Position in [`TableSchema::columns`].
    pub column_index: u32,
    /// Header as the source writes it.
    pub header: String,
    /// Repaired name.
    pub name: String,
    /// Canonical field, when the column is mapped.
    pub field: Option<String>,
    /// Canonical field that is likely but not sure enough, when the column is not mapped.
    pub suggestion: Option<String>,
    /// Confidence in the field or the suggestion, 0 to 1.
    pub confidence: f64,
    /// What it rests on.
    pub method: MappingMethod,
    /// Why, for people; without values.
    pub reason: String,
}

/// The mapping of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableMapping {
    /// One entry for each column of the table, in order.
    pub columns: Vec<ColumnMapping>,
    /// Required fields that no column is mapped to.
    pub missing_required: Vec<String>,
    /// Texts that mean "no value" in contact cells, besides the built-in ones.
    pub null_values: Vec<String>,
}

impl TableMapping {
    /// Says whether the table has every required field; a lookup sheet has not.
    pub fn is_data(&self) -> bool {
        self.missing_required.is_empty()
    }

    /// Returns the positions in [`TableSchema::columns`] of the columns mapped to a field, in order.
    pub fn columns_of<'a>(&'a self, field: &'a str) -> impl Iterator<Item = u32> + 'a {
        self.columns
            .iter()
            .filter(move |column| column.field.as_deref() == Some(field))
            .map(|column| column.column_index)
    }
}

/// A field that a column may be, with what speaks for it.
#[derive(Debug, Clone)]
struct Candidate {
    column: usize,
    field: &'static InputField,
    confidence: f64,
    /// Among equal confidences, the lower wins.
    rank: u8,
    method: MappingMethod,
    reason: String,
}

/// A header, folded for comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FoldedHeader {
    tokens: Vec<String>,
    squashed: String,
}

impl FoldedHeader {
    fn of(header: &str) -> Self {
        // What stands in brackets says more about the values than about the field: `Contact person (role)`.
        let outside = match header.find(['(', '[']) {
            Some(at) if !header[..at].trim().is_empty() => &header[..at],
            _ => header,
        };
        let name = repair_headers(&[Some(outside)]).into_iter().next().map(|header| header.name).unwrap_or_default();
        let mut tokens: Vec<String> = Vec::new();
        for token in name.split("__dup").next().unwrap_or_default().split('_') {
            let token = fold_token(token);
            if token.is_empty() || matches!(token.as_str(), "of" | "the") {
                continue;
            }
            if token == "mail" && tokens.last().is_some_and(|last| last == "e") {
                tokens.pop();
                tokens.push("email".into());
            } else if matches!(token.as_str(), "no" | "nr" | "num") && !tokens.is_empty() {
                tokens.push("number".into());
            } else {
                tokens.push(token);
            }
        }
        let squashed = tokens.concat();
        Self { tokens, squashed }
    }

    fn without_neutral(&self) -> Self {
        let tokens: Vec<String> =
            self.tokens.iter().filter(|token| !NEUTRAL.contains(&token.as_str())).cloned().collect();
        if tokens.is_empty() {
            return self.clone();
        }
        let squashed = tokens.concat();
        Self { tokens, squashed }
    }

    fn same_words(&self, other: &Self) -> bool {
        self.squashed == other.squashed
            || (self.tokens.len() > 1
                && self.tokens.len() == other.tokens.len()
                && self.tokens.iter().all(|token| other.tokens.contains(token)))
    }
}

/// Folds plural and British spelling.
fn fold_token(token: &str) -> String {
    let token = token.replace("organis", "organiz").replace("neighbour", "neighbor");
    if token.len() > 4 && token.ends_with("ies") {
        return format!("{}y", &token[..token.len() - 3]);
    }
    if token.len() > 5 && token.ends_with("sses") {
        return token[..token.len() - 2].to_owned();
    }
    let singular =
        token.len() > 3 && token.ends_with('s') && !["ss", "us", "is"].iter().any(|end| token.ends_with(end));
    if singular { token[..token.len() - 1].to_owned() } else { token }
}

/// A header that means a field.
struct Synonym {
    folded: FoldedHeader,
    field: &'static InputField,
    /// 1 for the field's own name and for the rules' synonyms.
    confidence: f64,
    source: SynonymSource,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SynonymSource {
    CanonicalName,
    Rules,
    BuiltIn,
}

fn synonyms_of(rules: &MappingRules) -> Vec<Synonym> {
    let mut synonyms = Vec::new();
    for field in INPUT_FIELDS {
        synonyms.push(Synonym {
            folded: FoldedHeader::of(field.name),
            field,
            confidence: 1.0,
            source: SynonymSource::CanonicalName,
        });
    }
    let mut add = |field: &str, headers: &mut dyn Iterator<Item = &str>, confidence, source| {
        if let Some(field) = input_field(field) {
            synonyms.extend(headers.map(|header| Synonym {
                folded: FoldedHeader::of(header),
                field,
                confidence,
                source,
            }));
        }
    };
    for (field, headers) in &rules.synonyms {
        add(field, &mut headers.iter().map(String::as_str), 1.0, SynonymSource::Rules);
    }
    for (field, headers) in SYNONYMS {
        add(field, &mut headers.iter().copied(), KNOWN_SYNONYM, SynonymSource::BuiltIn);
    }
    synonyms
}

/// What the other columns of a table say about a header such as `Name` or `Title`.
#[derive(Debug, Clone, Copy, Default)]
struct TableContext {
    has_organization_column: bool,
    has_person_column: bool,
    /// A header of goods or works, and no column with a place, telephone, e-mail or web address.
    is_about_things: bool,
}

impl TableContext {
    fn of(headers: &[FoldedHeader], synonyms: &[Synonym]) -> Self {
        let mut context = Self::default();
        let mut reachable = false;
        for header in headers.iter().filter(|header| !is_bare_name(header)) {
            for synonym in synonyms.iter().filter(|synonym| synonym.folded.same_words(header)) {
                match synonym.field.name {
                    "organization_name" => context.has_organization_column = true,
                    "contact_given_names" | "contact_family_names" => context.has_person_column = true,
                    "address" | "city" | "province" | "postal_code" | "contact_phones" | "contact_emails"
                    | "website" => {
                        reachable = true;
                    }
                    _ => {}
                }
            }
            let of_person = ["dob", "gender", "sex", "ssn"].contains(&header.squashed.as_str())
                || header.squashed == "dateofbirth"
                || header.squashed == "datebirth";
            context.has_person_column |= of_person;
        }
        let of_things = headers.iter().any(|header| OF_THINGS.contains(&header.squashed.as_str()));
        context.is_about_things = of_things && !reachable;
        context
    }
}

fn is_bare_name(header: &FoldedHeader) -> bool {
    header.squashed == "name"
}

/// Decides which column is which canonical field.
///
/// Evidence in this order: the rules' explicit columns; the field's own name and synonyms, compared without case, separators, plural and
/// British spelling; synonyms as part of the header; the type of the values; similarity of spelling. Header and values are weighed together:
/// values that fit raise the confidence, values of another kind lower it. A field that is no list takes one column, the best; the others
/// fall to their next field. A column is never mapped to `organization_name` by its values.
pub fn map_columns(schema: &TableSchema, sample: &RecordBatch, rules: &MappingRules) -> TableMapping {
    let synonyms = synonyms_of(rules);
    let headers: Vec<FoldedHeader> =
        schema.columns.iter().map(|column| FoldedHeader::of(header_text(column))).collect();
    let context = TableContext::of(&headers, &synonyms);
    let explicit = explicit_fields(schema, rules);
    let mut candidates = Vec::new();
    for (position, column) in schema.columns.iter().enumerate() {
        match &explicit[position] {
            Some(Some(field)) => candidates.push(Candidate {
                column: position,
                field,
                confidence: 1.0,
                rank: 0,
                method: MappingMethod::Explicit,
                reason: "set by the profile's source or a mapping file".into(),
            }),
            Some(None) => {}
            None => {
                let evidence = sample_column(sample, position).map(Evidence::of).unwrap_or_default();
                let others = OtherColumns { headers: &headers, position };
                column_candidates(column, &headers[position], &evidence, context, &synonyms, &others, &mut candidates);
            }
        }
    }
    assign(schema, &explicit, candidates, rules)
}

fn header_text(column: &SourceColumn) -> &str {
    if column.raw_header.trim().is_empty() { &column.name } else { &column.raw_header }
}

fn sample_column(sample: &RecordBatch, position: usize) -> Option<&StringArray> {
    sample.columns().get(position + 1)?.as_string_opt::<i32>()
}

/// What the rules say of a column: nothing, a field, or `Some(None)` for a column to leave alone.
type ExplicitField = Option<Option<&'static InputField>>;

/// Returns what the rules say of each column.
fn explicit_fields(schema: &TableSchema, rules: &MappingRules) -> Vec<ExplicitField> {
    let by_header: HashMap<String, &String> =
        rules.explicit.iter().map(|(header, field)| (plain_name(header), field)).collect();
    schema
        .columns
        .iter()
        .map(|column| {
            let field =
                rules.explicit.get(&column.raw_header).or_else(|| rules.explicit.get(&column.name)).or_else(|| {
                    (!column.name.contains("__dup"))
                        .then(|| by_header.get(&plain_name(header_text(column))).copied())
                        .flatten()
                })?;
            if field.is_empty() { Some(None) } else { input_field(field).map(Some) }
        })
        .collect()
}

fn plain_name(header: &str) -> String {
    repair_headers(&[Some(header)]).into_iter().next().map(|header| header.name).unwrap_or_default()
}

struct OtherColumns<'a> {
    headers: &'a [FoldedHeader],
    position: usize,
}

impl OtherColumns<'_> {
    fn have_name_of(&self, field: &InputField) -> bool {
        let name = FoldedHeader::of(field.name);
        self.headers.iter().enumerate().any(|(position, header)| position != self.position && *header == name)
    }
}

fn column_candidates(
    column: &SourceColumn,
    header: &FoldedHeader,
    evidence: &Evidence,
    context: TableContext,
    synonyms: &[Synonym],
    others: &OtherColumns<'_>,
    candidates: &mut Vec<Candidate>,
) {
    for field in INPUT_FIELDS {
        let by_header = header_evidence(column, header, field, context, synonyms, others);
        let by_content = content_evidence(column, header, field, evidence);
        if let Some(candidate) = combine(column, field, evidence, by_header, by_content) {
            candidates.push(Candidate { column: others.position, ..candidate });
        }
    }
}

/// What a header says for a field.
struct HeaderEvidence {
    confidence: f64,
    rank: u8,
    method: MappingMethod,
    reason: String,
}

fn header_evidence(
    column: &SourceColumn,
    header: &FoldedHeader,
    field: &'static InputField,
    context: TableContext,
    synonyms: &[Synonym],
    others: &OtherColumns<'_>,
) -> Option<HeaderEvidence> {
    if column.raw_header.trim().is_empty() || header.squashed.is_empty() {
        return None;
    }
    if is_bare_name(header) {
        return bare_name_evidence(field, context);
    }
    if header.squashed == "title" && field.name == "contact_roles" && !context.has_person_column {
        return Some(HeaderEvidence {
            confidence: 0.55,
            rank: 3,
            method: MappingMethod::Synonym,
            reason: "the header may be a role, but no other column is a person's name".into(),
        });
    }
    let neutral = header.without_neutral();
    let mut best: Option<HeaderEvidence> = None;
    for synonym in synonyms.iter().filter(|synonym| synonym.field.name == field.name) {
        let Some(found) = synonym_evidence(header, &neutral, synonym) else { continue };
        let mut found = found;
        // A profile may say that `Area` means the province: true as long as no column is called province.
        if synonym.source == SynonymSource::Rules && found.method == MappingMethod::Synonym {
            let is_other_name =
                INPUT_FIELDS.iter().any(|other| other.name != field.name && FoldedHeader::of(other.name) == *header);
            if is_other_name && others.have_name_of(field) {
                continue;
            }
            found.rank = u8::from(!is_other_name);
        }
        if best.as_ref().is_none_or(|best| (found.confidence, best.rank) > (best.confidence, found.rank)) {
            best = Some(found);
        }
    }
    best
}

fn bare_name_evidence(field: &InputField, context: TableContext) -> Option<HeaderEvidence> {
    let (confidence, reason) = match field.name {
        "organization_name" if context.has_organization_column => return None,
        "organization_name" if context.has_person_column => (0.4, "the table is about persons"),
        "organization_name" if context.is_about_things => (0.5, "the table looks like one of goods or works"),
        "organization_name" => (0.85, "`Name` in a table without columns for persons' names is the organisation's"),
        "contact_names" if context.has_organization_column || context.has_person_column => {
            (0.85, "`Name` beside another name column is a person's")
        }
        _ => return None,
    };
    Some(HeaderEvidence { confidence, rank: 2, method: MappingMethod::Synonym, reason: reason.into() })
}

fn synonym_evidence(header: &FoldedHeader, neutral: &FoldedHeader, synonym: &Synonym) -> Option<HeaderEvidence> {
    let words = synonym.folded.tokens.join(" ");
    let evidence = |confidence, rank, method, reason| Some(HeaderEvidence { confidence, rank, method, reason });
    if header.same_words(&synonym.folded) {
        return match synonym.source {
            SynonymSource::CanonicalName => {
                evidence(1.0, 1, MappingMethod::Synonym, "the header is the field's name".into())
            }
            SynonymSource::Rules => {
                evidence(1.0, 1, MappingMethod::Synonym, format!("the profile's synonym `{words}`"))
            }
            SynonymSource::BuiltIn => {
                evidence(KNOWN_SYNONYM, 2, MappingMethod::Synonym, format!("known synonym `{words}`"))
            }
        };
    }
    // `Alternate Name` may be anybody's.
    if neutral != header && !is_bare_name(neutral) && neutral.same_words(&synonym.folded) {
        let is_second = header.tokens.iter().any(|token| SECOND_CHOICE.contains(&token.as_str()));
        return evidence(
            synonym.confidence - if is_second { 0.15 } else { 0.05 },
            3,
            MappingMethod::PartOfHeader,
            format!("the header says `{words}` and which one it is"),
        );
    }
    if neutral.tokens.iter().any(|token| OF_SOMETHING_ELSE.contains(&token.as_str())) {
        return None;
    }
    let too_common = synonym.folded.tokens.len() == 1 && TOO_COMMON.contains(&synonym.folded.squashed.as_str());
    if !too_common && let Some(confidence) = containment(neutral, &synonym.folded) {
        return evidence(confidence, 4, MappingMethod::PartOfHeader, format!("the header contains `{words}`"));
    }
    similarity_evidence(header, synonym, &words)
}

/// Returns the confidence of a synonym within a longer header: English puts the thing last, so `Training Provider Name` is a provider's name
/// while `Email Status` is no e-mail address.
fn containment(header: &FoldedHeader, synonym: &FoldedHeader) -> Option<f64> {
    let (long, short) = (&header.tokens, &synonym.tokens);
    if short.is_empty() || short.len() >= long.len() {
        return None;
    }
    // `First and surname` is more than a surname.
    if long.iter().any(|token| token == "and") && !short.iter().any(|token| token == "and") {
        return None;
    }
    let coverage = short.len() as f64 / long.len() as f64;
    if long.ends_with(short) {
        return Some(0.6 + 0.25 * coverage);
    }
    long.windows(short.len()).any(|window| window == short.as_slice()).then_some(0.3 + 0.2 * coverage)
}

fn similarity_evidence(header: &FoldedHeader, synonym: &Synonym, words: &str) -> Option<HeaderEvidence> {
    let (a, b) = (&header.squashed, &synonym.folded.squashed);
    let length = a.len().min(b.len());
    // One letter in four is another word; lengths that differ by a third cannot reach the least similarity.
    if length < 5 || a.len().max(b.len()) * 3 > length * 4 || !own_words_are_similar(header, &synonym.folded) {
        return None;
    }
    let similarity = strsim::normalized_damerau_levenshtein(a, b);
    (similarity >= 0.75).then(|| HeaderEvidence {
        confidence: similarity * similarity * synonym.confidence,
        rank: 5,
        method: MappingMethod::Similarity,
        reason: format!("the header is spelt {:.0} % like `{words}`", similarity * 100.0),
    })
}

/// Says whether the words that two headers do not share are alike: `LEI number` is no misspelt `reg number`, and `source` no `source id`.
fn own_words_are_similar(a: &FoldedHeader, b: &FoldedHeader) -> bool {
    let own = |of: &FoldedHeader, other: &FoldedHeader| -> String {
        of.tokens.iter().filter(|token| !other.tokens.contains(token)).map(String::as_str).collect()
    };
    strsim::normalized_damerau_levenshtein(&own(a, b), &own(b, a)) >= 0.6
}

/// What the values say for a field.
struct ContentEvidence {
    confidence: f64,
    reason: String,
}

/// Words of headers that name another number, in small letters: its values are no telephone numbers, whatever their form.
const NOT_TELEPHONES: &[&str] = &[
    "fax",
    "facsimile",
    "id",
    "identifier",
    "identity",
    "code",
    "licence",
    "license",
    "registration",
    "account",
    "tax",
    "vat",
    "ein",
    "fein",
    "ssn",
    "social",
    "security",
    "insurance",
    "passport",
    "invoice",
    "order",
    "serial",
    "iban",
    "card",
    "nino",
    "npi",
    "isbn",
    "barcode",
    "ean",
    "gtin",
    "policy",
    "patient",
    "employee",
    "member",
    "student",
    "meter",
    "imei",
    "securite",
    "sécurité",
    "sociale",
    "siret",
    "siren",
    "insee",
    "nir",
    "passeport",
    "compte",
    "facture",
    "commande",
    "ausweis",
    "ausweisnummer",
    "sozialversicherungsnummer",
    "steuernummer",
    "steuer",
    "kontonummer",
    "konto",
    "rechnungsnummer",
    "rechnung",
    "auftragsnummer",
    "kundennummer",
    "personalnummer",
    "reisepass",
    "mitgliedsnummer",
    "dni",
    "nie",
    "nif",
    "cif",
    "cuit",
    "rut",
    "cuenta",
    "pasaporte",
    "seguridad",
    "factura",
    "pedido",
    "cpf",
    "cnpj",
    "conta",
    "segurança",
    "seguranca",
    "fatura",
    "contribuinte",
    "codice",
    "fiscale",
    "conto",
    "fattura",
    "ordine",
    "bsn",
    "burgerservicenummer",
    "rekeningnummer",
    "factuurnummer",
    "kvk",
    "paspoort",
    "paspoortnommer",
    "rekeningnommer",
    "identiteitsnommer",
    "belastingnommer",
    "pesel",
    "nip",
    "regon",
];

fn content_evidence(
    column: &SourceColumn,
    header: &FoldedHeader,
    field: &InputField,
    evidence: &Evidence,
) -> Option<ContentEvidence> {
    let says = |words: &[&str]| header.tokens.iter().any(|token| words.contains(&token.as_str()));
    let confidence = column.content.confidence;
    let found = |confidence: f64, what: &str| {
        Some(ContentEvidence {
            confidence,
            reason: format!("{:.0} % of the values are {what}", column.content.confidence * 100.0),
        })
    };
    // Cells beyond the header are there because a row was torn apart.
    if column.name.starts_with("__extra") {
        return None;
    }
    match (field.kind, column.content.content_type) {
        (FieldKind::Email, ContentType::Email) => found(0.9 * confidence, "e-mail addresses"),
        (FieldKind::Phone, ContentType::Phone) if says(NOT_TELEPHONES) => None,
        (FieldKind::Phone, ContentType::Phone) => found(0.85 * confidence, "telephone numbers"),
        (FieldKind::Website, ContentType::Url)
            if says(&[
                "social",
                "facebook",
                "twitter",
                "linkedin",
                "instagram",
                "youtube",
                "image",
                "photo",
                "logo",
                "picture",
                "map",
                "link",
                "file",
            ]) =>
        {
            None
        }
        (FieldKind::Website, ContentType::Url) => found(0.8 * confidence, "web addresses"),
        (FieldKind::Date, ContentType::Date | ContentType::DateTime)
            if says(&["birth", "dob", "born", "birthday", "expiry", "due", "start", "end", "until", "founded"]) =>
        {
            None
        }
        (FieldKind::Date, ContentType::Date | ContentType::DateTime) if evidence.present > 0 => {
            let says_date = says(&["date", "updated", "contacted", "modified"]);
            found(if says_date { 0.55 } else { 0.4 }, "dates")
        }
        _ => None,
    }
}

/// Says why the values cannot be the field's, or nothing.
fn contradiction(column: &SourceColumn, field: &InputField, evidence: &Evidence) -> Option<&'static str> {
    use ContentType as Content;
    use FieldKind as Kind;
    if evidence.present == 0 {
        return None;
    }
    let content = column.content.content_type;
    let some = |count: usize| evidence.share(count) >= 0.3;
    match field.kind {
        Kind::Email => (!some(evidence.email)).then_some("the values are no e-mail addresses"),
        Kind::Phone => {
            let telephone = evidence.phone_written + evidence.phone_plain + evidence.numbers;
            (!some(telephone) || matches!(content, Content::Number | Content::Date | Content::Boolean))
                .then_some("the values are no telephone numbers")
        }
        Kind::Website => (!some(evidence.url)).then_some("the values are no web addresses"),
        Kind::Date => (!matches!(content, Content::Date | Content::DateTime) && !some(evidence.dates))
            .then_some("the values are no dates"),
        Kind::OrganizationName
        | Kind::PersonName
        | Kind::Role
        | Kind::Address
        | Kind::Province
        | Kind::Town
        | Kind::Country => match content {
            Content::Email => Some("the values are e-mail addresses"),
            Content::Phone => Some("the values are telephone numbers"),
            Content::Url => Some("the values are web addresses"),
            Content::Date | Content::DateTime => Some("the values are dates"),
            Content::Boolean => Some("the values are yes or no"),
            _ if evidence.share(evidence.with_letters) < 0.3 => Some("the values are numbers"),
            _ => None,
        },
        Kind::Category | Kind::Text => match content {
            Content::Email => Some("the values are e-mail addresses"),
            Content::Phone => Some("the values are telephone numbers"),
            Content::Url => Some("the values are web addresses"),
            _ => None,
        },
        Kind::Identifier | Kind::RegistrationNumber | Kind::VatNumber | Kind::PostalCode => match content {
            Content::Email => Some("the values are e-mail addresses"),
            Content::Url => Some("the values are web addresses"),
            Content::Date | Content::DateTime => Some("the values are dates"),
            Content::Boolean => Some("the values are yes or no"),
            _ => None,
        },
    }
}

fn combine(
    column: &SourceColumn,
    field: &'static InputField,
    evidence: &Evidence,
    by_header: Option<HeaderEvidence>,
    by_content: Option<ContentEvidence>,
) -> Option<Candidate> {
    let candidate =
        |confidence: f64, rank, method, reason| Some(Candidate { column: 0, field, confidence, rank, method, reason });
    match (by_header, by_content) {
        (None, None) => None,
        (None, Some(content)) => candidate(content.confidence, 6, MappingMethod::Content, content.reason),
        (Some(header), Some(content)) => {
            // Two independent signs: the chance that both mislead.
            let confidence = 1.0 - (1.0 - header.confidence) * (1.0 - content.confidence);
            candidate(confidence, header.rank, header.method, format!("{}; {}", header.reason, content.reason))
        }
        (Some(header), None) => match contradiction(column, field, evidence) {
            Some(against) => candidate(
                header.confidence * CONTRADICTED,
                7,
                header.method,
                format!("{}, but {against}", header.reason),
            ),
            None => candidate(header.confidence, header.rank, header.method, header.reason),
        },
    }
}

fn assign(
    schema: &TableSchema,
    explicit: &[ExplicitField],
    mut candidates: Vec<Candidate>,
    rules: &MappingRules,
) -> TableMapping {
    candidates.sort_by(|a, b| {
        let explicit_first = (b.method == MappingMethod::Explicit).cmp(&(a.method == MappingMethod::Explicit));
        explicit_first
            .then(b.confidence.total_cmp(&a.confidence))
            .then(a.rank.cmp(&b.rank))
            .then(a.column.cmp(&b.column))
    });
    let mut taken: HashMap<&'static str, usize> = HashMap::new();
    let mut columns: Vec<Option<ColumnMapping>> = vec![None; schema.columns.len()];
    let mut refused: Vec<Option<ColumnMapping>> = vec![None; schema.columns.len()];
    for candidate in &candidates {
        let source = &schema.columns[candidate.column];
        let entry = |field: Option<&str>, suggestion: Option<&str>, reason: String| ColumnMapping {
            column_index: candidate.column as u32,
            header: source.raw_header.clone(),
            name: source.name.clone(),
            field: field.map(str::to_owned),
            suggestion: suggestion.map(str::to_owned),
            confidence: rounded(candidate.confidence),
            method: candidate.method,
            reason,
        };
        if columns[candidate.column].is_some() || candidate.confidence < rules.suggestion_threshold {
            continue;
        }
        let holder = taken.get(candidate.field.name).filter(|_| !candidate.field.list);
        if candidate.confidence < rules.mapping_threshold {
            refused[candidate.column]
                .get_or_insert_with(|| entry(None, Some(candidate.field.name), candidate.reason.clone()));
        } else if let Some(&holder) = holder {
            let reason = format!(
                "{}; `{}` is already taken by `{}`",
                candidate.reason,
                candidate.field.name,
                header_text(&schema.columns[holder])
            );
            refused[candidate.column].get_or_insert_with(|| entry(None, Some(candidate.field.name), reason));
        } else {
            taken.insert(candidate.field.name, candidate.column);
            columns[candidate.column] = Some(entry(Some(candidate.field.name), None, candidate.reason.clone()));
        }
    }
    let columns = columns.into_iter().zip(refused).enumerate();
    let columns: Vec<ColumnMapping> = columns
        .map(|(position, (mapped, refused))| {
            mapped.or(refused).unwrap_or_else(|| unmapped(schema, position, explicit[position] == Some(None)))
        })
        .collect();
    let missing_required = rules
        .required_fields
        .iter()
        .map(|field| input_field(field).map_or(field.as_str(), |field| field.name))
        .filter(|field| !taken.contains_key(field) && !has_parts_of_names(field, &taken))
        .map(str::to_owned)
        .collect();
    TableMapping { columns, missing_required, null_values: rules.null_values.clone() }
}

fn has_parts_of_names(field: &str, taken: &HashMap<&'static str, usize>) -> bool {
    field == "contact_names"
        && (taken.contains_key("contact_given_names") || taken.contains_key("contact_family_names"))
}

fn rounded(confidence: f64) -> f64 {
    (confidence * 1000.0).round() / 1000.0
}

fn unmapped(schema: &TableSchema, position: usize, left_alone: bool) -> ColumnMapping {
    let source = &schema.columns[position];
    let (method, confidence, reason) = if left_alone {
        (MappingMethod::Explicit, 1.0, "left alone, as the profile's source or a mapping file says")
    } else if source.content.content_type == ContentType::Empty {
        (MappingMethod::None, 0.0, "no field has this header, and the column is empty")
    } else {
        (MappingMethod::None, 0.0, "neither header nor values point to a field")
    };
    ColumnMapping {
        column_index: position as u32,
        header: source.raw_header.clone(),
        name: source.name.clone(),
        field: None,
        suggestion: None,
        confidence,
        method,
        reason: reason.into(),
    }
}

/// Returns a batch with the canonical fields, as [`canonical_batch_with_contacts`] does, without the contacts.
///
/// # Errors
/// When the batch has not the columns of the schema.
pub fn canonical_batch(
    mapping: &TableMapping,
    schema: &TableSchema,
    batch: &RecordBatch,
) -> Result<RecordBatch, ArrowError> {
    canonical_batch_with_contacts(mapping, schema, batch).map(|(batch, _)| batch)
}

/// Returns a batch with [`ROW_COLUMN`], every canonical field in canonical order and then the columns that are mapped to none, under
/// their repaired names; and its contacts.
///
/// Scalar fields are the source's columns, not copied; fields without a column are null. List fields are `List<Utf8>`, null for a row without contacts,
/// and aligned: item *n* of each speaks of contact *n*, null where unknown. `contact_names` has joined given and family names too.
/// A column whose name is a canonical field's keeps it with `__source` behind. Rows and their order stay.
///
/// # Errors
/// When the batch has not the columns of the schema.
pub fn canonical_batch_with_contacts(
    mapping: &TableMapping,
    schema: &TableSchema,
    batch: &RecordBatch,
) -> Result<(RecordBatch, Contacts), ArrowError> {
    if batch.num_columns() != schema.columns.len() + 1 || mapping.columns.len() != schema.columns.len() {
        return Err(ArrowError::SchemaError(format!(
            "The batch has {} columns and the mapping {}, the table {}",
            batch.num_columns().saturating_sub(1),
            mapping.columns.len(),
            schema.columns.len()
        )));
    }
    let contacts = contacts_of_batch(mapping, batch);
    let lists = ContactLists::of(&contacts, batch.num_rows());
    let mut fields = Vec::with_capacity(INPUT_FIELDS.len() + schema.columns.len() + 1);
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(fields.capacity());
    fields.push(Arc::clone(&batch.schema_ref().fields()[0]));
    arrays.push(Arc::clone(batch.column(0)));
    for field in INPUT_FIELDS {
        let array: ArrayRef = if field.list {
            lists.list_of(field.name, &contacts, batch.num_rows())
        } else {
            match mapping.columns_of(field.name).next() {
                Some(column) => Arc::clone(batch.column(column as usize + 1)),
                None => new_null_array(&DataType::Utf8, batch.num_rows()),
            }
        };
        fields.push(Arc::new(Field::new(field.name, array.data_type().clone(), true)));
        arrays.push(array);
    }
    for (source, column) in schema.columns.iter().zip(&mapping.columns).filter(|(_, column)| column.field.is_none()) {
        fields.push(Arc::new(Field::new(extra_name(schema, &source.name), DataType::Utf8, true)));
        arrays.push(Arc::clone(batch.column(column.column_index as usize + 1)));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?;
    Ok((batch, contacts))
}

/// Returns the name of a column that is mapped to no field: its own, unless a canonical field has it.
fn extra_name(schema: &TableSchema, name: &str) -> String {
    let mut extra = name.to_owned();
    while extra == ROW_COLUMN
        || INPUT_FIELDS.iter().any(|field| field.name == extra)
        || (extra != name && schema.columns.iter().any(|column| column.name == extra))
    {
        extra.push_str("__source");
    }
    extra
}

/// Where the contacts of each row begin, shared by the list fields.
struct ContactLists {
    offsets: OffsetBuffer<i32>,
    nulls: NullBuffer,
}

impl ContactLists {
    fn of(contacts: &Contacts, rows: usize) -> Self {
        let mut lengths = vec![0_usize; rows];
        for &row in contacts.row.values() {
            lengths[row as usize] += 1;
        }
        let nulls = lengths.iter().map(|&length| length > 0).collect();
        Self { offsets: OffsetBuffer::from_lengths(lengths), nulls }
    }

    fn list_of(&self, field: &str, contacts: &Contacts, rows: usize) -> ArrayRef {
        let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
        let values = match field {
            "contact_names" => &contacts.name.values,
            "contact_given_names" => &contacts.given.values,
            "contact_family_names" => &contacts.family.values,
            "contact_roles" => &contacts.role.values,
            "contact_emails" => &contacts.email.values,
            "contact_phones" => &contacts.phone.values,
            _ => return new_null_array(&DataType::List(item), rows),
        };
        if values.null_count() == values.len() {
            return new_null_array(&DataType::List(item), rows);
        }
        Arc::new(ListArray::new(item, self.offsets.clone(), Arc::new(values.clone()), Some(self.nulls.clone())))
    }
}
