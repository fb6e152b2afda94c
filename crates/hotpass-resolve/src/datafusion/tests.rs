//! The native tier as an oracle of the SQL tier, and the linker as one of plan nodes.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, Float64Builder, Int64Array, ListBuilder, RecordBatch, StringArray,
    StringBuilder,
};
use arrow::datatypes::Schema;
use proptest::prelude::*;

use super::DataFusionTier;
use crate::compare::Scratch;
use crate::model::{Comparison, ComparisonLevel, LinkType, LinkageModel};
use crate::plan::{CompileOptions, Condition, Plan, SqlCondition};
use crate::sql::{format, parse_condition};
use crate::{LinkError, Linker};

#[derive(Debug, Clone)]
struct Person {
    name: Option<String>,
    other: Option<String>,
    age: Option<i64>,
    income: Option<f64>,
    born: Option<i32>,
    place: Option<(f64, f64)>,
    names: Option<Vec<Option<String>>>,
    vector: Option<Vec<f64>>,
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just(String::new()),
        4 => "(anna|ann|bob|bobby|MARTHA|marhta)[ab]{0,2}",
        2 => "[aéßž'% ]{0,6}",
        1 => "[ab]{62,70}",
        1 => "[abc]{126,140}",
    ]
}

fn person() -> impl Strategy<Value = Person> {
    let list = prop::collection::vec(prop::option::weighted(0.9, "[ab]{0,2}"), 0..4);
    (
        prop::option::weighted(0.85, text()),
        prop::option::weighted(0.85, text()),
        prop::option::weighted(0.85, 0..6_i64),
        prop::option::weighted(0.85, prop_oneof![Just(0.0), Just(1.5), Just(-2.25), 0.0..4.0_f64]),
        prop::option::weighted(0.85, 10_950..11_400_i32),
        prop::option::weighted(0.85, (-80.0..80.0_f64, -180.0..180.0_f64)),
        prop::option::weighted(0.85, list),
        prop::option::weighted(0.85, prop::collection::vec(-1.0..1.0_f64, 3)),
    )
        .prop_map(|(name, other, age, income, born, place, names, vector)| Person {
            name,
            other,
            age,
            income,
            born,
            place,
            names,
            vector,
        })
}

fn table(people: &[Person]) -> RecordBatch {
    let texts =
        |of: fn(&Person) -> Option<&String>| -> ArrayRef { Arc::new(people.iter().map(of).collect::<StringArray>()) };
    let numbers =
        |of: fn(&Person) -> Option<f64>| -> ArrayRef { Arc::new(people.iter().map(of).collect::<Float64Array>()) };
    let mut names = ListBuilder::new(StringBuilder::new());
    let mut vectors = ListBuilder::new(Float64Builder::new());
    for person in people {
        names.append_option(person.names.clone());
        vectors.append_option(person.vector.clone().map(|vector| vector.into_iter().map(Some)));
    }
    let born = people.iter().map(|person| person.born).collect::<Date32Array>();
    let written =
        born.iter().map(|days| Some(arrow::temporal_conversions::date32_to_datetime(days?)?.date().to_string()));
    let written: StringArray = written.collect();
    let columns: [(&str, ArrayRef); 11] = [
        ("unique_id", Arc::new(Int64Array::from_iter_values(0..people.len() as i64))),
        ("Name", texts(|person| person.name.as_ref())),
        ("other", texts(|person| person.other.as_ref())),
        ("age", Arc::new(people.iter().map(|person| person.age).collect::<Int64Array>())),
        ("income", numbers(|person| person.income)),
        ("born", Arc::new(born)),
        ("born_text", Arc::new(written)),
        ("lat", numbers(|person| person.place.map(|place| place.0))),
        ("lon", numbers(|person| person.place.map(|place| place.1))),
        ("names", Arc::new(names.finish())),
        ("vector", Arc::new(vectors.finish())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

/// Conditions of every form that has a native one.
const CONDITIONS: &[&str] = &[
    "name_l = name_r",
    "name_l <> other_r",
    "name_l = other_r AND other_l = name_r",
    "lower(name_l) = lower(name_r)",
    "substr(name_l, 1, 3) = substr(name_r, 1, 3)",
    "name_l IS NOT DISTINCT FROM name_r",
    "name_l IS DISTINCT FROM other_r",
    "name_l IS NULL OR name_r IS NULL",
    "name_l IS NOT NULL AND NOT (other_r IS NULL)",
    "jaro_similarity(name_l, name_r) >= 0.8",
    "jaro_winkler_similarity(name_l, name_r) >= 0.9",
    "jaro_winkler_similarity(name_l, name_r) < 0.7",
    "levenshtein(name_l, name_r) <= 2",
    "levenshtein(name_l, other_r) > 1",
    "damerau_levenshtein(name_l, name_r) <= 1",
    "jaccard(name_l, name_r) >= 0.5",
    "qgram_dice(name_l, name_r, 2) >= 0.5",
    "levenshtein(name_l, name_r) <= 1 OR jaro_similarity(other_l, other_r) > 0.9",
    "NOT (levenshtein(name_l, name_r) <= 1 AND age_l = age_r)",
    "name_l = 'anna'",
    "name_l = 'anna' OR name_r = 'anna'",
    "name_l LIKE 'an%'",
    "name_r NOT LIKE '%b_'",
    "name_l IN ('anna', 'bob', '')",
    "name_l NOT IN (other_r, name_r)",
    "name_l IN (name_r, other_r)",
    "age_l BETWEEN 1 AND 3",
    "age_l NOT BETWEEN 1 AND age_r",
    "age_l = age_r",
    "age_l < age_r",
    "age_l = income_r",
    "abs(age_l - age_r) <= 2",
    "abs(income_l - income_r) < 0.5",
    "abs(income_l - income_r) / greatest(income_l, income_r) <= 0.5",
    "age_l / 2 = age_r / 2",
    "age_l + income_r > 4.5",
    "abs(born_l - born_r) <= 30",
    "abs(date_diff('month', born_l, born_r)) <= 3",
    "date_diff('day', born_l, born_r) > -10",
    "abs(epoch(try_strptime(born_text_l, '%Y-%m-%d')) - epoch(try_strptime(born_text_r, '%Y-%m-%d'))) <= 2592000",
    "date_part('year', born_l) = date_part('year', born_r)",
    "len(list_intersect(names_l, names_r)) >= 1",
    "array_length(list_intersect(names_l, names_r)) >= 2",
    "NOT len(list_intersect(names_l, names_r)) >= 1",
    "list_has_any(names_l, names_r)",
    "len(names_l) > 1",
    "list_cosine_similarity(vector_l, vector_r) >= 0.5",
    "distance_km(lat_l, lon_l, lat_r, lon_r) <= 5000",
    "acos(greatest(-1.0, least(1.0, sin(radians(lat_l)) * sin(radians(lat_r)) + cos(radians(lat_l)) * cos(radians(lat_r)) * cos(radians(lon_r - lon_l))))) * 6371 <= 4000.0",
    "length(name_l) = length(name_r)",
    "regexp_extract(name_l, '^(a+)(n*)', 2) = regexp_extract(name_r, '^(a+)(n*)', 2)",
    "coalesce(name_l, other_l) = coalesce(name_r, other_r)",
    "nullif(name_l, '') = nullif(name_r, '')",
    "CASE WHEN age_l > 2 THEN name_l = name_r ELSE other_l = other_r END",
    "soundex(name_l) = soundex(name_r)",
    "TRY_CAST(name_l AS INTEGER) IS NULL AND CAST(age_l AS VARCHAR) = CAST(age_r AS VARCHAR)",
    "name_l || other_l = name_r || other_r",
    "1 = 2",
    "NULL OR name_l = name_r",
];

fn model(conditions: &[&str]) -> LinkageModel {
    let mut model = LinkageModel::new(LinkType::DedupeOnly);
    for (number, condition) in conditions.iter().enumerate() {
        let levels = vec![ComparisonLevel::new(*condition), ComparisonLevel::new("ELSE")];
        model.comparisons.push(Comparison { output_column_name: format!("c{number}"), description: None, levels });
    }
    model
}

fn linker(conditions: &[&str], table: &RecordBatch) -> Result<Linker, LinkError> {
    let names: Vec<String> = table.schema().fields().iter().map(|field| field.name().clone()).collect();
    Linker::builder(model(conditions)).table("people", [table.clone()]).retain_columns(names).threads(1).build()
}

/// Every column of the records in row order.
fn in_row_order(linker: &Linker, schema: &Schema) -> RecordBatch {
    let rows: Vec<u32> = (0..linker.records().len() as u32).collect();
    let columns = schema
        .fields()
        .iter()
        .map(|field| (field.name(), linker.records().take(field.name(), &rows).unwrap().unwrap(), true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn forced(sql: &str, schema: &Schema) -> SqlCondition {
    let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
    SqlCondition { sql: format(&parse_condition(sql).unwrap()), columns }
}

fn all_pairs(n: u32) -> (Vec<u32>, Vec<u32>) {
    (0..n).flat_map(|left| (0..n).map(move |right| (left, right))).filter(|(left, right)| left < right).unzip()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn both_tiers_hold_the_same(people in prop::collection::vec(person(), 2..14)) {
        let table = table(&people);
        let schema = table.schema();
        let linker = linker(CONDITIONS, &table).unwrap();
        prop_assert_eq!(&linker.plan().sql_conditions, &[]);
        let conditions: Vec<SqlCondition> = CONDITIONS.iter().map(|sql| forced(sql, &schema)).collect();
        let tier =
            DataFusionTier::new(&conditions, in_row_order(&linker, &schema), linker.model().text_semantics).unwrap();
        let comparer = linker.comparer().unwrap();
        let (lefts, rights) = all_pairs(people.len() as u32);
        let (mut native, mut sql) = (vec![9; lefts.len()], vec![9; lefts.len()]);
        let mut differing = Vec::new();
        for (number, text) in CONDITIONS.iter().enumerate() {
            let condition: &Condition = &linker.plan().comparisons[number].levels[0];
            comparer.holds(condition, &lefts, &rights, &mut native, &mut Scratch::default()).unwrap();
            tier.evaluate(number, &lefts, &rights, &mut sql).unwrap();
            // Where a condition counts only if it holds, the plan takes the cheaper of unknown and false for a list that is null.
            let either = text.contains("list_intersect") && !text.starts_with("NOT");
            let differs = |at: usize| native[at] != sql[at] && !(either && native[at] != 1 && sql[at] != 1);
            if let Some(at) = (0..native.len()).find(|&at| differs(at)) {
                let pair = (&people[lefts[at] as usize], &people[rights[at] as usize]);
                differing.push(format!("{text}: {} and {} of {pair:?}", native[at], sql[at]));
            }
        }
        prop_assert!(differing.is_empty(), "{}", differing.join("\n"));
    }
}

fn few() -> RecordBatch {
    let person = |name: Option<&str>, age: i64, names: &[&str]| Person {
        name: name.map(str::to_owned),
        other: None,
        age: Some(age),
        income: None,
        born: Some(10_957),
        place: None,
        names: Some(names.iter().map(|&name| Some(name.to_owned())).collect()),
        vector: None,
    };
    table(&[
        person(Some("anna"), 7, &["ann", "anna"]),
        person(Some("Anna"), 8, &["a"]),
        person(Some("bob"), 9, &["bobby"]),
        person(None, 8, &[]),
    ])
}

fn check_levels(condition: &str, expected: &[u8]) {
    let linker = linker(&[condition], &few()).unwrap();
    let (lefts, rights) = all_pairs(4);
    let mut levels = vec![9; lefts.len()];
    linker.comparer().unwrap().levels(0, &lefts, &rights, &mut levels, &mut Scratch::default()).unwrap();
    assert_eq!(levels, expected, "{condition}: {:?}", linker.plan());
}

#[test]
fn a_linker_evaluates_what_has_no_native_form() {
    // Pairs: anna–Anna, anna–bob, anna–null, Anna–bob, Anna–null, bob–null.
    check_levels("Name_l < name_r", &[1, 0, 1, 0, 1, 1]);
    check_levels("initcap(lower(name_l)) = initcap(lower(name_r))", &[0, 1, 1, 1, 1, 1]);
    check_levels("BIT_LENGTH(name_l) < bit_length(name_l || name_r) OR age_l = 7", &[0, 0, 0, 0, 1, 1]);
    check_levels("initcap(NAME_l) = INITCAP(name_r)", &[0, 1, 1, 1, 1, 1]);
    check_levels("levenshtein(initcap(name_l), initcap(name_r)) <= 0", &[0, 1, 1, 1, 1, 1]);
    check_levels("len(array_union(names_l, names_r)) > 2", &[0, 0, 1, 1, 1, 1]);
    check_levels("gcd(age_l, age_r) = 1 AND Name_l IS NOT NULL", &[0, 0, 0, 0, 1, 0]);
}

#[test]
fn a_rule_may_read_what_has_no_native_form() {
    let model = LinkageModel::new(LinkType::DedupeOnly).block_on("initcap(lower(l.name)) = initcap(lower(r.name))");
    let filtered = model.clone().block_on("l.born = r.born AND gcd(l.age, r.age) = 8");
    let count = |model: LinkageModel| {
        let linker = Linker::builder(model).table("people", [few()]).threads(1).build().unwrap();
        linker.predict(&crate::PredictOptions::default()).unwrap().candidates_by_rule.clone()
    };
    assert_eq!(count(model), [1]);
    assert_eq!(count(filtered), [1, 1]);
}

#[test]
fn what_cannot_be_planned_is_refused_when_the_linker_is_built() {
    let refused = |condition: &str| {
        let error = linker(&[condition], &few()).unwrap_err();
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        text
    };
    assert!(refused("gcd(name_l, age_r) = 1").contains("gcd"), "{}", refused("gcd(name_l, age_r) = 1"));
    assert!(refused("initcap(name_l, name_l) = initcap(name_r, name_r)").contains("initcap"));
    assert!(refused("list_reduce(names_l, (x, y) -> x || y) = name_r").contains("list_reduce"));
}

#[test]
fn a_linker_works_inside_and_outside_of_a_runtime() {
    let levels = || {
        let linker = linker(&["name_l < name_r"], &few()).unwrap();
        let mut levels = [9];
        linker.comparer().unwrap().levels(0, &[0], &[2], &mut levels, &mut Scratch::default()).unwrap();
        levels
    };
    assert_eq!(levels(), [0]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(async { levels() }), [0]);
}

#[test]
fn without_the_tier_conditions_are_refused_by_name() {
    let problems =
        Plan::compile(&model(&["gcd(age_l, age_r) = 1"]), &few().schema(), &CompileOptions { sql_tier: false });
    assert!(problems.unwrap_err().to_string().contains("gcd"));
}
