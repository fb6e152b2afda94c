//! What a training rule does to a model: which comparisons it switches off and how it moves λ.

use super::TrainingError;
use super::exact::{columns_of, equal_columns, exact_match_columns};
use crate::model::{BlockingKind, BlockingRule, LinkageModel};
use crate::sql::{SqlError, parse_condition, parse_record_expression, parse_rule};

/// What follows from all pairs of a block fulfilling its rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleEffect {
    /// The rule, or a line that names it.
    pub description: String,
    /// For each comparison whether it takes part: not if any of its conditions reads a column that the rule reads.
    pub active: Vec<bool>,
    /// The columns that the rule reads, in lower case.
    pub columns: Vec<String>,
    /// Exact levels (comparison, level) that the rule's columns imply: those on most columns first, each column used once.
    pub implied_levels: Vec<(usize, usize)>,
    /// The implied levels say all that the rule says: the rule is a conjunction of equalities of columns, and each implied
    /// level is the first of a comparison of its own.
    pub is_exact: bool,
}

impl RuleEffect {
    /// Finds out what a rule does to a model.
    ///
    /// # Errors
    ///
    /// If the rule or a condition of the model is no SQL.
    pub fn new(model: &LinkageModel, rule: &BlockingRule) -> Result<Self, TrainingError> {
        let description = describe(rule);
        let unreadable = |source: SqlError| TrainingError::Sql { text: description.clone(), source };
        let mut columns = Vec::new();
        let mut equal = None;
        match &rule.kind {
            BlockingKind::Sql(sql) => {
                let expression = parse_rule(sql).map_err(unreadable)?;
                columns_of(&expression, &mut columns);
                equal = equal_columns(&expression).filter(|_| rule.arrays_to_explode.is_empty());
            }
            BlockingKind::SortedNeighbourhood { key: text, .. }
            | BlockingKind::QGramLsh { text, .. }
            | BlockingKind::Tokens { text, .. } => {
                columns_of(&parse_record_expression(text).map_err(unreadable)?, &mut columns);
            }
        }
        let active = model
            .comparisons
            .iter()
            .map(|comparison| {
                let mut read = Vec::new();
                for level in &comparison.levels {
                    let expression = parse_condition(&level.sql_condition);
                    let text = || level.sql_condition.clone();
                    columns_of(&expression.map_err(|source| TrainingError::Sql { text: text(), source })?, &mut read);
                }
                Ok(!read.iter().any(|column| columns.contains(column)))
            })
            .collect::<Result<_, TrainingError>>()?;
        let (implied_levels, unused) = implied_levels(model, columns.clone());
        let is_exact = equal.is_some() && unused.is_empty() && !implied_levels.is_empty() && {
            let are_first = implied_levels.iter().all(|(comparison, level)| {
                let levels = &model.comparisons[*comparison].levels;
                levels.iter().position(|level| !level.is_null_level) == Some(*level)
            });
            let mut comparisons: Vec<usize> = implied_levels.iter().map(|(comparison, _)| *comparison).collect();
            comparisons.sort_unstable();
            comparisons.dedup();
            are_first && comparisons.len() == implied_levels.len()
        };
        Ok(Self { description, active, columns, implied_levels, is_exact })
    }

    /// Gives λ inside the block from λ among all pairs: its odds times m / u of every implied level.
    pub fn starting_prior(&self, model: &LinkageModel) -> f64 {
        let prior = model.probability_two_random_records_match;
        let mut odds = prior / (1.0 - prior);
        for (comparison, level) in &self.implied_levels {
            let comparison = &model.comparisons[*comparison];
            if let (Some(m), Some(u)) = (comparison.m_probability(*level), comparison.u_probability(*level)) {
                odds *= m / u;
            }
        }
        // A prior of exactly 0 or 1 would never move again.
        (odds / (1.0 + odds)).clamp(1e-12, 1.0 - 1e-12)
    }
}

/// Gives the SQL of a rule, or a line that names it.
pub(crate) fn describe(rule: &BlockingRule) -> String {
    match &rule.kind {
        BlockingKind::Sql(sql) => sql.clone(),
        BlockingKind::SortedNeighbourhood { key, window } => format!("sorted neighbourhood of {window} by {key}"),
        BlockingKind::QGramLsh { text, .. } => format!("similar q-grams of {text}"),
        BlockingKind::Tokens { text, .. } => format!("shared tokens of {text}"),
    }
}

/// Gives the exact levels that columns imply and the columns that are left.
fn implied_levels(model: &LinkageModel, mut columns: Vec<String>) -> (Vec<(usize, usize)>, Vec<String>) {
    let mut exact: Vec<(Vec<String>, (usize, usize))> = Vec::new();
    for (index, comparison) in model.comparisons.iter().enumerate() {
        for (level, of_level) in comparison.levels.iter().enumerate() {
            exact.extend(exact_match_columns(of_level).map(|columns| (columns, (index, level))));
        }
    }
    exact.sort_by_key(|(columns, _)| std::cmp::Reverse(columns.len()));
    let mut implied = Vec::new();
    for (needed, place) in exact {
        if needed.iter().all(|column| columns.contains(column)) {
            columns.retain(|column| !needed.contains(column));
            implied.push(place);
        }
    }
    (implied, columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Comparison, ComparisonLevel, LinkType};

    fn comparison(name: &str, conditions: &[&str]) -> Comparison {
        let levels = conditions.iter().map(|sql| ComparisonLevel::new(*sql)).collect();
        Comparison { output_column_name: name.to_owned(), description: None, levels }
    }

    fn model() -> LinkageModel {
        LinkageModel::new(LinkType::DedupeOnly)
            .compare(comparison(
                "name",
                &[
                    r#""forename_l" = "forename_r" AND "surname_l" = "surname_r""#,
                    r#""surname_l" = "surname_r""#,
                    r#""forename_l" = "forename_r""#,
                    "ELSE",
                ],
            ))
            .compare(comparison("dob", &[r#""dob_l" = "dob_r""#, "ELSE"]))
            .compare(comparison("town", &[r#"jaro_winkler_similarity("town_l", "town_r") > 0.9"#, "ELSE"]))
    }

    fn check(rule: &str, active: &[bool], implied: &[(usize, usize)], is_exact: bool) {
        let effect = RuleEffect::new(&model(), &rule.into()).unwrap();
        assert_eq!(effect.active, active, "{rule}");
        assert_eq!(effect.implied_levels, implied, "{rule}");
        assert_eq!(effect.is_exact, is_exact, "{rule}");
    }

    #[test]
    fn rules_switch_comparisons_off() {
        check("l.dob = r.dob", &[true, false, true], &[(1, 0)], true);
        check("l.Forename = r.Forename and l.surname = r.surname", &[false, true, true], &[(0, 0)], true);
        check("l.forename = r.forename", &[false, true, true], &[(0, 2)], false);
        check("substr(l.dob, 1, 4) = substr(r.dob, 1, 4)", &[true, false, true], &[(1, 0)], false);
        check("l.town = r.town", &[true, true, false], &[], false);
        check("l.postcode = r.postcode and l.dob = r.dob", &[true, false, true], &[(1, 0)], false);
    }

    #[test]
    fn starting_prior_multiplies_the_odds() {
        let mut model = model();
        model.comparisons[1].levels[0].m_probability = Some(0.9);
        model.comparisons[1].levels[0].u_probability = Some(0.001);
        model.probability_two_random_records_match = 0.001;
        let prior = RuleEffect::new(&model, &"l.dob = r.dob".into()).unwrap().starting_prior(&model);
        let odds = 0.001 / 0.999 * 900.0;
        assert!((prior - odds / (1.0 + odds)).abs() < 1e-12);
    }
}
