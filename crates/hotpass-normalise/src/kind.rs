//! The kinds of field and the rule of each.

use std::fmt;
use std::str::FromStr;

use crate::{
    AddressRule, CategoryRule, CountryRule, DateOrder, DateRule, EmailRule, FieldRule, OrganizationRule, PersonRule,
    PhoneRule, Placeholders, PostalCodeRule, ProvinceRule, RegistrationNumberRule, SlugRule, TextRule, VatNumberRule,
    WebRule,
};

/// What a column holds, as far as its rule is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Free text.
    Text,
    /// The name of an organisation.
    Organization,
    /// The name of a person.
    Person,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A web address.
    Web,
    /// A postal address in one line.
    Address,
    /// A province or other first-level region.
    Province,
    /// A country.
    Country,
    /// A calendar date.
    Date,
    /// The number of an organisation in a companies register.
    RegistrationNumber,
    /// A value-added-tax number.
    VatNumber,
    /// A postal code.
    PostalCode,
    /// A short identifier of lower-case letters, digits and hyphens.
    Slug,
    /// A label from a small set.
    Category,
    /// The position of a person in an organisation.
    Role,
}

impl Kind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 16] = [
        Self::Text,
        Self::Organization,
        Self::Person,
        Self::Email,
        Self::Phone,
        Self::Web,
        Self::Address,
        Self::Province,
        Self::Country,
        Self::Date,
        Self::RegistrationNumber,
        Self::VatNumber,
        Self::PostalCode,
        Self::Slug,
        Self::Category,
        Self::Role,
    ];

    /// Returns the name that users write, such as `registration_number`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Organization => "organization",
            Self::Person => "person",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Web => "web",
            Self::Address => "address",
            Self::Province => "province",
            Self::Country => "country",
            Self::Date => "date",
            Self::RegistrationNumber => "registration_number",
            Self::VatNumber => "vat_number",
            Self::PostalCode => "postal_code",
            Self::Slug => "slug",
            Self::Category => "category",
            Self::Role => "role",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A name that is no kind of field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Unknown kind of field: `{name}`")]
pub struct UnknownKind {
    /// The name as written.
    pub name: String,
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        let wanted = name.trim().to_ascii_lowercase().replace('-', "_");
        Self::ALL.into_iter().find(|kind| kind.as_str() == wanted).ok_or_else(|| UnknownKind { name: name.to_owned() })
    }
}

/// What the rules need to know about the place and the habits of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOptions {
    /// Country of values that do not name one, as ISO 3166-1 alpha-2.
    pub country: String,
    /// How dates of three bare numbers are read.
    pub date_order: DateOrder,
    /// Words that mean "no value" in a field of any kind, besides the built-in ones; they are compared without regard to case.
    pub null_values: Vec<String>,
}

impl Default for RuleOptions {
    fn default() -> Self {
        Self { country: "ZA".to_owned(), date_order: DateOrder::DayFirst, null_values: Vec::new() }
    }
}

/// Returns the rule for a kind of field.
pub fn rule_for(kind: Kind, options: &RuleOptions) -> Box<dyn FieldRule> {
    let country = Some(options.country.as_str());
    let words = Placeholders::with(&options.null_values);
    let text = TextRule::new(words.clone());
    match kind {
        Kind::Organization => Box::new(OrganizationRule::new(&options.country, text)),
        Kind::Person => Box::new(PersonRule::new(text)),
        Kind::Date => Box::new(DateRule::new(options.date_order, text)),
        Kind::Slug => Box::new(SlugRule::new(text)),
        Kind::Category => Box::new(CategoryRule::new(text)),
        Kind::Role => Box::new(CategoryRule::for_roles(text)),
        Kind::Email => Box::new(words.guard(EmailRule)),
        Kind::Phone => Box::new(words.guard(PhoneRule::new(country))),
        Kind::Web => Box::new(words.guard(WebRule)),
        Kind::Province => Box::new(words.guard(ProvinceRule::new(country))),
        Kind::Country => Box::new(words.guard(CountryRule)),
        Kind::RegistrationNumber => Box::new(words.guard(RegistrationNumberRule::new(country))),
        Kind::VatNumber => Box::new(words.guard(VatNumberRule::new(country))),
        Kind::PostalCode => Box::new(words.guard(PostalCodeRule::new(country))),
        Kind::Address => Box::new(AddressRule::new(&options.country, text)),
        Kind::Text => Box::new(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("Registration-Number".parse(), Ok(Kind::RegistrationNumber));
        assert_eq!("fax".parse::<Kind>(), Err(UnknownKind { name: "fax".to_owned() }));
    }
}
