//! Exact pair counts from group sizes.

use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _,
};

use super::keys::{Groups, Keys, RuleKeys};
use super::pairs::{Judge, Walk, WalkBuffers};
use super::{Blocking, CappedBlock, Rule, Scope, Search};
use crate::columns::NULL;

/// How many pairs the rules propose.
#[derive(Debug, Clone, PartialEq)]
pub struct PairCounts {
    /// For each rule its counts.
    pub rules: Vec<RuleCount>,
    /// Distinct pairs over all rules.
    pub total: u64,
    /// A rule has a condition beyond equality that was not evaluated, so counts are at most what they say.
    pub upper_bound: bool,
    /// All pairs that the link type allows.
    pub possible_pairs: u64,
}

/// How many pairs a rule proposes.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleCount {
    /// The rule's SQL or a line that names it.
    pub description: String,
    /// Pairs the rule finds by itself.
    pub pairs: u64,
    /// Pairs that no earlier rule finds.
    pub marginal: u64,
    /// Distinct pairs of this rule and all earlier ones.
    pub cumulative: u64,
    /// `pairs` counts what a condition beyond equality would still filter.
    pub upper_bound: bool,
    /// Records that the rule cannot pair because a part of the key is null.
    pub null_records: u64,
    /// Blocks of at least two records that can pair.
    pub n_blocks: u64,
    /// The blocks with the most pairs, largest first.
    pub largest_blocks: Vec<Block>,
    /// Blocks that the cap left out, largest first.
    pub capped_blocks: Vec<CappedBlock>,
}

/// A block of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Records in it.
    pub records: u64,
    /// Pairs it proposes.
    pub pairs: u64,
    /// The row of one of its records, for whoever may see its values.
    pub example_row: u32,
}

/// How to count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountOptions {
    /// How many largest blocks to list.
    pub(crate) n_largest: usize,
}

/// Both sides of a rule's blocks.
#[derive(Debug, Clone)]
pub(crate) struct RuleGroups {
    left: Groups,
    right: Option<Groups>,
}

impl RuleGroups {
    pub(crate) fn new(keys: &RuleKeys) -> Self {
        Self {
            left: Groups::new(&keys.left, keys.n_keys),
            right: keys.right.as_ref().map(|right| Groups::new(right, keys.n_keys)),
        }
    }

    pub(crate) fn len(&self) -> u32 {
        self.left.len()
    }

    pub(crate) fn is_symmetric(&self) -> bool {
        self.right.is_none()
    }

    pub(crate) fn lefts(&self, key: u32) -> &[u32] {
        self.left.rows(key)
    }

    pub(crate) fn rights(&self, key: u32) -> &[u32] {
        self.right.as_ref().unwrap_or(&self.left).rows(key)
    }

    /// Counts the pairs of a block.
    pub(crate) fn pairs_of(&self, scope: Scope<'_>, key: u32, per_source: &mut Vec<u64>) -> u64 {
        if scope.is_closed() {
            return 0;
        }
        let Some(right) = &self.right else { return scope.pairs(self.lefts(key), per_source) };
        let mut lefts = self.lefts(key).iter().peekable();
        let (mut before, mut pairs) = (0_u64, 0_u64);
        per_source.clear();
        per_source.resize(scope.n_sources, 0);
        for &row in right.rows(key) {
            while let Some(&left) = lefts.next_if(|&&left| left < row) {
                before += 1;
                if let Some(source) = scope.separating() {
                    per_source[usize::from(source[left as usize])] += 1;
                }
            }
            pairs += before - scope.separating().map_or(0, |source| per_source[usize::from(source[row as usize])]);
        }
        pairs
    }
}

/// Groups of at most this many records are compared pair by pair.
const SMALL: usize = 32;

/// Counts the pairs of a group that agree on at least one of some keys.
///
/// A pair is counted at the last key it agrees on: those that agree on key `j`, less those of them that agree on a later one.
fn agreeing(scope: Scope<'_>, rows: &[u32], keys: &[&[u32]], scratch: &mut Vec<u64>) -> u64 {
    if keys.is_empty() || rows.len() < 2 || scope.is_closed() {
        return 0;
    }
    if rows.len() <= SMALL {
        return agreeing_pairwise(scope, rows, keys);
    }
    let mut found = 0;
    let mut sorted: Vec<(u32, u32)> = Vec::with_capacity(rows.len());
    let mut inner: Vec<u32> = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        sorted.clear();
        sorted.extend(rows.iter().map(|&row| (key[row as usize], row)).filter(|(key, _)| *key != NULL));
        sorted.sort_unstable();
        for group in sorted.chunk_by(|one, other| one.0 == other.0).filter(|group| group.len() > 1) {
            inner.clear();
            inner.extend(group.iter().map(|(_, row)| *row));
            found += scope.pairs(&inner, scratch) - agreeing(scope, &inner, &keys[at + 1..], scratch);
        }
    }
    found
}

fn agreeing_pairwise(scope: Scope<'_>, rows: &[u32], keys: &[&[u32]]) -> u64 {
    let n = rows.len();
    let source = scope.separating();
    // Bit `j` of `agree[i]`: records `i` and `j` share a key.
    let mut agree = [0_u32; SMALL];
    let mut local = [0_u32; SMALL];
    for key in keys {
        for (value, &row) in local.iter_mut().zip(rows) {
            *value = key[row as usize];
        }
        for i in 0..n - 1 {
            let value = local[i];
            if value != NULL {
                let mut bits = 0;
                for (j, &other) in local[..n].iter().enumerate() {
                    bits |= u32::from(other == value) << j;
                }
                agree[i] |= bits;
            }
        }
    }
    let mut found = 0;
    for i in 0..n {
        let after = agree[i] & u32::MAX.checked_shl(i as u32 + 1).unwrap_or(0);
        found += match source {
            None => u64::from(after.count_ones()),
            Some(source) => (i + 1..n)
                .filter(|&j| after >> j & 1 == 1 && source[rows[i] as usize] != source[rows[j] as usize])
                .count() as u64,
        };
    }
    found
}

/// Counts the pairs of every rule. With a judge conditions are evaluated, which takes a walk over their pairs; without one they give upper bounds.
pub(crate) fn count_pairs<J: Judge>(
    blocking: &Blocking<'_>,
    options: CountOptions,
    judge: Option<&(dyn Fn() -> J + Sync)>,
) -> PairCounts {
    let scope = blocking.scope;
    let mut rules = Vec::new();
    let mut cumulative = 0;
    let mut upper_bound = false;
    for (number, rule) in blocking.rules.iter().enumerate() {
        let walk = Walk::new(blocking, number);
        let (n_blocks, largest_blocks, gross) = match &walk.groups {
            Some(groups) => sizes(scope, rule, groups, options.n_largest),
            None => (1, Vec::new(), matches!(rule.search, Search::All).then(|| scope.possible_pairs())),
        };
        let conditional = rule.is_conditional() && judge.is_none();
        upper_bound |= conditional;
        let exact_gross = (!rule.is_conditional() || judge.is_none()).then_some(gross).flatten();
        let pairs = exact_gross.unwrap_or_else(|| walk.alone().walked(judge));
        let marginal = match (number, rule.plain_keys(), &walk.groups) {
            (0, ..) => pairs,
            (_, Some(_), Some(groups)) if walk.others.iter().all(|rule| rule.is_conditional() && judge.is_none()) => {
                pairs - excluded(scope, groups, &walk.plain)
            }
            _ => walk.walked(judge),
        };
        cumulative += marginal;
        rules.push(RuleCount {
            description: rule.description.clone(),
            pairs,
            marginal,
            cumulative,
            upper_bound: conditional,
            null_records: match &rule.search {
                Search::Keys(keys) => keys.null_records,
                Search::Neighbours(neighbours) => neighbours.null_records(),
                Search::All => 0,
            },
            n_blocks,
            largest_blocks,
            capped_blocks: rule.capped.clone(),
        });
    }
    PairCounts { rules, total: cumulative, upper_bound, possible_pairs: scope.possible_pairs() }
}

/// Gives the number of blocks, the largest ones and, if pairs in several blocks are impossible, the number of pairs.
fn sizes(scope: Scope<'_>, rule: &Rule, groups: &RuleGroups, n_largest: usize) -> (u64, Vec<Block>, Option<u64>) {
    let ranges: Vec<(u32, u32)> =
        (0..groups.len()).step_by(1 << 14).map(|begin| (begin, groups.len().min(begin + (1 << 14)))).collect();
    let parts: Vec<(u64, u64, Vec<Block>)> = ranges
        .into_par_iter()
        .map(|(begin, end)| {
            let mut per_source = Vec::new();
            let (mut n_blocks, mut total) = (0, 0);
            let mut largest: Vec<Block> = Vec::new();
            for key in begin..end {
                let pairs = groups.pairs_of(scope, key, &mut per_source);
                total += pairs;
                n_blocks += u64::from(pairs > 0);
                if pairs > 0 && (largest.len() < n_largest || largest.last().is_some_and(|last| last.pairs < pairs)) {
                    let lefts = groups.lefts(key);
                    let records =
                        if groups.is_symmetric() { lefts.len() } else { lefts.len() + groups.rights(key).len() } as u64;
                    largest.push(Block { records, pairs, example_row: lefts.first().copied().unwrap_or_default() });
                    largest.sort_by(|one, other| {
                        other.pairs.cmp(&one.pairs).then(one.example_row.cmp(&other.example_row))
                    });
                    largest.truncate(n_largest);
                }
            }
            (n_blocks, total, largest)
        })
        .collect();
    let n_blocks = parts.iter().map(|part| part.0).sum();
    let total = parts.iter().map(|part| part.1).sum();
    let mut largest: Vec<Block> = parts.into_iter().flat_map(|part| part.2).collect();
    largest.sort_by(|one, other| other.pairs.cmp(&one.pairs).then(one.example_row.cmp(&other.example_row)));
    largest.truncate(n_largest);
    let single = matches!(&rule.search, Search::Keys(RuleKeys { left: Keys::One(_), .. }));
    (n_blocks, largest, single.then_some(total))
}

/// Counts the pairs of a rule's blocks that an earlier rule finds.
fn excluded(scope: Scope<'_>, groups: &RuleGroups, plain: &[&[u32]]) -> u64 {
    (0..groups.len() as usize)
        .into_par_iter()
        .with_min_len(256)
        .map_init(Vec::new, |scratch, key| agreeing(scope, groups.lefts(key as u32), plain, scratch))
        .sum()
}

impl<'b> Walk<'b> {
    /// The same walk without regard to earlier rules.
    fn alone(&self) -> Walk<'b> {
        Walk {
            blocking: self.blocking,
            number: self.number,
            groups: self.groups.clone(),
            plain: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Counts pairs by walking over them.
    fn walked<J: Judge>(&self, judge: Option<&(dyn Fn() -> J + Sync)>) -> u64 {
        self.units(1 << 18)
            .par_iter()
            .map_init(WalkBuffers::default, |buffers, &unit| {
                let mut found = 0;
                let mut own = judge.map(|judge| judge());
                let judge = own.as_mut().map(|judge| judge as &mut dyn Judge);
                self.run(unit, 4096, judge, buffers, |lefts, _| found += lefts.len() as u64);
                found
            })
            .sum()
    }
}
