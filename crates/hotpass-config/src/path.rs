//! Key paths: `pipeline.acquisition.agents[3].name`, with quotes around keys that need them.

use std::fmt::{self, Write};

/// A path from the root, borrowed from the walk that is at its end.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Option<Step<'a>>,
}

/// A step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    pub(crate) const ROOT: Path<'static> = Path { parent: None, step: None };

    pub(crate) const fn key(&'a self, key: &'a str) -> Self {
        Self { parent: Some(self), step: Some(Step::Key(key)) }
    }

    pub(crate) const fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Some(Step::Index(index)) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(step) = self.step else { return Ok(()) };
        let first = self.parent.is_none_or(|parent| parent.step.is_none());
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match step {
            Step::Key(key) => write_key(f, key, first),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

fn write_key(out: &mut impl Write, key: &str, first: bool) -> fmt::Result {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    let dot = if first { "" } else { "." };
    if plain { write!(out, "{dot}{key}") } else { write!(out, "{dot}{key:?}") }
}

/// Returns the path one key deeper.
pub(crate) fn join(path: &str, key: &str) -> String {
    let mut joined = path.to_owned();
    // Writing to a string cannot fail.
    let _ = write_key(&mut joined, key, path.is_empty());
    joined
}

/// Returns the steps of a written path, or nothing when it is none.
pub(crate) fn steps(path: &str) -> Option<Vec<(String, bool)>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let (index, after) = after.split_once(']')?;
            index.parse::<usize>().ok()?;
            steps.push((index.to_owned(), true));
            rest = after;
            continue;
        }
        if !steps.is_empty() {
            rest = rest.strip_prefix('.')?;
        }
        if rest.starts_with('"') {
            let end = closing_quote(rest)?;
            steps.push((serde_json::from_str(&rest[..=end]).ok()?, false));
            rest = &rest[end + 1..];
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            steps.push((rest[..end].to_owned(), false));
            rest = &rest[end..];
        }
    }
    Some(steps)
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_paths_read_back() {
        let (profile, sources, first, columns) = (Path::ROOT.key("profile"), "sources", 0, "columns");
        let sources = profile.key(sources);
        let first = sources.index(first);
        let columns = first.key(columns);
        let path = columns.key("Contact \"No.\"").to_string();
        assert_eq!(path, "profile.sources[0].columns.\"Contact \\\"No.\\\"\"");
        let steps = steps(&path).unwrap();
        assert_eq!(steps[4], ("Contact \"No.\"".to_owned(), false));
        assert_eq!(steps[2], ("0".to_owned(), true));
        assert_eq!(super::steps("a..b"), None);
        assert_eq!(super::steps("a[x]"), None);
    }
}
