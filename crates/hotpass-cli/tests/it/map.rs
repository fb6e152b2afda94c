//! `hotpass map`: a file that a person edits and every command takes back.

use crate::inspect::clubs;
use crate::sandbox::Sandbox;

fn refined(sandbox: &Sandbox, name: &str, arguments: &[&str]) -> String {
    let dist = format!("{name}-dist");
    let output = format!("{name}.csv");
    let mut all = vec!["refine", "in/clubs.csv", "--dist-dir", &dist, "--output-path", &output];
    all.extend(arguments);
    let outcome = sandbox.run(&all);
    assert_eq!(outcome.code, 0, "{outcome}");
    std::fs::read_to_string(sandbox.path(&output)).expect("the published table")
}

#[test]
fn the_mapping_is_a_file_to_edit() {
    let sandbox = clubs();
    insta::assert_snapshot!(sandbox.run(&["map", "in", "--output", "mapping.toml"]));
    insta::assert_snapshot!(std::fs::read_to_string(sandbox.path("mapping.toml")).expect("the mapping"));
}

#[test]
fn edits_are_not_overwritten() {
    let sandbox = clubs();
    sandbox.write("mapping.toml", "version = 1\n");
    insta::assert_snapshot!(sandbox.run(&["map", "in", "--output", "mapping.toml"]));
    assert_eq!(sandbox.run(&["map", "in", "--output", "mapping.toml", "--force"]).code, 0);
}

#[test]
fn a_run_takes_it_back_unchanged_and_edited() {
    let sandbox = clubs();
    assert_eq!(sandbox.run(&["map", "in", "--output", "mapping.toml"]).code, 0);
    let plain = refined(&sandbox, "plain", &[]);
    let columns = |table: &str| -> Vec<Vec<String>> {
        // Run identifiers and other columns of the run differ only with the configuration; the fields are what is compared.
        let mut lines = table.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        let header = lines.next().unwrap_or_default();
        let wanted = [
            "organization_name",
            "province",
            "organization_category",
            "contact_primary_email",
            "contact_primary_phone",
        ];
        let positions: Vec<usize> =
            wanted.iter().filter_map(|name| header.iter().position(|column| column == name)).collect();
        assert_eq!(positions.len(), wanted.len(), "{header:?}");
        lines.map(|line| positions.iter().filter_map(|&position| line.get(position).cloned()).collect()).collect()
    };
    let unchanged = refined(&sandbox, "unchanged", &["--mapping", "mapping.toml"]);
    assert_eq!(columns(&unchanged), columns(&plain));

    let mapping = std::fs::read_to_string(sandbox.path("mapping.toml")).expect("the mapping");
    let line = mapping.lines().find(|line| line.contains("\"Hull\"")).expect("a line for the column without a field");
    sandbox.write("mapping.toml", mapping.replace(line, "\"Hull\" = \"category\""));
    let edited = refined(&sandbox, "edited", &["--mapping", "mapping.toml"]);
    assert!(!plain.contains("blue") && edited.to_lowercase().contains("blue"), "{edited}");
    let configured = refined(&sandbox, "configured", &["--set", "ingest.mapping_files=[\"mapping.toml\"]"]);
    assert_eq!(columns(&configured), columns(&edited));

    sandbox.write("mapping.toml", mapping.replace(line, "\"Hull\" = \"categry\""));
    for command in ["refine", "inspect"] {
        let refused = sandbox.run(&[command, "in/clubs.csv", "--mapping", "mapping.toml"]);
        assert_eq!(refused.code, 2, "{refused}");
        assert!(refused.stderr.contains("did you mean `category`?"), "{refused}");
    }
}
