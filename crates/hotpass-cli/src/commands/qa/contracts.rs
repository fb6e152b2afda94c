//! Contracts that ship, that the profiles name, and that lie in the workspace: each can be read, and its example keeps it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use hotpass_config::model::Profile;
use hotpass_config::{ConfigLoader, profile::known_profiles};
use hotpass_pipeline::contracts::{ContractLoadError, find_contract, read_contract, reference_keys};
use hotpass_quality::contract::documents::{Format, read_as, write};
use hotpass_quality::contract::{CheckOptions, Contract, ContractCheck, shipped};

use super::Check;
use crate::context::{ConfigArgs, Context};

/// Folders of a workspace that hold contracts.
const FOLDERS: [&str; 1] = ["contracts"];

/// Checks every contract that a run here could name, and what the sources of every profile name.
pub(super) fn checks(args: &ConfigArgs, context: &mut Context) -> Vec<Check> {
    let mut checks: Vec<Check> =
        shipped::contracts().map(|contract| Check::of(&contract.name, sound(&contract, "ships"))).collect();
    let mut profiles: Vec<(String, Profile)> = Vec::new();
    if let Ok(loaded) = args.load(context) {
        profiles.push((format!("profile {}", loaded.config.profile.name), loaded.config.profile));
    } else {
        let detail = "the configuration does not load, and may name contracts: see `hotpass qa profiles`";
        checks.push(Check::fail("configuration", detail));
    }
    // Profiles that do not load are told by the gate of profiles.
    for entry in known_profiles(&args.search_path()) {
        let loader = args.search_path().into_iter().fold(ConfigLoader::new(), ConfigLoader::profile_search_path);
        let name = format!("profile {}", entry.name);
        if profiles.iter().all(|(known, _)| *known != name)
            && let Ok(loaded) = loader.profile(entry.name.as_str()).load()
        {
            profiles.push((name, loaded.config.profile));
        }
    }
    let mut named = BTreeSet::new();
    named.extend(FOLDERS.iter().flat_map(|folder| files(Path::new(folder))));
    named.extend(profiles.iter().flat_map(|(_, profile)| profile.contracts.clone()));
    checks.extend(named.iter().map(|path| Check::of(path.display().to_string(), file(path))));
    for (name, profile) in &profiles {
        for source in &profile.sources {
            if let Some(contract) = &source.contract {
                let result = of_source(contract, profile).map_err(|error| chain(&error));
                checks.push(Check::of(format!("{name}, source {}", source.name), result));
            }
        }
    }
    checks
}

fn file(path: &Path) -> Result<String, String> {
    let found = read_contract(path).map_err(|error| chain(&error))?;
    reference_keys(&found, &BTreeMap::new()).map_err(|error| chain(&error))?;
    sound(&found.contract, found.format.title())
}

/// Checks that a source's contract is there, and so are the files that its foreign keys point to.
fn of_source(name: &str, profile: &Profile) -> Result<String, ContractLoadError> {
    let found = find_contract(name, &profile.contracts)?;
    reference_keys(&found, &BTreeMap::new())?;
    Ok(format!("keeps to `{}` {}", found.contract.name, found.contract.version))
}

/// Checks that a contract can be written and read back in every form, and that its example keeps it.
fn sound(contract: &Contract, from: &str) -> Result<String, String> {
    contract.validate().map_err(|error| error.to_string())?;
    for format in Format::ALL {
        let back = write(contract, *format).and_then(|written| read_as(written.text.as_bytes(), *format));
        back.map_err(|error| format!("as {}: {error}", format.title()))?;
    }
    let example = match broken_by_example(contract)? {
        None => "no example",
        Some(broken) if broken.is_empty() => "its example keeps it",
        Some(broken) => return Err(format!("its example breaks it: {}", broken.join(", "))),
    };
    Ok(format!("{from}; {} columns, {example}", contract.fields.len()))
}

/// Holds the row of each field's first example against the contract; none where a field that needs a value has no example.
fn broken_by_example(contract: &Contract) -> Result<Option<Vec<String>>, String> {
    let row: Vec<Option<&str>> =
        contract.fields.iter().map(|field| field.examples.first().map(String::as_str)).collect();
    let lacking = contract.fields.iter().zip(&row).any(|(field, value)| value.is_none() && !field.nullable);
    if lacking || row.iter().all(Option::is_none) {
        return Ok(None);
    }
    let schema = Schema::new(
        contract.fields.iter().map(|field| Field::new(&field.name, DataType::Utf8, true)).collect::<Vec<_>>(),
    );
    let columns: Vec<ArrayRef> =
        row.iter().map(|value| Arc::new(StringArray::from(vec![*value])) as ArrayRef).collect();
    let batch = RecordBatch::try_new(Arc::new(schema), columns).map_err(|error| error.to_string())?;
    let mut check = ContractCheck::of_schema(contract, &batch.schema(), &CheckOptions::default())
        .map_err(|error| error.to_string())?;
    let violations = check.add(&batch).map_err(|error| error.to_string())?;
    let name = |field: u32| contract.fields.get(field as usize).map_or("", |field| field.name.as_str());
    Ok(Some(violations.iter().map(|found| format!("`{}` {}", name(found.field), found.rule.words())).collect()))
}

/// Returns an error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension().is_some_and(|ending| ["json", "yaml", "yml"].iter().any(|known| ending == *known))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contracts_that_ship_are_sound() {
        for contract in shipped::contracts() {
            let said = sound(&contract, "ships").unwrap_or_else(|error| panic!("{}: {error}", contract.name));
            assert!(said.ends_with("its example keeps it"), "{}: {said}", contract.name);
        }
    }

    #[test]
    fn an_example_that_breaks_its_contract_is_told() {
        let mut contract = shipped::contract("sacaa_cleaned").unwrap();
        contract.fields[0].max_length = Some(3);
        let error = sound(&contract, "file").unwrap_err();
        assert!(error.contains("`Name of Organisation` has more characters"), "{error}");
        contract.fields[0].examples.clear();
        assert!(sound(&contract, "file").unwrap().ends_with("no example"));
    }
}
