//! Consent of entities: what sources and a consent file say, and what follows.

use std::sync::Arc;

use chrono::NaiveDate;
use hotpass_config::HotpassConfig;
use hotpass_config::model::ConsentPolicy;
use hotpass_privacy::consent::{ConsentOutcome, ConsentRegister, ConsentState, ConsentStatement, effective_consent};
use hotpass_privacy::error::PrivacyFileError;
use hotpass_privacy::subject::{Identifier, IdentifierKind};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::decisions::BrokenRule;
use crate::entities::Entities;
use crate::normalising::QuarantinedRow;
use crate::records::{Channel, Records, TextField};

/// The consent file could not be used.
#[derive(Debug, thiserror::Error)]
#[error("Cannot use the consent file of `compliance.consent_file`")]
pub struct ConsentError(#[from] PrivacyFileError);

/// What a run asks of consent.
#[derive(Debug)]
pub(crate) struct ConsentRules {
    required: bool,
    policy: ConsentPolicy,
    purposes: Vec<String>,
    register: ConsentRegister,
    /// Name of the consent file.
    file: String,
}

/// Where the statement stands that holds of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConsentSource {
    /// Nowhere: nobody said anything.
    None,
    /// In a source row.
    Record(u32),
    /// In the consent file.
    File,
}

/// What holds of an entity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConsentOfEntity {
    /// The statement that holds, the most restrictive of all purposes.
    pub(crate) statement: ConsentStatement,
    /// Where it stands.
    pub(crate) source: ConsentSource,
    /// Whether the entity lacks consent that it needs.
    pub(crate) lacking: bool,
}

/// An entity that needs consent and lacks it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentViolation {
    /// The entity.
    pub entity_id: String,
    /// What it holds of people: kinds of contact data.
    pub fields: Vec<String>,
    /// Its state of consent.
    pub status: String,
    /// The cell `file#sheet!B7` or the file of the statement that holds; nothing where nobody said anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Why that is not enough.
    pub reason: String,
    /// What became of the entity: `withheld`, `redacted` or `reported`.
    pub outcome: String,
}

/// Violations that a report names one by one.
const NAMED_VIOLATIONS: usize = 1_000;

/// What holds of each entity.
#[derive(Debug, Default)]
pub(crate) struct EntityConsent {
    /// By entity.
    pub(crate) entities: Vec<ConsentOfEntity>,
    /// What becomes of those.
    pub(crate) policy: ConsentPolicy,
    /// Whether consent is needed at all.
    pub(crate) required: bool,
    /// Entities whose rows went to quarantine.
    pub(crate) withheld: u64,
    /// States of all entities, where some were withheld.
    pub(crate) all_states: Vec<ConsentState>,
    /// The first entities that lack consent, those that are withheld among them.
    pub(crate) violations: Vec<ConsentViolation>,
    /// Name of the consent file.
    pub(crate) file: String,
}

impl EntityConsent {
    /// Follows the entities where some were taken out; `before` is the entity of each record until then.
    pub(crate) fn follow(&mut self, before: &[u32], entities: &Entities) {
        if self.entities.len() == entities.len() {
            return;
        }
        if self.all_states.is_empty() {
            self.all_states = self.states().collect();
        }
        let kept = (0..entities.len()).filter_map(|entity| {
            let old = before[*entities.members(entity).first()? as usize] as usize;
            self.entities.get(old).copied()
        });
        self.entities = kept.collect();
    }

    /// Returns whether something of the inputs is not published for lack of consent.
    pub(crate) fn holds_back(&self) -> bool {
        self.withheld > 0 || (self.policy == ConsentPolicy::Redact && self.is_lacking())
    }

    /// Returns whether the contacts of an entity are taken out.
    pub(crate) fn redacts(&self, entity: usize) -> bool {
        self.policy == ConsentPolicy::Redact && self.entities.get(entity).is_some_and(|entity| entity.lacking)
    }

    /// Returns the states of the entities.
    pub(crate) fn states(&self) -> impl Iterator<Item = ConsentState> {
        self.entities.iter().map(|entity| entity.statement.state)
    }

    /// Returns whether an entity lacks consent.
    pub(crate) fn is_lacking(&self) -> bool {
        self.entities.iter().any(|entity| entity.lacking)
    }

    /// Returns where the statement stands that holds of an entity: a cell, or the consent file.
    pub(crate) fn place(&self, entity: usize, records: &Records) -> Option<String> {
        match self.entities.get(entity)?.source {
            ConsentSource::None => None,
            ConsentSource::File => Some(self.file.clone()),
            ConsentSource::Record(record) => {
                let mut place = String::new();
                records.write_position(records.cell(TextField::ConsentStatus, record), &mut place);
                Some(place)
            }
        }
    }

    /// Tells of the first entities that lack consent.
    fn name_violations(&mut self, records: &Records, entities: &Entities) {
        let outcome = match self.policy {
            ConsentPolicy::Withhold => "withheld",
            ConsentPolicy::Redact => "redacted",
            ConsentPolicy::Report => "reported",
        };
        let lacking = (0..entities.len()).filter(|&entity| self.entities[entity].lacking).take(NAMED_VIOLATIONS);
        self.violations = lacking
            .map(|entity| {
                let ConsentOfEntity { statement, source, .. } = self.entities[entity];
                let reason = match (source, statement.state.outcome()) {
                    (ConsentSource::None, _) => "Nobody stated consent",
                    (_, ConsentOutcome::Fail) => "Consent was refused or taken back",
                    _ => "Consent is not given yet",
                };
                let mut entity_id = String::new();
                entities.write_id(entity, &mut entity_id);
                let contacts = || entities.members(entity).iter().flat_map(|&record| records.contacts.of(record));
                let held =
                    |channel: &Channel| contacts().any(|contact| records.contacts.get(*channel, contact).is_some());
                ConsentViolation {
                    entity_id,
                    fields: Channel::ALL.iter().filter(|channel| held(channel)).map(|c| c.name().to_owned()).collect(),
                    status: statement.state.to_string(),
                    source: self.place(entity, records),
                    reason: reason.to_owned(),
                    outcome: outcome.to_owned(),
                }
            })
            .collect();
    }
}

impl ConsentRules {
    /// Reads what the configuration asks for; nothing when the compliance feature is off.
    ///
    /// # Errors
    ///
    /// Returns an error when the consent file cannot be used, so that nothing is published without it.
    pub(crate) fn from_config(config: &HotpassConfig) -> Result<Option<Self>, ConsentError> {
        let compliance = &config.compliance;
        if !config.features.compliance {
            return Ok(None);
        }
        let register = match &compliance.consent_file {
            Some(path) => ConsentRegister::read(path)?,
            None => ConsentRegister::default(),
        };
        Ok(Some(Self {
            required: compliance.consent_required,
            policy: compliance.consent_policy,
            purposes: purposes(config),
            register,
            file: compliance
                .consent_file
                .as_deref()
                .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
                .unwrap_or_default(),
        }))
    }

    /// Decides for each entity.
    ///
    /// An entity without a contact needs no consent. Consent is needed for each purpose; a statement without a purpose counts for all.
    pub(crate) fn decide(&self, records: &Records, entities: &Entities) -> EntityConsent {
        let decided = (0..entities.len())
            .into_par_iter()
            .map(|entity| {
                let (statement, source) = self.statement(records, entities, entity);
                let needs = entities.members(entity).iter().any(|&record| !records.contacts.of(record).is_empty());
                let lacking = self.required && needs && statement.state.outcome() != ConsentOutcome::Pass;
                ConsentOfEntity { statement, source, lacking }
            })
            .collect();
        let mut consent = EntityConsent {
            entities: decided,
            policy: self.policy,
            required: self.required,
            file: self.file.clone(),
            ..EntityConsent::default()
        };
        consent.name_violations(records, entities);
        consent
    }

    fn statement(&self, records: &Records, entities: &Entities, entity: usize) -> (ConsentStatement, ConsentSource) {
        let members = entities.members(entity);
        let own: Vec<(ConsentStatement, ConsentSource)> = members
            .iter()
            .filter_map(|&record| {
                let state = ConsentState::from_text(records.get(TextField::ConsentStatus, record)?);
                let date = records
                    .get(TextField::ConsentDate, record)
                    .and_then(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok());
                Some((ConsentStatement { state, date }, ConsentSource::Record(record)))
            })
            .collect();
        if self.register.is_empty() {
            return effective(&own);
        }
        let mut id = String::new();
        entities.write_id(entity, &mut id);
        let mut identifiers: Vec<Identifier> = members
            .iter()
            .flat_map(|&record| records.contacts.of(record))
            .flat_map(|contact| {
                [(Channel::Email, IdentifierKind::Email), (Channel::Phone, IdentifierKind::Phone)]
                    .into_iter()
                    .filter_map(move |(channel, kind)| Identifier::new(kind, records.contacts.get(channel, contact)?))
            })
            .collect();
        identifiers.sort();
        identifiers.dedup();
        self.purposes
            .iter()
            .map(|purpose| {
                let of_entity = self.register.of_entity(&id, purpose);
                let of_people =
                    identifiers.iter().flat_map(|identifier| self.register.of_identifier(identifier, purpose));
                let of_file = of_entity.chain(of_people).map(|statement| (statement, ConsentSource::File));
                let all: Vec<_> = own.iter().copied().chain(of_file).collect();
                effective(&all)
            })
            .max_by_key(|(statement, _)| (statement.state.outcome(), statement.state))
            .unwrap_or_else(|| effective(&own))
    }
}

/// Returns what holds of several statements, and where the first one stands that says so.
fn effective(statements: &[(ConsentStatement, ConsentSource)]) -> (ConsentStatement, ConsentSource) {
    let holds = effective_consent(statements.iter().map(|(statement, _)| *statement));
    let source = statements.iter().find(|(statement, _)| *statement == holds);
    (holds, source.map_or(ConsentSource::None, |(_, source)| *source))
}

/// Returns the purposes that consent is needed for; at least one.
pub(crate) fn purposes(config: &HotpassConfig) -> Vec<String> {
    let named =
        if config.compliance.purposes.is_empty() { &config.governance.intent } else { &config.compliance.purposes };
    let purposes: Vec<String> =
        named.iter().map(|purpose| purpose.trim().to_owned()).filter(|purpose| !purpose.is_empty()).collect();
    if purposes.is_empty() { vec![String::new()] } else { purposes }
}

/// Returns the rows of entities that are withheld for lack of consent, for the quarantine.
pub(crate) fn withheld_rows(
    records: &Records,
    entities: &Entities,
    consent: &EntityConsent,
    redact: &dyn Fn(&str) -> Option<String>,
) -> Vec<QuarantinedRow> {
    let mut rows = Vec::new();
    for entity in (0..entities.len()).filter(|&entity| consent.entities[entity].lacking) {
        let state = consent.entities[entity].statement.state;
        for &record in entities.members(entity) {
            rows.push(QuarantinedRow {
                table: records.span(record).table,
                row: records.row(record),
                rules: vec![Arc::new(BrokenRule::new(
                    format!("consent.{state}"),
                    None,
                    format!("Consent is needed and the entity's is `{state}`"),
                    format!("consent.{state}"),
                ))],
                values: records.raw_row_json(record, redact),
            });
        }
    }
    rows
}
