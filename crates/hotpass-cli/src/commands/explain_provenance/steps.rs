//! What normalisation did to a source cell, by the rule of its published column.

use hotpass_normalise::{Kind, Outcome, RuleCounts, RuleOptions, parse_country, rule_for};
use hotpass_provenance::{explain::CellTrace, explain::Explanation};

/// Fills in the steps of every cell whose value is not as the source has it.
///
/// The rules are run again on the source's value; where the same value comes of it, as it does unless a table had rules of its
/// own, the steps they count are those that were taken.
pub(super) fn fill(explanation: &mut Explanation, default_country: &str) {
    let country = explanation
        .fields
        .iter()
        .find(|field| field.field == "country")
        .and_then(|field| parse_country(&field.value).ok())
        .map_or(default_country, |country| country.alpha2)
        .to_owned();
    let options = RuleOptions { country, ..RuleOptions::default() };
    for field in &mut explanation.fields {
        let rule = rule_for(kind_of(&field.field), &options);
        for cell in std::iter::once(&mut field.winner).chain(&mut field.losers) {
            cell.steps = steps(cell, &*rule).unwrap_or_default();
        }
    }
}

fn steps(cell: &CellTrace, rule: &dyn hotpass_normalise::FieldRule) -> Option<Vec<String>> {
    let (raw, value) = (cell.raw_value.as_deref()?, cell.value.as_deref()?);
    if raw == value {
        return None;
    }
    let (mut scratch, mut counts) = (String::new(), RuleCounts::default());
    let outcome = rule.apply(0, raw, &mut scratch, &mut counts);
    (outcome == Outcome::Changed && scratch == value).then(|| counts.iter().map(|(code, _)| code.to_owned()).collect())
}

/// Returns the kind of field that a published column holds.
fn kind_of(column: &str) -> Kind {
    match column {
        "organization_name" => Kind::Organization,
        "organization_slug" => Kind::Slug,
        "province" => Kind::Province,
        "country" => Kind::Country,
        "address_primary" => Kind::Address,
        "organization_category" | "organization_type" | "status" | "priority" => Kind::Category,
        "website" => Kind::Web,
        "contact_primary_name" => Kind::Person,
        "contact_primary_role" => Kind::Role,
        "contact_primary_email" | "contact_secondary_emails" => Kind::Email,
        "contact_primary_phone" | "contact_secondary_phones" => Kind::Phone,
        "last_interaction_date" => Kind::Date,
        _ => Kind::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_those_that_lead_to_the_value() {
        let cell = |raw: &str, value: &str| CellTrace {
            source_dataset: None,
            file: String::new(),
            sheet: None,
            row: 1,
            column: None,
            header: None,
            value: Some(value.to_owned()),
            raw_value: Some(raw.to_owned()),
            steps: Vec::new(),
        };
        let rule = rule_for(Kind::Email, &RuleOptions::default());
        let found = steps(&cell(" INFO@Acacia.example", "info@acacia.example"), &*rule);
        assert!(found.is_some_and(|steps| !steps.is_empty()));
        assert_eq!(steps(&cell("INFO@acacia.example", "other@acacia.example"), &*rule), None);
        assert_eq!(steps(&cell("a@acacia.example", "a@acacia.example"), &*rule), None);
    }
}
