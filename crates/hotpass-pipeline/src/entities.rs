//! Entities: their members in order of trust, their ids, and their order in the published table.

use std::cmp::Reverse;

use hashbrown::HashMap;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::grouping::Groups;
use crate::records::{Channel, Records, TEXT_FIELDS, TextField, value_at};
use crate::survivorship::select;

/// The id of an entity, before its `org_` and hexadecimal form.
pub(crate) type EntityKey = [u8; 10];

/// Entity of records whose entity is withheld.
pub(crate) const NO_ENTITY: u32 = u32::MAX;

/// The entities in the order of the published table: by name, then id.
#[derive(Debug)]
pub(crate) struct Entities {
    offsets: Vec<u32>,
    members: Vec<u32>,
    keys: Vec<EntityKey>,
    /// Entity of each record.
    pub(crate) entity_of: Vec<u32>,
}

impl Entities {
    /// Ranks the members of each group, makes the ids and sorts.
    pub(crate) fn build(
        records: &Records,
        groups: &Groups,
        name_rule: hotpass_config::model::SurvivorshipRule,
    ) -> Self {
        let (offsets, mut members) = groups.members();
        rank_members(records, &offsets, &mut members);
        let identities = identities(records);
        let count = groups.count as usize;
        let slice = |group: usize| &members[offsets[group] as usize..offsets[group + 1] as usize];
        let mut keys: Vec<EntityKey> = (0..count)
            .into_par_iter()
            .map(|group| {
                let mut own: Vec<[u8; 16]> = slice(group).iter().map(|&record| identities[record as usize]).collect();
                own.sort_unstable();
                let mut hasher = Sha256::new();
                for identity in &own {
                    hasher.update(identity);
                }
                shorten(&hasher.finalize())
            })
            .collect();
        tell_twins_apart(&mut keys);
        let names: Vec<&str> = (0..count)
            .into_par_iter()
            .map(|group| {
                let mut candidates = Vec::new();
                for &record in slice(group) {
                    if let Some(name) = records.get(TextField::OrganizationName, record) {
                        candidates.push(crate::survivorship::Candidate { record, source: record, value: name });
                    }
                }
                select(name_rule, &candidates, records).map_or("", |winner| candidates[winner].value)
            })
            .collect();
        let mut order: Vec<u32> = (0..count as u32).collect();
        order.par_sort_unstable_by(|&a, &b| {
            let (a, b) = (a as usize, b as usize);
            names[a].cmp(names[b]).then_with(|| keys[a].cmp(&keys[b]))
        });

        let mut sorted_offsets = Vec::with_capacity(count + 1);
        sorted_offsets.push(0);
        let mut sorted_members = Vec::with_capacity(members.len());
        let mut entity_of = vec![0; records.len()];
        for (entity, &group) in order.iter().enumerate() {
            for &record in slice(group as usize) {
                entity_of[record as usize] = entity as u32;
            }
            sorted_members.extend_from_slice(slice(group as usize));
            sorted_offsets.push(sorted_members.len() as u32);
        }
        let keys = order.iter().map(|&group| keys[group as usize]).collect();
        Self { offsets: sorted_offsets, members: sorted_members, keys, entity_of }
    }

    /// Returns the entities that are not withheld, in the same order; records of the others belong to [`NO_ENTITY`].
    pub(crate) fn without(&self, withheld: &[bool]) -> Self {
        let kept: Vec<usize> = (0..self.len()).filter(|&entity| !withheld[entity]).collect();
        let mut offsets = vec![0];
        let mut members = Vec::new();
        let mut entity_of = vec![NO_ENTITY; self.entity_of.len()];
        for (position, &entity) in kept.iter().enumerate() {
            for &record in self.members(entity) {
                entity_of[record as usize] = position as u32;
            }
            members.extend_from_slice(self.members(entity));
            offsets.push(members.len() as u32);
        }
        Self { offsets, members, keys: kept.iter().map(|&entity| self.keys[entity]).collect(), entity_of }
    }

    /// Returns the number of entities.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns the members of an entity, the most trusted first.
    pub(crate) fn members(&self, entity: usize) -> &[u32] {
        &self.members[self.offsets[entity] as usize..self.offsets[entity + 1] as usize]
    }

    /// Returns the members of entities that stand one after another.
    pub(crate) fn members_of(&self, entities: std::ops::Range<usize>) -> &[u32] {
        &self.members[self.offsets[entities.start] as usize..self.offsets[entities.end] as usize]
    }

    /// Writes the id of an entity.
    pub(crate) fn write_id(&self, entity: usize, text: &mut String) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        text.push_str("org_");
        for byte in self.keys[entity] {
            text.extend([byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
        }
    }
}

/// Sorts the members of each group by source priority, completeness, recency and position: the tie-break chain.
fn rank_members(records: &Records, offsets: &[u32], members: &mut [u32]) {
    let priorities: Vec<i64> = records.tables.iter().map(|table| table.priority).collect();
    let mut rest = members;
    for bounds in offsets.windows(2) {
        let (group, tail) = rest.split_at_mut((bounds[1] - bounds[0]) as usize);
        rest = tail;
        if group.len() > 1 {
            group.sort_unstable_by_key(|&record| {
                (
                    Reverse(priorities[records.span(record).table as usize]),
                    Reverse(records.completeness[record as usize]),
                    Reverse(records.date(record)),
                    record,
                )
            });
        }
    }
}

/// Returns what identifies each record wherever it stands: its dataset with its id there, where that is unique, else its values.
fn identities(records: &Records) -> Vec<[u8; 16]> {
    let ids = records.column(TextField::SourceRecordId);
    let mut seen: HashMap<(&str, &str), u32> = HashMap::new();
    if ids.iter().any(|id| id.is_some()) {
        for record in 0..records.len() as u32 {
            if let Some(id) = records.get(TextField::SourceRecordId, record) {
                *seen.entry((&records.table(record).dataset, id)).or_default() += 1;
            }
        }
    }
    (0..records.len() as u32)
        .into_par_iter()
        .map_init(Vec::new, |bytes: &mut Vec<u8>, record| {
            bytes.clear();
            let dataset: &str = &records.table(record).dataset;
            push(bytes, b'd', dataset);
            match records.get(TextField::SourceRecordId, record) {
                Some(id) if seen.get(&(dataset, id)) == Some(&1) => push(bytes, b'i', id),
                _ => push_values(bytes, records, record),
            }
            let mut identity = [0; 16];
            identity.copy_from_slice(&Sha256::digest(&*bytes)[..16]);
            identity
        })
        .collect()
}

fn push(bytes: &mut Vec<u8>, tag: u8, value: &str) {
    bytes.push(tag);
    bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
    bytes.extend_from_slice(value.as_bytes());
}

fn push_values(bytes: &mut Vec<u8>, records: &Records, record: u32) {
    for field in 0..TEXT_FIELDS.len() {
        if let Some(value) = value_at(records.text_column(field), record as usize) {
            push(bytes, b'A' + field as u8, value);
        }
    }
    if let Some(date) = records.date(record) {
        bytes.push(b'0');
        bytes.extend_from_slice(&date.to_le_bytes());
    }
    for contact in records.contacts.of(record) {
        bytes.push(b'1');
        for channel in Channel::ALL {
            if let Some(value) = records.contacts.get(channel, contact) {
                push(bytes, b'2' + channel as u8, value);
            }
        }
    }
}

fn shorten(digest: &[u8]) -> EntityKey {
    let mut key = [0; 10];
    key.copy_from_slice(&digest[..10]);
    key
}

/// Gives entities whose members have the same identities ids of their own, in input order.
fn tell_twins_apart(keys: &mut [EntityKey]) {
    let mut seen: HashMap<EntityKey, u32> = HashMap::with_capacity(keys.len());
    for key in keys {
        let original = *key;
        let count = seen.entry(original).or_default();
        *count += 1;
        if *count > 1 {
            let mut hasher = Sha256::new_with_prefix(original);
            hasher.update(count.to_le_bytes());
            *key = shorten(&hasher.finalize());
        }
    }
}
