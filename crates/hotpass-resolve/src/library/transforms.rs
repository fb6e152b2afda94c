//! Expressions over one record: a column, or SQL over columns, with transforms applied to it.

use std::fmt;

use super::expression_text::{self, Form};

/// The date format that Splink assumes: `2001-02-03`.
pub const DATE_FORMAT: &str = "%Y-%m-%d";
/// The timestamp format that Splink assumes: `2001-02-03T04:05:06Z`.
pub const TIMESTAMP_FORMAT: &str = "%Y-%m-%dT%H:%M:%SZ";

/// A column, or an SQL expression over columns of one record, and the transforms applied to it.
///
/// Text with a pair of parentheses or with `||` is an expression; all other text is a column's name, which needs no quotes
/// (`first name`), or a part of a column (`place['lat']`, `codes[1]`). Expressions are written as Splink writes them: functions and
/// keywords in capitals, `substr` as `SUBSTRING`, casts as `CAST(… AS …)`.
///
/// ```
/// use hotpass_resolve::library::{ColumnExpression, levels};
/// use hotpass_resolve::model::ComparisonLevel;
///
/// let initial = ColumnExpression::new("first name").lower().substr(1, 1);
/// let level = ComparisonLevel::from(levels::exact_match_level(initial));
/// assert_eq!(level.sql_condition, r#"SUBSTRING(LOWER("first name_l"), 1, 1) = SUBSTRING(LOWER("first name_r"), 1, 1)"#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnExpression {
    raw: String,
    transforms: Vec<Transform>,
}

/// Which element of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArrayElement {
    /// The first one.
    First,
    /// The last one.
    Last,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Transform {
    Lower,
    Substr { start: i64, length: u32 },
    CastToString,
    RegexExtract { pattern: String, group: u32 },
    NullIf(String),
    TryParse(String),
    Element(ArrayElement),
    Function { name: &'static str, count: Option<u32> },
}

impl ColumnExpression {
    /// Takes a column's name or an SQL expression over one record.
    pub fn new(sql: impl Into<String>) -> Self {
        Self { raw: sql.into(), transforms: Vec::new() }
    }

    /// Lower case.
    #[must_use]
    pub fn lower(self) -> Self {
        self.then(Transform::Lower)
    }

    /// The substring of `length` characters from position `start`, which counts from 1.
    #[must_use]
    pub fn substr(self, start: i64, length: u32) -> Self {
        self.then(Transform::Substr { start, length })
    }

    /// The value as text.
    #[must_use]
    pub fn cast_to_string(self) -> Self {
        self.then(Transform::CastToString)
    }

    /// What a regular expression finds: the whole for group 0, else that group; null if it finds nothing.
    #[must_use]
    pub fn regex_extract(self, pattern: impl Into<String>, group: u32) -> Self {
        self.then(Transform::RegexExtract { pattern: pattern.into(), group })
    }

    /// Null where the value is this text.
    #[must_use]
    pub fn nullif(self, value: impl Into<String>) -> Self {
        self.then(Transform::NullIf(value.into()))
    }

    /// The date that the text spells in a format like [`DATE_FORMAT`]; null if it spells none.
    #[must_use]
    pub fn try_parse_date(self, format: impl Into<String>) -> Self {
        self.then(Transform::TryParse(format.into()))
    }

    /// The timestamp that the text spells in a format like [`TIMESTAMP_FORMAT`]; null if it spells none.
    #[must_use]
    pub fn try_parse_timestamp(self, format: impl Into<String>) -> Self {
        self.then(Transform::TryParse(format.into()))
    }

    /// The first or the last element of an array.
    #[must_use]
    pub fn access_extreme_array_element(self, element: ArrayElement) -> Self {
        self.then(Transform::Element(element))
    }

    /// The Soundex code.
    #[must_use]
    pub fn soundex(self) -> Self {
        self.function("soundex")
    }

    /// The Metaphone code.
    #[must_use]
    pub fn metaphone(self) -> Self {
        self.function("metaphone")
    }

    /// The list of Double Metaphone codes.
    #[must_use]
    pub fn double_metaphone(self) -> Self {
        self.function("double_metaphone")
    }

    /// The NYSIIS code.
    #[must_use]
    pub fn nysiis(self) -> Self {
        self.function("nysiis")
    }

    /// The Cologne phonetic code.
    #[must_use]
    pub fn cologne_phonetic(self) -> Self {
        self.function("cologne_phonetic")
    }

    /// The list of Beider–Morse codes.
    #[cfg(feature = "beider-morse")]
    #[must_use]
    pub fn beider_morse(self) -> Self {
        self.function("beider_morse")
    }

    /// The list of full names that a given name stands for.
    #[must_use]
    pub fn nickname_group(self) -> Self {
        self.function("nickname_group")
    }

    /// An organisation's name without legal forms and filler words.
    #[must_use]
    pub fn organization_core(self) -> Self {
        self.function("organization_core")
    }

    /// The initials of an organisation's name.
    #[must_use]
    pub fn acronym(self) -> Self {
        self.function("acronym")
    }

    /// A postcode in capitals and digits alone.
    #[must_use]
    pub fn postcode_compact(self) -> Self {
        self.function("postcode_compact")
    }

    /// The first characters of a compact postcode.
    #[must_use]
    pub fn postcode_prefix(self, length: u32) -> Self {
        self.then(Transform::Function { name: "postcode_prefix", count: Some(length) })
    }

    /// The sector of a United Kingdom postcode.
    #[must_use]
    pub fn postcode_sector(self) -> Self {
        self.function("postcode_sector")
    }

    /// The district of a United Kingdom postcode.
    #[must_use]
    pub fn postcode_district(self) -> Self {
        self.function("postcode_district")
    }

    /// The area of a United Kingdom postcode.
    #[must_use]
    pub fn postcode_area(self) -> Self {
        self.function("postcode_area")
    }

    /// The digits of a telephone number.
    #[must_use]
    pub fn phone_digits(self) -> Self {
        self.function("phone_digits")
    }

    /// The last digits of a telephone number.
    #[must_use]
    pub fn phone_last_digits(self, length: u32) -> Self {
        self.then(Transform::Function { name: "phone_last_digits", count: Some(length) })
    }

    /// The domain of a web or e-mail address.
    #[must_use]
    pub fn web_domain(self) -> Self {
        self.function("web_domain")
    }

    /// The registered part of a web or e-mail domain.
    #[must_use]
    pub fn web_name(self) -> Self {
        self.function("web_name")
    }

    /// Gives the SQL over one record's columns.
    pub fn name(&self) -> String {
        self.text(Form::Plain)
    }

    /// Gives the SQL over the columns of the pair's left record, `column_l`.
    pub fn name_l(&self) -> String {
        self.text(Form::Suffix("_l"))
    }

    /// Gives the SQL over the columns of the pair's right record, `column_r`.
    pub fn name_r(&self) -> String {
        self.text(Form::Suffix("_r"))
    }

    /// Gives the SQL over the columns of a rule's left record, `l.column`.
    pub fn l_name(&self) -> String {
        self.text(Form::Table("l"))
    }

    /// Gives the SQL over the columns of a rule's right record, `r.column`.
    pub fn r_name(&self) -> String {
        self.text(Form::Table("r"))
    }

    /// Gives the text that the expression was made from.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Tells whether this is a column, or a part of one, without transforms.
    pub fn is_pure_column(&self) -> bool {
        self.transforms.is_empty() && !expression_text::is_expression(&self.raw)
    }

    /// Gives the name of a comparison of this expression: its text with `_` for all but ASCII letters, digits and `_`.
    pub fn output_column_name(&self) -> String {
        self.raw.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
    }

    /// Gives the name on charts.
    pub(super) fn label(&self) -> String {
        if self.transforms.is_empty() { self.raw.clone() } else { format!("transformed {}", self.raw) }
    }

    fn function(self, name: &'static str) -> Self {
        self.then(Transform::Function { name, count: None })
    }

    fn then(mut self, transform: Transform) -> Self {
        self.transforms.push(transform);
        self
    }

    fn text(&self, form: Form) -> String {
        self.transforms.iter().fold(expression_text::write(&self.raw, form), |inner, transform| transform.write(&inner))
    }
}

impl Transform {
    fn write(&self, inner: &str) -> String {
        match self {
            Self::Lower => format!("LOWER({inner})"),
            Self::Substr { start, length } => format!("SUBSTRING({inner}, {start}, {length})"),
            Self::CastToString => format!("CAST({inner} AS TEXT)"),
            Self::RegexExtract { pattern, group } => {
                format!("NULLIF(regexp_extract({inner}, {}, {group}), '')", quoted(pattern))
            }
            Self::NullIf(value) => format!("NULLIF({inner}, {})", quoted(value)),
            Self::TryParse(format) => format!("try_strptime({inner}, {})", quoted(format)),
            Self::Element(ArrayElement::First) => format!("{inner}[1]"),
            Self::Element(ArrayElement::Last) => format!("{inner}[-1]"),
            Self::Function { name, count: None } => format!("{name}({inner})"),
            Self::Function { name, count: Some(count) } => format!("{name}({inner}, {count})"),
        }
    }
}

impl From<&str> for ColumnExpression {
    fn from(sql: &str) -> Self {
        Self::new(sql)
    }
}

impl From<String> for ColumnExpression {
    fn from(sql: String) -> Self {
        Self::new(sql)
    }
}

impl From<&ColumnExpression> for ColumnExpression {
    fn from(expression: &ColumnExpression) -> Self {
        expression.clone()
    }
}

impl fmt::Display for ColumnExpression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name())
    }
}

/// Writes an SQL text literal.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
