//! Conditions turned into decisions: every test that a comparison needs, at most once per pair.
//!
//! A comparison is a list of conditions. Evaluated one after the other, a similarity would be computed again for each level that
//! reads it, and pairs of equal codes would be compared character by character. Instead the conditions become one decision diagram.
//! Its nodes are [`Test`]s with a few outcomes each (are the codes equal, different, null; which threshold does the similarity
//! reach), its leaves are levels. The diagram is reduced as in Bryant, *Graph-Based Algorithms for Boolean Function Manipulation*
//! (1986): equal nodes are one node, and a test whose outcomes all lead to the same place is left out.

use std::collections::HashMap;

use super::CompareError;
use super::numbers::{self, Constant, Number};
use crate::plan::{
    Condition, FeatureId, Measure, MeasureId, NumberExpression, Operator, Plan, TextSimilarity, ValueType,
};
use crate::sql::expression::Side;

/// Outcomes of [`Test::Codes`].
pub(super) mod codes {
    /// Neither is null and they differ.
    pub(in crate::compare) const DIFFERENT: u8 = 0;
    /// Only the left one is null; also the bit that says so.
    pub(in crate::compare) const LEFT_NULL: u8 = 1;
    /// Only the right one is null; also the bit that says so.
    pub(in crate::compare) const RIGHT_NULL: u8 = 2;
    /// The two are equal and not null.
    pub(in crate::compare) const EQUAL: u8 = 4;
}

/// The three truth values as outcomes and as leaves of a condition.
pub(super) mod truth {
    /// Does not hold.
    pub(in crate::compare) const FALSE: u8 = 0;
    /// Holds.
    pub(in crate::compare) const TRUE: u8 = 1;
    /// Cannot be said, an operand is null.
    pub(in crate::compare) const UNKNOWN: u8 = 2;
}

/// The leaf of a pair that no level of its comparison takes.
pub(super) const NO_LEVEL: u8 = u8::MAX;
/// More constants than this against one number or measure are tested one by one.
const MAXIMUM_CONSTANTS: usize = 100;
/// Steps of building a diagram before it is given up for one diagram per condition.
const BUILD_STEPS: usize = 400;

/// Something to find out about a pair.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// How the codes of two features stand to each other; outcomes in [`codes`].
    Codes {
        /// Feature of the left record.
        left: FeatureId,
        /// Feature of the right record.
        right: FeatureId,
    },
    /// The first of several thresholds that a text measure reaches; their number if it reaches none. Needs non-null texts.
    Text {
        /// The measure, a [`Measure::Text`].
        measure: MeasureId,
        /// Ranks of thresholds, see [`rank`]; rising, so the strictest first.
        thresholds: Vec<f64>,
    },
    /// Where a number lies among constants: `2i` below constant `i`, `2i + 1` at it, `2n` above all, `2n + 1` null.
    Number {
        /// The number.
        number: Number,
        /// The constants, rising in the order of [`numbers::order`].
        constants: Vec<Constant>,
    },
    /// Two numbers against each other; outcomes in [`truth`].
    Compare {
        /// The left operand.
        left: Number,
        /// The comparison.
        operator: Operator,
        /// The right operand.
        right: Number,
    },
    /// A boolean feature of one record; outcomes in [`truth`].
    Flag {
        /// Whose value.
        side: Side,
        /// The feature.
        feature: FeatureId,
    },
    /// A condition with a diagram of its own; outcomes in [`truth`].
    Decision(usize),
    /// All of the conditions hold; outcomes in [`truth`].
    All(Vec<usize>),
    /// One of the conditions holds; outcomes in [`truth`].
    Any(Vec<usize>),
    /// A condition of the SQL tier; outcomes in [`truth`].
    Sql(usize),
}

/// Where an outcome leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Target {
    /// Decided: a level or a truth value.
    Leaf(u8),
    /// To another node.
    Node(u16),
}

/// A test and where its outcomes lead.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Index into [`Tests::tests`].
    pub(super) test: usize,
    /// By outcome the leaf, or [`NO_LEVEL`] where a node follows.
    pub(super) leaves: Box<[u8; 256]>,
    /// By outcome 1 + index into `children`, 0 for a leaf.
    pub(super) branches: Box<[u8; 256]>,
    /// The nodes that follow.
    pub(super) children: Vec<u16>,
}

/// A decision diagram. Nodes follow only nodes of a higher index, the root is the last one.
#[derive(Debug, Clone)]
pub(super) struct Decision {
    /// The nodes.
    pub(super) nodes: Vec<Node>,
    /// Where to start.
    pub(super) root: Target,
}

/// All tests and diagrams of a program.
#[derive(Debug, Clone, Default)]
pub(super) struct Tests {
    /// The tests.
    pub(super) tests: Vec<Test>,
    /// The diagrams.
    pub(super) decisions: Vec<Decision>,
}

/// What a condition says given what is known of the pair.
enum Verdict {
    /// A value of [`truth`].
    Known(u8),
    /// This test must be run first.
    Needs(usize),
}

/// Outcomes known on a path through the diagram, sorted by test.
type Knowledge = Vec<(usize, u8)>;

/// What a list of conditions decides.
#[derive(Clone, Copy)]
enum Goal<'p> {
    /// The index of the first condition that holds.
    Levels(&'p [Condition]),
    /// The truth value of one condition.
    Truth(&'p Condition),
}

/// Builds diagrams for the conditions of a plan.
pub(super) struct Builder<'p> {
    plan: &'p Plan,
    steps: usize,
    /// Expressions compiled, by the place where they stand in the plan.
    numbers: Vec<(&'p NumberExpression, Number)>,
    /// What was built.
    pub(super) built: Tests,
}

/// The state of building one diagram.
struct Diagram<'p> {
    goal: Goal<'p>,
    /// By measure the ranks of the thresholds of its conditions, rising, so the strictest first.
    thresholds: HashMap<MeasureId, Vec<f64>>,
    /// Numbers with the constants that they are compared to, rising.
    constants: Vec<(Number, Vec<Constant>)>,
    /// Pairs of features whose codes may be compared.
    pairs: Vec<(FeatureId, FeatureId)>,
    /// By level the tests that it or a later one may read.
    known_of: Vec<Vec<usize>>,
    nodes: Vec<(usize, Vec<Target>)>,
    interned: HashMap<(usize, Vec<Target>), u16>,
    reached: HashMap<(usize, Knowledge), Target>,
    steps: usize,
}

/// The diagram would need too many steps or nodes.
struct TooLarge;

impl<'p> Builder<'p> {
    /// Starts with nothing built.
    pub(super) fn new(plan: &'p Plan) -> Self {
        Self { plan, steps: BUILD_STEPS, numbers: Vec::new(), built: Tests::default() }
    }

    /// Sets how large a diagram may get.
    #[cfg(test)]
    pub(super) fn with_steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// Builds the diagram of a comparison and gives its index; leaves are levels.
    pub(super) fn levels(&mut self, levels: &'p [Condition]) -> Result<usize, CompareError> {
        for level in levels {
            check(self.plan, level)?;
        }
        let decision = match self.diagram(Goal::Levels(levels))? {
            Some(decision) => decision,
            None => self.chain(levels)?,
        };
        Ok(self.keep(decision))
    }

    /// Builds the diagram of a condition and gives its index; leaves are in [`truth`].
    pub(super) fn condition(&mut self, condition: &'p Condition) -> Result<usize, CompareError> {
        check(self.plan, condition)?;
        self.checked_condition(condition)
    }

    fn checked_condition(&mut self, condition: &'p Condition) -> Result<usize, CompareError> {
        let decision = match self.diagram(Goal::Truth(condition))? {
            Some(decision) => decision,
            None => self.split(condition)?,
        };
        Ok(self.keep(decision))
    }

    fn keep(&mut self, decision: Decision) -> usize {
        self.built.decisions.push(decision);
        self.built.decisions.len() - 1
    }

    fn test(&mut self, test: Test) -> usize {
        if let Some(index) = self.built.tests.iter().position(|known| *known == test) {
            return index;
        }
        self.built.tests.push(test);
        self.built.tests.len() - 1
    }

    /// One node per level, each a condition with its own diagram.
    fn chain(&mut self, levels: &'p [Condition]) -> Result<Decision, CompareError> {
        let mut nodes = Vec::with_capacity(levels.len());
        let mut next = Target::Leaf(NO_LEVEL);
        for (level, condition) in levels.iter().enumerate().rev() {
            let decision = self.checked_condition(condition)?;
            let test = self.test(Test::Decision(decision));
            nodes.push(node(test, &[next, Target::Leaf(level_leaf(level)), next]));
            next = Target::Node(index(nodes.len() - 1));
        }
        Ok(Decision { nodes, root: next })
    }

    /// One node for the outermost operator of a condition.
    fn split(&mut self, condition: &'p Condition) -> Result<Decision, CompareError> {
        let [no, yes, unknown] = [truth::FALSE, truth::TRUE, truth::UNKNOWN].map(Target::Leaf);
        let (test, targets) = match condition {
            Condition::And(parts) => (Test::All(self.parts(parts)?), [no, yes, unknown]),
            Condition::Or(parts) => (Test::Any(self.parts(parts)?), [no, yes, unknown]),
            Condition::Not(inner) => (Test::Decision(self.checked_condition(inner)?), [yes, no, unknown]),
            Condition::IsUnknown(inner) => (Test::Decision(self.checked_condition(inner)?), [no, no, yes]),
            _ => return Err(CompareError::Internal { what: "a condition without parts has too large a diagram" }),
        };
        let test = self.test(test);
        Ok(Decision { nodes: vec![node(test, &targets)], root: Target::Node(0) })
    }

    fn parts(&mut self, parts: &'p [Condition]) -> Result<Vec<usize>, CompareError> {
        parts.iter().map(|part| self.checked_condition(part)).collect()
    }

    fn diagram(&mut self, goal: Goal<'p>) -> Result<Option<Decision>, CompareError> {
        let conditions = goal.conditions();
        let mut diagram = Diagram {
            goal,
            thresholds: HashMap::new(),
            constants: Vec::new(),
            pairs: Vec::new(),
            known_of: Vec::new(),
            nodes: Vec::new(),
            interned: HashMap::new(),
            reached: HashMap::new(),
            // A condition without parts cannot be split and needs few steps.
            steps: if goal.has_parts() { self.steps } else { usize::MAX },
        };
        for condition in conditions {
            self.gather(&mut diagram, condition)?;
        }
        diagram.settle();
        let mut below: Vec<usize> = Vec::new();
        for condition in conditions.iter().rev() {
            self.read(&diagram, condition, &mut below)?;
            diagram.known_of.push(below.clone());
        }
        diagram.known_of.reverse();
        let Ok(root) = self.reach(&mut diagram, 0, &Vec::new())? else { return Ok(None) };
        let nodes = diagram.nodes.iter().map(|(test, targets)| node(*test, targets)).collect();
        Ok(Some(Decision { nodes, root }))
    }

    /// Gives the node or leaf for what is known when a level is reached.
    fn reach(
        &mut self,
        diagram: &mut Diagram<'p>,
        level: usize,
        knowledge: &Knowledge,
    ) -> Result<Result<Target, TooLarge>, CompareError> {
        let conditions = diagram.goal.conditions();
        let mut level = level;
        let needed = loop {
            let Some(condition) = conditions.get(level) else { return Ok(Ok(Target::Leaf(NO_LEVEL))) };
            let only_truth = matches!(diagram.goal, Goal::Levels(_));
            match self.decide(diagram, condition, knowledge, only_truth)? {
                Verdict::Needs(test) => break test,
                Verdict::Known(value) => match diagram.goal {
                    Goal::Truth(_) => return Ok(Ok(Target::Leaf(value))),
                    Goal::Levels(_) if value == truth::TRUE => return Ok(Ok(Target::Leaf(level_leaf(level)))),
                    Goal::Levels(_) => level += 1,
                },
            }
        };
        let readable = &diagram.known_of[level];
        let kept: Knowledge = knowledge.iter().copied().filter(|(test, _)| readable.contains(test)).collect();
        let key = (level, kept);
        if let Some(&target) = diagram.reached.get(&key) {
            return Ok(Ok(target));
        }
        if diagram.steps == 0 {
            return Ok(Err(TooLarge));
        }
        diagram.steps -= 1;
        let outcomes = self.outcomes(needed);
        let mut targets = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            let mut more = key.1.clone();
            let place = more.partition_point(|(test, _)| *test < needed);
            more.insert(place, (needed, outcome));
            match self.reach(diagram, level, &more)? {
                Ok(target) => targets.push((outcome, target)),
                Err(too_large) => return Ok(Err(too_large)),
            }
        }
        let first = targets[0].1;
        let target = if targets.iter().all(|(_, target)| *target == first) {
            first
        } else {
            let highest = usize::from(targets.iter().map(|(outcome, _)| *outcome).max().unwrap_or(0));
            let mut dense = vec![Target::Leaf(NO_LEVEL); highest + 1];
            for (outcome, target) in targets {
                dense[usize::from(outcome)] = target;
            }
            let entry = (needed, dense);
            if let Some(&known) = diagram.interned.get(&entry) {
                Target::Node(known)
            } else {
                if diagram.nodes.len() >= 1_000 {
                    return Ok(Err(TooLarge));
                }
                let id = index(diagram.nodes.len());
                diagram.nodes.push(entry.clone());
                diagram.interned.insert(entry, id);
                Target::Node(id)
            }
        };
        diagram.reached.insert(key, target);
        Ok(Ok(target))
    }

    fn outcomes(&self, test: usize) -> Vec<u8> {
        match &self.built.tests[test] {
            Test::Codes { .. } => vec![
                codes::DIFFERENT,
                codes::LEFT_NULL,
                codes::RIGHT_NULL,
                codes::LEFT_NULL | codes::RIGHT_NULL,
                codes::EQUAL,
            ],
            Test::Text { thresholds, .. } => (0..=outcome(thresholds.len())).collect(),
            Test::Number { constants, .. } => (0..=outcome(2 * constants.len() + 1)).collect(),
            _ => vec![truth::FALSE, truth::TRUE, truth::UNKNOWN],
        }
    }

    /// Says what a condition is worth, or which test must be run to say more.
    fn decide(
        &mut self,
        diagram: &Diagram<'p>,
        condition: &'p Condition,
        knowledge: &Knowledge,
        only_truth: bool,
    ) -> Result<Verdict, CompareError> {
        let verdict = match condition {
            Condition::Constant(value) => Verdict::Known(match value {
                Some(true) => truth::TRUE,
                Some(false) => truth::FALSE,
                None => truth::UNKNOWN,
            }),
            Condition::IsNull { side, feature } => {
                if let Some(null) = self.is_null(knowledge, *side, *feature) {
                    Verdict::Known(u8::from(null))
                } else {
                    let (left, right) = diagram.pair_with(*side, *feature);
                    Verdict::Needs(self.test(Test::Codes { left, right }))
                }
            }
            Condition::Equal { left, right } => match self.compared(knowledge, *left, *right) {
                Some(codes::EQUAL) => Verdict::Known(truth::TRUE),
                Some(codes::DIFFERENT) => Verdict::Known(truth::FALSE),
                Some(_) => Verdict::Known(truth::UNKNOWN),
                None if self.either_null(knowledge, *left, *right) => Verdict::Known(truth::UNKNOWN),
                None => Verdict::Needs(self.test(Test::Codes { left: *left, right: *right })),
            },
            Condition::Measure { measure, operator, threshold } => {
                self.decide_measure(diagram, knowledge, (*measure, *operator, *threshold))
            }
            Condition::Compare { left, operator, right } => {
                self.decide_compare(diagram, knowledge, left, *operator, right)?
            }
            Condition::Not(inner) => match self.decide(diagram, inner, knowledge, false)? {
                Verdict::Known(truth::FALSE) => Verdict::Known(truth::TRUE),
                Verdict::Known(truth::TRUE) => Verdict::Known(truth::FALSE),
                other => other,
            },
            Condition::IsUnknown(inner) => match self.decide(diagram, inner, knowledge, false)? {
                Verdict::Known(value) => Verdict::Known(u8::from(value == truth::UNKNOWN)),
                needs @ Verdict::Needs(_) => needs,
            },
            Condition::And(parts) => self.decide_parts(diagram, parts, knowledge, only_truth, truth::FALSE)?,
            Condition::Or(parts) => self.decide_parts(diagram, parts, knowledge, only_truth, truth::TRUE)?,
            Condition::Flag { side, feature } => {
                self.outcome_of(knowledge, Test::Flag { side: *side, feature: *feature })
            }
            Condition::Sql(index) => self.outcome_of(knowledge, Test::Sql(*index)),
        };
        Ok(verdict)
    }

    /// `AND` when `decisive` is false, `OR` when it is true.
    fn decide_parts(
        &mut self,
        diagram: &Diagram<'p>,
        parts: &'p [Condition],
        knowledge: &Knowledge,
        only_truth: bool,
        decisive: u8,
    ) -> Result<Verdict, CompareError> {
        let mut needed = None;
        let mut unknown = false;
        for part in parts {
            match self.decide(diagram, part, knowledge, only_truth)? {
                Verdict::Known(value) if value == decisive => return Ok(Verdict::Known(decisive)),
                Verdict::Known(truth::UNKNOWN) => unknown = true,
                Verdict::Known(_) => {}
                Verdict::Needs(test) => needed = needed.or(Some(test)),
            }
        }
        // Where only truth counts, a conjunction with an unknown part is as good as false.
        Ok(match needed {
            _ if unknown && only_truth && decisive == truth::FALSE => Verdict::Known(truth::UNKNOWN),
            Some(test) => Verdict::Needs(test),
            None if unknown => Verdict::Known(truth::UNKNOWN),
            None => Verdict::Known(if decisive == truth::FALSE { truth::TRUE } else { truth::FALSE }),
        })
    }

    fn decide_measure(
        &mut self,
        diagram: &Diagram<'p>,
        knowledge: &Knowledge,
        (measure, operator, threshold): (MeasureId, Operator, f64),
    ) -> Verdict {
        let plan = self.plan;
        let Some((similarity, left, right)) = banded(&plan.measures[measure]) else {
            return self.decide_number(diagram, knowledge, Number::Measure(measure), operator, threshold);
        };
        let thresholds = &diagram.thresholds[&measure];
        if thresholds.len() > MAXIMUM_CONSTANTS {
            return self.decide_number(diagram, knowledge, Number::Measure(measure), operator, threshold);
        }
        if self.either_null(knowledge, left, right) {
            return Verdict::Known(truth::UNKNOWN);
        }
        let both_known = self.is_null(knowledge, Side::Left, left).is_some()
            && self.is_null(knowledge, Side::Right, right).is_some();
        if !both_known {
            return Verdict::Needs(self.test(Test::Codes { left, right }));
        }
        let test = self.test(Test::Text { measure, thresholds: thresholds.clone() });
        let Some(band) = known(knowledge, test) else { return Verdict::Needs(test) };
        let holds = reached_bands(similarity, operator, threshold).holds(thresholds, band);
        Verdict::Known(u8::from(holds))
    }

    fn decide_compare(
        &mut self,
        diagram: &Diagram<'p>,
        knowledge: &Knowledge,
        left: &'p NumberExpression,
        operator: Operator,
        right: &'p NumberExpression,
    ) -> Result<Verdict, CompareError> {
        match (left, right) {
            (NumberExpression::Constant(None), _) | (_, NumberExpression::Constant(None)) => {
                Ok(Verdict::Known(truth::UNKNOWN))
            }
            (number, NumberExpression::Constant(Some(constant))) => {
                let number = self.number(number)?;
                Ok(self.decide_number(diagram, knowledge, number, operator, *constant))
            }
            (NumberExpression::Constant(Some(constant)), number) => {
                let number = self.number(number)?;
                Ok(self.decide_number(diagram, knowledge, number, mirrored(operator), *constant))
            }
            _ => {
                let left = self.number(left)?;
                let right = self.number(right)?;
                Ok(self.outcome_of(knowledge, Test::Compare { left, operator, right }))
            }
        }
    }

    fn decide_number(
        &mut self,
        diagram: &Diagram<'p>,
        knowledge: &Knowledge,
        number: Number,
        operator: Operator,
        constant: f64,
    ) -> Verdict {
        let constants = diagram.constants_of(&number);
        if constants.len() > MAXIMUM_CONSTANTS || constants.is_empty() {
            let right = Number::Constant(Some(Constant(constant)));
            return self.outcome_of(knowledge, Test::Compare { left: number, operator, right });
        }
        let place = constants.partition_point(|other| numbers::order(other.0, constant).is_lt());
        let null = outcome(2 * constants.len() + 1);
        let test = self.test(Test::Number { number, constants: constants.to_vec() });
        let Some(region) = known(knowledge, test) else { return Verdict::Needs(test) };
        if region == null {
            return Verdict::Known(truth::UNKNOWN);
        }
        let order = region.cmp(&outcome(2 * place + 1));
        Verdict::Known(u8::from(numbers::holds(operator, order)))
    }

    fn outcome_of(&mut self, knowledge: &Knowledge, test: Test) -> Verdict {
        let test = self.test(test);
        known(knowledge, test).map_or(Verdict::Needs(test), Verdict::Known)
    }

    /// Compiles a number, once however often a growing diagram asks; the conditions of its cases get diagrams of their own.
    fn number(&mut self, expression: &'p NumberExpression) -> Result<Number, CompareError> {
        // An expression with a constant that is not a number does not equal itself, but stands where it stands.
        let known = |known: &NumberExpression| std::ptr::eq(known, expression) || known == expression;
        if let Some((_, number)) = self.numbers.iter().find(|(expression, _)| known(expression)) {
            return Ok(number.clone());
        }
        let number = self.compiled(expression)?;
        self.numbers.push((expression, number.clone()));
        Ok(number)
    }

    fn compiled(&mut self, expression: &'p NumberExpression) -> Result<Number, CompareError> {
        Ok(match expression {
            NumberExpression::Constant(value) => Number::Constant(value.map(Constant)),
            NumberExpression::Feature { side, feature } => Number::Feature { side: *side, feature: *feature },
            NumberExpression::Measure(measure) => Number::Measure(*measure),
            NumberExpression::Function { function, arguments } => {
                let arguments = arguments.iter().map(|argument| self.number(argument)).collect::<Result<_, _>>()?;
                Number::Function { function: *function, arguments }.simplified()
            }
            NumberExpression::Case { branches, otherwise } => {
                let mut compiled = Vec::with_capacity(branches.len());
                for (condition, result) in branches {
                    compiled.push((self.case_condition(condition)?, self.number(result)?));
                }
                Number::Case { branches: compiled, otherwise: Box::new(self.number(otherwise)?) }
            }
        })
    }

    fn case_condition(&mut self, condition: &'p Condition) -> Result<usize, CompareError> {
        self.checked_condition(condition)
    }

    /// Collects thresholds, constants and pairs of features from a condition.
    fn gather(&mut self, diagram: &mut Diagram<'p>, condition: &'p Condition) -> Result<(), CompareError> {
        match condition {
            Condition::Equal { left, right } => diagram.pair(*left, *right),
            Condition::Measure { measure, operator, threshold } => {
                if let Some((similarity, left, right)) = banded(&self.plan.measures[*measure]) {
                    diagram.pair(left, right);
                    let reach = reached_bands(similarity, *operator, *threshold);
                    let ranks = diagram.thresholds.entry(*measure).or_default();
                    ranks.extend([reach.at_least, reach.above].into_iter().flatten());
                } else {
                    diagram.constant(Number::Measure(*measure), *threshold);
                }
            }
            Condition::Compare { left, right, .. } => match (left, right) {
                (NumberExpression::Constant(None), _) | (_, NumberExpression::Constant(None)) => {}
                (number, NumberExpression::Constant(Some(constant)))
                | (NumberExpression::Constant(Some(constant)), number) => {
                    diagram.constant(self.number(number)?, *constant);
                }
                _ => {}
            },
            Condition::Not(inner) | Condition::IsUnknown(inner) => self.gather(diagram, inner)?,
            Condition::And(parts) | Condition::Or(parts) => {
                for part in parts {
                    self.gather(diagram, part)?;
                }
            }
            Condition::Constant(_) | Condition::Flag { .. } | Condition::Sql(_) | Condition::IsNull { .. } => {}
        }
        Ok(())
    }

    /// Collects the tests that a condition may read.
    fn read(
        &mut self,
        diagram: &Diagram<'p>,
        condition: &'p Condition,
        tests: &mut Vec<usize>,
    ) -> Result<(), CompareError> {
        let mut found = Vec::new();
        match condition {
            Condition::Constant(_) => {}
            Condition::IsNull { side, feature } => {
                for &(left, right) in &diagram.pairs {
                    if feature_of(*side, left, right) == *feature {
                        found.push(self.test(Test::Codes { left, right }));
                    }
                }
            }
            Condition::Equal { left, right } => self.read_codes(diagram, *left, *right, &mut found),
            Condition::Measure { measure, operator, threshold } => {
                if let Some((_, left, right)) = banded(&self.plan.measures[*measure]) {
                    self.read_codes(diagram, left, right, &mut found);
                }
                let verdict = self.decide_measure(diagram, &Knowledge::new(), (*measure, *operator, *threshold));
                if let Verdict::Needs(test) = verdict {
                    found.push(test);
                }
                if let Some(thresholds) = diagram.thresholds.get(measure) {
                    found.push(self.test(Test::Text { measure: *measure, thresholds: thresholds.clone() }));
                }
            }
            Condition::Compare { left, operator, right } => {
                if let Verdict::Needs(test) = self.decide_compare(diagram, &Knowledge::new(), left, *operator, right)? {
                    found.push(test);
                }
            }
            Condition::Not(inner) | Condition::IsUnknown(inner) => self.read(diagram, inner, tests)?,
            Condition::And(parts) | Condition::Or(parts) => {
                for part in parts {
                    self.read(diagram, part, tests)?;
                }
            }
            Condition::Flag { side, feature } => found.push(self.test(Test::Flag { side: *side, feature: *feature })),
            Condition::Sql(index) => found.push(self.test(Test::Sql(*index))),
        }
        for test in found {
            if !tests.contains(&test) {
                tests.push(test);
            }
        }
        Ok(())
    }

    fn read_codes(&mut self, diagram: &Diagram<'p>, left: FeatureId, right: FeatureId, found: &mut Vec<usize>) {
        for &(one, other) in &diagram.pairs {
            if one == left || other == right {
                found.push(self.test(Test::Codes { left: one, right: other }));
            }
        }
    }

    /// Tells whether a feature is null, if a test of its codes says so.
    fn is_null(&self, knowledge: &Knowledge, side: Side, feature: FeatureId) -> Option<bool> {
        knowledge.iter().find_map(|(test, outcome)| match self.built.tests[*test] {
            Test::Codes { left, right } if feature_of(side, left, right) == feature => {
                Some(outcome & null_bit(side) != 0)
            }
            _ => None,
        })
    }

    fn either_null(&self, knowledge: &Knowledge, left: FeatureId, right: FeatureId) -> bool {
        self.is_null(knowledge, Side::Left, left) == Some(true)
            || self.is_null(knowledge, Side::Right, right) == Some(true)
    }

    fn compared(&self, knowledge: &Knowledge, left: FeatureId, right: FeatureId) -> Option<u8> {
        knowledge
            .iter()
            .find(|(test, _)| self.built.tests[*test] == Test::Codes { left, right })
            .map(|(_, outcome)| *outcome)
    }
}

impl<'p> Goal<'p> {
    fn conditions(self) -> &'p [Condition] {
        match self {
            Self::Levels(levels) => levels,
            Self::Truth(condition) => std::slice::from_ref(condition),
        }
    }

    fn has_parts(self) -> bool {
        match self {
            Self::Levels(_) => true,
            Self::Truth(condition) => {
                matches!(condition, Condition::And(_) | Condition::Or(_) | Condition::Not(_) | Condition::IsUnknown(_))
            }
        }
    }
}

impl Diagram<'_> {
    /// Sorts what was gathered, and gives features that are only tested for null a pair with themselves.
    fn settle(&mut self) {
        for thresholds in self.thresholds.values_mut() {
            thresholds.sort_by(f64::total_cmp);
            thresholds.dedup();
        }
        for (_, constants) in &mut self.constants {
            constants.sort_by(|one, other| numbers::order(one.0, other.0));
            constants.dedup_by(|one, other| numbers::order(one.0, other.0).is_eq());
        }
        let mut alone = Vec::new();
        for condition in self.goal.conditions() {
            null_tested(condition, &mut alone);
        }
        for (side, feature) in alone {
            if !self.pairs.iter().any(|(left, right)| feature_of(side, *left, *right) == feature) {
                self.pair(feature, feature);
            }
        }
    }

    fn pair(&mut self, left: FeatureId, right: FeatureId) {
        if !self.pairs.contains(&(left, right)) {
            self.pairs.push((left, right));
        }
    }

    fn constant(&mut self, number: Number, constant: f64) {
        match self.constants.iter_mut().find(|(known, _)| *known == number) {
            Some((_, constants)) => constants.push(Constant(constant)),
            None => self.constants.push((number, vec![Constant(constant)])),
        }
    }

    fn constants_of(&self, number: &Number) -> &[Constant] {
        self.constants.iter().find(|(known, _)| known == number).map_or(&[], |(_, constants)| constants)
    }

    fn pair_with(&self, side: Side, feature: FeatureId) -> (FeatureId, FeatureId) {
        let found = self.pairs.iter().find(|(left, right)| feature_of(side, *left, *right) == feature);
        found.copied().unwrap_or((feature, feature))
    }
}

/// Which thresholds a value must reach, and which it must not, for a condition on a measure to hold.
struct Reach {
    at_least: Option<f64>,
    above: Option<f64>,
    negated: bool,
}

impl Reach {
    fn holds(&self, ranks: &[f64], band: u8) -> bool {
        let band = usize::from(band);
        let reached = |rank: f64| band <= ranks.partition_point(|other| *other < rank);
        let inside = self.at_least.is_none_or(reached) && !self.above.is_some_and(reached);
        inside != self.negated
    }
}

/// Tells whether larger values of a similarity mean more alike.
pub(super) fn larger_is_closer(similarity: TextSimilarity) -> bool {
    !matches!(similarity, TextSimilarity::Levenshtein | TextSimilarity::DamerauLevenshtein | TextSimilarity::Hamming)
}

/// Gives the threshold of a rank and the rank of a threshold: lower ranks are stricter.
pub(super) fn rank(similarity: TextSimilarity, threshold: f64) -> f64 {
    if larger_is_closer(similarity) { -threshold } else { threshold }
}

fn reached_bands(similarity: TextSimilarity, operator: Operator, threshold: f64) -> Reach {
    // Not-a-number is above every value.
    let threshold = if threshold.is_nan() { f64::INFINITY } else { threshold };
    // The loosest rank that still counts as at the threshold or closer, and as strictly closer.
    let (at, closer) = if larger_is_closer(similarity) {
        (-threshold, -threshold.next_up())
    } else {
        (threshold.floor(), threshold.next_down().floor())
    };
    let operator = if larger_is_closer(similarity) { operator } else { mirrored(operator) };
    let (at_least, above, negated) = match operator {
        Operator::GreaterOrEqual => (Some(at), None, false),
        Operator::Greater => (Some(closer), None, false),
        Operator::LessOrEqual => (Some(closer), None, true),
        Operator::Less => (Some(at), None, true),
        Operator::Equal => (Some(at), Some(closer), false),
        Operator::NotEqual => (Some(at), Some(closer), true),
    };
    Reach { at_least, above, negated }
}

/// Gives the features of a measure whose thresholds kernels test; others are computed as numbers.
fn banded(measure: &Measure) -> Option<(TextSimilarity, FeatureId, FeatureId)> {
    match measure {
        Measure::Text { similarity: TextSimilarity::Hamming, .. } => None,
        Measure::Text { similarity, left, right } => Some((*similarity, *left, *right)),
        _ => None,
    }
}

fn null_tested(condition: &Condition, found: &mut Vec<(Side, FeatureId)>) {
    match condition {
        Condition::IsNull { side, feature } => found.push((*side, *feature)),
        Condition::Not(inner) | Condition::IsUnknown(inner) => null_tested(inner, found),
        Condition::And(parts) | Condition::Or(parts) => parts.iter().for_each(|part| null_tested(part, found)),
        _ => {}
    }
}

fn mirrored(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        same => same,
    }
}

fn feature_of(side: Side, left: FeatureId, right: FeatureId) -> FeatureId {
    match side {
        Side::Left => left,
        Side::Right => right,
    }
}

fn null_bit(side: Side) -> u8 {
    match side {
        Side::Left => codes::LEFT_NULL,
        Side::Right => codes::RIGHT_NULL,
    }
}

fn known(knowledge: &Knowledge, test: usize) -> Option<u8> {
    knowledge.iter().find(|(known, _)| *known == test).map(|(_, outcome)| *outcome)
}

fn node(test: usize, targets: &[Target]) -> Node {
    let mut node = Node { test, leaves: Box::new([NO_LEVEL; 256]), branches: Box::new([0; 256]), children: Vec::new() };
    for (place, target) in targets.iter().enumerate().take(256) {
        match *target {
            Target::Leaf(leaf) => node.leaves[place] = leaf,
            Target::Node(child) => {
                let branch = node.children.iter().position(|known| *known == child).unwrap_or_else(|| {
                    node.children.push(child);
                    node.children.len() - 1
                });
                node.branches[place] = outcome(branch + 1);
            }
        }
    }
    node
}

/// Narrows a node's index; diagrams are given up long before it does not fit.
fn index(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}

/// Narrows a level's index; [`super::Program::compile`] refuses comparisons with more levels than fit.
fn level_leaf(level: usize) -> u8 {
    u8::try_from(level).unwrap_or(NO_LEVEL)
}

/// Narrows an outcome; there are at most `2 * MAXIMUM_CONSTANTS + 2`.
fn outcome(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}

/// Refuses conditions that the plan's features and measures do not bear out.
fn check(plan: &Plan, condition: &Condition) -> Result<(), CompareError> {
    match condition {
        Condition::Constant(_) => Ok(()),
        Condition::IsNull { feature, .. } => feature_type(plan, *feature).map(drop),
        Condition::Flag { feature, .. } => expect_type(plan, *feature, &[ValueType::Boolean]),
        Condition::Equal { left, right } => one_domain(plan, *left, *right),
        Condition::Measure { measure, .. } => check_measure(plan, *measure),
        Condition::Compare { left, right, .. } => check_number(plan, left).and_then(|()| check_number(plan, right)),
        Condition::Not(inner) | Condition::IsUnknown(inner) => check(plan, inner),
        Condition::And(parts) | Condition::Or(parts) => parts.iter().try_for_each(|part| check(plan, part)),
        Condition::Sql(index) if *index < plan.sql_conditions.len() => Ok(()),
        Condition::Sql(_) => Err(CompareError::Internal { what: "an SQL condition is not in the plan" }),
    }
}

fn check_number(plan: &Plan, number: &NumberExpression) -> Result<(), CompareError> {
    match number {
        NumberExpression::Constant(_) => Ok(()),
        NumberExpression::Feature { feature, .. } => {
            expect_type(plan, *feature, &[ValueType::Number, ValueType::Integer, ValueType::Boolean])
        }
        NumberExpression::Measure(measure) => check_measure(plan, *measure),
        NumberExpression::Function { arguments, .. } => {
            arguments.iter().try_for_each(|argument| check_number(plan, argument))
        }
        NumberExpression::Case { branches, otherwise } => {
            for (condition, result) in branches {
                check(plan, condition)?;
                check_number(plan, result)?;
            }
            check_number(plan, otherwise)
        }
    }
}

fn check_measure(plan: &Plan, measure: MeasureId) -> Result<(), CompareError> {
    let measure = plan.measures.get(measure).ok_or(CompareError::Internal { what: "a measure is not in the plan" })?;
    let (left, right, types): (_, _, &[ValueType]) = match measure {
        Measure::Text { left, right, .. } => (*left, *right, &[ValueType::Text]),
        Measure::PairwiseText { left, right, .. } => (*left, *right, &[ValueType::TextList]),
        Measure::SharedElements { left, right } | Measure::MissingElements { left, right } => {
            (*left, *right, &[ValueType::TextList, ValueType::NumberList])
        }
        Measure::VectorCosine { left, right } => (*left, *right, &[ValueType::NumberList]),
    };
    expect_type(plan, left, types)?;
    one_domain(plan, left, right)
}

fn one_domain(plan: &Plan, left: FeatureId, right: FeatureId) -> Result<(), CompareError> {
    feature_type(plan, left)?;
    feature_type(plan, right)?;
    if plan.features[left].domain == plan.features[right].domain {
        Ok(())
    } else {
        Err(CompareError::Internal { what: "features without a common dictionary are compared" })
    }
}

fn feature_type(plan: &Plan, feature: FeatureId) -> Result<ValueType, CompareError> {
    let feature = plan.features.get(feature);
    feature.map(|feature| feature.value_type).ok_or(CompareError::Internal { what: "a feature is not in the plan" })
}

fn expect_type(plan: &Plan, feature: FeatureId, types: &[ValueType]) -> Result<(), CompareError> {
    let found = feature_type(plan, feature)?;
    if types.contains(&found) {
        Ok(())
    } else {
        Err(CompareError::Internal { what: "a feature is read as another type than it has" })
    }
}
