//! Comparisons with what users could pick instead. Each installs what it needs under `target/peers`.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// Runs every comparison; those that need test data are left out, with a word, where there is none.
pub(crate) fn compare(people: u64) -> Result<(), String> {
    let data = std::env::var_os("HOTPASS_TEST_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let splink = python("splink", "import splink, numpy", &["splink==5.0.0", "numpy"])?;
    splink_fixtures(&splink)?;
    if data.is_dir() {
        workbooks(&data)?;
        splink_scores(&splink, &data)?;
        splink_speed(&splink, &data, people)?;
    } else {
        println!(
            "skipped: workbooks, and Splink's scores and speed, since there is no test data in `{}`",
            data.display()
        );
    }
    run(command("cargo bench --package hotpass-benches --features peers --bench config_merge -- --quick"))
}

/// Makes a Python environment of its own with packages, unless it has them already, and gives its interpreter.
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
    script.args(arguments).current_dir(root());
    script
}

/// Lets openlineage-python, the reference producer, build the events of runs anew, and gives what it says.
pub(crate) fn reference_producer(events: &[PathBuf], report: &Path) -> Result<String, String> {
    let python = python("openlineage", "import openlineage.client.event_v2", &["openlineage-python==1.54.0"])?;
    let mut rebuild = script(&python, ["crates/hotpass-lineage/tests/peers/reference_producer.py"]);
    rebuild.args(events).arg("--json").arg(report);
    output(rebuild)
}

/// Reads every workbook with openpyxl as well and compares the cells.
fn workbooks(data: &Path) -> Result<(), String> {
    let python = python("python", "import openpyxl", &["openpyxl==3.1.5"])?;
    for folder in ["ingest", "generated"] {
        let mut compare = script(&python, ["crates/hotpass-ingest/tests/peers/compare_openpyxl.py"]);
        compare.arg(binary().with_file_name("examples").join("read_any")).arg(data.join(folder));
        run(compare)?;
    }
    Ok(())
}

/// Checks that Splink still says what the fixtures hold.
fn splink_fixtures(python: &Path) -> Result<(), String> {
    for (writer, fixture) in SPLINK_FIXTURES {
        if output(script(python, [writer]))? != read(&root().join(fixture)) {
            return Err(format!("`{fixture}` is not what `{writer}` prints"));
        }
        println!("{fixture}: as Splink says");
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
