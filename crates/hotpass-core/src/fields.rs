//! Every field and column name of the product, in one place: what sources are mapped to, what is published, what a run keeps.
//!
//! References in the documentation are generated from these tables.

/// What a canonical field holds; decides how it is recognised and normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// Name of an organisation, with or without its legal form.
    OrganizationName,
    /// Identifier given by the source.
    Identifier,
    /// Company registration number.
    RegistrationNumber,
    /// Value-added-tax number.
    VatNumber,
    /// First-level administrative region.
    Province,
    /// Town, city or suburb.
    Town,
    /// Postal code.
    PostalCode,
    /// Country, as name or ISO 3166-1 code.
    Country,
    /// Postal or street address in one cell.
    Address,
    /// Short label from a small set.
    Category,
    /// Free text.
    Text,
    /// Web address.
    Website,
    /// Calendar date.
    Date,
    /// Name of a person.
    PersonName,
    /// Role of a person in an organisation.
    Role,
    /// E-mail address.
    Email,
    /// Telephone number.
    Phone,
}

/// A canonical field that a source column can be mapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputField {
    /// Name, as used in profiles, mappings and diagnostics.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether several source columns, or several values in a cell, make a list.
    pub list: bool,
    /// What it means, for people.
    pub description: &'static str,
}

const fn input(name: &'static str, kind: FieldKind, list: bool, description: &'static str) -> InputField {
    InputField { name, kind, list, description }
}

/// The canonical fields, in canonical order.
///
/// `contact_given_names` with `contact_family_names` are parts that together make `contact_names`;
/// `city` and `postal_code` complete an `address` that lacks them.
pub const INPUT_FIELDS: &[InputField] = &[
    input("organization_name", FieldKind::OrganizationName, false, "Name of the organisation"),
    input("source_record_id", FieldKind::Identifier, false, "Identifier of the row in its source"),
    input("registration_number", FieldKind::RegistrationNumber, false, "Company registration number"),
    input("vat_number", FieldKind::VatNumber, false, "Value-added-tax number"),
    input("province", FieldKind::Province, false, "Province, state or region"),
    input("area", FieldKind::Town, false, "Area the organisation works in, as the source says it"),
    input("city", FieldKind::Town, false, "Town or city of the address"),
    input("postal_code", FieldKind::PostalCode, false, "Postal code of the address"),
    input("country", FieldKind::Country, false, "Country; the profile's default when absent"),
    input("address", FieldKind::Address, false, "Street or postal address"),
    input("category", FieldKind::Category, false, "Category of the organisation"),
    input("organization_type", FieldKind::Category, false, "Type of the organisation"),
    input("status", FieldKind::Category, false, "Status the source gives it"),
    input("website", FieldKind::Website, false, "Web address"),
    input("planes", FieldKind::Text, false, "Aircraft or main equipment"),
    input("description", FieldKind::Text, false, "Description"),
    input("notes", FieldKind::Text, false, "Notes"),
    input("last_interaction_date", FieldKind::Date, false, "Date of the last contact or update"),
    input("priority", FieldKind::Category, false, "Priority the source gives it"),
    input("consent_status", FieldKind::Category, false, "Consent of the contact persons: granted, pending, revoked, …"),
    input("consent_date", FieldKind::Date, false, "Date of that consent"),
    input("contact_names", FieldKind::PersonName, true, "Full names of contact persons"),
    input("contact_given_names", FieldKind::PersonName, true, "Given names of contact persons"),
    input("contact_family_names", FieldKind::PersonName, true, "Family names of contact persons"),
    input("contact_roles", FieldKind::Role, true, "Roles of contact persons"),
    input("contact_emails", FieldKind::Email, true, "E-mail addresses"),
    input("contact_phones", FieldKind::Phone, true, "Telephone numbers"),
];

/// Returns the canonical field of a name; the predecessor's `contact_email`, `contact_phone`, `contact_name` and `contact_role` are understood.
pub fn input_field(name: &str) -> Option<&'static InputField> {
    let name = match name {
        "contact_email" | "contact_primary_email" => "contact_emails",
        "contact_phone" | "contact_primary_phone" => "contact_phones",
        "contact_name" | "contact_primary_name" => "contact_names",
        "contact_role" | "contact_primary_role" => "contact_roles",
        "address_primary" => "address",
        "organization_category" => "category",
        other => other,
    };
    INPUT_FIELDS.iter().find(|field| field.name == name)
}

/// The type of a published column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// Unsigned 32-bit whole number.
    UInt32,
    /// Signed 64-bit whole number.
    Int64,
    /// 64-bit floating-point number.
    Float64,
    /// True or false.
    Boolean,
    /// Calendar date.
    Date,
    /// Moment in UTC, in milliseconds.
    Timestamp,
    /// List of [`LOSING_CELL_COLUMNS`] structs.
    CellList,
}

impl ColumnType {
    /// Returns the Arrow type as text.
    pub const fn arrow_name(self) -> &'static str {
        match self {
            Self::Text => "Utf8",
            Self::UInt32 => "UInt32",
            Self::Int64 => "Int64",
            Self::Float64 => "Float64",
            Self::Boolean => "Boolean",
            Self::Date => "Date32",
            Self::Timestamp => "Timestamp(Millisecond, UTC)",
            Self::CellList => "List<Struct>",
        }
    }
}

/// A column of a published file or of a file in the run folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnSpec {
    /// Name.
    pub name: &'static str,
    /// Type.
    pub data_type: ColumnType,
    /// Whether a value may be missing.
    pub nullable: bool,
    /// What it means, for people.
    pub description: &'static str,
}

const fn text(name: &'static str, description: &'static str) -> ColumnSpec {
    ColumnSpec { name, data_type: ColumnType::Text, nullable: true, description }
}

const fn required(name: &'static str, data_type: ColumnType, description: &'static str) -> ColumnSpec {
    ColumnSpec { name, data_type, nullable: false, description }
}

const fn optional(name: &'static str, data_type: ColumnType, description: &'static str) -> ColumnSpec {
    ColumnSpec { name, data_type, nullable: true, description }
}

/// The columns of the published table: `entity_id`, the 42 columns of the governed table, `run_id`, `last_refreshed_at`.
pub const GOLDEN_COLUMNS: &[ColumnSpec] = &[
    required("entity_id", ColumnType::Text, "Stable id of the entity: the same members give the same id"),
    required("organization_name", ColumnType::Text, "Name of the organisation, as its best source writes it"),
    required("organization_slug", ColumnType::Text, "Name as lower-case ASCII words joined by `-`"),
    text("province", "Province or region, canonical name"),
    text("country", "Country, English short name of ISO 3166-1"),
    text("area", "Area the organisation works in"),
    text("address_primary", "Address in one line"),
    text("organization_category", "Category"),
    text("organization_type", "Type"),
    text("status", "Status"),
    text("website", "Web address with scheme, without tracking parameters"),
    text("planes", "Aircraft or main equipment; distinct values joined by `; `"),
    text("description", "Description; distinct values joined by `; `"),
    text("notes", "Notes; distinct values joined by `; `"),
    required("source_datasets", ColumnType::Text, "Names of the sources that speak of it, sorted, joined by `; `"),
    required("source_record_ids", ColumnType::Text, "Ids of the source rows, sorted, joined by `; `"),
    text("contact_primary_name", "Name of the primary contact person"),
    text("contact_primary_role", "Role of the primary contact person"),
    text("contact_primary_email", "E-mail address of the primary contact"),
    text("contact_primary_phone", "Telephone number of the primary contact, E.164"),
    optional(
        "contact_primary_email_confidence",
        ColumnType::Float64,
        "Confidence in the primary e-mail address, 0 to 1",
    ),
    text("contact_primary_email_status", "deliverable, risky, undeliverable or unknown, judged offline"),
    optional(
        "contact_primary_phone_confidence",
        ColumnType::Float64,
        "Confidence in the primary telephone number, 0 to 1",
    ),
    text("contact_primary_phone_status", "deliverable, risky, undeliverable or unknown, judged offline"),
    optional("contact_primary_lead_score", ColumnType::Float64, "Lead score of the primary contact, 0 to 1"),
    optional("intent_signal_score", ColumnType::Float64, "Intent score; empty until intent signals are collected"),
    required("intent_signal_count", ColumnType::Int64, "Number of intent signals"),
    text("intent_signal_types", "Kinds of intent signals"),
    text("intent_last_observed_at", "When the last intent signal was seen"),
    text("intent_top_insights", "The strongest intent signals"),
    text("contact_validation_flags", "Rules that contact values failed, joined by `;`"),
    text("contact_secondary_emails", "Other e-mail addresses, joined by `;`"),
    text("contact_secondary_phones", "Other telephone numbers, joined by `;`"),
    optional("contact_email_confidence_avg", ColumnType::Float64, "Mean confidence over all e-mail addresses"),
    optional("contact_phone_confidence_avg", ColumnType::Float64, "Mean confidence over all telephone numbers"),
    optional(
        "contact_verification_score_avg",
        ColumnType::Float64,
        "Mean confidence over all e-mail addresses and telephone numbers",
    ),
    optional("contact_lead_score_avg", ColumnType::Float64, "Mean lead score over all contacts"),
    required(
        "data_quality_score",
        ColumnType::Float64,
        "Share of the profile's required and wanted fields that are present, 0 to 1",
    ),
    required("data_quality_flags", ColumnType::Text, "`missing_FIELD` for each absent field, joined by `;`, or `none`"),
    required("selection_provenance", ColumnType::Text, "JSON object: field to the source cell that gave its value"),
    optional("last_interaction_date", ColumnType::Date, "Latest date any source gives"),
    text("priority", "Priority"),
    text("privacy_basis", "Lawful basis under which the record is held"),
    required("run_id", ColumnType::Text, "Id of the run that wrote the row"),
    required("last_refreshed_at", ColumnType::Timestamp, "When that run started"),
];

/// The columns of `crosswalk.parquet`: one row per source row that holds data, in source order.
pub const CROSSWALK_COLUMNS: &[ColumnSpec] = &[
    required("source_file", ColumnType::Text, "Path of the file, relative to the input folder"),
    text("sheet", "Name of the sheet; empty for files without sheets"),
    required("row", ColumnType::UInt32, "Row as a person counts it, from 1"),
    required(
        "table",
        ColumnType::UInt32,
        "Which table of the sheet, from 0; more than one when tables stand side by side",
    ),
    required("source_dataset", ColumnType::Text, "Name of the source in the profile, else the file's stem"),
    required("record_id", ColumnType::Text, "Id of the source row"),
    text("entity_id", "Entity the row belongs to; empty when it is in quarantine"),
    required("outcome", ColumnType::Text, "`entity` or `quarantine`"),
];

/// The fields of one losing cell in [`PROVENANCE_COLUMNS`].
pub const LOSING_CELL_COLUMNS: &[ColumnSpec] = &[
    required("source_file", ColumnType::Text, "Path of the file"),
    text("sheet", "Name of the sheet"),
    required("row", ColumnType::UInt32, "Row, from 1"),
    text("column", "Column letters"),
    text("value", "Normalised value"),
    text("raw_value", "Value as the source has it, when it differs from the normalised one"),
];

/// The columns of `provenance.parquet`: one row per entity and published field with a value, in the order of the published table.
pub const PROVENANCE_COLUMNS: &[ColumnSpec] = &[
    required("entity_id", ColumnType::Text, "Entity"),
    required("field", ColumnType::Text, "Published column"),
    required("value", ColumnType::Text, "Published value"),
    required("rule", ColumnType::Text, "Survivorship rule that chose it"),
    required("source_dataset", ColumnType::Text, "Source of the winning cell"),
    required("source_file", ColumnType::Text, "File of the winning cell"),
    text("sheet", "Sheet of the winning cell"),
    required("row", ColumnType::UInt32, "Row of the winning cell, from 1"),
    text("column", "Column letters of the winning cell"),
    text("header", "Header of the winning cell's column, as the source writes it"),
    text("raw_value", "Value of the winning cell as the source has it, when it differs from the published one"),
    required("contributors", ColumnType::UInt32, "Number of source cells that held a value for the field"),
    optional("losing_cells", ColumnType::CellList, "Cells with another value; empty when all agree"),
];

/// The columns of `quarantine.parquet`: one row per source row that could not be published, in source order.
pub const QUARANTINE_COLUMNS: &[ColumnSpec] = &[
    required("source_file", ColumnType::Text, "Path of the file, relative to the input folder"),
    text("sheet", "Name of the sheet"),
    required("row", ColumnType::UInt32, "Row, from 1"),
    required("table", ColumnType::UInt32, "Which table of the sheet, from 0"),
    text("column", "Column letters of the cell at fault, where one is"),
    required("reason", ColumnType::Text, "Stable code of the reason; of several the first"),
    required("message", ColumnType::Text, "Every reason for people, without personal values"),
    required(
        "rules",
        ColumnType::Text,
        "JSON list of every rule that the row breaks: `reason`, `column`, `message` and `rule`, by which decisions name it",
    ),
    required("values", ColumnType::Text, "The row as JSON object: header to cell"),
];

/// The columns of `links.parquet`: the pairs of source rows that a grouping rule joined directly.
pub const LINK_COLUMNS: &[ColumnSpec] = &[
    required("record_id_l", ColumnType::Text, "Id of the earlier source row"),
    required("record_id_r", ColumnType::Text, "Id of the later source row"),
    required("rule", ColumnType::Text, "Grouping rule that joined them; `probabilistic` where the linkage model did"),
    required("entity_id", ColumnType::Text, "Entity both belong to"),
    optional("match_weight", ColumnType::Float64, "Match weight in bits, where the linkage model joined them"),
    optional(
        "match_probability",
        ColumnType::Float64,
        "Match probability from 0 to 1, where the linkage model joined them",
    ),
];

/// The columns of `review_queue.parquet`: pairs of source rows that may be one entity, for a person to judge; the pair with the
/// highest weight of each two entities, the likeliest first.
pub const REVIEW_COLUMNS: &[ColumnSpec] = &[
    required("record_id_l", ColumnType::Text, "Id of the earlier source row"),
    required("record_id_r", ColumnType::Text, "Id of the later source row"),
    required("entity_id_l", ColumnType::Text, "Entity of the earlier row"),
    required("entity_id_r", ColumnType::Text, "Entity of the later row"),
    required("match_weight", ColumnType::Float64, "Match weight in bits"),
    required("match_probability", ColumnType::Float64, "Match probability from 0 to 1"),
    required(
        "reason",
        ColumnType::Text,
        "`probability` where it is below the match threshold, `contradiction` where the entities contradict each other",
    ),
];

/// The columns that the linkage model of refine compares; those of `linkage_keys.parquet`, a row for each published source row.
pub const LINKAGE_KEY_COLUMNS: &[ColumnSpec] = &[
    required(
        "unique_id",
        ColumnType::Int64,
        "Position among the source rows that the crosswalk calls `entity`, from 0",
    ),
    text("name", "Name key: small ASCII letters, without legal form and branch, abbreviations written out"),
    text("branch", "Branch, as in the name key"),
    text("registration_number", "Registration number"),
    text("phone", "First telephone number, E.164"),
    text("email", "First e-mail address"),
    text("web_domain", "Own domain of the web address, else of the first e-mail address that has one"),
    text("street", "House number and street in small letters, without unit"),
    text("city", "Town in small letters"),
    text("postal_code", "Postal code"),
    text("province", "Province"),
    text("country", "Country"),
    text("contact_name", "Name of the first contact person in small letters"),
];

/// The columns of the Conflicts sheet and of `conflicts.parquet`: one row per field on which sources disagree.
pub const CONFLICT_COLUMNS: &[ColumnSpec] = &[
    required("entity_id", ColumnType::Text, "Entity"),
    required("organization_name", ColumnType::Text, "Name of the entity"),
    required("field", ColumnType::Text, "Published column"),
    required("value", ColumnType::Text, "Value that was chosen"),
    required("chosen_source", ColumnType::Text, "Cell that gave it"),
    required("rule", ColumnType::Text, "Survivorship rule that chose it"),
    required("alternatives", ColumnType::Text, "JSON list of the other values with their cells"),
];

/// The columns of `contacts.parquet`: the contact persons and channels of each entity, primary first, in the order of the published table.
pub const CONTACT_COLUMNS: &[ColumnSpec] = &[
    required("entity_id", ColumnType::Text, "Entity"),
    required("position", ColumnType::UInt32, "Position among the entity's contacts, from 0; 0 is the primary contact"),
    text("name", "Name of the person"),
    text("role", "Role of the person"),
    text("email", "E-mail address"),
    text("phone", "Telephone number, E.164"),
    required("source_dataset", ColumnType::Text, "Source of the row it was read from first"),
    required("source_file", ColumnType::Text, "File of that row"),
    text("sheet", "Sheet of that row"),
    required("row", ColumnType::UInt32, "Row, from 1"),
];

/// The columns of `privacy.parquet`: one row per published entity, in the order of the published table. No personal values.
pub const PRIVACY_COLUMNS: &[ColumnSpec] = &[
    required("entity_id", ColumnType::Text, "Entity"),
    required("has_contacts", ColumnType::Boolean, "Whether it has a contact person or channel, and so needs a basis"),
    required(
        "consent_status",
        ColumnType::Text,
        "granted, approved, allowed, pending, unknown, review, denied, expired, withdrawn or revoked",
    ),
    optional("consent_date", ColumnType::Date, "Date of the statement that holds"),
    optional("consent_source", ColumnType::Text, "Cell or consent file of that statement"),
    required("consent_passes", ColumnType::Boolean, "Whether the state is one that passes"),
    required("lawful_basis", ColumnType::Text, "Lawful basis under which it is held"),
    required("purposes", ColumnType::Text, "Purposes, joined by `; `"),
    optional("retention_until", ColumnType::Date, "Last day on which it may be kept"),
    required("contacts_redacted", ColumnType::Boolean, "Whether its contacts were taken out for lack of consent"),
];

/// The files of a run folder: name, columns where it is a table, what it holds.
pub const RUN_ARTEFACTS: &[(&str, Option<&[ColumnSpec]>, &str)] = &[
    (
        "manifest.json",
        None,
        "Inputs and outputs with SHA-256, effective configuration with origins, counts, times, status",
    ),
    ("golden.parquet", Some(GOLDEN_COLUMNS), "The published table, sorted by name and entity id"),
    ("crosswalk.parquet", Some(CROSSWALK_COLUMNS), "Every source row and the entity it went to"),
    ("provenance.parquet", Some(PROVENANCE_COLUMNS), "Every published cell and the source cell it came from"),
    ("quarantine.parquet", Some(QUARANTINE_COLUMNS), "Every source row that was not published, and why"),
    ("links.parquet", Some(LINK_COLUMNS), "Pairs of source rows joined directly by a grouping rule"),
    (
        "review_queue.parquet",
        Some(REVIEW_COLUMNS),
        "Pairs of source rows that may be one entity, for a person to judge",
    ),
    ("linkage_keys.parquet", Some(LINKAGE_KEY_COLUMNS), "What the linkage model compares, when asked for"),
    ("contacts.parquet", Some(CONTACT_COLUMNS), "The contacts of each entity, primary first"),
    ("conflicts.parquet", Some(CONFLICT_COLUMNS), "Fields on which sources disagree"),
    (
        "privacy.parquet",
        Some(PRIVACY_COLUMNS),
        "Consent, basis and retention of each entity, with the compliance feature",
    ),
    ("privacy.json", None, "What was found, redacted and withheld of personal data, in classes and counts"),
    ("diagnostics.json", None, "What was found in the input, with file, sheet, row and column"),
    ("report.json", None, "The figures of the report"),
    ("report.html", None, "The report as one self-contained page"),
    (
        "profile.json",
        None,
        "What the published table looks like, for the drift of later runs: counts and shares; hashes of values that five rows or more share, none of personal columns",
    ),
    (
        "data-docs/",
        None,
        "Pages of every expectation with its history, from `index.html` on; results as JSON in `results/`",
    ),
    ("lineage.ndjson", None, "The OpenLineage events of the run, a line each"),
    ("lineage.svg", None, "What the run read and wrote, as a picture"),
    ("inputs.zip", None, "The input files with their SHA-256 sums, when archived"),
    ("ledger.ndjson", None, "What was done in and to the run, an entry a line, each holding on to the one before"),
    ("attestation.json", None, "Signed statement about the outputs and artefacts, when there is a key"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_governed_table_has_42_columns_between_the_ids() {
        assert_eq!(GOLDEN_COLUMNS.len(), 45);
        assert_eq!(GOLDEN_COLUMNS[0].name, "entity_id");
        assert_eq!(GOLDEN_COLUMNS[42].name, "privacy_basis");
    }

    #[test]
    fn names_are_unique() {
        for columns in RUN_ARTEFACTS.iter().filter_map(|artefact| artefact.1) {
            let mut names: Vec<_> = columns.iter().map(|column| column.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), columns.len());
        }
    }
}
