//! Which records are one entity: the deterministic grouping, behind the interface that other engines share.

use std::hash::BuildHasher;

use arrow::array::{Array, StringArray};
use hashbrown::{DefaultHashBuilder, HashTable};
use hotpass_config::model::{GroupingKey, Resolve};
use rayon::prelude::*;

use crate::records::{Channel, Records, TextField, value_at};

/// Marks a missing key.
const NO_CODE: u32 = u32::MAX;

/// Decides which records are one entity.
pub(crate) trait EntityGrouping {
    /// Groups all records.
    fn group(&self, records: &Records) -> Groups;
}

/// The result of a grouping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Groups {
    /// Group of each record; groups are numbered by their first record.
    pub(crate) group_of: Vec<u32>,
    /// Number of groups.
    pub(crate) count: u32,
    /// The links that joined two groups, a spanning forest, in the order of the rules.
    pub(crate) links: Vec<Link>,
}

/// Two records that a rule joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    /// The earlier record.
    pub(crate) left: u32,
    /// The later record.
    pub(crate) right: u32,
    /// The rule.
    pub(crate) rule: &'static str,
}

impl Groups {
    /// Returns the members of each group in one list, and where each group starts in it.
    pub(crate) fn members(&self) -> (Vec<u32>, Vec<u32>) {
        let mut offsets = vec![0u32; self.count as usize + 1];
        for &group in &self.group_of {
            offsets[group as usize + 1] += 1;
        }
        for group in 0..self.count as usize {
            offsets[group + 1] += offsets[group];
        }
        let mut next = offsets.clone();
        let mut members = vec![0u32; self.group_of.len()];
        for (record, &group) in self.group_of.iter().enumerate() {
            members[next[group as usize] as usize] = record as u32;
            next[group as usize] += 1;
        }
        (offsets, members)
    }
}

/// Leaves every record an entity of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoGrouping;

impl EntityGrouping for NoGrouping {
    fn group(&self, records: &Records) -> Groups {
        let count = records.len() as u32;
        Groups { group_of: (0..count).collect(), count, links: Vec::new() }
    }
}

/// Joins records by equal keys: the deterministic path.
///
/// A missing key joins nothing. Equal telephone numbers, e-mail addresses and web domains join two records only when their
/// names are similar enough, and none when the value stands under more distinct names than the limit: it is then shared by
/// many organisations, such as a reception desk or a directory.
pub(crate) struct DeterministicGrouping<'a> {
    /// Keys, guard and limit.
    pub(crate) resolve: &'a Resolve,
    /// Similarity of two name keys, 0 to 1.
    pub(crate) similarity: &'a (dyn Fn(&str, &str) -> f64 + Sync),
}

impl EntityGrouping for DeterministicGrouping<'_> {
    fn group(&self, records: &Records) -> Groups {
        let names = encode(&records.name_keys);
        let mut forest = Forest::new(records.len());
        for &key in &self.resolve.keys {
            match key {
                GroupingKey::Name => forest.join_equal(&names, "name"),
                GroupingKey::RegistrationNumber => {
                    forest.join_equal(&encode(records.column(TextField::RegistrationNumber)), "registration_number");
                }
                GroupingKey::Phone => self.join_guarded(
                    &mut forest,
                    records,
                    &names,
                    &by_contact(records, &records.contacts.values[Channel::Phone as usize]),
                    "phone",
                ),
                GroupingKey::Email => self.join_guarded(
                    &mut forest,
                    records,
                    &names,
                    &by_contact(records, &records.contacts.values[Channel::Email as usize]),
                    "email",
                ),
                GroupingKey::WebDomain => {
                    self.join_guarded(&mut forest, records, &names, &by_domain(records), "web_domain");
                }
            }
        }
        forest.groups()
    }
}

impl DeterministicGrouping<'_> {
    fn join_guarded(&self, forest: &mut Forest, records: &Records, names: &Codes, shared: &Shared, rule: &'static str) {
        // First the pairs that the guard has to judge, then the guard on all threads, then the joins in order.
        let mut candidates: Vec<(u32, u32)> = Vec::new();
        let mut representatives: Vec<u32> = Vec::new();
        for members in shared.groups() {
            representatives.clear();
            for &record in members {
                let name = names.codes[record as usize];
                if name == NO_CODE {
                    continue;
                }
                match representatives.iter().find(|&&other| names.codes[other as usize] == name) {
                    Some(&other) if other != record => forest.join(other, record, rule),
                    Some(_) => {}
                    None => representatives.push(record),
                }
                if representatives.len() > self.resolve.shared_value_limit {
                    break;
                }
            }
            if representatives.len() > self.resolve.shared_value_limit {
                continue;
            }
            for (position, &right) in representatives.iter().enumerate() {
                for &left in &representatives[..position] {
                    if forest.find(left) != forest.find(right) {
                        candidates.push((left, right));
                    }
                }
            }
        }
        let verdicts: Vec<bool> = candidates
            .par_iter()
            .with_min_len(256)
            .map(|&(left, right)| {
                let keys = &records.name_keys;
                match (value_at(keys, left as usize), value_at(keys, right as usize)) {
                    (Some(left), Some(right)) => (self.similarity)(left, right) >= self.resolve.name_guard,
                    _ => false,
                }
            })
            .collect();
        for (&(left, right), passes) in candidates.iter().zip(verdicts) {
            if passes {
                forest.join(left, right, rule);
            }
        }
    }
}

/// A column as codes into its distinct values.
#[derive(Debug)]
struct Codes {
    /// Code of each position; [`NO_CODE`] where the value is null.
    codes: Vec<u32>,
    /// Number of distinct values.
    distinct: u32,
}

/// Numbers the distinct values of a column in the order of their first appearance.
fn encode(values: &StringArray) -> Codes {
    let hasher = DefaultHashBuilder::default();
    let mut table: HashTable<(u64, u32)> = HashTable::with_capacity(values.len() / 2);
    let mut first: Vec<u32> = Vec::new();
    let mut codes = Vec::with_capacity(values.len());
    for position in 0..values.len() {
        let Some(value) = value_at(values, position) else {
            codes.push(NO_CODE);
            continue;
        };
        let hash = hasher.hash_one(value);
        let entry = table.entry(
            hash,
            |&(other, code)| other == hash && values.value(first[code as usize] as usize) == value,
            |&(other, _)| other,
        );
        let code = match entry {
            hashbrown::hash_table::Entry::Occupied(entry) => entry.get().1,
            hashbrown::hash_table::Entry::Vacant(entry) => {
                let code = first.len() as u32;
                entry.insert((hash, code));
                first.push(position as u32);
                code
            }
        };
        codes.push(code);
    }
    Codes { codes, distinct: first.len() as u32 }
}

/// Records that have a value in common: groups of records, each in record order.
struct Shared {
    offsets: Vec<u32>,
    records: Vec<u32>,
}

impl Shared {
    /// Sorts records by the code of their value.
    fn new(codes: &Codes, record_of: &[u32]) -> Self {
        let mut offsets = vec![0u32; codes.distinct as usize + 1];
        for &code in codes.codes.iter().filter(|&&code| code != NO_CODE) {
            offsets[code as usize + 1] += 1;
        }
        for code in 0..codes.distinct as usize {
            offsets[code + 1] += offsets[code];
        }
        let mut next = offsets.clone();
        let mut records = vec![0u32; offsets.last().copied().unwrap_or(0) as usize];
        for (&code, &record) in codes.codes.iter().zip(record_of) {
            if code != NO_CODE {
                records[next[code as usize] as usize] = record;
                next[code as usize] += 1;
            }
        }
        Self { offsets, records }
    }

    fn groups(&self) -> impl Iterator<Item = &[u32]> {
        self.offsets
            .windows(2)
            .map(|bounds| &self.records[bounds[0] as usize..bounds[1] as usize])
            .filter(|members| members.len() > 1)
    }
}

fn record_of_contact(records: &Records) -> Vec<u32> {
    let mut record_of = Vec::with_capacity(records.contacts.columns[0].len());
    for record in 0..records.len() as u32 {
        record_of.resize(record_of.len() + records.contacts.of(record).len(), record);
    }
    record_of
}

fn by_contact(records: &Records, values: &StringArray) -> Shared {
    Shared::new(&encode(values), &record_of_contact(records))
}

/// Groups records by the domains of their web address and of their e-mail addresses alike.
fn by_domain(records: &Records) -> Shared {
    let websites = &records.website_domains;
    let emails = &records.email_domains;
    // One column of both, so that one numbering covers them.
    let all: StringArray = websites.iter().chain(emails.iter()).collect();
    let record_of: Vec<u32> = (0..records.len() as u32).chain(record_of_contact(records)).collect();
    Shared::new(&encode(&all), &record_of)
}

/// Union-find with the links that were made.
struct Forest {
    parent: Vec<u32>,
    links: Vec<Link>,
}

impl Forest {
    fn new(len: usize) -> Self {
        Self { parent: (0..len as u32).collect(), links: Vec::new() }
    }

    fn find(&mut self, mut record: u32) -> u32 {
        while self.parent[record as usize] != record {
            let grandparent = self.parent[self.parent[record as usize] as usize];
            self.parent[record as usize] = grandparent;
            record = grandparent;
        }
        record
    }

    /// Joins two records; the smaller root stays, so that roots are first members.
    fn join(&mut self, left: u32, right: u32, rule: &'static str) {
        let (a, b) = (self.find(left), self.find(right));
        if a != b {
            self.parent[a.max(b) as usize] = a.min(b);
            self.links.push(Link { left: left.min(right), right: left.max(right), rule });
        }
    }

    fn join_equal(&mut self, codes: &Codes, rule: &'static str) {
        let mut last = vec![NO_CODE; codes.distinct as usize];
        for (record, &code) in codes.codes.iter().enumerate() {
            if code == NO_CODE {
                continue;
            }
            let previous = std::mem::replace(&mut last[code as usize], record as u32);
            if previous != NO_CODE {
                self.join(previous, record as u32, rule);
            }
        }
    }

    fn groups(mut self) -> Groups {
        let len = self.parent.len();
        let mut group_of = Vec::with_capacity(len);
        let mut count = 0;
        for record in 0..len as u32 {
            let root = self.find(record);
            if root == record {
                group_of.push(count);
                count += 1;
            } else {
                // The root is the first member, so its number is known.
                group_of.push(group_of[root as usize]);
            }
        }
        Groups { group_of, count, links: self.links }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::sample_records::{Sample, records};

    fn group(samples: Vec<Sample>) -> Groups {
        let resolve = Resolve::default();
        let similarity = |a: &str, b: &str| if a.split(' ').next() == b.split(' ').next() { 0.8 } else { 0.1 };
        DeterministicGrouping { resolve: &resolve, similarity: &similarity }.group(&records(&[(0, samples)]))
    }

    fn named(name: &'static str) -> Sample {
        Sample { name: Some(name), ..Sample::default() }
    }

    #[track_caller]
    fn check(samples: Vec<Sample>, expected: &[u32]) {
        assert_eq!(group(samples).group_of, expected);
    }

    #[test]
    fn missing_keys_join_nothing() {
        check(vec![Sample::default(), Sample::default(), Sample::default()], &[0, 1, 2]);
        check(vec![named("Acacia"), Sample::default(), named("Baobab")], &[0, 1, 2]);
    }

    #[test]
    fn equal_names_and_registration_numbers_join() {
        let registered = |name| Sample { registration: Some("2001/000001/07"), ..named(name) };
        check(vec![named("Acacia"), named("Baobab"), named("ACACIA")], &[0, 1, 0]);
        check(vec![registered("Acacia"), named("Baobab"), registered("Marula")], &[0, 1, 0]);
    }

    #[test]
    fn shared_channels_join_only_similar_names() {
        let phone = |name| Sample { contact: [None, None, None, Some("+27110000001")], ..named(name) };
        check(vec![phone("Acacia Club"), phone("Acacia Flying"), phone("Baobab")], &[0, 0, 1]);
        let domain = |name| Sample { domain: Some("acacia.co.za"), ..named(name) };
        check(vec![domain("Acacia Club"), domain("Baobab")], &[0, 1]);
        let many = ["Acacia A", "Acacia B", "Acacia C", "Acacia D", "Acacia E", "Acacia F"];
        check(many.into_iter().map(phone).collect(), &[0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn links_are_a_spanning_forest_with_their_rules() {
        let phone = |name| Sample { contact: [None, None, None, Some("+27110000001")], ..named(name) };
        let groups = group(vec![phone("Acacia Club"), phone("Acacia Flying"), named("Acacia Club")]);
        let links: Vec<_> = groups.links.iter().map(|link| (link.left, link.right, link.rule)).collect();
        assert_eq!(links, [(0, 2, "name"), (0, 1, "phone")]);
    }

    proptest! {
        #[test]
        fn the_order_of_rows_does_not_matter(
            rows in prop::collection::vec((0usize..5, 0usize..4, 0usize..4), 1..30),
            seed in any::<u64>(),
        ) {
            const NAMES: [&str; 5] = ["Acacia Club", "Acacia Flying", "Baobab", "Baobab Two", "Marula"];
            const PHONES: [Option<&str>; 4] = [None, Some("+27110000001"), Some("+27110000002"), Some("+27110000003")];
            const NUMBERS: [Option<&str>; 4] = [None, None, Some("2001/000001/07"), Some("2002/000002/07")];
            let sample = |&(name, phone, number): &(usize, usize, usize)| Sample {
                contact: [None, None, None, PHONES[phone]],
                registration: NUMBERS[number],
                ..named(NAMES[name])
            };
            let mut order: Vec<usize> = (0..rows.len()).collect();
            order.sort_by_key(|&at| (at as u64 + 1).wrapping_mul(seed | 1));
            let sets = |order: &[usize]| {
                let groups = group(order.iter().map(|&at| sample(&rows[at])).collect());
                let mut sets = vec![BTreeSet::new(); groups.count as usize];
                for (position, &set) in groups.group_of.iter().enumerate() {
                    sets[set as usize].insert(order[position]);
                }
                sets.into_iter().collect::<BTreeSet<_>>()
            };
            prop_assert_eq!(sets(&(0..rows.len()).collect::<Vec<_>>()), sets(&order));
        }
    }
}
