//! `hotpass inspect`: what a stranger sees of a file.

use crate::sandbox::Sandbox;

/// Clubs with a title above the header, a contact column, one without a field, and a list that is no data.
pub(crate) fn clubs() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(
        "in/clubs.csv",
        "Clubs of the coast;;;;\n;;;;\nCompany Name;E-mail;Tel No;Hull;Region\n\
         Tern Sailing Club;desk@tern.example;021 555 0142;blue;Western Cape\n\
         Gannet Rowing Club;office@gannet.example;031 555 0178;red;KwaZulu-Natal\n\
         Petrel Flying Club;;041 555 0111;blue;Eastern Cape\n",
    );
    sandbox.write("in/colours.csv", "Colour,Code\nblue,1\nred,2\ngreen,3\n");
    sandbox
}

#[test]
fn tables_columns_and_meanings_are_shown() {
    insta::assert_snapshot!(clubs().run(&["inspect", "in"]));
}

#[test]
fn values_are_shown_only_when_asked_for() {
    let sandbox = clubs();
    for format in ["table", "json"] {
        let masked = sandbox.run(&["inspect", "in", "--format", format]);
        assert_eq!(masked.code, 0, "{masked}");
        assert!(
            !masked.stdout.contains("tern.example")
                && !masked.stdout.contains("Gannet")
                && !masked.stdout.contains("0142"),
            "{masked}"
        );
        let shown = sandbox.run(&["inspect", "in", "--format", format, "--show-values"]);
        assert!(shown.stdout.contains("desk@tern.example"), "{shown}");
    }
}

#[test]
fn json_holds_what_the_table_shows() {
    let outcome = clubs().run(&["inspect", "in/clubs.csv", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let table = &found["files"][0]["tables"][0];
    assert_eq!(table["header_row"], 3, "{outcome}");
    assert_eq!(table["rows"], 3);
    assert_eq!(table["is_data"], true);
    let emails = &table["columns"][1];
    assert_eq!(emails["letters"], "B");
    assert_eq!(emails["mapping"]["field"], "contact_emails");
    assert_eq!(emails["profile"]["present"], 2);
    assert_eq!(emails["profile"]["masked"], true);
}

#[test]
fn a_limit_at_the_last_row_cuts_nothing_short() {
    let sandbox = clubs();
    let check = |rows: &str, expected_rows: u64, all_rows_read: bool| {
        let outcome = sandbox.run(&["inspect", "in/clubs.csv", "--format", "json", "--rows", rows]);
        let found: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        let table = &found["files"][0]["tables"][0];
        assert_eq!((&table["rows"], &table["all_rows_read"]), (&expected_rows.into(), &all_rows_read.into()), "{rows}");
    };
    check("2", 2, false);
    check("3", 3, true);
    check("4", 3, true);
    check("0", 0, false);
}

#[test]
fn nothing_to_show_is_a_usage_error() {
    let sandbox = Sandbox::new();
    sandbox.write("in/empty.csv", "");
    insta::assert_snapshot!(sandbox.run(&["inspect", "in"]));
    assert_eq!(sandbox.run(&["inspect", "nowhere.csv"]).code, 2);
}

#[test]
fn sheets_of_real_shape_are_mapped_without_help() {
    let root = std::env::var_os("HOTPASS_TEST_DATA").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        std::path::PathBuf::from,
    );
    let folder = root.join("generated/hotpass_like");
    if !folder.is_dir() {
        println!("skipped: test data `generated/hotpass_like` is absent; set HOTPASS_TEST_DATA");
        return;
    }
    let sandbox = Sandbox::new();
    for profile in ["generic", "aviation"] {
        let outcome = sandbox.run_in(&folder, &["inspect", ".", "--profile", profile, "--format", "json"]);
        let found: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        insta::assert_snapshot!(format!("mapping_of_workbooks_{profile}"), mappings(&found));
    }
}

/// Returns a line for each sheet that is read as data, with its columns and their fields, and one for each other.
fn mappings(found: &serde_json::Value) -> String {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let mut lines = Vec::new();
    for file in list(&found["files"]).iter().filter(|file| text(&file["name"]).contains(".xlsx")) {
        for table in list(&file["tables"]) {
            let place = format!("{} {}", text(&file["name"]), text(&table["sheet"]));
            if table["is_data"] != true {
                lines.push(format!("{place}: {}", text(&table["not_data_because"])));
                continue;
            }
            lines.push(format!("{place}:"));
            for column in list(&table["columns"]) {
                let mapping = &column["mapping"];
                let header = text(&mapping["header"]);
                let suggestion =
                    mapping["suggestion"].as_str().map(|field| format!(" (or {field}?)")).unwrap_or_default();
                lines.push(format!("  {header} = {}{suggestion}", text(&mapping["field"])));
            }
        }
        lines.extend(
            list(&file["skipped"])
                .iter()
                .map(|skipped| format!("{} skipped: {}", text(&file["name"]), text(&skipped["reason"]))),
        );
    }
    lines.join("\n")
}
