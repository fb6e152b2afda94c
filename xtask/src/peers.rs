//! Comparisons with what users could pick instead. Each installs what it needs under `target/peers`.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ci::{attested_release, hotpass};
use crate::process::{command, output, read, root, run};
use crate::references::{binary, target};

/// People that the speed comparison invents where nothing else is asked for: minutes, not an hour.
pub(crate) const PEOPLE: u64 = 200_000;

/// Fixtures that Splink wrote, each with the script that writes it.
const SPLINK_FIXTURES: &[(&str, &str)] = &[
    (
        "crates/hotpass-resolve/tests/peers/comparison_levels.py",
        "crates/hotpass-resolve/tests/fixtures/comparison_levels.json",
    ),
    ("crates/hotpass-resolve/tests/data/splink_library.py", "crates/hotpass-resolve/tests/data/splink_library.json"),
];

/// The fixture that Great Expectations wrote, with the script that writes it.
const EXPECTATIONS_FIXTURE: &[(&str, &str)] = &[(
    "crates/hotpass-quality/tests/fixtures/write_gx_results.py",
    "crates/hotpass-quality/tests/fixtures/great_expectations.json",
)];

/// What the comparisons work with.
struct Setting {
    /// Folder of the test data, which may not be there.
    data: PathBuf,
    /// People that are invented for the comparison of speed.
    people: u64,
}

/// A comparison: its name, and what runs it.
type Comparison = (&'static str, fn(&Setting) -> Result<(), String>);

/// The comparisons, the short ones first.
const COMPARISONS: &[Comparison] = &[
    ("verifiers", |_| verifiers()),
    ("expectations", |setting| expectations(&setting.data)),
    ("contracts", |setting| contracts(&setting.data)),
    ("personal-data", |_| personal_data()),
    ("workbooks", workbooks),
    ("splink", splink),
    ("config", |_| {
        run(command("cargo bench --package hotpass-benches --features peers --bench config_merge -- --quick"))
    }),
];

/// Runs the named comparisons, or all, and names those that failed; what needs test data is left out, with a word, where there is none.
pub(crate) fn compare(names: &[&str], people: u64) -> Result<(), String> {
    if let Some(unknown) = names.iter().find(|name| COMPARISONS.iter().all(|(known, _)| known != *name)) {
        let known: Vec<&str> = COMPARISONS.iter().map(|(name, _)| *name).collect();
        return Err(format!("No comparison `{unknown}`; they are {}", known.join(", ")));
    }
    let data = std::env::var_os("HOTPASS_TEST_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let setting = Setting { data, people };
    let mut failed = Vec::new();
    for (name, comparison) in COMPARISONS.iter().filter(|(name, _)| names.is_empty() || names.contains(name)) {
        println!("\n-- {name}");
        if let Err(error) = comparison(&setting) {
            println!("FAILED {name}: {error}");
            failed.push(*name);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("Comparisons failed: {}", failed.join(", "))) }
}

/// Returns whether there is test data, and says so where there is none.
fn there_is(data: &Path, for_what: &str) -> bool {
    let there = data.is_dir();
    if !there {
        println!("skipped: {for_what}, since there is no test data in `{}`", data.display());
    }
    there
}

/// Makes a Python environment of its own with packages, unless it can import them already, and gives its interpreter.
fn python(name: &str, probe: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let environment = root().join("target/peers").join(name);
    let python = environment.join("bin/python");
    if !python.is_file() {
        let mut create = command("python3 -m venv");
        create.arg(&environment);
        run(create)?;
    }
    if output(script(&python, ["-c", probe])).is_err() {
        run(script(&python, ["-m", "pip", "install", "--quiet"].iter().chain(packages)))?;
    }
    Ok(python)
}

fn script(python: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut script = Command::new(python);
    // Sets come in the same order each time, so that what a peer prints can be compared.
    script.args(arguments).current_dir(root()).env("PYTHONHASHSEED", "0");
    script
}

/// Lets openlineage-python, the reference producer, build the events of runs anew, and gives what it says.
pub(crate) fn reference_producer(events: &[PathBuf], report: &Path) -> Result<String, String> {
    let python = python("openlineage", "import openlineage.client.event_v2", &["openlineage-python==1.54.0"])?;
    let mut rebuild = script(&python, ["crates/hotpass-lineage/tests/peers/reference_producer.py"]);
    rebuild.args(events).arg("--json").arg(report);
    output(rebuild)
}

/// Holds the recognisers of personal data beside Presidio's, on a labelled set that the tests invent.
fn personal_data() -> Result<(), String> {
    run(command("cargo test --package hotpass-privacy --test it accuracy"))?;
    let python = python("presidio", "import presidio_analyzer, spacy", &["presidio-analyzer==2.2.366"])?;
    let mut compare = script(&python, ["crates/hotpass-privacy/tests/peers/compare_presidio.py"]);
    compare.arg(target().join("tmp/personal_data.ndjson"));
    run(compare)
}

/// Lets the tools of others check what a run and a release say of themselves: signatures, provenance, lineage, bill of materials.
fn verifiers() -> Result<(), String> {
    const SCRIPTS: &str = "crates/hotpass-provenance/tests/peers";
    let python = python(
        "provenance",
        "import securesystemslib.dsse, in_toto_attestation, prov, cyclonedx.validation.json, jsonschema",
        &[
            "securesystemslib[crypto]==1.6.0",
            "in-toto-attestation==0.9.3",
            "prov==3.2.3",
            "cyclonedx-python-lib[json-validation]==11.12.0",
        ],
    )?;
    let folder = root().join("target/peers/evidence");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let release = attested_release(&folder)?;
    let key = folder.join("keys/hotpass.pub.pem");
    let check = |name: &str, arguments: &[&Path]| {
        run(script(&python, [format!("{SCRIPTS}/{name}")].iter().map(Path::new).chain(arguments.iter().copied())))
    };
    check("verify_attestation.py", &[&release, &key])?;
    check("validate_sbom.py", &[&release.with_file_name("hotpass.cdx.json")])?;
    let demo = folder.join("demo");
    hotpass(&folder, &["demo", "--path", "demo"])?;
    hotpass(&demo, &["refine", "--quiet", "--signing-key", "file:../keys/hotpass.key.pem"])?;
    for (file, row) in [("run.prov.json", &[] as &[&str]), ("row.prov.json", &["--row", "12"])] {
        let explain = ["explain-provenance", "--format", "prov-json", "--output", file];
        hotpass(&demo, &[&explain, row].concat())?;
        check("check_prov.py", &[&demo.join(file)])?;
    }
    let latest = read(&demo.join("dist/runs/latest"));
    let latest = demo.join("dist/runs").join(latest.trim());
    check("verify_attestation.py", &[&latest.join("attestation.json"), &key, &demo.join("dist")])?;
    let said = reference_producer(&[latest.join("lineage.ndjson")], &folder.join("openlineage-python.json"))?;
    println!("openlineage-python: {}", said.lines().last().unwrap_or_default());
    Ok(())
}

/// Runs the same suites through Great Expectations and through Hotpass.
fn expectations(data: &Path) -> Result<(), String> {
    let python = python(
        "great-expectations",
        "import great_expectations, pandas, sqlalchemy, openpyxl, pyarrow",
        &[
            "great_expectations==1.24.1",
            "pandas==3.1.1",
            "numpy==2.4.6",
            "sqlalchemy<2.1",
            "openpyxl==3.1.5",
            "pyarrow==26.0.1",
        ],
    )?;
    fixtures(&python, "Great Expectations", EXPECTATIONS_FIXTURE)?;
    let mut compare = script(&python, ["crates/hotpass-quality/tests/peers/compare_great_expectations.py"]);
    compare.arg(binary().with_file_name("examples").join("evaluate_suite")).arg(binary()).arg(data);
    compare.arg(root().join("target/peers/expectations"));
    compare.arg("--report").arg(root().join("target/peers/expectations-compared.md"));
    run(compare)
}

/// Checks the same tables against the same contracts with frictionless.
fn contracts(data: &Path) -> Result<(), String> {
    let python = python(
        "frictionless",
        "import frictionless, jsonschema, openpyxl",
        &["frictionless==5.21.0", "jsonschema==4.26.0", "openpyxl==3.1.5"],
    )?;
    let mut compare = script(&python, ["crates/hotpass-quality/tests/peers/compare_frictionless.py"]);
    compare.arg(binary()).arg(data).arg(root().join("target/peers/contracts"));
    compare.arg("--report").arg(root().join("target/peers/contracts-compared.md"));
    run(compare)
}

/// Reads every workbook with openpyxl as well and compares the cells.
fn workbooks(setting: &Setting) -> Result<(), String> {
    let data = &setting.data;
    if !there_is(data, "workbooks") {
        return Ok(());
    }
    let python = python("python", "import openpyxl", &["openpyxl==3.1.5"])?;
    for folder in ["ingest", "generated"] {
        let mut compare = script(&python, ["crates/hotpass-ingest/tests/peers/compare_openpyxl.py"]);
        compare.arg(binary().with_file_name("examples").join("read_any")).arg(data.join(folder));
        run(compare)?;
    }
    Ok(())
}

/// Compares with Splink: what its functions say, what its models score, and how long it takes.
fn splink(setting: &Setting) -> Result<(), String> {
    let python = python("splink", "import splink, numpy", &["splink==5.0.0", "numpy==2.4.6"])?;
    fixtures(&python, "Splink", SPLINK_FIXTURES)?;
    if !there_is(&setting.data, "Splink's scores and speed") {
        return Ok(());
    }
    splink_scores(&python, &setting.data)?;
    splink_speed(&python, &setting.data, setting.people)
}

/// Checks that a peer still says what the fixtures hold.
fn fixtures(python: &Path, peer: &str, fixtures: &[(&str, &str)]) -> Result<(), String> {
    for (writer, fixture) in fixtures {
        if output(script(python, [writer]))? != read(&root().join(fixture)) {
            return Err(format!("`{fixture}` is not what `{writer}` prints"));
        }
        println!("{fixture}: as {peer} says");
    }
    Ok(())
}

/// Lets Splink train models and score pairs, and checks that Hotpass scores them alike.
fn splink_scores(python: &Path, data: &Path) -> Result<(), String> {
    let reference = root().join("target/peers/reference");
    let mut train = script(python, ["benches/peers/splink/reference_models.py"]);
    train.arg(data).arg(&reference);
    run(train)?;
    let mut compare = script(python, ["benches/peers/splink/parity.py"]);
    compare.arg(binary()).arg(&reference);
    run(compare)
}

/// Times both from Parquet to pairs and clusters, on people who are invented anew for each number of them.
fn splink_speed(python: &Path, data: &Path, people: u64) -> Result<(), String> {
    if !Path::new("/usr/bin/time").is_file() {
        println!("skipped: speed beside Splink, since there is no `/usr/bin/time` to measure memory");
        return Ok(());
    }
    run(command("cargo build --release --locked --package hotpass-cli --no-default-features"))?;
    let folder = root().join("target/peers/people");
    fs::create_dir_all(&folder).map_err(|error| format!("Failed to create `{}`: {error}", folder.display()))?;
    let records = folder.join(format!("people_{people}.parquet"));
    if !records.is_file() {
        let mut generate = script(python, [data.join("generated/gen_people.py")]);
        generate.args(["--rows", &people.to_string(), "--seed", "101", "--out"]).arg(&records);
        run(generate)?;
    }
    let mut train = script(python, ["benches/peers/splink/people_model.py"]);
    train.arg(&records).arg(&folder);
    run(train)?;
    for rules in ["narrow", "wide"] {
        println!("{people} people, {rules} rules");
        let mut race = script(python, ["benches/peers/splink/speed.py"]);
        race.arg(target().join("release/hotpass")).arg(python);
        race.arg(folder.join(format!("people_{rules}.json"))).arg(&records);
        run(race)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_script_of_a_peer_is_called() {
        let called = include_str!("peers.rs");
        let scripts = crate::process::files().unwrap().into_iter().filter(|file| {
            let path = file.to_string_lossy();
            path.contains("/tests/peers/") && path.ends_with(".py")
        });
        let mut count = 0;
        for file in scripts {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            assert!(called.contains(&name), "`{name}` is called by no comparison");
            count += 1;
        }
        assert!(count >= 7, "only {count} scripts were found");
    }
}
