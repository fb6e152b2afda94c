//! How jobs and datasets are called in lineage.
//!
//! A dataset's namespace is its source: `file://` and the name of the workspace, which is that of the jobs' namespace
//! unless the configuration says otherwise. Its name is the path in the workspace, with `/`, and below it the sheet. So
//! the same file has the same name on every machine, and no name tells where a machine keeps its files. Names have neither
//! `#` nor `:`, which servers read as marks of a version and of the parts of an id.

use std::fmt::Write as _;
use std::path::{Component, Path};

use hotpass_config::model::Lineage;

/// Returns the namespace of the datasets.
pub(crate) fn dataset_namespace(config: &Lineage) -> String {
    if let Some(namespace) = &config.dataset_namespace {
        return namespace.clone();
    }
    // What may stand as the authority of a URI.
    let authority: String = config
        .namespace
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-._~:".contains(c) { c } else { '-' })
        .collect();
    format!("file://{authority}")
}

/// Returns the path of a file in the workspace, with `/`; nothing when it lies outside.
pub(crate) fn relative(path: &Path, workspace: Option<&Path>) -> Option<String> {
    if path.is_relative() {
        return lexical(path);
    }
    let workspace = workspace?;
    if let Ok(inside) = path.strip_prefix(workspace) {
        return lexical(inside);
    }
    let (path, workspace) = (std::fs::canonicalize(path).ok()?, std::fs::canonicalize(workspace).ok()?);
    lexical(path.strip_prefix(workspace).ok()?)
}

/// Resolves `.` and `..`; nothing when the path leads out.
fn lexical(path: &Path) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Returns the name of a file as dataset: its path in the workspace, else `otherwise`.
pub(crate) fn file_name(path: &Path, workspace: Option<&Path>, otherwise: &str) -> String {
    not_a_port(safe(&relative(path, workspace).unwrap_or_else(|| otherwise.to_owned())))
}

/// Returns the name of a table of a file as dataset, from the file's name as dataset.
pub(crate) fn table_name(file: &str, sheet: Option<&str>, table: u32) -> String {
    let mut name = file.to_owned();
    if let Some(sheet) = sheet {
        name.push('/');
        name.push_str(&safe(sheet).replace('/', "%2F"));
    }
    if table > 0 {
        let _ = write!(name, "/table {}", table + 1);
    }
    name
}

/// Writes the characters that mean something in the ids of servers as an address does.
fn safe(name: &str) -> String {
    name.replace('#', "%23").replace(':', "%3A")
}

/// Marquez takes a name that begins with a digit for a port of the namespace before it.
fn not_a_port(name: String) -> String {
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("./{name}") } else { name }
}

/// Returns a message without the folders of this machine: of each path in it that is not relative, the last part stays.
pub(crate) fn without_folders(message: &str) -> String {
    message
        .split_inclusive('`')
        .map(|piece| {
            let (text, mark) = piece.strip_suffix('`').map_or((piece, ""), |text| (text, "`"));
            let path = Path::new(text);
            let windows = text.as_bytes().get(1..3).is_some_and(|two| two == b":\\");
            let last = if windows { text.rsplit('\\').next().map(str::to_owned) } else { None };
            let last = last.or_else(|| path.file_name().map(|name| name.to_string_lossy().into_owned()));
            match last {
                Some(last) if path.is_absolute() || windows => format!("{last}{mark}"),
                _ => piece.to_owned(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_paths_in_the_workspace() {
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(relative(Path::new(path), Some(Path::new("/srv/jane/desk"))).as_deref(), expected, "{path}");
        };
        check("data/a.csv", Some("data/a.csv"));
        check("./data/../b.csv", Some("b.csv"));
        check("../b.csv", None);
        check("/srv/jane/desk/dist/out.xlsx", Some("dist/out.xlsx"));
        check("/srv/secret/out.xlsx", None);
        assert_eq!(table_name("a.xlsx", Some("Sheet 1"), 0), "a.xlsx/Sheet 1");
        assert_eq!(table_name("a.xlsx", Some("Sheet 1"), 1), "a.xlsx/Sheet 1/table 2");
        assert_eq!(table_name("a.ods", Some("In/out #1"), 0), "a.ods/In%2Fout %231");
        assert_eq!(file_name(Path::new("data/a#1.csv"), None, ""), "data/a%231.csv");
        assert_eq!(file_name(Path::new("2025/members.csv"), None, ""), "./2025/members.csv");
        assert_eq!(table_name("a.csv", None, 0), "a.csv");
    }

    #[test]
    fn a_namespace_is_a_uri() {
        let of =
            |namespace: &str| dataset_namespace(&Lineage { namespace: namespace.to_owned(), ..Lineage::default() });
        assert_eq!(of("hotpass.local"), "file://hotpass.local");
        assert_eq!(of("team a/prod"), "file://team-a-prod");
    }

    #[test]
    fn messages_name_no_folder_of_the_machine() {
        assert_eq!(without_folders("Failed to write `/srv/jane/x/out.csv`"), "Failed to write `out.csv`");
        assert_eq!(without_folders("No table in: `data/a.csv`, `/var/b.csv`"), "No table in: `data/a.csv`, `b.csv`");
        assert_eq!(without_folders(r"Failed to write `C:\Users\Jane\out.csv`"), "Failed to write `out.csv`");
        assert_eq!(without_folders("The run was interrupted"), "The run was interrupted");
    }
}
