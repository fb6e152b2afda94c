//! Classes of personal data, and what the law of a jurisdiction calls each.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A class of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DataClass {
    /// Name of a person.
    PersonName,
    /// E-mail address.
    Email,
    /// Telephone number.
    Phone,
    /// South African identity number.
    ZaId,
    /// National identity or social-security number, by header.
    NationalId,
    /// Number of a passport.
    Passport,
    /// Number of a driving licence, by header.
    DrivingLicence,
    /// Number of a payment card.
    PaymentCard,
    /// International bank account number.
    Iban,
    /// Number of a bank account, by header.
    BankAccount,
    /// Tax or value-added-tax number.
    TaxNumber,
    /// Address of a computer, version 4 or 6 of the protocol.
    IpAddress,
    /// Latitude and longitude.
    Coordinates,
    /// Street or postal address, by header.
    Address,
    /// Date of birth, by header or keyword.
    DateOfBirth,
    /// Number given to a person by an organisation (employee, member, patient), by header.
    PersonNumber,
    /// Gender, marital status, nationality, language or age, by header.
    Demographic,
    /// Education or employment history, by header.
    History,
    /// Income, debt or other finances, by header.
    Financial,
    /// Religious or philosophical belief, by header.
    Belief,
    /// Race or ethnic origin, by header.
    Ethnicity,
    /// Membership of a trade union, by header.
    TradeUnion,
    /// Political persuasion, by header.
    Politics,
    /// Health or disability, by header.
    Health,
    /// Sex life or orientation, by header.
    SexLife,
    /// Biometric information, by header.
    Biometric,
    /// Genetic information, by header.
    Genetic,
    /// Criminal behaviour, by header.
    Criminal,
    /// A child, or who answers for one, by header.
    Child,
}

/// A jurisdiction whose law Hotpass knows the categories of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Jurisdiction {
    /// South Africa: Protection of Personal Information Act 4 of 2013.
    #[default]
    Popia,
    /// European Union: Regulation (EU) 2016/679.
    Gdpr,
}

/// What a jurisdiction calls a class of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LegalCategory {
    /// Name of the category in the law's words.
    pub category: &'static str,
    /// Where the law says so.
    pub reference: &'static str,
    /// Whether the law asks for more than a lawful basis: special information, children, criminal convictions.
    pub special: bool,
}

const fn ordinary(category: &'static str, reference: &'static str) -> LegalCategory {
    LegalCategory { category, reference, special: false }
}

const fn special(category: &'static str, reference: &'static str) -> LegalCategory {
    LegalCategory { category, reference, special: true }
}

/// One row a class: name, word for people, category under POPIA, category under the GDPR.
const CLASSES: &[(DataClass, &str, &str, LegalCategory, LegalCategory)] = &[
    (
        DataClass::PersonName,
        "person_name",
        "name of a person",
        ordinary(
            "Name, with other personal information or where it reveals some",
            "POPIA s 1 “personal information” (h)",
        ),
        ordinary("Personal data: name", "GDPR art 4(1)"),
    ),
    (
        DataClass::Email,
        "email",
        "e-mail address",
        ordinary("E-mail address", "POPIA s 1 “personal information” (c)"),
        ordinary("Personal data: online identifier", "GDPR art 4(1)"),
    ),
    (
        DataClass::Phone,
        "phone",
        "telephone number",
        ordinary("Telephone number", "POPIA s 1 “personal information” (c)"),
        ordinary("Personal data: identifier", "GDPR art 4(1)"),
    ),
    (
        DataClass::ZaId,
        "za_id",
        "South African identity number",
        ordinary(
            "Identifying number; a unique identifier, and it tells age and sex",
            "POPIA s 1 “personal information” (a), (c), “unique identifier”; s 57(1)(a)",
        ),
        ordinary("National identification number", "GDPR art 4(1), art 87"),
    ),
    (
        DataClass::NationalId,
        "national_id",
        "national identity number",
        ordinary(
            "Identifying number; a unique identifier",
            "POPIA s 1 “personal information” (c), “unique identifier”; s 57(1)(a)",
        ),
        ordinary("National identification number", "GDPR art 4(1), art 87"),
    ),
    (
        DataClass::Passport,
        "passport",
        "passport number",
        ordinary(
            "Identifying number; a unique identifier",
            "POPIA s 1 “personal information” (c), “unique identifier”; s 57(1)(a)",
        ),
        ordinary("Identification number", "GDPR art 4(1)"),
    ),
    (
        DataClass::DrivingLicence,
        "driving_licence",
        "driving-licence number",
        ordinary(
            "Identifying number; a unique identifier",
            "POPIA s 1 “personal information” (c), “unique identifier”; s 57(1)(a)",
        ),
        ordinary("Identification number", "GDPR art 4(1)"),
    ),
    (
        DataClass::PaymentCard,
        "payment_card",
        "payment-card number",
        ordinary("Account number; financial history", "POPIA s 1 “personal information” (b), (c); s 105, s 106"),
        ordinary("Personal data: identification number, economic identity", "GDPR art 4(1)"),
    ),
    (
        DataClass::Iban,
        "iban",
        "international bank account number",
        ordinary("Account number; financial history", "POPIA s 1 “personal information” (b), (c); s 105, s 106"),
        ordinary("Personal data: identification number, economic identity", "GDPR art 4(1)"),
    ),
    (
        DataClass::BankAccount,
        "bank_account",
        "bank account number",
        ordinary("Account number; financial history", "POPIA s 1 “personal information” (b), (c); s 105, s 106"),
        ordinary("Personal data: identification number, economic identity", "GDPR art 4(1)"),
    ),
    (
        DataClass::TaxNumber,
        "tax_number",
        "tax number",
        ordinary(
            "Identifying number; a unique identifier",
            "POPIA s 1 “personal information” (c), “unique identifier”; s 57(1)(a)",
        ),
        ordinary("Identification number, where it is a natural person's", "GDPR art 4(1)"),
    ),
    (
        DataClass::IpAddress,
        "ip_address",
        "IP address",
        ordinary("Online identifier", "POPIA s 1 “personal information” (c)"),
        ordinary("Personal data: online identifier", "GDPR art 4(1), recital 30"),
    ),
    (
        DataClass::Coordinates,
        "coordinates",
        "latitude and longitude",
        ordinary("Location information", "POPIA s 1 “personal information” (c)"),
        ordinary("Personal data: location data", "GDPR art 4(1)"),
    ),
    (
        DataClass::Address,
        "address",
        "street or postal address",
        ordinary("Physical address", "POPIA s 1 “personal information” (c)"),
        ordinary("Personal data: location data", "GDPR art 4(1)"),
    ),
    (
        DataClass::DateOfBirth,
        "date_of_birth",
        "date of birth",
        ordinary("Age and birth", "POPIA s 1 “personal information” (a)"),
        ordinary("Personal data: factor of physical or social identity", "GDPR art 4(1)"),
    ),
    (
        DataClass::PersonNumber,
        "person_number",
        "number given to a person",
        ordinary(
            "Identifying number, symbol or other particular assignment; a unique identifier",
            "POPIA s 1 “personal information” (c), “unique identifier”; s 57(1)(a)",
        ),
        ordinary("Identification number", "GDPR art 4(1)"),
    ),
    (
        DataClass::Demographic,
        "demographic",
        "gender, marital status, nationality, language, age",
        ordinary(
            "Gender, sex, pregnancy, marital status, national or social origin, age, language",
            "POPIA s 1 “personal information” (a)",
        ),
        ordinary("Personal data: factor of cultural or social identity", "GDPR art 4(1)"),
    ),
    (
        DataClass::History,
        "history",
        "education or employment",
        ordinary("Educational or employment history", "POPIA s 1 “personal information” (b)"),
        ordinary("Personal data: factor of economic or social identity", "GDPR art 4(1)"),
    ),
    (
        DataClass::Financial,
        "financial",
        "income, debt or other finances",
        ordinary(
            "Financial history; credit reporting asks for prior authorisation",
            "POPIA s 1 “personal information” (b); s 57(1)(c)",
        ),
        ordinary("Personal data: factor of economic identity", "GDPR art 4(1)"),
    ),
    (
        DataClass::Belief,
        "belief",
        "religious or philosophical belief",
        special("Special personal information: religious or philosophical beliefs", "POPIA s 26(a), s 28"),
        special("Special category: religious or philosophical beliefs", "GDPR art 9(1)"),
    ),
    (
        DataClass::Ethnicity,
        "ethnicity",
        "race or ethnic origin",
        special("Special personal information: race or ethnic origin", "POPIA s 26(a), s 29"),
        special("Special category: racial or ethnic origin", "GDPR art 9(1)"),
    ),
    (
        DataClass::TradeUnion,
        "trade_union",
        "trade-union membership",
        special("Special personal information: trade union membership", "POPIA s 26(a), s 30"),
        special("Special category: trade union membership", "GDPR art 9(1)"),
    ),
    (
        DataClass::Politics,
        "politics",
        "political persuasion",
        special("Special personal information: political persuasion", "POPIA s 26(a), s 31"),
        special("Special category: political opinions", "GDPR art 9(1)"),
    ),
    (
        DataClass::Health,
        "health",
        "health or disability",
        special("Special personal information: health", "POPIA s 26(a), s 32"),
        special("Special category: data concerning health", "GDPR art 4(15), art 9(1)"),
    ),
    (
        DataClass::SexLife,
        "sex_life",
        "sex life or orientation",
        special("Special personal information: sex life", "POPIA s 26(a), s 32"),
        special("Special category: sex life or sexual orientation", "GDPR art 9(1)"),
    ),
    (
        DataClass::Biometric,
        "biometric",
        "biometric information",
        special("Special personal information: biometric information", "POPIA s 1 “biometrics”, s 26(a), s 33"),
        special("Special category: biometric data", "GDPR art 4(14), art 9(1)"),
    ),
    (
        DataClass::Genetic,
        "genetic",
        "genetic information",
        special(
            "Special personal information: biometric information (DNA), inherited characteristics",
            "POPIA s 1 “biometrics”, s 26(a), s 32(5), s 33",
        ),
        special("Special category: genetic data", "GDPR art 4(13), art 9(1)"),
    ),
    (
        DataClass::Criminal,
        "criminal",
        "criminal behaviour",
        special("Special personal information: criminal behaviour", "POPIA s 26(b), s 33"),
        special("Criminal convictions and offences", "GDPR art 10"),
    ),
    (
        DataClass::Child,
        "child",
        "a child, or who answers for one",
        special("Personal information of children", "POPIA s 1 “child”, s 34, s 35"),
        special("Personal data of a child", "GDPR art 8, recital 38"),
    ),
];

impl DataClass {
    /// Returns every class, in the order of the reference table.
    pub fn all() -> impl Iterator<Item = Self> {
        CLASSES.iter().map(|row| row.0)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, LegalCategory, LegalCategory) {
        CLASSES.iter().find(|row| row.0 == self).unwrap_or(&CLASSES[0])
    }

    /// Returns the name, as configuration and reports write it.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Returns what it is, for people.
    pub fn description(self) -> &'static str {
        self.row().2
    }

    /// Returns what a jurisdiction calls it.
    pub fn category(self, jurisdiction: Jurisdiction) -> LegalCategory {
        match jurisdiction {
            Jurisdiction::Popia => self.row().3,
            Jurisdiction::Gdpr => self.row().4,
        }
    }
}

impl fmt::Display for DataClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DataClass {
    type Err = UnknownClass;

    fn from_str(text: &str) -> Result<Self, UnknownClass> {
        CLASSES.iter().find(|row| row.1 == text).map(|row| row.0).ok_or_else(|| UnknownClass { class: text.to_owned() })
    }
}

/// A name that no class has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("No class of personal data is called `{class}`")]
pub struct UnknownClass {
    /// The name.
    pub class: String,
}

impl Jurisdiction {
    /// All jurisdictions.
    pub const ALL: [Self; 2] = [Self::Popia, Self::Gdpr];

    /// Returns the short name of the law.
    pub fn name(self) -> &'static str {
        match self {
            Self::Popia => "POPIA",
            Self::Gdpr => "GDPR",
        }
    }

    /// Returns the jurisdiction of a country by its ISO 3166-1 alpha-2 code.
    pub fn of_country(alpha2: &str) -> Option<Self> {
        const EEA: [&str; 30] = [
            "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI",
            "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
        ];
        match alpha2 {
            "ZA" => Some(Self::Popia),
            code if EEA.contains(&code) => Some(Self::Gdpr),
            _ => None,
        }
    }
}

/// Returns the table of classes and legal categories as Markdown, for the reference.
pub fn jurisdiction_table() -> String {
    use fmt::Write as _;
    let mut text = String::from(
        "| class | what it is | under POPIA | POPIA section | under the GDPR | GDPR article | special |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (_, name, description, popia, gdpr) in CLASSES {
        let special = if popia.special || gdpr.special { "yes" } else { "" };
        let _ = writeln!(
            text,
            "| `{name}` | {description} | {} | {} | {} | {} | {special} |",
            popia.category,
            popia.reference.trim_start_matches("POPIA "),
            gdpr.category,
            gdpr.reference.trim_start_matches("GDPR "),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_class() {
        for class in DataClass::all() {
            assert_eq!(class.name().parse(), Ok(class));
        }
        assert!("emial".parse::<DataClass>().is_err());
        let names: Vec<&str> = DataClass::all().map(DataClass::name).collect();
        assert_eq!(names, hotpass_core::operator::DATA_CLASSES, "a configuration is checked against these names");
    }

    #[test]
    fn every_special_section_of_popia_has_a_class() {
        let references: Vec<&str> =
            DataClass::all().map(|class| class.category(Jurisdiction::Popia).reference).collect();
        for section in ["s 26", "s 28", "s 29", "s 30", "s 31", "s 32", "s 33", "s 34", "s 35"] {
            assert!(references.iter().any(|reference| reference.contains(section)), "{section}");
        }
        assert!(DataClass::Health.category(Jurisdiction::Popia).special);
        assert!(!DataClass::Email.category(Jurisdiction::Gdpr).special);
    }

    #[test]
    fn countries_lead_to_their_law() {
        assert_eq!(Jurisdiction::of_country("ZA"), Some(Jurisdiction::Popia));
        assert_eq!(Jurisdiction::of_country("DE"), Some(Jurisdiction::Gdpr));
        assert_eq!(Jurisdiction::of_country("US"), None);
    }
}
