//! Tests of compilation.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

use super::*;
use crate::model::{BlockingRule, Comparison, ComparisonLevel, LinkType, LinkageModel, TermFrequencyAdjustment};

/// The columns that the generated conditions read.
fn schema() -> Schema {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let list =
        |name: &str, item: DataType| Field::new(name, DataType::List(Arc::new(Field::new("item", item, true))), true);
    Schema::new(vec![
        text("first_name"),
        text("surname"),
        text("full_name"),
        text("city"),
        text("email"),
        text("postcode"),
        text("dob_text"),
        text("seen_text"),
        text("Weird Col"),
        text("group"),
        Field::new("dictionary", DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::LargeUtf8)), true),
        Field::new("dob", DataType::Date32, true),
        Field::new("seen", DataType::Timestamp(TimeUnit::Nanosecond, None), true),
        Field::new("age", DataType::Int32, true),
        Field::new("income", DataType::Float64, true),
        Field::new("lat", DataType::Float64, true),
        Field::new("long", DataType::Float64, true),
        Field::new("single", DataType::Float32, true),
        Field::new("flag", DataType::Boolean, true),
        list("names", DataType::Utf8),
        list("dmeta", DataType::Utf8),
        list("years", DataType::Int32),
        list("vector", DataType::Float64),
    ])
}

fn model_of(conditions: &[&str]) -> LinkageModel {
    let levels = conditions.iter().map(|condition| ComparisonLevel::new(*condition)).collect();
    LinkageModel::new(LinkType::DedupeOnly).compare(Comparison {
        output_column_name: "tested".to_owned(),
        description: None,
        levels,
    })
}

fn compiled(model: &LinkageModel) -> Result<Plan, PlanProblems> {
    Plan::compile(model, &schema(), &CompileOptions { sql_tier: true })
}

fn condition(sql: &str) -> (Condition, Plan) {
    let plan = compiled(&model_of(&[sql])).unwrap_or_else(|problems| panic!("{sql}: {problems}"));
    (plan.comparisons[0].levels[0].clone(), plan)
}

fn problems_of(sql: &str) -> String {
    compiled(&model_of(&[sql])).expect_err(sql).to_string()
}

fn rule(sql: &str, exploded: &[&str]) -> (RulePlan, Plan) {
    let mut rule = BlockingRule::from(sql);
    rule.arrays_to_explode = exploded.iter().map(|column| (*column).to_owned()).collect();
    let model = LinkageModel::new(LinkType::DedupeOnly).block_on(rule);
    let plan = compiled(&model).unwrap_or_else(|problems| panic!("{sql}: {problems}"));
    (plan.rules[0].clone(), plan)
}

fn library() -> serde_json::Value {
    serde_json::from_str(include_str!("splink_library.json")).expect("the fixture is JSON")
}

#[test]
fn every_condition_of_splinks_library_is_native() {
    let library = library();
    let conditions: Vec<&str> =
        library["conditions"].as_array().expect("an array").iter().filter_map(|condition| condition.as_str()).collect();
    assert!(conditions.len() > 100);
    let options = CompileOptions { sql_tier: false };
    let mut failed = String::new();
    for condition in conditions {
        if let Err(problems) = Plan::compile(&model_of(&[condition]), &schema(), &options) {
            failed.push_str(&problems.to_string());
        }
    }
    assert_eq!(failed, "");
}

#[test]
fn every_rule_of_splinks_library_is_native() {
    let options = CompileOptions { sql_tier: false };
    for rule in library()["rules"].as_array().expect("an array") {
        let sql = rule["sql"].as_str().expect("text");
        let mut blocking = BlockingRule::from(sql);
        blocking.arrays_to_explode = rule["explode"]
            .as_array()
            .expect("an array")
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        let plan = Plan::compile(&LinkageModel::new(LinkType::DedupeOnly).block_on(blocking), &schema(), &options);
        let plan = plan.unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(matches!(plan.rules[0].search, RuleSearch::Equality(_)), !sql.contains(" OR "), "{sql}");
    }
}

#[test]
fn common_conditions_have_the_plain_shapes() {
    let (null, plan) = condition("\"first_name_l\" IS NULL OR \"first_name_r\" IS NULL");
    assert_eq!(
        null,
        Condition::Or(vec![
            Condition::IsNull { side: Side::Left, feature: 0 },
            Condition::IsNull { side: Side::Right, feature: 0 }
        ])
    );
    assert_eq!(plan.features.len(), 1);
    assert_eq!(condition("FIRST_NAME_L = First_Name_R").0, Condition::Equal { left: 0, right: 0 });
    assert_eq!(condition("first_name_r = surname_l").0, Condition::Equal { left: 0, right: 1 });
    let (threshold, plan) = condition("0.9 <= jaro_winkler_similarity(first_name_r, lower(surname_l))");
    assert_eq!(threshold, Condition::Measure { measure: 0, operator: Operator::GreaterOrEqual, threshold: 0.9 });
    assert_eq!(plan.measures, [Measure::Text { similarity: TextSimilarity::JaroWinkler, left: 0, right: 1 }]);
    assert_eq!(plan.features[0].domain, plan.features[1].domain);
    assert_eq!(condition("ELSE").0, Condition::Constant(Some(true)));
    assert_eq!(condition("1 = 2 OR NULL").0, Condition::Constant(None));
}

#[test]
fn features_and_measures_are_computed_once() {
    let conditions = [
        "levenshtein(lower(first_name_l), lower(first_name_r)) <= 1",
        "levenshtein(lower(first_name_l), lower(first_name_r)) <= 2",
    ];
    let plan = compiled(&model_of(&conditions)).expect("the conditions are valid");
    assert_eq!((plan.features.len(), plan.measures.len(), plan.n_domains), (1, 1, 1));
}

#[test]
fn term_frequency_columns_become_features() {
    let mut model = model_of(&["first_name_l = first_name_r", "ELSE"]);
    let adjustment = TermFrequencyAdjustment {
        column: "First_Name".to_owned(),
        weight: 1.0,
        minimum_u: 0.0,
        disable_exact_match_detection: false,
    };
    model.comparisons[0].levels[0].term_frequency = Some(adjustment);
    let plan = compiled(&model).expect("the model is valid");
    assert_eq!(plan.term_frequencies, [vec![Some(0), None]]);
    assert_eq!(plan.features.len(), 1);
}

#[test]
fn what_has_no_form_goes_to_the_sql_tier_alone() {
    let (mixed, plan) = condition("first_name_l = first_name_r AND surname_l < surname_r");
    assert_eq!(mixed, Condition::And(vec![Condition::Equal { left: 0, right: 0 }, Condition::Sql(0)]));
    assert_eq!(
        plan.sql_conditions,
        [SqlCondition { sql: "\"surname_l\" < \"surname_r\"".to_owned(), columns: vec!["surname".to_owned()] }]
    );
    assert_eq!(plan.features.len(), 1);
    let (hashed, plan) = condition("md5(first_name_l) = md5(first_name_r)");
    assert_eq!(hashed, Condition::Equal { left: 0, right: 0 });
    assert!(
        matches!(&plan.features[0].expression, Expression::Opaque { sql, .. } if sql == "CAST(md5(\"first_name\") AS VARCHAR)")
    );
}

#[test]
fn rules_become_keys_and_residuals() {
    let (plain, _) = rule("l.first_name = r.first_name AND r.surname = l.city", &[]);
    let keys =
        vec![EqualityKey { left: 0, right: 0, exploded: false }, EqualityKey { left: 1, right: 2, exploded: false }];
    assert_eq!((plain.search, plain.residual), (RuleSearch::Equality(keys), None));
    let (filtered, _) = rule("l.city = r.city and levenshtein(l.surname, r.surname) < 3 and l.age > 17", &[]);
    assert!(matches!(filtered.residual, Some(Condition::And(parts)) if parts.len() == 2));
    let (product, _) = rule("l.city = r.city or l.surname = r.surname", &[]);
    assert_eq!(product.search, RuleSearch::FullProduct);
    let exploded = RuleSearch::Equality(vec![EqualityKey { left: 0, right: 0, exploded: true }]);
    assert_eq!(rule("l.names = r.names", &["names"]).0.search, exploded);
    assert_eq!(rule("list_has_any(l.names, r.names)", &[]).0.search, exploded);
    assert_eq!(rule("len(list_intersect(l.names, r.names)) > 0", &[]).0.search, exploded);
    assert_eq!(rule("l.years = r.years", &["years"]).0.search, exploded);
    assert!(matches!(rule("l.names = r.names", &[]).0.search, RuleSearch::Equality(keys) if !keys[0].exploded));
}

#[test]
fn problems_name_the_nearest_thing() {
    let check = |sql: &str, part: &str| {
        let problems = problems_of(sql);
        assert!(problems.contains(part), "{sql}: {problems}");
        assert!(problems.starts_with("Comparison `tested`, level 0 (`"), "{problems}");
    };
    check("first_nme_l = first_nme_r", "Column `first_nme` does not exist; did you mean `first_name`?");
    check("first_name = first_name_r", "write `first_name_l` or `first_name_r`");
    check(
        "levenstein(first_name_l, first_name_r) < 2",
        "Function `levenstein` does not exist; did you mean `levenshtein`?",
    );
    check(
        "levenshtein(age_l, age_r) < 2",
        "`levenshtein` takes text, but `\"age_l\"` gives whole numbers; cast it: CAST(\"age_l\" AS TEXT)",
    );
    check("first_name_l = age_r", "text beside whole numbers");
    check("abs(dob_text_l - dob_text_r) < 3", "`-` takes numbers");
    check("first_name_l", "gives truth values, not text");
    check("l.first_name = r.first_name", "a comparison level reads `first_name_l`");
    check("first_name_l = = first_name_r", "SQL cannot be read at line 1");
}

#[test]
fn every_problem_is_reported_at_once() {
    let mut model = model_of(&["nme_l = nme_r", "levenshtein(age_l, age_r) < 2 AND frobnicate(city_l, city_r)"]);
    model = model.block_on("l.cty = r.cty").block_on("city = r.city");
    let PlanProblems(problems) = compiled(&model).expect_err("the model is wrong");
    assert_eq!(problems.len(), 4, "{problems:?}");
}

#[test]
fn numbers_of_different_types_are_compared_as_numbers() {
    let (equal, plan) = condition("age_l = income_r");
    assert_eq!(equal, Condition::Equal { left: 0, right: 1 });
    assert!(plan.features.iter().all(|feature| feature.value_type == ValueType::Number && feature.domain == 0));
    assert_eq!(condition("dob_l = '2020-01-01' and seen_r > dob_l").1.sql_conditions, []);
    assert!(
        matches!(condition("single_l - single_r < 0.1").0, Condition::Compare { right: NumberExpression::Constant(Some(limit)), .. } if limit.to_bits() == f64::from(0.1f32).to_bits())
    );
}

#[test]
fn functions_of_the_library_have_native_forms() {
    let check = |sql: &str| {
        let (condition, plan) = condition(sql);
        assert!(plan.sql_conditions.is_empty(), "{sql}: {condition:?}");
    };
    check("soundex(surname_l) = soundex(surname_r)");
    check("array_length(list_intersect(nickname_group(first_name_l), nickname_group(first_name_r))) >= 1");
    check("qgram_jaccard(surname_l, surname_r, 2) >= 0.8");
    check("organization_similarity(full_name_l, full_name_r) >= 0.8 and tfidf_cosine(full_name_l, full_name_r) > 0.5");
    check("distance_km(lat_l, long_l, lat_r, long_r) <= 5");
    check("phone_last_digits(city_l, 4) = phone_last_digits(city_r, 4)");
    let (shared, _) = condition("qgram_dice(surname_l, surname_r, 3) >= 0.8");
    assert_eq!(shared, Condition::Measure { measure: 0, operator: Operator::GreaterOrEqual, threshold: 0.8 });
    assert!(
        problems_of("qgram_dice(surname_l, surname_r, 0) >= 0.8")
            .contains("Characters of a q-gram must be from 1 to 255, not 0")
    );
}

#[test]
fn a_null_second_list_shares_no_element() {
    let plain = Condition::Measure { measure: 0, operator: Operator::GreaterOrEqual, threshold: 1.0 };
    assert_eq!(condition("len(list_intersect(names_l, names_r)) >= 1").0, plain);
    let null = |side: Side| Condition::IsNull { side, feature: 0 };
    let guarded =
        Condition::And(vec![Condition::Or(vec![Condition::Not(Box::new(null(Side::Right))), null(Side::Left)]), plain]);
    assert_eq!(condition("NOT len(list_intersect(names_l, names_r)) >= 1").0, Condition::Not(Box::new(guarded)));
}

#[test]
fn domains_join_what_is_compared() {
    let conditions =
        ["first_name_l = surname_r", "levenshtein(surname_l, city_r) < 2", "email_l = email_r", "age_l = age_r"];
    let plan = compiled(&model_of(&conditions)).expect("the conditions are valid");
    let domains: Vec<usize> = plan.features.iter().map(|feature| feature.domain).collect();
    assert_eq!((domains, plan.n_domains), (vec![0, 0, 0, 1, 2], 3));
}

#[test]
fn never_unknown_forms_stay_so() {
    let (same, _) = condition("first_name_l IS NOT DISTINCT FROM first_name_r");
    let null = |side: Side| Condition::IsNull { side, feature: 0 };
    let known = |side: Side| Condition::Not(Box::new(null(side)));
    let both = Condition::And(vec![null(Side::Left), null(Side::Right)]);
    let neither = Condition::And(vec![known(Side::Left), known(Side::Right), Condition::Equal { left: 0, right: 0 }]);
    assert_eq!(same, Condition::Or(vec![both, neither]));
}
