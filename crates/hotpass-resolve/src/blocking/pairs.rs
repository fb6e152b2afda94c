//! The walk over candidate pairs.

use super::count::RuleGroups;
use super::keys::Keys;
use super::search::Neighbours;
use super::{Blocking, Rule, Scope, Search};
use crate::columns::NULL;
use crate::plan::Condition;

/// Evaluates conditions over pairs.
pub(crate) trait Judge {
    /// Sets `out` to 1 where the condition is true, to 0 or 2 where it is false or unknown.
    fn holds(&mut self, condition: &Condition, lefts: &[u32], rights: &[u32], out: &mut [u8]);
}

/// A part of a rule's pairs: some blocks whole, or some left records of one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    /// The rule.
    pub(crate) rule: u32,
    /// First block.
    first: u32,
    /// Block after the last.
    last: u32,
    /// Left records within the block, when it is but one.
    begin: u32,
    /// Left record after the last.
    end: u32,
    /// Pairs at most, before any earlier rule or condition.
    pub(crate) pairs: u64,
}

/// Rights per mask.
const CHUNK: usize = 1024;

/// One rule's blocks, ready to be walked by many threads.
#[derive(Debug)]
pub(crate) struct Walk<'b> {
    pub(super) blocking: &'b Blocking<'b>,
    pub(super) number: usize,
    pub(super) groups: Option<RuleGroups>,
    /// Earlier rules that ask for nothing but one equal key, by their keys.
    pub(super) plain: Vec<&'b [u32]>,
    /// All other earlier rules.
    pub(super) others: Vec<&'b Rule>,
}

/// Buffers of a walk, one per thread.
#[derive(Debug, Default)]
pub(crate) struct WalkBuffers {
    lefts: Vec<u32>,
    rights: Vec<u32>,
    local: Vec<Vec<u32>>,
    next_source: Vec<u32>,
    /// Values that exclude a right record, and the columns they are looked for in.
    excluding: Vec<(u32, u32)>,
    mask: Vec<u8>,
    verdicts: Vec<u8>,
    subset: (Vec<u32>, Vec<u32>, Vec<u32>),
}

/// Where pairs go.
struct Sink<'s, F> {
    judge: Option<&'s mut dyn Judge>,
    batch: usize,
    emit: F,
}

impl<'b> Walk<'b> {
    pub(crate) fn new(blocking: &'b Blocking<'b>, number: usize) -> Self {
        let rule = &blocking.rules[number];
        let groups = match &rule.search {
            Search::Keys(keys) => Some(RuleGroups::new(keys)),
            Search::Neighbours(_) | Search::All => None,
        };
        let earlier = &blocking.rules[..number];
        Self {
            blocking,
            number,
            groups,
            plain: earlier.iter().filter_map(Rule::plain_keys).collect(),
            others: earlier.iter().filter(|rule| rule.plain_keys().is_none()).collect(),
        }
    }

    fn rule(&self) -> &'b Rule {
        &self.blocking.rules[self.number]
    }

    /// Cuts the rule's pairs into units of about `target` pairs. The cut depends on the blocks alone.
    pub(crate) fn units(&self, target: u64) -> Vec<Unit> {
        let mut units = Vec::new();
        if self.blocking.scope.is_closed() {
            return units;
        }
        let rule = self.number as u32;
        if let Search::Neighbours(neighbours) = &self.rule().search {
            let places = (target / neighbours.per_place().max(1)).clamp(1, 1 << 24) as u32;
            let cut = |begin: u32| {
                let end = neighbours.len().min(begin + places);
                Unit { rule, first: 0, last: 1, begin, end, pairs: u64::from(end - begin) * neighbours.per_place() }
            };
            return (0..neighbours.len()).step_by(places as usize).map(cut).collect();
        }
        let n_groups = self.groups.as_ref().map_or(1, RuleGroups::len);
        let mut open = Unit { rule, first: 0, last: 0, begin: 0, end: u32::MAX, pairs: 0 };
        for key in 0..n_groups {
            let (n_left, n_right) = match &self.groups {
                Some(groups) => (groups.lefts(key).len() as u64, groups.rights(key).len() as u64),
                None => (self.blocking.scope.n_rows as u64, self.blocking.scope.n_rows as u64),
            };
            let symmetric = self.groups.as_ref().is_none_or(RuleGroups::is_symmetric);
            let pairs = if symmetric { n_left * n_left.saturating_sub(1) / 2 } else { n_left * n_right };
            if pairs > target {
                if open.pairs > 0 {
                    units.push(Unit { last: key, ..open });
                }
                let mut begin = 0;
                while begin < n_left {
                    let mut end = begin;
                    let mut some = 0;
                    while end < n_left && some < target {
                        some += if symmetric { n_left - end - 1 } else { n_right };
                        end += 1;
                    }
                    units.push(Unit {
                        rule,
                        first: key,
                        last: key + 1,
                        begin: begin as u32,
                        end: end as u32,
                        pairs: some,
                    });
                    begin = end;
                }
                open = Unit { rule, first: key + 1, last: key + 1, begin: 0, end: u32::MAX, pairs: 0 };
            } else {
                open.pairs += pairs;
                if open.pairs > target {
                    units.push(Unit { last: key + 1, ..open });
                    open = Unit { rule, first: key + 1, last: key + 1, begin: 0, end: u32::MAX, pairs: 0 };
                }
            }
        }
        if open.pairs > 0 {
            units.push(Unit { last: n_groups, ..open });
        }
        units
    }

    /// Gives a unit's pairs in batches of at most `batch` pairs, left record fixed as long as possible.
    ///
    /// Without a judge conditions count as fulfilled by the rule itself and as unfulfilled by earlier rules, which gives at least all pairs.
    pub(crate) fn run(
        &self,
        unit: Unit,
        batch: usize,
        judge: Option<&mut dyn Judge>,
        buffers: &mut WalkBuffers,
        emit: impl FnMut(&[u32], &[u32]),
    ) {
        let mut sink = Sink { judge, batch: batch.max(1), emit };
        buffers.lefts.clear();
        buffers.rights.clear();
        if let Search::Neighbours(neighbours) = &self.rule().search {
            self.neighbours(neighbours, unit, buffers, &mut sink);
            return self.flush(buffers, &mut sink);
        }
        for key in unit.first..unit.last {
            match &self.groups {
                Some(groups) if groups.is_symmetric() => {
                    self.symmetric(groups.lefts(key), key, unit, buffers, &mut sink);
                }
                Some(groups) => self.asymmetric(groups.lefts(key), groups.rights(key), key, unit, buffers, &mut sink),
                None => {
                    let rows: Vec<u32> = (0..self.blocking.scope.n_rows as u32).collect();
                    self.symmetric(&rows, key, unit, buffers, &mut sink);
                }
            }
        }
        self.flush(buffers, &mut sink);
    }

    /// Gathers what excludes a pair by being equal, for the rights of one block: sources that must differ, then keys of earlier rules.
    fn gather(&self, rights: &[u32], local: &mut Vec<Vec<u32>>) {
        let source = self.blocking.scope.separating();
        local.resize_with(self.plain.len() + usize::from(source.is_some()), Vec::new);
        let mut columns = local.iter_mut();
        if let (Some(source), Some(column)) = (source, source.and_then(|_| columns.next())) {
            column.clear();
            column.extend(rights.iter().map(|&row| u32::from(source[row as usize])));
        }
        for (keys, column) in self.plain.iter().zip(columns) {
            column.clear();
            column.extend(rights.iter().map(|&row| keys[row as usize]));
        }
    }

    fn symmetric<F: FnMut(&[u32], &[u32])>(
        &self,
        rows: &[u32],
        key: u32,
        unit: Unit,
        buffers: &mut WalkBuffers,
        sink: &mut Sink<'_, F>,
    ) {
        let mut local = std::mem::take(&mut buffers.local);
        let mut next_source = std::mem::take(&mut buffers.next_source);
        self.gather(rows, &mut local);
        next_source.clear();
        if self.blocking.scope.separating().is_some() && !rows.is_empty() {
            // From a record on, the first one of another source: what lies between cannot pair with it.
            next_source.resize(rows.len(), rows.len() as u32);
            for at in (0..rows.len() - 1).rev() {
                next_source[at] = if local[0][at] == local[0][at + 1] { next_source[at + 1] } else { at as u32 + 1 };
            }
        }
        for at in unit.begin as usize..rows.len().min(unit.end as usize) {
            let begin = next_source.get(at).map_or(at + 1, |&next| next as usize);
            let exclude = |column: &Vec<u32>| column[at];
            self.left(rows[at], &rows[begin.min(rows.len())..], begin, key, &local, exclude, buffers, sink);
        }
        (buffers.local, buffers.next_source) = (local, next_source);
    }

    fn neighbours<F: FnMut(&[u32], &[u32])>(
        &self,
        neighbours: &Neighbours,
        unit: Unit,
        buffers: &mut WalkBuffers,
        sink: &mut Sink<'_, F>,
    ) {
        let source = self.blocking.scope.separating();
        for place in unit.begin..unit.end {
            for (left, right) in neighbours.pairs_at(place) {
                let same = |keys: &[u32]| keys[left as usize] != NULL && keys[left as usize] == keys[right as usize];
                let apart = source.is_none_or(|source| source[left as usize] != source[right as usize]);
                if apart && !self.plain.iter().any(|keys| same(keys)) {
                    buffers.lefts.push(left);
                    buffers.rights.push(right);
                    if buffers.lefts.len() >= sink.batch {
                        self.flush(buffers, sink);
                    }
                }
            }
        }
    }

    fn asymmetric<F: FnMut(&[u32], &[u32])>(
        &self,
        lefts: &[u32],
        rights: &[u32],
        key: u32,
        unit: Unit,
        buffers: &mut WalkBuffers,
        sink: &mut Sink<'_, F>,
    ) {
        let mut local = std::mem::take(&mut buffers.local);
        let mut of_left = Vec::new();
        let lefts = &lefts[unit.begin as usize..lefts.len().min(unit.end as usize)];
        self.gather(lefts, &mut of_left);
        self.gather(rights, &mut local);
        for (at, &left) in lefts.iter().enumerate() {
            let begin = rights.partition_point(|&right| right <= left);
            let excluding: Vec<u32> = of_left.iter().map(|column| column[at]).collect();
            let mut next = excluding.into_iter();
            self.left(left, &rights[begin..], begin, key, &local, |_| next.next().unwrap_or(NULL), buffers, sink);
        }
        buffers.local = local;
    }

    /// Pairs one left record with the rights after it.
    #[expect(clippy::too_many_arguments, reason = "the state of a loop")]
    fn left<F: FnMut(&[u32], &[u32])>(
        &self,
        left: u32,
        rights: &[u32],
        offset: usize,
        key: u32,
        local: &[Vec<u32>],
        mut excluding: impl FnMut(&Vec<u32>) -> u32,
        buffers: &mut WalkBuffers,
        sink: &mut Sink<'_, F>,
    ) {
        let several = match &self.rule().search {
            Search::Keys(keys) if matches!(keys.left, Keys::Several { .. }) => Some(keys),
            _ => None,
        };
        let WalkBuffers { excluding: values, mask, .. } = &mut *buffers;
        let (mut values, mut mask) = (std::mem::take(values), std::mem::take(mask));
        values.clear();
        values.extend(
            local.iter().zip(0..).map(|(column, at)| (excluding(column), at)).filter(|(value, _)| *value != NULL),
        );
        let mut at = 0;
        while at < rights.len() {
            let free = sink.batch - buffers.lefts.len();
            let n = (rights.len() - at).min(free).min(CHUNK);
            let some = &rights[at..at + n];
            if values.is_empty() && several.is_none() {
                buffers.rights.extend_from_slice(some);
            } else {
                mask.clear();
                mask.resize(n, 0);
                for (value, column) in &values {
                    let column = &local[*column as usize];
                    for (drop, other) in mask.iter_mut().zip(&column[offset + at..offset + at + n]) {
                        *drop |= u8::from(value == other);
                    }
                }
                if let Some(keys) = several {
                    for (drop, &right) in mask.iter_mut().zip(some) {
                        *drop |= u8::from(*drop == 0 && keys.first_shared(left, right) != Some(key));
                    }
                }
                let begin = buffers.rights.len();
                buffers.rights.resize(begin + n, 0);
                let mut end = begin;
                for (&drop, &right) in mask.iter().zip(some) {
                    buffers.rights[end] = right;
                    end += usize::from(drop == 0);
                }
                buffers.rights.truncate(end);
            }
            buffers.lefts.resize(buffers.rights.len(), left);
            at += n;
            if buffers.lefts.len() >= sink.batch {
                self.flush(buffers, sink);
            }
        }
        (buffers.excluding, buffers.mask) = (values, mask);
    }

    /// Applies what could not be applied by equal keys alone, then hands the pairs on.
    fn flush<F: FnMut(&[u32], &[u32])>(&self, buffers: &mut WalkBuffers, sink: &mut Sink<'_, F>) {
        for rule in self.others.iter().filter(|rule| !rule.is_conditional()) {
            keep(buffers, |_, left, right| !rule.agree(left, right));
        }
        if let Some(judge) = sink.judge.as_deref_mut() {
            let own = self.rule();
            if let Some(condition) = &own.residual {
                judge_all(buffers, condition, judge);
                let verdicts = std::mem::take(&mut buffers.verdicts);
                keep(buffers, |at, _, _| verdicts[at] == 1);
                buffers.verdicts = verdicts;
            }
            if let Some((condition, _)) = &own.refine {
                mark(buffers, |left, right| own.needs_refinement(left, right));
                judge_subset(buffers, condition, judge);
                let verdicts = std::mem::take(&mut buffers.verdicts);
                let mut dropped = buffers
                    .subset
                    .2
                    .iter()
                    .zip(&verdicts)
                    .filter(|(_, verdict)| **verdict != 1)
                    .map(|(&at, _)| at)
                    .peekable();
                let dropped: Vec<u32> = std::iter::from_fn(|| dropped.next()).collect();
                drop_at(buffers, &dropped);
                buffers.verdicts = verdicts;
            }
            for rule in self.others.iter().filter(|rule| rule.is_conditional()) {
                exclude_conditional(buffers, rule, judge);
            }
        }
        if !buffers.lefts.is_empty() {
            (sink.emit)(&buffers.lefts, &buffers.rights);
        }
        buffers.lefts.clear();
        buffers.rights.clear();
    }
}

/// Drops the pairs that an earlier rule with conditions has found.
fn exclude_conditional(buffers: &mut WalkBuffers, rule: &Rule, judge: &mut dyn Judge) {
    mark(buffers, |left, right| rule.agree(left, right));
    if let Some(condition) = &rule.residual {
        judge_subset(buffers, condition, judge);
        let verdicts = std::mem::take(&mut buffers.verdicts);
        retain_subset(buffers, |at, _, _| verdicts[at] == 1);
        buffers.verdicts = verdicts;
    }
    if let Some((condition, _)) = &rule.refine {
        judge_subset(buffers, condition, judge);
        let verdicts = std::mem::take(&mut buffers.verdicts);
        retain_subset(buffers, |at, left, right| verdicts[at] == 1 || !rule.needs_refinement(left, right));
        buffers.verdicts = verdicts;
    }
    let found = std::mem::take(&mut buffers.subset.2);
    drop_at(buffers, &found);
    buffers.subset.2 = found;
}

/// Keeps the pairs for which `wanted(index, left, right)`.
fn keep(buffers: &mut WalkBuffers, mut wanted: impl FnMut(usize, u32, u32) -> bool) {
    let mut kept = 0;
    for at in 0..buffers.lefts.len() {
        let (left, right) = (buffers.lefts[at], buffers.rights[at]);
        buffers.lefts[kept] = left;
        buffers.rights[kept] = right;
        kept += usize::from(wanted(at, left, right));
    }
    buffers.lefts.truncate(kept);
    buffers.rights.truncate(kept);
}

/// Drops the pairs at ascending places.
fn drop_at(buffers: &mut WalkBuffers, places: &[u32]) {
    let mut places = places.iter().peekable();
    keep(buffers, |at, _, _| places.next_if(|&&place| place as usize == at).is_none());
}

fn judge_all(buffers: &mut WalkBuffers, condition: &Condition, judge: &mut dyn Judge) {
    buffers.verdicts.clear();
    buffers.verdicts.resize(buffers.lefts.len(), 0);
    judge.holds(condition, &buffers.lefts, &buffers.rights, &mut buffers.verdicts);
}

/// Puts some pairs and their places aside.
fn mark(buffers: &mut WalkBuffers, wanted: impl Fn(u32, u32) -> bool) {
    let (lefts, rights, places) = &mut buffers.subset;
    lefts.clear();
    rights.clear();
    places.clear();
    for (at, (&left, &right)) in buffers.lefts.iter().zip(&buffers.rights).enumerate() {
        if wanted(left, right) {
            lefts.push(left);
            rights.push(right);
            places.push(at as u32);
        }
    }
}

fn judge_subset(buffers: &mut WalkBuffers, condition: &Condition, judge: &mut dyn Judge) {
    let (lefts, rights, _) = &buffers.subset;
    buffers.verdicts.clear();
    buffers.verdicts.resize(lefts.len(), 0);
    if !lefts.is_empty() {
        judge.holds(condition, lefts, rights, &mut buffers.verdicts);
    }
}

fn retain_subset(buffers: &mut WalkBuffers, mut wanted: impl FnMut(usize, u32, u32) -> bool) {
    let (lefts, rights, places) = &mut buffers.subset;
    let mut kept = 0;
    for at in 0..lefts.len() {
        let pair = (lefts[at], rights[at], places[at]);
        (lefts[kept], rights[kept], places[kept]) = pair;
        kept += usize::from(wanted(at, pair.0, pair.1));
    }
    lefts.truncate(kept);
    rights.truncate(kept);
    places.truncate(kept);
}

impl Scope<'_> {
    /// Tells whether a pair is allowed.
    #[cfg(test)]
    pub(crate) fn allows(&self, left: u32, right: u32) -> bool {
        left < right
            && !self.is_closed()
            && self.separating().is_none_or(|source| source[left as usize] != source[right as usize])
    }
}
