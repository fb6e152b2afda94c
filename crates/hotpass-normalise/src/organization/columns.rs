//! Names of organisations, a column at a time.

use arrow::array::{Array, StringArray, StringBuilder};

use super::{OrganizationRule, dissect, tidy, tidy_parts};
use crate::{Failure, RuleCounts, TextRule};

/// A column of names and what was found in them; every array is as long as the input and null where nothing is there.
#[derive(Debug, Clone)]
pub struct OrganizationColumns {
    /// The names in their usual form; null where the name was absent or failed.
    pub display: StringArray,
    /// The names without legal form, branch and trading name.
    pub core: StringArray,
    /// The keys under which spellings of a name meet, with the branch.
    pub key: StringArray,
    /// The same keys with abbreviations written out; input of
    /// [`organization_key_similarity`](crate::organization_key_similarity).
    pub expanded_key: StringArray,
    /// The usual spelling of the legal form.
    pub legal_form: StringArray,
    /// The branch.
    pub branch: StringArray,
    /// The name the organisation trades under.
    pub trading_as: StringArray,
    /// What was changed, by step.
    pub counts: RuleCounts,
    /// The names that failed.
    pub failures: Vec<Failure>,
}

/// Takes a column of names apart; `country` is that of the data, as ISO 3166-1 alpha-2.
pub fn organization_columns(values: &StringArray, country: &str, text: &TextRule) -> OrganizationColumns {
    let rule = OrganizationRule::new(country, text.clone());
    let bytes = values.value_data().len();
    let column = |bytes: usize| StringBuilder::with_capacity(values.len(), bytes);
    let (mut display, mut core, mut keys, mut expanded_keys) =
        (column(bytes), column(bytes), column(bytes), column(bytes));
    let (mut forms, mut branches, mut trading) = (column(bytes / 4), column(bytes / 8), column(0));
    let (mut counts, mut failures) = (RuleCounts::default(), Vec::new());
    let (mut key, mut expanded_key) = (String::new(), String::new());
    for row in 0..values.len() {
        let name = if values.is_null(row) { Ok(None) } else { rule.clean(values.value(row), &mut counts) };
        let name = name.unwrap_or_else(|reason| {
            counts.add(reason);
            failures.push(Failure { row, reason });
            None
        });
        let Some(clean) = name else {
            for column in
                [&mut display, &mut core, &mut keys, &mut expanded_keys, &mut forms, &mut branches, &mut trading]
            {
                column.append_null();
            }
            continue;
        };
        // Most names are right as they are, and then their parts are taken once.
        let first = dissect(&clean, country);
        let changed =
            tidy_parts(&clean, &first, country, &mut counts).map(|name| tidy(&name, country, &mut counts).into_owned());
        let name = changed.as_deref().unwrap_or(&clean);
        let parts = if changed.is_some() { dissect(name, country) } else { first };
        key.clear();
        expanded_key.clear();
        parts.append_keys(&mut key, &mut expanded_key);
        display.append_value(name);
        core.append_value(parts.core);
        // A name that folds to nothing has no key, so that it never meets another.
        keys.append_option((!key.is_empty()).then_some(&key));
        expanded_keys.append_option((!expanded_key.is_empty()).then_some(&expanded_key));
        forms.append_option(parts.form.map(|form| form.canonical));
        branches.append_option(parts.branch);
        trading.append_option(parts.trading_as);
    }
    OrganizationColumns {
        display: display.finish(),
        core: core.finish(),
        key: keys.finish(),
        expanded_key: expanded_keys.finish(),
        legal_form: forms.finish(),
        branch: branches.finish(),
        trading_as: trading.finish(),
        counts,
        failures,
    }
}
