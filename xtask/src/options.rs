//! What is typed behind `qa`, `ci` and `install`.

use crate::peers;
use crate::tools::Stage;

/// What the gates are asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Gates to run; those of the default stage when empty.
    pub(crate) gates: Vec<String>,
    /// Whether the deep gates run as well.
    pub(crate) deep: bool,
    /// With a number of people, Hotpass is compared with other tools as well, with Splink on that many.
    pub(crate) peers: Option<u64>,
    /// Whether figures that are better than the committed ones replace them.
    pub(crate) record: bool,
    /// How long each fuzz target runs.
    pub(crate) seconds: u64,
    /// Files whose mutants are tested, fuzz targets, or crates that are measured; all of the gate's own list when empty.
    pub(crate) files: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { gates: Vec::new(), deep: false, peers: None, record: false, seconds: 60, files: Vec::new() }
    }
}

impl Options {
    /// Reads the words behind a task; names of gates are allowed behind `qa` only.
    pub(crate) fn parse(task: &str, words: &[&str]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut words = words.iter().copied().peekable();
        while let Some(word) = words.next() {
            match (task, word) {
                (_, "--deep") => options.deep = true,
                ("ci", "--peers") => {
                    let people = words.next_if(|next| !next.starts_with('-'));
                    let people = people.map_or(Ok(peers::PEOPLE), |people| number("--peers", people))?;
                    options.peers = Some(people);
                }
                ("qa", "--record") => options.record = true,
                ("qa", "--seconds") => options.seconds = number(word, words.next().unwrap_or_default())?,
                ("qa", "--file" | "--target" | "--package") => {
                    let value = words.next().filter(|value| !value.starts_with('-'));
                    options.files.push(value.ok_or_else(|| format!("`{word}` needs a value"))?.to_owned());
                }
                ("qa", name) if !name.starts_with('-') => options.gates.push(name.to_owned()),
                _ => return Err(format!("`cargo xtask {task}` does not know `{word}`")),
            }
        }
        Ok(options)
    }
}

/// Reads the stages behind `install`.
pub(crate) fn stages(words: &[&str]) -> Result<Vec<Stage>, String> {
    let mut stages = vec![Stage::Default];
    for word in words {
        stages.push(match *word {
            "default" => continue,
            "deep" => Stage::Deep,
            "on-demand" => Stage::OnDemand,
            "peers" => Stage::Peers,
            _ => return Err(format!("No stage `{word}`; the stages are default, deep, on-demand, peers")),
        });
    }
    Ok(stages)
}

fn number(flag: &str, text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{flag}` needs a whole number, not `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_names_are_read() {
        let parsed = Options::parse("qa", &["fuzz", "--seconds", "5", "--target", "csv_sniffer", "--record"]).unwrap();
        let expected = Options {
            gates: vec!["fuzz".to_owned()],
            seconds: 5,
            files: vec!["csv_sniffer".to_owned()],
            record: true,
            ..Options::default()
        };
        assert_eq!(parsed, expected);
        let parsed = Options::parse("ci", &["--peers", "500", "--deep"]).unwrap();
        assert_eq!((parsed.peers, parsed.deep), (Some(500), true));
        assert_eq!(Options::parse("ci", &["--peers", "--deep"]).unwrap().peers, Some(peers::PEOPLE));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for (task, words) in [
            ("ci", &["fuzz"] as &[&str]),
            ("ci", &["--peers", "many"]),
            ("ci", &["--seconds", "5"]),
            ("qa", &["--seconds"]),
            ("qa", &["--peers"]),
            ("qa", &["--file", "--record"]),
        ] {
            assert!(Options::parse(task, words).is_err(), "{task} {words:?}");
        }
        assert!(stages(&["depth"]).is_err());
        assert_eq!(stages(&["deep"]).unwrap(), [Stage::Default, Stage::Deep]);
    }
}
