//! Candidate pairs from blocking rules: each pair once, under the first rule that finds it.
//!
//! A rule gives each record the blocks it stands in. Pairs come block by block in tiles with the left record fixed. That no
//! earlier rule found a pair is a comparison of block keys, so no table of pairs exists anywhere.

mod count;
mod keys;
mod pairs;
mod search;

use crate::columns::{Columns, NULL};
use crate::error::LinkError;
use crate::model::LinkType;
use crate::plan::{Condition, RulePlan, RuleSearch};

pub use count::{Block, PairCounts, RuleCount};
pub(crate) use count::{CountOptions, count_pairs};
pub(crate) use keys::RuleKeys;
pub(crate) use pairs::{Judge, Unit, Walk, WalkBuffers};

/// Which pairs of records may be candidates at all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) link_type: LinkType,
    /// The source of each record; empty if there is one.
    pub(crate) source: &'a [u16],
    pub(crate) n_sources: usize,
    pub(crate) n_rows: usize,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(link_type: LinkType, columns: &'a Columns) -> Self {
        let n_sources = columns.source.iter().max().map_or(1, |&last| usize::from(last) + 1);
        Self { link_type, source: &columns.source, n_sources, n_rows: columns.n_rows }
    }

    /// Gives the sources if pairs must cross them.
    pub(crate) fn separating(&self) -> Option<&'a [u16]> {
        (self.link_type == LinkType::LinkOnly && !self.source.is_empty()).then_some(self.source)
    }

    /// Tells whether no pair is allowed.
    pub(crate) fn is_closed(&self) -> bool {
        self.link_type == LinkType::LinkOnly && self.source.is_empty()
    }

    /// Counts the pairs within a group of records.
    pub(crate) fn pairs(&self, rows: &[u32], per_source: &mut Vec<u64>) -> u64 {
        if self.is_closed() {
            return 0;
        }
        let n = rows.len() as u64;
        let all = n * n.saturating_sub(1) / 2;
        let Some(source) = self.separating() else { return all };
        per_source.clear();
        per_source.resize(self.n_sources, 0);
        for &row in rows {
            per_source[usize::from(source[row as usize])] += 1;
        }
        all - per_source.iter().map(|&n| n * n.saturating_sub(1) / 2).sum::<u64>()
    }

    /// Counts all pairs of records.
    pub(crate) fn possible_pairs(&self) -> u64 {
        if self.is_closed() {
            return 0;
        }
        let n = self.n_rows as u64;
        let all = n * n.saturating_sub(1) / 2;
        let Some(source) = self.separating() else { return all };
        let mut per_source = vec![0_u64; self.n_sources];
        for &number in source {
            per_source[usize::from(number)] += 1;
        }
        all - per_source.iter().map(|&n| n * n.saturating_sub(1) / 2).sum::<u64>()
    }
}

/// How a rule's pairs are enumerated.
#[derive(Debug)]
pub(crate) enum Search {
    /// Records that share a block.
    Keys(RuleKeys),
    /// Records that are near in sorted order.
    Neighbours(search::Neighbours),
    /// All records.
    All,
}

/// A block that a cap left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CappedBlock {
    /// Records in the block.
    pub records: u64,
    /// Pairs it would have proposed.
    pub pairs: u64,
}

/// A rule ready to enumerate.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) description: String,
    pub(crate) search: Search,
    pub(crate) residual: Option<Condition>,
    /// The second condition, and which blocks are large enough to need it.
    pub(crate) refine: Option<(Condition, Vec<bool>)>,
    pub(crate) capped: Vec<CappedBlock>,
}

impl Rule {
    /// Tells whether a pair that shares a block need not be found all the same.
    pub(crate) fn is_conditional(&self) -> bool {
        self.residual.is_some() || self.refine.is_some()
    }

    /// Gives the one key per record if sharing it is all that the rule asks.
    pub(crate) fn plain_keys(&self) -> Option<&[u32]> {
        match &self.search {
            Search::Keys(RuleKeys { left: keys::Keys::One(keys), right: None, .. }) if !self.is_conditional() => {
                Some(keys)
            }
            _ => None,
        }
    }

    /// Tells whether a pair shares a block.
    pub(crate) fn agree(&self, left: u32, right: u32) -> bool {
        match &self.search {
            Search::Keys(keys) => keys.agree(left, right),
            Search::Neighbours(neighbours) => neighbours.agree(left, right),
            Search::All => true,
        }
    }

    /// Tells whether every block that a pair shares is a large one.
    pub(crate) fn needs_refinement(&self, left: u32, right: u32) -> bool {
        let (Some((_, large)), Search::Keys(keys)) = (&self.refine, &self.search) else { return false };
        let rights = keys.right().of(right);
        let mut shared = keys.left.of(left).iter().filter(|key| rights.binary_search(key).is_ok());
        shared.all(|&key| large[key as usize])
    }
}

/// What a caller allows and limits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BlockingOptions {
    pub(crate) allow_full_product: bool,
    /// Blocks of more records than this propose nothing.
    pub(crate) maximum_block: Option<u64>,
}

/// All rules ready to enumerate.
#[derive(Debug)]
pub(crate) struct Blocking<'a> {
    pub(crate) scope: Scope<'a>,
    pub(crate) rules: Vec<Rule>,
}

impl<'a> Blocking<'a> {
    pub(crate) fn new(
        scope: Scope<'a>,
        columns: &Columns,
        rules: &[RulePlan],
        options: BlockingOptions,
    ) -> Result<Self, LinkError> {
        use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
        let rules = rules.par_iter().map(|rule| build(scope, columns, rule, options)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { scope, rules })
    }
}

impl Blocking<'_> {
    /// Counts the pairs that a walk over all rules passes, those of several rules more than once; sources are not told apart.
    pub(crate) fn pairs_of_blocks(&self) -> u64 {
        let of = |n: u64| n * n.saturating_sub(1) / 2;
        let of_rule = |rule: &Rule| match &rule.search {
            _ if self.scope.is_closed() => 0,
            Search::All => of(self.scope.n_rows as u64),
            Search::Neighbours(neighbours) => u64::from(neighbours.len()) * neighbours.per_place(),
            Search::Keys(keys) => {
                let lefts = keys.left.sizes(keys.n_keys);
                match &keys.right {
                    None => lefts.into_iter().map(|n| of(u64::from(n))).sum(),
                    Some(right) => {
                        let both = lefts.into_iter().zip(right.sizes(keys.n_keys));
                        both.map(|(left, right)| u64::from(left) * u64::from(right)).sum()
                    }
                }
            }
        };
        self.rules.iter().map(of_rule).sum()
    }
}

fn build(scope: Scope<'_>, columns: &Columns, rule: &RulePlan, options: BlockingOptions) -> Result<Rule, LinkError> {
    let mut search = match &rule.search {
        RuleSearch::Equality(equalities) => Search::Keys(RuleKeys::of_equalities(columns, equalities)),
        RuleSearch::FullProduct if options.allow_full_product => Search::All,
        RuleSearch::FullProduct => {
            return Err(LinkError::FullProduct { rule: rule.description.clone(), pairs: scope.possible_pairs() });
        }
        RuleSearch::SortedNeighbourhood { key, window } => {
            Search::Neighbours(search::Neighbours::new(columns, *key, *window))
        }
        RuleSearch::QGramLsh { text, q, bands, rows_per_band } => {
            Search::Keys(search::band_keys(columns, *text, *q, *bands, *rows_per_band))
        }
        RuleSearch::Tokens { text, minimum_shared, maximum_records } => {
            Search::Keys(search::token_keys(columns, *text, *minimum_shared, *maximum_records))
        }
    };
    let mut capped = Vec::new();
    let mut refine = None;
    if let Search::Keys(keys) = &mut search
        && (options.maximum_block.is_some() || rule.refine.is_some())
    {
        if let Some(maximum) = options.maximum_block {
            capped = cap(scope, keys, maximum);
        }
        if let Some((more_records_than, condition)) = &rule.refine {
            let large = block_sizes(keys).into_iter().map(|size| size > *more_records_than).collect();
            refine = Some((condition.clone(), large));
        }
    }
    Ok(Rule { description: rule.description.clone(), search, residual: rule.residual.clone(), refine, capped })
}

/// Counts the records of each block; with two kinds of keys a record may count twice.
fn block_sizes(keys: &RuleKeys) -> Vec<u64> {
    let lefts = keys.left.sizes(keys.n_keys);
    match &keys.right {
        None => lefts.into_iter().map(u64::from).collect(),
        Some(right) => lefts
            .into_iter()
            .zip(right.sizes(keys.n_keys))
            .map(|(left, right)| u64::from(left) + u64::from(right))
            .collect(),
    }
}

/// Takes out the blocks of more than `maximum` records and tells which they were, the largest first.
fn cap(scope: Scope<'_>, keys: &mut RuleKeys, maximum: u64) -> Vec<CappedBlock> {
    let sizes = block_sizes(keys);
    if sizes.iter().all(|&size| size <= maximum) {
        return Vec::new();
    }
    let groups = count::RuleGroups::new(keys);
    let mut per_source = Vec::new();
    let mut capped: Vec<CappedBlock> = (0..keys.n_keys)
        .filter(|&key| sizes[key as usize] > maximum)
        .map(|key| CappedBlock { records: sizes[key as usize], pairs: groups.pairs_of(scope, key, &mut per_source) })
        .collect();
    capped.sort_by_key(|block| std::cmp::Reverse(block.pairs));
    let mut next = 0;
    let names: Vec<u32> = sizes
        .iter()
        .map(|&size| {
            if size > maximum {
                return NULL;
            }
            next += 1;
            next - 1
        })
        .collect();
    keys.drop_named(&names, next);
    capped
}

#[cfg(test)]
mod tests;
