//! Decision diagrams run over batches of pairs.

use super::decision::{Node, Target, Test, codes, truth};
use super::numbers::{self, Constant, Number};
use super::{CompareError, Comparer, Scratch};
use crate::columns::{NULL, Values};
use crate::plan::Operator;
use crate::sql::expression::Side;

impl Comparer<'_> {
    /// Writes for each pair the leaf of a diagram.
    pub(super) fn decide(
        &self,
        decision: usize,
        (lefts, rights): (&[u32], &[u32]),
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<(), CompareError> {
        let decision = &self.program.tests.decisions[decision];
        let root = match decision.root {
            Target::Leaf(leaf) => {
                out.fill(leaf);
                return Ok(());
            }
            Target::Node(root) => usize::from(root),
        };
        let mut lists = scratch.take_lists(decision.nodes.len());
        let mut outcomes = scratch.take_bytes(lefts.len());
        self.outcomes(decision.nodes[root].test, (lefts, rights), &mut outcomes, scratch)?;
        dispatch(&decision.nodes[root], &outcomes, 0.., out, &mut lists);

        let mut left_rows = scratch.take_words();
        let mut right_rows = scratch.take_words();
        for index in (0..root).rev() {
            if lists[index].is_empty() {
                continue;
            }
            let places = std::mem::take(&mut lists[index]);
            left_rows.clear();
            left_rows.extend(places.iter().map(|place| lefts[*place as usize]));
            right_rows.clear();
            right_rows.extend(places.iter().map(|place| rights[*place as usize]));
            outcomes.resize(places.len(), 0);
            self.outcomes(decision.nodes[index].test, (&left_rows, &right_rows), &mut outcomes, scratch)?;
            dispatch(&decision.nodes[index], &outcomes, places.iter().copied(), out, &mut lists);
            lists[index] = places;
        }
        scratch.give_words(left_rows);
        scratch.give_words(right_rows);
        scratch.give_bytes(outcomes);
        scratch.give_lists(lists);
        Ok(())
    }

    /// Writes for each pair the outcome of a test.
    fn outcomes(
        &self,
        index: usize,
        (lefts, rights): (&[u32], &[u32]),
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<(), CompareError> {
        match &self.program.tests.tests[index] {
            Test::Codes { left, right } => {
                compare_codes((&self.columns.codes[*left], lefts), (&self.columns.codes[*right], rights), out);
            }
            Test::Text { .. } => self.bands(index, (lefts, rights), out, scratch)?,
            Test::Number { number, constants } => {
                let mut values = scratch.take_numbers();
                numbers::evaluate(self, number, (lefts, rights), &mut values, scratch)?;
                for (slot, place) in out.iter_mut().zip(0..) {
                    *slot =
                        values.get(place).map_or(outcome(2 * constants.len() + 1), |value| region(value, constants));
                }
                scratch.give_numbers(values);
            }
            Test::Compare { left, operator, right } => {
                self.compare_numbers((left, *operator, right), (lefts, rights), out, scratch)?;
            }
            Test::Flag { side, feature } => {
                let Values::Boolean(flags) = self.columns.values(*feature) else {
                    return Err(CompareError::Internal { what: "a flag is not a truth value" });
                };
                let rows = if *side == Side::Left { lefts } else { rights };
                let codes = &self.columns.codes[*feature];
                for (slot, &row) in out.iter_mut().zip(rows) {
                    let code = codes[row as usize];
                    *slot = if code == NULL { truth::UNKNOWN } else { u8::from(flags[code as usize]) };
                }
            }
            Test::Decision(decision) => self.decide(*decision, (lefts, rights), out, scratch)?,
            Test::All(parts) => self.connect(parts, truth::FALSE, (lefts, rights), out, scratch)?,
            Test::Any(parts) => self.connect(parts, truth::TRUE, (lefts, rights), out, scratch)?,
            Test::Sql(condition) => match self.tier {
                Some(tier) => tier.evaluate(*condition, lefts, rights, out)?,
                None => return Err(CompareError::Internal { what: "an SQL condition without an SQL tier" }),
            },
        }
        Ok(())
    }

    fn compare_numbers(
        &self,
        (left, operator, right): (&Number, Operator, &Number),
        (lefts, rights): (&[u32], &[u32]),
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<(), CompareError> {
        let mut one = scratch.take_numbers();
        let mut other = scratch.take_numbers();
        numbers::evaluate(self, left, (lefts, rights), &mut one, scratch)?;
        numbers::evaluate(self, right, (lefts, rights), &mut other, scratch)?;
        for (slot, place) in out.iter_mut().zip(0..) {
            *slot = match (one.get(place), other.get(place)) {
                (Some(left), Some(right)) => u8::from(numbers::holds(operator, numbers::order(left, right))),
                _ => truth::UNKNOWN,
            };
        }
        scratch.give_numbers(one);
        scratch.give_numbers(other);
        Ok(())
    }

    /// `AND` when `decisive` is false, `OR` when it is true, each part only for the pairs that are still open.
    fn connect(
        &self,
        parts: &[usize],
        decisive: u8,
        (lefts, rights): (&[u32], &[u32]),
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<(), CompareError> {
        out.fill(truth::TRUE - decisive);
        let mut places: Vec<usize> = (0..out.len()).collect();
        for part in parts {
            let rows: (Vec<u32>, Vec<u32>) = places.iter().map(|place| (lefts[*place], rights[*place])).unzip();
            let mut truths = scratch.take_bytes(places.len());
            self.decide(*part, (&rows.0, &rows.1), &mut truths, scratch)?;
            for (place, truth) in places.iter().zip(&truths) {
                if *truth == decisive || *truth == truth::UNKNOWN {
                    out[*place] = *truth;
                }
            }
            places.retain(|place| out[*place] != decisive);
            scratch.give_bytes(truths);
        }
        Ok(())
    }
}

/// Writes leaves and hands the undecided pairs on to the nodes that follow.
fn dispatch(
    node: &Node,
    outcomes: &[u8],
    places: impl Iterator<Item = u32> + Clone,
    out: &mut [u8],
    lists: &mut [Vec<u32>],
) {
    let Some((first, others)) = node.children.split_first() else {
        for (outcome, place) in outcomes.iter().zip(places) {
            out[place as usize] = node.leaves[usize::from(*outcome)];
        }
        return;
    };
    let list = &mut lists[usize::from(*first)];
    let mut len = list.len();
    list.resize(len + outcomes.len(), 0);
    for (outcome, place) in outcomes.iter().zip(places.clone()) {
        out[place as usize] = node.leaves[usize::from(*outcome)];
        // Written always and kept only where the outcome leads here: no branch to mispredict.
        list[len] = place;
        len += usize::from(node.branches[usize::from(*outcome)] == 1);
    }
    list.truncate(len);
    for (child, branch) in others.iter().zip(2..) {
        let list = &mut lists[usize::from(*child)];
        let mut len = list.len();
        list.resize(len + outcomes.len(), 0);
        for (outcome, place) in outcomes.iter().zip(places.clone()) {
            list[len] = place;
            len += usize::from(node.branches[usize::from(*outcome)] == branch);
        }
        list.truncate(len);
    }
}

fn compare_codes((left_codes, lefts): (&[u32], &[u32]), (right_codes, rights): (&[u32], &[u32]), out: &mut [u8]) {
    for ((slot, &left), &right) in out.iter_mut().zip(lefts).zip(rights) {
        let left = left_codes[left as usize];
        let right = right_codes[right as usize];
        let nulls = codes::LEFT_NULL * u8::from(left == NULL) + codes::RIGHT_NULL * u8::from(right == NULL);
        *slot = nulls + codes::EQUAL * (u8::from(left == right) & u8::from(nulls == 0));
    }
}

/// Gives the place of a value among constants, see [`Test::Number`].
fn region(value: f64, constants: &[Constant]) -> u8 {
    let passed = constants.iter().map(|constant| {
        let order = numbers::order(value, constant.0);
        u8::from(order.is_ge()) + u8::from(order.is_gt())
    });
    passed.sum()
}

fn outcome(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}
