//! When the compliance stage is on: where a layer says so, and where settings ask for what it does.

use crate::model::{Compliance, HotpassConfig, RedactionOperator};

/// Key of the stage.
pub(crate) const FEATURE: &str = "features.compliance";

impl HotpassConfig {
    /// Returns whether personal data is redacted in what is published.
    pub fn redacts(&self) -> bool {
        self.features.compliance && self.compliance.pii_redaction.enabled != Some(false)
    }

    /// Returns the first setting that asks for what the compliance stage does.
    pub(crate) fn asks_for_compliance(&self) -> Option<&'static str> {
        let compliance = &self.compliance;
        let redaction = &compliance.pii_redaction;
        let asked = [
            ("compliance.detect_pii", compliance.detect_pii),
            ("compliance.consent_required", compliance.consent_required),
            ("compliance.consent_file", compliance.consent_file.is_some()),
            ("compliance.pii_redaction.enabled", redaction.enabled == Some(true)),
        ];
        let chosen = !redaction.columns.is_empty() && redaction.columns != Compliance::default().pii_redaction.columns;
        // Where redaction is switched off, how it would be done asks for nothing.
        let undecided = redaction.enabled.is_none();
        let details = [
            ("compliance.pii_redaction.operators", undecided && !redaction.operators.is_empty()),
            ("compliance.pii_redaction.columns", undecided && chosen),
            ("compliance.pii_redaction.operator", undecided && redaction.operator != RedactionOperator::default()),
            ("compliance.pii_redaction.key", undecided && redaction.key.is_some()),
        ];
        asked.into_iter().chain(details).find(|(_, asks)| *asks).map(|(key, _)| key)
    }
}
