//! A steward's day: a broken sheet, its correction, a row that is let through, and a signed run that holds.

use std::path::PathBuf;

use crate::sandbox::Sandbox;

const PROFILE: &str = r#"profile:
  name: stewards
  default_country_code: ZA
  contracts: [contracts/members.json]
  sources:
    - name: workbook
      pattern: "*club*.xlsx"
      sheet_contracts: {MEMBERS: members}
"#;

const CONTRACT: &str = r#"{
  "hotpass_contract": 1, "name": "members", "version": "1.0.0",
  "fields": [{"name": "Organisation Name", "nullable": false}, {"name": "E-mail", "format": "email"}],
  "rows": {"min": 2}
}"#;

/// Writes a workbook whose sheet `Members` has the given header above the names.
fn workbook(sandbox: &Sandbox, header: &str) {
    let mut book = rust_xlsxwriter::Workbook::new();
    for (sheet, header) in [("Members", header), ("Others", "Organisation Name")] {
        let rows = [
            [header, "E-mail"],
            ["Tern Sailing Club", "desk@tern.example"],
            ["Gannet Rowing Club", "desk at gannet"],
            ["Petrel Flying Club", "desk@petrel.example"],
        ];
        let sheet = book.add_worksheet().set_name(sheet).expect("the name is free");
        for (row, cells) in rows.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                sheet.write_string(row as u32, column as u16, *cell).expect("the cell can be written");
            }
        }
    }
    sandbox.write("in/clubs.xlsx", book.save_to_buffer().expect("the workbook can be written"));
}

fn latest(sandbox: &Sandbox) -> PathBuf {
    let id = std::fs::read_to_string(sandbox.path("dist/runs/latest")).expect("the latest run");
    sandbox.path("dist/runs").join(id.trim())
}

fn ledger(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(latest(sandbox).join("ledger.ndjson")).expect("the ledger of the run")
}

#[test]
fn a_sheet_is_broken_corrected_released_signed_and_verified() {
    let sandbox = Sandbox::new();
    sandbox.write("profiles/stewards.yaml", PROFILE);
    sandbox.write("contracts/members.json", CONTRACT);
    assert_eq!(sandbox.run(&["keygen", "--out", "keys"]).code, 0);
    let refine =
        ["refine", "in", "-o", "out.csv", "--profile", "stewards", "--signing-key", "file:keys/hotpass.key.pem"];
    let verify = ["verify", "--key", "keys/hotpass.pub.pem", "--require-signature"];

    // The header of one sheet is gone: the run says so, and publishes what the other sheet has.
    workbook(&sandbox, "Nm");
    let broken = sandbox.run_at(1_700_000_000, &refine);
    assert_eq!(broken.code, 3, "{broken}");
    assert!(broken.stderr.contains("clubs.xlsx#Members: Column `Organisation Name` is not there"), "{broken}");
    assert!(!broken.stderr.contains("0 rows"), "rows that were not read are not counted\n{broken}");
    assert!(sandbox.path("out.csv").is_file() && latest(&sandbox).join("quarantine.parquet").is_file());
    assert!(ledger(&sandbox).contains("contract.checked"), "{}", ledger(&sandbox));
    assert_eq!(sandbox.run(&verify).code, 0, "a run that did not pass is signed and whole all the same");

    // The sheet is put right; one row still breaks the contract, and only that one is held back.
    workbook(&sandbox, "Organisation Name");
    let corrected = sandbox.run_at(1_700_000_100, &refine);
    assert_eq!(corrected.code, 0, "{corrected}");
    assert!(corrected.stdout.contains("6 rows from 2 tables"), "{corrected}");
    assert!(corrected.stdout.contains("1 row is in quarantine"), "the other sheet has no contract\n{corrected}");
    let row = "clubs.xlsx#Members!3";
    assert!(sandbox.run(&["quarantine", "list", "--rows"]).stdout.contains(row));

    // The steward knows better, says so, and the next run publishes the row.
    let release =
        ["quarantine", "release", "--row", row, "--decision", "Asked by telephone", "--operator", "Members' desk"];
    let released = sandbox.run_at(1_700_000_200, &release);
    assert_eq!(released.code, 0, "{released}");
    let whole = sandbox.run_at(1_700_000_300, &refine);
    assert_eq!(whole.code, 0, "{whole}");
    assert!(whole.stdout.contains("0 rows are in quarantine") && whole.stdout.contains(row), "{whole}");
    assert!(ledger(&sandbox).contains("quarantine.released"), "{}", ledger(&sandbox));
    let verified = sandbox.run(&verify);
    assert_eq!(verified.code, 0, "{verified}");
    let all = sandbox.run(&["verify", "--workspace"]);
    assert_eq!(all.code, 0, "{all}");

    // Nobody can take the decision back unseen.
    let path = sandbox.path("dist/ledger.ndjson");
    let text = std::fs::read_to_string(&path).expect("the workspace's ledger");
    let without: String = text.split_inclusive('\n').filter(|line| !line.contains("quarantine.released")).collect();
    assert_ne!(text, without);
    sandbox.write("dist/ledger.ndjson", without);
    let missing = sandbox.run(&["verify", "--workspace"]);
    assert_eq!(missing.code, 3, "{missing}");
    assert!(missing.stdout.contains("ledger.ndjson"), "{missing}");
}
