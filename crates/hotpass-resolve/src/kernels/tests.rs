use std::sync::LazyLock;

use proptest::prelude::*;

use super::dispatch::Tier;
use super::*;
use crate::plan::{Operator, TextSimilarity};

const SIMILARITIES: [TextSimilarity; 6] = [
    TextSimilarity::Jaro,
    TextSimilarity::JaroWinkler,
    TextSimilarity::Levenshtein,
    TextSimilarity::DamerauLevenshtein,
    TextSimilarity::Jaccard,
    TextSimilarity::Hamming,
];
const SEMANTICS: [TextSemantics; 2] = [TextSemantics::Characters, TextSemantics::DuckDbBytes];

/// Thresholds in use for each similarity, with others at the edges of what is possible.
fn thresholds(similarity: TextSimilarity) -> Vec<Thresholds> {
    use Operator::{Greater, GreaterOrEqual, Less, LessOrEqual};
    let lists: &[&[(Operator, f64)]] = match similarity {
        TextSimilarity::Jaro | TextSimilarity::JaroWinkler | TextSimilarity::Jaccard => &[
            &[(GreaterOrEqual, 0.92), (GreaterOrEqual, 0.88), (Greater, 0.7)],
            &[(GreaterOrEqual, 1.0), (GreaterOrEqual, 0.0)],
            &[(Greater, 1.0)],
            &[(Less, 0.2), (LessOrEqual, 0.5)],
            &[(GreaterOrEqual, 2.0 / 3.0), (Greater, 0.5), (GreaterOrEqual, 0.5)],
            &[],
        ],
        _ => &[
            &[(LessOrEqual, 0.0), (LessOrEqual, 1.0), (Less, 2.5)],
            &[(LessOrEqual, 2.0)],
            &[(Less, 3.0)],
            &[(LessOrEqual, 3.0), (LessOrEqual, 4.0), (LessOrEqual, 7.0)],
            &[(Less, 0.0)],
            &[(GreaterOrEqual, 9.0), (Greater, 2.0)],
            &[],
        ],
    };
    lists.iter().map(|list| Thresholds::new(list).unwrap()).collect()
}

/// The same for all cases, so that what thresholds keep is computed once.
static THRESHOLDS: LazyLock<[Vec<Thresholds>; 6]> = LazyLock::new(|| SIMILARITIES.map(thresholds));

/// Holds all that a kernel gives against the plain form, for every pair of the texts.
fn check(texts: &[String]) {
    let mut table = TextTable::default();
    let codes: Vec<u32> = texts.iter().map(|text| table.push(text)).collect();
    let unfinished = table.clone();
    table.finish();
    let pairs: Vec<(u32, u32)> = codes.iter().flat_map(|&left| codes.iter().map(move |&right| (left, right))).collect();
    let (lefts, rights): (Vec<u32>, Vec<u32>) = pairs.iter().copied().unzip();
    for (similarity, all_thresholds) in SIMILARITIES.into_iter().zip(&*THRESHOLDS) {
        for semantics in SEMANTICS {
            let plain = |&(left, right): &(u32, u32)| {
                reference::value(similarity, &texts[left as usize], &texts[right as usize], semantics).unwrap()
            };
            let expected: Vec<f64> = pairs.iter().map(plain).collect();
            let kernel = TextKernel::new(similarity, semantics).unwrap();
            let (left, right) = pairs[pairs.len() / 2];
            let unfinished = kernel.value(&unfinished, left, right);
            assert!(unfinished.is_nan() || unfinished.to_bits() == expected[pairs.len() / 2].to_bits());
            for kernel in Tier::all().into_iter().map(|tier| kernel.with_tier(tier)) {
                for (&(left, right), &expected) in pairs.iter().zip(&expected) {
                    let value = kernel.value(&table, left, right);
                    let (left, right) = (&texts[left as usize], &texts[right as usize]);
                    assert!(
                        value.to_bits() == expected.to_bits() || (value.is_nan() && expected.is_nan()),
                        "{similarity:?} {semantics:?} {left:?} {right:?}: {value} for {expected}"
                    );
                    let outside = kernel.value_of_texts(left, right);
                    assert!(outside.is_nan() || outside.to_bits() == expected.to_bits(), "{left:?} {right:?}");
                }
                for thresholds in all_thresholds {
                    let expected: Vec<u8> = expected.iter().map(|&value| thresholds.band(value)).collect();
                    let mut bands = vec![77; pairs.len()];
                    kernel.bands_of_pairs(&table, &lefts, &rights, thresholds, &mut bands);
                    assert_eq!(bands, expected, "{similarity:?} {semantics:?} {texts:?} {thresholds:?}");
                    for (&left, out) in codes.iter().zip(bands.chunks_mut(codes.len())) {
                        kernel.bands(&table, left, &codes, thresholds, out);
                    }
                    assert_eq!(bands, expected, "{similarity:?} {semantics:?} {texts:?} {thresholds:?}");
                }
            }
        }
    }
}

/// Texts that are near each other often: few letters, and edits of one text.
fn related_texts() -> impl Strategy<Value = Vec<String>> {
    let base = prop_oneof![
        4 => "[abcd]{0,12}",
        4 => "[a-k ]{0,20}",
        3 => "[A-Za-zéèößç]{0,14}",
        2 => "[0-9]{0,12}",
        1 => "[abé語本日]{0,10}",
        1 => "[a-e]{55,75}",
        1 => "[a-cé]{120,135}",
        1 => "[a-d日]{180,280}",
    ];
    (base, prop::collection::vec(prop::collection::vec((0_u8..4, any::<u16>(), any::<u16>()), 0..5), 1..5)).prop_map(
        |(base, edits)| {
            let edited = edits.iter().map(|edits| edit(&base, edits));
            edited.chain([base.clone()]).collect()
        },
    )
}

fn edit(text: &str, edits: &[(u8, u16, u16)]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for &(kind, place, what) in edits {
        let what = ['a', 'b', 'c', 'é', ' ', '1'][usize::from(what) % 6];
        let length = characters.len();
        let place = usize::from(place) % (length + 1);
        match kind {
            0 => characters.insert(place, what),
            1 if place < length => characters[place] = what,
            2 if place < length => drop(characters.remove(place)),
            3 if place + 1 < length => characters.swap(place, place + 1),
            _ => {}
        }
    }
    characters.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn kernels_equal_the_plain_forms(texts in related_texts()) {
        check(&texts);
    }

    #[test]
    fn kernels_equal_the_plain_forms_on_any_text(texts in prop::collection::vec(any::<String>(), 1..6)) {
        check(&texts);
    }
}

#[test]
fn restricted_and_unrestricted_distances_part_as_proven() {
    let texts: Vec<String> = (1..=5_u32)
        .flat_map(|length| (0..3_u32.pow(length)).map(move |number| (length, number)))
        .map(|(length, number)| {
            (0..length).map(|place| char::from(b'a' + (number / 3_u32.pow(place) % 3) as u8)).collect()
        })
        .collect();
    for left in &texts {
        let mut pattern = pattern::Pattern::new();
        pattern.load(left.as_bytes());
        for right in &texts {
            let restricted = damerau::restricted_distance(&pattern, right.as_bytes());
            assert_eq!(restricted, strsim::osa_distance(left, right), "{left} {right}");
            let expected = strsim::damerau_levenshtein(left, right);
            assert_eq!(
                damerau::unrestricted(left.as_bytes(), right.as_bytes(), restricted),
                expected,
                "{left} {right}"
            );
            assert!(damerau::least(restricted) <= expected, "{left} {right}");
        }
    }
}

#[test]
fn a_long_alphabet_falls_back() {
    let texts: Vec<String> = (0..40_u32)
        .map(|row| (0..12).filter_map(|column| char::from_u32(0x4e00 + (row * 7 + column) % 300)).collect())
        .collect();
    check(&texts[..20]);
    check(&["é".repeat(300), "e".repeat(300), "é".repeat(299)]);
}

#[test]
fn a_code_outside_the_table_is_in_no_band() {
    let mut table = TextTable::default();
    table.push("text");
    table.finish();
    let kernel = TextKernel::new(TextSimilarity::Jaro, TextSemantics::Characters).unwrap();
    let thresholds = Thresholds::new(&[(Operator::GreaterOrEqual, 0.0)]).unwrap();
    let mut bands = [9; 3];
    kernel.bands(&table, 0, &[0, 1, u32::MAX], &thresholds, &mut bands);
    assert_eq!(bands, [0, 1, 1]);
    kernel.bands(&table, u32::MAX, &[0], &thresholds, &mut bands);
    assert_eq!(bands, [1, 1, 1]);
    assert!(kernel.value(&table, 0, u32::MAX).is_nan());
    assert_eq!(table.get(u32::MAX), "");
}

#[test]
fn a_table_can_grow_after_it_was_finished() {
    let mut table = TextTable::default();
    for text in ["José", "Jose", ""] {
        table.push(text);
    }
    table.finish();
    table.finish();
    let code = table.push("Zoë");
    assert_eq!((code, table.get(0), table.get(2), table.get(3)), (3, "José", "", "Zoë"));
    let kernel = TextKernel::new(TextSimilarity::Levenshtein, TextSemantics::Characters).unwrap();
    assert!((kernel.value(&table, 0, 3) - 3.0).abs() < f64::EPSILON);
    table.finish();
    assert!((kernel.value(&table, 0, 1) - 1.0).abs() < f64::EPSILON);
    assert_eq!(table.get(3), "Zoë");
    assert!(table.heap_bytes() > 4 * 40);
}

/// Texts, then what DuckDB gives for them, similarities as the bits of an `f64` in hexadecimal.
#[test]
fn bytes_equal_what_duckdb_gives() {
    let functions: [(usize, TextSimilarity); 6] = [
        (2, TextSimilarity::Jaro),
        (3, TextSimilarity::JaroWinkler),
        (4, TextSimilarity::Levenshtein),
        (5, TextSimilarity::DamerauLevenshtein),
        (6, TextSimilarity::Jaccard),
        (7, TextSimilarity::Hamming),
    ];
    let file = include_str!("../../tests/data/duckdb_pairs.tsv");
    let mut table = TextTable::default();
    let mut rows = Vec::new();
    for line in file.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        rows.push((table.push(fields[0]), table.push(fields[1]), fields));
    }
    table.finish();
    for (column, similarity) in functions {
        let kernel = TextKernel::new(similarity, TextSemantics::DuckDbBytes).unwrap();
        // An empty field is an error in DuckDB.
        for (left, right, fields) in rows.iter().filter(|(_, _, fields)| !fields[column].is_empty()) {
            let field = fields[column];
            let expected = if field.len() == 16 {
                u64::from_str_radix(field, 16)
            } else {
                Ok(field.parse::<f64>().unwrap().to_bits())
            };
            let value = kernel.value(&table, *left, *right);
            assert_eq!(value.to_bits(), expected.unwrap(), "{similarity:?} {fields:?}: {value}");
        }
    }
    assert!(rows.len() >= 700);
}
