//! Evidence that holds: signatures, ledgers, and cells that are traced from wherever their file is.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::sandbox::Sandbox;

/// Makes a workspace with keys and a signed, archived run, and returns the run's folder.
fn signed_run(sandbox: &Sandbox, output: &str) -> PathBuf {
    sandbox.write(
        "data/works.csv",
        "organization_name,email,phone,website,city\n\
         Acacia Works, INFO@Acacia.example ,+442079460018,https://acacia.example,Leeds\n\
         Acacia Works,other@acacia.example,+442079460018,https://acacia.example,York\n\
         Baobab Hall,hall@baobab.example,+442079460019,https://baobab.example,York\n",
    );
    if !sandbox.path("keys").exists() {
        let outcome = sandbox.run(&["keygen", "--out", "keys"]);
        assert_eq!(outcome.code, 0, "{outcome}");
    }
    let key = "file:keys/hotpass.key.pem";
    let arguments = [
        "refine",
        "data",
        "-o",
        output,
        "--country-code",
        "GB",
        "--signing-key",
        key,
        "--archive",
        "--no-probabilistic",
    ];
    let outcome = sandbox.run(&arguments);
    assert!(matches!(outcome.code, 0 | 3), "{outcome}");
    let id = std::fs::read_to_string(sandbox.path("dist/runs/latest")).expect("the latest run");
    sandbox.path("dist/runs").join(id.trim())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn keys_are_private_and_never_overwritten() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["keygen", "--out", "keys"]).code, 0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(sandbox.path("keys/hotpass.key.pem")).expect("the key").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let before = std::fs::read(sandbox.path("keys/hotpass.key.pem")).expect("the key");
    let again = sandbox.run(&["keygen", "--out", "keys"]);
    assert_eq!(again.code, 2, "{again}");
    assert_eq!(std::fs::read(sandbox.path("keys/hotpass.key.pem")).expect("the key"), before);
    assert_eq!(sandbox.run(&["keygen", "--out", "other/release.pem"]).code, 0);
    assert!(sandbox.path("other/release.pub.pem").is_file());
    let outcome = sandbox.run(&["refine", "data", "--signing-key", "MC4CAQAwBQYDK2Vw"]);
    assert_eq!(outcome.code, 2, "{outcome}");
    assert!(!outcome.to_string().contains("MC4CAQ"), "a key is repeated: {outcome}");
}

#[test]
fn a_changed_byte_in_any_file_is_named() {
    let sandbox = Sandbox::new();
    let run = signed_run(&sandbox, "out/refined.xlsx");
    let verify = || sandbox.run(&["verify", "--key", "keys/hotpass.pub.pem", "--require-signature"]);
    let outcome = verify();
    assert_eq!(outcome.code, 0, "{outcome}");
    let mut checked = files(&run);
    checked.extend(files(&sandbox.path("out")));
    checked.push(sandbox.path("dist/ledger.ndjson"));
    assert!(checked.len() >= 17, "{checked:?}");
    for (number, path) in checked.iter().enumerate() {
        let original = std::fs::read(path).expect("the file");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let mut changed = original.clone();
        // Another place in each file, spread over its length.
        let position = (original.len() - 1) * (number % 7) / 6;
        changed[position] ^= 1 << (number % 7);
        sandbox.write(&path.strip_prefix(sandbox.path("")).expect("in the sandbox").to_string_lossy(), &changed);
        let outcome = verify();
        assert_eq!(outcome.code, 3, "byte {position} of {name}: {outcome}");
        let named = outcome.stdout.lines().any(|line| line.starts_with("FAILED") && line.contains(&name))
            || outcome.stderr.contains(&name);
        assert!(named, "byte {position} of {name} is found and not named: {outcome}");
        std::fs::write(path, original).expect("the file");
    }
    assert_eq!(verify().code, 0);
}

#[test]
fn what_is_cut_off_removed_or_signed_by_another_is_found() {
    let sandbox = Sandbox::new();
    let run = signed_run(&sandbox, "refined.csv");
    let original = std::fs::read_to_string(run.join("ledger.ndjson")).expect("the ledger");
    for kept in 0..original.lines().count() {
        let cut: String = original.split_inclusive('\n').take(kept).collect();
        std::fs::write(run.join("ledger.ndjson"), cut).expect("the ledger");
        let outcome = sandbox.run(&["verify"]);
        assert_eq!(outcome.code, 3, "{kept} entries left: {outcome}");
        assert!(outcome.stdout.contains("ledger.ndjson"), "{outcome}");
    }
    std::fs::write(run.join("ledger.ndjson"), &original).expect("the ledger");

    assert_eq!(sandbox.run(&["keygen", "--out", "others"]).code, 0);
    let other = sandbox.run(&["verify", "--key", "others/hotpass.pub.pem"]);
    assert_eq!(other.code, 3, "{other}");
    assert!(other.stdout.contains("No signature is that of key"), "{other}");
    std::fs::rename(run.join("attestation.json"), run.with_file_name("kept.json")).expect("the attestation");
    assert_eq!(sandbox.run(&["verify"]).code, 3, "a signature that is recorded is missed");
    std::fs::rename(run.with_file_name("kept.json"), run.join("attestation.json")).expect("the attestation");

    let archive = files(&sandbox.path("dist")).into_iter().find(|path| path.extension().is_some_and(|e| e == "zip"));
    let archive = archive.expect("the archive").display().to_string();
    let outcome = sandbox.run(&["verify", &archive, "--key", "keys/hotpass.pub.pem", "--require-signature"]);
    assert_eq!(outcome.code, 0, "{outcome}");

    let workspace = ["verify", "--workspace", "--key", "keys/hotpass.pub.pem", "--require-signature"];
    let whole = sandbox.run(&workspace);
    assert_eq!(whole.code, 0, "{whole}");
    // The ledger of the workspace is emptied, cut off, or taken away; a file of a run is changed.
    let workspace_ledger = sandbox.path("dist/ledger.ndjson");
    let all = std::fs::read_to_string(&workspace_ledger).expect("the workspace's ledger");
    for kept in 0..all.lines().count() {
        let cut: String = all.split_inclusive('\n').take(kept).collect();
        std::fs::write(&workspace_ledger, cut).expect("the workspace's ledger");
        let outcome = sandbox.run(&workspace);
        assert_eq!(outcome.code, 3, "{kept} entries left: {outcome}");
    }
    std::fs::remove_file(&workspace_ledger).expect("the workspace's ledger");
    let outcome = sandbox.run(&workspace);
    assert!(outcome.code == 3 && outcome.stdout.contains("is missing"), "{outcome}");
    std::fs::write(&workspace_ledger, &all).expect("the workspace's ledger");
    let report = std::fs::read(run.join("report.html")).expect("the report");
    std::fs::write(run.join("report.html"), "changed").expect("the report");
    let outcome = sandbox.run(&workspace);
    assert!(outcome.code == 3 && outcome.stdout.contains("artefact report.html"), "{outcome}");
    std::fs::write(run.join("report.html"), report).expect("the report");
    assert_eq!(sandbox.run(&workspace).code, 0);
    std::fs::rename(run.join("manifest.json"), sandbox.path("kept.json")).expect("the manifest");
    for arguments in [&["verify"][..], &workspace] {
        let outcome = sandbox.run(arguments);
        assert!(outcome.code == 3 && format!("{outcome}").contains("manifest"), "{outcome}");
    }
    std::fs::rename(sandbox.path("kept.json"), run.join("manifest.json")).expect("the manifest");
    std::fs::remove_dir_all(&run).expect("the run");
    let outcome = sandbox.run(&["verify", "--workspace"]);
    assert_eq!(outcome.code, 3, "{outcome}");
    assert!(outcome.stdout.contains("its folder is missing"), "{outcome}");
}

#[test]
fn a_ledger_repeats_to_the_byte() {
    let (first, second) = (Sandbox::new(), Sandbox::new());
    let bytes = |sandbox: &Sandbox| {
        let run = signed_run(sandbox, "refined.csv");
        std::fs::read(run.join("ledger.ndjson")).expect("the ledger")
    };
    let once = bytes(&first);
    assert_eq!(once, bytes(&first), "in the same workspace");
    assert_eq!(first.run(&["verify", "--workspace"]).code, 0, "a run that is done again is no broken one");
    sandbox_keys(&first, &second);
    assert_eq!(once, bytes(&second), "in another workspace");
}

fn sandbox_keys(from: &Sandbox, to: &Sandbox) {
    for name in ["keys/hotpass.key.pem", "keys/hotpass.pub.pem"] {
        to.write(name, std::fs::read(from.path(name)).expect("the key"));
    }
}

#[test]
fn an_unsigned_run_says_so() {
    let sandbox = Sandbox::new();
    sandbox.write("data/works.csv", "organization_name,city\nAcacia Works,Leeds\n");
    assert!(matches!(sandbox.run(&["refine", "data"]).code, 0 | 3));
    let outcome = sandbox.run(&["verify"]);
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(outcome.stdout.contains("The run is not signed"), "{outcome}");
    assert_eq!(sandbox.run(&["keygen", "--out", "keys"]).code, 0);
    assert_eq!(sandbox.run(&["verify", "--key", "keys/hotpass.pub.pem", "--require-signature"]).code, 3);
}

#[test]
fn files_are_signed_and_checked() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["keygen", "--out", "keys"]).code, 0);
    sandbox.write("release/hotpass", "a binary");
    sandbox.write("Cargo.lock", "a lock");
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let outcome = sandbox.run(&[
        "attest",
        "release/hotpass",
        "--signing-key",
        "file:keys/hotpass.key.pem",
        "--commit",
        commit,
        "--repository",
        "https://example.org/hotpass",
        "--dependency",
        "Cargo.lock",
    ]);
    assert_eq!(outcome.code, 0, "{outcome}");
    let verify = || {
        let arguments = ["verify", "release/hotpass.intoto.json", "--key", "keys/hotpass.pub.pem", "--format", "json"];
        sandbox.run(&arguments)
    };
    assert_eq!(verify().code, 0, "{}", verify());
    sandbox.write("release/hotpass", "another binary");
    let outcome = verify();
    assert_eq!(outcome.code, 3, "{outcome}");
    assert!(outcome.stdout.contains("subject hotpass"), "{outcome}");
}

#[test]
fn a_file_that_was_moved_leads_to_its_source_cells() {
    let sandbox = Sandbox::new();
    for output in ["refined.xlsx", "refined.csv", "refined.parquet", "refined.json", "refined.ndjson"] {
        signed_run(&sandbox, output);
        let moved = format!("elsewhere/{output}");
        sandbox.write(&moved, std::fs::read(sandbox.path(output)).expect("the output"));
        // A later run is the latest, so that the file's own run must be found.
        let latest = sandbox.run(&["refine", "data", "-o", "later.csv", "--country-code", "GB"]);
        assert!(matches!(latest.code, 0 | 3), "{latest}");
        let outcome = sandbox.run_in(
            &sandbox.path("elsewhere"),
            &["explain-provenance", output, "--row", "1", "--dist-dir", "../dist", "--json"],
        );
        assert_eq!(outcome.code, 0, "{output}: {outcome}");
        assert!(!outcome.stderr.contains("is not as run"), "{output}: {outcome}");
        let explanation: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        assert_eq!(explanation["organization_name"], "Acacia Works", "{output}");
        let fields = explanation["fields"].as_array().expect("fields");
        let email = fields.iter().find(|field| field["field"] == "contact_primary_email").expect("the address");
        assert_eq!(email["winner"]["file"], "works.csv", "{output}");
        assert_eq!(email["winner"]["row"], 2, "{output}");
        assert!(email["winner"]["raw_value"].as_str().is_some_and(|raw| raw.contains("INFO@Acacia")), "{output}");
        let steps = email["winner"]["steps"].as_array().expect("steps");
        assert!(steps.iter().any(|step| step.as_str().is_some_and(|step| step.starts_with("email."))), "{steps:?}");
    }
    // Rows that a person has sorted are found by their entity.
    let text = std::fs::read_to_string(sandbox.path("refined.csv")).expect("the table");
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    sandbox.write("elsewhere/sorted.csv", lines.join("\n") + "\n");
    let outcome = sandbox.run(&["explain-provenance", "elsewhere/sorted.csv", "--row", "1"]);
    assert!(outcome.stdout.starts_with("Baobab Hall"), "{outcome}");
    assert!(outcome.stderr.contains("is not as run"), "{outcome}");
    sandbox.write("elsewhere/strange.csv", "a,b\n1,2\n");
    assert_eq!(sandbox.run(&["explain-provenance", "elsewhere/strange.csv", "--row", "1"]).code, 2);
}

#[test]
fn a_run_is_told_in_the_words_of_the_w3c() {
    let sandbox = Sandbox::new();
    signed_run(&sandbox, "refined.csv");
    let whole = sandbox.run(&["explain-provenance", "--format", "prov-json"]);
    assert_eq!(whole.code, 0, "{whole}");
    let whole: Value = serde_json::from_str(&whole.stdout).expect("JSON");
    assert_eq!(whole["entity"]["run:input-0"]["prov:label"], "works.csv");
    assert!(whole["wasDerivedFrom"].as_object().is_some_and(|relations| relations.len() >= 3), "{whole:#}");
    let row = sandbox.run(&["explain-provenance", "--row", "1", "--format", "prov-json"]);
    let row: Value = serde_json::from_str(&row.stdout).expect("JSON");
    assert_eq!(row["entity"]["run:row-0"]["prov:label"], "Acacia Works");
}
