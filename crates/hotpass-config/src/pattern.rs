//! Patterns of file names.

use crate::model::Source;

impl Source {
    /// Returns whether a file's name, without its folder, matches the pattern.
    ///
    /// Case does not matter. `*` stands for any characters, `?` for one, `{a,b}` for either; the rest for itself.
    pub fn matches(&self, file_name: &str) -> bool {
        let name: Vec<char> = file_name.to_lowercase().chars().collect();
        alternatives(&self.pattern.to_lowercase())
            .iter()
            .any(|pattern| matches(&pattern.chars().collect::<Vec<_>>(), &name))
    }
}

/// Most patterns that the braces of one may stand for.
const ALTERNATIVES_LIMIT: usize = 256;

/// Returns why a pattern is none, or nothing.
pub(crate) fn fault(pattern: &str) -> Option<&'static str> {
    let mut open = false;
    for c in pattern.chars() {
        match c {
            '{' if open => return Some("`{` stands within `{`"),
            '}' if !open => return Some("`}` has no `{`"),
            '{' => open = true,
            '}' => open = false,
            '/' | '\\' => return Some("A pattern is of the file's name, without folders"),
            _ => {}
        }
    }
    if open {
        return Some("`{` has no `}`");
    }
    if pattern.trim().is_empty() {
        return Some("Pattern is empty");
    }
    (alternatives(pattern).len() >= ALTERNATIVES_LIMIT).then_some("Braces stand for too many patterns")
}

/// Writes braces out.
fn alternatives(pattern: &str) -> Vec<String> {
    let mut done = vec![String::new()];
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((inside, after)) = after.split_once('}') else { break };
        for text in &mut done {
            text.push_str(before);
        }
        done = done
            .iter()
            .flat_map(|text| inside.split(',').map(move |choice| format!("{text}{choice}")))
            .take(ALTERNATIVES_LIMIT)
            .collect();
        rest = after;
    }
    for text in &mut done {
        text.push_str(rest);
    }
    done
}

/// Matches by remembering the last `*` only, so that the cost is at most the product of the lengths.
fn matches(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some('?') => (p, n) = (p + 1, n + 1),
            Some(c) if *c == name[n] => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((star_p, star_n)) = star else { return false };
                star = Some((star_p, star_n + 1));
                (p, n) = (star_p + 1, star_n + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, name: &str, expected: bool) {
        let source = Source { pattern: pattern.into(), ..Source::default() };
        assert_eq!(source.matches(name), expected, "{pattern} against {name}");
    }

    #[test]
    fn patterns_match_names() {
        check("*register*.xlsx", "Register.XLSX", true);
        check("*register*.xlsx", "2024 register v2.xlsx", true);
        check("*register*.xlsx", "register.xls", false);
        check("*{register,sacaa}*.{xlsx,csv}", "SACAA Cleaned.xlsx", true);
        check("*{register,sacaa}*.{xlsx,csv}", "sacaa.csv", true);
        check("*{register,sacaa}*.{xlsx,csv}", "outreach.csv", false);
        check("a?c", "abc", true);
        check("a?c", "ac", false);
        check("*", "", true);
        check("", "a", false);
        check("É*", "ecole.csv", false);
        check("É*", "électron.csv", true);
        check("a*a*a*a*a*a*a*a*b", &"a".repeat(2000), false);
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(fault("*.{csv,xlsx}"), None);
        assert_eq!(fault("*.{csv"), Some("`{` has no `}`"));
        assert_eq!(fault("*.csv}"), Some("`}` has no `{`"));
        assert_eq!(fault("data/*.csv"), Some("A pattern is of the file's name, without folders"));
        assert!(fault(&"{a,b}".repeat(12)).is_some());
    }
}
