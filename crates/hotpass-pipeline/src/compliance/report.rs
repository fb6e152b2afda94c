//! `privacy.json` and `privacy.parquet`: what a run found, did and decided about personal data. Classes and counts, no values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, RecordBatch, StringArray};
use arrow::error::ArrowError;
use chrono::NaiveDate;
use hotpass_config::HotpassConfig;
use hotpass_core::fields::PRIVACY_COLUMNS;
use hotpass_privacy::consent::{ConsentOutcome, ConsentState};
use hotpass_privacy::{DataClass, Jurisdiction, detect::TableFindings, retention_until};
use serde::{Deserialize, Serialize};

use super::consent::{ConsentViolation, EntityConsent, purposes};
use super::{Redaction, Suppression};
use crate::entities::Entities;
use crate::records::{Channel, Records};
use crate::tables::schema_of;

/// What a run found, did and decided about personal data.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PrivacyReport {
    /// Id of the run.
    pub run_id: String,
    /// Name of the policy.
    pub policy: String,
    /// ISO code of the jurisdiction.
    pub jurisdiction: String,
    /// Lawful basis of processing.
    pub lawful_basis: String,
    /// Purposes of processing.
    pub purposes: Vec<String>,
    /// Published columns that are said to hold personal data.
    pub pii_fields: Vec<String>,
    /// What was found in source tables.
    pub sources: Vec<TableFindings>,
    /// What was found in the published table, as it was published.
    pub published: Option<TableFindings>,
    /// Class that was found to what the laws call it.
    pub categories: BTreeMap<String, BTreeMap<String, String>>,
    /// What was redacted.
    pub redaction: RedactionSummary,
    /// What was consented to.
    pub consent: ConsentSummary,
    /// How long what is published may be kept.
    pub retention: RetentionSummary,
    /// Who was kept out.
    pub suppression: SuppressionSummary,
    /// What a person should look at.
    pub issues: Vec<String>,
}

/// What was redacted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RedactionSummary {
    /// Whether anything was.
    pub active: bool,
    /// Published column to operator.
    pub columns: BTreeMap<String, String>,
    /// Class to operator within texts.
    pub classes: BTreeMap<String, String>,
}

/// What was consented to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConsentSummary {
    /// Whether consent is needed.
    pub required: bool,
    /// What becomes of entities without it.
    pub policy: String,
    /// State to number of entities, before any is withheld.
    pub states: BTreeMap<String, u64>,
    /// Entities that need consent and lack it.
    pub lacking: u64,
    /// Of those, the ones whose rows went to quarantine.
    pub withheld: u64,
    /// Of those, the ones whose contacts were redacted.
    pub contacts_redacted: u64,
    /// The first 1,000 of those, one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<ConsentViolation>,
}

/// How long what is published may be kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RetentionSummary {
    /// Days.
    pub days: Option<u32>,
    /// Last day of the run as a whole.
    pub run_until: Option<String>,
    /// Earliest last day of an entity.
    pub earliest: Option<String>,
    /// Entities whose last day had passed when the run was made.
    pub overdue: u64,
}

/// Who was kept out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SuppressionSummary {
    /// People on the list of erased people.
    pub people: u64,
    /// Source rows from which one was taken out.
    pub rows: u64,
    /// SHA-256 of the list; empty when nobody is on it.
    pub list: String,
}

/// What the report is made of, besides the configuration.
pub(crate) struct PrivacyFacts<'a> {
    pub(crate) run_id: &'a str,
    pub(crate) day: NaiveDate,
    pub(crate) retention_until: Option<String>,
    pub(crate) sources: Vec<TableFindings>,
    pub(crate) published: Option<TableFindings>,
    pub(crate) redaction: &'a Redaction,
    pub(crate) consent: &'a EntityConsent,
    pub(crate) has_consent_column: bool,
    pub(crate) suppression: &'a Suppression,
    pub(crate) suppressed_rows: u64,
    pub(crate) table: &'a RecordBatch,
}

/// Makes the report.
pub(crate) fn privacy_report(config: &HotpassConfig, facts: PrivacyFacts<'_>) -> PrivacyReport {
    let compliance = &config.compliance;
    let mut states: BTreeMap<String, u64> = BTreeMap::new();
    let consent = facts.consent;
    let all = if consent.all_states.is_empty() { consent.states().collect() } else { consent.all_states.clone() };
    for state in all {
        *states.entry(state.to_string()).or_default() += 1;
    }
    let consent = ConsentSummary {
        required: consent.required,
        policy: format!("{:?}", consent.policy).to_lowercase(),
        states,
        lacking: consent.entities.iter().filter(|entity| entity.lacking).count() as u64 + consent.withheld,
        withheld: consent.withheld,
        contacts_redacted: (0..consent.entities.len()).filter(|&entity| consent.redacts(entity)).count() as u64,
        violations: consent.violations.clone(),
    };
    let (columns, classes) = facts.redaction.summary();
    let redaction = RedactionSummary { active: facts.redaction.is_active(), columns, classes };
    let days =
        facts.table.column_by_name("retention_until").and_then(|column| column.as_any().downcast_ref::<Date32Array>());
    let today = (facts.day - NaiveDate::default()).num_days() as i32;
    let retention = RetentionSummary {
        days: compliance.retention_days,
        run_until: facts.retention_until,
        earliest: days.and_then(|days| days.iter().flatten().min()).map(day_text),
        overdue: days.map_or(0, |days| days.iter().flatten().filter(|day| *day < today).count() as u64),
    };
    let found: BTreeSet<DataClass> = facts
        .sources
        .iter()
        .chain(&facts.published)
        .flat_map(|table| &table.columns)
        .flat_map(|column| column.classes.iter().map(|finding| finding.class))
        .collect();
    let mut report = PrivacyReport {
        run_id: facts.run_id.to_owned(),
        policy: compliance.policy.clone(),
        jurisdiction: compliance.jurisdiction.clone(),
        lawful_basis: config.governance.lawful_basis.label().to_owned(),
        purposes: purposes(config).into_iter().filter(|purpose| !purpose.is_empty()).collect(),
        pii_fields: compliance.pii_fields.clone(),
        categories: categories(&found),
        sources: facts.sources,
        published: facts.published,
        redaction,
        consent,
        retention,
        suppression: SuppressionSummary {
            people: facts.suppression.people(),
            rows: facts.suppressed_rows,
            list: facts.suppression.digest(),
        },
        issues: Vec::new(),
    };
    report.issues = issues(config, &report, &found, facts.has_consent_column);
    report
}

/// Returns what the laws call each class.
pub(crate) fn categories(found: &BTreeSet<DataClass>) -> BTreeMap<String, BTreeMap<String, String>> {
    found
        .iter()
        .map(|class| {
            let by_law = Jurisdiction::ALL
                .into_iter()
                .map(|law| {
                    let category = class.category(law);
                    (law.name().to_owned(), format!("{} ({})", category.category, category.reference))
                })
                .collect();
            (class.to_string(), by_law)
        })
        .collect()
}

fn issues(
    config: &HotpassConfig,
    report: &PrivacyReport,
    found: &BTreeSet<DataClass>,
    has_consent_column: bool,
) -> Vec<String> {
    let mut issues = Vec::new();
    let personal = !found.is_empty() || !report.pii_fields.is_empty();
    let compliance = &config.compliance;
    if personal && !compliance.consent_required && report.lawful_basis == "consent" {
        issues.push("The lawful basis is consent, and `compliance.consent_required` is off".to_owned());
    } else if personal && !compliance.consent_required {
        issues.push(format!(
            "Personal data and no rule of consent: it is held under `{}`; see that this basis is written down",
            report.lawful_basis
        ));
    }
    if personal && compliance.retention_days.is_none() {
        issues.push("Personal data and no retention policy: set `compliance.retention_days`".to_owned());
    }
    if compliance.consent_required && !has_consent_column && compliance.consent_file.is_none() {
        issues.push(
            "Consent is needed, and no source has a column `consent_status` and there is no consent file".to_owned(),
        );
    }
    if compliance.consent_required && report.consent.lacking > 0 {
        issues.push(format!("{} entities without a granted status", report.consent.lacking));
    }
    if report.retention.overdue > 0 {
        issues.push(format!("{} entities past their retention date", report.retention.overdue));
    }
    let special: Vec<&str> = found
        .iter()
        .filter(|class| Jurisdiction::ALL.iter().any(|law| class.category(*law).special))
        .map(|class| class.name())
        .collect();
    if !special.is_empty() {
        issues.push(format!("Special personal information was found: {}", special.join(", ")));
    }
    for column in report.published.iter().flat_map(|table| &table.columns) {
        if column.header_class.is_some() || report.pii_fields.contains(&column.column) {
            continue;
        }
        let classes: Vec<String> = column
            .classes
            .iter()
            .filter(|finding| finding.confidence >= 0.8)
            .map(|finding| format!("{} in {} cells", finding.class, finding.cells))
            .collect();
        if !classes.is_empty() {
            issues.push(format!(
                "Published column `{}` holds personal data and is not in `compliance.pii_fields`: {}",
                column.column,
                classes.join(", ")
            ));
        }
    }
    issues
}

/// Makes the table of entities: consent, basis, purposes, retention.
pub(crate) fn privacy_table(
    config: &HotpassConfig,
    records: &Records,
    entities: &Entities,
    consent: &EntityConsent,
    day: NaiveDate,
) -> Result<RecordBatch, ArrowError> {
    let count = entities.len();
    let mut id = String::new();
    let ids: StringArray = (0..count)
        .map(|entity| {
            id.clear();
            entities.write_id(entity, &mut id);
            Some(id.clone())
        })
        .collect();
    let epoch = NaiveDate::default();
    let number = |date: NaiveDate| (date - epoch).num_days() as i32;
    let purposes = purposes(config).join("; ");
    let basis = config.governance.lawful_basis.label();
    let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(std::iter::repeat_n(value, count))) };
    let retention: Date32Array = (0..count)
        .map(|entity| {
            let last = entities.members(entity).iter().filter_map(|&record| records.date(record)).max();
            let last = last.and_then(|days| epoch.checked_add_signed(chrono::TimeDelta::days(i64::from(days))));
            retention_until(last, day, config.compliance.retention_days?).map(number)
        })
        .collect();
    let has_contacts = |entity: usize| {
        entities.members(entity).iter().any(|&record| {
            records
                .contacts
                .of(record)
                .any(|contact| Channel::ALL.iter().any(|&channel| records.contacts.get(channel, contact).is_some()))
        })
    };
    let held = || consent.entities.iter().map(|entity| entity.statement);
    RecordBatch::try_new(
        schema_of(PRIVACY_COLUMNS),
        vec![
            Arc::new(ids),
            Arc::new((0..count).map(|entity| Some(has_contacts(entity))).collect::<BooleanArray>()),
            Arc::new(StringArray::from_iter_values(consent.states().map(ConsentState::name))),
            Arc::new(held().map(|statement| statement.date.map(number)).collect::<Date32Array>()),
            Arc::new((0..count).map(|entity| consent.place(entity, records)).collect::<StringArray>()),
            Arc::new(
                consent.states().map(|state| Some(state.outcome() == ConsentOutcome::Pass)).collect::<BooleanArray>(),
            ),
            text(basis),
            text(&purposes),
            Arc::new(retention),
            Arc::new((0..count).map(|entity| Some(consent.redacts(entity))).collect::<BooleanArray>()),
        ],
    )
}

fn day_text(days: i32) -> String {
    (NaiveDate::default() + chrono::TimeDelta::days(i64::from(days))).format("%Y-%m-%d").to_string()
}
