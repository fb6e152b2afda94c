//! Pairs and counts against brute force over all pairs.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::pairs::Walk;
use super::pairs::WalkBuffers;
use super::*;
use crate::columns::Values;
use crate::plan::EqualityKey;
use crate::sql::expression::Side;

const N_FEATURES: usize = 4;
/// The last feature is a list.
const LIST: usize = 3;

/// A small table: codes of three features and lists.
#[derive(Debug, Clone)]
struct Table {
    codes: Vec<Vec<Option<u32>>>,
    lists: Vec<Option<Vec<u32>>>,
    source: Vec<u16>,
}

impl Table {
    fn columns(&self) -> Columns {
        let n_rows = self.source.len();
        let mut codes: Vec<Vec<u32>> =
            self.codes.iter().map(|codes| codes.iter().map(|code| code.unwrap_or(NULL)).collect()).collect();
        codes.push((0..n_rows as u32).map(|row| if self.lists[row as usize].is_some() { row } else { NULL }).collect());
        let mut offsets = vec![0];
        let mut elements = Vec::new();
        for list in &self.lists {
            let mut list = list.clone().unwrap_or_default();
            list.sort_unstable();
            list.dedup();
            elements.extend(list);
            offsets.push(elements.len() as u32);
        }
        let mut table = crate::kernels::TextTable::default();
        (0..6).for_each(|value| {
            table.push(&value.to_string());
        });
        let source = if self.source.iter().all(|&source| source == 0) { Vec::new() } else { self.source.clone() };
        Columns {
            n_rows,
            codes,
            domain_of: vec![0, 0, 0, 1],
            domains: vec![
                Values::Integer((0..6).collect()),
                Values::TextList { offsets, codes: elements, elements: table },
            ],
            source,
        }
    }

    fn agree(&self, key: &EqualityKey, left: usize, right: usize) -> bool {
        if key.exploded {
            let (Some(one), Some(other)) = (&self.lists[left], &self.lists[right]) else { return false };
            return one.iter().any(|value| other.contains(value));
        }
        self.codes[key.left][left].is_some() && self.codes[key.left][left] == self.codes[key.right][right]
    }

    fn holds(&self, condition: &Condition, left: usize, right: usize) -> bool {
        match condition {
            Condition::Equal { left: one, right: other } => {
                self.codes[*one][left].is_some() && self.codes[*one][left] == self.codes[*other][right]
            }
            Condition::IsNull { side: Side::Left, feature } => self.codes[*feature][left].is_none(),
            _ => false,
        }
    }

    fn found(&self, rule: &RulePlan, left: usize, right: usize) -> bool {
        let agrees = match &rule.search {
            RuleSearch::Equality(keys) => keys.iter().all(|key| self.agree(key, left, right)),
            RuleSearch::SortedNeighbourhood { key, window } => {
                let codes = &self.codes[*key];
                let mut order: Vec<usize> = (0..codes.len()).filter(|&row| codes[row].is_some()).collect();
                order.sort_by_key(|&row| codes[row]);
                let place = |row: usize| order.iter().position(|&other| other == row);
                place(left).zip(place(right)).is_some_and(|(one, other)| one.abs_diff(other) < *window as usize)
            }
            _ => true,
        };
        agrees && rule.residual.as_ref().is_none_or(|residual| self.holds(residual, left, right))
    }
}

impl Judge for &Table {
    fn holds(&mut self, condition: &Condition, lefts: &[u32], rights: &[u32], out: &mut [u8]) {
        for ((out, &left), &right) in out.iter_mut().zip(lefts).zip(rights) {
            *out = u8::from(Table::holds(self, condition, left as usize, right as usize));
        }
    }
}

fn tables() -> impl Strategy<Value = Table> {
    (0..48_usize, 1..4_u16).prop_flat_map(|(n, sources)| {
        (
            prop::collection::vec(prop::collection::vec(prop::option::weighted(0.9, 0..4_u32), n), N_FEATURES - 1),
            prop::collection::vec(prop::option::weighted(0.8, prop::collection::vec(0..6_u32, 0..4)), n),
            prop::collection::vec(0..sources, n),
            any::<bool>(),
        )
            .prop_map(|(codes, lists, mut source, sorted)| {
                if sorted {
                    source.sort_unstable();
                }
                Table { codes, lists, source }
            })
    })
}

fn rules() -> impl Strategy<Value = Vec<RulePlan>> {
    let key = prop_oneof![
        4 => (0..LIST).prop_map(|feature| EqualityKey { left: feature, right: feature, exploded: false }),
        1 => (0..LIST, 0..LIST).prop_map(|(left, right)| EqualityKey { left, right, exploded: false }),
        1 => Just(EqualityKey { left: LIST, right: LIST, exploded: true }),
    ];
    let search = prop_oneof![
        8 => prop::collection::vec(key, 1..3).prop_map(RuleSearch::Equality),
        1 => Just(RuleSearch::FullProduct),
        1 => (0..LIST, 2..6_u32).prop_map(|(key, window)| RuleSearch::SortedNeighbourhood { key, window }),
    ];
    let residual = prop::option::weighted(
        0.2,
        prop_oneof![
            (0..LIST, 0..LIST).prop_map(|(left, right)| Condition::Equal { left, right }),
            (0..LIST).prop_map(|feature| Condition::IsNull { side: Side::Left, feature }),
        ],
    );
    let rule = (search, residual).prop_map(|(search, residual)| RulePlan {
        description: "rule".into(),
        search,
        residual,
        refine: None,
    });
    prop::collection::vec(rule, 1..5)
}

fn link_types() -> impl Strategy<Value = LinkType> {
    prop_oneof![Just(LinkType::DedupeOnly), Just(LinkType::LinkOnly), Just(LinkType::LinkAndDedupe)]
}

fn allowing() -> BlockingOptions {
    BlockingOptions { allow_full_product: true, maximum_block: None }
}

/// Walks over all rules and checks that no pair comes twice.
fn walk(blocking: &Blocking<'_>, table: &Table, target: u64, batch: usize) -> BTreeMap<(u32, u32), usize> {
    let mut found = BTreeMap::new();
    let mut buffers = WalkBuffers::default();
    for number in 0..blocking.rules.len() {
        let walk = Walk::new(blocking, number);
        for unit in walk.units(target) {
            let mut judge = table;
            walk.run(unit, batch, Some(&mut judge), &mut buffers, |lefts, rights| {
                assert!(lefts.len() <= batch);
                for pair in lefts.iter().copied().zip(rights.iter().copied()) {
                    assert_eq!(found.insert(pair, number), None, "{pair:?} came twice");
                }
            });
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 512 }))]

    #[test]
    fn pairs_are_those_of_brute_force(table in tables(), rules in rules(), link_type in link_types(), target in 1..60_u64, batch in 1..40_usize) {
        let columns = table.columns();
        let scope = Scope::new(link_type, &columns);
        let blocking = Blocking::new(scope, &columns, &rules, allowing()).unwrap();
        let mut expected = BTreeMap::new();
        for left in 0..columns.n_rows {
            for right in left + 1..columns.n_rows {
                if scope.allows(left as u32, right as u32)
                    && let Some(number) = rules.iter().position(|rule| table.found(rule, left, right))
                {
                    expected.insert((left as u32, right as u32), number);
                }
            }
        }
        prop_assert_eq!(&walk(&blocking, &table, target, batch), &expected);

        let counts = count_pairs(&blocking, CountOptions { n_largest: 3 }, Some(&|| &table));
        prop_assert_eq!(counts.total, expected.len() as u64);
        prop_assert!(!counts.upper_bound);
        let bounds = count_pairs::<&Table>(&blocking, CountOptions { n_largest: 3 }, None);
        prop_assert!(bounds.total >= counts.total);
        prop_assert_eq!(bounds.upper_bound, rules.iter().any(|rule| rule.residual.is_some()));
        for (number, (count, rule)) in counts.rules.iter().zip(&rules).enumerate() {
            let alone: BTreeSet<(usize, usize)> = (0..columns.n_rows)
                .flat_map(|left| (left + 1..columns.n_rows).map(move |right| (left, right)))
                .filter(|&(left, right)| scope.allows(left as u32, right as u32) && table.found(rule, left, right))
                .collect();
            prop_assert_eq!(count.pairs, alone.len() as u64);
            prop_assert_eq!(count.marginal, expected.values().filter(|&&first| first == number).count() as u64);
            if rule.residual.is_none() {
                prop_assert_eq!(bounds.rules[number].pairs, count.pairs);
            }
        }
    }

    #[test]
    fn counts_of_large_blocks_agree_with_a_walk(codes in prop::collection::vec(prop::collection::vec(prop::option::weighted(0.9, 0..3_u32), 150), 3), two_sources: bool) {
        let source: Vec<u16> = (0..150).map(|row| if two_sources { row % 2 } else { 0 }).collect();
        let table = Table { codes, lists: vec![None; 150], source };
        let columns = table.columns();
        let rule = |feature| RulePlan {
            description: String::new(),
            search: RuleSearch::Equality(vec![EqualityKey { left: feature, right: feature, exploded: false }]),
            residual: None,
            refine: None,
        };
        let scope = Scope::new(if two_sources { LinkType::LinkOnly } else { LinkType::DedupeOnly }, &columns);
        let blocking = Blocking::new(scope, &columns, &[rule(0), rule(1), rule(2)], allowing()).unwrap();
        let counts = count_pairs::<&Table>(&blocking, CountOptions { n_largest: 2 }, None);
        let walked = walk(&blocking, &table, 1000, 64);
        for (number, count) in counts.rules.iter().enumerate() {
            prop_assert_eq!(count.marginal, walked.values().filter(|&&first| first == number).count() as u64);
        }
    }
}

#[test]
fn a_full_product_needs_leave_and_says_its_size() {
    let table = Table { codes: vec![vec![None; 5]; 3], lists: vec![None; 5], source: vec![0; 5] };
    let columns = table.columns();
    let rule =
        RulePlan { description: "l.a < r.a".into(), search: RuleSearch::FullProduct, residual: None, refine: None };
    let error =
        Blocking::new(Scope::new(LinkType::DedupeOnly, &columns), &columns, &[rule], BlockingOptions::default())
            .unwrap_err();
    assert!(matches!(error, LinkError::FullProduct { pairs: 10, .. }), "{error}");
}

#[test]
fn a_cap_leaves_blocks_out_and_says_so() {
    let table = Table { codes: vec![[0, 0, 0, 1, 1].map(Some).to_vec(); 3], lists: vec![None; 5], source: vec![0; 5] };
    let columns = table.columns();
    let rule = RulePlan {
        description: String::new(),
        search: RuleSearch::Equality(vec![EqualityKey { left: 0, right: 0, exploded: false }]),
        residual: None,
        refine: None,
    };
    let options = BlockingOptions { maximum_block: Some(2), ..allowing() };
    let blocking = Blocking::new(Scope::new(LinkType::DedupeOnly, &columns), &columns, &[rule], options).unwrap();
    let counts = count_pairs::<&Table>(&blocking, CountOptions { n_largest: 2 }, None);
    assert_eq!(counts.rules[0].capped_blocks, [CappedBlock { records: 3, pairs: 3 }]);
    assert_eq!((counts.total, counts.rules[0].n_blocks), (1, 1));
    assert_eq!(counts.rules[0].largest_blocks, [Block { records: 2, pairs: 1, example_row: 3 }]);
}

#[test]
fn large_blocks_must_fulfil_a_second_condition() {
    let table = Table {
        codes: vec![[0, 0, 0, 1, 1].map(Some).to_vec(), [0, 0, 1, 2, 3].map(Some).to_vec(), vec![None; 5]],
        lists: vec![None; 5],
        source: vec![0; 5],
    };
    let columns = table.columns();
    let rule = RulePlan {
        description: String::new(),
        search: RuleSearch::Equality(vec![EqualityKey { left: 0, right: 0, exploded: false }]),
        residual: None,
        refine: Some((2, Condition::Equal { left: 1, right: 1 })),
    };
    let all = RulePlan { search: RuleSearch::FullProduct, refine: None, ..rule.clone() };
    let blocking =
        Blocking::new(Scope::new(LinkType::DedupeOnly, &columns), &columns, &[rule, all], allowing()).unwrap();
    let found = walk(&blocking, &table, 100, 100);
    let first: Vec<(u32, u32)> = found.iter().filter(|(_, rule)| **rule == 0).map(|(pair, _)| *pair).collect();
    assert_eq!((first, found.len()), (vec![(0, 1), (3, 4)], 10));
}

/// Texts of one column, and the pairs that a search over it finds.
fn found_in(texts: &[Option<&str>], search: RuleSearch) -> Vec<(u32, u32)> {
    let mut table = crate::kernels::TextTable::default();
    let codes = texts.iter().map(|text| text.map_or(NULL, |text| table.push(text))).collect();
    table.finish();
    let columns = Columns {
        n_rows: texts.len(),
        codes: vec![codes],
        domain_of: vec![0],
        domains: vec![Values::Text(table)],
        source: Vec::new(),
    };
    let rule = RulePlan { description: String::new(), search, residual: None, refine: None };
    let scope = Scope::new(LinkType::DedupeOnly, &columns);
    let blocking = Blocking::new(scope, &columns, &[rule], BlockingOptions::default()).unwrap();
    let nothing = Table { codes: Vec::new(), lists: Vec::new(), source: Vec::new() };
    walk(&blocking, &nothing, 10, 10).into_keys().collect()
}

#[test]
fn records_meet_by_shared_tokens_unless_they_are_too_frequent() {
    let texts = [
        Some("acme trading ltd"),
        Some("Acme-trading"),
        Some("trading acme (ltd)"),
        Some("ltd"),
        None,
        Some("ltd trading"),
    ];
    let tokens = |minimum_shared, maximum_records| RuleSearch::Tokens { text: 0, minimum_shared, maximum_records };
    assert_eq!(found_in(&texts, tokens(2, 10)), [(0, 2), (0, 5), (2, 5)]);
    assert_eq!(found_in(&texts, tokens(1, 3)), [(0, 2)]);
    assert_eq!(found_in(&texts, tokens(3, 10)), [(0, 2)]);
}

#[test]
fn similar_texts_meet_in_a_band_and_different_ones_do_not() {
    let texts = [
        Some("international harvester"),
        Some("internationl harvester"),
        Some("bob"),
        Some("zzyzx road"),
        None,
        Some(""),
    ];
    let search = RuleSearch::QGramLsh { text: 0, q: 2, bands: 40, rows_per_band: 3 };
    assert_eq!(found_in(&texts, search), [(0, 1)]);
    assert_eq!(
        found_in(&[Some("a"), Some("a")], RuleSearch::QGramLsh { text: 0, q: 3, bands: 1, rows_per_band: 1 }),
        [(0, 1)]
    );
}
