//! The builders against what Splink's own give, see `tests/data/splink_library.py`.

use serde_json::Value;

use super::levels::*;
use super::*;
use crate::model::{BlockingKind, BlockingRule, Comparison, ComparisonLevel, TermFrequencyAdjustment};

fn oracle() -> Value {
    serde_json::from_str(include_str!("../../tests/data/splink_library.json")).unwrap()
}

fn level_of(value: &Value) -> ComparisonLevel {
    let flag = |key: &str| value[key].as_bool().unwrap_or_default();
    ComparisonLevel {
        sql_condition: value["sql_condition"].as_str().unwrap().to_owned(),
        label: value["label_for_charts"].as_str().map(str::to_owned),
        is_null_level: flag("is_null_level"),
        m_probability: value["m_probability"].as_f64(),
        u_probability: value["u_probability"].as_f64(),
        fix_m_probability: flag("fix_m_probability"),
        fix_u_probability: flag("fix_u_probability"),
        term_frequency: value["tf_adjustment_column"].as_str().map(|column| TermFrequencyAdjustment {
            column: column.to_owned(),
            weight: value["tf_adjustment_weight"].as_f64().unwrap_or(1.0),
            minimum_u: value["tf_minimum_u_value"].as_f64().unwrap_or(0.0),
            disable_exact_match_detection: flag("disable_tf_exact_match_detection"),
        }),
    }
}

fn comparison_of(value: &Value) -> Comparison {
    Comparison {
        output_column_name: value["output_column_name"].as_str().unwrap().to_owned(),
        description: value["comparison_description"].as_str().map(str::to_owned),
        levels: value["comparison_levels"].as_array().unwrap().iter().map(level_of).collect(),
    }
}

fn rule_of(value: &Value) -> BlockingRule {
    let arrays = value["arrays_to_explode"].as_array();
    BlockingRule {
        kind: BlockingKind::Sql(value["blocking_rule"].as_str().unwrap().to_owned()),
        arrays_to_explode: arrays.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        refine_large_blocks: None,
    }
}

/// Compares everything built with what Splink built under the same names, and demands that no name is left out.
fn check<Built: Into<Model>, Model: PartialEq + std::fmt::Debug>(
    section: &str,
    read: fn(&Value) -> Model,
    built: impl IntoIterator<Item = (&'static str, Built)>,
) {
    let oracle = oracle();
    let expected = oracle[section].as_object().unwrap();
    let mut n_built = 0;
    for (name, built) in built {
        n_built += 1;
        assert_eq!(built.into(), read(&expected[name]), "{section}: {name}");
    }
    assert_eq!(n_built, expected.len(), "{section}: some are not built");
}

#[test]
fn comparisons_are_those_of_splink() {
    use TimeMetric::{Day, Hour, Minute, Month, Second, Year};
    let distances = PostcodeDistances {
        latitude: "lat".into(),
        longitude: "long".into(),
        thresholds: [1, 10, 100].map(Threshold::from).to_vec(),
    };
    let kept = |format: Option<&str>| DateInput::Text { format: format.map(str::to_owned), invalid_as_null: false };
    check(
        "comparisons",
        comparison_of,
        [
            ("exact_match", exact_match("first_name")),
            (
                "exact_match configured",
                exact_match("first name")
                    .term_frequency_adjustments()
                    .m_probabilities([0.9, 0.1])
                    .and_then(|comparison| comparison.u_probabilities([0.001, 0.999]))
                    .unwrap(),
            ),
            ("exact_match of expression configured", exact_match("substr(dob, 1, 4)").term_frequency_adjustments()),
            ("levenshtein_at_thresholds", levenshtein_at_thresholds("dob", [1, 2])),
            ("levenshtein_at_thresholds 3", levenshtein_at_thresholds("dob", [3])),
            ("damerau_levenshtein_at_thresholds", damerau_levenshtein_at_thresholds("dob", [1, 2])),
            (
                "damerau_levenshtein_at_thresholds of transform",
                damerau_levenshtein_at_thresholds(ColumnExpression::new("dob").lower(), [1]),
            ),
            ("jaro_at_thresholds", jaro_at_thresholds("surname", [0.9, 0.7])),
            (
                "jaro_winkler_at_thresholds",
                jaro_winkler_at_thresholds("surname", [Threshold::Integer(1), Threshold::Number(0.5)]),
            ),
            ("jaccard_at_thresholds", jaccard_at_thresholds("surname", [0.9, 0.7])),
            ("distance_function_at_thresholds", distance_function_at_thresholds("surname", "hamming", [1, 3], false)),
            (
                "distance_function_at_thresholds higher",
                distance_function_at_thresholds("surname", "jaccard", [0.9], true),
            ),
            (
                "pairwise levenshtein",
                pairwise_string_distance_at_thresholds("names", StringDistance::Levenshtein, [1, 2]),
            ),
            (
                "pairwise damerau_levenshtein",
                pairwise_string_distance_at_thresholds("names", StringDistance::DamerauLevenshtein, [1]),
            ),
            ("pairwise jaro", pairwise_string_distance_at_thresholds("names", StringDistance::Jaro, [0.9])),
            (
                "pairwise jaro_winkler",
                pairwise_string_distance_at_thresholds("names", StringDistance::JaroWinkler, [0.9, 0.8]),
            ),
            (
                "absolute_time_difference text",
                absolute_time_difference_at_thresholds(
                    "seen_at",
                    &DateInput::text(),
                    [(1, Second), (2, Minute), (3, Hour), (4, Day), (5, Month), (6, Year)],
                ),
            ),
            (
                "absolute_time_difference native",
                absolute_time_difference_at_thresholds("seen_at", &DateInput::Native, [(1.5, Hour), (0.5, Day)]),
            ),
            (
                "absolute_date_difference text",
                absolute_date_difference_at_thresholds("dob", &DateInput::text_in("%d/%m/%Y"), [(1, Day), (3, Month)])
                    .term_frequency_adjustments(),
            ),
            (
                "absolute_date_difference invalid kept",
                absolute_date_difference_at_thresholds("dob", &kept(None), [(1, Year)]),
            ),
            ("array_intersect_at_sizes", array_intersect_at_sizes("tags", [3, 1])),
            (
                "distance_in_km_at_thresholds",
                distance_in_km_at_thresholds("lat", "long", [Threshold::Integer(1), Threshold::Number(10.5)]),
            ),
            (
                "distance_in_km_at_thresholds of parts",
                distance_in_km_at_thresholds("place['lat']", "place['long']", [1]),
            ),
            ("cosine_similarity_at_thresholds", cosine_similarity_at_thresholds("embedding", [0.9, 0.8, 0.7])),
            (
                "custom_comparison",
                custom_comparison("mine", [null_level("a"), custom_level("a_l = b_r"), else_level()]),
            ),
            ("date_of_birth_comparison text", date_of_birth_comparison("dob", &DateInput::text())),
            ("date_of_birth_comparison native", date_of_birth_comparison("dob", &DateInput::Native)),
            (
                "date_of_birth_comparison own",
                date_of_birth_comparison_at_thresholds(
                    "dob",
                    &kept(Some("%Y%m%d")),
                    [(Threshold::Integer(2), Day), (Threshold::Number(0.5), Year)],
                ),
            ),
            ("postcode_comparison", postcode_comparison("postcode")),
            (
                "postcode_comparison valid",
                postcode_comparison_with("postcode", &PostcodeOptions { invalid_as_null: true, distances: None }),
            ),
            (
                "postcode_comparison distances",
                postcode_comparison_with(
                    "postcode",
                    &PostcodeOptions { invalid_as_null: false, distances: Some(distances) },
                ),
            ),
            ("email_comparison", email_comparison("email")),
            ("email_comparison of transform", email_comparison(ColumnExpression::new("email").lower())),
            ("name_comparison", name_comparison("first_name")),
            (
                "name_comparison own",
                name_comparison_with(
                    "first_name",
                    &NameOptions {
                        jaro_winkler_thresholds: [0.95, 0.6].map(Threshold::from).to_vec(),
                        sound: NameSound::Column("first_name_dm".into()),
                        nicknames: false,
                    },
                ),
            ),
            ("name_comparison of transform", name_comparison(ColumnExpression::new("first_name").lower())),
            ("forename_surname_comparison", forename_surname_comparison("first_name", "surname")),
            (
                "forename_surname_comparison own",
                forename_surname_comparison_with("first_name", "surname", Some("full_name".into()), [0.9]),
            ),
            (
                "forename_surname_comparison configured",
                forename_surname_comparison("first_name", "surname").term_frequency_adjustments(),
            ),
        ],
    );
}

#[test]
fn levels_are_those_of_splink() {
    let adjustment = TermFrequencyAdjustment {
        column: "a".to_owned(),
        weight: 0.5,
        minimum_u: 0.001,
        disable_exact_match_detection: true,
    };
    let transformed = ColumnExpression::new("first name")
        .lower()
        .substr(1, 3)
        .cast_to_string()
        .regex_extract("^(.)x", 1)
        .nullif("")
        .try_parse_date(DATE_FORMAT)
        .try_parse_timestamp("%H")
        .access_extreme_array_element(ArrayElement::Last);
    let of_expression = ColumnExpression::new("coalesce(a, b)")
        .try_parse_date("%d")
        .try_parse_timestamp(TIMESTAMP_FORMAT)
        .access_extreme_array_element(ArrayElement::First);
    check(
        "levels",
        level_of,
        [
            ("null_level", null_level("a")),
            ("null_level_with_valid_pattern", null_level_with_valid_pattern("a", "^[0-9]+$")),
            ("else_level", else_level()),
            ("custom_level", custom_level("a_l = b_r")),
            ("custom_level labelled", custom_level("a_l = b_r").label("crossed")),
            ("exact_match_level", exact_match_level("a")),
            ("exact_match_level_with_term_frequencies", exact_match_level_with_term_frequencies("a")),
            (
                "exact_match_level configured",
                exact_match_level("a")
                    .m_probability(0.9)
                    .u_probability(0.1)
                    .term_frequency(adjustment)
                    .fix_m_probability()
                    .fix_u_probability()
                    .label("same"),
            ),
            ("literal_match_level text", literal_match_level("a", "x", LiteralSide::Both)),
            ("literal_match_level float", literal_match_level("a", 1.5, LiteralSide::Left)),
            ("literal_match_level integer", literal_match_level("a", -1, LiteralSide::Right)),
            (
                "literal_match_level date",
                literal_match_level("a", LiteralValue::Date("2020-01-01".to_owned()), LiteralSide::Both),
            ),
            ("columns_reversed_level", columns_reversed_level("a", "b", false)),
            ("columns_reversed_level symmetrical", columns_reversed_level("a", "b", true)),
            ("levenshtein_level", levenshtein_level("a", 1)),
            ("damerau_levenshtein_level", damerau_levenshtein_level("a", 1)),
            ("jaro_winkler_level", jaro_winkler_level("a", 0.000_01)),
            ("jaro_level", jaro_level("a", 0.9)),
            ("jaccard_level", jaccard_level("a", 1.0)),
            ("distance_function_level", distance_function_level("a", "hamming", 1, false)),
            (
                "pairwise_string_distance_function_level",
                pairwise_string_distance_function_level("a", StringDistance::JaroWinkler, 0.8),
            ),
            (
                "absolute_time_difference_level",
                absolute_time_difference_level("a", &DateInput::text(), 1, TimeMetric::Month),
            ),
            (
                "absolute_date_difference_level",
                absolute_date_difference_level("a", &DateInput::Native, 10, TimeMetric::Day),
            ),
            ("absolute_difference_level", absolute_difference_level("a", 1e20)),
            ("percentage_difference_level", percentage_difference_level("a", 0.125)),
            ("distance_in_km_level", distance_in_km_level("lat", "long", 1.5, false)),
            ("distance_in_km_level not null", distance_in_km_level("ll['lat']", "ll[1]", 1, true)),
            ("cosine_similarity_level", cosine_similarity_level("a", 0.9)),
            ("array_intersect_level", array_intersect_level("a", 2)),
            ("array_subset_level", array_subset_level("a", false)),
            ("array_subset_level empty", array_subset_level("a", true)),
            ("and of null levels", and([null_level("a"), null_level("b")])),
            ("and", and([null_level("a"), exact_match_level("b")])),
            ("or", or([exact_match_level("a"), custom_level("b_l > 1")])),
            ("not", not(null_level("a"))),
            ("transforms", exact_match_level(transformed)),
            ("transforms of expression", exact_match_level(of_expression)),
        ],
    );
}

#[test]
fn rules_are_those_of_splink() {
    let several = [
        ColumnExpression::new("surname"),
        ColumnExpression::new("substr(first_name, 1, 1)"),
        ColumnExpression::new("dob").substr(1, 4),
    ];
    check(
        "rules",
        rule_of,
        [
            ("block_on", block_on(["first name"])),
            ("block_on several", block_on(several)),
            ("block_on exploded", block_on(["tag", "sex"]).arrays_to_explode(["tag"])),
            ("custom_rule", custom_rule("l.x = r.y and l.z > 1").arrays_to_explode(["x"])),
            ("and", rules::and([block_on(["a"]), custom_rule("l.x = r.y")])),
            ("not", rules::and([block_on(["a"]), rules::not(block_on(["b"]))])),
        ],
    );
}

#[test]
fn expressions_are_written_as_splink_writes_them() {
    let mut different = Vec::new();
    for (raw, expected) in oracle()["expressions"].as_object().unwrap() {
        let column = ColumnExpression::new(raw);
        let written = [column.name_l(), column.l_name(), column.output_column_name()];
        let expected: Vec<&str> = expected.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        if written.as_slice() != expected {
            different.push((written, expected.join(" | ")));
        }
    }
    assert!(different.is_empty(), "{different:#?}");
}

#[test]
fn probabilities_must_be_as_many_as_levels() {
    let error = exact_match("a").m_probabilities([0.9]).unwrap_err();
    let message = "Comparison `a` has 2 levels beside its null level, but the number of m probabilities given is: 1";
    assert_eq!(error.to_string(), message);
}

#[test]
fn own_comparisons_name_listed_functions() {
    let comparisons = [
        united_kingdom_postcode_comparison("x"),
        postcode_prefix_comparison("x", [3, 2]),
        qgram_jaccard_at_thresholds("x", 2, [0.8]),
        qgram_dice_at_thresholds("x", 3, [0.8]),
        token_jaccard_at_thresholds("x", [0.8]),
        token_cosine_at_thresholds("x", [0.8]),
        tfidf_cosine_at_thresholds("x", [0.8]),
        soft_tfidf_at_thresholds("x", [0.8]),
        monge_elkan_at_thresholds("x", [0.8]),
        phonetic_comparison("x", PhoneticCode::Soundex),
        phonetic_comparison("x", PhoneticCode::Metaphone),
        phonetic_comparison("x", PhoneticCode::DoubleMetaphone),
        phonetic_comparison("x", PhoneticCode::Nysiis),
        phonetic_comparison("x", PhoneticCode::Cologne),
        organization_comparison("x"),
        phone_comparison("x", 9),
        web_comparison("x"),
        haversine_distance_at_thresholds("x", "y", [1]),
        exact_match(ColumnExpression::new("x").acronym()),
        name_comparison_with(
            "x",
            &NameOptions { sound: NameSound::DoubleMetaphone, nicknames: true, ..NameOptions::default() },
        ),
    ];
    let mut unnamed: Vec<&str> =
        FUNCTIONS.iter().map(|function| function.name).filter(|name| *name != "beider_morse").collect();
    for comparison in comparisons {
        let comparison = Comparison::from(comparison);
        assert!(comparison.levels[0].is_null_level && comparison.levels.last().unwrap().is_else_level());
        let sql: Vec<&str> = comparison.levels.iter().map(|level| level.sql_condition.as_str()).collect();
        unnamed.retain(|name| !sql.iter().any(|sql| sql.contains(&format!("{name}("))));
    }
    assert_eq!(unnamed, [""; 0], "functions that no comparison uses");
}
