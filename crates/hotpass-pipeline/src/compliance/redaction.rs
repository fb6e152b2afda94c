//! Redaction of personal data in everything a run writes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use hotpass_config::HotpassConfig;
use hotpass_config::model::RedactionOperator;
use hotpass_core::Secret;
use hotpass_core::fields::{ColumnType, GOLDEN_COLUMNS};
use hotpass_privacy::error::{KeyError, OperatorError};
use hotpass_privacy::operator::{Applier, Generalisation, UnknownOperator};
use hotpass_privacy::{DataClass, Operator, PrivacyKey};

/// The published columns of contacts, by what a contact holds: name, role, e-mail address, telephone number.
pub(crate) const CONTACT_COLUMNS_BY_CHANNEL: [&[&str]; 4] = [
    &["contact_primary_name"],
    &["contact_primary_role"],
    &["contact_primary_email", "contact_secondary_emails"],
    &["contact_primary_phone", "contact_secondary_phones"],
];

/// The published column of names, and that of roles.
const NAMES: &str = "contact_primary_name";
const ROLES: &str = "contact_primary_role";

/// Published columns whose texts may hold anything.
const FREE_TEXT: [&str; 3] = ["description", "notes", "planes"];

/// Which published columns are redacted, and how.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redaction {
    rules: Vec<(&'static str, Operator)>,
    /// Operators of classes, for what stands within other texts.
    spans: BTreeMap<DataClass, Operator>,
    /// What becomes of values that belong to no published column.
    default: Option<Operator>,
    /// Whether roles that are not made of words of roles go with the names: they are taken from the cells of names.
    guards_roles: bool,
    applier: Option<Arc<Applier>>,
    /// Names of the people whose row it is: they are found within its free texts, on whatever list they stand.
    people: Vec<String>,
}

/// Redaction that was asked for and cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum RedactionError {
    /// No published column and no class has the name.
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
    /// The column's type does not take what the operator makes.
    #[error(
        "Cannot apply operator `{operator}` to column `{column}`: a date can be redacted, or generalised to its year or month"
    )]
    NotForDates {
        /// The column.
        column: String,
        /// The operator.
        operator: String,
    },
    /// An operator cannot be used.
    #[error("Cannot redact `{column}`")]
    Operator {
        /// Column or class.
        column: String,
        /// Why.
        #[source]
        source: OperatorError,
    },
    /// The key cannot be used.
    #[error("Cannot use the key of `compliance.pii_redaction.key`")]
    Key(#[source] KeyError),
    /// An operator needs a key, and the caller resolved none.
    #[error("Operator `{operator}` needs a key, and there is none")]
    NoKey {
        /// The operator.
        operator: &'static str,
    },
}

impl RedactionError {
    /// Returns what to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoKey { .. } | Self::Key(_) => Some(
                "Make a key with `hotpass privacy key --output privacy.key`, and set \
                 `compliance.pii_redaction.key = \"file:privacy.key\"`"
                    .to_owned(),
            ),
            Self::Operator { .. } => {
                Some("Operators: redact, mask, hash, tokenise, generalise, redact_spans, keep".to_owned())
            }
            _ => None,
        }
    }
}

impl Redaction {
    /// Reads what the configuration asks for; nothing when the compliance feature or redaction is off.
    ///
    /// # Errors
    ///
    /// Returns an error when a column does not exist or cannot be redacted, an operator is unknown or a key is missing, so that
    /// nothing is published unredacted.
    pub(crate) fn from_config(config: &HotpassConfig, key: Option<&Secret>) -> Result<Self, RedactionError> {
        let redaction = &config.compliance.pii_redaction;
        if !config.redacts() {
            return Ok(Self::default());
        }
        let default = operator_of(redaction.operator);
        let mut rules: Vec<(&'static str, Operator)> = Vec::new();
        let mut set = |column: &'static str, operator: Operator| {
            // The slug is the name in other letters.
            let slug = (column == "organization_name").then_some("organization_slug");
            for column in [Some(column), slug].into_iter().flatten() {
                rules.retain(|(held, _)| *held != column);
                rules.push((column, operator));
            }
        };
        for name in &redaction.columns {
            let (column, is_date) = published_column(name)?;
            check_date(column, is_date, default)?;
            set(column, default);
        }
        let mut spans = BTreeMap::new();
        let mut named = Vec::new();
        for (name, operator) in &redaction.operators {
            let operator: Operator = operator.parse().map_err(|error: UnknownOperator| RedactionError::Operator {
                column: name.clone(),
                source: error.into(),
            })?;
            match name.parse::<DataClass>() {
                Ok(class) => {
                    spans.insert(class, operator);
                }
                Err(_) => named.push((published_column(name)?, operator)),
            }
        }
        // A class counts for its columns; a column's own operator counts more.
        for (class, operator) in &spans {
            for column in GOLDEN_COLUMNS.iter().filter(|column| class_of(column.name) == Some(*class)) {
                set(column.name, *operator);
            }
        }
        for ((column, is_date), operator) in named {
            check_date(column, is_date, operator)?;
            set(column, operator);
        }
        let guards_roles = rules.iter().any(|(column, operator)| *column == NAMES && *operator != Operator::Keep)
            && rules.iter().all(|(column, _)| *column != ROLES);
        rules.retain(|(_, operator)| *operator != Operator::Keep);
        spans.retain(|_, operator| *operator != Operator::Keep);
        let key = key.map(PrivacyKey::new).transpose().map_err(RedactionError::Key)?;
        let operators = rules.iter().map(|(_, operator)| *operator).chain(spans.values().copied()).chain([default]);
        let applier = Applier::new(operators, key).map_err(|error| match error {
            OperatorError::NoKey { operator } => RedactionError::NoKey { operator },
            source @ OperatorError::Unknown(_) => RedactionError::Operator { column: String::new(), source },
        })?;
        // Columns are normalised already; what stands within a text is not.
        let country = config.pipeline.country_code.as_ref().unwrap_or(&config.profile.default_country_code).clone();
        let applier = applier.with_normal_form(move |class, value| match class {
            DataClass::Phone => Some(hotpass_normalise::parse_phone(value, Some(&country)).ok()?.e164),
            _ => None,
        });
        Ok(Self {
            rules,
            spans,
            default: Some(default),
            guards_roles,
            applier: Some(Arc::new(applier)),
            people: Vec::new(),
        })
    }

    /// Returns this redaction with contacts taken out whole, and addresses and numbers taken out of free texts.
    pub(crate) fn without_contacts(&self) -> Self {
        let mut strict = self.clone();
        for column in CONTACT_COLUMNS_BY_CHANNEL.iter().copied().flatten() {
            strict.rules.retain(|(held, _)| held != column);
            strict.rules.push((column, Operator::Redact));
        }
        for column in FREE_TEXT {
            if !strict.covers(column) {
                strict.rules.push((column, Operator::RedactSpans));
            }
        }
        strict.default.get_or_insert(Operator::Redact);
        strict.applier.get_or_insert_with(|| {
            Arc::new(Applier::new([], None).unwrap_or_else(|_| unreachable!("no operator needs a key")))
        });
        strict
    }

    /// Returns whether anything is redacted.
    pub(crate) fn is_active(&self) -> bool {
        !self.rules.is_empty() || !self.spans.is_empty()
    }

    /// Returns whether a published column has an operator of its own.
    pub(crate) fn covers(&self, column: &str) -> bool {
        self.rules.iter().any(|(held, _)| *held == column)
    }

    /// Returns whether names are taken out of free texts.
    pub(crate) fn looks_for_names(&self) -> bool {
        self.spans.contains_key(&DataClass::PersonName)
            || self
                .rules
                .iter()
                .any(|(column, operator)| FREE_TEXT.contains(column) && *operator == Operator::RedactSpans)
    }

    /// Returns this redaction for a row whose people are known.
    pub(crate) fn knowing<'n>(&self, names: impl Iterator<Item = &'n str>) -> Self {
        Self { people: names.map(str::to_owned).collect(), ..self.clone() }
    }

    /// Returns what becomes of a value that belongs to no published column.
    pub(crate) fn apply(&self, value: &str) -> String {
        self.with("other", self.default.unwrap_or(Operator::Redact), value)
    }

    /// Returns what is published of a value of a column.
    pub(crate) fn text<'t>(&self, column: &str, value: &'t str) -> Cow<'t, str> {
        if let Some((_, operator)) = self.rules.iter().find(|(held, _)| *held == column) {
            return Cow::Owned(self.with(column, *operator, value));
        }
        if self.guards_roles && column == ROLES && !names_only_a_role(value) {
            return Cow::Borrowed(hotpass_privacy::operator::REDACTED);
        }
        self.within(column, value)
    }

    /// Returns what is written of a cell as the source has it, from which a column's value came; nothing where it may hold more
    /// than the column does.
    pub(crate) fn raw<'t>(&self, column: &str, raw: &'t str) -> Option<Cow<'t, str>> {
        if !self.is_active() {
            return Some(Cow::Borrowed(raw));
        }
        let contacts = CONTACT_COLUMNS_BY_CHANNEL.iter().copied().flatten();
        // A cell may hold a contact's name, address and number together, and be the source of each.
        if contacts.clone().any(|held| *held == column) && contacts.into_iter().any(|held| self.covers(held)) {
            return None;
        }
        if let Some((_, operator)) = self.rules.iter().find(|(held, _)| *held == column)
            && matches!(operator, Operator::Generalise(_) | Operator::Mask)
        {
            return None;
        }
        Some(self.text(column, raw))
    }

    /// Returns what is written of a value of a contact: 0 name, 1 role, 2 e-mail address, 3 telephone number.
    pub(crate) fn contact<'t>(&self, channel: usize, value: &'t str) -> Cow<'t, str> {
        let columns = CONTACT_COLUMNS_BY_CHANNEL[channel];
        let column = columns.iter().find(|column| self.covers(column)).unwrap_or(&columns[0]);
        self.text(column, value)
    }

    /// Returns what is written of a source cell that was mapped to a canonical field, or to none.
    pub(crate) fn source_cell(&self, field: Option<&str>, value: &str) -> String {
        let column = match field {
            Some("contact_emails") => "contact_primary_email",
            Some("contact_phones") => "contact_primary_phone",
            Some("contact_names" | "contact_given_names" | "contact_family_names") => "contact_primary_name",
            Some("contact_roles") => "contact_primary_role",
            Some("address" | "city") => "address_primary",
            Some("category") => "organization_category",
            Some(field) => field,
            None => "",
        };
        match self.rules.iter().find(|(held, _)| *held == column) {
            Some((_, Operator::RedactSpans | Operator::Generalise(_))) | None => self.apply(value),
            Some((_, operator)) => self.with(column, *operator, value),
        }
    }

    /// Returns what is published of a date, in days since 1970.
    pub(crate) fn date(&self, column: &str, days: i32) -> Option<i32> {
        use chrono::Datelike;
        let Some((_, operator)) = self.rules.iter().find(|(held, _)| *held == column) else { return Some(days) };
        let date = chrono::DateTime::from_timestamp(i64::from(days) * 86_400, 0)?.date_naive();
        let first = match operator {
            Operator::Generalise(Generalisation::Month) => date.with_day(1)?,
            Operator::Generalise(_) => date.with_day(1)?.with_month(1)?,
            _ => return None,
        };
        Some((first - chrono::NaiveDate::default()).num_days() as i32)
    }

    /// Returns the operators by column and by class, as a configuration writes them.
    pub(crate) fn summary(&self) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let columns =
            self.rules.iter().map(|(column, operator)| ((*column).to_owned(), operator.to_string())).collect();
        let classes = self.spans.iter().map(|(class, operator)| (class.to_string(), operator.to_string())).collect();
        (columns, classes)
    }

    /// Replaces what stands within a text and has an operator of its class.
    fn within<'t>(&self, column: &str, value: &'t str) -> Cow<'t, str> {
        match &self.applier {
            Some(applier) if !self.spans.is_empty() => {
                applier.replace_spans(value, self.people_of(column), |class| self.spans.get(&class).copied())
            }
            _ => Cow::Borrowed(value),
        }
    }

    /// Returns the people whose names may stand in a column.
    fn people_of(&self, column: &str) -> &[String] {
        if FREE_TEXT.contains(&column) { &self.people } else { &[] }
    }

    /// Applies an operator, to each value of a list.
    fn with(&self, column: &str, operator: Operator, value: &str) -> String {
        let Some(applier) = &self.applier else { return hotpass_privacy::operator::REDACTED.to_owned() };
        let class = class_of(column);
        let context = class.map_or(column, |class| class.name());
        // What is known to be a name is one, whether or not it is recognised: such a value goes as a whole.
        let of_class = |class| self.spans.get(&class).copied().unwrap_or(Operator::RedactSpans);
        let operator = class.filter(|_| operator == Operator::RedactSpans).map_or(operator, of_class);
        match operator {
            Operator::RedactSpans => match class {
                Some(class) => {
                    let parts = separator_of(column).map_or(1, |separator| value.split(separator).count());
                    vec![format!("[{class}]"); parts].join(separator_of(column).unwrap_or_default())
                }
                None => {
                    applier.replace_spans(value, self.people_of(column), |class| Some(of_class(class))).into_owned()
                }
            },
            Operator::Redact | Operator::Keep => applier.apply(operator, class, context, value),
            _ => match separator_of(column) {
                Some(separator) if value.contains(separator) => {
                    let parts: Vec<String> =
                        value.split(separator).map(|part| applier.apply(operator, class, context, part)).collect();
                    parts.join(separator)
                }
                _ => applier.apply(operator, class, context, value),
            },
        }
    }
}

/// Returns whether a text is made of words of roles, as `Head of Training` is: it names nobody.
fn names_only_a_role(text: &str) -> bool {
    let person = hotpass_normalise::parse_person(text);
    person.display.is_empty() && person.role.is_some()
}

/// Returns the class of a published column.
fn class_of(column: &str) -> Option<DataClass> {
    Some(match column {
        "contact_primary_name" => DataClass::PersonName,
        "contact_primary_email" | "contact_secondary_emails" => DataClass::Email,
        "contact_primary_phone" | "contact_secondary_phones" => DataClass::Phone,
        "address_primary" => DataClass::Address,
        _ => return None,
    })
}

/// Returns what stands between the values of a list column.
fn separator_of(column: &str) -> Option<&'static str> {
    match column {
        "contact_secondary_emails" | "contact_secondary_phones" => Some(";"),
        "source_record_ids" | "source_datasets" => Some("; "),
        _ => None,
    }
}

fn operator_of(operator: RedactionOperator) -> Operator {
    match operator {
        RedactionOperator::Redact => Operator::Redact,
        RedactionOperator::Mask => Operator::Mask,
        RedactionOperator::Hash => Operator::Hash,
        RedactionOperator::Tokenise => Operator::Tokenise,
        RedactionOperator::Generalise => Operator::Generalise(Generalisation::ByClass),
        RedactionOperator::RedactSpans => Operator::RedactSpans,
    }
}

/// Returns a published column that can be redacted, and whether it holds dates.
fn published_column(name: &str) -> Result<(&'static str, bool), RedactionError> {
    let Some(column) = GOLDEN_COLUMNS.iter().find(|column| column.name == name) else {
        let names = GOLDEN_COLUMNS.iter().map(|column| column.name).chain(DataClass::all().map(DataClass::name));
        return Err(RedactionError::UnknownColumn {
            column: name.to_owned(),
            suggestion: hotpass_core::nearest(name, names).map(ToString::to_string),
        });
    };
    let is_date = column.data_type == ColumnType::Date;
    let is_text = column.data_type == ColumnType::Text && !matches!(column.name, "entity_id" | "run_id");
    if is_text || is_date {
        Ok((column.name, is_date))
    } else {
        Err(RedactionError::NotText { column: name.to_owned() })
    }
}

fn check_date(column: &str, is_date: bool, operator: Operator) -> Result<(), RedactionError> {
    if !is_date || operator.fits_dates() {
        return Ok(());
    }
    Err(RedactionError::NotForDates { column: column.to_owned(), operator: operator.to_string() })
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

    fn with_operators(operators: &[(&str, &str)]) -> HotpassConfig {
        let mut config = config(&[], RedactionOperator::Redact);
        config.compliance.pii_redaction.operators =
            operators.iter().map(|(name, operator)| ((*name).to_owned(), (*operator).to_owned())).collect();
        config
    }

    fn key() -> Secret {
        Secret::new("k".repeat(32))
    }

    #[test]
    fn what_cannot_be_done_fails_closed() {
        let check = |config: &HotpassConfig, expected: &str| {
            let error = Redaction::from_config(config, None).unwrap_err();
            let text =
                format!("{error} {}", std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default());
            assert!(text.contains(expected), "{text}");
        };
        check(&config(&["contact_primary_emial"], RedactionOperator::Redact), "did you mean `contact_primary_email`");
        check(&config(&["data_quality_score"], RedactionOperator::Redact), "no personal text");
        check(&config(&["notes"], RedactionOperator::Hash), "needs a key");
        check(&with_operators(&[("notes", "tokenise")]), "needs a key");
        check(&with_operators(&[("emial", "redact")]), "did you mean `email`");
        check(&with_operators(&[("notes", "shred")]), "Unknown operator `shred`");
        check(&with_operators(&[("last_interaction_date", "mask")]), "a date can be");
        let short = Secret::new("short");
        let error = Redaction::from_config(&with_operators(&[("notes", "hash")]), Some(&short)).unwrap_err();
        assert!(matches!(error, RedactionError::Key(_)));
    }

    #[test]
    fn masks_keep_the_ends_of_long_values_only() {
        let redaction = Redaction::from_config(&config(&["notes"], RedactionOperator::Mask), None).unwrap();
        assert_eq!(redaction.text("notes", "Thabo"), "T***o");
        assert_eq!(redaction.apply("ab"), "**");
        assert!(redaction.covers("notes") && !redaction.covers("planes"));
    }

    #[test]
    fn columns_count_before_classes_and_classes_within_texts() {
        let config =
            with_operators(&[("email", "tokenise"), ("contact_secondary_emails", "generalise"), ("phone", "mask")]);
        let redaction = Redaction::from_config(&config, Some(&key())).unwrap();
        assert_eq!(redaction.text("contact_secondary_emails", "a@b.org;c@d.org"), "b.org;d.org");
        let token = redaction.text("contact_primary_email", "a@b.org").into_owned();
        assert!(token.starts_with("hpt1.email."), "{token}");
        let notes = redaction.text("notes", "mail a@b.org or 082 555 0142");
        assert_eq!(notes, format!("mail {token} or 0**********2"));
        assert_eq!(redaction.contact(2, "a@b.org"), token);
        assert_eq!(redaction.text("province", "Gauteng"), "Gauteng");
    }

    #[test]
    fn raw_cells_of_contacts_are_left_out_and_lists_keep_their_form() {
        let config = with_operators(&[("contact_primary_email", "hash"), ("contact_secondary_phones", "mask")]);
        let redaction = Redaction::from_config(&config, Some(&key())).unwrap();
        assert_eq!(redaction.raw("contact_primary_phone", "Ann a@b.org 082"), None);
        assert_eq!(redaction.raw("province", "GP").as_deref(), Some("GP"));
        assert_eq!(redaction.text("contact_secondary_phones", "+271;+272"), "+**1;+**2");
        assert_eq!(Redaction::default().raw("contact_primary_phone", "x").as_deref(), Some("x"));
    }

    #[test]
    fn a_role_from_the_cell_of_a_redacted_name_is_published_only_where_it_names_a_role() {
        let redaction = Redaction::from_config(&with_operators(&[("person_name", "redact")]), None).unwrap();
        assert_eq!(redaction.contact(1, "Head of Training"), "Head of Training");
        assert_eq!(redaction.contact(1, "Xolile"), "[redacted]");
        let kept = with_operators(&[("person_name", "redact"), ("contact_primary_role", "keep")]);
        assert_eq!(Redaction::from_config(&kept, None).unwrap().contact(1, "Xolile"), "Xolile");
        assert_eq!(Redaction::default().contact(1, "Xolile"), "Xolile");
    }

    #[test]
    fn a_column_of_a_known_class_is_redacted_whole() {
        let spans = with_operators(&[
            ("contact_primary_name", "redact_spans"),
            ("contact_secondary_emails", "redact_spans"),
            ("address_primary", "redact_spans"),
        ]);
        let redaction = Redaction::from_config(&spans, None).unwrap();
        assert_eq!(redaction.text("contact_primary_name", "Quorvin Nulova"), "[person_name]");
        assert_eq!(redaction.text("contact_secondary_emails", "a@b.org;not one"), "[email];[email]");
        assert_eq!(redaction.text("address_primary", "Erf 7, Nowhere"), "[address]");
    }

    #[test]
    fn the_people_of_a_row_are_found_in_its_texts() {
        let spans = with_operators(&[("notes", "redact_spans"), ("description", "keep")]);
        let redaction = Redaction::from_config(&spans, None).unwrap();
        assert!(redaction.looks_for_names());
        let knowing = redaction.knowing(["Quorvin Nulova", "Al Ystrid"].into_iter());
        let check = |text: &str, expected: &str| assert_eq!(knowing.text("notes", text), expected);
        check("Quorvin likes tea", "[person_name] likes tea");
        check("ask QUORVIN NULOVA, or Mr Nulova", "ask [person_name], or Mr [person_name]");
        check("Al is out; quorvinal stays", "Al is out; quorvinal stays");
        assert_eq!(redaction.text("notes", "Quorvin likes tea"), "Quorvin likes tea");
        assert_eq!(knowing.text("organization_name", "Quorvin Works"), "Quorvin Works");
        assert!(!Redaction::default().looks_for_names());
        assert!(Redaction::from_config(&with_operators(&[("person_name", "mask")]), None).unwrap().looks_for_names());
    }

    #[test]
    fn dates_are_taken_back_to_the_first_day() {
        let redaction =
            Redaction::from_config(&with_operators(&[("last_interaction_date", "generalise:month")]), None).unwrap();
        assert_eq!(redaction.date("last_interaction_date", 19_800), Some(19_783));
        let redaction = Redaction::from_config(&with_operators(&[("last_interaction_date", "redact")]), None).unwrap();
        assert_eq!(redaction.date("last_interaction_date", 19_800), None);
        assert_eq!(Redaction::default().date("last_interaction_date", 5), Some(5));
    }

    #[test]
    fn without_consent_no_contact_is_left() {
        let strict = Redaction::default().without_contacts();
        assert_eq!(strict.contact(0, "Xolile Fictum"), "[redacted]");
        assert_eq!(strict.text("notes", "call 082 555 0142 soon"), "call [phone] soon");
        assert_eq!(strict.text("website", "https://x.example"), "https://x.example");
    }

    #[test]
    fn nothing_is_redacted_when_the_feature_is_off() {
        let mut config = config(&["nonsense"], RedactionOperator::Redact);
        config.features.compliance = false;
        assert!(!Redaction::from_config(&config, None).unwrap().is_active());
    }
}
