//! Contracts of the workspace: each can be read, and says nothing that contradicts itself.

use std::path::{Path, PathBuf};

use hotpass_quality::contract::documents;

use super::Check;
use crate::context::{ConfigArgs, Context};

/// Folders of a workspace that hold contracts.
const FOLDERS: [&str; 1] = ["contracts"];

/// Reads every contract file of the workspace.
pub(super) fn checks(_: &ConfigArgs, _: &mut Context) -> Vec<Check> {
    FOLDERS
        .iter()
        .flat_map(|folder| files(Path::new(folder)))
        .map(|file| Check::of(file.display().to_string(), read(&file)))
        .collect()
}

fn read(file: &Path) -> Result<String, String> {
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    let document = documents::read(&bytes).map_err(|error| error.to_string())?;
    document.contract.validate().map_err(|error| error.to_string())?;
    Ok(format!("{} columns", document.contract.fields.len()))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension().is_some_and(|ending| ["json", "yaml", "yml"].iter().any(|known| ending == *known))
        })
        .collect();
    files.sort_unstable();
    files
}
