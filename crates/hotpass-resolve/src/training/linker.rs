//! Training of a [`Linker`]'s model from its own records.

use std::sync::Arc;

use super::rule_effect::describe;
use super::sequence::{SourceError, deterministic_prior};
use super::{
    EmOptions, EmReport, LabelReport, PriorEstimate, TrainOptions, TrainingError, TrainingReport, TrainingSource,
    UEstimate, UOptions,
};
use crate::error::LinkError;
use crate::linker::Linker;
use crate::model::{BlockingRule, LinkageModel};
use crate::patterns::PatternCounts;
use crate::plan::{Condition, RulePlan, RuleSearch};

/// The label of a record without one.
const NO_LABEL: u32 = u32::MAX;

impl Linker {
    /// Estimates u of every comparison, from value frequencies and random pairs.
    ///
    /// # Errors
    ///
    /// See [`super::estimate_u`].
    pub fn estimate_u(&mut self, options: &UOptions) -> Result<Vec<UEstimate>, TrainingError> {
        let mut model = self.model().clone();
        let estimates = super::estimate_u(&mut model, &*self, options)?;
        self.take_over(&model)?;
        Ok(estimates)
    }

    /// Computes λ from deterministic rules and the recall that they are thought to have.
    ///
    /// The rules must be blocking rules of the model or have been named when the linker was built.
    ///
    /// # Errors
    ///
    /// See [`super::prior_from_deterministic_rules`]; and if a rule cannot be run.
    pub fn estimate_probability_two_random_records_match(
        &mut self,
        rules: &[BlockingRule],
        recall: f64,
    ) -> Result<PriorEstimate, TrainingError> {
        let prior = deterministic_prior(self.model(), &*self, rules, recall)?;
        let mut model = self.model().clone();
        model.probability_two_random_records_match = prior.prior;
        self.take_over(&model)?;
        Ok(prior)
    }

    /// Estimates m by expectation–maximisation in the block of one rule and writes it into the model.
    ///
    /// What the rule reads is switched off, and λ starts from what the rule implies; `options` says the rest. To pool several
    /// blocks use [`Linker::train`], or [`super::run_block`] and [`super::pool`].
    ///
    /// # Errors
    ///
    /// See [`super::run_block`].
    pub fn train_by_expectation_maximisation(
        &mut self,
        rule: &BlockingRule,
        options: &EmOptions,
    ) -> Result<EmReport, TrainingError> {
        let report = super::run_block(self.model(), &*self, rule, options)?;
        let mut model = self.model().clone();
        report.write_into(&mut model);
        self.take_over(&model)?;
        Ok(report)
    }

    /// Estimates m from records whose entity is known: all possible pairs of records with the same label are matches.
    ///
    /// `labels` holds a label per record in this linker's row order, `u32::MAX` where unknown. `smoothing` is the strength
    /// of the Dirichlet prior in pairs per comparison.
    ///
    /// # Errors
    ///
    /// If no two records share a label or pairs cannot be compared.
    pub fn train_m_from_labels(&mut self, labels: &[u32], smoothing: f64) -> Result<LabelReport, TrainingError> {
        let mut rows: Vec<u32> = (0..labels.len() as u32).filter(|row| labels[*row as usize] != NO_LABEL).collect();
        rows.sort_unstable_by_key(|row| (labels[*row as usize], *row));
        let sources = &self.records().columns().source;
        let separates = self.model().link_type == crate::model::LinkType::LinkOnly;
        let mut pairs = Vec::new();
        for entity in rows.chunk_by(|left, right| labels[*left as usize] == labels[*right as usize]) {
            for (index, left) in entity.iter().enumerate() {
                let others = entity[index + 1..]
                    .iter()
                    .filter(|right| !separates || sources.get(*left as usize) != sources.get(**right as usize));
                pairs.extend(others.map(|right| (*left, *right)));
            }
        }
        let counts = self.patterns_of_pairs(&pairs).map_err(|source| TrainingError::Counting {
            rule: "records with the same label".to_owned(),
            source: Arc::new(source),
        })?;
        let mut model = self.model().clone();
        let report = super::estimate_m_from_matches(&mut model, &counts, smoothing)?;
        self.take_over(&model)?;
        Ok(report)
    }

    /// Trains the whole model from its own records, by default without any guess; see [`super::train`].
    ///
    /// # Errors
    ///
    /// See [`super::train`].
    pub fn train(&mut self, options: &TrainOptions) -> Result<TrainingReport, TrainingError> {
        let mut model = self.model().clone();
        let report = super::train(&mut model, &*self, options)?;
        self.take_over(&model)?;
        Ok(report)
    }

    fn take_over(&mut self, model: &LinkageModel) -> Result<(), TrainingError> {
        self.set_parameters(model).map_err(|error| TrainingError::Parameters(Arc::new(error)))
    }

    /// Finds what a rule was compiled to, among the model's rules and those named when the linker was built.
    fn plan_of_rule(&self, rule: &BlockingRule) -> Result<RulePlan, LinkError> {
        let number = self.model().blocking_rules.iter().position(|other| other == rule);
        let description = describe(rule);
        let found = match number {
            Some(number) => self.model_rules().get(number),
            None => self.prepared_rules().iter().find(|plan| plan.description == description),
        };
        let missing = || LinkError::NotEncoded { rule: description.clone(), expression: description.clone() };
        found.cloned().ok_or_else(missing)
    }

    fn failed(error: LinkError) -> SourceError {
        Arc::new(error)
    }
}

impl TrainingSource for Linker {
    fn block_patterns(&self, rules: &[BlockingRule], active: &[bool]) -> Result<PatternCounts, SourceError> {
        let plans: Vec<RulePlan> =
            rules.iter().map(|rule| self.plan_of_rule(rule)).collect::<Result<_, _>>().map_err(Self::failed)?;
        self.patterns_of_rules_for(&plans, &comparisons(active)).map_err(Self::failed)
    }

    fn overlap_patterns(
        &self,
        rules: [&BlockingRule; 2],
        active: &[bool],
    ) -> Result<Option<PatternCounts>, SourceError> {
        let first = self.plan_of_rule(rules[0]).map_err(Self::failed)?;
        let second = self.plan_of_rule(rules[1]).map_err(Self::failed)?;
        let Some(both) = both(&first, &second) else { return Ok(None) };
        self.patterns_of_rules_for(&[both], &comparisons(active)).map(Some).map_err(Self::failed)
    }
}

fn comparisons(active: &[bool]) -> Vec<usize> {
    (0..active.len()).filter(|index| active[*index]).collect()
}

/// Puts two rules of equalities together: their pairs fulfil both.
fn both(first: &RulePlan, second: &RulePlan) -> Option<RulePlan> {
    let (RuleSearch::Equality(one), RuleSearch::Equality(other)) = (&first.search, &second.search) else {
        return None;
    };
    if first.refine.is_some() || second.refine.is_some() || one.iter().chain(other).any(|key| key.exploded) {
        return None;
    }
    let residual = match (&first.residual, &second.residual) {
        (Some(one), Some(other)) => Some(Condition::And(vec![one.clone(), other.clone()])),
        (one, other) => one.clone().or_else(|| other.clone()),
    };
    Some(RulePlan {
        description: format!("({}) AND ({})", first.description, second.description),
        search: RuleSearch::Equality(one.iter().chain(other).copied().collect()),
        residual,
        refine: None,
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::PathBuf;

    use arrow::array::{Array as _, AsArray as _, RecordBatch};
    use arrow::datatypes::DataType;

    use super::*;
    use crate::evaluation::{PairEvaluationOptions, Population, ThresholdGrid, Truth, evaluate_pairs};
    use crate::library::{exact_match, jaro_winkler_at_thresholds, levenshtein_at_thresholds};
    use crate::model::LinkType;
    use crate::plan::{CompileOptions, Plan};

    /// Reads a table of text from comma-separated values without quotes; empty fields are null.
    fn table(name: &str) -> Option<RecordBatch> {
        let Some(root) = std::env::var_os("HOTPASS_TEST_DATA") else {
            println!("skipped: HOTPASS_TEST_DATA does not name the test data");
            return None;
        };
        let path = PathBuf::from(root).join("er").join(name).join("records.csv");
        let text = std::io::read_to_string(File::open(&path).ok()?).unwrap();
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next()?.split(',').map(str::trim).collect();
        let rows: Vec<Vec<Option<&str>>> = lines
            .map(|line| line.split(',').map(str::trim).map(|field| (!field.is_empty()).then_some(field)).collect())
            .collect();
        let columns = names.iter().enumerate().map(|(index, name)| {
            let values = rows.iter().map(|row| row.get(index).copied().flatten());
            let array: arrow::array::ArrayRef = Arc::new(values.collect::<arrow::array::StringArray>());
            (*name, array, true)
        });
        Some(RecordBatch::try_from_iter_with_nullable(columns).unwrap())
    }

    /// Trains from nothing and gives the best F1 of pairs, λ against its truth, and the warnings.
    fn check(data: &str, truth: &str, model: LinkageModel, rules: &[&str], least_f1: f64) {
        let Some(table) = table(data) else { return };
        let mut with_rules = model.clone();
        with_rules.blocking_rules.extend(rules.iter().map(|rule| BlockingRule::from(*rule)));
        let plan = Plan::compile(&with_rules, &table.schema(), &CompileOptions::default()).unwrap();
        let labels = table.column_by_name(truth).unwrap().clone();
        assert_eq!(labels.data_type(), &DataType::Utf8);
        let mut linker = Linker::builder(model).plan(plan).table(data, [table]).build().unwrap();
        let options = TrainOptions {
            rules: rules.iter().map(|rule| BlockingRule::from(*rule)).collect(),
            ..TrainOptions::default()
        };
        let report = linker.train(&options).unwrap();
        let mut numbers = std::collections::BTreeMap::new();
        let labels = labels.as_string::<i32>();
        let truth: Vec<u32> = (0..linker.records().len() as u32)
            .map(|row| {
                let label = labels.value(linker.records().input_row(row) as usize);
                let next = numbers.len() as u32;
                *numbers.entry(label.to_owned()).or_insert(next)
            })
            .collect();
        let predictions = linker.predict(&crate::PredictOptions::default()).unwrap();
        let mut pairs: Vec<(u32, u32, f64)> = Vec::new();
        for chunk in predictions.chunks() {
            let chunk = chunk.unwrap();
            pairs.extend((0..chunk.len()).map(|at| (chunk.left[at], chunk.right[at], chunk.match_weight[at])));
        }
        let options = PairEvaluationOptions { grid: ThresholdGrid::All, ..PairEvaluationOptions::default() };
        let found = evaluate_pairs(&mut pairs, Truth::Labels(&truth), Population::default(), &options);
        let best = found.best_f1.unwrap();
        let prior = report.prior.unwrap();
        let true_prior = found.blocking.true_pairs as f64 / found.n_pairs as f64;
        println!(
            "{data}: best F1 {:.4} at {:.1} bits, {:?}, prior {:.3e} (truth {true_prior:.3e}), warnings {:?}",
            best.measures.f1.unwrap(),
            best.threshold,
            found.blocking,
            prior.prior,
            report.warnings
        );
        assert!(best.measures.f1.unwrap() > least_f1);
        assert!((prior.prior / true_prior).ln().abs() < 0.5, "{prior:?}");
    }

    #[test]
    fn febrl3_trained_from_nothing() {
        let model = LinkageModel::new(LinkType::DedupeOnly);
        let model = model
            .compare(jaro_winkler_at_thresholds("given_name", [0.9, 0.7]))
            .compare(jaro_winkler_at_thresholds("surname", [0.9, 0.7]))
            .compare(levenshtein_at_thresholds("date_of_birth", [1, 2]))
            .compare(levenshtein_at_thresholds("soc_sec_id", [1, 2]))
            .compare(exact_match("street_number"))
            .compare(levenshtein_at_thresholds("postcode", [1, 2]))
            .block_on("l.soc_sec_id = r.soc_sec_id")
            .block_on("l.given_name = r.given_name and l.surname = r.surname")
            .block_on("l.date_of_birth = r.date_of_birth")
            .block_on("l.postcode = r.postcode and l.surname = r.surname");
        let rules = [
            "l.date_of_birth = r.date_of_birth",
            "l.postcode = r.postcode",
            "l.given_name = r.given_name and l.surname = r.surname",
        ];
        check("febrl3", "cluster_id", model, &rules, 0.98);
    }

    #[test]
    fn fake_1000_trained_from_nothing() {
        let model = LinkageModel::new(LinkType::DedupeOnly)
            .compare(jaro_winkler_at_thresholds("first_name", [0.9, 0.7]).term_frequency_adjustments())
            .compare(jaro_winkler_at_thresholds("surname", [0.9, 0.7]).term_frequency_adjustments())
            .compare(levenshtein_at_thresholds("dob", [1, 2]))
            .compare(exact_match("city").term_frequency_adjustments())
            .compare(levenshtein_at_thresholds("email", [2, 4]))
            .block_on("l.first_name = r.first_name and l.surname = r.surname")
            .block_on("l.dob = r.dob")
            .block_on("l.email = r.email")
            .block_on("l.surname = r.surname and l.city = r.city");
        let rules = ["l.dob = r.dob", "l.email = r.email", "l.first_name = r.first_name and l.surname = r.surname"];
        check("splink_fake_1000", "cluster_id", model, &rules, 0.7);
    }
}
