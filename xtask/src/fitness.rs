//! Rules of the architecture that a compiler does not check.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::{command, files, output, read, root};
use crate::references::binary;

/// What each crate may depend on inside the workspace, and what it must never reach (directly or not).
const CRATES: &[(&str, &[&str], &[&str])] = &[
    ("hotpass-core", &[], &["arrow", "datafusion", "calamine", "tokio"]),
    ("hotpass-config", &["hotpass-core"], &["arrow", "datafusion", "calamine", "tokio"]),
    ("hotpass-ingest", &["hotpass-core"], &["datafusion", "tokio"]),
    ("hotpass-normalise", &["hotpass-core"], &["datafusion", "calamine", "parquet", "tokio"]),
    ("hotpass-provenance", &["hotpass-core"], &["datafusion", "calamine", "tokio"]),
    ("hotpass-resolve", &[], &["datafusion", "calamine", "parquet", "tokio"]),
    ("hotpass-quality", &["hotpass-core"], &["datafusion", "calamine", "parquet", "tokio"]),
    ("hotpass-privacy", &["hotpass-core"], &["datafusion", "calamine", "parquet", "tokio"]),
    ("hotpass-lineage", &["hotpass-core"], &["arrow", "datafusion", "calamine", "tokio"]),
    ("hotpass-telemetry", &["hotpass-core"], &["arrow", "datafusion", "calamine"]),
    (
        "hotpass-pipeline",
        &[
            "hotpass-core",
            "hotpass-config",
            "hotpass-ingest",
            "hotpass-lineage",
            "hotpass-normalise",
            "hotpass-privacy",
            "hotpass-provenance",
            "hotpass-quality",
            "hotpass-resolve",
        ],
        &["datafusion", "clap", "indicatif", "tokio"],
    ),
    (
        "hotpass-cli",
        &[
            "hotpass-core",
            "hotpass-config",
            "hotpass-ingest",
            "hotpass-normalise",
            "hotpass-provenance",
            "hotpass-resolve",
            "hotpass-lineage",
            "hotpass-privacy",
            "hotpass-quality",
            "hotpass-telemetry",
            "hotpass-pipeline",
        ],
        &[],
    ),
    (
        "hotpass-benches",
        &[
            "hotpass-core",
            "hotpass-config",
            "hotpass-ingest",
            "hotpass-normalise",
            "hotpass-resolve",
            "hotpass-pipeline",
        ],
        &[],
    ),
    ("xtask", &[], &["arrow", "clap", "tokio"]),
];

/// Crates that somebody depends on and nothing else: the number of items at their root is bounded.
const PRODUCTS: &[&str] = &[
    "hotpass-config",
    "hotpass-ingest",
    "hotpass-lineage",
    "hotpass-privacy",
    "hotpass-provenance",
    "hotpass-quality",
    "hotpass-resolve",
    "hotpass-telemetry",
];
const ROOT_ITEMS: std::ops::RangeInclusive<usize> = 5..=15;

/// Calls that only the command line may make.
const TERMINAL_AND_ENVIRONMENT: &[&str] =
    &["println!", "eprintln!", "print!(", "eprint!(", "env::var", "env::args", "process::exit", "stdin()", "stdout()"];

/// Checks every rule; the error lists each breach with its place.
pub(crate) fn run() -> Result<String, String> {
    let metadata: Value = serde_json::from_str(&output(command("cargo metadata --format-version 1 --locked"))?)
        .map_err(|error| error.to_string())?;
    let rules: [(&str, Vec<String>); 7] = [
        ("dependency direction", dependency_direction(&metadata)),
        ("unreachable dependencies", unreachable_dependencies(&metadata)),
        ("libraries neither print nor read the environment", quiet_libraries()?),
        ("root items of product crates", root_items()),
        ("links in documents", dead_links()?),
        ("commands in documents", unknown_commands()?),
        ("places of this machine", machine_paths()?),
    ];
    let mut breaches = Vec::new();
    for (rule, found) in &rules {
        println!("{rule}: {}", if found.is_empty() { "holds".to_owned() } else { format!("{} breaches", found.len()) });
        breaches.extend(found.iter().map(|breach| format!("{rule}: {breach}")));
    }
    if breaches.is_empty() { Ok(format!("{} rules hold", rules.len())) } else { Err(breaches.join("\n")) }
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().into_iter().flatten()
}

fn dependency_direction(metadata: &Value) -> Vec<String> {
    let mut breaches = Vec::new();
    let members: BTreeSet<&str> = packages(metadata)
        .filter(|package| package["source"].is_null())
        .filter_map(|package| package["name"].as_str())
        .collect();
    for package in packages(metadata).filter(|package| package["source"].is_null()) {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed, _)) = CRATES.iter().find(|(known, _, _)| *known == name) else {
            breaches.push(format!("crate `{name}` has no line in the table of `xtask/src/fitness.rs`"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let target = dependency["name"].as_str().unwrap_or_default();
            if members.contains(target) && dependency["kind"].is_null() && !allowed.contains(&target) {
                breaches.push(format!("`{name}` must not depend on `{target}`"));
            }
        }
    }
    breaches
}

/// Follows normal dependencies that are not optional, from each crate of the workspace.
fn unreachable_dependencies(metadata: &Value) -> Vec<String> {
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages(metadata) {
        let targets = edges.entry(package["name"].as_str().unwrap_or_default()).or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if dependency["kind"].is_null() && dependency["optional"] == false {
                targets.insert(dependency["name"].as_str().unwrap_or_default());
            }
        }
    }
    let mut breaches = Vec::new();
    for (name, _, forbidden) in CRATES {
        let mut seen = BTreeSet::new();
        let mut open = vec![*name];
        while let Some(next) = open.pop() {
            for target in edges.get(next).into_iter().flatten() {
                if seen.insert(*target) {
                    open.push(target);
                }
            }
        }
        breaches.extend(forbidden.iter().filter(|it| seen.contains(*it)).map(|it| format!("`{name}` reaches `{it}`")));
    }
    breaches
}

fn quiet_libraries() -> Result<Vec<String>, String> {
    let mut breaches = Vec::new();
    for file in files()? {
        let relative = relative(&file);
        let in_library = relative.starts_with("crates/")
            && relative.contains("/src/")
            && !relative.starts_with("crates/hotpass-cli/")
            && file.extension().is_some_and(|ending| ending == "rs")
            && !relative.contains("/bin/")
            && !relative.ends_with("tests.rs");
        if !in_library {
            continue;
        }
        for (number, line) in read(&file).lines().enumerate() {
            let code = line.trim_start();
            if code.starts_with("#[cfg(test)]") {
                break;
            }
            if code.starts_with("//") {
                continue;
            }
            if let Some(call) = TERMINAL_AND_ENVIRONMENT.iter().find(|call| code.contains(**call)) {
                breaches.push(format!("{relative}:{}: `{call}`", number + 1));
            }
        }
    }
    Ok(breaches)
}

/// Counts the names that `lib.rs` makes public.
fn root_items() -> Vec<String> {
    let mut breaches = Vec::new();
    for name in PRODUCTS {
        let text = read(&root().join("crates").join(name).join("src/lib.rs"));
        // What is indented stands in a module, and the module counts as one.
        let items: usize = text
            .split("\npub ")
            .skip(1)
            .filter_map(|statement| {
                if statement.starts_with("mod ") {
                    Some(1)
                } else {
                    let used = statement.strip_prefix("use ")?.split(';').next()?;
                    Some(used.trim_end().trim_end_matches(['}', ',', '\n', ' ']).matches(',').count() + 1)
                }
            })
            .sum();
        if !ROOT_ITEMS.contains(&items) {
            breaches.push(format!("`{name}` shows {items} items; {ROOT_ITEMS:?} are allowed"));
        }
    }
    breaches
}

fn documents() -> Result<Vec<PathBuf>, String> {
    Ok(files()?.into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "md")).collect())
}

fn dead_links() -> Result<Vec<String>, String> {
    let mut breaches = Vec::new();
    for file in documents()? {
        for link in read(&file).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") || target.contains(' ') {
                continue;
            }
            let path = file.parent().unwrap_or(Path::new("")).join(target);
            if !path.exists() {
                breaches.push(format!("{}: `{link}`", relative(&file)));
            }
        }
    }
    Ok(breaches)
}

/// Finds `hotpass VERB` lines in fenced code of documents whose verb the binary does not know.
fn unknown_commands() -> Result<Vec<String>, String> {
    if !binary().is_file() {
        crate::references::build()?;
    }
    let reference = output(command(&format!("{} reference cli", binary().display())))?;
    let mut breaches = Vec::new();
    for file in documents()? {
        let mut fenced = false;
        for (number, line) in read(&file).lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
                continue;
            }
            let code = line.trim_start().trim_start_matches("$ ");
            let Some(arguments) = code.strip_prefix("hotpass ").filter(|_| fenced) else { continue };
            let verb = arguments.split_whitespace().next().unwrap_or_default();
            let is_verb = !verb.is_empty() && verb.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            if is_verb && !verb.starts_with('-') && !reference.contains(&format!("hotpass {verb}")) {
                breaches.push(format!("{}:{}: `hotpass {verb}`", relative(&file), number + 1));
            }
        }
    }
    Ok(breaches)
}

fn machine_paths() -> Result<Vec<String>, String> {
    // Written in pieces, so that this rule does not find itself.
    let places = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];
    let mut breaches = Vec::new();
    for file in files()? {
        for (number, line) in read(&file).lines().enumerate() {
            if places.iter().any(|place| line.match_indices(place).any(|(at, _)| starts_a_path(line, at))) {
                breaches.push(format!("{}:{}", relative(&file), number + 1));
            }
        }
    }
    Ok(breaches)
}

/// Returns whether a path starts here: what stands before is not part of a longer relative path or address.
fn starts_a_path(line: &str, at: usize) -> bool {
    line[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric() && !"._-*}/".contains(before))
}

fn relative(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_paths_are_places() {
        assert!(starts_a_path("see /place/x", 4));
        assert!(!starts_a_path("https://a.example/place/x", 17));
    }
}
