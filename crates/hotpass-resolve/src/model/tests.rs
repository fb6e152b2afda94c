//! Model files in and out, in both forms.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const PEOPLE: &str = include_str!("../../tests/fixtures/splink/people.json");
const MIXED: &str = include_str!("../../tests/fixtures/splink/mixed.json");

fn read(value: &Value) -> Result<(LinkageModel, Vec<Notice>), ModelError> {
    LinkageModel::from_splink_json(&value.to_string())
}

/// Compares the problems of a model file, line by line.
fn check_problems(text: &str, expected: &[&str]) {
    let problems = match read_model(text).unwrap_err() {
        ModelError::Invalid(problems) => problems.iter().map(ToString::to_string).collect(),
        error => vec![error.to_string()],
    };
    assert_eq!(problems, expected, "\n{}", problems.join("\n"));
}

/// Compares the notices of a file in Splink's form.
fn check_notices(value: &Value, expected: &[&str]) {
    let (_, notices) = read(value).unwrap();
    let notices: Vec<String> = notices.iter().map(ToString::to_string).collect();
    assert_eq!(notices, expected, "\n{}", notices.join("\n"));
}

#[test]
fn what_splink_saved_is_written_again_as_it_was() {
    for text in [PEOPLE, MIXED] {
        let (model, notices) = LinkageModel::from_splink_json(text).unwrap();
        assert_eq!(notices, []);
        assert_eq!(model.text_semantics, TextSemantics::DuckDbBytes);
        let (written, notices) = model.to_splink_json().unwrap();
        assert_eq!(notices, []);
        let (ours, theirs): (Value, Value) = (json::parse(&written).unwrap(), json::parse(text).unwrap());
        assert_eq!(ours, theirs);
        let (again, _) = read_model(&model.to_json().unwrap()).unwrap();
        assert_eq!(again, model);
    }
}

#[test]
fn a_splink_model_arrives_whole() {
    let (model, _) = LinkageModel::from_splink_json(PEOPLE).unwrap();
    assert_eq!(model.uid.as_deref(), Some("fixture1"));
    assert_eq!(model.training, TrainingSettings { em_convergence: 0.0001, max_iterations: 10 });
    assert_eq!(model.output.additional_columns_to_retain, ["cluster_id"]);
    assert_eq!(model.blocking_rules[2].arrays_to_explode, ["tags"]);
    let name = &model.comparisons[0];
    assert_eq!(name.levels.len(), 8);
    assert!(name.levels[0].is_null_level && name.levels[7].is_else_level());
    assert_eq!(name.levels[1].m_probability, Some(0.147_934_897_538_786_22));
    assert_eq!(name.levels[1].term_frequency.as_ref().map(|adjustment| adjustment.column.as_str()), Some("full_name"));
    let (model, _) = LinkageModel::from_splink_json(MIXED).unwrap();
    let email = &model.comparisons[6];
    assert!(email.levels[1].fix_u_probability);
    let adjustment = email.levels[1].term_frequency.as_ref().unwrap();
    assert_eq!((adjustment.weight, adjustment.minimum_u), (0.5, 0.001));
    assert!(email.levels[2].term_frequency.as_ref().unwrap().disable_exact_match_detection);
}

#[test]
fn every_problem_of_a_file_is_named_at_once() {
    let text = json!({
        "link_type": "dedupe",
        "probability_two_random_records_match": 1,
        "em_convergance": 0.1,
        "max_iterations": 2.5,
        "retain_matching_columns": "yes",
        "additional_columns_to_retain": ["a", 3],
        "unique_id_column_name": " ",
        "sql_dialect": "oracle",
        "blocking_rules_to_generate_predictions": [
            "l.a = ",
            {"blocking_rule": "l.a = r.a", "salting": 3},
            {"arrays_to_explode": ["a"]},
            7
        ],
        "comparisons": [{
            "output_column": "a",
            "comparison_levels": [
                {"sql_condition": "a_l = a_r", "m_probability": 1e-301, "u_probability": 1.5},
                {"label_for_charts": "x", "m_prob": 0.4, "tf_adjustment_column": "a", "tf_adjustment_weight": 2},
                {"sql_condition": "jaro_winkler(a_l, a_r) > 0.9"}
            ]
        }, {}]
    });
    check_problems(
        &text.to_string(),
        &[
            "`em_convergance`: Unknown key; did you mean `em_convergence`?",
            "`sql_dialect`: Expected one of `duckdb`, `spark`, `sqlite`, `postgres`, found `oracle`",
            "`link_type`: Expected one of `dedupe_only`, `link_only`, `link_and_dedupe`, found `dedupe`; did you mean \
             `dedupe_only`?",
            "`probability_two_random_records_match`: Expected a number above 0 and below 1, found: 1",
            "`max_iterations`: Expected a whole number from 1, found: 2.5",
            "`unique_id_column_name`: The text is empty",
            "`retain_matching_columns`: Expected true or false, found text",
            "`additional_columns_to_retain[1]`: Expected text, found a number",
            "`comparisons[0].output_column`: Unknown key; did you mean `output_column_name`?",
            "`comparisons[0].comparison_levels[0].m_probability`: Expected a number from 1e-300 to 1, found: 1e-301",
            "`comparisons[0].comparison_levels[0].u_probability`: Expected a number from 1e-300 to 1, found: 1.5",
            "`comparisons[0].comparison_levels[1].m_prob`: Unknown key; did you mean `m_probability`?",
            "`comparisons[0].comparison_levels[1].sql_condition`: The key is missing",
            "`comparisons[0].comparison_levels[1].tf_adjustment_weight`: Expected a number from 0 to 1, found: 2",
            "`comparisons[0].comparison_levels[2].sql_condition`: Function `jaro_winkler` is not DuckDB's; use \
             `jaro_winkler_similarity`",
            "`comparisons[1].comparison_levels`: The key is missing",
            "`blocking_rules_to_generate_predictions[0]`: SQL cannot be read at line 1, column 7: Expected: an expression, found: \
             EOF (the expression ends too early: is a bracket or an operand missing?)",
            "`blocking_rules_to_generate_predictions[1].salting`: Unknown key; did you mean `salting_partitions`?",
            "`blocking_rules_to_generate_predictions[2].blocking_rule`: The key is missing",
            "`blocking_rules_to_generate_predictions[3]`: Expected an object, found a number",
        ],
    );
    check_problems("[]", &["`the model`: Expected an object, found a list"]);
    check_problems("{}", &["`link_type`: The key is missing"]);
    check_problems("{\"link_type\": }", &["Line 1, column 15 of the model is not JSON: Expected a value"]);
}

#[test]
fn what_has_no_effect_is_said() {
    check_notices(
        &json!({
            "link_type": "link_only",
            "sql_dialect": "spark",
            "bayes_factor_column_prefix": "bf_",
            "blocking_rules_to_generate_predictions": [
                {"blocking_rule": "l.a = r.a", "sql_dialect": "sqlite", "salting_partitions": 4, "arrays_to_explode": null}
            ],
            "comparisons": [{"comparison_levels": [
                {"sql_condition": "a_l IS NULL", "is_null_level": true, "m_probability": 0.5},
                {"sql_condition": "a_l = a_r", "u_probability": "level not observed in training dataset"},
                {"sql_condition": "ELSE", "tf_adjustment_weight": 0.5, "tf_minimum_u_value": 0.0}
            ]}]
        }),
        &[
            "`sql_dialect`: SQL written for `spark` is read as DuckDB's",
            "`bayes_factor_column_prefix`: The key has no effect, since weights are written in bits, under \
             `match_weight_column_prefix`",
            "`comparisons[0].comparison_levels[0].m_probability`: The key has no effect, since the null level weighs 0",
            "`comparisons[0].comparison_levels[1].u_probability`: The level was not observed in training and scores with \
             the probability 0.000001",
            "`comparisons[0].comparison_levels[2].tf_adjustment_weight`: The key has no effect, since the level has no \
             `tf_adjustment_column`",
            "`blocking_rules_to_generate_predictions[0].sql_dialect`: SQL written for `sqlite` is read as DuckDB's",
            "`blocking_rules_to_generate_predictions[0].salting_partitions`: The key has no effect, since pairs are found \
             in parallel without salting",
        ],
    );
}

#[test]
fn a_comparison_without_a_name_is_named_by_its_columns() {
    fn check(conditions: &[&str], expected: &str) {
        let levels: Vec<Value> = conditions.iter().map(|sql| json!({"sql_condition": sql})).collect();
        let model = json!({"link_type": "link_only", "comparisons": [{"comparison_levels": levels}]});
        assert_eq!(read(&model).unwrap().0.comparisons[0].output_column_name, expected);
    }
    check(&["name_l IS NULL OR name_r IS NULL", "\"name_l\" = \"name_r\"", "ELSE"], "name");
    check(&["a_l = a_r and b_l = b_r", "ELSE"], "custom_a_b");
}

#[test]
fn splink_is_not_given_what_it_cannot_run() {
    let sorted = BlockingRule {
        kind: BlockingKind::SortedNeighbourhood { key: "name".to_owned(), window: 5 },
        arrays_to_explode: Vec::new(),
        refine_large_blocks: None,
    };
    let refined = BlockingRule {
        refine_large_blocks: Some(LargeBlockRefinement { more_records_than: 9, sql: "l.b = r.b".to_owned() }),
        ..BlockingRule::from("l.a = r.a")
    };
    let levels = vec![ComparisonLevel::new("monge_elkan(a_l, a_r) > 0.9"), ComparisonLevel::new("ELSE")];
    let mut model = LinkageModel::new(LinkType::DedupeOnly)
        .compare(Comparison { output_column_name: "a".to_owned(), description: None, levels })
        .block_on(sorted)
        .block_on(refined);
    let ModelError::NotExpressible(problems) = model.to_splink_json().unwrap_err() else { panic!("another error") };
    assert_eq!(
        problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "`comparisons[0].comparison_levels[0].sql_condition`: Function `monge_elkan` exists in Hotpass only",
            "`blocking_rules_to_generate_predictions[0]`: Splink has no blocking by sorted neighbourhood",
            "`blocking_rules_to_generate_predictions[1]`: Splink has no blocking by a second rule in large blocks",
        ]
    );
    assert_eq!(read_model(&model.to_json().unwrap()).unwrap().0, model);
    model.blocking_rules.clear();
    model.comparisons[0].levels[0] = ComparisonLevel {
        term_frequency: Some(TermFrequencyAdjustment {
            column: "a".to_owned(),
            weight: 0.0,
            minimum_u: 0.5,
            disable_exact_match_detection: false,
        }),
        ..ComparisonLevel::new("a_l = a_r")
    };
    model.trace = Some(TrainingTrace::default());
    let (text, notices) = model.to_splink_json().unwrap();
    assert!(!text.contains("tf_adjustment_column") && !text.contains("tf_minimum_u_value"), "{text}");
    assert_eq!(
        notices.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "`text_semantics`: Left out, since DuckDB counts bytes, so text that is not ASCII may score otherwise",
            "`training`: Left out, since Splink's form has no place for how a model was trained",
            "`comparisons[0].comparison_levels[0].tf_adjustment_column`: Left out, since Splink reads the weight 0 of a \
             term-frequency adjustment as 1"
        ]
    );
}

#[test]
fn hotpass_rules_are_read_strictly() {
    let rules = json!({
        "hotpass_linkage_model": 1,
        "link_type": "link_only",
        "sql_dialect": "duckdb",
        "blocking_rules_to_generate_predictions": [
            {"sorted_neighbourhood": {"key": "name", "window": 1}},
            {"q_gram_lsh": {"text": "name", "q": 9, "bands": 8}},
            {"tokens": {"text": "name", "minimum_shared": 2, "maximum": 10}},
            {"blocking_rule": "l.a = r.a", "tokens": {}},
            {"sorted_neighbourhood": 3}
        ],
        "training": {"steps": [{"n_pairs": -1}]}
    });
    check_problems(
        &rules.to_string(),
        &[
            "`sql_dialect`: Unknown key",
            "`training.steps[0].method`: The key is missing",
            "`training.steps[0].n_pairs`: Expected a whole number from 0, found: -1",
            "`blocking_rules_to_generate_predictions[0].sorted_neighbourhood.window`: Expected a whole number from 2, \
             found: 1",
            "`blocking_rules_to_generate_predictions[1].q_gram_lsh.q`: Expected a whole number from 1 to 8, found: 9",
            "`blocking_rules_to_generate_predictions[1].q_gram_lsh.rows_per_band`: The key is missing",
            "`blocking_rules_to_generate_predictions[2].tokens.maximum`: Unknown key; did you mean `maximum_records`?",
            "`blocking_rules_to_generate_predictions[2].tokens.maximum_records`: The key is missing",
            "`blocking_rules_to_generate_predictions[3].tokens`: A blocking rule has one of `blocking_rule`, \
             `sorted_neighbourhood`, `q_gram_lsh` and `tokens`",
            "`blocking_rules_to_generate_predictions[4].sorted_neighbourhood`: Expected an object, found a number",
        ],
    );
}

/// A probability of any magnitude.
fn probability() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..1.0f64, (-290.0..0.0f64).prop_map(|exponent| 10f64.powf(exponent)), Just(1.0)]
        .prop_map(|value| value.max(1e-300))
}

fn level() -> impl Strategy<Value = ComparisonLevel> {
    let adjustment = ("[a-z]{1,8}", f64::MIN_POSITIVE..=1.0f64, 0.0..=1.0f64, any::<bool>()).prop_map(
        |(column, weight, minimum_u, disable_exact_match_detection)| TermFrequencyAdjustment {
            column,
            weight,
            minimum_u,
            disable_exact_match_detection,
        },
    );
    let probabilities = (prop::option::of(probability()), prop::option::of(probability()));
    let condition =
        prop::sample::select(vec!["a_l = a_r", "\"b c_l\" = \"b c_r\"", "jaccard(a_l, a_r) >= 0.9", "ELSE"]);
    (condition, prop::option::of(".{0,12}"), any::<(bool, bool, bool)>(), probabilities, prop::option::of(adjustment))
        .prop_map(|(sql, label, (is_null_level, fix_m, fix_u), (m, u), term_frequency)| ComparisonLevel {
            sql_condition: sql.to_owned(),
            label,
            is_null_level,
            m_probability: m.filter(|_| !is_null_level),
            u_probability: u.filter(|_| !is_null_level),
            fix_m_probability: fix_m,
            fix_u_probability: fix_u,
            term_frequency,
        })
}

fn sql_rule() -> impl Strategy<Value = BlockingRule> {
    let rule = prop::sample::select(vec!["l.a = r.a", "l.\"b c\" = r.\"b c\" and l.d > 3"]);
    (rule, prop::collection::vec("[a-z]{1,6}", 0..3))
        .prop_map(|(sql, arrays_to_explode)| BlockingRule { arrays_to_explode, ..BlockingRule::from(sql) })
}

fn hotpass_rule() -> impl Strategy<Value = BlockingRule> {
    let kind = prop_oneof![
        (2..99u32).prop_map(|window| BlockingKind::SortedNeighbourhood { key: "a".to_owned(), window }),
        (1..=8u32, 1..99u32, 1..9u32).prop_map(|(q, bands, rows_per_band)| BlockingKind::QGramLsh {
            text: "lower(a)".to_owned(),
            q,
            bands,
            rows_per_band
        }),
        (1..9u32, 2..u64::MAX).prop_map(|(minimum_shared, maximum_records)| BlockingKind::Tokens {
            text: "a".to_owned(),
            minimum_shared,
            maximum_records
        }),
        Just(BlockingKind::Sql("l.a = r.a".to_owned())),
    ];
    let refinement = (1..u64::MAX)
        .prop_map(|more_records_than| LargeBlockRefinement { more_records_than, sql: "l.b = r.b".to_owned() });
    (kind, prop::option::of(refinement)).prop_map(|(kind, refine_large_blocks)| BlockingRule {
        kind,
        arrays_to_explode: Vec::new(),
        refine_large_blocks,
    })
}

fn trace() -> impl Strategy<Value = TrainingTrace> {
    let step = ("[a-z ]{1,9}[a-z]", prop::option::of(any::<u64>()), prop::option::of(-1e9..1e9f64)).prop_map(
        |(method, n_pairs, log_likelihood)| TrainingStep { method, n_pairs, log_likelihood, ..TrainingStep::default() },
    );
    (prop::option::of(any::<u64>()), prop::collection::vec(step, 0..3)).prop_map(|(seed, steps)| TrainingTrace {
        software: Some("hotpass".to_owned()),
        seed,
        n_records: None,
        steps,
    })
}

/// A model whose rules come from a strategy.
fn model(rule: impl Strategy<Value = BlockingRule>) -> impl Strategy<Value = LinkageModel> {
    let comparison = ("[a-z]{1,8}", prop::option::of(".{0,12}"), prop::collection::vec(level(), 0..4))
        .prop_map(|(output_column_name, description, levels)| Comparison { output_column_name, description, levels });
    let link_type = prop::sample::select(vec![LinkType::DedupeOnly, LinkType::LinkOnly, LinkType::LinkAndDedupe]);
    (
        link_type,
        prop::collection::vec(comparison, 0..3),
        prop::collection::vec(rule, 0..3),
        (1e-12..0.999f64, 1e-9..1.0f64, 1..u32::MAX, prop::option::of("[a-z0-9]{0,8}"), any::<(bool, bool)>()),
    )
        .prop_map(
            |(link_type, comparisons, blocking_rules, (prior, em_convergence, max_iterations, uid, retain))| {
                let mut model = LinkageModel::new(link_type);
                (model.comparisons, model.blocking_rules, model.uid) = (comparisons, blocking_rules, uid);
                model.probability_two_random_records_match = prior;
                model.training = TrainingSettings { em_convergence, max_iterations };
                (model.output.retain_matching_columns, model.output.retain_intermediate_calculation_columns) = retain;
                model
            },
        )
}

proptest! {
    #[test]
    fn our_own_form_keeps_everything(
        mut model in model(prop_oneof![sql_rule(), hotpass_rule()]),
        trace in prop::option::of(trace()),
        bytes in any::<bool>(),
    ) {
        model.trace = trace;
        model.text_semantics = if bytes { TextSemantics::DuckDbBytes } else { TextSemantics::Characters };
        let (again, notices) = read_model(&model.to_json().unwrap()).unwrap();
        prop_assert_eq!(&again, &model);
        prop_assert_eq!(notices, vec![]);
    }

    #[test]
    fn splinks_form_keeps_what_it_has_words_for(mut model in model(sql_rule())) {
        model.text_semantics = TextSemantics::DuckDbBytes;
        let (text, notices) = model.to_splink_json().unwrap();
        prop_assert_eq!(notices, vec![]);
        let (again, notices) = LinkageModel::from_splink_json(&text).unwrap();
        // A description that is absent is written as Splink does it: the comparison's name.
        for comparison in &mut model.comparisons {
            comparison.description.get_or_insert_with(|| comparison.output_column_name.clone());
        }
        prop_assert_eq!(again, model);
        prop_assert_eq!(notices, vec![]);
    }

    #[test]
    fn reading_and_checking_never_panic(
        place in any::<prop::sample::Index>(),
        replacement in prop::sample::select(vec![json!(null), json!(-1), json!("((("), json!("ELSE"), json!([]), json!({})]),
    ) {
        let mut value = json::parse(MIXED).unwrap();
        let pointers = pointers(&value, "");
        let pointer: &String = place.get(&pointers);
        *value.pointer_mut(pointer).unwrap() = replacement;
        if let Ok((model, _)) = read(&value) {
            let text: Vec<String> = problems(&model, &[]).iter().map(ToString::to_string).collect();
            prop_assert!(text.iter().all(|line| !line.is_empty()));
            prop_assert!(!describe(&model).to_string().is_empty());
        }
    }
}

/// Lists the JSON pointers of everything in a value.
fn pointers(value: &Value, path: &str) -> Vec<String> {
    let mut all = vec![path.to_owned()];
    match value {
        Value::Array(list) => {
            all.extend(list.iter().enumerate().flat_map(|(index, item)| pointers(item, &format!("{path}/{index}"))));
        }
        Value::Object(map) => all.extend(map.iter().flat_map(|(key, item)| pointers(item, &format!("{path}/{key}")))),
        _ => {}
    }
    all
}

#[cfg(feature = "schema")]
mod schema {
    use super::*;

    /// The reader's keys and the schema's are written down in two places.
    #[test]
    fn the_schema_names_the_keys_that_the_reader_knows() {
        fn check(schema: &Value, definition: Option<&str>, keys: &[&[&str]]) {
            let part = definition.map_or(schema, |name| &schema["$defs"][name]);
            let mut found: Vec<&str> = part["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            let mut known = keys.concat();
            found.sort_unstable();
            known.sort_unstable();
            assert_eq!(found, known, "{definition:?}");
            for (key, property) in part["properties"].as_object().unwrap() {
                assert!(property["description"].is_string(), "{definition:?} {key}");
            }
            assert_eq!(part["additionalProperties"], false, "{definition:?}");
        }
        let schema = json_schema();
        check(&schema, None, &[reader::MODEL_KEYS, reader::HOTPASS_MODEL_KEYS]);
        check(&schema, Some("Comparison"), &[reader::COMPARISON_KEYS]);
        check(&schema, Some("ComparisonLevel"), &[reader::LEVEL_KEYS]);
        check(&schema, Some("BlockingRule"), &[reader::RULE_KEYS, reader::HOTPASS_RULE_KEYS]);
        check(&schema, Some("SortedNeighbourhood"), &[reader::SORTED_NEIGHBOURHOOD_KEYS]);
        check(&schema, Some("QGramLsh"), &[reader::Q_GRAM_LSH_KEYS]);
        check(&schema, Some("Tokens"), &[reader::TOKENS_KEYS]);
        check(&schema, Some("LargeBlockRefinement"), &[reader::REFINE_KEYS]);
        check(&schema, Some("TrainingTrace"), &[reader::TRACE_KEYS]);
        check(&schema, Some("TrainingStep"), &[reader::STEP_KEYS]);
        assert_eq!(schema["required"], json!(["hotpass_linkage_model", "link_type"]));
    }

    #[test]
    fn the_committed_schema_is_what_the_code_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/linkage-model.schema.json");
        let expected = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == expected, "`schemas/linkage-model.schema.json` is out of date; it should be:\n{expected}");
    }
}
