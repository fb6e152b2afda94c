//! Writing a workspace: a folder that is empty or may be written into, and the files in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hotpass_core::write_atomic;

use crate::error::CommandError;

/// A file of a workspace: its path in it, what it is for, and its bytes.
#[derive(Debug)]
pub(crate) struct WorkspaceFile {
    /// Path relative to the workspace.
    pub(crate) path: PathBuf,
    /// What it is for, for people.
    pub(crate) purpose: &'static str,
    /// Its content.
    pub(crate) content: Vec<u8>,
}

impl WorkspaceFile {
    /// Makes a file.
    pub(crate) fn new(path: impl Into<PathBuf>, purpose: &'static str, content: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), purpose, content: content.into() }
    }
}

/// Makes sure that a folder can take a workspace: it is missing, empty, or `force` allows to write over what is there.
///
/// # Errors
///
/// Returns a usage error when the folder is a file or holds something and `force` is off.
pub(crate) fn check_folder(folder: &Path, force: bool) -> Result<(), CommandError> {
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.next().is_some() && !force {
                return Err(CommandError::usage(format!("Folder `{}` is not empty", folder.display()))
                    .hint("Choose another one with `--path DIR`, or write into it with `--force`"));
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if folder.exists() && !folder.is_dir() => {
            Err(CommandError::usage(format!("`{}` is not a folder", folder.display()))
                .caused_by(&error)
                .hint("Choose another one with `--path DIR`"))
        }
        Err(error) => {
            Err(CommandError::failure(format!("Cannot read folder `{}`", folder.display())).caused_by(&error))
        }
    }
}

/// Writes the files of a workspace.
///
/// # Errors
///
/// Returns the error of the first file that cannot be written.
pub(crate) fn write_files(folder: &Path, files: &[WorkspaceFile]) -> Result<(), CommandError> {
    for file in files {
        let path = folder.join(&file.path);
        write_atomic(&path, &file.content)
            .map_err(|error| CommandError::failure(format!("Cannot write `{}`", path.display())).caused_by(&error))?;
    }
    Ok(())
}

/// Returns the files as lines of path and purpose, aligned.
pub(crate) fn listing(files: &[WorkspaceFile]) -> Vec<String> {
    let width = files.iter().map(|file| file.path.display().to_string().chars().count()).max().unwrap_or_default();
    files.iter().map(|file| format!("  {:width$}  {}", file.path.display().to_string(), file.purpose)).collect()
}
