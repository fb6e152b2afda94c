//! The software bill of materials of the `hotpass` binary: `CycloneDX` 1.6 in JSON, of what cargo resolves and the lock file holds.
//!
//! Written here rather than by `cargo cyclonedx`, which stops at version 1.5 and knows no hashes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::process::{command, output, read, root};

/// The member whose dependencies are listed.
const BINARY: &str = "hotpass-cli";
/// Where the bill goes.
pub(crate) const FILE: &str = "dist/sbom/hotpass.cdx.json";

/// Writes the bill and checks that it names every crate of the binary with a licence and, unless it is a member, its hash.
pub(crate) fn run() -> Result<String, String> {
    let text = output(command("cargo metadata --format-version 1 --locked"))?;
    let metadata: Value =
        serde_json::from_str(&text).map_err(|error| format!("cargo's answer is not JSON: {error}"))?;
    let mut git = command("git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd%n%H");
    git.env("TZ", "UTC");
    let commit = output(git)?;
    let (time, commit) = commit.trim().split_once('\n').ok_or("There is no commit to name")?;
    let bill = bill(&metadata, &checksums(&read(&root().join("Cargo.lock"))), time, commit)?;
    let components = bill["components"].as_array().map_or(0, Vec::len);
    let path = root().join(FILE);
    fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(|error| error.to_string())?;
    let pretty = serde_json::to_string_pretty(&bill).map_err(|error| error.to_string())?;
    fs::write(path, pretty + "\n").map_err(|error| error.to_string())?;
    Ok(format!("{components} components with licence and hash in {FILE}"))
}

/// Returns name and version to SHA-256 of the crate file.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let mut found = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let value = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""))?;
            line.strip_suffix('"').map(str::to_owned)
        };
        if let (Some(name), Some(version), Some(checksum)) = (value("name"), value("version"), value("checksum")) {
            found.insert((name, version), checksum);
        }
    }
    found
}

/// Returns the bill of the binary.
fn bill(
    metadata: &Value,
    checksums: &BTreeMap<(String, String), String>,
    time: &str,
    commit: &str,
) -> Result<Value, String> {
    let packages: BTreeMap<&str, &Value> =
        items(&metadata["packages"]).filter_map(|package| Some((package["id"].as_str()?, package))).collect();
    let nodes: BTreeMap<&str, &Value> =
        items(&metadata["resolve"]["nodes"]).filter_map(|node| Some((node["id"].as_str()?, node))).collect();
    let root = packages
        .iter()
        .find(|(_, package)| package["name"] == BINARY)
        .map(|(id, _)| *id)
        .ok_or_else(|| format!("There is no package `{BINARY}`"))?;
    let linked = reach(root, &nodes, Value::is_null);
    let built = reach(root, &nodes, |kind| kind.is_null() || kind == "build");
    let mut problems = Vec::new();
    let mut components = Vec::new();
    let mut dependencies = Vec::new();
    for id in &built {
        let Some(package) = packages.get(id) else { continue };
        let (name, version) = (text(&package["name"]), text(&package["version"]));
        let below = needed(nodes.get(id).copied(), |kind| kind.is_null() || kind == "build");
        let below: BTreeSet<String> =
            below.iter().filter_map(|id| packages.get(id)).map(|&package| purl(package)).collect();
        dependencies.push(json!({"ref": purl(package), "dependsOn": below}));
        if *id == root {
            continue;
        }
        let hash = checksums.get(&(name.to_owned(), version.to_owned()));
        let mut component = json!({
            "type": "library",
            "bom-ref": purl(package),
            "name": name,
            "version": version,
            "scope": if linked.contains(id) { "required" } else { "excluded" },
            "purl": purl(package),
        });
        if let Some(description) = package["description"].as_str() {
            component["description"] = description.trim().into();
        }
        match (hash, package["source"].is_null()) {
            (Some(hash), _) => component["hashes"] = json!([{"alg": "SHA-256", "content": hash}]),
            // Our own crates are no archives: git's name of the folder stands for what is in it.
            (None, true) => {
                if let Some(tree) = own_tree(package) {
                    component["properties"] = json!([{"name": "hotpass:git:tree", "value": tree}]);
                }
            }
            (None, false) => problems.push(format!("`{name}` {version} has no hash")),
        }
        match licence(package) {
            Some(expression) => component["licenses"] = json!([{"expression": expression}]),
            None => problems.push(format!("`{name}` {version} has no licence")),
        }
        if let Some(repository) = package["repository"].as_str() {
            component["externalReferences"] = json!([{"type": "vcs", "url": repository}]);
        }
        components.push(component);
    }
    if components.len() < 50 {
        problems.push(format!("only {} components", components.len()));
    }
    if !problems.is_empty() {
        return Err(format!("The bill of materials is incomplete: {}", problems.join(", ")));
    }
    let package = packages[root];
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial(commit),
        "version": 1,
        "metadata": {
            "timestamp": time,
            "tools": {"components": [{"type": "application", "name": "cargo xtask qa sbom"}]},
            "component": {
                "type": "application",
                "bom-ref": purl(package),
                "name": "hotpass",
                "version": package["version"],
                "purl": purl(package),
                "licenses": [{"expression": licence(package)}],
                "properties": [{"name": "hotpass:git:commit", "value": commit}],
            },
        },
        "components": components,
        "dependencies": dependencies,
    }))
}

/// Returns the id of git's tree that holds a crate of the workspace.
fn own_tree(package: &Value) -> Option<String> {
    let manifest = Path::new(package["manifest_path"].as_str()?);
    let folder = manifest.parent()?.strip_prefix(root()).ok()?;
    let mut tree = command("git rev-parse");
    tree.arg(format!("HEAD:{}", folder.display()));
    output(tree).ok().map(|id| id.trim().to_owned())
}

/// Returns the packages below one, itself with them, over dependencies of the kinds that are wanted.
fn reach<'a>(root: &'a str, nodes: &BTreeMap<&'a str, &'a Value>, wanted: fn(&Value) -> bool) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::from([root]);
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        for below in needed(nodes.get(id).copied(), wanted) {
            if found.insert(below) {
                open.push(below);
            }
        }
    }
    found
}

fn needed(node: Option<&Value>, wanted: fn(&Value) -> bool) -> Vec<&str> {
    let below = node.into_iter().flat_map(|node| items(&node["deps"]));
    below
        .filter(|below| items(&below["dep_kinds"]).any(|kind| wanted(&kind["kind"])))
        .filter_map(|below| below["pkg"].as_str())
        .collect()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn purl(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(&package["name"]), text(&package["version"]).replace('+', "%2B"))
}

/// Returns the licence as SPDX expression; crates of old write `/` for `OR`.
fn licence(package: &Value) -> Option<String> {
    let licence = package["license"].as_str()?;
    Some(licence.split('/').map(str::trim).collect::<Vec<_>>().join(" OR "))
}

/// Returns a UUID of version 8 (RFC 9562, section 5.8) that stands for a commit.
fn serial(commit: &str) -> String {
    let digit = |at: usize| commit.get(at..=at).unwrap_or("0");
    let digits = |from: usize, to: usize| (from..to).map(digit).collect::<String>();
    format!("urn:uuid:{}-{}-8{}-8{}-{}", digits(0, 8), digits(8, 12), digits(12, 15), digits(15, 18), digits(18, 30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_come_from_the_lock_file() {
        let found = checksums(
            "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry\"\nchecksum = \"ff\"\n\n\
             [[package]]\nname = \"b\"\nversion = \"2.0.0\"\n",
        );
        assert_eq!(found, BTreeMap::from([(("a".to_owned(), "1.0.0".to_owned()), "ff".to_owned())]));
    }

    #[test]
    fn licences_of_old_are_expressions() {
        assert_eq!(licence(&json!({"license": "Apache-2.0 / MIT"})).as_deref(), Some("Apache-2.0 OR MIT"));
        assert_eq!(licence(&json!({"license": null})), None);
    }

    #[test]
    fn dependencies_of_tests_are_left_out_and_those_of_builds_marked() {
        let package = |name: &str| json!({"id": name, "name": name, "version": "1.0.0", "license": "MIT", "source": null, "repository": null});
        let dep = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let mut packages: Vec<Value> = (0..60).map(|number| package(&format!("p{number}"))).collect();
        packages.extend([package(BINARY), package("builder"), package("tester")]);
        let mut deps: Vec<Value> = (0..60).map(|number| dep(&format!("p{number}"), Value::Null)).collect();
        deps.extend([dep("builder", "build".into()), dep("tester", "dev".into())]);
        let metadata = json!({"packages": packages, "resolve": {"nodes": [{"id": BINARY, "deps": deps}]}});
        let bill = bill(&metadata, &BTreeMap::new(), "2026-01-01T00:00:00Z", &"a".repeat(40)).expect("a bill");
        let scope = |name: &str| {
            items(&bill["components"])
                .find(|component| component["name"] == name)
                .map(|component| component["scope"].clone())
        };
        assert_eq!(
            (scope("p7"), scope("builder"), scope("tester")),
            (Some("required".into()), Some("excluded".into()), None)
        );
        assert_eq!(bill["serialNumber"], "urn:uuid:aaaaaaaa-aaaa-8aaa-8aaa-aaaaaaaaaaaa");
    }
}
