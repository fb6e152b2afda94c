//! Plans compiled for comparison.

use super::CompareError;
use super::decision::{Builder, Test, Tests};
use super::measures::Bands;
use crate::model::TextSemantics;
use crate::plan::{Condition, DomainId, Measure, Plan};

/// More levels than this are refused; higher numbers have other meanings.
const MAXIMUM_LEVELS: usize = 250;

/// A plan compiled for comparison, apart from any columns.
#[derive(Debug, Clone)]
pub struct Program {
    /// For each feature its domain.
    pub(super) domains: Vec<DomainId>,
    pub(super) measures: Vec<Measure>,
    pub(super) semantics: TextSemantics,
    pub(super) comparisons: Vec<ComparisonEntry>,
    /// The conditions of the plan's rules and their diagrams.
    pub(super) conditions: Vec<(Condition, usize)>,
    pub(super) tests: Tests,
    /// For each test that is one of a text measure, its kernel and thresholds.
    pub(super) bands: Vec<Option<Bands>>,
    pub(super) first_sql: Option<String>,
    /// What later conditions are compiled against.
    source: Plan,
}

/// One comparison of a program.
#[derive(Debug, Clone)]
pub(super) struct ComparisonEntry {
    pub(super) name: String,
    /// Its diagram.
    pub(super) decision: usize,
    /// No pair is left without a level.
    pub(super) exhaustive: bool,
}

impl Program {
    /// Compiles the comparisons of a plan and the conditions of its rules.
    ///
    /// # Errors
    ///
    /// A comparison has more than 250 levels, or the plan contradicts itself.
    pub fn compile(plan: &Plan, semantics: TextSemantics) -> Result<Self, CompareError> {
        Self::compile_with(Builder::new(plan), plan, semantics)
    }

    /// Compiles with diagrams of at most so many steps.
    #[cfg(test)]
    pub(super) fn compile_in_steps(plan: &Plan, semantics: TextSemantics, steps: usize) -> Result<Self, CompareError> {
        Self::compile_with(Builder::new(plan).with_steps(steps), plan, semantics)
    }

    fn compile_with<'p>(
        mut builder: Builder<'p>,
        plan: &'p Plan,
        semantics: TextSemantics,
    ) -> Result<Self, CompareError> {
        let mut comparisons = Vec::with_capacity(plan.comparisons.len());
        for comparison in &plan.comparisons {
            let count = comparison.levels.len();
            if count > MAXIMUM_LEVELS {
                return Err(CompareError::TooManyLevels { comparison: comparison.name.clone(), count });
            }
            comparisons.push(ComparisonEntry {
                name: comparison.name.clone(),
                decision: builder.levels(&comparison.levels)?,
                exhaustive: comparison.levels.contains(&Condition::Constant(Some(true))),
            });
        }
        let mut conditions: Vec<(Condition, usize)> = Vec::new();
        for rule in &plan.rules {
            let refinement = rule.refine.as_ref().map(|(_, condition)| condition);
            for condition in rule.residual.iter().chain(refinement) {
                if !conditions.iter().any(|(known, _)| known == condition) {
                    conditions.push((condition.clone(), builder.condition(condition)?));
                }
            }
        }
        let tests = builder.built;
        // Blocking and scoring have no part in later conditions.
        let source = Plan {
            features: plan.features.clone(),
            n_domains: plan.n_domains,
            measures: plan.measures.clone(),
            sql_conditions: plan.sql_conditions.clone(),
            ..Plan::default()
        };
        Self::assemble(source, semantics, comparisons, conditions, tests)
    }

    /// Compiles one more condition, alone; gives the program and the index of the diagram.
    pub(super) fn with_condition(&self, condition: &Condition) -> Result<(Self, usize), CompareError> {
        let mut builder = Builder::new(&self.source);
        let decision = builder.condition(condition)?;
        let tests = builder.built;
        let program = Self::assemble(self.source.clone(), self.semantics, Vec::new(), Vec::new(), tests)?;
        Ok((program, decision))
    }

    fn assemble(
        source: Plan,
        semantics: TextSemantics,
        comparisons: Vec<ComparisonEntry>,
        conditions: Vec<(Condition, usize)>,
        tests: Tests,
    ) -> Result<Self, CompareError> {
        let bands = tests.tests.iter().map(|test| Bands::of(test, &source)).collect::<Result<_, _>>()?;
        let first_sql = tests.tests.iter().find_map(|test| match test {
            Test::Sql(index) => source.sql_conditions.get(*index).map(|condition| condition.sql.clone()),
            _ => None,
        });
        Ok(Self {
            domains: source.features.iter().map(|feature| feature.domain).collect(),
            measures: source.measures.clone(),
            semantics,
            comparisons,
            conditions,
            tests,
            bands,
            first_sql,
            source,
        })
    }
}
