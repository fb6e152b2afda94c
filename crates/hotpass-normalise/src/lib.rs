//! Field rules as columnar kernels that count every change.
//!
//! A [`FieldRule`] takes one value of one [`Kind`] and says what it made of it; [`normalise_column`] runs a rule
//! over an Arrow string column. Each step that changes a value is counted under a code such as `text.white_space`,
//! and a value that breaks its rule is reported with a reason while the input keeps its raw form.
//!
//! ```
//! use arrow::array::{Array, StringArray};
//! use hotpass_normalise::{Kind, RuleOptions, normalise_column, rule_for};
//!
//! let touched = StringArray::from(vec![Some("14/10/2025"), Some("45944"), Some("31 Feb 2025"), Some("-"), None]);
//! let rule = rule_for(Kind::Date, &RuleOptions::default());
//! let column = normalise_column(&touched, &*rule);
//!
//! assert_eq!(column.values.value(0), "2025-10-14");
//! assert_eq!(column.values.value(1), "2025-10-14"); // an Excel serial number
//! assert_eq!(column.failures[0].reason, "date.impossible");
//! assert!(column.values.is_null(3)); // a placeholder means "no value"
//! assert!(column.counts.iter().any(|(code, count)| code == "date.excel_serial" && count == 1));
//! ```
//!
//! Use [`rule_for`] when the kind of a column is data (a mapping, a flag), a rule's own type when it is known.
//! Nothing here reads files, the environment or the network.

mod address;
mod blank;
mod category;
mod country;
mod date;
mod email;
mod fold;
mod identifier;
mod kernel;
mod kind;
mod letter_case;
mod numbering_plan;
mod organization;
mod person;
mod phone;
mod placeholder;
mod region;
mod slug;
mod text;
mod web;

pub use address::{Address, AddressRule, compose_address, parse_address};
pub use category::CategoryRule;
pub use country::{Country, CountryRule, country_by_alpha2, parse_country};
pub use date::{DateOrder, DateRule, parse_date};
pub use email::{
    Email, EmailRule, canonical_email_verdict, email_suggestion, email_verdict, is_free_provider, parse_email,
};
pub use identifier::{
    PostalCodeRule, RegistrationNumberRule, VatNumberRule, parse_postal_code, parse_registration_number,
    parse_vat_number,
};
pub use kernel::{Failure, FieldRule, NormalisedColumn, Outcome, RuleCounts, normalise_column};
pub use kind::{Kind, RuleOptions, UnknownKind, rule_for};
pub use organization::{
    LegalForm, OrganizationColumns, OrganizationName, OrganizationRule, organization_columns,
    organization_key_similarity, organization_similarity, parse_organization,
};
pub use person::{PersonName, PersonRule, compose_person, parse_person};
pub use phone::{LineType, Phone, PhoneRule, parse_phone, phone_verdict, split_phones};
pub use placeholder::{GuardedRule, Placeholders};
pub use region::{ProvinceRule, Subdivision, has_provinces, parse_province, province_of_town};
pub use slug::{SlugRule, slug};
pub use text::TextRule;
pub use web::{Web, WebRule, own_domain, parse_web, web_identity};
