//! What deserves a look in a configuration that is valid, and what would put it right.

use crate::model::{Classification, HotpassConfig};

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// Name of the check: the key path it looks at.
    pub name: &'static str,
    /// Whether all is well.
    pub passed: bool,
    /// What was found.
    pub message: String,
    /// What to do, when it did not pass.
    pub suggested_fix: Option<String>,
    /// How grave a failure is.
    pub severity: CheckSeverity,
    /// What would put it right without a person's judgement.
    pub automatic_fix: Option<AutomaticFix>,
}

/// How grave a failed check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckSeverity {
    /// Good to know.
    Info,
    /// A run works, and something about it is doubtful.
    Warning,
    /// A run, or what it publishes, is not in order.
    Error,
}

/// A value that puts a failed check right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutomaticFix {
    /// Key path.
    pub key: &'static str,
    /// Value as text, as a flag would give it.
    pub value: String,
}

/// Checks a configuration; every check is in the result, passed or not.
pub fn doctor(config: &HotpassConfig) -> Vec<CheckResult> {
    let blank = |text: &str| text.trim().is_empty();
    let steward = config.data_contract.steward.as_deref().is_none_or(blank);
    let personal = matches!(config.governance.classification, Classification::Pii | Classification::SensitivePii);
    let open = config.features.compliance && !config.redacts();
    let country = config.pipeline.country_code.as_deref().unwrap_or(&config.profile.default_country_code);
    vec![
        Check::new("governance.intent", CheckSeverity::Error)
            .passes_if(config.governance.intent.iter().any(|intent| !blank(intent)), "The purpose of the run is stated")
            .otherwise("No purpose is stated", "Say what the data is processed for, in a sentence"),
        Check::new("governance.data_owner", CheckSeverity::Warning)
            .passes_if(!blank(&config.governance.data_owner), "The data has an owner")
            .otherwise("The data has no owner", "Name who answers for the data")
            .fixed_by("Data Governance"),
        Check::new("governance.classification", CheckSeverity::Warning)
            .passes_if(personal || config.compliance.pii_fields.is_empty(), "The classification fits the fields")
            .otherwise("Fields hold personal data and the classification does not say so", "Classify the data as `pii`")
            .fixed_by("pii"),
        Check::new("data_contract.steward", CheckSeverity::Info)
            .passes_if(!steward, "The dataset has a steward")
            .otherwise("Nobody is named who is asked about the dataset", "Name a steward"),
        Check::new("compliance.retention_days", CheckSeverity::Warning)
            .passes_if(config.compliance.retention_days.is_some(), "It is stated how long the data is kept")
            .otherwise("It is not stated how long the data may be kept", "State a number of days")
            .fixed_by("365"),
        Check::new("compliance.pii_redaction.enabled", CheckSeverity::Warning)
            .passes_if(!open, "Redaction is as the compliance feature wants it")
            .otherwise("The compliance feature is on and redaction is off", "Switch redaction on")
            .fixed_by("true"),
        Check::new("compliance.jurisdiction", CheckSeverity::Info)
            .passes_if(config.compliance.jurisdiction == country, "Jurisdiction and country agree")
            .otherwise("The jurisdiction is not the country of the data", "Check which law applies"),
        Check::new("profile.expectations", CheckSeverity::Warning)
            .passes_if(!config.profile.expectations.is_empty(), "The published table is checked")
            .otherwise("Nothing is expected of the published table", "Take a profile with expectations, or write some"),
        Check::new("profile.required_fields", CheckSeverity::Error)
            .passes_if(
                config.profile.required_fields.iter().any(|field| field == "organization_name"),
                "A row without a name goes to quarantine",
            )
            .otherwise("A row without a name would be published", "Require `organization_name`"),
    ]
    .into_iter()
    .map(|check| check.result)
    .collect()
}

/// Returns the share of checks that passed, in whole percent; 100 when there are none.
pub fn health_score(results: &[CheckResult]) -> u8 {
    let passed = results.iter().filter(|result| result.passed).count();
    (passed * 100).checked_div(results.len()).and_then(|score| u8::try_from(score).ok()).unwrap_or(100)
}

struct Check {
    result: CheckResult,
}

impl Check {
    fn new(name: &'static str, severity: CheckSeverity) -> Self {
        let result = CheckResult {
            name,
            passed: true,
            message: String::new(),
            suggested_fix: None,
            severity,
            automatic_fix: None,
        };
        Self { result }
    }

    fn passes_if(mut self, passed: bool, message: &str) -> Self {
        self.result.passed = passed;
        message.clone_into(&mut self.result.message);
        self
    }

    fn otherwise(mut self, message: &str, fix: &str) -> Self {
        if !self.result.passed {
            message.clone_into(&mut self.result.message);
            self.result.suggested_fix = Some(fix.to_owned());
        }
        self
    }

    fn fixed_by(mut self, value: &str) -> Self {
        if !self.result.passed {
            self.result.automatic_fix = Some(AutomaticFix { key: self.result.name, value: value.to_owned() });
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConfigLoader;

    #[test]
    fn faults_are_found_and_automatic_fixes_cure_them() {
        let mut config = HotpassConfig::default();
        config.governance.intent = vec![" ".into()];
        config.governance.data_owner = String::new();
        let results = doctor(&config);
        let failed: Vec<_> = results.iter().filter(|result| !result.passed).map(|result| result.name).collect();
        assert!(failed.contains(&"governance.intent") && failed.contains(&"governance.data_owner"), "{failed:?}");
        assert!(health_score(&results) < 100);
        for fix in results.iter().filter_map(|result| result.automatic_fix.as_ref()) {
            let cured = ConfigLoader::new().flag(fix.key, fix.value.as_str()).load().unwrap().config;
            let again = doctor(&cured);
            assert!(again.iter().any(|result| result.name == fix.key && result.passed), "{}", fix.key);
        }
    }

    #[test]
    fn shipped_profiles_have_no_grave_fault() {
        for name in ["generic", "aviation"] {
            let results = doctor(&ConfigLoader::new().profile(name).load().unwrap().config);
            let grave: Vec<_> =
                results.iter().filter(|result| !result.passed && result.severity > CheckSeverity::Info).collect();
            assert!(grave.is_empty(), "{grave:?}");
        }
        assert_eq!(health_score(&[]), 100);
    }
}
