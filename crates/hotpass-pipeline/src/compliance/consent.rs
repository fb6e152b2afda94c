//! Consent of entities: what sources and a consent file say, and what follows.

use chrono::NaiveDate;
use hotpass_config::HotpassConfig;
use hotpass_config::model::ConsentPolicy;
use hotpass_privacy::consent::{ConsentOutcome, ConsentRegister, ConsentState, ConsentStatement, effective_consent};
use hotpass_privacy::error::PrivacyFileError;
use hotpass_privacy::subject::{Identifier, IdentifierKind};
use rayon::prelude::*;

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
}

/// What holds of each entity.
#[derive(Debug, Default)]
pub(crate) struct EntityConsent {
    /// By entity: the statement that holds, the most restrictive of all purposes.
    pub(crate) statements: Vec<ConsentStatement>,
    /// By entity: whether it lacks consent that it needs.
    pub(crate) lacking: Vec<bool>,
    /// What becomes of those.
    pub(crate) policy: ConsentPolicy,
    /// Whether consent is needed at all.
    pub(crate) required: bool,
    /// Entities whose rows went to quarantine.
    pub(crate) withheld: u64,
    /// States of all entities, where some were withheld.
    pub(crate) all_states: Vec<ConsentState>,
}

impl EntityConsent {
    /// Follows the entities where some were taken out; `before` is the entity of each record until then.
    pub(crate) fn follow(&mut self, before: &[u32], entities: &Entities) {
        if self.statements.len() == entities.len() {
            return;
        }
        if self.all_states.is_empty() {
            self.all_states = self.statements.iter().map(|statement| statement.state).collect();
        }
        let kept = (0..entities.len()).filter_map(|entity| {
            let old = before[*entities.members(entity).first()? as usize] as usize;
            Some((*self.statements.get(old)?, *self.lacking.get(old)?))
        });
        (self.statements, self.lacking) = kept.unzip();
    }

    /// Returns whether something of the inputs is not published for lack of consent.
    pub(crate) fn holds_back(&self) -> bool {
        self.withheld > 0 || (self.policy == ConsentPolicy::Redact && self.lacking.contains(&true))
    }

    /// Returns whether the contacts of an entity are taken out.
    pub(crate) fn redacts(&self, entity: usize) -> bool {
        self.policy == ConsentPolicy::Redact && self.lacking.get(entity).copied().unwrap_or(false)
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
        }))
    }

    /// Decides for each entity.
    ///
    /// An entity without a contact needs no consent. Consent is needed for each purpose; a statement without a purpose counts for all.
    pub(crate) fn decide(&self, records: &Records, entities: &Entities) -> EntityConsent {
        let (statements, lacking) = (0..entities.len())
            .into_par_iter()
            .map(|entity| {
                let statement = self.statement(records, entities, entity);
                let needs = entities.members(entity).iter().any(|&record| !records.contacts.of(record).is_empty());
                (statement, self.required && needs && statement.state.outcome() != ConsentOutcome::Pass)
            })
            .unzip();
        EntityConsent { statements, lacking, policy: self.policy, required: self.required, ..EntityConsent::default() }
    }

    fn statement(&self, records: &Records, entities: &Entities, entity: usize) -> ConsentStatement {
        let members = entities.members(entity);
        let own: Vec<ConsentStatement> = members
            .iter()
            .filter_map(|&record| {
                let state = ConsentState::from_text(records.get(TextField::ConsentStatus, record)?);
                let date = records
                    .get(TextField::ConsentDate, record)
                    .and_then(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok());
                Some(ConsentStatement { state, date })
            })
            .collect();
        if self.register.is_empty() {
            return effective_consent(own);
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
                effective_consent(
                    own.iter().copied().chain(self.register.of_entity(&id, purpose)).chain(
                        identifiers.iter().flat_map(|identifier| self.register.of_identifier(identifier, purpose)),
                    ),
                )
            })
            .max_by_key(|statement| (statement.state.outcome(), statement.state))
            .unwrap_or_else(|| effective_consent(own))
    }
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
    for entity in (0..entities.len()).filter(|&entity| consent.lacking[entity]) {
        let state = consent.statements[entity].state;
        for &record in entities.members(entity) {
            rows.push(QuarantinedRow {
                table: records.span(record).table,
                row: records.row(record),
                column: None,
                reason: format!("consent.{state}"),
                message: format!("Consent is needed and the entity's is `{state}`"),
                values: records.raw_row_json(record, redact),
            });
        }
    }
    rows
}
