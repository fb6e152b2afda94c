//! The `comply` stage: personal data in what a run writes. Detection, redaction, consent, retention, and the people who were erased.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use hotpass_config::HotpassConfig;
use hotpass_config::model::ConsentPolicy;
use hotpass_privacy::error::PrivacyFileError;
use hotpass_provenance::ledger::LedgerError;
use hotpass_provenance::suppression::{SUPPRESSION_FILE, SuppressionFault};

use crate::entities::Entities;
use crate::normalising::QuarantinedRow;
use crate::records::Records;

mod consent;
mod detection;
mod erasing;
mod erasure;
mod people;
mod redaction;
mod related;
mod report;
mod rights;
mod suppression;

pub use consent::{ConsentError, ConsentViolation};
pub use erasure::{ErasureOptions, erase, readmit};
pub use redaction::RedactionError;
pub use related::NameReach;
pub use report::{ConsentSummary, PrivacyReport, RedactionSummary, RetentionSummary, SuppressionSummary};
pub use rights::{
    ErasedFile, ErasureReport, Holding, RightsError, RunHoldings, SubjectReport, SweptRun, subject, sweep,
};

pub(crate) use consent::EntityConsent;
use consent::{ConsentRules, withheld_rows};
pub(crate) use detection::{Detection, TableDetection, are_values};
pub(crate) use redaction::Redaction;
pub(crate) use report::{PrivacyFacts, privacy_report, privacy_table};
pub(crate) use suppression::Suppression;

/// What a run has to obey.
#[derive(Debug)]
pub(crate) struct Compliance {
    /// Redaction of entities whose contacts lack consent.
    pub(crate) without_contacts: Redaction,
    /// Detection, where it is asked for.
    pub(crate) detection: Option<Detection>,
    /// Consent, with the compliance feature.
    pub(crate) consent: Option<ConsentRules>,
    /// People who were erased.
    pub(crate) suppression: Arc<Suppression>,
    /// Source rows from which one was taken out.
    pub(crate) suppressed_rows: Arc<AtomicU64>,
}

/// Why a run cannot obey.
#[derive(Debug, thiserror::Error)]
pub enum ComplianceError {
    /// Redaction was asked for and cannot be done.
    #[error(transparent)]
    Redaction(#[from] RedactionError),
    /// The consent file cannot be used.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// The list of erased people is there and cannot be obeyed.
    #[error("Cannot obey the list of erased people")]
    Suppression(#[source] PrivacyFileError),
    /// The list of erased people is not the one that the ledger records.
    #[error("Cannot obey the list of erased people")]
    SuppressionLost(#[source] SuppressionFault),
    /// The ledger, which knows the list of erased people, cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl ComplianceError {
    /// Returns what to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Redaction(error) => error.hint(),
            Self::Consent(_) => Some(
                "Columns: `entity_id`, `email`, `phone` or `hash`; `consent_status`; `consent_date`; `purpose`"
                    .to_owned(),
            ),
            Self::Suppression(_) => Some("Restore the file from a backup; it may not be left out".to_owned()),
            Self::SuppressionLost(_) => Some(
                "Restore the file from a backup; to take a person in again, use `hotpass privacy readmit`".to_owned(),
            ),
            Self::Ledger(_) => None,
        }
    }
}

impl Compliance {
    /// Reads what a run has to obey, before anything is written.
    ///
    /// # Errors
    ///
    /// Returns [`ComplianceError`] when what was asked for cannot be done.
    pub(crate) fn from_config(config: &HotpassConfig, redaction: &Redaction) -> Result<Self, ComplianceError> {
        Ok(Self {
            without_contacts: redaction.without_contacts(),
            detection: Detection::from_config(config),
            consent: ConsentRules::from_config(config)?,
            suppression: Arc::new(Suppression::of(&config.pipeline.dist_dir)?),
            suppressed_rows: Arc::default(),
        })
    }

    /// Returns the number of source rows from which an erased person was taken out.
    pub(crate) fn suppressed_rows(&self) -> u64 {
        self.suppressed_rows.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Decides about consent, and takes the entities out whose rows go to quarantine.
    pub(crate) fn decide(
        &self,
        records: &Records,
        entities: Entities,
        redaction: &Redaction,
        quarantined: &mut Vec<QuarantinedRow>,
    ) -> (Entities, EntityConsent) {
        let Some(rules) = &self.consent else { return (entities, EntityConsent::default()) };
        let mut consent = rules.decide(records, &entities);
        if consent.policy != ConsentPolicy::Withhold || !consent.is_lacking() {
            return (entities, consent);
        }
        let show = |value: &str| redaction.is_active().then(|| redaction.apply(value));
        quarantined.extend(withheld_rows(records, &entities, &consent, &show));
        quarantined.sort_by_key(|row| (row.table, row.row));
        let lacking: Vec<bool> = consent.entities.iter().map(|entity| entity.lacking).collect();
        let kept = entities.without(&lacking);
        consent.withheld = (entities.len() - kept.len()) as u64;
        consent.all_states = consent.states().collect();
        consent.entities.retain(|entity| !entity.lacking);
        (kept, consent)
    }
}

/// Returns where the list of erased people of a folder of runs is.
pub fn suppression_path(dist_dir: &Path) -> PathBuf {
    dist_dir.join(SUPPRESSION_FILE)
}
