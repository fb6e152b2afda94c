//! Scores against a scorer written by hand, over all pairs.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Float64Type, Int32Type};
use proptest::prelude::*;

use super::*;
use crate::model::{Comparison, ComparisonLevel, LinkType, LinkageModel, TermFrequencyAdjustment};
use crate::plan::{
    ComparisonPlan, Condition, EqualityKey, Feature, Measure, Operator, Plan, RuleSearch, TextSimilarity, ValueType,
};
use crate::random::random_at;
use crate::sql::expression::{Expression, Side};
use crate::training::PairSampler as _;

const NAMES: [&str; 6] = ["anna", "ann", "hanna", "bob", "bobby", "x"];

#[derive(Debug, Clone)]
struct People {
    names: Vec<Option<usize>>,
    towns: Vec<Option<usize>>,
    source: Vec<bool>,
}

fn people() -> impl Strategy<Value = People> {
    (0..30_usize).prop_flat_map(|n| {
        let value = || prop::collection::vec(prop::option::weighted(0.85, 0..NAMES.len()), n);
        (value(), value(), prop::collection::vec(any::<bool>(), n)).prop_map(|(names, towns, source)| People {
            names,
            towns,
            source,
        })
    })
}

fn level(m: f64, u: f64, frequency: Option<(f64, f64, bool)>) -> ComparisonLevel {
    ComparisonLevel {
        m_probability: Some(m),
        u_probability: Some(u),
        term_frequency: frequency.map(|(weight, minimum_u, disable_exact_match_detection)| TermFrequencyAdjustment {
            column: "name".to_owned(),
            weight,
            minimum_u,
            disable_exact_match_detection,
        }),
        ..ComparisonLevel::new("true")
    }
}

fn null_level() -> ComparisonLevel {
    ComparisonLevel { is_null_level: true, ..ComparisonLevel::new("null") }
}

fn model(link_type: LinkType) -> LinkageModel {
    let mut model = LinkageModel::new(link_type);
    model.probability_two_random_records_match = 0.05;
    model.output.retain_intermediate_calculation_columns = true;
    let name = vec![
        null_level(),
        level(0.7, 0.1, Some((1.0, 0.0, false))),
        level(0.2, 0.2, Some((0.5, 0.3, false))),
        level(0.1, 0.7, None),
    ];
    let town = vec![
        null_level(),
        level(0.9, 0.25, None),
        ComparisonLevel { sql_condition: "ELSE".to_owned(), ..level(0.1, 0.75, None) },
    ];
    model.comparisons = vec![
        Comparison { output_column_name: "name".to_owned(), description: None, levels: name },
        Comparison { output_column_name: "town".to_owned(), description: None, levels: town },
    ];
    model.blocking_rules = vec!["l.town = r.town".into(), "l.name = r.name".into(), "1=1".into()];
    model
}

fn plan() -> Plan {
    let feature = |(domain, name): (usize, &str)| Feature {
        expression: Expression::Column { side: None, name: name.to_owned() },
        value_type: ValueType::Text,
        domain,
    };
    let null =
        |feature| Condition::Or([Side::Left, Side::Right].map(|side| Condition::IsNull { side, feature }).to_vec());
    let equal = |feature| Condition::Equal { left: feature, right: feature };
    let rule = |search| RulePlan { description: String::new(), search, residual: None, refine: None };
    let key = |feature| RuleSearch::Equality(vec![EqualityKey { left: feature, right: feature, exploded: false }]);
    let similar = Condition::Measure { measure: 0, operator: Operator::GreaterOrEqual, threshold: 0.8 };
    Plan {
        features: ["name", "town"].into_iter().enumerate().map(feature).collect(),
        n_domains: 2,
        measures: vec![Measure::Text { similarity: TextSimilarity::JaroWinkler, left: 0, right: 0 }],
        comparisons: vec![
            ComparisonPlan {
                name: "name".to_owned(),
                levels: vec![null(0), equal(0), similar, Condition::Constant(Some(true))],
            },
            ComparisonPlan {
                name: "town".to_owned(),
                levels: vec![null(1), equal(1), Condition::Constant(Some(true))],
            },
        ],
        rules: vec![rule(key(1)), rule(key(0)), rule(RuleSearch::FullProduct)],
        sql_conditions: Vec::new(),
        term_frequencies: vec![vec![None, Some(0), Some(0), None], vec![None; 3]],
    }
}

fn linker(people: &People, link_type: LinkType, threads: usize) -> Linker {
    let of = |source: bool| {
        let rows: Vec<usize> = (0..people.names.len())
            .filter(|&row| link_type == LinkType::DedupeOnly || people.source[row] == source)
            .collect();
        let text = |values: &[Option<usize>]| -> ArrayRef {
            Arc::new(rows.iter().map(|&row| values[row].map(|value| NAMES[value])).collect::<StringArray>())
        };
        // Ids of two digits order as text as they do as numbers.
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|&row| row as i64 + 10)));
        RecordBatch::try_from_iter_with_nullable([
            ("unique_id", ids, false),
            ("name", text(&people.names), true),
            ("town", text(&people.towns), true),
        ])
        .unwrap()
    };
    let builder = Linker::builder(model(link_type))
        .plan(plan())
        .threads(threads)
        .allow_full_product(true)
        .table("a", [of(false)]);
    if link_type == LinkType::DedupeOnly {
        builder.build().unwrap()
    } else {
        builder.table("b", [of(true)]).build().unwrap()
    }
}

/// Weight, rule and levels of every pair that the link type allows, by source and id.
fn by_hand(people: &People, link_type: LinkType) -> BTreeMap<(String, String), (f64, u16, [u8; 2])> {
    let model = model(link_type);
    let n = people.names.len();
    let known = people.names.iter().flatten().count() as f64;
    let frequency =
        |value: usize| people.names.iter().flatten().filter(|&&other| other == value).count() as f64 / known;
    let mut order: Vec<usize> = (0..n).collect();
    let source = |row: usize| link_type != LinkType::DedupeOnly && people.source[row];
    order.sort_by_key(|&row| (source(row), row));
    let key = |row: usize| format!("{}{}", if source(row) { "b" } else { "a" }, row + 10);
    let mut pairs = BTreeMap::new();
    for (at, &left) in order.iter().enumerate() {
        for &right in &order[at + 1..] {
            if link_type == LinkType::LinkOnly && people.source[left] == people.source[right] {
                continue;
            }
            let (mut weight, mut shift) = ((0.05_f64 / 0.95).log2(), 0.0);
            let name = match (people.names[left], people.names[right]) {
                (Some(one), Some(other)) => {
                    let larger = frequency(one).max(frequency(other));
                    if one == other {
                        shift = 0.1_f64.log2() - larger.log2();
                        1
                    } else if strsim::jaro_winkler(NAMES[one], NAMES[other]) >= 0.8 {
                        shift = 0.5 * (0.1_f64.log2() - larger.max(0.3).log2());
                        2
                    } else {
                        3
                    }
                }
                _ => 0,
            };
            let town = match (people.towns[left], people.towns[right]) {
                (Some(one), Some(other)) => 1 + u8::from(one != other),
                _ => 0,
            };
            for (comparison, level) in [(0, name), (1, town)] {
                let level = &model.comparisons[comparison].levels[usize::from(level)];
                if !level.is_null_level {
                    weight += (level.m_probability.unwrap() / level.u_probability.unwrap()).log2();
                }
            }
            let rule = if town == 1 {
                0
            } else if name == 1 {
                1
            } else {
                2
            };
            pairs.insert((key(left), key(right)), (weight + shift, rule, [name, town]));
        }
    }
    pairs
}

fn found(linker: &Linker, predictions: &Predictions) -> BTreeMap<(String, String), (f64, u16)> {
    let records = linker.records();
    let key = |row: u32| format!("{}{}", records.source_name(row), records.identifier(row));
    let mut pairs = BTreeMap::new();
    for chunk in predictions.chunks().map(Result::unwrap) {
        for at in 0..chunk.len() {
            pairs.insert((key(chunk.left[at]), key(chunk.right[at])), (chunk.match_weight[at], chunk.rule[at]));
        }
    }
    assert_eq!(pairs.len() as u64, predictions.len(), "each pair once");
    pairs
}

fn link_types() -> impl Strategy<Value = LinkType> {
    prop_oneof![Just(LinkType::DedupeOnly), Just(LinkType::LinkOnly), Just(LinkType::LinkAndDedupe)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn weights_are_those_of_a_scorer_by_hand(people in people(), link_type in link_types(), threshold in -12.0..12.0_f64, all: bool, batch_size in 1..50_usize, unit_size in 1..80_u64) {
        let linker = linker(&people, link_type, 1);
        let threshold = if all { Threshold::All } else { Threshold::MatchWeight(threshold) };
        let options = PredictOptions { threshold, batch_size, unit_size, spill_directory: None };
        let found = found(&linker, &linker.predict(&options).unwrap());
        let least = threshold.match_weight().unwrap().unwrap_or(f64::NEG_INFINITY);
        let expected = by_hand(&people, link_type);
        let kept: Vec<_> = expected.iter().filter(|(_, (weight, ..))| *weight >= least).collect();
        prop_assert_eq!(found.len(), kept.len());
        for (pair, (weight, rule, _)) in kept {
            let (other, of_rule) = found[pair];
            prop_assert!((weight - other).abs() < 1e-9, "{pair:?}: {weight} {other}");
            prop_assert_eq!(*rule, of_rule);
        }
    }

    #[test]
    fn patterns_count_every_pair_with_its_evidence(people in people(), link_type in link_types()) {
        let linker = linker(&people, link_type, 2);
        let counts = linker.patterns_of_rules(linker.model_rules()).unwrap();
        let expected = by_hand(&people, link_type);
        prop_assert_eq!(counts.n_pairs() as usize, expected.len());
        let weights = linker.weights().unwrap();
        let shift = |levels: &[u8]| match levels[0] { 1 => 0.1_f64.log2(), 2 => 0.5 * 0.1_f64.log2(), _ => 0.0 };
        let mut of_groups: Vec<f64> = counts.groups.iter().flat_map(|group| {
            let levels: f64 = group.levels.iter().zip(&weights.levels).map(|(&level, weights)| weights[usize::from(level)]).sum();
            vec![weights.prior + levels + group.term_frequency_bits + shift(&group.levels); group.count as usize]
        }).collect();
        let mut by_hand: Vec<f64> = expected.values().map(|(weight, ..)| *weight).collect();
        of_groups.sort_by(f64::total_cmp);
        by_hand.sort_by(f64::total_cmp);
        for (one, other) in of_groups.iter().zip(&by_hand) {
            prop_assert!((one - other).abs() < 1e-9);
        }
        for window in counts.groups.windows(2) {
            prop_assert!((&window[0].levels, window[0].term_frequency_bits) < (&window[1].levels, window[1].term_frequency_bits));
        }
        for comparison in 0..2 {
            let mut levels = vec![0; linker.plan().comparisons[comparison].levels.len()];
            for (_, _, of_pair) in expected.values() {
                levels[usize::from(of_pair[comparison])] += 1;
            }
            prop_assert_eq!(linker.all_level_counts(comparison).unwrap(), levels.clone());
            let (level, agreement) = linker.exact_agreement(comparison).unwrap();
            prop_assert_eq!((level, agreement.agreeing, agreement.non_null), (1, u128::from(levels[1]), levels[1..].iter().map(|&n| u128::from(n)).sum()));
        }
        prop_assert_eq!(linker.n_possible_pairs(), expected.len() as u128);
    }
}

fn many() -> People {
    let value = |row: u64, salt: u64| {
        let value = random_at(salt, row) % 8;
        (value < 6).then_some(value as usize)
    };
    People {
        names: (0..80).map(|row| value(row, 1)).collect(),
        towns: (0..80).map(|row| value(row, 2)).collect(),
        source: (0..80).map(|row| random_at(0, row).is_multiple_of(3)).collect(),
    }
}

#[test]
fn threads_batches_and_units_change_nothing_not_even_the_order() {
    let people = many();
    let pairs = |threads, batch_size, unit_size| {
        let linker = linker(&people, LinkType::LinkAndDedupe, threads);
        let options = PredictOptions {
            threshold: Threshold::MatchProbability(0.01),
            batch_size,
            unit_size,
            spill_directory: None,
        };
        let predictions = linker.predict(&options).unwrap();
        let mut all = ScoredPairs::default();
        predictions.chunks().for_each(|chunk| all.append(&chunk.unwrap()));
        (all, predictions.candidates_by_rule.clone())
    };
    let expected = pairs(1, 8_192, 1 << 16);
    assert!(expected.0.len() > 100);
    for (threads, batch_size, unit_size) in [(2, 8_192, 1 << 16), (2, 7, 40), (1, 64, 3)] {
        assert_eq!(pairs(threads, batch_size, unit_size), expected);
    }
}

#[test]
fn random_pairs_depend_on_the_seed_alone_and_are_uniform() {
    let people = many();
    let one = linker(&people, LinkType::LinkOnly, 1);
    let two = linker(&people, LinkType::LinkOnly, 2);
    let counts = one.level_counts(0, 7, 0, 200_000).unwrap();
    assert_eq!(counts, two.level_counts(0, 7, 0, 200_000).unwrap());
    let first = one.level_counts(0, 7, 0, 5_000).unwrap();
    let rest = two.level_counts(0, 7, 5_000, 195_000).unwrap();
    assert_eq!(first.iter().zip(&rest).map(|(one, other)| one + other).collect::<Vec<_>>(), counts);
    let all = one.all_level_counts(0).unwrap();
    let total = all.iter().sum::<u64>() as f64;
    for (count, all) in counts.iter().zip(&all) {
        let share = *all as f64 / total;
        let error = (share * (1.0 - share) / 200_000.0).sqrt();
        assert!((*count as f64 / 200_000.0 - share).abs() < 5.0 * error, "{counts:?} {all}");
    }
    assert_eq!(
        one.patterns_of_random_pairs(7, 9_999, &[0]).unwrap(),
        two.patterns_of_random_pairs(7, 9_999, &[0]).unwrap()
    );
}

#[test]
fn pairs_beyond_the_limit_are_spilled_or_refused() {
    let people = many();
    let mut linker = linker(&people, LinkType::DedupeOnly, 1);
    let all = linker.predict(&PredictOptions::default()).unwrap();
    linker.limit_memory(linker.records().heap_bytes() + 80 * 8 * 4 + 1_000);
    let options = PredictOptions { unit_size: 100, ..PredictOptions::default() };
    let refused = linker.predict(&options).unwrap_err();
    assert!(matches!(refused, LinkError::MemoryLimit { .. }), "{refused}");
    let directory = tempfile::tempdir().unwrap();
    let spilled =
        linker.predict(&PredictOptions { spill_directory: Some(directory.path().to_owned()), ..options }).unwrap();
    assert!(spilled.is_spilled() && !all.is_spilled());
    assert_eq!(found(&linker, &spilled), found(&linker, &all));
    assert_eq!(spilled.chunks().count(), spilled.chunks().count());
    linker.limit_memory(10);
    assert!(matches!(linker.predict(&PredictOptions::default()), Err(LinkError::MemoryLimit { .. })));
}

#[test]
fn tables_have_splinks_columns_and_the_steps_add_up() {
    let linker = linker(&many(), LinkType::LinkOnly, 1);
    let predictions = linker.predict(&PredictOptions::probability(0.5)).unwrap();
    let table = predictions.batches(&linker, 10).next().unwrap().unwrap();
    let names: Vec<&str> = table.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(
        names.join(" "),
        "match_weight match_probability source_dataset_l source_dataset_r unique_id_l unique_id_r name_l name_r gamma_name tf_name_l tf_name_r \
         mw_name mw_tf_adj_name town_l town_r gamma_town mw_town match_key"
    );
    let numbers = |name: &str| table.column_by_name(name).unwrap().as_primitive::<Float64Type>().values().to_vec();
    let (total, name, frequency, town) =
        (numbers("match_weight"), numbers("mw_name"), numbers("mw_tf_adj_name"), numbers("mw_town"));
    let gamma = table.column_by_name("gamma_name").unwrap().as_primitive::<Int32Type>();
    let chunk = predictions.chunks().next().unwrap().unwrap();
    for at in 0..table.num_rows() {
        let evidence = linker.compare(chunk.right[at], chunk.left[at]).unwrap();
        let sum = evidence.prior + name[at] + frequency[at] + town[at];
        assert!((sum - total[at]).abs() < 1e-12);
        assert_eq!(evidence.match_weight.to_bits(), total[at].to_bits());
        assert_eq!(
            (evidence.steps[0].vector_value, evidence.steps[0].term_frequency_weight),
            (gamma.value(at), frequency[at])
        );
    }
    let rows: Vec<(u32, u32)> = chunk.left.iter().copied().zip(chunk.right.iter().copied()).collect();
    assert_eq!(linker.score_pairs(&rows).unwrap().match_weight, chunk.match_weight);
}

#[test]
fn deterministic_links_are_the_pairs_of_the_rules() {
    let people = many();
    let linker = linker(&people, LinkType::LinkOnly, 2);
    let rules = &linker.model_rules()[..2];
    let links = linker.deterministic_link(rules, &PredictOptions::default()).unwrap();
    let expected: BTreeMap<_, _> =
        by_hand(&people, LinkType::LinkOnly).into_iter().filter(|(_, (_, rule, _))| *rule < 2).collect();
    assert_eq!(found(&linker, &links).keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
}

#[test]
fn wrong_parameters_are_named() {
    let check = |change: &dyn Fn(&mut LinkageModel), expected: &str| {
        let mut linker = linker(&many(), LinkType::DedupeOnly, 1);
        let mut other = linker.model().clone();
        change(&mut other);
        let error =
            linker.set_parameters(&other).and_then(|()| linker.predict(&PredictOptions::default())).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(&|model| model.probability_two_random_records_match = 1.0, "two random records match");
    check(&|model| model.comparisons[0].levels[1].m_probability = Some(2.0), "m of level `true` of comparison `name`");
    check(&|model| model.comparisons.truncate(1), "other comparisons");
    let linker = linker(&many(), LinkType::DedupeOnly, 1);
    let error = linker.predict(&PredictOptions::probability(2.0)).unwrap_err();
    assert!(matches!(error, LinkError::NotAProbability { .. }), "{error}");
}

#[test]
fn registered_frequencies_stand_instead_of_counts() {
    let people = People { names: vec![Some(0), Some(0)], towns: vec![None; 2], source: vec![false; 2] };
    let all = linker(&people, LinkType::DedupeOnly, 1);
    assert_eq!(all.term_frequencies("name").unwrap(), [("anna".to_owned(), 1.0)].into_iter().collect());
    assert_eq!(all.term_frequencies("town"), None);
    let batch = all.records();
    assert_eq!(batch.len(), 2);
    let table = RecordBatch::try_from_iter([
        ("unique_id", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef),
        ("name", Arc::new(StringArray::from(vec!["anna", "anna", "ann"]))),
        ("town", Arc::new(StringArray::from(vec!["x", "y", "z"]))),
    ])
    .unwrap();
    let frequencies = [("anna".to_owned(), 0.01)].into_iter().collect();
    let few = Linker::builder(model(LinkType::DedupeOnly))
        .plan(plan())
        .threads(1)
        .allow_full_product(true)
        .term_frequencies("name", frequencies)
        .table("a", [table])
        .build()
        .unwrap();
    let bits = |one, other| few.compare(one, other).unwrap().steps[0].term_frequency_weight;
    assert!((bits(0, 1) - (0.1_f64 / 0.01).log2()).abs() < 1e-12);
    // The unknown side takes the frequency of the other.
    assert!((bits(0, 2) - 0.5 * (0.1_f64 / 0.3).log2()).abs() < 1e-12);
}

#[test]
fn a_looked_up_record_scores_as_it_does_among_all() {
    let people = many();
    let mut model = model(LinkType::DedupeOnly);
    model.blocking_rules.truncate(2);
    let mut plan = plan();
    plan.rules.truncate(2);
    plan.rules[1].residual = Some(Condition::Not(Box::new(Condition::IsNull { side: Side::Left, feature: 1 })));
    let all = linker(&people, LinkType::DedupeOnly, 1);
    let text = |values: &[Option<usize>]| -> ArrayRef {
        Arc::new(values.iter().map(|value| value.map(|value| NAMES[value])).collect::<StringArray>())
    };
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(10..90));
    let table = RecordBatch::try_from_iter_with_nullable([
        ("unique_id", ids, false),
        ("name", text(&people.names), true),
        ("town", text(&people.towns), true),
    ])
    .unwrap();
    let builder = Linker::builder(model).plan(plan).threads(1).table("a", [table.clone()]);
    let matcher = crate::Matcher::new(builder.build().unwrap()).unwrap();
    let query = 79_u32;
    let found = matcher.find(&table.slice(query as usize, 1), Threshold::All).unwrap();
    let mut expected: Vec<(u32, f64)> = Vec::new();
    for record in 0..80_u32 {
        let (one, other) = (record as usize, query as usize);
        let same = |values: &[Option<usize>]| values[one].is_some() && values[one] == values[other];
        if same(&people.towns) || (same(&people.names) && people.towns[one].is_some()) {
            let weight = if record == query { f64::NAN } else { all.compare(record, query).unwrap().match_weight };
            expected.push((record, weight));
        }
    }
    let mut by_record: Vec<(u32, f64)> = found.iter().map(|found| (found.record, found.match_weight)).collect();
    by_record.sort_by_key(|found| found.0);
    assert_eq!(
        by_record.iter().map(|found| found.0).collect::<Vec<_>>(),
        expected.iter().map(|found| found.0).collect::<Vec<_>>()
    );
    for ((_, weight), (_, expected)) in by_record.iter().zip(&expected) {
        assert!(expected.is_nan() || (weight - expected).abs() < 1e-12);
    }
    let weights: Vec<f64> = found.iter().map(|found| found.match_weight).collect();
    assert!(weights.is_sorted_by(|one, other| one >= other));
    let best = matcher.find(&table.slice(query as usize, 1), Threshold::MatchWeight(weights[0])).unwrap();
    assert!(!best.is_empty() && best.len() <= found.len());
}

/// Reads a file of the reference run of Splink 5.0.0 over its own `fake_1000`.
fn reference(file: &str) -> RecordBatch {
    let path = format!("{}/tests/fixtures/splink/fake_1000/{file}", env!("CARGO_MANIFEST_DIR"));
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(path).unwrap())
            .unwrap();
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap()
}

#[test]
fn a_model_of_splink_gives_its_pairs_levels_and_weights() {
    let (mut model, _) =
        LinkageModel::from_splink_json(include_str!("../../tests/fixtures/splink/fake_1000/model.json")).unwrap();
    model.output.retain_intermediate_calculation_columns = true;
    let linker = Linker::builder(model).threads(2).table("people", [reference("records.parquet")]).build().unwrap();
    let expected = reference("pairs.parquet");
    let predictions = linker.predict(&PredictOptions::default()).unwrap();
    let found = predictions.batches(&linker, 1 << 20).map(Result::unwrap).collect::<Vec<_>>();
    let found = arrow::compute::concat_batches(&found[0].schema(), &found).unwrap();
    assert_eq!(found.num_rows(), expected.num_rows());
    let texts = |table: &RecordBatch, name: &str| -> Vec<String> {
        table.column_by_name(name).unwrap().as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect()
    };
    let rows = |table: &RecordBatch| -> BTreeMap<(String, String), usize> {
        texts(table, "unique_id_l").into_iter().zip(texts(table, "unique_id_r")).zip(0..).collect()
    };
    let (found_rows, expected_rows) = (rows(&found), rows(&expected));
    assert!(found_rows.keys().eq(expected_rows.keys()), "the same candidate pairs");
    for name in
        expected.schema().fields().iter().map(|field| field.name().as_str()).filter(|name| name.starts_with("gamma_"))
    {
        let of =
            |table: &RecordBatch| table.column_by_name(name).unwrap().as_primitive::<Int32Type>().values().to_vec();
        let (found, expected) = (of(&found), of(&expected));
        assert!(expected_rows.iter().all(|(pair, &row)| found[found_rows[pair]] == expected[row]), "{name}");
    }
    let (found_keys, expected_keys) = (texts(&found, "match_key"), texts(&expected, "match_key"));
    let weights = |table: &RecordBatch| {
        table.column_by_name("match_weight").unwrap().as_primitive::<Float64Type>().values().to_vec()
    };
    let (found, expected) = (weights(&found), weights(&expected));
    for (pair, &row) in &expected_rows {
        let at = found_rows[pair];
        assert!((found[at] - expected[row]).abs() < 1e-9, "{pair:?}: {} {}", found[at], expected[row]);
        assert_eq!(found_keys[at], expected_keys[row]);
    }
}
