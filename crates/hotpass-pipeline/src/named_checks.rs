//! Contracts and suites that a profile names: whether they exist, and whether they apply to anything that a run has read.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use hotpass_config::HotpassConfig;
use hotpass_config::model::Source;
use hotpass_core::Diagnostic;

use crate::contracts::{find_contract, read_contract, reference_keys};
use crate::quality::suite_named;

/// A contract or suite that the configuration names and that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCheckProblem {
    /// Key of the configuration.
    pub key: String,
    /// What is wrong, with its causes.
    pub message: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

/// Finds every contract and suite that the configuration names; returns those that do not exist or cannot be used.
pub fn check_named(config: &HotpassConfig) -> Vec<NamedCheckProblem> {
    let profile = &config.profile;
    let mut problems = Vec::new();
    let mut note = |key: String, error: &(dyn Error + 'static), hint: Option<String>| {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        problems.push(NamedCheckProblem { key, message, hint });
    };
    let mut usable = Vec::new();
    for path in &profile.contracts {
        match read_contract(path) {
            Ok(_) => usable.push(path.clone()),
            Err(error) => note("profile.contracts".to_owned(), &error, error.hint()),
        }
    }
    let mut contracts: Vec<(String, &String)> = Vec::new();
    let mut suites: Vec<(String, &String)> = Vec::new();
    for (index, source) in profile.sources.iter().enumerate() {
        let key = |rest: &str| format!("profile.sources[{index}].{rest}");
        contracts.extend(source.contract.iter().map(|name| (key("contract"), name)));
        contracts.extend(
            source.sheet_contracts.iter().map(|(sheet, name)| (key(&format!("sheet_contracts.{sheet}")), name)),
        );
        suites.extend(source.suite.iter().map(|name| (key("suite"), name)));
        suites.extend(source.sheet_suites.iter().map(|(sheet, name)| (key(&format!("sheet_suites.{sheet}")), name)));
    }
    contracts.extend(config.quality.contract.iter().map(|name| ("quality.contract".to_owned(), name)));
    suites.extend(config.quality.suite.iter().map(|name| ("quality.suite".to_owned(), name)));
    for (key, name) in contracts {
        let found = find_contract(name, &usable).and_then(|found| reference_keys(&found, &BTreeMap::new()).map(|_| ()));
        if let Err(error) = found {
            note(key, &error, error.hint());
        }
    }
    for (key, name) in suites {
        if let Err(error) = suite_named(name) {
            note(key, &error, error.hint());
        }
    }
    problems
}

/// What a run has read of each source of the profile.
#[derive(Debug, Default)]
pub(crate) struct SourcesRead {
    /// Source to the sheets of its files.
    sheets: BTreeMap<String, BTreeSet<String>>,
    /// Sources of which a file could not be read, so that its sheets are not known.
    unread: BTreeSet<String>,
    /// Whether a file belongs to no source.
    unclaimed: bool,
}

impl SourcesRead {
    /// Notes a file of a source, or of none, and its sheets; without sheets when it could not be read.
    pub(crate) fn add<'a>(&mut self, source: Option<&Source>, sheets: Option<impl IntoIterator<Item = &'a str>>) {
        let Some(source) = source else {
            self.unclaimed = true;
            return;
        };
        let known = self.sheets.entry(source.name.clone()).or_default();
        match sheets {
            Some(sheets) => known.extend(sheets.into_iter().map(str::to_owned)),
            None => {
                self.unread.insert(source.name.clone());
            }
        }
    }

    /// Tells the contracts and suites of the sources that applied to nothing, and whether they fail a run in strict mode.
    ///
    /// A sheet that is not in the files of its source does. A source without a file does where some file belongs to no source, and may
    /// be the one that was meant; else the run is one without that source.
    pub(crate) fn unmatched(&self, sources: &[Source]) -> (Vec<Diagnostic>, bool) {
        let (mut diagnostics, mut fails) = (Vec::new(), false);
        for source in sources {
            let Some(sheets) = self.sheets.get(&source.name) else {
                if source.contract.is_none() && source.sheet_contracts.is_empty() {
                    continue;
                }
                fails |= self.unclaimed;
                let message = format!(
                    "No file is of source `{}`, so that its contract was not checked: none fits `{}`",
                    source.name, source.pattern
                );
                diagnostics.push(
                    Diagnostic::warning("contract.unmatched", message)
                        .hint("Correct `pattern`, a glob over the file's name, or give the file"),
                );
                continue;
            };
            if self.unread.contains(&source.name) {
                continue;
            }
            let contracts = source.sheet_contracts.iter().map(|named| ("contract", "sheet_contracts", named));
            let suites = source.sheet_suites.iter().map(|named| ("suite", "sheet_suites", named));
            for (kind, key, (sheet, name)) in contracts.chain(suites) {
                if sheets.iter().any(|known| known.eq_ignore_ascii_case(sheet)) {
                    continue;
                }
                fails = true;
                let hint = match hotpass_core::nearest(sheet, sheets.iter().map(String::as_str)) {
                    Some(near) => format!("Did you mean sheet `{near}`? Correct `{key}` of the source"),
                    None if sheets.is_empty() => format!("Its files have no sheets: use `{kind}` instead of `{key}`"),
                    None => {
                        let known: Vec<&str> = sheets.iter().map(String::as_str).collect();
                        format!("Its sheets are `{}`: correct `{key}` of the source", known.join("`, `"))
                    }
                };
                let code = if kind == "contract" { "contract.unmatched" } else { "expectation.unmatched" };
                let message = format!(
                    "No file of source `{}` has a sheet `{sheet}`, so that {kind} `{name}` was not checked",
                    source.name
                );
                diagnostics.push(Diagnostic::warning(code, message).hint(hint));
            }
        }
        (diagnostics, fails)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(sheet, name)| ((*sheet).to_owned(), (*name).to_owned())).collect()
    }

    #[test]
    fn what_applies_to_nothing_is_told_with_the_nearest_sheet() {
        let workbook = Source {
            name: "workbook".into(),
            pattern: "*.xlsx".into(),
            sheet_contracts: named(&[("Olde", "old"), ("NEW", "new")]),
            sheet_suites: named(&[("Oldd", "old")]),
            ..Source::default()
        };
        let absent = Source { name: "absent".into(), contract: Some("new".into()), ..workbook.clone() };
        let mut read = SourcesRead::default();
        read.add(Some(&workbook), Some(["Old", "New"]));
        let (found, fails) = read.unmatched(std::slice::from_ref(&workbook));
        assert!(fails && found.len() == 2, "{found:?}");
        for diagnostic in &found {
            assert!(diagnostic.hint.as_deref().is_some_and(|hint| hint.contains("`Old`")), "{diagnostic:?}");
        }
        // A run of other sources lacks this one; a file of no source may be it.
        let fine = Source { sheet_contracts: BTreeMap::new(), sheet_suites: BTreeMap::new(), ..workbook };
        let (found, fails) = read.unmatched(&[fine.clone(), absent.clone()]);
        assert!(!fails && found.len() == 1, "{found:?}");
        read.add(None, Some([]));
        assert!(read.unmatched(&[fine, absent]).1);
    }

    #[test]
    fn names_that_do_not_exist_are_problems() {
        let mut config = HotpassConfig::default();
        config.profile.sources = vec![Source {
            name: "s".into(),
            contract: Some("ssott".into()),
            suite: Some("sacaa_cleand".into()),
            sheet_contracts: named(&[("A", "ssot"), ("B", "missing.json")]),
            ..Source::default()
        }];
        let found = check_named(&config);
        let keys: Vec<&str> = found.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(
            keys,
            ["profile.sources[0].contract", "profile.sources[0].sheet_contracts.B", "profile.sources[0].suite"]
        );
        assert_eq!(found[0].hint.as_deref(), Some("Did you mean `ssot`?"));
    }
}
