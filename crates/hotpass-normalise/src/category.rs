//! Labels: categories, states, roles. Their words are kept; only their dress is tidied.

use crate::letter_case::{is_all_capitals, title_case};
use crate::{FieldRule, Outcome, RuleCounts, TextRule};

/// Tidies a label: white space, and title case where it shouts.
///
/// A single word of up to four capitals, such as `AMO`, is taken for an acronym and kept.
#[derive(Debug, Clone)]
pub struct CategoryRule {
    text: TextRule,
    title_case_code: &'static str,
}

impl CategoryRule {
    /// Creates the rule for categories over a text rule.
    pub fn new(text: TextRule) -> Self {
        Self { text, title_case_code: "category.title_case" }
    }

    /// Creates the rule for roles, which counts under `role.` codes.
    pub fn for_roles(text: TextRule) -> Self {
        Self { text, title_case_code: "role.title_case" }
    }
}

impl Default for CategoryRule {
    fn default() -> Self {
        Self::new(TextRule::default())
    }
}

impl FieldRule for CategoryRule {
    fn apply(&self, _row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        let Some(clean) = self.text.clean(value, counts) else { return Outcome::Empty };
        let is_shouting = is_all_capitals(&clean) && clean.chars().filter(|letter| letter.is_alphabetic()).count() > 4;
        if is_shouting && title_case(&clean, scratch) {
            counts.add(self.title_case_code);
            return Outcome::Changed;
        }
        if *clean == *value {
            return Outcome::Same;
        }
        scratch.clear();
        scratch.push_str(&clean);
        Outcome::Changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, expected: Option<&str>) {
        let (mut scratch, mut counts) = (String::new(), RuleCounts::default());
        let got = match CategoryRule::default().apply(0, input, &mut scratch, &mut counts) {
            Outcome::Same => Some(input.to_owned()),
            Outcome::Changed => Some(scratch),
            Outcome::Empty | Outcome::Failed(_) => None,
        };
        assert_eq!(got.as_deref(), expected, "{input}");
    }

    #[test]
    fn labels() {
        for (input, expected) in [
            ("Flight School", Some("Flight School")),
            ("flight school", Some("flight school")),
            ("FLIGHT SCHOOL", Some("Flight School")),
            (" Flight   School ", Some("Flight School")),
            ("Flight\nSchool", Some("Flight School")),
            ("Flight\u{a0}School", Some("Flight School")),
            ("AMO", Some("AMO")),
            ("ATO", Some("ATO")),
            ("A, B, C, X", Some("A, B, C, X")),
            ("CEO", Some("CEO")),
            ("CHIEF FLYING INSTRUCTOR", Some("Chief Flying Instructor")),
            ("HEAD OF TRAINING", Some("Head of Training")),
            ("HEAD OF HR", Some("Head of HR")),
            ("Accountable Manager", Some("Accountable Manager")),
            ("DIRECTOR/OWNER", Some("DIRECTOR/OWNER")),
            ("MAIN BASE", Some("Main Base")),
            ("Satellite Base", Some("Satellite Base")),
            ("ACTIVE", Some("Active")),
            ("Active ", Some("Active")),
            ("INVALID", Some("Invalid")),
            ("<100km", Some("<100km")),
            ("100km-220km", Some("100km-220km")),
            ("100KM-220KM", Some("100KM-220KM")),
            ("Parts Supplier", Some("Parts Supplier")),
            ("PARTS SUPPLIER", Some("Parts Supplier")),
            ("DONE", Some("DONE")),
            ("Done", Some("Done")),
            ("INVESTIGATE", Some("Investigate")),
            ("Owner;Director", Some("Owner;Director")),
            ("R&D MANAGER", Some("R&D Manager")),
            ("VP SALES", Some("VP Sales")),
            ("N/A", None),
            ("-", None),
            ("", None),
            ("   ", None),
            ("#N/A", None),
            ("none", None),
            ("TBD", None),
            ("Unknown", None),
            ("École", Some("École")),
            ("ÉCOLE PRIMAIRE", Some("École Primaire")),
            ("“Quoted”", Some("\"Quoted\"")),
        ] {
            check(input, expected);
        }
    }
}
