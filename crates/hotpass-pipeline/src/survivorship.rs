//! Survivorship: which value of several a golden record gets, and where it came from.

use hotpass_config::model::SurvivorshipRule;

use crate::records::Records;

/// A value that a member of an entity has for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate<'a> {
    /// Record that has it.
    pub(crate) record: u32,
    /// Where in the store it is: the record itself, or a contact.
    pub(crate) source: u32,
    /// The normalised value.
    pub(crate) value: &'a str,
}

/// Returns the position of the candidate that a rule chooses, or nothing when there is none.
///
/// Candidates come in the order of the tie-break chain (source priority, completeness of the row, recency, position in
/// the input), so that the first of equals wins. [`SurvivorshipRule::ListUnion`] chooses the best; the caller adds the others.
pub(crate) fn select(rule: SurvivorshipRule, candidates: &[Candidate<'_>], records: &Records) -> Option<usize> {
    if candidates.len() < 2 {
        return (!candidates.is_empty()).then_some(0);
    }
    match rule {
        SurvivorshipRule::SourcePriority | SurvivorshipRule::ListUnion => Some(0),
        SurvivorshipRule::Completeness => {
            first_greatest(candidates, |candidate| records.completeness[candidate.record as usize])
        }
        SurvivorshipRule::Recency => first_greatest(candidates, |candidate| records.date(candidate.record)),
        SurvivorshipRule::Longest => first_greatest(candidates, |candidate| candidate.value.chars().count()),
        SurvivorshipRule::Frequency => most_frequent(candidates),
    }
}

/// Returns the rule's name, as configuration and provenance give it.
pub(crate) const fn rule_name(rule: SurvivorshipRule) -> &'static str {
    match rule {
        SurvivorshipRule::SourcePriority => "source_priority",
        SurvivorshipRule::Completeness => "completeness",
        SurvivorshipRule::Recency => "recency",
        SurvivorshipRule::Frequency => "frequency",
        SurvivorshipRule::Longest => "longest",
        SurvivorshipRule::ListUnion => "list_union",
    }
}

fn first_greatest<K: Ord>(candidates: &[Candidate<'_>], key: impl Fn(&Candidate<'_>) -> K) -> Option<usize> {
    let mut best: Option<(usize, K)> = None;
    for (position, candidate) in candidates.iter().enumerate() {
        let key = key(candidate);
        if best.as_ref().is_none_or(|(_, greatest)| key > *greatest) {
            best = Some((position, key));
        }
    }
    best.map(|(position, _)| position)
}

fn most_frequent(candidates: &[Candidate<'_>]) -> Option<usize> {
    let mut counts: hashbrown::HashMap<&str, u32> = hashbrown::HashMap::with_capacity(candidates.len());
    for candidate in candidates {
        *counts.entry(candidate.value).or_default() += 1;
    }
    first_greatest(candidates, |candidate| counts.get(candidate.value).copied())
}

/// Returns the positions of the first candidate with each distinct value, in order.
pub(crate) fn distinct(candidates: &[Candidate<'_>], positions: &mut Vec<usize>) {
    positions.clear();
    if candidates.len() <= 16 {
        for (position, candidate) in candidates.iter().enumerate() {
            if !positions.iter().any(|&other| candidates[other].value == candidate.value) {
                positions.push(position);
            }
        }
    } else {
        let mut seen = hashbrown::HashSet::with_capacity(candidates.len());
        positions.extend(
            candidates
                .iter()
                .enumerate()
                .filter(|(_, candidate)| seen.insert(candidate.value))
                .map(|(position, _)| position),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::TextField;
    use crate::sample_records::{Sample, records};

    /// Checks which value of three records in the order of trust a rule chooses.
    #[track_caller]
    fn check(rule: SurvivorshipRule, samples: [(&'static str, Option<i32>, Option<&'static str>); 3], expected: &str) {
        let samples = samples.map(|(notes, date, registration)| Sample {
            name: Some("Acacia"),
            notes: Some(notes),
            date,
            registration,
            ..Sample::default()
        });
        let records = records(&[(1, samples.to_vec())]);
        let candidates: Vec<Candidate<'_>> = (0..3)
            .filter_map(|record| {
                Some(Candidate { record, source: record, value: records.get(TextField::Notes, record)? })
            })
            .collect();
        let winner = select(rule, &candidates, &records).expect("there are candidates");
        assert_eq!(candidates[winner].value, expected, "{rule:?}");
    }

    #[test]
    fn each_rule_chooses_by_its_measure_and_ties_fall_to_the_order_of_trust() {
        use SurvivorshipRule::{Completeness, Frequency, ListUnion, Longest, Recency, SourcePriority};
        let samples = [("b", Some(1), None), ("ccc", Some(9), None), ("b", None, Some("1"))];
        check(SourcePriority, samples, "b");
        check(ListUnion, samples, "b");
        check(Recency, samples, "ccc");
        check(Longest, samples, "ccc");
        check(Frequency, samples, "b");
        check(Completeness, [("x", None, None), ("y", Some(1), Some("1")), ("z", Some(1), Some("1"))], "y");
        check(Recency, [("x", None, None), ("y", None, None), ("z", None, None)], "x");
        check(Longest, [("éé", None, None), ("xx", None, None), ("y", None, None)], "éé");
        check(Frequency, [("x", None, None), ("y", None, None), ("z", None, None)], "x");
    }

    #[test]
    fn distinct_keeps_the_first_of_each_value() {
        let candidate = |record: u32, value| Candidate { record, source: record, value };
        for repeats in [1, 20] {
            let candidates: Vec<_> = ["a", "b", "a"]
                .into_iter()
                .cycle()
                .take(3 * repeats)
                .zip(0..)
                .map(|(value, at)| candidate(at, value))
                .collect();
            let mut positions = Vec::new();
            distinct(&candidates, &mut positions);
            assert_eq!(positions, [0, 1]);
        }
    }
}
