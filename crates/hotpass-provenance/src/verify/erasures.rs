//! Files that differ from the manifest because a person was erased from them, as the ledger records.

use std::collections::HashMap;
use std::path::Path;

use hotpass_core::sha256_file;

use super::Outcome;
use crate::ledger::{EntryKind, check};

/// What was erased from each file: path to digest before, digest after, decision.
#[derive(Debug, Default)]
pub(super) struct Erasures(HashMap<String, Vec<Erased>>);

#[derive(Debug)]
struct Erased {
    before: String,
    after: Option<String>,
    decision: String,
}

impl Erasures {
    /// Reads the entries `privacy.erased` of a ledger.
    pub(super) fn of(ledger: Option<&[u8]>) -> Self {
        let mut files: HashMap<String, Vec<Erased>> = HashMap::new();
        let entries = ledger.map(check).unwrap_or_default().entries;
        for entry in entries.iter().filter(|entry| entry.kind == EntryKind::PrivacyErased.as_str()) {
            let decision = entry.details.get("decision").and_then(|text| text.as_str()).unwrap_or_default();
            for file in entry.details.get("files").and_then(|files| files.as_array()).into_iter().flatten() {
                let text = |name: &str| file.get(name).and_then(|text| text.as_str()).map(str::to_owned);
                let (Some(path), Some(before)) = (text("path"), text("old_sha256")) else { continue };
                files.entry(path).or_default().push(Erased {
                    before,
                    after: text("sha256"),
                    decision: decision.to_owned(),
                });
            }
        }
        Self(files)
    }

    /// Returns whether anything was erased.
    pub(super) fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Returns the decision by which a file went from one digest to another; `None` for a file that was removed.
    pub(super) fn decision(&self, path: &str, from: &str, to: Option<&str>) -> Option<&str> {
        // The copy in an archive may have been erased by another decision than the file in the run folder was, so that more than
        // one content may follow from the same one. What was erased further is none of them any more.
        let mut left: Vec<(Option<&str>, Option<&str>)> = vec![(Some(from), None)];
        for erased in self.0.get(path)? {
            let (before, decision) = (Some(erased.before.as_str()), Some(erased.decision.as_str()));
            let follows = before == Some(from) || left.iter().any(|(content, _)| *content == before);
            if follows {
                left.retain(|(content, _)| *content != before);
                left.push((erased.after.as_deref(), decision));
            }
        }
        left.into_iter().find(|(content, _)| *content == to).and_then(|(_, decision)| decision)
    }

    /// Returns the decision that a file was undone against: it is as recorded although it was erased from since.
    fn undone(&self, path: &str, recorded: &str) -> Option<&str> {
        if self.decision(path, recorded, Some(recorded)).is_some() {
            return None;
        }
        let erased = self.0.get(path)?.iter().find(|erased| erased.before == recorded)?;
        Some(&erased.decision)
    }

    /// Turns the failure of a file into a note, where the difference is an erasure that the ledger records, and the reverse where
    /// the file is back as it was before one.
    pub(super) fn excuse(
        &self,
        path: &str,
        recorded: &str,
        file: &Path,
        (outcome, detail): (Outcome, String),
    ) -> (Outcome, String) {
        if !self.0.contains_key(path) {
            return (outcome, detail);
        }
        if outcome == Outcome::Passed {
            let undone = self.undone(path, recorded);
            let detail = undone.map_or(detail, |decision| {
                format!("The file is back as it was before decision `{decision}` erased from it; erase again")
            });
            return (if undone.is_some() { Outcome::Failed } else { outcome }, detail);
        }
        if outcome == Outcome::Noted {
            return (outcome, detail);
        }
        let now = sha256_file(file).ok();
        if now.is_none() && file.exists() {
            return (outcome, detail);
        }
        match self.decision(path, recorded, now.as_ref().map(hotpass_core::Sha256Digest::as_str)) {
            Some(decision) => (Outcome::Noted, format!("Erased by decision `{decision}`")),
            None => (outcome, detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_erasures_leads_from_the_record_to_the_file() {
        let erased = |before: &str, after: Option<&str>, decision: &str| Erased {
            before: before.to_owned(),
            after: after.map(str::to_owned),
            decision: decision.to_owned(),
        };
        let chain = vec![erased("a", Some("b"), "D-1"), erased("b", Some("c"), "D-2"), erased("c", None, "D-3")];
        let erasures = Erasures(HashMap::from([("golden.parquet".to_owned(), chain)]));
        assert_eq!(erasures.decision("golden.parquet", "a", None), Some("D-3"));
        assert_eq!(erasures.decision("golden.parquet", "a", Some("c")), None);
        assert_eq!(erasures.decision("golden.parquet", "x", None), None);
        assert_eq!(erasures.decision("other.parquet", "a", None), None);

        let copies = vec![erased("a", Some("b"), "D-1"), erased("a", Some("c"), "D-2")];
        let erasures = Erasures(HashMap::from([("golden.parquet".to_owned(), copies)]));
        assert_eq!(erasures.decision("golden.parquet", "a", Some("b")), Some("D-1"));
        assert_eq!(erasures.decision("golden.parquet", "a", Some("c")), Some("D-2"), "a copy in an archive");
        assert_eq!(erasures.decision("golden.parquet", "a", Some("a")), None);
        assert_eq!(
            erasures.undone("golden.parquet", "a"),
            Some("D-1"),
            "the content before the first decision is back"
        );
        assert_eq!(erasures.undone("golden.parquet", "c"), None);
    }
}
