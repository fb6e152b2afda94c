//! Which records are one entity: the deterministic grouping, behind the interface that other engines share.

use std::hash::BuildHasher;

use arrow::array::{Array, StringArray};
use hashbrown::{DefaultHashBuilder, HashTable};
use hotpass_config::model::{GroupingKey, Resolve};
use rayon::prelude::*;

use crate::linkage::GroupingError;
use crate::records::{Channel, Records, TextField, value_at};

/// Marks a missing key.
const NO_CODE: u32 = u32::MAX;

/// Decides which records are one entity.
pub(crate) trait EntityGrouping {
    /// Groups all records.
    ///
    /// # Errors
    ///
    /// Returns an error when records cannot be compared.
    fn group(&self, records: &Records) -> Result<Groups, GroupingError>;
}

/// The result of a grouping.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Groups {
    /// Group of each record; groups are numbered by their first record.
    pub(crate) group_of: Vec<u32>,
    /// Number of groups.
    pub(crate) count: u32,
    /// The links that joined two groups, a spanning forest, in the order of the rules.
    pub(crate) links: Vec<Link>,
    /// The pairs that a person should judge, the likeliest first; one for each two groups.
    pub(crate) review: Vec<ReviewPair>,
}

/// Two records of different groups that may be one entity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ReviewPair {
    /// The earlier record.
    pub(crate) left: u32,
    /// The later record.
    pub(crate) right: u32,
    /// Match weight in bits.
    pub(crate) match_weight: f64,
    /// Why it was not joined.
    pub(crate) reason: &'static str,
}

/// Two records that a rule joined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Link {
    /// The earlier record.
    pub(crate) left: u32,
    /// The later record.
    pub(crate) right: u32,
    /// The rule.
    pub(crate) rule: &'static str,
    /// Match weight in bits, where the linkage model joined them.
    pub(crate) match_weight: Option<f64>,
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
    fn group(&self, records: &Records) -> Result<Groups, GroupingError> {
        Ok(Forest::new(records.len()).groups())
    }
}

/// Joins records by equal keys: the deterministic path.
///
/// Rules apply from the strongest to the weakest; `resolve.keys` chooses among them, its order does not matter.
///
/// 1. `registration_number`: equal numbers join.
/// 2. `name_and_phone`, `name_and_email`, `name_and_web_domain`: an equal name is evidence, and the equal value confirms it.
/// 3. `phone`, `email`, `web_domain`: an equal value under names that are similar enough, unless the value stands under more
///    names than the limit: it is then shared by many organisations, such as a reception desk or a directory.
/// 4. `name_and_postal_code`, `name_and_city`, `name_and_province`, and last the bare `name`: an equal name at one place, or
///    at no place at all.
///
/// A missing value joins nothing. What a rule would join is judged as a whole, together with all that earlier rules joined,
/// so that neither the order of rows nor that of links decides:
///
/// - Two different registration numbers never become one entity. Where a rule of the first three steps would mix them, the
///   number that most records support stays, and the records of the others are left out.
/// - Where a rule would mix several values of what it names as its vetoes, it joins nothing: it is then unclear which records
///   belong together, and a missing join does less harm than a wrong one.
pub(crate) struct DeterministicGrouping<'a> {
    /// Keys, guard and limit.
    pub(crate) resolve: &'a Resolve,
    /// Similarity of two name keys, 0 to 1.
    pub(crate) similarity: &'a (dyn Fn(&str, &str) -> f64 + Sync),
}

/// What records may contradict each other in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
enum Trait {
    RegistrationNumber,
    WebDomain,
    PostalCode,
    City,
    Province,
}

/// A rule that joins records.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// What links call it.
    name: &'static str,
    /// Whether, where registration numbers differ, the best supported one stays; a weak rule joins nothing then.
    strong: bool,
    /// In what else the records that it joins must not differ.
    vetoes: &'static [Trait],
}

impl Rule {
    const fn strong(name: &'static str, vetoes: &'static [Trait]) -> Self {
        Self { name, strong: true, vetoes }
    }

    const fn weak(name: &'static str, vetoes: &'static [Trait]) -> Self {
        Self { name, strong: false, vetoes }
    }
}

const REGISTRATION_NUMBER: Rule = Rule::strong("registration_number", &[]);
const NAME_AND_PHONE: Rule = Rule::strong("name_and_phone", &[]);
/// Addresses at mail providers repeat the name, so that organisations of one name may seem to share one.
const NAME_AND_EMAIL: Rule = Rule::strong("name_and_email", &[Trait::WebDomain, Trait::Province]);
const NAME_AND_WEB_DOMAIN: Rule = Rule::strong("name_and_web_domain", &[]);
const PHONE: Rule = Rule::strong("phone", &[Trait::Province]);
const EMAIL: Rule = Rule::strong("email", &[Trait::WebDomain, Trait::Province]);
const WEB_DOMAIN: Rule = Rule::strong("web_domain", &[Trait::Province]);
const NAME_AND_POSTAL_CODE: Rule = Rule::weak("name_and_postal_code", &[Trait::WebDomain, Trait::Province]);
const NAME_AND_CITY: Rule = Rule::weak("name_and_city", &[Trait::WebDomain, Trait::PostalCode, Trait::Province]);
const NAME_AND_PROVINCE: Rule = Rule::weak("name_and_province", &[Trait::WebDomain, Trait::PostalCode, Trait::City]);
const NAME: Rule = Rule::weak("name", &[Trait::WebDomain, Trait::PostalCode, Trait::City, Trait::Province]);

/// What links that the linkage model made are called.
const PROBABILISTIC: &str = "probabilistic";
/// In what two components that a match weight would join must not differ.
const MATCH_VETOES: &[Trait] = &[Trait::RegistrationNumber];

impl EntityGrouping for DeterministicGrouping<'_> {
    fn group(&self, records: &Records) -> Result<Groups, GroupingError> {
        Ok(self.forest(records, None).groups())
    }
}

impl DeterministicGrouping<'_> {
    /// Joins what the rules join; where `scored` is given, it takes the place of the third step, equal values under similar
    /// names.
    pub(crate) fn forest(&self, records: &Records, scored: Option<&mut dyn FnMut(&mut Forest)>) -> Forest {
        let has = |key| self.resolve.keys.contains(&key);
        let texts = [TextField::RegistrationNumber, TextField::PostalCode, TextField::City, TextField::Province];
        let ((names, mut texts), (mut channels, domains)) = rayon::join(
            || {
                rayon::join(
                    || encode(&records.name_keys),
                    || texts.into_par_iter().map(|field| encode(records.column(field))).collect::<Vec<_>>(),
                )
            },
            || {
                rayon::join(
                    || {
                        [Channel::Phone, Channel::Email]
                            .into_par_iter()
                            .map(|channel| encode(&records.contacts.values[channel as usize]))
                            .collect::<Vec<_>>()
                    },
                    || encode_domains(records),
                )
            },
        );
        let (Some(provinces), Some(cities), Some(postal_codes), Some(numbers)) =
            (texts.pop(), texts.pop(), texts.pop(), texts.pop())
        else {
            return Forest::new(records.len());
        };
        let (Some(emails), Some(phones)) = (channels.pop(), channels.pop()) else {
            return Forest::new(records.len());
        };
        let owners: Vec<u32> = (0..records.len() as u32).collect();
        let of_contacts = record_of_contact(records);
        let of_domains: Vec<u32> = owners.iter().chain(&of_contacts).copied().collect();

        let mut forest = Forest::new(records.len());
        for (which, codes, record_of) in [
            (Trait::RegistrationNumber, &numbers, &owners),
            (Trait::WebDomain, &domains, &of_domains),
            (Trait::PostalCode, &postal_codes, &owners),
            (Trait::City, &cities, &owners),
            (Trait::Province, &provinces, &owners),
        ] {
            for (&code, &record) in codes.codes.iter().zip(record_of) {
                forest.note(which, record, code);
            }
        }

        let column = records.column(TextField::RegistrationNumber);
        let number_before = |a: u32, b: u32| {
            let text = |code: u32| numbers.first.get(code as usize).and_then(|&at| value_at(column, at as usize));
            text(a) < text(b)
        };
        if has(GroupingKey::RegistrationNumber) {
            forest.apply(&Shared::new(&numbers, &owners), REGISTRATION_NUMBER, &number_before);
        }
        let values = [
            (GroupingKey::Phone, &phones, &of_contacts, NAME_AND_PHONE, PHONE),
            (GroupingKey::Email, &emails, &of_contacts, NAME_AND_EMAIL, EMAIL),
            (GroupingKey::WebDomain, &domains, &of_domains, NAME_AND_WEB_DOMAIN, WEB_DOMAIN),
        ];
        for (key, codes, record_of, with_name, alone) in values {
            if has(GroupingKey::Name) || has(key) {
                let rule = if has(GroupingKey::Name) { with_name } else { alone };
                forest.apply(&Shared::of_both(&names, codes, record_of), rule, &number_before);
            }
        }
        if let Some(scored) = scored {
            scored(&mut forest);
        } else {
            for (key, codes, record_of, _, alone) in values {
                if has(key) {
                    let pairs = self.guarded(&mut forest, records, &names, &Shared::new(codes, record_of));
                    forest.apply(&pairs, alone, &number_before);
                }
            }
        }
        if has(GroupingKey::Name) {
            for (codes, rule) in
                [(&postal_codes, NAME_AND_POSTAL_CODE), (&cities, NAME_AND_CITY), (&provinces, NAME_AND_PROVINCE)]
            {
                forest.apply(&Shared::of_both(&names, codes, &owners), rule, &number_before);
            }
            forest.apply(&Shared::new(&names, &owners), NAME, &number_before);
        }
        forest
    }

    /// Returns the pairs of records with a value in common whose names pass the guard.
    fn guarded(&self, forest: &mut Forest, records: &Records, names: &Codes, shared: &Shared) -> Shared {
        let mut candidates: Vec<(u32, u32)> = Vec::new();
        // A record, its name and its component for each name of each component under the value.
        let mut representatives: Vec<(u32, u32, u32)> = Vec::new();
        for members in shared.groups() {
            representatives.clear();
            for &record in members {
                let name = names.codes[record as usize];
                if name == NO_CODE {
                    continue;
                }
                let component = forest.find(record);
                if !representatives.iter().any(|&(_, other, root)| other == name && root == component) {
                    representatives.push((record, name, component));
                }
                if representatives.len() > self.resolve.shared_value_limit {
                    break;
                }
            }
            if representatives.len() > self.resolve.shared_value_limit {
                continue;
            }
            for (position, &(right, _, right_root)) in representatives.iter().enumerate() {
                for &(left, _, left_root) in &representatives[..position] {
                    if left_root != right_root {
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
        let records: Vec<u32> = candidates
            .iter()
            .zip(verdicts)
            .filter(|(_, passes)| *passes)
            .flat_map(|(&(left, right), _)| [left, right])
            .collect();
        Shared { offsets: (0..=records.len() as u32).step_by(2).collect(), records }
    }
}

/// A column as codes into its distinct values.
#[derive(Debug)]
struct Codes {
    /// Code of each position; [`NO_CODE`] where the value is null.
    codes: Vec<u32>,
    /// First position of each distinct value.
    first: Vec<u32>,
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
    Codes { codes, first }
}

/// Records that have a value in common: groups of records, each in record order.
struct Shared {
    offsets: Vec<u32>,
    records: Vec<u32>,
}

impl Shared {
    /// Sorts records by the code of their value.
    fn new(codes: &Codes, record_of: &[u32]) -> Self {
        let mut offsets = vec![0u32; codes.first.len() + 1];
        for &code in codes.codes.iter().filter(|&&code| code != NO_CODE) {
            offsets[code as usize + 1] += 1;
        }
        for code in 0..codes.first.len() {
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

    /// Groups records by name and value together.
    fn of_both(names: &Codes, values: &Codes, record_of: &[u32]) -> Self {
        let by_value = Self::new(values, record_of);
        let (mut offsets, mut records) = (vec![0u32], Vec::new());
        let mut sorted: Vec<(u32, u32)> = Vec::new();
        for members in by_value.groups() {
            sorted.clear();
            sorted.extend(
                members
                    .iter()
                    .map(|&record| (names.codes[record as usize], record))
                    .filter(|&(name, _)| name != NO_CODE),
            );
            sorted.sort_unstable();
            sorted.dedup();
            for block in sorted.chunk_by(|a, b| a.0 == b.0).filter(|block| block.len() > 1) {
                records.extend(block.iter().map(|&(_, record)| record));
                offsets.push(records.len() as u32);
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

/// Numbers the domains of web addresses and, after them, of e-mail addresses alike.
fn encode_domains(records: &Records) -> Codes {
    // One column of both, so that one numbering covers them.
    let all: StringArray = records.website_domains.iter().chain(records.email_domains.iter()).collect();
    encode(&all)
}

/// Marks a trait of which a component has several values.
const MIXED: u32 = u32::MAX - 1;

/// Returns the value of a trait when two components become one.
fn merged(a: u32, b: u32) -> u32 {
    match (a, b) {
        (NO_CODE, other) | (other, NO_CODE) => other,
        (a, b) if a == b => a,
        _ => MIXED,
    }
}

/// Returns the root of a record, and shortens the way to it.
fn root_of(parent: &mut [u32], mut record: u32) -> u32 {
    while parent[record as usize] != record {
        let grandparent = parent[parent[record as usize] as usize];
        parent[record as usize] = grandparent;
        record = grandparent;
    }
    record
}

/// Tells whether components differ in a trait; one that has several values differs from every other that has any.
fn contradict(cluster: &[(u32, u32)], values: &[u32]) -> bool {
    let mut known = NO_CODE;
    cluster.iter().map(|&(_, component)| values[component as usize]).filter(|&value| value != NO_CODE).any(|value| {
        let before = std::mem::replace(&mut known, value);
        before != NO_CODE && (before != value || value == MIXED)
    })
}

/// Union-find with the links that were made and what is known of each component.
pub(crate) struct Forest {
    parent: Vec<u32>,
    /// Records of each component, at its root.
    sizes: Vec<u32>,
    /// Value of each [`Trait`] of each component, at its root: [`NO_CODE`] when unknown, [`MIXED`] when there are several.
    traits: [Vec<u32>; 5],
    links: Vec<Link>,
}

impl Forest {
    pub(crate) fn new(len: usize) -> Self {
        Self {
            parent: (0..len as u32).collect(),
            sizes: vec![1; len],
            traits: std::array::from_fn(|_| vec![NO_CODE; len]),
            links: Vec::new(),
        }
    }

    /// Notes a trait of a record, before any join.
    fn note(&mut self, which: Trait, record: u32, code: u32) {
        let value = &mut self.traits[which as usize][record as usize];
        *value = merged(*value, code);
    }

    /// Returns the first record of a record's component.
    pub(crate) fn find(&mut self, record: u32) -> u32 {
        root_of(&mut self.parent, record)
    }

    /// Joins two records; the smaller root stays, so that roots are first members.
    fn join(&mut self, left: u32, right: u32, rule: &'static str) {
        let (a, b) = (self.find(left), self.find(right));
        if a != b {
            let (root, other) = (a.min(b) as usize, a.max(b) as usize);
            self.parent[other] = root as u32;
            self.sizes[root] += self.sizes[other];
            for values in &mut self.traits {
                values[root] = merged(values[root], values[other]);
            }
            self.links.push(Link { left: left.min(right), right: left.max(right), rule, match_weight: None });
        }
    }

    /// Joins two records by their match weight, unless what is known of their components contradicts it; tells whether they
    /// are in one component then.
    pub(crate) fn join_scored(&mut self, left: u32, right: u32, match_weight: f64) -> bool {
        let (a, b) = (self.find(left) as usize, self.find(right) as usize);
        if a == b {
            return true;
        }
        let differs = |which: Trait| {
            let values = &self.traits[which as usize];
            values[a] != NO_CODE && values[b] != NO_CODE && (values[a] != values[b] || values[a] == MIXED)
        };
        if MATCH_VETOES.iter().any(|&which| differs(which)) {
            return false;
        }
        self.join(left, right, PROBABILISTIC);
        if let Some(link) = self.links.last_mut() {
            link.match_weight = Some(match_weight);
        }
        true
    }

    /// Joins the records of each block, except where the rule forbids it.
    ///
    /// All that the blocks would join is laid together first; each resulting cluster of components is then accepted, accepted
    /// in part or refused. `number_before` orders the codes of registration numbers.
    fn apply(&mut self, blocks: &Shared, rule: Rule, number_before: &dyn Fn(u32, u32) -> bool) {
        let mut trial = self.parent.clone();
        let mut touched: Vec<u32> = Vec::new();
        for members in blocks.groups() {
            let first = self.find(members[0]);
            for &record in &members[1..] {
                let other = self.find(record);
                if other != first {
                    touched.extend([first, other]);
                    let (a, b) = (root_of(&mut trial, first), root_of(&mut trial, other));
                    trial[a.max(b) as usize] = a.min(b);
                }
            }
        }
        let mut clusters: Vec<(u32, u32)> =
            touched.into_iter().map(|component| (root_of(&mut trial, component), component)).collect();
        clusters.sort_unstable();
        clusters.dedup();
        let mut refused = vec![false; self.parent.len()];
        for cluster in clusters.chunk_by(|a, b| a.0 == b.0) {
            self.judge(cluster, rule, number_before, &mut refused);
        }
        for members in blocks.groups() {
            let mut previous = None;
            for &record in members {
                if refused[self.find(record) as usize] {
                    continue;
                }
                if let Some(previous) = previous.replace(record) {
                    self.join(previous, record, rule.name);
                }
            }
        }
    }

    /// Marks the components of a cluster that must not be joined to the rest of it.
    fn judge(
        &self,
        cluster: &[(u32, u32)],
        rule: Rule,
        number_before: &dyn Fn(u32, u32) -> bool,
        refused: &mut [bool],
    ) {
        let numbers = &self.traits[Trait::RegistrationNumber as usize];
        let unclear = (!rule.strong && contradict(cluster, numbers))
            || rule.vetoes.iter().any(|&which| contradict(cluster, &self.traits[which as usize]));
        if unclear {
            for &(_, component) in cluster {
                refused[component as usize] = true;
            }
        } else if let Some(best) = self.best_supported(cluster, numbers, number_before) {
            for &(_, component) in cluster {
                let number = numbers[component as usize];
                refused[component as usize] = number != NO_CODE && number != best;
            }
        }
    }

    /// Returns the registration number that most records of a cluster support, the first of several; none without any.
    fn best_supported(
        &self,
        cluster: &[(u32, u32)],
        numbers: &[u32],
        number_before: &dyn Fn(u32, u32) -> bool,
    ) -> Option<u32> {
        let mut support: Vec<(u32, u32)> = cluster
            .iter()
            .map(|&(_, component)| (numbers[component as usize], self.sizes[component as usize]))
            .filter(|&(number, _)| number != NO_CODE)
            .collect();
        support.sort_unstable();
        let mut best: Option<(u32, u32)> = None;
        for same in support.chunk_by(|a, b| a.0 == b.0) {
            let (number, size) = (same[0].0, same.iter().map(|&(_, size)| size).sum::<u32>());
            let wins = best.is_none_or(|(leader, most)| size > most || (size == most && number_before(number, leader)));
            if wins {
                best = Some((number, size));
            }
        }
        best.map(|(number, _)| number)
    }

    /// Numbers the components.
    pub(crate) fn groups(mut self) -> Groups {
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
        Groups { group_of, count, links: self.links, review: Vec::new() }
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
        DeterministicGrouping { resolve: &resolve, similarity: &similarity }
            .group(&records(&[(0, samples)]))
            .expect("equal keys cannot fail")
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
        assert_eq!(links, [(0, 1, "phone"), (0, 2, "name")]);
    }

    #[track_caller]
    fn check_rule(left: Sample, right: Sample, expected: Option<&str>) {
        let groups = group(vec![left, right]);
        assert_eq!(groups.links.first().map(|link| link.rule), expected);
    }

    fn acacia() -> Sample {
        named("Acacia")
    }

    #[test]
    fn an_equal_value_confirms_an_equal_name() {
        let phone = || Sample { contact: [None, None, None, Some("+27110000001")], ..acacia() };
        let email = || Sample { contact: [None, None, Some("a@acacia.co.za"), None], ..acacia() };
        let domain = || Sample { domain: Some("acacia.co.za"), ..acacia() };
        let postal = || Sample { postal_code: Some("4001"), ..acacia() };
        let city = || Sample { city: Some("Durban"), ..acacia() };
        let province = || Sample { province: Some("KwaZulu-Natal"), ..acacia() };
        check_rule(phone(), phone(), Some("name_and_phone"));
        check_rule(email(), email(), Some("name_and_email"));
        check_rule(domain(), domain(), Some("name_and_web_domain"));
        check_rule(postal(), postal(), Some("name_and_postal_code"));
        check_rule(city(), city(), Some("name_and_city"));
        check_rule(province(), province(), Some("name_and_province"));
        check_rule(phone(), city(), Some("name"));
    }

    #[test]
    fn what_records_contradict_each_other_in_keeps_them_apart() {
        let number = |number| Sample { registration: Some(number), ..acacia() };
        let domain = |domain| Sample { domain: Some(domain), ..acacia() };
        let postal = |code| Sample { postal_code: Some(code), ..acacia() };
        let city = |city| Sample { city: Some(city), ..acacia() };
        let province = |province| Sample { province: Some(province), ..acacia() };
        check_rule(number("1"), number("2"), None);
        check_rule(domain("a.co.za"), domain("b.co.za"), None);
        check_rule(postal("4001"), postal("2001"), None);
        check_rule(city("Durban"), city("Pretoria"), None);
        check_rule(province("Gauteng"), province("Limpopo"), None);
        let phone = |phone| Sample { contact: [None, None, None, Some(phone)], ..acacia() };
        check_rule(phone("+27110000001"), phone("+27110000002"), Some("name"));

        let in_city = |sample| Sample { city: Some("Durban"), ..sample };
        check_rule(in_city(postal("4001")), in_city(postal("4002")), None);
        check_rule(in_city(domain("a.co.za")), in_city(domain("b.co.za")), None);
        check_rule(in_city(province("Gauteng")), in_city(province("Limpopo")), None);
        let in_province = |sample| Sample { province: Some("Gauteng"), ..sample };
        check_rule(in_province(city("Pretoria")), in_province(city("Soweto")), None);
        let in_code = |sample| Sample { postal_code: Some("4001"), ..sample };
        check_rule(in_code(domain("a.co.za")), in_code(domain("b.co.za")), None);
    }

    #[test]
    fn registration_numbers_that_differ_veto_every_rule() {
        let with = |number, change: fn(&mut Sample)| {
            let mut sample = Sample { registration: Some(number), ..acacia() };
            change(&mut sample);
            sample
        };
        let changes: [fn(&mut Sample); 6] = [
            |sample| sample.contact[3] = Some("+27110000001"),
            |sample| sample.contact[2] = Some("a@acacia.co.za"),
            |sample| sample.domain = Some("acacia.co.za"),
            |sample| sample.postal_code = Some("4001"),
            |sample| sample.city = Some("Durban"),
            |sample| sample.province = Some("Gauteng"),
        ];
        for change in changes {
            check_rule(with("1", change), with("2", change), None);
        }
        let phone: fn(&mut Sample) = |sample| sample.contact[3] = Some("+27110000001");
        let similar = Sample { name: Some("Acacia Club"), ..with("2", phone) };
        check_rule(with("1", phone), similar, None);
    }

    #[test]
    fn the_best_supported_number_keeps_the_records_without_one() {
        let phone =
            |number| Sample { registration: number, contact: [None, None, None, Some("+27110000001")], ..acacia() };
        check(vec![phone(Some("1")), phone(Some("2")), phone(None), phone(Some("2"))], &[0, 1, 1, 1]);
        check(vec![phone(Some("2")), phone(None), phone(Some("1"))], &[0, 1, 1]);
    }

    #[test]
    fn a_value_that_only_the_left_out_record_shares_joins_no_further() {
        let sample = |number, phone, email| Sample {
            registration: number,
            contact: [None, None, email, phone],
            city: Some("Durban"),
            ..acacia()
        };
        let rows = vec![
            sample(Some("1"), Some("+27110000001"), None),
            sample(None, Some("+27110000001"), Some("a@acacia.co.za")),
            sample(Some("2"), None, Some("a@acacia.co.za")),
        ];
        check(rows, &[0, 0, 1]);
    }

    #[test]
    fn a_bare_name_joins_only_what_is_clear() {
        let city = |city| Sample { city: Some(city), ..acacia() };
        check(vec![city("Durban"), acacia(), city("Durban")], &[0, 0, 0]);
        check(vec![city("Durban"), acacia(), city("Pretoria"), city("Durban")], &[0, 1, 2, 0]);
    }

    #[test]
    fn a_guarded_value_joins_none_across_provinces_or_domains() {
        let at = |name, province| Sample {
            contact: [None, None, None, Some("+27110000001")],
            province: Some(province),
            ..named(name)
        };
        check_rule(at("Acacia Club", "Gauteng"), at("Acacia Flying", "Gauteng"), Some("phone"));
        check_rule(at("Acacia Club", "Gauteng"), at("Acacia Flying", "Limpopo"), None);
        let mail = |name, domain| Sample {
            contact: [None, None, Some("acacia@mail.example"), None],
            domain: Some(domain),
            ..named(name)
        };
        check_rule(mail("Acacia Club", "a.co.za"), mail("Acacia Flying", "a.co.za"), Some("email"));
        check_rule(mail("Acacia Club", "a.co.za"), mail("Acacia Flying", "b.co.za"), None);
        check_rule(mail("Acacia", "a.co.za"), mail("Acacia", "b.co.za"), None);
    }

    #[test]
    fn without_the_name_key_an_equal_name_passes_the_guard() {
        let resolve = Resolve { keys: vec![GroupingKey::Phone], ..Resolve::default() };
        let phone = || Sample { contact: [None, None, None, Some("+27110000001")], ..acacia() };
        let samples = records(&[(0, vec![phone(), phone(), acacia()])]);
        let groups = DeterministicGrouping { resolve: &resolve, similarity: &|_, _| 0.0 }.group(&samples).unwrap();
        assert_eq!(groups.group_of, [0, 0, 1]);
        assert_eq!(groups.links[0].rule, "phone");
    }

    proptest! {
        #[test]
        fn the_order_of_rows_does_not_matter(
            rows in prop::collection::vec((0usize..5, 0usize..4, 0usize..4, 0usize..3), 1..30),
            seed in any::<u64>(),
        ) {
            const NAMES: [&str; 5] = ["Acacia Club", "Acacia Flying", "Baobab", "Baobab Two", "Marula"];
            const PHONES: [Option<&str>; 4] = [None, Some("+27110000001"), Some("+27110000002"), Some("+27110000003")];
            const NUMBERS: [Option<&str>; 4] = [None, None, Some("2001/000001/07"), Some("2002/000002/07")];
            const CITIES: [Option<&str>; 3] = [None, Some("Durban"), Some("Pretoria")];
            let sample = |&(name, phone, number, city): &(usize, usize, usize, usize)| Sample {
                contact: [None, None, None, PHONES[phone]],
                registration: NUMBERS[number],
                city: CITIES[city],
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
