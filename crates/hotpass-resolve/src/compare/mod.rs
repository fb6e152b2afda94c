//! Candidate pairs in, comparison levels out: the hot loop of linkage.
//!
//! A [`Program`] is what a [`Plan`] compiles to: for each comparison a decision diagram that runs each test (equal codes, a
//! similarity against all of its thresholds at once, a number among constants) at most once per pair and only for the pairs that
//! still need it. A [`Comparer`] runs a program over [`Columns`], for batches of pairs given by row numbers. It is immutable and
//! shared by all threads; each thread brings its own [`Scratch`].
//!
//! ```
//! use hotpass_resolve::engine::columns::{Columns, Values};
//! use hotpass_resolve::engine::compare::{Comparer, Scratch};
//! use hotpass_resolve::engine::kernels::TextTable;
//! use hotpass_resolve::model::{LinkType, LinkageModel};
//! use hotpass_resolve::engine::plan::{ComparisonPlan, Condition, Feature, Measure, Operator, Plan, TextSimilarity, ValueType};
//! use hotpass_resolve::engine::sql::expression::Expression;
//!
//! let expression = Expression::Column { side: None, name: "surname".to_owned() };
//! let plan = Plan {
//!     features: vec![Feature { expression, value_type: ValueType::Text, domain: 0 }],
//!     n_domains: 1,
//!     measures: vec![Measure::Text { similarity: TextSimilarity::Levenshtein, left: 0, right: 0 }],
//!     comparisons: vec![ComparisonPlan {
//!         name: "surname".to_owned(),
//!         levels: vec![
//!             Condition::Equal { left: 0, right: 0 },
//!             Condition::Measure { measure: 0, operator: Operator::LessOrEqual, threshold: 1.0 },
//!             Condition::Constant(Some(true)),
//!         ],
//!     }],
//!     ..Plan::default()
//! };
//! let mut surnames = TextTable::default();
//! let codes = ["smith", "smyth", "jones"].map(|surname| surnames.push(surname)).to_vec();
//! surnames.finish();
//! let columns = Columns {
//!     n_rows: 3,
//!     codes: vec![codes],
//!     domain_of: vec![0],
//!     domains: vec![Values::Text(surnames)],
//!     source: Vec::new(),
//! };
//!
//! let comparer = Comparer::new(&plan, &columns, &LinkageModel::new(LinkType::DedupeOnly), None)?;
//! let mut levels = [0; 2];
//! comparer.levels(0, &[0, 0], &[1, 2], &mut levels, &mut Scratch::default())?;
//! assert_eq!(levels, [1, 2]);
//! # Ok::<(), hotpass_resolve::engine::compare::CompareError>(())
//! ```

mod decision;
mod error;
mod evaluate;
mod measures;
mod numbers;
mod program;
mod scratch;

#[cfg(test)]
mod splink_tests;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

pub use error::CompareError;
pub use program::Program;
pub use scratch::Scratch;

use crate::columns::{Columns, NULL, Values};
use crate::kernels::tokens::TokenTable;
use crate::model::LinkageModel;
use crate::plan::{Condition, MeasureId, Plan};
use decision::NO_LEVEL;

/// Pairs evaluated at a time: what a batch needs of one comparison stays in the first-level cache.
const CHUNK: usize = 2_048;

/// Evaluates the conditions that have no native form.
pub trait SqlTier: Send + Sync {
    /// Writes for each pair of rows 0 where the condition of this index in [`Plan::sql_conditions`] does not hold, 1 where it holds
    /// and 2 where it is unknown.
    ///
    /// # Errors
    ///
    /// The condition cannot be evaluated, [`CompareError::Sql`].
    fn evaluate(&self, condition: usize, lefts: &[u32], rights: &[u32], out: &mut [u8]) -> Result<(), CompareError>;
}

/// Finds the comparison levels of candidate pairs.
///
/// To make one over a program that is compiled already costs one look at each code, so columns of a few records are cheap too.
pub struct Comparer<'a> {
    program: Arc<Program>,
    columns: &'a Columns,
    tier: Option<&'a dyn SqlTier>,
    /// For each measure the texts prepared for it, if it is one of tokens.
    tokens: Vec<OnceLock<Option<TokenTable>>>,
}

/// The comparison of one pair in detail.
#[derive(Debug, Clone, PartialEq)]
pub struct PairEvaluation {
    /// For each comparison the index of the level.
    pub levels: Vec<u8>,
    /// For each measure of the plan its value, `None` for a null.
    pub measures: Vec<Option<f64>>,
}

impl<'a> Comparer<'a> {
    /// Compiles a plan for columns.
    ///
    /// # Errors
    ///
    /// As [`Program::compile`] and [`Self::with_program`].
    pub fn new(
        plan: &Plan,
        columns: &'a Columns,
        model: &LinkageModel,
        tier: Option<&'a dyn SqlTier>,
    ) -> Result<Self, CompareError> {
        Self::with_program(Arc::new(Program::compile(plan, model.text_semantics)?), columns, tier)
    }

    /// Takes a program that is compiled already.
    ///
    /// # Errors
    ///
    /// The columns are not those of the program's plan, or a condition needs the SQL tier and there is none.
    pub fn with_program(
        program: Arc<Program>,
        columns: &'a Columns,
        tier: Option<&'a dyn SqlTier>,
    ) -> Result<Self, CompareError> {
        if let (Some(sql), None) = (&program.first_sql, tier) {
            return Err(CompareError::NoSqlTier { sql: sql.clone() });
        }
        check_columns(&program, columns)?;
        let tokens = program.measures.iter().map(|_| OnceLock::new()).collect();
        Ok(Self { program, columns, tier, tokens })
    }

    /// Gives the program, for another comparer over other columns.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Writes for each pair the index of its level in a comparison: the first level whose condition holds.
    ///
    /// Pairs of one left record in a row are fastest, in any batch size; neither changes the result.
    ///
    /// # Errors
    ///
    /// There is no such comparison or row, the slices differ in length, a pair reaches no level, or the SQL tier fails.
    pub fn levels(
        &self,
        comparison: usize,
        lefts: &[u32],
        rights: &[u32],
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<(), CompareError> {
        let count = self.program.comparisons.len();
        let entry =
            self.program.comparisons.get(comparison).ok_or(CompareError::NoComparison { index: comparison, count })?;
        self.in_chunks(entry.decision, lefts, rights, out, scratch)?;
        if !entry.exhaustive && out.contains(&NO_LEVEL) {
            return Err(CompareError::NoLevel { comparison: entry.name.clone() });
        }
        Ok(())
    }

    /// Writes for each pair 0 where a condition does not hold, 1 where it holds and 2 where it is unknown.
    ///
    /// The conditions of the plan's rules are compiled already, others are compiled for this call.
    ///
    /// # Errors
    ///
    /// The condition is not one over the plan's features, there is no such row, the slices differ in length, or the SQL tier
    /// is missing or fails.
    pub fn holds(
        &self,
        condition: &Condition,
        lefts: &[u32],
        rights: &[u32],
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<(), CompareError> {
        if let Some((_, decision)) = self.program.conditions.iter().find(|(known, _)| known == condition) {
            return self.in_chunks(*decision, lefts, rights, out, scratch);
        }
        let (program, decision) = self.program.with_condition(condition)?;
        let comparer = Comparer::with_program(Arc::new(program), self.columns, self.tier)?;
        comparer.in_chunks(decision, lefts, rights, out, &mut Scratch::default())
    }

    /// Gives the value of a measure for one pair, `None` for a null.
    ///
    /// # Errors
    ///
    /// There is no such measure or row.
    pub fn value(
        &self,
        measure: MeasureId,
        left: u32,
        right: u32,
        scratch: &mut Scratch,
    ) -> Result<Option<f64>, CompareError> {
        self.check_rows(&[left])?;
        self.check_rows(&[right])?;
        let mut numbers = scratch.take_numbers();
        numbers.reset(1);
        self.measure(measure, (&[left], &[right]), &mut numbers, scratch)?;
        let value = numbers.get(0);
        scratch.give_numbers(numbers);
        Ok(value)
    }

    /// Gives the levels and all measured values of one pair.
    ///
    /// # Errors
    ///
    /// As [`Self::levels`].
    pub fn evaluate_pair(&self, left: u32, right: u32, scratch: &mut Scratch) -> Result<PairEvaluation, CompareError> {
        let mut levels = vec![0; self.program.comparisons.len()];
        for (comparison, level) in levels.iter_mut().enumerate() {
            self.levels(comparison, &[left], &[right], std::slice::from_mut(level), scratch)?;
        }
        let measures = 0..self.program.measures.len();
        let measures = measures.map(|measure| self.value(measure, left, right, scratch)).collect::<Result<_, _>>()?;
        Ok(PairEvaluation { levels, measures })
    }

    fn in_chunks(
        &self,
        decision: usize,
        lefts: &[u32],
        rights: &[u32],
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<(), CompareError> {
        if lefts.len() != rights.len() || lefts.len() != out.len() {
            return Err(CompareError::Lengths { lefts: lefts.len(), rights: rights.len(), out: out.len() });
        }
        self.check_rows(lefts)?;
        self.check_rows(rights)?;
        for ((lefts, rights), out) in lefts.chunks(CHUNK).zip(rights.chunks(CHUNK)).zip(out.chunks_mut(CHUNK)) {
            self.decide(decision, (lefts, rights), out, scratch)?;
        }
        Ok(())
    }

    fn check_rows(&self, rows: &[u32]) -> Result<(), CompareError> {
        match rows.iter().max() {
            Some(&row) if row as usize >= self.columns.n_rows => {
                Err(CompareError::NoRow { row, count: self.columns.n_rows })
            }
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Comparer<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Comparer").field("n_rows", &self.columns.n_rows).finish_non_exhaustive()
    }
}

/// Refuses columns that are not those of the program's plan, so that no code can lead outside its dictionary.
fn check_columns(program: &Program, columns: &Columns) -> Result<(), CompareError> {
    let unfit = |feature| CompareError::Columns { feature };
    let n_features = program.domains.len();
    if columns.codes.len() != n_features || columns.domain_of.len() != n_features {
        return Err(unfit(columns.codes.len().min(columns.domain_of.len()).min(n_features)));
    }
    for (feature, codes) in columns.codes.iter().enumerate() {
        let domain = columns.domain_of[feature];
        let values = columns.domains.get(domain).ok_or(unfit(feature))?;
        let len = match values {
            Values::Text(texts) => Some(texts.len()),
            Values::Integer(values) => Some(values.len()),
            Values::Number(values) => Some(values.len()),
            Values::Boolean(values) => Some(values.len()),
            Values::TextList { offsets, codes, elements } => {
                lists(offsets, codes.len()).filter(|_| codes.iter().all(|code| (*code as usize) < elements.len()))
            }
            Values::NumberList { offsets, numbers } => lists(offsets, numbers.len()),
        };
        // A null wraps to 0, every other code to itself plus one.
        let highest = codes.iter().map(|code| code.wrapping_sub(NULL)).max().unwrap_or(0);
        let fits = len.is_some_and(|len| highest as usize <= len) && domain == program.domains[feature];
        if !fits || codes.len() != columns.n_rows {
            return Err(unfit(feature));
        }
    }
    Ok(())
}

/// Gives the number of lists, if none leads outside its values.
fn lists(offsets: &[u32], len: usize) -> Option<usize> {
    let inside = offsets.is_sorted() && offsets.last().is_none_or(|last| *last as usize <= len);
    inside.then_some(offsets.len().saturating_sub(1))
}
