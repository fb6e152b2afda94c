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
