//! Tests of reading and writing.

use proptest::prelude::*;

use super::super::format;
use super::*;

fn read(sql: &str) -> Expression {
    parse_condition(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn check(sql: &str, expected: &str) {
    let expression = read(sql);
    assert_eq!(format(&expression), expected, "{sql}");
    assert_eq!(read(expected), expression, "{expected}");
}

#[test]
fn spellings_have_one_form() {
    check("First_Name_L = x_r", r#""First_Name_l" = "x_r""#);
    check(r#"SUBSTR("a b_l"::text, 1, 3) IS NOT NULL"#, r#"substring(CAST("a b_l" AS VARCHAR), 1, 3) IS NOT NULL"#);
    check("a_l BETWEEN 1 AND 2", r#"("a_l" >= 1) AND ("a_l" <= 2)"#);
    check("((a_l = 1) and (b_l = 2 and c_l = 3))", r#"("a_l" = 1) AND ("b_l" = 2) AND ("c_l" = 3)"#);
    check("case a_l when 1 then 'it''s' end = b_r", r#"CASE WHEN "a_l" = 1 THEN 'it''s' END = "b_r""#);
    check("names_l[-1] = names_r[1]", r#"list_extract("names_l", -1) = list_extract("names_r", 1)"#);
    check("a_l NOT LIKE 'x%' OR a_l !~ 'y'", r#"(NOT ("a_l" LIKE 'x%')) OR (NOT regexp_full_match("a_l", 'y'))"#);
    check("year(d_l) = extract(year from d_r)", r#"date_part('year', "d_l") = date_part('year', "d_r")"#);
    check("d_l - d_r < interval '3 days'", r#"("d_l" - "d_r") < (INTERVAL '3' DAY)"#);
    check("a_l && b_r", r#"list_has_any("a_l", "b_r")"#);
    check("coalesce(a_l = b_r, false)", r#"coalesce("a_l" = "b_r", FALSE)"#);
    check("- (-(3)) - -a_l", r#"3 - (-"a_l")"#);
    check("d_l = DATE '2020-01-02'", r#""d_l" = CAST('2020-01-02' AS DATE)"#);
}

#[test]
fn best_pairs_of_elements_are_recognised() {
    let sql = "list_max(list_transform(flatten(list_transform(n_l, x -> list_transform(n_r, y -> [x, y]))), p -> jaro_similarity(p[1], p[2]))) >= 0.9";
    let Expression::Binary { left, .. } = read(sql) else { panic!("a comparison") };
    assert!(matches!(*left, Expression::Call { ref function, .. } if function == "list_pairwise_max"));
    let other = read("list_max(list_transform(n_l, x -> length(x))) >= 3");
    let Expression::Binary { left, .. } = &other else { panic!("a comparison") };
    let Expression::Opaque { columns, .. } = left.as_ref() else {
        let Expression::Call { arguments, .. } = left.as_ref() else { panic!("a call") };
        assert!(
            matches!(&arguments[0], Expression::Opaque { columns, .. } if *columns == [(Some(Side::Left), "n".to_owned())])
        );
        return;
    };
    assert_eq!(*columns, [(Some(Side::Left), "n".to_owned())]);
}

#[test]
fn rules_and_records_name_columns_their_way() {
    let rule = parse_rule(r#"l."first name" = R.surname AND l.names[1] = 'x'"#).expect("a rule");
    assert_eq!(format(&rule), r#"("first name_l" = "surname_r") AND (list_extract("names_l", 1) = 'x')"#);
    let opaque = parse_rule("list_filter(l.names, x -> x > 'a') = r.names").expect("a rule");
    assert!(format(&opaque).contains(r#""names_l""#), "{}", format(&opaque));
    let record = parse_record_expression("model_l || 'x'").expect("an expression");
    assert_eq!(format(&record), r#""model_l" || 'x'"#);
    assert!(matches!(parse_rule("x.a = r.a"), Err(SqlError::Qualifier { .. })));
}

#[test]
fn errors_give_the_position() {
    let position = |sql: &str| match parse_condition(sql) {
        Err(SqlError::Syntax { line, column, .. }) => (line, column),
        other => panic!("{sql}: {other:?}"),
    };
    assert_eq!(position("a_l =\n  = b_r"), (2, 3));
    assert_eq!(position("a_l = b_r c_l"), (1, 11));
    assert_eq!(position("a_l = 'open"), (1, 7));
    assert_eq!(parse_condition("  -- nothing"), Err(SqlError::Empty));
    assert!(matches!(
        parse_condition(&format!("{}1{}", "(".repeat(500), ")".repeat(500))),
        Err(SqlError::TooDeep { .. })
    ));
    assert!(matches!(parse_condition(&vec!["1"; 1_000].join(" + ")), Err(SqlError::TooDeep { .. })));
    let long = (0..2_000).map(|index| format!("a_l = {index}")).collect::<Vec<_>>().join(" OR ");
    assert_eq!(super::super::operands(BinaryOperator::Or, &read(&long)).len(), 2_000);
}

/// SQL of any shape that the grammar of expressions has.
fn any_sql() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("first_name_l".to_owned()),
        Just("\"odd \"\" name_r\"".to_owned()),
        Just("NULL".to_owned()),
        Just("TRUE".to_owned()),
        any::<i32>().prop_map(|value| value.to_string()),
        (-1e9..1e9f64).prop_map(|value| format!("{value:?}")),
        "[a-z'é ]{0,5}".prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let operator = prop::sample::select(vec![
            "AND",
            "OR",
            "=",
            "<>",
            "<",
            ">=",
            "+",
            "-",
            "*",
            "/",
            "//",
            "%",
            "||",
            "IS DISTINCT FROM",
            "IS NOT DISTINCT FROM",
            "LIKE",
            "NOT ILIKE",
        ]);
        let function = prop::sample::select(vec![
            "lower",
            "substr",
            "levenshtein",
            "coalesce",
            "len",
            "array_intersect",
            "strange",
        ]);
        prop_oneof![
            (inner.clone(), operator, inner.clone())
                .prop_map(|(left, operator, right)| format!("({left}) {operator} ({right})")),
            (function, inner.clone(), inner.clone())
                .prop_map(|(function, one, two)| format!("{function}({one}, {two})")),
            inner.clone().prop_map(|operand| format!("NOT ({operand})")),
            inner.clone().prop_map(|operand| format!("-({operand})")),
            inner.clone().prop_map(|operand| format!("({operand}) IS NOT NULL")),
            inner.clone().prop_map(|operand| format!("({operand})::varchar")),
            inner.clone().prop_map(|operand| format!("TRY_CAST({operand} AS DOUBLE)")),
            (inner.clone(), inner.clone()).prop_map(|(one, two)| format!("({one}) IN ({two}, 3)")),
            (inner.clone(), inner.clone()).prop_map(|(one, two)| format!("CASE WHEN {one} THEN {two} ELSE 1 END")),
            (inner.clone(), inner).prop_map(|(one, two)| format!("({one}) BETWEEN ({two}) AND 9")),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(sql in any_sql()) {
        let expression = parse_condition(&sql).map_err(|error| TestCaseError::fail(format!("{sql}: {error}")))?;
        let written = format(&expression);
        let again = parse_condition(&written).map_err(|error| TestCaseError::fail(format!("{written}: {error}")))?;
        prop_assert_eq!(&again, &expression, "{}", written);
    }

    #[test]
    fn no_text_panics(sql in ".{0,60}") {
        let _ = (parse_condition(&sql), parse_rule(&sql), parse_record_expression(&sql));
    }
}
