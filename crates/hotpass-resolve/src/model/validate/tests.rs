use arrow::datatypes::{Field, Schema};

use super::super::TermFrequencyAdjustment;
use super::*;

fn people() -> Schema {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    let list = Field::new_list("tags", Field::new_list_field(DataType::Utf8, true), true);
    let mut fields: Vec<Field> =
        ["first_name", "surname", "full_name", "dob", "city", "email", "postcode", "cluster_id"].map(text).into();
    fields.extend(["lat", "lon", "amount"].map(number));
    fields.extend([Field::new("unique_id", DataType::Int64, false), Field::new("born", DataType::Date32, true), list]);
    Schema::new(fields)
}

fn level(sql: &str) -> ComparisonLevel {
    ComparisonLevel::new(sql)
}

/// A comparison of a null level, the levels given and `ELSE`.
fn comparison(name: &str, conditions: &[&str]) -> Comparison {
    let mut null = level("first_name_l IS NULL OR first_name_r IS NULL");
    null.is_null_level = true;
    let mut levels = vec![null];
    levels.extend(conditions.iter().map(|sql| level(sql)));
    levels.push(level("ELSE"));
    Comparison { output_column_name: name.to_owned(), description: None, levels }
}

fn model(comparisons: Vec<Comparison>) -> LinkageModel {
    let mut model = LinkageModel::new(LinkType::DedupeOnly).block_on("l.surname = r.surname");
    model.comparisons = comparisons;
    model
}

/// Compares the messages of a model against the columns of `people`.
fn check(model: &LinkageModel, expected: &[&str]) {
    let schema = people();
    let found: Vec<String> = problems(model, &[SourceSchema { name: "people", schema: &schema }])
        .iter()
        .map(|problem| format!("{:?}: {problem}", problem.severity))
        .collect();
    assert_eq!(found, expected, "\n{}", found.join("\n"));
}

/// Compares the messages of one comparison whose levels between null and `ELSE` are given.
fn check_levels(conditions: &[&str], expected: &[&str]) {
    check(&model(vec![comparison("c", conditions)]), expected);
}

#[test]
fn models_that_splink_saved_have_no_error() {
    let read = |text| LinkageModel::from_splink_json(text).unwrap().0;
    // Medians of several trainings, level by level, do not sum to 1.
    check(
        &read(include_str!("../../../tests/fixtures/splink/mixed.json")),
        &[
            "Warning: Comparison `tags`: m of all levels should sum to 1, found: 1.1525",
            "Warning: Comparison `amount and city`: m of all levels should sum to 1, found: 1.2921",
        ],
    );
    check(
        &read(include_str!("../../../tests/fixtures/splink/people.json")),
        &["Warning: Comparison `tags`: m of all levels should sum to 1, found: 1.1828"],
    );
}

#[test]
fn missing_columns_name_the_nearest() {
    check_levels(
        &["surnam_l = surnam_r", "zzz_l = 'x'", "FIRST_NAME_l = first_name_r"],
        &[
            "Error: Comparison `c`, level 1 (`surnam_l = surnam_r`): Column `surnam` is missing from source `people`; \
             did you mean `surname`?",
            "Error: Comparison `c`, level 2 (`zzz_l = 'x'`): Column `zzz` is missing from source `people`",
        ],
    );
    check_levels(
        &["surname = surname_r"],
        &["Error: Comparison `c`, level 1 (`surname = surname_r`): Column `surname` belongs to neither record; \
           write `surname_l` and `surname_r`"],
    );
    let mut renamed = model(vec![comparison("c", &["city_l = city_r"])]);
    renamed.keys.unique_id = "uniqueid".to_owned();
    renamed.output.additional_columns_to_retain = vec!["cluster".to_owned()];
    check(
        &renamed,
        &[
            "Error: Column `uniqueid` is missing from source `people`; did you mean `unique_id`?",
            "Error: Column `cluster` is missing from source `people`; did you mean `cluster_id`?",
        ],
    );
    let mut linked = model(vec![comparison("c", &["city_l = city_r"])]);
    linked.link_type = LinkType::LinkOnly;
    check(&linked, &["Error: Column `source_dataset` is missing from source `people`"]);
}

#[test]
fn the_shape_of_a_comparison_is_checked() {
    let mut no_null = comparison("c", &["city_l = city_r"]);
    no_null.levels.remove(0);
    let mut no_else = comparison("C", &["city_l = city_r"]);
    no_else.levels.pop();
    let mut below = comparison("d", &["ELSE", "city_l = city_r"]);
    below.levels.pop();
    let empty = Comparison { output_column_name: "e".to_owned(), description: None, levels: Vec::new() };
    check(
        &model(vec![no_null, no_else, below, empty]),
        &[
            "Error: Comparison `C`: The name `C` belongs to comparison 1 too (names differ by more than case and spaces)",
            "Warning: Comparison `c`: The comparison has no null level: missing values count as disagreement; start with \
             `city_l IS NULL OR city_r IS NULL` as null level",
            "Error: Comparison `C`: The comparison has no `ELSE` level: pairs that meet no condition would have no \
             weight; end with `ELSE`",
            "Error: Comparison `d`, level 2 (`city_l = city_r`): The level is never reached, since `ELSE` stands above \
             it; move `ELSE` to the end",
            "Error: Comparison `e`: The comparison has no levels; add a null level, levels of agreement and `ELSE`",
        ],
    );
    check(&model(Vec::new()), &["Error: The model has no comparisons; add at least one"]);
}

/// Tells which levels (from 1, after the null level) are never reached.
fn unreachable(conditions: &[&str]) -> Vec<usize> {
    let model = model(vec![comparison("c", conditions)]);
    problems(&model, &[])
        .into_iter()
        .filter(|problem| {
            matches!(problem.kind, ModelProblemKind::Unreachable { .. } | ModelProblemKind::Repeated { .. })
        })
        .filter_map(|problem| if let ModelPlace::Level { level, .. } = problem.place { Some(level) } else { None })
        .collect()
}

#[test]
fn levels_that_cannot_be_reached_are_found() {
    fn check(conditions: &[&str], expected: &[usize]) {
        assert_eq!(unreachable(conditions), expected, "{conditions:?}");
    }
    let similarity = |bound: &str| format!("jaro_winkler_similarity(city_l, city_r) >= {bound}");
    let (high, low) = (similarity("0.9"), similarity("0.7"));
    check(&[&high, &low], &[]);
    check(&[&low, &high], &[2]);
    check(&[&low, &low], &[2]);
    check(&["levenshtein(city_l, city_r) <= 2", "levenshtein(city_l, city_r) <= 1"], &[2]);
    check(&["levenshtein(city_l, city_r) <= 2", "levenshtein(city_l, city_r) < 2"], &[2]);
    check(&["levenshtein(city_l, city_r) < 2", "levenshtein(city_l, city_r) <= 2"], &[]);
    check(&["levenshtein(city_l, city_r) <= 2", "1 >= levenshtein(city_l, city_r)"], &[2]);
    check(&["levenshtein(city_l, city_r) <= 2", "levenshtein(email_l, email_r) <= 1"], &[]);
    check(&["city_l = city_r", "city_r = city_l"], &[2]);
    check(&["city_l = city_r", "city_l = city_r and email_l = email_r"], &[2]);
    check(&["city_l = city_r and email_l = email_r", "city_l = city_r"], &[]);
    check(&["city_l = city_r or email_l = email_r", "email_l = email_r"], &[2]);
    check(&["email_l = email_r", "city_l = city_r or email_l = email_r"], &[]);
    check(&["(email_l = email_r) AND city_l = city_r", "city_l = city_r and (email_l = email_r)"], &[2]);
    let nested = format!("{low} and amount_l > 5");
    check(&[&nested, &format!("{high} and amount_l > 6.0")], &[2]);
    check(&[&nested, &format!("{high} and amount_r > 6.0")], &[]);
}

#[test]
fn an_unreachable_level_is_explained() {
    check_levels(
        &["levenshtein(city_l, city_r) <= 2", "levenshtein(city_l, city_r) <= 1", "levenshtein(city_l, city_r) <= 2"],
        &[
            "Warning: Comparison `c`, level 2 (`levenshtein(city_l, city_r) <= 1`): The level is never reached, since \
             level 1 (`levenshtein(city_l, city_r) <= 2`) holds whenever it does; order levels from strict to lenient",
            "Warning: Comparison `c`, level 3 (`levenshtein(city_l, city_r) <= 2`): The level is never reached, since \
             level 1 has the same condition",
        ],
    );
}

#[test]
fn probabilities_and_their_sums_are_checked() {
    let mut odd = comparison("c", &["city_l = city_r"]);
    (odd.levels[1].m_probability, odd.levels[2].m_probability) = (Some(1.2), Some(0.3));
    (odd.levels[1].u_probability, odd.levels[2].u_probability) = (Some(0.0), Some(0.95));
    let mut model = model(vec![odd]);
    model.probability_two_random_records_match = 1.0;
    check(
        &model,
        &[
            "Error: The prior must be above 0 and below 1, found: 1",
            "Error: Comparison `c`, level 1 (`city_l = city_r`): m must be from 1e-300 to 1, found: 1.2",
            "Error: Comparison `c`, level 1 (`city_l = city_r`): u must be from 1e-300 to 1, found: 0",
            "Warning: Comparison `c`: m of all levels should sum to 1, found: 1.5000",
        ],
    );
}

#[test]
fn term_frequencies_need_an_exact_level() {
    fn check_base(conditions: &[&str], column: &str, expected: Option<usize>) {
        let mut comparison = comparison("c", conditions);
        let last = conditions.len();
        comparison.levels[last].term_frequency = Some(adjustment(column));
        assert_eq!(comparison.term_frequency_base_level(last), expected, "{conditions:?} on {column}");
    }
    fn adjustment(column: &str) -> TermFrequencyAdjustment {
        TermFrequencyAdjustment {
            column: column.to_owned(),
            weight: 1.0,
            minimum_u: 0.0,
            disable_exact_match_detection: false,
        }
    }
    check_base(&["city_l = city_r", "levenshtein(city_l, city_r) <= 1"], "city", Some(1));
    check_base(&["\"city_r\" = \"city_l\"", "levenshtein(city_l, city_r) <= 1"], "\"City\"", Some(1));
    check_base(&["city_l = city_r and dob_l = dob_r", "levenshtein(city_l, city_r) <= 1"], "city", None);
    check_base(&["lower(city_l) = LOWER(city_r)", "levenshtein(city_l, city_r) <= 1"], "lower(city)", Some(1));
    check_base(&["lower(city_l) = LOWER(city_r)", "levenshtein(city_l, city_r) <= 1"], "city", None);
    check_base(&["city_l = dob_r", "levenshtein(city_l, city_r) <= 1"], "city", None);

    let mut fuzzy = comparison("c", &["levenshtein(city_l, city_r) <= 1"]);
    let mut broken = adjustment("citi");
    (broken.weight, broken.minimum_u) = (1.5, -0.1);
    fuzzy.levels[1].term_frequency = Some(broken);
    // A level that gets no adjustment needs no base.
    fuzzy.levels[2].term_frequency = Some(adjustment("city"));
    check(
        &model(vec![fuzzy.clone()]),
        &[
            "Error: Comparison `c`, level 1 (`levenshtein(city_l, city_r) <= 1`): tf_adjustment_weight must be from 0 to 1, \
             found: 1.5",
            "Error: Comparison `c`, level 1 (`levenshtein(city_l, city_r) <= 1`): tf_minimum_u_value must be from 0 to 1, \
             found: -0.1",
            "Error: Comparison `c`, level 1 (`levenshtein(city_l, city_r) <= 1`): Column `citi` is missing from source \
             `people`; did you mean `city`?",
            "Error: Comparison `c`, level 1 (`levenshtein(city_l, city_r) <= 1`): The term-frequency adjustment on `citi` \
             needs a level that is an exact match on `citi` alone; add one, or set `disable_tf_exact_match_detection`",
        ],
    );
    let mut alone = adjustment("city");
    alone.disable_exact_match_detection = true;
    fuzzy.levels[1].term_frequency = Some(alone);
    assert_eq!(fuzzy.term_frequency_base_level(1), Some(1));
    check(&model(vec![fuzzy]), &[]);
}

#[test]
fn rules_without_an_equality_are_full_products() {
    fn check_rule(sql: &str, is_full_product: bool) {
        let mut model = model(vec![comparison("c", &["city_l = city_r"])]);
        model.blocking_rules = vec![BlockingRule::from(sql)];
        let expected = ModelProblemKind::FullProduct { no_rules: false };
        let found: Vec<ModelProblemKind> = problems(&model, &[]).into_iter().map(|problem| problem.kind).collect();
        assert_eq!(found.contains(&expected), is_full_product, "{sql}: {found:?}");
        assert_eq!(found.len(), usize::from(is_full_product), "{sql}: {found:?}");
        assert!(validate_allowing_full_product(&model, &[]).is_ok(), "{sql}");
        assert_eq!(validate(&model, &[]).is_err(), is_full_product, "{sql}");
    }
    check_rule("l.city = r.city", false);
    check_rule("substr(l.city, 1, 2) = substr(r.city, 1, 2) and l.amount > r.amount", false);
    check_rule("l.first_name = r.surname", false);
    check_rule("levenshtein(l.city, r.city) <= 1", true);
    check_rule("l.city = 'York'", true);
    check_rule("l.city = r.city or l.email = r.email", true);
    check_rule("l.city || r.city = r.email", true);
    check_rule("1 = 1", true);
    let mut none = model(vec![comparison("c", &["city_l = city_r"])]);
    none.blocking_rules.clear();
    check(
        &none,
        &["Error: There are no blocking rules; every record pairs with every other unless a full product is allowed"],
    );
}

#[test]
fn rules_are_checked_for_columns_lists_and_ranges() {
    let mut model = model(vec![comparison("c", &["city_l = city_r"])]);
    model.blocking_rules = vec![
        BlockingRule { arrays_to_explode: vec!["tags".to_owned()], ..BlockingRule::from("l.tags = r.tags") },
        BlockingRule { arrays_to_explode: vec!["city".to_owned()], ..BlockingRule::from("l.city = r.city") },
        BlockingRule::from("l.cty = r.cty"),
        BlockingRule::from("l.city = "),
        BlockingRule {
            kind: BlockingKind::QGramLsh { text: "surname".to_owned(), q: 9, bands: 0, rows_per_band: 2 },
            arrays_to_explode: Vec::new(),
            refine_large_blocks: None,
        },
    ];
    let schema = people();
    let Err(ModelProblems(found)) = validate(&model, &[SourceSchema { name: "people", schema: &schema }]) else {
        panic!("the model is valid")
    };
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 5, "{found:?}");
    assert_eq!(
        found[0],
        "Blocking rule 2 (`l.city = r.city, exploding city`): Column `city` is to be exploded and must be a list, found: Utf8"
    );
    assert_eq!(
        found[1],
        "Blocking rule 3 (`l.cty = r.cty`): Column `cty` is missing from source `people`; did you mean `city`?"
    );
    assert!(found[2].starts_with("Blocking rule 4 (`l.city = `): SQL cannot be read"), "{}", found[2]);
    assert!(found[3].ends_with("q must be from 1 to 8, found: 9"), "{}", found[3]);
    assert!(found[4].ends_with("bands must be at least 1, found: 0"), "{}", found[4]);
}

#[test]
fn types_that_do_not_fit_are_named() {
    check_levels(
        &[
            "jaro_winkler_similarity(amount_l, amount_r) >= 0.9",
            "abs(dob_l - dob_r) <= 3",
            "city_l = amount_r",
            "abs(epoch(dob_l) - epoch(dob_r)) < 86400",
            "list_has_any(tags_l, tags_r) and city_l",
        ],
        &[
            "Error: Comparison `c`, level 1 (`jaro_winkler_similarity(amount_l, amount_r) >= 0.9`): \
             `jaro_winkler_similarity` takes text, but `\"amount_l\"` is a number (column `amount` is Float64); cast it or \
             use another column",
            "Error: Comparison `c`, level 1 (`jaro_winkler_similarity(amount_l, amount_r) >= 0.9`): \
             `jaro_winkler_similarity` takes text, but `\"amount_r\"` is a number (column `amount` is Float64); cast it or \
             use another column",
            "Error: Comparison `c`, level 2 (`abs(dob_l - dob_r) <= 3`): `-` takes numbers, dates or timestamps, but \
             `\"dob_l\"` is text (column `dob` is Utf8); cast it or use another column",
            "Error: Comparison `c`, level 2 (`abs(dob_l - dob_r) <= 3`): `-` takes numbers, dates or timestamps, but \
             `\"dob_r\"` is text (column `dob` is Utf8); cast it or use another column",
            "Error: Comparison `c`, level 3 (`city_l = amount_r`): `=` takes text on both sides, but `\"amount_r\"` is a \
             number (column `amount` is Float64); cast it or use another column",
            "Error: Comparison `c`, level 4 (`abs(epoch(dob_l) - epoch(dob_r)) < 86400`): `epoch` takes a date or timestamp, \
             but `\"dob_l\"` is text (column `dob` is Utf8); cast it or use another column",
            "Error: Comparison `c`, level 4 (`abs(epoch(dob_l) - epoch(dob_r)) < 86400`): `epoch` takes a date or timestamp, \
             but `\"dob_r\"` is text (column `dob` is Utf8); cast it or use another column",
            "Error: Comparison `c`, level 5 (`list_has_any(tags_l, tags_r) and city_l`): `AND` takes true or false, but \
             `\"city_l\"` is text (column `city` is Utf8); cast it or use another column",
        ],
    );
    check_levels(
        &[
            "born_l = '1970-01-01'",
            "abs(born_l - born_r) <= 3",
            "cast(amount_l as varchar) = city_r",
            "try_strptime(dob_l, '%Y') = born_r",
            "coalesce(city_l, email_l) = city_r",
            "tags_l[1] = city_r",
        ],
        &[],
    );
}

#[test]
fn every_source_is_checked() {
    let (one, mut fields) = (people(), Vec::new());
    for field in people().fields() {
        if field.name() == "amount" {
            fields.push(Field::new("amount", DataType::Utf8, true));
        } else if field.name() != "city" {
            fields.push(field.as_ref().clone());
        }
    }
    let two = Schema::new(fields);
    let model = model(vec![comparison("c", &["city_l = city_r", "amount_l = amount_r"])]);
    let sources = [SourceSchema { name: "one", schema: &one }, SourceSchema { name: "two", schema: &two }];
    let found: Vec<String> = problems(&model, &sources).iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "Comparison `c`, level 1 (`city_l = city_r`): Column `city` is missing from source `two`",
            "Column `amount` is Float64 in source `one` and Utf8 in source `two`; cast it in one of them"
        ]
    );
}
