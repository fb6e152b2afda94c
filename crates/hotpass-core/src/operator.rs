//! What becomes of a personal value, by name: the operators and classes that a configuration speaks of.
//!
//! The names are here so that a configuration can be checked without the code that does the work.

use std::fmt;
use std::str::FromStr;

use crate::nearest;

/// Names of the classes of personal data, in the order of the reference table.
pub const DATA_CLASSES: [&str; 29] = [
    "person_name",
    "email",
    "phone",
    "za_id",
    "national_id",
    "passport",
    "driving_licence",
    "payment_card",
    "iban",
    "bank_account",
    "tax_number",
    "ip_address",
    "coordinates",
    "address",
    "date_of_birth",
    "person_number",
    "demographic",
    "history",
    "financial",
    "belief",
    "ethnicity",
    "trade_union",
    "politics",
    "health",
    "sex_life",
    "biometric",
    "genetic",
    "criminal",
    "child",
];

/// What becomes of a personal value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The text `[redacted]`.
    Redact,
    /// All but the first and last character as `*`; all of them where there are fewer than four.
    Mask,
    /// A keyed hash: equal values stay equal, nobody can lead it back.
    Hash,
    /// A token: equal values stay equal, who holds the key can lead it back.
    Tokenise,
    /// A less precise value.
    Generalise(Generalisation),
    /// Only what is found within the text, as `[email]`; the rest stays.
    RedactSpans,
    /// The value as it is: exempts a column from an operator of its class.
    Keep,
}

/// How a value is made less precise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Generalisation {
    /// As the class of personal data asks for: dates to years, addresses to towns, postal codes to prefixes, telephone numbers to their country,
    /// e-mail addresses to their domain, coordinates to a tenth of a degree, IP addresses to their network, names to initials.
    ByClass,
    /// A date's year.
    Year,
    /// A date's year and month.
    Month,
    /// An address's last part that is no code or country.
    Town,
    /// The first characters, the others as `*`.
    Prefix(u8),
    /// A number's band of this width, as `20-29`.
    Band(u32),
    /// A telephone number's country code.
    Country,
    /// A telephone number's country code and two digits of its area.
    Area,
    /// What stands behind the `@`.
    Domain,
    /// First letters of the words.
    Initials,
}

/// Names of the operators, as a configuration writes them.
const NAMES: [&str; 17] = [
    "redact",
    "mask",
    "hash",
    "tokenise",
    "generalise",
    "redact_spans",
    "keep",
    "generalise:year",
    "generalise:month",
    "generalise:town",
    "generalise:prefix",
    "generalise:band",
    "generalise:country",
    "generalise:area",
    "generalise:domain",
    "generalise:initials",
    "tokenize",
];

impl Operator {
    /// Returns whether it needs a key.
    pub fn needs_key(self) -> bool {
        matches!(self, Self::Hash | Self::Tokenise)
    }

    /// Returns whether a date stays a date: it can be kept, taken out, or taken back to the first day of its year or month.
    pub fn fits_dates(self) -> bool {
        matches!(
            self,
            Self::Keep
                | Self::Redact
                | Self::Generalise(Generalisation::ByClass | Generalisation::Year | Generalisation::Month)
        )
    }

    /// Returns the name, as a configuration writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redact => "redact",
            Self::Mask => "mask",
            Self::Hash => "hash",
            Self::Tokenise => "tokenise",
            Self::Generalise(_) => "generalise",
            Self::RedactSpans => "redact_spans",
            Self::Keep => "keep",
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        let Self::Generalise(how) = self else { return Ok(()) };
        match how {
            Generalisation::ByClass => Ok(()),
            Generalisation::Year => f.write_str(":year"),
            Generalisation::Month => f.write_str(":month"),
            Generalisation::Town => f.write_str(":town"),
            Generalisation::Prefix(length) => write!(f, ":prefix:{length}"),
            Generalisation::Band(width) => write!(f, ":band:{width}"),
            Generalisation::Country => f.write_str(":country"),
            Generalisation::Area => f.write_str(":area"),
            Generalisation::Domain => f.write_str(":domain"),
            Generalisation::Initials => f.write_str(":initials"),
        }
    }
}

impl FromStr for Operator {
    type Err = UnknownOperator;

    fn from_str(text: &str) -> Result<Self, UnknownOperator> {
        let unknown = || UnknownOperator { operator: text.to_owned(), nearest: nearest(text, NAMES.iter().copied()) };
        let mut parts = text.split(':');
        let (name, how, size) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        if parts.next().is_some() || (how.is_some() && !matches!(name, "generalise" | "generalize")) {
            return Err(unknown());
        }
        let none = |how: Generalisation| if size.is_some() { Err(unknown()) } else { Ok(how) };
        Ok(match name {
            "redact" => Self::Redact,
            "mask" => Self::Mask,
            "hash" => Self::Hash,
            "tokenise" | "tokenize" => Self::Tokenise,
            "redact_spans" => Self::RedactSpans,
            "keep" => Self::Keep,
            "generalise" | "generalize" => Self::Generalise(match how {
                None => Generalisation::ByClass,
                Some("year") => none(Generalisation::Year)?,
                Some("month") => none(Generalisation::Month)?,
                Some("town") => none(Generalisation::Town)?,
                Some("country") => none(Generalisation::Country)?,
                Some("area") => none(Generalisation::Area)?,
                Some("domain") => none(Generalisation::Domain)?,
                Some("initials") => none(Generalisation::Initials)?,
                Some("prefix") => Generalisation::Prefix(size.unwrap_or("2").parse().map_err(|_| unknown())?),
                Some("band") => Generalisation::Band(
                    size.unwrap_or("10").parse().ok().filter(|width| *width > 0).ok_or_else(unknown)?,
                ),
                Some(_) => return Err(unknown()),
            }),
            _ => return Err(unknown()),
        })
    }
}

/// A name that no operator has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Unknown operator `{operator}`{}", nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default())]
pub struct UnknownOperator {
    /// What was given.
    pub operator: String,
    /// The nearest name that exists.
    pub nearest: Option<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_operators_lead_back() {
        for name in [
            "redact",
            "mask",
            "hash",
            "tokenise",
            "generalise",
            "redact_spans",
            "keep",
            "generalise:year",
            "generalise:prefix:3",
            "generalise:band:5",
        ] {
            assert_eq!(name.parse::<Operator>().map(|operator| operator.to_string()).as_deref(), Ok(name));
        }
        for name in ["redct", "generalise:yaer", "mask:2", "generalise:band:0", "generalise:year:2", ""] {
            assert!(name.parse::<Operator>().is_err(), "{name}");
        }
        let error = "redct".parse::<Operator>().unwrap_err();
        assert!(error.to_string().contains("did you mean `redact`"), "{error}");
    }
}
