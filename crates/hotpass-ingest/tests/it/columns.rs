//! What columns are and how they are mapped, over whole tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema};
use arrow::record_batch::RecordBatch;
use hotpass_core::fields::INPUT_FIELDS;
use hotpass_ingest::{
    columns::{infer_content, repair_headers, typed_batch},
    contacts::{contacts_of_batch, unpack_emails, unpack_people, unpack_phones},
    mapping::{
        MappingFile, MappingFileError, MappingRules, TableMapping, canonical_batch, map_columns, write_mapping_file,
    },
    table::{CellKinds, ContentType, ROW_COLUMN, SourceColumn, TableId, TableSchema},
};
use proptest::prelude::*;

/// A table from headers and rows; empty cells are null.
fn table(headers: &[&str], rows: &[&[&str]]) -> (TableSchema, RecordBatch) {
    let options: Vec<Option<&str>> = headers.iter().map(|header| Some(*header)).collect();
    let mut columns = Vec::new();
    let mut fields = vec![Field::new(ROW_COLUMN, DataType::UInt32, false)];
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(UInt32Array::from_iter_values(2..rows.len() as u32 + 2))];
    for (position, header) in repair_headers(&options).into_iter().enumerate() {
        let values: StringArray =
            rows.iter().map(|row| row.get(position).copied().filter(|value| !value.trim().is_empty())).collect();
        let content = infer_content(&values, &CellKinds::default(), &header.raw);
        fields.push(Field::new(&header.name, DataType::Utf8, true));
        columns.push(SourceColumn {
            name: header.name,
            raw_header: header.raw,
            index: position as u32,
            cell_kinds: CellKinds::default(),
            content,
        });
        arrays.push(Arc::new(values));
    }
    let id = TableId { file: "contacts.xlsx".into(), sheet: Some("Sheet".into()), table: 0 };
    let schema = TableSchema { id, header_row: Some(1), columns, rows: Some(rows.len() as u64) };
    (schema, RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap())
}

/// Synonyms as a profile for aviation has them.
fn aviation() -> MappingRules {
    let synonyms: [(&str, &[&str]); 6] = [
        ("organization_name", &["school", "name", "company", "organisation name", "name of organisation"]),
        ("source_record_id", &["amo number"]),
        ("province", &["area"]),
        ("city", &["location"]),
        ("last_interaction_date", &["reachout date", "loaddate"]),
        ("contact_phones", &["cellnumber", "landline", "whatsapp", "contact number"]),
    ];
    let synonyms = synonyms
        .into_iter()
        .map(|(field, headers)| (field.to_owned(), headers.iter().map(|header| (*header).to_owned()).collect()))
        .collect();
    MappingRules { synonyms, ..MappingRules::default() }
}

fn mapped(mapping: &TableMapping) -> Vec<(&str, &str)> {
    mapping.columns.iter().map(|column| (column.header.as_str(), column.field.as_deref().unwrap_or("-"))).collect()
}

fn check_mapping(rules: &MappingRules, headers: &[&str], rows: &[&[&str]], expected: &[&str]) -> TableMapping {
    let (schema, batch) = table(headers, rows);
    let mapping = map_columns(&schema, &batch, rules);
    let expected: Vec<(&str, &str)> = headers.iter().copied().zip(expected.iter().copied()).collect();
    assert_eq!(mapped(&mapping), expected, "{:#?}", mapping.columns);
    for column in &mapping.columns {
        assert!((0.0..=1.0).contains(&column.confidence) && !column.reason.is_empty());
        assert!(column.field.is_none() || column.suggestion.is_none());
    }
    mapping
}

#[test]
fn headers_of_an_aviation_register_are_mapped() {
    let mapping = check_mapping(
        &aviation(),
        &[
            "Name of Organisation",
            "Province",
            "Status",
            "Website URL",
            "Contact Person",
            "Contact Number",
            "Contact Email Address",
        ],
        &[
            &[
                "Acacia Flying (Pty) Ltd",
                "Gauteng",
                "Active",
                "www.acacia.co.za/",
                "",
                "+27139805072",
                "info@acacia.co.za",
            ],
            &["Border Motors CC", "Limpopo", "Invalid", "", "Ann Lee", "+27545792537", ""],
        ],
        &["organization_name", "province", "status", "website", "contact_names", "contact_phones", "contact_emails"],
    );
    assert!(mapping.is_data());
}

#[test]
fn headers_of_outreach_sheets_are_mapped() {
    check_mapping(
        &aviation(),
        &[
            "Organisation Name",
            "ID",
            "Reachout Date",
            "Recent_Touch_Ind",
            "Area",
            "Distance",
            "Type",
            "Website",
            "Address",
            "Notes",
        ],
        &[&[
            "Acacia (Pty) Ltd",
            "",
            "2025-10-14",
            "",
            "Gauteng",
            "<100km",
            "",
            "http://acacia.co.za",
            "6 Park St, George",
            "",
        ]],
        &[
            "organization_name",
            "source_record_id",
            "last_interaction_date",
            "-",
            "province",
            "-",
            "organization_type",
            "website",
            "address",
            "notes",
        ],
    );
    check_mapping(
        &aviation(),
        &[
            "ID",
            "Organisation Name",
            "Reachout Date",
            "Firstname",
            "Surname",
            "Position",
            "Phone",
            "WhatsApp",
            "Email",
            "Invalid",
        ],
        &[&["", "Acacia", "", "Ann", "Lee", "Owner", "+27454707766", "", "a@b.co.za", ""]],
        &[
            "source_record_id",
            "organization_name",
            "last_interaction_date",
            "contact_given_names",
            "contact_family_names",
            "contact_roles",
            "contact_phones",
            "contact_phones",
            "contact_emails",
            "-",
        ],
    );
}

#[test]
fn headers_of_contact_sheets_are_mapped() {
    check_mapping(
        &aviation(),
        &["C_ID", "Company", "Last_Order_Date", "Category", "Priority", "Status", "LoadDate", "Website"],
        &[&["", "Acacia NPC", "", "", "", "Investigate", "", "https://www.acacia.co.za"]],
        &[
            "source_record_id",
            "organization_name",
            "-",
            "category",
            "priority",
            "status",
            "last_interaction_date",
            "website",
        ],
    );
    check_mapping(
        &aviation(),
        &["C_ID", "Company", "FirstName", "Surname", "Position", "Cellnumber", "Email", "Landline"],
        &[&["1", "Acacia CC", "Ann", "Lee", "Director", "27143573177", "info@acacia.co.za", ""]],
        &[
            "source_record_id",
            "organization_name",
            "contact_given_names",
            "contact_family_names",
            "contact_roles",
            "contact_phones",
            "contact_emails",
            "contact_phones",
        ],
    );
    check_mapping(
        &aviation(),
        &["#", "AMO Number", "NAME", "CATEGORIES", "MAIN/ SATELLITE", "LOCATION"],
        &[
            &["1", "1001", "Wonder Solutions", "A, B, C", "Main Base", "Cape Town"],
            &["4", "1004", "Hawk\n(Pty) Ltd", "A", "Main Base", ""],
        ],
        &["-", "source_record_id", "organization_name", "category", "-", "city"],
    );
    check_mapping(
        &aviation(),
        &["School", "Contact person (role)", "Phone", "Email", "Addresses", "Website"],
        &[&[
            "Sigma (Durban)",
            "Ann Lee (Director); Bo Ray (Owner)\u{a0}",
            "+27419960195\u{a0} ",
            "N/A",
            "91 Protea Way",
            "https://a.co.za",
        ]],
        &["organization_name", "contact_names", "contact_phones", "contact_emails", "address", "website"],
    );
}

#[test]
fn lookup_sheets_are_not_data() {
    for headers in [&["Company Categores", "", "Status"][..], &["Row", "Issues"], &["column", "value"]] {
        let (schema, batch) = table(headers, &[&["Parts Supplier", "", "Done"], &["AMO", "", "Investigate"]]);
        let mapping = map_columns(&schema, &batch, &aviation());
        assert!(!mapping.is_data(), "{:#?}", mapping.columns);
        assert_eq!(mapping.missing_required, ["organization_name"]);
    }
}

#[test]
fn headers_of_linkage_data_are_mapped() {
    let rules = MappingRules::default();
    check_mapping(
        &rules,
        &["name", "addr", "city", "phone", "type"],
        &[&["arnie's", "435 s. la cienega blv.", "los angeles", "310/246-1501", "american"]],
        &["organization_name", "address", "city", "contact_phones", "organization_type"],
    );
    let persons = check_mapping(
        &rules,
        &[
            "given_name",
            "surname",
            "street_number",
            "address_1",
            "suburb",
            "postcode",
            "state",
            "date_of_birth",
            "soc_sec_id",
        ],
        &[&["ann", "waller", "6", "tullaroop street", "st james", "4011", "wa", "19081209", "6988048"]],
        &["contact_given_names", "contact_family_names", "-", "address", "city", "postal_code", "province", "-", "-"],
    );
    assert!(!persons.is_data());
    check_mapping(
        &rules,
        &["name", "category", "website", "social", "email", "phone", "street", "city", "region", "postcode", "country"],
        &[&[
            "BP",
            "gas_station",
            "https://map.bp.com/x",
            "https://www.facebook.com/1",
            "",
            "+34956621050",
            "Avenida Carlos 4",
            "Los B",
            "AR",
            "11370",
            "ES",
        ]],
        &[
            "organization_name",
            "category",
            "website",
            "-",
            "contact_emails",
            "contact_phones",
            "address",
            "city",
            "province",
            "postal_code",
            "country",
        ],
    );
    check_mapping(
        &rules,
        &["title", "authors", "venue", "year"],
        &[&["On Joins", "A. Bee", "VLDB", "1997"]],
        &["-", "-", "-", "-"],
    );
}

#[test]
fn values_and_headers_are_weighed_together() {
    let rules = MappingRules::default();
    let org = ["Acacia Ltd", "Border CC", "Cedar Inc"];
    let rows = |values: [&'static str; 3]| -> Vec<Vec<&'static str>> {
        org.into_iter().zip(values).map(|(name, value)| vec![name, value]).collect()
    };
    let check = |header: &str, values: [&'static str; 3], expected: &str| {
        let rows = rows(values);
        let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
        check_mapping(&rules, &["Organisation", header], &rows, &["organization_name", expected])
    };
    check("Contact", ["011 123 4567", "082 123 4567", "+27 11 1234567"], "contact_phones");
    check("Contact", ["a@b.co", "c@d.co", "e@f.co"], "contact_emails");
    check("Contact", ["Ann Lee", "Bo Ray", "Cy Doe"], "contact_names");
    check("Contact Number", ["27143573177", "27605522144", "27605522145"], "contact_phones");
    check("Whatever", ["a@b.co", "c@d.co", "e@f.co"], "contact_emails");
    check("Email Status", ["valid", "invalid", "valid"], "-");
    check("Fax", ["011 123 4567", "082 123 4567", "+27 11 1234567"], "-");
    check("N° de sécurité sociale", ["1 84 12 76 451 089 46", "2 55 08 14 168 025 38", "1 84 12 76 451 089 46"], "-");
    check("Reisepass-Nr", ["011 123 4567", "082 123 4567", "+27 11 1234567"], "-");
    check("Whatever", ["011 123 4567", "082 123 4567", "+27 11 1234567"], "contact_phones");
    check("Company Size", ["10", "20", "30"], "-");
    check("Adress", ["1 Main Rd", "2 Main Rd", "3 Main Rd"], "address");
    check("Birthday", ["2001-01-02", "2002-01-02", "2003-01-02"], "-");
    check("#", ["1", "2", "3"], "-");
    let email = check("Email", ["a@b.co", "c@d.co", "e@f.co"], "contact_emails");
    assert!(email.columns[1].confidence > 0.99);
    // Numbers under a header for names are no names.
    check_mapping(
        &rules,
        &["Company", "Company Name"],
        &[&["17", "Acacia"], &["18", "Border"]],
        &["-", "organization_name"],
    );
}

#[test]
fn a_scalar_field_takes_one_column() {
    let (schema, batch) =
        table(&["Company", "Website", "Web Address"], &[&["Acacia", "www.acacia.co.za", "www.border.co.za"]]);
    let mapping = map_columns(&schema, &batch, &MappingRules::default());
    assert_eq!(mapping.columns[1].field.as_deref(), Some("website"));
    assert_eq!(
        (mapping.columns[2].field.as_deref(), mapping.columns[2].suggestion.as_deref()),
        (None, Some("website"))
    );
    assert!(mapping.columns[2].reason.contains("already taken by `Website`"), "{}", mapping.columns[2].reason);
}

#[test]
fn explicit_columns_overrule_everything() {
    let explicit =
        BTreeMap::from([("Email".to_owned(), String::new()), ("remarks ".to_owned(), "organization_name".to_owned())]);
    let rules = MappingRules { explicit, ..MappingRules::default() };
    check_mapping(
        &rules,
        &["Company", "Email", "Remarks"],
        &[&["Acacia", "a@b.co", "x y"]],
        &["-", "-", "organization_name"],
    );
}

#[test]
fn the_canonical_batch_has_every_field_in_order() {
    let (schema, batch) = table(
        &["Notes", "Extra", "School", "Contact person", "Phone", "Email", "status"],
        &[
            &[
                "n",
                "e",
                "Acacia",
                "Ann Lee (Director); Bo Ray (Owner)",
                "011 123 4567 / 082 123 4567",
                "a@b.co",
                "Active",
            ],
            &["", "", "Border", "", "-", "N/A", ""],
            &["", "", "Cedar", "Cy Doe", "", "c@d.co; e@f.co", ""],
        ],
    );
    let mapping = map_columns(&schema, &batch, &aviation());
    let canonical = canonical_batch(&mapping, &schema, &batch).unwrap();
    let names: Vec<String> = canonical.schema().fields().iter().map(|field| field.name().clone()).collect();
    let expected = std::iter::once(ROW_COLUMN).chain(INPUT_FIELDS.iter().map(|field| field.name)).chain(["extra"]);
    assert_eq!(names, expected.collect::<Vec<_>>());
    assert_eq!(canonical.num_rows(), 3);
    let list = |field: &str, row: usize| -> Option<Vec<Option<String>>> {
        let lists: &ListArray = canonical.column_by_name(field).unwrap().as_list();
        let values = lists.is_valid(row).then(|| lists.value(row))?;
        Some(values.as_string::<i32>().iter().map(|value| value.map(str::to_owned)).collect())
    };
    let some = |values: &[&str]| {
        Some(values.iter().map(|value| (!value.is_empty()).then(|| (*value).to_owned())).collect::<Vec<_>>())
    };
    assert_eq!(list("contact_names", 0), some(&["Ann Lee", "Bo Ray"]));
    assert_eq!(list("contact_roles", 0), some(&["Director", "Owner"]));
    assert_eq!(list("contact_phones", 0), some(&["011 123 4567", "082 123 4567"]));
    assert_eq!(list("contact_emails", 0), some(&["a@b.co", ""]));
    assert_eq!(list("contact_names", 1), None);
    assert_eq!(list("contact_names", 2), some(&["Cy Doe", ""]));
    assert_eq!(list("contact_emails", 2), some(&["c@d.co", "e@f.co"]));
    assert!(Arc::ptr_eq(canonical.column_by_name("notes").unwrap(), batch.column(1)), "scalar columns are shared");
    assert_eq!(canonical.column_by_name("province").unwrap().null_count(), 3);
}

#[test]
fn contacts_do_not_drift() {
    let (schema, batch) = table(
        &["Company", "First Name", "Surname", "Position", "Cell", "Landline", "Email"],
        &[
            &["Acacia", "Ann", "Lee", "Owner", "", "011 123 4567", "a@b.co"],
            &["Border", "", "", "", "", "", ""],
            &["Cedar", "-", "-", "Office", "082 123 4567", "011 123 4568", ""],
        ],
    );
    let mapping = map_columns(&schema, &batch, &MappingRules::default());
    let contacts = contacts_of_batch(&mapping, &batch);
    assert_eq!(contacts.row.values(), &[0, 2, 2]);
    assert_eq!(contacts.position.values(), &[0, 0, 1]);
    let values = |array: &StringArray| array.iter().map(|value| value.unwrap_or("-").to_owned()).collect::<Vec<_>>();
    assert_eq!(values(&contacts.name.values), ["Ann Lee", "-", "-"]);
    assert_eq!(values(&contacts.role.values), ["Owner", "Office", "-"]);
    assert_eq!(values(&contacts.phone.values), ["011 123 4567", "082 123 4567", "011 123 4568"]);
    assert_eq!(contacts.phone.columns, UInt32Array::from(vec![5, 4, 5]));
    assert_eq!(contacts.email.columns, UInt32Array::from(vec![Some(6), None, None]));

    let (schema, batch) = table(
        &["Company", "Contact 1", "Email 1", "Contact 2", "Email 2"],
        &[&["Acacia", "Ann Lee", "", "Bo Ray", "bo@b.co"]],
    );
    let explicit = [
        ("Contact 1", "contact_names"),
        ("Contact 2", "contact_names"),
        ("Email 1", "contact_emails"),
        ("Email 2", "contact_emails"),
    ];
    let explicit = explicit.map(|(header, field)| (header.to_owned(), field.to_owned())).into();
    let mapping = map_columns(&schema, &batch, &MappingRules { explicit, ..MappingRules::default() });
    let contacts = contacts_of_batch(&mapping, &batch);
    assert_eq!(values(&contacts.name.values), ["Ann Lee", "Bo Ray"]);
    assert_eq!(values(&contacts.email.values), ["-", "bo@b.co"]);
}

#[test]
fn typed_columns_name_what_does_not_fit() {
    let mut rows: Vec<[String; 3]> =
        (0..30).map(|row| [row.to_string(), format!("{row},5"), format!("2025-01-{:02}", row % 28 + 1)]).collect();
    rows[7] = ["seven".into(), "N/A".into(), "31/31/2025".into()];
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
    let (schema, batch) = table(&["Count", "Amount", "Date"], &rows);
    assert_eq!(
        schema.columns.iter().map(|column| column.content.content_type).collect::<Vec<_>>(),
        [ContentType::Integer, ContentType::Number, ContentType::Date]
    );
    let (typed, diagnostics) = typed_batch(&schema, &batch).unwrap();
    assert_eq!(typed.column(1).as_primitive::<Int64Type>().value(8), 8);
    assert!((typed.column(2).as_primitive::<Float64Type>().value(8) - 8.5).abs() < 1e-12);
    assert_eq!(typed.column(3).data_type(), &DataType::Date32);
    let places: Vec<String> = diagnostics.iter().map(|diagnostic| diagnostic.location.to_string()).collect();
    assert_eq!(places, ["contacts.xlsx#Sheet!A9", "contacts.xlsx#Sheet!C9"]);
    assert!(typed.column(1).is_null(7) && typed.column(2).is_null(7) && typed.column(3).is_null(7));
    assert!(diagnostics.iter().all(|diagnostic| !diagnostic.message.contains("seven")));
}

#[test]
fn a_mapping_file_comes_back_as_it_was_written() {
    let (schema, batch) = table(
        &["School", "Contact\nperson \"x\"", "Phone", "Phone", "Wibsite", ""],
        &[&["Acacia", "Ann", "011 123 4567", "082 123 4567", "", ""]],
    );
    let mapping = map_columns(&schema, &batch, &aviation());
    let text = write_mapping_file([(&schema.id, &mapping)]);
    let file = MappingFile::parse(&text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    let explicit = file.columns_of(&schema.id).expect("the table is in the file").clone();
    let again = map_columns(&schema, &batch, &MappingRules { explicit, ..MappingRules::default() });
    assert_eq!(mapped(&again)[..4], mapped(&mapping)[..4], "{text}");
    let elsewhere = TableId { file: "sub/contacts.xlsx".into(), ..schema.id.clone() };
    assert!(file.columns_of(&elsewhere).is_some());
    assert!(file.columns_of(&TableId { sheet: None, ..schema.id.clone() }).is_none());
}

#[test]
fn mapping_files_are_read_strictly() {
    let unknown =
        MappingFile::parse("version = 1\n[[table]]\nfile = \"a.csv\"\ncolumns = { A = \"organisation_name\" }\n");
    let Err(MappingFileError::UnknownField { header, nearest, .. }) = &unknown else { panic!("{unknown:?}") };
    assert_eq!((header.as_str(), nearest.as_deref()), ("A", Some("organization_name")));
    assert!(matches!(MappingFile::parse("version = 1\nextra = 2\n"), Err(MappingFileError::Syntax(_))));
    assert!(matches!(MappingFile::parse("version = 9\n"), Err(MappingFileError::Version { version: 9 })));
}

/// The letters and digits of a text, sorted.
fn letters(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<char> {
    let mut letters: Vec<char> = texts
        .into_iter()
        .flat_map(|text| text.as_ref().chars().filter(|c| c.is_alphanumeric()).collect::<Vec<_>>())
        .collect();
    letters.sort_unstable();
    letters
}

proptest! {
    #[test]
    fn repaired_names_are_unique_and_stay(raw in prop::collection::vec(prop::option::of("(?s)[aA_ #\u{a0}\n1]{0,6}|name|Name__dup1|.{0,12}"), 0..12)) {
        let raw: Vec<Option<&str>> = raw.iter().map(Option::as_deref).collect();
        let names: Vec<String> = repair_headers(&raw).into_iter().map(|header| header.name).collect();
        let distinct: std::collections::HashSet<&String> = names.iter().collect();
        prop_assert_eq!(distinct.len(), names.len());
        let again: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
        let again: Vec<String> = repair_headers(&again).into_iter().map(|header| header.name).collect();
        prop_assert_eq!(again, names);
    }

    #[test]
    fn unpacking_people_loses_no_letter(cell in "([A-Z][a-z]{1,5}|[;|/&,()<>@. \n-]|[0-9]{3,9}){0,14}") {
        let mut people = Vec::new();
        unpack_people(&cell, &mut people);
        let parts = people.iter().flat_map(|person| [person.name, person.role, person.email, person.phone]).flatten();
        // What is gone must have been a placeholder or a joining word, and these have at most 16 letters.
        let (found, all) = (letters(parts), letters([&cell]));
        prop_assert!(found.len() <= all.len());
        if !cell.split(|c: char| !c.is_alphanumeric()).any(|word| ["x", "xx", "xxx", "na", "nil", "none", "nan", "tbd", "tba", "tbc", "null", "a", "n", "empty", "blank", "and"].contains(&word.to_lowercase().as_str())) {
            prop_assert_eq!(found, all, "{:?}", people);
        }
    }

    #[test]
    fn unpacking_phones_loses_no_digit(cell in "([0-9]{1,11}|[+;|/&, ()\n-]| or | and |ext ){0,14}") {
        let mut phones = Vec::new();
        unpack_phones(&cell, &mut phones);
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        prop_assert_eq!(phones.iter().flatten().map(|phone| digits(phone)).collect::<String>(), digits(&cell));
    }

    #[test]
    fn unpacking_emails_loses_no_digit(cell in "([0-9]{1,4}|[0-9]@[0-9]b\\.co|[;|/,<> \n]| or ){0,14}") {
        let mut people = Vec::new();
        unpack_emails(&cell, &mut people);
        let digits = |texts: Vec<&str>| { let mut all: Vec<char> = texts.join("").chars().filter(char::is_ascii_digit).collect(); all.sort_unstable(); all };
        let parts = people.iter().flat_map(|person| [person.name, person.email]).flatten().collect();
        prop_assert_eq!(digits(parts), digits(vec![&cell]));
    }

    #[test]
    fn the_canonical_batch_keeps_rows(cells in prop::collection::vec(prop::collection::vec("[a-c@.; 0-9(]{0,12}", 4), 0..20)) {
        let rows: Vec<Vec<&str>> = cells.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
        let (schema, batch) = table(&["Company", "Contact", "Phone", "Email"], &rows);
        let mapping = map_columns(&schema, &batch, &MappingRules::default());
        let canonical = canonical_batch(&mapping, &schema, &batch).unwrap();
        prop_assert_eq!(canonical.num_rows(), batch.num_rows());
        prop_assert_eq!(canonical.column(0), batch.column(0));
        let (_, diagnostics) = typed_batch(&schema, &batch).unwrap();
        prop_assert!(diagnostics.len() <= 21 * 4);
    }

    #[test]
    fn no_value_breaks_the_recognisers(value in "(?s).{0,40}", header in ".{0,10}") {
        let values = StringArray::from(vec![value.as_str(); 3]);
        let content = infer_content(&values, &CellKinds::default(), &header);
        prop_assert!((0.0..=1.0).contains(&content.confidence));
        let (schema, batch) = table(&[&header, "Email", "Date"], &[&[&value, &value, &value]]);
        typed_batch(&schema, &batch).unwrap();
        let mapping = map_columns(&schema, &batch, &MappingRules::default());
        canonical_batch(&mapping, &schema, &batch).unwrap();
    }
}
