//! A contract proposed from data that has none.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;

use super::check::CheckedColumn;
use super::error::CheckError;
use super::keys::{DigestSet, Digester};
use super::model::{Contract, Field, Limit, LogicalType};
use super::value::{FieldReader, Native, Texts, is_email, is_phone, is_uuid};

/// Distinct values that are kept to propose an enumeration; a column with more gets none.
const KEPT_VALUES: usize = 24;
/// Distinct values that an enumeration has at most.
const LARGEST_ENUMERATION: usize = 12;
/// Rows in which a value must occur to be named in an enumeration, so that no single person's value is.
const OCCURRENCES: u64 = 3;
/// Longest value of an enumeration, in characters.
const LONGEST_VALUE: usize = 40;
/// Rows from which distinct values are taken for a rule rather than chance.
const ROWS_OF_A_RULE: u64 = 5;
/// Distinct values that are followed to tell uniqueness; past it a column is not proposed as unique.
const FOLLOWED_KEYS: usize = 5_000_000;

/// Types in the order in which they are preferred; the forms of dates as they are written most.
const CANDIDATES: &[(LogicalType, Option<&str>)] = &[
    (LogicalType::Integer, None),
    (LogicalType::Number, None),
    (LogicalType::Boolean, None),
    (LogicalType::Date, None),
    (LogicalType::Date, Some("%d/%m/%Y")),
    (LogicalType::Date, Some("%m/%d/%Y")),
    (LogicalType::Date, Some("%Y/%m/%d")),
    (LogicalType::Date, Some("%d-%m-%Y")),
    (LogicalType::Date, Some("%d.%m.%Y")),
    (LogicalType::Date, Some("%d %B %Y")),
    (LogicalType::Timestamp, None),
    (LogicalType::Timestamp, Some("%Y-%m-%d %H:%M")),
    (LogicalType::Time, None),
    (LogicalType::Text, Some("uuid")),
    (LogicalType::Text, Some("email")),
    (LogicalType::Text, Some("uri")),
    (LogicalType::Text, Some("phone")),
];

/// Words in a header that make a column personal: its values are named nowhere.
const PERSONAL_WORDS: &[&str] = &[
    "name",
    "firstname",
    "surname",
    "lastname",
    "person",
    "contact",
    "contacts",
    "email",
    "mail",
    "phone",
    "tel",
    "telephone",
    "cell",
    "cellnumber",
    "cellphone",
    "mobile",
    "landline",
    "whatsapp",
    "fax",
    "address",
    "street",
    "birth",
    "dob",
    "age",
    "gender",
    "sex",
    "race",
    "passport",
    "identity",
    "ssn",
    "idnumber",
    "salary",
    "account",
    "iban",
    "bank",
    "card",
    "ip",
    "latitude",
    "longitude",
    "notes",
    "note",
    "comment",
    "comments",
    "remarks",
    "description",
    "user",
    "username",
    "owner",
    "manager",
    "representative",
    "agent",
    "patient",
    "employee",
    "member",
    "customer",
    "client",
    "matron",
    "nurse",
    "doctor",
    "principal",
    "headmaster",
    "headmistress",
    "teacher",
    "learner",
    "student",
    "pupil",
    "child",
    "parent",
    "guardian",
    "mother",
    "father",
    "spouse",
    "director",
    "secretary",
    "treasurer",
    "chair",
    "chairman",
    "chairperson",
    "officer",
    "coordinator",
    "supervisor",
    "signatory",
    "author",
];

/// Of those, the words that make dates personal: a day says something of a person only where the header speaks of one.
const PERSONAL_DATES: &[&str] = &[
    "birth", "dob", "person", "patient", "employee", "member", "customer", "client", "passport", "identity", "learner",
    "student", "pupil", "child",
];

/// Values that are labels whatever the header says.
const LABELS: &[&str] = &[
    "yes",
    "no",
    "true",
    "false",
    "unknown",
    "other",
    "none",
    "new",
    "open",
    "closed",
    "active",
    "inactive",
    "pending",
    "done",
    "draft",
    "final",
    "approved",
    "rejected",
    "cancelled",
    "completed",
    "paid",
    "unpaid",
    "valid",
    "invalid",
    "low",
    "medium",
    "high",
    "small",
    "large",
    "public",
    "private",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// Words in a header that say a column holds labels, so that two capitalised words are no person.
const LABEL_WORDS: &[&str] = &[
    "status", "type", "category", "class", "kind", "province", "region", "state", "country", "priority", "stage",
    "level", "group", "segment", "sector", "industry", "currency", "unit", "language", "season", "colour", "color",
    "month", "weekday", "grade", "strat", "strategy", "source", "channel", "active", "checked", "invalid",
];

/// Words in a header that say a column names its rows.
const KEY_WORDS: &[&str] = &["id", "key", "code", "number", "no", "nr", "ref", "reference", "uuid", "slug", "sku"];

/// Collects what the columns of a table have in common, batch by batch, and proposes a contract.
///
/// No value of a row is written into the contract unless it is a label: one of at most 12 that each occur in three rows or more, in a
/// column that does not look personal. Limits are rounded outwards. Memory: a digest of 16 bytes a row and column for the
/// first five million, then no uniqueness is proposed.
#[derive(Debug)]
pub struct Inference {
    columns: Vec<ColumnFacts>,
    rows: u64,
}

#[derive(Debug)]
struct ColumnFacts {
    name: String,
    readers: Vec<Option<FieldReader>>,
    native: Native,
    present: u64,
    distinct: Option<DigestSet>,
    repeats: bool,
    values: Option<BTreeMap<String, u64>>,
    lowest: Option<String>,
    highest: Option<String>,
    shape: Shape,
    longest: usize,
    name_like: bool,
}

/// The common shape of texts: runs of letters and digits, other characters as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Unseen,
    Runs(Vec<Run>),
    Mixed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    kind: char,
    least: usize,
    most: usize,
}

impl Inference {
    /// Starts for a table with these columns.
    pub fn new(columns: &[CheckedColumn]) -> Self {
        let columns = columns
            .iter()
            .enumerate()
            .map(|(position, column)| {
                let name = column.names.iter().find(|name| !name.trim().is_empty());
                let native = Native::of(&column.data_type);
                ColumnFacts {
                    name: name.cloned().unwrap_or_else(|| format!("column_{}", position + 1)),
                    readers: CANDIDATES
                        .iter()
                        .map(|candidate| {
                            let reader = reader(*candidate, native)?;
                            Some(if column.dated { reader.for_dates() } else { reader })
                        })
                        .collect(),
                    native,
                    present: 0,
                    distinct: Some(DigestSet::default()),
                    repeats: false,
                    values: Some(BTreeMap::new()),
                    lowest: None,
                    highest: None,
                    shape: Shape::Unseen,
                    longest: 0,
                    name_like: false,
                }
            })
            .collect();
        Self { columns, rows: 0 }
    }

    /// Adds the rows of a batch; a leading column `__row` is passed over.
    ///
    /// # Errors
    ///
    /// Returns an error when the batch has not the columns of the table, or one cannot be read as text.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<(), CheckError> {
        let offset = batch.num_columns().saturating_sub(self.columns.len());
        if offset > 1 || batch.num_columns() < self.columns.len() {
            return Err(CheckError::Columns { expected: self.columns.len(), found: batch.num_columns() });
        }
        for (facts, array) in self.columns.iter_mut().zip(&batch.columns()[offset..]) {
            let texts =
                Texts::new(array).map_err(|source| CheckError::Column { column: facts.name.clone(), source })?;
            for row in 0..batch.num_rows() {
                if let Some(value) = texts.value(row).filter(|value| !value.is_empty()) {
                    facts.add(value);
                }
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Proposes the contract of the rows so far.
    pub fn finish(self, name: impl Into<String>) -> Contract {
        let rows = self.rows;
        let mut contract = Contract { version: "0.1.0".to_owned(), ..Contract::new(name) };
        contract.fields = self.columns.iter().map(|facts| facts.field(rows)).collect();
        let mut names = std::collections::HashSet::new();
        for field in &mut contract.fields {
            let own = field.name.clone();
            let mut number = 2;
            while !names.insert(field.name.clone()) {
                field.name = format!("{own} ({number})");
                number += 1;
            }
        }
        let key =
            contract.fields.iter().find(|field| field.unique && !field.nullable && has_word(&field.name, KEY_WORDS));
        contract.primary_key = key.map(|field| field.name.clone()).into_iter().collect();
        contract
    }
}

fn reader((logical_type, format): (LogicalType, Option<&str>), native: Native) -> Option<FieldReader> {
    let fits = match native {
        Native::Text => true,
        Native::Boolean => logical_type == LogicalType::Boolean,
        Native::Number => logical_type.is_numeric(),
        Native::Moment => format.is_none() && logical_type.is_ordered() && !logical_type.is_numeric(),
        Native::Other => false,
    };
    let field = Field { format: format.map(str::to_owned), ..Field::new("column", logical_type) };
    FieldReader::new(&field, &[]).ok().filter(|_| fits)
}

impl ColumnFacts {
    fn add(&mut self, value: &str) {
        self.present += 1;
        let mut scratch = Vec::new();
        for (reader, candidate) in self.readers.iter_mut().zip(CANDIDATES) {
            if reader
                .as_ref()
                .is_some_and(|reader| !suits(*candidate, value, self.native) || !reader.key(value, &mut scratch))
            {
                *reader = None;
            }
        }
        if let Some(distinct) = &mut self.distinct {
            let mut digester = Digester::new();
            digester.add(Some(value.as_bytes()));
            self.repeats |= !distinct.insert(digester.finish());
            // A value that came again settles it, and an enumeration keeps its own count.
            if self.repeats || distinct.len() > FOLLOWED_KEYS {
                self.repeats = true;
                self.distinct = None;
            }
        }
        if let Some(values) = &mut self.values {
            if let Some(count) = values.get_mut(value) {
                *count += 1;
            } else if values.len() == KEPT_VALUES {
                self.values = None;
            } else {
                values.insert(value.to_owned(), 1);
                self.name_like |= looks_like_a_name(value);
            }
        }
        self.longest = self.longest.max(value.chars().count());
        self.shape.add(value);
        if let Some(reader) = self.readers.iter().flatten().next() {
            let replaces = |kept: &Option<String>, wanted: Ordering| {
                kept.as_ref().is_none_or(|kept| reader.compare(value, reader, kept) == Some(wanted))
            };
            let (low, high) = (replaces(&self.lowest, Ordering::Less), replaces(&self.highest, Ordering::Greater));
            if low {
                self.lowest = Some(value.to_owned());
            }
            if high {
                self.highest = Some(value.to_owned());
            }
        }
    }

    fn field(&self, rows: u64) -> Field {
        let (mut logical_type, mut format) = match self.readers.iter().position(Option::is_some) {
            Some(position) if self.present > 0 => (CANDIDATES[position].0, CANDIDATES[position].1.map(str::to_owned)),
            _ => (LogicalType::Text, None),
        };
        let phone_header = has_word(
            &self.name,
            &["phone", "tel", "telephone", "cell", "cellnumber", "cellphone", "mobile", "landline", "whatsapp", "fax"],
        );
        if phone_header && logical_type == LogicalType::Integer && self.native == Native::Text {
            logical_type = LogicalType::Text;
            format = self.readers.last().and_then(Option::as_ref).map(|_| "phone".to_owned());
        }
        if self.native == Native::Other {
            logical_type = LogicalType::Any;
        }
        let dated = matches!(logical_type, LogicalType::Date | LogicalType::Timestamp | LogicalType::Time);
        let words = if dated { PERSONAL_DATES } else { PERSONAL_WORDS };
        let personal = has_word(&self.name, words) || matches!(format.as_deref(), Some("email" | "phone"));
        let unique =
            rows >= ROWS_OF_A_RULE && self.present == rows && !self.repeats && logical_type != LogicalType::Boolean;
        let mut field = Field {
            format,
            nullable: self.present < rows || rows == 0,
            unique,
            classification: personal.then(|| "pii".to_owned()),
            ..Field::new(&self.name, logical_type)
        };
        if logical_type == LogicalType::Text && field.format.is_none() && !personal {
            if let Some(labels) = self.labels() {
                field.enumeration = labels;
            } else if self.present >= ROWS_OF_A_RULE {
                field.pattern = self.shape.pattern();
            }
        }
        if logical_type.is_ordered() && !personal && !unique && self.present >= ROWS_OF_A_RULE {
            self.limits(&mut field);
        }
        field
    }

    /// Returns the labels of the column, when it holds labels and names no person.
    fn labels(&self) -> Option<Vec<String>> {
        let values = self.values.as_ref()?;
        let few = (1..=LARGEST_ENUMERATION).contains(&values.len()) && self.longest <= LONGEST_VALUE;
        let often = values.values().all(|count| *count >= OCCURRENCES);
        let labelled = has_word(&self.name, LABEL_WORDS);
        let names = self.name_like && !labelled;
        let contacts = values.keys().any(|value| is_email(value) || is_phone(value) || is_uuid(value));
        (few && often && !names && !contacts).then(|| values.keys().cloned().collect())
    }

    fn limits(&self, field: &mut Field) {
        let (Some(lowest), Some(highest)) = (&self.lowest, &self.highest) else { return };
        if field.logical_type.is_numeric() {
            let number =
                |text: &str| text.trim().replace('_', "").parse::<f64>().ok().filter(|number| number.is_finite());
            let (Some(low), Some(high)) = (number(lowest), number(highest)) else { return };
            field.minimum = Some(Limit::inclusive(plain(if low >= 0.0 { 0.0 } else { -round_up(-low) })));
            field.maximum = (high > 0.0).then(|| Limit::inclusive(plain(round_up(high))));
        }
    }
}

/// Keeps what a type would take by its letters alone from what its values mean.
fn suits((logical_type, format): (LogicalType, Option<&str>), value: &str, native: Native) -> bool {
    match (logical_type, format) {
        (LogicalType::Integer | LogicalType::Number, _) if native == Native::Text => {
            // Leading zeros and plus signs are those of codes and telephone numbers.
            let digits = value.trim().trim_start_matches('-');
            let coded = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
            !coded
                && !digits.starts_with('+')
                && digits.bytes().any(|byte| byte.is_ascii_digit())
                && !value.contains('_')
        }
        (LogicalType::Text, Some("uri")) => value.contains("://"),
        _ => true,
    }
}

/// Words of letters of which one is written with a capital and small letters, as names of persons and places are: `Nkosi`, `van Wyk`,
/// `O'Brien`. Words that are known as labels are none, nor are codes in capitals.
fn looks_like_a_name(value: &str) -> bool {
    let letters = value.chars().all(|c| c.is_alphabetic() || c.is_whitespace() || matches!(c, '-' | '\'' | '’' | '.'));
    let capital = |word: &str| {
        let mut characters = word.chars();
        characters.next().is_some_and(char::is_uppercase) && characters.any(char::is_lowercase)
    };
    letters && value.split_whitespace().any(capital) && !LABELS.contains(&value.trim().to_lowercase().as_str())
}

/// Returns whether a header has one of the words; `FirstName` has `first` and `name`, and `firstname`.
fn has_word(header: &str, words: &[&str]) -> bool {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut previous_lower = false;
    for c in header.chars().chain([' ']) {
        let starts = c.is_uppercase() && previous_lower;
        if !c.is_alphanumeric() || starts {
            found.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        previous_lower = c.is_lowercase();
    }
    let whole: String = header.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    found.iter().any(|word| words.contains(&word.as_str())) || words.contains(&whole.as_str())
}

/// Returns the next of 1, 2, 5, 10, 20, 50, … that is not below the number.
fn round_up(number: f64) -> f64 {
    if number <= 0.0 {
        return 0.0;
    }
    let power = 10f64.powf(number.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= number).unwrap_or(number)
}

fn plain(number: f64) -> String {
    // Rounded decimals are written without the noise of their binary form.
    let text = format!("{number:.12}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

impl Shape {
    fn add(&mut self, value: &str) {
        if matches!(self, Self::Mixed) {
            return;
        }
        let runs = runs_of(value);
        *self = match (std::mem::replace(self, Self::Mixed), runs) {
            (_, None) | (Self::Mixed, _) => Self::Mixed,
            (Self::Unseen, Some(runs)) => Self::Runs(runs),
            (Self::Runs(mut seen), Some(runs)) => {
                if seen.len() == runs.len() && seen.iter().zip(&runs).all(|(a, b)| a.kind == b.kind) {
                    for (seen, run) in seen.iter_mut().zip(&runs) {
                        seen.least = seen.least.min(run.least);
                        seen.most = seen.most.max(run.most);
                    }
                    Self::Runs(seen)
                } else {
                    Self::Mixed
                }
            }
        };
    }

    /// Returns the pattern of codes: a shape with digits, of few runs. Words are no codes.
    fn pattern(&self) -> Option<String> {
        let Self::Runs(runs) = self else { return None };
        let digits = runs.iter().any(|run| run.kind == '9');
        let words = runs.iter().any(|run| run.kind == ' ');
        if !digits || words || runs.len() > 9 {
            return None;
        }
        Some(runs.iter().map(Run::pattern).collect())
    }
}

impl Run {
    fn pattern(&self) -> String {
        let class = match self.kind {
            '9' => "[0-9]".to_owned(),
            'X' => "[A-Z]".to_owned(),
            'x' => "[a-z]".to_owned(),
            other => regex::escape(&other.to_string()),
        };
        match (self.least, self.most) {
            (1, 1) => class,
            (least, most) if least == most => format!("{class}{{{least}}}"),
            // Lengths that differ are those of these rows only.
            _ => format!("{class}+"),
        }
    }
}

fn runs_of(value: &str) -> Option<Vec<Run>> {
    let mut runs: Vec<Run> = Vec::new();
    for c in value.chars() {
        let kind = match c {
            '0'..='9' => '9',
            'A'..='Z' => 'X',
            'a'..='z' => 'x',
            c if c.is_ascii() && !c.is_ascii_control() => c,
            _ => return None,
        };
        match runs.last_mut() {
            Some(run) if run.kind == kind => {
                run.least += 1;
                run.most += 1;
            }
            _ => runs.push(Run { kind, least: 1, most: 1 }),
        }
        if runs.len() > 12 {
            return None;
        }
    }
    (!runs.is_empty()).then_some(runs)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::super::{CheckOptions, ContractCheck};
    use super::*;

    fn infer(columns: &[(&str, Vec<Option<String>>)]) -> Contract {
        let arrays = columns.iter().map(|(name, values)| {
            let array: ArrayRef = Arc::new(StringArray::from(values.clone()));
            (*name, array)
        });
        let batch = RecordBatch::try_from_iter(arrays).expect("columns of one length");
        let named: Vec<CheckedColumn> = columns.iter().map(|(name, _)| CheckedColumn::text([*name])).collect();
        let mut inference = Inference::new(&named);
        inference.add(&batch).expect("read");
        let contract = inference.finish("inferred");
        let mut check = ContractCheck::of_schema(&contract, &batch.schema(), &CheckOptions::default()).expect("kept");
        check.add(&batch).expect("checked");
        let result = check.finish();
        assert!(result.passed, "data keeps the contract that was proposed for it: {:?}", result.counts);
        contract
    }

    fn column(of: impl Fn(usize) -> String) -> Vec<Option<String>> {
        (0..20).map(|row| Some(of(row))).collect()
    }

    #[test]
    fn types_forms_and_keys_are_recognised() {
        let contract = infer(&[
            ("id", column(|row| (row + 1).to_string())),
            ("amount", column(|row| format!("{}.5", row % 7))),
            ("Open", column(|row| if row % 2 == 0 { "true" } else { "false" }.to_owned())),
            ("when", column(|row| format!("{}/01/2024", row + 5))),
            ("mail", column(|row| format!("desk{row}@a.example"))),
            ("Cellnumber", column(|row| format!("2782555{row:04}"))),
            ("site", column(|row| format!("https://a.example/{row}"))),
            ("code", column(|row| format!("ZA-{:04}", row * 7))),
            ("postal", column(|row| format!("00{:02}", row % 10))),
        ]);
        let field = |name: &str| contract.field(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(
            (field("id").logical_type, field("id").unique, field("id").nullable),
            (LogicalType::Integer, true, false)
        );
        assert_eq!(contract.primary_key, ["id"]);
        assert_eq!(field("amount").logical_type, LogicalType::Number);
        assert_eq!(field("amount").maximum, Some(Limit::inclusive("10")));
        assert_eq!(field("amount").minimum, Some(Limit::inclusive("0")));
        assert_eq!(field("Open").logical_type, LogicalType::Boolean);
        assert_eq!(
            (field("when").logical_type, field("when").format.as_deref()),
            (LogicalType::Date, Some("%d/%m/%Y"))
        );
        assert_eq!(field("mail").format.as_deref(), Some("email"));
        assert_eq!(
            (field("Cellnumber").logical_type, field("Cellnumber").format.as_deref()),
            (LogicalType::Text, Some("phone"))
        );
        assert_eq!(field("site").format.as_deref(), Some("uri"));
        assert_eq!(field("code").pattern.as_deref(), Some(r"[A-Z]{2}\-[0-9]{4}"));
        assert_eq!(
            (field("postal").logical_type, field("postal").pattern.as_deref()),
            (LogicalType::Text, Some("[0-9]{4}"))
        );
    }

    #[test]
    fn labels_are_named_and_persons_are_not() {
        let of = |values: &'static [&'static str]| column(move |row| values[row % values.len()].to_owned());
        let contract = infer(&[
            ("Status", of(&["Active", "Dormant"])),
            ("Province", of(&["Western Cape", "Eastern Cape", "Free State"])),
            ("Contact person", of(&["Ann Example", "Bob Sample"])),
            ("Who", of(&["Ann Example", "Bob Sample"])),
            ("desk", of(&["a@b.example", "c"])),
            ("Matron", of(&["Jones", "Nkosi", "van Wyk"])),
            ("Seen by", of(&["Jones", "Nkosi", "van Wyk"])),
            ("Answer", of(&["Yes", "No", "Pending"])),
            ("Size", of(&["S", "M", "XL"])),
            ("rare", column(|row| if row == 3 { "odd" } else { "even" }.to_owned())),
        ]);
        let labels = |name: &str| contract.field(name).map(|field| field.enumeration.clone()).unwrap_or_default();
        assert_eq!(labels("Status"), ["Active", "Dormant"]);
        assert_eq!(labels("Province"), ["Eastern Cape", "Free State", "Western Cape"]);
        assert_eq!(labels("Answer"), ["No", "Pending", "Yes"]);
        assert_eq!(labels("Size"), ["M", "S", "XL"]);
        for name in ["Contact person", "Who", "desk", "rare", "Matron", "Seen by"] {
            assert_eq!(labels(name), Vec::<String>::new(), "{name}");
        }
        let text =
            super::super::formats::write(&contract, super::super::formats::Format::Hotpass).expect("written").text;
        for value in ["Ann", "Sample", "a@b", "odd", "Jones", "Nkosi", "Wyk"] {
            assert!(!text.contains(value), "{value} is in the contract");
        }
        assert_eq!(contract.field("Contact person").and_then(|field| field.classification.as_deref()), Some("pii"));
    }

    #[test]
    fn a_date_is_personal_where_its_header_speaks_of_a_person() {
        let day = || column(|row| format!("2024-01-{:02}", row + 1));
        let contract = infer(&[("Race day", day()), ("Date of birth", day()), ("Race", column(|_| "x".to_owned()))]);
        let classes: Vec<Option<&str>> = contract.fields.iter().map(|field| field.classification.as_deref()).collect();
        assert_eq!(classes, [None, Some("pii"), Some("pii")]);
    }

    #[test]
    fn cells_that_are_dates_stay_dates_at_midnight() {
        let of = |values: &[&str]| {
            let array: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
            let batch = RecordBatch::try_from_iter([("when", array)]).expect("a column");
            let mut inference = Inference::new(&[CheckedColumn::text(["when"]).dated(true)]);
            inference.add(&batch).expect("read");
            inference.finish("dated").fields[0].logical_type
        };
        assert_eq!(of(&["2024-01-02", "2024-01-03T10:00:00"]), LogicalType::Timestamp);
        assert_eq!(of(&["2024-01-02", "2024-01-03"]), LogicalType::Date);
    }

    #[test]
    fn empty_and_typed_columns_are_taken_as_they_are() {
        let contract = infer(&[("nothing", vec![None; 3])]);
        assert!(contract.fields[0].nullable && contract.fields[0].logical_type == LogicalType::Text);
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 0]));
        let batch = RecordBatch::try_from_iter([("flag", numbers)]).expect("a column");
        let data_type = arrow::datatypes::DataType::Int64;
        let columns = [CheckedColumn { names: vec!["flag".into()], data_type, dated: false }];
        let mut inference = Inference::new(&columns);
        inference.add(&batch).expect("read");
        assert_eq!(inference.finish("x").fields[0].logical_type, LogicalType::Integer);
    }
}
