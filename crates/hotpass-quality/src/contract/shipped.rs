//! The contracts that come with Hotpass, from one table: the seven tables of the aviation sources and the governed table.
//!
//! The files under `schemas/contracts/` and the reference page are written from it.

use std::fmt::Write as _;

use super::error::ContractError;
use super::formats::{Format, write};
use super::model::{Contract, Field, Limit, LogicalType};

/// A contract of the table.
struct Entry {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    primary_key: &'static [&'static str],
    fields: &'static [Column],
}

/// A column of the table.
struct Column {
    name: &'static str,
    logical_type: LogicalType,
    /// Whether the column and its values must be there.
    required: bool,
    /// Whether it holds what concerns a person.
    personal: bool,
    description: &'static str,
    example: &'static str,
}

const fn text(name: &'static str, description: &'static str, example: &'static str) -> Column {
    Column { name, logical_type: LogicalType::Text, required: false, personal: false, description, example }
}

const fn person(name: &'static str, description: &'static str, example: &'static str) -> Column {
    Column { personal: true, ..text(name, description, example) }
}

const fn must(name: &'static str, description: &'static str, example: &'static str) -> Column {
    Column { required: true, ..text(name, description, example) }
}

const fn number(name: &'static str, description: &'static str, example: &'static str) -> Column {
    Column { logical_type: LogicalType::Number, required: true, ..text(name, description, example) }
}

const CONTRACTS: &[Entry] = &[
    Entry {
        name: "contact_capture",
        title: "Captured schools",
        description: "Flight schools as they were captured by hand, a row a school",
        primary_key: &["School"],
        fields: &[
            text("Unnamed: 0", "Number of the row, under a header without text", "1"),
            must("School", "Name of the school", "Acacia Flying School"),
            person(
                "Contact person (role)",
                "Contact persons, with their roles in brackets",
                "A. Example (Head of training)",
            ),
            person("Phone", "Telephone numbers", "+27 11 555 0100"),
            person("Email", "E-mail addresses", "desk@acacia.example"),
            text("Addresses", "Postal and street addresses", "1 Hangar Road, Exampleton"),
            text("Planes", "Aircraft of the school", "C172; PA-28"),
            text("Website", "Web address", "https://acacia.example"),
            text("Description", "What the school says of itself", "Private and commercial licences"),
            text("Type", "Type of school", "Flight school"),
        ],
    },
    Entry {
        name: "contact_company_addresses",
        title: "Addresses of companies",
        description: "Where the companies of the contact list are, a row an address",
        primary_key: &["C_ID", "Type"],
        fields: &[
            number("C_ID", "Number of the company in the contact list", "17"),
            must("Company", "Name of the company", "Acacia Air Charter"),
            text("Type", "Kind of address", "Postal"),
            text("Airport", "Airport the company works from", "Exampleton Airfield"),
            text("Unnamed: 4", "Remarks, under a header without text", "Gate 2"),
        ],
    },
    Entry {
        name: "contact_company_cat",
        title: "Categories of companies",
        description: "How the companies of the contact list are classed, a row a company",
        primary_key: &["C_ID"],
        fields: &[
            number("C_ID", "Number of the company in the contact list", "17"),
            must("Company", "Name of the company", "Acacia Air Charter"),
            text("QuickNooks_Name", "Name of the company in the accounts", "ACACIA AIR"),
            text("Last_Order_Date", "Day of the last order", "2025-03-14"),
            text("Category", "Category", "Charter"),
            text("Strat", "Strategy for the company", "Keep"),
            text("Priority", "Priority", "High"),
            text("Status", "Status", "Active"),
            text("LoadDate", "Day the row was loaded", "2025-04-01"),
            text("Checked", "Whether the row was checked", "yes"),
            text("Website", "Web address", "https://acacia.example"),
        ],
    },
    Entry {
        name: "contact_company_contacts",
        title: "Contacts of companies",
        description: "Whom to call at the companies of the contact list, a row a person",
        primary_key: &["C_ID", "Email", "Cellnumber", "Landline"],
        fields: &[
            number("C_ID", "Number of the company in the contact list", "17"),
            must("Company", "Name of the company", "Acacia Air Charter"),
            text("Status", "Status of the contact", "Active"),
            person("FirstName", "Given name", "Given"),
            person("Surname", "Family name", "Family"),
            person("Position", "Role in the company", "Operations manager"),
            person("Cellnumber", "Mobile telephone number", "+27 82 555 0100"),
            person("Email", "E-mail address", "ops@acacia.example"),
            person("Landline", "Telephone number of the office", "+27 11 555 0101"),
        ],
    },
    Entry {
        name: "reachout_contact_info",
        title: "Contacts of the outreach list",
        description: "Whom the outreach reaches, a row a person",
        primary_key: &["ID", "Email", "Phone"],
        fields: &[
            number("ID", "Number of the organisation in the outreach list", "4"),
            must("Organisation Name", "Name of the organisation", "Baobab Aero Club"),
            text("Reachout Date", "Day of the last outreach", "2025-02-20"),
            person("Firstname", "Given name", "Given"),
            person("Surname", "Family name", "Family"),
            person("Position", "Role in the organisation", "Secretary"),
            person("Phone", "Telephone number", "+27 21 555 0142"),
            person("WhatsApp", "Number for messages", "+27 83 555 0142"),
            person("Email", "E-mail address", "club@baobab.example"),
            text("Invalid", "Whether the contact no longer works", "no"),
            text("Unnamed: 10", "Remarks, under a header without text", "Call in the morning"),
        ],
    },
    Entry {
        name: "reachout_organisation",
        title: "Organisations of the outreach list",
        description: "Organisations that the outreach reaches, a row an organisation",
        primary_key: &["ID"],
        fields: &[
            must("Organisation Name", "Name of the organisation", "Baobab Aero Club"),
            number("ID", "Number of the organisation in the outreach list", "4"),
            text("Reachout Date", "Day of the last outreach", "2025-02-20"),
            text("Recent_Touch_Ind", "Whether there was contact of late", "Y"),
            text("Area", "Area or province", "Western Cape"),
            text("Distance", "Distance to the office, in kilometres", "40"),
            text("Type", "Type of organisation", "Club"),
            text("Website", "Web address", "https://baobab.example"),
            text("Address", "Address", "2 Runway Street, Exampleville"),
            text("Planes", "Aircraft", "J3; DR400"),
            text("Description Type", "Kind of description", "Web site"),
            text("Notes", "Notes", "Meets on Saturdays"),
            text("Open Questions", "What is still to be asked", "Does the club train?"),
        ],
    },
    Entry {
        name: "sacaa_cleaned",
        title: "Register, cleaned",
        description: "Approved training organisations of the register, a row an organisation",
        primary_key: &["Name of Organisation"],
        fields: &[
            must("Name of Organisation", "Name of the organisation", "Cormorant Aviation Academy"),
            text("Province", "Province", "KwaZulu-Natal"),
            text("Status", "Status of the approval", "Active"),
            text("Website URL", "Web address", "https://cormorant.example"),
            person("Contact Person", "Contact person", "B. Example"),
            person("Contact Number", "Telephone numbers", "+27 31 555 0178"),
            person("Contact Email Address", "E-mail addresses, separated by `;`", "fly@cormorant.example"),
        ],
    },
    Entry {
        name: "ssot",
        title: "Governed table of organisations",
        description: "What a run publishes for others to read: one row an organisation",
        primary_key: &["organization_slug"],
        fields: &[
            must(
                "organization_name",
                "Name of the organisation, as its best source writes it",
                "Cormorant Aviation Academy",
            ),
            must("organization_slug", "Name as lower-case ASCII words joined by `-`", "cormorant-aviation-academy"),
            text("province", "Province or region, canonical name", "KwaZulu-Natal"),
            text("country", "Country, English short name of ISO 3166-1", "South Africa"),
            text("area", "Area the organisation works in", "Durban"),
            text("address_primary", "Address in one line", "3 Beacon Avenue, Sampleton"),
            text("organization_category", "Category", "Training"),
            text("organization_type", "Type", "Flight school"),
            text("status", "Status", "Active"),
            text("website", "Web address with scheme", "https://cormorant.example"),
            text("planes", "Aircraft or main equipment; distinct values joined by `; `", "C172; PA-28"),
            text("description", "Description; distinct values joined by `; `", "Commercial licences"),
            text("notes", "Notes; distinct values joined by `; `", "Visited in spring"),
            must("source_datasets", "Names of the sources that speak of it, joined by `; `", "register"),
            must("source_record_ids", "Ids of the source rows, joined by `; `", "register:Register:12"),
            person("contact_primary_name", "Name of the primary contact person", "B. Example"),
            person("contact_primary_role", "Role of the primary contact person", "Head of training"),
            person("contact_primary_email", "E-mail address of the primary contact", "fly@cormorant.example"),
            person("contact_primary_phone", "Telephone number of the primary contact, E.164", "+27315550178"),
            person("contact_secondary_emails", "Other e-mail addresses, joined by `;`", "desk@cormorant.example"),
            person("contact_secondary_phones", "Other telephone numbers, joined by `;`", "+27315550179"),
            Column {
                required: false,
                ..number("data_quality_score", "Share of the wanted fields that are present, 0 to 1", "0.8")
            },
            text(
                "data_quality_flags",
                "`missing_FIELD` for each absent field, joined by `;`, or `none`",
                "missing_address",
            ),
            text("selection_provenance", "JSON object: field to the source cell that gave its value", "{}"),
            text("last_interaction_date", "Latest date any source gives", "2025-02-20"),
            text("priority", "Priority", "High"),
            text("privacy_basis", "Lawful basis under which the record is held", "legitimate_interest"),
        ],
    },
];

/// Returns the names of the contracts, in the order of references.
pub fn names() -> impl Iterator<Item = &'static str> {
    CONTRACTS.iter().map(|entry| entry.name)
}

/// Returns a contract by its name.
pub fn contract(name: &str) -> Option<Contract> {
    CONTRACTS.iter().find(|entry| entry.name == name).map(Entry::contract)
}

/// Returns all contracts, in the order of references.
pub fn contracts() -> impl Iterator<Item = Contract> {
    CONTRACTS.iter().map(Entry::contract)
}

impl Entry {
    fn contract(&self) -> Contract {
        Contract {
            title: Some(self.title.to_owned()),
            description: Some(self.description.to_owned()),
            fields: self.fields.iter().map(|column| self.field(column)).collect(),
            primary_key: self.primary_key.iter().map(ToString::to_string).collect(),
            ..Contract::new(self.name)
        }
    }

    fn field(&self, column: &Column) -> Field {
        let share = column.name == "data_quality_score";
        Field {
            description: Some(column.description.to_owned()),
            classification: Some(if column.personal { "pii" } else { "internal" }.to_owned()),
            required: column.required || self.primary_key.contains(&column.name),
            nullable: !column.required,
            minimum: share.then(|| Limit::inclusive("0")),
            maximum: share.then(|| Limit::inclusive("1")),
            examples: vec![column.example.to_owned()],
            ..Field::new(column.name, column.logical_type)
        }
    }
}

/// Returns the reference page of the contracts as Markdown: what each asks, and an invented row that keeps it.
///
/// # Errors
///
/// Returns an error when a contract contradicts itself, which a test excludes.
pub fn reference_page() -> Result<String, ContractError> {
    let mut page = String::from(
        "# Contracts\n\nThe contracts that come with Hotpass. Their files are Frictionless Table Schemas under `schemas/contracts/`; \
         `hotpass contracts emit NAME` prints one in any form, and a profile's source names one under `contract`. \
         Every example is invented.\n\n| contract | holds | primary key |\n| --- | --- | --- |\n",
    );
    for contract in contracts() {
        let key = contract.primary_key.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(
            page,
            "| [`{}`](#{}) | {} | {key} |",
            contract.name,
            contract.name,
            contract.description.as_deref().unwrap_or_default()
        );
    }
    for contract in contracts() {
        section(&mut page, &contract)?;
    }
    page.push_str(FORMS);
    Ok(page)
}

fn section(page: &mut String, contract: &Contract) -> Result<(), ContractError> {
    let _ = writeln!(
        page,
        "\n## {}\n\n{}. Version {}, file `schemas/contracts/{}.schema.json`.\n\n\
         | column | type | must be there | may be empty | meaning | example |\n| --- | --- | --- | --- | --- | --- |",
        contract.name,
        contract.description.as_deref().unwrap_or_default(),
        contract.version,
        contract.name
    );
    for field in &contract.fields {
        let yes = |yes: bool| if yes { "yes" } else { "no" };
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} | `{}` |",
            field.name,
            field.logical_type.name(),
            yes(contract.requires(field)),
            yes(field.nullable),
            field.description.as_deref().unwrap_or_default(),
            field.examples.first().map_or("", String::as_str)
        );
    }
    // A contract that cannot be written has no place in the reference.
    write(contract, Format::Frictionless).map(drop)
}

const FORMS: &str = "
## Forms

| form | `--format` | read | written |
| --- | --- | --- | --- |
| Hotpass contract, which says everything | `hotpass` | yes | yes |
| Frictionless Table Schema 2, also inside a data package | `frictionless` | yes | yes |
| Frictionless Table Schema 1 | `frictionless-v1` | yes | yes |
| JSON Schema 2020-12 of a row, or of an array of rows | `json-schema`, `json-schema-array` | yes | yes |
| Open Data Contract Standard 3 | `odcs` | yes | yes |
| Great Expectations suite 1.x | `great-expectations` | yes | yes |

What a form has no words for is kept under a property `hotpass` where the form allows further properties, so that reading it
back gives the same contract; what the form's own tools will not check is told when it is written.

## Rules

A row that breaks a rule of a row goes to quarantine with the rule as its reason; a rule of the table fails the run.

| rule | about | means |
| --- | --- | --- |
| `contract.type` | row | the value is not of the column's type or form |
| `contract.required` | row | the value is missing |
| `contract.minimum`, `contract.maximum` | row | the value is outside the limits |
| `contract.min_length`, `contract.max_length` | row | the text is too short or too long, in characters |
| `contract.pattern` | row | the text does not match the pattern as a whole |
| `contract.enumeration` | row | the value is none of those allowed |
| `contract.unique`, `contract.unique_key` | row | the value, or the values of the key, occur in an earlier row too |
| `contract.primary_key` | row | the key occurs in an earlier row too, or all of its values are missing |
| `contract.foreign_key` | row | the key does not occur in the dataset it points to |
| `contract.missing_column` | table | a column that must be there is not |
| `contract.extra_column` | table | a column is there that the contract does not name, where it allows no further ones |
| `contract.column_order` | table | the columns do not come in the contract's order, where it asks for it |
| `contract.row_count` | table | there are too few or too many rows |
| `contract.freshness` | table | the newest row is too old |
| `contract.memory` | table | the keys took more memory than allowed, so that uniqueness could not be checked |

Types, forms and constraints mean what they mean to frictionless-py 5, on text as well as on typed columns, with these
differences: cells of white space alone are no values; a pattern with alternatives holds for the whole value; columns are found
by name, not by position; and numbers in the cells of workbooks are text as they are written.
";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, RecordBatch, StringArray};

    use super::super::formats::read;
    use super::super::{CheckOptions, ContractCheck};
    use super::*;

    #[test]
    fn examples_keep_their_contracts() {
        for contract in contracts() {
            let columns = contract.fields.iter().map(|field| {
                let example: ArrayRef = Arc::new(StringArray::from(vec![field.examples[0].as_str()]));
                (field.name.as_str(), example)
            });
            let row = RecordBatch::try_from_iter(columns).expect("a row");
            let mut check = ContractCheck::of_schema(&contract, &row.schema(), &CheckOptions::default()).expect("kept");
            assert_eq!(check.add(&row).expect("checked"), [], "{}", contract.name);
            assert!(check.finish().passed, "{}", contract.name);
        }
    }

    #[test]
    fn every_form_gives_every_contract_back() {
        for contract in contracts() {
            for &format in Format::ALL {
                let text = write(&contract, format).expect("written").text;
                assert_eq!(read(text.as_bytes()).expect("read").contract, contract, "{} as {format}", contract.name);
            }
        }
    }

    #[test]
    fn the_contracts_are_those_of_the_sources_and_the_governed_table() {
        assert_eq!(names().count(), 8);
        let columns = |name: &str| contract(name).map_or(0, |contract| contract.fields.len());
        assert_eq!(columns("ssot"), 27);
        let published: Vec<&str> = hotpass_core::fields::GOLDEN_COLUMNS.iter().map(|column| column.name).collect();
        for field in contract("ssot").expect("it ships").fields {
            assert!(published.contains(&field.name.as_str()), "{}", field.name);
        }
        let unnamed = contract("contact_capture").expect("it ships");
        assert!(!unnamed.requires(&unnamed.fields[0]), "a column without a header is optional");
    }

    #[test]
    fn the_files_and_the_page_are_as_the_table_says() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let file =
            |path: String| std::fs::read_to_string(root.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        for contract in contracts() {
            let written = write(&contract, Format::Frictionless).expect("written").text;
            assert_eq!(file(format!("schemas/contracts/{}.schema.json", contract.name)), written, "{}", contract.name);
        }
        assert_eq!(file("docs/reference/contracts.md".to_owned()), reference_page().expect("a page"));
    }
}
