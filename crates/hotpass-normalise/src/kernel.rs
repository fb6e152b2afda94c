//! The columnar kernel: a field rule over a string array, with every change counted.

use arrow::array::{Array, StringArray, StringBuilder};
use serde::{Deserialize, Serialize};

/// What a rule made of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The value was right as it was.
    Same,
    /// The new value is in the scratch text.
    Changed,
    /// The value means "no value".
    Empty,
    /// The value breaks the rule; the code says how, such as `email.no_at`.
    Failed(&'static str),
}

/// A rule for one kind of field.
pub trait FieldRule: Sync {
    /// Applies the rule to a value; `row` is its position, for rules that look at another column.
    ///
    /// `scratch` is empty on entry and holds the new value after [`Outcome::Changed`]. Each step that changes
    /// something adds its code, such as `email.lower_case`, to `counts`.
    fn apply(&self, row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome;
}

impl<R: FieldRule + ?Sized> FieldRule for &R {
    fn apply(&self, row: usize, value: &str, scratch: &mut String, counts: &mut RuleCounts) -> Outcome {
        (**self).apply(row, value, scratch, counts)
    }
}

/// How often each step of a rule changed a value, by code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCounts(
    std::collections::BTreeMap<std::borrow::Cow<'static, str>, u64>,
    #[serde(skip)] Vec<(&'static str, u64)>,
);

impl RuleCounts {
    /// Counts one change by the step with this code.
    pub fn add(&mut self, code: &'static str) {
        // Codes are few and static, so comparing addresses finds the counter in a few instructions.
        match self
            .1
            .iter_mut()
            .find(|(known, _)| std::ptr::eq(known.as_ptr(), code.as_ptr()) && known.len() == code.len())
        {
            Some((_, count)) => *count += 1,
            None => self.1.push((code, 1)),
        }
    }

    /// Returns how many changes this run of a rule has counted.
    pub(crate) fn changes(&self) -> u64 {
        self.1.iter().map(|(_, count)| count).sum()
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        for (code, count) in other.iter() {
            *self.0.entry(std::borrow::Cow::Owned(code.to_owned())).or_default() += count;
        }
    }

    /// Returns the counts by code, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        let mut all: std::collections::BTreeMap<&str, u64> =
            self.0.iter().map(|(code, count)| (code.as_ref(), *count)).collect();
        for (code, count) in &self.1 {
            *all.entry(code).or_default() += count;
        }
        all.into_iter()
    }
}

/// A value that broke its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Position in the array.
    pub row: usize,
    /// Code of the reason.
    pub reason: &'static str,
}

/// A column after its rule.
#[derive(Debug, Clone)]
pub struct NormalisedColumn {
    /// The new values, as long as the input; null where the value was absent, meant "no value" or failed.
    pub values: StringArray,
    /// The values that failed; the input still has their raw form.
    pub failures: Vec<Failure>,
    /// What was changed, by step.
    pub counts: RuleCounts,
}

/// Applies a rule to a column; nulls stay null.
pub fn normalise_column(values: &StringArray, rule: &dyn FieldRule) -> NormalisedColumn {
    let mut builder = StringBuilder::with_capacity(values.len(), values.value_data().len());
    let mut failures = Vec::new();
    let mut counts = RuleCounts::default();
    let mut scratch = String::new();
    for row in 0..values.len() {
        if values.is_null(row) {
            builder.append_null();
            continue;
        }
        scratch.clear();
        match rule.apply(row, values.value(row), &mut scratch, &mut counts) {
            Outcome::Same => builder.append_value(values.value(row)),
            Outcome::Changed => builder.append_value(&scratch),
            Outcome::Empty => builder.append_null(),
            Outcome::Failed(reason) => {
                counts.add(reason);
                failures.push(Failure { row, reason });
                builder.append_null();
            }
        }
    }
    NormalisedColumn { values: builder.finish(), failures, counts }
}
