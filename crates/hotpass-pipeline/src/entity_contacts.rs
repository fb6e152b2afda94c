//! The contacts of one entity: those of its members, put together where they are the same person or channel.

use hashbrown::HashMap;

use crate::records::{Channel, Contacts, Records};

/// Most contacts of an entity that are compared one by one.
const FEW_CONTACTS: usize = 12;

/// A contact of an entity; each value is where it stands among all contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntityContact {
    /// Record it was read from first.
    pub(crate) record: u32,
    /// Position of each value by [`Channel`].
    pub(crate) values: [Option<u32>; 4],
}

impl EntityContact {
    /// Returns a value.
    pub(crate) fn get<'a>(&self, contacts: &'a Contacts, channel: Channel) -> Option<&'a str> {
        self.values[channel as usize].and_then(|contact| contacts.get(channel, contact as usize))
    }

    fn contradicts(&self, contacts: &Contacts, other: usize) -> bool {
        Channel::ALL.iter().any(|&channel| match (self.get(contacts, channel), contacts.get(channel, other)) {
            (Some(own), Some(value)) => own != value,
            _ => false,
        })
    }

    fn absorb(&mut self, contacts: &Contacts, other: usize) {
        for channel in Channel::ALL {
            let value = &mut self.values[channel as usize];
            if value.is_none() && contacts.get(channel, other).is_some() {
                *value = Some(other as u32);
            }
        }
    }
}

/// Puts the contacts of the members together, in the members' order.
///
/// A contact joins an earlier one when they share an e-mail address, a telephone number or a name and nothing in them
/// contradicts; it then fills what the earlier one lacks.
pub(crate) fn collect(records: &Records, members: &[u32], merged: &mut Vec<EntityContact>) {
    let contacts = &records.contacts;
    merged.clear();
    let count: usize = members.iter().map(|&record| contacts.of(record).len()).sum();
    if count <= FEW_CONTACTS {
        collect_few(records, members, count, merged);
        return;
    }
    let mut index: HashMap<(u8, &str), Vec<u32>> = HashMap::new();
    for &record in members {
        for contact in contacts.of(record) {
            let keys = [Channel::Email, Channel::Phone, Channel::Name]
                .map(|channel| contacts.get(channel, contact).map(|value| (channel as u8, value)));
            let same = keys.iter().flatten().find_map(|key| {
                index.get(key)?.iter().copied().find(|&other| !merged[other as usize].contradicts(contacts, contact))
            });
            let position = if let Some(position) = same {
                merged[position as usize].absorb(contacts, contact);
                position
            } else {
                let values = Channel::ALL.map(|channel| contacts.get(channel, contact).map(|_| contact as u32));
                merged.push(EntityContact { record, values });
                merged.len() as u32 - 1
            };
            for key in keys.into_iter().flatten() {
                let positions = index.entry(key).or_default();
                // A value that stands in very many contacts, such as a reception desk's number, is looked up no further.
                if positions.len() < 32 && !positions.contains(&position) {
                    positions.push(position);
                }
            }
        }
    }
}

/// As [`collect`], for so few contacts that a list of values is searched faster than it is hashed.
fn collect_few(records: &Records, members: &[u32], count: usize, merged: &mut Vec<EntityContact>) {
    const KEYS: [Channel; 3] = [Channel::Email, Channel::Phone, Channel::Name];
    let contacts = &records.contacts;
    // A lone contact meets no other.
    let mut index: Vec<(Channel, &str, u32)> = Vec::with_capacity(if count > 1 { KEYS.len() * count } else { 0 });
    for &record in members {
        for contact in contacts.of(record) {
            let keys = KEYS.map(|channel| contacts.get(channel, contact));
            let same = KEYS.into_iter().zip(keys).find_map(|(channel, key)| {
                let key = key?;
                index
                    .iter()
                    .filter(|(of, value, _)| *of == channel && *value == key)
                    .map(|&(_, _, other)| other)
                    .find(|&other| !merged[other as usize].contradicts(contacts, contact))
            });
            let position = if let Some(position) = same {
                merged[position as usize].absorb(contacts, contact);
                position
            } else {
                let values = Channel::ALL.map(|channel| contacts.get(channel, contact).map(|_| contact as u32));
                merged.push(EntityContact { record, values });
                merged.len() as u32 - 1
            };
            if count == 1 {
                return;
            }
            for (channel, key) in KEYS.into_iter().zip(keys) {
                let Some(key) = key else { continue };
                if !index.contains(&(channel, key, position)) {
                    index.push((channel, key, position));
                }
            }
        }
    }
}

/// Returns the lead score of a contact, 0 to 1.
///
/// The weighted sum is 0.3 × completeness (share of name, e-mail address, telephone number and role present) + 0.25 ×
/// confidence in the e-mail address + 0.15 × confidence in the telephone number + 0.2 × source priority (as share of the
/// highest) + 0.1 × intent (0 until it is collected); it goes once through the logistic `1 / (1 + e^(−12 (x − 0.5)))`,
/// with 0 and 1 kept.
pub(crate) fn lead_score(completeness: f64, email: f64, phone: f64, priority: f64) -> f64 {
    let sum = 0.3 * completeness + 0.25 * email + 0.15 * phone + 0.2 * priority;
    if sum <= 0.0 {
        0.0
    } else if sum >= 1.0 {
        1.0
    } else {
        1.0 / (1.0 + (-12.0 * (sum - 0.5)).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample_records::{Sample, records};

    #[test]
    fn contacts_meet_by_channel_and_never_mix_two_people() {
        let contact = |contact| Sample { name: Some("Acacia"), contact, ..Sample::default() };
        let records = records(&[(
            1,
            vec![
                contact([Some("Ann Bell"), None, Some("ann@acacia.co.za"), None]),
                contact([None, Some("Owner"), Some("ann@acacia.co.za"), Some("+27110000001")]),
                contact([Some("Carl Dube"), None, Some("ann@acacia.co.za"), None]),
                contact([None, None, None, Some("+27110000002")]),
            ],
        )]);
        let mut merged = Vec::new();
        collect(&records, &[0, 1, 2, 3], &mut merged);
        let shown: Vec<_> = merged
            .iter()
            .map(|contact| Channel::ALL.map(|channel| contact.get(&records.contacts, channel).unwrap_or("-")))
            .collect();
        assert_eq!(
            shown,
            [
                ["Ann Bell", "Owner", "ann@acacia.co.za", "+27110000001"],
                ["Carl Dube", "-", "ann@acacia.co.za", "-"],
                ["-", "-", "-", "+27110000002"],
            ]
        );
    }

    #[test]
    fn lead_scores_rise_and_keep_their_ends() {
        assert!(lead_score(0.0, 0.0, 0.0, 0.0).abs() < 1e-12);
        assert!((lead_score(1.0, 1.0, 1.0, 1.0) - 1.0 / (1.0 + (-4.8f64).exp())).abs() < 1e-12);
        assert!(lead_score(0.5, 0.6, 0.0, 0.0) < lead_score(0.5, 0.6, 0.85, 0.0));
    }
}
