//! Redaction of personal data in everything a run writes.

use hotpass_config::HotpassConfig;
use hotpass_config::model::RedactionOperator;
use hotpass_core::fields::{ColumnType, GOLDEN_COLUMNS};

/// Which published columns are redacted, and how.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redaction {
    columns: Vec<&'static str>,
    operator: RedactionOperator,
}

/// A column that was to be redacted and cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedactionError {
    /// No published column has the name.
    #[error("Cannot redact column `{column}`: the published table has no such column{}", suggestion.as_ref().map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default())]
    UnknownColumn {
        /// The name.
        column: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
    },
    /// The column identifies rows or holds no text.
    #[error("Cannot redact column `{column}`: it holds no personal text")]
    NotText {
        /// The name.
        column: String,
    },
}

impl Redaction {
    /// Reads what the configuration asks for; nothing when the compliance feature or redaction is off.
    ///
    /// # Errors
    ///
    /// Returns an error when a column does not exist or cannot be redacted, so that nothing is published unredacted.
    pub(crate) fn from_config(config: &HotpassConfig) -> Result<Self, RedactionError> {
        let redaction = &config.compliance.pii_redaction;
        if !config.features.compliance || !redaction.enabled {
            return Ok(Self::default());
        }
        let mut columns = Vec::new();
        for name in &redaction.columns {
            let Some(column) = GOLDEN_COLUMNS.iter().find(|column| column.name == name) else {
                return Err(RedactionError::UnknownColumn {
                    column: name.clone(),
                    suggestion: hotpass_core::nearest(name, GOLDEN_COLUMNS.iter().map(|column| column.name))
                        .map(ToString::to_string),
                });
            };
            if column.data_type != ColumnType::Text || matches!(column.name, "entity_id" | "run_id") {
                return Err(RedactionError::NotText { column: name.clone() });
            }
            columns.push(column.name);
            if column.name == "organization_name" {
                // The slug is the name in other letters.
                columns.push("organization_slug");
            }
        }
        Ok(Self { columns, operator: redaction.operator })
    }

    /// Returns whether anything is redacted.
    pub(crate) fn is_active(&self) -> bool {
        !self.columns.is_empty()
    }

    /// Returns whether a published column is redacted.
    pub(crate) fn covers(&self, column: &str) -> bool {
        self.columns.contains(&column)
    }

    /// Returns what becomes of a value.
    pub(crate) fn apply(&self, value: &str) -> String {
        match self.operator {
            RedactionOperator::Redact => "[redacted]".to_owned(),
            RedactionOperator::Mask => {
                let length = value.chars().count();
                value
                    .chars()
                    .enumerate()
                    .map(|(position, c)| if length > 2 && (position == 0 || position + 1 == length) { c } else { '*' })
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(columns: &[&str], operator: RedactionOperator) -> HotpassConfig {
        let mut config = HotpassConfig::default();
        config.features.compliance = true;
        config.compliance.pii_redaction.columns = columns.iter().map(|&column| column.to_owned()).collect();
        config.compliance.pii_redaction.operator = operator;
        config
    }

    #[test]
    fn unknown_columns_fail_closed() {
        let error = Redaction::from_config(&config(&["contact_primary_emial"], RedactionOperator::Redact)).unwrap_err();
        assert!(error.to_string().contains("did you mean `contact_primary_email`"), "{error}");
        let error = Redaction::from_config(&config(&["data_quality_score"], RedactionOperator::Redact)).unwrap_err();
        assert!(matches!(error, RedactionError::NotText { .. }));
    }

    #[test]
    fn masks_keep_the_ends_of_long_values_only() {
        let redaction = Redaction::from_config(&config(&["notes"], RedactionOperator::Mask)).unwrap();
        assert_eq!(redaction.apply("Thabo"), "T***o");
        assert_eq!(redaction.apply("ab"), "**");
        assert!(redaction.covers("notes") && !redaction.covers("planes"));
    }

    #[test]
    fn nothing_is_redacted_when_the_feature_is_off() {
        let mut config = config(&["nonsense"], RedactionOperator::Redact);
        config.features.compliance = false;
        assert!(!Redaction::from_config(&config).unwrap().is_active());
    }
}
