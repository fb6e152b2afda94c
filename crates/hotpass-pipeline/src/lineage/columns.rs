//! Which source columns each published column comes from.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use hotpass_config::HotpassConfig;
use hotpass_config::model::{GroupingKey, SurvivorshipRule};
use hotpass_core::fields::input_field;
use hotpass_lineage::facet::{ColumnLineage, ColumnLineageField, InputField, Transformation};

use super::SourceTable;
use crate::compliance::Redaction;
use crate::golden::{rule_of, source_fields};
use crate::records::NO_COLUMN;
use crate::survivorship::rule_name;

/// Returns the canonical field that a published one takes its values from first; nothing for one that no cell gives.
pub(crate) fn canonical_field(published: &str) -> Option<&'static str> {
    DIRECT.iter().find(|(name, _)| *name == published).and_then(|(_, canonical)| canonical.first()).copied()
}

/// How often a source column gave the value of a published field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wins(HashMap<(u8, u32, u16), u64>);

impl Wins {
    /// Counts a value of the published field at `position` of [`source_fields`].
    pub(crate) fn add(&mut self, position: usize, table: u32, column: u16) {
        if column != NO_COLUMN {
            *self.0.entry((position as u8, table, column)).or_default() += 1;
        }
    }

    /// Adds the counts of another part of the entities.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (key, count) in &other.0 {
            *self.0.entry(*key).or_default() += count;
        }
    }

    fn of(&self, position: usize, table: usize, column: usize) -> u64 {
        self.0.get(&(position as u8, table as u32, column as u16)).copied().unwrap_or(0)
    }
}

/// Published column to the canonical fields that its values come from.
const DIRECT: &[(&str, &[&str])] = &[
    ("organization_name", &["organization_name"]),
    ("province", &["province"]),
    ("country", &["country"]),
    ("area", &["area"]),
    ("address_primary", &["address", "city", "postal_code"]),
    ("organization_category", &["category"]),
    ("organization_type", &["organization_type"]),
    ("status", &["status"]),
    ("website", &["website"]),
    ("planes", &["planes"]),
    ("description", &["description"]),
    ("notes", &["notes"]),
    ("contact_primary_name", &["contact_names", "contact_given_names", "contact_family_names"]),
    ("contact_primary_role", &["contact_roles"]),
    ("contact_primary_email", &["contact_emails"]),
    ("contact_primary_phone", &["contact_phones"]),
    ("contact_secondary_emails", &["contact_emails"]),
    ("contact_secondary_phones", &["contact_phones"]),
    ("last_interaction_date", &["last_interaction_date"]),
    ("priority", &["priority"]),
];

/// Published columns that are worked out: the canonical fields, the kind and what is done.
const DERIVED: &[(&str, &[&str], &str, &str)] = &[
    ("organization_slug", &["organization_name"], "TRANSFORMATION", "name as lower-case words joined by `-`"),
    ("source_record_ids", &["source_record_id"], "AGGREGATION", "ids of all rows of the entity"),
    ("contact_primary_email_confidence", &["contact_emails"], "TRANSFORMATION", "judged offline"),
    ("contact_primary_email_status", &["contact_emails"], "TRANSFORMATION", "judged offline"),
    ("contact_primary_phone_confidence", &["contact_phones"], "TRANSFORMATION", "judged offline"),
    ("contact_primary_phone_status", &["contact_phones"], "TRANSFORMATION", "judged offline"),
    ("contact_primary_lead_score", CONTACTS, "AGGREGATION", "score of the primary contact"),
    ("contact_validation_flags", CHANNELS, "AGGREGATION", "rules that contact values failed"),
    ("contact_email_confidence_avg", &["contact_emails"], "AGGREGATION", "mean over all addresses"),
    ("contact_phone_confidence_avg", &["contact_phones"], "AGGREGATION", "mean over all numbers"),
    ("contact_verification_score_avg", CHANNELS, "AGGREGATION", "mean over all addresses and numbers"),
    ("contact_lead_score_avg", CONTACTS, "AGGREGATION", "mean over all contacts"),
];

const CHANNELS: &[&str] = &["contact_emails", "contact_phones"];
const CONTACTS: &[&str] = &[
    "contact_names",
    "contact_given_names",
    "contact_family_names",
    "contact_roles",
    "contact_emails",
    "contact_phones",
];

/// What the lineage of columns is worked out from.
pub(crate) struct ColumnFacts<'a> {
    pub(crate) config: &'a HotpassConfig,
    pub(crate) tables: &'a [SourceTable],
    pub(crate) wins: &'a Wins,
    /// Canonical field to step of its rule to number of changed values.
    pub(crate) changes: &'a BTreeMap<String, BTreeMap<String, u64>>,
    pub(crate) redaction: &'a Redaction,
    /// Namespace of the source datasets.
    pub(crate) namespace: &'a str,
}

/// A source column: positions of its table and itself.
type Source = (usize, usize);

impl ColumnFacts<'_> {
    /// Works out the sources of each published column.
    pub(crate) fn lineage(&self) -> ColumnLineage {
        let mut fields = BTreeMap::new();
        for (position, published) in source_fields().enumerate() {
            let Some((_, canonical)) = DIRECT.iter().find(|(name, _)| *name == published) else { continue };
            let rule = rule_of(self.config, published);
            let entry = self.entry(canonical, &|source| vec![self.direct(published, position, rule, source)]);
            self.put(&mut fields, published, entry, rule_name(rule));
        }
        for (published, canonical, subtype, done) in DERIVED {
            let masking = self.redaction.covers(published);
            let made = || vec![transformation("DIRECT", subtype, done, masking)];
            let entry = self.entry(canonical, &|_| made());
            self.put(&mut fields, published, entry, done);
        }
        let wanted: Vec<&str> = self
            .config
            .profile
            .required_fields
            .iter()
            .chain(&self.config.profile.optional_fields)
            .map(|name| input_field(name).map_or(name.as_str(), |field| field.name))
            .collect();
        for published in ["data_quality_score", "data_quality_flags"] {
            let done = "depends on whether the value is present";
            let entry = self.entry(&wanted, &|_| vec![transformation("INDIRECT", "CONDITIONAL", done, false)]);
            self.put(&mut fields, published, entry, "share of the wanted fields that are present");
        }
        let dataset = self.dataset();
        ColumnLineage { fields, dataset: (!dataset.is_empty()).then_some(dataset) }
    }

    fn put(
        &self,
        fields: &mut BTreeMap<String, ColumnLineageField>,
        published: &str,
        input_fields: Vec<InputField>,
        description: &str,
    ) {
        if input_fields.is_empty() {
            return;
        }
        let identity = |input: &InputField| {
            input.transformations.iter().flatten().all(|one| one.subtype.as_deref() == Some("IDENTITY"))
        };
        let kind = if self.redaction.covers(published) {
            Some("MASKED")
        } else {
            input_fields.iter().all(identity).then_some("IDENTITY")
        };
        let entry = ColumnLineageField {
            input_fields,
            transformation_description: Some(description.to_owned()),
            transformation_type: kind.map(str::to_owned),
            ..ColumnLineageField::default()
        };
        fields.insert(published.to_owned(), entry);
    }

    /// Returns the columns that hold values of canonical fields, each with what became of it.
    fn entry(&self, canonical: &[&str], made: &dyn Fn(Source) -> Vec<Transformation>) -> Vec<InputField> {
        self.sources(canonical).into_iter().map(|source| self.input(source, made(source))).collect()
    }

    fn sources(&self, canonical: &[&str]) -> BTreeSet<Source> {
        let mut sources = BTreeSet::new();
        for (table, source) in self.tables.iter().enumerate() {
            for (column, mapped) in source.columns.iter().enumerate() {
                if mapped.filled > 0 && mapped.field.as_deref().is_some_and(|field| canonical.contains(&field)) {
                    sources.insert((table, column));
                }
            }
        }
        sources
    }

    fn input(&self, (table, column): Source, transformations: Vec<Transformation>) -> InputField {
        let table = &self.tables[table];
        InputField {
            namespace: self.namespace.to_owned(),
            name: table.name.clone(),
            field: table.columns[column].name.clone(),
            transformations: Some(transformations),
            ..InputField::default()
        }
    }

    /// Returns what became of a source column on its way to a published one.
    fn direct(&self, published: &str, position: usize, rule: SurvivorshipRule, source: Source) -> Transformation {
        let (table, column) = source;
        let mapped = &self.tables[table].columns[column];
        let won = self.wins.of(position, table, mapped.position);
        let masking = self.redaction.covers(published);
        let rule = rule_name(rule);
        let joined = rule == "list_union" || published.starts_with("contact_secondary_");
        // Several columns make one address or name; the evidence names the first of them.
        let together = matches!(published, "address_primary" | "contact_primary_name")
            && self.tables[table].columns.iter().any(|other| self.wins.of(position, table, other.position) > 0);
        if joined {
            return transformation("DIRECT", "AGGREGATION", "distinct values of the entity's rows, joined", masking);
        }
        if won == 0 && !together {
            let lost = format!("its values lost by the survivorship rule {rule}");
            return transformation("INDIRECT", "CONDITIONAL", &lost, false);
        }
        let steps: Vec<&str> = mapped
            .field
            .as_ref()
            .and_then(|field| self.changes.get(field))
            .into_iter()
            .flatten()
            .filter(|(_, count)| **count > 0)
            .map(|(step, _)| step.as_str())
            .collect();
        let parts = matches!(published, "address_primary" | "contact_primary_name")
            && self.tables[table].columns.iter().filter(|other| other.field == mapped.field).count() > 1;
        let chosen = format!("gave {won} values of golden records by the survivorship rule {rule}");
        if steps.is_empty() && won > 0 && !parts && !masking {
            transformation("DIRECT", "IDENTITY", &chosen, masking)
        } else {
            let steps = if steps.is_empty() { String::new() } else { format!("; normalised: {}", steps.join(", ")) };
            transformation("DIRECT", "TRANSFORMATION", &format!("{chosen}{steps}"), masking)
        }
    }

    /// Returns the columns that every row depends on: keys that rows are joined by, fields that rows must have, the order.
    fn dataset(&self) -> Vec<InputField> {
        let mut made: BTreeMap<Source, Vec<Transformation>> = BTreeMap::new();
        let mut add = |canonical: &[&str], subtype: &str, done: &str| {
            for source in self.sources(canonical) {
                made.entry(source).or_default().push(transformation("INDIRECT", subtype, done, false));
            }
        };
        if self.config.features.resolve {
            for key in &self.config.resolve.keys {
                let canonical: &[&str] = match key {
                    GroupingKey::Name => &["organization_name"],
                    GroupingKey::RegistrationNumber => &["registration_number"],
                    GroupingKey::Phone => &["contact_phones"],
                    GroupingKey::Email => &["contact_emails"],
                    GroupingKey::WebDomain => &["website", "contact_emails"],
                };
                add(canonical, "JOIN", "rows are joined to entities by it");
            }
        }
        let required: Vec<&str> = self
            .config
            .profile
            .required_fields
            .iter()
            .map(|name| input_field(name).map_or(name.as_str(), |field| field.name))
            .collect();
        add(&required, "FILTER", "rows without it go to quarantine");
        add(&["organization_name"], "SORT", "the published table is sorted by it");
        made.into_iter()
            .map(|(source, mut transformations)| {
                transformations.dedup();
                self.input(source, transformations)
            })
            .collect()
    }
}

fn transformation(kind: &str, subtype: &str, description: &str, masking: bool) -> Transformation {
    Transformation {
        kind: kind.to_owned(),
        subtype: Some(subtype.to_owned()),
        description: Some(description.to_owned()),
        masking: Some(masking),
        ..Transformation::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_field_that_comes_from_cells_is_mapped() {
        let direct: Vec<&str> = DIRECT.iter().map(|(name, _)| *name).collect();
        assert_eq!(direct, source_fields().collect::<Vec<_>>());
        let published: Vec<&str> = hotpass_core::fields::GOLDEN_COLUMNS.iter().map(|column| column.name).collect();
        for (name, canonical, ..) in DERIVED {
            assert!(published.contains(name), "{name}");
            assert!(canonical.iter().all(|field| input_field(field).is_some()), "{name}");
        }
        for (name, canonical) in DIRECT {
            assert!(canonical.iter().all(|field| input_field(field).is_some()), "{name}");
        }
    }
}
