//! The messy workbooks: exactly the rows of the truth are found.

use std::collections::BTreeSet;

use hotpass_ingest::{ReadOptions, discover, open_file, source::DiscoverOptions};

use super::{read, test_data};

#[test]
fn exactly_the_data_rows_are_found() {
    let Some(folder) = test_data("generated/hotpass_like") else { return };
    let truth = std::fs::read_to_string(folder.join("truth.csv")).unwrap();
    let expected: BTreeSet<(String, String, u32)> = truth
        .lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.split(',');
            let mut next = || fields.next().unwrap().to_owned();
            (next(), next(), next().parse().unwrap())
        })
        .collect();
    assert_eq!(expected.len(), 1733);
    let options = ReadOptions {
        header_hints: ["organisation name", "company", "name", "school", "email", "phone", "province"]
            .map(str::to_owned)
            .to_vec(),
        ..ReadOptions::default()
    };
    let discovery = discover(&[folder.join("*.xlsx")], &DiscoverOptions::default()).unwrap();
    assert_eq!(
        discovery.files.iter().map(|file| &*file.name).collect::<Vec<_>>(),
        ["contacts.xlsx", "outreach.xlsx", "register.xlsx"]
    );
    let (mut found, mut other, mut skipped) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let not_organisations = ["Issues", "Lists", "Admin", "Sheet1"];
    for file in &discovery.files {
        let opened = open_file(file, &options).unwrap();
        skipped.extend(opened.skipped.iter().filter_map(|skipped| skipped.id.sheet.as_ref().map(ToString::to_string)));
        for table in opened.tables {
            let cells = read(table).unwrap();
            let sheet = cells.schema.id.sheet.as_ref().unwrap().to_string();
            if not_organisations.contains(&sheet.as_str()) {
                other.insert(sheet);
                continue;
            }
            found.extend(cells.rows.iter().map(|(row, _)| (file.name.to_string(), sheet.clone(), *row)));
            if sheet == "CAA" {
                assert_eq!(cells.schema.header_row, Some(2));
                assert!(cells.has("ingest.rows.section"));
            }
            if sheet == "Organisation" {
                let id = cells.schema.columns.iter().find(|column| column.name == "id").unwrap();
                assert!(id.cell_kinds.formula_without_value > 700, "{:?}", id.cell_kinds);
            }
        }
    }
    let missing: Vec<_> = expected.difference(&found).take(5).collect();
    let surplus: Vec<_> = found.difference(&expected).take(5).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing {missing:?}, surplus {surplus:?}");
    assert!(skipped.contains("Lists") && skipped.contains("Sheet1"), "{skipped:?}");
    assert!(other.contains("Issues"), "{other:?}");
}
