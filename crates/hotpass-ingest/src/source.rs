//! Which files are read: from files, folders and patterns to a sorted list.

pub use crate::error::DiscoverError;
pub use crate::format::{Compression, FileFormat};

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use hotpass_core::{Diagnostic, Location, Sha256Digest, sha256_file};
use serde::{Deserialize, Serialize};

use crate::format;

/// What is left out when files are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiscoverOptions {
    /// Folder of the results, never read as input.
    pub dist_dir: Option<PathBuf>,
}

/// A file that can be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// Name in results: path relative to the input folder, with `/`.
    pub name: Arc<str>,
    /// Format, by content.
    pub format: FileFormat,
    /// Compression of a text file.
    pub compression: Compression,
    /// Size in bytes.
    pub bytes: u64,
    /// Digest of the content.
    pub sha256: Sha256Digest,
}

impl SourceFile {
    /// Looks at a file: its format, size and digest.
    ///
    /// # Errors
    ///
    /// Returns the error of opening or reading the file.
    pub fn inspect(path: impl Into<PathBuf>, name: impl Into<Arc<str>>) -> std::io::Result<Self> {
        let path = path.into();
        let (format, compression) = format::sniff_file(&path)?;
        let bytes = std::fs::metadata(&path)?.len();
        let sha256 = sha256_file(&path)?;
        Ok(Self { path, name: name.into(), format, compression, bytes, sha256 })
    }
}

/// What was found: files to read, and files left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Files to read, sorted by name; names are unique.
    pub files: Vec<SourceFile>,
    /// Names of files in folders that have no ending of a readable format, sorted.
    pub ignored: Vec<String>,
    /// Files in folders that cannot be read, such as links to nothing, sorted by name.
    pub unreadable: Vec<Diagnostic>,
}

/// Finds source files in files, folders and glob patterns.
///
/// A folder gives its files and those of its sub-folders. Hidden files and folders, lock files (`~$…`) and everything under
/// [`DiscoverOptions::dist_dir`] are passed over; files without a known ending are reported in [`Discovery::ignored`].
/// A file that is named outright is always taken. Each file is read once, for its digest; one of a folder or pattern that
/// cannot be read is told in [`Discovery::unreadable`] and keeps none of the others back.
///
/// # Errors
///
/// Returns an error when an input does not exist, a pattern is invalid, no file is found, a folder or a file that is named
/// outright cannot be read, or none can.
pub fn discover(inputs: &[PathBuf], options: &DiscoverOptions) -> Result<Discovery, DiscoverError> {
    let dist = options.dist_dir.as_deref().map(absolute);
    let mut found = Found { dist, files: Vec::new(), ignored: Vec::new(), broken: Vec::new() };
    for input in inputs {
        found.add_input(input)?;
    }
    let Found { mut files, mut ignored, broken, .. } = found;
    files.sort_by(|left, right| (&left.name, &left.path).cmp(&(&right.name, &right.path)));
    let mut seen = std::collections::HashSet::new();
    files.retain(|file| seen.insert(absolute(&file.path)));
    make_names_unique(&mut files);
    ignored.sort();
    ignored.dedup();
    if files.is_empty() && broken.is_empty() {
        return Err(DiscoverError::NothingFound { inputs: inputs.to_vec(), ignored: ignored.len() });
    }
    let mut readable = Vec::with_capacity(files.len());
    let mut unreadable: Vec<(FoundFile, std::io::Error)> = broken;
    for file in files {
        match SourceFile::inspect(&file.path, file.name.as_str()) {
            Ok(source) => readable.push(source),
            Err(source) if file.named_outright => return Err(DiscoverError::Read { path: file.path, source }),
            Err(error) => unreadable.push((file, error)),
        }
    }
    if readable.is_empty()
        && let Some((file, source)) = unreadable.pop()
    {
        return Err(DiscoverError::Read { path: file.path, source });
    }
    unreadable.sort_by(|(left, _), (right, _)| (&left.name, &left.path).cmp(&(&right.name, &right.path)));
    unreadable.dedup_by(|(left, _), (right, _)| left.path == right.path);
    let unreadable = unreadable.into_iter().map(|(file, error)| cannot_read(&file, &error)).collect();
    Ok(Discovery { files: readable, ignored, unreadable })
}

fn cannot_read(file: &FoundFile, error: &std::io::Error) -> Diagnostic {
    let is_link = std::fs::symlink_metadata(&file.path).is_ok_and(|metadata| metadata.is_symlink());
    let hint = if is_link && error.kind() == std::io::ErrorKind::NotFound {
        "It is a link to a file that is gone: put the file back or delete the link"
    } else {
        "Check that the file is there and that you may read it"
    };
    Diagnostic::error("ingest.file.unreadable", format!("The file cannot be read and was left out: {error}"))
        .at(Location::file(file.name.as_str()))
        .hint(hint)
}

struct FoundFile {
    path: PathBuf,
    name: String,
    /// Whether it was given as an input itself.
    named_outright: bool,
}

struct Found {
    dist: Option<PathBuf>,
    files: Vec<FoundFile>,
    ignored: Vec<String>,
    /// Files that are there by name only.
    broken: Vec<(FoundFile, std::io::Error)>,
}

impl Found {
    fn add_input(&mut self, input: &Path) -> Result<(), DiscoverError> {
        if input.is_dir() {
            return self.add_folder(input, input);
        }
        if input.exists() {
            let name = input
                .file_name()
                .map_or_else(|| relative_name(input, Path::new("")), |name| name.to_string_lossy().into_owned());
            self.files.push(FoundFile { path: input.to_owned(), name, named_outright: true });
            return Ok(());
        }
        let pattern = input.to_string_lossy();
        if !pattern.contains(['*', '?', '[']) {
            return Err(DiscoverError::NotFound { input: input.to_owned() });
        }
        let base: PathBuf = input
            .components()
            .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']))
            .collect();
        let paths =
            glob::glob(&pattern).map_err(|source| DiscoverError::Pattern { input: input.to_owned(), source })?;
        for path in paths {
            let path =
                path.map_err(|error| DiscoverError::Read { path: error.path().to_owned(), source: error.into() })?;
            if !path.strip_prefix(&base).unwrap_or(&path).components().any(is_hidden) {
                self.add_entry(&path, &base);
            }
        }
        Ok(())
    }

    fn add_folder(&mut self, folder: &Path, base: &Path) -> Result<(), DiscoverError> {
        if self.dist.as_ref().is_some_and(|dist| absolute(folder).starts_with(dist)) {
            return Ok(());
        }
        let failed = |source| DiscoverError::Read { path: folder.to_owned(), source };
        let mut entries = std::fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            if path.components().next_back().is_some_and(is_hidden) {
                continue;
            }
            // A link to a folder is not followed: it could lead back here.
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                self.add_folder(&path, base)?;
            } else {
                self.add_entry(&path, base);
            }
        }
        Ok(())
    }

    /// Adds a file; what is neither a file nor a name that stands for one is passed over.
    fn add_entry(&mut self, path: &Path, base: &Path) {
        let fault = match std::fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => return,
            Ok(_) => None,
            Err(error) => Some(error),
        };
        if self.dist.as_ref().is_some_and(|dist| absolute(path).starts_with(dist)) {
            return;
        }
        let name = relative_name(path, base);
        let known = format::ending(path).and_then(|ending| FileFormat::of_ending(&ending));
        match known {
            Some(format) if format.is_readable() => {
                let file = FoundFile { path: path.to_owned(), name, named_outright: false };
                match fault {
                    None => self.files.push(file),
                    Some(error) => self.broken.push((file, error)),
                }
            }
            _ => self.ignored.push(name),
        }
    }
}

fn is_hidden(part: Component<'_>) -> bool {
    let name = part.as_os_str().to_string_lossy();
    matches!(part, Component::Normal(_)) && (name.starts_with('.') || name.starts_with("~$"))
}

fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

fn relative_name(path: &Path, base: &Path) -> String {
    let parts: Vec<String> = path
        .strip_prefix(base)
        .unwrap_or(path)
        .components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    parts.join("/")
}

/// Puts the folder before names that two inputs share, and a number where that is not enough.
fn make_names_unique(files: &mut [FoundFile]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for file in files.iter() {
        *counts.entry(file.name.clone()).or_default() += 1;
    }
    for file in files.iter_mut().filter(|file| counts[&file.name] > 1) {
        let own = file.name.split('/').count();
        let parent = file.path.components().rev().nth(own).map(|part| part.as_os_str().to_string_lossy().into_owned());
        if let Some(parent) = parent {
            file.name = format!("{parent}/{}", file.name);
        }
    }
    let mut seen: HashMap<String, usize> = HashMap::new();
    for file in files.iter_mut() {
        let count = seen.entry(file.name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            file.name = format!("{} ({count})", file.name);
        }
    }
    files.sort_by(|left, right| left.name.cmp(&right.name));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            hotpass_core::write_atomic(&path, b"a,b\n1,2\n").unwrap();
        }
        folder
    }

    fn names(discovery: &Discovery) -> Vec<&str> {
        discovery.files.iter().map(|file| &*file.name).collect()
    }

    #[test]
    fn a_folder_gives_its_data_files_sorted() {
        let folder = folder(&["b.csv", "a/z.tsv", ".hidden.csv", "~$b.xlsx", "notes.md", "dist/out.csv", ".git/x.csv"]);
        let options = DiscoverOptions { dist_dir: Some(folder.path().join("dist")) };
        let discovery = discover(&[folder.path().to_owned()], &options).unwrap();
        assert_eq!(names(&discovery), ["a/z.tsv", "b.csv"]);
        assert_eq!(discovery.ignored, ["notes.md"]);
        assert_eq!(discovery.files[0].bytes, 8);
        assert_eq!(discovery.files[0].format, FileFormat::Delimited);
    }

    #[test]
    fn a_pattern_names_files_from_its_fixed_part() {
        let folder = folder(&["x/b.csv", "x/c.txt", "y/b.csv"]);
        let discovery = discover(&[folder.path().join("*/b.csv")], &DiscoverOptions::default()).unwrap();
        assert_eq!(names(&discovery), ["x/b.csv", "y/b.csv"]);
    }

    #[test]
    fn names_of_two_folders_do_not_clash() {
        let folder = folder(&["x/b.csv", "y/b.csv"]);
        let inputs = [folder.path().join("x"), folder.path().join("y"), folder.path().join("x/b.csv")];
        let discovery = discover(&inputs, &DiscoverOptions::default()).unwrap();
        assert_eq!(names(&discovery), ["x/b.csv", "y/b.csv"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_nothing_is_told_and_the_others_are_read() {
        let folder = folder(&["b.csv", "x/c.csv"]);
        for link in ["gone.csv", "x/gone.xlsx", "gone.md"] {
            std::os::unix::fs::symlink("nowhere", folder.path().join(link)).unwrap();
        }
        let discovery = discover(&[folder.path().to_owned()], &DiscoverOptions::default()).unwrap();
        assert_eq!(names(&discovery), ["b.csv", "x/c.csv"]);
        let told: Vec<String> = discovery.unreadable.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("gone.csv"), "{told:?}");
        assert!(told[1].contains("x/gone.xlsx"), "{told:?}");
        let error = discover(&[folder.path().join("g*.csv")], &DiscoverOptions::default()).unwrap_err();
        assert!(matches!(error, DiscoverError::Read { .. }), "{error}");
    }

    #[test]
    fn nothing_to_read_is_a_usage_error() {
        let folder = folder(&["notes.md"]);
        let check = |input: PathBuf| {
            let error = discover(&[input], &DiscoverOptions::default()).unwrap_err();
            assert!(error.is_usage() && !error.hint().is_empty(), "{error}");
        };
        check(folder.path().to_owned());
        check(folder.path().join("none.csv"));
        check(folder.path().join("*.csv"));
        check(folder.path().join("[*.csv"));
    }
}
