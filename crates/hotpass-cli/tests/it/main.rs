//! The command line from outside: exit code, standard output and standard error of the program in a sandbox.
//!
//! A snapshot that is missing or differs fails its test, and nothing is accepted by running it; accept with
//! `INSTA_UPDATE=always cargo test -p hotpass-cli --test it` and read the difference.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail where it stands, and says when it skips")]
#![allow(
    clippy::disallowed_methods,
    clippy::format_push_string,
    clippy::large_stack_arrays,
    clippy::match_same_arms,
    clippy::needless_for_each,
    clippy::type_complexity,
    clippy::zombie_processes,
    reason = "tests damage files on purpose, write small texts, and end what they start where they fail"
)]

mod canaries;
mod contracts;
mod demo;
mod doctor;
mod errors;
mod expectations;
mod faults;
mod help;
mod init;
mod inspect;
mod lineage;
mod map;
mod privacy;
mod provenance;
mod qa;
mod quarantine;
mod query;
mod refine;
mod resolve;
mod sandbox;
mod steward;
mod telemetry;

#[test]
fn every_test_file_is_a_module() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = std::fs::read_to_string(folder.join("main.rs")).expect("this file");
    for entry in std::fs::read_dir(folder).expect("the tests' folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") {
            assert!(main.contains(&format!("mod {module};")), "`{name}` is not in `main.rs`");
        }
    }
}
