//! What a new version of a contract breaks, for those who read the data and for those who write it.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::check::SUGGESTED_FROM;
use super::model::{Contract, Field, Limit, LogicalType};
use super::value::FieldReader;

/// A difference between two versions of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Column it is about; absent when it is about the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What has changed, for people.
    pub change: String,
    /// Whether data that keeps the new version may surprise those who relied on the old one.
    pub breaks_readers: bool,
    /// Whether data that kept the old version may fail the new one.
    pub breaks_writers: bool,
    /// Why, for people.
    pub reason: String,
}

impl Change {
    /// Returns whether it breaks readers or writers.
    pub fn is_breaking(&self) -> bool {
        self.breaks_readers || self.breaks_writers
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "Column `{column}`: {}", self.change),
            None => f.write_str(&self.change),
        }
    }
}

/// The differences between two versions of a contract.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// The differences: the table first, then the columns in the order of the new version, then those that went.
    pub changes: Vec<Change>,
    /// Version that the new contract should have, by the rules of semantic versioning; absent when its own will do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggested_version: Option<String>,
}

impl Diff {
    /// Returns whether a difference breaks readers or writers.
    pub fn is_breaking(&self) -> bool {
        self.changes.iter().any(Change::is_breaking)
    }
}

/// Whom a change breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Nobody.
    None,
    /// Writers: the new version takes less.
    Narrower,
    /// Readers: the new version takes more.
    Wider,
    /// Both: the new version takes something else.
    Other,
}

impl Effect {
    const fn reason(self) -> &'static str {
        match self {
            Self::None => "no data is judged otherwise",
            Self::Narrower => "data that kept the old version may fail the new one",
            Self::Wider => "data that keeps the new version may hold what the old one excluded",
            Self::Other => "each version takes data that the other refuses",
        }
    }
}

#[derive(Debug, Default)]
struct Changes {
    list: Vec<Change>,
    documentation_only: bool,
}

impl Changes {
    fn add(&mut self, column: Option<&str>, effect: Effect, change: impl Into<String>) {
        self.with_reason(column, effect, change, effect.reason());
    }

    fn with_reason(&mut self, column: Option<&str>, effect: Effect, change: impl Into<String>, reason: &str) {
        self.documentation_only = false;
        self.push(column, effect, change.into(), reason);
    }

    fn words(&mut self, column: Option<&str>, change: impl Into<String>) {
        self.push(column, Effect::None, change.into(), "words for people judge no data");
    }

    fn push(&mut self, column: Option<&str>, effect: Effect, change: String, reason: &str) {
        self.list.push(Change {
            column: column.map(str::to_owned),
            change,
            breaks_readers: matches!(effect, Effect::Wider | Effect::Other),
            breaks_writers: matches!(effect, Effect::Narrower | Effect::Other),
            reason: reason.to_owned(),
        });
    }
}

/// Compares two versions of a contract.
pub fn diff(old: &Contract, new: &Contract) -> Diff {
    let mut changes = Changes { documentation_only: true, ..Changes::default() };
    table(old, new, &mut changes);
    keys(old, new, &mut changes);
    let by_name = |contract: &'_ Contract| -> HashMap<String, usize> {
        contract.fields.iter().enumerate().rev().map(|(position, field)| (field.name.clone(), position)).collect()
    };
    let (of_old, of_new) = (by_name(old), by_name(new));
    let gone: Vec<&Field> = old.fields.iter().filter(|field| !of_new.contains_key(&field.name)).collect();
    let candidates: Vec<&str> = gone.iter().take(SUGGESTED_FROM).map(|field| field.name.as_str()).collect();
    for field in &new.fields {
        match of_old.get(&field.name).map(|position| &old.fields[*position]) {
            Some(before) => column(old, new, before, field, &mut changes),
            None => added(old, new, field, &candidates, &mut changes),
        }
    }
    for field in gone {
        removed(old, new, field, &mut changes);
    }
    let suggested_version = suggested_version(old, new, &changes);
    Diff { changes: changes.list, suggested_version }
}

fn table(old: &Contract, new: &Contract, changes: &mut Changes) {
    if old.name != new.name {
        changes.with_reason(
            None,
            Effect::Other,
            format!("The dataset is called `{}`, was `{}`", new.name, old.name),
            "readers and other contracts find it by its name",
        );
    }
    match (old.extra_columns, new.extra_columns) {
        (true, false) => changes.add(None, Effect::Narrower, "Further columns are no longer allowed"),
        (false, true) => changes.with_reason(
            None,
            Effect::None,
            "Further columns are allowed",
            "readers that take columns by name do not see them",
        ),
        _ => {}
    }
    match (old.ordered, new.ordered) {
        (false, true) => changes.add(None, Effect::Narrower, "The order of the columns is asked for"),
        (true, false) => changes.add(None, Effect::Wider, "The order of the columns is free"),
        _ => {}
    }
    if old.ordered && new.ordered {
        let common = |contract: &Contract, other: &Contract| -> Vec<String> {
            contract.fields.iter().map(|field| field.name.clone()).filter(|name| other.field(name).is_some()).collect()
        };
        if common(old, new) != common(new, old) {
            changes.add(None, Effect::Other, "The columns come in another order");
        }
    }
    if old.missing_values != new.missing_values {
        changes.add(None, Effect::Other, "Other words mean no value");
    }
    let minimum = |a: Option<u64>, b: Option<u64>| (a.unwrap_or(0), b.unwrap_or(0));
    let (before, after) = minimum(old.rows.min, new.rows.min);
    bound(before.cmp(&after), None, &format!("At least {after} rows, before {before}"), changes);
    let maximum = |rows: Option<u64>| rows.unwrap_or(u64::MAX);
    let show = |rows: Option<u64>| rows.map_or_else(|| "any number of rows".to_owned(), |rows| format!("{rows} rows"));
    bound(
        maximum(new.rows.max).cmp(&maximum(old.rows.max)),
        None,
        &format!("At most {}, before {}", show(new.rows.max), show(old.rows.max)),
        changes,
    );
    match (&old.freshness, &new.freshness) {
        (None, Some(freshness)) => {
            changes.add(None, Effect::Narrower, format!("The newest row may be {} days old", freshness.max_age_days));
        }
        (Some(_), None) => changes.add(None, Effect::Wider, "The newest row may be of any age"),
        (Some(before), Some(after)) if before.column != after.column => {
            changes.add(None, Effect::Other, format!("The age is told by `{}`, was `{}`", after.column, before.column));
        }
        (Some(before), Some(after)) => bound(
            after.max_age_days.cmp(&before.max_age_days),
            None,
            &format!("The newest row may be {} days old, was {}", after.max_age_days, before.max_age_days),
            changes,
        ),
        (None, None) => {}
    }
    for (what, before, after) in [
        ("title", &old.title, &new.title),
        ("description", &old.description, &new.description),
        ("owner", &old.owner, &new.owner),
    ] {
        if before != after {
            changes.words(None, format!("Another {what}"));
        }
    }
}

/// Adds a change of a bound that is narrower when it is less.
fn bound(ordering: Ordering, column: Option<&str>, change: &str, changes: &mut Changes) {
    match ordering {
        Ordering::Less => changes.add(column, Effect::Narrower, change),
        Ordering::Greater => changes.add(column, Effect::Wider, change),
        Ordering::Equal => {}
    }
}

fn keys(old: &Contract, new: &Contract, changes: &mut Changes) {
    let list = |names: &[String]| format!("`{}`", names.join("`, `"));
    match (old.primary_key.as_slice(), new.primary_key.as_slice()) {
        (before, after) if before == after => {}
        ([], after) => changes.add(None, Effect::Narrower, format!("The primary key is {}", list(after))),
        (_, []) => changes.add(None, Effect::Wider, "There is no primary key"),
        (before, after) => {
            let (from, to): (BTreeSet<&String>, BTreeSet<&String>) = (before.iter().collect(), after.iter().collect());
            // More columns make more rows distinct.
            let effect = if from == to {
                Effect::None
            } else if from.is_subset(&to) {
                Effect::Wider
            } else if to.is_subset(&from) {
                Effect::Narrower
            } else {
                Effect::Other
            };
            changes.add(None, effect, format!("The primary key is {}, was {}", list(after), list(before)));
        }
    }
    for key in new.unique_keys.iter().filter(|key| !old.unique_keys.contains(key)) {
        changes.add(None, Effect::Narrower, format!("{} together occur once", list(key)));
    }
    for key in old.unique_keys.iter().filter(|key| !new.unique_keys.contains(key)) {
        changes.add(None, Effect::Wider, format!("{} together may occur again", list(key)));
    }
    for key in new.foreign_keys.iter().filter(|key| !old.foreign_keys.contains(key)) {
        let target = key.reference.name().unwrap_or(&new.name);
        changes.add(None, Effect::Narrower, format!("{} must occur in `{target}`", list(&key.fields)));
    }
    for key in old.foreign_keys.iter().filter(|key| !new.foreign_keys.contains(key)) {
        let target = key.reference.name().unwrap_or(&old.name);
        changes.add(None, Effect::Wider, format!("{} need not occur in `{target}`", list(&key.fields)));
    }
}

fn added(old: &Contract, new: &Contract, field: &Field, gone: &[&str], changes: &mut Changes) {
    let name = Some(field.name.as_str());
    let renamed = hotpass_core::nearest(&field.name, gone.iter().copied())
        .map(|near| format!(", perhaps `{near}` renamed"))
        .unwrap_or_default();
    if new.requires(field) {
        changes.with_reason(
            name,
            Effect::Narrower,
            format!("is new and must be there{renamed}"),
            "data that kept the old version may lack it",
        );
    } else if old.extra_columns && (field.logical_type != LogicalType::Any || !field.nullable) {
        changes.with_reason(
            name,
            Effect::None,
            format!("is new and may be there{renamed}"),
            "data without it keeps both versions; a further column that was there by this name is now checked",
        );
    } else {
        changes.with_reason(
            name,
            Effect::None,
            format!("is new and may be there{renamed}"),
            "data without it keeps both versions",
        );
    }
}

fn removed(old: &Contract, new: &Contract, field: &Field, changes: &mut Changes) {
    let effect = match (old.requires(field), new.extra_columns) {
        (true, true) => Effect::Wider,
        (true, false) => Effect::Other,
        (false, true) => Effect::None,
        (false, false) => Effect::Narrower,
    };
    let reason = match effect {
        Effect::Wider => "readers relied on it, and data may lack it now",
        Effect::Other => "readers relied on it, and data that still has it fails",
        Effect::Narrower => "data that still has it fails",
        Effect::None => "readers could not rely on it",
    };
    changes.with_reason(Some(&field.name), effect, "is gone", reason);
}

fn column(old: &Contract, new: &Contract, before: &Field, after: &Field, changes: &mut Changes) {
    let name = Some(after.name.as_str());
    match (old.requires(before), new.requires(after)) {
        (false, true) => changes.add(name, Effect::Narrower, "must be there"),
        (true, false) => changes.add(name, Effect::Wider, "need not be there"),
        _ => {}
    }
    match (before.nullable, after.nullable) {
        (true, false) => changes.add(name, Effect::Narrower, "values may not be missing"),
        (false, true) => changes.add(name, Effect::Wider, "values may be missing"),
        _ => {}
    }
    match (before.unique, after.unique) {
        (false, true) => changes.add(name, Effect::Narrower, "values occur once"),
        (true, false) => changes.add(name, Effect::Wider, "values may occur again"),
        _ => {}
    }
    if before.logical_type != after.logical_type {
        let change = format!("is {}, was {}", after.logical_type.name(), before.logical_type.name());
        changes.add(name, type_effect(before.logical_type, after.logical_type), change);
    } else if before.format != after.format {
        let show =
            |format: &Option<String>| format.as_ref().map_or_else(|| "any".to_owned(), |format| format!("`{format}`"));
        let free = |format: &Option<String>| match after.logical_type {
            LogicalType::Text => format.is_none(),
            _ => format.as_deref() == Some("any"),
        };
        let effect = match (free(&before.format), free(&after.format)) {
            (true, false) => Effect::Narrower,
            (false, true) => Effect::Wider,
            _ => Effect::Other,
        };
        changes.add(name, effect, format!("has the form {}, was {}", show(&after.format), show(&before.format)));
    }
    let signs = |field: &Field| {
        (
            field.decimal_char.clone(),
            field.group_char.clone(),
            field.decorated,
            field.true_values.clone(),
            field.false_values.clone(),
        )
    };
    if signs(before) != signs(after) {
        changes.add(name, Effect::Other, "is written with other signs or words");
    }
    match (&before.pattern, &after.pattern) {
        (before, after) if before == after => {}
        (None, Some(_)) => changes.add(name, Effect::Narrower, "must match a pattern"),
        (Some(_), None) => changes.add(name, Effect::Wider, "need match no pattern"),
        _ => changes.with_reason(
            name,
            Effect::Other,
            "must match another pattern",
            "which of two patterns takes more cannot be told, so that it counts as both",
        ),
    }
    lengths(before, after, changes);
    limits(old, new, before, after, changes);
    enumerations(before, after, changes);
    for (what, same) in [
        ("title", before.title == after.title),
        ("description", before.description == after.description),
        ("examples", before.examples == after.examples),
        ("classification", before.classification == after.classification),
    ] {
        if !same {
            changes.words(name, format!("another {what}"));
        }
    }
}

fn type_effect(before: LogicalType, after: LogicalType) -> Effect {
    match (before, after) {
        (LogicalType::Any, _) | (LogicalType::Number, LogicalType::Integer) => Effect::Narrower,
        (_, LogicalType::Any) | (LogicalType::Integer, LogicalType::Number) => Effect::Wider,
        // Every cell can be read as text; only some text can be read as something else.
        (LogicalType::Text, _) => Effect::Narrower,
        (_, LogicalType::Text) => Effect::Wider,
        _ => Effect::Other,
    }
}

fn lengths(before: &Field, after: &Field, changes: &mut Changes) {
    let name = Some(after.name.as_str());
    let (least, now) = (before.min_length.unwrap_or(0), after.min_length.unwrap_or(0));
    bound(least.cmp(&now), name, &format!("has at least {now} characters, before {least}"), changes);
    let most = |length: Option<u64>| length.unwrap_or(u64::MAX);
    let show = |length: Option<u64>| length.map_or_else(|| "any number of".to_owned(), |length| length.to_string());
    bound(
        most(after.max_length).cmp(&most(before.max_length)),
        name,
        &format!("has at most {} characters, before {}", show(after.max_length), show(before.max_length)),
        changes,
    );
}

fn limits(old: &Contract, new: &Contract, before: &Field, after: &Field, changes: &mut Changes) {
    let readers =
        (FieldReader::new(before, &old.missing_values).ok(), FieldReader::new(after, &new.missing_values).ok());
    for (what, from, to, lower) in
        [("lowest", &before.minimum, &after.minimum, true), ("highest", &before.maximum, &after.maximum, false)]
    {
        let name = Some(after.name.as_str());
        let show = |limit: &Limit| format!("{}{}", if limit.exclusive { "beyond " } else { "" }, limit.value);
        match (from, to) {
            (None, None) => {}
            (None, Some(to)) => changes.add(name, Effect::Narrower, format!("has a {what} value, {}", show(to))),
            (Some(_), None) => changes.add(name, Effect::Wider, format!("has no {what} value")),
            (Some(from), Some(to)) => {
                let ordering = match &readers {
                    (Some(a), Some(b)) => a.compare(&from.value, b, &to.value),
                    _ => None,
                };
                let effect = match ordering.map(|ordering| if lower { ordering } else { ordering.reverse() }) {
                    Some(Ordering::Less) => Effect::Narrower,
                    Some(Ordering::Greater) => Effect::Wider,
                    Some(Ordering::Equal) => match (from.exclusive, to.exclusive) {
                        (false, true) => Effect::Narrower,
                        (true, false) => Effect::Wider,
                        _ => Effect::None,
                    },
                    None => Effect::Other,
                };
                if effect != Effect::None {
                    changes.add(name, effect, format!("the {what} value is {}, was {}", show(to), show(from)));
                }
            }
        }
    }
}

fn values(count: usize) -> String {
    if count == 1 { "1 value is".to_owned() } else { format!("{count} values are") }
}

fn enumerations(before: &Field, after: &Field, changes: &mut Changes) {
    let name = Some(after.name.as_str());
    let (from, to): (BTreeSet<&String>, BTreeSet<&String>) =
        (before.enumeration.iter().collect(), after.enumeration.iter().collect());
    match (from.is_empty(), to.is_empty()) {
        (true, true) => {}
        (true, false) => changes.add(name, Effect::Narrower, format!("only {} allowed", values(to.len()))),
        (false, true) => changes.add(name, Effect::Wider, "every value is allowed"),
        (false, false) => {
            let (more, fewer) = (to.difference(&from).count(), from.difference(&to).count());
            if more > 0 {
                changes.add(
                    name,
                    Effect::Wider,
                    format!("{more} more {} allowed", if more == 1 { "value is" } else { "values are" }),
                );
            }
            if fewer > 0 {
                changes.add(name, Effect::Narrower, format!("{} no longer allowed", values(fewer)));
            }
        }
    }
}

/// Returns the version that the changes ask for, when the new contract's is lower.
fn suggested_version(old: &Contract, new: &Contract, changes: &Changes) -> Option<String> {
    let parse = |version: &str| -> Option<[u64; 3]> {
        let mut parts =
            version.split(['-', '+']).next()?.trim_start_matches('v').split('.').map(|part| part.parse().ok());
        let version = [parts.next()??, parts.next().unwrap_or(Some(0))?, parts.next().unwrap_or(Some(0))?];
        parts.next().is_none().then_some(version)
    };
    let [major, minor, patch] = parse(&old.version)?;
    let wanted = if changes.list.iter().any(Change::is_breaking) {
        [major + 1, 0, 0]
    } else if changes.list.is_empty() {
        return None;
    } else if changes.documentation_only {
        [major, minor, patch + 1]
    } else {
        [major, minor + 1, 0]
    };
    (parse(&new.version).is_none_or(|version| version < wanted))
        .then(|| format!("{}.{}.{}", wanted[0], wanted[1], wanted[2]))
}

#[cfg(test)]
mod tests {
    use super::super::model::{ForeignKey, Freshness, Reference, RowCount};
    use super::*;

    fn base() -> Contract {
        Contract {
            fields: vec![
                Field { enumeration: vec!["a".into(), "b".into()], ..Field::new("kind", LogicalType::Text) },
                Field { minimum: Some(Limit::inclusive("1")), ..Field::new("size", LogicalType::Integer) },
                Field { required: false, ..Field::new("notes", LogicalType::Text) },
            ],
            ..Contract::new("base")
        }
    }

    /// Changes the base and compares; `R` breaks readers, `W` writers.
    fn check(change: impl Fn(&mut Contract), expected: &str) {
        let (old, mut new) = (base(), base());
        change(&mut new);
        let letters = |diff: &Diff| {
            let breaks = |pick: fn(&Change) -> bool| diff.changes.iter().any(pick);
            let mut letters = String::new();
            if breaks(|change| change.breaks_readers) {
                letters.push('R');
            }
            if breaks(|change| change.breaks_writers) {
                letters.push('W');
            }
            letters
        };
        let forth = diff(&old, &new);
        assert!(!forth.changes.is_empty(), "a change is told");
        assert_eq!(letters(&forth), expected, "{:#?}", forth.changes);
        // What is wider one way is narrower the other way.
        let back = letters(&diff(&new, &old));
        let mirrored: String = match expected {
            "R" => "W".into(),
            "W" => "R".into(),
            other => other.into(),
        };
        assert_eq!(back, mirrored, "back");
    }

    #[test]
    fn wider_breaks_readers_and_narrower_breaks_writers() {
        check(|new| new.fields[0].nullable = false, "W");
        check(|new| new.fields[0].unique = true, "W");
        check(|new| new.fields[0].enumeration.push("c".into()), "R");
        check(|new| new.fields[0].enumeration.clear(), "R");
        check(|new| new.fields[0].enumeration[1] = "c".into(), "RW");
        check(|new| new.fields[0].pattern = Some("x".into()), "W");
        check(|new| new.fields[0].max_length = Some(3), "W");
        check(|new| new.fields[0].format = Some("email".into()), "W");
        check(|new| new.fields[1].minimum = Some(Limit::inclusive("10")), "W");
        check(|new| new.fields[1].minimum = Some(Limit::exclusive("1.0")), "RW");
        check(|new| new.fields[1].minimum = Some(Limit::exclusive("1")), "W");
        check(|new| new.fields[1].maximum = Some(Limit::inclusive("9")), "W");
        check(|new| new.fields[1].logical_type = LogicalType::Number, "R");
        check(|new| new.fields[2].required = true, "W");
        check(|new| new.primary_key = vec!["kind".into()], "W");
        check(|new| new.unique_keys = vec![vec!["size".into()]], "W");
        check(|new| new.rows = RowCount { min: Some(1), max: Some(9) }, "W");
        check(|new| new.ordered = true, "W");
        check(|new| new.missing_values.push("-".into()), "RW");
        check(|new| new.name = "other".into(), "RW");
        check(
            |new| {
                new.foreign_keys = vec![ForeignKey {
                    fields: vec!["kind".into()],
                    reference: Reference { dataset: Some("kinds".into()), file: None, fields: vec!["code".into()] },
                }];
            },
            "W",
        );
        check(|new| new.fields.push(Field::new("more", LogicalType::Text)), "W");
        check(|new| drop(new.fields.remove(0)), "R");
    }

    #[test]
    fn words_and_optional_columns_break_nobody() {
        check(|new| new.description = Some("x".into()), "");
        check(|new| new.fields[0].classification = Some("pii".into()), "");
        check(|new| drop(new.fields.remove(2)), "");
        assert!(diff(&base(), &base()).changes.is_empty());
    }

    #[test]
    fn forbidding_columns_breaks_writers_and_allowing_them_nobody() {
        let closed = Contract { extra_columns: false, ..base() };
        assert!(diff(&base(), &closed).changes.iter().all(|change| change.breaks_writers));
        assert!(!diff(&closed, &base()).is_breaking());
    }

    #[test]
    fn a_date_that_is_told_by_another_column_is_another_promise() {
        let fresh =
            |days| Contract { freshness: Some(Freshness { column: "notes".into(), max_age_days: days }), ..base() };
        assert!(diff(&fresh(10), &fresh(5)).changes[0].breaks_writers);
        assert!(diff(&fresh(5), &fresh(10)).changes[0].breaks_readers);
    }

    #[test]
    fn the_version_follows_the_changes() {
        let suggest = |version: &str, change: &dyn Fn(&mut Contract)| {
            let mut new = base();
            new.version = version.into();
            change(&mut new);
            diff(&base(), &new).suggested_version
        };
        assert_eq!(suggest("1.0.0", &|new| new.fields[0].nullable = false), Some("2.0.0".into()));
        assert_eq!(suggest("2.0.0", &|new| new.fields[0].nullable = false), None);
        let optional = |new: &mut Contract| {
            new.fields.push(Field { required: false, ..Field::new("x", LogicalType::Text) });
        };
        assert_eq!(suggest("1.0.1", &optional), Some("1.1.0".into()));
        assert_eq!(suggest("1.0.0", &|new| new.title = Some("x".into())), Some("1.0.1".into()));
        assert_eq!(suggest("1.0.0", &|_| {}), None);
    }

    #[test]
    fn a_rename_is_recognised() {
        let mut new = base();
        new.fields[1].name = "Size".into();
        let diff = diff(&base(), &new);
        assert!(diff.changes.iter().any(|change| change.change.contains("perhaps `size` renamed")), "{diff:#?}");
    }
}
